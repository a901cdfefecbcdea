"""Random numbers of a distribution for many points, as a sweep draws them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastneuron.components import with_rows
from fastneuron.kernels.draws import draw
from fastneuron.kernels.jit import specialised
from fastneuron.starts import Distribution


def drawn(
    distribution: Distribution,
    seed: int,
    numbers: np.ndarray,
    first_use: int,
    count: int,
    dtype: str | np.dtype[Any] = "float64",
    varying: Mapping[str, np.ndarray] | None = None,
) -> np.ndarray:
    """Random numbers for consecutive uses: those of ``starts.uniform_numbers``, taken to the distribution.

    Parameters
    ----------
    distribution : Distribution
    seed : int, 0 <= seed < 2**63
    numbers : int array, shape (points,)
        Numbers of the points.
    first_use, count : int
        Uses `first_use` to `first_use` + `count` - 1, below 2**32.
    dtype : {"float64", "float32"}
        To which the numbers, drawn in float64, are rounded; beyond it they are infinite.
    varying : mapping of str to float array, shape (points,), optional
        Fields of the distribution that differ from point to point, as ``sd``.

    Returns
    -------
    array, shape (count, points)
        A number depends on the distribution, the seed, the point's number and the use alone.
    """
    varying = {} if varying is None else varying
    rows = {name: row for row, name in enumerate(varying)}
    values = np.zeros((max(1, len(rows)), len(numbers)))
    for row, value in zip(values, varying.values(), strict=False):
        row[:] = value
    points = np.ascontiguousarray(numbers, np.int64)
    out = np.empty((count, len(points)), dtype)
    record = with_rows(distribution, rows)
    kind: Any = type(distribution)
    kernel = _kernel(kind, tuple(rows.items()), out.dtype)
    kernel(record, values.ravel(), seed, points, first_use, count, out.ravel())
    return out


@functools.lru_cache(maxsize=256)
def _kernel(distribution: Any, rows: tuple[tuple[str, int], ...], dtype: Any) -> Any:
    """The machine code of `draw` for distributions of a class with such rows, and a dtype."""
    unchecked: Any = tuple.__new__
    record = with_rows(unchecked(distribution, (0.0,) * len(distribution._fields)), dict(rows))
    numbers = np.empty(1, np.int64)
    return specialised(draw, record, np.empty(1), 0, numbers, 0, 0, np.empty(1, dtype))

"""Following: the training runs behind points of a result, step by step, under the sweep's own settings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from fastneuron.selection import with_values
from fastneuron.starts import uniform_numbers
from fastneuron.sweep import Sweep
from fastneuron.training import Training


def spread(lengths: Sequence[int], number: int, seed: int) -> list[tuple[int, ...]]:
    """So many points of a grid, evenly spread, or all where there are no more; others for another seed.

    Notes
    -----
    Point n has the coordinates u_k + n g**-k modulo 1, k = 1 .. d, where g**(d + 1) = g + 1 and u is random.

    References
    ----------
    Roberts (2018), The unreasonable effectiveness of quasirandom sequences.
    """
    if math.prod(lengths) <= number:
        return list(np.ndindex(*lengths))
    g = 1.5
    for _ in range(64):
        g = (1 + g) ** (1 / (len(lengths) + 1))
    alphas = g ** -np.arange(1.0, len(lengths) + 1)
    first = uniform_numbers(seed, np.arange(len(lengths), dtype=np.uint64), 0)
    points: dict[tuple[int, ...], None] = {}
    n = 0
    while len(points) < number:
        points[tuple(((first + n * alphas) % 1 * lengths).astype(int).tolist())] = None
        n += 1
    return list(points)


def trained_at(sweep: Sweep, values: Mapping[str, float]) -> Training:
    """What the starts undergo where the axes that are no parameters have these values.

    Raises
    ------
    ValueError
        If one is a setting of a layer of its own, such as ``layer0.learning_rate``.
    """
    settings = {}
    for axis, value in values.items():
        role, field = sweep.places.get(axis, ("start", ""))
        if role in sweep.training.components:
            settings[role, field] = value
        elif role != "start":
            raise ValueError(f"a start cannot be followed step by step where {axis} is an axis")
    return with_values(sweep.training, settings)


def descended(
    training: Training, start: Mapping[str, Any], steps: int, seed: int = 0, held: bool = False
) -> xr.Dataset:
    """Every step of a training from some starts, as `fastneuron.descend` gives it."""
    from fastneuron.engine import trajectories  # brings Numba, which other pictures do without

    return trajectories.descended(training, start, steps, seed, held)

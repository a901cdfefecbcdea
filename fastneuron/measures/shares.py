"""Shares: which part of a grid each outcome takes.

A point that a half-finished map has not computed yet holds `NOT_COMPUTED` and counts nowhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NoReturn

import numpy as np
import xarray as xr

from fastneuron.arrays import checked_array
from fastneuron.components import shown
from fastneuron.outcomes import Outcome
from fastneuron.store.blocks import blocks_of

NOT_COMPUTED = -1


def fractions(outcome: Any) -> dict[Outcome, float]:
    """Share of every outcome among the computed points.

    Parameters
    ----------
    outcome : DataArray or array-like of int, any shape
        Codes of `Outcome`; -1 marks a point that is not computed yet.

    Returns
    -------
    dict of Outcome to float
        All outcomes in the order of the enum, 0.0 where there are none; the shares add up to 1.

    Raises
    ------
    ValueError
        If there is no computed point, or a code is no outcome.

    See Also
    --------
    intervals : How sure the shares are where the points are random.

    Examples
    --------
    >>> import fastneuron as fn
    >>> shares = fn.measures.fractions([1, 1, 4, 5, -1])
    >>> shares[fn.Outcome.REACHED], shares[fn.Outcome.SETTLED]
    (0.5, 0.0)
    """
    counts = counts_of(outcome)
    computed = sum(counts.values())
    return {member: count / computed for member, count in counts.items()}


def intervals(outcome: Any) -> dict[Outcome, tuple[float, float]]:
    """Bound the share of every outcome by Wilson's 95 % interval, where the points are random draws.

    Parameters
    ----------
    outcome : DataArray or array-like of int, any shape
        As in `fractions`.

    Returns
    -------
    dict of Outcome to tuple of float
        The lower and the upper end, from 0 to 1, for all outcomes in the order of the enum.

    Raises
    ------
    ValueError
        As `fractions`.

    See Also
    --------
    fractions : The shares themselves.

    Notes
    -----
    For a share p of n points and z = 1.96, the normal quantile of 0.975, the ends are
    (p + z^2 / (2 n) -+ z sqrt(p (1 - p) / n + z^2 / (4 n^2))) / (1 + z^2 / n) (Wilson 1927).

    References
    ----------
    Wilson (1927), "Probable inference, the law of succession, and statistical inference", Journal of the
    American Statistical Association 22(158), 209-212.

    Examples
    --------
    >>> import fastneuron as fn
    >>> low, high = fn.measures.intervals([1, 1, 1, 5])[fn.Outcome.REACHED]
    >>> round(low, 3), round(high, 3)
    (0.301, 0.954)
    """
    counts = counts_of(outcome)
    total = sum(counts.values())
    return {member: wilson(count, total) for member, count in counts.items()}


def wilson(count: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a probability after `count` of `total` trials (Wilson 1927).

    Examples
    --------
    >>> low, high = wilson(0, 1_000_000)
    >>> low, round(high * 1e6, 2)
    (0.0, 3.84)
    """
    z = 1.959963984540054  # the normal quantile of 0.975
    share = count / total
    centre = share + z * z / (2 * total)
    spread = z * math.sqrt(share * (1 - share) / total + (z / (2 * total)) ** 2)
    scale = 1 + z * z / total
    low = 0.0 if count == 0 else (centre - spread) / scale
    return low, 1.0 if count == total else (centre + spread) / scale


def counts_of(outcome: Any) -> dict[Outcome, int]:
    """Number of computed points of every outcome; a DataArray is read block by block.

    Raises
    ------
    ValueError
        If there is no computed point, or a code is no outcome.
    """
    counts, size = dict.fromkeys(Outcome, 0), 0
    for codes in _parts(outcome):
        size += codes.size
        known = np.count_nonzero(codes == NOT_COMPUTED)
        for member in Outcome:
            taken = int(np.count_nonzero(codes == int(member)))
            counts[member] += taken
            known += taken
        if known != codes.size:
            _complain(codes)
    if not any(counts.values()):
        raise ValueError(f"outcome has no computed point, got {size} points")
    return counts


def counts_along(outcome: xr.DataArray, along: str) -> np.ndarray:
    """Number of points with every code at each value of an axis; read block by block.

    Parameters
    ----------
    outcome : DataArray of int
        Codes of `Outcome`; -1 marks a point that is not computed yet.
    along : str
        The axis.

    Returns
    -------
    int64 array, shape (values, 7)
        First of the points that are not computed, then of the outcomes in the order of their codes.

    Raises
    ------
    ValueError
        If a code is no outcome.

    Examples
    --------
    >>> counts_along(xr.DataArray([[1, 1], [-1, 4]], dims=("rate", "draw")), "rate").tolist()
    [[0, 0, 2, 0, 0, 0, 0], [1, 0, 0, 0, 0, 1, 0]]
    """
    known = [NOT_COMPUTED, *map(int, Outcome)]
    counts = np.zeros((outcome.sizes[along], len(known)), np.int64)
    for block in blocks_of(outcome):
        codes = outcome.isel(block).transpose(along, ...).values
        codes = codes.reshape(len(codes), -1)
        here = np.stack([(codes == code).sum(axis=1) for code in known], axis=1)
        if here.sum() != codes.size:
            _complain(codes)
        counts[block[along]] += here
    return counts


def _complain(codes: np.ndarray) -> NoReturn:
    strange = codes[~np.isin(codes, [NOT_COMPUTED, *map(int, Outcome)])].flat[0]
    raise ValueError(f"outcome must hold codes from -1 (not computed) to 5, got {shown(strange)}")


def _parts(outcome: Any) -> Iterator[np.ndarray]:
    if isinstance(outcome, xr.DataArray):
        yield from (outcome.isel(block).values for block in blocks_of(outcome))
    else:
        whole = type(outcome) is np.ndarray and outcome.dtype.kind in "iu"
        yield outcome if whole else checked_array("outcome", outcome)

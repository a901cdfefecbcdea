"""The figures of a map that its table and its JSON show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import xarray

SLAB_POINTS = 2**22


def summary(result: xarray.Dataset) -> dict[str, Any]:
    """How many starts met which outcome, in how many steps, and how fast that went.

    Notes
    -----
    Reads the map slab by slab, so that it may be larger than the memory.
    """
    import numpy as np

    from fastneuron.outcomes import Outcome

    counts: dict[int, dict[int, int]] = {int(kind): {} for kind in Outcome}
    for outcome, steps in _slabs(result):
        for kind, table in counts.items():
            for number, times in zip(*np.unique_counts(steps[outcome == kind]), strict=True):
                table[int(number)] = table.get(int(number), 0) + int(times)
    points = sum(sum(table.values()) for table in counts.values())
    total = sum(number * times for table in counts.values() for number, times in table.items())
    drawn = "draw" in result["outcome"].dims
    seconds = float(result.attrs["seconds"])
    return {
        "points": points,
        "outcomes": {kind.name.lower(): _row(counts[int(kind)], points, drawn) for kind in Outcome},
        "steps": total,
        "seconds": seconds,
        "steps_per_second": total / seconds if seconds > 0 else None,
    }


def _slabs(result: xarray.Dataset) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The outcomes and steps, a few rows of the first dimension at a time."""
    first = result["outcome"].dims[0]
    length, size = result.sizes[first], result["outcome"].size
    rows = max(1, SLAB_POINTS * length // size)
    for start in range(0, length, rows):
        slab = result.isel({first: slice(start, start + rows)})
        yield slab["outcome"].values, slab["steps"].values


def _row(times: dict[int, int], points: int, drawn: bool) -> dict[str, Any]:
    from fastneuron.measures.shares import wilson

    taken = sum(times.values())
    interval = {"share_95": list(wilson(taken, points))} if drawn else {}
    return {
        "points": taken,
        "share": taken / points,
        **interval,
        "median_steps": _median(times, taken) if taken else None,
        "max_steps": max(times) if taken else None,
    }


def _median(times: dict[int, int], taken: int) -> float:
    """The median of numbers that are counted."""
    middle = []
    for place in ((taken - 1) // 2, taken // 2):
        passed = 0
        for number in sorted(times):
            passed += times[number]
            if passed > place:
                middle.append(number)
                break
    return sum(middle) / 2

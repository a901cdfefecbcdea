"""The figures of a map that its table and its JSON show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray

    from fastneuron.outcomes import Outcome


def summary(result: xarray.Dataset) -> dict[str, Any]:
    """How many starts met which outcome and, where the steps were kept, in how many and how fast that went.

    Notes
    -----
    Reads the map block by block, so that it may be larger than the memory.
    """
    from fastneuron.measures.shares import counts_of
    from fastneuron.outcomes import Outcome

    if "steps" in result:
        times = _times(result)
        counts = {kind: sum(times[kind].values()) for kind in Outcome}
    else:
        counts = counts_of(result["outcome"])
    points = sum(counts.values())
    drawn = "draw" in result["outcome"].dims
    outcomes = {kind.word: _row(counts[kind], points, drawn) for kind in Outcome}
    seconds = float(result.attrs["seconds"])
    report: dict[str, Any] = {"points": points, "outcomes": outcomes, "seconds": seconds}
    if "steps" in result:
        for kind in Outcome:
            outcomes[kind.word] |= _of_steps(times[kind])
        total = sum(number * count for table in times.values() for number, count in table.items())
        report |= {"steps": total, "steps_per_second": total / seconds if seconds > 0 else None}
    return report


def _times(result: xarray.Dataset) -> dict[Outcome, dict[int, int]]:
    """For each outcome, how many starts took how many steps."""
    import numpy as np

    from fastneuron.outcomes import Outcome
    from fastneuron.store.blocks import blocks_of

    found: dict[Outcome, dict[int, int]] = {kind: {} for kind in Outcome}
    for block in blocks_of(result["outcome"]):
        part = result[["outcome", "steps"]].isel(block)
        outcome, steps = part["outcome"].values, part["steps"].values
        for kind, table in found.items():
            for number, times in zip(*np.unique_counts(steps[outcome == int(kind)]), strict=True):
                table[int(number)] = table.get(int(number), 0) + int(times)
    return found


def _row(taken: int, points: int, drawn: bool) -> dict[str, Any]:
    from fastneuron.measures.shares import wilson

    interval = {"share_95": list(wilson(taken, points))} if drawn else {}
    return {"points": taken, "share": taken / points, **interval}


def _of_steps(times: dict[int, int]) -> dict[str, Any]:
    taken = sum(times.values())
    return {
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

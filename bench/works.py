"""One piece of work that several programs do, and how they are timed beside each other.

Processor seconds count, those of all threads of the process, as in peers.py: the machine's other processes
then decide little. Wall-clock speeds are given too; they mean something on an idle machine only.

Not here: the works themselves, a file each, and how they are shown, network_peers.py.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

THREADS = 2

Run = Callable[[], tuple[float, np.ndarray]]
"""Does the work; returns the network-steps done and what came out."""


class Work(NamedTuple):
    """What is to be done, and the programs that do it, found to agree.

    steps : of one network; runs : by the program's name; reference : how the names begin among which the
    best is what all are compared with; left_out : why a program is missing, by name; said : in words, of what
    came out; peak : the name of the run that shows what the processor allows, if there is one; waited : how
    the names begin of programs written as one would, with which all are compared by the clock.
    """

    title: str
    steps: int
    runs: dict[str, Run]
    reference: str
    left_out: dict[str, str]
    said: Callable[[np.ndarray], str] = lambda numbers: ""
    peak: str = ""
    waited: str = ""


class Taken(NamedTuple):
    """Network-steps a second and a processor second, round by round, and what came out of the last."""

    wall: list[float]
    processor: list[float]
    numbers: np.ndarray


def measured(runs: dict[str, Run], rounds: int) -> dict[str, Taken]:
    """All runs, one after the other in every round; the first round, which compiles, is not counted."""
    taken = {name: Taken([], [], np.empty(0)) for name in runs}
    for turn in range(rounds + 1):
        for name, run in runs.items():
            began, clock = time.process_time(), time.perf_counter()
            steps, numbers = run()
            seconds, elapsed = time.process_time() - began, time.perf_counter() - clock
            if turn:
                before = taken[name]
                taken[name] = Taken(
                    [*before.wall, steps / elapsed], [*before.processor, steps / seconds], numbers
                )
    return taken


def ratios(one: Taken, other: Taken) -> list[float]:
    """By processor time, round by round."""
    return [a / b for a, b in zip(one.processor, other.processor, strict=True)]


def best_of(speeds: dict[str, float], prefix: str) -> str | None:
    """The fastest of the programs whose names begin so."""
    names = (name for name in speeds if prefix and name.startswith(prefix))
    return max(names, key=speeds.__getitem__, default=None)


def rows_of(work: Work, rounds: int) -> list[dict[str, Any]]:
    """One row a program: medians over the rounds, of the ratios within them also the middle half."""
    taken = measured(work.runs, rounds)
    speed = {name: statistics.median(each.processor) for name, each in taken.items()}
    by_clock = {name: statistics.median(each.wall) for name, each in taken.items()}
    best, waited = best_of(speed, work.reference), best_of(by_clock, work.waited)
    rows = []
    for name, each in taken.items():
        row: dict[str, Any] = {
            "what": name,
            "steps": by_clock[name],
            "steps_a_core_second": speed[name],
            "core_ms_a_network": 1e3 * work.steps / speed[name],
            "said": work.said(each.numbers),
        }
        if best is not None:
            low, middle, high = statistics.quantiles(ratios(each, taken[best]), n=4)
            row |= {"reference": best, "ratio": middle, "low": low, "high": high}
        if waited is not None:
            walls = zip(each.wall, taken[waited].wall, strict=True)
            row |= {"waited": waited, "by_clock": statistics.median(a / b for a, b in walls)}
        if work.peak in taken:
            row["of_peak"] = statistics.median(ratios(each, taken[work.peak]))
        rows.append(row)
    return rows


def in_threads(function: Callable[[Any], Any], pieces: Iterable[Any]) -> list[Any]:
    """Results for all pieces, from as many threads as fastneuron has: XLA alone keeps to about one core."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(function, pieces))


def jax_on_cpu() -> Any:
    """JAX with float64 on the processor, or None where it is not installed."""
    try:
        import jax
    except ImportError:
        return None
    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)
    return jax


def lacking(attempt: Callable[[], Any]) -> str | None:
    """What fastneuron lacks for an attempt, in its own words; None if it lacks nothing."""
    try:
        attempt()
    except (AttributeError, TypeError, ValueError) as error:
        return str(error)
    return None


def agree(name: str, theirs: np.ndarray, truth: np.ndarray) -> None:
    """Stop unless two programs came to the same numbers, to 1e-8 relative."""
    worst = float(np.abs(theirs / truth - 1).max())
    if not worst < 1e-8:
        raise SystemExit(f"{name} disagrees by {worst}")

"""How long a sweep will take, and how much room, from thinned-out parts of it.

Kernels follow so many starts at once, a chunk of steps at a time, and a start that has ended makes room for
the next one. A part is small, so that its last starts are soon alone, which costs a larger share of its time
than of the sweep's. Therefore its time alone tells little. A part is timed twice, in full (T) and for one
chunk of steps (T1), and from the steps that its starts have taken follows how many chunks the threads have
run, one after the other: M and M1. With c, the time of a chunk, and b, that of all which is done once for a
start,

    T = c M + b n,    T1 = c M1 + b n,

where n is the number of starts. The sweep takes c for each chunk of its starts, whose number is known from
those of the part, shared by all threads and places, and b for each start; then comes, for each tile, the time
in which its longest start is alone, and that of storing, which is measured on tiles of the part's results.

Starts and parts are chosen at random within equal stretches of each axis, so that the parts' estimates are
independent, and their spread tells how far off the mean may be. Where starts take too long to follow them
to their end, they are followed for a number of steps; what has not ended then is taken to go on to max_steps.
"""

from __future__ import annotations

import heapq
import math
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastneuron.cli.pilot import compile_for, thinned
from fastneuron.engine import local
from fastneuron.engine.crew import Crew, Place
from fastneuron.engine.lowering import block_of, thread_bytes
from fastneuron.engine.tiles import tile_count, tile_shape
from fastneuron.kernels.history import CHUNK
from fastneuron.outcomes import Outcome
from fastneuron.result import kept_variables
from fastneuron.store import MapStore

if TYPE_CHECKING:
    from fastneuron.sweep import Sweep

PART_SECONDS = 0.15  # a part that takes less is made larger
MOST_SECONDS = 4.0  # then no more parts are begun
FEWEST_PARTS, MOST_PARTS = 4, 16
NARROW = 0.08  # an uncertainty, as a share, at which the parts suffice
UNSEEN = 0.08  # what the parts cannot tell, as a share: other load of the machine
STORED_TILES = 3


@dataclass(frozen=True)
class Part:
    """What a part of a sweep says of all of it.

    seconds, least : of the sweep, where starts that were cut short go on to the end, and where they do not;
    spent : of this part; results : its variables, flat.
    """

    seconds: float
    least: float
    spent: float
    results: dict[str, np.ndarray]


class Sample:
    """Parts of a sweep of about `points` starts, each followed for `steps` steps."""

    def __init__(self, sweep: Sweep, names: set[str], threads: int) -> None:
        self._sweep, self._names = sweep, names | {"outcome", "steps"}
        self._lanes = block_of(sweep).lanes
        self._threads = min(threads, -(-sweep.points // self._lanes))
        self._tile = tile_shape(sweep.shape, sweep.model.size)
        self._tiles = tile_count(sweep.shape, self._tile)
        self._random = np.random.default_rng(0)

    def part(self, points: int, steps: int) -> Part:
        """The next part."""
        kept = self._places(points)
        spent = time.perf_counter()
        brief, first = self._timed(thinned(self._sweep, kept, CHUNK))
        whole, results = self._timed(thinned(self._sweep, kept, steps))
        taken, number = self._chunks(results["steps"]), results["steps"].size
        ran, ran_first = self._makespan(taken), self._makespan(self._chunks(first["steps"]))
        chunk = max(0.0, whole - brief) / (ran - ran_first) if ran > ran_first else brief / ran_first
        start = max(0.0, brief - chunk * ran_first) / number
        full = np.where(self._cut(kept, results, steps), self._chunks(self._last(kept)), taken)

        def seconds(chunks: np.ndarray) -> float:
            ways = self._lanes * self._threads
            alone = self._alone(kept, chunks) * max(1.0, self._tiles / self._threads)
            return self._sweep.points * (chunk * float(chunks.mean()) / ways + start) + chunk * alone

        return Part(seconds(full), seconds(taken), time.perf_counter() - spent, results)

    def _places(self, points: int) -> dict[str, np.ndarray]:
        """For each dim, places at random within equal stretches of it, `points` in all or somewhat fewer."""
        kept, room = {}, points
        dims = sorted(zip(self._sweep.shape, self._sweep.dims, strict=True))
        for left, (length, dim) in zip(range(len(dims), 0, -1), dims, strict=True):
            count = max(1, min(length, round(room ** (1 / left))))
            room //= count
            kept[dim] = ((np.arange(count) + self._random.random()) * length / count).astype(int)
        return kept

    def _timed(self, part: Sweep) -> tuple[float, dict[str, np.ndarray]]:
        """The seconds that a part takes as one tile, and its results."""
        crew, held = Crew(part, self._names, self._threads), {}

        def hold(place: Place, results: Any) -> None:
            held.update(results)

        began = time.perf_counter()
        crew.run(iter([tuple(slice(0, n) for n in part.shape)]), hold, lambda done, total: None)
        return time.perf_counter() - began, held

    def _chunks(self, steps: np.ndarray) -> np.ndarray:
        return np.maximum(1, -(-steps // CHUNK))

    def _makespan(self, chunks: np.ndarray) -> int:
        """How many chunks are run one after the other, where each start goes to the lane that is free first."""
        threads = min(self._threads, -(-chunks.size // self._lanes))
        lanes = [0] * (threads * self._lanes)
        for number in chunks.ravel().tolist():
            heapq.heapreplace(lanes, lanes[0] + number)
        return max(lanes)

    def _last(self, kept: dict[str, np.ndarray]) -> np.ndarray:
        """max_steps of every start."""
        last: np.ndarray = np.array(self._sweep.stop.max_steps)
        for k, (name, place) in enumerate(self._sweep.places.items()):
            if place == ("stop", "max_steps"):
                values = self._sweep.axes[name].values()[kept[name]].astype(np.int64)
                last = values.reshape([-1 if k == j else 1 for j in range(len(self._sweep.shape))])
        whole: np.ndarray = np.broadcast_to(last, [len(kept[dim]) for dim in self._sweep.dims])
        return whole

    def _cut(self, kept: dict[str, np.ndarray], results: dict[str, np.ndarray], steps: int) -> np.ndarray:
        """Which starts would have gone on."""
        going = np.isin(results["outcome"], [int(Outcome.UNFINISHED), int(Outcome.STALLED)])
        cut: np.ndarray = going & (self._last(kept) > steps)
        return cut

    def _alone(self, kept: dict[str, np.ndarray], chunks: np.ndarray) -> float:
        """By how many chunks the longest start of a tile exceeds the mean, on average over the tiles."""
        tiles = np.zeros((1,) * chunks.ndim, int)
        for k, (dim, side) in enumerate(zip(self._sweep.dims, self._tile, strict=True)):
            along = (kept[dim] // side).reshape([-1 if k == j else 1 for j in range(chunks.ndim)])
            tiles = tiles * -(-self._sweep.shape[k] // side) + along
        _, numbers, counts = np.unique(
            np.broadcast_to(tiles, chunks.shape).ravel(), return_inverse=True, return_counts=True
        )
        longest = np.zeros(len(counts))
        np.maximum.at(longest, numbers, chunks.ravel())
        means = np.bincount(numbers, chunks.ravel()) / counts
        return float((longest - means).mean())


def forecast(
    sweep: Sweep, keep: tuple[str, ...] | None, threads: int | None, memory: int | None
) -> dict[str, Any]:
    """Points, tiles, bytes, working memory and seconds of a sweep, with their uncertainty."""
    compile_for(sweep)
    variables = kept_variables(sweep, keep)
    count = local.threads_that_fit(sweep, variables, threads, memory, stored=True)
    sample = Sample(sweep, set(variables), count)
    parts = _parts(sample, sweep, count)
    tile = tile_shape(sweep.shape, sweep.model.size)
    tiles = tile_count(sweep.shape, tile)
    storing, stored = _storing(sweep, keep, tile, parts)
    seconds, half = _mean([part.seconds for part in parts])
    least = seconds - half - max(0.0, seconds - _mean([part.least for part in parts])[0])

    def with_storing(computing: float) -> float:
        return max(computing + tiles * storing / count, tiles * storing)

    return {
        "points": sweep.points,
        "shape": list(sweep.shape),
        "tiles": tiles,
        "bytes": local.result_bytes(sweep, variables),
        "bytes_stored": round(tiles * stored),
        "memory": count * thread_bytes(sweep, variables, math.prod(tile)),
        "threads": count,
        "seconds": with_storing(seconds),
        "seconds_low": (1 - UNSEEN) * with_storing(max(0.0, least)),
        "seconds_high": (1 + UNSEEN) * with_storing(seconds + half),
    }


def _parts(sample: Sample, sweep: Sweep, threads: int) -> list[Part]:
    """Parts of one size, as many as it takes, but in less time than the sweep will take."""
    most = _most_steps(sweep)
    points, steps = min(sweep.points, 64 * threads), CHUNK
    largest = max(1, min(2**16, sweep.points // 16))
    points = min(points, largest)
    began = time.perf_counter()
    part = sample.part(points, min(steps, most))
    while part.spent < PART_SECONDS and (steps < most or points < largest):
        if steps < most:
            steps *= 4
        else:
            points = min(4 * points, largest)
        part = sample.part(points, min(steps, most))
    parts = [part]
    while len(parts) < MOST_PARTS:
        seconds, half = _mean([part.seconds for part in parts])
        spent = time.perf_counter() - began
        if len(parts) >= FEWEST_PARTS and half < NARROW * seconds:
            break
        if spent + part.spent > min(MOST_SECONDS, max(seconds / 2, PART_SECONDS)):
            break
        parts.append(sample.part(points, min(steps, most)))
    return parts


def _most_steps(sweep: Sweep) -> int:
    axes = [name for name, place in sweep.places.items() if place == ("stop", "max_steps")]
    return int(sweep.axes[axes[0]].values().max()) if axes else sweep.stop.max_steps


def _mean(numbers: list[float]) -> tuple[float, float]:
    """The mean and half the width of its 95 % interval; of one number, half of it."""
    from scipy.special import stdtrit

    mean, count = float(np.mean(numbers)), len(numbers)
    if count == 1:
        return mean, mean / 2
    return mean, float(stdtrit(count - 1, 0.975) * np.std(numbers, ddof=1) / math.sqrt(count))


def _storing(
    sweep: Sweep, keep: tuple[str, ...] | None, tile: tuple[int, ...], parts: list[Part]
) -> tuple[float, float]:
    """The seconds and the bytes that a tile takes to be stored, from tiles of the parts' results."""
    variables = kept_variables(sweep, keep)
    shape = tuple(min(t, n) for t, n in zip(tile, sweep.shape, strict=True))
    place = tuple(slice(0, n) for n in shape)
    with tempfile.TemporaryDirectory() as folder:
        store = MapStore(Path(folder) / "map", sweep, variables, tile)
        before = _size(Path(folder))
        best = math.inf
        for k in range(STORED_TILES):
            results = parts[k % len(parts)].results
            arrays = {
                name: np.resize(results[name], (*shape, *variable.more.values()))
                for name, variable in variables.items()
            }
            began = time.perf_counter()
            store.write(place, arrays)
            best = min(best, time.perf_counter() - began)
        store.close()
        return best, _size(Path(folder)) - before


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())

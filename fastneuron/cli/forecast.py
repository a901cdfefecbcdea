"""How long a sweep will take, and how much room, from thinned-out parts of it.

Kernels follow so many starts at once, a chunk of steps at a time, and a start that has ended makes room for
the next one. A part is small, so that its last starts are soon alone, which costs a larger share of its time
than of the sweep's. Therefore its time alone tells little. The processor time of a part is measured twice, in
full (T) and for one chunk of steps (T1), and from the steps that its starts have taken follows how many
chunks its threads have run: M and M1. With c, the time of a chunk, and b, that of all which is done once for
a start,

    T = c M + b n,    T1 = c M1 + b n,

where n is the number of starts. The sweep takes c for each chunk of its starts, whose number is known from
those of the part, shared by the places that a thread has, and b for each start; then come, for each tile, the
chunks in which its longest start is alone, and storing, which is measured on a tile of the part's results.
The threads share that, as slowly as other work on the machine lets them: the load is measured too.

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
from fastneuron.engine.threads import thread_count
from fastneuron.engine.tiles import tile_count, tile_shape
from fastneuron.kernels.history import CHUNK
from fastneuron.outcomes import Outcome
from fastneuron.result import Variable, kept_variables
from fastneuron.store import MapStore

if TYPE_CHECKING:
    from fastneuron.sweep import Sweep

PART_SECONDS = (0.1, 0.6)  # a part that takes less, or less than a 50th of the sweep, is made larger
MOST_SECONDS = 4.0  # then no more parts are begun
FEWEST_PARTS, MOST_PARTS = 4, 16
NARROW = 0.08  # an uncertainty, as a share, at which the parts suffice
UNSEEN, UNSEEN_SECONDS = 0.1, 0.05  # what the parts cannot tell, as a share, and beginning and ending
STORED_TIMES = 3
SHORT = 16  # axes that are kept whole in a part


@dataclass(frozen=True)
class Part:
    """What a part of a sweep says of all of it.

    seconds, least : of a processor, where starts that were cut short go on to the end, and where they do not;
    alone : how long the part would have taken, had nothing else been at work; clock : how long it took; spent :
    on all of this; sweep, results : the part itself, and its variables.
    """

    seconds: float
    least: float
    alone: float
    clock: float
    spent: float
    sweep: Sweep
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

    @property
    def ways(self) -> int:
        """How many starts are followed at once."""
        return self._lanes * self._threads

    def part(self, points: int, steps: int) -> Part:
        """The next part."""
        kept = self._places(points)
        began = time.perf_counter()
        brief, first, _ = self._timed(thinned(self._sweep, kept, CHUNK))
        sweep = thinned(self._sweep, kept, steps)
        whole, results, clock = self._timed(sweep)
        taken = self._chunks(results["steps"])
        (ran, last), (ran_first, _) = self._ran(taken), self._ran(self._chunks(first["steps"]))
        chunk = max(0.0, whole - brief) / (ran - ran_first) if ran > ran_first else brief / ran_first
        start = max(0.0, brief - chunk * ran_first) / taken.size
        full = np.where(self._cut(kept, results, steps), self._chunks(self._last(kept)), taken)

        def seconds(chunks: np.ndarray) -> float:
            alone = self._alone(kept, chunks) * max(self._tiles, self._threads)
            return self._sweep.points * (chunk * float(chunks.mean()) / self._lanes + start) + chunk * alone

        spent = time.perf_counter() - began
        return Part(seconds(full), seconds(taken), whole * last / ran, clock, spent, sweep, results)

    def _places(self, points: int) -> dict[str, np.ndarray]:
        """For each dim, places at random within equal stretches of it, `points` in all or somewhat fewer."""
        kept, room = {}, points
        dims = sorted(zip(self._sweep.shape, self._sweep.dims, strict=True))
        for left, (length, dim) in zip(range(len(dims), 0, -1), dims, strict=True):
            count = max(1, min(length, room if length <= SHORT else round(room ** (1 / left))))
            room //= count
            kept[dim] = ((np.arange(count) + self._random.random()) * length / count).astype(int)
        return kept

    def _timed(self, part: Sweep) -> tuple[float, dict[str, np.ndarray], float]:
        """The processor seconds that a part takes as one tile, its results, and the seconds by the clock."""
        crew, held = Crew(part, self._names, self._threads), {}

        def hold(place: Place, results: Any) -> None:
            held.update(results)

        began, used = time.perf_counter(), time.process_time()
        crew.run(iter([tuple(slice(0, n) for n in part.shape)]), hold, lambda done, total: None)
        return time.process_time() - used, held, time.perf_counter() - began

    def _chunks(self, steps: np.ndarray) -> np.ndarray:
        number: np.ndarray = np.maximum(1, -(-steps // CHUNK))
        return number

    def _ran(self, chunks: np.ndarray) -> tuple[int, int]:
        """How many chunks the threads have run, in all and at most; a start goes to the place free first."""
        threads = min(self._threads, -(-chunks.size // self._lanes))
        free = [(0, place) for place in range(threads * self._lanes)]
        for number in chunks.ravel().tolist():
            at, place = free[0]
            heapq.heapreplace(free, (at + number, place))
        ends = [0] * threads
        for at, place in free:
            ends[place // self._lanes] = max(at, ends[place // self._lanes])
        return sum(ends), max(ends)

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
        going = np.isin(results["outcome"], [int(outcome) for outcome in Outcome if outcome.out_of_steps])
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
    load, load_half = _load(parts)
    seconds, half = _mean([part.seconds for part in parts])
    least = _mean([part.least for part in parts])[0] - half
    with tempfile.TemporaryDirectory() as folder:
        used, clock = _storing(sweep, variables, tile, parts[-1], Path(folder))
        size = sum(_stored(part, variables, Path(folder)) for part in parts[:2])
    stored = size * sweep.points / sum(part.sweep.points for part in parts[:2])

    def by_the_clock(computing: float, load: float) -> float:
        working = min(count, thread_count(None))  # more threads than processors gain nothing
        return max((max(0.0, computing) + tiles * used) / working * load, tiles * clock)

    return {
        "points": sweep.points,
        "shape": list(sweep.shape),
        "tiles": tiles,
        "bytes": local.result_bytes(sweep, variables),
        "bytes_stored": round(stored),
        "memory": count * thread_bytes(sweep, variables, math.prod(tile)),
        "threads": count,
        "load": load,
        "seconds": by_the_clock(seconds, load),
        "seconds_low": (1 - UNSEEN) * by_the_clock(least, max(1.0, load - load_half)),
        "seconds_high": (1 + UNSEEN) * by_the_clock(seconds + half, load + load_half) + UNSEEN_SECONDS,
    }


def _parts(sample: Sample, sweep: Sweep, threads: int) -> list[Part]:
    """Parts of one size, as many as it takes, but in less time than the sweep will take."""
    most = _most_steps(sweep)
    largest = max(1, min(math.prod(tile_shape(sweep.shape, sweep.model.size)), sweep.points // 16))
    points, steps = min(largest, 8 * sample.ways), 16 * CHUNK
    began = time.perf_counter()
    while True:
        part = sample.part(points, min(steps, most))
        total = part.seconds / threads * _load([part])[0]
        enough = part.spent > np.clip(total / 50, *PART_SECONDS)
        late = time.perf_counter() - began > max(total / 2, PART_SECONDS[0])
        if enough or late or (steps >= most and points == largest):
            break
        if steps < most:
            steps *= 4
        else:
            points = min(4 * points, largest)
    parts = [part]
    while len(parts) < MOST_PARTS:
        seconds, half = _mean([part.seconds for part in parts])
        if len(parts) >= FEWEST_PARTS and half < NARROW * seconds:
            break
        spent = time.perf_counter() - began
        if spent + part.spent > min(MOST_SECONDS, max(total / 2, PART_SECONDS[0])):
            break
        parts.append(sample.part(points, min(steps, most)))
    return parts


def _load(parts: list[Part]) -> tuple[float, float]:
    """How many times longer all takes because of other work on the machine, and half the interval."""
    alone, clock = (np.array([getattr(part, name) for part in parts]) for name in ("alone", "clock"))
    # a delay of a few milliseconds is no load
    load = (clock.sum() + PART_SECONDS[0]) / (alone.sum() + PART_SECONDS[0])
    spread = math.sqrt(np.sum((clock - load * alone) ** 2 / alone) / (alone.sum() + PART_SECONDS[0]))
    return max(1.0, float(load)), float(2 * spread / math.sqrt(len(parts)))


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
    sweep: Sweep, variables: dict[str, Variable], tile: tuple[int, ...], part: Part, folder: Path
) -> tuple[float, float]:
    """The seconds of a processor, and by the clock, in which a tile is stored."""
    arrays = {
        name: np.resize(part.results[name], (*tile, *variable.more.values()))
        for name, variable in variables.items()
    }
    times = []
    store = MapStore(folder / "tile", sweep, variables, tile)
    for _ in range(STORED_TIMES):
        began, used = time.perf_counter(), time.process_time()
        store.write(tuple(slice(0, side) for side in tile), arrays)
        times.append((time.process_time() - used, time.perf_counter() - began))
    store.close()
    used, clock = np.min(times, axis=0)
    return float(used), float(clock)


def _stored(part: Part, variables: dict[str, Variable], folder: Path) -> int:
    """The bytes that a part's results take, stored."""
    path = Path(tempfile.mkdtemp(dir=folder)) / "part"
    store = MapStore(path, part.sweep, variables, part.sweep.shape)
    before = _size(path)
    store.write(
        tuple(slice(0, n) for n in part.sweep.shape), {name: part.results[name] for name in variables}
    )
    store.close()
    return _size(path) - before


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())

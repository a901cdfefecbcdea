"""A crew: threads that compute the tiles of a sweep, and help each other with the last ones.

Each thread takes the next tile. When there is none left, it joins the one of which most starts are not taken
yet: threads on the same tile draw their starts from one counter. So a tile that takes a thousand times longer
than the others keeps all threads busy. What a start gives depends on no thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

import numpy as np

from fastneuron.engine.lowering import block_of, starts_of, sums_of
from fastneuron.engine.progress import Report
from fastneuron.kernels.block import Block
from fastneuron.kernels.jit import specialised
from fastneuron.kernels.lanes import run_tile
from fastneuron.kernels.recording import KEPT
from fastneuron.kernels.summary import summarise
from fastneuron.models import pieces_of

if TYPE_CHECKING:
    from fastneuron.sweep import Sweep

Place = tuple[slice, ...]
Hold = Callable[[Place, Mapping[str, np.ndarray]], None]


class Tile:
    """The starts of a tile and what has become of them."""

    def __init__(self, sweep: Sweep, values: dict[str, np.ndarray], place: Place) -> None:
        self.place = place
        self.starts, self.numbers = starts_of(sweep, values, place)
        self.taken = np.zeros(1, np.int64)  # starts that a lane has been given
        self.hands = 1  # threads at work on it
        points, real = self.points, self.starts.dtype
        self.outcome, self.period = np.empty(points, np.int8), np.empty(points, np.int32)
        self.steps, self.speed = np.empty(points, np.int32), np.empty(points, real)
        self.sums = sums_of(len(sweep.record), points, sweep.dtype)

    @property
    def points(self) -> int:
        """Number of starts."""
        return int(self.starts.shape[1])

    @property
    def left(self) -> int:
        """Number of starts that no lane has been given yet."""
        return max(0, self.points - int(self.taken[0]))

    def arguments(self, cancel: np.ndarray) -> tuple[np.ndarray, ...]:
        """Those of `run_tile` behind the block."""
        results = (self.outcome, self.steps, self.speed, self.period, self.sums)
        return (self.starts, self.numbers, self.taken, cancel, *results)


class Crew:
    """Up to so many threads for the tiles of a sweep, of which the variables `names` are wanted.

    Raises
    ------
    ValueError
        If a component cannot be compiled.
    """

    def __init__(self, sweep: Sweep, names: set[str], threads: int) -> None:
        self._sweep, self._names = sweep, names
        self._values = sweep.coordinates()
        self._cancel = np.zeros(1, np.uint8)
        self._blocks = [block_of(sweep)]
        # a thread with less than a block of starts would only slow down the others
        others = min(threads, -(-sweep.points // self._blocks[0].lanes)) - 1
        self._blocks += [self._blocks[0].another() for _ in range(others)]
        # of which only the types count
        first = Tile(sweep, self._values, tuple(slice(0, 1) for _ in sweep.shape))
        self._descend = specialised(run_tile, self._blocks[0], *first.arguments(self._cancel))
        real = first.speed
        learned = np.empty(1, np.int64)
        self._summarise = specialised(
            summarise,
            self._blocks[0],
            real.dtype.type(0),
            first.starts,
            real,
            real,
            learned,
            first.sums,
            self._cancel,
        )
        self._change = threading.Condition()
        self._running: list[Tile] = []
        self._preparing = 0
        self._events: SimpleQueue[int | None | BaseException] = SimpleQueue()

    def run(
        self, places: Iterator[Place], hold: Hold, report: Report, done: int = 0, points: int | None = None
    ) -> None:
        """Compute all places and give the variables of each to `hold`, which is called from the threads.

        `done` of `points`, without it all points of the sweep, are done already. An interrupt makes the
        kernels return at the end of a chunk of steps.
        """
        total, working = self._sweep.points if points is None else points, len(self._blocks)
        with ThreadPoolExecutor(working, thread_name_prefix="fastneuron") as pool:
            try:
                report(done, total)
                for block in self._blocks:
                    pool.submit(self._work, places, hold, block)
                while working:
                    try:
                        event = self._events.get(timeout=0.2)  # bounded, so that an interrupt is seen at once
                    except Empty:
                        continue
                    if isinstance(event, BaseException):
                        raise event
                    if event is None:
                        working -= 1
                    else:
                        done += event
                        report(done, total)
            except BaseException:
                self.cancel()
                raise

    def cancel(self) -> None:
        """Have `run` return early, from any thread; what is not complete by then is not held."""
        self._cancel[0] = 1

    def _work(self, places: Iterator[Place], hold: Hold, block: Block) -> None:
        """Compute tiles until none is left; the events are points done, then None or what went wrong."""
        try:
            while (tile := self._next(places)) is not None:
                whole = self._descend(block, *tile.arguments(self._cancel))
                with self._change:
                    tile.hands -= 1
                    last = tile.hands == 0
                    if last:
                        self._running.remove(tile)
                if not whole:
                    break
                if last:
                    results = self._results(tile, block)
                    if self._cancel[0]:
                        break
                    hold(tile.place, results)
                    self._events.put(tile.points)
            self._events.put(None)
        except BaseException as error:
            self._events.put(error)

    def _next(self, places: Iterator[Place]) -> Tile | None:
        """The next tile, or one to help with, or None where there is nothing left to do."""
        with self._change:
            while True:
                if self._cancel[0]:
                    return None
                place = next(places, None)
                if place is not None:
                    self._preparing += 1
                    break
                tile = max(self._running, key=lambda tile: tile.left, default=None)
                if tile is not None and tile.left:
                    tile.hands += 1
                    return tile
                if not self._preparing:
                    return None
                self._change.wait(0.1)
        try:
            tile = Tile(self._sweep, self._values, place)
        finally:
            with self._change:
                self._preparing -= 1
                self._change.notify_all()
        with self._change:
            self._running.append(tile)
            self._change.notify_all()
        return tile

    def _results(self, tile: Tile, block: Block) -> dict[str, np.ndarray]:
        """The variables of a tile, of its shape."""
        found: dict[str, np.ndarray] = {"outcome": tile.outcome, "steps": tile.steps}
        found |= {"speed": tile.speed, "period": tile.period}
        if self._names & {"error", "loss", "learned", *self._sweep.record}:
            error, loss = np.empty_like(tile.speed), np.empty_like(tile.speed)
            learned = np.empty(tile.points, np.int64)
            task = self._sweep.task
            middle = tile.speed.dtype.type(task.middle)
            self._summarise(block, middle, tile.starts, error, loss, learned, tile.sums, self._cancel)
            if task.samples > 32 or task.outputs > 1:
                learned[:] = -1
            found |= {"error": error, "loss": loss, "learned": learned}
            rows = tile.sums[KEPT:, : tile.points]
            found |= dict(zip(self._sweep.record, rows, strict=False))
        shape = tuple(s.stop - s.start for s in tile.place)
        results = {name: found[name].reshape(shape) for name in self._names if name in found}
        for name, piece in pieces_of(self._sweep.model).items():
            if f"final_{name}" in self._names:
                own = self._sweep.model.shapes[name]
                results[f"final_{name}"] = np.moveaxis(tile.starts[piece], 0, -1).reshape(*shape, *own)
        return results

"""A sweep on this machine: threads over tiles, each tile one serial kernel call.

The results of a tile do not depend on which thread computes it or when. An interrupt makes the kernels
return at the end of the chunk of steps that they are in.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

import numpy as np

from fastneuron.components import shown
from fastneuron.engine.lowering import block_of, starts_of
from fastneuron.engine.progress import Report, reporting
from fastneuron.engine.tiles import tile_shape, tiles_of
from fastneuron.kernels.block import Block
from fastneuron.kernels.jit import specialised
from fastneuron.kernels.lanes import run_tile
from fastneuron.kernels.summary import summarise
from fastneuron.result import Variable, dataset, kept_variables
from fastneuron.store import MapStore
from fastneuron.store import open as open_map

if TYPE_CHECKING:
    import xarray

    from fastneuron.sweep import Sweep

Place = tuple[slice, ...]
Keep = Callable[[Place, Mapping[str, np.ndarray]], None]
Kernels = tuple[Callable[..., bool], Callable[..., None]]


def run(
    sweep: Sweep,
    store: str | os.PathLike[str] | None = None,
    keep: Iterable[str] | None = None,
    threads: int | None = None,
    progress: bool | Report | None = None,
) -> xarray.Dataset:
    """Run a sweep; see `fastneuron.Sweep.run`."""
    variables = kept_variables(sweep, keep)
    count = _thread_count(threads)
    check_memory(sweep, variables, stored=store is not None)
    tile = tile_shape(sweep.shape)
    began = time.perf_counter()
    with reporting(progress, sweep.points) as report:
        if store is not None:
            written = MapStore(store, sweep, variables, tile)
            _run_tiles(sweep, variables, tile, written.write, count, report)
            written.finish(time.perf_counter() - began)
            return open_map(store)
        arrays = {name: np.empty(sweep.shape, variable.dtype) for name, variable in variables.items()}

        def hold(place: Place, results: Mapping[str, np.ndarray]) -> None:
            for name, array in results.items():
                arrays[name][place] = array

        _run_tiles(sweep, variables, tile, hold, count, report)
    return dataset(sweep, arrays, time.perf_counter() - began)


def _run_tiles(
    sweep: Sweep,
    variables: Mapping[str, Variable],
    tile: tuple[int, ...],
    hold: Keep,
    threads: int,
    report: Report,
) -> None:
    """Compute every tile and hand its results to `hold`."""
    values = sweep.coordinates()
    cancel = np.zeros(1, np.uint8)
    blocks: SimpleQueue[Block] = SimpleQueue()
    for _ in range(threads):
        block = block_of(sweep)
        blocks.put(block)
    kernels = _kernels_for(block, *starts_of(sweep, values, tuple(slice(0, 1) for _ in tile)), cancel)

    def work(place: Place) -> int:
        starts, numbers = starts_of(sweep, values, place)
        shape = tuple(s.stop - s.start for s in place)
        block = blocks.get()
        try:
            results = _tile_results(kernels, block, starts, numbers, cancel, sweep, set(variables))
        finally:
            blocks.put(block)  # whoever waits for it must not wait for ever
        if results is None:
            return 0
        hold(place, {name: results[name].reshape(shape) for name in variables})
        return int(starts.shape[1])

    places = tiles_of(sweep.shape, tile)
    done = 0
    pending: set[Future[int]] = set()
    with ThreadPoolExecutor(threads, thread_name_prefix="fastneuron") as pool:
        try:
            report(0, sweep.points)
            while True:
                for place in itertools.islice(places, 2 * threads - len(pending)):
                    pending.add(pool.submit(work, place))
                if not pending:
                    return
                # a bounded wait, so that an interrupt is seen at once
                finished, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
                done += sum(future.result() for future in finished)
                if finished:
                    report(done, sweep.points)
        except BaseException:
            cancel[0] = 1
            for future in pending:
                future.cancel()
            raise


def _kernels_for(block: Block, starts: np.ndarray, numbers: np.ndarray, cancel: np.ndarray) -> Kernels:
    """The machine code for such blocks, given any of the starts."""
    real, whole = starts[0], np.empty(1, np.int32)
    outcome, learned = np.empty(1, np.int8), np.empty(1, np.int64)
    return (
        specialised(run_tile, block, starts, numbers, cancel, outcome, whole, real, whole),
        specialised(summarise, block, real, starts, real, real, learned),
    )


def _tile_results(
    kernels: Kernels,
    block: Block,
    starts: np.ndarray,
    numbers: np.ndarray,
    cancel: np.ndarray,
    sweep: Sweep,
    wanted: set[str],
) -> dict[str, np.ndarray] | None:
    """All results of the starts of a tile, 1-D, or None if cancelled."""
    descend_tile, summarise_tile = kernels
    points = starts.shape[1]
    real = starts.dtype
    outcome, period = np.empty(points, np.int8), np.empty(points, np.int32)
    steps, speed = np.empty(points, np.int32), np.empty(points, real)
    if not descend_tile(block, starts, numbers, cancel, outcome, steps, speed, period):
        return None
    results: dict[str, np.ndarray] = {"outcome": outcome, "steps": steps, "speed": speed, "period": period}
    if wanted & {"error", "loss", "learned"}:
        error, loss = np.empty(points, real), np.empty(points, real)
        learned = np.empty(points, np.int64)
        targets = sweep.task.y[:, 0].astype(real)
        summarise_tile(block, targets, starts, error, loss, learned)
        results |= {"error": error, "loss": loss, "learned": learned}
    finals = {f"final_{name}": starts[k] for k, name in enumerate(sweep.model.parameters)}
    return results | finals


def _thread_count(threads: object) -> int:
    if threads is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise ValueError(f"threads must be a whole number of 1 or more, got {shown(threads)}")
    return min(threads, 1024)


def result_bytes(sweep: Sweep, variables: Mapping[str, Variable]) -> int:
    """Bytes that the variables of a result take, uncompressed."""
    return sweep.points * sum(np.dtype(variable.dtype).itemsize for variable in variables.values())


def check_memory(sweep: Sweep, variables: Mapping[str, Variable], stored: bool) -> None:
    """Refuse a result that would not fit into memory, before anything starts.

    Raises
    ------
    MemoryError
        With the size needed and the size free.
    """
    axes = sum(sweep.shape) * 8
    needed = axes if stored else axes + result_bytes(sweep, variables)
    require_memory(
        needed,
        f"this sweep of {sweep.points:,} points",
        "use fewer points, keep= fewer variables, or give a store",
    )


def require_memory(needed: int, what: str, advice: str) -> None:
    """Raise MemoryError, with the sizes, where `what` would not fit into the memory that is free."""
    free = free_memory()
    if needed > 0.9 * free:
        raise MemoryError(
            f"{what} needs {size_text(needed)} of memory and {size_text(free)} is free; {advice}"
        )


def free_memory() -> int:
    """Bytes of memory that can still be used."""
    free = 2**63
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                free = int(line.split()[1]) * 1024
    except OSError:
        if hasattr(os, "sysconf") and "SC_AVPHYS_PAGES" in os.sysconf_names:
            free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(limit).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdigit():
            free = min(free, int(text))
    return free


def size_text(size: float) -> str:
    """A number of bytes for people: ``"3.2 GiB"``."""
    for unit in ("bytes", "KiB", "MiB", "GiB", "TiB"):
        if size < 1024 or unit == "TiB":
            break
        size /= 1024
    return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"

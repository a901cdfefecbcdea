"""A sweep on this machine: its result in memory or in a store, and whether that fits."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fastneuron.components import shown
from fastneuron.engine.crew import Crew, Place
from fastneuron.engine.progress import Report, reporting
from fastneuron.engine.tiles import tile_shape, tiles_of
from fastneuron.result import Variable, dataset, kept_variables
from fastneuron.store import MapStore
from fastneuron.store import open as open_map

if TYPE_CHECKING:
    import xarray

    from fastneuron.sweep import Sweep


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
            Crew(sweep, set(variables), written.write, count).run(tiles_of(sweep.shape, tile), report)
            written.finish(time.perf_counter() - began)
            return open_map(store)
        arrays = {name: np.empty(sweep.shape, variable.dtype) for name, variable in variables.items()}

        def hold(place: Place, results: Mapping[str, np.ndarray]) -> None:
            for name, array in results.items():
                arrays[name][place] = array

        Crew(sweep, set(variables), hold, count).run(tiles_of(sweep.shape, tile), report)
    return dataset(sweep, arrays, time.perf_counter() - began)


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

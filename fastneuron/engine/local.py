"""A sweep on this machine: its result in memory or in a store, and whether that fits."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fastneuron.engine.crew import Crew, Place
from fastneuron.engine.lowering import thread_bytes
from fastneuron.engine.memory import checked_memory, require_memory, usable_memory
from fastneuron.engine.progress import Report, reporting
from fastneuron.engine.threads import thread_count
from fastneuron.engine.tiles import points_in, tile_shape, tiles_of
from fastneuron.result import Variable, dataset, kept_variables
from fastneuron.store import MapStore
from fastneuron.store import open as open_map
from fastneuron.store.identity import differences
from fastneuron.store.zarr_map import data_names, group_of, places_of, store_like, tile_of

if TYPE_CHECKING:
    import xarray

    from fastneuron.sweep import Sweep


def run(
    sweep: Sweep,
    store: Any = None,
    keep: Iterable[str] | None = None,
    threads: int | None = None,
    progress: bool | Report | None = None,
    memory: int | None = None,
) -> xarray.Dataset:
    """Run a sweep; see `fastneuron.Sweep.run`."""
    variables = kept_variables(sweep, keep)
    count = threads_that_fit(sweep, variables, threads, memory, stored=store is not None)
    tile = tile_shape(sweep.shape, sweep.model.size)
    with reporting(progress, sweep.points) as report:
        if store is not None:
            return _stored(sweep, store, variables, tile, count, report)
        began = time.perf_counter()
        crew = Crew(sweep, set(variables), count)
        arrays = {
            name: np.empty((*sweep.shape, *variable.more.values()), variable.dtype)
            for name, variable in variables.items()
        }

        def hold(place: Place, results: Mapping[str, np.ndarray]) -> None:
            for name, array in results.items():
                arrays[name][place] = array

        crew.run(tiles_of(sweep.shape, tile), hold, report)
    return dataset(sweep, arrays, time.perf_counter() - began)


def _stored(
    sweep: Sweep,
    place: Any,
    variables: Mapping[str, Variable],
    tile: tuple[int, ...],
    threads: int,
    report: Report,
) -> xarray.Dataset:
    """Compute the tiles that a store lacks."""
    store = MapStore(place, sweep, variables, tile)
    try:
        left = sum(map(points_in, store.places_left()))
        report(sweep.points - left, sweep.points)
        if left:
            crew = Crew(sweep, set(variables), threads)
            store.begin()
            try:
                crew.run(store.places_left(), store.write, report, sweep.points - left)
            finally:
                store.end()
    finally:
        store.close()
    return open_map(place)


def difference(sweep: Sweep, store: Any, keep: Iterable[str] | None = None) -> str:
    """In what a stored map differs from that of a sweep, in words; "" if it can be resumed."""
    tile = tile_shape(sweep.shape, sweep.model.size)
    return differences(group_of(store_like(store)), sweep, kept_variables(sweep, keep), tile)


def repair(
    store: Any, tiles: Collection[tuple[int, ...]], threads: int | None, progress: bool | Report | None
) -> None:
    """Compute tiles of a stored map anew.

    Raises
    ------
    ValueError
        If another process writes to the store, or its sweep has components that are not registered.
    MemoryError
        If there is no room for one thread.
    """
    from fastneuron.sweep import Sweep

    group = group_of(store_like(store))
    sweep = Sweep.from_toml(group.attrs["sweep"])
    variables = kept_variables(sweep, data_names(group))
    count = threads_that_fit(sweep, variables, threads, None, stored=True)
    written = MapStore(store, sweep, variables, tile_of(group))
    try:
        crew = Crew(sweep, set(variables), count)
        written.strike(tiles)
        places = list(places_of(group, tiles))
        with reporting(progress, sum(map(points_in, places))) as report:
            crew.run(iter(places), written.write, report, points=sum(map(points_in, places)))
    finally:
        written.close()


def result_bytes(sweep: Sweep, variables: Mapping[str, Variable]) -> int:
    """Bytes that the variables of a result take, uncompressed."""
    return sweep.points * sum(
        np.dtype(variable.dtype).itemsize * math.prod(variable.more.values())
        for variable in variables.values()
    )


def threads_that_fit(
    sweep: Sweep,
    variables: Mapping[str, Variable],
    threads: int | None,
    memory: int | None,
    stored: bool,
) -> int:
    """How many of `threads` can work within a bound of memory, known before anything starts.

    Raises
    ------
    MemoryError
        With the sizes, if there is no room for the result, or not for one thread.
    """
    count, memory = thread_count(threads), checked_memory(memory)
    fixed = sum(sweep.shape) * 8 + (0 if stored else result_bytes(sweep, variables))
    advice = "use fewer points, keep= fewer variables, or give a store"
    require_memory(fixed, f"this sweep of {sweep.points:,} points", advice, memory)
    one = thread_bytes(sweep, variables, math.prod(tile_shape(sweep.shape, sweep.model.size)))
    advice = "use a smaller model, shorter epochs or fewer points"
    require_memory(fixed + one, "working memory of a thread", advice, memory)
    return max(1, min(count, (usable_memory(memory) - fixed) // one))

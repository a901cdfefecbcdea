"""One map in one Zarr v3 store.

A variable is an array of which every tile is a shard, or a chunk where a tile is small, with a checksum on
each chunk. The ledger (`fastneuron.store.ledger`) says of a tile that it is done after all of its data are
written, so a store that was cut short says so: what is not computed holds the missing value of its variable
(-1 or NaN), never a number that could be a result, and a run with the same sweep goes on where it ended.

A store is made beside its place, under a hidden name, and moved there when it is whole: however a run dies,
what stands at its place is a map or nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastneuron.components import shown
from fastneuron.result import (
    Variable,
    attributes_of,
    coordinate_attributes,
    installed_version,
    variables_of,
)
from fastneuron.store import ledger, shards
from fastneuron.store.identity import differences
from fastneuron.store.ledger import DamagedMap
from fastneuron.store.lock import Lock
from fastneuron.store.tile_writer import Place, TileWriter, inner_chunk

if TYPE_CHECKING:
    import xarray

    from fastneuron.sweep import Sweep

# attribute: names of the variables, in order; shape of the grid and of a tile; CRC-32C of each coordinate;
# the version of zarr
LAYOUT = "layout"
RUNS = "run_times"  # attribute: when each run began and ended, seconds since 1970; 0 where it was killed


class MapStore:
    """A store being written: a new one, or one that holds a part of the same sweep.

    Parameters
    ----------
    store : path, URL or zarr store
        A path is a folder; where it does not exist it is made.
    sweep : Sweep
        What is mapped.
    variables : mapping of str to Variable
        What is stored.
    tile_shape : tuple of int, one for each dim of the sweep, each 1 or more
        Shape of a tile.

    Raises
    ------
    FileExistsError
        If what is there is no map.
    ValueError
        If it is the map of another sweep, or holds other variables, with the differences; or another process
        is writing to it.
    OSError
        If it cannot be written.

    See Also
    --------
    open : The result that a store holds.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import fastneuron as fn
    >>> from fastneuron.result import kept_variables
    >>> from fastneuron.store import MapStore, tiles_done
    >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0),
    ...                  axes={"bias": [0, 10], "weight": [-20, 20]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = MapStore(f"{folder}/map.zarr", sweep, kept_variables(sweep, ["steps"]), tile_shape=(2, 2))
    ...     store.begin()
    ...     for place in store.places_left():
    ...         store.write(place, {"steps": np.zeros((2, 2), np.int32)})
    ...     store.end()
    ...     store.close()
    ...     tiles_done(f"{folder}/map.zarr")
    (1, 1)
    """

    def __init__(
        self,
        store: Any,
        sweep: Sweep,
        variables: Mapping[str, Variable],
        tile_shape: tuple[int, ...],
    ) -> None:
        self.store = store_like(store)
        self._tile_shape = tile_shape
        self._lock: Lock | None = None
        path = self.store if isinstance(self.store, Path) else None
        if path is not None and not (path.exists() or path.is_symlink()):
            making = path.with_name(f".{path.name}.making")
            making.mkdir(parents=True, exist_ok=True)
            self._lock = Lock(making, path)
            try:
                _clear(making)
                _make(making, sweep, variables, tile_shape)
                making.rename(path)
            except BaseException as error:
                shutil.rmtree(making, ignore_errors=True)
                self._lock.release()
                if isinstance(error, OSError):
                    raise OSError(f"{path} cannot be made ({error.strerror})") from error
                raise
        elif path is None and not _there(self.store):
            _make(self.store, sweep, variables, tile_shape)
        try:
            self._group = self._opened(path, sweep, variables)
        except BaseException:
            self.close()
            raise
        self._writer = TileWriter(self.store, self._group, variables, tile_shape)
        entries, _ = ledger.read(self._group)
        self.done = ledger.done_of(entries)
        runs = [float(at) for at in self._group.attrs.get(RUNS, [])]
        self._runs = ledger.runs_with_ends(runs, entries)

    def _opened(self, path: Path | None, sweep: Sweep, variables: Mapping[str, Variable]) -> Any:
        """The group, to go on with, once it is known to be that of this sweep."""
        try:
            group = group_of(self.store)
        except DamagedMap:
            raise
        except ValueError as error:
            reason = "exists already and is no stored map of fastneuron; choose another name or remove it"
            raise FileExistsError(f"{self.store} {reason}") from error
        _check_same(self.store, group, sweep, variables, self._tile_shape)
        if path is not None and self._lock is None:
            self._lock = Lock(path, path)
        return writable(self.store)

    def places_left(self) -> Iterator[Place]:
        """The tiles that are not done, in C order.

        Returns
        -------
        iterator of tuple of slice
            The place of each in the grid, a slice for each dim of the sweep.
        """
        return places_of(self._group, np.argwhere(~self.done))

    def strike(self, tiles: Iterable[tuple[int, ...]]) -> None:
        """Note of tiles that they are not done.

        Parameters
        ----------
        tiles : iterable of tuple of int, one for each dim of the sweep, 0 or more
            Their numbers along each dim.
        """
        tiles = list(tiles)
        for tile, place in zip(tiles, places_of(self._group, tiles), strict=True):
            self._writer.strike(place)
            self.done[tile] = False

    def begin(self) -> None:
        """Note that a run begins."""
        self._runs += [time.time(), 0.0]
        self._note_runs()

    def write(self, place: Place, arrays: Mapping[str, np.ndarray]) -> None:
        """Write one tile, and then that it is done.

        Parameters
        ----------
        place : tuple of slice
            As `places_left` gives it.
        arrays : mapping of str to array, shape of the tile and then the variable's own
            All variables of the store, by name.

        Raises
        ------
        OSError
            If the disk is full or fails; the tile is not done then.
        """
        self._writer.write(place, arrays)
        self.done[self._writer.tile_at(place)] = True

    def end(self) -> None:
        """Note that the run has ended, and the seconds that all runs have taken."""
        self._runs[-1] = time.time()
        with contextlib.suppress(OSError):  # on a full disk the next run finds out when this one ended
            self._note_runs()

    def _note_runs(self) -> None:
        noted = {RUNS: self._runs, "seconds": ledger.seconds_of(self._runs)}
        if isinstance(self.store, Path):
            path = self.store / "zarr.json"
            metadata = json.loads(path.read_text(encoding="utf-8"))
            metadata["attributes"].update(noted)
            shards.write_whole(path, [json.dumps(metadata, indent=2).encode()])
        else:
            self._group.attrs.update(noted)

    def close(self) -> None:
        """Let others write to the store."""
        if self._lock is not None:
            self._lock.release()


def store_like(store: Any) -> Any:
    """A path where `store` is the path of a folder; a URL or zarr store as it is.

    Raises
    ------
    ValueError
        If it is none of these.
    """
    if not isinstance(store, str | os.PathLike | Mapping) and not hasattr(store, "supports_writes"):
        raise ValueError(f"store must be a path, a URL or a zarr store, got {shown(store)}")
    if isinstance(store, str):
        if not store.strip():
            raise ValueError("store must name a folder, got ''")
        local = store.removeprefix("file://")
        return store if "://" in local else Path(local)
    return Path(store) if isinstance(store, os.PathLike) else store


def _clear(folder: Path) -> None:
    """Remove what a run that was killed has left in a folder."""
    for left in folder.iterdir():
        remove(left)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _there(store: Any) -> bool:
    """Whether a store that is no folder holds anything."""
    import zarr

    try:
        zarr.open(store, mode="r")
    except FileNotFoundError:
        return False
    except ImportError as error:
        raise ValueError(f"store {store}: {error}") from error
    return True


def _make(store: Any, sweep: Sweep, variables: Mapping[str, Variable], tile: tuple[int, ...]) -> None:
    """The group with its empty arrays, the ledger last."""
    import zarr
    from zarr.codecs import BloscCodec, Crc32cCodec

    if isinstance(store, Path):
        # zarr takes twice as long to write the files itself, as long as two tiles take
        files: dict[str, Any] = {}
        _make(zarr.storage.MemoryStore(files), sweep, variables, tile)
        for name, data in files.items():
            path = store / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data.to_bytes())
        return

    coordinates = sweep.coordinates()
    layout: dict[str, Any] = {"variables": list(variables), "shape": list(sweep.shape), "tile": list(tile)}
    layout["zarr"] = installed_version("zarr")
    layout["coordinates"] = {name: ledger.checksum([values]) for name, values in coordinates.items()}
    group: Any = zarr.create_group(store, zarr_format=3, attributes=attributes_of(sweep) | {LAYOUT: layout})
    for name, values in coordinates.items():
        group.create_array(name, data=values, dimension_names=(name,), attributes=coordinate_attributes(name))
    chunk = inner_chunk(tile)
    for name, variable in variables.items():
        more = tuple(variable.more.values())
        size = np.dtype(variable.dtype).itemsize
        packed = BloscCodec(typesize=size, cname=shards.PACKER, clevel=shards.EFFORT, shuffle="shuffle")
        group.create_array(
            name,
            shape=(*sweep.shape, *more),
            chunks=(*chunk, *more),
            shards=(*tile, *more) if chunk != tile else None,
            dtype=variable.dtype,
            fill_value=variable.missing,
            compressors=(packed, Crc32cCodec()),
            dimension_names=(*sweep.dims, *variable.more),
            attributes=variable.attributes,
            config={"write_empty_chunks": True},
        )
    ledger.make(group, tuple(-(-n // t) for n, t in zip(sweep.shape, tile, strict=True)), sweep.dims)


def fresh_layout(group: Any, store: Any = None) -> Any:
    """The arrays of a stored map as they were made, without tiles: in a new folder, or in memory."""
    import zarr

    from fastneuron.sweep import Sweep

    sweep = Sweep.from_toml(group.attrs["sweep"])
    known = variables_of(sweep)
    variables = {name: known[name] for name in group.attrs[LAYOUT]["variables"]}
    place = zarr.storage.MemoryStore() if store is None else store
    _make(place, sweep, variables, tile_of(group))
    return zarr.open_group(place, mode="r", zarr_format=3, use_consolidated=False)


def writer_into(
    store: Any, sweep: Sweep, variables: Mapping[str, Variable], tile_shape: tuple[int, ...]
) -> TileWriter:
    """A writer into a map that is there, which a `MapStore` of another process holds.

    Raises
    ------
    ValueError
        If there is no map, or it is not that of this sweep with these variables and tiles.
    """
    _check_same(store, group_of(store), sweep, variables, tile_shape)
    return TileWriter(store, writable(store), variables, tile_shape)


def _check_same(store: Any, group: Any, sweep: Sweep, names: Iterable[str], tile: tuple[int, ...]) -> None:
    apart = differences(group, sweep, names, tile)
    if apart:
        raise ValueError(f"{store} is a map of something else: {apart}")


def writable(store: Any) -> Any:
    """The group of a store that is known to be a map, to be changed."""
    import zarr

    return zarr.open_group(store, mode="r+", zarr_format=3, use_consolidated=False)


def group_of(store: Any) -> Any:
    """The group of a stored map, to be read.

    Raises
    ------
    ValueError
        If it is none.
    """
    import zarr

    if isinstance(store, Path) and not store.exists():
        raise ValueError(f"{store} does not exist")
    try:
        group = zarr.open_group(store, mode="r", zarr_format=3, use_consolidated=False)
        known = {"sweep", LAYOUT} <= set(group.attrs)
    except ledger.UNREADABLE:
        known = False
    if not known:
        if isinstance(store, Path) and (store / ledger.LEDGER / "zarr.json").is_file():
            raise DamagedMap(f"{store} is a map whose zarr.json is damaged or missing")
        raise ValueError(f"{store} is no stored map of fastneuron")
    if hashlib.sha256(str(group.attrs["sweep"]).encode()).hexdigest() != group.attrs.get("sweep_sha256"):
        raise DamagedMap(f"{store}: the sweep in its zarr.json is damaged")
    return group


def tile_of(group: Any) -> tuple[int, ...]:
    """Shape of a tile of a stored map."""
    return tuple(group.attrs[LAYOUT]["tile"])


def grid_of(group: Any) -> tuple[int, ...]:
    """Shape of the grid of a stored map."""
    return tuple(group.attrs[LAYOUT]["shape"])


def places_of(group: Any, tiles: Iterable[Iterable[int]]) -> Iterator[Place]:
    """The places in the grid of tiles of a stored map."""
    sides, shape = tile_of(group), grid_of(group)
    for tile in tiles:
        yield tuple(
            slice(int(k) * t, min((int(k) + 1) * t, n)) for k, t, n in zip(tile, sides, shape, strict=True)
        )


def data_names(group: Any) -> list[str]:
    """The variables of a stored map, in alphabetical order, which is that of the checksums."""
    return sorted(group.attrs[LAYOUT]["variables"])


def open(store: Any, partial: bool = False) -> xarray.Dataset:
    """Open a stored map lazily: values are read when they are used.

    Parameters
    ----------
    store : path, URL or zarr store
        What ``Sweep.run(store=...)`` or ``fastneuron map`` wrote.
    partial : bool
        Open a half-written store, too; where it is not computed, ``outcome`` is -1.

    Returns
    -------
    xarray.Dataset
        As `Sweep.run` gives it; where it is not computed, variables are -1 or NaN.

    Raises
    ------
    ValueError
        If it is no stored map, or only half written.
    DamagedMap
        A ValueError too: if files of the map are missing or do not hold what was written.

    See Also
    --------
    Sweep.run : Computes a map and stores it.

    Examples
    --------
    >>> import tempfile
    >>> import fastneuron as fn
    >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0),
    ...                  axes={"bias": [0, 10], "weight": [-20, 20]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     result = sweep.run(store=f"{folder}/map.zarr")
    ...     fn.open(f"{folder}/map.zarr").steps.values.tolist()
    [[3, 2000], [0, 2000]]
    """
    import xarray

    store = store_like(store)
    done, tiles = tiles_done(store)
    if done < tiles and not partial:
        raise ValueError(f"{store} is only half written: {done} of {tiles} tiles are done")
    group = group_of(store)
    layout = group.attrs[LAYOUT]
    try:
        for name in (*layout["coordinates"], *layout["variables"]):
            # xarray would pass over it
            if not (store / name / "zarr.json").is_file() if isinstance(store, Path) else name not in group:
                raise KeyError(f"{name} is missing")
        result: xarray.Dataset = xarray.open_zarr(store, consolidated=False, chunks=None)
        result.attrs.pop(LAYOUT)
        sound = all(
            ledger.checksum([result.coords[name].values]) == number
            for name, number in layout["coordinates"].items()
        )
        result = result[layout["variables"]]
    except ledger.UNREADABLE as error:
        raise DamagedMap(f"{store} is damaged ({_line(error)}); {ledger.ADVICE}") from error
    if not sound:
        raise DamagedMap(f"{store} is damaged (its coordinates are not those of the sweep); {ledger.ADVICE}")
    if done < tiles:
        result.attrs.pop("seconds", None)
    result.attrs.pop(RUNS, None)
    return result


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())


def tiles_done(store: Any) -> tuple[int, int]:
    """Number of tiles written and of all tiles of a stored map.

    Parameters
    ----------
    store : path, URL or zarr store
        What ``Sweep.run(store=...)`` or ``fastneuron map`` wrote.

    Returns
    -------
    tuple of int
        Tiles that are done, 0 or more, and all, 1 or more.

    Raises
    ------
    ValueError
        If it is no stored map.

    Examples
    --------
    >>> import tempfile
    >>> import fastneuron as fn
    >>> from fastneuron.store import tiles_done
    >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0),
    ...                  axes={"bias": [0, 10], "weight": [-20, 20]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     result = sweep.run(store=f"{folder}/map.zarr")
    ...     tiles_done(f"{folder}/map.zarr")
    (1, 1)
    """
    done = ledger.done_of(ledger.read(group_of(store_like(store)))[0])
    return int(np.count_nonzero(done)), math.prod(done.shape)

"""One map in one Zarr v3 store.

A variable is an array of which every tile is a shard, or a chunk where a tile is small, with a checksum on
each chunk. The ledger (`fastneuron.store.ledger`) says of a tile that it is done after all of its data are
written, so a store that was cut short says so: what is not computed holds the missing value of its variable
(-1 or NaN), never a number that could be a result, and a run with the same sweep resumes where it ended.

A store is made beside its place, under a hidden name, and moved there when it is whole: however a run dies,
what stands at its place is a map or nothing.

Not here: reading a map (`fastneuron.store.opening`).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastneuron.components import shown
from fastneuron.files import path_of, path_text
from fastneuron.result import (
    Variable,
    attributes_of,
    coordinate_attributes,
)
from fastneuron.store import document, ledger, listing, shards
from fastneuron.store.identity import differences
from fastneuron.store.ledger import DamagedMap
from fastneuron.store.lock import Lock
from fastneuron.store.tile_writer import Place, TileWriter, inner_chunk, unwritable

if TYPE_CHECKING:
    from fastneuron.sweep import Sweep

# attribute: names of the variables, in order; shape of the grid and of a tile; CRC-32C of each coordinate
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
            self._lock = _made_at(path, sweep, variables, tile_shape)
        elif path is None and not _there(self.store):
            _make(self.store, sweep, variables, tile_shape)
        try:
            self._group = self._opened(path, sweep, variables)
            self._writer = TileWriter(self.store, self._group, variables, tile_shape)
            entries, _ = ledger.read(self._group)
            self.done = ledger.done_of(entries)
            self._runs = ledger.runs_with_ends(self._group.attrs.get(RUNS, []), entries)
            # what was lost is computed anew
            self.strike(listing.damaged_tiles(self._group, data_names(self._group), entries))
        except BaseException:
            self.close()
            raise

    def _opened(self, path: Path | None, sweep: Sweep, variables: Mapping[str, Variable]) -> Any:
        """The group, to be changed, once it is known to be that of this sweep and whole."""
        try:
            group = group_of(self.store)
        except DamagedMap:
            raise
        except ValueError as error:
            reason = "exists already and is no stored map of fastneuron; choose another name or remove it"
            raise FileExistsError(f"{self.store} {reason}") from error
        _check_same(self.store, group, sweep, variables, self._tile_shape)
        check_arrays(self.store, group)
        if path is not None and self._lock is None:
            self._lock = Lock(path, path)
            if self._lock.certain:
                listing.remove_unfinished(path)
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
        """Note that a run begins.

        Raises
        ------
        OSError
            Naming the store, if it cannot be written.
        """
        self._runs += [time.time(), 0.0]
        try:
            self._note_runs()
        except OSError as error:
            raise OSError(unwritable(self.store, error)) from error

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
        document.note(self._group, {RUNS: self._runs, "seconds": ledger.seconds_of(self._runs)})

    def close(self) -> None:
        """Let others write to the store."""
        if self._lock is not None:
            self._lock.release()


def store_like(store: Any) -> Any:
    """A path where `store` is the path of a folder; a URL or zarr store as it is.

    Raises
    ------
    ValueError
        If it is none of these, or a URL for which a package is missing.
    """
    if isinstance(store, Mapping) or hasattr(store, "supports_writes"):
        return store
    if not isinstance(store, str | bytes | os.PathLike):
        raise ValueError(f"store must be a path, a URL or a zarr store, got {shown(store)}")
    text = path_text(store, "store")
    if "://" not in text:
        return path_of(text, "store")
    try:
        import fsspec

        fsspec.get_filesystem_class(text.partition("://")[0].rpartition("::")[2])
    except ImportError as error:
        raise ValueError(f"{text} cannot be reached: {error}") from None
    except ValueError:  # no such protocol, which zarr says in its own words
        pass
    return text


def _made_at(
    path: Path, sweep: Sweep, variables: Mapping[str, Variable], tile: tuple[int, ...]
) -> Lock | None:
    """Make a map in a folder, where there is nothing; None where another process has made one meanwhile."""
    making = path.with_name(f".{path.name}.making")
    lock = None
    try:
        making.mkdir(parents=True, exist_ok=True)
        lock = Lock(making, path)
        _clear(making)
        _make(making, sweep, variables, tile)
        making.rename(path)
    except BaseException as error:
        if lock is not None:
            shutil.rmtree(making, ignore_errors=True)
            lock.release()
        if isinstance(error, OSError):
            if path.exists():
                return None
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    return lock


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
    document.complete(group, [*coordinates, *variables, ledger.LEDGER])


def files_of(
    sweep: Sweep, variables: Mapping[str, Variable], tile: tuple[int, ...], name: str
) -> dict[str, bytes]:
    """The files that an array has in a new map, by their names."""
    import zarr

    files: dict[str, Any] = {}
    _make(zarr.storage.MemoryStore(files), sweep, variables, tile)
    return {file: data.to_bytes() for file, data in files.items() if file.startswith(f"{name}/")}


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

    return zarr.open_group(store, mode="r+", zarr_format=3)


def group_of(store: Any) -> Any:
    """The group of a stored map, to be read; its attributes are as they were written.

    Raises
    ------
    ValueError
        If it is none, or damaged.
    """
    import zarr

    if isinstance(store, Path) and not store.exists():
        raise ValueError(f"{store} does not exist")
    group, top = None, None
    try:
        group = zarr.open_group(store, mode="r", zarr_format=3)
        top = document.read(group)
        known = {"sweep", LAYOUT} <= set(top[document.ATTRIBUTES])
        sealed = known and document.is_sealed(top)
    except PermissionError:
        raise
    except ledger.UNREADABLE:
        known = False
    if not known:
        if isinstance(store, Path) and (store / ledger.LEDGER / document.NAME).is_file():
            raise DamagedMap(f"{store} is a map whose zarr.json is damaged or missing; {_NO_REPAIR}")
        raise ValueError(f"{store} is no stored map of fastneuron")
    assert group is not None and top is not None
    if sealed and not document.is_sound(top):
        raise DamagedMap(f"{store} is damaged (its zarr.json is not as it was written); {_NO_REPAIR}")
    if not sealed and not _fits(group):
        raise DamagedMap(f"{store} is damaged (its zarr.json does not fit its arrays); {_NO_REPAIR}")
    return group


_NO_REPAIR = "bring that file back from a copy, or compute the map anew"


def _fits(group: Any) -> bool:
    """Whether the attributes of a map of an earlier version, which has no checksum of them, may be right."""
    try:
        attributes, layout = group.attrs, group.attrs[LAYOUT]
        counts = tuple(-(-n // side) for n, side in zip(layout["shape"], layout["tile"], strict=True))
        runs = attributes.get(RUNS, [])
        return (
            hashlib.sha256(attributes["sweep"].encode()).hexdigest() == attributes.get("sweep_sha256")
            and group[ledger.LEDGER].shape[:-1] == counts
            and all(group[name].shape[: len(counts)] == grid_of(group) for name in layout["variables"])
            and all(group[name].ndim == 1 for name in layout["coordinates"])
            and len(runs) % 2 == 0
            and all(isinstance(at, int | float) for at in runs)
        )
    except (*ledger.UNREADABLE, ArithmeticError):
        return False


def check_arrays(store: Any, group: Any) -> None:
    """Refuse a map with an array whose metadata are not those it was made with.

    Raises
    ------
    DamagedMap
    """
    for name, reason in document.changed_arrays(group).items():
        raise DamagedMap(f"{store} is damaged (array {name}: {reason}); {ledger.ADVICE}")


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

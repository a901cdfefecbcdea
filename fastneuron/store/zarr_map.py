"""One map in one Zarr v3 store.

A variable is an array whose chunk is a tile. `LEDGER` has one byte for each tile and is set after all of the
tile's data are written, so a store that was cut short says so: `open` refuses it, and what was not computed
holds the missing value of its variable (-1 or NaN), never a number that could be a result.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastneuron.result import Variable, attributes_of, coordinate_attributes

if TYPE_CHECKING:
    import xarray

    from fastneuron.sweep import Sweep

LEDGER = "tile_done"


class MapStore:
    """A store being written.

    Parameters
    ----------
    path : path
        Folder of the store, which must not exist.
    sweep : Sweep
    variables : mapping of str to Variable
        What is stored.
    tile_shape : tuple of int
        Shape of a tile, and of a chunk.

    Raises
    ------
    FileExistsError
        If there is something at `path`.
    OSError
        If it cannot be written.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        sweep: Sweep,
        variables: Mapping[str, Variable],
        tile_shape: tuple[int, ...],
    ) -> None:
        self.path = Path(path)
        if self.path.exists() or self.path.is_symlink():
            raise FileExistsError(f"{self.path} exists already; choose another name or remove it")
        self._tile_shape = tile_shape
        self.path.mkdir(parents=True)
        try:
            self._group = self._made(sweep, variables)
        except BaseException:
            # without a ledger it is no map, which nobody could replace or open
            shutil.rmtree(self.path, ignore_errors=True)
            raise

    def _made(self, sweep: Sweep, variables: Mapping[str, Variable]) -> Any:
        """The group with its empty arrays, the ledger last."""
        import zarr

        group: Any = zarr.create_group(self.path, zarr_format=3, attributes=attributes_of(sweep))
        for name, values in sweep.coordinates().items():
            group.create_array(
                name, data=values, dimension_names=(name,), attributes=coordinate_attributes(name)
            )
        for name, variable in variables.items():
            group.create_array(
                name,
                shape=(*sweep.shape, *variable.more.values()),
                chunks=(*self._tile_shape, *variable.more.values()),
                dtype=variable.dtype,
                fill_value=variable.missing,
                dimension_names=(*sweep.dims, *variable.more),
                attributes=variable.attributes,
                config={"write_empty_chunks": True},
            )
        counts = tuple(-(-n // t) for n, t in zip(sweep.shape, self._tile_shape, strict=True))
        group.create_array(
            LEDGER,
            shape=counts,
            chunks=(1,) * len(counts),
            dtype="uint8",
            fill_value=0,
            dimension_names=tuple(f"{name}_tile" for name in sweep.dims),
            attributes={"long_name": "1 where a tile is written", "units": "1"},
        )
        return group

    def write(self, place: tuple[slice, ...], arrays: Mapping[str, np.ndarray]) -> None:
        """Write one tile, and then that it is done.

        Raises
        ------
        OSError
            Naming the store, if the disk is full or fails.
        """
        try:
            for name, array in arrays.items():
                self._group[name][place] = array
            tile = tuple(s.start // t for s, t in zip(place, self._tile_shape, strict=True))
            self._group[LEDGER][tile] = np.uint8(1)
        except OSError as error:
            reason = f"{self.path} cannot be written ({error.strerror}); it holds the tiles that were done"
            raise OSError(reason) from error

    def finish(self, seconds: float) -> None:
        """Note the time spent, after the last tile."""
        self._group.attrs["seconds"] = seconds


def open(path: str | os.PathLike[str], partial: bool = False) -> xarray.Dataset:
    """A stored map, lazily: values are read when they are used.

    Parameters
    ----------
    path : path
        The store that ``Sweep.run(store=path)`` or ``fastneuron map`` wrote.
    partial : bool
        Open a half-written store, too; where it is not computed, ``outcome`` is -1.

    Raises
    ------
    ValueError
        If `path` is no stored map, or only half written.
    """
    import xarray

    path = Path(path)
    done, tiles = tiles_done(path)
    if done < tiles and not partial:
        raise ValueError(f"{path} is only half written: {done} of {tiles} tiles are done")
    result: xarray.Dataset = xarray.open_zarr(path, consolidated=False, chunks=None)
    return result.drop_vars(LEDGER)


def tiles_done(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Number of tiles written and of all tiles of a stored map.

    Raises
    ------
    ValueError
        If `path` is no stored map.
    """
    ledger: Any = _group(Path(path))[LEDGER][...]
    return int(np.count_nonzero(ledger)), int(ledger.size)


def _group(path: Path) -> Any:
    import zarr

    if not path.exists():
        raise ValueError(f"{path} does not exist")
    try:
        group = zarr.open_group(path, mode="r", zarr_format=3)
        known = LEDGER in group and "sweep" in group.attrs
    except (OSError, ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise ValueError(f"{path} is no stored map of fastneuron")
    return group

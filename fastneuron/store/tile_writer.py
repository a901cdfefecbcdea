"""Tiles written into the group of a map, from any process that reaches it.

Not here: making a map, and who may write to it (`fastneuron.store.zarr_map`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fastneuron.result import Variable
from fastneuron.store import ledger, shards

Place = tuple[slice, ...]
INNER = 256  # points along a side of a chunk, where a tile is longer


class TileWriter:
    """Writes the tiles of a map.

    Parameters
    ----------
    store : path, URL or zarr store
        A tile in a folder is written without zarr.
    group : that of the map, to be changed
    variables : mapping of str to Variable
        What is stored.
    tile_shape : tuple of int
        Shape of a tile.
    """

    def __init__(
        self, store: Any, group: Any, variables: Mapping[str, Variable], tile_shape: tuple[int, ...]
    ) -> None:
        self._store, self._group = store, group
        self._names, self._tile_shape = sorted(variables), tile_shape
        # the outcome last: where a run ended within a tile, it does not say that the tile is computed
        self._order = sorted(variables, key=lambda name: (name == "outcome", name))
        self._missing = {name: variable.missing for name, variable in variables.items()}
        self._more = {name: tuple(variable.more.values()) for name, variable in variables.items()}

    def tile_at(self, place: Place) -> tuple[int, ...]:
        """The number of a tile along each dimension."""
        return tuple(s.start // t for s, t in zip(place, self._tile_shape, strict=True))

    def write(self, place: Place, arrays: Mapping[str, np.ndarray]) -> None:
        """Write one tile, and then that it is done.

        Raises
        ------
        OSError
            Naming the store, if the disk is full or fails.
        """
        tile = self.tile_at(place)
        data = [arrays[name] for name in self._names]
        try:
            if isinstance(self._store, Path):
                lengths = self._write_files(self._store, tile, arrays)
                entry = ledger.entry_of(data, ledger.lengths_number(lengths[name] for name in self._names))
                shards.write(self._store / ledger.LEDGER, (*tile, 0), shards.entry_parts(entry))
            else:
                for name in self._order:
                    # also a chunk that has nothing but missing values, so that none is missing itself
                    array = self._group[name].with_config({"write_empty_chunks": True})
                    array[place] = arrays[name]
                entry = ledger.entry_of(data, ledger.LENGTHS_UNKNOWN)
                self._group[ledger.LEDGER][ledger.place_of(tile)] = entry.reshape(*(1,) * len(tile), -1)
        except OSError as error:
            raise OSError(f"{unwritable(self._store, error)}; it holds the tiles that were done") from error

    def _write_files(
        self, folder: Path, tile: tuple[int, ...], arrays: Mapping[str, np.ndarray]
    ) -> dict[str, int]:
        """Write the files of a tile but for the ledger; their lengths in bytes."""
        lengths = {}
        for name in self._order:
            more = self._more[name]
            sides, chunk = (*self._tile_shape, *more), (*inner_chunk(self._tile_shape), *more)
            parts = shards.tile_parts(arrays[name], sides, chunk, self._missing[name])
            shards.write(folder / name, (*tile, *(0,) * len(more)), parts)
            lengths[name] = sum(map(len, parts))
        return lengths

    def strike(self, place: Place) -> None:
        """Make a tile one that is not done, and its values missing.

        Raises
        ------
        OSError
            Naming the store, if it cannot be written.
        """
        tile = self.tile_at(place)
        try:
            if isinstance(self._store, Path):
                for name in reversed(self._order):
                    file = (*tile, *(0,) * len(self._more[name]))
                    self._store.joinpath(name, "c", *map(str, file)).unlink(missing_ok=True)
                self._store.joinpath(ledger.LEDGER, "c", *map(str, (*tile, 0))).unlink(missing_ok=True)
            else:
                for name in reversed(self._order):
                    self._group[name][place] = self._missing[name]
                self._group[ledger.LEDGER][ledger.place_of(tile)] = np.uint64(0)
        except OSError as error:
            raise OSError(unwritable(self._store, error)) from error


def unwritable(store: Any, error: OSError) -> str:
    """Why a store cannot be written, in words that name it."""
    return f"{store} cannot be written ({error.strerror or error})"


def inner_chunk(tile: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of the chunks of a tile: at most `INNER` along a side that can be halved down to that."""
    sides = []
    for side in tile:
        while side > INNER and side % 2 == 0:
            side //= 2
        sides.append(side)
    return tuple(sides)

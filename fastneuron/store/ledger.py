"""The ledger of a stored map: which tiles are done, since when, and the checksum of their data.

An array of three whole numbers for each tile, each tile a chunk of its own: 2^32 plus the CRC-32C of the data
of all variables, in alphabetical order, or 0 where the tile is not done; the time at which it was done, in
microseconds since 1970; and 2^32 plus the CRC-32C of the lengths of its files in that order, in bytes (1
where zarr wrote them, which does not tell). A chunk that cannot be read counts as a tile that is not done.

Maps of earlier versions lack the third number, which is 0 then.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np

from fastneuron.store import document, shards

LEDGER, ENTRY = "tile_done", "tile_entry"
NUMBERS = 3
LENGTHS_UNKNOWN = 1
DONE = 1 << 32
MICROSECONDS = 1e6
# what zarr raises for data or metadata that are damaged
UNREADABLE = (ValueError, RuntimeError, OSError, KeyError, TypeError, AttributeError)
ADVICE = "'fastneuron verify --repair' says what can be mended, and mends it"


class DamagedMap(ValueError):
    """A stored map that does not hold what was written."""


def make(group: Any, counts: tuple[int, ...], dims: Sequence[str]) -> None:
    """A ledger without entries for so many tiles along each dimension."""
    from zarr.codecs import Crc32cCodec

    group.create_array(
        LEDGER,
        shape=(*counts, NUMBERS),
        chunks=(*(1,) * len(counts), NUMBERS),
        dtype="uint64",
        fill_value=0,
        compressors=(Crc32cCodec(),),
        dimension_names=(*(f"{name}_tile" for name in dims), ENTRY),
        attributes={
            "long_name": "of a tile that is done: 2^32 + CRC-32C of its data; microseconds since 1970; "
            "2^32 + CRC-32C of the lengths of its files",
            "units": "1",
        },
    )


def checksum(arrays: Iterable[np.ndarray]) -> int:
    """CRC-32C of the bytes of arrays, one after the other, little-endian and in C order."""
    found = 0
    for array in arrays:
        kind = array.dtype.newbyteorder("<")
        found = google_crc32c.extend(found, np.ascontiguousarray(array, kind).tobytes())
    return found


def entry_of(arrays: Iterable[np.ndarray], lengths: int) -> np.ndarray:
    """The entry of a tile with these data that is done now; `lengths` as `lengths_number` gives it."""
    return np.array([DONE | checksum(arrays), int(time.time() * MICROSECONDS), lengths], np.uint64)


def lengths_number(lengths: Iterable[int]) -> int:
    """What the ledger notes of the lengths of a tile's files."""
    return DONE | checksum([np.array(list(lengths), np.uint64)])


def place_of(tile: tuple[int, ...]) -> tuple[slice, ...]:
    """Where the entry of a tile is in the array."""
    return (*(slice(k, k + 1) for k in tile), slice(None))


def read(group: Any) -> tuple[np.ndarray, list[tuple[int, ...]]]:
    """All entries, uint64, shape (tiles along each dim..., 3); and the tiles of damaged ones, which are 0."""
    array = group[LEDGER]
    entries = np.zeros((*array.shape[:-1], NUMBERS), np.uint64)
    folder = document.folder_of(group)
    if folder is not None:
        return entries, _read_files(folder / LEDGER / "c", entries)
    damaged = []
    for tile in itertools.product(*map(range, array.shape[:-1])):
        try:
            entries[tile][: array.shape[-1]] = array[tile]
        except UNREADABLE:
            damaged.append(tile)
    return entries, damaged


def _read_files(folder: Path, entries: np.ndarray) -> list[tuple[int, ...]]:
    """Fill in the entries that are there as files, which zarr would look for one by one; the damaged ones."""
    damaged, counts = [], entries.shape[:-1]
    for place, _, names in os.walk(folder):
        numbers = Path(place).relative_to(folder).parts
        if "0" not in names or len(numbers) != len(counts) or not all(map(str.isdecimal, numbers)):
            continue
        tile = tuple(map(int, numbers))
        if any(k >= n for k, n in zip(tile, counts, strict=True)):
            continue
        try:
            found = shards.entry_in(Path(place, "0").read_bytes())
            entries[tile][: len(found)] = found
        except UNREADABLE:
            damaged.append(tile)
    return sorted(damaged)


def done_of(entries: np.ndarray) -> np.ndarray:
    """Whether each tile is done."""
    return np.asarray(entries[..., 0] >= DONE)


def times_of(entries: np.ndarray) -> np.ndarray:
    """When the tiles that are done were done, in seconds since 1970, ascending."""
    return np.sort(entries[..., 1][done_of(entries)]) / MICROSECONDS


def runs_with_ends(runs: list[float], entries: np.ndarray) -> list[float]:
    """Beginnings and ends of runs; one that was killed ended with the last tile it has done."""
    times, found = times_of(entries), list(runs)
    for k in range(1, len(runs), 2):
        if runs[k] == 0.0:
            until = runs[k + 1] if k + 1 < len(runs) else np.inf
            own = times[(times >= runs[k - 1]) & (times < until)]
            found[k] = float(own.max(initial=runs[k - 1]))
    return found


def seconds_of(runs: list[float]) -> float:
    """The seconds that all runs have taken."""
    return sum(max(0.0, end - begin) for begin, end in zip(runs[::2], runs[1::2], strict=True))

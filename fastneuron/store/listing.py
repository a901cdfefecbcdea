"""The files of a map that is written, by name and length: what a listing tells without reading them.

Not here: what is in them (`fastneuron.store.verify`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fastneuron.store import document, ledger
from fastneuron.store.shards import PARTIAL

_UNFINISHED = re.compile(rf".+\.[0-9a-f]{{32}}{re.escape(PARTIAL)}")

Tile = tuple[int, ...]


def damaged_tiles(group: Any, names: list[str], entries: np.ndarray) -> dict[Tile, str]:
    """The tiles that are done and lack a file, or have one that is not as long as it was; and why.

    Parameters
    ----------
    group : that of the map
    names : list of str
        Its variables, in alphabetical order.
    entries : uint64 array, shape (tiles along each dim..., 3)
        The ledger.
    """
    counts = entries.shape[:-1]
    lengths = np.full((*counts, len(names)), -1, np.int64)
    folder = document.folder_of(group)
    there = set() if folder is not None else document.names_in(group)
    for k, name in enumerate(names):
        depth = group[name].ndim
        found = _named(name, there) if folder is None else _in_folder(folder / name / "c", depth)
        for place, length in found:
            tile = place[: len(counts)]
            if len(place) == depth and all(k < n for k, n in zip(tile, counts, strict=True)):
                lengths[(*tile, k)] = length
    reasons = {}
    for numbers in np.argwhere(ledger.done_of(entries) & (entries[..., 2] > 0)):
        tile = tuple(map(int, numbers))
        missing = np.flatnonzero(lengths[tile] < 0)
        noted = int(entries[(*tile, 2)])
        if missing.size:
            reasons[tile] = f"the file of {names[missing[0]]} is missing"
        elif noted != ledger.LENGTHS_UNKNOWN and noted != ledger.lengths_number(lengths[tile]):
            reasons[tile] = "its files are not as long as those that were written"
    return reasons


def _in_folder(folder: Path | str, depth: int) -> Iterator[tuple[Tile, int]]:
    """The place of each chunk in a folder that is so many folders deep, and its length in bytes."""
    try:
        children = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    for child in children:
        if not (child.name.isascii() and child.name.isdecimal()):
            continue
        if depth > 1:
            for place, length in _in_folder(child.path, depth - 1):
                yield (int(child.name), *place), length
        elif child.is_file():
            yield (int(child.name),), child.stat().st_size


def _named(name: str, there: Iterable[str]) -> Iterator[tuple[Tile, int]]:
    """The place of each chunk of an array among names of files, whose lengths are not known: 0."""
    for file in there:
        start, _, place = file.partition("/c/")
        if start == name and place.replace("/", "").isdecimal():
            yield tuple(map(int, place.split("/"))), 0


def remove_unfinished(folder: Path) -> None:
    """Remove what writers that were killed have left; the caller knows that no one writes."""
    for place, _, names in os.walk(folder):
        for name in names:
            if _UNFINISHED.fullmatch(name):
                Path(place, name).unlink(missing_ok=True)

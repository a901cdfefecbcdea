"""Whether a stored map still holds what was written: every tile against the checksum in the ledger."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fastneuron.result import installed_version
from fastneuron.store import ledger
from fastneuron.store.zarr_map import (
    LAYOUT,
    data_names,
    fresh_layout,
    group_of,
    places_of,
    remove,
    store_like,
)

Tile = tuple[int, ...]


class Condition(NamedTuple):
    """What was found in a stored map: why arrays and tiles are damaged, how many tiles are sound or not done.

    An array that is damaged has lost its metadata, or its values where it is a coordinate.
    """

    arrays: dict[str, str]
    damaged: dict[Tile, str]
    sound: int
    missing: int


def condition_of(store: Any, report: Callable[[int, int], None] = lambda done, total: None) -> Condition:
    """Read every tile that is done; `report` is called with (tiles read, tiles to be read).

    Raises
    ------
    ValueError
        If `store` is no stored map.
    """
    group = group_of(store_like(store))
    names = data_names(group)
    arrays = _damaged_arrays(group)
    if ledger.LEDGER in arrays:
        return Condition(arrays, {}, 0, 0)
    entries, damaged = ledger.read(group)
    reasons = dict.fromkeys(damaged, "its entry in the ledger cannot be read")
    tiles = np.argwhere(ledger.done_of(entries))
    report(0, len(tiles))
    for number, place in enumerate(places_of(group, tiles)):
        tile = tuple(int(k) for k in tiles[number])
        reason = _damage(group, names, place, int(entries[(*tile, 0)]))
        if reason:
            reasons[tile] = reason
        report(number + 1, len(tiles))
    sound = len(tiles) - (len(reasons) - len(damaged))
    return Condition(arrays, reasons, sound, math.prod(entries.shape[:-1]) - sound - len(reasons))


def _damaged_arrays(group: Any) -> dict[str, str]:
    """The arrays that are not as they were made, by name."""
    fresh = fresh_layout(group)
    reasons = {}
    for name in fresh.array_keys():
        try:
            there, made = group[name], fresh[name]
            if there.metadata.to_dict() != made.metadata.to_dict() or not _same_text(group, name, made):
                reasons[name] = "its metadata are not those it was made with"
            elif name not in (*data_names(group), ledger.LEDGER) and (
                np.asarray(there[...]).tobytes() != np.asarray(made[...]).tobytes()
            ):
                reasons[name] = "its values are not those of the sweep"
        except ledger.UNREADABLE:
            reasons[name] = "it cannot be read"
    return reasons


def _same_text(group: Any, name: str, made: Any) -> bool:
    """Whether metadata in a folder are as this version of zarr writes them, if it was this that did."""
    from zarr.core.buffer import default_buffer_prototype

    folder = getattr(group.store, "root", None)
    if not isinstance(folder, Path) or group.attrs[LAYOUT].get("zarr") != installed_version("zarr"):
        return True
    text: bytes = made.metadata.to_buffer_dict(default_buffer_prototype())["zarr.json"].to_bytes()
    return (folder / name / "zarr.json").read_bytes() == text


def mend_arrays(store: Path, names: Iterable[str]) -> None:
    """Lay out arrays of a map in a folder anew; the tiles stay."""
    group = group_of(store)
    making = store.with_name(f".{store.name}.frame")
    shutil.rmtree(making, ignore_errors=True)
    try:
        fresh_layout(group, making)
        for name in names:
            there, made = store / name, making / name
            if name not in (*data_names(group), ledger.LEDGER):
                remove(there)
                shutil.copytree(made, there)
                continue
            there.mkdir(exist_ok=True)
            remove(there / "zarr.json")
            shutil.copy(made / "zarr.json", there / "zarr.json")
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _damage(group: Any, names: list[str], place: tuple[slice, ...], entry: int) -> str | None:
    """Why the data of a tile are not those of its entry in the ledger, if they are not."""
    arrays = []
    for name in names:
        try:
            arrays.append(np.asarray(group[name][place]))
        except ledger.UNREADABLE:
            return f"{name} cannot be read"
    if ledger.DONE | ledger.checksum(arrays) != entry:
        return "its data are not those that were written"
    return None

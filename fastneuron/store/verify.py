"""Whether a stored map still holds what was written: every tile against the checksum in the ledger."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fastneuron.result import variables_of
from fastneuron.store import document, ledger, listing
from fastneuron.store.ledger import DamagedMap
from fastneuron.store.lock import Lock
from fastneuron.store.tile_writer import unwritable
from fastneuron.store.zarr_map import (
    LAYOUT,
    data_names,
    files_of,
    group_of,
    places_of,
    remove,
    store_like,
    tile_of,
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
    entries, damaged = ledger.read(group)
    listed = listing.damaged_tiles(group, names, entries)
    reasons = dict.fromkeys(damaged, "its entry in the ledger cannot be read")
    tiles = np.argwhere(ledger.done_of(entries))
    report(0, len(tiles))
    for number, place in enumerate(places_of(group, tiles)):
        tile = tuple(int(k) for k in tiles[number])
        reason = _damage(group, names, place, int(entries[(*tile, 0)])) or listed.get(tile)
        if reason:
            reasons[tile] = reason
        report(number + 1, len(tiles))
    sound = len(tiles) - (len(reasons) - len(damaged))
    return Condition(arrays, reasons, sound, math.prod(entries.shape[:-1]) - sound - len(reasons))


def _damaged_arrays(group: Any) -> dict[str, str]:
    """The arrays that are not as they were made, by name."""
    reasons = document.changed_arrays(group)
    for name, checksum in group.attrs[LAYOUT]["coordinates"].items():
        try:
            if ledger.checksum([np.asarray(group[name][...])]) != checksum:
                reasons.setdefault(name, "its values are not those of the sweep")
        except ledger.UNREADABLE:
            reasons[name] = "it cannot be read"
    return reasons


def mend_arrays(store: Any, names: Iterable[str]) -> None:
    """Write the metadata of arrays of a map anew, and the values of those that are coordinates.

    Raises
    ------
    ValueError
        If another process writes to the map, or its sweep gives other coordinates than it was made with.
    OSError
        Naming the map, if it cannot be written.
    """
    from fastneuron.sweep import Sweep

    store = store_like(store)
    lock = Lock(store, store) if isinstance(store, Path) else None
    try:
        group = group_of(store)
        layout, made = group.attrs[LAYOUT], document.arrays_in(document.read(group))
        if not made:
            raise DamagedMap(f"{store} has its metadata only once, so that its arrays cannot be mended")
        for name in names:
            if lock is not None and not (store / name).is_dir():
                remove(store / name)
            document.write_file(group, f"{name}/{document.NAME}", document.text_of(made[name]))
            if name in layout["coordinates"]:
                sweep = Sweep.from_toml(group.attrs["sweep"])
                if ledger.checksum([sweep.coordinates()[name]]) != layout["coordinates"][name]:
                    raise DamagedMap(f"{store}: its sweep no longer gives the values of {name}")
                variables = {key: variables_of(sweep)[key] for key in layout["variables"]}
                for file, data in files_of(sweep, variables, tile_of(group), name).items():
                    if not file.endswith(document.NAME):
                        document.write_file(group, file, data)
    except OSError as error:
        raise OSError(unwritable(store, error)) from error
    finally:
        if lock is not None:
            lock.release()


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

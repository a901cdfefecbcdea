"""Whether a stored map still holds what was written: every tile against the checksum in the ledger."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastneuron.store import ledger
from fastneuron.store.zarr_map import data_names, group_of, places_of, store_like

Tile = tuple[int, ...]


class Condition(NamedTuple):
    """What was found in a stored map: why each damaged tile is, and how many tiles are sound or not done."""

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
    return Condition(reasons, sound, math.prod(entries.shape[:-1]) - sound - len(reasons))


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

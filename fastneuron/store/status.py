"""How far a stored map is, also while another process writes to it."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fastneuron.store import ledger
from fastneuron.store.lock import locked
from fastneuron.store.zarr_map import RUNS, grid_of, group_of, places_of, store_like


class Status(NamedTuple):
    """Tiles and points in all and done; whether a process writes, None where that cannot be known.

    rate : points a second in the run that is under way or was last; None where it has done none. seconds :
    those of all runs so far.
    """

    tiles: int
    tiles_done: int
    points: int
    points_done: int
    writing: bool | None
    rate: float | None
    seconds: float

    @property
    def seconds_left(self) -> float | None:
        """At that rate."""
        return None if self.rate is None else (self.points - self.points_done) / self.rate


def status_of(store: Any) -> Status:
    """The status of a stored map.

    Raises
    ------
    ValueError
        If `store` is no stored map.
    """
    store = store_like(store)
    group = group_of(store)
    entries, _ = ledger.read(group)
    done = ledger.done_of(entries)
    tiles = np.argwhere(done)
    sizes = np.array([math.prod(s.stop - s.start for s in place) for place in places_of(group, tiles)])
    runs = group.attrs.get(RUNS, [])
    writing = locked(store) if isinstance(store, Path) else None
    ended = ledger.runs_with_ends(runs, entries)
    if writing and runs and runs[-1] == 0.0:
        ended[-1] = time.time()
    rate = None
    if runs:
        own = entries[done][:, 1] / ledger.MICROSECONDS >= runs[-2]
        taken = max(ended[-1] - runs[-2], 1e-3)
        rate = float(sizes[own].sum()) / taken if own.any() else None
    points = math.prod(grid_of(group))
    done_points = int(sizes.sum()) if len(sizes) else 0
    return Status(done.size, len(tiles), points, done_points, writing, rate, ledger.seconds_of(ended))

"""Thinned-out stand-ins for a sweep: they compile its kernels and tell how long it may take."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastneuron.sweep import Sweep

PILOT_POINTS = 16384
DRAWN_BYTES = 8  # memory for a point of a picture, with a margin


def check_memory(sweep: Sweep) -> None:
    """Refuse a map whose axes or picture would not fit into memory, before anything is made.

    Raises
    ------
    MemoryError
        With the size.
    """
    from fastneuron.engine import local
    from fastneuron.engine.memory import require_memory

    local.check_memory(sweep, {}, stored=True)
    if len(sweep.shape) <= 2 and not sweep.draws:
        what = f"drawing a map of {sweep.points:,} points"
        require_memory(DRAWN_BYTES * sweep.points, what, "use fewer points (--points)")


def compile_for(sweep: Sweep) -> float:
    """Have the kernels of a sweep compiled, or loaded from the cache; the seconds that took.

    A kernel depends on which fields vary, but not on their values, so that one start and one step do.
    """
    began = time.perf_counter()
    _thinned(sweep, 0.0, steps=1).run(threads=1, progress=False)
    return time.perf_counter() - began


def forecast(sweep: Sweep, threads: int | None) -> dict[str, Any]:
    """Points, bytes and seconds of a sweep, from a run of at most `PILOT_POINTS` of its starts."""
    from fastneuron.engine.tiles import tile_count, tile_shape

    compile_for(sweep)
    share = min(1.0, PILOT_POINTS / sweep.points) ** (1 / len(sweep.shape))
    pilot = (sweep if share == 1.0 else _thinned(sweep, share)).run(threads=threads, progress=False)
    tiles = tile_count(sweep.shape, tile_shape(sweep.shape, sweep.model.size))
    a_point = sum(variable.dtype.itemsize for variable in pilot.data_vars.values())
    return {
        "points": sweep.points,
        "shape": list(sweep.shape),
        "tiles": tiles,
        "bytes": a_point * sweep.points,
        "seconds": float(pilot.attrs["seconds"]) * sweep.points / pilot["outcome"].size,
    }


def _thinned(sweep: Sweep, share: float, steps: int | None = None) -> Sweep:
    """The sweep with a share of the values of each axis, but at least one; and at most `steps` steps."""
    import numpy as np

    from fastneuron import toml
    from fastneuron.sweep import Sweep

    table = toml.loads(sweep.to_toml())
    if steps is not None:
        table["stop"]["max_steps"] = steps
    if sweep.draws is not None:
        table["draws"] = max(1, int(share * sweep.draws))
    for name, axis in sweep.axes.items():
        values = axis.values()
        count = max(1, int(share * len(values)))
        kept = np.linspace(0, len(values) - 1, count).astype(int).tolist()
        if steps is not None and sweep.places[name] == ("stop", "max_steps"):
            table["axes"][name] = [steps]
        else:
            table["axes"][name] = values[kept].tolist()
    return Sweep.from_spec(table)

"""Before a sweep runs: whether it fits into the memory, its kernels, thinned-out stand-ins for it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fastneuron.cli import pictures

if TYPE_CHECKING:
    import numpy as np

    from fastneuron.sweep import Sweep

DRAWN_BYTES = {"outcome": 32, "trainability": 128}  # memory for a cell of a picture


def check_memory(sweep: Sweep, keep: tuple[str, ...] | None, threads: int | None, memory: int | None) -> None:
    """Refuse a map that cannot be computed or drawn within a bound of memory, before anything is made.

    Raises
    ------
    ValueError
        If `keep` names what there is not, or leaves out what the command prints.
    MemoryError
        With the sizes.
    """
    from fastneuron.engine import local
    from fastneuron.engine.memory import require_memory
    from fastneuron.plot.grid import MOST_CELLS
    from fastneuron.result import kept_variables

    variables = kept_variables(sweep, keep)
    if "outcome" not in variables:
        raise ValueError(f"--keep must name outcome, which is printed and drawn, got {','.join(variables)}")
    local.threads_that_fit(sweep, variables, threads, memory, stored=True)
    chosen = None if sweep.chosen is None else sweep.chosen.dim
    kind = pictures.kind_of(variables, sweep.dims, chosen)
    if len(sweep.shape) <= 2 and kind in DRAWN_BYTES:
        needed = DRAWN_BYTES[kind] * min(sweep.points, MOST_CELLS)
        require_memory(needed, f"drawing a map of {sweep.points:,} points", "use fewer points", memory)


def compile_for(sweep: Sweep) -> float:
    """Have the kernels of a sweep compiled, or loaded from the cache; the seconds that took.

    A kernel depends on which fields vary, but not on their values, so that one start and one step do.
    """
    import numpy as np

    began = time.perf_counter()
    first = {name: np.zeros(1, int) for name in sweep.dims}
    thinned(sweep, first, steps=1).run(threads=1, progress=False)
    return time.perf_counter() - began


def thinned(sweep: Sweep, kept: dict[str, np.ndarray], steps: int | None = None) -> Sweep:
    """The sweep with some values of each of its dims, given by their places; and at most `steps` steps."""
    from fastneuron import toml
    from fastneuron.chosen import Chosen
    from fastneuron.sweep import Sweep

    table = toml.loads(sweep.to_toml())
    if steps is not None:
        table["stop"]["max_steps"] = min(steps, sweep.stop.max_steps)
    if sweep.draws is not None:
        table["draws"] = len(kept["draw"])
    for name, start in sweep.start.items():
        if isinstance(start, Chosen):
            table["start"][name] = start.taken(kept[start.dim]).to_spec()
    for name, axis in sweep.axes.items():
        values = axis.values()[kept[name]]
        if steps is not None and sweep.places[name] == ("stop", "max_steps"):
            values = values.clip(max=steps)
        table["axes"][name] = values.tolist()
    return Sweep.from_spec(table)

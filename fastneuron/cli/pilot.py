"""Before a sweep runs: whether it fits into the memory and can be drawn, its kernels, thinned-out stand-ins."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fastneuron.cli import pictures

if TYPE_CHECKING:
    import numpy as np

    from fastneuron.plot import Picture
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
    try:
        local.threads_that_fit(sweep, variables, threads, memory, stored=True)
    except MemoryError as error:
        raise MemoryError(str(error).replace("(memory)", "(--memory)")) from None
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


def check_picture(sweep: Sweep, picture: Picture) -> None:
    """Refuse a picture that cannot be drawn of a sweep, before that runs: it is drawn of a few starts.

    Raises
    ------
    ValueError
        With the reason.
    """
    import numpy as np

    ends = {name: np.unique([0, length - 1]) for name, length in zip(sweep.dims, sweep.shape, strict=True)}
    result = thinned(sweep, ends, steps=1).run(threads=1, progress=False)
    try:
        picture.draw(result)
    except ValueError as error:
        raise ValueError(f"picture: {error}") from None


def thinned(sweep: Sweep, kept: dict[str, np.ndarray], steps: int | None = None) -> Sweep:
    """The sweep with some values of each of its dims, given by their places; and at most `steps` steps."""
    from fastneuron.selection import part_of, within

    return within(part_of(sweep, kept), steps)

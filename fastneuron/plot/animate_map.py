"""A map over training time: at every step the outcomes of the starts that have ended."""

from __future__ import annotations

from collections import Counter

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from fastneuron.components import checked_number
from fastneuron.measures.shares import NOT_COMPUTED
from fastneuron.outcomes import Outcome
from fastneuron.plot import palette
from fastneuron.plot.animation import FRAMES, Animation, widening
from fastneuron.plot.caption import caption
from fastneuron.plot.counts import with_codes
from fastneuron.plot.grid import draw_grid, grid_of, require
from fastneuron.plot.kinds import kind
from fastneuron.plot.legends import legend_right, not_computed_swatch, percent, swatch
from fastneuron.store.blocks import blocks_of

MAP_SIZE, STRIP_SIZE = (7.0, 5.0), (7.0, 2.4)  # inches
TRAINING = len(Outcome)  # the code of a start that has not ended


@kind(MAP_SIZE, animated=True)
def animate_map(
    result: xr.Dataset,
    *,
    frames: int = 100,
    figure: Figure | None = None,
    title: str | None = None,
    legend: bool = True,
) -> Animation:
    """Show what becomes of all starts, from the first step to the last.

    Parameters
    ----------
    result : Dataset
        With ``outcome`` and ``steps`` over one or two axes; -1 is drawn as not computed.
    frames : int, 1 or more
        Number of frames, at ever wider steps; fewer where there are fewer steps.
    figure : Figure, optional
        Where to draw; default a new one.
    title : str, optional
        Default: task, activation, loss and optimizer of the sweep. Below it stand the step, the share of the
        computed starts that have reached the targets, and that of those still training.
    legend : bool
        Name the outcomes that occur, at the right.

    Returns
    -------
    Animation
        The last frame is the map of the outcomes.

    Raises
    ------
    ValueError
        If a variable is missing, or has no or more than two axes, or no start is computed.

    Notes
    -----
    Nothing is trained anew: at step t a start whose number of steps is at most t shows its outcome.

    Examples
    --------
    >>> import fastneuron as fn
    >>> grid = {"bias": fn.linspace(-9, 9, 8), "weight": fn.linspace(-9, 9, 8)}
    >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0), axes=grid)
    >>> fn.plot.animate_map(sweep.run(progress=False), frames=30).frames
    30
    """
    require(result, "outcome", "steps")
    result = with_codes(result)
    if result["outcome"].dtype.kind not in "iu":
        raise ValueError(f"outcome must hold codes, which a mean does not, got {result['outcome'].dtype}")
    frames = int(checked_number("frames", frames, FRAMES))
    if figure is None:
        figure = Figure(figsize=MAP_SIZE if len(result.dims) > 1 else STRIP_SIZE, layout="constrained")
    ax = figure.subplots()
    grid = grid_of(result, "outcome", "steps", ax=ax)
    codes, ends = grid.fields["outcome"], grid.fields["steps"]
    ended, reached = _counts(result)
    computed = sum(ended.values())
    if not computed:
        raise ValueError("no start is computed yet")
    times = widening(max(ended), frames)
    scale = palette.listed([*palette.COLORS.values(), palette.OTHER])
    cells = draw_grid(ax, grid, np.full(codes.shape, TRAINING, np.int8), *scale)
    base = caption(result) if title is None else title
    told = ax.set_title(base, loc="left", fontsize="medium")
    if legend:
        found = [member for member in Outcome if (codes == member).any()]
        handles = [swatch(palette.COLORS[member], member.word) for member in found]
        handles.append(swatch(palette.OTHER, "still training"))
        legend_right(ax, handles + ([not_computed_swatch()] if grid.missing.any() else []))

    def draw(i: int) -> None:
        shown = np.where(ends <= times[i], codes, np.int8(TRAINING))
        cells.set_array(np.ma.masked_array(shown, grid.missing))
        done, right = (sum(n for t, n in counts.items() if t <= times[i]) for counts in (ended, reached))
        shares = f"reached {percent(right / computed)}, still training {percent(1 - done / computed)}"
        told.set_text("\n".join(filter(None, (base, f"step {times[i]:,}: {shares}"))))

    draw(0)
    return Animation(figure, len(times), draw, [cells, *ax.spines.values(), told])


def _counts(result: xr.Dataset) -> tuple[Counter[int], Counter[int]]:
    """How many of all starts ended after how many steps; and of those that reached the targets."""
    ended: Counter[int] = Counter()
    reached: Counter[int] = Counter()
    for block in blocks_of(result["outcome"]):
        part = result[["outcome", "steps"]].isel(block)
        codes = part["outcome"].values
        steps = part["steps"].transpose(*part["outcome"].dims).values
        for counts, wanted in ((ended, codes != NOT_COMPUTED), (reached, codes == Outcome.REACHED)):
            for number, count in zip(*np.unique_counts(steps[wanted]), strict=True):
                counts[int(number)] += int(count)
    return ended, reached

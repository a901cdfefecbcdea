"""The distribution of steps: after how many the starts ended, by outcome."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import StepPatch
from matplotlib.ticker import MaxNLocator, PercentFormatter

from fastneuron.measures.shares import counts_of
from fastneuron.outcomes import Outcome
from fastneuron.plot.counts import with_codes
from fastneuron.plot.grid import axes_for, require
from fastneuron.plot.kinds import kind
from fastneuron.plot.legends import legend_right, not_computed_swatch, percent, set_title, swatch
from fastneuron.plot.palette import COLORS
from fastneuron.plot.stacked import ORDER, stack_steps
from fastneuron.store.blocks import blocks_of

OUT_OF_STEPS = tuple(outcome for outcome in Outcome if outcome.out_of_steps)
ENDED = tuple(outcome for outcome in ORDER if not outcome.out_of_steps)
LOG_FROM = 30  # largest over smallest number of steps where the axis becomes logarithmic
PER_DECADE = 10  # bins
MOST_BINS = 40  # of an axis that is not logarithmic


@kind((7.5, 4.5))
def steps_distribution(
    result: xr.Dataset, *, ax: Axes | None = None, title: str | None = None, legend: bool = True
) -> list[StepPatch]:
    """Draw how many steps the starts took that ended, as a histogram stacked by outcome.

    Parameters
    ----------
    result : Dataset
        A result with ``steps`` and ``outcome`` over any axes; it is read block by block.
    ax : Axes, optional
        Where to draw; default a new figure.
    title : str, optional
        Default: task, activation, loss and optimizer of the sweep.
    legend : bool
        Name the outcomes at the right, with their shares of the computed starts; also those that ran out of
        steps, unfinished or stalled, which are not in the histogram.

    Returns
    -------
    list of StepPatch
        One for each outcome drawn, the lowest first.

    Raises
    ------
    ValueError
        If a variable is missing, or no start is computed.

    Notes
    -----
    A bin holds the whole numbers of steps from its left edge to before its right one; its height is their
    share of all computed starts. Where the steps span more than a factor of 30 the bins are ten to a decade,
    as far as whole numbers allow, with one of its own for 0 steps.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import fastneuron as fn
    >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0),
    ...                  axes={"bias": [-1, 1], "weight": [-1, 0, 1]})
    >>> drawn = fn.plot.steps_distribution(sweep.run(), ax=Figure().subplots())
    >>> [steps.get_label() for steps in drawn]
    ['reached']
    """
    require(result, "steps", "outcome")
    result = with_codes(result)
    totals = counts_of(result["outcome"])
    computed = sum(totals.values())
    edges, log = _edges(result)
    counts = {outcome: np.zeros(len(edges) - 1, np.int64) for outcome in ENDED}
    for codes, steps in _blocks(result):
        for outcome in ENDED:
            counts[outcome] += np.histogram(steps[codes == outcome], edges)[0]
    ax = axes_for(ax)
    if log:
        ax.set_xscale("symlog", linthresh=1, linscale=0.3, subs=range(2, 10))
        places = edges.astype(float)
    else:
        places = edges - 0.5
        ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    drawn = stack_steps(ax, [(outcome, counts[outcome] / computed) for outcome in ENDED], places)
    ax.set(xlim=(places[0], places[-1]), xlabel="steps", ylabel="share of the starts")
    ax.set_ylim(0, None if drawn else 1)
    ax.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    if not drawn:
        ax.text(0.5, 0.5, "no start has ended", transform=ax.transAxes, ha="center", va="center")
    set_title(ax, result, title)
    if legend:
        legend_right(ax, _entries(totals, missing=computed < result["outcome"].size))
    return drawn


def _blocks(result: xr.Dataset) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Outcomes and steps, block by block."""
    for block in blocks_of(result["outcome"]):
        part = result[["outcome", "steps"]].isel(block)
        yield part["outcome"].values, part["steps"].transpose(*part["outcome"].dims).values


def _edges(result: xr.Dataset) -> tuple[np.ndarray, bool]:
    """Edges of the bins, int64, and whether the axis is logarithmic."""
    low, high = np.iinfo(np.int64).max, -1
    for codes, steps in _blocks(result):
        ended = steps[np.isin(codes, ENDED)]
        if ended.size:
            low, high = min(low, int(ended.min())), max(high, int(ended.max()))
    low = min(low, max(high, 0))
    if high < LOG_FROM * max(low, 1):
        width = -(-(high + 1 - low) // MOST_BINS) or 1
        return np.arange(low, max(high, low) + 1 + width, width), False
    tenths = np.arange(0, 10 * PER_DECADE + 1)  # up to 10**10, beyond any number of steps
    edges = np.unique(np.round(10.0 ** (tenths / PER_DECADE)).astype(np.int64))
    first = np.searchsorted(edges, low, side="right") - 1 if low else 0
    last = np.searchsorted(edges, high, side="right")
    return np.concatenate([[0] if low == 0 else [], edges[first : last + 1]]).astype(np.int64), True


def _entries(totals: dict[Outcome, int], missing: bool) -> list[object]:
    """The legend: what is drawn from above, then what ran out of steps, then what is not computed."""
    computed = sum(totals.values())

    def entries(outcomes: tuple[Outcome, ...]) -> list[object]:
        return [
            swatch(COLORS[outcome], f"{outcome.word}  {percent(totals[outcome] / computed)}")
            for outcome in outcomes
            if totals[outcome]
        ]

    beyond = entries(OUT_OF_STEPS)
    heading = [Line2D([], [], linestyle="", label="not drawn, out of steps:")] if beyond else []
    return [*entries(ENDED[::-1]), *heading, *beyond, *([not_computed_swatch()] if missing else [])]

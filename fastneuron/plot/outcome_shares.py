"""Outcome shares: which part of the starts each outcome takes, along one axis of a sweep."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.patches import StepPatch
from matplotlib.ticker import PercentFormatter

from fastneuron.measures.shares import counts_along
from fastneuron.outcomes import Outcome
from fastneuron.plot.caption import chosen_dim
from fastneuron.plot.counts import with_codes
from fastneuron.plot.facets import hyperparameters, labels_of
from fastneuron.plot.grid import axes_for, frame, grid_axis, require
from fastneuron.plot.kinds import kind
from fastneuron.plot.legends import legend_right, set_title
from fastneuron.plot.stacked import ORDER, stack_steps, style

FEW = 8  # numbers that are drawn as bars
MOST_COLUMNS = 2048
LONG = 60  # characters of all names under the bars, beyond which they are turned


@kind((7.5, 4.5))
def shares(
    result: xr.Dataset,
    *,
    along: str | None = None,
    ax: Axes | None = None,
    title: str | None = None,
    legend: bool = True,
) -> list[StepPatch] | list[BarContainer]:
    """Draw the shares of the outcomes among all starts, stacked, along one axis.

    Parameters
    ----------
    result : Dataset
        A result with ``outcome`` over one or more axes; -1 is drawn as not computed.
        It is read block by block.
    along : str, optional
        The axis. Default: the first that is a hyperparameter, not a parameter of the start, else the last;
        a result over draws alone, chosen starts alone, or both, is one bar.
    ax : Axes, optional
        Where to draw; default a new figure.
    title : str, optional
        Default: task, activation, loss and optimizer of the sweep.
    legend : bool
        Name the outcomes present at the right, in the order in which they are stacked.

    Returns
    -------
    list of StepPatch or of BarContainer
        One for each outcome present, the lowest first; last what is not computed.

    Raises
    ------
    ValueError
        If there is no ``outcome``, or it holds unknown codes, or no axis `along`.

    Notes
    -----
    The share of an outcome at a value is the number of starts that ended so, over all starts at that value,
    computed or not. Up to 8 values, and names, are bars; more are steps, whose edges are halfway between the
    values, on a logarithmic axis where the values are geometric. Of more than 2048 values neighbours are put
    together.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import fastneuron as fn
    >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0),
    ...                  axes={"learning_rate": [1, 30], "bias": [-1, 1], "weight": [-1, 0, 1]})
    >>> [drawn.get_label() for drawn in fn.plot.shares(sweep.run(), ax=Figure().subplots())]
    ['reached']
    """
    require(result, "outcome")
    outcome = with_codes(result)["outcome"]
    if not outcome.ndim:
        raise ValueError("this result is a single start, there are no shares")
    if along is not None and along not in outcome.dims:
        raise ValueError(f"along must be one of the axes {', '.join(map(str, outcome.dims))}, got {along!r}")
    one_by_one = [str(dim) for dim in outcome.dims if dim in ("draw", chosen_dim(result))]
    axes = [str(dim) for dim in outcome.dims if dim not in one_by_one]
    together = along is None and not axes
    name = along or [*hyperparameters(result, axes), *axes[-1:], *one_by_one][0]
    counts = counts_along(outcome, name)
    counts = counts.sum(axis=0, keepdims=True) if together else counts
    kind = "draws" if one_by_one == ["draw"] else "starts"
    values = np.array([f"{outcome.size:,} {kind}"]) if together else result[name].values
    ax = axes_for(ax)
    drawn: list[StepPatch] | list[BarContainer]
    if len(values) <= FEW or values.dtype.kind not in "iuf":
        drawn = _draw_bars(ax, values, counts)
        ax.set_xlabel("" if together else name.replace("_", " "))
    else:
        drawn = _draw_steps(ax, name, values, counts)
    ax.set(ylim=(0, 1), ylabel="share of the starts")
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    set_title(ax, result, title)
    if legend:
        legend_right(ax, drawn[::-1])
    return drawn


def _stack(counts: np.ndarray) -> list[tuple[Outcome | None, np.ndarray]]:
    """What is stacked, the lowest first: the shares of each outcome, and of what is not computed."""
    parts = counts / counts.sum(axis=1, keepdims=True)
    return [*((member, parts[:, 1 + member]) for member in ORDER), (None, parts[:, 0])]


def _draw_bars(ax: Axes, values: np.ndarray, counts: np.ndarray) -> list[BarContainer]:
    if values.dtype.kind in "iuf":
        order = np.argsort(values, kind="stable")
        values, counts = values[order], counts[order]
    drawn, base = [], np.zeros(len(values))
    width = 0.8 if len(values) > 1 else 0.4
    for outcome, height in _stack(counts):
        if height.any():
            drawn.append(ax.bar(np.arange(len(values)), height, bottom=base, width=width, **style(outcome)))
        base = base + height
    labels = labels_of(values)
    ax.set_xticks(np.arange(len(values)), labels)
    if sum(map(len, labels)) > LONG:
        ax.tick_params(axis="x", labelrotation=90)
    ax.tick_params(axis="x", length=0)
    ax.set_xlim(-0.6, len(values) - 0.4)
    return drawn


def _draw_steps(ax: Axes, name: str, values: np.ndarray, counts: np.ndarray) -> list[StepPatch]:
    every = -(-len(values) // MOST_COLUMNS)
    axis = grid_axis(name, values, every)
    ascending = counts[np.argsort(values, kind="stable")]
    together = np.add.reduceat(ascending, np.arange(0, len(values), every), axis=0)
    drawn = stack_steps(ax, _stack(together), axis.edges)
    frame(ax, axis, "x")
    return drawn

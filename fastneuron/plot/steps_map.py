"""The steps map: how long the starts took that got somewhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import Normalize, SymLogNorm
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator

from fastneuron.outcomes import Outcome
from fastneuron.plot import palette
from fastneuron.plot.grid import axes_for, draw_grid, grid_of
from fastneuron.plot.legends import legend_below, not_computed_swatch, set_title, swatch
from fastneuron.plot.palette import sequential

LOG_FROM = 30  # largest over smallest number of steps where the colours become logarithmic


def steps(
    data: xr.Dataset,
    *,
    outcomes: Sequence[Outcome] = (Outcome.REACHED, Outcome.SETTLED),
    ax: Axes | None = None,
    title: str | None = None,
    legend: bool = True,
) -> AxesImage | QuadMesh:
    """Draw the number of steps of the starts that ended in one of `outcomes`; the others are grey.

    Parameters
    ----------
    data : Dataset
        A result with ``steps`` and ``outcome`` over one or two axes.
    outcomes : sequence of Outcome
        Whose steps to show.
    ax : Axes, optional
        Where to draw; default a new figure.
    title : str, optional
        Default: task, activation, loss and optimizer of the sweep, and which starts are drawn if not all.
    legend : bool
        Draw the colour scale, and name the grey starts and those not computed below the map.

    Returns
    -------
    AxesImage or QuadMesh
        The cells; their values are -1 where the outcome is another one.

    Raises
    ------
    ValueError
        If a variable is missing, or it has no or more than two axes.

    Examples
    --------
    >>> import fastneuron as fn
    >>> grid = {"bias": fn.linspace(-20, 20, 8), "weight": fn.linspace(-20, 20, 8)}
    >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0), axes=grid)
    >>> cells = fn.plot.steps(sweep.run())
    >>> cells.get_array().shape
    (8, 8)
    """
    grid = grid_of(data, "steps", "outcome")
    codes = grid.fields["outcome"]
    shown = np.isin(codes, [int(member) for member in outcomes])
    counts = np.where(shown, grid.fields["steps"], -1)
    ax = axes_for(ax, strip=grid.y is None)
    names = " or ".join(member.name.lower() for member in outcomes)
    handles = []
    if not (shown | grid.missing).all():
        handles.append(swatch(palette.OTHER, f"not {names}"))
    if grid.missing.any():
        handles.append(not_computed_swatch())
    colormap, norm = sequential(under=palette.OTHER), _norm(grid.fields["steps"][shown])
    cells = draw_grid(ax, grid, counts, colormap, norm)
    set_title(ax, data, title, grid.thinned)
    if legend:
        if shown.any():
            whole = None if isinstance(norm, SymLogNorm) else MaxNLocator(integer=True)
            ax.figure.colorbar(cells, ax=ax, label="steps", ticks=whole)
        legend_below(ax, handles)
    return cells


def _norm(counts: np.ndarray) -> Normalize:
    low, high = (int(counts.min()), int(counts.max())) if counts.size else (0, 1)
    if high >= LOG_FROM * max(low, 1):
        return SymLogNorm(linthresh=1, linscale=0.3, vmin=low, vmax=high, base=10)
    return Normalize(low, max(high, low + 1))

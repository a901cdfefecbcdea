"""The loss map: the final data loss of every start."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import LogNorm, Normalize
from matplotlib.image import AxesImage

from fastneuron.outcomes import Outcome
from fastneuron.plot.grid import axes_for, draw_grid, grid_of
from fastneuron.plot.legends import legend_below, not_computed_swatch, set_title, swatch
from fastneuron.plot.palette import COLORS, sequential

ZERO = "#FFFFFF"
LEAST, LARGEST = 1e-200, 1e200  # Matplotlib's scales overflow beyond
ROUNDING = 1e-6  # so that the extremes stay within the range of the colours


def loss(
    data: xr.Dataset, *, ax: Axes | None = None, title: str | None = None, legend: bool = True
) -> AxesImage | QuadMesh:
    """Draw the final loss of every start on a logarithmic colour scale.

    Parameters
    ----------
    data : Dataset
        A result with ``loss`` over one or two axes; where it has ``outcome``, starts that are not
        computed are drawn so.
    ax : Axes, optional
        Where to draw; default a new figure.
    title : str, optional
        Default: task, activation, loss and optimizer of the sweep, and which starts are drawn if not all.
    legend : bool
        Draw the colour scale, and name below the map what is not on it.

    Returns
    -------
    AxesImage or QuadMesh
        The cells; 0 and losses that are not finite have values below and above the norm's range.

    Raises
    ------
    ValueError
        If there is no ``loss``, or it has no or more than two axes.

    Notes
    -----
    A loss of 0 is white, one that is not finite nearly black. Positive losses are clipped to 1e-200 and
    1e200. Where a loss is negative the scale is linear.

    Examples
    --------
    >>> import fastneuron as fn
    >>> grid = {"bias": fn.linspace(-20, 20, 8), "weight": fn.linspace(-20, 20, 8)}
    >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0), axes=grid)
    >>> cells = fn.plot.loss(sweep.run())
    >>> cells.get_array().shape
    (8, 8)
    """
    grid = grid_of(data, "loss")
    values = grid.fields["loss"].astype(np.float64)
    finite = np.isfinite(values) & ~grid.missing
    zero = np.zeros(values.shape, bool)
    norm: Normalize
    if (values[finite] < 0).any():
        low, high = float(values[finite].min()), float(values[finite].max())
        norm = Normalize(low, high)
    else:
        zero = finite & (values == 0)
        positive = values[finite & ~zero] if (finite & ~zero).any() else np.array([0.1, 1.0])
        low, high = (float(end) for end in np.clip([positive.min(), positive.max()], LEAST, LARGEST))
        norm = LogNorm(low * (1 - ROUNDING), high * (1 + ROUNDING))
        np.clip(values, LEAST, LARGEST, out=values)
        values[zero] = low / 2
    values[~finite] = 2 * abs(high) + 1
    ax = axes_for(ax, strip=grid.y is None)
    handles = [swatch(ZERO, "0")] if zero.any() else []
    if not (finite | grid.missing).all():
        handles.append(swatch(COLORS[Outcome.DIVERGED], "not finite"))
    if grid.missing.any():
        handles.append(not_computed_swatch())
    colormap = sequential(under=ZERO, over=COLORS[Outcome.DIVERGED])
    cells = draw_grid(ax, grid, values, colormap, norm)
    set_title(ax, data, title, grid.thinned)
    if legend:
        if (finite & ~zero).any():
            ax.figure.colorbar(cells, ax=ax, label="final loss")
        legend_below(ax, handles)
    return cells

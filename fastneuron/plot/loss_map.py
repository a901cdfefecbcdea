"""The loss map: the final data loss of every start."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize

from fastneuron.outcomes import Outcome
from fastneuron.plot.facets import Facets
from fastneuron.plot.grid import Cells, grid_of
from fastneuron.plot.kinds import kind
from fastneuron.plot.legends import not_computed_swatch, swatch
from fastneuron.plot.palette import COLORS, sequential
from fastneuron.plot.panels import Look, draw_map

ZERO = "#FFFFFF"
LEAST, LARGEST = 1e-200, 1e200  # Matplotlib's scales overflow beyond
ROUNDING = 1e-6  # so that the extremes stay within the range of the colours


@kind()
def loss(
    data: xr.Dataset, *, ax: Axes | Facets | None = None, title: str | None = None, legend: bool = True
) -> Cells | list[Cells]:
    """Draw the final loss of every start on a logarithmic colour scale.

    Parameters
    ----------
    data : Dataset
        A result with ``loss`` over one or two axes; where it has ``outcome``, starts that are not
        computed are drawn so.
    ax : Axes, optional
        Where to draw; default a new figure. Without, a result over three axes is drawn as by
        `small_multiples`.
    title : str, optional
        Default: task, activation, loss and optimizer of the sweep, and which starts are drawn if not all.
    legend : bool
        Draw the colour scale, and name below the map what is not on it.

    Returns
    -------
    AxesImage or QuadMesh, or a list of them
        The cells; 0 and losses that are not finite have values below and above the norm's range.

    Raises
    ------
    ValueError
        If there is no ``loss``, or it has no or more than two axes, three without `ax`.

    Notes
    -----
    A loss of 0 is white, one that is not finite nearly black. Positive losses are clipped to 1e-200 and
    1e200. Where a loss is negative the scale is linear.
    """
    grid = grid_of(data, "loss", ax=ax)
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
    handles = [swatch(ZERO, "0")] if zero.any() else []
    if not (finite | grid.missing).all():
        handles.append(swatch(COLORS[Outcome.DIVERGED], "not finite"))
    if grid.missing.any():
        handles.append(not_computed_swatch())
    colormap = sequential(under=ZERO, over=COLORS[Outcome.DIVERGED])
    look = Look(colormap, norm, handles, scale="final loss" if (finite & ~zero).any() else None)
    return draw_map(grid, values, look, ax, title, legend)

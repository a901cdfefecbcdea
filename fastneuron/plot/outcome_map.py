"""The outcome map: what became of every start."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.image import AxesImage

from fastneuron.measures.shares import NOT_COMPUTED, fractions
from fastneuron.plot.grid import axes_for, draw_grid, grid_of
from fastneuron.plot.legends import (
    hatch_background,
    legend_right,
    not_computed_swatch,
    percent,
    set_title,
    swatch,
)
from fastneuron.plot.palette import COLORS, outcome_colormap


def outcome(
    data: xr.Dataset, *, ax: Axes | None = None, title: str | None = None, legend: bool = True
) -> AxesImage | QuadMesh:
    """Draw the outcome of every start: a map over two axes, a strip over one.

    Parameters
    ----------
    data : Dataset
        A result with ``outcome`` over one or two axes; -1 is drawn as not computed.
    ax : Axes, optional
        Where to draw; default a new figure.
    title : str, optional
        Default: task, activation, loss and optimizer of the sweep.
    legend : bool
        Name the outcomes present, with their shares of the computed starts, at the right.

    Returns
    -------
    AxesImage or QuadMesh
        The cells.

    Raises
    ------
    ValueError
        If there is no ``outcome``, or it has no or more than two axes, or holds unknown codes.
    """
    grid = grid_of(data, "outcome")
    codes = grid.fields["outcome"]
    missing = codes == NOT_COMPUTED
    shares = {} if missing.all() else fractions(codes)
    ax = axes_for(ax, strip=grid.y is None)
    handles = [
        swatch(COLORS[member], f"{member.name.lower()}  {percent(share)}")
        for member, share in shares.items()
        if share
    ]
    if missing.any():
        hatch_background(ax)
        handles.append(not_computed_swatch())
        codes = np.ma.masked_array(codes, missing)
    cells = draw_grid(ax, grid, codes, *outcome_colormap())
    set_title(ax, data, title)
    if legend:
        legend_right(ax, handles)
    return cells

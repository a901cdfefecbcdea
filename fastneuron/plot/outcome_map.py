"""The outcome map: what became of every start."""

from __future__ import annotations

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.image import AxesImage

from fastneuron.measures.shares import fractions
from fastneuron.plot.grid import axes_for, draw_grid, grid_of
from fastneuron.plot.legends import (
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
        Default: task, activation, loss and optimizer of the sweep, and which starts are drawn if not all.
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

    Examples
    --------
    >>> import fastneuron as fn
    >>> grid = {"bias": fn.linspace(-20, 20, 8), "weight": fn.linspace(-20, 20, 8)}
    >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0), axes=grid)
    >>> cells = fn.plot.outcome(sweep.run())
    >>> cells.get_array().shape
    (8, 8)
    """
    grid = grid_of(data, "outcome")
    codes = grid.fields["outcome"]
    shares = {} if grid.missing.all() else fractions(data["outcome"])
    ax = axes_for(ax, strip=grid.y is None)
    handles = [
        swatch(COLORS[member], f"{member.name.lower()}  {percent(share)}")
        for member, share in shares.items()
        if share
    ]
    if grid.missing.any():
        handles.append(not_computed_swatch())
    cells = draw_grid(ax, grid, codes, *outcome_colormap())
    set_title(ax, data, title, grid.thinned)
    if legend:
        legend_right(ax, handles)
    return cells

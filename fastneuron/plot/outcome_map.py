"""The outcome map: what became of every start."""

from __future__ import annotations

import xarray as xr
from matplotlib.axes import Axes

from fastneuron.measures.shares import fractions
from fastneuron.plot.facets import Facets
from fastneuron.plot.grid import Cells, grid_of
from fastneuron.plot.kinds import kind
from fastneuron.plot.legends import not_computed_swatch, percent, swatch
from fastneuron.plot.palette import COLORS, outcome_colormap
from fastneuron.plot.panels import Look, draw_map


@kind()
def outcome(
    data: xr.Dataset, *, ax: Axes | Facets | None = None, title: str | None = None, legend: bool = True
) -> Cells | list[Cells]:
    """Draw the outcome of every start: a map over two axes, a strip over one.

    Parameters
    ----------
    data : Dataset
        A result with ``outcome`` over one or two axes; -1 is drawn as not computed.
    ax : Axes, optional
        Where to draw; default a new figure. Without, a result over three axes is drawn as by
        `small_multiples`.
    title : str, optional
        Default: task, activation, loss and optimizer of the sweep, and which starts are drawn if not all.
    legend : bool
        Name the outcomes present, with their shares of the computed starts, at the right.

    Returns
    -------
    AxesImage or QuadMesh, or a list of them
        The cells.

    Raises
    ------
    ValueError
        If there is no ``outcome``, or it has no or more than two axes, three without `ax`, or holds
        unknown codes.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import fastneuron as fn
    >>> grid = {"bias": fn.linspace(-20, 20, 8), "weight": fn.linspace(-20, 20, 8)}
    >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0), axes=grid)
    >>> cells = fn.plot.outcome(sweep.run(), ax=Figure().subplots())
    >>> cells.get_array().shape
    (8, 8)
    """
    grid = grid_of(data, "outcome", ax=ax)
    codes = grid.fields["outcome"]
    shares = {} if grid.missing.all() else fractions(grid.data["outcome"])
    handles = [
        swatch(COLORS[member], f"{member.word}  {percent(share)}")
        for member, share in shares.items()
        if share
    ]
    if grid.missing.any():
        handles.append(not_computed_swatch())
    return draw_map(grid, codes, Look(*outcome_colormap(), handles, beside=True), ax, title, legend)

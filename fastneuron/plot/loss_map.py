"""The loss map: the final data loss of every start."""

from __future__ import annotations

import xarray as xr
from matplotlib.axes import Axes

from fastneuron.plot.facets import Facets
from fastneuron.plot.final_number import draw_final
from fastneuron.plot.grid import Cells
from fastneuron.plot.kinds import kind


@kind()
def loss(
    data: xr.Dataset, *, ax: Axes | Facets | None = None, title: str | None = None, legend: bool = True
) -> Cells | list[Cells]:
    """Draw the final loss of every start, on a logarithmic colour scale where losses span decades.

    Parameters
    ----------
    data : Dataset
        A result with ``loss`` over one or two axes; where it has ``outcome``, starts that are not
        computed are drawn so.
    ax : Axes, optional
        Where to draw; default a new figure. Without, a result over three axes is drawn as by
        `small_multiples`.
    title : str, optional
        Default: task, activation, loss and optimizer of the sweep.
    legend : bool
        Draw the colour scale, and name below the map what is not on it.

    Returns
    -------
    AxesImage or QuadMesh, or a list of them
        The cells; 0 on a logarithmic scale and losses that are not finite have values below and above the
        norm's range.

    Raises
    ------
    ValueError
        If there is no ``loss``, or it has no or more than two axes, three without `ax`.

    Notes
    -----
    The scale is logarithmic where the largest loss is 30 times the least positive one or more, and none is
    negative; then 0 is white. A loss that is not finite is nearly black. Losses are clipped to 1e200, on a
    logarithmic scale also to 1e-200.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import fastneuron as fn
    >>> grid = {"bias": fn.linspace(-20, 20, 8), "weight": fn.linspace(-20, 20, 8)}
    >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0), axes=grid)
    >>> cells = fn.plot.loss(sweep.run(), ax=Figure().subplots())
    >>> cells.get_array().shape
    (8, 8)
    """
    return draw_final(data, "loss", ax=ax, title=title, legend=legend)

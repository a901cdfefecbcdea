"""The error map: how far the outputs of every start are from their targets in the end."""

from __future__ import annotations

import xarray as xr
from matplotlib.axes import Axes

from fastneuron.plot.facets import Facets
from fastneuron.plot.final_number import draw_final
from fastneuron.plot.grid import Cells
from fastneuron.plot.kinds import kind


@kind()
def error(
    data: xr.Dataset, *, ax: Axes | Facets | None = None, title: str | None = None, legend: bool = True
) -> Cells | list[Cells]:
    """Draw the final error of every start: how far its worst output is from the target.

    Parameters
    ----------
    data : Dataset
        A result with ``error`` over one or two axes; where it has ``outcome``, starts that are not
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
        The cells; 0 on a logarithmic scale and errors that are not finite have values below and above the
        norm's range.

    Raises
    ------
    ValueError
        If there is no ``error``, or it has no or more than two axes, three without `ax`.

    Notes
    -----
    The scale is logarithmic where the largest error is 30 times the least positive one or more. A start that
    has reached its targets stopped there: its error is about the tolerance, not the least it could come to.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import fastneuron as fn
    >>> axes = {"bias": fn.linspace(-20, 20, 9), "weight": fn.linspace(-20, 20, 9)}
    >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0), axes=axes)
    >>> result, ax = sweep.run(progress=False), Figure().subplots()
    >>> cells = fn.plot.error(result, ax=ax)
    >>> float(cells.get_array().max())
    1.0
    """
    return draw_final(data, "error", ax=ax, title=title, legend=legend)

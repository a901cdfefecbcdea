"""Small multiples: one map for each value of a further axis, all in the same colours."""

from __future__ import annotations

from typing import Any

import xarray as xr
from matplotlib.figure import Figure, SubFigure

from fastneuron.plot.error_map import error
from fastneuron.plot.facets import MOST, Facets
from fastneuron.plot.grid import Cells
from fastneuron.plot.learned_map import learned
from fastneuron.plot.loss_map import loss
from fastneuron.plot.outcome_map import outcome
from fastneuron.plot.period_map import period
from fastneuron.plot.steps_map import steps
from fastneuron.plot.trainability_map import trainability

MAPS = {own.__name__: own for own in (outcome, steps, loss, error, learned, period, trainability)}


def small_multiples(
    result: xr.Dataset,
    kind: str = "outcome",
    *,
    over: str | None = None,
    figure: Figure | SubFigure | None = None,
    columns: int | None = None,
    most: int = MOST,
    title: str | None = None,
    legend: bool = True,
    **options: Any,
) -> list[Cells]:
    """Draw a map for each value of one axis of a result, with shared axes, colours and legend.

    Parameters
    ----------
    result : Dataset
        A result over two or three axes, with what the map needs.
    kind : {"outcome", "steps", "loss", "error", "learned", "period", "trainability"}
        Which map.
    over : str, optional
        The axis of the panels. Default: the first that is a hyperparameter, not a parameter of the start,
        else that of chosen starts, else the first.
    figure : Figure or SubFigure, optional
        Where to draw, best with ``layout="constrained"``; default a new one of a fitting size.
    columns : int, 1 or more, optional
        Panels in a row; default about as many as there are rows.
    most : int, 1 or more
        Of more values than this along `over`, so many are shown, evenly chosen; the title says so.
    title : str, optional
        Of the figure. Default: what the map's own title would be.
    legend : bool
        Explain the colours, once for all panels.
    **options
        Further options of the map, such as ``outcomes`` of "steps".

    Returns
    -------
    list of AxesImage or QuadMesh
        The cells of every panel, in the order of the values.

    Raises
    ------
    ValueError
        If `kind` is no map or `over` no axis, there are other than two or three axes, or as the map says.
    TypeError
        If the map has no such option.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import fastneuron as fn
    >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0),
    ...                  axes={"learning_rate": [1, 30], "bias": [-1, 1], "weight": [-1, 0, 1]})
    >>> figure = Figure(layout="constrained")
    >>> drawn = fn.plot.small_multiples(sweep.run(), "steps", figure=figure)
    >>> [cells.axes.get_title(loc="left") for cells in drawn]
    ['learning rate 1', 'learning rate 30']
    """
    if kind not in MAPS:
        raise ValueError(f"kind must be one of {', '.join(MAPS)}, got {kind!r}")
    where = Facets(over, figure, columns, most)
    drawn = MAPS[kind](result, ax=where, title=title, legend=legend, **options)
    assert isinstance(drawn, list)  # facets give panels
    return drawn

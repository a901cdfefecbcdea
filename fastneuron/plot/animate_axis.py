"""A map over another axis, such as the learning rate: a frame for each of its values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from fastneuron.components import checked_number
from fastneuron.plot.animation import FRAMES, Animation
from fastneuron.plot.caption import caption
from fastneuron.plot.facets import Frames, labels_of
from fastneuron.plot.grid import Grid, draw_grid, require
from fastneuron.plot.kinds import kind
from fastneuron.plot.legends import hatch_background
from fastneuron.plot.panels import Look, explain
from fastneuron.plot.small_multiples import MAPS

MAP_SIZE, STRIP_SIZE = (7.0, 5.0), (7.0, 2.4)  # inches


@kind(MAP_SIZE, animated=True)
def animate_axis(
    result: xr.Dataset,
    of: str = "outcome",
    *,
    over: str | None = None,
    frames: int = 100,
    figure: Figure | None = None,
    title: str | None = None,
    legend: bool = True,
) -> Animation:
    """Show a map for each value of one axis of a result, in the same colours.

    Parameters
    ----------
    result : Dataset
        A result over two or three axes, with what the map needs.
    of : {"outcome", "steps", "loss", "error", "learned", "period", "trainability"}
        Which map.
    over : str, optional
        The axis that has a frame for each of its values, in their order. Default: the first that is a
        hyperparameter, not a parameter of the start, else that of chosen starts, else the first.
    frames : int, 1 to 100000
        Of more values than this, so many are shown, evenly chosen.
    figure : Figure, optional
        Where to draw; default a new one.
    title : str, optional
        Default: task, activation, loss and optimizer of the sweep. Below it stands the value.
    legend : bool
        Explain the colours, which are those of all frames.

    Returns
    -------
    Animation
        A frame for each value, in the order of the axis.

    Raises
    ------
    ValueError
        If `of` is no map or `over` no axis, there are other than two or three axes, or as the map says.

    Examples
    --------
    >>> import fastneuron as fn
    >>> grid = {"bias": fn.linspace(-9, 9, 8), "weight": fn.linspace(-9, 9, 8)}
    >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0),
    ...                  axes={"learning_rate": fn.geomspace(1, 100, 12)} | grid)
    >>> fn.plot.animate_axis(sweep.run(progress=False)).frames
    12
    """
    require(result)
    if of not in MAPS:
        raise ValueError(f"of must be one of {', '.join(MAPS)}, got {of!r}")
    place = Frames(over, most=int(checked_number("frames", frames, FRAMES)))
    MAPS[of](result, ax=place)
    grid: Grid
    values: np.ndarray
    look: Look
    ((grid, values, look),) = place.parts
    if figure is None:
        figure = Figure(figsize=STRIP_SIZE if grid.y is None else MAP_SIZE, layout="constrained")
    ax = figure.subplots()
    if grid.missing.any():
        hatch_background(ax)
    cells = draw_grid(ax, replace(grid, missing=grid.missing[0]), values[0], look.colormap, look.norm)
    told = ax.set_title("", loc="left", fontsize="medium")
    if legend:
        for handle in look.handles:  # the shares are those of all frames together
            handle.set_label(str(handle.get_label()).partition("  ")[0])
        explain(ax, cells, look)
    assert grid.over is not None  # frames have one
    base = "\n".join(filter(None, (caption(grid.data), grid.note))) if title is None else title
    names = [f"{grid.over.replace('_', ' ')} {name}" for name in labels_of(grid.data[grid.over].values)]

    def draw(i: int) -> None:
        cells.set_array(np.ma.masked_array(values[i], grid.missing[i]))
        told.set_text("\n".join(filter(None, (base, names[i]))))

    draw(0)
    return Animation(figure, len(names), draw, [cells, *ax.spines.values(), told])

"""The trajectory: the path of training through the plane of two parameters."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from fastneuron.plot import palette
from fastneuron.plot.grid import axes_for, require
from fastneuron.plot.legends import legend_right, set_title
from fastneuron.plot.outcome_map import outcome

DOTTED_UP_TO = 200  # steps; beyond it a dot a step is a smear


def trajectory(
    path: xr.Dataset,
    *,
    x: str = "weight",
    y: str = "bias",
    result: xr.Dataset | None = None,
    ax: Axes | None = None,
    title: str | None = None,
    legend: bool = True,
) -> list[Line2D]:
    """Draw the paths of one or several starts through a plane of two parameters.

    Parameters
    ----------
    path : Dataset
        What `descend` returns: parameters over ``step`` and any dims of starts.
    x, y : str
        The parameters on the two axes.
    result : Dataset, optional
        A sweep over just these two parameters, whose outcome map is drawn underneath.
    ax : Axes, optional
        Where to draw; default a new figure.
    title : str, optional
        Default: what the attributes of `result`, or else of `path`, tell.
    legend : bool
        Name the marks of start and end, and the outcomes of the map.

    Returns
    -------
    list of Line2D
        One path for each start, in the order of the starts.

    Raises
    ------
    ValueError
        If a parameter is missing, or `result` is no map over `x` and `y`.

    Notes
    -----
    A path ends at its last finite point. Over a map, what is farther out than its width is not shown.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import fastneuron as fn
    >>> task, model = fn.tasks.inverter(), fn.Neuron()
    >>> path = fn.descend(task, model, loss=fn.SquaredError(), optimizer=fn.GradientDescent(30.0),
    ...                   start={"weight": 1.0, "bias": 1.0}, steps=10)
    >>> (line,) = fn.plot.trajectory(path, ax=Figure().subplots())
    >>> [float(end) for end in line.get_xydata()[0]]
    [1.0, 1.0]
    """
    starts_x, starts_y = _paths(path, x, y)
    if result is not None:
        require(result, "outcome")
        if set(result["outcome"].dims) != {x, y}:
            raise ValueError(f"result must be a map over {x!r} and {y!r}, got {result['outcome'].dims}")
    ax = axes_for(ax)
    if result is not None:
        outcome(result.transpose(y, x, ...), ax=ax, legend=legend)
    lines = []
    for index, (u, v) in enumerate(zip(starts_x, starts_y, strict=True)):
        color = "white" if result is not None else palette.CATEGORIES[index % len(palette.CATEGORIES)]
        lines.append(draw_path(ax, u, v, color, outlined=result is not None))
    if result is not None:
        _widen(ax, np.concatenate(starts_x), np.concatenate(starts_y))
    ax.set(xlabel=x.replace("_", " "), ylabel=y.replace("_", " "))
    set_title(ax, path if result is None else result, title)
    if legend:
        of_map = ax.get_legend() if result is not None else None
        entries = [] if of_map is None else [entry for entry in of_map.legend_handles if entry is not None]
        legend_right(ax, [*entries, start_mark(), end_mark()])
    return lines


def _paths(path: xr.Dataset, x: str, y: str) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The finite part of every start's path."""
    require(path, x, y)
    if "step" not in path[x].dims:
        raise ValueError(f"path must have the dimension 'step', as descend gives it, got {path[x].dims}")
    u, v = (field.transpose("step", ...) for field in xr.broadcast(path[x], path[y]))
    columns_u = u.values.reshape(u.sizes["step"], -1)
    columns_v = v.transpose(*u.dims).values.reshape(v.sizes["step"], -1)
    finite = np.logical_and.accumulate(np.isfinite(columns_u) & np.isfinite(columns_v), axis=0)
    starts = range(columns_u.shape[1])
    return [columns_u[finite[:, i], i] for i in starts], [columns_v[finite[:, i], i] for i in starts]


def draw_path(
    ax: Axes,
    u: np.ndarray,
    v: np.ndarray,
    color: str,
    *,
    outlined: bool,
    end: str | None = None,
    dotted_up_to: int = DOTTED_UP_TO,
) -> Line2D:
    """Draw a path with the marks of its start and its end, the latter in the colour `end`."""
    line = ax.plot(u, v, color=color, linewidth=1.3, zorder=3)[0]
    if outlined:
        line.set_path_effects([patheffects.withStroke(linewidth=3.0, foreground="black")])
    if len(u) <= dotted_up_to:
        line.set(marker=".", markersize=4)
    edge = "black" if outlined else color
    for place, handle in (
        (slice(1), start_mark(edge)),
        (slice(-1, None), end_mark(edge if end is None else end, "white" if end is None else edge)),
    ):
        handle.set_data(u[place], v[place])
        ax.add_line(handle)
    return line


def start_mark(edge: str = "black") -> Line2D:
    """The mark of a start, also in a legend."""
    return _mark("o", "start", "white", edge, 9)


def end_mark(face: str = "black", edge: str = "white") -> Line2D:
    """The mark of an end, also in a legend."""
    return _mark("s", "end", face, edge, 5)


def _mark(marker: str, label: str, face: str, edge: str, size: float) -> Line2D:
    line = Line2D([], [], linestyle="", marker=marker, color=face, markeredgecolor=edge, markersize=size)
    line.set(label=label, zorder=4 + (marker == "s"))
    return line


def _widen(ax: Axes, u: np.ndarray, v: np.ndarray) -> None:
    """Widen the limits to show the path, by no more than the map's size on each side."""
    for values, limits, setter in ((u, ax.get_xlim(), ax.set_xlim), (v, ax.get_ylim(), ax.set_ylim)):
        low, high = limits
        size = high - low
        if len(values):
            margin = 0.03 * size
            low = min(low, max(values.min() - margin, low - size))
            high = max(high, min(values.max() + margin, high + size))
        setter(low, high)

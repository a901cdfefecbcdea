"""The vector field: where one step takes the starts of a plane."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, LogNorm, Normalize
from matplotlib.quiver import Quiver

from fastneuron.components import Bound, checked_number
from fastneuron.outcomes import Outcome
from fastneuron.plot import palette
from fastneuron.plot.grid import axes_for, frame
from fastneuron.plot.kinds import MAP_SIZE, kind
from fastneuron.plot.legends import legend_below, set_title
from fastneuron.plot.loss_landscape import draw_lines
from fastneuron.plot.plane import Plane, plane_of

ARROWS = Bound("a whole number from 2 to 200", low=2, high=201, whole=True)
MARK = palette.COLORS[Outcome.DIVERGED]
REACH = 0.8  # of a cell that an arrow is long
DECADES = 6  # of lengths, down from the longest, that have a colour of their own
COLORMAP = ListedColormap(colormaps["viridis_r"](np.linspace(0.15, 1.0, 256)))  # shows on white


@kind(MAP_SIZE)
def vector_field(
    result: xr.Dataset,
    *,
    x: str | None = None,
    y: str | None = None,
    arrows: int = 20,
    ax: Axes | None = None,
    title: str | None = None,
    legend: bool = True,
) -> Quiver:
    """Draw the first step of a sweep's optimizer from a grid of starts, over the contours of the loss.

    Parameters
    ----------
    result : Dataset
        As for `landscape`; the steps, too, are computed anew.
    x, y : str, optional
        The axis to the right and the one upward; default as in maps, the last one to the right.
    arrows : int, 2 to 200
        How many along each axis.
    ax : Axes, optional
        Where to draw; default a new figure.
    title : str, optional
        Default: task, activation, loss and optimizer of the sweep.
    legend : bool
        Draw the colour scale of the lengths, and name the marks where there is no arrow.

    Returns
    -------
    Quiver
        The arrows, of equal length; their colour is how far the step goes.

    Raises
    ------
    ValueError
        As `landscape`, or if `arrows` is not a number that is allowed.

    Notes
    -----
    An arrow's direction is that of the step at its middle, its length tells nothing. Momentum and averages of
    optimizers are those of a first step. A dot is a start that one step does not move, to the last bit; a
    cross one that it takes to numbers that are not finite.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import fastneuron as fn
    >>> axes = {"bias": fn.linspace(-20, 20, 9), "weight": fn.linspace(-20, 20, 9)}
    >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0), axes=axes)
    >>> result, ax = sweep.run(progress=False), Figure().subplots()
    >>> arrows = fn.plot.vector_field(result, ax=ax, arrows=10)
    >>> len(arrows.U)  # one start is so far out that a step does not move it
    99
    """
    count = int(checked_number("arrows", arrows, ARROWS))
    plane = plane_of(result, x, y)
    u, v = (numbers.ravel() for numbers in plane.cells(count, count))
    _, us, vs = plane.descend(u, v, 1)
    with np.errstate(invalid="ignore", over="ignore"):
        du, dv = us[1] - us[0], vs[1] - vs[0]
    lost = ~(np.isfinite(du) & np.isfinite(dv))
    still = ~lost & (du == 0) & (dv == 0)
    moved = ~(lost | still)
    ax = axes_for(ax)
    draw_lines(ax, plane)
    frame(ax, plane.x, "x")
    frame(ax, plane.y, "y")
    with np.errstate(over="ignore"):
        lengths = np.hypot(du, dv)[moved].clip(palette.LEAST, palette.LARGEST)
    ends = _arrows(plane, u[moved], v[moved], du[moved], dv[moved], REACH / count)
    field = ax.quiver(
        u[moved],
        v[moved],
        *ends,
        lengths,
        angles="xy",
        scale_units="xy",
        scale=1,
        pivot="mid",
        cmap=COLORMAP,
        norm=_norm(lengths),
        width=0.045 / count,
        minlength=0,
        zorder=3,
    )
    handles = []
    for where, marker, label in ((still, ".", "does not move"), (lost, "x", "not finite")):
        if where.any():
            handles += ax.plot(u[where], v[where], marker, color=MARK, markersize=4, label=label)
    set_title(ax, result, title)
    if legend:
        if moved.any():
            extend = "min" if lengths.min() < field.norm.vmin else "neither"
            ax.figure.colorbar(field, ax=ax, label="length of a step", extend=extend)
        legend_below(ax, handles)
    return field


def _arrows(
    plane: Plane, u: np.ndarray, v: np.ndarray, du: np.ndarray, dv: np.ndarray, reach: float
) -> tuple[np.ndarray, np.ndarray]:
    """Steps brought to one length: the share `reach` of the picture, in the scales of its axes."""
    largest = np.maximum(np.abs(du), np.abs(dv))  # first, so that the least of steps are not lost
    spans = [axis.ends[1] - axis.ends[0] for axis in (plane.x, plane.y)]
    widths = np.stack(
        [
            span * at * np.log(10.0) if axis.log else np.full(at.shape, span)
            for axis, span, at in zip((plane.x, plane.y), spans, (u, v), strict=True)
        ]
    )
    shares = np.stack([du, dv]) / largest * (widths.min(axis=0) / widths)
    shares *= reach / np.hypot(*shares)
    along_u, along_v = (
        at * (np.power(10.0, share * span) - 1) if axis.log else share * span
        for axis, span, at, share in zip((plane.x, plane.y), spans, (u, v), shares, strict=True)
    )
    return along_u, along_v


def _norm(lengths: np.ndarray) -> Normalize:
    low, high = (float(lengths.min()), float(lengths.max())) if lengths.size else (0.1, 1.0)
    if high >= palette.LOG_FROM * low:
        return LogNorm(max(low, high / 10**DECADES), high)
    return Normalize(0.0, high)

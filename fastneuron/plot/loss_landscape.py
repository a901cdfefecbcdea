"""The landscape: the loss over a plane of two parameters, as contours."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LogNorm, Normalize
from matplotlib.contour import QuadContourSet
from matplotlib.ticker import FuncFormatter, MaxNLocator

from fastneuron.outcomes import Outcome
from fastneuron.plot.grid import axes_for, frame
from fastneuron.plot.kinds import MAP_SIZE, kind
from fastneuron.plot.legends import legend_below, set_title, swatch
from fastneuron.plot.palette import COLORS, LARGEST, LEAST, LOG_FROM
from fastneuron.plot.plane import Plane, plane_of

POINTS = 201  # along each axis
DECADES = 3  # of the loss, down from the largest, that have contours
MANTISSAS = (1, 2, 3, 5)
LABELLED = ("1", "3")  # first digits on the colour scale
ROUNDING = {"float64": 1e-9, "float32": 1e-5}  # the share by which losses differ that are the same
BANDS = 10  # about, where the levels are even


@kind(MAP_SIZE)
def landscape(
    result: xr.Dataset,
    *,
    x: str | None = None,
    y: str | None = None,
    ax: Axes | None = None,
    title: str | None = None,
    legend: bool = True,
) -> QuadContourSet:
    """Draw the loss that a sweep descends, with its penalty, over the plane of its two parameters.

    Parameters
    ----------
    result : Dataset
        A result over two axes that are parameters of the model, or one of more axes of which the others were
        selected; also half-finished. The losses are computed anew from the sweep in its attributes.
    x, y : str, optional
        The axis to the right and the one upward; default as in maps, the last one to the right.
    ax : Axes, optional
        Where to draw; default a new figure.
    title : str, optional
        Default: task, activation, loss and optimizer of the sweep.
    legend : bool
        Draw the colour scale, and name below the picture where the loss is not finite.

    Returns
    -------
    QuadContourSet
        The filled contours.

    Raises
    ------
    ValueError
        If the result does not tell its sweep, has not two axes, one is no parameter of the model, or a
        parameter that is no axis starts at random.

    Notes
    -----
    Parameters that are no axes have the values from which they start, though training changes them. Where the
    largest loss is 30 times the least positive one or more, the levels are 1, 2, 3 and 5 times the powers of
    ten, over three decades at most. With batches the loss is that of all samples.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import fastneuron as fn
    >>> axes = {"bias": fn.linspace(-20, 20, 9), "weight": fn.linspace(-20, 20, 9)}
    >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0), axes=axes)
    >>> result, ax = sweep.run(progress=False), Figure().subplots()
    >>> contours = fn.plot.landscape(result, ax=ax)
    >>> float(contours.levels.max())
    0.5
    """
    plane = plane_of(result, x, y)
    ax = axes_for(ax)
    contours, lost = draw_landscape(ax, plane, colormaps["viridis_r"])
    set_title(ax, result, title)
    if legend and not lost.all():
        label = "loss" if plane.sweep.penalty is None else "loss + penalty"
        bar = ax.figure.colorbar(contours, ax=ax, label=label)
        if isinstance(contours.norm, LogNorm):
            bar.set_ticks([level for level in contours.levels if f"{level:e}"[0] in LABELLED])
            bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda level, _: f"{level:g}"))
    if legend and lost.any():
        legend_below(ax, [swatch(COLORS[Outcome.DIVERGED], "not finite")])
    return contours


def draw_landscape(ax: Axes, plane: Plane, colormap: Colormap) -> tuple[QuadContourSet, np.ndarray]:
    """Draw the filled contours of the loss; and where it is not finite, of points from edge to edge."""
    u, v, losses, levels, norm = _heights(plane)
    lost = np.ma.getmaskarray(losses)
    if lost.any():
        ax.patch.set_facecolor(COLORS[Outcome.DIVERGED])
    extend = "min" if losses.min() < levels[0] else "neither"
    contours = ax.contourf(u, v, losses, levels=levels, norm=norm, cmap=colormap, extend=extend)
    _draw_lines(ax, (u, v, losses), levels, colors="black", linewidths=0.4, alpha=0.5)
    frame(ax, plane.x, "x")
    frame(ax, plane.y, "y")
    return contours, lost


def draw_lines(ax: Axes, plane: Plane) -> None:
    """Draw the contours of the loss as lines, behind what else there is."""
    u, v, losses, levels, _ = _heights(plane)
    _draw_lines(ax, (u, v, losses), levels, colors="#B0B0B0", linewidths=0.7, zorder=1)
    frame(ax, plane.x, "x")
    frame(ax, plane.y, "y")


def _draw_lines(ax: Axes, heights: tuple[np.ndarray, ...], levels: np.ndarray, **style: Any) -> None:
    crossed = levels[(levels > heights[2].min()) & (levels < heights[2].max())]
    if crossed.size:
        ax.contour(*heights, levels=crossed, **style)


def _heights(plane: Plane) -> tuple[np.ndarray, np.ndarray, np.ma.MaskedArray, np.ndarray, Normalize]:
    """Points from edge to edge, u and v, and their losses, of shape (y, x); levels, and the colours' norm."""
    shares = np.linspace(0.0, 1.0, POINTS)
    u, v = plane.at(*np.meshgrid(shares, shares))
    losses = told_apart(plane.loss(u, v))
    levels, norm = levels_of(losses.compressed(), ROUNDING[plane.sweep.dtype])
    if isinstance(norm, LogNorm):
        losses = np.ma.maximum(losses, levels[0] / 2)  # there is no logarithm of 0
    return u, v, losses, levels, norm


def told_apart(losses: np.ndarray) -> np.ma.MaskedArray:
    """Losses as they can be drawn: those that are not finite masked, those too small 0, none too large."""
    kept = np.where(np.abs(losses) < LEAST, 0.0, losses)
    return np.ma.masked_array(kept.clip(-LARGEST, LARGEST), ~np.isfinite(losses))


def levels_of(losses: np.ndarray, rounding: float) -> tuple[np.ndarray, Normalize]:
    """Ascending levels for contours of finite `losses`, and the norm of their colours.

    Those that differ by less than the share `rounding` are the same.
    """
    low, high = (float(losses.min()), float(losses.max())) if losses.size else (0.0, 1.0)
    positive = losses[losses > 0]
    if low >= 0 and positive.size and high >= LOG_FROM * positive.min():
        top = int(np.ceil(np.log10(high)))
        powers = 10.0 ** np.arange(top - DECADES - 1, top + 1)
        levels = np.outer(powers, MANTISSAS).ravel()
        above = np.searchsorted(levels, high)
        below = np.searchsorted(levels, positive.min(), side="right") - 1
        levels = levels[max(below, above - DECADES * len(MANTISSAS), 0) : above + 1]
        return levels, LogNorm(levels[0], levels[-1])
    if high - low <= rounding * max(abs(low), abs(high)):
        high = low + (0.1 * abs(low) or 1.0)
    even = np.asarray(MaxNLocator(BANDS).tick_values(low, high))
    return even, Normalize(even[0], even[-1])

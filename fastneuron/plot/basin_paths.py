"""Basins: paths of training over a plane, in the colours of what became of their starts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from fastneuron.arrays import checked_array
from fastneuron.components import Bound, checked_number, shown
from fastneuron.measures.shares import fractions
from fastneuron.outcomes import Outcome
from fastneuron.plot.counts import with_codes
from fastneuron.plot.grid import axes_for, require
from fastneuron.plot.kinds import MAP_SIZE, kind
from fastneuron.plot.legends import legend_right, not_computed_swatch, percent, set_title, swatch
from fastneuron.plot.loss_landscape import draw_landscape
from fastneuron.plot.outcome_map import outcome
from fastneuron.plot.palette import COLORS, muted
from fastneuron.plot.plane import Plane, plane_of
from fastneuron.plot.trajectory_path import draw_path, end_mark, start_mark

PATHS = Bound("a whole number from 1 to 1000", low=1, high=1001, whole=True)
TAIL = 0.005  # of an arrow, part of the picture: so short that only its head is seen
SHORTEST = 0.1  # part of the picture; a shorter path gets no arrow
DOTTED_UP_TO = 30  # steps
END = "#808080"  # of no outcome, for the legend
GREYS = ListedColormap(colormaps["Greys"](np.linspace(0.0, 0.55, 256)))


@kind(MAP_SIZE)
def basins(
    result: xr.Dataset,
    *,
    x: str | None = None,
    y: str | None = None,
    paths: int = 16,
    starts: Sequence[tuple[float, float]] | None = None,
    under: Literal["outcome", "landscape"] = "outcome",
    ax: Axes | None = None,
    title: str | None = None,
    legend: bool = True,
) -> list[Line2D]:
    """Draw paths of training from starts all over a plane, over the outcome map or the loss landscape.

    Parameters
    ----------
    result : Dataset
        As for `landscape`; the paths, too, are computed anew. Over the outcome map it needs ``outcome``.
    x, y : str, optional
        The axis to the right and the one upward; default as in maps, the last one to the right.
    paths : int, 1 to 1000
        How many, from starts that are spread evenly, the same ones every time.
    starts : sequence of (x, y), optional
        The starts themselves, instead.
    under : {"outcome", "landscape"}
        What is drawn below: what became of every start, in pale colours, or the loss, the darker the larger.
    ax : Axes, optional
        Where to draw; default a new figure.
    title : str, optional
        Default: task, activation, loss and optimizer of the sweep.
    legend : bool
        Name the outcomes, with their shares over the outcome map, and the marks of start and end.

    Returns
    -------
    list of Line2D
        One path for each start, in order.

    Raises
    ------
    ValueError
        As `landscape`; if ``outcome`` is missing, or `paths`, `starts` or `under` is not what is allowed.
    MemoryError
        If so many steps of so many paths do not fit into memory.

    Notes
    -----
    A path is followed as the sweep would, until its outcome, and cut off at the edges of the picture. Where
    other parameters are trained, too, it is seen from above.

    The starts are the first points of the sequence R2.

    References
    ----------
    Roberts (2018), The unreasonable effectiveness of quasirandom sequences.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import fastneuron as fn
    >>> axes = {"bias": fn.linspace(-20, 20, 9), "weight": fn.linspace(-20, 20, 9)}
    >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0), axes=axes)
    >>> result, ax = sweep.run(progress=False), Figure().subplots()
    >>> (path,) = fn.plot.basins(result, ax=ax, starts=[(2.0, -6.0)])
    >>> path.get_xydata()[-1].round(1).tolist()
    [-4.7, 2.2]
    """
    if under not in ("outcome", "landscape"):
        raise ValueError(f"under must be 'outcome' or 'landscape', got {shown(under)}")
    plane = plane_of(result, x, y)
    u, v = _spread(plane, paths) if starts is None else _given(starts)
    if under == "outcome":
        require(result, "outcome")
    path, us, vs = plane.descend(u, v, plane.sweep.stop.max_steps, plane.sweep.stop)
    ended = [Outcome(code) for code in path["outcome"].values]
    ax = axes_for(ax)
    handles = _muted_map(ax, plane, result, ended) if under == "outcome" else _landscape(ax, plane, ended)
    lines = [
        _draw(ax, plane, us[: last + 1, k], vs[: last + 1, k], COLORS[ended[k]])
        for k, last in enumerate(path["ended"].values)
    ]
    set_title(ax, result, title)
    if legend:
        legend_right(ax, [*handles, start_mark(), end_mark(END, "black")])
    return lines


def _spread(plane: Plane, paths: int) -> tuple[np.ndarray, np.ndarray]:
    """So many points evenly over the plane: the sequence R2, from its middle."""
    number = np.arange(checked_number("paths", paths, PATHS))
    root = 1.32471795724474602596  # of x^3 = x + 1
    return plane.at((0.5 + number / root) % 1.0, (0.5 + number / root**2) % 1.0)


def _given(starts: object) -> tuple[np.ndarray, np.ndarray]:
    wanted = "pairs of finite numbers, as [[-10, 5], [3, 0]]"
    points = checked_array("starts", starts, wanted)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ValueError(f"starts must be {wanted}, got {shown(starts)}")
    return points[:, 0], points[:, 1]


def _draw(ax: Axes, plane: Plane, u: np.ndarray, v: np.ndarray, color: str) -> Line2D:
    """Draw one path, and an arrow halfway along what is seen of it."""
    finite = np.logical_and.accumulate(np.isfinite(u) & np.isfinite(v))
    u, v = u[finite], v[finite]
    line = draw_path(ax, u, v, color, outlined=True, end=color, dotted_up_to=DOTTED_UP_TO)
    at = np.stack([plane.x.shares(u), plane.y.shares(v)])
    seen = np.logical_and.accumulate(((at >= 0) & (at <= 1)).all(axis=0))
    lengths = np.cumsum(np.hypot(*np.diff(at[:, seen])))
    if not lengths.size or lengths[-1] < SHORTEST:
        return line
    after = int(np.searchsorted(lengths, lengths[-1] / 2)) + 1
    tip, step = at[:, after - 1 : after + 1].mean(axis=1), at[:, after] - at[:, after - 1]
    tail = tip - TAIL * step / np.hypot(*step)
    ax.annotate(
        "",
        xy=(float(plane.x.along(tip[0])), float(plane.y.along(tip[1]))),
        xytext=(float(plane.x.along(tail[0])), float(plane.y.along(tail[1]))),
        arrowprops={
            "arrowstyle": "-|>,head_length=0.8,head_width=0.22",
            "facecolor": color,
            "edgecolor": "black",
            "mutation_scale": 14,
            "shrinkA": 0,
            "shrinkB": 0,
        },
        zorder=3.5,
    )
    return line


def _muted_map(ax: Axes, plane: Plane, result: xr.Dataset, ended: list[Outcome]) -> list[Patch]:
    """Draw the outcome map in pale colours; the legend's entries."""
    cells = outcome(result.transpose(plane.names[1], plane.names[0], ...), ax=ax, legend=False)
    assert not isinstance(cells, list)  # one map on these axes
    cells.set_cmap(ListedColormap([muted(color) for color in COLORS.values()]))
    missing = np.ma.getmaskarray(np.ma.asarray(cells.get_array()))
    shares = {} if missing.all() else fractions(with_codes(result)["outcome"])
    entries = []
    for member in Outcome:
        share = shares.get(member, 0.0)
        if share or member in ended:
            label = member.word + (f"  {percent(share)}" if share else "")
            pale = muted(COLORS[member])
            entries.append(Patch(facecolor=pale, edgecolor=COLORS[member], linewidth=1.5, label=label))
    return entries + ([not_computed_swatch()] if missing.any() else [])


def _landscape(ax: Axes, plane: Plane, ended: list[Outcome]) -> list[Patch]:
    """Draw the loss in grey; the legend's entries."""
    _, lost = draw_landscape(ax, plane, GREYS)
    entries = [swatch(COLORS[member], member.word) for member in Outcome if member in ended]
    return entries + ([swatch(COLORS[Outcome.DIVERGED], "loss not finite")] if lost.any() else [])

"""Grids: the drawing that all maps over one or two axes share.

A cell is centred at its coordinate. Coordinates may be descending, uneven, or a single value; an axis is
logarithmic where its values are nearer to a geometric progression than to an arithmetic one. Evenly
spaced grids, also on logarithmic axes, are drawn as an image, which stays fast at any size; uneven ones
as a mesh of cells.

Of a grid with more points than a picture can show, every k-th along an axis is read and drawn, as a cell of
the width of k. Its axes stay those of the whole grid.

Fields over a third axis, for small multiples, have it first: what is done to all cells, as the choice of a
scale of colours, is done for all panels at once. How panels are laid out stands in `fastneuron.plot.panels`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import Colormap, Normalize
from matplotlib.image import AxesImage

from fastneuron.measures.shares import NOT_COMPUTED
from fastneuron.plot.counts import with_codes
from fastneuron.plot.facets import Facets, Frames, axis_of_panels, chosen, labels_of
from fastneuron.plot.legends import hatch_background
from fastneuron.plot.palette import FARTHEST
from fastneuron.store.blocks import blocks_of

Cells = AxesImage | QuadMesh  # of a map

STRIP = 0.375  # height of a strip, of its width
MOST_CELLS = 2**21  # of a picture
MOST_MOVING = 2**24  # of all frames of an animation
SINGLE = 1e-3  # of a value alone, half the width of its cell, if that is more than 1/2
LARGEST_POWER = 290  # of ten, on a logarithmic axis
EVEN_SPREAD = 1.001  # float32 coordinates of thousands of points still count as even


@dataclass(frozen=True)
class GridAxis:
    """One axis of a grid: its values in ascending order, and the cells that are drawn.

    every : of so many values, one is drawn; places : those in the data, in ascending order of their values;
    edges : of the cells.
    """

    label: str
    values: np.ndarray
    every: int
    places: np.ndarray
    edges: np.ndarray
    log: bool
    even: bool

    @property
    def ends(self) -> tuple[float, float]:
        """The ends of cells that are all as wide as the first, in the scale of the axis.

        Where the last cell holds fewer values than the others, that is beyond the last edge.
        """
        low, high = np.log10(self.edges[[0, -1]]) if self.log else self.edges[[0, -1]]
        reach = len(self.places) * self.every / len(self.values)
        return float(low), float(low + reach * (high - low))

    def along(self, shares: np.ndarray) -> np.ndarray:
        """The values at these shares of the way between the ends: 0 at the first, 1 at the last."""
        low, high = self.ends
        values: np.ndarray = low + shares * (high - low)
        return np.power(10.0, values) if self.log else values

    def shares(self, values: np.ndarray) -> np.ndarray:
        """Where `values` are, as shares of the way between the ends; NaN where there is no logarithm."""
        low, high = self.ends
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            shares: np.ndarray = ((np.log10(values) if self.log else values) - low) / (high - low)
        return shares


@dataclass(frozen=True)
class Grid:
    """Fields over one or two axes; `y` is None over one axis, where fields have one row.

    `missing` is True where the outcome, if there is one, says that a point is not computed. `over` is the
    axis of the panels, the first one of the fields, or None; `data` the part of the result that is shown,
    and `selection` says in words which panels these are, if not all.
    """

    x: GridAxis
    y: GridAxis | None
    fields: dict[str, np.ndarray]
    missing: np.ndarray
    data: xr.Dataset
    over: str | None = None
    selection: str = ""

    @property
    def note(self) -> str:
        """Which panels and which starts are drawn, in words; empty where all are."""
        return "\n".join(filter(None, (self.selection, self._thinned())))

    def _thinned(self) -> str:
        axes = [axis for axis in (self.x, self.y) if axis is not None]
        strides = {axis.every for axis in axes}
        if strides == {1}:
            return ""
        if len(axes) == 2 and len(strides) == 1:
            return f"drawn: every {_ordinal(axes[0].every)} start along each axis"
        parts = [f"every {_ordinal(axis.every)} start along {axis.label}" for axis in axes if axis.every > 1]
        return f"drawn: {', '.join(parts)}"


def _ordinal(number: int) -> str:
    """A number as the place in a row: 2nd."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def require(data: xr.Dataset, *names: str) -> None:
    """Raise ValueError if `data` is no Dataset or lacks one of `names`."""
    if not isinstance(data, xr.Dataset):
        raise ValueError(f"give the whole result, an xarray.Dataset, not a {type(data).__name__}")
    empty = [str(dim) for dim, length in data.sizes.items() if not length]
    if empty:
        raise ValueError(f"this result is empty: nothing is left of its {', '.join(empty)}")
    for name in names:
        if name not in data.data_vars:
            has = ", ".join(str(variable) for variable in data.data_vars) or "nothing"
            raise ValueError(f"this result has no {name!r} (keep= left it out); it has: {has}")


def grid_of(data: xr.Dataset, *names: str, ax: Axes | Facets | None = None) -> Grid:
    """The fields `names`, and the outcome if there is one, of a result over its one or two axes.

    Of three axes, one is that of panels, if there is no `ax`; or of two as well, if that asks for it.

    Raises
    ------
    ValueError
        If a field is missing, or there are no or more axes.
    """
    require(data, *names)
    data = with_codes(data)
    dims = list(data[names[0]].dims)
    if not dims:
        raise ValueError("this result is a single start, there is nothing to map")
    over, selection = None, ""
    if isinstance(ax, Facets) or (ax is None and len(dims) == 3):
        facets = ax if isinstance(ax, Facets) else Facets()
        over = axis_of_panels(data, dims, facets.over)
        data, selection = chosen(data, over, facets.most)
        dims.remove(over)
    if len(dims) not in (1, 2):
        shown = ", ".join(str(dim) for dim in data[names[0]].dims)
        wanted = "a map has one or two axes" if over is None else "small multiples have two or three axes"
        count = data[names[0]].ndim
        raise ValueError(f"{wanted}, got {count} ({shown})" + "; select with .isel or .sel" * (count > 2))
    panels = [] if over is None else [over]
    room = MOST_MOVING if isinstance(ax, Frames) else MOST_CELLS
    strides = _strides([data.sizes[dim] for dim in dims], room // (data.sizes[over] if over else 1))
    axes = [grid_axis(str(dim), data[dim].values, every) for dim, every in zip(dims, strides, strict=True)]
    places = [np.arange(data.sizes[over]) for over in panels] + [axis.places for axis in axes]
    shape = (*(data.sizes[over] for over in panels), -1, len(axes[-1].places))
    fields = {}
    for name in names if "outcome" in names or "outcome" not in data.data_vars else (*names, "outcome"):
        fields[name] = _cells(data[name].transpose(*panels, *dims), places).reshape(shape)
    first = fields[names[0]]
    missing = fields["outcome"] == NOT_COMPUTED if "outcome" in fields else np.zeros(first.shape, bool)
    return Grid(axes[-1], axes[0] if len(axes) == 2 else None, fields, missing, data, over, selection)


def _strides(lengths: list[int], room: int) -> list[int]:
    """Of how many points along each axis one is drawn, so that there are at most `room`."""
    strides = [1] * len(lengths)
    for left, k in zip(range(len(lengths), 0, -1), np.argsort(lengths), strict=True):
        side = int(room ** (1 / left))
        strides[k] = -(-lengths[k] // side)
        room //= min(lengths[k], side)
    return strides


def _cells(array: xr.DataArray, places: list[np.ndarray]) -> np.ndarray:
    """The points of an array that are drawn, read block by block where these are not all."""
    if all(len(own) == length for own, length in zip(places, array.shape, strict=True)):
        whole: np.ndarray = array.values[np.ix_(*places)]
        return whole
    cells = np.empty([len(own) for own in places], array.dtype)
    for block in blocks_of(array):
        # the cells whose points are in this block
        inside = [
            np.flatnonzero((own >= part.start) & (own < part.stop))
            for own, part in zip(places, block.values(), strict=True)
        ]
        if not all(map(len, inside)):
            continue
        there = [
            own[here] - part.start for own, here, part in zip(places, inside, block.values(), strict=True)
        ]
        cells[np.ix_(*inside)] = array.isel(block).values[np.ix_(*there)]
    return cells


def grid_axis(name: str, values: np.ndarray, every: int = 1) -> GridAxis:
    """The axis of these values, of which every so many-th is drawn.

    Raises
    ------
    ValueError
        If they are no finite numbers or too large for Matplotlib, or one is there twice.
    """
    if values.dtype.kind not in "iuf" or not values.size or not np.isfinite(values).all():
        raise ValueError(f"axis {name!r} must hold finite numbers to be drawn, got {values.dtype}")
    values = values.astype(np.float64)
    if np.abs(values).max() > FARTHEST:
        raise ValueError(
            f"axis {name!r} must hold numbers up to {FARTHEST:g} to be drawn, got {values.max()}"
        )
    order = None if (np.diff(values) > 0).all() else np.argsort(values, kind="stable")
    values = values if order is None else values[order]
    steps = np.diff(values)
    if (steps == 0).any():
        raise ValueError(f"axis {name!r} holds a value twice; select one with .isel")
    log, even = False, _spread(steps) <= EVEN_SPREAD
    if (
        not even
        and len(values) > 2
        and values[0] >= 10.0**-LARGEST_POWER
        and values[-1] <= 10.0**LARGEST_POWER
    ):
        ratios = np.diff(np.log10(values))
        log = _spread(ratios) ** 2 <= _spread(steps)
        even = log and _spread(ratios) <= EVEN_SPREAD
    drawn = np.arange(every // 2, len(values) + every // 2, every).clip(max=len(values) - 1)
    places = drawn if order is None else order[drawn]
    edges = _edges(values, log)
    edges = np.append(edges[:-1:every], edges[-1])
    return GridAxis(name.replace("_", " "), values, every, places, edges, log, even)


def _spread(steps: np.ndarray) -> float:
    """Largest step over smallest; 1 where there are none."""
    return float(steps.max() / steps.min()) if len(steps) else 1.0


def _edges(values: np.ndarray, log: bool) -> np.ndarray:
    """Edges halfway between neighbours; the outer cells reach as far out as in."""
    if len(values) == 1:
        half = max(0.5, SINGLE * abs(float(values[0])))
        return np.array([values[0] - half, values[0] + half])
    centres = np.log10(values) if log else values
    middles = (centres[1:] + centres[:-1]) / 2
    edges = np.concatenate([[2 * centres[0] - middles[0]], middles, [2 * centres[-1] - middles[-1]]])
    return np.power(10.0, np.clip(edges, -LARGEST_POWER, LARGEST_POWER)) if log else edges


def axes_for(ax: Axes | None, *, strip: bool = False) -> Axes:
    """`ax`, or the axes of a new pyplot figure."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    width = plt.rcParams["figure.figsize"][0]
    return plt.subplots(layout="constrained", figsize=(width, STRIP * width) if strip else None)[1]


def draw_grid(ax: Axes, grid: Grid, values: np.ndarray, colormap: Colormap, norm: Normalize) -> Cells:
    """Draw `values`, shape (y, x), over the cells of `grid`, hatched where it is missing; label the axes."""
    if grid.missing.any():
        hatch_background(ax)
        values = np.ma.masked_array(values, grid.missing)
    y = grid.y if grid.y is not None else grid_axis("", np.zeros(1))
    frame(ax, grid.x, "x")
    frame(ax, y, "y")
    if grid.y is None:
        ax.yaxis.set_visible(False)
    if not (grid.x.even and y.even):
        return ax.pcolormesh(
            grid.x.edges, y.edges, values, cmap=colormap, norm=norm, shading="flat", rasterized=True
        )
    image = AxesImage(
        ax,
        cmap=colormap,
        norm=norm,
        interpolation="nearest",
        interpolation_stage="data",  # colours for the pixels only, not for every cell
        origin="lower",
        extent=(*grid.x.ends, *y.ends),
    )
    image.set_data(values)
    # the extent is in the scale's own units, so an image fits logarithmic axes too
    image.set_transform(ax.transLimits + ax.transAxes)
    image.set_clip_path(ax.patch)
    ax.add_image(image)
    return image


def frame(ax: Axes, axis: GridAxis, which: Literal["x", "y"]) -> None:
    """Set scale, limits and label of one axis of `ax`."""
    settings: dict[str, Any] = {
        f"{which}scale": "log" if axis.log else "linear",
        f"{which}lim": (axis.edges[0], axis.edges[-1]),
        f"{which}label": axis.label,
    }
    if len(axis.values) == 1:
        settings |= {f"{which}ticks": axis.values, f"{which}ticklabels": labels_of(axis.values)}
    ax.set(**settings)

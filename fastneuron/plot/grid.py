"""Grids: the drawing that all maps over one or two axes share.

A cell is centred at its coordinate. Coordinates may be descending, uneven, or a single value; an axis is
logarithmic where its values are nearer to a geometric progression than to an arithmetic one. Evenly
spaced grids, also on logarithmic axes, are drawn as an image, which stays fast at any size; uneven ones
as a mesh of cells.
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
from fastneuron.plot.legends import hatch_background

STRIP_HEIGHT = 2.4
EVEN_SPREAD = 1.001  # float32 coordinates of thousands of points still count as even


@dataclass(frozen=True)
class GridAxis:
    """One axis of a grid: ascending cell edges, and the order that sorts its values."""

    label: str
    values: np.ndarray
    edges: np.ndarray
    order: np.ndarray | None
    log: bool
    even: bool

    @property
    def ends(self) -> tuple[float, float]:
        """First and last edge, in the scale of the axis: log10 where it is logarithmic."""
        low, high = float(self.edges[0]), float(self.edges[-1])
        return (float(np.log10(low)), float(np.log10(high))) if self.log else (low, high)


@dataclass(frozen=True)
class Grid:
    """Fields over one or two axes; `y` is None over one axis, where fields have one row.

    `missing` is True where the outcome, if there is one, says that a point is not computed.
    """

    x: GridAxis
    y: GridAxis | None
    fields: dict[str, np.ndarray]
    missing: np.ndarray


def require(data: xr.Dataset, *names: str) -> None:
    """Raise ValueError if `data` is no Dataset or lacks one of `names`."""
    if not isinstance(data, xr.Dataset):
        raise ValueError(f"give the whole result, an xarray.Dataset, not a {type(data).__name__}")
    for name in names:
        if name not in data.data_vars:
            has = ", ".join(str(variable) for variable in data.data_vars) or "nothing"
            raise ValueError(f"this result has no {name!r} (keep= left it out); it has: {has}")


def grid_of(data: xr.Dataset, *names: str) -> Grid:
    """The fields `names`, and the outcome if there is one, of a result over its one or two axes.

    Raises
    ------
    ValueError
        If a field is missing, or there are no or more than two axes.
    """
    require(data, *names)
    dims = data[names[0]].dims
    if not dims:
        raise ValueError("this result is a single start, there is nothing to map")
    if len(dims) > 2:
        shown = ", ".join(str(dim) for dim in dims)
        raise ValueError(f"a map has one or two axes, got {len(dims)} ({shown}); select with .isel or .sel")
    axes = [_axis(str(dim), data[dim].values) for dim in dims]
    fields = {}
    for name in names if "outcome" in names or "outcome" not in data.data_vars else (*names, "outcome"):
        values = data[name].transpose(*dims).values
        for place, axis in enumerate(axes):
            if axis.order is not None:
                values = np.take(values, axis.order, axis=place)
        fields[name] = np.atleast_2d(values)
    first = fields[names[0]]
    missing = fields["outcome"] == NOT_COMPUTED if "outcome" in fields else np.zeros(first.shape, bool)
    return Grid(axes[-1], axes[0] if len(axes) == 2 else None, fields, missing)


def _axis(name: str, values: np.ndarray) -> GridAxis:
    if values.dtype.kind not in "iuf" or not values.size or not np.isfinite(values).all():
        raise ValueError(f"axis {name!r} must hold finite numbers to be drawn, got {values.dtype}")
    values = values.astype(np.float64)
    order = None if (np.diff(values) > 0).all() else np.argsort(values, kind="stable")
    values = values if order is None else values[order]
    steps = np.diff(values)
    if (steps == 0).any():
        raise ValueError(f"axis {name!r} holds a value twice; select one with .isel")
    log, even = False, _spread(steps) <= EVEN_SPREAD
    if not even and values[0] > 0 and len(values) > 2:
        ratios = np.diff(np.log10(values))
        log = _spread(ratios) ** 2 <= _spread(steps)
        even = log and _spread(ratios) <= EVEN_SPREAD
    return GridAxis(name.replace("_", " "), values, _edges(values, log), order, log, even)


def _spread(steps: np.ndarray) -> float:
    """Largest step over smallest; 1 where there are none."""
    return float(steps.max() / steps.min()) if len(steps) else 1.0


def _edges(values: np.ndarray, log: bool) -> np.ndarray:
    """Edges halfway between neighbours; the outer cells reach as far out as in."""
    if len(values) == 1:
        return np.array([values[0] - 0.5, values[0] + 0.5])
    centres = np.log10(values) if log else values
    middles = (centres[1:] + centres[:-1]) / 2
    edges = np.concatenate([[2 * centres[0] - middles[0]], middles, [2 * centres[-1] - middles[-1]]])
    return np.power(10.0, edges) if log else edges


def axes_for(ax: Axes | None, *, strip: bool = False) -> Axes:
    """`ax`, or the axes of a new pyplot figure."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    size = (6.4, STRIP_HEIGHT) if strip else None
    return plt.subplots(layout="constrained", figsize=size)[1]


def draw_grid(
    ax: Axes, grid: Grid, values: np.ndarray, colormap: Colormap, norm: Normalize
) -> AxesImage | QuadMesh:
    """Draw `values`, shape (y, x), over the cells of `grid`, hatched where it is missing; label the axes."""
    if grid.missing.any():
        hatch_background(ax)
        values = np.ma.masked_array(values, grid.missing)
    y = grid.y if grid.y is not None else _axis("", np.zeros(1))
    _frame(ax, grid.x, "x")
    _frame(ax, y, "y")
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


def _frame(ax: Axes, axis: GridAxis, which: Literal["x", "y"]) -> None:
    frame: dict[str, Any] = {
        f"{which}scale": "log" if axis.log else "linear",
        f"{which}lim": (axis.edges[0], axis.edges[-1]),
        f"{which}label": axis.label,
    }
    if len(axis.values) == 1:
        frame[f"{which}ticks"] = axis.values
    ax.set(**frame)

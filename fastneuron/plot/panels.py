"""Panels: a map on one axes, or as small multiples with one scale of colours and one legend for all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Patch
from matplotlib.ticker import Locator

from fastneuron.plot.caption import caption
from fastneuron.plot.facets import Facets, Frames, axis_of_panels, labels_of
from fastneuron.plot.grid import Cells, Grid, axes_for, draw_grid
from fastneuron.plot.legends import columns_of, legend_below, legend_right, set_title

# inches of a new figure at a font size of 10: a panel, a strip, and what stands around them
PANEL, STRIP_PANEL = (1.9, 1.9), (4.5, 0.9)
AROUND = (1.6, 1.3)
NARROWEST = 5.4  # where titles and legends have room


@dataclass(frozen=True)
class Look:
    """How a map shows its values, and what explains it.

    scale : label of the scale of colours, None for no scale; handles : entries of the legend; beside :
    whether it stands at the right, not below, with the title `heading`.
    """

    colormap: Colormap
    norm: Normalize
    handles: Sequence[Patch]
    beside: bool = False
    heading: str | None = None
    scale: str | None = None
    ticks: Locator | None = None


def draw_map(
    grid: Grid, values: np.ndarray, look: Look, ax: Axes | Facets | None, title: str | None, legend: bool
) -> Cells | list[Cells]:
    """Draw `values`, of the shape of the fields of `grid`: one map, or a panel for each along the first axis.

    Returns
    -------
    AxesImage or QuadMesh, or a list of them
        The cells, those of each panel for small multiples.
    """
    if isinstance(ax, Frames):
        ax.parts.append((grid, values, look))
        return []
    if grid.over is not None:
        return _draw_panels(grid, values, look, ax if isinstance(ax, Facets) else Facets(), title, legend)
    assert not isinstance(ax, Facets)  # a grid for facets has panels
    ax = axes_for(ax, strip=grid.y is None)
    cells = draw_grid(ax, grid, values, look.colormap, look.norm)
    set_title(ax, grid.data, title, grid.note)
    if legend:
        explain(ax, cells, look)
    return cells


def explain(ax: Axes, cells: Cells, look: Look) -> None:
    """The scale of colours and the legend of one map."""
    if look.scale is not None:
        ax.figure.colorbar(cells, ax=ax, label=look.scale, ticks=look.ticks)
    if look.beside:
        legend_right(ax, look.handles, look.heading)
    else:
        legend_below(ax, look.handles)


def _draw_panels(
    grid: Grid, values: np.ndarray, look: Look, facets: Facets, title: str | None, legend: bool
) -> list[Cells]:
    assert grid.over is not None
    names = labels_of(grid.data[grid.over].values)
    rows, columns = _rows_and_columns(len(names), facets.columns, strip=grid.y is None)
    figure = facets.figure or _new_figure(rows, columns, strip=grid.y is None)
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    drawn = []
    for k, (ax, name) in enumerate(zip(axes.flat, names, strict=False)):
        own = replace(grid, missing=grid.missing[k])
        drawn.append(draw_grid(ax, own, values[k], look.colormap, look.norm))
        ax.set_title(f"{grid.over.replace('_', ' ')} {name}", loc="left", fontsize="small")
        lowest = k + columns >= len(names)
        ax.xaxis.set_tick_params(labelbottom=lowest)
        if not lowest:
            ax.set_xlabel("")
        if k % columns:
            ax.set_ylabel("")
    for ax in axes.flat[len(names) :]:
        ax.remove()
    text = "\n".join(filter(None, (caption(grid.data), grid.note))) if title is None else title
    figure.suptitle(text, x=0.01, ha="left", fontsize="medium")
    if legend:
        _explain(figure, axes, drawn, look)
    return drawn


def _rows_and_columns(panels: int, columns: int | None, strip: bool) -> tuple[int, int]:
    """Strips one below the other; maps up to three side by side, then in about as many columns as rows."""
    if columns is None:
        columns = 1 if strip else panels if panels <= 3 else math.ceil(math.sqrt(panels))
    columns = min(panels, columns)
    return math.ceil(panels / columns), columns


def _inches(rows: int, columns: int, strip: bool) -> tuple[float, float]:
    """The usual size of a figure, in the font size that is set."""
    size = rcParams["font.size"] / 10
    width, height = STRIP_PANEL if strip else PANEL
    return max(NARROWEST, columns * width + AROUND[0]) * size, (rows * height + AROUND[1]) * size


def _new_figure(rows: int, columns: int, strip: bool) -> Figure:
    import matplotlib.pyplot as plt

    return plt.figure(figsize=_inches(rows, columns, strip), layout="constrained")


def usual_size(result: xr.Dataset, variable: xr.DataArray, facets: Facets) -> tuple[float, float]:
    """Inches of a figure of small multiples of maps of a variable of `result`.

    Raises
    ------
    ValueError
        If ``over`` is none of its axes.
    """
    values = variable.sizes[axis_of_panels(result, variable.dims, facets.over)]
    strip = variable.ndim == 2
    return _inches(*_rows_and_columns(min(values, facets.most), facets.columns, strip), strip)


def _explain(figure: Figure | SubFigure, axes: np.ndarray, drawn: list[Cells], look: Look) -> None:
    """The one scale of colours and the one legend of small multiples."""
    if look.scale is not None:
        figure.colorbar(drawn[0], ax=figure.axes, label=look.scale, ticks=look.ticks)
    if look.beside:
        legend_right(axes[0, -1], look.handles, look.heading)
    elif look.handles:
        figure.legend(
            handles=list(look.handles),
            ncols=columns_of(look.handles, figure),
            loc="outside lower left",
            frameon=False,
            fontsize="small",
        )

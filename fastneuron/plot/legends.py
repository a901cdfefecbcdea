"""Legends: what stands around a map: its title, its legend, the background where it is masked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import xarray as xr
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Patch
from matplotlib.transforms import ScaledTranslation

from fastneuron.plot.caption import caption
from fastneuron.plot.palette import HATCH, NOT_COMPUTED


def swatch(color: str, label: str) -> Patch:
    """A legend entry of one colour."""
    return Patch(facecolor=color, edgecolor="#404040", linewidth=0.5, label=label)


def not_computed_swatch() -> Patch:
    """The legend entry of points that are not computed."""
    return Patch(facecolor=NOT_COMPUTED, edgecolor=HATCH, linewidth=0.5, hatch="////", label="not computed")


def hatch_background(ax: Axes) -> None:
    """Hatch the background of `ax`: it shows where a map is masked."""
    ax.patch.set(facecolor=NOT_COMPUTED, edgecolor=HATCH, linewidth=0.0, hatch="////")


def set_title(ax: Axes, data: xr.Dataset, title: str | None, note: str = "") -> None:
    """Set `title`, or where it is None the caption of `data`, and below it a note."""
    text = "\n".join(filter(None, (caption(data), note))) if title is None else title
    ax.set_title(text, loc="left", fontsize="medium")


def legend_right(ax: Axes, handles: Sequence[Any], title: str | None = None) -> None:
    """A legend to the right of the axes, clear of the map."""
    ax.legend(
        handles=list(handles),
        title=title,
        alignment="left",
        loc="upper left",
        bbox_to_anchor=(1.02, 1.0),
        borderaxespad=0.0,
        frameon=False,
        fontsize="small",
    )


def legend_below(ax: Axes, handles: Sequence[Any]) -> None:
    """A legend below the axis label, in one row where the figure has room; nothing without handles."""
    if not handles:
        return
    figure = ax.get_figure(root=True)
    assert figure is not None  # axes_for gives axes of a figure
    size = float(ax.xaxis.label.get_fontsize())
    below = ax.transAxes + ScaledTranslation(0.0, -3.6 * size / 72, figure.dpi_scale_trans)
    ax.legend(
        handles=list(handles),
        ncols=columns_of(handles, figure),
        loc="upper left",
        bbox_to_anchor=(0.0, 0.0),
        bbox_transform=below,
        borderaxespad=0.0,
        frameon=False,
        fontsize="small",
    )


def columns_of(handles: Sequence[Patch], figure: Figure | SubFigure) -> int:
    """All entries of a legend in one row where that is not wider than the figure, else in one column."""
    letter = 0.5 * rcParams["font.size"] / 72  # inches of a small one, about
    row = sum(len(str(handle.get_label())) + 6 for handle in handles) * letter
    return len(handles) if row <= figure.bbox.width / figure.get_dpi() else 1


def percent(share: float) -> str:
    """A share as text; what is there never reads 0 %, what is not all never 100 %."""
    if 0 < share < 0.0005:
        return "<0.1 %"
    return ">99.9 %" if 0.9995 <= share < 1 else f"{100 * share:.1f} %"

"""Final numbers: the drawing that the maps of a final loss or error share."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize

from fastneuron.outcomes import Outcome
from fastneuron.plot.facets import Facets
from fastneuron.plot.grid import Cells, grid_of
from fastneuron.plot.legends import not_computed_swatch, swatch
from fastneuron.plot.palette import COLORS, LARGEST, LEAST, LOG_FROM, sequential
from fastneuron.plot.panels import Look, draw_map

ZERO = "#FFFFFF"
ALIKE = 64  # last bits by which numbers differ that are the same
ROUNDING = 1e-6  # so that the extremes stay within the range of the colours


def draw_final(
    data: xr.Dataset, name: str, *, ax: Axes | Facets | None, title: str | None, legend: bool
) -> Cells | list[Cells]:
    """Draw the final number `name` of every start, brighter where it is less.

    The colour scale is logarithmic where the largest number is `LOG_FROM` times the least that is positive,
    and then 0 is white. Numbers are clipped to 1e200, positive ones also to 1e-200. What is not
    finite is nearly black.

    Raises
    ------
    ValueError
        If there is no variable `name`, or it has no or more than two axes, three without `ax`.
    """
    grid = grid_of(data, name, ax=ax)
    values = grid.fields[name].astype(np.float64)
    finite = np.isfinite(values) & ~grid.missing
    np.clip(values, -LARGEST, LARGEST, out=values, where=finite)
    np.maximum(values, LEAST, out=values, where=finite & (values > 0))
    shown = values[finite] if finite.any() else np.array([0.0, 1.0])
    low, high, positive = float(shown.min()), float(shown.max()), shown[shown > 0]
    zero = np.zeros(values.shape, bool)
    norm: Normalize
    if low >= 0 and positive.size and high >= LOG_FROM * positive.min():
        zero = finite & (values == 0)
        low = float(positive.min())
        values[zero] = low / 2
        norm = LogNorm(low * (1 - ROUNDING), high * (1 + ROUNDING))
    else:
        alike = high - low <= ALIKE * np.finfo(grid.fields[name].dtype).eps * max(abs(low), abs(high))
        norm = Normalize(low, low + (0.1 * abs(low) or 1.0) if alike else high)
    values[~finite] = 2 * abs(high) + 1
    handles = [swatch(ZERO, "0")] if zero.any() else []
    if not (finite | grid.missing).all():
        handles.append(swatch(COLORS[Outcome.DIVERGED], "not finite"))
    if grid.missing.any():
        handles.append(not_computed_swatch())
    colormap = sequential(under=ZERO, over=COLORS[Outcome.DIVERGED])
    look = Look(colormap, norm, handles, scale=f"final {name}" if finite.any() else None)
    return draw_map(grid, values, look, ax, title, legend)

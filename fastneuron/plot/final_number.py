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
from fastneuron.plot.palette import COLORS, LOG_FROM, sequential
from fastneuron.plot.panels import Look, draw_map

ZERO = "#FFFFFF"
LEAST, LARGEST = 1e-200, 1e200  # Matplotlib's scales overflow beyond
ROUNDING = 1e-6  # so that the extremes stay within the range of the colours


def draw_final(
    data: xr.Dataset, name: str, *, ax: Axes | Facets | None, title: str | None, legend: bool
) -> Cells | list[Cells]:
    """Draw the final number `name` of every start, brighter where it is less.

    The colour scale is logarithmic where the largest number is `LOG_FROM` times the least that is positive,
    and then 0 is white. Numbers are clipped to 1e200, on a logarithmic scale also to 1e-200. What is not
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
    shown = values[finite] if finite.any() else np.array([0.0, 1.0])
    low, high, positive = float(shown.min()), float(shown.max()), shown[shown > 0]
    zero = np.zeros(values.shape, bool)
    norm: Normalize
    if low >= 0 and positive.size and high >= LOG_FROM * positive.min():
        zero = finite & (values == 0)
        low = max(float(positive.min()), LEAST)
        np.maximum(values, LEAST, out=values, where=finite)
        values[zero] = low / 2
        norm = LogNorm(low * (1 - ROUNDING), high * (1 + ROUNDING))
    else:
        norm = Normalize(low, high if high > low else low + (0.1 * abs(low) or 1.0))
    values[~finite] = 2 * abs(high) + 1
    handles = [swatch(ZERO, "0")] if zero.any() else []
    if not (finite | grid.missing).all():
        handles.append(swatch(COLORS[Outcome.DIVERGED], "not finite"))
    if grid.missing.any():
        handles.append(not_computed_swatch())
    colormap = sequential(under=ZERO, over=COLORS[Outcome.DIVERGED])
    look = Look(colormap, norm, handles, scale=f"final {name}" if finite.any() else None)
    return draw_map(grid, values, look, ax, title, legend)

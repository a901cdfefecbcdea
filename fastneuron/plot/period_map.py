"""The period map: after how many steps the starts that cycle return."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from fastneuron.plot import palette
from fastneuron.plot.counts import counts_of
from fastneuron.plot.facets import Facets
from fastneuron.plot.grid import Cells, grid_of
from fastneuron.plot.kinds import kind
from fastneuron.plot.legends import not_computed_swatch, percent, swatch
from fastneuron.plot.panels import Look, draw_map

SHORTEST = 2  # what is settled has period 1, all else 0
NONE = palette.muted(palette.OTHER)


@kind()
def period(
    data: xr.Dataset, *, ax: Axes | Facets | None = None, title: str | None = None, legend: bool = True
) -> Cells | list[Cells]:
    """Draw the period of every start that cycles, each of the eight most frequent in a colour of its own.

    Parameters
    ----------
    data : Dataset
        A result with ``period`` over one or two axes; what is not computed is drawn so.
    ax : Axes, optional
        Where to draw; default a new figure. Without, a result over three axes is drawn as by
        `small_multiples`.
    title : str, optional
        Default: task, activation, loss and optimizer of the sweep.
    legend : bool
        Name the periods, shortest first, with their shares of the computed starts.

    Returns
    -------
    AxesImage or QuadMesh, or a list of them
        The cells; their values are the places in the legend from 0.

    Raises
    ------
    ValueError
        If there is no ``period``, or it has no or more than two axes, three without `ax`.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import fastneuron as fn
    >>> axes = {"bias": fn.linspace(-20, 20, 9), "weight": fn.linspace(-20, 20, 9)}
    >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0), axes=axes)
    >>> result, ax = sweep.run(progress=False), Figure().subplots()
    >>> cells = fn.plot.period(result, ax=ax)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['none  100.0 %']
    """
    grid = grid_of(data, "period", ax=ax)
    periods = grid.fields["period"]
    grid = replace(grid, missing=grid.missing | (periods < 0))
    lengths, counts = counts_of(grid.data, "period")
    lengths, shares = lengths[lengths >= 0], counts[lengths >= 0] / max(counts[lengths >= 0].sum(), 1)
    cycling = np.flatnonzero(lengths >= SHORTEST)
    frequent = np.sort(cycling[np.argsort(-shares[cycling], kind="stable")[: len(palette.CATEGORIES)]])
    entries = [
        (color, f"{lengths[k]}  {percent(shares[k])}")
        for color, k in zip(palette.CATEGORIES, frequent, strict=False)
    ]
    places = np.full(periods.shape, len(frequent), np.int8)
    for place, k in enumerate(frequent):
        places[periods == lengths[k]] = place
    others = len(cycling) - len(frequent)
    if others:
        share = shares[cycling].sum() - shares[frequent].sum()
        entries.append((palette.OTHER, f"other ({others})  {percent(share)}"))
    places[periods < SHORTEST] = len(entries)
    entries.append((NONE, f"none  {percent(shares[lengths < SHORTEST].sum())}"))
    colormap, norm = palette.listed([color for color, _ in entries])
    if len(cycling) == len(lengths):
        entries.pop()
    handles = [swatch(*entry) for entry in entries]
    if grid.missing.any():
        handles.append(not_computed_swatch())
    look = Look(colormap, norm, handles, beside=True, heading="period")
    return draw_map(grid, places, look, ax, title, legend)

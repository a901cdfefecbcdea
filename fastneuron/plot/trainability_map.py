"""The trainability map: which learning rates train a network, and how fast (Sohl-Dickstein 2024).

References
----------
Sohl-Dickstein (2024), "The boundary of neural network trainability is fractal", arXiv:2402.06184.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, to_hex

from fastneuron.measures.trainability import NEEDED, converged, shade
from fastneuron.plot.facets import Facets
from fastneuron.plot.grid import Cells, grid_of
from fastneuron.plot.kinds import kind
from fastneuron.plot.legends import not_computed_swatch, swatch
from fastneuron.plot.panels import Look, draw_map


@kind()
def trainability(
    data: xr.Dataset, *, ax: Axes | Facets | None = None, title: str | None = None, legend: bool = True
) -> Cells | list[Cells]:
    """Draw which points converge, in blue, and which do not, in red.

    Parameters
    ----------
    data : Dataset
        A result over one or two axes with what `fastneuron.measures.shade` needs.
    ax : Axes, optional
        Where to draw; default a new figure. Without, a result over three axes is drawn as by
        `small_multiples`.
    title : str, optional
        Default: task, activations, loss and optimizer of the sweep, and which starts are drawn if not all.
    legend : bool
        Name the colours below the map.

    Returns
    -------
    AxesImage or QuadMesh, or a list of them
        The cells; their values are from -1 to 0 where a point does not converge, from 0 to 1 where it does.

    Raises
    ------
    ValueError
        If what is needed was not recorded, or there are no or more than two axes, three without `ax`.

    Notes
    -----
    The darker, the faster: a colour is the rank of a point's shade among those that converge, or among those
    that do not. Pale colours are near the boundary.

    Examples
    --------
    >>> import xarray as xr
    >>> from matplotlib.figure import Figure
    >>> import fastneuron as fn
    >>> sums = {"loss_sum": [9.0, 30.0, 3e6], "inverse_sum": [90.0, 40.0, 1.5], "late_loss": [0.1, 0.5, 1e6]}
    >>> variables = {name: ("learning_rate", values) for name, values in sums.items()}
    >>> result = xr.Dataset(variables, {"learning_rate": [0.1, 1.0, 10.0]})
    >>> cells = fn.plot.trainability(result, ax=Figure().subplots())
    >>> cells.get_array().round(2).tolist()
    [[0.75, 0.25, -0.5]]
    """
    grid = grid_of(data, *NEEDED, ax=ax)
    grid = replace(grid, missing=grid.missing | np.isnan(grid.fields["late_loss"]))
    values = _ranked(grid.fields, grid.missing)
    colormap = colormaps["RdYlBu"]
    handles = [
        swatch(to_hex(colormap(0.92)), "converges: the late losses are below the first"),
        swatch(to_hex(colormap(0.08)), "does not"),
    ]
    handles += [not_computed_swatch()] if grid.missing.any() else []
    return draw_map(grid, values, Look(colormap, Normalize(-1, 1), handles), ax, title, legend)


def _ranked(fields: dict[str, np.ndarray], missing: np.ndarray) -> np.ndarray:
    """Ranks of the shades, from 0 to 1 where a point converges, from 0 to -1 where it does not."""
    table = xr.Dataset({name: (("panel", "y", "x")[-missing.ndim :], fields[name]) for name in NEEDED})
    trains, shades = converged(table).values, shade(table).values
    values = np.zeros(trains.shape)
    for side, sign in ((trains & ~missing, 1.0), (~trains & ~missing, -1.0)):
        # of those that do not converge, the largest sums of inverses blew up last
        keys = sign * shades[side]
        _, place, counts = np.unique(keys, return_inverse=True, return_counts=True)
        after = np.cumsum(counts)
        values[side] = sign * (after - counts / 2)[place] / max(1, keys.size)
    return values

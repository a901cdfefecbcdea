"""The steps map: how long the starts took that got somewhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, SymLogNorm
from matplotlib.ticker import MaxNLocator

from fastneuron.outcomes import Outcome
from fastneuron.plot import palette
from fastneuron.plot.facets import Facets
from fastneuron.plot.grid import Cells, grid_of
from fastneuron.plot.kinds import kind
from fastneuron.plot.legends import not_computed_swatch, swatch
from fastneuron.plot.palette import LOG_FROM, sequential
from fastneuron.plot.panels import Look, draw_map


@kind()
def steps(
    data: xr.Dataset,
    *,
    outcomes: Sequence[Outcome | str] = (Outcome.REACHED, Outcome.SETTLED),
    ax: Axes | Facets | None = None,
    title: str | None = None,
    legend: bool = True,
) -> Cells | list[Cells]:
    """Draw the number of steps of the starts that ended in one of `outcomes`; the others are grey.

    Parameters
    ----------
    data : Dataset
        A result with ``steps`` and ``outcome`` over one or two axes.
    outcomes : sequence of Outcome or str
        Whose steps to show.
    ax : Axes, optional
        Where to draw; default a new figure. Without, a result over three axes is drawn as by
        `small_multiples`.
    title : str, optional
        Default: task, activation, loss and optimizer of the sweep, and which starts are drawn if not all.
    legend : bool
        Draw the colour scale, and name the grey starts and those not computed below the map.

    Returns
    -------
    AxesImage or QuadMesh, or a list of them
        The cells; their values are -1 where the outcome is another one.

    Raises
    ------
    ValueError
        If a variable is missing, or it has no or more than two axes, three without `ax`.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import fastneuron as fn
    >>> grid = {"bias": fn.linspace(-20, 20, 8), "weight": fn.linspace(-20, 20, 8)}
    >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0), axes=grid)
    >>> cells = fn.plot.steps(sweep.run(), ax=Figure().subplots())
    >>> cells.get_array().shape
    (8, 8)
    """
    members = [_member(given) for given in outcomes]
    grid = grid_of(data, "steps", "outcome", ax=ax)
    codes = grid.fields["outcome"]
    shown = np.isin(codes, [int(member) for member in members])
    counts = np.where(shown, grid.fields["steps"], -1)
    names = " or ".join(member.word for member in members)
    handles = []
    if not (shown | grid.missing).all():
        handles.append(swatch(palette.OTHER, f"not {names}"))
    if grid.missing.any():
        handles.append(not_computed_swatch())
    colormap, norm = sequential(under=palette.OTHER), _norm(grid.fields["steps"][shown])
    whole = None if isinstance(norm, SymLogNorm) else MaxNLocator(integer=True)
    look = Look(colormap, norm, handles, scale="steps" if shown.any() else None, ticks=whole)
    return draw_map(grid, counts, look, ax, title, legend)


def _norm(counts: np.ndarray) -> Normalize:
    low, high = (int(counts.min()), int(counts.max())) if counts.size else (0, 1)
    if high >= LOG_FROM * max(low, 1):
        return SymLogNorm(linthresh=1, linscale=0.3, vmin=low, vmax=high, base=10)
    return Normalize(low, max(high, low + 1))


def _member(given: Outcome | str) -> Outcome:
    """The outcome of a name, or itself."""
    try:
        return Outcome(given)  # type: ignore[arg-type] # which takes names, too
    except ValueError as error:
        raise ValueError(f"outcomes: {error}") from None

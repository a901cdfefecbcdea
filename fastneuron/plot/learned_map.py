"""The learned map: which truth table the final outputs of every start spell."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from fastneuron.outcomes import Outcome
from fastneuron.plot import palette
from fastneuron.plot.caption import task_of
from fastneuron.plot.counts import counts_of
from fastneuron.plot.facets import Facets
from fastneuron.plot.grid import Cells, grid_of
from fastneuron.plot.kinds import kind
from fastneuron.plot.legends import not_computed_swatch, percent, swatch
from fastneuron.plot.panels import Look, draw_map

NO_TABLE = -1
MOST_SAMPLES = 32


@kind()
def learned(
    data: xr.Dataset, *, ax: Axes | Facets | None = None, title: str | None = None, legend: bool = True
) -> Cells | list[Cells]:
    """Draw the truth table that every start ends with, the eight most frequent each in a colour.

    Parameters
    ----------
    data : Dataset
        A result with ``learned`` over one or two axes; where it has ``outcome``, starts that are not
        computed are drawn so.
    ax : Axes, optional
        Where to draw; default a new figure. Without, a result over three axes is drawn as by
        `small_multiples`.
    title : str, optional
        Default: task, activation, loss and optimizer of the sweep, and which starts are drawn if not all.
    legend : bool
        Name the truth tables, most frequent first, with their shares of the computed starts.

    Returns
    -------
    AxesImage or QuadMesh, or a list of them
        The cells; their values are the places in the legend from 0.

    Raises
    ------
    ValueError
        If there is no ``learned``, or it has no or more than two axes, three without `ax`, or the
        task has several outputs or more than 32 samples.

    Notes
    -----
    A table is written in binary, ``0b01``: bit i, from the right, is the output for sample i. The
    task's own table has the colour of REACHED.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import fastneuron as fn
    >>> grid = {"bias": fn.linspace(-20, 20, 8), "weight": fn.linspace(-20, 20, 8)}
    >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0), axes=grid)
    >>> cells = fn.plot.learned(sweep.run(), ax=Figure().subplots())
    >>> cells.get_array().shape
    (8, 8)
    """
    grid = grid_of(data, "learned", ax=ax)
    tables = grid.fields["learned"]
    computed = tables[~grid.missing]
    if "outcome" in grid.fields and computed.size and (computed == NO_TABLE).all():
        raise ValueError(f"there is no truth table {_reason(data)}")
    found, counts = counts_of(grid.data, "learned")
    frequent = np.argsort(-counts, kind="stable")[: len(palette.CATEGORIES)]
    places = np.full(tables.shape, len(frequent), np.int8)
    for place, index in enumerate(frequent):
        places[tables == found[index]] = place
    bits, target = _bits_and_target(data, found)
    texts = [_text(int(table), bits, target) for table in found[frequent]]
    colors = list(palette.CATEGORIES)
    if target in found[frequent]:
        colors.insert(found[frequent].tolist().index(target), palette.COLORS[Outcome.REACHED])
    colors = [*colors[: len(frequent)], palette.OTHER]
    shares = counts[frequent] / max(counts.sum(), 1)
    handles = [
        swatch(color, f"{text}  {percent(share)}")
        for color, text, share in zip(colors, texts, shares, strict=False)
    ]
    if len(found) > len(frequent):
        others = f"other ({len(found) - len(frequent)})  {percent(1 - shares.sum())}"
        handles.append(swatch(palette.OTHER, others))
    if grid.missing.any():
        handles.append(not_computed_swatch())
    look = Look(*palette.listed(colors), handles, beside=True, heading="truth table")
    return draw_map(grid, places, look, ax, title, legend)


def _reason(data: xr.Dataset) -> str:
    """Why no start has a truth table."""
    task = task_of(data)
    outputs = 1 if task is None else task.outputs
    if outputs > 1:
        return f"for {outputs} outputs, only for one"
    if task is not None and task.samples > MOST_SAMPLES:
        return f"for more than {MOST_SAMPLES} samples, and the task has {task.samples}"
    return f"for more than {MOST_SAMPLES} samples, or for several outputs"


def _bits_and_target(data: xr.Dataset, tables: np.ndarray) -> tuple[int, int | None]:
    """Width of a truth table, and the one that the task asks for if the attributes tell."""
    task = task_of(data)
    if task is None:
        return max([int(table).bit_length() for table in tables], default=1), None
    ones = task.y[:, 0] >= task.middle
    return task.samples, sum(1 << int(place) for place in np.flatnonzero(ones))


def _text(table: int, bits: int, target: int | None) -> str:
    if table < 0:
        return "none"
    return f"0b{table:0{max(bits, 1)}b}" + (" (target)" if table == target else "")

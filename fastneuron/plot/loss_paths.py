"""Loss curves: how the loss of many starts of a sweep falls, step by step."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from fastneuron.outcomes import Outcome
from fastneuron.plot.following import spread
from fastneuron.plot.grid import axes_for, require
from fastneuron.plot.kinds import kind
from fastneuron.plot.legends import legend_right, set_title
from fastneuron.plot.palette import COLORS, LARGEST, LEAST
from fastneuron.plot.shown_part import drawn_sweep
from fastneuron.plot.stacked import ORDER
from fastneuron.result import places_in_sweep
from fastneuron.selection import within

DEEPEST = 1e-10  # of the largest loss in view: deeper ones leave little room for the others
EDGE = "#404040"


@kind((7.5, 4.5))
def loss_curves(
    result: xr.Dataset,
    *,
    curves: int = 50,
    steps: int | None = None,
    seed: int = 0,
    ax: Axes | None = None,
    title: str | None = None,
    legend: bool = True,
) -> list[Line2D]:
    """Draw the loss over the steps for starts of a sweep, which are followed anew under its own settings.

    Parameters
    ----------
    result : Dataset
        A result of `Sweep.run`, or a part of it. Hyperparameters that are axes are those of each start:
        select a value, as with ``result.sel(learning_rate=10)``, to compare starts under the same.
    curves : int, 1 or more
        How many starts to follow, evenly spread over all axes of the result.
    steps : int, 1 <= steps < 2**31, optional
        How many steps to follow them; default the sweep's max_steps.
    seed : int, 0 <= seed < 2**63
        Which starts: another number chooses others, as evenly spread.
    ax : Axes, optional
        Where to draw; default a new figure.
    title : str, optional
        Default: task, activation, loss and optimizer of the sweep, and how many starts are drawn.
    legend : bool
        Name the outcomes at the right, with the number of starts drawn.

    Returns
    -------
    list of Line2D
        One curve for each start followed, ending where the start ended.

    Raises
    ------
    ValueError
        If the result is of no sweep, or was changed so that its points are not in its sweep; or if a number
        is not what is described here.
    MemoryError
        If all steps of one start do not fit into memory.

    Notes
    -----
    Both axes are logarithmic, but for step 0. The losses in view are those of the starts that did not
    diverge, down to 1e-10 of the largest, and all first ones; a loss of 0 lies below. Outcomes are those
    of the runs that are drawn, within `steps`. The runs are those of the sweep, with the same random starts
    and batches.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import fastneuron as fn
    >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0),
    ...                  axes={"bias": [-1, 1], "weight": [-1, 0, 1]})
    >>> len(fn.plot.loss_curves(sweep.run(), curves=4, ax=Figure().subplots()))
    4
    """
    _check_whole("curves", curves, 1)
    _check_whole("steps", 1 if steps is None else steps, 1)
    _check_whole("seed", seed, 0)
    if seed >= 2**63:
        raise ValueError(f"seed must be below 2**63, got {seed}")
    if not isinstance(result, xr.Dataset) or "sweep" not in result.attrs:
        raise ValueError("give the result of a sweep, an xarray.Dataset with its sweep in the attributes")
    require(result)
    sweep = drawn_sweep(result)
    places, followed = places_in_sweep(result, sweep), within(sweep, steps)
    chosen = spread([len(own) for own in places.values()], curves, seed)
    from fastneuron.engine.trajectories import replay  # brings Numba, which other pictures do without

    losses, outcomes = [], []
    for point in chosen:
        here = {dim: int(own[k]) for (dim, own), k in zip(places.items(), point, strict=True)}
        path = replay(followed, **here)
        losses.append(path["loss"].values.astype(np.float64))
        outcomes.append(Outcome(int(path["outcome"])))
    ax = axes_for(ax)
    ax.set_xscale("symlog", linthresh=1, linscale=0.3, subs=range(2, 10))
    ax.set_yscale("log")
    limits = _limits(losses, outcomes)
    drawn = [_draw(ax, loss, outcome) for loss, outcome in zip(losses, outcomes, strict=True)]
    ax.set(xlim=(-0.2, max(1, *map(len, losses)) * 1.1), ylim=limits, xlabel="step", ylabel="loss")
    of = f" of {np.prod([len(own) for own in places.values()]):,}" if len(chosen) == curves else ""
    set_title(ax, result, title, f"{len(chosen)}{of} starts")
    if legend:
        legend_right(ax, _entries(outcomes))
    return drawn


def _check_whole(name: str, value: object, least: int) -> None:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < least:  # type: ignore[operator]
        raise ValueError(f"{name} must be a whole number of {least} or more, got {value!r}")


def _limits(losses: list[np.ndarray], outcomes: list[Outcome]) -> tuple[float, float]:
    """Limits of the losses that no diverging start and no loss near 0 moves."""
    seen = [
        loss[:1] if outcome == Outcome.DIVERGED else loss
        for loss, outcome in zip(losses, outcomes, strict=True)
    ]
    every = np.concatenate(seen)
    every = every[np.isfinite(every) & (every >= LEAST) & (every <= LARGEST)]
    high = float(every.max()) if every.size else 1.0
    low = float(max(every.min(), DEEPEST * high)) if every.size else 0.1
    margin = max((high / low) ** 0.04, 1.1)
    return low / margin, high * margin


def _draw(ax: Axes, loss: np.ndarray, outcome: Outcome) -> Line2D:
    shown = np.clip(np.where(np.isnan(loss), np.inf, loss), LEAST, LARGEST)
    end = [len(loss) - 1] if outcome != Outcome.UNFINISHED else []
    line = ax.plot(shown, color=COLORS[outcome], linewidth=1.0, marker="o", markersize=3, markevery=end)[0]
    line.set(markeredgecolor=EDGE, markeredgewidth=0.4, zorder=2 + outcome.drawn / 10)
    if outcome == Outcome.REACHED:  # too bright alone
        line.set_path_effects([patheffects.withStroke(linewidth=1.6, foreground=EDGE)])
    return line


def _entries(outcomes: list[Outcome]) -> list[Line2D]:
    entries = []
    for outcome in ORDER[::-1]:
        if outcome in outcomes:
            label = f"{outcome.word}  {outcomes.count(outcome)}"
            entry = Line2D([], [], color=COLORS[outcome], linewidth=2.0, label=label)
            if outcome == Outcome.REACHED:
                entry.set_path_effects([patheffects.withStroke(linewidth=3.0, foreground=EDGE)])
            entries.append(entry)
    return entries

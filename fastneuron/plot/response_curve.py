"""Response curves: the output of a neuron over its input, alone or along a training run.

A run goes from the first, inexact curve toward the flipped step, or whatever step the task asks for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from fastneuron.components import checked_number
from fastneuron.models import Neuron
from fastneuron.outcomes import Outcome
from fastneuron.plot.caption import caption
from fastneuron.plot.goal import check, draw_goal, ideal_step, inputs_shown, output, with_step_in_view
from fastneuron.plot.grid import axes_for, require
from fastneuron.plot.legends import legend_right
from fastneuron.plot.palette import COLORS
from fastneuron.tasks import Task

MAX_CURVES = 13
LABELLED = 12  # more outputs than this are marked without their numbers
CURVE, THRESHOLD = COLORS[Outcome.SETTLED], COLORS[Outcome.CYCLING]


def response(
    path: xr.Dataset,
    model: Neuron,
    task: Task | None = None,
    *,
    ax: Axes | None = None,
    x_range: tuple[float, float] | None = None,
    title: str | None = None,
    legend: bool = True,
) -> list[Line2D]:
    """Draw the progress of a training run: response curves at steps 0, 1, 2, 5, 10, ... and the last.

    Parameters
    ----------
    path : Dataset
        What `descend` returns, for one start.
    model : Neuron
        With one input.
    task : Task, optional
        Its targets are drawn as points, and the step that separates them as a dashed line; without, the
        dashed line is the step at the last threshold -bias/weight.
    ax : Axes, optional
        Where to draw; default a new figure.
    x_range : (float, float), optional
        Inputs to draw; default the task's, or 0 to 1, and a quarter more on both sides, or as far as the
        step is if that is near.
    title : str, optional
        Default: what the attributes tell, and otherwise none.
    legend : bool
        Name the steps at the right.

    Returns
    -------
    list of Line2D
        The curves, first step first.

    Raises
    ------
    ValueError
        If the model has more than one input, or the path several starts or no finite parameters.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import fastneuron as fn
    >>> task, model = fn.tasks.inverter(), fn.Neuron()
    >>> path = fn.descend(task, model, loss=fn.SquaredError(), optimizer=fn.GradientDescent(30.0),
    ...                   start={"weight": 1.0, "bias": 1.0}, steps=10)
    >>> curves = fn.plot.response(path, model, task, ax=Figure().subplots())
    >>> [curve.get_label() for curve in curves]
    ['0', '1', '2', '5', '10']
    """
    check(model, task)
    require(path, "weight", "bias")
    if path["weight"].dims != ("step",) or path["bias"].dims != ("step",):
        raise ValueError(f"path must be of one start, got dims {path['weight'].dims}; select with .isel")
    weight, bias = path["weight"].values.astype(float), path["bias"].values.astype(float)
    number = path["step"].values
    finite = np.flatnonzero(np.isfinite(weight) & np.isfinite(bias))
    if not finite.size:
        raise ValueError("path has no step with finite parameters")
    chosen = finite[_chosen(number[finite])]
    x = inputs_shown(task, (), x_range)
    if x_range is None:
        x = with_step_in_view(x, ideal_step(model, task, weight[chosen[-1]], bias[chosen[-1]]))
    ax = axes_for(ax)
    colors = colormaps["viridis_r"](np.linspace(0.08, 1.0, len(chosen)))
    curves = []
    for i, color in zip(chosen, colors, strict=True):
        outputs = output(model, weight[i], bias[i], x)
        curves += ax.plot(x, outputs, color=color, linewidth=1.6, label=f"{number[i]}")
    last = chosen[-1]
    handles = [*curves, *draw_goal(ax, model, task, weight[last], bias[last], x)]
    _finish(ax, x, caption(path) if title is None else title)
    if legend:
        legend_right(ax, handles, title="step")
    return curves


def neuron_response(
    model: Neuron,
    parameters: Mapping[str, float],
    task: Task | None = None,
    *,
    at: Sequence[float] = (),
    ax: Axes | None = None,
    x_range: tuple[float, float] | None = None,
    title: str | None = None,
    legend: bool = True,
) -> list[Line2D]:
    """Draw the response curve of one neuron, its threshold -bias/weight and the ideal step.

    Parameters
    ----------
    model : Neuron
        With one input.
    parameters : mapping of str to float
        ``weight`` and ``bias``.
    task : Task, optional
        As in `response`.
    at : sequence of float
        Inputs whose outputs are marked on the curve, with their values where they are few.
    ax : Axes, optional
        Where to draw; default a new figure.
    x_range : (float, float), optional
        Inputs to draw; default the task's and those marked, or 0 to 1, and a quarter more on both sides.
    title : str, optional
        Default: weight and bias.
    legend : bool
        Name what is drawn, at the right.

    Returns
    -------
    list of Line2D
        The curve; then, where the weight is not 0, the threshold.

    Raises
    ------
    ValueError
        If the model has more than one input, or a parameter is missing or not finite.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import fastneuron as fn
    >>> parameters, task = {"weight": -20.0, "bias": 10.0}, fn.tasks.inverter()
    >>> ax = Figure().subplots()
    >>> curve, threshold = fn.plot.neuron_response(fn.Neuron(), parameters, task, at=[0, 0.5, 1], ax=ax)
    >>> [float(x) for x in threshold.get_xdata()]
    [0.5, 0.5]
    """
    check(model, task)
    for name in model.parameters:
        if name not in parameters:
            raise ValueError(
                f"parameters must have {name!r}; they have: {', '.join(parameters) or 'nothing'}"
            )
    weight, bias = (checked_number(name, parameters[name]) for name in ("weight", "bias"))
    x = inputs_shown(task, at, x_range)
    ax = axes_for(ax)
    drawn = ax.plot(x, output(model, weight, bias, x), color=CURVE, linewidth=2.0, label="neuron")
    if len(at):
        inputs = np.asarray(at, float)
        outputs = output(model, weight, bias, inputs)
        ax.plot(inputs, outputs, "o", color=CURVE, markersize=4, zorder=6)
        labelled = zip(inputs, outputs, strict=True) if len(at) <= LABELLED else ()
        for u, a in labelled:
            ax.annotate(f"{a:.3g}", (u, a), (6, 5), textcoords="offset points", fontsize="small")
    if weight:
        threshold = -bias / weight
        label = f"threshold\n-bias/weight = {threshold:.4g}"
        drawn.append(ax.axvline(threshold, color=THRESHOLD, linestyle=":", label=label))
    goal = draw_goal(ax, model, task, weight, bias, x)
    _finish(ax, x, f"weight {weight:.6g}, bias {bias:.6g}" if title is None else title)
    if legend:
        legend_right(ax, [*drawn, *goal])
    return drawn


def _chosen(steps: np.ndarray) -> np.ndarray:
    """Places in the ascending `steps` of the first, the last and those nearest to 1, 2, 5, 10, ..."""
    last = int(steps[-1])
    decades = [10**power for power in range(len(str(last)))]
    wanted = [factor * ten for ten in decades for factor in (1, 2, 5)]
    if sum(step < last for step in wanted) + 2 > MAX_CURVES:
        wanted = decades
    after = np.searchsorted(steps, [step for step in wanted if step < last])
    return np.unique([0, *after, len(steps) - 1])


def _finish(ax: Axes, x: np.ndarray, title: str) -> None:
    ax.set(xlim=(x[0], x[-1]), xlabel="input x", ylabel="output a")
    ax.set_title(title, loc="left", fontsize="medium")

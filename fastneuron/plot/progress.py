"""Pictures of one start of a sweep: the neuron there, and the progress of its training.

Nothing of a result is drawn but its sweep, whose start is followed anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from fastneuron.components import checked_number, shown
from fastneuron.models import Neuron, neuron_in
from fastneuron.plot.following import descended
from fastneuron.plot.kinds import kind
from fastneuron.plot.response_curve import neuron_response, response
from fastneuron.plot.shown_part import drawn_sweep
from fastneuron.plot.trajectory_path import trajectory
from fastneuron.sweep import Sweep

SIZE = (7.5, 4.5)  # inches


@kind(SIZE)
def progress(
    result: xr.Dataset,
    *,
    start: Mapping[str, float] | None = None,
    steps: int | None = None,
    ax: Axes | None = None,
    title: str | None = None,
    legend: bool = True,
) -> list[Line2D]:
    """Draw how training proceeds from one start of a sweep.

    Parameters
    ----------
    result : Dataset
        A result of a neuron's sweep.
    start : mapping of str to float, optional
        Values of the parameters; default those of the sweep, where it has but one of each.
    steps : int, 0 <= steps < 2**31, optional
        Updates to follow; default the sweep's ``stop.max_steps``.
    ax : Axes, optional
        Where to draw; default a new figure.
    title : str, optional
        Default: what the attributes tell.
    legend : bool
        Name what is drawn, at the right.

    Returns
    -------
    list of Line2D
        For one input the response curves from the first step to the last, as `response`; for more the path
        through the plane of the first two weights, as `trajectory`.

    Raises
    ------
    ValueError
        If the result does not tell its sweep, the model is a network, there are several starts and `start`
        does not say which, or `start` or `steps` is not what is described here.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import fastneuron as fn
    >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0), start={"bias": 1.0},
    ...                  axes={"weight": [1.0]}, stop=fn.Stop(max_steps=100))
    >>> curves = fn.plot.progress(sweep.run(), ax=Figure().subplots())
    >>> [curve.get_label() for curve in curves]
    ['0', '1', '2', '5', '10', '20', '50', '100']
    """
    sweep, model = _neuron_of(result)
    most = int(sweep.stop.max_steps) if steps is None else steps
    path = descended(sweep.training, _start_of(sweep, start), most, sweep.seed)
    if model.inputs == 1:
        return response(path, model, sweep.task, ax=ax, title=title, legend=legend)
    return trajectory(path, x="weight_0", y="weight_1", ax=ax, title=title, legend=legend)


@kind(SIZE)
def curve(
    result: xr.Dataset,
    *,
    start: Mapping[str, float] | None = None,
    at: Sequence[float] = (),
    ax: Axes | None = None,
    title: str | None = None,
    legend: bool = True,
) -> list[Line2D]:
    """Draw the response curve of a neuron at one start of a sweep, before any training.

    Parameters
    ----------
    result : Dataset
        A result of the sweep of a neuron with one input.
    start : mapping of str to float, optional
        ``weight`` and ``bias``; default those of the sweep, where it has but one of each.
    at : sequence of float
        Inputs whose outputs are marked on the curve.
    ax : Axes, optional
        Where to draw; default a new figure.
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
        As in `neuron_response`, or as `progress` for the result and `start`.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import fastneuron as fn
    >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0),
    ...                  axes={"bias": [10.0], "weight": [-20.0]})
    >>> curve, threshold = fn.plot.curve(sweep.run(), ax=Figure().subplots())
    >>> [float(x) for x in threshold.get_xdata()]
    [0.5, 0.5]
    """
    sweep, model = _neuron_of(result)
    own = _start_of(sweep, start)
    return neuron_response(model, own, sweep.task, at=at, ax=ax, title=title, legend=legend)


def _neuron_of(result: xr.Dataset) -> tuple[Sweep, Neuron]:
    sweep = drawn_sweep(result)
    return sweep, neuron_in(sweep.model)


def _start_of(sweep: Sweep, given: Mapping[str, Any] | None) -> dict[str, float]:
    """The one value of every parameter: the one given, or the sweep's."""
    names = sweep.model.parameters
    values = {**sweep.starts, **{name: axis.values() for name, axis in sweep.axes.items() if name in names}}
    for name, value in (given or {}).items():
        if name not in names:
            raise ValueError(f"start: no parameter {shown(name)}; there are {', '.join(names)}")
        values[name] = checked_number(f"start.{name}", value)
    for name, value in values.items():
        if not isinstance(value, float | int) and getattr(value, "size", 0) != 1:
            raise ValueError(f"the sweep has many starts; say which with start, as {{ {name} = 0.5 }}")
    return {name: float(getattr(values[name], "item", lambda own=values[name]: own)()) for name in names}

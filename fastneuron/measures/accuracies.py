"""Accuracy: how many samples of a task the trained models of a result get right."""

from __future__ import annotations

import numpy as np
import xarray as xr

from fastneuron.components import shown
from fastneuron.models import Model
from fastneuron.result import dims_of, sweep_behind
from fastneuron.tasks import Task

OUTPUTS = 2**24  # so many are held at a time


def accuracy(result: xr.Dataset, task: Task | None = None) -> xr.DataArray:
    """The share of samples whose largest output is that of the largest target, for every trained model.

    For a task of one output it is the share of samples on the side of the middle where their target is, the
    middle itself counting as above: that of the task that was learned, `Task.middle`.

    Parameters
    ----------
    result : Dataset
        Of a sweep, with all final parameters (``keep=["final"]``).
    task : Task, optional
        Of as many inputs and outputs. Default: the one that was learned.

    Returns
    -------
    DataArray
        Over the dims of the sweep, from 0 to 1; NaN where final parameters are not finite.

    Raises
    ------
    ValueError
        If `result` is not that of a sweep, the final parameters were not kept, an axis varies an activation,
        or `task` does not fit the model.

    Examples
    --------
    >>> import fastneuron as fn
    >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0),
    ...                  axes={"bias": [0, 10], "weight": [-20, 20]})
    >>> fn.measures.accuracy(sweep.run(keep=["final"])).values.tolist()
    [[1.0, 0.5], [1.0, 0.5]]
    """
    if not isinstance(result, xr.Dataset) or "sweep" not in result.attrs:
        raise ValueError(f"give the whole result of a sweep, an xarray.Dataset, not {shown(result)}")
    sweep = sweep_behind(result)
    task = sweep.task if task is None else task
    if not isinstance(task, Task):
        raise ValueError(f"task must be a task such as tasks.digits('test'), got {shown(task)}")
    model = sweep.model
    if (task.inputs, task.outputs) != (model.inputs, model.outputs):
        raise ValueError(
            f"task must have {model.inputs} inputs and {model.outputs} outputs as the model, "
            f"got {task.inputs} and {task.outputs}"
        )
    for axis, (role, field) in sweep.places.items():
        if role in model.components:
            raise ValueError(f"axis {axis} varies {role}.{field}, so there is no one model; use forward")
    for name in model.parameters:
        if f"final_{name}" not in result:
            raise ValueError(f"this result has no 'final_{name}'; run with keep=[..., 'final']")
    own_dims = {name: tuple(dims_of(name, shape)) for name, shape in model.shapes.items()}
    first_name = model.parameters[0]
    dims = tuple(dim for dim in result[f"final_{first_name}"].dims if dim not in own_dims[first_name])
    shape = tuple(result.sizes[dim] for dim in dims)
    points = int(np.prod(shape))
    finals = {
        name: result[f"final_{name}"].transpose(*dims, *own_dims[name]).values.reshape(points, *own)
        for name, own in model.shapes.items()
    }
    shares = np.empty(points)
    group = max(1, OUTPUTS // (task.samples * task.outputs))
    for first in range(0, points, group):
        some = {name: values[first : first + group] for name, values in finals.items()}
        shares[first : first + group] = _shares(model, some, task, sweep.task.middle)
    coordinates = {dim: result[dim] for dim in dims}
    attributes = {"long_name": "share of samples that are right", "units": "1"}
    return xr.DataArray(shares.reshape(shape), coordinates, dims, "accuracy", attributes)


def _shares(model: Model, parameters: dict[str, np.ndarray], task: Task, middle: float) -> np.ndarray:
    """The shares of some models, by parameter in rows; NaN where a parameter is not finite."""
    from fastneuron.engine.response import forward

    count = len(next(iter(parameters.values())))
    finite = np.ones(count, bool)
    for values in parameters.values():
        finite &= np.isfinite(values.reshape(count, -1)).all(axis=1)
    shares = np.full(count, np.nan)
    if not finite.any():
        return shares
    given = forward(model, {name: values[finite] for name, values in parameters.items()}, task.x)
    if task.outputs == 1:
        right = (given >= middle) == (task.y[:, 0] >= middle)
    else:
        right = given.argmax(axis=-1) == task.y.argmax(axis=-1)
    shares[finite] = right.mean(axis=-1)
    return shares

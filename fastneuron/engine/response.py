"""Forward passes: the outputs of any number of neurons for any number of inputs."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from fastneuron.arrays import checked_array
from fastneuron.components import nearest, shown, with_rows
from fastneuron.engine.interrupt import interruptible
from fastneuron.engine.leading import brought_together
from fastneuron.engine.lowering import explained, lowered
from fastneuron.engine.memory import require_memory
from fastneuron.kernels.jit import specialised
from fastneuron.kernels.outputs import network_outputs, outputs
from fastneuron.kernels.vectors import VECTOR_BYTES
from fastneuron.losses import SquaredError
from fastneuron.models import Model, check_model, pieces_of
from fastneuron.optimizers import GradientDescent
from fastneuron.tasks import Task
from fastneuron.training import Training

LOOKED_FOR = 2**26  # bytes from which on it is looked whether they are free: a look takes longer than a call


def forward(model: Model, parameters: Mapping[str, Any], x: Any) -> Any:
    """Compute the outputs of a model.

    Parameters
    ----------
    model : Neuron or Network
        Whose forward pass it is.
    parameters : mapping of str to float, array or DataArray, shape (leading dims..., the parameter's own)
        Values of the parameters by name: numbers for a neuron, arrays of the parameter's shape for a network.
        Both may have leading dims, which must broadcast together and lead those of the result; those of
        DataArrays broadcast by their names. A parameter that is not given is 0. All float32: computed in
        float32.
    x : array-like, shape (samples, inputs), or (samples,) for one input
        Inputs.

    Returns
    -------
    float array or DataArray, shape (leading dims of the parameters..., samples), or (..., samples, outputs)
        The outputs, float32 if all parameters are, else float64; the last dim only for several outputs. Where
        a DataArray has leading dims they are one, too, with these dims, ``sample``, and ``out``.

    Raises
    ------
    ValueError
        For unknown parameters, values that are no finite numbers, shapes that do not match, or an activation
        that cannot be compiled.
    MemoryError
        If the parameters or the outputs do not fit into memory.

    See Also
    --------
    descend : Outputs in every step of training.
    activity : Outputs of many networks with random parameters, summed up.

    Examples
    --------
    >>> import fastneuron as fn
    >>> fn.forward(fn.Neuron(), {"weight": -20.0, "bias": 10.0}, x=[0, 0.5, 1]).round(3).tolist()
    [1.0, 0.5, 0.0]
    >>> first = [[[20.0, -20.0], [20.0, -20.0]]]  # one leading dim
    >>> second = {"layer1.weight": [[20.0], [20.0]], "layer1.bias": [-30.0]}
    >>> xor = {"layer0.weight": first, "layer0.bias": [-10.0, 30.0]} | second
    >>> fn.forward(fn.Network((2, 2, 1)), xor, x=[[0, 0], [0, 1], [1, 0], [1, 1]]).round(2).tolist()
    [[0.0, 1.0, 1.0, 0.0]]
    """
    check_model(model)
    parameters, named = brought_together(model, parameters, ("sample", "out"))
    leading, values = broadcast_parameters(model, parameters)
    outputs_ = _outputs(model, leading, values, x)
    if named is None:
        return outputs_
    import xarray

    dims = (*named.dims, "sample", *(["out"] if model.outputs > 1 else []))
    return xarray.DataArray(outputs_, named.coordinates, dims, "output")


def _outputs(model: Model, leading: tuple[int, ...], values: np.ndarray, x: Any) -> np.ndarray:
    """Outputs for parameters in columns, shape (leading..., samples), or (..., samples, outputs)."""
    real = values.dtype
    with np.errstate(over="ignore"):
        inputs = _inputs(model, x).astype(real, order="C")
    _check_held("x", inputs, real.name)
    out = outputs_of(model, values, inputs)
    if model.outputs == 1:
        return out.reshape(*leading, len(inputs))
    return out.reshape(*leading, len(inputs), model.outputs)


def outputs_of(
    model: Model,
    values: np.ndarray,
    x: np.ndarray,
    rows: Mapping[tuple[str, str], int] = MappingProxyType({}),
    fields: Sequence[float] | np.ndarray = (),
) -> np.ndarray:
    """Outputs of models, shape (points, samples x outputs).

    Parameters
    ----------
    values : array, shape (all numbers, points)
        Their parameters.
    x : array, shape (samples, inputs), of the dtype of `values`
        Inputs.
    rows : mapping of (role, field) to int
        Fields of the model's activations that are not those of the model, but entries of `fields`.
    """
    lanes = VECTOR_BYTES // values.dtype.itemsize
    beside = np.repeat(np.array([*fields, 0.0], values.dtype), lanes)
    own = {place: row for place, row in rows.items() if place[0] in model.components}
    if any(model.shapes.values()):
        return _network_outputs(model, values, x, own, beside)
    count = values.shape[1] * len(x)
    out = np.zeros(-(-count // lanes) * lanes, values.dtype)
    record = with_rows(model.components["activation"], {field: row for (_, field), row in own.items()})
    kind: Any = type(record)
    given = (record, beside, values, x, out)
    with explained():
        compiled = specialised(outputs, *given) if own else _kernel(kind, values.dtype)
    compiled(*given)
    return out[:count].reshape(values.shape[1], len(x))


def _network_outputs(
    model: Model,
    values: np.ndarray,
    x: np.ndarray,
    rows: Mapping[tuple[str, str], int],
    fields: np.ndarray,
) -> np.ndarray:
    if not x.size or not values.size:
        return np.empty((values.shape[1], len(x) * model.outputs), x.dtype)
    lanes = VECTOR_BYTES // x.dtype.itemsize
    # those of a vector of networks, of which the parameters are copied side by side
    at_once = lanes * (model.size + len(x) * model.outputs)
    needed = (at_once + values.shape[1] * len(x) * model.outputs) * x.dtype.itemsize
    if needed > LOOKED_FOR:
        require_memory(needed, f"the outputs of {values.shape[1]:,} networks", "use a smaller network")
    task = Task(x, np.zeros((len(x), model.outputs)))
    with explained():
        unused = (SquaredError(), GradientDescent(1.0))
        problem = lowered(Training(task, model, *unused, dtype=x.dtype), rows=rows, shaped=False)
        room = np.empty(problem.forward_room * lanes, x.dtype)
        out = np.empty((values.shape[1], len(x) * model.outputs), x.dtype)
        own = np.empty(lanes * out.shape[1], x.dtype)
        tail = np.empty(lanes * len(values), x.dtype)
        parts = (problem, fields, values, tail, room, own)
        run = specialised(network_outputs, *parts, np.zeros(1, np.uint8), out)
    interruptible(lambda cancel: run(*parts, cancel, out))
    return out


@functools.lru_cache(maxsize=256)
def _kernel(activation: Any, real: Any) -> Any:
    """The machine code of `outputs` for activations of a class, and arrays of a dtype without gaps."""
    unchecked: Any = tuple.__new__
    record = unchecked(activation, (0.0,) * len(activation._fields))
    table = np.empty((1, 1), real)
    return specialised(outputs, record, table[0], table, table, table[0])


def broadcast_parameters(
    model: Model, parameters: object, dtype: str | None = None, called: str = "parameters"
) -> tuple[tuple[int, ...], np.ndarray]:
    """Leading shape of the parameters and their values, shape (all numbers, points).

    Those not given are 0. The dtype is float32 if all that is given is, unless `dtype` says which. Errors
    call the parameters `called`.

    Raises
    ------
    ValueError
        As `forward`.
    """
    if not isinstance(parameters, Mapping):
        raise ValueError(f"{called} must be a dict of names to numbers, got {shown(parameters)}")
    for name in parameters:
        if name not in model.parameters:
            known = ", ".join(model.parameters)
            raise ValueError(
                f"unknown parameter {shown(name)}{nearest(str(name), model.parameters)}; known: {known}"
            )
    arrays = {name: checked_array(name, value) for name, value in parameters.items()}
    shapes_of = model.shapes
    for name, array in arrays.items():
        own = shapes_of[name]
        if own and array.ndim and array.shape[-len(own) :] != own:
            raise ValueError(f"{name} must have shape {own}, with or without leading dims, got {array.shape}")
    leads = {
        name: array.shape[: array.ndim - len(shapes_of[name])] if array.ndim else ()
        for name, array in arrays.items()
    }
    try:
        leading = np.broadcast_shapes(*leads.values())
    except ValueError:
        shapes = ", ".join(f"{name} {shape}" for name, shape in leads.items())
        what = "leading dims of parameters" if any(model.shapes.values()) else "parameters"
        raise ValueError(f"{what} must broadcast together, got {shapes}") from None
    if dtype is None:
        single = bool(arrays) and all(array.dtype == np.float32 for array in arrays.values())
        dtype = "float32" if single else "float64"
    points = math.prod(leading)
    needed = model.size * points * np.dtype(dtype).itemsize
    if needed > LOOKED_FOR:
        require_memory(needed, f"the parameters of {points:,} models", "use fewer at a time")
    values = np.zeros((model.size, points), dtype)
    for name, array in arrays.items():
        piece = pieces_of(model)[name]
        with np.errstate(over="ignore"):
            whole = np.broadcast_to(array, (*leading, *shapes_of[name])) if array.ndim else array
            values[piece] = whole.reshape(points, piece.stop - piece.start).T if array.ndim else whole
        _check_held(name, values[piece], dtype)
    return leading, values


def _check_held(name: str, values: np.ndarray, dtype: str) -> None:
    if not np.isfinite(values).all():
        most = np.finfo(dtype).max
        raise ValueError(f"{name} must be finite in {dtype}, which holds up to {most:g}")


def _inputs(model: Model, x: object) -> np.ndarray:
    array = checked_array("x", x)
    if array.ndim == 0 or (array.ndim == 1 and model.inputs == 1):
        array = array.reshape(-1, 1)
    if array.ndim != 2 or array.shape[1] != model.inputs:
        raise ValueError(
            f"x must have shape (samples, {model.inputs}) for {model.inputs} inputs, got {array.shape}"
        )
    return array

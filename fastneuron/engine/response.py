"""Forward passes: the outputs of any number of neurons for any number of inputs."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastneuron.components import nearest, shown, with_rows
from fastneuron.engine.lowering import explained
from fastneuron.kernels.jit import specialised
from fastneuron.kernels.outputs import outputs
from fastneuron.kernels.vectors import VECTOR_BYTES
from fastneuron.models import Neuron


def forward(model: Neuron, parameters: Mapping[str, Any], x: Any) -> np.ndarray:
    """Outputs of a model.

    Parameters
    ----------
    model : Neuron
    parameters : mapping of str to float or array
        Values of the parameters by name; arrays must broadcast together, and their shape leads that of
        the result. A parameter that is not given is 0. All float32: computed in float32.
    x : array-like, shape (samples, inputs), or (samples,) for one input
        Inputs.

    Returns
    -------
    float array, shape (leading dims of the parameters..., samples)

    Raises
    ------
    ValueError
        For unknown parameters, values that are no numbers, or shapes that do not match.

    Examples
    --------
    >>> forward(Neuron(), {"weight": -20.0, "bias": 10.0}, x=[0, 0.5, 1]).round(3).tolist()
    [1.0, 0.5, 0.0]
    """
    if not isinstance(model, Neuron):
        raise ValueError(f"model must be a model such as Neuron(), got {shown(model)}")
    leading, values = broadcast_parameters(model, parameters)
    real = values.dtype
    inputs = _inputs(model, x).astype(real, order="C")
    count = values.shape[1] * len(inputs)
    lanes = VECTOR_BYTES // real.itemsize
    out = np.zeros(-(-count // lanes) * lanes, real)
    kind: Any = type(model.activation)
    with explained():
        _kernel(kind, real)(with_rows(model.activation, {}), values, inputs, out)
    return out[:count].reshape(*leading, len(inputs))


@functools.lru_cache(maxsize=256)
def _kernel(activation: Any, real: Any) -> Any:
    """The machine code of `outputs` for activations of a class, and arrays of a dtype without gaps."""
    unchecked: Any = tuple.__new__
    record = unchecked(activation, (0.0,) * len(activation._fields))
    table = np.empty((1, 1), real)
    return specialised(outputs, record, table, table, table[0])


def broadcast_parameters(
    model: Neuron, parameters: object, dtype: str | None = None
) -> tuple[tuple[int, ...], np.ndarray]:
    """Leading shape of the parameters and their values, shape (parameters, points), 0 where not given.

    The dtype is float32 if all that is given is, unless `dtype` says which.

    Raises
    ------
    ValueError
        As `forward`.
    """
    if not isinstance(parameters, Mapping):
        raise ValueError(f"parameters must be a mapping of names to numbers, got {shown(parameters)}")
    for name in parameters:
        if name not in model.parameters:
            known = ", ".join(model.parameters)
            raise ValueError(
                f"unknown parameter {shown(name)}{nearest(str(name), model.parameters)}; known: {known}"
            )
    arrays = {name: _numbers(name, value) for name, value in parameters.items()}
    try:
        leading = np.broadcast_shapes(*(array.shape for array in arrays.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise ValueError(f"parameters must broadcast together, got {shapes}") from None
    if dtype is None:
        single = bool(arrays) and all(array.dtype == np.float32 for array in arrays.values())
        dtype = "float32" if single else "float64"
    values = np.zeros((len(model.parameters), *leading), dtype)
    with np.errstate(over="ignore"):
        for k, name in enumerate(model.parameters):
            if name in arrays:
                values[k, ...] = arrays[name]
    if not np.isfinite(values).all():
        raise ValueError(f"parameters must be finite in {dtype}")
    return leading, values.reshape(len(values), -1)


def _numbers(name: str, value: object) -> np.ndarray:
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(f"{name} is ragged") from None
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{name} must be numbers, got {shown(value)}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, got {shown(value)}")
    return array


def _inputs(model: Neuron, x: object) -> np.ndarray:
    array = _numbers("x", x)
    if array.ndim == 0 or (array.ndim == 1 and model.inputs == 1):
        array = array.reshape(-1, 1)
    if array.ndim != 2 or array.shape[1] != model.inputs:
        raise ValueError(
            f"x must have shape (samples, {model.inputs}) for {model.inputs} inputs, got {array.shape}"
        )
    return array

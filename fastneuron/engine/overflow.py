"""How large parameters may become before a loss may overflow.

Kernels do not compute the loss of every state: where it is not finite, its slope is not either, and the
next state tells. But a loss can also overflow while all slopes are finite: the square of a large error; a
pre-activation beyond the dtype where the activation is flat. That takes large parameters. Up to the size
found here there is no such loss; of states beyond it the loss is computed.

The loss and the hidden activations are tried on powers of two. A component that behaves worse in between is
not seen through.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fastneuron.activations import Activation
from fastneuron.losses import Loss
from fastneuron.models import Model
from fastneuron.tasks import Task

TARGETS = 8  # of a task that are tried
SMALLEST = -32  # the power of two from which on numbers are tried
NONE = -1.0  # a size that all parameters are beyond
ENDS = Mapping[tuple[str, str], tuple[float, float]]


def sure_size(task: Task, model: Model, loss: Loss, partial: bool, dtype: str, ends: ENDS) -> float:
    """Up to which size of the parameters a loss is finite, or its slope is not finite where it is not.

    Parameters
    ----------
    task : Task
    model : Neuron or Network
    loss : Loss
    partial : bool
        Whether a step sees the slopes of some samples only: then the losses themselves must be finite.
    dtype : {"float64", "float32"}
    ends : mapping of (role, field) to two floats
        The smallest and the largest value of each field of the activations and the loss that varies.

    Returns
    -------
    float
        A power of two, or `NONE` where there is no such size.
    """
    components = {**model.components, "loss": loss}
    variants = [_with_ends(role, component, ends) for role, component in components.items()]
    return min(
        _of_variant(task, model, parts[-1], parts[:-1], partial, dtype)
        for parts in itertools.product(*variants)
    )


def _with_ends(role: str, component: Any, ends: ENDS) -> list[Any]:
    """A component with every combination of the ends of its fields that vary."""
    own = {field: values for (its_role, field), values in ends.items() if its_role == role}
    return [
        component._replace(**dict(zip(own, values, strict=True)))
        for values in itertools.product(*own.values())
    ]


def _of_variant(
    task: Task, model: Model, loss: Loss, activations: Sequence[Activation], partial: bool, dtype: str
) -> float:
    powers = np.arange(SMALLEST, np.finfo(dtype).maxexp // 2 + 1)
    sizes = np.exp2(powers)
    z = np.concatenate([[0.0], sizes, -sizes]).astype(dtype)
    with np.errstate(all="ignore"):
        try:
            good = _is_sure(task, activations[-1], loss, z, partial, dtype)
            # of |z| up to each size; the hidden layers' outputs
            bound = np.maximum.accumulate(_of_both_signs(np.abs(activations[0].value(z)), np.max, z))
        except Exception:  # the methods of a component need not know arrays
            return NONE
        sure = np.logical_and.accumulate(_of_both_signs(good, np.all, z))
        if not sure[0]:
            return NONE
        most = sizes[sure.sum() - 1]
        inputs = float(np.abs(task.x).sum(axis=1).max())

        def output_at(z: float) -> float:
            place = int(np.searchsorted(sizes, z))
            return float(bound[place]) if place < len(sizes) else float(np.inf)

        for size in sizes[::-1]:
            if model.largest_input(inputs, size, output_at) <= most:
                return float(size)
    return NONE


def _of_both_signs(values: Any, reduce: Any, z: np.ndarray) -> np.ndarray:
    """What holds for 0, a power of two and its negative, for each power."""
    values = np.broadcast_to(values, z.shape)
    half = len(z) // 2
    zero = np.broadcast_to(values[0], half)
    return np.asarray(reduce([zero, values[1 : half + 1], values[half + 1 :]], axis=0))


def _is_sure(
    task: Task, activation: Activation, loss: Loss, z: np.ndarray, partial: bool, dtype: str
) -> np.ndarray:
    """For which pre-activations of an output the loss is finite, or its slope is not, at every target."""
    every = np.unique(task.y)
    targets = every[np.linspace(0, len(every) - 1, min(TARGETS, len(every))).astype(int)].astype(dtype)
    z, y = np.broadcast_arrays(z[:, None], targets)
    a = activation.value(z)
    value = np.broadcast_to(loss.value(activation, z, a, y), z.shape)
    good = np.abs(value) <= np.finfo(dtype).max / (16 * task.y.size)
    if not partial:
        good = good | ~np.isfinite(loss.derivative(activation, z, a, y))
    return np.asarray(good.all(axis=1))

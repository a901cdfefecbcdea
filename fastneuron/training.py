"""Training: what one start undergoes, whatever start that is.

Not here: which starts there are, and what differs between them (`fastneuron.sweep`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, cast

import numpy as np

from fastneuron.activations import activations
from fastneuron.batches import Batch, FullBatch, batches
from fastneuron.components import (
    FINITE,
    Bound,
    Component,
    Registry,
    checked_number,
    nearest,
    shown,
    shown_key,
)
from fastneuron.losses import Loss, losses
from fastneuron.models import Model, check_model
from fastneuron.optimizers import Optimizer, optimizers
from fastneuron.outcomes import Stop
from fastneuron.penalties import NoPenalty, Penalty, penalties
from fastneuron.rehearsal import check_derivatives, is_built_in, rehearse
from fastneuron.tasks import Task

DTYPES = ("float64", "float32")
MAX_EXACT_FLOAT32 = 2**24  # an axis of max_steps is held in the sweep's dtype


@dataclass(frozen=True, init=False)
class Training:
    """What one start undergoes: the task, the model, and how it is trained.

    Parameters
    ----------
    task : Task
        What should be learned.
    model : Neuron or Network
        What learns it.
    loss : Loss
        What a step descends.
    optimizer : Optimizer
        How a step updates the parameters.
    penalty : Penalty, optional
        Added to the loss. Default: none.
    batch : Batch, optional
        Which samples a step sees. Default: all.
    stop : Stop, optional
        When a start ends. Default: ``Stop()``.
    dtype : {"float64", "float32"}
        In which numbers it is computed.

    Raises
    ------
    ValueError
        Naming the place, the value and what is allowed.

    See Also
    --------
    Sweep : A training over a grid of starts and hyperparameters.
    descend : Every step of a training from given starts.

    Examples
    --------
    >>> import fastneuron as fn
    >>> training = fn.Training(fn.tasks.inverter(), fn.Neuron(), fn.SquaredError(), fn.GradientDescent(30.0))
    >>> training.replace(optimizer=fn.Adam(0.1)).components["optimizer"].learning_rate
    0.1
    """

    task: Task
    model: Model
    loss: Loss
    optimizer: Optimizer
    penalty: Penalty | None
    batch: Batch
    stop: Stop
    dtype: str

    def __init__(
        self,
        task: Task,
        model: Model,
        loss: Loss,
        optimizer: Optimizer,
        penalty: Penalty | None = None,
        batch: Batch | None = None,
        stop: Stop | None = None,
        dtype: str | np.dtype[Any] | type = "float64",
    ) -> None:
        _check_type("task", task, Task, "a task such as tasks.inverter()")
        check_model(model)
        _check_sizes(model, task)
        stop = Stop() if stop is None else stop
        _check_type("stop", stop, Stop, "a rule such as Stop(max_steps=2000)")
        for role, activation in model.components.items():
            check_component(f"model.{role}", activation, activations, "Sigmoid()")
        check_component("loss", loss, losses, "SquaredError()")
        check_component("optimizer", optimizer, optimizers, "GradientDescent(learning_rate=1.0)")
        if penalty is not None:
            check_component("penalty", penalty, penalties, "L2(strength=0.01), or None")
        batch = FullBatch() if batch is None else batch
        check_component("batch", batch, batches, "MiniBatch(size=1)")
        given = (task, model, loss, optimizer, penalty, batch, stop, _checked_dtype(dtype))
        for field, value in zip(fields(self), given, strict=True):
            object.__setattr__(self, field.name, value)
        _check_targets(self)
        check_size("batch.size", getattr(batch, "size", 1), task.samples)
        _check_rounded(self)
        _check_methods(self)

    @property
    def components(self) -> dict[str, Component]:
        """The records it is made of, by role: those of the model, ``loss``, ``optimizer`` and the others."""
        others = {
            "loss": self.loss,
            "penalty": self.penalty,
            "optimizer": self.optimizer,
            "batch": self.batch,
            "stop": self.stop,
        }
        known = {**self.model.components, **others}
        return {role: record for role, record in known.items() if record is not None}

    def replace(self, /, **changes: Any) -> Training:
        """The training with other values of some of its fields.

        Parameters
        ----------
        **changes : task, model, loss, optimizer, penalty, batch, stop, dtype
            The new values by name.

        Returns
        -------
        Training
            Checked like every other.

        Raises
        ------
        ValueError
            For a name that is no field, or as a `Training` that is made.
        """
        changed: Training = replaced(self, changes)
        return changed


def replaced(value: Any, changes: dict[str, Any]) -> Any:
    """A training or a sweep with other values of some of its fields.

    Raises
    ------
    ValueError
        For a name that is no field, or as the one that is made.
    """
    names = [field.name for field in fields(value)]
    for name in changes:
        if name not in names:
            hint = nearest(name, names)
            raise ValueError(f"{shown_key(name)}: unknown field{hint}; fields: {', '.join(names)}")
    return type(value)(**{name: getattr(value, name) for name in names} | changes)


def _check_type(name: str, value: object, kind: type, wanted: str) -> None:
    if not isinstance(value, kind):
        raise ValueError(f"{name} must be {wanted}, got {shown(value)}")


def _check_sizes(model: Model, task: Task) -> None:
    sizes = (("inputs", model.inputs, task.inputs), ("outputs", model.outputs, task.y.shape[1]))
    for name, own, wanted in sizes:
        if own != wanted:
            raise ValueError(f"model.{name} must be {wanted} as in the task, got {own}")


def check_component(name: str, record: Component, registry: Registry, example: str) -> None:
    """A component is a record of its role, which can be found again by its name.

    Raises
    ------
    ValueError
        If it is not.
    """
    wanted = f"{'an' if registry.role[0] in 'aeiou' else 'a'} {registry.role} such as {example}"
    _check_type(name, record, registry.base, wanted)
    cls = type(record).__name__
    if not issubclass(type(record), tuple):
        raise ValueError(f"{name} must be a record: decorate {cls} with @component")
    # a result holds its sweep as TOML, which must lead back to it
    if "<locals>" in type(record).__qualname__:
        raise ValueError(f"{name}: {cls} is defined inside a function; define it at the top of a module")
    try:
        same = registry.from_spec(registry.to_spec(record), name) == record
    except ValueError as error:
        raise ValueError(f"{error}; define {cls} at the top of a module") from None
    if not same:
        raise ValueError(
            f"{name}: {registry.name_of(record)!r} no longer gives {shown(record)}; make it anew"
        )


def _checked_dtype(dtype: object) -> str:
    name = dtype
    if isinstance(dtype, np.dtype):
        name = dtype.name
    elif isinstance(dtype, type):
        name = "float64" if dtype is float else dtype.__name__
    if not isinstance(name, str) or name not in DTYPES:
        raise ValueError(f"dtype must be 'float64' or 'float32', got {shown(dtype)}")
    return name


def check_size(name: str, size: float, samples: int) -> None:
    """A batch has no more samples than the task.

    Raises
    ------
    ValueError
        If it has.
    """
    if size > samples:
        raise ValueError(f"{name} must be at most {samples}, the samples of the task, got {shown(size)}")


def _check_targets(training: Training) -> None:
    y = training.task.y.ravel()
    kinds = {
        "any": (np.ones(len(y), bool), "any number"),
        "unit": ((y >= 0) & (y <= 1), "from 0 to 1"),
        "binary": ((y == 0) | (y == 1), "0 or 1"),
    }
    loss = training.loss
    kind = str(loss.targets)
    if kind not in kinds:
        raise ValueError(f"loss: {type(loss).__name__}.targets must be any, unit or binary, got {kind}")
    good, allowed = kinds[kind]
    if not good.all():
        i = int(good.argmin())
        sample, output = divmod(i, training.model.outputs)
        place = f"task.y[{sample}{f', {output}' if training.model.outputs > 1 else ''}]"
        raise ValueError(f"{place} must be {allowed} for {loss!r}, got {shown(y[i])}")


def _check_rounded(training: Training) -> None:
    """Every number is still one that is allowed, as a number of the dtype."""
    dtype, task = str(training.dtype), training.task
    if dtype == "float64":
        return
    for name, data in (("task.x", task.x), ("task.y", task.y)):
        check_numbers(partial(_entry, name, data.shape[1]), data.ravel(), FINITE, dtype)
    for role, record in training.components.items():
        if role != "batch":  # its size is at most the number of samples, its seed is read in float64
            where = f"model.{role}" if role in training.model.components else role
            check_record(where, record, dtype)


def _entry(name: str, columns: int, i: int) -> str:
    return f"{name}{list(divmod(i, columns))}"


def check_record(where: str, record: Component, dtype: str) -> None:
    """The numbers of a component are allowed also when rounded to `dtype`.

    Raises
    ------
    ValueError
        Naming the field, the value and what is allowed.
    """
    for field, value in zip(record._fields, cast("tuple[Any, ...]", record), strict=True):
        if value is not None:
            check_number(f"{where}.{field}", value, record.bounds[field], dtype)


def check_number(name: str, value: float, bound: Bound, dtype: str) -> None:
    """As `check_numbers`, for one."""
    check_numbers(lambda _: name, np.array([value], np.float64), bound, dtype)


def check_numbers(name: Callable[[int], str], values: np.ndarray, bound: Bound, dtype: str) -> None:
    """All `values` are within `bound`, also when rounded to `dtype`; `name` says which one is not.

    Raises
    ------
    ValueError
        Naming the first that is not, the value and what is allowed.
    """
    with np.errstate(over="ignore", under="ignore"):
        kept = values if bound.whole else values.astype(dtype).astype(np.float64)
    good = np.isfinite(kept) & (kept > bound.low if bound.above else kept >= bound.low) & (kept < bound.high)
    if bound.whole:
        good &= kept == np.floor(kept)
        good &= kept <= (MAX_EXACT_FLOAT32 if dtype == "float32" else math.inf)
    if good.all():
        return
    i = int(good.argmin())
    checked_number(name(i), values[i], bound)
    allowed = f"at most {MAX_EXACT_FLOAT32}" if bound.whole else bound.allowed
    if np.isinf(kept[i]) and "finite" not in allowed:
        allowed += " and finite"
    raise ValueError(f"{name(i)} must be {allowed} in {dtype}, got {shown(values[i])}")


def _check_methods(training: Training) -> None:
    """Call the methods of the components, if any is not part of the package, and check their derivatives."""
    penalty = NoPenalty() if training.penalty is None else training.penalty
    parts = (training.loss, penalty, training.optimizer, training.batch)
    every = (*training.model.components.values(), *parts)
    if not all(map(is_built_in, every)):
        rehearse(training.model.components, *parts, (), training.task.samples)
        check_derivatives(every)

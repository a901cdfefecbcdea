"""Places: what an axis can vary, and whether its numbers are allowed there.

A place is a pair (role, field): a parameter of the start, ``("start", "weight")``, or a field of a
component, ``("optimizer", "learning_rate")``. An axis names one by its field where that is unambiguous,
else by ``role.field``.

Not here: how an axis gets its values (`fastneuron.axes`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from fastneuron.axes import Axis, Values
from fastneuron.components import FINITE, Bound, Component, checked_number, nearest, shown, shown_key
from fastneuron.models import Neuron
from fastneuron.penalties import penalties
from fastneuron.starts import Distribution

if TYPE_CHECKING:
    from fastneuron.sweep import Sweep

MAX_EXACT_FLOAT32 = 2**24  # an axis of max_steps is held in the sweep's dtype
RESULT_NAMES = ("outcome", "steps", "loss", "error", "speed", "period", "learned")


def _components(sweep: Sweep) -> dict[str, Component]:
    components: dict[str, Component | None] = {
        "activation": sweep.model.activation,
        "loss": sweep.loss,
        "penalty": sweep.penalty,
        "optimizer": sweep.optimizer,
        "batch": sweep.batch,
        "stop": sweep.stop,
    }
    return {role: record for role, record in components.items() if record is not None}


def bounds_of(sweep: Sweep) -> dict[tuple[str, str], Bound]:
    """What an axis may vary, (role, field), and the numbers allowed there."""
    known = {("start", name): FINITE for name in sweep.model.parameters}
    for role, record in _components(sweep).items():
        known |= {(role, name): record.bounds[name] for name in record._fields}
    return known


def place_of(axis: str, known: Mapping[tuple[str, str], Bound], sweep: Sweep) -> tuple[str, str]:
    """The (role, field) that `axis` names."""
    name = axis.removeprefix("model.") if axis.startswith("model.activation.") else axis
    found = [place for place in known if name in (place[1], ".".join(place))]
    if len(found) == 1:
        return found[0]
    if found:
        choice = " or ".join(map(".".join, found))
        raise ValueError(f"axes.{axis}: ambiguous; write {choice}")
    names = [place[1] for place in known]
    field = name.removeprefix("penalty.")
    if sweep.penalty is None and any(field in kind._fields for kind in penalties.classes.values()):
        raise ValueError(
            f"axes.{shown_key(axis)}: there is no penalty; give penalty=L2(strength=0.01) or another"
        )
    others = [name if names.count(name) == 1 else f"{role}.{name}" for role, name in known if role != "start"]
    hint = nearest(name, [*names, *map(".".join, known)])
    fields_known = f"fields: {', '.join(others)}"
    raise ValueError(f"axes.{shown_key(axis)}: unknown axis{hint}; {described(sweep.model)}; {fields_known}")


def described(model: Neuron) -> str:
    """The parameters of `model`, for an error line."""
    names = model.weights if model.inputs <= 4 else (model.weights[0], "...", model.weights[-1])
    return f"a neuron of {model.inputs} input{'s'[: model.inputs - 1]} has {', '.join(names)}, bias"


def check_axes(sweep: Sweep) -> None:
    """Every axis names one place, each place is named once, and its values are allowed there."""
    known = bounds_of(sweep)
    taken: dict[tuple[str, str], str] = {}
    for name, place in sweep.places.items():
        if name in RESULT_NAMES or name.startswith("final_"):
            raise ValueError(f"axes.{name}: a result's variable is called so; write {'.'.join(place)}")
        if place in taken:
            raise ValueError(f"axes.{name}: the same as axes.{taken[place]}; give one of them")
        taken[place] = name
        role, field = place
        if role == "start" and field in sweep.start:
            raise ValueError(f"start.{field}: {field} is an axis already; give one of them")
        _check_axis(f"axis {name}", sweep.axes[name], known[place], sweep.dtype)


def _check_axis(name: str, axis: Axis, bound: Bound, dtype: str) -> None:
    if isinstance(axis, Values) or bound.whole:
        _check_numbers(lambda i: f"{name}[{i}]", axis.values(), bound, dtype)
        return
    # the ends speak for a range, however long it is
    _check_number(f"{name}[0]", axis.start, bound, dtype)
    if len(axis) > 1:
        _check_number(f"{name}[{len(axis) - 1}]", axis.stop, bound, dtype)


def check_sizes(sweep: Sweep) -> None:
    """No batch has more samples than the task."""
    samples = sweep.task.samples
    sizes = [("batch.size", getattr(sweep.batch, "size", 1))]
    for axis, place in sweep.places.items():
        if place == ("batch", "size"):
            values = sweep.axes[axis].values()
            sizes = [(f"axis {axis}[{i}]", values[i]) for i in [int(values.argmax())]]
    for name, size in sizes:
        if size > samples:
            raise ValueError(f"{name} must be at most {samples}, the samples of the task, got {shown(size)}")


def check_dtype(sweep: Sweep) -> None:
    """Every number of the sweep is still one that is allowed, as a number of its dtype."""
    if sweep.dtype == "float64":
        return
    for name, data in (("task.x", sweep.task.x), ("task.y", sweep.task.y)):
        _check_numbers(partial(_entry, name, data.shape[1]), data.ravel(), FINITE, sweep.dtype)
    for role, record in _components(sweep).items():
        if role == "batch":
            continue  # its size is at most the number of samples, its seed is read in float64
        where = "model.activation" if role == "activation" else role
        for field, value in zip(record._fields, cast("tuple[Any, ...]", record), strict=True):
            if value is not None:
                _check_number(f"{where}.{field}", value, record.bounds[field], sweep.dtype)
    for name, start in sweep.start.items():
        numbers = start if isinstance(start, Distribution) else (start,)
        for value in cast("tuple[float, ...]", numbers):
            _check_number(f"start.{name}", value, FINITE, sweep.dtype)


def _entry(name: str, columns: int, i: int) -> str:
    return f"{name}{list(divmod(i, columns))}"


def _check_number(name: str, value: float, bound: Bound, dtype: str) -> None:
    _check_numbers(lambda _: name, np.array([value], np.float64), bound, dtype)


def _check_numbers(name: Callable[[int], str], values: np.ndarray, bound: Bound, dtype: str) -> None:
    """All `values` are within `bound`, also when rounded to `dtype`; `name` says which one is not."""
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
    raise ValueError(f"{name(i)} must be {allowed} in {dtype}, got {shown(values[i])}")

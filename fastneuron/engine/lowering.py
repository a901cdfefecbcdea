"""From a description to what a kernel takes: the problem, and the starts of a tile.

Small tasks become tuples, whose lengths are types, so that the kernel unrolls them; larger ones arrays.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numba.core.errors import NumbaError

from fastneuron.components import Component, with_rows
from fastneuron.kernels.neuron import Problem, scratch_rows
from fastneuron.losses import Loss
from fastneuron.models import Neuron
from fastneuron.optimizers import Optimizer
from fastneuron.outcomes import Stop
from fastneuron.penalties import NoPenalty, Penalty
from fastneuron.tasks import Task

if TYPE_CHECKING:
    from fastneuron.sweep import Sweep

UNROLLED = 32  # numbers of a task, samples x (inputs + 1), up to which it is unrolled


@contextmanager
def explained() -> Iterator[None]:
    """Turn what Numba says of a component that it cannot compile into one line."""
    try:
        yield
    except NumbaError as error:
        lines = [line.strip() for line in str(error).splitlines()]
        telling = [
            line for line in lines if line and not line.startswith(("Failed in", "During", "File", ">>>"))
        ]
        raise ValueError(
            "a component's method cannot be compiled: it may use arithmetic, comparisons, abs, "
            f"fastneuron.elementary and helper functions of such; Numba says: {' '.join(telling)[:300]}"
        ) from error


def lowered(
    task: Task,
    model: Neuron,
    loss: Loss,
    penalty: Penalty | None,
    optimizer: Optimizer,
    stop: Stop,
    dtype: str,
    fields: tuple[tuple[str, str], ...] = (),
    watch: bool = True,
) -> Problem:
    """The kernel's problem; `fields` are the (role, field) that vary, in the order of their rows.

    `watch` is as in `watched`.
    """
    real = np.dtype(dtype).type
    width = model.inputs + 1
    x: Any = tuple(real(value) for value in task.x.ravel())
    y: Any = tuple(real(value) for value in task.y.ravel())
    theta: Any = (real(0),) * width
    if task.samples * width > UNROLLED:
        x, y, theta = np.array(x, real), np.array(y, real), np.zeros(width, real)
    memory = (real(0),) * optimizer.slots
    first = (1 + optimizer.slots) * width + 3 + scratch_rows(x, width)
    rows: dict[str, dict[str, int]] = {}
    for k, (role, name) in enumerate(fields):
        rows.setdefault(role, {})[name] = first + k

    def argument(role: str, record: Component) -> Component:
        return with_rows(record, rows.get(role, {}))

    return Problem(
        activation=argument("activation", model.activation),
        loss=argument("loss", loss),
        penalty=argument("penalty", NoPenalty() if penalty is None else penalty),
        optimizer=argument("optimizer", optimizer),
        rule=argument("stop", stop.for_dtype(dtype)),
        x=x,
        y=y,
        theta=theta,
        memory=memory,
        watch=(real(0),) if watch else (),
        mean=real(1.0 / task.samples),
    )


def varying_fields(sweep: Sweep) -> tuple[tuple[str, str], ...]:
    """The component fields that are axes, in the order of the axes."""
    return tuple(place for place in sweep.places.values() if place[0] != "start")


def lowered_sweep(sweep: Sweep) -> Problem:
    """The kernel's problem for a sweep."""
    return lowered(
        sweep.task,
        sweep.model,
        sweep.loss,
        sweep.penalty,
        sweep.optimizer,
        sweep.stop,
        sweep.dtype,
        varying_fields(sweep),
        watched(sweep),
    )


def watched(sweep: Sweep) -> bool:
    """Whether the size of every update is to be watched, which costs a fifth of the speed.

    Without, it is looked at after every chunk of steps only. That is enough where a start that came to rest
    stays at rest: where the optimizer has no memory, `settle` is so small that no update is as small by
    chance, and `limit` so large that no start comes back from beyond it.
    """
    place = {place: name for name, place in sweep.places.items()}
    stop = sweep.stop.for_dtype(sweep.dtype)

    def values(field: str) -> np.ndarray:
        name = place.get(("stop", field))
        return np.array([getattr(stop, field)]) if name is None else sweep.axes[name].values()

    calm = {"float64": 1e-10, "float32": 1e-6}[sweep.dtype]
    at_rest = sweep.optimizer.slots == 0 and values("settle").max() <= calm
    return not (at_rest and bool(values("limit").min() >= 1e6))


def starts_of(sweep: Sweep, values: dict[str, np.ndarray], place: tuple[slice, ...]) -> np.ndarray:
    """The starts of a tile: shape (parameters + varying fields, points), points in C order.

    `values` holds the values of each axis, in full.
    """
    shape = tuple(s.stop - s.start for s in place)
    names = [("start", name) for name in sweep.model.parameters] + list(varying_fields(sweep))
    axis_of = {place_: k for k, place_ in enumerate(sweep.places.values())}
    rows = np.empty((len(names), *shape), sweep.dtype)
    for row, name in zip(rows, names, strict=True):
        if name in axis_of:
            k = axis_of[name]
            along = [1] * len(shape)
            along[k] = shape[k]
            row[...] = values[sweep.dims[k]][place[k]].reshape(along)
        else:
            row[...] = sweep.start.get(name[1], 0.0)
    return rows.reshape(len(names), -1)

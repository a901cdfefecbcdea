"""From a description to what a kernel takes: the problem, and the starts of a tile.

Small tasks become tuples, whose lengths are types, so that the kernel unrolls them; larger ones arrays.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from fastneuron.batches import Batch, FullBatch
from fastneuron.components import Component, with_plain, with_rows
from fastneuron.engine.rehearsal import rehearse
from fastneuron.kernels.block import Block, rule_of
from fastneuron.kernels.cache import PACKAGE
from fastneuron.kernels.jit import NumbaError
from fastneuron.kernels.neuron import Problem
from fastneuron.losses import Loss
from fastneuron.models import Neuron
from fastneuron.optimizers import Optimizer
from fastneuron.penalties import NoPenalty, Penalty
from fastneuron.starts import Distribution, uniform_numbers
from fastneuron.tasks import Task

if TYPE_CHECKING:
    from fastneuron.sweep import Sweep

UNROLLED = 32  # numbers of a task, samples x (inputs + 1), up to which it is unrolled


@contextmanager
def explained() -> Iterator[None]:
    """Turn what Numba says of a component that it cannot compile into one line.

    Raises
    ------
    ValueError
        Naming the method, its place and the reason, as far as Numba tells.
    """
    try:
        yield
    except NumbaError as error:
        raise ValueError(_explanation(str(error))) from error
    except RecursionError as error:
        raise ValueError(
            "a component cannot be compiled: functions that its methods call, call each other"
        ) from error


def _explanation(text: str) -> str:
    """The one line that matters in Numba's account of a method that does not compile."""
    # the methods of components are what the outer functions call; the cause stands with the innermost
    cause = text.rpartition("Resolution failure for literal arguments:")[2]
    method = re.search(r"Named\w*Tuple\.(\w+) of a component for (\w+)\(", cause)
    place = re.search(r'File "([^"]+)", line (\d+)', cause)
    lines = [line.strip() for line in cause.splitlines()]
    telling = [line for line in lines if line and not line.startswith(("Failed in", "During", "File"))]
    reason = telling[0] if telling else "nothing"
    call = next((line.removeprefix(">>> ") for line in telling[1:] if line.startswith(">>>")), "")
    if call.startswith(("bool(Mask(", "not_(Mask(")):
        reason = "z is many numbers at once, on which if, and, or, not do not work"
    elif call:
        reason = f"there is no {call}"
    name = f"{method[2]}.{method[1]}" if method else "a component's method"
    own = place is not None and Path(place[1]).resolve().is_relative_to(PACKAGE)
    where = f" ({place[1]}, line {place[2]})" if place and not own else ""
    return (
        f"{name} cannot be compiled{where}: {' '.join(reason.split())[:300]}; it may use arithmetic, "
        "comparisons, abs, fastneuron.elementary (where instead of if) and helper functions of such"
    )


def lowered(
    task: Task,
    model: Neuron,
    loss: Loss,
    penalty: Penalty | None,
    optimizer: Optimizer,
    batch: Batch,
    dtype: str,
    fields: tuple[tuple[str, str], ...] = (),
) -> Problem:
    """The kernel's problem; `fields` are the (role, field) that vary, in the order of their rows.

    Raises
    ------
    ValueError
        If a component lacks a method, or one gives what it should not.
    """
    penalty = NoPenalty() if penalty is None else penalty
    rehearse(model.activation, loss, penalty, optimizer, batch, task.samples)
    real = np.dtype(dtype).type
    width = model.inputs + 1
    x: Any = task.x.ravel().astype(real)
    y: Any = task.y.ravel().astype(real)
    theta: Any = (real(0),) * width
    if task.samples * width <= UNROLLED:
        x, y = tuple(x), tuple(y)
    if width > UNROLLED:
        theta = np.zeros(width, real)
    memory = (real(0),) * optimizer.slots

    if all(role != "batch" for role, _ in fields):
        batch = _simplest(batch, task.samples)

    def argument(role: str, record: Component) -> Component:
        return with_plain(with_rows(record, _rows(role, fields)))

    return Problem(
        activation=argument("activation", model.activation),
        loss=argument("loss", loss),
        penalty=argument("penalty", penalty),
        optimizer=argument("optimizer", optimizer),
        batch=argument("batch", batch),
        x=x,
        y=y,
        theta=theta,
        memory=memory,
        mean=real(1.0 / task.samples),
    )


def _simplest(batch: Batch, samples: int) -> Batch:
    """The full batch where the steps of `batch` weigh all samples alike."""
    places = np.arange(float(samples))
    alike = batch.steps(samples) == 1 and np.all(
        batch.weight(places, 0.0 * places, 0.0 * places + samples) == 1
    )
    return FullBatch() if alike else batch


def _rows(role: str, fields: tuple[tuple[str, str], ...]) -> dict[str, int]:
    """The rows of the varying fields of one component, by field."""
    return {name: k for k, (its_role, name) in enumerate(fields) if its_role == role}


def varying_fields(sweep: Sweep) -> tuple[tuple[str, str], ...]:
    """The component fields that are axes, in the order of the axes."""
    return tuple(place for place in sweep.places.values() if place[0] != "start")


def lowered_sweep(sweep: Sweep) -> Problem:
    """The kernel's problem for a sweep."""
    parts = (sweep.task, sweep.model, sweep.loss, sweep.penalty, sweep.optimizer, sweep.batch)
    return lowered(*parts, sweep.dtype, varying_fields(sweep))


def block_of(sweep: Sweep) -> Block:
    """Working memory for the starts of a sweep; this compiles what its components need, or loads it.

    Raises
    ------
    ValueError
        If a component cannot be compiled.
    """
    fields = varying_fields(sweep)
    stop = with_rows(sweep.stop.for_dtype(sweep.dtype), _rows("stop", fields))
    with explained():
        problem = lowered_sweep(sweep)
        most = _largest(sweep, "max_steps")  # nothing further back is asked for
        period, epoch = min(_largest(sweep, "max_period"), most), min(longest_epoch(sweep), most)
        return Block(problem, rule_of(stop), len(fields), period, epoch)


def _largest(sweep: Sweep, field: str) -> int:
    """The largest value, of all points, of a field of the stop."""
    axis = next((name for name, place in sweep.places.items() if place == ("stop", field)), None)
    return int(getattr(sweep.stop, field) if axis is None else sweep.axes[axis].values().max())


def longest_epoch(sweep: Sweep) -> int:
    """The most steps in an epoch, of all points."""
    batch = cast("tuple[Any, ...]", sweep.batch)
    values = {name: {value} for name, value in zip(sweep.batch._fields, batch, strict=True)}
    for axis, (role, field) in sweep.places.items():
        if role == "batch" and field != "seed":
            values[field] = set(sweep.axes[axis].values().tolist())
    every = itertools.product(*values.values())
    return max(int(type(sweep.batch)(*fields).steps(sweep.task.samples)) for fields in every)


def starts_of(
    sweep: Sweep, values: dict[str, np.ndarray], place: tuple[slice, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """The starts of a tile, shape (parameters + varying fields, points), and the points' numbers, int64.

    Points are in C order; `values` holds the values of each axis, in full.
    """
    shape = tuple(s.stop - s.start for s in place)
    points = point_numbers(sweep.shape, place)
    names = [("start", name) for name in sweep.model.parameters] + list(varying_fields(sweep))
    axis_of = {place_: k for k, place_ in enumerate(sweep.places.values())}
    rows = np.empty((len(names), math.prod(shape)), sweep.dtype)
    for flat, name in zip(rows, names, strict=True):
        row = flat.reshape(shape)
        if name in axis_of:
            k = axis_of[name]
            along = [1] * len(shape)
            along[k] = shape[k]
            row[...] = values[sweep.dims[k]][place[k]].reshape(along)
            continue
        start = sweep.start.get(name[1], 0.0)
        if isinstance(start, Distribution):
            use = sweep.model.parameters.index(name[1])
            with np.errstate(over="ignore"):  # a start beyond the dtype has diverged
                row[...] = start.values(uniform_numbers(sweep.seed, points, use))
        else:
            row[...] = start
    return rows, points.astype(np.int64).ravel()


def point_numbers(shape: tuple[int, ...], place: tuple[slice, ...]) -> np.ndarray:
    """The number of every point of a tile in C order of the whole grid, uint64, shape of the tile."""
    number = np.zeros((1,) * len(shape), np.uint64)
    for k, length in enumerate(shape):
        along = [1] * len(shape)
        along[k] = -1
        here = np.arange(place[k].start, place[k].stop, dtype=np.uint64).reshape(along)
        number = number * np.uint64(length) + here
    return number

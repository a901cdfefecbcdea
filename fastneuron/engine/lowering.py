"""From a description to what a kernel takes: the problem, and the starts of a tile.

Not here: what a problem of each kind of model is made of (`fastneuron.kernels.problem`).
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from fastneuron.batches import Batch, FullBatch
from fastneuron.chosen import Chosen
from fastneuron.components import Component, with_plain, with_rows
from fastneuron.engine.draws import drawn
from fastneuron.engine.overflow import sure_size
from fastneuron.fingerprint import PACKAGE
from fastneuron.kernels.block import Block, Rule, bytes_needed, rule_of
from fastneuron.kernels.jit import NumbaError
from fastneuron.kernels.problem import Problem, problem_of
from fastneuron.kernels.recording import KEPT
from fastneuron.kernels.vectors import VECTOR_BYTES
from fastneuron.models import pieces_of
from fastneuron.penalties import NoPenalty
from fastneuron.places import OFFSET, SD, entry_of
from fastneuron.reducers import Reducer
from fastneuron.rehearsal import BRANCHES, INSTEAD, place_in_code, rehearse
from fastneuron.result import Variable
from fastneuron.starts import Distribution, Normal
from fastneuron.training import Training

if TYPE_CHECKING:
    from fastneuron.sweep import Sweep


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
        raise ValueError(_explanation(str(error))) from None
    except RecursionError:
        raise ValueError(
            "a component cannot be compiled: functions that its methods call, call each other"
        ) from None


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
    name = f"{method[2]}.{method[1]}" if method else "a component's method"
    own = place is not None and Path(place[1]).resolve().is_relative_to(PACKAGE)
    where = place_in_code(str(Path(place[1]).resolve()), int(place[2])) if place and not own else ""
    if call.startswith(("bool(Mask(", "not_(Mask(")):
        return f"{name} {BRANCHES}{where}: {INSTEAD}"
    if call:
        reason = f"there is no {call}"
    return (
        f"{name} cannot be compiled{where}: {' '.join(reason.split())[:300]}; it may use arithmetic, "
        "comparisons, abs, fastneuron.elementary (where instead of if) and helper functions of such"
    )


def lowered(
    training: Training,
    record: tuple[Reducer, ...] = (),
    rows: Mapping[tuple[str, str], int] = MappingProxyType({}),
    layer_rows: int = 0,
    shaped: bool = True,
) -> Problem:
    """The kernel's problem.

    Parameters
    ----------
    record : what is kept of the losses
    rows : the first row of each varying field, by (role, field)
    layer_rows : 1 where those of the optimizer have a row for each layer, else 0
    shaped : whether a small network gets a kernel for its shape, which pays where many steps are taken

    Raises
    ------
    ValueError
        If a component lacks a method, or one gives what it should not.
    """
    task, model, loss, optimizer = training.task, training.model, training.loss, training.optimizer
    penalty = NoPenalty() if training.penalty is None else training.penalty
    batch, dtype = training.batch, training.dtype
    rehearse(model.components, loss, penalty, optimizer, batch, record, task.samples)
    real = np.dtype(dtype).type
    if all(role != "batch" for role, _ in rows):
        batch = _simplest(batch, task.samples)

    def argument(role: str, record: Component) -> Any:
        own = {field: row for (its_role, field), row in rows.items() if its_role == role}
        return with_plain(with_rows(record, own))

    x, y = task.x.ravel().astype(real), task.y.ravel().astype(real)
    shared: dict[str, Any] = {
        "loss": argument("loss", loss),
        "penalty": argument("penalty", penalty),
        "optimizer": argument("optimizer", optimizer),
        "batch": argument("batch", batch),
        "record": tuple(argument("record", reducer) for reducer in record),
        "memory": (real(0),) * optimizer.slots,
        "mean": real(1.0 / task.samples),
    }
    shared |= {role: argument(role, activation) for role, activation in model.components.items()}
    problem: Problem = problem_of(model, shared, x, y, task.samples, layer_rows, shaped)
    return problem


def _simplest(batch: Batch, samples: int) -> Batch:
    """The full batch where every step of `batch` sees all samples."""
    alike = batch.steps(samples) == 1 and tuple(batch.span(0.0, float(samples))) == (0, samples)
    return FullBatch() if alike else batch


class Varying(NamedTuple):
    """The fields that differ from point to point.

    rows : for each row of numbers, what it is taken from: the first of these places that is an axis, or else
    the number; first : the first row of each field, by (role, field); layer_rows : 1 where the optimizer's
    have a row for each layer, else 0.
    """

    rows: tuple[tuple[tuple[tuple[str, str], ...], float], ...]
    first: dict[tuple[str, str], int]
    layer_rows: int


def _is_offset(place: tuple[str, str], layers: tuple[str, ...]) -> bool:
    """Whether a place is what is added to the weights of a layer."""
    return place[0] in layers and place[1] == OFFSET


def varying_fields(sweep: Sweep) -> Varying:
    """The component fields that are axes, and their rows."""
    layers = sweep.model.layer_names
    places = [
        place for place in sweep.places.values() if place[0] != "start" and not _is_offset(place, layers)
    ]
    layered = any(role in layers for role, _ in places)
    rows: list[tuple[tuple[tuple[str, str], ...], float]] = []
    first: dict[tuple[str, str], int] = {}
    for role, field in places:
        if layered and role in ("optimizer", *layers):
            if ("optimizer", field) not in first:
                first["optimizer", field] = len(rows)
                value = float(getattr(sweep.optimizer, field))
                rows += [(((layer, field), ("optimizer", field)), value) for layer in layers]
        else:
            first[role, field] = len(rows)
            rows.append((((role, field),), 0.0))
    return Varying(tuple(rows), first, int(layered))


def block_of(sweep: Sweep) -> Block:
    """Working memory for the starts of a sweep; this compiles what its components need, or loads it.

    Raises
    ------
    ValueError
        If a component cannot be compiled.
    """
    parts = _parts_of_block(sweep)
    with explained():
        return Block(*parts)


def thread_bytes(sweep: Sweep, variables: Mapping[str, Variable], tile_points: int) -> int:
    """About how much working memory a thread takes: its block, and a tile with its results, to be stored.

    Raises
    ------
    ValueError
        If a component lacks a method, or one gives what it should not.
    """
    problem, _, varying, period, epoch, _ = _parts_of_block(sweep)
    real = np.dtype(sweep.dtype).itemsize
    kept = [
        np.dtype(variable.dtype).itemsize * math.prod(variable.more.values())
        for variable in variables.values()
    ]
    rows = sweep.model.size + varying + 3 + (KEPT + len(sweep.record) if sweep.record else 0)
    # numbers (twice), truth table, outcome, steps, period; what is kept, and the copies that packing makes
    point = rows * real + 3 * 8 + 1 + 4 + 4 + sum(kept) + 4 * max(kept)
    return bytes_needed(problem, varying, period, epoch) + tile_points * point


def _parts_of_block(sweep: Sweep) -> tuple[Problem, Rule, int, int, int, float]:
    """The arguments of `Block`."""
    varying = varying_fields(sweep)
    of_stop = {field: row for (role, field), row in varying.first.items() if role == "stop"}
    stop = with_rows(sweep.stop.for_dtype(sweep.dtype), of_stop)
    with explained():
        record = tuple(sweep.record.values())
        problem = lowered(sweep.training, record, varying.first, varying.layer_rows)
    most = _largest(sweep, "max_steps")
    period, epoch = looking_back(_largest(sweep, "max_period"), most, epochs_of(sweep))
    ends = {}
    for name, place in sweep.places.items():
        if place in varying.first:
            values = sweep.axes[name].values()
            ends[place] = (float(values.min()), float(values.max()))
    sure = sure_size_of(sweep.training, problem, ends)
    return problem, rule_of(stop), len(varying.rows), period, epoch, sure


def sure_size_of(
    training: Training, problem: Problem, ends: Mapping[tuple[str, str], tuple[float, float]]
) -> float:
    """The `sure` of a block, with the smallest and largest values of the fields that vary."""
    partial = problem.batch.shuffled and problem.partial
    return sure_size(training.task, training.model, training.loss, partial, training.dtype, ends)


def looking_back(max_period: int, max_steps: int, epochs: Collection[int]) -> tuple[int, int]:
    """The longest period of a cycle that can be confirmed, and the most steps in an epoch that matter."""
    period = min(max_period, max_steps // 3) if 1 in epochs else 1
    return max(1, period), max(1, min(max(epochs), max_steps))


def _largest(sweep: Sweep, field: str) -> int:
    """The largest value, of all points, of a field of the stop."""
    axis = next((name for name, place in sweep.places.items() if place == ("stop", field)), None)
    return int(getattr(sweep.stop, field) if axis is None else sweep.axes[axis].values().max())


def epochs_of(sweep: Sweep) -> set[int]:
    """How many steps the epochs of the points have."""
    batch = cast("tuple[Any, ...]", sweep.batch)
    values = {name: {value} for name, value in zip(sweep.batch._fields, batch, strict=True)}
    for axis, (role, field) in sweep.places.items():
        if role == "batch" and field != "seed":
            values[field] = set(sweep.axes[axis].values().tolist())
    every = itertools.product(*values.values())
    return {int(type(sweep.batch)(*fields).steps(sweep.task.samples)) for fields in every}


def starts_of(
    sweep: Sweep, values: dict[str, np.ndarray], place: tuple[slice, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """The starts of a tile, shape (parameters + varying fields, points), and the points' numbers, int64.

    Points are in C order; `values` holds the values of each axis, in full.
    """
    shape = tuple(s.stop - s.start for s in place)
    numbers = point_numbers(sweep.shape, place)
    varying = varying_fields(sweep)
    width = sweep.model.size
    rows = np.empty((width + len(varying.rows), math.prod(shape)), sweep.dtype)
    axis_of = {place_: k for k, place_ in enumerate(sweep.places.values())}
    layers = sweep.model.layer_names

    def along(k: int, numbers: np.ndarray | None = None) -> np.ndarray:
        """The numbers along dim number k, its values unless others are given, in the shape of the tile."""
        lengths = [1] * len(shape)
        lengths[k] = shape[k]
        return (values[sweep.dims[k]] if numbers is None else numbers)[place[k]].reshape(lengths)

    def fill(row: int, numbers: Any) -> None:
        rows[row].reshape(shape)[...] = numbers

    sd = axis_of.get(("start", SD))
    points = numbers.astype(np.int64).ravel()
    with np.errstate(over="ignore"):  # a start beyond the dtype has diverged
        for name, piece in pieces_of(sweep.model).items():
            start = sweep.starts[name]
            if isinstance(start, Distribution):
                varied = {}
                if sd is not None and isinstance(start, Normal):
                    varied = {SD: np.broadcast_to(along(sd), shape).ravel()}
                count = piece.stop - piece.start
                rows[piece] = drawn(start, sweep.seed, points, piece.start, count, sweep.dtype, varied)
            elif isinstance(start, Chosen):
                fill(piece.start, along(sweep.dims.index(start.dim), start.values))
            else:
                rows[piece] = np.ravel(start)[:, None]
        for (role, field), k in axis_of.items():
            if _is_offset((role, field), layers):
                weights = rows[pieces_of(sweep.model)[f"{role}.weight"]]
                weights.reshape(len(weights), *shape)[...] += along(k).astype(sweep.dtype)
        for (role, field), k in axis_of.items():
            if role == "start" and field != SD:
                entry = entry_of(sweep.model, field)
                fill(pieces_of(sweep.model)[field].start if entry is None else entry, along(k))
    for row, (sources, number) in enumerate(varying.rows, start=width):
        axes = [axis_of[source] for source in sources if source in axis_of]
        fill(row, along(axes[0]) if axes else number)
    return rows, points


def start_at(sweep: Sweep, place: tuple[int, ...]) -> dict[str, Any]:
    """The parameters from which the training at a place of the grid starts; see `Sweep.at`."""
    rows, _ = starts_of(sweep, sweep.coordinates(), tuple(slice(k, k + 1) for k in place))
    numbers = {name: rows[piece, 0].astype(np.float64) for name, piece in pieces_of(sweep.model).items()}
    shapes = sweep.model.shapes
    return {name: own.reshape(shapes[name]) if shapes[name] else own.item() for name, own in numbers.items()}


def sums_of(recorded: int, points: int, dtype: str) -> np.ndarray:
    """Room for so many records of so many starts, filled up to whole vectors."""
    lanes = VECTOR_BYTES // np.dtype(dtype).itemsize
    return np.zeros((KEPT + recorded if recorded else 0, -(-points // lanes) * lanes), dtype)


def point_numbers(shape: tuple[int, ...], place: tuple[slice, ...]) -> np.ndarray:
    """The number of every point of a tile in C order of the whole grid, uint64, shape of the tile."""
    number = np.zeros((1,) * len(shape), np.uint64)
    for k, length in enumerate(shape):
        along = [1] * len(shape)
        along[k] = -1
        here = np.arange(place[k].start, place[k].stop, dtype=np.uint64).reshape(along)
        number = number * np.uint64(length) + here
    return number

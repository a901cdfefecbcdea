"""Whole trajectories: every step of one or many training runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fastneuron.batches import Batch
from fastneuron.components import Bound, checked_number
from fastneuron.engine.draws import drawn
from fastneuron.engine.interrupt import interruptible
from fastneuron.engine.lowering import (
    epochs_of,
    explained,
    looking_back,
    lowered,
    sums_of,
    sure_size_of,
)
from fastneuron.engine.memory import require_memory
from fastneuron.engine.response import broadcast_parameters
from fastneuron.kernels.batching import Orders
from fastneuron.kernels.block import Block, rule_of
from fastneuron.kernels.jit import specialised
from fastneuron.kernels.lanes import run_tile
from fastneuron.kernels.problem import Problem
from fastneuron.kernels.record import record
from fastneuron.losses import Loss
from fastneuron.models import Model, pieces_of
from fastneuron.optimizers import Optimizer
from fastneuron.outcomes import Outcome, Stop
from fastneuron.penalties import Penalty
from fastneuron.result import dims_of
from fastneuron.starts import Distribution
from fastneuron.sweep import Sweep
from fastneuron.tasks import Task

if TYPE_CHECKING:
    import xarray


_STEPS = Bound("a whole number from 0 to 2147483647", low=0, high=2**31, whole=True)


def descend(
    task: Task,
    model: Model,
    *,
    loss: Loss,
    optimizer: Optimizer,
    start: Mapping[str, Any],
    steps: int,
    penalty: Penalty | None = None,
    batch: Batch | None = None,
    stop: Stop | None = None,
    dtype: str = "float64",
    seed: int = 0,
) -> xarray.Dataset:
    """Train from one or many starts and keep every step.

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
    start : mapping of str to float, normal(...), uniform(...), DataArray or array, shape (leading..., own)
        Values of the parameters by name; where not given 0, for a network normal(0, 1). Arrays may have
        leading dims (before the dims of a network's parameter), which must broadcast together and
        become ``start_0``, ``start_1``, ... (one dim: ``start``). Random ones are drawn for each start,
        by its number in C order, as in a `Sweep` of as many points.
    steps : int, 0 <= steps < 2**31
        Updates.
    penalty : Penalty, optional
        Added to the loss. Default: none.
    batch : Batch, optional
        Which samples a step sees. Default: all. Batches are drawn by the number of the start, too.
    stop : Stop, optional
        Also say what becomes of each start (``outcome``, ``ended``, ``period``) within `steps`, and hold
        its state from then on. Its max_steps counts where it is below `steps`.
    dtype : {"float64", "float32"}
        In which numbers it is computed.
    seed : int, 0 <= seed < 2**63
        Key of the random starts; batches have one of their own.

    Returns
    -------
    xarray.Dataset
        Dim ``step`` (0 to `steps`; 0 is the start), then the dims of the starts: each parameter by its
        name (with its own dims ``layer0_in``, ``layer0_out``, ... for a network), ``loss`` (without the
        penalty), ``error`` (largest distance to a target), and ``output`` with the further dim ``sample``,
        and ``out`` for several outputs.

    Raises
    ------
    ValueError
        Naming the argument, the value and what is allowed.
    MemoryError
        If so many steps of so many starts do not fit into memory.

    See Also
    --------
    Sweep : What becomes of whole grids of starts, without their steps.
    forward : Outputs without training.

    Examples
    --------
    >>> import fastneuron as fn
    >>> path = fn.descend(fn.Task([1], [0]), fn.Neuron(), loss=fn.SquaredError(),
    ...                   optimizer=fn.GradientDescent(0.15), start={"weight": 0.6, "bias": 0.9}, steps=300)
    >>> path.output.values[[0, -1], 0].round(2).tolist()
    [0.82, 0.09]
    """
    import xarray

    # one way to check what may go together: as a sweep
    checked = Sweep(
        task=task,
        model=model,
        loss=loss,
        optimizer=optimizer,
        penalty=penalty,
        batch=batch,
        axes={"max_steps": [1]},
        start={name: value for name, value in dict(start).items() if isinstance(value, Distribution)}
        if isinstance(start, Mapping)
        else {},
        stop=Stop() if stop is None else stop,
        dtype=dtype,
        seed=seed,
    )
    dtype = checked.dtype
    steps = int(checked_number("steps", steps, _STEPS))
    leading, starts = _starts(checked, start)
    points, samples = starts.shape[1], task.samples
    outputs_of_one = samples * model.outputs
    needed = (steps + 1) * points * (len(starts) + 2 + outputs_of_one) * starts.itemsize
    needed *= 1 if stop is None else 2
    what = f"a trajectory of {steps:,} steps of {points:,} starts"
    require_memory(needed, what, "use fewer steps or starts, or a Sweep")
    with explained():
        problem = lowered(task, model, loss, checked.penalty, optimizer, checked.batch, dtype)
    parameters = np.empty((len(starts), steps + 1, points), dtype)
    losses, errors = np.empty((2, steps + 1, points), dtype)
    outputs = np.empty((steps + 1, points, outputs_of_one), dtype)
    state = np.empty((1 + optimizer.slots) * len(starts), dtype)
    scratch = np.empty(problem.room, dtype)
    orders = Orders(np.empty(samples + 2, dtype), *(np.empty(size, np.int64) for size in (1, 1, 5)))
    room = (state, scratch, orders, parameters, losses, errors, outputs)
    with explained():
        follow = specialised(record, problem, starts, steps, np.zeros(1, np.uint8), *room)
    interruptible(lambda cancel: follow(problem, starts, steps, cancel, *room))
    dims = ("start",) if len(leading) == 1 else tuple(f"start_{k}" for k in range(len(leading)))
    ends: dict[str, Any] = {}
    if stop is not None:
        ends, last = _ends(checked, problem, starts, steps)
        held = np.minimum(np.arange(steps + 1)[:, None], last)
        parameters = np.take_along_axis(parameters, held[None], 1)
        losses, errors = (np.take_along_axis(array, held, 0) for array in (losses, errors))
        outputs = np.take_along_axis(outputs, held[:, :, None], 0)
        ends = {name: (dims, array.reshape(leading), attrs) for name, (array, attrs) in ends.items()}
    shape = (steps + 1, *leading)
    variables: dict[str, Any] = {}
    for name, piece in pieces_of(model).items():
        own = model.shapes[name]
        array = np.moveaxis(parameters[piece], 0, -1).reshape(*shape, *own)
        attrs = {"long_name": name.replace("_", " ").replace(".", " "), "units": "1"}
        variables[name] = (("step", *dims, *dims_of(name, own)), array, attrs)
    variables |= {
        "loss": (
            ("step", *dims),
            losses.reshape(shape),
            {"long_name": "mean loss over the samples, without the penalty", "units": "1"},
        ),
        "error": (
            ("step", *dims),
            errors.reshape(shape),
            {"long_name": "largest |output - target|", "units": "1"},
        ),
        "output": (
            ("step", *dims, "sample", *(["out"] if model.outputs > 1 else [])),
            outputs.reshape(*shape, samples, *([model.outputs] if model.outputs > 1 else [])),
            {"long_name": "output of the model", "units": "1"},
        ),
    }
    return xarray.Dataset(
        variables | ends,
        {"step": ("step", np.arange(steps + 1), {"long_name": "updates done", "units": "1"})},
        {
            "task": task.name,
            **{role: repr(activation) for role, activation in model.components.items()},
            "loss": repr(loss),
            "optimizer": repr(optimizer),
            "penalty": repr(penalty),
            "batch": repr(checked.batch),
            "dtype": dtype,
        },
    )


def _starts(checked: Sweep, start: object) -> tuple[tuple[int, ...], np.ndarray]:
    """Shape of the starts, and their parameters, shape (all numbers, points)."""
    random = {name: value for name, value in checked.starts.items() if isinstance(value, Distribution)}
    given = start
    if isinstance(start, Mapping):
        given = {name: value for name, value in start.items() if not isinstance(value, Distribution)}
        random = {name: value for name, value in random.items() if name not in given}
    leading, starts = broadcast_parameters(checked.model, given, checked.dtype)
    numbers = np.arange(starts.shape[1])
    for name, piece in pieces_of(checked.model).items():
        if name in random:  # a start beyond the dtype has diverged
            count = piece.stop - piece.start
            starts[piece] = drawn(random[name], checked.seed, numbers, piece.start, count, checked.dtype)
    return leading, starts


def _ends(
    checked: Sweep, problem: Problem, starts: np.ndarray, steps: int
) -> tuple[dict[str, Any], np.ndarray]:
    """What becomes of each start, and the step from which its state is held."""
    given = checked.stop
    most = min(given.max_steps, steps)
    rule = Stop(most, given.tolerance, given.settle, given.max_period, given.limit, given.stall)
    longest, epoch = looking_back(given.max_period, most, epochs_of(checked))
    sure = sure_size_of(checked, problem, {})
    with explained():
        block = Block(problem, rule_of(rule.for_dtype(checked.dtype)), 0, longest, epoch, sure)
    points = starts.shape[1]
    outcome, period = np.empty(points, np.int8), np.empty(points, np.int32)
    ended, speed = np.empty(points, np.int32), np.empty(points, starts.dtype)
    taken, numbers = np.zeros(1, np.int64), np.arange(points)
    results = (outcome, ended, speed, period, sums_of(checked, points))
    interruptible(lambda cancel: run_tile(block, starts.copy(), numbers, taken, cancel, *results))
    flags = {
        "flag_values": [int(value) for value in Outcome],
        "flag_meanings": " ".join(value.name for value in Outcome),
    }
    ends = {
        "outcome": (outcome, {"long_name": "what became of the start", "units": "1", **flags}),
        "ended": (ended, {"long_name": "updates until the outcome", "units": "1"}),
        "period": (period, {"long_name": "period of the cycle; 1 settled, 0 otherwise", "units": "1"}),
    }
    return ends, ended

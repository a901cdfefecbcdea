"""Whole trajectories: every step of one or many training runs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastneuron.batches import Batch
from fastneuron.components import Bound, checked_number
from fastneuron.engine.draws import drawn
from fastneuron.engine.interrupt import interruptible
from fastneuron.engine.leading import brought_together
from fastneuron.engine.lowering import (
    block_of,
    explained,
    looking_back,
    lowered,
    starts_of,
    sums_of,
    sure_size_of,
    varying_fields,
)
from fastneuron.engine.memory import require_memory
from fastneuron.engine.response import broadcast_parameters, outputs_of
from fastneuron.kernels.block import Block, rule_of
from fastneuron.kernels.lanes import run_tile
from fastneuron.kernels.record import record
from fastneuron.losses import Loss
from fastneuron.models import Model, pieces_of
from fastneuron.optimizers import Optimizer
from fastneuron.outcomes import Stop, flags
from fastneuron.penalties import Penalty
from fastneuron.places import check_starts
from fastneuron.result import coordinate_attributes, dims_of, places_in_sweep, sweep_behind
from fastneuron.selection import point_among, point_at
from fastneuron.starts import Distribution
from fastneuron.sweep import Sweep, checked_seed, checked_start
from fastneuron.tasks import Task
from fastneuron.training import Training

if TYPE_CHECKING:
    import xarray


_VARIABLES = ("step", "loss", "error", "output", "sample", "out", "outcome", "ended", "period")
_SAME = {"outcome": "outcome", "steps": "ended", "period": "period"}  # of a result, and of a replay
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
        become ``start_0``, ``start_1``, ... (one dim: ``start``). Those of DataArrays broadcast by their
        names, and keep them and their coordinates; one that is called as a variable, such as ``weight``,
        becomes ``start_weight``. Random ones are drawn for each start, by its number in C order, as in a
        `Sweep` of as many points.
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
    replay : Every step of a point of such a grid.
    forward : Outputs without training.

    Examples
    --------
    >>> import fastneuron as fn
    >>> path = fn.descend(fn.Task([1], [0]), fn.Neuron(), loss=fn.SquaredError(),
    ...                   optimizer=fn.GradientDescent(0.15), start={"weight": 0.6, "bias": 0.9}, steps=300)
    >>> path.output.values[[0, -1], 0].round(2).tolist()
    [0.82, 0.09]
    """
    training = Training(task, model, loss, optimizer, penalty, batch, stop, dtype)
    return descended(training, start, steps, seed, held=stop is not None)


def descended(
    training: Training, start: Mapping[str, Any], steps: int, seed: int = 0, held: bool = False
) -> xarray.Dataset:
    """As `descend`; with what becomes of each start, and its state from then on, where these are `held`."""
    seed = checked_seed(seed)
    steps = int(checked_number("steps", steps, _STEPS))
    leading, dims, coordinates, starts = _starts(training, start, seed)
    numbers = np.arange(starts.shape[1])
    block = _block_within(training, steps if held else 0)
    path = _recorded(training, block, starts, numbers, steps, copies=2 if held else 1)
    ends: dict[str, Any] = {}
    if held:
        outcome, ended, period = _ended(block, starts, numbers)
        path = path.held_from(ended)
        ends = _end_variables(dims, leading, outcome, ended, period)
    return _dataset(training, path, leading, dims, ends, coordinates, _attributes(training))


def _attributes(training: Training) -> dict[str, str]:
    """The task, the components and the dtype, in words."""
    told = {role: repr(record) for role, record in training.components.items() if role != "stop"}
    return {"task": training.task.name, "penalty": "None"} | told | {"dtype": training.dtype}


def replay(
    result_or_sweep: xarray.Dataset | Sweep, /, steps: int | None = None, **indices: int
) -> xarray.Dataset:
    """Train once more from one point of a map, and keep every step.

    Parameters
    ----------
    result_or_sweep : Dataset or Sweep
        A sweep; or its result, or a part of that, in memory or from a store.
    steps : int, 0 <= steps < 2**31, optional
        How many updates to follow, also beyond those that the sweep made. Default: until its outcome.
    **indices : int, -length <= index < length of the dim
        The place of the point along each dim of the sweep, or of the part of the result, by name; counted
        from the end where negative. A dim of length 1, or that was selected, need not be given.

    Returns
    -------
    xarray.Dataset
        As `descend` gives it for one start, with ``outcome``, ``ended`` and ``period`` as in the map. The
        sweep stands in the attribute ``sweep``, and the point in coordinates, but for its parameters, which
        are those of step 0.

    Raises
    ------
    ValueError
        For a dim that is missing or unknown, an index beyond its ends, a result that does not tell where its
        points are in its sweep, or one with other numbers than its sweep gives.
    MemoryError
        If so many steps do not fit into memory.

    See Also
    --------
    descend : Every step of any starts.
    Sweep.at : The start alone.

    Notes
    -----
    The numbers are those of the map to the last bit: with the point's own hyperparameters, random start and
    batches. The state of step ``ended`` is that of ``final_<parameter>``.

    Examples
    --------
    >>> import fastneuron as fn
    >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0),
    ...                  start={"weight": fn.normal(0, 5), "bias": fn.normal(0, 5)}, draws=100)
    >>> result = sweep.run(progress=False)
    >>> path = fn.replay(result, draw=17)
    >>> int(path.ended) == int(result.steps[17]) == path.sizes["step"] - 1
    True
    >>> float(path.weight[-1]) == float(result.final_weight[17])
    True
    """
    sweep, place = _point_of(result_or_sweep, indices)
    if steps is not None:
        steps = int(checked_number("steps", steps, _STEPS))
    bare = sweep.replace(record={})
    block = block_of(bare)
    ends = _ended(block, *_start_at(bare, place))
    path = _replayed(sweep, block, place, int(ends[1][0]) if steps is None else steps)
    path = path.assign(_end_variables((), (), *ends))
    if not isinstance(result_or_sweep, Sweep):
        at = {dim: indices.get(dim, 0) for dim in sweep.dims if dim in result_or_sweep.dims}
        _check_alike(result_or_sweep.isel(at), path)
    return path


def _check_alike(point: xarray.Dataset, path: xarray.Dataset) -> None:
    """Refuse a path that does not end as its point does in a result."""
    ended = int(path.ended)
    pairs = [(name, path[other].values) for name, other in _SAME.items() if name in point]
    if "outcome" in point and int(point.outcome) < 0:  # not computed yet
        return
    if ended < path.sizes["step"]:
        last = path.isel(step=ended)
        finals = [name for name in map(str, point.data_vars) if name.startswith("final_")]
        pairs += [(name, last[name.removeprefix("final_")].values) for name in finals]
    for name, found in pairs:
        held = point[name].values
        if held.shape != found.shape or not np.array_equal(held, found, equal_nan=True):
            raise ValueError(
                f"the result has another {name} at this point than its sweep gives: it may be put together "
                "from several results, with the sweep of the first alone; replay from the result of each"
            )


def replayed(sweep: Sweep, place: tuple[int, ...], steps: int) -> xarray.Dataset:
    """So many steps from a place of the grid, whatever becomes of it; as `replay`, without the outcome."""
    return _replayed(sweep, block_of(sweep.replace(record={})), place, steps)


def _replayed(sweep: Sweep, block: Block, place: tuple[int, ...], steps: int) -> xarray.Dataset:
    rows = varying_fields(sweep).first
    path = _recorded(sweep.training, block, *_start_at(sweep, place), steps, rows)
    varied = {role for role, _ in sweep.places.values()}
    if varied & set(sweep.model.layer_names):
        varied |= {"optimizer"}
    # where a field varies, the coordinates tell it
    told = {role: text for role, text in _attributes(sweep.training).items() if role not in varied}
    attrs = {"sweep": sweep.to_toml(), "sweep_sha256": sweep.sha256} | told
    made = _dataset(sweep.training, path, (), (), {}, {}, attrs)
    here = {
        dim: values[k]
        for (dim, values), k in zip(sweep.coordinates().items(), place, strict=True)
        if dim not in (*made.variables, *made.dims)
    }
    return made.assign_coords({dim: ((), value, coordinate_attributes(dim)) for dim, value in here.items()})


def _start_at(sweep: Sweep, place: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """As `starts_of`, for one point."""
    return starts_of(sweep, sweep.coordinates(), tuple(slice(k, k + 1) for k in place))


def _point_of(given: Any, indices: Mapping[str, int]) -> tuple[Sweep, tuple[int, ...]]:
    """A sweep, or that of a result, and the place of a point in its grid."""
    if isinstance(given, Sweep):
        return given, point_at(given, indices)
    text = getattr(given, "attrs", {}).get("sweep")
    if not isinstance(text, str) or not hasattr(given, "data_vars"):
        what = "give a sweep, or its whole result, a Dataset with its sweep in the attributes"
        raise ValueError(f"{what}, not a {type(given).__name__}")
    sweep = sweep_behind(given)
    places = places_in_sweep(given, sweep)
    here = point_among({dim: len(places[dim]) for dim in sweep.dims}, indices)
    return sweep, tuple(int(places[dim][k]) for dim, k in zip(sweep.dims, here, strict=True))


class Path(NamedTuple):
    """Every step of some starts.

    parameters : shape (all numbers, steps + 1, points); losses, errors : (steps + 1, points); outputs :
    (steps + 1, points, samples x outputs).
    """

    parameters: np.ndarray
    losses: np.ndarray
    errors: np.ndarray
    outputs: np.ndarray

    def held_from(self, ended: np.ndarray) -> Path:
        """The same, with the state of each start held from a step on."""
        held = np.minimum(np.arange(len(self.losses))[:, None], ended)
        losses, errors = (np.take_along_axis(array, held, 0) for array in (self.losses, self.errors))
        parameters = np.take_along_axis(self.parameters, held[None], 1)
        return Path(parameters, losses, errors, np.take_along_axis(self.outputs, held[:, :, None], 0))


def _recorded(
    training: Training,
    block: Block,
    starts: np.ndarray,
    numbers: np.ndarray,
    steps: int,
    rows: Mapping[tuple[str, str], int] = MappingProxyType({}),
    copies: int = 1,
) -> Path:
    """Every step of starts with their varying fields, and with these numbers in their grid.

    `block` is one for the training, without a record; `rows` are those of the fields that vary, where there
    is one start.

    Raises
    ------
    MemoryError
        If `copies` of the path do not fit into memory.
    """
    model, task = training.model, training.task
    dtype, size = starts.dtype, model.size
    points, outputs_of_one = starts.shape[1], task.samples * model.outputs
    needed = copies * (steps + 1) * points * (size + 2 + outputs_of_one) * dtype.itemsize
    what = f"a trajectory of {steps:,} steps of {points:,} start{'s' * (points != 1)}"
    require_memory(needed, what, "use fewer steps or starts, or a Sweep")
    parameters = np.empty((size, steps + 1, points), dtype)
    losses, errors = np.empty((2, steps + 1, points), dtype)
    interruptible(lambda cancel: record(block, starts, numbers, cancel, parameters, losses, errors))
    fields = starts[size:, 0] if points else ()
    outputs = outputs_of(model, parameters.reshape(size, -1), task.x.astype(dtype), rows, fields)
    return Path(parameters, losses, errors, outputs.reshape(steps + 1, points, outputs_of_one))


def _dataset(
    training: Training,
    path: Path,
    leading: tuple[int, ...],
    dims: tuple[str, ...],
    ends: Mapping[str, Any],
    coordinates: Mapping[str, Any],
    attrs: Mapping[str, Any],
) -> xarray.Dataset:
    """The labelled steps of starts of the shape `leading`."""
    import xarray

    model, steps = training.model, len(path.losses) - 1
    shape = (steps + 1, *leading)
    variables: dict[str, Any] = {}
    for name, piece in pieces_of(model).items():
        own = model.shapes[name]
        array = np.moveaxis(path.parameters[piece], 0, -1).reshape(*shape, *own)
        about = {"long_name": name.replace("_", " ").replace(".", " "), "units": "1"}
        variables[name] = (("step", *dims, *dims_of(name, own)), array, about)
    several = model.outputs > 1
    variables |= {
        "loss": (
            ("step", *dims),
            path.losses.reshape(shape),
            {"long_name": "mean loss over the samples, without the penalty", "units": "1"},
        ),
        "error": (
            ("step", *dims),
            path.errors.reshape(shape),
            {"long_name": "largest |output - target|", "units": "1"},
        ),
        "output": (
            ("step", *dims, "sample", *(["out"] if several else [])),
            path.outputs.reshape(*shape, training.task.samples, *([model.outputs] if several else [])),
            {"long_name": "output of the model", "units": "1"},
        ),
    }
    step = ("step", np.arange(steps + 1), {"long_name": "updates done", "units": "1"})
    return xarray.Dataset(variables | dict(ends), {"step": step, **coordinates}, attrs)


def _starts(
    training: Training, start: object, seed: int
) -> tuple[tuple[int, ...], tuple[str, ...], Mapping[str, Any], np.ndarray]:
    """Shape, dims and coordinates of the starts, and their parameters, shape (all numbers, points)."""
    model, given = training.model, start
    random: dict[str, Any] = dict.fromkeys(model.parameters, model.usual_start)
    if isinstance(start, Mapping):
        drawn_from = checked_start({name: own for name, own in start.items() if _is_random(own)}, model)
        check_starts(drawn_from, training.dtype)
        random |= drawn_from
        given = {name: value for name, value in start.items() if not _is_random(value)}
        random = {name: value for name, value in random.items() if name not in given}
    of_parameters = {dim for name, shape in model.shapes.items() for dim in dims_of(name, shape)}
    given, named = brought_together(model, given, {*model.parameters, *of_parameters, *_VARIABLES})
    leading, starts = broadcast_parameters(model, given, training.dtype, "start")
    numbers = np.arange(starts.shape[1])
    for name, piece in pieces_of(model).items():
        if _is_random(random.get(name)):  # a start beyond the dtype has diverged
            count = piece.stop - piece.start
            starts[piece] = drawn(random[name], seed, numbers, piece.start, count, training.dtype)
    if named is not None:
        return leading, named.dims, named.coordinates, starts
    dims = ("start",) if len(leading) == 1 else tuple(f"start_{k}" for k in range(len(leading)))
    return leading, dims, {}, starts


def _is_random(start: object) -> bool:
    return isinstance(start, Distribution)


def _block_within(training: Training, steps: int) -> Block:
    """Working memory for the descents of a training, of which the outcome counts within so many steps."""
    given = training.stop
    most = min(given.max_steps, steps)
    rule = Stop(most, given.tolerance, given.settle, given.max_period, given.limit, given.stall)
    epochs = {training.batch.steps(training.task.samples)}
    longest, epoch = looking_back(given.max_period, most, epochs)
    with explained():
        problem = lowered(training)
        sure = sure_size_of(training, problem, {})
        return Block(problem, rule_of(rule.for_dtype(training.dtype)), 0, longest, epoch, sure)


def _ended(
    block: Block, starts: np.ndarray, numbers: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What becomes of each start, after how many steps, and with which period."""
    points = starts.shape[1]
    outcome, period = np.empty(points, np.int8), np.empty(points, np.int32)
    ended, speed = np.empty(points, np.int32), np.empty(points, starts.dtype)
    results = (outcome, ended, speed, period, sums_of(0, points, starts.dtype.name))
    taken = np.zeros(1, np.int64)
    interruptible(lambda cancel: run_tile(block, starts.copy(), numbers, taken, cancel, *results))
    return outcome, ended, period


def _end_variables(
    dims: tuple[str, ...],
    leading: tuple[int, ...],
    outcome: np.ndarray,
    ended: np.ndarray,
    period: np.ndarray,
) -> dict[str, Any]:
    found = {
        "outcome": (outcome, {"long_name": "what became of the start", "units": "1"} | flags()),
        "ended": (ended, {"long_name": "updates until the outcome", "units": "1"}),
        "period": (period, {"long_name": "period of the cycle; 1 settled, 0 otherwise", "units": "1"}),
    }
    return {name: (dims, array.reshape(leading), attrs) for name, (array, attrs) in found.items()}

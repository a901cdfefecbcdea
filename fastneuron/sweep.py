"""Sweep: the validated description of a grid of training runs; TOML both ways, and its fingerprint.

Nothing runs here. A sweep that could be made is one that can run: every axis names one place, every
number is allowed there in the dtype asked for, and its TOML gives it back.

Not here: what an axis may vary (`fastneuron.places`), the keys of the TOML (`fastneuron.spec`), or what
a run does with it all (`fastneuron.engine`).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from fastneuron import toml
from fastneuron.arrays import checked_array
from fastneuron.axes import Axis, as_axis
from fastneuron.batches import Batch, FullBatch
from fastneuron.chosen import DIM, Chosen, chosen_from, together
from fastneuron.components import (
    checked_number,
    html_table,
    nearest,
    shown,
    shown_key,
)
from fastneuron.fingerprint import code_table
from fastneuron.losses import Loss, SquaredError
from fastneuron.models import Model, Neuron
from fastneuron.optimizers import Optimizer
from fastneuron.outcomes import Stop
from fastneuron.penalties import NoPenalty, Penalty
from fastneuron.places import (
    DRAW,
    bounds_of,
    check_axes,
    check_dtype,
    check_sizes,
    is_reserved,
    place_of,
)
from fastneuron.reducers import Reducer, reducers
from fastneuron.rehearsal import is_built_in, rehearse
from fastneuron.selection import check_numbers_stay, part_of, places_at, places_of, point_at
from fastneuron.spec import spec_arguments, spec_tables
from fastneuron.starts import Distribution, distribution_from_spec
from fastneuron.tasks import Task
from fastneuron.training import DTYPES, Training, check_component, replaced

if TYPE_CHECKING:
    import xarray
    from distributed import Client

MAX_POINTS = 2**62
MAX_DRAWS = 2**31 - 1
LINE = 80  # characters of all axes in a line
MAX_AXES = 64  # NumPy's limit

Start = float | Distribution | Chosen | np.ndarray

AxisLike = Axis | Sequence[float] | np.ndarray


@dataclass(frozen=True, init=False, repr=False, eq=False)
class Sweep:
    """A grid of training runs: one start, or one set of hyperparameters, at each of its points.

    Parameters
    ----------
    task : Task
        What should be learned.
    optimizer : Optimizer
        How a step updates the parameters.
    axes : mapping of str to linspace(...), geomspace(...) or numbers
        What varies, in the order of the result's dimensions. A key is a parameter (``weight``,
        ``start.weight``), a component's field (``learning_rate``), or qualified
        (``optimizer.learning_rate``, ``activation.gain``, ``stop.tolerance``). Of a network it is one number
        of a parameter (``layer0.weight[1,0]``), an optimizer's field for one layer
        (``layer0.learning_rate``) or what is added to a layer's weights (``layer0.offset``); and
        ``start.sd`` is the standard deviation of all normal starts. None are needed with `draws` or chosen
        starts.
    model : Neuron or Network, optional
        Default: a sigmoid neuron with the task's inputs.
    loss : Loss
        What a step descends.
    penalty : Penalty, optional
        Added to the loss. Default: none.
    batch : Batch, optional
        Which samples a step sees. Default: all.
    start : mapping of str to float, normal(...), uniform(...), list, array or DataArray
        Parameters that are no axes; those not given start at 0, in a network at normal(0, 1). Random ones
        are drawn anew at every point. A neuron's may be chosen one by one, as 1-D lists, arrays, columns or
        DataArrays of one length (n,): their dimension comes behind the axes and is called ``start``, with the
        numbers from 0 as its coordinate; a DataArray gives it its own name, and its coordinate if this is
        numbers. An array of the parameter's shape is a network's start at all points.
    draws : int, 1 or more, optional
        How often every point of the grid, and every chosen start, is drawn: the last dimension of the result,
        ``draw``. Needs a random start or batch.
    stop : Stop, optional
        When a start ends. Default: ``Stop()``.
    record : mapping of str to Reducer, optional
        What is kept of the losses of all steps, without keeping the steps: variables of the result by
        name, such as ``{"loss_sum": Sum()}``; see `fastneuron.reducers`. With batches, the loss of a step is
        that of its batch.
    dtype : {"float64", "float32"}
        In which numbers the sweep is computed.
    seed : int, 0 <= seed < 2**63
        Key of the random starts; batches have one of their own.

    Raises
    ------
    ValueError
        Naming the place, the value and what is allowed.

    Notes
    -----
    Two sweeps are equal where their TOML is: -0.0 differs from 0.0, and the order of the axes counts.

    Random starts and batches are keyed by the number of a point, in C order of `dims`.

    Examples
    --------
    >>> import fastneuron as fn
    >>> sweep = fn.Sweep(
    ...     task=fn.tasks.inverter(),
    ...     optimizer=fn.GradientDescent(learning_rate=30.0),
    ...     axes={"bias": fn.linspace(-20, 20, 5), "learning_rate": [1, 10, 100]},
    ... )
    >>> sweep.dims, sweep.shape, sweep.points
    (('bias', 'learning_rate'), (5, 3), 15)
    >>> sweep.places["learning_rate"]
    ('optimizer', 'learning_rate')
    >>> fn.Sweep.from_toml(sweep.to_toml()) == sweep
    True
    """

    task: Task
    model: Model
    loss: Loss
    optimizer: Optimizer
    penalty: Penalty | None
    batch: Batch
    axes: Mapping[str, Axis]
    start: Mapping[str, Start]
    draws: int | None
    stop: Stop
    record: Mapping[str, Reducer]
    dtype: str
    seed: int

    def __init__(
        self,
        *,
        task: Task,
        optimizer: Optimizer,
        axes: Mapping[str, AxisLike] = MappingProxyType({}),
        model: Model | None = None,
        loss: Loss = SquaredError(),  # noqa: B008 - immutable
        penalty: Penalty | None = None,
        batch: Batch | None = None,
        start: Mapping[str, Any] = MappingProxyType({}),
        draws: int | None = None,
        stop: Stop | None = None,
        record: Mapping[str, Reducer] = MappingProxyType({}),
        dtype: str | np.dtype[Any] | type = "float64",
        seed: int = 0,
    ) -> None:
        if model is None and isinstance(task, Task):
            model = Neuron(inputs=task.inputs)
        training = Training(task, model, loss, optimizer, penalty, batch, stop, dtype)
        model = training.model
        starts = checked_start(start, model)
        given = {field.name: getattr(training, field.name) for field in fields(training)} | {
            "training": training,
            "axes": MappingProxyType(_checked_axes(axes, _chosen_in(starts), draws)),
            "start": MappingProxyType(starts),
            "draws": _checked_draws(draws),
            "record": MappingProxyType(_checked_record(record)),
            "seed": checked_seed(seed),
        }
        for name, value in given.items():
            object.__setattr__(self, name, value)
        _check_random(self)
        check_axes(self)
        _check_chosen(self)
        check_sizes(self)
        check_dtype(self)
        _check_records(self)

    @property
    def dims(self) -> tuple[str, ...]:
        """Names of the axes, in order, then that of the chosen starts, and ``draw`` if there are draws."""
        chosen = () if self.chosen is None else (self.chosen.dim,)
        return (*self.axes, *chosen, *((DRAW,) if self.draws else ()))

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of `dims`."""
        chosen = () if self.chosen is None else (len(self.chosen),)
        return (*map(len, self.axes.values()), *chosen, *((self.draws,) if self.draws else ()))

    @property
    def points(self) -> int:
        """Number of training runs."""
        return math.prod(self.shape)

    def coordinates(self) -> dict[str, np.ndarray]:
        """The values along each of `dims`: those of the axes, and the numbers of chosen starts and draws.

        Returns
        -------
        dict of str to array, shape (length of the dim,)
            By name: float64, for ``draw`` and chosen starts numbered from 0 int64.
        """
        values = {name: axis.values() for name, axis in self.axes.items()}
        if self.chosen is not None:
            values[self.chosen.dim] = self.chosen.coordinate
        return values | {DRAW: np.arange(self.draws)} if self.draws else values

    @cached_property
    def training(self) -> Training:
        """What each start undergoes; a field that is an axis has the value that its component was given."""
        return Training(*(getattr(self, field.name) for field in fields(Training)))

    @cached_property
    def chosen(self) -> Chosen | None:
        """One parameter's chosen starts, which tell the dimension of all; None where there are none."""
        return _chosen_in(self.start)

    @cached_property
    def places(self) -> dict[str, tuple[str, str]]:
        """What each axis varies: its role (``"start"`` for a parameter, or a component's) and field."""
        known = bounds_of(self)
        return {axis: place_of(axis, known, self) for axis in self.axes}

    @cached_property
    def starts(self) -> dict[str, Start]:
        """What every parameter starts from that is no axis, by name."""
        return dict.fromkeys(self.model.parameters, self.model.usual_start) | dict(self.start)

    def at(self, /, **indices: int) -> dict[str, Any]:
        """Look up the start at one point.

        Parameters
        ----------
        **indices : int, -length <= index < length of the dim
            The place of the point along each of `dims`, by name; counted from the end where negative. A dim
            of length 1 need not be given.

        Returns
        -------
        dict of str to float, or of str to float64 array, shape of the parameter, for a network
            The parameters there by name, with the bits from which the training starts: random ones are drawn
            as in the result, and in a float32 sweep they are numbers of float32.

        Raises
        ------
        ValueError
            For a dim that is missing or unknown, or an index beyond its ends.

        See Also
        --------
        fastneuron.replay : Every step from there.

        Examples
        --------
        >>> import fastneuron as fn
        >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0),
        ...                  start={"weight": fn.uniform(5, 6), "bias": [-1, 0, 1]}, draws=100)
        >>> start = sweep.at(start=-1, draw=17)
        >>> start["bias"], 5 < start["weight"] < 6
        (1.0, True)
        """
        from fastneuron.engine.lowering import start_at

        return start_at(self, point_at(self, indices))

    def isel(self, /, **indices: Any) -> Sweep:
        """The sweep of a part of the grid, by places along its dims, as ``xarray`` selects from its result.

        Parameters
        ----------
        **indices : int, list of int or slice, by name of one of `dims`
            Places of points, from 0, or from the end where negative. With one the dim is gone, and its value
            stands in the component or the start; with a list or a slice it stays.

        Returns
        -------
        Sweep
            Its points have the numbers that they have in the result of the whole.

        Raises
        ------
        ValueError
            For a dim that is unknown or an index beyond its ends; if no dim would be left; for one place of
            what only an axis can give, such as the learning rate of one layer; and if random starts or
            batches would be others, which are drawn by the number of a point in its grid.

        See Also
        --------
        select : By values.
        at : The start at one point.

        Examples
        --------
        >>> import fastneuron as fn
        >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0),
        ...                  axes={"learning_rate": [1, 10], "bias": [0, 5, 10], "weight": [-20, 0, 20]})
        >>> part = sweep.isel(learning_rate=1, weight=slice(2))
        >>> part.dims, part.shape, part.optimizer
        (('bias', 'weight'), (3, 2), GradientDescent(learning_rate=10.0))
        """
        places = places_at(self, indices)
        check_numbers_stay(self, places)
        return part_of(self, places)

    def select(self, /, method: str | None = None, **coordinates: Any) -> Sweep:
        """The sweep of a part of the grid, by values along its dims; otherwise as `isel`.

        Parameters
        ----------
        method : {None, "nearest"}
            Whether a value must be one of those along the dim, or means the nearest of them.
        **coordinates : float, list of float or slice, by name of one of `dims`
            Values along it; of a slice from one to the other, both included.

        Returns
        -------
        Sweep
            As from `isel`.

        Raises
        ------
        ValueError
            For a value that is not along the dim, or is twice; and as `isel`.

        Examples
        --------
        >>> import fastneuron as fn
        >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0),
        ...                  axes={"bias": fn.linspace(-20, 20, 81), "weight": fn.linspace(-20, 20, 81)})
        >>> part = sweep.select(bias=10, weight=slice(-20, 0))
        >>> part.start["bias"], part.shape
        (10.0, (41,))
        """
        places = places_of(self, coordinates, method)
        check_numbers_stay(self, places)
        return part_of(self, places)

    def replace(self, /, **changes: Any) -> Sweep:
        """The sweep with other values of some of its fields.

        Parameters
        ----------
        **changes : fields of a sweep
            The new values by name.

        Returns
        -------
        Sweep
            Checked like every other.

        Raises
        ------
        ValueError
            For a name that is no field, or as a `Sweep` that is made.

        Examples
        --------
        >>> import fastneuron as fn
        >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0),
        ...                  axes={"weight": [-20, 20]})
        >>> sweep.replace(dtype="float32", axes={"bias": [0, 1, 2]}).shape
        (3,)
        """
        changed: Sweep = replaced(self, changes)
        return changed

    def to_toml(self) -> str:
        """The sweep as TOML, canonical: `from_toml` gives an equal sweep, to the last bit.

        Returns
        -------
        str
            The text, which ``fastneuron map`` takes as a spec.
        """
        return toml.dumps(spec_tables(self))

    @classmethod
    def from_toml(cls, text: str) -> Sweep:
        """The sweep that a TOML text describes.

        Parameters
        ----------
        text : str
            Tables as in docs/spec.md.

        Returns
        -------
        Sweep
            Checked; nothing has run yet.

        Raises
        ------
        ValueError
            If `text` is not valid TOML, or as `from_spec`.
        """
        return cls.from_spec(toml.loads(text))

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Sweep:
        """The sweep that parsed TOML describes.

        Parameters
        ----------
        spec : mapping of str to tables
            With at least task, optimizer, and axes, draws or chosen starts, as in docs/spec.md.

        Returns
        -------
        Sweep
            Checked; nothing has run yet.

        Raises
        ------
        ValueError
            Naming the key, its value and what is allowed; also for a key that is not known.
        """
        return cls(**spec_arguments(spec))

    @cached_property
    def sha256(self) -> str:
        """Fingerprint: the SHA-256 of `to_toml`, in hexadecimal."""
        return hashlib.sha256(self.to_toml().encode()).hexdigest()

    @property
    def component_code(self) -> str:
        """Fingerprints of the code of the components from outside fastneuron, as it is now.

        A JSON object: for each class, by ``module:Class``, a SHA-256 of its methods and constants and of what
        these refer to; and ``python``, the version that they hold for. Empty where there are no such classes.
        """
        parts = (self.loss, self.penalty, self.optimizer, self.batch, *self.record.values())
        records = (*self.model.components.values(), *parts)
        return code_table(type(record) for record in records if record is not None)

    def run(
        self,
        store: Any = None,
        keep: Iterable[str] | None = None,
        threads: int | None = None,
        progress: bool | Callable[[int, int], None] | None = None,
        memory: int | None = None,
        cluster: Client | str | None = None,
    ) -> xarray.Dataset:
        """Train from every point of the grid.

        Parameters
        ----------
        store : path, URL or zarr store, optional
            A Zarr v3 store to write tile by tile; the result is then opened from it lazily. One that
            holds a part of this very sweep, computed by the same code, is resumed. Default: the result is
            held in memory.
        keep : names of variables, optional
            What the result should hold; ``"final"`` stands for all final parameters. Default: all, but
            without a network's final parameters.
        threads : int, 1 or more, optional
            How many tiles are computed at a time. Default: all cores. The result does not depend on it.
        progress : bool or callable, optional
            Whether to show progress, or a callable that is given (done, total) in points. Default:
            shown on a terminal or in a notebook.
        memory : int, 1 or more, optional
            Bytes: a bound for the working memory, and the result where it is held in memory: as few threads
            work as that needs. What Python and the compiled code take, some 200 MB, is not counted. Default:
            most of what is free.
        cluster : distributed.Client or address such as "tcp://host:8786", optional
            Compute on the workers of dask.distributed, which write into the store themselves; see
            docs/cluster.md. Needs `store`, and no `threads`: each worker has its own.

        Returns
        -------
        xarray.Dataset
            Dims in the order of `axes`, coordinates their values; variables ``outcome`` (int8, to be compared
            with members of `Outcome`, not with text), ``steps``, ``loss``, ``error``, ``speed``, ``period``,
            ``learned``, what was recorded, and ``final_<parameter>``, for a network with the further dims
            ``layer0_in``, ``layer0_out``, ...; the sweep itself, as TOML, in the attribute ``sweep``, and in
            ``component_code`` what `component_code` is.

        Raises
        ------
        ValueError
            If an argument is not what is described here; if the store holds another sweep, the code of a
            component of yours has changed or the variables are others, with the difference; or if another
            process is writing to it.
        FileExistsError
            If what is at `store` is no map.
        MemoryError
            If one thread, or the result, needs more than there is, with the sizes; nothing has started then.
        OSError
            If the store cannot be written, or the cluster is lost or fails: what is done stays in the store.

        Examples
        --------
        >>> import fastneuron as fn
        >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0),
        ...                  axes={"bias": [0, 10], "weight": [-20, 20]})
        >>> result = sweep.run()
        >>> result.steps.sel(weight=-20).values.tolist()
        [3, 0]
        """
        if cluster is not None:
            for name, value in {"threads": threads, "memory": memory}.items():
                if value is not None:
                    raise ValueError(f"{name} cannot be given with cluster, whose workers have their own")
            try:
                from fastneuron.engine import cluster as clusters
            except ModuleNotFoundError as error:
                reason = "cluster needs dask.distributed: pip install 'fastneuron[cluster]'"
                raise ValueError(reason) from error
            return clusters.run(self, cluster, store=store, keep=keep, progress=progress)
        from fastneuron.engine.local import run

        return run(self, store=store, keep=keep, threads=threads, progress=progress, memory=memory)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sweep) and self.to_toml() == other.to_toml()

    def __hash__(self) -> int:
        return hash(self.sha256)

    def __reduce__(self) -> tuple[Any, ...]:
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        tables = {name: dict(given[name]) for name in ("axes", "start", "record")}
        return partial(type(self), **given | tables), ()

    def __repr__(self) -> str:
        lines = [f"    {name}={text}," for name, text in self._told()]
        return "\n".join(["Sweep(", *lines, ")"])

    def _repr_html_(self) -> str:
        """What notebooks show."""
        grid = " x ".join(f"{name} {length:,}" for name, length in zip(self.dims, self.shape, strict=True))
        return html_table("Sweep", self._told(), f"{self.points:,} starts: {grid}")

    def _told(self) -> list[tuple[str, str]]:
        """The arguments by name, as text; those left at their defaults are not told, but for the loss."""
        axes = ", ".join(f"{name!r}: {axis!r}" for name, axis in self.axes.items())
        if len(axes) > LINE:
            axes = "".join(f"\n        {name!r}: {axis!r}," for name, axis in self.axes.items()) + "\n    "
        told = [(name, repr(getattr(self, name))) for name in ("task", "model", "loss", "optimizer")]
        told += [("penalty", repr(self.penalty))] if self.penalty is not None else []
        told += [("batch", repr(self.batch))] if self.batch != FullBatch() else []
        told += [("axes", f"{{{axes}}}")] if self.axes else []
        told += [("start", shown(dict(self.start)))] if self.start else []
        told += [("draws", str(self.draws))] if self.draws else []
        told += [("stop", _short_stop(self.stop))]
        told += [("record", str(dict(self.record)))] if self.record else []
        told += [("dtype", repr(self.dtype))] if self.dtype != DTYPES[0] else []
        return told + ([("seed", str(self.seed))] if self.seed else [])


def _short_stop(stop: Stop) -> str:
    """A rule with the fields that are not as usual, and the first two."""
    usual = Stop()
    fields = {
        name: value
        for name, value, other in zip(Stop._fields, cast("Any", stop), cast("Any", usual), strict=True)
        if value != other or name in Stop._fields[:2]
    }
    return f"Stop({', '.join(f'{name}={value!r}' for name, value in fields.items())})"


def _chosen_in(starts: Mapping[str, Start]) -> Chosen | None:
    return next((start for start in starts.values() if isinstance(start, Chosen)), None)


def _checked_axes(axes: object, chosen: Chosen | None, draws: object) -> dict[str, Axis]:
    most = MAX_AXES - (chosen is not None) - (draws is not None)
    if not isinstance(axes, Mapping):
        example = "{'weight': linspace(-20, 20, 64)}"
        raise ValueError(f"axes must be a dict of axes by name, as {example}, got {shown(axes)}")
    if len(axes) > most or (not axes and chosen is None and draws is None):
        raise ValueError(f"axes must be 1 to {most} axes by name, got {len(axes)}")
    for name in axes:
        if not isinstance(name, str):
            raise ValueError(f"axes: a name must be text, got {shown(name)}")
    checked = {name: as_axis(values, f"axis {shown_key(name)}") for name, values in axes.items()}
    points = math.prod(map(len, checked.values())) * (_checked_draws(draws) or 1)
    points *= 1 if chosen is None else len(chosen)
    if points > MAX_POINTS:
        raise ValueError(f"axes must have at most 2**62 points in all, got {points}")
    return checked


def _checked_draws(draws: object) -> int | None:
    if draws is None:
        return None
    whole = isinstance(draws, int | np.integer) and not isinstance(draws, bool)
    if not whole or not 1 <= draws <= MAX_DRAWS:  # type: ignore[operator]
        raise ValueError(f"draws must be a whole number from 1 to {MAX_DRAWS}, got {shown(draws)}")
    return int(draws)  # type: ignore[call-overload, no-any-return]


def _checked_record(record: object) -> dict[str, Reducer]:
    if not isinstance(record, Mapping):
        raise ValueError(f"record must be a dict of reducers, as {{'loss_sum': Sum()}}, got {shown(record)}")
    for name, reducer in record.items():
        if not isinstance(name, str) or not name.isidentifier():
            raise ValueError(f"record: a name must be one word, as loss_sum, got {shown(name)}")
        if is_reserved(name):
            raise ValueError(f"record.{name}: a result has this name already; choose another")
        check_component(f"record.{name}", reducer, reducers, "Sum()")
    return dict(record)


def checked_start(start: object, model: Model) -> dict[str, Start]:
    """The starts of a model's parameters by name; see `Sweep`.

    Raises
    ------
    ValueError
        Naming the parameter, the value and what is allowed.
    """
    if not isinstance(start, Mapping) and not hasattr(start, "keys"):  # a DataFrame is a table, too
        example = f"{{{model.parameters[0]!r}: 0.5}}"
        raise ValueError(f"start must be a dict of parameters, as {example}, got {shown(start)}")
    given: dict[str, Any] = dict(start)  # type: ignore[call-overload]
    for name in given:
        if name not in model.parameters:
            hint = nearest(name, model.parameters)
            raise ValueError(f"start.{shown_key(name)}: unknown parameter{hint}; {model.description}")
    return together(
        {name: _one_start(f"start.{name}", value, model.shapes[name]) for name, value in given.items()}
    )


def _one_start(where: str, value: Any, shape: tuple[int, ...]) -> Start:
    if isinstance(value, Mapping) and (shape or "values" not in value):
        return distribution_from_spec(value, where)
    if isinstance(value, Distribution):
        return value
    if isinstance(value, Chosen | Mapping):
        return chosen_from(value, where)
    wanted = f"a number or an array of shape {shape}" if shape else "a number or a list of starts"
    array = checked_array(where, value, wanted)
    if not array.ndim:
        return checked_number(where, float(array))
    return _whole_parameter(where, array, shape) if shape else chosen_from(value, where)


def _whole_parameter(where: str, array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A parameter of a network, from an array of its shape."""
    if array.shape != shape:
        advice = ""
        if array.ndim == len(shape) + 1 and array.shape[1:] == shape:
            advice = "; a network's starts cannot be chosen one by one, run a sweep for each"
        raise ValueError(
            f"{where} must be a number or an array of shape {shape}, got shape {array.shape}{advice}"
        )
    array = np.array(array, np.float64) + 0.0
    array.flags.writeable = False
    return array


def _check_chosen(sweep: Sweep) -> None:
    """The dimension of chosen starts has a name of its own."""
    if sweep.chosen is None:
        return
    dim = sweep.chosen.dim
    varied = {name for role, field in bounds_of(sweep) for name in (field, f"{role}.{field}")}
    taken = dim in {*sweep.axes, *varied, *sweep.record} or (dim != DIM and is_reserved(dim))
    if not dim or taken:
        name = next(name for name, start in sweep.start.items() if start is sweep.chosen)
        raise ValueError(
            f"start.{name}: its dimension cannot be called {shown(dim)}, which means something else in a "
            "result; rename it, as to 'start'"
        )


def _check_records(sweep: Sweep) -> None:
    """Call the methods of the records, if any is not part of the package."""
    record = tuple(sweep.record.values())
    if not all(map(is_built_in, record)):
        penalty = NoPenalty() if sweep.penalty is None else sweep.penalty
        parts = (sweep.loss, penalty, sweep.optimizer, sweep.batch)
        rehearse(sweep.model.components, *parts, record, sweep.task.samples)


def _check_random(sweep: Sweep) -> None:
    random = [name for name, value in sweep.starts.items() if isinstance(value, Distribution)]
    if sweep.draws and not random and not sweep.batch.shuffled:
        example = f"start={{{sweep.model.parameters[0]!r}: normal(0, 1)}}"
        raise ValueError(f"draws: no start is random, all draws would be alike; give {example} or another")


def checked_seed(seed: object) -> int:
    """A seed as an int.

    Raises
    ------
    ValueError
        If it is none.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**63:
        raise ValueError(f"seed must be a whole number from 0 to 2**63 - 1, got {shown(seed)}")
    return int(seed)

"""Spec: the keys of a sweep in TOML, read into `Sweep`'s arguments and written from a sweep.

Not here: TOML's own syntax (`fastneuron.toml`); whether the arguments fit together (`fastneuron.sweep`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from fastneuron import tasks
from fastneuron.activations import activations
from fastneuron.batches import FullBatch, batches
from fastneuron.components import nearest, shown, shown_key
from fastneuron.losses import losses
from fastneuron.models import Neuron
from fastneuron.optimizers import optimizers
from fastneuron.outcomes import Stop
from fastneuron.penalties import penalties
from fastneuron.starts import Distribution
from fastneuron.tasks import Task

if TYPE_CHECKING:
    from fastneuron.sweep import Sweep

_COMPONENTS = {"loss": losses, "optimizer": optimizers, "penalty": penalties, "batch": batches}
KEYS = ("dtype", "seed", "draws", "task", "model", *_COMPONENTS, "axes", "start", "stop")


def spec_tables(sweep: Sweep) -> dict[str, Any]:
    """The tables that `spec_arguments` turns back into the arguments of `sweep`; one order for all."""
    model = {"inputs": sweep.model.inputs, "activation": activations.to_spec(sweep.model.activation)}
    stop = cast("tuple[Any, ...]", sweep.stop)
    start = {name: _start(sweep.start[name]) for name in sweep.model.parameters if name in sweep.start}
    tables = {
        "task": tasks.to_spec(sweep.task),
        "model": model,
        "loss": losses.to_spec(sweep.loss),
        "optimizer": optimizers.to_spec(sweep.optimizer),
        "penalty": {} if sweep.penalty is None else penalties.to_spec(sweep.penalty),
        "batch": {} if sweep.batch == FullBatch() else batches.to_spec(sweep.batch),
        "axes": {name: axis.to_spec() for name, axis in sweep.axes.items()},
        "start": start,
        "stop": {name: value for name, value in zip(Stop._fields, stop, strict=True) if value is not None},
    }
    filled = {name: table for name, table in tables.items() if table}
    draws = {} if sweep.draws is None else {"draws": sweep.draws}
    return {"dtype": sweep.dtype, "seed": sweep.seed} | draws | filled


def _start(value: float | Distribution) -> Any:
    return value.to_spec() if isinstance(value, Distribution) else value


def spec_arguments(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `Sweep` that parsed TOML gives.

    Raises
    ------
    ValueError
        Naming the key, its value and what is allowed; also for a key that is not known.
    """
    if not isinstance(spec, Mapping):
        raise ValueError(f"a sweep must be a table, got {shown(spec)}")
    _check_keys(spec, KEYS)
    for key in ("task", "optimizer", "axes"):
        if key not in spec and not (key == "axes" and "draws" in spec):
            raise ValueError(f"{key}: missing table; a sweep needs task, optimizer and axes")
    given: dict[str, Any] = {key: spec[key] for key in ("dtype", "seed", "draws") if key in spec}
    given["task"] = tasks.from_spec(_table(spec, "task"))
    given["model"] = _model_from(_table(spec, "model"), given["task"])
    for key, registry in _COMPONENTS.items():
        if key in spec:
            given[key] = registry.from_spec(spec[key], key)
    given["axes"] = _axes_from(_table(spec, "axes"))
    given["start"] = _table(spec, "start")
    given["stop"] = _stop_from(_table(spec, "stop"))
    return given


def _check_keys(table: Mapping[str, Any], allowed: Sequence[str], where: str = "") -> None:
    for key in table:
        if key not in allowed:
            hint = nearest(key, allowed)
            raise ValueError(f"{where}{shown_key(key)}: unknown key{hint}; allowed: {', '.join(allowed)}")


def _table(spec: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    table = spec.get(key, {})
    if not isinstance(table, Mapping):
        raise ValueError(f"{key} must be a table, got {shown(table)}")
    return table


def _model_from(table: Mapping[str, Any], task: Task) -> Neuron:
    _check_keys(table, ("activation", "inputs"), "model.")
    given = {"inputs": task.inputs} | dict(table)
    if "activation" in table:
        given["activation"] = activations.from_spec(table["activation"], "model.activation")
    try:
        return Neuron(**given)
    except ValueError as error:
        raise ValueError(f"model.{error}") from None


def _stop_from(table: Mapping[str, Any]) -> Stop:
    _check_keys(table, Stop._fields, "stop.")
    try:
        return Stop(**table)
    except ValueError as error:
        raise ValueError(f"stop.{error}") from None


def _axes_from(table: Mapping[str, Any]) -> dict[str, Any]:
    axes: dict[str, Any] = {}
    for name, entry in _flattened(table):
        if name in axes:
            raise ValueError(f"axes.{shown_key(name)}: given twice")
        if isinstance(entry, Mapping):
            _check_keys(entry, ("linspace", "geomspace"), f"axes.{shown_key(name)}.")
        axes[name] = entry
    return axes


def _flattened(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The axes of a table, in which TOML turns the bare key ``optimizer.momentum`` into tables."""
    tables = (
        "start",
        "model",
        "model.activation",
        "activation",
        "loss",
        "penalty",
        "optimizer",
        "batch",
        "stop",
    )
    for key, entry in table.items():
        name = f"{prefix}{key}"
        if isinstance(entry, Mapping) and name in tables:
            yield from _flattened(entry, f"{name}.")
        else:
            yield name, entry

"""Spec: the keys of a sweep in TOML, read into `Sweep`'s arguments and written from a sweep.

Not here: TOML's own syntax (`fastneuron.toml`); whether the arguments fit together (`fastneuron.sweep`).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from fastneuron import tasks
from fastneuron.activations import activations
from fastneuron.batches import FullBatch, batches
from fastneuron.chosen import Chosen
from fastneuron.components import nearest, shown, shown_key
from fastneuron.files import path_of
from fastneuron.losses import losses
from fastneuron.models import KINDS, Model, Neuron, kind_of
from fastneuron.optimizers import optimizers
from fastneuron.outcomes import Stop
from fastneuron.penalties import penalties
from fastneuron.reducers import reducers
from fastneuron.starts import Distribution
from fastneuron.tasks import Task

if TYPE_CHECKING:
    from fastneuron.sweep import Sweep
    from fastneuron.training import Training

_COMPONENTS = {"loss": losses, "optimizer": optimizers, "penalty": penalties, "batch": batches}
PICTURE = "picture"  # the table of how a sweep is drawn, which is no part of it
KEYS = ("dtype", "seed", "draws", "task", "model", *_COMPONENTS, "axes", "start", "stop", "record")


def spec_tables(sweep: Sweep) -> dict[str, Any]:
    """The tables that `spec_arguments` turns back into the arguments of `sweep`; one order for all."""
    tables = training_tables(sweep.training) | {
        "axes": {name: axis.to_spec() for name, axis in sweep.axes.items()},
        "start": {name: _start(sweep.start[name]) for name in sweep.model.parameters if name in sweep.start},
        "record": {name: reducers.to_spec(sweep.record[name]) for name in sweep.record},
    }
    draws = {} if sweep.draws is None else {"draws": sweep.draws}
    filled = {name: tables[name] for name in KEYS if tables.get(name)}
    return {"dtype": sweep.dtype, "seed": sweep.seed} | draws | filled


def training_tables(training: Training) -> dict[str, dict[str, Any]]:
    """The tables of what every start undergoes; empty ones for what there is not."""
    stop = cast("tuple[Any, ...]", training.stop)
    return {
        "task": tasks.to_spec(training.task),
        "model": _model_table(training.model),
        "loss": losses.to_spec(training.loss),
        "optimizer": optimizers.to_spec(training.optimizer),
        "penalty": {} if training.penalty is None else penalties.to_spec(training.penalty),
        "batch": {} if training.batch == FullBatch() else batches.to_spec(training.batch),
        "stop": {name: value for name, value in zip(Stop._fields, stop, strict=True) if value is not None},
    }


def _model_table(model: Model) -> dict[str, Any]:
    return model.settings | {role: activations.to_spec(record) for role, record in model.components.items()}


def _start(value: Any) -> Any:
    if isinstance(value, Distribution | Chosen):
        return value.to_spec()
    return value.tolist() if isinstance(value, np.ndarray) else value


def spec_arguments(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `Sweep` that parsed TOML gives.

    Raises
    ------
    ValueError
        Naming the key, its value and what is allowed; also for a key that is not known.
    """
    if not isinstance(spec, Mapping):
        raise ValueError(f"a sweep must be a dict of tables, as TOML gives it, got {shown(spec)}")
    _check_keys(spec, (*KEYS, PICTURE))
    for key in ("task", "optimizer", "axes"):
        if key not in spec and not (key == "axes" and ("draws" in spec or _has_chosen(spec.get("start")))):
            what = "task, optimizer, and axes, draws or chosen starts"
            raise ValueError(f"{key}: missing table; a sweep needs {what}")
    given: dict[str, Any] = {key: spec[key] for key in ("dtype", "seed", "draws") if key in spec}
    given["task"] = tasks.from_spec(_table(spec, "task"))
    given["model"] = _model_from(_table(spec, "model"), given["task"])
    for key, registry in _COMPONENTS.items():
        if key in spec:
            given[key] = registry.from_spec(spec[key], key)
    given["axes"] = _axes_from(_table(spec, "axes"))
    given["start"] = dict(_flattened(_table(spec, "start"), tables=_LAYER))
    given["record"] = {
        name: reducers.from_spec(entry, f"record.{shown_key(name)}")
        for name, entry in _table(spec, "record").items()
    }
    given["stop"] = _stop_from(_table(spec, "stop"))
    return given


def _has_chosen(start: object) -> bool:
    """Whether a table has chosen starts, for all that is known before the model is."""
    values = start.values() if isinstance(start, Mapping) else ()
    return any(
        isinstance(value, list) or (isinstance(value, Mapping) and "values" in value) for value in values
    )


def seek_from(folder: Path, spec: Mapping[str, Any]) -> None:
    """Make the path of a CSV file one from `folder`, that of the file which `spec` was read from."""
    task = spec.get("task")
    if isinstance(task, dict) and isinstance(task.get("csv"), str):
        task["csv"] = str(folder / path_of(task["csv"], "task.csv"))


def component_names(spec: Mapping[str, Any]) -> Iterator[str]:
    """The names of the components that parsed TOML gives, whatever else it has."""
    tables = [table for key in ("model", "record") if isinstance(table := spec.get(key), Mapping)]
    entries = [entry for table in tables for entry in table.values()]
    for entry in (*entries, *(spec.get(role) for role in _COMPONENTS)):
        name = entry.get("name") if isinstance(entry, Mapping) else entry
        if isinstance(name, str):
            yield name


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


def _model_from(table: Mapping[str, Any], task: Task) -> Model:
    kind: Any = kind_of(table)
    others = [other.key for other in KINDS if kind is Neuron and other is not kind]  # which make it another
    _check_keys(table, [*(field.name for field in dataclasses.fields(kind)), *others], "model.")
    given = ({"inputs": task.inputs} if kind is Neuron else {}) | dict(table)
    for role in kind.roles:
        if role in table:
            given[role] = activations.from_spec(table[role], f"model.{role}")
    try:
        made: Model = kind(**given)
        return made
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


_LAYER = re.compile(r"layer\d+")
_ROLES = re.compile(
    r"layer\d+|(start\.layer\d+)|start|model|(model\.)?(activation|hidden|output)"
    r"|loss|penalty|optimizer|batch|stop"
)


def _flattened(
    table: Mapping[str, Any], prefix: str = "", tables: re.Pattern[str] = _ROLES
) -> Iterator[tuple[str, Any]]:
    """The entries of a table in which TOML turned the bare key ``optimizer.momentum`` into tables."""
    for key, entry in table.items():
        name = f"{prefix}{key}"
        if isinstance(entry, Mapping) and tables.fullmatch(name):
            yield from _flattened(entry, f"{name}.", tables)
        else:
            yield name, entry

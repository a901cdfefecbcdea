"""Captions: what the sweep kept in a result's attributes says about it, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import xarray as xr

from fastneuron import tasks, toml


def sweep_of(data: xr.Dataset) -> dict[str, Any]:
    """The sweep's tables from the TOML in ``attrs["sweep"]``; empty where there is none."""
    try:
        return toml.loads(str(data.attrs.get("sweep", "")))
    except ValueError:
        return {}


def task_of(data: xr.Dataset) -> tasks.Task | None:
    """The task of the sweep, or None where the attributes do not tell it."""
    spec = sweep_of(data).get("task")
    try:
        return tasks.from_spec(spec) if isinstance(spec, Mapping) else None
    except ValueError:
        return None


def caption(data: xr.Dataset) -> str:
    """Task and activation, then loss, optimizer and batch, on two lines; empty where nothing is known."""
    sweep = sweep_of(data)
    task = _name(sweep.get("task"))
    activation = _name(_table(sweep.get("model")).get("activation"))
    loss = _name(sweep.get("loss"))
    optimizer = _name(sweep.get("optimizer"))
    if optimizer:
        optimizer += _number(data, sweep, "optimizer", "learning_rate", ", learning rate ")
    batch = _name(sweep.get("batch"))
    if batch:
        batch += _number(data, sweep, "batch", "size", " of ")
    first = ", ".join(part for part in (task, activation and f"{activation} neuron") if part)
    second = ", ".join(part for part in (loss, optimizer, batch) if part)
    return "\n".join(line for line in (first, second) if line)


def _number(data: xr.Dataset, sweep: Mapping[str, Any], role: str, field: str, words: str) -> str:
    """A component's number behind some words, or nothing where it varies over the data or is not known."""
    number = _table(sweep.get(role)).get(field)
    varies = {field, f"{role}.{field}"} & {str(dim) for dim in data.dims}
    return f"{words}{number:g}" if isinstance(number, int | float) and not varies else ""


def _table(section: object) -> Mapping[str, Any]:
    return section if isinstance(section, Mapping) else {}


def _name(section: object) -> str:
    """The name in a table or a plain name, as words."""
    name = _table(section).get("name", section if isinstance(section, str) else "")
    return str(name).rpartition(":")[2].replace("_", " ")

"""Captions: what the sweep kept in a result's attributes says about it, in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import xarray as xr

from fastneuron import tasks, toml
from fastneuron.chosen import DIM


def sweep_of(data: xr.Dataset) -> dict[str, Any]:
    """The sweep's tables from the TOML in ``attrs["sweep"]``; empty where there is none."""
    try:
        return toml.loads(str(data.attrs.get("sweep", "")))
    except ValueError:
        return {}


def chosen_dim(data: xr.Dataset) -> str | None:
    """The dimension of the chosen starts of the sweep, or None where there are none."""
    sweep = sweep_of(data)
    if "sizes" in _table(sweep.get("model")):
        return None
    starts = _table(sweep.get("start")).values()
    told = [DIM if isinstance(start, list) else _table(start).get("dim") for start in starts]
    return next((dim for dim in told if isinstance(dim, str)), None)


def task_of(data: xr.Dataset) -> tasks.Task | None:
    """The task of the sweep, or None where the attributes do not tell it."""
    spec = sweep_of(data).get("task")
    try:
        return tasks.from_spec(spec) if isinstance(spec, Mapping) else None
    except ValueError:
        return None


def caption(data: xr.Dataset) -> str:
    """Task and model, then loss, penalty, optimizer and batch, on two lines; empty where nothing is known."""
    sweep = sweep_of(data)
    task = _name(sweep.get("task"))
    model = _model(_table(sweep.get("model")))
    loss = _name(sweep.get("loss"))
    optimizer = _name(sweep.get("optimizer"))
    if optimizer:
        optimizer += _number(data, sweep, "optimizer", "learning_rate", ", learning rate ")
    penalty = _name(sweep.get("penalty")).capitalize()
    if penalty:
        loss += f", {penalty}" + _number(data, sweep, "penalty", "strength", " ")
    batch = _name(sweep.get("batch"))
    if batch:
        batch += _number(data, sweep, "batch", "size", " of ")
    first = ", ".join(part for part in (task, model) if part)
    second = ", ".join(part for part in (loss, optimizer, batch) if part)
    return "\n".join(line for line in (first, second) if line)


def _number(data: xr.Dataset, sweep: Mapping[str, Any], role: str, field: str, words: str) -> str:
    """A component's number behind some words, or nothing where it varies over the data or is not known."""
    number = _table(sweep.get(role)).get(field)
    for axis in (field, f"{role}.{field}"):
        if axis in data.coords and not data.coords[axis].ndim:  # one value of an axis was selected
            number = data.coords[axis].item()
        elif axis in _table(sweep.get("axes")) and axis not in data.dims:  # and it is not told which
            number = None
    dims = {str(dim) for dim in data.dims}
    varies = {field, f"{role}.{field}"} & dims or any(
        re.fullmatch(rf"layer\d+\.{field}", dim) for dim in dims
    )
    return f"{words}{number:g}" if isinstance(number, int | float) and not varies else ""


def _model(model: Mapping[str, Any]) -> str:
    """A neuron by its activation, a network by its sizes and its hidden units' activation."""
    sizes = model.get("sizes")
    if not isinstance(sizes, list):
        activation = _name(model.get("activation"))
        return activation and f"{activation} neuron"
    hidden = _name(model.get("hidden" if len(sizes) > 2 else "output"))
    return f"{hidden} network {'-'.join(map(str, sizes))}"


def _table(section: object) -> Mapping[str, Any]:
    return section if isinstance(section, Mapping) else {}


def _name(section: object) -> str:
    """The name in a table or a plain name, as words."""
    name = _table(section).get("name", section if isinstance(section, str) else "")
    return str(name).rpartition(":")[2].replace("_", " ")

"""Captions: what the sweep kept in a result's attributes says about it, in words.

Xarray hands the attributes on when points are selected, averaged or put together, whatever becomes of them.
So a caption says of an axis what the coordinates tell, and nothing at all where the result holds something
that its sweep does not: of two results put together, the attributes are the first one's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from fastneuron import tasks, toml
from fastneuron.axes import as_axis
from fastneuron.chosen import DIM, chosen_from
from fastneuron.places import DRAW
from fastneuron.spec import training_tables
from fastneuron.training import Training

_LAYER_DIM = re.compile(r"layer\d+_(in|out)")
NOTE = "picture_note"  # the attribute with the note of a picture


def sweep_of(data: xr.Dataset) -> dict[str, Any]:
    """The sweep's tables from the TOML in ``attrs["sweep"]``; empty where there is none."""
    try:
        return toml.loads(str(data.attrs.get("sweep", "")))
    except ValueError:
        return {}


def stranger_in(data: xr.Dataset) -> str:
    """What a result holds that its sweep does not, in words, as where two results were put together.

    Such a result is not described by its attributes. Empty where there is nothing, and where the attributes
    do not tell the axes.
    """
    sweep = sweep_of(data)
    known = _values_of_dims(sweep)
    if not known:
        return ""
    for name in map(str, data.coords):
        if name not in known and not _LAYER_DIM.fullmatch(name):
            return f"a coordinate {name!r}"
    for name, length in ((str(dim), length) for dim, length in data.sizes.items()):
        if name not in known:
            if not _LAYER_DIM.fullmatch(name):
                return f"a dimension {name!r}"
        elif length > len(known[name]):
            return f"more values of {name!r}"
    for name in (name for name in map(str, data.coords) if name in known):
        held, counts = np.unique(data.coords[name].values, return_counts=True)
        new = held[~np.isin(held, known[name])]
        if new.size:
            return f"{name} {new[0]}"
        if counts.max(initial=1) > 1 and len(np.unique(known[name])) == len(known[name]):
            return f"{name} {held[counts.argmax()]} twice"
    return ""


def _values_of_dims(sweep: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The values along every dimension of the results of a sweep, as far as its tables tell."""
    values = {name: as_axis(entry, name).values() for name, entry in _table(sweep.get("axes")).items()}
    for name, given in _chosen_starts(sweep).items():
        start = chosen_from(given, f"start.{name}")
        values[start.dim] = start.coordinate
    draws = sweep.get("draws")
    return values | {DRAW: np.arange(draws)} if isinstance(draws, int) else values


def _chosen_starts(sweep: Mapping[str, Any]) -> dict[str, Any]:
    """The chosen starts of a neuron, by parameter, as they stand in the sweep's tables."""
    starts = {} if "sizes" in _table(sweep.get("model")) else _table(sweep.get("start"))
    return {
        name: start for name, start in starts.items() if isinstance(start, list) or "values" in _table(start)
    }


def chosen_dim(data: xr.Dataset) -> str | None:
    """The dimension of the chosen starts of the sweep, or None where there are none."""
    starts = _chosen_starts(sweep_of(data)).values()
    return next((DIM if isinstance(start, list) else start.get("dim", DIM) for start in starts), None)


def task_of(data: xr.Dataset) -> tasks.Task | None:
    """The task of the sweep, or None where the attributes do not tell it."""
    spec = sweep_of(data).get("task")
    try:
        if not isinstance(spec, Mapping) or stranger_in(data):
            return None
        return tasks.from_spec(spec)
    except ValueError:
        return None


def caption(data: xr.Dataset) -> str:
    """What is known of all points of a result: empty where that is nothing.

    Task and model; loss, penalty, optimizer and batch; and what was selected on axes that these do not name,
    on up to three lines.
    """
    try:
        if stranger_in(data):
            return ""
    except ValueError:  # axes that are none
        return ""
    return "\n".join(filter(None, (*_lines(sweep_of(data), data), selection(data))))


def caption_of(training: Training) -> str:
    """What a training is, in the words of a caption."""
    return "\n".join(filter(None, _lines(training_tables(training), xr.Dataset())))


def _lines(sweep: Mapping[str, Any], data: xr.Dataset) -> tuple[str, str]:
    """Task and model; loss, penalty, optimizer and batch."""
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
    return first, ", ".join(part for part in (loss, optimizer, batch) if part)


_NAMED = {"optimizer": "learning_rate", "penalty": "strength", "batch": "size"}  # on the second line


def selection(data: xr.Dataset) -> str:
    """The one value that is left of each axis which is no dimension any more, but for those named before."""
    named = {name for role, field in _NAMED.items() for name in (field, f"{role}.{field}")}
    sweep = sweep_of(data)
    axes = [*_table(sweep.get("axes")), *([DRAW] if "draws" in sweep else [])]
    values = [
        f"{axis.replace('_', ' ').replace('.', ' ')} {data.coords[axis].item():g}"
        for axis in axes
        if axis not in named and axis in data.coords and not data.coords[axis].ndim
    ]
    return ", ".join(filter(None, (*values, data.attrs.get(NOTE))))


def _number(data: xr.Dataset, sweep: Mapping[str, Any], role: str, field: str, words: str) -> str:
    """A component's number behind some words, or nothing where it is not one for all points, or not known."""
    axes = _table(sweep.get("axes"))
    names = [*axes, *map(str, data.dims), *map(str, data.coords)]
    if any(re.fullmatch(rf"layer\d+\.{field}", name) for name in names):
        return ""  # layers have numbers of their own
    number = _table(sweep.get(role)).get(field)
    for axis in (field, f"{role}.{field}"):
        if axis in data.coords:
            held = np.unique(data.coords[axis].values)
            number = held.item() if len(held) == 1 else None
        elif axis in axes or axis in data.dims:
            number = None
    known = isinstance(number, int | float) and not isinstance(number, bool)
    return f"{words}{number:g}" if known else ""


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

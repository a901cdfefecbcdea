"""Places: what an axis can vary, and whether its numbers are allowed there.

A place is a pair (role, field): a parameter of the start, ``("start", "weight")``; one number of a
network's, ``("start", "layer0.weight[1,0]")``; a field of a component, ``("optimizer", "learning_rate")``;
that of a layer alone, ``("layer0", "learning_rate")``; what is added to the weights of a layer,
``("layer0", "offset")``; the standard deviation of all normal starts, ``("start", "sd")``. An axis names one
by its field where that is unambiguous, else by ``role.field``; those of layers always by both.

Not here: how an axis gets its values (`fastneuron.axes`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fastneuron.axes import Axis, Values
from fastneuron.chosen import Chosen
from fastneuron.components import FINITE, Bound, nearest, shown_key
from fastneuron.models import Model, pieces_of
from fastneuron.penalties import penalties
from fastneuron.starts import Normal
from fastneuron.training import check_number, check_numbers, check_record, check_size

if TYPE_CHECKING:
    from fastneuron.sweep import Sweep

_ENTRY = re.compile(r"(layer\d{1,6}\.\w+)\[(\d{1,9}(?:,\d{1,9})?)\]")
OFFSET, SD = "offset", "sd"
DRAW = "draw"  # the dimension of the draws
RESULT_NAMES = ("outcome", "steps", "loss", "error", "speed", "period", "learned")
# what else stands in a result or a store: dimensions, the ledger, attributes, and what keep= knows
RESERVED = {
    *RESULT_NAMES, "draw", "final", "tile_done", "tile_entry",
    "layout", "run_times", "seconds", "metadata_crc32c", "sweep", "sweep_sha256", "component_code", "title",
    "Conventions", "dtype", "cpu", "fastneuron_version", "results_version", "numba_version", "numpy_version",
}  # fmt: skip
_RESERVED_KINDS = re.compile(r"final_.*|.*_tile|layer\d+_(in|out)")


def is_reserved(name: str) -> bool:
    """Whether a result or a store uses a name, so that nothing of a user's may be called so."""
    return name in RESERVED or _RESERVED_KINDS.fullmatch(name) is not None


def bounds_of(sweep: Sweep) -> dict[tuple[str, str], Bound]:
    """What an axis may vary, (role, field), and the numbers allowed there."""
    numbers = [name for name, shape in sweep.model.shapes.items() if shape == ()]
    axes = [_unspaced(axis).removeprefix("start.") for axis in sweep.axes]
    numbers += [name for name in axes if entry_of(sweep.model, name) is not None]
    known = {("start", name): FINITE for name in numbers}
    if any(isinstance(start, Normal) for start in sweep.starts.values()):
        known |= {("start", SD): Normal.bounds["sd"]}
    for layer in sweep.model.layer_names:
        known |= {(layer, OFFSET): FINITE}
        known |= {(layer, name): sweep.optimizer.bounds[name] for name in sweep.optimizer._fields}
    for role, record in sweep.training.components.items():
        known |= {(role, name): record.bounds[name] for name in record._fields}
    return known


def place_of(axis: str, known: Mapping[tuple[str, str], Bound], sweep: Sweep) -> tuple[str, str]:
    """The (role, field) that `axis` names."""
    name = _unspaced(axis)
    if entry_of(sweep.model, name.removeprefix("start.")) is not None:
        name = name.removeprefix("start.")
    if name.startswith(tuple(f"model.{role}." for role in sweep.model.components)):
        name = name.removeprefix("model.")
    layers = sweep.model.layer_names
    found = [
        place
        for place in known
        if name == ".".join(place) or (name == place[1] and place[0] not in layers and place[1] != SD)
    ]
    if len(found) == 1:
        return found[0]
    if found:
        choice = " or ".join(map(".".join, found))
        raise ValueError(f"axes.{axis}: ambiguous; write {choice}")
    names = [field for role, field in known if role not in layers and field != SD]  # what may stand alone
    field = name.removeprefix("penalty.")
    if sweep.penalty is None and any(field in kind._fields for kind in penalties.classes.values()):
        raise ValueError(
            f"axes.{shown_key(axis)}: there is no penalty; give penalty=L2(strength=0.01) or another"
        )
    others = [
        name if names.count(name) == 1 and role not in layers and name != SD else f"{role}.{name}"
        for role, name in known
        if role != "start" or name == SD
    ]
    parameter = name.removeprefix("start.").partition("[")[0]
    if sweep.model.shapes.get(parameter):
        shape = sweep.model.shapes[parameter]
        last = ",".join(str(n - 1) for n in shape)
        form = f"{parameter}[{','.join('0' * len(shape))}]"
        what = f"one number of {parameter}, from {form} to {parameter}[{last}]"
        raise ValueError(f"axes.{shown_key(axis)}: an axis is {what}")
    hint = nearest(name, [*names, *map(".".join, known)])
    fields_known = f"fields: {', '.join(others)}"
    raise ValueError(f"axes.{shown_key(axis)}: unknown axis{hint}; {sweep.model.description}; {fields_known}")


def entry_of(model: Model, name: str) -> int | None:
    """Which of all numbers of the model ``layer0.weight[1,0]`` names; None where it names none."""
    found = _ENTRY.fullmatch(name)
    shape = model.shapes.get(found[1]) if found else None
    if found is None or not shape:
        return None
    index = tuple(map(int, found[2].split(",")))
    if len(index) != len(shape) or any(i >= n for i, n in zip(index, shape, strict=True)):
        return None
    first: int = pieces_of(model)[found[1]].start
    return first + int(np.ravel_multi_index(index, shape))


def _unspaced(axis: str) -> str:
    """The name of an axis as it stands in a place: without the blanks of ``layer0.weight[1, 0]``."""
    name = axis.replace(" ", "")
    found = _ENTRY.fullmatch(name)
    return f"{found[1]}[{','.join(str(int(i)) for i in found[2].split(','))}]" if found else name


def check_axes(sweep: Sweep) -> None:
    """Every axis names one place, each place is named once, and its values are allowed there."""
    known = bounds_of(sweep)
    taken: dict[tuple[str, str], str] = {}
    for name, place in sweep.places.items():
        if is_reserved(name) or name in sweep.record:
            raise ValueError(f"axes.{name}: a result's variable is called so; write {'.'.join(place)}")
        if place in taken:
            raise ValueError(f"axes.{name}: the same as axes.{taken[place]}; give one of them")
        taken[place] = name
        role, field = place
        if role == "start" and field in sweep.start:
            raise ValueError(f"start.{field}: {field} is an axis already; give one of them")
        _check_axis(f"axis {name}", sweep.axes[name], known[place], sweep.dtype)


def _check_axis(name: str, axis: Axis, bound: Bound, dtype: str) -> None:
    if isinstance(axis, Values) or bound.whole:
        check_numbers(lambda i: f"{name}[{i}]", axis.values(), bound, dtype)
        return
    # the ends speak for a range, however long it is
    check_number(f"{name}[0]", axis.start, bound, dtype)
    if len(axis) > 1:
        check_number(f"{name}[{len(axis) - 1}]", axis.stop, bound, dtype)


def check_sizes(sweep: Sweep) -> None:
    """No batch along an axis has more samples than the task."""
    for axis, place in sweep.places.items():
        if place == ("batch", "size"):
            values = sweep.axes[axis].values()
            largest = int(values.argmax())
            check_size(f"axis {axis}[{largest}]", values[largest], sweep.task.samples)


def check_dtype(sweep: Sweep) -> None:
    """Every number of the starts and the records is still one that is allowed, as a number of the dtype."""
    if sweep.dtype == "float64":
        return
    check_starts(sweep.start, sweep.dtype)
    for name, reducer in sweep.record.items():
        check_record(f"record.{name}", reducer, sweep.dtype)


def check_starts(starts: Mapping[str, Any], dtype: str) -> None:
    """Every number of the starts, or of what these are drawn from, is still finite in `dtype`."""
    for name, start in starts.items():
        check_numbers(partial(_start_entry, name, isinstance(start, Chosen)), np.ravel(start), FINITE, dtype)


def _start_entry(name: str, chosen: bool, i: int) -> str:
    return f"start.{name}[{i}]" if chosen else f"start.{name}"

"""Selection: the sweep of a part of a grid, whose points have the numbers that they have in the whole.

Not here: the start at one point (`Sweep.at`), or a part of a result, which xarray gives.
"""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from fastneuron.chosen import Chosen
from fastneuron.components import Component, nearest, shown
from fastneuron.models import pieces_of
from fastneuron.places import DRAW, OFFSET, SD, entry_of
from fastneuron.starts import Distribution, Normal

if TYPE_CHECKING:
    from fastneuron.outcomes import Stop
    from fastneuron.sweep import Sweep
    from fastneuron.training import Training

Place = int | np.ndarray  # of one point along a dim, which then is gone, or of some: int64, shape (points,)


def point_at(sweep: Sweep, indices: Mapping[str, Any]) -> tuple[int, ...]:
    """The place of one point along all dims of a sweep, of which those of length 1 need not be given.

    Raises
    ------
    ValueError
        For a dim that is missing or unknown, or an index beyond its ends.
    """
    return point_among(dict(zip(sweep.dims, sweep.shape, strict=True)), indices)


def point_among(lengths: Mapping[str, int], indices: Mapping[str, Any]) -> tuple[int, ...]:
    """As `point_at`, for a grid of these lengths by dim."""
    for dim in indices:
        _known(dim, lengths)
    for dim, length in lengths.items():
        if dim not in indices and length != 1:
            raise ValueError(f"{dim}: missing; which of the {length} is meant, from 0 to {length - 1}?")
    return tuple(_place_along(dim, length, indices.get(dim, 0)) for dim, length in lengths.items())


def _place_along(dim: str, length: int, index: Any, allowed: str = "") -> int:
    try:
        one = length if isinstance(index, bool) else operator.index(index)
    except TypeError:
        one = length
    if not -length <= one < length:
        allowed = allowed or f"a whole number from {-length} to {length - 1}, the place of a point along it"
        raise ValueError(f"{dim} must be {allowed}, got {shown(index)}")
    return one % length


def places_at(sweep: Sweep, indices: Mapping[str, Any]) -> dict[str, Place]:
    """The places that indices mean along the dims of a sweep, 0 or more.

    Raises
    ------
    ValueError
        For a dim that is unknown, or an index that is none or beyond its ends.
    """
    lengths = dict(zip(sweep.dims, sweep.shape, strict=True))
    return {dim: _places_along(dim, _known(dim, lengths), index) for dim, index in indices.items()}


def places_of(sweep: Sweep, coordinates: Mapping[str, Any], method: str | None) -> dict[str, Place]:
    """The places of values along the dims of a sweep; see `Sweep.select`.

    Raises
    ------
    ValueError
        For a dim that is unknown, or a value that is not along it.
    """
    if method not in (None, "nearest"):
        advice = "; along a dimension of this name isel selects" if "method" in sweep.dims else ""
        raise ValueError(f"method must be None or 'nearest', got {shown(method)}{advice}")
    lengths = dict(zip(sweep.dims, sweep.shape, strict=True))
    for dim in coordinates:
        _known(dim, lengths)
    values = {dim: own for dim, own in sweep.coordinates().items() if dim in coordinates}
    return {dim: _places_of(dim, values[dim], wanted, method) for dim, wanted in coordinates.items()}


def _known(dim: str, lengths: Mapping[str, int]) -> int:
    """The length of a dim."""
    if dim not in lengths:
        known = ", ".join(f"{name} ({length})" for name, length in lengths.items())
        raise ValueError(
            f"no dimension {shown(dim)}{nearest(str(dim), lengths)}; with their lengths: {known}"
        )
    return lengths[dim]


def _places_along(dim: str, length: int, index: Any) -> Place:
    if isinstance(index, slice):
        try:
            found = np.array(range(length)[index], np.int64)
        except (TypeError, ValueError):
            raise ValueError(f"{dim} must be a slice of whole numbers, got {shown(index)}") from None
        if not len(found):
            raise ValueError(f"{dim}: {shown(index)} has no points, of {length}")
        return found
    allowed = f"a whole number from {-length} to {length - 1}, a list of such or a slice"
    if not isinstance(index, list | tuple | range | np.ndarray) or np.isscalar(index):
        return _place_along(dim, length, index, allowed)
    places = np.ma.filled(index, length).tolist() if isinstance(index, np.ndarray) else list(index)
    if not isinstance(places, list) or not places or any(isinstance(one, list | tuple) for one in places):
        raise ValueError(f"{dim} must be {allowed}, got {shown(index)}")
    return np.array([_place_along(dim, length, one, allowed) for one in places])


def _places_of(dim: str, values: np.ndarray, wanted: Any, method: str | None) -> Place:
    if isinstance(wanted, slice):
        return _places_between(dim, values, wanted)
    if isinstance(wanted, list | tuple | range | np.ndarray) and np.ndim(wanted):
        places = [_place_of(dim, values, _number(dim, value), method) for value in list(wanted)]
        if not places:
            raise ValueError(f"{dim} must be one value or more, got {shown(wanted)}")
        return np.array(places)
    return _place_of(dim, values, _number(dim, wanted), method)


def _places_between(dim: str, values: np.ndarray, wanted: slice) -> np.ndarray:
    """The places of the values from one to the other; an open end is that of the axis."""
    if wanted.step is not None:
        raise ValueError(f"{dim}: a slice of values has no step, got {shown(wanted)}; isel takes one")
    if wanted == slice(None):
        return np.arange(len(values))
    if np.any(values[1:] < values[:-1]) and np.any(values[1:] > values[:-1]):
        raise ValueError(
            f"{dim}: its values go up and down, so no slice of them is a part; isel takes places"
        )
    beyond = np.inf if values[-1] >= values[0] else -np.inf  # the end of the axis
    one = -beyond if wanted.start is None else _number(dim, wanted.start)
    other = beyond if wanted.stop is None else _number(dim, wanted.stop)
    found = np.flatnonzero((values >= min(one, other)) & (values <= max(one, other)))
    if not len(found):
        ends = f"{values.min():g} to {values.max():g}"
        raise ValueError(f"{dim}: no value from {one:g} to {other:g}; they are from {ends}")
    return found


def _number(dim: str, value: Any) -> float:
    try:
        wrong = isinstance(value, bool | np.bool_ | str | bytes) or np.ma.is_masked(value)
        number = np.nan if wrong else float(value)
    except (TypeError, ValueError, OverflowError):
        number = np.nan
    if not np.isfinite(number):
        raise ValueError(f"{dim} must be a number, a list of numbers or a slice, got {shown(value)}")
    return number


def _place_of(dim: str, values: np.ndarray, value: float, method: str | None) -> int:
    with np.errstate(over="ignore"):
        near = int(np.abs(values - value).argmin())
    if values[near] != value and method is None:
        raise ValueError(
            f"{dim} has no value {value!r}; method='nearest' takes the nearest, {values[near].item()!r}"
        )
    if method is None and np.count_nonzero(values == value) > 1:
        raise ValueError(f"{dim} has the value {value!r} more than once; isel tells which is meant")
    return near


def part_of(sweep: Sweep, places: Mapping[str, Place]) -> Sweep:
    """The sweep of a part of a grid; what is random may be drawn anew there, see `check_numbers_stay`.

    Raises
    ------
    ValueError
        If there is no such sweep, or no dim is left.
    """
    if all(isinstance(places.get(dim), int) for dim in sweep.dims):
        last = sweep.dims[-1]
        raise ValueError(
            f"this leaves no dimension, and a sweep has one or more; give a list for one, as {last}="
            f"[{places[last]}], or take Sweep.at and fastneuron.replay, which are for one point"
        )
    axes: dict[str, Any] = dict(sweep.axes)
    start: dict[str, Any] = dict(sweep.start)
    draws = sweep.draws
    values: dict[tuple[str, str], float] = {}
    for dim, place in places.items():
        if dim == DRAW:
            draws = None if isinstance(place, int) else len(place)
        elif dim not in sweep.axes:
            chosen = {name: own for name, own in sweep.start.items() if isinstance(own, Chosen)}
            for name, own in chosen.items():
                start[name] = float(own.values[place]) if isinstance(place, int) else own.taken(place)
        elif not isinstance(place, int):
            whole = np.array_equal(place, np.arange(len(axes[dim])))
            axes[dim] = axes[dim] if whole else axes[dim].values()[place]
        else:
            value, (role, field) = float(axes.pop(dim).values()[place]), sweep.places[dim]
            if role == "start":
                start |= _started(sweep, start, dim, field, value)
            elif role in sweep.training.components:
                values[role, field] = value
            else:
                what = "what is added to the weights" if field == OFFSET else f"the {field}"
                raise ValueError(f"{dim}: {what} of one layer can only be an axis; give a list, as [{place}]")
    training = with_values(sweep.training, values)
    trained = {field.name: getattr(training, field.name) for field in dataclasses.fields(training)}
    return sweep.replace(**trained, axes=axes, start=start, draws=draws)


def with_values(training: Training, values: Mapping[tuple[str, str], float]) -> Training:
    """A training with other numbers in fields of its components, by (role, field)."""
    changes: dict[str, Any] = {}
    for role in dict.fromkeys(role for role, _ in values):
        own = {field: value for (its_role, field), value in values.items() if its_role == role}
        record: Any = changed(training.components[role], own)
        if role in training.model.components:
            changes["model"] = changes.get("model", training.model).with_activation(role, record)
        else:
            changes[role] = record
    return training.replace(**changes)


def _started(sweep: Sweep, start: dict[str, Any], axis: str, field: str, value: float) -> dict[str, Any]:
    """What is different in `start` where an axis of it has a value."""
    if field == SD:
        return {
            name: Normal(own.mean, value) for name, own in sweep.starts.items() if isinstance(own, Normal)
        }
    entry = entry_of(sweep.model, field)
    if entry is None:
        return {field: value}
    name = field.partition("[")[0]
    own = start.get(name, sweep.starts[name])
    if isinstance(own, Distribution):
        raise ValueError(f"{axis}: the rest of {name} is random, so that it can only be an axis; give a list")
    numbers = np.array(np.broadcast_to(own, sweep.model.shapes[name]), np.float64)
    numbers.flat[entry - pieces_of(sweep.model)[name].start] = value
    if np.signbit(numbers[numbers == 0]).any():  # an array as a start has none
        raise ValueError(f"{axis}: an array of numbers that holds -0.0 is no start of {name}; give a list")
    return {name: numbers}


def changed(record: Component, values: Mapping[str, float]) -> Component:
    """A component with other numbers in some of its fields."""
    given: dict[str, Any] = dict(zip(record._fields, record, strict=True))  # type: ignore[call-overload]
    for field, value in values.items():
        given[field] = int(value) if record.bounds[field].whole else float(value)
    made: Component = type(record)(**given)
    return made


def has_random_numbers(sweep: Sweep) -> bool:
    """Whether starts or batches are drawn."""
    return sweep.batch.shuffled or any(isinstance(own, Distribution) for own in sweep.starts.values())


def check_numbers_stay(sweep: Sweep, places: Mapping[str, Place]) -> None:
    """What is random goes by the number of a point in its grid, which is to be the same in a part.

    Raises
    ------
    ValueError
        If it is not.
    """
    if not has_random_numbers(sweep):
        return
    stride, own_stride = 1, 1
    for dim, length in zip(reversed(sweep.dims), reversed(sweep.shape), strict=True):
        taken = np.atleast_1d(places[dim]) if dim in places else None
        kept = length if taken is None else len(taken)
        if taken is None:
            same = stride == own_stride or length == 1
        else:
            same = np.array_equal(taken * stride, np.arange(kept) * own_stride)
        if not same:
            raise ValueError(
                "random starts and batches are drawn by the number of a point in its grid, which would be "
                "another in this part; select from the result, or take Sweep.at and fastneuron.replay, "
                "which are for one point"
            )
        stride, own_stride = stride * length, own_stride * kept


def within(sweep: Sweep, steps: int | None) -> Sweep:
    """The sweep with at most so many steps for each of its points, which stay what they are."""
    if steps is None:
        return sweep
    axes = {
        name: axis.values().clip(max=steps) if sweep.places[name] == ("stop", "max_steps") else axis
        for name, axis in sweep.axes.items()
    }
    stop = cast("Stop", changed(sweep.stop, {"max_steps": min(steps, sweep.stop.max_steps)}))
    return sweep.replace(axes=axes, stop=stop)

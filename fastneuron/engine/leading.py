"""Leading dims by name: parameters that are DataArrays, brought together by the names of their dims.

The leading dims of a parameter are those before its own. Together they have those of all DataArrays, in the
order in which these name them; an array without names beside them has the last ones, as in NumPy.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import numpy as np

from fastneuron.models import Model


class Leading(NamedTuple):
    """Names of the leading dims, and coordinates along them: by name, their dims and values."""

    dims: tuple[str, ...]
    coordinates: dict[str, tuple[tuple[str, ...], np.ndarray]]


def brought_together(model: Model, parameters: Any, taken: Collection[str]) -> tuple[Any, Leading | None]:
    """The parameters as plain arrays that broadcast together, and their leading dims.

    Parameters
    ----------
    parameters : mapping of str to float, array or DataArray
        Returned as plain numbers, with None, where none is a DataArray with leading dims.
    taken : names that stand for something else in the result
        A dim or coordinate of such a name is called ``start_<name>``.

    Raises
    ------
    ValueError
        If DataArrays have different coordinates or lengths along a dim of the same name, or an array without
        names does not go with their dims.
    """
    named = {
        name: value
        for name, value in _items(parameters)
        if hasattr(value, "coords") and hasattr(value, "dtype")
    }
    if not named:
        return parameters, None
    import xarray

    own = {name: len(model.shapes.get(name, ())) for name in parameters}
    # a point of each parameter's own dims, which stands for its leading ones
    points = {
        name: value.isel(dict.fromkeys(value.dims[max(0, value.ndim - own[name]) :], 0), drop=True)
        for name, value in named.items()
        if 0 not in value.shape[max(0, value.ndim - own[name]) :]
    }
    try:
        xarray.align(*points.values(), join="exact", copy=False)
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{', '.join(named)} do not go together: {reason}") from None
    sizes: dict[Any, int] = {}
    for point in points.values():
        sizes |= dict(point.sizes)
    if not sizes:
        return dict(parameters) | {name: value.values for name, value in named.items()}, None
    arrays = {
        name: _placed(named[name], sizes, own[name])
        if name in points
        else _checked(name, value, sizes, own[name])
        for name, value in parameters.items()
    }
    new = {dim: f"start_{dim}" if dim in taken else str(dim) for dim in sizes}
    return arrays, Leading(tuple(new.values()), _coordinates(points.values(), new, taken))


def _items(parameters: Any) -> Any:
    return parameters.items() if isinstance(parameters, Mapping) else ()


def _placed(array: Any, sizes: Mapping[Any, int], own: int) -> np.ndarray:
    """A DataArray as a plain one with all leading dims, of length 1 where it lacks one."""
    last = array.dims[max(0, array.ndim - own) :]
    lead = [dim for dim in sizes if dim in array.dims and dim not in last]
    values: np.ndarray = array.transpose(*lead, *last).values
    if not lead:
        return values
    return values.reshape(*(sizes[dim] if dim in lead else 1 for dim in sizes), *values.shape[len(lead) :])


def _checked(name: str, value: Any, sizes: Mapping[Any, int], own: int) -> Any:
    """A parameter without names, whose leading dims must be among the last ones."""
    shape, lead = np.shape(value), tuple(sizes.values())
    ahead = shape[: max(0, len(shape) - own)]
    try:
        fits = np.broadcast_shapes(ahead, lead) == lead
    except ValueError:
        fits = False
    if not fits:
        there = ", ".join(f"{dim} {size}" for dim, size in sizes.items())
        raise ValueError(f"{name} has leading shape {ahead}, which does not go with the dims given ({there})")
    return value


def _coordinates(
    points: Collection[Any], new: Mapping[Any, str], taken: Collection[str]
) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
    """The coordinates on which all agree that have one, under their new names; none of several levels."""
    found: dict[str, tuple[tuple[str, ...], np.ndarray]] = {}
    apart = set()
    for point in points:
        for name, coordinate in point.coords.items():
            called = new.get(name, f"start_{name}" if name in taken else str(name))
            told = tuple(new[dim] for dim in coordinate.dims), coordinate.values
            if called in found and not (
                found[called][0] == told[0] and np.array_equal(found[called][1], told[1])
            ):
                apart.add(called)
            if coordinate.ndim != 1 or coordinate.to_index().nlevels == 1:
                found.setdefault(called, told)
    return {name: told for name, told in found.items() if name not in apart}

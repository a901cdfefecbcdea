"""Stored maps as files for other programs: NetCDF and CSV."""

from __future__ import annotations

import importlib.util
import itertools
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import xarray

ROWS = 2**18  # lines of a CSV file that are made at a time, about
SUFFIXES = (".nc", ".csv")


def to_netcdf(result: xarray.Dataset, path: Path) -> None:
    """Write a map as NetCDF: version 4 where netCDF4 or h5netcdf is installed, else version 3 through SciPy.

    Version 3 has no whole numbers of more than 32 bits with a sign: a variable of them becomes one of 32 bits
    where these hold its values, else one of float64, which holds truth tables exactly.
    """
    engines = {"netcdf4": "netCDF4", "h5netcdf": "h5netcdf"}
    found = [engine for engine, module in engines.items() if importlib.util.find_spec(module) is not None]
    if found:
        result.to_netcdf(path, engine=found[0])  # type: ignore[call-overload]
    else:
        wide = {
            name: values.astype(np.float64) for name, values in result.variables.items() if _is_wide(values)
        }
        result.assign(wide).to_netcdf(path, engine="scipy", format="NETCDF3_64BIT")


def _is_wide(values: xarray.Variable) -> bool:
    """Whether whole numbers do not fit into 32 bits."""
    allowed = np.iinfo(np.int32)
    whole = values.dtype.kind in "iu" and values.size > 0
    return whole and bool(values.min() < allowed.min or values.max() > allowed.max)


def to_csv(result: xarray.Dataset, path: Path, report: Callable[[int, int], None]) -> None:
    """Write a map as CSV: a line for each start, a column for each axis, variable and entry of a parameter.

    `report` is called with (starts written, all starts).
    """
    axes = _axes(result)
    points, done = math.prod(result.sizes[axis] for axis in axes), 0
    with path.open("w", newline="", encoding="utf-8") as file:
        report(0, points)
        for place in _pieces([result.sizes[axis] for axis in axes]):
            table = _table(result.isel(dict(zip(axes, place, strict=True))), axes)
            table.to_csv(file, index=False, header=done == 0)
            done += len(table)
            report(done, points)


def _axes(result: xarray.Dataset) -> tuple[str, ...]:
    """The dimensions of the grid, without those of a network's parameters, which have no coordinates."""
    first = next(iter(result.data_vars.values()))
    return tuple(str(dim) for dim in first.dims if dim in result.coords)


def _pieces(shape: list[int]) -> Iterator[tuple[slice, ...]]:
    """A grid in pieces of about `ROWS` points, in C order of the points."""
    split = 0  # the first axis behind which a piece has everything
    while math.prod(shape[split + 1 :]) > ROWS:
        split += 1
    step = max(1, ROWS // math.prod(shape[split + 1 :]))
    rest = tuple(slice(0, n) for n in shape[split + 1 :])
    for corner in itertools.product(*map(range, shape[:split])):
        for first in range(0, shape[split], step):
            here = tuple(slice(k, k + 1) for k in corner)
            yield (*here, slice(first, min(first + step, shape[split])), *rest)


def _table(part: xarray.Dataset, axes: tuple[str, ...]) -> Any:
    """The lines of a piece, as a table of pandas."""
    import pandas

    shape = tuple(part.sizes[axis] for axis in axes)
    columns: dict[str, np.ndarray] = {}
    for k, axis in enumerate(axes):
        along = part[axis].values.reshape((1,) * k + (-1,) + (1,) * (len(shape) - k - 1))
        columns[axis] = np.broadcast_to(along, shape).ravel()
    for name, variable in part.data_vars.items():
        values = variable.values
        for entry in np.ndindex(*values.shape[len(shape) :]):
            title = f"{name}[{','.join(map(str, entry))}]" if entry else str(name)
            columns[title] = values[(..., *entry)].ravel()
    return pandas.DataFrame(columns)

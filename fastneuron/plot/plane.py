"""Planes: two of a model's parameters, over which losses and steps are computed anew from a result's sweep.

A point (u, v) of the plane is a start: the parameter of the horizontal axis is u, that of the vertical one
v, and all others have the value that the sweep gives them.

Not here: what is drawn of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import xarray as xr

from fastneuron.components import nearest
from fastneuron.models import pieces_of
from fastneuron.outcomes import Stop
from fastneuron.places import DRAW, SD, entry_of
from fastneuron.plot.following import descended, trained_at
from fastneuron.plot.grid import GridAxis, grid_axis, require
from fastneuron.plot.shown_part import drawn_sweep, places_shown
from fastneuron.selection import part_of
from fastneuron.starts import Distribution
from fastneuron.sweep import Sweep

AT_ONCE = 2**22  # outputs computed at a time


@dataclass(frozen=True)
class Plane:
    """The plane of two axes of a sweep, which has no others.

    names, columns : what u and v are called, and which of all numbers of the model they are; x, y : the
    horizontal and the vertical axis.
    """

    sweep: Sweep
    names: tuple[str, str]
    columns: tuple[int, int]
    x: GridAxis
    y: GridAxis

    def cells(self, columns: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
        """The middles of so many equal cells, u and v, each of shape (rows, columns)."""
        u, v = np.meshgrid((np.arange(columns) + 0.5) / columns, (np.arange(rows) + 0.5) / rows)
        return self.at(u, v)

    def at(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The points at these shares, 0 to 1, of the width and the height."""
        return self.x.along(u), self.y.along(v)

    def descend(
        self, u: np.ndarray, v: np.ndarray, steps: int, stop: Stop | None = None
    ) -> tuple[xr.Dataset, np.ndarray, np.ndarray]:
        """What `fastneuron.descend` gives from starts of shape (n,), and u and v of every step."""
        training = self.sweep.training if stop is None else self.sweep.training.replace(stop=stop)
        path = descended(training, self._starts(u, v), steps, self.sweep.seed, held=stop is not None)
        return path, self._number(path, self.columns[0]), self._number(path, self.columns[1])

    def loss(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """The loss with the penalty, which the sweep descends, in the shape of `u` and `v`."""
        points = np.stack([np.ravel(u), np.ravel(v)])
        outputs = self.sweep.task.samples * self.sweep.model.outputs
        pieces = np.array_split(points, max(1, points.shape[1] * outputs // AT_ONCE), axis=1)
        losses: np.ndarray = np.concatenate([self._loss(*piece) for piece in pieces])
        return losses.reshape(np.shape(u))

    def _loss(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        total: np.ndarray = self.descend(u, v, 0)[0]["loss"].values[0].astype(np.float64)
        if self.sweep.penalty is not None:
            for name, numbers in self._starts(u, v).items():
                zero = np.zeros(numbers.shape)
                pair = (zero, numbers) if self.sweep.model.is_bias(name) else (numbers, zero)
                with np.errstate(over="ignore"):
                    penalty = self.sweep.penalty.value(*pair)
                total += penalty.reshape(len(u), -1).sum(axis=1)
        return total

    def _starts(self, u: np.ndarray, v: np.ndarray) -> dict[str, np.ndarray]:
        """The parameters of each start by name."""
        model = self.sweep.model
        numbers = np.empty((len(u), model.size))
        for name, piece in pieces_of(model).items():
            numbers[:, piece] = np.ravel(cast("Any", self.sweep.starts[name]))
        numbers[:, self.columns[0]], numbers[:, self.columns[1]] = u, v
        return {
            name: numbers[:, piece].reshape(len(u), *model.shapes[name])
            for name, piece in pieces_of(model).items()
        }

    def _number(self, path: xr.Dataset, column: int) -> np.ndarray:
        """Number `column` of the model on every step of each start, float64, shape (steps + 1, n)."""
        pieces = pieces_of(self.sweep.model)
        name, piece = next(
            (name, piece) for name, piece in pieces.items() if piece.start <= column < piece.stop
        )
        values = path[name].values
        numbers: np.ndarray = values.reshape(*values.shape[:2], -1)[:, :, column - piece.start]
        return numbers.astype(np.float64)


def plane_of(result: xr.Dataset, x: str | None = None, y: str | None = None) -> Plane:
    """The plane of a result's two axes.

    Parameters
    ----------
    result : Dataset
        A result over two axes that are parameters, or one of more axes of which the others were selected.
    x, y : str, optional
        Which axis goes to the right and which up; default as in maps, the last one to the right.

    Raises
    ------
    ValueError
        If the result does not tell its sweep, has not two axes, or one is no parameter of the model.
    """
    require(result)
    sweep = drawn_sweep(result)
    variables = [*result.data_vars.values(), xr.DataArray()]
    dims = [str(dim) for dim in variables[0].dims if dim in sweep.dims]
    if len(dims) != 2 or DRAW in dims:
        raise ValueError(
            f"this picture needs a result over two parameters, got {len(dims)} axes "
            f"({', '.join(dims) or 'none'}); select others with .isel or .sel"
        )
    for name, given in (("x", x), ("y", y)):
        if given is not None and given not in dims:
            known = " or ".join(map(repr, dims))
            raise ValueError(f"{name} must be {known}, got {given!r}{nearest(given, dims)}")
    if x is not None and x == y:
        raise ValueError(f"x and y must be different axes, got {x!r} twice")
    if x == dims[0] or y == dims[1]:
        dims.reverse()
    v, u = dims
    columns = (_column(sweep, u), _column(sweep, v))
    for name, start in sweep.starts.items():
        if isinstance(start, Distribution):
            raise ValueError(
                f"start.{name} is random, {start}; this picture needs numbers for what is no axis"
            )
    sweep = _selected(sweep, result, (v, u))
    return Plane(sweep, (u, v), columns, grid_axis(u, result[u].values), grid_axis(v, result[v].values))


def _column(sweep: Sweep, axis: str) -> int:
    """Which of all numbers of the model an axis is."""
    role, field = sweep.places.get(axis, ("", ""))
    entry = entry_of(sweep.model, field)
    if role != "start" or field == SD:
        raise ValueError(
            f"axis {axis!r} is no parameter of the model; this picture needs two of them, such as "
            f"{' and '.join(_examples(sweep))}"
        )
    return pieces_of(sweep.model)[field].start if entry is None else entry


def _examples(sweep: Sweep) -> list[str]:
    """The names of the first and of the last parameter, or of the first number in each, as axes have them."""
    shapes = list(sweep.model.shapes.items())
    return [name + f"[{','.join('0' * len(shape))}]" * bool(shape) for name, shape in (shapes[0], shapes[-1])]


def _selected(sweep: Sweep, result: xr.Dataset, kept: tuple[str, str]) -> Sweep:
    """The sweep over the axes `kept` alone, at the place of the others where `result` was selected."""
    others = [axis for axis in sweep.axes if axis not in kept]
    for axis in others:
        if axis not in result.coords:
            raise ValueError(f"this result does not tell where it was selected on axis {axis!r}")
    trained_at(sweep, {axis: float(result[axis]) for axis in others})
    places = places_shown(result, sweep)
    part = part_of(sweep, {dim: place for dim, place in places.items() if dim not in kept})
    return part.replace(axes={axis: part.axes[axis] for axis in kept})

"""Following: the training runs behind points of a result, step by step, under the sweep's own settings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
import xarray as xr

from fastneuron.components import Component
from fastneuron.models import pieces_of
from fastneuron.outcomes import Stop
from fastneuron.places import OFFSET, layers_of
from fastneuron.starts import uniform_numbers
from fastneuron.sweep import Sweep


def places_in_sweep(result: xr.Dataset, sweep: Sweep) -> list[np.ndarray]:
    """Where the points of a result are in the grid of its sweep: places along each of its dims, in order.

    Raises
    ------
    ValueError
        If the result lacks an axis or holds a value that the sweep does not.
    """
    places = []
    for dim, values in sweep.coordinates().items():
        if dim not in result.coords:
            raise ValueError(
                f"this result no longer tells its {dim}; select with .isel or .sel, without drop=True"
            )
        held = np.atleast_1d(result[dim].values)
        order = np.argsort(values, kind="stable")
        found = order[np.searchsorted(values, held, sorter=order).clip(max=len(values) - 1)]
        strange = held[values[found] != held]
        if strange.size:
            raise ValueError(f"this result holds {dim} {strange[0]}, which is not in its sweep")
        places.append(found)
    return places


def spread(lengths: Sequence[int], number: int, seed: int) -> list[tuple[int, ...]]:
    """So many points of a grid, evenly spread, or all where there are no more; others for another seed.

    Notes
    -----
    Point n has the coordinates u_k + n g**-k modulo 1, k = 1 .. d, where g**(d + 1) = g + 1 and u is random.

    References
    ----------
    Roberts (2018), The unreasonable effectiveness of quasirandom sequences.
    """
    if math.prod(lengths) <= number:
        return list(np.ndindex(*lengths))
    g = 1.5
    for _ in range(64):
        g = (1 + g) ** (1 / (len(lengths) + 1))
    alphas = g ** -np.arange(1.0, len(lengths) + 1)
    first = uniform_numbers(seed, np.arange(len(lengths), dtype=np.uint64), 0)
    points: dict[tuple[int, ...], None] = {}
    n = 0
    while len(points) < number:
        points[tuple(((first + n * alphas) % 1 * lengths).astype(int).tolist())] = None
        n += 1
    return list(points)


def descended(
    sweep: Sweep, start: Mapping[str, Any], steps: int | None = None, stop: Stop | None = None
) -> xr.Dataset:
    """What `fastneuron.descend` gives from starts under a sweep's settings; its own `steps` by default."""
    from fastneuron.engine.trajectories import descend  # brings Numba, which other pictures do without

    return descend(
        sweep.task,
        sweep.model,
        loss=sweep.loss,
        optimizer=sweep.optimizer,
        penalty=sweep.penalty,
        batch=sweep.batch,
        start=start,
        steps=int(sweep.stop.max_steps) if steps is None else steps,
        stop=stop,
        dtype=sweep.dtype,
        seed=sweep.seed,
    )


def settled_on(sweep: Sweep, settings: Mapping[str, float]) -> Sweep:
    """The sweep without these axes, which are fields of its components, at these values.

    Raises
    ------
    ValueError
        If one is a setting of a layer of its own, such as ``layer0.learning_rate``.
    """
    given: dict[str, Any] = {field.name: getattr(sweep, field.name) for field in fields(sweep)}
    given |= {"axes": {axis: own for axis, own in sweep.axes.items() if axis not in settings}}
    for axis, value in settings.items():
        role, field = sweep.places[axis]
        if role in sweep.model.components:
            model = given["model"]
            given["model"] = replace(model, **{role: _changed(getattr(model, role), field, value)})
        elif isinstance(given.get(role), Component):
            given[role] = _changed(given[role], field, value)
        else:
            raise ValueError(f"a start cannot be followed step by step where {axis} is an axis")
    return Sweep(**given)


def follow(
    sweep: Sweep, values: dict[str, np.ndarray], point: tuple[int, ...], steps: int | None
) -> xr.Dataset:
    """Every step of the start at a point of the grid of `sweep`, whose coordinates are `values`.

    Parameters
    ----------
    steps : int, optional
        How many; default the point's own max_steps.

    Raises
    ------
    ValueError
        As `settled_on`.
    """
    from fastneuron.engine.lowering import starts_of

    rows, _ = starts_of(sweep, values, tuple(slice(k, k + 1) for k in point))
    start = {
        name: rows[piece, 0].reshape(sweep.model.shapes[name])
        for name, piece in pieces_of(sweep.model).items()
    }
    settings = {
        axis: float(values[axis][point[k]])
        for k, (axis, (role, field)) in enumerate(sweep.places.items())
        if role != "start" and not (role in layers_of(sweep.model) and field == OFFSET)
    }
    own = settled_on(sweep, settings)
    return descended(own, start, steps, own.stop)


def _changed(record: Component, field: str, value: float) -> Component:
    """A component with another number in one of its fields."""
    whole = record.bounds[field].whole
    numbers = dict(zip(record._fields, record, strict=True))  # type: ignore[call-overload]
    changed: Component = type(record)(**numbers | {field: int(value) if whole else float(value)})
    return changed

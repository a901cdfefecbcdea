"""Following: the training runs behind points of a result, step by step, under the sweep's own settings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, cast

import numpy as np
import xarray as xr

from fastneuron.components import Component
from fastneuron.outcomes import Stop
from fastneuron.starts import uniform_numbers
from fastneuron.sweep import Sweep


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


def settled_on(
    sweep: Sweep, settings: Mapping[str, float], start: Mapping[str, float] | None = None
) -> Sweep:
    """The sweep without these axes, which are fields of its components, at these values.

    Of one start alone, where that is given.

    Raises
    ------
    ValueError
        If one is a setting of a layer of its own, such as ``layer0.learning_rate``.
    """
    given: dict[str, Any] = {field.name: getattr(sweep, field.name) for field in fields(sweep)}
    given |= {"axes": {axis: own for axis, own in sweep.axes.items() if axis not in settings}}
    if start is not None:
        given |= {"axes": {name: [value] for name, value in start.items()}, "start": {}, "draws": None}
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


def within(sweep: Sweep, steps: int | None) -> Sweep:
    """The sweep with at most so many steps for each of its points, which stay what they are."""
    if steps is None:
        return sweep
    axes = {
        name: axis.values().clip(max=steps) if sweep.places[name] == ("stop", "max_steps") else axis
        for name, axis in sweep.axes.items()
    }
    stop = cast("Stop", _changed(sweep.stop, "max_steps", min(steps, sweep.stop.max_steps)))
    return replace(sweep, axes=cast("Any", axes), stop=stop)


def _changed(record: Component, field: str, value: float) -> Component:
    """A component with another number in one of its fields."""
    whole = record.bounds[field].whole
    numbers = dict(zip(record._fields, record, strict=True))  # type: ignore[call-overload]
    changed: Component = type(record)(**numbers | {field: int(value) if whole else float(value)})
    return changed

"""The sweep that a picture shows: that of its result, or of the part of it that was selected."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np
import xarray as xr

from fastneuron.batches import FullBatch
from fastneuron.chosen import Chosen
from fastneuron.models import pieces_of
from fastneuron.places import entry_of
from fastneuron.plot.caption import selection, stranger_in
from fastneuron.plot.following import settled_on
from fastneuron.result import places_in_sweep, sweep_behind, variables_of
from fastneuron.starts import Distribution
from fastneuron.sweep import Sweep

HALF = "drawn while the map was half finished"
PART = "drawn of a part or a summary of the result of this sweep"
MIXED = "drawn of a result that has {}, which this sweep does not give"


def drawn_sweep(result: xr.Dataset) -> Sweep:
    """The sweep of a result, from which a picture is computed.

    Raises
    ------
    ValueError
        As `sweep_behind`, or if the result holds something that its sweep does not.
    """
    sweep = sweep_behind(result)
    stranger = stranger_in(result)
    if stranger:
        raise ValueError(
            f"this result has {stranger}, which its sweep does not; this picture is computed from the sweep: "
            "draw the results one by one, before they are put together"
        )
    return sweep


def shown_sweep(result: xr.Dataset) -> tuple[str, str, str]:
    """The sweep of what a result holds, as TOML; in words what it does not tell of it; what was selected.

    Of a result from which points were selected it is the sweep of these points, where it gives them the same
    numbers: random ones depend on the number of a point in its grid.
    """
    text = str(result.attrs.get("sweep", ""))
    if not text or not result.data_vars:
        return text, "", ""
    sweep = Sweep.from_toml(text)
    if not set(result.data_vars) & set(variables_of(sweep)):  # something else than its result
        return text, "", ""
    note = "" if "seconds" in result.attrs else HALF
    stranger = stranger_in(result)
    if stranger:
        return text, "; ".join(filter(None, (note, MIXED.format(stranger)))), ""
    if _is_whole(result, sweep):
        return text, note, ""
    try:
        return _part(result, sweep).to_toml(), note, selection(result)
    except ValueError:
        return text, "; ".join(filter(None, (note, PART))), ""


def _is_whole(result: xr.Dataset, sweep: Sweep) -> bool:
    dims = [str(dim) for dim in next(iter(result.data_vars.values())).dims if dim in sweep.dims]
    return dims == list(sweep.dims) and all(
        np.array_equal(result[dim].values, values) for dim, values in sweep.coordinates().items()
    )


def _part(result: xr.Dataset, sweep: Sweep) -> Sweep:
    """The sweep of the points of a result.

    Raises
    ------
    ValueError
        If there is none that gives them the same numbers.
    """
    random = any(isinstance(start, Distribution) for start in sweep.starts.values())
    if random or sweep.batch != FullBatch() or sweep.draws:
        raise ValueError("the numbers of the points would be others")
    gone = [dim for dim in sweep.dims if dim not in result.coords]
    if gone:
        raise ValueError(f"the result no longer tells its {gone[0]}")
    selected = {dim: float(result[dim]) for dim in sweep.dims if dim not in result.dims}
    settings = settings_among(sweep, selected)
    part = settled_on(sweep, settings)
    start = with_start(sweep, {axis: value for axis, value in selected.items() if axis not in settings})
    dims = [str(dim) for dim in next(iter(result.data_vars.values())).dims if dim in sweep.axes]
    whole = {axis: own.values() for axis, own in sweep.axes.items()}
    axes = {
        axis: sweep.axes[axis] if np.array_equal(result[axis].values, whole[axis]) else result[axis].values
        for axis in dims
    }
    if sweep.chosen is not None and sweep.chosen.dim in result.dims:
        places = places_in_sweep(result, sweep)[sweep.chosen.dim]
        if not np.array_equal(places, np.arange(len(sweep.chosen))):
            kept = {name: own.taken(places) for name, own in start.items() if isinstance(own, Chosen)}
            start |= kept
    return replace(part, axes=cast("Any", axes), start=start)


def settings_among(sweep: Sweep, selected: dict[str, float]) -> dict[str, float]:
    """Those of the values selected along a sweep's dims that are no parameters of the start."""
    places = sweep.places
    return {axis: value for axis, value in selected.items() if axis in places and places[axis][0] != "start"}


def with_start(sweep: Sweep, selected: dict[str, float]) -> dict[str, Any]:
    """Where the starts of a sweep are, with these of its axes, or of its chosen starts, at these values.

    Raises
    ------
    ValueError
        If there is no such chosen start, or more than one.
    """
    start: dict[str, Any] = dict(sweep.start)
    for axis, value in selected.items():
        if axis not in sweep.places:
            found = np.flatnonzero(sweep.coordinates()[axis] == value)
            if len(found) != 1:
                raise ValueError(f"{axis} must be that of one start of the sweep, got {value:g}")
            start |= {
                name: float(own.values[found[0]]) for name, own in start.items() if isinstance(own, Chosen)
            }
            continue
        field = sweep.places[axis][1]
        entry = entry_of(sweep.model, field)
        if entry is None:
            start[field] = value
            continue
        name = field.partition("[")[0]
        numbers = np.array(np.broadcast_to(start[name], sweep.model.shapes[name]))
        numbers.flat[entry - pieces_of(sweep.model)[name].start] = value
        start[name] = numbers
    return start

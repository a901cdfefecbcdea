"""The sweep that a picture shows: that of its result, or of the part of it that was selected."""

from __future__ import annotations

import numpy as np
import xarray as xr

from fastneuron.plot.caption import selection, stranger_in
from fastneuron.result import places_in_sweep, sweep_behind, variables_of
from fastneuron.selection import Place, check_numbers_stay, has_random_numbers, part_of
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
    places = places_shown(result, sweep)
    check_numbers_stay(sweep, places)
    part = part_of(sweep, places)
    dims = [str(dim) for dim in next(iter(result.data_vars.values())).dims if dim in part.axes]
    return part.replace(axes={dim: part.axes[dim] for dim in dims})


def places_shown(result: xr.Dataset, sweep: Sweep) -> dict[str, Place]:
    """Where the points of a result are in the grid of its sweep, as `part_of` takes them.

    Raises
    ------
    ValueError
        As `places_in_sweep`.
    """
    # which of equal values is meant only matters where numbers are drawn by the place
    places = places_in_sweep(result, sweep, first_of_twins=not has_random_numbers(sweep))
    return {dim: own if dim in result.dims else int(own[0]) for dim, own in places.items()}

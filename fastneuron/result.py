"""Results: the variables of a result, what each means, and how they become a Dataset.

A result has the axes of its sweep as dimensions, in order; see `variables_of`. Where a stored map is not
computed yet, every variable holds its `missing` value.

Not here: how results are computed (`fastneuron.engine`) or stored (`fastneuron.store`).
"""

from __future__ import annotations

import functools
import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import fastneuron
from fastneuron.components import nearest, shown, shown_key
from fastneuron.fingerprint import PYTHON
from fastneuron.outcomes import flags

if TYPE_CHECKING:
    import xarray

    from fastneuron.sweep import Sweep


CODE = "component_code"  # attribute: that of the sweep when the result was begun
RESULTS_VERSION = 2
"""Raised with every change after which a result may differ in any bit: no older map is resumed."""


@dataclass(frozen=True)
class Variable:
    """One variable of a result."""

    dtype: str
    long_name: str
    missing: float
    attrs: Mapping[str, Any] = field(default_factory=dict)
    more: Mapping[str, int] = field(default_factory=dict)  # dimensions behind the sweep's, and their lengths

    @property
    def attributes(self) -> dict[str, Any]:
        """CF attributes."""
        return {"long_name": self.long_name, "units": "1", **self.attrs}


def variables_of(sweep: Sweep) -> dict[str, Variable]:
    """The variables that a result of `sweep` can have, by name, in order: last the final parameters."""
    real = sweep.dtype
    fixed = {
        "outcome": Variable("int8", "what became of the start", -1, flags()),
        "steps": Variable("int32", "updates until the outcome", -1),
        "loss": Variable(real, "final mean loss over the samples, without the penalty", np.nan),
        "error": Variable(real, "largest final |output - target|", np.nan),
        "speed": Variable(real, "largest change of a parameter in the last update", np.nan),
        "period": Variable("int32", "period of the cycle; 1 settled, 0 otherwise", -1),
        "learned": Variable(
            "int64",
            "truth table spelled by the final outputs, bit i for sample i; "
            "-1 for over 32 samples or several outputs",
            -1,
        ),
    }
    recorded = {
        name: Variable(real, f"{reducer!r} of the losses", np.nan) for name, reducer in sweep.record.items()
    }
    finals = {
        f"final_{name}": Variable(
            real, f"final {name.replace('_', ' ').replace('.', ' ')}", np.nan, more=dims_of(name, shape)
        )
        for name, shape in sweep.model.shapes.items()
    }
    return fixed | recorded | finals


def dims_of(name: str, shape: tuple[int, ...]) -> dict[str, int]:
    """The dimensions of a network's parameter, with their lengths; none of a neuron's."""
    layer = name.partition(".")[0]
    return dict(zip((f"{layer}_in", f"{layer}_out")[-len(shape) :], shape, strict=True)) if shape else {}


def kept_variables(sweep: Sweep, keep: Iterable[str] | None) -> dict[str, Variable]:
    """The variables that `keep` names; ``"final"`` stands for all final parameters.

    None stands for all, without the final parameters of a network.

    Raises
    ------
    ValueError
        For a name that is none of them.
    """
    known = variables_of(sweep)
    if keep is None:
        return {name: variable for name, variable in known.items() if not variable.more}
    if isinstance(keep, str) or not isinstance(keep, Iterable):
        raise ValueError(f"keep must be a list of names such as ['outcome', 'final'], got {shown(keep)}")
    wanted = set()
    for name in keep:
        if name == "final":
            wanted |= {variable for variable in known if variable.startswith("final_")}
        elif isinstance(name, str) and name in known:
            wanted.add(name)
        else:
            names = ["final", *known]
            raise ValueError(
                f"keep: unknown variable {shown(name)}{nearest(str(name), names)}; known: {', '.join(names)}"
            )
    if not wanted:
        raise ValueError("keep must name at least one variable, got none")
    return {name: variable for name, variable in known.items() if name in wanted}


def coordinate_attributes(axis: str) -> dict[str, Any]:
    """CF attributes of the coordinate of an axis."""
    return {"long_name": axis.replace("_", " ").replace(".", " "), "units": "1"}


def attributes_of(sweep: Sweep) -> dict[str, Any]:
    """Where a result comes from: the sweep and what computes it."""
    code = sweep.component_code
    return {
        "Conventions": "CF-1.11",
        "title": f"fastneuron: training {sweep.task.name}",  # true also of a part
        "sweep": sweep.to_toml(),
        "sweep_sha256": sweep.sha256,
        **({CODE: code} if code else {}),
        "dtype": sweep.dtype,
        "fastneuron_version": fastneuron.__version__,
        "results_version": RESULTS_VERSION,
        "numba_version": installed_version("numba"),
        "numpy_version": installed_version("numpy"),
        "cpu": cpu_name(),
    }


@functools.cache
def installed_version(package: str) -> str:
    """The version of an installed package."""
    return version(package)


@functools.cache
def cpu_name() -> str:
    """The processor's model name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def code_in(attributes: Mapping[str, Any]) -> dict[str, str]:
    """What the attributes of a result tell of the code of its components: fingerprints, and ``python``."""
    try:
        found = json.loads(attributes.get(CODE) or "{}")
    except (TypeError, ValueError, RecursionError):
        return {}
    return {name: str(value) for name, value in found.items()} if isinstance(found, dict) else {}


def code_apart(attributes: Mapping[str, Any], sweep: Sweep) -> str:
    """In what the code of a sweep's components is not that of a result of it, in words; "" if in nothing."""
    there, here = code_in(attributes), code_in({CODE: sweep.component_code})
    apart = [shown_key(name) for name in here if name != "python" and there.get(name) != here[name]]
    if not apart:
        return ""
    names = ", ".join(apart)
    if not all(name in there for name in here):
        return f"it does not tell by which code of {names} it was made"
    if there.get("python") != PYTHON:
        old = shown(there.get("python"), 20)
        return f"the code of {names} was noted by Python {old}, which {PYTHON} cannot compare"
    return f"the code of {names} has changed since"


def sweep_behind(result: xarray.Dataset) -> Sweep:
    """The sweep of a result, to compute more of it.

    Raises
    ------
    ValueError
        If the result has none, or the code of its components has changed since it was made.
    """
    from fastneuron.sweep import Sweep

    text = result.attrs.get("sweep")
    if not isinstance(text, str):
        raise ValueError("this result lacks its sweep (attrs['sweep']), from which this is computed")
    sweep = Sweep.from_toml(text)
    apart = code_apart(result.attrs, sweep)
    if apart:
        raise ValueError(f"what this computes would not be of this result: {apart}; restore it, or run anew")
    return sweep


def dataset(sweep: Sweep, arrays: Mapping[str, np.ndarray], seconds: float) -> xarray.Dataset:
    """The labelled result of arrays of the sweep's shape."""
    import xarray

    known = variables_of(sweep)
    return xarray.Dataset(
        {
            name: ((*sweep.dims, *known[name].more), array, known[name].attributes)
            for name, array in arrays.items()
        },
        {name: (name, values, coordinate_attributes(name)) for name, values in sweep.coordinates().items()},
        attributes_of(sweep) | {"seconds": seconds},
    )


def places_in_sweep(
    result: xarray.Dataset, sweep: Sweep, first_of_twins: bool = False
) -> dict[str, np.ndarray]:
    """Where the points of a result are in the grid of its sweep: by dim, places along it, 0 or more.

    Raises
    ------
    ValueError
        If the result has dims of its own, lacks a dim, or holds a value that the sweep does not, or holds
        twice, so that it is not known which is meant, unless the first is to be taken.
    """
    known = {dim for variable in variables_of(sweep).values() for dim in variable.more}
    for name in result.dims:
        if name not in sweep.dims and name not in known:
            raise ValueError(f"this result has a dimension {name}, which its sweep does not have")
    places = {}
    for dim, values in sweep.coordinates().items():
        if dim not in result.coords:
            if len(values) == 1 and dim not in result.dims:
                places[dim] = np.zeros(1, int)
                continue
            raise ValueError(
                f"this result no longer tells its {dim}; select with .isel or .sel, without drop=True"
            )
        held = np.atleast_1d(result[dim].values)
        if np.array_equal(held, values):
            places[dim] = np.arange(len(values))
            continue
        if held.dtype.kind not in "iuf":
            raise ValueError(f"this result holds {dim} {shown(held[0])}, which is not in its sweep")
        order = np.argsort(values, kind="stable")
        first, behind = (np.searchsorted(values, held, side, sorter=order) for side in ("left", "right"))
        for counted, what in (
            (behind == first, "is not in its sweep"),
            ((behind > first + 1) & (not first_of_twins), "its sweep has twice"),
        ):
            if counted.any():
                raise ValueError(f"this result holds {dim} {held[counted][0]}, which {what}")
        found = order[first]
        places[dim] = found
    return places

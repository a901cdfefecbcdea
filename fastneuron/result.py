"""Results: the variables of a result, what each means, and how they become a Dataset.

A result has the axes of its sweep as dimensions, in order; see `variables_of`. Where a stored map is not
computed yet, every variable holds its `missing` value.

Not here: how results are computed (`fastneuron.engine`) or stored (`fastneuron.store`).
"""

from __future__ import annotations

import functools
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import fastneuron
from fastneuron.components import nearest, shown
from fastneuron.outcomes import Outcome

if TYPE_CHECKING:
    import xarray

    from fastneuron.sweep import Sweep


RESULTS_VERSION = 2
"""Raised with every change after which a result may differ in any bit: no older map is gone on with."""


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
    flags = {
        "flag_values": [int(outcome) for outcome in Outcome],
        "flag_meanings": " ".join(outcome.name for outcome in Outcome),
    }
    fixed = {
        "outcome": Variable("int8", "what became of the start", -1, flags),
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
    return {
        "Conventions": "CF-1.11",
        "title": f"fastneuron: training {sweep.task.name} from {sweep.points} starts",
        "sweep": sweep.to_toml(),
        "sweep_sha256": sweep.sha256,
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

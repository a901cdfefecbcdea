"""Chosen starts: the values of a parameter at starts that were chosen one by one, along one dimension.

All parameters of a sweep that have chosen starts share one dimension: number k of each belongs to start k.

Not here: values that are combined with those of all others; these are axes (`fastneuron.axes`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastneuron.arrays import checked_array
from fastneuron.components import nearest, shown, shown_key

DIM = "start"  # what the dimension is called unless the starts have a name for it
_KEYS = ("values", "dim", "labels")


@dataclass(frozen=True, eq=False, repr=False)
class Chosen:
    """The values of one parameter at chosen starts.

    Parameters
    ----------
    values : float64 array, shape (starts,)
        Finite numbers, one or more.
    dim : str
        What the dimension is called.
    labels : int64 or float64 array, shape (starts,), optional
        Its coordinate; default the numbers of the starts from 0.
    """

    values: np.ndarray
    dim: str = DIM
    labels: np.ndarray | None = None

    def __post_init__(self) -> None:
        for array in (self.values, self.labels):
            if array is not None:
                array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.values)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.values, dtype)

    def __repr__(self) -> str:
        return f"<{len(self)} chosen along {self.dim!r}>"

    @property
    def coordinate(self) -> np.ndarray:
        """The values along the dimension."""
        return np.arange(len(self)) if self.labels is None else self.labels

    def taken(self, places: np.ndarray) -> Chosen:
        """Those at some places, which keep their labels."""
        return replace(self, values=self.values[places], labels=self.coordinate[places])

    def to_spec(self) -> Any:
        """The starts as they stand in TOML: a list, or a table that also tells dimension and labels."""
        labels = {} if self.labels is None else {"labels": self.labels.tolist()}
        table = {"values": self.values.tolist(), "dim": self.dim} | labels
        return table["values"] if self.dim == DIM and not labels else table


def chosen_from(given: Any, where: str) -> Chosen:
    """Chosen starts from a list, a 1-D array, a DataArray, or their TOML table.

    Raises
    ------
    ValueError
        Naming `where`, the value and what is allowed.
    """
    if isinstance(given, Chosen):
        return given
    if not isinstance(given, Mapping):
        dims = getattr(given, "dims", (DIM,))
        values = _numbers(given, where)
        return Chosen(values, str(dims[0]), _labels_of(given, dims[0]))
    for key in given:
        if key not in _KEYS:
            hint = nearest(str(key), _KEYS)
            raise ValueError(f"{where}.{shown_key(key)}: unknown key{hint}; allowed: {', '.join(_KEYS)}")
    dim, values = given.get("dim", DIM), _numbers(given["values"], f"{where}.values")
    if not isinstance(dim, str):
        raise ValueError(f"{where}.dim must be a name, got {shown(dim)}")
    if "labels" not in given:
        return Chosen(values, dim)
    labels = _numbers(given["labels"], f"{where}.labels")
    if len(labels) != len(values):
        raise ValueError(f"{where}.labels must be as many as the values, {len(values)}, got {len(labels)}")
    whole = all(isinstance(label, int) for label in given["labels"])
    return Chosen(values, dim, labels.astype(np.int64) if whole else labels)


def together(starts: Mapping[str, Any]) -> dict[str, Any]:
    """The starts by parameter, where those that are chosen have come to share one dimension and its labels.

    Raises
    ------
    ValueError
        If their lengths, dimensions or labels differ.
    """
    chosen = {name: start for name, start in starts.items() if isinstance(start, Chosen)}
    if not chosen:
        return dict(starts)
    first = next(iter(chosen))
    for name, start in chosen.items():
        if len(start) != len(chosen[first]):
            raise ValueError(
                f"start.{name} has {len(start)} chosen starts and start.{first} {len(chosen[first])}; "
                "give as many for each"
            )
    named = {start.dim: name for name, start in chosen.items() if start.dim != DIM}
    if len(named) > 1:
        (dim, name), (other, its_name) = list(named.items())[:2]
        raise ValueError(
            f"start.{its_name} is along {other!r} and start.{name} along {dim!r}; chosen starts have one "
            "dimension: rename one, or make the values axes"
        )
    labelled = {name: start.labels for name, start in chosen.items() if start.labels is not None}
    labels = next(iter(labelled.values()), None)
    for name, own in labelled.items():
        if not np.array_equal(own, labels):  # type: ignore[arg-type]
            reason = f"start.{name} and start.{next(iter(labelled))} have different coordinates"
            raise ValueError(f"{reason}; chosen starts share one")
    dim = next(iter(named), DIM)
    return dict(starts) | {name: Chosen(start.values, dim, labels) for name, start in chosen.items()}


def _labels_of(given: Any, dim: Any) -> np.ndarray | None:
    """The coordinate of a DataArray along its dimension, where that is finite numbers."""
    labels = np.asarray(given.coords[dim]) if dim in getattr(given, "coords", ()) else np.empty(0, "U1")
    if labels.dtype.kind not in "iuf" or not np.isfinite(labels).all():
        return None
    return labels.astype(np.float64 if labels.dtype.kind == "f" else np.int64)


def _numbers(given: Any, where: str) -> np.ndarray:
    """Finite numbers, one or more, in a row."""
    array = checked_array(where, given, "a number or a list of starts")
    if array.ndim != 1:
        raise ValueError(f"{where} must be a number or a 1-D list of starts, got shape {array.shape}")
    if not len(array):
        raise ValueError(f"{where} must have at least one start, got none")
    return np.array(array, np.float64)

"""Facets: which axis of a result becomes small multiples, which of its values are shown, and their names."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure, SubFigure

from fastneuron.plot.caption import chosen_dim

MOST = 12  # panels unless told
# what the axes are called that say where a start is; all others vary hyperparameters
_START = re.compile(r"(start\.)?(weight(_\d+)?|bias|layer\d+\.(weight|bias)\[.*\])|layer\d+\.offset|draw")


@dataclass(frozen=True)
class Facets:
    """Small multiples as the place to draw on; the fields are arguments of `small_multiples`."""

    over: str | None = None
    figure: Figure | SubFigure | None = None
    columns: int | None = None
    most: int = MOST

    def __post_init__(self) -> None:
        for name in ("columns", "most"):
            value = getattr(self, name)
            whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
            if value is not None and not (whole and value >= 1):
                raise ValueError(f"{name} must be a whole number of 1 or more, got {value!r}")


@dataclass(frozen=True)
class Frames(Facets):
    """The same one after the other: what would be drawn as panels is put into `parts` instead.

    A part is what `fastneuron.plot.panels.draw_map` is given: grid, values and look.
    """

    parts: list[tuple[Any, ...]] = field(default_factory=list)


def hyperparameters(data: xr.Dataset, dims: Sequence[Hashable]) -> list[str]:
    """Those of a result's axes that are no parameters of the start, in order; chosen starts and draws are."""
    chosen = chosen_dim(data)
    return [str(dim) for dim in dims if dim != chosen and not _START.fullmatch(str(dim))]


def axis_of_panels(data: xr.Dataset, dims: Sequence[Hashable], over: str | None) -> str:
    """The axis that has a panel for each value.

    It is `over`, or the first hyperparameter, else the chosen starts, else the first.

    Raises
    ------
    ValueError
        If `over` is none of them.
    """
    if over is None:
        chosen = [str(dim) for dim in dims if dim == chosen_dim(data)]
        return [*hyperparameters(data, dims), *chosen, str(dims[0])][0]
    if over not in dims:
        raise ValueError(f"over must be one of the axes {', '.join(map(str, dims))}, got {over!r}")
    return over


def evenly(length: int, most: int) -> np.ndarray:
    """At most `most` places of `length`, evenly chosen, with both ends where there are two or more."""
    if length <= most:
        return np.arange(length)
    return np.linspace(0, length - 1, most).round().astype(int) if most > 1 else np.array([length // 2])


def labels_of(values: np.ndarray) -> list[str]:
    """The values in three digits, or as many more as tell them apart; whole ones in full."""
    if values.dtype.kind not in "f":
        return [str(value) for value in values]
    labels: list[str] = []
    for digits in range(3, 18):
        labels = [_label(float(value), digits) for value in values]
        if len(set(labels)) == len(set(values.tolist())):
            break
    return labels


def _label(value: float, digits: int) -> str:
    if value == int(value) and abs(value) < 1e6:
        text = str(int(value))
    elif 1e-4 <= abs(value) < 1e6:
        text = np.format_float_positional(value, precision=digits, fractional=False, trim="-")
    else:
        text = np.format_float_scientific(value, precision=digits - 1, trim="-", exp_digits=1).replace(
            "+", ""
        )
    return text.replace("-", "\N{MINUS SIGN}")


def chosen(data: xr.Dataset, over: str, most: int) -> tuple[xr.Dataset, str]:
    """The result at the values of `over` that are shown, and in words which these are if not all."""
    length = data.sizes[over]
    places = evenly(length, most)
    if len(places) == length:
        return data, ""
    return data.isel({over: places}), f"{len(places)} of {length:,} values of {over.replace('_', ' ')}"

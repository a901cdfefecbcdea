"""Counts: how many starts have each value of a variable, read block by block; and codes behind a mask."""

from __future__ import annotations

from collections import Counter

import numpy as np
import xarray as xr

from fastneuron.measures.shares import NOT_COMPUTED
from fastneuron.store.blocks import blocks_of

CODES = {"outcome": np.int8, "steps": np.int32, "period": np.int32, "learned": np.int64}


def with_codes(result: xr.Dataset) -> xr.Dataset:
    """The result with whole numbers where masking with ``where`` made floats of them: NaN is not computed.

    Means, which are no whole numbers, stay as they are.
    """
    changed = {}
    for name, dtype in CODES.items():
        if name in result and result[name].dtype.kind == "f":
            values = result[name].values
            values = np.where(np.isnan(values), NOT_COMPUTED, values)
            if (values == np.trunc(values)).all():
                changed[name] = result[name].copy(data=values.astype(dtype))
    return result.assign(changed)


def counts_of(data: xr.Dataset, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The values of an integer variable over all computed starts, ascending, and how many have each.

    Raises
    ------
    ValueError
        If it is no integer variable.
    """
    counts: Counter[int] = Counter()
    for block in blocks_of(data[name]):
        part = data[[own for own in (name, "outcome") if own in data]].isel(block)
        values = part[name].values
        if values.dtype.kind not in "iu":
            raise ValueError(f"{name} must hold whole numbers, which a mean does not, got {values.dtype}")
        if "outcome" in part:
            values = values[part["outcome"].transpose(*part[name].dims).values != NOT_COMPUTED]
        for value, count in zip(*np.unique_counts(values), strict=True):
            counts[int(value)] += int(count)
    found = sorted(counts)
    return np.array(found, np.int64), np.array([counts[value] for value in found], np.int64)

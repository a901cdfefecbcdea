"""Counts: how many starts have each value of a variable, read block by block."""

from __future__ import annotations

from collections import Counter

import numpy as np
import xarray as xr

from fastneuron.measures.shares import NOT_COMPUTED
from fastneuron.store.blocks import blocks_of


def counts_of(data: xr.Dataset, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The values of an integer variable over all computed starts, ascending, and how many have each."""
    counts: Counter[int] = Counter()
    for block in blocks_of(data[name]):
        part = data[[own for own in (name, "outcome") if own in data]].isel(block)
        values = part[name].values
        if "outcome" in part:
            values = values[part["outcome"].transpose(*part[name].dims).values != NOT_COMPUTED]
        for value, count in zip(*np.unique_counts(values), strict=True):
            counts[int(value)] += int(count)
    found = sorted(counts)
    return np.array(found, np.int64), np.array([counts[value] for value in found], np.int64)

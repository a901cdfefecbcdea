"""Tiles that are not done read as nothing, whatever files they have: a run may have been killed in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray
from xarray.backends import BackendArray
from xarray.core import indexing


class _Masked(BackendArray):
    """The values of a variable, read when they are used; -1 or NaN in tiles that are not done.

    Parameters
    ----------
    variable : Variable
        Of the map's dims, and then its own.
    done : bool array, one entry a tile
    tile : sequence of int
        Points of a tile along each dim.
    """

    def __init__(self, variable: xarray.Variable, done: np.ndarray, tile: Sequence[int]) -> None:
        self._variable, self._done, self._tile = variable, done, tile
        self.shape, self.dtype = variable.shape, variable.dtype

    def __getitem__(self, key: Any) -> Any:
        outer = indexing.IndexingSupport.OUTER
        return indexing.explicit_indexing_adapter(key, self.shape, outer, self._read)

    def _read(self, key: tuple[Any, ...]) -> np.ndarray:
        values = np.array(self._variable[key].values)
        own = [np.arange(n)[k] // side for n, k, side in zip(self.shape, key, self._tile, strict=False)]
        done = self._done[np.ix_(*map(np.atleast_1d, own))]
        kept = [len(places) for places in own if np.ndim(places)]  # a whole number leaves no dim
        done = done.reshape(kept + [1] * (values.ndim - len(kept)))
        nothing = np.array(np.nan if values.dtype.kind == "f" else -1).astype(values.dtype)
        return np.where(done, values, nothing)


def without_undone(result: xarray.Dataset, done: np.ndarray, tile: Sequence[int]) -> xarray.Dataset:
    """A map with -1 or NaN in the tiles that are not done."""
    masked = {}
    for name, array in result.data_vars.items():
        variable = array.variable
        lazy = indexing.LazilyIndexedArray(_Masked(variable, done, tile))
        masked[name] = xarray.Variable(variable.dims, lazy, variable.attrs, variable.encoding)
    return result.assign(masked)

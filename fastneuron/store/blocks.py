"""Blocks: a result that may be larger than the memory, read a few whole tiles at a time."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray

BLOCK_POINTS = 2**20  # at most so many at a time, where a tile has no more


def blocks_of(array: xarray.DataArray) -> Iterator[dict[str, slice]]:
    """The blocks that cover an array, in C order, as slices for ``isel``; none reads a part of a tile."""
    shape = array.shape
    tile = array.encoding.get("shards") or array.encoding.get("chunks") or (1,) * array.ndim
    sides = [min(t, n) for t, n in zip(tile, shape, strict=True)]
    for k in reversed(range(array.ndim)):
        others = math.prod(sides) // sides[k]
        sides[k] = min(shape[k], max(1, BLOCK_POINTS // (others * tile[k])) * tile[k])
    for corner in itertools.product(*(range(0, n, side) for n, side in zip(shape, sides, strict=True))):
        yield {
            str(dim): slice(at, min(at + side, n))
            for dim, at, side, n in zip(array.dims, corner, sides, shape, strict=True)
        }

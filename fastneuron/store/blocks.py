"""Blocks: a result that may be larger than the memory, read a few whole chunks at a time."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray

BLOCK_POINTS = 2**20  # at most so many at a time, where a chunk has no more


def blocks_of(array: xarray.DataArray) -> Iterator[dict[str, slice]]:
    """The blocks that cover an array, in C order, as slices for ``isel``; none reads a part of a chunk."""
    shape = array.shape
    chunk = array.encoding.get("preferred_chunks", {})  # by dim: what was selected before does no harm
    least = [min(chunk.get(dim, 1), n) for dim, n in zip(array.dims, shape, strict=True)]
    sides = list(least)
    for k in reversed(range(array.ndim)):
        others = math.prod(sides) // sides[k]
        sides[k] = min(shape[k], max(1, BLOCK_POINTS // (others * least[k])) * least[k])
    for corner in itertools.product(*(range(0, n, side) for n, side in zip(shape, sides, strict=True))):
        yield {
            str(dim): slice(at, min(at + side, n))
            for dim, at, side, n in zip(array.dims, corner, sides, shape, strict=True)
        }

"""Tiles: the blocks that a grid is cut into; the unit of work, progress, interruption and storage."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

MOST_POINTS = 2**17
MOST_NUMBERS = 2**21  # parameters of all the starts of a tile
FEWEST_POINTS = 2048
TILES_WANTED = 8


def tile_shape(shape: tuple[int, ...], width: int = 1) -> tuple[int, ...]:
    """Shape of a tile of a grid: a compact block of 2048 to 131072 points, about 8 to the grid.

    It has fewer points where a model of `width` parameters would need more than `MOST_NUMBERS` numbers. It
    depends on the grid and the model alone, so that two runs of one sweep are stored alike.

    Examples
    --------
    >>> tile_shape((1024, 1024))
    (256, 512)
    >>> tile_shape((3, 10))
    (3, 10)
    """
    target = min(max(math.prod(shape) // TILES_WANTED, FEWEST_POINTS), MOST_POINTS)
    target = max(1, min(target, MOST_NUMBERS // width))
    tile = [1] * len(shape)
    while True:
        # double the shortest side that can still grow, the last first
        grown = [k for k in range(len(shape)) if tile[k] < shape[k]]
        if not grown or math.prod(tile) * 2 > target:
            return tuple(tile)
        k = min(reversed(grown), key=lambda k: tile[k])
        tile[k] = min(2 * tile[k], shape[k])


def tile_count(shape: tuple[int, ...], tile: tuple[int, ...]) -> int:
    """Number of tiles of a grid."""
    return math.prod(-(-n // t) for n, t in zip(shape, tile, strict=True))


def tiles_of(shape: tuple[int, ...], tile: tuple[int, ...]) -> Iterator[tuple[slice, ...]]:
    """The tiles of a grid, in C order, as slices."""
    ranges = [range(0, n, t) for n, t in zip(shape, tile, strict=True)]
    for corner in itertools.product(*ranges):
        yield tuple(slice(at, min(at + t, n)) for at, t, n in zip(corner, tile, shape, strict=True))


def points_in(place: tuple[slice, ...]) -> int:
    """Number of points of a tile."""
    return math.prod(s.stop - s.start for s in place)

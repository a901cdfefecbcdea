"""Tiles: a grid is cut without gaps or overlaps, and where it is cut shows in no result."""

import math
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastneuron as fn
from fastneuron.engine import tiles
from fastneuron.engine.crew import Crew, Tile

SHAPES = st.lists(st.integers(1, 60), min_size=1, max_size=3).map(tuple)
LARGE = st.lists(st.integers(1, 10**6), min_size=1, max_size=6).map(tuple)


@st.composite
def cut_grids(draw):
    """A grid and the shape of its tiles, of any size from 1 to the grid's."""
    shape = draw(SHAPES)
    return shape, tuple(draw(st.integers(1, n)) for n in shape)


def assert_covered_once(shape, tile):
    covered = np.zeros(shape, int)
    count = 0
    for place in tiles.tiles_of(shape, tile):
        assert all(0 < s.stop - s.start <= t for s, t in zip(place, tile, strict=True))
        covered[place] += 1
        count += 1
    assert (covered == 1).all()
    assert count == tiles.tile_count(shape, tile)


@given(cut_grids())
def test_tiles_of_any_shape_cover_the_grid_once(cut):
    assert_covered_once(*cut)


@given(SHAPES)
def test_tiles_cover_the_grid_once(shape):
    assert_covered_once(shape, tiles.tile_shape(shape))


@given(LARGE)
def test_tile_is_within_the_grid_and_neither_small_nor_large(shape):
    tile = tiles.tile_shape(shape)
    assert all(1 <= t <= n for t, n in zip(tile, shape, strict=True))
    points = math.prod(tile)
    assert points <= tiles.MOST_POINTS
    assert tile == shape or 2 * points > tiles.FEWEST_POINTS


@given(LARGE)
def test_tile_is_compact(shape):
    """No side is more than twice as long as another that could still grow."""
    tile = tiles.tile_shape(shape)
    growing = [t for t, n in zip(tile, shape, strict=True) if t < n]
    assert not growing or max(tile) <= 2 * min(growing)


def test_tiles_come_in_c_order():
    corners = [tuple(s.start for s in place) for place in tiles.tiles_of((5, 7), (2, 4))]
    assert corners == [(0, 0), (0, 4), (2, 0), (2, 4), (4, 0), (4, 4)]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_where_the_grid_is_cut_does_not_change_a_bit(dtype, monkeypatch):
    sweep = fn.Sweep(
        task=fn.tasks.inverter(),
        optimizer=fn.GradientDescent(30.0),
        axes={"bias": np.linspace(-9, 9, 23), "weight": np.linspace(-12, 10, 13)},
        stop=fn.Stop(max_steps=300),
        dtype=dtype,
    )
    assert tiles.tile_shape(sweep.shape) == sweep.shape
    whole = sweep.run(threads=1, progress=False)
    assert len(np.unique(whole.outcome)) > 1 and len(np.unique(whole.steps)) > 10
    monkeypatch.setattr(tiles, "FEWEST_POINTS", 16)
    monkeypatch.setattr(tiles, "MOST_POINTS", 16)
    assert tiles.tile_count(sweep.shape, tiles.tile_shape(sweep.shape)) == 24
    for threads in (1, 2):
        reports = []
        cut = sweep.run(threads=threads, progress=lambda done, total, to=reports: to.append((done, total)))
        assert len(reports) > 6 and reports[0][0] == 0 and reports[-1] == (sweep.points, sweep.points)
        for name in whole.data_vars:
            assert cut[name].dtype == whole[name].dtype
            assert cut[name].values.tobytes() == whole[name].values.tobytes(), name


def test_a_tile_that_fails_ends_the_run_and_keeps_nobody_waiting(monkeypatch):
    def fails(*arguments):
        raise MemoryError("no memory for a tile")

    monkeypatch.setattr(Crew, "_results", fails)
    sweep = fn.Sweep(
        task=fn.tasks.inverter(),
        optimizer=fn.GradientDescent(1.0),
        axes={"bias": fn.linspace(-1, 1, 128), "weight": fn.linspace(-1, 1, 128)},
        stop=fn.Stop(max_steps=1),
    )
    said = []

    def run():
        try:
            sweep.run(threads=1, progress=False)
        except MemoryError as error:
            said.append(str(error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(60)
    assert said == ["no memory for a tile"]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_threads_that_share_a_tile_give_the_bits_of_one(dtype, monkeypatch):
    """One tile holds all the work: four threads draw their starts from it."""
    sweep = fn.Sweep(
        task=fn.tasks.inverter(),
        optimizer=fn.GradientDescent(30.0),
        axes={"max_steps": [1, 1, 1, 30_000], "weight": np.linspace(-12, 10, 700)},
        start={"bias": 1.5},
        stop=fn.Stop(tolerance=0.0),
        dtype=dtype,
    )
    monkeypatch.setattr("fastneuron.engine.local.tile_shape", lambda shape, width: (1, 700))
    joined = []
    take = Crew._next

    def spied(crew, places):
        tile = take(crew, places)
        joined.append(None if tile is None else (tile.place[0].start, tile.hands))
        return tile

    monkeypatch.setattr(Crew, "_next", spied)
    alone = sweep.run(threads=1, progress=False)
    assert joined == [(0, 1), (1, 1), (2, 1), (3, 1), None]
    together = sweep.run(threads=4, progress=False)
    assert max(hands for _, hands in filter(None, joined)) > 1
    for name in alone.data_vars:
        assert together[name].values.tobytes() == alone[name].values.tobytes(), name


def test_a_tile_knows_how_many_starts_are_left():
    sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(1.0), axes={"bias": [0, 1, 2]})
    tile = Tile(sweep, sweep.coordinates(), (slice(0, 3),))
    for taken, left in [(0, 3), (2, 1), (3, 0), (70, 0)]:
        tile.taken[0] = taken
        assert tile.left == left

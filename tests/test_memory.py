"""Memory: bounds that hold, before anything starts; maps larger than a picture or than a bound."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import numpy as np
import pytest
import xarray as xr
import zarr
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

import fastneuron as fn
from fastneuron import plot
from fastneuron.cli import pilot
from fastneuron.engine import local, tiles
from fastneuron.plot import grid
from fastneuron.result import kept_variables
from fastneuron.store.blocks import blocks_of
from fastneuron.store.ledger import LEDGER

from .conftest import Run


@pytest.fixture
def ax():
    return Figure(figsize=(8, 6), layout="constrained").add_subplot()


def sweep(rows: int, columns: int, **changes) -> fn.Sweep:
    given = {
        "task": fn.tasks.inverter(),
        "optimizer": fn.GradientDescent(30.0),
        "axes": {"bias": fn.linspace(-9, 9, rows), "weight": fn.linspace(-9, 9, columns)},
        "stop": fn.Stop(max_steps=5),
    }
    return fn.Sweep(**given | changes)


def numbered(bias, weight) -> xr.Dataset:
    """A result whose outcomes differ along both axes, with the number of every start for its steps."""
    shape = (len(bias), len(weight))
    codes = np.add.outer(np.arange(shape[0]), np.arange(shape[1])) % 6
    fields = {"outcome": codes.astype(np.int8), "steps": np.arange(codes.size).reshape(shape)}
    fields |= {"learned": codes.astype(np.int64)}
    dims = ("bias", "weight")
    return xr.Dataset(
        {name: (dims, values) for name, values in fields.items()}, {"bias": bias, "weight": weight}
    )


# what is read


@pytest.mark.parametrize("shape", [(1,), (7, 500), (300, 3), (5, 6, 70), (2000,)])
def test_blocks_cover_an_array_once_in_whole_chunks(shape, monkeypatch):
    monkeypatch.setattr("fastneuron.store.blocks.BLOCK_POINTS", 600)
    dims = [f"d{k}" for k in range(len(shape))]
    array = xr.DataArray(np.zeros(shape, int), dims=dims)
    tile = tuple(min(n, 16) for n in shape)
    array.encoding["preferred_chunks"] = dict(zip(dims, tile, strict=True))
    for block in blocks_of(array):
        part = array[block]
        assert part.size <= max(600, np.prod(tile))
        assert all(block[dim].start % side == 0 for dim, side in zip(dims, tile, strict=True))
        part += 1
    assert (array == 1).all()


def test_figures_of_a_stored_map_are_those_of_all_starts(tmp_path, monkeypatch):
    monkeypatch.setattr(tiles, "MOST_POINTS", 64)
    monkeypatch.setattr(tiles, "FEWEST_POINTS", 64)
    monkeypatch.setattr("fastneuron.store.blocks.BLOCK_POINTS", 200)
    stored = sweep(50, 33).run(store=tmp_path / "map", progress=False)
    whole = np.asarray(stored["outcome"])
    assert fn.measures.fractions(stored["outcome"]) == fn.measures.fractions(whole)


def test_a_selection_of_a_stored_map_is_drawn_and_counted(tmp_path, monkeypatch, ax):
    monkeypatch.setattr(grid, "MOST_CELLS", 100)
    axes = {"gain": [1.0, 2.0], "bias": fn.linspace(-9, 9, 20), "weight": fn.linspace(-9, 9, 30)}
    stored = sweep(1, 1, axes=axes).run(store=tmp_path / "map", progress=False)
    part = stored.isel(gain=1).transpose("weight", "bias")
    assert plot.outcome(part, ax=ax).get_array().shape == (10, 10)
    assert fn.measures.fractions(part["outcome"]) == fn.measures.fractions(part["outcome"].values)


def test_a_map_larger_than_a_bound_is_counted_and_drawn_within_it(tmp_path):
    """36 million starts, of which the truth tables alone would take 288 MB."""
    path = tmp_path / "map"
    sweep(8, 8).run(store=path, keep=["outcome", "learned"], progress=False)
    made = zarr.open_group(path, mode="r+")
    for name in ("bias", "weight", "outcome", "learned"):
        del made[name]
    values = np.linspace(-9, 9, 6000)
    for name in ("bias", "weight"):
        made.create_array(name, data=values, dimension_names=(name,))
    made.attrs["sweep"] = sweep(6000, 6000).to_toml()
    for name, kind in (("outcome", "int8"), ("learned", "int64")):
        dims = ("bias", "weight")
        made.create_array(name, shape=(6000, 6000), chunks=(256, 256), dtype=kind, dimension_names=dims)
    code = (
        "import resource, sys, matplotlib; matplotlib.use('Agg'); import fastneuron as fn, xarray\n"
        "result = xarray.open_zarr(sys.argv[1], chunks=None, consolidated=False)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "fn.plot.learned(result).figure.savefig(sys.argv[2])\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)"
    )
    words = [sys.executable, "-c", code, str(path), str(tmp_path / "map.png")]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=300)
    assert float(done.stdout) < 256


# what is drawn


def descending(count: int) -> np.ndarray:
    return np.linspace(9, -9, count)


@pytest.mark.parametrize(
    ("bias", "weight", "strides"),
    [
        (np.linspace(-9, 9, 40), np.linspace(-9, 9, 40), (4, 4)),
        (np.linspace(-9, 9, 43), np.linspace(-9, 9, 41), (5, 5)),
        (descending(43), np.geomspace(0.01, 100, 41), (5, 5)),
        (np.linspace(-9, 9, 3), descending(200), (1, 7)),
        (np.array([0.0, 1.0, 10.0]), np.linspace(0, 1, 200) ** 2, (1, 7)),
    ],
)
def test_thinned_maps_draw_real_starts_at_their_places(bias, weight, strides, monkeypatch, ax):
    data = numbered(bias, weight)
    whole = plot.steps(data, outcomes=list(fn.Outcome), ax=Figure().add_subplot())
    monkeypatch.setattr(grid, "MOST_CELLS", 100)
    monkeypatch.setattr("fastneuron.store.blocks.BLOCK_POINTS", 50)
    thin = plot.steps(data, outcomes=list(fn.Outcome), ax=ax)
    for limits in ("get_xlim", "get_ylim"):
        assert getattr(ax, limits)() == getattr(whole.axes, limits)()
    shown = np.ma.getdata(thin.get_array())
    assert shown.shape == tuple(-(-n // k) for n, k in zip(data["steps"].shape, strides, strict=True))
    rows, columns = np.divmod(shown.astype(int), len(weight))
    drawn = {"bias": bias[rows[:, 0]], "weight": weight[columns[0]]}
    assert (rows == rows[:, :1]).all() and (columns == columns[:1]).all()
    for dim, every, ends in zip(("bias", "weight"), strides, edges(thin), strict=True):
        assert (np.diff(drawn[dim]) > 0).all() and len(np.unique(drawn[dim])) == len(drawn[dim])
        assert ((ends[:-1] < drawn[dim]) & (drawn[dim] < ends[1:])).all(), every


def edges(cells) -> list[np.ndarray]:
    """Edges of the cells along bias and weight."""
    ax = cells.axes
    if isinstance(cells, QuadMesh):
        places = cells.get_coordinates()
        return [places[:, 0, 1], places[0, :, 0]]
    rows, columns = cells.get_array().shape
    left, right, low, high = cells.get_extent()
    found = [np.linspace(low, high, rows + 1), np.linspace(left, right, columns + 1)]
    scales = (ax.get_yscale(), ax.get_xscale())
    return [10**ends if scale == "log" else ends for ends, scale in zip(found, scales, strict=True)]


def test_a_thinned_map_says_so_and_its_shares_are_those_of_all_starts(monkeypatch, ax):
    monkeypatch.setattr(grid, "MOST_CELLS", 100)
    data = numbered(np.arange(60.0), np.arange(60.0))
    data["outcome"][:] = 1
    data["outcome"][0, 0] = 4  # not among those that are drawn
    plot.outcome(data, ax=ax)
    assert ax.get_title(loc="left").endswith("drawn: every 6th start along each axis")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "reached  >99.9 %",
        "diverged  <0.1 %",
    ]


def test_strides_that_differ_are_named(monkeypatch, ax):
    monkeypatch.setattr(grid, "MOST_CELLS", 100)
    plot.outcome(numbered(np.arange(3.0), np.arange(700.0)), ax=ax)
    assert ax.get_title(loc="left") == "drawn: every 22nd start along weight"
    assert plot.outcome(numbered(np.arange(9.0), np.arange(11.0)), ax=ax).get_array().size == 99
    assert ax.get_title(loc="left") == ""


def test_the_part_of_a_thinned_map_that_is_done_is_drawn(tmp_path, monkeypatch, ax):
    monkeypatch.setattr(tiles, "MOST_POINTS", 256)
    monkeypatch.setattr(tiles, "FEWEST_POINTS", 256)
    sweep(64, 64).run(store=tmp_path / "map", progress=False)
    made = zarr.open_group(tmp_path / "map", mode="r+")
    made["outcome"][32:] = -1
    made[LEDGER][2:] = 0
    monkeypatch.setattr(grid, "MOST_CELLS", 100)
    cells = plot.outcome(fn.open(tmp_path / "map", partial=True), ax=ax)
    missing = np.ma.getmaskarray(cells.get_array())
    assert missing.shape == (10, 10) and missing[5:].all() and not missing[:4].any()


# the table


def test_a_map_of_outcomes_alone_prints_its_table(run: Run) -> None:
    words = ("map", "--points", "12", "--set", "stop.max_steps=200")
    assert run(*words, "--name", "all")[0] == 0
    code, out, err = run(*words, "--keep", "outcome", "--name", "few")
    assert (code, err) == (0, "")
    assert out.splitlines()[0].split() == ["outcome", "starts", "share", "meaning"]
    assert "144 starts (bias 12 x weight 12) in " in out and "steps per second" not in out
    with fn.open("all.zarr") as whole, fn.open("few.zarr") as few:
        assert list(few.data_vars) == ["outcome"]
        assert (few["outcome"] == whole["outcome"]).all()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--keep", "steps"], "--keep must name outcome"),
        (["--keep", "outcome,stebs"], "did you mean 'steps'"),
        (["--keep", ""], "unknown variable ''"),
        (["--memory", "much"], "must be a size such as 4GB or 512MiB, got 'much'"),
        (["--memory", "0"], "got '0'"),
        (["--memory", "4GiBs"], "got '4GiBs'"),
        (["--memory", "1MB"], "of memory and 976.6 KiB is allowed (--memory)"),
    ],
)
def test_bad_bounds_and_names_end_with_one_line(
    run: Run, words: list[str], says: str, tmp_path: Path
) -> None:
    code, out, err = run("map", "--points", "500", *words)
    assert (code, out) == (2, "") and err.startswith("fastneuron: error: ") and err.count("\n") == 1
    assert says in err
    assert list(tmp_path.iterdir()) == []


# the bound


def test_memory_bounds_the_threads_and_not_the_tiles(tmp_path, monkeypatch):
    whole = sweep(200, 100)
    variables = kept_variables(whole, None)
    one = local.thread_bytes(whole, variables, 2048)
    fixed = 300 * 8
    fits = [local.threads_that_fit(whole, variables, 8, fixed + k * one, stored=True) for k in (1, 3, 9)]
    assert fits == [1, 3, 8]
    used = []
    crew = local.Crew
    monkeypatch.setattr(local, "Crew", lambda *given: used.append(given[2]) or crew(*given))
    bound = whole.run(store=tmp_path / "one", threads=8, memory=fixed + one, progress=False)
    free = whole.run(store=tmp_path / "all", threads=3, progress=False)
    assert used == [1, 3]
    assert bound["outcome"].encoding["chunks"] == free["outcome"].encoding["chunks"]
    assert bound.drop_attrs().identical(free.drop_attrs())


@pytest.mark.parametrize(
    ("memory", "what"), [(1000, "this sweep of"), (40_000, "working memory of a thread")]
)
def test_what_does_not_fit_is_refused_before_anything_is_made(memory, what, tmp_path):
    with pytest.raises(MemoryError, match=rf"^{what} .*needs .* of memory and .* is allowed \(memory\); use"):
        sweep(64, 64).run(store=tmp_path / "map", memory=memory)
    assert list(tmp_path.iterdir()) == []


def test_a_result_in_memory_counts(tmp_path):
    with pytest.raises(MemoryError, match="1,000,000 points needs .* or give a store"):
        sweep(1000, 1000).run(memory=20_000_000)


@pytest.mark.parametrize("memory", [0, -1, 1.5, "1GB", True])
def test_memory_is_a_number_of_bytes(memory):
    with pytest.raises(ValueError, match="memory must be a whole number of bytes, 1 or more, got"):
        sweep(2, 2).run(memory=memory)


def test_a_picture_counts_by_its_cells_and_not_by_the_starts(monkeypatch):
    monkeypatch.setattr(grid, "MOST_CELLS", 10_000)
    pilot.check_memory(sweep(3000, 3000), None, 1, 32 * 2**20)
    monkeypatch.setattr(grid, "MOST_CELLS", 2**21)
    with pytest.raises(MemoryError, match="drawing a map of 9,000,000 points needs 64.0 MiB"):
        pilot.check_memory(sweep(3000, 3000), None, 1, 32 * 2**20)

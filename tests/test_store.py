"""Stored maps: the same as in memory, honest when cut short, and never written over."""

import json
import shutil

import numpy as np
import pytest
import xarray
import zarr

import fastneuron as fn
from fastneuron.engine import tiles
from fastneuron.result import variables_of
from fastneuron.store import ledger, shards, tiles_done, zarr_map
from fastneuron.store.ledger import LEDGER

TILE = (8, 8)


def sweep(axes=("bias", "weight"), **changes):
    lengths = (23, 20)  # so that the last row of tiles is cut off
    given = {
        "task": fn.tasks.inverter(),
        "optimizer": fn.GradientDescent(30.0),
        "axes": {name: np.linspace(-9, 9, n) for name, n in zip(axes, lengths, strict=True)},
        "stop": fn.Stop(max_steps=300),
    }
    return fn.Sweep(**given | changes)


@pytest.fixture(autouse=True)
def many_tiles(monkeypatch):
    monkeypatch.setattr(tiles, "FEWEST_POINTS", 64)
    monkeypatch.setattr(tiles, "MOST_POINTS", 64)


def without_seconds(result):
    return {name: value for name, value in result.attrs.items() if name != "seconds"}


def contents(folder):
    """Every file below a folder with its bytes."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def damage_file(path, damage):
    """Cut a file short, flip a bit of it or remove it."""
    data = bytearray(path.read_bytes())
    if damage == "gone":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    else:
        data[len(data) // 2] ^= 1
        path.write_bytes(data)


def interrupted(path):
    """Run into `path` until the first tile is done; returns the tiles done and all tiles."""

    def interrupt(done, total):
        if done:
            raise KeyboardInterrupt

    while True:
        with pytest.raises(KeyboardInterrupt):
            sweep().run(store=path, threads=1, progress=interrupt)
        done, count = tiles_done(path)
        if done < count:
            return done, count
        shutil.rmtree(path)  # on a busy machine the others were done before this thread was told of the first


def test_stored_map_is_the_one_in_memory(tmp_path):
    held = sweep().run(progress=False)
    stored = sweep().run(store=tmp_path / "map.zarr", progress=False)
    for result in (stored, fn.open(tmp_path / "map.zarr"), fn.open(str(tmp_path / "map.zarr"))):
        xarray.testing.assert_identical(result.drop_attrs(deep=False), held.drop_attrs(deep=False))
        assert without_seconds(result) == without_seconds(held)
        assert result.attrs["seconds"] > 0
        for name in held.variables:
            assert result[name].dtype == held[name].dtype, name
            assert result[name].values.tobytes() == held[name].values.tobytes(), name
    assert len(np.unique(held.outcome)) > 1
    assert fn.Sweep.from_toml(stored.attrs["sweep"]) == sweep()


def test_store_is_zarr_v3_with_a_chunk_for_each_tile(tmp_path):
    sweep().run(store=tmp_path / "map.zarr", progress=False)
    assert json.loads((tmp_path / "map.zarr" / "zarr.json").read_text())["zarr_format"] == 3
    group = zarr.open_group(tmp_path / "map.zarr", mode="r")
    for name, variable in variables_of(sweep()).items():
        metadata = json.loads((tmp_path / "map.zarr" / name / "zarr.json").read_text())
        assert metadata["zarr_format"] == 3
        assert metadata["dimension_names"] == ["bias", "weight"]
        assert group[name].chunks == TILE == tiles.tile_shape(sweep().shape)
        assert group[name].dtype == variable.dtype
    assert group[LEDGER].shape == (3, 3, 3) and ledger.done_of(group[LEDGER][...]).all()
    assert tiles_done(tmp_path / "map.zarr") == (9, 9)


@pytest.mark.parametrize("shape", [(9, 8), (700, 600), (513, 512), (1, 700)])
@pytest.mark.parametrize("dtype, missing", [("float64", np.nan), ("int8", -1)])
def test_tile_is_stored_as_zarr_would_store_it(tmp_path, shape, dtype, missing):
    """Read with zarr; where zarr itself wrote it, in an order of its own, every file is as long."""
    tile, chunk = (512, 512), zarr_map.inner_chunk((512, 512))
    rng = np.random.default_rng(1)
    numbers = rng.integers(-9, 9, shape).astype(dtype)
    packed = zarr.codecs.BloscCodec(
        typesize=numbers.itemsize, cname=shards.PACKER, clevel=shards.EFFORT, shuffle="shuffle"
    )
    given = {"shape": shape, "chunks": chunk, "shards": tile, "dtype": dtype, "fill_value": missing}
    given |= {"compressors": (packed, zarr.codecs.Crc32cCodec()), "config": {"write_empty_chunks": True}}
    ours = zarr.create_array(tmp_path / "ours", **given)
    theirs = zarr.create_array(tmp_path / "theirs", **given)
    for i in range(0, shape[0], tile[0]):
        for j in range(0, shape[1], tile[1]):
            part = numbers[i : i + tile[0], j : j + tile[1]]
            parts = shards.tile_parts(part, tile, chunk, missing)
            shards.write(tmp_path / "ours", (i // tile[0], j // tile[1]), parts)
            theirs[i : i + tile[0], j : j + tile[1]] = part
    np.testing.assert_array_equal(ours[...], numbers)
    for file in (tmp_path / "theirs" / "c").rglob("*"):
        if file.is_file():
            mine = (tmp_path / "ours" / file.relative_to(tmp_path / "theirs")).read_bytes()
            assert len(mine) == len(file.read_bytes())


def test_xarray_opens_a_map_without_a_warning_and_with_what_its_arrays_say(tmp_path):
    path = tmp_path / "map.zarr"
    interrupted(path)
    for whole in (False, True):
        with xarray.open_zarr(path) as found:  # warnings are errors
            part = fn.open(path, partial=True)
            for name in part.variables:
                xarray.testing.assert_identical(found[name].variable.load(), part[name].variable.load())
        document = json.loads((path / "zarr.json").read_text())
        names = {child.name for child in path.iterdir() if child.is_dir()}
        assert set(document["consolidated_metadata"]["metadata"]) == names
        for name, metadata in document["consolidated_metadata"]["metadata"].items():
            assert metadata == json.loads((path / name / "zarr.json").read_text())
        assert not whole or zarr.open_group(path, mode="r").attrs["seconds"] > 0
        sweep().run(store=path, progress=False)


def test_stored_map_is_read_when_it_is_used(tmp_path):
    result = sweep().run(store=tmp_path / "map.zarr", progress=False)
    assert not result.outcome.variable._in_memory
    assert LEDGER not in result.variables


def test_folders_on_the_way_are_made(tmp_path):
    result = sweep().run(store=tmp_path / "a" / "b" / "map.zarr", keep=["outcome"], progress=False)
    assert result.outcome.shape == (23, 20)
    assert tiles_done(tmp_path / "a" / "b" / "map.zarr") == (9, 9)


def test_axis_with_a_dotted_name_is_stored(tmp_path):
    dotted = sweep(axes=("start.bias", "start.weight"))
    stored = dotted.run(store=tmp_path / "map.zarr", progress=False)
    held = dotted.run(progress=False)
    assert stored.outcome.dims == ("start.bias", "start.weight")
    xarray.testing.assert_identical(stored.drop_attrs(deep=False), held.drop_attrs(deep=False))


def test_keep_stores_only_what_it_names(tmp_path):
    path = tmp_path / "map.zarr"
    result = sweep().run(store=path, keep=["outcome", "final"], progress=False)
    kept = {"outcome", "final_weight", "final_bias"}
    assert set(result.data_vars) == kept
    assert {child.name for child in path.iterdir() if child.is_dir()} == {*kept, "bias", "weight", LEDGER}
    held = sweep().run(progress=False)
    xarray.testing.assert_equal(result, held[sorted(kept)])


# cut short


def test_interrupt_propagates_and_open_refuses_what_is_half_written(tmp_path):
    done, count = interrupted(tmp_path / "map.zarr")
    assert 0 < done < count == 9
    with pytest.raises(
        ValueError,
        match=f"map.zarr is only half written: {done} of 9 tiles are done; run "
        "the sweep again to finish it, or open it with partial=True$",
    ):
        fn.open(tmp_path / "map.zarr")


def test_partial_map_is_right_where_done_and_missing_elsewhere(tmp_path):
    path = tmp_path / "map.zarr"
    done, _ = interrupted(path)
    part = fn.open(path, partial=True)
    held = sweep().run(progress=False)
    tiles = ledger.done_of(zarr.open_group(path, mode="r")[LEDGER][...])
    computed = np.kron(tiles, np.ones(TILE))[:23, :20].astype(bool)
    assert done == tiles.sum() and computed.any() and not computed.all()
    for name in held.data_vars:
        values = part[name].values
        assert values.dtype == held[name].dtype, name
        np.testing.assert_array_equal(values[computed], held[name].values[computed], err_msg=name)
        missing = -1 if values.dtype.kind == "i" else np.nan
        np.testing.assert_array_equal(values[~computed], missing, err_msg=name)
    assert (held.outcome.values >= 0).all()  # so that -1 cannot be a result
    assert without_seconds(part) == without_seconds(held) and "seconds" not in part.attrs


def test_half_written_map_is_gone_on_with_to_the_same_bits(tmp_path):
    path = tmp_path / "map.zarr"
    done, count = interrupted(path)
    before = {
        file: file.stat().st_mtime_ns for file in path.rglob("*") if "/c/" in str(file) and file.is_file()
    }
    seen = []
    result = sweep().run(store=path, progress=lambda done, total: seen.append((done, total)))
    assert 64 <= seen[0][0] < 460 and seen[-1] == (460, 460)
    held = sweep().run(progress=False)
    for name in held.data_vars:
        assert result[name].values.tobytes() == held[name].values.tobytes(), name
    for file, time in before.items():
        assert file.stat().st_mtime_ns == time, f"{file} was written again"
    assert 0 < result.attrs["seconds"] < 60 and "run_times" not in result.attrs


def test_whole_map_is_opened_and_not_touched(tmp_path):
    path = tmp_path / "map.zarr"
    first = sweep().run(store=path, progress=False)
    before = contents(tmp_path)
    again = sweep().run(store=path, progress=False)
    assert contents(tmp_path) == before
    xarray.testing.assert_identical(again, first)


@pytest.mark.parametrize(
    "changes, keep, message",
    [
        ({"optimizer": fn.GradientDescent(3.0)}, None, "optimizer.learning_rate is 30.0 there and 3.0 here$"),
        (
            {"penalty": fn.L2(0.1)},
            None,
            "penalty.bias_strength is not given there and 0.0 here; penalty.name is",
        ),
        ({"dtype": "float32"}, None, "dtype is .*'float32' here"),
        ({}, ["outcome", "steps"], r"it holds error, final_bias, .* and not outcome, steps \(keep\)$"),
    ],
)
def test_map_of_another_sweep_is_refused_with_the_difference(tmp_path, changes, keep, message):
    path = tmp_path / "map.zarr"
    interrupted(path)
    before = contents(tmp_path)
    with pytest.raises(ValueError, match=f"map.zarr is a map of something else: {message}") as refused:
        sweep(**changes).run(store=path, keep=keep, progress=False)
    assert "\n" not in str(refused.value)
    assert contents(tmp_path) == before


def test_map_whose_results_an_older_version_gave_is_refused(tmp_path, monkeypatch):
    interrupted(tmp_path / "map.zarr")
    monkeypatch.setattr("fastneuron.store.identity.RESULTS_VERSION", 10**6)
    with pytest.raises(ValueError, match="made by fastneuron .*, whose results may differ$"):
        sweep().run(store=tmp_path / "map.zarr", progress=False)


def test_two_writers_are_refused_and_a_reader_is_not(tmp_path):
    path = tmp_path / "map.zarr"

    def meddle(done, total):
        if done == 0:
            with pytest.raises(ValueError, match="map.zarr is being written by another process"):
                sweep().run(store=path, progress=False)
            assert fn.open(path, partial=True).outcome.shape == (23, 20)

    result = sweep().run(store=path, progress=meddle)
    assert (result.outcome >= 0).all()


def test_what_a_killed_run_left_beside_the_store_is_cleared(tmp_path):
    (tmp_path / ".map.zarr.making" / "half").mkdir(parents=True)
    (tmp_path / ".map.zarr.making" / "zarr.json").write_text("{")
    sweep().run(store=tmp_path / "map.zarr", progress=False)
    assert [child.name for child in tmp_path.iterdir()] == ["map.zarr"]


@pytest.mark.parametrize("damage", ["cut", "flip", "gone"])
def test_ledger_that_is_damaged_costs_no_more_than_its_tiles(tmp_path, damage):
    path = tmp_path / "map.zarr"
    whole = sweep().run(store=path, progress=False).load()
    entry = next(file for file in sorted((path / LEDGER / "c").rglob("*")) if file.is_file())
    damage_file(entry, damage)
    assert tiles_done(path) == (8, 9)
    with pytest.raises(ValueError, match="only half written: 8 of 9"):
        fn.open(path)
    again = sweep().run(store=path, progress=False)
    for name in whole.data_vars:
        assert again[name].values.tobytes() == whole[name].values.tobytes(), name


@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_damaged_data_are_never_read_as_numbers(tmp_path, damage):
    path = tmp_path / "map.zarr"
    result = sweep().run(store=path, progress=False)
    damage_file(path / "steps" / "c" / "1" / "1", damage)
    with pytest.raises((ValueError, RuntimeError)):
        result.steps[8:16, 8:16].load()
    assert result.steps[:8].values.min() >= 0


def test_store_may_be_one_of_zarr_s_own(tmp_path):
    for store in (zarr.storage.MemoryStore(), zarr.storage.LocalStore(tmp_path / "own")):
        stored = sweep().run(store=store, progress=False)
        held = sweep().run(progress=False)
        assert fn.open(store).outcome.values.tobytes() == held.outcome.values.tobytes()
        assert stored.steps.values.tobytes() == held.steps.values.tobytes()
        assert sweep().run(store=store, progress=False).sizes == held.sizes
        with pytest.raises(ValueError, match="is a map of something else"):
            sweep(dtype="float32").run(store=store, progress=False)


def test_store_may_be_a_url(tmp_path):
    result = sweep().run(store=f"file://{tmp_path}/map.zarr", keep=["outcome"], progress=False)
    assert tiles_done(tmp_path / "map.zarr") == (9, 9)
    assert fn.open(f"file://{tmp_path}/map.zarr").outcome.sizes == result.outcome.sizes


def test_map_without_a_tile_done_opens_as_all_missing(tmp_path):
    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep().run(store=tmp_path / "map.zarr", progress=interrupt)
    assert tiles_done(tmp_path / "map.zarr") == (0, 9)
    part = fn.open(tmp_path / "map.zarr", partial=True)
    assert (part.outcome == -1).all() and np.isnan(part.loss).all()
    np.testing.assert_array_equal(part.bias, np.linspace(-9, 9, 23))


def test_tile_that_cannot_be_written_is_an_error_and_not_done(tmp_path, monkeypatch):
    def full(self, place, arrays):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fastneuron.store.zarr_map.MapStore.write", full)
    with pytest.raises(OSError, match="No space left"):
        sweep().run(store=tmp_path / "map.zarr", progress=False)
    assert tiles_done(tmp_path / "map.zarr") == (0, 9)


def test_no_name_that_a_result_or_a_store_uses_may_be_one_of_the_user_s(tmp_path):
    path = tmp_path / "map.zarr"
    result = sweep().run(store=path, progress=False)
    top = zarr.open_group(path, mode="r")
    dims = {dim for _, array in top.arrays() for dim in array.metadata.dimension_names}
    used = {*result.variables, *result.attrs, *top.attrs, *top.array_keys(), *dims} - set(result.coords)
    assert {"tile_done", "run_times", "bias_tile", "seconds", "layout"} < used
    for name in used | {"draw", "final_bias", "layer0_in"}:
        with pytest.raises(ValueError, match=f"^record.{name}: a result has this name already"):
            sweep(record={name: fn.Sum()})


# wrong places


@pytest.mark.parametrize("kind", ["folder", "file", "broken link", "another group"])
def test_what_is_no_map_is_refused_and_not_touched(tmp_path, kind):
    path = tmp_path / "there"
    if kind == "another group":
        zarr.create_group(path, zarr_format=3, attributes={"sweep": "mine"})
    elif kind == "folder":
        path.mkdir()
        (path / "notes.txt").write_text("mine")
    elif kind == "file":
        path.write_text("mine")
    else:
        path.symlink_to(tmp_path / "nowhere")
    before = contents(tmp_path)
    with pytest.raises(FileExistsError, match="there exists already"):
        sweep().run(store=path, progress=False)
    assert contents(tmp_path) == before
    assert path.is_symlink() == (kind == "broken link")
    assert [child.name for child in tmp_path.iterdir()] == ["there"]


def test_a_file_on_the_way_is_an_oserror_and_not_touched(tmp_path):
    (tmp_path / "file").write_text("mine")
    for path in (tmp_path / "file" / "map.zarr", tmp_path / "file" / "deeper" / "map.zarr"):
        with pytest.raises(NotADirectoryError):
            sweep().run(store=path, progress=False)
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("wrong", [{"threads": 0}, {"keep": ["outcom"]}, {"progress": "yes"}])
def test_wrong_argument_leaves_no_store_behind(tmp_path, wrong):
    with pytest.raises(ValueError):
        sweep().run(store=tmp_path / "map.zarr", **{"progress": False} | wrong)
    assert not (tmp_path / "map.zarr").exists()


@pytest.mark.parametrize("kind", ["empty folder", "file", "another group", "an array", "broken metadata"])
@pytest.mark.parametrize("partial", [False, True])
def test_what_is_no_map_does_not_open(tmp_path, kind, partial):
    path = tmp_path / "thing"
    if kind == "file":
        path.write_text("mine")
    elif kind == "another group":
        zarr.create_group(path, zarr_format=3)
    elif kind == "an array":
        zarr.create_array(path, shape=(2,), dtype="int8", zarr_format=3)
    else:
        path.mkdir()
        if kind == "broken metadata":
            (path / "zarr.json").write_text("{")
    with pytest.raises(ValueError, match="thing is no stored map of fastneuron$"):
        fn.open(path, partial=partial)
    with pytest.raises(ValueError, match="is no stored map of fastneuron$"):
        tiles_done(path)


def test_what_does_not_exist_does_not_open(tmp_path):
    with pytest.raises(ValueError, match="nowhere does not exist$"):
        fn.open(tmp_path / "nowhere", partial=True)
    assert not (tmp_path / "nowhere").exists()

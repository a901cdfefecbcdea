"""Status, verify and export of stored maps; and maps whose process is killed or whose disk is full."""

import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pandas
import pytest
import xarray

import fastneuron as fn
from fastneuron.cli.main import main
from fastneuron.engine import local, tiles
from fastneuron.store import shards, tiles_done
from fastneuron.store.lock import Lock
from fastneuron.store.status import status_of
from fastneuron.store.verify import condition_of, mend_arrays

from .test_store import contents, damage_file, interrupted, sweep
from .test_store import many_tiles as many_tiles

# a map of 72 tiles that take a few milliseconds each
LARGE = """fn.Sweep(
    task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0),
    axes={"bias": fn.linspace(-9, 9, 72), "weight": fn.linspace(-9, 9, 64)},
    stop=fn.Stop(max_steps=20000, tolerance=0.0, settle=0.0, max_period=1),
)"""
PROGRAM = f"""
import sys, fastneuron as fn
from fastneuron.engine import tiles
tiles.FEWEST_POINTS = tiles.MOST_POINTS = 64
sweep = {LARGE}
print("ready", flush=True)
result = sweep.run(store=sys.argv[1], progress=False)
print(result.attrs["seconds"])
"""


def program(path, **options):
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_map_killed_again_and_again_ends_in_the_same_bits(tmp_path):
    path = tmp_path / "map.zarr"
    whole = eval(LARGE)
    first = whole.run(progress=False)
    rng = random.Random(5)
    finished = {}
    for _ in range(4):
        with program(path) as child:
            assert child.stdout.readline() == "ready\n"
            time.sleep(rng.uniform(0.0, 0.5))
            child.kill()
        if path.exists():
            done, count = tiles_done(path)
            assert count == 72
            entries = {file: file.stat().st_mtime_ns for file in (path / "tile_done" / "c").rglob("*")}
            entries = {
                file: at for file, at in entries.items() if file.is_file() and "partial" not in file.name
            }
            assert finished.items() <= entries.items()  # nothing that was done is done again
            finished = entries
            assert len(finished) == done
            assert condition_of(path).damaged == {}
    whole.run(store=path, progress=False)
    assert {file: file.stat().st_mtime_ns for file in finished} == finished
    second = fn.open(path)
    for name in first.data_vars:
        assert first[name].values.tobytes() == second[name].values.tobytes(), name


def test_disk_that_is_full_costs_the_tile_alone(tmp_path, monkeypatch):
    """A limit on the size of files stands for the disk: a shard of a tile does not fit."""
    path = tmp_path / "map.zarr"

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (24000, 24000))

    code = PROGRAM.replace("= 64", "= 4096").replace("progress=False", "progress=False, threads=1")
    child = subprocess.run(
        [sys.executable, "-c", code, str(path)], preexec_fn=limit, capture_output=True, text=True
    )
    last = child.stderr.strip().splitlines()[-1]
    assert re.fullmatch(r"OSError: .*map.zarr cannot be written \(File too large\); it holds .*", last), last
    found = condition_of(path)
    assert (found.arrays, found.damaged, found.sound) == ({}, {}, 0)
    assert not list(path.rglob("*.partial"))
    for name in ("FEWEST_POINTS", "MOST_POINTS"):
        monkeypatch.setattr(tiles, name, 4096)
    eval(LARGE).run(store=path, progress=False)
    assert condition_of(path)[:2] == ({}, {}) and condition_of(path).missing == 0


def test_a_map_that_cannot_even_be_made_leaves_nothing(tmp_path):
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (3500, 3500))

    path = tmp_path / "map.zarr"
    child = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)], preexec_fn=limit, capture_output=True, text=True
    )
    assert child.stderr.strip().splitlines()[-1] == f"OSError: [Errno 27] File too large: '{path}'"
    assert list(tmp_path.iterdir()) == []


def exact(path):
    """A CSV file of numbers, each the float nearest to what is written."""
    return pandas.read_csv(path, dtype=str).map(float)


# verify


def test_sound_map_is_found_sound(tmp_path):
    sweep().run(store=tmp_path / "map.zarr", progress=False)
    assert condition_of(tmp_path / "map.zarr") == ({}, {}, 9, 0)


@pytest.mark.parametrize("damage", ["cut", "flip", "gone"])
@pytest.mark.parametrize("name", ["outcome", "loss", "final_weight"])
def test_damaged_tile_is_found_and_computed_anew(tmp_path, damage, name):
    path = tmp_path / "map.zarr"
    sweep().run(store=path, keep=["outcome", "loss", "final"], progress=False)
    before = contents(path)
    damage_file(path / name / "c" / "1" / "2", damage)
    found = condition_of(path)
    assert list(found.damaged) == [(1, 2)] and (found.sound, found.missing) == (8, 0)
    wanted = name if damage != "gone" else "data"
    assert wanted in found.damaged[1, 2]
    seen = []
    local.repair(path, found.damaged, 1, lambda done, total: seen.append((done, total)))
    assert seen == [(0, 32), (32, 32)]  # the last tile of a row has four columns
    assert condition_of(path) == ({}, {}, 9, 0)
    after = contents(path)
    changed = {file for file in before if after[file] != before[file]}
    assert changed == {path / "tile_done" / "c" / "1" / "2" / "0"}  # when it was done


def test_data_of_another_tile_are_found(tmp_path):
    path = tmp_path / "map.zarr"
    sweep().run(store=path, progress=False)
    (path / "steps" / "c" / "0" / "0").write_bytes((path / "steps" / "c" / "1" / "1").read_bytes())
    assert condition_of(path).damaged == {(0, 0): "its data are not those that were written"}


def test_damaged_ledger_is_found(tmp_path):
    path = tmp_path / "map.zarr"
    sweep().run(store=path, progress=False)
    damage_file(path / "tile_done" / "c" / "2" / "0" / "0", "flip")
    assert condition_of(path) == ({}, {(2, 0): "its entry in the ledger cannot be read"}, 8, 0)
    local.repair(path, [(2, 0)], None, False)
    assert condition_of(path) == ({}, {}, 9, 0)


def test_verify_tells_of_damage_and_ends_with_1(tmp_path, capsys):
    path = tmp_path / "map.zarr"
    interrupted(path)
    done, tiles = tiles_done(path)
    damage_file(path / "outcome" / "c" / "0" / "0", "flip")
    assert main(["verify", str(path)]) == 1
    out = capsys.readouterr().out
    assert "tile (0, 0): outcome cannot be read" in out and f"1 damaged, {tiles - done} not done" in out
    assert main(["verify", str(path), "--repair", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["damaged"] == [{"tile": [0, 0], "reason": "outcome cannot be read"}] and told["repaired"]
    assert main(["verify", str(path)]) == 0
    assert tiles_done(path) == (done, tiles)  # only the damaged one was computed


@pytest.mark.parametrize("damage", ["cut", "flip", "gone"])
@pytest.mark.parametrize("name", ["bias/zarr.json", "bias/c/0", "loss/zarr.json", "tile_done/zarr.json"])
def test_damaged_metadata_and_coordinates_are_found_and_mended(tmp_path, capsys, name, damage):
    path = tmp_path / "map.zarr"
    whole = sweep().run(store=path, keep=["outcome", "loss"], progress=False).load()
    before = contents(path)
    damage_file(path / name, damage)
    array = name.partition("/")[0]
    if damage != "flip" or name == "bias/c/0":  # a bit of the metadata may be one of a description
        with pytest.raises(ValueError, match="damaged"):
            fn.open(path)
    assert main(["verify", str(path), "--quiet"]) == 1
    assert f"array {array}: " in capsys.readouterr().out
    assert main(["verify", str(path), "--repair", "--quiet"]) == 0
    assert main(["verify", str(path), "--quiet"]) == 0
    assert contents(path) == before
    xarray.testing.assert_identical(fn.open(path).load(), whole)


@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_damaged_attributes_of_a_map_are_told_of(tmp_path, capsys, damage):
    path = tmp_path / "map.zarr"
    sweep().run(store=path, keep=["outcome"], progress=False)
    damage_file(path / "zarr.json", damage)
    for command in ("status", "verify", "plot"):
        assert main([command, str(path)]) == 2
        assert "is a map whose zarr.json is damaged or missing" in capsys.readouterr().err
    with pytest.raises(ValueError, match="damaged"):
        sweep().run(store=path, keep=["outcome"], progress=False)


def test_sweep_of_a_map_that_was_changed_is_told_of(tmp_path):
    path = tmp_path / "map.zarr"
    sweep().run(store=path, keep=["outcome"], progress=False)
    text = (path / "zarr.json").read_text()
    assert text.count("max_steps = 300") == 1
    (path / "zarr.json").write_text(text.replace("max_steps = 300", "max_steps = 301"))
    with pytest.raises(ValueError, match=r"damaged \(its zarr.json is not as it was written\)"):
        fn.open(path)


def test_tile_that_is_to_be_computed_anew_is_missing_until_then(tmp_path):
    path = tmp_path / "map.zarr"
    sweep().run(store=path, progress=False)

    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        local.repair(path, [(1, 1)], 1, interrupt)
    assert tiles_done(path) == (8, 9)
    assert (fn.open(path, partial=True).outcome[8:16, 8:16] == -1).all()
    sweep().run(store=path, progress=False)
    assert condition_of(path) == ({}, {}, 9, 0)


# what a map says of itself


def rewritten(path, change):
    """Change what the zarr.json at the top of a map says, and nothing else."""
    document = json.loads((path / "zarr.json").read_text())
    change(document)
    (path / "zarr.json").write_text(json.dumps(document, indent=2))


def as_an_earlier_version_wrote_it(path):
    """Take from a map what the first version did not write."""

    def change(document):
        del document["attributes"]["metadata_crc32c"], document["consolidated_metadata"]

    rewritten(path, change)
    metadata = json.loads((path / "tile_done" / "zarr.json").read_text())
    metadata["shape"][-1] = metadata["chunk_grid"]["configuration"]["chunk_shape"][-1] = 2
    (path / "tile_done" / "zarr.json").write_text(json.dumps(metadata))
    for file in (path / "tile_done" / "c").rglob("0"):
        if file.is_file():
            numbers = shards.entry_in(file.read_bytes())[:2]
            file.write_bytes(b"".join(shards.entry_parts(numbers)))


def test_a_flipped_bit_anywhere_in_what_a_map_says_of_itself_is_told_of(tmp_path):
    path = tmp_path / "map.zarr"
    sweep().run(store=path, keep=["outcome"], progress=False)
    text = (path / "zarr.json").read_bytes()
    for place in range(0, len(text), 61):
        damaged = bytearray(text)
        damaged[place] ^= 1 << (place % 7)
        (path / "zarr.json").write_bytes(damaged)
        with pytest.raises(ValueError, match=r"map\.zarr is (damaged|a map whose zarr\.json is damaged)"):
            fn.open(path)
    for name in json.loads(text)["attributes"]:
        (path / "zarr.json").write_bytes(text)
        rewritten(path, lambda document, name=name: document["attributes"].pop(name))
        with pytest.raises(ValueError, match="damaged"):
            fn.open(path)


@pytest.mark.parametrize(
    "change",
    [
        {"title": "something else"},
        {"fastneuron_version": "9.9"},
        {"run_times": [1.0]},
        {"run_times": "soon"},
        {"mine": "a note"},
        {"layout": {"shape": [16, 20]}},
        {"layout": {"shape": [23]}},
        {"layout": {"tile": [8, 4]}},
        {"layout": {"variables": ["outcme"]}},
        {"layout": {"coordinates": {"bias": 1, "weight": 2}}},
    ],
)
@pytest.mark.parametrize("earlier", [False, True])
def test_a_map_that_says_something_else_is_refused_and_nothing_of_it_is_changed(
    tmp_path, capsys, change, earlier
):
    path = tmp_path / "map.zarr"
    sweep().run(store=path, keep=["outcome", "steps"], progress=False)
    if earlier:  # which cannot know of titles and versions
        as_an_earlier_version_wrote_it(path)

    def merge(document):
        for name, value in change.items():
            old = document["attributes"].get(name)
            document["attributes"][name] = old | value if isinstance(old, dict) else value

    rewritten(path, merge)
    before = contents(path)
    told_apart = not earlier or {"layout", "run_times"} & set(change)
    for words in (["status"], ["verify", "--quiet"], ["verify", "--repair", "--quiet"]):
        code = main([words[0], str(path), *words[1:]])
        err = capsys.readouterr().err
        by_values = earlier and "coordinates" in change.get("layout", {})
        if by_values:
            assert code == (0 if words == ["status"] else 2 if "--repair" in words else 1)
        else:
            assert code == (2 if told_apart else 0)
            assert not told_apart or ("damaged" in err and err.count("\n") == 1)
    assert contents(path) == before


def test_a_damaged_map_is_computed_anew_with_overwrite(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    sweep().run(store="s.zarr", keep=["outcome"], progress=False)
    (tmp_path / "s.toml").write_text(sweep().to_toml())
    rewritten(tmp_path / "s.zarr", lambda document: document["attributes"].update(title="mine"))
    words = ["map", "s.toml", "--keep", "outcome", "--quiet"]
    assert main(words) == 2
    assert "its zarr.json is not as it was written" in capsys.readouterr().err
    assert main([*words, "--overwrite"]) == 0
    assert condition_of(tmp_path / "s.zarr") == ({}, {}, 9, 0)


def test_a_map_of_an_earlier_version_opens_with_a_warning(tmp_path):
    path = tmp_path / "map.zarr"
    whole = sweep().run(store=path, progress=False).load()
    as_an_earlier_version_wrote_it(path)
    with pytest.warns(UserWarning, match="written by an earlier version of fastneuron: its titles, names"):
        old = fn.open(path, verify=True)
    xarray.testing.assert_identical(old.load(), whole)
    assert condition_of(path) == ({}, {}, 9, 0) and status_of(path).tiles_done == 9


@pytest.mark.parametrize("pair", [("bias", "tile_done"), ("loss", "steps"), ("bias", "weight")])
def test_exchanged_metadata_of_arrays_are_told_of_and_mended(tmp_path, capsys, pair):
    path = tmp_path / "map.zarr"
    sweep().run(store=path, keep=["outcome", "loss", "steps"], progress=False)
    before = contents(path)
    one, other = (path / name / "zarr.json" for name in pair)
    texts = one.read_text(), other.read_text()
    one.write_text(texts[1])
    other.write_text(texts[0])
    with pytest.raises(ValueError, match=f"array ({'|'.join(pair)}): its metadata are not those"):
        fn.open(path)
    assert status_of(path).tiles_done == 9
    assert main(["verify", str(path), "--quiet"]) == 1
    out = capsys.readouterr().out
    assert all(f"array {name}: its metadata" in out for name in pair) and "9 of 9 tiles are sound" in out
    assert main(["verify", str(path), "--repair", "--quiet"]) == 0
    assert contents(path) == before


def test_an_array_that_was_removed_or_is_a_file_is_mended(tmp_path):
    path = tmp_path / "map.zarr"
    whole = sweep().run(store=path, progress=False).load()
    shutil.rmtree(path / "steps")
    shutil.rmtree(path / "bias")
    (path / "bias").write_text("mine")
    assert main(["verify", str(path), "--quiet"]) == 1
    assert main(["verify", str(path), "--repair", "--quiet"]) == 0
    xarray.testing.assert_identical(fn.open(path, verify=True).load(), whole)


def test_arrays_are_not_mended_while_another_writes(tmp_path):
    path = tmp_path / "map.zarr"
    sweep().run(store=path, progress=False)
    lock = Lock(path, path)
    with pytest.raises(ValueError, match="is being written by another process"):
        mend_arrays(path, ["steps"])
    lock.release()


# files of tiles


@pytest.mark.parametrize("name", ["outcome", "loss", "final_bias"])
@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_file_that_is_missing_or_shorter_is_told_of_by_whatever_opens_the_map(
    tmp_path, capsys, name, damage
):
    path = tmp_path / "map.zarr"
    sweep().run(store=path, progress=False)
    damage_file(path / name / "c" / "1" / "2", damage)
    reason = f"the file of {name} is missing" if damage == "gone" else "its files are not as long"
    for partial in (False, True):
        with pytest.raises(ValueError, match=rf"damaged \(tile \(1, 2\): {reason}.*'fastneuron verify --rep"):
            fn.open(path, partial=partial)
    for words in (["plot", str(path)], ["export", str(path), str(tmp_path / "map.csv")]):
        assert main(words) == 2
        err = capsys.readouterr().err
        assert f"tile (1, 2): {reason}" in err and err.count("\n") == 1
    assert sorted(child.name for child in tmp_path.iterdir()) == ["map.zarr"]


def test_a_file_of_a_tile_that_is_not_done_is_not_missed(tmp_path):
    path = tmp_path / "map.zarr"
    done, _ = interrupted(path)
    assert done < 9 and fn.open(path, partial=True).sizes == {"bias": 23, "weight": 20}


@pytest.mark.parametrize("verify", [False, True])
def test_a_tile_that_is_not_done_has_no_numbers_whatever_its_files_hold(verify, tmp_path):
    """As after a kill between the files of a tile and its entry in the ledger."""
    path = tmp_path / "map.zarr"
    whole = sweep().run(store=path, progress=False).load()
    (path / "tile_done" / "c" / "1" / "0" / "0").unlink()
    shutil.copy(path / "loss" / "c" / "0" / "0", path / "loss" / "c" / "1" / "0")
    gone = np.zeros((23, 20), bool)
    gone[8:16, :8] = True
    for name, values in whole.data_vars.items():
        nothing = np.nan if values.dtype.kind == "f" else -1
        expected = np.where(gone, nothing, values.values).astype(values.dtype)
        opened = fn.open(path, partial=True, verify=verify)[name]
        assert opened.dtype == values.dtype
        np.testing.assert_array_equal(opened[9], expected[9])
        np.testing.assert_array_equal(opened[[7, 8], 3::4], expected[[7, 8], 3::4])
        np.testing.assert_array_equal(opened[8, 2], expected[8, 2])
        np.testing.assert_array_equal(opened, expected)


def test_files_that_were_exchanged_are_told_of_before_anything_is_read(tmp_path, capsys):
    path = tmp_path / "map.zarr"
    sweep().run(store=path, progress=False)
    files = [path / "loss" / "c" / "0" / "0", path / "loss" / "c" / "1" / "1"]
    data = [file.read_bytes() for file in files]
    files[0].write_bytes(data[1])
    files[1].write_bytes(data[0])
    assert len(data[0]) == len(data[1])  # so that no listing can tell
    with pytest.raises(ValueError, match=r"tile \(0, 0\): its data are not those .*, and 1 tile more\)"):
        fn.open(path, verify=True)
    for words in (["plot", str(path)], ["export", str(path), str(tmp_path / "map.csv")]):
        assert main([*words, "--verify"]) == 2
        assert "tile (0, 0): its data are not those that were written" in capsys.readouterr().err
    assert sorted(child.name for child in tmp_path.iterdir()) == ["map.zarr"]


def test_the_same_run_again_computes_what_was_lost(tmp_path):
    path = tmp_path / "map.zarr"
    whole = sweep().run(store=path, progress=False).load()
    for name in ("steps/c/0/0", "outcome/c/2/2"):
        (path / name).unlink()
    seen = []
    again = sweep().run(store=path, progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (460 - 64 - 7 * 4, 460)
    assert condition_of(path) == ({}, {}, 9, 0)
    xarray.testing.assert_equal(again.load(), whole)


def test_an_entry_of_the_ledger_that_was_deleted_leaves_a_tile_that_is_not_done(tmp_path, capsys):
    path = tmp_path / "map.zarr"
    sweep().run(store=path, progress=False)
    (path / "tile_done" / "c" / "1" / "1" / "0").unlink()
    assert main(["verify", str(path), "--quiet"]) == 0
    out = capsys.readouterr().out
    assert "8 of 9 tiles are sound, 0 damaged, 1 not done" in out and "run what made it again" in out


def test_a_store_of_zarr_s_own_tells_of_a_chunk_that_is_missing(tmp_path):
    held = {}
    many = sweep(task=fn.Task(np.linspace(0, 1, 33), np.zeros(33)), stop=fn.Stop(max_steps=3))
    result = many.run(store=held, keep=["outcome", "learned"], progress=False)
    assert (result.learned == -1).all()  # the missing value, in chunks that are there none the less
    assert fn.open(held, verify=True).sizes == result.sizes
    del held["learned/c/1/1"]
    with pytest.raises(ValueError, match=r"tile \(1, 1\): the file of learned is missing"):
        fn.open(held)


def leave_unfinished(path):
    """What a writer that is killed leaves in a map."""
    left = [
        path / f"{name}.{'0a' * 16}.partial" for name in ("zarr.json", "steps/c/0/0", "tile_done/c/0/0/0")
    ]
    for file in left:
        file.write_bytes(b"half")
    return left


def test_a_run_that_resumes_removes_what_a_killed_one_left(tmp_path):
    path = tmp_path / "map.zarr"
    interrupted(path)
    left = leave_unfinished(path)
    mine = path / "steps" / "mine.partial"
    mine.write_text("mine")
    fn.open(path, partial=True)
    assert all(file.exists() for file in left)  # who reads removes nothing
    sweep().run(store=path, progress=False)
    assert not any(file.exists() for file in left) and mine.exists()


def test_what_another_writer_is_writing_is_left_alone(tmp_path):
    path = tmp_path / "map.zarr"
    interrupted(path)
    left = leave_unfinished(path)
    lock = Lock(path, path)
    with pytest.raises(ValueError, match="is being written by another process"):
        sweep().run(store=path, progress=False)
    assert all(file.exists() for file in left)
    lock.release()


# status


def test_status_counts_what_is_done(tmp_path, capsys):
    path = tmp_path / "map.zarr"
    interrupted(path)
    found = status_of(path)
    assert 0 < found.tiles_done < found.tiles == 9 and 0 < found.points_done < found.points == 460
    assert found.writing is False and found.rate > 0
    assert found.seconds_left == pytest.approx((460 - found.points_done) / found.rate)
    assert main(["status", str(path)]) == 0
    assert "nobody is writing to it" in capsys.readouterr().out
    sweep().run(store=path, progress=False)
    assert main(["status", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["tiles_done"], told["points_done"], told["seconds_left"]) == (9, 460, 0)
    assert told["seconds"] >= found.seconds > 0


def test_status_while_another_process_writes(tmp_path):
    path = tmp_path / "map.zarr"
    with program(path) as child:
        assert child.stdout.readline() == "ready\n"
        deadline = time.monotonic() + 60
        while not path.exists() or tiles_done(path)[0] < 3:
            assert child.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        os.kill(child.pid, signal.SIGSTOP)
        found = status_of(path)
        with pytest.raises(ValueError, match="map.zarr is being written by another process"):
            local.repair(path, [(0, 0)], 1, False)
        child.kill()
    assert found.writing and 3 <= found.tiles_done < 72 and found.rate > 0
    assert status_of(path).writing is False


# export


def test_netcdf_holds_the_map(tmp_path, capsys):
    whole = sweep().run(store=tmp_path / "map.zarr", progress=False)
    assert main(["export", str(tmp_path / "map.zarr"), str(tmp_path / "map.nc")]) == 0
    with xarray.open_dataset(tmp_path / "map.nc") as file:
        for name in whole.variables:
            np.testing.assert_array_equal(file[name].values, whole[name].values)
        assert fn.Sweep.from_toml(file.attrs["sweep"]) == sweep()
        assert file.outcome.attrs["flag_meanings"] == whole.outcome.attrs["flag_meanings"]


def test_a_truth_table_of_32_samples_is_exported_as_it_is(tmp_path):
    x = np.linspace(0, 1, 32)
    given = sweep(task=fn.Task(x, 1.0 * (x > 0.5)), stop=fn.Stop(max_steps=1))
    whole = given.run(store=tmp_path / "map.zarr", progress=False)
    assert whole.learned.max() == 2**32 - 1
    for name in ("map.nc", "map.csv"):
        assert main(["export", str(tmp_path / "map.zarr"), str(tmp_path / name), "--quiet"]) == 0
    with xarray.open_dataset(tmp_path / "map.nc") as file:
        np.testing.assert_array_equal(file.learned, whole.learned)
        assert file.steps.dtype == np.int32
    table = exact(tmp_path / "map.csv")
    np.testing.assert_array_equal(table["learned"].values, whole.learned.values.ravel())


def test_csv_has_a_line_for_each_start(tmp_path, monkeypatch):
    monkeypatch.setattr("fastneuron.store.export.ROWS", 50)  # so that the lines are made in several pieces
    whole = sweep().run(store=tmp_path / "map.zarr", progress=False)
    assert main(["export", str(tmp_path / "map.zarr"), str(tmp_path / "map.csv"), "--quiet"]) == 0
    table = exact(tmp_path / "map.csv")
    assert list(table.columns) == ["bias", "weight", *whole.data_vars]
    assert len(table) == 460
    for name in whole.data_vars:
        np.testing.assert_array_equal(table[name].values.reshape(23, 20), whole[name].values)
    np.testing.assert_array_equal(table["weight"].values[:20], whole["weight"].values)
    np.testing.assert_array_equal(table["bias"].values[::20], whole["bias"].values)


def test_parameters_of_a_network_are_columns_of_a_csv(tmp_path):
    given = fn.Sweep(
        task=fn.tasks.gate("xor"),
        model=fn.Network((2, 4, 1)),
        optimizer=fn.GradientDescent(1.0),
        axes={"learning_rate": [0.1, 1.0]},
        draws=3,
        stop=fn.Stop(max_steps=20),
    )
    whole = given.run(store=tmp_path / "map.zarr", keep=["outcome", "final"], progress=False)
    assert main(["export", str(tmp_path / "map.zarr"), str(tmp_path / "map.csv")]) == 0
    table = exact(tmp_path / "map.csv")
    assert list(table.columns)[:4] == ["learning_rate", "draw", "outcome", "final_layer0.weight[0,0]"]
    values = whole["final_layer0.weight"].values[:, :, 1, 0].ravel()
    np.testing.assert_array_equal(table["final_layer0.weight[1,0]"], values)


def test_export_of_a_part_has_no_number_where_nothing_was_computed(tmp_path):
    interrupted(tmp_path / "map.zarr")
    assert main(["export", str(tmp_path / "map.zarr"), str(tmp_path / "map.csv")]) == 0
    table = pandas.read_csv(tmp_path / "map.csv")
    missing = table.outcome == -1
    assert 0 < missing.sum() < 460 and table.loss.isna()[missing].all()


@pytest.mark.parametrize("file", ["map.txt", "no/map.csv", "."])
def test_export_that_cannot_be_written_is_refused(tmp_path, capsys, file):
    sweep().run(store=tmp_path / "map.zarr", keep=["outcome"], progress=False)
    assert main(["export", str(tmp_path / "map.zarr"), str(tmp_path / file)]) == 2
    assert capsys.readouterr().err.count("\n") == 1

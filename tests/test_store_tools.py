"""Status, verify and export of stored maps; and maps whose process is killed or whose disk is full."""

import json
import os
import random
import re
import resource
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
from fastneuron.engine import local
from fastneuron.store import tiles_done
from fastneuron.store.status import status_of
from fastneuron.store.verify import condition_of

from .test_store import contents, damage_file, interrupted, sweep
from .test_store import many_tiles as many_tiles

# a map of 72 tiles that take a few milliseconds each
PROGRAM = """
import sys, fastneuron as fn
from fastneuron.engine import tiles
tiles.FEWEST_POINTS = tiles.MOST_POINTS = 64
sweep = fn.Sweep(
    task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0),
    axes={"bias": fn.linspace(-9, 9, 72), "weight": fn.linspace(-9, 9, 64)},
    stop=fn.Stop(max_steps=20000, tolerance=0.0, settle=0.0, max_period=1),
)
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
    whole, path = tmp_path / "whole.zarr", tmp_path / "map.zarr"
    with program(whole) as child:
        assert child.communicate(timeout=240)[1] == ""
    rng = random.Random(5)
    finished = {}
    for _ in range(6):
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
    with program(path) as child:
        assert child.communicate(timeout=240)[1] == ""
    first, second = fn.open(whole), fn.open(path)
    for name in first.data_vars:
        assert first[name].values.tobytes() == second[name].values.tobytes(), name


def test_disk_that_is_full_costs_the_tile_alone(tmp_path):
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
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, capture_output=True)
    assert condition_of(path)[:2] == ({}, {}) and condition_of(path).missing == 0


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
    sweep().run(store=path, progress=False)
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
    whole = sweep().run(store=path, progress=False).load()
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
        model=fn.Network((2, 2, 1)),
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

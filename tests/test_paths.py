"""Paths: read in one way wherever one is given; files that are written appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import fsspec
import numpy as np
import pytest

import fastneuron as fn
from fastneuron.files import path_of, replaced

from .conftest import Run


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder that is not the current one, which stays empty."""
    (tmp_path / "home").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def sweep() -> fn.Sweep:
    return fn.Sweep(
        task=fn.tasks.inverter(),
        optimizer=fn.GradientDescent(30.0),
        axes={"bias": [0, 10], "weight": [-20, 20]},
        stop=fn.Stop(max_steps=100),
    )


@pytest.mark.parametrize(
    "given, wanted",
    [
        ("~/a.zarr", "HOME/a.zarr"),
        ("~", "HOME"),
        (Path("~/a.zarr"), "HOME/a.zarr"),
        (b"~/a.zarr", "HOME/a.zarr"),
        ("file:///a/b.zarr", "/a/b.zarr"),
        ("./~/a", "HERE/~/a"),
        ("a/~/b", "a/~/b"),
        ("$HOME/a", "$HOME/a"),
        (" a b\n", " a b\n"),
    ],
)
def test_a_path_is_read_as_a_shell_reads_it_without_variables(given: object, wanted: str, home: Path) -> None:
    folders = {"HOME": str(home), "HERE": os.getcwd()}
    found = path_of(given)
    assert found == Path(folders.get(wanted[:4], wanted[:4]) + wanted[4:])
    assert path_of(found) == found


@pytest.mark.parametrize("given", ["", "  ", "\n", b"", "a\0b", "s3://bucket/a.png", 3, None, ["a"], 1.5])
def test_what_is_no_path_is_refused_in_one_line(given: object) -> None:
    with pytest.raises(ValueError, match="^out must be a path") as refused:
        path_of(given, "out")
    assert "\n" not in str(refused.value)


def test_a_home_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="path: ~nobody_of_that_name/a: that user has no home folder"):
        path_of("~nobody_of_that_name/a")


def test_every_place_of_the_library_takes_a_path_in_the_home_folder(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home.parent / "here")
    (home / "table.csv").write_text("0,1\n1,0\n")
    result = sweep().run(store="~/a.zarr", progress=False)
    for given in ("~/a.zarr", Path("~/a.zarr"), b"~/a.zarr", f"file://{home}/a.zarr"):
        assert fn.open(given).steps.equals(result.steps)
        assert fn.store.tiles_done(given) == (1, 1)  # type: ignore[attr-defined]
    fn.plot.save("~/a.png", result)
    assert fn.plot.spec_in("~/a.png") == fn.plot.spec_in(home / "a.png")
    assert not fn.figures.load("inverter").is_drawn("~/a.png")
    assert fn.tasks.from_csv("~/table.csv").samples == 2
    by_spec = fn.Sweep.from_toml(sweep().to_toml().replace("[task]", "[task]\ncsv = '~/table.csv'\n#"))
    np.testing.assert_array_equal(by_spec.task.y, [[1], [0]])
    made = {name for name in os.listdir(home) if name[0] != "."}  # matplotlib has caches there
    assert made == {"a.png", "a.zarr", "table.csv"}
    assert os.listdir(".") == []


def test_every_command_takes_a_path_in_the_home_folder(
    home: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home.parent / "here")
    (home / "s.toml").write_text(sweep().to_toml())
    np.save(home / "image.npy", np.zeros(2))
    commands = [
        "map ~/s.toml --out=~/new --quiet",
        "status ~/new/s.zarr",
        "verify ~/new/s.zarr --quiet",
        "export ~/new/s.zarr ~/new/s.csv --quiet",
        "plot ~/new/s.zarr --kind=steps",
        "plot ~/new/s.zarr --out=~/new/t.svg",
        "spec ~/new/s.png",
        "descend ~/s.toml --weight 0.6 --bias 0.9 --steps 9 --out=~/new/run.png --quiet",
        "respond --weight 1 --bias 0 --out=~/new/curve.png",
        "respond --network 2-2-1 --draws 9 --image ~/image.npy",
    ]
    for words in commands:
        code, _, err = run(*words.split())
        assert (code, err) == (0, ""), words
    made = {"curve.png", "run.png", "s.csv", "s.png", "s.zarr", "s-steps.png", "t.svg"}
    assert set(os.listdir(home / "new")) == made
    assert os.listdir(".") == []


def test_a_map_at_a_url_is_taken_by_every_command(run: Run, tmp_path: Path) -> None:
    sweep().run(store="memory://far/map.zarr", progress=False)
    for words in (
        "status memory://far/map.zarr",
        "verify memory://far/map.zarr --quiet",
        "plot memory://far/map.zarr",
        "export memory://far/map.zarr map.csv --verify --quiet",
    ):
        code, _, err = run(*words.split())
        assert (code, err) == (0, ""), words
    assert sorted(os.listdir(tmp_path)) == ["map-outcome.png", "map.csv"]


@pytest.mark.parametrize("command", ["status", "verify", "plot", "export"])
def test_a_url_for_which_a_package_is_missing_is_one_line(run: Run, command: str) -> None:
    fsspec.register_implementation("far", "none_such.Far", clobber=True, errtxt="Install none_such")
    words = [command, "far://bucket/map.zarr", *(["map.csv"] if command == "export" else [])]
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert err.startswith("fastneuron: error: far://bucket/map.zarr cannot be reached: Install none_such")
    assert err.count("\n") == 1


def test_two_that_write_one_file_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    path = tmp_path / f"{'long' * 60}.png"
    with replaced(path) as one:
        one.write_text("one")
        with replaced(path) as other:
            other.write_text("other")
        assert path.read_text() == "other"
    assert path.read_text() == "one"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_fails_leaves_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_text("old")
    with pytest.raises(RuntimeError), replaced(path) as new:
        new.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_link_that_leads_to_itself_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.png").symlink_to("a.png")
    with pytest.raises(ValueError, match="leads back to itself"):
        fn.plot.save(tmp_path / "a.png", sweep().run(progress=False))
    code, _, err = run("descend", "--weight", "1", "--bias", "1", "--steps", "3", "--out", "a.png")
    assert code == 2 and err.count("\n") == 1

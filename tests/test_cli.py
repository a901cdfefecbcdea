"""The command line, as its users meet it: exit codes, one line for an error, files, tables, JSON."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from PIL import Image

import fastneuron as fn
from fastneuron.activations import activations
from fastneuron.cli import spec
from fastneuron.cli.main import main
from fastneuron.outcomes import Outcome

from .conftest import Run

SMALL = ["--points", "12", "--set", "stop.max_steps=200"]


def process(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fastneuron", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **options)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def small_map(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `map` was run with the words `SMALL`."""
    folder = tmp_path_factory.mktemp("small")
    with pytest.MonkeyPatch.context() as within:
        within.chdir(folder)
        assert main(["map", *SMALL, "--quiet"]) == 0
    return folder


@pytest.fixture
def mapped(small_map: Path, tmp_path: Path) -> None:
    """What `map` made with the words `SMALL`, in the folder of the test."""
    shutil.copytree(small_map, tmp_path, dirs_exist_ok=True)


# map


def test_map_writes_a_store_and_a_picture_and_prints_the_shares(run: Run, tmp_path: Path) -> None:
    code, out, err = run("map", *SMALL)
    assert (code, err) == (0, "")
    assert files(tmp_path) == ["inverter.png", "inverter.zarr"]
    assert (tmp_path / "inverter.png").read_bytes().startswith(b"\x89PNG")
    assert "reached" in out and "stalled" in out and "144 starts (bias 12 x weight 12)" in out
    assert "wrote inverter.zarr" in out and "wrote inverter.png" in out


def test_map_json_is_one_document_that_agrees_with_the_store(run: Run) -> None:
    code, out, err = run("map", *SMALL, "--json")
    assert (code, err) == (0, "")
    report = json.loads(out)
    with fn.open("inverter.zarr") as result:
        outcome, steps = result["outcome"].values, result["steps"].values
        sweep = fn.Sweep.from_toml(result.attrs["sweep"])
    assert sweep.shape == outcome.shape == (12, 12)
    assert report["points"] == 144 and report["steps"] == steps.sum()
    for kind in Outcome:
        row = report["outcomes"][kind.name.lower()]
        taken = steps[outcome == kind]
        assert row["points"] == taken.size and row["share"] == taken.size / 144
        assert row["median_steps"] == (np.median(taken) if taken.size else None)
        assert row["max_steps"] == (taken.max() if taken.size else None)
    assert (report["store"], report["picture"]) == ("inverter.zarr", "inverter.png")


def test_map_names_the_results_after_the_spec_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'task = { name = "nand" }\noptimizer = { name = "gradient_descent", learning_rate = 1 }\n'
        "axes = { weight_0 = [-1, 0, 1], learning_rate = { geomspace = [0.1, 10, 3] } }\n"
        "stop = { max_steps = 50 }\n"
    )
    code, _, err = run("map", "mine.toml", "--out", "a/b", "--points", "2")
    assert (code, err) == (0, "")
    assert files(tmp_path / "a" / "b") == ["mine.png", "mine.zarr"]
    with fn.open("a/b/mine.zarr") as result:
        assert dict(result.sizes) == {"weight_0": 3, "learning_rate": 2}


def test_map_of_three_dimensions_is_drawn_as_small_multiples(run: Run, tmp_path: Path) -> None:
    code, _, err = run("map", *SMALL, "--set", "axes.gain=[1, 2]")
    assert (code, err) == (0, "")
    assert files(tmp_path) == ["inverter.png", "inverter.zarr"]


def test_map_of_four_dimensions_has_no_picture_and_says_so(run: Run, tmp_path: Path) -> None:
    code, out, err = run("map", *SMALL, "--set", "axes.gain=[1, 2]", "--set", "axes.tolerance=[0.1, 0.2]")
    assert (code, err) == (0, "")
    assert files(tmp_path) == ["inverter.zarr"]
    assert [line for line in out.splitlines() if line.startswith("no picture: ")]


def test_map_over_one_axis_is_drawn_too(run: Run, tmp_path: Path) -> None:
    assert run("map", *SMALL, "--set", "axes={ weight = { linspace = [-9, 9, 5] } }")[0] == 0
    assert files(tmp_path) == ["inverter.png", "inverter.zarr"]


def test_map_of_a_gate_takes_the_plane_of_the_two_weights(run: Run) -> None:
    assert run("map", *SMALL, "--set", "task.name=nand")[0] == 0
    with fn.open("nand.zarr") as result:
        assert dict(result.sizes) == {"weight_1": 12, "weight_0": 12}


@pytest.mark.parametrize("name", ["true", "x"])
def test_map_of_a_gate_whose_name_toml_might_take_for_something_else(run: Run, name: str) -> None:
    assert run("map", *SMALL, "--set", f"task.name={name}", "--quiet")[0] == 0
    assert Path(f"{name}.zarr").is_dir()


def test_map_of_own_data_is_not_called_the_inverter(run: Run) -> None:
    assert run("map", *SMALL, "--set", "task.x=[0, 2]", "--set", "task.y=[0, 1]")[0] == 0
    assert Path("task.zarr").is_dir()


def test_set_reaches_a_field_of_a_component_given_by_its_name(run: Run) -> None:
    assert (
        run("map", *SMALL, "--set", "model.activation.gain=2", "--set", "penalty={name='l2', strength=0.5}")[
            0
        ]
        == 0
    )
    with fn.open("inverter.zarr") as result:
        sweep = fn.Sweep.from_toml(result.attrs["sweep"])
    assert sweep.model.activation == fn.Sigmoid(gain=2.0) and sweep.penalty == fn.L2(strength=0.5)


def test_a_component_changed_by_its_name_keeps_nothing_of_the_one_before() -> None:
    changed = spec.read(None, ("optimizer.name=adam",))
    assert changed["optimizer"] == {"name": "adam"}
    changed = spec.read(None, ("model.activation.gain=2", "loss.scale=3", "loss.name=cross_entropy"))
    assert changed["loss"] == {"name": "cross_entropy", "scale": 3}
    assert changed["model"]["activation"] == {"name": "sigmoid", "gain": 2}
    for word in ("gradient_descent", "Gradient_Descent", "GradientDescent"):
        assert spec.read(None, (f"optimizer.name={word}",))["optimizer"]["learning_rate"] == 30.0
    both = {"name": "adam", "learning_rate": 0.5}
    assert spec.read(None, ("optimizer.learning_rate=0.5", "optimizer.name=adam"))["optimizer"] == both
    assert spec.read(None, ("optimizer.name=adam", "optimizer.learning_rate=0.5"))["optimizer"] == both
    named = spec.overridden({"task": {"name": "flipped_step", "points": 5}}, ("task.name=nand",))
    assert named == {"task": {"name": "nand"}}
    own = spec.overridden({"task": {"name": "mine", "x": [0], "y": [1]}}, ("task.name=ours",))
    assert own == {"task": {"name": "ours", "x": [0], "y": [1]}}


def test_what_a_new_component_needs_is_asked_for(run: Run, tmp_path: Path) -> None:
    says = "optimizer: missing key 'learning_rate' of Adam; give --set optimizer.learning_rate=..."
    check_refused(*run("map", "--set", "optimizer.name=adam"), says)
    says = "--optimizer: missing key 'learning_rate' of Adam; give --learning-rate"
    check_refused(*run("descend", "--optimizer", "adam"), says)
    own = ["--set", "optimizer.learning_rate=0.5", "--optimizer", "adam", "--steps", "2", "--json"]
    assert run("descend", *own) == run("descend", "--optimizer", "Adam", "--learning-rate", "0.5", *own[-3:])
    assert files(tmp_path) == []


def test_map_does_not_depend_on_the_number_of_threads(run: Run) -> None:
    for threads in ("1", "3"):
        assert run("map", *SMALL, "--threads", threads, "--name", threads)[0] == 0
    with fn.open("1.zarr") as one, fn.open("3.zarr") as three:
        assert one.drop_attrs().identical(three.drop_attrs())


def test_dry_run_writes_nothing(run: Run, tmp_path: Path) -> None:
    code, out, err = run("map", "--points", "200", "--out", "new", "--dry-run", "--json")
    assert (code, err) == (0, "")
    report = json.loads(out)
    assert report["points"] == 40000 and report["bytes"] > report["bytes_stored"] > 0
    assert 0 < report["seconds_low"] < report["seconds"] < report["seconds_high"]
    assert report["memory"] > 0 and report["tiles"] == 16
    code, out, _ = run("map", "--points", "20", "--dry-run")
    assert code == 0 and "400 starts (20 x 20)" in out
    assert files(tmp_path) == []


def test_map_that_is_whole_is_told_of_again(run: Run, tmp_path: Path) -> None:
    code, first, _ = run("map", *SMALL, "--json")
    assert code == 0
    before = {path: path.read_bytes() for path in (tmp_path / "inverter.zarr").rglob("*") if path.is_file()}
    code, out, err = run("map", *SMALL, "--json")
    assert (code, err) == (0, "")
    one, other = json.loads(first), json.loads(out)
    one.pop("compile_seconds"), other.pop("compile_seconds")
    assert one == other
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.usefixtures("mapped")
def test_map_of_another_sweep_is_left_alone(run: Run, tmp_path: Path) -> None:
    before = (tmp_path / "inverter.png").stat()
    code, out, err = run("map", *SMALL, "--set", "optimizer.learning_rate=10")
    assert (code, out) == (2, "")
    assert "inverter.zarr is a map of something else: optimizer.learning_rate is 30.0 there and 10.0" in err
    assert "--name" in err and "--overwrite" in err
    assert (tmp_path / "inverter.png").stat() == before


def test_picture_without_a_map_is_left_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "inverter.png").write_bytes(b"mine")
    code, out, err = run("map", *SMALL)
    assert (code, out) == (2, "") and "inverter.png exists already" in err
    assert (tmp_path / "inverter.png").read_bytes() == b"mine"


@pytest.mark.usefixtures("mapped")
def test_overwrite_replaces_the_results_only_by_complete_ones(run: Run, tmp_path: Path) -> None:
    assert run("map", "--points", "5", "--overwrite", "--set", "optimizer.learning_rate=-1")[0] == 2
    with fn.open("inverter.zarr") as result:
        assert result["outcome"].shape == (12, 12)
    assert run("map", "--points", "5", "--overwrite")[0] == 0
    with fn.open("inverter.zarr") as result:
        assert result["outcome"].shape == (5, 5)
    assert files(tmp_path) == ["inverter.png", "inverter.zarr"]


def test_overwrite_spares_a_folder_that_is_no_map(run: Run, tmp_path: Path) -> None:
    (tmp_path / "inverter.zarr").mkdir()
    (tmp_path / "inverter.zarr" / "thesis.txt").write_text("all of it")
    code, _, err = run("map", *SMALL, "--overwrite")
    assert code == 2 and "inverter.zarr" in err
    assert files(tmp_path / "inverter.zarr") == ["thesis.txt"]


@pytest.mark.usefixtures("mapped")
@pytest.mark.parametrize("moves", [1, 2])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("full")])
def test_overwrite_that_fails_while_the_maps_are_swapped_leaves_a_whole_one(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moves: int, error: Any
) -> None:
    rename, done = Path.rename, []

    def failing(path: Path, target: Path) -> None:
        done.append(path)
        if len(done) == moves:
            raise error
        rename(path, target)

    monkeypatch.setattr(Path, "rename", failing)
    code, out, err = run("map", "--points", "5", "--overwrite")
    assert (code, out) == ((130 if error is KeyboardInterrupt else 1), "")
    assert error is not KeyboardInterrupt or "inverter.zarr is as it was before" in err
    assert files(tmp_path) == ["inverter.png", "inverter.zarr"]
    with fn.open("inverter.zarr") as result:
        assert result["outcome"].shape == (12, 12)


def test_a_picture_is_replaced_by_a_whole_one_or_stays(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from matplotlib.figure import Figure

    words = ["respond", "--weight", "-20", "--bias", "10", "--out", "curve.png"]
    assert run(*words)[0] == 0
    before = (tmp_path / "curve.png").read_bytes()

    def failing(figure: Figure, path: Path, **options: Any) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(Figure, "savefig", failing)
    assert run(*words)[0] == 130
    assert files(tmp_path) == ["curve.png"]
    assert (tmp_path / "curve.png").read_bytes() == before


def test_a_store_that_cannot_be_laid_out_leaves_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import zarr

    create = zarr.Group.create_array

    def failing(group: Any, name: str, **options: Any) -> Any:
        if name == "tile_done":
            raise KeyboardInterrupt
        return create(group, name, **options)

    monkeypatch.setattr(zarr.Group, "create_array", failing)
    code, _, err = run("map", *SMALL, "--out", "new")
    assert (code, err) == (130, "fastneuron: interrupted; nothing was kept\n")
    assert files(tmp_path) == []


def test_axes_of_whole_numbers_are_thinned_to_whole_numbers(run: Run, tmp_path: Path) -> None:
    axes = "axes={max_steps={linspace=[1,200,200]},weight={linspace=[-20,20,150]}}"
    code, out, err = run("map", "--set", axes, "--dry-run", "--json")
    assert (code, err) == (0, "") and json.loads(out)["points"] == 30000
    assert files(tmp_path) == []
    assert run("map", "--set", "axes={max_steps={linspace=[1,20,20]}}")[0] == 0


def test_thinned_sweep_has_the_axes_of_the_whole_one() -> None:
    from fastneuron.cli import pilot

    sweep = fn.Sweep(
        task=fn.tasks.inverter(),
        optimizer=fn.GradientDescent(learning_rate=30.0),
        axes={
            "weight": fn.linspace(-20, 20, 100),
            "stop.max_steps": [200, 100, 300],
            "settle": [1e-12, 1e-3],
        },
    )
    one = pilot.thinned(sweep, dict.fromkeys(sweep.dims, np.zeros(1, int)), steps=1)
    assert one.shape == (1, 1, 1) and one.places == sweep.places
    assert one.axes["stop.max_steps"].values().tolist() == [1]
    kept = {"weight": np.arange(0, 100, 4), "stop.max_steps": np.array([0, 2]), "settle": np.array([1])}
    some = pilot.thinned(sweep, kept, steps=250)
    assert some.shape == (25, 2, 1) and some.places == sweep.places
    assert some.axes["stop.max_steps"].values().tolist() == [200, 250]
    assert some.axes["weight"].values()[1] == sweep.axes["weight"].values()[4]


CHOSEN = (
    'task = { name = "inverter" }\noptimizer = { name = "gradient_descent", learning_rate = 30 }\n'
    "start = { weight = [-3, 2, 5], bias = [1, 0.5, -2] }\nstop = { max_steps = 60 }\n"
)


def test_map_of_chosen_starts_is_forecast_computed_drawn_and_verified(run: Run, tmp_path: Path) -> None:
    (tmp_path / "three.toml").write_text(CHOSEN)
    rates = ("--set", "axes={ learning_rate = [3, 30] }")
    forecast = json.loads(run("map", "three.toml", *rates, "--dry-run", "--json")[1])
    assert (forecast["points"], forecast["shape"]) == (6, [2, 3])
    assert files(tmp_path) == ["three.toml"]
    code, out, err = run("map", "three.toml", *rates)
    assert (code, err) == (0, "") and "6 starts (learning_rate 2 x start 3)" in out and " .. " not in out
    assert files(tmp_path) == ["three.png", "three.toml", "three.zarr"]
    assert run("verify", "three.zarr")[0] == 0
    assert 'kind = "shares"' in fn.plot.spec_in("three.png")
    code, _, err = run("map", "three.toml", "--set", "start.bias=[1, 2]")
    assert code == 2 and "start.bias has 2 chosen starts and start.weight 3" in err
    code, _, err = run("descend", "three.toml", "--bias", "1")
    assert code == 2 and "start.weight is several; one start needs a number" in err


def test_a_thinned_sweep_has_some_of_the_chosen_starts() -> None:
    from fastneuron.cli import pilot

    table = {"weight": xr.DataArray([1.0, 2.0, 3.0], dims="trial"), "bias": [4.0, 5.0, 6.0]}
    sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0), start=table)
    some = pilot.thinned(sweep, {"trial": np.array([2, 0])})
    assert some.dims == ("trial",) and some.at(trial=0) == {"weight": 3.0, "bias": 6.0}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupting_a_map_ends_with_the_line_that_resumes_it(
    tmp_path: Path, number: signal.Signals
) -> None:
    words = ["map", "--set", "stop.tolerance=0", "--set", "stop.max_steps=1000000"]
    command = [sys.executable, "-m", "fastneuron", *words]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # whoever starts the tests in the background may have had interrupts ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as child:
        store = tmp_path / "inverter.zarr"
        deadline = time.monotonic() + 240
        while not store.exists():  # it is there when it is laid out
            assert child.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        time.sleep(0.1)
        child.send_signal(number)
        sent = time.monotonic()
        out, err = child.communicate(timeout=120)
        assert time.monotonic() - sent < 20
    assert (child.returncode, out) == (128 + number, "")
    told = re.fullmatch(
        r"fastneuron: interrupted; inverter.zarr holds (\d+) of 8 tiles; resume with: (.*)\n", err
    )
    assert told is not None and told[2] == f"fastneuron {' '.join(words)}", err
    with pytest.raises(ValueError, match=f"is only half written: {told[1]} of 8 tiles are done"):
        fn.open(store)


# respond


def test_respond_shows_one_for_zero_and_zero_for_one(run: Run) -> None:
    code, out, err = run("respond", "--weight", "-20", "--bias", "10")
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert lines[:4] == [["input", "output"], ["0", "1.0000"], ["0.5", "0.5000"], ["1", "0.0000"]]
    assert ["threshold", "0.5"] in lines and ["steepness", "-5"] in lines


def test_respond_json(run: Run) -> None:
    code, out, _ = run("respond", "--weight=-2", "--bias=1", "--at", "0", "-1", "--json")
    report = json.loads(out)
    assert code == 0 and report["inputs"] == [0, -1] and report["threshold"] == 0.5
    expected = [1 / (1 + np.exp(-1.0)), 1 / (1 + np.exp(-3.0))]
    assert report["outputs"] == pytest.approx(expected, rel=1e-14)
    assert report["error"] == pytest.approx(1 / (1 + np.exp(1.0)), rel=1e-14)
    # twice the integral of 1 - sigmoid(1 - 2x) over [0, 1/2]
    mean = np.log(2.0) - np.log1p(np.exp(-1.0))
    assert report["mean_distance"] == pytest.approx(mean, rel=1e-5)


@pytest.mark.parametrize("activation", sorted(activations.classes))
def test_respond_knows_every_activation(activation: str, run: Run) -> None:
    code, out, err = run("respond", "--weight=-2", "--bias=0.5", "--activation", activation, "--json")
    assert (code, err) == (0, "")
    function = activations.classes[activation]()
    steepness = -2 * float(function.derivative(0.0, function.value(0.0)))  # type: ignore[attr-defined]
    assert json.loads(out)["steepness"] == steepness


def test_respond_without_a_weight_has_no_threshold(run: Run) -> None:
    code, out, _ = run("respond", "--weight", "0", "--bias", "1", "--activation", "tanh", "--gain", "2")
    assert code == 0 and "none, the weight is 0" in out
    assert json.loads(run("respond", "--weight", "0", "--bias", "1", "--json")[1])["threshold"] is None


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_respond_draws(run: Run, suffix: str, tmp_path: Path) -> None:
    assert run("respond", "--weight", "-20", "--bias", "10", "--out", f"curve{suffix}")[0] == 0
    assert (tmp_path / f"curve{suffix}").stat().st_size > 1000


def test_respond_with_a_network_answers_the_question_of_the_black_image(run: Run, tmp_path: Path) -> None:
    words = ["respond", "--network", "784-30-10", "--image", "black", "--draws", "500"]
    code, out, err = run(*words, "--out", "hidden.png")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[1].split()[:2] == ["hidden", "30"] and lines[1].endswith("9.313e-10")
    assert lines[2].split()[:2] == ["output", "10"] and lines[2].endswith("0.0009766")
    assert "500 networks, all weights and biases normal with mean 0 and spread 1, seed 0" in out
    assert "Inputs are ink, from 0, white, to 1, black; all are 1." in out
    assert "z of a unit in the first layer is normal with mean 0 and variance 785." in out
    assert (
        "Not all hidden outputs are 1: 43." in out and "and all 30 of a network are above 1/2 in 0 of" in out
    )
    assert "2^-30" in out and out.endswith("wrote hidden.png\n")
    assert (tmp_path / "hidden.png").stat().st_size > 1000
    assert run(*words, "--seed", "1")[1] != run(*words)[1]


def test_respond_with_a_network_answers_it_for_the_white_image_too(run: Run) -> None:
    words = ["respond", "--network", "784-30-10", "--image", "white", "--draws", "500"]
    out = run(*words)[1]
    assert "Inputs are ink, from 0, white, to 1, black; all are 0." in out
    assert "z of a unit in the first layer is its bias, whatever the weights." in out
    assert "Not all hidden outputs are 1: 0.00 % of them are above 0.99" in out


@pytest.mark.parametrize(("image", "ink"), [("black", 1.0), ("white", 0.0)])
def test_black_is_ink_and_white_is_none(run: Run, image: str, ink: float) -> None:
    """Hidden outputs are sigmoid(bias) where there is no ink, and mostly saturated where all is ink."""
    told = json.loads(
        run("respond", "--network", "784-30-10", "--image", image, "--draws", "2000", "--json")[1]
    )
    hidden = told["layers"][0]
    assert (told["mean_input"], told["z_variance"]) == (ink, 1 + 784 * ink)
    assert hidden["spread"] ** 2 == pytest.approx(0.2359 if ink else 0.043379035858, rel=0.02)
    assert hidden["high_share"] == pytest.approx(0.434862872 if ink else 0.0, abs=0.01)


def test_respond_with_a_network_json_is_what_activity_gives(run: Run) -> None:
    words = ["--network", "6-4-3-2", "--image", "black", "--draws", "300", "--seed", "7", "--scale", "he"]
    code, out, _ = run("respond", *words, "--activation", "tanh", "--gain", "2", "--json")
    told = json.loads(out)
    model = fn.Network((6, 4, 3, 2), hidden=fn.Tanh(2.0), output=fn.Tanh(2.0), scale="he")
    found = fn.activity(model, np.ones((1, 6)), draws=300, seed=7, progress=False).isel(sample=0)
    assert code == 0 and [layer["layer"] for layer in told["layers"]] == ["hidden 1", "hidden 2", "output"]
    for k, layer in enumerate(told["layers"]):
        for name in ("mean", "low_share", "high_share", "all_above_half"):
            assert layer[name] == found[name].values[k]
        assert layer["spread"] == found["variance"].values[k] ** 0.5
        assert layer["all_above_half_by_chance"] is None
    assert "Not all" not in run("respond", *words, "--activation", "tanh")[1]


def test_respond_answers_to_the_ink_of_a_picture(run: Run, tmp_path: Path) -> None:
    greys = np.array([[0, 51, 255], [102, 0, 204]], np.uint8)
    Image.fromarray(greys).save("grey.png")
    code, out, err = run("respond", "--network", "6-4-2", "--draws", "50", "--json", "--image", "grey.png")
    assert (code, err) == (0, "")
    expected = fn.activity(fn.Network((6, 4, 2)), (1 - greys / 255).reshape(1, 6), draws=50, progress=False)
    found = [layer["mean"] for layer in json.loads(out)["layers"]]
    np.testing.assert_allclose(found, expected["mean"].values[:, 0], rtol=1e-12)


def png_of(width: int, height: int) -> bytes:
    """A picture that says it is of this size, and has a single row of zeros."""
    body = {b"IHDR": struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)}
    body |= {b"IDAT": zlib.compress(bytes(width + 1)), b"IEND": b""}
    chunks = [struct.pack(">I", len(data)) + name + data for name, data in body.items()]
    return b"\x89PNG\r\n\x1a\n" + b"".join(c + struct.pack(">I", zlib.crc32(c[4:])) for c in chunks)


BAD_IMAGES = {
    "too small": ("small.png", "small.png has 3 x 2 = 6 pixels, but 9-2 has 9 inputs"),
    "too few numbers": ("few.csv", "few.csv has 2 x 1 = 2 pixels, but 9-2 has 9 inputs"),
    "no numbers": ("words.csv", "words.csv: no rows of numbers"),
    "ragged": ("ragged.csv", "ragged.csv, line 2: 1 columns where 2 were expected"),
    "NaN": ("nan.csv", "nan.csv, line 1: not finite: 'nan'"),
    "no array": ("words.npy", "words.npy cannot be read as an array of numbers"),
    "text array": ("text.npy", "text.npy must hold finite numbers"),
    "array of more than there is": ("huge.npy", "huge.npy cannot be read as an array of numbers"),
    "no picture": ("words.png", "words.png cannot be read as a picture: it is no picture"),
    "cut short": ("cut.png", "cut.png cannot be read as a picture"),
    "large": ("large.png", "large.png has 9000 x 9000 = 81000000 pixels, but 9-2 has 9 inputs"),
    "larger": ("larger.png", "larger.png has 12000 x 12000 = 144000000 pixels"),
    "huge": (
        "huge.png",
        "huge.png cannot be read as a picture: Image size (3600000000 pixels) exceeds limit",
    ),
    "missing": ("nowhere.png", "nowhere.png: No such file"),
    "misspelt": ("blak", "blak: No such file"),
    "folder": ("/", "/: Is a directory"),
    "device": ("/dev/zero", "/dev/zero is a device, not a file"),
    "pipe": ("pipe.npy", "pipe.npy is a pipe, not a file"),
    "pipe of a picture": ("pipe.png", "pipe.png is a pipe, not a file"),
    "pipe of numbers": ("pipe.csv", "pipe.csv is a pipe, not a file"),
}


@pytest.mark.parametrize(("image", "says"), BAD_IMAGES.values(), ids=BAD_IMAGES)
def test_images_that_cannot_be_used_are_named(run: Run, tmp_path: Path, image: str, says: str) -> None:
    Image.fromarray(np.zeros((2, 3), np.uint8)).save("small.png")
    Image.fromarray(np.arange(9, dtype=np.uint8).reshape(3, 3)).save("whole.png")
    Path("cut.png").write_bytes(Path("whole.png").read_bytes()[:-30])
    Path("few.csv").write_text("1,2\n")
    for name in ("words.csv", "words.npy", "words.png"):
        Path(name).write_text("a,b\n")
    Path("ragged.csv").write_text("1,2\n3\n")
    Path("nan.csv").write_text("1,2,nan,4,5,6,7,8,9\n")
    np.save("text.npy", np.array(["a"] * 9))
    for name, side in (("large", 9000), ("larger", 12000), ("huge", 60000)):
        Path(f"{name}.png").write_bytes(png_of(side, side))
    header = {"descr": "<f8", "fortran_order": False, "shape": (60000, 60000)}
    with Path("huge.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
    for name in ("pipe.npy", "pipe.png", "pipe.csv"):
        os.mkfifo(name)
    check_refused(*run("respond", "--network", "9-2", "--image", image), says)


# descend

NIELSEN = ["descend", "--x", "1", "--y", "0", "--weight", "0.6", "--bias", "0.9", "--learning-rate", "0.15"]


def test_descend_falls_as_in_nielsens_book(run: Run) -> None:
    code, out, err = run(*NIELSEN, "--steps", "300")
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["step", "weight", "bias", "loss", "error", "output(1)"]
    assert lines[1] == ["0", "0.6", "0.9", "0.3342", "0.8176", "0.8176"]
    assert lines[-1] == ["300", "-1.283", "-0.9831", "0.004414", "0.09396", "0.0940"]
    assert 10 <= len(lines) - 1 <= 13


def test_descend_json_has_every_step(run: Run) -> None:
    report = json.loads(run(*NIELSEN, "--json")[1])
    assert report["step"] == list(range(301))
    assert report["parameters"]["weight"][-1] == pytest.approx(-1.2831324334215, rel=1e-12)
    assert report["output"][0] == pytest.approx([0.81757447619364], rel=1e-12)


@pytest.mark.parametrize("name", ["run.png", "run.gif"])
def test_descend_draws_the_progress(run: Run, name: str, tmp_path: Path) -> None:
    code, out, err = run(*NIELSEN, "--steps", "20", "--out", name)
    assert (code, err) == (0, "") and f"wrote {name}" in out
    start = {"run.png": b"\x89PNG", "run.gif": b"GIF89a"}[name]
    assert (tmp_path / name).read_bytes().startswith(start)


def test_descend_of_a_gate_draws_the_path_of_its_weights(run: Run, tmp_path: Path) -> None:
    gate = ["descend", "--task", "nand", "--weight", "0", "1", "--learning-rate", "1", "--steps", "20"]
    assert run(*gate, "--out", "run.svg")[0] == 0
    code, _, err = run(*gate, "--out", "run.gif")
    assert code == 2 and "one input" in err
    assert files(tmp_path) == ["run.svg"]


def test_descend_takes_a_spec_and_passes_over_its_axes(run: Run, tmp_path: Path) -> None:
    (tmp_path / "spec.toml").write_text(
        'task = { name = "inverter" }\nloss = { name = "cross_entropy" }\n'
        'optimizer = { name = "gradient_descent", learning_rate = 9 }\n'
        "axes = { weight = { linspace = [-1, 1, 100000] } }\nstart = { bias = 0.0 }\n"
        "stop = { max_steps = 100 }\n"
    )
    report = json.loads(run("descend", "spec.toml", "--learning-rate", "1", "--json")[1])
    assert report["step"][-1] == 100
    assert report["parameters"]["weight"][1] == pytest.approx(-0.25, rel=1e-14)
    assert report["loss"][100] == pytest.approx(0.053306132044378, rel=1e-12)


def test_descend_with_momentum_and_a_penalty(run: Run) -> None:
    words = ["--optimizer", "momentum", "--momentum", "0.5", "--penalty", "l2", "--strength", "0.01"]
    report = json.loads(
        run("descend", *words, "--loss", "cross_entropy", "--learning-rate", "10", "--json")[1]
    )
    assert report["parameters"]["weight"][-1] == pytest.approx(-4.585746302105, rel=1e-9)


# plot, tasks, info, warmup


@pytest.mark.parametrize("kind", ["outcome", "steps", "loss", "learned"])
@pytest.mark.usefixtures("mapped")
def test_plot_draws_every_kind(run: Run, kind: str, tmp_path: Path) -> None:
    code, out, err = run("plot", "inverter.zarr", "--kind", kind)
    assert (code, err) == (0, "") and f"inverter-{kind}.png" in out
    assert (tmp_path / f"inverter-{kind}.png").is_file()
    assert run("plot", "inverter.zarr", "--kind", kind, "--out", "here.svg")[0] == 0


def test_tasks_lists_what_can_be_named(run: Run) -> None:
    code, out, err = run("tasks")
    assert (code, err) == (0, "")
    for word in ("inverter", "0 -> 1  1 -> 0", "xnor", "sigmoid", "cross_entropy", "l2", "momentum"):
        assert word in out
    for words in ("points = 101", "inputs, samples, seed = 0, outputs = 1", "part = train", "Handwritten"):
        assert words in out
    assert out.count("flipped_step") == 1  # with its keys, for it has no truth table
    report = json.loads(run("tasks", "--json")[1])
    assert report["tasks"]["nand"] == {"x": [[0, 0], [0, 1], [1, 0], [1, 1]], "y": [1, 1, 1, 0]}
    assert report["tasks"]["random_regression"]["fields"]["samples"] == {"default": None}
    assert report["tasks"]["digits"]["fields"] == {"part": {"default": "train"}}
    assert report["tasks"]["flipped_step"]["fields"] == {"points": {"default": 101}}
    assert report["optimizers"]["momentum"]["fields"]["learning_rate"] == {
        "allowed": "positive",
        "default": None,
    }


def test_digits_without_scikit_learn_are_wrong_usage(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    fn.tasks._all_digits.cache_clear()
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    check_refused(*run("map", "--set", "task.name=digits"), "pip install 'fastneuron[digits]'")


def test_info_and_warmup_report(run: Run) -> None:
    assert "numba" in run("info")[1]
    assert json.loads(run("info", "--json")[1])
    code, out, err = run("warmup", "--json")
    assert (code, err) == (0, "") and json.loads(out)["seconds"] >= 0


def test_a_compiler_that_is_killed_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    kills = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    monkeypatch.setattr("fastneuron.engine.environment._COMPILING", kills)
    code, out, err = run("warmup")
    assert (code, out) == (1, "") and err.startswith("fastneuron: failed: compiling for float")
    assert err.endswith(": exit code -9\n")


@pytest.mark.parametrize("words", [[], ["--help"], ["map", "--help"], ["descend", "-h"], ["--version"]])
def test_help_and_version(run: Run, words: list[str]) -> None:
    code, out, err = run(*words)
    assert (code, err) == (0, "") and (fn.__version__ in out if words == ["--version"] else "Usage" in out)


# bad input

OPTIMIZER = 'optimizer = { name = "gradient_descent", learning_rate = 1 }\n'
SPEC = 'task = { name = "inverter" }\n' + OPTIMIZER
GRID = "axes = { weight = [1] }\n"
BAD_AXES = {
    "no axes": (SPEC, "axes"),
    "empty axes": (f"{SPEC}axes = {{}}\n", "axes"),
    "misspelt at depth": (f"{SPEC}axes = {{ weight = {{ linspaze = [0, 1, 2] }} }}\n", "'linspace'"),
    "unknown axis": (f"{SPEC}axes = {{ wait = [1] }}\n", "axes.wait"),
    "zero-length axis": (f"{SPEC}axes = {{ weight = [] }}\n", "axis weight"),
    "zero points": (f"{SPEC}axes = {{ weight = {{ linspace = [0, 1, 0] }} }}\n", "got 0"),
    "NaN": (f"{SPEC}axes = {{ weight = [nan] }}\n", "got nan"),
    "the same axis twice": (f"{SPEC}axes = {{ weight = [1], 'start.weight' = [1] }}\n", "start.weight"),
    "an axis and a start": (f"{SPEC}{GRID}start = {{ weight = 1 }}\n", "start.weight"),
}
BAD_SPECS = {
    "not TOML": ("task = {", "not valid TOML"),
    "TOML key twice": (f"{SPEC}[stop]\nmax_steps = 1\nmax_steps = 2\n", "not valid TOML"),
    "unknown table": (f"{SPEC}{GRID}optimiser = 1\n", "'optimizer'"),
    "unknown key": (f"{SPEC}{GRID}stop = {{ max_step = 1 }}\n", "'max_steps'"),
    "no optimizer": (f"task = {{ name = 'inverter' }}\n{GRID}", "optimizer"),
    "wrong type": (f"{SPEC}{GRID}stop = {{ max_steps = 'many' }}\n", "stop.max_steps"),
    "NaN field": (f"{SPEC}{GRID}model = {{ activation = {{ name = 'tanh', gain = nan }} }}\n", "gain"),
    "infinite start": (f"{SPEC}{GRID}start = {{ bias = inf }}\n", "got inf"),
    "unknown start": (f"{SPEC}{GRID}start = {{ bios = 1 }}\n", "'bias'"),
    "tables that are none": ("task = 3\noptimizer = 4\naxes = 5\n", "task must be a table"),
    "start that is no table": (f"{SPEC}{GRID}start = 3\n", "start must be a table"),
    "ragged": (f"task = {{ x = [[0], [1, 2]], y = [1, 0] }}\n{OPTIMIZER}{GRID}", "ragged"),
    "mismatched": (f"task = {{ x = [0, 1, 2], y = [1, 0] }}\n{OPTIMIZER}{GRID}", "3 samples but y has 2"),
    "missing CSV": (f"task = {{ csv = 'no.csv' }}\n{OPTIMIZER}{GRID}", "no.csv"),
    "impossible targets": (
        f"task = {{ x = [0, 1], y = [2, 0] }}\nloss = {{ name = 'cross_entropy' }}\n{OPTIMIZER}{GRID}",
        "from 0 to 1",
    ),
}
BAD_WORDS = {
    "unknown command": (["mapp"], "map"),
    "unknown option": (["map", "--pionts", "3"], "--points"),
    "two specs": (["map", "a.toml", "b.toml"], "b.toml"),
    "missing option": (["respond", "--bias", "1"], "--weight"),
    "neither neuron nor network": (["respond"], "--weight and --bias must be given, or --network"),
    "network without an image": (["respond", "--network", "3-2"], "--image"),
    "network and weight": (["respond", "--network", "3-2", "--weight", "1"], "--weight"),
    "network and inputs": (["respond", "--network", "3-2", "--image", "black", "--at", "1"], "--at"),
    "neuron and image": (["respond", "--weight", "1", "--bias", "1", "--image", "black"], "--image"),
    "neuron and draws": (["respond", "--weight", "1", "--bias", "1", "--draws", "5"], "--draws"),
    "neuron and seed": (["respond", "--weight", "1", "--bias", "1", "--seed", "0"], "--seed"),
    "neuron and scale": (["respond", "--weight", "1", "--bias", "1", "--scale", "he"], "--scale"),
    "network of one layer": (["respond", "--network", "784", "--image", "black"], "as 784-30-10, got '784'"),
    "network of no numbers": (["respond", "--network", "a-b", "--image", "black"], "as 784-30-10"),
    "network without units": (["respond", "--network", "3-0", "--image", "black"], "--network: sizes"),
    "network too large": (
        ["respond", "--network", "999999-999999", "--image", "black"],
        "at most 2147483647",
    ),
    "unknown scale": (
        ["respond", "--network", "3-2", "--image", "black", "--scale", "xaver"],
        "--scale must be one of none, fan_in, xavier, he, mean_field, got 'xaver'",
    ),
    "no draws": (["respond", "--network", "3-2", "--image", "black", "--draws", "0"], "--draws must be"),
    "negative seed": (["respond", "--network", "3-2", "--image", "black", "--seed", "-1"], "--seed must be"),
    "no number": (["respond", "--bias", "1", "--weight", "heavy"], "heavy"),
    "fraction of points": (["map", "--points", "1.5"], "1.5"),
    "no points": (["map", "--points", "0"], "--points must be a whole number from 1 to 2147483647, got 0"),
    "negative points": (["map", "--points", "-3"], "--points must be a whole number from 1"),
    "more points than can be counted": (["map", "--points", "9" * 5000], "--points: must be a whole number"),
    "points of a figure": (["figure", "inverter", "--points", "-3"], "--points must be"),
    "memory of 400 digits": (["map", "--memory", "9" * 400], "--memory: must be a size such as 4GB"),
    "too little memory": (["map", "--memory", "1KB"], "1,000 bytes is allowed (--memory)"),
    "unknown variable": (["map", "--keep", "outcom"], "--keep: unknown variable 'outcom'"),
    "no workers": (["map", "--workers", "0"], "--workers must be a whole number from 1 to 1024, got 0"),
    "long name": (["map", "--name", "a" * 300], "--name must be at most 200 bytes long"),
    "long name in letters of two bytes": (["map", "--name", "\u00fc" * 101], "--name must be at most 200"),
    "long name of a spec": (["map", f"{'a' * 300}.toml"], "File name too long"),
    "long name of a store": (["status", f"{'a' * 300}.zarr"], "File name too long"),
    "long name of a picture": (["spec", f"{'a' * 300}.png"], "File name too long"),
    "set of an axis": (["map", "--set", "axes.weight=[1, nan]"], "axes.weight[1] must be a finite number"),
    "set of an axis's range": (["map", "--set", "axes.weight.linspace=[0, 1, 0]"], "axes.weight.linspace"),
    "set of a key of a task": (
        ["map", "--set", "task.name=flipped_step", "--set", "task.points=1"],
        "task.points must be",
    ),
    "no panels": (["map", "--set", "picture.most=-1"], "picture.most must be a whole number of 1 or more"),
    "no columns": (["map", "--set", "picture.columns=0"], "picture.columns must be a whole number of 1"),
    "panels over no axis": (["map", "--set", "picture.over=gain"], "picture.over must be one of the axes"),
    "no columns of a figure": (
        ["figure", "inverter", "--set", "picture.columns=0"],
        "picture.columns must be",
    ),
    "too many steps": (["descend", "--steps", "9999999999"], "--steps must be a whole number from 1"),
    "unknown loss": (["descend", "--loss", "squared"], "--loss: unknown loss 'squared'"),
    "unknown task": (["descend", "--task", "inverted"], "--task: unknown task 'inverted'"),
    "NaN in x": (["descend", "--x", "1", "nan", "--y", "1", "0"], "--x[1] must be a finite number"),
    "momentum above 1": (
        ["descend", "--optimizer", "momentum", "--learning-rate", "1", "--momentum", "2"],
        "--momentum must be at least 0 and below 1",
    ),
    "too many points": (
        ["map", "--points", "2000000000", "--set", "axes.gain={linspace=[1,2,2]}"],
        "at most 2**62",
    ),
    "no threads": (["map", "--threads", "0"], "--threads must be a whole number of 1 or more, got 0"),
    "no threads to repair": (["verify", "a.zarr", "--threads", "0"], "--threads must be"),
    "missing spec": (["map", "no.toml"], "no.toml"),
    "spec is a folder": (["map", "/"], "/"),
    "name with a folder": (["map", "--name", "a/b"], "a/b"),
    "empty name": (["map", "--name", ""], "--name"),
    "out is a file": (["map", "--out", "/dev/null"], "/dev/null"),
    "out below a file": (["map", "--out", "/dev/null/a/b"], "/dev/null"),
    "set without a value": (["map", "--set", "task.name"], "task.name"),
    "set of an unknown key": (["map", "--set", "optimizer.learning_rat=1"], "learning_rate"),
    "set below a number": (["map", "--set", "stop.tolerance.x=1"], "stop.tolerance"),
    "set to garbage": (["map", "--set", "axes.weight=[1,"], "[1,"),
    "set to something nested too deeply": (["map", "--set", f"axes.weight={'[' * 5000}"], "--set"),
    "set to two values": (["map", "--set", "stop.max_steps=3\nseed=4"], "one value"),
    "set to infinity": (["map", "--set", "optimizer.learning_rate=inf"], "inf"),
    "unknown activation": (["map", "--set", "model.activation=sigmoyd"], "'sigmoid'"),
    "activation that cannot be imported": (["map", "--set", "model.activation=nowhere:Thing"], "nowhere"),
    "NaN weight": (["respond", "--weight", "nan", "--bias", "1"], "--weight"),
    "infinite bias": (["respond", "--weight", "1", "--bias", "-inf"], "--bias"),
    "NaN input": (["respond", "--weight", "1", "--bias", "1", "--at", "nan"], "--at"),
    "no inputs": (["respond", "--weight", "1", "--bias", "1", "--at"], "--at"),
    "gain of none": (
        ["respond", "--weight", "1", "--bias", "1", "--activation", "relu", "--gain", "2"],
        "gain",
    ),
    "picture of no kind": (["respond", "--weight", "1", "--bias", "1", "--out", "a.doc"], ".png"),
    "picture in no folder": (["respond", "--weight", "1", "--bias", "1", "--out", "no/a.png"], "no"),
    "picture is a folder": (["respond", "--weight", "1", "--bias", "1", "--out", "/"], "/"),
    "x without y": (["descend", "--x", "1"], "y"),
    "x and y of different lengths": (["descend", "--x", "1", "2", "--y", "1"], "2 samples"),
    "task and x": (["descend", "--task", "nand", "--x", "1", "--y", "1"], "--task"),
    "NaN target": (["descend", "--x", "1", "--y", "nan"], "nan"),
    "one weight too many": (["descend", "--weight", "1", "2"], "2 weights"),
    "NaN start": (["descend", "--weight", "nan"], "--weight"),
    "no steps": (["descend", "--steps", "0"], "--steps"),
    "momentum of plain descent": (["descend", "--momentum", "0.5"], "--momentum: unknown key"),
    "penalty without strength": (["descend", "--penalty", "l2"], "strength"),
    "strength without penalty": (["descend", "--strength", "0.1"], "penalty"),
    "negative learning rate": (["descend", "--learning-rate", "-1"], "--learning-rate must be positive"),
    "loss that cannot have these targets": (
        ["descend", "--x", "1", "--y", "3", "--loss", "cross_entropy"],
        "from 0 to 1",
    ),
    "missing store": (["plot", "no.zarr"], "no.zarr"),
    "no store": (["plot", "."], ""),
    "unknown kind": (["plot", "no.zarr", "--kind", "fractal"], "fractal"),
}


def check_refused(code: int, out: str, err: str, says: str) -> None:
    assert (code, out) == (2, "")
    assert err.startswith("fastneuron: error: ") and err.endswith("\n") and err.count("\n") == 1
    assert says in err


@pytest.mark.parametrize(("words", "says"), BAD_WORDS.values(), ids=BAD_WORDS)
def test_bad_words_end_with_one_line_and_nothing_written(
    run: Run, tmp_path: Path, words: list[str], says: str
) -> None:
    check_refused(*run(*words), says)
    assert files(tmp_path) == []


@pytest.mark.parametrize("command", ["map", "descend"])
@pytest.mark.parametrize(("text", "says"), BAD_SPECS.values(), ids=BAD_SPECS)
def test_bad_specs_end_with_one_line_and_nothing_written(
    run: Run, tmp_path: Path, text: str, says: str, command: str
) -> None:
    (tmp_path / "bad.toml").write_text(text)
    check_refused(*run(command, "bad.toml"), says)
    assert files(tmp_path) == ["bad.toml"]


@pytest.mark.parametrize(("text", "says"), BAD_AXES.values(), ids=BAD_AXES)
def test_bad_axes_end_with_one_line_and_nothing_written(
    run: Run, tmp_path: Path, text: str, says: str
) -> None:
    test_bad_specs_end_with_one_line_and_nothing_written(run, tmp_path, text, says, "map")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no folder that even root cannot write")
def test_a_folder_that_cannot_be_written_is_refused(run: Run, tmp_path: Path) -> None:
    check_refused(*run("map", *SMALL, "--out", "/proc/self/fd"), "/proc/self/fd")
    check_refused(*run("map", *SMALL, "--out", "/proc/new/er"), "/proc/new")
    check_refused(*run("respond", "--weight", "1", "--bias", "1", "--out", "/proc/a.png"), "/proc/a.png")


def test_a_picture_that_cannot_be_written_is_refused_before_the_run(run: Run, tmp_path: Path) -> None:
    (tmp_path / "inverter.png").mkdir()
    check_refused(*run("map", *SMALL, "--overwrite"), "inverter.png")
    assert files(tmp_path) == ["inverter.png"]


# as a process


def test_an_error_of_a_process_is_one_line_without_a_traceback(tmp_path: Path) -> None:
    done = process("map", "no.toml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "fastneuron: error: cannot read no.toml: No such file or directory\n"


def test_a_reader_that_leaves_ends_the_output_quietly(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "fastneuron", "tasks", "--json"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None and child.stderr is not None
        child.stdout.close()
        assert child.stderr.read() == b""
    assert child.returncode == 1


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from fastneuron.cli.main import main; main(['--help']); main(['map', '--help'])\n"
        "print([name for name in ('numpy', 'numba', 'xarray', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")


def test_a_sweep_of_the_package_runs_by_its_name(run: Run, tmp_path: Path) -> None:
    words = ["--points", "2", "--set", "stop.max_steps=2", "--set", "task.samples=3"]
    code, out, _ = run("map", "trainability", *words)
    assert code == 0 and "4 starts (layer1.learning_rate 2 x layer0.learning_rate 2)" in out
    assert files(tmp_path) == ["trainability.png", "trainability.zarr"]
    with fn.open(tmp_path / "trainability.zarr") as result:
        assert {"loss_sum", "inverse_sum", "late_loss"} <= set(result)
    code, out, _ = run("plot", "trainability.zarr", "--kind", "trainability")
    assert code == 0 and (tmp_path / "trainability-trainability.png").exists()


def test_every_sweep_of_the_package_is_one(run: Run) -> None:
    names = list(spec.named())
    assert {"digits", "inverter", "trainability", "xor"} <= set(names)
    for name in names:
        sweep = fn.Sweep.from_spec(spec.read(Path(name)))
        assert fn.Sweep.from_toml(sweep.to_toml()) == sweep
    listed = json.loads(run("tasks", "--json")[1])["sweeps"]
    assert list(listed) == names and all(listed.values())
    assert fn.Sweep.from_spec(spec.read(Path("inverter"))) == fn.Sweep.from_spec(spec.read(None))


def test_a_file_goes_before_a_sweep_of_its_name_and_unknown_names_are_listed(
    run: Run, tmp_path: Path
) -> None:
    code, _, err = run("map", "trainabilty")
    assert code == 2 and "sweeps known by name: digits, inverter, trainability, xor" in err
    (tmp_path / "xor").write_text("nothing")
    code, _, err = run("map", "xor")
    assert code == 2 and "xor: not valid TOML" in err


def test_a_network_takes_the_place_of_the_default_neuron(run: Run) -> None:
    code, out, _ = run("map", "--set", "model.sizes=[1,5,1]", "--set", "draws=3", *SMALL[2:])
    assert code == 0 and "3 starts (draw 3)" in out
    code, _, err = run("map", "--set", "model.sizes=[1,2,1]")
    assert code == 2 and "a sweep needs task, optimizer, and axes, draws or chosen starts" in err


# data of one's own


def test_a_csv_file_is_sought_from_the_folder_of_its_spec(run: Run, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    Path("table.csv").write_text("0,0.5\n1,0.5\n")  # of the same name, where the command is run
    Path("sub/table.csv").write_text("x;y\n0;1\n1;0\n")
    Path("sub/mine.toml").write_text(f"task = {{ csv = 'table.csv' }}\n{OPTIMIZER}{GRID}")
    code, _, err = run("map", "sub/mine.toml")
    assert (code, err) == (0, "")
    with fn.open("mine.zarr") as result:
        sweep = fn.Sweep.from_toml(result.attrs["sweep"])
    assert sweep.task == fn.Task([0, 1], [1, 0], "table")
    code, _, err = run("map", "sub/mine.toml", "--set", "task.csv=table.csv", "--name", "other")
    assert (code, err) == (0, "")
    with fn.open("other.zarr") as result:  # what is typed is sought from where it is typed
        assert fn.Sweep.from_toml(result.attrs["sweep"]).task.y.tolist() == [[0.5], [0.5]]


@pytest.mark.parametrize(
    ("csv", "says"),
    {
        "device": ("/dev/zero", "/dev/zero is a device, not a file"),
        "pipe": ("pipe.csv", "pipe.csv is a pipe, not a file"),
        "folder": (".", "cannot read .: Is a directory"),
        "huge": ("huge.csv", "huge.csv is too large: more than 128 MiB"),
        "binary": ("binary.csv", "cannot read binary.csv: it is no text"),
    }.values(),
)
def test_data_that_cannot_be_read_to_an_end_are_one_line(run: Run, csv: str, says: str) -> None:
    os.mkfifo("pipe.csv")
    with Path("huge.csv").open("wb") as file:
        file.truncate(2**40)
    Path("binary.csv").write_bytes(bytes(range(256)) * 9)
    Path("mine.toml").write_text(f"task = {{ csv = '{csv}' }}\n{OPTIMIZER}{GRID}")
    check_refused(*run("map", "mine.toml", "--dry-run"), says)


def test_a_task_is_named_in_capitals_too(run: Run) -> None:
    words = ["--weight", "1", "1", "--steps", "2", "--json"]
    assert run("descend", "--task", "XOR", *words) == run("descend", "--task", "xor", *words)
    assert run("descend", "--task", "XOR", *words)[0] == 0
    check_refused(*run("descend", "--task", "XR", *words), "unknown task 'XR' (did you mean 'xor'?)")

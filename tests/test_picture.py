"""Picture files: what they carry makes them again, to the byte."""

import os
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from PIL import Image

import fastneuron as fn
from fastneuron import plot, toml
from fastneuron.cli.main import main
from fastneuron.plot.kinds import KINDS

FORMATS = ("png", "svg", "pdf")


@pytest.fixture(scope="module")
def result():
    sweep = fn.Sweep(
        task=fn.tasks.inverter(),
        optimizer=fn.GradientDescent(30.0),
        axes={"bias": fn.linspace(-20, 20, 9), "weight": fn.linspace(-20, 20, 11)},
        stop=fn.Stop(max_steps=50, tolerance=0.1),
    )
    return sweep.run(progress=False)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def again(capsys, picture, name="again"):
    """The bytes of the picture that the commands make of what a picture carries."""
    capsys.readouterr()
    assert main(["spec", str(picture)]) == 0
    (picture.parent / f"{name}.toml").write_text(capsys.readouterr().out)
    assert main(["map", f"{name}.toml", "--quiet"]) == 0
    return (picture.parent / f"{name}{picture.suffix}").read_bytes()


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("kind", ["outcome", "steps"])
def test_a_picture_makes_itself_again(here, capsys, result, kind, format):
    picture = here / f"first.{format}"
    plot.save(picture, result, kind, title='Zwölf % <&> \\ "x"', size=(4, 3), dpi=70)
    assert again(capsys, picture) == picture.read_bytes()


def test_whatever_matplotlib_is_set_to_the_file_is_the_same(here, result):
    plot.save("one.png", result, size=(4, 3))
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "red", "savefig.dpi": 33}):
        plot.save("two.png", result, size=(4, 3))
    assert (here / "one.png").read_bytes() == (here / "two.png").read_bytes()


@pytest.mark.parametrize(
    "command",
    [
        ["map", "--points", "12", "--set", "stop.max_steps=40"],
        [
            "map",
            "--points",
            "12",
            "--set",
            "stop.max_steps=40",
            "--set",
            "picture.dpi=40",
            "--keep",
            "outcome",
        ],
        ["map", "--set", "task.x=[[0], [1]]", "--set", "task.y=[1, 0]", "--points", "5"],
        ["map", "--set", "axes={}", "--set", "draws=20", "--set", "start.weight={ normal = [0, 5] }"],
        ["map", "--points", "5", "--set", "axes.learning_rate=[1, 30, 1000]"],
        ["descend", "--weight", "0.6", "--bias", "0.9", "--steps", "30", "--out", "inverter.png"],
        ["descend", "--task", "nand", "--steps", "30", "--out", "inverter.png"],
        ["respond", "--weight", "-20", "--bias", "10", "--out", "inverter.png"],
        ["respond", "--network", "9-4-2", "--image", "white", "--draws", "20", "--out", "inverter.png"],
    ],
    ids=lambda command: " ".join(command[:3]),
)
def test_pictures_of_every_command_make_themselves_again(here, capsys, command):
    assert main([*command, *(["--name", "inverter", "--quiet"] if command[0] == "map" else [])]) == 0
    assert again(capsys, here / "inverter.png") == (here / "inverter.png").read_bytes()


def test_a_task_from_a_table_travels_with_the_picture(here, capsys):
    (here / "table.csv").write_text("x,y\n0.25,1\n0.75,0\n")
    assert main(["map", "--set", "task.csv=table.csv", "--points", "6", "--name", "csv", "--quiet"]) == 0
    (here / "table.csv").unlink()
    assert again(capsys, here / "csv.png") == (here / "csv.png").read_bytes()


def test_print_is_a_column_wide_with_small_type(here, capsys, result):
    plot.save("print.png", result, "steps", style="print")
    assert again(capsys, here / "print.png") == (here / "print.png").read_bytes()
    with Image.open("print.png") as image:
        assert image.size == (1050, 780)  # 3.5 x 2.6 inches, 300 pixels an inch
    assert toml.loads(plot.spec_in("print.png"))["picture"] == {"kind": "steps", "style": "print"}


def test_the_spec_is_that_of_the_sweep_and_the_picture(here, result):
    plot.save("a.png", result, "steps", legend=False, size=(4, 2.5))
    text = plot.spec_in("a.png")
    assert text.startswith(f"# fastneuron {fn.__version__} (")
    assert toml.loads(text)["picture"] == {"kind": "steps", "legend": False, "size": [4.0, 2.5]}
    assert fn.Sweep.from_toml(text) == fn.Sweep.from_toml(result.attrs["sweep"])
    with Image.open("a.png") as image:
        assert image.size == (600, 375)


def test_a_spec_says_what_is_drawn(here):
    table = "[task]\nname = 'inverter'\n[optimizer]\nname = 'gradient_descent'\nlearning_rate = 1.0\n"
    axes = "[axes]\nbias = { linspace = [-2, 2, 5] }\nweight = { linspace = [-2, 2, 7] }\n"
    drawn = "[picture]\nkind = 'loss'\nformat = 'svg'\n"
    (here / "mine.toml").write_text(table + axes + drawn)
    assert main(["map", "mine.toml", "--quiet"]) == 0
    assert sorted(path.name for path in here.iterdir()) == ["mine.svg", "mine.toml", "mine.zarr"]
    assert toml.loads(plot.spec_in("mine.svg"))["picture"]["kind"] == "loss"


def test_options_are_those_of_the_function():
    picture = plot.Picture("curve", {"at": np.array([0.0, 1.0]), "start": {"weight": np.float64(2)}})
    assert picture.to_spec() == {"kind": "curve", "at": [0.0, 1.0], "start": {"weight": 2.0}}
    assert plot.Picture.from_spec(picture.to_spec()) == picture
    for name, kind in KINDS.items():
        assert {"title", "legend"} <= set(kind.options) and not {"ax", "figure"} & set(kind.options), name


@pytest.mark.parametrize(
    "table, says",
    {
        "kind": ({"kind": "step"}, "picture.kind: no picture 'step' (did you mean 'steps'?); known: "),
        "no option": (
            {"kind": "steps", "titel": "x"},
            "picture.titel: no option of steps (did you mean 'title'?)",
        ),
        "another's option": ({"kind": "outcome", "at": [1]}, "picture.at: no option of outcome"),
        "size": ({"size": [3]}, "picture.size must be two numbers of inches from 0.5 to 60"),
        "huge": ({"size": [3, 1e9]}, "picture.size must be"),
        "not a number": ({"size": [3, float("nan")]}, "picture.size must be"),
        "style": ({"style": "poster"}, "picture.style must be screen or print"),
        "dpi": ({"dpi": 3}, "picture.dpi must be a whole number from 10 to 2400, got 3"),
        "format": ({"format": "bmp"}, "picture.format of outcome must be png, svg, pdf"),
        "no table": (3, "picture must be a table, got 3"),
    }.values(),
)
def test_bad_pictures_are_refused_with_one_line(table, says):
    with pytest.raises(ValueError) as error:
        plot.Picture.from_spec(table)
    assert says in str(error.value) and "\n" not in str(error.value)


def test_what_a_spec_says_wrongly_of_a_picture_is_known_before_anything_runs(here, capsys):
    assert main(["map", "--points", "4", "--set", "picture.kind=fractal"]) == 2
    assert "picture.kind: no picture 'fractal'" in capsys.readouterr().err
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    "name, content, says",
    [
        ("other.png", None, "carries no sweep"),
        ("text.png", b"hello", "is no picture that can be read"),
        ("cut.svg", b"<?xml version='1.0'?><svg", "is no picture that can be read"),
        ("empty.gif", b"", "is no picture that can be read"),
        ("plain.pdf", b"%PDF-1.4 ...", "carries no sweep"),
        ("missing.png", ..., "No such file"),
    ],
)
def test_files_without_a_spec_are_refused_with_one_line(here, capsys, name, content, says):
    if content is None:
        Image.new("RGB", (4, 4)).save(name)
    elif content is not ...:
        (here / name).write_bytes(content)
    assert main(["spec", name]) == 2
    told = capsys.readouterr()
    assert told.out == "" and told.err.startswith(f"fastneuron: error: {name}") and told.err.count("\n") == 1
    assert says in told.err


def test_a_picture_that_cannot_be_drawn_leaves_the_file_that_was_there(here, result):
    (here / "a.png").write_bytes(b"before")
    with pytest.raises(ValueError, match="this result has no 'steps'"):
        plot.save("a.png", result[["outcome"]], "steps")
    with pytest.raises(ValueError, match=r"must end in .png, .svg, .pdf"):
        plot.save("a.bmp", result)
    assert [path.name for path in here.iterdir()] == ["a.png"] and (here / "a.png").read_bytes() == b"before"


def test_the_progress_of_a_start_is_that_of_descend(result):
    sweep = fn.Sweep.from_toml(result.attrs["sweep"])
    start = {"weight": 1.0, "bias": 2.0}
    curves = plot.progress(result, start=start, steps=20)
    path = fn.descend(
        sweep.task, sweep.model, loss=sweep.loss, optimizer=sweep.optimizer, start=start, steps=20
    )
    for curve in (curves[0], curves[-1]):
        step = int(curve.get_label())
        own = {name: float(path[name][step]) for name in start}
        expected = fn.forward(sweep.model, own, curve.get_xdata())
        np.testing.assert_allclose(curve.get_ydata(), expected, rtol=1e-15)
    assert int(curves[-1].get_label()) == 20


def test_of_many_starts_one_must_be_said(result):
    with pytest.raises(ValueError, match="the sweep has many starts; say which with start"):
        plot.progress(result)
    with pytest.raises(ValueError, match="start: no parameter 'slope'; there are weight, bias"):
        plot.curve(result, start={"slope": 1})


def test_the_bytes_are_those_of_another_process(here, result):
    plot.save("here.svg", result)
    code = "import fastneuron as fn; fn.plot.save('there.svg', fn.Sweep.from_toml(open('s').read()).run())"
    (here / "s").write_text(result.attrs["sweep"])
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONHASHSEED": "7"})
    assert (here / "here.svg").read_bytes() == (here / "there.svg").read_bytes()


@pytest.mark.parametrize(
    "part",
    {
        "some, one axis turned": {"bias": slice(0, 7, 2), "weight": slice(None, None, -3)},
        "a strip": {"bias": 3},
    }.values(),
)
def test_a_picture_of_a_part_makes_that_part_again(here, capsys, result, part):
    plot.save("part.png", result.isel(part), "steps", size=(4, 3), dpi=50)
    assert again(capsys, here / "part.png") == (here / "part.png").read_bytes()


def test_a_picture_at_one_value_of_a_hyperparameter_makes_itself_again(here, capsys):
    axes = {"learning_rate": [1.0, 30.0], "bias": fn.linspace(-9, 9, 5), "weight": fn.linspace(-9, 9, 6)}
    sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(3.0), axes=axes)
    plot.save("one.png", sweep.run(progress=False).isel(learning_rate=1), "loss", size=(4, 3), dpi=50)
    assert again(capsys, here / "one.png") == (here / "one.png").read_bytes()


def test_what_a_spec_cannot_tell_it_says(here, result):
    drawn = fn.Sweep.from_toml(result.attrs["sweep"])
    random = fn.Sweep(
        task=drawn.task, optimizer=drawn.optimizer, axes={"bias": [0, 1]}, start={"weight": fn.normal(0, 1)}
    )
    plot.save("part.png", random.run(progress=False).isel(bias=[1]))
    assert "\n# drawn of a part or a summary of the result of this sweep\n" in plot.spec_in("part.png")
    half = result.copy()
    half.attrs.pop("seconds")  # as of a store that is half written
    plot.save("half.png", half)
    assert "\n# drawn while the map was half finished\n" in plot.spec_in("half.png")
    assert fn.Sweep.from_toml(plot.spec_in("half.png")) == drawn


def test_outcomes_are_named_in_a_spec(here, capsys, result):
    outcomes = [fn.Outcome.REACHED, "stalled"]
    plot.save("steps.png", result, "steps", size=(4, 3), dpi=50, outcomes=outcomes)
    assert toml.loads(plot.spec_in("steps.png"))["picture"]["outcomes"] == ["reached", "stalled"]
    assert again(capsys, here / "steps.png") == (here / "steps.png").read_bytes()


@pytest.mark.parametrize(
    "kind, options, says",
    [
        ("steps", {"outcomes": 5}, "picture.outcomes must be a list, each"),
        ("steps", {"outcomes": ["nix"]}, "outcomes: no outcome 'nix'; there are: unfinished, reached"),
        ("progress", {"start": 2}, "picture.start must be a table, each a number, got 2"),
        ("hidden_units", {"samples": 1}, "picture.samples must be a list, each a text, got 1"),
        ("animate_axis", {"of": ["a"]}, "picture.of must be a text, got ['a']"),
        ("outcome", {"title": 5}, "picture.title must be a text, got 5"),
        ("outcome", {"legend": 1}, "picture.legend must be true or false, got 1"),
        ("outcome", {"most": 1.5}, "picture.most must be a whole number, got 1.5"),
        ("basins", {"starts": [[1.0, "a"]]}, "picture.starts must be a list, each 2 of a number"),
        ("basins", {"under": "loss"}, "picture.under must be 'outcome' or 'landscape', got 'loss'"),
        ("outcome", {"style": ["a"]}, "picture.style must be screen or print, got ['a']"),
        ("outcome", {"title": "$\\frac{$"}, "title: a text between dollars must be mathematics"),
    ],
)
def test_options_of_the_wrong_type_are_refused_with_one_line(here, result, kind, options, says):
    with pytest.raises(ValueError) as error:
        plot.Picture.from_spec({"kind": kind, **options}).save("a.png", result)
    assert says in str(error.value) and "\n" not in str(error.value)
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("kind", ["outcome", "shares", "loss_curves", "basins", "animate_map"])
def test_an_empty_result_is_refused(result, kind):
    with pytest.raises(ValueError, match="this result is empty: nothing is left of its bias"):
        plot.Picture(kind).draw(result.isel(bias=slice(0, 0)))


@pytest.mark.parametrize("kind", ["basins", "landscape", "vector_field"])
def test_a_plane_is_not_one_of_draws(kind):
    sweep = fn.Sweep(
        task=fn.tasks.inverter(),
        optimizer=fn.GradientDescent(3.0),
        axes={"weight": [0, 1]},
        draws=3,
        start={"bias": fn.normal(0, 1)},
    )
    with pytest.raises(ValueError, match=r"needs a result over two parameters, got 2 axes \(weight, draw\)"):
        plot.Picture(kind).draw(sweep.run(progress=False))

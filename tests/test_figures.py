"""Ready figures: each can be drawn, is drawn once, and says what it is."""

import base64
from xml.etree import ElementTree

import pytest

import fastneuron as fn
from fastneuron import figures, plot
from fastneuron.cli.main import main
from fastneuron.cli.spec import with_points


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", figures.names())
def test_every_figure_says_what_it_is(name):
    figure = figures.load(name)
    assert len(figure.title) > 10 and len(figure.text) > 50
    assert fn.Sweep.from_toml(figure.toml) == figure.sweep
    assert figure.sweep.points <= 2**20


def test_a_figure_that_is_drawn_is_left_as_it_is(here, capsys):
    command = ["figure", "steps", "--points", "16", "--quiet"]
    assert main(command) == 0
    assert capsys.readouterr().out.startswith("wrote steps.png (")
    before = (here / "steps.png").stat().st_mtime_ns
    assert main(command) == 0
    assert capsys.readouterr().out == "steps.png is up to date\n"
    assert (here / "steps.png").stat().st_mtime_ns == before
    assert main([*command, "--force"]) == 0
    assert main([*command, "--set", "picture.dpi=50"]) == 0
    assert capsys.readouterr().out.count("wrote") == 2


def test_a_changed_package_draws_its_figures_anew(here, monkeypatch):
    figure = figures.load("progress")
    figure.save("a.svg")
    assert figure.is_drawn("a.svg") and not figure.is_drawn("b.svg")
    monkeypatch.setattr("fastneuron.plot.picture.package_fingerprint", lambda: "another")
    assert not figure.is_drawn("a.svg")


def test_all_figures_are_there_in_no_time_once_they_are_drawn(here, capsys, monkeypatch):
    monkeypatch.setattr(figures, "names", lambda: ["flipped_step", "progress"])
    assert main(["figure", "--all", "made", "--quiet"]) == 0
    capsys.readouterr()
    assert main(["figure", "--all", "made", "--quiet"]) == 0
    assert capsys.readouterr().out == "made/flipped_step.png is up to date\nmade/progress.png is up to date\n"


def test_the_command_makes_what_the_library_draws(here):
    assert main(["figure", "progress", "--out", "one.svg", "--quiet"]) == 0
    figures.load("progress").save("two.svg")
    assert (here / "one.svg").read_bytes() == (here / "two.svg").read_bytes()


def test_the_list_names_all(capsys):
    assert main(["figure"]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.split()[0] for line in lines] == figures.names()
    assert all(figures.load(name).title in line for name, line in zip(figures.names(), lines, strict=True))


@pytest.mark.parametrize(
    "words, says",
    {
        "unknown": (["stepps"], "no figure 'stepps' (did you mean 'steps'?); there are: "),
        "both": (["steps", "--all", "."], "give NAME or --all, not both"),
        "no name": (["--points", "3"], "give NAME, the figure to draw"),
        "all with": (["--all", ".", "--points", "3"], "--all draws the figures as they are"),
        "ending": (["steps", "--out", "a.bmp"], "a picture's name must end in"),
        "format": (["steps", "--format", "bmp"], "--format must be png, svg or pdf, got 'bmp'"),
        "no folder": (["steps", "--out", "no/a.png"], "there is no folder no"),
        "option": (["steps", "--set", "picture.titel=3"], "picture.titel: no option of steps"),
        "sweep": (["steps", "--set", "task.name=nix"], "task.name: unknown task 'nix'"),
    }.values(),
)
def test_what_is_wrong_ends_with_one_line(here, capsys, words, says):
    assert main(["figure", *words]) == 2
    told = capsys.readouterr()
    assert told.out == "" and says in told.err and told.err.count("\n") == 1
    assert list(here.iterdir()) == []


def test_a_file_that_is_no_picture_of_ours_is_not_replaced(here, capsys):
    (here / "progress.png").write_bytes(b"mine")
    assert main(["figure", "progress", "--quiet"]) == 2
    assert "it is not replaced" in capsys.readouterr().err
    assert (here / "progress.png").read_bytes() == b"mine"


def test_a_figure_of_ones_own():
    spec = figures.load("steps").spec | {"picture": {"kind": "outcome"}}
    spec["axes"] = {"weight": [1.0, 2.0], "bias": [0.0, 1.0]}
    drawn = figures.ReadyFigure(spec).draw()
    assert drawn.axes[0].get_xlabel() == "bias"
    with pytest.raises(ValueError, match="picture.kind: no picture"):
        figures.ReadyFigure(spec | {"picture": {"kind": "x"}})
    assert plot.Picture.from_spec(spec["picture"]).kind == "outcome"


def test_notebooks_show_a_figure_with_its_picture():
    spec = dict(figures.load("inverter").spec)
    with_points(spec, 8)
    figure = figures.ReadyFigure(spec, "small", "A <title>", "What there is.\n\nMore.")
    assert repr(figure) == "<ReadyFigure 'small': A <title>, outcome of 64 starts>"
    shown = ElementTree.fromstring(figure._repr_html_().replace('100%">', '100%"/>'))
    assert shown.find("strong").text == "A <title>" and len(shown.findall("p")) == 2
    head, _, data = shown.find("img").get("src").partition(",")
    assert head == "data:image/png;base64" and base64.b64decode(data)[:4] == b"\x89PNG"

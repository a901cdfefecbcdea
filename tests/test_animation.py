"""Animations: what their frames show, and the files."""

import shutil

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

import fastneuron as fn
from fastneuron import plot
from fastneuron.cli.main import main
from fastneuron.plot.animation import widening

PLANE = {"bias": fn.linspace(-20, 20, 24), "weight": fn.linspace(-20, 20, 32)}


def sweep(**more):
    axes = more.pop("axes", {}) | PLANE
    given = {"optimizer": fn.GradientDescent(30.0), "stop": fn.Stop(max_steps=200, tolerance=0.1)} | more
    return fn.Sweep(task=fn.tasks.inverter(), axes=axes, **given)


@pytest.fixture(scope="module")
def result():
    return sweep().run(progress=False)


@pytest.fixture(scope="module")
def cube():
    return sweep(axes={"learning_rate": [1.0, 30.0, 1000.0]}).run(progress=False)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def frames_of(path):
    """All frames of a GIF, uint8, shape (frames, height, width, 3), and the milliseconds of each."""
    with Image.open(path) as image:
        shown, times = [], []
        for k in range(image.n_frames):
            image.seek(k)
            shown.append(np.asarray(image.convert("RGB")))
            times.append(image.info["duration"])
        return np.stack(shown), times


def cells(animation, ax=0):
    ax = animation.figure.axes[ax]
    artist = ax.images[0] if ax.images else ax.collections[0]
    return np.ma.getdata(artist.get_array()).reshape(24, 32)


def test_a_gif_shows_every_frame_and_holds_the_last(here):
    figure = Figure(figsize=(2, 1.5))
    line = figure.subplots(subplot_kw={"ylim": (0, 6)}).plot([0, 1], [0, 1])[0]
    drawn = plot.Animation(figure, 7, lambda i: line.set_ydata([i, 6 - i]))
    drawn.save("a.gif", fps=20, dpi=40, hold=9, progress=False)
    shown, times = frames_of("a.gif")
    assert shown.shape == (7, 60, 80, 3)
    assert times == [50] * 6 + [500]
    assert all((a != b).any() for a, b in zip(shown, shown[1:], strict=False))


def test_what_moves_alone_is_drawn_as_if_all_were(here, result):
    drawn = plot.animate_map(result, frames=3)
    drawn.save("parts.gif", dpi=40, progress=False)
    plot.Animation(drawn.figure, drawn.frames, drawn.draw).save("whole.gif", dpi=40, progress=False)
    parts, whole = frames_of("parts.gif")[0].astype(int), frames_of("whole.gif")[0].astype(int)
    assert parts.shape == whole.shape and (np.abs(parts - whole).max(-1) > 40).mean() < 1e-3


def test_the_bytes_are_the_same_every_time_and_carry_the_text(here, result):
    for name in ("one.gif", "two.gif"):
        plot.save(name, result, "animate_map", frames=3, dpi=40)
    assert (here / "one.gif").read_bytes() == (here / "two.gif").read_bytes()
    text = plot.spec_in("one.gif")
    assert fn.Sweep.from_toml(text) == sweep() and 'kind = "animate_map"\nframes = 3\ndpi = 40' in text


def test_a_map_over_time_shows_what_has_ended_by_then(result):
    drawn = plot.animate_map(result, frames=12)
    times = widening(200, 12)
    assert drawn.frames == 12
    outcome, steps = result["outcome"].values, result["steps"].values
    for i in (0, 5, 11):
        drawn.draw(i)
        expected = np.where(steps <= times[i], outcome, len(fn.Outcome))
        np.testing.assert_array_equal(cells(drawn), expected)
        share = 100 * ((outcome == fn.Outcome.REACHED) & (steps <= times[i])).mean()
        title = drawn.figure.axes[0].get_title(loc="left")
        assert f"step {times[i]:,}: reached {share:.1f} %" in title
    np.testing.assert_array_equal(cells(drawn), outcome)  # in the end, all


@pytest.mark.parametrize("of", ["outcome", "steps"])
def test_a_frame_is_the_map_of_its_value(cube, of):
    drawn = plot.animate_axis(cube, of)
    assert drawn.frames == 3
    for i, rate in enumerate([1, 30, 1000]):
        drawn.draw(i)
        one = getattr(plot, of)(cube.isel(learning_rate=i), ax=Figure().subplots())
        np.testing.assert_array_equal(cells(drawn), np.ma.getdata(one.get_array()).reshape(24, 32))
        assert f"learning rate {rate}" in drawn.figure.axes[0].get_title(loc="left")


def test_of_many_values_so_many_frames_are_shown(cube):
    assert plot.animate_axis(cube, over="weight", frames=5).frames == 5
    assert plot.animate_axis(cube, over="weight").frames == 32


def test_the_response_at_a_frame_is_that_of_the_neuron_then(result):
    start = {"weight": 4.0, "bias": 3.0}
    drawn = plot.animate_response(result, start=start, frames=9, steps=150)
    path = fn.descend(
        fn.tasks.inverter(),
        fn.Neuron(),
        loss=fn.SquaredError(),
        optimizer=fn.GradientDescent(30.0),
        start=start,
        steps=150,
    )
    times = widening(150, 9)
    assert drawn.frames == len(times) and times[-1] == 150
    curve, way = drawn.figure.axes[0], drawn.figure.axes[1]
    for i in (0, 4, len(times) - 1):
        drawn.draw(i)
        now = {name: float(path[name][times[i]]) for name in start}
        line = next(own for own in curve.lines if own.get_label() == "neuron")
        expected = fn.forward(fn.Neuron(), now, line.get_xdata())
        np.testing.assert_allclose(line.get_ydata(), expected, rtol=1e-12)
        np.testing.assert_array_equal(way.lines[0].get_xdata(), path["weight"].values[: times[i] + 1])
        assert f"step {times[i]:,}, " in curve.get_title(loc="left")


def test_without_a_start_one_is_shown_that_reaches_the_targets(result):
    drawn = plot.animate_response(result, frames=4)
    drawn.draw(0)
    way = drawn.figure.axes[1].lines[0]
    at = {"weight": way.get_xdata()[0], "bias": way.get_ydata()[0]}
    assert result["outcome"].sel(at).item() == fn.Outcome.REACHED


def test_a_neuron_that_runs_away_leaves_its_first_curves_in_sight():
    straight = fn.Neuron(activation=fn.Identity())
    away = sweep(model=straight, optimizer=fn.GradientDescent(5.0)).run(progress=False)
    drawn = plot.animate_response(away, start={"weight": 1.0, "bias": 1.0}, frames=5)
    drawn.draw(4)
    curve = drawn.figure.axes[0]
    line = next(own for own in curve.lines if own.get_label() == "neuron")
    assert np.abs(line.get_ydata()).max() > 1e100
    low, high = curve.get_ylim()
    assert -4 < low < 0 and 2.25 < high < 5  # the first curve goes from 0.75 to 2.25


def test_a_way_over_a_half_finished_map_says_what_the_hatching_is(result):
    half = result.copy(deep=True)
    half["outcome"][:12] = -1
    drawn = plot.animate_response(half, frames=2)
    named = [text.get_text() for legend in drawn.figure.legends for text in legend.get_texts()]
    assert "not computed" in named and "reached" in named


def test_a_file_that_cannot_be_written_is_named_as_it_was_asked_for(here, result):
    for name in ("away/a.gif", "away/a.mp4") if shutil.which("ffmpeg") else ("away/a.gif",):
        with pytest.raises(FileNotFoundError) as error:
            plot.animate_map(result, frames=2).save(name, progress=False)
        assert error.value.filename == name


def test_times_are_ever_wider_and_end_at_the_last():
    for last, frames in ((0, 5), (3, 9), (1000, 40), (10**6, 60), (7, 1)):
        times = widening(last, frames)
        assert times[-1] == last and len(times) == min(frames, last + 1)
        assert frames == 1 or times[0] == 0
        assert (np.diff(times) > 0).all() and (np.diff(times, 2) >= -1).all()


@pytest.mark.parametrize("kind", ["animate_axis", "animate_map", "animate_response"])
def test_an_animation_makes_itself_again(here, capsys, result, kind):
    plot.save("first.gif", result, kind, frames=2, size=(5, 3), dpi=50)
    assert main(["spec", "first.gif"]) == 0
    (here / "again.toml").write_text(capsys.readouterr().out)
    assert main(["map", "again.toml", "--quiet"]) == 0
    assert (here / "again.gif").read_bytes() == (here / "first.gif").read_bytes()


def test_descend_animates_its_start(here, capsys):
    command = ["descend", "--weight", "0.6", "--bias", "0.9", "--steps", "6", "--quiet", "--out", "run.gif"]
    assert main(command) == 0
    assert capsys.readouterr().out.endswith("wrote run.gif\n")
    assert frames_of("run.gif")[0].shape[0] == 7
    assert 'kind = "animate_response"\nsteps = 6' in plot.spec_in("run.gif")


def test_a_film_needs_ffmpeg_and_carries_its_spec(here, result, monkeypatch):
    if shutil.which("ffmpeg"):
        plot.save("a.mp4", result, "animate_map", frames=4, dpi=50)
        assert (here / "a.mp4").read_bytes()[4:8] == b"ftyp"
        assert fn.Sweep.from_toml(plot.spec_in("a.mp4")) == sweep()
        (here / "a.mp4").unlink()
    monkeypatch.setenv("PATH", str(here))
    with pytest.raises(ValueError, match=r"a\.mp4: \.mp4 needs the program ffmpeg.*\.gif does without"):
        plot.save("a.mp4", result, "animate_map", frames=4)
    assert list(here.iterdir()) == []


def test_what_is_interrupted_leaves_the_file_that_was_there(here, result):
    def stop(done, total):
        if done == 3:
            raise KeyboardInterrupt

    (here / "a.gif").write_bytes(b"before")
    with pytest.raises(KeyboardInterrupt):
        plot.animate_map(result, frames=4).save("a.gif", progress=stop)
    assert [path.name for path in here.iterdir()] == ["a.gif"]
    assert (here / "a.gif").read_bytes() == b"before"


def test_starts_that_are_not_computed_are_hatched_in_every_frame(cube):
    half = cube.copy(deep=True)
    half["outcome"][2] = -1  # the last value
    drawn = plot.animate_axis(half)
    drawn.draw(2)
    ax = drawn.figure.axes[0]
    assert ax.patch.get_hatch() == "////" and np.ma.getmaskarray(ax.images[0].get_array()).all()
    assert "not computed" in [text.get_text() for text in ax.get_legend().get_texts()]


@pytest.mark.parametrize(
    "draw, says",
    {
        "map of three axes": (lambda r, c: plot.animate_map(c), "a map has one or two axes, got 3"),
        "no frames": (lambda r, c: plot.animate_map(r, frames=0), "frames must be"),
        "no map": (lambda r, c: plot.animate_axis(c, "shares"), "of must be one of outcome"),
        "no axis": (lambda r, c: plot.animate_axis(c, over="gain"), "over must be one of the axes"),
        "no start": (lambda r, c: plot.animate_response(r, start={"w": 1}), "no parameter or axis 'w'"),
        "still as gif": (lambda r, c: plot.save("a.gif", r, "steps"), "must end in .png, .svg, .pdf"),
        "gif as png": (lambda r, c: plot.save("a.png", r, "animate_map"), "must end in .gif, .mp4"),
        "format": (
            lambda r, c: plot.Picture("animate_map", format="png"),
            "format of animate_map must be gif, mp4, got 'png'",
        ),
        "ending": (lambda r, c: plot.animate_map(r, frames=2).save("a.png"), "must end in .gif or .mp4"),
        "speed": (lambda r, c: plot.animate_map(r, frames=2).save("a.gif", fps=0), "fps must be"),
    }.values(),
)
def test_what_is_wrong_is_said_in_one_line(here, result, cube, draw, says):
    with pytest.raises(ValueError) as error:
        draw(result, cube)
    assert says in str(error.value) and "\n" not in str(error.value)
    assert list(here.iterdir()) == []

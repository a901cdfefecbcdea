"""Pictures look as they did: ready figures, small, beside pictures that were looked at.

Colours are compared block by block, so that another way to smooth the edges of letters is no difference, but
a missing one, a shifted axis or another colour is; each of these is tried. After a change that is meant to be
seen, ``python tests/test_images.py`` draws the pictures anew: look at each of them.
"""

from pathlib import Path

import numpy as np
import pytest
from matplotlib import colormaps
from PIL import Image

from fastneuron import figures
from fastneuron.cli.spec import with_points
from fastneuron.plot import palette

BASELINES = Path(__file__).parent / "images"
POINTS = 64
BLOCK = 5  # pixels
DIFFERENT = 16  # of 255, between the means of two blocks
SHARE = 0.002  # of all blocks that may differ


def small(name: str) -> figures.ReadyFigure:
    """A ready figure at 400 x 275 pixels."""
    figure = figures.load(name)
    spec = figure.spec
    if any(
        "linspace" in axis or "geomspace" in axis
        for axis in spec.get("axes", {}).values()
        if type(axis) is dict
    ):
        with_points(spec, POINTS)
    spec.setdefault("picture", {}).update(size=[6.0, 4.125], dpi=67)
    return figures.ReadyFigure(spec, name)


def paint(figure: figures.ReadyFigure, path: Path) -> None:
    """Draw a figure, of an animation the last frame, as a PNG."""
    if figure.picture.moves:
        figure.draw().savefig(path, dpi=figure.picture.dpi)
    else:
        figure.save(path)


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"), float)


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """The share of blocks whose mean colours differ."""
    if one.shape != other.shape:
        return 1.0
    rows, columns = (side - side % BLOCK for side in one.shape[:2])
    apart = (one - other)[:rows, :columns]
    means = apart.reshape(rows // BLOCK, BLOCK, columns // BLOCK, BLOCK, 3).mean((1, 3))
    return float((np.abs(means).max(-1) > DIFFERENT).mean())


@pytest.fixture
def drawn(tmp_path):
    def draw(figure: figures.ReadyFigure) -> np.ndarray:
        paint(figure, tmp_path / "drawn.png")
        return pixels(tmp_path / "drawn.png")

    return draw


@pytest.mark.parametrize("name", figures.names())
def test_a_figure_looks_as_it_did(name, drawn):
    assert difference(drawn(small(name)), pixels(BASELINES / f"{name}.png")) <= SHARE


def test_every_picture_that_was_looked_at_is_still_drawn():
    assert sorted(path.stem for path in BASELINES.glob("*.png")) == figures.names()


def changed(name, **picture):
    figure = small(name)
    figure.spec["picture"].update(picture)
    return figures.ReadyFigure(figure.spec, name)


def with_axes(name, change):
    figure = small(name)
    figure.spec["axes"] = change(figure.spec["axes"])
    return figures.ReadyFigure(figure.spec, name)


def with_images_exchanged(name):
    figure = small(name)
    figure.spec["task"]["x"].reverse()
    return figures.ReadyFigure(figure.spec, name)


@pytest.mark.parametrize(
    "name, broken",
    {
        "legend lost": ("inverter", lambda: changed("inverter", legend=False)),
        "colour bar lost": ("loss", lambda: changed("loss", legend=False)),
        "title lost": ("inverter", lambda: changed("inverter", title=" ")),
        "letters changed": ("steps", lambda: changed("steps", title="inverter, tanh neuron")),
        "axes exchanged": (
            "inverter",
            lambda: with_axes("inverter", lambda axes: dict(reversed(axes.items()))),
        ),
        "axis shifted": (
            "inverter",
            lambda: with_axes("inverter", lambda axes: axes | {"weight": {"linspace": [-19, 21, POINTS]}}),
        ),
        "axis labels lost": (
            "learned",
            lambda: with_axes(
                "learned", lambda axes: {"weight_0": axes["weight_0"], "bias": axes["weight_1"]}
            ),
        ),
        "other curves": ("progress", lambda: changed("progress", steps=5000)),
        "images exchanged": ("black_image", lambda: with_images_exchanged("black_image")),
    }.values(),
)
def test_a_broken_picture_is_caught(name, broken, drawn):
    assert difference(drawn(broken()), pixels(BASELINES / f"{name}.png")) > 2 * SHARE


def test_a_picture_upside_down_is_caught():
    for path in BASELINES.glob("*.png"):
        assert difference(pixels(path)[::-1], pixels(path)) > 10 * SHARE, path.name


def test_exchanged_colours_are_caught(drawn, monkeypatch):
    swapped = dict(zip(palette.COLORS, reversed(palette.COLORS.values()), strict=True))
    for member, color in swapped.items():
        monkeypatch.setitem(palette.COLORS, member, color)
    assert difference(drawn(small("inverter")), pixels(BASELINES / "inverter.png")) > 10 * SHARE


def test_another_colour_map_is_caught(drawn, monkeypatch):
    monkeypatch.setattr("fastneuron.plot.steps_map.sequential", lambda **ends: colormaps["magma"])
    assert difference(drawn(small("steps")), pixels(BASELINES / "steps.png")) > 10 * SHARE


def test_smoother_letters_are_no_difference(tmp_path):
    """Half a pixel of blur moves no block over the bound, though most pixels of letters change."""
    from PIL import ImageFilter

    for path in BASELINES.glob("*.png"):
        with Image.open(path) as image:
            soft = np.asarray(image.convert("RGB").filter(ImageFilter.GaussianBlur(0.5)), float)
        assert difference(soft, pixels(path)) <= SHARE, path.name


if __name__ == "__main__":
    BASELINES.mkdir(exist_ok=True)
    for name in figures.names():
        paint(small(name), BASELINES / f"{name}.png")

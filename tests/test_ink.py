"""Images as inputs: dark is 1 and paper 0, whatever the file holds them in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fastneuron.cli.images import pixels

GREYS = np.array([[0, 51, 255], [102, 0, 204]], np.uint8)
INK = 1 - GREYS / 255


def alpha() -> Image.Image:
    """Black that is the less opaque the lighter it should be, on nothing."""
    none = np.zeros((2, 3), np.uint8)
    return Image.fromarray(np.stack([none, none, none, 255 - GREYS], axis=2))


def transparent_palette() -> Image.Image:
    """Entry 2, which is black, is transparent: white where the paper is."""
    picture = Image.fromarray(np.array([[0, 1, 2], [1, 0, 2]], np.uint8), "P")
    picture.putpalette([0, 0, 0, 255, 255, 255, 0, 0, 0])
    picture.info["transparency"] = 2
    return picture


STEPPED = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
IMAGES: dict[str, tuple[Callable[[str], Any], np.ndarray]] = {
    "grey.png": (lambda name: Image.fromarray(GREYS).save(name), INK),
    "color.png": (lambda name: Image.fromarray(np.stack([GREYS] * 3, axis=2)).save(name), INK),
    "deep.png": (lambda name: Image.fromarray(GREYS.astype(np.uint16) * 257).save(name), INK),
    "deep.pgm": (lambda name: Image.fromarray(GREYS.astype(np.uint16) * 257).save(name), INK),
    "deep.tif": (lambda name: Image.fromarray(GREYS.astype(np.uint16) * 257).save(name), INK),
    "float.tif": (lambda name: Image.fromarray((GREYS / 255).astype(np.float32)).save(name), INK),
    "inverted.tif": (
        lambda name: Image.fromarray((255 - GREYS).astype(np.uint16) * 257).save(name, tiffinfo={262: 0}), INK
    ),
    "grey.bmp": (lambda name: Image.fromarray(GREYS).save(name), INK),
    "alpha.png": (lambda name: alpha().save(name), INK),
    "palette.gif": (lambda name: transparent_palette().save(name, transparency=2), STEPPED),
    "palette.png": (lambda name: transparent_palette().save(name, transparency=2), STEPPED),
    "bits.png": (lambda name: Image.fromarray(STEPPED == 0).save(name), STEPPED),
    "numbers.npy": (lambda name: np.save(name, INK), INK),
    "ink.npy": (lambda name: np.save(name, STEPPED.astype(np.uint8)), STEPPED),
    "bool.npy": (lambda name: np.save(name, STEPPED == 1), STEPPED),
    "fortran.npy": (lambda name: np.save(name, np.asfortranarray(INK)), INK),
    "numbers.csv": (lambda name: np.savetxt(name, INK, delimiter=","), INK),
    "semicolons.csv": (lambda name: np.savetxt(name, INK, delimiter=";"), INK),
}  # fmt: skip


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_is_read_as_ink_dark_is_one_and_paper_zero(name: str, tmp_path: Path) -> None:
    write, ink = IMAGES[name]
    path = tmp_path / name
    write(str(path))
    np.testing.assert_allclose(pixels(str(path), "6-4-2", 6), ink.ravel(), rtol=0, atol=1e-6)


def test_a_black_picture_is_all_ones_and_a_white_one_all_zeros(tmp_path: Path) -> None:
    for grey, ink in ((0, 1.0), (255, 0.0)):
        Image.fromarray(np.full((2, 3), grey, np.uint8)).save(tmp_path / "plain.png")
        assert pixels(str(tmp_path / "plain.png"), "6-2", 6).tolist() == [ink] * 6
    assert pixels("black", "6-2", 6).tolist() == [1.0] * 6 and pixels("white", "6-2", 6).tolist() == [0.0] * 6


UNCLEAR = {
    "int.tif": lambda name: Image.fromarray(GREYS.astype(np.int32)).save(name),
    "float.tif": lambda name: Image.fromarray(GREYS.astype(np.float32)).save(name),
    "nan.tif": lambda name: Image.fromarray(np.full((2, 3), np.nan, np.float32)).save(name),
}


@pytest.mark.parametrize("name", UNCLEAR)
def test_a_picture_whose_white_is_not_known_is_refused(name: str, tmp_path: Path) -> None:
    UNCLEAR[name](str(tmp_path / name))
    with pytest.raises(
        ValueError, match="not clear what is black and white: save it with 8 or 16 bits, or as .npy"
    ):
        pixels(str(tmp_path / name), "6-2", 6)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (GREYS, "holds numbers from 0 to 255; .* save 1 - values / 255 where 255 is white, or values / 255"),
        (GREYS * 257.0, "holds numbers from 0 to 65535; .* save 1 - values / 65535 where 65535 is white"),
        (INK - 0.5, "holds numbers from -0.5 to 0.5; inputs are ink, from 0, white, to 1, black"),
        (INK + 0j, "must hold finite numbers"),
        (np.full((2, 3), np.inf), "must hold finite numbers"),
        (np.zeros((2, 3), object), "cannot be read as an array of numbers"),
        (np.zeros((2, 3), "M8[s]"), "must hold finite numbers"),
    ],
)  # fmt: skip
def test_numbers_that_are_no_ink_say_how_to_convert_them(values: Any, says: str, tmp_path: Path) -> None:
    np.save(tmp_path / "numbers.npy", values)
    with pytest.raises(ValueError, match=says):
        pixels(str(tmp_path / "numbers.npy"), "6-2", 6)

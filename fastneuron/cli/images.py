"""Images as inputs of a network: ink from 0, white paper, to 1, black; as the task ``digits`` has it.

A picture is dark ink on white paper, so a grey g from 0, black, to 1, white, is the ink 1 - g. Numbers in a
.csv or .npy file are ink as they stand. What cannot be known, as how white a picture of 32-bit integers is,
is an error that says how to convert it.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastneuron.files import path_of

if TYPE_CHECKING:
    import numpy as np

PLAIN = {"black": 1.0, "white": 0.0}
FORMATS = ("PNG", "JPEG", "TIFF", "GIF", "BMP", "PPM", "WEBP")
MAX_BYTES = 2**27
_BITS_PER_SAMPLE, _PHOTOMETRIC, _WHITE_IS_ZERO = 258, 262, 0  # of TIFF


def pixels(image: str, network: str, inputs: int) -> np.ndarray:
    """The inputs that an image is, float64, shape (inputs,): ink from 0, white, to 1, black.

    Parameters
    ----------
    image : str
        ``black``, ``white``, or a file: ink as it is from .csv and .npy, otherwise a picture.
    network : str
        What the network is called in an error.
    inputs : int
        How many inputs it has.

    Raises
    ------
    ValueError
        If the file cannot be read, has another number of pixels, or it is not clear how much ink they are.
    OSError
        If it is not there or may not be read.
    """
    import numpy as np

    if image in PLAIN:
        return np.full(inputs, PLAIN[image])
    path = path_of(image, "image")

    def check_size(*sides: int) -> None:
        count = int(np.prod(sides, dtype=object))
        if count != inputs:
            size = " x ".join(map(str, sides)) + f" = {count}" if len(sides) > 1 else str(count)
            raise ValueError(f"{image} has {size} pixels, but {network} has {inputs} inputs")

    readers = {".csv": _from_csv, ".npy": _from_npy}
    return readers.get(path.suffix.lower(), _from_picture)(path, check_size).ravel()


def _from_csv(path: Path, check_size: Any) -> np.ndarray:
    from fastneuron.tables import read_table

    values = read_table(path)
    check_size(*values.shape[::-1])
    return _checked_ink(path, values)


def _from_npy(path: Path, check_size: Any) -> np.ndarray:
    import numpy as np

    from fastneuron.files import check_regular

    check_regular(path)
    try:
        values = np.lib.format.open_memmap(path, mode="r")  # reads no more than the header
    except OSError:
        raise
    except Exception as error:  # whatever a broken header makes NumPy throw
        raise ValueError(f"{path} cannot be read as an array of numbers: {error}") from None
    check_size(*values.shape[::-1])
    return _checked_ink(path, np.array(values))


def _checked_ink(path: Path, values: np.ndarray) -> np.ndarray:
    """Numbers from 0 to 1 as they are."""
    import numpy as np

    if values.dtype.kind not in "biuf" or not np.isfinite(values).all():
        raise ValueError(f"{path} must hold finite numbers")
    ink: np.ndarray = values.astype(np.float64)
    low, high = ink.min(), ink.max()
    if low < 0 or high > 1:
        white = 255 if high <= 255 else 65535
        raise ValueError(
            f"{path} holds numbers from {low:g} to {high:g}; inputs are ink, from 0, white, to 1, black: "
            f"save 1 - values / {white} where {white} is white, or values / {white} where it is black"
        )
    return ink


def _from_picture(path: Path, check_size: Any) -> np.ndarray:
    from PIL import Image, UnidentifiedImageError

    from fastneuron.files import content_of

    content = io.BytesIO(content_of(path, MAX_BYTES))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about broken metadata; and sizes are checked before pixels are read
        try:
            picture = Image.open(content, formats=FORMATS)
        except UnidentifiedImageError:
            known = ", ".join(FORMATS)
            raise ValueError(f"{path} cannot be read as a picture: it is no picture ({known})") from None
        except Exception as error:  # whatever a broken file makes a decoder throw
            raise ValueError(f"{path} cannot be read as a picture: {error}") from None
        with picture:
            check_size(*picture.size)
            try:
                picture.load()
                greys, black, white = _greys(picture)
            except Exception as error:
                raise ValueError(f"{path} cannot be read as a picture: {error}") from None
    if black == white or not ((greys >= min(black, white)) & (greys <= max(black, white))).all():
        raise ValueError(
            f"{path} holds pixels of {greys.dtype} from {greys.min():g} to {greys.max():g}, of which it is not clear "
            "what is black and white: save it with 8 or 16 bits, or as .npy of ink from 0, white, to 1, black"
        )
    return (white - greys) / (white - black)


def _greys(picture: Any) -> tuple[np.ndarray, float, float]:
    """The pixels of a picture, and which of their numbers are black and white; 0 twice if that is not known."""
    import numpy as np
    from PIL import Image

    if picture.mode == "F" or picture.mode.startswith("I"):
        tags = getattr(picture, "tag_v2", {})
        if picture.mode == "F":
            white = 1.0
        elif picture.mode.startswith("I;16"):
            bits = tags.get(_BITS_PER_SAMPLE, (16,))
            white = 2.0 ** (bits[0] if isinstance(bits, tuple) else bits) - 1
        else:
            white = 65535.0 if picture.format in ("PPM", "PNG") else 0.0
        ends = (white, 0.0) if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO else (0.0, white)
        return np.asarray(picture, np.float64), *ends
    if picture.has_transparency_data:
        paper = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(paper, picture.convert("RGBA"))
    return np.asarray(picture.convert("L"), np.float64), 0.0, 255.0

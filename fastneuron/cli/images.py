"""Images as inputs of a network: black, white, or a file of pixels or numbers."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastneuron.files import read_file

if TYPE_CHECKING:
    import numpy as np

PLAIN = {"black": 0.0, "white": 1.0}


def pixels(image: str, network: str, inputs: int) -> np.ndarray:
    """The inputs that an image is, shape (inputs,): grey from 0, black, to 1, white.

    Parameters
    ----------
    image : str
        ``black``, ``white``, or a file: numbers as they are from .csv and .npy, otherwise a picture.
    network : str
        What the network is called in an error.
    inputs : int
        How many inputs it has.

    Raises
    ------
    ValueError
        If the file cannot be read, or has another number of pixels.
    OSError
        If it is not there or may not be read.
    """
    import numpy as np

    if image in PLAIN:
        return np.full(inputs, PLAIN[image])
    path = Path(image)
    readers = {".csv": _from_csv, ".npy": _from_npy}
    values: np.ndarray = readers.get(path.suffix.lower(), _from_picture)(path)
    if values.size != inputs:
        size = " x ".join(str(length) for length in reversed(values.shape))
        size = f"{size} = {values.size}" if values.ndim > 1 else str(values.size)
        raise ValueError(f"{image} has {size} pixels, but {network} has {inputs} inputs")
    if values.dtype.kind not in "biuf" or not np.isfinite(values).all():
        raise ValueError(f"{image} must hold finite numbers")
    return values.ravel().astype(np.float64)


def _from_csv(path: Path) -> Any:
    import numpy as np

    text = read_file(path)
    try:
        lines = text.decode("utf-8-sig").splitlines()
        return np.array([[float(cell) for cell in line.split(",")] for line in lines if line.strip()])
    except ValueError as error:
        raise ValueError(f"{path} cannot be read as a table of numbers: {error}") from None


def _from_npy(path: Path) -> Any:
    import numpy as np

    with io.BytesIO(read_file(path)) as file:
        try:
            return np.lib.format.read_array(file, allow_pickle=False)
        except Exception as error:  # the header is a Python literal, of whatever kind
            raise ValueError(f"{path} cannot be read as an array of numbers: {error}") from None


def _from_picture(path: Path) -> Any:
    import numpy as np
    from PIL import Image, UnidentifiedImageError

    with io.BytesIO(read_file(path)) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a size that is less than what is refused
        try:
            with Image.open(file) as picture:
                if picture.mode.startswith("I"):  # 16 bits
                    return np.asarray(picture, np.float64) / 65535
                return np.asarray(picture.convert("L"), np.float64) / 255
        except Exception as error:  # whatever a reader of a format trips over in a file from anywhere
            reason = "it is no picture" if isinstance(error, UnidentifiedImageError) else error
            raise ValueError(f"{path} cannot be read as a picture: {reason}") from None

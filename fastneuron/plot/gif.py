"""GIF files, written frame by frame with one table of colours.

Pillow compresses the frames; it would keep them all, and choose colours for each, if it wrote the file. Of a
frame only the box that differs from the one before is stored, with what is equal in it as transparent.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image
from PIL.GifImagePlugin import getdata

COLORS = 255
CLEAR = 255  # the number of the transparent colour
FREQUENT = 176  # how many are chosen for being frequent, where there are too many
ALIKE = 3  # distance in red, green and blue, 0 to 255, up to which two of these are one
LONGEST = 65535  # hundredths of a second that a frame can be shown
AT_ONCE = 2**14  # colours
LOOP = b"!\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"  # for ever


@contextmanager
def writing(
    path: Path, samples: Iterable[np.ndarray], fps: float, comment: str
) -> Iterator[Callable[[np.ndarray, int], None]]:
    """A function that adds a frame to a GIF: its pixels, and how many frames long it is shown.

    Parameters
    ----------
    path : path
    samples : iterable of uint8 array, shape (height, width, 4)
        Frames for the choice of colours; one or more.
    fps : float
        Frames a second; each is shown for whole hundredths of a second, which on average is right.
    comment : str
    """
    colors, size = _palette(samples)
    with path.open("wb") as file:
        file.write(b"GIF89a" + struct.pack("<HHBBB", *size, 0xF7, 0, 0))
        file.write(np.vstack([colors, np.zeros((256 - len(colors), 3), np.uint8)]).tobytes())
        file.write(LOOP + (_comment(comment.encode()) if comment else b""))
        yield _Frames(file, colors, fps).add
        file.write(b";")


def _comment(text: bytes) -> bytes:
    pieces = [text[at : at + 255] for at in range(0, len(text), 255)]
    return b"!\xfe" + b"".join(bytes([len(piece)]) + piece for piece in pieces) + b"\x00"


class _Frames:
    """Adds frames to an open file."""

    def __init__(self, file: BinaryIO, colors: np.ndarray, fps: float) -> None:
        self.file = file
        self.colors = colors.astype(np.float32)
        self.fps = fps
        self.ticks = 0
        self.place = np.full(2**24, -1, np.int16)  # in the table, of every colour met so far
        self.before: np.ndarray | None = None

    def add(self, pixels: np.ndarray, ticks: int) -> None:
        frame = self._places(_packed(pixels))
        left, top, part = self._changed(frame)
        after = self.ticks + ticks
        hundredths = round(100 * after / self.fps) - round(100 * self.ticks / self.fps)
        clear = {} if self.before is None else {"transparency": CLEAR}
        shown = 10 * min(hundredths, LONGEST)  # Pillow takes milliseconds
        data = getdata(Image.fromarray(part), (left, top), duration=shown, disposal=1, **clear)
        self.file.write(b"".join(data))
        self.before, self.ticks = frame, after

    def _changed(self, frame: np.ndarray) -> tuple[int, int, np.ndarray]:
        """Left, top and numbers of the box that differs from the frame before."""
        if self.before is None:
            return 0, 0, frame
        changed = frame != self.before
        rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
        if not rows.size:
            return 0, 0, np.full((1, 1), CLEAR, np.uint8)
        box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        return int(columns[0]), int(rows[0]), np.where(changed[box], frame[box], np.uint8(CLEAR))

    def _places(self, packed: np.ndarray) -> np.ndarray:
        """The numbers in the table of the colours nearest to those of a frame."""
        found = self.place[packed]
        new = np.unique(packed[found < 0])
        for some in np.array_split(new, -(-len(new) // AT_ONCE)) if len(new) else ():
            # least |c - p|^2, without |c|^2; all sums are whole and below 2^24, so exact
            distance = (self.colors**2).sum(axis=1) - 2 * _parts(some).astype(np.float32) @ self.colors.T
            self.place[some] = distance.argmin(axis=1)
        places: np.ndarray = (self.place[packed] if len(new) else found).astype(np.uint8)
        return places


def _palette(samples: Iterable[np.ndarray]) -> tuple[np.ndarray, tuple[int, int]]:
    """At most 255 colours for frames like `samples`, uint8, shape (n, 3); and width and height.

    Where there are more: the most frequent, but none that can hardly be told from one before it; then always
    the one farthest from all that are chosen.
    """
    packed = [_packed(pixels) for pixels in samples]
    found, counts = np.unique_counts(np.stack(packed))
    height, width = packed[0].shape
    colors = _parts(found[np.argsort(-counts, kind="stable")])
    if len(colors) <= COLORS:
        return colors, (width, height)
    distance = np.full(len(colors), np.iinfo(np.int32).max, np.int32)  # squared, to the nearest chosen one
    chosen: list[int] = []
    for _ in range(COLORS):
        apart = distance > ALIKE**2
        first = len(chosen) < FREQUENT and bool(apart.any())
        chosen.append(int(apart.argmax() if first else distance.argmax()))
        offset = colors.astype(np.int32) - colors[chosen[-1]]
        distance = np.minimum(distance, (offset**2).sum(axis=1, dtype=np.int32))
    return colors[chosen], (width, height)


def _packed(pixels: np.ndarray) -> np.ndarray:
    """Red, green and blue as one number, red in its lowest bits: int32, shape (height, width)."""
    return (np.ascontiguousarray(pixels).view("<u4")[..., 0] & 0xFFFFFF).astype(np.int32)


def _parts(packed: np.ndarray) -> np.ndarray:
    """Red, green and blue of packed colours, uint8, shape (n, 3)."""
    return np.stack([packed & 255, packed >> 8 & 255, packed >> 16], axis=-1).astype(np.uint8)

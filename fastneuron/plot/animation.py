"""Animation: a figure, a number of frames and what puts each on the figure; saved as a GIF or a film.

The layout is solved once, for the last frame, and then kept, and so are the colours of a GIF: nothing jumps
or flickers between frames. Frames are written as they are drawn.

Not here: what moves; that is in the files ``animate_*.py``. The two formats are in `fastneuron.plot.gif` and
`fastneuron.plot.mp4`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from fastneuron.components import Bound, checked_number, shown
from fastneuron.engine.progress import Report, reporting
from fastneuron.files import path_of, replaced
from fastneuron.plot import gif, mp4

FORMATS = (".gif", ".mp4")
FRAMES = Bound("a whole number from 1 to 100000", low=1, high=100_001, whole=True)
FPS = Bound("above 0 and at most 50", low=0.0, high=math.nextafter(50.0, 51.0), above=True)
DPI = Bound("from 10 to 600", low=10.0, high=math.nextafter(600.0, 601.0))
HOLD = Bound("a whole number from 0 to 10000", low=0, high=10_001, whole=True)
SAMPLES = 6  # frames that the colours of a GIF are taken from


@dataclass(frozen=True)
class Animation:
    """Frames of one figure.

    Parameters
    ----------
    figure : Figure
        What is drawn on.
    frames : int, 1 to 100000
        Number of frames.
    draw : callable
        Given i, from 0 to `frames` - 1, in any order, it puts frame i on the figure.
    moving : sequence of Artist, optional
        All that `draw` changes, and what lies over it. The rest is then drawn but once, which is several
        times as fast. Default: everything is drawn for every frame.

    Raises
    ------
    ValueError
        If there are no frames, or too many.

    Examples
    --------
    >>> import tempfile
    >>> import fastneuron as fn
    >>> from matplotlib.figure import Figure
    >>> from PIL import Image
    >>> figure = Figure(figsize=(2, 2))
    >>> line = figure.subplots().plot([0, 1], [0, 1])[0]
    >>> animation = fn.plot.Animation(figure, 5, lambda i: line.set_ydata([0, i / 4]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     animation.save(f"{folder}/line.gif", dpi=50, progress=False)
    ...     with Image.open(f"{folder}/line.gif") as image:
    ...         print(image.size, image.n_frames)
    (100, 100) 5
    """

    figure: Figure
    frames: int
    draw: Callable[[int], None]
    moving: Sequence[Artist] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "frames", checked_number("frames", self.frames, FRAMES))

    def save(
        self,
        path: Path | str,
        *,
        spec: str = "",
        fps: float = 10,
        dpi: float = 100,
        hold: int = 10,
        progress: bool | Report | None = None,
    ) -> None:
        """Save the animation in a file, which appears whole or not at all.

        Parameters
        ----------
        path : path
            A file that ends in ``.gif``, or in ``.mp4`` where the program ffmpeg is.
        spec : str, optional
            A text that the file carries as its comment.
        fps : float, 0 < fps <= 50
            Frames a second.
        dpi : float, 10 to 600
            Pixels an inch.
        hold : int, 0 to 10000
            For how many frames more the last one is shown.
        progress : bool or callable, optional
            Whether to show progress, or a callable that is given (done, total) in frames. Default: shown
            on a terminal or in a notebook.

        Raises
        ------
        ValueError
            If an argument is not what is described here, or ffmpeg is needed and not there.
        OSError
            If the file cannot be written, or ffmpeg fails.

        Notes
        -----
        A GIF's bytes depend on the drawn pixels and the arguments alone. It has one table of 255 colours: all
        that occur, where they are no more; else the most frequent exactly, and the others as near as there is
        room for, always alike.
        """
        path = path_of(path)
        if path.suffix.lower() not in FORMATS:
            raise ValueError(f"{path}: an animation's name must end in {' or '.join(FORMATS)}")
        if not isinstance(spec, str):
            raise ValueError(f"spec must be a text, got {shown(spec)}")
        fps = checked_number("fps", fps, FPS)
        dpi = checked_number("dpi", dpi, DPI)
        held = 1 + int(checked_number("hold", hold, HOLD))
        film = path.suffix.lower() == ".mp4"
        if film:
            mp4.require_ffmpeg(path)
        with (
            reporting(progress, self.frames, "frame") as report,
            replaced(path) as new,
            _frozen(self, dpi) as pixels,
        ):
            if film:
                size = pixels(self.frames - 1).shape[1::-1]
                writing = mp4.writing(new, size, fps, spec)
            else:
                chosen = np.unique(np.linspace(0, self.frames - 1, SAMPLES).astype(int))
                writing = gif.writing(new, (pixels(int(i)) for i in chosen), fps, spec)
            with writing as write:
                for i in range(self.frames):
                    write(pixels(i), held if i == self.frames - 1 else 1)
                    report(i + 1, self.frames)


@contextmanager
def _frozen(animation: Animation, dpi: float) -> Iterator[Callable[[int], np.ndarray]]:
    """A function for the pixels of a frame, uint8, shape (height, width, 4), which the next one overwrites.

    Within, the figure has the layout that suits the last frame.
    """
    figure, moving = animation.figure, sorted(animation.moving, key=Artist.get_zorder)
    canvas, engine, resolution = figure.canvas, figure.get_layout_engine(), figure.dpi
    try:
        own = FigureCanvasAgg(figure)  # takes the place of the figure's canvas
        figure.dpi = dpi
        animation.draw(animation.frames - 1)
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        for artist in moving:
            artist.set_animated(True)  # leaves it out of the canvas's draw
        own.draw()  # type: ignore[no-untyped-call]
        still = own.copy_from_bbox(figure.bbox)  # type: ignore[no-untyped-call]

        def pixels(i: int) -> np.ndarray:
            animation.draw(i)
            if not moving:
                own.draw()  # type: ignore[no-untyped-call]
            else:
                own.restore_region(still)  # type: ignore[no-untyped-call]
            for artist in moving:
                artist.draw(own.get_renderer())  # type: ignore[no-untyped-call]
            return np.asarray(own.buffer_rgba())  # type: ignore[no-untyped-call]

        yield pixels
    finally:
        for artist in moving:
            artist.set_animated(False)
        if engine is not None:
            figure.set_layout_engine(engine)
        figure.dpi = resolution
        figure.set_canvas(canvas)


def widening(last: int, frames: int) -> np.ndarray:
    """So many different whole numbers from 0 to `last`, both included, at ever wider steps.

    They are as near to a geometric progression as can be, and all where there are no more. A single one is
    `last`.

    Examples
    --------
    >>> widening(1000, 11).tolist()
    [0, 2, 4, 8, 16, 32, 64, 127, 253, 503, 1000]
    >>> widening(3, 11).tolist()
    [0, 1, 2, 3]
    """
    numbers = [0] if frames > 1 else [last]
    for left in range(min(frames - 1, last), 0, -1):
        before = numbers[-1]
        numbers.append(max(before + 1, round(max(before, 1) * (last / max(before, 1)) ** (1 / left))))
    return np.array(numbers)

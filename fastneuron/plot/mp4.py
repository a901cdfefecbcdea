"""MP4 files, written frame by frame by the program ffmpeg."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile

import numpy as np

# H.264 with half the colour resolution, which everything plays, needs even sides
EVEN = "pad=ceil(iw/2)*2:ceil(ih/2)*2:color=white"


def require_ffmpeg(path: Path) -> str:
    """Where ffmpeg is.

    Raises
    ------
    ValueError
        If it is not there, naming `path`.
    """
    program = shutil.which("ffmpeg")
    if program is None:
        raise ValueError(f"{path}: .mp4 needs the program ffmpeg, which is not here; .gif does without")
    return program


@contextmanager
def writing(
    path: Path, size: tuple[int, ...], fps: float, comment: str
) -> Iterator[Callable[[np.ndarray, int], None]]:
    """A function that adds a frame to a film: its pixels, and how many frames long it is shown.

    Parameters
    ----------
    path : path
    size : (int, int)
        Width and height in pixels; a side that is odd gets a white line more.
    fps : float
        Frames a second.
    comment : str

    Raises
    ------
    ValueError
        If ffmpeg is not there.
    OSError
        If it fails, with the first line that it says.
    """
    program = require_ffmpeg(path)
    with TemporaryFile() as said, NamedTemporaryFile("w", encoding="utf-8") as notes:
        # a file, as an argument has a greatest length
        escaped = re.sub(r"([=;#\\\n])", r"\\\1", comment)
        notes.write(f";FFMETADATA1\ncomment={escaped}\n")
        notes.flush()
        path.touch()  # where that fails, Python says why better than ffmpeg
        picture = [
            "-f",
            "rawvideo",
            "-pix_fmt",
            "rgba",
            "-s",
            "x".join(map(str, size)),
            "-framerate",
            f"{fps}",
        ]
        metadata = ["-f", "ffmetadata", "-i", notes.name, "-map_metadata", "1"]
        coded = ["-vf", EVEN, "-pix_fmt", "yuv420p", "-movflags", "+faststart"]
        words = [program, "-y", "-loglevel", "error", *picture, "-i", "-", *metadata, *coded, str(path)]
        with subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said
        ) as process:
            pipe = process.stdin
            assert pipe is not None

            def write(pixels: np.ndarray, times: int) -> None:
                for _ in range(times):
                    pipe.write(pixels.tobytes())

            try:
                yield write
                pipe.close()
                failed = process.wait() != 0
            except BrokenPipeError:
                failed = True
                with suppress(BrokenPipeError):
                    pipe.close()
            except BaseException:
                process.kill()
                raise
        if failed:
            said.seek(0)
            lines = said.read().decode(errors="replace").splitlines() or ["without a word"]
            raise OSError(f"ffmpeg failed: {lines[0]}")

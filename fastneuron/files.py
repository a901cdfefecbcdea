"""Files: written whole or not at all, and read only where they have an end."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A hidden file to write, which becomes `path` once it is whole."""
    there = path.resolve()  # a link stays one
    new = there.with_name(f".{there.stem}.new{path.suffix}")
    try:
        yield new
        os.replace(new, there)
    except OSError as error:
        if error.filename in (None, new, str(new)):
            error.filename = str(path)  # the name that was asked for
        raise
    finally:
        new.unlink(missing_ok=True)


def check_regular(path: Path) -> None:
    """Raise unless `path` is a file that can be read to its end: no folder, pipe or device.

    Raises
    ------
    OSError
        If it is not there, or a folder.
    ValueError
        If it is something else, which may never end, or keep a reader waiting.
    """
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        kind = "pipe" if stat.S_ISFIFO(mode) else "socket" if stat.S_ISSOCK(mode) else "device"
        raise ValueError(f"{path} is a {kind}; give a regular file")


def content_of(path: Path, most: int) -> bytes:
    """The bytes of a regular file of `most` bytes at most.

    Raises
    ------
    OSError, ValueError
        As `check_regular`, if it cannot be read, or if there are more.
    """
    check_regular(path)
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"{path} is too large: more than {most / 2**20:,.0f} MiB")
    return content

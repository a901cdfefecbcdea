"""Files that appear whole or not at all, and reading none but files."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MOST_READ = 2**31  # bytes


def read_file(path: Path, most: int = MOST_READ) -> bytes:
    """The bytes of a file, which ends: a pipe nobody writes to would block, a device might never end.

    A pipe that this process has been given, as by the shell's ``<(...)``, is read.

    Raises
    ------
    ValueError
        If it is no file, or has more than `most` bytes.
    OSError
        If it is not there, or may not be read.
    """
    with open(path, "rb", opener=_without_waiting) as file:
        kind = os.fstat(file.fileno()).st_mode
        if stat.S_ISFIFO(kind) and os.path.realpath(path).startswith("/proc/"):
            os.set_blocking(file.fileno(), True)
        elif not stat.S_ISREG(kind):
            raise ValueError(f"{path} is {_KINDS.get(stat.S_IFMT(kind), 'no file')}, not a file")
        data = file.read(most + 1) or b""  # None where the system's own file would wait
    if len(data) > most:
        raise ValueError(f"{path} is too large: more than {most:,} bytes")
    return data


_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A hidden file to write, which becomes `path` once it is whole."""
    there = Path(os.path.realpath(path))  # a link stays one
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

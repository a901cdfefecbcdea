"""Paths as users write them; files that appear whole or not at all, and are read only where they end."""

from __future__ import annotations

import errno
import os
import reprlib
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
        raise ValueError(f"{path} is too large: more than {most / 2**20:,.0f} MiB")
    return data


_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def path_of(given: object, name: str = "path") -> Path:
    """The path that a user gives; ``~`` and ``~user`` at its beginning are home folders.

    Parameters
    ----------
    given : str, bytes or path object
        As a URL only ``file://``. Variables as ``$HOME`` are for a shell to fill in.
    name : str
        What it is called in an error.

    Raises
    ------
    ValueError
        If it is none of these, is empty or a URL of something else, or there is no such user.
    """
    text = path_text(given, name)
    if "://" in text:
        raise ValueError(f"{name} must be a path on this machine, got {text}")
    found = os.path.expanduser(text)
    if found.startswith("~"):
        raise ValueError(f"{name}: {text}: that user has no home folder; write ./~ for the name")
    path = Path(found)
    return path.absolute() if path.parts[:1] and path.parts[0].startswith("~") else path  # of ./~: read once


def path_text(given: object, name: str) -> str:
    """The text of a path or URL, without the ``file://`` of one on this machine.

    Raises
    ------
    ValueError
        If it is no path, is empty, or no system could have such a path.
    """
    if not isinstance(given, str | bytes | os.PathLike):
        raise ValueError(f"{name} must be a path, got {' '.join(reprlib.repr(given).split())}")
    text = os.fsdecode(given).removeprefix("file://")
    if not text.strip() or "\0" in text:
        raise ValueError(f"{name} must be a path, got {text!r}")
    return text


def resolved(path: Path) -> Path:
    """`path` with every link on it followed.

    Raises
    ------
    ValueError
        If a link leads back to itself.
    """
    try:
        return path.resolve()
    except RuntimeError:
        raise ValueError(f"{path} is a link that leads back to itself") from None


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A hidden file to write, which becomes `path` once it is whole; each process has one of its own."""
    there = resolved(path)  # a link stays one
    new = there.with_name(f".{there.stem[:40]}.{uuid.uuid4().hex}.new{path.suffix}")
    try:
        yield new
        os.replace(new, there)
    except OSError as error:
        if error.filename in (None, new, str(new)):
            error.filename = str(path)  # the name that was asked for
        raise
    finally:
        with suppress(OSError):
            new.unlink()


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
        raise ValueError(f"{path} is {_KINDS.get(stat.S_IFMT(mode), 'no file')}, not a file")

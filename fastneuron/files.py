"""Paths as users write them, and files that appear whole or not at all."""

from __future__ import annotations

import os
import reprlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


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

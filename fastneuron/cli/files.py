"""Output files: what can be known to be wrong with them before any work is done."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastneuron.files import resolved

PICTURES = (".png", ".svg", ".pdf")
ANIMATIONS = (".gif", ".mp4")


def check_picture(path: Path, suffixes: tuple[str, ...] = PICTURES) -> Path:
    """`path`, where a picture can be written there; see `check_file`."""
    return check_file(path, suffixes, "a picture")


def check_file(path: Path, suffixes: tuple[str, ...], what: str) -> Path:
    """`path`, where a file can be written there.

    Raises
    ------
    ValueError
        If the ending is none of `suffixes`, or the file cannot be written.
    """
    if path.suffix.lower() not in suffixes:
        raise ValueError(f"{path}: {what}'s name must end in {', '.join(suffixes)}")
    if path.is_dir():
        raise ValueError(f"{path} is a folder; give the name of a file")
    if not path.parent.is_dir():
        raise ValueError(f"{path}: there is no folder {path.parent}")
    # a new file is written beside the one that is there, which it then replaces
    if not os.access(resolved(path).parent, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise ValueError(f"{path} cannot be written: permission denied")
    return path


@contextmanager
def reading(store: object) -> Iterator[None]:
    """Within, values of a stored map that turn out to be damaged end in one line that names it."""
    try:
        yield
    except (ValueError, RuntimeError) as error:
        text = " ".join(str(error).split())
        if isinstance(error, RuntimeError) or "checksum" in text:
            raise ValueError(f"{store} is damaged ({text}); 'fastneuron verify --repair' mends it") from error
        raise


def check_folder(path: Path) -> Path:
    """`path`, where it is a folder that can be written to or can be made.

    Raises
    ------
    ValueError
        If it is something else, or permission is denied.
    """
    there = next(place for place in (path, *path.absolute().parents) if place.exists() or place.is_symlink())
    if not there.is_dir():
        raise ValueError(f"{path}: {there} is not a folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise ValueError(f"{path} cannot be written: permission denied in {there}")
    return path


def make_folder(path: Path) -> list[Path]:
    """Make `path` and what it lies in; returns the folders made, the innermost first."""
    missing = [place for place in (path, *path.parents) if not place.exists()]
    path.mkdir(parents=True, exist_ok=True)
    return missing

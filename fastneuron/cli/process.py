"""What a command is given by whoever starts it: streams, environment, warnings; odd ones are made usual."""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from fastneuron.cli import printing

NARROWEST, WIDEST, USUAL = 40, 1000, 80  # columns that a help text is set in
_STREAMS = ("stdin", "stdout", "stderr")
_FOLDERS = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")
# what makes warnings errors, and what dates files that have no date
_DROPPED = ("PYTHONWARNINGS", "SOURCE_DATE_EPOCH")


def prepare() -> None:
    """Make the streams and warnings of this process fit for a command that owns it.

    A stream that is closed becomes that of the null device, so that no file of ours takes its place; only
    ``sys.stdout`` stays None. Characters that the output lacks are escaped. Warnings are for programmers, but
    for our own, which are one line.
    """
    for number, name in enumerate(_STREAMS):
        if getattr(sys, name) is None:
            file = os.open(os.devnull, os.O_RDWR)
            if file != number:
                os.dup2(file, number)
                os.close(file)
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    warnings.resetwarnings()
    warnings.simplefilter("ignore")
    warnings.filterwarnings("default", module=r"fastneuron\.")
    warnings.showwarning = lambda message, *where, **more: printing.say(f"warning: {message}")


@contextmanager
def usual_environment() -> Iterator[None]:
    """Within, the environment holds nothing that a library would stumble over.

    Folders are absolute, as their standard asks, or else those of the password file; the terminal has a width
    in which a text can be set.
    """
    changed: dict[str, str | None] = {"COLUMNS": str(_columns())}
    changed |= {name: None for name in _DROPPED}
    changed |= {name: None for name in _FOLDERS if not os.path.isabs(os.environ.get(name, ""))}
    if not _is_number(os.environ.get("LINES", "")):
        changed["LINES"] = None
    before = {name: os.environ.get(name) for name in changed}
    _set(changed)
    try:
        yield
    finally:
        _set(before)


def _set(variables: dict[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 6


def _columns() -> int:
    """The width that is asked for, or that of the terminal, within bounds."""
    given = os.environ.get("COLUMNS", "")
    sizes = [int(given)] if _is_number(given) else []
    for number in (1, 2, 0):
        try:
            sizes.append(os.get_terminal_size(number).columns)
        except (OSError, ValueError):
            continue
    size = next((size for size in sizes if size), USUAL)
    return min(max(size, NARROWEST), WIDEST)

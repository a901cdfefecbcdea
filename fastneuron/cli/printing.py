"""What commands print: aligned tables of text, and JSON; nothing that a terminal would take for a command.

Names, titles and paths come from anywhere, and a text from a stranger may hold what moves the cursor, changes
the window's title or hides itself. So whatever is printed goes through `show` or `say`.
"""

from __future__ import annotations

import io
import json
import math
import sys
from collections.abc import Iterable, Sequence
from typing import Any


def show(text: str = "", end: str = "\n") -> None:
    """Print a text on standard output, where it is `visible`, at once."""
    try:
        print(visible(text), end=end, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, "standard output") from None


def say(text: str) -> None:
    """Print a text on standard error, on one line behind the name of the program, if anyone can be told."""
    try:
        print("fastneuron:", visible(" ".join(text.split())), file=sys.stderr or io.StringIO(), flush=True)
    except OSError:
        return


def visible(text: str) -> str:
    """`text`, in which characters that cannot be seen are escaped as JSON and TOML have it.

    Tabs and the ends of lines stay. So a document of either stays what it is.
    """
    return "\n".join(line if line.isprintable() else "".join(map(_seen, line)) for line in text.split("\n"))


def word(text: object) -> str:
    """`text` within a line: `visible`, and without ends of lines."""
    return visible(str(text)).replace("\n", "\\n")


def _seen(character: str) -> str:
    if character.isprintable() or character == "\t":
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 2**16 else f"\\U{code:08x}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, text: Sequence[int] = (0,)) -> str:
    """An aligned table without rules.

    Parameters
    ----------
    header : sequence of str
        One title a column.
    rows : iterable of sequences of str
        The cells.
    text : sequence of int
        The columns that are text and stand left; the others stand right.
    """
    lines = [list(map(word, line)) for line in (header, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in text else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def number(value: float) -> str:
    """A number in four significant digits."""
    return f"{value:.4g}"


def duration(seconds: float) -> str:
    """Seconds for people: ``"0.32 s"``, ``"12 min"``, ``"5.0 h"``, ``"3.1 days"``."""
    if seconds < 120:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.2g} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172800 else f"{seconds / 86400:,.1f} days"


def document(value: Any) -> str:
    """`value` as one JSON document; numbers that JSON lacks (NaN, infinity) are null."""
    return json.dumps(_plain(value), indent=2, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value

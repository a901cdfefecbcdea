"""Files that appear whole or not at all."""

from __future__ import annotations

import os
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

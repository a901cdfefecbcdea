"""The text a picture file carries: its sweep and how it is drawn, as TOML.

PNG and GIF have comments, SVG a description: there the text stands as it is. In PDF and MP4 it stands among
the keywords or the comment in base64, behind a mark, so that it is found whatever else the file holds.
"""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

from fastneuron.files import path_of

KEY = "fastneuron"  # of the text in a PNG
MARK = "fastneuron-spec:"
_MARKED = re.compile(MARK.encode() + rb"([A-Za-z0-9+/=]+)")
_DESCRIPTION = "{http://purl.org/dc/elements/1.1/}description"


def marked(text: str) -> str:
    """A text in base64, behind the mark."""
    return MARK + base64.b64encode(text.encode()).decode()


def metadata_of(suffix: str, text: str) -> dict[str, Any]:
    """The ``metadata`` of `Figure.savefig` for a file that ends in `suffix`; nothing in it is of the day."""
    if suffix == ".svg":
        return {"Description": text, "Date": None}
    if suffix == ".pdf":
        return {"Keywords": marked(text), "CreationDate": None}
    return {KEY: text}


def spec_in(path: Path | str) -> str:
    """The text that a picture carries.

    Parameters
    ----------
    path : path
        A .png, .svg, .pdf, .gif or .mp4 file that fastneuron has written.

    Returns
    -------
    str
        TOML: a sweep, and in its table ``picture`` how it is drawn.

    Raises
    ------
    ValueError
        If the file is no picture, or carries no such text.
    OSError
        If it cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> import fastneuron as fn
    >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0),
    ...                  axes={"bias": [0, 10], "weight": [-20, 20]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     fn.plot.save(f"{folder}/map.png", sweep.run(), "steps", size=(5, 4))
    ...     text = fn.plot.spec_in(f"{folder}/map.png")
    >>> fn.Sweep.from_toml(text.partition("[picture]")[0]) == sweep
    True
    """
    path = path_of(path)
    data = path.read_bytes()
    found = _MARKED.search(data)
    try:
        if found:
            return base64.b64decode(found[1], validate=True).decode()
        text = _plain(path, data)
    except (ValueError, OSError, SyntaxError) as error:
        raise ValueError(f"{path} is no picture that can be read ({error})") from error
    if not text:
        raise ValueError(f"{path} carries no sweep: fastneuron did not write it, or its comment was removed")
    return text


def _plain(path: Path, data: bytes) -> str:
    if data.lstrip()[:5] in (b"<?xml", b"<svg "):
        return ElementTree.fromstring(data).findtext(f".//{_DESCRIPTION}") or ""
    if data[:5] == b"%PDF-" or data[4:8] == b"ftyp":
        return ""
    from PIL import Image

    with Image.open(path) as image:
        comment = image.info.get("comment", b"")
        text = image.info.get(KEY) or (comment.decode() if isinstance(comment, bytes) else comment)
    return str(text) if "[task]" in str(text) else ""

"""Tables of numbers in text files (CSV), read by explicit rules and nothing guessed.

The text is UTF-8, or UTF-16 or UTF-32 with a byte order mark. The columns are parted by the first of tab,
semicolon and comma that the first line has. Lines that are blank, and those that begin with #, are passed
over. A number is written as in ``-1.5e3``: no decimal comma, no ``1_000``, no NaN.

Not here: which columns mean what (`fastneuron.tasks`).
"""

from __future__ import annotations

import codecs
import csv
import io
import math
import re
from array import array
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path

import numpy as np

from fastneuron.components import shown
from fastneuron.files import content_of

MAX_BYTES = 2**27
MAX_COLUMNS = 2**20
DELIMITERS = {"\t": "tabs", ";": "semicolons", ",": "commas"}
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_PLAIN = re.compile(r"[-+.\deE \t]*", re.ASCII)  # no letters or underscores that `float` would let pass
_QUOTED = re.compile(r'"[^"]*"')
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
_BEGINS_AS_NUMBER = re.compile(r"[-+.\d]|(nan?|n/a|null|none|inf|infinity)$", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?", re.ASCII)
_MARKS = {  # the longer ones first: one of UTF-32 begins as one of UTF-16
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def read_table(path: Path, header: bool | None = None) -> np.ndarray:
    """The numbers in a file, row by row.

    Parameters
    ----------
    path : Path
        A regular file of at most `MAX_BYTES`.
    header : bool, optional
        Whether the first row is a header, whatever it holds. Default: it is one if none of its cells begins
        as a number does.

    Returns
    -------
    float64 array, shape (rows, columns)
        One row or more, all finite.

    Raises
    ------
    ValueError
        If the file cannot be read, or a row is ragged, or not finite numbers; naming file and line.
    """
    try:
        content = content_of(path, MAX_BYTES)
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror or error}") from None
    encoding = next((name for mark, name in _MARKS.items() if content.startswith(mark)), "utf-8")
    text = io.TextIOWrapper(io.BytesIO(content), encoding, newline="")
    numbers, columns, begun = array("d"), 0, False
    try:
        for where, cells, delimiter in _rows(path, text):
            first, begun = not begun, True
            if first and (_is_header(cells) if header is None else header):
                continue
            row = _numbers(where, cells, delimiter, first and header is None)
            if columns and len(row) != columns:
                raise ValueError(f"{where}: {len(row)} columns where {columns} were expected")
            columns = len(row)
            numbers.extend(row)
    except UnicodeError:
        raise ValueError(f"cannot read {path}: it is no text in UTF-8, or in UTF-16 with its mark") from None
    if not columns:
        raise ValueError(f"{path}: no rows of numbers")
    return np.frombuffer(numbers).reshape(-1, columns)


def _rows(path: Path, text: io.TextIOWrapper) -> Iterator[tuple[str, list[str], str]]:
    """Where a row is, its cells, and what parts them."""
    delimiter = ""

    def lines() -> Iterator[str]:
        nonlocal delimiter
        for number, line in enumerate(text, start=1):
            if "\0" in line:
                raise ValueError(f"cannot read {path}: line {number} is no text")
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            if not delimiter:
                unquoted = _QUOTED.sub("", line.strip())
                delimiter = next((mark for mark in DELIMITERS if mark in unquoted), ",")
            if line.count(delimiter) >= MAX_COLUMNS:
                raise ValueError(f"{path}, line {number}: more than {MAX_COLUMNS} columns")
            places.append(number)
            yield line

    places: list[int] = []
    given = lines()
    first = next(given, None)
    if first is None:
        return
    reader = csv.reader(chain([first], given), delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield f"{path}, line {places[0]}", row, delimiter
            places.clear()
    except csv.Error as error:
        raise ValueError(f"{path}, line {places[0]}: {error}") from None


def _is_header(cells: list[str]) -> bool:
    """Whether no cell begins as a number does: a first row of ``1_000`` is wrong, not passed over."""
    words = [cell.strip() for cell in cells]
    return not any(word and _BEGINS_AS_NUMBER.match(word) for word in words)


def _numbers(where: str, cells: list[str], delimiter: str, perhaps_header: bool) -> list[float]:
    if _PLAIN.fullmatch("".join(cells)):
        with suppress(ValueError):
            row = list(map(float, cells))
            if all(map(math.isfinite, row)):
                return row
    for cell in map(str.strip, cells):
        if not NUMBER.fullmatch(cell) or not math.isfinite(float(cell)):
            raise ValueError(f"{where}: {_wrong(cell, delimiter)}" + _HEADER * perhaps_header)
    return list(map(float, cells))


_HEADER = "; if this row is a header, set header to true"


def _wrong(cell: str, delimiter: str) -> str:
    if _NOT_FINITE.fullmatch(cell) or NUMBER.fullmatch(cell):
        return f"not finite: {shown(cell)}"
    if _DECIMAL_COMMA.fullmatch(cell):
        return f"a decimal comma: {shown(cell)}; write {shown(cell.replace(',', '.'))}"
    known = ", ".join(DELIMITERS.values())
    return (
        f"not a number: {shown(cell)} (columns are parted by {DELIMITERS[delimiter]}; possible are {known})"
    )

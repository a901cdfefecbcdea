"""TOML both ways: what `tomllib` reads, and a writer for the tables of a sweep.

The writer is canonical: equal tables in equal order give the same text, and floats are written by repr,
so that every bit comes back.

Not here: what the keys mean; that is `fastneuron.spec`.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any

from fastneuron.components import shown


def loads(text: str) -> dict[str, Any]:
    """The table that `text` holds.

    Raises
    ------
    ValueError
        If `text` is not valid TOML, with the line.
    """
    if not isinstance(text, str):
        raise ValueError(f"a TOML text must be a str, got {shown(text)}")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("not valid TOML: nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"not valid TOML: {error}") from None


def dumps(table: Mapping[str, Any]) -> str:
    """`table` as TOML: first its plain values, then each mapping under its own ``[header]``.

    A mapping inside one of these is written inline. Values are strings, truth values, ints, floats, lists and
    mappings.

    Examples
    --------
    >>> print(dumps({"seed": 0, "axes": {"optimizer.momentum": {"linspace": [0.0, 0.5, 3]}}}), end="")
    seed = 0
    <BLANKLINE>
    [axes]
    "optimizer.momentum" = { linspace = [0.0, 0.5, 3] }
    """
    plain = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    tables = {key: value for key, value in table.items() if isinstance(value, Mapping)}
    parts = [_lines(plain)] if plain else []
    parts += [f"[{_key(key)}]\n{_lines(entries)}" for key, entries in tables.items()]
    return "\n".join(parts)


def _lines(entries: Mapping[str, Any]) -> str:
    return "".join(f"{_key(key)} = {_value(value)}\n" for key, value in entries.items())


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _value(key)


def _value(value: object) -> str:
    if isinstance(value, str):
        # JSON's escapes are TOML's, but JSON leaves DEL as it is
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {_value(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return repr(value)

"""Options that several commands share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter, Token

from fastneuron.files import path_of


def _whole(kind: Any, tokens: Sequence[Token]) -> int:
    # int() where cyclopts would round 1.5 to 2
    try:
        return int(tokens[0].value)
    except ValueError:
        raise ValueError(f"must be a whole number, got {tokens[0].value!r}") from None


_UNITS = {"": 1} | {
    f"{prefix}{kind}": base**power
    for kind, base in (("b", 1000), ("ib", 1024))
    for power, prefix in enumerate(("", "k", "m", "g", "t"))
    if prefix or kind == "b"
}


def _size(kind: Any, tokens: Sequence[Token]) -> int:
    """A number of bytes, as 4GB or 512MiB."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) *([A-Za-z]*)", tokens[0].value)
    unit = _UNITS.get(found[2].lower()) if found else None
    if not found or unit is None or (size := int(float(found[1]) * unit)) < 1:
        raise ValueError(f"must be a size such as 4GB or 512MiB, got {tokens[0].value!r}")
    return size


def _names(kind: Any, tokens: Sequence[Token]) -> tuple[str, ...]:
    return tuple(name.strip() for name in tokens[0].value.split(","))


def _path(kind: Any, tokens: Sequence[Token]) -> Path:
    return path_of(tokens[0].value)


def _store(kind: Any, tokens: Sequence[Token]) -> Any:
    from fastneuron.store.zarr_map import store_like

    return store_like(tokens[0].value)


File = Annotated[Path, Parameter(converter=_path, n_tokens=1)]
Names = Annotated[tuple[str, ...], Parameter(converter=_names, n_tokens=1)]
Size = Annotated[int, Parameter(converter=_size, n_tokens=1)]
Store = Annotated[Any, Parameter(name="STORE", converter=_store, n_tokens=1)]  # a path, or a URL as text
Whole = Annotated[int, Parameter(converter=_whole, n_tokens=1)]
Numbers = Annotated[list[float], Parameter(consume_multiple=True)]
Overrides = Annotated[tuple[str, ...], Parameter(name="--set", n_tokens=1)]
Components = Annotated[tuple[str, ...], Parameter(name="--components", n_tokens=1)]

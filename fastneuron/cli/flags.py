"""Options that several commands share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import Parameter, Token


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


Names = Annotated[tuple[str, ...], Parameter(converter=_names, n_tokens=1)]
Size = Annotated[int, Parameter(converter=_size, n_tokens=1)]
Whole = Annotated[int, Parameter(converter=_whole, n_tokens=1)]
Numbers = Annotated[list[float], Parameter(consume_multiple=True)]
Overrides = Annotated[tuple[str, ...], Parameter(name="--set", n_tokens=1)]
Components = Annotated[tuple[str, ...], Parameter(name="--components", n_tokens=1)]

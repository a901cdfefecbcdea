"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import Parameter, Token


def _whole(kind: Any, tokens: Sequence[Token]) -> int:
    # int() where cyclopts would round 1.5 to 2
    try:
        return int(tokens[0].value)
    except ValueError:
        raise ValueError(f"must be a whole number, got {tokens[0].value!r}") from None


Whole = Annotated[int, Parameter(converter=_whole, n_tokens=1)]
Numbers = Annotated[list[float], Parameter(consume_multiple=True)]
Overrides = Annotated[tuple[str, ...], Parameter(name="--set", n_tokens=1)]

"""Whether the options of a picture, which come from a spec, are of the types that its function asks for."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Union, get_args, get_origin

_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def fits(value: Any, hint: Any) -> bool:
    """Whether a value as TOML has it can be given for a parameter with this annotation."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return any(fits(value, each) for each in inner)
    if origin is Literal:
        return value in inner
    if origin is tuple:
        return (
            isinstance(value, list)
            and len(value) == len(inner)
            and all(fits(own, each) for own, each in zip(value, inner, strict=True))
        )
    if origin is Sequence:
        return isinstance(value, list) and all(fits(own, inner[0]) for own in value)
    if origin is Mapping:
        return isinstance(value, Mapping) and all(fits(own, inner[1]) for own in value.values())
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint) if hint in (bool, str) else hint is not type(None)


def in_words(hint: Any) -> str:
    """What an annotation allows."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(in_words(each) for each in inner if each is not type(None))
    if origin is Literal:
        return " or ".join(map(repr, inner))
    if origin is tuple:
        return f"{len(inner)} of {in_words(inner[0])}"
    if origin is Sequence:
        return f"a list, each {in_words(inner[0])}"
    if origin is Mapping:
        return f"a table, each {in_words(inner[1])}"
    return _WORDS.get(hint, "of another type")

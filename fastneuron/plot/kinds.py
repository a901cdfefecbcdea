"""The kinds of picture by name: drawing functions that need a result and nothing else that is no plain value.

To add one: a file with a function ``f(result, *, ax=None, title=None, legend=True, ...)``, or ``figure=None``
in place of ``ax`` where it makes axes of its own, decorated with `kind`, and its name in
``fastneuron/plot/__init__.py``. Whatever it needs beyond the result's variables, such as a training run, it
takes from the sweep that stands in the result's attributes. Its further arguments, which are numbers, texts,
truth values and lists of them, are options of the picture.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, get_type_hints

Function = TypeVar("Function", bound=Callable[..., Any])
MAP_SIZE = (8.0, 5.5)  # inches
STRIP_SIZE = (8.0, 2.0)  # of a map over one axis
_PLACES = ("ax", "figure")
# options of all maps, those of small multiples, with their types
PANELS: dict[str, Any] = {"over": str, "columns": int, "most": int}


@dataclass(frozen=True)
class Kind:
    """A drawing function.

    `size` is that of its figure in inches, or None for a map, which has `MAP_SIZE` or `STRIP_SIZE`. An
    animated one gives an `Animation` of a figure.
    """

    draw: Callable[..., Any]
    size: tuple[float, float] | None
    animated: bool = False

    @property
    def options(self) -> list[str]:
        """The names of its options."""
        own = [name for name in list(inspect.signature(self.draw).parameters)[1:] if name not in _PLACES]
        return [*own, *PANELS] if self.is_map else own

    @property
    def types(self) -> dict[str, Any]:
        """The annotations of its options."""
        own = get_type_hints(self.draw)
        return {name: own[name] for name in self.options if name in own} | (PANELS if self.is_map else {})

    @property
    def is_map(self) -> bool:
        """Whether it is a map, which can be drawn as small multiples."""
        return self.size is None

    @property
    def whole_figure(self) -> bool:
        """Whether it takes a figure and makes axes of its own."""
        return "figure" in inspect.signature(self.draw).parameters


KINDS: dict[str, Kind] = {}


def kind(
    size: tuple[float, float] | None = None, *, animated: bool = False
) -> Callable[[Function], Function]:
    """Register a drawing function by its name."""

    def register(function: Function) -> Function:
        KINDS[function.__name__] = Kind(function, size, animated)
        return function

    return register

"""Picture files of the commands. Not here: how they are drawn and saved; that is `fastneuron.plot`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray

    from fastneuron.plot import Picture
    from fastneuron.sweep import Sweep


def picture_of(spec: Mapping[str, Any]) -> Picture | None:
    """What the table ``picture`` of a spec describes, if there is one."""
    if "picture" not in spec:
        return None
    from fastneuron.plot import Picture

    return Picture.from_spec(spec["picture"])


def kind_of(variables: Iterable[Any], dims: Iterable[Any]) -> str:
    """What is drawn of a map with these variables and dims that does not say what."""
    from fastneuron.measures.trainability import NEEDED
    from fastneuron.sweep import DRAW

    if DRAW in dims:
        return "shares"
    return "trainability" if set(NEEDED) <= set(variables) else "outcome"


def only_sweep(sweep: Sweep) -> xarray.Dataset:
    """A result that holds nothing but its sweep, for pictures that need no more."""
    import xarray

    from fastneuron.result import attributes_of

    return xarray.Dataset(attrs=attributes_of(sweep))

"""Picture files of the commands. Not here: how they are drawn and saved; that is `fastneuron.plot`."""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray

    from fastneuron.plot import Picture
    from fastneuron.sweep import Sweep


def load_matplotlib() -> None:
    """Import Matplotlib with its own settings, whatever other programs left for theirs.

    A command writes files: it needs no backend of a notebook or a desktop. Matplotlib looks for a
    ``matplotlibrc`` in the current folder first, so it is imported in the folder of the one that it comes with.
    """
    if "matplotlib" in sys.modules:
        return
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # a folder for its cache that cannot be written
    found = importlib.util.find_spec("matplotlib")
    assert found is not None and found.origin is not None
    given = os.environ.get("MPLBACKEND")
    os.environ["MPLBACKEND"] = "agg"
    here = os.open(".", os.O_RDONLY)
    try:
        os.chdir(Path(found.origin).parent / "mpl-data")
        import matplotlib as matplotlib
    finally:
        os.fchdir(here)
        os.close(here)
        del os.environ["MPLBACKEND"]
        if given is not None:
            os.environ["MPLBACKEND"] = given


def picture_of(spec: Mapping[str, Any]) -> Picture | None:
    """What the table ``picture`` of a spec describes, if there is one."""
    if "picture" not in spec:
        return None
    from fastneuron.plot import Picture

    return Picture.from_spec(spec["picture"])


def kind_of(variables: Iterable[Any], dims: Collection[Any], chosen: str | None) -> str:
    """What is drawn of a map with these variables and dims, and that of chosen starts, if nothing says what."""
    from fastneuron.measures.trainability import NEEDED
    from fastneuron.places import DRAW

    if DRAW in dims or (chosen in dims and len(dims) < 3):
        return "shares"
    return "trainability" if set(NEEDED) <= set(variables) else "outcome"


def only_sweep(sweep: Sweep) -> xarray.Dataset:
    """A result that holds nothing but its sweep, for pictures that need no more."""
    import xarray

    from fastneuron.result import attributes_of

    return xarray.Dataset(attrs=attributes_of(sweep))


def kind_of_result(result: xarray.Dataset) -> str:
    """What is drawn of a stored map that does not say what."""
    from fastneuron.plot.caption import chosen_dim

    return kind_of(result, result["outcome"].dims, chosen_dim(result))

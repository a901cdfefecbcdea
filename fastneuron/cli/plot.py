"""``fastneuron plot``: a picture of a stored map."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from fastneuron.cli import files, pictures

Kind = Literal["outcome", "steps", "loss", "learned", "trainability"]


def plot(
    store: Annotated[Path, Parameter(name="STORE")],
    /,
    *,
    kind: Kind = "outcome",
    out: Path | None = None,
) -> None:
    """Draw a map that 'fastneuron map' has written, or the part of it that is done.

    For example:

    fastneuron plot inverter.zarr --kind steps

    Parameters
    ----------
    store
        The map, a .zarr folder.
    kind
        What to draw: what became of each start, the steps it took, its last loss, the truth table it ended with, or how fast its losses fell (for maps that record them as 'fastneuron map trainability' does); without it what became of it.
    out
        The picture (.png, .svg or .pdf); without it NAME-KIND.png beside the map.
    """
    from fastneuron import store as stores

    result = stores.open(store, partial=True)
    named = store if store.name else store.absolute()
    picture = named.with_name(f"{named.stem}-{kind}.png") if out is None else out
    files.check_picture(picture)
    if kind != "trainability" and kind not in result:
        raise ValueError(f"{store} has no {kind!r}; it has {', '.join(map(str, result.data_vars))}")
    with files.reading(store):
        pictures.save_map(picture, result, kind)
    print(f"wrote {picture}")

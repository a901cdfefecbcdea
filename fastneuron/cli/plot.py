"""``fastneuron plot``: a picture of a stored map."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from fastneuron.cli import files, pictures
from fastneuron.cli.components import load_components
from fastneuron.cli.flags import Components, Overrides
from fastneuron.cli.spec import overridden


def plot(
    store: Annotated[Path, Parameter(name="STORE")],
    /,
    *,
    kind: str | None = None,
    overrides: Overrides = (),
    components: Components = (),
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
        What to draw, as outcome, steps, loss or learned: what became of each start, the steps it took, its last loss, or the truth table it ended with; 'fastneuron tasks' lists all. Without it what 'fastneuron map' draws.
    overrides
        Change an option of the picture: title='My map', legend=false, size='[3.5, 2.5]' (inches), dpi=300, style=print. May be repeated.
    components
        Load this file or module, which defines components of your own: soft.py, or soft where Python finds it. May be repeated.
    out
        The picture (.png, .svg or .pdf; of an animation .gif, or .mp4 where ffmpeg is); without it NAME-KIND.png or .gif beside the map.
    """
    from fastneuron import store as stores
    from fastneuron.plot import Picture

    load_components(components)
    table = overridden({} if kind is None else {"kind": kind}, overrides)
    drawn = Picture.from_spec(table) if "kind" in table else None  # what is wrong with it comes first
    result = stores.open(store, partial=True)
    if drawn is None:
        drawn = Picture.from_spec({"kind": pictures.kind_of(result, result["outcome"].dims)} | table)
    beside = store if store.name else store.absolute()
    picture = beside.with_name(f"{beside.stem}-{drawn.kind}.{drawn.format}") if out is None else out
    files.check_picture(picture, tuple(f".{name}" for name in drawn.formats))
    with files.reading(store):
        drawn.save(picture, result, None)
    print(f"wrote {picture}")

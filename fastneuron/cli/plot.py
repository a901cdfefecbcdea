"""``fastneuron plot``: a picture of a stored map."""

from __future__ import annotations

from pathlib import Path

from fastneuron.cli import files, pictures, printing
from fastneuron.cli.components import load_components
from fastneuron.cli.flags import Components, File, Overrides, Store
from fastneuron.cli.spec import overridden


def plot(
    store: Store,
    /,
    *,
    kind: str | None = None,
    overrides: Overrides = (),
    components: Components = (),
    out: File | None = None,
    verify: bool = False,
) -> None:
    """Draw a map that 'fastneuron map' has written, or the part of it that is done.

    For example:

    fastneuron plot inverter.zarr --kind steps

    Parameters
    ----------
    store
        The map, a .zarr folder or a URL.
    kind
        What to draw, as outcome, steps, loss or learned: what became of each start, the steps it took, its last loss, or the truth table it ended with; 'fastneuron tasks' lists all. Without it what 'fastneuron map' draws.
    overrides
        Change an option of the picture: title='My map', legend=false, size='[3.5, 2.5]' (inches), dpi=300, style=print. May be repeated.
    components
        Load this file or module, which defines components of your own: soft.py, or soft where Python finds it. May be repeated.
    out
        The picture (.png, .svg or .pdf; of an animation .gif, or .mp4 where ffmpeg is); without it NAME-KIND.png or .gif beside the map.
    verify
        Read every tile first and compare it with its checksum, as 'fastneuron verify' does.
    """
    pictures.load_matplotlib()
    from fastneuron import store as stores
    from fastneuron.plot import Picture

    load_components(components)
    table = overridden({} if kind is None else {"kind": kind}, overrides)
    drawn = Picture.from_spec(table) if "kind" in table else None  # what is wrong with it comes first
    result = stores.open(store, partial=True, verify=verify)
    if drawn is None:
        drawn = Picture.from_spec({"kind": pictures.kind_of_result(result)} | table)
    beside = store if isinstance(store, Path) else Path(store.rstrip("/").rpartition("/")[2])
    beside = beside if beside.name else beside.absolute()
    picture = beside.with_name(f"{beside.stem}-{drawn.kind}.{drawn.format}") if out is None else out
    files.check_picture(picture, tuple(f".{name}" for name in drawn.formats))
    with files.reading(store):
        drawn.save(picture, result, None)
    printing.show(f"wrote {printing.word(picture)}")

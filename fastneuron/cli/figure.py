"""``fastneuron figure``: ready figures, drawn where they are not drawn already."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from fastneuron.cli import files, pictures, printing
from fastneuron.cli.components import load_components
from fastneuron.cli.flags import Components, File, Overrides, Whole
from fastneuron.cli.spec import overridden, with_points

if TYPE_CHECKING:
    from fastneuron.figures import ReadyFigure


def figure(
    name: Annotated[str | None, Parameter(name="NAME")] = None,
    /,
    *,
    out: File | None = None,
    every: Annotated[File | None, Parameter(name="--all")] = None,
    format: str | None = None,
    points: Whole | None = None,
    overrides: Overrides = (),
    components: Components = (),
    force: bool = False,
    quiet: bool = False,
) -> None:
    """Draw a ready figure, or list them.

    A figure that is drawn already, by the same versions and from the same spec, is left as it is: a picture carries its spec, so that nothing else need be kept.

    For example:

    fastneuron figure basins

    fastneuron figure --all docs/figures

    Parameters
    ----------
    name
        The figure; without it, and without --all, all are listed.
    out
        The picture (.png, .svg or .pdf; of an animation .gif, or .mp4 where ffmpeg is); without it NAME.png or NAME.gif in the current folder.
    every
        Draw all figures into this folder, made if need be.
    format
        What pictures end in without --out: png, svg or pdf. Animations are .gif.
    points
        Points on every linspace and geomspace axis.
    overrides
        Change any entry of the figure's spec: optimizer.learning_rate=10, picture.dpi=300, picture.size='[3.5, 2.5]'. May be repeated.
    components
        Load this file or module, which defines components of your own: soft.py, or soft where Python finds it. May be repeated.
    force
        Draw it again, even if it is drawn.
    quiet
        No progress bar.
    """
    pictures.load_matplotlib()
    from fastneuron import figures

    load_components(components, overrides)
    if format is not None and f".{format}" not in files.PICTURES:
        raise ValueError(f"--format must be png, svg or pdf, got {format!r}")
    if name is not None and every is not None:
        raise ValueError("give NAME or --all, not both")
    if every is not None and (out or points or overrides):
        raise ValueError("--all draws the figures as they are: it does not go with --out, --points or --set")
    if name is None and every is None:
        if out or points or overrides:
            raise ValueError("give NAME, the figure to draw; 'fastneuron figure' lists them")
        rows = [[known, figures.load(known).title] for known in figures.names()]
        printing.show(printing.table(["name", "shows"], rows, text=(0, 1)))
        return
    if name is not None:
        wanted = figures.load(name)
        if points is not None:
            with_points(wanted.spec, points)
        changed = figures.ReadyFigure(overridden(wanted.spec, overrides), name, wanted.title, wanted.text)
        picture = Path(f"{name}.{_ending(changed, format)}") if out is None else out
        endings = tuple(f".{own}" for own in changed.picture.formats)
        printing.show(_drawn(changed, files.check_picture(picture, endings), force, quiet))
        return
    assert every is not None
    files.check_folder(every)
    files.make_folder(every)
    refused = []
    for known in figures.names():
        own = figures.load(known)
        try:
            printing.show(_drawn(own, every / f"{known}.{_ending(own, format)}", force, quiet))
        except ValueError as error:
            refused.append(str(error))
    if refused:
        raise ValueError("; ".join(refused))


def _ending(wanted: ReadyFigure, given: str | None) -> str:
    """What the file of a figure ends in."""
    return wanted.picture.format if given is None or wanted.picture.moves else given


def _drawn(wanted: ReadyFigure, path: Path, force: bool, quiet: bool) -> str:
    """Draw a figure if need be; says what was done."""
    from fastneuron.plot import spec_in

    if wanted.is_drawn(path) and not force:
        return f"{printing.word(path)} is up to date"
    if path.exists():
        try:
            spec_in(path)
        except ValueError as error:
            raise ValueError(f"{error}; it is not replaced; move it away, or give another name") from None
    began = time.perf_counter()
    wanted.save(path, False if quiet else None)
    return f"wrote {printing.word(path)} ({time.perf_counter() - began:.1f} s)"

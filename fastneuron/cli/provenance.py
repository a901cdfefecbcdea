"""``fastneuron spec``: what a picture shows, as the spec that makes it again."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from fastneuron.cli import pictures, printing
from fastneuron.cli.components import load_components
from fastneuron.cli.flags import Components, File


def spec(picture: Annotated[File, Parameter(name="PICTURE")], /, *, components: Components = ()) -> None:
    """Print the spec that a picture carries: its sweep, and how it is drawn.

    For example, to make a picture again that was found somewhere:

    fastneuron spec picture.png > again.toml

    fastneuron map again.toml

    Parameters
    ----------
    picture
        A .png, .svg, .pdf, .gif or .mp4 file that fastneuron has written.
    components
        Load this file or module, which defines components of your own: soft.py, or soft where Python finds it. May be repeated.
    """
    pictures.load_matplotlib()
    from fastneuron.plot import spec_in

    load_components(components)
    printing.show(spec_in(picture), end="")

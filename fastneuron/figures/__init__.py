"""Ready figures: specs with a table ``picture``, each a TOML file in this folder.

To add one: a file ``name.toml`` here. Its comment at the top is a title in the first line, then what there is
to see; it should take a few seconds at most.
"""

from __future__ import annotations

import base64
import html
import io
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastneuron import toml
from fastneuron.components import nearest, shown
from fastneuron.engine.progress import Report
from fastneuron.files import path_of
from fastneuron.plot.metadata import spec_in
from fastneuron.plot.picture import Picture, text_of
from fastneuron.result import CODE, code_in
from fastneuron.sweep import Sweep

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN_DPI = 100  # of the picture in a notebook
FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class ReadyFigure:
    """A sweep and how it is drawn.

    Parameters
    ----------
    spec : dict
        Parsed TOML of a sweep, with a table ``picture`` if need be.
    name, title, text : str
        What it is called, and what there is to see.

    Raises
    ------
    ValueError
        Naming the key of `spec`, its value and what is allowed.

    Examples
    --------
    >>> import fastneuron as fn
    >>> figure = fn.figures.load("progress")
    >>> figure.title
    'From a first guess to the flipped step'
    >>> figure.picture.kind
    'progress'
    """

    spec: dict[str, Any]
    name: str = ""
    title: str = ""
    text: str = ""

    def __post_init__(self) -> None:
        _ = self.sweep, self.picture  # raises

    @cached_property
    def sweep(self) -> Sweep:
        """What is run."""
        return Sweep.from_spec(self.spec)

    @cached_property
    def picture(self) -> Picture:
        """How it is drawn."""
        return Picture.from_spec(self.spec.get("picture", {}))

    @property
    def toml(self) -> str:
        """The text that the file of the figure carries; a spec for ``fastneuron map``."""
        return self._text(self.picture)

    def _text(self, picture: Picture) -> str:
        code = code_in({CODE: self.sweep.component_code})
        return text_of(self.sweep.to_toml(), "", code, picture)

    def draw(self) -> Figure:
        """Run the sweep, and draw it on a new figure.

        Returns
        -------
        Figure
            Of the picture's size; pyplot does not know it, so it needs no closing.

        Raises
        ------
        ValueError
            If the result cannot be drawn so, for the reason that the kind gives.
        """
        return self.picture.draw(self.sweep.run(progress=False))

    def _repr_html_(self) -> str:
        """What notebooks show: title, text and picture, for which the sweep is run once."""
        told = "".join(f"<p>{html.escape(part)}</p>" for part in self.text.split("\n\n") if part)
        source = f"data:image/png;base64,{self._shown}"
        picture = f'<img src="{source}" alt="{html.escape(self.title or self.name)}" style="max-width: 100%">'
        return f"<div><strong>{html.escape(self.title or self.name)}</strong>{told}{picture}</div>"

    @cached_property
    def _shown(self) -> str:
        """The picture as a PNG, of an animation its last frame, in base64."""
        held = io.BytesIO()
        self.draw().savefig(held, format="png", dpi=SHOWN_DPI)
        return base64.b64encode(held.getvalue()).decode("ascii")

    def __repr__(self) -> str:
        about = f" {self.name!r}: {self.title}" if self.name else ""
        return f"<ReadyFigure{about}, {self.picture.kind} of {self.sweep.points:,} starts>"

    def save(self, path: Path | str, progress: bool | Report | None = False) -> None:
        """Run the sweep, and draw it into a file that carries `toml`.

        Parameters
        ----------
        path : path
            Ends in .png, .svg or .pdf, of an animation in .gif or .mp4.
        progress : bool or callable, optional
            As `Sweep.run` has it.

        Raises
        ------
        ValueError, OSError
            As `fastneuron.plot.save`.
        """
        self.picture.save(path, self.sweep.run(progress=progress), progress)

    def is_drawn(self, path: Path | str) -> bool:
        """Whether a file is this very figure, drawn by these versions of fastneuron and Matplotlib.

        And by the same code of components of your own.

        Parameters
        ----------
        path : path
            A .png, .svg or .pdf file; it need not be there.

        Returns
        -------
        bool
            True where the text in the file is that which `save` would write; false also for a file that is
            not there, is no picture, or carries no such text.

        Raises
        ------
        ValueError
            If the name ends in something else.
        """
        path = path_of(path)
        ending = path.suffix.lower().removeprefix(".")
        try:
            return spec_in(path) == self._text(replace(self.picture, format=ending))
        except (ValueError, OSError):
            return False


def names() -> list[str]:
    """The names of the ready figures.

    Returns
    -------
    list of str
        In alphabetical order.

    Examples
    --------
    >>> import fastneuron as fn
    >>> "inverter" in fn.figures.names()
    True
    """
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name: str) -> ReadyFigure:
    """The ready figure of a name.

    Parameters
    ----------
    name : str
        One of `names`.

    Returns
    -------
    ReadyFigure
        With title and text; nothing has run yet.

    Raises
    ------
    ValueError
        If there is none of that name.

    Examples
    --------
    >>> import fastneuron as fn
    >>> figure = fn.figures.load("inverter")
    >>> figure.sweep.task.name, figure.picture.kind
    ('inverter', 'outcome')
    """
    if name not in names():
        raise ValueError(
            f"no figure {shown(name)}{nearest(str(name), names())}; there are: {', '.join(names())}"
        )
    text = (FOLDER / f"{name}.toml").read_text(encoding="utf-8")
    comment = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        comment.append(line.removeprefix("#").strip())
    title, *rest = comment
    return ReadyFigure(toml.loads(text), name, title, "\n".join(rest).strip())

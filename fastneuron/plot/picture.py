"""Picture: how a result is drawn, as a value that a spec can hold; and picture files that carry their spec.

In a spec it is the table ``picture``: ``kind``, the options of that kind, and ``size``, ``dpi`` and
``format`` of the file. Together with the sweep that is all there is to a picture file, so the text that a
file carries makes it again. Files are drawn with Matplotlib's own settings, whatever the user's are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
import xarray as xr

import fastneuron
from fastneuron import toml
from fastneuron.components import nearest, shown, shown_key
from fastneuron.engine.progress import Report
from fastneuron.files import path_of, replaced
from fastneuron.fingerprint import package_fingerprint
from fastneuron.outcomes import Outcome
from fastneuron.plot.animation import Animation
from fastneuron.plot.caption import NOTE
from fastneuron.plot.facets import Facets
from fastneuron.plot.kinds import KINDS, MAP_SIZE, PANELS, STRIP_SIZE
from fastneuron.plot.metadata import marked, metadata_of
from fastneuron.plot.option_types import fits, in_words
from fastneuron.plot.panels import usual_size
from fastneuron.plot.shown_part import shown_sweep
from fastneuron.result import code_in

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STILL, MOVING = ("png", "svg", "pdf"), ("gif", "mp4")
DPI = {"screen": 150, "print": 300}  # by style
MOVING_DPI = 100
_OWN = ("kind", "size", "dpi", "style", "format", "note")  # keys that are no options of the kind
SIDES = (0.5, 60.0)  # inches
RESOLUTIONS = (10, 2400)  # dots an inch


@dataclass(frozen=True)
class Picture:
    """What is drawn of a result, and the file it makes.

    Parameters
    ----------
    kind : str
        Name of a drawing function of `fastneuron.plot`.
    options : mapping of str to number, str, bool or list of them
        Its arguments.
    size : (float, float), optional
        Width and height in inches, 0.5 to 60; default that of the kind.
    dpi : int, 10 to 2400, optional
        Pixels an inch; default 150, in print 300, of an animation 100.
    style : str
        ``"screen"``, or ``"print"``: small type and thin lines in a column of 3.5 inches, the style sheet
        ``fastneuron.plot.fastneuron``.
    format : str, optional
        ``"png"``, ``"svg"`` or ``"pdf"``, of an animation ``"gif"`` or ``"mp4"``, which needs the program
        ffmpeg; default the first of these. `save` goes by the name of the file instead.
    note : str, optional
        A line below the default title. A file drawn of a part of a result has what was selected here, as
        ``"gain 2"``, since the sweep that it carries is that of the part.

    Raises
    ------
    ValueError
        Naming the field, its value and what is allowed.

    Examples
    --------
    >>> import fastneuron as fn
    >>> picture = fn.plot.Picture("steps", {"legend": False}, size=(3, 2))
    >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0),
    ...                  axes={"bias": [0, 10], "weight": [-20, 20]})
    >>> picture.draw(sweep.run()).get_size_inches().tolist()
    [3.0, 2.0]
    """

    kind: str = "outcome"
    options: Mapping[str, Any] = None  # type: ignore[assignment] # {}; its signature shows no factory
    size: tuple[float, float] | None = None
    dpi: int | None = None
    style: str = "screen"
    format: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.kind, str) or self.kind not in KINDS:
            text = f"kind: no picture {shown(self.kind)}{nearest(str(self.kind), KINDS)}"
            raise ValueError(f"{text}; known: {', '.join(KINDS)}")
        object.__setattr__(self, "options", {} if self.options is None else self.options)
        allowed = KINDS[self.kind].options
        for name in self.options:
            if name not in allowed:
                text = f"{shown_key(name)}: no option of {self.kind}{nearest(str(name), allowed)}"
                raise ValueError(f"{text}; it has: {', '.join(allowed)}")
        options = {name: _plain(name, value) for name, value in self.options.items() if value is not None}
        for name, value in options.items():
            hint = KINDS[self.kind].types[name]
            if not fits(value, hint):
                raise ValueError(f"{name} must be {in_words(hint)}, got {shown(value)}")
        object.__setattr__(self, "options", options)
        if self.size is not None:
            sides = np.asarray(self.size, dtype=object)
            low, high = SIDES
            if sides.shape != (2,) or not all(_is_number(side) and low <= side <= high for side in sides):
                text = f"two numbers of inches from {low} to {high:g}, width and height"
                raise ValueError(f"size must be {text}, got {shown(self.size)}")
            object.__setattr__(self, "size", (float(sides[0]), float(sides[1])))
        low, high = RESOLUTIONS
        whole = isinstance(self.dpi, int) and not isinstance(self.dpi, bool)
        if self.dpi is not None and not (whole and low <= self.dpi <= high):
            raise ValueError(f"dpi must be a whole number from {low} to {high}, got {shown(self.dpi)}")
        if not isinstance(self.style, str) or self.style not in DPI:
            raise ValueError(f"style must be {' or '.join(DPI)}, got {shown(self.style)}")
        if self.format == "":
            object.__setattr__(self, "format", self.formats[0])
        if not isinstance(self.format, str) or self.format not in self.formats:
            raise ValueError(
                f"format of {self.kind} must be {', '.join(self.formats)}, got {shown(self.format)}"
            )

        if not isinstance(self.note, str):
            raise ValueError(f"note must be a text, got {shown(self.note)}")

    @property
    def moves(self) -> bool:
        """Whether it is an animation."""
        return KINDS[self.kind].animated

    @property
    def formats(self) -> tuple[str, ...]:
        """The endings that its file may have."""
        return MOVING if self.moves else STILL

    @classmethod
    def from_spec(cls, table: Any) -> Picture:
        """The picture that the table ``picture`` of a spec describes.

        Parameters
        ----------
        table : mapping
            ``kind``, ``size``, ``dpi``, ``style``, ``format`` and ``note``, each optional; all other keys are
            options.

        Returns
        -------
        Picture
            With defaults for what the table lacks.

        Raises
        ------
        ValueError
            Naming the key, its value and what is allowed.
        """
        if not isinstance(table, Mapping):
            raise ValueError(f"picture must be a table, got {shown(table)}")
        own = {name: table[name] for name in _OWN if name in table}
        try:
            return cls(options={name: value for name, value in table.items() if name not in own}, **own)
        except ValueError as error:
            raise ValueError(f"picture.{error}") from None

    def to_spec(self) -> dict[str, Any]:
        """The table that `from_spec` turns back into this.

        Returns
        -------
        dict of str to number, str, bool or list of them
            Without what has its default.
        """
        size = {} if self.size is None else {"size": list(self.size)}
        dpi = {} if self.dpi is None else {"dpi": self.dpi}
        style = {} if self.style == "screen" else {"style": self.style}
        ending = {} if self.format == self.formats[0] else {"format": self.format}
        note = {"note": self.note} if self.note else {}
        return {"kind": self.kind, **self.options, **size, **dpi, **style, **ending, **note}

    def text(self, result: xr.Dataset) -> str:
        """The spec of the picture of a result, and on a line before it the versions that draw it.

        Parameters
        ----------
        result : Dataset
            What `Sweep.run` or `fastneuron.open` returns.

        Returns
        -------
        str
            TOML; what `save` writes into the file.
        """
        sweep, remark, selected = shown_sweep(result)
        note = ", ".join(filter(None, (selected, self.note)))
        return text_of(sweep, remark, code_in(result.attrs), replace(self, note=note))

    def draw(self, result: xr.Dataset) -> Figure:
        """A new figure of the result, of an animation with its last frame.

        Parameters
        ----------
        result : Dataset
            What `Sweep.run` or `fastneuron.open` returns.

        Returns
        -------
        Figure
            Not one of pyplot's, so it needs no closing.

        Raises
        ------
        ValueError
            If the result cannot be drawn so, for the reason that the function gives.
        """
        with self._settings():
            drawn = self._drawn(result)
            if isinstance(drawn, Animation):
                drawn.draw(drawn.frames - 1)
                return drawn.figure
            return drawn

    def _settings(self) -> AbstractContextManager[None]:
        """Matplotlib's own settings, not the user's, or those for print."""
        from matplotlib import style

        sheets = ["fastneuron.plot.fastneuron"] if self.style == "print" else []
        return style.context([*sheets, {"svg.hashsalt": "fastneuron"}], after_reset=True)

    def _drawn(self, result: xr.Dataset) -> Figure | Animation:
        from matplotlib.figure import Figure

        if self.note:
            result = result.assign_attrs({NOTE: self.note})
        kind = KINDS[self.kind]
        size = matplotlib.rcParams["figure.figsize"] if self.style == "print" else None
        size = self.size or size
        panels = {name: self.options[name] for name in PANELS if kind.is_map and name in self.options}
        options = {name: value for name, value in self.options.items() if name not in panels}
        if kind.is_map and (panels or _variable(result, self.kind).ndim == 3):
            facets = Facets(**panels)
            size = size or usual_size(result, _variable(result, self.kind), facets)
            figure = Figure(figsize=size, layout="constrained")
            kind.draw(result, ax=replace(facets, figure=figure), **options)
            return figure
        figure = Figure(figsize=size or kind.size or _map_size(result, self.kind), layout="constrained")
        if kind.whole_figure:
            moving = kind.draw(result, figure=figure, **options)
            return moving if isinstance(moving, Animation) else figure
        else:
            kind.draw(result, ax=figure.subplots(), **options)
        return figure

    def save(self, path: Path | str, result: xr.Dataset, progress: bool | Report | None = False) -> None:
        """Draw the result into a file, which is replaced by a whole one or stays.

        Parameters
        ----------
        path : path
            Ends in one of `formats`.
        result : Dataset
            What `Sweep.run` or `fastneuron.open` returns.
        progress : bool or callable, optional
            Of an animation: whether to show progress, or a callable that is given (done, total) in frames.
            None: shown on a terminal or in a notebook.

        Raises
        ------
        ValueError
            If the name ends in something else, or as `draw`.
        OSError
            If the file cannot be written.
        """
        path = path_of(path)
        suffix = path.suffix.lower()
        if suffix.removeprefix(".") not in self.formats:
            endings = ", ".join(f".{name}" for name in self.formats)
            what = "an animation" if self.moves else "a picture"
            raise ValueError(f"{path}: {what}'s name must end in {endings}")
        text = replace(self, format=suffix[1:]).text(result)
        dpi = self.dpi or (MOVING_DPI if self.moves else DPI[self.style])
        with self._settings():
            drawn = self._drawn(result)
            if isinstance(drawn, Animation):
                carried = marked(text) if suffix == ".mp4" else text
                drawn.save(path, spec=carried, dpi=dpi, progress=progress)
                return
            with replaced(path) as new:
                try:
                    drawn.savefig(new, dpi=dpi, metadata=metadata_of(suffix, text))
                except ValueError as error:
                    if "Parse" not in str(error):
                        raise
                    advice = "a text between dollars must be mathematics; write \\$ for the sign itself"
                    raise ValueError(f"title: {advice} ({' '.join(str(error).split())})") from error


def text_of(sweep: str, note: str, code: Mapping[str, str], picture: Picture) -> str:
    """The text that the file of a picture carries: versions, a note, a sweep as TOML, and the picture.

    `code` is that of components from outside fastneuron (`fastneuron.result.code_in`).
    """
    made = f"# fastneuron {fastneuron.__version__} ({package_fingerprint()[:12]})"
    drawn = toml.dumps({"picture": picture.to_spec()})
    noted = f"# {note}\n" if note else ""
    noted += f"# component_code: {json.dumps(code)}\n" if code else ""
    return f"{made}, Matplotlib {matplotlib.__version__}\n{noted}{sweep}\n{drawn}"


def save(
    path: Path | str,
    result: xr.Dataset,
    kind: str = "outcome",
    *,
    size: tuple[float, float] | None = None,
    dpi: int | None = None,
    style: str = "screen",
    **options: Any,
) -> None:
    """Draw a result into a file that carries its sweep and how it is drawn.

    Parameters
    ----------
    path : path
        Ends in .png, .svg or .pdf, of an animation in .gif or .mp4. A file that is there is replaced by a
        whole one or stays.
    result : Dataset
        What `Sweep.run` or `fastneuron.open` returns.
    kind : str
        Name of a drawing function of this module, as ``"steps"``.
    size : (float, float), optional
        Width and height in inches, 0.5 to 60; default that of the kind.
    dpi : int, 10 to 2400, optional
        Pixels an inch.
    style : {"screen", "print"}
        In print a figure is a column of 3.5 inches wide, with small type and thin lines.
    **options
        Arguments of the function: numbers, texts, truth values and lists of them.

    Raises
    ------
    ValueError
        If an argument is not what is described here, or the result cannot be drawn so.
    OSError
        If the file cannot be written.

    Notes
    -----
    `spec_in`, or ``fastneuron spec PICTURE``, gives the text back, from which ``fastneuron map`` makes the
    file again. The same result gives the same bytes.

    Examples
    --------
    >>> import tempfile
    >>> import fastneuron as fn
    >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0),
    ...                  axes={"bias": [0, 10], "weight": [-20, 20]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     fn.plot.save(f"{folder}/map.png", sweep.run(), size=(5, 4))
    ...     text = fn.plot.spec_in(f"{folder}/map.png")
    >>> print(text[text.index("[picture]"):].strip())
    [picture]
    kind = "outcome"
    size = [5.0, 4.0]
    """
    Picture(kind, options, size, dpi, style).save(path, result)


def _variable(result: xr.Dataset, kind: str) -> xr.DataArray:
    """The variable of which a map is drawn."""
    return result[kind if kind in result else next(iter(result.data_vars))]


def _map_size(result: xr.Dataset, kind: str) -> tuple[float, float]:
    return MAP_SIZE if _variable(result, kind).ndim > 1 else STRIP_SIZE


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _plain(name: str, value: Any) -> Any:
    """An option as TOML has it."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _plain(name, inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(name, inner) for inner in value]
    if isinstance(value, Outcome):
        return value.word
    if isinstance(value, bool | int | float | str):
        return value
    raise ValueError(f"{name} must be made of numbers, texts and lists to be saved, got {shown(value)}")

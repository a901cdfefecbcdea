"""Picture: how a result is drawn, as a value that a spec can hold; and picture files that carry their spec.

In a spec it is the table ``picture``: ``kind``, the options of that kind, and ``size``, ``dpi`` and
``format`` of the file. Together with the sweep that is all there is to a picture file, so the text that a
file carries makes it again. Files are drawn with Matplotlib's own settings, whatever the user's are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
import xarray as xr

import fastneuron
from fastneuron import toml
from fastneuron.components import nearest, shown, shown_key
from fastneuron.files import replaced
from fastneuron.fingerprint import package_fingerprint
from fastneuron.plot.facets import Facets
from fastneuron.plot.kinds import KINDS, MAP_SIZE, PANELS, STRIP_SIZE
from fastneuron.plot.metadata import metadata_of
from fastneuron.plot.panels import usual_size

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")
DPI = 150
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
    dpi : int
        Pixels an inch, 10 to 2400.
    format : str
        ``"png"``, ``"svg"`` or ``"pdf"``; `save` goes by the name of the file instead.

    Raises
    ------
    ValueError
        Naming the field, its value and what is allowed.
    """

    kind: str = "outcome"
    options: Mapping[str, Any] = field(default_factory=dict)
    size: tuple[float, float] | None = None
    dpi: int = DPI
    format: str = "png"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            text = f"kind: no picture {shown(self.kind)}{nearest(str(self.kind), KINDS)}"
            raise ValueError(f"{text}; known: {', '.join(KINDS)}")
        allowed = KINDS[self.kind].options
        for name in self.options:
            if name not in allowed:
                text = f"{shown_key(name)}: no option of {self.kind}{nearest(str(name), allowed)}"
                raise ValueError(f"{text}; it has: {', '.join(allowed)}")
        options = {name: _plain(name, value) for name, value in self.options.items() if value is not None}
        object.__setattr__(self, "options", options)
        if self.size is not None:
            sides = np.asarray(self.size, dtype=object)
            low, high = SIDES
            if sides.shape != (2,) or not all(_is_number(side) and low <= side <= high for side in sides):
                text = f"two numbers of inches from {low} to {high:g}, width and height"
                raise ValueError(f"size must be {text}, got {shown(self.size)}")
            object.__setattr__(self, "size", (float(sides[0]), float(sides[1])))
        low, high = RESOLUTIONS
        if not isinstance(self.dpi, int) or isinstance(self.dpi, bool) or not low <= self.dpi <= high:
            raise ValueError(f"dpi must be a whole number from {low} to {high}, got {shown(self.dpi)}")
        if self.format not in FORMATS:
            raise ValueError(f"format must be {', '.join(FORMATS)}, got {shown(self.format)}")

    @classmethod
    def from_spec(cls, table: Any) -> Picture:
        """The picture that the table ``picture`` of a spec describes.

        Raises
        ------
        ValueError
            Naming the key, its value and what is allowed.
        """
        if not isinstance(table, Mapping):
            raise ValueError(f"picture must be a table, got {shown(table)}")
        own = {name: table[name] for name in ("kind", "size", "dpi", "format") if name in table}
        try:
            return cls(options={name: value for name, value in table.items() if name not in own}, **own)
        except ValueError as error:
            raise ValueError(f"picture.{error}") from None

    def to_spec(self) -> dict[str, Any]:
        """The table that `from_spec` turns back into this."""
        size = {} if self.size is None else {"size": list(self.size)}
        dpi = {} if self.dpi == DPI else {"dpi": self.dpi}
        kind = {} if self.format == "png" else {"format": self.format}
        return {"kind": self.kind, **self.options, **size, **dpi, **kind}

    def text(self, result: xr.Dataset) -> str:
        """The spec of the picture of a result, and on a line before it the versions that draw it."""
        return text_of(str(result.attrs.get("sweep", "")), self)

    def draw(self, result: xr.Dataset) -> Figure:
        """A new figure of the result.

        Raises
        ------
        ValueError
            If the result cannot be drawn so, for the reason that the function gives.
        """
        from matplotlib.figure import Figure

        kind = KINDS[self.kind]
        panels = {name: self.options[name] for name in PANELS if kind.is_map and name in self.options}
        options = {name: value for name, value in self.options.items() if name not in panels}
        if kind.is_map and (panels or _drawn(result, self.kind).ndim == 3):
            facets = Facets(**panels)
            size = self.size or usual_size(_drawn(result, self.kind), facets)
            figure = Figure(figsize=size, layout="constrained")
            kind.draw(result, ax=replace(facets, figure=figure), **options)
            return figure
        figure = Figure(figsize=self.size or kind.size or _map_size(result, self.kind), layout="constrained")
        if kind.whole_figure:
            kind.draw(result, figure=figure, **options)
        else:
            kind.draw(result, ax=figure.subplots(), **options)
        return figure

    def save(self, path: Path | str, result: xr.Dataset) -> None:
        """Draw the result into a file, .png, .svg or .pdf, which is replaced by a whole one or stays.

        Raises
        ------
        ValueError
            If the name ends in something else, or as `draw`.
        OSError
            If the file cannot be written.
        """
        path = Path(path)
        suffix = path.suffix.lower()
        if suffix.removeprefix(".") not in FORMATS:
            endings = ", ".join(f".{name}" for name in FORMATS)
            raise ValueError(f"{path}: a picture's name must end in {endings}")
        saved = Picture(self.kind, self.options, self.size, self.dpi, suffix[1:])
        from matplotlib import style

        with style.context([{"svg.hashsalt": "fastneuron"}], after_reset=True):
            figure = self.draw(result)
            with replaced(path) as new:
                figure.savefig(new, dpi=self.dpi, metadata=metadata_of(suffix, saved.text(result)))


def text_of(sweep: str, picture: Picture) -> str:
    """The text that the file of a picture carries, of a sweep as TOML."""
    made = f"# fastneuron {fastneuron.__version__} ({package_fingerprint()[:12]})"
    drawn = toml.dumps({"picture": picture.to_spec()})
    return f"{made}, Matplotlib {matplotlib.__version__}\n{sweep}\n{drawn}"


def save(
    path: Path | str,
    result: xr.Dataset,
    kind: str = "outcome",
    *,
    size: tuple[float, float] | None = None,
    dpi: int = DPI,
    **options: Any,
) -> None:
    """Draw a result into a file that carries its sweep and how it is drawn.

    Parameters
    ----------
    path : path
        Ends in .png, .svg or .pdf. A file that is there is replaced by a whole one or stays.
    result : Dataset
        What `Sweep.run` or `fastneuron.open` returns.
    kind : str
        Name of a drawing function of this module, as ``"steps"``.
    size : (float, float), optional
        Width and height in inches; default that of the kind.
    dpi : int
        Pixels an inch.
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
    """
    Picture(kind, options, size, dpi).save(path, result)


def _drawn(result: xr.Dataset, kind: str) -> xr.DataArray:
    """The variable of which a map is drawn."""
    return result[kind if kind in result else next(iter(result.data_vars))]


def _map_size(result: xr.Dataset, kind: str) -> tuple[float, float]:
    return MAP_SIZE if _drawn(result, kind).ndim > 1 else STRIP_SIZE


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
    if isinstance(value, bool | int | float | str):
        return value
    raise ValueError(f"{name} must be made of numbers, texts and lists to be saved, got {shown(value)}")

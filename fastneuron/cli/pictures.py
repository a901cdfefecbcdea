"""Picture files: a figure of the right size, drawn by the library, saved.

A picture that is there is replaced by a whole one or stays. Not here: what is drawn; that is `fastneuron.plot`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fastneuron.cli.files import replaced

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes

DPI = 150
MAP_SIZE = (8.0, 5.5)  # inches; over one axis it is a strip
STRIP_SIZE = (8.0, 2.0)
MILLISECONDS = 100


def save(path: Path, draw: Callable[[Axes], object], size: tuple[float, float] = (7.5, 4.5)) -> None:
    """Save what `draw` puts on the axes of a new figure of `size`, in inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    draw(figure.subplots())
    with replaced(path) as new:
        figure.savefig(new, dpi=DPI)


def kind_of(variables: Iterable[str]) -> str:
    """What is drawn of a map with these variables."""
    from fastneuron.measures.trainability import NEEDED

    return "trainability" if set(NEEDED) <= set(variables) else "outcome"


def save_map(path: Path, result: xarray.Dataset, kind: str) -> None:
    """Save the map that the function `kind` of `fastneuron.plot` draws of `result`."""
    from fastneuron import plot

    drawn = result[kind if kind in result else next(iter(result.data_vars))]
    size = MAP_SIZE if drawn.ndim > 1 else STRIP_SIZE
    save(path, lambda ax: getattr(plot, kind)(result, ax=ax), size)


def animate(path: Path, draw: Callable[[Axes, int], object], frames: Sequence[int]) -> None:
    """Save a GIF of what `draw` puts on the cleared axes for each of `frames`; the last one stays longer."""
    from matplotlib.animation import FuncAnimation, PillowWriter
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    ax = figure.subplots()

    def redraw(frame: int) -> list[object]:
        ax.clear()
        draw(ax, frame)
        return []

    held = [*frames, *[frames[-1]] * 10]
    animation = FuncAnimation(figure, redraw, frames=held, init_func=list, blit=False)  # type: ignore[arg-type]
    with replaced(path) as new:
        animation.save(new, writer=PillowWriter(fps=1000 // MILLISECONDS), dpi=100)

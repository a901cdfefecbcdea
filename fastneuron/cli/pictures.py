"""Picture files: a figure of the right size, drawn by the library, saved.

Not here: what is drawn; that is `fastneuron.plot`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DPI = 150
MILLISECONDS = 100


def save(path: Path, draw: Callable[[Axes], object], size: tuple[float, float] = (7.5, 4.5)) -> None:
    """Save what `draw` puts on the axes of a new figure of `size`, in inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    draw(figure.subplots())
    figure.savefig(path, dpi=DPI)


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
    animation.save(path, writer=PillowWriter(fps=1000 // MILLISECONDS), dpi=100)

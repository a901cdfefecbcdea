"""Picture files of the commands. Not here: how they are drawn and saved; that is `fastneuron.plot`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastneuron.files import replaced

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes

    from fastneuron.plot import Picture
    from fastneuron.sweep import Sweep

MILLISECONDS = 100


def picture_of(spec: Mapping[str, Any]) -> Picture | None:
    """What the table ``picture`` of a spec describes, if there is one."""
    if "picture" not in spec:
        return None
    from fastneuron.plot import Picture

    return Picture.from_spec(spec["picture"])


def kind_of(variables: Iterable[Any], dims: Iterable[Any]) -> str:
    """What is drawn of a map with these variables and dims that does not say what."""
    from fastneuron.measures.trainability import NEEDED
    from fastneuron.sweep import DRAW

    if DRAW in dims:
        return "shares"
    return "trainability" if set(NEEDED) <= set(variables) else "outcome"


def only_sweep(sweep: Sweep) -> xarray.Dataset:
    """A result that holds nothing but its sweep, for pictures that need no more."""
    import xarray

    return xarray.Dataset(attrs={"sweep": sweep.to_toml()})


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

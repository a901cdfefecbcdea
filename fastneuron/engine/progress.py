"""Progress: a bar on a terminal or in a notebook, a callback, or nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fastneuron.components import shown

Report = Callable[[int, int], None]


@contextmanager
def reporting(progress: bool | Report | None, points: int, unit: str = "point") -> Iterator[Report]:
    """A function to be called with (points done, points in all), or so many of another `unit`.

    True: a bar; False: nothing; None: a bar where standard error is a terminal or in a notebook.

    Raises
    ------
    ValueError
        If `progress` is none of those.
    """
    if callable(progress):
        yield progress
        return
    if progress is not None and not isinstance(progress, bool):
        raise ValueError(f"progress must be True, False, None or a callable, got {shown(progress)}")
    if progress is None:
        progress = _watched()
    if not progress:
        yield lambda done, total: None
        return
    from tqdm.auto import tqdm

    bar = tqdm(total=points, unit=unit, unit_scale=True, dynamic_ncols=True, leave=False)
    with bar:
        first = True

        def report(done: int, total: int) -> None:
            nonlocal first
            if first:  # what was done before says nothing of the rate
                first, bar.total, bar.initial, bar.n = False, total, done, done
                bar.refresh()
            bar.update(done - bar.n)

        yield report


def _watched() -> bool:
    if sys.stderr is not None and sys.stderr.isatty():
        return True
    shell = sys.modules.get("IPython")
    running = shell.get_ipython() if shell is not None else None
    return type(running).__name__ == "ZMQInteractiveShell"

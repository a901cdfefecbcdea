"""Stacked: the shares of outcomes one on the other, in the same order in every picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import StepPatch

from fastneuron.outcomes import Outcome
from fastneuron.plot.palette import COLORS, HATCH, NOT_COMPUTED

ORDER = tuple(sorted(Outcome, key=lambda outcome: outcome.stacked))  # from below


def style(outcome: Outcome | None) -> dict[str, Any]:
    """How the share of an outcome is filled, and its label; None stands for what is not computed."""
    if outcome is None:
        look = {"facecolor": NOT_COMPUTED, "edgecolor": HATCH, "hatch": "////", "label": "not computed"}
    else:
        look = {"facecolor": COLORS[outcome], "edgecolor": "none", "label": outcome.word}
    return {**look, "linewidth": 0.0}


def stack_steps(
    ax: Axes, heights: Sequence[tuple[Outcome | None, np.ndarray]], edges: np.ndarray
) -> list[StepPatch]:
    """Draw heights over the cells between `edges`, each on top of those before; without those of 0."""
    drawn, base = [], np.zeros(len(edges) - 1)
    for outcome, height in heights:
        if height.any():
            drawn.append(ax.stairs(base + height, edges, baseline=base, fill=True, **style(outcome)))
        base = base + height
    return drawn

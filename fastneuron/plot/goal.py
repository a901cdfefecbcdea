"""Goals: the inputs a response picture shows, and the step that its curves should come to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from fastneuron.arrays import checked_array
from fastneuron.components import shown
from fastneuron.models import Neuron
from fastneuron.plot.palette import FARTHEST
from fastneuron.tasks import Task

POINTS = 1201
MIDDLE = 0.5  # the flipped step's threshold
FAR = 1e3  # a pre-activation where a bounded activation is at its limit
LARGEST_LIMIT = 10.0


class IdealStep(NamedTuple):
    """`left` below the threshold, `right` above."""

    threshold: float
    left: float
    right: float


def output(model: Neuron, weight: float, bias: float, x: np.ndarray) -> np.ndarray:
    """Outputs of a neuron of one input, same shape as `x`; as far as they can be drawn."""
    with np.errstate(over="ignore", invalid="ignore"):
        outputs = np.asarray(model.activation.value(weight * x + bias), float)
    return np.where(np.isfinite(outputs), outputs.clip(-FARTHEST, FARTHEST), outputs)


def check(model: Neuron, task: Task | None) -> None:
    """Raise ValueError if model or task has more than one input."""
    for owner, inputs in (("model", model.inputs), ("task", 1 if task is None else task.inputs)):
        if inputs != 1:
            raise ValueError(f"a response curve needs one input, the {owner} has {inputs}")


def inputs_shown(task: Task | None, at: Sequence[float], x_range: tuple[float, float] | None) -> np.ndarray:
    """Ascending inputs to draw, float64, shape (POINTS,).

    Raises
    ------
    ValueError
        If `x_range` is not two finite numbers, the lower first, or `at` not a list of finite ones.
    """
    marked = checked_array("at", at)
    if marked.ndim != 1:
        raise ValueError(f"at must be a 1-D list of numbers, got {shown(at)}")
    if x_range is not None:
        wanted = "two numbers, the lower first"
        ends = checked_array("x_range", x_range, wanted)
        if ends.shape != (2,) or not ends[0] < ends[1]:
            raise ValueError(f"x_range must be {wanted}, got {shown(x_range)}")
        return np.linspace(float(ends[0]), float(ends[1]), POINTS)
    given = np.concatenate([[] if task is None else task.x[:, 0], marked])
    if len(np.unique(given)) < 2:
        given = np.append(given, [0.0, 1.0])
    low, high = given.clip(-FARTHEST, FARTHEST).min(), given.clip(-FARTHEST, FARTHEST).max()
    return np.linspace(low - (high - low) / 4, high + (high - low) / 4, POINTS)


def with_step_in_view(x: np.ndarray, step: IdealStep | None) -> np.ndarray:
    """The inputs to draw, widened to hold the step's threshold where it is less than their span away."""
    if step is None:
        return x
    low, high = x[0], x[-1]
    span, margin = high - low, (high - low) / 8
    if low - span < step.threshold <= low:
        low = step.threshold - margin
    elif high <= step.threshold < high + span:
        high = step.threshold + margin
    return np.linspace(low, high, POINTS)


def ideal_step(model: Neuron, task: Task | None, weight: float, bias: float) -> IdealStep | None:
    """The step that separates the task's two targets, else the one at -bias/weight, else None.

    Any threshold between the two sides is right; 0.5 is taken where it is one, else the middle.
    """
    if task is not None:
        order = np.argsort(task.x[:, 0], kind="stable")
        x, y = task.x[order, 0], task.y[order, 0]
        changes = np.flatnonzero(y[1:] != y[:-1])
        if len(changes) == 1 and x[changes[0]] < x[changes[0] + 1]:
            below, above = x[changes[0]], x[changes[0] + 1]
            threshold = MIDDLE if below <= MIDDLE <= above else below / 2 + above / 2
            return IdealStep(float(threshold), float(y[0]), float(y[-1]))
    limits = output(model, np.copysign(FAR, weight), 0.0, np.array([-1.0, 1.0]))
    if weight == 0 or not (np.abs(limits) <= LARGEST_LIMIT).all():
        return None
    return IdealStep(-bias / weight, float(limits[0]), float(limits[1]))


def draw_goal(
    ax: Axes, model: Neuron, task: Task | None, weight: float, bias: float, x: np.ndarray
) -> list[Line2D]:
    """Draw the targets as points and the ideal step dashed, where it is in view; the legend's entries."""
    handles = []
    step = ideal_step(model, task, weight, bias)
    if step is not None and x[0] < step.threshold < x[-1]:
        flipped = step.left > step.right
        handles += ax.plot(
            [x[0], step.threshold, step.threshold, x[-1]],
            np.clip([step.left, step.left, step.right, step.right], -FARTHEST, FARTHEST),
            color="black",
            linestyle="--",
            linewidth=1.2,
            zorder=2.5,
            label="flipped step" if flipped else "step",
        )
    if task is not None:
        many = task.samples > 20
        handles += ax.plot(
            task.x[:, 0].clip(-FARTHEST, FARTHEST),
            task.y[:, 0].clip(-FARTHEST, FARTHEST),
            linestyle="",
            marker="." if many else "o",
            markersize=4 if many else 8,
            color="black" if many else "white",
            markeredgecolor="black",
            zorder=5,
            label="targets",
        )
    return handles

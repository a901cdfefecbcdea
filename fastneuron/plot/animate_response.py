"""A neuron in training: its response curve, and its way through the plane of weight and bias.

The start is one of a sweep, whose run is made anew and every step of it kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from fastneuron.chosen import Chosen
from fastneuron.components import Bound, checked_number, nearest, shown
from fastneuron.measures.shares import NOT_COMPUTED
from fastneuron.models import Neuron, neuron_in
from fastneuron.outcomes import Outcome
from fastneuron.plot import palette
from fastneuron.plot.animation import FRAMES, Animation, widening
from fastneuron.plot.caption import caption_of
from fastneuron.plot.counts import with_codes
from fastneuron.plot.following import descended, trained_at
from fastneuron.plot.goal import check, draw_goal, ideal_step, inputs_shown, with_step_in_view
from fastneuron.plot.kinds import kind
from fastneuron.plot.legends import not_computed_swatch, swatch
from fastneuron.plot.loss_landscape import ROUNDING, told_apart
from fastneuron.plot.outcome_map import outcome
from fastneuron.plot.shown_part import drawn_sweep
from fastneuron.starts import Distribution
from fastneuron.sweep import Sweep
from fastneuron.tasks import Task
from fastneuron.training import Training

SIZE = (9.0, 4.6)  # inches
STEPS = Bound("a whole number from 1 to 2147483647", low=1, high=2**31, whole=True)
LOWEST = 1e-12  # of the largest loss, that has a colour of its own
LINES = 9  # contours
FARTHEST = 1e6  # parameters shown
POINTS = 2000  # of the path, at most
LOOKED_AT = 2**20  # starts among which one is chosen
SIDE = 160  # points of the landscape along each axis
CURVE, THRESHOLD = palette.COLORS[Outcome.SETTLED], palette.COLORS[Outcome.CYCLING]


@kind(SIZE, animated=True)
def animate_response(
    result: xr.Dataset,
    *,
    frames: int = 60,
    start: Mapping[str, float] | None = None,
    steps: int | None = None,
    figure: Figure | None = None,
    title: str | None = None,
    legend: bool = True,
) -> Animation:
    """Show a neuron of one input in training, from the first inexact curve toward the flipped step.

    Parameters
    ----------
    result : Dataset
        A result of a neuron's sweep, which stands in its attributes; nothing else is needed of it.
    frames : int, 1 or more
        Number of frames, at ever wider steps, so that the fast beginning and the slow end both show; fewer
        where there are fewer steps.
    start : mapping of str to float, optional
        ``weight``, ``bias``, or any other dimension of the sweep, such as ``draw``: where the neuron starts.
        Default for what is a dimension: that of the start with the middle number of steps among those that
        have reached the targets in one step or more; or else the middle.
    steps : int, 1 or more, optional
        How many to follow, whatever becomes of the start on the way. Default: the sweep's ``max_steps``.
    figure : Figure, optional
        Where to draw; default a new one.
    title : str, optional
        Default: task, activation, loss and optimizer of the sweep.
    legend : bool
        Name what is drawn, below.

    Returns
    -------
    Animation
        At the left the curve and its threshold; at the right the way so far, over the map of the outcomes
        where `result` is a map over weight and bias, and otherwise over the loss with its penalty.

    Raises
    ------
    ValueError
        If the model is no neuron of one input, or `start` names something else than a dimension or a
        parameter; or, where it is no point of the sweep, leaves out a parameter that is random.

    Notes
    -----
    The animation ends at the last step with finite parameters. From a point of the sweep the run is that of
    the sweep, with the same random start and batches; elsewhere batches are those of the first start.

    Examples
    --------
    >>> import fastneuron as fn
    >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0),
    ...                  axes={"bias": fn.linspace(-9, 9, 8), "weight": fn.linspace(-9, 9, 8)})
    >>> fn.plot.animate_response(sweep.run(progress=False), start={"weight": 4, "bias": -1}).frames
    60
    """
    frames = int(checked_number("frames", frames, FRAMES))
    followed = None if steps is None else int(checked_number("steps", steps, STEPS))
    training, path = one_run(result, start, followed)
    neuron = neuron_in(training.model)
    weight, bias = path["weight"].values.astype(np.float64), path["bias"].values.astype(np.float64)
    whole = np.logical_and.accumulate(np.isfinite(weight) & np.isfinite(bias))
    last = int(whole.sum()) - 1
    times = widening(last, frames)
    if figure is None:
        figure = Figure(figsize=SIZE, layout="constrained")
    text = caption_of(training) if title is None else title
    figure.suptitle(text, x=0.01, ha="left", fontsize="medium")
    left, right = figure.subplots(1, 2)
    curve = _Curve(left, neuron, training.task, weight, bias, times)
    plane = _Plane(right, result, training, weight[: last + 1], bias[: last + 1])
    losses = path["loss"].values
    if legend:
        look: dict[str, Any] = {"frameon": False, "fontsize": "small"}
        figure.legend(handles=curve.handles, loc="outside lower left", ncols=2, **look)
        figure.legend(handles=plane.handles, loc="outside lower right", ncols=3, **look)

    def draw(i: int) -> None:
        step = int(times[i])
        curve.draw(i, f"step {step:,}, loss {losses[step]:.3g}")
        plane.draw(step)

    draw(0)
    return Animation(figure, len(times), draw, [*curve.moving, *plane.moving])


class _Curve:
    """The response curve, its threshold, and the first curve behind it."""

    def __init__(
        self, ax: Axes, neuron: Neuron, task: Task, weight: np.ndarray, bias: np.ndarray, times: np.ndarray
    ) -> None:
        w, b = weight[times], bias[times]
        x = with_step_in_view(inputs_shown(task, (), None), ideal_step(neuron, task, w[-1], b[-1]))
        from fastneuron.engine.response import forward

        self.outputs = forward(neuron, {"weight": w, "bias": b}, x)
        with np.errstate(divide="ignore", invalid="ignore"):
            self.thresholds = np.where(w == 0, np.nan, -b / w)
        first = ax.plot(x, self.outputs[0], color=palette.OTHER, linewidth=1.4, label="first curve")[0]
        self.line = ax.plot(x, self.outputs[0], color=CURVE, linewidth=2.0, zorder=3, label="neuron")[0]
        self.threshold = ax.axvline(np.nan, color=THRESHOLD, linestyle=":", label="threshold -bias/weight")
        goal = draw_goal(ax, neuron, task, w[-1], b[-1], x)
        self.handles = [self.line, first, self.threshold, *goal]
        goals = task.y.ravel().clip(-palette.FARTHEST, palette.FARTHEST)
        finite = np.where(np.isfinite(self.outputs), self.outputs, goals[0])
        outputs = finite.clip(-palette.FARTHEST, palette.FARTHEST)
        start = np.append(outputs[0], goals)
        seen = np.append(outputs, goals)
        # a curve that runs away leaves the picture, or the others would be flat in it
        limits = _widened((start.min(), start.max()), seen)
        ax.set(xlim=(x[0], x[-1]), ylim=limits, xlabel="input x", ylabel="output a")
        self.told = ax.set_title("", loc="left", fontsize="medium")
        self.moving = [self.line, self.threshold, *goal, *ax.spines.values(), self.told]

    def draw(self, i: int, text: str) -> None:
        self.line.set_ydata(self.outputs[i])
        self.threshold.set_xdata([self.thresholds[i]] * 2)
        self.told.set_text(text)


class _Plane:
    """The way through the plane of weight and bias, over the outcomes or the loss."""

    def __init__(
        self, ax: Axes, result: xr.Dataset, training: Training, weight: np.ndarray, bias: np.ndarray
    ) -> None:
        self.weight, self.bias = weight, bias
        self.kept = widening(len(weight) - 1, POINTS)
        backdrop: list[Any] = []
        if _is_map(result):
            outcome(result.transpose("bias", "weight", ...), ax=ax, legend=False)
            across, up = _widened(ax.get_xlim(), weight), _widened(ax.get_ylim(), bias)
            codes = np.unique(with_codes(result)["outcome"].values)
            names = {member: member.word for member in Outcome if member in codes}
            backdrop = [swatch(palette.COLORS[member], name) for member, name in names.items()]
            backdrop += [not_computed_swatch()] if NOT_COMPUTED in codes else []
        else:
            across, up = _around(weight), _around(bias)
            backdrop = _landscape(ax, training, across, up)
        ax.set(xlim=across, ylim=up, xlabel="weight", ylabel="bias")
        edge = [patheffects.withStroke(linewidth=3.0, foreground="black")]
        self.line = ax.plot([], [], color="white", linewidth=1.4, zorder=3, path_effects=edge)[0]
        dot: dict[str, Any] = {"linestyle": "", "zorder": 4}
        start = ax.plot(
            weight[:1], bias[:1], marker="o", color="white", mec="black", ms=10, label="start", **dot
        )
        now = ax.plot([], [], marker="s", color="black", mec="white", ms=6, label="now", **dot)
        self.now = now[0]
        self.handles = [*start, *now, *backdrop]
        self.told = ax.set_title("", loc="left", fontsize="medium")
        self.moving = [self.line, *start, *now, *ax.spines.values(), self.told]

    def draw(self, step: int) -> None:
        so_far = np.append(self.kept[self.kept < step], step)
        self.line.set_data(self.weight[so_far], self.bias[so_far])
        self.now.set_data(self.weight[[step]], self.bias[[step]])
        self.told.set_text(f"weight {self.weight[step]:.3g}, bias {self.bias[step]:.3g}")


def _is_map(result: xr.Dataset) -> bool:
    """Whether it has an outcome for a plane of weights and biases."""
    sizes = result["outcome"].sizes if "outcome" in result else {}
    return set(sizes) == {"weight", "bias"} and min(sizes.values()) > 1


def _widened(limits: tuple[float, float], values: np.ndarray) -> tuple[float, float]:
    """The limits widened to show values, by no more than the distance between them on each side."""
    low, high = limits
    size = high - low or 1.0
    margin = 0.05 * size
    return (
        float(min(low, max(values.min() - margin, low - size))),
        float(max(high, min(values.max() + margin, high + size))),
    )


def _around(values: np.ndarray) -> tuple[float, float]:
    """Limits that show the values, and a part of the plane around them."""
    low, high = np.clip([values.min(), values.max()], -FARTHEST, FARTHEST)
    margin = max(0.25 * (high - low), 1.0)
    return float(low - margin), float(high + margin)


def _landscape(
    ax: Axes, training: Training, across: tuple[float, float], up: tuple[float, float]
) -> list[Patch]:
    """The loss with its penalty as an image, brighter where it is less, with contours where it varies.

    Returns
    -------
    list of Patch
        The legend's entry for where the loss is not finite, if there is such a place.
    """
    weight, bias = np.meshgrid(np.linspace(*across, SIDE), np.linspace(*up, SIDE))
    starts = {"weight": weight, "bias": bias}
    losses = descended(training, starts, 0)["loss"].values[0].astype(np.float64)
    if training.penalty is not None:
        with np.errstate(over="ignore"):
            losses += training.penalty.value(weight, bias)
    values = told_apart(losses)
    least, most = (float(values.min()), float(values.max())) if values.count() else (0.0, 0.0)
    low, high = least, most
    log = low > 0 and high >= palette.LOG_FROM * low
    if log:
        low = max(low, high * LOWEST)
    elif high - low <= ROUNDING[training.dtype] * max(abs(low), abs(high)):  # one colour, and no contours
        high = low + (0.1 * abs(low) or 1.0)
    norm = LogNorm(low, high) if log else Normalize(low, high)
    ax.set_facecolor(palette.COLORS[Outcome.DIVERGED])  # seen where the loss is not finite
    image = ax.imshow(
        values,
        cmap="viridis_r",
        norm=norm,
        origin="lower",
        extent=(*across, *up),
        aspect="auto",
        interpolation="bilinear",
    )
    levels = (np.geomspace(low, high, LINES + 2) if log else np.linspace(low, high, LINES + 2))[1:-1]
    if high == most and least < levels[0]:
        ax.contour(weight, bias, values, levels=levels, colors="white", linewidths=0.6, linestyles="solid")
    if values.count():
        ax.figure.colorbar(image, ax=ax, label="loss" if training.penalty is None else "loss and penalty")
    lost = values.count() < values.size
    return [swatch(palette.COLORS[Outcome.DIVERGED], "not finite")] if lost else []


def one_run(
    result: xr.Dataset, given: Mapping[str, float] | None, steps: int | None
) -> tuple[Training, xr.Dataset]:
    """What one of a neuron's starts undergoes, and every step from there."""
    sweep = drawn_sweep(result)
    check(neuron_in(sweep.model), sweep.task)
    given = {name: checked_number(f"start.{name}", value) for name, value in (given or {}).items()}
    known = list(dict.fromkeys([*sweep.model.parameters, *sweep.dims]))
    for name in given:
        if name not in known:
            text = f"start: no parameter or axis {shown(name)}{nearest(str(name), known)}"
            raise ValueError(f"{text}; known: {', '.join(known)}")
    values = _typical(result, sweep) | given
    selected = {dim: values[dim] for dim in sweep.dims}
    training = trained_at(sweep, selected)
    steps = int(training.stop.max_steps) if steps is None else steps
    place = [np.flatnonzero(own == selected[dim]) for dim, own in sweep.coordinates().items()]
    if set(given) <= set(sweep.dims) and all(found.size for found in place):
        from fastneuron.engine.trajectories import replayed  # brings Numba, which other pictures do without

        return training, replayed(sweep, tuple(int(found[0]) for found in place), steps)
    start: dict[str, Any] = dict(sweep.starts)
    if sweep.chosen is not None:
        here = place[sweep.dims.index(sweep.chosen.dim)]
        if len(here) != 1:
            dim = sweep.chosen.dim
            raise ValueError(f"{dim} must be that of one start of the sweep, got {selected[dim]:g}")
        start |= {name: own.values[here[0]] for name, own in start.items() if isinstance(own, Chosen)}
    start |= {field: selected[axis] for axis, (_, field) in sweep.places.items() if field in start}
    start |= {name: value for name, value in given.items() if name in start}
    for name, value in start.items():
        if isinstance(value, Distribution):
            raise ValueError(f"start.{name} is random; give it with start={{{name!r}: ...}}")
    return training, descended(training, start, steps, sweep.seed)


def _typical(result: xr.Dataset, sweep: Sweep) -> dict[str, float]:
    """Values along all dims: those selected, else those at the start that is shown by default."""
    dims = [str(dim) for dim in result.dims if dim in sweep.dims]
    every = {dim: -(-result.sizes[dim] // round(LOOKED_AT ** (1 / len(dims)))) for dim in dims}
    looked_at = result.isel({dim: slice(stride // 2, None, stride) for dim, stride in every.items()})
    place = {dim: looked_at.sizes[dim] // 2 for dim in dims}
    if dims and {"outcome", "steps"} <= set(result):
        codes, steps = (
            looked_at["outcome"].values,
            looked_at["steps"].transpose(*looked_at["outcome"].dims).values,
        )
        reached = np.flatnonzero((codes == Outcome.REACHED) & (steps > 0))
        if reached.size:
            order = np.argsort(steps.ravel()[reached], kind="stable")
            middle = np.unravel_index(reached[order[len(order) // 2]], codes.shape)
            place |= {str(dim): int(i) for dim, i in zip(looked_at["outcome"].dims, middle, strict=True)}
    values = {}
    for name, own in sweep.coordinates().items():
        if name in dims:
            values[name] = float(looked_at[name].values[place[name]])
        elif name in result.coords:
            values[name] = float(result[name].item())
        else:
            values[name] = float(own[len(own) // 2])
    return values

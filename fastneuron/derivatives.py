"""Derivatives against differences: whether what a component calls its derivative is one.

At a point z the derivative d must be the central difference (f(z + h) - f(z - h)) / 2h, but for a share of
it, for what rounding makes of the difference, for a small part of the usual slope, which is what a tail comes
down to, for what half of h would change, and for the distance between the differences to both sides. The last
is about h f'' where f is smooth, and large at a kink or a jump: there any slope will do. So a ReLU, a step
with the derivative 0, and a tail that has saturated are right, wherever their kinks are. Where f runs through
a part of its range within h, nothing is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from fastneuron.activations import Activation, Identity, Sigmoid
from fastneuron.components import Component
from fastneuron.losses import Loss
from fastneuron.penalties import Penalty

STEP = 1e-5  # h, relative to the larger of 1 and |z|
UNDERFLOW = 1e-290  # slopes are not told apart below
QUICK = 0.01  # of the range of a function, more of which within h is too much
TAIL = 0.1  # of the share, of the usual slope
ROUNDING = 16 * float(np.finfo(np.float64).eps)
# no round numbers, where kinks and jumps are
FEW = np.array(
    [sign * z for z in (0.0371, 0.113, 0.291, 0.537, 0.871, 1.373, 2.117, 3.071, 4.919) for sign in (-1, 1)]
)
MANY = np.concatenate([np.arange(-127, 128) * 0.0471 + 0.00713, [-97.3, -41.7, -19.1, 19.3, 41.9, 97.7]])
TARGETS = {"any": (0.0, 0.3, 1.0), "unit": (0.0, 0.3, 1.0), "binary": (0.0, 1.0)}
GRADIENT = 0.375  # to which a penalty adds its share


class Pair(NamedTuple):
    """A function and what a component gives as its derivative.

    names : of the two methods; where : what else is fixed, in words.
    """

    record: Component
    names: tuple[str, str]
    value: Callable[[Any], Any]
    derivative: Callable[[Any], Any]
    where: str = ""


def pairs_of(record: Component) -> Iterator[Pair]:
    """The functions of a component that have derivatives; of one with a surrogate there are none."""
    if record.surrogate:
        return
    if isinstance(record, Activation):
        yield Pair(
            record,
            ("value", own_name(record, "slope")),
            record.value,
            lambda z: record.derivative(z, record.value(z)),
        )
        if type(record).log_loss is not Activation.log_loss:
            for y in TARGETS["unit"]:
                yield Pair(
                    record,
                    ("log_loss", "log_loss_slope"),
                    lambda z, y=y: record.log_loss(z, record.value(z), y),  # type: ignore[misc]
                    lambda z, y=y: record.log_loss_slope(z, record.value(z), y),  # type: ignore[misc]
                    f" for target {y:g}",
                )
    elif isinstance(record, Loss):
        for activation in (Identity(), Sigmoid()):
            for y in TARGETS.get(record.targets, ()):
                yield Pair(
                    record,
                    ("value", own_name(record, "delta")),
                    lambda z, f=activation, y=y: record.value(f, z, f.value(z), y),  # type: ignore[misc]
                    lambda z, f=activation, y=y: record.derivative(f, z, f.value(z), y),  # type: ignore[misc]
                    f" for {type(activation).__name__} and target {y:g}",
                )
    elif isinstance(record, Penalty) and type(record).value is not Penalty.value:
        yield Pair(
            record,
            ("value", "weight_gradient"),
            lambda w: record.value(w, 0.7),
            lambda w: record.weight_gradient(w, GRADIENT) - GRADIENT,
        )
        yield Pair(
            record,
            ("value", "bias_gradient"),
            lambda b: record.value(-0.4, b),
            lambda b: record.bias_gradient(b, GRADIENT) - GRADIENT,
        )


def own_name(record: Component, name: str) -> str:
    """The name under which a class defines its derivative."""
    return "derivative" if "derivative" in vars(type(record)) else name


def complaint(pair: Pair, points: np.ndarray, share: float, most: int = 0) -> str:
    """What is wrong with a derivative, in a line; empty where it agrees with the differences.

    Parameters
    ----------
    points : where they are compared
    share : by which they may differ, of the larger of them
    most : at how many points they may differ by more
    """
    h = STEP * np.maximum(1.0, np.abs(points))
    up, here, down = (_each(pair.value, points + side * h) for side in (1, 0, -1))
    near_up, near_down = (_each(pair.value, points + side * h / 2) for side in (1, -1))
    given = _each(pair.derivative, points)
    with np.errstate(all="ignore"):
        right, left, central = (up - here) / h, (here - down) / h, (up - down) / (2 * h)
        known = np.isfinite(central) & np.isfinite(right) & np.isfinite(left)
        known &= np.abs(up - here) + np.abs(here - down) <= QUICK * _range(here)
        usual = np.median(np.abs(central[known])) if known.any() else 0.0
        allowed = np.abs(right - left) + 4 * np.abs(central - (near_up - near_down) / h)
        allowed += share * (np.maximum(np.abs(given), np.abs(central)) + TAIL * usual)
        allowed += ROUNDING * np.maximum(np.abs(up), np.abs(down)) / h + UNDERFLOW
        wrong = np.flatnonzero(known & ~(np.abs(given - central) <= allowed))
    if len(wrong) <= most:
        return ""
    k = wrong[len(wrong) // 2]
    name = type(pair.record).__name__
    value, derivative = pair.names
    what = f"{name}.{derivative} is not the derivative of {name}.{value}{pair.where}"
    told = f"at {points[k]:.4g} it gives {given[k]:.5g}, and differences {central[k]:.5g}"
    return f"{what}: {told}, so at {len(wrong)} of {int(known.sum())} points"


def _range(numbers: np.ndarray) -> float:
    """The distance between the least and the largest of the finite numbers."""
    finite = numbers[np.isfinite(numbers)]
    return float(np.ptp(finite)) if finite.size else 0.0


def _each(function: Callable[[Any], Any], points: np.ndarray) -> np.ndarray:
    """The numbers at each of the points by itself; NaN where there is none."""
    numbers = np.full(len(points), np.nan)
    for k, point in enumerate(points):
        try:
            with np.errstate(all="ignore"):
                numbers[k] = float(function(point))
        except (ArithmeticError, ValueError, TypeError):
            continue
    return numbers

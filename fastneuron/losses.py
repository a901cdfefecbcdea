"""Losses: what one sample's output costs against its target; a task's loss is their mean.

Not here: penalties on the parameters.
"""

from __future__ import annotations

from typing import Any, ClassVar

from fastneuron.activations import Activation
from fastneuron.components import Component, Positive, Registry, component
from fastneuron.elementary import constant, maximum, where


class Loss(Component):
    """Base of the losses.

    To add one: a class of fields decorated with `component` (and here with ``losses.add``), with

    - ``value(self, activation, z, a, y)``: the loss of output a = activation.value(z) for target y;
    - ``delta(self, activation, z, a, y)``: its derivative in z, not finite wherever the value is not;
    - ``targets``: which targets make sense: ``"any"``, ``"unit"`` (0 to 1) or ``"binary"`` (0 or 1).
    """

    __slots__ = ()
    targets: ClassVar[str] = "any"

    def value(self, activation: Activation, z: Any, a: Any, y: Any) -> Any:
        """Loss of one sample."""
        raise NotImplementedError

    def delta(self, activation: Activation, z: Any, a: Any, y: Any) -> Any:
        """Derivative of the loss of one sample in its pre-activation z."""
        raise NotImplementedError


losses = Registry("loss", Loss)


@losses.add
@component
class SquaredError(Loss):
    """scale (a - y)^2."""

    scale: Positive = 0.5

    def value(self, activation: Activation, z: Any, a: Any, y: Any) -> Any:
        return self.scale * ((a - y) * (a - y))

    def delta(self, activation: Activation, z: Any, a: Any, y: Any) -> Any:
        return (self.scale + self.scale) * (a - y) * activation.slope(z, a)


@losses.add
@component
class CrossEntropy(Loss):
    """-y ln a - (1 - y) ln(1 - a); stable where a sigmoid saturates.

    Not finite, so that a start counts as diverged, where the output leaves the range in which the
    logarithms exist (a ReLU above 1, a tanh below 0). For a `Step`, whose outputs are 0 or 1, ln 0 counts
    as -100.
    """

    targets: ClassVar[str] = "unit"

    def value(self, activation: Activation, z: Any, a: Any, y: Any) -> Any:
        return activation.log_loss(z, a, y)

    def delta(self, activation: Activation, z: Any, a: Any, y: Any) -> Any:
        return activation.log_loss_slope(z, a, y)


@losses.add
@component
class PerceptronLoss(Loss):
    """max(0, -(2y - 1) z): gradient descent on it is the perceptron rule (Rosenblatt 1958).

    Its derivative in z is step(z) - y, whatever the activation, so that it trains a `Step`.
    """

    targets: ClassVar[str] = "binary"

    def value(self, activation: Activation, z: Any, a: Any, y: Any) -> Any:
        one = constant(z, 1.0)
        return maximum((one - y - y) * z, constant(z, 0.0))

    def delta(self, activation: Activation, z: Any, a: Any, y: Any) -> Any:
        return where(z >= constant(z, 0.0), constant(z, 1.0), constant(z, 0.0)) - y

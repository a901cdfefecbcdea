"""Losses: what one sample's output costs against its target; a task's loss is their mean.

Not here: penalties on the parameters.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from fastneuron.activations import Activation
from fastneuron.components import Bound, Component, Positive, Registry, component
from fastneuron.elementary import constant, maximum, sign, where


class Loss(Component):
    """Base of the losses.

    To add one: a class of fields decorated with `component` (and here with ``losses.add``), with

    - ``value(self, activation, z, a, y)``: the loss of output a = activation.value(z) for target y;
    - ``delta(self, activation, z, a, y)``: its derivative in z, not finite wherever the value is not;
      A loss with a field called delta overrides `derivative` instead;
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

    def derivative(self, activation: Activation, z: Any, a: Any, y: Any) -> Any:
        """The same, under a name that no field has."""
        return self.delta(activation, z, a, y)


losses = Registry("loss", Loss)


@losses.add
@component
class SquaredError(Loss):
    """scale (a - y)^2."""

    scale: Annotated[float, Bound("positive", low=0.0, above=True, plain=0.5)] = 0.5

    def value(self, activation: Activation, z: Any, a: Any, y: Any) -> Any:
        return self.scale * ((a - y) * (a - y))

    def delta(self, activation: Activation, z: Any, a: Any, y: Any) -> Any:
        return (self.scale + self.scale) * (a - y) * activation.derivative(z, a)


@losses.add
@component
class AbsoluteError(Loss):
    """|a - y|; derivative 0 at a = y."""

    def value(self, activation: Activation, z: Any, a: Any, y: Any) -> Any:
        return abs(a - y)

    def delta(self, activation: Activation, z: Any, a: Any, y: Any) -> Any:
        return sign(a - y) * activation.derivative(z, a)


@losses.add
@component
class Huber(Loss):
    """(a - y)^2 / 2 up to |a - y| = delta, beyond it delta (|a - y| - delta / 2) (Huber 1964)."""

    delta: Positive = 1.0  # type: ignore[assignment]

    def value(self, activation: Activation, z: Any, a: Any, y: Any) -> Any:
        far = abs(a - y)
        half = constant(z, 0.5)
        return where(far > self.delta, self.delta * (far - half * self.delta), half * far * far)

    def derivative(self, activation: Activation, z: Any, a: Any, y: Any) -> Any:
        e = a - y
        return where(abs(e) > self.delta, self.delta * sign(e), e) * activation.derivative(z, a)


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
class Hinge(Loss):
    """max(0, 1 - (2y - 1) z), the loss of a support vector machine; of z, whatever the activation.

    Its derivative is 0 at the margin, (2y - 1) z = 1.
    """

    targets: ClassVar[str] = "binary"

    def value(self, activation: Activation, z: Any, a: Any, y: Any) -> Any:
        one, zero = constant(z, 1.0), constant(z, 0.0)
        return maximum(one - (y + y - one) * z, zero)

    def delta(self, activation: Activation, z: Any, a: Any, y: Any) -> Any:
        one, zero = constant(z, 1.0), constant(z, 0.0)
        side = y + y - one
        return where(side * z < one, -side, zero)


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

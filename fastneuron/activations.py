"""Activations: the output a of a neuron as a function of its pre-activation z.

Not here: anything about targets. The one exception are `log_loss` and `log_loss_slope`, because only
an activation knows how to take the logarithm of its own output without losing it at saturation.
"""

from __future__ import annotations

import math
from typing import Annotated, Any

from fastneuron.components import Bound, Component, Registry, component
from fastneuron.elementary import (
    arctan,
    constant,
    divide,
    erf,
    exp,
    fma,
    log,
    log1p,
    maximum,
    sigmoid,
    tanh,
    where,
)

Gain = Annotated[float, Bound("a finite number", plain=1.0)]


class Activation(Component):
    """Base of the activations.

    To add one: a class of fields decorated with `component` (and here with ``activations.add``), with

    - ``value(self, z)``: the output a for pre-activation z;
    - ``slope(self, z, a)``: the derivative da/dz, given z and a = value(z).

    Use only arithmetic, ``abs``, comparisons and `fastneuron.elementary` (``where`` instead of ``if``: z is
    many numbers at once); write constants as ``constant(z, 1.0)`` so that float32 stays float32. Override
    `log_loss` and `log_loss_slope` where the logarithm of the output has a form that survives saturation. An
    activation with a field called slope overrides `derivative` instead.
    """

    __slots__ = ()

    def value(self, z: Any) -> Any:
        """Output for pre-activation z."""
        raise NotImplementedError

    def slope(self, z: Any, a: Any) -> Any:
        """Derivative of the output in z, where the output is a."""
        raise NotImplementedError

    def derivative(self, z: Any, a: Any) -> Any:
        """Derivative of the output in z, under a name that no field has."""
        return self.slope(z, a)

    def log_loss(self, z: Any, a: Any, y: Any) -> Any:
        """Cross-entropy -y ln a - (1 - y) ln(1 - a), with 0 ln 0 = 0; NaN where a is outside [0, 1]."""
        zero = constant(z, 0.0)
        one = constant(z, 1.0)
        lost = constant(z, float("nan"))
        hit = y * log(where(y > zero, a, one))
        miss = (one - y) * log(where(y < one, one - a, one))
        return where(a < zero, lost, where(a > one, lost, -hit - miss))

    def log_loss_slope(self, z: Any, a: Any, y: Any) -> Any:
        """Derivative of `log_loss` in z; not finite wherever `log_loss` is not."""
        zero = constant(z, 0.0)
        one = constant(z, 1.0)
        lost = constant(z, float("nan"))
        hit = where(y > zero, where(a > zero, divide(y, a), lost), where(a < zero, lost, zero))
        miss = where(y < one, where(a < one, divide(one - y, one - a), lost), where(a > one, lost, zero))
        return (miss - hit) * self.derivative(z, a)


activations = Registry("activation", Activation)


@activations.add
@component
class Sigmoid(Activation):
    """1 / (1 + exp(-gain z)): from 0 to 1, 1/2 at z = 0, steepness gain / 4 there."""

    gain: Gain = 1.0

    def value(self, z: Any) -> Any:
        return sigmoid(self.gain * z)

    def slope(self, z: Any, a: Any) -> Any:
        return self.gain * fma(-a, a, a)

    def log_loss(self, z: Any, a: Any, y: Any) -> Any:
        # softplus(u) - y u with u = gain z: -ln a = softplus(-u) and -ln(1 - a) = softplus(u)
        u = self.gain * z
        return maximum(u, constant(z, 0.0)) - y * u + log1p(exp(-abs(u)))

    def log_loss_slope(self, z: Any, a: Any, y: Any) -> Any:
        return self.gain * (a - y)


@activations.add
@component
class Tanh(Activation):
    """tanh(gain z): from -1 to 1."""

    gain: Gain = 1.0

    def value(self, z: Any) -> Any:
        return tanh(self.gain * z)

    def slope(self, z: Any, a: Any) -> Any:
        return self.gain * fma(-a, a, constant(z, 1.0))


@activations.add
@component
class ReLU(Activation):
    """max(0, z); derivative 0 at z = 0."""

    def value(self, z: Any) -> Any:
        return maximum(z, constant(z, 0.0))

    def slope(self, z: Any, a: Any) -> Any:
        return where(z > constant(z, 0.0), constant(z, 1.0), constant(z, 0.0))


@activations.add
@component
class LeakyReLU(Activation):
    """z where z > 0, else slope z (Maas et al. 2013); derivative `slope` at z = 0."""

    slope: float = 0.01  # type: ignore[assignment]

    def value(self, z: Any) -> Any:
        return where(z > constant(z, 0.0), z, self.slope * z)

    def derivative(self, z: Any, a: Any) -> Any:
        return where(z > constant(z, 0.0), constant(z, 1.0), constant(z, self.slope))


@activations.add
@component
class Softplus(Activation):
    """ln(1 + exp(z)): a smooth ReLU (Dugas et al. 2001)."""

    def value(self, z: Any) -> Any:
        return maximum(z, constant(z, 0.0)) + log1p(exp(-abs(z)))

    def slope(self, z: Any, a: Any) -> Any:
        return sigmoid(z)


@activations.add
@component
class SiLU(Activation):
    """z / (1 + exp(-z)), also called swish (Elfwing et al. 2018); least -0.278 at z = -1.278."""

    def value(self, z: Any) -> Any:
        return z * sigmoid(z)

    def slope(self, z: Any, a: Any) -> Any:
        s = sigmoid(z)
        return fma(a, constant(z, 1.0) - s, s)


@activations.add
@component
class GELU(Activation):
    """z times the standard normal distribution function of z (Hendrycks and Gimpel 2016)."""

    def value(self, z: Any) -> Any:
        half = constant(z, 0.5)
        return half * z * (constant(z, 1.0) + erf(constant(z, math.sqrt(0.5)) * z))

    def slope(self, z: Any, a: Any) -> Any:
        half = constant(z, 0.5)
        below = half * (constant(z, 1.0) + erf(constant(z, math.sqrt(0.5)) * z))
        density = constant(z, 1.0 / math.sqrt(2.0 * math.pi)) * exp(-half * z * z)
        return fma(z, density, below)


@activations.add
@component
class HardSigmoid(Activation):
    """z / 6 + 1/2 between -3 and 3, 0 below and 1 above (Courbariaux et al. 2015, scaled as in torch)."""

    def value(self, z: Any) -> Any:
        zero, one = constant(z, 0.0), constant(z, 1.0)
        a = fma(z, constant(z, 1.0 / 6.0), constant(z, 0.5))
        return where(a > one, one, where(a < zero, zero, a))

    def slope(self, z: Any, a: Any) -> Any:
        inside = where(abs(z) < constant(z, 3.0), constant(z, 1.0), constant(z, 0.0))
        return inside * constant(z, 1.0 / 6.0)


@activations.add
@component
class Arctan(Activation):
    """arctan(z): from -pi/2 to pi/2."""

    def value(self, z: Any) -> Any:
        return arctan(z)

    def slope(self, z: Any, a: Any) -> Any:
        one = constant(z, 1.0)
        return one / fma(z, z, one)


@activations.add
@component
class Identity(Activation):
    """z itself: linear regression."""

    def value(self, z: Any) -> Any:
        return z

    def slope(self, z: Any, a: Any) -> Any:
        return constant(z, 1.0)


@activations.add
@component
class Step(Activation):
    """Heaviside: 1 where z >= 0, else 0; derivative 0 everywhere, so gradients cannot train it."""

    def value(self, z: Any) -> Any:
        return where(z >= constant(z, 0.0), constant(z, 1.0), constant(z, 0.0))

    def slope(self, z: Any, a: Any) -> Any:
        return constant(z, 0.0)

    def log_loss(self, z: Any, a: Any, y: Any) -> Any:
        # ln 0 counts as -100, as in torch.nn.BCELoss: a wrong step stays where it is, it does not diverge
        return constant(z, 100.0) * abs(a - y)

    def log_loss_slope(self, z: Any, a: Any, y: Any) -> Any:
        return constant(z, 0.0)

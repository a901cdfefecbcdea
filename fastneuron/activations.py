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
    `log_loss` and `log_loss_slope` where the logarithm of the output has a form that survives saturation.
    Whoever needs the derivative calls ``derivative(z, a)``, which calls `slope`; an activation with a field
    called slope defines `derivative` instead. Making a sweep compares it with differences; a class whose
    slope is meant to be something else, as in a straight-through estimator, says ``surrogate = True``.

    Examples
    --------
    >>> import fastneuron as fn
    >>> @fn.component
    ... class Softsign(fn.Activation):
    ...     def value(self, z):
    ...         return z / (fn.constant(z, 1.0) + abs(z))
    ...
    ...     def slope(self, z, a):
    ...         return (fn.constant(z, 1.0) - abs(a)) * (fn.constant(z, 1.0) - abs(a))
    >>> Softsign().value(3.0), Softsign().derivative(3.0, 0.75)
    (0.75, 0.0625)
    """

    __slots__ = ()

    def value(self, z: Any) -> Any:
        """Output for pre-activation z.

        Parameters
        ----------
        z : float or float array, any shape
            Pre-activation.

        Returns
        -------
        float or float array, shape of `z`
            The output a.
        """
        raise NotImplementedError

    def slope(self, z: Any, a: Any) -> Any:
        """Derivative of the output in z, where the output is a: what a class defines and `derivative` calls.

        Parameters
        ----------
        z : float or float array, any shape
            Pre-activation.
        a : float or float array, shape of `z`
            The output for `z`.

        Returns
        -------
        float or float array, shape of `z`
            The derivative da/dz.
        """
        raise NotImplementedError

    def derivative(self, z: Any, a: Any) -> Any:
        """Derivative of the output in z: what is called, whichever of the two a class defines.

        Parameters
        ----------
        z : float or float array, any shape
            Pre-activation.
        a : float or float array, shape of `z`
            The output for `z`.

        Returns
        -------
        float or float array, shape of `z`
            The derivative da/dz, as `slope` gives it.
        """
        return self.slope(z, a)

    def log_loss(self, z: Any, a: Any, y: Any) -> Any:
        """Cross-entropy -y ln a - (1 - y) ln(1 - a), with 0 ln 0 = 0.

        Parameters
        ----------
        z : float or float array, any shape
            Pre-activation.
        a : float or float array, shape of `z`
            The output for `z`.
        y : float or float array, shape of `z`
            Target, from 0 to 1.

        Returns
        -------
        float or float array, shape of `z`
            0 or more, in nats; inf where the output is sure of the wrong target, NaN where it is outside [0,
            1].
        """
        zero = constant(z, 0.0)
        one = constant(z, 1.0)
        lost = constant(z, float("nan"))
        hit = y * log(where(y > zero, a, one))
        miss = (one - y) * log(where(y < one, one - a, one))
        return where(a < zero, lost, where(a > one, lost, -hit - miss))

    def log_loss_slope(self, z: Any, a: Any, y: Any) -> Any:
        """Derivative of `log_loss` in z.

        Parameters
        ----------
        z : float or float array, any shape
            Pre-activation.
        a : float or float array, shape of `z`
            The output for `z`.
        y : float or float array, shape of `z`
            Target, from 0 to 1.

        Returns
        -------
        float or float array, shape of `z`
            The derivative; not finite wherever `log_loss` is not.
        """
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
    """Logistic sigmoid 1 / (1 + exp(-gain z)): from 0 to 1, 1/2 at z = 0, steepness gain / 4 there.

    Parameters
    ----------
    gain : float, finite
        Factor of the pre-activation.

    Raises
    ------
    ValueError
        If `gain` is not a finite number.

    Notes
    -----
    The slope is gain a (1 - a). Its cross-entropy is computed from z as softplus(gain z) - y gain z, which is
    finite where the output is 0 or 1 to the last bit.

    Examples
    --------
    >>> import fastneuron as fn
    >>> float(fn.Sigmoid().value(0.0)), float(fn.Sigmoid(gain=2.0).derivative(0.0, 0.5))
    (0.5, 0.5)
    """

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
    """Hyperbolic tangent tanh(gain z): from -1 to 1, steepness gain at z = 0.

    Parameters
    ----------
    gain : float, finite
        Factor of the pre-activation.

    Raises
    ------
    ValueError
        If `gain` is not a finite number.

    Notes
    -----
    The slope is gain (1 - a^2).

    Examples
    --------
    >>> import fastneuron as fn
    >>> float(fn.Tanh().value(0.0)), float(fn.Tanh(gain=3.0).derivative(0.0, 0.0))
    (0.0, 3.0)
    """

    gain: Gain = 1.0

    def value(self, z: Any) -> Any:
        return tanh(self.gain * z)

    def slope(self, z: Any, a: Any) -> Any:
        return self.gain * fma(-a, a, constant(z, 1.0))


@activations.add
@component
class ReLU(Activation):
    """Rectified linear unit max(0, z); derivative 0 at z = 0.

    Examples
    --------
    >>> import fastneuron as fn
    >>> import numpy as np
    >>> fn.ReLU().value(np.array([-2.0, 0.0, 3.0])).tolist()
    [0.0, 0.0, 3.0]
    """

    def value(self, z: Any) -> Any:
        return maximum(z, constant(z, 0.0))

    def slope(self, z: Any, a: Any) -> Any:
        return where(z > constant(z, 0.0), constant(z, 1.0), constant(z, 0.0))


@activations.add
@component
class LeakyReLU(Activation):
    """Leaky ReLU: z where z > 0, else slope z (Maas et al. 2013); derivative `slope` at z = 0.

    Parameters
    ----------
    slope : float, finite
        Derivative where z is 0 or less.

    Raises
    ------
    ValueError
        If `slope` is not a finite number.

    References
    ----------
    Maas, Hannun and Ng (2013), "Rectifier nonlinearities improve neural network acoustic models", ICML
    Workshop on Deep Learning for Audio, Speech and Language Processing.

    Examples
    --------
    >>> import fastneuron as fn
    >>> import numpy as np
    >>> fn.LeakyReLU(slope=0.25).value(np.array([-2.0, 0.0, 3.0])).tolist()
    [-0.5, 0.0, 3.0]
    """

    slope: float = 0.01  # type: ignore[assignment]

    def value(self, z: Any) -> Any:
        return where(z > constant(z, 0.0), z, self.slope * z)

    def derivative(self, z: Any, a: Any) -> Any:
        return where(z > constant(z, 0.0), constant(z, 1.0), constant(z, self.slope))


@activations.add
@component
class Softplus(Activation):
    """Softplus ln(1 + exp(z)): a smooth ReLU (Dugas et al. 2001).

    Notes
    -----
    Computed as max(0, z) + log1p(exp(-abs(z))), which neither overflows nor loses small outputs. The slope is
    the logistic sigmoid of z.

    References
    ----------
    Dugas, Bengio, Belisle, Nadeau and Garcia (2001), "Incorporating second-order functional knowledge for
    better option pricing", Advances in Neural Information Processing Systems 13.

    Examples
    --------
    >>> import fastneuron as fn
    >>> float(fn.Softplus().value(0.0).round(4)), float(fn.Softplus().value(1000.0))
    (0.6931, 1000.0)
    """

    def value(self, z: Any) -> Any:
        return maximum(z, constant(z, 0.0)) + log1p(exp(-abs(z)))

    def slope(self, z: Any, a: Any) -> Any:
        return sigmoid(z)


@activations.add
@component
class SiLU(Activation):
    """Sigmoid linear unit z / (1 + exp(-z)), or swish (Elfwing et al. 2018); least -0.278 at z = -1.278.

    References
    ----------
    Elfwing, Uchibe and Doya (2018), "Sigmoid-weighted linear units for neural network function approximation
    in reinforcement learning", Neural Networks 107, 3-11.

    Examples
    --------
    >>> import fastneuron as fn
    >>> float(fn.SiLU().value(-1.278).round(3)), float(fn.SiLU().value(50.0))
    (-0.278, 50.0)
    """

    def value(self, z: Any) -> Any:
        return z * sigmoid(z)

    def slope(self, z: Any, a: Any) -> Any:
        s = sigmoid(z)
        return fma(a, constant(z, 1.0) - s, s)


@activations.add
@component
class GELU(Activation):
    """Gaussian error linear unit z Phi(z), Phi the normal distribution function (Hendrycks and Gimpel 2016).

    Notes
    -----
    Computed by the error function, Phi(z) = (1 + erf(z / sqrt(2))) / 2, not by the approximations of the
    paper.

    References
    ----------
    Hendrycks and Gimpel (2016), "Gaussian error linear units (GELUs)", arXiv:1606.08415.

    Examples
    --------
    >>> import fastneuron as fn
    >>> float(fn.GELU().value(0.0)), float(fn.GELU().value(1.0).round(4))
    (0.0, 0.8413)
    """

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
    """Hard sigmoid z / 6 + 1/2, cut at 0 and 1 (Courbariaux et al. 2015, scaled as in torch).

    Notes
    -----
    Reaches 0 at z = -3 and 1 at z = 3; the slope is 0 there and beyond. The paper has (z + 1) / 2.

    References
    ----------
    Courbariaux, Bengio and David (2015), "BinaryConnect: training deep neural networks with binary weights
    during propagations", Advances in Neural Information Processing Systems 28.

    Examples
    --------
    >>> import fastneuron as fn
    >>> import numpy as np
    >>> fn.HardSigmoid().value(np.array([-4.0, 0.0, 3.0])).tolist()
    [0.0, 0.5, 1.0]
    """

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
    """Inverse tangent arctan(z), in radians: from -pi/2 to pi/2.

    Examples
    --------
    >>> import fastneuron as fn
    >>> float(fn.Arctan().value(0.0)), fn.Arctan().derivative(1.0, 0.785)
    (0.0, 0.5)
    """

    def value(self, z: Any) -> Any:
        return arctan(z)

    def slope(self, z: Any, a: Any) -> Any:
        one = constant(z, 1.0)
        return one / fma(z, z, one)


@activations.add
@component
class Identity(Activation):
    """Identity, z itself: linear regression.

    Examples
    --------
    >>> import fastneuron as fn
    >>> fn.Identity().value(-2.5)
    -2.5
    """

    def value(self, z: Any) -> Any:
        return z

    def slope(self, z: Any, a: Any) -> Any:
        return constant(z, 1.0)


@activations.add
@component
class Step(Activation):
    """Heaviside: 1 where z >= 0, else 0; derivative 0 everywhere, so gradients cannot train it.

    Notes
    -----
    In its cross-entropy ln 0 counts as -100, as in torch.nn.BCELoss, so that a wrong step stays where it is
    and does not diverge. `PerceptronLoss`, whose derivative in z does not go through the activation, trains
    it.

    Examples
    --------
    >>> import fastneuron as fn
    >>> float(fn.Step().value(0.0)), float(fn.Step().value(-0.1)), fn.Step().derivative(0.0, 1.0)
    (1.0, 0.0, 0.0)
    """

    def value(self, z: Any) -> Any:
        return where(z >= constant(z, 0.0), constant(z, 1.0), constant(z, 0.0))

    def slope(self, z: Any, a: Any) -> Any:
        return constant(z, 0.0)

    def log_loss(self, z: Any, a: Any, y: Any) -> Any:
        # ln 0 counts as -100, as in torch.nn.BCELoss: a wrong step stays where it is, it does not diverge
        return constant(z, 100.0) * abs(a - y)

    def log_loss_slope(self, z: Any, a: Any, y: Any) -> Any:
        return constant(z, 0.0)

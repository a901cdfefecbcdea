"""Losses: what one sample's output costs against its target; a task's loss is their mean.

Not here: penalties on the parameters.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from fastneuron.activations import Activation
from fastneuron.components import Bound, Component, Positive, Registry, component
from fastneuron.elementary import constant, maximum, sign, where

Scale = Annotated[float, Bound("positive", low=0.0, above=True, plain=0.5)]


class Loss(Component):
    """Base of the losses.

    To add one: a class of fields decorated with `component` (and here with ``losses.add``), with

    - ``value(self, activation, z, a, y)``: the loss of output a = activation.value(z) for target y;
    - ``delta(self, activation, z, a, y)``: its derivative in z, not finite wherever the value is not.
      Whoever needs it calls ``derivative``, which calls `delta`; a loss with a field called delta defines
      `derivative` instead. Making a sweep compares it with differences, unless the class says ``surrogate =
      True``;
    - ``targets``: which targets make sense: ``"any"``, ``"unit"`` (0 to 1) or ``"binary"`` (0 or 1).

    Examples
    --------
    >>> import fastneuron as fn
    >>> @fn.component
    ... class Quartic(fn.Loss):
    ...     def value(self, activation, z, a, y):
    ...         return (a - y) * (a - y) * (a - y) * (a - y)
    ...
    ...     def delta(self, activation, z, a, y):
    ...         return fn.constant(z, 4.0) * (a - y) * (a - y) * (a - y) * activation.derivative(z, a)
    >>> Quartic().value(fn.Identity(), 3.0, 3.0, 1.0), Quartic().derivative(fn.Identity(), 3.0, 3.0, 1.0)
    (16.0, 32.0)
    """

    __slots__ = ()
    targets: ClassVar[str] = "any"

    def value(self, activation: Activation, z: Any, a: Any, y: Any) -> Any:
        """Loss of one sample.

        Parameters
        ----------
        activation : Activation
            That of the output.
        z : float or float array, any shape
            Pre-activation.
        a : float or float array, shape of `z`
            The output for `z`.
        y : float or float array, shape of `z`
            Target.

        Returns
        -------
        float or float array, shape of `z`
            The loss; a start whose loss is not finite counts as diverged.
        """
        raise NotImplementedError

    def delta(self, activation: Activation, z: Any, a: Any, y: Any) -> Any:
        """Derivative of the loss of one sample in z: what a class defines and `derivative` calls.

        Parameters
        ----------
        activation : Activation
            That of the output.
        z : float or float array, any shape
            Pre-activation.
        a : float or float array, shape of `z`
            The output for `z`.
        y : float or float array, shape of `z`
            Target.

        Returns
        -------
        float or float array, shape of `z`
            The derivative; not finite wherever the loss is not.
        """
        raise NotImplementedError

    def derivative(self, activation: Activation, z: Any, a: Any, y: Any) -> Any:
        """Derivative of the loss of one sample in z: what is called, whichever of the two a class defines.

        Parameters
        ----------
        activation : Activation
            That of the output.
        z : float or float array, any shape
            Pre-activation.
        a : float or float array, shape of `z`
            The output for `z`.
        y : float or float array, shape of `z`
            Target.

        Returns
        -------
        float or float array, shape of `z`
            The derivative, as `delta` gives it.
        """
        return self.delta(activation, z, a, y)


losses = Registry("loss", Loss)


@losses.add
@component
class SquaredError(Loss):
    """Squared error scale (a - y)^2.

    Parameters
    ----------
    scale : float, positive
        Factor; 0.5 makes the derivative in a the plain difference a - y.

    Raises
    ------
    ValueError
        If `scale` is not positive and finite.

    Examples
    --------
    >>> import fastneuron as fn
    >>> loss = fn.SquaredError()
    >>> loss.value(fn.Identity(), 3.0, 3.0, 1.0), loss.derivative(fn.Identity(), 3.0, 3.0, 1.0)
    (2.0, 2.0)
    """

    scale: Scale = 0.5

    def value(self, activation: Activation, z: Any, a: Any, y: Any) -> Any:
        return (self.scale * (a - y)) * (a - y)  # the square alone may overflow where the loss does not

    def delta(self, activation: Activation, z: Any, a: Any, y: Any) -> Any:
        return (self.scale + self.scale) * (a - y) * activation.derivative(z, a)


@losses.add
@component
class AbsoluteError(Loss):
    """Absolute error abs(a - y); derivative 0 at a = y.

    Examples
    --------
    >>> import fastneuron as fn
    >>> loss = fn.AbsoluteError()
    >>> loss.value(fn.Identity(), 3.0, 3.0, 1.0), float(loss.derivative(fn.Identity(), 3.0, 3.0, 1.0))
    (2.0, 1.0)
    """

    def value(self, activation: Activation, z: Any, a: Any, y: Any) -> Any:
        return abs(a - y)

    def delta(self, activation: Activation, z: Any, a: Any, y: Any) -> Any:
        return sign(a - y) * activation.derivative(z, a)


@losses.add
@component
class Huber(Loss):
    """Huber's loss (Huber 1964): with e = abs(a - y), e^2 / 2 up to delta, beyond it delta (e - delta / 2).

    Parameters
    ----------
    delta : float, positive
        Distance from the target from which on the loss is a straight line.

    Raises
    ------
    ValueError
        If `delta` is not positive and finite.

    References
    ----------
    Huber (1964), "Robust estimation of a location parameter", Annals of Mathematical Statistics 35(1),
    73-101.

    Examples
    --------
    >>> import fastneuron as fn
    >>> [float(fn.Huber(delta=1.0).value(fn.Identity(), a, a, 0.0)) for a in (0.5, 1.0, 3.0)]
    [0.125, 0.5, 2.5]
    """

    delta: Positive = 1.0  # type: ignore[assignment]

    def value(self, activation: Activation, z: Any, a: Any, y: Any) -> Any:
        far = abs(a - y)
        half = constant(z, 0.5)
        near = where(far > self.delta, constant(z, self.delta), far)
        return where(far > self.delta, self.delta * (far - half * self.delta), half * near * near)

    def derivative(self, activation: Activation, z: Any, a: Any, y: Any) -> Any:
        e = a - y
        return where(abs(e) > self.delta, self.delta * sign(e), e) * activation.derivative(z, a)


@losses.add
@component
class CrossEntropy(Loss):
    """Cross-entropy -y ln a - (1 - y) ln(1 - a), in nats; stable where a sigmoid saturates.

    Not finite, so that a start counts as diverged, where the output leaves the range in which the
    logarithms exist (a ReLU above 1, a tanh below 0). For a `Step`, whose outputs are 0 or 1, ln 0 counts
    as -100.

    Notes
    -----
    For a sigmoid of gain 1 the derivative in z is a - y: unlike the squared error it does not vanish where a
    saturated neuron is wrong.

    References
    ----------
    Nielsen (2015), Neural Networks and Deep Learning, chapter 3, equation 57.

    Examples
    --------
    >>> import fastneuron as fn
    >>> loss, sigmoid = fn.CrossEntropy(), fn.Sigmoid()
    >>> float(loss.value(sigmoid, 0.0, 0.5, 1.0).round(4)), float(loss.derivative(sigmoid, 0.0, 0.5, 1.0))
    (0.6931, -0.5)
    >>> float(loss.value(sigmoid, 800.0, 1.0, 0.0))
    800.0
    """

    targets: ClassVar[str] = "unit"

    def value(self, activation: Activation, z: Any, a: Any, y: Any) -> Any:
        return activation.log_loss(z, a, y)

    def delta(self, activation: Activation, z: Any, a: Any, y: Any) -> Any:
        return activation.log_loss_slope(z, a, y)


@losses.add
@component
class Hinge(Loss):
    """Hinge loss max(0, 1 - (2y - 1) z) of a support vector machine; of z, whatever the activation.

    Its derivative is 0 at the margin, (2y - 1) z = 1.

    References
    ----------
    Cortes and Vapnik (1995), "Support-vector networks", Machine Learning 20, 273-297.

    Examples
    --------
    >>> import fastneuron as fn
    >>> [float(fn.Hinge().value(fn.Identity(), z, z, 1.0)) for z in (-1.0, 0.5, 2.0)]
    [2.0, 0.5, 0.0]
    """

    targets: ClassVar[str] = "binary"

    def value(self, activation: Activation, z: Any, a: Any, y: Any) -> Any:
        one, zero = constant(z, 1.0), constant(z, 0.0)
        return maximum(one - (y + y - one) * z, zero)

    def delta(self, activation: Activation, z: Any, a: Any, y: Any) -> Any:
        one, zero = constant(z, 1.0), constant(z, 0.0)
        side = y + y - one
        return where(side * z < one, -side, where(side * z >= one, zero, z))


@losses.add
@component
class PerceptronLoss(Loss):
    """Perceptron loss max(0, -(2y - 1) z): gradient descent on it is the perceptron rule (Rosenblatt 1958).

    Its derivative in z is step(z) - y, whatever the activation, so that it trains a `Step`.

    References
    ----------
    Rosenblatt (1958), "The perceptron: a probabilistic model for information storage and organization in the
    brain", Psychological Review 65(6), 386-408.

    Examples
    --------
    >>> import fastneuron as fn
    >>> loss = fn.PerceptronLoss()
    >>> float(loss.value(fn.Step(), 2.0, 1.0, 0.0)), float(loss.derivative(fn.Step(), 2.0, 1.0, 0.0))
    (2.0, 1.0)
    """

    targets: ClassVar[str] = "binary"

    def value(self, activation: Activation, z: Any, a: Any, y: Any) -> Any:
        one = constant(z, 1.0)
        return maximum((one - y - y) * z, constant(z, 0.0))

    def delta(self, activation: Activation, z: Any, a: Any, y: Any) -> Any:
        zero = constant(z, 0.0)
        return where(z >= zero, constant(z, 1.0), where(z < zero, zero, z)) - y

"""Optimizers: one update of one parameter from its gradient; the formulas are torch.optim's."""

from __future__ import annotations

from typing import Any, ClassVar

from fastneuron.components import Component, Fraction, NonNegative, Positive, Registry, component
from fastneuron.elementary import constant, divide, fma, sign, sqrt, where


class Optimizer(Component):
    """Base of the optimizers.

    To add one: a class of fields decorated with `component` (and here with ``optimizers.add``), with

    - ``slots``: how many numbers it remembers for each parameter (all 0 at the start);
    - ``step(self, parameter, gradient, memory)``: a tuple of the new parameter and then the new
      memory, where `memory` is the tuple of the `slots` numbers remembered.

    Examples
    --------
    >>> from typing import ClassVar
    >>> import fastneuron as fn
    >>> from fastneuron.components import Positive
    >>> @fn.component
    ... class Averaged(fn.Optimizer):
    ...     learning_rate: Positive
    ...     slots: ClassVar[int] = 1
    ...
    ...     def step(self, parameter, gradient, memory):
    ...         mean = fn.constant(gradient, 0.5) * (memory[0] + gradient)
    ...         return (parameter - self.learning_rate * mean, mean)
    >>> Averaged(learning_rate=1.0).step(3.0, 2.0, (0.0,))
    (2.0, 1.0)
    """

    __slots__ = ()
    slots: ClassVar[int] = 0

    def step(self, parameter: Any, gradient: Any, memory: tuple[Any, ...]) -> tuple[Any, ...]:
        """Update one parameter.

        Parameters
        ----------
        parameter : float or float array, any shape
            A weight or a bias.
        gradient : float or float array, shape of `parameter`
            Derivative of loss and penalty in it.
        memory : tuple of float or float array, shape of `parameter`
            The ``slots`` numbers remembered for it.

        Returns
        -------
        tuple of float or float array, shape of `parameter`
            The new parameter, and then what is remembered.
        """
        raise NotImplementedError


optimizers = Registry("optimizer", Optimizer)


def averaged(decay: Any, mean: Any, value: Any) -> Any:
    """A running mean, decay mean + (1 - decay) value.

    Not value + decay (mean - value), which is NaN where both are infinite. A decay of 0 keeps nothing, of an
    infinite mean neither.
    """
    zero, one = constant(value, 0.0), constant(value, 1.0)
    return fma(decay, where(decay > zero, mean, zero), (one - decay) * value)


def scaled(gradient: Any, square: Any, epsilon: Any) -> Any:
    """Gradient over the root of its mean square."""
    return divide(gradient, sqrt(square) + epsilon)


def adam(fields: Any, gradient: Any, memory: tuple[Any, ...]) -> tuple[Any, ...]:
    """The direction of `Adam`, and its memory: the means and their weights.

    A weight, 1 - beta^t, is the mean of as many ones.
    """
    one = constant(gradient, 1.0)
    first = averaged(fields.beta1, memory[0], gradient)
    second = averaged(fields.beta2, memory[1], gradient * gradient)
    weight1 = averaged(fields.beta1, memory[2], one)
    weight2 = averaged(fields.beta2, memory[3], one)
    update = divide(scaled(first, divide(second, weight2), fields.epsilon), weight1)
    return (update, first, second, weight1, weight2)


@optimizers.add
@component
class GradientDescent(Optimizer):
    """Plain gradient descent: p - learning_rate g.

    Parameters
    ----------
    learning_rate : float, positive
        Factor of an update.

    Raises
    ------
    ValueError
        If `learning_rate` is not positive and finite.

    Examples
    --------
    >>> import fastneuron as fn
    >>> fn.GradientDescent(learning_rate=0.5).step(3.0, 2.0, ())
    (2.0,)
    """

    learning_rate: Positive

    def step(self, parameter: Any, gradient: Any, memory: tuple[Any, ...]) -> tuple[Any, ...]:
        return (fma(-self.learning_rate, gradient, parameter),)


@optimizers.add
@component
class Momentum(Optimizer):
    """Heavy ball (Polyak 1964): v = momentum v + g; p - learning_rate v.

    Parameters
    ----------
    learning_rate : float, positive
        Factor of an update.
    momentum : float, 0 <= momentum < 1
        Share of the velocity that is kept from step to step.

    Raises
    ------
    ValueError
        If `learning_rate` is not positive and finite, or `momentum` not at least 0 and below 1.

    References
    ----------
    Polyak (1964), "Some methods of speeding up the convergence of iteration methods", USSR Computational
    Mathematics and Mathematical Physics 4(5), 1-17.

    Examples
    --------
    >>> import fastneuron as fn
    >>> fn.Momentum(learning_rate=0.5, momentum=0.5).step(3.0, 2.0, (4.0,))
    (1.0, 4.0)
    """

    learning_rate: Positive
    momentum: Fraction

    slots: ClassVar[int] = 1

    def step(self, parameter: Any, gradient: Any, memory: tuple[Any, ...]) -> tuple[Any, ...]:
        velocity = fma(self.momentum, memory[0], gradient)
        return (fma(-self.learning_rate, velocity, parameter), velocity)


@optimizers.add
@component
class Nesterov(Optimizer):
    """Nesterov's momentum: v = momentum v + g; p - learning_rate (g + momentum v).

    Parameters
    ----------
    learning_rate : float, positive
        Factor of an update.
    momentum : float, 0 <= momentum < 1
        Share of the velocity that is kept from step to step.

    Raises
    ------
    ValueError
        If `learning_rate` is not positive and finite, or `momentum` not at least 0 and below 1.

    Notes
    -----
    As in torch, after Sutskever et al. (2013): the gradient is taken at the parameter itself, and the
    velocity looks one step ahead.

    References
    ----------
    Sutskever, Martens, Dahl and Hinton (2013), "On the importance of initialization and momentum in deep
    learning", International Conference on Machine Learning, PMLR 28(3), 1139-1147.

    Examples
    --------
    >>> import fastneuron as fn
    >>> fn.Nesterov(learning_rate=0.5, momentum=0.5).step(3.0, 2.0, (4.0,))
    (1.0, 4.0)
    """

    learning_rate: Positive
    momentum: Fraction

    slots: ClassVar[int] = 1

    def step(self, parameter: Any, gradient: Any, memory: tuple[Any, ...]) -> tuple[Any, ...]:
        velocity = fma(self.momentum, memory[0], gradient)
        return (fma(-self.learning_rate, fma(self.momentum, velocity, gradient), parameter), velocity)


@optimizers.add
@component
class AdaGrad(Optimizer):
    """Scaled by all squares: s = s + g^2; p - learning_rate g / (sqrt(s) + epsilon) (Duchi et al. 2011).

    Parameters
    ----------
    learning_rate : float, positive
        Factor of an update.
    epsilon : float, 0 or more
        Added to the root, against a division by 0.

    Raises
    ------
    ValueError
        If `learning_rate` is not positive and finite, or `epsilon` negative or not finite.

    References
    ----------
    Duchi, Hazan and Singer (2011), "Adaptive subgradient methods for online learning and stochastic
    optimization", Journal of Machine Learning Research 12, 2121-2159.

    Examples
    --------
    >>> import fastneuron as fn
    >>> new, total = fn.AdaGrad(learning_rate=0.5, epsilon=0.0).step(3.0, 3.0, (16.0,))
    >>> float(new), total
    (2.7, 25.0)
    """

    learning_rate: Positive
    epsilon: NonNegative = 1e-10

    slots: ClassVar[int] = 1

    def step(self, parameter: Any, gradient: Any, memory: tuple[Any, ...]) -> tuple[Any, ...]:
        total = fma(gradient, gradient, memory[0])
        return (parameter - self.learning_rate * scaled(gradient, total, self.epsilon), total)


@optimizers.add
@component
class RMSProp(Optimizer):
    """Running mean s = decay s + (1 - decay) g^2; p - learning_rate g / (sqrt(s) + epsilon).

    Parameters
    ----------
    learning_rate : float, positive
        Factor of an update.
    decay : float, 0 <= decay < 1
        Share of the mean squared gradient that is kept from step to step.
    epsilon : float, 0 or more
        Added to the root, against a division by 0.

    Raises
    ------
    ValueError
        If a field is outside its range or not finite.

    References
    ----------
    Tieleman and Hinton (2012), "Lecture 6.5, rmsprop: divide the gradient by a running average of its recent
    magnitude", COURSERA: Neural Networks for Machine Learning.

    Examples
    --------
    >>> import fastneuron as fn
    >>> new, mean = fn.RMSProp(learning_rate=0.5, decay=0.5, epsilon=0.0).step(3.0, 2.0, (4.0,))
    >>> float(new), float(mean)
    (2.5, 4.0)
    """

    learning_rate: Positive
    decay: Fraction = 0.99
    epsilon: NonNegative = 1e-8

    slots: ClassVar[int] = 1

    def step(self, parameter: Any, gradient: Any, memory: tuple[Any, ...]) -> tuple[Any, ...]:
        mean = averaged(self.decay, memory[0], gradient * gradient)
        return (parameter - self.learning_rate * scaled(gradient, mean, self.epsilon), mean)


@optimizers.add
@component
class Adam(Optimizer):
    """Means m of g and s of g^2, each over its weight; p - learning_rate m / (sqrt(s) + epsilon).

    Parameters
    ----------
    learning_rate : float, positive
        Factor of an update.
    beta1 : float, 0 <= beta1 < 1
        Share of the mean gradient that is kept from step to step.
    beta2 : float, 0 <= beta2 < 1
        Share of the mean squared gradient that is kept.
    epsilon : float, 0 or more
        Added to the root, against a division by 0.

    Raises
    ------
    ValueError
        If a field is outside its range or not finite.

    Notes
    -----
    Kingma and Ba (2015), algorithm 1: m = beta1 m + (1 - beta1) g, divided by 1 - beta1^t; s likewise with
    g^2 and beta2. The weights 1 - beta^t are remembered as running means of ones, so that no step is counted.

    References
    ----------
    Kingma and Ba (2015), "Adam: a method for stochastic optimization", International Conference on Learning
    Representations, arXiv:1412.6980.

    Examples
    --------
    >>> import fastneuron as fn
    >>> new, *memory = fn.Adam(learning_rate=0.5, epsilon=0.0).step(3.0, 2.0, (0.0, 0.0, 0.0, 0.0))
    >>> float(round(new, 12)), len(memory)
    (2.5, 4)
    """

    learning_rate: Positive
    beta1: Fraction = 0.9
    beta2: Fraction = 0.999
    epsilon: NonNegative = 1e-8

    slots: ClassVar[int] = 4

    def step(self, parameter: Any, gradient: Any, memory: tuple[Any, ...]) -> tuple[Any, ...]:
        update, first, second, weight1, weight2 = adam(self, gradient, memory)
        return (parameter - self.learning_rate * update, first, second, weight1, weight2)


@optimizers.add
@component
class AdamW(Optimizer):
    """Adam after p = (1 - learning_rate weight_decay) p, of the bias too (Loshchilov and Hutter 2019).

    Parameters
    ----------
    learning_rate : float, positive
        Factor of an update.
    beta1 : float, 0 <= beta1 < 1
        Share of the mean gradient that is kept from step to step.
    beta2 : float, 0 <= beta2 < 1
        Share of the mean squared gradient that is kept.
    epsilon : float, 0 or more
        Added to the root, against a division by 0.
    weight_decay : float, 0 or more
        Times the learning rate, the share of a parameter that a step takes away.

    Raises
    ------
    ValueError
        If a field is outside its range or not finite.

    References
    ----------
    Loshchilov and Hutter (2019), "Decoupled weight decay regularization", International Conference on
    Learning Representations, arXiv:1711.05101.

    Examples
    --------
    >>> import fastneuron as fn
    >>> new, *memory = fn.AdamW(0.5, epsilon=0.0, weight_decay=0.5).step(4.0, 2.0, (0.0, 0.0, 0.0, 0.0))
    >>> float(round(new, 12)), len(memory)
    (2.5, 4)
    """

    learning_rate: Positive
    beta1: Fraction = 0.9
    beta2: Fraction = 0.999
    epsilon: NonNegative = 1e-8
    weight_decay: NonNegative = 0.01

    slots: ClassVar[int] = 4

    def step(self, parameter: Any, gradient: Any, memory: tuple[Any, ...]) -> tuple[Any, ...]:
        update, first, second, weight1, weight2 = adam(self, gradient, memory)
        kept = parameter - self.learning_rate * self.weight_decay * parameter
        return (kept - self.learning_rate * update, first, second, weight1, weight2)


@optimizers.add
@component
class SignDescent(Optimizer):
    """Steps of one length: p - learning_rate sign(g) (Bernstein et al. 2018).

    Parameters
    ----------
    learning_rate : float, positive
        Length of a step.

    Raises
    ------
    ValueError
        If `learning_rate` is not positive and finite.

    References
    ----------
    Bernstein, Wang, Azizzadenesheli and Anandkumar (2018), "signSGD: compressed optimisation for non-convex
    problems", International Conference on Machine Learning, PMLR 80, 560-569.

    Examples
    --------
    >>> import fastneuron as fn
    >>> (new,) = fn.SignDescent(learning_rate=0.5).step(3.0, -2.0, ())
    >>> float(new)
    3.5
    """

    learning_rate: Positive

    def step(self, parameter: Any, gradient: Any, memory: tuple[Any, ...]) -> tuple[Any, ...]:
        return (fma(-self.learning_rate, sign(gradient), parameter),)

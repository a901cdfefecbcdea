"""Optimizers: one update of one parameter from its gradient; the formulas are torch.optim's."""

from __future__ import annotations

from typing import Any, ClassVar

from fastneuron.components import Component, Fraction, NonNegative, Positive, Registry, component
from fastneuron.elementary import constant, divide, fma, sign, sqrt


class Optimizer(Component):
    """Base of the optimizers.

    To add one: a class of fields decorated with `component` (and here with ``optimizers.add``), with

    - ``slots``: how many numbers it remembers for each parameter (all 0 at the start);
    - ``step(self, parameter, gradient, memory)``: a tuple of the new parameter and then the new
      memory, where `memory` is the tuple of the `slots` numbers remembered.
    """

    __slots__ = ()
    slots: ClassVar[int] = 0

    def step(self, parameter: Any, gradient: Any, memory: tuple[Any, ...]) -> tuple[Any, ...]:
        """The parameter, and then what is remembered, after one update."""
        raise NotImplementedError


optimizers = Registry("optimizer", Optimizer)


def averaged(decay: Any, mean: Any, value: Any) -> Any:
    """A running mean, decay mean + (1 - decay) value."""
    return fma(decay, mean - value, value)


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
    """p - learning_rate g."""

    learning_rate: Positive

    def step(self, parameter: Any, gradient: Any, memory: tuple[Any, ...]) -> tuple[Any, ...]:
        return (fma(-self.learning_rate, gradient, parameter),)


@optimizers.add
@component
class Momentum(Optimizer):
    """Heavy ball (Polyak 1964): v = momentum v + g; p - learning_rate v."""

    learning_rate: Positive
    momentum: Fraction

    slots: ClassVar[int] = 1

    def step(self, parameter: Any, gradient: Any, memory: tuple[Any, ...]) -> tuple[Any, ...]:
        velocity = fma(self.momentum, memory[0], gradient)
        return (fma(-self.learning_rate, velocity, parameter), velocity)


@optimizers.add
@component
class Nesterov(Optimizer):
    """v = momentum v + g; p - learning_rate (g + momentum v) (Sutskever et al. 2013, as in torch)."""

    learning_rate: Positive
    momentum: Fraction

    slots: ClassVar[int] = 1

    def step(self, parameter: Any, gradient: Any, memory: tuple[Any, ...]) -> tuple[Any, ...]:
        velocity = fma(self.momentum, memory[0], gradient)
        return (fma(-self.learning_rate, fma(self.momentum, velocity, gradient), parameter), velocity)


@optimizers.add
@component
class AdaGrad(Optimizer):
    """s = s + g^2; p - learning_rate g / (sqrt(s) + epsilon) (Duchi et al. 2011)."""

    learning_rate: Positive
    epsilon: NonNegative = 1e-10

    slots: ClassVar[int] = 1

    def step(self, parameter: Any, gradient: Any, memory: tuple[Any, ...]) -> tuple[Any, ...]:
        total = fma(gradient, gradient, memory[0])
        return (parameter - self.learning_rate * scaled(gradient, total, self.epsilon), total)


@optimizers.add
@component
class RMSProp(Optimizer):
    """s = decay s + (1 - decay) g^2; p - learning_rate g / (sqrt(s) + epsilon) (Tieleman and Hinton 2012)."""

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

    Kingma and Ba 2015: m = beta1 m + (1 - beta1) g, divided by 1 - beta1^t; s likewise with g^2 and beta2.
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
    """Adam after p = (1 - learning_rate weight_decay) p, of the bias too (Loshchilov and Hutter 2019)."""

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
    """p - learning_rate sign(g) (Bernstein et al. 2018)."""

    learning_rate: Positive

    def step(self, parameter: Any, gradient: Any, memory: tuple[Any, ...]) -> tuple[Any, ...]:
        return (fma(-self.learning_rate, sign(gradient), parameter),)

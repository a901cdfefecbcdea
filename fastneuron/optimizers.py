"""Optimizers: one update of one parameter from its gradient; the formulas are torch.optim's."""

from __future__ import annotations

from typing import Any, ClassVar

from fastneuron.components import Component, Fraction, Positive, Registry, component
from fastneuron.elementary import fma


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

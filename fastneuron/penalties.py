"""Penalties: what is added to the loss for the size of the parameters.

The reported loss never contains them.
"""

from __future__ import annotations

from typing import Any

from fastneuron.components import Component, NonNegative, Registry, component
from fastneuron.elementary import constant, fma, where


class Penalty(Component):
    """Base of the penalties.

    To add one: a class of fields decorated with `component` (and here with ``penalties.add``), with

    - ``value(self, weight, bias)``: what one weight and one bias add to the loss;
    - ``weight_gradient(self, weight, gradient)``: the gradient with the penalty's share added;
    - ``bias_gradient(self, bias, gradient)``: likewise for the bias.
    """

    __slots__ = ()

    def value(self, weight: Any, bias: Any) -> Any:
        """Penalty of one weight and one bias."""
        raise NotImplementedError

    def weight_gradient(self, weight: Any, gradient: Any) -> Any:
        """`gradient` plus the derivative of the penalty in a weight."""
        raise NotImplementedError

    def bias_gradient(self, bias: Any, gradient: Any) -> Any:
        """`gradient` plus the derivative of the penalty in the bias."""
        raise NotImplementedError


penalties = Registry("penalty", Penalty)


@component
class NoPenalty(Penalty):
    """What a sweep without a penalty hands to the kernel."""

    def value(self, weight: Any, bias: Any) -> Any:
        return constant(weight, 0.0)

    def weight_gradient(self, weight: Any, gradient: Any) -> Any:
        return gradient

    def bias_gradient(self, bias: Any, gradient: Any) -> Any:
        return gradient


@penalties.add
@component
class L2(Penalty):
    """strength / 2 sum w^2 + bias_strength / 2 b^2 (weight decay, ridge)."""

    strength: NonNegative
    bias_strength: NonNegative = 0.0

    def value(self, weight: Any, bias: Any) -> Any:
        half = constant(weight, 0.5)
        return half * (self.strength * (weight * weight) + self.bias_strength * (bias * bias))

    def weight_gradient(self, weight: Any, gradient: Any) -> Any:
        return fma(self.strength, weight, gradient)

    def bias_gradient(self, bias: Any, gradient: Any) -> Any:
        return fma(self.bias_strength, bias, gradient)


@penalties.add
@component
class L1(Penalty):
    """strength sum |w| + bias_strength |b| (lasso); the derivative at 0 is taken as 0."""

    strength: NonNegative
    bias_strength: NonNegative = 0.0

    def value(self, weight: Any, bias: Any) -> Any:
        return self.strength * abs(weight) + self.bias_strength * abs(bias)

    def weight_gradient(self, weight: Any, gradient: Any) -> Any:
        zero = constant(weight, 0.0)
        sign = where(weight > zero, self.strength, where(weight < zero, -self.strength, zero))
        return gradient + sign

    def bias_gradient(self, bias: Any, gradient: Any) -> Any:
        zero = constant(bias, 0.0)
        sign = where(bias > zero, self.bias_strength, where(bias < zero, -self.bias_strength, zero))
        return gradient + sign

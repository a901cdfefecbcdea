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

    Examples
    --------
    >>> import fastneuron as fn
    >>> from fastneuron.components import NonNegative
    >>> @fn.component
    ... class Quartic(fn.Penalty):
    ...     strength: NonNegative
    ...
    ...     def value(self, weight, bias):
    ...         return self.strength * weight * weight * weight * weight
    ...
    ...     def weight_gradient(self, weight, gradient):
    ...         return gradient + fn.constant(weight, 4.0) * self.strength * weight * weight * weight
    ...
    ...     def bias_gradient(self, bias, gradient):
    ...         return gradient
    >>> Quartic(strength=0.5).value(2.0, 1.0), Quartic(strength=0.5).weight_gradient(2.0, 1.0)
    (8.0, 17.0)
    """

    __slots__ = ()

    def value(self, weight: Any, bias: Any) -> Any:
        """Penalty of one weight and one bias.

        Parameters
        ----------
        weight : float or float array, any shape
            A weight.
        bias : float or float array, shape of `weight`
            A bias.

        Returns
        -------
        float or float array, shape of `weight`
            What they add to the loss.
        """
        raise NotImplementedError

    def weight_gradient(self, weight: Any, gradient: Any) -> Any:
        """Add the derivative of the penalty in a weight to `gradient`.

        Parameters
        ----------
        weight : float or float array, any shape
            A weight.
        gradient : float or float array, shape of `weight`
            Derivative of the loss in the weight.

        Returns
        -------
        float or float array, shape of `weight`
            Derivative of loss and penalty.
        """
        raise NotImplementedError

    def bias_gradient(self, bias: Any, gradient: Any) -> Any:
        """Add the derivative of the penalty in a bias to `gradient`.

        Parameters
        ----------
        bias : float or float array, any shape
            A bias.
        gradient : float or float array, shape of `bias`
            Derivative of the loss in the bias.

        Returns
        -------
        float or float array, shape of `bias`
            Derivative of loss and penalty.
        """
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
    """Half the squares, strength / 2 sum w^2 + bias_strength / 2 b^2 (weight decay, ridge).

    Parameters
    ----------
    strength : float, 0 or more
        Factor of the weights.
    bias_strength : float, 0 or more
        Factor of the biases.

    Raises
    ------
    ValueError
        If a strength is negative or not finite.

    References
    ----------
    Hoerl and Kennard (1970), "Ridge regression: biased estimation for nonorthogonal problems", Technometrics
    12(1), 55-67.

    Krogh and Hertz (1992), "A simple weight decay can improve generalization", Advances in Neural Information
    Processing Systems 4.

    Examples
    --------
    >>> import fastneuron as fn
    >>> fn.L2(strength=0.5).value(2.0, 1.0), fn.L2(strength=0.5).weight_gradient(2.0, 0.0)
    (1.0, 1.0)
    """

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
    """Absolute values, strength sum abs(w) + bias_strength abs(b) (lasso); the derivative at 0 is taken as 0.

    Parameters
    ----------
    strength : float, 0 or more
        Factor of the weights.
    bias_strength : float, 0 or more
        Factor of the biases.

    Raises
    ------
    ValueError
        If a strength is negative or not finite.

    References
    ----------
    Tibshirani (1996), "Regression shrinkage and selection via the lasso", Journal of the Royal Statistical
    Society B 58(1), 267-288.

    Examples
    --------
    >>> import fastneuron as fn
    >>> fn.L1(strength=0.5).value(-2.0, 1.0), float(fn.L1(strength=0.5).weight_gradient(-2.0, 0.0))
    (1.0, -0.5)
    """

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

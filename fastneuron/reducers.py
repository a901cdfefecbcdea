"""Reducers: what is kept of the losses of a training run, without keeping every step.

The losses are l_0 .. l_(T-1), each taken before its update, for T = max_steps; a start that ends early stays
where it ended, and its loss there counts for the steps that are left; one that ends in a cycle passes through
the states of the cycle in turn. Counted is c_t = min(r_t, clip), and clip where r_t is not finite, with
r_t = l_t; where `relative` is 1, r_t = l_t / l_0, and 0 where l_t is 0, also if l_0 is.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastneuron.components import Bound, Component, Positive, Registry, component
from fastneuron.elementary import constant, divide, where

Flag = Annotated[int, Bound("0 or 1", low=0, high=2, whole=True)]
Count = Annotated[int, Bound("a whole number of 1 or more", low=1, high=2**31, whole=True)]
LARGEST = 1e30  # a loss that both dtypes hold


class Reducer(Component):
    """Base of the reducers, which are sums over the steps.

    To add one: a class of the fields `relative` and `clip` (see the module) and any others, decorated with
    `component` (and here with ``reducers.add``), with

    - ``term(self, loss, t, steps)``: what the counted loss of step t, from 0 to before `steps`, adds.

    Examples
    --------
    >>> import fastneuron as fn
    >>> from fastneuron.components import Positive
    >>> from fastneuron.reducers import LARGEST, Flag
    >>> @fn.component
    ... class SumOfSquares(fn.Reducer):
    ...     relative: Flag = 0
    ...     clip: Positive = LARGEST
    ...
    ...     def term(self, loss, t, steps):
    ...         return loss * loss
    >>> sum(SumOfSquares().term(loss, t, 2) for t, loss in enumerate([3.0, 4.0]))
    25.0
    """

    __slots__ = ()
    relative: Any
    clip: Any

    def counted(self, loss: Any, first: Any) -> Any:
        """The counted loss, where the first one was `first`.

        Parameters
        ----------
        loss : float or float array, any shape
            The loss of a step.
        first : float or float array, shape of `loss`
            That of the first step.

        Returns
        -------
        float or float array, shape of `loss`
            At most ``clip``; ``clip`` where the loss is not a number.
        """
        ratio = where(loss == 0.0, loss, divide(loss, first))
        loss = where(self.relative > 0.0, ratio, loss)
        return where(loss < self.clip, loss, self.clip)

    def term(self, loss: Any, t: Any, steps: Any) -> Any:
        """What one step adds.

        Parameters
        ----------
        loss : float or float array, any shape
            The counted loss of the step.
        t : float or float array, shape of `loss`
            Number of the step, from 0.
        steps : float or float array, shape of `loss`
            Number of all steps.

        Returns
        -------
        float or float array, shape of `loss`
            The share of the step in the number that is kept.
        """
        raise NotImplementedError


reducers = Registry("reducer", Reducer)


@reducers.add
@component
class First(Reducer):
    """The first loss, that of the start.

    Parameters
    ----------
    relative : int, 0 or 1
        1: the losses are divided by the first.
    clip : float, positive
        Losses above, and those that are not finite, count as this.

    Raises
    ------
    ValueError
        If a field is outside its range or not finite.

    Examples
    --------
    >>> import fastneuron as fn
    >>> sum(float(fn.First().term(loss, t, 3)) for t, loss in enumerate([4.0, 2.0, 1.0]))
    4.0
    """

    relative: Flag = 0
    clip: Positive = LARGEST

    def term(self, loss: Any, t: Any, steps: Any) -> Any:
        return where(t == 0.0, loss, constant(loss, 0.0))


@reducers.add
@component
class Last(Reducer):
    """The last loss, that before the last update.

    Parameters
    ----------
    relative : int, 0 or 1
        1: the losses are divided by the first.
    clip : float, positive
        Losses above, and those that are not finite, count as this.

    Raises
    ------
    ValueError
        If a field is outside its range or not finite.

    Examples
    --------
    >>> import fastneuron as fn
    >>> sum(float(fn.Last().term(loss, t, 3)) for t, loss in enumerate([4.0, 2.0, 1.0]))
    1.0
    """

    relative: Flag = 0
    clip: Positive = LARGEST

    def term(self, loss: Any, t: Any, steps: Any) -> Any:
        return where(t == steps - 1.0, loss, constant(loss, 0.0))


@reducers.add
@component
class Mean(Reducer):
    """The mean of the last `last` losses; of all of them where there are fewer.

    Parameters
    ----------
    last : int, 1 <= last < 2**31
        How many.
    relative : int, 0 or 1
        1: the losses are divided by the first.
    clip : float, positive
        Losses above, and those that are not finite, count as this.

    Raises
    ------
    ValueError
        If a field is outside its range or not finite.

    Examples
    --------
    >>> import fastneuron as fn
    >>> sum(float(fn.Mean(last=2).term(loss, t, 3)) for t, loss in enumerate([4.0, 2.0, 1.0]))
    1.5
    """

    last: Count
    relative: Flag = 0
    clip: Positive = LARGEST

    def term(self, loss: Any, t: Any, steps: Any) -> Any:
        count = where(steps < self.last, steps, self.last)
        return where(t >= steps - count, divide(loss, count), constant(loss, 0.0))


@reducers.add
@component
class Sum(Reducer):
    """The sum of all losses.

    Parameters
    ----------
    relative : int, 0 or 1
        1: the losses are divided by the first.
    clip : float, positive
        Losses above, and those that are not finite, count as this.

    Raises
    ------
    ValueError
        If a field is outside its range or not finite.

    Examples
    --------
    >>> import fastneuron as fn
    >>> sum(fn.Sum().term(loss, t, 3) for t, loss in enumerate([4.0, 2.0, 1.0]))
    7.0
    """

    relative: Flag = 0
    clip: Positive = LARGEST

    def term(self, loss: Any, t: Any, steps: Any) -> Any:
        return loss


@reducers.add
@component
class SumOfInverses(Reducer):
    """The sum of one over every loss.

    Parameters
    ----------
    relative : int, 0 or 1
        1: the losses are divided by the first.
    clip : float, positive
        Losses above, and those that are not finite, count as this.

    Raises
    ------
    ValueError
        If a field is outside its range or not finite.

    Examples
    --------
    >>> import fastneuron as fn
    >>> sum(float(fn.SumOfInverses().term(loss, t, 3)) for t, loss in enumerate([4.0, 2.0, 1.0]))
    1.75
    """

    relative: Flag = 0
    clip: Positive = LARGEST

    def term(self, loss: Any, t: Any, steps: Any) -> Any:
        return divide(constant(loss, 1.0), loss)

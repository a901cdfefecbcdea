"""Batches: which samples the gradient of a step is taken over.

The error and the loss that say what became of a start are always those of all samples.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from fastneuron.components import Bound, Component, Registry, component
from fastneuron.elementary import constant, where

Size = Annotated[int, Bound("a whole number of 1 or more", low=1, high=2**31, whole=True)]
Seed = Annotated[int, Bound("a whole number from 0 to 2**53 - 1", low=0, high=2**53, whole=True)]


class Batch(Component):
    """Base of the batches.

    To add one: a class of fields decorated with `component` (and here with ``batches.add``), with

    - ``shuffled``: whether the samples are put in a new random order for every epoch; then it has a field
      ``seed``, a `Seed`, the key of that order. Without, a step must see all samples alike;
    - ``steps(self, samples)``: steps in an epoch, given the number of samples;
    - ``span(self, step, samples)``: which of the places of an epoch's order its step `step` sees, both
      counted from 0: the first, and the one behind the last. The gradient is the mean over their samples.

    Examples
    --------
    >>> from typing import ClassVar
    >>> import fastneuron as fn
    >>> from fastneuron.batches import Seed
    >>> @fn.component
    ... class Pairs(fn.Batch):
    ...     seed: Seed = 0
    ...     shuffled: ClassVar[bool] = True
    ...
    ...     def steps(self, samples):
    ...         return (samples + 1) // 2
    ...
    ...     def span(self, step, samples):
    ...         end = step + step + fn.constant(step, 2.0)
    ...         return step + step, fn.elementary.where(end < samples, end, samples)
    >>> [tuple(map(int, Pairs().span(step, 5))) for step in range(Pairs().steps(5))]
    [(0, 2), (2, 4), (4, 5)]
    """

    __slots__ = ()
    shuffled: ClassVar[bool] = False

    def steps(self, samples: Any) -> Any:
        """Number of steps in an epoch.

        Parameters
        ----------
        samples : int or float, 1 or more
            Number of samples of the task; whole, inside a kernel as a float.

        Returns
        -------
        int or float
            Whole, from 1 to `samples`.
        """
        raise NotImplementedError

    def span(self, step: Any, samples: Any) -> tuple[Any, Any]:
        """The first place that a step sees, and the one behind the last.

        Parameters
        ----------
        step : int, float or float array, any shape, 0 <= step < ``steps(samples)``
            Number of the step in its epoch; whole, inside a kernel as floats.
        samples : int, float or float array, shape of `step`, 1 or more
            Number of samples of the task, likewise.

        Returns
        -------
        tuple of two numbers or arrays, shape of `step`
            First place, and last + 1, from 0 to `samples`, in the order of the epoch.
        """
        raise NotImplementedError


batches = Registry("batch", Batch)


@batches.add
@component
class FullBatch(Batch):
    """All samples in every step.

    Examples
    --------
    >>> import fastneuron as fn
    >>> fn.FullBatch().steps(100), fn.FullBatch().span(0, 100)
    (1, (0.0, 100))
    """

    def steps(self, samples: Any) -> Any:
        return 1

    def span(self, step: Any, samples: Any) -> tuple[Any, Any]:
        return constant(samples, 0.0), samples


@batches.add
@component
class MiniBatch(Batch):
    """The next `size` samples of a random order, which is drawn anew for every epoch; size 1 is SGD.

    The gradient is the mean over these samples. The last batch of an epoch is smaller where `size` does not
    divide their number. The order depends on the seed, the number of the point in the grid and the epoch
    alone.

    Parameters
    ----------
    size : int, 1 <= size < 2**31
        Samples of a step; a sweep allows at most those of its task.
    seed : int, 0 <= seed < 2**53
        Key of the orders.

    Raises
    ------
    ValueError
        If `size` or `seed` is no whole number of its range.

    Notes
    -----
    The order is a shuffle by Durstenfeld (1964) with words of Philox4x32-10 (Salmon et al. 2011). Size 1 is
    stochastic gradient descent (Robbins and Monro 1951).

    References
    ----------
    Durstenfeld (1964), "Algorithm 235: random permutation", Communications of the ACM 7(7), 420.

    Robbins and Monro (1951), "A stochastic approximation method", Annals of Mathematical Statistics 22(3),
    400-407.

    Salmon, Moraes, Dror and Shaw (2011), "Parallel random numbers: as easy as 1, 2, 3", SC '11.

    Examples
    --------
    >>> import fastneuron as fn
    >>> batch = fn.MiniBatch(size=2)
    >>> [tuple(map(int, batch.span(step, 5))) for step in range(batch.steps(5))]
    [(0, 2), (2, 4), (4, 5)]
    """

    size: Size
    seed: Seed = 0

    shuffled: ClassVar[bool] = True

    def steps(self, samples: Any) -> Any:
        return (samples + self.size - 1) // self.size

    def span(self, step: Any, samples: Any) -> tuple[Any, Any]:
        begin = step * self.size
        end = begin + self.size
        return begin, where(end < samples, end, samples)

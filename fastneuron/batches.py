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
    """

    __slots__ = ()
    shuffled: ClassVar[bool] = False

    def steps(self, samples: Any) -> Any:
        """Steps in an epoch."""
        raise NotImplementedError

    def span(self, step: Any, samples: Any) -> tuple[Any, Any]:
        """The first place that a step sees, and the one behind the last."""
        raise NotImplementedError


batches = Registry("batch", Batch)


@batches.add
@component
class FullBatch(Batch):
    """All samples in every step."""

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

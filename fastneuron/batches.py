"""Batches: which samples the gradient of a step is taken over.

The error and the loss that say what became of a start are always those of all samples.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from fastneuron.components import Bound, Component, Registry, component
from fastneuron.elementary import constant, divide, where

Size = Annotated[int, Bound("a whole number of 1 or more", low=1, high=2**31, whole=True)]
Seed = Annotated[int, Bound("a whole number from 0 to 2**53 - 1", low=0, high=2**53, whole=True)]


class Batch(Component):
    """Base of the batches.

    To add one: a class of fields decorated with `component` (and here with ``batches.add``), with

    - ``shuffled``: whether the samples are put in a new random order for every epoch; then it has a field
      ``seed``, a `Seed`, the key of that order. Without, a step must see all samples alike;
    - ``steps(self, samples)``: steps in an epoch, given the number of samples;
    - ``weight(self, place, step, samples)``: the weight of the sample at `place` of an epoch's order in the
      gradient of its step `step`, both counted from 0: 1 in the mean over all samples, 0 for one not seen.
    """

    __slots__ = ()
    shuffled: ClassVar[bool] = False

    def steps(self, samples: Any) -> Any:
        """Steps in an epoch."""
        raise NotImplementedError

    def weight(self, place: Any, step: Any, samples: Any) -> Any:
        """Weight of a sample in the gradient of a step, 1 in the mean over the samples."""
        raise NotImplementedError


batches = Registry("batch", Batch)


@batches.add
@component
class FullBatch(Batch):
    """All samples in every step."""

    def steps(self, samples: Any) -> Any:
        return 1

    def weight(self, place: Any, step: Any, samples: Any) -> Any:
        return constant(place, 1.0)


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

    def weight(self, place: Any, step: Any, samples: Any) -> Any:
        begin = step * self.size
        rest = samples - begin
        seen = where(rest < self.size, rest, self.size)
        inside = where(place < begin, constant(place, 0.0), divide(samples, seen))
        return where(place < begin + seen, inside, constant(place, 0.0))

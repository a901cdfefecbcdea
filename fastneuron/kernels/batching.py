"""Which samples a step sees: the random order of the samples of each lane, epoch by epoch.

The places are flat, in rows of one number for each lane: for n samples, n rows of the place of each in the
order of the epoch, then one of the step within the epoch, then one of the steps that an epoch has. Where
batches are not shuffled there are none.

An epoch's order is a shuffle (Durstenfeld 1964, algorithm 235 of the CACM) by the words of Philox4x32-10
(`fastneuron.starts`), of which the key is the seed, and the counter the point, the epoch and 1 + the number
of the block of four words. An epoch of one step takes the samples as they come.
"""

from typing import Any, NamedTuple

import numpy as np

from fastneuron.elementary import constant, divide, where
from fastneuron.kernels.jit import compact, compiled_as, inner, never_inline, use_full_width
from fastneuron.kernels.memory import put, take
from fastneuron.kernels.philox import philox
from fastneuron.kernels.records import bind
from fastneuron.kernels.vectors import bits_of, lanes_in

_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


class Orders(NamedTuple):
    """The orders of lanes, and what they are drawn from.

    places : see the module; epochs : the number of the epoch of each lane; numbers : that of its point;
    words : five rows of scratch. All but the places are int64.
    """

    places: Any
    epochs: Any
    numbers: Any
    words: Any


@inner
def draw_words(orders, begin, end, stride, block):
    """Four words of 32 random bits for each lane, into four rows of `words`; the fifth row holds the seeds.

    LLVM makes vectors of this loop.
    """
    never_inline()
    use_full_width()
    words, numbers, epochs = orders.words, orders.numbers, orders.epochs
    for lane in range(begin, end):
        point, seed = np.uint64(numbers[lane]), np.uint64(words[4 * stride + lane])
        drawn = philox(point & _LOW, point >> _HALF, np.uint64(epochs[lane]), np.uint64(block), seed)
        for k in range(4):
            words[k * stride + lane] = drawn[k]


@inner
def swap(orders, lane, stride, samples, block):
    """The swaps in the shuffle of a lane that take their random words from this block of four."""
    compact()
    places = orders.places
    for w in range(min(4, samples - 1 - 4 * block)):
        last = samples - 1 - 4 * block - w
        here = last * stride + lane
        there = (orders.words[w * stride + lane] * (last + 1) >> 32) * stride + lane
        places[here], places[there] = places[there], places[here]


@inner
def begin_epochs(batch, fields, orders, begin, end, stride, samples):
    """Begin an epoch in those lanes from `begin` to before `end` whose last one is over."""
    never_inline()
    compact()
    places = orders.places
    step_row, steps_row = samples * stride, (samples + 1) * stride
    for lane in range(begin, end):
        own = bind(batch, 0.0, fields, lane, stride)
        orders.words[4 * stride + lane] = np.int64(own.seed)
        if places[step_row + lane] >= places[steps_row + lane]:
            orders.epochs[lane] += 1
            for i in range(samples):
                places[i * stride + lane] = i
    for block in range((samples + 2) // 4):
        draw_words(orders, begin, end, stride, 1 + block)
        for lane in range(begin, end):
            if places[step_row + lane] >= places[steps_row + lane]:
                swap(orders, lane, stride, samples, block)
    for lane in range(begin, end):
        if places[step_row + lane] >= places[steps_row + lane]:
            own = bind(batch, 0.0, fields, lane, stride)
            places[step_row + lane] = 0
            places[steps_row + lane] = own.steps(float(samples))
            if places[steps_row + lane] == 1:  # as without batches, to the bit
                for i in range(samples):
                    places[i * stride + lane] = i


@inner
def before_first_epoch(places, epochs, lane, stride, samples):
    """Make the next step of a lane the first of its first epoch."""
    places[samples * stride + lane] = -1
    places[(samples + 1) * stride + lane] = 0
    epochs[lane] = -1


def next_step(batch: Any, like: Any, fields: Any, orders: Any, lane: Any, stride: Any, samples: Any) -> Any:
    """Go on to the next step of the epoch, or to the first of another, in the lanes of a vector."""
    raise NotImplementedError


@compiled_as(next_step)
def _next_step(batch: Any, like: Any, fields: Any, orders: Any, lane: Any, stride: Any, samples: Any) -> Any:
    if not batch.instance_class.shuffled:
        return lambda batch, like, fields, orders, lane, stride, samples: None

    def go(batch: Any, like: Any, fields: Any, orders: Any, lane: Any, stride: Any, samples: Any) -> Any:
        at = samples * stride + lane
        step = take(orders.places, at, like) + constant(like, 1.0)
        put(orders.places, at, step)
        if bits_of(step >= take(orders.places, at + stride, like)) != 0:
            begin_epochs(batch, fields, orders, lane, lane + lanes_in(like), stride, samples)

    return go


def in_batch(
    batch: Any, like: Any, slope: Any, i: Any, places: Any, lane: Any, stride: Any, samples: Any
) -> Any:
    """The slope of sample i as the step sees it: times its weight, 0 where it is not seen.

    `batch` is bound to numbers like `like`.
    """
    raise NotImplementedError


@compiled_as(in_batch)
def _in_batch(
    batch: Any, like: Any, slope: Any, i: Any, places: Any, lane: Any, stride: Any, samples: Any
) -> Any:
    if not batch.instance_class.shuffled:
        return lambda batch, like, slope, i, places, lane, stride, samples: slope

    def weighted(
        batch: Any, like: Any, slope: Any, i: Any, places: Any, lane: Any, stride: Any, samples: Any
    ) -> Any:
        zero = constant(like, 0.0)
        step = take(places, samples * stride + lane, like)
        place = take(places, i * stride + lane, like)
        begin, end = batch.span(step, constant(like, samples))
        weight = divide(constant(like, samples), constant(like, end - begin))
        inside = where(place < begin, zero, weight * slope)  # a slope that is not finite is not seen either
        return where(place < end, inside, zero)

    return weighted


def unseen(batch: Any, like: Any, slope: Any) -> Any:
    """0, or NaN where batches are shuffled and a slope is not finite, whether the step sees it or not."""
    raise NotImplementedError


@compiled_as(unseen)
def _unseen(batch: Any, like: Any, slope: Any) -> Any:
    if not batch.instance_class.shuffled:
        return lambda batch, like, slope: constant(like, 0.0)
    return lambda batch, like, slope: slope - slope


def or_lost(batch: Any, size: Any, lost: Any) -> Any:
    """The size of an update, or NaN where `lost`, a sum of `unseen`, is."""
    raise NotImplementedError


@compiled_as(or_lost)
def _or_lost(batch: Any, size: Any, lost: Any) -> Any:
    if not batch.instance_class.shuffled:
        return lambda batch, size, lost: size
    return lambda batch, size, lost: size + lost

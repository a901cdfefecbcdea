"""Which samples a step of a network sees: all of them, or those of a lane's batch, picked for each lane."""

from typing import Any

from fastneuron.elementary import constant, where
from fastneuron.kernels.jit import compiled_as
from fastneuron.kernels.layers import BOUNDS_AT, ORDER_AT, PICKED_AT, TARGETS_AT, UNITS, WORDS
from fastneuron.kernels.memory import flat_of, put, take
from fastneuron.kernels.products import Own, Shared
from fastneuron.kernels.vectors import lanes_in


def samples_seen(own: Any, like: Any, room: Any, places: Any, lane: Any, stride: Any) -> Any:
    """How many samples a step looks at, the most of the lanes of a vector; notes which these are."""
    raise NotImplementedError


@compiled_as(samples_seen)
def _samples_seen(own: Any, like: Any, room: Any, places: Any, lane: Any, stride: Any) -> Any:
    batch = own.types[own.fields.index("batch")]
    if not batch.instance_class.shuffled:
        return lambda own, like, room, places, lane, stride: own.samples

    def seen(own: Any, like: Any, room: Any, places: Any, lane: Any, stride: Any) -> Any:
        count = lanes_in(like)
        n = own.samples
        begin, end = own.batch.span(take(places, n * stride + lane, like), constant(like, n))
        put(room, own.plan[BOUNDS_AT] * count, constant(like, begin))
        put(room, (own.plan[BOUNDS_AT] + 1) * count, constant(like, end))
        most = 0
        for c in range(count):
            at = own.plan[BOUNDS_AT] * count + c
            most = max(most, int(room[at + count] - room[at]))
            if places[n * stride + lane + c] == 0:  # a new epoch, so a new order
                for i in range(n):
                    place = int(places[i * stride + lane + c])
                    room[(own.plan[ORDER_AT] + place) * count + c] = i
        return most

    return seen


def inputs_of(own: Any, like: Any, room: Any, first: Any, k: Any) -> Any:
    """The inputs of the k samples from the first on that a step looks at, one in a row."""
    raise NotImplementedError


@compiled_as(inputs_of)
def _inputs_of(own: Any, like: Any, room: Any, first: Any, k: Any) -> Any:
    batch = own.types[own.fields.index("batch")]
    if not batch.instance_class.shuffled:
        return lambda own, like, room, first, k: all_inputs(own, first)

    def picked(own: Any, like: Any, room: Any, first: Any, k: Any) -> Any:
        count = lanes_in(like)
        n, outputs = own.layers[0], own.layers[(len(own.factors) - 1) * WORDS + UNITS]
        for s in range(k):
            for c in range(count):
                at = own.plan[BOUNDS_AT] * count + c
                # where the batch has no more, its last once more: no number of another sample counts
                # (of a lane without a start, the first)
                place = max(0, min(int(room[at]) + first + s, int(room[at + count]) - 1))
                sample = int(room[(own.plan[ORDER_AT] + place) * count + c])
                for j in range(n):
                    room[(own.plan[PICKED_AT] + s * n + j) * count + c] = own.x[sample * n + j]
                for u in range(outputs):
                    room[(own.plan[TARGETS_AT] + s * outputs + u) * count + c] = own.y[sample * outputs + u]
        return Own(room, own.plan[PICKED_AT] * count, n * count, count)

    return picked


def all_inputs(own: Any, first: Any) -> Any:
    """The inputs of the samples from the first on, one in a row."""
    raise NotImplementedError


@compiled_as(all_inputs)
def _all_inputs(own: Any, first: Any) -> Any:
    return lambda own, first: Shared(flat_of(own.x), first * own.layers[0], own.layers[0], 1)


def target_of(own: Any, like: Any, room: Any, first: Any, s: Any, u: Any, outputs: Any) -> Any:
    """The target of output u of a sample of a step."""
    raise NotImplementedError


@compiled_as(target_of)
def _target_of(own: Any, like: Any, room: Any, first: Any, s: Any, u: Any, outputs: Any) -> Any:
    batch = own.types[own.fields.index("batch")]
    if not batch.instance_class.shuffled:
        return lambda own, like, room, first, s, u, outputs: constant(
            like, take(own.y, (first + s) * outputs + u, own.mean)
        )
    return lambda own, like, room, first, s, u, outputs: take(
        room, (own.plan[TARGETS_AT] + s * outputs + u) * lanes_in(like), like
    )


def weighted(own: Any, like: Any, room: Any, place: Any, value: Any) -> Any:
    """A value of the sample at a place of the batch, times its weight; 0 where there is none."""
    raise NotImplementedError


@compiled_as(weighted)
def _weighted(own: Any, like: Any, room: Any, place: Any, value: Any) -> Any:
    batch = own.types[own.fields.index("batch")]
    if not batch.instance_class.shuffled:
        return lambda own, like, room, place, value: value

    def by_size(own: Any, like: Any, room: Any, place: Any, value: Any) -> Any:
        count = lanes_in(like)
        begin = take(room, own.plan[BOUNDS_AT] * count, like)
        size = take(room, (own.plan[BOUNDS_AT] + 1) * count, like) - begin
        weight = constant(like, own.samples) / size
        return where(constant(like, place) < size, weight * value, constant(like, 0.0))

    return by_size

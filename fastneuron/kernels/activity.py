"""The outputs of the layers of many networks with random parameters, and what these amount to.

Lanes are networks, a `Vector` of them at once: v counts the vectors of a group of networks. The outputs of a
layer lie flat as [v, sample, unit, lane]. A weight is drawn where it is used and kept nowhere.

A source of parameters is a distribution, from which each network draws its own, or a flat array of the
numbers that all have.
"""

from typing import Any, NamedTuple

from numba import types

from fastneuron.elementary import constant, fma
from fastneuron.kernels.jit import compiled_as, inner, kernel, use_full_width
from fastneuron.kernels.memory import put, take
from fastneuron.kernels.philox import uniform_numbers
from fastneuron.kernels.records import bind
from fastneuron.kernels.vectors import lanes_in, vector_like

HALF = 0.5
MEAN, SQUARES = 0, 1  # the columns of `moments`
LOW, HIGH, ALL_ABOVE_HALF, OUTSIDE = 0, 1, 2, 3  # those of `counts`


class Dense(NamedTuple):
    """One layer for a kernel: z = factor (x W) + b, then its activation.

    weight, bias : sources of parameters. first : the use of its first weight; that of its first bias is
    inputs * units further.
    """

    weight: Any
    bias: Any
    activation: Any
    inputs: int
    units: int
    factor: float
    first: int


def parameter(source: Any, seed: Any, numbers: Any, at: Any, first: Any, index: Any, like: Any) -> Any:
    """Number `index` of a source, for the networks whose numbers stand in `numbers` from `at` on."""
    raise NotImplementedError


@compiled_as(parameter)
def _parameter(source: Any, seed: Any, numbers: Any, at: Any, first: Any, index: Any, like: Any) -> Any:
    if isinstance(source, types.Array):
        return lambda source, seed, numbers, at, first, index, like: constant(like, source[index])

    def draw(source: Any, seed: Any, numbers: Any, at: Any, first: Any, index: Any, like: Any) -> Any:
        own = bind(source, like, numbers, 0, 0)
        return constant(like, own.value(uniform_numbers(seed, numbers, at, first + index, like)))

    return draw


@inner
def add_weighted(layer, seed, numbers, at, unit, seen, x, shared, samples, sums, like):
    """Into row i of `sums` the sum over the inputs of sample i, each times its weight to a unit."""
    use_full_width()
    lanes = lanes_in(like)
    base = 0 if shared else at * samples * layer.inputs
    for i in range(samples):
        put(sums, i * lanes, constant(like, 0.0))
    for j in seen:
        index = j * layer.units + unit
        weight = parameter(layer.weight, seed, numbers, at, layer.first, index, like)
        for i in range(samples):
            place = i * layer.inputs + j
            given = constant(like, x[place]) if shared else take(x, base + place * lanes, like)
            put(sums, i * lanes, fma(given, weight, take(sums, i * lanes, like)))


@kernel
def run_layer(layer, seed, numbers, seen, x, shared, sums, out, cancel):
    """The outputs of a layer of a group of networks; returns False where it was cancelled.

    Parameters
    ----------
    layer : Dense
    seed : int64
    numbers : int64 array, as many as fill whole vectors
        Numbers of the networks.
    seen : int64 array
        The inputs that are not 0 in all samples: the weights of the others are not drawn.
    x : float64 array, flat
        The outputs of the layer below; where `shared`, inputs of all networks alike, [sample, input].
    shared : bool
    sums : float64 array, shape (samples, lanes of a vector), flat
        Scratch.
    out : float64 array, flat
        Results.
    cancel : uint8 array
        The first turns 1 where the work should end.
    """
    like = vector_like(0.0)
    lanes = lanes_in(like)
    samples, weights = len(sums) // lanes, layer.inputs * layer.units
    act = bind(layer.activation, like, out, 0, 0)
    for at in range(0, len(numbers), lanes):
        for unit in range(layer.units):
            if cancel[0]:
                return False
            add_weighted(layer, seed, numbers, at, unit, seen, x, shared, samples, sums, like)
            bias = parameter(layer.bias, seed, numbers, at, layer.first + weights, unit, like)
            for i in range(samples):
                z = fma(take(sums, i * lanes, like), layer.factor, bias)
                place = (at * samples + i * lanes) * layer.units + unit * lanes
                put(out, place, constant(like, act.value(z)))
    return True


@inner
def bin_of(edges, value):
    """The bin in which a value is, the last one with both its edges; -1 for none."""
    bins = len(edges) - 1
    if not (edges[0] <= value <= edges[bins]):
        return -1
    low, high = 0, bins
    while high - low > 1:
        middle = (low + high) // 2
        if value >= edges[middle]:
            low = middle
        else:
            high = middle
    return low


@kernel
def tally(outputs, networks, units, low, high, edges, moments, counts, histogram):
    """What the outputs of a layer of a group amount to, each sample alone.

    Parameters
    ----------
    outputs : float64 array, flat
        As `run_layer` leaves them.
    networks, units : int64
        How many networks count, from the first on, and units of the layer.
    low, high : float64
        What an output is below, or above, to count as low or high.
    edges : float64 array, ascending
        Of the bins.
    moments : float64 array, shape (samples, 2)
        Mean, and sum of the squared distances from it.
    counts : int64 array, shape (samples, 4)
        Low outputs, high ones, networks with all of them above a half, and outputs that are in no bin.
    histogram : int64 array, shape (samples, bins)
    """
    lanes = lanes_in(vector_like(0.0))
    samples = len(moments)
    for i in range(samples):
        total = 0.0
        counts[i, :] = 0
        histogram[i, :] = 0
        for network in range(networks):
            lane = network % lanes
            first = ((network - lane) * samples + i * lanes) * units + lane
            above = 0
            for unit in range(units):
                value = outputs[first + unit * lanes]
                total += value
                above += value > HALF
                counts[i, LOW] += value < low
                counts[i, HIGH] += value > high
                where = bin_of(edges, value)
                if where < 0:
                    counts[i, OUTSIDE] += 1
                else:
                    histogram[i, where] += 1
            counts[i, ALL_ABOVE_HALF] += above == units
        mean, squares = total / (networks * units), 0.0
        for network in range(networks):
            lane = network % lanes
            first = ((network - lane) * samples + i * lanes) * units + lane
            for unit in range(units):
                distance = outputs[first + unit * lanes] - mean
                squares += distance * distance
        moments[i, MEAN] = mean
        moments[i, SQUARES] = squares

"""A step of a small network, whose sizes are types: every loop over units unrolls, and little is stored.

Several samples go through the layers side by side, as what is computed of one is a long chain. The sums run
in the order in which `fastneuron.kernels.layers` takes them, so the bits are the same. All samples are seen:
not for batches.

Numbers of a layer are tuples of tuples, [s][u] that of unit u for sample s.
"""

from typing import TYPE_CHECKING, Any

from numba.cpython.unsafe.tuple import tuple_setitem

from fastneuron.elementary import constant, fma
from fastneuron.kernels.jit import compiled_as
from fastneuron.kernels.memory import put, take
from fastneuron.kernels.recording import loss_of
from fastneuron.kernels.updating import all_like
from fastneuron.kernels.vectors import lanes_in, larger

if TYPE_CHECKING:
    from fastneuron.models import Layer

MOST_PARAMETERS = 13  # of a network that is small: with more, tuples become slower than memory
SIDE_BY_SIDE = 2  # samples, at most


def shape_of(layers: tuple["Layer", ...], biased: bool, samples: int) -> tuple[Any, Any]:
    """The shape of a small network that is to learn so many samples, in the lengths of tuples.

    How many samples go side by side; and of each layer its inputs, units and biases.
    """
    together = next(count for count in range(SIDE_BY_SIDE, 0, -1) if samples % count == 0)
    sizes = tuple(((0,) * k.inputs, (0,) * k.units, (0,) * (k.units if biased else 0)) for k in layers)
    return (0,) * together, sizes


def all_samples(own: Any, like: Any, source: Any, at: Any, stride: Any, room: Any, to: Any) -> Any:
    """The sums over all samples: the gradient goes to room[to] on; the largest error and the loss."""
    raise NotImplementedError


@compiled_as(all_samples)
def _all_samples(own: Any, like: Any, source: Any, at: Any, stride: Any, room: Any, to: Any) -> Any:
    return _in_groups


def _in_groups(own: Any, like: Any, source: Any, at: Any, stride: Any, room: Any, to: Any) -> Any:
    zero = constant(like, 0.0)
    sums = all_like(own.theta, zero)
    worst, loss = zero, zero
    group, layers = own.shape
    n = len(layers[0][0])
    for first in range(0, own.samples, len(group)):
        inputs = all_like(group, all_like(layers[0][0], zero))
        for s in range(len(group)):
            for d in range(n):
                x = constant(like, take(own.x, (first + s) * n + d, own.mean))
                inputs = tuple_setitem(inputs, s, tuple_setitem(inputs[s], d, x))
        found = through(layers, own, like, source, at, stride, 0, inputs, first, (sums, worst, loss))
        _, sums, worst, loss = found
    for j in range(len(own.theta)):
        put(room, to + j * lanes_in(like), sums[j])
    return worst, loss


def through(
    layers: Any, own: Any, like: Any, source: Any, at: Any, stride: Any,
    first: Any, inputs: Any, sample: Any, found: Any,
) -> Any:  # fmt: skip
    """A group of samples, from number `sample` on, through `layers`, the last of the network, and back.

    first : the first parameter of these layers; inputs : of the first of them; found : the sums of the
    gradient, the largest error and the sum of the losses so far

    Returns
    -------
    the slopes of the loss by the inputs, and `found` with these samples
    """
    raise NotImplementedError


@compiled_as(through)
def _through(
    layers: Any, own: Any, like: Any, source: Any, at: Any, stride: Any,
    first: Any, inputs: Any, sample: Any, found: Any,
) -> Any:  # fmt: skip
    return _through_last if len(layers) == 1 else _through_hidden


def _through_hidden(
    layers: Any, own: Any, like: Any, source: Any, at: Any, stride: Any,
    first: Any, inputs: Any, sample: Any, found: Any,
) -> Any:  # fmt: skip
    units, shifts = layers[0][1], layers[0][2]
    z = summed_inputs(layers, own, like, source, at, stride, first, inputs)
    outputs, slopes = z, z
    for s in range(len(inputs)):
        a, slope = z[s], z[s]
        for u in range(len(units)):
            a = tuple_setitem(a, u, constant(like, own.hidden.value(z[s][u])))
            slope = tuple_setitem(slope, u, constant(like, own.hidden.derivative(z[s][u], a[u])))
        outputs, slopes = tuple_setitem(outputs, s, a), tuple_setitem(slopes, s, slope)
    above = first + len(inputs[0]) * len(units) + len(shifts)
    e, sums, worst, loss = through(
        layers[1:], own, like, source, at, stride, above, outputs, sample, found
    )  # fmt: skip
    for s in range(len(inputs)):
        own_e = e[s]
        for u in range(len(units)):
            own_e = tuple_setitem(own_e, u, own_e[u] * slopes[s][u])
        e = tuple_setitem(e, s, own_e)
    slopes_below, sums = errors_back(layers, own, like, source, at, stride, first, inputs, e, sums)
    return slopes_below, sums, worst, loss


def _through_last(
    layers: Any, own: Any, like: Any, source: Any, at: Any, stride: Any,
    first: Any, inputs: Any, sample: Any, found: Any,
) -> Any:  # fmt: skip
    units = layers[0][1]
    e = summed_inputs(layers, own, like, source, at, stride, first, inputs)
    sums, worst, loss = found
    for s in range(len(inputs)):
        own_e = e[s]
        for u in range(len(units)):
            z = own_e[u]
            a = constant(like, own.output.value(z))
            y = constant(like, take(own.y, (sample + s) * len(units) + u, own.mean))
            worst = larger(worst, abs(a - y))
            loss = loss + loss_of(own.record, own.loss, own.output, z, a, y)
            own_e = tuple_setitem(own_e, u, constant(like, own.loss.derivative(own.output, z, a, y)))
        e = tuple_setitem(e, s, own_e)
    slopes_below, sums = errors_back(layers, own, like, source, at, stride, first, inputs, e, sums)
    return slopes_below, sums, worst, loss


def summed_inputs(
    layers: Any, own: Any, like: Any, source: Any, at: Any, stride: Any, first: Any, inputs: Any
) -> Any:
    """The pre-activations of the first of these layers."""
    raise NotImplementedError


@compiled_as(summed_inputs)
def _summed_inputs(
    layers: Any, own: Any, like: Any, source: Any, at: Any, stride: Any, first: Any, inputs: Any
) -> Any:
    return _summed


def _summed(
    layers: Any, own: Any, like: Any, source: Any, at: Any, stride: Any, first: Any, inputs: Any
) -> Any:
    units, shifts = layers[0][1], layers[0][2]
    n = len(inputs[0])
    factor = constant(like, own.factors[len(own.factors) - len(layers)])
    zero = constant(like, 0.0)
    z = all_like(inputs, all_like(units, zero))
    for s in range(len(inputs)):
        own_z = z[s]
        for u in range(len(units)):
            total = zero
            for d in range(n):
                w = take(source, at + (first + d * len(units) + u) * stride, like)
                total = fma(w, inputs[s][d], total)
            shift = zero
            if len(shifts):
                shift = take(source, at + (first + n * len(units) + u) * stride, like)
            own_z = tuple_setitem(own_z, u, fma(factor, total, shift))
        z = tuple_setitem(z, s, own_z)
    return z


def errors_back(
    layers: Any, own: Any, like: Any, source: Any, at: Any, stride: Any,
    first: Any, inputs: Any, e: Any, sums: Any,
) -> Any:  # fmt: skip
    """From the errors of the first of these layers the slopes by its inputs, and the sums of the gradient."""
    raise NotImplementedError


@compiled_as(errors_back)
def _errors_back(
    layers: Any, own: Any, like: Any, source: Any, at: Any, stride: Any,
    first: Any, inputs: Any, e: Any, sums: Any,
) -> Any:  # fmt: skip
    return _back


def _back(
    layers: Any, own: Any, like: Any, source: Any, at: Any, stride: Any,
    first: Any, inputs: Any, e: Any, sums: Any,
) -> Any:  # fmt: skip
    units = len(layers[0][1])
    n = len(inputs[0])
    factor = constant(like, own.factors[len(own.factors) - len(layers)])
    slopes = inputs
    for s in range(len(inputs)):
        slope = inputs[s]
        for d in range(n):
            total = constant(like, 0.0)
            for u in range(units):
                j = first + d * units + u
                total = fma(take(source, at + j * stride, like), e[s][u], total)
                sums = tuple_setitem(sums, j, fma(e[s][u], inputs[s][d], sums[j]))
            slope = tuple_setitem(slope, d, factor * total)
        slopes = tuple_setitem(slopes, s, slope)
        for u in range(len(layers[0][2])):
            j = first + n * units + u
            sums = tuple_setitem(sums, j, sums[j] + e[s][u])
    return slopes, sums

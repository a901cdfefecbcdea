"""What a neuron computes: one step, and what parameters amount to, for vectors of lanes and single starts.

Notation: a neuron of d inputs has d + 1 parameters p (weights, then bias) and `slots` numbers of optimizer
memory for each. For n samples, x is flat, x[i * d + j], and y[i] the target:

    z_i = b + sum_j w_j x_ij,  a_i = activation(z_i),  e_i = c_i d loss / d z_i,
    g_j = (1/n) sum_i e_i x_ij,  g_b = (1/n) sum_i e_i,

where c_i is the weight of sample i in the batch, 1 without batches; plus the penalty's gradient, then the
optimizer's step.

The numbers are vectors or floats, whatever the type of `like` is; the bits are the same. Small tasks come
as tuples: their lengths are types, so the loops over samples and inputs unroll, and everything stays in
registers; x_ij / n is computed once. More samples come as arrays and run in a loop; with many inputs the
parameters do not fit the registers either, and stay in memory (`_in_memory`).

Not here: what became of a start (`judge`), which start is in which lane (`lanes`).
"""

from typing import Any

import numpy as np
from numba import types
from numba.cpython.unsafe.tuple import tuple_setitem

from fastneuron.elementary import constant, fma, maximum, where
from fastneuron.kernels.batching import in_batch, or_lost, unseen
from fastneuron.kernels.jit import compiled_as
from fastneuron.kernels.memory import put, take
from fastneuron.kernels.problem import (
    NeuronProblem,
    bound_to,
    problem_of,
    samples_of,
    step,
    summary,
    write_output,
)
from fastneuron.kernels.recording import loss_of
from fastneuron.kernels.updating import all_like, update
from fastneuron.kernels.vectors import lanes_in, larger
from fastneuron.models import Neuron

UNROLLED = 32  # numbers of a task, samples x (inputs + 1), up to which it is unrolled


@problem_of.register(Neuron)
def _problem(
    model: Neuron, shared: dict[str, Any], x: Any, y: Any, samples: int, layer_rows: int, shaped: bool
) -> NeuronProblem:
    width, zero = model.inputs + 1, x.dtype.type(0)
    theta: Any = (zero,) * width if width <= UNROLLED else np.zeros(width, x.dtype)
    if samples * width <= UNROLLED:
        x, y = tuple(x), tuple(y)
    return NeuronProblem(x=x, y=y, theta=theta, **shared)


def number_at(numbers: Any, i: Any, like: Any) -> Any:
    """Number i of a tuple, or of an array without the check for a negative index, which slows down a loop."""
    raise NotImplementedError


@compiled_as(number_at)
def _number_at(numbers: Any, i: Any, like: Any) -> Any:
    if isinstance(numbers, types.BaseTuple):
        return lambda numbers, i, like: numbers[i]
    return lambda numbers, i, like: take(numbers, i, like)


@compiled_as(step)
def _step(
    problem: Any, like: Any, fields: Any, source: Any, at: Any, target: Any, to: Any,
    memory: Any, first: Any, stride: Any, room: Any, places: Any, lane: Any,
) -> Any:  # fmt: skip
    if problem.instance_class is not NeuronProblem:
        return None
    theta = problem.types[problem.fields.index("theta")]
    return _in_registers if isinstance(theta, types.BaseTuple) else _in_memory


def _in_registers(
    problem: Any, like: Any, fields: Any, source: Any, at: Any, target: Any, to: Any,
    memory: Any, first: Any, stride: Any, room: Any, places: Any, lane: Any,
) -> Any:  # fmt: skip
    own = bound_to(problem, like, fields, lane, stride)
    d = len(own.theta) - 1
    zero = constant(like, 0.0)
    p = all_like(own.theta, zero)
    g = p
    for j in range(d + 1):
        p = tuple_setitem(p, j, take(source, at + j * stride, like))
    worst, lost, loss = zero, zero, zero
    for i in range(len(own.y)):
        z = p[d]
        for j in range(d):
            z = fma(p[j], number_at(own.x, i * d + j, own.mean), z)
        a = constant(like, own.activation.value(z))
        y = constant(like, number_at(own.y, i, own.mean))
        worst = abs(a - y) if i == 0 else larger(worst, abs(a - y))
        e = constant(like, own.loss.derivative(own.activation, z, a, y))
        cost = loss_of(own.record, own.loss, own.activation, z, a, y)
        loss = loss + in_batch(own.batch, like, cost, i, places, lane, stride, len(own.y))
        lost = lost + unseen(own.batch, like, e)
        e = in_batch(own.batch, like, e, i, places, lane, stride, len(own.y))
        for j in range(d):
            g = tuple_setitem(g, j, fma(e, own.mean * number_at(own.x, i * d + j, own.mean), g[j]))
        g = tuple_setitem(g, d, e if i == 0 else g[d] + e)
    moved = zero
    for j in range(d + 1):
        if j < d:
            slope = constant(like, own.penalty.weight_gradient(p[j], g[j]))
        else:
            slope = constant(like, own.penalty.bias_gradient(p[j], own.mean * g[j]))
        size = update(
            own.optimizer, own.memory, p[j], slope,
            target, to + j * stride, memory, first + j * stride, (d + 1) * stride,
        )  # fmt: skip
        moved = size if j == 0 else larger(moved, size)
    return worst, or_lost(own.batch, moved, lost), own.mean * loss


def pass_over(samples: Any, i: Any, own: Any, like: Any, room: Any, found: Any, places: Any, lane: Any, stride: Any) -> Any:  # fmt: skip  # noqa: E501
    """Add as many samples as the tuple `samples` is long, from number i on, to the sums in `room`.

    Every weight and every sum is read once for all of them. `found` is the largest error, 0 or NaN (see
    `unseen`) and the sum of the losses so far; returns the same with these samples.
    """
    raise NotImplementedError


@compiled_as(pass_over)
def _pass_over(samples: Any, i: Any, own: Any, like: Any, room: Any, found: Any, places: Any, lane: Any, stride: Any) -> Any:  # fmt: skip  # noqa: E501
    return _samples


def _samples(samples: Any, i: Any, own: Any, like: Any, room: Any, found: Any, places: Any, lane: Any, stride: Any) -> Any:  # fmt: skip  # noqa: E501
    worst, lost, loss = found
    d = len(own.theta) - 1
    count = lanes_in(like)
    parameters = (d + 1) * count
    z = all_like(samples, take(room, parameters + d * count, like))
    for j in range(d):
        p = take(room, parameters + j * count, like)
        for s in range(len(samples)):
            z = tuple_setitem(z, s, fma(p, number_at(own.x, (i + s) * d + j, own.mean), z[s]))
    e = z
    total = take(room, d * count, like)
    for s in range(len(samples)):
        y = constant(like, number_at(own.y, i + s, own.mean))
        a = constant(like, own.activation.value(z[s]))
        worst = larger(worst, abs(a - y))
        slope = constant(like, own.loss.derivative(own.activation, z[s], a, y))
        cost = loss_of(own.record, own.loss, own.activation, z[s], a, y)
        loss = loss + in_batch(own.batch, like, cost, i + s, places, lane, stride, len(own.y))
        lost = lost + unseen(own.batch, like, slope)
        slope = in_batch(own.batch, like, slope, i + s, places, lane, stride, len(own.y))
        e = tuple_setitem(e, s, slope)
        total = total + e[s]
    put(room, d * count, total)
    for j in range(d):
        g = take(room, j * count, like)
        for s in range(len(samples)):
            g = fma(e[s], number_at(own.x, (i + s) * d + j, own.mean), g)
        put(room, j * count, g)
    return worst, lost, loss


SAMPLES = (0, 0, 0, 0)  # so many go over the weights at once
ONE_SAMPLE = (0,)


def _in_memory(
    problem: Any, like: Any, fields: Any, source: Any, at: Any, target: Any, to: Any,
    memory: Any, first: Any, stride: Any, room: Any, places: Any, lane: Any,
) -> Any:  # fmt: skip
    own = bound_to(problem, like, fields, lane, stride)
    d = len(own.theta) - 1
    count = lanes_in(like)
    zero = constant(like, 0.0)
    for j in range(d + 1):
        put(room, j * count, zero)
        # side by side: at its stride in the block, a row of parameters has few lines of the cache to itself
        put(room, (d + 1 + j) * count, take(source, at + j * stride, like))
    found = (zero, zero, zero)
    whole = len(own.y) - len(own.y) % len(SAMPLES)
    for i in range(0, whole, len(SAMPLES)):
        found = pass_over(SAMPLES, i, own, like, room, found, places, lane, stride)
    for i in range(whole, len(own.y)):
        found = pass_over(ONE_SAMPLE, i, own, like, room, found, places, lane, stride)
    worst, lost, loss = found
    moved = zero
    for j in range(d + 1):
        p = take(source, at + j * stride, like)
        slope = own.mean * take(room, j * count, like)
        if j < d:
            slope = constant(like, own.penalty.weight_gradient(p, slope))
        else:
            slope = constant(like, own.penalty.bias_gradient(p, slope))
        size = update(
            own.optimizer, own.memory, p, slope,
            target, to + j * stride, memory, first + j * stride, (d + 1) * stride,
        )  # fmt: skip
        moved = larger(moved, size)
    return worst, or_lost(own.batch, moved, lost), own.mean * loss


@compiled_as(samples_of)
def _samples_of(problem: Any) -> Any:
    return (lambda problem: len(problem.y)) if problem.instance_class is NeuronProblem else None


@compiled_as(summary)
def _summary(
    problem: Any, like: Any, parameters: Any, at: Any, fields: Any, first: Any, stride: Any,
    middle: Any, room: Any, out: Any, to: Any,
) -> Any:  # fmt: skip
    return _summed if problem.instance_class is NeuronProblem else None


def _summed(
    problem: Any, like: Any, parameters: Any, at: Any, fields: Any, first: Any, stride: Any,
    middle: Any, room: Any, out: Any, to: Any,
) -> Any:  # fmt: skip
    own = bound_to(problem, like, fields, first, stride)
    d = len(problem.theta) - 1
    zero = constant(like, 0.0)
    worst, loss, low, high = zero, zero, zero, zero
    bit = problem.mean / problem.mean
    for i in range(len(own.y)):
        z = take(parameters, at + d * stride, like)
        for j in range(d):
            z = fma(take(parameters, at + j * stride, like), number_at(own.x, i * d + j, own.mean), z)
        y = constant(like, number_at(own.y, i, own.mean))
        a = constant(like, own.activation.value(z))
        write_output(out, i * to, a)
        worst = maximum(worst, abs(a - y))
        loss = loss + constant(like, own.loss.value(own.activation, z, a, y))
        set_bit = where(a >= middle, constant(like, bit), zero)
        if i < 16:
            low = low + set_bit
        else:
            high = high + set_bit
        bit = bit + bit if i % 16 < 15 else problem.mean / problem.mean
    return worst, own.mean * loss, low, high

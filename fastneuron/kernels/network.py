"""What a network computes: one step, and what parameters amount to, for vectors of lanes and single starts.

Notation: layer l has W (inputs, units) and b, a factor s, and for sample i

    z_i = s (x_i W) + b,  a_i = activation(z_i),  which is the next layer's x_i;
    e_i = d loss / d z_i in the last layer, s (W e_i of the layer above) d activation / d z elsewhere;
    the gradients s (1/n) sum_i x_i e_i of W and (1/n) sum_i e_i of b.

The samples go through all layers in groups of `SAMPLES`, so that what is computed of them stays near. With
batches only the samples of a lane's batch do, picked for each lane. Everything stands in the room of the
block, in rows of one number for each lane; `plan` says what is where.
"""

import functools
from typing import Any

import numpy as np

from fastneuron.elementary import constant, maximum, where
from fastneuron.kernels.jit import compiled_as, specialised
from fastneuron.kernels.layers import (
    BIASED,
    FIRST,
    GRADIENT_AT,
    INPUTS,
    OUTPUTS_AT,
    SAMPLES,
    SLOPES_AT,
    UNITS,
    WORDS,
    Layers,
    back,
    planned,
    through_layers,
    write_linear,
)
from fastneuron.kernels.memory import flat_from, flat_of, put, take
from fastneuron.kernels.picking import all_inputs, inputs_of, samples_seen, target_of, weighted
from fastneuron.kernels.problem import (
    NetworkProblem,
    bound_to,
    problem_of,
    samples_of,
    step,
    summary,
    write_output,
)
from fastneuron.kernels.recording import loss_of
from fastneuron.kernels.records import bind
from fastneuron.kernels.small_network import MOST_PARAMETERS, all_samples, shape_of
from fastneuron.kernels.updating import update
from fastneuron.kernels.vectors import lanes_in, larger
from fastneuron.models import Network


@problem_of.register(Network)
def _problem(
    model: Network, shared: dict[str, Any], x: Any, y: Any, samples: int, layer_rows: int, shaped: bool
) -> NetworkProblem:
    shuffled = shared["batch"].shuffled
    small = shaped and model.size <= MOST_PARAMETERS and not shuffled
    zero = x.dtype.type(0)
    layers, plan = planned(model.layers, model.size, model.bias, samples if shuffled else 0)
    return NetworkProblem(
        x=x,
        y=y,
        theta=(zero,) * model.size if small else np.zeros(model.size, np.uint8),
        samples=samples,
        layers=layers,
        factors=np.array([layer.factor for layer in model.layers], x.dtype),
        plan=plan,
        linear=linear_addresses(x.dtype.name),
        layer_rows=layer_rows,
        shape=shape_of(model.layers, model.bias, samples) if small else (),
        **shared,
    )


@functools.cache
def linear_addresses(dtype: str) -> np.ndarray:
    """Where the compiled functions are that all networks of a dtype have in common."""
    addresses = np.zeros(4, np.int64)
    number = np.dtype(dtype).type(0)
    specialised(write_linear, number, addresses)(number, addresses)
    return addresses


@compiled_as(samples_of)
def _samples_of(problem: Any) -> Any:
    return (lambda problem: problem.samples) if problem.instance_class is NetworkProblem else None


def pass_over(
    own: Any, like: Any, source: Any, at: Any, stride: Any, room: Any, places: Any, lane: Any
) -> Any:  # fmt: skip
    """All samples that a step sees, there and back: the gradient, without factors, goes into the room.

    Returns
    -------
    the largest error and the sum of the losses
    """
    raise NotImplementedError


@compiled_as(pass_over)
def _pass_over(
    own: Any, like: Any, source: Any, at: Any, stride: Any, room: Any, places: Any, lane: Any
) -> Any:  # fmt: skip
    if len(own.types[own.fields.index("shape")]) > 0:
        return lambda own, like, source, at, stride, room, places, lane: all_samples(
            own, like, source, at, stride, room, own.plan[GRADIENT_AT] * lanes_in(like)
        )
    return _in_groups


def _in_groups(
    own: Any, like: Any, source: Any, at: Any, stride: Any, room: Any, places: Any, lane: Any
) -> Any:  # fmt: skip
    count = lanes_in(like)
    zero = constant(like, 0.0)
    layers = len(own.factors)
    numbers, plan = flat_of(own.layers), flat_of(own.plan)
    last = flat_from(numbers, (layers - 1) * WORDS)
    outputs = last[UNITS]
    worst, loss = zero, zero
    dense = Layers(own.hidden, own.output, own.linear, own.layers, own.factors)
    seen = samples_seen(own, like, room, places, lane, stride)
    for group in range(0, seen, SAMPLES):
        k = min(SAMPLES, seen - group)
        inputs = inputs_of(own, like, room, group, k)
        through_layers(dense, like, source, at, stride, room, inputs, k)
        for s in range(k):
            for u in range(outputs):
                q = (s * outputs + u) * count
                a = take(room, last[OUTPUTS_AT] * count + q, like)
                z = take(room, last[SLOPES_AT] * count + q, like)
                y = target_of(own, like, room, group, s, u, outputs)
                worst = larger(worst, abs(a - y))
                cost = loss_of(own.record, own.loss, own.output, z, a, y)
                loss = loss + weighted(own, like, room, group + s, cost)
                e = constant(like, own.loss.derivative(own.output, z, a, y))
                put(room, last[SLOPES_AT] * count + q, weighted(own, like, room, group + s, e))
        factors = flat_of(own.factors)
        back(
            own.linear, inputs,
            (like, numbers, plan, factors, layers, source, at, stride, room, inputs, k, group == 0),
        )  # fmt: skip
    return worst, loss


@compiled_as(step)
def _step(
    problem: Any, like: Any, fields: Any, source: Any, at: Any, target: Any, to: Any,
    memory: Any, first: Any, stride: Any, room: Any, places: Any, lane: Any,
) -> Any:  # fmt: skip
    return _stepped if problem.instance_class is NetworkProblem else None


def _stepped(
    problem: Any, like: Any, fields: Any, source: Any, at: Any, target: Any, to: Any,
    memory: Any, first: Any, stride: Any, room: Any, places: Any, lane: Any,
) -> Any:  # fmt: skip
    own = bound_to(problem, like, fields, lane, stride)
    count = lanes_in(like)
    numbers, plan = flat_of(own.layers), flat_of(own.plan)
    worst, loss = pass_over(own, like, source, at, stride, room, places, lane)
    moved = constant(like, 0.0)
    row = len(own.theta) * stride
    for layer in range(len(own.factors)):
        words = flat_from(numbers, layer * WORDS)
        begin = words[FIRST]
        weights = begin + words[INPUTS] * words[UNITS]
        end = weights + words[UNITS] if words[BIASED] != 0 else weights
        optimizer = bind(problem.optimizer, like, fields, lane + layer * problem.layer_rows * stride, stride)
        scale = constant(like, own.mean * own.factors[layer])
        for j in range(begin, end):
            p = take(source, at + j * stride, like)
            slope = take(room, (plan[GRADIENT_AT] + j) * count, like)
            if j < weights:
                slope = constant(like, own.penalty.weight_gradient(p, scale * slope))
            else:
                slope = constant(like, own.penalty.bias_gradient(p, own.mean * slope))
            to_j, first_j = to + j * stride, first + j * stride
            size = update(optimizer, own.memory, p, slope, target, to_j, memory, first_j, row)
            moved = larger(moved, size)
    return worst, moved, own.mean * loss


@compiled_as(summary)
def _summary(
    problem: Any, like: Any, parameters: Any, at: Any, fields: Any, first: Any, stride: Any,
    middle: Any, room: Any, out: Any, to: Any,
) -> Any:  # fmt: skip
    return _summed if problem.instance_class is NetworkProblem else None


def _summed(
    problem: Any, like: Any, parameters: Any, at: Any, fields: Any, first: Any, stride: Any,
    middle: Any, room: Any, out: Any, to: Any,
) -> Any:  # fmt: skip
    own = bound_to(problem, like, fields, first, stride)
    count = lanes_in(like)
    zero = constant(like, 0.0)
    last = flat_from(flat_of(own.layers), (len(own.factors) - 1) * WORDS)
    outputs = last[UNITS]
    worst, loss, low, high = zero, zero, zero, zero
    one = problem.mean / problem.mean
    bit = one
    dense = Layers(own.hidden, own.output, own.linear, own.layers, own.factors)
    for group in range(0, own.samples, SAMPLES):
        k = min(SAMPLES, own.samples - group)
        through_layers(dense, like, parameters, at, stride, room, all_inputs(own, group), k)
        for q in range(k * outputs):
            a = take(room, (last[OUTPUTS_AT] + q) * count, like)
            z = take(room, (last[SLOPES_AT] + q) * count, like)
            i = group * outputs + q
            y = constant(like, take(own.y, i, own.mean))
            write_output(out, i * to, a)
            worst = maximum(worst, abs(a - y))
            loss = loss + constant(like, own.loss.value(own.output, z, a, y))
            set_bit = where(a >= middle, constant(like, bit), zero)
            if i < 16:
                low = low + set_bit
            elif i < 32:
                high = high + set_bit
            bit = bit + bit if i % 16 < 15 else one
    return worst, own.mean * loss, low, high

"""What a network computes: one step, and what parameters amount to, for vectors of lanes and single starts.

Notation: layer l has W (inputs, units) and b, a factor s, and for sample i

    z_i = s (x_i W) + b,  a_i = activation(z_i),  which is the next layer's x_i;
    e_i = d loss / d z_i in the last layer, s (W e_i of the layer above) d activation / d z elsewhere;
    the gradients s (1/n) sum_i x_i e_i of W and (1/n) sum_i e_i of b.

The samples go through all layers in groups of `SAMPLES`, so that what is computed of them stays near. With
batches only the samples of a lane's batch do, picked for each lane. Everything stands in the room of the
block, in rows of one number for each lane; `plan` says what is where.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from fastneuron.elementary import constant, fma, maximum, where
from fastneuron.kernels.calls import caller, entry_of
from fastneuron.kernels.jit import compiled_as, inner, kernel, never_inline, use_full_width
from fastneuron.kernels.memory import Flat, flat_from, flat_of, put, take
from fastneuron.kernels.problem import (
    NetworkProblem,
    bound_to,
    samples_of,
    step,
    summary,
    write_output,
)
from fastneuron.kernels.products import Own, Shared, product
from fastneuron.kernels.recording import loss_of
from fastneuron.kernels.records import bind
from fastneuron.kernels.updating import update
from fastneuron.kernels.vectors import Vector, lanes_in, larger

if TYPE_CHECKING:
    from fastneuron.models import Layer

SAMPLES = 32  # so many go through the layers at once
FEW = 2  # units up to which the errors below a layer are summed one by one: a tile is more than it takes
# numbers of each layer: its inputs, units, first parameter, whether it has biases, and where the outputs are
# and the slopes of its activation, for the last layer the pre-activations
INPUTS, UNITS, FIRST, BIASED, OUTPUTS_AT, SLOPES_AT, WORDS = range(7)
# where the rest is: the errors of one layer and of the next, the gradient, the samples and targets of a
# batch, its bounds, the samples in the order of the epoch; and how many rows there are
ERRORS_AT, OTHERS_AT, GRADIENT_AT, PICKED_AT, TARGETS_AT, BOUNDS_AT, ORDER_AT, ROWS = range(8)


def planned(layers: tuple[Layer, ...], parameters: int, biased: bool, samples: int) -> tuple[Any, Any]:
    """The `layers` and the `plan` of a problem; `samples` is 0 where batches are not shuffled."""
    numbers = np.zeros(len(layers) * WORDS, np.int64)
    row = 0
    for k, layer in enumerate(layers):
        there, row = row, row + 2 * SAMPLES * layer.units
        slopes_at = there + SAMPLES * layer.units
        words = (layer.inputs, layer.units, layer.first, biased, there, slopes_at)
        numbers[k * WORDS : (k + 1) * WORDS] = words
    widest = max(layer.units for layer in layers)
    lengths = [SAMPLES * widest, SAMPLES * widest, parameters]
    picked = SAMPLES if samples else 0
    lengths += [picked * layers[0].inputs, picked * layers[-1].units, 2 if samples else 0, samples]
    plan = row + np.cumsum([0, *lengths])
    return numbers, plan.astype(np.int64)


@compiled_as(samples_of)
def _samples_of(problem: Any) -> Any:
    return (lambda problem: problem.samples) if problem.instance_class is NetworkProblem else None


def transposed(matrix: Any) -> Any:
    """The matrix with rows and columns exchanged."""
    raise NotImplementedError


@compiled_as(transposed)
def _transposed(matrix: Any) -> Any:
    if matrix.instance_class is Own:
        return lambda matrix: Own(matrix.numbers, matrix.at, matrix.column, matrix.row)
    return lambda matrix: Shared(matrix.numbers, matrix.at, matrix.column, matrix.row)


@inner
def through_layers(own, like, parameters, at, stride, room, inputs, k):
    """The layers' outputs and slopes for k samples: `inputs` has a row for each."""
    never_inline()
    use_full_width()
    count = lanes_in(like)
    layers = len(own.factors)
    numbers = flat_of(own.layers)
    below = 0
    for layer in range(layers):
        words = flat_from(numbers, layer * WORDS)
        n, units, first = words[INPUTS], words[UNITS], words[FIRST]
        outputs_at, slopes_at = words[OUTPUTS_AT] * count, words[SLOPES_AT] * count
        z_of = Own(room, outputs_at, count, units * count)
        weights = Own(parameters, at + first * stride, stride, units * stride)
        if layer == 0:
            multiply(own.linear, inputs, (like, True, z_of, weights, inputs, units, k, n))
        else:
            above = Own(room, below, n * count, count)
            multiply(own.linear, above, (like, True, z_of, weights, above, units, k, n))
        factor = constant(like, own.factors[layer])
        for u in range(units):
            shift = constant(like, 0.0)
            if words[BIASED] != 0:
                shift = take(parameters, at + (first + n * units + u) * stride, like)
            place, other = outputs_at + u * count, slopes_at + u * count
            if layer == layers - 1:
                for _ in range(k):
                    z = fma(factor, take(room, place, like), shift)
                    put(room, place, constant(like, own.output.value(z)))
                    put(room, other, z)
                    place, other = place + units * count, other + units * count
            else:
                for _ in range(k):
                    z = fma(factor, take(room, place, like), shift)
                    a = constant(like, own.hidden.value(z))
                    put(room, place, a)
                    put(room, other, constant(like, own.hidden.derivative(z, a)))
                    place, other = place + units * count, other + units * count
        below = outputs_at


@inner
def back_through_layers(like, numbers, plan, factors, layers, parameters, at, stride, room, inputs, k, fresh):
    """Add the gradient of k samples to that in the room, or begin it, from the errors of the last layer."""
    never_inline()
    use_full_width()
    count = lanes_in(like)
    errors_at, others_at = plan[ERRORS_AT] * count, plan[OTHERS_AT] * count
    for layer in range(layers - 1, -1, -1):
        words = flat_from(numbers, layer * WORDS)
        n, units, first = words[INPUTS], words[UNITS], words[FIRST]
        gradient_at = (plan[GRADIENT_AT] + first) * count
        gradient = Own(room, gradient_at, count, units * count)
        errors = Own(room, errors_at, count, units * count)
        lower = flat_from(numbers, (layer - 1) * WORDS)
        if layer == 0:
            product(like, fresh, gradient, errors, transposed(inputs), units, n, k)
        else:
            below = Own(room, lower[OUTPUTS_AT] * count, count, n * count)
            product(like, fresh, gradient, errors, below, units, n, k)
        if words[BIASED] != 0:
            for u in range(units):
                place = gradient_at + (n * units + u) * count
                total = constant(like, 0.0) if fresh else take(room, place, like)
                for s in range(k):
                    total = total + take(room, errors_at + (s * units + u) * count, like)
                put(room, place, total)
        if layer > 0:
            factor = constant(like, factors[layer])
            slopes_at = lower[SLOPES_AT] * count
            weights_at = at + first * stride
            if units <= FEW:
                for s in range(k):
                    for j in range(n):
                        total = constant(like, 0.0)
                        for u in range(units):
                            w = take(parameters, weights_at + (j * units + u) * stride, like)
                            total = fma(w, take(room, errors_at + (s * units + u) * count, like), total)
                        q = (s * n + j) * count
                        put(room, others_at + q, factor * total * take(room, slopes_at + q, like))
            else:
                weights = Own(parameters, weights_at, units * stride, stride)
                target = Own(room, others_at, count, n * count)
                product(like, True, target, weights, transposed(errors), n, k, units)
                for q in range(0, k * n * count, count):
                    slope = take(room, slopes_at + q, like)
                    put(room, others_at + q, factor * take(room, others_at + q, like) * slope)
            errors_at, others_at = others_at, errors_at


# numbers of the functions that `write_linear` gives the addresses of; one more where the inputs are `Own`
PRODUCT, BACK = 0, 2


def _arguments(real: Any) -> tuple[tuple[Any, ...], ...]:
    """The types of the arguments of the functions that are called by address."""
    flat, whole, numbers = Flat(real), types.intp, Flat(types.int64)
    matrices = [types.NamedTuple((flat, whole, whole, whole), kind) for kind in (Shared, Own)]
    start, sizes = (Vector(real), types.boolean, matrices[1], matrices[1]), (whole, whole, whole)
    head = (Vector(real), numbers, numbers, flat, whole, flat, whole, whole, flat)
    products = [(*start, inputs, *sizes) for inputs in matrices]
    return (*products, *((*head, inputs, whole, types.boolean) for inputs in matrices))


_call = caller(_arguments)


@kernel
def write_linear(number, addresses):
    """Write the addresses of what all networks of a dtype, that of `number`, have in common."""
    write_addresses(number, addresses)


@intrinsic
def write_addresses(typingctx: Any, number: Any, addresses: Any) -> Any:
    """Compile these functions and write their addresses."""
    functions = (product, product, back_through_layers, back_through_layers)
    signatures = [
        types.Dispatcher(function).get_call_type(typingctx, arguments, {})
        for function, arguments in zip(functions, _arguments(number), strict=True)
    ]

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        data = context.make_array(addresses)(context, builder, args[1]).data
        for k, (function, signature) in enumerate(zip(functions, signatures, strict=True)):
            entry = entry_of(context, builder, function, signature)
            builder.store(entry, builder.gep(data, [ir.Constant(ir.IntType(64), k)]))
        return context.get_dummy_value()

    return types.none(number, addresses), codegen


def multiply(addresses: Any, inputs: Any, arguments: Any) -> Any:
    """Call `product` with a tuple of arguments: for vectors by address."""
    raise NotImplementedError


@compiled_as(multiply)
def _multiply(addresses: Any, inputs: Any, arguments: Any) -> Any:
    if not isinstance(arguments[0], Vector):
        return lambda addresses, inputs, arguments: product(*arguments)
    number = PRODUCT + int(inputs.instance_class is Own)
    return lambda addresses, inputs, arguments: _call(addresses, number, arguments)


def back(addresses: Any, inputs: Any, arguments: Any) -> Any:
    """Call `back_through_layers` with a tuple of arguments: for vectors by address."""
    raise NotImplementedError


@compiled_as(back)
def _back(addresses: Any, inputs: Any, arguments: Any) -> Any:
    if not isinstance(arguments[0], Vector):
        return lambda addresses, inputs, arguments: back_through_layers(*arguments)
    number = BACK + int(inputs.instance_class is Own)
    return lambda addresses, inputs, arguments: _call(addresses, number, arguments)


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
    zero = constant(like, 0.0)
    layers = len(own.factors)
    numbers, plan = flat_of(own.layers), flat_of(own.plan)
    last = flat_from(numbers, (layers - 1) * WORDS)
    outputs = last[UNITS]
    worst, loss = zero, zero
    seen = samples_seen(own, like, room, places, lane, stride)
    for group in range(0, seen, SAMPLES):
        k = min(SAMPLES, seen - group)
        inputs = inputs_of(own, like, room, group, k)
        through_layers(own, like, source, at, stride, room, inputs, k)
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
                put(room, plan[ERRORS_AT] * count + q, weighted(own, like, room, group + s, e))
        factors = flat_of(own.factors)
        back(
            own.linear, inputs,
            (like, numbers, plan, factors, layers, source, at, stride, room, inputs, k, group == 0),
        )  # fmt: skip
    moved = zero
    row = len(own.theta) * stride
    for layer in range(layers):
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
    for group in range(0, own.samples, SAMPLES):
        k = min(SAMPLES, own.samples - group)
        through_layers(own, like, parameters, at, stride, room, all_inputs(own, group), k)
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

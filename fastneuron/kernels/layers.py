"""The layers of a network: samples through them, errors back through them, all in the room of a block.

The room has rows of one number for each lane; `planned` says what is where. What all networks of a dtype have
in common, products and the way back, is compiled once and called by address (`calls`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from fastneuron.elementary import constant, fma
from fastneuron.kernels.calls import caller, entry_of
from fastneuron.kernels.jit import compiled_as, inner, kernel, never_inline, use_full_width
from fastneuron.kernels.memory import Flat, flat_from, flat_of, put, take
from fastneuron.kernels.products import Own, Shared, product
from fastneuron.kernels.vectors import Vector, lanes_in

if TYPE_CHECKING:
    from fastneuron.models import Layer

SAMPLES = 32  # so many go through the layers at once
FEW = 2  # units up to which the errors below a layer are summed one by one: a tile is more than it takes
# numbers of each layer: its inputs, units, first parameter, whether it has biases, and where the outputs are
# and the slopes of its activation, for the last layer the pre-activations; both are replaced by errors
INPUTS, UNITS, FIRST, BIASED, OUTPUTS_AT, SLOPES_AT, WORDS = range(7)
# where the rest is: sums over the units above, the gradient, the samples and targets of a batch, its bounds,
# the samples in the order of the epoch; and how many rows there are
SUMS_AT, GRADIENT_AT, PICKED_AT, TARGETS_AT, BOUNDS_AT, ORDER_AT, ROWS = range(7)


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
    lengths = [SAMPLES * widest, parameters]
    picked = SAMPLES if samples else 0
    lengths += [picked * layers[0].inputs, picked * layers[-1].units, 2 if samples else 0, samples]
    plan = row + np.cumsum([0, *lengths])
    return numbers, plan.astype(np.int64)


def transposed(matrix: Any) -> Any:
    """The matrix with rows and columns exchanged."""
    raise NotImplementedError


@compiled_as(transposed)
def _transposed(matrix: Any) -> Any:
    if matrix.instance_class is Own:
        return lambda matrix: Own(matrix.numbers, matrix.at, matrix.column, matrix.row)
    return lambda matrix: Shared(matrix.numbers, matrix.at, matrix.column, matrix.row)


class Layers(NamedTuple):
    """What samples go through: fields of a `NetworkProblem`, whatever trains it."""

    hidden: Any
    output: Any
    linear: Any
    layers: Any
    factors: Any


@inner
def through_layers(own, like, parameters, at, stride, room, inputs, k):
    """The outputs and slopes of `Layers` for k samples: `inputs` has a row for each."""
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
        shifts = at + (first + n * units) * stride
        place, other = outputs_at, slopes_at
        for _ in range(k):
            for u in range(units):
                shift = constant(like, 0.0)
                if words[BIASED] != 0:
                    shift = take(parameters, shifts + u * stride, like)
                z = fma(factor, take(room, place, like), shift)
                if layer == layers - 1:
                    put(room, place, constant(like, own.output.value(z)))
                    put(room, other, z)
                else:
                    a = constant(like, own.hidden.value(z))
                    put(room, place, a)
                    put(room, other, constant(like, own.hidden.derivative(z, a)))
                place, other = place + count, other + count
        below = outputs_at


@inner
def back_through_layers(like, numbers, plan, factors, layers, parameters, at, stride, room, inputs, k, fresh):
    """Add the gradient of k samples to that in the room, or begin it, from the errors of the last layer.

    The errors of the others replace the slopes of their activations.
    """
    never_inline()
    use_full_width()
    count = lanes_in(like)
    sums_at = plan[SUMS_AT] * count
    for layer in range(layers - 1, -1, -1):
        words = flat_from(numbers, layer * WORDS)
        n, units, first = words[INPUTS], words[UNITS], words[FIRST]
        errors_at = words[SLOPES_AT] * count
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
                        q = slopes_at + (s * n + j) * count
                        put(room, q, factor * total * take(room, q, like))
            else:
                weights = Own(parameters, weights_at, units * stride, stride)
                target = Own(room, sums_at, count, n * count)
                product(like, True, target, weights, transposed(errors), n, k, units)
                for q in range(0, k * n * count, count):
                    slope = take(room, slopes_at + q, like)
                    put(room, slopes_at + q, factor * take(room, sums_at + q, like) * slope)


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

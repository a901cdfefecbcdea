"""One step of a neuron: the arithmetic, for the lanes of a vector and for a single start.

Notation: a neuron of d inputs has d + 1 parameters p (weights, then bias) and `slots` numbers of optimizer
memory for each. For n samples, x is flat, x[i * d + j], and y[i] the target:

    z_i = b + sum_j w_j x_ij,  a_i = activation(z_i),  e_i = c_i d loss / d z_i,
    g_j = (1/n) sum_i e_i x_ij,  g_b = (1/n) sum_i e_i,

where c_i is the weight of sample i in the batch, 1 without batches; plus the penalty's gradient, then the
optimizer's step.

The numbers are vectors or floats, whatever the type of `like` is; the bits are the same. Small tasks come
as tuples (see `fastneuron.engine.lowering`): their lengths are types, so the loops over samples and inputs
unroll, and everything stays in registers; x_ij / n is computed once. More samples come as arrays and run in a
loop; with many inputs the parameters do not fit the registers either, and stay in memory (`_in_memory`).

Not here: what became of a start (`judge`), which start is in which lane (`lanes`).
"""

from typing import Any, NamedTuple

from numba import types
from numba.cpython.unsafe.tuple import tuple_setitem
from numba.extending import intrinsic

from fastneuron.elementary import constant, fma, maximum, where
from fastneuron.kernels.batching import in_batch, or_lost, unseen
from fastneuron.kernels.jit import compiled_as, inner, never_inline, use_full_width
from fastneuron.kernels.memory import put, take
from fastneuron.kernels.records import bound_type, bound_value
from fastneuron.kernels.vectors import lanes_in, larger, vector_like


class Problem(NamedTuple):
    """What a kernel needs to know of a sweep; in kernels every field is what it is here.

    The components are records whose varying fields are a `Row`. x : flat tuple or array of n d numbers; y :
    tuple or array of n; theta : tuple or array of d + 1 and memory : tuple of `slots` numbers, of which only
    the length counts; mean : 1 / n.
    """

    activation: Any
    loss: Any
    penalty: Any
    optimizer: Any
    batch: Any
    x: Any
    y: Any
    theta: Any
    memory: Any
    mean: Any


@intrinsic
def bound_to(typingctx: Any, problem: Any, like: Any, fields: Any, at: Any, stride: Any) -> Any:
    """The problem with numbers of the type of `like`: varying field k is fields[k * stride + at]."""
    components = [kind if isinstance(kind, types.BaseNamedTuple) else None for kind in problem]
    kinds = [
        types_of if record is None else bound_type(record, like)
        for types_of, record in zip(problem, components, strict=True)
    ]
    bound = types.NamedTuple(kinds, Problem)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value, _, array, place, step = args
        parts = []
        for i, record in enumerate(components):
            part = builder.extract_value(value, i)
            if record is not None:
                part = bound_value(context, builder, record, part, like, fields, array, place, step)
            parts.append(part)
        return context.make_tuple(builder, bound, parts)

    return bound(problem, like, fields, types.intp, types.intp), codegen


@intrinsic
def _all(typingctx: Any, template: Any, like: Any) -> Any:
    """A tuple as long as `template` with `like` in every place."""
    kind = types.UniTuple(like, len(template))

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return context.make_tuple(builder, kind, [args[1]] * kind.count)

    return kind(template, like), codegen


def number_at(numbers: Any, i: Any, like: Any) -> Any:
    """Number i of a tuple, or of an array without the check for a negative index, which slows down a loop."""
    raise NotImplementedError


@compiled_as(number_at)
def _number_at(numbers: Any, i: Any, like: Any) -> Any:
    if isinstance(numbers, types.BaseTuple):
        return lambda numbers, i, like: numbers[i]
    return lambda numbers, i, like: take(numbers, i, like)


def remembered(memory: Any, like: Any, state: Any, first: Any, stride: Any) -> Any:
    """The optimizer's memory of one parameter: state[first + s * stride] for every slot s."""
    raise NotImplementedError


@compiled_as(remembered)
def _remembered(memory: Any, like: Any, state: Any, first: Any, stride: Any) -> Any:
    if len(memory) == 0:
        return lambda memory, like, state, first, stride: memory

    def gather(memory: Any, like: Any, state: Any, first: Any, stride: Any) -> Any:
        kept = _all(memory, like)
        for s in range(len(memory)):
            kept = tuple_setitem(kept, s, take(state, first + s * stride, like))
        return kept

    return gather


def step(
    own: Any, like: Any, source: Any, at: Any, target: Any, to: Any,
    memory: Any, first: Any, stride: Any, scratch: Any, places: Any, lane: Any,
) -> Any:  # fmt: skip
    """One step: parameters are read from `source`, written to `target`; the memory changes in place.

    Parameters
    ----------
    own : a `Problem` bound to numbers like `like`
    source, target : flat arrays; parameter j is at source[at + j * stride], goes to target[to + j * stride]
    memory : flat array; number s of parameter j is at memory[first + (s * (d + 1) + j) * stride]
    scratch : flat array of 2 (d + 1) numbers like `like`, for the gradient and the parameters of `_in_memory`
    places, lane : which samples the step sees, see `fastneuron.kernels.batching`

    Returns
    -------
    the largest error |a - y| of the state stepped from, and the size of the update. A NaN may be missing from
    either; the next state is NaN then, or, where the slope of a sample outside the batch was, the size is
    """
    raise NotImplementedError


@compiled_as(step)
def _step(
    own: Any, like: Any, source: Any, at: Any, target: Any, to: Any,
    memory: Any, first: Any, stride: Any, scratch: Any, places: Any, lane: Any,
) -> Any:  # fmt: skip
    theta = own.types[own.fields.index("theta")]
    return _in_registers if isinstance(theta, types.BaseTuple) else _in_memory


def _in_registers(
    own: Any, like: Any, source: Any, at: Any, target: Any, to: Any,
    memory: Any, first: Any, stride: Any, scratch: Any, places: Any, lane: Any,
) -> Any:  # fmt: skip
    d = len(own.theta) - 1
    slots = len(own.memory)
    zero = constant(like, 0.0)
    p = _all(own.theta, zero)
    g = p
    for j in range(d + 1):
        p = tuple_setitem(p, j, take(source, at + j * stride, like))
    worst, lost = zero, zero
    for i in range(len(own.y)):
        z = p[d]
        for j in range(d):
            z = fma(p[j], number_at(own.x, i * d + j, own.mean), z)
        a = constant(like, own.activation.value(z))
        y = constant(like, number_at(own.y, i, own.mean))
        worst = abs(a - y) if i == 0 else larger(worst, abs(a - y))
        e = constant(like, own.loss.derivative(own.activation, z, a, y))
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
        kept = remembered(own.memory, like, memory, first + j * stride, (d + 1) * stride)
        new = own.optimizer.step(p[j], slope, kept)
        put(target, to + j * stride, constant(like, new[0]))
        moved = abs(new[0] - p[j]) if j == 0 else larger(moved, abs(new[0] - p[j]))
        for s in range(slots):
            put(memory, first + (s * (d + 1) + j) * stride, constant(like, new[1 + s]))
    return worst, or_lost(own.batch, moved, lost)


def pass_over(
    samples: Any,
    i: Any,
    own: Any,
    like: Any,
    scratch: Any,
    worst: Any,
    lost: Any,
    places: Any,
    lane: Any,
    stride: Any,
) -> Any:
    """Add as many samples as the tuple `samples` is long, from number i on, to the sums in `scratch`.

    Every weight and every sum is read once for all of them. Returns the largest error, theirs or `worst`, and
    `lost` or NaN, see `unseen`.
    """
    raise NotImplementedError


@compiled_as(pass_over)
def _pass_over(
    samples: Any,
    i: Any,
    own: Any,
    like: Any,
    scratch: Any,
    worst: Any,
    lost: Any,
    places: Any,
    lane: Any,
    stride: Any,
) -> Any:
    def body(
        samples: Any,
        i: Any,
        own: Any,
        like: Any,
        scratch: Any,
        worst: Any,
        lost: Any,
        places: Any,
        lane: Any,
        stride: Any,
    ) -> Any:
        d = len(own.theta) - 1
        count = lanes_in(like)
        parameters = (d + 1) * count
        z = _all(samples, take(scratch, parameters + d * count, like))
        for j in range(d):
            p = take(scratch, parameters + j * count, like)
            for s in range(len(samples)):
                z = tuple_setitem(z, s, fma(p, number_at(own.x, (i + s) * d + j, own.mean), z[s]))
        e = z
        total = take(scratch, d * count, like)
        for s in range(len(samples)):
            y = constant(like, number_at(own.y, i + s, own.mean))
            a = constant(like, own.activation.value(z[s]))
            worst = larger(worst, abs(a - y))
            slope = constant(like, own.loss.derivative(own.activation, z[s], a, y))
            lost = lost + unseen(own.batch, like, slope)
            slope = in_batch(own.batch, like, slope, i + s, places, lane, stride, len(own.y))
            e = tuple_setitem(e, s, slope)
            total = total + e[s]
        put(scratch, d * count, total)
        for j in range(d):
            g = take(scratch, j * count, like)
            for s in range(len(samples)):
                g = fma(e[s], number_at(own.x, (i + s) * d + j, own.mean), g)
            put(scratch, j * count, g)
        return worst, lost

    return body


SAMPLES = (0, 0, 0, 0)  # so many go over the weights at once
ONE_SAMPLE = (0,)


def _in_memory(
    own: Any, like: Any, source: Any, at: Any, target: Any, to: Any,
    memory: Any, first: Any, stride: Any, scratch: Any, places: Any, lane: Any,
) -> Any:  # fmt: skip
    d = len(own.theta) - 1
    slots = len(own.memory)
    count = lanes_in(like)
    zero = constant(like, 0.0)
    for j in range(d + 1):
        put(scratch, j * count, zero)
        # side by side: at its stride in the block, a row of parameters has few lines of the cache to itself
        put(scratch, (d + 1 + j) * count, take(source, at + j * stride, like))
    worst, lost = zero, zero
    whole = len(own.y) - len(own.y) % len(SAMPLES)
    for i in range(0, whole, len(SAMPLES)):
        worst, lost = pass_over(SAMPLES, i, own, like, scratch, worst, lost, places, lane, stride)
    for i in range(whole, len(own.y)):
        worst, lost = pass_over(ONE_SAMPLE, i, own, like, scratch, worst, lost, places, lane, stride)
    moved = zero
    for j in range(d + 1):
        p = take(source, at + j * stride, like)
        slope = own.mean * take(scratch, j * count, like)
        if j < d:
            slope = constant(like, own.penalty.weight_gradient(p, slope))
        else:
            slope = constant(like, own.penalty.bias_gradient(p, slope))
        kept = remembered(own.memory, like, memory, first + j * stride, (d + 1) * stride)
        new = own.optimizer.step(p, slope, kept)
        put(target, to + j * stride, constant(like, new[0]))
        moved = larger(moved, abs(new[0] - p))
        for s in range(slots):
            put(memory, first + (s * (d + 1) + j) * stride, constant(like, new[1 + s]))
    return worst, or_lost(own.batch, moved, lost)


@inner
def step_one(own, like, state, scratch, places):
    """One step in place: `state` is the parameters, then the memory, each like `like`; returns as `step`."""
    count = lanes_in(like)
    first = len(own.theta) * count
    return step(own, like, state, 0, state, 0, state, first, count, scratch, places, 0)


@inner
def summary_of(problem, parameters, at, fields, first, stride, middle, scratch):
    """Error, loss and truth table of a vector of neurons, into four vectors of `scratch`.

    Parameter j is at parameters[at + j * stride], varying field k at fields[first + k * stride]. The truth
    table comes in two parts of 16 bits: bit i is set where output i is `middle` or more.
    """
    never_inline()
    use_full_width()
    like = vector_like(problem.mean)
    count = lanes_in(like)
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
        worst = maximum(worst, abs(a - y))
        loss = loss + constant(like, own.loss.value(own.activation, z, a, y))
        set_bit = where(a >= middle, constant(like, bit), zero)
        if i < 16:
            low = low + set_bit
        else:
            high = high + set_bit
        bit = bit + bit if i % 16 < 15 else problem.mean / problem.mean
    put(scratch, 0, worst)
    put(scratch, count, own.mean * loss)
    put(scratch, 2 * count, low)
    put(scratch, 3 * count, high)

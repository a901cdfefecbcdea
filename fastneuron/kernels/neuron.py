"""One step of one neuron: the arithmetic, for a block of lanes and for a single start.

Notation: a neuron of d inputs has d + 1 parameters p (weights, then bias) and `slots` numbers of optimizer
memory for each. Its state is (1 + slots) rows of d + 1 numbers: the parameters, then memory 0, memory 1, ...
For n samples, x is flat, x[i * d + j], and y[i] the target:

    z_i = b + sum_j w_j x_ij,  a_i = activation(z_i),  e_i = d loss / d z_i,
    g_j = (1/n) sum_i e_i x_ij,  g_b = (1/n) sum_i e_i,

plus the penalty's gradient, then the optimizer's step.

Small tasks come as tuples (see `fastneuron.engine.lowering`): their lengths are types, so the loops over
samples and inputs unroll, and everything stays in registers. Larger ones come as arrays, with a lane loop
inside each statement. `step_lanes` has both forms; `step_one` is the same arithmetic in the same order, so
that it gives the same bits.

Not here: what became of a start (`judge`), which start is in which lane (`lanes`).
"""

from typing import Any, NamedTuple

from numba import types
from numba.cpython.unsafe.tuple import tuple_setitem

from fastneuron.elementary import constant, fma, maximum, where
from fastneuron.kernels.jit import compiled_as, inner, use_full_width
from fastneuron.kernels.records import bind, peek, poke

ROW_BYTES = 512


def lanes_of(number: Any) -> Any:
    """Lanes of a block of numbers like `number`: 64 of float64, 128 of float32, as many bytes."""
    return ROW_BYTES // number.itemsize


@compiled_as(lanes_of)
def _lanes_of(number: Any) -> Any:
    count = ROW_BYTES * 8 // number.bitwidth
    return lambda number: count


class Problem(NamedTuple):
    """What a kernel needs to know of a sweep; in kernels every field is what it is here.

    The components are records whose varying fields are a `Row` of the block. x : flat tuple or array of n d
    numbers; y : tuple or array of n; theta : tuple or array of d + 1 and memory : tuple of `slots` numbers,
    of which only the length counts; watch : a tuple, not empty where the size of every update is to be
    watched; mean : 1 / n.
    """

    activation: Any
    loss: Any
    penalty: Any
    optimizer: Any
    rule: Any
    x: Any
    y: Any
    theta: Any
    memory: Any
    watch: Any
    mean: Any


def scratch_rows(x: Any, width: Any) -> Any:
    """Rows of a block that `step_lanes` needs for itself, of a neuron of `width` parameters."""
    return 0 if isinstance(x, tuple) else width + 4


@compiled_as(scratch_rows)
def _scratch_rows(x: Any, width: Any) -> Any:
    if isinstance(x, types.BaseTuple):
        return lambda x, width: 0
    return lambda x, width: width + 4


def remembered(memory: Any, state: Any, first: Any, stride: Any) -> Any:
    """The optimizer's memory of one parameter: state[first + s * stride] for every slot s."""
    raise NotImplementedError


@compiled_as(remembered)
def _remembered(memory: Any, state: Any, first: Any, stride: Any) -> Any:
    if len(memory) == 0:
        return lambda memory, state, first, stride: memory

    def gather(memory: Any, state: Any, first: Any, stride: Any) -> Any:
        kept = memory
        for s in range(len(memory)):
            kept = tuple_setitem(kept, s, state[first + s * stride])
        return kept

    return gather


def step_lanes(
    activation: Any, loss: Any, penalty: Any, optimizer: Any,
    x: Any, y: Any, theta: Any, memory: Any, watch: Any, mean: Any, steps: Any, block: Any,
) -> None:  # fmt: skip
    """`steps` steps for every lane of the block, in place.

    theta : length d + 1 and memory : length `slots` are templates of which only the length counts.
    watch : a tuple, not empty where the sizes of the updates are wanted.
    mean : 1 / n in the block's dtype.
    block : flat; rows of `lanes_of` numbers: the state; the smallest of the largest errors |a - y| of the
    states stepped from; the sizes of the smallest and of the largest update; `scratch_rows` rows; then the
    fields that vary over the grid.
    """
    raise NotImplementedError


@compiled_as(step_lanes)
def _step_lanes(
    activation: Any, loss: Any, penalty: Any, optimizer: Any,
    x: Any, y: Any, theta: Any, memory: Any, watch: Any, mean: Any, steps: Any, block: Any,
) -> Any:  # fmt: skip
    return _unrolled if isinstance(x, types.BaseTuple) else _looped


def _unrolled(
    activation: Any, loss: Any, penalty: Any, optimizer: Any,
    x: Any, y: Any, theta: Any, memory: Any, watch: Any, mean: Any, steps: Any, block: Any,
) -> None:  # fmt: skip
    use_full_width()
    lanes = lanes_of(mean)
    n = len(y)
    d = len(theta) - 1
    slots = len(memory)
    nearest = (1 + slots) * (d + 1)
    zero = constant(mean, 0.0)
    for _ in range(steps):
        for lane in range(lanes):
            act = bind(activation, block, lanes, lane)
            cost = bind(loss, block, lanes, lane)
            pen = bind(penalty, block, lanes, lane)
            opt = bind(optimizer, block, lanes, lane)
            g = theta
            for j in range(d + 1):
                g = tuple_setitem(g, j, zero)
            worst = zero
            for i in range(n):
                z = block[d * lanes + lane]
                for j in range(d):
                    z = fma(block[j * lanes + lane], x[i * d + j], z)
                a = constant(mean, act.value(z))
                error = abs(a - y[i])
                worst = worst if worst > error else error
                e = constant(mean, cost.delta(act, z, a, y[i]))
                for j in range(d):
                    g = tuple_setitem(g, j, fma(e, x[i * d + j], g[j]))
                g = tuple_setitem(g, d, g[d] + e)
            least = block[nearest * lanes + lane]
            block[nearest * lanes + lane] = worst if worst < least else least
            moved = zero
            for j in range(d + 1):
                p = block[j * lanes + lane]
                gradient = mean * g[j]
                if j < d:
                    gradient = constant(mean, pen.weight_gradient(p, gradient))
                else:
                    gradient = constant(mean, pen.bias_gradient(p, gradient))
                kept = remembered(memory, block, (d + 1 + j) * lanes + lane, (d + 1) * lanes)
                new = opt.step(p, gradient, kept)
                block[j * lanes + lane] = new[0]
                moved = maximum(moved, abs(new[0] - p))
                for s in range(slots):
                    block[((1 + s) * (d + 1) + j) * lanes + lane] = new[1 + s]
            if len(watch) > 0:
                calm = block[(nearest + 1) * lanes + lane]
                bold = block[(nearest + 2) * lanes + lane]
                block[(nearest + 1) * lanes + lane] = where(moved < calm, moved, calm)
                block[(nearest + 2) * lanes + lane] = maximum(bold, moved)


def _looped(
    activation: Any, loss: Any, penalty: Any, optimizer: Any,
    x: Any, y: Any, theta: Any, memory: Any, watch: Any, mean: Any, steps: Any, block: Any,
) -> None:  # fmt: skip
    use_full_width()
    lanes = lanes_of(mean)
    n = len(y)
    d = len(theta) - 1
    slots = len(memory)
    state = (d + 1) * lanes
    nearest = (1 + slots) * state
    gradient = nearest + 3 * lanes
    z_row = gradient + state
    e_row = z_row + lanes
    worst_row = e_row + lanes
    moved_row = worst_row + lanes
    zero = constant(mean, 0.0)
    for _ in range(steps):
        for lane in range(state):
            poke(block, gradient, lane, zero)
        for lane in range(lanes):
            poke(block, worst_row, lane, zero)
            poke(block, moved_row, lane, zero)
        for i in range(n):
            for lane in range(lanes):
                poke(block, z_row, lane, peek(block, d * lanes, lane))
            for j in range(d):
                value = x[i * d + j]
                row = j * lanes
                for lane in range(lanes):
                    poke(block, z_row, lane, fma(peek(block, row, lane), value, peek(block, z_row, lane)))
            target = y[i]
            for lane in range(lanes):
                act = bind(activation, block, lanes, lane)
                cost = bind(loss, block, lanes, lane)
                z = peek(block, z_row, lane)
                a = constant(mean, act.value(z))
                error = abs(a - target)
                worst = peek(block, worst_row, lane)
                poke(block, worst_row, lane, worst if worst > error else error)
                poke(block, e_row, lane, constant(mean, cost.delta(act, z, a, target)))
            for j in range(d):
                value = x[i * d + j]
                row = gradient + j * lanes
                for lane in range(lanes):
                    poke(block, row, lane, fma(peek(block, e_row, lane), value, peek(block, row, lane)))
            row = gradient + d * lanes
            for lane in range(lanes):
                poke(block, row, lane, peek(block, row, lane) + peek(block, e_row, lane))
        for lane in range(lanes):
            worst = peek(block, worst_row, lane)
            least = peek(block, nearest, lane)
            poke(block, nearest, lane, worst if worst < least else least)
        for j in range(d + 1):
            row = j * lanes
            for lane in range(lanes):
                pen = bind(penalty, block, lanes, lane)
                opt = bind(optimizer, block, lanes, lane)
                p = peek(block, row, lane)
                g = mean * peek(block, gradient + row, lane)
                if j < d:
                    g = constant(mean, pen.weight_gradient(p, g))
                else:
                    g = constant(mean, pen.bias_gradient(p, g))
                new = opt.step(p, g, remembered(memory, block, state + row + lane, state))
                poke(block, row, lane, new[0])
                if len(watch) > 0:
                    moved = maximum(peek(block, moved_row, lane), abs(new[0] - p))
                    poke(block, moved_row, lane, moved)
                for s in range(slots):
                    poke(block, (1 + s) * state + row, lane, new[1 + s])
        if len(watch) > 0:
            for lane in range(lanes):
                moved = peek(block, moved_row, lane)
                calm = peek(block, nearest + lanes, lane)
                poke(block, nearest + lanes, lane, where(moved < calm, moved, calm))
                bold = peek(block, nearest + 2 * lanes, lane)
                poke(block, nearest + 2 * lanes, lane, maximum(bold, moved))


@inner
def step_one(own, state, gradient):
    """One step of one start, in place; the largest error |a - y| of the state stepped from.

    own : a `Problem` bound to this start; state : shape ((1 + slots) * (d + 1),); gradient : shape (d + 1,),
    scratch.
    """
    x, y, memory, mean = own.x, own.y, own.memory, own.mean
    d = len(own.theta) - 1
    zero = constant(mean, 0.0)
    for j in range(d + 1):
        gradient[j] = zero
    worst = zero
    for i in range(len(y)):
        z = state[d]
        for j in range(d):
            z = fma(state[j], x[i * d + j], z)
        a = constant(mean, own.activation.value(z))
        error = abs(a - y[i])
        worst = worst if worst > error else error
        e = constant(mean, own.loss.delta(own.activation, z, a, y[i]))
        for j in range(d):
            gradient[j] = fma(e, x[i * d + j], gradient[j])
        gradient[d] = gradient[d] + e
    for j in range(d + 1):
        p = state[j]
        g = mean * gradient[j]
        if j < d:
            g = constant(mean, own.penalty.weight_gradient(p, g))
        else:
            g = constant(mean, own.penalty.bias_gradient(p, g))
        new = own.optimizer.step(p, g, remembered(memory, state, d + 1 + j, d + 1))
        state[j] = new[0]
        for s in range(len(memory)):
            state[(1 + s) * (d + 1) + j] = new[1 + s]
    return worst


@inner
def bound_to(problem, block, lane):
    """The problem as one lane sees it: every field that varies over the grid looked up."""
    lanes = lanes_of(problem.mean)
    return Problem(
        bind(problem.activation, block, lanes, lane),
        bind(problem.loss, block, lanes, lane),
        bind(problem.penalty, block, lanes, lane),
        bind(problem.optimizer, block, lanes, lane),
        bind(problem.rule, block, lanes, lane),
        problem.x,
        problem.y,
        problem.theta,
        problem.memory,
        problem.watch,
        problem.mean,
    )

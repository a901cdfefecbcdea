"""Many starts at once: blocks of lanes that are refilled as their starts end.

Time is the outer loop, the vectors of a block the inner one. The lanes run ahead in chunks of CHUNK steps and
keep their history: every state of the last steps, its error, and the size of the update that led there (see
`judge`). After a chunk, a few comparisons of whole vectors say in which lanes something may have happened;
only there the history is read, step by step, by the exact rule. What was decided does not depend on the lane,
the tile or the thread.

A cycle is noticed when the state is back where it was LAGS steps ago, or at max_steps by a look at the
whole history; then the descent is followed again from its start to find the first step at which the
definition holds.
"""

import numpy as np

from fastneuron.elementary import constant, fma, maximum, where
from fastneuron.kernels.jit import inner, kernel, never_inline, use_full_width
from fastneuron.kernels.judge import (
    CYCLING,
    DIVERGED,
    RUNNING,
    SETTLED,
    STALLED,
    UNFINISHED,
    find_cycle,
    judged,
    last_outcome,
    period_of,
    remember,
)
from fastneuron.kernels.neuron import bound_to, step
from fastneuron.kernels.records import bind
from fastneuron.kernels.vectors import (
    bits_of,
    lanes_in,
    lanes_of_block,
    larger,
    lowest_bit,
    put,
    take,
    vector_like,
)

CHUNK = 16
LAGS = (48, 60)  # multiples of most short periods

# what may have happened in a chunk: an error within the tolerance; an update within `settle`, or a parameter
# beyond `limit`; the state is where it was; max_steps are done
NEAR, WATCH, STILL, DUE = 1, 2, 4, 8
FAR = 2**20  # chunks that are counted down exactly in either dtype


@inner
def aligned(count, like):
    """`count` zeros of the dtype of the array `like`, from the beginning of a cache line on."""
    extra = 64 // like.itemsize
    array = np.zeros(count + extra, like.dtype)
    first = (-array.ctypes.data % 64) // like.itemsize
    return array[first : first + count]


@inner
def run_chunk(problem, fields, history, slot, memory, gradient):
    """CHUNK steps of every lane, the first from the states in `slot`."""
    never_inline()
    use_full_width()
    like = vector_like(problem.mean)
    count = lanes_in(like)
    lanes = lanes_of_block(like)
    width = len(problem.theta)
    row = (width + 2) * lanes
    for s in range(CHUNK):
        source = (slot + s) * row
        target = source + row if source + row < len(history) else 0
        for lane in range(0, lanes, count):
            own = bound_to(problem, like, fields, lane, lanes)
            worst, moved = step(
                own, like, history, source + lane, history, target + lane, memory, lane, lanes, gradient
            )
            put(history, source + width * lanes + lane, worst)
            put(history, target + (width + 1) * lanes + lane, moved)


@inner
def gather_hints(problem, fields, history, slot, lane, left, hints):
    """For the vector of lanes from `lane` on, what may have happened in the chunk that began in `slot`.

    left : a row of the chunks until max_steps, counted down
    hints : a row of numbers, in which the sums of NEAR, WATCH, STILL, DUE are written

    Returns bit k set where lane `lane` + k has any.
    """
    never_inline()
    use_full_width()
    like = vector_like(problem.mean)
    lanes = lanes_of_block(like)
    width = len(problem.theta)
    row = (width + 2) * lanes
    slots = len(history) // row
    first = slot * row + lane
    last = first + CHUNK * row if slot + CHUNK < slots else lane
    zero = constant(like, 0.0)
    one = constant(like, 1.0)
    least = constant(like, np.inf)
    over = constant(like, 1.001)  # makes up for the rounding of the sum
    calm = take(history, last + (width + 1) * lanes, like)
    way = over * calm
    for s in range(CHUNK):
        place = first + s * row + width * lanes
        error = take(history, place, like)
        least = where(error < least, error, least)
        if s > 0:  # the update into the first state was seen with the chunk before
            moved = take(history, place + lanes, like)
            calm = where(moved < calm, moved, calm)
            way = fma(over, moved, way)
    size = zero
    for j in range(width):
        size = maximum(size, abs(take(history, last + j * lanes, like)))  # NaN where a parameter is
    away = constant(like, np.inf)
    for k in range(len(LAGS)):
        earlier = slot + CHUNK - LAGS[k]
        earlier = (earlier if earlier >= 0 else earlier + slots) * row + lane
        gap = zero
        for j in range(width):
            p = take(history, last + j * lanes, like)
            gap = larger(gap, abs(p - take(history, earlier + j * lanes, like)))
        away = where(gap < away, gap, away)
    rule = bind(problem.rule, like, fields, lane, lanes)
    reach = size + way  # no parameter was larger within the chunk
    close = rule.settle * larger(size, one)
    slow = calm <= constant(like, 2.0) * rule.settle * larger(reach, one)
    hint = where(least <= rule.tolerance, constant(like, NEAR), zero)
    hint += where(slow, constant(like, WATCH), where(reach <= rule.limit, zero, constant(like, WATCH)))
    hint += where(away <= constant(like, 32.0) * close, constant(like, STILL), zero)
    remaining = take(left, lane, like) - one
    put(left, lane, remaining)
    hint += where(remaining <= zero, constant(like, DUE), zero)
    put(hints, lane, hint)
    return bits_of(hint > zero)


@inner
def back_at(problem, fields, history, slot, lane, longest):
    """Whether the bias of any lane of a vector is where it was some steps ago, at most `longest`."""
    never_inline()
    use_full_width()
    like = vector_like(problem.mean)
    lanes = lanes_of_block(like)
    width = len(problem.theta)
    row = (width + 2) * lanes
    slots = len(history) // row
    at = (width - 1) * lanes + lane
    now = take(history, slot * row + at, like)
    size = constant(like, 1.0)
    for j in range(width):
        size = maximum(size, abs(take(history, slot * row + j * lanes + lane, like)))
    away = constant(like, np.inf)
    for p in range(2, longest + 1):
        gap = abs(now - take(history, (slot + slots - p) % slots * row + at, like))
        away = where(gap < away, gap, away)
    own = bound_to(problem, like, fields, lane, lanes)
    return bits_of(away <= own.rule.settle * size) != 0


@inner
def summary_of(problem, parameters, fields, at, stride, middle, scratch):
    """Error, loss and truth table of a vector of neurons, into four vectors of `scratch`.

    Parameter j is at parameters[at + j * stride], varying field k at fields[at + k * stride]. The truth table
    comes in two parts of 16 bits.
    """
    never_inline()
    use_full_width()
    like = vector_like(problem.mean)
    count = lanes_in(like)
    own = bound_to(problem, like, fields, at, stride)
    d = len(problem.theta) - 1
    zero = constant(like, 0.0)
    worst, loss, low, high = zero, zero, zero, zero
    bit = problem.mean / problem.mean
    for i in range(len(own.y)):
        z = take(parameters, at + d * stride, like)
        for j in range(d):
            z = fma(take(parameters, at + j * stride, like), own.x[i * d + j], z)
        y = constant(like, own.y[i])
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


@inner
def load(problem, starts, point, history, slot, fields, memory, lane):
    """Put a start into a lane; returns max_steps, or 0 if the start is beyond the limit."""
    width = len(problem.theta)
    lanes = lanes_of_block(problem.mean)
    row = (width + 2) * lanes
    for j in range(width):
        history[slot * row + j * lanes + lane] = starts[j, point]
    history[slot * row + (width + 1) * lanes + lane] = 0
    for k in range(width * len(problem.memory)):
        memory[k * lanes + lane] = 0
    for k in range(starts.shape[0] - width):
        fields[k * lanes + lane] = starts[width + k, point]
    rule = bound_to(problem, problem.mean, fields, lane, lanes).rule
    for j in range(width):
        if not abs(starts[j, point]) <= rule.limit:
            return 0
    return int(rule.max_steps)


@kernel
def run_tile(problem, starts, cancel, outcomes, steps, speeds, periods):
    """Descend from every start until it ends, by the rule of `fastneuron.outcomes`.

    Parameters
    ----------
    problem : Problem
        Its varying fields are the rows of `starts` behind the parameters.
    starts : array, shape (d + 1 + varying fields, points)
        Parameters, then the fields that vary; the parameters become the final ones, in place.
    cancel : array of uint8, shape (1,)
        Set to 1 from another thread to make the kernel return soon.
    outcomes, steps, speeds, periods : arrays, shape (points,)
        Results.

    Returns
    -------
    False if it was cancelled
    """
    like = vector_like(problem.mean)
    count = lanes_in(like)
    lanes = lanes_of_block(like)
    width = len(problem.theta)
    length = (1 + len(problem.memory)) * width
    points = starts.shape[1]
    row = (width + 2) * lanes
    longest = max(problem.longest, LAGS[-1])
    slots = CHUNK * (1 + (longest + CHUNK - 1) // CHUNK)
    history = aligned(slots * row, starts)
    fields = aligned((starts.shape[0] - width) * lanes, starts)
    memory = aligned((length - width) * lanes, starts)
    gradient = aligned(width * count, starts)
    hints = aligned(lanes, starts)
    scratch = aligned(4 * count, starts)
    owner = np.full(lanes, -1, np.int64)
    first_chunk = np.zeros(lanes, np.int64)
    last_step = np.zeros(lanes, np.int64)  # max_steps
    ask_again = np.zeros(lanes, np.int64)  # step from which a cycle is looked for
    state, other = np.zeros(length, starts.dtype), np.zeros(length, starts.dtype)
    left = aligned(lanes, starts)
    vacant = np.arange(lanes)
    n_vacant = lanes
    # a literal 0 is a type of its own, for which everything below would be compiled once more
    following, chunk, slot = np.int64(0), np.int64(0), np.int64(0)
    while True:
        while n_vacant > 0 and following < points:
            lane = vacant[n_vacant - 1]
            last = load(problem, starts, following, history, slot, fields, memory, lane)
            if last == 0:
                outcomes[following], steps[following] = DIVERGED, 0
                speeds[following], periods[following] = 0, 0
            else:
                owner[lane] = following
                first_chunk[lane] = chunk
                last_step[lane] = last
                left[lane] = min((last + CHUNK - 1) // CHUNK, FAR)
                ask_again[lane] = 0
                n_vacant -= 1
            following += 1
        if n_vacant == lanes:
            return True
        if cancel[0] != 0:
            return False
        run_chunk(problem, fields, history, slot, memory, gradient)
        chunk += 1
        begin = slot
        slot = (slot + CHUNK) % slots
        for group in range(0, lanes, count):
            bits = gather_hints(problem, fields, history, begin, group, left, hints)
            shown = -1  # step of the chunk of which `scratch` holds error and loss
            looked = back = False
            while bits != 0:
                lane = group + lowest_bit(bits)
                bits &= bits - 1
                if owner[lane] < 0:
                    continue
                hint = int(hints[lane])
                last = last_step[lane]
                t = (chunk - 1 - first_chunk[lane]) * CHUNK
                now = t + CHUNK
                if hint & DUE and now < last:
                    left[lane] = min((last - now + CHUNK - 1) // CHUNK, FAR)
                    if hint == DUE:
                        continue
                point = owner[lane]
                own = bound_to(problem, problem.mean, fields, lane, lanes)
                outcome, at, size = RUNNING, now, problem.mean
                if hint & (NEAR | WATCH) or now >= last:
                    outcome, at, size = judged(
                        own, hint & WATCH != 0, t, min(CHUNK, last - t), history, begin, lanes, lane, state
                    )
                period = 1 if outcome == SETTLED else 0
                look = False
                until = last
                if outcome == RUNNING and at == last:
                    remember(history, (begin + last - t - 1) % slots, width, lanes, lane, other)
                    if shown != last - t:
                        shown = last - t
                        now_at = history[(begin + shown) % slots * row :]
                        summary_of(problem, now_at, fields, group, lanes, problem.mean, scratch)
                    error, loss = scratch[lane - group], scratch[count + lane - group]
                    outcome = last_outcome(own, state, other, last, error, loss)
                    if outcome in (UNFINISHED, STALLED) and problem.longest > 1:
                        if not looked:
                            looked = True
                            back = back_at(problem, fields, history, slot, group, problem.longest)
                        look = back
                elif outcome == RUNNING and hint & STILL and now >= ask_again[lane]:
                    look = True
                    until = min(last, now + 4 * problem.longest)
                if look:
                    found = period_of(own, history, slot, lanes, lane, now, state, other)
                    if found > 0:
                        for k in range(length):
                            state[k] = starts[k, point] if k < width else constant(problem.mean, 0.0)
                        ring = np.empty(found * width, starts.dtype)
                        at_cycle, size_cycle = find_cycle(own, state, ring, gradient, found, until)
                        if at_cycle <= until:
                            outcome, at, size, period = CYCLING, at_cycle, size_cycle, found
                        else:
                            ask_again[lane] = 2 * now
                    else:
                        ask_again[lane] = now + 4 * CHUNK
                    if outcome != CYCLING and outcome != RUNNING:
                        remember(history, (begin + last - t) % slots, width, lanes, lane, state)
                if outcome != RUNNING:
                    for j in range(width):
                        starts[j, point] = state[j]
                    outcomes[point], steps[point] = outcome, at
                    speeds[point], periods[point] = size, period
                    owner[lane] = -1
                    vacant[n_vacant] = lane
                    n_vacant += 1


@kernel
def summarise(problem, finals, errors, losses, learned):
    """Largest error, loss and spelled truth table of final parameters.

    Parameters
    ----------
    problem : Problem
    finals : array, shape (d + 1 + varying fields, points)
        As `run_tile` leaves it.
    errors, losses : arrays, shape (points,)
        Largest |a - y|, and mean loss without the penalty.
    learned : array of int64, shape (points,)
        Bit i is set where the output of sample i is at or above the middle of the targets; -1 for more than
        32 samples.
    """
    count = lanes_in(vector_like(problem.mean))
    width = len(problem.theta)
    rows, points = finals.shape
    y = problem.y
    low, high = y[0], y[0]
    for i in range(len(y)):
        low = min(low, y[i])
        high = max(high, y[i])
    middle = low + (high - low) * constant(problem.mean, 0.5)
    scratch = np.zeros(4 * count, finals.dtype)
    tail = np.zeros(rows * count, finals.dtype)
    flat = finals.reshape(finals.size)
    for first in range(0, points, count):
        here = min(count, points - first)
        if here == count:
            summary_of(problem, flat, flat[width * points :], first, points, middle, scratch)
        else:
            for k in range(rows):
                for lane in range(here):
                    tail[k * count + lane] = finals[k, first + lane]
            summary_of(problem, tail, tail[width * count :], 0, count, middle, scratch)
        for lane in range(here):
            errors[first + lane] = scratch[lane]
            losses[first + lane] = scratch[count + lane]
            bits = int(scratch[2 * count + lane]) | int(scratch[3 * count + lane]) << 16
            learned[first + lane] = bits if len(y) <= 32 else -1

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

from typing import Any, NamedTuple

import numpy as np

from fastneuron.elementary import constant, fma, maximum, where
from fastneuron.kernels.jit import inner, kernel, never_inline, use_full_width
from fastneuron.kernels.judge import (
    CHUNK,
    CYCLING,
    DIVERGED,
    RUNNING,
    SETTLED,
    STALLED,
    UNFINISHED,
    error_and_loss,
    find_cycle,
    judged,
    last_outcome,
    period_of,
    remember,
    run_chunk,
    smaller,
)
from fastneuron.kernels.neuron import Problem, summary_of
from fastneuron.kernels.records import bind
from fastneuron.kernels.vectors import (
    BLOCK_BYTES,
    VECTOR_BYTES,
    bits_of,
    lanes_in,
    lanes_of_block,
    larger,
    lowest_bit,
    put,
    take,
    vector_like,
)

LAGS = (48, 60)  # multiples of most short periods

# what may have happened in a chunk: an error within the tolerance; an update within `settle`, or a parameter
# beyond `limit`; the state is where it was; max_steps are done
NEAR, WATCH, STILL, DUE = 1, 2, 4, 8
FAR = 2**20  # chunks that are counted down exactly in either dtype


class Block(NamedTuple):
    """The working memory of `run_tile`: arrays, flat, rows of one number for each lane.

    history : see `judge`; fields : the varying fields; memory : that of the optimizer; hints, left : see
    `gather_hints`; scratch, doubt : summaries of vectors; state, other : parameters of one start; trial,
    trial_memory : history and memory of lanes whose starts are followed again.
    Of the start of a lane, owner : its point, or -1; first_chunk : when it came; last_step : max_steps;
    ask_again : the step from which on a cycle is looked for. vacant : the lanes without a start.
    """

    history: Any
    fields: Any
    memory: Any
    gradient: Any
    hints: Any
    left: Any
    scratch: Any
    doubt: Any
    state: Any
    other: Any
    trial: Any
    trial_memory: Any
    owner: Any
    first_chunk: Any
    last_step: Any
    ask_again: Any
    vacant: Any


def block_for(problem: Problem, varying: int) -> Block:
    """Memory for a problem with so many varying fields; it may be used again and again, not twice at once."""
    real = np.dtype(type(problem.mean))
    lanes = BLOCK_BYTES // real.itemsize
    count = VECTOR_BYTES // real.itemsize
    width, slots = len(problem.theta), len(problem.memory)
    longest = max(int(problem.longest), LAGS[-1])
    past = CHUNK * (1 + -(-longest // CHUNK))

    def rows(number: int, length: int = lanes) -> np.ndarray:
        """`number` rows, from the beginning of a cache line on."""
        extra = 64 // real.itemsize
        array = np.zeros(number * length + extra, real)
        first = -array.ctypes.data % 64 // real.itemsize
        return array[first : first + number * length]

    def whole() -> np.ndarray:
        return np.zeros(lanes, np.int64)

    return Block(
        history=rows(past * (width + 2)),
        fields=rows(varying),
        memory=rows(slots * width),
        gradient=rows(width, count),
        hints=rows(1),
        left=rows(1),
        scratch=rows(4, count),
        doubt=rows(4, count),
        state=np.zeros(width, real),
        other=np.zeros(width, real),
        trial=rows(past * (width + 2)),
        trial_memory=rows(slots * width),
        owner=whole(),
        first_chunk=whole(),
        last_step=whole(),
        ask_again=whole(),
        vacant=whole(),
    )


@inner
def chunks_to(steps):
    """Chunks until so many steps are done, as far as they are counted."""
    return smaller((steps + CHUNK - 1) // CHUNK, FAR)


@inner
def gather_hints(rule, theta, fields, history, slot, lane, left, hints):
    """For the vector of lanes from `lane` on, what may have happened in the chunk that began in `slot`.

    left : a row of the chunks until max_steps, counted down
    hints : a row of numbers, in which the sums of NEAR, WATCH, STILL, DUE are written

    Returns bit k set where lane `lane` + k has any.
    """
    never_inline()
    use_full_width()
    like = vector_like(history.dtype.type(0))
    lanes = lanes_of_block(like)
    width = len(theta)
    row = (width + 2) * lanes
    slots = len(history) // row
    first = slot * row + lane
    last = first + CHUNK * row if slot + CHUNK < slots else lane
    rule = bind(rule, like, fields, lane, lanes)
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
def back_at(rule, width, fields, history, slot, lane, longest):
    """Whether the bias of any lane of a vector is where it was some steps ago, at most `longest`."""
    never_inline()
    use_full_width()
    like = vector_like(history.dtype.type(0))
    lanes = lanes_of_block(like)
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
    settle = bind(rule, like, fields, lane, lanes).settle
    return bits_of(away <= settle * size) != 0


@inner
def load(rule, width, starts, point, history, slot, fields, memory, lane):
    """Put a start into a lane; returns max_steps, or 0 if the start is beyond the limit."""
    lanes = lanes_of_block(history.dtype.type(0))
    row = (width + 2) * lanes
    for j in range(width):
        history[slot * row + j * lanes + lane] = starts[j, point]
    history[slot * row + (width + 1) * lanes + lane] = 0
    for k in range(len(memory) // lanes):
        memory[k * lanes + lane] = 0
    for k in range(starts.shape[0] - width):
        fields[k * lanes + lane] = starts[width + k, point]
    own = bind(rule, history.dtype.type(0), fields, lane, lanes)
    for j in range(width):
        if not abs(starts[j, point]) <= own.limit:
            return 0
    return int(own.max_steps)


@kernel
def run_tile(problem, block, starts, cancel, outcomes, steps, speeds, periods):
    """Descend from every start until it ends, by the rule of `fastneuron.outcomes`.

    Parameters
    ----------
    problem : Problem
        Its varying fields are the rows of `starts` behind the parameters.
    block : Block
        Working memory; what it holds is of no account.
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
    points = starts.shape[1]
    history, fields, memory = block.history, block.fields, block.memory
    hints, left, scratch, state, other = block.hints, block.left, block.scratch, block.state, block.other
    owner, first_chunk, last_step = block.owner, block.first_chunk, block.last_step
    ask_again, vacant = block.ask_again, block.vacant
    slots = len(history) // ((width + 2) * lanes)
    for lane in range(lanes):
        owner[lane], vacant[lane] = -1, lane
    n_vacant = lanes
    # a literal 0 is a type of its own, for which everything below would be compiled once more
    following, chunk, slot = np.int64(0), np.int64(0), np.int64(0)
    while True:
        while n_vacant > 0 and following < points:
            lane = vacant[n_vacant - 1]
            last = load(problem.rule, width, starts, following, history, slot, fields, memory, lane)
            if last == 0:
                outcomes[following], steps[following] = DIVERGED, 0
                speeds[following], periods[following] = 0, 0
            else:
                owner[lane] = following
                first_chunk[lane] = chunk
                last_step[lane] = last
                left[lane] = chunks_to(last)
                ask_again[lane] = 0
                n_vacant -= 1
            following += 1
        if n_vacant == lanes:
            return True
        if cancel[0] != 0:
            return False
        run_chunk(problem, fields, history, slot, memory, block.gradient, 0, lanes)
        chunk += 1
        begin = slot
        slot = (slot + CHUNK) % slots
        for group in range(0, lanes, count):
            bits = gather_hints(problem.rule, problem.theta, fields, history, begin, group, left, hints)
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
                    left[lane] = chunks_to(last - now)
                    if hint == DUE:
                        continue
                point = owner[lane]
                rule = bind(problem.rule, problem.mean, fields, lane, lanes)
                outcome, at, size = RUNNING, now, problem.mean
                if hint & (NEAR | WATCH) or now >= last:
                    outcome, at, size = judged(
                        problem, rule, hint & WATCH != 0, t, smaller(CHUNK, last - t),
                        history, begin, fields, lanes, lane, state, block.doubt,
                    )  # fmt: skip
                period = 1 if outcome == SETTLED else 0
                look = False
                until = last
                if outcome == RUNNING and at == last:
                    remember(history, (begin + last - t - 1) % slots, width, lanes, lane, other)
                    if shown != last - t:
                        shown = last - t
                        shown_slot = (begin + shown) % slots
                        error_and_loss(problem, history, shown_slot, fields, lanes, lane, scratch)
                    error, loss = scratch[lane - group], scratch[count + lane - group]
                    outcome = last_outcome(rule, width, state, other, last, error, loss)
                    if outcome in (UNFINISHED, STALLED) and problem.longest > 1:
                        if not looked:
                            looked = True
                            back = back_at(problem.rule, width, fields, history, slot, group, problem.longest)
                        look = back
                elif outcome == RUNNING and hint & STILL and now >= ask_again[lane]:
                    look = True
                    until = smaller(last, now + 4 * problem.longest)
                if look:
                    found = period_of(rule, width, history, slot, lanes, lane, now, state, other)
                    if found > 0:
                        at_cycle, size_cycle = find_cycle(
                            problem, rule, starts, point, fields, lanes, lane, found, until,
                            block.trial, block.trial_memory, block.gradient, state, other,
                        )  # fmt: skip
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
def summarise(problem, block, finals, errors, losses, learned):
    """Largest error, loss and spelled truth table of final parameters.

    Parameters
    ----------
    problem : Problem
    block : Block
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
        low = y[i] if y[i] < low else low
        high = y[i] if y[i] > high else high
    middle = low + (high - low) * constant(problem.mean, 0.5)
    scratch, tail = block.scratch, block.history
    flat = finals.reshape(finals.size)
    for first in range(0, points, count):
        here = smaller(count, points - first)
        if here == count:
            summary_of(problem, flat, first, flat, first + width * points, points, middle, scratch)
        else:
            for k in range(rows):
                for lane in range(here):
                    tail[k * count + lane] = finals[k, first + lane]
            summary_of(problem, tail, 0, tail, width * count, count, middle, scratch)
        for lane in range(here):
            errors[first + lane] = scratch[lane]
            losses[first + lane] = scratch[count + lane]
            bits = int(scratch[2 * count + lane]) | int(scratch[3 * count + lane]) << 16
            learned[first + lane] = bits if len(y) <= 32 else -1

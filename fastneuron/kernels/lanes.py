"""Many starts at once: blocks of lanes that are refilled as their starts end.

Time is the outer loop, the vectors of a block the inner one. The lanes run ahead in chunks of CHUNK steps and
keep their history: every state of the last steps, its error, and the size of the update that led there (see
`history`). After a chunk, a few comparisons of whole vectors say in which lanes something may have happened;
only there the history is read, step by step, by the exact rule (see `judge`). What was decided does not
depend on the lane, the tile or the thread.

A cycle is noticed when the state is back where it was LAGS steps ago, or at max_steps by a look at the
whole history; then the descent is followed again from its start to find the first step at which the
definition holds.
"""

import numpy as np

from fastneuron.elementary import constant, fma, maximum, where
from fastneuron.kernels.batching import before_first_epoch
from fastneuron.kernels.block import LAGS, RULE_FIELDS, rule_at
from fastneuron.kernels.history import CHUNK, remember
from fastneuron.kernels.jit import compact, helper, inner, kernel, never_inline, use_full_width
from fastneuron.kernels.judge import (
    CYCLING,
    DIVERGED,
    RUNNING,
    SETTLED,
    STALLED,
    UNFINISHED,
    advance,
    epoch_of,
    error_and_loss,
    find_cycle,
    judged,
    last_outcome,
    period_of,
)
from fastneuron.kernels.memory import add_to, put, take
from fastneuron.kernels.recording import MAX_STEPS
from fastneuron.kernels.vectors import bits_of, lanes_in, larger, lowest_bit, vector_like

# what may have happened in a chunk: an error within the tolerance; an update within `settle`, or a parameter
# beyond `limit`; the state is where it was; max_steps are done
NEAR, WATCH, STILL, DUE = 1, 2, 4, 8
FAR = 2**20  # chunks that are counted down exactly in either dtype


@inner
def chunks_to(steps):
    """Chunks until so many steps are done, as far as they are counted."""
    return min((steps + CHUNK - 1) // CHUNK, FAR)


@inner
def earlier(slot, lag, slots):
    """The slot `lag` steps before the end of the chunk that began in `slot`."""
    at = slot + CHUNK - lag
    return at if at >= 0 else at + slots


@helper
def hints_of(block, width, slot, lane):
    """`gather_hints` for a number of parameters."""
    history, slots, left = block.history, block.slots, block.left
    like = vector_like(block.zero)
    lanes = block.lanes
    row = (width + 2) * lanes
    first = slot * row + lane
    last = first + CHUNK * row if slot + CHUNK < slots else lane
    rule = rule_at(block.rules, lanes, lane, like)
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
    back = earlier(slot, LAGS[0], slots) * row + lane
    further = earlier(slot, LAGS[1], slots) * row + lane
    size, gap, other = zero, zero, zero
    for j in range(width):
        p = take(history, last + j * lanes, like)
        size = maximum(size, abs(p))  # NaN where a parameter is
        gap = larger(gap, abs(p - take(history, back + j * lanes, like)))
        other = larger(other, abs(p - take(history, further + j * lanes, like)))
    away = where(gap < other, gap, other)
    # what may have happened, with a margin for rounding: the judge decides
    reach = size + way  # no parameter was larger within the chunk
    close = rule.settle * larger(size, one)
    slow = calm <= constant(like, 2.0) * rule.settle * larger(reach, one)
    hint = where(least <= rule.tolerance, constant(like, NEAR), zero)
    hint += where(slow, constant(like, WATCH), where(reach <= rule.limit, zero, constant(like, WATCH)))
    hint += where(away <= constant(like, 32.0) * close, constant(like, STILL), zero)
    remaining = take(left, lane, like) - one
    put(left, lane, remaining)
    hint += where(remaining <= zero, constant(like, DUE), zero)
    put(block.hints, lane, hint)
    return bits_of(hint > zero)


@inner
def gather_hints(block, slot, lane):
    """For the vector of lanes from `lane` on, what may have happened in the chunk that began in `slot`.

    The chunks until max_steps, in the row `left` of the block, are counted down; the sums of NEAR, WATCH,
    STILL and DUE go into its row `hints`. Returns bit k set where lane `lane` + k has any.
    """
    never_inline()
    use_full_width()
    if block.width == 2:  # one input, for which everything is unrolled; and two
        return hints_of(block, 2, slot, lane)
    if block.width == 3:
        return hints_of(block, 3, slot, lane)
    return hints_of(block, block.width, slot, lane)


@inner
def back_at(block, slot, lane):
    """Whether the bias of any lane of a vector is where it was some steps ago, at most `block.longest`."""
    never_inline()
    use_full_width()
    history, width, slots = block.history, block.width, block.slots
    like = vector_like(block.zero)
    lanes = block.lanes
    row = (width + 2) * lanes
    at = (width - 1) * lanes + lane
    now = take(history, slot * row + at, like)
    size = constant(like, 1.0)
    for j in range(width):
        size = maximum(size, abs(take(history, slot * row + j * lanes + lane, like)))
    away = constant(like, np.inf)
    for p in range(2, block.longest + 1):
        gap = abs(now - take(history, (slot + slots - p) % slots * row + at, like))
        away = where(gap < away, gap, away)
    settle = rule_at(block.rules, lanes, lane, like).settle
    return bits_of(away <= settle * size) != 0


@inner
def load(block, starts, numbers, point, slot, lane):
    """Put a start into a lane; returns max_steps, or 0 if the start is beyond the limit."""
    compact()
    history, width, rules, rule_rows = block.history, block.width, block.rules, block.rule_rows
    lanes = block.lanes
    row = (width + 2) * lanes
    for j in range(width):
        history[slot * row + j * lanes + lane] = starts[j, point]
    history[slot * row + (width + 1) * lanes + lane] = block.zero
    for k in range(block.memories):
        block.memory[k * lanes + lane] = block.zero
    for k in range(block.recorded):
        block.sums[(slot * block.recorded + k) * lanes + lane] = block.zero
    block.numbers[lane] = numbers[point]
    block.calm_step[lane] = -1
    if block.shuffled > 0:
        before_first_epoch(block.places, block.epochs, lane, lanes, block.shuffled)
    for k in range(block.varying):
        block.fields[k * lanes + lane] = starts[width + k, point]
    for k in range(RULE_FIELDS):
        varying = rule_rows[k]
        rules[k * lanes + lane] = block.rule_values[k] if varying < 0 else starts[width + varying, point]
    own = rule_at(rules, lanes, lane, block.zero)
    if block.recorded > 0:
        block.sums[(slot * block.recorded + MAX_STEPS) * lanes + lane] = own.max_steps
    for j in range(width):
        if not abs(starts[j, point]) <= own.limit:
            return 0
    return int(own.max_steps)


@inner
def copy_sums(block, ring, slot, lane, sums, point):
    """Take what was recorded of a lane up to a slot for the sums of a point."""
    for k in range(block.recorded):
        sums[k, point] = ring[(slot * block.recorded + k) * block.lanes + lane]


@kernel
def run_tile(block, starts, numbers, taken, cancel, outcomes, steps, speeds, periods, sums):
    """Descend from every start not taken yet until it ends, by the rule of `fastneuron.outcomes`.

    Parameters
    ----------
    block : Block
        Made for the problem; what starts before have left in it is of no account.
    starts : array, shape (parameters + varying fields, points)
        Parameters, then the fields that vary; the parameters become the final ones, in place.
    numbers : array of int64, shape (points,)
        Number of each point in the grid, from which its batches are drawn.
    taken : array of int64, shape (1,)
        How many starts a lane has been given: those of all the threads that work on this tile, each with a
        block of its own.
    cancel : array of uint8, shape (1,)
        Set to 1 from another thread to make the kernel return soon.
    outcomes, steps, speeds, periods : arrays, shape (points,)
        Results.
    sums : array, shape (rows of `fastneuron.kernels.recording`, points or more)
        Results: what was recorded up to the step at which a start ended.

    Returns
    -------
    False if it was cancelled
    """
    compact()
    history, width, slots, longest = block.history, block.width, block.slots, block.longest
    rules, hints, left, scratch = block.rules, block.hints, block.left, block.scratch
    state, other, vacant = block.state, block.other, block.vacant
    owner, first_chunk = block.owner, block.first_chunk
    last_step, ask_again = block.last_step, block.ask_again
    zero = block.zero
    count = lanes_in(vector_like(zero))
    lanes = block.lanes
    points = starts.shape[1]
    for lane in range(lanes):
        owner[lane], vacant[lane] = -1, lane
    n_vacant = lanes
    # a literal 0 is a type of its own, for which everything below would be compiled once more
    chunk, slot = np.int64(0), np.int64(0)
    while True:
        while n_vacant > 0 and taken[0] < points:
            first = add_to(taken, n_vacant)
            for point in range(first, min(first + n_vacant, points)):
                lane = vacant[n_vacant - 1]
                last = load(block, starts, numbers, point, slot, lane)
                if last == 0:
                    outcomes[point], steps[point] = DIVERGED, 0
                    speeds[point], periods[point] = 0, 0
                    copy_sums(block, block.sums, slot, lane, sums, point)
                else:
                    owner[lane] = point
                    first_chunk[lane] = chunk
                    last_step[lane] = last
                    left[lane] = chunks_to(last)
                    ask_again[lane] = LAGS[-1]  # before, what the lane held earlier would be seen
                    n_vacant -= 1
        if n_vacant == lanes:
            return True
        if cancel[0] != 0:
            return False
        advance(block, 0, slot, 0, lanes)
        chunk += 1
        begin = slot
        slot = (slot + CHUNK) % slots
        for group in range(0, lanes, count):
            bits = gather_hints(block, begin, group)
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
                rule = rule_at(rules, lanes, lane, zero)
                outcome, at, size = RUNNING, now, zero
                if hint & (NEAR | WATCH) or now >= last:
                    watch, most = hint & WATCH != 0, min(CHUNK, last - t)
                    outcome, at, size = judged(block, rule, watch, t, most, begin, lane, state)
                period = 1 if outcome == SETTLED else 0
                look = False  # whether to look for a cycle, which must be confirmed by step `until`
                until = last
                if outcome == RUNNING and at == last:
                    if shown != last - t:
                        shown = last - t
                        error_and_loss(block, (begin + shown) % slots, lane, scratch)
                    error, loss = scratch[lane - group], scratch[count + lane - group]
                    outcome = last_outcome(block, rule, (begin + last - t) % slots, lane, last, error, loss)
                    if outcome in (UNFINISHED, STALLED) and longest > 1 and epoch_of(block, lane) == 1:
                        if not looked:  # once for the whole vector
                            looked = True
                            back = back_at(block, slot, group)
                        look = back
                elif outcome == RUNNING and hint & STILL and now >= ask_again[lane]:
                    look = longest > 1 and epoch_of(block, lane) == 1
                    until = min(last, now + 4 * longest)
                if look:
                    # the lane has run on to the end of the chunk, where a cycle still holds
                    found = period_of(block, rule, slot, lane, now, state, other)
                    if found > 0:
                        at_cycle, size_cycle = find_cycle(
                            block, rule, starts, point, lane, found, until, state, other
                        )
                        if at_cycle <= until:
                            outcome, at, size, period = CYCLING, at_cycle, size_cycle, found
                        else:  # following a start again costs as much as all of its steps
                            ask_again[lane] = 2 * now
                    else:
                        ask_again[lane] = now + 4 * CHUNK
                    if outcome != CYCLING and outcome != RUNNING:
                        remember(history, (begin + last - t) % slots, width, lanes, lane, state)
                if outcome != RUNNING:
                    if outcome == CYCLING:
                        copy_sums(block, block.trial_sums, at % slots, lane, sums, point)
                    else:
                        copy_sums(block, block.sums, (begin + at - t) % slots, lane, sums, point)
                    for j in range(width):
                        starts[j, point] = state[j]
                    outcomes[point], steps[point] = outcome, at
                    speeds[point], periods[point] = size, period
                    owner[lane] = -1
                    vacant[n_vacant] = lane
                    n_vacant += 1

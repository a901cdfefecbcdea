"""Many starts at once: blocks of lanes that are refilled as their starts end.

Time is the outer loop, the vectors of a block the inner one. The lanes run ahead in chunks of CHUNK steps and
keep their history: every state of the last steps, its error, and the size of the update that led there (see
`history`). After a chunk, a few comparisons of whole vectors say in which lanes something may have happened;
only there the history is read, step by step, by the exact rule (see `judge` and `cycles`). So a start ends at
the first step at which a definition holds, and that does not depend on the lane, the tile, the thread, or
how many steps it would have had left.
"""

import numpy as np

from fastneuron.elementary import constant, finite, fma, maximum, where
from fastneuron.kernels.batching import before_first_epoch
from fastneuron.kernels.block import FINISH, RULE_FIELDS, SUMMARY, call_part, rule_at
from fastneuron.kernels.cycles import find_cycles, goes_on, note_returns
from fastneuron.kernels.history import CHUNK, distance, remember
from fastneuron.kernels.jit import compact, helper, inner, kernel, never_inline, use_full_width
from fastneuron.kernels.judge import (
    CYCLING,
    DIVERGED,
    REACHED,
    RUNNING,
    SETTLED,
    advance,
    error_and_loss,
    forget_summaries,
    judged,
    last_outcome,
)
from fastneuron.kernels.memory import add_to, put, take
from fastneuron.kernels.recording import MAX_STEPS
from fastneuron.kernels.vectors import bits_of, lanes_in, larger, lowest_bit, vector_like

# what may have happened in a chunk: an error within the tolerance; an update within `settle`, or a parameter
# beyond `limit` or so large that the loss may overflow; max_steps are done
NEAR, WATCH, DUE = 1, 2, 4
FAR = 2**20  # chunks that are counted down exactly in either dtype


@inner
def chunks_to(steps):
    """Chunks until so many steps are done, as far as they are counted."""
    return min((steps + CHUNK - 1) // CHUNK, FAR)


@helper
def hints_of(block, width, slot, lane, chunk):
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
    size = zero
    for j in range(width):
        size = maximum(size, abs(take(history, last + j * lanes, like)))  # NaN where a parameter is
    # what may have happened: the judge decides
    reach = size + way  # no parameter was larger within the chunk
    close = rule.settle * larger(reach, one)
    known = reach <= min(rule.limit, take(block.sure, lane, like))
    hint = where(least <= rule.tolerance, constant(like, NEAR), zero)
    slow = calm <= close
    hint += where(slow, constant(like, WATCH), where(known, zero, constant(like, WATCH)))
    remaining = take(left, lane, like) - one
    put(left, lane, remaining)
    hint += where(remaining <= zero, constant(like, DUE), zero)
    put(block.hints, lane, hint)
    back = 0
    if block.longest > 1:
        near = where(reach < constant(like, np.inf), close, constant(like, np.inf))
        put(block.near, lane, near)
        back = block.alive[lane] & ~goes_on(block, width, slot, lane, chunk, like, calm, way, near)
    return bits_of(hint > zero), back


@inner
def gather_hints(block, slot, lane, chunk):
    """For the vector of lanes from `lane` on, what may have happened in a chunk, which began in `slot`.

    The chunks until max_steps, in the row `left` of the block, are counted down; the sums of NEAR, WATCH and
    DUE go into its row `hints`, and into `near` the most that a state may be off which is back. Returns whole
    numbers with bit k set where lane `lane` + k has any of them, and where its bias may be back.
    """
    never_inline()
    use_full_width()
    if block.width == 2:  # one input, for which everything is unrolled; and two
        return hints_of(block, 2, slot, lane, chunk)
    if block.width == 3:
        return hints_of(block, 3, slot, lane, chunk)
    return hints_of(block, block.width, slot, lane, chunk)


@inner
def load(block, starts, numbers, point, slot, lane):
    """Put a start into a lane; returns max_steps, or -1 if the start is beyond the limit."""
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
        if not finite(starts[j, point]) or not abs(starts[j, point]) <= own.limit:
            return -1
    return int(own.max_steps)


@inner
def copy_sums(block, slot, lane, sums, point):
    """Take what was recorded of a lane up to a slot for the sums of a point."""
    for k in range(block.recorded):
        sums[k, point] = block.sums[(slot * block.recorded + k) * block.lanes + lane]


@inner
def copy_sums_of_cycle(block, end, lane, period, left, cancel, sums, point):
    """As `copy_sums`, and for the steps that are left the losses of the cycle's states in turn.

    The first state that counts is the one in slot `end`; it is followed by the one `period` - 1 steps before.
    """
    never_inline()
    compact()
    history, lanes, count = block.history, block.lanes, lanes_in(vector_like(block.zero))
    losses, own, scratch = block.cycle_losses, block.cycle_sums, block.scratch
    group = lane // count * count
    for k in range(period):
        at = (end + block.slots - k) % block.slots * (block.width + 2) * lanes + group
        call_part(block, SUMMARY, (history, at, block.fields, group, lanes, block.zero, scratch, block.room))
        for c in range(count):
            losses[k * count + c] = scratch[count + c]
    for k in range(block.recorded):
        for c in range(count):
            own[k * count + c] = block.sums[(end * block.recorded + k) * lanes + lane]
    back = np.int64(0)
    for _ in range(left):
        if cancel[0] != 0:
            return
        call_part(block, FINISH, (own, 0, count, losses, back * count, 1))
        back = back - 1 if back > 0 else period - 1
    for k in range(block.recorded):
        sums[k, point] = own[k * count + lane - group]


@inner
def outcome_in_chunk(block, rule, hint, turn, t, last, begin, lane):
    """What became of a lane in a chunk, which began at its step `t` in slot `begin`.

    turn : offset of the state that confirms a cycle, or 0

    Returns
    -------
    outcome, RUNNING if none, and step
    """
    compact()
    steps = min(CHUNK, last - t)
    if turn > steps:
        turn = 0
    most = turn if turn > 0 else steps
    outcome, at = RUNNING, t + most
    if hint & (NEAR | WATCH):
        watch = hint & WATCH != 0
        outcome, at = judged(block, rule, watch, t, most, begin, lane, block.state, block.other)
    if outcome != RUNNING or (turn == 0 and at < last):
        return outcome, at
    error, loss = error_and_loss(block, begin, most, lane)
    if not finite(loss):
        return DIVERGED, at
    if error <= rule.tolerance:
        return REACHED, at
    if turn > 0:
        return CYCLING, at
    return last_outcome(block, rule, (begin + most) % block.slots, lane, last), at


@kernel
def run_tile(block, starts, numbers, taken, cancel, outcomes, steps, speeds, periods, sums):
    """Descend from every start not taken yet until it ends, by the rule of `fastneuron.outcomes`.

    Parameters
    ----------
    block : Block
        Made for the problem. It may have been used before: nothing is read of what was left in it.
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
    history, width, slots = block.history, block.width, block.slots
    rules, hints, left, alive = block.rules, block.hints, block.left, block.alive
    state, other, vacant = block.state, block.other, block.vacant
    owner, first_chunk, last_step = block.owner, block.first_chunk, block.last_step
    zero = block.zero
    count = lanes_in(vector_like(zero))
    lanes = block.lanes
    points = starts.shape[1]
    for lane in range(lanes):
        vacant[lane], alive[lane], block.expected_until[lane] = lane, 0, 0
    for k in range(lanes // count * (block.longest + 1)):
        block.expected[k] = 0
    n_vacant = lanes
    # a literal 0 is a type of its own, for which everything below would be compiled once more
    chunk, slot = np.int64(0), np.int64(0)
    while True:
        while n_vacant > 0 and taken[0] < points:
            first = add_to(taken, n_vacant)
            for point in range(first, min(first + n_vacant, points)):
                lane = vacant[n_vacant - 1]
                last = load(block, starts, numbers, point, slot, lane)
                if last < 0:
                    outcomes[point], steps[point] = DIVERGED, 0
                    speeds[point], periods[point] = 0, 0
                    copy_sums(block, slot, lane, sums, point)
                else:
                    owner[lane] = point
                    first_chunk[lane] = chunk
                    last_step[lane] = last
                    left[lane] = chunks_to(last)
                    alive[lane // count * count] |= 1 << lane % count
                    n_vacant -= 1
        if n_vacant == lanes:
            return True
        if cancel[0] != 0:
            return False
        advance(block, slot)
        begin, slot = slot, (slot + CHUNK) % slots
        for group in range(0, lanes, count):
            bits, back = gather_hints(block, begin, group, chunk)
            if back != 0:
                note_returns(block, begin, group, chunk)
            turned = 0
            if block.expected_until[group] > chunk * CHUNK:
                turned = find_cycles(block, begin, group, chunk, state, other)
            bits = (bits | turned) & alive[group]
            forget_summaries(block)
            while bits != 0:
                lane = group + lowest_bit(bits)
                bits &= bits - 1
                hint, last = int(hints[lane]), last_step[lane]
                t = (chunk - first_chunk[lane]) * CHUNK
                if hint & DUE and t + CHUNK < last:
                    left[lane] = chunks_to(last - t - CHUNK)
                turn = block.cycle_step[lane] if turned >> (lane - group) & 1 else 0
                rule = rule_at(rules, lanes, lane, zero)
                outcome, at = outcome_in_chunk(block, rule, hint, turn, t, last, begin, lane)
                if outcome == RUNNING:
                    continue
                point, end = owner[lane], (begin + at - t) % slots
                if outcome == CYCLING and block.recorded > 0:
                    period = block.cycle_period[lane]
                    copy_sums_of_cycle(block, end, lane, period, last - at, cancel, sums, point)
                else:
                    copy_sums(block, end, lane, sums, point)
                remember(history, end, width, lanes, lane, state)
                remember(history, (end + slots - 1) % slots, width, lanes, lane, other)
                for j in range(width):
                    starts[j, point] = state[j]
                outcomes[point], steps[point] = outcome, at
                speeds[point] = distance(state, other, width - 1) if at > 0 else zero
                periods[point] = 0
                if outcome == SETTLED:
                    periods[point] = 1
                elif outcome == CYCLING:
                    periods[point] = block.cycle_period[lane]
                alive[group] &= ~(1 << lane - group)
                vacant[n_vacant] = lane
                n_vacant += 1
        chunk += 1

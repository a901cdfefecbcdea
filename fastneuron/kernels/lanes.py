"""Many starts at once: blocks of lanes that are refilled as their starts end.

Time is the outer loop, lanes the inner one, which LLVM vectorises; a block stays in the first-level
cache for all its steps. Lanes run ahead in chunks of BURSTS bursts of BURST steps, and nothing is decided on
the way: for each burst its first state and its smallest error are kept. After a chunk, a few comparisons per
lane give hints that something may have happened in it; only then `judge` replays the burst exactly.
What was decided does not depend on the lane, the tile or the thread: a replay has the same bits.

A hint may be wrong, never missing: the margins are wide enough for whatever can happen within a chunk
(tests/test_kernels_against_oracle.py).
"""

import numpy as np

from fastneuron.elementary import constant
from fastneuron.kernels.jit import inner, kernel, never_inline, use_full_width
from fastneuron.kernels.judge import (
    CYCLING,
    DIVERGED,
    RUNNING,
    SETTLED,
    STALLED,
    UNFINISHED,
    error_of,
    find_cycle,
    last_outcome,
    loss_of,
    output_of,
    period_ahead,
    replay,
)
from fastneuron.kernels.neuron import LANES, bound_to, scratch_rows, step_lanes
from fastneuron.kernels.records import bind, peek, poke

BURST = 8
BURSTS = 4
CHUNK = BURST * BURSTS

# hints, summed up in one row
NEAR, SLOW, LARGE, STILL = 1, 2, 4, 8


@inner
def run_chunk(problem, block, saved, nearest, before):
    """CHUNK steps of every lane, keeping the first state and the smallest error of each burst.

    saved : BURSTS states; nearest : BURSTS rows; before : the parameters one step before the end.
    """
    never_inline()
    use_full_width()
    width = len(problem.theta) * LANES
    length = (1 + len(problem.memory)) * width
    far = constant(problem.mean, np.inf)
    for k in range(BURSTS + 1):
        if k < BURSTS:
            for at in range(length):
                poke(saved, k * length, at, peek(block, 0, at))
            for lane in range(LANES):
                poke(block, length, lane, far)
            steps = BURST if k < BURSTS - 1 else BURST - 1
        else:
            for at in range(width):
                poke(before, 0, at, peek(block, 0, at))
            steps = 1
        step_lanes(
            problem.activation, problem.loss, problem.penalty, problem.optimizer,
            problem.x, problem.y, problem.theta, problem.memory, problem.mean, steps, block,
        )  # fmt: skip
        row = (k if k < BURSTS else BURSTS - 1) * LANES
        for lane in range(LANES):
            poke(nearest, row, lane, peek(block, length, lane))


@inner
def gather_hints(problem, block, saved, nearest, before, anchor, fresh, hints, speed, spread, sizes, away):
    """For every lane, which of the judge's questions may have an answer in the chunk just run.

    speed and spread become the size of the last update and of the whole chunk's; sizes and away are scratch.
    """
    never_inline()
    use_full_width()
    zero = constant(problem.mean, 0.0)
    one = constant(problem.mean, 1.0)
    for lane in range(LANES):
        speed[lane] = zero
        spread[lane] = zero
        sizes[lane] = zero
        away[lane] = zero
        hints[lane] = zero
    for j in range(len(problem.theta)):
        row = j * LANES
        for lane in range(LANES):
            p = peek(block, row, lane)
            first = peek(saved, row, lane)
            size = abs(p) if abs(p) > abs(first) else abs(first)
            sizes[lane] = sizes[lane] if sizes[lane] > size else size
            size = abs(p - peek(before, row, lane))
            speed[lane] = speed[lane] if speed[lane] > size else size
            size = abs(p - first)
            spread[lane] = spread[lane] if spread[lane] > size else size
            size = abs(p - peek(anchor, row, lane))
            away[lane] = away[lane] if away[lane] > size else size
            hints[lane] += p - p  # NaN where p is not finite
    for lane in range(LANES):
        rule = bind(problem.rule, block, LANES, lane)
        least = peek(nearest, 0, lane)
        for k in range(1, BURSTS):
            other = peek(nearest, k * LANES, lane)
            least = other if other < least else least
        close = rule.settle * (sizes[lane] if sizes[lane] > one else one)
        reach = constant(one, 16.0) * sizes[lane] + constant(one, 64.0) * speed[lane]
        hint = constant(one, NEAR) if least <= rule.tolerance else zero
        slow = constant(one, 2.0) + constant(one, 62.0) * fresh[lane]
        hint += constant(one, SLOW) if speed[lane] <= slow * close else zero
        hint += constant(one, LARGE) if not (reach <= rule.limit) or hints[lane] != zero else zero
        nearer = spread[lane] if spread[lane] < away[lane] else away[lane]
        hint += constant(one, STILL) if nearer <= constant(one, 4.0) * close else zero
        hints[lane] = hint


@inner
def cycle_of(own, start, state, work, gradient, until):
    """Period, first confirmed step and speed of the cycle that `state` is in; step `until` + 1 if none.

    `work` becomes the state at that step. The descent is followed again from its start: a cycle is noticed
    later than it began.
    """
    never_inline()
    period = period_ahead(own, state, work, gradient)
    if period == 0:
        return 0, until + 1, constant(own.mean, 0.0)
    work[:] = 0
    for j in range(len(own.theta)):
        work[j] = start[j]
    ring = np.empty(period * len(own.theta), state.dtype)
    step, moved = find_cycle(own, work, ring, gradient, period, until)
    return period, step, moved


@inner
def judged(own, hint, t, moved, lane, saved, nearest, state, before, gradient):
    """Replay the bursts of one lane's last chunk, which began at step t, as far as `hint` asks for.

    Returns outcome, step, size of the last update; `state` (and `before`, one step earlier) belong to it. At
    max_steps without an outcome it is RUNNING with step max_steps.
    """
    never_inline()
    length = len(state)
    last = int(own.rule.max_steps)
    outcome = RUNNING
    moved_at = moved
    known = 0  # the burst whose first update size is known
    for k in range(BURSTS):
        begin = t + k * BURST
        if begin >= last:
            break
        until = min(begin + BURST, last)
        near = nearest[k * LANES + lane] <= own.rule.tolerance
        if not (near or hint & (SLOW | LARGE) or until == last):
            continue
        first = k
        if k > known:  # the size of the update into this burst comes from the one before
            first = k - 1
            moved_at = constant(own.mean, 0.0)
        for i in range(length):
            state[i] = saved[(first * length + i) * LANES + lane]
        outcome, step, moved_at = replay(
            own, state, before, gradient, t + first * BURST, until, moved_at
        )
        known = k + 1
        if outcome != RUNNING or step == last:
            return outcome, step, moved_at
    return RUNNING, t + CHUNK, moved_at


@inner
def load(problem, starts, point, block, lane, base):
    """Put a start into a lane; whether it is within the limit."""
    never_inline()
    width = len(problem.theta)
    for k in range(base):
        block[k * LANES + lane] = starts[k, point] if k < width else constant(problem.mean, 0.0)
    for k in range(starts.shape[0] - width):
        block[(base + k) * LANES + lane] = starts[width + k, point]
    own = bound_to(problem, block, lane)
    within = True
    for j in range(width):
        within = within and abs(starts[j, point]) <= own.rule.limit
    return within


@kernel
def run_tile(problem, starts, cancel, outcomes, steps, speeds, periods):
    """Descend from every start until it ends, by the rule of `fastneuron.outcomes`.

    Parameters
    ----------
    problem : Problem
        The first row of a varying field is `first_field_row`.
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
    dtype = starts.dtype
    width = len(problem.theta)
    length = (1 + len(problem.memory)) * width
    points = starts.shape[1]
    base = length + 1 + scratch_rows(problem.x, width)
    zero = constant(problem.mean, 0.0)
    block = np.zeros((base + starts.shape[0] - width) * LANES, dtype)
    saved = np.zeros(BURSTS * length * LANES, dtype)
    nearest = np.zeros(BURSTS * LANES, dtype)
    ahead = np.zeros(width * LANES, dtype)  # the parameters one step before the end of a chunk
    anchor = np.zeros(width * LANES, dtype)  # an earlier state, to notice cycles by
    fresh, hints, speed = np.zeros(LANES, dtype), np.zeros(LANES, dtype), np.zeros(LANES, dtype)
    spread, sizes, away = np.zeros(LANES, dtype), np.zeros(LANES, dtype), np.zeros(LANES, dtype)
    moved = np.zeros(LANES, dtype)  # size of the update that led to the chunk's first state
    owner = np.full(LANES, -1, np.int64)
    t = np.zeros(LANES, np.int64)
    renew = np.zeros(LANES, np.int64)  # step at which the anchor is set anew
    quiet = np.zeros(LANES, np.bool_)  # no cycle is to be found any more
    state, before, work = np.zeros(length, dtype), np.zeros(length, dtype), np.zeros(length, dtype)
    gradient = np.zeros(width, dtype)
    following = 0
    busy = 0
    while True:
        for lane in range(LANES):
            while owner[lane] < 0 and following < points:
                if load(problem, starts, following, block, lane, base):
                    owner[lane] = following
                    busy += 1
                    t[lane] = 0
                    renew[lane] = CHUNK
                    moved[lane] = zero
                    fresh[lane] = constant(problem.mean, 1.0)
                    quiet[lane] = False
                    for j in range(width):
                        anchor[j * LANES + lane] = starts[j, following]
                else:
                    outcomes[following] = DIVERGED
                    steps[following] = 0
                    speeds[following] = zero
                    periods[following] = 0
                following += 1
        if busy == 0:
            return True
        if cancel[0] != 0:
            return False
        run_chunk(problem, block, saved, nearest, ahead)
        gather_hints(
            problem, block, saved, nearest, ahead, anchor, fresh, hints, speed, spread, sizes, away
        )
        for lane in range(LANES):
            point = owner[lane]
            if point < 0:
                continue
            own = bound_to(problem, block, lane)
            hint = int(hints[lane])
            last = int(own.rule.max_steps)
            if hint != 0 or t[lane] + CHUNK >= last:
                outcome, step, size = judged(
                    own, hint, t[lane], moved[lane], lane, saved, nearest, state, before, gradient
                )
                period = 1 if outcome == SETTLED else 0
                look = False
                if outcome == RUNNING and step == last:
                    outcome = last_outcome(own, state, before, last)
                    # a steady drift over the whole chunk is no cycle
                    open_end = outcome == UNFINISHED or outcome == STALLED
                    look = open_end and spread[lane] < constant(zero, 8.0) * speed[lane]
                elif outcome == RUNNING and hint & STILL and not hint & SLOW:
                    look = True
                    for k in range(length):
                        state[k] = block[k * LANES + lane]
                if look and not quiet[lane]:
                    period, at, size_at = cycle_of(own, starts[:, point], state, work, gradient, last)
                    quiet[lane] = period > 0
                    if at <= last:
                        outcome, step, size = CYCLING, at, size_at
                        state[:] = work
                    else:
                        period = 0
                if outcome != RUNNING:
                    for j in range(width):
                        starts[j, point] = state[j]
                    outcomes[point] = outcome
                    steps[point] = step
                    speeds[point] = size
                    periods[point] = period
                    owner[lane] = -1
                    busy -= 1
                    continue
            t[lane] += CHUNK
            moved[lane] = speed[lane]
            fresh[lane] = zero
            if t[lane] >= renew[lane]:
                renew[lane] += min(t[lane], CHUNK * int(own.rule.max_period))
                for j in range(width):
                    anchor[j * LANES + lane] = block[j * LANES + lane]


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
        Bit i is set where the output of sample i is at or above the middle of the targets; 0 for more than 32
        samples.
    """
    width = len(problem.theta)
    base = (1 + len(problem.memory)) * width + 1 + scratch_rows(problem.x, width)
    block = np.zeros((base + finals.shape[0] - width) * LANES, finals.dtype)
    state = np.zeros(width, finals.dtype)
    x, y = problem.x, problem.y
    low, high = y[0], y[0]
    for i in range(len(y)):
        low = min(low, y[i])
        high = max(high, y[i])
    middle = low + (high - low) * constant(problem.mean, 0.5)
    for point in range(finals.shape[1]):
        load(problem, finals, point, block, 0, base)
        own = bound_to(problem, block, 0)
        for j in range(width):
            state[j] = finals[j, point]
        errors[point] = error_of(own, state)
        losses[point] = loss_of(own, state)
        bits = 0
        if len(y) <= 32:
            for i in range(len(y)):
                if output_of(own, state, i) >= middle:
                    bits |= 1 << i
        learned[point] = bits

"""Many starts at once: blocks of lanes that are refilled as their starts end.

Time is the outer loop, lanes the inner one, which LLVM vectorises; a block stays in the first-level
cache for all its steps. Lanes run ahead in chunks of BURSTS bursts of BURST steps, and nothing is decided on
the way: for each burst its first state is kept, and its smallest error. After a chunk, a few comparisons per
lane give hints that something may have happened in it; only then `judge` replays the burst exactly.
What was decided does not depend on the lane, the tile or the thread: a replay has the same bits.

A hint may be wrong; it is missing only where a start is at rest for a moment within a chunk and then leaves,
which takes an optimizer with memory or a wide `settle` (both are watched step by step, see
`fastneuron.engine.lowering.watched`), or an unstable point of rest met by chance to the last bits.
"""

import numpy as np

from fastneuron.elementary import constant, fma, maximum, where
from fastneuron.kernels.jit import inner, kernel, never_inline, use_full_width
from fastneuron.kernels.judge import (
    CYCLING,
    DIVERGED,
    REACHED,
    RUNNING,
    SETTLED,
    STALLED,
    UNFINISHED,
    find_cycle,
    last_outcome,
    period_ahead,
    replay,
)
from fastneuron.kernels.neuron import bound_to, lanes_of, scratch_rows, step_lanes
from fastneuron.kernels.records import bind, peek, poke

BURST = 4
CHUNK = 32
# A chunk's bursts begin one step before each multiple of BURST, so that a start whose max_steps is a round
# number ends one step after a saved state; the last burst is one step, the size of which is the final speed.
BURSTS = CHUNK // BURST + 1
LAST = BURSTS - 1

# hints, summed up in one row
NEAR, SLOW, LARGE, STILL, DUE, CALM = 1, 2, 4, 8, 16, 32

# Rows of one number for each lane. HINT: the hints there are. MOVED, SPEED: size of the update into the
# chunk's first and last state. SPREAD: how far the last state is from the first, AWAY: from the anchor. SIZE:
# largest parameter. LEFT: steps until max_steps or a new anchor is due. FRESH: 1 in a start's first chunk.
# PEAK: largest SPREAD since the anchor was set. FIRST: how far the first burst went.
HINT, MOVED, SPEED, SPREAD, SIZE, AWAY, LEFT, FRESH, PEAK, FIRST = range(10)
LANE_ROWS = 10


@inner
def burst_begin(k):
    """Step, within a chunk, at which burst k begins."""
    return k * BURST - 1 if k > 0 else 0


@inner
def run_chunk(problem, block, saved, seen):
    """CHUNK steps of every lane, keeping the first state of each burst and what was seen in it.

    saved : BURSTS states; seen : for each burst, the three rows of `step_lanes`: smallest error,
    smallest and largest update.
    """
    never_inline()
    use_full_width()
    lanes = lanes_of(problem.mean)
    length = (1 + len(problem.memory)) * len(problem.theta) * lanes
    far = constant(problem.mean, np.inf)
    none = constant(problem.mean, 0.0)
    for k in range(BURSTS):
        for at in range(length):
            poke(saved, k * length, at, peek(block, 0, at))
        for lane in range(lanes):
            poke(block, length, lane, far)
        if len(problem.watch) > 0:
            for lane in range(lanes):
                poke(block, length + lanes, lane, far)
                poke(block, length + 2 * lanes, lane, none)
        steps = min(burst_begin(k + 1), CHUNK) - burst_begin(k)
        step_lanes(
            problem.activation, problem.loss, problem.penalty, problem.optimizer,
            problem.x, problem.y, problem.theta, problem.memory, problem.watch, problem.mean, steps, block,
        )  # fmt: skip
        for at in range(3 * lanes if len(problem.watch) > 0 else lanes):
            poke(seen, 3 * k * lanes, at, peek(block, length, at))


@inner
def gather_hints(problem, block, saved, seen, anchor, lane_rows):
    """For every lane, which of the judge's questions may have an answer in the chunk just run.

    lane_rows : a row for each of HINT ... FIRST. LEFT counts down, FRESH becomes 0, the others are set.
    """
    never_inline()
    use_full_width()
    lanes = lanes_of(problem.mean)
    zero = constant(problem.mean, 0.0)
    one = constant(problem.mean, 1.0)
    length = (1 + len(problem.memory)) * len(problem.theta) * lanes
    before = LAST * length
    for lane in range(lanes):
        poke(lane_rows, MOVED * lanes, lane, peek(lane_rows, SPEED * lanes, lane))
        poke(lane_rows, SPEED * lanes, lane, zero)
        poke(lane_rows, SPREAD * lanes, lane, zero)
        poke(lane_rows, SIZE * lanes, lane, zero)
        poke(lane_rows, AWAY * lanes, lane, zero)
        poke(lane_rows, FIRST * lanes, lane, zero)
        poke(lane_rows, HINT * lanes, lane, zero)
    for j in range(len(problem.theta)):
        row = j * lanes
        for lane in range(lanes):
            p = peek(block, row, lane)
            first = peek(saved, row, lane)
            size = maximum(peek(lane_rows, SIZE * lanes, lane), maximum(abs(p), abs(first)))
            moved = maximum(peek(lane_rows, SPEED * lanes, lane), abs(p - peek(saved, before + row, lane)))
            spread = maximum(peek(lane_rows, SPREAD * lanes, lane), abs(p - first))
            away = maximum(peek(lane_rows, AWAY * lanes, lane), abs(p - peek(anchor, row, lane)))
            poke(lane_rows, SIZE * lanes, lane, size)
            poke(lane_rows, SPEED * lanes, lane, moved)
            poke(lane_rows, SPREAD * lanes, lane, spread)
            poke(lane_rows, AWAY * lanes, lane, away)
            second = peek(saved, length + row, lane)
            poke(
                lane_rows,
                FIRST * lanes,
                lane,
                maximum(peek(lane_rows, FIRST * lanes, lane), abs(second - first)),
            )
            # NaN for good where a parameter is not finite
            poke(lane_rows, HINT * lanes, lane, peek(lane_rows, HINT * lanes, lane) + (p - p))
    for lane in range(lanes):
        rule = bind(problem.rule, block, lanes, lane)
        least, calm, bold = peek(seen, 0, lane), peek(seen, lanes, lane), peek(seen, 2 * lanes, lane)
        for k in range(1, BURSTS):
            other = peek(seen, 3 * k * lanes, lane)
            least = where(other < least, other, least)
            if len(problem.watch) > 0:
                other = peek(seen, (3 * k + 1) * lanes, lane)
                calm = where(other < calm, other, calm)
                bold = maximum(bold, peek(seen, (3 * k + 2) * lanes, lane))
        size, speed = peek(lane_rows, SIZE * lanes, lane), peek(lane_rows, SPEED * lanes, lane)
        spread, away = peek(lane_rows, SPREAD * lanes, lane), peek(lane_rows, AWAY * lanes, lane)
        close = rule.settle * maximum(size, one)
        left = peek(lane_rows, LEFT * lanes, lane) - constant(one, CHUNK)
        slow = constant(one, 2.0)
        fresh = peek(lane_rows, FRESH * lanes, lane)
        # an update too small to see, from where the start would run away again
        calm_start = peek(lane_rows, FIRST * lanes, lane) <= constant(one, 1e3) * close
        reach = constant(one, 16.0) * size + constant(one, 64.0) * speed
        slowest = speed
        if len(problem.watch) > 0:
            slow = constant(one, 4.0)
            slowest = calm
            reach = size + constant(one, CHUNK) * bold
        sound = (reach <= rule.limit) & (peek(lane_rows, HINT * lanes, lane) == zero)
        still = where(spread < away, spread, away) <= constant(one, 4.0) * close
        hint = where(least <= rule.tolerance, constant(one, NEAR), zero)
        hint += where(slowest <= slow * close, constant(one, SLOW), zero)
        hint += where(sound, zero, constant(one, LARGE))
        hint += where(still, constant(one, STILL), zero)
        hint += where(left <= zero, constant(one, DUE), zero)
        hint += where((fresh > zero) & calm_start, constant(one, CALM), zero)
        poke(lane_rows, HINT * lanes, lane, hint)
        poke(lane_rows, LEFT * lanes, lane, left)
        poke(lane_rows, PEAK * lanes, lane, maximum(peek(lane_rows, PEAK * lanes, lane), spread))
        poke(lane_rows, FRESH * lanes, lane, zero)


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
def judged(own, hint, t, moved, lane, saved, seen, state, before, gradient):
    """Replay the bursts of one lane's last chunk, which began at step t, as far as `hint` asks for.

    Returns outcome, step, size of the last update; `state` (and `before`, one step earlier) belong to it. At
    max_steps without an outcome it is RUNNING with step max_steps.
    """
    lanes = lanes_of(own.mean)
    length = len(state)
    last = int(own.rule.max_steps)
    outcome = RUNNING
    moved_at = moved
    known = 0  # the burst whose first update size is known
    for k in range(BURSTS):
        begin = t + burst_begin(k)
        if begin >= last:
            break
        until = min(t + min(burst_begin(k + 1), CHUNK), last)
        near = seen[3 * k * lanes + lane] <= own.rule.tolerance
        if not (near or hint & (SLOW | LARGE) or until == last or (k == 0 and hint & CALM)):
            continue
        for i in range(length):
            state[i] = saved[(k * length + i) * lanes + lane]
        outcome, step, size = replay(own, state, before, gradient, begin, until, moved_at)
        if outcome == REACHED and step == begin and k > known:
            # reached by the last update of the burst before, whose size is wanted
            for i in range(length):
                state[i] = saved[((k - 1) * length + i) * lanes + lane]
            begin = t + burst_begin(k - 1)
            outcome, step, size = replay(own, state, before, gradient, begin, until, size)
        moved_at = size
        known = k + 1
        if outcome != RUNNING or step == last:
            return outcome, step, moved_at
    return RUNNING, t + CHUNK, moved_at


@inner
def load(problem, starts, point, block, lane, base):
    """Put a start into a lane: parameters, empty memory, and from row `base` on the fields that vary.

    Returns max_steps, or 0 if the start is beyond the limit.
    """
    lanes = lanes_of(problem.mean)
    width = len(problem.theta)
    for k in range(base):
        block[k * lanes + lane] = starts[k, point] if k < width else constant(problem.mean, 0.0)
    for k in range(starts.shape[0] - width):
        block[(base + k) * lanes + lane] = starts[width + k, point]
    rule = bind(problem.rule, block, lanes, lane)
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
        Its varying fields are the rows of `starts` behind the parameters; see `load`.
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
    lanes = lanes_of(problem.mean)
    dtype = starts.dtype
    width = len(problem.theta)
    length = (1 + len(problem.memory)) * width
    points = starts.shape[1]
    base = length + 3 + scratch_rows(problem.x, width)
    zero = constant(problem.mean, 0.0)
    block = np.zeros((base + starts.shape[0] - width) * lanes, dtype)
    saved = np.zeros(BURSTS * length * lanes, dtype)
    seen = np.zeros(3 * BURSTS * lanes, dtype)
    anchor = np.zeros(width * lanes, dtype)  # an earlier state, to notice cycles by
    lane_rows = np.zeros(LANE_ROWS * lanes, dtype)
    owner = np.full(lanes, -1, np.int64)
    first_chunk = np.zeros(lanes, np.int64)
    last_step = np.zeros(lanes, np.int64)  # max_steps
    renew = np.zeros(lanes, np.int64)  # step at which the anchor is set anew
    ask_again = np.zeros(lanes, np.int64)  # step from which a cycle is looked for
    state, before, work = np.zeros(length, dtype), np.zeros(length, dtype), np.zeros(length, dtype)
    gradient = np.zeros(width, dtype)
    following = 0
    busy = 0
    vacant = True
    chunk = 0
    while True:
        if vacant:
            for lane in range(lanes):
                while owner[lane] < 0 and following < points:
                    point = following
                    following += 1
                    last = load(problem, starts, point, block, lane, base)
                    if last == 0:
                        outcomes[point], steps[point] = DIVERGED, 0
                        speeds[point], periods[point] = zero, 0
                        continue
                    owner[lane] = point
                    busy += 1
                    first_chunk[lane] = chunk
                    last_step[lane] = last
                    renew[lane] = CHUNK
                    ask_again[lane] = 0
                    lane_rows[LEFT * lanes + lane] = min(last, CHUNK)
                    lane_rows[FRESH * lanes + lane] = 1
                    lane_rows[SPEED * lanes + lane] = 0
                    lane_rows[PEAK * lanes + lane] = 0
                    for j in range(width):
                        anchor[j * lanes + lane] = starts[j, point]
            if busy == 0:
                return True
            vacant = False
        if cancel[0] != 0:
            return False
        run_chunk(problem, block, saved, seen)
        gather_hints(problem, block, saved, seen, anchor, lane_rows)
        chunk += 1
        for lane in range(lanes):
            if lane_rows[HINT * lanes + lane] == zero or owner[lane] < 0:
                continue
            hint = int(lane_rows[HINT * lanes + lane])
            last = last_step[lane]
            t = (chunk - 1 - first_chunk[lane]) * CHUNK
            now = t + CHUNK
            spread = lane_rows[SPREAD * lanes + lane]
            # a steady drift, over this chunk and since the anchor was set, is no cycle
            drifting = (
                spread >= constant(zero, 8.0) * lane_rows[SPEED * lanes + lane]
                and lane_rows[AWAY * lanes + lane] >= constant(zero, 6.0) * lane_rows[PEAK * lanes + lane]
            )
            if now >= renew[lane]:
                renew[lane] *= 2
                lane_rows[PEAK * lanes + lane] = 0
                for j in range(width):
                    anchor[j * lanes + lane] = block[j * lanes + lane]
            lane_rows[LEFT * lanes + lane] = min(last, renew[lane]) - now
            if hint == DUE and now < last:
                continue
            point = owner[lane]
            own = bound_to(problem, block, lane)
            outcome, step, size = RUNNING, now, zero
            if hint & (NEAR | SLOW | LARGE | CALM) or now >= last:
                outcome, step, size = judged(
                    own, hint, t, lane_rows[MOVED * lanes + lane], lane, saved, seen, state, before, gradient
                )
            period = 1 if outcome == SETTLED else 0
            look = False
            until = last
            if outcome == RUNNING and step == last:
                outcome = last_outcome(own, state, before, last)
                look = outcome in (UNFINISHED, STALLED) and not drifting
            elif outcome == RUNNING and hint & STILL and not hint & SLOW and now >= ask_again[lane]:
                look = True
                until = min(last, now + 4 * int(own.rule.max_period))
                for k in range(length):
                    state[k] = block[k * lanes + lane]
            if look and own.rule.max_period > constant(zero, 1.0):
                found, at, size_at = cycle_of(own, starts[:, point], state, work, gradient, until)
                if at <= until:
                    outcome, step, size, period = CYCLING, at, size_at, found
                    state[:] = work
                elif found > 0:
                    ask_again[lane] = 2 * now
            if outcome != RUNNING:
                for j in range(width):
                    starts[j, point] = state[j]
                outcomes[point], steps[point] = outcome, step
                speeds[point], periods[point] = size, period
                owner[lane] = -1
                busy -= 1
                vacant = True


@inner
def outputs_of(problem, block, i, row):
    """Into row `row` of the block, every lane's output for sample i; into the next, its loss."""
    never_inline()
    use_full_width()
    lanes = lanes_of(problem.mean)
    d = len(problem.theta) - 1
    y = problem.y[i]
    for lane in range(lanes):
        poke(block, row * lanes, lane, peek(block, d * lanes, lane))
    for j in range(d):
        x = problem.x[i * d + j]
        for lane in range(lanes):
            z = fma(peek(block, j * lanes, lane), x, peek(block, row * lanes, lane))
            poke(block, row * lanes, lane, z)
    for lane in range(lanes):
        act = bind(problem.activation, block, lanes, lane)
        loss = bind(problem.loss, block, lanes, lane)
        z = peek(block, row * lanes, lane)
        a = constant(y, act.value(z))
        poke(block, row * lanes, lane, a)
        poke(block, (row + 1) * lanes, lane, constant(y, loss.value(act, z, a, y)))


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
    lanes = lanes_of(problem.mean)
    width = len(problem.theta)
    base = (1 + len(problem.memory)) * width + 3 + scratch_rows(problem.x, width)
    row = base + finals.shape[0] - width  # of an output, its loss
    block = np.zeros((row + 2) * lanes, finals.dtype)
    y = problem.y
    low, high = y[0], y[0]
    for i in range(len(y)):
        low = min(low, y[i])
        high = max(high, y[i])
    middle = low + (high - low) * constant(problem.mean, 0.5)
    points = finals.shape[1]
    for first in range(0, points, lanes):
        count = min(lanes, points - first)
        for lane in range(count):
            load(problem, finals, first + lane, block, lane, base)
            errors[first + lane] = 0
            losses[first + lane] = 0
            learned[first + lane] = 0 if len(y) <= 32 else -1
        for i in range(len(y)):
            outputs_of(problem, block, i, row)
            for lane in range(count):
                a = block[row * lanes + lane]
                error = abs(a - y[i])
                if not error <= errors[first + lane]:  # NaN stays
                    errors[first + lane] = error if not np.isnan(errors[first + lane]) else np.nan
                losses[first + lane] += block[(row + 1) * lanes + lane]
                if len(y) <= 32 and a >= middle:
                    learned[first + lane] |= 1 << i
        for lane in range(count):
            losses[first + lane] = problem.mean * losses[first + lane]

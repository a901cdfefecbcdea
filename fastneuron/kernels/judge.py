"""The rule that says what became of a start, applied to what the lanes have kept of it.

The history of a block is flat; a slot is one step of all its lanes, and has a row of `lanes` numbers for each
parameter, then one for the error |a - y| of that state, then one for the size of the update that led there.
`state` and `other` are parameters of one start, `rule` that which holds for it.
The definitions are those of `fastneuron.outcomes`.
"""

import numpy as np

from fastneuron.elementary import constant, finite, maximum
from fastneuron.kernels.jit import inner, never_inline, use_full_width
from fastneuron.kernels.neuron import bound_to, step, summary_of
from fastneuron.kernels.vectors import lanes_in, lanes_of_block, put, vector_like

CHUNK = 16
RUNNING = -1  # no outcome yet
UNFINISHED, REACHED, SETTLED, CYCLING, DIVERGED, STALLED = range(6)


@inner
def smaller(a, b):
    """The smaller of two whole numbers."""
    return a if a < b else b


@inner
def run_chunk(problem, fields, history, slot, memory, gradient, begin, end):
    """CHUNK steps of the lanes from `begin` to before `end`, the first from the states in `slot`."""
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
        for lane in range(begin, end, count):
            own = bound_to(problem, like, fields, lane, lanes)
            worst, moved = step(
                own, like, history, source + lane, history, target + lane, memory, lane, lanes, gradient
            )
            put(history, source + width * lanes + lane, worst)
            put(history, target + (width + 1) * lanes + lane, moved)


@inner
def largest(state, d):
    """Largest absolute parameter; NaN if one is NaN."""
    size = abs(state[d])
    for j in range(d):
        size = maximum(size, abs(state[j]))
    return size


@inner
def distance(a, b, d):
    """Largest absolute difference of the parameters in `a` and in `b`; NaN if one is NaN."""
    size = abs(a[d] - b[d])
    for j in range(d):
        size = maximum(size, abs(a[j] - b[j]))
    return size


@inner
def error_and_loss(problem, history, slot, fields, lanes, lane, scratch):
    """Largest |a - y|, NaN if one is NaN, and mean loss without the penalty, of a lane in a slot.

    Those of its neighbours in the vector are in `scratch`, errors first.
    """
    count = lanes_in(vector_like(problem.mean))
    group = lane // count * count
    at = slot * (len(problem.theta) + 2) * lanes + group
    summary_of(problem, history, at, fields, group, lanes, problem.mean, scratch)
    return scratch[lane - group], scratch[count + lane - group]


@inner
def remember(history, slot, width, lanes, lane, state):
    """Set the parameters of `state` to those of a lane in a slot."""
    for j in range(width):
        state[j] = history[(slot * (width + 2) + j) * lanes + lane]


@inner
def judged(problem, rule, watch, t, steps, history, slot, fields, lanes, lane, state, scratch):
    """Apply the rule to the states of a lane from step `t`, in `slot`, over `steps` updates.

    Parameters
    ----------
    watch : whether a state may be DIVERGED or SETTLED; REACHED is always looked for
    steps : no more than to max_steps
    state : becomes the state at the step returned

    Returns
    -------
    outcome, step, size of the last update; the outcome is RUNNING where none applied, and then the last state
    is not judged yet
    """
    width = len(problem.theta)
    row = (width + 2) * lanes
    one = constant(problem.mean, 1.0)
    slots = len(history) // row
    for s in range(steps):
        at = slot * row + width * lanes + lane
        error = history[at]
        before = slot
        slot = slot + 1 if slot + 1 < slots else 0
        moved = history[slot * row + (width + 1) * lanes + lane]
        if error <= rule.tolerance:
            remember(history, before, width, lanes, lane, state)
            sure, loss = error, constant(one, 0.0)
            # a loss can only be infinite where an output is far off or the gradient is not finite, which it
            # also is where an error is NaN
            if error > constant(one, 0.5) or not finite(moved):
                sure, loss = error_and_loss(problem, history, before, fields, lanes, lane, scratch)
            if not finite(loss):
                return DIVERGED, t + s, history[at + lanes]
            if sure <= rule.tolerance:
                return REACHED, t + s, history[at + lanes]
        if watch:
            remember(history, slot, width, lanes, lane, state)
            size = largest(state, width - 1)
            gone = not size <= rule.limit
            if gone or moved <= rule.settle * (size if size > one else one):
                # where the parameters are not finite, the loss of the state before says when it ended
                last = before if gone else slot
                error, loss = error_and_loss(problem, history, last, fields, lanes, lane, scratch)
                if gone and not finite(size) and not finite(loss):
                    remember(history, before, width, lanes, lane, state)
                    return DIVERGED, t + s, history[before * row + (width + 1) * lanes + lane]
                if gone or not finite(loss):
                    return DIVERGED, t + s + 1, moved
                return (REACHED if error <= rule.tolerance else SETTLED), t + s + 1, moved
    remember(history, slot, width, lanes, lane, state)
    return RUNNING, t + steps, history[slot * row + (width + 1) * lanes + lane]


@inner
def last_outcome(rule, width, state, before, steps, error, loss):
    """The outcome at max_steps of a start that has none yet; `before` is the state one step earlier."""
    if not finite(loss):
        return DIVERGED
    if error <= rule.tolerance:
        return REACHED
    one = constant(error, 1.0)
    for j in range(width):
        size = abs(state[j])
        drift = constant(error, steps) * abs(state[j] - before[j])
        if not drift <= rule.stall * (size if size > one else one):
            return UNFINISHED
    return STALLED


@inner
def period_of(rule, width, history, slot, lanes, lane, age, state, other):
    """Smallest period with which the state in `slot` has returned, of a start `age` steps old; 0 for none.

    `state` becomes that state; `other` is scratch.
    """
    never_inline()
    slots = len(history) // ((width + 2) * lanes)
    one = constant(rule.settle, 1.0)
    remember(history, slot, width, lanes, lane, state)
    size = largest(state, width - 1)
    close = rule.settle * (size if size > one else one)
    nearest = constant(rule.settle, np.inf)
    for p in range(1, smaller(int(rule.max_period), age) + 1):
        slot = slot - 1 if slot > 0 else slots - 1
        remember(history, slot, width, lanes, lane, other)
        away = distance(state, other, width - 1)
        if p > 1 and away <= close and away <= np.sqrt(rule.settle) * nearest:
            return p
        nearest = nearest if nearest < away else away
    return 0


@inner
def find_cycle(
    problem, rule, starts, point, fields, lanes, lane, period, until, trial, memory, gradient, state, other
):
    """The first step at which a start is CYCLING with `period`, and the size of the update that led there.

    The start is followed again in its lane of another history, `trial`; `state` becomes its parameters at
    that step. The step is `until` + 1 where the cycle is not confirmed by step `until`.
    """
    never_inline()
    count = lanes_in(vector_like(problem.mean))
    group = lane // count * count
    width = len(problem.theta)
    for j in range(width):
        trial[j * lanes + lane] = starts[j, point]
    for j in range(len(memory) // lanes):
        memory[j * lanes + lane] = constant(problem.mean, 0.0)
    one = constant(problem.mean, 1.0)
    row = (width + 2) * lanes
    slots = len(trial) // row
    moved = one
    slot, t, run = 0, 0, 0
    while True:
        run_chunk(problem, fields, trial, slot, memory, gradient, group, group + count)
        for _ in range(CHUNK):
            t += 1
            slot = (slot + 1) % slots
            if t > until:
                return t, moved
            if t < period:
                continue
            moved = trial[slot * row + (width + 1) * lanes + lane]
            remember(trial, slot, width, lanes, lane, state)
            remember(trial, (slot + slots - period) % slots, width, lanes, lane, other)
            size = largest(state, width - 1)
            away = distance(state, other, width - 1)
            run = run + 1 if away <= rule.settle * (size if size > one else one) else 0
            if run > 2 * period:
                nearest = constant(problem.mean, np.inf)
                for q in range(1, period):
                    remember(trial, (slot + slots - q) % slots, width, lanes, lane, other)
                    gap = distance(state, other, width - 1)
                    nearest = nearest if nearest < gap else gap
                if away <= np.sqrt(rule.settle) * nearest:
                    return t, moved

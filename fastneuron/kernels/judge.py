"""The rule that says what became of a start, applied to what the lanes have kept of it.

The history of a block is flat; a slot is one step of all its lanes, and has a row of `lanes` numbers for each
parameter, then one for the error |a - y| of that state, then one for the size of the update that led there.
`own` is the `Problem` with its components bound to one start, `state` its parameters and then its memory.
The definitions are those of `fastneuron.outcomes`.
"""

import numpy as np

from fastneuron.elementary import constant, fma, maximum
from fastneuron.kernels.jit import inner, never_inline
from fastneuron.kernels.neuron import step_one

RUNNING = -1  # no outcome yet
UNFINISHED, REACHED, SETTLED, CYCLING, DIVERGED, STALLED = range(6)


@inner
def largest(state, d):
    """Largest absolute parameter; NaN if one is NaN."""
    size = abs(state[d])
    for j in range(d):
        size = maximum(size, abs(state[j]))
    return size


@inner
def distance(a, b, first, d):
    """Largest absolute difference of the parameters in `a` and in `b` from index `first` on."""
    size = abs(a[d] - b[first + d])
    for j in range(d):
        size = maximum(size, abs(a[j] - b[first + j]))
    return size


@inner
def pre_activation_of(own, state, i):
    """Pre-activation for sample i."""
    d = len(own.theta) - 1
    z = state[d]
    for j in range(d):
        z = fma(state[j], own.x[i * d + j], z)
    return z


@inner
def output_of(own, state, i):
    """Output for sample i."""
    return constant(own.mean, own.activation.value(pre_activation_of(own, state, i)))


@inner
def error_and_loss_of(own, state):
    """Largest |a - y| over the samples, NaN if one is NaN; and their mean loss, without the penalty."""
    never_inline()
    worst = constant(own.mean, 0.0)
    total = constant(own.mean, 0.0)
    for i in range(len(own.y)):
        z = pre_activation_of(own, state, i)
        a = constant(own.mean, own.activation.value(z))
        worst = maximum(worst, abs(a - own.y[i]))
        total += constant(own.mean, own.loss.value(own.activation, z, a, own.y[i]))
    return worst, own.mean * total


@inner
def remember(history, slot, width, lanes, lane, state):
    """Set the parameters of `state` to those of a lane in a slot."""
    for j in range(width):
        state[j] = history[(slot * (width + 2) + j) * lanes + lane]


@inner
def judged(own, watch, t, steps, history, slot, lanes, lane, state):
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
    width = len(own.theta)
    row = (width + 2) * lanes
    one = constant(own.mean, 1.0)
    slots = len(history) // row
    for s in range(steps):
        at = slot * row + width * lanes + lane
        error = history[at]
        before = slot
        slot = slot + 1 if slot + 1 < slots else 0
        moved = history[slot * row + (width + 1) * lanes + lane]
        if error <= own.rule.tolerance:
            remember(history, before, width, lanes, lane, state)
            sure, loss = error, constant(one, 0.0)
            # a loss can only be infinite where an output is far off or the gradient is not finite, which it
            # also is where an error is NaN
            if error > constant(one, 0.5) or not np.isfinite(moved):
                sure, loss = error_and_loss_of(own, state)
            if not np.isfinite(loss):
                return DIVERGED, t + s, history[at + lanes]
            if sure <= own.rule.tolerance:
                return REACHED, t + s, history[at + lanes]
        if watch:
            remember(history, slot, width, lanes, lane, state)
            size = largest(state, width - 1)
            if not size <= own.rule.limit:
                if not np.isfinite(size):
                    earlier = history[before * row + (width + 1) * lanes + lane]
                    remember(history, before, width, lanes, lane, state)
                    if not np.isfinite(error_and_loss_of(own, state)[1]):
                        return DIVERGED, t + s, earlier
                    remember(history, slot, width, lanes, lane, state)
                return DIVERGED, t + s + 1, moved
            if moved <= own.rule.settle * (size if size > one else one):
                error, loss = error_and_loss_of(own, state)
                if not np.isfinite(loss):
                    return DIVERGED, t + s + 1, moved
                return (REACHED if error <= own.rule.tolerance else SETTLED), t + s + 1, moved
    remember(history, slot, width, lanes, lane, state)
    return RUNNING, t + steps, history[slot * row + (width + 1) * lanes + lane]


@inner
def last_outcome(own, state, before, steps, error, loss):
    """The outcome at max_steps of a start that has none yet; `before` is the state one step earlier."""
    if not np.isfinite(loss):
        return DIVERGED
    if error <= own.rule.tolerance:
        return REACHED
    one = constant(own.mean, 1.0)
    for j in range(len(own.theta)):
        size = abs(state[j])
        drift = constant(own.mean, steps) * abs(state[j] - before[j])
        if not drift <= own.rule.stall * (size if size > one else one):
            return UNFINISHED
    return STALLED


@inner
def period_of(own, history, slot, lanes, lane, age, state, other):
    """Smallest period with which the state in `slot` has returned, of a start `age` steps old; 0 for none.

    `state` becomes that state; `other` is scratch.
    """
    never_inline()
    width = len(own.theta)
    slots = len(history) // ((width + 2) * lanes)
    one = constant(own.mean, 1.0)
    remember(history, slot, width, lanes, lane, state)
    size = largest(state, width - 1)
    close = own.rule.settle * (size if size > one else one)
    nearest = constant(own.mean, np.inf)
    for p in range(1, min(int(own.rule.max_period), age) + 1):
        slot = slot - 1 if slot > 0 else slots - 1
        remember(history, slot, width, lanes, lane, other)
        away = distance(state, other, 0, width - 1)
        if p > 1 and away <= close and away <= np.sqrt(own.rule.settle) * nearest:
            return p
        nearest = nearest if nearest < away else away
    return 0


@inner
def find_cycle(own, state, ring, gradient, period, until):
    """The first step at which a start is CYCLING with `period`, and the size of the update that led there.

    `state` is the start, changed in place to the state at that step; `ring` holds `period` past states of
    d + 1 numbers. The step is `until` + 1 where the cycle is not confirmed by step `until`.
    """
    never_inline()
    width = len(own.theta)
    d = width - 1
    one = constant(own.mean, 1.0)
    moved = constant(own.mean, 0.0)
    for j in range(width):
        ring[j] = state[j]
    run = 0
    for t in range(1, until + 1):
        moved = step_one(own, state, gradient)[1]
        slot = (t % period) * width
        if t >= period:
            size = largest(state, d)
            away = distance(state, ring, slot, d)
            run = run + 1 if away <= own.rule.settle * (size if size > one else one) else 0
            if run > 2 * period:
                nearest = constant(own.mean, np.inf)
                for q in range(1, period):
                    other = distance(state, ring, ((t - q) % period) * width, d)
                    nearest = nearest if nearest < other else other
                if away <= np.sqrt(own.rule.settle) * nearest:
                    return t, moved
        for j in range(width):
            ring[slot + j] = state[j]
    return until + 1, moved

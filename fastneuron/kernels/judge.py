"""The rule that says what became of a start, applied exactly, one step at a time.

The lanes run ahead and only gather hints that something may have happened; here it is decided, from a
saved state, by the definitions of `fastneuron.outcomes`. `state` is as in `neuron`; `own` is the `Problem`
with its components bound to one start.
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
def all_finite(state, d):
    """Whether every parameter is finite."""
    sound = True
    for j in range(d + 1):
        sound = sound and np.isfinite(state[j])
    return sound


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
def replay(own, state, before, gradient, t, until, moved):
    """Apply the rule to the states from step `t` to `until`, not yet `until` itself.

    Parameters
    ----------
    state : the state at step t, which was not DIVERGED or SETTLED when it was entered; changed in place to
        the state at the step returned
    before : scratch for one state
    moved : size of the update that led to `state` (0 at t = 0)

    Returns
    -------
    outcome, step, size of the last update; the outcome is RUNNING where none applied before `until`
    """
    d = len(own.theta) - 1
    length = len(state)
    one = constant(own.mean, 1.0)
    while t < until:
        for k in range(length):
            before[k] = state[k]
        worst = step_one(own, state, gradient)
        sound = all_finite(state, d)
        reached = worst <= own.rule.tolerance
        # a loss can only be infinite where an output is far off, or the gradient is not finite
        if (not sound or (reached and worst > constant(own.mean, 0.5))) and not np.isfinite(
            error_and_loss_of(own, before)[1]
        ):
            for k in range(length):
                state[k] = before[k]
            return DIVERGED, t, moved
        if reached:
            for k in range(length):
                state[k] = before[k]
            return REACHED, t, moved
        t += 1
        moved = distance(state, before, 0, d)
        size = largest(state, d)
        if not sound or size > own.rule.limit:
            return DIVERGED, t, moved
        if moved <= own.rule.settle * (size if size > one else one):
            error, loss = error_and_loss_of(own, state)
            if not np.isfinite(loss):
                return DIVERGED, t, moved
            return (REACHED if error <= own.rule.tolerance else SETTLED), t, moved
    return RUNNING, t, moved


@inner
def last_outcome(own, state, before, steps):
    """The outcome at max_steps of a start that has none yet; `before` is the state one step earlier."""
    error, loss = error_and_loss_of(own, state)
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
def period_ahead(own, state, ahead, gradient):
    """Smallest period with which the state returns within the next max_period steps, or 0."""
    never_inline()
    d = len(own.theta) - 1
    one = constant(own.mean, 1.0)
    for k in range(len(state)):
        ahead[k] = state[k]
    size = largest(state, d)
    close = own.rule.settle * (size if size > one else one)
    nearest = constant(own.mean, np.inf)
    for p in range(1, int(own.rule.max_period) + 1):
        step_one(own, ahead, gradient)
        away = distance(ahead, state, 0, d)
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
        step_one(own, state, gradient)
        moved = distance(state, ring, ((t - 1) % period) * width, d)
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

"""The rule that says what became of a start, applied to what the lanes have kept of it.

`state` and `other` are parameters of one start, `rule` that which holds for it. The definitions are those of
`fastneuron.outcomes`, the history is described in `fastneuron.kernels.history`.
"""

import numpy as np

from fastneuron.elementary import constant, finite
from fastneuron.kernels.batching import before_first_epoch
from fastneuron.kernels.block import RUN_CHUNK, SUMMARY, call_part
from fastneuron.kernels.history import CHUNK, distance, largest, remember
from fastneuron.kernels.jit import compact, inner, never_inline
from fastneuron.kernels.recording import MAX_STEPS
from fastneuron.kernels.vectors import lanes_in, vector_like

RUNNING = -1  # no outcome yet
UNFINISHED, REACHED, SETTLED, CYCLING, DIVERGED, STALLED = range(6)


@inner
def advance(block, trial, slot, begin, end):
    """CHUNK steps of some lanes; see `run_chunk`."""
    call_part(block, RUN_CHUNK, (block, trial, slot, begin, end))


@inner
def error_and_loss(block, slot, lane, scratch):
    """Largest |a - y|, NaN if one is NaN, and mean loss without the penalty, of a lane in a slot.

    Those of its neighbours in the vector are in `scratch`, errors first.
    """
    lanes, count = block.lanes, lanes_in(vector_like(block.zero))
    group = lane // count * count
    at = slot * (block.width + 2) * lanes + group
    history, fields = block.history, block.fields
    call_part(block, SUMMARY, (history, at, fields, group, lanes, block.zero, scratch, block.room))
    return scratch[lane - group], scratch[count + lane - group]


@inner
def epoch_of(block, lane):
    """Steps in an epoch of a lane: 1 where every step sees all samples."""
    if block.shuffled == 0:
        return 1
    return int(block.places[(block.shuffled + 1) * block.lanes + lane])


@inner
def count_calm(block, lane, step):
    """Note that the update of `step` was within `settle`; says whether it ends an epoch of such updates."""
    in_a_row = block.calm_steps[lane] + 1 if block.calm_step[lane] == step - 1 else 1
    block.calm_step[lane], block.calm_steps[lane] = step, in_a_row
    epoch = epoch_of(block, lane)
    return in_a_row >= epoch and step % epoch == 0


@inner
def judged(block, rule, watch, t, steps, slot, lane, state):
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
    compact()
    history, width, slots = block.history, block.width, block.slots
    lanes = block.lanes
    row = (width + 2) * lanes
    one = constant(rule.settle, 1.0)
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
            # also is where an error is NaN; and an error may be that of the samples of a batch
            if block.partial != 0 or error > constant(one, 0.5) or not finite(moved):
                sure, loss = error_and_loss(block, before, lane, block.doubt)
            if not finite(loss):
                return DIVERGED, t + s, history[at + lanes]
            if sure <= rule.tolerance:
                return REACHED, t + s, history[at + lanes]
        if watch:
            remember(history, slot, width, lanes, lane, state)
            size = largest(state, width - 1)
            gone = not size <= rule.limit
            if not gone and not finite(moved):  # a sample outside the batch has no finite slope
                error, loss = error_and_loss(block, before, lane, block.doubt)
                if not finite(loss):
                    remember(history, before, width, lanes, lane, state)
                    return DIVERGED, t + s, history[before * row + (width + 1) * lanes + lane]
            calm = moved <= rule.settle * (size if size > one else one)
            if gone or (calm and count_calm(block, lane, t + s + 1)):
                # where the loss of the state before was not finite, that was the end
                last = before if gone else slot
                error, loss = error_and_loss(block, last, lane, block.doubt)
                if gone and not finite(loss):
                    remember(history, before, width, lanes, lane, state)
                    return DIVERGED, t + s, history[before * row + (width + 1) * lanes + lane]
                if gone or not finite(loss):
                    return DIVERGED, t + s + 1, moved
                return (REACHED if error <= rule.tolerance else SETTLED), t + s + 1, moved
    remember(history, slot, width, lanes, lane, state)
    return RUNNING, t + steps, history[slot * row + (width + 1) * lanes + lane]


@inner
def last_outcome(block, rule, slot, lane, steps, error, loss):
    """The outcome at max_steps of a start that has none yet and whose state is in `slot`."""
    compact()
    if not finite(loss):
        return DIVERGED
    if error <= rule.tolerance:
        return REACHED
    history, width, slots = block.history, block.width, block.slots
    lanes = block.lanes
    one = constant(error, 1.0)
    epoch = epoch_of(block, lane)
    for j in range(width):
        size = abs(history[(slot * (width + 2) + j) * lanes + lane])
        most = rule.stall * (size if size > one else one)
        for k in range(min(epoch + steps % epoch, steps)):  # since the last whole epoch began
            after, before = (slot + slots - k) % slots, (slot + slots - k - 1) % slots
            p = history[(after * (width + 2) + j) * lanes + lane]
            change = abs(p - history[(before * (width + 2) + j) * lanes + lane])
            if not constant(error, steps) * change <= most:
                return UNFINISHED
    return STALLED


@inner
def period_of(block, rule, slot, lane, age, state, other):
    """Smallest period with which the state in `slot` has returned, of a start `age` steps old; 0 for none.

    `state` becomes that state; `other` is scratch.
    """
    never_inline()
    compact()
    history, width, slots = block.history, block.width, block.slots
    lanes = block.lanes
    one = constant(rule.settle, 1.0)
    remember(history, slot, width, lanes, lane, state)
    size = largest(state, width - 1)
    close = rule.settle * (size if size > one else one)
    nearest = constant(rule.settle, np.inf)
    for p in range(1, min(int(rule.max_period), age) + 1):
        slot = slot - 1 if slot > 0 else slots - 1
        remember(history, slot, width, lanes, lane, other)
        away = distance(state, other, width - 1)
        if p > 1 and away <= close and away <= np.sqrt(rule.settle) * nearest:
            return p
        nearest = nearest if nearest < away else away
    return 0


@inner
def find_cycle(block, rule, starts, point, lane, period, until, state, other):
    """The first step at which a start is CYCLING with `period`, and the size of the update that led there.

    The start is followed again in its lane of another track; `state` becomes its parameters at that step. The
    step is `until` + 1 where the cycle is not confirmed by step `until`.
    """
    never_inline()
    compact()
    trial, memory, width, slots = block.trial_history, block.trial_memory, block.width, block.slots
    lanes, count = block.lanes, lanes_in(vector_like(block.zero))
    group = lane // count * count
    for j in range(width):
        trial[j * lanes + lane] = starts[j, point]
    if block.shuffled > 0:
        before_first_epoch(block.trial_places, block.trial_epochs, lane, lanes, block.shuffled)
    for j in range(block.memories):
        memory[j * lanes + lane] = block.zero
    for k in range(block.recorded):
        block.trial_sums[k * lanes + lane] = rule.max_steps if k == MAX_STEPS else block.zero
    row = (width + 2) * lanes
    one = constant(block.zero, 1.0)
    moved = one
    slot, t, run = 0, 0, 0
    while True:
        advance(block, 1, slot, group, group + count)
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
                nearest = constant(rule.settle, np.inf)
                for q in range(1, period):
                    remember(trial, (slot + slots - q) % slots, width, lanes, lane, other)
                    gap = distance(state, other, width - 1)
                    nearest = nearest if nearest < gap else gap
                if away <= np.sqrt(rule.settle) * nearest:
                    return t, moved

"""The rule that says what became of a start, applied to what the lanes have kept of it.

`state` is parameters of one start, `rule` that which holds for it. The definitions are those of
`fastneuron.outcomes`, the history is described in `fastneuron.kernels.history`. A state of a chunk is named
by its offset, the steps since the state with which the chunk began.

Not here: which states confirm a cycle (`fastneuron.kernels.cycles`).
"""

from fastneuron.elementary import constant, finite, maximum
from fastneuron.kernels.block import RUN_CHUNK, SUMMARY, call_part
from fastneuron.kernels.history import distance, largest, remember
from fastneuron.kernels.jit import compact, inner, never_inline
from fastneuron.kernels.memory import flat_from
from fastneuron.kernels.vectors import lanes_in, vector_like
from fastneuron.outcomes import Outcome

RUNNING = -1  # no outcome yet
UNFINISHED, REACHED, SETTLED = int(Outcome.UNFINISHED), int(Outcome.REACHED), int(Outcome.SETTLED)
CYCLING, DIVERGED, STALLED = int(Outcome.CYCLING), int(Outcome.DIVERGED), int(Outcome.STALLED)


@inner
def advance(block, slot):
    """CHUNK steps of all lanes; see `run_chunk`."""
    call_part(block, RUN_CHUNK, (block, slot))


@inner
def forget_summaries(block):
    """Begin with another vector or chunk: of none of its states the loss is known."""
    block.summed[0] = 0


@inner
def error_and_loss(block, begin, offset, lane):
    """Largest |a - y|, NaN if one is NaN, and mean loss without the penalty, of a state of a lane.

    Those of its neighbours in the vector are computed with it, and kept until `forget_summaries`.
    """
    compact()
    lanes, count = block.lanes, lanes_in(vector_like(block.zero))
    group = lane // count * count
    scratch = flat_from(block.summaries, 4 * count * offset)
    if block.summed[0] >> offset & 1 == 0:
        block.summed[0] |= 1 << offset
        at = (begin + offset) % block.slots * (block.width + 2) * lanes + group
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
def latest_moves(block, slot, lane, first, last):
    """The largest of the updates from `first` to before `last` steps before the one into `slot`."""
    compact()
    history, width, slots = block.history, block.width, block.slots
    largest_move = block.zero
    for k in range(first, last):
        place = (slot + slots - k) % slots * (width + 2) + width + 1
        largest_move = maximum(largest_move, history[place * block.lanes + lane])
    return largest_move


@inner
def rests_for_an_epoch(block, slot, lane, step):
    """Whether update `step` of a lane, into `slot`, which was within `settle`, ends an epoch at rest.

    That is an epoch of such updates, the largest of which is no larger than the largest of the epoch before.
    """
    never_inline()
    compact()
    in_a_row = block.calm_steps[lane] + 1 if block.calm_step[lane] == step - 1 else 1
    block.calm_step[lane], block.calm_steps[lane] = step, in_a_row
    epoch = epoch_of(block, lane)
    if in_a_row < epoch or step % epoch != 0:
        return False
    before = latest_moves(block, slot, lane, epoch, 2 * epoch) if step > epoch else block.zero
    return latest_moves(block, slot, lane, 0, epoch) <= before


@inner
def judged(block, rule, watch, t, steps, begin, lane, state, other):
    """Apply the rule to the states of a lane from step `t`, in slot `begin`, over `steps` updates.

    Parameters
    ----------
    watch : whether a state may be DIVERGED or SETTLED; REACHED is always looked for
    steps : no more than to max_steps
    state, other : scratch

    Returns
    -------
    outcome, step; the outcome is RUNNING where none applied, and then the last state is not judged yet
    """
    compact()
    history, width, slots = block.history, block.width, block.slots
    lanes = block.lanes
    row = (width + 2) * lanes
    one = constant(rule.settle, 1.0)
    slot, size, sure = begin, one, block.sure[lane]
    last_moved = history[slot * row + (width + 1) * lanes + lane]  # 0 before the first
    if watch:
        remember(history, slot, width, lanes, lane, state)
        size = largest(state, width - 1)
    for s in range(steps):
        error = history[slot * row + width * lanes + lane]
        before = slot
        slot = slot + 1 if slot + 1 < slots else 0
        at = slot * row + (width + 1) * lanes + lane
        moved, after, doubtful = history[at], size, False
        if watch:
            remember(history, slot, width, lanes, lane, state)
            after = largest(state, width - 1)
            doubtful = size > sure or not finite(moved) or not finite(after)
        # the error may be that of the samples of a batch alone
        if doubtful or (block.partial != 0 and error <= rule.tolerance):
            error, loss = error_and_loss(block, begin, s, lane)
            if not finite(loss):
                return DIVERGED, t + s
        if error <= rule.tolerance:
            return REACHED, t + s
        if watch:
            if not finite(after) or not after <= rule.limit:
                return DIVERGED, t + s + 1
            if not finite(moved):  # only the slope of a sample outside the batch was not finite
                remember(history, before, width, lanes, lane, other)
                moved = distance(state, other, width - 1)
                history[at] = moved
            if moved <= rule.settle * (after if after > one else one):
                if block.shuffled == 0:
                    rests = moved <= last_moved
                else:
                    rests = rests_for_an_epoch(block, slot, lane, t + s + 1)
                if rests:
                    error, loss = error_and_loss(block, begin, s + 1, lane)
                    if not finite(loss):
                        return DIVERGED, t + s + 1
                    return (REACHED if error <= rule.tolerance else SETTLED), t + s + 1
            size, last_moved = after, moved
    return RUNNING, t + steps


@inner
def last_outcome(block, rule, slot, lane, steps):
    """UNFINISHED or STALLED: the outcome at max_steps of a start to which nothing else applies, in `slot`."""
    compact()
    if steps == 0:  # no update says how fast it is
        return UNFINISHED
    history, width, slots = block.history, block.width, block.slots
    lanes = block.lanes
    one = constant(rule.stall, 1.0)
    epoch = epoch_of(block, lane)
    for j in range(width):
        size = abs(history[(slot * (width + 2) + j) * lanes + lane])
        most = rule.stall * (size if size > one else one)
        for k in range(min(epoch + steps % epoch, steps)):  # since the last whole epoch began
            after, before = (slot + slots - k) % slots, (slot + slots - k - 1) % slots
            p = history[(after * (width + 2) + j) * lanes + lane]
            change = abs(p - history[(before * (width + 2) + j) * lanes + lane])
            if not constant(one, steps) * change <= most:
                return UNFINISHED
    return STALLED

"""Cycles: whether the states of a chunk return to earlier ones, and which of them confirm a period.

A period p is confirmed at step t when each of the 2p + 1 states up to t is close to the one p steps before.
So not every state has to be compared with every earlier one: p is noticed if it is looked for once in any 2p
steps. Here states are compared with anchors: every fourth state with those 2, 3 and 4 steps later, every
eighth with those 5 to 8 steps later, every sixteenth with those 9 to 16 steps later, and so on.

In most chunks no state can be back at an anchor, as the lanes of a vector went straight on (`goes_on`). Where
one did not, the biases are compared (`note_returns`); where these are close, all parameters; and a period
that is met is looked for by the definition, at every step, from there to 2p steps later (`find_cycles`).

The history is long enough for all of this to be seen: three times the longest period. Steps are counted here
from where the block began, as lanes that are refilled go on with the same chunks.
"""

import numpy as np

from fastneuron.elementary import constant, sqrt
from fastneuron.kernels.block import rule_at
from fastneuron.kernels.history import CHUNK, distance, largest, remember
from fastneuron.kernels.jit import compact, helper, inner, never_inline, use_full_width
from fastneuron.kernels.judge import epoch_of
from fastneuron.kernels.memory import flat_from, take
from fastneuron.kernels.vectors import bits_of, lanes_in, larger, lowest_bit, vector_like


@inner
def back(slot, ago, slots):
    """The slot `ago` steps before one, which may be behind the last."""
    at = slot - ago
    if at >= slots:
        at -= slots
    return at if at >= 0 else at + slots


@helper
def goes_on(block, width, slot, lane, chunk, like, calm, way, near):
    """Lanes of a vector which in a chunk went so straight that no state is back at an anchor, as bits.

    No update is smaller than `calm`, all together are no longer than `way`, and `near` is what counts as
    back. A loop of two updates or more would be missing from the distance between the ends of the chunk; and
    an anchor before it that is met lies between the ends.
    """
    history, slots = block.history, block.slots
    lanes = block.lanes
    row = (width + 2) * lanes
    first = slot * row + lane
    last = first + CHUNK * row if slot + CHUNK < slots else lane
    zero = constant(like, 0.0)
    gone = zero
    for j in range(width):
        end = take(history, last + j * lanes, like)
        gone = larger(gone, abs(end - take(history, first + j * lanes, like)))
    ahead = bits_of(gone + calm + calm > way + near)
    spacing = 2 * CHUNK
    while spacing < 2 * block.longest and ahead != 0:
        ago = steps_since(chunk, spacing)
        if 2 * ago >= spacing:
            at = back(slot, ago, slots) * row + lane
            off = zero
            for j in range(width):
                anchor = take(history, at + j * lanes, like)
                begin, end = take(history, first + j * lanes, like), take(history, last + j * lanes, like)
                off = larger(off, abs(begin - anchor) + abs(end - anchor))
            ahead &= bits_of(off > way + near + near)
        spacing *= 2
    return ahead


@inner
def steps_since(chunk, spacing):
    """Steps to the begin of a chunk from the last anchor of a spacing: a power of two, above a chunk."""
    return (chunk & (spacing // CHUNK - 1)) * CHUNK


@inner
def note_return(block, slot, group, chunk, offset, period):
    """Note whether the state of any lane of a vector at an offset is close to that `period` steps before.

    Not of lanes that have settled by then: these have ended.
    """
    never_inline()
    use_full_width()
    history, width, lanes, slots = block.history, block.width, block.lanes, block.slots
    like = vector_like(block.zero)
    row = (width + 2) * lanes
    now = back(slot + offset, 0, slots) * row + group
    before = back(slot + offset, period, slots) * row + group
    last = back(slot + offset, 1, slots) * row + group
    size, gap = constant(like, 1.0), constant(like, 0.0)
    for j in range(width):
        p = take(history, now + j * lanes, like)
        size = larger(size, abs(p))
        gap = larger(gap, abs(p - take(history, before + j * lanes, like)))
    close = rule_at(block.rules, lanes, group, like).settle * size
    moved = take(history, now + (width + 1) * lanes, like)
    settled = bits_of(moved <= close) & bits_of(moved <= take(history, last + (width + 1) * lanes, like))
    if bits_of(gap <= close) & ~settled & block.alive[group] != 0:
        until = chunk * CHUNK + offset + 2 * period
        block.expected[group // lanes_in(like) * (block.longest + 1) + period] = until
        block.expected_until[group] = max(block.expected_until[group], until)


@helper
def nearest_in_half(history, at, row, end, like, nearest):
    """How near biases up to 8 steps after one at `at` come to the anchors among them; at most `nearest`."""
    anchor, middle = take(history, at, like), take(history, at + 4 * row, like)
    for k in range(2, 5):
        nearest = min(nearest, abs(take(history, at + k * row, like) - anchor))
    for k in range(5, 8):
        bias = take(history, at + k * row, like)
        nearest = min(nearest, abs(bias - anchor))
        if k > 5:
            nearest = min(nearest, abs(bias - middle))
    bias = take(history, end, like)
    return min(min(nearest, abs(bias - anchor)), abs(bias - middle))


@inner
def near_in_chunk(block, slot, group):
    """The lanes of a vector whose bias is back at an anchor of the same chunk, as bits."""
    use_full_width()
    history = block.history
    like = vector_like(block.zero)
    row = (block.width + 2) * block.lanes
    bias = (block.width - 1) * block.lanes + group
    first = slot * row + bias
    half = first + CHUNK // 2 * row
    last = first + CHUNK * row if slot + CHUNK < block.slots else bias
    nearest = nearest_in_half(history, first, row, half, like, constant(like, np.inf))
    nearest = nearest_in_half(history, half, row, last, like, nearest)
    anchor = take(history, first, like)
    for k in range(9, CHUNK):
        nearest = min(nearest, abs(take(history, first + k * row, like) - anchor))
    nearest = min(nearest, abs(take(history, last, like) - anchor))
    return bits_of(nearest <= take(block.near, group, like))


@inner
def near_an_anchor(block, slot, group, ago):
    """The lanes of a vector whose bias is where it was at an anchor `ago` steps before the chunk, as bits."""
    use_full_width()
    history = block.history
    like = vector_like(block.zero)
    row = (block.width + 2) * block.lanes
    bias = (block.width - 1) * block.lanes + group
    first = slot * row + bias
    last = first + CHUNK * row if slot + CHUNK < block.slots else bias
    anchor = take(history, back(slot, ago, block.slots) * row + bias, like)
    nearest = abs(take(history, last, like) - anchor)
    for k in range(1, CHUNK):
        nearest = min(nearest, abs(take(history, first + k * row, like) - anchor))
    return bits_of(nearest <= take(block.near, group, like))


@inner
def note_returns(block, slot, group, chunk):
    """Note the periods with which states of a chunk are back at anchors, in a vector of lanes."""
    never_inline()
    use_full_width()
    longest, alive = block.longest, block.alive[group]
    if near_in_chunk(block, slot, group) & alive != 0:
        for anchor in range(0, CHUNK, 4):
            for period in range(2, min(4, longest) + 1):
                note_return(block, slot, group, chunk, anchor + period, period)
        for anchor in range(0, CHUNK, 8):
            for period in range(5, min(8, longest) + 1):
                note_return(block, slot, group, chunk, anchor + period, period)
        for period in range(9, min(16, longest) + 1):
            note_return(block, slot, group, chunk, period, period)
    spacing = 2 * CHUNK
    while spacing < 2 * longest:
        ago = steps_since(chunk, spacing)
        if 2 * ago >= spacing and near_an_anchor(block, slot, group, ago) & alive != 0:
            for offset in range(1, min(CHUNK, longest - ago) + 1):
                note_return(block, slot, group, chunk, offset, ago + offset)
        spacing *= 2


@inner
def confirmed(block, slot, lane, step, period, state, other):
    """Whether the state of a lane in `slot`, after `step` updates, confirms a cycle."""
    never_inline()
    compact()
    history, width, slots = block.history, block.width, block.slots
    lanes = block.lanes
    rule = rule_at(block.rules, lanes, lane, block.zero)
    if step < 3 * period or step > block.last_step[lane] or period > int(rule.max_period):
        return False
    if epoch_of(block, lane) != 1:
        return False
    one = constant(rule.settle, 1.0)
    away = one
    for k in range(2 * period, -1, -1):  # the oldest is the last to be close when a cycle sets in
        remember(history, (slot + slots - k) % slots, width, lanes, lane, state)
        remember(history, (slot + slots - k - period) % slots, width, lanes, lane, other)
        size = largest(state, width - 1)
        away = distance(state, other, width - 1)
        if not away <= rule.settle * (size if size > one else one):
            return False
    nearest = constant(one, np.inf)
    for q in range(1, period):
        remember(history, (slot + slots - q) % slots, width, lanes, lane, other)
        gap = distance(state, other, width - 1)
        nearest = nearest if nearest < gap else gap
    return away <= sqrt(rule.settle) * nearest


@inner
def find_cycles(block, slot, group, chunk, state, other):
    """The lanes of a vector in which a state of the chunk that began in `slot` confirms a cycle, as bits.

    The offset of the first such state goes to `cycle_step`, its period, the smallest, to `cycle_period`.
    """
    never_inline()
    use_full_width()
    history, width, slots, lanes = block.history, block.width, block.slots, block.lanes
    like = vector_like(block.zero)
    zero = constant(like, 0.0)
    row = (width + 2) * lanes
    most = take(block.near, group, like)
    root = sqrt(rule_at(block.rules, lanes, group, like).settle)
    expected = flat_from(block.expected, group // lanes_in(like) * (block.longest + 1))
    found = 0
    for period in range(2, block.longest + 1):
        until = expected[period] - chunk * CHUNK
        for offset in range(1, min(CHUNK, until) + 1):
            now = back(slot + offset, 0, slots) * row + group
            before = back(slot + offset, period, slots) * row + group
            gap = zero
            for j in range(width):
                difference = take(history, now + j * lanes, like) - take(history, before + j * lanes, like)
                gap = larger(gap, abs(difference))
            # the first of the fewer steps after which the state must be much farther away is the last update
            moved = take(history, now + (width + 1) * lanes, like)
            bits = block.alive[group] & bits_of(gap <= most) & ~bits_of(gap > root * moved)
            while bits != 0:
                lane, bit = group + lowest_bit(bits), bits & -bits
                bits &= bits - 1
                if found & bit != 0 and block.cycle_step[lane] <= offset:
                    continue
                step = (chunk - block.first_chunk[lane]) * CHUNK + offset
                if confirmed(block, (slot + offset) % slots, lane, step, period, state, other):
                    found |= bit
                    block.cycle_step[lane], block.cycle_period[lane] = offset, period
    return found

"""Cycles: whether the states of a chunk return to earlier ones, and which of them confirm a period.

A period p is confirmed at step t when each of the 2p + 1 states up to t is close to the one p steps before. So
not every state has to be compared with every earlier one: p is noticed if it is looked for once in any 2p + 1
steps. Here the states after anchors are: those p = 2, 3, 4 steps after every fourth state, 5 to 8 steps after
every eighth, 9 to 16 after every sixteenth, and so on: the states `spacing` apart serve the periods up to
`spacing`, from behind its half on.

That is cut short twice. The biases of a chunk lie between a smallest and a largest one, found with two
comparisons a step; an anchor outside is none of them (`may_return`). Where one is inside, in any lane of a
vector, the states are compared one by one (`note_returns`), and a period that is met is looked for by the
definition, at every step, from there to 2p steps later (`find_cycles`).

The width of the history lets all of this be seen: three times the longest period. Steps are counted here from
where the block began, as lanes that are refilled go on with the same chunks.
"""

import numpy as np

from fastneuron.elementary import constant, sqrt
from fastneuron.kernels.block import rule_at
from fastneuron.kernels.history import CHUNK, distance, largest, remember
from fastneuron.kernels.jit import compact, helper, inner, never_inline, use_full_width
from fastneuron.kernels.judge import epoch_of
from fastneuron.kernels.memory import take
from fastneuron.kernels.vectors import bits_of, lanes_in, larger, lowest_bit, vector_like

NEAREST = 4  # spacing of the nearest anchors


@helper
def smaller(a, b):
    """The smaller of two numbers; b where one is NaN."""
    return min(b, a)


@helper
def apart(low, high, anchor):
    """How far an anchor is outside a range; negative inside, NaN where the range is."""
    return larger(low - anchor, anchor - high)


@helper
def range_of_half(history, at, row, end, like, least):
    """Compare the states 1 to 8 after one of a chunk, at `at`, with the anchors among them and before.

    Returns `least`, or less where an anchor is less far from a range, and the range of these states.
    """
    anchor, middle = take(history, at, like), take(history, at + 4 * row, like)
    second, third = take(history, at + 2 * row, like), take(history, at + 3 * row, like)
    low, high = smaller(smaller(second, third), middle), larger(larger(second, third), middle)
    least = smaller(least, apart(low, high, anchor))  # 2 to 4 steps later
    first = take(history, at + row, like)
    low, high = smaller(first, low), larger(first, high)
    sixth, seventh = take(history, at + 6 * row, like), take(history, at + 7 * row, like)
    eighth = take(history, end, like)
    low_later = smaller(smaller(sixth, seventh), eighth)
    high_later = larger(larger(sixth, seventh), eighth)
    least = smaller(least, apart(low_later, high_later, middle))
    fifth = take(history, at + 5 * row, like)
    low_later, high_later = smaller(fifth, low_later), larger(fifth, high_later)
    least = smaller(least, apart(low_later, high_later, anchor))  # 5 to 8 steps later
    return least, smaller(low, low_later), larger(high, high_later)


@helper
def may_return(block, width, slot, lane, chunk, like):
    """How far the biases of a vector's lanes stay from all anchors, in the chunk that began in `slot`.

    Not above 0 where one may be back, NaN where one is at the end. `chunk` is the number of the chunk.
    """
    history, slots = block.history, block.slots
    row = (width + 2) * block.lanes
    bias = (width - 1) * block.lanes + lane
    first = slot * row + bias
    last = first + CHUNK * row if slot + CHUNK < slots else bias
    far = constant(like, np.inf)
    half = CHUNK // 2 * row
    least, low, high = range_of_half(history, first, row, first + half, like, far)
    least, low_later, high_later = range_of_half(history, first + half, row, last, like, least)
    least = smaller(least, apart(low_later, high_later, take(history, first, like)))  # 9 to 16 steps later
    low, high = smaller(low, low_later), larger(high, high_later)
    spacing = 2
    while spacing * CHUNK < 2 * block.longest:
        ago = chunk % spacing
        if 2 * ago >= spacing:
            at = slot - ago * CHUNK if slot >= ago * CHUNK else slot - ago * CHUNK + slots
            least = smaller(least, apart(low, high, take(history, at * row + bias, like)))
        spacing *= 2
    return least


@inner
def note_return(block, slot, group, chunk, offset, period):
    """Note where states of a vector of lanes at an offset of the chunk are close to those `period` before."""
    use_full_width()
    history, width, slots, lanes = block.history, block.width, block.slots, block.lanes
    like = vector_like(block.zero)
    now = (slot + offset) % slots * (width + 2) * lanes + group
    before = (slot + slots + offset - period) % slots * (width + 2) * lanes + group
    most = take(block.near, group, like)
    bits = block.alive[group]
    for k in range(width):
        j = (width - 1 - k) * lanes
        gap = abs(take(history, now + j, like) - take(history, before + j, like))
        bits &= bits_of(gap <= most)
        if bits == 0:
            return
    until = chunk * CHUNK + offset + 2 * period
    block.expected[group // lanes_in(like) * (block.longest + 1) + period] = until
    block.expected_until[group] = max(block.expected_until[group], until)


@inner
def note_returns(block, slot, group, chunk):
    """Compare the states of a chunk of a vector of lanes with their anchors, in all parameters."""
    never_inline()
    use_full_width()
    spacing = NEAREST
    while spacing == NEAREST or spacing < 2 * block.longest:
        first = 2 if spacing == NEAREST else spacing // 2 + 1
        if spacing <= CHUNK:
            for anchor in range(0, CHUNK, spacing):
                for period in range(first, min(spacing, block.longest) + 1):
                    note_return(block, slot, group, chunk, anchor + period, period)
        else:
            ago = chunk % (spacing // CHUNK) * CHUNK
            if 2 * ago >= spacing:
                for offset in range(1, min(CHUNK, block.longest - ago) + 1):
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
    found = 0
    for period in range(2, block.longest + 1):
        until = block.expected[group // lanes_in(like) * (block.longest + 1) + period] - chunk * CHUNK
        for offset in range(1, min(CHUNK, until) + 1):
            now = (slot + offset) % slots * row + group
            before = (slot + slots + offset - period) % slots * row + group
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

"""What the lanes have kept: every state of the last steps, and the steps that write it.

The history of a block is flat; a slot is one step of all its lanes, and has a row of `lanes` numbers for each
parameter, then one for the error |a - y| of that state, then one for the size of the update that led there.
The sums over the losses, where these are recorded, are kept beside it (`fastneuron.kernels.recording`).
Slots are a ring: the step after the last slot is in the first.
"""

from fastneuron.elementary import maximum
from fastneuron.kernels.batching import Orders, next_step
from fastneuron.kernels.jit import inner, never_inline, use_full_width
from fastneuron.kernels.memory import put
from fastneuron.kernels.problem import samples_of, step, summary
from fastneuron.kernels.recording import keep_sums
from fastneuron.kernels.vectors import lanes_in, vector_like

CHUNK = 16  # steps between two looks at what may have happened


@inner
def run_chunk(problem, block, slot):
    """CHUNK steps of all lanes, the first from the states in `slot`."""
    never_inline()
    use_full_width()
    history, memory, places, sums = block.history, block.memory, block.places, block.sums
    orders = Orders(places, block.epochs, block.numbers, block.words)
    fields, room = block.fields, block.room
    like = vector_like(problem.mean)
    count = lanes_in(like)
    lanes = block.lanes
    width = len(problem.theta)
    row = (width + 2) * lanes
    last = (block.slots - 1) * row
    for s in range(CHUNK):
        source = (slot + s) * row
        target = source + row if source < last else 0
        kept, keep = (slot + s) * block.recorded * lanes, (slot + s + 1) * block.recorded * lanes
        if source >= last:
            keep = 0
        for lane in range(0, lanes, count):
            next_step(problem.batch, like, fields, orders, lane, lanes, samples_of(problem))
            worst, moved, loss = step(
                problem, like, fields, history, source + lane, history, target + lane,
                memory, lane, lanes, room, places, lane,
            )  # fmt: skip
            keep_sums(problem.record, like, loss, sums, kept + lane, sums, keep + lane, lanes)
            put(history, source + width * lanes + lane, worst)
            put(history, target + (width + 1) * lanes + lane, moved)


@inner
def summary_of(problem, parameters, at, fields, first, stride, middle, scratch, room):
    """The `summary` of a vector of starts, into four vectors of `scratch`."""
    never_inline()
    use_full_width()
    like = vector_like(problem.mean)
    count = lanes_in(like)
    found = summary(problem, like, parameters, at, fields, first, stride, middle, room, None, 0)
    for k in range(4):
        put(scratch, k * count, found[k])


@inner
def remember(history, slot, width, lanes, lane, state):
    """Set the parameters of `state` to those of a lane in a slot."""
    for j in range(width):
        state[j] = history[(slot * (width + 2) + j) * lanes + lane]


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

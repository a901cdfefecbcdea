"""Whole trajectories: every state of a descent, with its error and its loss."""

import numpy as np

from fastneuron.kernels.block import SUMMARY, call_part
from fastneuron.kernels.history import CHUNK
from fastneuron.kernels.jit import compact, inner, kernel, never_inline
from fastneuron.kernels.judge import advance
from fastneuron.kernels.lanes import load
from fastneuron.kernels.vectors import lanes_in, vector_like


@inner
def keep_state(block, slot, here, first, t, parameters, losses, errors):
    """Write the state of the first `here` lanes in a slot, with its error and loss, as step `t` of points."""
    never_inline()
    compact()
    history, scratch, width, lanes = block.history, block.scratch, block.width, block.lanes
    count = lanes_in(vector_like(block.zero))
    row = slot * (width + 2) * lanes
    for j in range(width):
        for lane in range(here):
            parameters[j, t, first + lane] = history[row + j * lanes + lane]
    for group in range(0, here, count):
        fields = block.fields
        call_part(
            block, SUMMARY, (history, row + group, fields, group, lanes, block.zero, scratch, block.room)
        )
        for lane in range(group, min(group + count, here)):
            errors[t, first + lane] = scratch[lane - group]
            losses[t, first + lane] = scratch[count + lane - group]


@kernel
def record(block, starts, numbers, cancel, parameters, losses, errors):
    """Follow each start for as many updates as there is room for, whatever becomes of it.

    Parameters
    ----------
    block : Block
        Made for the problem, which records nothing.
    starts : array, shape (parameters + varying fields, points)
    numbers : array of int64, shape (points,)
        Number of each in its grid, from which its batches are drawn.
    cancel : array of uint8, shape (1,)
        Set to 1 from another thread to make the kernel return soon.
    parameters : array, shape (parameters, steps + 1, points)
        Results; step 0 is the start.
    losses, errors : arrays, shape (steps + 1, points)
        Mean loss without the penalty, and largest |a - y|.
    """
    compact()
    steps, points = parameters.shape[1] - 1, starts.shape[1]
    for first in range(0, points, block.lanes):
        here = min(block.lanes, points - first)
        slot, t = np.int64(0), np.int64(0)
        for lane in range(here):
            load(block, starts, numbers, first + lane, slot, lane)
        keep_state(block, slot, here, first, t, parameters, losses, errors)
        while t < steps:
            if cancel[0] != 0:
                return
            advance(block, slot)
            for s in range(1, min(CHUNK, steps - t) + 1):
                keep_state(block, (slot + s) % block.slots, here, first, t + s, parameters, losses, errors)
            slot, t = (slot + CHUNK) % block.slots, t + CHUNK

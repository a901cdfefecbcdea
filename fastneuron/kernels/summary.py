"""What final parameters amount to: error, loss, and the truth table that they spell."""

from fastneuron.kernels.block import FINISH, SUMMARY, call_part
from fastneuron.kernels.jit import kernel
from fastneuron.kernels.memory import flat_of
from fastneuron.kernels.recording import MAX_STEPS, STEPS_DONE
from fastneuron.kernels.vectors import lanes_in, vector_like

FINISHED_AT_A_TIME = 2**16  # steps that are added between two looks at whether it should give up
NEAR = 16  # parameters up to which their rows, far from each other, are read where they are


@kernel
def summarise(block, middle, finals, errors, losses, learned, sums, cancel):
    """Largest error, loss and spelled truth table of final parameters.

    Parameters
    ----------
    block : Block
    middle : float of the dtype
        From which on an output is high.
    finals : array, shape (d + 1 + varying fields, points)
        As `run_tile` leaves it.
    errors, losses : arrays, shape (points,)
        Largest |a - y|, and mean loss without the penalty.
    learned : array of int64, shape (points,)
        Bit i is set where the output of sample i is high; it says nothing of more than 32 samples, or of
        more than one output.
    sums : array, shape (rows of `fastneuron.kernels.recording`, points, filled up to whole vectors)
        What was recorded; the steps that starts which ended early did not take are added.
    cancel : array of uint8, shape (1,)
        Set to 1 from another thread to make the kernel return soon, with sums that are not whole.
    """
    scratch, tail, width = block.scratch, block.history, block.width
    count = lanes_in(vector_like(block.zero))
    rows, points = finals.shape
    flat = flat_of(finals)
    for first in range(0, points, count):
        here = min(count, points - first)
        if here == count and width <= NEAR:
            at = first + width * points
            call_part(block, SUMMARY, (flat, first, flat, at, points, middle, scratch, block.room))
        else:
            for k in range(rows):
                for lane in range(here):
                    tail[k * count + lane] = finals[k, first + lane]
            call_part(block, SUMMARY, (tail, 0, tail, width * count, count, middle, scratch, block.room))
        left = block.recorded > 0
        while left and cancel[0] == 0:
            call_part(
                block, FINISH, (flat_of(sums), first, sums.shape[1], scratch, count, FINISHED_AT_A_TIME)
            )
            left = False
            for lane in range(count):
                left = left or sums[STEPS_DONE, first + lane] < sums[MAX_STEPS, first + lane]
        for lane in range(here):
            errors[first + lane] = scratch[lane]
            losses[first + lane] = scratch[count + lane]
            learned[first + lane] = int(scratch[2 * count + lane]) | int(scratch[3 * count + lane]) << 16

"""Whole trajectories: every state of a descent, with the arithmetic of `step` for one start at a time."""

from fastneuron.kernels.batching import before_first_epoch, next_step
from fastneuron.kernels.jit import kernel
from fastneuron.kernels.memory import flat_from, flat_of
from fastneuron.kernels.problem import samples_of, step, summary


@kernel
def record(
    problem, starts, points, steps, cancel, state, fields, room, orders, parameters, losses, errors, outputs
):  # fmt: skip
    """Follow each start for `steps` updates.

    Parameters
    ----------
    problem : problem
    starts : array, shape (parameters + varying fields, points)
    points : array of int64, shape (points,)
        Number of each in its grid, from which its batches are drawn.
    cancel : array of uint8, shape (1,)
        Set to 1 from another thread to make the kernel return at once.
    state, fields, room : arrays
        Working memory: (1 + slots) numbers for each parameter; one for each varying field, at least one; what
        the problem needs for a lane.
    orders : Orders
        Of arrays, for one lane; likewise.
    parameters : array, shape (parameters, steps + 1, points)
        Results; step 0 is the start.
    losses, errors : arrays, shape (steps + 1, points)
        Mean loss without the penalty, and largest |a - y|.
    outputs : array, shape (steps + 1, points, samples x outputs)
    """
    width, samples, like = len(problem.theta), samples_of(problem), problem.mean
    numbers, space, out, varying = flat_of(state), flat_of(room), flat_of(outputs), flat_of(fields)
    for point in range(starts.shape[1]):
        for k in range(len(state)):
            state[k] = starts[k, point] if k < width else like - like
        for k in range(starts.shape[0] - width):
            fields[k] = starts[width + k, point]
        before_first_epoch(orders.places, orders.epochs, 0, 1, samples)
        orders.numbers[0] = points[point]
        for t in range(steps + 1):
            if cancel[0] != 0:
                return
            for j in range(width):
                parameters[j, t, point] = state[j]
            to = (t * starts.shape[1] + point) * outputs.shape[2]
            found = summary(problem, like, numbers, 0, varying, 0, 1, like, space, flat_from(out, to), 1)
            errors[t, point], losses[t, point] = found[0], found[1]
            if t < steps:
                next_step(problem.batch, like, varying, orders, 0, 1, samples)
                step(
                    problem, like, varying, numbers, 0, numbers, 0,
                    numbers, width, 1, space, orders.places, 0,
                )  # fmt: skip

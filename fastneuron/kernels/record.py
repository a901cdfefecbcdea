"""Whole trajectories: every state of a descent, with the arithmetic of `neuron`."""

import numpy as np

from fastneuron.elementary import constant
from fastneuron.kernels.jit import kernel
from fastneuron.kernels.judge import error_and_loss_of, output_of
from fastneuron.kernels.neuron import bound_to, step_one


@kernel
def record(problem, starts, steps, parameters, losses, errors, outputs):
    """Follow each start for `steps` updates.

    Parameters
    ----------
    problem : Problem
        Without varying fields.
    starts : array, shape (d + 1, points)
    parameters : array, shape (d + 1, steps + 1, points)
        Results; step 0 is the start.
    losses, errors : arrays, shape (steps + 1, points)
        Mean loss without the penalty, and largest |a - y|.
    outputs : array, shape (steps + 1, points, samples)
    """
    width = len(problem.theta)
    own = bound_to(problem, problem.mean, losses.reshape(losses.size), 0, 0)
    state = np.zeros((1 + len(problem.memory)) * width, starts.dtype)
    gradient = np.zeros(width, starts.dtype)
    for point in range(starts.shape[1]):
        state[:] = constant(problem.mean, 0.0)
        for j in range(width):
            state[j] = starts[j, point]
        for t in range(steps + 1):
            for j in range(width):
                parameters[j, t, point] = state[j]
            errors[t, point], losses[t, point] = error_and_loss_of(own, state)
            for i in range(len(problem.y)):
                outputs[t, point, i] = output_of(own, state, i)
            if t < steps:
                step_one(own, state, gradient)

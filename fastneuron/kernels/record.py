"""Whole trajectories: every state of a descent, with the arithmetic of `neuron`."""

from fastneuron.elementary import constant, fma, maximum
from fastneuron.kernels.batching import before_first_epoch, next_step
from fastneuron.kernels.jit import inner, kernel, never_inline
from fastneuron.kernels.neuron import bound_to, step_one


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


@kernel
def record(problem, starts, steps, cancel, state, scratch, orders, parameters, losses, errors, outputs):
    """Follow each start for `steps` updates.

    Parameters
    ----------
    problem : Problem
        Without varying fields.
    starts : array, shape (d + 1, points)
    cancel : array of uint8, shape (1,)
        Set to 1 from another thread to make the kernel return at once.
    state, scratch : arrays, shapes ((1 + slots) (d + 1),) and (2 (d + 1),)
        Working memory.
    orders : Orders
        Of arrays, for one lane; likewise.
    parameters : array, shape (d + 1, steps + 1, points)
        Results; step 0 is the start.
    losses, errors : arrays, shape (steps + 1, points)
        Mean loss without the penalty, and largest |a - y|.
    outputs : array, shape (steps + 1, points, samples)
    """
    width, samples = len(problem.theta), len(problem.y)
    own = bound_to(problem, problem.mean, state, 0, 0)
    for point in range(starts.shape[1]):
        for k in range(len(state)):
            state[k] = starts[k, point] if k < width else constant(problem.mean, 0.0)
        before_first_epoch(orders.places, orders.epochs, 0, 1, samples)
        orders.numbers[0] = point
        for t in range(steps + 1):
            if cancel[0] != 0:
                return
            for j in range(width):
                parameters[j, t, point] = state[j]
            errors[t, point], losses[t, point] = error_and_loss_of(own, state)
            for i in range(samples):
                outputs[t, point, i] = output_of(own, state, i)
            if t < steps:
                next_step(problem.batch, own.mean, state, orders, 0, 1, samples)
                step_one(own, own.mean, state, scratch, orders.places)

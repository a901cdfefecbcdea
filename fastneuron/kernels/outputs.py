"""Forward passes: the outputs of many neurons for many inputs."""

import numpy as np

from fastneuron.elementary import constant, fma
from fastneuron.kernels.jit import inner, kernel, never_inline, use_full_width
from fastneuron.kernels.records import bind
from fastneuron.kernels.vectors import lanes_in, put, take, vector_like


@inner
def activate(activation, values):
    """Replace every number of a flat array by the activation of it."""
    never_inline()
    use_full_width()
    like = vector_like(values.dtype.type(0))
    count = lanes_in(like)
    act = bind(activation, like, values, 0, 0)
    whole = len(values) // count * count
    for k in range(0, whole, count):
        put(values, k, constant(like, act.value(take(values, k, like))))
    tail = np.zeros(count, values.dtype)
    tail[: len(values) - whole] = values[whole:]
    put(tail, 0, constant(like, act.value(take(tail, 0, like))))
    values[whole:] = tail[: len(values) - whole]


@kernel
def outputs(activation, parameters, x, out):
    """A = activation(bias + sum_j weight_j x_j) for every neuron and sample.

    Parameters
    ----------
    activation : component
    parameters : array, shape (d + 1, neurons)
        Weights, then the bias.
    x : array, shape (samples, d)
    out : array, shape (neurons, samples)
        Results.
    """
    d = x.shape[1]
    for neuron in range(parameters.shape[1]):
        for i in range(x.shape[0]):
            z = parameters[d, neuron]
            for j in range(d):
                z = fma(parameters[j, neuron], x[i, j], z)
            out[neuron, i] = z
    activate(activation, out.reshape(out.size))

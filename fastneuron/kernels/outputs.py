"""Forward passes: the outputs of many neurons for many inputs."""

from fastneuron.elementary import constant, fma
from fastneuron.kernels.jit import inner, kernel, never_inline, use_full_width
from fastneuron.kernels.memory import put, take
from fastneuron.kernels.records import bind
from fastneuron.kernels.vectors import lanes_in, vector_like


@inner
def activate(activation, values):
    """Replace every number of a flat array, of whole vectors, by the activation of it."""
    never_inline()
    use_full_width()
    like = vector_like(values.dtype.type(0))
    count = lanes_in(like)
    act = bind(activation, like, values, 0, 0)
    for k in range(0, len(values), count):
        put(values, k, constant(like, act.value(take(values, k, like))))


@kernel
def outputs(activation, parameters, x, out):
    """A = activation(bias + sum_j weight_j x_j) for every neuron and sample.

    Parameters
    ----------
    activation : component
    parameters : array, shape (d + 1, neurons)
        Weights, then the bias.
    x : array, shape (samples, d)
    out : array, flat
        Results, samples innermost; as many more numbers as fill the last vector.
    """
    samples, d = x.shape
    for neuron in range(parameters.shape[1]):
        for i in range(samples):
            z = parameters[d, neuron]
            for j in range(d):
                z = fma(parameters[j, neuron], x[i, j], z)
            out[neuron * samples + i] = z
    activate(activation, out)

"""Forward passes: the outputs of many neurons for many inputs."""

from fastneuron.elementary import fma
from fastneuron.kernels.jit import kernel, use_full_width
from fastneuron.kernels.records import bind


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
    use_full_width()
    d = x.shape[1]
    for neuron in range(parameters.shape[1]):
        for i in range(x.shape[0]):
            z = parameters[d, neuron]
            for j in range(d):
                z = fma(parameters[j, neuron], x[i, j], z)
            out[neuron, i] = z
    flat = out.reshape(out.size)
    act = bind(activation, flat, 0, 0)
    for k in range(out.size):
        flat[k] = act.value(flat[k])

"""Forward passes: the outputs of many neurons or networks for many inputs."""

from fastneuron.elementary import constant, fma
from fastneuron.kernels.jit import inner, kernel, never_inline, use_full_width
from fastneuron.kernels.memory import flat_of, put, take
from fastneuron.kernels.problem import summary
from fastneuron.kernels.records import bind
from fastneuron.kernels.vectors import lanes_in, vector_like


@inner
def activate(activation, fields, values):
    """Replace every number of a flat array, of whole vectors, by the activation of it."""
    never_inline()
    use_full_width()
    like = vector_like(values.dtype.type(0))
    count = lanes_in(like)
    act = bind(activation, like, fields, 0, count)
    for k in range(0, len(values), count):
        put(values, k, constant(like, act.value(take(values, k, like))))


@kernel
def outputs(activation, fields, parameters, x, out):
    """A = activation(bias + sum_j weight_j x_j) for every neuron and sample.

    Parameters
    ----------
    activation : component
    fields : array, flat
        Those of its fields that are rows: each as often as fills a vector.
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
    activate(activation, flat_of(fields), out)


@inner
def outputs_of(problem, fields, parameters, room, own):
    """Outputs of a vector of networks, of which the parameters lie in rows, into rows of `own`."""
    never_inline()
    use_full_width()
    like = vector_like(problem.mean)
    count = lanes_in(like)
    summary(problem, like, parameters, 0, fields, 0, count, problem.mean, room, own, count)


@kernel
def network_outputs(problem, fields, parameters, tail, room, own, cancel, out):
    """Outputs of networks.

    Parameters
    ----------
    problem : NetworkProblem
        Its samples are the inputs; its targets do not matter, nor components but for the activations.
    fields : array, flat
        The fields that vary: each as often as fills a vector.
    parameters : array, shape (parameters, networks)
    tail, room, own : arrays, flat
        Working memory for the parameters, a forward pass and the outputs of a vector of networks.
    cancel : array of uint8, shape (1,)
        Set to 1 from another thread to make the kernel return soon.
    out : array, shape (networks, samples x outputs)
        Results.
    """
    count = lanes_in(vector_like(problem.mean))
    width, networks = parameters.shape
    for first in range(0, networks, count):
        if cancel[0] != 0:
            return
        here = min(count, networks - first)
        for j in range(width):
            for c in range(here):
                tail[j * count + c] = parameters[j, first + c]
        outputs_of(problem, flat_of(fields), flat_of(tail), flat_of(room), flat_of(own))
        for i in range(out.shape[1]):
            for c in range(here):
                out[first + c, i] = own[i * count + c]

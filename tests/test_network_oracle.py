"""The forward pass and the gradients of the oracle of networks, against derivatives with 50 digits.

Descents, ends and recorded losses are in `test_network_oracle_runs`.
"""

from types import SimpleNamespace

import mpmath as mp
import numpy as np
import pytest

import fastneuron as fn
from fastneuron.activations import activations
from fastneuron.losses import losses
from fastneuron.penalties import penalties

from . import network_oracle
from .network_oracle import Training
from .test_kernels_against_oracle import default

SCALES = ("none", "fan_in", "xavier", "he", "mean_field")

# The formulas once more, of mpmath's numbers. f is the component, a the output, z the pre-activation.
EXACT_OUTPUT = {
    "Sigmoid": lambda f, z: 1 / (1 + mp.exp(-f.gain * z)),
    "Tanh": lambda f, z: mp.tanh(f.gain * z),
    "ReLU": lambda f, z: max(z, mp.mpf(0)),
    "LeakyReLU": lambda f, z: z if z > 0 else f.slope * z,
    "Softplus": lambda f, z: mp.log(1 + mp.exp(z)),
    "SiLU": lambda f, z: z / (1 + mp.exp(-z)),
    "GELU": lambda f, z: z * mp.ncdf(z),
    "HardSigmoid": lambda f, z: min(max(z / 6 + mp.mpf(1) / 2, mp.mpf(0)), mp.mpf(1)),
    "Arctan": lambda f, z: mp.atan(z),
    "Identity": lambda f, z: z,
    "Step": lambda f, z: mp.mpf(int(z >= 0)),
}


def log(a):
    """Natural logarithm; that of 0 counts as -100."""
    return mp.log(a) if a > 0 else mp.mpf(-100)


def huber(f, z, a, y):
    e = abs(a - y)
    return e**2 / 2 if e <= f.delta else f.delta * (e - f.delta / 2)


EXACT_LOSS = {
    "SquaredError": lambda f, z, a, y: f.scale * (a - y) ** 2,
    "AbsoluteError": lambda f, z, a, y: abs(a - y),
    "Huber": huber,
    "CrossEntropy": lambda f, z, a, y: -y * log(a) - (1 - y) * log(1 - a),
    "Hinge": lambda f, z, a, y: max(0, 1 - (2 * y - 1) * z),
    "PerceptronLoss": lambda f, z, a, y: max(0, -(2 * y - 1) * z),
}
EXACT_PENALTY = {"L1": abs, "L2": lambda v: v * v / 2}
EXACT_SCALE = {
    "none": lambda inputs, units, last: mp.mpf(1),
    "fan_in": lambda inputs, units, last: 1 / mp.sqrt(inputs),
    "xavier": lambda inputs, units, last: mp.sqrt(mp.mpf(2) / (inputs + units)),
    "he": lambda inputs, units, last: mp.sqrt(mp.mpf(2) / inputs),
    "mean_field": lambda inputs, units, last: 1 / mp.mpf(inputs) if last else 1 / mp.sqrt(inputs),
}


def exact_loss(network, loss, parameters, x, y, weights):
    """The weighted mean of the samples' losses, number by number."""
    total = mp.mpf(0)
    last = len(network.sizes) - 2
    for sample, targets, weight in zip(x, y, weights, strict=True):
        a = [mp.mpf(v) for v in sample]
        for k, units in enumerate(network.sizes[1:]):
            s = EXACT_SCALE[network.scale](len(a), units, k == last)
            w, b = parameters[f"layer{k}.weight"], parameters.get(f"layer{k}.bias")
            z = [
                s * sum(a[i] * w[i, j] for i in range(len(a))) + (0 if b is None else b[j])
                for j in range(units)
            ]
            activation = network.output if k == last else network.hidden
            a = [EXACT_OUTPUT[type(activation).__name__](activation, v) for v in z]
        value = EXACT_LOSS[type(loss).__name__]
        total += weight * sum(value(loss, z[j], a[j], mp.mpf(targets[j])) for j in range(units))
    return total / len(x)


def exact_gradients(cost, parameters):
    """Central differences of `cost` with 50 digits: exact to 1e-30, away from kinks."""
    with mp.workdps(50):
        h = mp.mpf(10) ** -16
        found = {}
        for name, values in parameters.items():
            found[name] = np.empty(values.shape)
            for place in np.ndindex(values.shape):
                costs = []
                for side in (h, -h):
                    moved = {key: array.astype(object) for key, array in parameters.items()}
                    moved[name][place] = mp.mpf(values[place]) + side
                    costs.append(cost(moved))
                found[name][place] = float((costs[0] - costs[1]) / (2 * h))
        return found


def random_parameters(network, seed, size=1.0):
    rng = np.random.default_rng(seed)
    return {name: size * rng.normal(size=shape) for name, shape in network.shapes.items()}


def data(samples, network, seed, targets="any"):
    """Inputs and targets of several outputs: what a Task is to the oracle."""
    rng = np.random.default_rng(seed)
    shape = (samples, network.sizes[-1])
    y = {
        "any": rng.normal(size=shape),
        "unit": np.clip(rng.uniform(-0.3, 1.3, shape), 0, 1),
        "binary": rng.integers(0, 2, shape).astype(float),
    }[targets]
    return SimpleNamespace(x=rng.normal(size=(samples, network.sizes[0])), y=y)


def check_gradients(network, loss, parameters, task, weights=None):
    """`gradients`, and the loss, are the exact ones; returns the gradients."""
    w = np.ones(len(task.x)) if weights is None else weights
    found = network_oracle.gradients(network, loss, parameters, task.x, task.y, weights)
    expected = exact_gradients(lambda moved: exact_loss(network, loss, moved, task.x, task.y, w), parameters)
    assert found.keys() == expected.keys() == network.shapes.keys()
    for name, values in expected.items():
        assert found[name].shape == network.shapes[name]
        np.testing.assert_allclose(found[name], values, rtol=1e-12, atol=1e-14, err_msg=name)
    if weights is None:
        value = network_oracle.loss_of(network, loss, parameters, task.x, task.y)
        assert value == pytest.approx(
            float(exact_loss(network, loss, parameters, task.x, task.y, w)), rel=1e-13
        )
    return found


def test_every_component_has_an_exact_formula():
    for registry, formulas in (
        (activations, EXACT_OUTPUT),
        (losses, EXACT_LOSS),
        (penalties, EXACT_PENALTY),
    ):
        assert {cls.__name__ for cls in registry.classes.values()} == set(formulas)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("bias", [True, False])
def test_gradients_are_the_derivatives_for_every_scale(scale, bias):
    network = fn.Network((3, 4, 2), hidden=fn.Tanh(1.3), output=fn.Sigmoid(0.8), bias=bias, scale=scale)
    found = check_gradients(
        network, fn.SquaredError(), random_parameters(network, 1), data(3, network, 2, "unit")
    )
    assert all((np.abs(values) > 1e-6).all() for values in found.values())


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("hidden", activations.classes.values(), ids=list(activations.classes))
def test_gradients_are_the_derivatives_for_every_hidden_activation(hidden, bias):
    network = fn.Network((2, 3, 2, 1), hidden=default(hidden), output=fn.Arctan(), bias=bias, scale="fan_in")
    found = check_gradients(network, fn.SquaredError(0.7), random_parameters(network, 3), data(4, network, 4))
    assert (found["layer0.weight"] != 0).any() == (hidden is not fn.Step)


@pytest.mark.parametrize("loss", losses.classes.values(), ids=list(losses.classes))
@pytest.mark.parametrize("output", activations.classes.values(), ids=list(activations.classes))
def test_gradients_are_the_derivatives_for_every_output_and_loss(output, loss):
    network = fn.Network((1, 3, 2), hidden=fn.Sigmoid(), output=default(output), scale="he")
    parameters = random_parameters(network, 5)
    if loss is fn.CrossEntropy and output is not fn.Sigmoid:
        # every output between 0 and 1, where the logarithms exist
        parameters |= {"layer1.weight": parameters["layer1.weight"] / 25, "layer1.bias": np.array([0.3, 0.4])}
    found = check_gradients(network, default(loss), parameters, data(6, network, 6, loss.targets))
    no_slope = output is fn.Step and loss not in (fn.Hinge, fn.PerceptronLoss)
    assert (found["layer1.weight"] != 0).any() != no_slope


def test_gradients_of_weighted_samples_are_those_of_the_weighted_mean():
    network = fn.Network((3, 4, 2), hidden=fn.Softplus())
    parameters, task = random_parameters(network, 7), data(5, network, 8, "unit")
    weights = np.array([2.5, 0.0, 1.25, 0.0, 0.5])
    found = check_gradients(network, fn.CrossEntropy(), parameters, task, weights)
    task.x[1] = np.inf  # of a sample that is not seen nothing matters
    again = network_oracle.gradients(network, fn.CrossEntropy(), parameters, task.x, task.y, weights)
    for name, values in found.items():
        np.testing.assert_array_equal(again[name], values)


def test_forward_pass_by_hand():
    network = fn.Network((2, 1, 2), hidden=fn.ReLU(), output=fn.Identity(), scale="mean_field")
    parameters = {
        "layer0.weight": np.array([[1.0], [3.0]]),
        "layer0.bias": np.array([0.5]),
        "layer1.weight": np.array([[2.0, -4.0]]),
        "layer1.bias": np.array([0.25, 0.0]),
    }
    x = [[1.0, 1.0], [-1.0, 0.0]]
    z0, z1 = network_oracle.pre_activations(network, parameters, x)
    np.testing.assert_allclose(z0[:, 0], [4 / np.sqrt(2) + 0.5, -1 / np.sqrt(2) + 0.5], rtol=1e-15)
    np.testing.assert_allclose(z1[1], [0.25, 0.0], rtol=1e-15)
    h = 4 / np.sqrt(2) + 0.5
    np.testing.assert_allclose(
        network_oracle.outputs(network, parameters, x)[0], [2 * h + 0.25, -4 * h], rtol=1e-15
    )


def test_leading_dimensions_of_the_parameters_are_those_of_the_outputs():
    network = fn.Network((3, 4, 2))
    several = [random_parameters(network, seed) for seed in range(6)]
    x = data(5, network, 0).x
    stacked = {
        name: np.array([p[name] for p in several]).reshape(2, 3, *several[0][name].shape)
        for name in several[0]
    }
    together = network_oracle.outputs(network, stacked, x).reshape(6, 5, 2)
    for k in range(6):
        np.testing.assert_allclose(together[k], network_oracle.outputs(network, several[k], x), rtol=1e-14)


@pytest.mark.parametrize("penalty", [None, fn.L1(0.3, 0.2), fn.L2(0.3, 0.2)], ids=str)
def test_update_follows_loss_and_penalty_with_the_rate_of_its_layer(penalty):
    network = fn.Network((3, 4, 2))
    start, task = random_parameters(network, 9), data(5, network, 10, "unit")

    def cost(moved):
        value = exact_loss(network, fn.CrossEntropy(), moved, task.x, task.y, np.ones(5))
        for name, values in moved.items():
            if penalty is not None:
                strength = penalty.strength if name.endswith("weight") else penalty.bias_strength
                value += strength * sum(map(EXACT_PENALTY[type(penalty).__name__], values.ravel()))
        return value

    rates = (0.25, 4.0)
    training = Training(task, network, fn.CrossEntropy(), [fn.GradientDescent(r) for r in rates], penalty)
    path = network_oracle.descend(training, start, 1)
    for name, slope in exact_gradients(cost, start).items():
        rate = rates[int(name[5])]
        np.testing.assert_allclose(path[name][1], start[name] - rate * slope, rtol=1e-13, atol=1e-13)
    loss_alone = network_oracle.loss_of(network, fn.CrossEntropy(), start, task.x, task.y)
    assert path["loss"][0] == loss_alone
    assert path["error"][0] == np.abs(network_oracle.outputs(network, start, task.x) - task.y).max()

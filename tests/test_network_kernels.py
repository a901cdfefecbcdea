"""The kernels of networks against their oracle: outputs and whole descents.

How the starts of sweeps end is in `test_network_sweeps`. Each combination of component classes and dtype is a
kernel of its own, which takes seconds to compile, so that the tests of networks share combinations.
"""

import itertools

import numpy as np
import pytest

import fastneuron as fn

from . import network_oracle
from .network_oracle import Training
from .test_network_oracle import SCALES, random_parameters

DTYPES = pytest.mark.parametrize("dtype", ["float64", "float32"])


def regression(samples, inputs, outputs, seed=0):
    """Random inputs; targets from 0 to 1, several of which are both."""
    rng = np.random.default_rng(seed)
    y = np.clip(rng.uniform(-0.2, 1.2, (samples, outputs)), 0, 1)
    return fn.Task(rng.normal(size=(samples, inputs)), y)


NETWORKS = [
    ((1, 1), "none", True),
    ((3, 5), "mean_field", False),
    ((1, 1, 1), "fan_in", True),
    ((2, 3, 1), "xavier", True),
    ((17, 1, 3), "he", False),
    ((5, 19, 2), "mean_field", True),
    ((4, 7, 1, 3), "mean_field", False),
    ((1, 33, 6, 5), "fan_in", True),
]


@DTYPES
@pytest.mark.parametrize("samples", [1, 16, 37])
def test_outputs_are_the_oracles(samples, dtype):
    """Whatever the sizes, the scale, the samples and the number of networks."""
    for seed, (sizes, scale, bias) in enumerate(NETWORKS):
        network = fn.Network(sizes, hidden=fn.Tanh(), output=fn.Identity(), bias=bias, scale=scale)
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(samples, sizes[0])).astype(dtype)
        leads = itertools.cycle([(), (3, 1), (5,), (1,)])  # together (3, 5): not whole vectors
        given = {
            name: rng.normal(size=(*lead, *shape)).astype(dtype)
            for (name, shape), lead in zip(network.shapes.items(), leads, strict=False)
        }
        lead = np.broadcast_shapes(*(v.shape[: -len(network.shapes[name])] for name, v in given.items()))
        whole = {name: np.broadcast_to(v, (*lead, *network.shapes[name])) for name, v in given.items()}
        expected = network_oracle.outputs(network, whole, x)
        got = fn.forward(network, given, x)
        assert got.dtype == dtype
        assert got.shape == (*lead, samples, sizes[-1])[: None if sizes[-1] > 1 else -1]
        close = {"float64": 1e-13, "float32": 1e-5}[dtype]
        np.testing.assert_allclose(got.reshape(expected.shape), expected, rtol=close, atol=close)


def test_every_scale_is_the_oracles():
    for scale, bias in itertools.product(SCALES, (True, False)):
        network = fn.Network((3, 4, 5, 2), hidden=fn.Tanh(), output=fn.Identity(), bias=bias, scale=scale)
        parameters, x = random_parameters(network, 1), regression(5, 3, 2).x
        expected = network_oracle.outputs(network, parameters, x)
        np.testing.assert_allclose(fn.forward(network, parameters, x), expected, rtol=1e-13, atol=1e-13)


def test_xor_by_hand():
    """OR and NAND, then AND, with steps; what is not given is 0."""
    network = fn.Network((2, 2, 1), hidden=fn.Step(), output=fn.Step())
    parameters = {
        "layer0.weight": [[1.0, -1.0], [1.0, -1.0]],
        "layer0.bias": [-0.5, 1.5],
        "layer1.weight": [[1.0], [1.0]],
        "layer1.bias": [-1.5],
    }
    xor = fn.tasks.gate("xor")
    assert fn.forward(network, parameters, xor.x).tolist() == xor.y[:, 0].tolist() == [0, 1, 1, 0]
    del parameters["layer1.bias"]
    assert fn.forward(network, parameters, xor.x).tolist() == [1, 1, 1, 1]


Descent = dict[str, object]
FAST: Descent = {"loss": fn.SquaredError(), "optimizer": fn.GradientDescent(0.21)}
CROSS: Descent = {
    "loss": fn.CrossEntropy(),
    "optimizer": fn.Momentum(0.23, 0.6),
    "penalty": fn.L2(0.01, 0.02),
}
DESCENTS = [
    # sizes, hidden, output, how, samples
    ((2, 3, 2), fn.Tanh(), fn.Identity(), FAST, 37),
    ((3, 5, 4, 1), fn.Tanh(1.4), fn.Identity(), FAST, 16),
    ((2, 3, 1), fn.Sigmoid(), fn.Sigmoid(), CROSS | {"batch": fn.MiniBatch(5, 3)}, 37),
    ((3, 1, 2), fn.Sigmoid(1.7), fn.Sigmoid(), CROSS | {"batch": fn.MiniBatch(20, 3)}, 37),
    ((2, 5), fn.Sigmoid(), fn.Sigmoid(0.7), CROSS, 37),
    (
        (4, 6, 3, 2),
        fn.Softplus(),
        fn.Tanh(),
        {"loss": fn.Huber(0.5), "optimizer": fn.AdamW(0.02), "penalty": fn.L1(0.01)},
        19,
    ),
]


def check_descent(sizes, hidden, output, how, samples, dtype, bias=True, scale="fan_in"):
    network = fn.Network(sizes, hidden=hidden, output=output, bias=bias, scale=scale)
    task = regression(samples, sizes[0], sizes[-1])
    several = [random_parameters(network, seed) for seed in range(2)]
    start = {name: np.array([one[name] for one in several]) for name in several[0]}
    path = fn.descend(task, network, **how, start=start, steps=200, dtype=dtype)
    close = {"float64": 1e-10, "float32": 2e-3}[dtype]
    for k in range(2):
        expected = network_oracle.descend(Training(task, network, **how, dtype=dtype), several[k], 200, k)
        first, last = (expected["layer0.weight"][t] for t in (0, -1))
        assert np.abs(last - first).max() > 0.02  # it has moved
        for name, values in expected.items():
            ours = path[name].isel(start=k).values
            assert ours.dtype == dtype
            np.testing.assert_allclose(
                ours.reshape(values.shape), values, rtol=close, atol=close, err_msg=f"{name} of start {k}"
            )


@pytest.mark.parametrize("sizes, hidden, output, how, samples", DESCENTS)
def test_descents_are_the_oracles(sizes, hidden, output, how, samples):
    check_descent(sizes, hidden, output, how, samples, "float64")


def test_descents_in_float32_are_the_oracles():
    for sizes, hidden, output, how, samples in DESCENTS[:2]:
        check_descent(sizes, hidden, output, how, samples, "float32")


@pytest.mark.parametrize("scale", SCALES)
def test_descents_of_every_scale_with_and_without_biases(scale):
    for bias in (True, False):
        check_descent((3, 2, 5, 1), fn.Tanh(), fn.Identity(), FAST, 5, "float64", bias, scale)


def test_descent_that_says_what_becomes_of_its_starts():
    """With `stop` the states are held from the end on; ends are the oracle's."""
    network = fn.Network((2, 3, 2), hidden=fn.Tanh(), output=fn.Identity())
    task, stop = regression(37, 2, 2), fn.Stop(max_steps=60, tolerance=0.0, settle=3e-3)
    several = [random_parameters(network, seed) for seed in range(4)]
    start = {name: np.array([one[name] for one in several]) for name in several[0]}
    path = fn.descend(task, network, **FAST, start=start, steps=80, stop=stop)
    steps = []
    for k in range(4):
        end = network_oracle.run(Training(task, network, **FAST, stop=stop), several[k], k)
        got = path.isel(start=k)
        assert (got.outcome, got.ended, got.period) == (end["outcome"], end["steps"], end["period"])
        for name in network.parameters:
            np.testing.assert_allclose(got[name].values[-1], end[f"final_{name}"], rtol=1e-10, atol=1e-12)
        steps.append(end["steps"])
    assert min(steps) < 60

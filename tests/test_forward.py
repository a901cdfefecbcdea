"""Forward passes: any number of neurons, any number of inputs, against the formula written out."""

import numpy as np
import pytest

import fastneuron as fn
from fastneuron.activations import activations

from . import oracle


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("activation", activations.classes.values(), ids=list(activations.classes))
def test_outputs_are_the_oracles(activation, dtype):
    rng = np.random.default_rng(3)
    weights, bias = rng.normal(size=(3, 7)).astype(dtype), rng.normal(size=7).astype(dtype)
    x = rng.normal(size=(11, 3)).astype(dtype)
    model = fn.Neuron(3, activation())
    parameters = {f"weight_{j}": weights[j] for j in range(3)} | {"bias": bias}
    got = fn.forward(model, parameters, x)
    assert got.shape == (7, 11) and got.dtype == dtype
    own = model.activation._asdict()
    fields = {("activation", name): np.asarray(value, dtype) for name, value in own.items()}
    z = (x @ weights + bias).T
    expected, _ = oracle.output_and_slope(activation.__name__, fields, z)
    close = {"float64": 1e-13, "float32": 2e-6}[dtype]
    np.testing.assert_allclose(got, expected, rtol=close, atol=close)


def test_parameters_broadcast_and_lead_the_shape():
    weight, bias = np.linspace(-2, 2, 5)[:, None], np.linspace(-1, 1, 3)
    got = fn.forward(fn.Neuron(), {"weight": weight, "bias": bias}, x=[0, 0.5, 1, 2])
    x = np.array([0, 0.5, 1, 2])
    np.testing.assert_allclose(got, 1 / (1 + np.exp(-(weight[..., None] * x + bias[..., None]))), rtol=1e-14)
    assert fn.forward(fn.Neuron(), {}, x=0.0).tolist() == [0.5]


def test_how_the_inputs_lie_in_memory_does_not_matter():
    x = np.arange(24.0).reshape(8, 3) / 24
    model, parameters = fn.Neuron(3), {"weight_0": 0.5, "weight_1": np.array([-1.0, 2.0]), "bias": 0.1}
    plain = fn.forward(model, parameters, x)
    np.testing.assert_array_equal(fn.forward(model, parameters, np.asfortranarray(x)), plain)
    np.testing.assert_array_equal(fn.forward(model, parameters, x[::-2]), plain[:, ::-2])
    wide = np.zeros((8, 6))
    wide[:, ::2] = x
    np.testing.assert_array_equal(fn.forward(model, parameters, wide[:, ::2]), plain)
    every = np.broadcast_to(x[0], (4, 3))
    np.testing.assert_array_equal(fn.forward(model, parameters, every), np.repeat(plain[:, :1], 4, axis=1))


@pytest.mark.parametrize(
    "parameters, x, message",
    [
        ({"wieght": 1.0}, [0.0], r"unknown parameter 'wieght' \(did you mean 'weight'\?\)"),
        ({"weight": "a"}, [0.0], "weight must be numbers, got 'a'"),
        ({"weight": np.nan}, [0.0], "weight must be a finite number, got nan"),
        ({"weight": [1.0, 2.0], "bias": [1.0, 2.0, 3.0]}, [0.0], "parameters must broadcast together"),
        ({}, [[0.0, 1.0]], r"x must have shape \(samples, 1\) for 1 inputs, got \(1, 2\)"),
        ([1.0], [0.0], "parameters must be a dict"),
    ],
)
def test_wrong_values_are_refused_in_one_line(parameters, x, message):
    with pytest.raises(ValueError, match=message):
        fn.forward(fn.Neuron(), parameters, x)

"""The two programs of the trainability study, which share nothing, give the same."""

import numpy as np

import fastneuron as fn

from . import network_oracle
from .network_oracle import Training
from .trainability_oracle import CLIP, LATE, trainability

STEPS = 60


def study(width):
    """Weights and as many samples as weights, all standard normal."""
    rng = np.random.default_rng(2024)
    samples = width * width + width
    shapes = [(width, width), (width, 1), (samples, width), (samples, 1)]
    return [rng.normal(size=shape) for shape in shapes]


def check(w0, w1, x, y, rates0, rates1):
    """Hold every pixel to the oracle of networks; returns them."""
    pixels = trainability(w0, w1, x, y, rates0, rates1, STEPS)
    hidden, output = fn.Tanh(np.sqrt(2)), fn.Identity()
    network = fn.Network((*w0.shape, 1), hidden=hidden, output=output, bias=False, scale="mean_field")
    # no end but that of a state that is not finite, or that does not move at all
    stop = fn.Stop(max_steps=STEPS, tolerance=0.0, settle=0.0, max_period=1, limit=1e308)
    for i, rate0 in enumerate(rates0):
        for j, rate1 in enumerate(rates1):
            rates = [fn.GradientDescent(rate0), fn.GradientDescent(rate1)]
            training = Training(fn.Task(x, y), network, fn.SquaredError(scale=1.0), rates, stop=stop)
            losses = network_oracle.recorded_losses(training, {"layer0.weight": w0, "layer1.weight": w1})
            expected = network_oracle.reduced_losses(losses, last=LATE, clip=CLIP, relative=True)
            for name, values in (
                ("total", pixels.total),
                ("inverse_total", pixels.inverse_total),
                ("mean", pixels.late_mean),
            ):
                np.testing.assert_allclose(values[i, j], expected[name], rtol=1e-9, err_msg=f"{name} {i} {j}")
    np.testing.assert_array_equal(pixels.converged, pixels.late_mean < 1)
    np.testing.assert_array_equal(
        pixels.shade, np.where(pixels.converged, -pixels.total, pixels.inverse_total)
    )
    return pixels


def test_trainability_is_that_of_the_oracle_of_networks():
    pixels = check(*study(3), [0.01, 1.0, 30.0, 1e3], [0.1, 3.0, 20.0, 1e3, 1e200])
    assert pixels.converged.any() and not pixels.converged.all()


def test_pixels_of_no_learning_and_of_blow_up():
    """Rates of nearly 0 leave the loss at the first, 1; huge ones clip all that follow."""
    pixels = trainability(*study(4), [1e-300], [1e-300, 1e200], 50)
    np.testing.assert_allclose(pixels.total[0], [50, 1 + 49 * CLIP], rtol=1e-12)
    np.testing.assert_allclose(pixels.inverse_total[0], [50, 1 + 49 / CLIP], rtol=1e-12)
    np.testing.assert_allclose(pixels.late_mean[0], [1, CLIP], rtol=1e-12)
    assert not pixels.converged.any()

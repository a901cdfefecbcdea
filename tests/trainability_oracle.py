"""The trainability study (Sohl-Dickstein 2024) said once more, of its one network and nothing else.

Two layers without biases: h = tanh(sqrt(2) x W0 / sqrt(n)), a = h W1 / n; the loss is the mean of (a - y)^2;
gradient descent over all samples with a learning rate for each layer. A whole grid of learning rates at
once: W0 is (rates0, rates1, inputs, n), W1 (rates0, rates1, n, 1). It shares nothing with `network_oracle`.
"""

from typing import NamedTuple

import numpy as np

CLIP = 1e6
LATE = 20


class Trainability(NamedTuple):
    """What the study records at every pixel, arrays (rates0, rates1).

    total, inverse_total : the sums of the losses c_t and of 1 / c_t
    late_mean : the mean of the last 20
    converged : whether that is below 1
    shade : -total where it is, inverse_total elsewhere
    """

    total: np.ndarray
    inverse_total: np.ndarray
    late_mean: np.ndarray
    converged: np.ndarray
    shade: np.ndarray


@np.errstate(all="ignore")
def trainability(w0, w1, x, y, rates0, rates1, steps):
    """The study in float64: w0 (inputs, n), w1 (n, 1), x (samples, inputs), y (samples, 1).

    The losses l_0 .. l_(steps - 1) are each taken before its update; c_t = min(l_t / l_0, 1e6). A pixel whose
    loss was not finite once is lost: c_t is 1e6 from there on.
    """
    inputs, n = w0.shape
    grid = (len(rates0), len(rates1))
    rates0, rates1 = np.reshape(rates0, (-1, 1, 1, 1)), np.reshape(rates1, (1, -1, 1, 1))
    w0, w1 = np.broadcast_to(w0, (*grid, inputs, n)), np.broadcast_to(w1, (*grid, n, 1))
    losses = np.empty((steps, *grid))
    lost = np.zeros(grid, bool)
    for t in range(steps):
        h = np.tanh(np.sqrt(2) * (x @ w0) / np.sqrt(inputs))
        e = h @ w1 / n - y
        losses[t] = (e**2).mean(axis=(2, 3))
        lost |= ~np.isfinite(losses[t])
        losses[t][lost] = np.nan

        in_a = 2 * e / len(x)
        in_z = in_a @ w1.swapaxes(2, 3) / n * np.sqrt(2) * (1 - h**2)
        slope0, slope1 = x.T @ in_z / np.sqrt(inputs), h.swapaxes(2, 3) @ in_a / n
        w0, w1 = w0 - rates0 * slope0, w1 - rates1 * slope1
    r = losses / losses[0]
    c = np.where(np.isfinite(r), np.minimum(r, CLIP), CLIP)
    total, inverse_total, late_mean = c.sum(axis=0), (1 / c).sum(axis=0), c[-LATE:].mean(axis=0)
    converged = late_mean < 1
    shade = np.where(converged, -total, inverse_total)
    return Trainability(total, inverse_total, late_mean, converged, shade)

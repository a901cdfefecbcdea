"""Optimizers that descend nothing: they play states of which it is known when they return."""

from typing import Annotated

import numpy as np

import fastneuron as fn
from fastneuron.components import Bound
from fastneuron.elementary import constant, where

Number = Annotated[float, Bound("any number")]


@fn.component
class Orbit(fn.Optimizer):
    """A drift; from update `delay` on, for `stay` updates, `period` places in turn; then a drift again.

    Places are added to the start; they differ by about `size`, and round after round by `slip`. A parameter
    of which the gradient is 0 stays where it is.
    """

    period: Number = 3.0
    delay: Number = 0.0
    stay: Number = 1e9
    size: Number = 1.0
    drift: Number = 0.125
    slip: Number = 0.0

    slots = 2

    def step(self, parameter, gradient, memory):
        one = constant(parameter, 1.0)
        zero = constant(parameter, 0.0)
        t, kept = memory
        start = where(t == zero, parameter, kept)
        k = t - self.delay
        turns = np.floor(k / self.period)
        phase = k - turns * self.period
        # 1, 3, 7, 13, ...: no two places in a row are as far apart as the two before
        place = self.size * (phase * (phase + one) + one) + turns * self.slip
        inside = where(k < self.stay, place, self.drift * (k - self.stay) + self.drift)
        new = start + where(k < zero, self.drift * k, inside)
        return (where(gradient == zero, parameter, new), t + one, start)


@fn.component
class Logistic(fn.Optimizer):
    """p becomes rate p (1 - p): cycles of every period, and states that linger near unstable ones."""

    rate: Number = 3.2

    slots = 0

    def step(self, parameter, gradient, memory):
        return (self.rate * parameter * (constant(parameter, 1.0) - parameter),)

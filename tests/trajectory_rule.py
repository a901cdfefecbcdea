"""How whole trajectories end: docs/outcomes.md once more, for all steps and all starts at once.

Nothing is taken from the package but the codes of the outcomes, and nothing from `outcome_oracle`, which is
shown one state after the other. Every comparison is made in the dtype of the states.

Letters: theta (steps + 1, parameters, points) are the states, t from 0 on; loss and error (steps + 1, points)
are those of the states; `epoch` is the number of steps in an epoch, the same for all points.
"""

from typing import NamedTuple

import numpy as np

from fastneuron.outcomes import Outcome

SETTLE = {"float64": 1e-12, "float32": 2.5e-7}


class Ends(NamedTuple):
    """What became of the points: arrays (points)."""

    outcome: np.ndarray
    steps: np.ndarray
    period: np.ndarray
    speed: np.ndarray


class Trajectories:
    """States judged by a rule; `ends(m)` says what becomes of them with max_steps = m."""

    def __init__(self, theta, loss, error, stop, epoch=1):
        self.theta, self.loss, self.error, self.epoch = theta, loss, error, epoch
        number = theta.dtype.type
        with np.errstate(all="ignore"):
            self.tolerance, self.limit, self.stall = (
                number(getattr(stop, name)) for name in ("tolerance", "limit", "stall")
            )
            self.settle = number(SETTLE[theta.dtype.name] if stop.settle is None else stop.settle)
            self.one = number(1)
            self.change = np.concatenate([np.zeros_like(theta[:1]), np.abs(np.diff(theta, axis=0))])
            self.move = self.change.max(axis=1)
            self.size = np.abs(theta).max(axis=1)
            self.close = self.settle * np.maximum(self.one, self.size)
            cycling, period = self._cycles(min(stop.max_period, (len(theta) - 1) // 3))
            held = {  # the first in this list counts
                Outcome.DIVERGED: self._diverged(),
                Outcome.REACHED: error <= self.tolerance,
                Outcome.SETTLED: self._settled(),
                Outcome.CYCLING: cycling,
            }
        every = np.select(list(held.values()), [int(code) for code in held], -1)
        decided = every >= 0
        self.first = np.where(decided.any(axis=0), decided.argmax(axis=0), len(theta))
        here = np.minimum(self.first, len(theta) - 1), np.arange(theta.shape[2])
        self.outcome = every[here]
        self.period = np.where(self.outcome == Outcome.CYCLING, period[here], self.outcome == Outcome.SETTLED)

    def _diverged(self):
        finite = np.isfinite(self.theta).all(axis=1) & np.isfinite(self.loss)
        return ~finite | (self.size > self.limit)

    def _settled(self):
        """A whole epoch of updates that are none, no larger than the epoch before."""
        found = np.zeros(self.move.shape, bool)
        calm, none = self.move <= self.close, np.zeros_like(self.move[:1])
        for t in range(self.epoch, len(self.move), self.epoch):
            last = slice(t - self.epoch + 1, t + 1)
            before = self.move[t - 2 * self.epoch + 1 : t - self.epoch + 1] if t > self.epoch else none
            found[t] = calm[last].all(axis=0) & (self.move[last].max(axis=0) <= before.max(axis=0))
        return found

    def _cycles(self, longest):
        """Where the definition of CYCLING holds, and with which period."""
        shape = self.move.shape
        found, period = np.zeros(shape, bool), np.zeros(shape, int)
        if self.epoch > 1:
            return found, period
        nearest = np.full(shape, np.inf, self.theta.dtype)
        root = np.sqrt(self.settle)
        for p in range(1, longest + 1):
            gap = np.full(shape, np.nan, self.theta.dtype)
            gap[p:] = np.abs(self.theta[p:] - self.theta[:-p]).max(axis=1)
            if p > 1:
                count = np.cumsum(gap <= self.close, axis=0)
                confirmed = np.zeros(shape, bool)
                # of the states t - 2p .. t; the earliest that has one p steps before is p
                confirmed[3 * p :] = count[3 * p :] - count[p - 1 : len(count) - 2 * p - 1] == 2 * p + 1
                new = confirmed & (gap <= root * nearest) & ~found
                found |= new
                period[new] = p
            nearest = np.fmin(nearest, gap)
        return found, period

    def ends(self, max_steps):
        """What becomes of every point when the steps run out at `max_steps`, no more than were followed."""
        points = np.arange(self.theta.shape[2])
        over = self.first > max_steps
        since = min(self.epoch + max_steps % self.epoch, max_steps)
        drift = self.change[max_steps - since + 1 : max_steps + 1].max(axis=0, initial=0)
        with np.errstate(all="ignore"):
            ahead = self.theta.dtype.type(max_steps) * drift
            slow = ahead <= self.stall * np.maximum(self.one, np.abs(self.theta[max_steps]))
        stalled = slow.all(axis=0) & (max_steps > 0)
        last = np.where(stalled, int(Outcome.STALLED), int(Outcome.UNFINISHED))
        steps = np.where(over, max_steps, self.first)
        return Ends(
            np.where(over, last, self.outcome),
            steps,
            np.where(over, 0, self.period),
            self.move[steps, points],
        )

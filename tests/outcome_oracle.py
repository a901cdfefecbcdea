"""The rule that says when a start ends and what became of it: the definitions of `fastneuron.outcomes`.

It is shown one state after the other, from theta_0 on, and does not know what descends: a state is a column
of `theta` (parameters, points), with its loss and its error.
"""

import numpy as np

OUTCOMES = {"UNFINISHED": 0, "REACHED": 1, "SETTLED": 2, "CYCLING": 3, "DIVERGED": 4, "STALLED": 5}
DEFAULT_SETTLE = {"float64": 1e-12, "float32": 2.5e-7}


def filled_in(stop, dtype):
    """`stop` with the dtype's default for the closeness that it leaves open."""
    return stop._replace(settle=DEFAULT_SETTLE[str(dtype)]) if stop.settle is None else stop


class Rule:
    """Watches points that descend together.

    `stop` maps the names of the fields of a Stop to their values at every point, `epoch` (points) is the
    number of steps in an epoch, `theta` the starts.
    """

    def __init__(self, stop, epoch, theta):
        n_parameters, points = theta.shape
        longest = int(stop["max_period"].max())
        lately = 2 * int(epoch.max())
        self.stop, self.epoch, self.t = stop, epoch, 0
        self.past = np.full((longest, *theta.shape), np.nan, theta.dtype)  # past[p - 1] is theta_(t-p)
        self.run_length = np.zeros((longest, points), np.int64)  # states in a row that returned after p steps
        self.recent = np.full((lately, *theta.shape), np.nan, theta.dtype)  # the last updates
        self.calm = np.zeros((lately, points), bool)  # whether they were none

    @np.errstate(all="ignore")
    def look(self, theta, loss, error):
        """Outcome (-1: it goes on), period and speed of every point at theta_t, for t = 0, 1, ..."""
        stop, t = self.stop, self.t
        size = np.abs(theta).max(axis=0)
        closeness = stop["settle"] * np.maximum(1, size)
        change = np.abs(theta - self.past[0])
        move = change.max(axis=0)
        rests, drift = self._rest(change, move <= closeness)
        cycle = self._cycle(theta, closeness)

        finite = np.isfinite(theta).all(axis=0) & np.isfinite(loss)
        last = t >= stop["max_steps"]
        slow = (t * drift <= stop["stall"] * np.maximum(1, np.abs(theta))).all(axis=0) & (t > 0)
        ends = {
            "DIVERGED": ~finite | (size > stop["limit"]),
            "REACHED": error <= stop["tolerance"],
            "SETTLED": rests,
            "CYCLING": cycle.any(axis=0),
            "STALLED": last & slow,
            "UNFINISHED": last,
        }
        outcome = np.full(theta.shape[1], -1)
        for name in reversed(ends):  # of several the first counts
            outcome[ends[name]] = OUTCOMES[name]
        period = np.where(outcome == OUTCOMES["CYCLING"], cycle.argmax(axis=0) + 1, 0)
        period = np.where(outcome == OUTCOMES["SETTLED"], 1, period)
        self.past = np.concatenate([theta[None], self.past[:-1]])
        self.t += 1
        return outcome, period, move if t > 0 else np.zeros_like(move)

    def _rest(self, change, calm):
        """Which points are at rest, and the largest of the updates that say how fast they are.

        A state rests if all updates of an epoch were calm, the largest no larger than that of the epoch
        before; before the first nothing moves. Its speed is that since the last whole epoch began.
        """
        if self.t > 0:
            self.recent = np.concatenate([change[None], self.recent[:-1]])
            self.calm = np.concatenate([calm[None], self.calm[:-1]])
        ago = np.arange(len(self.recent))[:, None]
        updates = np.where(np.isnan(self.recent), 0, self.recent)
        moves = updates.max(axis=1)
        now = np.where(ago < self.epoch, moves, 0).max(axis=0)
        before = np.where((ago >= self.epoch) & (ago < 2 * self.epoch), moves, 0).max(axis=0)
        rests = (self.calm | (ago >= self.epoch)).all(axis=0) & (self.t > 0) & (self.t % self.epoch == 0)
        since = ago < self.epoch + self.t % self.epoch
        drift = np.where(since[:, None], updates, 0).max(axis=0)
        return rests & (now <= before), drift

    def _cycle(self, theta, closeness):
        """Whether theta_t confirms a cycle, by period (from 1) and point."""
        gap = np.abs(theta - self.past).max(axis=1)
        self.run_length = np.where(gap <= closeness, self.run_length + 1, 0)
        if self.run_length.max() < 5:  # too few states even for period 2
            return np.zeros(gap.shape, bool)
        # how near the state comes after fewer steps than p
        nearest = np.concatenate([np.full_like(gap[:1], np.inf), np.minimum.accumulate(gap)[:-1]])
        periods = np.arange(1, len(gap) + 1)[:, None]
        return (
            (periods >= 2)
            & (periods <= self.stop["max_period"])
            & (self.run_length >= 2 * periods + 1)
            & (gap <= np.sqrt(self.stop["settle"]) * nearest)
            & (self.epoch == 1)
        )

    def keep(self, which):
        """Go on with the points where `which` only."""
        for name in ("past", "run_length", "recent", "calm", "epoch"):
            setattr(self, name, getattr(self, name)[..., which])
        self.stop = {name: values[which] for name, values in self.stop.items()}


def end_of(trajectory, stop, epoch=1):
    """How one start ends: ``outcome``, ``steps``, ``period``, ``speed``.

    `trajectory` gives (state, loss, error) for t = 0, 1, ..., a state being all parameters in one row; it is
    not read on beyond the end. The numbers of `stop` count in the dtype of the states.
    """
    rule = None
    for state, loss, error in trajectory:
        theta = np.asarray(state)[:, None]
        if rule is None:
            with np.errstate(over="ignore"):  # a limit beyond float32 is none
                fields = {name: np.array([value], theta.dtype) for name, value in stop._asdict().items()}
            rule = Rule(fields, np.array([epoch]), theta)
        outcome, period, speed = rule.look(theta, loss, error)
        if outcome[0] >= 0:
            return {
                "outcome": int(outcome[0]),
                "steps": rule.t - 1,
                "period": int(period[0]),
                "speed": speed[0],
            }
    raise ValueError("the trajectory stops before the start has ended")


def learned_and_margin(output, y):
    """The truth table that outputs (samples, points) spell, and how far the nearest is from the middle.

    -1 for more than 32 samples. Where all targets are c, the middle is c - 1/2, or c + 1/2 if c < 1/2.
    """
    middle = (y.min() + y.max()) / 2
    if y.min() == y.max():
        middle = middle - 0.5 if middle >= 0.5 else middle + 0.5
    margin = np.abs(output - middle).min(axis=0)
    if len(y) > 32:
        return np.full(output.shape[1], -1), margin
    bits = (output >= middle).astype(np.int64) << np.arange(len(y))[:, None]
    return bits.sum(axis=0), margin

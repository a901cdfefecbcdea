"""A few thousand points of random maps, held to two rules that know nothing of the kernels.

`python tests/judge_many.py` does the same for a million.
"""

import numpy as np
import pytest

import fastneuron as fn
from fastneuron.outcomes import Outcome

from .judge_many import judge_one
from .outcome_oracle import end_of
from .trajectory_rule import Trajectories

# each is a kernel, which takes a second to compile; other tests use the same ones where they can
CASES = [
    ("orbit", "orbit", "float64", 1500),
    ("orbit", "logistic", "float32", 1500),
    ("line", "gradient_descent", "float32", 800),
    ("far", "gradient_descent", "float32", 300),
    ("large batches", "gradient_descent", "float32", 300),
    ("saddle", "gradient_descent", "float64", 300),
    ("network batches", "ada_grad", "float64", 300),
]


def some_steps(rng, most):
    """A few of the numbers of steps at which a map may run out, the largest included."""
    return sorted({*rng.integers(0, most, 3).tolist(), 1, most})


@pytest.mark.parametrize(("kind", "optimizer", "dtype", "points"), CASES)
def test_every_start_ends_as_the_rule_says_of_its_states(kind, optimizer, dtype, points):
    rng, counted = np.random.default_rng(points), np.zeros(len(Outcome), int)
    while counted.sum() < points:
        more, wrong, sweep = judge_one(rng, kind, optimizer, dtype, 76, some_steps)
        assert wrong == [], f"of\n{sweep.to_toml()}"
        counted += more
    assert (counted > 0).sum() > 1


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("epoch", [1, 3])
def test_two_rules_written_apart_say_the_same_of_random_states(dtype, epoch):
    """States that walk, rest, return and overflow, as no descent does."""
    rng, seen = np.random.default_rng(5), set()
    for trial in range(60):
        steps, width = int(rng.integers(0, 50)), int(rng.integers(1, 4))
        period = int(rng.integers(1, 7))
        theta = rng.choice([1.0, 1e-3, 1e3], width) * rng.normal(size=(steps + 1, width))
        for t in range(int(rng.integers(0, 12)) + period, steps + 1):
            if trial % 3:
                theta[t] = theta[t - period] + rng.choice([0.0, 1e-8, 1e-5]) * rng.normal(size=width)
        theta[rng.random((steps + 1, width)) < 0.002] = np.inf
        theta = theta.astype(dtype)
        loss, error = np.abs(rng.normal(size=(2, steps + 1))).astype(dtype)
        loss[rng.random(steps + 1) < 0.005] = np.nan
        stop = fn.Stop(
            max_steps=steps,
            tolerance=float(rng.choice([0.0, 0.001, 0.05])),
            settle=float(rng.choice([0.0, 1e-9, 1e-6, 1e-3])),
            max_period=int(rng.choice([1, 3, 6, 12])),
            limit=float(rng.choice([2.0, 1e12])),
            stall=float(rng.choice([0.0, 0.01, 1e3])),
        )
        rule = Trajectories(theta[:, :, None], loss[:, None], error[:, None], stop, epoch)
        for m in sorted({0, 1, steps, *rng.integers(0, steps + 1, 9).tolist()} & set(range(steps + 1))):
            end = end_of(zip(theta, loss, error, strict=True), stop._replace(max_steps=m), epoch)
            wanted = rule.ends(m)
            for name in ("outcome", "steps", "period", "speed"):
                np.testing.assert_array_equal(
                    end[name], getattr(wanted, name)[0], err_msg=f"{name} of trial {trial}"
                )
            seen.add(end["outcome"])
    assert seen >= {outcome for outcome in Outcome if epoch == 1 or outcome != Outcome.CYCLING}

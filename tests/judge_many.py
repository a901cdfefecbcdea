"""Maps judged by `trajectory_rule`: random components, tasks and rules, with max_steps one by one.

    python tests/judge_many.py [--points 1000000] [--seed 0] [--only NAME]

The states are the kernels' own, as `fastneuron.descend` records them, so that every outcome, step, period and
last update must agree to the bit. `tests/test_many_outcomes.py` judges a few thousand points at every run.
"""

import argparse
import dataclasses
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

import fastneuron as fn
from fastneuron.optimizers import optimizers
from tests.orbits import Logistic, Orbit
from tests.trajectory_rule import Trajectories

PERIODS = [1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 17, 24, 33, 64]
SIDE = 7  # starts of a neuron are SIDE by SIDE
DRAWS = 100  # of a network


class Kind(NamedTuple):
    """What is drawn from: a model with its loss, and tasks of so many samples.

    size : how far targets and starts are from 0
    batch : samples of a batch, 0 for all
    """

    model: Any
    loss: Any
    samples: int
    penalty: Any = None
    batch: int = 0
    size: float = 1.0


def pair(hidden, **parts):
    return fn.Network((1, 1, 1), hidden=hidden, output=fn.Identity(), bias=False, **parts)


KINDS = {
    "line": Kind(fn.Neuron(activation=fn.Identity()), fn.SquaredError(), 1),
    "distance": Kind(fn.Neuron(activation=fn.Identity()), fn.AbsoluteError(), 1),
    "perceptron": Kind(fn.Neuron(activation=fn.Step()), fn.PerceptronLoss(), 3),
    "orbit": Kind(fn.Neuron(activation=fn.Identity()), fn.SquaredError(), 1),
    "decay": Kind(fn.Neuron(activation=fn.Step()), fn.SquaredError(), 1, fn.L2(0.1, 1.0)),
    "sigmoid": Kind(fn.Neuron(), fn.CrossEntropy(), 2, fn.L2(0.05, 0.02)),
    "flat": Kind(fn.Neuron(), fn.SquaredError(), 2, size=8.0),
    "large": Kind(fn.Neuron(activation=fn.Identity()), fn.SquaredError(), 2, size=1e16),
    "far": Kind(fn.Neuron(activation=fn.Sigmoid(2.0)), fn.CrossEntropy(), 2, size=1e35),
    "logarithm": Kind(fn.Neuron(activation=fn.Identity()), fn.CrossEntropy(), 2, size=0.5),
    "batches": Kind(fn.Neuron(2, fn.Step()), fn.PerceptronLoss(), 5, batch=2),
    "large batches": Kind(fn.Neuron(activation=fn.Identity()), fn.SquaredError(), 3, batch=1, size=1e16),
    "saddle": Kind(pair(fn.Identity()), fn.SquaredError(), 1),
    "kink": Kind(pair(fn.ReLU()), fn.AbsoluteError(), 2),
    "network": Kind(fn.Network((2, 3, 2), hidden=fn.Tanh()), fn.CrossEntropy(), 4, fn.L1(0.02, 0.01)),
    "large network": Kind(pair(fn.Tanh()), fn.CrossEntropy(), 3, size=1e30),
    "network batches": Kind(fn.Network((2, 3, 1), hidden=fn.Step()), fn.CrossEntropy(), 5, batch=3),
    "large network batches": Kind(pair(fn.Identity()), fn.SquaredError(), 4, batch=1, size=1e12),
}


def some_optimizer(rng, name, size, longest):
    """An optimizer with random fields; half of them simple numbers, with which states return to the bit."""
    if name == "orbit":
        period = int(rng.integers(2, longest + 2))
        return Orbit(
            period=float(period),
            delay=float(rng.integers(0, 40)),
            stay=float(rng.choice([3 * period + rng.integers(-3, 4), rng.integers(2, 250), 1e9])),
            size=float(rng.choice([1.0, 0.1, 1e-3, 1e-9])),
            drift=float(rng.choice([0.125, 1e-3, -1e-7])),
            slip=float(rng.choice([0.0, 0.0, 1e-13, 1e-7, 1e-4])),
        )
    if name == "logistic":
        windows = [3.2, 3.5, 3.55, 3.5665, 3.8284, 3.8285, 3.84, 3.738, 3.906, rng.uniform(3, 4)]
        return Logistic(rate=float(rng.choice(windows)))
    rates = [0.5, 1.0, 2.0, 2.0**-4, 3.0] if rng.random() < 0.5 else [10.0 ** rng.uniform(-3, 1)]
    fields = {"learning_rate": float(rng.choice(rates))}
    cls = optimizers.classes[name]
    for field in cls._fields:
        if field in ("momentum", "decay", "beta1", "beta2"):
            fields[field] = float(rng.choice([0.0, 0.5, 0.9, rng.uniform(0, 0.99)]))
        if field == "epsilon":
            fields[field] = float(rng.choice([1e-10, 1e-8, 0.1]))
        if field == "weight_decay":
            fields[field] = float(rng.choice([0.0, 0.01, 0.5]))
    if size > 1e3 and rng.random() < 0.5:
        fields["learning_rate"] *= float(size)
    return cls(**fields)


def size_in(kind, dtype):
    """How large the numbers become: float64 has eight times the exponents."""
    return kind.size**8 if dtype == "float64" and kind.size > 1e3 else kind.size


def some_task(rng, kind, dtype):
    inputs = kind.model.inputs if isinstance(kind.model, fn.Neuron) else kind.model.sizes[0]
    outputs = kind.model.outputs
    size = size_in(kind, dtype)
    x = rng.choice([-1.0, 0.0, 0.5, 1.0, 1.5], (kind.samples, inputs))
    if rng.random() < 0.5:
        x = rng.uniform(-1.5, 1.5, x.shape)
    if kind.size > 1e3:
        x = x * 10.0 ** rng.uniform(0, np.log10(size))
    y = rng.integers(0, 2, (kind.samples, outputs)).astype(float)
    if kind.loss.targets != "binary" and rng.random() < 0.5:
        y = rng.uniform(0, 1, y.shape)
    return fn.Task(x, y)


def some_rule(rng, steps, dtype):
    """A rule; `tolerance` is chosen when the errors are known."""
    period = int(rng.choice([p for p in PERIODS if 3 * p + 40 <= steps]))
    settle = rng.choice([None, 0.0, 1e-12, 1e-9, 1e-6, 1e-3, 0.05], p=[0.4, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])
    return fn.Stop(
        max_steps=3 * period + 40,
        tolerance=0.0,
        settle=settle,
        max_period=period,
        limit=float(rng.choice([1e12, 3.0, 100.0, 1e30, 3e38 if dtype == "float32" else 1e300])),
        stall=float(rng.choice([0.01, 0.0, 0.5])),
    )


def sweep_of(rng, kind, optimizer, dtype, steps):
    """A random sweep of a kind."""
    size = size_in(kind, dtype)
    parts = {
        "task": some_task(rng, kind, dtype),
        "model": kind.model,
        "loss": kind.loss,
        "penalty": kind.penalty,
        "batch": fn.MiniBatch(kind.batch, seed=int(rng.integers(9))) if kind.batch else None,
        "stop": some_rule(rng, steps, dtype),
        "dtype": dtype,
        "seed": int(rng.integers(2**30)),
    }
    parts["optimizer"] = some_optimizer(rng, optimizer, size, parts["stop"].max_period)
    spread = float(rng.choice([1e-13, 0.3, 1.0, 3.0])) * 10.0 ** (rng.uniform() * np.log10(size))
    if isinstance(kind.model, fn.Network):
        start = dict.fromkeys(kind.model.parameters, fn.normal(0, spread))
        return fn.Sweep(axes={}, draws=DRAWS, start=start, **parts)
    axes = {
        name: np.sort(rng.normal(0, spread, SIDE)).tolist() for name in (kind.model.parameters[0], "bias")
    }
    if optimizer == "logistic":
        axes = {name: np.sort(rng.uniform(0, 1, SIDE)).tolist() for name in axes}
    if rng.random() < 0.3:
        axes["bias"] = [0.0, *axes["bias"][1:]]
    start = {name: 0.25 for name in kind.model.parameters if name not in axes}
    return fn.Sweep(axes=axes, start=start, **parts)


def changed(sweep, **fields):
    """The sweep with other parts."""
    kept = {field.name: getattr(sweep, field.name) for field in dataclasses.fields(sweep)}
    return fn.Sweep(**kept | fields)


def recorded(sweep, steps):
    """The states of all points, shape (steps + 1, parameters, points), their losses and errors."""
    begin = changed(sweep, stop=fn.Stop(max_steps=0)).run(keep=["final"], progress=False)
    shapes = sweep.model.shapes
    start = {
        name: begin[f"final_{name}"].transpose(*sweep.dims, ...).values.reshape(-1, *shapes[name])
        for name in shapes
    }
    path = fn.descend(
        sweep.task, sweep.model, loss=sweep.loss, optimizer=sweep.optimizer, start=start, steps=steps,
        penalty=sweep.penalty, batch=sweep.batch, dtype=sweep.dtype, seed=sweep.seed,
    )  # fmt: skip
    columns = [path[name].values.reshape(steps + 1, sweep.points, -1) for name in shapes]
    theta = np.concatenate(columns, axis=2).transpose(0, 2, 1)
    return theta, path.loss.values, path.error.values


def judge(sweep, theta, loss, error, every):
    """Hold a sweep to the rule for each max_steps of `every`; the points judged, and what does not agree."""
    epoch = 1 if sweep.batch is None else int(sweep.batch.steps(sweep.task.samples))
    rule = Trajectories(theta, loss, error, sweep.stop, epoch)
    names = ("outcome", "steps", "period", "speed")
    wrong = []
    together = epoch == 1 and sweep.draws is None  # else what a point draws depends on its number
    if together:
        axis = changed(sweep, axes=dict(sweep.axes) | {"max_steps": list(every)})
        answers = axis.run(keep=names, progress=False)
    counted = np.zeros(6, int)
    for m in every:
        if together and m != every[-1]:
            answer = answers.sel(max_steps=m)
        else:  # alone, which must make no difference
            answer = changed(sweep, stop=sweep.stop._replace(max_steps=m)).run(keep=names, progress=False)
        wanted = rule.ends(m)
        counted += np.bincount(wanted.outcome, minlength=6)
        for name in names:
            ours = answer[name].transpose(*sweep.dims).values.ravel()
            differs = ~((ours == getattr(wanted, name)) | (np.isnan(ours) & np.isnan(getattr(wanted, name))))
            wrong += [(name, m, int(k), ours[k], getattr(wanted, name)[k]) for k in np.flatnonzero(differs)]
    return counted, wrong


def with_tolerance(rng, sweep, error):
    """The sweep with a tolerance that matters: 0, common, or one of the errors to the last bit."""
    finite = error[np.isfinite(error)]
    pick = float(rng.choice(finite)) if len(finite) else 0.1
    tolerance = float(rng.choice([0.0, 0.0, 0.1, pick, np.nextafter(error.dtype.type(pick), 0)]))
    return changed(sweep, stop=sweep.stop._replace(tolerance=max(0.0, tolerance)))


def judge_one(rng, name, optimizer, dtype, steps=100, every=None):
    """One random sweep of a kind: the outcomes counted, what does not agree, and the sweep."""
    sweep = sweep_of(rng, KINDS[name], optimizer, dtype, steps)
    theta, loss, error = recorded(sweep, sweep.stop.max_steps)
    sweep = with_tolerance(rng, sweep, error)
    chosen = range(1, sweep.stop.max_steps + 1) if every is None else every(rng, sweep.stop.max_steps)
    return *judge(sweep, theta, loss, error, list(chosen)), sweep


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    rng, counted, mismatches, began = np.random.default_rng(arguments.seed), np.zeros(6, int), 0, time.time()
    cases = [
        (name, optimizer, dtype)
        for name in KINDS if arguments.only in name
        for optimizer in (("orbit", "logistic") if name == "orbit" else optimizers.classes)
        for dtype in ("float64", "float32")
    ]  # fmt: skip
    share = arguments.points / len(cases)
    for case in cases:
        before = counted.sum()
        own = np.zeros(6, int)
        while counted.sum() - before < share:
            steps = int(rng.choice([46, 64, 76, 90, 140, 232], p=[0.3, 0.2, 0.2, 0.15, 0.1, 0.05]))
            more, wrong, sweep = judge_one(rng, *case, steps)
            counted += more
            own += more
            mismatches += len(wrong)
            if wrong:
                print(
                    f"{case}: {len(wrong)} of {more.sum()} differ, first {wrong[:4]}\n{sweep.to_toml()}",
                    flush=True,
                )
        shares = ", ".join(f"{outcome.name.lower()} {own[outcome]:,}" for outcome in fn.Outcome)
        print(f"{time.time() - began:6.0f} s  {' / '.join(case)}: {shares}", flush=True)
    shares = ", ".join(f"{outcome.name.lower()} {counted[outcome]:,}" for outcome in fn.Outcome)
    print(f"{counted.sum():,} points, {mismatches:,} mismatches: {shares}")
    return int(mismatches > 0)


if __name__ == "__main__":
    sys.exit(main())

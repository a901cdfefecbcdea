"""Handwritten digits, 8 by 8 pixels, on 64-30-10 sigmoid networks with random starts.

Cross-entropy summed over the ten outputs, mini-batches of 10, gradient descent, learning rate 0.5, L2 of
strength 1e-4 on the weights, 10 epochs; weights and biases start standard normal. Every fifth sample, from
the first on, is for the test.

scikit-learn has sigmoid outputs where the targets are a table of ten labels, and divides its `alpha` by the
size of the batch. It trains one network after the other and shuffles every epoch.
"""

from __future__ import annotations

import itertools
import math
import warnings
from typing import Any, NamedTuple

import numpy as np
from works import THREADS, Run, Work, agree, lacking

import fastneuron as fn

SIZES = (64, 30, 10)
BATCH, EPOCHS, RATE, STRENGTH = 10, 10, 0.5, 1e-4


class Digits(NamedTuple):
    """Inputs, a row a sample, and targets, a column a digit; then those of the test."""

    x: np.ndarray
    y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray

    @property
    def steps(self) -> int:
        """Of one training: the last batch of an epoch is smaller."""
        return EPOCHS * math.ceil(len(self.x) / BATCH)


def digits_of(load_digits: Any) -> Digits:
    """The data as scikit-learn ships them."""
    data = load_digits()
    x, y = data.data / 16, np.eye(10)[data.target]
    test = np.arange(len(x)) % 5 == 0
    return Digits(x[~test], y[~test], x[test], y[test])


def accuracy(outputs: np.ndarray, digits: Digits) -> np.ndarray:
    """Share of the test whose highest output is the right one; any leading dims."""
    return (outputs.argmax(-1) == digits.test_y.argmax(-1)).mean(-1)


def plain_weights(digits: Digits, parameters: list[np.ndarray]) -> list[np.ndarray]:
    """One epoch in the order of the samples, as anyone would write it; W, b, V, c, which it changes."""
    w, b, v, c = parameters
    for at in range(0, len(digits.x), BATCH):
        x, y = digits.x[at : at + BATCH], digits.y[at : at + BATCH]
        hidden = 1 / (1 + np.exp(-(x @ w + b)))
        d = (1 / (1 + np.exp(-(hidden @ v + c))) - y) / len(x)
        back = d @ v.T * hidden * (1 - hidden)
        strength = STRENGTH * BATCH / len(x)  # as scikit-learn has it in a smaller batch
        v -= RATE * (hidden.T @ d + strength * v)
        c -= RATE * d.sum(0)
        w -= RATE * (x.T @ back + strength * w)
        b -= RATE * back.sum(0)
    return [w, b, v, c]


def scikit_learn(classifier: Any) -> Any:
    """Of a seed, an untrained network of scikit-learn's with a standard normal start."""

    class Normal(classifier):
        """The start is scikit-learn's only choice that differs."""

        def _init_coef(self, fan_in: int, fan_out: int, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
            return self._random_state.normal(size=(fan_in, fan_out)), self._random_state.normal(size=fan_out)

    def network(seed: int, epochs: int = EPOCHS, shuffle: bool = True) -> Any:
        return Normal(
            SIZES[1:-1],
            activation="logistic",
            solver="sgd",
            momentum=0.0,
            batch_size=BATCH,
            learning_rate_init=RATE,
            alpha=STRENGTH * BATCH,
            max_iter=epochs,
            n_iter_no_change=10 * EPOCHS,
            shuffle=shuffle,
            random_state=seed,
        )

    return network


def check_scikit_learn(network: Any, digits: Digits) -> None:
    """One epoch without shuffling ends at the weights of the plain program."""
    draws = np.random.RandomState(0)
    shapes = [shape for fan_in, out in itertools.pairwise(SIZES) for shape in ((fan_in, out), (out,))]
    w, _, v, _ = plain_weights(digits, [draws.normal(size=shape) for shape in shapes])
    trained = network(0, epochs=1, shuffle=False).fit(digits.x, digits.y)
    for theirs, truth in zip(trained.coefs_, (w, v), strict=True):
        agree("scikit-learn", theirs, truth)


def scikit_learn_run(network: Any, digits: Digits, starts: int) -> Run:
    """Some starts, others at every call; their accuracies and those of all calls before."""
    seeds = itertools.count()
    accuracies: list[float] = []

    def run() -> tuple[float, np.ndarray]:
        for seed in itertools.islice(seeds, starts):
            trained = network(seed).fit(digits.x, digits.y)
            accuracies.append(float(accuracy(trained.predict_proba(digits.test_x), digits)))
        return float(starts * digits.steps), np.array(accuracies)

    return run


def our_run(digits: Digits, starts: int) -> Run:
    """All starts at once."""
    model = fn.Network(SIZES)
    sweep = fn.Sweep(
        task=fn.Task(digits.x, digits.y, name="digits"),
        model=model,
        loss=fn.CrossEntropy(),
        penalty=fn.L2(STRENGTH),
        optimizer=fn.GradientDescent(RATE),
        batch=fn.MiniBatch(BATCH),
        draws=starts,
        stop=fn.Stop(max_steps=digits.steps, tolerance=0.0, settle=0.0, max_period=1),
    )

    def run() -> tuple[float, np.ndarray]:
        result = sweep.run(threads=THREADS, keep=["outcome", "final"], progress=False)
        final = {name: result[f"final_{name}"].values for name in model.parameters}
        return float(starts * digits.steps), accuracy(fn.forward(model, final, digits.test_x), digits)

    return run


def said(accuracies: np.ndarray) -> str:
    """The accuracies in words."""
    return f"test accuracy {accuracies.mean():.4f} +- {accuracies.std():.4f} ({len(accuracies)})"


def work(starts: int, each: int) -> Work:
    """fastneuron from all starts in a round, scikit-learn from some."""
    title = "digits, 64-30-10, mini-batches of 10"
    try:
        from sklearn.datasets import load_digits
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPClassifier
    except ImportError:
        return Work(title, 0, {}, "", {"scikit-learn": "not installed, and it has the data"})
    warnings.simplefilter("ignore", ConvergenceWarning)
    digits, network = digits_of(load_digits), scikit_learn(MLPClassifier)
    check_scikit_learn(network, digits)
    runs: dict[str, Run] = {}
    left_out: dict[str, str] = {}
    lacks = lacking(lambda: our_run(digits, 1)())
    if lacks is None:
        runs["fastneuron"] = our_run(digits, starts)
    else:
        left_out["fastneuron"] = lacks
    runs["scikit-learn"] = scikit_learn_run(network, digits, each)
    return Work(title, digits.steps, runs, "scikit-learn", left_out, said)

"""The trainability study: a two-layer tanh network at every pair of learning rates (Sohl-Dickstein 2024).

z = x W / sqrt n, a = tanh(sqrt(2) z), output o = a v / n, loss the mean over the samples of (o - y)^2; x, y,
W and v standard normal, n n + n samples. Each loss, taken before its update, is divided by the first and
clipped; kept are the sum, the sum of the inverses, and the mean of the last 20.

NumPy stacks the first layers' weights of all networks, transposed, into one matrix: one product with all
inputs forward, one for the gradient. Samples by units had four fifths of that speed. JAX is timed with the
network written as usual, and with arrays of units by samples, which its compiler makes twice as fast or more.
The gradient by hand was 1.5 times as fast as its own in the first (batches of 64), in the second no faster.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import peers
from works import THREADS, Run, Work, agree, in_threads, jax_on_cpu, lacking

import fastneuron as fn

GAIN = math.sqrt(2)
CLIP = 1e6
LATE = 20  # the last losses, whose mean says whether a network trained
BATCHES = {64: (8, 8), 512: (16, 32)}  # networks: those of either learning rate
RATES = {"layer0.learning_rate": (1.0, 1e4), "layer1.learning_rate": (1.0, 100.0)}
CALM = ([0.5, 1.0], [0.5, 1.0, 1e4])  # learning rates far from the chaos in which programs part

AS_USUAL = "JAX, vmap(grad)"
PEAK = "peak of the multiply-adds, one core"

Descend = Callable[[Any, Any], tuple[float, np.ndarray]]
"""Of the values of either learning rate, the steps done and what was kept, shape (3, first, second)."""


class Study(NamedTuple):
    """Inputs (samples, n), targets (samples,), the start W (n, n) and v (n,), and how many steps."""

    x: np.ndarray
    y: np.ndarray
    w: np.ndarray
    v: np.ndarray
    steps: int


def study_of(n: int, steps: int) -> Study:
    """The same data and start at every call."""
    rng = np.random.default_rng(0)
    samples = n * n + n
    x, y = rng.normal(size=(samples, n)), rng.normal(size=samples)
    return Study(x, y, rng.normal(size=(n, n)), rng.normal(size=n), steps)


def pairs(first: Any, second: Any) -> np.ndarray:
    """Both learning rates of all networks, shape (2, networks)."""
    return np.stack(np.meshgrid(first, second, indexing="ij")).reshape(2, -1)


# -- NumPy and BLAS -----------------------------------------------------------------------------------------


class Stacked:
    """All networks side by side: weights (networks n, n), activations and slopes (networks n, samples)."""

    def __init__(self, study: Study, networks: int) -> None:
        n, samples = len(study.v), len(study.y)
        self.shape = networks, n, samples
        self.scaled = study.x * (GAIN / math.sqrt(n))
        self.inputs = np.ascontiguousarray(self.scaled.T)
        self.w = np.tile(study.w.T, (networks, 1))
        self.v = np.tile(study.v, (networks, 1))
        self.a = np.empty((networks * n, samples))
        self.d = np.empty_like(self.a)
        self.slope = np.empty_like(self.w)

    def forward(self) -> None:
        np.matmul(self.w, self.inputs, out=self.a)

    def backward(self) -> None:
        np.matmul(self.d, self.scaled, out=self.slope)

    def step(self, y: np.ndarray, rates: np.ndarray) -> np.ndarray:
        """One update of all; returns the losses before it."""
        _, n, samples = self.shape
        a, d = self.a.reshape(self.shape), self.d.reshape(self.shape)
        self.forward()
        np.tanh(self.a, out=self.a)
        error = np.matmul(self.v[:, None] / n, a)[:, 0] - y
        loss = (error * error).mean(1)
        error *= 2 / (samples * n)
        slope = np.matmul(a, error[:, :, None])[:, :, 0]
        np.multiply(a, a, out=d)
        np.subtract(1, d, out=d)
        d *= error[:, None]
        self.backward()
        self.w -= (rates[0][:, None] * self.v).reshape(-1, 1) * self.slope
        self.v -= rates[1][:, None] * slope
        return loss


def numpy_descend(study: Study) -> Descend:
    """One product of all networks' weights with the inputs, one for their gradients."""

    def descend(first: Any, second: Any) -> tuple[float, np.ndarray]:
        rates = pairs(first, second)
        networks = Stacked(study, rates.shape[1])
        losses = np.empty((study.steps, rates.shape[1]))
        with np.errstate(all="ignore"):
            for t in range(study.steps):
                losses[t] = networks.step(study.y, rates)
            relative = np.fmin(losses / losses[0], CLIP)
        kept = np.stack([relative.sum(0), (1 / relative).sum(0), relative[-LATE:].mean(0)])
        return float(losses.size), kept.reshape(3, len(first), len(second))

    return descend


def products_run(study: Study, networks: int) -> Run:
    """Nothing but the two products."""
    stacked = Stacked(study, networks)
    stacked.d[:] = 0.5

    def run() -> tuple[float, np.ndarray]:
        for _ in range(study.steps):
            stacked.forward()
            stacked.backward()
        return float(networks * study.steps), stacked.slope

    return run


# -- JAX ----------------------------------------------------------------------------------------------------


def jax_descends(jax: Any, study: Study) -> dict[str, Descend]:
    """`vmap` of a loop over `value_and_grad`, for either way to lay the network out."""
    jnp = jax.numpy
    n = len(study.v)
    scaled = study.x * (GAIN / math.sqrt(n))
    inputs = np.ascontiguousarray(scaled.T)

    def as_usual(parameters: Any) -> Any:
        w, v = parameters
        return jnp.mean((jnp.tanh(scaled @ w) @ v / n - study.y) ** 2)

    def units_by_samples(parameters: Any) -> Any:
        w, v = parameters
        return jnp.mean(((v / n) @ jnp.tanh(w.T @ inputs) - study.y) ** 2)

    def descend_of(loss: Callable[[Any], Any]) -> Descend:
        def one(rates: Any) -> Any:
            start = (jnp.asarray(study.w), jnp.asarray(study.v))
            first = loss(start)

            def body(t: Any, state: Any) -> Any:
                parameters, total, inverses, late = state
                value, slopes = jax.value_and_grad(loss)(parameters)
                relative = jnp.fmin(value / first, CLIP)
                moved = tuple(p - r * s for p, r, s in zip(parameters, rates, slopes, strict=True))
                late = late + jnp.where(t >= study.steps - LATE, relative / LATE, 0.0)
                return moved, total + relative, inverses + 1 / relative, late

            return jnp.stack(jax.lax.fori_loop(0, study.steps, body, (start, 0.0, 0.0, 0.0))[1:])

        compiled = jax.jit(jax.vmap(one, out_axes=1))

        def descend(first: Any, second: Any) -> tuple[float, np.ndarray]:
            rates = pairs(first, second).T
            kept = np.asarray(compiled(rates))
            return float(len(rates) * study.steps), kept.reshape(3, len(first), len(second))

        return descend

    return {
        AS_USUAL: descend_of(as_usual),
        "JAX, vmap(grad), units x samples": descend_of(units_by_samples),
    }


def once(descend: Descend, both: list[np.ndarray]) -> Run:
    """One call, as one would write it, with what threads XLA makes of it."""
    return lambda: descend(*both)


def twice(descend: Descend, both: list[np.ndarray]) -> Run:
    """The same networks in each of two threads."""

    def run() -> tuple[float, np.ndarray]:
        done = in_threads(lambda _: descend(*both), range(THREADS))
        return sum(steps for steps, _ in done), done[0][1]

    return run


# -- fastneuron ---------------------------------------------------------------------------------------------


def our_descend(study: Study) -> Descend:
    """A sweep over both learning rates."""
    n = len(study.v)
    kept = ["loss_sum", "inverse_sum", "late_loss"]

    def descend(first: Any, second: Any) -> tuple[float, np.ndarray]:
        sweep = fn.Sweep(
            task=fn.Task(study.x, study.y),
            model=fn.Network(
                (n, n, 1), hidden=fn.Tanh(gain=GAIN), output=fn.Identity(), bias=False, scale="mean_field"
            ),
            loss=fn.SquaredError(scale=1.0),
            optimizer=fn.GradientDescent(1.0),
            axes={"layer0.learning_rate": first, "layer1.learning_rate": second},
            start={"layer0.weight": study.w, "layer1.weight": study.v[:, None]},
            stop=fn.Stop(max_steps=study.steps, tolerance=0.0, settle=0.0, max_period=1, limit=1e300),
            record={
                "loss_sum": fn.Sum(relative=1, clip=CLIP),
                "inverse_sum": fn.SumOfInverses(relative=1, clip=CLIP),
                "late_loss": fn.Mean(last=LATE, relative=1, clip=CLIP),
            },
        )
        result = sweep.run(threads=THREADS, keep=["steps", *kept], progress=False)
        # a network that diverged is done: only the steps that it took count
        return float(result["steps"].sum()), np.stack([result[name].values for name in kept])

    return descend


# -- together -----------------------------------------------------------------------------------------------


def multiply_adds(n: int) -> int:
    """Of one step of a network: forward and gradient of both layers, backward through the output layer."""
    return (n * n + n) * (2 * n * n + 3 * n)


def peak_run(library: ctypes.CDLL, n: int) -> Run:
    """The most that a core's multiply-adds allow."""
    operations = peers.peak_run(library, "float64", "multiply_adds", 10_000_000)

    def run() -> tuple[float, np.ndarray]:
        done, numbers = operations()
        return done / multiply_adds(n), numbers

    return run


def work(n: int, steps: int, library: ctypes.CDLL | None, blas: bool) -> Work:
    """All programs at one width."""
    study = study_of(n, steps)
    truth = numpy_descend(study)(*CALM)[1]
    ours, jax = our_descend(study), jax_on_cpu()
    runs: dict[str, Run] = {}
    left_out: dict[str, str] = {}
    axes = {
        networks: [fn.geomspace(*ends, num) for ends, num in zip(RATES.values(), numbers, strict=True)]
        for networks, numbers in BATCHES.items()
    }
    values = {networks: [axis.values() for axis in both] for networks, both in axes.items()}
    lacks = lacking(lambda: agree("fastneuron", ours(*CALM)[1], truth))
    if lacks is None:
        runs |= {f"fastneuron, {networks}": lambda both=both: ours(*both) for networks, both in axes.items()}
    else:
        left_out["fastneuron"] = lacks
    if jax is None:
        left_out["JAX"] = "not installed"
    else:
        for name, descend in jax_descends(jax, study).items():
            agree(name, descend(*CALM)[1], truth)
            for networks, both in values.items():
                runs[f"{name}, {networks}"] = twice(descend, both)
            if name == AS_USUAL:
                runs |= {f"one call of {name}, {k}": once(descend, both) for k, both in values.items()}
    if blas:
        descend = numpy_descend(study)
        runs["NumPy and BLAS, one core, 64"] = lambda: descend(*values[64])
        runs["  its two products alone"] = products_run(study, 64)
    else:
        left_out["NumPy and BLAS"] = "threadpoolctl is not installed, which holds BLAS to one thread"
    if library is None:
        left_out["peak"] = "no gcc or no libmvec"
    else:
        runs[PEAK] = peak_run(library, n)
    return Work(f"trainability, width {n}", steps, runs, "JAX", left_out, peak=PEAK, waited="one call")

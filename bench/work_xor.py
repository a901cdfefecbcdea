"""XOR on a 2-2-1 sigmoid network from many standard normal starts.

Squared error (a - y)^2 / 2, mean over the four samples, gradient descent, learning rate 1, 1000 steps. By
hand, each of the nine parameters is a row over the networks and zero inputs cost nothing, which NumPy and JAX
take alike; einsum over arrays of whole networks was slower in JAX than its own gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from works import THREADS, Run, Work, agree, in_threads, jax_on_cpu, lacking

import fastneuron as fn

STEPS = 1000
BATCHES = (128, 1024)  # of JAX; NumPy takes all starts at once
X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
Y = np.array([0.0, 1.0, 1.0, 0.0])
SHAPES = {"layer0.weight": (2, 2), "layer0.bias": (2,), "layer1.weight": (2, 1), "layer1.bias": (1,)}

Descend = Callable[[np.ndarray], Any]
"""Of starts, shape (9, networks), the final parameters, in the same shape."""


def parts(rows: Any) -> list[Any]:
    """The parameters in the shapes of one network, then the networks."""
    return [rows[:4].reshape(2, 2, -1), rows[4:6], rows[6:8].reshape(2, 1, -1), rows[8:]]


def losses(rows: np.ndarray) -> np.ndarray:
    """The final losses, plainly."""
    w, b, v, c = parts(rows)
    hidden = 1 / (1 + np.exp(-(np.einsum("si,ijk->sjk", X, w) + b)))
    output = 1 / (1 + np.exp(-(np.einsum("sjk,jok->sok", hidden, v) + c)))
    return 0.5 * ((output[:, 0] - Y[:, None]) ** 2).mean(0)


def moved(sigmoid: Callable[[Any], Any], rows: Any) -> list[Any]:
    """One step of all networks by hand, row by row."""
    w00, w01, w10, w11, b0, b1, v0, v1, c = rows
    slopes: list[Any] = [0.0] * 9
    for (first, second), y in zip(X, Y, strict=True):
        z0, z1 = b0, b1
        if first:
            z0, z1 = z0 + w00, z1 + w01
        if second:
            z0, z1 = z0 + w10, z1 + w11
        h0, h1 = sigmoid(z0), sigmoid(z1)
        a = sigmoid(h0 * v0 + h1 * v1 + c)
        d = (a - y) * a * (1 - a) * (1 / len(Y))
        d0, d1 = d * v0 * h0 * (1 - h0), d * v1 * h1 * (1 - h1)
        each = {4: d0, 5: d1, 6: d * h0, 7: d * h1, 8: d}
        each |= {0: d0, 1: d1} if first else {}
        each |= {2: d0, 3: d1} if second else {}
        for k, slope in each.items():
            slopes[k] = slopes[k] + slope
    return [p - slope for p, slope in zip(rows, slopes, strict=True)]


def numpy_descend(rows: np.ndarray) -> np.ndarray:
    """Whole arrays by hand."""
    state = list(rows)
    for _ in range(STEPS):
        state = moved(lambda z: 1 / (1 + np.exp(-z)), state)
    return np.stack(state)


def jax_descends(jax: Any) -> dict[str, Descend]:
    """JAX with its own gradient and with that by hand."""
    jnp = jax.numpy

    def loss(row: Any) -> Any:
        w, b, v, c = row[:4].reshape(2, 2), row[4:6], row[6:8], row[8]
        output = jax.nn.sigmoid(jax.nn.sigmoid(X @ w + b) @ v + c)
        return 0.5 * jnp.mean((output - Y) ** 2)

    slopes = jax.vmap(jax.grad(loss))

    @jax.jit
    def by_grad(rows: Any) -> Any:
        return jax.lax.fori_loop(0, STEPS, lambda _, p: p - slopes(p), rows.T).T

    @jax.jit
    def by_hand(rows: Any) -> Any:
        state = jax.lax.fori_loop(0, STEPS, lambda _, p: moved(jax.nn.sigmoid, p), list(rows))
        return jnp.stack(state)

    return {"JAX, vmap(grad)": by_grad, "JAX, gradient by hand": by_hand}


def run_of(descend: Descend, rows: np.ndarray, batch: int) -> Run:
    """All starts, batch by batch, from two threads; the final losses."""
    pieces = [rows[:, at : at + batch] for at in range(0, rows.shape[1], batch)]

    def run() -> tuple[float, np.ndarray]:
        done = in_threads(lambda piece: np.asarray(descend(piece)), pieces)
        return float(rows.shape[1] * STEPS), losses(np.concatenate(done, axis=1))

    return run


def sweep_of(**given: Any) -> fn.Sweep:
    """The sweep from the starts that are given."""
    return fn.Sweep(
        task=fn.tasks.gate("xor"),
        model=fn.Network((2, 2, 1)),
        loss=fn.SquaredError(),
        optimizer=fn.GradientDescent(1.0),
        stop=fn.Stop(max_steps=STEPS, tolerance=0.0, settle=0.0, max_period=1),
        **given,
    )


def our_run(networks: int) -> Run:
    """Starts that fastneuron draws itself."""

    def run() -> tuple[float, np.ndarray]:
        result = sweep_of(draws=networks).run(threads=THREADS, keep=["outcome", "loss"], progress=False)
        return float(networks * STEPS), result["loss"].values

    return run


def check_ours(rows: np.ndarray, truth: np.ndarray) -> None:
    """One start that is given, against its final loss."""
    start = dict(zip(SHAPES, (part[..., 0] for part in parts(rows)), strict=True))
    result = sweep_of(start=start, axes={"learning_rate": [1.0]}).run(keep=["loss"], progress=False)
    agree("fastneuron", result["loss"].values, truth[:1])


def learned(final: np.ndarray) -> str:
    """The share that learned the gate well."""
    return f"loss below 0.01: {(final < 0.01).mean():.1%}"


def work(networks: int) -> Work:
    """All programs from as many starts."""
    rows = np.random.default_rng(0).normal(size=(9, networks))
    runs: dict[str, Run] = {}
    left_out: dict[str, str] = {}
    few = rows[:, :8]
    truth = losses(numpy_descend(few))
    lacks = lacking(lambda: check_ours(few, truth))
    if lacks is None:
        runs["fastneuron"] = our_run(networks)
    else:
        left_out["fastneuron"] = lacks
    jax = jax_on_cpu()
    if jax is None:
        left_out["JAX"] = "not installed"
    else:
        for name, descend in jax_descends(jax).items():
            agree(name, losses(np.asarray(descend(few))), truth)
            runs |= {f"{name}, {batch}": run_of(descend, rows, batch) for batch in BATCHES}
    runs["NumPy, gradient by hand"] = run_of(numpy_descend, rows, networks)
    return Work("XOR, 2-2-1", STEPS, runs, "JAX", left_out, learned)

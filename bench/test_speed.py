"""How long the main jobs take; compiling is left out.

    python -m pytest -n 0 bench --benchmark-save=mine

Every case runs once before it is timed. ``extra_info`` holds the neuron-steps, or outputs, of one round.
"""

import numpy as np
import peers
import pytest

import fastneuron as fn


def timed(benchmark, work, amount):
    work()
    benchmark.extra_info["amount"] = amount
    benchmark(work)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("neurons", "samples"), [(1, 1_000_000), (100_000, 10)])
def test_forward(benchmark, neurons, samples, dtype):
    rng = np.random.default_rng(0)
    weight = rng.normal(size=neurons).astype(dtype)
    bias = rng.normal(size=neurons).astype(dtype)
    x = np.linspace(0, 1, samples)
    parameters = {"weight": weight, "bias": bias}
    timed(benchmark, lambda: fn.forward(fn.Neuron(), parameters, x), neurons * samples)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("optimizer", [fn.GradientDescent(1.0), fn.Momentum(1.0, 0.5)], ids=repr)
def test_descent_without_stops(benchmark, optimizer, dtype):
    run = peers.kernel_run(dtype, optimizer=optimizer)
    timed(benchmark, run, run()[0])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_descent_with_early_stops(benchmark, dtype):
    run = peers.kernel_run(dtype, tolerance=0.01)
    timed(benchmark, run, run()[0])


@pytest.mark.parametrize("side", [256])
def test_whole_map(benchmark, side):
    sweep = fn.Sweep(
        task=fn.tasks.inverter(),
        optimizer=fn.GradientDescent(30.0),
        axes={"bias": fn.linspace(-20, 20, side), "weight": fn.linspace(-20, 20, side)},
        stop=fn.Stop(max_steps=2000, tolerance=0.1),
    )
    timed(benchmark, lambda: sweep.run(progress=False), sweep.points)


def test_trajectory(benchmark):
    task = fn.Task([1], [0])

    def run():
        fn.descend(
            task,
            fn.Neuron(),
            loss=fn.SquaredError(),
            optimizer=fn.GradientDescent(0.15),
            start={"weight": 0.6, "bias": 0.9},
            steps=10_000,
        )

    timed(benchmark, run, 10_000)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_ratios_to_the_peers_hold(dtype):
    """Far below what an idle machine shows, and seen three times in a row, so that only a real loss fails."""
    floors = {
        "no stop / NumPy": 1.8,
        "no stop / C": 0.85,
        "early stops / no stop": {"float64": 0.8, "float32": 0.75}[dtype],
        "learning rate an axis / constant": 0.85,
        "gain an axis / constant": 0.85,
        "penalty strength an axis / constant": 0.85,
    }
    for _ in range(3):
        ratios = {row["what"]: row["ratio"] for row in peers.compare(dtype, rounds=5)}
        low = {what: ratio for what, ratio in ratios.items() if not ratio > floors[what]}
        if not low:
            return
    raise AssertionError(f"below their floors: {low}")

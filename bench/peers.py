"""The same work in fastneuron, C and NumPy, side by side in one run.

    python bench/peers.py [--json] [--rounds N]

Work: the inverter, one sigmoid neuron, cross-entropy, gradient descent, learning rate 1, starts over
[-10, 10]^2, 1000 steps, one thread. Rounds are interleaved, and processor time is counted, so that neither
the machine's drift nor another process decides; every figure is the median over the rounds, and what counts
is the ratio to the peer in the same round. The C peer (peer.c) is left out where gcc or libmvec is missing.

- no stop: tolerance 0, through the kernel that every sweep uses, all tests of the stopping rule included;
- early stops: useful steps a second where starts end at different steps (tolerance 0.01), to the same kernel
  without;
- axis: a learning rate, gain or penalty strength as an axis, to the same as a constant.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import fastneuron as fn
from fastneuron.engine.lowering import lowered_sweep, starts_of
from fastneuron.kernels.lanes import block_for, run_tile

STEPS = 1000
SIDE = 96


def grid(dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Biases and weights of all starts."""
    values = np.linspace(-10, 10, SIDE)
    bias, weight = np.meshgrid(values, values, indexing="ij")
    return bias.ravel().astype(dtype), weight.ravel().astype(dtype)


def kernel_run(
    dtype: str,
    tolerance: float = 0.0,
    varying: dict[str, Any] | None = None,
    gain: float = 1.0,
    penalty: fn.Penalty | None = None,
    optimizer: fn.Optimizer | None = None,
) -> Callable[[], tuple[float, np.ndarray]]:
    """A run of the kernel on the grid; returns the neuron-steps that counted and the final parameters."""
    plane = fn.linspace(-10, 10, SIDE)
    sweep = fn.Sweep(
        task=fn.tasks.inverter(),
        model=fn.Neuron(activation=fn.Sigmoid(gain)),
        loss=fn.CrossEntropy(),
        penalty=penalty,
        optimizer=optimizer or fn.GradientDescent(learning_rate=1.0),
        axes={**(varying or {}), "bias": plane, "weight": plane},
        stop=fn.Stop(max_steps=STEPS, tolerance=tolerance),
        dtype=dtype,
    )
    problem = lowered_sweep(sweep)
    values = {name: axis.values() for name, axis in sweep.axes.items()}
    fresh = starts_of(sweep, values, tuple(slice(0, n) for n in sweep.shape))
    points = fresh.shape[1]
    outcome, period = np.empty(points, np.int8), np.empty(points, np.int32)
    steps, speed = np.empty(points, np.int32), np.empty(points, dtype)
    cancel = np.zeros(1, np.uint8)
    block = block_for(problem, len(fresh) - 2)

    def run() -> tuple[float, np.ndarray]:
        starts = fresh.copy()
        run_tile(problem, block, starts, cancel, outcome, steps, speed, period)
        return float(steps.sum(dtype=np.int64)), starts[:2]

    return run


def c_run(dtype: str, folder: str) -> Callable[[], tuple[float, np.ndarray]] | None:
    """The C peer, or None where it cannot be built."""
    library = Path(folder) / "peer.so"
    if not library.exists():
        compiler = shutil.which("gcc")
        source = Path(__file__).with_name("peer.c")
        if compiler is None:
            return None
        command = [compiler, "-Ofast", "-march=native", "-shared", "-fPIC", str(source)]
        built = subprocess.run([*command, "-o", str(library), "-lmvec", "-lm"], capture_output=True)
        if built.returncode:
            return None
    function = getattr(ctypes.CDLL(str(library)), f"descend_{dtype}")

    def run() -> tuple[float, np.ndarray]:
        bias, weight = grid(dtype)
        data = [array.ctypes.data_as(ctypes.c_void_p) for array in (weight, bias)]
        function(*data, ctypes.c_long(bias.size), ctypes.c_long(STEPS), ctypes.c_double(1.0))
        return float(bias.size * STEPS), np.stack([weight, bias])

    return run


def numpy_run(dtype: str, steps: int = STEPS // 10) -> Callable[[], tuple[float, np.ndarray]]:
    """Vectorised NumPy with the gradient by hand."""

    def run() -> tuple[float, np.ndarray]:
        b, w = grid(dtype)
        one, half = b.dtype.type(1), b.dtype.type(0.5)
        for _ in range(steps):
            a0 = one / (one + np.exp(-b))
            a1 = one / (one + np.exp(-(w + b)))
            w -= half * a1
            b -= half * ((a0 - one) + a1)
        return float(b.size * steps), np.stack([w, b])

    return run


def interleaved(
    runs: dict[str, Callable[[], tuple[float, np.ndarray]]], rounds: int
) -> dict[str, list[float]]:
    """Neuron-steps a processor second of every run in every round; the first round is not counted."""
    rates: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(rounds + 1):
        for name, run in runs.items():
            began = time.process_time()
            steps, _ = run()
            spent = time.process_time() - began
            if turn:
                rates[name].append(steps / spent)
    return rates


def table(rates: dict[str, list[float]], ratios: dict[str, tuple[str, str]]) -> list[dict[str, Any]]:
    """One row a ratio: its median over the rounds, and the range of the middle half."""
    rows = []
    for label, (numerator, denominator) in ratios.items():
        if numerator not in rates or denominator not in rates:
            continue
        each = [a / b for a, b in zip(rates[numerator], rates[denominator], strict=True)]
        low, middle, high = statistics.quantiles(each, n=4)
        speeds = {"million_steps": statistics.median(rates[numerator]) / 1e6}
        rows.append({"what": label, "ratio": middle, "low": low, "high": high, **speeds})
    return rows


def compare(dtype: str, rounds: int) -> list[dict[str, Any]]:
    """All ratios for one dtype."""
    rates_axis = {"learning_rate": [1.0]}
    runs: dict[str, Any] = {
        "no stop": kernel_run(dtype),
        "early stops": kernel_run(dtype, tolerance=0.01),
        "learning rate an axis": kernel_run(dtype, varying=rates_axis),
        "gain an axis": kernel_run(dtype, varying={"gain": [1.0]}),
        "L2": kernel_run(dtype, penalty=fn.L2(1e-3)),
        "strength an axis": kernel_run(dtype, penalty=fn.L2(1e-3), varying={"strength": [1e-3]}),
        "NumPy": numpy_run(dtype),
    }
    with tempfile.TemporaryDirectory() as folder:
        peer = c_run(dtype, folder)
        if peer is not None:
            runs["C"] = peer
            ours, theirs = runs["no stop"]()[1], peer()[1]
            worst = float(np.abs(ours - theirs).max())
            if not worst < (1e-9 if dtype == "float64" else 1e-2):
                raise SystemExit(f"the peers disagree by {worst}")
        rates = interleaved(runs, rounds)
    return table(
        rates,
        {
            "no stop / C": ("no stop", "C"),
            "no stop / NumPy": ("no stop", "NumPy"),
            "early stops / no stop": ("early stops", "no stop"),
            "learning rate an axis / constant": ("learning rate an axis", "no stop"),
            "gain an axis / constant": ("gain an axis", "no stop"),
            "penalty strength an axis / constant": ("strength an axis", "L2"),
        },
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="fastneuron beside C and NumPy")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--rounds", type=int, default=9, help="interleaved rounds (default 9)")
    options = parser.parse_args()
    results = {dtype: compare(dtype, options.rounds) for dtype in ("float64", "float32")}
    if options.json:
        print(json.dumps({"cpu": fn.info()["cpu_target"], "results": results}, indent=2))
        return
    print(f"{fn.info()['cpu']} ({fn.info()['cpu_target']}), one thread")
    for dtype, rows in results.items():
        print(f"\n{dtype:<38}{'ratio':>7}   middle half   M steps/s")
        for row in rows:
            span = f"{row['low']:.2f} .. {row['high']:.2f}"
            print(f"  {row['what']:<36}{row['ratio']:>7.2f}  {span:>13}  {row['million_steps']:>9.0f}")


if __name__ == "__main__":
    main()

"""The same work in fastneuron, C, NumPy and other libraries, side by side in one run.

    python bench/peers.py [--json] [--rounds N]

Work: the inverter, one sigmoid neuron, cross-entropy, gradient descent, learning rate 1, starts over
[-10, 10]^2, 1000 steps, one thread; 100 steps for slow peers. Rounds are interleaved, and processor time is
counted, so that neither the machine's drift nor another process decides; every figure is the median over the
rounds, and what counts is the ratio to the peer in the same round. Processor time is that of all threads of
the process, which is the fair measure, as JAX computes in threads of its own. Compiling is not timed. A peer
is left out where its compiler or library is missing: gcc or libmvec, JAX, torch.

- no stop: tolerance 0, through the kernel that every sweep uses, all tests of the stopping rule included;
- early stops: useful steps a second where starts end at different steps (tolerance 0.01), to the same kernel
  without;
- axis: a learning rate, gain or penalty strength as an axis, to the same as a constant;
- 101 samples, 64 inputs x 200 samples: larger tasks, no stop, starts drawn from [-1, 1];
- share of the arithmetic peak: no stop, to the most that the multiply-adds or the divisions of a step allow.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import math
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np

import fastneuron as fn
from fastneuron.engine.lowering import block_of, starts_of, sums_of
from fastneuron.kernels.lanes import run_tile

STEPS = 1000
FEWER = STEPS // 10  # for slow peers
UNROLLED = 20  # steps in a function that torch compiles
SIDE = 96
DRAWS = 1024  # starts on a larger task

# Of one neuron in one step on the inverter, what the pipes of the multiply-adds do (fma and products; sums,
# comparisons and bits go elsewhere). A sigmoid, `fastneuron.kernels.vecmath._sigmoid`: reduction 3, r^2 1,
# quotient 5 (float32: 2), denominator 1. With it for each of 2 samples, `fastneuron.kernels.neuron.
# _in_registers`: z 1, gradient 1. Then the bias's mean 1, and 1 for the step of either parameter.
MULTIPLY_ADDS = {"float64": 2 * (10 + 2) + 3, "float32": 2 * (7 + 2) + 3}
DIVISIONS = 2  # one in each sigmoid

Run = Callable[[], tuple[float, np.ndarray]]


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
    batch: fn.Batch | None = None,
    steps: int = STEPS,
) -> Run:
    """A run of the kernel on the grid; returns the neuron-steps that counted and the final parameters."""
    plane = fn.linspace(-10, 10, SIDE)
    sweep = fn.Sweep(
        task=fn.tasks.inverter(),
        model=fn.Neuron(activation=fn.Sigmoid(gain)),
        loss=fn.CrossEntropy(),
        penalty=penalty,
        optimizer=optimizer or fn.GradientDescent(learning_rate=1.0),
        batch=batch,
        axes={**(varying or {}), "bias": plane, "weight": plane},
        stop=fn.Stop(max_steps=steps, tolerance=tolerance),
        dtype=dtype,
    )
    return sweep_run(sweep)


def drawn_sweep(task: fn.Task, dtype: str, steps: int) -> fn.Sweep:
    """No stop on a task, from random starts."""
    model = fn.Neuron(inputs=task.inputs)
    return fn.Sweep(
        task=task,
        model=model,
        loss=fn.CrossEntropy(),
        optimizer=fn.GradientDescent(learning_rate=1.0),
        start=dict.fromkeys(model.parameters, fn.uniform(-1, 1)),
        draws=DRAWS,
        stop=fn.Stop(max_steps=steps, tolerance=0.0),
        dtype=dtype,
    )


def teacher(inputs: int, samples: int) -> fn.Task:
    """Normal inputs, and on which side of a random plane they lie."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(samples, inputs))
    return fn.Task(x, (x @ rng.normal(size=inputs) > 0).astype(float))


def first_starts(sweep: fn.Sweep) -> tuple[np.ndarray, np.ndarray]:
    """Starts of all points, rows of the parameters and then of the fields that vary; and their numbers."""
    return starts_of(sweep, sweep.coordinates(), tuple(slice(0, n) for n in sweep.shape))


def sweep_run(sweep: fn.Sweep) -> Run:
    """A run of the kernel; returns the neuron-steps that counted and the final parameters."""
    fresh, numbers = first_starts(sweep)
    width = len(sweep.model.parameters)
    points = fresh.shape[1]
    outcome, period = np.empty(points, np.int8), np.empty(points, np.int32)
    steps, speed = np.empty(points, np.int32), np.empty(points, sweep.dtype)
    cancel, sums = np.zeros(1, np.uint8), sums_of(len(sweep.record), points, sweep.dtype)
    block = block_of(sweep)

    def run() -> tuple[float, np.ndarray]:
        starts = fresh.copy()
        taken = np.zeros(1, np.int64)
        run_tile(block, starts, numbers, taken, cancel, outcome, steps, speed, period, sums)
        return float(steps.sum(dtype=np.int64)), starts[:width]

    return run


def c_library(dtype: str, folder: str) -> ctypes.CDLL | None:
    """The functions of peer.c, or None where it cannot be built."""
    library = Path(folder) / "peer.so"
    compiler = shutil.which("gcc")
    if compiler is None:
        return None
    real = {"float64": "double", "float32": "float"}[dtype]
    command = [compiler, "-Ofast", "-march=native", f"-DREAL={real}", "-shared", "-fPIC"]
    source = str(Path(__file__).with_name("peer.c"))
    built = subprocess.run([*command, source, "-o", str(library), "-lmvec", "-lm"], capture_output=True)
    return None if built.returncode else ctypes.CDLL(str(library))


def address(array: np.ndarray) -> ctypes.c_void_p:
    """Where the numbers of an array lie."""
    return array.ctypes.data_as(ctypes.c_void_p)


def c_run(library: ctypes.CDLL, dtype: str) -> Run:
    """The inverter in C."""

    def run() -> tuple[float, np.ndarray]:
        b, w = grid(dtype)
        sizes = [ctypes.c_long(b.size), ctypes.c_long(STEPS)]
        library.descend_inverter(address(w), address(b), *sizes, ctypes.c_double(1.0))
        return float(b.size * STEPS), np.stack([w, b])

    return run


def c_task_run(library: ctypes.CDLL, sweep: fn.Sweep) -> Run:
    """Any task in C."""
    fresh, _ = first_starts(sweep)
    task, steps, points = sweep.task, sweep.stop.max_steps, fresh.shape[1]
    x, y = task.x.astype(sweep.dtype), task.y.astype(sweep.dtype)
    sizes = [ctypes.c_long(size) for size in (points, task.inputs, task.samples, steps)]

    def run() -> tuple[float, np.ndarray]:
        parameters = fresh.copy()
        library.descend_task(address(parameters), address(x), address(y), *sizes, ctypes.c_double(1.0))
        return float(points * steps), parameters

    return run


def peak_run(library: ctypes.CDLL, dtype: str, operation: str, rounds: int) -> Run:
    """Nothing but one operation, in registers; returns how many, and their results."""
    function = library[operation]
    function.restype = ctypes.c_long

    def run() -> tuple[float, np.ndarray]:
        numbers = np.linspace(0.7, 0.9, 640).astype(dtype)  # enough for the widest registers
        return float(function(address(numbers), ctypes.c_long(rounds))), numbers

    return run


def numpy_run(dtype: str) -> Run:
    """Vectorised NumPy with the gradient by hand."""

    def run() -> tuple[float, np.ndarray]:
        b, w = grid(dtype)
        one, half = b.dtype.type(1), b.dtype.type(0.5)
        for _ in range(FEWER):
            a0 = one / (one + np.exp(-b))
            a1 = one / (one + np.exp(-(w + b)))
            w -= half * a1
            b -= half * ((a0 - one) + a1)
        return float(b.size * FEWER), np.stack([w, b])

    return run


@numba.njit
def plain_descend(w, b, steps, one, half):
    """One point after the other; `one` and `half` have the dtype of the parameters."""
    for k in range(w.size):
        for _ in range(steps):
            a0 = one / (one + math.exp(-b[k]))
            a1 = one / (one + math.exp(-(w[k] + b[k])))
            w[k] -= half * a1
            b[k] -= half * ((a0 - one) + a1)


def numba_run(dtype: str) -> Run:
    """The obvious kernel in Numba."""

    def run() -> tuple[float, np.ndarray]:
        b, w = grid(dtype)
        plain_descend(w, b, FEWER, b.dtype.type(1), b.dtype.type(0.5))
        return float(b.size * FEWER), np.stack([w, b])

    return run


def jax_runs(dtype: str) -> dict[str, Run]:
    """JAX with the gradient by hand, and with `grad` of the loss of one neuron."""
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    try:
        import jax
    except ImportError:
        return {}
    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)

    def by_hand(_: Any, parameters: Any) -> Any:
        w, b = parameters
        a0 = jax.nn.sigmoid(b)
        a1 = jax.nn.sigmoid(w + b)
        return w - 0.5 * a1, b - 0.5 * ((a0 - 1) + a1)

    def loss(parameters: Any) -> Any:
        w, b = parameters
        return 0.5 * ((jax.nn.softplus(b) - b) + jax.nn.softplus(w + b))

    slopes = jax.vmap(jax.grad(loss))

    def by_grad(_: Any, parameters: Any) -> Any:
        return jax.tree.map(lambda p, slope: p - slope, parameters, slopes(parameters))

    def run_of(body: Callable[[Any, Any], Any]) -> Run:
        descend = jax.jit(lambda parameters: jax.lax.fori_loop(0, FEWER, body, parameters))

        def run() -> tuple[float, np.ndarray]:
            b, w = grid(dtype)
            return float(b.size * FEWER), np.stack(descend((w, b)))

        return run

    return {"JAX, gradient by hand": run_of(by_hand), "JAX, vmap(grad)": run_of(by_grad)}


def torch_run(dtype: str) -> Run | None:
    """torch.compile with the gradient by hand, or None where it cannot compile."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(1)

    @torch.compile
    def unrolled(w: Any, b: Any) -> Any:
        for _ in range(UNROLLED):
            a0 = torch.sigmoid(b)
            a1 = torch.sigmoid(w + b)
            w, b = w - 0.5 * a1, b - 0.5 * ((a0 - 1) + a1)
        return w, b

    def run() -> tuple[float, np.ndarray]:
        b, w = map(torch.from_numpy, grid(dtype))
        for _ in range(FEWER // UNROLLED):
            w, b = unrolled(w, b)
        return float(len(b) * FEWER), np.stack([w, b])

    try:
        run()
    except RuntimeError:  # what its compiler raises
        return None
    return run


def interleaved(runs: dict[str, Run], rounds: int) -> dict[str, list[float]]:
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


def agree(ours: Run, theirs: Run, dtype: str) -> None:
    """Make sure that two runs end at the same parameters; this also compiles both."""
    worst = float(np.abs(ours()[1] - theirs()[1]).max())
    if not worst < (1e-9 if dtype == "float64" else 1e-2):
        raise SystemExit(f"the peers disagree by {worst}")


def peers_of(dtype: str, library: ctypes.CDLL | None, full: bool) -> dict[str, Run]:
    """The peers on the inverter, found to agree with the kernel."""
    peers = {} if library is None else {"C": c_run(library, dtype)}
    slow = {"NumPy": numpy_run(dtype)}
    if full:
        slow |= {"plain Numba": numba_run(dtype), **jax_runs(dtype)}
        compiled = torch_run(dtype)
        slow |= {} if compiled is None else {"torch.compile": compiled}
    for steps, some in ((STEPS, peers), (FEWER, slow)):
        for run in some.values():
            agree(kernel_run(dtype, steps=steps), run, dtype)
    return peers | slow


def larger_runs(dtype: str, library: ctypes.CDLL) -> dict[str, Run]:
    """The larger tasks, here and in C, found to agree."""
    sweeps = {
        "101 samples": drawn_sweep(fn.tasks.flipped_step(101), dtype, steps=160),
        "64 inputs x 200 samples": drawn_sweep(teacher(64, 200), dtype, steps=32),
    }
    runs: dict[str, Run] = {}
    for name, sweep in sweeps.items():
        ours, theirs = sweep_run(sweep), c_task_run(library, sweep)
        agree(ours, theirs, dtype)
        runs |= {name: ours, f"{name} in C": theirs}
    return runs


def peak_rates(rates: dict[str, list[float]], dtype: str) -> list[float]:
    """The most neuron-steps a second in every round: the busier pipe decides, as both work at once."""
    pairs = zip(rates["multiply-adds"], rates["divisions"], strict=True)
    return [1 / max(MULTIPLY_ADDS[dtype] / adds, DIVISIONS / divisions) for adds, divisions in pairs]


def compare(dtype: str, rounds: int, full: bool = False) -> list[dict[str, Any]]:
    """All ratios for one dtype; those to Numba, JAX and torch, larger tasks and the peak only if `full`."""
    rates_axis = {"learning_rate": [1.0]}
    runs: dict[str, Run] = {
        "no stop": kernel_run(dtype),
        "early stops": kernel_run(dtype, tolerance=0.01),
        "learning rate an axis": kernel_run(dtype, varying=rates_axis),
        "gain": kernel_run(dtype, gain=1.5),  # one that no kernel is compiled for on its own
        "gain an axis": kernel_run(dtype, varying={"gain": [1.5]}),
        "L2": kernel_run(dtype, penalty=fn.L2(1e-3)),
        "strength an axis": kernel_run(dtype, penalty=fn.L2(1e-3), varying={"strength": [1e-3]}),
    }
    with tempfile.TemporaryDirectory() as folder:
        library = c_library(dtype, folder)
        peers = peers_of(dtype, library, full)
        runs |= peers
        if full and library is not None:
            runs |= larger_runs(dtype, library)
            runs["multiply-adds"] = peak_run(library, dtype, "multiply_adds", 4_000_000)
            runs["divisions"] = peak_run(library, dtype, "divisions", 400_000)
        rates = interleaved(runs, rounds)
    if "divisions" in rates:
        rates["peak"] = peak_rates(rates, dtype)
    return table(
        rates,
        {
            **{f"no stop / {peer}": ("no stop", peer) for peer in peers},
            **{f"{task} / C": (task, f"{task} in C") for task in ("101 samples", "64 inputs x 200 samples")},
            "early stops / no stop": ("early stops", "no stop"),
            "learning rate an axis / constant": ("learning rate an axis", "no stop"),
            "gain an axis / constant": ("gain an axis", "gain"),
            "penalty strength an axis / constant": ("strength an axis", "L2"),
            "share of the arithmetic peak": ("no stop", "peak"),
        },
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="fastneuron beside C, NumPy, Numba, JAX and torch")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--rounds", type=int, default=9, help="interleaved rounds (default 9)")
    options = parser.parse_args()
    results = {dtype: compare(dtype, options.rounds, full=True) for dtype in ("float64", "float32")}
    if options.json:
        print(json.dumps({"cpu": fn.info()["cpu_target"], "results": results}, indent=2))
        return
    print(f"{fn.info()['cpu']} ({fn.info()['cpu_target']}), one thread")
    for dtype, rows in results.items():
        print(f"\n{dtype:<38}{'ratio':>7}   middle half   M steps/s")
        for row in rows:
            span = f"{row['low']:.2f} .. {row['high']:.2f}"
            print(f"  {row['what']:<36}{row['ratio']:>7.2f}  {span:>13}  {row['million_steps']:>9.1f}")


if __name__ == "__main__":
    main()

"""Has anything become slower than the baseline? Ratios to a fixed workload, taken in the same moment.

    python bench/gate.py run [--out run.json] [--quick]    # measure
    python bench/gate.py compare run.json                  # Markdown table; exits 1 on a loss
    python bench/gate.py record run.json [run.json ...]    # put runs into the baseline
    python bench/gate.py check [--quick]                   # run, compare, measure again what looks lost

Every case runs between two runs of a calibration, and what counts is its processor time over theirs: the
machine's clock and load move both. docs/regression-gate.md says how well that works, and how to use this file
for another project: only what stands between the two lines of equals signs is of this one.
"""

from __future__ import annotations

import argparse
import functools
import gc
import importlib.metadata
import itertools
import json
import multiprocessing
import platform
import resource
import statistics
import subprocess
import sys
import time
import types
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numba
import numpy as np

BASELINE = Path(__file__).with_name("baseline.json")
THRESHOLD = 0.07  # share by which the ratio of a case may grow
OTHER_FAMILY = 0.5  # the same for all cases, against the baseline of another family
PROCESSES = 3  # how memory lies differs from one to the next, by up to a fifth of the speed
ROUNDS, QUICK_ROUNDS = 9, 5  # in each process
REPEATS = 2  # how often a case that looks lost is measured again, with twice the rounds


class Case(NamedTuple):
    """What is timed, the calibration that it is timed against, and the growth that is a loss."""

    work: Callable[[], Any]
    calibration: Callable[[], Any]
    threshold: float = THRESHOLD


@numba.njit
def _iterate(x: Any, steps: Any) -> None:
    for _ in range(steps):
        for i in range(len(x)):
            z = x[i]
            square = z * z
            top = 0.25 + square * (0.5 + square * (0.125 + square * (0.0625 + square * 0.03125)))
            x[i] = top / (1.0 + square * (1.0 + square * (0.5 + square * 0.25)))


def arithmetic() -> None:
    """Calibration for kernels: multiplications, additions and divisions within the first-level cache.

    Frozen: a change, however small, makes every baseline worthless.
    """
    _iterate(np.linspace(-1.0, 1.0, 1024), 4000)


def interpreter() -> None:
    """Calibration for Python code: calls, dictionaries, text and small arrays.

    Frozen: a change, however small, makes every baseline worthless.
    """
    table: dict[str, float] = {}
    for i in range(6000):
        key = f"{i % 101}:{i % 7}"
        table[key] = table.get(key, 0.0) + float(np.add(i, 1))
    image = np.arange(65536.0).reshape(256, 256)
    for _ in range(20):
        image = np.sqrt(image * 0.5 + 1.0)
    sorted(table.items(), key=lambda item: (item[1], item[0]))


def python(code: str) -> None:
    """Run code in a new Python process."""
    subprocess.run([sys.executable, "-c", code], check=True)


def import_numpy() -> None:
    """Calibration for imports: a new process that imports NumPy.

    Frozen: a change, however small, makes every baseline worthless.
    """
    python("import numpy")


# ======================================== the cases of this project ========================================

PACKAGES = ("fastneuron", "numba", "llvmlite", "numpy", "xarray", "matplotlib")


def processor() -> dict[str, str]:
    """Name and family of the processor; a baseline holds for a family."""
    import fastneuron as fn

    return {"cpu": fn.info()["cpu"], "family": fn.info()["cpu_target"]}


def cases() -> dict[str, Callable[[], Case]]:
    """What makes each case, by its name."""
    from fastneuron.optimizers import optimizers

    made: dict[str, Callable[[], Case]] = {"forward": _forward}
    for name in optimizers.classes:
        made[f"descent, {name}, float64"] = functools.partial(_descent, name, "float64")
    for name in ("gradient_descent", "momentum"):
        made[f"descent, {name}, float32"] = functools.partial(_descent, name, "float32")
    for dtype in ("float64", "float32"):
        made[f"early stops, {dtype}"] = functools.partial(_early_stops, dtype)
    rest = {"mini-batch": _mini_batch, "network": _network, "network, mini-batch": _network_mini_batch}
    rest |= {"whole map": _whole_map, "compile": _compile, "plot": _plot}
    return made | rest | {"import": _import}


def _forward() -> Case:
    import fastneuron as fn

    rng = np.random.default_rng(0)
    model, x = fn.Neuron(), np.linspace(0, 1, 100)
    parameters = {"weight": rng.normal(size=200), "bias": rng.normal(size=200)}

    def work() -> None:
        for _ in range(200):
            fn.forward(model, parameters, x)

    return Case(work, arithmetic)


def _descent(name: str, dtype: str) -> Case:
    import peers

    from fastneuron.optimizers import optimizers

    cls = optimizers.classes[name]
    others = dict.fromkeys(set(cls._fields) - set(cls._field_defaults), 0.5)
    return Case(peers.kernel_run(dtype, optimizer=cls(**others | {"learning_rate": 0.01})), arithmetic)


def _early_stops(dtype: str) -> Case:
    import peers

    return Case(peers.kernel_run(dtype, tolerance=0.01), arithmetic)


def _mini_batch() -> Case:
    import peers

    import fastneuron as fn

    return Case(peers.kernel_run("float64", batch=fn.MiniBatch(1), steps=300), arithmetic)


def _network() -> Case:
    """The trainability study in small: two layers, all samples in every step."""
    import fastneuron as fn

    sweep = fn.Sweep(
        task=fn.tasks.random_regression(8, 72),
        model=fn.Network((8, 8, 1), hidden=fn.Tanh(), output=fn.Identity(), bias=False, scale="mean_field"),
        optimizer=fn.GradientDescent(1.0),
        axes={"layer0.learning_rate": fn.geomspace(0.1, 1, 16), "layer1.learning_rate": [0.1, 1.0]},
        stop=fn.Stop(max_steps=400, tolerance=0.0, max_period=1),
        record={"loss_sum": fn.Sum(relative=1, clip=1e6)},
    )
    return Case(lambda: sweep.run(threads=1, progress=False), arithmetic)


def _network_mini_batch() -> Case:
    import fastneuron as fn

    sweep = fn.Sweep(
        task=fn.tasks.random_regression(16, 200, outputs=4),
        model=fn.Network((16, 16, 4), output=fn.Identity(), scale="fan_in"),
        optimizer=fn.GradientDescent(0.01),
        batch=fn.MiniBatch(10),
        draws=32,
        stop=fn.Stop(max_steps=800, tolerance=0.0),
    )
    return Case(lambda: sweep.run(threads=1, progress=False), arithmetic)


def _compile() -> Case:
    """A combination of components that was never compiled before, each time another."""
    import fastneuron as fn
    from fastneuron.engine.lowering import block_of
    from fastneuron.kernels.block import write_problem

    home = sys.modules.setdefault("compiled_anew", types.ModuleType("compiled_anew"))
    fresh = itertools.count(time.time_ns() % 2**50)  # exact as floats

    def work() -> None:
        shift = float(next(fresh))

        @fn.component
        class Shifted(fn.Activation):
            def value(self, z: Any) -> Any:
                return z + fn.constant(z, shift)

            def slope(self, z: Any, a: Any) -> Any:
                return fn.constant(z, 1.0)

        # a sweep names its components by module and name
        Shifted.__module__, Shifted.__qualname__ = home.__name__, "Shifted"
        vars(home)["Shifted"] = Shifted
        write_problem._cache.disable()
        block_of(
            fn.Sweep(
                task=fn.tasks.inverter(),
                model=fn.Neuron(activation=Shifted()),
                optimizer=fn.GradientDescent(1.0),
                axes={"bias": [0.0]},
            )
        )

    return Case(work, interpreter, threshold=0.25)


def _sweep() -> Any:
    import fastneuron as fn

    return fn.Sweep(
        task=fn.tasks.inverter(),
        optimizer=fn.GradientDescent(30.0),
        axes={"bias": fn.linspace(-20, 20, 256), "weight": fn.linspace(-20, 20, 256)},
        stop=fn.Stop(max_steps=500, tolerance=0.1),
    )


def _whole_map() -> Case:
    sweep = _sweep()
    # one thread: how two share the cores is the machine's affair
    return Case(lambda: sweep.run(threads=1, progress=False), arithmetic)


def _plot() -> Case:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    import fastneuron as fn

    result = _sweep().run(progress=False)

    def work() -> None:
        figure = Figure(layout="constrained")
        fn.plot.outcome(result, ax=figure.subplots())
        FigureCanvasAgg(figure).draw()

    return Case(work, interpreter, threshold=0.25)  # memory that others use counts as well


def _import() -> Case:
    return Case(lambda: python("import fastneuron, fastneuron.sweep"), import_numpy, threshold=0.25)


# ===========================================================================================================


def seconds(work: Callable[[], Any]) -> float:
    """Processor time of this process and of those that it starts and waits for."""

    def now() -> float:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.process_time() + children.ru_utime + children.ru_stime

    began = now()
    work()
    return now() - began


def timed(case: Case) -> list[float]:
    """The seconds of calibration, case, calibration."""
    return [seconds(work) for work in (case.calibration, case.work, case.calibration)]


def _measure(names: list[str], rounds: int) -> dict[str, dict[str, Any]]:
    """Of every case its threshold and, round by round, the seconds of calibration, case, calibration.

    One round more runs first and is not counted.
    """
    made = {name: make() for name, make in cases().items() if name in names}
    taken: dict[str, list[list[float]]] = {name: [] for name in made}
    for turn in range(rounds + 1):
        if turn == 1:  # what preparation left behind is no case's garbage
            gc.collect()
            gc.freeze()
        for name, case in made.items():
            each = timed(case)
            if turn:
                taken[name].append(each)
    return {name: {"threshold": made[name].threshold, "rounds": taken[name]} for name in made}


def summary(rounds: list[list[float]], threshold: float = THRESHOLD) -> dict[str, Any]:
    """What a run says of a case.

    `ratio` is that of the fastest case to the fastest calibration: a disturbance only ever adds time. `low`,
    `median` and `high` are the quartiles of the ratios within the rounds.
    """
    low, median, high = statistics.quantiles([2 * s / (b + a) for b, s, a in rounds], n=4)
    ratio = min(s for _, s, _ in rounds) / min(min(b, a) for b, _, a in rounds)
    return {
        "ratio": ratio,
        "low": low,
        "median": median,
        "high": high,
        "threshold": threshold,
        "rounds": rounds,
    }


def run(rounds: int, names: Iterable[str] | None = None) -> dict[str, Any]:
    """Measure all cases, or those named, in processes of their own, one after the other."""
    wanted = list(cases() if names is None else names)
    results = []
    for _ in range(PROCESSES):
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            results.append(pool.submit(_measure, wanted, rounds).result())
    summaries = {}
    for name in wanted:
        together = [each for result in results for each in result[name]["rounds"]]
        summaries[name] = summary(together, results[0][name]["threshold"])
    versions = {"python": platform.python_version()} | {p: importlib.metadata.version(p) for p in PACKAGES}
    return processor() | {"versions": versions, "cases": summaries}


class Row(NamedTuple):
    """One line of a comparison; `change` is the growth of the ratio, None without a baseline."""

    case: str
    baseline: float | None
    now: dict[str, Any]
    change: float | None
    verdict: str


class Comparison(NamedTuple):
    """The rows, and what is to be said beneath them."""

    rows: list[Row]
    notes: list[str]

    @property
    def lost(self) -> list[str]:
        """Names of the cases that are slower."""
        return [row.case for row in self.rows if row.verdict == "slower"]


def compare(measured: dict[str, Any], baseline: dict[str, Any]) -> Comparison:
    """Compare a run with the baseline of its processor family, or of another with a wider threshold.

    Raises
    ------
    ValueError
        If the baseline holds no family at all.
    """
    if not baseline:
        raise ValueError("the baseline is empty; record a run first")
    family, notes = measured["family"], []
    foreign = family not in baseline
    if foreign:
        other = min(baseline)
        notes.append(f"No baseline for {family}: compared with that of {other}, {OTHER_FAMILY:.0%} allowed.")
        family = other
    entry = baseline[family]
    changed = [
        f"{package} {entry['versions'].get(package)} to {version}"
        for package, version in measured["versions"].items()
        if entry["versions"].get(package) != version
    ]
    if changed:
        notes.append(f"Versions differ from the baseline's: {', '.join(changed)}.")
    missing = [name for name in entry["cases"] if name not in measured["cases"]]
    if missing:
        notes.append(f"Not measured: {'; '.join(missing)}.")
    rows = []
    for name, now in measured["cases"].items():
        if name not in entry["cases"]:
            rows.append(Row(name, None, now, None, "new"))
            continue
        before = entry["cases"][name]["ratio"]
        change = now["ratio"] / before - 1
        threshold = OTHER_FAMILY if foreign else now["threshold"]
        verdict = "slower" if change > threshold else "faster" if change < -threshold else "same"
        rows.append(Row(name, before, now, change, verdict))
    return Comparison(rows, notes)


def table(comparison: Comparison) -> str:
    """A comparison in Markdown."""
    lines = ["| case | baseline | now | change | verdict | rounds |", "|---|--:|--:|--:|---|--:|"]
    for row in comparison.rows:
        before = "" if row.baseline is None else f"{row.baseline:.3f}"
        change = "" if row.change is None else f"{row.change:+.1%}"
        rounds = f"{row.now['median']:.3f} ({row.now['low']:.3f} to {row.now['high']:.3f})"
        now = f"{row.now['ratio']:.3f}"
        lines.append(f"| {row.case} | {before} | {now} | {change} | {row.verdict} | {rounds} |")
    return "\n\n".join(["\n".join(lines), *comparison.notes])


def recorded(baseline: dict[str, Any], runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The baseline with an entry for the family of the runs: in each case the medians over the runs.

    Raises
    ------
    ValueError
        If the runs are of several families.
    """
    families = {each["family"] for each in runs}
    if len(families) != 1:
        raise ValueError(f"the runs must be of one processor family, got {', '.join(sorted(families))}")
    entry = {
        "cpu": runs[-1]["cpu"],
        "versions": runs[-1]["versions"],
        "cases": {
            name: {
                key: round(statistics.median(each["cases"][name][key] for each in runs), 4)
                for key in ("ratio", "low", "median", "high")
            }
            for name in runs[-1]["cases"]
        },
    }
    return baseline | {families.pop(): entry}


def check(rounds: int, baseline: dict[str, Any]) -> Comparison:
    """Run and compare; a case is slower only if it is in every repetition too."""
    measured = run(rounds)
    comparison = compare(measured, baseline)
    for _ in range(REPEATS):
        if not comparison.lost:
            break
        measured["cases"] |= run(2 * rounds, comparison.lost)["cases"]
        comparison = compare(measured, baseline)
    return comparison


def read(path: Path) -> dict[str, Any]:
    """A JSON file; nothing where there is none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="performance against a recorded baseline")
    commands = parser.add_subparsers(dest="command", required=True)
    parts = {
        "run": commands.add_parser("run", help="measure and write the result"),
        "compare": commands.add_parser("compare", help="a run beside the baseline; exits 1 on a loss"),
        "record": commands.add_parser("record", help="put runs into the baseline"),
        "check": commands.add_parser("check", help="run, compare, and measure again what looks lost"),
    }
    parts["run"].add_argument("--out", type=Path, default=Path("run.json"))
    parts["compare"].add_argument("run", type=Path)
    parts["record"].add_argument("run", type=Path, nargs="+")
    for name in ("run", "check"):
        parts[name].add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds, not {ROUNDS}")
    for name in ("compare", "record", "check"):
        parts[name].add_argument("--baseline", type=Path, default=BASELINE)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; returns the exit status."""
    options = parsed(arguments)
    if options.command == "record":
        runs = [read(path) for path in options.run]
        write(options.baseline, recorded(read(options.baseline), runs))
        return 0
    if options.command == "compare":
        comparison = compare(read(options.run), read(options.baseline))
    else:
        rounds = QUICK_ROUNDS if options.quick else ROUNDS
        if options.command == "run":
            write(options.out, run(rounds))
            return 0
        comparison = check(rounds, read(options.baseline))
    print(table(comparison))
    return 1 if comparison.lost else 0


if __name__ == "__main__":
    sys.exit(main())

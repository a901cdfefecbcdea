"""What this installation runs on, and filling its compile cache ahead of time."""

from __future__ import annotations

import itertools
import os
import platform
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, cast

import fastneuron
from fastneuron.kernels.cache import cache_folder
from fastneuron.result import cpu_name

if TYPE_CHECKING:
    from fastneuron.losses import Loss


def info() -> dict[str, Any]:
    """What a bug report should say: versions, processor, threads, and the compile cache.

    Returns
    -------
    dict of str to str, int or bool
        The versions of ``fastneuron``, ``python`` and what it stands on; ``platform``; ``cpu``,
        ``cpu_target`` (the compiler's name of it), ``vector_bits`` and ``fused_multiply_add``; ``cores`` that
        this process may use; ``cache_folder``, ``cache_writable``, ``cached_kernels`` and ``cache_bytes``.

    See Also
    --------
    warmup : Fills the compile cache.

    Examples
    --------
    >>> import fastneuron as fn
    >>> fn.info()["fastneuron"] == fn.__version__
    True
    """
    import llvmlite.binding as llvm

    features = llvm.get_host_cpu_features()
    widths = {"avx512f": 512, "avx": 256, "sse2": 128}
    folder = cache_folder()
    entries = [] if folder is None else _sizes(folder)
    return {
        "fastneuron": fastneuron.__version__,
        "python": platform.python_version(),
        **{name: _version(name) for name in ("numba", "llvmlite", "numpy", "scipy", "xarray", "zarr")},
        "platform": platform.platform(),
        "cpu": cpu_name(),
        "cpu_target": llvm.get_host_cpu_name(),
        "vector_bits": next((bits for name, bits in widths.items() if features.get(name)), 128),
        "fused_multiply_add": bool(features.get("fma")) or platform.machine() in {"arm64", "aarch64"},
        "cores": len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count(),
        "cache_folder": "none (no home folder; set NUMBA_CACHE_DIR)" if folder is None else str(folder),
        "cache_writable": folder is not None and _writable(folder),
        "cached_kernels": len(entries),
        "cache_bytes": sum(entries),
    }


def warmup(progress: bool | None = None) -> int:
    """Compile the usual combinations, so that later runs start at once.

    These are the inverter and the two-input gates, sigmoid, squared error and cross-entropy, gradient
    descent, over weights and biases, float64 and float32, with trajectories and forward passes. Each dtype is
    compiled in a process of its own, side by side.

    Parameters
    ----------
    progress : bool, optional
        Whether to show progress. Default: shown on a terminal or in a notebook.

    Returns
    -------
    int
        Kernels that were compiled and are now in the cache, 0 or more.

    Raises
    ------
    ChildProcessError
        If a process fails, with what it said last.
    ValueError
        If `progress` is none of those.

    See Also
    --------
    info : Where the compile cache is, and how full.

    Examples
    --------
    >>> import fastneuron as fn
    >>> compiled = fn.warmup(progress=False)
    >>> fn.info()["cached_kernels"] >= compiled
    True
    """
    from fastneuron.engine.progress import reporting
    from fastneuron.training import DTYPES

    before, total = info()["cached_kernels"], len(_USUAL) * len(DTYPES)
    with reporting(progress, total) as report, ThreadPoolExecutor(len(DTYPES)) as pool:
        running: set[subprocess.Popen[str]] = set()
        ends: SimpleQueue[Exception | None] = SimpleQueue()
        for dtype in DTYPES:
            pool.submit(_compile_apart, running, ends, dtype)
        try:
            for done in range(1, total + 1):
                if error := ends.get():
                    raise error
                report(done, total)
        except BaseException:
            for process in list(running):
                process.terminate()
            raise
    return int(info()["cached_kernels"]) - int(before)


_COMPILING = """
import sys
sys.path[:] = sys.argv[2:]
from fastneuron.engine.environment import compile_usual
compile_usual(sys.argv[1])
"""
# task, loss
_USUAL = list(itertools.product(("inverter", "nand"), ("squared_error", "cross_entropy")))


def _compile_apart(
    running: set[subprocess.Popen[str]], ends: SimpleQueue[Exception | None], dtype: str
) -> None:
    """Compile all combinations in another process: this one can only compile one thing at a time.

    While it runs, the process is in `running`. Each combination that is done, and an error, goes to `ends`.
    """
    command = [sys.executable, "-c", _COMPILING, dtype, *sys.path]
    try:
        with (
            tempfile.TemporaryFile("w+") as said,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True) as process,
        ):
            running.add(process)
            assert process.stdout
            for _ in process.stdout:
                ends.put(None)
            running.discard(process)
            if process.wait():
                said.seek(0)
                last = (said.read().strip().splitlines() or [f"exit code {process.returncode}"])[-1]
                raise ChildProcessError(f"compiling for {dtype}: {last}")
    except Exception as error:
        ends.put(error)


def compile_usual(dtype: str) -> None:
    """Compile the kernels of the usual combinations: a map, a trajectory, a forward pass; a line for each."""
    import numpy as np

    from fastneuron import tasks
    from fastneuron.axes import linspace
    from fastneuron.engine.local import run
    from fastneuron.engine.response import forward
    from fastneuron.engine.trajectories import descend
    from fastneuron.losses import losses
    from fastneuron.models import Neuron
    from fastneuron.optimizers import GradientDescent
    from fastneuron.outcomes import Stop
    from fastneuron.sweep import Sweep

    for task, loss in _USUAL:
        sweep = Sweep(
            task=tasks.from_spec({"name": task}),
            loss=cast("Loss", losses.from_spec(loss, "loss")),
            optimizer=GradientDescent(1.0),
            axes={"bias": linspace(0, 1, 2)},
            stop=Stop(max_steps=2),
            dtype=dtype,
        )
        run(sweep, progress=False)
        model = Neuron(sweep.task.inputs)
        parts: dict[str, Any] = {"loss": sweep.loss, "optimizer": sweep.optimizer, "dtype": dtype}
        descend(sweep.task, model, start={}, steps=1, **parts)
        forward(model, dict.fromkeys(model.parameters, np.zeros(1, dtype)), sweep.task.x)
        print(flush=True)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _sizes(folder: Path) -> list[int]:
    """The bytes of each entry of the cache."""
    found = []
    try:
        for entry in folder.glob("*.bin"):
            found.append(entry.stat().st_size)
    except OSError:  # not ours to read, or emptied meanwhile
        pass
    return found


def _writable(folder: Path) -> bool:
    """Whether a file can be made in a folder, or in that in which it would be made."""
    place = folder.absolute()
    try:
        while not place.exists():
            place = place.parent
        with tempfile.TemporaryFile(dir=place):
            return True
    except OSError:
        return False

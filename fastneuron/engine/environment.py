"""What this installation runs on, and filling its compile cache ahead of time."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import fastneuron
from fastneuron.kernels.cache import cache_folder
from fastneuron.result import cpu_name


def info() -> dict[str, Any]:
    """What a bug report should say: versions, processor, threads, and the compile cache.

    Examples
    --------
    >>> info()["fastneuron"] == fastneuron.__version__
    True
    """
    import llvmlite.binding as llvm

    features = llvm.get_host_cpu_features()
    widths = {"avx512f": 512, "avx": 256, "sse2": 128}
    folder = cache_folder()
    entries = list(folder.glob("*.bin")) if folder.is_dir() else []
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
        "cache_folder": str(folder),
        "cache_writable": _writable(folder),
        "cached_kernels": len(entries),
        "cache_bytes": sum(entry.stat().st_size for entry in entries),
    }


def warmup(progress: bool | None = None) -> int:
    """Compile the usual combinations, so that later runs start at once; the number of kernels compiled.

    These are the inverter and the two-input gates, sigmoid, squared error and cross-entropy, gradient
    descent, over weights and biases, float64 and float32, with trajectories and forward passes.
    """
    from fastneuron import tasks
    from fastneuron.axes import linspace
    from fastneuron.engine.local import run
    from fastneuron.engine.progress import reporting
    from fastneuron.engine.response import forward
    from fastneuron.engine.trajectories import descend
    from fastneuron.losses import CrossEntropy, SquaredError
    from fastneuron.models import Neuron
    from fastneuron.optimizers import GradientDescent
    from fastneuron.outcomes import Stop
    from fastneuron.sweep import Sweep

    before = info()["cached_kernels"]
    jobs = [
        (task, loss, dtype)
        for task in (tasks.inverter(), tasks.gate("nand"))
        for loss in (SquaredError(), CrossEntropy())
        for dtype in ("float64", "float32")
    ]
    with reporting(progress, len(jobs)) as report:
        for done, (task, loss, dtype) in enumerate(jobs):
            report(done, len(jobs))
            optimizer = GradientDescent(1.0)
            sweep = Sweep(
                task=task,
                loss=loss,
                optimizer=optimizer,
                axes={"bias": linspace(0, 1, 2)},
                stop=Stop(max_steps=2),
                dtype=dtype,
            )
            run(sweep, progress=False)
            model = Neuron(task.inputs)
            descend(task, model, loss=loss, optimizer=optimizer, start={}, steps=1, dtype=dtype)
            forward(model, {}, task.x)
    return int(info()["cached_kernels"]) - int(before)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _writable(folder: os.PathLike[str]) -> bool:
    place = os.fspath(folder)
    while not os.path.exists(place):
        place = os.path.dirname(place)
    return os.access(place, os.W_OK)

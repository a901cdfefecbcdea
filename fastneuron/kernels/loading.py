"""Loading Numba, where its environment variables let it compile.

Numba says of most wrong values nothing, or nothing that names the variable. Here each is one line. It reads
the same settings from a file in the current folder.
"""

from __future__ import annotations

import os
import subprocess
import sys
import warnings

from fastneuron.components import shown
from fastneuron.kernels.apart import apart

_FILE = ".numba_config.yaml"
_ITS_FILE = f"{_FILE} in the current folder, which Numba reads,"
_PROCESSOR = ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES")
_LOOK = """
import sys, llvmlite.binding as llvm
llvm.initialize_native_target()
llvm.Target.from_default_triple().create_target_machine(cpu=sys.argv[1], features=sys.argv[2])
"""


def load_numba() -> None:
    """Import Numba.

    Raises
    ------
    ValueError
        Naming the environment variable, its value and what is allowed; or the file.
    """
    _check_processor()
    threads = os.environ.get("NUMBA_NUM_THREADS")
    if threads is not None and not (threads.strip().isdecimal() and int(threads[:20]) > 0):
        raise _refused("NUMBA_NUM_THREADS", "must be a whole number of 1 or more")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            apart(_import)
        except Exception as error:
            if not os.path.exists(_FILE):
                raise
            reason = " ".join(str(error).split())
            raise ValueError(f"{_ITS_FILE} is wrong: {reason}") from None
    for warning in told:
        text = str(warning.message)
        if text.startswith("Environment variable 'NUMBA_"):
            reason = text.strip().splitlines()[-1].partition(": ")[2]
            raise _refused(text.split("'")[1], f"cannot be read by Numba ({reason})")
    from numba import config

    if config.DISABLE_JIT:  # type: ignore[attr-defined]
        raise _refused("NUMBA_DISABLE_JIT", "must be 0, since fastneuron runs compiled code alone")


def _import() -> None:
    import numba as numba


def _refused(name: str, reason: str) -> ValueError:
    if name not in os.environ:
        key = name.removeprefix("NUMBA_").lower()
        return ValueError(f"{key} in {_ITS_FILE} {reason}")
    value = shown(os.environ[name])
    return ValueError(f"environment variable {name} {reason}, got {value}; unset it (unset {name})")


def _check_processor() -> None:
    """Ask LLVM, which tells only standard error, whether it knows the processor that the variables name."""
    given = [name for name in _PROCESSOR if os.environ.get(name)]
    if not given:
        return
    words = [os.environ.get(name, "") for name in _PROCESSOR]
    words[0] = "" if words[0] == "host" else words[0]
    command = [sys.executable, "-c", _LOOK, *words]
    asked = subprocess.run(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, check=False)
    said = asked.stderr.decode(errors="replace").strip().splitlines()
    if asked.returncode < 0:  # LLVM has aborted
        raise _refused(given[-1], "must be features with + or - before each, as +avx2,-avx512f")
    if asked.returncode or said:
        reason = shown(said[-1]) if said else f"exit code {asked.returncode}"
        name = _PROCESSOR["feature" in reason]
        raise _refused(name, f"is nothing that the compiler knows ({reason})")

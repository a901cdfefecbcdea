"""Processes that are forked from one which has their modules loaded.

For what needs a process of its own, but not that its modules are imported in it, which takes longer than
most of it. As a script this is the process that they are forked from: it reads one call a line, as JSON, and
answers each with the exit code.
"""

from __future__ import annotations

import importlib
import json
import multiprocessing
import os
import select
import subprocess
import sys
import tempfile
import types
import warnings
from collections.abc import Callable
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Any

PATIENCE = 500  # seconds


class Forks:
    """Calls of one function, each in a process, an empty standard input and a folder of its own.

    Parameters
    ----------
    function : str
        ``module:function``; what it returns is the exit code.
    loaded : list of str
        The modules that are loaded before.
    options : list of str
        Those of Python.
    environment : str
        Variables that differ from those of this process.
    """

    def __init__(self, function: str, loaded: list[str], *options: str, **environment: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *options, __file__, function, *loaded],
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Forks:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.__exit__(*error)

    def call(self, folder: Path, *given: object) -> subprocess.CompletedProcess[str]:
        """The exit code and what is printed."""
        asked, answered = self._process.stdin, self._process.stdout
        assert asked and answered
        with tempfile.TemporaryDirectory() as place:
            files = [Path(place, "stdout"), Path(place, "stderr")]
            print(json.dumps([str(folder), *map(str, files), given]), file=asked, flush=True)
            if not select.select([answered], [], [], PATIENCE)[0]:
                self._process.kill()
            code = answered.readline()
            printed = [file.read_text() if file.exists() else "" for file in files]
        assert code, f"no answer within {PATIENCE} s: {printed}"
        return subprocess.CompletedProcess(list(map(str, given)), int(code), *printed)


def forked(work: Callable[..., object], *given: object) -> ForkProcess:
    """A process of its own that does this work."""
    process = multiprocessing.get_context("fork").Process(target=work, args=given)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads, which NumPy keeps ready
        process.start()
    return process


def code_of(process: ForkProcess) -> int:
    """The exit code of a process, once it has ended."""
    process.join()
    return int(process.exitcode or 0)


def python(code: str, folders: list[str], variables: dict[str, str]) -> int:
    """``python -c CODE`` with these variables, which finds modules in these folders first."""
    os.environ.update(variables)
    sys.path[:0] = folders
    session = sys.modules["__main__"] = types.ModuleType("__main__")
    exec(code, vars(session))
    return 0


def _work(function: Callable[..., int], folder: str, stdout: str, stderr: str, given: list[Any]) -> None:
    os.chdir(folder)
    for stream, path in ((sys.stdout, stdout), (sys.stderr, stderr)):
        with open(path, "w") as file:
            os.dup2(file.fileno(), stream.fileno())
    sys.exit(function(*given))


def _serve(name: str, *loaded: str) -> None:
    for module in loaded:
        importlib.import_module(module)
    module, _, function = name.partition(":")
    work = getattr(importlib.import_module(module), function)
    for call in iter(sys.stdin.readline, ""):
        print(code_of(forked(_work, work, *json.loads(call))), flush=True)


if __name__ == "__main__":
    _serve(*sys.argv[1:])

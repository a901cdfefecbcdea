"""What holds for all tests."""

import gc
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from fastneuron.cli.main import main

settings.register_profile("untimed", deadline=None)  # how fast something is, bench/ says
settings.load_profile("untimed")


def pytest_configure(config: pytest.Config) -> None:
    """Keep bytecode apart where none may be written beside the sources: many processes read these."""
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", "") and "PYTHONPYCACHEPREFIX" not in os.environ:
        folder = os.environ["PYTHONPYCACHEPREFIX"] = tempfile.mkdtemp(prefix="fastneuron-bytecode-")
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


def pytest_collection_finish() -> None:
    """Have the collector look no more at what stays to the end, modules and thousands of tests."""
    gc.collect()
    gc.freeze()


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run one command in an empty folder; exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> tuple[int, str, str]:
        code = main(words)
        done = capsys.readouterr()
        return code, done.out, done.err

    return call

"""Who may import whom, and what an import loads."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import fastneuron
from fastneuron.fingerprint import COMPILED, PACKAGE

# a module or folder may import from its own line and from the lines above
LAYERS = [
    {"elementary", "files", "fingerprint"},
    {"components", "arrays"},
    {
        "activations",
        "axes",
        "batches",
        "chosen",
        "optimizers",
        "outcomes",
        "penalties",
        "reducers",
        "starts",
        "tables",
        "toml",
    },
    {"losses"},
    {"tasks", "models"},
    {"derivatives", "places", "rehearsal", "selection", "spec", "sweep", "training"},
    {"kernels"},
    {"result"},
    {"store"},
    {"engine"},
    {"measures"},
    {"plot"},
    {"figures"},
    {"cli"},
    {"__main__", "sphinx"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
# Sweep.run is where the description meets the machine
EXCEPTIONS = {("sweep", "engine")}
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def place(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """The modules and folders of the package that a file imports from, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "fastneuron" and len(parts) > 1 and parts[1] != "__version__":
                yield fastneuron._HOMES.get(parts[1], parts[1]).partition(".")[0]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_imports_only_from_its_own_layer_and_those_above(path: Path) -> None:
    own = place(path)
    assert own in LEVEL, f"{own} has no place in LAYERS"
    for name in imported(path):
        assert name in LEVEL, f"{own} imports {name}, which has no place in LAYERS"
        assert LEVEL[name] <= LEVEL[own] or (own, name) in EXCEPTIONS, f"{own} imports {name}"


def test_machine_code_depends_on_no_file_that_its_fingerprint_leaves_out() -> None:
    holding = [place(path) for path in FILES if "\n@component\n" in path.read_text(encoding="utf-8")]
    pending, seen = ["kernels", *holding], set()
    while pending:
        name = pending.pop()
        if name not in seen:
            seen.add(name)
            for path in FILES:
                if place(path) == name:
                    pending.extend(imported(path))
    assert seen == set(COMPILED)


def test_every_layer_is_there() -> None:
    assert {place(path) for path in FILES} == set(LEVEL)


@pytest.mark.parametrize("module", ["fastneuron", "fastneuron.cli.main"])
def test_import_loads_nothing_heavy(module: str) -> None:
    heavy = ["numpy", "numba", "scipy", "xarray", "zarr", "matplotlib", "pandas"]
    code = f"import sys, {module}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_exists() -> None:
    for name in [*fastneuron.__all__, "open"]:
        assert getattr(fastneuron, name) is not None

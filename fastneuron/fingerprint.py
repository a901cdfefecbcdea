"""The fingerprints of this package: what is cached is stale once they have changed."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent

COMPILED = (
    "kernels", "activations", "batches", "components", "elementary", "fingerprint", "losses", "models",
    "optimizers", "outcomes", "penalties", "reducers", "starts",
)  # fmt: skip
"""The files and folders that machine code can depend on: kernels/, the files
of components, and what these import (a test holds it)."""


@functools.cache
def package_fingerprint() -> str:
    """SHA-256 over all the package's Python sources."""
    return _digest_of(PACKAGE.rglob("*.py"))


@functools.cache
def compiled_fingerprint() -> str:
    """SHA-256 over the Python sources that machine code can depend on."""
    files = (PACKAGE / f"{name}.py" for name in COMPILED if name != "kernels")
    return _digest_of([*files, *(PACKAGE / "kernels").rglob("*.py")])


def _digest_of(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(str(path.relative_to(PACKAGE)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()

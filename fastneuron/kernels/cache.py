"""The disk cache of compiled kernels: never stale, hit by every later process.

Numba's own cache trusts a file's time and size, so an edit in a file that is only imported leaves
stale machine code, and two processes may overwrite each other's entries. Here an entry's name is the
hash of everything that went into it: the sources of this package that kernels use, the code of every
component class outside it (`fastneuron.fingerprint`), the argument types, the CPU and the versions. An entry
is written beside its place and then renamed, and carries a checksum.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
from numba import types
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.misc.appdirs import user_cache_dir

from fastneuron.fingerprint import class_fingerprint, class_loaded, class_name, compiled_fingerprint


def cache_folder() -> Path | None:
    """Where entries live: ``fastneuron-kernels`` in ``$NUMBA_CACHE_DIR`` or the user's cache folder.

    None where there is no such folder: a user without a home. A relative ``$XDG_CACHE_HOME`` does not count,
    as its standard says, nor does a relative home.
    """
    given = os.environ.get("NUMBA_CACHE_DIR")
    if given:
        return Path(os.path.expanduser(given)) / "fastneuron-kernels"
    for folder in (user_cache_dir("fastneuron", False), _home_in_password_file(".cache", "fastneuron")):
        if os.path.isabs(folder):
            return Path(folder) / "fastneuron-kernels"
    return None


def _home_in_password_file(*below: str) -> str:
    """A folder below the user's home, whatever the environment says; a relative one where there is none."""
    try:
        import pwd

        return os.path.join(pwd.getpwuid(os.getuid()).pw_dir, *below)
    except (ImportError, KeyError):
        return ""


class KernelCache(_Cache):
    """What a dispatcher asks for machine code before it compiles."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._enabled = True

    @property
    def cache_path(self) -> str:
        return str(cache_folder() or "")

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The compiled function for `sig`, or None."""
        place = self._place(sig, target_context)
        if place is None:
            return None
        try:
            checksum, _, payload = place.read_bytes().partition(b"\n")
        except OSError:
            return None
        if hashlib.sha256(payload).hexdigest().encode() != checksum:
            return None
        target_context.refresh()
        return CompileResult._rebuild(target_context, *pickle.loads(payload))

    def save_overload(self, sig: Any, data: Any) -> None:
        """Write the compiled function; a folder that cannot be written means no cache."""
        place = self._place(sig, data.target_context)
        if place is None:
            return
        try:
            payload = pickle.dumps(data._reduce())
        except (AttributeError, pickle.PicklingError):
            return  # a class inside a function, which no other process finds either
        checksum = hashlib.sha256(payload).hexdigest().encode()
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=place.parent, suffix=".partial")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(checksum + b"\n" + payload)
                os.replace(name, place)
            except BaseException:
                os.unlink(name)
                raise
        except OSError:
            return

    def enable(self) -> None:
        self._enabled = True

    def disable(self) -> None:
        self._enabled = False

    def flush(self) -> None:
        """Nothing to do: a changed source has other names."""

    def _place(self, sig: Any, target_context: Any) -> Path | None:
        classes = list(component_classes(sig))
        folder = cache_folder()
        if folder is None or not self._enabled or not all(map(_is_found, classes)):
            return None
        parts = [
            f"{self._function.__module__}.{self._function.__qualname__}",
            compiled_fingerprint(),
            str(sig),
            repr(target_context.codegen().magic_tuple()),
            sys.version,
            numba.__version__,
            llvmlite.__version__,
            str(numba.config.OPT),  # type: ignore[attr-defined]
            np.__version__,
            *(f"{cls.__module__}.{cls.__qualname__} {class_fingerprint(cls)}" for cls in classes),
        ]
        name = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]
        return folder / f"{self._function.__name__}-{name}.bin"


def component_classes(sig: Any) -> Iterator[Any]:
    """The component classes among the argument types of a signature, in order."""
    pending: list[Any] = list(sig if isinstance(sig, tuple) else sig.args)
    while pending:
        argument = pending.pop(0)
        if hasattr(argument, "instance_class"):
            yield argument.instance_class
        pending.extend(getattr(argument, "types", ()) if isinstance(argument, types.BaseTuple) else ())


def _is_found(cls: type) -> bool:
    """Whether another process finds a class by its name: not that of a script, nor one that was replaced."""
    return cls.__module__ != "__main__" and class_loaded(class_name(cls)) is cls

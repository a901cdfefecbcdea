"""The disk cache of compiled kernels: never stale, hit by every later process.

Numba's own cache trusts a file's time and size, so an edit in a file that is only imported leaves
stale machine code, and two processes may overwrite each other's entries. Here an entry's name is the
hash of everything that went into it: the sources of this package that kernels use, the code of every
component class outside it (with what its module refers to), the argument types, the CPU and the versions. An
entry is written beside its place and then renamed, and carries a checksum.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
import tempfile
import types as python_types
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

from fastneuron.fingerprint import compiled_fingerprint


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
        if folder is None or not self._enabled or any(cls.__module__ == "__main__" for cls in classes):
            return None  # a class of a script has no name that another process could find it by
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


def class_fingerprint(cls: type) -> str:
    """What the machine code of a component class depends on, outside this package.

    All code and constants, as they are loaded, of the module of the class and its bases, and of whatever
    modules these refer to; other installed packages count by their version.
    """
    digest = hashlib.sha256()
    pending = [base.__module__ for base in cls.__mro__]
    own = {name.partition(".")[0] for name in pending}
    seen = set()
    while pending:
        name = pending.pop(0)
        module = sys.modules.get(name)
        if module is None or name in seen or name.partition(".")[0] in _TRUSTED:
            continue
        seen.add(name)
        package = name.partition(".")[0]
        versions = [getattr(found, "__version__", "") for found in (module, sys.modules.get(package))]
        digest.update(f"module {name} {versions}\n".encode())
        if package in own or not _INSTALLED & set(Path(getattr(module, "__file__", None) or "").parts):
            for key, value in sorted(vars(module).items()):
                if not key.startswith("__"):
                    _digest_value(digest, key, value, pending)
    return digest.hexdigest() if seen else ""


_TRUSTED = {"fastneuron", "numpy", "numba", *sys.stdlib_module_names}  # their versions are in every key
_INSTALLED = {"site-packages", "dist-packages"}
_PLAIN = (bool, int, float, complex, str, bytes, np.generic, type(None))


def _digest_value(digest: Any, name: str, value: Any, pending: list[str], depth: int = 0) -> None:
    """Add a value of a module or class; the modules that it comes from become `pending`."""
    digest.update(f"{name}: {type(value).__name__} {getattr(value, 'targetoptions', '')}\n".encode())
    value = getattr(value, "py_func", value)
    if isinstance(value, _PLAIN):
        digest.update(repr(value).encode())
    elif isinstance(value, python_types.ModuleType):
        pending.append(value.__name__)
    elif isinstance(value, python_types.FunctionType):
        pending.append(value.__module__)
        _digest_code(digest, value.__code__)
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        for item in (*cells, *(value.__defaults__ or ())):
            if depth < 3:
                _digest_value(digest, name, item, pending, depth + 1)
    elif isinstance(value, type):
        pending.append(value.__module__)
        for key, member in sorted(vars(value).items()):
            wanted = (*_PLAIN, tuple, python_types.FunctionType)
            if depth == 0 and isinstance(member, wanted):
                _digest_value(digest, key, member, pending, depth + 1)
    elif isinstance(value, tuple | list):
        for item in value:
            if depth < 3:
                _digest_value(digest, name, item, pending, depth + 1)
    elif isinstance(value, np.ndarray):
        digest.update(f"{value.dtype} {value.shape}".encode() + value.tobytes())
    else:  # a built-in function, a ufunc, ...: known by its name
        known = getattr(value, "__qualname__", getattr(value, "__name__", type(value).__qualname__))
        digest.update(f"{getattr(value, '__module__', '')}.{known}".encode())


def _digest_code(digest: Any, code: python_types.CodeType) -> None:
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_argcount)
    digest.update(code.co_code + repr(names).encode())
    for constant in code.co_consts:
        if isinstance(constant, python_types.CodeType):
            _digest_code(digest, constant)
        else:
            digest.update(repr(constant).encode())

"""Fingerprints of code: of this package, and of a component class from outside it.

The fingerprint of a class is a SHA-256 over all that its results can depend on, as it is loaded: its fields,
its methods and constants and those of its bases, and whatever these refer to by name, at any depth: helper
functions, compiled ones too, constants in containers, attributes of modules. Nothing else in the modules
counts, nor do comments, docstrings, line numbers, file names and the names of modules. This package, NumPy,
Numba and the standard library count by name, other installed packages by name and version. Bytecode differs
between versions of Python, so fingerprints are compared within one (`PYTHON`) only.
"""

from __future__ import annotations

import collections
import dis
import enum
import functools
import hashlib
import importlib
import json
import sys
import sysconfig
import types
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

PACKAGE = Path(__file__).resolve().parent

COMPILED = (
    "kernels", "activations", "batches", "components", "elementary", "fingerprint", "losses", "models",
    "optimizers", "outcomes", "penalties", "reducers", "starts",
)  # fmt: skip
"""The files and folders that machine code can depend on: kernels/, the files
of components, and what these import (a test holds it)."""

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


@functools.cache
def package_fingerprint() -> str:
    """SHA-256 over all the package's Python sources."""
    return _digest_of(PACKAGE.rglob("*.py"))


@functools.cache
def compiled_fingerprint() -> str:
    """SHA-256 over the Python sources that machine code can depend on."""
    return _digest_of(
        path for name in COMPILED for path in (*PACKAGE.glob(f"{name}.py"), *PACKAGE.glob(f"{name}/**/*.py"))
    )


def _digest_of(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(str(path.relative_to(PACKAGE)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def class_fingerprint(cls: type) -> str:
    """SHA-256 of the code of a component class; "" for a class of this package."""
    if _name_of_class(cls).startswith("fastneuron."):
        return ""
    return _digested([cls], frozenset(str(base.__module__).partition(".")[0] for base in cls.__mro__))


def class_name(cls: type) -> str:
    """``module:Class``."""
    return f"{cls.__module__}:{cls.__qualname__}"


def code_table(classes: Iterable[type]) -> str:
    """The fingerprints of the classes from outside this package, as a JSON object; "" where there are none.

    Its key ``python`` is the version of Python, the others are `class_name`.
    """
    found = {class_name(cls): print_ for cls in classes if (print_ := class_fingerprint(cls))}
    return json.dumps({"python": PYTHON, **dict(sorted(found.items()))}) if found else ""


def class_loaded(name: str) -> Any:
    """What ``module:Class`` names among the modules that are loaded, or None; this imports nothing."""
    module, _, qualname = name.partition(":")
    found: Any = sys.modules.get(module)
    for part in qualname.split("."):
        found = vars(found).get(part) if isinstance(found, types.ModuleType | type) else None
    return found


# modules whose code is not looked into

_NAMED = {"fastneuron", "numpy", "numba", "llvmlite"}
_INSTALLED = {"site-packages", "dist-packages"}
_STANDARD = tuple(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib"))


def label_of(module: object, own: frozenset[str] = frozenset()) -> str:
    """How a module counts of which only the name and version count; "" for one whose code does."""
    if not isinstance(module, types.ModuleType):
        return ""
    name, package = module.__name__, module.__name__.partition(".")[0]
    if package in _NAMED:
        return name
    file = getattr(module, "__file__", None)
    parts = set(Path(file).parts) if isinstance(file, str) else set()
    if package in sys.stdlib_module_names and not parts & _INSTALLED:
        place = Path(file).resolve() if isinstance(file, str) else None
        standard = name in sys.builtin_module_names if place is None else _is_standard(place)
        return name if standard else ""
    if package in own or not parts & _INSTALLED:
        return ""
    version = getattr(module, "__version__", "") or getattr(sys.modules.get(package), "__version__", "")
    return f"{name} {version}" if isinstance(version, str) and version else ""


def _is_standard(place: Path) -> bool:
    return any(place.is_relative_to(folder) for folder in _STANDARD)


def _module_of(scope: Mapping[str, Any]) -> types.ModuleType | None:
    """The module of which this is the namespace, if it is that of one."""
    module = sys.modules.get(str(scope.get("__name__")))
    return module if isinstance(module, types.ModuleType) and vars(module) is scope else None


def _name_of_class(cls: type, own: frozenset[str] = frozenset()) -> str:
    """The name by which a class counts whose code does not; "" for others.

    A class may say that it is of a module without being there.
    """
    label = label_of(sys.modules.get(cls.__module__), own)
    if not label or not (class_loaded(class_name(cls)) is cls or not cls.__flags__ & _ON_HEAP):
        return ""
    return f"{label}.{cls.__qualname__}"


_ON_HEAP = 1 << 9  # of classes that are written in Python, and some in C

# what is reached from a class

_PLAIN = (type(None), bool, int, float, complex, str, bytes, type(Ellipsis))
_PASSED = {"NOP", "EXTENDED_ARG", "CACHE"}
_JUMPS = {*dis.hasjrel, *dis.hasjabs}
_READS = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_GLOBALS"}
_ATTRIBUTES = {"LOAD_ATTR", "LOAD_METHOD"}
_KINDS = 0x4 | 0x8 | 0x20 | 0x80 | 0x100 | 0x200  # flags of code: *args, **kwargs, generators
_HELD = ("py_func", "__wrapped__", "func", "_dispatcher", "_defn", "_pyfunc")  # a function in an object
_APART = {"bounds", "_fields", "_field_defaults", "_abc_impl", "__annotate__", "__annotate_func__"}
_MISSING = object()


def _digested(values: Iterable[Any], own: frozenset[str], within: frozenset[int] = frozenset()) -> str:
    walk = _Walk(own, within)
    for value in values:
        walk.value(value)
    walk.finish()
    return walk.digest.hexdigest()


class _Walk:
    """A walk over values and all that they refer to, in an order that only depends on what is there.

    Functions, classes and whatever else may refer to itself are numbered as they are met, and looked into
    later, so that neither circles nor long chains matter. `own` are packages that are looked into although
    they are installed, `within` the sets that the walk is inside of.
    """

    def __init__(self, own: frozenset[str], within: frozenset[int]) -> None:
        self.digest = hashlib.sha256()
        self._own, self._within = own, within
        self._numbers: dict[int, int] = {}
        self._met: list[Any] = []

    def finish(self) -> None:
        """Look into all that was met."""
        for found in self._met:  # which grows
            self._look_into(found)

    def _note(self, *parts: object) -> None:
        for part in parts:
            text = str(part)
            self.digest.update(f"{len(text)}:{text};".encode(errors="surrogatepass"))

    def value(self, value: Any) -> None:
        """Add a value."""
        kind = type(value)
        if kind in _PLAIN:
            self._note(kind.__name__, repr(value))
        elif isinstance(value, np.generic):
            self._note("scalar", value.dtype.str, value.tobytes().hex())
        elif isinstance(value, np.ndarray):
            self._note("array", value.dtype.descr, value.shape)
            if value.dtype.hasobject:
                self._all("items", value.ravel().tolist())
            else:
                self._note(hashlib.sha256(value.tobytes()).hexdigest())
        elif isinstance(value, tuple):
            self._all("tuple", value)
            if kind is not tuple:
                self.value(kind)
        elif isinstance(value, set | frozenset):
            inside = id(value) in self._within
            within = self._within | {id(value)}
            items = () if inside else sorted(_digested([item], self._own, within) for item in value)
            self._note("set", *items)
        elif isinstance(value, types.ModuleType):
            self._note("module", label_of(value, self._own))
        else:
            number = self._numbers.setdefault(id(value), len(self._met))
            if number == len(self._met):
                self._met.append(value)  # which keeps its id from becoming another's
            self._note("met", number)

    def _all(self, what: str, values: Iterable[Any]) -> None:
        values = list(values)
        self._note(what, len(values))
        for value in values:
            self.value(value)

    def _look_into(self, value: Any) -> None:
        if isinstance(value, types.FunctionType):
            self._function(value)
        elif isinstance(value, type):
            self._class(value)
        elif isinstance(value, list | collections.deque):
            self._all("list", value)
        elif isinstance(value, Mapping):
            self._all("mapping", (part for item in value.items() for part in item))
        elif isinstance(value, types.MethodType):
            self._all("method", [value.__func__, value.__self__])
        elif isinstance(value, staticmethod | classmethod):
            self._all(type(value).__name__, [value.__func__])
        elif isinstance(value, property):
            self._all("property", [value.fget, value.fset])
        elif isinstance(value, types.SimpleNamespace):
            self._all("namespace", (part for item in sorted(vars(value).items()) for part in item))
        elif isinstance(value, functools.partial):
            self._all("partial", [value.func, value.args, value.keywords])
        elif isinstance(value, enum.Enum):
            self._all("member", [type(value), value.name])
        else:
            self._instance(value)

    def _instance(self, value: Any) -> None:
        kind = type(value)
        base: Any = next((base for base in _PLAIN if isinstance(value, base)), None)
        if base is not None:  # a class of numbers or texts
            self._note(base.__name__, base.__repr__(value))
        known = _name_of_class(kind, self._own)
        if not known:
            slots = [name for cls in kind.__mro__ for name in _slots(cls) if hasattr(value, name)]
            state = {name: getattr(value, name) for name in slots} | getattr(value, "__dict__", {})
            self.value(kind)
            self._all("state", (part for item in sorted(state.items()) for part in item))
            return
        held = [getattr(value, name) for name in _HELD if getattr(value, name, None) is not None]
        name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
        if held:  # a compiled function, a cached one, ...
            options = getattr(value, "targetoptions", {}) | {"locals": getattr(value, "locals", {})}
            self._note(*(f"{key}={options[key]!r}" for key in sorted(options)))
            if not getattr(value, "_can_compile", True):  # its signatures are given
                self._note(*map(str, getattr(value, "signatures", ())))
            self._all("held", held)
        elif isinstance(name, str):  # a built-in function, a ufunc, ...
            self._note("known", getattr(value, "__module__", ""), name)
            owner = getattr(value, "__self__", None)
            if not isinstance(owner, types.ModuleType):
                self.value(owner)
        else:
            text = repr(value)
            self._note("known", known, "" if " at 0x" in text else text)

    def _class(self, cls: type) -> None:
        known = _name_of_class(cls, self._own)
        if known:
            self._note("known", known)
            return
        self._all("class", (base for base in cls.__bases__ if base.__bases__ != (tuple,)))
        if fields := getattr(cls, "_fields", ()):
            bounds = getattr(cls, "bounds", {})
            self._all("fields", fields)
            self.value(getattr(cls, "_field_defaults", {}))
            # but for the words in which a bound is told
            self._all("bounds", (tuple(bounds[name])[1:] for name in fields if name in bounds))
        for name, member in sorted(vars(cls).items()):
            code = isinstance(member, types.FunctionType | staticmethod | classmethod | property)
            if name.startswith("__") and name.endswith("__") and (not code or self._is_ours(member)):
                continue
            if name not in _APART:
                self._note("member", name)
                self.value(member)

    def _is_ours(self, member: Any) -> bool:
        """Whether it is what the decorator ``component`` gives every class."""
        module = _module_of(getattr(member, "__globals__", {}))
        return label_of(module).startswith("fastneuron")

    def _function(self, function: types.FunctionType) -> None:
        label = label_of(_module_of(function.__globals__), self._own)
        cells = dict(
            zip(function.__code__.co_freevars, map(_contents, function.__closure__ or ()), strict=True)
        )
        if label:
            self._note("known", f"{label}.{function.__code__.co_qualname}")
            if not label.startswith("fastneuron"):  # what a decorator wraps
                self._all("holds", (value for value in cells.values() if value is not _MISSING))
            return
        self._code(function.__code__, function.__globals__, cells)
        self._all("defaults", function.__defaults__ or ())
        self.value(dict(sorted((function.__kwdefaults__ or {}).items())))

    def _code(self, code: types.CodeType, scope: Mapping[str, Any], cells: Mapping[str, Any]) -> None:
        """Add a function's code, its constants and what it names, whatever lines it stands in."""
        inside = {name: value for name, value in cells.items() if name not in code.co_cellvars}
        counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags & _KINDS)
        arguments = code.co_varnames[: sum(counts[::2])]
        self._note("code", counts, arguments, code.co_exceptiontable.hex())
        module: types.ModuleType | None = None  # which was read last
        for name, argument in _instructions(code):
            self._note(name)
            if module is not None:
                read, module = module, None
                if name in _ATTRIBUTES:
                    self._note(argument)
                    module = self._found(getattr(read, argument, _MISSING))
                    continue
                self._attributes(read, code)
            if isinstance(argument, types.CodeType):
                self._code(argument, scope, inside)
            elif name in _READS:
                self._note(argument)
                module = self._found(inside.get(argument, scope.get(argument, _MISSING)))
            elif name == "IMPORT_NAME":
                self._note(argument)
                self._imported(argument, code, scope)
            else:
                self.value(argument)

    def _found(self, value: Any) -> types.ModuleType | None:
        """Add what a name stands for; a module, of which only attributes count, is given back."""
        if value is _MISSING:
            self._note("of Python, or nowhere")
        elif isinstance(value, types.ModuleType) and not label_of(value, self._own):
            return value
        else:
            self.value(value)
        return None

    def _attributes(self, module: types.ModuleType, code: types.CodeType) -> None:
        """Add the attributes of a module that code may look up in a way that cannot be followed."""
        words, modules = _words(code), [module]
        for looked_into in modules:  # which grows
            for name in sorted(words & set(vars(looked_into))):
                self._note(name)
                found = self._found(vars(looked_into)[name])
                if found is not None and found not in modules:
                    modules.append(found)

    def _imported(self, name: str, code: types.CodeType, scope: Mapping[str, Any]) -> None:
        """Add what an import inside a function makes known to it."""
        package = str(scope.get("__package__") or "")
        for full in dict.fromkeys((name, f"{package}.{name}" if package else name)):
            try:
                module = importlib.import_module(full)
            except Exception:
                continue
            found = self._found(module)
            if found is not None:
                self._attributes(found, code)


def _instructions(code: types.CodeType) -> Iterator[tuple[str, Any]]:
    """Instructions with what they are about: a constant, a name, or the number of one that they jump to."""
    listed = list(dis.get_instructions(code))
    number_at, number = {}, 0
    for instruction in listed:
        number_at[instruction.offset] = number
        number += instruction.opname not in _PASSED
    for instruction in listed:
        if instruction.opname not in _PASSED:
            jumps = instruction.opcode in _JUMPS
            yield instruction.opname, number_at[instruction.argval] if jumps else instruction.argval


def _words(code: types.CodeType) -> set[str]:
    """All names and texts in code, and in the functions within it."""
    found = set(code.co_names)
    for constant in code.co_consts:
        for item in constant if isinstance(constant, tuple) else (constant,):
            found |= _words(item) if isinstance(item, types.CodeType) else {item} & {str(item)}
    return found


def _slots(cls: type) -> Iterable[str]:
    slots = vars(cls).get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _contents(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return _MISSING

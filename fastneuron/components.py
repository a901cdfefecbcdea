"""Components: small immutable records whose methods are plain Python and kernel code at once.

A component is a class of annotated number fields and pure methods. An instance is an argument of a
compiled kernel as it is: inside the kernel ``activation.value(z)`` becomes, at compile time, the body
of that class's method, and the same method runs in plain Python on floats and arrays. There, a field is a
number; a ``Row``, that of the lane block which holds its values, where it varies over the grid; or a
``Plain``, a number for which the kernel is compiled on its own.

What a method may call is in `fastneuron.elementary`. How Numba is told of all this is in
`fastneuron.kernels.records`; this file knows nothing of Numba.
"""

from __future__ import annotations

import difflib
import functools
import html
import inspect
import math
import re
import sys
from collections import namedtuple
from collections.abc import Iterable, Mapping
from typing import (
    Annotated,
    Any,
    ClassVar,
    NamedTuple,
    TypeGuard,
    TypeVar,
    cast,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

import numpy as np

from fastneuron.fingerprint import class_fingerprint, class_loaded, class_name

C = TypeVar("C", bound="Component")


KNOWN = ("fastneuron.elementary.", "numpy.", "math.", "builtins.")
"""The modules whose functions compiled code knows."""
METHODS = (
    "value",
    "derivative",
    "slope",
    "log_loss",
    "log_loss_slope",
    "delta",
    "step",
    "steps",
    "span",
    "counted",
    "term",
    "weight_gradient",
    "bias_gradient",
)
"""The methods of components that compiled code knows."""


class Bound(NamedTuple):
    """What a number field allows: low <= value < high, or low < value where `above`.

    `plain` is a value for which kernels are compiled on their own, as it makes the formula simpler: a gain of
    1, by which nothing needs to be multiplied.
    """

    allowed: str
    low: float = -math.inf
    high: float = math.inf
    above: bool = False
    whole: bool = False
    optional: bool = False
    plain: float | None = None

    def __repr__(self) -> str:
        return self.allowed

    def admits(self, value: float) -> bool:
        over = value > self.low if self.above else value >= self.low
        whole = value == int(value) if self.whole and math.isfinite(value) else True
        return math.isfinite(value) and over and value < self.high and whole


FINITE = Bound("a finite number")
Positive = Annotated[float, Bound("positive", low=0.0, above=True)]
NonNegative = Annotated[float, Bound("zero or positive", low=0.0)]
Fraction = Annotated[float, Bound("at least 0 and below 1", low=0.0, high=1.0)]


class Plain:
    """A field that has its plain value, which is a part of the compiled code.

    Not a float: Numba remembers the types of arguments by their kind, and would take one for the other.
    """

    __slots__ = ("value",)

    def __init__(self, value: float) -> None:
        self.value = value


class Row(int):
    """A field that varies over the grid: the row of the lane block that holds its values."""


class Component:
    """Base of every component; `component` builds the record class."""

    __slots__ = ()
    _fields: ClassVar[tuple[str, ...]] = ()
    _field_defaults: ClassVar[dict[str, Any]] = {}
    bounds: ClassVar[dict[str, Bound]] = {}
    # True where what is called a derivative is meant to be something else, as in a straight-through estimator
    surrogate: ClassVar[bool] = False

    def _repr_html_(self) -> str:
        """What notebooks show."""
        about = (type(self).__doc__ or "").strip().partition("\n")[0]
        values = zip(self._fields, cast("tuple[Any, ...]", self), strict=True)
        return html_table(type(self).__name__, [(name, f"{value}") for name, value in values], about)


def html_table(title: str, rows: Iterable[tuple[str, str]], below: str = "") -> str:
    """A small table for notebooks: of names and texts, below a title and what is said of it."""
    cells = "".join(
        f'<tr><th style="text-align: left">{html.escape(name)}</th>'
        f'<td style="text-align: left; white-space: pre-wrap">{html.escape(text)}</td></tr>'
        for name, text in rows
    )
    said = f"<div>{html.escape(below)}</div>" if below else ""
    return f"<div><strong>{html.escape(title)}</strong>{said}<table>{cells}</table></div>"


def is_number(value: object) -> TypeGuard[float]:
    """Whether `value` is a whole number or a float, of Python or NumPy; finite or not."""
    # True is a whole number to Python, and a timedelta64 to NumPy
    number = isinstance(value, int | float | np.integer | np.floating)
    return number and not isinstance(value, bool | np.timedelta64)


def checked_number(name: str, value: object, bound: Bound = FINITE) -> float:
    """`value` as a float (an int for whole fields) within `bound`.

    Raises
    ------
    ValueError
        Naming the field, the value and what is allowed.
    """
    number = math.nan
    if is_number(value):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
    if not bound.admits(number):
        raise ValueError(f"{name} must be {bound.allowed}, got {shown(value)}")
    return int(number) if bound.whole else number


def shown(value: object, limit: int = 80) -> str:
    """`value` for an error line: its repr, on one line and cut at `limit` characters."""
    if isinstance(value, np.generic):
        value = value.item()
    try:
        text = " ".join(repr(value).split())
    except Exception:  # a foreign __repr__, or a number with too many digits to print
        text = f"a {type(value).__name__}"
    return text if len(text) <= limit else text[: limit - 3] + "..."


def shown_key(key: object) -> str:
    """A key for an error line: as it is, or escaped where it would not stay on one line."""
    return key if isinstance(key, str) and key.isprintable() else shown(key)


@dataclass_transform(frozen_default=True)
def component(cls: type[C]) -> type[C]:
    """Turn a class of annotated fields and methods into an immutable, hashable record class.

    Fields are numbers; annotate with `Positive`, `NonNegative` or `Fraction` for what a field allows
    (plain ``float``: any finite number). Instances compare equal only within one class, pickle by
    reference to the class, and are accepted by compiled kernels.

    Returns
    -------
    type
        A class of tuples with the name, fields and methods of the class given, which is derived from
        `Activation`, `Loss`, `Penalty`, `Optimizer`, `Batch` or `Reducer`: their docstrings say which methods
        it must have.

    Raises
    ------
    TypeError
        If a field is called ``name`` or as a method, but for ``slope`` and ``delta`` where `derivative` is
        defined; and when an instance is made, if a field is missing, unknown or given
        twice.
    ValueError
        When an instance is made: naming the field, the value and what is allowed.

    Examples
    --------
    >>> import fastneuron as fn
    >>> from fastneuron.components import Positive
    >>> @fn.component
    ... class Square(fn.Activation):
    ...     factor: Positive = 1.0
    ...
    ...     def value(self, z):
    ...         return self.factor * z * z
    ...
    ...     def slope(self, z, a):
    ...         return (self.factor + self.factor) * z
    >>> Square(factor=3.0), Square(3.0).value(2.0), Square() == Square(1)
    (Square(factor=3.0), 12.0, True)
    >>> Square(-1.0)
    Traceback (most recent call last):
        ...
    ValueError: factor must be positive, got -1.0
    """
    hints = get_type_hints(cls, include_extras=True)
    own = inspect.get_annotations(cls)
    fields = [name for name in own if get_origin(hints[name]) is not ClassVar]
    defaults = [cls.__dict__[name] for name in fields if name in cls.__dict__]
    _check_names(cls, fields)
    bounds = {name: _bound_of(hints[name]) for name in fields}
    # namedtuple wants literals for a type checker; the fields are known only here
    base: Any = namedtuple(cls.__name__, fields, defaults=defaults)  # type: ignore[misc]
    for name in fields:
        getattr(base, name).__doc__ = f"{name}: {bounds[name].allowed}."

    def __new__(klass: Any, *args: object, **kwargs: object) -> Any:
        try:
            given = base.__new__(klass, *args, **kwargs)
        except TypeError as error:
            raise TypeError(str(error).replace(".__new__()", "()")) from None
        return tuple.__new__(
            klass,
            (
                None if value is None and bounds[name].optional else checked_number(name, value, bounds[name])
                for name, value in zip(fields, given, strict=True)
            ),
        )

    def __repr__(self: Any) -> str:
        inside = ", ".join(f"{name}={value!r}" for name, value in zip(fields, self, strict=True))
        return f"{cls.__name__}({inside})"

    dropped = {*fields, "__dict__", "__weakref__", "__slots__"}
    body = {name: value for name, value in vars(cls).items() if name not in dropped}
    body |= {
        "__slots__": (),
        "__qualname__": cls.__qualname__,
        "__new__": __new__,
        "__repr__": __repr__,
        "__eq__": lambda a, b: type(a) is type(b) and tuple(a) == tuple(b),
        "__ne__": lambda a, b: not a == b,
        "__hash__": lambda a: hash((type(a), tuple(a))),
        "__signature__": inspect.Signature(
            [
                inspect.Parameter(
                    name,
                    inspect.Parameter.POSITIONAL_OR_KEYWORD,
                    default=cls.__dict__.get(name, inspect.Parameter.empty),
                    annotation=_plain_type(hints[name]),
                )
                for name in fields
            ]
        ),
        "bounds": bounds,
    }
    made: Any = type(cls)
    return cast("type[C]", made(cls.__name__, (base, *cls.__bases__), body))


def _check_names(cls: type, fields: list[str]) -> None:
    """Raise TypeError where a field is called as something that a component has."""
    taken = {name for base in cls.__mro__[1:-1] for name in vars(base) if not name.startswith("_")}
    for name in fields:
        if callable(cls.__dict__.get(name)):
            raise TypeError(f"{cls.__name__}.{name} is a field and a method; give one another name")
        other = name in ("slope", "delta") and name in taken
        if name == "name" or (name in taken and not (other and "derivative" in cls.__dict__)):
            advice = "; with it, define the method derivative" if other else ""
            raise TypeError(
                f"{cls.__name__}: a field cannot be called {name!r}, which is the component's own{advice}"
            )


def _plain_type(hint: Any) -> Any:
    """A field's type without its bound: ``float``, as signatures show it."""
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def _bound_of(hint: Any) -> Bound:
    return next((mark for mark in getattr(hint, "__metadata__", ()) if isinstance(mark, Bound)), FINITE)


def with_rows(record: C, rows: Mapping[str, int]) -> C:
    """The component as a kernel argument: floats, with the fields in `rows` replaced by their Row."""
    values = cast("tuple[Any, ...]", record)
    given = [
        Row(rows[name]) if name in rows else float(value)
        for name, value in zip(record._fields, values, strict=True)
    ]
    return _unchecked(as_loaded(type(record)), given)


def with_plain(record: C) -> C:
    """A kernel argument with those numbers replaced by a `Plain` that are the plain value of their field."""
    values = cast("tuple[Any, ...]", record)
    given = [
        Plain(value) if isinstance(value, float) and value == record.bounds[name].plain else value
        for name, value in zip(record._fields, values, strict=True)
    ]
    return with_values(record, given)


def with_values(record: C, values: list[Any]) -> C:
    """The component with these values in its fields, whatever they are."""
    return _unchecked(type(record), values)


def _unchecked(cls: type[C], values: list[Any]) -> C:
    new: Any = tuple.__new__
    return cast("C", new(cls, values))


def as_loaded(cls: type[C]) -> type[C]:
    """The class that stands for `cls` in kernels: itself, or a copy of it since a helper of it was replaced.

    Kernels are compiled once for each class, with the constants and helpers that it then had.
    """
    code, own = class_fingerprint(cls), cast("Any", cls)
    return cls if not code or code == _first_code(own) else cast("type[C]", _copy(own, code))


_first_code = functools.cache(class_fingerprint)


@functools.cache
def _copy(cls: Any, code: str) -> Any:
    return type(cls)(cls.__name__, cls.__bases__, dict(vars(cls)))


def nearest(word: str, known: Iterable[str]) -> str:
    """`` (did you mean 'x'?)`` for the known word nearest to `word`, or an empty string."""
    found = difflib.get_close_matches(str(word), list(known), n=1)
    return f" (did you mean {found[0]!r}?)" if found else ""


class Registry:
    """The components of one role by name: what TOML, the command line and the docs can name.

    A name is the class's in snake case (`SquaredError` is ``squared_error``); underscores and capitals do not
    matter where one is given. A component that is not registered is named ``module:Class``.
    """

    def __init__(self, role: str, base: type[Component]) -> None:
        self.role = role
        self.base = base
        self.classes: dict[str, type[Component]] = {}

    def add(self, cls: type[C]) -> type[C]:
        """Decorator: register `cls` (above `component`)."""
        self.classes[snake_case(cls.__name__)] = cls
        return cls

    def name_of(self, record: Component) -> str:
        """The name under which `from_spec` finds the class of `record` again."""
        cls = type(record)
        name = snake_case(cls.__name__)
        if self.classes.get(name) is cls and cls.__module__.startswith("fastneuron."):
            return name
        return class_name(cls)

    def class_named(self, name: object, where: str) -> type[Component]:
        """The class called `name`; `where` is the key to blame in the error.

        Raises
        ------
        ValueError
            If there is none.
        """
        if isinstance(name, str) and ":" in name:
            return self._loaded(name, where)
        plain = {known.replace("_", ""): cls for known, cls in self.classes.items()}
        found = plain.get(name.replace("_", "").lower()) if isinstance(name, str) else None
        if found is None:
            raise ValueError(
                f"{where}: unknown {self.role} {shown(name)}{nearest(str(name), self.classes)}; "
                f"known: {', '.join(self.classes)}"
            )
        return found

    def _loaded(self, name: str, where: str) -> type[Component]:
        """The class ``module:Class`` of a loaded module: what a spec or a store names is not imported."""
        module, _, qualname = name.partition(":")
        found = class_loaded(name)
        if found is None:
            raise ValueError(
                f"{where}: {self.role} {shown(name)} is not known: {_how_to_load(module, qualname)}"
            )
        if not (isinstance(found, type) and issubclass(found, self.base)):
            raise ValueError(
                f"{where}: {shown(name)} is no {self.role} "
                f"(a @component class derived from {self.base.__name__})"
            )
        return found

    def from_spec(self, spec: object, where: str) -> Component:
        """The component that `spec` describes: a name, or a table of ``name`` and fields.

        Raises
        ------
        ValueError
            Naming the key, the value and what is allowed.
        """
        table = dict(spec) if isinstance(spec, Mapping) else {"name": spec}
        if "name" not in table:
            raise ValueError(f"{where}: missing key 'name'; known: {', '.join(self.classes)}")
        cls = self.class_named(table.pop("name"), f"{where}.name" if isinstance(spec, Mapping) else where)
        for key in table:
            if key not in cls._fields:
                allowed = ", ".join(cls._fields) or "none"
                raise ValueError(
                    f"{where}.{shown_key(key)}: unknown key{nearest(key, cls._fields)}; allowed: {allowed}"
                )
        for field in cls._fields:
            if field not in table and field not in cls._field_defaults:
                raise ValueError(f"{where}: missing key {field!r} of {cls.__name__}")
        try:
            return cls(**table)
        except ValueError as error:
            raise ValueError(f"{where}.{error}") from None

    def to_spec(self, record: Component) -> dict[str, Any]:
        """The table that `from_spec` turns back into `record`."""
        values = zip(record._fields, cast("tuple[Any, ...]", record), strict=True)
        return {"name": self.name_of(record)} | {name: value for name, value in values if value is not None}


def _how_to_load(module: str, qualname: str) -> str:
    """Why a class of a module is not there, and what to do about it."""
    if module == "__main__":
        return "it is of another script or notebook; put the class into a module"
    if module in sys.modules:
        return f"module {shown(module)} has no class {shown(qualname)}"
    if not all(map(str.isidentifier, module.split("."))):
        return f"{shown(module)} is no name of a module"
    file = "" if "." in module else f"{module}.py, its file, or --components "
    return (
        f"module {shown(module)} is not loaded, and a name in a file loads nothing; "
        f"to run its code, give --components {file}{module}, or import it in Python"
    )


def snake_case(name: str) -> str:
    """`SquaredError` -> ``squared_error``, `LeakyReLU` -> ``leaky_relu``, `L2` -> ``l2``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", "_", name).lower()

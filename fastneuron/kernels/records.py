"""Components inside kernels: their methods, and the record that one lane sees.

The methods of a component class are registered with Numba by name, so ``activation.value(z)`` compiles to
the body of that class's own method. `bind` replaces every `Row` field by the values of the lanes at hand.
"""

import functools
import sys
import types as python_types
from typing import Any

from numba import types
from numba.core import dispatcher
from numba.core.typing.templates import AbstractTemplate, AttributeTemplate, infer_getattr, signature
from numba.extending import (
    NativeValue,
    intrinsic,
    lower_builtin,
    models,
    register_model,
    typeof_impl,
    unbox,
)

from fastneuron.components import KNOWN, METHODS, Plain
from fastneuron.fingerprint import label_of
from fastneuron.kernels import quantile as quantile  # with vecmath, what methods call
from fastneuron.kernels import vecmath as vecmath
from fastneuron.kernels.jit import compiled_anew, helper
from fastneuron.kernels.memory import data_of
from fastneuron.kernels.vectors import Vector, filled, widened


def with_compiled_helpers(function: Any, made: dict[int, tuple[Any, Any]], plain: bool = True) -> Any:
    """`function` with whatever it refers to as it is now, and compiled.

    Its plain Python helpers are compiled, where `plain`. Those that are compiled already are compiled anew:
    Numba keeps a helper with the constants that it once had, even on disk. `made` holds pairs, of what has
    been met and what stands for it, by the id of the first.
    """
    codes, names = [function.__code__], set()
    while codes:
        code = codes.pop()
        names |= set(code.co_names)
        codes += [constant for constant in code.co_consts if isinstance(constant, python_types.CodeType)]
    scope = function.__globals__
    replaced = {
        name: anew
        for name in names & set(scope)
        if scope[name] is not function and (anew := _anew(scope[name], names, made, plain)) is not scope[name]
    }
    cells = tuple(_cell_anew(cell, names, made) for cell in function.__closure__ or ())
    if not replaced and all(new is old for new, old in zip(cells, function.__closure__ or (), strict=True)):
        return function
    anew = python_types.FunctionType(
        function.__code__, scope | replaced, function.__name__, function.__defaults__, cells or None
    )
    anew.__kwdefaults__ = function.__kwdefaults__
    return anew


def _anew(value: Any, names: set[str], made: dict[int, tuple[Any, Any]], plain: bool) -> Any:
    """What stands for a value that a function of these names refers to."""
    if id(value) in made:
        return made[id(value)][1]
    if isinstance(value, python_types.ModuleType) and not label_of(value):
        parts = {name: vars(value)[name] for name in names & set(vars(value))}
        own = {name: _anew(part, names, made, False) for name, part in parts.items() if _is_compiled(part)}
        if not own:
            return value
        module = python_types.ModuleType(value.__name__)
        vars(module).update(vars(value) | own)
        return module  # depends on the names
    if _is_compiled(value):
        function = with_compiled_helpers(value.py_func, made, plain=False)
        made[id(value)] = value, compiled_anew(value, function)
    elif (
        plain
        and isinstance(value, python_types.FunctionType)
        and not f"{value.__module__}.".startswith(KNOWN)
    ):
        made[id(value)] = value, helper(with_compiled_helpers(value, made))
    else:
        return value
    return made[id(value)][1]


def _cell_anew(cell: Any, names: set[str], made: dict[int, tuple[Any, Any]]) -> Any:
    anew = _anew(cell.cell_contents, names, made, False)
    return cell if anew is cell.cell_contents else python_types.CellType(anew)


def _is_compiled(value: Any) -> bool:
    """Whether it is a function that the user has compiled."""
    module = sys.modules.get(value.py_func.__module__) if isinstance(value, dispatcher.Dispatcher) else None
    return isinstance(value, dispatcher.Dispatcher) and not label_of(module)


@functools.cache
def _compiled(cls: type, name: str) -> Any:
    """The method `name` of a component class, for kernels; None where there is none."""
    method = None if name in cls._fields else getattr(cls, name, None)  # type: ignore[attr-defined]
    return None if method is None else helper(with_compiled_helpers(method, _helpers_of(cls)))


@functools.cache
def _helpers_of(cls: type) -> dict[int, tuple[Any, Any]]:
    """What is compiled of the helpers of a class."""
    return {}


def _teach(kind: Any, name: str) -> None:
    """Teach Numba what the method `name` is on records of a type."""

    class Method(AbstractTemplate):
        this: Any
        key = f"{kind.__name__}.{name} of a component"

        def generic(self, args: Any, kws: Any) -> Any:
            function = types.Dispatcher(_compiled(self.this.instance_class, name))
            found: Any = function.get_call_type(self.context, (self.this, *args), kws)
            return signature(found.return_type, *found.args[1:], recvr=self.this)

    @infer_getattr
    class Attribute(AttributeTemplate):
        key = kind

        def generic_resolve(self, record: Any, attribute: str) -> Any:  # type: ignore[override]
            if attribute != name or _compiled(record.instance_class, name) is None:
                return None
            return types.BoundFunction(Method, record)

    @lower_builtin(Method.key, types.VarArg(types.Any))
    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        method = types.Dispatcher(_compiled(sig.args[0].instance_class, name))
        if len(args) < len(sig.args):  # Numba forgets a receiver without fields, which is false as a tuple
            args = [context.make_tuple(builder, sig.args[0], []), *args]
        call = context.get_function(method, sig)
        context.add_linking_libs(getattr(call, "libs", ()))
        return call(builder, args)


for _kind in (types.NamedTuple, types.NamedUniTuple):
    for _name in METHODS:
        _teach(_kind, _name)


class PlainType(types.Type):
    """A field whose value is a part of the compiled code."""

    def __init__(self, value: float) -> None:
        self.value = value
        super().__init__(f"Plain({value!r})")


register_model(PlainType)(models.OpaqueModel)


@typeof_impl.register(Plain)
def _typeof_plain(value: Plain, context: Any) -> Any:
    return PlainType(value.value)


@unbox(PlainType)
def _unbox_plain(kind: Any, value: Any, c: Any) -> Any:
    return NativeValue(c.context.get_dummy_value())


def bound_type(record: Any, like: Any) -> Any:
    """The type of a record whose fields are all of the type `like`."""
    return types.NamedUniTuple(like, len(record), record.instance_class) if len(record) else record


def bound_value(
    context: Any, builder: Any, record: Any, value: Any, like: Any,
    fields: Any, array: Any, at: Any, stride: Any,
) -> Any:  # fmt: skip
    """LLVM code for the record `value` with each Row field read from `array`, all of the type `like`."""
    data = data_of(context, builder, fields, array)
    parts = []
    for i, field in enumerate(record):
        part = builder.extract_value(value, i)
        if isinstance(field, PlainType):
            part = filled(context.get_value_type(like), field.value)
        elif isinstance(field, types.Integer):
            index = builder.add(builder.mul(part, stride), at)
            kind = like if isinstance(like, Vector) else fields.dtype
            place = builder.bitcast(builder.gep(data, [index]), context.get_value_type(kind).as_pointer())
            part = builder.load(place)
            part.align = fields.dtype.bitwidth // 8
            part = widened(context, builder, part, kind, like)
        else:
            part = widened(context, builder, part, field, like)
        parts.append(part)
    return context.make_tuple(builder, bound_type(record, like), parts)


@intrinsic
def bind(typingctx: Any, record: Any, like: Any, fields: Any, at: Any, stride: Any) -> Any:
    """The component with numbers of the type of `like`: Row k of the grid is fields[k * stride + at]."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value, _, array, place, step = args
        return bound_value(context, builder, record, value, like, fields, array, place, step)

    return bound_type(record, like)(record, like, fields, types.intp, types.intp), codegen

"""Components inside kernels: their methods, and the record that one lane sees.

The methods of a component class are registered with Numba by name, so ``activation.value(z)`` compiles to
the body of that class's own method. `bind` replaces every `Row` field by the lane's value.
"""

import functools
import types as python_types
from typing import Any

from numba import types
from numba.core.imputils import impl_ret_untracked
from numba.extending import intrinsic

from fastneuron.kernels import vecmath as vecmath  # the elementary functions that methods call
from fastneuron.kernels.jit import compiled_as, compiled_method, inner


@functools.cache
def with_compiled_helpers(function: Any) -> Any:
    """`function`, its plain Python helpers compiled: the functions it refers to by a global name."""
    codes, names = [function.__code__], set()
    while codes:
        code = codes.pop()
        names |= set(code.co_names)
        codes += [constant for constant in code.co_consts if isinstance(constant, python_types.CodeType)]
    scope = function.__globals__
    helpers = {
        name: inner(with_compiled_helpers(scope[name]))
        for name in names & set(scope)
        if isinstance(scope[name], python_types.FunctionType)
        and scope[name].__module__.partition(".")[0] not in _KNOWN
        and scope[name] is not function
    }
    if not helpers:
        return function
    return python_types.FunctionType(
        function.__code__, scope | helpers, function.__name__, function.__defaults__, function.__closure__
    )


_KNOWN = {"fastneuron", "numpy", "math", "builtins"}  # Numba has these
METHODS = (
    "value",
    "slope",
    "log_loss",
    "log_loss_slope",
    "delta",
    "step",
    "weight_gradient",
    "bias_gradient",
)


def _register(name: str) -> None:
    def method_of(self: Any, *args: Any) -> Any:
        method = getattr(self.instance_class, name, None)
        return method if method is None else with_compiled_helpers(method)

    for kind in (types.NamedTuple, types.NamedUniTuple):
        compiled_method(kind, name)(method_of)


for _name in METHODS:
    _register(_name)


@intrinsic
def _rebuild(typingctx: Any, record: Any, block: Any, lanes: Any, lane: Any) -> Any:
    """The record with each Row field replaced by block[row * lanes + lane], all in block's dtype."""
    dtype = block.dtype
    bound = types.NamedUniTuple(dtype, len(record), record.instance_class)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        record_value, block_value, lanes_value, lane_value = args
        array = context.make_array(block)(context, builder, block_value)
        parts = []
        for i, field in enumerate(record):
            part = builder.extract_value(record_value, i)
            if isinstance(field, types.Integer):
                index = builder.add(builder.mul(part, lanes_value), lane_value)
                part = builder.load(builder.gep(array.data, [index]))
            else:
                part = context.cast(builder, part, field, dtype)
            parts.append(part)
        whole = context.make_tuple(builder, bound, parts)
        return impl_ret_untracked(context, builder, bound, whole)

    return bound(record, block, types.intp, types.intp), codegen


def bind(record: Any, block: Any, lanes: Any, lane: Any) -> Any:
    """The component as this lane sees it: grid axes looked up, constants in the block's dtype."""
    raise NotImplementedError


@compiled_as(bind)
def _bind(record: Any, block: Any, lanes: Any, lane: Any) -> Any:
    if len(record) == 0:
        return lambda record, block, lanes, lane: record
    return lambda record, block, lanes, lane: _rebuild(record, block, lanes, lane)


@intrinsic
def peek(typingctx: Any, array: Any, first: Any, lane: Any) -> Any:
    """array[first + lane], unchecked: no wrap-around for negative indices, which would not vectorise."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = context.make_array(array)(context, builder, args[0]).data
        row = builder.gep(data, [args[1]], inbounds=True)
        return builder.load(builder.gep(row, [args[2]], inbounds=True))

    return array.dtype(array, types.intp, types.intp), codegen


@intrinsic
def poke(typingctx: Any, array: Any, first: Any, lane: Any, value: Any) -> Any:
    """array[first + lane] = value, unchecked."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = context.make_array(array)(context, builder, args[0]).data
        row = builder.gep(data, [args[1]], inbounds=True)
        builder.store(args[3], builder.gep(row, [args[2]], inbounds=True))
        return context.get_dummy_value()

    return types.none(array, types.intp, types.intp, array.dtype), codegen

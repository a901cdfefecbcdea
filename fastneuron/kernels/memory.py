"""Numbers in memory, and how kernels read and write them: one at a time, or a vector of them.

A `Flat` is a bare pointer. NumPy's arrays carry five more words wherever they go; with as many arrays as the
stopping rule works on, handing these on took most of what a kernel took to compile.
"""

import operator
from typing import Any

from numba import types
from numba.core.errors import TypingError
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model


class Flat(types.Type):
    """Numbers of one dtype, one after the other; nothing knows how many."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        super().__init__(f"Flat({dtype})")


@register_model(Flat)
class _FlatModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, manager[kind.dtype].get_data_type().as_pointer())


def data_of(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """The pointer to the numbers of a `Flat`, or of an array without gaps."""
    return value if isinstance(kind, Flat) else context.make_array(kind)(context, builder, value).data


@infer_global(operator.getitem)
class _Get(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        if len(args) == 2 and isinstance(args[0], Flat) and isinstance(args[1], types.Integer):
            return signature(args[0].dtype, args[0], types.intp)
        return None


@lower_builtin(operator.getitem, Flat, types.intp)
def _get(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return builder.load(builder.gep(args[0], [args[1]], inbounds=True))


@infer_global(operator.setitem)
class _Set(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        if len(args) == 3 and isinstance(args[0], Flat) and isinstance(args[1], types.Integer):
            return signature(types.none, args[0], types.intp, args[0].dtype)
        return None


@lower_builtin(operator.setitem, Flat, types.intp, types.Any)
def _set(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    builder.store(args[2], builder.gep(args[0], [args[1]], inbounds=True))
    return context.get_dummy_value()


@intrinsic
def flat_from(typingctx: Any, numbers: Any, index: Any) -> Any:
    """The numbers of a `Flat` from `index` on."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.gep(args[0], [args[1]])

    return numbers(numbers, types.intp), codegen


@intrinsic
def flat_of(typingctx: Any, array: Any) -> Any:
    """The numbers of an array without gaps; it must live as long as they are used."""
    if array.layout != "C":
        raise TypingError("the array has gaps")

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return data_of(context, builder, array, args[0])

    return Flat(array.dtype)(array), codegen


def _place(context: Any, builder: Any, kind: Any, numbers: Any, index: Any, target: Any) -> Any:
    data = data_of(context, builder, kind, numbers)
    return builder.bitcast(builder.gep(data, [index], inbounds=True), target.as_pointer())


@intrinsic
def add_to(typingctx: Any, numbers: Any, amount: Any) -> Any:
    """Add to the first whole number of an array that threads share; returns what it was."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        data = data_of(context, builder, numbers, args[0])
        return builder.atomic_rmw("add", data, args[1], "monotonic")

    return types.int64(numbers, types.int64), codegen


@intrinsic
def take(typingctx: Any, numbers: Any, index: Any, like: Any) -> Any:
    """What stands in a `Flat` or flat array from `index` on, unchecked: a value of the type of `like`."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        target = context.get_value_type(like)
        value = builder.load(_place(context, builder, numbers, args[0], args[1], target))
        value.align = numbers.dtype.bitwidth // 8
        return value

    return like(numbers, types.intp, like), codegen


@intrinsic
def put(typingctx: Any, numbers: Any, index: Any, value: Any) -> Any:
    """Write a value into a `Flat` or flat array from `index` on, unchecked."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        place = _place(context, builder, numbers, args[0], args[1], args[2].type)
        builder.store(args[2], place).align = numbers.dtype.bitwidth // 8
        return context.get_dummy_value()

    return types.none(numbers, types.intp, value), codegen

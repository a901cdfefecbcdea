"""Calls by address: of functions that are compiled once, whatever the components of a sweep.

What is called directly is optimised anew, and turned into machine code anew, in every function that it is
linked into (docs/decisions/0007-networks.md).
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic

_ANY = ir.IntType(8).as_pointer()
_SHAPE = ir.FunctionType(ir.VoidType(), [_ANY])  # takes a tuple of arguments, by its place


def entry_of(context: Any, builder: Any, function: Any, sig: Any) -> Any:
    """The address, a whole number, of a function that calls `function` with the arguments in a tuple."""
    compiled = function.get_compile_result(sig)
    context.add_linking_libs([compiled.library])
    entry = ir.Function(builder.module, _SHAPE, f"{compiled.fndesc.mangled_name}.entry")
    entry.linkage = "internal"
    inside = ir.IRBuilder(entry.append_basic_block())
    given = context.get_value_type(types.Tuple(sig.args)).as_pointer()
    values = inside.load(inside.bitcast(entry.args[0], given))
    values.align = 8
    arguments = [inside.extract_value(values, k) for k in range(len(sig.args))]
    context.call_internal_no_propagate(inside, compiled.fndesc, sig, arguments)
    inside.ret_void()
    return builder.ptrtoint(entry, ir.IntType(64))


def caller(signatures: Any) -> Any:
    """An intrinsic that calls one of the addresses in an array by its number.

    signatures : what gives, for a dtype, the types of the arguments of each; a call with others would read
    what is not there, and is refused when it is compiled
    """

    @intrinsic
    def call(typingctx: Any, addresses: Any, number: Any, arguments: Any) -> Any:
        given = tuple(types.unliteral(kind) for kind in arguments)
        if given not in signatures(given[0].dtype):
            raise TypingError(f"no function takes {given}")

        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            array = context.make_array(addresses)(context, builder, args[0])
            address = builder.load(builder.gep(array.data, [args[1]]))
            place = cgutils.alloca_once_value(builder, args[2])
            function = builder.inttoptr(address, _SHAPE.as_pointer())
            builder.call(function, [builder.bitcast(place, _ANY)])
            return context.get_dummy_value()

        return types.none(addresses, types.intp, arguments), codegen

    return call

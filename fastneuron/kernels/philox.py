"""The counter-based generator of `fastneuron.starts` inside kernels: the same words, the same numbers.

Philox4x32-10: of the four words a, b, c, d of a counter, each round makes

    high(M2 c) ^ b ^ first, low(M2 c), high(M1 a) ^ d ^ second, low(M1 a)

with `high` and `low` the halves of a product of 64 bits, and the key's words `first` and `second` raised by
a constant after each round.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastneuron.kernels.memory import data_of
from fastneuron.kernels.vectors import Formula, Vector, like_shaped, spread

_ROUNDS = 10
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_LOW = 0xFFFFFFFF
_ONE = 0x3FF0000000000000  # the bits of 1.0
_WHOLE = ir.IntType(64)


def _words(builder: Any, counter: Any, seed: Any) -> list[Formula]:
    """Four words of 32 random bits, from LLVM values of 64 bits: those of the counter are of one type."""
    a, b, c, d = (Formula(builder, word) for word in counter)
    key = [Formula(builder, seed) & _LOW, Formula(builder, builder.lshr(seed, ir.Constant(_WHOLE, 32)))]
    for _ in range(_ROUNDS):
        first, second = (Formula(builder, _filling(builder, a.value.type, word.value)) for word in key)
        one, two = (a & _LOW) * _MULTIPLIERS[0], (c & _LOW) * _MULTIPLIERS[1]
        # only the low halves count
        a, b, c, d = two.high_half() ^ b ^ first, two, one.high_half() ^ d ^ second, one
        key = [(word + step) & _LOW for word, step in zip(key, _WEYL, strict=True)]
    return [word & _LOW for word in (a, b, c, d)]


def _filling(builder: Any, kind: Any, value: Any) -> Any:
    return spread(builder, kind, value) if isinstance(kind, ir.VectorType) else value


@intrinsic
def philox(typingctx: Any, a: Any, b: Any, c: Any, d: Any, seed: Any) -> Any:
    """Four words of 32 random bits as int64, from the words of a counter and a seed of 64 bits."""
    given = (types.uint64,) * 5

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        words = [word.value for word in _words(builder, args[:4], args[4])]
        return context.make_tuple(builder, sig.return_type, words)

    return types.UniTuple(types.int64, 4)(*given), codegen


@intrinsic
def uniform_numbers(typingctx: Any, seed: Any, numbers: Any, at: Any, use: Any, like: Any) -> Any:
    """Uniform numbers strictly between 0 and 1 for the points whose numbers stand in `numbers` from `at` on.

    Parameters
    ----------
    seed, use : int64, `use` below 2^32
    numbers : flat array of int64
    like : float64, or a vector of such, which says for how many points
    """

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = like_shaped(context.get_value_type(like), _WHOLE)
        data = data_of(context, builder, sig.args[1], args[1])
        loaded = builder.load(builder.bitcast(builder.gep(data, [args[2]]), kind.as_pointer()))
        loaded.align = _WHOLE.width // 8
        point = Formula(builder, loaded)
        counter = (
            (point & _LOW).value,
            point.high_half().value,
            _filling(builder, kind, args[3]),
            cgutils.get_null_value(kind),
        )
        first, second, _, _ = _words(builder, counter, args[0])
        # 52 bits behind the point of a number from 1 to 2; less 1, and half a step more
        bits = (first << 20) | second.shifted_down(12) | _ONE
        return (bits.as_float() - (1.0 - 2.0**-53)).value

    if like != types.float64 and like != Vector(types.float64):
        return None
    return like(types.int64, numbers, types.intp, types.int64, like), codegen

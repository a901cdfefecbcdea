"""Random numbers of a distribution, one for each point and use."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from fastneuron.elementary import constant
from fastneuron.kernels.jit import inner, kernel, use_full_width
from fastneuron.kernels.memory import data_of
from fastneuron.kernels.philox import uniform_numbers
from fastneuron.kernels.records import bind
from fastneuron.kernels.vectors import lanes_in, like_shaped, vector_like


@intrinsic
def put_rounded(typingctx: Any, numbers: Any, index: Any, value: Any) -> Any:
    """Write a float64, or a vector of such, into a flat array from `index` on, in the array's dtype."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        written = args[2]
        if numbers.dtype == types.float32:
            written = builder.fptrunc(written, like_shaped(written.type, ir.FloatType()))
        data = data_of(context, builder, numbers, args[0])
        place = builder.bitcast(builder.gep(data, [args[1]]), written.type.as_pointer())
        builder.store(written, place).align = numbers.dtype.bitwidth // 8
        return context.get_dummy_value()

    return types.none(numbers, types.intp, value), codegen


@inner
def draw_from(distribution, fields, seed, numbers, use, out, row, begin, end, like):
    """Draw for the points from `begin` on, as many at once as `like` holds, while they all are before `end`.

    Returns the first point that is left.
    """
    use_full_width()
    points, count = len(numbers), lanes_in(like)
    at = begin
    while at + count <= end:
        own = bind(distribution, like, fields, at, points)
        drawn = own.value(uniform_numbers(seed, numbers, at, use, like))
        put_rounded(out, row * points + at, constant(like, drawn))
        at += count
    return at


@kernel
def draw(distribution, fields, seed, numbers, first, count, out):
    """A random number for every point and each of `count` uses, `first` and those that follow.

    Parameters
    ----------
    distribution : component
        Row k of its fields is ``fields[k * points + point]``.
    fields : float64 array, flat
    seed : int64
    numbers : int64 array, shape (points,)
        Numbers of the points.
    first, count : int64
    out : float64 or float32 array, flat
        Results, shape (count, points): computed in float64, then rounded.
    """
    for row in range(count):
        use = first + row
        done = draw_from(
            distribution, fields, seed, numbers, use, out, row, 0, len(numbers), vector_like(0.0)
        )
        draw_from(distribution, fields, seed, numbers, use, out, row, done, len(numbers), 0.0)

"""Products of matrices, one for each lane of a vector: what the layers of a network are made of.

C[i, k] = sum_d A[i, d] B[k, d], or added to what stands in C. The numbers of C and A differ from lane to
lane, those of B do too or are the same for all. Forward, A is the weights and B the inputs; backward, the
weights and the errors; for the gradient, the errors and the inputs. The sums run over d in order, whatever
the size of a tile, so that the bits depend on neither the machine nor the shape.

A tile of C stays in registers while its sums run. Its code is written as LLVM's, one multiply-add after the
other: Numba's loops over tuples give the same code and compile several times slower.
"""

from typing import Any, NamedTuple

from llvmlite import binding, ir
from numba import types
from numba.extending import intrinsic

from fastneuron.kernels.jit import inner, never_inline, use_full_width
from fastneuron.kernels.memory import data_of
from fastneuron.kernels.vectors import Formula, widened


class Own(NamedTuple):
    """A matrix of vectors, one number for each lane: [i, k] is at numbers[at + i * row + k * column]."""

    numbers: Any
    at: Any
    row: Any
    column: Any


class Shared(NamedTuple):
    """A matrix of numbers that are the same for all lanes; likewise."""

    numbers: Any
    at: Any
    row: Any
    column: Any


def _tile_shape() -> tuple[int, int]:
    """Rows and columns of a tile: its vectors take half of the machine's registers, or a little more."""
    return (2, 4) if binding.get_host_cpu_features().get("avx512f") else (1, 2)


ROWS, COLUMNS = _tile_shape()


def _tile(rows: int, columns: int) -> Any:
    """An intrinsic for a tile of so many rows and columns."""

    @intrinsic
    def tile(
        typingctx: Any, like: Any, fresh: Any, c: Any, a: Any, b: Any, i: Any, k: Any, depth: Any
    ) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            word = ir.IntType(64)
            number = context.get_value_type(like)

            def field(matrix: Any, name: str) -> Any:
                return builder.extract_value(args[2 + matrix], Own._fields.index(name))

            def start(matrix: int, first: Any, step: int) -> tuple[Any, Any]:
                """The pointer to [first + step, 0], and how far it is to the next column, in numbers."""
                kind = (c, a, b)[matrix]
                data = data_of(context, builder, kind[0], field(matrix, "numbers"))
                row = builder.mul(builder.add(first, ir.Constant(word, step)), field(matrix, "row"))
                return builder.gep(data, [builder.add(field(matrix, "at"), row)]), field(matrix, "column")

            def loaded(place: Any, kind: Any) -> Any:
                own = kind.instance_class is Own
                element = (number if own else context.get_value_type(kind[0].dtype)).as_pointer()
                value = builder.load(builder.bitcast(place, element))
                value.align = kind[0].dtype.bitwidth // 8
                return value if own else widened(context, builder, value, kind[0].dtype, like)

            c_rows = [start(0, args[5], u) for u in range(rows)]
            places = [
                builder.gep(place, [builder.mul(builder.add(args[6], ir.Constant(word, s)), column)])
                for place, column in c_rows
                for s in range(columns)
            ]
            a_rows = [start(1, args[5], u) for u in range(rows)]
            b_rows = [start(2, args[6], s) for s in range(columns)]
            begin = builder.block
            load = builder.append_basic_block("tile.load")
            loop = builder.append_basic_block("tile.loop")
            end = builder.append_basic_block("tile.end")
            builder.cbranch(args[1], loop, load)
            builder.position_at_end(load)
            held = [loaded(place, c) for place in places]
            builder.branch(loop)
            builder.position_at_end(loop)
            d = builder.phi(word)
            d.add_incoming(ir.Constant(word, 0), begin)
            d.add_incoming(ir.Constant(word, 0), load)
            sums = []
            for value in held:
                phi = builder.phi(number)
                phi.add_incoming(Formula(builder, value).constant(0.0).value, begin)
                phi.add_incoming(value, load)
                sums.append(phi)
            left = [loaded(builder.gep(place, [builder.mul(d, step)]), a) for place, step in a_rows]
            new = list(sums)
            for s, (place, step) in enumerate(b_rows):
                right = Formula(builder, loaded(builder.gep(place, [builder.mul(d, step)]), b))
                for u in range(rows):
                    at = u * columns + s
                    new[at] = Formula(builder, left[u]).called("fma", right, Formula(builder, sums[at])).value
            following = builder.add(d, ir.Constant(word, 1))
            d.add_incoming(following, loop)
            for phi, value in zip(sums, new, strict=True):
                phi.add_incoming(value, loop)
            builder.cbranch(builder.icmp_signed("<", following, args[7]), loop, end)
            builder.position_at_end(end)
            for place, value in zip(places, new, strict=True):
                stored = builder.store(value, builder.bitcast(place, number.as_pointer()))
                stored.align = c[0].dtype.bitwidth // 8
            return context.get_dummy_value()

        whole = types.intp
        return types.none(like, types.boolean, c, a, b, whole, whole, whole), codegen

    return tile


_whole = _tile(ROWS, COLUMNS)
_last_columns = _tile(ROWS, 1)
_last_rows = _tile(1, COLUMNS)
_corner = _tile(1, 1)


@inner
def product(like, fresh, c, a, b, rows, columns, depth):
    """C of so many rows and columns = A B^T, added to what stands in C unless `fresh`."""
    never_inline()
    use_full_width()
    whole_rows, whole_columns = rows - rows % ROWS, columns - columns % COLUMNS
    for i in range(0, whole_rows, ROWS):
        for k in range(0, whole_columns, COLUMNS):
            _whole(like, fresh, c, a, b, i, k, depth)
        for k in range(whole_columns, columns):
            _last_columns(like, fresh, c, a, b, i, k, depth)
    for i in range(whole_rows, rows):
        for k in range(0, whole_columns, COLUMNS):
            _last_rows(like, fresh, c, a, b, i, k, depth)
        for k in range(whole_columns, columns):
            _corner(like, fresh, c, a, b, i, k, depth)

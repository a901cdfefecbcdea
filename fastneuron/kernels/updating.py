"""The optimizer's part of a step, and tuples of numbers that it remembers."""

from typing import Any

from numba import types
from numba.cpython.unsafe.tuple import tuple_setitem
from numba.extending import intrinsic

from fastneuron.elementary import constant
from fastneuron.kernels.jit import compiled_as
from fastneuron.kernels.memory import put, take


@intrinsic
def all_like(typingctx: Any, template: Any, like: Any) -> Any:
    """A tuple as long as `template` with `like` in every place."""
    kind = types.UniTuple(like, len(template))

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return context.make_tuple(builder, kind, [args[1]] * kind.count)

    return kind(template, like), codegen


def remembered(template: Any, like: Any, memory: Any, first: Any, row: Any) -> Any:
    """What is remembered of one parameter: memory[first + s * row] for every slot s of `template`."""
    raise NotImplementedError


@compiled_as(remembered)
def _remembered(template: Any, like: Any, memory: Any, first: Any, row: Any) -> Any:
    if len(template) == 0:
        return lambda template, like, memory, first, row: template

    def gather(template: Any, like: Any, memory: Any, first: Any, row: Any) -> Any:
        kept = all_like(template, like)
        for s in range(len(template)):
            kept = tuple_setitem(kept, s, take(memory, first + s * row, like))
        return kept

    return gather


def update(optimizer: Any, template: Any, p: Any, slope: Any, target: Any, to: Any, memory: Any, first: Any, row: Any) -> Any:  # fmt: skip  # noqa: E501
    """Write parameter `p` after one update to target[to]; returns the size of the update.

    What is remembered, as many numbers as `template` is long, is at memory[first + s * row].
    """
    raise NotImplementedError


@compiled_as(update)
def _update(optimizer: Any, template: Any, p: Any, slope: Any, target: Any, to: Any, memory: Any, first: Any, row: Any) -> Any:  # fmt: skip  # noqa: E501
    return _updated


def _updated(optimizer: Any, template: Any, p: Any, slope: Any, target: Any, to: Any, memory: Any, first: Any, row: Any) -> Any:  # fmt: skip  # noqa: E501
    new = optimizer.step(p, slope, remembered(template, p, memory, first, row))
    put(target, to, constant(p, new[0]))
    for s in range(len(template)):
        put(memory, first + s * row, constant(p, new[1 + s]))
    return abs(new[0] - p)

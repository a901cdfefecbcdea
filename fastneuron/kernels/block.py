"""A block: the working memory in which a kernel follows many starts at once, and the problem they work on.

In kernels a block is one pointer, to its words (int64): the addresses of functions compiled for the problem's
components, `run_chunk`, `summary_of` and `finish_of`; the addresses of the arrays below; a few whole numbers;
then the problem, as compiled code has it in memory. So what decides when a start ends is compiled once for
all components, and a new combination compiles those functions alone
(docs/decisions/0005-compile-time.md).
"""

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.extending import (
    NativeValue,
    intrinsic,
    lower_getattr_generic,
    models,
    register_model,
    typeof_impl,
    unbox,
)

from fastneuron.components import Row
from fastneuron.kernels import network as network  # what a step of each kind of model is
from fastneuron.kernels import neuron as neuron
from fastneuron.kernels.history import CHUNK, run_chunk, summary_of
from fastneuron.kernels.jit import inner, kernel, specialised
from fastneuron.kernels.memory import Flat, take
from fastneuron.kernels.problem import Problem, without_training
from fastneuron.kernels.recording import KEPT, finish_of
from fastneuron.kernels.vectors import VECTOR_BYTES

RUN_CHUNK, SUMMARY, FINISH = range(3)
_PARTS = 3
# arrays of the problem's dtype, in rows of one number for each lane
_REALS = (
    "history",  # what the lanes have left behind, see `fastneuron.kernels.history`
    "memory",  # that of the optimizer
    "places",  # which samples the lanes see, see `fastneuron.kernels.batching`
    "fields",  # the varying fields of the components
    "rules",  # the fields of the `Rule` of each lane
    "rule_values",  # where these do not vary, their values
    "sums",  # over the losses, see `fastneuron.kernels.recording`
    "cycle_losses",  # of the states of a cycle, and the sums as they go on; of one vector
    "cycle_sums",
    "room",  # scratch of a step
    "hints",  # see `lanes.gather_hints`
    "left",
    "near",  # the most that a state may be off which is back
    "sure",  # size of the parameters up to which the loss is finite wherever its slopes are
    "scratch",  # summary of a vector
    "summaries",  # those of the states of a chunk, see `judge.error_and_loss`
    "state",  # parameters of one start
    "other",
)
_WHOLES = (
    "rule_rows",  # for each field of the rule, its row among the varying fields, or -1
    "epochs",  # of which `places` are
    "owner",  # the point of the tile whose start is in a lane
    "numbers",  # its number in the grid
    "words",  # random ones, see `fastneuron.kernels.batching`
    "first_chunk",  # when it came
    "last_step",  # its max_steps
    "calm_step",  # the last step whose update was within `settle`
    "calm_steps",  # how many in a row were, up to that step
    "vacant",  # the lanes without a start
    "alive",  # for each first lane of a vector, which of its lanes have one, as bits
    "expected",  # for each vector, up to which step a period is looked for, by period; see `cycles`
    "expected_until",  # the largest of these, for each first lane of a vector
    "cycle_step",  # see `cycles.find_cycles`
    "cycle_period",
    "summed",  # of which states of a chunk `summaries` are, as bits
)
# parameters; numbers the optimizer remembers, in all; fields that vary; samples where batches are shuffled,
# else 0; slots of the history; the longest period that is looked for; rows of the sums; 1 where the errors
# in the history are those of the samples of a batch alone
_NUMBERS = ("width", "memories", "varying", "shuffled", "slots", "longest", "recorded", "partial")
_FIRST = {name: _PARTS + k for k, name in enumerate((*_REALS, *_WHOLES, *_NUMBERS))}
_HEADER = 48  # words before the problem
assert _PARTS + len(_FIRST) <= _HEADER
_WORDS_OF_ARRAY = 8


class Rule(NamedTuple):
    """The fields of a `Stop`, as numbers of one kind."""

    max_steps: Any
    tolerance: Any
    settle: Any
    max_period: Any
    limit: Any
    stall: Any


RULE_FIELDS = len(Rule._fields)


def rule_of(stop: Any) -> Rule:
    """The rule of a `Stop`, of which a field that varies is a `Row`."""
    return Rule(*(getattr(stop, name) for name in Rule._fields))


def row_counts(problem: Problem, varying: int, longest: int, epoch: int) -> dict[str, int]:
    """How many rows each array of a block has, but for those of one row; for the arguments see `Block`."""
    width, memories = len(problem.theta), len(problem.theta) * len(problem.memory)
    back = max(3 * longest if longest > 1 else 1, 2 * epoch)
    slots = CHUNK * (1 + -(-back // CHUNK))
    shuffled = problem.size if problem.batch.shuffled else 0
    recorded = KEPT + len(problem.record) if problem.record else 0
    counts = {"history": slots * (width + 2), "memory": memories}
    counts |= {"places": shuffled + 2 if shuffled else 0, "sums": slots * recorded}
    counts |= {"cycle_losses": longest, "cycle_sums": recorded} if recorded else {}
    counts |= {"fields": varying, "rules": RULE_FIELDS, "scratch": 4}
    return counts | {"state": width, "other": width, "room": problem.room}


def bytes_needed(problem: Problem, varying: int, longest: int, epoch: int) -> int:
    """About how much memory a block takes."""
    rows = sum(row_counts(problem, varying, longest, epoch).values())
    return problem.vectors * (VECTOR_BYTES * rows + 8 * longest)


class Block:
    """The words and the arrays, which live as long as it does; it may be used by one thread at a time.

    Parameters
    ----------
    problem : Problem
    rule : Rule
        Numbers, or the `Row` among the varying fields where they vary.
    varying : int
        Number of varying fields.
    longest : int
        The longest period of a cycle that is looked for.
    epoch : int
        The most steps in an epoch.
    sure : float
        Size of the parameters up to which the loss is finite wherever its slopes are.
    """

    def __init__(
        self, problem: Problem, rule: Rule, varying: int, longest: int, epoch: int, sure: float
    ) -> None:
        self._arguments = (problem, rule, varying, longest, epoch, sure)
        real = np.dtype(type(problem.mean))
        count = VECTOR_BYTES // real.itemsize
        lanes = problem.vectors * count
        width, memories = len(problem.theta), len(problem.theta) * len(problem.memory)
        sizes = row_counts(problem, varying, longest, epoch)
        slots = sizes["history"] // (width + 2)
        shuffled = problem.size if problem.batch.shuffled else 0
        recorded = KEPT + len(problem.record) if problem.record else 0

        def rows(number: int, length: int = lanes) -> np.ndarray:
            """`number` rows, from the beginning of a cache line on."""
            array = np.zeros(number * length + 64 // real.itemsize, real)
            first = -array.ctypes.data % 64 // real.itemsize
            return array[first : first + number * length]

        self.real = real
        self.lanes = lanes
        # the room is that of one vector: what a network keeps there for its lanes holds for a block of one
        narrow = ("room", "cycle_losses", "cycle_sums")
        self.arrays = {name: rows(sizes.get(name, 1), count if name in narrow else lanes) for name in _REALS}
        self.arrays["summaries"] = rows(4 * (CHUNK + 1), count)
        self.arrays["sure"][:] = sure
        self.arrays |= {name: np.zeros(lanes, np.int64) for name in _WHOLES}
        self.arrays["words"] = np.zeros(5 * lanes, np.int64)
        self.arrays["expected"] = np.zeros(problem.vectors * (longest + 1), np.int64)
        self.arrays["rule_rows"][: len(rule)] = [v if isinstance(v, Row) else -1 for v in rule]
        self.arrays["rule_values"][: len(rule)] = rule
        self.words = np.zeros(_HEADER + _size(problem), np.int64)
        partial = int(bool(shuffled) and problem.partial)
        numbers = (width, memories, varying, shuffled, slots, longest, recorded, partial)
        self.words[_PARTS : _PARTS + len(_FIRST)] = [
            *(array.ctypes.data for array in self.arrays.values()),
            *numbers,
        ]
        self.address = self.words.ctypes.data
        specialised(write_problem, problem, self)(problem, self)

    def another(self) -> "Block":
        """Another block for the same problem."""
        return Block(*self._arguments)

    @property
    def bytes(self) -> int:
        """Size of all its arrays."""
        return sum(array.nbytes for array in self.arrays.values())


def _size(value: Any) -> int:
    """At most so many words a value takes in memory."""
    if isinstance(value, tuple):
        return sum(_size(item) for item in value)
    return _WORDS_OF_ARRAY if isinstance(value, np.ndarray) else 1


class BlockType(types.Type):
    """A `Block` in kernels, of one dtype and so many lanes."""

    def __init__(self, real: Any, lanes: int) -> None:
        self.real = real
        self.lanes = lanes
        super().__init__(f"Block({real} x {lanes})")


_WORD, _ANY = ir.IntType(64), ir.IntType(8).as_pointer()
_SHAPE = ir.FunctionType(ir.VoidType(), [_ANY, _ANY])  # of a part: the block, and a tuple of its arguments


@register_model(BlockType)
class _BlockModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _WORD.as_pointer())


@typeof_impl.register(Block)
def _typeof(block: Block, context: Any) -> Any:
    return BlockType(types.float64 if block.real == np.float64 else types.float32, block.lanes)


@unbox(BlockType)
def _unbox(kind: Any, value: Any, c: Any) -> Any:
    address = c.pyapi.object_getattr_string(value, "address")
    number = c.unbox(types.int64, address).value
    c.pyapi.decref(address)
    return NativeValue(c.builder.inttoptr(number, _WORD.as_pointer()))


def _kind_of(block: Any, name: str) -> Any:
    """The type of an attribute of a block."""
    if name == "zero":
        return block.real
    if name in _REALS:
        return Flat(block.real)
    return Flat(types.int64) if name in _WHOLES else types.intp


@infer_getattr
class _Attributes(AttributeTemplate):
    """The arrays and numbers of a block; ``lanes`` is a constant, ``zero`` a 0 of its dtype."""

    key = BlockType

    def generic_resolve(self, block: Any, attribute: str) -> Any:  # type: ignore[override]
        return _kind_of(block, attribute) if attribute in (*_FIRST, "zero", "lanes") else None


@lower_getattr_generic(BlockType)
def _attribute(context: Any, builder: Any, block: Any, value: Any, attribute: str) -> Any:
    target = context.get_value_type(_kind_of(block, attribute))
    if attribute == "zero":
        return ir.Constant(target, 0.0)
    if attribute == "lanes":
        return ir.Constant(target, block.lanes)
    word = builder.load(builder.gep(value, [ir.Constant(_WORD, _FIRST[attribute])]))
    return builder.inttoptr(word, target) if isinstance(target, ir.PointerType) else word


@inner
def rule_at(rules, lanes, lane, like):
    """The rule of a lane, or those of the lanes of a vector."""
    return Rule(
        take(rules, lane, like),
        take(rules, lanes + lane, like),
        take(rules, 2 * lanes + lane, like),
        take(rules, 3 * lanes + lane, like),
        take(rules, 4 * lanes + lane, like),
        take(rules, 5 * lanes + lane, like),
    )


@kernel
def write_problem(problem, block):
    """Write the words that depend on the components."""
    write_words(problem, block)


def _arguments_of_parts(block: Any) -> tuple[tuple[Any, ...], ...]:
    """The types of the arguments of each part, behind the problem."""
    flat, whole = Flat(block.real), types.intp
    return (
        (block, whole),
        (flat, whole, flat, whole, whole, block.real, flat, flat),
        (flat, whole, whole, flat, whole, whole),
    )


@intrinsic
def write_words(typingctx: Any, problem: Any, block: Any) -> Any:
    """Compile the parts of a problem; write their addresses and the problem into the words of a block.

    Where nothing is recorded nothing is finished, and that part is left out.
    """
    record = problem.types[problem.fields.index("record")]
    wanted = (run_chunk, summary_of, finish_of)[: _PARTS if len(record) else FINISH]
    kinds = (problem, without_training(problem), problem)
    parts = tuple(zip(wanted, _arguments_of_parts(block), strict=False))
    signatures = [
        types.Dispatcher(function).get_call_type(typingctx, (kind, *arguments), {})
        for kind, (function, arguments) in zip(kinds, parts, strict=False)
    ]

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        problem_value, words = args
        for k, (function, arguments) in enumerate(parts):
            entry = _entry(context, builder, function, signatures[k], problem, arguments)
            builder.store(builder.ptrtoint(entry, _WORD), builder.gep(words, [ir.Constant(_WORD, k)]))
        place = builder.gep(words, [ir.Constant(_WORD, _HEADER)])
        builder.store(problem_value, builder.bitcast(place, problem_value.type.as_pointer())).align = 8
        return context.get_dummy_value()

    return types.none(problem, block), codegen


def _entry(context: Any, builder: Any, function: Any, sig: Any, whole: Any, arguments: Any) -> Any:
    """A function of `_SHAPE` that calls `function`, in the module being built; `whole` is the problem's type.

    Of the problem a function gets the fields that have a type in its signature, for the others nothing.
    """
    compiled = function.get_compile_result(sig)
    context.add_linking_libs([compiled.library])
    entry = ir.Function(builder.module, _SHAPE, f"{compiled.fndesc.mangled_name}.part")
    entry.linkage = "internal"
    inside = ir.IRBuilder(entry.append_basic_block())

    def loaded(place: Any, kind: Any) -> Any:
        value = inside.load(inside.bitcast(place, context.get_value_type(kind).as_pointer()))
        value.align = 8
        return value

    words, given = entry.args
    given_problem = loaded(inside.gep(words, [ir.Constant(_WORD, 8 * _HEADER)]), whole)
    problem = context.make_tuple(
        inside,
        sig.args[0],
        [
            inside.extract_value(given_problem, k) if kind == own else context.make_tuple(inside, kind, [])
            for k, (kind, own) in enumerate(zip(sig.args[0], whole, strict=True))
        ],
    )
    values = loaded(given, types.Tuple(arguments))
    context.call_internal_no_propagate(
        inside,
        compiled.fndesc,
        sig,
        [problem, *(inside.extract_value(values, k) for k in range(len(arguments)))],
    )
    inside.ret_void()
    return entry


@intrinsic
def call_part(typingctx: Any, block: Any, number: Any, arguments: Any) -> Any:
    """Call part `number` of the problem of a block with a tuple of arguments."""
    given = tuple(types.unliteral(kind) for kind in arguments)
    if given not in _arguments_of_parts(block):
        raise TypingError(f"no part takes {given}")

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        address = builder.load(builder.gep(args[0], [args[1]]))
        place = cgutils.alloca_once_value(builder, args[2])
        function = builder.inttoptr(address, _SHAPE.as_pointer())
        builder.call(function, [builder.bitcast(args[0], _ANY), builder.bitcast(place, _ANY)])
        return context.get_dummy_value()

    return types.none(block, types.intp, arguments), codegen

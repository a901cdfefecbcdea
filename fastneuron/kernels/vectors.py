"""Vectors: the values of many lanes as one number, which kernels compute with.

A `Vector` is an LLVM vector of `VECTOR_BYTES`, one or more machine registers wide. Arithmetic, comparisons
and the elementary functions mean the same on a vector as on a float, element by element and to the same
bits; a plain number beside a vector counts for every element. A comparison gives a `Mask`, and a mask in a
sum or product counts as 0 and 1.

`Formula` is how `fastneuron.kernels.vecmath` writes mathematics for both at once.

Not here: the elementary functions (`vecmath`); which start is in which lane (`lanes`).
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

# Two machine registers or four: one operation fills the time that another takes.
VECTOR_BYTES = 128


class Vector(types.Type):
    """`count` numbers of one float dtype."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        self.count = VECTOR_BYTES * 8 // dtype.bitwidth
        super().__init__(f"Vector({dtype} x {self.count})")


class Mask(types.Type):
    """`count` truth values."""

    def __init__(self, count: int) -> None:
        self.count = count
        super().__init__(f"Mask({count})")

    @property
    def numbers(self) -> Vector:
        """The vectors of as many numbers."""
        return Vector(types.float64 if self.count == Vector(types.float64).count else types.float32)


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        element = manager[kind.dtype].get_value_type()
        super().__init__(manager, kind, ir.VectorType(element, kind.count))


@register_model(Mask)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, ir.VectorType(ir.IntType(1), kind.count))


def filled(kind: Any, value: Any) -> Any:
    """The constant `value` as an LLVM scalar or, in every element, as an LLVM vector."""
    if isinstance(kind, ir.VectorType):
        return ir.Constant(kind, [value] * kind.count)
    return ir.Constant(kind, value)


def element_of(kind: Any) -> Any:
    """The LLVM type of a scalar, or of the elements of a vector."""
    return kind.element if isinstance(kind, ir.VectorType) else kind


def like_shaped(kind: Any, element: Any) -> Any:
    """LLVM type with the shape of `kind` and elements of type `element`."""
    return ir.VectorType(element, kind.count) if isinstance(kind, ir.VectorType) else element


def spread(builder: Any, kind: Any, value: Any) -> Any:
    """An LLVM scalar in every element of a vector of LLVM type `kind`."""
    nothing = ir.Constant(kind, ir.Undefined)
    first = builder.insert_element(nothing, value, ir.Constant(ir.IntType(32), 0))
    where = ir.Constant(ir.VectorType(ir.IntType(32), kind.count), [0] * kind.count)
    return builder.shuffle_vector(first, nothing, where)


def widened(context: Any, builder: Any, value: Any, given: Any, kind: Any) -> Any:
    """`value` of Numba type `given` as a value of `kind`, a float type or a `Vector`."""
    if given == kind:
        return value
    target = context.get_value_type(kind)
    if isinstance(given, Mask):
        return builder.uitofp(value, target)
    if isinstance(kind, Vector):
        return spread(builder, target, context.cast(builder, value, types.unliteral(given), kind.dtype))
    return context.cast(builder, value, types.unliteral(given), kind)


class Formula:
    """An LLVM value under construction, scalar or vector, to write formulas with."""

    __slots__ = ("builder", "value")

    def __init__(self, builder: Any, value: Any) -> None:
        self.builder = builder
        self.value = value

    def _made(self, name: str, *others: Any) -> Formula:
        given = [self.constant(other).value for other in others]
        return Formula(self.builder, getattr(self.builder, name)(self.value, *given))

    def constant(self, number: Any) -> Formula:
        """`number` in the type of this value; what is a Formula already stays."""
        if isinstance(number, Formula):
            return number
        whole = isinstance(element_of(self.value.type), ir.IntType)
        return Formula(self.builder, filled(self.value.type, int(number) if whole else float(number)))

    def _arithmetic(self, name: str, other: Any) -> Formula:
        whole = isinstance(element_of(self.value.type), ir.IntType)
        return self._made(name if whole else f"f{name}", other)

    def __add__(self, other: Any) -> Formula:
        return self._arithmetic("add", other)

    def __sub__(self, other: Any) -> Formula:
        return self._arithmetic("sub", other)

    def __mul__(self, other: Any) -> Formula:
        return self._arithmetic("mul", other)

    def __radd__(self, other: Any) -> Formula:
        return self.constant(other) + self

    def __rsub__(self, other: Any) -> Formula:
        return self.constant(other) - self

    def __rmul__(self, other: Any) -> Formula:
        return self.constant(other) * self

    def __truediv__(self, other: Any) -> Formula:
        return self._made("fdiv", other)

    def __rtruediv__(self, other: Any) -> Formula:
        return self.constant(other) / self

    def __neg__(self) -> Formula:
        return self._made("fneg")

    def __abs__(self) -> Formula:
        return self.called("fabs")

    def __lshift__(self, bits: int) -> Formula:
        return self._made("shl", bits)

    def __rshift__(self, bits: int) -> Formula:
        return self._made("ashr", bits)

    def __and__(self, other: Any) -> Formula:
        return self._made("and_", other)

    def __or__(self, other: Any) -> Formula:
        return self._made("or_", other)

    def __xor__(self, other: Any) -> Formula:
        return self._made("xor", other)

    def shifted_down(self, bits: int) -> Formula:
        """Whole numbers shifted, with zeros coming in, where ``>>`` keeps the sign."""
        return self._made("lshr", bits)

    def high_half(self) -> Formula:
        """The upper 32 of 64 bits."""
        return self.shifted_down(32)

    def _compared(self, sign: str, other: Any) -> Formula:
        ordered = self.builder.fcmp_unordered if sign == "!=" else self.builder.fcmp_ordered
        return Formula(self.builder, ordered(sign, self.value, self.constant(other).value))

    def __lt__(self, other: Any) -> Formula:
        return self._compared("<", other)

    def __le__(self, other: Any) -> Formula:
        return self._compared("<=", other)

    def __gt__(self, other: Any) -> Formula:
        return self._compared(">", other)

    def __ge__(self, other: Any) -> Formula:
        return self._compared(">=", other)

    def equals(self, other: Any) -> Formula:
        """Where it equals `other`; nowhere for NaN."""
        return self._compared("==", other)

    def differs(self, other: Any) -> Formula:
        """Where it does not equal `other`; everywhere for NaN."""
        return self._compared("!=", other)

    def chosen(self, a: Any, b: Any) -> Formula:
        """A where this truth value holds, else b; one of them is a Formula."""
        like = a if isinstance(a, Formula) else b
        value = self.builder.select(self.value, like.constant(a).value, like.constant(b).value)
        return Formula(self.builder, value)

    def called(self, name: str, *others: Any) -> Formula:
        """The LLVM intrinsic ``llvm.<name>`` of this value and the others."""
        kind = self.value.type
        element = "f64" if element_of(kind) == ir.DoubleType() else "f32"
        suffix = f"v{kind.count}{element}" if isinstance(kind, ir.VectorType) else element
        arguments = [self.value, *(self.constant(other).value for other in others)]
        shape = ir.FunctionType(kind, [kind] * len(arguments))
        function = cgutils.get_or_insert_function(self.builder.module, shape, f"llvm.{name}.{suffix}")
        return Formula(self.builder, self.builder.call(function, arguments))

    @property
    def double(self) -> bool:
        """Whether its numbers are float64."""
        return bool(element_of(self.value.type) == ir.DoubleType())

    def bits(self) -> Formula:
        """The same bits as whole numbers."""
        whole = ir.IntType(64 if self.double else 32)
        return Formula(self.builder, self.builder.bitcast(self.value, like_shaped(self.value.type, whole)))

    def as_float(self) -> Formula:
        """The bits of whole numbers, read as floats."""
        double = element_of(self.value.type).width == 64
        element = ir.DoubleType() if double else ir.FloatType()
        return Formula(self.builder, self.builder.bitcast(self.value, like_shaped(self.value.type, element)))

    def to_float(self) -> Formula:
        """Whole numbers as floats of the same value."""
        double = element_of(self.value.type).width == 64
        element = ir.DoubleType() if double else ir.FloatType()
        return Formula(self.builder, self.builder.sitofp(self.value, like_shaped(self.value.type, element)))


def number_kind(arguments: Any) -> Any:
    """The type in which a formula of these arguments is computed: a `Vector`, a float type, or None."""
    vectors = [given for given in arguments if isinstance(given, Vector)]
    vectors += [given.numbers for given in arguments if isinstance(given, Mask)]
    if vectors:
        return vectors[0] if all(vector == vectors[0] for vector in vectors) else None
    if not all(isinstance(given, types.Number | types.Boolean) for given in arguments):
        return None
    floats = [given for given in arguments if isinstance(given, types.Float)]
    return max(floats, key=lambda kind: kind.bitwidth, default=types.float64)


_OPERANDS = (Vector, Mask, types.Number, types.Boolean)


def formula(
    function: Any, arity: int, emit: Callable[..., Formula], scalars: bool = True, truth: bool = False
) -> None:
    """Teach Numba `function` of `arity` numbers, vectors or floats: the `Formula` that `emit` makes.

    scalars : whether it is not known for floats yet. truth : whether the result is a truth value.
    """

    class Template(AbstractTemplate):
        key = function

        def generic(self, args: Any, kws: Any) -> Any:
            kind = None if kws or len(args) != arity else number_kind(args)
            if kind is None or not (scalars or isinstance(kind, Vector)):
                return None
            if truth:
                return signature(Mask(kind.count) if isinstance(kind, Vector) else types.boolean, *args)
            return signature(kind, *args)

    infer_global(function, types.Function(Template))

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = number_kind(sig.args)
        values = [
            Formula(builder, widened(context, builder, value, given, kind))
            for value, given in zip(args, sig.args, strict=True)
        ]
        return emit(*values).value

    for operands in itertools.product(_OPERANDS, repeat=arity):
        if scalars or Vector in operands or Mask in operands:
            lower_builtin(function, *operands)(lower)


def larger(a: Any, b: Any) -> Any:
    """The larger of two numbers, as one instruction: where one is NaN, b."""
    raise NotImplementedError


def _larger(a: Formula, b: Formula) -> Formula:
    return (a > b).chosen(a, b)


for _function, _emit in {
    operator.add: operator.add,
    operator.sub: operator.sub,
    operator.mul: operator.mul,
    operator.truediv: operator.truediv,
    operator.iadd: operator.add,
    operator.isub: operator.sub,
    operator.imul: operator.mul,
    operator.itruediv: operator.truediv,
    min: lambda a, b: (b < a).chosen(b, a),  # as Python has them: a, unless b is beyond it
    max: lambda a, b: (b > a).chosen(b, a),
}.items():
    formula(_function, 2, _emit, scalars=False)
for _function, _emit in {
    operator.lt: operator.lt,
    operator.le: operator.le,
    operator.gt: operator.gt,
    operator.ge: operator.ge,
    operator.eq: Formula.equals,
    operator.ne: Formula.differs,
}.items():
    formula(_function, 2, _emit, scalars=False, truth=True)
for _function, _unary in {operator.neg: operator.neg, operator.pos: lambda a: a, abs: abs}.items():
    formula(_function, 1, _unary, scalars=False)


formula(larger, 2, _larger)


class _Power(AbstractTemplate):
    """A vector to a small whole power known when it is compiled."""

    key = operator.pow
    prefer_literal = True

    def generic(self, args: Any, kws: Any) -> Any:
        if isinstance(args[0], Vector) and isinstance(args[1], types.IntegerLiteral):
            return signature(args[0], *args)
        return None


infer_global(operator.pow, types.Function(_Power))


@lower_builtin(operator.pow, Vector, types.IntegerLiteral)
def _power(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    base, exponent = Formula(builder, args[0]), sig.args[1].literal_value
    result = base.constant(1.0)
    for _ in range(abs(exponent)):
        result = result * base
    return (result if exponent >= 0 else 1.0 / result).value


class _MaskLogic(AbstractTemplate):
    """Masks combined, element by element."""

    def generic(self, args: Any, kws: Any) -> Any:
        return signature(args[0], *args) if all(isinstance(given, Mask) for given in args) else None


for _function, _name in {operator.and_: "and_", operator.or_: "or_", operator.xor: "xor"}.items():
    infer_global(_function, types.Function(type("Template", (_MaskLogic,), {"key": _function})))

    def _combine(context: Any, builder: Any, sig: Any, args: Any, name: str = _name) -> Any:
        return getattr(builder, name)(*args)

    lower_builtin(_function, Mask, Mask)(_combine)
infer_global(operator.invert, types.Function(type("Template", (_MaskLogic,), {"key": operator.invert})))


@lower_builtin(operator.invert, Mask)
def _invert(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return builder.not_(args[0])


def scalarised(function: Any) -> None:
    """Teach Numba a function of one number, known for floats, on vectors: element by element, so not fast."""

    class Template(AbstractTemplate):
        key = function

        def generic(self, args: Any, kws: Any) -> Any:
            return signature(args[0], *args) if isinstance(args[0], Vector) else None

    infer_global(function, types.Function(Template))

    @lower_builtin(function, Vector)
    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = sig.args[0]
        result = args[0]
        for k in range(kind.count):
            at = ir.Constant(ir.IntType(32), k)
            one = signature(kind.dtype, kind.dtype)
            value = context.compile_internal(
                builder, lambda x: function(x), one, [builder.extract_element(args[0], at)]
            )
            result = builder.insert_element(result, value, at)
        return result


for _name in ("sin", "cos", "tan", "arcsinh", "sinh", "cosh", "expm1", "cbrt", "floor", "sign"):
    scalarised(getattr(np, _name))
for _name in ("sin", "cos", "tan", "asinh", "sinh", "cosh", "expm1", "floor"):
    scalarised(getattr(math, _name))


@intrinsic
def vector_like(typingctx: Any, number: Any) -> Any:
    """The number in every element of a vector."""
    kind = Vector(number)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return spread(builder, context.get_value_type(kind), args[0])

    return kind(number), codegen


@intrinsic
def lanes_in(typingctx: Any, like: Any) -> Any:
    """How many lanes a value of this type holds: the elements of a vector, 1 for a number."""
    count = like.count if isinstance(like, Vector) else 1

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return context.get_constant(types.intp, count)

    return types.intp(like), codegen


@intrinsic
def bits_of(typingctx: Any, mask: Any) -> Any:
    """A whole number whose bit k is set where element k of a mask holds, bit 0 for a single truth value."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        if not isinstance(mask, Mask):
            return builder.zext(args[0], ir.IntType(64))
        whole = builder.bitcast(args[0], ir.IntType(args[0].type.count))
        return builder.zext(whole, ir.IntType(64))

    return types.int64(mask), codegen


@intrinsic
def lowest_bit(typingctx: Any, bits: Any) -> Any:
    """Which bit of a whole number that is not 0 is the lowest one set."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), codegen

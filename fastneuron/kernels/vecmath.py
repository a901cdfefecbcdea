"""Compiled twins of `fastneuron.elementary`: branch-free, so that LLVM vectorises the loop around them.

exp: x = k ln 2 + r, |r| <= ln 2 / 2, found by adding 1.5 * 2^52 (the low bits of the sum are k);
exp(r) = 1 + (r + r^2 q(r)) with q the near-minimax (Chebyshev) polynomial of (exp(r) - 1 - r) / r^2, 0.15
ulp from it in float64 and 0.18 in float32; 2^k by an integer shift. Results are 0 below 2^-1022.5
(2^-126.5), and inf above 2^1023.5 (2^127.5). tests/test_vecmath.py holds the errors: at most 1.1 ulp for exp,
0.8 for log, 1.5 for log1p, 2.5 for sigmoid and tanh.
log: x = 2^k m, sqrt(1/2) <= m < sqrt(2); with f = m - 1 and s = f / (2 + f), log(1 + f) = f - f^2/2 +
s (f^2/2 + R(s^2)), R as in fdlibm (Sun Microsystems 1993, e_log.c; e_logf.c in float32).
tanh(x) = u / (u + 2) with u = exp(2 x) - 1 from the same polynomial, without cancellation near 0.

Every function keeps the dtype of its argument; NaN stays NaN (tests/test_vecmath.py).
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastneuron import elementary
from fastneuron.kernels.jit import compiled_as


def _bitcast(source: Any, target: Any) -> Any:
    """An intrinsic that reads the bits of `source` as `target`."""

    @intrinsic
    def cast(typingctx: Any, value: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.bitcast(args[0], context.get_value_type(target))

        return target(source), codegen

    return cast


bits64 = _bitcast(types.float64, types.int64)
float64_of = _bitcast(types.int64, types.float64)
bits32 = _bitcast(types.float32, types.int32)
float32_of = _bitcast(types.int32, types.float32)


def _llvm_function(name: str, arguments: int) -> Any:
    """An intrinsic that calls ``llvm.<name>`` on floats of one dtype."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = args[0].type
        suffix = "f64" if kind == ir.DoubleType() else "f32"
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(kind, [kind] * arguments), f"llvm.{name}.{suffix}"
        )
        return builder.call(function, args)

    if arguments == 3:

        @intrinsic
        def call3(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
            return a(a, a, a), codegen

        return call3

    @intrinsic
    def call2(typingctx: Any, a: Any, b: Any) -> Any:
        return a(a, a), codegen

    return call2


fused = _llvm_function("fma", 3)
copysign = _llvm_function("copysign", 2)


@intrinsic
def select(typingctx: Any, condition: Any, a: Any, b: Any) -> Any:
    """A where `condition`, else b, without a branch."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        chosen, a, b = args
        return builder.select(chosen, a, b)

    kind = typingctx.unify_types(a, b)
    return kind(types.boolean, kind, kind), codegen


@intrinsic
def clamp(typingctx: Any, value: Any, low: Any, high: Any) -> Any:
    """min(max(value, low), high) as two selects, which become vmax and vmin; NaN stays NaN."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value, low, high = args
        value = builder.select(builder.fcmp_ordered(">", low, value), low, value)
        return builder.select(builder.fcmp_ordered("<", high, value), high, value)

    return value(value, value, value), codegen


# float64
_LOG2E = 1.4426950408889634
_LN2 = 0.6931471805599453
_LN2_REST = 2.3190468138462996e-17
_SHIFT = 6755399441055744.0
_ONE_BITS = 0x3FF0000000000000
_EXP_LOW, _EXP_HIGH = -709.0, 710.0
_E0, _E1 = 0.5000000000000001, 0.16666666666666669
_E2, _E3 = 0.04166666666662399, 0.008333333333330051
_E4, _E5 = 0.0013888888917281794, 0.00019841269863105968
_E6, _E7 = 2.480152119021773e-05, 2.7557268378684192e-06
_E8, _E9 = 2.7620138719733994e-07, 2.5100424157005067e-08
_TANH_FLAT = 44.0
_SQRT_HALF_BITS = 0x3FE6A09E667F3BCD
_MANTISSA = 0x000FFFFFFFFFFFFF
_TINY, _TINY_SCALE, _TINY_SHIFT = 2.2250738585072014e-308, 18014398509481984.0, 54.0
_LN2_HIGH, _LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10
_L1, _L2, _L3 = 0.6666666666666735130, 0.3999999999940941908, 0.2857142874366239149
_L4, _L5, _L6 = 0.2222219843214978396, 0.1818357216161805012, 0.1531383769920937332
_L7 = 0.1479819860511658591

# float32
_f = np.float32
_LOG2E_F = _f(1.4426950216293335)
_LN2_F, _LN2_REST_F = _f(0.6931471824645996), _f(-1.9046542121259336e-09)
_SHIFT_F = _f(12582912.0)
_ONE_BITS_F = np.int32(0x3F800000)
_MANTISSA_BITS_F = np.int32(23)
_EXP_LOW_F, _EXP_HIGH_F = _f(-88.0), _f(89.0)
_E0_F, _E1_F, _E2_F = _f(0.5), _f(0.16666576266288757), _f(0.041666556149721146)
_E3_F, _E4_F = _f(0.008363203145563602), _f(0.0013926213141530752)
_TANH_FLAT_F = _f(20.0)
_SQRT_HALF_BITS_F = np.int32(0x3F3504F3)
_MANTISSA_F = np.int32(0x007FFFFF)
_TINY_F, _TINY_SCALE_F, _TINY_SHIFT_F = _f(1.17549435e-38), _f(33554432.0), _f(25.0)
_LN2_HIGH_F, _LN2_LOW_F = _f(6.9313812256e-01), _f(9.0580006145e-06)
_L1_F, _L2_F = _f(0.66666662693), _f(0.40000972152)
_L3_F, _L4_F = _f(0.28498786688), _f(0.24279078841)


@compiled_as(elementary.constant)
def _constant(like: Any, value: Any) -> Any:
    if like == types.float32:
        return lambda like, value: np.float32(value)
    return lambda like, value: np.float64(value)


@compiled_as(elementary.fma)
def _fma(a: Any, b: Any, c: Any) -> Any:
    return lambda a, b, c: fused(a, b, c)


@compiled_as(elementary.where)
def _where(condition: Any, a: Any, b: Any) -> Any:
    return lambda condition, a, b: select(condition, a, b)


@compiled_as(elementary.maximum)
def _maximum(a: Any, b: Any) -> Any:
    return lambda a, b: select((a > b) | (a != a), a, b)


@compiled_as(elementary.divide)
def _divide(a: Any, b: Any) -> Any:
    return lambda a, b: a / b


@compiled_as(elementary.finite)
def _finite(x: Any) -> Any:
    return lambda x: x - x == elementary.constant(x, 0.0)


def exponential_parts(x: Any) -> Any:
    """T and 2^k with exp(x) = 2^k (1 + t)."""
    raise NotImplementedError


@compiled_as(exponential_parts)
def _exponential_parts(x: Any) -> Any:
    if x == types.float64:

        def parts64(x: Any) -> Any:
            x = clamp(x, _EXP_LOW, _EXP_HIGH)
            shifted = fused(x, _LOG2E, _SHIFT)
            k = shifted - _SHIFT
            r = fused(-k, _LN2_REST, fused(-k, _LN2, x))
            r2 = r * r
            r4 = r2 * r2
            low = fused(r2, fused(_E3, r, _E2), fused(_E1, r, _E0))
            high = fused(r2, fused(_E7, r, _E6), fused(_E5, r, _E4))
            q = fused(r4, fused(r4, fused(_E9, r, _E8), high), low)
            return fused(r2, q, r), float64_of((bits64(shifted) << 52) + _ONE_BITS)

        return parts64

    def parts32(x: Any) -> Any:
        x = clamp(x, _EXP_LOW_F, _EXP_HIGH_F)
        shifted = fused(x, _LOG2E_F, _SHIFT_F)
        k = shifted - _SHIFT_F
        r = fused(-k, _LN2_REST_F, fused(-k, _LN2_F, x))
        r2 = r * r
        q = fused(r2 * r2, _E4_F, fused(r2, fused(_E3_F, r, _E2_F), fused(_E1_F, r, _E0_F)))
        bits = np.int32(np.int32(bits32(shifted) << _MANTISSA_BITS_F) + _ONE_BITS_F)
        return fused(r2, q, r), float32_of(bits)

    return parts32


@compiled_as(elementary.exp)
def _exp(x: Any) -> Any:
    def exp(x: Any) -> Any:
        t, scale = exponential_parts(x)
        return (elementary.constant(x, 1.0) + t) * scale

    return exp


@compiled_as(elementary.sigmoid)
def _sigmoid(x: Any) -> Any:
    def sigmoid(x: Any) -> Any:
        one = elementary.constant(x, 1.0)
        t, scale = exponential_parts(-x)
        return one / fused(one + t, scale, one)

    return sigmoid


@compiled_as(elementary.tanh)
def _tanh(x: Any) -> Any:
    flat = _TANH_FLAT if x == types.float64 else _TANH_FLAT_F

    def tanh(x: Any) -> Any:
        size = abs(x)
        t, scale = exponential_parts(select(size + size > flat, flat, size + size))
        u = fused(scale, t, scale - elementary.constant(x, 1.0))
        return copysign(u / (u + elementary.constant(x, 2.0)), x)

    return tanh


@compiled_as(elementary.log)
def _log(x: Any) -> Any:
    if x == types.float64:

        def log64(x: Any) -> Any:
            tiny = x < _TINY
            bits = bits64(select(tiny, x * _TINY_SCALE, x))
            offset = bits - _SQRT_HALF_BITS
            k = float(offset >> 52) - select(tiny, _TINY_SHIFT, 0.0)
            f = float64_of((offset & _MANTISSA) + _SQRT_HALF_BITS) - 1.0
            s = f / (2.0 + f)
            z = s * s
            w = z * z
            odd = w * fused(w, fused(w, _L6, _L4), _L2)
            even = z * fused(w, fused(w, fused(w, _L7, _L5), _L3), _L1)
            half = 0.5 * f * f
            result = k * _LN2_HIGH - ((half - (s * (half + (odd + even)) + k * _LN2_LOW)) - f)
            result = select(x == np.inf, x, result)
            result = select(x == 0.0, -np.inf, result)
            return select(x >= 0.0, result, np.nan)

        return log64
    inf, nan, zero, one, two, half_f = _f(np.inf), _f(np.nan), _f(0), _f(1), _f(2), _f(0.5)

    def log32(x: Any) -> Any:
        tiny = x < _TINY_F
        bits = bits32(select(tiny, x * _TINY_SCALE_F, x))
        offset = np.int32(bits - _SQRT_HALF_BITS_F)
        k = np.float32(np.int32(offset >> _MANTISSA_BITS_F)) - select(tiny, _TINY_SHIFT_F, zero)
        f = float32_of(np.int32(np.int32(offset & _MANTISSA_F) + _SQRT_HALF_BITS_F)) - one
        s = f / (two + f)
        z = s * s
        w = z * z
        odd = w * fused(w, _L4_F, _L2_F)
        even = z * fused(w, _L3_F, _L1_F)
        half = half_f * f * f
        result = k * _LN2_HIGH_F - ((half - (s * (half + (odd + even)) + k * _LN2_LOW_F)) - f)
        result = select(x == inf, x, result)
        result = select(x == zero, -inf, result)
        return select(x >= zero, result, nan)

    return log32


@compiled_as(elementary.log1p)
def _log1p(x: Any) -> Any:
    def log1p(x: Any) -> Any:
        # log(1 + x) with what the rounding of 1 + x lost given back (Kahan)
        one = elementary.constant(x, 1.0)
        u = one + x
        lost = select(x < one, x - (u - one), one - (u - x)) / u
        result = elementary.log(u)
        return select(elementary.finite(lost), result + lost, result)

    return log1p

"""Compiled twins of `fastneuron.elementary`, for floats and for vectors, branch-free.

exp: x = k ln 2 + r, |r| <= ln 2 / 2, found by adding 1.5 * 2^52 + 1023: the low bits of the sum are k + 1023,
which are the bits of 2^k once shifted to the exponent; exp(r) = 1 + (r + r^2 q(r)) with q the near-minimax
(Chebyshev) polynomial of (exp(r) - 1 - r) / r^2, 0.15 ulp from it in float64 and 0.18 in float32.
sigmoid and tanh divide anyway, so a quotient of half the length replaces the polynomial: exp(r) =
(c + r) / (c - r) with c = r coth(r / 2), which is even: c = 2 + r^2 p(r^2), p the minimax polynomial for the
relative error of exp(r) (Remez; 2e-19 in float64, 5e-10 in float32).
sigmoid is 0 below 2^-1023 (2^-127).
exp takes a `gain`, a factor of the argument: what the rounding of gain x loses is added to r. For a gain of 1
that is -0, which the compiler drops where the gain is compiled in. Below the normal numbers exp multiplies by
2^(k + lift) and then by 2^-lift, so that a subnormal result is rounded once, after its `factor`.
log: x = 2^k m, sqrt(1/2) <= m < sqrt(2); with f = m - 1 and s = f / (2 + f), log(1 + f) = f - f^2/2 +
s (f^2/2 + R(s^2)), R as in fdlibm (Sun Microsystems 1993, e_log.c; e_logf.c in float32).
arctan: x, (x - 1) / (x + 1) or -1 / x, whichever is within tan(pi / 8), then t + t^3 p(t^2), p minimax.
erf: x + x p(x^2) up to 1, beyond it 1 - exp(q(x)), q minimax for ln erfc(x) weighted by erfc(x).
tests/test_vecmath.py and tests/test_accuracy.py hold the errors, docs/concepts/accuracy.md lists them.

Every function keeps the dtype of its argument; NaN stays NaN (tests/test_vecmath.py).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import lower_builtin

from fastneuron import elementary
from fastneuron.kernels.vectors import Formula, Mask, Vector, formula, number_kind, widened


class _Format(NamedTuple):
    """What the formulas need to know of a float format."""

    ln2: float
    ln2_rest: float
    shift: float  # 1.5 * 2^mantissa + the exponent's bias
    mantissa: int
    low: float  # below it exp is 0, also times 1000
    high: float  # and infinite above
    lift: int
    least: float  # below it sigmoid is 0
    exp: tuple[float, ...]
    quotient: tuple[float, ...]
    tanh_flat: float  # beyond it tanh is 1, beyond twice that sigmoid
    tiny: float
    tiny_scale: float
    tiny_shift: float
    sqrt_half_bits: int
    ln2_high: float
    ln2_low: float
    log: tuple[float, ...]
    arctan: tuple[float, ...]
    erf: tuple[float, ...]
    erf_flat: float  # beyond it erf is 1
    log_erfc: tuple[float, ...]

    @property
    def coth(self) -> tuple[float, ...]:
        """Of r coth(r), in r^2: half of `quotient`, which is for r / 2."""
        return tuple(term * 0.5 * 4.0**k for k, term in enumerate(self.quotient))


_DOUBLE = _Format(
    ln2=0.6931471805599453,
    ln2_rest=2.3190468138462996e-17,
    shift=6755399441055744.0 + 1023,
    mantissa=52,
    low=-760.0,
    high=710.0,
    lift=128,
    least=-710.0,
    exp=(
        0.5000000000000001,
        0.16666666666666669,
        0.04166666666662399,
        0.008333333333330051,
        0.0013888888917281794,
        0.00019841269863105968,
        2.480152119021773e-05,
        2.7557268378684192e-06,
        2.7620138719733994e-07,
        2.5100424157005067e-08,
    ),
    quotient=(
        2.0,
        0.16666666666666555,
        -0.002777777777669262,
        6.613756249187462e-05,
        -1.6533836209992598e-06,
        4.1360138957200936e-08,
    ),
    tanh_flat=22.0,
    tiny=2.2250738585072014e-308,
    tiny_scale=18014398509481984.0,
    tiny_shift=54.0,
    sqrt_half_bits=0x3FE6A09E667F3BCD,
    ln2_high=0.6931471803691238,
    ln2_low=1.9082149292705877e-10,
    log=(
        0.6666666666666735130,
        0.3999999999940941908,
        0.2857142874366239149,
        0.2222219843214978396,
        0.1818357216161805012,
        0.1531383769920937332,
        0.1479819860511658591,
    ),
    arctan=(
        -0.333333333333332,
        0.1999999999995404,
        -0.1428571428024408,
        0.1111111078590595,
        -0.0909089782951544,
        0.07692061509526403,
        -0.06663118889390905,
        0.05847997745378582,
        -0.05039793935819369,
        0.03807698107723918,
        -0.017920781592408484,
    ),
    erf=(
        0.12837916709551257,
        -0.37612638903183504,
        0.11283791670943855,
        -0.026866170643072618,
        0.005223977605863168,
        -0.0008548325919042726,
        0.00012055293311069451,
        -1.4924707786687613e-05,
        1.644708151488845e-06,
        -1.6205965022596008e-07,
        1.3709594496131078e-08,
        -7.777072330698329e-10,
    ),
    erf_flat=6.0,
    log_erfc=(
        -5.246786377507643e-07,
        -1.1283738856381256,
        -0.6366445119913422,
        -0.10270107615453622,
        0.018985815799259207,
        0.000416528716785806,
        -0.0019219963923342504,
        0.0007754529675062805,
        -0.00013804713519433435,
        -1.8794382370607728e-05,
        2.2252212441685676e-05,
        -8.49399542027658e-06,
        2.094963269824101e-06,
        -3.6604663330922594e-07,
        4.547617241348805e-08,
        -3.849054870151466e-09,
        1.9977299435961838e-10,
        -4.80718825471527e-12,
    ),
)
_SINGLE = _Format(
    ln2=0.6931471824645996,
    ln2_rest=-1.9046542121259336e-09,
    shift=12582912.0 + 127,
    mantissa=23,
    low=-112.0,
    high=89.0,
    lift=48,
    least=-89.0,
    exp=(0.5, 0.16666576266288757, 0.041666556149721146, 0.008363203145563602, 0.0013926213141530752),
    quotient=(2.0, 0.166666179895401, -0.0027659754268825054),
    tanh_flat=10.0,
    tiny=1.17549435e-38,
    tiny_scale=33554432.0,
    tiny_shift=25.0,
    sqrt_half_bits=0x3F3504F3,
    ln2_high=6.9313812256e-01,
    ln2_low=9.0580006145e-06,
    log=(0.66666662693, 0.40000972152, 0.28498786688, 0.24279078841),
    arctan=(
        -0.33333316445350647,
        0.19998489320278168,
        -0.1424383819103241,
        0.10595914721488953,
        -0.060832224786281586,
    ),
    erf=(
        0.12837916,
        -0.3761262595653534,
        0.1128358319401741,
        -0.026853755116462708,
        0.005188233219087124,
        -0.0008009446319192648,
        7.851583359297365e-05,
    ),
    erf_flat=4.0,
    log_erfc=(
        0.00018803415878210217,
        -1.1295783519744873,
        -0.6332199573516846,
        -0.1084185317158699,
        0.025208227336406708,
        -0.0042045521549880505,
        0.0004413345013745129,
        -2.1686701074941084e-05,
    ),
)
_LOG2E = 1.4426950408889634
_TAN_1_8, _TAN_3_8 = math.tan(math.pi / 8), math.tan(3 * math.pi / 8)


def _format(x: Formula) -> _Format:
    return _DOUBLE if x.double else _SINGLE


def _fma(a: Formula, b: Any, c: Any) -> Formula:
    return a.called("fma", b, c)


def _power_of_2(shifted: Formula) -> Formula:
    """2^k, of k + shift."""
    return (shifted.bits() << _format(shifted).mantissa).as_float()


def _exp(x: Formula, gain: Formula, factor: Formula) -> Formula:
    f = _format(x)
    product = gain * x
    beyond = (product < f.low) | (product > f.high)
    lost = (gain.equals(1.0) | beyond).chosen(-0.0, _fma(gain, x, -product))
    # two selects, which become max and min; NaN stays NaN
    product = (product < f.low).chosen(f.low, product)
    product = (product > f.high).chosen(f.high, product)
    far = product < 0.25 * f.low  # there the result may be subnormal, and is rounded after the product
    shift = far.chosen(x.constant(f.shift + f.lift), f.shift - f.lift)
    shifted = _fma(product, _LOG2E, shift)
    k = shifted - shift
    r = _fma(-k, f.ln2_rest, _fma(-k, f.ln2, product)) + lost
    scale = _power_of_2(shifted)
    r2 = r * r
    e = f.exp
    if x.double:
        low_part = _fma(r2, _fma(r, e[3], e[2]), _fma(r, e[1], e[0]))
        high_part = _fma(r2, _fma(r, e[7], e[6]), _fma(r, e[5], e[4]))
        r4 = r2 * r2
        q = _fma(r4, _fma(r4, _fma(r, e[9], e[8]), high_part), low_part)
    else:
        q = _fma(r2, _fma(r, _fma(r, e[4], e[3]), e[2]), _fma(r, e[1], e[0]))
    power = (1.0 + _fma(r2, q, r)) * scale * far.chosen(factor, 1.0)
    return power * far.chosen(x.constant(2.0**-f.lift), 2.0**f.lift) * far.chosen(1.0, factor)


def _plain_exp(x: Formula) -> Formula:
    return _exp(x, x.constant(1.0), x.constant(1.0))


def _sigmoid(x: Formula) -> Formula:
    f = _format(x)
    # two selects, which become max and min; NaN stays NaN
    x = (x < f.least).chosen(f.least, x)
    x = (x > 2.0 * f.tanh_flat).chosen(2.0 * f.tanh_flat, x)
    shifted = _fma(x, -_LOG2E, f.shift)
    k = shifted - f.shift
    r = _fma(-k, f.ln2_rest, _fma(-k, f.ln2, -x))
    c = polynomial(r * r, f.quotient)
    part = c - r
    return part / _fma(c + r, _power_of_2(shifted), part)


def _tanh(x: Formula) -> Formula:
    f = _format(x)
    size = abs(x)
    size = (size > f.tanh_flat).chosen(f.tanh_flat, size)
    # 2 size = k ln 2 + 2 r; what the rounding of ln 2 does to r is below half an ulp of the result
    shifted = _fma(size, 2.0 * _LOG2E, f.shift)
    r = _fma(f.shift - shifted, 0.5 * f.ln2, size)
    scale = _power_of_2(shifted)
    c = polynomial(r * r, f.coth)
    # exp(2 size) - 1 and exp(2 size) + 1, both times c - r, where c = r coth(r)
    less, more = scale - 1.0, scale + 1.0
    return (_fma(less, c, more * r) / _fma(more, c, less * r)).called("copysign", x)


def polynomial(x: Formula, terms: tuple[float, ...]) -> Formula:
    """terms[0] + terms[1] x + ..."""
    *rest, last = terms
    sum_ = x.constant(last)
    for term in reversed(rest):
        sum_ = _fma(sum_, x, term)
    return sum_


def _arctan(x: Formula) -> Formula:
    size = abs(x)
    steep, middle = size > _TAN_3_8, size > _TAN_1_8
    above = steep.chosen(-1.0, middle.chosen(size - 1.0, size))
    below = steep.chosen(size, middle.chosen(size + 1.0, 1.0))
    t = above / below
    t2 = t * t
    angle = _fma(t * t2, polynomial(t2, _format(x).arctan), t)
    angle = angle + steep.chosen(math.pi / 2, middle.chosen(x.constant(math.pi / 4), 0.0))
    return angle.called("copysign", x)


def _erf(x: Formula) -> Formula:
    f = _format(x)
    size = abs(x)
    small = _fma(size, polynomial(size * size, f.erf), size)
    size = (size > f.erf_flat).chosen(f.erf_flat, size)
    large = 1.0 - _plain_exp(polynomial(size, f.log_erfc))
    return (size > 1.0).chosen(large, small).called("copysign", x)


def _sign(x: Formula) -> Formula:
    return x.equals(0.0).chosen(x, x / abs(x))


def log_of(x: Formula) -> Formula:
    """Natural logarithm: -inf at 0, NaN below."""
    f = _format(x)
    tiny = x < f.tiny
    lifted = tiny.chosen(x.constant(f.tiny_shift), 0.0)
    result = log_of_normal(tiny.chosen(x * f.tiny_scale, x), lifted)
    result = x.equals(math.inf).chosen(x, result)
    result = x.equals(0.0).chosen(-math.inf, result)
    return (x >= 0.0).chosen(result, math.nan)


def log_of_normal(x: Formula, lifted: Formula | None = None) -> Formula:
    """Natural logarithm of a positive, finite number that is not subnormal, over 2^lifted."""
    f = _format(x)
    offset = x.bits() - f.sqrt_half_bits
    k = (offset >> f.mantissa).to_float()
    k = k if lifted is None else k - lifted
    m = ((offset & ((1 << f.mantissa) - 1)) + f.sqrt_half_bits).as_float() - 1.0
    s = m / (2.0 + m)
    z = s * s
    w = z * z
    c = f.log
    if x.double:
        odd = w * _fma(w, _fma(w, c[5], c[3]), c[1])
        even = z * _fma(w, _fma(w, _fma(w, c[6], c[4]), c[2]), c[0])
    else:
        odd = w * _fma(w, c[3], c[1])
        even = z * _fma(w, c[2], c[0])
    half = 0.5 * m * m
    return k * f.ln2_high - ((half - (s * (half + (odd + even)) + k * f.ln2_low)) - m)


def _log1p(x: Formula) -> Formula:
    # log(1 + x) with what the rounding of 1 + x lost given back (Kahan)
    u = 1.0 + x
    lost = (x < 1.0).chosen(x - (u - 1.0), 1.0 - (u - x)) / u
    result = log_of(u)
    return _finite(lost).chosen(result + lost, result)


def _finite(x: Formula) -> Formula:
    return (x - x).equals(0.0)


def _maximum(a: Formula, b: Formula) -> Formula:
    return ((a > b) | a.differs(a)).chosen(a, b)


_UNARY: dict[Any, Any] = {
    elementary.sigmoid: _sigmoid,
    elementary.tanh: _tanh,
    elementary.log: log_of,
    elementary.log1p: _log1p,
    elementary.arctan: _arctan,
    elementary.erf: _erf,
    elementary.sqrt: lambda x: x.called("sqrt"),
    elementary.sign: _sign,
}
for _function, _meaning in _UNARY.items():
    formula(_function, 1, _meaning)
formula(elementary.finite, 1, _finite, truth=True)
formula(elementary.fma, 3, _fma)
formula(elementary.exp, 1, _plain_exp)
formula(elementary.exp, 3, _exp)
formula(elementary.exp, 2, lambda x, gain: _exp(x, gain, x.constant(1.0)))
formula(elementary.maximum, 2, _maximum)
formula(elementary.divide, 2, lambda a, b: a / b)
# what a method written with NumPy or math means on vectors
_FOREIGN: dict[Any, Any] = {
    np.exp: _plain_exp,
    math.exp: _plain_exp,
    np.log: log_of,
    math.log: log_of,
    np.log1p: _log1p,
    math.log1p: _log1p,
    np.tanh: _tanh,
    math.tanh: _tanh,
    np.arctan: _arctan,
    math.atan: _arctan,
    math.erf: _erf,
    np.sqrt: lambda x: x.called("sqrt"),
    math.sqrt: lambda x: x.called("sqrt"),
    np.abs: abs,
    math.fabs: abs,
}
for _function, _meaning in _FOREIGN.items():
    formula(_function, 1, _meaning, scalars=False)
formula(np.maximum, 2, _maximum, scalars=False)
formula(np.minimum, 2, lambda a, b: -_maximum(-a, -b), scalars=False)


class _Where(AbstractTemplate):
    """A choice between two numbers."""

    key = elementary.where

    def generic(self, args: Any, kws: Any) -> Any:
        masks = [args[0]] if isinstance(args[0], Mask) else []
        kind = number_kind([*masks, *args[1:]])
        return None if kind is None else signature(kind, *args)


infer_global(elementary.where, types.Function(_Where))


@lower_builtin(elementary.where, types.Any, types.Any, types.Any)
def _where(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    kind = sig.return_type
    sides = [widened(context, builder, args[k], sig.args[k], kind) for k in (1, 2)]
    return builder.select(args[0], *sides)


class _Constant(AbstractTemplate):
    """A number in the type of its example."""

    key = elementary.constant

    def generic(self, args: Any, kws: Any) -> Any:
        like = args[0] if isinstance(args[0], Vector | types.Float) else types.float64
        known = isinstance(args[1], Mask | types.Number | types.Boolean) or args[1] == like
        return signature(like, *args) if known else None


infer_global(elementary.constant, types.Function(_Constant))


@lower_builtin(elementary.constant, types.Any, types.Any)
def _constant(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return widened(context, builder, args[1], sig.args[1], sig.return_type)

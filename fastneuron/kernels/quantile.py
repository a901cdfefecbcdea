"""The compiled twin of `fastneuron.elementary.quantile`, for floats and for vectors.

Wichura 1988, "The percentage points of the normal distribution", Applied Statistics 37, algorithm AS 241
(PPND16): with q = u - 1/2 and p the smaller of u and 1 - u, q times a quotient P / Q of polynomials of degree
7 in s = 0.425^2 - q^2 where |q| <= 0.425; beyond it one, C / D, in t = r - 1.6 with r = sqrt(-ln p), and
another where r > 5. So far out is one number in 4e10: these, and all that is not between 0 and 1, stand
behind a branch.

As published the errors of all four polynomials count in full. So P / Q is sqrt(2 pi) + q^2 N / Q here, and
C / D as C(0) + t + t M / D, of which the last part is the smaller one. (N = (P - sqrt(2 pi) Q) / q^2, M =
(C - (C(0) + t) D) / t, terms worked out to 90 digits.)

The result is -inf at 0, inf at 1 and NaN beyond. tests/test_quantile.py holds the error: at most 4 ulp.
"""

from __future__ import annotations

import math
from typing import Any

from llvmlite import ir

from fastneuron import elementary
from fastneuron.kernels.vecmath import log_of, log_of_normal, polynomial
from fastneuron.kernels.vectors import Formula, formula

_CENTRAL = (
    (
        4.874765941399949726473,
        176.9004440290075302755,
        2358.305945449972676112,
        14221.48343116457581661,
        38579.04915793209246046,
        40495.70688542141872754,
        10591.79991446787897572,
    ),
    (
        1.0,
        4.2313330701600911252e1,
        6.8718700749205790830e2,
        5.3941960214247511077e3,
        2.1213794301586595867e4,
        3.9307895800092710610e4,
        2.8729085735721942674e4,
        5.2264952788528545610e3,
    ),
)
_TAIL = (
    (
        0.707748689319850818,
        1.33007721564149989,
        0.989623072178700869,
        0.369874221170796897,
        0.0720424027294085055,
        0.00674571307701773448,
        0.000226949710102160811,
        -1.05075007164441684e-9,
    ),
    (
        1.0,
        2.05319162663775882187,
        1.67638483018380384940,
        6.89767334985100004550e-1,
        1.48103976427480074590e-1,
        1.51986665636164571966e-2,
        5.47593808499534494600e-4,
        1.05075007164441684324e-9,
    ),
)
_FAR_TAIL = (
    (
        6.65790464350110377720,
        5.46378491116411436990,
        1.78482653991729133580,
        2.96560571828504891230e-1,
        2.65321895265761230930e-2,
        1.24266094738807843860e-3,
        2.71155556874348757815e-5,
        2.01033439929228813265e-7,
    ),
    (
        1.0,
        5.99832206555887937690e-1,
        1.36929880922735805310e-1,
        1.48753612908506148525e-2,
        7.86869131145613259100e-4,
        1.84631831751005468180e-5,
        1.42151175831644588870e-7,
        2.04426310338993978564e-15,
    ),
)
_SLOPE = math.sqrt(2.0 * math.pi)
_LAG = 0.17656288925031643  # 1.6 - C(0)
_FAR = math.exp(-25.0)


def _quantile(u: Formula) -> Formula:
    q = u - 0.5
    p = (q < 0.0).chosen(u, 1.0 - u)
    central = abs(q) <= 0.425
    s = (-q).called("fma", q, 0.180625)
    r = (-log_of_normal(p)).called("sqrt")
    t = r - 1.6
    above = central.chosen(q * q * polynomial(s, _CENTRAL[0]), t * polynomial(t, _TAIL[0]))
    below = central.chosen(polynomial(s, _CENTRAL[1]), polynomial(t, _TAIL[1]))
    result = central.chosen(_SLOPE, r - _LAG) + above / below
    return _unless_far(p, central.chosen(result * q, result)).called("copysign", q)


def _unless_far(p: Formula, size: Formula) -> Formula:
    """The size of the quantile, replaced in those elements where p is below exp(-25) or NaN."""
    builder = p.builder
    near = (p >= _FAR).value
    if isinstance(near.type, ir.VectorType):
        bits = builder.bitcast(near, ir.IntType(near.type.count))
        every = builder.icmp_unsigned("==", bits, ir.Constant(bits.type, -1))
    else:
        every = near
    before = builder.block
    with builder.if_then(builder.not_(every), likely=False):
        r = (-log_of(p)).called("sqrt") - 5.0
        far = p.equals(0.0).chosen(math.inf, polynomial(r, _FAR_TAIL[0]) / polynomial(r, _FAR_TAIL[1]))
        mixed = Formula(builder, near).chosen(size, far).value
        inside = builder.block
    result = builder.phi(size.value.type)
    result.add_incoming(size.value, before)
    result.add_incoming(mixed, inside)
    return Formula(builder, result)


_MEANING: Any = _quantile
formula(elementary.quantile, 1, _MEANING)

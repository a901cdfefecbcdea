"""Elementary functions that mean the same on floats, on arrays and inside kernels.

These are what a component's methods may call. Here they are plain NumPy; `fastneuron.kernels.vecmath`
gives each its compiled twin, which the compiler can turn into vector instructions.
"""

from typing import Any

import numpy as np


def constant(like: Any, value: Any) -> Any:
    """`value` in the dtype of `like`: inside a kernel a bare 1.0 would turn float32 into float64."""
    if isinstance(like, float | int):
        return float(value)
    return np.asarray(value, like.dtype)[()]


def exp(x: Any) -> Any:
    """Exponential; 0 and inf beyond the range, without a warning."""
    with np.errstate(over="ignore", under="ignore"):
        return np.exp(x)


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)), without a warning."""
    with np.errstate(over="ignore", under="ignore"):
        return 1 / (1 + np.exp(-x))


def log(x: Any) -> Any:
    """Natural logarithm; -inf at 0, NaN below, without a warning."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(x)


def log1p(x: Any) -> Any:
    """log(1 + x), accurate near 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log1p(x)


def tanh(x: Any) -> Any:
    """Hyperbolic tangent."""
    return np.tanh(x)


def arctan(x: Any) -> Any:
    """Inverse tangent."""
    return np.arctan(x)


def erf(x: Any) -> Any:
    """Error function, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x."""
    from scipy import special  # slow to import, and seldom needed

    return special.erf(x)


def quantile(u: Any) -> Any:
    """The standard normal number below which a normal number is with probability u; NaN beyond 0 and 1."""
    from scipy import special

    return special.ndtri(u)


def sqrt(x: Any) -> Any:
    """Square root; NaN below 0, without a warning."""
    with np.errstate(invalid="ignore"):
        return np.sqrt(x)


def sign(x: Any) -> Any:
    """1 above 0, -1 below, 0 at 0; NaN for an infinity, so that what is not finite stays so."""
    with np.errstate(invalid="ignore"):
        return where(x == 0, x, divide(x, abs(x)))


def fma(a: Any, b: Any, c: Any) -> Any:
    """A b + c; rounded once inside a kernel, twice here."""
    return a * b + c


def divide(a: Any, b: Any) -> Any:
    """A / b as IEEE 754 has it: by zero it is an infinity or NaN, without a warning."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.true_divide(a, b)


def where(condition: Any, a: Any, b: Any) -> Any:
    """A where `condition`, else b; both are evaluated."""
    return np.where(condition, a, b)[()]


def maximum(a: Any, b: Any) -> Any:
    """The larger of a and b."""
    return np.maximum(a, b)


def finite(x: Any) -> Any:
    """Whether x is neither infinite nor NaN."""
    return np.isfinite(x)

"""Elementary functions that mean the same on floats, on arrays and inside kernels.

These are what a component's methods may call. Here they are plain NumPy; `fastneuron.kernels.vecmath`
gives each its compiled twin, which the compiler can turn into vector instructions.
"""

from collections.abc import Callable
from typing import Any

import numpy as np


def _rounded(function: Callable[..., Any], x: Any, *others: Any) -> Any:
    """The function in float64, rounded to the dtype of x, as are the other numbers; without a warning."""
    dtype = np.result_type(x)
    dtype = dtype if np.issubdtype(dtype, np.floating) else np.dtype(np.float64)
    numbers = [np.asarray(number, dtype).astype(np.float64) for number in (x, *others)]
    with np.errstate(all="ignore"):
        return function(*numbers).astype(dtype)[()]


def constant(like: Any, value: Any) -> Any:
    """Give `value` in the dtype of `like`.

    Inside a kernel a bare 1.0 would turn float32 into float64.

    Parameters
    ----------
    like : float or float array, any shape
        What the number is to be computed with.
    value : float, any, also inf and NaN
        The number.

    Returns
    -------
    float or NumPy scalar
        The number, rounded to the dtype of `like`.

    Examples
    --------
    >>> import fastneuron as fn
    >>> import numpy as np
    >>> fn.constant(np.zeros(3, np.float32), 0.1).dtype
    dtype('float32')
    """
    if isinstance(like, float | int):
        return float(value)
    return np.asarray(value, like.dtype)[()]


def exp(x: Any, gain: Any = 1.0, factor: Any = 1.0) -> Any:
    """Exponential, factor exp(gain x); 0 and inf beyond the range, without a warning.

    Parameters
    ----------
    x : float or float array, any shape
        Any numbers.
    gain : float or float array, shape of `x`
        Factor of `x`; the product counts as it is, before it is rounded.
    factor : float or float array, shape of `x`
        Factor of the result, at most 1000 in size; what is subnormal is rounded after the product.

    Returns
    -------
    float or float array, shape of `x`
        From 0 to inf, times the factor.

    Examples
    --------
    >>> from fastneuron.elementary import exp
    >>> float(exp(0.0)), float(exp(1000.0))
    (1.0, inf)
    >>> float(exp(38.0, -19.0)), float(exp(38.0, -19.0, 38.0))
    (2.7503253126e-314, 1.04512361874e-312)
    """
    return _rounded(_exp, x, gain, factor)


def _exp(x: Any, gain: Any, factor: Any) -> Any:
    size, lost = _size(x, gain)
    falls = (x < 0) ^ (gain < 0)
    return np.where(falls, _decayed(size, lost, factor), factor * _grown(size, lost))


def _size(x: Any, gain: Any) -> Any:
    """abs(gain x), no larger than what exp makes 0 of, and what its rounding lost."""
    gain = abs(gain)
    size = np.minimum(abs(x), np.minimum(1000 / gain, np.finfo(np.float64).max))
    return gain * size, _product_error(gain, size)


def _decayed(size: Any, lost: Any, factor: Any) -> Any:
    """Factor exp(-(size + lost)), subnormal only after the product."""
    far = size > 80
    power = np.exp(np.where(far, 44.0, 0.0) - size)
    return (power - power * lost) * factor * np.where(far, np.exp(-44.0), 1.0)


def _grown(size: Any, lost: Any) -> Any:
    """exp(size + lost)."""
    power = np.exp(size)
    return np.where(np.isinf(power), power, power + power * lost)


def sigmoid(x: Any) -> Any:
    """Logistic sigmoid, 1 / (1 + exp(-x)), without a warning.

    Parameters
    ----------
    x : float or float array, any shape
        Any numbers.

    Returns
    -------
    float or float array, shape of `x`
        From 0 to 1.

    Examples
    --------
    >>> from fastneuron.elementary import sigmoid
    >>> float(sigmoid(0.0)), float(sigmoid(-1000.0))
    (0.5, 0.0)
    """
    return _rounded(lambda x: 1 / (1 + np.exp(-x)), x)


def log(x: Any) -> Any:
    """Natural logarithm; -inf at 0, NaN below, without a warning.

    Parameters
    ----------
    x : float or float array, any shape
        Any numbers.

    Returns
    -------
    float or float array, shape of `x`
        From -inf to inf, or NaN.

    Examples
    --------
    >>> from fastneuron.elementary import log
    >>> float(log(1.0)), float(log(0.0)), float(log(-1.0))
    (0.0, -inf, nan)
    """
    return _rounded(np.log, x)


def log1p(x: Any) -> Any:
    """Natural logarithm of 1 + x, accurate near 0; -inf at -1, NaN below, without a warning.

    Parameters
    ----------
    x : float or float array, any shape
        Any numbers.

    Returns
    -------
    float or float array, shape of `x`
        From -inf to inf, or NaN.

    Examples
    --------
    >>> from fastneuron.elementary import log1p
    >>> float(log1p(1e-20)), float(log1p(-1.0))
    (1e-20, -inf)
    """
    return _rounded(np.log1p, x)


def tanh(x: Any) -> Any:
    """Hyperbolic tangent.

    Parameters
    ----------
    x : float or float array, any shape
        Any numbers.

    Returns
    -------
    float or float array, shape of `x`
        From -1 to 1.

    Examples
    --------
    >>> from fastneuron.elementary import tanh
    >>> float(tanh(0.0)), float(tanh(100.0))
    (0.0, 1.0)
    """
    return _rounded(np.tanh, x)


def arctan(x: Any) -> Any:
    """Inverse tangent.

    Parameters
    ----------
    x : float or float array, any shape
        Any numbers.

    Returns
    -------
    float or float array, shape of `x`
        In radians, from -pi/2 to pi/2.

    Examples
    --------
    >>> from fastneuron.elementary import arctan
    >>> float(4 * arctan(1.0))
    3.141592653589793
    """
    return _rounded(np.arctan, x)


def erf(x: Any) -> Any:
    """Error function, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.

    Parameters
    ----------
    x : float or float array, any shape
        Any numbers.

    Returns
    -------
    float or float array, shape of `x`
        From -1 to 1.

    Examples
    --------
    >>> from fastneuron.elementary import erf
    >>> float(erf(0.0)), float(erf(10.0))
    (0.0, 1.0)
    """
    from scipy import special  # slow to import, and seldom needed

    return _rounded(special.erf, x)


def quantile(u: Any) -> Any:
    """The number below which a standard normal number is with probability u; NaN beyond 0 and 1.

    Parameters
    ----------
    u : float or float array, any shape
        Probabilities, from 0 to 1.

    Returns
    -------
    float or float array, shape of `u`
        From -inf to inf, or NaN.

    Examples
    --------
    >>> from fastneuron.elementary import quantile
    >>> float(quantile(0.5)), float(quantile(0.975).round(4)), float(quantile(0.0))
    (0.0, 1.96, -inf)
    """
    from scipy import special

    return special.ndtri(u)


def sqrt(x: Any) -> Any:
    """Square root; NaN below 0, without a warning.

    Parameters
    ----------
    x : float or float array, any shape
        Any numbers.

    Returns
    -------
    float or float array, shape of `x`
        0 or more, or NaN.

    Examples
    --------
    >>> from fastneuron.elementary import sqrt
    >>> float(sqrt(4.0)), float(sqrt(-1.0))
    (2.0, nan)
    """
    with np.errstate(invalid="ignore"):
        return np.sqrt(x)


def sign(x: Any) -> Any:
    """Sign: 1 above 0, -1 below, 0 at 0; NaN for an infinity, so that what is not finite stays so.

    Parameters
    ----------
    x : float or float array, any shape
        Any numbers.

    Returns
    -------
    float or float array, shape of `x`
        -1, 0, 1 or NaN.

    Examples
    --------
    >>> from fastneuron.elementary import sign
    >>> float(sign(-3.0)), float(sign(0.0)), float(sign(float("inf")))
    (-1.0, 0.0, nan)
    """
    with np.errstate(invalid="ignore"):
        return where(x == 0, x, divide(x, abs(x)))


def fma(a: Any, b: Any, c: Any) -> Any:
    """Product and sum, a b + c; rounded once inside a kernel, twice here.

    Parameters
    ----------
    a, b, c : float or float array, shapes that broadcast together
        Any numbers.

    Returns
    -------
    float or float array, the broadcast shape
        What a b + c is.

    Examples
    --------
    >>> from fastneuron.elementary import fma
    >>> fma(2.0, 3.0, 1.0)
    7.0
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return a * b + c


def _product_error(a: Any, b: Any) -> Any:
    """Dekker (1971): the halves of both numbers are multiplied one by one."""
    (a, n), (b, m) = np.frexp(a), np.frexp(b)
    a_high, b_high = _upper_half(a), _upper_half(b)
    a_low, b_low = a - a_high, b - b_high
    missing = a * b - a_high * b_high - a_low * b_high - a_high * b_low
    return np.ldexp(a_low * b_low - missing, n + m)


def _upper_half(x: Any) -> Any:
    """X rounded to 26 bits."""
    return x * 134217729.0 - (x * 134217729.0 - x)


def divide(a: Any, b: Any) -> Any:
    """Quotient a / b as IEEE 754 has it: by zero it is an infinity or NaN, without a warning.

    Parameters
    ----------
    a, b : float or float array, shapes that broadcast together
        Any numbers.

    Returns
    -------
    float or float array, the broadcast shape
        From -inf to inf, or NaN.

    Examples
    --------
    >>> from fastneuron.elementary import divide
    >>> float(divide(1.0, 4.0)), float(divide(1.0, 0.0)), float(divide(0.0, 0.0))
    (0.25, inf, nan)
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.true_divide(a, b)


def where(condition: Any, a: Any, b: Any) -> Any:
    """Choose a where `condition` holds, else b; both are evaluated.

    Parameters
    ----------
    condition : bool or bool array, any shape
        A comparison.
    a, b : float or float array, shapes that broadcast with that of `condition`
        Any numbers.

    Returns
    -------
    float or float array, the broadcast shape
        Numbers of `a` and of `b`.

    Examples
    --------
    >>> from fastneuron.elementary import where
    >>> import numpy as np
    >>> z = np.array([-1.0, 2.0])
    >>> where(z > 0.0, z, 0.0).tolist()
    [0.0, 2.0]
    """
    return np.where(condition, a, b)[()]


def maximum(a: Any, b: Any) -> Any:
    """The larger of a and b; NaN where one of them is.

    Parameters
    ----------
    a, b : float or float array, shapes that broadcast together
        Any numbers.

    Returns
    -------
    float or float array, the broadcast shape
        The larger numbers.

    Examples
    --------
    >>> from fastneuron.elementary import maximum
    >>> float(maximum(-1.0, 0.0))
    0.0
    """
    return np.maximum(a, b)


def finite(x: Any) -> Any:
    """Whether x is neither infinite nor NaN.

    Parameters
    ----------
    x : float or float array, any shape
        Any numbers.

    Returns
    -------
    bool or bool array, shape of `x`
        True where a number is finite.

    Examples
    --------
    >>> from fastneuron.elementary import finite
    >>> bool(finite(1.0)), bool(finite(float("nan")))
    (True, False)
    """
    return np.isfinite(x)

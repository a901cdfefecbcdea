"""The elementary functions inside kernels: accuracy, dtypes and special values."""

import functools
import warnings
from fractions import Fraction

import mpmath
import numba
import numpy as np
import pytest
from scipy import special

import fastneuron.kernels.vecmath  # noqa: F401 - teaches Numba the functions
from fastneuron import elementary

DTYPES = pytest.mark.parametrize("dtype", [np.float64, np.float32])
UNARY = ("exp", "log", "log1p", "sigmoid", "tanh", "arctan", "erf", "sqrt", "sign")
# Largest error in units in the last place over the arguments of `arguments`, as measured, rounded up.
ULPS = {
    "exp": 1.1,
    "log": 0.8,
    "log1p": 1.5,
    "sigmoid": 2.5,
    "tanh": 2.5,
    "arctan": 2.5,
    "erf": 2.0,
    "sqrt": 0.5,
    "sign": 0.0,
}
# Arguments of exp: below the first the result is under the smallest normal number, below the second it is
# 0, above the third inf.
EXP_ENDS = {np.float64: (-708.3964, -745.1332, 709.7827), np.float32: (-87.3365, -103.9720, 88.7228)}
# -1023 ln 2 and -127 ln 2: sigmoid is 0 below, where it would be under half of the smallest normal number.
SIGMOID_END = {np.float64: -709.0896, np.float32: -88.0297}


@functools.cache
def over_arrays(name):
    """The compiled function over arrays of its arguments; its results keep their dtype."""
    function = getattr(elementary, name)
    if name in (*UNARY, "finite"):

        def apply(x, out):
            for i in range(len(x)):
                out[i] = function(x[i])
            return function(x[0])

    elif name in ("maximum", "divide"):

        def apply(a, b, out):
            for i in range(len(a)):
                out[i] = function(a[i], b[i])
            return function(a[0], b[0])

    else:

        def apply(a, b, c, out):
            for i in range(len(a)):
                out[i] = function(a[i], b[i], c[i])
            return function(a[0], b[0], c[0])

    compiled = numba.njit(error_model="numpy")(apply)

    def over(*arrays):
        out = np.empty(len(arrays[0]), function(*(array[:1] for array in arrays)).dtype)
        compiled(*arrays, out)
        kinds = tuple(map(numba.typeof, (*arrays, out)))
        assert compiled.overloads[kinds].signature.return_type == numba.typeof(out).dtype
        return out

    return over


@numba.njit
def tenths(like):
    return np.full(len(like), elementary.constant(like[0], 0.1))


def arguments(name, dtype, count=20_000):
    """Random arguments all over the range where function and argument are normal numbers."""
    random = np.random.default_rng(3)
    kind = np.finfo(dtype)
    sign = random.choice([-1.0, 1.0], count)
    normal = np.exp(random.uniform(np.log(float(kind.tiny)), np.log(float(kind.max)), count))
    small = sign * 10 ** random.uniform(-30, -0.001, count)
    low, _, high = EXP_ENDS[dtype]
    x = {
        "exp": [random.uniform(low, high, count), small],
        "log": [normal, 1 + small * 0.1],
        "log1p": [normal, small],
        "sigmoid": [random.uniform(SIGMOID_END[dtype] + 1e-3, -low, count), small],
        "tanh": [small, random.uniform(-3, 3, count), sign * np.minimum(normal, 1e30)],
        "arctan": [small, random.uniform(-3, 3, count), sign * normal],
        "erf": [small, random.uniform(-6.5, 6.5, count), random.uniform(0.9, 1.1, count)],
        "sqrt": [normal],
        "sign": [sign * normal],
    }
    x = np.concatenate(x[name]).astype(dtype)
    return x[np.abs(x) >= kind.tiny]


EXACT = {
    "exp": mpmath.exp,
    "log": mpmath.log,
    "log1p": mpmath.log1p,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "tanh": mpmath.tanh,
    "arctan": mpmath.atan,
    "erf": mpmath.erf,
    "sqrt": mpmath.sqrt,
    "sign": mpmath.sign,
}


def errors_in_ulps(name, x, result):
    """How far every result is from the true value, in spacings of the dtype there."""
    errors = np.empty(len(x))
    with mpmath.workprec(120):
        for i, (number, found) in enumerate(zip(x.tolist(), result.tolist(), strict=True)):
            true = EXACT[name](mpmath.mpf(number))
            ulp = np.spacing(abs(x.dtype.type(float(true))))
            errors[i] = abs(mpmath.mpf(found) - true) / mpmath.mpf(float(ulp))
    return errors


def expected_at(name, x):
    """What NumPy and SciPy give at special arguments."""
    x = x.astype(np.longdouble)
    if name == "sign":
        return np.where(np.isfinite(x), np.sign(x), np.nan)
    if name == "erf":
        return special.erf(x.astype(np.float64))
    return 1 / (1 + np.exp(-x)) if name == "sigmoid" else getattr(np, name)(x)


def specials(dtype):
    kind = np.finfo(dtype)
    sizes = [0.0, kind.smallest_subnormal, kind.tiny / 4, kind.tiny, 1.0, 2.5, kind.max, np.inf]
    return np.array([*sizes, *(-size for size in sizes), np.nan], dtype)


def assert_same_numbers(a, b):
    """Equal, NaN where NaN, and of the same dtype."""
    a, b = np.asarray(a), np.asarray(b)
    assert a.dtype == b.dtype
    np.testing.assert_array_equal(a, b)


def nearly_in_ulps(name, x, result):
    """`errors_in_ulps` to a hundredth of a unit, at once; None where no wider numbers are at hand."""
    wide = np.float64 if x.dtype == np.float32 else np.longdouble
    if np.finfo(wide).nmant < np.finfo(x.dtype).nmant + 10 or (name == "erf" and wide != np.float64):
        return None
    functions = {"sigmoid": lambda x: 1 / (1 + np.exp(-x)), "erf": special.erf}
    with np.errstate(all="ignore"):
        true = functions.get(name, getattr(np, name, None))(x.astype(wide))
        return (np.abs(result - true) / np.spacing(np.abs(true.astype(x.dtype)))).astype(float)


@DTYPES
@pytest.mark.parametrize("name", UNARY)
def test_error_is_within_the_stated_ulps_of_the_true_value(name, dtype):
    """In exact arithmetic for every hundredth argument, and for those that look worst in wider numbers."""
    x = arguments(name, dtype)
    result = over_arrays(name)(x)
    assert result.dtype == dtype
    nearly = nearly_in_ulps(name, x, result)
    if nearly is not None:
        chosen = np.union1d(np.argsort(nearly)[-200:], np.arange(0, len(x), 100))
        x, result, nearly = x[chosen], result[chosen], nearly[chosen]
    error = errors_in_ulps(name, x, result)
    if nearly is not None:
        np.testing.assert_allclose(nearly, error, rtol=0, atol=0.01)
    worst = int(np.argmax(error))
    assert error[worst] <= ULPS[name], f"{name}({x[worst]!r}) is {result[worst]!r}, {error[worst]:.2f}"


@DTYPES
@pytest.mark.parametrize("name", UNARY)
def test_special_arguments_give_what_numpy_gives(name, dtype):
    x = specials(dtype)
    with np.errstate(all="ignore"):
        expected = expected_at(name, x).astype(dtype)
    result = over_arrays(name)(x)
    exact = ~np.isfinite(expected) | (expected == 0) | (np.abs(x) < np.finfo(dtype).tiny)
    if name == "log":
        exact &= ~((x > 0) & (x < np.finfo(dtype).tiny))
    np.testing.assert_array_equal(result[exact], expected[exact])
    np.testing.assert_allclose(result, expected, rtol=4 * np.finfo(dtype).eps, atol=0)


@DTYPES
def test_log_is_minus_infinity_at_zero_and_nan_below(dtype):
    x = np.array([0.0, -0.0, -np.finfo(dtype).smallest_subnormal, -1.0, -np.inf], dtype)
    assert_same_numbers(over_arrays("log")(x), np.array([-np.inf, -np.inf, np.nan, np.nan, np.nan], dtype))
    x = np.array([-1.0, np.nextafter(dtype(-1), dtype(-2)), -np.inf], dtype)
    assert_same_numbers(over_arrays("log1p")(x), np.array([-np.inf, np.nan, np.nan], dtype))


@DTYPES
def test_log_of_a_subnormal_number_is_accurate(dtype):
    x = np.finfo(dtype).smallest_subnormal * np.arange(1, 2000, 7).astype(dtype)
    true = np.log(x.astype(np.longdouble))
    error = np.abs(over_arrays("log")(x) - true) / np.spacing(np.abs(true).astype(dtype))
    assert error.max() <= ULPS["log"]


def ends(dtype):
    """Arguments on either side of both ends of exp's range, the last of them a bit away."""
    _, zero, high = EXP_ENDS[dtype]
    return np.array([zero + 1e-4, high - 2e-4, zero - 1e-4, high + 2e-4], np.longdouble).astype(dtype)


@DTYPES
def test_exp_goes_to_the_smallest_and_the_largest_number_before_it_is_0_or_infinite(dtype):
    kind = np.finfo(dtype)
    inside = over_arrays("exp")(ends(dtype)[:2])
    assert inside[0] == kind.smallest_subnormal and 0.999 * kind.max < inside[1] < np.inf
    outside = np.array([*ends(dtype)[2:], -kind.max, kind.max, -np.inf, np.inf], dtype)
    assert_same_numbers(over_arrays("exp")(outside), np.array([0, np.inf, 0, np.inf, 0, np.inf], dtype))


@DTYPES
def test_below_the_normal_numbers_exp_is_rounded_once_and_never_grows(dtype):
    normal, zero, _ = EXP_ENDS[dtype]
    x = np.linspace(normal + 0.1, zero - 2, 2001, dtype=dtype)
    result = over_arrays("exp")(x)
    assert (np.diff(result) <= 0).all() and result[0] > np.finfo(dtype).tiny and result[-1] == 0
    with mpmath.workprec(120):
        true = [mpmath.exp(mpmath.mpf(number)) for number in x.tolist()]
        errors = [abs(mpmath.mpf(found) - exact) for found, exact in zip(result.tolist(), true, strict=True)]
    subnormal = result < np.finfo(dtype).tiny / 4
    worst = max(error for error, small in zip(errors, subnormal, strict=True) if small)
    assert worst / float(np.finfo(dtype).smallest_subnormal) <= 1.1


@DTYPES
def test_sigmoid_never_grows_below_the_normal_numbers_and_is_0_below_its_end(dtype):
    kind, end = np.finfo(dtype), SIGMOID_END[dtype]
    sigmoid = over_arrays("sigmoid")
    result = sigmoid(np.linspace(EXP_ENDS[dtype][0] + 0.1, EXP_ENDS[dtype][1] - 2, 4001, dtype=dtype))
    assert (np.diff(result) <= 0).all() and result[0] > kind.tiny and result[-1] == 0
    assert kind.tiny / 2 <= result[result > 0].min() < kind.tiny
    assert sigmoid(np.array([end + 1e-3], dtype)) > 0
    assert not sigmoid(np.array([end - 1e-3, 2 * end, -kind.max, -np.inf], dtype)).any()


@DTYPES
def test_the_gain_of_exp_counts_before_the_product_is_rounded(dtype):
    exp = elementary.exp

    @numba.njit(error_model="numpy")
    def apply(x, gain):
        out = np.full(len(x), exp(x[0], gain))
        for i in range(len(x)):
            out[i] = exp(x[i], gain)
        return out

    gain = dtype(1.7)
    low = 0.5 * EXP_ENDS[dtype][0]
    x = np.random.default_rng(5).uniform(low, -low, 500).astype(dtype) / gain
    for found in (apply(x, gain), exp(x, gain)):
        assert found.dtype == dtype
        with mpmath.workprec(120):
            for number, result in zip(x.tolist(), found.tolist(), strict=True):
                true = mpmath.exp(mpmath.mpf(number) * mpmath.mpf(float(gain)))
                error = abs(mpmath.mpf(result) - true) / float(np.spacing(dtype(float(true))))
                assert abs(error) <= 3, f"exp at {number!r}"


@DTYPES
def test_the_factor_of_exp_counts_before_a_subnormal_result_is_rounded(dtype):
    exp = elementary.exp

    @numba.njit(error_model="numpy")
    def apply(x, factor):
        out = np.full(len(x), exp(x[0], x[0] / x[0], factor))
        for i in range(len(x)):
            out[i] = exp(x[i], x[0] / x[0], factor)
        return out

    _, zero, _ = EXP_ENDS[dtype]
    x = np.linspace(zero + 4, zero - 8, 300, dtype=dtype)
    smallest = mpmath.mpf(float(np.finfo(dtype).smallest_subnormal))
    for found in (apply(x, dtype(700)), exp(x, 1.0, dtype(700))):
        assert found[-1] == 0
        with mpmath.workprec(120):
            for number, result in zip(x.tolist(), found.tolist(), strict=True):
                true = 700 * mpmath.exp(mpmath.mpf(number))
                assert abs(mpmath.mpf(result) - true) <= max(1.1 * smallest, 3e-7 * true)


@DTYPES
def test_tanh_is_odd_and_never_beyond_1(dtype):
    x = arguments("tanh", dtype)
    tanh = over_arrays("tanh")
    assert_same_numbers(tanh(-x), -tanh(x))
    assert np.abs(tanh(x)).max() == 1
    zeros = tanh(np.array([0.0, -0.0], dtype))
    assert np.signbit(zeros).tolist() == [False, True] and not zeros.any()


@DTYPES
def test_fma_is_rounded_once(dtype):
    a, b, c = np.random.default_rng(4).normal(size=(3, 500)).astype(dtype)
    c[::2] = -a[::2] * b[::2]  # what the rounding of the product loses is all that is left
    result = over_arrays("fma")(a, b, c)
    assert result.dtype == dtype
    for x, y, z, found in zip(a, b, c, result, strict=True):
        exact = Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z))
        assert abs(Fraction(float(found)) - exact) <= Fraction(float(np.spacing(abs(found)))) / 2
    assert (result[::2] != elementary.fma(a, b, c)[::2]).any()


@DTYPES
def test_maximum_is_that_of_numpy_and_propagates_nan(dtype):
    x = specials(dtype)
    a, b = (side.ravel() for side in np.meshgrid(x, x))
    result = over_arrays("maximum")(a, b)
    assert_same_numbers(result, np.maximum(a, b))
    assert np.isnan(result).sum() == 2 * len(x) - 1


@DTYPES
def test_where_takes_either_side_untouched(dtype):
    a = specials(dtype)
    b = a[::-1].copy()
    for condition in (a > b, a == a, np.arange(len(a)) % 2 == 0):
        result = over_arrays("where")(condition, a, b)
        assert_same_numbers(result, np.where(condition, a, b))
        assert_same_numbers(np.signbit(result), np.signbit(np.where(condition, a, b)))


@DTYPES
def test_divide_is_that_of_numpy_and_by_zero_it_is_infinite_or_nan(dtype):
    x = specials(dtype)
    a, b = (side.ravel() for side in np.meshgrid(x, x))
    with np.errstate(all="ignore"):
        expected = a / b
    assert_same_numbers(over_arrays("divide")(a, b), expected)
    one = np.ones(3, dtype)
    quotients = over_arrays("divide")(np.array([1, -1, 0], dtype), one * 0)
    assert_same_numbers(quotients, np.array([np.inf, -np.inf, np.nan], dtype))


@DTYPES
def test_finite_is_false_for_infinities_and_nan_alone(dtype):
    x = specials(dtype)
    assert_same_numbers(over_arrays("finite")(x), np.isfinite(x))


@DTYPES
def test_constant_has_the_dtype_of_its_example(dtype):
    assert_same_numbers(tenths(np.ones(2, dtype)), np.full(2, 0.1, dtype))


@DTYPES
def test_plain_functions_warn_of_nothing_and_keep_the_dtype(dtype):
    x = specials(dtype)
    with warnings.catch_warnings(), np.errstate(all="warn", under="ignore"):
        warnings.simplefilter("error")
        for name in UNARY:
            assert getattr(elementary, name)(x).dtype == dtype, name
            assert [getattr(elementary, name)(number).dtype for number in x] == [dtype] * len(x), name
        for name in ("maximum", "divide"):
            assert getattr(elementary, name)(x[:, None], x).dtype == dtype, name
        assert elementary.where(x > 0, x, -x).dtype == dtype
        assert elementary.constant(x, 0.1).dtype == dtype
        assert elementary.finite(x).sum() == len(x) - 3


def test_plain_functions_warn_of_nothing_on_python_floats():
    for name, x, expected in [
        ("exp", 1000.0, np.inf),
        ("exp", -1000.0, 0.0),
        ("log", 0.0, -np.inf),
        ("log", -1.0, np.nan),
        ("log1p", -1.0, -np.inf),
        ("log1p", -2.0, np.nan),
        ("tanh", 1e300, 1.0),
    ]:
        np.testing.assert_equal(float(getattr(elementary, name)(x)), expected)
    np.testing.assert_equal(float(elementary.divide(-1.0, 0.0)), -np.inf)
    np.testing.assert_equal(float(elementary.divide(0.0, 0.0)), np.nan)
    assert type(elementary.constant(1.5, 2)) is float


@DTYPES
@pytest.mark.parametrize("name", UNARY)
def test_plain_and_compiled_functions_agree(name, dtype):
    x = arguments(name, dtype, count=2000)
    plain = getattr(elementary, name)(x)
    np.testing.assert_array_max_ulp(over_arrays(name)(x), plain, maxulp=4)

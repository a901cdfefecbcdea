"""The quantile of the normal distribution inside kernels: accuracy, dtypes and special values."""

import math
import statistics

import mpmath
import numba
import numpy as np
import pytest
from scipy import special

import fastneuron.kernels.quantile  # noqa: F401 - teaches Numba the function
from fastneuron import elementary
from fastneuron.components import component
from fastneuron.engine.draws import drawn
from fastneuron.starts import Distribution, Uniform

DTYPES = pytest.mark.parametrize("dtype", [np.float64, np.float32])


@numba.njit(error_model="numpy")
def quantiles(u):
    out = np.empty_like(u)
    for i in range(len(u)):
        out[i] = elementary.quantile(u[i])
    return out


def arguments(dtype, count=4000):
    """Random numbers between 0 and 1: evenly, in both tails, near the middle and near the seams."""
    random = np.random.default_rng(3)
    tail = 2.0 ** random.uniform(-53 if dtype == np.float64 else -24, -1, count)
    seams = np.array([0.075, 0.925, math.exp(-25)])
    if dtype == np.float32:
        seams = seams[:2]
    u = [
        random.random(count),
        tail,
        1 - tail,
        0.5 + random.choice([-1, 1], count) * 10 ** random.uniform(-15, -1, count),
        np.concatenate([seams * (1 + k * 1e-7) for k in range(-20, 21)]),
        2.0 ** random.uniform(-1000 if dtype == np.float64 else -120, -53, 500),
    ]
    u = np.concatenate(u).astype(dtype)
    return u[(u > 0) & (u < 1) & (u != 0.5)]


def true_quantile(u):
    """By a step of Newton's from what SciPy gives; a double's square of error is far below the last bit."""
    u, less = mpmath.mpf(u), 1 - mpmath.mpf(u)
    p, sign = (u, 1) if u < less else (less, -1)
    x = mpmath.mpf(float(special.ndtri(float(p))))
    return sign * (x - (mpmath.ncdf(x) - p) / mpmath.npdf(x))


@DTYPES
def test_error_is_at_most_4_ulp(dtype):
    """Of float32 for every fiftieth argument, and for those that look worst in the numbers of SciPy."""
    u = arguments(dtype)
    found = quantiles(u)
    assert found.dtype == dtype
    if dtype == np.float32:
        nearly = special.ndtri(u.astype(float))
        nearly = abs(found - nearly) / np.spacing(abs(nearly.astype(dtype)))
        chosen = np.union1d(np.argsort(nearly)[-200:], np.arange(0, len(u), 50))
        u, found, nearly = u[chosen], found[chosen], nearly[chosen]
    errors = np.empty(len(u))
    with mpmath.workprec(160):
        for k, (number, quantile) in enumerate(zip(u.tolist(), found.tolist(), strict=True)):
            true = true_quantile(number)
            errors[k] = abs(mpmath.mpf(quantile) - true) / mpmath.mpf(float(np.spacing(abs(dtype(true)))))
    if dtype == np.float32:
        np.testing.assert_allclose(nearly, errors, rtol=0, atol=0.01)
    worst = int(np.argmax(errors))
    assert errors[worst] <= 4, f"quantile({u[worst]!r}) is {found[worst]!r}, {errors[worst]:.2f} ulp off"


@DTYPES
def test_quantile_is_infinite_at_0_and_1_and_nan_beyond(dtype):
    u = np.array([0, -0.0, 1, 0.5, -1e-9, 1.5, -np.inf, np.inf, np.nan], dtype)
    with np.errstate(invalid="ignore"):
        expected = special.ndtri(u)
    for function in (quantiles, elementary.quantile):
        np.testing.assert_array_equal(function(u), expected.astype(dtype))


@DTYPES
def test_quantile_is_odd_about_a_half(dtype):
    u = np.arange(1, 1000).astype(dtype) / dtype(1024)  # 1 - u is exact
    np.testing.assert_array_equal(quantiles(1 - u), -quantiles(u))


def test_plain_quantile_is_that_of_python():
    normal = statistics.NormalDist()
    for u in (1e-300, 1e-12, 0.02, 0.3, 0.5, 0.8, 1 - 1e-9):
        assert math.isclose(elementary.quantile(u), normal.inv_cdf(u), rel_tol=1e-14)


@component
class Given(Distribution):
    """Numbers beyond the far seam in some elements of a vector."""

    scale: float

    def value(self, u):
        return elementary.quantile(self.scale * u)


def test_vectors_with_numbers_beyond_the_far_seam_give_the_bits_of_each_alone():
    numbers = np.arange(64)
    scales = 10.0 ** -np.linspace(0, 20, 64)
    found = drawn(Given(1.0), 0, numbers, 0, 1, varying={"scale": scales})[0]
    alone = [drawn(Given(scale), 0, numbers[k : k + 1], 0, 1)[0, 0] for k, scale in enumerate(scales)]
    np.testing.assert_array_equal(found, alone)
    uniform = drawn(Uniform(0, 1), 0, numbers, 0, 1)[0]
    np.testing.assert_allclose(found, special.ndtri(scales * uniform), rtol=1e-14, atol=1e-15)

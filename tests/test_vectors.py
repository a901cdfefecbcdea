"""Vectors inside kernels: element by element what floats and NumPy arrays give, to the same bits."""

import math

import numba
import numpy as np
import pytest

import fastneuron as fn
import fastneuron.kernels.vecmath  # noqa: F401 - teaches Numba the functions
from fastneuron import elementary
from fastneuron.kernels.memory import put, take
from fastneuron.kernels.vectors import bits_of, lanes_in, lowest_bit, vector_like

DTYPES = pytest.mark.parametrize("dtype", [np.float64, np.float32])


@fn.component
class Branching(fn.Activation):
    def value(self, z):
        return z if z > 0 else fn.constant(z, 0.0)

    def slope(self, z, a):
        return fn.constant(z, 1.0)


def over_vectors(function):
    """`function` of two numbers, compiled over arrays a vector at a time."""
    compiled = numba.njit(error_model="numpy", forceinline=True)(function)

    @numba.njit(error_model="numpy")
    def apply(a, b, out):
        like = vector_like(a[0])
        for k in range(0, len(a), lanes_in(like)):
            put(out, k, elementary.constant(like, compiled(take(a, k, like), take(b, k, like))))

    def run(a, b):
        out = np.empty_like(a)
        apply(a, b, out)
        return out

    return run


def over_floats(function):
    """`function` of two numbers, compiled over arrays one number at a time."""
    compiled = numba.njit(error_model="numpy")(function)

    @numba.njit(error_model="numpy")
    def apply(a, b, out):
        for k in range(len(a)):
            out[k] = compiled(a[k], b[k])

    def run(a, b):
        out = np.empty_like(a)
        apply(a, b, out)
        return out

    return run


def numbers(dtype):
    """Two arrays of many vectors: random numbers, and every pair of the special ones."""
    random = np.random.default_rng(8)
    kind = np.finfo(dtype)
    special = np.array([0.0, -0.0, 1.0, -2.5, kind.tiny / 4, kind.max, np.inf, -np.inf, np.nan], dtype)
    pairs = np.array(np.meshgrid(special, special)).reshape(2, -1)
    pairs = np.concatenate([random.normal(scale=3, size=(2, 1024 - pairs.shape[1])), pairs], 1)
    return pairs.astype(dtype)


OPERATIONS = {
    "sum": lambda a, b: a + b,
    "difference": lambda a, b: a - b,
    "product": lambda a, b: a * b,
    "quotient": lambda a, b: a / b,
    "negative": lambda a, b: -a,
    "size": lambda a, b: abs(a),
    "square": lambda a, b: a**2,
    "reciprocal": lambda a, b: a**-1,
    "less": lambda a, b: elementary.where(a < b, a, b),
    "at most": lambda a, b: elementary.where(a <= b, a, b),
    "greater": lambda a, b: elementary.where(a > b, a, b),
    "at least": lambda a, b: elementary.where(a >= b, a, b),
    "equal": lambda a, b: elementary.where(a == b, a, b),
    "different": lambda a, b: elementary.where(a != b, a, b),
    "both": lambda a, b: elementary.where((a > b) & (a > 0), a, b),
    "not": lambda a, b: elementary.where(~(a > b), a, b),
    "one of": lambda a, b: elementary.where((a > b) ^ (b > 1), a, b),
    "either": lambda a, b: elementary.where((a > b) | (b > 1), a, b),
}


@DTYPES
@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_on_vectors_gives_what_numpy_gives(name, dtype):
    a, b = numbers(dtype)
    with np.errstate(all="ignore"):
        expected = OPERATIONS[name](a, b)
    assert expected.dtype == dtype
    result = over_vectors(OPERATIONS[name])(a, b)
    np.testing.assert_array_equal(result, expected)
    assert (np.signbit(result) == np.signbit(expected))[~np.isnan(expected)].all()


FUNCTIONS = {
    "exp": lambda a, b: elementary.exp(a),
    "sigmoid": lambda a, b: elementary.sigmoid(a),
    "log": lambda a, b: elementary.log(a),
    "log1p": lambda a, b: elementary.log1p(a),
    "tanh": lambda a, b: elementary.tanh(a),
    "fma": lambda a, b: elementary.fma(a, b, a),
    "maximum": lambda a, b: elementary.maximum(a, b),
    "divide": lambda a, b: elementary.divide(a, b),
    "finite": lambda a, b: elementary.where(elementary.finite(a), a, b),
    "max": lambda a, b: max(a, b),
    "min": lambda a, b: min(a, b),
    "sqrt": lambda a, b: math.sqrt(abs(a)),
    "sin": lambda a, b: math.sin(a),
}


@DTYPES
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_of_vectors_has_the_bits_of_that_of_floats(name, dtype):
    a, b = numbers(dtype)
    result = over_vectors(FUNCTIONS[name])(a, b)
    expected = over_floats(FUNCTIONS[name])(a, b)
    np.testing.assert_array_equal(result, expected)


@DTYPES
def test_plain_numbers_count_for_every_element_and_keep_the_dtype(dtype):
    a, b = numbers(dtype)
    mixed = over_vectors(lambda a, b: (1 + a) * 0.1 - 2.0 / b)(a, b)
    with np.errstate(all="ignore"):
        expected = (1 + a) * dtype(0.1) - 2 / b
    np.testing.assert_array_equal(mixed, expected)


@DTYPES
def test_a_mask_in_arithmetic_is_0_and_1(dtype):
    a, b = numbers(dtype)
    a, b = np.nan_to_num(a, posinf=1, neginf=-1), b
    np.testing.assert_array_equal(over_vectors(lambda a, b: (a > 0) * a)(a, b), np.where(a > 0, a, 0))
    np.testing.assert_array_equal(over_vectors(lambda a, b: a > 0)(a, b), (a > 0).astype(dtype))
    np.testing.assert_array_equal(
        over_vectors(lambda a, b: elementary.where(a > 0, 1.0, 0.25))(a, b), np.where(a > 0, 1, 0.25)
    )


@DTYPES
def test_numpy_functions_on_vectors_are_the_elementary_ones(dtype):
    a, b = numbers(dtype)
    for numpy, own in [
        (lambda a, b: np.exp(a), FUNCTIONS["exp"]),
        (lambda a, b: np.tanh(a), FUNCTIONS["tanh"]),
        (lambda a, b: np.log1p(abs(a)), lambda a, b: elementary.log1p(abs(a))),
        (lambda a, b: np.maximum(a, b), FUNCTIONS["maximum"]),
    ]:
        np.testing.assert_array_equal(over_vectors(numpy)(a, b), over_vectors(own)(a, b))


@DTYPES
def test_bits_of_a_mask_are_its_elements(dtype):
    @numba.njit
    def seen(values):
        like = vector_like(values[0])
        return bits_of(take(values, 0, like) > 0), lanes_in(like)

    values = np.zeros(64, dtype)
    bits, count = seen(values)
    assert bits == 0
    random = np.random.default_rng(9)
    for _ in range(20):
        values = random.integers(0, 2, 64).astype(dtype)
        assert seen(values)[0] == sum(1 << k for k in range(count) if values[k])


def test_lowest_bit():
    lowest = numba.njit(lambda bits: lowest_bit(bits))
    assert [lowest(bits) for bits in (1, 2, 12, 1 << 40, -1)] == [0, 1, 2, 40, 0]


@fn.component
class Halved(fn.Loss):
    """A number of NumPy has what a vector has not."""

    targets = "any"
    surrogate = True

    def value(self, activation, z, a, y):
        return a - y

    def delta(self, activation, z, a, y):
        return (a - y).real


@pytest.mark.parametrize(
    "part, reason",
    [
        (
            {"model": fn.Neuron(activation=Branching())},
            r"^Branching.value branches on what is many numbers at once \(\S*test_vectors.py, line \d+: .*"
            r"in place of if, and, or, not use where\(condition, a, b\)",
        ),
        (
            {"loss": Halved()},
            r"^Halved.delta cannot be compiled \(\S*test_vectors.py, line \d+: .*Unknown attribute 'real'",
        ),
    ],
)
def test_a_method_that_cannot_be_compiled_is_named_with_the_reason(part, reason):
    given = {"task": fn.tasks.inverter(), "optimizer": fn.GradientDescent(1.0), "axes": {"bias": [0.0]}}
    with pytest.raises(ValueError, match=reason) as caught:
        fn.Sweep(**given | part).run(progress=False)
    assert "\n" not in str(caught.value)

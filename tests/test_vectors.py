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


def over_vectors(function, count):
    """`function` of two numbers, which gives `count` of them, compiled over arrays a vector at a time."""
    compiled = numba.njit(error_model="numpy", forceinline=True)(function)

    @numba.njit(error_model="numpy")
    def apply(a, b, out):
        like = vector_like(a[0])
        for k in range(0, len(a), lanes_in(like)):
            found = compiled(take(a, k, like), take(b, k, like))
            for row in range(count):
                put(out[row], k, elementary.constant(like, found[row]))

    def run(a, b):
        out = np.empty((count, len(a)), a.dtype)
        apply(a, b, out)
        return out

    return run


def over_floats(function, count):
    """`function` of two numbers, which gives `count` of them, compiled over arrays one number at a time."""
    compiled = numba.njit(error_model="numpy")(function)

    @numba.njit(error_model="numpy")
    def apply(a, b, out):
        for k in range(len(a)):
            found = compiled(a[k], b[k])
            for row in range(count):
                out[row, k] = found[row]

    def run(a, b):
        out = np.empty((count, len(a)), a.dtype)
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


def operations(a, b):
    return (
        a + b,  # sum
        a - b,  # difference
        a * b,  # product
        a / b,  # quotient
        -a,  # negative
        abs(a),  # size
        a**2,  # square
        a**-1,  # reciprocal
        elementary.where(a < b, a, b),  # less
        elementary.where(a <= b, a, b),  # at most
        elementary.where(a > b, a, b),  # greater
        elementary.where(a >= b, a, b),  # at least
        elementary.where(a == b, a, b),  # equal
        elementary.where(a != b, a, b),  # different
        elementary.where((a > b) & (a > 0), a, b),  # both
        elementary.where(~(a > b), a, b),  # not
        elementary.where((a > b) ^ (b > 1), a, b),  # one of
        elementary.where((a > b) | (b > 1), a, b),  # either
    )


OPERATIONS = (
    "sum",
    "difference",
    "product",
    "quotient",
    "negative",
    "size",
    "square",
    "reciprocal",
    "less",
    "at most",
    "greater",
    "at least",
    "equal",
    "different",
    "both",
    "not",
    "one of",
    "either",
)


@DTYPES
def test_operations_on_vectors_give_what_numpy_gives(dtype):
    a, b = numbers(dtype)
    with np.errstate(all="ignore"):
        wanted = operations(a, b)
    found = over_vectors(operations, len(OPERATIONS))(a, b)
    for name, result, expected in zip(OPERATIONS, found, wanted, strict=True):
        assert expected.dtype == dtype
        np.testing.assert_array_equal(result, expected, err_msg=name)
        assert (np.signbit(result) == np.signbit(expected))[~np.isnan(expected)].all(), name


def functions(a, b):
    return (
        elementary.exp(a),  # exp
        elementary.sigmoid(a),  # sigmoid
        elementary.log(a),  # log
        elementary.log1p(a),  # log1p
        elementary.tanh(a),  # tanh
        elementary.fma(a, b, a),  # fma
        elementary.maximum(a, b),  # maximum
        elementary.divide(a, b),  # divide
        elementary.where(elementary.finite(a), a, b),  # finite
        max(a, b),  # max
        min(a, b),  # min
        math.sqrt(abs(a)),  # sqrt
        math.sin(a),  # sin
    )


FUNCTIONS = (
    "exp",
    "sigmoid",
    "log",
    "log1p",
    "tanh",
    "fma",
    "maximum",
    "divide",
    "finite",
    "max",
    "min",
    "sqrt",
    "sin",
)


@DTYPES
def test_functions_of_vectors_have_the_bits_of_those_of_floats(dtype):
    a, b = numbers(dtype)
    found = over_vectors(functions, len(FUNCTIONS))(a, b)
    wanted = over_floats(functions, len(FUNCTIONS))(a, b)
    for name, result, expected in zip(FUNCTIONS, found, wanted, strict=True):
        np.testing.assert_array_equal(result, expected, err_msg=name)


@DTYPES
def test_plain_numbers_count_for_every_element_and_keep_the_dtype(dtype):
    a, b = numbers(dtype)
    (mixed,) = over_vectors(lambda a, b: ((1 + a) * 0.1 - 2.0 / b,), 1)(a, b)
    with np.errstate(all="ignore"):
        expected = (1 + a) * dtype(0.1) - 2 / b
    np.testing.assert_array_equal(mixed, expected)


@DTYPES
def test_a_mask_in_arithmetic_is_0_and_1(dtype):
    a, b = numbers(dtype)
    a, b = np.nan_to_num(a, posinf=1, neginf=-1), b
    product, switch = over_vectors(lambda a, b: ((a > 0) * a, elementary.where(a > 0, 1.0, 0.25)), 2)(a, b)
    np.testing.assert_array_equal(product, np.where(a > 0, a, 0))
    np.testing.assert_array_equal(switch, np.where(a > 0, 1, 0.25))
    (mask,) = over_vectors(lambda a, b: (a > 0,), 1)(a, b)
    np.testing.assert_array_equal(mask, (a > 0).astype(dtype))


@DTYPES
def test_numpy_functions_on_vectors_are_the_elementary_ones(dtype):
    a, b = numbers(dtype)

    def of_numpy(a, b):
        return np.exp(a), np.tanh(a), np.log1p(abs(a)), np.maximum(a, b)

    def own(a, b):
        return elementary.exp(a), elementary.tanh(a), elementary.log1p(abs(a)), elementary.maximum(a, b)

    np.testing.assert_array_equal(over_vectors(of_numpy, 4)(a, b), over_vectors(own, 4)(a, b))


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

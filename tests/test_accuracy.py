"""Every activation and loss, its value and its derivative, against 120-digit arithmetic over the whole range.

``python tests/test_accuracy.py`` prints the table of docs/concepts/accuracy.md, over more numbers.

The reference takes z, a and y as the numbers of the dtype that they are, and fields rounded to it. A loss is a
function of the output: of a, and of the slope that the activation gives for its derivative. Only for the
cross-entropy of a sigmoid, which is computed from z, it is the function of z.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any

import mpmath
import numba
import numpy as np
import pytest
from mpmath import mpf

import fastneuron as fn
import fastneuron.kernels.records  # noqa: F401 - teaches Numba what components are
import fastneuron.kernels.vecmath  # noqa: F401 - and the functions
from fastneuron.activations import activations
from fastneuron.elementary import constant
from fastneuron.kernels.memory import put, take
from fastneuron.kernels.vectors import lanes_in, vector_like
from fastneuron.losses import losses

# silence is asked for in test_components; here infinities are numbers as others
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

DTYPES = pytest.mark.parametrize("dtype", [np.float64, np.float32])
MOST = 4.0  # ulp
DIGITS = 120


# what the components are, in exact arithmetic


def exp(x: mpf) -> mpf:
    """The exponential; beyond 1e6 it is 0 or infinite in every dtype, and mpmath is slow."""
    return mpmath.exp(max(min(x, mpf(10) ** 6), -(mpf(10) ** 6)))


def sigmoid(x: mpf) -> mpf:
    return 1 / (1 + exp(-x))


def normal(x: mpf) -> mpf:
    """The normal distribution function."""
    return mpmath.erfc(-max(min(x, mpf(1000)), mpf(-1000)) / mpmath.sqrt(2)) / 2


def density(x: mpf) -> mpf:
    return exp(-x * x / 2) / mpmath.sqrt(2 * mpmath.pi)


def tanh(x: mpf) -> mpf:
    return mpmath.tanh(max(min(x, mpf(1000)), mpf(-1000)))


def softplus(x: mpf) -> mpf:
    return max(x, mpf(0)) + mpmath.log1p(exp(-abs(x)))


Formula = Callable[..., mpf]
# by class: the output and its derivative, of z and the fields
ACTIVATIONS: dict[str, tuple[Formula, Formula]] = {
    "Sigmoid": (
        lambda z, gain: sigmoid(gain * z),
        lambda z, gain: gain * sigmoid(gain * z) * sigmoid(-gain * z),
    ),
    "Tanh": (
        lambda z, gain: tanh(gain * z),
        lambda z, gain: 4 * gain * sigmoid(2 * gain * z) * sigmoid(-2 * gain * z),
    ),
    "ReLU": (lambda z: max(z, mpf(0)), lambda z: mpf(z > 0)),
    "LeakyReLU": (lambda z, slope: z if z > 0 else slope * z, lambda z, slope: mpf(1) if z > 0 else slope),
    "Softplus": (softplus, sigmoid),
    "SiLU": (lambda z: z * sigmoid(z), lambda z: sigmoid(z) * (1 + z * sigmoid(-z))),
    "GELU": (lambda z: z * normal(z), lambda z: normal(z) + z * density(z)),
    "HardSigmoid": (
        lambda z: max(min(z / 6 + mpf(1) / 2, mpf(1)), mpf(0)),
        lambda z: mpf(1) / 6 if abs(z) < 3 else mpf(0),
    ),
    "Arctan": (mpmath.atan, lambda z: 1 / (1 + z * z)),
    "Identity": (lambda z: z, lambda z: mpf(1)),
    "Step": (lambda z: mpf(z >= 0), lambda z: mpf(0)),
}


def cross_entropy(z: mpf, a: mpf, y: mpf, slope: mpf) -> tuple[mpf, mpf] | None:
    if a < 0 or a > 1 or (a == 0 and y > 0) or (a == 1 and y < 1):
        return None
    hit = y * mpmath.log(a) if y > 0 else mpf(0)
    miss = (1 - y) * mpmath.log1p(-a) if y < 1 else mpf(0)
    rise = (1 - y) / (1 - a) if y < 1 else mpf(0)
    return -hit - miss, (rise - (y / a if y > 0 else 0)) * slope


def cross_entropy_of_sigmoid(z: mpf, a: mpf, y: mpf, slope: mpf, gain: mpf) -> tuple[mpf, mpf]:
    u = gain * z
    straight = (1 - y) * u if u > 0 else -y * u
    delta = (1 - y) * sigmoid(u) - y * sigmoid(-u)
    return straight + mpmath.log1p(exp(-abs(u))), gain * delta


def huber(z: mpf, a: mpf, y: mpf, slope: mpf, delta: mpf) -> tuple[mpf, mpf]:
    e = a - y
    if abs(e) > delta:
        return delta * (abs(e) - delta / 2), delta * mpmath.sign(e) * slope
    return e * e / 2, e * slope


# by class: value and derivative, of z, a, y, the slope of the activation and the fields; None where neither exists
LOSSES: dict[str, Callable[..., tuple[mpf, mpf] | None]] = {
    "SquaredError": lambda z, a, y, slope, scale: (scale * (a - y) ** 2, 2 * scale * (a - y) * slope),
    "AbsoluteError": lambda z, a, y, slope: (abs(a - y), mpmath.sign(a - y) * slope),
    "Huber": huber,
    "CrossEntropy": cross_entropy,
    "Hinge": lambda z, a, y, slope: (
        max(1 - (2 * y - 1) * z, mpf(0)),
        1 - 2 * y if (2 * y - 1) * z < 1 else mpf(0),
    ),
    "PerceptronLoss": lambda z, a, y, slope: (max((1 - 2 * y) * z, mpf(0)), mpf(z >= 0) - y),
}

# fields to try: the default, and others by which a product is rounded
FIELDS: dict[str, list[dict[str, float]]] = {
    "Sigmoid": [{}, {"gain": 1.7}, {"gain": -0.3}],
    "Tanh": [{}, {"gain": math.sqrt(2.0)}, {"gain": -0.3}],
    "LeakyReLU": [{}, {"slope": -0.3}],
    "SquaredError": [{}, {"scale": 0.7}],
    "Huber": [{}, {"delta": 0.3}],
}
TARGETS = {"any": (0.0, 1.0, 0.3), "unit": (0.0, 1.0, 0.3), "binary": (0.0, 1.0)}
PAIRS = [(loss, activation) for loss in losses.classes for activation in activations.classes]


def variants(cls: type) -> list[Any]:
    return [cls(**fields) for fields in FIELDS.get(cls.__name__, [{}])]


def exact_fields(record: Any, dtype: Any) -> list[mpf]:
    return [mpf(float(dtype(value))) for value in record]


# where they are compared


@functools.cache
def points(dtype: Any, count: int = 24) -> np.ndarray:
    """Pre-activations from the smallest to the largest of a dtype; more of them where something happens."""
    random = np.random.default_rng(7)
    kind = np.finfo(dtype)
    low, high = math.log(float(kind.smallest_subnormal)), math.log(float(kind.max))
    ends = (708.4, 745.2, 760.0) if dtype == np.float64 else (87.4, 104.0, 110.0)
    places = [0.0, 0.5493061443340549, 0.7517915246935645, 1.0, 1.2784645427610738, 3.0, 9.0, 2.0**30]
    sizes = [
        np.exp(np.linspace(low, high, 6 * count)),
        np.array([0, kind.smallest_subnormal, kind.tiny, kind.tiny / 2, kind.max, kind.eps]).astype(float),
        random.uniform(0, 2, 6 * count),
        random.uniform(0, 45, 6 * count),
        random.uniform(0, ends[2], 4 * count),
        np.linspace(ends[0] - 2, ends[2], 4 * count),
        np.linspace(ends[0] / 2 - 2, ends[2] / 2, 4 * count),
        np.linspace(13.0 if dtype == np.float32 else 37.0, 39.5, 4 * count),
        *(
            place * (1 + random.normal(size=count) * 10.0 ** random.uniform(-9, -0.5, count))
            for place in places
        ),
        *(np.spacing(dtype(place)) * np.arange(-count // 4, count // 4) + place for place in places),
    ]
    with np.errstate(over="ignore"):
        found = np.abs(np.concatenate(sizes)).astype(dtype)
    found = np.concatenate([found, -found])
    return found[np.isfinite(found)]


def ulps(found: np.ndarray, true: list[mpf]) -> np.ndarray:
    """Distances from the true values in units in the last place of these; infinity counts as the next power."""
    kind = np.finfo(found.dtype)
    top = mpf(2) ** kind.maxexp
    errors = np.empty(len(found))
    for i, (number, exact) in enumerate(zip(found.tolist(), true, strict=True)):
        _, power = mpmath.frexp(exact)
        ulp = mpf(2) ** max(power - 1 - kind.nmant, kind.minexp - kind.nmant)
        if math.isinf(number):
            number = math.copysign(1, number) * top
        if abs(exact) > top:
            exact = mpmath.sign(exact) * top
        errors[i] = math.inf if math.isnan(number) else abs(mpf(number) - exact) / ulp
    return errors


# the two ways in which they are computed


def plain(record: Any, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    a = record.value(z)
    return a, np.broadcast_to(record.derivative(z, a), z.shape).astype(z.dtype)


@functools.cache
def over_vectors(cls: type) -> Any:
    @numba.njit(error_model="numpy")
    def apply(record: Any, z: Any, value: Any, slope: Any) -> None:
        like = vector_like(z[0])
        for k in range(0, len(z), lanes_in(like)):
            each = take(z, k, like)
            a = constant(like, record.value(each))
            put(value, k, a)
            put(slope, k, constant(like, record.derivative(each, a)))

    return apply


def padded(numbers: np.ndarray) -> np.ndarray:
    """With zeros at the end, for whole vectors."""
    return np.concatenate([numbers, np.zeros(-len(numbers) % 32, numbers.dtype)])


def compiled(record: Any, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows = padded(z)
    value, slope = np.empty_like(rows), np.empty_like(rows)
    over_vectors(type(record))(record, rows, value, slope)
    return value[: len(z)], slope[: len(z)]


WAYS = pytest.mark.parametrize("way", [plain, compiled])


@functools.cache
def loss_over_vectors(cls: type, activation: type) -> Any:
    @numba.njit(error_model="numpy")
    def apply(record: Any, activation: Any, z: Any, y: Any, value: Any, delta: Any) -> None:
        like = vector_like(z[0])
        for k in range(0, len(z), lanes_in(like)):
            each, target = take(z, k, like), take(y, k, like)
            a = constant(like, activation.value(each))
            put(value, k, constant(like, record.value(activation, each, a, target)))
            put(delta, k, constant(like, record.derivative(activation, each, a, target)))

    return apply


def plain_loss(loss: Any, activation: Any, z: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    a = activation.value(z)
    found = loss.value(activation, z, a, y), loss.derivative(activation, z, a, y)
    value, delta = (np.broadcast_to(part, z.shape).astype(z.dtype) for part in found)
    return value, delta


def compiled_loss(loss: Any, activation: Any, z: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows, targets = padded(z), padded(y)
    value, delta = np.empty_like(rows), np.empty_like(rows)
    apply = loss_over_vectors(type(loss), type(activation))
    apply(loss, activation, rows, targets, value, delta)
    return value[: len(z)], delta[: len(z)]


# what is compared


@functools.cache
def exact_outputs(record: Any, dtype: Any, count: int) -> tuple[list[mpf], list[mpf]]:
    value, slope = ACTIVATIONS[type(record).__name__]
    with mpmath.workdps(DIGITS):
        fields = exact_fields(record, dtype)
        numbers = [mpf(z) for z in points(dtype, count).tolist()]
        return [value(z, *fields) for z in numbers], [slope(z, *fields) for z in numbers]


def activation_errors(record: Any, dtype: Any, way: Any, count: int = 24) -> Iterator[tuple[str, np.ndarray]]:
    """Errors in ulp of the value and of the derivative at every one of `points`."""
    found = way(record, points(dtype, count))
    with mpmath.workdps(DIGITS):
        for name, numbers, true in zip(
            ("value", "derivative"), found, exact_outputs(record, dtype, count), strict=True
        ):
            yield name, ulps(numbers, true)


def exact_loss(loss: Any, activation: Any, dtype: Any) -> Callable[..., tuple[mpf, mpf] | None]:
    if isinstance(loss, fn.CrossEntropy):
        if isinstance(activation, fn.Sigmoid):
            return functools.partial(cross_entropy_of_sigmoid, gain=exact_fields(activation, dtype)[0])
        if isinstance(activation, fn.Step):  # ln 0 counts as -100
            return lambda z, a, y, slope: (100 * abs(a - y), mpf(0))
    return LOSSES[type(loss).__name__]


def loss_errors(
    loss: Any, activation: Any, y: float, dtype: Any, way: Any, count: int = 4
) -> Iterator[tuple[str, np.ndarray]]:
    """Errors in ulp of the value and of the derivative; where these do not exist, whether it is said."""
    z = points(dtype, count)
    target = np.full_like(z, y)
    number = mpf(float(target[0]))
    a, slope = (compiled if way is compiled_loss else plain)(activation, z)
    formula = exact_loss(loss, activation, dtype)
    found = way(loss, activation, z, target)
    with mpmath.workdps(DIGITS):
        fields = exact_fields(loss, dtype)
        finite = np.isfinite(a)
        rows = zip(z[finite].tolist(), a[finite].tolist(), slope[finite].tolist(), strict=True)
        true = [formula(mpf(z), mpf(a), number, mpf(s), *fields) for z, a, s in rows]
        exists = np.array([pair is not None for pair in true])
        for k, (name, numbers) in enumerate(zip(("value", "derivative"), found, strict=True)):
            numbers = numbers[finite]
            assert not np.isfinite(numbers[~exists]).any(), name
            exact = [pair[k] for pair in true if pair is not None]
            errors = ulps(numbers[exists], exact)
            if name == "derivative" and isinstance(activation, fn.Sigmoid) and 0 < y < 1:
                if isinstance(
                    loss, fn.CrossEntropy
                ):  # the difference of two numbers that may be nearly equal
                    gain = abs(exact_fields(activation, dtype)[0])
                    unit = mpf(float(np.spacing(dtype(y)))) * gain
                    errors = [
                        min(error, abs(mpf(x) - t) / unit)
                        for error, x, t in zip(errors, numbers[exists].tolist(), exact, strict=True)
                    ]
            yield name, np.array(errors, float)


@DTYPES
@WAYS
@pytest.mark.parametrize("name", activations.classes)
def test_activations_and_their_slopes_are_right_to_4_ulp_over_the_whole_range(name, way, dtype):
    for record in variants(activations.classes[name]):
        for what, errors in activation_errors(record, dtype, way):
            worst = int(np.argmax(errors))
            z = points(dtype)[worst]
            assert errors[worst] <= MOST, f"{what} of {record} at {z!r}: {errors[worst]:.2f} ulp"


@DTYPES
@pytest.mark.parametrize("name, activation", PAIRS)
def test_losses_and_their_derivatives_are_right_to_4_ulp_over_the_whole_range(name, activation, dtype):
    for loss in variants(losses.classes[name]):
        for y in TARGETS[loss.targets]:
            for record in variants(activations.classes[activation]):
                for what, errors in loss_errors(loss, record, y, dtype, plain_loss):
                    assert max(errors) <= MOST, f"{what} of {loss} of {record} for {y}: {max(errors):.2f} ulp"


# what a kernel computes of a loss: with the identity, and where the activation has a share in it
COMPILED = [(name, "identity") for name in losses.classes]
COMPILED += [("squared_error", "sigmoid"), ("cross_entropy", "sigmoid"), ("cross_entropy", "softplus")]


@DTYPES
@pytest.mark.parametrize("name, activation", COMPILED)
def test_compiled_losses_are_right_to_4_ulp_over_the_whole_range(name, activation, dtype):
    loss, record = losses.classes[name](), activations.classes[activation]()
    for y in TARGETS[loss.targets]:
        for what, errors in loss_errors(loss, record, y, dtype, compiled_loss):
            assert max(errors) <= MOST, f"{what} of {loss} of {record} for {y}: {max(errors):.2f} ulp"


def table(count: int) -> Iterator[str]:
    """The table of docs/concepts/accuracy.md."""
    dtypes = (np.float64, np.float32)
    yield "| function | NumPy, float64 | NumPy, float32 | kernel, float64 | kernel, float32 |"
    yield "| --- | --: | --: | --: | --: |"
    for cls in activations.classes.values():
        cells: dict[str, list[float]] = {}
        for way in (plain, compiled):
            for dtype in dtypes:
                most: dict[str, float] = {}
                for record in variants(cls):
                    for what, errors in activation_errors(record, dtype, way, count):
                        most[what] = max(most.get(what, 0.0), errors.max())
                for what, error in most.items():
                    cells.setdefault(what, []).append(error)
        for what, numbers in cells.items():
            yield f"| `{cls.__name__}`, {what} | " + " | ".join(f"{n:.1f}" for n in numbers) + " |"
    for cls in losses.classes.values():
        cells = {}
        for way in (plain_loss, compiled_loss):
            for dtype in dtypes:
                most = {}
                for activation in (fn.Identity, fn.Sigmoid, fn.Softplus):
                    for loss in variants(cls):
                        for record in variants(activation):
                            for y in TARGETS[cls.targets]:
                                for what, errors in loss_errors(loss, record, y, dtype, way, count // 4):
                                    most[what] = max(most.get(what, 0.0), errors.max())
                for what, error in most.items():
                    cells.setdefault(what, []).append(error)
        for what, numbers in cells.items():
            yield f"| `{cls.__name__}`, {what} | " + " | ".join(f"{n:.1f}" for n in numbers) + " |"


if __name__ == "__main__":
    for line in table(150):
        print(line)

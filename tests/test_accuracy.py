"""Every activation and loss, its value and its derivative, against 120-digit arithmetic over the whole range.

``python tests/test_accuracy.py`` prints the table of docs/concepts/accuracy.md, over more numbers.

In the reference z, a and y are the numbers of the dtype that they are, and fields are rounded to it. A loss
is a function of the output, so of the rounded a, and its derivative of the rounded slope that the activation
gives. Only the cross-entropy of a sigmoid, which is computed from z, is a function of z.

All are right to 4 ulp, but for what ALLOWED says of a few, where digits are lost for a reason.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

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


# by class: value and derivative, of z, a, y, the activation's slope and the fields; None where neither exists
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
# A loss sees of an activation the output and its slope alone, so these show what all pairs would; but the
# cross-entropy asks which activation it is.
PAIRS = [
    (loss, activation)
    for loss in losses.classes
    for activation in activations.classes
    if loss in ("squared_error", "cross_entropy") or activation in ("identity", "sigmoid", "step")
]


def variants(cls: type) -> list[Any]:
    return [cls(**fields) for fields in FIELDS.get(cls.__name__, [{}])]


# what is lost for a reason


def ulp(x: mpf, kind: np.finfo) -> mpf:
    """The unit of the last place of a number."""
    if x == 0:
        return mpf(float(kind.smallest_subnormal))
    _, power = mpmath.frexp(x)
    return mpf(2) ** max(power - 1 - kind.nmant, kind.minexp - kind.nmant)


def rounding(z: mpf, gain: mpf, kind: np.finfo) -> mpf:
    """What the product gain z may lose: half a unit, but nothing for a gain of 1."""
    return mpf(0) if gain == 1 else ulp(gain * z, kind) / 2


def flushed(u: mpf, kind: np.finfo) -> mpf:
    """Half the smallest normal number: where sigmoid(u) would be less, the compiled one is 0."""
    end = mpf(float(kind.tiny)) / 2
    return end if sigmoid(u) < end else mpf(0)


def of_sigmoid(z: mpf, kind: np.finfo, gain: mpf) -> mpf:
    u, lost = gain * z, rounding(z, gain, kind)
    return sigmoid(u) * sigmoid(-u) * lost + flushed(u - lost, kind)


def of_slope_of_sigmoid(z: mpf, kind: np.finfo, gain: mpf) -> mpf:
    """Gain a (1 - a) changes by gain (1 - 2 a) times the error of a, which near 1 is eps, 2 units."""
    u = gain * z
    near = mpf(float(kind.eps)) if u > 0 else mpf(0)
    return abs(gain * (sigmoid(u) - sigmoid(-u))) * (near + of_sigmoid(z, kind, gain))


def of_slope_of_tanh(z: mpf, kind: np.finfo, gain: mpf) -> mpf:
    """Gain (1 - a^2) changes by gain 2 a times the error of a, 2.5 units (see test_vecmath)."""
    a = tanh(gain * z)
    return abs(gain * 2 * a) * mpf(5) / 2 * ulp(a, kind)


def of_slope_of_silu(z: mpf, kind: np.finfo) -> mpf:
    """The slope s + z s (1 - s) is 0 at z = -1.278; z s is 0.278 there, and a unit of that eps / 4."""
    s = sigmoid(z)
    near = abs(1 + z * (1 - s)) < mpf(1) / 2
    return (mpf(float(kind.eps)) / 4 if near else mpf(0)) + abs(z) * flushed(z, kind)


def of_slope_of_cross_entropy(z: mpf, kind: np.finfo, gain: mpf, y: mpf) -> mpf:
    """Gain (a - y) has the error of a where the target is 0, and of 1 - a, near 1 eps, where it is 1."""
    near = mpf(float(kind.eps)) if y == 1 and gain * z > 0 else mpf(0)
    return abs(gain) * (of_sigmoid(z, kind, gain) if y == 0 else near)


def nothing(*_: Any) -> mpf:
    return mpf(0)


# by class: by how much the value and the derivative may be off besides, of z, the dtype and the fields
ALLOWED: dict[str, tuple[Callable[..., mpf], Callable[..., mpf]]] = {
    "Sigmoid": (of_sigmoid, of_slope_of_sigmoid),
    "Tanh": (nothing, of_slope_of_tanh),
    "Softplus": (nothing, flushed),
    "SiLU": (lambda z, kind: abs(z) * flushed(z, kind), of_slope_of_silu),
}
ALLOWED_OF_SIGMOID = {"CrossEntropy": (nothing, of_slope_of_cross_entropy)}  # and of the target


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


class Errors(NamedTuple):
    """Of the value or the derivative at many numbers, in ulp of what is true."""

    what: str
    found: np.ndarray
    allowed: np.ndarray  # what may be lost for a reason

    @property
    def most(self) -> float:
        """The largest one, less what is allowed."""
        return float(np.max(self.found - self.allowed))

    @property
    def elsewhere(self) -> float:
        """The largest one where no more than an ulp is lost for a reason."""
        return float(np.max(self.found[self.allowed < 1], initial=0.0))


def ulps(found: np.ndarray, true: list[mpf]) -> np.ndarray:
    """Distances from the true values in units of their last place; infinity counts as the next power of 2."""
    kind = np.finfo(found.dtype)
    top = mpf(2) ** kind.maxexp
    errors = np.empty(len(found))
    for i, (number, exact) in enumerate(zip(found.tolist(), true, strict=True)):
        unit = ulp(exact, kind)
        if math.isinf(number):
            number = math.copysign(1, number) * top
        if abs(exact) > top:
            exact = mpmath.sign(exact) * top
        errors[i] = math.inf if math.isnan(number) else abs(mpf(number) - exact) / unit
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
def exact_outputs(record: Any, dtype: Any, count: int) -> list[tuple[str, list[mpf], np.ndarray]]:
    """True values and derivatives at `points`, and what they may be off by for a reason, in ulp."""
    name, kind = type(record).__name__, np.finfo(dtype)
    parts = zip(
        ("value", "derivative"), ACTIVATIONS[name], ALLOWED.get(name, (nothing, nothing)), strict=True
    )
    with mpmath.workdps(DIGITS):
        fields = exact_fields(record, dtype)
        numbers = [mpf(z) for z in points(dtype, count).tolist()]
        found = []
        for what, formula, allowed in parts:
            true = [formula(z, *fields) for z in numbers]
            may = [allowed(z, kind, *fields) / ulp(t, kind) for z, t in zip(numbers, true, strict=True)]
            found.append((what, true, np.array(may, float)))
        return found


def activation_errors(record: Any, dtype: Any, way: Any, count: int = 24) -> Iterator[Errors]:
    """Those of the value and of the derivative at every one of `points`."""
    found = way(record, points(dtype, count))
    with mpmath.workdps(DIGITS):
        for numbers, (what, true, allowed) in zip(found, exact_outputs(record, dtype, count), strict=True):
            yield Errors(what, ulps(numbers, true), allowed)


def exact_loss(loss: Any, activation: Any, dtype: Any) -> Callable[..., tuple[mpf, mpf] | None]:
    if isinstance(loss, fn.CrossEntropy):
        if isinstance(activation, fn.Sigmoid):
            return functools.partial(cross_entropy_of_sigmoid, gain=exact_fields(activation, dtype)[0])
        if isinstance(activation, fn.Step):  # ln 0 counts as -100
            return lambda z, a, y, slope: (100 * abs(a - y), mpf(0))
    return LOSSES[type(loss).__name__]


def loss_errors(
    loss: Any, activation: Any, y: float, dtype: Any, way: Any, count: int = 4
) -> Iterator[Errors]:
    """Those of the value and of the derivative; where these do not exist, whether it is said."""
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
        reasons = ALLOWED_OF_SIGMOID if isinstance(activation, fn.Sigmoid) else {}
        reason = reasons.get(type(loss).__name__, (nothing, nothing))
        numbers_before = [mpf(x) for x in z[finite][exists].tolist()]
        given = [*exact_fields(activation, dtype), number]
        for k, (what, numbers) in enumerate(zip(("value", "derivative"), found, strict=True)):
            numbers = numbers[finite]
            assert not np.isfinite(numbers[~exists]).any(), what
            exact = [pair[k] for pair in true if pair is not None]
            errors = ulps(numbers[exists], exact)
            if what == "derivative" and isinstance(formula, functools.partial):
                errors = np.minimum(errors, against_target(activation, numbers[exists], exact, y))
            kind = np.finfo(dtype)
            pairs = zip(numbers_before, exact, strict=True)
            may = [reason[k](x, kind, *given) / ulp(t, kind) for x, t in pairs]
            yield Errors(what, errors, np.array(may, float))


def against_target(activation: Any, found: np.ndarray, true: list[mpf], y: float) -> np.ndarray:
    """Errors of gain (a - y) in ulp of gain y, which count where a is near a target that is not 0 or 1."""
    if y in (0.0, 1.0):
        return np.full(len(found), math.inf)
    dtype = found.dtype.type
    unit = mpf(float(np.spacing(dtype(y)))) * abs(exact_fields(activation, dtype)[0])
    return np.array([float(abs(mpf(x) - t) / unit) for x, t in zip(found.tolist(), true, strict=True)])


@DTYPES
@WAYS
@pytest.mark.parametrize("name", activations.classes)
def test_activations_and_their_slopes_are_right_to_4_ulp_over_the_whole_range(name, way, dtype):
    for record in variants(activations.classes[name]):
        for errors in activation_errors(record, dtype, way):
            worst = points(dtype)[np.argmax(errors.found - errors.allowed)]
            assert errors.most <= MOST, f"{errors.what} of {record} at {worst!r}: {errors.most:.2f} ulp"


@DTYPES
@pytest.mark.parametrize("name, activation", PAIRS)
def test_losses_and_their_derivatives_are_right_to_4_ulp_over_the_whole_range(name, activation, dtype):
    for loss in variants(losses.classes[name]):
        for y in TARGETS[loss.targets]:
            for record in variants(activations.classes[activation]):
                for errors in loss_errors(loss, record, y, dtype, plain_loss):
                    where = f"{errors.what} of {loss} of {record} for {y}"
                    assert errors.most <= MOST, f"{where}: {errors.most:.2f} ulp"


# what a kernel computes of a loss: with the identity, and where the activation has a share in it
COMPILED = [(name, "identity") for name in losses.classes]
COMPILED += [("squared_error", "sigmoid"), ("cross_entropy", "sigmoid"), ("cross_entropy", "softplus")]


@DTYPES
@pytest.mark.parametrize("name, activation", COMPILED)
def test_compiled_losses_are_right_to_4_ulp_over_the_whole_range(name, activation, dtype):
    loss, record = losses.classes[name](), activations.classes[activation]()
    for y in TARGETS[loss.targets]:
        for errors in loss_errors(loss, record, y, dtype, compiled_loss):
            where = f"{errors.what} of {loss} of {record} for {y}"
            assert errors.most <= MOST, f"{where}: {errors.most:.2f} ulp"


# values and slopes at -inf and inf
LIMITS = {
    "Sigmoid": ((0.0, 1.0), (0.0, 0.0)),
    "Tanh": ((-1.0, 1.0), (0.0, 0.0)),
    "ReLU": ((0.0, math.inf), (0.0, 1.0)),
    "LeakyReLU": ((-math.inf, math.inf), (0.01, 1.0)),
    "Softplus": ((0.0, math.inf), (0.0, 1.0)),
    "SiLU": ((-0.0, math.inf), (0.0, 1.0)),
    "GELU": ((-0.0, math.inf), (0.0, 1.0)),
    "HardSigmoid": ((0.0, 1.0), (0.0, 0.0)),
    "Arctan": ((-math.pi / 2, math.pi / 2), (0.0, 0.0)),
    "Identity": ((-math.inf, math.inf), (1.0, 1.0)),
    "Step": ((0.0, 1.0), (0.0, 0.0)),
}
THROUGH_0 = ("Tanh", "LeakyReLU", "SiLU", "GELU", "Arctan", "Identity")


@DTYPES
@WAYS
@pytest.mark.parametrize("name", activations.classes)
def test_activations_have_their_limits_at_infinity_keep_the_sign_of_0_and_pass_on_nan(name, way, dtype):
    record = activations.classes[name]()
    value, slope = way(record, np.array([-np.inf, np.inf, -0.0, 0.0, np.nan], dtype))
    for found, limits in zip((value, slope), LIMITS[type(record).__name__], strict=True):
        expected = np.array(limits, dtype)
        np.testing.assert_array_max_ulp(found[:2], expected, maxulp=0 if name != "arctan" else 2)
    np.testing.assert_array_equal(np.signbit(value[:2]), np.signbit(LIMITS[type(record).__name__][0]))
    assert math.isnan(value[4])
    assert math.isnan(slope[4]) or name in ("identity", "step")  # whose slopes do not look at z
    if type(record).__name__ in THROUGH_0:
        assert np.signbit(value[2:4]).tolist() == [True, False] and not value[2:4].any()


@DTYPES
@pytest.mark.parametrize("way", [plain_loss, compiled_loss])
def test_cross_entropy_of_a_sigmoid_has_its_limits_at_infinity(way, dtype):
    z, y = np.array([-np.inf, np.inf, -np.inf, np.inf], dtype), np.array([0, 1, 1, 0], dtype)
    value, delta = way(fn.CrossEntropy(), fn.Sigmoid(), z, y)
    assert value.tolist() == [0, 0, math.inf, math.inf]
    assert delta.tolist() == [0, 0, -1, 1]


def test_a_gelu_far_below_0_still_moves_by_its_slope():
    """The step is a large one, so that it is seen."""
    rate = 1 / 7.62e-22
    path = fn.descend(
        fn.Task([0.0], [-1.0]),
        fn.Neuron(activation=fn.GELU()),
        loss=fn.AbsoluteError(),
        optimizer=fn.GradientDescent(rate),
        start={"bias": -10.0},
        steps=1,
    )
    exact = -rate * float(ACTIVATIONS["GELU"][1](mpf(-10)))
    assert path.bias.values[1] + 10 == pytest.approx(exact, rel=1e-14)
    assert exact == pytest.approx(1, rel=1e-2)


Row = dict[str, list[list[Errors]]]  # value and derivative: errors of every variant, column by column
COLUMNS = [(way, dtype) for way in range(2) for dtype in (np.float64, np.float32)]


def of_activation(cls: type, count: int) -> Row:
    row: Row = {"value": [], "derivative": []}
    for way, dtype in COLUMNS:
        found = [e for r in variants(cls) for e in activation_errors(r, dtype, (plain, compiled)[way], count)]
        for what, column in row.items():
            column.append([errors for errors in found if errors.what == what])
    return row


def of_loss(cls: Any, outputs: list[type], count: int) -> Row:
    row: Row = {"value": [], "derivative": []}
    for way, dtype in COLUMNS:
        found = [
            errors
            for output in outputs
            for loss in variants(cls)
            for record in variants(output)
            for y in TARGETS[cls.targets]
            for errors in loss_errors(loss, record, y, dtype, (plain_loss, compiled_loss)[way], count)
        ]
        for what, column in row.items():
            column.append([errors for errors in found if errors.what == what])
    return row


def table(count: int) -> Iterator[str]:
    """The table of docs/concepts/accuracy.md; a star where digits are lost for a reason, and not counted."""
    yield "| function | NumPy, float64 | NumPy, float32 | kernel, float64 | kernel, float32 |"
    yield "| --- | --: | --: | --: | --: |"
    rows = [(f"`{cls.__name__}`", of_activation(cls, count)) for cls in activations.classes.values()]
    for cls in losses.classes.values():
        outputs = [fn.Identity, fn.Softplus] + [fn.Sigmoid] * (cls is not fn.CrossEntropy)
        rows.append((f"`{cls.__name__}`", of_loss(cls, outputs, count // 4)))
        if cls is fn.CrossEntropy:
            rows.append(("`CrossEntropy` of a sigmoid", of_loss(cls, [fn.Sigmoid], count // 4)))
    for name, row in rows:
        for what, columns in row.items():
            star = any(errors.allowed.any() for column in columns for errors in column)
            cells = [f"{max(errors.elsewhere for errors in column):.1f}" for column in columns]
            yield f"| {name}, {what}{' *' if star else ''} | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    with np.errstate(all="ignore"):
        for line in table(150):
            print(line)

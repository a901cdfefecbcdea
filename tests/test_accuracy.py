"""Every activation and loss, its value and its derivative, against 60-digit arithmetic over the whole range.

``python tests/test_accuracy.py`` prints the table of docs/concepts/accuracy.md, over more numbers.

In the reference z, a and y are the numbers of the dtype that they are, and fields are rounded to it. A loss
is a function of the output, so of the rounded a, and its derivative of the rounded slope that the activation
gives. Only the cross-entropy of a sigmoid, which is computed from z, is a function of z.

All are right to 4 ulp, but for what ALLOWED says of a few, where digits are lost for a reason.

The formulas are computed twice: of all numbers at once in `Wide` ones, which know by how much they may be
off, and in 60 digits where these cannot tell that a result is within 4 ulp, and at every fiftieth point. A
number of a dtype is at least 1e-17 away from where terms cancel, so 40 digits or more are left there.
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
from scipy import special

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
DIGITS = 60


# numbers that know by how much they may be off


long = np.longdouble
WIDE = np.finfo(long).nmant >= 63 and np.finfo(long).maxexp >= 2**14  # or all is computed in 60 digits
EPS = np.finfo(long).eps
LEAST = np.ldexp(long(1), -15600) if WIDE else 0.0  # what underflow may lose, far below every dtype


class Wide:
    """Numbers of np.longdouble, and how far from them at most the true ones are."""

    def __init__(self, value: Any, error: Any = 0.0) -> None:
        self.value = np.asarray(value, long)
        self.error = np.broadcast_to(np.asarray(error, long), self.value.shape)

    @staticmethod
    def of(number: Any) -> Wide:
        if isinstance(number, mpf):
            high = float(number)
            number = long(high) + long(float(number - high))
            return Wide(number, EPS * abs(number))
        return number if isinstance(number, Wide) else Wide(number)

    def __neg__(self) -> Wide:
        return Wide(-self.value, self.error)

    def __abs__(self) -> Wide:
        return Wide(abs(self.value), self.error)

    def __add__(self, other: Any) -> Wide:
        other = Wide.of(other)
        value = self.value + other.value
        return Wide(value, self.error + other.error + EPS * abs(value))

    def __sub__(self, other: Any) -> Wide:
        return self + -Wide.of(other)

    def __rsub__(self, other: Any) -> Wide:
        return -self + other

    def __mul__(self, other: Any) -> Wide:
        other = Wide.of(other)
        value = self.value * other.value
        error = (abs(self.value) + self.error) * other.error + abs(other.value) * self.error
        return Wide(value, error + EPS * abs(value) + LEAST)

    def __truediv__(self, other: Any) -> Wide:
        other = Wide.of(other)
        value, least = self.value / other.value, abs(other.value) - other.error
        error = (self.error + abs(value) * other.error) / np.where(least > 0, least, 0)
        return Wide(value, error + EPS * abs(value) + LEAST)

    def __rtruediv__(self, other: Any) -> Wide:
        return Wide.of(other) / self

    __radd__, __rmul__ = __add__, __mul__


Number = mpf | Wide


def choose(x: Number, one: Any, other: Any) -> Number:
    """One where x is above 0, else the other; it may be anything where that is not sure."""
    if not isinstance(x, Wide):
        return mpf(one if x > 0 else other)
    one, other = Wide.of(one), Wide.of(other)
    error = np.where(x.value > 0, one.error, other.error)
    unsure = (abs(x.value) <= x.error) & (x.error > 0)
    return Wide(np.where(x.value > 0, one.value, other.value), np.where(unsure, np.inf, error))


def of_numbers(
    x: Number, exact: Any, wide: Any, end: float = math.inf, off: float = 32 * EPS, least: Any = LEAST
) -> Number:
    """A function that only grows or only falls, and beyond an end is no other than there.

    In wide numbers it is off by a share of itself and `least`, besides what the argument is.
    """
    if not isinstance(x, Wide):
        return exact(max(min(x, mpf(end)), mpf(-end)))
    sides = (x.value - x.error, x.value, x.value + x.error)
    low, value, high = (wide(np.clip(side, -end, end)) for side in sides)
    return Wide(value, np.maximum(abs(high - value), abs(value - low)) + off * abs(value) + least)


# what the components are, in either


def exp(x: Number) -> Number:
    """The exponential; beyond 10,000 it is 0 or infinite in every dtype, and mpmath is slow."""
    return of_numbers(x, mpmath.exp, np.exp, 10_000.0)


def log(x: Number) -> Number:
    return of_numbers(x, mpmath.log, np.log)


def log1p(x: Number) -> Number:
    return of_numbers(x, mpmath.log1p, np.log1p)


def sigmoid(x: Number) -> Number:
    return 1 / (1 + exp(-x))


def normal(x: Number) -> Number:
    """The normal distribution function; in wide numbers that of SciPy, which are of float64."""

    def erfc(x: Any) -> Any:
        return special.erfc(x.astype(float)).astype(long)

    return of_numbers(-x / mpmath.sqrt(2), mpmath.erfc, erfc, 800.0, 2.0**-40, 1e-300) / 2


def density(x: Number) -> Number:
    return exp(-x * x / 2) / mpmath.sqrt(2 * mpmath.pi)


def tanh(x: Number) -> Number:
    return of_numbers(x, mpmath.tanh, np.tanh, 1000.0)


def softplus(x: Number) -> Number:
    return choose(x, x, 0) + log1p(exp(-abs(x)))


def hard_sigmoid(z: Number) -> Number:
    a = z / 6 + 0.5
    return choose(1 - a, choose(a, a, 0), 1)


def sign(x: Number) -> Number:
    return choose(x, 1, 0) - choose(-x, 1, 0)


Formula = Callable[..., Number]
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
    "ReLU": (lambda z: choose(z, z, 0), lambda z: choose(z, 1, 0)),
    "LeakyReLU": (lambda z, slope: choose(z, z, slope * z), lambda z, slope: choose(z, 1, slope)),
    "Softplus": (softplus, sigmoid),
    "SiLU": (lambda z: z * sigmoid(z), lambda z: sigmoid(z) * (1 + z * sigmoid(-z))),
    "GELU": (lambda z: z * normal(z), lambda z: normal(z) + z * density(z)),
    "HardSigmoid": (hard_sigmoid, lambda z: choose(3 - abs(z), 1, 0) / 6),
    "Arctan": (lambda z: of_numbers(z, mpmath.atan, np.arctan), lambda z: 1 / (1 + z * z)),
    "Identity": (lambda z: z, lambda z: choose(z, 1, 1)),
    "Step": (lambda z: choose(-z, 0, 1), lambda z: choose(z, 0, 0)),
}
Pair = tuple[Number, Number]


def cross_entropy(z: Number, a: Number, y: Number, slope: Number) -> Pair:
    """For an output where it exists; a term that the target does not count is 0 even where it would not."""
    hit, fall, miss, rise = 0 * a, 0 * a, 0 * a, 0 * a
    if as_float(y) > 0:
        hit, fall = y * log(a), y / a
    if as_float(y) < 1:
        miss, rise = (1 - y) * log1p(-a), (1 - y) / (1 - a)
    return -hit - miss, (rise - fall) * slope


def cross_entropy_of_sigmoid(z: Number, a: Number, y: Number, slope: Number, gain: Number) -> Pair:
    u = gain * z
    straight = choose(u, (1 - y) * u, -y * u)
    delta = (1 - y) * sigmoid(u) - y * sigmoid(-u)
    return straight + log1p(exp(-abs(u))), gain * delta


def cross_entropy_of_step(z: Number, a: Number, y: Number, slope: Number) -> Pair:
    """Where ln 0 counts as -100."""
    return 100 * abs(a - y), 0 * a


def huber(z: Number, a: Number, y: Number, slope: Number, delta: Number) -> Pair:
    e = a - y
    far = abs(e) - delta
    return (
        choose(far, delta * (abs(e) - delta / 2), e * e / 2),
        choose(far, delta * sign(e) * slope, e * slope),
    )


def hinge(z: Number, a: Number, y: Number, slope: Number) -> Pair:
    short = 1 - (2 * y - 1) * z
    return choose(short, short, 0), choose(short, 1 - 2 * y, 0)


def perceptron(z: Number, a: Number, y: Number, slope: Number) -> Pair:
    wrong = (1 - 2 * y) * z
    return choose(wrong, wrong, 0), choose(-z, 0, 1) - y


# by class: value and derivative, of z, a, y, the activation's slope and the fields
LOSSES: dict[str, Callable[..., Pair]] = {
    "SquaredError": lambda z, a, y, slope, scale: (scale * (a - y) * (a - y), 2 * scale * (a - y) * slope),
    "AbsoluteError": lambda z, a, y, slope: (abs(a - y), sign(a - y) * slope),
    "Huber": huber,
    "CrossEntropy": cross_entropy,
    "Hinge": hinge,
    "PerceptronLoss": perceptron,
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


def as_float(number: Number) -> float:
    return float(number.value if isinstance(number, Wide) else number)


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


class Truth(NamedTuple):
    """What a function is at many numbers."""

    what: str
    rough: Wide  # nearly
    exact: Callable[[int], mpf]  # at one of them
    allowed: Callable[[int], mpf]  # by how much it may be off there for a reason
    unit: float = 0.0  # errors count in this where it is more than an ulp


def exactly(number: np.longdouble) -> mpf:
    share, power = np.frexp(number)
    return mpmath.ldexp(mpf(float(share)) + mpf(float(share - float(share))), int(power))


def at_most(found: np.ndarray, truth: Truth) -> np.ndarray:
    """What the errors of `errors_of` cannot be more than; no number where that is not known."""
    kind, (value, error) = np.finfo(found.dtype), (truth.rough.value, truth.rough.error)
    top = np.ldexp(long(1), kind.maxexp)
    sizes = np.maximum(abs(value) - error, float(kind.tiny))  # below, units are as there
    units = np.ldexp(long(1), np.frexp(np.minimum(sizes, top))[1] - 1 - kind.nmant)
    apart = abs(np.clip(found.astype(long), -top, top) - np.clip(value, -top, top))
    return ((apart + error) / np.maximum(units, truth.unit)).astype(float)


def errors_of(found: np.ndarray, truth: Truth, all_exact: bool = False) -> Errors:
    """Distances from the true values in units of their last place; infinity counts as the next power of 2.

    Unless all are asked for, only those are exact that may be more than MOST, and what is allowed is known
    only where they are.
    """
    kind = np.finfo(found.dtype)
    top = mpf(2) ** kind.maxexp
    rough = WIDE and not all_exact
    errors = at_most(found, truth) if rough else np.full(len(found), np.nan)
    allowed = np.zeros(len(found))
    exact_at = ~(errors <= MOST)
    exact_at[::50] = True
    for i in np.flatnonzero(exact_at).tolist():
        number, exact = float(found[i]), truth.exact(i)
        if WIDE and math.isfinite(truth.rough.error[i]):
            off = abs(exact - exactly(truth.rough.value[i]))
            assert off <= exactly(truth.rough.error[i]), f"{truth.what}: the wide number is off by {off}"
        unit = max(ulp(exact, kind), mpf(truth.unit))
        if math.isinf(number):
            number = math.copysign(1, number) * top
        if abs(exact) > top:
            exact = mpmath.sign(exact) * top
        errors[i] = math.inf if math.isnan(number) else abs(mpf(number) - exact) / unit
        if not errors[i] <= MOST or not rough:
            allowed[i] = truth.allowed(i) / unit
    return Errors(truth.what, errors, allowed)


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
def true_outputs(record: Any, dtype: Any, count: int) -> list[Truth]:
    """Values and derivatives at `points`."""
    name, kind = type(record).__name__, np.finfo(dtype)
    z, fields = points(dtype, count), exact_fields(record, dtype)

    def truth(what: str, formula: Formula, reason: Callable[..., mpf]) -> Truth:
        return Truth(
            what,
            formula(Wide(z), *map(Wide.of, fields)),
            functools.cache(lambda i: formula(mpf(float(z[i])), *fields)),
            lambda i: reason(mpf(float(z[i])), kind, *fields),
        )

    parts = ("value", "derivative"), ACTIVATIONS[name], ALLOWED.get(name, (nothing, nothing))
    return [truth(*part) for part in zip(*parts, strict=True)]


def activation_errors(
    record: Any, dtype: Any, way: Any, count: int = 24, all_exact: bool = False
) -> Iterator[Errors]:
    """Those of the value and of the derivative at every one of `points`."""
    found = way(record, points(dtype, count))
    with mpmath.workdps(DIGITS):
        for numbers, truth in zip(found, true_outputs(record, dtype, count), strict=True):
            yield errors_of(numbers, truth, all_exact)


def formula_of_loss(loss: Any, activation: Any) -> Callable[..., Pair]:
    if isinstance(loss, fn.CrossEntropy):
        if isinstance(activation, fn.Sigmoid):
            return cross_entropy_of_sigmoid
        if isinstance(activation, fn.Step):
            return cross_entropy_of_step
    return LOSSES[type(loss).__name__]


def loss_errors(
    loss: Any, activation: Any, y: float, dtype: Any, way: Any, count: int = 4, all_exact: bool = False
) -> Iterator[Errors]:
    """Those of the value and of the derivative; where these do not exist, whether it is said."""
    z, kind = points(dtype, count), np.finfo(dtype)
    target = np.full_like(z, y)
    a, slope = (compiled if way is compiled_loss else plain)(activation, z)
    formula = formula_of_loss(loss, activation)
    exists = np.isfinite(a)
    found = [numbers[exists] for numbers in way(loss, activation, z, target)]
    z, a, slope = z[exists], a[exists], slope[exists]
    if formula is cross_entropy:
        exists = (a >= 0) & (a <= 1) & ~((a == 0) & (y > 0)) & ~((a == 1) & (y < 1))
        assert not any(np.isfinite(numbers[~exists]).any() for numbers in found)
        found = [numbers[exists] for numbers in found]
        z, a, slope = z[exists], a[exists], slope[exists]
    with mpmath.workdps(DIGITS):
        number, fields = mpf(float(target[0])), exact_fields(loss, dtype)
        given, reasons, unit = [*exact_fields(activation, dtype), number], (nothing, nothing), 0.0
        if formula is cross_entropy_of_sigmoid:
            fields = exact_fields(activation, dtype)
            reasons = ALLOWED_OF_SIGMOID[type(loss).__name__]
            if y not in (0.0, 1.0):  # near such a target the derivative counts in units of gain y
                unit = float(np.spacing(target[0])) * abs(float(fields[0]))
        rough = formula(Wide(z), Wide(a), Wide.of(number), Wide(slope), *map(Wide.of, fields))

        @functools.cache
        def exact(i: int) -> Pair:
            return formula(mpf(float(z[i])), mpf(float(a[i])), number, mpf(float(slope[i])), *fields)

        for k, what in enumerate(("value", "derivative")):
            truth = Truth(
                what,
                rough[k],
                lambda i, k=k: exact(i)[k],
                lambda i, k=k: reasons[k](mpf(float(z[i])), kind, *given),
                unit if what == "derivative" else 0.0,
            )
            yield errors_of(found[k], truth, all_exact)


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
        found = [
            e for r in variants(cls) for e in activation_errors(r, dtype, (plain, compiled)[way], count, True)
        ]
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
            for errors in loss_errors(loss, record, y, dtype, (plain_loss, compiled_loss)[way], count, True)
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

"""Derivatives against differences: what is right is never refused, what is wrong is found, and `check`."""

import math
from typing import ClassVar

import numpy as np
import pytest

import fastneuron as fn
from fastneuron.activations import activations
from fastneuron.derivatives import FEW, MANY, complaint, pairs_of
from fastneuron.elementary import arctan, constant, exp, log1p, maximum, sigmoid, sign, tanh, where
from fastneuron.losses import losses
from fastneuron.penalties import penalties
from fastneuron.rehearsal import check_derivatives


def activation(value, slope, **more):
    """An activation with these formulas of z."""
    methods = {"value": lambda self, z: value(z), "slope": lambda self, z, a: slope(z)}
    return fn.component(type("Own", (fn.Activation,), methods | more))()


def cosh(z):
    return math.cosh(min(abs(z), 300.0))


# formulas and their derivatives, of kinds that make differences hard
RIGHT = {
    "a kink at 0": (lambda z: maximum(z, 0.0), lambda z: where(z > 0, 1.0, 0.0)),
    "the other slope at a kink": (lambda z: maximum(z, 0.0), lambda z: where(z >= 0, 1.0, 0.0)),
    "a kink at a point that is looked at": (lambda z: abs(z - 0.537), lambda z: sign(z - 0.537)),
    "a jump at a point that is looked at": (lambda z: where(z > 0.537, 1.0, 0.0), lambda z: 0.0),
    "stairs": (lambda z: np.floor(3.0 * z), lambda z: 0.0),
    "a saw": (lambda z: z - np.floor(z), lambda z: 1.0),
    "hard tanh": (lambda z: min(max(z, -1.0), 1.0), lambda z: where(abs(z) < 1, 1.0, 0.0)),
    "softsign": (lambda z: z / (1 + abs(z)), lambda z: 1 / (1 + abs(z)) ** 2),
    "elu": (lambda z: where(z > 0, z, np.expm1(z)), lambda z: where(z > 0, 1.0, exp(z))),
    "mish": (
        lambda z: z * tanh(np.logaddexp(0.0, z)),
        lambda z: tanh(np.logaddexp(0.0, z)) + z * sigmoid(z) / np.cosh(np.logaddexp(0.0, z)) ** 2,
    ),
    "fast waves": (lambda z: math.sin(1e3 * z), lambda z: 1e3 * math.cos(1e3 * z)),
    "waves too fast to see": (lambda z: math.sin(1e7 * z), lambda z: 1e7 * math.cos(1e7 * z)),
    "steep and saturated": (lambda z: tanh(1e6 * z), lambda z: 1e6 / cosh(1e6 * z) ** 2),
    "hardly anything": (lambda z: 1e-30 * tanh(z), lambda z: 1e-30 / cosh(z) ** 2),
    "less than there are numbers": (lambda z: 5e-324 * z, lambda z: 5e-324),
    "very much": (lambda z: 1e30 * tanh(z), lambda z: 1e30 / cosh(z) ** 2),
    "on a high base": (lambda z: 1e9 + arctan(z), lambda z: 1 / (1 + z * z)),
    "a bell": (lambda z: exp(-z * z), lambda z: -2 * z * exp(-z * z)),
    "growth": (lambda z: exp(z), lambda z: exp(z)),
    "a high power": (lambda z: z**7, lambda z: 7 * z**6),
    "a root": (lambda z: math.sqrt(abs(z)), lambda z: sign(z) / (2 * math.sqrt(abs(z)))),
    "a half-line": (lambda z: math.log(z), lambda z: 1 / z),
    "nowhere a number": (lambda z: math.nan, lambda z: math.nan),
    "in float32": (lambda z: float(np.float32(math.tanh(z))), lambda z: 1 / cosh(z) ** 2),
    "softplus": (lambda z: maximum(z, 0.0) + log1p(exp(-abs(z))), sigmoid),
}
WRONG = {
    "sign": (lambda z: tanh(z), lambda z: -1 / cosh(z) ** 2),
    "factor": (lambda z: z * z, lambda z: z),
    "forgotten inner derivative": (lambda z: tanh(3.0 * z), lambda z: 1 / cosh(3.0 * z) ** 2),
    "one branch": (lambda z: where(z > 0, z, 0.1 * z), lambda z: 1.0),
    "another function": (lambda z: arctan(z), lambda z: 1 / cosh(z) ** 2),
    "0": (lambda z: arctan(z), lambda z: 0.0),
    "no number": (lambda z: arctan(z), lambda z: math.nan),
}
SLIGHTLY = {
    "a factor near 1": (lambda z: tanh(z), lambda z: 1.001 / cosh(z) ** 2),
    "one tail": (lambda z: arctan(z), lambda z: where(z > 4, 0.0, 1 / (1 + z * z))),
    "no number far out": (lambda z: arctan(z), lambda z: where(z > 50, math.nan, 1 / (1 + z * z))),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_derivative_is_never_refused(name):
    own = activation(*RIGHT[name])
    check_derivatives([own])
    if name != "in float32":  # where differences are rough
        for pair in pairs_of(own):
            assert complaint(pair, MANY, 1e-5) == ""


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_derivative_is_refused_when_a_sweep_is_made(name):
    with pytest.raises(ValueError, match="^Own.slope is not the derivative of Own.value: at .* it gives"):
        check_derivatives([activation(*WRONG[name])])


@pytest.mark.parametrize("name", SLIGHTLY)
def test_a_derivative_that_is_slightly_wrong_is_found_by_check_alone(name):
    own = activation(*SLIGHTLY[name])
    check_derivatives([own])
    with pytest.raises(ValueError, match="^Own.slope is not the derivative of Own.value: at .* it gives"):
        fn.check(own)


def built_in():
    fields = {"learning_rate": 0.1, "strength": 0.3}
    for registry in (activations, losses, penalties):
        for cls in registry.classes.values():
            yield cls(**{name: fields[name] for name in cls._fields if name not in cls._field_defaults})
    yield from (
        fn.Sigmoid(50.0),
        fn.Sigmoid(-3.0),
        fn.Tanh(1e-3),
        fn.LeakyReLU(-0.5),
        fn.Huber(0.01),
        fn.L1(9.0, 2.0),
    )


@pytest.mark.parametrize("record", list(built_in()), ids=repr)
def test_every_built_in_derivative_agrees_with_differences(record):
    for pair in pairs_of(record):
        assert complaint(pair, MANY, 1e-5) == complaint(pair, FEW, 0.02, 1) == ""


def test_a_surrogate_is_meant_to_be_none():
    straight = (lambda z: where(z > 0, 1.0, 0.0), lambda z: sigmoid(z) * (1.0 - sigmoid(z)))
    with pytest.raises(ValueError, match="if it is meant so, say surrogate = True in the class$"):
        check_derivatives([activation(*straight)])
    check_derivatives([activation(*straight, surrogate=True)])


@fn.component
class Straight(fn.Activation):
    """A step that trains with the slope of a sigmoid."""

    surrogate = True

    def value(self, z):
        return where(z > constant(z, 0.0), constant(z, 1.0), constant(z, 0.0))

    def slope(self, z, a):
        s = sigmoid(z)
        return s * (constant(z, 1.0) - s)


def test_a_straight_through_estimator_trains():
    fn.check(Straight())
    ends = fn.Sweep(
        task=fn.Task([0, 0, 1, 1], [1, 1, 0, 0]),
        model=fn.Neuron(activation=Straight()),
        optimizer=fn.GradientDescent(1.0),
        axes={"bias": [-1.0], "weight": [1.0]},
    ).run(progress=False)
    assert ends.outcome.item() == fn.Outcome.REACHED and ends.steps.item() > 0


@fn.component
class Ridge(fn.Penalty):
    """Forgets the gradient to which it should add its share."""

    def value(self, weight, bias):
        return weight * weight

    def weight_gradient(self, weight, gradient):
        return weight + weight

    def bias_gradient(self, bias, gradient):
        return gradient


@fn.component
class Naive(fn.Loss):
    """Infinite where the sigmoid has saturated, and its derivative is not."""

    targets: ClassVar[str] = "unit"

    def value(self, activation, z, a, y):
        return -y * fn.elementary.log(a) - (constant(z, 1.0) - y) * fn.elementary.log(constant(z, 1.0) - a)

    def delta(self, activation, z, a, y):
        return where(
            abs(z) > 30.0, a - y, activation.derivative(z, a) * (a - y) / (a * (constant(z, 1.0) - a))
        )


@fn.component
class Wide(fn.Activation):
    """Turns float32 into float64."""

    def value(self, z):
        return np.float64(2.0) * z

    def slope(self, z, a):
        return constant(z, 2.0)


@fn.component
class Single(fn.Activation):
    """Right for single numbers, and in compiled code, but not for arrays."""

    def value(self, z):
        return max(z, constant(z, 0.0))

    def slope(self, z, a):
        return where(z > constant(z, 0.0), constant(z, 1.0), constant(z, 0.0))


@fn.component
class Mixed(fn.Optimizer):
    """Gives on an array what no number of it gives."""

    learning_rate: float = 0.5

    def step(self, parameter, gradient, memory):
        return (parameter - self.learning_rate * gradient / abs(gradient + parameter).max(),)


@pytest.mark.parametrize(
    "record, reason",
    [
        (
            Ridge(),
            r"Ridge.weight_gradient is not the derivative of Ridge.value: at .* \(\S*, line \d+: `def weight",
        ),
        (
            Naive(),
            "Naive.delta must not be finite where the loss is not: for Sigmoid and target 0 at 41.9 it gives",
        ),
        (Wide(), "Wide.value must give float32 for float32, got float64; write constants as fn.constant"),
        (
            Single(),
            r"Single.value fails on arrays \(\S*, line \d+: `return max.*`\): ValueError: .*; use the",
        ),
        (Mixed(), "Mixed.step must give on arrays what it gives on numbers, got "),
        (fn.Tanh, "component must be an instance of a class derived from Activation, Loss, .*, got <class"),
        (3, "component must be an instance of a class derived from Activation, Loss, .*, got 3"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_check_tells_what_is_wrong(record, reason):
    with pytest.raises(ValueError, match=f"^{reason}") as caught:
        fn.check(record)
    assert "\n" not in str(caught.value) and caught.value.__cause__ is None


@pytest.mark.parametrize(
    "record", [fn.Tanh(1.5), fn.Huber(0.5), fn.L2(0.1), fn.GradientDescent(0.1), fn.MiniBatch(2)]
)
def test_check_finds_nothing_wrong_with_what_is_built_in(record):
    fn.check(record)

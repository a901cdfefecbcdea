"""Mistakes in a component of one's own: one line that names the method, the place and the reason."""

import math
import sys
import traceback
import types
from typing import ClassVar

import numpy as np
import pytest

import fastneuron as fn
from fastneuron.batches import Seed
from fastneuron.rehearsal import check_branches, check_code


@fn.component
class NoSlope(fn.Activation):
    def value(self, z):
        return z


@fn.component
class NoDelta(fn.Loss):
    targets: ClassVar[str] = "any"

    def value(self, activation, z, a, y):
        return a - y


@fn.component
class NoBias(fn.Penalty):
    def weight_gradient(self, weight, gradient):
        return gradient


@fn.component
class Forgetful(fn.Optimizer):
    learning_rate: float
    slots: ClassVar[int] = 1

    def step(self, parameter, gradient, memory):
        return (parameter - self.learning_rate * gradient,)


@fn.component
class Backwards(fn.Optimizer):
    slots: ClassVar[int] = -1

    def step(self, parameter, gradient, memory):
        return (parameter,)


@fn.component
class Worded(fn.Activation):
    def value(self, z):
        return "high"

    def slope(self, z, a):
        return z


@fn.component
class Empty(fn.Activation):
    def value(self, z):
        pass

    def slope(self, z, a):
        return z


@fn.component
class Seedless(fn.Batch):
    shuffled: ClassVar[bool] = True

    def steps(self, samples):
        return samples

    def span(self, step, samples):
        return step, step + 1


@fn.component
class Endless(fn.Batch):
    seed: Seed = 0
    shuffled: ClassVar[bool] = True

    def steps(self, samples):
        return 0

    def span(self, step, samples):
        return step, step + 1


@fn.component
class Partial(fn.Batch):
    def steps(self, samples):
        return 1

    def span(self, step, samples):
        return 0, samples - 1


@fn.component
class Overlong(fn.Batch):
    """Its last step reaches beyond the samples."""

    seed: Seed = 0
    shuffled: ClassVar[bool] = True

    def steps(self, samples):
        return 2

    def span(self, step, samples):
        return step, step + samples


@fn.component
class NoSteps(fn.Batch):
    def span(self, step, samples):
        return 0, samples


@fn.component
class Careless(fn.Optimizer):
    learning_rate: float

    def step(self, parameter, gradient, memory):
        return (parameter - self.rate * gradient,)


@fn.component
class Misspelt(fn.Loss):
    targets: ClassVar[str] = "any"

    def value(self, activation, z, a, y):
        return a - y

    def delta(self, activation, z, a, y):
        return sgin(a - y)  # noqa: F821


MISTAKES = [
    (
        {"optimizer": Careless(1.0)},
        r"Careless.step fails \(\S*test_rehearsal.py, line \d+: `return \(parameter - self.rate .*`\): "
        "AttributeError: .*rate",
    ),
    (
        {"loss": Misspelt()},
        r"Misspelt.delta fails \(\S*test_rehearsal.py, line \d+: `return sgin.*`\): NameError: .*'sgin'",
    ),
    (
        {"model": fn.Neuron(activation=NoSlope())},
        r"NoSlope.slope is missing: the class must define it \(\S*rehearsal.py, line \d+: `def value.*`\)$",
    ),
    ({"loss": NoDelta()}, "NoDelta.delta is missing"),
    ({"penalty": NoBias()}, "NoBias.bias_gradient is missing"),
    ({"optimizer": Forgetful(0.1)}, "Forgetful.step must return .* a tuple of 2 numbers, got "),
    ({"optimizer": Backwards()}, "Backwards.slots must be a whole number of 0 or more, got -1"),
    ({"model": fn.Neuron(activation=Worded())}, "Worded.value must return a number, got 'high'"),
    ({"model": fn.Neuron(activation=Empty())}, "Empty.value must return a number, got None"),
    ({"batch": Seedless()}, "Seedless is shuffled and needs a field seed"),
    ({"batch": Endless()}, "Endless.steps must return a whole number of 1 or more, got 0"),
    ({"batch": Partial()}, "Partial does not see all samples in a step and must be shuffled"),
    ({"batch": NoSteps()}, "NoSteps.steps is missing"),
    ({"batch": Overlong()}, r"Overlong.span must return .* from 0 to \d+, got "),
]


def assert_refused(part, reason):
    """Making a sweep is refused, for this reason, in one line, and with nothing of the depths before it."""
    given = {"task": fn.tasks.inverter(), "optimizer": fn.GradientDescent(1.0), "axes": {"bias": [0.0]}}
    with pytest.raises(ValueError, match=f"^{reason}") as caught:
        fn.Sweep(**given | part)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500
    assert caught.value.__cause__ is None and len(traceback.format_exception(caught.value)) < 20


@pytest.mark.parametrize("part, reason", MISTAKES, ids=lambda value: value if isinstance(value, str) else "")
def test_a_mistake_is_told_before_anything_is_compiled(part, reason):
    assert_refused(part, reason)
    given = {"model": fn.Neuron(), "loss": fn.SquaredError(), "optimizer": fn.GradientDescent(1.0)}
    with pytest.raises(ValueError, match=f"^{reason}"):
        fn.descend(fn.tasks.inverter(), **given | part, start={}, steps=1)


@fn.component
class Logarithm(fn.Activation):
    """Python's logarithm knows no negative numbers, the compiled one does."""

    def value(self, z):
        return np.log(z - 1.0) + 1.0 / (z - 0.375)

    def slope(self, z, a):
        return 1.0 / (z - 1.0) - 1.0 / ((z - 0.375) * (z - 0.375))


def test_a_method_that_fails_on_some_numbers_alone_is_no_mistake():
    ends = fn.Sweep(
        task=fn.Task([1.0], [0.5]),
        model=fn.Neuron(activation=Logarithm()),
        optimizer=fn.GradientDescent(0.1),
        axes={"bias": [2.0]},
        stop=fn.Stop(max_steps=1),
    ).run(progress=False)
    assert np.isfinite(ends.loss).all()


def steep(factor):
    """A class called Steep, as it would be redefined in a notebook."""

    @fn.component
    class Steep(fn.Activation):
        gain: float = 2.0

        def value(self, z):
            return fn.constant(z, factor) * z

        def slope(self, z, a):
            return fn.constant(z, factor)

    module = sys.modules.setdefault("redefined", types.ModuleType("redefined"))
    Steep.__module__, Steep.__qualname__ = "redefined", "Steep"
    module.Steep = Steep
    return Steep()


def test_a_class_that_is_defined_anew_under_its_name_is_not_taken_for_the_old_one():
    for factor in (2.0, 3.0):
        model = fn.Neuron(activation=steep(factor))
        parts = {"loss": fn.AbsoluteError(), "optimizer": fn.GradientDescent(0.125)}
        assert fn.forward(model, {"weight": 1.0}, [1.0]).tolist() == [factor]
        path = fn.descend(fn.Task([1], [0]), model, **parts, start={"weight": 1.0}, steps=1)
        assert path.weight.values.tolist() == [1.0, 1.0 - 0.125 * factor]
        axes = {"weight": [1.0]}
        ends = fn.Sweep(
            task=fn.Task([1], [0]), model=model, axes=axes, stop=fn.Stop(max_steps=1, tolerance=0.0), **parts
        )
        assert ends.run(progress=False).final_weight.values.tolist() == [1.0 - 0.125 * factor]


# what compiled code does not know


def folded(z):
    if z > 0:
        return z
    return z + z


def lifted(z):
    return folded(z)


def squashed(z):
    return fn.elementary.tanh(z)


def of_value(value, slope=None):
    """An activation with this method, and the slope of the identity unless told."""
    slope = slope or (lambda self, z, a: fn.constant(z, 1.0))
    return fn.component(
        type(
            "Own",
            (fn.Activation,),
            {"value": value, "slope": slope, "__annotations__": {"k": float}, "k": 2.0},
        )
    )()


class Written:
    """Methods as one would write them; `of_value` makes activations of them."""

    def with_if(self, z):
        if z > 0:
            return z
        return z + z

    def with_ternary(self, z):
        return z if z > 0 else z + z

    def with_and(self, z):
        return fn.elementary.where((z > 0) and (z < 1), z, z + z)

    def with_not(self, z):
        return fn.elementary.where(not z > 0, z, z + z)

    def with_while(self, z):
        while z > 1:
            z = z - 1
        return z

    def with_chain(self, z):
        return fn.elementary.where(0 < z < 1, z, z + z)

    def with_field(self, z):
        return z if self.k > 1 else z + z

    def through_helpers(self, z):
        return lifted(z)

    def of_module(self, z):
        return this_file.squashed(z)

    def of_itself(self, z):
        return self.bent(z)


this_file = sys.modules[__name__]
BRANCH = (
    r"Own.\w+ branches on what is many numbers at once \(\S*rehearsal.py, line \d+: `{}`\): in place of if"
)


@pytest.mark.parametrize(
    "method, line",
    [
        ("with_if", "if z > 0:"),
        ("with_ternary", "return z if z > 0 else z \\+ z"),
        ("with_and", "return .* and .*"),
        ("with_not", "return .*not z > 0.*"),
        ("with_while", "while z > 1:"),
        ("with_chain", "return .*0 < z < 1.*"),
        ("with_field", "return z if self.k > 1 else z \\+ z"),
        ("through_helpers", "if z > 0:"),
    ],
)
def test_a_branch_on_many_numbers_is_told_with_its_line(method, line):
    with pytest.raises(ValueError, match=f"^{BRANCH.format(line)}") as caught:
        check_branches(of_value(getattr(Written, method)))
    assert "\n" not in str(caught.value) and caught.value.__suppress_context__


def test_what_asks_no_question_of_many_numbers_is_no_branch():
    for value in (
        lambda self, z: max(z, 0.0),  # compiled code knows it
        lambda self, z: math.exp(z),
        lambda self, z: fn.elementary.where((z > 0) & (z < 1), z, z + z),
        lambda self, z: sum([z, z]),
        lambda self, z: [z + k for k in range(3) if k > 1][0],
    ):
        check_branches(of_value(value))


def test_a_function_called_through_its_module_is_told_with_what_to_write():
    says = (
        r"^Own.value calls this_file.squashed, .* \(\S*, line \d+: `return .*`\): "
        r"write 'from \S*test_rehearsal import squashed' above"
    )
    with pytest.raises(ValueError, match=says):
        check_code(of_value(Written.of_module))
    for value in (
        lambda self, z: fn.elementary.tanh(z),
        lambda self, z: np.tanh(z) * math.pi,
        lambda self, z: squashed(z),
        lambda self, z: fn.constant(z, self.k),
    ):
        check_code(of_value(value))


def test_a_method_of_its_own_that_a_method_calls_is_told():
    cls = type("Own", (fn.Activation,), {"value": Written.of_itself, "bent": folded})
    with pytest.raises(
        ValueError, match=r"^Own.value calls self.bent, .*: write it as a function outside the"
    ):
        check_code(fn.component(cls)())


@fn.component
class Clipped(fn.Activation):
    """Right in Python; compiled code has no np.clip of many numbers."""

    def value(self, z):
        return np.clip(z, 0.0, 1.0)

    def slope(self, z, a):
        return fn.elementary.where((z > 0) & (z < 1), fn.constant(z, 1.0), fn.constant(z, 0.0))


@fn.component
class Branched(fn.Optimizer):
    learning_rate: float = 0.5

    def step(self, parameter, gradient, memory):
        if gradient > 0:
            return (parameter - self.learning_rate,)
        return (parameter + self.learning_rate,)


@fn.component
class Rising(fn.Loss):
    def value(self, activation, z, a, y):
        return (a - y) * (a - y)

    def delta(self, activation, z, a, y):
        return -(a - y) * activation.derivative(z, a)


@fn.component
class ByModule(fn.Penalty):
    def value(self, weight, bias):
        return this_file.squashed(weight)

    def weight_gradient(self, weight, gradient):
        return gradient + this_file.squashed(weight)

    def bias_gradient(self, bias, gradient):
        return gradient


@fn.component
class Defaulted(fn.Activation):
    def value(self, z, share=0.3):
        return share * z

    def slope(self, z, a):
        return 0.3 * z / z


@fn.component
class Anyhow(Defaulted):
    def value(self, *given):
        return given[0]


@fn.component
class OfTheClass(Defaulted):
    @classmethod
    def value(cls, z):
        return z


@fn.component
class Awaited(Defaulted):
    async def value(self, z):
        return z


@fn.component
class Constant(fn.Activation):
    rate = 2.0

    def value(self, z):
        return self.rate * z

    def slope(self, z, a):
        return Constant.rate * z / z


@fn.component
class ByClass(Constant):
    def value(self, z):
        return Constant.rate * z


@fn.component
class Printing(Constant):
    def value(self, z):
        print(z)
        return z


def activation(record):
    return {"model": fn.Neuron(activation=record)}


REFUSED = [
    (activation(Defaulted()), r"Defaulted.value must take \(self, z\), got \(self, z, share=0.3\) "),
    (activation(Anyhow()), r"Anyhow.value must take \(self, z\), got \(self, \*given\) "),
    (activation(OfTheClass()), "OfTheClass.value must be a plain method, not a classmethod"),
    (activation(Awaited()), r"Awaited.value must return numbers \(.*, and be neither async nor a generator"),
    (
        activation(Constant()),
        "Constant.value reads self.rate, .* as a constant outside the class, or as a field",
    ),
    (activation(ByClass()), "ByClass.value reads Constant.rate, .* write it as a constant outside the class"),
    (activation(Printing()), r"Printing.value calls print, .* line \d+: `print\(z\)`"),
    (
        {"optimizer": Branched()},
        r"Branched.step branches on .* \(\S*, line \d+: `if gradient > 0:`\)",
    ),
    (
        {"loss": Rising()},
        r"Rising.delta is not the derivative of Rising.value for Identity and target 0: at .* it gives .*, "
        r"and differences .* \(\S*, line \d+: `def delta",
    ),
    ({"penalty": ByModule()}, r"ByModule.value calls this_file.squashed, "),
]


@pytest.mark.parametrize("part, reason", REFUSED)
def test_what_is_wrong_with_a_component_is_found_when_the_sweep_is_made(part, reason):
    assert_refused(part, reason)


def test_what_only_compiled_code_does_not_know_is_one_line_when_it_is_compiled():
    sweep = fn.Sweep(
        task=fn.tasks.inverter(),
        model=fn.Neuron(activation=Clipped()),
        optimizer=fn.GradientDescent(1.0),
        axes={"bias": [0.0]},
    )
    says = (
        r"^Clipped.value cannot be compiled \(\S*rehearsal.py, line \d+: `return np.clip\(z, 0.0, 1.0\)`\): "
    )
    with pytest.raises(ValueError, match=says) as caught:
        sweep.run(progress=False)
    assert "\n" not in str(caught.value) and caught.value.__suppress_context__
    assert len("".join(traceback.format_exception(caught.value)).splitlines()) < 45

"""Mistakes in a component of one's own: one line that names the method, the place and the reason."""

import sys
import types
from typing import ClassVar

import numpy as np
import pytest

import fastneuron as fn
from fastneuron.batches import Seed


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
        r"Careless.step fails \(\S*test_rehearsal.py, line \d+\): AttributeError: .*rate",
    ),
    ({"loss": Misspelt()}, r"Misspelt.delta fails \(\S*test_rehearsal.py, line \d+\): NameError: .*'sgin'"),
    ({"model": fn.Neuron(activation=NoSlope())}, "NoSlope.slope is missing"),
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


@pytest.mark.parametrize("part, reason", MISTAKES, ids=lambda value: value if isinstance(value, str) else "")
def test_a_mistake_is_told_before_anything_is_compiled(part, reason):
    given = {"task": fn.tasks.inverter(), "optimizer": fn.GradientDescent(1.0), "axes": {"bias": [0.0]}}
    sweep = fn.Sweep(**given | part)
    with pytest.raises(ValueError, match=f"^{reason}") as caught:
        sweep.run(progress=False)
    assert "\n" not in str(caught.value)
    parts = {"loss": sweep.loss, "optimizer": sweep.optimizer, "penalty": sweep.penalty, "batch": sweep.batch}
    with pytest.raises(ValueError, match=f"^{reason}"):
        fn.descend(sweep.task, sweep.model, **parts, start={}, steps=1)


@fn.component
class Logarithm(fn.Activation):
    """Python's logarithm knows no negative numbers, the compiled one does."""

    def value(self, z):
        return np.log(z - 1.0) + 1.0 / (z - 0.375)

    def slope(self, z, a):
        return 1.0 / (z - 1.0)


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

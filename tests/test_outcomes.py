"""When a start ends, and as what: facts about the rule at its edges, in both dtypes and all sizes."""

from typing import Annotated

import numpy as np
import pytest

import fastneuron as fn
from fastneuron.components import Bound
from fastneuron.outcomes import Outcome

from .orbits import Orbit

DTYPES = pytest.mark.parametrize("dtype", ["float64", "float32"])
LINE = fn.Neuron(activation=fn.Identity())
PRODUCT = fn.Network((1, 1, 1), hidden=fn.Identity(), output=fn.Identity(), bias=False)  # of two weights
OFF = fn.Task([1.0], [1000.1])  # no state comes near this target


def ends(sweep, **selected):
    """Outcome by name, steps and period of the points, or of the one selected."""
    result = sweep.run(progress=False).isel(selected)
    names = [Outcome(code).name for code in result.outcome.values.ravel()]
    return list(
        zip(names, result.steps.values.ravel().tolist(), result.period.values.ravel().tolist(), strict=True)
    )


def sweep_of(**parts):
    given = {"task": fn.Task([1.0], [0.0]), "model": LINE, "optimizer": fn.GradientDescent(1.0)}
    stop = {"max_steps": 200, "tolerance": 0.0} | parts.pop("stop", {})
    return fn.Sweep(**given | parts, stop=fn.Stop(**stop))


# settled


@DTYPES
def test_start_that_leaves_a_saddle_is_not_settled_while_its_updates_grow(dtype):
    """From weights of 1e-13 every update is below `settle` for 200 steps, and larger than the one before."""
    sweep = sweep_of(
        task=fn.Task([1.0], [1.0]),
        model=PRODUCT,
        optimizer=fn.GradientDescent(0.1),
        axes={"layer0.weight[0,0]": [1e-13]},
        start={"layer1.weight": [[1e-13]]},
        stop={"max_steps": 1000, "tolerance": 0.1},
        dtype=dtype,
    )
    assert ends(sweep) == [("REACHED", 324, 0)]


@DTYPES
def test_first_update_settles_a_start_only_if_it_is_none(dtype):
    """With rate 3 a bias doubles at every step, also from 1e-13; an update of 1e-20 is lost beside 1."""
    axes = {"bias": [1e-13, 0.0]}
    found = ends(sweep_of(task=fn.Task([0], [0]), optimizer=fn.GradientDescent(3.0), axes=axes, dtype=dtype))
    assert found[0][0] == "DIVERGED"
    assert found[1] == ("REACHED", 0, 0)
    lost = sweep_of(
        task=fn.Task([0], [0]), optimizer=fn.GradientDescent(1e-20), axes={"bias": [1.0]}, dtype=dtype
    )
    assert ends(lost) == [("SETTLED", 1, 1)]


def test_small_first_update_is_settled_by_the_second_if_that_is_no_larger():
    sweep = sweep_of(task=fn.Task([0], [0]), optimizer=fn.GradientDescent(2.0**-45), axes={"bias": [1.0]})
    assert ends(sweep) == [("SETTLED", 2, 1)]


@DTYPES
def test_batches_settle_when_an_epoch_is_no_faster_than_the_one_before(dtype):
    """Both weights go the same way to their targets, each in its half of an epoch, slower every time."""
    task = fn.Task([[1.0, 0.0], [0.0, 1.0]], [1.0, 1.0])
    parts = {"task": task, "model": fn.Neuron(2, fn.Identity()), "batch": fn.MiniBatch(1), "dtype": dtype}
    parts["optimizer"] = fn.Momentum(1.0, 0.0)
    descent = {"axes": {"learning_rate": [2.0**-11], "momentum": [0.0]}}
    assert ends(sweep_of(**parts, **descent, stop={"settle": 2.0**-10})) == [("SETTLED", 4, 1)]
    # momentum gathers speed, and all of its updates are within `settle`
    momentum = {"axes": {"learning_rate": [2.0**-13], "momentum": [0.9]}}
    found = ends(sweep_of(**parts, **momentum, stop={"settle": 2.0**-8, "max_steps": 12, "stall": 0.0}))
    assert found == [("UNFINISHED", 12, 0)]


# cycling


@pytest.mark.parametrize("period", [2, 3, 4, 5, 8, 9, 13, 16, 17, 31, 32, 33])
@DTYPES
def test_cycle_of_three_periods_is_found_wherever_it_lies_and_no_shorter_one(period, dtype):
    """It is left again at once; 3 p + 1 states are three periods."""
    delays = np.arange(35.0)
    parts = {"task": OFF, "axes": {"delay": delays, "bias": [0.25, -3.0]}, "dtype": dtype}
    for longest in (33, 64):
        stop = {"max_steps": 200, "max_period": longest, "limit": 1e6}
        just = ends(sweep_of(optimizer=Orbit(period, 0.0, 3 * period + 1), stop=stop, **parts))
        assert just == [("CYCLING", int(d) + 3 * period + 1, period) for d in delays for _ in range(2)]
        less = ends(sweep_of(optimizer=Orbit(period, 0.0, 3 * period), stop=stop, **parts))
        assert {name for name, _, _ in less} <= {"UNFINISHED", "STALLED"}


def test_cycle_longer_than_max_period_is_none_and_a_long_one_is_found():
    for period, longest, found in ((7, 6, 0), (7, 7, 7), (150, 149, 0), (150, 150, 150), (150, 700, 150)):
        stop = {"max_steps": 600, "max_period": longest}
        sweep = sweep_of(task=OFF, optimizer=Orbit(period, 3.0), axes={"bias": [0.25]}, stop=stop)
        wanted = ("CYCLING", 4 + 3 * period, period) if found else ("UNFINISHED", 600, 0)
        assert ends(sweep) == [wanted]


@pytest.mark.parametrize("longest", [4, 7, 12, 48, 60, 64])
def test_period_is_never_a_multiple_of_that_with_which_states_return_exactly(longest):
    sweep = sweep_of(task=OFF, optimizer=Orbit(4.0), axes={"bias": [0.25]}, stop={"max_period": longest})
    assert ends(sweep) == [("CYCLING", 13, 4)]


def test_cycle_is_known_at_its_step_whatever_max_steps():
    """Zigzag that dies away by a hundredth a step."""
    parts = {"optimizer": fn.GradientDescent(1.01), "start": {"weight": 0.01733}}
    axes = {"max_steps": np.arange(1, 101)}
    found = ends(sweep_of(axes=axes, stop={"settle": 1e-3}, **parts))
    assert found[:5] == [("UNFINISHED", m, 0) for m in range(1, 6)]
    assert found[5:] == [("CYCLING", 6, 2)] * 95
    for m in (5, 6, 15, 16, 17, 48, 49, 55):
        alone = ends(sweep_of(axes={"bias": [0.0]}, stop={"settle": 1e-3, "max_steps": m}, **parts))
        assert alone == [found[m - 1]]


def test_start_that_reaches_in_the_middle_of_a_cycle_has_reached():
    sweeps = [
        sweep_of(
            loss=fn.AbsoluteError(),
            optimizer=fn.RMSProp(2.0, 0.9),
            axes={"weight": fn.linspace(-12, 12, 400)},
            start={"bias": 0.3},
            stop={"max_steps": m},
        )
        for m in (288, 289, 306, 307, 1000)
    ]
    results = [sweep.run(progress=False) for sweep in sweeps]
    assert [int(result.outcome[2]) for result in results] == [Outcome.UNFINISHED] + [Outcome.REACHED] * 4
    assert [int(result.steps[2]) for result in results] == [288] + [289] * 4
    for result in results:
        assert not ((result.outcome == Outcome.CYCLING) & (result.error == 0)).any()


def test_every_start_of_a_lasting_cycle_is_cycling_whatever_max_steps():
    """At first a state returns within the rounding after 2 steps as well, but not three times in a row."""
    maps = [
        sweep_of(
            task=fn.Task([[0.0]], [0.5]),
            model=fn.Neuron(activation=fn.Step()),
            penalty=fn.L2(0.1, 1.0),
            optimizer=fn.AdamW(45.34400684189974, 0.0, 0.5, 1e-10, 0.0),
            axes={"weight": fn.linspace(-3, 3, 21), "bias": fn.linspace(-3, 3, 21)},
            stop={"max_steps": m},
            dtype="float32",
        ).run(progress=False)
        for m in (500, 990, 1000, 2000)
    ]
    assert (maps[0].outcome == Outcome.CYCLING).sum() == 440  # one start is at rest
    for other in maps[1:]:
        for name in ("outcome", "steps", "period", "speed", "final_bias"):
            np.testing.assert_array_equal(other[name].values, maps[0][name].values, err_msg=name)


@pytest.mark.parametrize("network", [False, True])
def test_batches_of_all_samples_cycle_as_without_batches(network):
    """Whether their size is an axis or not."""
    model = fn.Network((13, 1), output=fn.Step()) if network else fn.Neuron(activation=fn.Step())
    axis = "layer0.bias[0]" if network else "bias"
    parts = {
        "task": fn.Task(np.zeros((5, 13 if network else 1)), [1] + [0] * 4),
        "model": model,
        "loss": fn.PerceptronLoss(),
        "start": {"layer0.weight": 0.0} if network else {},
    }
    plain = sweep_of(axes={axis: [0.004]}, **parts).run(progress=False)
    assert ends(sweep_of(axes={axis: [0.004]}, **parts)) == [("CYCLING", 15, 5)]
    constant = sweep_of(axes={axis: [0.004]}, batch=fn.MiniBatch(5), **parts).run(progress=False)
    varying = sweep_of(axes={axis: [0.004], "size": [2, 5]}, batch=fn.MiniBatch(1), **parts).run(
        progress=False
    )
    for other in (constant, varying.isel(size=1)):
        for name in plain.data_vars:
            np.testing.assert_array_equal(other[name].values, plain[name].values, err_msg=name)
    assert varying.outcome.values[0, 0] != Outcome.CYCLING  # a batch of two is not looked at


def test_network_whose_batch_size_is_an_axis_has_the_bits_of_the_constant():
    """Sums run in the order of the samples where a batch has them all."""
    rng = np.random.default_rng(3)
    parts = {
        "task": fn.Task(rng.normal(size=(7, 2)), rng.integers(0, 2, 7)),
        "model": fn.Network((2, 4, 1), output=fn.Step()),
        "loss": fn.PerceptronLoss(),
        "draws": 9,
        "stop": {"max_steps": 60, "tolerance": 0.01},
    }
    alone = sweep_of(**parts).run(progress=False, keep=["final", "steps"])
    assert (alone.steps > 10).any()
    varying = sweep_of(axes={"size": [7]}, batch=fn.MiniBatch(1), **parts).run(
        progress=False, keep=["final", "steps"]
    )
    for name in alone.data_vars:
        np.testing.assert_array_equal(varying.isel(size=0)[name].values, alone[name].values, err_msg=name)


# diverged

OVERFLOWS = {
    "neuron": {"axes": {"weight": [9e11]}},
    "batches": {
        "task": fn.Task([0.0, 3e7, 0.0], [0, 0, 0]),
        "axes": {"weight": [9e11]},
        "batch": fn.MiniBatch(1, seed=4),
    },
    "network": {
        "task": fn.Task([30.0], [0.0]),
        "model": PRODUCT,
        "axes": {"layer0.weight[0,0]": [9e11]},
        "start": {"layer1.weight": [[1e6]]},
    },
    "batches of a network": {
        "task": fn.Task([0.0, 3e136, 0.0], [0, 0, 0]),
        "dtype": "float64",
        "model": PRODUCT,
        "axes": {"layer0.weight[0,0]": [9e11]},
        "start": {"layer1.weight": [[1e6]]},
        "batch": fn.MiniBatch(1, seed=4),
    },
}


@pytest.mark.parametrize("parts", OVERFLOWS.values(), ids=OVERFLOWS)
def test_infinite_loss_is_divergence_though_all_slopes_are_finite(parts):
    """(2.7e19)^2 is beyond float32, (2.7e154)^2 beyond float64; the update is 1e-15 of the slope."""
    given = {"task": fn.Task([3e7], [0.0]), "optimizer": fn.GradientDescent(1e-15), "dtype": "float32"}
    assert ends(sweep_of(**given | parts)) == [("DIVERGED", 0, 0)]


@pytest.mark.parametrize("network", [False, True])
def test_infinite_loss_is_divergence_though_the_activation_is_flat(network):
    """z overflows where the sigmoid is 1 in any case."""
    model = fn.Network((1, 1)) if network else fn.Neuron()
    axis = "layer0.weight[0,0]" if network else "weight"
    sweep = sweep_of(
        task=fn.Task([1e20], [0.0]),
        model=model,
        loss=fn.CrossEntropy(),
        optimizer=fn.GradientDescent(1e-10),
        axes={axis: [3e18, 4e18]},
        start={"layer0.bias": 0.0} if network else {},
        stop={"limit": 3e38, "max_steps": 1, "stall": 0.0},
        dtype="float32",
    )
    assert ends(sweep) == [("UNFINISHED", 1, 0), ("DIVERGED", 0, 0)]


def test_loss_that_overflows_on_the_way_is_divergence_at_that_step():
    """The bias is (-2)^t, and half the square of 2^65 is beyond float32."""
    sweep = sweep_of(
        task=fn.Task([0.0], [0.0]),
        optimizer=fn.GradientDescent(3.0),
        axes={"bias": [1.0]},
        stop={"limit": 3e38},
        dtype="float32",
    )
    assert ends(sweep) == [("DIVERGED", 65, 0)]
    result = sweep.run(progress=False)
    assert (result.loss.item(), result.final_bias.item(), result.speed.item()) == (
        np.inf,
        -(2.0**65),
        1.5 * 2.0**65,
    )


def test_parameter_that_overflows_has_diverged_though_the_limit_is_the_largest_number():
    """Momentum carries it from -3e38 by 1, 1.9, 2.71 and 1.439 times 1e38; the loss is as large as it."""
    sweep = sweep_of(
        task=fn.Task([0.0], [0.0]),
        loss=fn.AbsoluteError(),
        optimizer=fn.Momentum(1e38, 0.9),
        axes={"bias": [-3e38]},
        stop={"limit": float(np.finfo(np.float32).max)},
        dtype="float32",
    )
    assert ends(sweep) == [("DIVERGED", 4, 0)]
    result = sweep.run(progress=False)
    assert (result.final_bias.item(), result.speed.item()) == (np.inf, np.inf)


Number = Annotated[float, Bound("any number")]


@fn.component
class Lost(fn.Optimizer):
    """Gradient descent whose update is NaN, infinity minus infinity, where the gradient is large."""

    learning_rate: Number = 1e-30

    slots = 0

    def step(self, parameter, gradient, memory):
        square = gradient * gradient
        return (parameter - self.learning_rate * gradient + (square - square),)


@pytest.mark.parametrize("x", [[1e25, 1.0], [1.0, 1e25]])
def test_speed_is_nan_if_the_change_of_any_parameter_is(x):
    """Whichever parameter comes first."""
    sweep = sweep_of(
        task=fn.Task([x], [0.0]),
        model=fn.Neuron(2, fn.Identity()),
        loss=fn.AbsoluteError(),
        optimizer=Lost(),
        axes={"bias": [1.0]},
        dtype="float32",
    )
    result = sweep.run(progress=False)
    assert (result.outcome.item(), result.steps.item()) == (Outcome.DIVERGED, 1)
    assert np.isnan(result.speed.item())


# the dtype's numbers


@DTYPES
def test_error_equal_to_the_tolerance_in_the_dtype_has_reached(dtype):
    """0.1 is another number in float32: both are rounded to it."""
    number = np.dtype(dtype).type
    start = float(number(0.1))
    task = fn.Task([0.0], [0.0])
    below = float(np.nextafter(number(0.1), number(0)))
    for tolerance, wanted in ((0.1, "REACHED"), (start, "REACHED"), (below, "SETTLED")):
        sweep = sweep_of(
            task=task,
            optimizer=fn.GradientDescent(1e-30),
            axes={"bias": [start]},
            stop={"tolerance": tolerance},
            dtype=dtype,
        )
        assert ends(sweep)[0][0] == wanted


@DTYPES
def test_parameter_equal_to_the_limit_in_the_dtype_is_not_beyond_it(dtype):
    number = np.dtype(dtype).type
    at, beyond = float(number(0.1)), float(np.nextafter(number(0.1), number(1)))
    axes = {"bias": [at, beyond, -beyond]}
    sweep = sweep_of(
        task=fn.Task([0.0], [0.0]),
        optimizer=fn.GradientDescent(1e-30),
        axes=axes,
        stop={"limit": 0.1},
        dtype=dtype,
    )
    assert [name for name, _, _ in ends(sweep)] == ["SETTLED", "DIVERGED", "DIVERGED"]


# no step


@DTYPES
def test_without_a_step_only_the_start_is_looked_at(dtype):
    """Error 0, error 1 and a start beyond the limit; nothing says how fast they would be."""
    sweep = sweep_of(
        task=fn.Task([0.0], [0.0]), axes={"bias": [0.0, 1.0, 2e12]}, stop={"max_steps": 0}, dtype=dtype
    )
    assert ends(sweep) == [("REACHED", 0, 0), ("UNFINISHED", 0, 0), ("DIVERGED", 0, 0)]
    result = sweep.run(progress=False)
    assert result.speed.values.tolist() == [0.0] * 3
    assert result.final_bias.values.tolist() == np.array([0.0, 1.0, 2e12], dtype).tolist()
    path = fn.descend(
        sweep.task, LINE, loss=sweep.loss, optimizer=sweep.optimizer, start={"bias": [0.0, 1.0]}, steps=3,
        stop=sweep.stop, dtype=dtype,
    )  # fmt: skip
    assert path.outcome.values.tolist() == [Outcome.REACHED, Outcome.UNFINISHED]
    assert path.ended.values.tolist() == [0, 0]


def test_steps_that_run_out_are_an_axis_from_zero_on():
    found = ends(
        sweep_of(axes={"max_steps": [0, 1, 2]}, start={"weight": 1.0}, optimizer=fn.GradientDescent(0.25))
    )
    assert found == [("UNFINISHED", 0, 0), ("UNFINISHED", 1, 0), ("UNFINISHED", 2, 0)]

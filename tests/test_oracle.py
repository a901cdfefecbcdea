"""The oracle itself, without any kernel: it must give the outside truths and the closed forms."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

import fastneuron as fn
from fastneuron.axes import as_axis

from . import oracle
from .test_truths import INVERTER, NIELSEN, PENALISED

PLACES = {
    "weight": ("start", "weight"),
    "bias": ("start", "bias"),
    "learning_rate": ("optimizer", "learning_rate"),
    "max_steps": ("stop", "max_steps"),
    "stall": ("stop", "stall"),
    "max_period": ("stop", "max_period"),
    "gain": ("activation", "gain"),
    "size": ("batch", "size"),
}


def description(axes, **changes):
    """As much of a Sweep as the oracle looks at; the default: one bias that should become 0, linear."""
    axes = {name: as_axis(values, name) for name, values in axes.items()}
    parts = {
        "task": fn.Task([0], [0]),
        "model": fn.Neuron(activation=fn.Identity()),
        "loss": fn.SquaredError(),
        "penalty": None,
        "optimizer": fn.GradientDescent(0.5),
        "batch": fn.FullBatch(),
        "stop": fn.Stop(max_steps=100, tolerance=0.0),
        "start": {},
        "dtype": "float64",
    }
    shape = tuple(len(axis) for axis in axes.values())
    return SimpleNamespace(axes=axes, places=PLACES, dims=tuple(axes), shape=shape, **parts | changes)


def end(sweep):
    """The oracle's answer for a sweep of one point."""
    return {name: values.item() for name, values in oracle.run(sweep).items()}


def inverter(axes, **changes):
    parts = {"task": fn.tasks.inverter(), "model": fn.Neuron(), "loss": fn.CrossEntropy()}
    return description(axes, **parts | changes)


@pytest.mark.parametrize("loss, rate, weight, bias, first, last_weight, last_bias, last", NIELSEN)
def test_oracle_gives_nielsens_tables(loss, rate, weight, bias, first, last_weight, last_bias, last):
    path = oracle.trajectory(
        fn.Task([1], [0]),
        fn.Neuron(),
        getattr(fn, loss)(),
        fn.GradientDescent(rate),
        None,
        {"weight": weight, "bias": bias},
        300,
    )
    assert path["output"][0, 0] == pytest.approx(first, rel=1e-12)
    assert path["weight"][300] == pytest.approx(last_weight, rel=1e-12)
    assert path["bias"][300] == pytest.approx(last_bias, rel=1e-12)
    assert path["output"][300, 0] == pytest.approx(last, rel=1e-12)


def test_oracle_follows_the_exact_inverter():
    path = oracle.trajectory(
        fn.tasks.inverter(), fn.Neuron(), fn.CrossEntropy(), fn.GradientDescent(1.0), None, {}, 10_000
    )
    for t, weight, bias, loss in INVERTER:
        assert path["weight"][t] == pytest.approx(weight, rel=1e-12)
        assert path["bias"][t] == pytest.approx(bias, rel=1e-12, abs=1e-15)
        assert path["loss"][t] == pytest.approx(loss, rel=1e-12)


@pytest.mark.parametrize("strength, weight, bias, output_0, output_1, limit", PENALISED)
def test_oracle_settles_below_and_cycles_above_the_stability_limit(
    strength, weight, bias, output_0, output_1, limit
):
    ends = oracle.run(
        inverter(
            {"learning_rate": [0.98 * limit, 1.02 * limit]},
            penalty=fn.L2(strength),
            stop=fn.Stop(tolerance=0.0),
        )
    )
    assert ends["outcome"].tolist() == [fn.Outcome.SETTLED, fn.Outcome.CYCLING]
    assert ends["period"].tolist() == [1, 2]
    assert ends["final_weight"][0] == pytest.approx(weight, abs=1e-11)
    assert ends["final_bias"][0] == pytest.approx(bias, abs=1e-11)
    assert ends["error"][0] == pytest.approx(output_1, abs=2e-12)


def test_oracle_knows_polyaks_limit():
    for share, outcome in ((0.98, fn.Outcome.SETTLED), (1.02, fn.Outcome.CYCLING)):
        sweep = inverter(
            {"weight": [0.0]},
            penalty=fn.L2(0.01),
            optimizer=fn.Momentum(share * 26.7774980, 0.5),
            stop=fn.Stop(tolerance=0.0),
        )
        assert end(sweep)["outcome"] == outcome


def test_oracle_counts_the_perceptrons_steps():
    ends = oracle.run(
        inverter(
            {"weight": [0.0, 5.0], "bias": [0.0, -5.0]},
            model=fn.Neuron(activation=fn.Step()),
            loss=fn.PerceptronLoss(),
            optimizer=fn.GradientDescent(1.0),
        )
    )
    assert (ends["outcome"] == fn.Outcome.REACHED).all()
    assert (ends["steps"][0, 0], ends["steps"][1, 1]) == (2, 22)
    assert (ends["final_weight"][0, 0], ends["final_bias"][0, 0]) == (-0.5, 0.0)
    assert (ends["learned"] == 0b01).all()


def test_linear_bias_halves_to_the_tolerance_at_the_exact_step():
    answer = end(description({"bias": [1.0]}, stop=fn.Stop(max_steps=100, tolerance=2.0**-5)))
    assert (answer["outcome"], answer["steps"]) == (fn.Outcome.REACHED, 5)
    assert answer["final_bias"] == answer["error"] == answer["speed"] == 2.0**-5
    assert answer["loss"] == 2.0**-11


def test_linear_bias_settles_where_its_update_is_the_closeness():
    answer = end(description({"bias": [1.0]}, stop=fn.Stop(max_steps=100, tolerance=0.0, settle=2.0**-10)))
    assert (answer["outcome"], answer["steps"], answer["period"]) == (fn.Outcome.SETTLED, 10, 1)


def test_alternating_bias_is_a_cycle_after_three_periods():
    """At learning rate 2 the bias is 1, -1, 1, ...; the first return is at t = 2, the fifth at t = 6."""
    answer = end(description({"bias": [1.0]}, optimizer=fn.GradientDescent(2.0)))
    assert (answer["outcome"], answer["steps"], answer["period"]) == (fn.Outcome.CYCLING, 6, 2)
    assert answer["speed"] == 2.0
    ends = oracle.run(
        description({"max_period": [1, 2]}, start={"bias": 1.0}, optimizer=fn.GradientDescent(2.0))
    )
    assert ends["outcome"].tolist() == [fn.Outcome.UNFINISHED, fn.Outcome.CYCLING]


def test_decaying_oscillation_settles_and_is_no_cycle():
    answer = end(description({"bias": [1.0]}, optimizer=fn.GradientDescent(1.9), stop=fn.Stop(tolerance=0.0)))
    assert answer["outcome"] == fn.Outcome.SETTLED
    assert answer["steps"] == math.ceil(math.log(1e-12 / 1.9, 0.9)) + 1


def test_momentary_rest_is_settled():
    """Momentum near 1 and learning rate 3 turn the bias 1, -2, 1, 1, -2, ...: the third update is none."""
    answer = end(description({"bias": [1.0]}, optimizer=fn.Momentum(3.0, 1.0 - 2.0**-53)))
    assert (answer["outcome"], answer["steps"]) == (fn.Outcome.SETTLED, 3)


def test_doubling_bias_diverges_beyond_the_limit_and_not_at_it():
    stop = fn.Stop(max_steps=100, tolerance=0.0, limit=1024.0)
    answer = end(description({"bias": [1.0]}, optimizer=fn.GradientDescent(3.0), stop=stop))
    assert (answer["outcome"], answer["steps"]) == (fn.Outcome.DIVERGED, 11)
    assert answer["final_bias"] == -2048.0
    assert answer["speed"] == 3072.0


def test_start_already_at_target_takes_zero_steps():
    answer = end(description({"bias": [0.0]}))
    assert (answer["outcome"], answer["steps"], answer["speed"]) == (fn.Outcome.REACHED, 0, 0.0)


def test_stalled_and_unfinished_part_at_the_stall_field():
    """One step moves the bias from 1 by 2^-8."""
    ends = oracle.run(
        description(
            {"stall": [2.0**-8, 2.0**-8 - 2.0**-20]},
            start={"bias": 1.0},
            optimizer=fn.GradientDescent(2.0**-8),
            stop=fn.Stop(max_steps=1, tolerance=0.0),
        )
    )
    assert ends["outcome"].tolist() == [fn.Outcome.STALLED, fn.Outcome.UNFINISHED]
    assert ends["steps"].tolist() == [1, 1]


@pytest.mark.parametrize("samples", [3, 4, 5])
def test_period_is_the_number_of_samples_where_a_perceptron_turns_through_them(samples):
    """One target in n is 1 and the inputs are 0: the bias falls by 1 - 1/n, then rises n - 1 times by 1/n."""
    task = fn.Task([0] * samples, [1] + [0] * (samples - 1))
    sweep = description(
        {"bias": [0.1]},
        task=task,
        model=fn.Neuron(activation=fn.Step()),
        loss=fn.PerceptronLoss(),
        optimizer=fn.GradientDescent(1.0),
    )
    answer = end(sweep)
    assert (answer["outcome"], answer["period"]) == (fn.Outcome.CYCLING, samples)
    assert answer["steps"] == 3 * samples


def test_cross_entropy_outside_the_unit_interval_is_divergence():
    """-1 ln 1.5 is finite, but 0 ln(1 - 1.5) is not a number: 0 ln 0 = 0 is the only exception."""
    for activation in (fn.Identity(), fn.ReLU()):
        for target in (0.0, 1.0):
            sweep = inverter(
                {"bias": [1.5]}, task=fn.Task([0], [target]), model=fn.Neuron(activation=activation)
            )
            assert (end(sweep)["outcome"], end(sweep)["steps"]) == (fn.Outcome.DIVERGED, 0)
    sweep = inverter({"bias": [1.0]}, task=fn.Task([0], [1]), model=fn.Neuron(activation=fn.ReLU()))
    assert (end(sweep)["outcome"], end(sweep)["loss"]) == (fn.Outcome.REACHED, 0.0)


def test_general_cross_entropy_is_the_stable_one_where_both_exist():
    z = np.linspace(-5, 5, 41)[None]
    field = {("activation", "gain"): np.array([1.3])}
    a, slope = oracle.output_and_slope("Sigmoid", field, z)
    for y in (0.0, 0.25, 1.0):
        target = np.array([[y]])
        stable = oracle.loss_and_delta("CrossEntropy", "Sigmoid", field, z, a, slope, target)
        general = oracle.loss_and_delta("CrossEntropy", "other", field, z, a, slope, target)
        np.testing.assert_allclose(general, stable, rtol=1e-12, atol=1e-12)


def test_gradient_is_the_derivative_of_loss_and_penalty():
    task = fn.Task([[0.3, -1.0], [1.0, 0.5], [-0.7, 0.2]], [0.2, 0.9, 0.4])
    theta = np.array([[0.4], [-0.8], [0.3]])
    for penalty in (None, fn.L2(0.1, 0.2), fn.L1(0.1, 0.2)):
        for activation in (fn.Sigmoid(1.5), fn.Tanh(0.7), fn.Identity()):
            parts = {
                "activation": activation,
                "loss": fn.SquaredError(0.8),
                "penalty": penalty,
                "optimizer": None,
            }

            def cost(theta, parts=parts, penalty=penalty):
                field = oracle.fields_of(parts, np.float64, 1)
                loss = oracle.Descent(parts, field, task.x, task.y, theta).loss
                weights, bias = theta[:-1], theta[-1]
                if penalty is None:
                    return loss
                power = {"L1": lambda v: np.abs(v), "L2": lambda v: v * v / 2}[type(penalty).__name__]
                return (
                    loss + penalty.strength * power(weights).sum(axis=0) + penalty.bias_strength * power(bias)
                )

            field = oracle.fields_of(parts, np.float64, 1)
            gradient = oracle.Descent(parts, field, task.x, task.y, theta).gradient
            for j in range(3):
                step = np.zeros_like(theta)
                step[j] = 1e-5
                slope = (cost(theta + step) - cost(theta - step)) / 2e-5
                assert gradient[j] == pytest.approx(slope, abs=1e-9)


def test_float32_is_computed_in_float32():
    sweep = inverter({"weight": np.linspace(-3, 3, 5)}, dtype="float32")
    answer = oracle.run(sweep)
    for name in ("loss", "error", "speed", "final_weight", "final_bias"):
        assert answer[name].dtype == np.float32
    single = oracle.trajectory(
        sweep.task, sweep.model, sweep.loss, sweep.optimizer, None, {}, 10, dtype="float32"
    )
    assert single["weight"].dtype == single["loss"].dtype == np.float32
    assert single["weight"][10] != pytest.approx(-0.8, abs=1e-2)


def test_points_of_a_grid_do_not_know_of_each_other():
    whole = oracle.run(inverter({"weight": np.linspace(-9, 9, 7), "gain": [0.5, 2.0]}))
    for i, weight in enumerate(np.linspace(-9, 9, 7)):
        for j, gain in enumerate([0.5, 2.0]):
            alone = end(inverter({"weight": [weight], "gain": [gain]}))
            assert alone == {name: values[i, j].item() for name, values in whole.items()}


def test_only_points_decided_by_the_last_bits_are_sensitive():
    assert not oracle.sensitive(inverter({"weight": np.linspace(-9, 9, 7), "bias": [-3.0, 1.0]})).any()
    tie = inverter(
        {"bias": [-0.5, 0.0, 0.5]},
        task=fn.Task([0], [1]),
        model=fn.Neuron(activation=fn.Step()),
        loss=fn.SquaredError(),
    )
    assert oracle.sensitive(tie).tolist() == [False, True, False]

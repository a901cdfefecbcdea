"""Outside truths about one neuron: published tables, closed forms and numbers from 50-digit arithmetic."""

import math
from statistics import NormalDist

import numpy as np
import pytest

import fastneuron as fn
from fastneuron.losses import losses

# Nielsen, Neural Networks and Deep Learning, chapter 3 (input 1, target 0, 300 epochs):
# loss, learning rate, start of weight and bias, then first output, weight, bias and output after 300
NIELSEN = [
    (
        "SquaredError",
        0.15,
        0.6,
        0.9,
        0.81757447619364,
        -1.2831324334215,
        -0.98313243342155,
        0.093955694863647,
    ),
    (
        "SquaredError",
        0.15,
        2.0,
        2.0,
        0.98201379003791,
        -0.68429291095201,
        -0.68429291095201,
        0.20284842426778,
    ),
    ("CrossEntropy", 0.005, 2.0, 2.0, 0.98201379003791, 0.63163080336479, 0.63163080336479, 0.77958706420617),
]

# The inverter, cross-entropy, learning rate 1, from (0, 0): t, weight, bias, loss
INVERTER = [
    (1, -0.25, 0.0, 0.63454330021939),
    (10, -1.7051341444598, 0.54910058032978, 0.36472726951445),
    (100, -5.8538140723901, 2.7108967927118, 0.053306132044378),
    (1000, -10.597604746645, 5.0948443230334, 0.0050883912814029),
    (10000, -15.236490660461, 7.4153923944536, 0.0005014177326488),
]

# Cross-entropy of the inverter with L2: strength, optimum weight and bias, outputs, 2 / lambda_max
PENALISED = [
    (0.1, -1.567539785722, 0.7837698928612, 0.686492042856, 0.313507957144, 6.26776218461),
    (0.01, -4.585746302105, 2.292873151052, 0.908285073958, 0.0917149260421, 17.8516653349),
    (0.001, -8.190286101948, 4.095143050974, 0.983619427796, 0.0163805722039, 93.5498380089),
]

# Threshold -b/w of the same descent as INVERTER, which the flipped step has at 1/2
THRESHOLDS = {1e2: 0.4630992, 1e3: 0.4807543, 1e4: 0.4866864, 1e5: 0.4897846, 1e6: 0.4917092}

SQUARE = {"weight": fn.linspace(-20, 20, 41), "bias": fn.linspace(-20, 20, 41)}


def inverter_sweep(axes, **changes):
    """The inverter under cross-entropy and gradient descent with learning rate 1."""
    parts = {
        "task": fn.tasks.inverter(),
        "model": fn.Neuron(),
        "loss": fn.CrossEntropy(),
        "optimizer": fn.GradientDescent(1.0),
    }
    return fn.Sweep(axes=axes, **parts | changes)


def ends_of(sweep):
    """The result as plain arrays: name -> array."""
    return {name: values.values for name, values in sweep.run(progress=False).items()}


@pytest.mark.parametrize("loss, rate, weight, bias, first, last_weight, last_bias, last", NIELSEN)
def test_nielsens_neuron_learns_as_in_the_book(loss, rate, weight, bias, first, last_weight, last_bias, last):
    path = fn.descend(
        fn.Task([1], [0]),
        fn.Neuron(),
        loss=getattr(fn, loss)(),
        optimizer=fn.GradientDescent(rate),
        start={"weight": weight, "bias": bias},
        steps=300,
    )
    assert path.sizes["step"] == 301
    assert path.output.values[0, 0] == pytest.approx(first, rel=1e-12)
    assert path.weight.values[300] == pytest.approx(last_weight, rel=1e-12)
    assert path.bias.values[300] == pytest.approx(last_bias, rel=1e-12)
    assert path.output.values[300, 0] == pytest.approx(last, rel=1e-12)
    assert path.error.values[300] == pytest.approx(last, rel=1e-12)


def test_cross_entropy_has_no_slow_start_from_saturation():
    start = {"weight": 2.0, "bias": 2.0}
    optimizer = fn.GradientDescent(0.15)
    ends = {
        loss: fn.descend(
            fn.Task([1], [0]), fn.Neuron(), loss=loss, optimizer=optimizer, start=start, steps=300
        ).output.values[300, 0]
        for loss in (fn.SquaredError(), fn.CrossEntropy())
    }
    assert ends[fn.CrossEntropy()] == pytest.approx(0.012008741510818, rel=1e-12)
    assert ends[fn.CrossEntropy()] < ends[fn.SquaredError()] / 10


def test_inverter_follows_the_exact_trajectory():
    path = fn.descend(
        fn.tasks.inverter(),
        fn.Neuron(),
        loss=fn.CrossEntropy(),
        optimizer=fn.GradientDescent(1.0),
        start={"weight": 0.0, "bias": 0.0},
        steps=10_000,
    )
    for t, weight, bias, loss in INVERTER:
        assert path.weight.values[t] == pytest.approx(weight, rel=1e-9)
        assert path.bias.values[t] == pytest.approx(bias, rel=1e-9, abs=1e-15)
        assert path.loss.values[t] == pytest.approx(loss, rel=1e-9)
    assert path.loss.values[0] == pytest.approx(math.log(2), rel=1e-15)


def test_unregularised_neuron_tends_to_the_flipped_step_at_a_logarithmic_pace():
    steps = np.array(list(THRESHOLDS))
    ends = ends_of(
        inverter_sweep(
            {"max_steps": steps}, stop=fn.Stop(max_steps=1, tolerance=0.0, settle=0.0, max_period=1)
        )
    )
    weight, bias = ends["final_weight"], ends["final_bias"]
    assert ends["steps"].tolist() == steps.tolist()
    np.testing.assert_allclose(-bias / weight, list(THRESHOLDS.values()), rtol=0, atol=1e-7)
    norm = np.hypot(weight, bias)
    assert norm[-1] == pytest.approx(27.249070, abs=1e-6)
    # "close to": the threshold still moves, and 5.149 is the limit
    np.testing.assert_allclose(np.diff(norm)[1:], math.log(10) * math.sqrt(5), rtol=0.01)


@pytest.mark.parametrize("strength, weight, bias, output_0, output_1, limit", PENALISED)
def test_penalised_neuron_settles_below_the_stability_limit_at_the_finite_optimum(
    strength, weight, bias, output_0, output_1, limit
):
    sweep = inverter_sweep(
        {"weight": [0.0], "bias": [0.0]},
        penalty=fn.L2(strength),
        optimizer=fn.GradientDescent(0.98 * limit),
        stop=fn.Stop(max_steps=2000, tolerance=0.0),
    )
    ends = {name: values[0, 0] for name, values in ends_of(sweep).items()}
    assert ends["outcome"] == fn.Outcome.SETTLED
    assert ends["period"] == 1
    assert ends["final_weight"] == pytest.approx(weight, abs=1e-11)
    assert ends["final_bias"] == pytest.approx(bias, abs=1e-11)
    assert -ends["final_bias"] / ends["final_weight"] == pytest.approx(0.5, abs=1e-11)
    outputs = np.ravel(
        fn.forward(sweep.model, {"weight": ends["final_weight"], "bias": ends["final_bias"]}, x=[0.0, 1.0])
    )
    assert outputs == pytest.approx([output_0, output_1], abs=2e-12)
    assert ends["error"] == pytest.approx(output_1, abs=2e-12)


@pytest.mark.parametrize("strength, weight, bias, output_0, output_1, limit", PENALISED)
def test_penalised_neuron_cycles_with_period_two_above_the_stability_limit(
    strength, weight, bias, output_0, output_1, limit
):
    ends = ends_of(
        inverter_sweep(
            {"weight": [0.0], "bias": [0.0]},
            penalty=fn.L2(strength),
            optimizer=fn.GradientDescent(1.02 * limit),
            stop=fn.Stop(max_steps=2000, tolerance=0.0),
        )
    )
    assert ends["outcome"] == fn.Outcome.CYCLING
    assert ends["period"] == 2
    assert ends["speed"] > 0.1


def test_the_period_two_cycle_lies_where_it_should():
    sweep = inverter_sweep(
        {"weight": [0.0], "bias": [0.0]},
        penalty=fn.L2(0.1),
        optimizer=fn.GradientDescent(1.02 * PENALISED[0][-1]),
        stop=fn.Stop(max_steps=2000, tolerance=0.0),
    )
    ends = ends_of(sweep)
    path = fn.descend(
        sweep.task,
        sweep.model,
        loss=sweep.loss,
        penalty=sweep.penalty,
        optimizer=sweep.optimizer,
        start={"weight": ends["final_weight"].item(), "bias": ends["final_bias"].item()},
        steps=2,
    )
    points = np.stack([path.weight.values, path.bias.values], axis=1)
    away = np.abs(points[:2] - [-1.310307611, 1.069276521]).max(axis=1)
    assert away.min() < 1e-9
    assert away.max() > 0.5
    np.testing.assert_allclose(points[2], points[0], rtol=0, atol=2e-12)


@pytest.mark.parametrize("share, outcome", [(0.98, "SETTLED"), (1.02, "CYCLING")])
def test_momentum_moves_the_stability_limit_as_polyak_says(share, outcome):
    ends = ends_of(
        inverter_sweep(
            {"weight": [0.0], "bias": [0.0]},
            penalty=fn.L2(0.01),
            optimizer=fn.Momentum(share * 26.7774980, 0.5),
            stop=fn.Stop(max_steps=2000, tolerance=0.0),
        )
    )
    assert ends["outcome"] == fn.Outcome[outcome]


OF_THE_OUTPUT = [fn.SquaredError(), fn.CrossEntropy(), fn.AbsoluteError(), fn.Huber()]
OF_THE_PRE_ACTIVATION = [fn.PerceptronLoss(), fn.Hinge()]


@pytest.mark.parametrize("loss", OF_THE_OUTPUT, ids=repr)
def test_gradient_descent_cannot_move_a_heaviside_neuron(loss):
    """Whatever is made of the output: a start is settled at once, unless it is right already."""
    ends = ends_of(inverter_sweep(SQUARE, model=fn.Neuron(activation=fn.Step()), loss=loss))
    weight, bias = np.meshgrid(*(axis.values() for axis in SQUARE.values()), indexing="ij")
    right = (bias >= 0) & (weight + bias < 0)
    np.testing.assert_array_equal(ends["outcome"], np.where(right, fn.Outcome.REACHED, fn.Outcome.SETTLED))
    np.testing.assert_array_equal(ends["steps"], np.where(right, 0, 1))
    np.testing.assert_array_equal(ends["final_weight"], weight)
    np.testing.assert_array_equal(ends["final_bias"], bias)
    np.testing.assert_array_equal(ends["speed"], 0.0)


def test_perceptron_rule_trains_a_heaviside_neuron_in_the_known_number_of_steps():
    ends = ends_of(
        inverter_sweep(
            {"weight": [0.0, 5.0], "bias": [0.0, -5.0]},
            model=fn.Neuron(activation=fn.Step()),
            loss=fn.PerceptronLoss(),
        )
    )
    np.testing.assert_array_equal(ends["outcome"], fn.Outcome.REACHED)
    assert ends["steps"][0, 0] == 2
    assert (ends["final_weight"][0, 0], ends["final_bias"][0, 0]) == (-0.5, 0.0)
    assert ends["steps"][1, 1] == 22


@pytest.mark.parametrize("loss", OF_THE_PRE_ACTIVATION, ids=repr)
def test_a_loss_of_the_pre_activation_trains_a_heaviside_neuron_from_everywhere(loss):
    ends = ends_of(inverter_sweep(SQUARE, model=fn.Neuron(activation=fn.Step()), loss=loss))
    np.testing.assert_array_equal(ends["outcome"], fn.Outcome.REACHED)


def test_every_registered_loss_is_known_to_the_heaviside_truth():
    """A new loss must be sorted here: does it move a Heaviside neuron, as the perceptron loss does?"""
    sorted_ = {type(loss) for loss in OF_THE_OUTPUT + OF_THE_PRE_ACTIVATION}
    assert set(losses.classes.values()) == sorted_


def test_one_sample_small_steps_follow_gradient_flow():
    """w + e^w = w0 + e^w0 + time holds for the weight alone; a huge input leaves the bias nothing to do.

    With x = 2^27 and the learning rate divided by x^2 the product x w moves as w does at x = 1, and the
    bias by a share of 2^-54 of that, which is below the last bit.
    """
    exact = 2.1773251006
    assert exact + math.exp(exact) == pytest.approx(0.0 + 1.0 + 10.0, abs=1e-9)
    x = 2.0**27
    off = {}
    for steps in (100, 1000, 10_000):
        rate = 10.0 / steps
        path = fn.descend(
            fn.Task([x], [1]),
            fn.Neuron(),
            loss=fn.CrossEntropy(),
            optimizer=fn.GradientDescent(rate / x**2),
            start={"weight": 0.0, "bias": 0.0},
            steps=steps,
        )
        off[rate] = (x * path.weight.values[-1] + path.bias.values[-1] - exact) / rate
    # to first order: what is left shrinks with the learning rate
    assert off[0.01] == pytest.approx(0.081, abs=0.0015)
    assert off[0.001] == pytest.approx(0.081, abs=0.0006)
    assert abs(off[0.01] - off[0.001]) < 0.2 * abs(off[0.1] - off[0.001])


def standard_normal(points):
    """Standard normal numbers, evenly through the distribution rather than drawn: no sampling error."""
    quantile = NormalDist().inv_cdf
    return np.array([quantile((i + 0.5) / points) for i in range(points)])


def test_hidden_units_of_a_fresh_network_are_not_alike_for_the_all_zero_image():
    bias = standard_normal(20_000)
    output = np.ravel(fn.forward(fn.Neuron(), {"weight": 0.0, "bias": bias}, x=[0.0]))
    assert output.shape == bias.shape
    assert output.mean() == pytest.approx(0.5, abs=1e-12)
    assert output.var() == pytest.approx(0.043379035858, abs=1e-6)


def test_hidden_units_of_a_fresh_network_saturate_for_the_all_ones_image():
    pre_activation = math.sqrt(785) * standard_normal(20_000)
    output = np.ravel(fn.forward(fn.Neuron(), {"weight": 0.0, "bias": pre_activation}, x=[0.0]))
    assert (output > 0.99).mean() == pytest.approx(0.434862872, abs=1e-4)
    assert (output < 0.01).mean() == pytest.approx(0.434862872, abs=1e-4)


def test_squared_error_strands_saturated_starts_on_plateaus():
    ends = ends_of(inverter_sweep(SQUARE, loss=fn.SquaredError(), optimizer=fn.GradientDescent(30.0)))
    stranded = np.isin(ends["outcome"], [fn.Outcome.SETTLED, fn.Outcome.STALLED])
    assert stranded.mean() > 0.25
    assert (ends["error"][stranded] > 0.99).all()
    assert (ends["learned"][stranded] != 0b01).all()
    # deep saturation: both outputs are 1 to the last bits, and nothing moves from the outset
    assert ends["outcome"][40, 40] == fn.Outcome.SETTLED
    assert ends["steps"][40, 40] == 1
    assert (ends["outcome"] == fn.Outcome.STALLED).any()


def test_cross_entropy_never_takes_a_slow_start_for_an_end():
    """A wrong output pulls with a force of order 1 however saturated it is: all starts keep moving."""
    ends = ends_of(inverter_sweep(SQUARE, optimizer=fn.GradientDescent(0.1), stop=fn.Stop(max_steps=100)))
    assert set(np.unique(ends["outcome"])) == {fn.Outcome.UNFINISHED, fn.Outcome.REACHED}
    assert (ends["outcome"] == fn.Outcome.UNFINISHED).mean() > 0.5
    ends = ends_of(inverter_sweep(SQUARE, stop=fn.Stop(max_steps=2000)))
    assert (ends["outcome"] == fn.Outcome.REACHED).all()

"""Descents, ends and recorded losses of the oracle of networks: the neuron's oracle, closed forms."""

from types import SimpleNamespace

import numpy as np
import pytest

import fastneuron as fn
from fastneuron.batches import batches
from fastneuron.optimizers import optimizers

from . import network_oracle, oracle
from .network_oracle import Training
from .outcome_oracle import end_of
from .test_kernels_against_oracle import default
from .test_network_oracle import data, random_parameters
from .test_oracle import description


def as_network(neuron):
    """The network that is this neuron."""
    return fn.Network((neuron.inputs, 1), output=neuron.activation)


def as_training(sweep):
    names = [name for name in Training._fields if name != "model"]
    return Training(model=as_network(sweep.model), **{name: getattr(sweep, name) for name in names})


@pytest.mark.parametrize("batch", batches.classes.values(), ids=list(batches.classes))
@pytest.mark.parametrize("optimizer", optimizers.classes.values(), ids=list(optimizers.classes))
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_network_of_one_unit_descends_as_the_neuron(optimizer, batch, dtype):
    task = fn.Task([[0.5, -1.0], [1.0, 0.25], [-0.75, 0.5], [0.25, 1.0], [-1.0, -0.5]], [1, 0, 0, 1, 0.5])
    neuron = fn.Neuron(2)
    parts = {"loss": fn.CrossEntropy(), "optimizer": default(optimizer), "penalty": fn.L2(0.05, 0.02)}
    parts |= {"batch": default(batch), "dtype": dtype}
    start = {"weight_0": -2.25, "weight_1": 0.5, "bias": 1.125}
    expected = oracle.trajectory(task, neuron, start=start, steps=25, point=3, **parts)
    start = {"layer0.weight": [[-2.25], [0.5]], "layer0.bias": [1.125]}
    path = network_oracle.descend(Training(task, as_network(neuron), **parts), start, 25, point=3)
    assert {values.dtype for values in path.values()} == {np.dtype(dtype)}
    close = {"float64": 1e-12, "float32": 1e-4}[dtype]
    for name, values in {
        "weight_0": path["layer0.weight"][:, 0, 0],
        "weight_1": path["layer0.weight"][:, 1, 0],
        "bias": path["layer0.bias"][:, 0],
        "loss": path["loss"],
        "error": path["error"],
        "output": path["output"][:, :, 0],
    }.items():
        np.testing.assert_allclose(values, expected[name], rtol=close, atol=close, err_msg=name)


HARD = fn.Neuron(activation=fn.HardSigmoid())
ENDS = [
    ({"optimizer": fn.GradientDescent(2.0)}, "CYCLING REACHED CYCLING"),
    ({"optimizer": fn.GradientDescent(3.0), "stop": fn.Stop(limit=100.0)}, "DIVERGED REACHED DIVERGED"),
    ({"optimizer": fn.GradientDescent(1e300)}, "DIVERGED REACHED DIVERGED"),
    ({"optimizer": fn.GradientDescent(1.0)}, "REACHED REACHED REACHED"),
    ({"optimizer": fn.GradientDescent(2.0**-16)}, "STALLED REACHED STALLED"),
    ({"optimizer": fn.GradientDescent(2.0**-5)}, "UNFINISHED REACHED UNFINISHED"),
    ({"task": fn.Task([0], [3]), "penalty": fn.L2(0.1, 0.1)}, "SETTLED SETTLED SETTLED"),
    ({"model": HARD, "batch": fn.MiniBatch(1, 7)}, "UNFINISHED UNFINISHED SETTLED"),
    ({"batch": fn.MiniBatch(2, 7)}, "UNFINISHED UNFINISHED UNFINISHED"),
]


@pytest.mark.parametrize("parts, outcomes", ENDS)
def test_network_of_one_unit_ends_as_the_neuron(parts, outcomes):
    """One bias after the target 0; in batches it is pulled to and fro by several."""
    if "batch" in parts:
        parts = parts | {"task": fn.Task([0, 0, 0], [0, 1, 0.25])}
    stop = parts.get("stop", fn.Stop())._replace(max_steps=60, tolerance=2.0**-20, settle=1e-6)
    sweep = description({"bias": [-0.75, 0.0, 3.25]}, **parts | {"stop": stop})
    ends = oracle.run(sweep)
    assert [fn.Outcome(code).name for code in ends["outcome"]] == outcomes.split()
    for k, bias in enumerate([-0.75, 0.0, 3.25]):
        end = network_oracle.run(as_training(sweep), {"layer0.weight": 0.0, "layer0.bias": bias}, point=k)
        for name in ("outcome", "steps", "period", "learned"):
            assert end[name] == ends[name][k], name
        for name in ("loss", "error", "speed", "margin"):
            assert end[name] == pytest.approx(ends[name][k], rel=1e-12, abs=1e-15), name
        assert end["final_layer0.bias"][0] == pytest.approx(ends["final_bias"][k], rel=1e-12)
        assert len(end["losses"]) == end["steps"] + 1


def test_rule_takes_any_trajectory():
    """Two numbers that turn through three states: a cycle after three periods."""
    turns = [[0.0, 1.0], [2.0, -1.0], [-2.0, 0.5]] * 4
    shown = [(state, 1.0, 1.0) for state in turns]
    stop = fn.Stop(max_steps=100, settle=1e-12)
    assert end_of(iter(shown), stop) == {"outcome": fn.Outcome.CYCLING, "steps": 9, "period": 3, "speed": 2.0}
    assert end_of(iter(shown), stop._replace(max_period=2, max_steps=5))["outcome"] == fn.Outcome.UNFINISHED
    reached = [*shown[:4], (turns[4], 1.0, 0.1), (turns[5], np.nan, 0.0)]
    assert end_of(iter(reached), stop)["outcome"] == fn.Outcome.REACHED
    with pytest.raises(ValueError, match="before the start has ended"):
        end_of(iter(shown[:3]), stop)


def test_steps_of_an_epoch_see_the_batches_that_the_neuron_draws():
    network, batch = fn.Network((3, 4, 2)), fn.MiniBatch(2, seed=5)
    start, task = random_parameters(network, 11), data(5, network, 12, "unit")
    training = Training(task, network, fn.CrossEntropy(), fn.GradientDescent(0.5))
    path = network_oracle.descend(training._replace(batch=batch), start, 6, point=9)
    for t in range(6):
        epoch, step = divmod(t, 3)
        place = oracle.places(5, 5, 9, epoch)
        seen = (place // 2) == step
        alone = training._replace(task=SimpleNamespace(x=task.x[seen], y=task.y[seen]))
        here = {name: path[name][t] for name in start}
        after = network_oracle.descend(alone, here, 1)
        for name in start:
            np.testing.assert_allclose(path[name][t + 1], after[name][1], rtol=1e-13, atol=1e-14)


def test_table_that_a_network_of_two_layers_spells():
    """XOR by hand: the hidden units are OR and NAND, the output their AND."""
    parameters = {
        "layer0.weight": [[1.0, -1.0], [1.0, -1.0]],
        "layer0.bias": [-0.5, 1.5],
        "layer1.weight": [[1.0], [1.0]],
        "layer1.bias": [-1.5],
    }
    network = fn.Network((2, 2, 1), hidden=fn.Step(), output=fn.Step())
    training = Training(fn.tasks.gate("xor"), network, fn.PerceptronLoss(), fn.GradientDescent(1.0))
    end = network_oracle.run(training, parameters)
    assert (end["outcome"], end["steps"], end["learned"]) == (fn.Outcome.REACHED, 0, 0b0110)
    assert (end["loss"], end["error"], end["speed"], end["margin"]) == (0.0, 0.0, 0.0, 0.5)
    two = fn.Network((3, 4, 2))
    training = Training(data(5, two, 0), two, fn.SquaredError(), fn.GradientDescent(1.0))
    assert network_oracle.run(training, random_parameters(two, 0))["learned"] == -1


def halving(rate, **stop):
    """One bias after the target 0: it is multiplied by 1 - `rate`; the loss is half its square."""
    network = fn.Network((1, 1), output=fn.Identity())
    stop = {"tolerance": 0.0, "settle": 0.0, "max_period": 1} | stop
    return Training(
        fn.Task([0], [0]), network, fn.SquaredError(), fn.GradientDescent(rate), stop=fn.Stop(**stop)
    )


START = {"layer0.weight": 0.0, "layer0.bias": 1.0}


def test_recorded_losses_are_taken_before_their_updates():
    recorded = network_oracle.recorded_losses(halving(0.5, max_steps=5), START)
    assert recorded.tolist() == [0.5 * 4.0**-t for t in range(5)]
    assert network_oracle.reduced_losses(recorded, last=2, clip=0.25) == {
        "first": 0.25,
        "last": 0.5 * 4.0**-4,
        "mean": (0.5 * 4.0**-3 + 0.5 * 4.0**-4) / 2,
        "total": 0.25 + 0.125 + 0.5 * (4.0**-2 + 4.0**-3 + 4.0**-4),
        "inverse_total": 4 + 8 + 32 + 128 + 512,
    }
    reduced = network_oracle.reduced_losses(recorded, last=1, clip=1e6, relative=True)
    assert (reduced["first"], reduced["last"], reduced["inverse_total"]) == (
        1,
        4.0**-4,
        1 + 4 + 16 + 64 + 256,
    )


def test_recorded_losses_of_a_start_that_has_ended_are_those_of_its_end():
    recorded = network_oracle.recorded_losses(halving(0.5, max_steps=6, tolerance=0.25), START)
    assert recorded.tolist() == [0.5, 0.125, 0.03125, 0.03125, 0.03125, 0.03125]
    beyond = network_oracle.recorded_losses(halving(3.0, max_steps=5, limit=3.0), START)
    assert beyond.tolist() == [0.5, 2, 8, 8, 8]


def test_recorded_losses_that_are_not_finite_count_as_the_clip():
    """At rate 1e160 the loss overflows at t = 1."""
    recorded = network_oracle.recorded_losses(halving(1e160, max_steps=5, limit=1e308), START)
    assert recorded[0] == 0.5 and not np.isfinite(recorded[1:]).any()
    for relative, first in ((False, 0.5), (True, 1)):
        reduced = network_oracle.reduced_losses(recorded, last=3, clip=16.0, relative=relative)
        assert reduced == {
            "first": first,
            "last": 16,
            "mean": 16,
            "total": first + 64,
            "inverse_total": 1 / first + 0.25,
        }
    zero = network_oracle.reduced_losses(np.zeros(3), last=1, clip=16.0, relative=True)
    assert (zero["first"], zero["total"]) == (0, 0)
    assert network_oracle.reduced_losses(np.zeros(3), last=1, clip=16.0)["inverse_total"] == np.inf


def test_loss_of_a_state_that_is_not_finite_counts_where_it_is_finite():
    """The first layer overflows to infinity, where its activation is 1: the loss is finite."""
    network = fn.Network((1, 1, 1), hidden=fn.Tanh(), output=fn.Identity())
    start = {"layer0.weight": 0.05, "layer0.bias": 0.0, "layer1.weight": 1.0, "layer1.bias": 0.0}
    rates = [fn.GradientDescent(1e308), fn.GradientDescent(1e-3)]
    task = fn.Task([[20.0], [10.0]], [2.0, 1e3])
    training = Training(task, network, fn.SquaredError(), rates, stop=fn.Stop(max_steps=3, tolerance=0.0))
    end = network_oracle.run(training, start)
    assert (end["outcome"], end["steps"]) == (fn.Outcome.DIVERGED, 1)
    assert np.isfinite(end["loss"]) and not np.isfinite(end["final_layer0.weight"]).any()
    assert network_oracle.recorded_losses(training, start)[1:].tolist() == [end["loss"]] * 2


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_only_starts_decided_by_the_last_bits_are_sensitive(dtype):
    network = fn.Network((1, 1, 1), hidden=fn.Step(), output=fn.Identity())
    start = {"layer0.weight": 0.0, "layer0.bias": 0.0, "layer1.weight": 1.0, "layer1.bias": 0.0}
    training = Training(fn.Task([1], [1]), network, fn.SquaredError(), fn.GradientDescent(0.5), dtype=dtype)
    assert network_oracle.sensitive(training, start)
    assert not network_oracle.sensitive(training, start | {"layer0.bias": 0.1})

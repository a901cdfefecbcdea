"""What is recorded of the losses, against the oracle that keeps them all; and the study that needs it."""

import numpy as np
import pytest

import fastneuron as fn

from . import network_oracle
from .network_oracle import going_on, recorded_losses, reduced_losses
from .test_network_kernels import DTYPES, regression
from .test_network_oracle_runs import as_network
from .test_network_sweeps import points_of, start_of, training_of
from .test_trainability_oracle import study
from .trainability_oracle import CLIP, LATE, trainability

CLOSE = {"float64": 1e-9, "float32": 3e-3}
WANTED = {"start": "first", "end": "last", "late": "mean", "total": "total", "inverses": "inverse_total"}


def records(last, clip, relative, ending=""):
    """All five reducers."""
    return {
        f"start{ending}": fn.First(relative, clip),
        f"end{ending}": fn.Last(relative, clip),
        f"late{ending}": fn.Mean(last, relative, clip),
        f"total{ending}": fn.Sum(relative, clip),
        f"inverses{ending}": fn.SumOfInverses(relative, clip),
    }


PLAIN, RELATIVE = (6, 3.0, 0), (200, 0.9, 1)
BOTH = records(*PLAIN) | {
    "total_relative": fn.Sum(1, 0.9),
    "late_relative": fn.Mean(200, 1, 0.9),
    "inverses_relative": fn.SumOfInverses(1, 0.9),
}


def expected_of(losses):
    """What `BOTH` makes of the losses of all steps."""
    found = {}
    for (last, clip, relative), ending in ((PLAIN, ""), (RELATIVE, "_relative")):
        reduced = reduced_losses(losses, min(last, len(losses)), clip, bool(relative))
        found |= {f"{name}{ending}": reduced[key] for name, key in WANTED.items()}
    return {name: found[name] for name in BOTH}


def check_records(sweep, losses_of):
    """Hold what was recorded to the oracle; returns the outcomes."""
    result = sweep.run(progress=False)
    for index, here, number in points_of(sweep):
        for name, value in expected_of(losses_of(here, number)).items():
            got = result[name].values[index]
            assert got.dtype == np.dtype(sweep.dtype)
            close = CLOSE[sweep.dtype]
            outcome = fn.Outcome(int(result.outcome.values[index])).name
            assert got == pytest.approx(value, rel=close), f"{name} of {here} ({outcome})"
    return {fn.Outcome(code).name for code in np.unique(result.outcome)}


ENDS = [
    # a linear layer over hidden steps: its rate, the biases of the steps, and how its starts end
    (0.5, [-0.5, 1.5], {"SETTLED", "REACHED"}),
    (2.0, [-0.5, 1.5], {"DIVERGED", "UNFINISHED"}),
    (1.0, [5.0, -5.0], {"CYCLING"}),
]


def over_steps(biases, **given):
    """Xor, with a linear layer over two hidden steps of these biases, all recorded."""
    start = {"layer0.weight": [[1.0, -1.0], [1.0, -1.0]], "layer0.bias": biases}
    return fn.Sweep(
        task=fn.tasks.gate("xor"),
        model=fn.Network((2, 2, 1), hidden=fn.Step(), output=fn.Identity()),
        stop=fn.Stop(tolerance=0.1, settle=1e-4, max_period=8, limit=50.0),
        record=BOTH,
        **given | {"start": start | given["start"]},
    )


@DTYPES
def test_records_of_networks_that_end_early_or_late(dtype):
    """max_steps is an axis: of starts that have ended the last loss counts for the steps that are left."""
    outcomes = set()
    for rate, biases, wanted in ENDS:
        sweep = over_steps(
            biases,
            optimizer=fn.GradientDescent(rate),
            axes={
                "max_steps": [1, 5, 17, 100],
                "layer0.weight[0,0]": [-1.0, 1.0],
                "layer1.offset": [0.0, 1.5],
            },
            start={"layer1.weight": [[0.25], [0.75]], "layer1.bias": 0.125},
            dtype=dtype,
        )

        def losses_of(here, number, sweep=sweep):
            return recorded_losses(training_of(sweep, here), start_of(sweep, here, number), number)

        found = check_records(sweep, losses_of)
        assert wanted <= found, rate
        outcomes |= found
    assert outcomes >= {"UNFINISHED", "REACHED", "SETTLED", "CYCLING", "DIVERGED"}


def neuron_sweep(batch, **stop):
    return fn.Sweep(
        task=regression(7, 1, 1),
        loss=fn.CrossEntropy(),
        optimizer=fn.GradientDescent(0.9),
        batch=batch,
        axes={"max_steps": [1, 6, 60], "weight": np.linspace(-5, 4, 5), "bias": [-2.0, 0.5, 3.0]},
        stop=fn.Stop(**{"tolerance": 0.6, "settle": 1e-3, "max_period": 8} | stop),
        record=BOTH,
    )


@pytest.mark.parametrize("batch", [fn.FullBatch(), fn.MiniBatch(3, seed=5)], ids=str)
def test_records_of_neurons(batch):
    """With batches, the loss of a step is the mean over the samples of its batch."""
    sweep = neuron_sweep(batch)
    network = as_network(sweep.model)

    def losses_of(here, number):
        training = training_of(sweep, here)._replace(model=network)
        start = {"layer0.weight": here["weight"], "layer0.bias": here["bias"]}
        return seen_losses(training, start, number)

    assert {"REACHED", "SETTLED"} & check_records(sweep, losses_of)


def seen_losses(training, start, point):
    """The losses l_0 .. l_(max_steps - 1), each over what its step sees; after the end, over all samples."""
    end = network_oracle.run(training, start, point)
    path = network_oracle.descend(training, start, end["steps"], point)
    x, y, losses = training.task.x, training.task.y, []
    for t in range(end["steps"]):
        parameters = {name: path[name][t] for name in network_oracle.shapes(training.model)}
        seen = network_oracle.batch_weights(training.batch, len(y), point, t) > 0
        losses.append(network_oracle.loss_of(training.model, training.loss, parameters, x[seen], y[seen]))
    return going_on(np.array([*losses, end["loss"]]), end["period"], training.stop.max_steps)


def test_records_of_batches_are_of_the_samples_that_were_seen():
    """More than 16 samples a batch, and the last batch of an epoch is smaller."""
    sweep = fn.Sweep(
        task=regression(43, 2, 2),
        model=fn.Network((2, 3, 2), hidden=fn.Tanh()),
        loss=fn.SquaredError(0.7),
        optimizer=fn.GradientDescent(0.8),
        batch=fn.MiniBatch(18, seed=5),
        axes={"max_steps": [1, 3, 40]},
        draws=5,
        stop=fn.Stop(tolerance=0.69, settle=2e-2),
        record=BOTH,
    )

    def losses_of(here, number):
        return seen_losses(training_of(sweep, here), start_of(sweep, here, number), number)

    outcomes = check_records(sweep, losses_of)
    assert len(outcomes) > 1


def solved(bias, **given):
    """Both steps together are xor, and 1: with a bias of -1 all outputs are right."""
    axes = {"max_steps": [8], "layer1.bias[0]": bias}
    start, optimizer = {"layer1.weight": [[1.0], [1.0]]}, fn.GradientDescent(1.0)
    return over_steps([-0.5, 1.5], optimizer=optimizer, axes=axes, start=start, **given).run(progress=False)


def test_reaching_at_once_leaves_all_steps_to_the_first_loss():
    """Outputs 1/16 above their targets, within the tolerance: the loss is 1/512 for all eight steps."""
    result = solved([-1 + 1 / 16, 100.0])
    assert result.outcome.values.tolist() == [[fn.Outcome.REACHED, fn.Outcome.DIVERGED]]
    assert result.steps.values.tolist() == [[0, 0]]
    assert result.total.values.tolist() == [[8 / 512, 8 * 3.0]]  # clipped beyond the limit
    assert result.inverses.values.tolist() == [[8 * 512, pytest.approx(8 / 3)]]
    assert result.late_relative.values.tolist() == [[pytest.approx(0.9)] * 2]


@pytest.mark.parametrize("width", range(3, 9))
def test_study_of_trainability(width):
    """Its loss sums, late means and boundary, on a coarse grid of rates for both layers."""
    w0, w1, x, y = study(width)
    rates0, rates1 = np.geomspace(0.03, 3e3, 7), np.geomspace(0.1, 1e4, 6)
    sweep = fn.Sweep(
        task=fn.Task(x, y),
        model=fn.Network(
            (width, width, 1),
            hidden=fn.Tanh(np.sqrt(2)),
            output=fn.Identity(),
            bias=False,
            scale="mean_field",
        ),
        loss=fn.SquaredError(scale=1.0),
        optimizer=fn.GradientDescent(1.0),
        axes={"layer0.learning_rate": rates0, "layer1.learning_rate": rates1},
        start={"layer0.weight": w0, "layer1.weight": w1},
        stop=fn.Stop(max_steps=60, tolerance=0.0, settle=0.0, max_period=1, limit=1e308),
        record={
            "total": fn.Sum(relative=1, clip=CLIP),
            "inverse_total": fn.SumOfInverses(relative=1, clip=CLIP),
            "late_mean": fn.Mean(last=LATE, relative=1, clip=CLIP),
        },
    )
    result = sweep.run(progress=False)
    pixels = trainability(w0, w1, x, y, rates0, rates1, 60)
    # where a last bit of the start shows, the numbers of no program are sure
    moved = trainability(w0 * (1 + 2.0**-50), w1, x, y, rates0, rates1, 60)
    close = np.abs(moved.total - pixels.total) <= 1e-8 * pixels.total
    assert close.mean() > 0.5 and pixels.converged[close].any() and not pixels.converged[close].all()
    np.testing.assert_array_equal(result.late_mean.values[close] < 1, pixels.converged[close])
    for name in ("total", "inverse_total", "late_mean"):
        expected = getattr(pixels, name)[close]
        np.testing.assert_allclose(result[name].values[close], expected, rtol=1e-6, err_msg=name)


@DTYPES
def test_a_start_that_is_right_from_the_outset_trains(dtype):
    """Its first loss is 0 and so are all others: 0 of 0 counts as 0, and what leaves 0 as `clip`."""
    result = solved([-1.0], dtype=dtype)
    assert result.outcome.item() == fn.Outcome.REACHED and result.loss.item() == 0.0
    assert result.late_relative.item() == 0.0 and result.total_relative.item() == 0.0
    assert fn.Sum(1, 9.0).counted(np.float64(0.5), np.float64(0.0)) == 9.0
    assert fn.Sum(1, 9.0).counted(np.float64("nan"), np.float64(0.0)) == 9.0


@DTYPES
@pytest.mark.parametrize("last", [1, 2, 100, 1000])
def test_what_is_recorded_after_a_cycle_is_noticed_is_that_of_its_states_in_turn(last, dtype):
    """A step of 1/16 back and forth over the target 1/32 + 1/64: losses of two errors, one in each step."""
    given = {
        "task": fn.Task([1.0], [3 / 64]),
        "model": fn.Neuron(activation=fn.Identity()),
        "optimizer": fn.SignDescent(1 / 16),
        "axes": {"max_steps": [999, 1000]},
        "start": {"weight": 0.0},
        "record": {"late": fn.Mean(last=last), "total": fn.Sum()},
        "dtype": dtype,
    }
    ended = fn.Sweep(**given, stop=fn.Stop(tolerance=0.0)).run(progress=False)
    followed = fn.Sweep(**given, stop=fn.Stop(tolerance=0.0, max_period=1)).run(progress=False)
    assert (ended.outcome == fn.Outcome.CYCLING).all() and (ended.steps < 100).all()
    assert (followed.outcome == fn.Outcome.UNFINISHED).all()
    for name in ("late", "total"):
        np.testing.assert_array_equal(ended[name], followed[name], name)

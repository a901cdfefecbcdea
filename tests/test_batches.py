"""Batches: what a step sees, and what follows for the outcomes."""

import numba
import numpy as np
import pytest

import fastneuron as fn
from fastneuron.components import with_rows
from fastneuron.engine import local
from fastneuron.kernels.batching import Orders, begin_epochs

from . import oracle

# one sample moves one parameter: the input of sample i is 1 for weight i alone
ONE_EACH = fn.Task(np.eye(5), [1, 1, 1, 1, 1])


def weights_moved(batch, epochs, starts=1):
    """Whether a step moved a weight: shape (steps, starts, samples)."""
    steps = int(epochs * batch.steps(5))
    path = fn.descend(
        ONE_EACH,
        fn.Neuron(5),
        loss=fn.SquaredError(),
        optimizer=fn.GradientDescent(0.1),
        batch=batch,
        start={"bias": np.zeros(starts)},
        steps=steps,
    )
    moves = np.stack([np.diff(path[f"weight_{j}"].values, axis=0) for j in range(5)], axis=-1)
    return moves != 0


@pytest.mark.parametrize("size, steps", [(1, 5), (2, 3), (3, 2), (4, 2)])
def test_every_epoch_sees_every_sample_once(size, steps):
    moved = weights_moved(fn.MiniBatch(size), epochs=20)
    seen = moved.reshape(20, steps, 5)
    assert (seen.sum(axis=1) == 1).all()
    last = 5 - (steps - 1) * size
    assert (seen.sum(axis=2) == [size] * (steps - 1) + [last]).all()


def test_epochs_starts_and_seeds_have_orders_of_their_own():
    first = weights_moved(fn.MiniBatch(1), epochs=40, starts=30)
    orders = first.argmax(axis=2).reshape(40, 5, 30)
    assert len({tuple(order) for order in orders[:, :, 0]}) > 20
    assert len({tuple(order) for order in orders[0].T}) > 15
    other = weights_moved(fn.MiniBatch(1, seed=1), epochs=40, starts=30)
    assert (other != first).any()
    np.testing.assert_array_equal(weights_moved(fn.MiniBatch(1), epochs=40, starts=30), first)


@numba.njit
def places(batch, samples, point, epoch):
    """The places of the samples in the order of an epoch."""
    order = np.zeros(samples + 2)
    orders = Orders(order, np.array([epoch - 1]), np.array([point]), np.zeros(5, np.int64))
    begin_epochs(batch, order, orders, 0, 1, 1, samples)
    return order[:samples]


def test_every_order_is_as_likely():
    """The 120 orders of 5 samples: chi-squared of 12,000 epochs, mean 119, standard deviation 15."""
    counts = {}
    batch = with_rows(fn.MiniBatch(1), {})
    for epoch in range(12_000):
        order = tuple(places(batch, 5, 7, epoch))
        counts[order] = counts.get(order, 0) + 1
    assert len(counts) == 120
    assert sum((count - 100) ** 2 / 100 for count in counts.values()) < 119 + 4 * 15


@pytest.mark.parametrize("samples", [1, 2, 5, 9, 33])
def test_orders_are_the_oracles(samples):
    for point, epoch, seed in [(0, 0, 0), (3, 1, 5), (2**40 + 1, 2**31 - 2, 2**53 - 1)]:
        ours = places(with_rows(fn.MiniBatch(1, seed), {}), samples, point, epoch)
        np.testing.assert_array_equal(ours, oracle.places(samples, seed, point, epoch))


def sweep(**changes):
    given = {
        "task": fn.tasks.gate("nand"),
        "optimizer": fn.GradientDescent(2.0),
        "batch": fn.MiniBatch(1, seed=3),
        "axes": {"bias": fn.linspace(-9, 9, 40), "weight_0": fn.linspace(-9, 9, 50)},
        "stop": fn.Stop(max_steps=300),
    }
    return fn.Sweep(**given | changes)


def assert_same(one, other):
    for name in one.data_vars:
        np.testing.assert_array_equal(one[name].values, other[name].values, err_msg=name)


def test_batches_of_all_samples_give_the_bits_of_the_full_batch():
    """In every dtype they are taken for it before anything is computed."""
    fast = {"loss": fn.CrossEntropy(), "penalty": fn.L2(0.1), "optimizer": fn.GradientDescent(15.0)}
    full = sweep(batch=fn.FullBatch(), **fast).run(progress=False)
    assert_same(sweep(batch=fn.MiniBatch(4), **fast).run(progress=False), full)
    assert fn.Outcome.CYCLING in full.outcome


def test_batches_do_not_depend_on_tiles_or_threads(monkeypatch):
    whole = sweep().run(threads=1, progress=False)
    sizes = sweep(axes={**sweep().axes, "size": [1, 2]}).run(progress=False)
    monkeypatch.setattr(local, "tile_shape", lambda shape, width: (7, 11, 1)[: len(shape)])
    assert_same(sweep().run(threads=2, progress=False), whole)
    again = sweep(axes={**sweep().axes, "size": [1, 2]}).run(progress=False)
    assert_same(again, sizes)


def test_draws_need_no_random_start_where_batches_are_random():
    drawn = sweep(axes={}, draws=500, start={"weight_0": -1.0}).run(progress=False)
    assert drawn.sizes == {"draw": 500}
    assert len(np.unique(drawn.final_bias)) > 400
    with pytest.raises(ValueError, match="no start is random"):
        sweep(axes={}, draws=500, batch=fn.FullBatch())


def test_samples_that_agree_are_learned_to_the_last_digit_one_at_a_time():
    """A line through two points: where one sample moves nothing, neither does the other."""
    ends = fn.Sweep(
        task=fn.Task([1.0, 2.0], [1.0, 2.0]),
        model=fn.Neuron(activation=fn.Identity()),
        optimizer=fn.GradientDescent(0.2),
        batch=fn.MiniBatch(1),
        axes={"weight": [-3.0, 0.0, 2.5]},
        stop=fn.Stop(max_steps=5000, tolerance=0.0),
    ).run(progress=False)
    assert np.isin(ends.outcome, [fn.Outcome.SETTLED, fn.Outcome.REACHED]).all()
    np.testing.assert_allclose(ends.final_weight, 1.0, atol=1e-9)
    np.testing.assert_allclose(ends.final_bias, 0.0, atol=1e-9)


def test_a_step_without_an_update_is_no_rest_while_another_sample_would_move():
    """ReLU is flat below 0: sample 0 moves nothing, sample 1 does, whichever comes first."""
    ends = fn.Sweep(
        task=fn.Task([-1.0, 1.0], [0.0, 1.0]),
        model=fn.Neuron(activation=fn.ReLU()),
        loss=fn.CrossEntropy(),
        optimizer=fn.GradientDescent(0.01),
        batch=fn.MiniBatch(1),
        axes={"seed": range(50)},
        start={"weight": 0.3},
        stop=fn.Stop(max_steps=100, tolerance=0.3),
    ).run(progress=False)
    assert (ends.outcome == fn.Outcome.REACHED).all()


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"batch": fn.MiniBatch(5)}, "batch.size must be at most 4, the samples of the task, got 5"),
        ({"axes": {"size": [1, 5]}}, r"axis size\[1\] must be at most 4, the samples of the task, got 5"),
        ({"axes": {"size": [1, 1.5]}}, r"axis size\[1\] must be a whole number of 1 or more, got 1.5"),
        ({"batch": 3}, r"batch must be a batch such as MiniBatch\(size=1\), got 3"),
        ({"batch": fn.FullBatch(), "axes": {"size": [1]}}, "axes.size: unknown axis"),
    ],
)
def test_wrong_batches_are_refused_in_one_line(changes, message):
    with pytest.raises(ValueError, match=message):
        sweep(**changes)


def test_a_sweep_with_batches_survives_toml():
    given = sweep(axes={"size": [1, 2], "batch.seed": [0, 7]}, draws=None)
    assert fn.Sweep.from_toml(given.to_toml()) == given
    assert "[batch]" not in sweep(batch=fn.FullBatch()).to_toml()
    assert fn.Sweep.from_toml(sweep(batch=fn.FullBatch()).to_toml()).batch == fn.FullBatch()


def test_random_starts_of_descend_are_those_of_a_sweep():
    start = {"weight_0": fn.normal(0, 3), "weight_1": 0.5, "bias": fn.uniform(-1, 1)}
    drawn = sweep(axes={}, draws=6, start=start, stop=fn.Stop(max_steps=20, tolerance=0.0), seed=9)
    ends = drawn.run(progress=False)
    path = fn.descend(
        drawn.task,
        drawn.model,
        loss=drawn.loss,
        optimizer=drawn.optimizer,
        batch=drawn.batch,
        start=start | {"weight_1": np.full(6, 0.5)},
        steps=20,
        seed=9,
    )
    for name in drawn.model.parameters:
        np.testing.assert_array_equal(path[name].values[-1], ends[f"final_{name}"].values)


@pytest.mark.parametrize("activation, targets", [(fn.ReLU(), [1, 0]), (fn.Tanh(), [1, 0])])
def test_a_loss_that_is_not_finite_is_seen_also_outside_the_batch(activation, targets):
    """Cross-entropy of a ReLU above 1 or a tanh below 0: whichever sample the step sees."""
    given = fn.Sweep(
        task=fn.Task([1.0, -1.0], targets),
        model=fn.Neuron(activation=activation),
        loss=fn.CrossEntropy(),
        optimizer=fn.GradientDescent(0.5),
        batch=fn.MiniBatch(1),
        axes={"seed": range(8), "bias": [0.05, 0.3, -0.2]},
        start={"weight": 1.0},
        stop=fn.Stop(max_steps=50),
    )
    ends, expected = given.run(progress=False), oracle.run(given)
    assert fn.Outcome.DIVERGED in ends.outcome
    for name in ("outcome", "steps"):
        np.testing.assert_array_equal(ends[name].values, expected[name])


def test_a_size_on_an_axis_gives_the_bits_of_the_same_size_as_a_constant():
    alone = sweep(axes={"bias": fn.linspace(-9, 9, 40)})
    along = sweep(axes={"size": [1], "bias": fn.linspace(-9, 9, 40)}, batch=fn.MiniBatch(4, seed=3))
    assert_same(along.run(progress=False).isel(size=0), alone.run(progress=False))

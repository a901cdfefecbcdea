"""What the results of networks must not depend on, bit for bit; and that one unit is a neuron."""

import numpy as np
import pytest

import fastneuron as fn
from fastneuron.engine import local
from fastneuron.kernels import network as kernels

from .test_invariants import assert_same_bits
from .test_network_kernels import DTYPES, regression
from .test_network_oracle import random_parameters

BATCHES = pytest.mark.parametrize("batch", [fn.FullBatch(), fn.MiniBatch(5, seed=3)], ids=str)
CASES = pytest.mark.parametrize(  # each is a kernel, which takes seconds to compile
    "batch, dtype", [(fn.FullBatch(), "float32"), (fn.MiniBatch(5, seed=3), "float64")], ids=str
)
PARTS = {"loss": fn.CrossEntropy(), "optimizer": fn.Momentum(0.9, 0.5), "penalty": fn.L2(0.002, 0.001)}
FIRST = np.linspace(-4, 5, 7)
OFFSET = [-2.0, 0.0, 1.5]


def sweep(batch, dtype="float64", **changes):
    """Starts of which some are given, some drawn; seven, three and three: no whole vectors."""
    given = {
        "task": regression(18, 3, 2),
        "model": fn.Network((3, 5, 2), scale="xavier"),
        **PARTS,
        "batch": batch,
        "axes": {"layer0.weight[2,4]": FIRST, "layer1.offset": OFFSET},
        "start": {"layer0.weight": np.linspace(-2, 1, 15).reshape(3, 5), "layer1.bias": fn.uniform(-1, 1)},
        "draws": 3,
        "stop": fn.Stop(max_steps=70, tolerance=0.62, settle=0.02),
        "dtype": dtype,
        "seed": 11,
    }
    return fn.Sweep(**given | changes)


def run(given, **options):
    names = ["outcome", "steps", "loss", "error", "speed", "period", "learned", "final"]
    return given.run(progress=False, keep=names, **options)


@CASES
def test_threads_and_tiles_change_no_bit(batch, dtype, monkeypatch):
    whole = run(sweep(batch, dtype), threads=1)
    assert len(np.unique(whole.outcome)) > 1 and len(np.unique(whole.steps)) > 5
    assert_same_bits(run(sweep(batch, dtype), threads=2), whole)
    for tile in ((2, 2, 2), (1, 3, 1), (7, 1, 3)):
        monkeypatch.setattr(local, "tile_shape", lambda shape, width, tile=tile: tile)
        assert_same_bits(run(sweep(batch, dtype), threads=2), whole)


@CASES
def test_stored_map_holds_the_bits_of_the_one_in_memory(batch, dtype, tmp_path):
    whole = run(sweep(batch, dtype))
    stored = run(sweep(batch, dtype), store=tmp_path / "map.zarr")
    assert_same_bits(stored, whole)
    assert_same_bits(fn.open(tmp_path / "map.zarr"), whole)
    assert stored["final_layer1.weight"].dims[-2:] == ("layer1_in", "layer1_out")


@BATCHES
def test_descents_end_in_the_bits_of_the_sweep(batch):
    """One start at a time, where the sweep follows a vector of them."""
    several = [random_parameters(sweep(batch).model, seed) for seed in range(5)]
    base = sweep(batch, stop=fn.Stop(max_steps=40, tolerance=0.0, settle=0.0))
    start = {name: np.array([one[name] for one in several]) for name in several[0]}
    path = fn.descend(base.task, base.model, **PARTS, batch=batch, start=start, steps=40)
    # batches are drawn by the number of a point: of each sweep, which has as many, one point is looked at
    for k, one in enumerate(several):
        axis = {"layer0.weight[2,4]": np.full(5, one["layer0.weight"][2, 4])}
        ends = run(sweep(batch, axes=axis, start=one, draws=None, stop=base.stop))
        for name in base.model.parameters:
            ours = path[name].values[-1, k]
            assert ends[f"final_{name}"].values[k].tobytes() == ours.tobytes(), name
        assert ends.loss.values[k] == path.loss.values[-1, k]
        assert ends.error.values[k] == path.error.values[-1, k]


def test_random_starts_of_descents_are_those_of_a_sweep():
    """Without a word on the parameters: normal(0, 1)."""
    one = sweep(fn.MiniBatch(5, seed=3))
    stop = fn.Stop(max_steps=20, tolerance=0.0, settle=0.0)
    ends = run(sweep(one.batch, axes={}, start={}, draws=4, stop=stop))
    start = {"layer1.bias": np.zeros((4, 2))}
    how = {**PARTS, "batch": one.batch, "seed": 11}
    path = fn.descend(one.task, one.model, **how, start=start, steps=20)
    zero = run(sweep(one.batch, axes={}, start={"layer1.bias": 0.0}, draws=4, stop=stop))
    for name in one.model.parameters:
        assert path[name].values[-1].tobytes() == zero[f"final_{name}"].values.tobytes()
    assert (ends["final_layer1.bias"].values != zero["final_layer1.bias"].values).any()
    assert np.unique(path["layer0.weight"].values[0]).size == 4 * 15


@DTYPES
def test_point_alone_is_that_point_of_the_grid(dtype):
    """With full batches and given starts no number of a point counts."""
    start = random_parameters(sweep(fn.FullBatch()).model, 3)
    parts = {"start": start, "draws": None}
    whole = run(sweep(fn.FullBatch(), dtype, **parts))
    for i, j in ((0, 0), (6, 2), (3, 1)):
        axes = {"layer0.weight[2,4]": FIRST[[i]], "layer1.offset": [OFFSET[j]]}
        alone = run(sweep(fn.FullBatch(), dtype, axes=axes, **parts))
        assert_same_bits(alone, whole.isel({"layer0.weight[2,4]": [i], "layer1.offset": [j]}))


def test_sample_that_is_not_seen_takes_no_part_whatever_the_batches_beside():
    """The hidden unit is infinite for the second sample: whoever sees it is lost, nobody else."""

    def steps(sizes):
        given = fn.Sweep(
            task=fn.Task([1.0, 1e200], [0.0, 1.0]),
            model=fn.Network((1, 1, 1), hidden=fn.ReLU()),
            optimizer=fn.GradientDescent(1e-3),
            batch=fn.MiniBatch(1),
            axes={"seed": range(8), "size": sizes},
            start={"layer0.weight": 1e150, "layer1.weight": 1e-150, "layer0.bias": 0.0, "layer1.bias": 0.0},
            stop=fn.Stop(max_steps=20, limit=1e300, tolerance=0.0),
        )
        return given.run(progress=False, keep=["steps"]).steps.values[:, 0].tolist()

    alone = steps([1, 1])  # as many points, since orders are drawn by their number
    assert set(alone) == {1, 2} and steps([1, 2]) == alone


def test_toml_leads_back_to_the_sweep():
    given = sweep(
        fn.MiniBatch(5, seed=3),
        "float32",
        model=fn.Network((3, 5, 2), hidden=fn.Tanh(0.3), output=fn.Arctan(), bias=True, scale="mean_field"),
        loss=fn.SquaredError(),
        axes={"layer0.weight[2, 4]": [0.1, 1 / 3], "layer1.learning_rate": [0.1, 0.2], "start.sd": [0, 1]},
        record={"total": fn.Sum(clip=3.0), "late": fn.Mean(last=7, relative=1)},
    )
    again = fn.Sweep.from_toml(given.to_toml())
    assert again == given and again.sha256 == given.sha256
    assert again.model == given.model and again.record == given.record
    np.testing.assert_array_equal(again.start["layer0.weight"], given.start["layer0.weight"])
    assert again.start["layer1.bias"] == fn.uniform(-1, 1)
    other = sweep(
        fn.FullBatch(),
        model=fn.Network((3, 5, 2), bias=False),
        start={"layer1.weight": np.pi * np.ones((5, 2)), "layer0.weight": 1 / 3},
        draws=None,
    )
    assert fn.Sweep.from_toml(other.to_toml()) == other != given
    result = run(sweep(fn.FullBatch()))
    again = fn.Sweep.from_toml(result.attrs["sweep"])
    assert_same_bits(run(again), result)


def neuron_and_network(batch, dtype="float64"):
    """The same sweep, as a neuron and as a network of one unit.

    The 14 parameters are too many for a kernel of their own.
    """
    shared = {
        "task": regression(18, 13, 1),
        **PARTS,
        "batch": batch,
        "stop": fn.Stop(max_steps=90, tolerance=0.55, settle=2e-3),
        "dtype": dtype,
    }
    first, second = np.linspace(-5, 4, 9), np.linspace(-3, 6, 5)
    others = {f"weight_{k}": 0.7 - 0.1 * k for k in range(13)}
    given = {name: value for name, value in others.items() if name != "weight_1"}
    neuron = fn.Sweep(axes={"weight_1": first, "bias": second}, start=given, **shared)
    network = fn.Sweep(
        model=fn.Network((13, 1), output=fn.Sigmoid()),
        axes={"layer0.weight[1,0]": first, "layer0.bias[0]": second},
        start={"layer0.weight": [[w] for w in others.values()]},
        **shared,
    )
    return neuron, network


@pytest.mark.parametrize(
    "batch, dtype",
    [(fn.FullBatch(), "float64"), (fn.FullBatch(), "float32"), (fn.MiniBatch(5, seed=3), "float64")],
    ids=str,
)
def test_network_of_one_unit_ends_as_the_neuron(batch, dtype):
    neuron, network = neuron_and_network(batch, dtype)
    one, other = neuron.run(progress=False), run(network)
    assert len(np.unique(one.outcome)) > 1
    same = (one.outcome.values == other.outcome.values) & (one.steps.values == other.steps.values)
    assert same.mean() >= {"float64": 1.0, "float32": 0.9}[dtype]  # a last bit may decide
    np.testing.assert_array_equal(one.period.values[same], other.period.values[same])
    np.testing.assert_array_equal(one.learned.values, other.learned.values)
    finals = np.stack([one[f"final_{name}"].values for name in neuron.model.parameters])[:, same]
    weight, bias = (other[f"final_layer0.{name}"].values[same] for name in ("weight", "bias"))
    close = {"float64": 1e-13, "float32": 1e-4}[dtype]
    np.testing.assert_allclose([*weight[:, :, 0].T, bias[:, 0]], finals, rtol=close, atol=close)
    for name in ("loss", "error", "speed"):
        np.testing.assert_allclose(other[name].values[same], one[name].values[same], rtol=close, atol=close)


@BATCHES
def test_network_of_one_unit_descends_as_the_neuron(batch):
    sweeps = neuron_and_network(batch)
    weights = np.random.default_rng(1).normal(size=(2, 13))
    start = {f"weight_{k}": weights[:, k] for k in range(13)} | {"bias": [-0.5, 3.0]}
    arrays = {"layer0.weight": weights[:, :, None], "layer0.bias": np.array(start["bias"])[:, None]}
    one, other = (
        fn.descend(s.task, s.model, **PARTS, batch=batch, start=given, steps=100)
        for s, given in zip(sweeps, (start, arrays), strict=True)
    )
    weight = other["layer0.weight"].values
    for k in range(13):
        np.testing.assert_allclose(weight[:, :, k, 0], one[f"weight_{k}"].values, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(other["layer0.bias"].values[..., 0], one.bias.values, rtol=1e-13, atol=1e-14)
    for name in ("loss", "error", "output"):
        np.testing.assert_allclose(other[name].values, one[name].values, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize(
    "sizes, samples, changes",
    [
        ((2, 2, 1), 4, {"stop": fn.Stop(max_steps=70, tolerance=0.4, settle=0.02)}),
        ((2, 2, 1, 2), 6, {"model": {"bias": False, "scale": "mean_field"}, "dtype": "float32"}),
        ((2, 1, 3), 5, {"axes": {"layer1.learning_rate": [0.1, 0.4, 2.0]}, "record": {"sum": fn.Sum()}}),
    ],
    ids=str,
)
def test_shape_of_a_small_network_changes_no_bit(sizes, samples, changes, monkeypatch):
    """Compiled for its sizes it takes the same steps as by the loops for networks of any size."""
    model = fn.Network(sizes, **changes.pop("model", {}))
    given = {
        "task": regression(samples, sizes[0], sizes[-1]),
        "model": model,
        "axes": {"layer0.weight[0,0]": FIRST},
        "start": {},
        "draws": 5,
    }
    small = sweep(fn.FullBatch(), **given | changes)
    assert model.size <= kernels.MOST_PARAMETERS
    monkeypatch.setattr(kernels, "MOST_PARAMETERS", 0)
    whole = run(sweep(fn.FullBatch(), **given | changes))
    monkeypatch.undo()
    assert_same_bits(run(small), whole)
    assert len(np.unique(whole.outcome)) > 1

"""Random starts: the generator, the distributions, and sweeps over draws."""

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

import fastneuron as fn
from fastneuron.engine import local
from fastneuron.engine.draws import drawn
from fastneuron.engine.lowering import point_numbers
from fastneuron.measures.shares import wilson
from fastneuron.starts import philox, uniform_numbers
from fastneuron.store import tiles_done


def test_philox_gives_the_published_words():
    """The known answers of Random123, the reference implementation (kat_vectors)."""
    every = 0xFFFFFFFF
    known = {
        ((0,) * 4, (0, 0)): "6627e8d5 e169c58d bc57ac4c 9b00dbd8",
        ((every,) * 4, (every, every)): "408f276d 41c83b0e a20bc7c6 6d5451fd",
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
        ): "d16cfe09 94fdcceb 5001e420 24126ea1",
    }
    for (counter, key), words in known.items():
        assert " ".join(f"{int(word):08x}" for word in philox(counter, key)) == words


def test_uniform_numbers_are_uniform_and_differ_by_seed_point_and_use():
    points = np.arange(100_000, dtype=np.uint64)
    rows = [
        uniform_numbers(*key) for key in ((0, points, 0), (1, points, 0), (0, points, 1), (2**62, points, 0))
    ]
    for row in rows:
        assert row.min() > 0 and row.max() < 1
        assert stats.kstest(row, "uniform").pvalue > 1e-3
    assert (np.abs(np.corrcoef(rows) - np.eye(4)) < 0.02).all()
    far = uniform_numbers(0, points + np.uint64(2**32), 0)
    assert not np.isin(far, rows[0]).any()


def test_distributions_are_what_they_say():
    u = uniform_numbers(5, np.arange(200_000, dtype=np.uint64), 0)
    assert stats.kstest(fn.normal(2, 3).value(u), "norm", (2, 3)).pvalue > 1e-3
    assert stats.kstest(fn.uniform(-1, 3).value(u), "uniform", (-1, 4)).pvalue > 1e-3
    assert set(fn.normal(2, 0).value(u)) == {2.0}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("points", [0, 1, 15, 16, 37])
def test_compiled_draws_are_the_plain_ones(points, dtype):
    seed, numbers = 2**62 + 12345, np.arange(points) * 2**27 + 5
    for distribution in (fn.normal(-1, 3), fn.uniform(-1, 3)):
        found = drawn(distribution, seed, numbers, 7, 3, dtype)
        assert found.shape == (3, points) and found.dtype == dtype
        for k, row in enumerate(found):
            plain = distribution.value(uniform_numbers(seed, numbers.astype(np.uint64), 7 + k))
            np.testing.assert_allclose(row, plain, rtol=4 * np.finfo(dtype).eps, atol=4e-15)
    unit = drawn(fn.uniform(0, 1), seed, numbers, 7, 1)[0]
    np.testing.assert_array_equal(unit, uniform_numbers(seed, numbers.astype(np.uint64), 7))


def test_a_draw_depends_on_no_other_point_or_use():
    numbers = np.arange(100)
    whole = drawn(fn.normal(0, 1), 3, numbers, 0, 20)
    for points in (slice(0, 16), slice(5, 36), slice(99, 100)):
        np.testing.assert_array_equal(drawn(fn.normal(0, 1), 3, numbers[points], 4, 5), whole[4:9, points])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_fields_of_a_distribution_may_vary_from_point_to_point(dtype):
    numbers, sd = np.arange(50), np.linspace(0, 2, 50)
    found = drawn(fn.normal(0, 1), 3, numbers, 0, 4, dtype, varying={"sd": sd})
    for k, point in enumerate(numbers):
        alone = drawn(fn.normal(0, sd[k]), 3, numbers[k : k + 1], 0, 4, dtype)
        np.testing.assert_array_equal(found[:, point], alone[:, 0])


def test_a_start_beyond_the_dtype_is_infinite():
    assert np.isinf(drawn(fn.normal(0, 1e300), 0, np.arange(40), 0, 1, "float32")).all()


def test_point_numbers_count_the_whole_grid_in_c_order():
    whole = np.arange(60, dtype=np.uint64).reshape(3, 4, 5)
    place = (slice(1, 3), slice(0, 2), slice(2, 5))
    np.testing.assert_array_equal(point_numbers((3, 4, 5), place), whole[place])


def gate(name, draws, axes=None, **given):
    start = {"weight_0": fn.normal(0, 3), "weight_1": fn.uniform(-4, 4), "bias": fn.normal(0, 1)}
    return fn.Sweep(
        task=fn.tasks.gate(name),
        optimizer=fn.GradientDescent(8.0),
        axes=axes or {},
        start={parameter: own for parameter, own in start.items() if parameter not in (axes or {})},
        stop=fn.Stop(max_steps=12, tolerance=0.3),
        draws=draws,
        **given,
    )


def test_draws_are_the_last_dimension():
    result = gate("nand", 40, axes={"weight_1": [0.5, 2.0]}).run(progress=False)
    assert result.outcome.dims == ("weight_1", "draw")
    assert result.draw.values.tolist() == list(range(40))
    finals = result.final_weight_0.values
    assert len(np.unique(finals)) == finals.size


def test_the_same_numbers_for_any_tiles_threads_and_store(monkeypatch, tmp_path):
    sweep = gate("nand", 5000, axes={"weight_1": [0.5, 2.0, 4.0]}, seed=7)
    whole = sweep.run(progress=False, threads=1)
    stored = sweep.run(store=tmp_path / "map.zarr", progress=False)
    monkeypatch.setattr(local, "tile_shape", lambda shape, width: (2, 777))
    cut = sweep.run(progress=False, threads=2)
    for name in whole.data_vars:
        np.testing.assert_array_equal(whole[name], cut[name], err_msg=name)
        np.testing.assert_array_equal(whole[name], stored[name], err_msg=name)
    np.testing.assert_array_equal(whole.draw, stored.draw)
    other = gate("nand", 5000, axes={"weight_1": [0.5, 2.0, 4.0]}, seed=8).run(progress=False)
    assert (other.final_bias.values != whole.final_bias.values).all()


def test_one_draw_at_every_point_without_draws():
    sweep = fn.Sweep(
        task=fn.tasks.inverter(),
        optimizer=fn.GradientDescent(1.0),
        axes={"bias": [0.0] * 1},
        start={"weight": fn.uniform(5, 6)},
        stop=fn.Stop(max_steps=1),
    )
    assert sweep.dims == ("bias",)
    assert 5 < float(sweep.run(progress=False).final_weight[0]) < 6.1


def test_no_neuron_learns_xor_and_some_learn_nand():
    draws = 20_000
    xor = gate("xor", draws).run(progress=False).outcome
    assert fn.measures.fractions(xor)[fn.Outcome.REACHED] == 0
    outcome = gate("nand", draws).run(progress=False).outcome
    share = fn.measures.fractions(outcome)[fn.Outcome.REACHED]
    low, high = fn.measures.intervals(outcome)[fn.Outcome.REACHED]
    assert 0.02 < low < share < high < 0.1
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(share * (1 - share) / draws), rel=0.02)


@pytest.mark.parametrize("count, total", [(0, 10), (3, 10), (10, 10), (512, 4096), (1, 10**6)])
def test_wilson_intervals_are_scipys(count, total):
    expected = stats.binomtest(count, total).proportion_ci(0.95, method="wilson")
    assert wilson(count, total) == pytest.approx((expected.low, expected.high), abs=1e-15)


def test_specs_with_draws_come_back():
    sweep = gate("nand", 12)
    assert "draws = 12" in sweep.to_toml() and "normal = [0.0, 3.0]" in sweep.to_toml()
    assert fn.Sweep.from_toml(sweep.to_toml()) == sweep
    assert sweep.shape == (12,) and sweep.points == 12
    assert gate("nand", 13) != sweep


@pytest.mark.parametrize(
    "given, message",
    [
        ({"draws": 0}, "draws must be a whole number from 1 to 2147483647, got 0"),
        ({"draws": True}, "draws must be a whole number"),
        ({"draws": 2.0}, "draws must be a whole number"),
        ({"draws": 5, "start": {}}, "draws: no start is random"),
        ({"start": {"bias": {"normal": [0]}}}, r"start.bias.normal must be \[mean, sd\], got \[0\]"),
        ({"start": {"bias": {"normal": [0, -1]}}}, "start.bias.normal: sd must be zero or positive, got -1"),
        ({"start": {"bias": {"uniform": [2, 1]}}}, "start.bias.uniform: uniform: low must be at most high"),
        ({"start": {"bias": {"normall": [0, 1]}}}, r"start.bias must be a number, .*did you mean 'normal'"),
    ],
)
def test_wrong_draws_and_distributions_are_named(given, message):
    with pytest.raises(ValueError, match=message):
        fn.Sweep(
            task=fn.tasks.inverter(), optimizer=fn.GradientDescent(1.0), **{"axes": {"weight": [1.0]}} | given
        )


def test_an_axis_or_draws_are_needed():
    start = {"bias": fn.normal(0, 1), "weight": fn.normal(0, 1)}
    with pytest.raises(ValueError, match="axes must be 1 to 64 axes by name, got 0"):
        fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(1.0), start=start)


# chosen starts

WEIGHTS, BIASES = [-3.0, 2.0, 5.0, 0.5, 20.0], [1.0, 0.5, -2.0, 3.0, 20.0]
INVERTER = {
    "task": fn.tasks.inverter(),
    "optimizer": fn.GradientDescent(30.0),
    "stop": fn.Stop(max_steps=60),
}


def chosen(**changes):
    return fn.Sweep(**INVERTER | {"start": {"weight": WEIGHTS, "bias": BIASES}} | changes)


def equal(found, expected):
    for name in expected.data_vars:
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)


def test_chosen_starts_have_the_bits_of_the_same_starts_in_a_map():
    found = chosen().run(progress=False)
    assert found.outcome.dims == ("start",) and found.start.values.tolist() == [0, 1, 2, 3, 4]
    assert len(np.unique(found.outcome)) == 2
    axes = {"bias": BIASES, "weight": WEIGHTS}
    grid = chosen(axes=axes, start={}).run(progress=False)
    for k in range(5):
        equal(found.isel(start=k), grid.isel(bias=k, weight=k))


def test_chosen_starts_combine_with_axes_numbers_and_draws():
    sweep = chosen(
        axes={"learning_rate": [1.0, 30.0]},
        start={"weight": WEIGHTS, "bias": fn.normal(0.0, 2.0)},
        draws=3,
        seed=4,
    )
    assert sweep.dims == ("learning_rate", "start", "draw") and sweep.shape == (2, 5, 3)
    result = sweep.run(progress=False)
    for place in np.ndindex(*sweep.shape):
        own = dict(zip(sweep.dims, map(int, place), strict=True))
        start = sweep.at(**own)
        assert start["weight"] == WEIGHTS[own["start"]]
        rate = [1.0, 30.0][own["learning_rate"]]
        alone = chosen(optimizer=fn.GradientDescent(rate), start={}, axes={k: [v] for k, v in start.items()})
        equal(result.isel(own), alone.run(progress=False).isel(weight=0, bias=0))


def test_a_draw_of_a_chosen_start_is_keyed_by_its_number_in_the_whole_grid():
    sweep = chosen(start={"weight": [1.0, 2.0], "bias": fn.uniform(0, 1)}, axes={"gain": [1, 2]}, draws=3)
    numbers = np.arange(12)
    expected = drawn(fn.uniform(0, 1), 0, numbers, 1, 1)[0].reshape(2, 2, 3)
    found = [sweep.at(gain=i, start=j, draw=k)["bias"] for i, j, k in np.ndindex(2, 2, 3)]
    np.testing.assert_array_equal(found, expected.ravel())


def test_chosen_starts_may_be_lists_arrays_columns_or_a_table():
    table = pd.DataFrame({"weight": WEIGHTS, "bias": BIASES}, index=list("abcde"))
    ways = (
        {"weight": tuple(WEIGHTS), "bias": np.array(BIASES)},
        {"weight": table["weight"], "bias": table["bias"]},
        table,
        xr.Dataset({"weight": ("start", WEIGHTS), "bias": ("start", BIASES)}),
        {"bias": BIASES, "weight": WEIGHTS},
    )
    assert {chosen(start=way).sha256 for way in ways} == {chosen().sha256}
    whole = chosen(start={"weight": np.arange(3), "bias": np.float32(0.5)})
    assert whole.at(start=2) == {"weight": 2.0, "bias": 0.5}


def test_a_data_array_gives_chosen_starts_its_dim_and_its_coordinate():
    weight = xr.DataArray(WEIGHTS, dims="trial", coords={"trial": [2, 3, 5, 7, 11]})
    sweep = chosen(start={"weight": weight, "bias": BIASES})
    assert sweep.dims == ("trial",)
    result = sweep.run(progress=False)
    assert result.sel(trial=7).steps == chosen().run(progress=False).steps[3]
    assert fn.Sweep.from_toml(sweep.to_toml()) == sweep
    assert pickle.loads(pickle.dumps(sweep)) == sweep != chosen()
    named = weight.assign_coords(trial=list("abcde"))
    assert chosen(start={"weight": named}).coordinates()["trial"].tolist() == [0, 1, 2, 3, 4]
    one = weight.isel(trial=3)
    assert chosen(start={"weight": one}, axes={"bias": [0]}).start == {"weight": 0.5}


@pytest.mark.parametrize("labels", [[0.5, 1.0, 2.0, 4.0, -1.0], [9, 8, 7, 6, 2**60], None])
def test_specs_with_chosen_starts_come_back(labels):
    coords = {} if labels is None else {"start": labels}
    weight = xr.DataArray([-0.0, 0.1, 1 / 3, 1e300, 5.0], dims="start", coords=coords)
    sweep = chosen(start={"weight": weight, "bias": fn.normal(0, 1)}, draws=2)
    back = fn.Sweep.from_toml(sweep.to_toml())
    assert back == sweep and back.sha256 == sweep.sha256
    np.testing.assert_array_equal(back.coordinates()["start"], sweep.coordinates()["start"])
    assert back.coordinates()["start"].dtype == sweep.coordinates()["start"].dtype
    assert back.at(start=0, draw=1) == sweep.at(start=0, draw=1)
    assert np.signbit(back.at(start=0, draw=1)["weight"])


def test_a_spec_needs_no_axes_beside_chosen_starts():
    text = """
        task.name = "inverter"
        optimizer = { name = "gradient_descent", learning_rate = 30.0 }
        stop.max_steps = 60
        start.weight = [-3, 2, 5, 0.5, 20]
        start.bias = [1, 0.5, -2, 3, 20]
    """
    assert fn.Sweep.from_toml(text) == chosen()


def test_chosen_starts_are_stored_resumed_and_verified(monkeypatch, tmp_path):
    rng = np.random.default_rng(1)
    sweep = chosen(
        axes={"learning_rate": [3.0, 30.0]},
        start={"weight": rng.normal(0, 5, 60), "bias": rng.normal(0, 5, 60)},
    )
    whole = sweep.run(progress=False)
    monkeypatch.setattr(local, "tile_shape", lambda shape, width: (1, 7))

    def stop_early(done, total):
        if done > 40:
            raise KeyboardInterrupt

    place = tmp_path / "map.zarr"
    with pytest.raises(KeyboardInterrupt):
        sweep.run(store=place, progress=stop_early)
    assert 0 < tiles_done(place)[0] < tiles_done(place)[1] == 18
    other = chosen(axes={"learning_rate": [3.0, 30.0]}, start={"weight": np.zeros(60)})
    with pytest.raises(ValueError, match=r"start.weight is \[.* there and \[0.0, .* here"):
        other.run(store=place, progress=False)
    finished = sweep.run(store=place, progress=False)
    equal(finished, whole)
    np.testing.assert_array_equal(finished.start, whole.start)
    path = fn.replay(fn.open(place).isel(start=slice(50, 60)), learning_rate=1, start=-1)
    assert path.weight[-1] == whole.final_weight[1, 59] and path.ended == whole.steps[1, 59]


@pytest.mark.parametrize(
    "start, message",
    [
        ({"weight": [1, 2], "bias": [1]}, "start.bias has 1 chosen starts and start.weight 2; give as many"),
        ({"weight": []}, "start.weight must have at least one start, got none"),
        ({"weight": [1, np.nan]}, r"start.weight\[1\] must be a finite number, got nan"),
        ({"weight": np.array([1, np.inf])}, r"start.weight\[1\] must be a finite number, got inf"),
        ({"weight": [True, 1.0]}, r"start.weight\[0\] must be a finite number, got True"),
        ({"weight": ["a"]}, r"start.weight\[0\] must be a finite number, got 'a'"),
        ({"weight": pd.Series([1, None], dtype="Int64")}, r"start.weight\[1\] must be a finite number, got"),
        (
            {"weight": np.ma.masked_equal([1, -9, 3], -9)},
            r"start.weight\[1\] must be a .* got a masked entry",
        ),
        ({"weight": np.zeros((2, 2))}, r"start.weight must be a number or a 1-D list .*, got shape \(2, 2\)"),
        ({"weight": [1, [2]]}, "start.weight is ragged: its rows must have equal lengths"),
        ({"bias": [1.0, 2.0]}, "start.bias: bias is an axis already; give one of them"),
        ({"weight": xr.DataArray([1.0], dims="bias")}, "start.weight: its dimension cannot be called 'bias'"),
        ({"weight": xr.DataArray([1.0], dims="draw")}, "its dimension cannot be called 'draw', .* rename it"),
        ({"weight": xr.DataArray([1.0], dims="loss")}, "its dimension cannot be called 'loss'"),
        ({"weight": xr.DataArray([1.0], dims="learning_rate")}, "cannot be called 'learning_rate'"),
        (
            {"weight": {"values": [1.0], "labels": [1, 2]}},
            "start.weight.labels must be as many as the values",
        ),
        ({"weight": {"values": [1.0], "dims": "a"}}, "start.weight.dims: unknown key .did you mean 'dim'"),
        ({"weight": {"values": [1.0], "dim": 3}}, "start.weight.dim must be a name, got 3"),
    ],
)
def test_wrong_chosen_starts_are_named(start, message):
    with pytest.raises(ValueError, match=message) as caught:
        chosen(start=start, axes={"bias": [0.0]})
    assert "\n" not in str(caught.value)


def test_chosen_starts_share_one_dimension_and_coordinate():
    one = xr.DataArray([1.0, 2.0], dims="a", coords={"a": [1, 2]})
    with pytest.raises(ValueError, match="start.bias is along 'b' and start.weight along 'a'"):
        chosen(start={"weight": one, "bias": xr.DataArray([1.0, 2.0], dims="b")})
    with pytest.raises(ValueError, match="start.bias and start.weight have different coordinates"):
        chosen(start={"weight": one, "bias": one.assign_coords(a=[1, 3])})
    with pytest.raises(ValueError, match=r"start.weight\[1\] must be a finite number in float32"):
        chosen(start={"weight": [1.0, 1e39]}, dtype="float32")


def test_starts_of_a_network_are_not_chosen_one_by_one():
    model = fn.Network((1, 2, 1))
    start = {"layer0.weight": np.zeros((5, 1, 2))}
    message = r"shape \(1, 2\), got shape \(5, 1, 2\); a network's starts cannot be chosen one by one"
    with pytest.raises(ValueError, match=message):
        chosen(model=model, start=start, axes={"learning_rate": [1]})
    given = {"layer0.weight": xr.DataArray([[1.0, 2.0]], dims=("layer0_in", "layer0_out"))}
    sweep = chosen(model=model, start=given, axes={"learning_rate": [1]})
    assert sweep.at()["layer0.weight"].tolist() == [[1.0, 2.0]]


# one point


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_at_gives_the_bits_from_which_the_training_starts(dtype):
    start = {"weight": fn.normal(0, 3), "bias": fn.uniform(-4, 4)}
    axes, stop = {"start.sd": [0.5, 3.0]}, fn.Stop(max_steps=1, tolerance=1.0)
    sweep = chosen(start=start, axes=axes, draws=4, stop=stop, dtype=dtype)
    result = sweep.run(progress=False)
    for i, k in np.ndindex(2, 4):
        start = sweep.at(**{"start.sd": i, "draw": k})
        assert all(type(value) is float for value in start.values())
        place = {"start.sd": i, "draw": k}
        if result.steps.isel(place) == 0:
            assert start == {name: float(result[f"final_{name}"].isel(place)) for name in start}
    assert (result.steps == 0).any()
    assert sweep.at(**{"start.sd": -1, "draw": -4}) == sweep.at(**{"start.sd": 1, "draw": 0})


def test_at_gives_a_network_its_arrays_with_offsets_and_entries():
    sweep = fn.Sweep(
        **INVERTER,
        model=fn.Network((1, 2, 1), bias=False),
        axes={"layer0.offset": [0.0, 2.0], "layer1.weight[1,0]": [7.0]},
        start={"layer0.weight": [[1.0, 3.0]]},
    )
    start = sweep.at(**{"layer0.offset": 1})
    assert start["layer0.weight"].tolist() == [[3.0, 5.0]] and start["layer0.weight"].dtype == np.float64
    assert start["layer1.weight"].shape == (2, 1) and start["layer1.weight"][1, 0] == 7.0


@pytest.mark.parametrize(
    "indices, message",
    [
        ({}, "start: missing; which of the 5 is meant, from 0 to 4"),
        ({"start": 5}, "start must be a whole number from -5 to 4, the place of a point along it, got 5"),
        ({"start": -6}, "start must be a whole number from -5 to 4"),
        ({"start": 1.0}, "start must be a whole number from -5 to 4, .* got 1.0"),
        ({"start": True}, "start must be a whole number from -5 to 4, .* got True"),
        ({"strat": 1}, r"no dimension 'strat' .did you mean 'start'.*; with their lengths: start .5."),
    ],
)
def test_a_point_that_is_none_is_named(indices, message):
    for ask in (chosen().at, lambda **given: fn.replay(chosen(), **given)):
        with pytest.raises(ValueError, match=message):
            ask(**indices)


def test_a_dim_of_one_need_not_be_given():
    assert chosen(start={"weight": [3.0]}).at() == {"weight": 3.0, "bias": 0.0}


# replay

REPLAYED = {
    "map": chosen(start={}, axes={"bias": [-20.0, 0.0, 5.0], "weight": [-9.0, 1.0, 20.0]}),
    "hyperparameters": fn.Sweep(
        task=fn.tasks.inverter(),
        optimizer=fn.Momentum(3.0, 0.5),
        axes={"gain": [1, 2.0], "momentum": [0, 0.9], "max_steps": [5, 50], "start.sd": [0.1, 2.0]},
        start={"weight": [1, 2.0], "bias": fn.normal(0, 2)},
        batch=fn.MiniBatch(1, seed=3),
        draws=2,
    ),
    "all ends": fn.Sweep(
        task=fn.Task([1.0], [0.0]),
        model=fn.Neuron(activation=fn.Identity()),
        optimizer=fn.GradientDescent(1.0),
        axes={"learning_rate": [0.01, 1.0, 1.5], "tolerance": [0.0, 0.1]},
        start={"weight": [0.5, 3.0, 0.0]},
        stop=fn.Stop(max_steps=3000),
    ),
    "network": fn.Sweep(
        task=fn.tasks.gate("xor"),
        model=fn.Network((2, 2, 1), hidden=fn.Tanh()),
        optimizer=fn.GradientDescent(1.0),
        axes={
            "layer0.learning_rate": [0.1, 3],
            "layer1.offset": [0, 1.0],
            "layer1.bias[0]": [-1.0, 1.0],
            "hidden.gain": [1.0, 2.0],
            "batch.size": [1, 3],
        },
        batch=fn.MiniBatch(1, seed=7),
        stop=fn.Stop(max_steps=40),
        draws=2,
    ),
}


@pytest.mark.parametrize(
    "name, dtype",
    [
        ("map", "float64"),
        ("map", "float32"),
        ("hyperparameters", "float64"),
        ("all ends", "float32"),
        ("network", "float64"),
    ],
)
def test_a_replayed_point_has_the_bits_of_the_map(name, dtype):
    sweep = replace(REPLAYED[name], dtype=dtype)
    keep = ["outcome", "steps", "period", "loss", "final"]
    result = sweep.run(progress=False, keep=keep)
    for place in list(np.ndindex(*sweep.shape))[:: 3 if sweep.points > 32 else 1]:
        own = dict(zip(sweep.dims, map(int, place), strict=True))
        path, there = fn.replay(result, **own), result.isel(own)
        ended = (int(path.outcome), int(path.ended), int(path.period))
        assert ended == (there.outcome, there.steps, there.period), own
        assert path.sizes["step"] == there.steps + 1
        np.testing.assert_allclose(path.loss[-1], there.loss, rtol=1e-5, atol=1e-12)
        start = sweep.at(**own)
        for parameter in sweep.model.parameters:
            np.testing.assert_array_equal(path[parameter][-1], there[f"final_{parameter}"], err_msg=str(own))
            np.testing.assert_array_equal(path[parameter][0], start[parameter])


def test_a_replay_asks_nothing_of_what_is_recorded():
    sweep = replace(REPLAYED["map"], record={"losses": fn.Sum()})
    result = sweep.run(progress=False)
    for i, j in np.ndindex(*sweep.shape):
        path, there = fn.replay(result, bias=i, weight=j), result.isel(bias=i, weight=j)
        assert (path.outcome, path.ended) == (there.outcome, there.steps)
        assert (path.weight[-1], path.bias[-1]) == (there.final_weight, there.final_bias)


def test_the_ends_that_are_replayed_are_of_all_kinds():
    found = set(np.unique(replace(REPLAYED["all ends"], dtype="float32").run(progress=False).outcome))
    assert found >= {fn.Outcome.REACHED, fn.Outcome.SETTLED, fn.Outcome.CYCLING, fn.Outcome.DIVERGED}


def test_a_replay_may_end_before_or_go_on_after_the_outcome():
    sweep = REPLAYED["map"]
    path = fn.replay(sweep, bias=1, weight=1)
    ended = int(path.ended)
    assert 2 < ended < 60 and path.outcome == fn.Outcome.REACHED
    short, long = (fn.replay(sweep, steps, bias=1, weight=1) for steps in (2, ended + 10))
    assert short.ended == long.ended == ended and short.outcome == path.outcome
    np.testing.assert_array_equal(short.weight, path.weight[:3])
    np.testing.assert_array_equal(long.weight[: ended + 1], path.weight)
    assert long.sizes["step"] == ended + 11 and long.weight[-1] != path.weight[-1]
    assert fn.replay(sweep, 0, bias=1, weight=1).weight.values.tolist() == [1.0]
    with pytest.raises(ValueError, match="steps must be a whole number from 0 to 2147483647, got -1"):
        fn.replay(sweep, -1, bias=1, weight=1)


def test_a_replay_tells_its_sweep_and_its_point():
    sweep = REPLAYED["hyperparameters"]
    point = {"gain": 1, "momentum": 0, "max_steps": 0, "start.sd": 1, "start": 1, "draw": 0}
    path = fn.replay(sweep, **point)
    assert fn.Sweep.from_toml(path.attrs["sweep"]) == sweep
    told = {name: value.item() for name, value in path.coords.items() if not value.ndim}
    assert told == point | {"gain": 2.0, "max_steps": 5.0, "start.sd": 2.0}
    assert "optimizer" not in path.attrs and path.attrs["batch"] == "MiniBatch(size=1, seed=3)"


def test_a_point_of_a_part_of_a_result_is_found_by_its_coordinates():
    result = REPLAYED["hyperparameters"].run(progress=False)
    part = result.sel(gain=2.0).isel(draw=[1], start=[1, 0]).transpose("draw", ...)
    for place in np.ndindex(2, 2, 2, 2):
        own = dict(zip(("momentum", "max_steps", "start.sd", "start"), map(int, place), strict=True))
        path, there = fn.replay(part, **own), part.isel(own).squeeze()
        assert (path.ended, path.bias[-1]) == (there.steps, there.final_bias)


def test_a_result_that_does_not_tell_its_points_is_refused():
    result = chosen(axes={"learning_rate": [1.0, 30.0]}).run(progress=False)
    refused = {
        "no longer tells its learning_rate": result.isel(learning_rate=0, drop=True),
        "holds start 5, which is not in its sweep": result.assign_coords(start=result.start + 1),
        "has a dimension optimizer, which its sweep does not have": xr.concat([result, result], "optimizer"),
        "not a Dataset": result.drop_attrs(),
        "not a DataArray": result.outcome,
        "not a dict": {},
    }
    for message, given in refused.items():
        with pytest.raises(ValueError, match=message):
            fn.replay(given, learning_rate=0, start=1)


def test_a_result_put_together_is_replayed_only_where_its_sweep_gives_its_numbers():
    """xarray keeps the attributes of the first, and so its sweep."""
    slow, fast = (chosen(optimizer=fn.GradientDescent(rate)).run(progress=False) for rate in (1.0, 30.0))
    both = xr.concat([slow, fast], "learning_rate").assign_coords(learning_rate=[1.0, 30.0])
    mixed = xr.concat([slow.isel(start=[0]), fast.isel(start=slice(1, None))], "start")
    for told in (both.isel(learning_rate=0), mixed.isel(start=[0])):
        assert fn.replay(told, start=0).weight[-1] == slow.final_weight[0]
    for other in (both.isel(learning_rate=1), mixed, mixed.drop_vars(["outcome", "steps", "period"])):
        with pytest.raises(ValueError, match="may be put together from several results"):
            fn.replay(other, start=1)


def test_a_value_that_an_axis_has_twice_is_one_point_only_in_the_whole_result():
    sweep = chosen(axes={"bias": [1.0, 1.0, 2.0]}, start={"weight": fn.normal(0, 5)})
    result = sweep.run(progress=False)
    for k in range(3):
        assert fn.replay(result, bias=k).weight[-1] == result.final_weight[k]
    assert fn.replay(result.isel(bias=[2]), bias=0).weight[-1] == result.final_weight[2]
    with pytest.raises(ValueError, match="holds bias 1.0, which its sweep has twice"):
        fn.replay(result.isel(bias=[1]))


# names of dims

ONE = {"task": fn.tasks.inverter(), "model": fn.Neuron(), "loss": fn.SquaredError()}
ONE |= {"optimizer": fn.GradientDescent(30.0)}


def test_descend_keeps_the_dims_and_coordinates_of_data_arrays():
    weight = xr.DataArray([1.0, 2.0, 3.0], dims="trial", coords={"trial": [10, 20, 30], "lr": 0.5})
    bias = xr.DataArray([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]], dims=("repeat", "trial"))
    path = fn.descend(**ONE, start={"weight": weight, "bias": bias}, steps=4, stop=fn.Stop(max_steps=3))
    assert path.weight.dims == path.bias.dims == path.loss.dims == ("step", "trial", "repeat")
    assert path.output.dims == ("step", "trial", "repeat", "sample")
    assert path.outcome.dims == ("trial", "repeat")
    assert path.trial.values.tolist() == [10, 20, 30] and path.lr == 0.5 and "repeat" not in path.coords
    start = {"weight": weight.values[:, None], "bias": bias.values.T}
    plain = fn.descend(**ONE, start=start, steps=4, stop=fn.Stop(max_steps=3))
    for name in plain.data_vars:
        np.testing.assert_array_equal(path[name], plain[name])


def test_descend_renames_a_dim_that_is_called_as_a_variable():
    result = chosen(start={}, axes={"bias": [1.0, 2.0], "weight": [-1.0, 0.0, 1.0]}).run(progress=False)
    path = fn.descend(**ONE, start={"weight": result.weight, "bias": result.bias}, steps=1)
    assert path.bias.dims == ("step", "start_weight", "start_bias")
    assert path.start_weight.values.tolist() == path.weight[0, :, 0].values.tolist() == [-1.0, 0.0, 1.0]
    points = result.stack(point=("bias", "weight"))
    path = fn.descend(**ONE, start={"weight": points.weight, "bias": points.bias}, steps=1)
    assert path.bias.dims == ("step", "point") and path.start_bias.dims == ("point",)


def test_arrays_without_names_go_with_the_last_dims_of_data_arrays():
    weight = xr.DataArray([1.0, 2.0, 3.0], dims="trial")
    path = fn.descend(**ONE, start={"weight": weight, "bias": [0.0, 1.0, 2.0]}, steps=1)
    assert path.bias.dims == ("step", "trial") and path.bias[0].values.tolist() == [0.0, 1.0, 2.0]
    for bias in ([0.0, 1.0], np.zeros((2, 3))):
        with pytest.raises(ValueError, match=r"bias has leading shape .* not go with .* \(trial 3\)"):
            fn.descend(**ONE, start={"weight": weight, "bias": bias}, steps=1)
    path = fn.descend(**ONE, start={"weight": xr.DataArray(1.0), "bias": [0.0, 1.0]}, steps=1)
    assert path.bias.dims == ("step", "start")


@pytest.mark.parametrize(
    "bias", [xr.DataArray([1.0, 2.0], dims="a"), xr.DataArray([1.0], dims="a", coords={"a": [4]})]
)
def test_data_arrays_that_do_not_go_together_are_refused(bias):
    weight = xr.DataArray([1.0], dims="a", coords={"a": [3]})
    with pytest.raises(ValueError, match="weight, bias do not go together") as caught:
        fn.descend(**ONE, start={"weight": weight, "bias": bias}, steps=1)
    assert "\n" not in str(caught.value)


def test_forward_and_descend_take_the_final_parameters_of_a_network_as_they_are():
    network = fn.Network((1, 8, 1))
    axes = {"layer1.offset": [0.0, 9.0]}
    result = chosen(model=network, start={}, axes=axes, draws=3).run(progress=False, keep=["final"])
    finals = {name.removeprefix("final_"): value for name, value in result.data_vars.items()}
    output = fn.forward(network, finals, [0.0, 1.0])
    assert output.dims == ("layer1.offset", "draw", "sample")
    plain = {name: value.values for name, value in finals.items()}
    np.testing.assert_array_equal(output, fn.forward(network, plain, [0.0, 1.0]))
    path = fn.descend(**ONE | {"model": network}, start=finals, steps=0)
    np.testing.assert_array_equal(path.output[0], output)
    assert path["layer0.weight"].dims == ("step", "layer1.offset", "draw", "layer0_in", "layer0_out")
    alone = {name: value.isel({"layer1.offset": 0, "draw": 1}) for name, value in finals.items()}
    assert isinstance(fn.forward(network, alone, [0.0, 1.0]), np.ndarray)

"""Random starts: the generator, the distributions, and sweeps over draws."""

import numpy as np
import pytest
from scipy import stats

import fastneuron as fn
from fastneuron.engine import local
from fastneuron.engine.draws import drawn
from fastneuron.engine.lowering import point_numbers
from fastneuron.measures.shares import wilson
from fastneuron.starts import philox, uniform_numbers


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


def gate(name, draws, **given):
    return fn.Sweep(
        task=fn.tasks.gate(name),
        loss=fn.CrossEntropy(),
        optimizer=fn.GradientDescent(2.0),
        start={"weight_0": fn.normal(0, 3), "weight_1": fn.uniform(-4, 4), "bias": fn.normal(0, 1)},
        stop=fn.Stop(max_steps=12, tolerance=0.3),
        draws=draws,
        **given,
    )


def test_draws_are_the_last_dimension():
    result = gate("nand", 40, axes={"learning_rate": [0.5, 2.0]}).run(progress=False)
    assert result.outcome.dims == ("learning_rate", "draw")
    assert result.draw.values.tolist() == list(range(40))
    finals = result.final_weight_0.values
    assert len(np.unique(finals)) == finals.size


def test_the_same_numbers_for_any_tiles_threads_and_store(monkeypatch, tmp_path):
    sweep = gate("nand", 5000, axes={"learning_rate": [0.5, 2.0, 4.0]}, seed=7)
    whole = sweep.run(progress=False, threads=1)
    stored = sweep.run(store=tmp_path / "map.zarr", progress=False)
    monkeypatch.setattr(local, "tile_shape", lambda shape, width: (2, 777))
    cut = sweep.run(progress=False, threads=2)
    for name in whole.data_vars:
        np.testing.assert_array_equal(whole[name], cut[name], err_msg=name)
        np.testing.assert_array_equal(whole[name], stored[name], err_msg=name)
    np.testing.assert_array_equal(whole.draw, stored.draw)
    other = gate("nand", 5000, axes={"learning_rate": [0.5, 2.0, 4.0]}, seed=8).run(progress=False)
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
    assert fn.measures.fractions(gate("xor", draws).run(progress=False).outcome)[fn.Outcome.REACHED] == 0
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

"""The activity of random networks: figures known beforehand, a plain computation, and invariants."""

import numpy as np
import pytest
from scipy import integrate, stats

import fastneuron as fn
from fastneuron.engine import activity as engine
from fastneuron.starts import Distribution, uniform_numbers


def plain_outputs(model, x, draws, seed=0, start=None):
    """The outputs of every layer, shape (draws, samples, units), from the uniform numbers of the starts."""
    start = {} if start is None else start
    points, use, given = np.arange(draws, dtype=np.uint64), 0, {}
    for name, shape in model.shapes.items():
        source, size = start.get(name, fn.normal(0, 1)), int(np.prod(shape))
        uses, use = range(use, use + size), use + size
        if isinstance(source, Distribution):
            numbers = [source.value(uniform_numbers(seed, points, k)) for k in uses]
            given[name] = np.stack(numbers, axis=1).reshape(draws, *shape)
        else:
            given[name] = np.broadcast_to(source, (draws, *shape))
    a, found = np.broadcast_to(x, (draws, *np.shape(x))), []
    for k, layer in enumerate(model.layers):
        z = layer.factor * np.einsum("dsi,diu->dsu", a, given[f"layer{k}.weight"])
        if model.bias:
            z = z + given[f"layer{k}.bias"][:, None]
        a = (model.output if k == len(model.layers) - 1 else model.hidden).value(z)
        found.append(a)
    return found


NETWORKS = {
    "one hidden layer": (fn.Network((3, 4, 2)), {}),
    "no bias, other activations": (
        fn.Network((3, 5, 2), hidden=fn.Tanh(gain=1.5), output=fn.Identity(), bias=False, scale="mean_field"),
        {},
    ),
    "no hidden layer": (fn.Network((3, 2), output=fn.ReLU()), {}),
    "many layers": (fn.Network((3, 2, 3, 2, 1), hidden=fn.Softplus(), scale="xavier"), {}),
    "other starts": (
        fn.Network((3, 4, 2), scale="fan_in"),
        {
            "layer0.weight": fn.uniform(-3, 1),
            "layer0.bias": np.arange(4.0) - 1,
            "layer1.weight": np.linspace(-1, 1, 8).reshape(4, 2),
            "layer1.bias": 0.25,
        },
    ),
}
X = np.array([[0.0, 0.5, -1.0], [0.0, 0.0, 2.0], [0.0, 0.0, 0.0], [0.0, 1.0, 1.0]])


@pytest.mark.parametrize("draws", [1, 37, 1000])
@pytest.mark.parametrize("name", NETWORKS)
def test_activity_is_that_of_a_plain_computation(name, draws):
    model, start = NETWORKS[name]
    seed, edges = 2**40 + 3, np.linspace(-0.7, 1.3, 24)
    found = fn.activity(
        model, X, start=start, draws=draws, seed=seed, low=0.1, high=0.8, edges=edges, progress=False
    )
    for k, a in enumerate(plain_outputs(model, X, draws, seed, start)):
        layer, number = found.isel(layer=k), draws * a.shape[2]
        np.testing.assert_allclose(layer["mean"], a.mean(axis=(0, 2)), rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(layer["variance"], a.var(axis=(0, 2)), rtol=1e-11, atol=1e-15)
        # no output is so near to a bound that the last bits count
        np.testing.assert_array_equal(layer["low_share"], (a < 0.1).sum(axis=(0, 2)) / number)
        np.testing.assert_array_equal(layer["high_share"], (a > 0.8).sum(axis=(0, 2)) / number)
        np.testing.assert_array_equal(layer["all_above_half"], (a > 0.5).all(axis=2).mean(axis=0))
        for i in range(len(X)):
            expected = np.histogram(a[:, i], edges)[0]
            np.testing.assert_array_equal(layer["histogram"][i], expected)
            assert layer["outside"][i] == number - expected.sum()


def test_the_result_names_what_it_holds():
    found = fn.activity(fn.Network((3, 4, 2)), X, draws=20, seed=5, progress=False)
    assert dict(found.sizes) == {"layer": 2, "sample": 4, "bin": 50}
    assert found["width"].values.tolist() == [4, 2]
    assert found["histogram"].dtype == found["outside"].dtype == np.int64
    assert (found["histogram"].sum("bin") == 20 * found["width"]).all()
    for variable in found.variables.values():
        assert variable.attrs["long_name"] and variable.attrs["units"] == "1"
    assert found.attrs["draws"] == 20 and found.attrs["seed"] == 5
    assert found.attrs["model"].startswith("Network(sizes=(3, 4, 2)")
    assert found.attrs["start"].startswith("layer0.weight: Normal(mean=0.0, sd=1.0), layer0.bias: Normal(")


def within(value, expected, error):
    assert abs(value - expected) <= 4 * error, f"{value} is {(value - expected) / error:.1f} errors off"


def test_the_first_network_of_the_book_for_a_white_image_no_ink():
    """784-30-10, all normal: hidden outputs are sigmoid(bias), so they are not all alike."""
    draws = 4000
    found = fn.activity(fn.Network((784, 30, 10)), np.zeros((1, 784)), draws=draws, progress=False)
    hidden, number = found.isel(layer=0, sample=0), 30 * draws
    variance = 0.043379035858
    within(hidden["mean"], 0.5, np.sqrt(variance / number))
    fourth = integrate.quad(lambda b: (1 / (1 + np.exp(-b)) - 0.5) ** 4 * stats.norm.pdf(b), -12, 12)[0]
    within(hidden["variance"], variance, np.sqrt((fourth - variance**2) / number))
    share = stats.norm.sf(np.log(99))
    for name in ("low_share", "high_share"):
        within(hidden[name], share, np.sqrt(share / number))
    assert hidden["all_above_half"] == 0  # 2^-30
    output = found.isel(layer=1, sample=0)
    within(output["all_above_half"], 2.0**-10, np.sqrt(2.0**-10 / draws))


def test_the_first_network_of_the_book_for_a_black_image_all_ink():
    """The pre-activation is N(0, 785)."""
    draws = 200
    found = fn.activity(fn.Network((784, 30, 10)), np.ones((1, 784)), draws=draws, progress=False)
    hidden, share = found.isel(layer=0, sample=0), 0.434862872
    assert share == pytest.approx(stats.norm.sf(np.log(99) / np.sqrt(785)), abs=1e-9)
    for name in ("low_share", "high_share"):
        within(hidden[name], share, np.sqrt(share * (1 - share) / (30 * draws)))
    assert hidden["all_above_half"] == 0


def test_all_units_are_above_half_as_often_as_coins_fall_alike():
    draws = 20_000
    found = fn.activity(fn.Network((2, 3, 5)), [[0.0, 0.0], [0.3, -2.0]], draws=draws, progress=False)
    for layer, units in enumerate((3, 5)):
        chance = 2.0**-units
        for share in found["all_above_half"].values[layer]:
            within(share, chance, np.sqrt(chance * (1 - chance) / draws))


def test_the_same_bits_for_any_number_of_threads():
    model, x = fn.Network((30, 20, 3)), np.random.default_rng(1).normal(size=(3, 30))
    alone = fn.activity(model, x, draws=5003, threads=1, progress=False)
    for threads in (2, 5):
        assert alone.identical(fn.activity(model, x, draws=5003, threads=threads, progress=False))
    assert not alone.equals(fn.activity(model, x, draws=5003, seed=1, progress=False))


def test_a_sample_alone_is_as_among_others():
    """The weights of an input that is 0 in one sample alone are drawn for the others and change nothing."""
    model = fn.Network((3, 4, 2))
    whole = fn.activity(model, X, draws=50, progress=False)
    for k in range(len(X)):
        alone = fn.activity(model, X[k : k + 1], draws=50, progress=False)
        np.testing.assert_array_equal(alone["histogram"][:, 0], whole["histogram"][:, k])
        np.testing.assert_allclose(alone["mean"][:, 0], whole["mean"][:, k], rtol=1e-14)


def test_bins_fit_the_activation():
    def ends(activation):
        model = fn.Network((3, 4), output=activation)
        found = fn.activity(model, X, draws=500, progress=False)
        assert (found["outside"] <= 500 * 4 * 0.1).all()
        return found["bin_left"].values[0, 0], found["bin_right"].values[0, -1]

    for activation in (fn.Sigmoid(), fn.HardSigmoid(), fn.Step()):
        assert ends(activation) == (0.0, 1.0)
    assert ends(fn.Tanh(2.0)) == (-1.0, 1.0)
    assert ends(fn.ReLU())[0] == 0.0
    low, high = ends(fn.Identity())
    assert -12 < low < -2 and 2 < high < 12


def test_progress_counts_the_networks():
    told = []
    fn.activity(
        fn.Network((30, 20)), np.ones((1, 30)), draws=9000, progress=lambda *numbers: told.append(numbers)
    )
    assert told[0] == (0, 9000) and told[-1] == (9000, 9000) and len(told) > 3
    assert told == sorted(told)


def test_an_interrupt_ends_the_work():
    """A hundred million networks would take minutes."""

    def stop(done, total):
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fn.activity(fn.Network((30, 20)), np.ones((1, 30)), draws=100_000_000, progress=stop)


def test_a_cancelled_group_ends_at_once():
    model = fn.Network((30, 20))
    task = engine._Task(engine._layers(model, engine._sources(model, None)), np.ones((1, 30)), 0, 0, 1, 1)
    assert task.totals(0, 16, [np.linspace(0, 1, 3)], np.ones(1, np.uint8)) is None


@pytest.mark.parametrize(
    "given, message",
    [
        ({"model": fn.Neuron()}, r"model must be a network such as Network\(\(784, 30, 10\)\), got Neuron"),
        ({"x": [1.0, 2.0, 3.0]}, r"x must be numbers of shape \(samples, 3\), got shape \(3,\)"),
        (
            {"x": np.zeros((2, 4))},
            r"x must be numbers of shape \(samples, 3\), got shape \(2, 4\)",
        ),
        ({"x": np.zeros((0, 3))}, r"x must be numbers of shape \(samples, 3\), got shape \(0, 3\)"),
        ({"x": [["a", "b", "c"]]}, r"x\[0, 0\] must be a finite number, got 'a'"),
        ({"x": [[1.0], [2.0, 3.0]]}, "x is ragged"),
        ({"x": [[1.0, np.nan, 2.0]]}, r"x\[0, 1\] must be a finite number, got nan"),
        ({"draws": 0}, "draws must be a whole number from 1 to 2147483647, got 0"),
        ({"draws": 1.5}, "draws must be a whole number"),
        ({"seed": -1}, "seed must be a whole number from 0 to 9223372036854775807, got -1"),
        ({"seed": 1.0}, "seed must be a whole number"),
        ({"low": "x"}, "low must be a finite number, got 'x'"),
        ({"high": np.nan}, "high must be a finite number, got nan"),
        ({"low": 0.6, "high": 0.4}, "low must be at most high, got 0.6 and 0.4"),
        ({"edges": [0.0]}, r"edges must be two or more ascending numbers, got \[0.0\]"),
        ({"edges": [0.0, 0.0]}, "edges must be two or more ascending"),
        ({"edges": "ab"}, "edges must be two or more ascending"),
        ({"threads": 0}, "threads must be a whole number of 1 or more, got 0"),
        ({"progress": 3}, "progress must be True, False, None or a callable, got 3"),
        ({"start": 3}, "start must be a dict of starts by parameter, got 3"),
        ({"start": {"layer0.wight": 0.0}}, "start: unknown parameter 'layer0.wight' .*'layer0.weight'"),
        ({"start": {"layer0.bias": "a"}}, r"start\['layer0.bias'\] must be normal.*array of shape \(2,\)"),
        ({"start": {"layer0.bias": [1.0]}}, r"array of shape \(2,\), got shape \(1,\)"),
        (
            {"start": {"layer0.bias": [1.0, np.inf]}},
            r"start\['layer0.bias'\]\[1\] must be a finite number, got inf",
        ),
    ],
)
def test_wrong_arguments_are_named(given, message):
    arguments = {"model": fn.Network((3, 2)), "x": X, "draws": 10, "progress": False} | given
    with pytest.raises(ValueError, match=message) as refused:
        fn.activity(arguments.pop("model"), arguments.pop("x"), **arguments)
    assert "\n" not in str(refused.value)


def test_samples_that_would_not_fit_are_refused(monkeypatch):
    monkeypatch.setattr("fastneuron.engine.memory.free_memory", lambda: 1000)
    with pytest.raises(MemoryError, match="the activity for 4 samples needs .* use fewer samples"):
        fn.activity(fn.Network((3, 2)), X, draws=10)

"""Pictures of dynamics: losses and steps computed by hand, paths of `descend`, colours at known pixels."""

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm, to_hex, to_rgb
from matplotlib.figure import Figure

import fastneuron as fn
from fastneuron import plot, toml
from fastneuron.outcomes import Outcome
from fastneuron.plot import palette
from fastneuron.plot.caption import caption
from fastneuron.plot.plane import plane_of

PLANES = [plot.landscape, plot.basins, plot.vector_field]
PICTURES = [*PLANES, plot.error, plot.period]


@pytest.fixture
def ax():
    figure = Figure(figsize=(8.0, 5.5), layout="constrained")
    FigureCanvasAgg(figure)
    return figure.add_subplot()


@pytest.fixture(autouse=True)
def no_figures_left():
    yield
    plt.close("all")


def sweep(**changes):
    given = {
        "task": fn.tasks.inverter(),
        "model": fn.Neuron(),
        "loss": fn.SquaredError(),
        "optimizer": fn.GradientDescent(learning_rate=30.0),
        "axes": {"bias": fn.linspace(-20, 20, 9), "weight": fn.linspace(-10, 10, 5)},
        "stop": fn.Stop(max_steps=300),
    }
    return fn.Sweep(**given | changes)


def empty(of):
    """A half-finished map of which nothing is computed yet."""
    fields = {
        name: (of.dims, np.full(of.shape, missing, kind))
        for name, kind, missing in (
            ("outcome", np.int8, -1),
            ("period", np.int32, -1),
            ("error", float, np.nan),
        )
    }
    return xr.Dataset(fields, of.coordinates(), {"sweep": of.to_toml()})


def legend_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def assert_color(ax, x, y, color):
    """The colour drawn at the data point (x, y)."""
    canvas = ax.figure.canvas
    if ax.figure.stale:
        canvas.draw()
    column, row = ax.transData.transform((x, y))
    pixels = np.asarray(canvas.buffer_rgba())
    seen = pixels[len(pixels) - 1 - int(row), int(column), :3].astype(int)
    assert np.abs(seen - 255 * np.array(to_rgb(color))).max() <= 2


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def squared_error(w, b):
    """Of the inverter: sigmoid(b) should be 1, sigmoid(w + b) 0."""
    return ((sigmoid(b) - 1) ** 2 + sigmoid(w + b) ** 2) / 4


def cross_entropy(w, b):
    return (np.logaddexp(0, -b) + np.logaddexp(0, w + b)) / 2


def slope_of_squared_error(w, b):
    """Derivatives of `squared_error` in w and b."""
    low, high = sigmoid(b), sigmoid(w + b)
    in_w = high**2 * (1 - high) / 2
    return in_w, in_w + (low - 1) * low * (1 - low) / 2


POINTS = np.random.default_rng(7).uniform(-10, 10, (2, 50))


@pytest.mark.parametrize(
    ("changes", "by_hand"),
    [
        ({}, squared_error),
        ({"loss": fn.CrossEntropy()}, cross_entropy),
        (
            {"loss": fn.CrossEntropy(), "penalty": fn.L2(0.3, 0.1)},
            lambda w, b: cross_entropy(w, b) + 0.15 * w**2 + 0.05 * b**2,
        ),
        ({"penalty": fn.L1(0.2)}, lambda w, b: squared_error(w, b) + 0.2 * np.abs(w)),
    ],
)
def test_the_loss_over_a_plane_is_that_which_the_sweep_descends(changes, by_hand):
    plane = plane_of(empty(sweep(**changes)))
    np.testing.assert_allclose(plane.loss(*POINTS), by_hand(*POINTS), rtol=1e-11)


@pytest.mark.parametrize("bias", [None, -3.0])
def test_a_parameter_that_is_no_axis_has_its_start(bias):
    axes = {"weight_0": fn.linspace(-5, 5, 3), "weight_1": fn.linspace(-5, 5, 3)}
    nand = sweep(
        task=fn.tasks.gate("nand"),
        model=fn.Neuron(inputs=2),
        axes=axes,
        start={} if bias is None else {"bias": bias},
    )
    b = bias or 0.0
    v, u = POINTS
    expected = 0.0
    for x, y, target in ((0, 0, 1), (0, 1, 1), (1, 0, 1), (1, 1, 0)):
        expected = expected + (sigmoid(v * x + u * y + b) - target) ** 2 / 8
    plane = plane_of(empty(nand))
    assert plane.names == ("weight_1", "weight_0")
    np.testing.assert_allclose(plane.loss(u, v), expected, rtol=1e-12)


def test_many_samples_are_taken_in_pieces():
    plane = plane_of(empty(sweep(task=fn.tasks.flipped_step(2**13))))
    u, v = np.linspace(-3, 3, 1200), np.linspace(2, -2, 1200)
    x = np.linspace(0, 1, 2**13)
    for k in (0, 599, 600, 1199):
        expected = np.mean((sigmoid(u[k] * x + v[k]) - (x < 0.5)) ** 2) / 2
        np.testing.assert_allclose(plane.loss(u, v)[k], expected, rtol=1e-9)


@pytest.mark.parametrize("changes", [{}, {"loss": fn.CrossEntropy()}])
def test_every_point_of_a_contour_has_the_loss_of_its_level(changes, ax):
    plot.landscape(empty(sweep(**changes)), ax=ax)
    lines = ax.collections[1]
    by_hand = cross_entropy if changes else squared_error
    assert len(lines.levels) > 5
    for level, line in zip(lines.levels, lines.get_paths(), strict=True):
        assert len(line.vertices) > 10
        np.testing.assert_allclose(by_hand(*line.vertices.T), level, rtol=0.03)  # between its points


def test_levels_are_1_2_3_5_times_powers_of_ten_where_the_loss_spans_decades(ax):
    contours = plot.landscape(empty(sweep()), ax=ax)
    assert isinstance(contours.norm, LogNorm)
    expected = [m * 10.0**power for power in (-4, -3, -2, -1) for m in (1, 2, 3, 5)]
    np.testing.assert_allclose(contours.levels, expected[3:])
    bar = ax.figure.axes[1]
    assert bar.get_ylabel() == "loss"
    assert [label.get_text() for label in bar.get_yticklabels()] == [
        "0.001",
        "0.003",
        "0.01",
        "0.03",
        "0.1",
        "0.3",
    ]


def test_levels_are_even_where_the_loss_spans_little(ax):
    small = sweep(axes={"bias": fn.linspace(-1, 1, 3), "weight": fn.linspace(-1, 1, 3)})
    contours = plot.landscape(empty(small), ax=ax)
    assert not isinstance(contours.norm, LogNorm)
    np.testing.assert_allclose(np.diff(contours.levels), contours.levels[1] - contours.levels[0])


def test_a_penalty_is_named_and_its_landscape_is_lowest_at_the_known_optimum(ax):
    """The optimum has been computed with 50 digits."""
    regular = sweep(loss=fn.CrossEntropy(), penalty=fn.L2(0.1))
    plot.landscape(empty(regular), ax=ax)
    assert ax.figure.axes[1].get_ylabel() == "loss + penalty"
    assert caption(empty(regular)).endswith("cross entropy, L2 0.1, gradient descent, learning rate 30")
    w, b = -1.567539785722, 0.7837698928612
    around = np.array([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1]]).T * 1e-4
    losses = plane_of(empty(regular)).loss(w + around[0], b + around[1])
    assert losses.argmin() == 0


def test_where_the_loss_is_not_finite_a_landscape_is_dark(ax):
    wild = sweep(
        model=fn.Neuron(activation=fn.ReLU()),
        loss=fn.CrossEntropy(),
        axes={"bias": fn.linspace(-2, 2, 3), "weight": fn.linspace(-2, 2, 3)},
    )
    plot.landscape(empty(wild), ax=ax)
    assert_color(ax, 1.0, 1.5, palette.COLORS[Outcome.DIVERGED])
    assert legend_of(ax) == ["not finite"]


@pytest.mark.parametrize("activation, loss", [(fn.Step(), fn.SquaredError()), (fn.ReLU(), fn.CrossEntropy())])
@pytest.mark.parametrize("draw", PLANES)
def test_flat_and_lost_planes_are_drawn(draw, activation, loss, ax):
    flat = sweep(
        model=fn.Neuron(activation=activation),
        loss=loss,
        axes={"bias": fn.linspace(2, 3, 3), "weight": fn.linspace(1, 2, 3)},
    )
    draw(empty(flat), ax=ax)
    ax.figure.canvas.draw()


def arrows_of(field):
    return field.XY.T, np.stack([field.U, field.V]), np.asarray(field.get_array())


def test_arrows_point_against_the_gradient_and_are_coloured_by_the_length_of_the_step(ax):
    field = plot.vector_field(empty(sweep()), ax=ax, arrows=8)
    (w, b), arrows, lengths = arrows_of(field)
    assert len(w) == 64
    # cells reach half a step beyond the axes: -12.5 .. 12.5 and -22.5 .. 22.5
    np.testing.assert_allclose(np.unique(w.round(9)), np.linspace(-12.5, 12.5, 17)[1::2])
    np.testing.assert_allclose(np.unique(b.round(9)), np.linspace(-22.5, 22.5, 17)[1::2])
    slope = np.stack(slope_of_squared_error(w, b))
    clear = np.hypot(*slope) > 1e-8  # below, the step is lost in rounding
    assert clear.sum() > 40
    along = (arrows * -slope).sum(axis=0) / np.hypot(*arrows) / np.hypot(*slope)
    np.testing.assert_allclose(along[clear], 1.0, atol=1e-6)
    np.testing.assert_allclose(lengths[clear], 30 * np.hypot(*slope)[clear], rtol=1e-6)
    np.testing.assert_allclose(np.hypot(arrows[0] / 25, arrows[1] / 45), 0.8 / 8)
    assert isinstance(field.norm, LogNorm) and field.norm.vmax == lengths.max()


def test_arrows_are_the_first_step_of_the_sweeps_own_optimizer(ax):
    (w, b), arrows, lengths = arrows_of(
        plot.vector_field(empty(sweep(optimizer=fn.SignDescent(0.5))), ax=ax, arrows=4)
    )
    slope = np.stack(slope_of_squared_error(w, b))
    np.testing.assert_array_equal(np.sign(arrows), -np.sign(slope))
    np.testing.assert_allclose(lengths, 0.5 * np.sqrt(2), rtol=1e-12)


def test_arrows_on_logarithmic_axes_have_the_direction_that_is_seen(ax):
    logarithmic = sweep(axes={"bias": fn.geomspace(0.1, 10, 5), "weight": fn.geomspace(0.1, 1000, 5)})
    (w, b), arrows, _ = arrows_of(plot.vector_field(empty(logarithmic), ax=ax, arrows=5))
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    seen = np.log10(np.stack([w, b]) + arrows) - np.log10([w, b])
    wanted = -np.stack(slope_of_squared_error(w, b)) / [w, b]
    clear = np.hypot(*wanted) > 1e-8
    along = (seen * wanted).sum(axis=0) / np.hypot(*seen) / np.hypot(*wanted)
    assert clear.sum() > 10
    np.testing.assert_allclose(along[clear], 1.0, atol=1e-6)


def test_a_step_neuron_has_no_arrows_but_dots(ax):
    field = plot.vector_field(empty(sweep(model=fn.Neuron(activation=fn.Step()))), ax=ax, arrows=5)
    assert len(field.U) == 0
    assert [len(line.get_xdata()) for line in ax.lines] == [25]
    assert legend_of(ax) == ["does not move"]


def test_a_step_to_what_is_not_finite_is_a_cross(ax):
    wild = sweep(
        model=fn.Neuron(activation=fn.ReLU()),
        loss=fn.CrossEntropy(),
        axes={"bias": fn.linspace(-2, 2, 3), "weight": fn.linspace(-2, 2, 3)},
    )
    field = plot.vector_field(empty(wild), ax=ax, arrows=10)
    w, b = ax.lines[-1].get_data()
    outside = (b <= 0) | (b >= 1) | (w + b >= 1)
    assert outside.all()
    assert len(w) + len(field.U) == 100
    assert legend_of(ax) == ["not finite"]


def test_paths_from_the_points_of_a_map_come_to_its_outcomes_and_final_parameters(ax):
    result = sweep().run()
    points = [(w, b) for b in result.bias.values for w in result.weight.values]
    lines = plot.basins(result, ax=ax, starts=points)
    outcomes = result.outcome.values.ravel()
    assert len(set(outcomes.tolist())) > 2
    for k, line in enumerate(lines):
        u, v = line.get_data()
        assert (u[0], v[0]) == points[k]
        assert (u[-1], v[-1]) == (result.final_weight.values.flat[k], result.final_bias.values.flat[k])
        assert line.get_color() == palette.COLORS[Outcome(outcomes[k])]
        assert len(u) == result.steps.values.flat[k] + 1


def test_a_path_is_what_descend_gives_with_its_marks_at_both_ends(ax):
    given = sweep(optimizer=fn.Momentum(5.0, 0.5))
    (line,) = plot.basins(empty(given), ax=ax, starts=[(3, -4)], under="landscape")
    path = fn.descend(
        given.task,
        given.model,
        loss=given.loss,
        optimizer=given.optimizer,
        start={"weight": 3.0, "bias": -4.0},
        steps=300,
        stop=given.stop,
    )
    ended = int(path.ended)
    np.testing.assert_array_equal(line.get_xdata(), path.weight.values[: ended + 1])
    np.testing.assert_array_equal(line.get_ydata(), path.bias.values[: ended + 1])
    marks = {mark.get_marker(): mark.get_xydata().tolist() for mark in ax.lines[1:]}
    assert marks == {"o": [[3.0, -4.0]], "s": [[path.weight.values[ended], path.bias.values[ended]]]}
    assert legend_of(ax) == [Outcome(int(path.outcome)).name.lower(), "start", "end"]


@pytest.mark.parametrize("start", [(-8, -8), (-7.5, 16.3), (2, -6), (9, -11)])
def test_an_arrow_head_halfway_points_where_the_path_goes(start, ax):
    (line,) = plot.basins(
        empty(sweep(loss=fn.CrossEntropy(), optimizer=fn.GradientDescent(1.0))), ax=ax, starts=[start]
    )
    (text,) = ax.texts
    ax.figure.canvas.draw()
    path = ax.transData.transform(line.get_xydata())
    left, apex, right = text.arrow_patch.get_path().vertices[3:6]
    way = apex - (left + right) / 2
    assert np.hypot(*way) > 1.4 * np.hypot(*(left - right))
    at = int(np.argmin(np.hypot(*(path[:-1] + path[1:] - 2 * apex).T)))
    ahead = path[at + 1] - path[at]
    assert way @ ahead > 0.999 * np.hypot(*way) * np.hypot(*ahead)
    assert to_hex(text.arrow_patch.get_facecolor()) == line.get_color().lower()


def test_the_given_number_of_paths_starts_all_over_the_plane_the_same_every_time(ax):
    first, second = (
        [line.get_xydata()[0] for line in plot.basins(empty(sweep()), ax=ax, paths=40)] for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)
    u, v = np.transpose(first)
    quarters = np.histogram2d(u, v, bins=2, range=[[-12.5, 12.5], [-22.5, 22.5]])[0]
    assert quarters.sum() == 40 and quarters.min() >= 8


def test_the_map_below_paths_is_pale_and_its_shares_are_in_the_legend(ax):
    result = empty(sweep()).assign(outcome=(("bias", "weight"), np.full((9, 5), 1, np.int8)))
    result["outcome"].values[0] = -1
    result["outcome"].values[1:3] = 4
    plot.basins(result, ax=ax, starts=[(-8.0, 4.9)])
    assert_color(ax, 7, 12, palette.muted(palette.COLORS[Outcome.REACHED]))
    assert_color(ax, 7, -13, palette.muted(palette.COLORS[Outcome.DIVERGED]))
    assert legend_of(ax) == ["reached  75.0 %", "diverged  25.0 %", "not computed", "start", "end"]


def test_without_outcomes_there_are_still_paths_over_the_landscape(ax):
    result = empty(sweep()).drop_vars("outcome")
    assert len(plot.basins(result, ax=ax, under="landscape", paths=3)) == 3
    with pytest.raises(ValueError, match="no 'outcome'"):
        plot.basins(result, ax=ax)


@pytest.mark.parametrize("draw", PLANES)
def test_axes_can_be_exchanged(draw, ax):
    draw(empty(sweep()), ax=ax)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("weight", "bias")
    assert (ax.get_xlim(), ax.get_ylim()) == ((-12.5, 12.5), (-22.5, 22.5))
    for names in ({"x": "bias"}, {"y": "weight"}, {"x": "bias", "y": "weight"}):
        other = Figure().add_subplot()
        draw(empty(sweep()), ax=other, **names)
        assert (other.get_xlabel(), other.get_ylabel()) == ("bias", "weight")
        assert (other.get_xlim(), other.get_ylim()) == ((-22.5, 22.5), (-12.5, 12.5))


def test_exchanged_axes_keep_the_losses_and_the_paths_at_their_parameters(ax):
    plane = plane_of(empty(sweep()), x="bias")
    np.testing.assert_allclose(plane.loss(POINTS[1], POINTS[0]), squared_error(*POINTS), rtol=1e-11)
    (there,) = plot.basins(empty(sweep()), ax=ax, starts=[(3, -4)])
    (back,) = plot.basins(empty(sweep()), ax=ax, starts=[(-4, 3)], x="bias")
    np.testing.assert_array_equal(there.get_xydata(), back.get_xydata()[:, ::-1])


def test_a_selected_place_of_further_axes_counts(ax):
    base = sweep().axes
    faceted = sweep(
        axes={"learning_rate": [1.0, 10.0], **base, "gain": [1.0, 2.0], "strength": [0.0, 0.2]},
        penalty=fn.L2(0.5),
    )
    result = empty(faceted).isel(learning_rate=1, gain=1, strength=1)
    losses = plane_of(result).loss(*POINTS)
    np.testing.assert_allclose(losses, squared_error(*2 * POINTS) + 0.1 * POINTS[0] ** 2, rtol=1e-11)
    (w, b), _, lengths = arrows_of(plot.vector_field(result, ax=ax, arrows=3))
    slope = 2 * np.stack(slope_of_squared_error(2 * w, 2 * b))
    slope[0] += 0.2 * w
    np.testing.assert_allclose(lengths, 10 * np.hypot(*slope), rtol=1e-6, atol=1e-12)
    assert caption(result).endswith("squared error, L2 0.2, gradient descent, learning rate 10\ngain 2")


def test_a_selected_parameter_is_where_it_starts():
    axes = {"weight_0": [-1.0, 1.0], "bias": [0.0, 3.0], "weight_1": [-2.0, 2.0]}
    nand = sweep(task=fn.tasks.gate("nand"), model=fn.Neuron(inputs=2), axes=axes)
    selected = plane_of(empty(nand).sel(bias=3.0))
    fixed = sweep(
        task=fn.tasks.gate("nand"),
        model=fn.Neuron(inputs=2),
        axes={"weight_0": [-1.0, 1.0], "weight_1": [-2.0, 2.0]},
        start={"bias": 3.0},
    )
    assert selected.sweep == fixed


def xor(axes):
    """With 17 parameters, which need no kernel of their own."""
    first = {"layer0.weight": [[2, -2, 1, 0], [2, -2, -1, 0.5]], "layer0.bias": [-1, 3, 0, 2]}
    second = {"layer1.weight": [[2.5], [2], [-0.5], [1]], "layer1.bias": [-3]}
    return sweep(
        task=fn.tasks.gate("xor"),
        model=fn.Network((2, 4, 1)),
        start=first | second,
        axes=axes,
        penalty=fn.L2(0.1),
    )


def test_a_network_has_planes_of_two_of_its_numbers():
    axes = {"layer1.bias[0]": [-1.0, 1.0], "layer0.weight[0,1]": [-1.0, 0.0, 1.0], "layer0.bias[1]": [1, 4]}
    given = xor(axes)
    plane = plane_of(empty(given).isel({"layer0.bias[1]": 1}))
    u, v = np.array([0.3, -0.7]), np.array([0.2, 5.0])
    for k in range(2):
        first = np.array([[2, u[k], 1, 0], [2, -2, -1, 0.5]])
        second = np.array([[2.5], [2], [-0.5], [1]])
        parameters = {
            "layer0.weight": first,
            "layer0.bias": [-1.0, 4.0, 0.0, 2.0],
            "layer1.weight": second,
            "layer1.bias": [v[k]],
        }
        outputs = fn.forward(given.model, parameters, given.task.x)
        expected = np.mean((outputs - given.task.y[:, 0]) ** 2) / 2
        expected += 0.05 * ((first**2).sum() + (second**2).sum())
        np.testing.assert_allclose(plane.loss(u, v)[k], expected, rtol=1e-12)


def test_paths_of_a_network_follow_the_two_numbers(ax):
    result = xor({"layer1.bias[0]": [-1.0, 1.0], "layer0.weight[0,1]": [-1.0, 1.0]}).run(
        keep=["outcome", "final"]
    )
    lines = plot.basins(result, ax=ax, starts=[(-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0)])
    ends = [line.get_xydata()[-1].tolist() for line in lines]
    finals = zip(
        result["final_layer0.weight"].values[:, :, 0, 1].ravel(),
        result["final_layer1.bias"].values[:, :, 0].ravel(),
        strict=True,
    )
    assert ends == [list(pair) for pair in finals]


@pytest.mark.parametrize("draw", PLANES)
def test_what_is_no_plane_of_parameters_is_one_clear_error(draw):
    rates = sweep(axes={"learning_rate": [1.0, 2.0], "weight": [0.0, 1.0]})
    with pytest.raises(ValueError, match="'learning_rate' is no parameter of the model.* weight and bias"):
        draw(empty(rates))
    offsets = {"layer0.offset": [0.0, 1.0], "layer0.weight[0,0]": [0.0, 1.0]}
    network = sweep(model=fn.Network((1, 1)), axes=offsets)
    with pytest.raises(
        ValueError, match=r"'layer0.offset' is no .* layer0.weight\[0,0\] and layer0.bias\[0\]"
    ):
        draw(empty(network))
    with pytest.raises(ValueError, match=r"over two parameters, got 1 axes \(weight\)"):
        draw(empty(rates).isel(learning_rate=0))
    with pytest.raises(ValueError, match=r"got 3 axes .*select others with \.isel"):
        draw(empty(sweep(axes={"learning_rate": [1.0], **sweep().axes})))
    lost = empty(sweep(axes={"learning_rate": [1.0], **sweep().axes})).isel(learning_rate=0, drop=True)
    with pytest.raises(ValueError, match="does not tell where it was selected on axis 'learning_rate'"):
        draw(lost)
    with pytest.raises(ValueError, match="lacks its sweep"):
        draw(empty(sweep()).drop_attrs())
    with pytest.raises(ValueError, match="whole result"):
        draw(empty(sweep()).outcome)
    axes = {"weight_0": [0.0, 1.0], "weight_1": [0.0, 1.0]}
    task, model = fn.tasks.gate("nand"), fn.Neuron(inputs=2)
    random = sweep(task=task, model=model, axes=axes, start={"bias": fn.normal(0, 1)})
    with pytest.raises(ValueError, match=r"start.bias is random, Normal\(mean=0.0, sd=1.0\)"):
        draw(empty(random))
    layer = sweep(
        model=fn.Network((1, 1)),
        start={"layer0.weight": [[0]], "layer0.bias": [0]},
        axes={"layer0.learning_rate": [1.0], "layer0.weight[0,0]": [0.0, 1.0], "layer0.bias[0]": [0.0, 1.0]},
    )
    with pytest.raises(ValueError, match="where layer0.learning_rate is an axis"):
        draw(empty(layer).isel({"layer0.learning_rate": 0}))
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    ("draw", "options", "message"),
    [
        (plot.landscape, {"x": "wieght"}, r"x must be 'bias' or 'weight', got 'wieght' \(did you mean"),
        (plot.landscape, {"x": "bias", "y": "bias"}, "different axes, got 'bias' twice"),
        (plot.vector_field, {"arrows": 1}, "arrows must be a whole number from 2 to 200, got 1"),
        (plot.basins, {"paths": 0}, "paths must be a whole number from 1 to 1000, got 0"),
        (plot.basins, {"under": "loss"}, "under must be 'outcome' or 'landscape', got 'loss'"),
        (plot.basins, {"starts": [1.0, 2.0]}, "starts must be pairs of finite numbers"),
        (plot.basins, {"starts": [[1.0, np.nan]]}, r"starts\[0, 1\] must be a finite number, got nan"),
        (plot.basins, {"starts": [[1.0], [2.0, 3.0]]}, "starts is ragged"),
        (plot.basins, {"starts": []}, "starts must be pairs of finite numbers"),
    ],
)
def test_wrong_options_are_named(draw, options, message):
    with pytest.raises(ValueError, match=message):
        draw(empty(sweep()), **options)
    assert plt.get_fignums() == []


@pytest.mark.parametrize("draw", PICTURES)
def test_a_given_ax_is_drawn_on_without_a_legend_and_nothing_global_changes(draw, ax):
    settings = mpl.rcParams.copy()
    draw(sweep().run(), ax=ax, legend=False, title="mine")
    assert plt.get_fignums() == [] and mpl.rcParams == settings
    assert ax.get_legend() is None and len(ax.figure.axes) == 1
    assert ax.get_title(loc="left") == "mine"


@pytest.mark.parametrize("draw", PICTURES)
def test_legends_stay_inside_the_figure_and_outside_the_axes(draw, ax):
    result = sweep(axes={"bias": fn.linspace(-20, 20, 9), "weight": fn.linspace(-10, 60, 5)}).run()
    result["outcome"].values[4] = -1
    draw(result, ax=ax)
    ax.figure.canvas.draw()
    assert ax.get_legend() is not None or draw is plot.landscape
    boxes = [other.get_tightbbox() for other in ax.figure.axes[1:]]
    boxes += [] if ax.get_legend() is None else [ax.get_legend().get_window_extent()]
    for box in boxes:
        assert box.x0 >= 0 and box.y0 >= 0
        assert box.x1 <= ax.figure.bbox.x1 and box.y1 <= ax.figure.bbox.y1
        assert not box.overlaps(ax.bbox)


def with_fields(**fields):
    """A strip of cells with these values, outcomes all REACHED unless given."""
    size = len(next(iter(fields.values())))
    kinds = {"outcome": np.int8, "period": np.int32, "error": float}
    fields = {"outcome": [1] * size} | fields
    variables = {
        name: (("bias", "weight"), np.array([values], kinds[name])) for name, values in fields.items()
    }
    return xr.Dataset(variables, {"bias": [0.0], "weight": np.arange(float(size))})


def test_errors_are_on_a_logarithmic_scale_only_where_they_span_decades(ax):
    cells = plot.error(with_fields(error=[1e-3, 0.1, 1.0]), ax=ax)
    assert isinstance(cells.norm, LogNorm)
    assert_color(ax, 0, 0, "#FDE725")
    assert_color(ax, 2, 0, "#440154")
    assert ax.figure.axes[1].get_ylabel() == "final error"
    other = Figure().add_subplot()
    cells = plot.error(with_fields(error=[0.0, 0.1, 1.0]), ax=other)
    assert not isinstance(cells.norm, LogNorm) and (cells.norm.vmin, cells.norm.vmax) == (0.0, 1.0)
    np.testing.assert_array_equal(cells.get_array(), [[0.0, 0.1, 1.0]])


def test_an_error_map_shows_what_is_zero_not_finite_and_not_computed(ax):
    data = with_fields(error=[1e-3, 0.0, np.nan, 1.0, 5.0], outcome=[1, 1, 4, 1, -1])
    plot.error(data, ax=ax)
    assert_color(ax, 1, 0, "#FFFFFF")
    assert_color(ax, 2, 0, palette.COLORS[Outcome.DIVERGED])
    assert_color(ax, 3, 0, "#440154")
    assert legend_of(ax) == ["0", "not finite", "not computed"]


def test_an_error_map_holds_the_errors_of_the_result(ax):
    result = sweep().run()
    cells = plot.error(result, ax=ax)
    np.testing.assert_array_equal(cells.get_array(), result.error)


def test_every_period_has_its_colour_and_what_does_not_cycle_is_pale(ax):
    data = with_fields(period=[2, 2, 3, 0, 1, 64], outcome=[3, 3, 3, 0, 2, 3])
    plot.period(data, ax=ax)
    for place, color in ((0, 0), (1, 0), (2, 1), (5, 2)):
        assert_color(ax, place, 0, palette.CATEGORIES[color])
    for place in (3, 4):
        assert_color(ax, place, 0, palette.muted(palette.OTHER))
    assert legend_of(ax) == ["2  33.3 %", "3  16.7 %", "64  16.7 %", "none  33.3 %"]


def test_beyond_eight_periods_the_rarest_are_one_entry_and_not_computed_counts_nowhere(ax):
    lengths = [*range(11, 1, -1), *range(2, 10), -1]
    cells = plot.period(with_fields(period=lengths, outcome=[3] * 18 + [-1]), ax=ax)
    names = legend_of(ax)
    assert names[:2] == ["2  11.1 %", "3  11.1 %"] and names[8:] == ["other (2)  11.1 %", "not computed"]
    assert_color(ax, 0, 0, palette.OTHER)
    assert_color(ax, 2, 0, palette.CATEGORIES[7])
    assert np.ma.getmaskarray(cells.get_array()).ravel().tolist() == [False] * 18 + [True]


def test_just_above_the_largest_stable_learning_rate_the_period_is_2(ax):
    """Cross-entropy with L2 of strength 0.1 loses its fixed point at the rate 6.26776218461."""
    rates = [6.0, 6.2, 6.4, 6.6]
    above = sweep(
        loss=fn.CrossEntropy(),
        penalty=fn.L2(0.1),
        axes={"weight": [-1.0, 0.0], "learning_rate": rates},
        stop=fn.Stop(max_steps=5000, tolerance=0.0),
    )
    plot.period(above.run(), ax=ax)
    assert legend_of(ax) == ["2  50.0 %", "none  50.0 %"]
    for rate, color in zip(
        rates, [palette.muted(palette.OTHER)] * 2 + [palette.CATEGORIES[0]] * 2, strict=True
    ):
        assert_color(ax, rate, -0.5, color)


@pytest.mark.parametrize("kind", ["basins", "error", "landscape", "period", "vector_field"])
def test_a_file_carries_the_sweep_and_the_options_and_is_made_again_from_them(kind, tmp_path):
    options = {"basins": {"starts": [(3, -4.5)], "under": "landscape"}, "vector_field": {"arrows": 3}}.get(
        kind, {}
    )
    plot.save(tmp_path / "first.png", sweep().run(), kind, size=(4, 3), dpi=50, **options)
    spec = toml.loads(plot.spec_in(tmp_path / "first.png"))
    picture = plot.Picture.from_spec(spec.pop("picture"))
    picture.save(tmp_path / "again.png", fn.Sweep.from_spec(spec).run())
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "again.png").read_bytes()

"""Shares, distributions of steps, loss curves, small multiples, style sheet: what they show of a result."""

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
import zarr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

import fastneuron as fn
from fastneuron import plot, tasks
from fastneuron.cli import pictures
from fastneuron.engine import tiles
from fastneuron.measures import shares as measured
from fastneuron.outcomes import Outcome
from fastneuron.plot import following, grid, palette
from fastneuron.plot.animate_response import one_run
from fastneuron.plot.facets import evenly, hyperparameters, labels_of
from fastneuron.plot.plane import plane_of
from fastneuron.plot.shown_part import shown_sweep
from fastneuron.plot.stacked import ORDER
from fastneuron.store.ledger import LEDGER

from .test_starts import REPLAYED

MAPS = ["outcome", "steps", "loss", "learned", "trainability"]


@pytest.fixture
def ax():
    figure = Figure(figsize=(6.4, 4.8), layout="constrained")
    FigureCanvasAgg(figure)
    return figure.add_subplot()


@pytest.fixture(autouse=True)
def no_figures_left():
    yield
    plt.close("all")


def result(codes, dims=("learning_rate", "bias", "weight"), coords=None, **variables):
    """A result whose steps, losses and tables follow from the codes."""
    codes = np.asarray(codes, np.int8)
    fields = {"outcome": codes, "steps": 10 * codes.astype(np.int32), "loss": 10.0 ** -codes.astype(float)}
    fields |= {"learned": codes.astype(np.int64) % 4, "loss_sum": codes + 1.0, "inverse_sum": codes + 2.0}
    fields |= {"late_loss": codes / 2.0} | variables
    given = {dim: np.arange(float(size)) for dim, size in zip(dims, codes.shape, strict=True)}
    return xr.Dataset({name: (dims, value) for name, value in fields.items()}, given | (coords or {}))


def sweep(axes=None, **changes):
    axes = {"bias": fn.linspace(-9, 9, 5), "weight": fn.linspace(-9, 9, 6)} if axes is None else axes
    parts = {"task": tasks.inverter(), "optimizer": fn.GradientDescent(30.0), "stop": fn.Stop(max_steps=200)}
    return fn.Sweep(axes=axes, **(parts | changes))


def legend_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def color_at(ax, x, y):
    """Colour drawn at the data point (x, y), as 0..255."""
    figure = ax.get_figure(root=True)
    if figure.stale:
        figure.canvas.draw()
    column, row = ax.transData.transform((x, y))
    pixels = np.asarray(figure.canvas.buffer_rgba())
    return pixels[len(pixels) - 1 - int(row), int(column), :3].astype(int)


def assert_color(ax, x, y, color):
    assert np.abs(color_at(ax, x, y) - 255 * np.array(to_rgb(color))).max() <= 2


def assert_inside(figure):
    """Nothing of a figure is cut off, and no legend lies on axes."""
    figure.canvas.draw()
    size = figure.bbox
    for text in [*figure.texts, *figure.legends]:
        box = text.get_window_extent()
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= size.x1 and box.y1 <= size.y1
        assert not any(box.overlaps(ax.bbox) for ax in figure.axes)
    for ax in figure.axes:
        box = ax.get_tightbbox()
        assert box.x0 >= -1 and box.y0 >= -1 and box.x1 <= size.x1 + 1 and box.y1 <= size.y1 + 1
        if ax.get_legend() is not None:
            assert not any(ax.get_legend().get_window_extent().overlaps(other.bbox) for other in figure.axes)


# which axis


def test_parameters_of_the_start_and_draws_are_no_hyperparameters():
    starts = ["weight", "weight_12", "bias", "start.bias", "layer0.weight[1,0]", "layer1.bias[0]"]
    starts += ["layer0.offset", "start.layer0.weight[1, 0]", "draw"]
    others = [
        "learning_rate",
        "layer0.learning_rate",
        "start.sd",
        "penalty.strength",
        "bias_strength",
        "gain",
    ]
    assert hyperparameters(xr.Dataset(), [*starts, *others]) == others


def test_values_are_named_in_as_few_digits_as_tell_them_apart():
    minus = "\N{MINUS SIGN}"
    assert labels_of(np.geomspace(1, 1000, 6)) == ["1", "3.98", "15.8", "63.1", "251", "1000"]
    assert labels_of(np.array([-0.5, 1e-7, 2e9])) == [f"{minus}0.5", f"1e{minus}7", "2e9"]
    assert labels_of(np.array([1.0001, 1.0002])) == ["1.0001", "1.0002"]
    assert labels_of(np.array([3, 12345678])) == ["3", "12345678"]
    assert labels_of(np.array(["adam", "sign"])) == ["adam", "sign"]


def test_evenly_chosen_places_are_distinct_and_have_both_ends():
    for length in range(1, 40):
        for most in range(1, 15):
            places = evenly(length, most)
            assert len(np.unique(places)) == len(places) == min(length, most)
            assert most == 1 or places[0] == 0 and places[-1] == length - 1


# shares


def test_counts_along_an_axis_are_those_of_each_value(monkeypatch):
    monkeypatch.setattr("fastneuron.store.blocks.BLOCK_POINTS", 7)
    codes = np.random.default_rng(1).integers(-1, 6, (4, 5, 6)).astype(np.int8)
    array = xr.DataArray(codes, dims=("a", "b", "c"))
    for axis, name in enumerate("abc"):
        slices = np.moveaxis(codes, axis, 0)
        expected = [[(part == code).sum() for code in range(-1, 6)] for part in slices]
        assert measured.counts_along(array, name).tolist() == expected
    array[0, 0, 0] = 6
    with pytest.raises(ValueError, match="from -1 .* to 5, got 6"):
        measured.counts_along(array, "b")


def test_shares_are_stacked_in_a_fixed_order_and_the_legend_reads_the_same_from_above(ax):
    codes = np.tile(np.arange(6), (12, 1))
    drawn = plot.shares(result(codes, ("learning_rate", "draw")), ax=ax)
    assert [part.get_label() for part in drawn] == [member.name.lower() for member in ORDER]
    assert legend_of(ax) == [part.get_label() for part in drawn][::-1]
    for place, member in enumerate(ORDER):
        assert_color(ax, 5.0, (place + 0.5) / 6, palette.COLORS[member])
    heights = np.array([part.get_data().values for part in drawn])
    np.testing.assert_allclose(heights[-1], 1.0, rtol=1e-12)
    assert ax.get_xlabel() == "learning rate"


@pytest.mark.parametrize("every", [1, 3])
def test_shares_of_uneven_and_descending_axes_are_drawn_at_their_values(ax, every, monkeypatch):
    monkeypatch.setattr("fastneuron.plot.outcome_shares.MOST_COLUMNS", 12 // every)
    rates = np.geomspace(1e3, 1e-3, 12)
    codes = np.ones((12, 4), int)
    codes[:3] = 4  # the largest
    codes[3:6, :2] = 4
    plot.shares(result(codes, ("learning_rate", "weight"), {"learning_rate": rates}), ax=ax)
    assert ax.get_xscale() == "log" and ax.get_xlim()[1] > 1e3
    assert_color(ax, 900, 0.1, palette.COLORS[Outcome.DIVERGED])
    assert_color(ax, rates[4], 0.4, palette.COLORS[Outcome.REACHED])
    assert_color(ax, rates[4], 0.6, palette.COLORS[Outcome.DIVERGED])
    assert_color(ax, 0.002, 0.9, palette.COLORS[Outcome.REACHED])


def test_few_numbers_and_names_are_bars_with_their_labels(ax):
    data = result([[1, 4], [1, 1], [4, 4]], ("learning_rate", "draw"), {"learning_rate": [100.0, 10, 1]})
    plot.shares(data, ax=ax)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "10", "100"]
    assert_color(ax, 0, 0.25, palette.COLORS[Outcome.DIVERGED])
    assert_color(ax, 1, 0.75, palette.COLORS[Outcome.REACHED])
    assert_color(ax, 2, 0.25, palette.COLORS[Outcome.REACHED])
    ax.clear()
    names = [f"optimizer {k}" for k in range(9, -1, -1)]
    bars = plot.shares(result(np.ones((10, 2)), ("optimizer", "draw"), {"optimizer": names}), ax=ax)
    assert [label.get_text() for label in ax.get_xticklabels()] == names and len(bars[0]) == 10
    assert_inside(ax.figure)


def test_the_axis_of_shares_is_the_first_hyperparameter_else_the_last(ax):
    plot.shares(result(np.ones((2, 3, 4)), ("bias", "weight", "gain")), ax=ax)
    assert ax.get_xlabel() == "gain"
    plot.shares(result(np.ones((2, 3)), ("bias", "weight")), ax=ax)
    assert ax.get_xlabel() == "weight"
    plot.shares(result(np.ones((2, 3)), ("weight", "draw")), ax=ax)
    assert ax.get_xlabel() == "weight"
    plot.shares(result(np.ones((2, 3, 4))), along="bias", ax=ax)
    assert ax.get_xlabel() == "bias"


def test_shares_over_draws_alone_are_one_bar(ax):
    drawn = plot.shares(result([1, 1, 4, 1], ("draw",)), ax=ax)
    assert [bar[0].get_height() for bar in drawn] == [0.75, 0.25]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["4 draws"]


def test_what_is_not_computed_is_the_hatched_top_of_the_shares(ax):
    drawn = plot.shares(result([[1, 1, -1, -1], [1, 4, 4, -1]], ("gain", "draw")), ax=ax)
    assert [bar[0].get_height() for bar in drawn] == [0.5, 0.0, 0.5]
    assert legend_of(ax) == ["not computed", "diverged", "reached"]
    assert drawn[-1][0].get_hatch() and drawn[-1][1].get_y() == 0.75
    assert plot.shares(result(np.full((2, 2), -1), ("gain", "draw")), ax=ax)[0].get_label() == "not computed"


def test_shares_name_what_is_wrong():
    with pytest.raises(
        ValueError, match="along must be one of the axes learning_rate, bias, weight, got 'b'"
    ):
        plot.shares(result(np.ones((1, 1, 1))), along="b")
    with pytest.raises(ValueError, match="single start"):
        plot.shares(result(1, ()))
    with pytest.raises(ValueError, match="no 'outcome'"):
        plot.shares(result([1], ("bias",)).drop_vars("outcome"))
    assert plt.get_fignums() == []


# the distribution of steps


@pytest.mark.parametrize("low", [0, 1, 3, 1000])
@pytest.mark.parametrize("factor", [1, 2, 40, 100_000])
def test_every_number_of_steps_is_in_the_bin_of_its_place(ax, low, factor, monkeypatch):
    monkeypatch.setattr("fastneuron.store.blocks.BLOCK_POINTS", 100)
    rng = np.random.default_rng(low + factor)
    steps = np.minimum(low + rng.integers(0, max(low, 1) * factor, 500), 2**31 - 1).astype(np.int32)
    steps[0] = low
    codes = rng.choice([1, 2, 3, 4], 500)
    drawn = plot.steps_distribution(result(codes, ("draw",), steps=steps), ax=ax)
    edges = drawn[0].get_data().edges
    whole = np.round(edges + (0.5 if ax.get_xscale() == "linear" else 0)).astype(int)
    assert (np.diff(whole) > 0).all() and whole[0] <= steps.min() and whole[-1] > steps.max()
    for part, member in zip(drawn, (Outcome.REACHED, Outcome.SETTLED, Outcome.CYCLING), strict=False):
        values, _, base = part.get_data()
        own = steps[codes == member]
        expected = [((own >= a) & (own < b)).mean() for a, b in zip(whole, whole[1:], strict=False)]
        np.testing.assert_allclose(values - base, np.array(expected) * len(own) / 500, atol=1e-12)
    assert ax.get_xscale() == ("symlog" if steps.max() >= 30 * max(steps.min(), 1) else "linear")
    np.testing.assert_allclose(drawn[-1].get_data().values.sum(), 1.0)


def test_starts_out_of_steps_are_told_but_not_drawn(ax):
    codes = [1] * 2 + [0] * 5 + [5] * 2 + [-1]
    steps = np.array([3, 4] + [2000] * 7 + [-1], np.int32)
    drawn = plot.steps_distribution(result(codes, ("draw",), steps=steps), ax=ax)
    assert ax.get_xlim()[1] < 10 and len(drawn) == 1
    np.testing.assert_allclose(drawn[0].get_data().values.sum(), 2 / 9)
    assert legend_of(ax) == [
        "reached  22.2 %",
        "not drawn, out of steps:",
        "unfinished  55.6 %",
        "stalled  22.2 %",
        "not computed",
    ]


def test_a_distribution_of_no_ended_start_says_so(ax):
    assert plot.steps_distribution(result([0, 5, -1], ("draw",)), ax=ax) == []
    assert [text.get_text() for text in ax.texts] == ["no start has ended"]
    with pytest.raises(ValueError, match="no computed point"):
        plot.steps_distribution(result([-1], ("draw",)), ax=ax)


def test_a_starts_number_of_steps_at_the_largest_that_is_allowed_has_a_bin(ax):
    data = result([1, 1], ("draw",), steps=np.array([0, 2**31 - 1], np.int32))
    drawn = plot.steps_distribution(data, ax=ax)
    assert drawn[0].get_data().values[[0, -1]].tolist() == [0.5, 0.5]
    ax.figure.canvas.draw()


# loss curves

SWEEPS = {
    "plane": sweep(),
    "hyperparameters": sweep(
        {"learning_rate": [1.0, 300.0], "weight": [-5.0, 5.0], "strength": [0.0, 0.01], "max_steps": [3, 50]},
        penalty=fn.L2(0.1),
    ),
}


def test_curves_are_those_of_the_starts_that_are_left_in_the_result(ax):
    made = SWEEPS["hyperparameters"]
    part = made.run(progress=False).isel(learning_rate=1, weight=[1]).transpose("max_steps", ...)
    lines = plot.loss_curves(part, ax=ax)
    assert len(lines) == 4
    ends = {(len(line.get_ydata()) - 1, float(line.get_ydata()[-1])) for line in lines}
    expected = {
        (int(s), float(a)) for s, a in zip(part.steps.values.ravel(), part.loss.values.ravel(), strict=True)
    }
    assert {steps for steps, _ in ends} == {steps for steps, _ in expected}
    np.testing.assert_allclose(sorted(a for _, a in ends), sorted(a for _, a in expected), rtol=1e-9)
    assert "learning rate 300" in ax.get_title(loc="left") and "4 starts" in ax.get_title(loc="left")


def test_curves_are_spread_evenly_and_another_seed_chooses_others():
    for lengths in ((64, 64), (1000,), (3, 1, 50, 2)):
        points = following.spread(lengths, 40, 0)
        assert len(set(points)) == 40 and points == following.spread(lengths, 40, 0)
        assert points != following.spread(lengths, 40, 1) != following.spread(lengths, 40, 2**63 - 1)
        for k, length in enumerate(lengths):
            own = np.array(points)[:, k]
            assert own.min() >= 0 and own.max() < length
            quarters = np.histogram(own, 4, (0, length))[0] if length >= 4 else np.bincount(own)
            assert quarters.max() - quarters.min() <= 40 / len(quarters) / 2 + 1
    assert following.spread((2, 3), 6, 5) == list(np.ndindex(2, 3))


def test_a_diverging_start_does_not_set_the_limits(ax):
    axes = {"learning_rate": [1.0, 3000.0], "weight": fn.linspace(-5, 5, 4)}
    made = sweep(axes, loss=fn.CrossEntropy(), penalty=fn.L2(0.01), stop=fn.Stop(max_steps=300))
    ran = made.run(progress=False)
    assert set(np.unique(ran.outcome)) >= {Outcome.REACHED, Outcome.DIVERGED}
    lines = plot.loss_curves(ran, ax=ax)
    assert max(line.get_ydata().max() for line in lines) > 1e6 > 1e3 > ax.get_ylim()[1]
    assert f"diverged  {int((ran.outcome == Outcome.DIVERGED).sum())}" in legend_of(ax)
    ax.figure.canvas.draw()


def test_curves_of_a_loss_that_becomes_0_or_not_finite_are_drawn(ax):
    made = sweep(
        {"weight": [-30.0, 0.0, 30.0], "learning_rate": [1.0, 1e308]},
        model=fn.Neuron(activation=fn.ReLU()),
        stop=fn.Stop(max_steps=500, tolerance=0.0),
    )
    plot.loss_curves(made.run(progress=False), ax=ax)
    ax.figure.canvas.draw()
    low, high = ax.get_ylim()
    assert 1e-20 < low < high < 1e6


def test_steps_bound_the_curves(ax):
    lines = plot.loss_curves(SWEEPS["plane"].run(progress=False), steps=7, curves=9, ax=ax)
    assert len(lines) == 9 and max(len(line.get_ydata()) for line in lines) == 8
    assert ax.get_title(loc="left").endswith("9 of 30 starts")


def test_curves_of_minibatches_are_those_of_the_map(ax):
    made = sweep({"bias": [-3.0, 3.0]}, batch=fn.MiniBatch(size=1, seed=2), draws=4)
    ran = made.run(progress=False)
    lines = plot.loss_curves(ran, ax=ax)
    ends = [(len(line.get_ydata()) - 1, float(line.get_ydata()[-1])) for line in lines]
    expected = list(zip(ran.steps.values.ravel().tolist(), ran.loss.values.ravel().tolist(), strict=True))
    np.testing.assert_allclose(sorted(ends), sorted(expected), rtol=1e-12)


def test_curves_of_layers_with_learning_rates_of_their_own_are_drawn(ax):
    ran = REPLAYED["network"].run(progress=False)
    ran = ran.isel({"layer1.offset": 1, "layer1.bias[0]": 0, "hidden.gain": 1})
    lines = plot.loss_curves(ran, ax=ax)
    ends = [(len(line.get_ydata()) - 1, float(line.get_ydata()[-1])) for line in lines]
    expected = list(zip(ran.steps.values.ravel().tolist(), ran.loss.values.ravel().tolist(), strict=True))
    assert len({loss for _, loss in expected}) == ran.outcome.size
    np.testing.assert_allclose(sorted(ends), sorted(expected), rtol=1e-9)


def test_loss_curves_name_what_cannot_be_followed():
    ran = SWEEPS["plane"].run(progress=False)
    with pytest.raises(ValueError, match="no longer tells its bias"):
        plot.loss_curves(ran.isel(bias=0, drop=True))
    with pytest.raises(ValueError, match="has weight 0.25, which its sweep does not"):
        plot.loss_curves(ran.assign_coords(weight=[-9, -5.4, -1.8, 0.25, 5.4, 9]).isel(weight=[0, 3]))
    with pytest.raises(ValueError, match="result of a sweep"):
        plot.loss_curves(ran.drop_attrs())
    for name, value in (("curves", 0), ("curves", 2.5), ("steps", 0), ("seed", -1), ("curves", True)):
        with pytest.raises(ValueError, match=f"{name} must be a whole number of"):
            plot.loss_curves(ran, **{name: value})
    assert plt.get_fignums() == []


# small multiples


@pytest.mark.parametrize("kind", MAPS)
def test_without_ax_three_axes_are_a_panel_for_each_value_of_the_hyperparameter(kind):
    codes = np.arange(24).reshape(2, 3, 4) % 6
    data = result(
        codes.transpose(1, 0, 2), ("bias", "learning_rate", "weight"), {"learning_rate": [1.0, 10.0]}
    )
    drawn = getattr(plot, kind)(data)
    assert [cells.axes.get_title(loc="left") for cells in drawn] == ["learning rate 1", "learning rate 10"]
    assert len({id(cells.norm) for cells in drawn}) == 1
    for k, cells in enumerate(drawn):
        alone = getattr(plot, kind)(data.isel(learning_rate=k), ax=Figure().add_subplot())
        if kind in ("outcome", "steps"):
            assert np.array_equal(cells.get_array(), alone.get_array())
        assert cells.get_array().shape == (3, 4)
    left, right = (cells.axes for cells in drawn)
    assert (left.get_ylabel(), right.get_ylabel()) == ("bias", "")
    assert left.get_xlabel() == right.get_xlabel() == "weight"
    assert left.get_shared_x_axes().joined(left, right)
    assert_inside(left.figure)


@pytest.mark.parametrize("kind", MAPS)
def test_one_panel_has_room_for_its_title_and_legend(kind):
    data = result(np.array([[[1, 2, 4, -1]]])).assign_attrs(sweep=SWEEPS["plane"].to_toml())
    cells = getattr(plot, kind)(data)
    assert len(cells) == 1
    assert_inside(cells[0].axes.figure)


def test_panels_share_a_scale_that_spans_them_all():
    codes = np.ones((2, 3, 3), int)
    steps = np.stack([np.full((3, 3), 5), np.full((3, 3), 1000)])
    one, other = plot.small_multiples(result(codes, steps=steps), "steps")
    assert (one.norm.vmin, one.norm.vmax) == (other.norm.vmin, other.norm.vmax) == (5, 1000)
    assert not np.array_equal(one.to_rgba(5), one.to_rgba(1000))
    scales = [ax for ax in one.axes.figure.axes if ax.get_label() == "<colorbar>"]
    assert len(scales) == 1 and scales[0].get_ylabel() == "steps"


def test_of_many_values_evenly_chosen_ones_are_shown_and_counted():
    codes = np.ones((30, 2, 2), int)
    codes[1] = 4  # not among those shown
    drawn = plot.small_multiples(result(codes), most=4, columns=3)
    titles = [cells.axes.get_title(loc="left") for cells in drawn]
    assert titles == [f"learning rate {k}" for k in (0, 10, 19, 29)]
    figure = drawn[0].axes.figure
    assert figure.get_suptitle() == "4 of 30 values of learning rate"
    assert legend_of(figure.axes[2]) == ["reached  100.0 %"]
    assert len(figure.axes) == 4
    assert len(plot.outcome(result(codes))) == 12


def test_labels_stand_only_outside_also_above_a_row_that_is_not_full():
    drawn = plot.small_multiples(result(np.ones((5, 2, 2))), columns=3)
    axes = [cells.axes for cells in drawn]
    axes[0].figure.canvas.draw()
    assert [bool(ax.get_xlabel()) for ax in axes] == [False, False, True, True, True]
    shown = [any(label.get_visible() and label.get_text() for label in ax.get_xticklabels()) for ax in axes]
    assert shown == [False, False, True, True, True]
    assert [bool(ax.get_ylabel()) for ax in axes] == [True, False, False, True, False]
    assert_inside(axes[0].figure)


def test_panels_over_another_axis_and_strips():
    codes = np.arange(24).reshape(2, 3, 4) % 6
    drawn = plot.small_multiples(result(codes), over="bias")
    assert [cells.axes.get_title(loc="left") for cells in drawn] == ["bias 0", "bias 1", "bias 2"]
    np.testing.assert_array_equal(drawn[1].get_array(), codes[:, 1])
    strips = plot.small_multiples(result(codes[0], ("gain", "weight")))
    assert [cells.axes.get_title(loc="left") for cells in strips] == ["gain 0", "gain 1", "gain 2"]
    assert strips[0].get_array().shape == (1, 4) and not strips[0].axes.yaxis.get_visible()
    assert_inside(strips[0].axes.figure)


@pytest.mark.parametrize("layout", ["constrained", None])
@pytest.mark.parametrize("kind", ["outcome", "loss"])
def test_a_given_figure_or_a_part_of_one_is_drawn_on(kind, layout):
    data = result(np.arange(24).reshape(2, 3, 4) % 6 - 1)
    settings = mpl.rcParams.copy()
    figure = Figure(layout=layout)
    drawn = plot.small_multiples(data, kind, figure=figure, title="mine")
    assert {cells.axes.figure for cells in drawn} == {figure} and figure.get_suptitle() == "mine"
    FigureCanvasAgg(figure).draw()
    whole = Figure(figsize=(10, 4), layout=layout)
    parts = whole.subfigures(1, 2)
    drawn = plot.small_multiples(data, kind, figure=parts[1], legend=False)
    assert {cells.axes.figure for cells in drawn} == {parts[1]}
    FigureCanvasAgg(whole).draw()
    assert plt.get_fignums() == [] and mpl.rcParams == settings


def test_points_not_computed_are_hatched_in_their_panel_only():
    codes = np.ones((2, 3, 3), int)
    codes[1, 0] = -1
    one, other = (cells.axes for cells in plot.outcome(result(codes)))
    assert other.patch.get_hatch() and not one.patch.get_hatch()
    assert_color(other, 1, 2, palette.COLORS[Outcome.REACHED])
    assert legend_of(other) == ["reached  100.0 %", "not computed"]


def test_small_multiples_of_a_large_grid_draw_every_kth_start(monkeypatch):
    monkeypatch.setattr(grid, "MOST_CELLS", 300)
    monkeypatch.setattr("fastneuron.store.blocks.BLOCK_POINTS", 100)
    numbers = np.arange(3 * 40 * 40, dtype=np.int32).reshape(3, 40, 40)
    drawn = plot.small_multiples(result(np.ones((3, 40, 40)), steps=numbers), "steps")
    for k, cells in enumerate(drawn):
        np.testing.assert_array_equal(cells.get_array(), numbers[k, 2::4, 2::4])
    assert "every 4th start along each axis" in drawn[0].axes.figure.get_suptitle()


@pytest.mark.parametrize("kind", ["steps", "outcome"])
def test_a_picture_of_three_axes_is_of_small_multiples_with_their_options(kind, tmp_path):
    data = result(np.arange(24).reshape(2, 3, 4) % 6)
    whole = plot.Picture(kind).draw(data)
    titles = [ax.get_title(loc="left") for ax in whole.axes if ax.get_label() != "<colorbar>"]
    assert titles == ["learning rate 0", "learning rate 1"]
    chosen = plot.Picture.from_spec({"kind": kind, "over": "bias", "columns": 1, "most": 2, "legend": False})
    assert plot.Picture.from_spec(chosen.to_spec()) == chosen
    figure = chosen.draw(data)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["bias 0", "bias 2"]
    assert figure.axes[0].get_position().y0 > figure.axes[1].get_position().y1
    strips = plot.Picture(kind, {"over": "learning_rate"}).draw(data.isel(bias=0))
    assert len(strips.axes) == 2 + (kind == "steps")
    with pytest.raises(ValueError, match="got 4"):
        plot.Picture(kind).draw(data.expand_dims(gain=2))
    with pytest.raises(ValueError, match="over: no option of shares"):
        plot.Picture("shares", {"over": "bias"})


def test_small_multiples_name_what_is_wrong():
    cube = result(np.ones((2, 2, 2)))
    with pytest.raises(ValueError, match="kind must be one of outcome, .*got 'shares'"):
        plot.small_multiples(cube, "shares")
    with pytest.raises(ValueError, match="over must be one of the axes learning_rate, bias, weight, got 'b'"):
        plot.small_multiples(cube, over="b")
    with pytest.raises(ValueError, match="most must be a whole number of 1 or more, got 0"):
        plot.small_multiples(cube, most=0)
    with pytest.raises(ValueError, match=r"two or three axes, got 1 \(bias\)$"):
        plot.small_multiples(result([1], ("bias",)))
    with pytest.raises(ValueError, match=r"two or three axes, got 4 .*select with"):
        plot.small_multiples(cube.expand_dims(gain=2))
    assert plt.get_fignums() == []


# stores that are half written


def test_pictures_of_a_half_written_store_show_what_is_done(tmp_path, monkeypatch, ax):
    monkeypatch.setattr(tiles, "MOST_POINTS", 16)
    monkeypatch.setattr(tiles, "FEWEST_POINTS", 16)
    made = sweep(
        {"learning_rate": [3.0, 30.0], "bias": fn.linspace(-9, 9, 8), "weight": fn.linspace(-9, 9, 8)}
    )
    made.run(store=tmp_path / "map", progress=False)
    stored = zarr.open_group(tmp_path / "map", mode="r+")
    for name in ("outcome", "steps", "learned"):
        stored[name][:, :2, :4] = -1  # two tiles
        stored[name][:, 6:, 4:] = -1
    stored[LEDGER][0, 0, 0] = 0
    stored[LEDGER][0, 3, 1] = 0
    part = fn.open(tmp_path / "map", partial=True)
    missing = (part.outcome == -1).mean(("bias", "weight")).values
    assert missing.tolist() == [0.25, 0.25]
    drawn = plot.shares(part, ax=ax)
    assert [bar.get_height() for bar in drawn[-1]] == missing.tolist()
    ax.clear()
    plot.steps_distribution(part, ax=ax)
    assert legend_of(ax)[-1] == "not computed"
    for cells, share in zip(plot.steps(part), missing, strict=True):
        assert np.ma.getmaskarray(cells.get_array()).mean() == share
    ax.clear()
    assert len(plot.loss_curves(part, curves=10, steps=20, ax=ax)) == 10


# captions and style


def test_the_caption_tells_the_value_that_was_selected(ax):
    ran = sweep({"learning_rate": [1.0, 7.0], "weight": [0.0, 1.0]}).run(progress=False)
    plot.outcome(ran.isel(learning_rate=1), ax=ax)
    assert ax.get_title(loc="left").endswith("learning rate 7")


def test_the_style_sheet_is_found_by_name_and_knows_every_setting(tmp_path):
    with plt.style.context("fastneuron.plot.fastneuron"):
        assert mpl.rcParams["svg.hashsalt"] == "fastneuron" and mpl.rcParams["savefig.dpi"] == 300
        cycle = [entry["color"] for entry in mpl.rcParams["axes.prop_cycle"]]
        assert cycle == list(palette.CATEGORIES)
        pictures = []
        for name in ("a.svg", "b.svg"):
            cells = plot.outcome(result(np.ones((2, 3)), ("bias", "weight")))
            cells.figure.savefig(tmp_path / name, metadata={"Date": None})
            pictures.append((tmp_path / name).read_bytes())
            assert tuple(cells.figure.get_size_inches()) == (3.5, 2.6)
        assert pictures[0] == pictures[1]
        drawn = plot.small_multiples(result(np.arange(96).reshape(12, 2, 4) % 6))
        assert drawn[0].axes.figure.get_size_inches()[0] <= 7
        assert_inside(drawn[0].axes.figure)
    assert mpl.rcParams["savefig.dpi"] == "figure"


# chosen starts


def chosen(axes, **given):
    weight = xr.DataArray([-4.0, 0.5, 4.0, 9.0], dims="trial", coords={"trial": [10, 20, 40, 80]})
    return sweep(
        axes, start={"weight": weight, "bias": [1.0, 2.0, 3.0, 9.0]} | given.pop("start", {}), **given
    )


def test_chosen_starts_alone_are_one_bar(ax):
    drawn = plot.shares(chosen({}).run(progress=False), ax=ax)
    assert all(len(bars.patches) == 1 for bars in drawn)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["4 starts"]


def test_shares_of_chosen_starts_are_along_what_they_are_combined_with(ax):
    plot.shares(chosen({"learning_rate": [1.0, 30.0, 300.0]}).run(progress=False), ax=ax)
    assert ax.get_xlabel() == "learning rate"
    assert ax.get_title(loc="left") == "inverter, sigmoid neuron\nsquared error, gradient descent"


def test_without_hyperparameters_the_panels_are_the_chosen_starts():
    bias = xr.DataArray([-3.0, 0.0, 3.0], dims="trial", coords={"trial": [1, 2, 4]})
    axes = {"weight_0": [-5.0, 0.0, 5.0], "weight_1": [-5.0, 5.0]}
    made = sweep(axes, task=tasks.gate("and"), start={"bias": bias})
    drawn = plot.small_multiples(made.run(progress=False), figure=Figure(layout="constrained"))
    assert [cells.axes.get_title(loc="left") for cells in drawn] == ["trial 1", "trial 2", "trial 4"]


def test_what_is_drawn_of_chosen_starts_unless_told():
    plane = chosen({"tolerance": [0.1, 0.2], "learning_rate": [1.0, 30.0]}).run(progress=False)
    assert pictures.kind_of_result(plane) == "outcome"
    assert pictures.kind_of_result(plane.isel(tolerance=0)) == "shares"
    assert pictures.kind_of_result(plane.isel(trial=0)) == "outcome"


@pytest.mark.parametrize(
    "part",
    [{"trial": 2}, {"trial": [3, 1]}, {"learning_rate": 1}, {"trial": slice(1, 3), "learning_rate": [1]}],
)
def test_the_sweep_of_a_part_of_chosen_starts_gives_the_same_numbers(part):
    result = chosen({"learning_rate": [1.0, 30.0]}).run(progress=False).isel(part)
    text, note, _ = shown_sweep(result)
    again = fn.Sweep.from_toml(text).run(progress=False)
    assert note == ""
    for name in ("outcome", "steps", "final_weight"):
        np.testing.assert_array_equal(again[name], result[name])


def test_a_plane_has_the_chosen_start_that_was_selected(ax):
    bias = {"bias": [-3.0, 0.0, 3.0]}
    axes = {"weight_0": [-5.0, 0.0, 5.0], "weight_1": [-5.0, 5.0]}
    made = sweep(axes, task=tasks.gate("and"), start=bias).run(progress=False)
    assert plane_of(made.isel(start=2)).sweep.starts["bias"] == 3.0
    with pytest.raises(ValueError, match="axis 'start' is no parameter of the model"):
        plane_of(made.isel(weight_0=1))


def test_an_animation_follows_a_point_of_the_map_with_its_batches_and_draw(ax):
    batch = fn.MiniBatch(size=1, seed=2)
    made = chosen({}, start={"bias": fn.normal(0, 1)}, batch=batch, draws=5)
    training, path = one_run(made.run(progress=False), {"trial": 40, "draw": 3}, 30)
    np.testing.assert_array_equal(path.weight, fn.replay(made, 30, trial=2, draw=3).weight)
    assert training == made.training
    assert {name: float(path[name][0]) for name in ("weight", "bias")} == made.at(trial=2, draw=3)
    elsewhere = {"trial": 40, "draw": 3, "bias": 0.25}
    assert one_run(made.run(progress=False), elsewhere, 30)[1].bias[0] == 0.25
    with pytest.raises(ValueError, match="trial must be that of one start of the sweep, got 41"):
        one_run(made.run(progress=False), elsewhere | {"trial": 41}, 30)

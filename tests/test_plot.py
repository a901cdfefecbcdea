"""Pictures: colours at known pixels, legends, shares, and what is left alone."""

import itertools
import subprocess
import sys

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

import fastneuron as fn
from fastneuron import plot, tasks
from fastneuron.activations import ReLU, Step
from fastneuron.models import Neuron
from fastneuron.outcomes import Outcome
from fastneuron.plot import palette
from fastneuron.plot.caption import caption
from fastneuron.plot.goal import ideal_step
from fastneuron.plot.legends import percent

SWEEP = """
task = {name = "inverter"}
loss = {name = "squared_error"}
[model]
activation = "sigmoid"
[optimizer]
name = "gradient_descent"
learning_rate = 30.0
"""
MAPS = [plot.outcome, plot.steps, plot.loss, plot.learned]


@pytest.fixture
def ax():
    figure = Figure(figsize=(6.4, 4.8), layout="constrained")
    FigureCanvasAgg(figure)
    return figure.add_subplot()


@pytest.fixture(autouse=True)
def no_figures_left():
    yield
    plt.close("all")


def result(codes, bias=None, weight=None, dims=("bias", "weight"), **variables):
    """A result over a grid whose steps, losses and tables follow from the codes."""
    codes = np.asarray(codes, np.int8)
    fields = {"outcome": codes, "steps": 10 * codes.astype(np.int32), "loss": 10.0 ** -codes.astype(float)}
    fields |= {"learned": codes.astype(np.int64) % 4} | variables
    given = dict(zip(dims, (bias, weight) if len(dims) == 2 else (weight,), strict=False))
    coords = {
        dim: np.arange(float(size)) if given.get(dim) is None else given[dim]
        for dim, size in zip(dims, codes.shape, strict=True)
    }
    return xr.Dataset({name: (dims, value) for name, value in fields.items()}, coords, {"sweep": SWEEP})


def path(weight, bias, dims=("step",)):
    fields = {"weight": (dims, np.asarray(weight, float)), "bias": (dims, np.asarray(bias, float))}
    return xr.Dataset(fields, {"step": np.arange(len(weight))}, {"sweep": SWEEP})


def color_at(ax, x, y):
    """Colour drawn at the data point (x, y), as 0..255."""
    canvas = ax.figure.canvas
    if ax.figure.stale:
        canvas.draw()
    column, row = ax.transData.transform((x, y))
    pixels = np.asarray(canvas.buffer_rgba())
    return pixels[len(pixels) - 1 - int(row), int(column), :3].astype(int)


def assert_color(ax, x, y, color):
    assert np.abs(color_at(ax, x, y) - 255 * np.array(to_rgb(color))).max() <= 2


def legend_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_every_outcome_is_drawn_in_its_colour_first_dim_up_last_dim_right(ax):
    cells = plot.outcome(result([[0, 1, 2], [3, 4, 5]]), ax=ax)
    assert isinstance(cells, AxesImage)
    for code, color in palette.COLORS.items():
        assert_color(ax, int(code) % 3, int(code) // 3, color)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("weight", "bias")


def test_descending_axes_are_drawn_at_their_values(ax):
    data = result([[0, 1, 2], [3, 4, 5]], bias=[5.0, -5.0], weight=[3.0, 2.0, 1.0])
    plot.outcome(data, ax=ax)
    assert_color(ax, 3, 5, palette.COLORS[Outcome.UNFINISHED])
    assert_color(ax, 1, -5, palette.COLORS[Outcome.STALLED])
    assert ax.get_xlim() == (0.5, 3.5)


def test_uneven_axes_have_cell_edges_halfway(ax):
    cells = plot.outcome(result([[1, 2, 4]], weight=[0.0, 1.0, 10.0]), ax=ax)
    assert isinstance(cells, QuadMesh)
    assert ax.get_xlim() == (-0.5, 14.5)
    assert_color(ax, 5.3, 0, palette.COLORS[Outcome.SETTLED])
    assert_color(ax, 5.7, 0, palette.COLORS[Outcome.DIVERGED])


@pytest.mark.parametrize("dims", [("learning_rate", "weight"), ("weight", "learning_rate")])
def test_geometric_axes_are_logarithmic_with_cells_at_their_values(ax, dims):
    rates = np.geomspace(0.01, 100, 5)
    codes = np.array([[1, 2, 3, 4, 5], [5, 1, 2, 3, 4]])
    codes = codes if dims[1] == "learning_rate" else codes.T
    data = result(codes, dims=dims).assign_coords({"learning_rate": rates})
    plot.outcome(data, ax=ax)
    flat = dims[1] == "learning_rate"
    assert (ax.get_xscale(), ax.get_yscale()) == (("log", "linear") if flat else ("linear", "log"))
    for rate, code in zip(rates, [1, 2, 3, 4, 5], strict=True):
        for factor in (0.4, 1.0, 2.5):
            point = (factor * rate, 0) if flat else (0, factor * rate)
            assert_color(ax, *point, palette.COLORS[Outcome(code)])
    assert (ax.get_xlabel() if flat else ax.get_ylabel()) == "learning rate"


@pytest.mark.parametrize(
    ("values", "scale"),
    [([1, 2, 5, 10], "log"), ([0.1, 1, 3, 500], "log"), ([1, 2, 3, 5], "linear"), ([1, 10], "linear")]
    + [([0, 1, 10], "linear"), (np.linspace(1, 1000, 50), "linear"), ([-1, -10, -100], "linear")],
)
def test_only_geometric_values_give_a_logarithmic_axis(ax, values, scale):
    plot.outcome(result(np.ones((2, len(values))), weight=np.array(values, float)), ax=ax)
    assert ax.get_xscale() == scale


@pytest.mark.parametrize("draw", MAPS)
@pytest.mark.parametrize("codes", [[[1]], [[1], [4]], [[-1, 1]], [[-1, -1]], [[5, 5], [5, 5]]])
def test_tiny_unfinished_and_uniform_maps_are_drawn(draw, codes, ax):
    draw(result(codes), ax=ax)
    ax.figure.canvas.draw()


@pytest.mark.parametrize("draw", MAPS)
def test_one_axis_gives_a_strip_without_a_vertical_axis(draw, ax):
    draw(result([1, 2, 4], dims=("optimizer.learning_rate",)), ax=ax)
    assert ax.get_xlabel() == "optimizer.learning rate"
    assert not ax.yaxis.get_visible()


def test_a_strip_shows_the_outcomes_along_its_axis(ax):
    plot.outcome(result([1, 2, 4], dims=("weight",), weight=[5.0, 6.0, 7.0]), ax=ax)
    for weight, code in ((5, 1), (6, 2), (7, 4)):
        assert_color(ax, weight, 0, palette.COLORS[Outcome(code)])


def test_legend_lists_only_outcomes_present_with_their_shares(ax):
    plot.outcome(result([[1, 1, 1, 4]]), ax=ax)
    assert legend_of(ax) == ["reached  75.0 %", "diverged  25.0 %"]


def test_points_not_computed_are_hatched_and_left_out_of_the_shares(ax):
    plot.outcome(result([[1, 4], [-1, -1]]), ax=ax)
    assert legend_of(ax) == ["reached  50.0 %", "diverged  50.0 %", "not computed"]
    assert ax.patch.get_hatch()
    assert color_at(ax, 0.9, 0.9).min() > 150
    assert_color(ax, 0, 0, palette.COLORS[Outcome.REACHED])


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0.0 %"), (1e-6, "<0.1 %"), (0.4321, "43.2 %"), (0.99999, ">99.9 %"), (1.0, "100.0 %")],
)
def test_shares_never_read_none_or_all_where_that_is_wrong(share, text):
    assert percent(share) == text


def test_title_tells_the_sweep_and_can_be_overridden(ax):
    plot.outcome(result([[1]]), ax=ax)
    expected = "inverter, sigmoid neuron\nsquared error, gradient descent, learning rate 30"
    assert ax.get_title(loc="left") == expected
    plot.outcome(result([[1]]), ax=ax, title="mine")
    assert ax.get_title(loc="left") == "mine"


@pytest.mark.parametrize("sweep", ["", "not [ toml", "task = 3", 'task = {name = "unheard of"}'])
@pytest.mark.parametrize("draw", MAPS)
def test_attributes_that_tell_nothing_do_no_harm(draw, sweep, ax):
    draw(result([[1, 0]]).assign_attrs(sweep=sweep), ax=ax)


def test_learning_rate_is_not_in_the_title_where_it_is_an_axis(ax):
    plot.outcome(result([1, 2], dims=("learning_rate",)), ax=ax)
    assert "learning rate" not in ax.get_title(loc="left")


def test_steps_are_grey_for_other_outcomes_and_bright_where_few(ax):
    data = result([[1, 1, 4, 2]], steps=np.array([[0, 2000, 7, 1]]))
    cells = plot.steps(data, ax=ax)
    assert_color(ax, 2, 0, palette.OTHER)
    assert_color(ax, 0, 0, "#FDE725")
    assert_color(ax, 1, 0, "#440154")
    assert np.asarray(cells.get_array()).tolist() == [[0, 2000, -1, 1]]
    assert legend_of(ax) == ["not reached or settled"]


def test_steps_of_other_outcomes_on_request(ax):
    data = result([[1, 4]], steps=np.array([[3, 8]]))
    plot.steps(data, ax=ax, outcomes=[Outcome.DIVERGED])
    assert_color(ax, 0, 0, palette.OTHER)
    assert legend_of(ax) == ["not diverged"]


def test_loss_zero_is_white_and_not_finite_is_dark(ax):
    plot.loss(result([[1, 2, 4, 4, 1]], loss=np.array([[1e-6, 0.0, np.inf, np.nan, 1e3]])), ax=ax)
    for weight, color in enumerate(
        ["#FDE725", "#FFFFFF", *[palette.COLORS[Outcome.DIVERGED]] * 2, "#440154"]
    ):
        assert_color(ax, weight, 0, color)
    assert legend_of(ax) == ["0", "not finite"]


@pytest.mark.parametrize(
    "values",
    [
        [1e-320, 1e308],
        [5e-324, 0.0],
        [np.nan, np.inf],
        [0.0, 0.0],
        [-1.0, 2.0],
        [0.3, 0.3],
        [1.7e308, np.inf],
    ],
)
def test_extreme_losses_are_drawn(values, ax):
    plot.loss(result([[1, 1]], loss=np.array([values])), ax=ax)
    ax.figure.canvas.draw()
    assert color_at(ax, 0, 0).tolist() != [int(255 * part) for part in to_rgb(palette.NOT_COMPUTED)]


def test_loss_needs_no_outcome(ax):
    plot.loss(result([[1, 2]]).drop_vars("outcome"), ax=ax)
    assert ax.get_legend() is None


def test_truth_tables_are_named_most_frequent_first_and_the_target_has_the_colour_of_reached(ax):
    plot.learned(result([[1, 1, 1, 1]], learned=np.array([[3, 1, 3, 0]])), ax=ax)
    assert legend_of(ax) == ["0b11  50.0 %", "0b00  25.0 %", "0b01 (target)  25.0 %"]
    assert_color(ax, 1, 0, palette.COLORS[Outcome.REACHED])
    assert_color(ax, 0, 0, palette.CATEGORIES[0])


def test_there_is_no_truth_table_of_more_than_32_samples(ax):
    none = result([[1, 2, -1]], learned=np.full((1, 3), -1))
    with pytest.raises(ValueError, match="no truth table for more than 32 samples"):
        plot.learned(none, ax=ax)
    plot.learned(result([[-1, -1]], learned=np.full((1, 2), -1)), ax=ax)
    assert legend_of(ax) == ["not computed"]


def test_truth_tables_beyond_eight_are_one_entry(ax):
    tables = np.arange(16)[None] % 12
    plot.learned(result(np.ones((1, 16)), learned=tables).assign_attrs(sweep=""), ax=ax)
    names = legend_of(ax)
    assert names[0] == "0b0000  12.5 %" and len(names) == 9
    assert names[-1] == "other (4)  25.0 %"
    assert_color(ax, 11, 0, palette.OTHER)


@pytest.mark.parametrize("draw", MAPS)
def test_a_given_ax_is_drawn_on_and_nothing_global_changes(draw, ax):
    settings = mpl.rcParams.copy()
    cells = draw(result([[1, 2], [4, -1]]), ax=ax)
    assert cells.axes is ax
    assert plt.get_fignums() == []
    assert mpl.rcParams == settings


def test_without_ax_a_new_pyplot_figure_is_made():
    cells = plot.outcome(result([[1]]))
    assert plt.get_fignums() == [cells.figure.number]


@pytest.mark.parametrize("draw", MAPS)
def test_without_a_legend_there_is_nothing_beside_the_map(draw, ax):
    draw(result([[1, -1]]), ax=ax, legend=False)
    assert ax.get_legend() is None
    assert len(ax.figure.axes) == 1


@pytest.mark.parametrize("draw", MAPS)
def test_legends_stay_inside_the_figure_and_outside_the_map(draw, ax):
    draw(result([[0, 1, 2, 3], [4, 5, -1, 1]], loss=np.array([[0, 1, 2, 3], [np.inf, 1, 1, 1]])), ax=ax)
    ax.figure.canvas.draw()
    box, size = ax.get_legend().get_window_extent(), ax.figure.bbox
    assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= size.x1 and box.y1 <= size.y1
    assert not box.overlaps(ax.bbox)


@pytest.mark.parametrize(("draw", "name"), [(plot.outcome, "outcome"), (plot.steps, "steps")])
def test_a_missing_variable_is_named_with_what_there_is(draw, name):
    with pytest.raises(ValueError, match=rf"no '{name}' \(keep= left it out\); it has: .*loss"):
        draw(result([[1]]).drop_vars(name))
    assert plt.get_fignums() == []


@pytest.mark.parametrize("draw", MAPS)
def test_more_axes_than_can_be_drawn_no_axes_and_no_dataset_are_errors(draw, ax):
    cube = result(np.ones((2, 3))).expand_dims(draw=2)
    with pytest.raises(ValueError, match=r"one or two axes, got 3 .*select with \.isel"):
        draw(cube, ax=ax)
    with pytest.raises(ValueError, match=r"one or two axes, got 4 .*select with \.isel"):
        draw(cube.expand_dims(gain=2))
    with pytest.raises(ValueError, match="single start"):
        draw(result([[1]]).isel(bias=0, weight=0))
    with pytest.raises(ValueError, match="whole result"):
        draw(result([[1]]).outcome)


def test_axes_that_cannot_be_drawn_are_named():
    with pytest.raises(ValueError, match="'weight' holds a value twice"):
        plot.outcome(result([[1, 2]], weight=[3.0, 3.0]))
    with pytest.raises(ValueError, match="'weight' must hold finite numbers"):
        plot.outcome(result([[1, 2]], weight=["a", "b"]))


def test_response_draws_curves_at_geometric_steps_the_targets_and_the_flipped_step(ax):
    weight = np.linspace(3, -20, 301)
    curves = plot.response(path(weight, -weight / 2), Neuron(), tasks.inverter(), ax=ax)
    assert [int(curve.get_label()) for curve in curves] == [0, 1, 2, 5, 10, 20, 50, 100, 200, 300]
    x, a = curves[-1].get_data()
    np.testing.assert_allclose(a, 1 / (1 + np.exp(20 * x - 10)), rtol=1e-12)
    step, targets = ax.lines[len(curves) :]
    assert step.get_linestyle() == "--" and step.get_color() == "black"
    assert step.get_xdata().tolist()[1:3] == [0.5, 0.5] and step.get_ydata().tolist() == [1, 1, 0, 0]
    assert targets.get_xdata().tolist() == [0, 1] and targets.get_ydata().tolist() == [1, 0]
    assert legend_of(ax)[-2:] == ["flipped step", "targets"]


@pytest.mark.parametrize("last", [0, 1, 7, 1000, 250_000])
def test_response_shows_the_first_and_the_last_step_and_never_too_many(last, ax):
    curves = plot.response(path(np.full(last + 1, -1.0), np.ones(last + 1)), Neuron(), ax=ax)
    labels = [int(curve.get_label()) for curve in curves]
    assert labels[0] == 0 and labels[-1] == last and len(labels) <= 13


def test_response_leaves_out_steps_that_are_not_finite(ax):
    curves = plot.response(path([1.0, 2.0, np.nan], [0.0, 0.0, np.inf]), Neuron(), ax=ax)
    assert [curve.get_label() for curve in curves] == ["0", "1"]


def test_response_refuses_two_inputs_several_starts_and_lost_paths():
    one = path([1.0, 2.0], [0.0, 0.0])
    with pytest.raises(ValueError, match="one input, the model has 2"):
        plot.response(one, Neuron(inputs=2))
    with pytest.raises(ValueError, match="one input, the task has 2"):
        plot.response(one, Neuron(), tasks.gate("nand"))
    with pytest.raises(ValueError, match=r"one start.*\.isel"):
        plot.response(path(np.ones((3, 2)), np.ones((3, 2)), ("step", "start")), Neuron())
    with pytest.raises(ValueError, match="no step with finite"):
        plot.response(path([np.nan], [1.0]), Neuron())
    with pytest.raises(ValueError, match="no 'bias'"):
        plot.response(one.drop_vars("bias"), Neuron())


def test_ideal_step_separates_the_targets_else_is_at_the_threshold():
    neuron = Neuron()
    assert ideal_step(neuron, tasks.flipped_step(11), 1.0, 0.0) == (0.5, 1.0, 0.0)
    assert ideal_step(neuron, tasks.Task([4, 2, 1], [1, 1, 0]), 1.0, 0.0) == (1.5, 0.0, 1.0)
    one_sample = tasks.Task([1], [0])
    assert ideal_step(neuron, one_sample, -2.0, 1.0) == (0.5, 1.0, 0.0)
    assert ideal_step(neuron, None, 2.0, -1.0) == (0.5, 0.0, 1.0)
    assert ideal_step(neuron, None, 0.0, 1.0) is None
    assert ideal_step(Neuron(activation=ReLU()), None, 2.0, -1.0) is None


@pytest.mark.parametrize("activation", [Step(), ReLU()])
def test_neuron_response_marks_the_threshold_and_the_outputs_asked_for(activation, ax):
    model = Neuron(activation=activation)
    curve, threshold = plot.neuron_response(model, {"weight": -20, "bias": 10}, at=[0, 1], ax=ax)
    assert threshold.get_xdata() == [0.5, 0.5]
    assert "-bias/weight = 0.5" in threshold.get_label()
    x, a = curve.get_data()
    np.testing.assert_array_equal(a, activation.value(10 - 20 * x))
    assert [text.get_text() for text in ax.texts] == [f"{activation.value(10.0):.3g}", "0"]


def test_neuron_response_without_weight_has_no_threshold(ax):
    assert len(plot.neuron_response(Neuron(), {"weight": 0.0, "bias": 1.0}, ax=ax)) == 1


def test_neuron_response_names_what_is_missing_or_wrong():
    with pytest.raises(ValueError, match="must have 'bias'; they have: weight"):
        plot.neuron_response(Neuron(), {"weight": 1.0})
    with pytest.raises(ValueError, match="bias must be a finite number, got nan"):
        plot.neuron_response(Neuron(), {"weight": 1.0, "bias": np.nan})
    with pytest.raises(ValueError, match="lower first"):
        plot.neuron_response(Neuron(), {"weight": 1.0, "bias": 0.0}, x_range=(1.0, 0.0))


def test_trajectory_draws_one_line_a_start_until_its_last_finite_point(ax):
    weight = np.array([[0.0, 5.0], [1.0, 6.0], [2.0, np.inf]])
    lines = plot.trajectory(path(weight, weight + 1, ("step", "start")), ax=ax)
    assert [line.get_xdata().tolist() for line in lines] == [[0, 1, 2], [5, 6]]
    assert [line.get_ydata().tolist() for line in lines] == [[1, 2, 3], [6, 7]]
    assert legend_of(ax) == ["start", "end"]
    ends = [line.get_xydata().tolist() for line in ax.lines if line.get_marker() == "s"]
    assert ends == [[[2, 3]], [[6, 7]]]


def test_trajectory_over_a_map_keeps_it_with_weight_to_the_right(ax):
    data = result([[1, 2, 4], [5, 5, 5]], weight=[-1.0, 0.0, 1.0]).transpose("weight", "bias")
    plot.trajectory(path([0.0, 0.2], [0.1, 0.3]), result=data, ax=ax)
    assert_color(ax, 1, 0, palette.COLORS[Outcome.DIVERGED])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("weight", "bias")
    assert ax.get_xlim() == (-1.5, 1.5)
    assert legend_of(ax)[-2:] == ["start", "end"] and len(legend_of(ax)) == 6


def test_trajectory_widens_the_map_to_the_path_but_not_without_end(ax):
    plot.trajectory(path([0.0, 4.0], [0.0, 1e9]), result=result([[1, 2], [1, 2]]), ax=ax)
    assert ax.get_xlim() == (-0.5, 3.5) and ax.get_ylim() == (-0.5, 3.5)


def test_trajectory_takes_other_parameters_and_names_missing_ones(ax):
    two = path([1.0, 2.0], [0.0, 0.5]).rename(weight="weight_1")
    assert len(plot.trajectory(two, x="weight_1", ax=ax)) == 1
    assert ax.get_xlabel() == "weight 1"
    with pytest.raises(ValueError, match="no 'weight'.*it has: weight_1, bias"):
        plot.trajectory(two)
    with pytest.raises(ValueError, match="a map over 'weight_1' and 'bias'"):
        plot.trajectory(two, x="weight_1", result=result([[1]]))


def luminance(color):
    channels = np.array(to_rgb(color))
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def lab(linear):
    """CIELAB of linear sRGB, D65."""
    matrix = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    f = np.cbrt(matrix @ np.clip(linear, 1e-3, 1) / [0.9505, 1, 1.089])
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


# Machado, Oliveira, Fernandes 2009, severity 1
DEUTERANOPIA = [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
]
PROTANOPIA = [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
]


@pytest.mark.parametrize("sight", [np.eye(3), np.array(DEUTERANOPIA), np.array(PROTANOPIA)])
def test_outcome_colours_differ_in_greyscale_and_for_the_colour_blind(sight):
    seen = {member: lab(sight @ luminance(color)) for member, color in palette.COLORS.items()}
    assert list(seen) == list(Outcome)
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen.values(), 2)) > 20
    if np.array_equal(sight, np.eye(3)):
        lightness = [color[0] for color in seen.values()]
        assert np.diff(np.sort(lightness)).min() > 8
        assert max(seen, key=lambda member: seen[member][0]) is Outcome.REACHED
        assert min(seen, key=lambda member: seen[member][0]) is Outcome.DIVERGED


def test_plot_is_drawn_without_numba_and_pyplot_until_asked():
    code = "import sys, fastneuron.plot; print(sorted({'numba', 'matplotlib.pyplot'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_same_result_gives_the_same_picture():
    pictures = []
    for _ in range(2):
        cells = plot.learned(result([[1, 2], [4, -1]]))
        cells.figure.canvas.draw()
        pictures.append(np.asarray(cells.figure.canvas.buffer_rgba()).copy())
    assert np.array_equal(*pictures)


def uncomputed(axes, **changes):
    """The coordinates and the sweep of a result, which is what a caption is made of."""
    given = {"task": tasks.inverter(), "optimizer": fn.GradientDescent(2.5), "axes": axes}
    sweep = fn.Sweep(**given | changes)
    return xr.Dataset(coords=sweep.coordinates(), attrs={"sweep": sweep.to_toml()})


def test_captions_name_the_batch_and_no_number_that_varies():
    def words(axes, **changes):
        return caption(uncomputed(axes, **changes)).splitlines()[1]

    one, start = fn.MiniBatch(1), {"weight": [0.0, 1.0]}
    assert words(start, batch=one) == "squared error, gradient descent, learning rate 2.5, mini batch of 1"
    assert (
        words({"size": [1, 2]}, batch=one) == "squared error, gradient descent, learning rate 2.5, mini batch"
    )
    assert words({"learning_rate": [1, 2]}) == "squared error, gradient descent"


def test_captions_name_the_number_of_the_part_that_is_drawn():
    whole = uncomputed({"learning_rate": [1, 20], "weight": [0.0, 1.0]})
    words = "squared error, gradient descent"
    assert caption(whole.isel(learning_rate=1)).splitlines()[1] == f"{words}, learning rate 20"
    assert caption(whole.isel(learning_rate=1, drop=True)).splitlines()[1] == words


def test_hidden_units_draws_the_shares_of_every_sample(ax):
    found = fn.activity(fn.Network((3, 4, 2)), [[0, 0, 0], [9, 9, 9]], draws=200, progress=False)
    named = found.assign_coords(sample=["black", "white"])
    drawn = plot.hidden_units(named, ax=ax)
    assert len(drawn) == 2
    for k, patch in enumerate(drawn):
        values, edges, _ = patch.get_data()
        np.testing.assert_allclose(values, found["histogram"].values[0, k] / 800)
        np.testing.assert_allclose(edges, np.linspace(0, 1, 51))
    assert [label.partition("\n")[0] for label in legend_of(ax)] == ["black", "white"]
    assert ax.get_title(loc="left") == "hidden layer, 4 units, 200 random networks"
    plot.hidden_units(found, ax=ax, layer=-1)
    assert ax.get_title(loc="left") == "outputs, 2 units, 200 random networks"
    assert legend_of(ax)[-1].startswith("sample 1\nmean 0.")


def test_hidden_units_counts_what_is_outside_its_bins(ax):
    found = fn.activity(fn.Network((3, 4)), [[1, 2, 3]], draws=100, edges=[0.25, 0.5, 0.75], progress=False)
    (patch,) = plot.hidden_units(found, ax=ax)
    assert patch.get_data().values.sum() == pytest.approx(1 - found["outside"].item() / 400)


def test_hidden_units_refuses_other_results_and_layers():
    found = fn.activity(fn.Network((3, 4)), [[1, 2, 3]], draws=1, progress=False)
    with pytest.raises(ValueError, match="layer must be a whole number from -1 to 0, got 1"):
        plot.hidden_units(found, layer=1)
    with pytest.raises(ValueError, match="no 'histogram'"):
        plot.hidden_units(result(np.zeros((2, 2))))


def recorded(late, total, inverse):
    dims = ("layer1.learning_rate", "layer0.learning_rate")
    fields = {"late_loss": late, "loss_sum": total, "inverse_sum": inverse}
    grid = {dim: 10.0 ** np.arange(np.shape(late)[k]) for k, dim in enumerate(dims)}
    return xr.Dataset({name: (dims, np.array(values, float)) for name, values in fields.items()}, grid)


def test_trainability_ranks_both_sides_from_pale_at_the_boundary_to_dark(ax):
    # three that converge, the second slowest; two that do not, the last of which held out longer
    data = recorded([[0.5, 0.5, 0.5], [2.0, 2.0, 0.5]], [[9, 20, 5], [80, 90, 3]], [[1, 1, 1], [0.1, 0.4, 1]])
    cells = plot.trainability(data, ax=ax)
    values = np.asarray(cells.get_array()).reshape(2, 3)
    assert (values[data["late_loss"].values < 1] > 0).all() and values[1, 0] < values[1, 1] < 0
    assert values[0, 1] < values[0, 0] < values[0, 2] < values[1, 2]
    assert ax.get_xscale() == "log"


def test_trainability_of_points_that_are_alike_is_of_one_colour(ax):
    values = np.asarray(plot.trainability(recorded([[2.0, 2.0]], [[8, 8]], [[1, 1]]), ax=ax).get_array())
    assert np.unique(values).size == 1


def test_trainability_names_what_was_not_recorded(ax):
    with pytest.raises(ValueError, match="no 'late_loss'"):
        plot.trainability(recorded([[1.0]], [[1]], [[1]]).drop_vars("late_loss"), ax=ax)


def test_captions_name_a_network_by_its_sizes_and_leave_out_rates_of_layers():
    model = fn.Network((2, 3, 1), hidden=fn.Tanh())
    data = uncomputed({"layer0.learning_rate": [1.0, 2.0]}, task=tasks.gate("xor"), model=model)
    assert caption(data) == "xor, tanh network 2-3-1\nsquared error, gradient descent"

"""Captions and legends: true of whatever was selected, averaged or put together."""

import matplotlib as mpl

mpl.use("Agg")

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

import fastneuron as fn
from fastneuron import plot
from fastneuron import toml as fn_toml
from fastneuron.plot.caption import caption

FIRST, SECOND = "inverter, sigmoid neuron", "squared error, gradient descent"
PLANE = {"bias": [0.0, 1.0], "weight": [0.0, 1.0]}


def sweep(axes, **changes):
    given = {"task": fn.tasks.inverter(), "optimizer": fn.GradientDescent(30.0), "stop": fn.Stop(max_steps=2)}
    return fn.Sweep(axes=axes, **given | changes)


def result(sweep):
    """A result with the coordinates and the attributes of one, and made-up numbers."""
    numbers = np.arange(sweep.points).reshape(sweep.shape)
    fields = {"outcome": (numbers % 6).astype(np.int8), "learned": numbers % 4, "loss": numbers + 1.0}
    variables = {name: (sweep.dims, values) for name, values in fields.items()}
    return xr.Dataset(variables, sweep.coordinates(), {"sweep": sweep.to_toml(), "seconds": 1.0})


def test_the_caption_tells_the_value_that_was_selected():
    axes = {"learning_rate": [1.0, 7.0], "gain": [0.5, 2.0], "weight": [0.0, 1.0]}
    whole = result(sweep(axes))
    for part, told in (
        (whole, f"{FIRST}\n{SECOND}"),
        (whole.isel(gain=1, weight=0), f"{FIRST}\n{SECOND}\ngain 2, weight 0"),
        (whole.sel(learning_rate=[7.0], gain=2.0), f"{FIRST}\n{SECOND}, learning rate 7\ngain 2"),
        (whole.where(whole.learning_rate == 1, drop=True), f"{FIRST}\n{SECOND}, learning rate 1"),
        (whole.where(whole.weight == 1), f"{FIRST}\n{SECOND}"),
        (whole.mean("learning_rate", keep_attrs=True), f"{FIRST}\n{SECOND}"),
        (whole.mean(keep_attrs=True), f"{FIRST}\n{SECOND}"),
        (whole.isel(learning_rate=0, drop=True), f"{FIRST}\n{SECOND}"),
        (whole.drop_vars("learning_rate"), f"{FIRST}\n{SECOND}"),
    ):
        assert caption(part) == told


def test_the_caption_tells_the_selected_number_of_a_penalty_and_a_batch():
    parts = {"penalty": fn.L2(0.25), "batch": fn.MiniBatch(1)}
    whole = result(sweep({"penalty.strength": [0.5, 2.0], "batch.size": [1, 2], "weight": [0.0]}, **parts))
    words = "squared error, L2{}, gradient descent, learning rate 30, mini batch{}"
    assert caption(whole) == f"{FIRST}\n" + words.format("", "")
    assert caption(whole.isel({"penalty.strength": 1})) == f"{FIRST}\n" + words.format(" 2", "")
    assert caption(whole.isel({"batch.size": 1})) == f"{FIRST}\n" + words.format("", " of 2")


def test_the_caption_tells_no_number_that_a_layer_has_of_its_own():
    axes = {"layer0.learning_rate": [0.125, 0.25], "layer1.bias[0]": [0.0, 1.0]}
    model, optimizer = fn.Network((2, 2, 1)), fn.GradientDescent(0.5)
    whole = result(sweep(axes, task=fn.tasks.gate("xor"), model=model, optimizer=optimizer))
    words = f"xor, sigmoid network 2-2-1\n{SECOND}"
    assert caption(whole) == words
    assert caption(whole.isel({"layer0.learning_rate": 0})) == f"{words}\nlayer0 learning rate 0.125"
    assert caption(whole.isel({"layer1.bias[0]": 1})) == f"{words}\nlayer1 bias[0] 1"
    assert caption(whole.isel({"layer0.learning_rate": 0}, drop=True)) == words
    assert caption(whole.mean("layer0.learning_rate", keep_attrs=True)) == words


def test_the_caption_tells_the_draw_that_was_selected():
    whole = result(sweep({"bias": [0.0, 1.0]}, start={"weight": fn.normal(0, 1)}, draws=3))
    assert caption(whole).endswith("learning rate 30")
    assert caption(whole.isel(draw=2)).endswith("learning rate 30\ndraw 2")
    assert caption(whole.mean("draw", keep_attrs=True)).endswith("learning rate 30")


def legend_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def beside(name):
    return xr.DataArray(["adam", "gradient descent"], {name: ["a", "b"]}, dims=name)


# ways to put two results together that leave the first one's attributes, each with what tells it
TOGETHER = {
    "a new dimension": (lambda one, other: xr.concat([one, other], "run"), "a dimension 'run'"),
    "a dimension with names": (
        lambda one, other: xr.concat([one, other], beside("optimizer")),
        "a coordinate 'optimizer'",
    ),
    "one selected": (
        lambda one, other: xr.concat([one, other], beside("run")).isel(run=1),
        "a coordinate 'run'",
    ),
    "averaged": (lambda one, other: xr.concat([one, other], "run").mean("weight"), "a dimension 'run'"),
    "one behind the other": (
        lambda one, other: xr.concat([one, other.assign_coords(weight=[2.0, 3.0])], "weight"),
        "more values of 'weight'",
    ),
    "in place of the other": (
        lambda one, other: xr.concat(
            [one.isel(weight=[0]), other.isel(weight=[1]).assign_coords(weight=[2.0])], "weight"
        ),
        "weight 2.0",
    ),
    "a value twice": (
        lambda one, other: xr.concat([one.isel(weight=[0]), other.isel(weight=[0])], "weight"),
        "weight 0.0 twice",
    ),
    "without coordinates": (
        lambda one, other: xr.concat([part.drop_vars("weight") for part in (one, other)], "weight"),
        "more values of 'weight'",
    ),
    "labelled before": (
        lambda one, other: xr.concat(
            [one.isel(weight=[0]).assign_coords(run=1), other.isel(weight=[1]).assign_coords(run=2)],
            "weight",
            coords="different",
            compat="equals",
        ),
        "a coordinate 'run'",
    ),
}


def two():
    return result(sweep(PLANE, optimizer=fn.Adam(0.5))), result(sweep(PLANE))


@pytest.mark.parametrize("how", TOGETHER)
def test_results_of_two_sweeps_put_together_are_called_neither(how, tmp_path):
    join, stranger = TOGETHER[how]
    data = join(*two()).assign_attrs(two()[0].attrs)
    assert caption(data) == ""
    note = plot.Picture().text(data).splitlines()[1]
    assert note == f"# drawn of a result that has {stranger}, which this sweep does not give"


def test_a_picture_of_a_part_tells_what_was_selected_when_it_is_made_again(tmp_path):
    axes = {"tolerance": [0.5, 0.25], "learning_rate": [1.0, 7.0], **PLANE}
    part = sweep(axes).run(progress=False).isel(tolerance=1, learning_rate=0, bias=1)
    plot.save(tmp_path / "one.png", part, "loss")
    text = plot.spec_in(tmp_path / "one.png")
    assert text.endswith('[picture]\nkind = "loss"\nnote = "tolerance 0.25, bias 1"\n')
    again = fn.figures.ReadyFigure(fn_toml.loads(text))
    again.save(tmp_path / "two.png")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert again.draw().axes[0].get_title(loc="left").splitlines() == [
        FIRST,
        f"{SECOND}, learning rate 1",
        "tolerance 0.25, bias 1",
    ]


@pytest.mark.parametrize("draw", [plot.landscape, plot.loss_curves, plot.curve, plot.animate_response])
def test_what_is_computed_from_the_sweep_refuses_results_of_two(draw):
    says = "^this result has a coordinate 'optimizer', which its sweep does not; "
    with pytest.raises(ValueError, match=says):
        draw(xr.concat(two(), beside("optimizer")))


def test_no_table_is_called_the_target_in_results_of_two_tasks():
    one, other = (result(sweep(PLANE, task=task)) for task in (fn.tasks.inverter(), fn.Task([0, 1], [0, 1])))
    ax = Figure().subplots()
    plot.learned(one, ax=ax)
    assert any("(target)" in text for text in legend_of(ax))
    ax = Figure().subplots()
    plot.learned(xr.concat([one, other], beside("task")).isel(task=1), ax=ax)
    assert not any("(target)" in text for text in legend_of(ax))


def test_hidden_units_are_called_by_the_layer_they_are_in():
    found = fn.activity(fn.Network((3, 4, 2)), [[0, 0, 0], [9, 9, 9]], draws=20, progress=False)
    for data, told in (
        (found.isel(layer=[0]), "hidden layer, 4 units, 20 random networks"),
        (found.isel(layer=0), "hidden layer, 4 units, 20 random networks"),
        (found.isel(layer=1, sample=0), "outputs, 2 units, 20 random networks"),
        (found.drop_attrs().isel(layer=[0]), "layer 1, 4 units, 20 random networks"),
    ):
        ax = Figure().subplots()
        plot.hidden_units(data, ax=ax)
        assert ax.get_title(loc="left") == told
    with pytest.raises(ValueError, match="over layer, sample and bin, got bin, layer, run, sample; select"):
        plot.hidden_units(xr.concat([found, found], "run"))


@pytest.mark.parametrize(
    "task, model, reason",
    [
        (fn.Task([0, 1], [[0, 1, 1], [1, 0, 1]]), fn.Network((1, 4, 3)), "for 3 outputs, only for one"),
        (fn.tasks.flipped_step(40), fn.Neuron(), "for more than 32 samples, and the task has 40"),
    ],
)
def test_learned_says_why_there_is_no_table(task, model, reason):
    start = {name: 0.0 for name in model.parameters}
    given = {"task": task, "model": model, "optimizer": fn.GradientDescent(1.0), "start": start}
    ran = fn.Sweep(**given, axes={"max_steps": [1, 2]}).run(progress=False)
    with pytest.raises(ValueError, match=f"^there is no truth table {reason}$"):
        plot.learned(ran)
    with pytest.raises(
        ValueError, match="^there is no truth table for more than 32 samples, or for several outputs$"
    ):
        plot.learned(ran.drop_attrs())

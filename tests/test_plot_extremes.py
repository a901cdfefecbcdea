"""Pictures of fields that are constant or almost, not finite, huge or tiny: drawn, without a warning."""

import matplotlib as mpl

mpl.use("Agg")

import numpy as np
import pytest
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import fastneuron as fn
from fastneuron import plot
from fastneuron.plot.grid import grid_axis

HALF = 0.5
FIELDS = {
    "zero": [0.0] * 12,
    "constant": [0.125] * 12,
    "constant but for the last bit": [0.125, np.nextafter(0.125, 1)] * 6,
    "no number": [np.nan] * 12,
    "infinite": [np.inf] * 12,
    "infinite of both signs": [np.inf, -np.inf] * 6,
    "huge": [1e300] * 12,
    "the largest": [np.finfo(float).max] * 12,
    "subnormal": [5e-324] * 12,
    "subnormal, in steps": [5e-324 * k for k in range(12)],
    "of all sizes": [0.0, 5e-324, 1e-300, 1.0, 1e300, np.inf] * 2,
    "constant or no number": [0.125, np.nan] * 6,
}


def result(values, shape=(3, 4), dtype="float64"):
    """A result over a plane whose numbers are all `values`."""
    with np.errstate(over="ignore"):
        field = np.array(values, dtype).reshape(shape)
    dims = ("learning_rate", "bias", "weight")[-len(shape) :]
    fields = dict.fromkeys(("loss", "error", "loss_sum", "inverse_sum", "late_loss"), field)
    fields |= {"outcome": np.ones(shape, np.int8), "steps": np.full(shape, 7, np.int32)}
    fields |= {"period": np.zeros(shape, np.int32), "learned": np.zeros(shape, np.int64)}
    coords = {dim: np.arange(float(size)) for dim, size in zip(dims, shape, strict=True)}
    return xr.Dataset({name: (dims, value) for name, value in fields.items()}, coords)


def drawn(kind, data, **options):
    figure = plot.Picture(kind, options).draw(data)
    figure.dpi = 20
    FigureCanvasAgg(figure).draw()
    return figure


def different_maps():
    """Every field in both dtypes, and its first number alone, but for those that are equal to one before."""
    found = {}
    for field, values in FIELDS.items():
        for more, given in {
            "": {"values": values},
            " in float32": {"values": values, "dtype": "float32"},
            " alone": {"values": values[:1], "shape": (1, 1)},
        }.items():
            loss = result(**given).loss
            found.setdefault((loss.dtype, loss.shape, loss.values.tobytes()), (field + more, given))
    return dict(found.values())


@pytest.mark.parametrize("given", different_maps().values(), ids=different_maps())
@pytest.mark.parametrize("kind", ["loss", "trainability"])
def test_a_map_of_numbers_is_drawn_whatever_these_are(kind, given):
    drawn(kind, result(**given))


@pytest.mark.parametrize("shape", [(3, 4), (1, 1), (4,), (1,), (2, 1, 1)], ids=str)
@pytest.mark.parametrize(
    "kind", ["outcome", "steps", "loss", "learned", "period", "shares", "steps_distribution", "animate_map"]
)
def test_a_result_that_is_everywhere_the_same_is_drawn_whatever_its_shape(kind, shape):
    if kind == "animate_map" and len(shape) > 2:
        return
    drawn(kind, result([HALF] * int(np.prod(shape)), shape))


def test_numbers_that_differ_in_the_last_bits_have_one_colour():
    for dtype, noise in (("float64", 1e-15), ("float32", 1e-6)):
        ax = Figure().subplots()
        cells = plot.loss(result(0.125 * (1 + noise * np.arange(12) / 12), dtype=dtype), ax=ax)
        assert np.ptp(cells.norm(cells.get_array())) < 1e-3


PLANE = {"bias": fn.linspace(19, 21, 3), "weight": fn.linspace(19, 21, 3)}
IDENTITY, STEP = fn.Identity(), fn.Step()
EXTREME = {
    "a plateau": {},
    "a plateau of one start": {"axes": {"bias": [20.0], "weight": [20.0]}},
    "a plateau of a row": {"axes": {"bias": [20.0], "weight": fn.linspace(19, 21, 3)}},
    "a plateau in float32": {"dtype": "float32"},
    "a step": {"model": fn.Neuron(activation=STEP)},
    "almost a plateau": {"axes": {"bias": [36.5], "weight": [35.5]}},
    "no loss": {"model": fn.Neuron(activation=STEP), "task": fn.Task([0.0, 1.0], [1.0, 1.0])},
    "losses that are no numbers": {"model": fn.Neuron(activation=fn.ReLU()), "loss": fn.CrossEntropy()},
    "huge starts": {
        "model": fn.Neuron(activation=IDENTITY),
        "axes": {"bias": [1e300], "weight": [1e300]},
    },
    "huge losses": {
        "model": fn.Neuron(activation=IDENTITY),
        "axes": {"bias": fn.linspace(-1e154, 1e154, 3), "weight": fn.linspace(-1e154, 1e154, 3)},
    },
    "huge targets": {
        "model": fn.Neuron(activation=IDENTITY),
        "task": fn.Task([0.0, 1.0], [1.7e308, -1.7e308]),
    },
    "huge inputs": {"task": fn.Task([-1.7e308, 1.7e308], [1.0, 0.0])},
    "subnormal starts": {
        "model": fn.Neuron(activation=IDENTITY),
        "loss": fn.AbsoluteError(),
        "task": fn.Task([0.0, 1.0], [0.0, 0.0]),
        "optimizer": fn.GradientDescent(1e-323),
        "axes": {"bias": [0.0, 5e-324, 1e-323], "weight": [0.0, 5e-324, 1e-323]},
    },
    "one subnormal start": {
        "model": fn.Neuron(activation=IDENTITY),
        "task": fn.Task([0.0, 1.0], [0.0, 0.0]),
        "axes": {"bias": [5e-324], "weight": [5e-324]},
    },
    "tiny losses": {
        "model": fn.Neuron(activation=IDENTITY),
        "loss": fn.AbsoluteError(),
        "task": fn.Task([0.0, 1.0], [0.0, 0.0]),
        "optimizer": fn.GradientDescent(1e-306),
        "axes": {"bias": fn.linspace(0, 1e-305, 3), "weight": fn.linspace(0, 1e-305, 3)},
    },
    "a huge penalty": {"penalty": fn.L2(1e300)},
}


def extreme(name):
    given = {"task": fn.tasks.inverter(), "optimizer": fn.GradientDescent(1.0), "axes": PLANE}
    return fn.Sweep(**given | {"stop": fn.Stop(max_steps=5)} | EXTREME[name])


@pytest.mark.parametrize("name", EXTREME)
def test_what_is_computed_from_a_sweep_is_drawn_whatever_its_losses_are(name):
    sweep = extreme(name)
    ran = sweep.run(progress=False)
    map_of_numbers = ("loss", "error")[list(EXTREME).index(name) % 2]  # one function draws both
    for kind in (map_of_numbers, "landscape", "basins", "vector_field", "loss_curves"):
        drawn(kind, ran)
    drawn("animate_response", ran, frames=3)
    if name in ("a plateau of one start", "a plateau of a row"):
        return  # a start alone knows nothing of the others
    drawn("animate_response", xr.Dataset(attrs={"sweep": sweep.to_toml()}), frames=3)
    start = {axis: float(values.values()[0]) for axis, values in sweep.axes.items()}
    for kind in ("progress", "curve"):
        drawn(kind, ran, start=start)


def test_a_plateau_has_no_contours_and_is_saved(tmp_path):
    data = xr.Dataset(attrs={"sweep": extreme("a plateau").to_toml()})
    plot.save(tmp_path / "plateau.gif", data, "animate_response", frames=2, dpi=30)
    assert (tmp_path / "plateau.gif").read_bytes()[:4] == b"GIF8"
    plane = plot.animate_response(data, frames=2).figure.axes[1]
    assert not plane.collections and plane.get_images()[0].get_array().std() < 1e-9
    sloped = fn.Sweep.from_toml(data.attrs["sweep"]).to_toml().replace("[19.0, 21.0, 3]", "[-1.0, 1.0, 3]")
    plane = plot.animate_response(xr.Dataset(attrs={"sweep": sloped}), frames=2).figure.axes[1]
    assert plane.collections


def test_where_a_loss_is_not_finite_the_legend_says_so():
    data = xr.Dataset(attrs={"sweep": extreme("losses that are no numbers").to_toml()})
    legends = plot.animate_response(data, frames=2).figure.legends
    assert "not finite" in [text.get_text() for legend in legends for text in legend.get_texts()]


def test_an_axis_beyond_what_can_be_drawn_is_refused():
    with pytest.raises(
        ValueError, match=r"^axis 'weight' must hold numbers up to 4e\+306 to be drawn, got 1e"
    ):
        grid_axis("weight", np.array([0.0, 1e308]))
    for alone in (1e300, -1e300, 5e-324, 20.0):
        low, high = grid_axis("weight", np.array([alone])).edges
        assert low < alone < high


MASKED = ["outcome", "steps", "loss", "learned", "period", "shares", "steps_distribution", "animate_map"]


@pytest.mark.parametrize("kind", MASKED)
def test_what_was_masked_is_drawn_as_not_computed(kind):
    whole = result([HALF] * 12)
    masked = whole.where(whole.weight > 0)
    assert masked.outcome.dtype.kind == "f"
    missing = whole.copy()
    missing["outcome"] = whole.outcome.where(whole.weight > 0, -1).astype(np.int8)
    pictures = []
    for data in (masked, missing):
        figure = drawn(kind, data)
        pictures.append(np.asarray(figure.canvas.buffer_rgba()).copy())
    assert np.array_equal(*pictures)


def test_a_mean_is_no_outcome_and_no_table():
    mean = result([HALF] * 12).assign(outcome=("weight", [0.5] * 4), learned=("weight", [0.5] * 4))
    for kind in ("outcome", "learned", "animate_map"):
        says = f"^{kind if kind == 'learned' else 'outcome'} must hold "
        with pytest.raises(ValueError, match=says):
            plot.Picture(kind).draw(mean[["outcome", "learned"]].assign(steps=mean.steps.isel(bias=0)))

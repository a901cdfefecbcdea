"""Sweeps: what they accept, what they call wrong, and that TOML gives every one of them back."""

import hashlib
import pickle
import subprocess
import sys
import types
from dataclasses import replace
from xml.etree import ElementTree

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import example, given

import fastneuron as fn
from fastneuron import tasks
from fastneuron.activations import Activation, Identity, Sigmoid, Tanh
from fastneuron.axes import Geomspace, Linspace, Values, geomspace, linspace
from fastneuron.components import Fraction, component
from fastneuron.elementary import constant
from fastneuron.losses import CrossEntropy, Loss, PerceptronLoss, SquaredError
from fastneuron.models import Neuron
from fastneuron.optimizers import GradientDescent, Momentum, Optimizer
from fastneuron.outcomes import Outcome, Stop
from fastneuron.penalties import L1, L2, NoPenalty
from fastneuron.sweep import Sweep
from fastneuron.tasks import Task


@component
class Scaled(Activation):
    """A user's own activation, whose field has the name of the loss's."""

    scale: float = 1.0
    größe: float = 2.0

    def value(self, z):
        return self.scale * z

    def slope(self, z, a):
        return constant(z, 1.0) * self.scale


@component
class Odd(Loss):
    """A user's own loss with fields named like a result's variable and like a parameter."""

    steps: Fraction = 0.5
    weight: float = 1.0

    def value(self, activation, z, a, y):
        return z - y

    def delta(self, activation, z, a, y):
        return constant(z, 1.0)


class Undecorated(Loss):
    """A class whose author forgot the decorator."""


def minimal(**changes):
    given = {
        "task": tasks.inverter(),
        "optimizer": GradientDescent(30.0),
        "axes": {"bias": linspace(-20, 20, 5)},
    }
    return Sweep(**given | changes)


def spec(**changes):
    given = {
        "task": {"name": "inverter"},
        "optimizer": {"name": "gradient_descent", "learning_rate": 30},
        "axes": {"bias": {"linspace": [-20, 20, 5]}},
    }
    return given | changes


# what a sweep is


def test_defaults_are_a_sigmoid_neuron_with_the_inputs_of_the_task():
    sweep = minimal(task=tasks.gate("nand"))
    assert sweep.model == Neuron(inputs=2, activation=Sigmoid())
    assert sweep.loss == SquaredError()
    assert sweep.penalty is None
    assert sweep.stop == Stop() and sweep.stop.settle is None
    assert (sweep.dtype, sweep.seed, dict(sweep.start)) == ("float64", 0, {})


def test_dims_shape_and_points_follow_the_order_of_the_axes():
    sweep = minimal(axes={"weight": [1, 2], "learning_rate": geomspace(1, 100, 3), "bias": np.arange(4)})
    assert sweep.dims == ("weight", "learning_rate", "bias")
    assert sweep.shape == (2, 3, 4)
    assert sweep.points == 24
    assert dict(sweep.axes) == {
        "weight": Values((1.0, 2.0)),
        "learning_rate": Geomspace(1.0, 100.0, 3),
        "bias": Values((0.0, 1.0, 2.0, 3.0)),
    }


@pytest.mark.parametrize(
    ("axis", "place"),
    [
        ("weight", ("start", "weight")),
        ("start.weight", ("start", "weight")),
        ("start.bias", ("start", "bias")),
        ("learning_rate", ("optimizer", "learning_rate")),
        ("optimizer.momentum", ("optimizer", "momentum")),
        ("gain", ("activation", "gain")),
        ("activation.gain", ("activation", "gain")),
        ("model.activation.gain", ("activation", "gain")),
        ("bias_strength", ("penalty", "bias_strength")),
        ("penalty.strength", ("penalty", "strength")),
        ("loss.scale", ("loss", "scale")),
        ("stop.tolerance", ("stop", "tolerance")),
        ("settle", ("stop", "settle")),
    ],
)
def test_an_axis_is_a_parameter_or_a_field(axis, place):
    sweep = minimal(optimizer=Momentum(1, 0.5), penalty=L2(0.1), axes={axis: [0.25, 0.5]})
    assert sweep.places == {axis: place}
    assert Sweep.from_toml(sweep.to_toml()).places == sweep.places


@pytest.mark.parametrize(
    ("given", "name"),
    [("float32", "float32"), (np.float32, "float32"), (np.dtype(">f4"), "float32"), (float, "float64")],
)
def test_a_dtype_is_known_by_its_name(given, name):
    assert minimal(dtype=given).dtype == name


def test_axes_and_start_cannot_be_changed():
    axes = {"bias": [1.0]}
    sweep = minimal(axes=axes, start={"weight": 1})
    axes["weight"] = [2.0]
    assert sweep.dims == ("bias",)
    for table in (sweep.axes, sweep.start):
        with pytest.raises(TypeError):
            table["weight"] = 1
    with pytest.raises(AttributeError):
        sweep.seed = 1


def test_the_order_of_the_axes_counts_and_that_of_the_start_does_not():
    assert minimal(axes={"bias": [1], "weight": [2]}) != minimal(axes={"weight": [2], "bias": [1]})
    one = minimal(axes={"learning_rate": [1]}, start={"bias": 1, "weight": 2})
    two = minimal(axes={"learning_rate": [1]}, start={"weight": 2, "bias": 1})
    assert one == two and hash(one) == hash(two) and one.sha256 == two.sha256
    assert one != "a sweep"


def test_a_sweep_survives_pickle_and_replace():
    sweep = minimal(start={"weight": 2}, penalty=L1(0.5), stop=Stop(settle=0.0), dtype="float32", seed=7)
    assert pickle.loads(pickle.dumps(sweep)) == sweep
    assert replace(sweep, seed=8) == Sweep.from_spec(
        dict(spec(seed=8, dtype="float32"))
        | {"penalty": {"name": "l1", "strength": 0.5}, "start": {"weight": 2}, "stop": {"settle": 0}}
    )


def test_repr_has_a_short_line_for_each_argument():
    text = repr(minimal(task=tasks.flipped_step(1000), axes={"bias": range(100_000)}, penalty=L2(1)))
    lines = text.splitlines()
    assert lines[0] == "Sweep(" and lines[-1] == ")" and max(map(len, lines)) <= 90
    assert "    optimizer=GradientDescent(learning_rate=30.0)," in lines
    assert "    penalty=L2(strength=1.0, bias_strength=0.0)," in lines
    assert "    axes={'bias': [0.0, 1.0, 2.0, 3.0, ..., 99999.0] (100,000 values)}," in lines
    assert "    stop=Stop(max_steps=2000, tolerance=0.1)," in lines
    assert not any(word in text for word in ("batch", "dtype", "seed", "draws", "record", "start="))


def test_repr_tells_what_is_not_as_usual():
    text = repr(
        minimal(
            axes={name: linspace(-20, 20, 1024) for name in ("bias", "weight", "gain")},
            start={},
            stop=Stop(settle=0.0),
            dtype="float32",
            seed=7,
        )
    )
    for line in ("        'gain': linspace(-20.0, 20.0, 1024),", "    dtype='float32',", "    seed=7,"):
        assert line in text.splitlines()
    assert "    stop=Stop(max_steps=2000, tolerance=0.1, settle=0.0)," in text.splitlines()


def test_notebooks_show_a_table_of_the_sweep():
    shown = minimal(axes={"bias": linspace(0, 1, 1024), "weight": [1, 2]})._repr_html_()
    assert "2,048 starts: bias 1,024 x weight 2" in shown
    assert (
        "GradientDescent(learning_rate=30.0)" in shown
        and "&#x27;bias&#x27;: linspace(0.0, 1.0, 1024)" in shown
    )
    ElementTree.fromstring(shown)  # well-formed


def test_sha256_is_that_of_the_toml():
    sweep = minimal()
    assert sweep.sha256 == hashlib.sha256(sweep.to_toml().encode("utf-8")).hexdigest()


def test_run_hands_the_sweep_to_the_engine(monkeypatch):
    engine = types.ModuleType("fastneuron.engine.local")
    engine.run = lambda sweep, **given: (sweep, given)
    monkeypatch.setitem(sys.modules, "fastneuron.engine.local", engine)
    sweep = minimal()
    arguments = {"store": "map.zarr", "keep": ["outcome"], "threads": 2, "progress": False, "memory": 10**9}
    assert sweep.run(**arguments) == (sweep, arguments)
    assert sweep.run() == (sweep, dict.fromkeys(arguments))


def test_importing_the_module_loads_nothing_heavy():
    code = "import sys, fastneuron.sweep; print({'numba', 'xarray', 'zarr', 'matplotlib'} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "set()"


def test_a_long_range_is_checked_by_its_ends_alone():
    sweep = minimal(axes={"weight": linspace(0, 1, 2**31 - 1), "learning_rate": geomspace(1, 2, 2**31 - 1)})
    assert sweep.points == (2**31 - 1) ** 2


# wrong arguments


class Hostile:
    def __array__(self, *args, **kwargs):
        raise RuntimeError("no array")


WILD = [
    None,
    True,
    b"12",
    "12",
    1j,
    object(),
    [[1, 2], [3, 4]],
    [[1], [2, 3]],
    [None],
    [True],
    {1, 2},
    np.array(1.0),
    np.array([True]),
    np.array(["a"]),
    np.array([np.nan]),
    np.zeros((2, 2)),
    [],
    np.array(["2020"], "datetime64[Y]"),
    Hostile(),
    float("nan"),
    [float("inf")],
    [10**400],
    {"a": 1},
    {"linspace": [0, 1]},
    {"linspace": 3},
    {"linspace": [0, 1, True]},
    iter([1.0]),
    np.ndarray,
]


@pytest.mark.parametrize("value", WILD, ids=lambda value: repr(value).split(" at 0x")[0][:30])
@pytest.mark.parametrize("name", ["bias", "learning_rate", "max_steps"])
def test_a_wild_axis_is_one_line_that_names_the_axis(name, value):
    with pytest.raises(ValueError, match=f"^axis {name}") as caught:
        minimal(axes={name: value})
    assert "\n" not in str(caught.value)


NOT_FOR = {  # wild values that are what the argument allows
    "model": [None],
    "penalty": [None],
    "stop": [None],
}


@pytest.mark.parametrize("value", WILD, ids=lambda value: repr(value).split(" at 0x")[0][:30])
@pytest.mark.parametrize(
    "name",
    ["task", "model", "loss", "optimizer", "penalty", "axes", "start", "stop", "dtype", "seed"],
)
def test_a_wild_argument_is_one_line_that_names_the_argument(name, value):
    if any(value is allowed for allowed in NOT_FOR.get(name, [])):
        assert minimal(**{name: value}) == minimal()
        return
    with pytest.raises(ValueError, match=f"^(axis (a|linspace)|{name})") as caught:
        minimal(**{name: value})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": "inverter"}, "task must be a task such as tasks.inverter(), got 'inverter'"),
        ({"loss": SquaredError}, "loss must be a loss such as SquaredError(), got <class"),
        ({"loss": "squared_error"}, "loss must be a loss such as SquaredError(), got 'squared_error'"),
        ({"loss": GradientDescent(1)}, "loss must be a loss such as SquaredError(), got GradientDescent"),
        ({"loss": Undecorated()}, "loss must be a record: decorate Undecorated with @component"),
        ({"optimizer": {"name": "momentum"}}, "optimizer must be an optimizer such as GradientDescent("),
        ({"model": Neuron(inputs=2)}, "model.inputs must be 1 as in the task, got 2"),
        ({"dtype": "float16"}, "dtype must be 'float64' or 'float32', got 'float16'"),
        ({"dtype": np.floating}, "dtype must be 'float64' or 'float32'"),
        ({"seed": -1}, "seed must be a whole number from 0 to 2**63 - 1, got -1"),
        ({"seed": 2**63}, "seed must be a whole number from 0 to 2**63 - 1"),
        ({"axes": {}}, "axes must be 1 to 64 axes by name, got 0"),
        ({"axes": {1: [1]}}, "axes: a name must be text, got 1"),
        (
            {"axes": {"learning_rat": [1]}},
            "axes.learning_rat: unknown axis (did you mean 'learning_rate'?); a "
            "neuron of 1 input has weight, bias; fields: gain, scale, learning_rate, max_steps, tolerance",
        ),
        (
            {"axes": {"weight": [1]}, "task": tasks.gate("or")},
            "a neuron of 2 inputs has weight_0, weight_1, bias",
        ),
        (
            {"axes": {"weight_784": [1]}, "task": Task([range(784)], [0])},
            "has weight_0, ..., weight_783, bias",
        ),
        ({"axes": {"strength": [1]}}, "axes.strength: there is no penalty; give penalty=L2("),
        ({"axes": {"penalty.strength": [1]}}, "axes.penalty.strength: there is no penalty; give penalty="),
        ({"axes": {"bias": [1], "start.bias": [1]}}, "axes.start.bias: the same as axes.bias; give one"),
        (
            {"axes": {"gain": [1], "model.activation.gain": [1]}},
            "axes.model.activation.gain: the same as axes.gain",
        ),
        (
            {"axes": {"scale": [1]}, "model": Neuron(1, Scaled())},
            "axes.scale: ambiguous; write activation.scale or loss",
        ),
        (
            {"axes": {"weight": [1]}, "loss": Odd()},
            "axes.weight: ambiguous; write start.weight or loss.weight",
        ),
        (
            {"axes": {"steps": [0.5]}, "loss": Odd()},
            "axes.steps: a result's variable is called so; write loss.steps",
        ),
        (
            {
                "axes": {
                    "bias": linspace(0, 1, 2**31 - 1),
                    "weight": linspace(0, 1, 2**31 - 1),
                    "gain": [1, 2],
                }
            },
            "axes must have at most 2**62 points in all, got 9223372028264841218",
        ),
        ({"axes": {"learning_rate": [1, 2, 3, -0.5]}}, "axis learning_rate[3] must be positive, got -0.5"),
        ({"axes": {"learning_rate": linspace(1, 0, 9)}}, "axis learning_rate[8] must be positive, got 0.0"),
        ({"axes": {"learning_rate": linspace(0, 1, 1)}}, "axis learning_rate[0] must be positive, got 0.0"),
        (
            {"axes": {"max_steps": [10, 10.5]}},
            "axis max_steps[1] must be a whole number from 0 to 2147483647, got 10.5",
        ),
        ({"axes": {"max_steps": linspace(1, 10, 5)}}, "axis max_steps[1] must be a whole number"),
        ({"axes": {"max_steps": [-1]}}, "axis max_steps[0] must be a whole number"),
        (
            {"axes": {"momentum": [0, 1]}, "optimizer": Momentum(1, 0)},
            "axis momentum[1] must be at least 0 and below 1",
        ),
        (
            {"start": {"wieght": 1}},
            "start.wieght: unknown parameter (did you mean 'weight'?); a neuron of 1 input",
        ),
        ({"start": {"weight": "1"}}, "start.weight must be a number or a list of starts, got '1'"),
        ({"start": {"weight": None}}, "start.weight must be a number or a list of starts, got None"),
        ({"start": {"bias": 1}}, "start.bias: bias is an axis already; give one of them"),
        ({"start": {1: 1}}, "start.1: unknown parameter"),
        (
            {"loss": CrossEntropy(), "task": Task([0, 1], [1, 1.5])},
            "task.y[1] must be from 0 to 1 for CrossEntropy(), got 1.5",
        ),
        (
            {"loss": PerceptronLoss(), "task": Task([0, 1], [0.5, 1])},
            "task.y[0] must be 0 or 1 for PerceptronLoss(), got 0.5",
        ),
    ],
)
def test_a_wrong_argument_names_the_place_the_value_and_what_is_allowed(changes, message):
    with pytest.raises(ValueError) as caught:
        minimal(**changes)
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"axes": {"bias": [1, 1e39]}}, "axis bias[1] must be a finite number in float32, got 1e+39"),
        (
            {"axes": {"bias": linspace(-1e39, 0, 3)}},
            "axis bias[0] must be a finite number in float32, got -1e+39",
        ),
        (
            {"axes": {"learning_rate": [1e-60]}},
            "axis learning_rate[0] must be positive in float32, got 1e-60",
        ),
        (
            {"axes": {"max_steps": [2**24, 2**24 + 1]}},
            "axis max_steps[1] must be at most 16777216 in float32",
        ),
        ({"start": {"weight": -1e39}}, "start.weight must be a finite number in float32, got -1e+39"),
        (
            {"task": Task([[0, 1], [2, 1e39]], [0, 1])},
            "task.x[1, 1] must be a finite number in float32, got 1e+39",
        ),
        ({"task": Task([0, 1], [0, 1e39])}, "task.y[1, 0] must be a finite number in float32, got 1e+39"),
        (
            {"optimizer": GradientDescent(1e39)},
            "optimizer.learning_rate must be positive and finite in float32, got 1e+39",
        ),
        (
            {"optimizer": Momentum(1, 1 - 1e-12)},
            "optimizer.momentum must be at least 0 and below 1 in float32",
        ),
        ({"model": Neuron(1, Tanh(1e39))}, "model.activation.gain must be a finite number in float32"),
        (
            {"stop": Stop(max_steps=2**24 + 1)},
            "stop.max_steps must be at most 16777216 in float32, got 16777217",
        ),
        ({"stop": Stop(limit=1e39)}, "stop.limit must be positive and finite in float32, got 1e+39"),
        ({"penalty": L2(1e39)}, "penalty.strength must be zero or positive and finite in float32, got 1e+39"),
    ],
)
def test_what_float32_cannot_hold_is_wrong_in_float32_only(changes, message):
    assert minimal(**changes).dtype == "float64"
    with pytest.raises(ValueError) as caught:
        minimal(**changes, dtype="float32")
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_float32_counts_steps_up_to_2_to_the_24():
    sweep = minimal(stop=Stop(max_steps=2**24), axes={"max_period": [1, 65536]}, dtype="float32")
    assert sweep.stop.max_steps == 2**24


def test_a_component_that_its_name_cannot_find_again_is_wrong():
    @component
    class Local(Optimizer):
        rate: float = 1.0

    says = "optimizer: Local is defined inside a function; define it at the top of a module"
    with pytest.raises(ValueError, match=says):
        minimal(optimizer=Local())
    Local.__qualname__ = "Gone"
    with pytest.raises(
        ValueError, match="optimizer.name: .* is not known: .* has no class .*; define Local at"
    ):
        minimal(optimizer=Local())


def test_a_component_of_a_class_defined_anew_is_wrong(monkeypatch):
    old = Scaled()
    monkeypatch.setattr(
        sys.modules[__name__], "Scaled", component(type("Scaled", (Activation,), {"__module__": __name__}))
    )
    with pytest.raises(ValueError, match="model.activation.*Scaled"):
        minimal(model=Neuron(1, old))


# TOML


def test_toml_is_canonical():
    sweep = minimal(
        optimizer=Momentum(30, 0.9),
        axes={"bias": linspace(-20, 20, 1024), "optimizer.learning_rate": [0.1, 1]},
        start={"weight": -0.0},
        penalty=L2(1e-7),
    )
    assert (
        sweep.to_toml()
        == """\
dtype = "float64"
seed = 0

[task]
name = "inverter"

[model]
inputs = 1
activation = { name = "sigmoid", gain = 1.0 }

[loss]
name = "squared_error"
scale = 0.5

[optimizer]
name = "momentum"
learning_rate = 30.0
momentum = 0.9

[penalty]
name = "l2"
strength = 1e-07
bias_strength = 0.0

[axes]
bias = { linspace = [-20.0, 20.0, 1024] }
"optimizer.learning_rate" = [0.1, 1.0]

[start]
weight = -0.0

[stop]
max_steps = 2000
tolerance = 0.1
max_period = 64
limit = 1000000000000.0
stall = 0.01
"""
    )


def test_the_spec_of_the_design_is_read():
    sweep = Sweep.from_toml("""
        [task]
        name = "inverter"
        [model]
        activation = "sigmoid"
        [loss]
        name = "squared_error"
        [optimizer]
        name = "gradient_descent"
        learning_rate = 30.0
        [axes]
        bias = { linspace = [-20, 20, 1024] }
        weight = { linspace = [-20, 20, 1024] }
        [stop]
        max_steps = 2000
        tolerance = 0.1
    """)
    assert sweep == minimal(axes={"bias": linspace(-20, 20, 1024), "weight": linspace(-20, 20, 1024)})


def test_a_bare_dotted_key_is_the_axis_of_that_name():
    sweep = Sweep.from_toml("""
        task.name = "nand"
        optimizer = { name = "gradient_descent", learning_rate = 1 }
        loss = "cross_entropy"
        model.activation = { name = "sigmoid", gain = 2 }
        [axes]
        optimizer.learning_rate = { geomspace = [0.1, 10, 3] }
        model.activation.gain = [1, 2]
        start.weight_0 = [0.5]
        stop.tolerance = [0.1]
    """)
    assert sweep.dims == (
        "optimizer.learning_rate",
        "model.activation.gain",
        "start.weight_0",
        "stop.tolerance",
    )
    assert sweep.loss == CrossEntropy() and sweep.model == Neuron(2, Sigmoid(2.0))


def test_a_csv_task_is_written_with_its_data(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("0,1\n1,0\n")
    sweep = Sweep.from_spec(spec(task={"csv": str(path)}))
    path.unlink()
    assert Sweep.from_toml(sweep.to_toml()).task == Task([0, 1], [1, 0], name="table")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"a\nb": {}}, "'a\\nb': unknown key; allowed: dtype"),
        ({"task": {"a\nb": 1}}, "task.'a\\nb': unknown key"),
        ({"axes": {"a\nb": [1]}}, "axes.'a\\nb': unknown axis"),
        ({"axes": {"a\nb": [None]}}, "axis 'a\\nb'[0] must be a finite number, got None"),
        ({"axes": {"a\nb": {"c": 1}}}, "axes.'a\\nb'.c: unknown key"),
        ({"start": {"a\nb": 1}}, "start.'a\\nb': unknown parameter"),
        ({"stop": {"a\nb": 1}}, "stop.'a\\nb': unknown key"),
        (
            {"optimiser": {}},
            "optimiser: unknown key (did you mean 'optimizer'?); allowed: dtype, seed, draws",
        ),
        ({"task": {"nam": "inverter"}}, "task.nam: unknown key (did you mean 'name'?)"),
        ({"task": "inverter"}, "task must be a table, got 'inverter'"),
        ({"task": {"x": [[0], [1, 2]], "y": [1, 0]}}, "task: x is ragged"),
        ({"model": {"activatio": "sigmoid"}}, "model.activatio: unknown key (did you mean 'activation'?)"),
        (
            {"model": {"activation": "sigmoi"}},
            "model.activation: unknown activation 'sigmoi' (did you mean 'sigmoid'?)",
        ),
        (
            {"model": {"activation": {"name": "sigmoid", "gian": 1}}},
            "model.activation.gian: unknown key (did you mean 'gain'?); allowed: gain",
        ),
        ({"model": {"activation": None}}, "model.activation: unknown activation None"),
        ({"model": {"inputs": 1.0}}, "model.inputs must be a whole number of 1 or more, got 1.0"),
        ({"model": {"inputs": 2}}, "model.inputs must be 1 as in the task, got 2"),
        ({"model": []}, "model must be a table, got []"),
        (
            {"optimizer": {"name": "gradient_descent", "learning_rat": 1}},
            "optimizer.learning_rat: unknown key (did you mean 'learning_rate'?); allowed: learning_rate",
        ),
        (
            {"optimizer": {"name": "gradient_descent"}},
            "optimizer: missing key 'learning_rate' of GradientDescent",
        ),
        (
            {"optimizer": {"name": "gradient_descent", "learning_rate": "1"}},
            "optimizer.learning_rate must be positive, got '1'",
        ),
        ({"optimizer": "momentum"}, "optimizer: missing key 'learning_rate' of Momentum"),
        (
            {"optimizer": {"learning_rate": 1}},
            "optimizer: missing key 'name'; known: gradient_descent, momentum",
        ),
        ({"optimizer": 3}, "optimizer: unknown optimizer 3"),
        ({"loss": {"name": []}}, "loss.name: unknown loss []"),
        ({"penalty": {"name": "l2", "strength": -1}}, "penalty.strength must be zero or positive, got -1"),
        ({"axes": []}, "axes must be a table, got []"),
        (
            {"axes": {"bias": {"linspac": [0, 1, 2]}}},
            "axes.bias.linspac: unknown key (did you mean 'linspace'?)",
        ),
        (
            {"axes": {"bias": {"linspace": [0, 1]}}},
            "axis bias.linspace must be [start, stop, num], got [0, 1]",
        ),
        (
            {"axes": {"bias": {"linspace": [0, 1, 2.0]}}},
            "axis bias: linspace num must be a whole number from 1",
        ),
        (
            {"axes": {"bias": {"linspace": [0, 1, 2], "geomspace": [1, 2, 3]}}},
            "axis bias must be { linspace =",
        ),
        (
            {"axes": {"bias": "1"}},
            "axis bias must be linspace(...), geomspace(...) or a 1-D list of numbers, got '1'",
        ),
        (
            {"axes": {"optimizer": {"learning_rat": [1]}}},
            "axes.optimizer.learning_rat: unknown axis (did you mean 'optimizer.learning_rate'?)",
        ),
        (
            {"axes": {"optimizer.learning_rate": [1], "optimizer": {"learning_rate": [1]}}},
            "axes.optimizer.learning_rate: given twice",
        ),
        ({"start": 3}, "start must be a table, got 3"),
        ({"start": {"weight": ["a"]}}, "start.weight[0] must be a finite number, got 'a'"),
        (
            {"stop": {"max_step": 1}},
            "stop.max_step: unknown key (did you mean 'max_steps'?); allowed: max_steps, tol",
        ),
        ({"stop": {"max_steps": -1}}, "stop.max_steps must be a whole number from 0 to 2147483647, got -1"),
        ({"stop": {"tolerance": None}}, "stop.tolerance must be zero or positive, got None"),
        ({"dtype": 32}, "dtype must be 'float64' or 'float32', got 32"),
        ({"seed": 1.0}, "seed must be a whole number from 0 to 2**63 - 1, got 1.0"),
    ],
)
def test_a_wrong_entry_names_the_key_the_value_and_what_is_allowed(changes, message):
    with pytest.raises(ValueError) as caught:
        Sweep.from_spec(spec(**changes))
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["task", "optimizer", "axes"])
def test_a_missing_table_is_named(key):
    table = spec()
    del table[key]
    says = f"^{key}: missing table; a sweep needs task, optimizer, and axes, draws or chosen starts$"
    with pytest.raises(ValueError, match=says):
        Sweep.from_spec(table)


@pytest.mark.parametrize("table", [None, [], "task", 3, b""])
def test_a_spec_that_is_no_table_is_named(table):
    with pytest.raises(ValueError, match="^a sweep must be a dict of tables, as TOML gives it, got"):
        Sweep.from_spec(table)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[task\n", r"^not valid TOML: .*line 1"),
        ("seed = 1\nseed = 2\n", r"^not valid TOML: .*line 2"),
        ("a = " + "[" * 100_000, r"^not valid TOML: nested too deeply$"),
        ("a = " + "1" * 5_000, r"^not valid TOML: "),
        (b"seed = 1", r"^a TOML text must be a str, got b'seed = 1'$"),
        (None, r"^a TOML text must be a str, got None$"),
    ],
    ids=["open bracket", "key given twice", "deep", "endless number", "bytes", "None"],
)
def test_text_that_is_not_toml_is_one_line(text, message):
    with pytest.raises(ValueError, match=message) as caught:
        Sweep.from_toml(text)
    assert "\n" not in str(caught.value)


numbers = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([-0.0, 5e-324, 1e308, 1e22, 1e-7]),
    st.integers(-(2**60), 2**60),
)
positive = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
half = st.floats(-8e307, 8e307)
names = st.text(min_size=1, max_size=8).filter(lambda text: text.isprintable() and text.strip())
tables = st.builds(
    lambda rows, name: Task([row[:-1] for row in rows], [row[-1] for row in rows], name),
    st.integers(1, 3).flatmap(
        lambda n: st.lists(st.lists(numbers, min_size=n + 1, max_size=n + 1), min_size=1, max_size=4)
    ),
    names,
)
named = st.sampled_from(sorted(tasks.NAMED)).map(lambda name: tasks.NAMED[name]())
number_axes = st.one_of(
    st.lists(numbers, min_size=1, max_size=5),
    st.builds(linspace, half, half, st.integers(1, 1000)),
    st.builds(geomspace, positive, positive, st.integers(1, 100)),
)
rates = st.one_of(
    st.lists(positive, min_size=1, max_size=5), st.builds(geomspace, positive, positive, st.integers(1, 9))
)


@st.composite
def sweeps(draw):
    task = draw(st.one_of(tables, named))
    activation = draw(
        st.one_of(st.builds(Sigmoid, numbers), st.just(Identity()), st.builds(Scaled, numbers, numbers))
    )
    model = Neuron(task.inputs, activation)
    keys = draw(
        st.lists(st.sampled_from([*model.parameters, "learning_rate", "stop.limit"]), min_size=1, unique=True)
    )
    axes = {key: draw(number_axes if key in model.parameters else rates) for key in keys}
    free = [name for name in model.parameters if name not in axes]
    return Sweep(
        task=task,
        model=model,
        loss=draw(st.builds(SquaredError, positive)),
        optimizer=draw(
            st.one_of(st.builds(GradientDescent, positive), st.builds(Momentum, positive, st.floats(0, 0.99)))
        ),
        penalty=draw(
            st.one_of(
                st.none(),
                st.just(NoPenalty()),
                st.builds(L1, positive, positive),
                st.builds(L2, positive, positive),
            )
        ),
        axes=axes,
        start=draw(st.dictionaries(st.sampled_from(free), numbers) if free else st.just({})),
        stop=draw(
            st.builds(
                Stop,
                st.integers(1, 2**31 - 1),
                positive,
                st.none() | positive,
                st.integers(1, 65536),
                positive,
                positive,
            )
        ),
        seed=draw(st.integers(0, 2**63 - 1)),
    )


@given(sweeps())
@example(minimal(task=Task([0], [0], name='"q" \\ [x] = é 𝄞'), start={"weight": -0.0}))
def test_toml_gives_every_sweep_back(sweep):
    back = Sweep.from_toml(sweep.to_toml())
    assert back == sweep
    assert back.to_toml() == sweep.to_toml()
    for name in (
        "task",
        "model",
        "loss",
        "optimizer",
        "penalty",
        "stop",
        "seed",
        "dtype",
        "places",
        "dims",
        "shape",
    ):
        assert getattr(back, name) == getattr(sweep, name), name
    for axis, other in zip(back.axes.values(), sweep.axes.values(), strict=True):
        assert axis == other
        assert isinstance(axis, Linspace) or axis.values().tobytes() == other.values().tobytes()
    assert {name: value.hex() for name, value in back.start.items()} == {
        name: value.hex() for name, value in sweep.start.items()
    }


@given(sweeps())
def test_pickle_gives_every_sweep_back(sweep):
    assert pickle.loads(pickle.dumps(sweep)) == sweep


keys = st.sampled_from(
    [
        "name",
        "x",
        "y",
        "csv",
        "points",
        "activation",
        "inputs",
        "learning_rate",
        "bias",
        "weight",
        "linspace",
        "optimizer",
        "max_steps",
        "settle",
        "foo",
    ]
)
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.floats(),
    st.text(max_size=3),
    st.sampled_from(["inverter", "sigmoid", "gradient_descent", "l2", "a:b"]),
    st.binary(max_size=2),
)
wild = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3)
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["dtype", "seed", "task", "model", "loss", "optimizer", "penalty", "axes", "start", "stop"]
        ),
        wild,
        max_size=3,
    )
)
def test_a_wild_spec_is_a_sweep_or_one_line(changes):
    try:
        sweep = Sweep.from_spec(spec(**changes))
    except ValueError as error:
        assert "\n" not in str(error)
    else:
        assert Sweep.from_toml(sweep.to_toml()) == sweep


def test_as_many_axes_run_as_are_allowed():
    task = Task(np.ones((2, 64)), [0, 1])
    axes = {f"weight_{k}": [0.0] for k in range(64)}
    sweep = Sweep(task=task, optimizer=GradientDescent(1.0), axes=axes, stop=Stop(max_steps=3))
    assert sweep.run(progress=False).outcome.ndim == 64


def test_a_path_without_a_step_has_no_period():
    path = fn.descend(
        tasks.inverter(),
        Neuron(activation=fn.Step()),
        loss=SquaredError(),
        optimizer=GradientDescent(1.0),
        start={},
        steps=0,
        stop=Stop(),
    )
    assert (int(path.outcome), int(path.ended), int(path.period)) == (Outcome.UNFINISHED, 0, 0)

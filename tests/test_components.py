"""Components in plain Python: derivatives, torch's formulas, and what every record promises."""

import copy
import inspect
import math
import pickle
import pydoc
import re
import warnings
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import fastneuron as fn
from fastneuron.activations import activations
from fastneuron.axes import as_axis
from fastneuron.batches import batches
from fastneuron.components import Bound, Row, html_table, snake_case, with_rows
from fastneuron.losses import losses
from fastneuron.optimizers import optimizers
from fastneuron.penalties import NoPenalty, penalties
from fastneuron.reducers import reducers

# silence has a test of its own; here the values count, also those that are not finite
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

REGISTRIES = {registry.role: registry for registry in (activations, losses, penalties, optimizers, batches)}
# for a field without a default, and for those whose default would hide a mistake
FIELDS = {
    "gain": 1.7,
    "scale": 0.8,
    "strength": 0.3,
    "bias_strength": 0.2,
    "learning_rate": 0.25,
    "momentum": 0.625,
    "slope": 0.15,
    "delta": 0.7,
    "epsilon": 1e-3,
    "decay": 0.8,
    "beta1": 0.7,
    "beta2": 0.9,
    "weight_decay": 0.05,
    "size": 3,
    "seed": 5,
}
Z = np.array([-4.7, -2.1, -1.3, -0.6, -0.2, 0.1, 0.35, 0.8, 1.9, 3.2])


def made(cls):
    """A component with telling values in its fields."""
    return cls(**{name: FIELDS[name] for name in cls._fields})


EVERY = [made(cls) for registry in REGISTRIES.values() for cls in registry.classes.values()]
ACTIVATIONS = [made(cls) for cls in activations.classes.values()]
LOSSES = [made(cls) for cls in losses.classes.values()]
PENALTIES = [NoPenalty(), *(made(cls) for cls in penalties.classes.values())]


def derivative(function, z, h=1e-2):
    """Central differences of order 8: error near 1e-13 for functions as smooth as these."""
    weights = {1: 4 / 5, 2: -1 / 5, 3: 4 / 105, 4: -1 / 280}
    return sum(w * (function(z + k * h) - function(z - k * h)) for k, w in weights.items()) / h


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_slope_is_the_derivative_of_the_output(activation):
    expected = derivative(activation.value, Z)
    slope = np.broadcast_to(activation.derivative(Z, activation.value(Z)), Z.shape)
    np.testing.assert_allclose(slope, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
@pytest.mark.parametrize("y", [0.0, 0.3, 1.0])
def test_delta_is_the_derivative_of_the_loss(loss, activation, y):
    if loss.targets == "binary":
        y = round(y)

    def value(z):
        return loss.value(activation, z, activation.value(z), y)

    a = activation.value(Z)
    exists = np.isfinite(value(Z)) & np.isfinite(value(Z + 0.04)) & np.isfinite(value(Z - 0.04))
    z, a = Z[exists], a[exists]
    if isinstance(loss, fn.CrossEntropy) and isinstance(activation, fn.Identity):
        # near the poles of ln a and ln(1 - a) differences see more than the slope
        z, a = z[(z > 0.2) & (z < 0.9)], a[(z > 0.2) & (z < 0.9)]
    delta = np.broadcast_to(loss.derivative(activation, z, a, y), z.shape)
    np.testing.assert_allclose(delta, derivative(value, z, h=1e-3), rtol=1e-8, atol=1e-9)


def test_cross_entropy_slopes_are_compared_at_some_points():
    """The test above leaves out points without a loss; these are not all of them."""
    for activation in ACTIVATIONS:
        value = fn.CrossEntropy().value(activation, Z, activation.value(Z), 0.3)
        if isinstance(activation, fn.Step):  # ln 0 counts as -100
            np.testing.assert_allclose(value, np.where(activation.value(Z) == 1, 70.0, 30.0))
            continue
        inside = (activation.value(Z) > 0) & (activation.value(Z) < 1)
        np.testing.assert_array_equal(np.isfinite(value), inside)
        assert inside.any()


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
@pytest.mark.parametrize("y", [0.0, 0.5, 1.0])
def test_cross_entropy_is_no_number_outside_the_unit_interval(activation, y):
    """Whatever the target: only 0 ln 0 is 0, the logarithm of a negative number is nothing."""
    loss = fn.CrossEntropy()
    z = np.array([-3.0, -0.5, 1.5, 3.0])
    a = activation.value(z)
    outside = (a < 0) | (a > 1)
    value, delta = loss.value(activation, z, a, y), loss.derivative(activation, z, a, y)
    assert not np.isfinite(value[outside]).any()
    assert not np.isfinite(np.broadcast_to(delta, z.shape)[outside]).any()


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
@pytest.mark.parametrize("y", [0.0, 1.0])
def test_delta_is_not_finite_wherever_the_loss_is_not(loss, activation, y):
    z = np.linspace(-3.0, 3.0, 25)
    a = activation.value(z)
    value = np.broadcast_to(loss.value(activation, z, a, y), z.shape)
    delta = np.broadcast_to(loss.derivative(activation, z, a, y), z.shape)
    assert not np.isfinite(delta[~np.isfinite(value)]).any()


def test_cross_entropy_of_a_saturated_sigmoid_keeps_its_digits():
    loss, sigmoid = fn.CrossEntropy(), fn.Sigmoid()
    z = np.array([-700.0, -50.0, 50.0, 700.0])
    a = sigmoid.value(z)
    np.testing.assert_allclose(loss.value(sigmoid, z, a, 1.0), [700, 50, math.exp(-50), math.exp(-700)])
    np.testing.assert_allclose(loss.value(sigmoid, z, a, 0.0), [math.exp(-700), math.exp(-50), 50, 700])


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_formulas_are_silent_where_the_logarithm_of_nothing_is_taken(activation):
    z = np.array([-1e4, -1.0, 0.0, 1.0, 1e4])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for loss in LOSSES:
            for y in (0.0, 1.0):
                a = activation.value(z)
                loss.value(activation, z, a, y)
                loss.derivative(activation, z, a, y)


def test_cross_entropy_counts_zero_times_ln_zero_as_zero():
    loss, relu = fn.CrossEntropy(), fn.ReLU()
    z = np.array([0.0, 1.0])
    np.testing.assert_array_equal(loss.value(relu, z, z, np.array([0.0, 1.0])), [0.0, 0.0])


def test_known_values_of_the_activations():
    z = np.array([-2.0, 0.0, 3.0])
    sigmoid = [0.5 * (1 + math.tanh(1.7 * v / 2)) for v in z]
    np.testing.assert_allclose(made(fn.Sigmoid).value(z), sigmoid, rtol=1e-15)
    np.testing.assert_allclose(made(fn.Tanh).value(z), np.tanh(1.7 * z), rtol=1e-15)
    np.testing.assert_array_equal(fn.ReLU().value(z), [0.0, 0.0, 3.0])
    np.testing.assert_array_equal(fn.Identity().value(z), z)
    np.testing.assert_array_equal(fn.Step().value(z), [0.0, 1.0, 1.0])


def test_known_values_of_the_losses():
    z, a, y = np.array([-2.0, 0.0, 3.0]), np.array([0.25, 0.5, 0.75]), np.array([1.0, 0.0, 0.0])
    activation = fn.Identity()
    np.testing.assert_array_equal(fn.SquaredError().value(activation, z, a, y), (a - y) ** 2 / 2)
    np.testing.assert_array_equal(fn.PerceptronLoss().value(activation, z, a, y), [2.0, 0.0, 3.0])
    np.testing.assert_array_equal(fn.PerceptronLoss().derivative(activation, z, a, y), [-1.0, 1.0, 1.0])
    bits = fn.CrossEntropy().value(activation, z, a, y)
    np.testing.assert_allclose(bits, -np.log([0.25, 0.5, 0.25]), rtol=1e-15)


@pytest.mark.parametrize("penalty", PENALTIES, ids=repr)
def test_penalty_gradients_are_the_derivatives_of_its_value(penalty):
    for p in (-1.5, -0.25, 0.5, 2.0):
        weight = derivative(lambda w: penalty.value(w, 0.7), p)
        bias = derivative(lambda b: penalty.value(-0.4, b), p)
        assert penalty.weight_gradient(p, 0.125) - 0.125 == pytest.approx(weight, abs=1e-12)
        assert penalty.bias_gradient(p, 0.125) - 0.125 == pytest.approx(bias, abs=1e-12)


def test_known_values_of_the_penalties():
    assert fn.L2(0.5, 0.25).value(3.0, -2.0) == 0.5 * (0.5 * 9 + 0.25 * 4)
    assert fn.L1(0.5, 0.25).value(3.0, -2.0) == 0.5 * 3 + 0.25 * 2
    assert NoPenalty().value(3.0, -2.0) == 0.0


def test_l1_pulls_nowhere_at_zero():
    assert fn.L1(0.5, 0.25).weight_gradient(0.0, 0.125) == 0.125
    assert fn.L1(0.5, 0.25).bias_gradient(0.0, 0.125) == 0.125


def test_penalties_spare_the_bias_by_default():
    for penalty in (fn.L1(0.5), fn.L2(0.5)):
        assert penalty.bias_gradient(2.0, 0.125) == 0.125
        assert penalty.weight_gradient(2.0, 0.125) > 0.125


def calls(record):
    """(name, function of one number) for every formula of the component."""
    if hasattr(record, "log_loss"):
        yield "value", record.value
        yield "derivative", lambda z: record.derivative(z, record.value(z))
        yield "log_loss", lambda z: record.log_loss(z, record.value(z), z * 0 + 1)
    elif hasattr(record, "targets"):
        for activation in ACTIVATIONS:
            yield "value", lambda z, f=activation: record.value(f, z, f.value(z), z * 0 + 1)
            yield "derivative", lambda z, f=activation: record.derivative(f, z, f.value(z), z * 0 + 1)
    elif hasattr(record, "weight_gradient"):
        yield "value", lambda p: record.value(p, p)
        yield "weight_gradient", lambda p: record.weight_gradient(p, p * p)
        yield "bias_gradient", lambda p: record.bias_gradient(p, p * p)
    elif hasattr(record, "shuffled"):
        yield "span", lambda p: record.span(abs(p), 0 * p + 7)[1]
    else:
        yield "step", lambda p: record.step(p, p * p, (p,) * record.slots)[0]


@pytest.mark.parametrize("record", EVERY, ids=repr)
def test_floats_and_arrays_agree(record):
    for name, function in calls(record):
        array = np.broadcast_to(function(Z), Z.shape)
        for z, value in zip(Z, array, strict=True):
            single = function(float(z))
            assert np.ndim(single) == 0
            # NumPy's vector loops may round exp and tanh otherwise than its scalar ones
            np.testing.assert_allclose(single, value, rtol=1e-15, atol=1e-15, err_msg=name)


@pytest.mark.parametrize("record", EVERY, ids=repr)
def test_float32_arrays_stay_float32(record):
    for name, function in calls(record):
        assert np.asarray(function(Z.astype(np.float32))).dtype == np.float32, name


@pytest.mark.parametrize("record", EVERY, ids=repr)
def test_components_compare_hash_pickle_and_print_by_value(record):
    same = type(record)(*record)
    assert same == record and hash(same) == hash(record)
    assert pickle.loads(pickle.dumps(record)) == record
    assert copy.deepcopy(record) == record
    assert eval(repr(record), {type(record).__name__: type(record)}) == record
    for name, value in zip(record._fields, record, strict=True):
        whole = record.bounds[name].whole
        assert type(value) is (int if whole else float)
        other = record._replace(**{name: value + (1 if whole else 0.125)})
        assert other != record and type(other) is type(record)


def test_components_of_different_classes_differ():
    assert fn.Tanh() != fn.Sigmoid()
    assert fn.ReLU() != fn.Identity()
    assert fn.L1(0.5) != fn.L2(0.5)
    assert fn.ReLU() != ()
    assert len({repr(record) for record in EVERY}) == len(set(EVERY)) == len(EVERY)


@pytest.mark.parametrize("record", EVERY, ids=repr)
def test_components_cannot_be_changed(record):
    for name in (*record._fields, "other"):
        with pytest.raises(AttributeError):
            setattr(record, name, 1.0)


def bad_values(bound):
    """Values that a field with this bound must refuse."""
    yield from (math.nan, math.inf, -math.inf, "1", True, [1.0], 10**400)
    if not bound.optional:
        yield None
    if math.isfinite(bound.low):
        yield bound.low if bound.above else bound.low - 1
    if math.isfinite(bound.high):
        yield bound.high
    if bound.whole:
        yield 1.5


@pytest.mark.parametrize("cls", [type(record) for record in EVERY] + [fn.Stop], ids=lambda cls: cls.__name__)
def test_wrong_values_name_the_field_the_value_and_what_is_allowed(cls):
    good = {name: FIELDS[name] for name in cls._fields} if cls is not fn.Stop else {}
    for name in cls._fields:
        assert isinstance(cls.bounds[name], Bound)
        for value in bad_values(cls.bounds[name]):
            with pytest.raises(ValueError) as caught:
                cls(**good | {name: value})
            message = str(caught.value)
            assert message.startswith(f"{name} must be {cls.bounds[name].allowed}, got ")
            assert repr(value)[:20] in message
            assert "\n" not in message


def test_bounds_admit_their_ends_as_they_say():
    assert fn.Momentum(0.5, 0.0).momentum == 0.0
    assert fn.L2(0.0).strength == 0.0
    assert fn.Sigmoid(-2).gain == -2.0
    assert fn.Stop(tolerance=0.0, settle=0.0, max_period=1, stall=0.0).settle == 0.0
    assert fn.Stop(max_steps=5.0).max_steps == 5
    assert isinstance(fn.Stop(max_steps=np.int64(5)).max_steps, int)
    assert isinstance(fn.Sigmoid(np.float32(2)).gain, float)


@pytest.mark.parametrize("record", EVERY, ids=repr)
def test_fields_can_be_named_and_left_at_their_defaults(record):
    cls = type(record)
    with pytest.raises(TypeError, match=cls.__name__):
        cls(*record, 1.0)
    with pytest.raises(TypeError, match=cls.__name__):
        cls(unknown_field=1.0)
    needed = {name: FIELDS[name] for name in cls._fields if name not in cls._field_defaults}
    for name, value in cls._field_defaults.items():
        assert getattr(cls(**needed), name) == value


def test_settle_has_a_default_for_each_dtype():
    assert fn.Stop().for_dtype("float64").settle == 1e-12
    assert fn.Stop().for_dtype("float32").settle == 2.5e-7
    assert fn.Stop(settle=1e-3).for_dtype("float32") == fn.Stop(settle=1e-3)


def test_rows_stand_for_fields_that_vary():
    record = with_rows(fn.Momentum(0.5, 0.25), {"momentum": 3})
    assert isinstance(record, fn.Momentum)
    assert type(record.learning_rate) is float
    assert type(record.momentum) is Row and record.momentum == 3


def test_snake_case_names_are_the_registered_ones():
    assert snake_case("SquaredError") == "squared_error"
    assert snake_case("LeakyReLU") == "leaky_relu"
    assert snake_case("L2") == "l2"
    for registry in REGISTRIES.values():
        for name, cls in registry.classes.items():
            assert snake_case(cls.__name__) == name
            assert registry.class_named(name, "here") is cls


@pytest.mark.parametrize("record", EVERY, ids=repr)
def test_specs_lead_back_to_the_component(record):
    registry = next(r for r in REGISTRIES.values() if isinstance(record, r.base))
    spec = registry.to_spec(record)
    assert spec["name"] == snake_case(type(record).__name__)
    assert registry.from_spec(spec, "here") == record


def test_unknown_names_and_keys_name_the_nearest():
    with pytest.raises(ValueError, match=r"model: unknown activation 'sigmod' \(did you mean 'sigmoid'\?\)"):
        activations.from_spec("sigmod", "model")
    with pytest.raises(
        ValueError, match=r"model\.gian: unknown key \(did you mean 'gain'\?\); allowed: gain"
    ):
        activations.from_spec({"name": "sigmoid", "gian": 2}, "model")
    with pytest.raises(ValueError, match="optimizer: missing key 'learning_rate' of GradientDescent"):
        optimizers.from_spec("gradient_descent", "optimizer")
    with pytest.raises(ValueError, match="optimizer.learning_rate must be positive, got -1"):
        optimizers.from_spec({"name": "gradient_descent", "learning_rate": -1}, "optimizer")


def test_every_component_has_its_line_in_the_docs():
    text = (Path(__file__).parents[1] / "docs" / "components.md").read_text()
    for registry in REGISTRIES.values():
        for name, cls in registry.classes.items():
            line = next(line for line in text.splitlines() if line.startswith(f"| `{cls.__name__}("))
            assert f"(`{name}`)" in line
            for field in cls._fields:
                assert field in line or "..." in line


@pytest.mark.parametrize("name", ["ada_grad", "adagrad", "AdaGrad", "Ada_Grad"])
def test_underscores_and_capitals_of_a_name_do_not_matter(name):
    spec = {"name": name, "learning_rate": 0.5}
    assert optimizers.from_spec(spec, "optimizer") == fn.AdaGrad(0.5)
    assert optimizers.to_spec(fn.AdaGrad(0.5))["name"] == "ada_grad"


ROOT = Path(__file__).parents[1]
# the one place that calls what a class defines; whoever else needs a derivative calls `derivative`
INSIDE = {"fastneuron/activations.py": ["slope"], "fastneuron/losses.py": ["delta"]}


def test_nobody_calls_a_derivative_by_the_name_that_a_field_may_have():
    """`slope` is a number of LeakyReLU and `delta` one of Huber, or of a class of a user's own."""
    folders = ("fastneuron", "tests", "docs", "bench")
    files = [path for name in folders for path in (ROOT / name).rglob("*.*") if path.suffix in (".py", ".md")]
    assert len(files) > 200
    for path in [*files, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]:
        text = path.read_text(encoding="utf-8")
        calls = re.findall(r"\w\.(slope|delta)\(", text)
        assert calls == INSIDE.get(str(path.relative_to(ROOT)), []), path


def test_a_field_is_not_called_as_something_that_a_component_has():
    with pytest.raises(
        TypeError, match="^Leak: a field cannot be called 'slope', which .*; with it, define the"
    ):

        @fn.component
        class Leak(fn.Activation):
            slope: float = 0.5

            def value(self, z):
                return self.slope * z

    with pytest.raises(
        TypeError, match="^Own: a field cannot be called 'targets', which is the component's own$"
    ):

        @fn.component
        class Own(fn.Loss):
            targets: float = 0.5

    with pytest.raises(TypeError, match="^Twice.value is a field and a method; give one another name$"):

        @fn.component
        class Twice(fn.Activation):
            value: float = 0.5

            def value(self, z):  # noqa: F811
                return z


CLASSES = [*(type(record) for record in EVERY), *reducers.classes.values(), fn.Stop]


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_help_shows_plain_types_and_what_a_field_allows(cls):
    for parameter in inspect.signature(cls).parameters.values():
        assert parameter.annotation in (float, int, float | None)
    shown = pydoc.render_doc(cls, renderer=pydoc.plaintext)
    assert not re.search(r"Annotated\[|Bound\(|Alias for field|<factory>", shown)
    for name in cls._fields:
        assert getattr(cls, name).__doc__ == f"{name}: {cls.bounds[name].allowed}."


@pytest.mark.parametrize("cls", [fn.Neuron, fn.Network, fn.plot.Picture, fn.Task, fn.Sweep])
def test_signatures_show_no_factories(cls):
    shown = f"{inspect.signature(cls)} {pydoc.render_doc(cls, renderer=pydoc.plaintext)}"
    assert not re.search(r"Annotated\[|Bound\(|Alias for field|<factory>", shown)


def test_a_default_model_and_picture_are_as_before():
    assert fn.Neuron().activation == fn.Sigmoid() and fn.Network((1, 1)).output == fn.Sigmoid()
    assert fn.plot.Picture().options == {} == fn.plot.Picture(options=None).options


@pytest.mark.parametrize("record", EVERY, ids=repr)
def test_notebooks_show_a_table_of_the_fields(record):
    table = ElementTree.fromstring(record._repr_html_())  # well-formed
    rows = [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")]
    assert rows == [[name, str(value)] for name, value in zip(record._fields, record, strict=True)]
    assert table.find("strong").text == type(record).__name__


def test_what_is_written_by_a_user_is_escaped_in_notebooks():
    assert "<b>" not in html_table("<b>", [("<b>", "<b>&")], "<b>")


def test_axes_print_as_they_are_made():
    assert repr(fn.linspace(-1, 1, 5)) == "linspace(-1.0, 1.0, 5)"
    assert repr(fn.geomspace(1, 10, 3)) == "geomspace(1.0, 10.0, 3)"
    assert repr(as_axis([1, 2.5], "")) == "[1.0, 2.5]"
    assert repr(as_axis(range(9), "")) == "[0.0, 1.0, 2.0, 3.0, ..., 8.0] (9 values)"

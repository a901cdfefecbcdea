"""Wrong networks, starts, axes and records: refused in one line that says what is allowed."""

import re

import numpy as np
import pytest

import fastneuron as fn

XOR = fn.tasks.gate("xor")
NETWORK = fn.Network((2, 2, 1))
ALL_FIXED = dict.fromkeys(NETWORK.parameters, 0.5)
HAS = "a network 2-2-1 has layer0.weight 2x2, layer0.bias 2, layer1.weight 2x1, layer1.bias 1"


def refuses(call, message):
    """The message is one line, which holds `message`."""
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        call()
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500


def sweep(**changes):
    given = {"task": XOR, "model": NETWORK, "optimizer": fn.GradientDescent(1.0), "draws": 2}
    return fn.Sweep(**given | changes)


SIZES = "sizes must be two or more whole numbers from 1 to 1048576, as (784, 30, 10), got "


@pytest.mark.parametrize(
    "sizes", [(2,), (), (2, 0, 1), (2, 1.5, 1), (2, -1), (True, 1), (2, 2**20 + 1), (2, None), 3, None, "221"]
)
def test_wrong_sizes(sizes):
    refuses(lambda: fn.Network(sizes), f"{SIZES}{sizes!r}")


@pytest.mark.parametrize("sizes", [np.array(3), np.array([2, 2.5]), np.ones((2, 2), int)], ids=str)
def test_wrong_arrays_of_sizes(sizes):
    refuses(lambda: fn.Network(sizes), SIZES)


@pytest.mark.parametrize(
    "given, message",
    [
        ({"hidden": "tanh"}, "hidden must be an activation such as Sigmoid(), got 'tanh'"),
        ({"output": fn.SquaredError()}, "output must be an activation such as Sigmoid(), got SquaredError"),
        ({"bias": 1}, "bias must be True or False, got 1"),
        (
            {"scale": "xaver"},
            "scale must be one of none, fan_in, xavier, he, mean_field, got 'xaver' (did you mean 'xavier'?)",
        ),
        ({"scale": None}, "scale must be one of none, fan_in, xavier, he, mean_field, got None"),
        ({"sizes": (2**20, 2**20)}, "sizes: at most 2147483647 parameters are possible, got 1099512676352"),
    ],
)
def test_wrong_networks(given, message):
    refuses(lambda: fn.Network(**{"sizes": (2, 2, 1)} | given), message)


@pytest.mark.parametrize(
    "start, message",
    [
        (
            {"layer0.wieght": 1.0},
            f"start.layer0.wieght: unknown parameter (did you mean 'layer0.weight'?); {HAS}",
        ),
        (
            {"layer2.weight": 1.0},
            f"start.layer2.weight: unknown parameter (did you mean 'layer1.weight'?); {HAS}",
        ),
        ({"bias": 1.0}, f"start.bias: unknown parameter; {HAS}"),
        (
            {"layer0.weight": [1.0, 2.0]},
            "start.layer0.weight must be a number or an array of shape (2, 2), got shape (2,)",
        ),
        ({"layer1.weight": np.ones((1, 2))}, "array of shape (2, 1), got shape (1, 2)"),
        (
            {"layer1.weight": [[1.0], [1.0, 2.0]]},
            "start.layer1.weight is ragged: its rows must have equal lengths",
        ),
        (
            {"layer1.weight": [[1.0], [np.nan]]},
            "start.layer1.weight[1, 0] must be a finite number, got nan",
        ),
        ({"layer1.weight": [["a"], ["b"]]}, "start.layer1.weight[0, 0] must be a finite number, got 'a'"),
        (
            {"layer1.weight": "big"},
            "start.layer1.weight must be a number or an array of shape (2, 1), got 'big'",
        ),
    ],
)
def test_wrong_starts(start, message):
    refuses(lambda: sweep(start=start), message)


def test_start_beyond_float32():
    given = {"start": {"layer1.weight": [[1e300], [2.0]]}, "dtype": "float32"}
    refuses(lambda: sweep(**given), "start.layer1.weight must be a finite number in float32, got 1e+300")


ONE_WEIGHT = "an axis is one number of layer0.weight, from layer0.weight[0,0] to layer0.weight[1,1]"
ONE_BIAS = "an axis is one number of layer0.bias, from layer0.bias[0] to layer0.bias[1]"


@pytest.mark.parametrize(
    "axis, message",
    [
        ("layer0.weight[9,9]", f"axes.layer0.weight[9,9]: {ONE_WEIGHT}"),
        ("layer0.weight[0]", f"axes.layer0.weight[0]: {ONE_WEIGHT}"),
        (
            "layer0.bias[0,0]",
            f"axes.layer0.bias[0,0]: {ONE_BIAS}",
        ),
        ("layer0.weight[-1,0]", f"axes.layer0.weight[-1,0]: {ONE_WEIGHT}"),
        ("layer0.weight", f"axes.layer0.weight: {ONE_WEIGHT}"),
        ("start.layer0.weight", f"axes.start.layer0.weight: {ONE_WEIGHT}"),
        ("layer2.learning_rate", "unknown axis (did you mean 'layer1.learning_rate'?)"),
        ("layer2.offset", "axes.layer2.offset: unknown axis (did you mean 'layer1.offset'?)"),
        ("offset", "axes.offset: unknown axis (did you mean 'layer1.offset'?)"),
        ("sd", f"axes.sd: unknown axis; {HAS}; fields: start.sd, "),
        ("layer0.momentum", "axes.layer0.momentum: unknown axis"),
        ("layer0.gain", "axes.layer0.gain: unknown axis"),
        ("gain", "axes.gain: ambiguous; write hidden.gain or output.gain"),
        ("strength", "axes.strength: there is no penalty; give penalty=L2(strength=0.01) or another"),
        ("activation.gain", "axes.activation.gain: unknown axis"),
    ],
)
def test_wrong_names_of_axes(axis, message):
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        sweep(axes={axis: [1.0]})
    assert "\n" not in str(caught.value)


def test_fields_are_listed_as_they_must_be_written():
    with pytest.raises(ValueError, match="unknown axis") as caught:
        sweep(axes={"nothing": [1.0]})
    fields = str(caught.value).rpartition("fields: ")[2].split(", ")
    assert {"start.sd", "layer0.offset", "layer1.learning_rate", "hidden.gain", "scale"} <= set(fields)
    for field in fields:
        sweep(axes={field: [1.0]})


@pytest.mark.parametrize(
    "axes, message",
    [
        (
            {"layer0.weight[0,0]": [1], "layer0.weight[0, 0]": [1]},
            "axes.layer0.weight[0, 0]: the same as axes.layer0.weight[0,0]; give one of them",
        ),
        ({"layer0.weight[0,0]": [np.nan]}, "axis layer0.weight[0,0][0] must be a finite number, got nan"),
        ({"layer0.learning_rate": [1, -1]}, "axis layer0.learning_rate[1] must be positive, got -1"),
        ({"start.sd": [-1]}, "axis start.sd[0] must be zero or positive, got -1"),
    ],
)
def test_wrong_values_of_axes(axes, message):
    refuses(lambda: sweep(axes=axes), message)


def test_standard_deviation_where_no_start_is_normal():
    for start in (ALL_FIXED, dict.fromkeys(NETWORK.parameters, fn.uniform(-1, 1))):
        with pytest.raises(ValueError, match=re.escape(f"axes.start.sd: unknown axis; {HAS}")):
            sweep(axes={"start.sd": [1.0]}, start=start, draws=None)


def test_draws_where_nothing_is_random():
    example = "give start={'layer0.weight': normal(0, 1)} or another"
    refuses(lambda: sweep(start=ALL_FIXED), f"draws: no start is random, all draws would be alike; {example}")
    assert sweep(start=ALL_FIXED, batch=fn.MiniBatch(1)).draws == 2


@pytest.mark.parametrize(
    "record, message",
    [
        ([fn.Sum()], "record must be a dict of reducers, as {'loss_sum': Sum()}, got [Sum("),
        ({"loss": fn.Sum()}, "record.loss: a result has this name already; choose another"),
        ({"final_loss": fn.Sum()}, "record.final_loss: a result has this name already"),
        ({"layer0_in": fn.Sum()}, "record.layer0_in: a result has this name already"),
        ({"draw": fn.Sum()}, "record.draw: a result has this name already"),
        ({"final": fn.Sum()}, "record.final: a result has this name already"),
        ({"loss sum": fn.Sum()}, "record: a name must be one word, as loss_sum, got 'loss sum'"),
        ({3: fn.Sum()}, "record: a name must be one word, as loss_sum, got 3"),
        ({"total": "sum"}, "record.total must be a reducer such as Sum(), got 'sum'"),
        ({"total": fn.Sum}, "record.total must be a reducer such as Sum(), got <class"),
    ],
)
def test_wrong_records(record, message):
    refuses(lambda: sweep(record=record), message)


def test_record_that_is_called_as_an_axis():
    given = {"record": {"learning_rate": fn.Sum()}, "axes": {"learning_rate": [1.0]}}
    refuses(lambda: sweep(**given), "axes.learning_rate: a result's variable is called so; write optimizer.")


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: fn.Mean(last=0), "last must be a whole number of 1 or more, got 0"),
        (lambda: fn.Mean(last=1.5), "last must be a whole number of 1 or more, got 1.5"),
        (lambda: fn.Sum(relative=2), "relative must be 0 or 1, got 2"),
        (lambda: fn.First(clip=0.0), "clip must be positive, got 0.0"),
        (lambda: fn.Last(clip=np.nan), "clip must be positive, got nan"),
        (
            lambda: sweep(record={"a": fn.Sum(clip=1e300)}, dtype="float32"),
            "record.a.clip must be positive and finite in float32, got 1e+300",
        ),
    ],
)
def test_wrong_fields_of_reducers(call, message):
    refuses(call, message)


TWO_OUTPUTS = fn.Task([[0.0, 1.0]], [[1, 0]])
UNLIKE = {"layer0.weight": np.ones((2, 2, 2)), "layer0.bias": np.ones((3, 2))}


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: sweep(model=fn.Network((3, 2, 1))), "model.inputs must be 2 as in the task, got 3"),
        (lambda: sweep(model=fn.Network((2, 2, 2))), "model.outputs must be 1 as in the task, got 2"),
        (lambda: sweep(model=None, task=TWO_OUTPUTS), "model.outputs must be 2 as in the task"),
        (
            lambda: sweep(model="net"),
            "model must be a model such as Neuron() or Network((2, 2, 1)), got 'net'",
        ),
        (
            lambda: sweep(task=fn.Task([[0, 1]], [[1, 2]]), model=fn.Network((2, 2)), loss=fn.CrossEntropy()),
            "task.y[0, 1] must be from 0 to 1 for CrossEntropy(), got 2.0",
        ),
        (lambda: sweep().run(keep=["final_layer0.wieght"]), "(did you mean 'final_layer0.weight'?)"),
        (
            lambda: fn.forward(NETWORK, {"layer0.weight": np.ones(3)}, XOR.x),
            "layer0.weight must have shape (2, 2), with or without leading dims, got (3,)",
        ),
        (
            lambda: fn.forward(NETWORK, UNLIKE, XOR.x),
            "leading dims of parameters must broadcast together, got layer0.weight (2,), layer0.bias (3,)",
        ),
        (lambda: fn.forward(NETWORK, {"weight": 1.0}, XOR.x), "unknown parameter 'weight'"),
        (
            lambda: fn.forward(NETWORK, {}, [1.0, 2.0]),
            "x must have shape (samples, 2) for 2 inputs, got (2,)",
        ),
    ],
)
def test_what_does_not_go_together(call, message):
    refuses(call, message)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"model": {"sizes": [2, "2", 1]}}, f"model.{SIZES}[2, '2', 1]"),
        ({"model": {"sizes": [2, 2, 1], "activation": "tanh"}}, "model.activation: unknown key"),
        ({"start": {"layer0": {"wieght": 1}}}, "start.layer0.wieght: unknown parameter"),
        ({"record": {"total": {"name": "summ"}}}, "unknown reducer 'summ' (did you mean 'sum'?)"),
        ({"record": 3}, "record must be a table, got 3"),
    ],
)
def test_wrong_specs(changes, message):
    spec = {"task": {"name": "xor"}, "optimizer": {"name": "gradient_descent", "learning_rate": 1.0}}
    spec |= {"draws": 2, "model": {"sizes": [2, 2, 1]}}
    refuses(lambda: fn.Sweep.from_spec(spec | changes), message)


def test_one_entry_written_in_two_ways_is_one_axis():
    axes = {"layer0.weight[0,0]": [0.0], "layer0.weight[00, 0]": [1.0]}
    refuses(lambda: sweep(axes=axes), "the same as axes.layer0.weight[0,0]")


@fn.component
class Shifted(fn.Activation):
    offset: float = 0.0

    def value(self, z):
        return z + self.offset

    def slope(self, z, a):
        return fn.constant(z, 1.0)


def test_a_field_that_is_called_offset_is_an_axis_of_its_own():
    task = fn.Task([[0.0]], [0.0])
    model = fn.Network((1, 1), output=Shifted(), bias=False)
    stop = fn.Stop(max_steps=1, tolerance=0.0)
    found = fn.Sweep(
        task=task,
        model=model,
        optimizer=fn.GradientDescent(1.0),
        axes={"output.offset": [1.0, 3.0], "layer0.offset": [0.0, 1.0]},
        stop=stop,
    ).run(progress=False)
    assert found["error"].values.tolist() == [[1.0, 1.0], [3.0, 3.0]]


def test_a_model_whose_history_does_not_fit_is_refused_before_anything_is_compiled():
    model = fn.Network((10_000, 10_000, 1))
    task = fn.Task(np.zeros((1, 10_000)), [0.0])
    with pytest.raises(MemoryError, match="working memory of a thread needs"):
        fn.Sweep(task=task, model=model, optimizer=fn.GradientDescent(1.0), draws=1).run(progress=False)


def test_one_number_of_a_parameter_may_be_named_with_start():
    assert sweep(axes={"start.layer0.weight[0,1]": [0.0]}).places == {
        "start.layer0.weight[0,1]": ("start", "layer0.weight[0,1]")
    }


def test_a_number_beyond_float32_is_refused_for_that_reason():
    given = {"stop": fn.Stop(limit=1e308), "dtype": "float32"}
    refuses(lambda: sweep(**given), "stop.limit must be positive and finite in float32, got 1e+308")


def test_no_networks_at_all_give_no_outputs():
    assert fn.forward(NETWORK, {"layer0.bias": np.ones((0, 2))}, [[0, 1]]).shape == (0, 1)
    assert fn.forward(fn.Neuron(), {"weight": np.ones(0)}, [0.0, 1.0]).shape == (0, 2)

"""Sweeps over networks against their oracle: how every start ends, whatever varies.

A point is held to the oracle unless the rounding decides how it ends (`network_oracle.sensitive`), and such
points must be few. A network of a few parameters is a kernel of its own (that of `SIGMOIDS` is); the others
have more than 13, so that sweeps of the same components share one.
"""

import itertools
from statistics import NormalDist

import numpy as np
import pytest

import fastneuron as fn
from fastneuron.activations import activations
from fastneuron.optimizers import optimizers

from . import network_oracle, oracle
from .network_oracle import Training
from .test_kernels_against_oracle import default
from .test_network_kernels import DTYPES, regression

CLOSE = {"float64": 1e-8, "float32": 2e-3}  # how far rounding may carry the numbers of one point
SURE = {"float64": 1e-6, "float32": 1e-2}
ROLES = {
    "learning_rate": "optimizer",
    "momentum": "optimizer",
    "strength": "penalty",
    "max_steps": "stop",
    "tolerance": "stop",
}


def drawn(distribution, seed, point, number):
    """Number `number` of all parameters of a point, by `fastneuron.starts`: the words of Philox."""
    words = oracle.philox((point % 2**32, point // 2**32, number, 0), (seed % 2**32, seed // 2**32))
    u = ((words[0] * 2**32 + words[1]) // 2**12 + 0.5) / 2**52
    if isinstance(distribution, type(fn.normal(0, 1))):
        return distribution.mean + distribution.sd * NormalDist().inv_cdf(u)
    return distribution.low + (distribution.high - distribution.low) * u


def start_of(sweep, here, point):
    """The start of a point of a network: arrays by name. `here` maps its axes to their values."""
    start, first = {}, 0
    for name, shape in network_oracle.shapes(sweep.model).items():
        given = sweep.start.get(name, fn.normal(0, 1))
        size = int(np.prod(shape))
        if hasattr(given, "sd") and "start.sd" in here:
            given = fn.normal(given.mean, here["start.sd"])
        if hasattr(given, "_fields"):
            given = np.reshape([drawn(given, sweep.seed, point, first + k) for k in range(size)], shape)
        start[name] = np.array(np.broadcast_to(given, shape), sweep.dtype)
        first += size
    for axis, value in here.items():
        if axis.endswith(".offset"):
            start[f"{axis[:6]}.weight"] += np.dtype(sweep.dtype).type(value)
    for axis, value in here.items():  # an entry stands as it is, offset or not
        if axis.endswith("]"):
            name, _, index = axis[:-1].partition("[")
            start[name][tuple(map(int, index.split(",")))] = value
    return start


def training_of(sweep, here):
    """What the start of a point goes through; a layer's own learning rate counts before the common one."""
    parts = {name: getattr(sweep, name) for name in Training._fields}
    layers = {}
    for axis, value in here.items():
        role, _, field = axis.rpartition(".")
        role = role or ROLES.get(field, "start")
        if role.startswith("layer") and field != "offset" and "[" not in axis:
            layers[int(role[5:]), field] = value
        elif role in ("hidden", "output"):
            changed = {name: getattr(parts["model"], name) for name in ("hidden", "output", "bias", "scale")}
            changed[role] = changed[role]._replace(**{field: value})
            parts["model"] = fn.Network(sweep.model.sizes, **changed)
        elif role in parts:
            kind = int if field == "max_steps" else float
            parts[role] = parts[role]._replace(**{field: kind(value)})
    if layers:
        each = [parts["optimizer"]] * (len(sweep.model.sizes) - 1)
        for (k, field), value in layers.items():
            each[k] = each[k]._replace(**{field: value})
        parts["optimizer"] = each
    return Training(**parts)


def points_of(sweep):
    """Of every point of a sweep: its index, its values by axis, and its number."""
    values = list(sweep.coordinates().items())
    for number, index in enumerate(itertools.product(*(range(len(along)) for _, along in values))):
        here = {name: along[i] for (name, along), i in zip(values, index, strict=True) if name != "draw"}
        yield index, here, number


def compare(sweep, allowed_sensitive=0.0):
    """Hold a sweep to the oracle at every point; returns the outcomes of those that were compared."""
    keep = ["outcome", "steps", "period", "speed", "loss", "error", "learned", "final"]
    result = sweep.run(progress=False, keep=keep)
    assert tuple(result.sizes)[: len(sweep.dims)] == sweep.dims
    close, outcomes, left_out = CLOSE[sweep.dtype], [], 0
    for index, here, number in points_of(sweep):
        training, start = training_of(sweep, here), start_of(sweep, here, number)
        expected = network_oracle.run(training, start, number)
        if network_oracle.sensitive(training, start, number, expected):
            left_out += 1
            continue
        outcomes.append(fn.Outcome(expected["outcome"]).name)
        says = f"of point {here} ({outcomes[-1]}) of\n{sweep.to_toml()}"
        point = {name: result[name].transpose(*sweep.dims, ...).values[index] for name in result.data_vars}
        for name in ("outcome", "steps", "period"):
            assert point[name] == expected[name], f"{name} {says}: {point[name]}, not {expected[name]}"
        if expected["margin"] > SURE[sweep.dtype]:
            assert point["learned"] == expected["learned"], f"learned {says}"
        for name in ("speed", "loss", "error", *(n for n in expected if n.startswith("final_"))):
            assert point[name].dtype == np.dtype(sweep.dtype)
            ours, wanted = np.asarray(point[name]), np.asarray(expected[name])
            good = np.isfinite(wanted)
            np.testing.assert_array_equal(np.isfinite(ours), good, err_msg=f"{name} {says}")
            np.testing.assert_allclose(
                ours[good], wanted[good], rtol=close, atol=close, err_msg=f"{name} {says}"
            )
    assert left_out <= allowed_sensitive * sweep.points
    return outcomes


XOR = fn.tasks.gate("xor")
SIGMOIDS = {
    "model": fn.Network((2, 2, 1)),
    "loss": fn.CrossEntropy(),
    "optimizer": fn.Momentum(0.9, 0.5),
    "penalty": fn.L2(0.002, 0.001),
}
STOP = fn.Stop(max_steps=60, tolerance=0.2, max_period=8, settle=1e-5)


@DTYPES
def test_starts_that_are_entries_offsets_arrays_and_random(dtype):
    """Some numbers are given, some drawn; an entry that is an axis stands, whatever the offset."""
    sweep = fn.Sweep(
        task=XOR,
        **SIGMOIDS,
        axes={"layer0.weight[1, 0]": [-3.0, 0.5], "layer1.bias[0]": [0.5], "layer0.offset": [0.0, 2.5]},
        start={
            "layer0.weight": [[4.5, 1.25], [-0.5, -3.75]],
            "layer0.bias": fn.uniform(-2, 2),
            "layer1.weight": fn.normal(0.5, 4),
        },
        draws=5,
        stop=STOP,
        dtype=dtype,
        seed=2**40 + 3,
    )
    outcomes = compare(sweep, 0.2)
    assert len(set(outcomes)) > 1


@DTYPES
def test_learning_rates_of_the_layers_and_a_gain(dtype):
    sweep = fn.Sweep(
        task=regression(19, 2, 1, seed=4),
        model=fn.Network((2, 4, 1), hidden=fn.Tanh(), output=fn.Identity(), scale="xavier"),
        optimizer=fn.GradientDescent(0.3),
        axes={
            "layer0.learning_rate": [0.05, 0.8, 3.0],
            "hidden.gain": [0.5, 1.7],
            "layer1.learning_rate": [0.1, 0.9],
        },
        stop=STOP._replace(max_steps=50),
        dtype=dtype,
    )
    outcomes = compare(sweep, {"float64": 0.1, "float32": 0.45}[dtype])
    assert "UNFINISHED" in outcomes


def test_a_layer_alone_beside_fields_of_all_and_of_the_penalty():
    """Of the momentum, which layer 1 has alone, layer 0 keeps that of all."""
    sweep = fn.Sweep(
        task=regression(5, 3, 2, seed=5),
        **SIGMOIDS | {"model": fn.Network((3, 3, 2), bias=False, scale="he")},
        axes={
            "layer1.momentum": [0.0, 0.8],
            "optimizer.learning_rate": [0.2, 1.5],
            "layer0.learning_rate": [0.7],
            "strength": [0.0, 0.1],
            "momentum": [0.3],
        },
        draws=2,
        stop=STOP._replace(max_steps=40),
    )
    assert len(compare(sweep, 0.1)) > 12


def test_standard_deviation_of_the_starts_and_steps_that_vary():
    """Uniform starts have none; a layer's rate counts before that of all.

    The gain is an axis so that the kernel is the one of the sweep above.
    """
    sweep = fn.Sweep(
        task=regression(5, 3, 1, seed=6),
        model=fn.Network((3, 1, 4, 1), hidden=fn.Tanh(), output=fn.Identity()),
        optimizer=fn.GradientDescent(0.3),
        axes={
            "start.sd": [0.0, 0.3, 2.0],
            "max_steps": [1, 17, 40],
            "learning_rate": [0.05, 0.4],
            "layer1.learning_rate": [0.1],
            "hidden.gain": [1.2],
        },
        start={"layer0.bias": fn.uniform(-1, 1), "layer1.weight": 0.5},
        stop=STOP,
        seed=5,
    )
    assert len(compare(sweep, 0.2)) > 14


# Each row is a kernel. Momentum is in the sweeps above. A kernel asks every activation for the same methods,
# so that each is hidden in one of the dtypes and the output in one of them.
PAIRS = [
    ("ReLU", "LeakyReLU", "GradientDescent"),
    ("Step", "Identity", "GradientDescent"),
    ("Softplus", "Arctan", "RMSProp"),
    ("SiLU", "GELU", "Adam"),
    ("Arctan", "HardSigmoid", "AdamW"),
    ("HardSigmoid", "SiLU", "SignDescent"),
    ("Identity", "ReLU", "Nesterov"),
    ("Sigmoid", "Tanh", "AdaGrad"),
]
IN_FLOAT32 = [
    ("Step", "Identity", "GradientDescent"),
    ("LeakyReLU", "Softplus", "Nesterov"),
    ("GELU", "Step", "RMSProp"),
    ("SiLU", "ReLU", "Adam"),
    ("HardSigmoid", "Arctan", "AdamW"),
    ("Tanh", "HardSigmoid", "SignDescent"),
    ("Softplus", "Sigmoid", "AdaGrad"),
]


def test_every_activation_and_optimizer_is_among_them():
    """In each dtype every class, and every activation hidden and as the output in one of them."""
    every = {cls.__name__ for cls in activations.classes.values()}
    steps = {cls.__name__ for cls in optimizers.classes.values()}
    for rows in (PAIRS, IN_FLOAT32):
        hidden, output, optimizer = map(set, zip(*rows, strict=True))
        assert hidden | output == every
        assert optimizer | {"Momentum"} == steps
    hidden, output, _ = map(set, zip(*PAIRS, *IN_FLOAT32, strict=True))
    assert hidden == output == every


@pytest.mark.parametrize(
    "hidden, output, optimizer, dtype",
    [(*pair, "float64") for pair in PAIRS] + [(*pair, "float32") for pair in IN_FLOAT32],
)
def test_every_activation_and_every_optimizer(hidden, output, optimizer, dtype):
    hidden, output = (default(getattr(fn, name)) for name in (hidden, output))
    sweep = fn.Sweep(
        task=regression(7, 2, 1, seed=7),
        model=fn.Network((2, 4, 1), hidden=hidden, output=output, scale="fan_in"),
        optimizer=default(getattr(fn, optimizer))._replace(learning_rate=0.1),
        axes={"layer0.weight[0,2]": [-1.75, 0.25]},
        draws=3,
        stop=STOP._replace(max_steps=15, tolerance=0.05),
        dtype=dtype,
    )
    assert compare(sweep, 0.35)


def xor(hidden, output, rate, dtype="float64", start=None, **stop):
    """Random starts, and none of the sums that a step compares with 0 is near it."""
    return fn.Sweep(
        task=XOR,
        model=fn.Network((2, 4, 1), hidden=hidden, output=output),
        optimizer=fn.GradientDescent(rate),
        start=start or {},
        draws=14,
        stop=STOP._replace(**stop),
        dtype=dtype,
        seed=2,
    )


@DTYPES
def test_xor_with_hidden_steps_ends_in_every_way(dtype):
    """Only the last layer learns: by rate, it comes to rest, turns to and fro or is thrown off."""
    # OR and NAND, twice each
    features = {"layer0.weight": [[1.0, -1.0, 1.0, -1.0]] * 2, "layer0.bias": [-0.5, 1.5, -0.5, 1.5]}
    outcomes = set()
    for rate, start in ((0.5, None), (1.0, None), (2.0, None), (0.5, features)):
        sweep = xor(fn.Step(), fn.Identity(), rate, dtype, start, limit=1e9)
        outcomes |= set(compare(sweep, 0.3))
    assert outcomes == {"UNFINISHED", "REACHED", "SETTLED", "CYCLING", "DIVERGED", "STALLED"}


def test_xor_with_hidden_units_that_grow_without_bound_diverges():
    for rate, limit in ((30.0, 1e6), (1e200, 1e300)):
        assert "DIVERGED" in compare(xor(fn.ReLU(), fn.LeakyReLU(0.5), rate, limit=limit), 0.5)


def test_loss_that_overflows_ends_a_start_before_its_parameters_do():
    """The parameters are finite and within the limit, their loss is not; a step later they are beyond.

    Of five hidden units the first may be on.
    """
    sweep = fn.Sweep(
        task=fn.Task([1.0], [0.0]),
        model=fn.Network((1, 5, 1), hidden=fn.ReLU(), output=fn.LeakyReLU(0.5)),
        optimizer=fn.GradientDescent(1e-3),
        axes={"layer0.weight[0,0]": [1e80, 1e65, -1.0]},
        start={
            "layer0.weight": 0.0,
            "layer0.bias": [0.5, -1.0, -1.0, -1.0, -1.0],
            "layer1.weight": [[1e80], [0.0], [0.0], [0.0], [0.0]],
            "layer1.bias": 0.0,
        },
        stop=STOP._replace(limit=1e100),
    )
    assert compare(sweep)[:2] == ["DIVERGED", "DIVERGED"]

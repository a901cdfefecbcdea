"""The compiled kernels against the oracle: every component, task shape, kind of axis and dtype.

A point is held to the oracle unless the oracle itself gives another end when the rounding changes
(`oracle.sensitive`): there the definitions do not decide. Most tests stay where nothing is chaotic and
then check that such points are few, so that the comparison is not empty.

Each combination of component classes, task shape and kinds of axes is a kernel of its own, which takes
seconds to compile: the random tests draw numbers, not combinations, and tests share the combinations in
`POOL`.
"""

from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import fastneuron as fn
from fastneuron.activations import activations
from fastneuron.batches import batches
from fastneuron.losses import losses
from fastneuron.optimizers import optimizers
from fastneuron.penalties import penalties

from . import oracle

# How close the numbers of one point must be, relative to max(1, |value|). float64: rounding of a few
# hundred steps that forget their errors. float32: the same with 2^-24 for 2^-53, and a cross-entropy
# that loses digits near output 1.
CLOSE = {"float64": 1e-7, "float32": 2e-3}
SURE = {"float64": 1e-6, "float32": 1e-2}  # margin of an output above which its bit in `learned` is sure

DEFAULTS = {"learning_rate": 0.47, "momentum": 0.5, "strength": 0.05, "size": 2}


def default(cls):
    """A component with values for the fields that have none."""
    return cls(**{name: DEFAULTS[name] for name in cls._fields if name not in cls._field_defaults})


def compare(sweep, allowed_sensitive=0.0):
    """Hold the kernels to the oracle; returns the oracle's answer and which points were compared.

    No more than the share `allowed_sensitive` of the points may be left out.
    """
    expected, sensitive = oracle.run_and_sensitive(sweep)
    result = sweep.run(progress=False)
    assert result.sizes == dict(zip(sweep.dims, sweep.shape, strict=True))
    decided = ~sensitive
    assert 1 - decided.mean() <= allowed_sensitive

    def pick(name, where):
        values = result[name].transpose(*sweep.dims).values
        return values[where], expected[name][where]

    for name in ("outcome", "steps", "period"):
        np.testing.assert_array_equal(*pick(name, decided), err_msg=f"{name} of\n{sweep.to_toml()}")
    sure = decided & (expected["margin"] > SURE[sweep.dtype])
    np.testing.assert_array_equal(*pick("learned", sure), err_msg=f"learned of\n{sweep.to_toml()}")
    close = CLOSE[sweep.dtype]
    finals = [f"final_{name}" for name in sweep.model.parameters]
    for name in (*finals, "loss", "error", "speed"):
        got, wanted = pick(name, decided)
        assert got.dtype == np.dtype(sweep.dtype)
        # beyond the range of the dtype, inf and NaN are the same: too large to say
        good = np.isfinite(wanted)
        np.testing.assert_array_equal(np.isfinite(got), good, err_msg=f"{name} of\n{sweep.to_toml()}")
        np.testing.assert_allclose(
            got[good], wanted[good], rtol=close, atol=close, err_msg=f"{name} of\n{sweep.to_toml()}"
        )
    return expected, decided


def small(low, high):
    """Numbers with a few decimals: hypothesis shrinks them well, and none is denormal."""
    return st.integers(round(low * 64), round(high * 64)).map(lambda n: n / 64)


class Case(NamedTuple):
    """One kernel: component classes, task shape (samples, inputs), the axes, the dtype."""

    activation: type
    loss: type
    penalty: type | None
    optimizer: type
    shape: tuple[int, int]
    axes: tuple[str, ...]
    dtype: str = "float64"


Sigmoid, Tanh, ReLU, Identity, Step = fn.Sigmoid, fn.Tanh, fn.ReLU, fn.Identity, fn.Step
SquaredError, CrossEntropy, PerceptronLoss = fn.SquaredError, fn.CrossEntropy, fn.PerceptronLoss
GradientDescent, Momentum, AdamW, L1, L2 = fn.GradientDescent, fn.Momentum, fn.AdamW, fn.L1, fn.L2

CASES = [
    Case(Sigmoid, SquaredError, None, GradientDescent, (2, 1), ("bias", "weight")),
    Case(Sigmoid, SquaredError, None, GradientDescent, (2, 1), ("weight", "settle")),
    Case(Sigmoid, SquaredError, None, GradientDescent, (2, 1), ("bias", "weight"), "float32"),
    Case(Sigmoid, CrossEntropy, L2, Momentum, (4, 2), ("weight_1", "learning_rate", "penalty.strength")),
    Case(Sigmoid, CrossEntropy, L2, Momentum, (4, 2), ("momentum", "gain"), "float32"),
    Case(Tanh, SquaredError, L1, GradientDescent, (3, 1), ("gain", "weight")),
    Case(Tanh, SquaredError, None, Momentum, (5, 3), ("weight_2", "scale", "tolerance"), "float32"),
    Case(ReLU, SquaredError, L2, GradientDescent, (3, 1), ("learning_rate", "bias_strength", "stop.limit")),
    Case(Identity, CrossEntropy, None, GradientDescent, (2, 1), ("weight", "bias")),
    Case(Identity, SquaredError, None, Momentum, (1, 1), ("bias", "max_steps", "stall")),
    Case(Step, PerceptronLoss, None, GradientDescent, (2, 1), ("bias", "weight", "max_period")),
]

FIELDS: dict[str, Any] = {
    "learning_rate": small(0.05, 1.5),
    "momentum": small(0, 0.9),
    "gain": small(0.25, 2),
    "scale": small(0.25, 1),
    "strength": small(0, 0.5),
    "bias_strength": small(0, 0.5),
    "slope": small(-0.5, 0.5),
    "delta": small(0.25, 1),
    "epsilon": small(0.03, 0.3),
    "decay": small(0.5, 0.95),
    "beta1": small(0.5, 0.9),
    "beta2": small(0.5, 0.95),
    "weight_decay": small(0, 0.2),
    "max_steps": st.integers(1, 300),
    "tolerance": small(0.05, 0.4),
    "max_period": st.integers(1, 12),
    "limit": small(2, 1000),
    "stall": small(0, 0.5),
    # well above the last bits, else the step at which a point settles depends on them
    "settle": st.sampled_from([1e-3, 1e-4, 1e-5]),
}


@st.composite
def sweeps(draw, case):
    """A sweep of the kernel `case` with random task, fields and axis values."""
    samples, inputs = case.shape
    x = draw(
        st.lists(
            st.lists(small(-1.5, 1.5), min_size=inputs, max_size=inputs), min_size=samples, max_size=samples
        )
    )
    target = {"any": small(-1, 1), "unit": small(0, 1), "binary": st.integers(0, 1)}[case.loss.targets]
    y = draw(st.lists(target, min_size=samples, max_size=samples))

    def component(cls, **fixed):
        return cls(**{name: draw(FIELDS[name]) for name in cls._fields if name not in fixed} | fixed)

    model = fn.Neuron(inputs, component(case.activation))
    axes = {}
    for axis in case.axes:
        number = FIELDS.get(axis.rpartition(".")[2], small(-6, 6))
        axes[axis] = draw(st.lists(number, min_size=2, max_size=4))
    start = {name: draw(small(-2, 2)) for name in model.parameters if name not in axes}
    return fn.Sweep(
        task=fn.Task(x, y),
        model=model,
        loss=component(case.loss),
        penalty=case.penalty and component(case.penalty),
        optimizer=component(case.optimizer),
        stop=component(fn.Stop, limit=1e6),
        axes=axes,
        start=start,
        dtype=case.dtype,
    )


def name_of(case):
    classes = [cls.__name__ for cls in case[:4] if cls is not None]
    return "-".join([*classes, "x".join(map(str, case.shape)), *case.axes, case.dtype])


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_kernel_gives_what_the_oracle_gives_on_random_sweeps(case):
    @settings(
        max_examples=12,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],  # examples are small; shrinking them takes minutes
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(sweeps(case))
    def check(sweep):
        # a random task may be made of ties (equal inputs, z = 0): all its points may be sensitive
        _, decided = compare(sweep, allowed_sensitive=1.0)
        compared.append(decided)

    compared: list[np.ndarray] = []
    check()
    assert np.concatenate([decided.ravel() for decided in compared]).mean() > 0.8


@pytest.mark.parametrize("loss", losses.classes.values(), ids=list(losses.classes))
@pytest.mark.parametrize("activation", activations.classes.values(), ids=list(activations.classes))
def test_every_activation_with_every_loss_is_the_oracles_formula(activation, loss):
    """The methods that are compiled, as plain Python; compiled they are in `POOL`."""
    activation, loss = default(activation), default(loss)
    z = np.array([-7.3, -2.9, -1.1, -0.2, 0.3, 0.45, 0.8, 1.7, 2.9, 7.3])
    kinds = type(loss).__name__, type(activation).__name__
    field = {("activation", name): value for name, value in activation._asdict().items()}
    field |= {("loss", name): value for name, value in loss._asdict().items()}
    for y in (0.0, 1.0, 0.25) if loss.targets != "binary" else (0.0, 1.0):
        with np.errstate(all="ignore"):
            a, slope = oracle.output_and_slope(kinds[1], field, z)
            value, delta = oracle.loss_and_delta(*kinds, field, z, a, slope, np.full_like(z, y))
            got = activation.value(z)
            ours = loss.value(activation, z, got, y), loss.derivative(activation, z, got, y)
        np.testing.assert_allclose(got, a, rtol=1e-13, atol=1e-15)
        good = np.isfinite(value)
        for mine, wanted in zip(ours, (value, delta), strict=True):
            mine = np.broadcast_to(mine, z.shape)
            np.testing.assert_array_equal(np.isfinite(mine), good)
            np.testing.assert_allclose(mine[good], wanted[good], rtol=1e-10, atol=1e-12)


# Each is a kernel. A loss asks an activation for its slope, or for its own cross-entropy; nothing else in a
# step depends on two components. So every class stands here once, and every activation with a loss that asks.
POOL = [
    (Sigmoid, SquaredError, None, GradientDescent),
    (Sigmoid, CrossEntropy, L2, AdamW),
    (Tanh, SquaredError, L1, Momentum),
    (ReLU, SquaredError, None, GradientDescent),
    (fn.LeakyReLU, fn.AbsoluteError, L2, Momentum),
    (fn.Softplus, fn.Huber, None, fn.Nesterov),
    (fn.SiLU, SquaredError, None, fn.AdaGrad),
    (fn.GELU, fn.Huber, None, fn.RMSProp),
    (fn.HardSigmoid, CrossEntropy, L1, AdamW),
    (fn.Arctan, fn.AbsoluteError, None, fn.SignDescent),
    (Identity, SquaredError, None, GradientDescent),
    (Identity, CrossEntropy, None, GradientDescent),
    (Sigmoid, fn.Hinge, None, fn.Adam),
    (Step, CrossEntropy, None, GradientDescent),
    (Step, PerceptronLoss, None, GradientDescent),
]


def pool():
    """`POOL`, and a row for every class of the package that is not in it."""
    yield from POOL
    for k, registry in enumerate((activations, losses, penalties, optimizers)):
        for cls in registry.classes.values():
            row = [Sigmoid, SquaredError, None, GradientDescent]
            if cls not in {others[k] for others in POOL}:
                row[k] = cls
                yield tuple(row)


def name_of_row(row):
    return "-".join(cls.__name__ for cls in row if cls is not None)


def parts_of(row):
    """Model and components of a row, by the names that they have in a sweep."""
    activation, loss, penalty, optimizer = row
    return {
        "model": fn.Neuron(activation=default(activation)),
        "loss": default(loss),
        "penalty": penalty and penalty(0.05, 0.02),
        "optimizer": default(optimizer)._replace(learning_rate=0.375),
    }


@pytest.mark.parametrize("row", list(pool()), ids=name_of_row)
def test_every_component_step_by_step(row):
    task = fn.Task([0.125, 1.0], [1, 0])
    parts = parts_of(row)
    starts = {"weight": np.array([-2.3, 0.4, 1.7]), "bias": np.array([1.1, 0.3, -0.9])}
    path = fn.descend(task, **parts, start=starts, steps=25)
    for k in range(3):
        start = {name: values[k] for name, values in starts.items()}
        expected = oracle.trajectory(task, **parts, start=start, steps=25)
        for name, values in expected.items():
            ours = path[name].isel(start=k).values
            good = np.isfinite(values)
            np.testing.assert_array_equal(np.isfinite(ours), good, err_msg=name)
            np.testing.assert_allclose(ours[good], values[good], rtol=1e-10, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("row", list(pool()), ids=name_of_row)
def test_maps_of_every_component(row):
    sweep = fn.Sweep(
        task=fn.Task([0.125, 1.0], [1, 0]),
        **parts_of(row),
        axes={"bias": fn.linspace(-2.2, 3.1, 9), "weight": fn.linspace(-5.3, 4.9, 9)},
        stop=fn.Stop(max_steps=200, tolerance=0.05, settle=1e-7),
    )
    compare(sweep, allowed_sensitive=0.05)


@pytest.mark.parametrize("batch", batches.classes.values(), ids=list(batches.classes))
def test_every_batch_step_by_step(batch):
    """A batch decides how much each sample counts; the optimizer sees their mean, whatever the batch."""
    task = fn.Task([[0.5, -1.0], [1.0, 0.25], [-0.75, 0.5], [0.25, 1.0], [-1.0, -0.5]], [1, 0, 0, 1, 0.5])
    model = fn.Neuron(2)
    starts = {"weight_0": np.array([-2.3, 0.4, 1.7]), "bias": np.array([1.1, 0.3, -0.9])}
    parts = {"loss": fn.CrossEntropy(), "optimizer": fn.Adam(0.47), "batch": default(batch)}
    parts["penalty"] = fn.L2(0.02, 0.01)
    path = fn.descend(task, model, **parts, start=starts, steps=25)
    for k in range(3):
        start = {name: values[k] for name, values in starts.items()}
        expected = oracle.trajectory(task, model, **parts, start=start, steps=25, point=k)
        for name, values in expected.items():
            ours = path[name].isel(start=k).values
            np.testing.assert_allclose(ours, values, rtol=1e-9, atol=1e-11, err_msg=name)


@pytest.mark.parametrize("samples, inputs, dtype", [(5, 1, "float32"), (40, 2, "float64")])
def test_maps_of_mini_batches_of_every_size(samples, inputs, dtype):
    """Epochs of 1 to 40 steps side by side; in float32 the last bits of a sum decide a few points."""
    sweep = fn.Sweep(
        task=random_task(samples, samples, inputs),
        loss=fn.CrossEntropy(),
        penalty=fn.L2(0.02),
        optimizer=fn.Momentum(0.6, 0.4),
        batch=fn.MiniBatch(1, seed=2**40 + 3),
        axes={"size": [1, 2, 3, samples - 1, samples], "bias": fn.linspace(-2.1, 1.7, 7)},
        stop=fn.Stop(max_steps=120, tolerance=0.3, settle=3e-3),
        dtype=dtype,
    )
    expected, _ = compare(sweep, allowed_sensitive={"float64": 0.05, "float32": 0.3}[dtype])
    assert {fn.Outcome.UNFINISHED, fn.Outcome.REACHED} & set(np.unique(expected["outcome"]))


def test_perceptron_that_sees_one_sample_at_a_time():
    """Most updates are none: a start has settled only when no sample of an epoch moves it."""
    sweep = fn.Sweep(
        task=fn.tasks.gate("nand"),
        model=fn.Neuron(2, fn.Step()),
        loss=fn.PerceptronLoss(),
        optimizer=fn.GradientDescent(1.0),
        batch=fn.MiniBatch(1),
        axes={
            "seed": [0, 1, 2**31],
            "weight_0": fn.linspace(-9.1, 8.3, 9),
            "bias": fn.linspace(-7.2, 6.9, 9),
        },
        stop=fn.Stop(max_steps=60),
    )
    expected, _ = compare(sweep)
    assert {fn.Outcome.UNFINISHED, fn.Outcome.REACHED} <= set(np.unique(expected["outcome"]))


def random_task(seed, samples, inputs):
    """Targets of a random teacher with a few of them wrong."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (samples, inputs))
    y = (x @ rng.normal(size=inputs) + 0.3 * rng.normal(size=samples) > 0).astype(float)
    return fn.Task(x, y)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("samples, inputs", [(40, 3), (32, 3), (5, 13), (7, 40)])
def test_larger_tasks_give_what_the_oracle_gives(samples, inputs, dtype):
    """So many samples run in a loop, in one kernel; of so many inputs the parameters stay in memory."""
    sweep = fn.Sweep(
        task=random_task(samples, samples, inputs),
        loss=fn.CrossEntropy(),
        penalty=fn.L2(0.01),
        optimizer=fn.Momentum(0.7, 0.4),
        axes={"weight_0": fn.linspace(-4.1, 3.8, 12), "bias": [-2.0, 0.5, 1.5]},
        stop=fn.Stop(max_steps=150, tolerance=0.2, settle=1e-4),
        dtype=dtype,
    )
    expected, _ = compare(sweep, allowed_sensitive=0.05)
    assert (expected["learned"] == -1).all() == (samples > 32)


def test_thirty_two_samples_still_spell_a_table():
    """Bit 31 is the last: whatever integer holds it, it is there."""
    sweep = fn.Sweep(
        task=fn.Task(np.linspace(-1, 1, 32), [0] * 16 + [1] * 16),
        model=fn.Neuron(activation=fn.Step()),
        loss=fn.PerceptronLoss(),
        optimizer=fn.GradientDescent(1.0),
        axes={"weight": [5.0, -5.0]},
        stop=fn.Stop(max_steps=1, tolerance=0.0),
    )
    learned = sweep.run(progress=False).learned.values.astype(np.int64) & 0xFFFFFFFF
    assert learned.tolist() == [0xFFFF0000, 0x0000FFFF]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("target", "right", "wrong"), [(1.0, 0b11, 0b00), (0.7, 0b11, 0b00), (0.3, 0b00, 0b11), (0.0, 0b00, 0b11)]
)
def test_where_all_targets_are_equal_a_right_neuron_spells_the_right_table(target, right, wrong, dtype):
    away = target - 0.6 if target >= 0.5 else target + 0.6  # on the other side of the middle
    sweep = fn.Sweep(
        task=fn.Task([0, 1], [target, target]),
        model=fn.Neuron(activation=fn.Identity()),
        optimizer=fn.GradientDescent(0.01),
        axes={"bias": [target - 0.05, target + 0.05, away]},
        stop=fn.Stop(max_steps=1, tolerance=0.0),
        dtype=dtype,
    )
    expected, _ = compare(sweep)
    assert expected["learned"].tolist() == [right, right, wrong]
    assert fn.measures.accuracy(sweep.run(progress=False)).values.tolist() == [1.0, 1.0, 0.0]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_squared_error_map_at_a_large_learning_rate(dtype):
    """The map of the README, coarser: plateaus, reached starts, and jumps between them.

    In float32 the last bits decide more often: starts jump far off with the first steps, and a plateau is at
    rest from a step on that a last bit of the first updates decides. So a quarter of the starts is left out
    where numbers are compared. Yet every start ends in the same way as in the oracle, and nearly all of them
    at the same step.
    """
    sweep = fn.Sweep(
        task=fn.tasks.inverter(),
        optimizer=fn.GradientDescent(30.0),
        axes={"bias": fn.linspace(-20, 20, 17), "weight": fn.linspace(-20, 20, 19)},
        stop=fn.Stop(max_steps=400, tolerance=0.1),
        dtype=dtype,
    )
    expected, _ = compare(sweep, allowed_sensitive={"float64": 0.01, "float32": 0.25}[dtype])
    assert {0, 1, 2, 5} <= set(np.unique(expected["outcome"]))
    result = sweep.run(progress=False).transpose(*sweep.dims)
    np.testing.assert_array_equal(result.outcome, expected["outcome"])
    assert (result.steps.values != expected["steps"]).mean() <= 0.01


def linear(axes, learning_rate, **stop):
    """One bias that should become 0, linear: each step multiplies it by 1 - learning_rate."""
    return fn.Sweep(
        task=fn.Task([0, 0], [0, 0]),
        model=fn.Neuron(activation=fn.Identity()),
        optimizer=fn.GradientDescent(learning_rate),
        axes=axes,
        stop=fn.Stop(**{"max_steps": 100, "tolerance": 0.0} | stop),
    )


def ends_of(sweep):
    return {name: values.values.tolist() for name, values in sweep.run(progress=False).items()}


def test_reached_at_the_first_step_within_the_tolerance():
    ends = ends_of(linear({"bias": [1.0, 2.0, 2.0**-5]}, 0.5, tolerance=2.0**-5))
    assert ends["outcome"] == [fn.Outcome.REACHED] * 3
    assert ends["steps"] == [5, 6, 0]
    assert ends["final_bias"] == [2.0**-5] * 3
    assert ends["error"] == [2.0**-5] * 3
    assert ends["loss"] == [2.0**-11] * 3
    assert ends["speed"] == [2.0**-5, 2.0**-5, 0.0]
    assert ends["period"] == [0, 0, 0]


def test_start_already_at_target_takes_zero_steps():
    ends = ends_of(linear({"bias": [0.0]}, 0.5))
    assert (ends["outcome"], ends["steps"]) == ([fn.Outcome.REACHED], [0])


def test_settled_at_the_first_move_within_the_closeness():
    ends = ends_of(linear({"bias": [1.0, -4.0]}, 0.5, settle=2.0**-10))
    assert ends["outcome"] == [fn.Outcome.SETTLED] * 2
    assert ends["steps"] == [10, 12]
    assert ends["period"] == [1, 1]
    assert ends["speed"] == [2.0**-10, 2.0**-10]


def test_cycling_after_three_periods():
    ends = ends_of(linear({"bias": [1.0, -64.0]}, 2.0))
    assert ends["outcome"] == [fn.Outcome.CYCLING] * 2
    assert (ends["steps"], ends["period"]) == ([6, 6], [2, 2])
    assert ends["final_bias"] == [1.0, -64.0]
    assert ends["speed"] == [2.0, 128.0]


def test_no_cycle_longer_than_max_period_is_found():
    ends = ends_of(linear({"bias": [1.0]}, 2.0, max_period=1))
    assert (ends["outcome"], ends["steps"]) == ([fn.Outcome.UNFINISHED], [100])
    ends = ends_of(linear({"bias": [1.0]}, 2.0, max_period=2))
    assert (ends["outcome"], ends["steps"]) == ([fn.Outcome.CYCLING], [6])


def test_no_cycle_is_called_one_before_its_third_period_ends():
    ends = ends_of(linear({"bias": [1.0]}, 2.0, max_steps=5))
    assert (ends["outcome"], ends["steps"], ends["period"]) == ([fn.Outcome.UNFINISHED], [5], [0])
    ends = ends_of(linear({"bias": [1.0]}, 2.0, max_steps=6))
    assert (ends["outcome"], ends["steps"], ends["period"]) == ([fn.Outcome.CYCLING], [6], [2])


def turning_perceptron(period, samples, bound=64):
    """One target in n is 1 and the inputs are 0: the bias falls by 1 - 1/n, then rises n - 1 times by 1/n."""
    return fn.Sweep(
        task=fn.Task([0] * samples, ([1] + [0] * (period - 1)) * (samples // period)),
        model=fn.Neuron(activation=fn.Step()),
        loss=fn.PerceptronLoss(),
        optimizer=fn.GradientDescent(1.0),
        axes={"bias": [0.004]},
        stop=fn.Stop(max_steps=250, max_period=bound),
    )


@pytest.mark.parametrize(
    "period, samples, bound",
    [(2, 2, 64), (3, 18, 64), (4, 20, 64), (5, 20, 64), (3, 18, 3), (4, 20, 3), (40, 40, 64), (65, 65, 64)],
)
def test_period_of_a_perceptron_that_turns_through_its_samples(period, samples, bound):
    """Tasks of two samples are unrolled, the others run in a loop: two kernels."""
    ends = ends_of(turning_perceptron(period, samples, bound))
    if period <= bound:
        assert (ends["outcome"], ends["period"]) == ([fn.Outcome.CYCLING], [period])
        assert ends["steps"] == [3 * period]
    else:
        assert (ends["outcome"], ends["period"]) == ([fn.Outcome.UNFINISHED], [0])


def test_decaying_oscillation_settles_and_is_no_cycle():
    ends = ends_of(linear({"bias": [1.0]}, 1.9, max_steps=1000))
    assert ends["outcome"] == [fn.Outcome.SETTLED]
    # 1.9 * 0.9^(t - 1) <= 1e-12
    assert ends["steps"] == [270]


def test_momentary_rest_is_settled_wherever_it_comes():
    """Momentum near 1 and learning rate 3 turn the bias 1, -2, 1, 1, -2, ...: the third update is none."""
    sweep = fn.Sweep(
        task=fn.Task([0], [0]),
        model=fn.Neuron(activation=fn.Identity()),
        optimizer=fn.Momentum(3.0, 1.0 - 2.0**-53),
        axes={"bias": [1.0]},
        stop=fn.Stop(max_steps=100, tolerance=0.0),
    )
    ends = ends_of(sweep)
    assert (ends["outcome"], ends["steps"]) == ([fn.Outcome.SETTLED], [3])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_start_beside_an_unstable_point_of_rest_escapes(dtype):
    """With learning rate 3 the bias doubles every step, from where that is less than `settle`."""
    biases = [1e-13, -3e-13, 5e-17]
    sweep = fn.Sweep(
        task=fn.Task([0, 0], [0, 0]),
        model=fn.Neuron(activation=fn.Identity()),
        optimizer=fn.GradientDescent(3.0),
        axes={"bias": biases},
        stop=fn.Stop(tolerance=0.0, max_steps=300),
        dtype=dtype,
    )
    ends = ends_of(sweep)
    steps = [int(np.ceil(np.log2(1e12 / abs(bias)))) for bias in biases]
    assert (ends["outcome"], ends["steps"]) == ([fn.Outcome.DIVERGED] * 3, steps)


def test_cycles_of_every_period_are_found_however_they_lie_to_the_chunks():
    for samples in range(17, 65):  # one kernel: these tasks are not unrolled
        ends = ends_of(turning_perceptron(samples, samples))
        assert (ends["outcome"], ends["period"]) == ([fn.Outcome.CYCLING], [samples])
        assert ends["steps"] == [3 * samples]


def test_diverged_beyond_the_limit_and_not_at_it():
    ends = ends_of(linear({"bias": [1.0, 3.0]}, 3.0, limit=1024.0))
    assert ends["outcome"] == [fn.Outcome.DIVERGED] * 2
    assert ends["steps"] == [11, 9]
    assert ends["final_bias"] == [-2048.0, -1536.0]
    assert ends["speed"] == [3072.0, 2304.0]


def test_start_beyond_the_limit_diverges_at_once():
    ends = ends_of(linear({"bias": [1.0, 3.0]}, 0.5, limit=2.0))
    assert ends["outcome"][1] == fn.Outcome.DIVERGED
    assert (ends["steps"][1], ends["speed"][1], ends["final_bias"][1]) == (0, 0.0, 3.0)


def test_divergence_counts_before_reaching():
    """At one step the first outcome of the list counts: here the start is on target and too large."""
    sweep = fn.Sweep(
        task=fn.Task([0, 0], [3, 3]),
        model=fn.Neuron(activation=fn.Identity()),
        optimizer=fn.GradientDescent(0.5),
        axes={"bias": [3.0]},
        stop=fn.Stop(limit=2.0),
    )
    assert ends_of(sweep)["outcome"] == [fn.Outcome.DIVERGED]


def test_loss_that_is_no_number_is_divergence():
    """Cross-entropy is defined for outputs from 0 to 1, whatever the target."""
    for target in (0.0, 0.5, 1.0):
        sweep = fn.Sweep(
            task=fn.Task([0, 0], [target, target]),
            model=fn.Neuron(activation=fn.Identity()),
            loss=fn.CrossEntropy(),
            optimizer=fn.GradientDescent(0.01),
            axes={"bias": [-0.5, 1.5]},
            stop=fn.Stop(tolerance=0.0),
        )
        ends = ends_of(sweep)
        assert ends["outcome"] == [fn.Outcome.DIVERGED] * 2
        assert ends["steps"] == [0, 0]


def test_stalled_and_unfinished_part_at_the_stall_field():
    """One step moves the bias from 1 by 2^-8, and from 4 by 2^-6, which is as much of 4."""
    for stall, outcome in ((2.0**-8, fn.Outcome.STALLED), (2.0**-8 - 2.0**-20, fn.Outcome.UNFINISHED)):
        ends = ends_of(linear({"bias": [1.0]}, 2.0**-8, max_steps=1, stall=stall))
        assert (ends["outcome"], ends["steps"], ends["speed"]) == ([outcome], [1], [2.0**-8])

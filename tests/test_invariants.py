"""What a result must not depend on, and the symmetries it must have: bit for bit."""

import numpy as np
import pytest

import fastneuron as fn

VARIABLES = ("outcome", "steps", "loss", "error", "speed", "period", "learned")
BIAS = np.linspace(-9, 9, 23)
WEIGHT = np.linspace(-12, 10, 19)
DTYPES = pytest.mark.parametrize("dtype", ["float64", "float32"])


def test_a_field_at_its_plain_value_gives_the_bits_of_an_axis_with_that_value():
    """Kernels for it are compiled on their own: neither is taken for the other, whichever came first.

    A plain gain and a plain scale are told apart one by one, so not all pairs of them are tried.
    """

    def run(gain, scale, axes):
        return fn.Sweep(
            task=fn.tasks.inverter(),
            model=fn.Neuron(activation=fn.Sigmoid(gain)),
            loss=fn.SquaredError(scale),
            optimizer=fn.GradientDescent(3.0),
            axes={"bias": fn.linspace(-3, 3, 30)} | axes,
            start={"weight": 0.7},
        ).run(progress=False)

    for gain, scale in [(1.25, 0.75), (1.0, 0.75), (1.0, 0.5), (1.25, 0.75)]:
        alone = run(gain, scale, {})
        varying = run(2.0, 2.0, {"gain": [gain, 3.0], "scale": [scale, 3.0]}).isel(gain=0, scale=0)
        for name in alone.data_vars:
            np.testing.assert_array_equal(alone[name].values, varying[name].values, err_msg=name)


def inverter_sweep(axes, **changes):
    """The inverter at a large learning rate: plateaus, reached starts and cycles side by side."""
    parts = {
        "task": fn.tasks.inverter(),
        "loss": fn.CrossEntropy(),
        "penalty": fn.L2(0.05),
        "optimizer": fn.Momentum(12.0, 0.3),
        "stop": fn.Stop(max_steps=300, tolerance=0.05),
    }
    return fn.Sweep(axes=axes, **parts | changes)


def assert_same_bits(a, b):
    """Two datasets hold the same bits in every variable."""
    assert set(a.data_vars) == set(b.data_vars)
    for name in a.data_vars:
        left, right = np.ascontiguousarray(a[name].values), np.ascontiguousarray(b[name].values)
        assert (left.dtype, left.shape) == (right.dtype, right.shape), name
        assert left.tobytes() == right.tobytes(), name


def run(sweep, **options):
    return sweep.run(progress=False, **options)


@DTYPES
def test_the_map_has_several_outcomes(dtype):
    """Else the tests below would compare nothing."""
    result = run(inverter_sweep({"bias": BIAS, "weight": WEIGHT}, dtype=dtype))
    assert set(VARIABLES) < set(result.data_vars)
    assert len(np.unique(result.outcome)) >= 2
    assert len(np.unique(result.steps)) > 10


@DTYPES
def test_result_is_the_same_for_any_number_of_threads(dtype):
    sweep = inverter_sweep({"bias": BIAS, "weight": WEIGHT}, dtype=dtype)
    one = run(sweep, threads=1)
    for threads in (2, 3, 7):
        assert_same_bits(one, run(sweep, threads=threads))
    assert_same_bits(one, run(sweep))


@DTYPES
def test_part_of_a_grid_run_alone_is_that_part_of_the_whole(dtype):
    whole = run(inverter_sweep({"bias": BIAS, "weight": WEIGHT}, dtype=dtype))
    for rows, columns in ((slice(3, 9), slice(None)), (slice(None, None, 5), slice(1, None, 7))):
        part = run(inverter_sweep({"bias": BIAS[rows], "weight": WEIGHT[columns]}, dtype=dtype))
        assert_same_bits(part, whole.isel(bias=rows, weight=columns))


@DTYPES
def test_point_alone_is_that_point_of_the_grid(dtype):
    whole = run(inverter_sweep({"bias": BIAS, "weight": WEIGHT}, dtype=dtype))
    for i, j in ((0, 0), (22, 18), (11, 9), (4, 15), (17, 2)):
        alone = run(inverter_sweep({"bias": BIAS[[i]], "weight": WEIGHT[[j]]}, dtype=dtype))
        assert_same_bits(alone, whole.isel(bias=[i], weight=[j]))


@DTYPES
def test_order_of_the_axes_only_transposes_the_result(dtype):
    a = run(inverter_sweep({"bias": BIAS, "weight": WEIGHT}, dtype=dtype))
    b = run(inverter_sweep({"weight": WEIGHT, "bias": BIAS}, dtype=dtype))
    assert a.outcome.dims == ("bias", "weight")
    assert b.outcome.dims == ("weight", "bias")
    assert_same_bits(a, b.transpose("bias", "weight"))


@DTYPES
def test_order_of_the_values_only_reorders_the_result(dtype):
    forward = run(inverter_sweep({"bias": BIAS, "weight": WEIGHT}, dtype=dtype))
    backward = run(inverter_sweep({"bias": BIAS[::-1], "weight": WEIGHT}, dtype=dtype))
    assert_same_bits(backward, forward.isel(bias=slice(None, None, -1)))


@DTYPES
@pytest.mark.parametrize(
    "axis, value",
    [
        ("momentum", 0.3),
        ("tolerance", 0.05),
        ("max_steps", 300),
        ("max_period", 64),
    ],
)
def test_field_that_is_an_axis_gives_the_bits_of_the_constant_field(axis, value, dtype):
    constant = run(inverter_sweep({"bias": BIAS}, start={"weight": -3.0}, dtype=dtype))
    other = 1 if isinstance(value, int) else value / 3
    varying = run(inverter_sweep({"bias": BIAS, axis: [other, value]}, start={"weight": -3.0}, dtype=dtype))
    assert_same_bits(constant, varying.isel({axis: 1}))


@DTYPES
def test_all_fields_that_are_axes_together_give_the_bits_of_the_constant_fields(dtype):
    """Each field is read from the grid on its own: all in one kernel show what each alone would."""
    fields = {"learning_rate": 12.0, "momentum": 0.3, "strength": 0.05, "gain": 1.0}
    axes = {name: [value / 3, value] for name, value in fields.items()}
    varying = run(inverter_sweep({"bias": BIAS} | axes, start={"weight": -3.0}, dtype=dtype))
    constant = run(inverter_sweep({"bias": BIAS}, start={"weight": -3.0}, dtype=dtype))
    assert_same_bits(constant, varying.isel(dict.fromkeys(fields, 1)))
    changes = {
        "learning_rate": {"optimizer": fn.Momentum(4.0, 0.3)},
        "momentum": {"optimizer": fn.Momentum(12.0, 0.3 / 3)},
        "strength": {"penalty": fn.L2(0.05 / 3)},
    }
    for name, change in changes.items():
        other = run(inverter_sweep({"bias": BIAS}, start={"weight": -3.0}, dtype=dtype, **change))
        assert_same_bits(other, varying.isel(dict.fromkeys(fields, 1) | {name: 0}))
        assert (other.loss != constant.loss).any()


@DTYPES
def test_start_that_is_an_axis_gives_the_bits_of_the_constant_start(dtype):
    constant = run(inverter_sweep({"bias": BIAS}, start={"weight": WEIGHT[4]}, dtype=dtype))
    varying = run(inverter_sweep({"bias": BIAS, "weight": WEIGHT}, dtype=dtype))
    assert_same_bits(constant, varying.isel(weight=4))


@DTYPES
def test_linspace_gives_the_bits_of_its_values(dtype):
    described = run(inverter_sweep({"bias": fn.linspace(-9, 9, 23)}, dtype=dtype))
    listed = run(inverter_sweep({"bias": BIAS.tolist()}, dtype=dtype))
    assert_same_bits(described, listed)


@DTYPES
def test_result_is_in_the_dtype_asked_for_and_says_so(dtype):
    result = run(inverter_sweep({"bias": BIAS}, dtype=dtype))
    for name in ("loss", "error", "speed", "final_weight", "final_bias"):
        assert result[name].dtype == np.dtype(dtype)
    assert result.outcome.dtype == np.int8
    assert result.steps.dtype == np.int32
    assert result.attrs["dtype"] == dtype


def test_result_leads_back_to_its_sweep():
    for sweep in (
        inverter_sweep({"bias": fn.linspace(-9, 9, 23), "weight": [0.1, 1 / 3]}),
        inverter_sweep({"momentum": fn.geomspace(0.1, 0.9, 5)}, start={"weight": -0.3}, dtype="float32"),
    ):
        result = run(sweep)
        again = fn.Sweep.from_toml(result.attrs["sweep"])
        assert again == sweep
        assert result.attrs["sweep_sha256"] == again.sha256 == sweep.sha256
        assert_same_bits(run(again), result)
        for name in sweep.dims:
            np.testing.assert_array_equal(result[name].values, sweep.axes[name].values())


def test_keep_chooses_variables_and_changes_no_bits():
    sweep = inverter_sweep({"bias": BIAS, "weight": WEIGHT})
    whole = run(sweep)
    kept = run(sweep, keep=["outcome", "final"])
    assert set(kept.data_vars) == {"outcome", "final_weight", "final_bias"}
    assert_same_bits(kept, whole[list(kept.data_vars)])


@DTYPES
def test_mirrored_inputs_mirror_the_weights(dtype):
    """x to -x and weight to -weight is exact in floating point: only signs change."""
    plain = run(inverter_sweep({"bias": BIAS, "weight": WEIGHT}, dtype=dtype))
    task = fn.Task([0, -1], [1, 0])
    mirrored = run(inverter_sweep({"bias": BIAS, "weight": -WEIGHT}, task=task, dtype=dtype))
    for name in (*VARIABLES, "final_bias"):
        np.testing.assert_array_equal(mirrored[name].values, plain[name].values, err_msg=name)
    np.testing.assert_array_equal(mirrored.final_weight.values, -plain.final_weight.values)


@DTYPES
def test_tanh_with_all_signs_turned_gives_all_signs_turned(dtype):
    """tanh is odd, so that parameters and targets may change their signs together."""
    axes = {"bias": BIAS / 4, "weight": WEIGHT / 4}
    parts = {
        "model": fn.Neuron(activation=fn.Tanh()),
        "loss": fn.SquaredError(),
        "optimizer": fn.Momentum(0.5, 0.3),
        "stop": fn.Stop(max_steps=200, tolerance=0.3),
    }
    plain = run(inverter_sweep(axes, task=fn.Task([0.3, 1], [0.9, -0.7]), dtype=dtype, **parts))
    turned = {name: -values for name, values in axes.items()}
    other = run(inverter_sweep(turned, task=fn.Task([0.3, 1], [-0.9, 0.7]), dtype=dtype, **parts))
    for name in ("outcome", "steps", "loss", "error", "speed", "period"):
        np.testing.assert_array_equal(other[name].values, plain[name].values, err_msg=name)
    for name in ("final_weight", "final_bias"):
        np.testing.assert_array_equal(other[name].values, -plain[name].values, err_msg=name)


def test_descent_of_a_start_ends_where_the_sweep_says():
    sweep = inverter_sweep({"bias": BIAS[::5], "weight": WEIGHT[::5]})
    result = run(sweep)
    for i, bias in enumerate(BIAS[::5]):
        for j, weight in enumerate(WEIGHT[::5]):
            point = result.isel(bias=i, weight=j)
            path = fn.descend(
                sweep.task,
                sweep.model,
                loss=sweep.loss,
                penalty=sweep.penalty,
                optimizer=sweep.optimizer,
                start={"weight": weight, "bias": bias},
                steps=int(point.steps),
            )
            for name in ("weight", "bias"):
                np.testing.assert_allclose(path[name].values[-1], point[f"final_{name}"].item(), rtol=1e-9)
            np.testing.assert_allclose(path.loss.values[-1], point.loss.item(), rtol=1e-9)
            within = path.error.values <= sweep.stop.tolerance
            if point.outcome == fn.Outcome.REACHED:
                assert within[-1] and not within[:-1].any()
            else:
                assert not within.any()

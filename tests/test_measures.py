"""Measures against results that can be counted by hand."""

import doctest

import numpy as np
import pytest
import xarray as xr

import fastneuron as fn
from fastneuron.measures import accuracy, converged, fractions, shade, shares
from fastneuron.outcomes import Outcome
from fastneuron.result import dims_of


def test_fractions_name_every_outcome_in_the_order_of_the_enum():
    found = fractions(xr.DataArray(np.array([[1, 1, 4], [5, 2, 1]], np.int8), dims=("bias", "weight")))
    assert list(found) == list(Outcome)
    expected = [0.0, 3 / 6, 1 / 6, 0.0, 1 / 6, 1 / 6]
    assert [found[member] for member in Outcome] == expected


def test_points_not_computed_count_nowhere():
    assert fractions([1, 4, -1, -1])[Outcome.REACHED] == 0.5


@pytest.mark.parametrize("nothing", [[], [-1, -1], np.zeros((0, 3), np.int8)])
def test_no_computed_point_is_an_error(nothing):
    with pytest.raises(ValueError, match="no computed point"):
        fractions(nothing)


@pytest.mark.parametrize("strange", [6, -2, 1.5])
def test_unknown_codes_are_errors_that_name_the_code(strange):
    with pytest.raises(ValueError, match=f"from -1 .* to 5, got {strange}"):
        fractions([0, 1, strange])


@pytest.mark.parametrize(("name", "table"), [("true", 15), ("false", 0)])
def test_a_constant_gate_that_was_learned_spells_its_table_and_is_right(name, table):
    sweep = fn.Sweep(
        task=fn.tasks.gate(name),
        optimizer=fn.GradientDescent(10.0),
        axes={"bias": [0.0, 1.0]},
        stop=fn.Stop(max_steps=300, tolerance=0.1),
    )
    result = sweep.run(progress=False)
    assert (result.outcome == fn.Outcome.REACHED).all()
    assert (result.learned == table).all()
    assert (accuracy(result) == 1).all()


def test_examples_in_the_docstrings_run():
    assert doctest.testmod(shares, extraglobs={}).failed == 0
    assert doctest.testmod(shares).attempted > 0


def trained(model, task, draws, **finals):
    sweep = fn.Sweep(task=task, model=model, optimizer=fn.GradientDescent(1.0), draws=draws)
    dims = {name: ("draw", *dims_of(name, model.shapes[name])) for name in finals}
    fields = {f"final_{name}": (dims[name], np.asarray(v, float)) for name, v in finals.items()}
    return xr.Dataset(fields, {"draw": range(draws)}, {"sweep": sweep.to_toml()})


def test_accuracy_counts_the_samples_whose_largest_output_is_the_target_s():
    model = fn.Network((2, 2), bias=False)
    task = fn.Task([[1, 0], [0, 1], [2, 1]], [[1, 0], [0, 1], [0, 1]])
    swap, same, lost = [[0, 1], [1, 0]], [[1, 0], [0, 1]], [[np.nan, 0], [0, 1]]
    found = accuracy(trained(model, task, 3, **{"layer0.weight": [swap, same, lost]}))
    assert found.dims == ("draw",)
    np.testing.assert_allclose(found, [1 / 3, 2 / 3, np.nan])


def test_accuracy_of_a_transposed_result_is_the_same():
    task = fn.tasks.gate("xor")
    sweep = fn.Sweep(
        task=task,
        model=fn.Network((2, 8, 1)),
        optimizer=fn.GradientDescent(5.0),
        axes={"max_steps": [1, 3]},
        draws=3,
    )
    result = sweep.run(keep=["final"], progress=False)
    turned = accuracy(result.transpose(..., "draw")).transpose("max_steps", "draw")
    np.testing.assert_array_equal(turned, accuracy(result))


@pytest.mark.parametrize("wrong", ["result", xr.Dataset()])
def test_accuracy_of_what_is_no_result_is_refused(wrong):
    with pytest.raises(ValueError, match="give the whole result of a sweep"):
        accuracy(wrong)


def test_accuracy_of_one_output_is_by_the_side_of_the_middle_and_on_any_task():
    model = fn.Network((1, 1))
    task = fn.Task([0.0, 1.0, 2.0], [0, 0, 1])
    finals = {"layer0.weight": [[[0.3]], [[-1.0]]], "layer0.bias": [[-0.5], [-0.5]]}
    result = trained(model, task, 2, **finals)
    assert accuracy(result).values.tolist() == [1.0, 2 / 3]
    assert accuracy(result, fn.Task([1.0, 2.0], [1, 1])).values.tolist() == [0.5, 0.0]


def test_accuracy_without_final_parameters_or_of_another_shape_is_refused():
    model, task = fn.Network((1, 1), bias=False), fn.Task([0.0], [0])
    result = trained(model, task, 1, **{"layer0.weight": [[[0.0]]]})
    with pytest.raises(ValueError, match=r"run with keep=\[..., 'final'\]"):
        accuracy(result.drop_vars("final_layer0.weight"))
    with pytest.raises(ValueError, match="task must have 1 inputs and 1 outputs as the model, got 2 and 1"):
        accuracy(result, fn.Task([[0.0, 1.0]], [0]))
    with pytest.raises(ValueError, match="task must be a task such as"):
        accuracy(result, "xor")


def test_shade_is_minus_the_sum_where_the_late_losses_are_below_the_first():
    fields = {"loss_sum": [3.0, 50.0], "inverse_sum": [7.0, 0.5], "late_loss": [0.9, 1.0]}
    data = xr.Dataset({name: ("point", values) for name, values in fields.items()})
    assert converged(data).values.tolist() == [True, False]
    assert shade(data).values.tolist() == [-3.0, 0.5]
    with pytest.raises(ValueError, match="no 'inverse_sum'; record it as the spec 'trainability' does"):
        shade(data.drop_vars("inverse_sum"))


def test_accuracy_where_a_field_of_the_model_varies_is_refused():
    model, task = fn.Network((1, 1), bias=False), fn.Task([0.0], [0])
    sweep = fn.Sweep(task=task, model=model, optimizer=fn.GradientDescent(1.0), axes={"output.gain": [1, 2]})
    with pytest.raises(ValueError, match=r"axis output.gain varies output.gain"):
        accuracy(xr.Dataset(attrs={"sweep": sweep.to_toml()}))


def test_an_outcome_is_found_by_its_name():
    for member in Outcome:
        assert Outcome(member.name.lower()) is Outcome(member.name) is Outcome(member) is member
    codes = xr.DataArray(np.array([0, 1, 4], np.int8))
    assert (codes == Outcome("reached")).values.tolist() == [False, True, False]
    for wrong, says in (
        ("reachd", r"no outcome 'reachd' \(did you mean 'reached'\?\); there are: unfin"),
        (9, "no outcome 9; "),
    ):
        with pytest.raises(ValueError, match=f"^{says}"):
            Outcome(wrong)

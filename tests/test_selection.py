"""The sweep of a part of a grid: its points have the numbers that they have in the whole."""

import numpy as np
import pytest
import xarray as xr

import fastneuron as fn
from fastneuron.plot.shown_part import places_shown
from fastneuron.selection import changed

SWEEP = fn.Sweep(
    task=fn.tasks.inverter(),
    optimizer=fn.Momentum(30.0, 0.5),
    axes={
        "learning_rate": [1.0, 10.0],
        "momentum": [0.0, 0.25, 0.5],
        "bias": fn.linspace(-9, 9, 4),
        "weight": fn.linspace(-20, 20, 5),
    },
    stop=fn.Stop(max_steps=60),
)
NETWORK = fn.Sweep(
    task=fn.tasks.gate("xor"),
    model=fn.Network((2, 2, 1)),
    optimizer=fn.GradientDescent(1.0),
    axes={"layer0.weight[1,0]": [0.0, 1.0], "layer1.learning_rate": [0.5, 2.0], "start.sd": [0.5, 1.0]},
    start={"layer0.weight": np.ones((2, 2))},
    draws=3,
    stop=fn.Stop(max_steps=20),
)


@pytest.mark.parametrize(
    "indices",
    [
        {"bias": slice(1, 3)},
        {"weight": [4, 0, -2]},
        {"learning_rate": 1, "momentum": 2},
        {"learning_rate": -1, "bias": 0, "weight": np.array([3])},
        {"momentum": slice(None, None, -1), "weight": np.int64(2)},
        {},
    ],
    ids=str,
)
def test_a_part_of_a_sweep_gives_that_part_of_its_result(indices):
    part = SWEEP.isel(**indices).run(progress=False)
    xr.testing.assert_identical(
        part.drop_attrs(deep=False), SWEEP.run(progress=False).isel(indices, drop=True).drop_attrs(deep=False)
    )


def test_values_select_what_their_places_do():
    assert SWEEP.select(bias=-3, weight=slice(-10, 10)) == SWEEP.isel(bias=1, weight=slice(1, 4))
    assert SWEEP.select(weight=slice(10, None)) == SWEEP.select(weight=[10, 20]) == SWEEP.isel(weight=[3, 4])
    assert SWEEP.select(method="nearest", learning_rate=100, bias=[-2.9, 8]) == SWEEP.isel(
        learning_rate=1, bias=[1, 3]
    )


def test_an_axis_that_stays_whole_keeps_its_description():
    part = SWEEP.isel(learning_rate=0, bias=slice(0, 4), weight=slice(0, 4))
    assert part.axes["bias"] == SWEEP.axes["bias"] and part.axes["weight"] != SWEEP.axes["weight"]


def test_one_place_of_an_axis_goes_into_the_component_the_model_or_the_start():
    sweep = SWEEP.replace(
        axes={
            "gain": [1.0, 2.0],
            "bias": [3.0],
            "max_steps": [5, 7],
            "strength": [0.1],
            "weight": [0.0, 1.0],
        },
        penalty=fn.L2(1.0),
    )
    part = sweep.isel(gain=1, bias=0, max_steps=1, strength=0)
    assert part.training == fn.Training(
        sweep.task,
        fn.Neuron(activation=fn.Sigmoid(gain=2.0)),
        sweep.loss,
        sweep.optimizer,
        fn.L2(0.1),
        stop=fn.Stop(max_steps=7),
    )
    assert dict(part.start) == {"bias": 3.0} and part.dims == ("weight",)


def test_chosen_starts_are_selected_like_an_axis():
    chosen = xr.DataArray([1.0, 2.0, 3.0], dims="day", coords={"day": [10, 20, 30]})
    sweep = SWEEP.replace(
        axes={"learning_rate": [1.0, 2.0]}, start={"weight": chosen, "bias": [4.0, 5.0, 6.0]}
    )
    part = sweep.select(day=[30, 10])
    assert part.coordinates()["day"].tolist() == [30, 10]
    assert part.at(learning_rate=0, day=0) == {"weight": 3.0, "bias": 6.0}
    assert dict(sweep.isel(day=1).start) == {"weight": 2.0, "bias": 5.0}


def test_a_part_of_random_starts_is_given_where_it_is_drawn_alike_only():
    sweep = SWEEP.replace(axes={"learning_rate": [1.0, 2.0, 3.0]}, start={"weight": fn.normal(0, 1)}, draws=4)
    for part in (sweep.isel(learning_rate=slice(2)), sweep.isel(learning_rate=0)):
        whole = sweep.run(progress=False).isel(learning_rate=slice(len(part.axes.get("learning_rate", [0]))))
        found = part.run(progress=False)
        np.testing.assert_array_equal(found.final_weight.values.ravel(), whole.final_weight.values.ravel())
    for indices in ({"draw": 0}, {"draw": slice(2)}, {"learning_rate": 1}, {"learning_rate": [1, 0]}):
        with pytest.raises(ValueError, match="drawn by the number of a point") as caught:
            sweep.isel(**indices)
        assert "\n" not in str(caught.value)
    batches = SWEEP.replace(batch=fn.MiniBatch(1))
    with pytest.raises(ValueError, match="drawn by the number of a point"):
        batches.isel(weight=slice(2))


def test_numbers_of_a_network_stand_in_its_start():
    part = NETWORK.isel(**{"layer0.weight[1,0]": 0, "layer1.learning_rate": [0], "start.sd": [0]})
    assert part.start["layer0.weight"].tolist() == [[1.0, 1.0], [0.0, 1.0]]
    first = NETWORK.run(progress=False).isel({"layer0.weight[1,0]": 0})
    whole = NETWORK.isel(**{"layer0.weight[1,0]": 0}).run(progress=False)
    np.testing.assert_array_equal(whole.loss.values, first.loss.values)


def test_the_spread_of_random_starts_is_selected():
    part = NETWORK.isel(**{"layer0.weight[1,0]": [0], "layer1.learning_rate": [0], "start.sd": 0})
    assert {str(start) for start in part.start.values()} >= {str(fn.normal(0, 0.5))}


@pytest.mark.parametrize(
    ("indices", "message"),
    [
        (
            {"biass": 0},
            "no dimension 'biass' (did you mean 'bias'?); with their lengths: learning_rate (2), ",
        ),
        ({"bias": 4}, "bias must be a whole number from -4 to 3, a list of such or a slice, got 4"),
        ({"bias": True}, "bias must be a whole number from -4 to 3, a list of such or a slice, got True"),
        ({"bias": 1.0}, "bias must be a whole number from -4 to 3, a list of such or a slice, got 1.0"),
        ({"bias": [0, 9]}, "bias must be a whole number from -4 to 3, a list of such or a slice, got 9"),
        ({"bias": [True, False, True, True]}, "a list of such or a slice, got True"),
        ({"bias": [[0]]}, "got [[0]]"),
        ({"bias": []}, "got []"),
        ({"bias": "first"}, "got 'first'"),
        ({"bias": slice(4, None)}, "bias: slice(4, None, None) has no points, of 4"),
        ({"bias": slice(0.5)}, "bias must be a slice of whole numbers, got slice(None, 0.5, None)"),
        (
            {"learning_rate": 0, "momentum": 0, "bias": 0, "weight": -1},
            "this leaves no dimension, and a sweep has one or more; give a list for one, as weight=[4], or",
        ),
    ],
    ids=str,
)
def test_an_index_that_is_none_is_one_line(indices, message):
    with pytest.raises(ValueError) as caught:
        SWEEP.isel(**indices)
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"bias": 0.5}, "bias has no value 0.5; method='nearest' takes the nearest, "),
        ({"bias": "low"}, "bias must be a number, a list of numbers or a slice, got 'low'"),
        ({"bias": float("nan")}, "bias must be a number, a list of numbers or a slice, got nan"),
        ({"bias": []}, "bias must be one value or more, got []"),
        ({"bias": slice(10, 20)}, "bias: no value from 10 to 20; they are from -9 to 9"),
        ({"bias": slice(0, 9, 2)}, "bias: a slice of values has no step, got slice(0, 9, 2); isel takes one"),
        ({"Bias": 3}, "no dimension 'Bias'"),
        ({"method": "linear", "bias": 3}, "method must be None or 'nearest', got 'linear'"),
    ],
    ids=str,
)
def test_a_value_that_is_not_there_is_one_line(values, message):
    with pytest.raises(ValueError) as caught:
        SWEEP.select(**values)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_a_value_that_is_there_twice_is_not_chosen_from():
    with pytest.raises(ValueError, match="learning_rate has the value 1.0 more than once; isel tells which"):
        SWEEP.replace(axes={"learning_rate": [1.0, 1.0], "bias": [0.0]}).select(learning_rate=1)


def test_what_only_an_axis_can_say_is_selected_by_a_list():
    sweep = NETWORK.replace(start={name: 0.5 for name in NETWORK.model.parameters}, draws=None, axes={
        "layer1.learning_rate": [0.5, 2.0], "layer0.offset": [0.0, 1.0], "layer0.weight[1,0]": [0.0, 1.0],
    })  # fmt: skip
    for axis, what in (("layer1.learning_rate", "the learning_rate"), ("layer0.offset", "what is added")):
        with pytest.raises(
            ValueError, match=rf"^{axis}: {what}.* of one layer can only be an axis; give a list, as \[1\]$"
        ):
            sweep.isel(**{axis: 1})
        assert len(sweep.isel(**{axis: [1]}).axes[axis]) == 1


def test_a_slice_of_values_goes_the_way_of_the_axis():
    down = SWEEP.replace(axes={"weight": fn.linspace(3, -3, 7)})
    assert down.select(weight=slice(None, -1)) == down.isel(weight=slice(0, 5))
    assert down.select(weight=slice(1, None)) == down.isel(weight=slice(2, None))
    assert down.select(weight=slice(-1, 1)) == down.select(weight=slice(1, -1)) == down.isel(weight=[2, 3, 4])
    mixed = SWEEP.replace(axes={"weight": [3.0, -1.0, 2.0]})
    assert mixed.select(weight=slice(None)) == mixed
    with pytest.raises(ValueError, match="weight: its values go up and down.* isel takes places"):
        mixed.select(weight=slice(0, 2))
    with pytest.raises(ValueError, match="weight: no value from 5 to inf; they are from 3 to 3"):
        SWEEP.replace(axes={"weight": [3.0]}).select(weight=slice(5, None))


def test_a_part_of_a_long_axis_takes_no_more_than_it_holds():
    long = SWEEP.replace(axes={"learning_rate": [1.0]}, start={"weight": fn.normal(0, 1)}, draws=2**31 - 1)
    assert long.isel(draw=slice(10)).shape == (1, 10)
    with pytest.raises(ValueError, match=f"draw must be a whole number from {1 - 2**31} to {2**31 - 2}"):
        long.isel(draw=-(2**40))


@fn.component
class Between(fn.Activation):
    """An own activation of which one field must be below the other."""

    low: float = 0.0
    high: float = 1.0

    def __init__(self, *fields: float, **named: float) -> None:
        if self.low >= self.high:
            raise ValueError(f"low must be below high, got {self.low}, {self.high}")

    def value(self, z):
        return self.low + (self.high - self.low) * fn.Sigmoid().value(z)

    def slope(self, z, a):
        return (self.high - self.low) * fn.Sigmoid().derivative(z, fn.Sigmoid().value(z))


def test_fields_of_one_component_change_at_once():
    one, other = changed(Between(), {"low": 5.0, "high": 9.0}), Between(5.0, 9.0)
    assert one == other


def test_minus_zero_in_an_array_of_starts_is_not_lost_in_silence():
    weight = {"layer0.weight[0,0]": [-0.0, 1.0], "layer0.bias[0]": [0.0]}
    sweep = NETWORK.replace(axes=weight, start={"layer0.weight": np.ones((2, 2)), "layer0.bias": 0.0})
    with pytest.raises(ValueError, match=r"^layer0.weight\[0,0\]: .* -0.0 is no start of layer0.weight;"):
        sweep.isel(**{"layer0.weight[0,0]": 0})
    assert np.signbit(sweep.isel(**{"layer0.weight[0,0]": [0]}).axes["layer0.weight[0,0]"].values()[0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: SWEEP.isel(weight=np.ma.array([0, 1], mask=[False, True])), "weight must be a whole number"),
        (lambda: SWEEP.isel(weight=[[0], [0, 1]]), "weight must be a whole number"),
        (lambda: SWEEP.isel(weight=slice(0, 2, 0)), "weight must be a slice of whole numbers"),
        (
            lambda: SWEEP.select(weight=np.ma.array([0.0, 20.0], mask=[False, True])),
            "weight must be a number",
        ),
        (lambda: SWEEP.select(weight=np.inf, method="nearest"), "weight must be a number"),
        (lambda: SWEEP.select(weight=np.True_), "weight must be a number"),
        (lambda: SWEEP.replace(self=1), "self: unknown field"),
        (lambda: SWEEP.training.replace(self=1), "self: unknown field"),
    ],
    ids=range(8),
)
def test_what_selects_nothing_is_one_line(call, message):
    with pytest.raises(ValueError) as caught:
        call()
    assert str(caught.value).startswith(message) and "\n" not in str(caught.value)


def test_a_picture_takes_the_first_of_equal_values():
    axes = {"learning_rate": [30.0, 1.0, 30.0], "bias": [-5.0, 0.0, 5.0], "weight": [-5.0, 0.0, 5.0]}
    result = SWEEP.replace(axes=axes).run(progress=False).isel(learning_rate=2)
    assert places_shown(result, SWEEP.replace(axes=axes))["learning_rate"] == 0
    with pytest.raises(ValueError, match="its sweep has twice"):
        places_shown(result, SWEEP.replace(axes=axes, batch=fn.MiniBatch(1)))

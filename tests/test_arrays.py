"""Arrays: what is no finite number is refused by its place, wherever a user hands an array over."""

from collections import UserList, deque
from fractions import Fraction
from typing import Any

import dask.array
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import xarray as xr
from matplotlib.figure import Figure

import fastneuron as fn
from fastneuron.arrays import checked_array
from fastneuron.axes import as_axis

masked = np.ma.array([1.0, -999.0, 3.0], mask=[False, True, False])
nan = float("nan")


class Foreign:
    """An array type that NumPy reads by its protocol, or fails to."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        if self.error is not None:
            raise self.error
        return np.array([1.0, 2.0])


@pytest.mark.parametrize(
    "given",
    [
        [1, 2.0],
        (1, 2),
        range(1, 3),
        UserList([1, 2]),
        np.array([1, 2], np.uint8),
        np.array([1, 2], ">f8"),
        np.array([1, 2], np.longdouble),
        np.array([1, 2.0], object),
        [np.array(1.0), np.int8(2)],
        np.ma.array([1, 2]),
        np.ma.array([1, 2], mask=[False, False]),
        [np.ma.array(1), 2],
        pd.Series([1, 2], dtype="Int64"),
        pd.DataFrame({"a": [1.0, 2.0]})["a"],
        xr.DataArray([1, 2]),
        dask.array.from_array(np.array([1, 2])),
        Foreign(),
    ],
    ids=lambda given: f"{type(given).__name__} {getattr(given, 'dtype', '')}",
)
def test_numbers_of_every_kind_are_read_as_float64(given):
    read = checked_array("x", given)
    assert type(read) is np.ndarray and read.dtype == np.float64 and read.tolist() == [1.0, 2.0]


def test_only_arrays_of_float32_stay_float32():
    for given in (np.float32(1), np.array([1], "<f4"), np.array([1], ">f4"), xr.DataArray(np.ones(2, "f4"))):
        assert checked_array("x", given).dtype == np.float32
    for given in (np.array([1], np.float16), 1, [1.0], np.int8(1)):
        assert checked_array("x", given).dtype == np.float64


def test_whole_numbers_beyond_64_bits_are_read_up_to_the_largest_float():
    assert checked_array("x", [10**30, 2]).tolist() == [1e30, 2.0]
    assert checked_array("x", 10**30).tolist() == 1e30


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (masked, "x[1] must be a finite number, got a masked entry"),
        (
            np.ma.array([[1, 2], [3, 4]], mask=[[0, 0], [1, 0]]),
            "x[1, 0] must be a finite number, got a masked",
        ),
        (np.ma.masked, "x must be numbers, got a masked entry"),
        ([1.0, np.ma.masked], "x[1] must be a finite number, got a masked entry"),
        ([[1.0, 2.0, 3.0], masked], "x[1, 1] must be a finite number, got a masked entry"),
        (UserList([masked]), "x[0, 1] must be a finite number, got a masked entry"),
        (deque([1, np.ma.masked]), "x[1] must be a finite number, got a masked entry"),
        (
            dask.array.ma.masked_equal(dask.array.from_array(np.array([1, 2])), 2),
            "x[1] must be a finite number, got a masked entry",
        ),
        ([1.0, nan], "x[1] must be a finite number, got nan"),
        (nan, "x must be a finite number, got nan"),
        (np.array([[0.0], [np.inf]]), "x[1, 0] must be a finite number, got inf"),
        (
            np.array([1, np.longdouble("1e4000")]),
            "x[1] must be a finite number, got np.longdouble('1e+4000')",
        ),
        ([1, 10**400], "x[1] must be a finite number, got 1000000"),
        (pd.Series([1, None], dtype="Int64"), "x[1] must be a finite number, got"),
        (pd.Series([1.0, None]), "x[1] must be a finite number, got nan"),
        (pd.DataFrame({"a": [1, 2], "b": ["c", "d"]}), "x[0, 1] must be a finite number, got 'c'"),
        (pd.DataFrame({"a": [1, 2], "b": [True, False]}), "x[0, 1] must be a finite number, got True"),
        (xr.DataArray([1.0, nan]), "x[1] must be a finite number, got nan"),
        ([1, None], "x[1] must be a finite number, got None"),
        ([[1, 2], [pd.NA, 3]], "x[1, 0] must be a finite number, got <NA>"),
        (np.array([1, None], object), "x[1] must be a finite number, got None"),
        ([0, 1j], "x[1] must be a finite number, got 1j"),
        (np.array([1 + 0j]), "x[0] must be a finite number, got (1+0j)"),
        ([0, True], "x[1] must be a finite number, got True"),
        ([[0.5], np.array([True])], "x[1, 0] must be a finite number, got True"),
        (np.array([False]), "x[0] must be a finite number, got False"),
        (True, "x must be numbers, got True"),
        ([1.0, "2"], "x[1] must be a finite number, got '2'"),
        (np.array(["1"]), "x[0] must be a finite number, got '1'"),
        ([b"1"], "x[0] must be a finite number, got b'1'"),
        ("12", "x must be numbers, got '12'"),
        (np.array(["2020"], "M8[D]"), "x[0] must be a finite number, got datetime.date(2020, 1, 1)"),
        (np.array([1], "m8[s]"), "x[0] must be a finite number, got datetime.timedelta(seconds=1)"),
        (np.timedelta64(1, "s"), "x must be numbers, got datetime.timedelta(seconds=1)"),
        ([Fraction(1, 2)], "x[0] must be a finite number, got Fraction(1, 2)"),
        (np.zeros(1, [("a", float)]), "x[0] must be a finite number, got (0.0,)"),
        ([[1], [2, 3]], "x is ragged: its rows must have equal lengths"),
        (scipy.sparse.csr_array([[1.0]]), "give it as x.toarray()"),
        ({1, 2}, "x must be numbers, got {1, 2}"),
        (None, "x must be numbers, got None"),
        (Foreign(RuntimeError("no\narray")), "x cannot be read as an array: no array"),
    ],
    ids=lambda value: repr(value).split(" at 0x")[0][:40].replace("\n", " "),
)
def test_what_is_no_finite_number_is_refused_by_its_place(given, message):
    with pytest.raises(ValueError) as caught:
        checked_array("x", given)
    assert message in str(caught.value) and "\n" not in str(caught.value)


network = fn.Network((3, 1), bias=False)
training = {"loss": fn.SquaredError(), "optimizer": fn.GradientDescent(1.0)}
# every place that takes an array of three numbers, and what it is called there
PLACES = {
    "inputs": lambda a: fn.Task(a, [1, 2, 3]),
    "targets": lambda a: fn.Task([1, 2, 3], a),
    "targets in TOML": lambda a: fn.tasks.from_spec({"x": [1, 2, 3], "y": a}),
    "axis": lambda a: as_axis(a, "axis bias"),
    "start": lambda a: fn.Sweep(
        task=fn.Task([[1, 2, 3]], [1]), model=network, optimizer=fn.GradientDescent(1.0),
        axes={"learning_rate": [1]}, start={"layer0.weight": [[entry] for entry in a]},
    ),
    "parameters": lambda a: fn.forward(fn.Neuron(), {"weight": a}, [0, 1]),
    "inputs of forward": lambda a: fn.forward(fn.Neuron(), {}, a),
    "starts of descend": lambda a: fn.descend(
        fn.Task([0, 1], [1, 0]), fn.Neuron(), start={"bias": a}, steps=1, **training
    ),
    "images": lambda a: fn.activity(network, [a, a], draws=2),
    "edges": lambda a: fn.activity(network, [[1, 2, 3]], draws=2, edges=a),
    "fixed weights": lambda a: fn.activity(
        network, [[1, 2, 3]], draws=2, start={"layer0.weight": [[entry] for entry in a]}
    ),
    "outcomes": fn.measures.fractions,
    "intervals": fn.measures.intervals,
    "marked inputs": lambda a: fn.plot.neuron_response(
        fn.Neuron(), {"weight": 1, "bias": 0}, at=a, x_range=(0, 1), ax=Figure().subplots()
    ),
    "inputs shown": lambda a: fn.plot.neuron_response(
        fn.Neuron(), {"weight": 1, "bias": 0}, x_range=a[:2], ax=Figure().subplots()
    ),
}  # fmt: skip


@pytest.mark.parametrize("take", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize(
    ("given", "got"),
    [
        (masked, "a masked entry"),
        ([1.0, nan, 3.0], "nan"),
        (np.array([1, None, 3], object), "None"),
        ([1, 2j, 3], "2j"),
        ([1, True, 3], "True"),
        ([1, "2", 3], "'2'"),
        ([1, 10**400, 3], "1000000"),
    ],
    ids=["masked", "nan", "None", "complex", "bool", "text", "huge"],
)
def test_every_place_that_takes_an_array_refuses_the_entry_that_is_no_number(take, given, got):
    with pytest.raises(ValueError) as caught:
        take(given)
    assert f"must be a finite number, got {got}" in str(caught.value) and "\n" not in str(caught.value)
    assert "1]" in str(caught.value) or "[1, 0]" in str(caught.value)


@pytest.mark.parametrize("take", PLACES.values(), ids=PLACES)
def test_every_place_that_takes_an_array_takes_one_without_masked_entries(take):
    take(np.ma.array([1, 2, 3], mask=[False, False, False]))


def test_an_array_of_outcomes_may_have_any_shape_and_no_entry_masked():
    codes = np.array([[1, 1], [4, -1]], np.int8)
    assert fn.measures.fractions(codes)[fn.Outcome.DIVERGED] == 1 / 3
    with pytest.raises(ValueError, match=r"^outcome\[1, 1\] must be a finite number, got a masked entry$"):
        fn.measures.fractions(np.ma.masked_equal(codes, -1))


def test_no_starts_give_no_outputs():
    network = fn.Network((2, 2, 1))
    assert fn.forward(fn.Neuron(), {"weight": np.empty((3, 0))}, [0, 1]).shape == (3, 0, 2)
    assert fn.forward(fn.Neuron(), {"weight": np.empty((0, 1)), "bias": np.empty((1, 4))}, [0]).shape == (
        0,
        4,
        1,
    )
    assert fn.forward(network, {"layer0.weight": np.empty((0, 2, 2))}, [[0, 1]]).shape == (0, 1)
    path = fn.descend(
        fn.Task([0, 1], [1, 0]), fn.Neuron(), start={"weight": []}, steps=2, stop=fn.Stop(5), **training
    )
    assert dict(path.sizes) == {"step": 3, "start": 0, "sample": 2}


@pytest.mark.parametrize("name", ["weight", "x"])
def test_numbers_beyond_float32_are_refused_where_it_computes_in_it(name):
    given = {"weight": np.float32(1), "x": [0.0]} | {name: np.float64(1e300) if name == "weight" else [1e300]}
    with pytest.raises(ValueError, match=f"^{name} must be finite in float32, which holds up to 3.4028"):
        if name == "x":
            fn.forward(fn.Neuron(), {"weight": given["weight"]}, given["x"])
        else:
            fn.descend(
                fn.Task([0], [1]), fn.Neuron(), start={"weight": given["weight"]}, steps=1, dtype="float32",
                **training,
            )  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"axes": ["bias"]},
            "axes must be a dict of axes by name, as {'weight': linspace(-20, 20, 64)}, got",
        ),
        ({"axes": {}}, "axes must be 1 to 64 axes by name, got 0"),
        ({"start": 3}, "start must be a dict of parameters, as {'weight': 0.5}, got 3"),
        ({"record": [1]}, "record must be a dict of reducers, as {'loss_sum': Sum()}, got [1]"),
    ],
)
def test_where_a_dict_is_wanted_python_is_told_so(wrong, message):
    given = {"task": fn.tasks.inverter(), "optimizer": fn.GradientDescent(1.0), "axes": {"bias": [0]}}
    with pytest.raises(ValueError) as caught:
        fn.Sweep(**given | wrong)
    assert str(caught.value).startswith(message)

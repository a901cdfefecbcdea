"""Axes: NumPy's values, kept as a description."""

import pickle
from array import array
from collections import UserDict

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import example, given

from fastneuron.axes import Geomspace, Linspace, Values, as_axis, geomspace, linspace

half = st.floats(-8e307, 8e307)
positive = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
counts = st.integers(1, 50)


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), counts)
def test_linspace_gives_numpys_values(start, stop, num):
    axis = linspace(start, stop, num)
    values = np.linspace(start, stop, num)
    assert axis.values().dtype == np.float64 and len(axis) == num
    np.testing.assert_allclose(axis.values(), values, rtol=0, atol=1e-300)


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6), counts, st.sampled_from([-1, 1]))
def test_geomspace_gives_numpys_values(start, stop, num, sign):
    axis = geomspace(sign * start, sign * stop, num)
    np.testing.assert_allclose(axis.values(), np.geomspace(sign * start, sign * stop, num), rtol=1e-14)


@given(half, half, counts)
@example(0.0, 1.5e-323, 6)
def test_no_value_of_a_linspace_is_beyond_its_ends(start, stop, num):
    values = linspace(start, stop, num).values()
    assert len(values) == num and values[0] == start and (num == 1 or values[-1] == stop)
    assert values.min() >= min(start, stop) and values.max() <= max(start, stop)


@given(positive, positive, counts)
@example(1.7e308, 1.7976931348623157e308, 9)
@example(5e-324, 1e308, 9)
def test_no_value_of_a_geomspace_is_beyond_its_ends(start, stop, num):
    values = geomspace(start, stop, num).values()
    assert len(values) == num and values[0] == start and (num == 1 or values[-1] == stop)
    assert values.min() >= min(start, stop) and values.max() <= max(start, stop)


@pytest.mark.parametrize(
    "given",
    [
        [0, 1, 2.5],
        (0, 1, 2.5),
        np.array([0, 1, 2.5]),
        np.array([0, 1, 2.5], np.float32),
        array("d", [0, 1, 2.5]),
        np.array([0, 1, 2.5], object),
        [np.float64(0), np.int8(1), 2.5],
        np.array([0, 1, 2.5], np.longdouble),
    ],
    ids=repr,
)
def test_any_sequence_of_numbers_is_an_axis(given):
    assert as_axis(given, "axis bias") == Values((0.0, 1.0, 2.5))


def test_ranges_are_sequences_and_mappings_are_tables():
    assert as_axis(range(3), "axis bias") == Values((0.0, 1.0, 2.0))
    assert as_axis(UserDict(linspace=[0, 1, 3]), "axis bias") == Linspace(0.0, 1.0, 3)


@given(
    st.one_of(
        st.builds(linspace, half, half, counts),
        st.builds(geomspace, positive, positive, counts),
        st.builds(Values, st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1).map(tuple)),
    )
)
def test_an_axis_is_its_own_axis_and_comes_back_from_its_table_and_from_pickle(axis):
    assert as_axis(axis, "axis bias") is axis
    assert as_axis(axis.to_spec(), "axis bias") == axis
    assert pickle.loads(pickle.dumps(axis)) == axis
    assert hash(as_axis(axis.to_spec(), "axis bias")) == hash(axis)


def test_num_may_be_a_numpy_integer():
    assert linspace(0, 1, np.int64(3)) == linspace(0, 1, 3)
    assert type(linspace(0, 1, np.int64(3)).num) is int


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: linspace(0, 1, 0), "linspace num must be a whole number from 1 to 2147483647, got 0"),
        (
            lambda: linspace(0, 1, 2**31),
            "linspace num must be a whole number from 1 to 2147483647, got 2147483648",
        ),
        (lambda: linspace(0, 1, 2.0), "linspace num must be a whole number from 1 to 2147483647, got 2.0"),
        (lambda: linspace(0, 1, True), "linspace num must be a whole number from 1 to 2147483647, got True"),
        (lambda: linspace("0", 1, 2), "linspace start must be a finite number, got '0'"),
        (lambda: linspace(0, float("inf"), 2), "linspace stop must be a finite number, got inf"),
        (
            lambda: linspace(-1e308, 1e308, 2),
            "linspace from -1e+308 to 1e+308 is wider than a float can hold",
        ),
        (lambda: geomspace(0, 1, 2), "geomspace needs start and stop of one sign and not 0, got 0.0 and 1.0"),
        (
            lambda: geomspace(-1, 1, 2),
            "geomspace needs start and stop of one sign and not 0, got -1.0 and 1.0",
        ),
        (lambda: Values(()), "values must have at least one value, got none"),
        (lambda: Values(("a",)), "values[0] must be a finite number, got 'a'"),
        (lambda: as_axis([1, 2, None], "axis bias"), "axis bias[2] must be a finite number, got None"),
        (lambda: as_axis([1, 10**400], "axis bias"), "axis bias[1] must be a finite number, got 1000"),
        (lambda: as_axis([1.0, float("nan")], "axis bias"), "axis bias[1] must be a finite number, got nan"),
        (
            lambda: as_axis([[1], [2, 3]], "axis bias"),
            "axis bias is ragged: its rows must have equal lengths",
        ),
        (
            lambda: as_axis(b"12", "axis bias"),
            "axis bias must be linspace(...), geomspace(...) or a 1-D list of",
        ),
        (
            lambda: as_axis(np.array(1.0), "axis bias"),
            "axis bias must be linspace(...), geomspace(...) or a 1-D",
        ),
        (
            lambda: as_axis(np.array(["2020"], "M8[s]"), "axis bias"),
            "axis bias[0] must be a finite number, got datetime.datetime(2020, 1, 1, 0, 0)",
        ),
        (
            lambda: as_axis(np.array([True]), "axis bias"),
            "axis bias[0] must be a finite number, got True",
        ),
        (lambda: as_axis({}, "axis bias"), "axis bias must be { linspace = [start, stop, num] }"),
        (lambda: as_axis({(1,): 2}, "axis bias"), "axis bias must be { linspace = [start, stop, num] }"),
        (
            lambda: as_axis({"geomspace": "abc"}, "axis bias"),
            "axis bias.geomspace must be [start, stop, num], got 'abc'",
        ),
    ],
)
def test_a_wrong_axis_names_the_value_and_what_is_allowed(make, message):
    with pytest.raises(ValueError) as caught:
        make()
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_tiny_ends_of_a_geomspace_have_a_sign():
    assert geomspace(1e-300, 1e-200, 2) == Geomspace(1e-300, 1e-200, 2)

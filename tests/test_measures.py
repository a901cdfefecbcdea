"""Measures against results that can be counted by hand."""

import doctest

import numpy as np
import pytest
import xarray as xr

from fastneuron.measures import fractions, shares
from fastneuron.outcomes import Outcome


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


@pytest.mark.parametrize("strange", [6, -2, 1.5, np.nan])
def test_unknown_codes_are_errors_that_name_the_code(strange):
    with pytest.raises(ValueError, match=f"from -1 .* to 5, got {strange}"):
        fractions([0, 1, strange])


def test_examples_in_the_docstrings_run():
    assert doctest.testmod(shares, extraglobs={}).failed == 0
    assert doctest.testmod(shares).attempted > 0

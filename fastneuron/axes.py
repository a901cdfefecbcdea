"""Axes: the values that one dimension of a grid takes, kept as a description.

`linspace` and `geomspace` take NumPy's arguments and give NumPy's values; plain numbers are an axis too.
No value of a range lies outside its two ends, so that whoever checks a range need only look at these.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastneuron.arrays import checked_array
from fastneuron.components import checked_number, shown

MAX_POINTS = 2**31 - 1
SHOWN = 6  # numbers of an axis that are printed


@dataclass(frozen=True)
class Linspace:
    """An axis of `num` evenly spaced values from `start` to `stop`, both included.

    Parameters
    ----------
    start, stop : float, finite
        The ends, in either order; less apart than the largest float.
    num : int, 1 <= num < 2**31
        How many values.

    Raises
    ------
    ValueError
        If an argument is not as described.

    Examples
    --------
    >>> from fastneuron.axes import Linspace
    >>> axis = Linspace(-1, 1, 5)
    >>> len(axis), axis.values().tolist()
    (5, [-1.0, -0.5, 0.0, 0.5, 1.0])
    """

    start: float
    stop: float
    num: int

    def __post_init__(self) -> None:
        _check_range(self, "linspace")

    def __len__(self) -> int:
        return self.num

    def __repr__(self) -> str:
        return f"linspace({self.start}, {self.stop}, {self.num})"

    def values(self) -> np.ndarray:
        """The values, as `numpy.linspace` gives them.

        Returns
        -------
        float64 array, shape (num,)
            From `start` to `stop`; none is outside by rounding.
        """
        return _held(np.linspace, self)

    def to_spec(self) -> dict[str, Any]:
        """The axis as it stands in TOML.

        Returns
        -------
        dict
            Of ``"linspace"`` to the list of `start`, `stop` and `num`.
        """
        return {"linspace": [self.start, self.stop, self.num]}


@dataclass(frozen=True)
class Geomspace:
    """An axis of `num` values in geometric progression from `start` to `stop`, both included.

    Parameters
    ----------
    start, stop : float, finite, not 0
        The ends, of one sign, in either order; less apart than the largest float.
    num : int, 1 <= num < 2**31
        How many values.

    Raises
    ------
    ValueError
        If an argument is not as described.

    Examples
    --------
    >>> from fastneuron.axes import Geomspace
    >>> axis = Geomspace(1, 100, 3)
    >>> len(axis), axis.values().tolist()
    (3, [1.0, 10.0, 100.0])
    """

    start: float
    stop: float
    num: int

    def __post_init__(self) -> None:
        _check_range(self, "geomspace")
        if self.start == 0 or self.stop == 0 or (self.start < 0) != (self.stop < 0):
            raise ValueError(
                f"geomspace needs start and stop of one sign and not 0, got {self.start} and {self.stop}"
            )

    def __len__(self) -> int:
        return self.num

    def __repr__(self) -> str:
        return f"geomspace({self.start}, {self.stop}, {self.num})"

    def values(self) -> np.ndarray:
        """The values, as `numpy.geomspace` gives them.

        Returns
        -------
        float64 array, shape (num,)
            From `start` to `stop`; none is outside by rounding.
        """
        return _held(np.geomspace, self)

    def to_spec(self) -> dict[str, Any]:
        """The axis as it stands in TOML.

        Returns
        -------
        dict
            Of ``"geomspace"`` to the list of `start`, `stop` and `num`.
        """
        return {"geomspace": [self.start, self.stop, self.num]}


@dataclass(frozen=True)
class Values:
    """The numbers given, in their order: one or more, finite."""

    numbers: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "numbers", _checked_numbers(self.numbers, "values"))

    def __len__(self) -> int:
        return len(self.numbers)

    def __repr__(self) -> str:
        if len(self) <= SHOWN:
            return f"[{', '.join(map(str, self.numbers))}]"
        first = ", ".join(map(str, self.numbers[: SHOWN - 2]))
        return f"[{first}, ..., {self.numbers[-1]}] ({len(self):,} values)"

    def values(self) -> np.ndarray:
        """The values, float64, shape (len,)."""
        return np.array(self.numbers, np.float64)

    def to_spec(self) -> list[float]:
        """The axis as it stands in TOML."""
        return list(self.numbers)


Axis = Linspace | Geomspace | Values


def _check_range(axis: Linspace | Geomspace, kind: str) -> None:
    object.__setattr__(axis, "start", checked_number(f"{kind} start", axis.start))
    object.__setattr__(axis, "stop", checked_number(f"{kind} stop", axis.stop))
    whole = isinstance(axis.num, int | np.integer) and not isinstance(axis.num, bool)
    if not whole or not 1 <= axis.num <= MAX_POINTS:
        raise ValueError(f"{kind} num must be a whole number from 1 to {MAX_POINTS}, got {shown(axis.num)}")
    object.__setattr__(axis, "num", int(axis.num))
    if not math.isfinite(axis.stop - axis.start):
        raise ValueError(f"{kind} from {axis.start} to {axis.stop} is wider than a float can hold")


def _held(rule: Callable[..., np.ndarray], axis: Linspace | Geomspace) -> np.ndarray:
    """NumPy's values, held between the ends that rounding can leave by the last bits."""
    with np.errstate(all="ignore"):
        values = rule(axis.start, axis.stop, axis.num)
    held: np.ndarray = np.clip(values, min(axis.start, axis.stop), max(axis.start, axis.stop))
    return held


def linspace(start: float, stop: float, num: int) -> Linspace:
    """An axis of `num` evenly spaced values from `start` to `stop`, both included.

    Parameters
    ----------
    start, stop : float, finite
        The ends, in either order; less apart than the largest float.
    num : int, 1 <= num < 2**31
        How many values.

    Returns
    -------
    Linspace
        The description; ``values()`` gives the numbers.

    Raises
    ------
    ValueError
        If an argument is not as described.

    See Also
    --------
    geomspace : Values in geometric progression.

    Examples
    --------
    >>> import fastneuron as fn
    >>> fn.linspace(0, 1, 3).values().tolist()
    [0.0, 0.5, 1.0]
    """
    return Linspace(start, stop, num)


def geomspace(start: float, stop: float, num: int) -> Geomspace:
    """An axis of `num` values from `start` to `stop` in geometric progression, both included.

    Parameters
    ----------
    start, stop : float, finite, not 0
        The ends, of one sign, in either order; less apart than the largest float.
    num : int, 1 <= num < 2**31
        How many values.

    Returns
    -------
    Geomspace
        The description; ``values()`` gives the numbers.

    Raises
    ------
    ValueError
        If an argument is not as described.

    See Also
    --------
    linspace : Evenly spaced values.

    Examples
    --------
    >>> import fastneuron as fn
    >>> fn.geomspace(1, 100, 3).values().tolist()
    [1.0, 10.0, 100.0]
    """
    return Geomspace(start, stop, num)


def as_axis(given: object, where: str) -> Axis:
    """An axis from an axis, a 1-D sequence of numbers, or its TOML table.

    Raises
    ------
    ValueError
        Naming `where`, the value and what is allowed.
    """
    if isinstance(given, Linspace | Geomspace | Values):
        return given
    if isinstance(given, Mapping):
        return _from_table(given, where)
    return Values(_checked_numbers(given, where))


def _checked_numbers(given: object, where: str) -> tuple[float, ...]:
    wanted = "linspace(...), geomspace(...) or a 1-D list of numbers"
    array = checked_array(where, given, wanted)
    if array.ndim != 1:
        raise ValueError(f"{where} must be {wanted}, got {shown(given)}")
    if not len(array):
        raise ValueError(f"{where} must have at least one value, got none")
    return tuple(array.tolist())


def _from_table(table: Mapping[str, Any], where: str) -> Axis:
    kinds: dict[str, Callable[..., Axis]] = {"linspace": linspace, "geomspace": geomspace}
    if len(table) != 1 or not set(table) <= set(kinds):
        raise ValueError(
            f"{where} must be {{ linspace = [start, stop, num] }}, {{ geomspace = [start, stop, num] }} "
            f"or a list of numbers, got {shown(table)}"
        )
    kind, arguments = next(iter(table.items()))
    if not isinstance(arguments, list | tuple) or len(arguments) != 3:
        raise ValueError(f"{where}.{kind} must be [start, stop, num], got {shown(arguments)}")
    try:
        return kinds[kind](*arguments)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None

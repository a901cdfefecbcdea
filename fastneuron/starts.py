"""Random starts: distributions, and the counter-based generator that their numbers come from.

A number depends on the seed, the point of the grid and the use that is made of it alone, so that it is the
same however the grid is cut into tiles, and for a point computed alone.

The generator is Philox4x32-10 (Salmon et al. 2011): its key is the seed, its counter the point and the use.

References
----------
Salmon, Moraes, Dror and Shaw (2011), "Parallel random numbers: as easy as 1, 2, 3", SC '11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastneuron.components import Component, NonNegative, component, nearest, shown
from fastneuron.elementary import constant, fma, quantile

_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


def philox(counter: tuple[Any, Any, Any, Any], key: tuple[int, int]) -> tuple[np.ndarray, ...]:
    """Philox4x32-10: four words of 32 random bits for every counter.

    Parameters
    ----------
    counter : four words, ints or arrays of uint64 below 2^32 that broadcast together
    key : two words

    Examples
    --------
    >>> [f"{int(word):08x}" for word in philox((0, 0, 0, 0), (0, 0))]
    ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']
    """
    a, b, c, d = (np.asarray(word, np.uint64) for word in counter)
    first, second = key
    for _ in range(10):
        one, two = _MULTIPLIERS[0] * a, _MULTIPLIERS[1] * c
        a, b, c, d = (
            (two >> _HALF) ^ b ^ np.uint64(first),
            two & _LOW,
            (one >> _HALF) ^ d ^ np.uint64(second),
            one & _LOW,
        )
        first, second = (first + _WEYL[0]) & 0xFFFFFFFF, (second + _WEYL[1]) & 0xFFFFFFFF
    return a, b, c, d


def uniform_numbers(seed: int, points: np.ndarray, use: int) -> np.ndarray:
    """Random numbers strictly between 0 and 1, float64, one for each point (uint64)."""
    low, high = points & _LOW, points >> _HALF
    words = philox((low, high, use, 0), (seed & 0xFFFFFFFF, seed >> 32))
    bits = (words[0] << _HALF | words[1]) >> np.uint64(12)  # and a half, so that neither end is met
    numbers: np.ndarray = (bits.astype(np.float64) + 0.5) * 2.0**-52
    return numbers


class Distribution(Component):
    """Base of the distributions: ``value(self, u)`` takes uniform numbers between 0 and 1 to its own."""

    __slots__ = ()

    def value(self, u: Any) -> Any:
        """The number at which the distribution function is u.

        Parameters
        ----------
        u : float or float array, any shape
            Probabilities, between 0 and 1.

        Returns
        -------
        float or float array, shape of `u`
            Numbers of the distribution.
        """
        raise NotImplementedError

    def to_spec(self) -> dict[str, Any]:
        """The distribution as it stands in TOML.

        Returns
        -------
        dict
            Of its name in small letters to the list of its fields.
        """
        return {type(self).__name__.lower(): list(self)}  # type: ignore[call-overload]


@component
class Normal(Distribution):
    """Normal numbers of a mean and a standard deviation.

    Parameters
    ----------
    mean : float, finite
        Their mean.
    sd : float, 0 or more
        Their standard deviation.

    Raises
    ------
    ValueError
        If a value is not finite or `sd` is negative.

    Examples
    --------
    >>> from fastneuron.starts import Normal
    >>> float(Normal(mean=1.0, sd=2.0).value(0.5)), Normal(1.0, 2.0).to_spec()
    (1.0, {'normal': [1.0, 2.0]})
    """

    mean: float
    sd: NonNegative

    def value(self, u: Any) -> Any:
        return fma(self.sd, quantile(u), self.mean)


@component
class Uniform(Distribution):
    """Numbers evenly spread from `low` to `high`.

    Parameters
    ----------
    low, high : float, finite
        The ends; `uniform` sees to it that they are in order.

    Raises
    ------
    ValueError
        If a value is not finite.

    Examples
    --------
    >>> from fastneuron.starts import Uniform
    >>> Uniform(low=-1.0, high=3.0).value(0.25), Uniform(-1.0, 3.0).to_spec()
    (0.0, {'uniform': [-1.0, 3.0]})
    """

    low: float
    high: float

    def value(self, u: Any) -> Any:
        return self.low * (constant(u, 1.0) - u) + self.high * u


def normal(mean: float, sd: float) -> Normal:
    """A random start: normal with this mean and standard deviation.

    Parameters
    ----------
    mean : float, finite
        Mean of the starts.
    sd : float, 0 or more
        Their standard deviation; as an axis it is called ``start.sd``.

    Returns
    -------
    Normal
        The distribution, for `start` of a `Sweep`, of `descend` or of `activity`.

    Raises
    ------
    ValueError
        If a value is not finite or `sd` is negative.

    See Also
    --------
    uniform : Evenly spread starts.

    Examples
    --------
    >>> import fastneuron as fn
    >>> fn.normal(0, 2)
    Normal(mean=0.0, sd=2.0)
    """
    return Normal(mean, sd)


def uniform(low: float, high: float) -> Uniform:
    """A random start: uniform from `low` to `high`.

    Parameters
    ----------
    low, high : float, finite
        The ends, the lower first; where they are equal, so are the starts.

    Returns
    -------
    Uniform
        The distribution, for `start` of a `Sweep`, of `descend` or of `activity`.

    Raises
    ------
    ValueError
        If a value is not finite or `low` is above `high`.

    See Also
    --------
    normal : Starts around a mean.

    Examples
    --------
    >>> import fastneuron as fn
    >>> fn.uniform(-1, 1)
    Uniform(low=-1.0, high=1.0)
    """
    made = Uniform(low, high)
    if made.low > made.high:
        raise ValueError(f"uniform: low must be at most high, got {made.low} and {made.high}")
    return made


_RULES = {"normal": (normal, "[mean, sd]"), "uniform": (uniform, "[low, high]")}


def distribution_from_spec(spec: Mapping[str, Any], where: str) -> Distribution:
    """The distribution that a table such as ``{ normal = [0, 1] }`` describes.

    Raises
    ------
    ValueError
        Naming the key, the value and what is allowed.
    """
    if len(spec) != 1 or next(iter(spec)) not in _RULES:
        hint = nearest(str(next(iter(spec))), _RULES) if len(spec) == 1 else ""
        raise ValueError(
            f"{where} must be a number, {{ normal = [mean, sd] }} or {{ uniform = [low, high] }}"
            f"{hint}, got {shown(dict(spec))}"
        )
    ((name, numbers),) = spec.items()
    rule, wanted = _RULES[name]
    if not isinstance(numbers, list | tuple) or len(numbers) != 2:
        raise ValueError(f"{where}.{name} must be {wanted}, got {shown(numbers)}")
    try:
        return rule(*numbers)
    except ValueError as error:
        raise ValueError(f"{where}.{name}: {error}") from None

"""Arrays: whatever a user hands over as numbers, checked and read as a NumPy array of floats.

A masked entry, a missing one and NaN are refused by their place: none of them is a number to train on. So is
what NumPy would turn into a number without a word: True, the text "1", and the masked rows of a list.

Not here: which shapes an argument may have; whoever asks says that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeGuard

import numpy as np

from fastneuron.components import is_number, shown

DEEPEST = 32  # lists in lists that are looked into


class _Masked:
    """Stands for a masked entry among numbers."""

    def __repr__(self) -> str:
        return "a masked entry"


_MASKED = _Masked()


def checked_array(name: str, given: object, wanted: str = "numbers") -> np.ndarray:
    """The finite numbers in `given`, as an array of any number of dims, also none.

    Parameters
    ----------
    name : str
        What errors call it.
    given : array-like of finite numbers
        A number, lists in lists, or whatever NumPy reads as an array: of xarray, pandas, PyTorch, ...
    wanted : str
        What errors say that it must be where it holds no entries at all.

    Returns
    -------
    float32 or float64 array
        float32 where `given` is an array of that; everything else is float64. It may be `given` itself.

    Raises
    ------
    ValueError
        If `given` is ragged or no array, or naming the first entry that is no finite number in float64.

    Examples
    --------
    >>> checked_array("x", [[1, 2], [3, 4]])
    array([[1., 2.],
           [3., 4.]])
    >>> checked_array("x", np.ma.masked_equal([1, -999, 3], -999))
    Traceback (most recent call last):
        ...
    ValueError: x[1] must be a finite number, got a masked entry
    """
    kinds = _kinds(given)
    whole = _unmasked(given) if any(issubclass(kind, np.ma.MaskedArray) for kind in kinds) else given
    array = _as_array(name, whole, wanted)
    if array.dtype.kind not in "iuf" or any(issubclass(kind, bool | np.bool_) for kind in kinds):
        return _of_entries(name, _as_given(whole, array))
    real = np.float32 if array.dtype.kind == "f" and array.dtype.itemsize == 4 else np.float64
    with np.errstate(over="ignore"):  # a longdouble may be too large: refused below
        floats: np.ndarray = array.astype(real, copy=False)
    _check_finite(name, floats, array)
    return floats


def _is_list(given: object) -> TypeGuard[Sequence[object]]:
    return isinstance(given, Sequence) and not isinstance(given, str | bytes | bytearray | memoryview)


def _kinds(given: object, depth: int = 0) -> set[type]:
    """The types of the entries of nested lists, of an array in them that of its entries; none if no list."""
    if not _is_list(given) or depth == DEEPEST:
        return set()
    found = set(map(type, given))
    if not found <= {int, float}:
        for inner in given:
            kind = getattr(getattr(inner, "dtype", None), "type", None)
            found |= _kinds(inner, depth + 1) | ({kind} if isinstance(kind, type) else set())
    return found


def _unmasked(given: object) -> object:
    """Nested lists whose masked arrays are plain ones, with `_MASKED` where an entry is masked."""
    if isinstance(given, np.ma.MaskedArray):
        masked = np.ma.getmaskarray(given)
        if given.dtype.names is not None or not masked.any():
            return given.data
        entries = np.array(given.data, object)
        entries[masked] = _MASKED
        return entries if entries.ndim else _MASKED
    return [_unmasked(inner) for inner in given] if _is_list(given) else given


def _as_array(name: str, given: Any, wanted: str) -> np.ndarray:
    try:
        if hasattr(given, "__dask_graph__"):
            given = given.compute()  # Dask's own way to NumPy drops a mask
        array = np.asarray(_unmasked(np.asanyarray(given)))
    except Exception as error:  # whatever a foreign array type throws
        if isinstance(error, ValueError) and "inhomogeneous" in str(error):
            raise ValueError(f"{name} is ragged: its rows must have equal lengths") from None
        reason = " ".join(str(error).split())
        raise ValueError(f"{name} cannot be read as an array: {reason}") from None
    if array.ndim == 0 and not is_number(array[()]):
        dense = f"; give it as {name}.toarray()" if hasattr(given, "toarray") else ""
        raise ValueError(f"{name} must be {wanted}, got {shown(array[()])}{dense}")
    return array


def _as_given(given: object, array: np.ndarray) -> np.ndarray:
    """The entries as they are in `given`, not as NumPy has made them alike."""
    if not _is_list(given):
        return array
    try:
        objects = np.array(given, object)
    except ValueError:
        return array
    return objects if objects.shape == array.shape else array


def _of_entries(name: str, array: np.ndarray) -> np.ndarray:
    """Numbers that are held one by one, such as whole ones beyond 64 bits."""
    floats = np.empty(array.shape)
    for place in np.ndindex(array.shape):
        entry = array[place]
        if not is_number(entry):
            raise ValueError(f"{_placed(name, place)} must be a finite number, got {shown(entry)}")
        try:
            floats[place] = float(entry)
        except OverflowError:
            floats[place] = np.inf
    _check_finite(name, floats, array)
    return floats


def _check_finite(name: str, floats: np.ndarray, given: np.ndarray) -> None:
    finite = np.isfinite(floats)
    if not finite.all():
        place = tuple(int(i) for i in np.argwhere(~finite)[0])
        raise ValueError(f"{_placed(name, place)} must be a finite number, got {shown(given[place])}")


def _placed(name: str, place: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(map(str, place))}]" if place else name

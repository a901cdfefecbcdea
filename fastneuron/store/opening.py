"""A stored map, opened to be read: what can be known to be wrong with it is said before a value is used."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fastneuron.store import document, ledger, listing
from fastneuron.store.ledger import DamagedMap
from fastneuron.store.verify import condition_of
from fastneuron.store.zarr_map import LAYOUT, RUNS, check_arrays, data_names, group_of, store_like

if TYPE_CHECKING:
    import xarray


def open(store: Any, partial: bool = False, verify: bool = False) -> xarray.Dataset:
    """Open a stored map lazily: values are read when they are used.

    Parameters
    ----------
    store : path, URL or zarr store
        What ``Sweep.run(store=...)`` or ``fastneuron map`` wrote.
    partial : bool
        Open a half-written store, too; where it is not computed, ``outcome`` is -1.
    verify : bool
        Read all of it first, and compare it with the checksums that were noted when it was written. Without,
        what the map says of itself is compared so, and that no file of a tile that is done is missing or of
        another length; a file with flipped bits is an error when it is read.

    Returns
    -------
    xarray.Dataset
        As `Sweep.run` gives it; where it is not computed, variables are -1 or NaN.

    Raises
    ------
    ValueError
        If it is no stored map, or only half written.
    DamagedMap
        A ValueError too: if files of the map are missing or do not hold what was written.

    Warns
    -----
    UserWarning
        Of a map that an earlier version has written without a checksum of what it says of itself.

    See Also
    --------
    Sweep.run : Computes a map and stores it.

    Examples
    --------
    >>> import tempfile
    >>> import fastneuron as fn
    >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0),
    ...                  axes={"bias": [0, 10], "weight": [-20, 20]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     result = sweep.run(store=f"{folder}/map.zarr")
    ...     fn.open(f"{folder}/map.zarr").steps.values.tolist()
    [[3, 2000], [0, 2000]]
    """
    import xarray

    from fastneuron.store.undone import without_undone  # slow to import

    store = store_like(store)
    group = group_of(store)
    entries, _ = ledger.read(group)
    done, tiles = _counted(entries)
    if done < tiles and not partial:
        half = f"{store} is only half written: {done} of {tiles} tiles are done"
        raise ValueError(f"{half}; run the sweep again to finish it, or open it with partial=True")
    check_arrays(store, group)
    _check_tiles(store, listing.damaged_tiles(group, data_names(group), entries))
    if verify:
        found = condition_of(store)
        for name, reason in found.arrays.items():
            raise DamagedMap(f"{store} is damaged (array {name}: {reason}); {ledger.ADVICE}")
        _check_tiles(store, found.damaged)
    layout, arrays = group.attrs[LAYOUT], document.arrays_in(document.read(group))
    if document.SEAL not in group.attrs:
        what = "its titles, names and versions have no checksum"
        warnings.warn(f"{store} was written by an earlier version of fastneuron: {what}", stacklevel=2)
    try:
        result: xarray.Dataset = xarray.open_zarr(store, consolidated=bool(arrays), chunks=None)
        sound = all(
            ledger.checksum([result.coords[name].values]) == number
            for name, number in layout["coordinates"].items()
        )
        result = result[layout["variables"]]
    except ledger.UNREADABLE as error:
        raise DamagedMap(f"{store} is damaged ({_line(error)}); {ledger.ADVICE}") from error
    if not sound:
        raise DamagedMap(f"{store} is damaged (its coordinates are not those of the sweep); {ledger.ADVICE}")
    if done < tiles:
        result = without_undone(result, ledger.done_of(entries), layout["tile"])
        result.attrs.pop("seconds", None)
    for name in (LAYOUT, RUNS, document.SEAL):
        result.attrs.pop(name, None)
    return result


def _check_tiles(store: Any, reasons: Mapping[tuple[int, ...], str]) -> None:
    """Refuse a map with damaged tiles.

    Raises
    ------
    DamagedMap
        Naming the first.
    """
    if reasons:
        (tile, reason), more = next(iter(reasons.items())), len(reasons) - 1
        others = f", and {more} tile{'s' * (more > 1)} more" if more else ""
        place = ", ".join(map(str, tile))
        raise DamagedMap(f"{store} is damaged (tile ({place}): {reason}{others}); {ledger.ADVICE}")


def _counted(entries: np.ndarray) -> tuple[int, int]:
    """Number of tiles done and of all."""
    done = ledger.done_of(entries)
    return int(np.count_nonzero(done)), done.size


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())


def tiles_done(store: Any) -> tuple[int, int]:
    """Number of tiles written and of all tiles of a stored map.

    Parameters
    ----------
    store : path, URL or zarr store
        What ``Sweep.run(store=...)`` or ``fastneuron map`` wrote.

    Returns
    -------
    tuple of int
        Tiles that are done, 0 or more, and all, 1 or more.

    Raises
    ------
    ValueError
        If it is no stored map.

    Examples
    --------
    >>> import tempfile
    >>> import fastneuron as fn
    >>> from fastneuron.store import tiles_done
    >>> sweep = fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(30.0),
    ...                  axes={"bias": [0, 10], "weight": [-20, 20]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     result = sweep.run(store=f"{folder}/map.zarr")
    ...     tiles_done(f"{folder}/map.zarr")
    (1, 1)
    """
    return _counted(ledger.read(group_of(store_like(store)))[0])

"""Whether a stored map is that of a sweep; and if not, in what they differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from fastneuron import toml
from fastneuron.components import shown
from fastneuron.result import RESULTS_VERSION, code_apart

if TYPE_CHECKING:
    from fastneuron.sweep import Sweep

SHOWN = 3  # differences that are named


def differences(group: Any, sweep: Sweep, names: Iterable[str], tile: tuple[int, ...]) -> str:
    """In what a stored map differs from that of a sweep with these variables, in words; "" if in nothing."""
    from fastneuron.store.zarr_map import data_names, tile_of

    there, here = _flat(toml.loads(group.attrs["sweep"])), _flat(toml.loads(sweep.to_toml()))
    apart = [
        f"{key} is {_told(there, key)} there and {_told(here, key)} here"
        for key in sorted(there.keys() | here.keys())
        if there.get(key) != here.get(key)
    ]
    if len(apart) > SHOWN:
        apart[SHOWN:] = [f"and {len(apart) - SHOWN} more"]
    if not apart and group.attrs.get("sweep_sha256") != sweep.sha256:
        apart = ["its sweep has another fingerprint"]
    code = "" if apart else code_apart(group.attrs, sweep)
    if code:
        apart.append(f"{code} (restore it to resume, or use another store)")
    version = group.attrs.get("results_version")
    if version != RESULTS_VERSION:
        maker = group.attrs.get("fastneuron_version")
        apart.append(f"it was made by fastneuron {maker}, whose results may differ")
    stored, wanted = data_names(group), sorted(names)
    if stored != wanted:
        apart.append(f"it holds {', '.join(stored)} and not {', '.join(wanted)} (keep)")
    elif tile_of(group) != tile:
        sides = [" x ".join(map(str, shape)) for shape in (tile_of(group), tile)]
        apart.append(f"its tiles are {sides[0]}, not {sides[1]}")
    return "; ".join(apart)


def code_at_hand(store: Any) -> str:
    """In what the components here are not those that made a stored map, in words; "" if in nothing.

    Or where they are not known here.
    """
    from fastneuron.store.zarr_map import group_of, store_like
    from fastneuron.sweep import Sweep

    group = group_of(store_like(store))
    try:
        return code_apart(group.attrs, Sweep.from_toml(group.attrs["sweep"]))
    except ValueError:
        return ""


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The entries of nested tables by their dotted names."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        found |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found


def _told(entries: Mapping[str, Any], key: str) -> str:
    return shown(entries[key], 60) if key in entries else "not given"

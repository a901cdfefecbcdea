"""Stored maps: a Zarr v3 store that is written tile by tile, resumed, and read back lazily."""

from fastneuron.store.opening import open, tiles_done
from fastneuron.store.zarr_map import MapStore

__all__ = ["MapStore", "open", "tiles_done"]

"""Stored maps: a Zarr v3 store that is written tile by tile, gone on with, and read back lazily."""

from fastneuron.store.zarr_map import MapStore, open, tiles_done

__all__ = ["MapStore", "open", "tiles_done"]

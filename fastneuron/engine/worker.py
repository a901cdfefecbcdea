"""What a worker of a cluster does: it computes tiles of a sweep and writes them into the store itself.

A sweep reaches a worker once, as a plugin of dask.distributed, which workers that join later are given too.
It keeps a crew of one thread for every thread of the worker. When the run is over, however it ended, the
plugin is taken off again and gives up what it is computing.
"""

from __future__ import annotations

import asyncio
import importlib
import threading
import time
import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from distributed import Reschedule, WorkerPlugin, get_worker

from fastneuron import __version__
from fastneuron.engine.crew import Crew, Place
from fastneuron.fingerprint import class_loaded, code_table
from fastneuron.result import CODE, RESULTS_VERSION, code_apart, kept_variables
from fastneuron.store.zarr_map import writer_into

if TYPE_CHECKING:
    from distributed import Worker

    from fastneuron.store.tile_writer import TileWriter
    from fastneuron.sweep import Sweep

OTHER_CODE = "the code of a component of yours is not the same here as where the run was begun"
NEW_WORKERS = "start the workers anew, with the module as it is now"
LONGEST_GOODBYE = 1.0  # seconds within which tiles are given up


class ClusterError(OSError):
    """A run on a cluster that ended early; running it again resumes its store."""


class SweepPlugin(WorkerPlugin):
    """A sweep on a worker.

    Parameters
    ----------
    sweep : Sweep
    names : names of the variables that the store holds
    store : path, URL or zarr store
        That of a map of this sweep.
    tile_shape : tuple of int
    """

    def __init__(self, sweep: Sweep, names: Iterable[str], store: Any, tile_shape: tuple[int, ...]) -> None:
        self.name = f"tile-{uuid.uuid4().hex}"  # another one for each run
        self._sweep, self._names = sweep, set(names)
        self._store, self._tile_shape = store, tile_shape
        self._code = sweep.component_code  # that of the client, wherever it is read

    def setup(self, worker: Worker) -> None:
        import zarr

        # zarr, which writes to stores that are no folder, would add threads of its own to the worker's
        self._settings = zarr.config.set({"async.concurrency": 1, "threading.max_workers": 1})
        self._lock = threading.Lock()
        self._writer: TileWriter | None = None
        self._idle: list[Crew] = []
        self._busy: set[Crew] = set()
        self._over = False

    async def teardown(self, worker: Worker) -> None:
        self._over = True
        for crew in list(self._busy):
            crew.cancel()
        until = time.monotonic() + LONGEST_GOODBYE
        while self._busy and time.monotonic() < until:
            await asyncio.sleep(0.01)
        self._settings.__exit__(None, None, None)

    def compute(self, place: Place) -> None:
        """Compute a tile and write it.

        Raises
        ------
        ValueError
            If the code of its components is not that of the client, the store is not that of the sweep, or a
            component cannot be compiled.
        OSError
            If the store cannot be written.
        MemoryError
            If the working memory does not fit.
        """
        with self._lock:
            if self._writer is None:
                if code_apart({CODE: self._code}, self._sweep):
                    raise ValueError(f"{OTHER_CODE}; {NEW_WORKERS}")
                variables = kept_variables(self._sweep, self._names)
                self._writer = writer_into(self._store, self._sweep, variables, self._tile_shape)
            crew = self._idle.pop() if self._idle else Crew(self._sweep, self._names, 1)
            self._busy.add(crew)
        try:
            if not self._over:
                crew.run(iter([place]), self._writer.write, lambda done, total: None)
        finally:
            self._busy.remove(crew)
        if self._over:
            raise Reschedule  # the worker is leaving, or nobody waits for the tile any more
        self._idle.append(crew)


def compute(name: str, place: Place) -> None:
    """The task of a tile, for the plugin of that name.

    Raises
    ------
    ClusterError
        If it cannot be computed or written, naming the worker.
    """
    worker: Any = get_worker()
    plugin = worker.plugins.get(name)
    if plugin is None:
        raise Reschedule  # the worker is leaving
    try:
        plugin.compute(place)
    except Reschedule:
        raise
    except Exception as error:
        kind = "" if isinstance(error, ValueError | OSError | MemoryError) else f"{type(error).__name__}: "
        raise ClusterError(f"{kind}{error} (worker {worker.address})") from None


def versions(components: Iterable[str] = ()) -> tuple[str, int, str]:
    """The version of fastneuron, that of its results, and the code of components, ``module:Class``.

    Raises
    ------
    ImportError
        If there is no such module or class.
    """
    classes = []
    for name in components:
        importlib.import_module(name.partition(":")[0])
        classes.append(class_loaded(name))
        if classes[-1] is None:
            raise ImportError(f"there is no {name}")
    return __version__, RESULTS_VERSION, code_table(classes)

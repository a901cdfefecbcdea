"""A sweep on a cluster of dask.distributed: this process sends out tiles, workers compute and write them.

The store is made, locked and opened here; the places of tiles go out, and only whether they are done comes
back. A tile is computed on one thread; one whose worker was lost is computed again, to the same bits. What is
done in the end is for the ledger of the store to say.

Not here: what a worker does (`fastneuron.engine.worker`).
"""

from __future__ import annotations

import itertools
import math
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distributed import CancelledError, Client, Future, KilledWorker, as_completed
from distributed.comm.addressing import resolve_address
from distributed.comm.core import CommClosedError
from distributed.core import RPCClosed

from fastneuron.components import shown
from fastneuron.engine.crew import Place
from fastneuron.engine.local import threads_that_fit
from fastneuron.engine.progress import Report, reporting
from fastneuron.engine.tiles import points_in, tile_shape
from fastneuron.engine.worker import NEW_WORKERS, ClusterError, SweepPlugin, compute, versions
from fastneuron.result import CODE, code_in, kept_variables
from fastneuron.store import MapStore, tiles_done
from fastneuron.store import open as open_map
from fastneuron.store.zarr_map import store_like

if TYPE_CHECKING:
    import xarray

    from fastneuron.sweep import Sweep

PATIENCE = 5  # seconds until an address does not answer
IN_FLIGHT = 3  # tiles for each thread of the workers: the next is there when one is done
FEWEST_IN_FLIGHT = 8  # so that a cluster that grows by need sees one
RETRIES = 2  # of a tile that fails: a store on a network does so now and then
IMPORTABLE = "a component of your own must be in a module that the workers can import"
LOOK_AGAIN = 2.0  # seconds after which the workers are counted anew


def run(
    sweep: Sweep,
    cluster: Client | str,
    store: Any = None,
    keep: Iterable[str] | None = None,
    progress: bool | Report | None = None,
) -> xarray.Dataset:
    """Run a sweep on a cluster; see `fastneuron.Sweep.run`."""
    variables = kept_variables(sweep, keep)
    place = _reachable(store)
    threads_that_fit(sweep, variables, 1, None, stored=True)
    tile = tile_shape(sweep.shape, sweep.model.size)
    with reporting(progress, sweep.points) as report, _connected(cluster) as client:
        with _reaching(client):
            _check_workers(client, sweep)
        with closing(MapStore(place, sweep, variables, tile)) as held:
            places = list(held.places_left())
            left = sum(map(points_in, places))
            report(sweep.points - left, sweep.points)
            if places:
                held.begin()
                try:
                    with _sent(client, SweepPlugin(sweep, variables, place, tile)) as name:
                        _compute(client, name, places, report, sweep.points - left, sweep.points)
                except ClusterError as error:
                    raise ClusterError(f"{error}; run it again to resume {place}") from error
                finally:
                    held.end()
    done, tiles = tiles_done(place)
    if done < tiles:
        reason = f"{tiles - done} of {tiles} tiles that the workers wrote are not in {place}"
        raise ClusterError(f"{reason}; if they reach the same folder as this process, run again")
    return open_map(place)


def _reachable(store: Any) -> Any:
    """The store as workers are told of it: with a path that does not depend on the current folder."""
    from zarr.abc.store import Store
    from zarr.storage import MemoryStore, ZipStore

    if store is None:
        raise ValueError("cluster needs a store that the workers reach; give store=, a path or URL")
    place = store_like(store)
    if isinstance(place, Path):
        return place.absolute()
    if isinstance(place, MemoryStore | ZipStore) or not isinstance(place, str | Store):
        raise ValueError(f"store must be a path or URL that the workers reach, got {shown(store)}")
    return place


@contextmanager
def _connected(cluster: object) -> Iterator[Client]:
    """A client of the cluster; one that was made here is closed."""
    if isinstance(cluster, Client):
        if cluster.asynchronous:
            raise ValueError("cluster must be a client that is not asynchronous")
        yield cluster
        return
    if not isinstance(cluster, str):
        wanted = "a distributed.Client or an address such as 'tcp://host:8786'"
        raise ValueError(f"cluster must be {wanted}, got {shown(cluster)}")
    try:
        resolve_address(cluster)  # with an address that is none, a client would hang
        client = Client(cluster, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ConnectionError(f"no scheduler of dask.distributed answers at {cluster}") from error
    with client:
        yield client


@contextmanager
def _reaching(client: Client) -> Iterator[None]:
    """Within, whatever fails for want of the scheduler is a `ClusterError` of one line."""
    try:
        yield
    except ClusterError:
        raise
    except Exception as error:
        # a client that has given up fails in ways of its own; a plain OSError is a connection refused
        gone = CommClosedError | RPCClosed | CancelledError | TimeoutError
        if client.status != "running" or isinstance(error, gone) or type(error) is OSError:
            raise ClusterError("the connection to the scheduler was lost") from error
        raise


def _check_workers(client: Client, sweep: Sweep) -> None:
    """Refuse workers whose results may differ from what this process would compute."""
    code = code_in({CODE: sweep.component_code})
    components = sorted(code.keys() - {"python"})
    version, results, _ = versions()
    answers = client.run(versions, components, on_error="return")
    if not answers:
        warnings.warn("the cluster has no workers yet; the run waits for them", stacklevel=4)
    for worker, found in answers.items():
        if isinstance(found, BaseException):
            advice = f"; {IMPORTABLE}" if components and isinstance(found, ImportError) else ""
            raise ValueError(f"worker {worker} cannot run fastneuron: {_line(found)}{advice}")
        if found[1] != results:
            kind = f"fastneuron {found[0]} with results version {found[1]}"
            raise ValueError(f"worker {worker} has {kind}, here it is {version} with {results}")
        there = code_in({CODE: found[2]})
        if there.get("python") != code.get("python"):
            both = f"Python {there.get('python')}, here it is {code.get('python')}"
            raise ValueError(f"worker {worker} has {both}, so that the code of components cannot be compared")
        apart = [name for name in components if there.get(name) != code[name]]
        if apart:
            raise ValueError(f"worker {worker} has other code of {', '.join(apart)}; {NEW_WORKERS}")


@contextmanager
def _sent(client: Client, plugin: SweepPlugin) -> Iterator[str]:
    """Have all workers, also those to come, hold the sweep; the name of the plugin."""
    try:
        try:
            with _reaching(client):
                client.register_plugin(plugin)
        except ClusterError:
            raise
        except Exception as error:
            raise ClusterError(f"the workers cannot load the sweep: {_line(error)}; {IMPORTABLE}") from error
        yield plugin.name
    finally:
        # also one that a worker could not load, or no worker could start any more
        if client.status == "running":
            with suppress(OSError, KeyError):
                client.unregister_worker_plugin(plugin.name)


def _compute(client: Client, name: str, places: list[Place], report: Report, done: int, total: int) -> None:
    """Have the workers compute all places, a few at a time; `done` of `total` points are done already.

    Raises
    ------
    ClusterError
        If a tile fails, or the scheduler is lost.
    """
    ahead = iter(places)
    sent: dict[Future[None], Place] = {}
    completed = as_completed(loop=client.loop)
    room, counted = 0, -math.inf
    try:
        while True:
            with _reaching(client):
                if time.monotonic() - counted > LOOK_AGAIN:
                    room, counted = _room(client), time.monotonic()
                for place in itertools.islice(ahead, max(0, room - len(sent))):
                    key = (name, *(side.start for side in place))
                    future = client.submit(compute, name, place, key=key, retries=RETRIES, pure=False)
                    sent[future] = place
                    completed.add(future)
                if not sent:
                    return
                future = next(completed)
                if future.status == "cancelled":
                    raise CancelledError
                if future.status == "error":
                    raise ClusterError(_reason(future.exception()))
            done += points_in(sent.pop(future))
            report(done, total)
    finally:
        if sent and client.status == "running":
            with suppress(OSError):
                client.cancel(list(sent))


def _room(client: Client) -> int:
    """How many tiles may be in flight."""
    threads: dict[str, int] = client.nthreads()
    return max(FEWEST_IN_FLIGHT, IN_FLIGHT * sum(threads.values()))


def _reason(error: BaseException) -> str:
    """Why a tile failed, in one line."""
    if isinstance(error, KilledWorker):
        return f"a tile ended {error.allowed_failures + 1} workers, the last {error.last_worker.address}"
    return _line(error)


def _line(error: BaseException | None) -> str:
    kind = "" if isinstance(error, ClusterError) else f"{type(error).__name__}: "
    return " ".join(f"{kind}{error}".split())

"""What computes a map: threads of this process, processes on this machine, or a cluster."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastneuron.cli.flags import check_whole

MOST_WORKERS = 1024


def check(
    threads: int | None, workers: int | None, cluster: str | None, memory: int | None, dry_run: bool
) -> None:
    """Refuse more than one of them, and a bound of memory but for threads.

    Raises
    ------
    ValueError
        Naming the options; or if there are no threads or workers.
    """
    given = {"--threads": threads, "--workers": workers, "--cluster": cluster}
    named = [name for name, value in given.items() if value is not None]
    if len(named) > 1:
        raise ValueError(f"{' and '.join(named)} exclude each other; give one of them")
    if memory is not None and "--threads" not in named and named:
        raise ValueError(f"--memory bounds this process alone, not what {named[0]} starts; give one of them")
    if dry_run and cluster is not None:
        raise ValueError("--dry-run measures this machine, not --cluster; give one of them")
    check_whole("--threads", threads, 1)
    check_whole("--workers", workers, 1, MOST_WORKERS)


@contextmanager
def chosen(threads: int | None, workers: int | None, cluster: str | None) -> Iterator[dict[str, Any]]:
    """The arguments of `Sweep.run` for what is given; workers started here are stopped."""
    if workers is None and cluster is None:
        yield {"threads": threads}
        return
    try:
        from distributed import Client, LocalCluster
    except ModuleNotFoundError as error:
        option = "--cluster" if workers is None else "--workers"
        raise ValueError(f"{option} needs dask.distributed: pip install 'fastneuron[cluster]'") from error
    if workers is None:
        # a scheduler that is lost is told of in one line, not also in a traceback
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
        yield {"cluster": cluster}
        return
    with (
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            memory_limit=None,
            dashboard_address="127.0.0.1:0",  # None takes a port that may be in use, and warns
            scheduler_kwargs={"dashboard": False},
            silence_logs=logging.CRITICAL,
            preload=[__name__],
        ) as local,
        Client(local, set_as_default=False) as client,
    ):
        yield {"cluster": client}


def dask_setup(worker: Any) -> None:
    """Have a process that dask starts leave Ctrl-C to this one: a terminal sends it to both."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

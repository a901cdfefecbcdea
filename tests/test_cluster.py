"""Sweeps on a cluster: the same bits as here, whatever becomes of workers; errors in one line."""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import dask
import distributed
import numpy as np
import pytest
import zarr
from distributed.utils import get_mp_context

import fastneuron as fn
from fastneuron.cli.main import main
from fastneuron.engine import tiles
from fastneuron.engine.worker import ClusterError, SweepPlugin
from fastneuron.store import MapStore, tiles_done


@pytest.fixture(autouse=True)
def many_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "FEWEST_POINTS", 64)
    monkeypatch.setattr(tiles, "MOST_POINTS", 64)


@pytest.fixture(autouse=True, scope="module")
def forks() -> Iterator[None]:
    """Workers of `local_cluster` are forked from a process that has their modules loaded."""
    with (
        dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}),
        pytest.MonkeyPatch.context() as within,
    ):
        within.syspath_prepend(Path(__file__).parent)
        get_mp_context().set_forkserver_preload(["fastneuron.engine.worker", "warm"])
        forkserver.ensure_running()
        yield


@pytest.fixture(scope="module")
def client() -> Any:
    sweep(1).run(progress=False)  # so that the workers find its kernels compiled
    with local_cluster(n_workers=2) as cluster, distributed.Client(cluster) as own:
        yield own


def local_cluster(n_workers: int, **options: Any) -> Any:
    return distributed.LocalCluster(
        n_workers=n_workers,
        threads_per_worker=1,
        processes=True,
        dashboard_address="127.0.0.1:0",
        scheduler_kwargs={"dashboard": False},
        silence_logs=logging.CRITICAL,
        **options,
    )


def sweep(steps: int = 300, **changes: Any) -> fn.Sweep:
    given = {
        "task": fn.tasks.inverter(),
        "optimizer": fn.GradientDescent(30.0),
        "axes": {"bias": np.linspace(-9, 9, 23), "weight": np.linspace(-9, 9, 20)},
        "stop": fn.Stop(max_steps=steps),
    }
    return fn.Sweep(**given | changes)


def long_sweep() -> fn.Sweep:
    """Every start takes all steps, so that a tile takes about a tenth of a second."""
    return sweep(stop=fn.Stop(max_steps=80_000, tolerance=0.0), optimizer=fn.GradientDescent(0.01))


@pytest.fixture(scope="module")
def long_result() -> Any:
    return long_sweep().run(progress=False)


def assert_same(result: Any, other: Any) -> None:
    assert set(result.data_vars) == set(other.data_vars)
    for name in other.data_vars:
        assert result[name].values.tobytes() == other[name].values.tobytes(), name


def refusal(error: pytest.ExceptionInfo[BaseException]) -> str:
    text = str(error.value)
    assert text and "\n" not in text
    return text


def no_plugins_left(client: Any) -> bool:
    names = client.run(lambda dask_worker: list(dask_worker.plugins))
    return not any(name.startswith("tile-") for found in names.values() for name in found)


def test_results_are_those_of_threads_and_progress_reaches_the_end(client: Any, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    result = sweep().run(
        store=tmp_path / "map.zarr", cluster=client, progress=lambda done, total: seen.append((done, total))
    )
    assert_same(result, sweep().run(progress=False))
    assert seen[0] == (0, 460) and seen[-1] == (460, 460) and seen == sorted(seen) and len(seen) == 10
    assert result.attrs["seconds"] > 0 and no_plugins_left(client)


def test_random_networks_by_the_address_of_the_scheduler(
    client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = fn.Sweep(
        task=fn.tasks.gate("xor"),
        model=fn.Network((2, 4, 1)),
        optimizer=fn.GradientDescent(10.0),
        batch=fn.MiniBatch(1),
        draws=300,
        stop=fn.Stop(max_steps=50, tolerance=0.1),
    )
    monkeypatch.chdir(tmp_path)  # a relative path, which is another folder for the workers
    keep = ["outcome", "final"]
    address = client.scheduler.address
    here = networks.run(keep=keep, progress=False)
    assert_same(networks.run(store="map.zarr", keep=keep, cluster=address, progress=False), here)


def test_store_may_be_one_of_zarr_s_own(client: Any, tmp_path: Path) -> None:
    store = zarr.storage.LocalStore(tmp_path / "map.zarr")
    assert_same(sweep().run(store=store, cluster=client, progress=False), sweep().run(progress=False))


def test_half_written_map_is_gone_on_with(client: Any, tmp_path: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    path = tmp_path / "map.zarr"
    with pytest.raises(KeyboardInterrupt):
        sweep().run(store=path, threads=1, progress=interrupt)
    before = {file: file.stat().st_mtime_ns for file in (path / "outcome" / "c").rglob("*") if file.is_file()}
    assert 0 < len(before) < 9
    assert_same(sweep().run(store=path, cluster=client, progress=False), sweep().run(progress=False))
    assert {file: file.stat().st_mtime_ns for file in before} == before
    whole = sweep().run(store=path, cluster=client, progress=False)
    assert whole.attrs["sweep_sha256"] == sweep().sha256


def test_map_that_was_interrupted_on_a_cluster_is_gone_on_with(client: Any, tmp_path: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    path = tmp_path / "map.zarr"
    with pytest.raises(KeyboardInterrupt):
        sweep().run(store=path, cluster=client, progress=interrupt)
    assert no_plugins_left(client)
    done, count = tiles_done(path)
    assert 0 < done <= count == 9
    assert_same(sweep().run(store=path, progress=False), sweep().run(progress=False))


def test_ctrl_c_gives_up_tiles_that_take_long(client: Any, tmp_path: Path) -> None:
    endless = sweep(stop=fn.Stop(max_steps=2**31 - 1, tolerance=0.0), optimizer=fn.GradientDescent(1e-9))

    def until_each_computes(tiles: int) -> None:
        deadline = time.monotonic() + 30
        while set(client.run(lambda dask_worker: dask_worker.state.executing_count).values()) != {tiles}:
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def interrupt() -> None:
        try:
            until_each_computes(1)
        finally:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    interrupting = threading.Thread(target=interrupt)
    try:
        interrupting.start()
        with pytest.raises(KeyboardInterrupt):
            endless.run(store=tmp_path / "map.zarr", cluster=client, progress=False)
    finally:
        interrupting.join()
        signal.signal(signal.SIGINT, before)
    assert tiles_done(tmp_path / "map.zarr") == (0, 9)
    until_each_computes(0)  # a worker ends its chunk of steps first
    assert no_plugins_left(client)


def test_a_worker_that_is_killed_costs_no_more_than_time(
    client: Any, tmp_path: Path, long_result: Any
) -> None:
    killed: list[int] = []

    def kill(done: int, total: int) -> None:
        if done and not killed:
            killed.append(next(iter(client.run(os.getpid).values())))
            os.kill(killed[0], signal.SIGKILL)

    result = long_sweep().run(store=tmp_path / "map.zarr", cluster=client, progress=kill)
    assert killed
    assert_same(result, long_result)
    client.wait_for_workers(2, timeout=60)


def test_workers_may_come_after_the_run_has_begun_and_one_that_leaves_hands_its_tile_back(
    tmp_path: Path, long_result: Any
) -> None:
    left: list[str] = []

    def scale(done: int, total: int) -> None:
        if not done:
            cluster.scale(2)
        elif not left:
            client.wait_for_workers(2, timeout=60)
            left.append(next(iter(client.nthreads())))
            client.retire_workers(left)

    with local_cluster(n_workers=0) as cluster, distributed.Client(cluster) as client:
        with pytest.warns(UserWarning, match="the cluster has no workers yet; the run waits for them"):
            result = long_sweep().run(store=tmp_path / "map.zarr", cluster=client, progress=scale)
        assert left and left[0] not in client.nthreads()
    assert_same(result, long_result)


def test_a_tile_that_ends_every_worker_ends_the_run(tmp_path: Path) -> None:
    (tmp_path / "deadly.py").write_text(
        "import os\nfrom fastneuron.engine.crew import Crew\n"
        "Crew.run = lambda self, *arguments: os._exit(1)\n"
    )
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        # two, so that it needs none to come again, which on a busy machine may fail
        local_cluster(n_workers=2, preload=[str(tmp_path / "deadly.py")]) as cluster,
        distributed.Client(cluster) as client,
        pytest.raises(ClusterError) as error,
    ):
        sweep().run(store=tmp_path / "map.zarr", cluster=client, progress=False)
    assert refusal(error).startswith("a tile ended 2 workers, the last tcp://")


def test_a_tile_that_cannot_be_written_ends_the_run_in_one_line(client: Any, tmp_path: Path) -> None:
    path = tmp_path / "map.zarr"
    calls: list[int] = []

    def block(done: int, total: int) -> None:
        if not calls:
            calls.append(done)
            (path / "steps" / "c").mkdir()
            (path / "steps" / "c" / "1").write_text("a file where a folder should be")

    with pytest.raises(ClusterError) as error:
        sweep().run(store=path, cluster=client, progress=block)
    text = refusal(error)
    assert "cannot be written" in text and "(worker tcp://" in text
    assert text.endswith(f"run it again to resume {path}") and no_plugins_left(client)
    (path / "steps" / "c" / "1").unlink()
    assert_same(sweep().run(store=path, cluster=client, progress=False), sweep().run(progress=False))


def test_a_worker_with_other_results_is_refused(client: Any, tmp_path: Path) -> None:
    def set_version(version: int) -> int:
        from fastneuron.engine import worker

        before, worker.RESULTS_VERSION = worker.RESULTS_VERSION, version
        return before

    other = next(iter(client.nthreads()))
    before = client.run(set_version, 10**6, workers=[other])[other]
    try:
        with pytest.raises(ValueError) as error:
            sweep().run(store=tmp_path / "map.zarr", cluster=client, progress=False)
    finally:
        client.run(set_version, before, workers=[other])
    assert f"worker {other} has fastneuron" in refusal(error) and "results version 1000000" in refusal(error)
    assert not (tmp_path / "map.zarr").exists()


OWN = """
import fastneuron as fn

K = 1.0


@fn.component
class Own(fn.Activation):
    def value(self, z):
        return fn.constant(z, K) * z

    def slope(self, z, a):
        return fn.constant(z, K)
"""


def test_a_worker_that_lacks_a_component_or_has_other_code_of_it_computes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_on_workers.py").write_text(OWN)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # Python's own cache goes by the second
    store = tmp_path / "map.zarr"

    def own() -> fn.Sweep:
        return sweep(20, model=fn.Neuron(activation=sys.modules["own_on_workers"].Own()))

    def find(folder: str) -> None:
        sys.path.insert(0, folder)
        sys.dont_write_bytecode = True

    try:
        with local_cluster(n_workers=1) as cluster, distributed.Client(cluster) as client:
            monkeypatch.syspath_prepend(tmp_path)  # not before: the worker would have it, too
            importlib.import_module("own_on_workers")
            with pytest.raises(ValueError) as error:
                own().run(store=store, cluster=client, progress=False)
            assert "No module named 'own_on_workers'; a component of your own must be in a module" in refusal(
                error
            )
            assert "can import" in refusal(error)

            # a worker that starts is not given the sweep any more
            first = list(client.nthreads())
            cluster.scale(2)
            client.wait_for_workers(2, timeout=60)
            client.retire_workers(first)
            client.run(find, str(tmp_path))
            here = own().run(progress=False)
            assert_same(own().run(store=store, cluster=client, progress=False), here)
            assert not set(first) & set(client.nthreads())

            (tmp_path / "own_on_workers.py").write_text(OWN.replace("K = 1.0", "K = 0.5"))
            importlib.reload(sys.modules["own_on_workers"])
            with pytest.raises(ValueError) as error:
                own().run(store=tmp_path / "new.zarr", cluster=client, progress=False)
            assert "has other code of own_on_workers:Own; start the workers anew" in refusal(error)
            assert not (tmp_path / "new.zarr").exists()

            # a worker that comes later than that look at them
            monkeypatch.setattr("fastneuron.engine.cluster._check_workers", lambda client, sweep: None)
            with pytest.raises(ClusterError) as late:
                own().run(store=tmp_path / "new.zarr", cluster=client, progress=False)
            assert "the code of a component of yours is not the same here" in refusal(late)
            assert tiles_done(tmp_path / "new.zarr")[0] == 0
    finally:
        sys.modules.pop("own_on_workers", None)


def test_a_plugin_refuses_a_store_that_its_worker_does_not_reach(tmp_path: Path) -> None:
    plugin = SweepPlugin(sweep(), {"outcome"}, tmp_path / "nowhere.zarr", (8, 8))
    worker: Any = None
    plugin.setup(worker)
    try:
        with pytest.raises(ValueError, match="nowhere.zarr does not exist$"):
            plugin.compute((slice(0, 8), slice(0, 8)))
    finally:
        asyncio.run(plugin.teardown(worker))


def test_tiles_that_are_in_no_ledger_are_missed(
    client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = MapStore.places_left
    monkeypatch.setattr(MapStore, "places_left", lambda *args: list(places(*args))[1:])
    with pytest.raises(ClusterError, match="^1 of 9 tiles that the workers wrote are not in .*map.zarr; "):
        sweep().run(store=tmp_path / "map.zarr", cluster=client, progress=False)


def test_an_address_where_nobody_listens_is_one_line(tmp_path: Path) -> None:
    for address in ("tcp://127.0.0.1:9", "nonsense"):
        with pytest.raises(OSError) as error:
            sweep().run(store=tmp_path / "map.zarr", cluster=address, progress=False)
        assert refusal(error).endswith(f"answers at {address}")
    assert not (tmp_path / "map.zarr").exists()


@pytest.mark.parametrize(
    "given, message",
    [
        ({}, "cluster needs a store that the workers reach"),
        ({"store": zarr.storage.MemoryStore()}, "store must be a path or URL that the workers reach, got"),
        ({"store": {}}, "store must be a path or URL that the workers reach, got"),
        ({"store": "map.zarr", "threads": 2}, "threads cannot be given with cluster"),
        ({"store": "map.zarr", "cluster": 8786}, "cluster must be a distributed.Client or an address"),
    ],
)
def test_what_does_not_go_together_is_refused(
    given: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=f"^{message}") as error:
        sweep().run(**{"cluster": "tcp://127.0.0.1:9", "progress": False} | given)
    refusal(error)
    assert not list(tmp_path.iterdir())


CLUSTER = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    given = {"threads_per_worker": 1, "dashboard_address": None, "silence_logs": 50}
    cluster = LocalCluster(n_workers=int(sys.argv[1]), **given)
    print(cluster.scheduler_address, flush=True)
    sys.stdin.read()
"""


def test_a_scheduler_that_is_lost_ends_the_run_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "cluster.py").write_text(CLUSTER)
    command = [sys.executable, str(tmp_path / "cluster.py"), "1"]
    pipes: dict[str, Any] = {
        "stdin": subprocess.PIPE,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.DEVNULL,
    }
    with subprocess.Popen(command, text=True, **pipes) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()

        def kill(done: int, total: int) -> None:
            if done:
                process.kill()

        with pytest.raises(ClusterError) as error:
            long_sweep().run(store=tmp_path / "map.zarr", cluster=address, progress=kill)
    text = refusal(error)
    assert text == f"the connection to the scheduler was lost; run it again to resume {tmp_path / 'map.zarr'}"
    assert 0 < tiles_done(tmp_path / "map.zarr")[0] < 9


def test_a_scheduler_that_dies_while_its_workers_are_counted_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "cluster.py").write_text(CLUSTER)
    command = [sys.executable, str(tmp_path / "cluster.py"), "0"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, stderr=subprocess.DEVNULL, **pipes) as process:
        assert process.stdout is not None
        client = distributed.Client(process.stdout.readline().strip(), timeout=1, set_as_default=False)
        process.kill()
    for _ in ("while the client tries to connect again", "when it has given up"):
        with pytest.raises(ClusterError) as error:
            sweep().run(store=tmp_path / "map.zarr", cluster=client, progress=False)
        assert refusal(error) == "the connection to the scheduler was lost"
        client.close()
    assert not (tmp_path / "map.zarr").exists()


# the command line


def test_map_with_workers_is_that_of_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["map", "--points", "12", "--set", "stop.max_steps=200"]
    assert main([*words, "--workers", "1"]) == 0
    assert main([*words, "--threads", "1", "--name", "threads"]) == 0
    assert capfd.readouterr().err == ""
    with fn.open("inverter.zarr") as one, fn.open("threads.zarr") as other:
        assert_same(one, other)


@pytest.mark.parametrize(
    "words, message",
    [
        (["--workers", "2", "--threads", "2"], "--threads and --workers exclude each other"),
        (["--workers", "2", "--cluster", "tcp://127.0.0.1:9"], "--workers and --cluster exclude each other"),
        (["--workers", "0"], "--workers must be a whole number from 1 to 1024, got 0"),
        (["--cluster", "tcp://127.0.0.1:9"], "no scheduler of dask.distributed answers at tcp://127.0.0.1:9"),
    ],
)
def test_map_refuses_in_one_line(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    code = main(["map", "--points", "4", "--set", "stop.max_steps=9", *words])
    out, err = capfd.readouterr()
    assert code in (1, 2) and out == "" and message in err and err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_ctrl_c_of_a_terminal_ends_workers_too(tmp_path: Path) -> None:
    words = ["map", "--workers", "1", "--points", "64"]
    words += ["--set", "stop.tolerance=0", "--set", "stop.max_steps=1000000"]
    with subprocess.Popen(
        [sys.executable, "-m", "fastneuron", *words],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as child:
        store = tmp_path / "inverter.zarr"
        deadline = time.monotonic() + 240
        while not (store / "tile_done" / "zarr.json").exists():
            assert child.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        time.sleep(0.5)
        os.killpg(child.pid, signal.SIGINT)  # as a terminal does
        out, err = child.communicate(timeout=120)
    assert (child.returncode, out) == (130, "")
    assert err.startswith("fastneuron: interrupted; ") and err.count("\n") == 1
    tiles_done(store)  # it is a map

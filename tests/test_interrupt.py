"""Interrupts: what runs in a thread gives up, its result or error comes back, and no interrupt is lost."""

import importlib
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from fastneuron.cli.signals import Interrupted, Signals
from fastneuron.engine.interrupt import interruptible
from fastneuron.kernels.apart import apart


def test_what_the_work_returns_or_raises_comes_back():
    assert interruptible(lambda cancel: int(cancel[0]) + 5) == 5

    def fails(cancel):
        raise MemoryError("none left")

    with pytest.raises(MemoryError, match="none left"):
        interruptible(fails)


def test_an_interrupt_makes_the_work_give_up():
    gave_up = []

    def works(cancel):
        while not cancel[0]:
            time.sleep(0.01)
        gave_up.append(True)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            interruptible(works)
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)
    assert gave_up == [True]


def test_work_apart_is_not_that_of_the_main_thread():
    assert apart(threading.current_thread) is not threading.main_thread()
    assert interruptible(lambda cancel: apart(threading.current_thread) is threading.current_thread())

    def fails():
        raise RecursionError("too deep")

    with pytest.raises(RecursionError, match="too deep"):
        apart(fails)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, Interrupted])
def test_an_interrupt_of_work_apart_waits_unless_it_ends_the_process(kind):
    ended, may_end = threading.Event(), threading.Event()

    def stop(number, frame):
        raise kind

    def works():
        may_end.wait(0.5 if kind is KeyboardInterrupt else 60)
        ended.set()

    before = signal.signal(signal.SIGINT, stop)
    timer = threading.Timer(0.1, signal.raise_signal, [signal.SIGINT])
    timer.start()
    try:
        with pytest.raises(kind):
            apart(works)
        assert ended.is_set() == (kind is KeyboardInterrupt)
    finally:
        may_end.set()
        timer.join()
        signal.signal(signal.SIGINT, before)
    assert ended.wait(60)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_waits_for_the_end_of_an_import(tmp_path, monkeypatch, number):
    name = f"interrupts_itself_{number}"
    (tmp_path / f"{name}.py").write_text(f"import signal\nsignal.raise_signal({int(number)})\nwhole = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    # it may be ignored, as behind a shell's &
    at_first = signal.signal(signal.SIGINT, signal.default_int_handler)
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)]
    with Signals(last=False) as signals, pytest.raises(KeyboardInterrupt):
        importlib.import_module(name)
        time.sleep(60)
    assert sys.modules[name].whole and signals.number == number
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)] == before
    signal.signal(signal.SIGINT, at_first)


SWEEP = """
import fastneuron as fn
fn.Sweep(task=fn.tasks.inverter(), optimizer=fn.GradientDescent(1.0), axes={"bias": [0.0]},
         stop=fn.Stop(max_steps=2147483647, tolerance=0.0)).run()
"""


@pytest.mark.parametrize(
    ("words", "number", "code"),
    [
        (["-m", "fastneuron", "map", "--set", "stop.max_steps=10000000"], signal.SIGTERM, 143),
        (["-c", SWEEP], signal.SIGINT, -signal.SIGINT),
    ],
    ids=["map-SIGTERM", "Python-SIGINT"],
)
def test_an_interrupt_of_the_compiler_is_not_lost(tmp_path, words, number, code):
    """A command has one handler for both signals; `test_cli` and `test_process` send it each of them."""
    cache = tmp_path / "cache" / "fastneuron-kernels"
    with subprocess.Popen(
        [sys.executable, *words],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"NUMBA_CACHE_DIR": str(cache.parent)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as child:
        deadline = time.monotonic() + 240
        while not cache.is_dir():  # the first kernel is there, and the next is being compiled
            assert child.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        child.send_signal(number)
        out, err = child.communicate(timeout=240)
    assert (child.returncode, out) == (code, "")
    lines = err.splitlines()
    assert lines[-1] == ("KeyboardInterrupt" if code < 0 else "fastneuron: interrupted; nothing was kept")
    assert code < 0 or len(lines) == 1
    assert "Exception ignored" not in err

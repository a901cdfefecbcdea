"""Interrupts: what runs in a thread gives up, and what it returns or raises comes back."""

import signal
import threading
import time

import pytest

from fastneuron.engine.interrupt import interruptible


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

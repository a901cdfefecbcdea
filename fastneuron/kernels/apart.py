"""Work apart from the main thread, where a signal cannot break into it.

Python runs signal handlers, and so raises KeyboardInterrupt, in the main thread alone, between any two of its
instructions. Inside a callback of the compiler the exception is swallowed or ends the process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

T = TypeVar("T")


def apart(work: Callable[[], T]) -> T:
    """What `work` returns, called in a thread of its own where this is the main one.

    After an interrupt that thread comes to its end by itself, and whoever asks for the same waits for it.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, name="fastneuron-compiler").start()
    while not wait([future], timeout=0.2).done:  # bounded, so that an interrupt is seen at once
        pass
    return future.result()

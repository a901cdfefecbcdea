"""Interrupts: a kernel that runs long, in a thread of its own, so that Ctrl-C is seen at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import numpy as np


def interruptible(work: Callable[[np.ndarray], Any]) -> Any:
    """What `work` returns, given an array of one uint8 that turns 1 when it should give up."""
    cancel = np.zeros(1, np.uint8)
    with ThreadPoolExecutor(1, thread_name_prefix="fastneuron") as pool:
        future = pool.submit(work, cancel)
        try:
            while not wait([future], timeout=0.2).done:
                pass
        except BaseException:
            cancel[0] = 1
            raise
    return future.result()

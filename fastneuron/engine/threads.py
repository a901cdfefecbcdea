"""How many threads to work with."""

from __future__ import annotations

import os

from fastneuron.components import shown


def thread_count(threads: object) -> int:
    """`threads`, or where it is None as many as there are CPUs for this process.

    Raises
    ------
    ValueError
        If it is no whole number of 1 or more.
    """
    if threads is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise ValueError(f"threads must be a whole number of 1 or more, got {shown(threads)}")
    return min(threads, 1024)

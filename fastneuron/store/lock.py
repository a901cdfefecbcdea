"""A lock on the folder of a store, so that one process at a time writes to it.

The system lets go of it when the process ends, however that happens. Where there are no such locks (Windows,
some network file systems), two processes that write the same map do the same work twice and no harm.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

if sys.platform != "win32":
    import fcntl


class Lock:
    """Held from when it is made until `release`.

    `certain` tells whether the system has such locks, so that no one else writes.

    Raises
    ------
    ValueError
        If another process holds it; `path` is the name of the map.
    """

    def __init__(self, folder: Path, path: Path) -> None:
        self._file = _opened(folder)
        taken = _taken(self._file)
        self.certain = taken is True
        if taken is False:
            self.release()
            raise ValueError(f"{path} is being written by another process; wait for it or stop it first")

    def release(self) -> None:
        """Give it back; more than once is allowed."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def locked(folder: Path) -> bool:
    """Whether another process, or another part of this one, writes to the store in a folder."""
    file = _opened(folder)
    try:
        return _taken(file) is False
    finally:
        if file >= 0:
            os.close(file)


def _opened(folder: Path) -> int:
    return -1 if sys.platform == "win32" else os.open(folder, os.O_RDONLY)


def _taken(file: int) -> bool | None:
    """Whether the lock is now that of this open file; None where there are no locks."""
    if sys.platform == "win32":
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return None
    return True

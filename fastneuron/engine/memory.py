"""Memory: how much is free, and refusing what would not fit before anything starts."""

from __future__ import annotations

import os
from pathlib import Path

from fastneuron.components import shown

SHARE = 0.9  # of what is free, that is used


def require_memory(needed: int, what: str, advice: str, memory: int | None = None) -> None:
    """Raise MemoryError, with the sizes, where `what` would not fit into what may be used of the memory."""
    free = free_memory()
    if needed > SHARE * free:
        there = f"{size_text(free)} is free"
    elif memory is not None and needed > memory:
        there = f"{size_text(memory)} is allowed (memory)"
    else:
        return
    raise MemoryError(f"{what} needs {size_text(needed)} of memory and {there}; {advice}")


def usable_memory(memory: int | None = None) -> int:
    """Bytes that may be used: a share of what is free, and at most `memory`."""
    usable = int(SHARE * free_memory())
    return usable if memory is None else min(usable, memory)


def checked_memory(memory: object) -> int | None:
    """`memory`, where it is None or a number of bytes.

    Raises
    ------
    ValueError
        If it is something else.
    """
    whole = isinstance(memory, int) and not isinstance(memory, bool)
    if memory is not None and not (whole and memory > 0):  # type: ignore[operator]
        raise ValueError(f"memory must be a whole number of bytes, 1 or more, got {shown(memory)}")
    return memory  # type: ignore[return-value]


def free_memory() -> int:
    """Bytes of memory that can still be used."""
    free = 2**63
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                free = int(line.split()[1]) * 1024
    except OSError:
        if hasattr(os, "sysconf") and "SC_AVPHYS_PAGES" in os.sysconf_names:
            free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(limit).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdigit():
            free = min(free, int(text) - _held(Path(limit).parent))
    return free


def _held(folder: Path) -> int:
    """Bytes that a control group holds and does not give back when asked."""
    try:
        held = int((folder / "memory.current").read_text(encoding="ascii"))
        lines = (folder / "memory.stat").read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return 0
    cached = [int(line.split()[1]) for line in lines if line.startswith(("inactive_file ", "active_file "))]
    return max(0, held - sum(cached))


def size_text(size: float) -> str:
    """A number of bytes for people: ``"3.2 GiB"``."""
    for unit in ("bytes", "KiB", "MiB", "GiB", "TiB"):
        if size < 1024 or unit == "TiB":
            break
        size /= 1024
    return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"

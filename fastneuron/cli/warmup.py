"""``fastneuron warmup``: fill the compile cache."""

from __future__ import annotations

import sys
import time

from fastneuron.cli import printing


def warmup(*, json: bool = False) -> None:
    """Compile the kernels of the common sweeps now, so that the first map starts at once.

    What is compiled stays on disk; 'fastneuron info' says where.

    Parameters
    ----------
    json
        Print one JSON document instead of a line.
    """
    from fastneuron.engine.environment import warmup as compile_kernels

    began = time.perf_counter()
    compiled = compile_kernels(progress=sys.stderr.isatty())
    seconds = time.perf_counter() - began
    printing.show(
        printing.document({"kernels": compiled, "seconds": seconds})
        if json
        else f"{compiled} kernels in {seconds:.1f} s"
    )

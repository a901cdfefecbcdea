"""The same training of small networks in fastneuron, JAX, NumPy and scikit-learn, side by side in one run.

    python bench/network_peers.py [--json] [--quick] [--rounds N]

Speeds are network-steps a second, float64: one step is one update of one network. Rounds are interleaved,
and every figure is the median over the rounds. What counts is the ratio within a round, by processor time, to
the best of JAX (digits: to scikit-learn); fastneuron and JAX have two threads each. Compiling is not timed.
Where a program as one would write it is among them, in one call, the ratio to the better of its batches by
the clock is given, too. Before anything is timed, all programs must agree to 1e-8. What is not installed, or
what fastneuron lacks, is left out and named. The works: work_trainability.py, work_xor.py, work_digits.py.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import tempfile
from collections.abc import Iterator
from typing import Any

import peers
import work_digits
import work_trainability
import work_xor
from works import Work, rows_of

import fastneuron as fn

WIDTHS = (16, 8)
ROUNDS = 3
STEPS, QUICK_STEPS = 500, 50
STARTS, QUICK_STARTS = 8192, 2048  # XOR
NETWORKS, QUICK_NETWORKS = 64, 4  # digits; scikit-learn trains them over all rounds


def one_blas_thread() -> contextlib.AbstractContextManager[Any] | None:
    """Holds NumPy's BLAS to one thread; None where threadpoolctl is missing."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return None
    return threadpool_limits(1)


def works(quick: bool, rounds: int, blas: bool) -> Iterator[Work]:
    """All works, each made when the one before is done."""
    with tempfile.TemporaryDirectory() as folder:
        library = peers.c_library("float64", folder)
        for width in WIDTHS:
            yield work_trainability.work(width, QUICK_STEPS if quick else STEPS, library, blas)
    yield work_xor.work(QUICK_STARTS if quick else STARTS)
    networks = QUICK_NETWORKS if quick else NETWORKS
    yield work_digits.work(networks, math.ceil(networks / rounds))


def shown(work: Work, rows: list[dict[str, Any]]) -> str:
    """A work's lines of the table."""
    title = f"{work.title}, {work.steps} steps"
    lines = [f"\n{title:<53}steps/s    a core-s  core-ms each  ratio  middle half  of peak  by the clock"]
    for row in rows:
        ratio = f"{row['ratio']:>6.2f}  {row['low']:.2f} .. {row['high']:.2f}" if "ratio" in row else ""
        speeds = (
            f"{row['steps']:>14,.0f}{row['steps_a_core_second']:>12,.0f}{row['core_ms_a_network']:>14.3f}"
        )
        peak = f"{row['of_peak']:.0%}" if "of_peak" in row else ""
        clock = f"{row['by_clock']:.2f}" if "by_clock" in row else ""
        lines.append(f"  {row['what']:<44}{speeds} {ratio:<21}{peak:>7}{clock:>14}  {row['said']}".rstrip())
    lines += [f"  left out: {name} ({why})" for name, why in work.left_out.items()]
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="networks in fastneuron, JAX, NumPy and scikit-learn")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--quick", action="store_true", help="fewer steps and starts")
    parser.add_argument(
        "--rounds", type=int, default=ROUNDS, help=f"interleaved, 2 or more (default {ROUNDS})"
    )
    options = parser.parse_args()
    held = one_blas_thread()
    results = []
    if not options.json:
        print(f"{fn.info()['cpu']} ({fn.info()['cpu_target']})")
    with held or contextlib.nullcontext():
        for work in works(options.quick, options.rounds, held is not None):
            rows = rows_of(work, options.rounds)
            results.append({"work": work.title, "rows": rows, "left_out": work.left_out})
            if not options.json:
                print(shown(work, rows), flush=True)
    if options.json:
        print(json.dumps({"cpu": fn.info()["cpu_target"], "results": results}, indent=2))


if __name__ == "__main__":
    main()

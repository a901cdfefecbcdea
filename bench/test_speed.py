"""How long the main jobs take; but for the case of that name, compiling is left out.

    python -m pytest -n 0 bench --benchmark-save=mine

The cases are those of gate.py. ``extra_info`` holds the ratio of each to its calibration, which runs before
and after it, and the quartiles of the rounds.
"""

import gate
import peers
import pytest

ROUNDS = 5


@pytest.mark.parametrize("name", list(gate.cases()))
def test_case(benchmark, name):
    case = gate.cases()[name]()
    gate.timed(case)  # compiles
    ratios = gate.summary([gate.timed(case) for _ in range(ROUNDS)])
    benchmark.extra_info |= {key: ratios[key] for key in ("ratio", "low", "median", "high")}
    benchmark(case.work)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_ratios_to_the_peers_hold(dtype):
    """Far below what an idle machine shows, and seen three times in a row, so that only a real loss fails."""
    floors = {
        "no stop / NumPy": 1.8,
        "no stop / C": 0.85,
        "early stops / no stop": {"float64": 0.8, "float32": 0.75}[dtype],
        "learning rate an axis / constant": 0.85,
        "gain an axis / constant": 0.85,
        "penalty strength an axis / constant": 0.85,
    }
    for _ in range(3):
        ratios = {row["what"]: row["ratio"] for row in peers.compare(dtype, rounds=5)}
        low = {what: ratio for what, ratio in ratios.items() if not ratio > floors[what]}
        if not low:
            return
    raise AssertionError(f"below their floors: {low}")

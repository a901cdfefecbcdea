"""The dry run's estimate, on a machine whose speed is known: only what is sampled can be wrong."""

from __future__ import annotations

import functools
import itertools

import numpy as np
import pytest

import fastneuron as fn
from fastneuron.cli import forecast as forecasts
from fastneuron.cli.forecast import Sample, forecast
from fastneuron.kernels.history import CHUNK

CHUNK_SECONDS, START_SECONDS = 1e-3, 2e-4
STEPS = np.rint(np.geomspace(10, 100_000, 64)).tolist()
RATES = fn.geomspace(1e-3, 1e3, 128)


def sweep(axes, **changes) -> fn.Sweep:
    given = {
        "task": fn.tasks.inverter(),
        "optimizer": fn.GradientDescent(30.0),
        "axes": axes,
        "stop": fn.Stop(max_steps=2000),
    }
    return fn.Sweep(**given | changes)


@pytest.fixture
def known_speed(monkeypatch):
    """Every chunk and every start take the same time; storing takes none."""
    timed = Sample._timed

    def known(sample, part):
        results = timed(sample, part)[1]
        chunks = sample._chunks(results["steps"])
        ran, last = sample._ran(chunks)
        used = CHUNK_SECONDS * ran + START_SECONDS * chunks.size
        return used, results, used * last / ran

    monkeypatch.setattr(Sample, "_timed", known)
    monkeypatch.setattr(forecasts, "_storing", lambda *given: (0.0, 0.0))


@functools.cache
def chunks_of(name: str) -> float:
    """The chunks of all starts of a sweep together."""
    steps = SWEEPS[name].run(keep=["steps"], progress=False)["steps"].values
    return float(np.maximum(1, np.ceil(steps / CHUNK)).sum())


def seconds_of(name: str, threads: int) -> float:
    """What a sweep takes whose threads are all busy to the end."""
    whole, chunks = SWEEPS[name], chunks_of(name)
    lanes = forecasts.block_of(whole).lanes
    return (CHUNK_SECONDS * chunks / lanes + START_SECONDS * whole.points) / threads


EXHAUSTING = fn.Stop(max_steps=2000, tolerance=0.0, settle=0.0)
WEIGHT = fn.linspace(-20, 20, 500)
SWEEPS = {
    "alike": sweep({"bias": fn.linspace(-20, 20, 400), "weight": WEIGHT}),
    "slow tiles last": sweep({"max_steps": STEPS, "weight": WEIGHT}, stop=EXHAUSTING),
    "slow tiles first": sweep({"max_steps": STEPS[::-1], "weight": WEIGHT}, stop=EXHAUSTING),
    "one slow value": sweep(
        {"max_steps": [10] * 7 + [16_000], "bias": fn.linspace(-20, 20, 30), "weight": WEIGHT},
        stop=EXHAUSTING,
    ),
    "learning rates": sweep({"learning_rate": RATES, "weight": WEIGHT}, stop=fn.Stop(max_steps=20_000)),
}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", SWEEPS)
def test_the_estimate_is_right_where_tiles_differ_a_thousandfold(name, threads, known_speed):
    whole = SWEEPS[name]
    report = forecast(whole, ("outcome",), threads, None)
    true = seconds_of(name, threads)
    assert 0.8 * true < report["seconds"] < 1.3 * true
    assert report["seconds_low"] < true < report["seconds_high"]


@pytest.mark.parametrize("lanes, threads", [(1, 1), (4, 1), (2, 3), (8, 2)])
def test_chunks_that_ran_are_those_of_places_filled_one_after_the_other(lanes, threads):
    sample = Sample(sweep({"weight": fn.linspace(0, 1, 100)}), {"outcome"}, 1)
    sample._lanes, sample._threads = lanes, threads
    chunks = np.random.default_rng(1).integers(1, 50, 40)
    left, waiting, ends = [0] * (lanes * threads), list(chunks), [0] * threads
    for now in itertools.count(1):  # one chunk at a time
        for place, number in enumerate(left):
            if number == 0 and waiting:
                left[place] = waiting.pop(0)
            if left[place]:
                left[place] -= 1
                ends[place // lanes] = now
        if not waiting and not any(left):
            break
    assert sample._ran(chunks) == (sum(ends), max(ends))


def test_starts_that_are_cut_short_widen_the_interval(known_speed, monkeypatch):
    monkeypatch.setattr(forecasts, "PART_SECONDS", (0.0, 0.0))  # the first part is long enough
    whole = SWEEPS["slow tiles last"]
    report = forecast(whole, ("outcome",), 1, None)
    true = seconds_of("slow tiles last", 1)
    assert report["seconds_low"] < 0.2 * true < true < 1.3 * report["seconds_high"]


def test_parts_are_a_small_share_of_a_small_sweep(monkeypatch):
    taken = []
    part = Sample.part
    monkeypatch.setattr(Sample, "part", lambda *given: taken.append(part(*given)) or taken[-1])
    whole = sweep({"bias": fn.linspace(-1, 1, 30), "weight": fn.linspace(-1, 1, 30)})
    forecast(whole, None, 2, None)
    assert {made.sweep.points for made in taken} <= set(range(1, 900 // 16 + 1))
    assert len(taken) <= forecasts.MOST_PARTS + 8


def test_places_are_within_equal_stretches_and_short_axes_are_whole():
    whole = sweep({"gain": [1, 2, 3], "bias": fn.linspace(0, 1, 90), "weight": fn.linspace(0, 1, 1000)})
    sample = Sample(whole, {"outcome"}, 1)
    for points in (4, 300, 5000):
        kept = sample._places(points)
        counts = [len(kept[dim]) for dim in whole.dims]
        assert np.prod(counts) <= 1.5 * points
        for count, length, dim in zip(counts, whole.shape, whole.dims, strict=True):
            assert np.array_equal(kept[dim] * count // length, np.arange(count)), dim
        assert counts[0] == 3


@pytest.mark.parametrize("draws", [None, 50])
def test_sweeps_of_every_kind_have_an_estimate(draws):
    model = fn.Network((2, 4, 1))  # of so many parameters that no kernel is unrolled for it
    given = {"task": fn.tasks.gate("xor"), "model": model, "stop": fn.Stop(max_steps=30)}
    axes = {"learning_rate": [0.1, 1.0]} if draws else {"start.layer0.weight[0,1]": fn.linspace(0, 1, 40)}
    whole = sweep(axes, draws=draws, **given)
    report = forecast(whole, ("outcome", "final"), 2, 10**9)
    assert report["points"] == whole.points and report["bytes"] == whole.points * (1 + 17 * 8)
    assert 0 < report["seconds_low"] <= report["seconds"] <= report["seconds_high"]

"""The disk cache: later processes compile nothing, and no edit or damage gives a stale result."""

import importlib
import json
import sys

import numpy as np
import pytest

import fastneuron as fn
from fastneuron.fingerprint import class_fingerprint, package_fingerprint
from fastneuron.kernels import cache
from fastneuron.kernels.jit import kernel

from .forks import Forks

OWN = """
import numba

from fastneuron import Activation, component, constant
from own_helpers import rise

OFFSET = 0.25

@component
class Own(Activation):
    gain: float = 1.0
    surrogate = True  # its slope is another

    def value(self, z):
        return rise(self.gain * z) + constant(z, OFFSET)

    def slope(self, z, a):
        return self.gain + constant(z, 0.0)
"""
HELPERS = """
import numba

import own_constants

@numba.njit
def rise(z):
    return own_constants.STEEPNESS * z
"""
CONSTANTS = "STEEPNESS = 0.5\n"
SOURCES = {"own": OWN, "own_helpers": HELPERS, "own_constants": CONSTANTS}

RUN = """
import json, pkgutil, importlib
import fastneuron as fn, own, fastneuron.kernels
from fastneuron.kernels.block import write_problem
from fastneuron.kernels.lanes import run_tile
from fastneuron.kernels.summary import summarise

KERNELS = (write_problem, run_tile, summarise)  # only the first depends on the components
result = fn.Sweep(
    task=fn.tasks.inverter(),
    model=fn.Neuron(activation=own.Own()),
    optimizer=fn.GradientDescent(0.1),
    axes={"bias": [-1.0, 2.0], "weight": [-1.0, 0.5, 3.0]},
    stop=fn.Stop(max_steps=3),
).run(progress=False)
compiled = set()
for info in pkgutil.iter_modules(fastneuron.kernels.__path__):
    module = importlib.import_module(f"fastneuron.kernels.{info.name}")
    for name, value in vars(module).items():
        if getattr(value, "signatures", None):
            compiled.add(name)
print(json.dumps({
    "hits": [sum(k.stats.cache_hits.values()) for k in KERNELS],
    "misses": [sum(k.stats.cache_misses.values()) for k in KERNELS],
    "compiled": sorted(compiled),
    "final_bias": result.final_bias.values.ravel().tolist(),
}))
"""


def write(folder, sources):
    for name, text in sources.items():
        (folder / f"{name}.py").write_text(text)


@pytest.fixture(scope="module")
def python():
    """A function: what code prints in a new process, which has no kernel yet and the modules of a folder."""
    loaded = ["dask.array", "fastneuron.engine.local", "fastneuron.engine.response", "numba.np.arraymath"]

    def printed(folder, code, **variables):
        done = forks.call(folder, code, [str(folder)], variables)
        assert done.returncode == 0, done.stderr
        return done.stdout

    # Python's own cache goes by the second
    with Forks("forks:python", loaded, "-W", "error", PYTHONDONTWRITEBYTECODE="1") as forks:
        yield printed


def after_three_steps(steepness):
    """The final biases of `RUN` by hand: output steepness z + 1/4, whose slope is said to be 1.

    The mean of half the squares of two samples at learning rate 0.1: 0.05 for each.
    """
    finals = []
    for bias in (-1.0, 2.0):
        for weight in (-1.0, 0.5, 3.0):
            w, b = weight, bias
            for _ in range(3):
                off = [steepness * b + 0.25 - 1, steepness * (w + b) + 0.25]
                w, b = w - 0.05 * off[1], b - 0.05 * (off[0] + off[1])
            finals.append(b)
    return finals


def test_later_processes_compile_nothing_until_a_constant_two_imports_away_is_edited(tmp_path, python):
    def process(folder):
        return json.loads(python(folder, RUN, NUMBA_CACHE_DIR=str(folder / "cache")))

    write(tmp_path, SOURCES)
    first = process(tmp_path)
    assert (first["hits"], first["misses"]) == ([0, 0, 0], [1, 1, 1])
    assert len(list((tmp_path / "cache" / "fastneuron-kernels").iterdir())) == 3
    assert {"run_chunk", "run_tile", "summarise"} <= set(first["compiled"])
    np.testing.assert_allclose(first["final_bias"], after_three_steps(0.5), rtol=1e-12)

    write(tmp_path, {"own_constants": "STEEPNESS = 0.7\n"})  # of the same length, and within the same second
    edited = process(tmp_path)
    assert (edited["hits"], edited["misses"]) == ([0, 1, 1], [1, 0, 0])
    np.testing.assert_allclose(edited["final_bias"], after_three_steps(0.7), rtol=1e-12)

    write(tmp_path, SOURCES)
    restored = process(tmp_path)  # of the sources of the first
    assert (restored["hits"], restored["misses"]) == ([1, 1, 1], [0, 0, 0])
    assert not set(restored["compiled"]) - {"write_problem", "run_tile", "summarise"}
    assert restored["final_bias"] == first["final_bias"]


NAMESAKE = """
import fastneuron as fn


@fn.component
class Own(fn.Activation):
    def value(self, z):
        return fn.constant(z, {steepness}) * z

    def slope(self, z, a):
        return fn.constant(z, {steepness})
"""
RUN_THEM = """
import importlib
import fastneuron as fn

for name in {names}:
    model = fn.Neuron(activation=importlib.import_module(name).Own())
    sweep = fn.Sweep(
        task=fn.Task([1.0], [0.0]),
        model=model,
        optimizer=fn.GradientDescent(0.5),
        axes={{"weight": [1.0]}},
        start={{"bias": 0.0}},
        stop=fn.Stop(max_steps=1),
    )
    final = sweep.run(progress=False).final_weight.item()
    print(name, fn.forward(model, {{"weight": 1.0}}, x=[1.0]).item(), final)
"""


def test_components_of_one_name_do_not_run_each_other_s_code_from_the_cache(tmp_path, python):
    """The loss s^2 w^2 / 2 has the slope s^2 w: a step of 1/2 from 1 ends at 1 - s^2 / 2."""
    for name, steepness in (("one", 2.0), ("two", 5.0)):
        (tmp_path / f"{name}.py").write_text(NAMESAKE.format(steepness=steepness))
    for names in (["one"], ["two"], ["one", "two"], ["two", "one"]):  # each first in a process of its own
        expected = {"one": "one 2.0 -1.0", "two": "two 5.0 -11.5"}
        printed = python(tmp_path, RUN_THEM.format(names=names))
        assert printed.splitlines() == [expected[name] for name in names]


# entries, with a small kernel


def doubled(x):
    return x + x


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    return tmp_path / "fastneuron-kernels"


def call(argument=1.5):
    """Call a new dispatcher, as a new process would have it; returns the result, cache hits and misses."""
    compiled = kernel(doubled)
    result = compiled(argument)
    return result, sum(compiled.stats.cache_hits.values()), sum(compiled.stats.cache_misses.values())


def test_one_entry_for_each_function_and_argument_type(folder):
    assert call(1.5) == (3.0, 0, 1)
    assert call(2.5) == (5.0, 1, 0)
    assert call(2) == (4, 0, 1)
    assert call(3) == (6, 1, 0)
    names = [path.name for path in folder.iterdir()]
    assert len(names) == 2 and all(name.startswith("doubled-") and name.endswith(".bin") for name in names)


def flipped(data, at):
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda data: data.replace(b"\n", b"", 1),
        lambda data: flipped(data, 0),
        lambda data: flipped(data, len(data) // 2),
        lambda data: flipped(data, -1),
        lambda data: b"not an entry at all",
    ],
    ids=["empty", "half", "cut", "longer", "no line", "checksum", "middle", "end", "text"],
)
def test_damaged_entry_is_compiled_anew_and_mended(folder, damage):
    call()
    (entry,) = folder.iterdir()
    entry.write_bytes(damage(entry.read_bytes()))
    assert call() == (3.0, 0, 1)
    assert [path.name for path in folder.iterdir()] == [entry.name]
    assert call() == (3.0, 1, 0)


def test_folder_that_cannot_be_written_means_no_cache(folder):
    folder.write_text("in the way")
    for _ in range(2):
        assert call() == (3.0, 0, 1)
    assert folder.read_text() == "in the way"


def test_folder_for_an_entry_is_not_written_into(folder):
    call()
    (entry,) = folder.iterdir()
    entry.unlink()
    entry.mkdir()
    assert call() == (3.0, 0, 1)
    assert entry.is_dir() and [path.name for path in folder.iterdir()] == [entry.name]  # and no partial file


def test_disabled_cache_is_neither_read_nor_written(folder):
    compiled = kernel(doubled)
    compiled._cache.disable()
    assert compiled(1.5) == 3.0
    assert not folder.exists()


@pytest.mark.parametrize("what", ["compiled_fingerprint", "numba_version"])
def test_other_sources_or_versions_have_other_entries(folder, monkeypatch, what):
    call()
    if what == "compiled_fingerprint":
        monkeypatch.setattr(cache, "compiled_fingerprint", lambda: "edited")
    else:
        monkeypatch.setattr(cache.numba, "__version__", "999")
    assert call() == (3.0, 0, 1)
    assert len(list(folder.iterdir())) == 2


def test_package_fingerprint_changes_with_any_source_of_the_package(tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.py").write_text("x = 1")
    monkeypatch.setattr("fastneuron.fingerprint.PACKAGE", tmp_path)
    fingerprint = package_fingerprint.__wrapped__
    first = fingerprint()
    assert fingerprint() == first
    (tmp_path / "sub" / "a.py").write_text("x = 2")
    edited = fingerprint()
    (tmp_path / "sub" / "a.py").rename(tmp_path / "sub" / "b.py")
    assert len({first, edited, fingerprint()}) == 3


# fingerprints of a user's own class


@pytest.fixture
def fingerprint(tmp_path, monkeypatch):
    """A function: the fingerprint of own:Own for the sources given, freshly imported."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def of(**changes):
        write(tmp_path, SOURCES | changes)
        forget()
        importlib.invalidate_caches()
        return class_fingerprint(importlib.import_module("own").Own)

    yield of
    forget()


def forget():
    for name in SOURCES:
        sys.modules.pop(name, None)


def test_fingerprint_of_the_packages_own_classes_is_left_to_the_package():
    assert class_fingerprint(fn.Sigmoid) == ""


def test_fingerprint_is_the_same_for_the_same_sources(fingerprint):
    assert fingerprint() == fingerprint() != ""


@pytest.mark.parametrize(
    ("module", "before", "after"),
    [
        ("own", "rise(self.gain * z) +", "rise(self.gain * z) -"),
        ("own", "self.gain * z", "self.gain / z"),
        ("own", "self.gain + constant(z, 0.0)", "self.gain + constant(z, 0.5)"),
        ("own", "OFFSET = 0.25", "OFFSET = 0.5"),
        ("own", "OFFSET = 0.25", "OFFSET = -0.0"),
        ("own", "def slope", "def log_loss(self, z, a, y):\n        return z\n\n    def slope"),
        ("own_helpers", "STEEPNESS * z", "STEEPNESS + z"),
        ("own_helpers", "@numba.njit\n", ""),
        ("own_helpers", "def rise(z)", "def rise(z, k=1.0)"),
        ("own_constants", "0.5", "0.7"),
        ("own_constants", "0.5", "1"),
    ],
)
def test_fingerprint_changes_with_each_edit(fingerprint, module, before, after):
    first = fingerprint()
    assert before in SOURCES[module]
    edited = fingerprint(**{module: SOURCES[module].replace(before, after)})
    assert edited != first
    assert fingerprint() == first


@pytest.mark.parametrize(
    ("helpers", "before", "after"),
    [
        ("K = {}\ndef inner(z): return K * z\ndef rise(z): return inner(z)\n", "1.0", "2.0"),
        ("K = ({}, 3.0)\ndef rise(z): return K[0] * z\n", "1.0", "2.0"),
        ("import numpy as np\nK = np.array([{}])\ndef rise(z): return K[0] * z\n", "1.0", "2.0"),
        ("import numpy as np\nK = np.float32({})\ndef rise(z): return K * z\n", "1.0", "2.0"),
        ("class K:\n    k = {}\ndef rise(z): return K.k * z\n", "1.0", "2.0"),
        ("def rise(z, k={}): return k * z\n", "1.0", "2.0"),
        ("def make(k):\n    def rise(z): return k * z\n    return rise\nrise = make({})\n", "1.0", "2.0"),
        ("def rise(z):\n    inner = lambda y: {} * y\n    return inner(z)\n", "1.0", "2.0"),
        ("def rise(z): return z {} other(z)\ndef other(z): return rise(z)\n", "+", "-"),
        ("import math\ndef rise(z): return math.{}(z)\n", "sin", "cos"),
        ("import numpy\ndef rise(z): return numpy.{}(z)\n", "sin", "cos"),
        ("from fastneuron.elementary import {} as f\ndef rise(z): return f(z)\n", "exp", "tanh"),
    ],
    ids=lambda value: value.replace("\n", " ")[:40],
)
def test_fingerprint_follows_what_a_helper_refers_to(fingerprint, helpers, before, after):
    first = fingerprint(own_helpers=helpers.format(before))
    assert fingerprint(own_helpers=helpers.format(before)) == first
    assert fingerprint(own_helpers=helpers.format(after)) != first


def test_fingerprint_changes_with_a_base_class_in_another_module(fingerprint):
    base = "from fastneuron import Activation\nclass Base(Activation):\n    __slots__ = ()\n    K = {}\n"
    own = (
        "from fastneuron import component\nfrom own_helpers import Base\n@component\nclass Own(Base): pass\n"
    )
    first = fingerprint(own=own, own_helpers=base.format(1.0))
    assert fingerprint(own=own, own_helpers=base.format(1.0)) == first
    assert fingerprint(own=own, own_helpers=base.format(2.0)) != first


def test_class_of_a_script_is_not_cached(folder):
    from numba import float64, types

    class Script(fn.Sigmoid):
        __slots__ = ()

    Script.__module__ = "__main__"
    kind = types.NamedTuple([float64], Script)
    assert list(cache.component_classes((float64, types.Tuple([kind])))) == [Script]
    assert cache.KernelCache(doubled)._place((kind,), None) is None

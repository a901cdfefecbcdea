"""The fingerprint of a component's code: what it goes by, and what it does not."""

import copyreg
import os
import re
import subprocess
import sys
import types

import pytest

import fastneuron as fn
from fastneuron.fingerprint import PACKAGE, class_fingerprint

SOFT = """
import numpy as np
import numba
from math import tau
import fastneuron as fn
from fastneuron.components import Bound, Positive, component
from typing import Annotated

K = 1.0

def helper(z):
    return z

@component
class Soft(fn.Activation):
    gain: float = 1.0

    def value(self, z):
        return K * helper(z) * self.gain

    def slope(self, z, a):
        return z
"""


def class_of(source: str, name: str = "soft", cls: str = "Soft") -> type:
    """A class of a module that is made from its source, and loaded for as long as that takes."""
    module = types.ModuleType(name)
    before = sys.modules.get(name)
    sys.modules[name] = module
    try:
        exec(compile(source, f"/somewhere/{id(module)}.py", "exec"), vars(module))
        return getattr(module, cls)
    finally:
        if before is None:
            del sys.modules[name]
        else:
            sys.modules[name] = before


def edited(before: str, after: str, source: str = SOFT) -> str:
    assert before in source
    return source.replace(before, after)


def after_edit(before: str, after: str, source: str = SOFT) -> bool:
    """Whether an edit changes the fingerprint."""
    first = class_fingerprint(class_of(source))
    assert first == class_fingerprint(class_of(source)) and len(first) == 64
    return class_fingerprint(class_of(edited(before, after, source))) != first


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("K * helper(z)", "K + helper(z)"),
        ("K = 1.0", "K = 2.0"),
        ("K = 1.0", "K = 1"),
        ("K = 1.0", "K = -1.0"),
        ("    return z\n\n@", "    return -z\n\n@"),
        ("gain: float = 1.0", "gain: float = 2.0"),
        ("gain: float = 1.0", "gain: Positive = 1.0"),
        ("gain: float = 1.0", "gain: Annotated[float, Bound('small', high=K)] = 0.0"),
        ("gain: float = 1.0", "gain: float = 1.0\n    more: float = 0.0"),
        ("gain: float = 1.0", "gain: float = 1.0\n    constant = 3"),
        ("def slope(self, z, a):", "def slope(self, z, a, k=1):"),
        ("        return z\n", "        return z\n\n    def log_loss(self, z, a, y):\n        return z\n"),
        ("K * helper(z)", "K * abs(z)"),
        ("K = 1.0", "K = 1.0\ndef abs(z): return z"),
    ],
)
def test_each_edit_of_what_a_class_runs_changes_it(before, after):
    source = edited("* self.gain", "* self.gain + abs(z)") if "abs(z): return" in after else SOFT
    assert after_edit(before, after, source)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import numpy as np", "import numpy as np\nimport json"),
        ("K = 1.0", "# a comment\n\n\nK = 1.0\nUNRELATED = 5\n"),
        ("def helper(z):", "def unrelated(z):\n    return 7\n\ndef helper(z):"),
        ("    def value(self, z):", '    def value(self, z):\n        "The docstring."'),
        ("    gain: float", '    """The docstring."""\n    gain: float'),
        ("def helper(z):", 'def helper(z):  # comment\n    """The docstring."""'),
        ("return K * helper(z) * self.gain", "return (\n            K\n * helper(z)\n * self.gain)"),
        ("import numpy as np", "from __future__ import annotations\nimport numpy as np"),
        ("def slope(self, z, a):", "def slope(self, z: float, a: float) -> float:"),
        ("@component", "class Unrelated:\n    K = 2.0\n\n@component"),
    ],
)
def test_no_other_edit_changes_it(before, after):
    assert not after_edit(before, after)


@pytest.mark.parametrize(
    "definitions",
    [
        "X = [1.0, [<2.0|3.0>]]\ndef helper(z): return X[0]",
        "X = {'a': (1, {'b': <2.0|3.0>})}\ndef helper(z): return X['a']",
        "X = {1.0, 'a', <'b'|'c'>}\ndef helper(z): return X",
        "X = frozenset({('a', <'b'|'c'>)})\ndef helper(z): return X",
        "def helper(z): return z in {'a', <'b'|'c'>}",
        "X = np.array([[1.0, <2.0|3.0>]])\ndef helper(z): return X",
        "X = np.array([1, <'a'|'b'>], dtype=object)\ndef helper(z): return X",
        "X = np.array([1, 2], np.<int32|uint32>)\ndef helper(z): return X",
        "X = np.<float32|float64>(2)\ndef helper(z): return X",
        "X = fn.Sigmoid(<2.0|3.0>)\ndef helper(z): return X.value(z)",
        "X = fn.<Sigmoid|Tanh>(2.0)\ndef helper(z): return X.value(z)",
        "class X:\n    class Y:\n        k = <2.0|3.0>\ndef helper(z): return X.Y.k",
        "class X:\n    def __init__(s): s.k = <2.0|3.0>\nx = X()\ndef helper(z): return x.k",
        "class X:\n    __slots__ = 'k'\nx = X(); x.k = <2.0|3.0>\ndef helper(z): return x.k",
        "from dataclasses import dataclass\n@dataclass\nclass X:\n    k: float\nx = X(<2.0|3.0>)\n"
        "def helper(z): return x.k",
        "from typing import NamedTuple\nclass X(NamedTuple):\n    k: float\nx = X(<2.0|3.0>)\n"
        "def helper(z): return x.k",
        "from types import SimpleNamespace\nx = SimpleNamespace(k=[<2.0|3.0>])\ndef helper(z): return x.k",
        "from enum import Enum\nclass X(Enum):\n    A = 1.0\n    B = 2.0\nx = X.<A|B>\n"
        "def helper(z): return x.value",
        "from enum import Enum\nclass X(Enum):\n    A = <1.0|2.0>\ndef helper(z): return X.A.value",
        "from functools import partial\ndef f(z, k): return k * z\nhelper = partial(f, k=<2.0|3.0>)",
        "from functools import cache\n@cache\ndef helper(z): return <2.0|3.0> * z",
        "class X:\n    def f(self, z): return <2.0|3.0> * z\nhelper = X().f",
        "def make(k):\n    def inner(z): return k * z\n    return inner\nhelper = make(<2.0|3.0>)",
        "def helper(z, *, k=<2.0|3.0>): return k * z",
        "def helper(z):\n    return [x * <2.0|3.0> for x in (z,)]",
        "def helper(z):\n    def inner():\n        return lambda y: <2.0|3.0> * y\n    return inner()(z)",
        "@numba.njit\ndef helper(z): return <2.0|3.0> * z",
        "@numba.njit(fastmath=<False|True>)\ndef helper(z): return z",
        "@numba.njit('<float32|float64>(<float32|float64>)')\ndef helper(z): return z",
        "@numba.vectorize\ndef helper(z): return <2.0|3.0> * z",
        "def f1(z): return <2.0|3.0> * z\ndef f2(z): return f1(z)\ndef f3(z): return f2(z)\n"
        "def helper(z): return f3(z)",
        "def helper(z): return other(z) <+|-> z\ndef other(z): return helper(z)",
        "def helper(z):\n    try:\n        return z\n    except <ValueError|TypeError>:\n        return 0",
        "def helper(z): return np.<sin|cos>(z)",
        "from numpy import <sin|cos> as f\ndef helper(z): return f(z)",
        "def helper(z): return fn.elementary.<exp|tanh>(z)",
        "X = -0.0 if <1|0> else 0.0\ndef helper(z): return X",
        "X = float('nan') if <1|0> else float('inf')\ndef helper(z): return X",
    ],
)
def test_it_follows_what_a_helper_refers_to(definitions):
    versions = [re.sub(r"<([^|<]*)\|([^|>]*)>", choice, definitions) for choice in (r"\1", r"\1", r"\2")]
    sources = [edited("def helper(z):\n    return z\n", version + "\n") for version in versions]
    first, again, changed = (class_fingerprint(class_of(source)) for source in sources)
    assert first == again != changed


def test_a_chain_of_a_thousand_helpers_is_followed_to_its_end():
    chain = "def f0(z): return {} * z\n"
    chain += "".join(f"def f{k + 1}(z): return f{k}(z)\n" for k in range(1000))
    source = edited("def helper(z):\n    return z\n", chain + "helper = f1000\n")
    assert after_edit("return {} * z", "return {} + z", source)


@pytest.mark.parametrize(
    "use",
    [
        "import extra\ndef helper(z): return extra.f(z)",
        "import extra as e\ndef helper(z): return e.f(z)",
        "import extra\ndef helper(z):\n    m = extra\n    return m.f(z)",
        "import extra\ndef helper(z): return getattr(extra, 'f')(z)",
        "from extra import f\ndef helper(z): return f(z)",
        "from extra import f\nX = {'f': [f]}\ndef helper(z): return X['f'][0](z)",
        "def helper(z):\n    from extra import f\n    return f(z)",
        "def helper(z):\n    import extra as e\n    return e.f(z)",
        "def make():\n    import extra\n    return lambda z: extra.f(z)\nhelper = make()",
    ],
)
def test_it_follows_other_modules_by_what_is_used_of_them(use, monkeypatch):
    def of(extra: str) -> str:
        module = types.ModuleType("extra")
        exec(extra, vars(module))
        monkeypatch.setitem(sys.modules, "extra", module)
        return class_fingerprint(class_of(edited("def helper(z):\n    return z\n", use + "\n")))

    first = of("K = 2.0\ndef f(z): return K * z\n")
    assert of("K = 2.0\ndef f(z): return K * z\n") == first
    assert of("# comment\nOTHER = 1\nK = 2.0\ndef f(z): return K * z\n") == first
    assert of("K = 3.0\ndef f(z): return K * z\n") != first
    assert of("K = 2.0\ndef f(z): return K + z\n") != first


@pytest.mark.parametrize(
    "base",
    [
        "@component\nclass Base(fn.Activation):\n    b: float = {}\n",
        "class Base(fn.Activation):\n    __slots__ = ()\n    b = {}\n",
        "class Base(fn.Activation):\n    __slots__ = ()\n    def value(self, z): return {}\n",
        "class Root(fn.Activation):\n    __slots__ = ()\n    b = {}\nclass Base(Root):\n    __slots__ = ()\n",
    ],
)
def test_it_follows_base_classes(base):
    source = edited("@component\nclass Soft(fn.Activation)", base + "\n@component\nclass Soft(Base)")
    assert after_edit("1.5", "2.5", source.replace("{}", "1.5"))


def test_two_loads_of_one_source_agree_wherever_it_is():
    assert class_fingerprint(class_of(SOFT)) == class_fingerprint(class_of("\n" * 50 + SOFT, "elsewhere"))
    scope: dict[str, object] = {"__name__": "__main__"}
    exec(SOFT, scope)
    assert class_fingerprint(scope["Soft"]) == class_fingerprint(class_of(SOFT))  # type: ignore[arg-type]
    nameless: dict[str, object] = {}  # its classes say that they are of the module builtins
    exec(SOFT, nameless)
    assert class_fingerprint(nameless["Soft"]) == class_fingerprint(class_of(SOFT))  # type: ignore[arg-type]


def test_it_does_not_depend_on_the_process(tmp_path):
    rich = edited(
        "def helper(z):\n    return z\n",
        "S = {'a', 'b', 'c', ('d', 1), frozenset('xyz')}\nD = {k: {k} for k in 'abc'}\n"
        "@numba.njit\ndef g(z): return z\n"
        "def helper(z): return g(z) in S or z in {'p', 'q', 'r'} or D or np.sin or tau\n",
    )
    (tmp_path / "soft.py").write_text(rich)
    code = "import soft, fastneuron.fingerprint as f; print(f.class_fingerprint(soft.Soft))"
    path = os.pathsep.join([str(tmp_path), str(PACKAGE.parent)])
    found = set()
    for seed in ("0", "1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": path},
        )
        found.add(done.stdout)
    assert len(found) == 1 and found.pop().strip() == class_fingerprint(class_of(rich))


def test_classes_of_the_package_have_none():
    assert class_fingerprint(fn.Sigmoid) == class_fingerprint(fn.Adam) == ""


def test_a_class_that_claims_to_be_of_the_package_has_one():
    scope: dict[str, object] = {"__name__": "fastneuron.activations"}
    exec(SOFT, scope)
    assert len(class_fingerprint(scope["Soft"])) == 64  # type: ignore[arg-type]


def test_what_is_compiled_or_called_before_does_not_change_it():
    source = edited("def helper", "@numba.njit\ndef helper")
    cls = class_of(source)
    first = class_fingerprint(cls)
    assert cls().value(2.0) == 2.0  # compiles the helper
    assert cls(3.0)._replace(gain=2.0) and cls.__name__ and vars(cls)
    copyreg._slotnames(cls)  # as pickling does, which notes them in the class
    assert class_fingerprint(cls) == first


def test_a_constant_that_is_set_later_counts():
    cls = class_of(SOFT)
    first = class_fingerprint(cls)
    cls.value.__globals__["K"] = 2.0
    assert class_fingerprint(cls) == class_fingerprint(class_of(edited("K = 1.0", "K = 2.0"))) != first
    cls.value.__globals__["K"] = 1.0
    cls.slope = lambda self, z, a: a
    assert class_fingerprint(cls) != first

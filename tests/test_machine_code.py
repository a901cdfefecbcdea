"""What the compiler makes of a step: whole vectors and nothing else. No clock is needed to see it lost."""

import json
import os
import platform
import re
import subprocess
import sys

import pytest

import fastneuron as fn
from fastneuron.fingerprint import PACKAGE

X86 = platform.machine().lower() in {"x86_64", "amd64"}
pytestmark = pytest.mark.skipif(
    not (X86 and fn.info()["fused_multiply_add"]), reason="instructions of x86-64 with multiply-adds"
)
DTYPES = pytest.mark.parametrize("dtype", ["float64", "float32"])

COMPILE = """
import json
import fastneuron as fn
from fastneuron.fingerprint import PACKAGE
from fastneuron.kernels.network import linear_addresses
from fastneuron.kernels.block import write_problem
from fastneuron.kernels.lanes import run_tile
from fastneuron.kernels.layers import write_linear

# what is read from the disk cache has no assembly, but it has the module from which that is made
def assembly(kernel):
    library = kernel.overloads[kernel.signatures[-1]].library
    return kernel.targetctx.codegen()._tm.emit_assembly(library._get_module_for_linking())


code = {}
for dtype in ("float64", "float32"):
    fn.Sweep(
        task=fn.tasks.inverter(),
        loss=fn.CrossEntropy(),
        optimizer=fn.GradientDescent(1.0),
        axes={"bias": [0.0], "weight": [0.0]},
        stop=fn.Stop(max_steps=1),
        dtype=dtype,
    ).run(keep=["steps"], progress=False)
    code[dtype] = assembly(write_problem) + assembly(run_tile)
    linear_addresses(dtype)
    code[f"products of {dtype}"] = assembly(write_linear)
print(json.dumps(code))
"""


@pytest.fixture(scope="module")
def assembly():
    """The assembly of the kernels for each dtype."""
    kept = ("NUMBA_CACHE_DIR",)
    own = {name: text for name, text in os.environ.items() if not name.startswith("NUMBA_") or name in kept}
    environment = own | {"PYTHONPATH": str(PACKAGE.parent)}
    command = [sys.executable, "-W", "error", "-c", COMPILE]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def functions(text, name):
    """The lines of each function whose symbol holds `name`, but not of what only passes a call on to it."""
    found = re.findall(rf"^(\S*{name}\S*):\n(.*?)^\.Lfunc_end", text, re.MULTILINE | re.DOTALL)
    return [
        body.splitlines() for symbol, body in found if not symbol.strip('"').endswith((".part", ".entry"))
    ]


def chunks(text):
    """The lines of each version of `run_chunk`."""
    found = functions(text, "run_chunk")
    assert found
    return found


def innermost_loops(lines):
    """The lines of each loop that holds no other: from a label to a jump back to it."""
    labels = {line.split(":")[0]: k for k, line in enumerate(lines) if re.match(r"\.L\w+:", line)}
    jumps = [(k, re.match(r"\s+j\w+\s+(\.L\w+)", line)) for k, line in enumerate(lines)]
    loops = [(labels[jump[1]], k) for k, jump in jumps if jump and labels.get(jump[1], k) < k]
    inner = [a for a in loops if not any(b != a and a[0] <= b[0] and b[1] <= a[1] for b in loops)]
    return [lines[first : last + 1] for first, last in inner]


def instructions(lines, pattern):
    """The instructions whose name is the pattern."""
    return [line.strip() for line in lines if re.match(rf"\s+{pattern}\s", line)]


MULTIPLY_ADD = r"vfn?m(add|sub)\d+"
ARITHMETIC = rf"({MULTIPLY_ADD}|v?(add|sub|mul|div|max|min|sqrt))"


@DTYPES
def test_multiply_adds_are_of_whole_vectors_on_the_widest_registers(assembly, dtype):
    packed = {"float64": "pd", "float32": "ps"}[dtype]
    register = "%zmm" if fn.info()["vector_bits"] == 512 else "%ymm"
    for lines in chunks(assembly[dtype]):
        found = instructions(lines, MULTIPLY_ADD + packed)
        assert len(found) >= 20  # two sigmoids on two samples, in two vectors or more
        assert [line for line in found if register not in line] == []


@DTYPES
def test_steps_call_nothing(assembly, dtype):
    for lines in chunks(assembly[dtype]):
        assert instructions(lines, "callq?") == []


@DTYPES
def test_innermost_loop_of_the_steps_has_no_scalar_arithmetic(assembly, dtype):
    for lines in chunks(assembly[dtype]):
        loops = innermost_loops(lines)
        assert any(instructions(loop, ARITHMETIC + "p[ds]") for loop in loops)
        for loop in loops:
            assert instructions(loop, ARITHMETIC + "s[ds]") == []


def test_float32_steps_do_not_compute_in_float64(assembly):
    for lines in chunks(assembly["float32"]):
        assert instructions(lines, ARITHMETIC + "[ps]d") == []
        for loop in innermost_loops(lines):  # a component's fields are converted once, before it
            assert instructions(loop, r"v?cvt\w*[ps]d\w*") == []


@DTYPES
def test_products_are_of_whole_vectors_on_the_widest_registers_and_call_nothing(assembly, dtype):
    packed = {"float64": "pd", "float32": "ps"}[dtype]
    register = "%zmm" if fn.info()["vector_bits"] == 512 else "%ymm"
    found = functions(assembly[f"products of {dtype}"], "8products7product")
    assert len(found) >= 2  # of inputs that the lanes share, and of their own
    for lines in found:
        loops = [loop for loop in innermost_loops(lines) if instructions(loop, MULTIPLY_ADD + packed)]
        # the largest tile: its sums stay in registers
        most = max(loops, key=lambda loop: len(instructions(loop, MULTIPLY_ADD + packed)))
        adds = instructions(most, MULTIPLY_ADD + packed)
        assert len(adds) >= 8 and [line for line in adds if register not in line] == []
        assert instructions(most, r"vmov[au]p[ds]") == [
            line for line in instructions(most, r"vmov[au]p[ds]") if not re.search(r"%[xyz]mm\d+, ", line)
        ]
        assert instructions(lines, "callq?") == []


@DTYPES
def test_kernel_counts_no_references(assembly, dtype):
    assert functions(assembly[dtype], "run_tile") and chunks(assembly[dtype])
    assert re.findall(r"NRT_(?:incref|decref)", assembly[dtype]) == []

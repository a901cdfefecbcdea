"""How everything is compiled: the one place with Numba flags.

No fast-math flag is set: every operation is IEEE 754's, and multiply-adds are fused only where the
source says `fma`. So the bits of a result depend neither on the vector width nor on which loop,
thread or machine a start was computed in (tests/test_invariants.py).

``error_model="numpy"``: a division by zero is an infinity; with Python's error a check would stand
in every loop and keep it from vectorising. ``_nrt=False``: kernels allocate nothing, so no references are
counted, which halves what LLVM has to read.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from numba import jit, njit, typeof, types
from numba.core.errors import NumbaError as NumbaError  # what a kernel that cannot be compiled raises
from numba.extending import intrinsic, overload

from fastneuron.kernels.apart import apart
from fastneuron.kernels.cache import KernelCache
from fastneuron.kernels.pipelines import KernelCompiler, MethodCompiler, PartCompiler

_FLAGS: Any = {"nogil": True, "error_model": "numpy", "_nrt": False, "no_cfunc_wrapper": True}
_PART: Any = _FLAGS | {"no_cpython_wrapper": True, "pipeline_class": PartCompiler}
_METHOD: Any = _PART | {"pipeline_class": MethodCompiler}
_jit: Any = njit  # its type knows only some of its options


def inner(function: Callable[..., Any]) -> Any:
    """Compile a function that only other kernels call; it is cached as a part of them."""
    return _jit(forceinline=False, **_PART)(function)


def helper(function: Callable[..., Any]) -> Any:
    """Compile a function that a component's method calls: inlined, since it may take whole vectors."""
    return _jit(forceinline=True, **_METHOD)(function)


def compiled_anew(compiled: Any, function: Callable[..., Any]) -> Any:
    """Compile `function` as a user has compiled a helper, with the same options and signatures."""
    signatures = () if compiled._can_compile else (compiled.nopython_signatures,)
    again: Any = jit
    return again(*signatures, locals=compiled.locals, **compiled.targetoptions)(function)


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function that Python calls: a serial kernel without the GIL, cached on disk."""
    compiled = _jit(pipeline_class=KernelCompiler, **_FLAGS)(function)
    compiled._cache = KernelCache(function)
    return compiled


def specialised(compiled: Any, *arguments: Any) -> Any:
    """The machine code of a kernel for arguments of these types, compiled or loaded if need be.

    A kernel is called through this where records are among its arguments: it would itself take two classes of
    one name and the same fields for one, and its look at nested records takes as long as a small tile.
    Signals do not reach the compiler (tests/test_interrupt.py).
    """
    kinds = tuple(typeof(argument) for argument in arguments)
    there = compiled.overloads.get(kinds)
    if there is not None:
        return there.entry_point
    with _no_collection():
        return apart(lambda: compiled.compile(kinds))


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without Python's garbage collector, which finds little to free while a function is compiled."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def compiled_as(plain: Callable[..., Any]) -> Any:
    """Decorator: what `plain` means inside kernels; the function picks the body from argument types.

    LLVM inlines the body. (Numba's own inlining gives the same machine code and compiles several times
    slower.)
    """
    return overload(plain, _PART | {"forceinline": True}, strict=False)


def _attribute(text: str) -> Any:
    """An intrinsic that gives the function which calls it an LLVM attribute."""

    @intrinsic
    def mark(typingctx: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            attributes = builder.function.attributes
            attributes._known = attributes._known | {text}
            attributes.add(text)
            return context.get_dummy_value()

        return types.none(), codegen

    return mark


# Compile the calling function for 512-bit vectors where the machine has them: by default LLVM stops at 256
# bits, which costs a quarter of the speed.
use_full_width = _attribute('"prefer-vector-width"="512"')
# Scalar code that is called now and then: one copy of it compiles several times faster than many.
never_inline = _attribute("noinline")
# Scalar code as it is written: loops of a few rounds become neither vectors nor unrolled.
compact = _attribute("optsize")

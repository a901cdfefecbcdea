"""Functions that only others call: optimised, then a part of these. No machine code is made of them alone.

Numba makes machine code of every function it compiles, also of one that is only linked into others, which
takes a fifth of the time that a new combination of components costs (docs/decisions/0005-compile-time.md).
"""

from typing import Any

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.cpu import _dynfunc  # type: ignore[attr-defined]
from numba.core.typed_passes import NativeLowering


class _Library(JITCodeLibrary):
    """The optimised code of a function, to be linked into that of others."""

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._verify_declare_only_symbols()
        self._finalized = True


@register_pass(mutates_CFG=True, analysis_only=False)
class _Lowering(NativeLowering):
    """Numba's own lowering, into such a library."""

    _name = "part_lowering"

    def run_pass(self, state: Any) -> bool:
        name = state.func_id.func_qualname
        state.library = _Library(state.targetctx.codegen(), name)
        state.library.enable_object_caching()
        state.flags.no_compile = True
        super().run_pass(state)
        state.library.finalize()
        lowered = state.cr
        # calls are resolved by the object that Python would call, if there were machine code
        module = lowered.fndesc.lookup_module()
        own = _dynfunc.make_function(module, name, "", 0, lowered.env, (state.library,))
        state.targetctx.insert_user_function(own, lowered.fndesc, [state.library])
        state.cr = lowered._replace(cfunc=own)
        return True


class PartCompiler(CompilerBase):
    """Compiles a function for others: the ``pipeline_class`` of Numba's decorators."""

    def define_pipelines(self) -> list[Any]:
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state, "part")
        passes.passes = [
            (_Lowering if kind is NativeLowering else kind, text) for kind, text in passes.passes
        ]
        passes.finalize()
        return [passes]

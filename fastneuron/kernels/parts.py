"""Functions that only others call: optimised, then a part of these. No machine code is made of them alone.

Numba makes machine code of every function it compiles, also of one that is only linked into others, and looks
in each for what kernels do not have. Both together take a quarter of the time that a new combination of
components costs (docs/decisions/0005-compile-time.md).
"""

from typing import Any

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import PassManager, register_pass
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


# passes for `with`, functions within functions, exceptions with arguments, Numba's own inlining,
# `literal_unroll`, and expressions of whole arrays
_NEEDLESS = frozenset(
    {
        "WithLifting",
        "InlineClosureLikes",
        "RewriteDynamicRaises",
        "MakeFunctionToJitFunction",
        "InlineInlinables",
        "LiteralUnroll",
        "LiteralPropagationSubPipelinePass",
        "InlineOverloads",
        "NopythonRewrites",
    }
)


class MethodCompiler(CompilerBase):
    """Compiles a method of a component, which may be a user's: a ``pipeline_class`` for Numba."""

    needless: frozenset[str] = frozenset()

    def define_pipelines(self) -> list[Any]:
        whole = DefaultPassBuilder.define_nopython_pipeline(self.state)
        manager = PassManager("part")
        for kind, text in whole.passes:
            if kind.__name__ not in self.needless:
                manager.add_pass(_Lowering if kind is NativeLowering else kind, text)
        manager.finalize()
        return [manager]


class PartCompiler(MethodCompiler):
    """Compiles a part of a kernel."""

    needless = _NEEDLESS

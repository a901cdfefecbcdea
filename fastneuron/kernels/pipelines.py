"""How functions go through Numba: the kernels that Python calls, and the parts of which they are made.

A part is linked into kernels and into other parts, and called from nowhere else. So no machine code is made
of it, and it goes through Numba's cheap round of optimisation alone: the kernel goes through all of them,
with its parts in it. Numba does everything for every function, and looks in each for what kernels do not
have; that would take a third of the time which a new combination of components costs
(docs/decisions/0005-compile-time.md).

A kernel keeps its parts to itself. Numba lets others find them by name, which is the same for two components
of one name: a process numbers them anew, and of a class only its name counts. So of two such kernels from the
disk cache, the second would run the code of the first.
"""

from typing import Any

from llvmlite.binding import Linkage
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.cpu import _dynfunc  # type: ignore[attr-defined]
from numba.core.typed_passes import NativeLowering


class _Part(JITCodeLibrary):
    """The code of a function, to be linked into that of others."""

    def _optimize_final_module(self) -> None:
        codegen = self._codegen
        passes, builder = codegen._module_pass_manager(
            loop_vectorize=codegen._loopvect, slp_vectorize=False, opt=codegen._opt_level, cost="cheap"
        )
        passes.run(self._final_module, builder)

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._verify_declare_only_symbols()
        self._finalized = True


class _Kernel(JITCodeLibrary):
    """The code of a kernel, whose parts no other can find."""

    def _optimize_final_module(self) -> None:
        for function in self._final_module.functions:
            if function.linkage == Linkage.linkonce_odr and not function.is_declaration:
                function.linkage = Linkage.internal
        super()._optimize_final_module()


@register_pass(mutates_CFG=True, analysis_only=False)
class _KernelLowering(NativeLowering):
    """Numba's own lowering, into a library of ours."""

    _name = "kernel_lowering"
    library: Any = _Kernel

    def run_pass(self, state: Any) -> bool:
        state.library = self.library(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        done: bool = super().run_pass(state)
        return done


@register_pass(mutates_CFG=True, analysis_only=False)
class _PartLowering(_KernelLowering):
    """The same for a part, which Python cannot call."""

    _name = "part_lowering"
    library = _Part

    def run_pass(self, state: Any) -> bool:
        state.flags.no_compile = True
        done = super().run_pass(state)
        state.library.finalize()
        lowered = state.cr
        # calls are resolved by the object that Python would call, if there were machine code
        module, name = lowered.fndesc.lookup_module(), state.func_id.func_qualname
        own = _dynfunc.make_function(module, name, "", 0, lowered.env, (state.library,))
        state.targetctx.insert_user_function(own, lowered.fndesc, [state.library])
        state.cr = lowered._replace(cfunc=own)
        return done


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


class KernelCompiler(CompilerBase):
    """Compiles a kernel: a ``pipeline_class`` for Numba."""

    lowering: Any = _KernelLowering
    needless: frozenset[str] = frozenset()

    def define_pipelines(self) -> list[Any]:
        whole = DefaultPassBuilder.define_nopython_pipeline(self.state)
        manager = PassManager("fastneuron")
        for kind, text in whole.passes:
            if kind.__name__ not in self.needless:
                manager.add_pass(self.lowering if kind is NativeLowering else kind, text)
        manager.finalize()
        return [manager]


class MethodCompiler(KernelCompiler):
    """Compiles a method of a component, which may be a user's."""

    lowering = _PartLowering


class PartCompiler(KernelCompiler):
    """Compiles any other part of a kernel."""

    lowering = _PartLowering
    needless = _NEEDLESS

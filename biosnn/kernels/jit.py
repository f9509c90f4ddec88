"""How biosnn compiles: the only place that names compiler options.

Kernels release the global interpreter lock (threads run over chunks of trials) and are cached on
disk, so that a second process starts at once. `fastmath` stays off: sums keep their order, NaN and
infinity keep their meaning. Division follows numpy (infinity, not an exception), because the check
for zero would keep loops off the vector units.

Kernels call each other across files; the cache, which looks at the file of a kernel only, is told
about all of them (code_cache.py).
"""

import hashlib
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numba
import numpy as np
from numba.core import codegen

from ..support.code_cache import cache_of

_OPTIONS = {"nogil": True, "error_model": "numpy"}
_FOR_KERNELS = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}

_SOURCES = sorted(
    Path(__file__).parent.glob("*.py")
)  # compiled code follows from all of this folder
_STAMP = hashlib.sha256(b"".join(path.read_bytes() for path in _SOURCES)).hexdigest()


class _Inner(codegen.JITCodeLibrary):
    """The code of a kernel that kernels call: an ingredient of theirs, which never runs by itself.

    What is called from Python is optimized as a whole. Numba would also optimize each ingredient as
    a whole, once for every level of calls, and make machine code of it.
    """

    def _optimize_final_module(self):
        passes, builder = self._codegen._module_pass_manager(
            loop_vectorize=self._codegen._loopvect,
            slp_vectorize=False,
            opt=self._codegen._opt_level,
            cost="cheap",
        )
        passes.run(self._final_module, builder)

    def _finalize_final_module(self):
        self._finalize_dynamic_globals()
        self._verify_declare_only_symbols()
        self._finalized = True

    def get_pointer_to_function(self, name):
        return 0


@contextmanager
def _compiling_as(library, set_environment):
    """What is compiled inside becomes code of this kind; other threads wait."""
    target = codegen.JITCPUCodegen
    with numba.core.compiler_lock.global_compiler_lock:
        before = target._library_class, target.set_env
        target._library_class, target.set_env = library, set_environment
        try:
            yield
        finally:
            target._library_class, target.set_env = before


_SET_ENVIRONMENT = codegen.JITCPUCodegen.set_env


def _compiled_as(compile_kernel, library, set_environment):
    """`compile` of a dispatcher, for code of one kind."""

    def compiled(signature):
        with _compiling_as(library, set_environment):
            return compile_kernel(signature)

    return compiled


def _no_environment(codegen, name, environment):
    """An ingredient has no place for the environment of exceptions with arguments."""


def _whole(function, options):
    """A kernel that Python calls, in the cache on disk."""
    made = numba.njit(**_OPTIONS, **options)(function)
    made._cache = cache_of(function, _STAMP)
    made.compile = _compiled_as(made.compile, codegen.JITCodeLibrary, _SET_ENVIRONMENT)
    return made


def _twins(function, options):
    """A kernel for kernels, which calls from Python hand on to one that is compiled as a whole.

    The latter has a wrapper that takes every array of the arguments out of its Python object, and
    costs as much to compile as a small kernel, or ten times as much with tuples of arrays.
    """
    inner = numba.njit(**_OPTIONS, **options, **_FOR_KERNELS)(function)

    @cache
    def outer():
        """The other one, made when it is needed: `import biosnn` stays quick."""
        return _whole(function, options)

    inner.compile = _compiled_as(inner.compile, _Inner, _no_environment)
    inner.add_overload = lambda found: inner.overloads.update({found.signature.args: found})
    inner._compile_for_args = lambda *arguments: outer()
    inner.for_python = outer
    return inner


def _compiler(**options):
    """A decorator like numba.njit, whose cache is as old as the newest file with kernels."""

    def decorate(function):
        if (
            numba.config.DISABLE_JIT
        ):  # numbers overflow and divide by zero without a word, as in compiled kernels
            return np.errstate(all="ignore")(function)
        return _twins(function, options)

    return decorate


#: Kernels whose order of additions is part of the result. A product and the addition after it are
#: not fused, in adjoints neither: whether the compiler could would depend on what else it has
#: compiled, and so would the bits.
kernel = _compiler()

#: Dot products, which need a free order of additions to use vector units. NaN and infinity keep
#: their meaning.
reduction = _compiler(fastmath={"contract", "reassoc"})

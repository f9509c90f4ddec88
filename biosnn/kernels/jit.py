"""How biosnn compiles: the only place that names compiler options.

Kernels release the global interpreter lock (threads run over chunks of trials) and are cached on
disk, so that a second process starts at once. `fastmath` stays off: sums keep their order, NaN and
infinity keep their meaning. Division follows numpy (infinity, not an exception), because the check
for zero would keep loops off the vector units.

Kernels call each other across files; the cache, which looks at the file of a kernel only, is told
about all of them (code_cache.py).
"""

import ctypes
import hashlib
import sys
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import llvmlite.binding
import numba
import numpy as np
from numba.core import cgutils, codegen, types
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    infer_getattr,
    intrinsic,
    lower_getattr_generic,
    models,
    register_model,
)
from numba.np.arrayobj import populate_array

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


#: Kernels whose order of additions is part of the result (everything in the forward pass).
kernel = _compiler()

#: Kernels that may fuse a product with the addition after it (adjoint: the order of additions is
#: still fixed).
fused = _compiler(fastmath={"contract"})

#: Dot products, which need a free order of additions to use vector units. NaN and infinity keep
#: their meaning.
reduction = _compiler(fastmath={"contract", "reassoc"})


def _without_owner(context, builder, kind, value):
    if isinstance(kind, types.Array):
        array = context.make_array(kind)(context, builder, value)
        array.meminfo = cgutils.get_null_value(array.meminfo.type)
        array.parent = cgutils.get_null_value(array.parent.type)
        return array._getvalue()
    if isinstance(kind, types.BaseTuple):
        parts = [
            _without_owner(context, builder, each, builder.extract_value(value, k))
            for k, each in enumerate(kind)
        ]
        return context.make_tuple(builder, kind, parts)
    return value


@intrinsic
def _part(typing_context, array, first, size):
    def generate(context, builder, signature, arguments):
        whole, first, size = (
            context.cast(builder, value, given, wanted)
            for value, given, wanted in zip(
                arguments, signature.args, (array, types.intp, types.intp)
            )
        )
        data = context.make_array(array)(context, builder, whole).data
        view = context.make_array(flat)(context, builder)
        width = context.get_constant(
            types.intp, context.get_abi_sizeof(context.get_data_type(array.dtype))
        )
        populate_array(
            view,
            data=builder.gep(data, [first], inbounds=True),
            shape=[size],
            strides=[width],
            itemsize=width,
            meminfo=None,
        )
        return view._getvalue()

    flat = types.Array(array.dtype, 1, "C")
    return flat(array, first, size), generate


class _Lent(types.Type):
    """The address of a named tuple, whose fields are read one by one.

    A kernel hands it on as one word; the tuple itself is hundreds of words, which every kernel that
    gets it would take apart, and which take minutes to compile.
    """

    def __init__(self, fields):
        self.kind = fields
        super().__init__(name=f"Lent({fields})")


@register_model(_Lent)
class _LentModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, manager.lookup(kind.kind).get_value_type().as_pointer())


@infer_getattr
class _LentFields(AttributeTemplate):
    key = _Lent

    def generic_resolve(self, kind, name):
        if name not in kind.kind.fields:
            return None
        field = kind.kind[kind.kind.fields.index(name)]
        return _Lent(field) if isinstance(field, types.BaseNamedTuple) else field


@lower_getattr_generic(_Lent)
def _lent_field(context, builder, kind, address, name):
    place = kind.kind.fields.index(name)
    at = cgutils.gep_inbounds(builder, address, 0, place)
    field = kind.kind[place]
    if isinstance(field, types.BaseNamedTuple):
        return at
    return _without_owner(context, builder, field, builder.load(at))


@intrinsic
def _lent(typing_context, arrays):
    def generate(context, builder, signature, arguments):
        value = _without_owner(context, builder, arrays, arguments[0])
        return cgutils.alloca_once_value(builder, value)

    return _Lent(arrays)(arrays), generate


#: A named tuple of arrays by its address, and its arrays without reference counts, which threads
#: would fight over at every slice. For the entrance of a kernel: its caller keeps the arrays alive.
lent = (lambda arrays: arrays) if numba.config.DISABLE_JIT else _lent


def _plain_part(array, first, size):
    return array[first : first + size]


@kernel
def _checked_part(array, first, size):
    if size > 0 and (first < 0 or first + size > array.size):
        raise IndexError("a part of a vector that does not lie inside of it")
    return _part(array, first, size)


#: array[first:first + size] of a contiguous vector, without the clipping that makes slices slow: it
#: must lie inside.
part = (
    _plain_part
    if numba.config.DISABLE_JIT
    else _checked_part
    if numba.config.BOUNDSCHECK
    else _part
)


@intrinsic
def _lowest_bit(typing_context, word):
    def generate(context, builder, signature, arguments):
        return builder.cttz(arguments[0], cgutils.false_bit)

    return types.int64(types.uint64), generate


#: Position of the lowest 1 of a 64-bit word.
lowest_bit = (
    (lambda word: (int(word) & -int(word)).bit_length() - 1)
    if numba.config.DISABLE_JIT
    else _lowest_bit
)


# --------------------------------------------------------------------------- for the network engine


@intrinsic
def _at_address(typing_context, address, size, like):
    def generate(context, builder, signature, arguments):
        address, size = (
            context.cast(builder, value, given, types.intp)
            for value, given in zip(arguments[:2], signature.args[:2])
        )
        view = context.make_array(flat)(context, builder)
        width = context.get_constant(
            types.intp, context.get_abi_sizeof(context.get_data_type(like.dtype))
        )
        populate_array(
            view,
            data=builder.inttoptr(address, view.data.type),
            shape=[size],
            strides=[width],
            itemsize=width,
            meminfo=None,
        )
        return view._getvalue()

    flat = types.Array(like.dtype, 1, "C")
    return flat(address, size, like), generate


def _plain_at_address(address, size, like):
    whole = (ctypes.c_byte * (int(size) * like.dtype.itemsize)).from_address(int(address))
    return np.frombuffer(whole, like.dtype)


#: A vector of the element type of `like` in memory that somebody else keeps alive. Projections
#: differ in type and size, and
#: kernels cannot hold a list of such arrays.
at_address = _plain_at_address if numba.config.DISABLE_JIT else _at_address


def _pointer(context, builder, signature, arguments):
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    return builder.gep(
        array.data, [context.cast(builder, arguments[1], signature.args[1], types.intp)]
    )


@intrinsic
def _atomic_add(typing_context, array, index, value):
    def generate(context, builder, signature, arguments):
        value = context.cast(builder, arguments[2], signature.args[2], types.int64)
        return builder.atomic_rmw(
            "add", _pointer(context, builder, signature, arguments), value, "seq_cst"
        )

    return types.int64(array, index, value), generate


@intrinsic
def _atomic_load(typing_context, array, index):
    def generate(context, builder, signature, arguments):
        return builder.load_atomic(_pointer(context, builder, signature, arguments), "seq_cst", 8)

    return types.int64(array, index), generate


@intrinsic
def _is_raised(typing_context, flags, place):
    def generate(context, builder, signature, arguments):
        flag = builder.load_atomic(_pointer(context, builder, signature, arguments), "monotonic", 8)
        return builder.icmp_signed("!=", flag, flag.type(0))

    return types.boolean(flags, place), generate


#: Whether the number at a place of an int64 vector, which another thread may write, is not 0.
is_raised = (lambda flags, place: flags[place] != 0) if numba.config.DISABLE_JIT else _is_raised


def _system_yield(platform):
    """The function of the operating system that gives a thread's time slice to others.

    It returns an int.
    """
    return (
        ctypes.WinDLL("kernel32").SwitchToThread
        if platform == "win32"
        else ctypes.CDLL(None).sched_yield
    )


llvmlite.binding.add_symbol(
    "biosnn_yield", ctypes.cast(_system_yield(sys.platform), ctypes.c_void_p).value
)
_yield = types.ExternalFunction("biosnn_yield", types.int32())


def _plain_meet(control, meeting, threads):
    control[0] += 1


@kernel
def _meet(control, meeting, threads):
    """Wait until all threads have come to this meeting.

    They spin, since the wait is short, but other processes get their turn.

    control: int64, zeros at the start; [0] counts arrivals, a number other than 0 in [8] sends
    everybody home.
    """
    _atomic_add(control, 0, 1)
    spins = 0
    while _atomic_load(control, 0) < meeting * threads and _atomic_load(control, 8) == 0:
        spins += 1
        if spins > 1000:
            _yield()


#: The meeting number `meeting` (1, 2, …) of all threads.
meet = _plain_meet if numba.config.DISABLE_JIT else _meet

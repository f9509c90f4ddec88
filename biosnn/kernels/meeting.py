"""Threads of one large network: they meet, and one can send all home; flags that end a kernel."""

import ctypes
import sys

import llvmlite.binding
import numba
from numba.core import types
from numba.extending import intrinsic

from .jit import kernel


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

"""Threads of one large network: they meet, get work, and are sent home; flags that end a kernel."""

import ctypes
import platform
import sys

import llvmlite.binding
import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from .jit import kernel

#: Places in a vector by which threads meet, in cache lines of their own, and its size; behind
#: `SLICES`, how many slices of time have begun, the first step of the present one, and its end.
ARRIVED, MET, HOME, SLICES, CONTROL = 16, 32, 40, 48, 64
_PATIENCE = 2000  # looks of a thread that waits before it lets other processes run …
_YIELDS = 1000  # … and how often it does so before it sleeps
_NAP = np.uint32(20)  # microseconds


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


def _system_calls(system):
    """What lets other threads run, and what sleeps for some microseconds; both return an int."""
    if system == "win32":
        switch = ctypes.WinDLL("kernel32").SwitchToThread
        return switch, switch  # to sleep takes a millisecond there, or fifteen
    libc = ctypes.CDLL(None)
    return libc.sched_yield, libc.usleep


for _name, _call in zip(("biosnn_yield", "biosnn_sleep"), _system_calls(sys.platform)):
    llvmlite.binding.add_symbol(_name, ctypes.cast(_call, ctypes.c_void_p).value)
_yield = types.ExternalFunction("biosnn_yield", types.int32())
_sleep = types.ExternalFunction("biosnn_sleep", types.int32(types.uint32))


#: What tells a processor that a loop only waits, so that what shares its core goes on: by machine
#: the name in LLVM, and what it takes.
_PAUSE = {
    "x86_64": ("llvm.x86.sse2.pause", []),
    "amd64": ("llvm.x86.sse2.pause", []),
    "aarch64": ("llvm.aarch64.hint", [1]),
    "arm64": ("llvm.aarch64.hint", [1]),
}


@intrinsic
def _pause(typing_context):
    def generate(context, builder, signature, arguments):
        name, given = _PAUSE.get(platform.machine().lower(), ("", []))
        word = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [word] * len(given))
        if name:
            function = cgutils.get_or_insert_function(builder.module, kind, name)
            builder.call(function, [word(value) for value in given])
        return context.get_dummy_value()

    return types.void(), generate


@kernel
def _wait(control, place, count):
    """Wait until control[place] is `count`, or all are sent home.

    Threads spin, since the wait is short. Where it is not, the thread that they wait for has no
    processor: they give theirs away, and then sleep, so that the system moves it there.
    """
    spins = 0
    while _atomic_load(control, place) < count and _atomic_load(control, HOME) == 0:
        spins += 1
        if spins <= _PATIENCE:
            _pause()
        elif spins <= _PATIENCE + _YIELDS:
            _yield()
        else:
            _sleep(_NAP)


@kernel
def _meet(control, meeting, threads):
    """Wait until all threads have come to this meeting.

    The last one to come says so at a place of its own, which the others look at: they do not
    disturb those who arrive.

    control: int64, CONTROL zeros at the start; a number other than 0 in [HOME] sends all home.
    """
    if _atomic_add(control, ARRIVED, 1) + 1 == meeting * threads:
        _atomic_add(control, MET, 1)
        return
    _wait(control, MET, meeting)


@kernel
def _begin_slice(control):
    """Let the others begin with the slice of time that `control` has."""
    _atomic_add(control, SLICES, 1)


@kernel
def await_slice(control, slices):
    """Wait until so many slices have begun; returns whether it is time to go home instead."""
    _wait(control, SLICES, slices)
    return _is_raised(control, HOME)


def _plain_meet(control, meeting, threads):
    control[ARRIVED] += 1
    control[MET] += 1


def _plain_begin_slice(control):
    control[SLICES] += 1


_PLAIN = numba.config.DISABLE_JIT  # there is one thread then

#: The meeting number `meeting` (1, 2, …) of all threads.
meet = _plain_meet if _PLAIN else _meet

#: One thread begins a slice of time, which the others await.
begin_slice = _plain_begin_slice if _PLAIN else _begin_slice

"""Room for numbers: vectors that begin at a cache line, apart from each other, in huge pages."""

import ctypes
import mmap
import sys
from contextlib import suppress

import numpy as np

from .simd import LANES, SPAN_BYTES

_BEYOND = max(SPAN_BYTES, 8 * LANES, 2048)
_HUGE = 1 << 21  # bytes of a huge page


def aligned(shape, dtype):
    """An uninitialized array that begins at a cache line, and whose end is apart from others.

    Vector units then never read across two. Bytes may be read after its end, and processors, which
    fetch ahead, do so: not into what another thread writes.
    """
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.empty(size + 64 + _BEYOND, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + size].view(dtype).reshape(shape)


def spacious(size, dtype):
    """An uninitialized vector in huge pages, where the system has them.

    Memory that is read in short pieces at many places costs a walk through the page tables for each
    place with pages of 4 KiB. Memory of its own is also placed by whoever touches it first.
    """
    wanted = size * np.dtype(dtype).itemsize
    if wanted < _HUGE or not hasattr(mmap, "MADV_HUGEPAGE"):
        return np.empty(size, dtype)
    room = mmap.mmap(-1, wanted + _HUGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with suppress(OSError):  # a kernel without them
        room.madvise(mmap.MADV_HUGEPAGE)
    memory = np.frombuffer(room, np.uint8)
    start = -memory.ctypes.data % _HUGE
    return memory[start : start + wanted].view(dtype)


def give_back():
    """Return memory that was freed to the system, where the library of C keeps it (glibc).

    Else it keeps what lies between other things that are in use.
    """
    if sys.platform == "linux":
        with suppress(AttributeError, OSError):  # another library
            ctypes.CDLL(None).malloc_trim(0)


def aligned_copy(array):
    """A copy of an array that begins at a cache line."""
    copy = aligned(array.shape, array.dtype)
    copy[...] = array
    return copy

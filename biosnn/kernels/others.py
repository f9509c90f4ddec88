"""One large network on several processes: what they tell each other where their threads meet.

Each process has neighbouring parts of the network, and the lists of recent spikes of all parts.
What its own parts have found since the last meeting is one message: its length, and then step by
step, part by part, population by population the number of spikes, their neurons, and the releases
of short-term plasticity. All send the same number of words, so that one exchange is enough as a
rule; where a message is longer, all see it, and send once more.
"""

import ctypes
from typing import NamedTuple

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from .events import emitted_in_part, listed
from .jit import kernel

#: Places in Others.state: how many words all send, and whether the messages have come.
WORDS, CAME = 0, 1
FEWEST_WORDS = 256
_ZERO, _ONE = np.int64(0), np.int64(1)


class Others(NamedTuple):
    """The processes that run parts of one network, and messages between them."""

    call: int  # address of a function of the number of words, which exchanges them; 0: no others
    rank: int  # of this process
    first: np.ndarray  # (ranks + 1,) first part of each process
    stage: np.ndarray  # (P,) the exchange of a meeting that has it: 0, or k + 1 for pool k
    state: np.ndarray  # (2,)
    sent: np.ndarray  # (words,) whole numbers as wide as a state
    got: np.ndarray  # (ranks * words,) the messages of all
    sent_values: np.ndarray  # the same memory as numbers of the network
    got_values: np.ndarray


@intrinsic
def _call(typing_context, address, words):
    def generate(context, builder, signature, arguments):
        kind = ir.FunctionType(ir.VoidType(), [ir.IntType(64)])
        builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), [arguments[1]])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


#: Call what is made with this at its address, from a kernel.
CALLED = ctypes.CFUNCTYPE(None, ctypes.c_int64)
call = (lambda address, words: CALLED(address)(words)) if numba.config.DISABLE_JIT else _call


@kernel
def own_parts(run):
    """The first part of this process, and how many it has."""
    first, rank = run.others.first, run.others.rank
    return first[rank], first[rank + 1] - first[rank]


@kernel
def _spikes(run, stage, n, t, message, values, at, writes):
    """Write the spikes of step n of part t into a message, or read them; returns where they end."""
    recent, tables, stages = run.recent, run.tables, run.others.stage
    slot, units = n & recent.mask, recent.units
    for p in range(tables.n_firing):
        if stages[p] == stage:
            if writes:
                message[at] = recent.n_spikes[slot, t, p]
            else:
                recent.n_spikes[slot, t, p] = message[at]
            at += 1
            sent = listed(recent, p, n, t)
            for e in range(sent.first, sent.last):
                if writes:
                    message[at] = units[e]
                else:
                    units[e] = message[at]
                at += 1
    for q in range(tables.shorts.size if stage == 0 else 0):
        wire = tables.wires[tables.shorts[q].wire]
        if wire.source >= tables.n_inputs:
            sent = emitted_in_part(tables, run.inputs, recent, run.span, wire, n, t)
            for e in range(sent.first, sent.last):
                if writes:
                    values[at] = sent.values[e - sent.shift]
                else:
                    sent.values[e - sent.shift] = values[at]
                at += 1
    return at


@kernel
def _all_spikes(run, stage, first, last, rank, message, values, at, writes):
    """Those of steps first .. last of the parts of a process; returns where they end."""
    begin, end = run.others.first[rank], run.others.first[rank + 1]
    for n in range(first, last + 1):
        for t in range(begin, end):
            at = _spikes(run, stage, n, t, message, values, at, writes)
    return at


@kernel
def _swapped(others, words):
    """All send so many words of their messages; returns the length of the longest one.

    It is 0 where nothing came.
    """
    others.state[CAME], longest = 0, _ZERO
    call(others.call, words)
    for rank in range(others.first.size - 1 if others.state[CAME] else 0):
        longest = max(longest, np.int64(others.got[rank * words]))
    return longest


@kernel
def exchange(run, stage, first, last):
    """Tell the others the spikes of steps first .. last, and take theirs.

    Returns whether they came. The number of words that all send follows from the messages, so that
    it is alike on all.
    """
    others = run.others
    rank, ranks, state = others.rank, others.first.size - 1, others.state
    sent, got, values = others.sent, others.got, others.got_values
    sent[0] = _all_spikes(
        run, stage, first, last, rank, sent, others.sent_values, _ONE, np.bool_(True)
    )
    words = state[WORDS]
    longest = _swapped(others, words)
    if longest > words:
        words = min(2 * longest, sent.size)
        longest = _swapped(others, words)
    if longest == 0:
        return False
    for other in range(ranks):
        if other != rank:
            at = other * words + 1
            _all_spikes(run, stage, first, last, other, got, values, at, np.bool_(False))
    fitting = max(FEWEST_WORDS, 2 * longest, words - words // 16)
    state[WORDS] = min(fitting, sent.size)
    return True

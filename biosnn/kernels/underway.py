"""Spikes of one large network that are underway: synapses that have delays of their own.

    send      a spike is listed                      when it is emitted
    deliver   arriving += jump w S_j                 at each step its synapses that are reached then

The run of a neuron (bundles.py) is sorted by delay here, in blocks of one delay each: two words,
the number of synapses and the steps until the next block, and then the synapses. A spike is listed
with the address of its next block, so that what arrives at one step is read from as many blocks,
and added to one number for each target. These numbers stay in the second-level cache, which a ring
of arrivals for all delays does not. A target adds its inputs in the order in which they were
emitted, bundle by bundle and in ascending order of j: that of the ring of batches of trials
(wires.py). Kernels see rows of tables, arrays and scalars only (arrays.py).
"""

import numpy as np

from .bundles import WORDS, add_single, add_weighted, fetch_lines
from .events import emitted_in_part
from .jit import kernel
from .memory import at_address, fetch, part
from .others import own_parts

NEVER = np.int64(np.iinfo(np.int64).max)
HEADER = 2  # words of a block before its synapses
FULL = 65535  # synapses of a block that another one of the same delay follows
_ZERO, _ONE, _HEADER, _WORD = np.int64(0), np.int64(1), np.int64(HEADER), np.int64(2)
_AHEAD = 4  # blocks that are fetched before it is their turn


@kernel
def _make_room(underway, t):
    """Spikes that are over make room for new ones of part t."""
    due, address, factor, which = underway.due, underway.address, underway.factor, underway.bundle
    begin, first, last = underway.first[t], underway.ends[t, 0], underway.ends[t, 1]
    for q in range(first, last):
        at = begin + q - first
        due[at], address[at] = due[q], address[q]
        factor[at], which[at] = factor[q], which[q]
    underway.ends[t, 0], underway.ends[t, 1] = begin, begin + last - first


@kernel
def send_underway(run, n, t):
    """List the spikes of step n whose synapses in part t have delays of their own."""
    tables, inputs, recent, span, parts = run.tables, run.inputs, run.recent, run.span, run.parts
    underway, starts = run.memory.underway, parts.starts[t - own_parts(run)[0]]
    due, address, one = underway.due, underway.address, run.memory.arriving.dtype.type(1)
    factors, which, end = underway.factor, underway.bundle, underway.first[t + 1]
    for g in range(parts.bundles.size):
        bundle, jump = parts.bundles[g], type(one)(parts.bundles[g].jump)
        senders = 1 if bundle.source < tables.n_inputs else parts.bounds.shape[1] - 1
        at_first = bundle.address + parts.first[g, t] * _WORD
        for other in range(senders if bundle.late else 0):
            sent = emitted_in_part(tables, inputs, recent, span, bundle, n, other)
            units, values, shift, first = sent.units, sent.values, sent.shift, bundle.row_first
            for e in range(sent.first, sent.last):
                begin = starts[first + units[e]]
                if begin == starts[first + units[e] + 1]:  # it reaches nobody here
                    continue
                if underway.ends[t, 1] == end:
                    _make_room(underway, t)
                q = underway.ends[t, 1]
                due[q], which[q] = n + bundle.delay, g
                address[q] = at_first + np.int64(begin) * _WORD
                factors[q] = jump * values[e - shift] if values.size else one
                fetch(address[q])
                underway.ends[t, 1] = q + 1


@kernel
def _follow(words, address, width, n):
    """The address behind a block that is due at step n, and when the next one is."""
    count, wait = np.int64(words[0]), np.int64(words[1])
    if count == FULL:
        due = n
    else:
        due = n + wait if wait > 0 else NEVER
    return address + (_HEADER + count * width) * _WORD, due


@kernel
def pass_over(run, n, t):
    """What was to arrive at part t before step n has arrived in an earlier run."""
    underway, bundles = run.memory.underway, run.parts.bundles
    due, address = underway.due, underway.address
    for q in range(underway.ends[t, 0], underway.ends[t, 1]):
        while due[q] < n:
            words = at_address(address[q], _HEADER, WORDS)
            width = bundles[underway.bundle[q]].width
            address[q], due[q] = _follow(words, address[q], width, due[q])


@kernel
def _fetch_block(parts, underway, q):
    """Have a block fetched, whose number of synapses has been fetched before."""
    words = at_address(underway.address[q], _HEADER, WORDS)
    fetch_lines(underway.address[q], np.int64(words[0]) * parts.bundles[underway.bundle[q]].width)


@kernel
def _add_blocks(parts, underway, place, count, n, t, x):
    """Add the blocks of spikes at `count` places, in their order."""
    due, address = underway.due, underway.address
    for k in range(min(_AHEAD, count)):
        _fetch_block(parts, underway, place[k])
    for k in range(count):
        if k + _AHEAD < count:
            _fetch_block(parts, underway, place[k + _AHEAD])
        q = place[k]
        g = underway.bundle[q]
        bundle, base, factor = parts.bundles[g], parts.base[g, t], underway.factor[q]
        while due[q] == n:
            words = at_address(address[q], _HEADER, WORDS)
            size, at = np.int64(words[0]), address[q] + _HEADER * _WORD
            if bundle.single:
                add_single(at, size, base, x.dtype.type(bundle.weight), x)
            else:
                add_weighted(at, size, parts.like, base, factor, x)
            address[q], due[q] = _follow(words, address[q], bundle.width, n)
        fetch(address[q])


@kernel
def deliver_underway(run, n, t, waiting, x):
    """x += what arrives at step n at part t of spikes that are underway."""
    parts, underway, place = run.parts, run.memory.underway, waiting.place
    due, count, last = underway.due, _ZERO, underway.ends[t, 1]
    for q in range(underway.ends[t, 0], last):
        if count == place.size:
            _add_blocks(parts, underway, place, count, n, t, x)
            count = _ZERO
        place[count] = q
        count += due[q] == n
    _add_blocks(parts, underway, place, count, n, t, x)
    first = underway.ends[t, 0]
    while first < last and due[first] == NEVER:
        first += 1
    underway.ends[t, 0] = first
    if 2 * (first - underway.first[t]) > last - underway.first[t]:
        _make_room(underway, t)

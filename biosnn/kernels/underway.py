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

from typing import NamedTuple

import numpy as np

from .bundles import WORDS, add_single, add_weighted, fetch_lines
from .events import emitted_in_part
from .jit import kernel
from .memory import at_address, fetch
from .others import own_parts

NEVER = np.int64(np.iinfo(np.int64).max)
HEADER = 2  # words of a block before its synapses
FULL = 65535  # synapses of a block that another one of the same delay follows
_ZERO, _HEADER, _WORD, _LINE = np.int64(0), np.int64(HEADER), np.int64(2), np.int64(64)
_AHEAD = 4  # blocks that are fetched before it is their turn; their headers twice as early


class Underway(NamedTuple):
    """Spikes some of whose synapses have still to be reached, part by part, in their order."""

    due: np.ndarray  # the step at which the next of them are reached, or NEVER
    address: np.ndarray  # of the block of these
    factor: np.ndarray
    base: np.ndarray  # element of `arriving` that is target 0
    single: np.ndarray  # the bundle, if its synapses share a weight, or -1
    first: np.ndarray  # (parts + 1,) room of each part
    ends: np.ndarray  # (parts, a cache line) the first one that is underway, and behind the last


@kernel
def _make_room(underway, t):
    """Spikes that are over make room for new ones of part t."""
    due, address, factor = underway.due, underway.address, underway.factor
    base, single = underway.base, underway.single
    begin, first, last = underway.first[t], underway.ends[t, 0], underway.ends[t, 1]
    for q in range(first, last):
        at = begin + q - first
        due[at], address[at] = due[q], address[q]
        factor[at], base[at], single[at] = factor[q], base[q], single[q]
    underway.ends[t, 0], underway.ends[t, 1] = begin, begin + last - first


@kernel
def send_underway(run, n, t):
    """List the spikes of step n whose synapses in part t have delays of their own."""
    tables, inputs, recent, span, parts = run.tables, run.inputs, run.recent, run.span, run.parts
    underway, starts = run.memory.underway, parts.starts[t - own_parts(run)[0]]
    due, address, one = underway.due, underway.address, run.memory.arriving.dtype.type(1)
    factors, end = underway.factor, underway.first[t + 1]
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
                due[q], underway.base[q] = n + bundle.delay, parts.base[g, t]
                underway.single[q] = g if bundle.single else -1
                address[q] = at_first + np.int64(begin) * _WORD
                factors[q] = jump * values[e - shift] if values.size else one
                underway.ends[t, 1] = q + 1


@kernel
def _follow(wait, size, n):
    """When the block is due that follows one of step n."""
    if size == FULL:
        return np.int64(n)
    return n + wait if wait > 0 else NEVER


@kernel
def pass_over(run, n, t):
    """What was to arrive at part t before step n has arrived in an earlier run."""
    underway, width = run.memory.underway, run.parts.like.itemsize
    due, address = underway.due, underway.address
    for q in range(underway.ends[t, 0], underway.ends[t, 1]):
        while due[q] < n:
            words = at_address(address[q], _HEADER, WORDS)
            size, wait = np.int64(words[0]), np.int64(words[1])
            address[q] += _HEADER * _WORD + size * (width if underway.single[q] < 0 else _WORD)
            due[q] = _follow(wait, size, due[q])


@kernel
def _fetch_rest(underway, width, q):
    """Have the lines of a block fetched behind those two that have been."""
    address = underway.address[q]
    size = np.int64(at_address(address, _HEADER, WORDS)[0])
    bytes_ = size * (width if underway.single[q] < 0 else _WORD)
    if bytes_ > 2 * _LINE:
        fetch_lines(address + 2 * _LINE, (bytes_ - 2 * _LINE) // _WORD)


@kernel
def _add_blocks(parts, underway, place, count, n, t, x):
    """Add the blocks of spikes at `count` places, in their order."""
    due, address, width = underway.due, underway.address, parts.like.itemsize
    for k in range(count + 2 * _AHEAD):
        if k < count:
            fetch(address[place[k]])
            fetch(address[place[k]] + _LINE)
        if _AHEAD <= k < count + _AHEAD:
            _fetch_rest(underway, width, place[k - _AHEAD])
        if k < 2 * _AHEAD:
            continue
        q = place[k - 2 * _AHEAD]
        at, step, base, single = address[q], due[q], underway.base[q], underway.single[q]
        while step == n:
            words = at_address(at, _HEADER, WORDS)
            size, wait = np.int64(words[0]), np.int64(words[1])
            at += _HEADER * _WORD
            if single < 0:
                add_weighted(at, size, parts.like, base, underway.factor[q], x)
                at += size * width
            else:
                add_single(at, size, base, x.dtype.type(parts.bundles[single].weight), x)
                at += size * _WORD
            step = _follow(wait, size, n)
        address[q], due[q] = at, step


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

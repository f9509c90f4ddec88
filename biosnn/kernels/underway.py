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

from .bundles import WORDS, add_single, add_weighted, fetch_lines, queue
from .events import emitted_in_part
from .jit import kernel
from .memory import at_address, copy_line, fetch
from .others import own_parts

NEVER = np.int64(np.iinfo(np.int64).max)
HEADER = 2  # words of a block before its synapses
FULL = 65535  # synapses of a block that another one of the same delay follows
_COPY = 32  # words that are copied at once …
SHORT = 3 * _COPY  # … and of a short block: so many must be readable behind all blocks
_ZERO, _ONE, _HEADER, _WORD = np.int64(0), np.int64(1), np.int64(HEADER), np.int64(2)
_LINE, _SHORT = np.int64(64), np.int64(SHORT)
_BASE, _ALONE, _U64 = np.int64(24), np.int64(1 << 23), np.uint64  # bits of a kind
_AHEAD = 4  # blocks that are fetched before it is their turn; their first lines twice as early


class Underway(NamedTuple):
    """Spikes some of whose synapses have still to be reached, part by part, in their order."""

    due: np.ndarray  # the step at which the next of them are reached, or NEVER
    address: np.ndarray  # of the block of these
    kind: np.ndarray  # of its synapses, as `_kind_of` has it
    factor: np.ndarray
    first: np.ndarray  # (parts + 1,) room of each part
    ends: np.ndarray  # (parts, a cache line) the first one that is underway, and behind the last


@kernel
def _kind_of(parts, g, t):
    """Of synapses of bundle g in part t: what must be equal to add some of them in one loop.

    Target 0, whether each block is added alone, and the bundle if its synapses share a weight.
    """
    bundle = parts.bundles[g]
    base, single = parts.base[g, t], g + 1 if bundle.single else _ZERO
    return (base << _BASE) | (_ALONE if bundle.alone else _ZERO) | single


@kernel
def _single_of(kind):
    """The bundle, if its synapses share a weight, or -1."""
    return (kind & (_ALONE - 1)) - 1


@kernel
def _make_room(underway, t):
    """Spikes that are over make room for new ones of part t."""
    due, address, factor, kind = underway.due, underway.address, underway.factor, underway.kind
    begin, first, last = underway.first[t], underway.ends[t, 0], underway.ends[t, 1]
    for q in range(first, last):
        at = begin + q - first
        due[at], address[at], factor[at], kind[at] = due[q], address[q], factor[q], kind[q]
    underway.ends[t, 0], underway.ends[t, 1] = begin, begin + last - first


@kernel
def _list_waiting(run, waiting, count, n, t):
    """List the spikes that wait."""
    parts, underway = run.parts, run.memory.underway
    starts = parts.starts[t - own_parts(run)[0]]
    end = underway.first[t + 1]
    for k in range(count):
        row, g = waiting.row[k], waiting.bundle[k]
        begin = starts[row]
        if begin == starts[row + 1]:  # it reaches nobody here
            continue
        if underway.ends[t, 1] == end:
            _make_room(underway, t)
        q, bundle = underway.ends[t, 1], parts.bundles[g]
        underway.due[q], underway.kind[q] = n + bundle.delay, _kind_of(parts, g, t)
        underway.address[q] = bundle.address + (parts.first[g, t] + np.int64(begin)) * _WORD
        underway.factor[q] = waiting.factor[k]
        underway.ends[t, 1] = q + 1


@kernel
def send_underway(run, n, t, waiting):
    """List the spikes of step n whose synapses in part t have delays of their own."""
    tables, inputs, recent, span, parts = run.tables, run.inputs, run.recent, run.span, run.parts
    starts, count = parts.starts[t - own_parts(run)[0]], _ZERO
    for g in range(parts.bundles.size):
        bundle = parts.bundles[g]
        senders = 1 if bundle.source < tables.n_inputs else parts.bounds.shape[1] - 1
        for other in range(senders if bundle.late else 0):
            sent = emitted_in_part(tables, inputs, recent, span, bundle, n, other)
            e = sent.first
            while e < sent.last:
                e, count = queue(starts, sent, e, bundle, g, waiting, count)
                if count == waiting.row.size:
                    _list_waiting(run, waiting, count, n, t)
                    count = _ZERO
    _list_waiting(run, waiting, count, n, t)


@kernel
def _follow(wait, size, n):
    """When the block is due that follows one of step n."""
    if size == FULL:
        return np.int64(n)
    return n + wait if wait > 0 else NEVER


@kernel
def _words_of(parts, kind, size):
    """Words of so many synapses."""
    return size if _single_of(kind) >= 0 else size * (np.int64(parts.like.itemsize) // _WORD)


@kernel
def pass_over(run, n, t):
    """What was to arrive at part t before step n has arrived in an earlier run."""
    underway = run.memory.underway
    due, address = underway.due, underway.address
    for q in range(underway.ends[t, 0], underway.ends[t, 1]):
        while due[q] < n:
            words = at_address(address[q], _HEADER, WORDS)
            size, wait = np.int64(words[0]), np.int64(words[1])
            address[q] += (_HEADER + _words_of(run.parts, underway.kind[q], size)) * _WORD
            due[q] = _follow(wait, size, due[q])


@kernel
def _add(parts, at, words, kind, factor, x):
    """Add so many words of synapses at an address."""
    base, single = kind >> _BASE, _single_of(kind)
    if single < 0:
        size = words // (np.int64(parts.like.itemsize) // _WORD)
        add_weighted(at, size, parts.like, base, factor, x)
    else:
        add_single(at, words, base, x.dtype.type(parts.bundles[single].weight), x)


@kernel
def _add_block(parts, underway, q, n, x):
    """Add the block of spike q; it may go on in others of the same delay."""
    kind, at, step = underway.kind[q], underway.address[q], np.int64(n)
    while step == n:
        words = at_address(at, _HEADER, WORDS)
        size, wait = np.int64(words[0]), np.int64(words[1])
        length = _words_of(parts, kind, size)
        _add(parts, at + _HEADER * _WORD, length, kind, underway.factor[q], x)
        at += (_HEADER + length) * _WORD
        step = _follow(wait, size, n)
    underway.address[q], underway.due[q] = at, step


@kernel
def _fetch_rest(parts, kind, address):
    """Have the lines of a block fetched behind those that have been."""
    size = np.int64(at_address(address, _HEADER, WORDS)[0])
    words = _words_of(parts, kind, size)
    if words > _SHORT:
        fetch_lines(address + _SHORT * _WORD, words - _SHORT)


@kernel
def _add_blocks(parts, underway, waiting, count, n, x):
    """Add the blocks of spikes at `count` places, in their order.

    A loop over few synapses costs as much for its end, which processors cannot predict, as for
    them: short blocks are copied one behind the other, by whole lines, and added in one loop.
    """
    place, due, address, kinds = waiting.place, underway.due, underway.address, underway.kind
    copied, one = np.int64(waiting.copied.ctypes.data), waiting.factor.dtype.type(1)
    kind, held, width, most = -_ONE, _ZERO, _ONE, _ZERO
    room = waiting.copied.size - 2 * _SHORT
    for k in range(count + 2 * _AHEAD):
        if k < count:
            for line in range(0, _SHORT * _WORD, _LINE):
                fetch(address[place[_U64(k)]] + line)
        if _AHEAD <= k < count + _AHEAD:
            q = place[_U64(k - _AHEAD)]
            _fetch_rest(parts, kinds[q], address[q])
        if k < 2 * _AHEAD:
            continue
        q = place[_U64(k - 2 * _AHEAD)]
        at = address[q]
        words = at_address(at, _HEADER, WORDS)
        size, wait = np.int64(words[0]), np.int64(words[1])
        if kinds[q] != kind or size > most or held > room:
            if held > 0:
                _add(parts, copied, held, kind, one, x)
            held, kind = _ZERO, kinds[q]
            width = _words_of(parts, kind, _ONE)
            most = _ZERO if kind & _ALONE else _SHORT // width
            if size > most:
                _add_block(parts, underway, q, n, x)
                continue
        at += _HEADER * _WORD
        for word in range(0, _SHORT, _COPY):
            copy_line(at + word * _WORD, copied + (held + word) * _WORD)
        held += size * width
        address[q], due[q] = at + size * width * _WORD, n + wait if wait > 0 else NEVER
    if held > 0:
        _add(parts, copied, held, kind, one, x)


@kernel
def deliver_underway(run, n, t, waiting, x):
    """x += what arrives at step n at part t of spikes that are underway."""
    parts, underway, place = run.parts, run.memory.underway, waiting.place
    due, count, last = underway.due, _ZERO, underway.ends[t, 1]
    for q in range(underway.ends[t, 0], last):
        if count == place.size:
            _add_blocks(parts, underway, waiting, count, n, x)
            count = _ZERO
        place[_U64(count)] = q
        count += due[q] == n
    _add_blocks(parts, underway, waiting, count, n, x)
    first = underway.ends[t, 0]
    while first < last and due[first] == NEVER:
        first += 1
    underway.ends[t, 0] = first
    if 2 * (first - underway.first[t]) > last - underway.first[t]:
        _make_room(underway, t)

"""Sparse synapses of one large network: runs of records, part by part of the targets.

    deliver   receptor state += jump w S_j     bundles with one delay, when the spikes arrive
    send      ring += jump w S_j               bundles with a delay for every synapse, when they are
                                               emitted; `take` (wires.py) adds what arrives

What a spike costs is the number of cold places in memory that it touches. The synapses of a neuron
through all projections of its bundle onto one part of the targets are one run, which one lookup
finds, and the next runs are fetched while one is added. A target adds its inputs in the order that
batches of trials have: bundle by bundle, in ascending order of j. Kernels see rows of tables,
arrays and scalars only (arrays.py).
"""

import numpy as np

from .events import emitted_in_part
from .jit import kernel
from .memory import at_address, fetch, fetch_element, part
from .others import own_parts

_U64, _ZERO, _LINE = np.uint64, np.int64(0), np.int64(64)
_UINT16 = np.empty(0, np.uint16)
_AHEAD = 2  # runs that are fetched before it is their turn …
_MOST_LINES = 16  # … and how much of them: then the processor goes on by itself


@kernel
def _add_single(address, size, base, w, x):
    """x[base + target] += w of a run with one weight."""
    target, y = at_address(address, size, _UINT16), part(x, base, x.size - base)
    for k in range(size):
        y[_U64(target[k])] += w


@kernel
def _add_now(address, size, like, base, factor, x):
    """x[base + target] += factor w of a run."""
    synapses, y = at_address(address, size, like), part(x, base, x.size - base)
    for k in range(size):
        synapse = synapses[k]
        y[_U64(synapse.target)] += factor * synapse.weight


@kernel
def _add_later(address, size, like, base, n, factor, ring, width):
    """The same into the ring of a part: rows of `width`, one for each of 2^k steps."""
    synapses, step, lanes = at_address(address, size, like), _U64(n), _U64(width)
    mask, first = _U64(ring.size // width - 1), _U64(base)
    for k in range(size):
        synapse = synapses[k]
        place = ((step + _U64(synapse.delay)) & mask) * lanes + first + _U64(synapse.target)
        ring[place] += factor * synapse.weight


@kernel
def _fetch_run(parts, starts, waiting, t, q):
    """Find the run of a spike that waits, and have it fetched."""
    row, g = waiting.row[q], waiting.bundle[q]
    bundle, begin, end = parts.bundles[g], np.int64(starts[row]), np.int64(starts[row + 1])
    address = bundle.address + (parts.first[g, t] + begin) * bundle.width
    waiting.address[q], waiting.sizes[q] = address, end - begin
    for k in range(0, min((end - begin) * bundle.width, _MOST_LINES * _LINE), _LINE):
        fetch(address + k)


@kernel
def _add_waiting(parts, starts, waiting, count, n, t, x):
    """Add the runs of the spikes that wait, in their order."""
    address, sizes, which = waiting.address, waiting.sizes, waiting.bundle
    for q in range(min(_AHEAD, count)):
        _fetch_run(parts, starts, waiting, t, q)
    for q in range(count):
        if q + _AHEAD < count:
            _fetch_run(parts, starts, waiting, t, q + _AHEAD)
        bundle, base, factor = parts.bundles[which[q]], parts.base[which[q], t], waiting.factor[q]
        if bundle.late:
            width = parts.ring_width[t]
            _add_later(address[q], sizes[q], parts.like, base, n, factor, x, width)
        elif bundle.single:
            _add_single(address[q], sizes[q], base, x.dtype.type(bundle.weight), x)
        else:
            _add_now(address[q], sizes[q], parts.like, base, factor, x)


@kernel
def deliver_bundles(run, late, n, t, waiting, x):
    """Bundles with one delay: what arrives at step n at part t. late: what is emitted then.

    x: the states, or the ring of the part.
    """
    tables, inputs, recent, span, parts = run.tables, run.inputs, run.recent, run.span, run.parts
    starts, count, one = parts.starts[t - own_parts(run)[0]], _ZERO, x.dtype.type(1)
    rows, factors, which, room = waiting.row, waiting.factor, waiting.bundle, waiting.row.size
    for g in range(parts.bundles.size):
        bundle = parts.bundles[g]
        m, external = n - bundle.delay, bundle.source < tables.n_inputs
        senders = 1 if external else (parts.bounds.shape[1] - 1 if m >= 0 else 0)
        for other in range(senders if bundle.late == late else 0):
            sent = emitted_in_part(tables, inputs, recent, span, bundle, m, other)
            units, values, shift, first = sent.units, sent.values, sent.shift, bundle.row_first
            jump = x.dtype.type(bundle.jump)
            for e in range(sent.first, sent.last):
                if count == room:
                    _add_waiting(parts, starts, waiting, count, n, t, x)
                    count = _ZERO
                row = first + units[e]
                fetch_element(starts, row)
                rows[count], which[count] = row, g
                factors[count] = jump * values[e - shift] if values.size else one
                count += 1
    _add_waiting(parts, starts, waiting, count, n, t, x)


# ------------------------------------------------------------------------------------- the records


@kernel
def _first_at_least(target, low, high, bound):
    """The first of the ascending targets low .. high - 1 that is at least `bound`."""
    while low < high:
        middle = (low + high) // 2
        if target[middle] < bound:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def split_rows(first, target, bounds, split):
    """split[j, t]: the first synapse of row j whose target is >= bounds[t]."""
    for j in range(first.size - 1):
        for t in range(bounds.size):
            split[j, t] = _first_at_least(target, first[j], first[j + 1], bounds[t])


@kernel
def place_synapses(split, target, shift, delay, weight, jump, row, offset, cursor, into):
    """Write synapses of one projection as records; cursor[t, row + j] is the next free place.

    split: of `split_rows`, of rows j = 0 .. of a piece. offset[t] is added to targets of part t.
    delay, weight: one for all, or of synapse s of row j the one at s + shift[j].
    """
    kind = weight.dtype.type
    for j in range(split.shape[0]):
        for t in range(offset.size):
            at = cursor[t, row + j]
            for s in range(split[j, t], split[j, t + 1]):
                synapse = into[at]
                synapse.target = np.int64(target[s]) + offset[t]
                synapse.delay = delay[s + shift[j] if delay.size > 1 else 0]
                synapse.weight = kind(jump) * weight[s + shift[j] if weight.size > 1 else 0]
                at += 1
            cursor[t, row + j] = at


@kernel
def place_targets(split, target, row, offset, cursor, into):
    """As `place_synapses`, of a bundle with one weight and delay."""
    for j in range(split.shape[0]):
        for t in range(offset.size):
            at = cursor[t, row + j]
            for s in range(split[j, t], split[j, t + 1]):
                into[at] = np.int64(target[s]) + offset[t]
                at += 1
            cursor[t, row + j] = at

"""Sparse synapses of one large network: runs of records, part by part of the targets.

    deliver   receptor state += jump w S_j     when the spikes arrive

What a spike costs is the number of cold places in memory that it touches. The synapses of a neuron
through all projections of its bundle onto one part of the targets are one run, which one lookup
finds, and the next runs are fetched while one is added. A target adds its inputs in the order that
batches of trials have: bundle by bundle, in ascending order of j. Bundles whose synapses have
delays of their own are delivered by underway.py; synapse_records.py writes the records. Kernels see
rows of tables, arrays and scalars only (arrays.py).
"""

from typing import NamedTuple

import numpy as np

from .events import emitted_in_part
from .jit import kernel
from .memory import at_address, fetch, fetch_element, part
from .others import own_parts

_U64, _ZERO, _LINE, _WORD = np.uint64, np.int64(0), np.int64(64), np.int64(2)
WORDS = np.empty(0, np.uint16)  # stands for their type
_AHEAD, _AHEAD_WORDS = 2, 512  # runs, and words, that are fetched before it is their turn …
_MOST_LINES = 16  # … and how much of a run: then the processor goes on by itself


class Waiting(NamedTuple):
    """Spikes whose synapses are about to be added."""

    row: np.ndarray
    bundle: np.ndarray
    factor: np.ndarray
    address: np.ndarray
    words: np.ndarray  # of the run
    place: np.ndarray  # in Underway
    copied: np.ndarray  # words of short blocks


@kernel
def fetch_lines(address, words):
    """Have the beginning of so many words fetched."""
    for k in range(0, min(words * _WORD, _MOST_LINES * _LINE), _LINE):
        fetch(address + k)


@kernel
def add_single(address, size, base, w, x):
    """x[base + target] += w of synapses with one weight."""
    target, y = at_address(address, size, WORDS), part(x, base, x.size - base)
    for k in range(size):
        y[_U64(target[k])] += w


@kernel
def add_weighted(address, size, like, base, factor, x):
    """x[base + target] += factor w of synapses with weights of their own."""
    synapses, y = at_address(address, size, like), part(x, base, x.size - base)
    for k in range(size):
        synapse = synapses[k]
        y[_U64(synapse.target)] += factor * synapse.weight


@kernel
def queue(starts, sent, e, bundle, g, waiting, count):
    """Let spikes from event e of `sent` wait, behind `count` others, as far as there is room.

    Returns the next event, and how many wait now; where their runs start is fetched.
    """
    factors, jump = waiting.factor, waiting.factor.dtype.type(bundle.jump)
    one, last = waiting.factor.dtype.type(1), min(sent.last, e + waiting.row.size - count)
    for event in range(e, last):
        row = bundle.row_first + sent.units[event]
        fetch_element(starts, row)
        waiting.row[count], waiting.bundle[count] = row, g
        factors[count] = jump * sent.values[event - sent.shift] if sent.values.size else one
        count += 1
    return last, count


@kernel
def _fetch_run(parts, starts, waiting, t, q):
    """Find the run of a spike that waits, and have it fetched; returns its words."""
    row, g = waiting.row[q], waiting.bundle[q]
    begin, end = np.int64(starts[row]), np.int64(starts[row + 1])
    address = parts.bundles[g].address + (parts.first[g, t] + begin) * _WORD
    waiting.address[q], waiting.words[q] = address, end - begin
    fetch_lines(address, end - begin)
    return end - begin


@kernel
def _add_waiting(parts, starts, waiting, count, t, x):
    """Add the runs of the spikes that wait, in their order."""
    address, words, which = waiting.address, waiting.words, waiting.bundle
    fetched, ahead, width = _ZERO, _ZERO, np.int64(parts.like.itemsize) // _WORD
    for q in range(count):
        while fetched < count and (fetched < q + _AHEAD or ahead < _AHEAD_WORDS):
            ahead += _fetch_run(parts, starts, waiting, t, fetched)
            fetched += 1
        bundle, base = parts.bundles[which[q]], parts.base[which[q], t]
        if bundle.single:
            add_single(address[q], words[q], base, x.dtype.type(bundle.weight), x)
        else:
            size = words[q] // width
            add_weighted(address[q], size, parts.like, base, waiting.factor[q], x)
        ahead -= words[q]


@kernel
def deliver_bundles(run, n, t, waiting, x):
    """What arrives at step n at part t through bundles with one delay."""
    tables, inputs, recent, span, parts = run.tables, run.inputs, run.recent, run.span, run.parts
    starts, count = parts.starts[t - own_parts(run)[0]], _ZERO
    for g in range(parts.bundles.size):
        bundle = parts.bundles[g]
        m, external = n - bundle.delay, bundle.source < tables.n_inputs
        senders = 1 if external else (parts.bounds.shape[1] - 1 if m >= 0 else 0)
        for other in range(0 if bundle.late else senders):
            sent = emitted_in_part(tables, inputs, recent, span, bundle, m, other)
            e = sent.first
            while e < sent.last:
                e, count = queue(starts, sent, e, bundle, g, waiting, count)
                if count == waiting.row.size:
                    _add_waiting(parts, starts, waiting, count, t, x)
                    count = _ZERO
    _add_waiting(parts, starts, waiting, count, t, x)

"""Records of sparse synapses of one large network: how runs are cut, written and sorted.

Everything is counted in words of 2 bytes: a target is one, and a weight follows where synapses have
their own. Kernels see rows of tables, arrays and scalars only (arrays.py).
"""

import numpy as np

from .bundles import WORDS
from .jit import kernel
from .memory import at_address, part
from .underway import FULL, HEADER

_ZERO, _ONE, _WORD = np.int64(0), np.int64(1), np.int64(2)


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
def place_synapses(
    split, target, shift, delay, weight, jump, row, offset, cursor, extra, address, like, delays
):
    """Write synapses of one projection; cursor[t, row + j] is the next free place.

    split: of `split_rows`, of rows j = 0 .. of a piece. offset[t] is added to targets of part t.
    delay, weight: one for all, or of synapse s of row j the one at s + shift[j]; no weight where
    there are only targets. Place c lies c widths and extra[t, row + j] words behind the address.
    delays: of each place, if it has a size.
    """
    single, timed = weight.size == 0, delays.size > 0
    width = _ONE if single else np.int64(like.itemsize) // _WORD
    for j in range(split.shape[0]):
        for t in range(offset.size):
            at, begin = cursor[t, row + j], address + extra[t, row + j] * _WORD
            for s in range(split[j, t], split[j, t + 1]):
                here, own = begin + at * width * _WORD, np.int64(target[s]) + offset[t]
                if single:
                    at_address(here, _ONE, WORDS)[0] = own
                else:
                    synapse = at_address(here, _ONE, like)[0]
                    synapse.target = own
                    w = weight[s + shift[j] if weight.size > 1 else 0]
                    synapse.weight = weight.dtype.type(jump) * w
                if timed:
                    delays[at] = delay[s + shift[j] if delay.size > 1 else 0]
                at += 1
            cursor[t, row + j] = at


@kernel
def _head_blocks(words, width, counts, first):
    """Write the headers of the blocks of a run; first[d]: where those of delay d begin.

    counts: of the synapses of each delay; they are 0 then.
    """
    at, last, before = _ZERO, _ZERO, _ZERO
    for d in range(counts.size):
        count = counts[d]
        if d > 0 and count == 0:
            continue
        if d > 0:
            words[last + 1] = d - before
        first[d], counts[d], before = at, 0, d
        while count >= FULL:
            words[at], words[at + 1] = FULL, 0
            at += HEADER + FULL * width
            count -= FULL
        words[at], words[at + 1], last = count, 0, at
        at += HEADER + count * width


@kernel
def most_words(size, delays, width):
    """The most words of a run of so many synapses, which have so many delays."""
    return size * width + HEADER * (min(size, delays) + _ONE + size // FULL) if size else _ZERO


@kernel
def room_for(counts, delays, width, sizes):
    """sizes[t, j]: the most words of the run of neuron j in part t, which has counts[t, j]."""
    for t in range(counts.shape[0]):
        for j in range(counts.shape[1]):
            sizes[t, j] = most_words(counts[t, j], delays, width)


@kernel
def sort_by_delay(begin, end, place, extra, delays, shortest, width, address, copy, counts, first):
    """Sort the runs of rows begin .. end - 1 of a part into blocks of one delay (underway.py).

    place: (rows + 1,) the first place of each row; extra, delays, address: as above; width: words
    of a synapse. copy, counts, first: room for the words of a row, and of numbers for each delay.
    """
    for j in range(begin, end):
        size, at = place[j + 1] - place[j], place[j] * width + extra[j]
        if size == 0:
            continue
        own, most = part(delays, place[j], size), most_words(size, counts.size, width)
        words = at_address(address + at * _WORD, most, WORDS)
        for k in range(size * width):
            copy[k] = words[k]
        for k in range(size):
            counts[own[k] - shortest] += 1
        _head_blocks(words, width, counts, first)
        for k in range(size):
            d = own[k] - shortest
            c = counts[d]
            to = first[d] + HEADER * (_ONE + c // FULL) + c * width
            for w in range(width):
                words[to + w] = copy[k * width + w]
            counts[d] = c + 1
        for d in range(counts.size):
            counts[d] = 0

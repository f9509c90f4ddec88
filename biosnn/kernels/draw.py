"""Drawing sparse projections: rows of ascending targets, each from a random stream of its own.

Random numbers are SplitMix64 (Steele, Lea & Flood 2014): word k of the stream of row r is
mix(start(seed, r) + k * golden), so that what is drawn depends on the seed and the row alone, never
on threads.
"""

import numpy as np

from .jit import kernel
from .simd import lowest_bit

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_ONE = np.uint64(1)
_SHIFT = np.uint64(6)
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30 = np.uint64(30)
_S27 = np.uint64(27)
_S31 = np.uint64(31)
_S32 = np.uint64(32)
_S11 = np.uint64(11)
_LOW_HALF, _INSIDE_WORD = np.uint64(0xFFFFFFFF), np.uint64(63)


@kernel
def _mix(z):
    z = (z ^ (z >> _S30)) * _M1
    z = (z ^ (z >> _S27)) * _M2
    return z ^ (z >> _S31)


@kernel
def _start(seed, row):
    return _mix(_mix(np.uint64(row) * _GOLDEN + _ONE) ^ np.uint64(seed))


@kernel
def _below(state, n):
    """A number 0 .. n - 1 from the upper half of a word (bias below n / 2^32)."""
    return np.int64(((_mix(state) >> _S32) * np.uint64(n)) >> _S32)


@kernel
def _draw_distinct(state, k, n, taken):
    """Mark k different numbers below n in the bits of `taken` (zeros before)."""
    found = 0
    while found < k:
        state += _GOLDEN
        i = np.uint64(_below(state, n))
        bit = _ONE << (i & _INSIDE_WORD)
        found += (taken[i >> _SHIFT] & bit) == 0
        taken[i >> _SHIFT] |= bit


@kernel
def fill_rows(seed, first, begin, end, n, multiple, skip_self, target):
    """Draw the targets of rows begin .. end - 1, ascending, one row after the other.

    There are first[j+1] - first[j] of them, from n candidates.

    multiple: with replacement. skip_self: candidate i means neuron i, or i + 1 from the row's own
    number on.
    """
    taken, most = np.zeros(n // 64 + 1, np.uint64), 0
    for j in range(begin, end):
        most = max(most, first[j + 1] - first[j])
    sums = np.empty(most + 1)
    for j in range(begin, end):
        state = _start(seed, j)
        at = first[j] - first[begin]
        k = first[j + 1] - first[j]
        if (
            multiple
        ):  # sorted uniform numbers are the partial sums of exponential ones, divided by the total
            total = 0.0
            for s in range(k + 1):
                state += _GOLDEN
                total -= np.log((np.float64(_mix(state) >> _S11) + 1.0) * 2.0**-53)
                sums[s] = total
            scale = n / total if k else 0.0
            for s in range(k):
                i = min(np.int64(sums[s] * scale), n - 1)
                target[at + s] = i + (skip_self and i >= j)
        else:
            _draw_distinct(state, k, n, taken)
            for word in range(taken.size):
                bits = taken[word]
                while bits:
                    i = word * 64 + lowest_bit(bits)
                    target[at] = i + (skip_self and i >= j)
                    at += 1
                    bits &= bits - _ONE
                taken[word] = 0


@kernel
def _draw_sources(seed, i, k, n, multiple, skip_self, taken, sources):
    state, found = _start(seed, i), 0
    while found < k:
        state += _GOLDEN
        j = _below(state, n)
        word, bit = j >> 6, _ONE << (np.uint64(j) & _INSIDE_WORD)
        if multiple or (taken[word] & bit) == 0:
            taken[word] |= bit
            sources[found] = j + (skip_self and j >= i)
            found += 1
    if not multiple:
        taken[:] = 0


@kernel
def count_sources(seed, begin, end, k, n, multiple, skip_self, count):
    """Draw k sources from n for each of the targets begin .. end - 1, and count them by source."""
    taken, sources = np.zeros(n // 64 + 1, np.uint64), np.empty(k, np.int64)
    for i in range(begin, end):
        _draw_sources(seed, i, k, n, multiple, skip_self, taken, sources)
        for s in range(k):
            count[sources[s]] += 1


@kernel
def place_targets(seed, begin, end, k, n, multiple, skip_self, cursor, target):
    """As `count_sources`, writing target i to target[cursor[source]] and moving the cursor."""
    taken, sources = np.zeros(n // 64 + 1, np.uint64), np.empty(k, np.int64)
    for i in range(begin, end):
        _draw_sources(seed, i, k, n, multiple, skip_self, taken, sources)
        for s in range(k):
            target[cursor[sources[s]]] = i
            cursor[sources[s]] += 1


@kernel
def sum_of_squares(first, target):
    """Sum over connected pairs of the squared number of their synapses.

    The targets of a row ascend.
    """
    total = 0
    for j in range(first.size - 1):
        same = 0
        for s in range(first[j], first[j + 1]):
            same = same + 1 if s > first[j] and target[s] == target[s - 1] else 1
            total += 2 * same - 1
    return total

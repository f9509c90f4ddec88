"""Random numbers from counters (Philox), and what they drive: background, escape noise, dropout.

A random number follows from (key, stream, step, neuron), whichever thread draws it. The key follows
from the seed. The stream is, of a background, the place of the source in its list; of escape noise
and dropout, the number of the trial. Streams with names (targets, weights, initial states …) are in
support/seeds.py. Kernels see arrays and scalars only.
"""

import numpy as np

from .arrays import SIGMOID_ESCAPE
from .jit import kernel, part

GRANULE = 64  # neurons that share random counters; parts of threads are multiples of it
CURRENT, ORNSTEIN_UHLENBECK, POISSON, POISSON_PER_NEURON = range(4)

_U64 = np.uint64
_M0 = _U64(0xD2511F53)
_M1 = _U64(0xCD9E8D57)
_W0 = _U64(0x9E3779B9)
_W1 = _U64(0xBB67AE85)
_LOW = _U64(0xFFFFFFFF)
_HALF = _U64(32)
_PER_WORD = _U64(GRANULE // 4)
_TO_UNIT = 2.0**-32


# ----------------------------------------------------------------------------------- random numbers


@kernel
def _round(x0, x1, x2, x3, k0, k1):
    p0, p1 = _M0 * x0, _M1 * x2
    return (p1 >> _HALF) ^ x1 ^ k0, p1 & _LOW, (p0 >> _HALF) ^ x3 ^ k1, p0 & _LOW


@kernel
def _next_key(k0, k1):
    return (k0 + _W0) & _LOW, (k1 + _W1) & _LOW


@kernel
def random_words(key, stream, step, granule, words):
    """64 random 32-bit words for the neurons 64 granule … of a stream at a step.

    Philox4x32-10 (Salmon et al. 2011).

    Counter (q, stream, low and high half of step); result r of counter 16 granule + q belongs to
    neuron 16 r + q. Written out, because only a loop without an inner one uses vector units.
    """
    stream = _U64(stream)
    low = _U64(step) & _LOW
    high = _U64(step) >> _HALF
    first = _U64(granule) * _PER_WORD
    k0, k1 = _U64(key) & _LOW, _U64(key) >> _HALF
    a0, a1 = _next_key(k0, k1)
    b0, b1 = _next_key(a0, a1)
    c0, c1 = _next_key(b0, b1)
    d0, d1 = _next_key(c0, c1)
    e0, e1 = _next_key(d0, d1)
    f0, f1 = _next_key(e0, e1)
    g0, g1 = _next_key(f0, f1)
    h0, h1 = _next_key(g0, g1)
    i0, i1 = _next_key(h0, h1)
    for q in range(16):
        x0, x1, x2, x3 = _round(first + _U64(q), stream, low, high, k0, k1)
        x0, x1, x2, x3 = _round(x0, x1, x2, x3, a0, a1)
        x0, x1, x2, x3 = _round(x0, x1, x2, x3, b0, b1)
        x0, x1, x2, x3 = _round(x0, x1, x2, x3, c0, c1)
        x0, x1, x2, x3 = _round(x0, x1, x2, x3, d0, d1)
        x0, x1, x2, x3 = _round(x0, x1, x2, x3, e0, e1)
        x0, x1, x2, x3 = _round(x0, x1, x2, x3, f0, f1)
        x0, x1, x2, x3 = _round(x0, x1, x2, x3, g0, g1)
        x0, x1, x2, x3 = _round(x0, x1, x2, x3, h0, h1)
        x0, x1, x2, x3 = _round(x0, x1, x2, x3, i0, i1)
        words[q] = np.uint32(x0)
        words[q + 16] = np.uint32(x1)
        words[q + 32] = np.uint32(x2)
        words[q + 48] = np.uint32(x3)


@kernel
def _shared_poisson(words, table, counts):
    """counts = number of entries of `table` that each word reaches.

    table: cumulative probabilities times 2^32, ascending.
    """
    for i in range(GRANULE):
        counts[i] = 0
    for k in range(0, table.size, 8):
        t0 = table[k]
        t1 = table[k + 1]
        t2 = table[k + 2]
        t3 = table[k + 3]
        t4 = table[k + 4]
        t5 = table[k + 5]
        t6 = table[k + 6]
        t7 = table[k + 7]
        for i in range(GRANULE):
            w = words[i]
            counts[i] += (
                np.int32(w > t0)
                + np.int32(w > t1)
                + np.int32(w > t2)
                + np.int32(w > t3)
                + np.int32(w > t4)
                + np.int32(w > t5)
                + np.int32(w > t6)
                + np.int32(w > t7)
            )


@kernel
def _own_poisson(words, mean, counts):
    """Poisson counts of a mean for each neuron, by adding up probabilities."""
    for i in range(GRANULE):
        left = (np.float64(words[i]) + 0.5) * _TO_UNIT
        p = np.exp(-np.float64(mean[i]))
        k = 0
        while left > p and k < 1000:
            left -= p
            k += 1
            p *= mean[i] / k
        counts[i] = k


@kernel
def _normal(words, values):
    """64 standard normal numbers from 64 words (Box & Muller).

    The words are those of neuron i and of its partner half a granule on.
    """
    for i in range(GRANULE // 2):
        radius = np.sqrt(-2 * np.log((np.float64(words[i]) + 0.5) * _TO_UNIT))
        angle = 2 * np.pi * np.float64(words[i + GRANULE // 2]) * _TO_UNIT
        values[i] = radius * np.cos(angle)
        values[i + GRANULE // 2] = radius * np.sin(angle)


# --------------------------------------------------------------------------------------- background


@kernel
def _segment(starts, first, size, n):
    """Last of the ascending starts[first : first + size] that is <= n, counted from first."""
    low, high = 0, size
    while high - low > 1:
        middle = (low + high) // 2
        if starts[first + middle] <= n:
            low = middle
        else:
            high = middle
    return low


@kernel
def add_currents(noise, s, n, p, i, m, current, words):
    """current += source s for the neurons i .. i + m - 1 of population p.

    Ornstein-Uhlenbeck sources take their step here.
    """
    if noise.kind[s] == CURRENT:
        segment = _segment(noise.starts, noise.start_first[s], noise.segments[s], n)
        if noise.per_neuron[s]:
            values = part(noise.values, noise.value_first[s] + segment * noise.width[s] + i, m)
            for k in range(m):
                current[k] += values[k]
        else:
            value = noise.values[noise.value_first[s] + segment]
            for k in range(m):
                current[k] += value
    elif noise.kind[s] == ORNSTEIN_UHLENBECK:
        own = noise.ou
        width = noise.width[s]
        at = noise.value_first[s] + i
        for b in range(0, m, GRANULE):
            random_words(noise.key, noise.stream[s], n, (i + b) // GRANULE, words.unsigned)
            _normal(words.unsigned, words.normal)
            y = part(own, noise.ou_first[s] + i + b, GRANULE)
            mean = part(noise.values, at + b, GRANULE)
            spread = part(noise.values, at + width + b, GRANULE)
            for k in range(GRANULE):
                y[k] = mean[k] + noise.decay[s] * (y[k] - mean[k]) + spread[k] * words.normal[k]
                current[b + k] += y[k]


@kernel
def add_poisson(cells, noise, s, n, t, x, words):
    """Independent Poisson input of source s to the neurons of thread t.

    receptor state += weight * count.
    """
    p = noise.population[s]
    segment = _segment(noise.starts, noise.start_first[s], noise.segments[s], n)
    at = noise.value_first[s] + segment * noise.width[s]
    if noise.kind[s] == POISSON and noise.table[at] == _LOW:  # no word is above that: a rate of 0
        return
    for i in range(cells.bounds[p, t], cells.bounds[p, t + 1], GRANULE):
        random_words(noise.key, noise.stream[s], n, i // GRANULE, words.unsigned)
        y = part(x, noise.target[s] + i, GRANULE)
        if noise.kind[s] == POISSON:
            _shared_poisson(words.unsigned, part(noise.table, at, noise.width[s]), words.counts)
        else:
            _own_poisson(words.unsigned, part(noise.values, at + i, GRANULE), words.counts)
        for k in range(GRANULE):
            y[k] += noise.weight[s] * x.dtype.type(words.counts[k])


_WHOLE_TRIAL = np.uint64(2**64 - 1)  # the step of a draw that holds for all steps


@kernel
def _escape(kind, steepness, rate, x):
    """Probability of a spike in a step at x = U* - theta; 0 at -inf.

    rate: expected spikes in a step at x = 0.
    """
    if kind == SIGMOID_ESCAPE:
        return 1 / (1 + np.exp(-steepness * x))
    return -np.expm1(-rate * np.exp(steepness * x))


@kernel
def draw_spikes(chance, trials, margin, start, slot, n):
    """The sign of the margin U* - theta is drawn: plus where the neuron spikes.

    Its size stays, and with it sigma', which is even.

    A neuron that is silent in this trial has margin -inf, so that neither spike nor surrogate
    follows.
    """
    words, tiny = np.empty(GRANULE, np.uint32), np.finfo(margin.dtype).tiny
    for b in range(trials):
        m, trial = margin[start + b, slot], chance.trial[start + b]
        for first in range(0, chance.kind.size, GRANULE):
            block = part(m, first, min(GRANULE, chance.kind.size - first))
            random_words(chance.key, trial, n, first // GRANULE, words)
            for i in range(block.size):
                kind, x = chance.kind[first + i], block[i]
                if kind >= 0:
                    u = (np.float64(words[i]) + 0.5) * _TO_UNIT
                    fires = u < _escape(
                        kind, chance.steepness[first + i], chance.rate[first + i], np.float64(x)
                    )
                    block[i] = max(abs(x), tiny) if fires else -abs(x)
        for first in range(0, chance.silent.size, GRANULE):
            block = part(m, first, min(GRANULE, chance.silent.size - first))
            random_words(chance.key, trial, _WHOLE_TRIAL, first // GRANULE, words)
            for i in range(block.size):
                if (np.float64(words[i]) + 0.5) * _TO_UNIT < chance.silent[first + i]:
                    block[i] = -np.inf

"""Random numbers from counters (Philox), and what they drive: background, escape noise, dropout.

A random number follows from (key, stream, step, neuron), whichever thread draws it. The key follows
from the seed and the number of the trial. The stream is, of a background, the place of the source
in its list; of escape noise and dropout, that of the population behind a large number. Streams with
names (targets, weights, initial states …) are in support/seeds.py. Kernels see rows of tables,
arrays and scalars only.
"""

import numpy as np

from .arrays import NO_ESCAPE, SIGMOID_ESCAPE
from .jit import kernel
from .memory import part

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
_ESCAPE, _DROPOUT = _U64(1 << 30), _U64(1 << 31)  # streams of the first population
_WHOLE_TRIAL = _U64(2**64 - 1)  # the step of a draw that holds for all steps


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
    for i in range(mean.size):
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
def _piece(source, starts, n):
    """Which piece of a source holds at step n: the last that starts at n or before."""
    low, high = 0, source.segments
    while high - low > 1:
        middle = (low + high) // 2
        if starts[source.starts + middle] <= n:
            low = middle
        else:
            high = middle
    return low


@kernel
def add_current(source, background, trial, n, i, m, current):
    """current += the source at step n, for the neurons i .. i + m - 1 of its population."""
    values, piece = background.values, _piece(source, background.starts, n)
    at = source.values + trial * source.stride + piece * source.width
    if source.width > 1:
        own = part(values, at + i, m)
        for k in range(m):
            current[k] += own[k]
    else:
        value = values[at]
        for k in range(m):
            current[k] += value


@kernel
def _start_ou(source, values, key, i, m, words, y):
    """An Ornstein-Uhlenbeck source at the start: stationary, y = mean + sd z."""
    kind = values.dtype.type
    mean, spread = part(values, 0, m), part(values, source.n, m)
    share = kind(1 / np.sqrt(1 - source.decay * source.decay))
    random_words(key, _U64(source.stream), _WHOLE_TRIAL, i // GRANULE, words.unsigned)
    normal = part(words.normal, 0, m)
    _normal(words.unsigned, words.normal)
    for k in range(m):
        y[k] = mean[k] + spread[k] * share * kind(normal[k])


@kernel
def add_ou(source, background, trial, key, n, i, m, words, ou, current):
    """y = mean + decay (y - mean) + spread z, and current += y; i is a multiple of GRANULE.

    Before step 0 y is drawn.
    """
    kind, decay = current.dtype.type, current.dtype.type(source.decay)
    values = background.values
    for b in range(0, m, GRANULE):
        size = min(GRANULE, m - b)
        at = source.values + trial * source.stride + i + b
        mean, spread = part(values, at, size), part(values, at + source.n, size)
        y, total = part(ou, source.ou + i + b, size), part(current, b, size)
        normal = part(words.normal, 0, size)
        if n == 0:
            own = part(values, at, source.n + size)
            _start_ou(source, own, key, i + b, size, words, y)
        random_words(key, _U64(source.stream), _U64(n), (i + b) // GRANULE, words.unsigned)
        _normal(words.unsigned, words.normal)
        for k in range(size):
            y[k] = mean[k] + decay * (y[k] - mean[k]) + spread[k] * kind(normal[k])
            total[k] += y[k]


@kernel
def add_poisson(source, background, trial, key, n, begin, end, words, x):
    """Independent Poisson input to the neurons begin .. end - 1 of its population.

    receptor state += weight * count; begin is a multiple of GRANULE.
    """
    weight, table, values = x.dtype.type(source.weight), background.table, background.values
    piece = _piece(source, background.starts, n)
    at = source.values + trial * source.stride + piece * source.width
    # no word is above the largest: a rate of 0
    if source.kind == POISSON and table[at] == _LOW:
        return
    # parts are looked up before loops: the compiler cannot know that these do not overwrite tables
    for i in range(begin, end, GRANULE):
        size = min(GRANULE, end - i)
        random_words(key, _U64(source.stream), _U64(n), i // GRANULE, words.unsigned)
        if source.kind == POISSON:
            _shared_poisson(words.unsigned, part(table, at, source.width), words.counts)
        else:
            _own_poisson(words.unsigned, part(values, at + i, size), words.counts)
        y, counts = part(x, source.target + i, size), part(words.counts, 0, size)
        for k in range(size):
            y[k] += weight * x.dtype.type(counts[k])


@kernel
def add_currents(sources, background, first, last, trial, key, n, i, m, words, ou, current):
    """current += the sources first .. last - 1; Ornstein-Uhlenbeck ones take their step."""
    for s in range(first, last):
        source = sources[s]
        if source.kind == CURRENT:
            add_current(source, background, trial, n, i, m, current)
        else:
            add_ou(source, background, trial, key, n, i, m, words, ou, current)


# ------------------------------------------------------------------------ escape noise and dropout


@kernel
def _escape(kind, steepness, rate, x):
    """Probability of a spike in a step at x = U* - theta; 0 at -inf.

    rate: expected spikes in a step at x = 0.
    """
    if kind == SIGMOID_ESCAPE:
        return 1 / (1 + np.exp(-steepness * x))
    return -np.expm1(-rate * np.exp(steepness * x))


@kernel
def draw_spikes(population, p, key, n, i, m, margin, words):
    """The sign of the margins U* - theta is drawn: plus where the neuron spikes.

    Their size stays, and with it sigma', which is even. A neuron that is silent in this trial gets
    the least number, so that neither spike nor surrogate follows. i is a multiple of GRANULE.
    """
    limits = np.finfo(margin.dtype)
    tiny, least = limits.tiny, limits.min
    for first in range(0, m if population.escape != NO_ESCAPE else 0, GRANULE):
        block = part(margin, first, min(GRANULE, m - first))
        random_words(key, _ESCAPE + _U64(p), _U64(n), (i + first) // GRANULE, words.unsigned)
        for k in range(block.size):
            x, u = block[k], (np.float64(words.unsigned[k]) + 0.5) * _TO_UNIT
            chance = _escape(
                population.escape,
                population.escape_steepness,
                population.escape_rate,
                np.float64(x),
            )
            block[k] = max(abs(x), tiny) if u < chance else -abs(x)
    for first in range(0, m if population.silent > 0 else 0, GRANULE):
        block = part(margin, first, min(GRANULE, m - first))
        random_words(key, _DROPOUT + _U64(p), _WHOLE_TRIAL, (i + first) // GRANULE, words.unsigned)
        for k in range(block.size):
            if (np.float64(words.unsigned[k]) + 0.5) * _TO_UNIT < population.silent:
                block[k] = least if block[k] > -np.inf else block[k]

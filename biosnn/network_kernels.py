"""The compiled loops of one large network: threads own parts of the neurons of every population, and meet to exchange spikes.

Kernels see arrays and scalars only (engine.py says what they are). A step is that of DESIGN section 2: integrate, threshold,
synapses, reset. Thread t owns the neurons bounds[p, t] .. bounds[p, t+1] - 1 of population p and everything that arrives there; the
rows of a sparse projection are sorted by target, so that its share of a row is a run of synapses. Nothing else is shared but the
lists of spikes, which are complete up to the last meeting. Every target adds its inputs in the same order for any number of threads.
"""
import numpy as np

from ._jit import at_address, borrowed, kernel, meet, part

GRANULE = 64    # neurons that share random counters; parts of threads are multiples of it
BLOCK = 512     # neurons that go through all parts of an update while they are in the first-level cache
CURRENT, ORNSTEIN_UHLENBECK, POISSON, POISSON_PER_NEURON = range(4)

_U64 = np.uint64
_M0, _M1, _W0, _W1 = _U64(0xD2511F53), _U64(0xCD9E8D57), _U64(0x9E3779B9), _U64(0xBB67AE85)
_LOW, _HALF, _PER_WORD = _U64(0xFFFFFFFF), _U64(32), _U64(GRANULE // 4)
_TO_UNIT = 2.0 ** -32


# ---------------------------------------------------------------------------------------------- random numbers

@kernel
def _round(x0, x1, x2, x3, k0, k1):
    p0, p1 = _M0 * x0, _M1 * x2
    return (p1 >> _HALF) ^ x1 ^ k0, p1 & _LOW, (p0 >> _HALF) ^ x3 ^ k1, p0 & _LOW


@kernel
def _next_key(k0, k1):
    return (k0 + _W0) & _LOW, (k1 + _W1) & _LOW


@kernel
def random_words(key, stream, step, granule, words):
    """64 random 32-bit words for the neurons 64 granule … of a stream at a step: Philox4x32-10 (Salmon et al. 2011).

    Counter (q, stream, low and high half of step); result r of counter 16 granule + q belongs to neuron 16 r + q.
    Written out, because only a loop without an inner one uses vector units.
    """
    stream, low, high, first = _U64(stream), _U64(step) & _LOW, _U64(step) >> _HALF, _U64(granule) * _PER_WORD
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
    """counts = number of entries of `table` (cumulative probabilities times 2^32, ascending) that each word reaches."""
    for i in range(GRANULE):
        counts[i] = 0
    for k in range(0, table.size, 8):
        t0, t1, t2, t3 = table[k], table[k + 1], table[k + 2], table[k + 3]
        t4, t5, t6, t7 = table[k + 4], table[k + 5], table[k + 6], table[k + 7]
        for i in range(GRANULE):
            w = words[i]
            counts[i] += (np.int32(w > t0) + np.int32(w > t1) + np.int32(w > t2) + np.int32(w > t3)
                          + np.int32(w > t4) + np.int32(w > t5) + np.int32(w > t6) + np.int32(w > t7))


@kernel
def _own_poisson(words, mean, counts):
    """Poisson counts of a mean for each neuron, by adding up probabilities."""
    for i in range(GRANULE):
        left, p, k = (np.float64(words[i]) + 0.5) * _TO_UNIT, np.exp(-np.float64(mean[i])), 0
        while left > p and k < 1000:
            left -= p
            k += 1
            p *= mean[i] / k
        counts[i] = k


@kernel
def _normal(words, values):
    """64 standard normal numbers from 64 words (Box & Muller), the words of neuron i and its partner half a granule on."""
    for i in range(GRANULE // 2):
        radius = np.sqrt(-2 * np.log((np.float64(words[i]) + 0.5) * _TO_UNIT))
        angle = 2 * np.pi * np.float64(words[i + GRANULE // 2]) * _TO_UNIT
        values[i] = radius * np.cos(angle)
        values[i + GRANULE // 2] = radius * np.sin(angle)


# ---------------------------------------------------------------------------------------------- background

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
def _currents(noise, s, n, p, i, m, current, words):
    """current += source s for the neurons i .. i + m - 1 of population p. Ornstein-Uhlenbeck sources take their step here."""
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
        own, width, at = noise.ou, noise.width[s], noise.value_first[s] + i
        for b in range(0, m, GRANULE):
            random_words(noise.key, noise.stream[s], n, (i + b) // GRANULE, words.unsigned)
            _normal(words.unsigned, words.normal)
            y = part(own, noise.ou_first[s] + i + b, GRANULE)
            mean, spread = part(noise.values, at + b, GRANULE), part(noise.values, at + width + b, GRANULE)
            for k in range(GRANULE):
                y[k] = mean[k] + noise.decay[s] * (y[k] - mean[k]) + spread[k] * words.normal[k]
                current[b + k] += y[k]


@kernel
def _poisson(cells, noise, s, n, t, x, words):
    """Independent Poisson input of source s to the neurons of thread t: receptor state += weight * count."""
    p = noise.population[s]
    segment = _segment(noise.starts, noise.start_first[s], noise.segments[s], n)
    at = noise.value_first[s] + segment * noise.width[s]
    for i in range(cells.bounds[p, t], cells.bounds[p, t + 1], GRANULE):
        random_words(noise.key, noise.stream[s], n, i // GRANULE, words.unsigned)
        y = part(x, noise.target[s] + i, GRANULE)
        if noise.kind[s] == POISSON:
            _shared_poisson(words.unsigned, part(noise.table, at, noise.width[s]), words.counts)
        else:
            _own_poisson(words.unsigned, part(noise.values, at + i, GRANULE), words.counts)
        for k in range(GRANULE):
            y[k] += noise.weight[s] * words.counts[k]


# ---------------------------------------------------------------------------------------------- neurons

@kernel
def _linear(cells, p, i, m, x, fresh):
    """fresh_r = sum_e coefficient_e x_other(e), for every state r of a table model."""
    first, stride = cells.state_first[p], cells.padded[p]
    for r in range(cells.row_first[p], cells.row_first[p + 1]):
        result = part(fresh, (r - cells.row_first[p]) * BLOCK, m)
        start, stop = cells.term_first[r], cells.term_first[r + 1]
        e1 = min(start + 1, stop - 1)
        c0 = part(cells.coefficient, cells.term_at[start] + cells.term_step[start] * i, m)
        c1 = part(cells.coefficient, cells.term_at[e1] + cells.term_step[e1] * i, m)
        x0, x1 = part(x, first + cells.term_other[start] * stride + i, m), part(x, first + cells.term_other[e1] * stride + i, m)
        if stop - start == 1:
            for k in range(m):
                result[k] = c0[k] * x0[k]
        else:
            for k in range(m):
                result[k] = c0[k] * x0[k] + c1[k] * x1[k]
        for e in range(start + 2, stop):
            c, other = part(cells.coefficient, cells.term_at[e] + cells.term_step[e] * i, m), cells.term_other[e]
            x0 = part(x, first + other * stride + i, m)
            for k in range(m):
                result[k] += c[k] * x0[k]


@kernel
def _conduct(cells, p, i, m, x, fresh, current, driven):
    """U* = U_inf + (U - U_inf) exp(-dt (1 + sum g) / tau_mem), U_inf = (sum g E + current) / (1 + sum g), for the old g."""
    one, stride = x.dtype.type(1), cells.padded[p]
    total, inflow = np.empty(m, x.dtype), np.empty(m, x.dtype)
    for k in range(m):
        total[k] = one
        inflow[k] = current[k] if driven else 0
    for r in range(cells.row_first[p] + 1, cells.row_first[p + 1]):
        e = cells.reversal[r]
        if not np.isnan(e):
            g = part(x, cells.state_first[p] + (r - cells.row_first[p]) * stride + i, m)
            for k in range(m):
                total[k] += g[k]
                inflow[k] += g[k] * e
    u, rate = part(x, cells.state_first[p] + i, m), part(cells.coefficient, cells.rate_at[p] + cells.rate_step[p] * i, m)
    for k in range(m):
        limit = inflow[k] / total[k]
        fresh[k] = limit + (u[k] - limit) * np.exp(-rate[k] * total[k])


@kernel
def _surge(cells, p, i, m, x, fresh):
    """U* += dt / tau_mem (square U^2 + constant + slope exp((U - onset) / slope)), for the old U."""
    u, rate = part(x, cells.state_first[p] + i, m), part(cells.coefficient, cells.rate_at[p] + cells.rate_step[p] * i, m)
    square, constant, slope, onset = cells.surge[p, 0], cells.surge[p, 1], cells.surge[p, 2], cells.surge[p, 3]
    if slope > 0:
        for k in range(m):
            fresh[k] += rate[k] * (slope * np.exp((u[k] - onset) / slope))
    if square != 0 or constant != 0:
        for k in range(m):
            fresh[k] += rate[k] * (square * u[k] * u[k] + constant)
    for k in range(max(0, cells.n[p] - i), m):   # what only fills the last granule never resets: it must not run away
        fresh[k] = 0


@kernel
def _bound(cells, p, m, fresh):
    """U* = low where it is below, high where it is above."""
    low, high = cells.low[p], cells.high[p]
    for k in range(m):
        above = low if fresh[k] < low else fresh[k]
        fresh[k] = high if above > high else above


@kernel
def _clamp_and_compare(cells, p, i, m, x, clock, fresh, margin):
    """States take their new values, but a clamped U stays; margin = U - theta, or -inf where clamped."""
    u, new, theta = part(x, cells.state_first[p] + i, m), part(fresh, 0, m), cells.threshold[p]
    low = x.dtype.type(-np.inf)
    if cells.clamped_steps[p] > 0:
        remaining = part(clock, cells.neuron_first[p] + i, m)
        for k in range(m):
            before, after, clamped = u[k], new[k], remaining[k] > 0   # loaded without a condition, for the sake of vector units
            u[k] = before if clamped else after
            margin[k] = low if clamped else after - theta
    else:
        for k in range(m):
            u[k] = new[k]
            margin[k] = new[k] - theta
    for r in range(1, cells.row_first[p + 1] - cells.row_first[p]):
        y, new = part(x, cells.state_first[p] + r * cells.padded[p] + i, m), part(fresh, r * BLOCK, m)
        for k in range(m):
            y[k] = new[k]


@kernel
def _release(cells, p, i, m, x, clock, held):
    """What has moved a clamped U since the last update is lost; the clock goes on."""
    a = cells.neuron_first[p] + i
    u, remaining, before = part(x, cells.state_first[p] + i, m), part(clock, a, m), part(held, a, m)
    for k in range(m):
        value, kept, left = u[k], before[k], remaining[k]
        u[k] = kept if left > 0 else value
        remaining[k] = max(left, np.int32(1)) - np.int32(1)


@kernel
def _find_spikes(i, m, n_real, margin, units, count):
    """Append the neurons with margin > 0; blocks without a spike are passed over at the speed of vector units."""
    for b in range(0, m, GRANULE):
        block, some = part(margin, b, GRANULE), np.int32(0)
        for k in range(GRANULE):
            some |= np.int32(block[k] > 0)
        if some:
            for k in range(GRANULE):   # without a branch: the next spike overwrites what was not one
                units[count] = i + b + k
                count += (block[k] > 0) & (i + b + k < n_real)
    return count


@kernel
def _update(cells, noise, history, p, n, t, x, state, scratch):
    """Integrate and threshold the neurons of thread t in population p, and list its spikes of step n."""
    a, slot, words = cells.neuron_first[p], n & history.mask, scratch.words
    begin, end, count = cells.bounds[p, t], cells.bounds[p, t + 1], 0
    row = history.units[slot]
    units = part(row, a + begin, end - begin + 1)
    for i in range(begin, end, BLOCK):
        m = min(BLOCK, end - i)
        if cells.clamped_steps[p] > 0:
            _release(cells, p, i, m, x, state.clock, state.held)
        _linear(cells, p, i, m, x, scratch.fresh)
        driven = noise.first[p] < noise.first[p + 1]
        if driven:
            current, u = part(scratch.current, 0, m), part(scratch.fresh, 0, m)
            drive = part(cells.coefficient, cells.drive_at[p] + cells.drive_step[p] * i, m)
            for k in range(m):
                current[k] = 0
            for s in range(noise.first[p], noise.first[p + 1]):
                _currents(noise, s, n, p, i, m, current, words)
            for k in range(m):
                u[k] += drive[k] * current[k]
        if cells.conducting[p]:
            _conduct(cells, p, i, m, x, scratch.fresh, scratch.current, driven)
        if cells.surges[p]:
            _surge(cells, p, i, m, x, scratch.fresh)
        if cells.bounded[p]:
            _bound(cells, p, m, scratch.fresh)
        _clamp_and_compare(cells, p, i, m, x, state.clock, scratch.fresh, scratch.margin)
        if cells.spiking[p]:
            count = _find_spikes(i, m, cells.n[p], scratch.margin, units, count)
    history.count[slot, t, p] = count


@kernel
def _copy_inputs(cells, drive, history, p, n, t):
    """The spikes of an input population that belong to the part of thread t."""
    slot, count, m = n & history.mask, 0, n - drive.first_step
    begin, end, q = cells.bounds[p, t], cells.bounds[p, t + 1], cells.input_number[p]
    if 0 <= m < drive.steps:
        at = m * drive.n_inputs + q
        for e in range(drive.pointers[at], drive.pointers[at + 1]):
            if begin <= drive.units[e] < end:
                history.units[slot, cells.neuron_first[p] + begin + count] = drive.units[e]
                count += 1
    history.count[slot, t, p] = count


@kernel
def _reset(cells, history, p, n, t, x, state):
    """U = U_reset, or U -= theta; the refractory clock starts."""
    slot, a, first = n & history.mask, cells.neuron_first[p], cells.state_first[p]
    at = a + cells.bounds[p, t]
    for e in range(history.count[slot, t, p]):
        i = history.units[slot, at + e]
        x[first + i] = x[first + i] - cells.threshold[p] if cells.subtracts[p] else cells.reset[p]
        state.held[a + i] = x[first + i]
        if cells.clamped_steps[p] > 0:
            state.clock[a + i] = cells.clamped_steps[p] + 1


@kernel
def _jump(cells, history, p, n, t, x):
    """What spikes of step n - delay add to other states of their own neurons."""
    slot, first, at = (n - cells.jump_delay[p]) & history.mask, cells.state_first[p], cells.neuron_first[p] + cells.bounds[p, t]
    if n < cells.jump_delay[p]:
        return
    for e in range(history.count[slot, t, p]):
        i = history.units[slot, at + e]
        for r in range(cells.row_first[p] + 1, cells.row_first[p + 1]):
            x[first + (r - cells.row_first[p]) * cells.padded[p] + i] += cells.coefficient[cells.jump_at[r] + cells.jump_step[r] * i]


# ---------------------------------------------------------------------------------------------- synapses

@kernel
def _add_dense(weight, n_post, begin, end, jump, units, y):
    size, e = end - begin, 0
    while e + 4 <= units.size:
        r0 = part(weight, units[e] * n_post + begin, size)
        r1 = part(weight, units[e + 1] * n_post + begin, size)
        r2 = part(weight, units[e + 2] * n_post + begin, size)
        r3 = part(weight, units[e + 3] * n_post + begin, size)
        for i in range(size):
            y[i] = (((y[i] + jump * r0[i]) + jump * r1[i]) + jump * r2[i]) + jump * r3[i]
        e += 4
    while e < units.size:
        row = part(weight, units[e] * n_post + begin, size)
        for i in range(size):
            y[i] += jump * row[i]
        e += 1


@kernel
def _add_constant(target, split, row, t, w, units, y):
    for e in range(units.size):
        r = row + units[e]
        for s in range(_U64(split[r, t]), _U64(split[r, t + 1])):
            y[_U64(target[s])] += w


@kernel
def _add_weighted(target, weight, split, row, t, jump, units, y):
    for e in range(units.size):
        r = row + units[e]
        for s in range(_U64(split[r, t]), _U64(split[r, t + 1])):
            y[_U64(target[s])] += jump * weight[s]


@kernel
def _add_delayed(target, weight, per_synapse, delay, split, row, t, jump, n, ring, mask, width, at, units):
    """Into the ring of arrivals; per_synapse: whether every synapse has a weight of its own."""
    step, m, lanes, begin, w = _U64(n), _U64(mask), _U64(width), _U64(at), jump * weight[0]   # unsigned: no test for negative places
    for e in range(units.size):
        r = row + units[e]
        if per_synapse:
            for s in range(_U64(split[r, t]), _U64(split[r, t + 1])):
                ring[((step + _U64(delay[s])) & m) * lanes + begin + _U64(target[s])] += jump * weight[s]
        else:
            for s in range(_U64(split[r, t]), _U64(split[r, t + 1])):
                ring[((step + _U64(delay[s])) & m) * lanes + begin + _U64(target[s])] += w


@kernel
def _spikes_of(history, n, part_of, p, begin):
    """Spikes of population p at step n in one thread's part, which begins at neuron `begin` of all."""
    slot = n & history.mask
    return part(history.units[slot], begin, history.count[slot, part_of, p])


@kernel
def _add_spikes(cells, wires, k, t, jump, units, x):
    """Spikes, times a factor in `jump`, of a projection with one delay."""
    post = wires.post[k]
    begin, end = cells.bounds[post, t], min(cells.bounds[post, t + 1], cells.n[post])
    weight = at_address(wires.weight_address[k], wires.weight_size[k], x)
    y = part(x, wires.target[k], cells.n[post])
    if wires.dense[k]:
        if begin < end:
            _add_dense(weight, cells.n[post], begin, end, jump, units, part(x, wires.target[k] + begin, end - begin))
    elif wires.wide[k]:
        target = at_address(wires.target_address[k], wires.size[k], wires.int32)
        if wires.weight_size[k] == 1:
            _add_constant(target, wires.split, wires.row_first[k], t, jump * weight[0], units, y)
        else:
            _add_weighted(target, weight, wires.split, wires.row_first[k], t, jump, units, y)
    else:
        target = at_address(wires.target_address[k], wires.size[k], wires.uint16)
        if wires.weight_size[k] == 1:
            _add_constant(target, wires.split, wires.row_first[k], t, jump * weight[0], units, y)
        else:
            _add_weighted(target, weight, wires.split, wires.row_first[k], t, jump, units, y)


@kernel
def _arrive(cells, wires, history, k, n, t, x):
    """Projection k with one delay: what was emitted `delay` steps before arrives now, in ascending order of j."""
    emitted, p = n - wires.delay[k], wires.pre[k]
    if emitted < 0:
        return
    for other in range(cells.bounds.shape[1] - 1):
        units = _spikes_of(history, emitted, other, p, cells.neuron_first[p] + cells.bounds[p, other])
        if units.size:
            _add_spikes(cells, wires, k, t, wires.jump[k], units, x)


@kernel
def _send(cells, wires, history, k, n, t, ring, x):
    """Projection k with a delay for every synapse: what was emitted at step n goes into the ring of arrivals."""
    p, per_synapse = wires.pre[k], wires.weight_size[k] > 1
    weight, row, at = at_address(wires.weight_address[k], wires.weight_size[k], x), wires.row_first[k], wires.target[k]
    size, mask, width, jump = wires.size[k], wires.ring_mask, wires.ring_width, wires.jump[k]
    for other in range(cells.bounds.shape[1] - 1):
        units = _spikes_of(history, n, other, p, cells.neuron_first[p] + cells.bounds[p, other])
        if units.size == 0:
            continue
        if wires.wide[k]:
            target = at_address(wires.target_address[k], size, wires.int32)
            if wires.long[k]:
                delay = at_address(wires.delay_address[k], size, wires.uint16)
                _add_delayed(target, weight, per_synapse, delay, wires.split, row, t, jump, n, ring, mask, width, at, units)
            else:
                delay = at_address(wires.delay_address[k], size, wires.uint8)
                _add_delayed(target, weight, per_synapse, delay, wires.split, row, t, jump, n, ring, mask, width, at, units)
        else:
            target = at_address(wires.target_address[k], size, wires.uint16)
            if wires.long[k]:
                delay = at_address(wires.delay_address[k], size, wires.uint16)
                _add_delayed(target, weight, per_synapse, delay, wires.split, row, t, jump, n, ring, mask, width, at, units)
            else:
                delay = at_address(wires.delay_address[k], size, wires.uint8)
                _add_delayed(target, weight, per_synapse, delay, wires.split, row, t, jump, n, ring, mask, width, at, units)


@kernel
def _take_from_ring(cells, wires, n, t, ring, x):
    """What the ring holds for step n is added to the states of receptors, and its place becomes free."""
    row = (n & wires.ring_mask) * wires.ring_width
    for c in range(wires.ring_state.size):
        p = wires.ring_population[c]
        begin, end = cells.bounds[p, t], cells.bounds[p, t + 1]
        arrived, y = part(ring, row + wires.ring_at[c] + begin, end - begin), part(x, wires.ring_state[c] + begin, end - begin)
        for i in range(end - begin):
            y[i] += arrived[i]
            arrived[i] = 0


# ---------------------------------------------------------------------------------------------- plastic synapses

@kernel
def _use_resources(cells, wires, plastic, history, q, n, t):
    """Short-term plasticity q: u, x and the release u x at the spikes that thread t has found in step n."""
    p, slot, first = wires.pre[plastic.short[q]], n & history.mask, plastic.short_first[q]
    begin, use, recovery, facilitation = cells.bounds[p, t], plastic.utilization[q], plastic.recovery[q], plastic.facilitation[q]
    for e in range(history.count[slot, t, p]):
        a = first + history.units[slot, cells.neuron_first[p] + begin + e]
        elapsed = n - plastic.used[a]
        u = plastic.u[a] * np.exp(-facilitation * elapsed) if facilitation > 0 else 0.0
        x = 1 - (1 - plastic.x[a]) * np.exp(-recovery * elapsed)
        u += use * (1 - u)
        plastic.release[slot, first + begin + e] = u * x
        plastic.u[a], plastic.x[a], plastic.used[a] = u, x - u * x, n


@kernel
def _send_one(wires, k, n, t, jump, unit, ring, x):
    """One spike, times a factor in `jump`, of a projection with a delay for every synapse."""
    weight, row, size = at_address(wires.weight_address[k], wires.weight_size[k], x), wires.row_first[k], wires.size[k]
    per_synapse, mask, width, at = wires.weight_size[k] > 1, wires.ring_mask, wires.ring_width, wires.target[k]
    for s in range(wires.split[row + unit[0], t], wires.split[row + unit[0], t + 1]):
        if wires.long[k]:
            delay = np.int64(at_address(wires.delay_address[k], size, wires.uint16)[s])
        else:
            delay = np.int64(at_address(wires.delay_address[k], size, wires.uint8)[s])
        if wires.wide[k]:
            i = np.int64(at_address(wires.target_address[k], size, wires.int32)[s])
        else:
            i = np.int64(at_address(wires.target_address[k], size, wires.uint16)[s])
        ring[((n + delay) & mask) * width + at + i] += jump * (weight[s] if per_synapse else weight[0])


@kernel
def _add_released(cells, wires, plastic, history, q, n, t, x, ring):
    """Weight times release, for the spikes of step n of the projection of short-term plasticity q."""
    k, slot = plastic.short[q], n & history.mask
    p, released = wires.pre[k], plastic.release[slot]
    for other in range(cells.bounds.shape[1] - 1):
        begin = cells.bounds[p, other]
        units = _spikes_of(history, n, other, p, cells.neuron_first[p] + begin)
        for e in range(units.size):
            jump = wires.jump[k] * released[plastic.short_first[q] + begin + e]
            if plastic.short_delayed[q]:
                _send_one(wires, k, n, t, jump, part(units, e, 1), ring, x)
            else:
                _add_spikes(cells, wires, k, t, jump, part(units, e, 1), x)


@kernel
def _faded(trace, steps, rate, table):
    """A trace after some steps: trace exp(-rate steps)."""
    return trace * (table[steps] if steps < table.size else np.exp(-rate * steps))


@kernel
def _clipped(w, most):
    return min(max(w, 0.0), most)


@kernel
def _learn_row(plastic, rule, target, weight, begin, end, jump, n, y):
    """w += eta (x_post - alpha), then I += w, for the synapses of one presynaptic spike."""
    first, rate, table = plastic.post_first[rule], plastic.rate[rule], plastic.table[rule]
    for s in range(begin, end):
        i = np.int64(target[s])
        trace = _faded(plastic.post_trace[first + i], n - plastic.post_seen[first + i], rate, table)
        weight[s] = _clipped(weight[s] + plastic.eta[rule] * (trace - plastic.alpha[rule]), plastic.w_max[rule])
        y[i] += jump * weight[s]


@kernel
def _arrive_and_learn(cells, wires, plastic, history, rule, n, t, x):
    """What arrives at learning projection `rule` at step n. Every thread keeps presynaptic traces of its own: all are the same."""
    k = plastic.learning[rule]
    emitted, p, row = n - wires.delay[k], wires.pre[k], wires.row_first[k]
    if emitted < 0:
        return
    weight, y = at_address(wires.weight_address[k], wires.weight_size[k], x), part(x, wires.target[k], cells.n[wires.post[k]])
    for other in range(cells.bounds.shape[1] - 1):
        units = _spikes_of(history, emitted, other, p, cells.neuron_first[p] + cells.bounds[p, other])
        for e in range(units.size):
            a, r = plastic.pre_first[rule] + units[e], row + units[e]
            trace = _faded(plastic.pre_trace[t, a], n - plastic.pre_seen[t, a], plastic.rate[rule], plastic.table[rule])
            plastic.pre_trace[t, a], plastic.pre_seen[t, a] = trace + 1, n
            if wires.wide[k]:
                target = at_address(wires.target_address[k], wires.size[k], wires.int32)
                _learn_row(plastic, rule, target, weight, wires.split[r, t], wires.split[r, t + 1], wires.jump[k], n, y)
            else:
                target = at_address(wires.target_address[k], wires.size[k], wires.uint16)
                _learn_row(plastic, rule, target, weight, wires.split[r, t], wires.split[r, t + 1], wires.jump[k], n, y)


@kernel
def _learn_from_targets(cells, wires, plastic, history, rule, n, t, x):
    """x_post += 1 and w += eta x_pre, for the spikes of step n of the postsynaptic neurons of thread t."""
    k, slot, first, rate, table = plastic.learning[rule], n & history.mask, plastic.pre_first[rule], plastic.rate[rule], plastic.table[rule]
    post, weight = wires.post[k], at_address(wires.weight_address[k], wires.weight_size[k], x)
    for e in range(history.count[slot, t, post]):
        i = history.units[slot, cells.neuron_first[post] + cells.bounds[post, t] + e]
        b, c = plastic.post_first[rule] + i, plastic.into_at[rule] + i
        plastic.post_trace[b] = _faded(plastic.post_trace[b], n - plastic.post_seen[b], rate, table) + 1
        plastic.post_seen[b] = n
        for incoming in range(plastic.into_first[c], plastic.into_first[c + 1]):
            s, a = plastic.into_synapse[incoming], first + plastic.into_source[incoming]
            trace = _faded(plastic.pre_trace[t, a], n - plastic.pre_seen[t, a], rate, table)
            weight[s] = _clipped(weight[s] + plastic.eta[rule] * trace, plastic.w_max[rule])


@kernel
def _plastic_arrivals(cells, wires, plastic, history, n, t, x, ring):
    """What arrives at step n through plastic projections with one delay, and what they learn."""
    for q in range(plastic.short.size):
        emitted = n - wires.delay[plastic.short[q]]
        if not plastic.short_delayed[q] and emitted >= 0:
            _add_released(cells, wires, plastic, history, q, emitted, t, x, ring)
    for rule in range(plastic.learning.size):
        _arrive_and_learn(cells, wires, plastic, history, rule, n, t, x)
        _learn_from_targets(cells, wires, plastic, history, rule, n, t, x)


# ---------------------------------------------------------------------------------------------- all steps of a thread

@kernel
def _record(cells, record, n, t, x, state, row):
    for c in range(record.index.size):
        if record.owner[c] == t:
            a = record.clamped_by[c]   # a neuron whose U is recorded and may be clamped, or -1
            record.values[row, c] = state.held[a] if a >= 0 and state.clock[a] > 0 else x[record.index[c]]


@kernel
def advance(cells, wires, plastic, noise, drive, history, record, state, scratch, control, t, first, last):
    """Steps first .. last - 1 of everything that belongs to thread t. At the end all threads have met, and all spikes are sent."""
    cells, wires, plastic, noise, drive, history, record, state, scratch = borrowed(
        (cells, wires, plastic, noise, drive, history, record, state, scratch))
    x, ring, threads, known, meetings, row = state.x, state.ring, cells.bounds.shape[1] - 1, first - 1, 0, 0
    for n in range(first, last):
        for p in range(cells.n.size):
            if cells.input_number[p] >= 0:
                _copy_inputs(cells, drive, history, p, n, t)
            else:
                _update(cells, noise, history, p, n, t, x, state, scratch)
        for q in range(plastic.short.size):
            _use_resources(cells, wires, plastic, history, q, n, t)
        if n - wires.shortest > known or n == last - 1:   # spikes up to n - shortest arrive now: exchange all there are
            if threads > 1:
                meetings += 1
                meet(control, meetings, threads)
            for m in range(known + 1, n + 1):
                for k in range(wires.delayed.size):
                    _send(cells, wires, history, wires.delayed[k], m, t, ring, x)
                for q in range(plastic.short.size):
                    if plastic.short_delayed[q]:
                        _add_released(cells, wires, plastic, history, q, m, t, x, ring)
            known = n
        for s in range(noise.first[cells.n.size], noise.kind.size):
            _poisson(cells, noise, s, n, t, x, scratch.words)
        for k in range(wires.direct.size):
            _arrive(cells, wires, history, wires.direct[k], n, t, x)
        _plastic_arrivals(cells, wires, plastic, history, n, t, x, ring)
        if wires.ring_state.size:
            _take_from_ring(cells, wires, n, t, ring, x)
        for p in range(cells.n.size):
            if cells.spiking[p]:
                _reset(cells, history, p, n, t, x, state)
                if cells.jumps[p]:
                    _jump(cells, history, p, n, t, x)
        if record.index.size and n % record.every == 0:
            _record(cells, record, n, t, x, state, row)
            row += 1


# ---------------------------------------------------------------------------------------------- around the run

@kernel
def split_rows(first, target, bounds, split):
    """split[j, t]: the first synapse of row j whose target is >= bounds[t]."""
    for j in range(first.size - 1):
        for t in range(bounds.size):
            low, high = first[j], first[j + 1]
            while low < high:
                middle = (low + high) // 2
                if target[middle] < bounds[t]:
                    low = middle + 1
                else:
                    high = middle
            split[j, t] = low


@kernel
def collect(history, bounds, neuron_first, p, first, last, steps, units):
    """Spikes of population p in steps first .. last - 1, by step and then neuron, into `steps` and `units`."""
    total = 0
    for n in range(first, last):
        slot = n & history.mask
        for t in range(bounds.shape[1] - 1):
            at = neuron_first[p] + bounds[p, t]
            for e in range(history.count[slot, t, p]):
                steps[total], units[total] = n, history.units[slot, at + e]
                total += 1

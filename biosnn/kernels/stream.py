"""The compiled loops of one large network: threads own parts of the neurons of every population, and meet to exchange spikes.

Kernels see arrays and scalars only (engine/stream_tables.py says what they are). A step is that of DESIGN section 2: integrate, threshold,
synapses, reset. Thread t owns the neurons bounds[p, t] .. bounds[p, t+1] - 1 of population p and everything that arrives there; the
rows of a sparse projection are sorted by target, so that its share of a row is a run of synapses. Nothing else is shared but the
lists of spikes, which are complete up to the last meeting. Every target adds its inputs in the same order for any number of threads.
"""

import numpy as np

from .arrivals import add_released, arrive, plastic_arrivals, send, take_from_ring, use_resources
from .jit import borrowed, kernel, meet, part
from .pooling import pool_spikes
from .random import add_currents, add_poisson
from .simd import LANES, at_least, exp, lowest_bit

BLOCK = (
    512  # neurons that go through all parts of an update while they are in the first-level cache
)


# ------------------------------------------------------------------------------------------ neurons


@kernel
def _term(cells, p, i, m, x, old, e):
    """Coefficients and states of a term of the step matrix, for the neurons i .. i + m - 1; U before the step is in `old`."""
    state = cells.term_other[e]
    y = (
        part(old, 0, m)
        if state == 0
        else part(x, cells.state_first[p] + state * cells.padded[p] + i, m)
    )
    return part(cells.coefficient, cells.term_at[e] + cells.term_step[e] * i, m), y


@kernel
def _only_decays(cells, p, r):
    """Whether row r of the step matrix, not that of U, holds nothing but its own state."""
    own = r - cells.row_first[p]
    return (
        own > 0
        and cells.term_first[r + 1] - cells.term_first[r] == 1
        and cells.term_other[cells.term_first[r]] == own
    )


@kernel
def _linear(cells, p, i, m, x, old, fresh):
    """fresh_r = sum_e coefficient_e x_other(e), for every state r of a table model that does not only decay."""
    for r in range(cells.row_first[p], cells.row_first[p + 1]):
        if _only_decays(cells, p, r):
            continue
        result = part(fresh, (r - cells.row_first[p]) * BLOCK, m)
        start, stop = cells.term_first[r], cells.term_first[r + 1]
        e1, e2 = min(start + 1, stop - 1), min(start + 2, stop - 1)
        c0, x0 = _term(cells, p, i, m, x, old, start)
        c1, x1 = _term(cells, p, i, m, x, old, e1)
        c2, x2 = _term(cells, p, i, m, x, old, e2)
        if stop - start == 1:
            for k in range(m):
                result[k] = c0[k] * x0[k]
        elif stop - start == 2:
            for k in range(m):
                result[k] = c0[k] * x0[k] + c1[k] * x1[k]
        else:
            for k in range(m):
                result[k] = (c0[k] * x0[k] + c1[k] * x1[k]) + c2[k] * x2[k]
        for e in range(start + 3, stop):
            c, y = _term(cells, p, i, m, x, old, e)
            for k in range(m):
                result[k] += c[k] * y[k]


@kernel
def _conduct(cells, p, i, m, x, u, fresh, current, driven):
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
    rate = part(cells.coefficient, cells.rate_at[p] + cells.rate_step[p] * i, m)
    for k in range(m):
        limit = inflow[k] / total[k]
        fresh[k] = limit + (u[k] - limit) * exp(-rate[k] * total[k])


@kernel
def _surge(cells, p, i, m, u, fresh):
    """U* += dt / tau_mem (square U^2 + constant + slope exp((U - onset) / slope)), for the old U."""
    rate = part(cells.coefficient, cells.rate_at[p] + cells.rate_step[p] * i, m)
    square, constant, slope, onset = (
        cells.surge[p, 0],
        cells.surge[p, 1],
        cells.surge[p, 2],
        cells.surge[p, 3],
    )
    if slope > 0:
        for k in range(m):
            fresh[k] += rate[k] * (slope * exp((u[k] - onset) / slope))
    if square != 0 or constant != 0:
        for k in range(m):
            fresh[k] += rate[k] * (square * u[k] * u[k] + constant)
    for k in range(
        max(0, cells.n[p] - i), m
    ):  # what only fills the last granule never resets: it must not run away
        fresh[k] = 0


@kernel
def _bound(cells, p, m, fresh):
    """U* = low where it is below, high where it is above."""
    low, high = cells.low[p], cells.high[p]
    for k in range(m):
        above = low if fresh[k] < low else fresh[k]
        fresh[k] = high if above > high else above


@kernel
def _clamp_and_compare(cells, p, i, m, x, clock, old, fresh, margin):
    """States take their new values, but a clamped U stays; margin = U - theta, or -inf where clamped.

    A choice is stored elsewhere than where its parts were loaded: else the compiler makes a masked store of it, slow on many processors.
    """
    u, new, theta = part(x, cells.state_first[p] + i, m), part(fresh, 0, m), cells.threshold[p]
    low = x.dtype.type(-np.inf)
    if cells.clamped_steps[p] > 0:
        remaining = part(clock, cells.neuron_first[p] + i, m)
        for k in range(m):
            before, after, clamped = (
                old[k],
                new[k],
                remaining[k] > 0,
            )  # loaded without a condition, for the sake of vector units
            u[k] = before if clamped else after
            margin[k] = low if clamped else after - theta
    else:
        for k in range(m):
            u[k] = new[k]
            margin[k] = new[k] - theta
    for r in range(cells.row_first[p] + 1, cells.row_first[p + 1]):
        own = r - cells.row_first[p]
        y, new = (
            part(x, cells.state_first[p] + own * cells.padded[p] + i, m),
            part(fresh, own * BLOCK, m),
        )
        if _only_decays(cells, p, r):
            c = part(
                cells.coefficient,
                cells.term_at[cells.term_first[r]] + cells.term_step[cells.term_first[r]] * i,
                m,
            )
            for k in range(m):
                y[k] = c[k] * y[k]
        else:
            for k in range(m):
                y[k] = new[k]


@kernel
def _release(cells, p, i, m, x, clock, held, old):
    """old = U before the step: what has moved a clamped U since the last update is lost. The clock goes on."""
    a, u = cells.neuron_first[p] + i, part(x, cells.state_first[p] + i, m)
    if cells.clamped_steps[p] > 0:
        remaining, before = part(clock, a, m), part(held, a, m)
        for k in range(m):
            value, kept, left = u[k], before[k], remaining[k]
            old[k] = kept if left > 0 else value
            remaining[k] = max(left, np.int32(1)) - np.int32(1)
    else:
        for k in range(m):
            old[k] = u[k]


@kernel
def _find_spikes(i, m, n_real, margin, units, count):
    """Append the neurons with margin > 0; blocks without a spike are passed over at the speed of vector units."""
    for b in range(0, m, LANES):
        bits = at_least(margin, b, margin.dtype.type(0))
        while bits:
            k = b + lowest_bit(bits)
            bits &= bits - 1
            if margin[k] > 0 and i + k < n_real:
                units[count] = i + k
                count += 1
    return count


@kernel
def _update(cells, noise, history, p, n, t, x, state, scratch):
    """Integrate and threshold the neurons of thread t in population p, and list its spikes of step n."""
    slot, words = n & history.mask, scratch.words
    begin, end, count = cells.bounds[p, t], cells.bounds[p, t + 1], 0
    units = part(history.units[slot], history.first[p, t], end - begin + 1)
    for i in range(begin, end, BLOCK):
        m = min(BLOCK, end - i)
        _release(cells, p, i, m, x, state.clock, state.held, scratch.old)
        _linear(cells, p, i, m, x, scratch.old, scratch.fresh)
        driven = noise.first[p] < noise.first[p + 1]
        if driven:
            current, u = part(scratch.current, 0, m), part(scratch.fresh, 0, m)
            drive = part(cells.coefficient, cells.drive_at[p] + cells.drive_step[p] * i, m)
            for k in range(m):
                current[k] = 0
            for s in range(noise.first[p], noise.first[p + 1]):
                add_currents(noise, s, n, p, i, m, current, words)
            for k in range(m):
                u[k] += drive[k] * current[k]
        if cells.conducting[p]:
            _conduct(cells, p, i, m, x, scratch.old, scratch.fresh, scratch.current, driven)
        if cells.surges[p]:
            _surge(cells, p, i, m, scratch.old, scratch.fresh)
        if cells.bounded[p]:
            _bound(cells, p, m, scratch.fresh)
        _clamp_and_compare(
            cells, p, i, m, x, state.clock, scratch.old, scratch.fresh, scratch.margin
        )
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
                history.units[slot, history.first[p, t] + count] = drive.units[e]
                count += 1
    history.count[slot, t, p] = count


@kernel
def _reset(cells, history, p, n, t, x, state):
    """U = U_reset, or U -= theta; the refractory clock starts."""
    slot, a, first, at = (
        n & history.mask,
        cells.neuron_first[p],
        cells.state_first[p],
        history.first[p, t],
    )
    for e in range(history.count[slot, t, p]):
        i = history.units[slot, at + e]
        x[first + i] = x[first + i] - cells.threshold[p] if cells.subtracts[p] else cells.reset[p]
        state.held[a + i] = x[first + i]
        if cells.clamped_steps[p] > 0:
            state.clock[a + i] = cells.clamped_steps[p] + 1


@kernel
def _jump(cells, history, p, n, t, x):
    """What spikes of step n - delay add to other states of their own neurons."""
    slot, first, at = (
        (n - cells.jump_delay[p]) & history.mask,
        cells.state_first[p],
        history.first[p, t],
    )
    if n < cells.jump_delay[p]:
        return
    for e in range(history.count[slot, t, p]):
        i = history.units[slot, at + e]
        for r in range(cells.row_first[p] + 1, cells.row_first[p + 1]):
            x[first + (r - cells.row_first[p]) * cells.padded[p] + i] += cells.coefficient[
                cells.jump_at[r] + cells.jump_step[r] * i
            ]


# ---------------------------------------------------------------------------- all steps of a thread


@kernel
def _record(cells, record, n, t, x, state, row):
    for c in range(record.index.size):
        if record.owner[c] == t:
            a = record.clamped_by[c]  # a neuron whose U is recorded and may be clamped, or -1
            record.values[row, c] = (
                state.held[a] if a >= 0 and state.clock[a] > 0 else x[record.index[c]]
            )


@kernel
def advance(
    cells, wires, plastic, noise, drive, history, record, state, scratch, control, t, first, last
):
    """Steps first .. last - 1 of everything that belongs to thread t. At the end all threads have met, and all spikes are sent."""
    cells, wires, plastic, noise, drive, history, record, state, scratch = borrowed(
        (cells, wires, plastic, noise, drive, history, record, state, scratch)
    )
    x, ring, threads, known, meetings, row = (
        state.x,
        state.ring,
        cells.bounds.shape[1] - 1,
        first - 1,
        0,
        0,
    )
    for n in range(first, last):
        for p in range(cells.n.size):
            if cells.input_number[p] >= 0:
                _copy_inputs(cells, drive, history, p, n, t)
            else:
                _update(cells, noise, history, p, n, t, x, state, scratch)
        for q in range(plastic.short.size):
            use_resources(cells, wires, plastic, history, q, n, t)
        if (
            n - wires.shortest > known or n == last - 1
        ):  # spikes up to n - shortest arrive now: exchange all there are
            if threads > 1:
                meetings += 1
                meet(control, meetings, threads)
            for k in range(wires.pools.population.size):  # what they pool is complete now
                for m in range(known + 1, n + 1):
                    pool_spikes(cells, wires.pools, history, k, m, t)
                if threads > 1:
                    meetings += 1
                    meet(control, meetings, threads)
            for m in range(known + 1, n + 1):
                for k in range(wires.delayed.size):
                    send(cells, wires, history, wires.delayed[k], m, t, ring, x)
                for q in range(plastic.short.size):
                    if plastic.short_delayed[q]:
                        add_released(cells, wires, plastic, history, q, m, t, x, ring)
            known = n
        for s in range(noise.first[cells.n.size], noise.kind.size):
            add_poisson(cells, noise, s, n, t, x, scratch.words)
        for k in range(wires.direct.size):
            arrive(cells, wires, history, wires.direct[k], n, t, x)
        plastic_arrivals(cells, wires, plastic, history, n, t, x, ring)
        if wires.ring_state.size:
            take_from_ring(cells, wires, n, t, ring, x)
        for p in range(cells.n.size):
            if cells.spiking[p]:
                _reset(cells, history, p, n, t, x, state)
                if cells.jumps[p]:
                    _jump(cells, history, p, n, t, x)
        if record.index.size and n % record.every == 0:
            _record(cells, record, n, t, x, state, row)
            row += 1


# ----------------------------------------------------------------------------------- around the run


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
def collect(history, p, first, last, steps, units):
    """Spikes of population p in steps first .. last - 1, by step and then neuron, into `steps` and `units`."""
    total = 0
    for n in range(first, last):
        slot = n & history.mask
        for t in range(history.first.shape[1]):
            at = history.first[p, t]
            for e in range(history.count[slot, t, p]):
                steps[total], units[total] = n, history.units[slot, at + e]
                total += 1

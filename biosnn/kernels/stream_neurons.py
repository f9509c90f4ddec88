"""Neurons of one large network, one thread's part: integrate, threshold, reset, jump.

    integrate   U*, I* = M (U, I) + drive * current
    threshold   S = U* > theta; a clamped (refractory) U stays
    reset       U = U_reset   or   U -= theta; the refractory clock starts

Blocks of neurons go through all parts of an update while they are in the first-level cache.
stream.py has the step that calls these loops. Kernels see arrays and scalars only
(engine/stream_tables.py).
"""

# a comparison with NaN is false, and NaN must stay

import numpy as np

from .jit import kernel, part
from .random import add_currents
from .simd import LANES, at_least, exp, lowest_bit

# neurons that go through all parts of an update while they are in the first-level cache
BLOCK = 512


@kernel
def _term(cells, p, i, m, x, old, e):
    """Coefficients and states of a term of the step matrix, for the neurons i .. i + m - 1.

    U before the step is in `old`.
    """
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
    """fresh_r = sum_e coefficient_e x_other(e), for every state r that does not only decay."""
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
    """U* = U_inf + (U - U_inf) exp(-dt (1 + sum g) / tau_mem), for the old g.

    U_inf = (sum g E + current) / (1 + sum g).
    """
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
def _nonlinear_drive(cells, p, i, m, u, fresh):
    """U* += dt / tau_mem (square U^2 + constant + slope exp((U - onset) / slope)), old U."""
    rate = part(cells.coefficient, cells.rate_at[p] + cells.rate_step[p] * i, m)
    square = cells.nonlinear_drive[p, 0]
    constant = cells.nonlinear_drive[p, 1]
    slope = cells.nonlinear_drive[p, 2]
    onset = cells.nonlinear_drive[p, 3]
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
    """States take their new values, but a clamped U stays.

    margin = U - theta, or -inf where clamped.

    A choice is stored elsewhere than where its parts were loaded: else the compiler makes a masked
    store of it, slow on many processors.
    """
    u = part(x, cells.state_first[p] + i, m)
    new = part(fresh, 0, m)
    theta = cells.threshold[p]
    low = x.dtype.type(-np.inf)
    if cells.clamped_steps[p] > 0:
        remaining = part(clock, cells.neuron_first[p] + i, m)
        for k in range(m):
            # loaded without a condition, for the sake of vector units
            before = old[k]
            after = new[k]
            clamped = remaining[k] > 0
            u[k] = before if clamped else after
            margin[k] = low if clamped else after - theta
    else:
        for k in range(m):
            u[k] = new[k]
            margin[k] = new[k] - theta
    for r in range(cells.row_first[p] + 1, cells.row_first[p + 1]):
        own = r - cells.row_first[p]
        y = part(x, cells.state_first[p] + own * cells.padded[p] + i, m)
        new = part(fresh, own * BLOCK, m)
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
    """old = U before the step: what has moved a clamped U since the last update is lost.

    The clock goes on.
    """
    a, u = cells.neuron_first[p] + i, part(x, cells.state_first[p] + i, m)
    if cells.clamped_steps[p] > 0:
        remaining, before = part(clock, a, m), part(held, a, m)
        for k in range(m):
            value = u[k]
            kept = before[k]
            left = remaining[k]
            old[k] = kept if left > 0 else value
            remaining[k] = max(left, np.int32(1)) - np.int32(1)
    else:
        for k in range(m):
            old[k] = u[k]


@kernel
def _find_spikes(i, m, n_real, margin, units, count):
    """Append the neurons with margin > 0.

    Blocks without a spike are passed over at the speed of vector units.
    """
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
def update(cells, noise, recent, p, n, t, x, state, scratch):
    """Integrate and threshold the neurons of thread t in population p.

    Its spikes of step n are listed.
    """
    slot, words = n & recent.mask, scratch.words
    begin = cells.bounds[p, t]
    end = cells.bounds[p, t + 1]
    count = 0
    units = part(recent.units[slot], recent.first[p, t], end - begin + 1)
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
        if cells.nonlinear[p]:
            _nonlinear_drive(cells, p, i, m, scratch.old, scratch.fresh)
        if cells.bounded[p]:
            _bound(cells, p, m, scratch.fresh)
        _clamp_and_compare(
            cells, p, i, m, x, state.clock, scratch.old, scratch.fresh, scratch.margin
        )
        if cells.spiking[p]:
            count = _find_spikes(i, m, cells.n[p], scratch.margin, units, count)
    recent.n_spikes[slot, t, p] = count


@kernel
def copy_inputs(cells, drive, recent, p, n, t):
    """The spikes of an input population that belong to the part of thread t."""
    slot = n & recent.mask
    count = 0
    m = n - drive.first_step
    begin = cells.bounds[p, t]
    end = cells.bounds[p, t + 1]
    q = cells.input_number[p]
    if 0 <= m < drive.steps:
        at = m * drive.n_inputs + q
        for e in range(drive.pointers[at], drive.pointers[at + 1]):
            if begin <= drive.units[e] < end:
                recent.units[slot, recent.first[p, t] + count] = drive.units[e]
                count += 1
    recent.n_spikes[slot, t, p] = count


@kernel
def reset(cells, recent, p, n, t, x, state):
    """U = U_reset, or U -= theta; the refractory clock starts."""
    slot = n & recent.mask
    a = cells.neuron_first[p]
    first = cells.state_first[p]
    at = recent.first[p, t]
    for e in range(recent.n_spikes[slot, t, p]):
        i = recent.units[slot, at + e]
        x[first + i] = x[first + i] - cells.threshold[p] if cells.subtracts[p] else cells.reset[p]
        state.held[a + i] = x[first + i]
        if cells.clamped_steps[p] > 0:
            state.clock[a + i] = cells.clamped_steps[p] + 1


@kernel
def jump(cells, recent, p, n, t, x):
    """What spikes of step n - delay add to other states of their own neurons."""
    slot = (n - cells.jump_delay[p]) & recent.mask
    first = cells.state_first[p]
    at = recent.first[p, t]
    if n < cells.jump_delay[p]:
        return
    for e in range(recent.n_spikes[slot, t, p]):
        i = recent.units[slot, at + e]
        for r in range(cells.row_first[p] + 1, cells.row_first[p + 1]):
            x[first + (r - cells.row_first[p]) * cells.padded[p] + i] += cells.coefficient[
                cells.jump_at[r] + cells.jump_step[r] * i
            ]

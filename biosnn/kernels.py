"""The compiled loops: one step of a network forward, and beside each part its adjoint.

Kernels see arrays and scalars only (arrays.py). Index letters: b trial, n step, g group, p population, k bundle of
projections, j presynaptic neuron, i postsynaptic neuron. The order of a step is Brian2's: integrate, threshold, synapses, reset.

    integrate   U*, I* = M (U, I) + drive * current       a clamped (refractory) U stays
    threshold   S = U* > theta
    deliver     I_i += W_ji S_j[n - D]
    reset       U = U* + S (U_reset - U*)   or   U = U* - theta S

A tile of trials goes through each part side by side, so arrays of states are (trial of the tile, element).
"""
import numpy as np

from ._jit import borrowed, fused, kernel, part, reduction
from ._vector import BLOCK_BYTES, BLOCK_ROWS, LANES, above, lowest_bit, multiply_block, within
from .arrays import BEFORE_RESET, END_OF_STEP, RESET_BY_SUBTRACTION, SIGMOID, TRIANGULAR, TRUNCATED_SUPERSPIKE

ROWS = 192     # steps times trials whose events are accumulated together
COLUMNS = 256  # postsynaptic neurons for which they are


# ---------------------------------------------------------------------------------------------- surrogate gradients

@kernel
def surrogate_derivative(kind, beta, cutoff, x):
    """sigma'(x) at x = U* - theta; 0 at x = -inf, which marks a clamped neuron."""
    one = type(x)(1)   # a bare 1 would make a float32 expression float64
    if kind == SIGMOID:
        e = np.exp(-beta * abs(x))
        return beta * e / ((one + e) * (one + e))
    if kind == TRIANGULAR:
        return max(type(x)(0), one - beta * abs(x))
    if kind == TRUNCATED_SUPERSPIKE and abs(x) > cutoff:
        return type(x)(0)
    h = one / (beta * abs(x) + one)
    return h * h


@kernel
def smooth_spike(kind, beta, cutoff, x):
    """The smooth twin of the threshold: the antiderivative of `surrogate_derivative` that vanishes at -inf."""
    one, half = type(x)(1), type(x)(0.5)
    if x == -np.inf:
        return type(x)(0)
    if kind == SIGMOID:
        return one / (one + np.exp(-beta * x))
    if kind == TRIANGULAR:
        z = min(max(beta * x, -one), one)
        return (half + z - half * z * abs(z)) / beta
    if kind == TRUNCATED_SUPERSPIKE:
        x = min(max(x, -cutoff), cutoff)
        return x / (one + beta * abs(x)) + cutoff / (one + beta * cutoff)
    return x / (one + beta * abs(x)) + one / beta


# ---------------------------------------------------------------------------------------------- integrate

@kernel
def combine(model, terms, g, trials, x, y):
    """y_r = sum_e coefficient_e x_other(e) for every state r of group g. One pass takes up to three terms."""
    first, n = model.state_first[g], model.neuron_first[g + 1] - model.neuron_first[g]
    for r in range(model.row_first[g], model.row_first[g + 1]):
        start, stop, at = terms.first[r], terms.first[r + 1], first + (r - model.row_first[g]) * n
        e1, e2 = min(start + 1, stop - 1), min(start + 2, stop - 1)
        c0, c1 = part(model.coefficient, terms.at[start], n), part(model.coefficient, terms.at[e1], n)
        c2 = part(model.coefficient, terms.at[e2], n)
        for b in range(trials):
            x0, x1 = part(x[b], first + terms.other[start] * n, n), part(x[b], first + terms.other[e1] * n, n)
            x2, result = part(x[b], first + terms.other[e2] * n, n), part(y[b], at, n)
            if stop - start == 1:
                for i in range(n):
                    result[i] = c0[i] * x0[i]
            elif stop - start == 2:
                for i in range(n):
                    result[i] = c0[i] * x0[i] + c1[i] * x1[i]
            else:
                for i in range(n):
                    result[i] = c0[i] * x0[i] + c1[i] * x1[i] + c2[i] * x2[i]
            for e in range(start + 3, stop):
                c, x0 = part(model.coefficient, terms.at[e], n), part(x[b], first + terms.other[e] * n, n)
                for i in range(n):
                    result[i] += c[i] * x0[i]


@kernel
def integrate(model, g, trials, old, new):
    """new = M old for the neurons of group g."""
    combine(model, model.rows, g, trials, old, new)


@kernel
def integrate_adjoint(model, g, trials, grad_new, grad_old):
    """Forward: new = M old.  Adjoint: grad_old = M^T grad_new."""
    combine(model, model.columns, g, trials, grad_new, grad_old)


@fused
def matrix_adjoint(model, g, grad_new, old, grad_coefficient):
    """Forward: new = M old.  Adjoint, one trial: grad_M[row, column] += grad_new[row] old[column]."""
    first, n = model.state_first[g], model.neuron_first[g + 1] - model.neuron_first[g]
    for r in range(model.row_first[g], model.row_first[g + 1]):
        row = first + (r - model.row_first[g]) * n
        for e in range(model.rows.first[r], model.rows.first[r + 1]):
            gradient, column = part(grad_coefficient, model.rows.at[e], n), first + model.rows.other[e] * n
            for i in range(n):
                gradient[i] += grad_new[row + i] * old[column + i]


@kernel
def inject(model, blocks, current, start, n, trials, new):
    """U* += drive * current."""
    for m in range(blocks.size.size):
        a, column, u = blocks.tag[m], blocks.column[m], blocks.first[m]
        for b in range(trials):
            for i in range(blocks.size[m]):
                new[b, u + i] += model.drive[a + i] * current[start + b, n, column + i]


@kernel
def inject_adjoint(model, blocks, current, start, n, trials, grad_new, grad_current, grad_drive):
    """Forward: U* += drive * current.  Adjoint: grad_current = drive * grad_U*; grad_drive += current * grad_U*."""
    for m in range(blocks.size.size):
        a, column, u = blocks.tag[m], blocks.column[m], blocks.first[m]
        for b in range(trials):
            for i in range(blocks.size[m]):
                if grad_current.shape[1]:
                    grad_current[start + b, n, column + i] = model.drive[a + i] * grad_new[b, u + i]
                if grad_drive.size:
                    grad_drive[a + i] += current[start + b, n, column + i] * grad_new[b, u + i]


# ---------------------------------------------------------------------------------------------- threshold

@kernel
def threshold(model, g, trials, old, new, clock, margin, start, slot):
    """margin = U* - theta; a clamped neuron keeps U and has margin -inf, so that neither spike nor surrogate follows."""
    a, first, size = model.neuron_first[g], model.state_first[g], model.neuron_first[g + 1] - model.neuron_first[g]
    theta = part(model.threshold, a, size)
    for b in range(trials):
        m, u = part(margin[start + b, slot], a, size), part(new[b], first, size)
        for i in range(size):
            m[i] = u[i] - theta[i]
        if model.clamped_steps[g] > 0:
            remaining, before = part(clock[b], a, size), part(old[b], first, size)
            for i in range(size):
                if remaining[i] > 0:
                    remaining[i] -= 1
                    u[i] = before[i]
                    m[i] = -np.inf


@kernel
def collect_spikes(model, p, trials, margin, slot, spikes, start, n):
    """Append the neurons with margin > 0 to the events of each trial; in the smooth twin every neuron emits sigma(margin)."""
    a, size, at = model.population_first[p], model.population_first[p + 1] - model.population_first[p], n * model.group.size + p
    zero = margin.dtype.type(0)
    for b in range(trials):
        first, m = spikes.pointers[start + b, at], part(margin[start + b, slot], a, size)
        units, count = part(spikes.units, first, size + 1), 0
        if spikes.values.size:
            g = model.group[p]
            for i in range(size):
                spikes.values[first + i] = smooth_spike(model.surrogate[g], model.steepness[g], model.cutoff[g], m[i])
                units[i] = i
            count = size
        else:
            for block in range(0, size - size % LANES, LANES):
                bits = above(m, block, zero)
                while bits:
                    units[count] = block + lowest_bit(bits)
                    count += 1
                    bits &= bits - 1
            for i in range(size - size % LANES, size):
                if m[i] > zero:
                    units[count] = i
                    count += 1
        spikes.pointers[start + b, at + 1] = first + count


@fused
def threshold_adjoint(model, g, trials, margin, start, n, grad_spikes, grad_new):
    """Forward: S = Theta(U* - theta).  Adjoint: grad_U* += grad_S sigma'(U* - theta)."""
    a, first, size = model.neuron_first[g], model.state_first[g], model.neuron_first[g + 1] - model.neuron_first[g]
    kind, beta, cutoff = model.surrogate[g], model.steepness[g], model.cutoff[g]
    one, zero = margin.dtype.type(1), margin.dtype.type(0)
    for b in range(trials):
        m, grad_spike, grad_u = part(margin[start + b, n], a, size), part(grad_spikes[b], a, size), part(grad_new[b], first, size)
        if kind != SIGMOID and kind != TRIANGULAR:   # SuperSpike, written out, because this loop then uses vector units
            for i in range(size):
                h = one / (beta * abs(m[i]) + one)
                grad_u[i] += grad_spike[i] * (h * h if abs(m[i]) <= cutoff else zero)
        else:
            for i in range(size):
                grad_u[i] += grad_spike[i] * surrogate_derivative(kind, beta, cutoff, m[i])


@fused
def clamp_adjoint(model, g, trials, margin, start, n, grad_new, kept):
    """Forward: a clamped neuron keeps U.  Adjoint: its grad_U bypasses the matrix; set it aside in `kept`."""
    a, first, size = model.neuron_first[g], model.state_first[g], model.neuron_first[g + 1] - model.neuron_first[g]
    zero = margin.dtype.type(0)
    for b in range(trials):
        m, grad_u, aside = part(margin[start + b, n], a, size), part(grad_new[b], first, size), part(kept[b], a, size)
        for i in range(size):
            aside[i] = grad_u[i] if m[i] == -np.inf else zero
            grad_u[i] = zero if m[i] == -np.inf else grad_u[i]


# ---------------------------------------------------------------------------------------------- deliver and accumulate

@fused
def deliver(weight, n_post, jump, events, start, stop, current):
    """current[i] += jump W[j, i] S_j for every event, in ascending order of j. (Fusing is exact: jump is +1 or -1.)"""
    units, values = events.units, events.values
    e = start
    while values.size == 0 and e + 4 <= stop:   # the same additions in the same order, a quarter of the memory traffic
        r0 = part(weight, units[e] * n_post, n_post)
        r1 = part(weight, units[e + 1] * n_post, n_post)
        r2 = part(weight, units[e + 2] * n_post, n_post)
        r3 = part(weight, units[e + 3] * n_post, n_post)
        for i in range(n_post):
            current[i] = (((current[i] + jump * r0[i]) + jump * r1[i]) + jump * r2[i]) + jump * r3[i]
        e += 4
    while e < stop:
        s = jump * values[e] if values.size else jump
        row = part(weight, units[e] * n_post, n_post)
        for i in range(n_post):
            current[i] += s * row[i]
        e += 1


@kernel
def _by_unit(events, rows, trials, n_sources, source, first_step, last_step, delay, ring, n_pre, sorting):
    """Sort the events of some steps by presynaptic neuron, then trial and step: those of neuron j are sorting.ends[j - 1] ..

    ends[j] - 1, and their places say where the adjoint at their arrival begins in the flat ring.
    """
    ends, places, factors = sorting.ends, sorting.places, sorting.factors
    ends[:n_pre + 1] = 0
    for b in range(trials):
        for n in range(first_step, last_step):
            at = n * n_sources + source
            for e in range(events.pointers[rows[b], at], events.pointers[rows[b], at + 1]):
                ends[events.units[e] + 1] += 1
    for j in range(1, n_pre + 1):
        ends[j] += ends[j - 1]
    for b in range(trials):
        for n in range(first_step, last_step):
            at, place = n * n_sources + source, ((n + delay) % ring.shape[0] * ring.shape[1] + b) * ring.shape[2]
            for e in range(events.pointers[rows[b], at], events.pointers[rows[b], at + 1]):
                k = ends[events.units[e]]
                ends[events.units[e]] = k + 1
                places[k] = place
                if events.values.size:
                    factors[k] = events.values[e]


@fused
def accumulate(grad_weight, n_pre, n_post, jump, smooth, sorting, target, adjoints):
    """Forward: current[i] += jump W[j, i] S_j.  Adjoint: grad_W[j, i] += jump S_j grad_current[i] for the events of a window.

    By presynaptic neuron, so that a row of grad_W is read and written once; some columns at a time, so that their adjoints stay
    in the second-level cache.
    """
    ends, places, factors = sorting.ends, sorting.places, sorting.factors
    for column in range(0, n_post, COLUMNS):
        size, at, e = min(COLUMNS, n_post - column), target + column, 0
        for j in range(n_pre):
            row = part(grad_weight, j * n_post + column, size)
            while e + 4 <= ends[j] and not smooth:
                a0, a1 = part(adjoints, places[e] + at, size), part(adjoints, places[e + 1] + at, size)
                a2, a3 = part(adjoints, places[e + 2] + at, size), part(adjoints, places[e + 3] + at, size)
                for i in range(size):
                    row[i] += jump * ((a0[i] + a1[i]) + (a2[i] + a3[i]))
                e += 4
            while e < ends[j]:
                s, a0 = jump * factors[e] if smooth else jump, part(adjoints, places[e] + at, size)
                for i in range(size):
                    row[i] += s * a0[i]
                e += 1


# ---------------------------------------------------------------------------------------------- pull

@fused
def pull_dense(panels, n_pre, n_post, jump, trials, grad_states, target, grad_spikes, pre):
    """Forward: current[i] += jump W[j, i] S_j.  Adjoint: grad_S[b, j] += jump sum_i W[j, i] grad_current[b, i].

    `panels` holds W transposed, some columns j at a time (passes.py), with zeros after the last one: a product of matrices
    whose blocks of sums stay in registers. Rows beyond `trials` hold zeros, and columns after the last one get zeros added.
    Columns: the currents are grad_states[b, target:], the spikes grad_spikes[b, pre:].
    """
    width = BLOCK_BYTES // panels.itemsize
    for j in range(0, n_pre, width):
        for b in range(0, trials, BLOCK_ROWS):
            multiply_block(grad_states, b, target, n_post, panels, j * n_post, jump, grad_spikes, pre + j)


@reduction
def _dot(x, y):
    total = x.dtype.type(0)
    for i in range(x.size):
        total += x[i] * y[i]
    return total


@reduction
def _four_dots(w0, w1, w2, w3, y):
    s0 = s1 = s2 = s3 = y.dtype.type(0)
    for i in range(y.size):
        s0, s1, s2, s3 = s0 + w0[i] * y[i], s1 + w1[i] * y[i], s2 + w2[i] * y[i], s3 + w3[i] * y[i]
    return s0, s1, s2, s3


@kernel
def _near(m, width, near):
    """Write the elements with |m| <= width to `near`; returns how many there are."""
    count, whole = 0, m.size - m.size % LANES
    for block in range(0, whole, LANES):
        bits = within(m, block, width)
        while bits:
            near[count] = block + lowest_bit(bits)
            count += 1
            bits &= bits - 1
    for i in range(whole, m.size):
        if abs(m[i]) <= width:
            near[count] = i
            count += 1
    return count


@fused
def pull_compact(weight, n_pre, n_post, jump, trials, grad_states, target, grad_spikes, pre, margin, start, n, width, near):
    """As `pull_dense`, but only for neurons within `width` of threshold: elsewhere sigma' is 0 and grad_S is not needed."""
    for b in range(trials):
        grad_current, result = part(grad_states[b], target, n_post), part(grad_spikes[b], pre, n_pre)
        count, k = _near(part(margin[start + b, n], pre, n_pre), width, near), 0
        while k + 4 <= count:
            j0, j1, j2, j3 = near[k], near[k + 1], near[k + 2], near[k + 3]
            s0, s1, s2, s3 = _four_dots(part(weight, j0 * n_post, n_post), part(weight, j1 * n_post, n_post),
                                        part(weight, j2 * n_post, n_post), part(weight, j3 * n_post, n_post), grad_current)
            result[j0] += jump * s0
            result[j1] += jump * s1
            result[j2] += jump * s2
            result[j3] += jump * s3
            k += 4
        while k < count:
            result[near[k]] += jump * _dot(part(weight, near[k] * n_post, n_post), grad_current)
            k += 1


# ---------------------------------------------------------------------------------------------- reset

@kernel
def reset(model, p, trials, spikes, margin, start, n, slot, new, clock, counts):
    """U = U* + S (U_reset - U*), or U = U* - theta S; a spike is counted and starts the refractory clock."""
    g, a, at = model.group[p], model.population_first[p], n * model.group.size + p
    u = model.state_first[g] + a - model.neuron_first[g]
    smooth, one = spikes.values.size > 0, new.dtype.type(1)
    for b in range(trials):
        for e in range(spikes.pointers[start + b, at], spikes.pointers[start + b, at + 1]):
            i = spikes.units[e]
            s = spikes.values[e] if smooth else one
            if model.reset_kind[g] == RESET_BY_SUBTRACTION:
                new[b, u + i] -= s * model.threshold[a + i]
            elif smooth:
                new[b, u + i] += s * (model.reset[a + i] - new[b, u + i])
            else:
                new[b, u + i] = model.reset[a + i]
            counts[start + b, a + i] += s
            if margin[start + b, slot, a + i] > 0:
                clock[b, a + i] = model.clamped_steps[g]


@fused
def reset_adjoint(model, g, trials, margin, start, n, smooth, differentiate, grad_new, grad_spikes):
    """Forward: U = U* + S (U_reset - U*).  Adjoint: grad_S += (U_reset - U*) grad_U; grad_U *= 1 - S in place.

    The first term only if `differentiate`. By subtraction: U = U* - theta S, so only grad_S -= theta grad_U.
    """
    a, first, size = model.neuron_first[g], model.state_first[g], model.neuron_first[g + 1] - model.neuron_first[g]
    kind, beta, cutoff = model.surrogate[g], model.steepness[g], model.cutoff[g]
    subtract, one, zero = model.reset_kind[g] == RESET_BY_SUBTRACTION, margin.dtype.type(1), margin.dtype.type(0)
    for b in range(trials):
        m, grad_u, grad_spike = part(margin[start + b, n], a, size), part(grad_new[b], first, size), part(grad_spikes[b], a, size)
        if differentiate:
            for i in range(size):
                if m[i] != -np.inf:
                    change = -model.threshold[a + i] if subtract else model.reset[a + i] - model.threshold[a + i] - m[i]
                    grad_spike[i] += change * grad_u[i]
        if smooth and not subtract:
            for i in range(size):
                grad_u[i] *= one - smooth_spike(kind, beta, cutoff, m[i])
        elif not subtract:
            for i in range(size):
                grad_u[i] = zero if m[i] > 0 else grad_u[i]


# ---------------------------------------------------------------------------------------------- a whole pass

@kernel
def _copy_blocks(blocks, moment, trials, states, rows, start, n):
    for m in range(blocks.size.size):
        if blocks.tag[m] == moment:
            size = blocks.size[m]
            for b in range(trials):
                row, state = part(rows[start + b, n], blocks.column[m], size), part(states[b], blocks.first[m], size)
                for i in range(size):
                    row[i] = state[i]


@kernel
def _add_blocks(blocks, moment, trials, rows, start, n, states):
    for m in range(blocks.size.size):
        if blocks.tag[m] == moment:
            size = blocks.size[m]
            for b in range(trials):
                row, state = part(rows[start + b, n], blocks.column[m], size), part(states[b], blocks.first[m], size)
                for i in range(size):
                    state[i] += row[i]


@kernel
def _deliver_all(model, wiring, weight, drive, spikes, start, trials, n, new):
    """All events that arrive at step n: bundle by bundle, those emitted `delay` steps before."""
    n_inputs, n_populations = wiring.n_inputs, model.group.size
    for k in range(wiring.source.size):
        m, n_post, target, jump, source = n - wiring.delay[k], wiring.n_post[k], wiring.target[k], wiring.jump[k], wiring.source[k]
        if m < 0:
            continue
        w = weight[wiring.weight_first[k]:]
        for b in range(trials):
            if source < n_inputs:
                row, at = drive.rows[start + b], m * n_inputs + source
                first, last = drive.inputs.pointers[row, at], drive.inputs.pointers[row, at + 1]
                deliver(w, n_post, jump, drive.inputs, first, last, part(new[b], target, n_post))
            else:
                at = m * n_populations + source - n_inputs
                first, last = spikes.pointers[start + b, at], spikes.pointers[start + b, at + 1]
                deliver(w, n_post, jump, spikes, first, last, part(new[b], target, n_post))


@kernel
def forward(model, wiring, weight, drive, recording, scratch, steps, first, last):
    """Simulate trials first .. last - 1 of the batch from the initial state, and write `recording`."""
    model, wiring, weight, drive, recording, scratch = borrowed((model, wiring, weight, drive, recording, scratch))
    spikes, margin, clock, stored = recording.spikes, recording.margin, scratch.clock, recording.margin.shape[1] == steps
    tile = scratch.states.shape[1]
    for start in range(first, last, tile):
        trials = min(tile, last - start)
        clock[:] = 0
        for b in range(trials):
            scratch.states[0, b, :model.initial.size] = model.initial
        for n in range(steps):
            old, new, slot = scratch.states[n % 2], scratch.states[(n + 1) % 2], n if stored else 0
            for g in range(model.row_first.size - 1):
                integrate(model, g, trials, old, new)
            if drive.current.shape[1]:
                inject(model, drive.blocks, drive.current, start, n, trials, new)
            for g in range(model.n_spiking):
                threshold(model, g, trials, old, new, clock, margin, start, slot)
            for p in range(model.group.size):
                collect_spikes(model, p, trials, margin, slot, spikes, start, n)
            if recording.states.shape[2]:
                _copy_blocks(recording.blocks, BEFORE_RESET, trials, new, recording.states, start, n)
            _deliver_all(model, wiring, weight, drive, spikes, start, trials, n, new)
            for p in range(model.group.size):
                reset(model, p, trials, spikes, margin, start, n, slot, new, clock, recording.counts)
            if recording.states.shape[2]:
                _copy_blocks(recording.blocks, END_OF_STEP, trials, new, recording.states, start, n)


@fused
def _pull_all(model, wiring, weight, panels, margin, start, trials, n, ring, grad_spikes, near):
    """grad_S of what was emitted at step n and arrived `delay` steps later."""
    for k in range(wiring.source.size):
        p = wiring.source[k] - wiring.n_inputs
        if p < 0 or n + wiring.delay[k] >= margin.shape[1]:
            continue
        arrived = ring[(n + wiring.delay[k]) % ring.shape[0]]
        n_pre, n_post, target, jump = wiring.n_pre[k], wiring.n_post[k], wiring.target[k], wiring.jump[k]
        pre, cutoff = model.population_first[p], model.cutoff[model.group[p]]
        if cutoff < np.inf:
            pull_compact(weight[wiring.weight_first[k]:], n_pre, n_post, jump, trials, arrived, target, grad_spikes, pre, margin, start,
                         n, cutoff, near)
        else:
            pull_dense(panels[wiring.panel_first[k]:], n_pre, n_post, jump, trials, arrived, target, grad_spikes, pre)


@fused
def _accumulate_all(wiring, n_populations, drive, spikes, start, trials, first, last, steps, ring, sorting, grad_weight):
    """grad_W from the events emitted at steps first .. last - 1, bundle by bundle."""
    for b in range(trials):
        sorting.rows[b] = start + b
    for k in range(wiring.source.size):
        n_pre, delay, source, arrive = wiring.n_pre[k], wiring.delay[k], wiring.source[k], min(last, steps - wiring.delay[k])
        if source < wiring.n_inputs:
            _by_unit(drive.inputs, drive.rows[start:start + trials], trials, wiring.n_inputs, source, first, arrive, delay, ring, n_pre,
                     sorting)
        else:
            _by_unit(spikes, sorting.rows, trials, n_populations, source - wiring.n_inputs, first, arrive, delay, ring, n_pre,
                     sorting)
        accumulate(grad_weight[wiring.weight_first[k]:], n_pre, wiring.n_post[k], wiring.jump[k],
                   source >= wiring.n_inputs and spikes.values.size > 0, sorting, wiring.target[k], ring.reshape(-1))


@fused
def _populations_adjoint(model, drive, recording, loss, gradient, start, trials, n, grad_new, grad_spikes, grad_old, kept):
    """From the adjoint after step n (synapses and reset undone) to the one after step n - 1. Overwrites that of U."""
    margin = recording.margin
    if loss.states.shape[1]:
        _add_blocks(loss.blocks, BEFORE_RESET, trials, loss.states, start, n, grad_new)
    for g in range(model.n_spiking):
        threshold_adjoint(model, g, trials, margin, start, n, grad_spikes, grad_new)
        if model.clamped_steps[g] > 0:
            clamp_adjoint(model, g, trials, margin, start, n, grad_new, kept)
    if drive.current.shape[1]:
        inject_adjoint(model, drive.blocks, drive.current, start, n, trials, grad_new, gradient.current, gradient.drive)
    for g in range(model.row_first.size - 1):
        if gradient.coefficient.size:
            for b in range(trials):
                old = recording.states[start + b, n - 1] if n else model.initial
                matrix_adjoint(model, g, grad_new[b], old, gradient.coefficient)
        integrate_adjoint(model, g, trials, grad_new, grad_old)
        if g < model.n_spiking and model.clamped_steps[g] > 0:
            a, u = model.neuron_first[g], model.state_first[g]
            for b in range(trials):
                for i in range(model.neuron_first[g + 1] - a):
                    grad_old[b, u + i] += kept[b, a + i]


@fused
def adjoint(model, wiring, weight, panels, drive, recording, loss, gradient, scratch, differentiate_reset, first, last):
    """Add the gradients of trials first .. last - 1 to `gradient`, a tile of trials at a time, from the last step back."""
    model, wiring, weight, panels, drive, recording = borrowed((model, wiring, weight, panels, drive, recording))
    loss, gradient, scratch = borrowed((loss, gradient, scratch))
    steps, smooth, margin = recording.margin.shape[1], recording.spikes.values.size > 0, recording.margin
    ring, grad_spikes, kept = scratch.states, scratch.grad_spikes, scratch.kept   # ring: adjoints after the synapses, by step
    tile = scratch.states.shape[1]
    window = ROWS // tile
    for start in range(first, last, tile):
        trials = min(tile, last - start)
        ring[:] = 0
        for n in range(steps - 1, -1, -1):
            now, before = ring[n % ring.shape[0]], ring[(n - 1) % ring.shape[0]]
            for b in range(trials):
                given, total = loss.counts[start + b], grad_spikes[b]
                for i in range(given.size):
                    total[i] = given[i]
                if loss.spikes.shape[1]:
                    total[:given.size] += loss.spikes[start + b, n]
            if loss.states.shape[1]:
                _add_blocks(loss.blocks, END_OF_STEP, trials, loss.states, start, n, now)
            for g in range(model.n_spiking):
                reset_adjoint(model, g, trials, margin, start, n, smooth, differentiate_reset, now, grad_spikes)
            _pull_all(model, wiring, weight, panels, margin, start, trials, n, ring, grad_spikes, scratch.near)
            _populations_adjoint(model, drive, recording, loss, gradient, start, trials, n, now, grad_spikes, before, kept)
            if n % window == 0:
                _accumulate_all(wiring, model.group.size, drive, recording.spikes, start, trials, n, min(n + window, steps), steps, ring,
                                scratch.sorting, gradient.weight)

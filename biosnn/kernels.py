"""The compiled loops: one step of a network forward, and beside each part its adjoint.

Kernels see arrays and scalars only. Index letters: b trial, n step, p population, k projection, j presynaptic neuron,
i postsynaptic neuron, s and q states. The order of a step is Brian2's: integrate, threshold, synapses, reset.

    integrate   U*, I* = M (U, I) + drive * current       a clamped (refractory) U stays
    threshold   S = U* > theta
    deliver     I_i += W_ji S_j[n - D]
    reset       U = U* + S (U_reset - U*)   or   U = U* - theta S

All states of all populations lie in one vector: those of population p from `state_first[p]` on, state by state. A tile
of trials goes through each part side by side, so arrays of states are (trial of the tile, element).
"""
from typing import NamedTuple

import numpy as np

from ._jit import fused, kernel, reduction

SUPERSPIKE, SIGMOID, TRIANGULAR, TRUNCATED_SUPERSPIKE = range(4)
RESET_TO_VALUE, RESET_BY_SUBTRACTION = range(2)
END_OF_STEP, BEFORE_RESET = range(2)
TILE = 8   # trials side by side; also the rows that one pass of `pull_dense` takes
LONG_ROW = 64   # targets from which on `pull_rows` beats `pull_dense` (measured)


class Model(NamedTuple):
    """Populations as arrays. Spiking populations come first, readouts last; P populations, N neurons, E matrix entries."""
    neuron_first: np.ndarray      # (P+1,) first neuron of each population
    state_first: np.ndarray       # (P+1,) first element of each population in the state vector
    n_spiking: int                # number of spiking populations
    entry_first: np.ndarray       # (P+1,) first matrix entry of each population
    entry_row: np.ndarray         # (E,) state that the entry adds to
    entry_column: np.ndarray      # (E,) state that it reads
    entry_at: np.ndarray          # (E,) its first coefficient: one number per neuron
    coefficient: np.ndarray       # matrix entries M[row, column] of every neuron
    drive: np.ndarray             # (N,) gain of an injected current
    initial: np.ndarray           # state vector at the start of a trial
    threshold: np.ndarray         # (N,)
    reset: np.ndarray             # (N,) value that U is reset to
    reset_kind: np.ndarray        # (P,)
    clamped_steps: np.ndarray     # (P,) updates that a spike clamps
    surrogate: np.ndarray         # (P,)
    steepness: np.ndarray         # (P,) beta
    cutoff: np.ndarray            # (P,) half width of a truncated surrogate


class Wiring(NamedTuple):
    """Projections as arrays (K of them). Sources: 0 .. Q-1 the inputs, Q + p population p."""
    n_inputs: int                 # Q
    source: np.ndarray            # (K,)
    target: np.ndarray            # (K,) first element of the receptor's state in the state vector
    jump: np.ndarray              # (K,) what a weight of 1 adds to it (+1 or -1)
    delay: np.ndarray             # (K,) steps
    n_pre: np.ndarray             # (K,)
    n_post: np.ndarray            # (K,)
    weight_first: np.ndarray      # (K,) W[j, i] is weight[weight_first + j n_post + i]


class Events(NamedTuple):
    """Events of row b, step n, source q: units[pointers[b, n Q + q] : pointers[b, n Q + q + 1]], ascending."""
    pointers: np.ndarray          # (rows, T Q + 1) int64
    units: np.ndarray             # (capacity,) int32
    values: np.ndarray            # (capacity,), or size 0 where every event counts 1


class Blocks(NamedTuple):
    """Parts of the state vector (of the neurons, for currents) and the columns of an array (trial, step, column) they fill."""
    tag: np.ndarray               # states: END_OF_STEP or BEFORE_RESET; currents: the population
    first: np.ndarray             # first element of the state vector (first neuron)
    column: np.ndarray            # first column
    size: np.ndarray


class Recording(NamedTuple):
    """What a forward pass writes. `margin` and `states` may have no steps: then they are not stored."""
    spikes: Events                # one row per trial; source p is population p
    counts: np.ndarray            # (B, spiking neurons) spike counts
    margin: np.ndarray            # (B, T, spiking neurons) U* - theta; -inf where clamped
    blocks: Blocks
    states: np.ndarray            # (B, T, columns)


class Drive(NamedTuple):
    """What a forward pass reads beside the weights."""
    inputs: Events                # one row per trial of the data set
    rows: np.ndarray              # (B,) the row of each trial of the batch
    blocks: Blocks
    current: np.ndarray           # (B, T, columns) injected currents


class LossGradient(NamedTuple):
    """Derivatives of the loss that the adjoint starts from. Any of the arrays may have no steps (no columns)."""
    blocks: Blocks
    states: np.ndarray            # (B, T, columns)
    spikes: np.ndarray            # (B, T, spiking neurons)
    counts: np.ndarray            # (B, spiking neurons)


class Gradient(NamedTuple):
    """What the adjoint adds to."""
    weight: np.ndarray            # as the weights
    coefficient: np.ndarray       # as Model.coefficient, or size 0
    drive: np.ndarray             # (N,) as Model.drive, or size 0
    current: np.ndarray           # (B, T, columns) as Drive.current, or no steps


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
def integrate(model, p, trials, old, new):
    """new = M old for the neurons of population p."""
    first, n = model.state_first[p], model.neuron_first[p + 1] - model.neuron_first[p]
    for b in range(trials):
        cleared = new[b, first:model.state_first[p + 1]]
        for i in range(cleared.size):
            cleared[i] = 0
        for e in range(model.entry_first[p], model.entry_first[p + 1]):
            c = model.coefficient[model.entry_at[e]:][:n]
            source, result = old[b, first + model.entry_column[e] * n:][:n], new[b, first + model.entry_row[e] * n:][:n]
            for i in range(n):
                result[i] += c[i] * source[i]


@fused
def integrate_adjoint(model, p, trials, grad_new, grad_old):
    """Forward: new = M old.  Adjoint: grad_old = M^T grad_new."""
    first, n = model.state_first[p], model.neuron_first[p + 1] - model.neuron_first[p]
    for b in range(trials):
        cleared = grad_old[b, first:model.state_first[p + 1]]
        for i in range(cleared.size):
            cleared[i] = 0
        for e in range(model.entry_first[p], model.entry_first[p + 1]):
            c = model.coefficient[model.entry_at[e]:][:n]
            row, column = first + model.entry_row[e] * n, first + model.entry_column[e] * n
            source, result = grad_new[b, row:][:n], grad_old[b, column:][:n]
            for i in range(n):
                result[i] += c[i] * source[i]


@fused
def matrix_adjoint(model, p, grad_new, old, grad_coefficient):
    """Forward: new = M old.  Adjoint, one trial: grad_M[row, column] += grad_new[row] old[column]."""
    first, n = model.state_first[p], model.neuron_first[p + 1] - model.neuron_first[p]
    for e in range(model.entry_first[p], model.entry_first[p + 1]):
        gradient = grad_coefficient[model.entry_at[e]:][:n]
        row, column = first + model.entry_row[e] * n, first + model.entry_column[e] * n
        for i in range(n):
            gradient[i] += grad_new[row + i] * old[column + i]


@kernel
def inject(model, blocks, current, start, n, trials, new):
    """U* += drive * current."""
    for m in range(blocks.size.size):
        a, column, u = blocks.first[m], blocks.column[m], model.state_first[blocks.tag[m]]
        for b in range(trials):
            for i in range(blocks.size[m]):
                new[b, u + i] += model.drive[a + i] * current[start + b, n, column + i]


@kernel
def inject_adjoint(model, blocks, p, current, start, n, trials, grad_new, grad_current, grad_drive):
    """Forward: U* += drive * current.  Adjoint: grad_current = drive * grad_U*; grad_drive += current * grad_U*."""
    for m in range(blocks.size.size):
        if blocks.tag[m] != p:
            continue
        a, column, u = blocks.first[m], blocks.column[m], model.state_first[p]
        for b in range(trials):
            for i in range(blocks.size[m]):
                if grad_current.shape[1]:
                    grad_current[start + b, n, column + i] = model.drive[a + i] * grad_new[b, u + i]
                if grad_drive.size:
                    grad_drive[a + i] += current[start + b, n, column + i] * grad_new[b, u + i]


# ---------------------------------------------------------------------------------------------- threshold

@kernel
def threshold(model, p, trials, old, new, clock, margin):
    """margin = U* - theta; a clamped neuron keeps U and has margin -inf, so that neither spike nor surrogate follows."""
    a, first, size = model.neuron_first[p], model.state_first[p], model.neuron_first[p + 1] - model.neuron_first[p]
    theta = model.threshold[a:a + size]
    for b in range(trials):
        m, u = margin[b, a:a + size], new[b, first:first + size]
        for i in range(size):
            m[i] = u[i] - theta[i]
        if model.clamped_steps[p] > 0:
            for i in range(size):
                if clock[b, a + i] > 0:
                    clock[b, a + i] -= 1
                    u[i] = old[b, first + i]
                    m[i] = -np.inf


@kernel
def collect_spikes(model, p, trials, margin, spikes, start, n):
    """Append the neurons with margin > 0 to the events of each trial; in the smooth twin every neuron emits sigma(margin)."""
    a, size, slot = model.neuron_first[p], model.neuron_first[p + 1] - model.neuron_first[p], n * model.n_spiking + p
    kind, beta, cutoff = model.surrogate[p], model.steepness[p], model.cutoff[p]
    units, smooth = spikes.units, spikes.values.size > 0
    for b in range(trials):
        at, m = spikes.pointers[start + b, slot], margin[b, a:a + size]
        for i in range(size):
            if smooth:
                spikes.values[at] = smooth_spike(kind, beta, cutoff, m[i])
            if smooth or m[i] > 0:
                units[at] = i
                at += 1
        spikes.pointers[start + b, slot + 1] = at


@fused
def threshold_adjoint(model, p, trials, margin, grad_spikes, grad_new):
    """Forward: S = Theta(U* - theta).  Adjoint: grad_U* += grad_S sigma'(U* - theta)."""
    a, first, size = model.neuron_first[p], model.state_first[p], model.neuron_first[p + 1] - model.neuron_first[p]
    kind, beta, cutoff = model.surrogate[p], model.steepness[p], model.cutoff[p]
    one = margin.dtype.type(1)
    for b in range(trials):
        m, grad_spike, grad_u = margin[b, a:a + size], grad_spikes[b, a:a + size], grad_new[b, first:first + size]
        if kind == SUPERSPIKE:   # written out, because this loop then uses vector units
            for i in range(size):
                h = one / (beta * abs(m[i]) + one)
                grad_u[i] += grad_spike[i] * (h * h)
        else:
            for i in range(size):
                grad_u[i] += grad_spike[i] * surrogate_derivative(kind, beta, cutoff, m[i])


@fused
def clamp_adjoint(model, p, trials, margin, grad_new, kept):
    """Forward: a clamped neuron keeps U.  Adjoint: its grad_U bypasses the matrix; set it aside in `kept`."""
    a, first, size = model.neuron_first[p], model.state_first[p], model.neuron_first[p + 1] - model.neuron_first[p]
    zero = margin.dtype.type(0)
    for b in range(trials):
        m, grad_u, aside = margin[b, a:a + size], grad_new[b, first:first + size], kept[b, a:a + size]
        for i in range(size):
            aside[i] = grad_u[i] if m[i] == -np.inf else zero
            grad_u[i] = zero if m[i] == -np.inf else grad_u[i]


# ---------------------------------------------------------------------------------------------- deliver and accumulate

@kernel
def deliver(weight, n_post, jump, events, start, stop, current):
    """current[i] += jump W[j, i] S_j for every event, in ascending order of j."""
    units, values = events.units, events.values
    e = start
    while values.size == 0 and e + 4 <= stop:   # the same additions in the same order, a quarter of the memory traffic
        r0 = weight[units[e] * n_post:][:n_post]
        r1 = weight[units[e + 1] * n_post:][:n_post]
        r2 = weight[units[e + 2] * n_post:][:n_post]
        r3 = weight[units[e + 3] * n_post:][:n_post]
        for i in range(n_post):
            current[i] = (((current[i] + jump * r0[i]) + jump * r1[i]) + jump * r2[i]) + jump * r3[i]
        e += 4
    while e < stop:
        s = jump * values[e] if values.size else jump
        row = weight[units[e] * n_post:][:n_post]
        for i in range(n_post):
            current[i] += s * row[i]
        e += 1


@fused
def accumulate(grad_weight, n_post, jump, events, start, stop, grad_current):
    """Forward: current[i] += jump W[j, i] S_j.  Adjoint: grad_W[j, i] += jump S_j grad_current[i] for every event."""
    units, values = events.units, events.values
    for e in range(start, stop):
        s = jump * values[e] if values.size else jump
        row = grad_weight[units[e] * n_post:][:n_post]
        for i in range(n_post):
            row[i] += s * grad_current[i]


# ---------------------------------------------------------------------------------------------- pull

@fused
def pull_dense(weight_by_post, n_pre, n_post, jump, trials, grad_states, target, grad_spikes, pre):
    """Forward: current[i] += jump W[j, i] S_j.  Adjoint: grad_S[b, j] += jump sum_i W[j, i] grad_current[b, i].

    `weight_by_post` is W transposed. Eight of its rows at a time stay in the first-level cache while all trials use them.
    Columns: the currents are grad_states[b, target:], the spikes grad_spikes[b, pre:].
    """
    i = 0
    while i + TILE <= n_post:
        rows = weight_by_post[i * n_pre:(i + TILE) * n_pre].reshape((TILE, n_pre))
        r0, r1, r2, r3, r4, r5, r6, r7 = rows[0], rows[1], rows[2], rows[3], rows[4], rows[5], rows[6], rows[7]
        for b in range(trials):
            g, result = grad_states[b, target + i:][:TILE], grad_spikes[b, pre:][:n_pre]
            g0, g1, g2, g3 = jump * g[0], jump * g[1], jump * g[2], jump * g[3]
            g4, g5, g6, g7 = jump * g[4], jump * g[5], jump * g[6], jump * g[7]
            for j in range(n_pre):
                result[j] += (g0 * r0[j] + g1 * r1[j] + g2 * r2[j] + g3 * r3[j]
                              + g4 * r4[j] + g5 * r5[j] + g6 * r6[j] + g7 * r7[j])
        i += TILE
    while i < n_post:
        row = weight_by_post[i * n_pre:][:n_pre]
        for b in range(trials):
            g, result = jump * grad_states[b, target + i], grad_spikes[b, pre:][:n_pre]
            for j in range(n_pre):
                result[j] += g * row[j]
        i += 1


@reduction
def _dot(x, y):
    total = x.dtype.type(0)
    for i in range(x.size):
        total += x[i] * y[i]
    return total


@reduction
def pull_rows(weight, n_pre, n_post, jump, trials, grad_states, target, grad_spikes, pre):
    """As `pull_dense`, by dot products of four rows with four trials at a time: faster where rows are long."""
    for j in range(0, n_pre - 3, 4):
        w0, w1 = weight[j * n_post:][:n_post], weight[(j + 1) * n_post:][:n_post]
        w2, w3 = weight[(j + 2) * n_post:][:n_post], weight[(j + 3) * n_post:][:n_post]
        for b in range(0, trials, 4):    # rows beyond the last trial hold zeros
            g0, g1 = grad_states[b, target:][:n_post], grad_states[b + 1, target:][:n_post]
            g2, g3 = grad_states[b + 2, target:][:n_post], grad_states[b + 3, target:][:n_post]
            s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = weight.dtype.type(0)
            s20 = s21 = s22 = s23 = s30 = s31 = s32 = s33 = weight.dtype.type(0)
            for i in range(n_post):
                a, c, d, e = w0[i], w1[i], w2[i], w3[i]
                x, y, z, u = g0[i], g1[i], g2[i], g3[i]
                s00, s01, s02, s03 = s00 + a * x, s01 + a * y, s02 + a * z, s03 + a * u
                s10, s11, s12, s13 = s10 + c * x, s11 + c * y, s12 + c * z, s13 + c * u
                s20, s21, s22, s23 = s20 + d * x, s21 + d * y, s22 + d * z, s23 + d * u
                s30, s31, s32, s33 = s30 + e * x, s31 + e * y, s32 + e * z, s33 + e * u
            sums = ((s00, s10, s20, s30), (s01, s11, s21, s31), (s02, s12, s22, s32), (s03, s13, s23, s33))
            for k in range(4):
                for m in range(4):
                    grad_spikes[b + k, pre + j + m] += jump * sums[k][m]
    for j in range(n_pre - n_pre % 4, n_pre):
        for b in range(trials):
            grad_spikes[b, pre + j] += jump * _dot(weight[j * n_post:][:n_post], grad_states[b, target:][:n_post])


@fused
def pull_compact(weight, n_pre, n_post, jump, trials, grad_states, target, grad_spikes, pre, margin, width):
    """As `pull_dense`, but only for neurons within `width` of threshold: elsewhere sigma' is 0 and grad_S is not needed."""
    for b in range(trials):
        m, grad_current = margin[b, pre:][:n_pre], grad_states[b, target:][:n_post]
        for j in range(n_pre):
            if abs(m[j]) <= width:
                grad_spikes[b, pre + j] += jump * _dot(weight[j * n_post:][:n_post], grad_current)


# ---------------------------------------------------------------------------------------------- reset

@kernel
def reset(model, p, trials, spikes, start, n, margin, new, clock, counts):
    """U = U* + S (U_reset - U*), or U = U* - theta S; a spike is counted and starts the refractory clock."""
    a, first, slot = model.neuron_first[p], model.state_first[p], n * model.n_spiking + p
    smooth, one = spikes.values.size > 0, new.dtype.type(1)
    for b in range(trials):
        for e in range(spikes.pointers[start + b, slot], spikes.pointers[start + b, slot + 1]):
            i = spikes.units[e]
            s = spikes.values[e] if smooth else one
            if model.reset_kind[p] == RESET_BY_SUBTRACTION:
                new[b, first + i] -= s * model.threshold[a + i]
            elif smooth:
                new[b, first + i] += s * (model.reset[a + i] - new[b, first + i])
            else:
                new[b, first + i] = model.reset[a + i]
            counts[start + b, a + i] += s
            if margin[b, a + i] > 0:
                clock[b, a + i] = model.clamped_steps[p]


@fused
def reset_adjoint(model, p, trials, margin, smooth, differentiate, grad_new, grad_spikes):
    """Forward: U = U* + S (U_reset - U*).  Adjoint: grad_S += (U_reset - U*) grad_U; grad_U *= 1 - S in place.

    The first term only if `differentiate`. By subtraction: U = U* - theta S, so only grad_S -= theta grad_U.
    """
    a, first, size = model.neuron_first[p], model.state_first[p], model.neuron_first[p + 1] - model.neuron_first[p]
    kind, beta, cutoff = model.surrogate[p], model.steepness[p], model.cutoff[p]
    subtract, one, zero = model.reset_kind[p] == RESET_BY_SUBTRACTION, margin.dtype.type(1), margin.dtype.type(0)
    for b in range(trials):
        m, grad_u, grad_spike = margin[b, a:a + size], grad_new[b, first:first + size], grad_spikes[b, a:a + size]
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
def _copy(source, result):
    for i in range(result.size):   # a loop, because it compiles to a block copy; array assignment does not
        result[i] = source[i]


@kernel
def _copy_blocks(blocks, moment, trials, states, rows, start, n):
    for m in range(blocks.size.size):
        if blocks.tag[m] == moment:
            first, column, size = blocks.first[m], blocks.column[m], blocks.size[m]
            for b in range(trials):
                for i in range(size):
                    rows[start + b, n, column + i] = states[b, first + i]


@kernel
def _add_blocks(blocks, moment, trials, rows, start, n, states):
    for m in range(blocks.size.size):
        if blocks.tag[m] == moment:
            first, column, size = blocks.first[m], blocks.column[m], blocks.size[m]
            for b in range(trials):
                for i in range(size):
                    states[b, first + i] += rows[start + b, n, column + i]


@kernel
def _deliver_all(model, wiring, weight, drive, spikes, start, trials, n, new):
    """All events that arrive at step n: projection by projection, those emitted `delay` steps before."""
    n_inputs, n_spiking = wiring.n_inputs, model.n_spiking
    for k in range(wiring.source.size):
        m, n_post, target, jump = n - wiring.delay[k], wiring.n_post[k], wiring.target[k], wiring.jump[k]
        if m < 0:
            continue
        w = weight[wiring.weight_first[k]:]
        for b in range(trials):
            if wiring.source[k] < n_inputs:
                at = drive.inputs.pointers[drive.rows[start + b], m * n_inputs + wiring.source[k]:]
                deliver(w, n_post, jump, drive.inputs, at[0], at[1], new[b, target:][:n_post])
            else:
                at = spikes.pointers[start + b, m * n_spiking + wiring.source[k] - n_inputs:]
                deliver(w, n_post, jump, spikes, at[0], at[1], new[b, target:][:n_post])


@kernel
def forward(model, wiring, weight, drive, recording, steps, first, last):
    """Simulate trials first .. last - 1 of the batch from the initial state, and write `recording`."""
    spikes, stored = recording.spikes, recording.margin.shape[1] > 0
    x = np.empty((2, TILE, model.initial.size), model.initial.dtype)
    clock = np.empty((TILE, model.threshold.size), np.int32)
    margin = np.empty((TILE, model.neuron_first[model.n_spiking]), x.dtype)
    for start in range(first, last, TILE):
        trials = min(TILE, last - start)
        x[0], clock[:] = model.initial, 0
        for n in range(steps):
            old, new = x[n % 2], x[(n + 1) % 2]
            for p in range(model.neuron_first.size - 1):
                integrate(model, p, trials, old, new)
            if drive.current.shape[1]:
                inject(model, drive.blocks, drive.current, start, n, trials, new)
            for p in range(model.n_spiking):
                threshold(model, p, trials, old, new, clock, margin)
                collect_spikes(model, p, trials, margin, spikes, start, n)
            if stored:
                for b in range(trials):
                    _copy(margin[b], recording.margin[start + b, n])
            if recording.states.shape[1]:
                _copy_blocks(recording.blocks, BEFORE_RESET, trials, new, recording.states, start, n)
            _deliver_all(model, wiring, weight, drive, spikes, start, trials, n, new)
            for p in range(model.n_spiking):
                reset(model, p, trials, spikes, start, n, margin, new, clock, recording.counts)
            if recording.states.shape[1]:
                _copy_blocks(recording.blocks, END_OF_STEP, trials, new, recording.states, start, n)


@fused
def _synapses_adjoint(model, wiring, weight, weight_by_post, drive, recording, start, trials, n, margin, ring, grad_spikes,
                      grad_weight):
    """Pull and accumulate for what was emitted at step n and arrived `delay` steps later."""
    n_inputs, n_spiking, spikes = wiring.n_inputs, model.n_spiking, recording.spikes
    for k in range(wiring.source.size):
        if n + wiring.delay[k] >= recording.margin.shape[1]:
            continue
        arrived = ring[(n + wiring.delay[k]) % ring.shape[0]]
        n_pre, n_post, target, jump = wiring.n_pre[k], wiring.n_post[k], wiring.target[k], wiring.jump[k]
        w, p = wiring.weight_first[k], wiring.source[k] - n_inputs
        if p >= 0:
            pre = model.neuron_first[p]
            if model.cutoff[p] == np.inf and n_post >= LONG_ROW:
                pull_rows(weight[w:], n_pre, n_post, jump, trials, arrived, target, grad_spikes, pre)
            elif model.cutoff[p] == np.inf:
                pull_dense(weight_by_post[w:], n_pre, n_post, jump, trials, arrived, target, grad_spikes, pre)
            else:
                pull_compact(weight[w:], n_pre, n_post, jump, trials, arrived, target, grad_spikes, pre, margin, model.cutoff[p])
        for b in range(trials):
            if p >= 0:
                at = spikes.pointers[start + b, n * n_spiking + p:]
                accumulate(grad_weight[w:], n_post, jump, spikes, at[0], at[1], arrived[b, target:][:n_post])
            else:
                at = drive.inputs.pointers[drive.rows[start + b], n * n_inputs + wiring.source[k]:]
                accumulate(grad_weight[w:], n_post, jump, drive.inputs, at[0], at[1], arrived[b, target:][:n_post])


@fused
def _populations_adjoint(model, drive, recording, loss, gradient, start, trials, n, margin, grad_new, grad_spikes, grad_old,
                         work, kept):
    """From the adjoint after step n (synapses and reset undone) to the one after step n - 1."""
    for b in range(trials):
        _copy(grad_new[b], work[b])   # earlier spikes still need the adjoint after the synapses as it is
    if loss.states.shape[1]:
        _add_blocks(loss.blocks, BEFORE_RESET, trials, loss.states, start, n, work)
    for p in range(model.neuron_first.size - 1):
        clamps = p < model.n_spiking and model.clamped_steps[p] > 0
        if p < model.n_spiking:
            threshold_adjoint(model, p, trials, margin, grad_spikes, work)
        if clamps:
            clamp_adjoint(model, p, trials, margin, work, kept)
        if drive.current.shape[1]:
            inject_adjoint(model, drive.blocks, p, drive.current, start, n, trials, work, gradient.current, gradient.drive)
        if gradient.coefficient.size:
            for b in range(trials):
                old = recording.states[start + b, n - 1] if n else model.initial
                matrix_adjoint(model, p, work[b], old, gradient.coefficient)
        integrate_adjoint(model, p, trials, work, grad_old)
        if clamps:
            a, u = model.neuron_first[p], model.state_first[p]
            for b in range(trials):
                for i in range(model.neuron_first[p + 1] - a):
                    grad_old[b, u + i] += kept[b, a + i]


@fused
def adjoint(model, wiring, weight, weight_by_post, drive, recording, loss, gradient, differentiate_reset, first, last):
    """Add the gradients of trials first .. last - 1 to `gradient`, a tile of trials at a time, from the last step back."""
    steps, smooth = recording.margin.shape[1], recording.spikes.values.size > 0
    n_ring = 2
    for k in range(wiring.delay.size):
        n_ring = max(n_ring, wiring.delay[k] + 2)
    ring = np.empty((n_ring, TILE, model.initial.size), model.initial.dtype)   # adjoints after the synapses, by step
    work, kept = np.empty_like(ring[0]), np.empty((TILE, model.threshold.size), ring.dtype)
    margin = np.empty((TILE, model.neuron_first[model.n_spiking]), ring.dtype)
    grad_spikes = np.empty_like(margin)
    for start in range(first, last, TILE):
        trials = min(TILE, last - start)
        ring[:] = 0
        for n in range(steps - 1, -1, -1):
            now, before = ring[n % n_ring], ring[(n - 1) % n_ring]
            for b in range(trials):
                _copy(recording.margin[start + b, n], margin[b])
                _copy(loss.counts[start + b], grad_spikes[b])
                if loss.spikes.shape[1]:
                    grad_spikes[b] += loss.spikes[start + b, n]
            if loss.states.shape[1]:
                _add_blocks(loss.blocks, END_OF_STEP, trials, loss.states, start, n, now)
            for p in range(model.n_spiking):
                reset_adjoint(model, p, trials, margin, smooth, differentiate_reset, now, grad_spikes)
            _synapses_adjoint(model, wiring, weight, weight_by_post, drive, recording, start, trials, n, margin, ring,
                              grad_spikes, gradient.weight)
            _populations_adjoint(model, drive, recording, loss, gradient, start, trials, n, margin, now, grad_spikes, before,
                                 work, kept)

"""The compiled loops over neurons: surrogate gradients, integration, threshold and reset, each beside its adjoint.

Kernels see arrays and scalars only (arrays.py). Index letters as in kernels.py.
"""
import numpy as np

from ._jit import fused, kernel, part
from ._vector import LANES, at_least, lowest_bit
from .arrays import RESET_BY_SUBTRACTION, SIGMOID, SUPERSPIKE, TRIANGULAR, TRUNCATED_SUPERSPIKE
from .surrogate_kernels import other_derivative, other_twin


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
    if kind > TRUNCATED_SUPERSPIKE:
        return other_derivative(kind, beta, x)
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
    if kind > TRUNCATED_SUPERSPIKE:
        return other_twin(kind, beta, x)
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
def is_listed(model, g, near):
    """Whether the adjoint takes the neurons of a group from the lists of those near threshold."""
    return near.units.size > 0 and model.cutoff[g] < np.inf


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
def collect_spikes(model, p, trials, margin, slot, spikes, near, start, n):
    """Append the neurons with margin > 0 to the events of each trial; in the smooth twin every neuron emits sigma(margin).

    `near`, if it has units, gets those with |margin| <= cutoff, whose surrogate is not zero.
    """
    g, a, at = model.group[p], model.population_first[p], n * model.group.size + p
    size, width, listed = model.population_first[p + 1] - a, model.cutoff[g], is_listed(model, g, near)
    for b in range(trials):
        count, m = spikes.pointers[start + b, at], part(margin[start + b, slot], a, size)
        count_near = near.pointers[start + b, at] if listed else 0
        if spikes.values.size:
            for i in range(size):
                spikes.values[count] = smooth_spike(model.surrogate[g], model.steepness[g], model.cutoff[g], m[i])
                spikes.units[count] = i
                count += 1
        else:
            for block in range(0, size, LANES):   # whole blocks: reading further costs less than a loop over the rest
                bits = at_least(m, block, -width if listed else type(width)(0)) & ((1 << min(LANES, size - block)) - 1)
                while bits:                       # a number is always written and kept if the counter moves on: fewer branches
                    i = block + lowest_bit(bits)
                    spikes.units[count] = i
                    count += m[i] > 0
                    if listed:
                        near.units[count_near] = i
                        count_near += m[i] <= width
                    bits &= bits - 1
        spikes.pointers[start + b, at + 1] = count
        if near.units.size:
            near.pointers[start + b, at + 1] = count_near if listed else near.pointers[start + b, at]


@fused
def threshold_adjoint(model, g, trials, margin, start, n, grad_spikes, grad_new):
    """Forward: S = Theta(U* - theta).  Adjoint: grad_U* += grad_S sigma'(U* - theta).

    Where sigma' is 0 beyond the cutoff, grad_S may lack what was not pulled.
    """
    a, first, size = model.neuron_first[g], model.state_first[g], model.neuron_first[g + 1] - model.neuron_first[g]
    kind, beta, cutoff = model.surrogate[g], model.steepness[g], model.cutoff[g]
    one, zero = margin.dtype.type(1), margin.dtype.type(0)
    for b in range(trials):
        m, grad_spike, grad_u = part(margin[start + b, n], a, size), part(grad_spikes[b], a, size), part(grad_new[b], first, size)
        if kind == SUPERSPIKE or kind == TRUNCATED_SUPERSPIKE:   # written out, because this loop then uses vector units
            for i in range(size):
                h = one / (beta * abs(m[i]) + one)
                grad_u[i] += grad_spike[i] * (h * h) if abs(m[i]) <= cutoff else zero
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

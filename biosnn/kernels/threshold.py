"""Spikes: threshold, reset and jumps of other states, each beside its adjoint.

    threshold   S = Theta(U* - theta)
    reset       U = U + S (U_reset - U)   or   U = U - theta S, after the arrivals of the step
    jumps       x_r += jump S[n - D], for the states r that a neuron's own spikes move

Kernels see rows of tables, arrays and scalars only (arrays.py).
"""

import numpy as np

from .arrays import BLOCK, SUPERSPIKE, TRUNCATED_SUPERSPIKE
from .block import of, own
from .jit import kernel
from .memory import part
from .surrogate import smooth_spike, surrogate_derivative

# --------------------------------------------------------------------------------------- threshold


@kernel
def threshold_adjoint(cell, i, m, margin, grad_spikes, grad_new, grad_numbers):
    """Forward: S = Theta(U* - theta).

    Adjoint: grad_U* += grad_S sigma'(U* - theta), and grad_theta -= it.

    Where sigma' is 0 beyond the cutoff, grad_S may lack what was not pulled.
    """
    kind, grad_u = margin.dtype.type, of(cell, grad_new, 0, i, m)
    beta, cutoff, zero, one = kind(cell.steepness), kind(cell.cutoff), kind(0), kind(1)
    if cell.learns_threshold:
        grad_theta = own(cell.threshold, grad_numbers, i, m)
        for k in range(m):
            grad_theta[k] -= grad_spikes[k] * surrogate_derivative(
                cell.surrogate, beta, cutoff, margin[k]
            )
    # written out, because this loop then uses vector units
    if cell.surrogate == SUPERSPIKE or cell.surrogate == TRUNCATED_SUPERSPIKE:
        for k in range(m):
            h = one / (beta * abs(margin[k]) + one)
            grad_u[k] += grad_spikes[k] * (h * h) if abs(margin[k]) <= cutoff else zero
    else:
        for k in range(m):
            grad_u[k] += grad_spikes[k] * surrogate_derivative(
                cell.surrogate, beta, cutoff, margin[k]
            )


# ------------------------------------------------------------------------------------------- reset


@kernel
def reset(population, cell, numbers, sent, margin, x, clock, held):
    """U = U + S (U_reset - U), or U = U - theta S; the refractory clock starts.

    margin: of the smooth twin, or size 0.
    """
    units, values = sent.units, sent.values
    smooth, one = values.size > 0, x.dtype.type(1)
    # looked up once: the compiler cannot know that a loop does not overwrite tables
    first_neuron, first_u, offset = population.neuron_first, population.u, population.offset
    place = cell.threshold if cell.subtracts else cell.reset
    subtracts, clamps, at, step = cell.subtracts, cell.clamps, place.at, place.step
    clamped, clamped_step = cell.clamped.at, cell.clamped.step
    for e in range(sent.first, sent.last):
        i = units[e]
        a, u, k = first_neuron + i, first_u + i, offset + i
        s, value = values[e] if smooth else one, numbers[at + step * k]
        if subtracts:
            x[u] -= s * value
        else:
            x[u] = x[u] + s * (value - x[u]) if smooth else value
        if clamps and (not smooth or margin[a] > 0):
            clock[a] = np.int32(numbers[clamped + clamped_step * k]) + np.int32(1)
            held[a] = x[u]


@kernel
def hold(cell, i, end, clock, held, chosen, x):
    """What spikes have just added to a clamped U of the neurons i .. end - 1 is lost.

    chosen: room for a block; a choice stored where one of its parts was loaded is slow (membrane).
    """
    for first in range(i, end, BLOCK):
        m = min(BLOCK, end - first)
        u, left = of(cell, x, 0, first, m), part(clock, cell.neuron_first + first, m)
        before = part(held, cell.neuron_first + first, m)
        for k in range(m):
            a, b, clamped = before[k], u[k], left[k] > 0
            chosen[k] = a if clamped else b
        for k in range(m):
            u[k] = chosen[k]


@kernel
def reset_adjoint(
    cell, tables, i, m, margin, ready, smooth, differentiate, grad_new, grad_spikes, grad_numbers
):
    """Forward: U = U + S (U_reset - U).

    Adjoint: grad_S += (U_reset - U) grad_U; grad_U *= 1 - S in place. By subtraction,
    U = U - theta S: grad_S -= theta grad_U, grad_theta -= S grad_U. The terms of grad_S only if
    `differentiate`. ready: U before the reset, or size 0 where nothing arrives at U itself.
    """
    kind, grad_u = margin.dtype.type, of(cell, grad_new, 0, i, m)
    beta, cutoff, one, zero = kind(cell.steepness), kind(cell.cutoff), kind(1), kind(0)
    numbers = tables.numbers
    theta, value = own(cell.threshold, numbers, i, m), own(cell.reset, numbers, i, m)
    if differentiate:
        for k in range(m):
            if margin[k] != -np.inf:
                u = ready[k] if ready.size else theta[k] + margin[k]
                grad_spikes[k] += (-theta[k] if cell.subtracts else value[k] - u) * grad_u[k]
    if cell.subtracts:
        if cell.learns_threshold:
            grad_theta = own(cell.threshold, grad_numbers, i, m)
            for k in range(m):
                s = smooth_spike(cell.surrogate, beta, cutoff, margin[k])
                s = s if smooth else (one if margin[k] > 0 else zero)
                grad_theta[k] -= s * grad_u[k]
    elif smooth:
        for k in range(m):
            grad_u[k] *= one - smooth_spike(cell.surrogate, beta, cutoff, margin[k])
    else:
        for k in range(m):
            grad_u[k] = zero if margin[k] > 0 else grad_u[k]


@kernel
def arrivals_adjoint(cell, i, m, margin, grad_new):
    """The adjoint of what arrives at U itself, set aside: 0 where U is clamped.

    Forward: U += arrivals, before the reset.
    """
    grad_u, zero = of(cell, grad_new, 0, i, m), grad_new.dtype.type(0)
    aside = part(grad_new, cell.delta_first + i, m)
    for k in range(m):
        aside[k] = zero if cell.spiking and margin[k] == -np.inf else grad_u[k]


# ------------------------------------------------------------------------------------------- jumps


@kernel
def jump(row, numbers, sent, x):
    """x_r += jump S[n - D]."""
    units, values, one = sent.units, sent.values, x.dtype.type(1)
    at, step, target = row.amount.at, row.amount.step, row.target
    for e in range(sent.first, sent.last):
        i = units[e]
        amount = numbers[at + step * i]
        x[target + i] += amount * (values[e] if values.size else one)


@kernel
def jump_adjoint(row, numbers, n, near, arrived, grad_spikes):
    """Forward: x_r += jump S[n - D].  Adjoint: grad_S += jump grad_x_r[n + D].

    Of the neurons that are listed in `near`, or, if that has no units, of n.
    """
    units, listed = near.units, near.units.size > 0
    at, step, target = row.amount.at, row.amount.step, row.target
    for e in range(near.first if listed else 0, near.last if listed else n):
        i = units[e] if listed else e
        amount = numbers[at + step * i]
        grad_spikes[i] += amount * arrived[target + i]


@kernel
def jump_size_adjoint(row, sent, arrived, grad_numbers):
    """Forward: x_r += jump S[n - D].  Adjoint: grad_jump += S grad_x_r[n + D]."""
    units, values, one = sent.units, sent.values, arrived.dtype.type(1)
    for e in range(sent.first, sent.last):
        i = units[e]
        s = values[e] if values.size else one
        grad_numbers[row.amount.at + row.amount.step * i] += s * arrived[row.target + i]

"""Spikes: threshold, refractory clamp, reset and jumps of other states, each beside its adjoint.

Kernels see arrays and scalars only (arrays.py). Index letters as in batch_forward.py; k: jump.
"""

import numpy as np

from .arrays import RESET_BY_SUBTRACTION, SUPERSPIKE, TRUNCATED_SUPERSPIKE
from .earlier_run import between
from .jit import fused, kernel, part
from .simd import LANES, at_least, lowest_bit
from .surrogate import smooth_spike, surrogate_derivative

# ---------------------------------------------------------------------------------------- threshold


@kernel
def is_listed(model, g, near):
    """Whether the adjoint takes the neurons of a group from the lists of those near threshold."""
    return near.units.size > 0 and model.cutoff[g] < np.inf


@kernel
def threshold(model, g, trials, old, new, clock, margin, start, slot):
    """margin = U* - theta; a clamped neuron keeps U.

    Its margin is -inf, so that neither spike nor surrogate follows.
    """
    a = model.neuron_first[g]
    first = model.state_first[g]
    size = model.neuron_first[g + 1] - model.neuron_first[g]
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
    """Append the neurons with margin > 0 to the events of each trial.

    In the smooth twin every neuron emits sigma(margin).

    `near`, if it has units, gets those with |margin| <= cutoff, whose surrogate is not zero.
    """
    g = model.group[p]
    a = model.population_first[p]
    at = n * model.group.size + p
    size = model.population_first[p + 1] - a
    width = model.cutoff[g]
    listed = is_listed(model, g, near)
    for b in range(trials):
        count, m = spikes.pointers[start + b, at], part(margin[start + b, slot], a, size)
        count_near = near.pointers[start + b, at] if listed else 0
        if spikes.values.size:
            for i in range(size):
                spikes.values[count] = smooth_spike(
                    model.surrogate[g], model.steepness[g], model.cutoff[g], m[i]
                )
                spikes.units[count] = i
                count += 1
        else:
            for block in range(
                0, size, LANES
            ):  # whole blocks: reading further costs less than a loop over the rest
                bits = at_least(m, block, -width if listed else type(width)(0)) & (
                    (1 << min(LANES, size - block)) - 1
                )
                while (
                    bits
                ):  # a number is always written and kept if the counter moves on: fewer branches
                    i = block + lowest_bit(bits)
                    spikes.units[count] = i
                    count += m[i] > 0
                    if listed:
                        near.units[count_near] = i
                        count_near += m[i] <= width
                    bits &= bits - 1
        spikes.pointers[start + b, at + 1] = count
        if near.units.size:
            near.pointers[start + b, at + 1] = (
                count_near if listed else near.pointers[start + b, at]
            )


@fused
def threshold_adjoint(model, g, trials, margin, start, n, grad_spikes, grad_new):
    """Forward: S = Theta(U* - theta).  Adjoint: grad_U* += grad_S sigma'(U* - theta).

    Where sigma' is 0 beyond the cutoff, grad_S may lack what was not pulled.
    """
    a = model.neuron_first[g]
    first = model.state_first[g]
    size = model.neuron_first[g + 1] - model.neuron_first[g]
    kind = model.surrogate[g]
    beta = model.steepness[g]
    cutoff = model.cutoff[g]
    one, zero = margin.dtype.type(1), margin.dtype.type(0)
    for b in range(trials):
        m = part(margin[start + b, n], a, size)
        grad_spike = part(grad_spikes[b], a, size)
        grad_u = part(grad_new[b], first, size)
        if (
            kind == SUPERSPIKE or kind == TRUNCATED_SUPERSPIKE
        ):  # written out, because this loop then uses vector units
            for i in range(size):
                h = one / (beta * abs(m[i]) + one)
                grad_u[i] += grad_spike[i] * (h * h) if abs(m[i]) <= cutoff else zero
        else:
            for i in range(size):
                grad_u[i] += grad_spike[i] * surrogate_derivative(kind, beta, cutoff, m[i])


@fused
def clamp_adjoint(model, g, trials, margin, start, n, grad_new, kept):
    """Forward: a clamped neuron keeps U.

    Adjoint: its grad_U bypasses the matrix; set it aside in `kept`.
    """
    a = model.neuron_first[g]
    first = model.state_first[g]
    size = model.neuron_first[g + 1] - model.neuron_first[g]
    zero = margin.dtype.type(0)
    for b in range(trials):
        m = part(margin[start + b, n], a, size)
        grad_u = part(grad_new[b], first, size)
        aside = part(kept[b], a, size)
        for i in range(size):
            aside[i] = grad_u[i] if m[i] == -np.inf else zero
            grad_u[i] = zero if m[i] == -np.inf else grad_u[i]


# -------------------------------------------------------------------------------------------- reset


@kernel
def reset(model, p, trials, spikes, margin, start, n, slot, new, clock, counts):
    """U = U* + S (U_reset - U*), or U = U* - theta S.

    A spike is counted and starts the refractory clock.
    """
    g = model.group[p]
    a = model.population_first[p]
    at = n * model.group.size + p
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
    """Forward: U = U* + S (U_reset - U*).

    Adjoint: grad_S += (U_reset - U*) grad_U; grad_U *= 1 - S in place.

    The first term only if `differentiate`. By subtraction: U = U* - theta S, so only grad_S -=
    theta grad_U.
    """
    a = model.neuron_first[g]
    first = model.state_first[g]
    size = model.neuron_first[g + 1] - model.neuron_first[g]
    kind = model.surrogate[g]
    beta = model.steepness[g]
    cutoff = model.cutoff[g]
    subtract = model.reset_kind[g] == RESET_BY_SUBTRACTION
    one = margin.dtype.type(1)
    zero = margin.dtype.type(0)
    for b in range(trials):
        m = part(margin[start + b, n], a, size)
        grad_u = part(grad_new[b], first, size)
        grad_spike = part(grad_spikes[b], a, size)
        if differentiate:
            for i in range(size):
                if m[i] != -np.inf:
                    change = (
                        -model.threshold[a + i]
                        if subtract
                        else model.reset[a + i] - model.threshold[a + i] - m[i]
                    )
                    grad_spike[i] += change * grad_u[i]
        if smooth and not subtract:
            for i in range(size):
                grad_u[i] *= one - smooth_spike(kind, beta, cutoff, m[i])
        elif not subtract:
            for i in range(size):
                grad_u[i] = zero if m[i] > 0 else grad_u[i]


# -------------------------------------------------------------------------------------------- jumps


@kernel
def _add_jumps_before(model, earlier, k, trials, start, m, new):
    """… by the spikes of step m < 0."""
    jumps = model.jumps
    spikes = earlier.spikes
    one = new.dtype.type(1)
    for b in range(trials):
        first, last = between(earlier, spikes, start + b, m, model.group.size, jumps.population[k])
        for e in range(first, last):
            i = spikes.units[e]
            new[b, jumps.target[k] + i] += jumps.size[jumps.first[k] + i] * (
                spikes.values[e] if spikes.values.size else one
            )


@kernel
def add_jumps(model, earlier, trials, spikes, start, n, new):
    """x_s += jump S[n - D], for the states s that a neuron's own spikes move."""
    jumps = model.jumps
    smooth = spikes.values.size > 0
    one = new.dtype.type(1)
    for k in range(jumps.population.size):
        m = n - jumps.delay[k]
        x = jumps.target[k]
        first = jumps.first[k]
        if m < 0:
            if earlier.steps:
                _add_jumps_before(model, earlier, k, trials, start, m, new)
            continue
        at = m * model.group.size + jumps.population[k]
        for b in range(trials):
            for e in range(spikes.pointers[start + b, at], spikes.pointers[start + b, at + 1]):
                i = spikes.units[e]
                new[b, x + i] += jumps.size[first + i] * (spikes.values[e] if smooth else one)


@fused
def jumps_adjoint(model, recording, start, trials, n, steps, window, ring, grad_spikes, grad_size):
    """Forward: x_s += jump S[n - D].

    Adjoint: grad_S += jump grad_x_s[n + D]; grad_jump += S grad_x_s[n + D].

    window: of truncated backpropagation, or 0; what a spike does in a later one does not reach
    grad_S.
    """
    jumps = model.jumps
    spikes = recording.spikes
    near = recording.near
    one = ring.dtype.type(1)
    smooth = spikes.values.size > 0
    for k in range(jumps.population.size):
        p, first = jumps.population[k], jumps.first[k]
        if n + jumps.delay[k] >= steps:
            continue
        arrived, at = ring[(n + jumps.delay[k]) % ring.shape[0]], n * model.group.size + p
        a = model.population_first[p]
        size = model.population_first[p + 1] - model.population_first[p]
        jump = part(jumps.size, first, size)
        reaches = window == 0 or n // window == (n + jumps.delay[k]) // window
        for b in range(trials):
            grad_x = part(arrived[b], jumps.target[k], size)
            grad_spike = part(grad_spikes[b], a, size)
            if reaches and is_listed(model, model.group[p], near):
                for e in range(near.pointers[start + b, at], near.pointers[start + b, at + 1]):
                    grad_spike[near.units[e]] += jump[near.units[e]] * grad_x[near.units[e]]
            elif reaches:
                for i in range(size):
                    grad_spike[i] += jump[i] * grad_x[i]
            if grad_size.size:
                for e in range(spikes.pointers[start + b, at], spikes.pointers[start + b, at + 1]):
                    i = spikes.units[e]
                    grad_size[first + i] += (spikes.values[e] if smooth else one) * grad_x[i]


@fused
def jumps_adjoint_before(model, earlier, start, trials, steps, ring, grad_size):
    """grad_jump from the spikes before the run that arrived in it."""
    jumps = model.jumps
    spikes = earlier.spikes
    one = ring.dtype.type(1)
    if grad_size.size == 0:
        return
    for k in range(jumps.population.size):
        for arrival in range(min(jumps.delay[k], steps)):
            for b in range(trials):
                first, last = between(
                    earlier,
                    spikes,
                    start + b,
                    arrival - jumps.delay[k],
                    model.group.size,
                    jumps.population[k],
                )
                for e in range(first, last):
                    i = spikes.units[e]
                    grad_x = ring[arrival % ring.shape[0], b, jumps.target[k] + i]
                    grad_size[jumps.first[k] + i] += (
                        spikes.values[e] if spikes.values.size else one
                    ) * grad_x

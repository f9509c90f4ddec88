"""The compiled loops over what not every neuron has, each beside its adjoint: jumps by a neuron's own spikes, and bounds of U.

Kernels see arrays and scalars only (arrays.py). Index letters as in kernels.py; k: jump.
"""
from ._jit import fused, kernel, part
from .neuron_kernels import is_listed
from .past_kernels import between


# ---------------------------------------------------------------------------------------------- jumps

@kernel
def _add_jumps_before(model, past, k, trials, start, m, new):
    """… by the spikes of step m < 0."""
    jumps, spikes, one = model.jumps, past.spikes, new.dtype.type(1)
    for b in range(trials):
        first, last = between(past, spikes, start + b, m, model.group.size, jumps.population[k])
        for e in range(first, last):
            i = spikes.units[e]
            new[b, jumps.target[k] + i] += jumps.size[jumps.first[k] + i] * (spikes.values[e] if spikes.values.size else one)


@kernel
def add_jumps(model, past, trials, spikes, start, n, new):
    """x_s += jump S[n - D], for the states s that a neuron's own spikes move."""
    jumps, smooth, one = model.jumps, spikes.values.size > 0, new.dtype.type(1)
    for k in range(jumps.population.size):
        m, x, first = n - jumps.delay[k], jumps.target[k], jumps.first[k]
        if m < 0:
            if past.steps:
                _add_jumps_before(model, past, k, trials, start, m, new)
            continue
        at = m * model.group.size + jumps.population[k]
        for b in range(trials):
            for e in range(spikes.pointers[start + b, at], spikes.pointers[start + b, at + 1]):
                i = spikes.units[e]
                new[b, x + i] += jumps.size[first + i] * (spikes.values[e] if smooth else one)


@fused
def jumps_adjoint(model, recording, start, trials, n, steps, window, ring, grad_spikes, grad_size):
    """Forward: x_s += jump S[n - D].  Adjoint: grad_S += jump grad_x_s[n + D]; grad_jump += S grad_x_s[n + D].

    window: of truncated backpropagation, or 0; what a spike does in a later one does not reach grad_S.
    """
    jumps, spikes, near, one = model.jumps, recording.spikes, recording.near, ring.dtype.type(1)
    smooth = spikes.values.size > 0
    for k in range(jumps.population.size):
        p, first = jumps.population[k], jumps.first[k]
        if n + jumps.delay[k] >= steps:
            continue
        arrived, at = ring[(n + jumps.delay[k]) % ring.shape[0]], n * model.group.size + p
        a, size = model.population_first[p], model.population_first[p + 1] - model.population_first[p]
        jump, reaches = part(jumps.size, first, size), window == 0 or n // window == (n + jumps.delay[k]) // window
        for b in range(trials):
            grad_x, grad_spike = part(arrived[b], jumps.target[k], size), part(grad_spikes[b], a, size)
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
def jumps_adjoint_before(model, past, start, trials, steps, ring, grad_size):
    """grad_jump from the spikes before the run that arrived in it."""
    jumps, spikes, one = model.jumps, past.spikes, ring.dtype.type(1)
    if grad_size.size == 0:
        return
    for k in range(jumps.population.size):
        for arrival in range(min(jumps.delay[k], steps)):
            for b in range(trials):
                first, last = between(past, spikes, start + b, arrival - jumps.delay[k], model.group.size, jumps.population[k])
                for e in range(first, last):
                    i = spikes.units[e]
                    grad_x = ring[arrival % ring.shape[0], b, jumps.target[k] + i]
                    grad_size[jumps.first[k] + i] += (spikes.values[e] if spikes.values.size else one) * grad_x


# ---------------------------------------------------------------------------------------------- bounds

@kernel
def bound(model, g, trials, new):
    """U* = low where it is below, high where it is above. (NaN stays.)"""
    a, first, size = model.neuron_first[g], model.state_first[g], model.neuron_first[g + 1] - model.neuron_first[g]
    low, high = part(model.bounds.low, a, size), part(model.bounds.high, a, size)
    for b in range(trials):
        u = part(new[b], first, size)
        for i in range(size):
            above = low[i] if u[i] < low[i] else u[i]
            u[i] = high[i] if above > high[i] else above


@fused
def bound_adjoint(model, g, trials, margin, start, n, grad_new):
    """Forward: U* = low or high where it is beyond.  Adjoint: grad_U = 0 there, and where it is clamped (margin -inf)."""
    a, first, size = model.neuron_first[g], model.state_first[g], model.neuron_first[g + 1] - model.neuron_first[g]
    low, high, theta = part(model.bounds.low, a, size), part(model.bounds.high, a, size), part(model.threshold, a, size)
    zero = margin.dtype.type(0)
    for b in range(trials):
        m, grad_u = part(margin[start + b, n], a, size), part(grad_new[b], first, size)
        for i in range(size):
            grad_u[i] = zero if m[i] <= low[i] - theta[i] or m[i] >= high[i] - theta[i] else grad_u[i]

"""Plastic synapses: short-term plasticity and its adjoint, and weights that learn in a long run.

Short-term (Tsodyks & Markram): the release of a spike is r = (u + U (1 - u)) x S, with u and x just
before it; then u += U (1 - u) S and x -= r. Inhibitory (Vogels et al. 2011): w += eta (x_post -
alpha) at a presynaptic spike, w += eta x_pre at a postsynaptic one. Kernels see rows of tables,
arrays and scalars only.
"""

import numpy as np

from .jit import kernel
from .memory import part

# ------------------------------------------------------------------------------------- short-term


@kernel
def use_resources(short, n, sent, factors, resource):
    """u, x and the release at the spikes of step n, which goes into the values of `sent`.

    resource: u, x and the step of the last spike of all presynaptic neurons of one trial.
    factors: S of the smooth twin, or size 0.
    """
    units, release = sent.units, sent.values
    width = resource.size // 3
    us = part(resource, short.resource, short.n_pre)
    xs = part(resource, short.resource + width, short.n_pre)
    steps = part(resource, short.resource + 2 * width, short.n_pre)
    use = short.utilization
    for e in range(sent.first, sent.last):
        j, s = units[e], np.float64(factors[e]) if factors.size else 1.0
        elapsed = n - steps[j]
        u = us[j] * np.exp(-short.facilitation * elapsed) if short.facilitation > 0 else 0.0
        x = 1 - (1 - xs[j]) * np.exp(-short.recovery * elapsed)
        released = (u + use * (1 - u)) * x * s
        release[e - sent.shift] = released
        us[j], xs[j], steps[j] = u + use * (1 - u) * s, x - released, n


@kernel
def remember_resources(short, n, resource, after):
    """u and x at the end of step n, for the adjoint."""
    width, half = resource.size // 3, after.size // 2
    kind = after.dtype.type
    us = part(resource, short.resource, short.n_pre)
    xs = part(resource, short.resource + width, short.n_pre)
    steps = part(resource, short.resource + 2 * width, short.n_pre)
    for j in range(short.n_pre):
        elapsed = n - steps[j]
        fade = np.exp(-short.facilitation * elapsed) if short.facilitation > 0 else 0.0
        u = us[j] * fade
        x = 1 - (1 - xs[j]) * np.exp(-short.recovery * elapsed)
        after[short.resource + j], after[short.resource + half + j] = kind(u), kind(x)


@kernel
def _just_before(short, rest, kind, before, j):
    """(u, x) of neuron j just before its step, from those at the end of the step before."""
    half = before.size // 2
    fade = kind(np.exp(-short.facilitation)) if short.facilitation > 0 else kind(0)
    u = before[short.resource + j] * fade
    return u, kind(1) - (kind(1) - before[short.resource + half + j]) * rest


@kernel
def resources_adjoint(short, before, spikes, grad_release, grad_resource, grad_spikes):
    """Forward: r = (u + U (1 - u)) x S, u* = u + U (1 - u) S, x* = x - r.

    Adjoint, with grad_r of the synapses: grad_r -= grad_x*;
    grad_S += grad_r (u + U (1 - u)) x + grad_u* U (1 - u);
    grad_x = grad_x* + grad_r (u + U (1 - u)) S;
    grad_u = grad_u* (1 - U S) + grad_r (1 - U) x S; then both fade by a step.

    before: u and x at the end of the step before; spikes: (n_pre,) S.
    """
    kind, one = grad_spikes.dtype.type, grad_spikes.dtype.type(1)
    use, rest = kind(short.utilization), kind(np.exp(-short.recovery))
    fade = kind(np.exp(-short.facilitation)) if short.facilitation > 0 else kind(0)
    half = grad_resource.size // 2
    grad_u = part(grad_resource, short.resource, short.n_pre)
    grad_x = part(grad_resource, short.resource + half, short.n_pre)
    for j in range(short.n_pre):
        u, x = _just_before(short, rest, kind, before, j)
        s, grad_r, after = spikes[j], grad_release[j] - grad_x[j], u + use * (one - u)
        grad_spikes[j] += grad_r * after * x + grad_u[j] * use * (one - u)
        grad_x[j] = (grad_x[j] + grad_r * after * s) * rest
        grad_u[j] = (grad_u[j] * (one - use * s) + grad_r * (one - use) * x * s) * fade


# -------------------------------------------------------------------------------------- inhibitory


@kernel
def _faded(trace, steps, rate, table):
    """A trace after some steps: trace exp(-rate steps)."""
    return trace * (table[steps] if steps < table.size else np.exp(-rate * steps))


@kernel
def _clipped(w, most):
    return min(max(w, 0.0), most)


@kernel
def _learn_row(plastic, wire, target, weight, begin, end, n, x):
    """w += eta (x_post - alpha), then I += w, for the synapses of one presynaptic spike."""
    rule, jump, element = wire.learns, x.dtype.type(wire.jump), wire.target
    first, rate, table = plastic.post_first[rule], plastic.rate[rule], plastic.table[rule]
    for s in range(begin, end):
        i = np.int64(target[s])
        trace = _faded(plastic.post_trace[first + i], n - plastic.post_seen[first + i], rate, table)
        weight[s] = _clipped(
            weight[s] + plastic.eta[rule] * (trace - plastic.alpha[rule]), plastic.w_max[rule]
        )
        x[element + i] += jump * weight[s]  # `element` alone may lie outside of x


@kernel
def arrive_and_learn(plastic, wire, target, split, t, weight, sent, n, x):
    """What arrives at a learning wire at step n: x_pre += 1, w += …, then I += w.

    Every part keeps presynaptic traces of its own: all are the same.
    """
    rule = wire.learns
    for e in range(sent.first, sent.last):
        j = sent.units[e]
        a, r = plastic.pre_first[rule] + j, wire.row_first + j
        trace = _faded(
            plastic.pre_trace[t, a],
            n - plastic.pre_seen[t, a],
            plastic.rate[rule],
            plastic.table[rule],
        )
        plastic.pre_trace[t, a], plastic.pre_seen[t, a] = trace + 1, n
        _learn_row(plastic, wire, target, weight, split[r, t], split[r, t + 1], n, x)


@kernel
def learn_from_targets(plastic, rule, t, weight, sent, n):
    """x_post += 1 and w += eta x_pre, for the postsynaptic spikes of step n of part t."""
    pre = plastic.pre_first[rule]
    rate = plastic.rate[rule]
    table = plastic.table[rule]
    for e in range(sent.first, sent.last):
        i = sent.units[e]
        b, c = plastic.post_first[rule] + i, plastic.into_at[rule] + i
        plastic.post_trace[b] = (
            _faded(plastic.post_trace[b], n - plastic.post_seen[b], rate, table) + 1
        )
        plastic.post_seen[b] = n
        for incoming in range(plastic.into_first[c], plastic.into_first[c + 1]):
            s, a = plastic.into_synapse[incoming], pre + plastic.into_source[incoming]
            trace = _faded(plastic.pre_trace[t, a], n - plastic.pre_seen[t, a], rate, table)
            weight[s] = _clipped(weight[s] + plastic.eta[rule] * trace, plastic.w_max[rule])

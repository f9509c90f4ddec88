"""Plastic synapses of one large network: short-term plasticity, and weights that learn.

Short-term (Tsodyks & Markram): at a spike, u += use (1 - u), and u x is released, x -= u x.
Inhibitory (Vogels et al. 2011): w += eta (x_post - alpha) at a presynaptic spike, w += eta x_pre at
a postsynaptic one. Kernels see arrays and scalars only (engine/plasticity.py says what they are).
"""

import numpy as np

from .arrivals import add_spikes, spikes_of
from .jit import at_address, kernel, part


@kernel
def _released(plastic, recent, q, n, part_of, p):
    """Releases of short-term plasticity q for the spikes of step n, beside their list.

    They are those of one thread's part of population p.
    """
    first = plastic.release_first[q] + recent.first[p, part_of] - recent.first[p, 0]
    return part(
        plastic.release[n & recent.mask], first, recent.n_spikes[n & recent.mask, part_of, p]
    )


@kernel
def use_resources(cells, wires, plastic, recent, q, n, t):
    """Short-term plasticity q: u, x and the release u x at the spikes of step n.

    They are those that thread t has found.
    """
    p = wires.pre[plastic.short[q]]
    use = plastic.utilization[q]
    recovery = plastic.recovery[q]
    facilitation = plastic.facilitation[q]
    units, released = spikes_of(recent, n, t, p), _released(plastic, recent, q, n, t, p)
    for e in range(units.size):
        a = plastic.short_first[q] + units[e]
        elapsed = n - plastic.used[a]
        u = plastic.u[a] * np.exp(-facilitation * elapsed) if facilitation > 0 else 0.0
        x = 1 - (1 - plastic.x[a]) * np.exp(-recovery * elapsed)
        u += use * (1 - u)
        released[e] = u * x
        plastic.u[a], plastic.x[a], plastic.used[a] = u, x - u * x, n


@kernel
def _send_one(wires, k, n, t, jump, unit, ring, x):
    """One spike, times a factor in `jump`, of a projection with a delay for every synapse."""
    weight = at_address(wires.weight_address[k], wires.weight_size[k], x)
    row = wires.row_first[k]
    size = wires.size[k]
    per_synapse = wires.weight_size[k] > 1
    mask = wires.ring_mask
    width = wires.ring_width
    at = wires.target[k]
    for s in range(wires.split[row + unit[0], t], wires.split[row + unit[0], t + 1]):
        if wires.long[k]:
            delay = np.int64(at_address(wires.delay_address[k], size, wires.uint16)[s])
        else:
            delay = np.int64(at_address(wires.delay_address[k], size, wires.uint8)[s])
        if wires.wide[k]:
            i = np.int64(at_address(wires.target_address[k], size, wires.int32)[s])
        else:
            i = np.int64(at_address(wires.target_address[k], size, wires.uint16)[s])
        ring[((n + delay) & mask) * width + at + i] += jump * (
            weight[s] if per_synapse else weight[0]
        )


@kernel
def add_released(cells, wires, plastic, recent, q, n, t, x, ring):
    """Weight times release, for the spikes of step n through short-term plasticity q."""
    k = plastic.short[q]
    p = wires.pre[k]
    for other in range(cells.bounds.shape[1] - 1):
        units = spikes_of(recent, n, other, p)
        released = _released(plastic, recent, q, n, other, p)
        for e in range(units.size):
            jump = wires.jump[k] * released[e]
            if plastic.short_delayed[q]:
                _send_one(wires, k, n, t, jump, part(units, e, 1), ring, x)
            else:
                add_spikes(cells, wires, k, t, jump, part(units, e, 1), x)


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
    first = plastic.post_first[rule]
    rate = plastic.rate[rule]
    table = plastic.table[rule]
    for s in range(begin, end):
        i = np.int64(target[s])
        trace = _faded(plastic.post_trace[first + i], n - plastic.post_seen[first + i], rate, table)
        weight[s] = _clipped(
            weight[s] + plastic.eta[rule] * (trace - plastic.alpha[rule]), plastic.w_max[rule]
        )
        y[i] += jump * weight[s]


@kernel
def _arrive_and_learn(cells, wires, plastic, recent, rule, n, t, x):
    """What arrives at learning projection `rule` at step n.

    Every thread keeps presynaptic traces of its own: all are the same.
    """
    k = plastic.learning[rule]
    emitted = n - wires.delay[k]
    p = wires.pre[k]
    row = wires.row_first[k]
    if emitted < 0:
        return
    weight = at_address(wires.weight_address[k], wires.weight_size[k], x)
    y = part(x, wires.target[k], cells.n[wires.post[k]])
    for other in range(cells.bounds.shape[1] - 1):
        units = spikes_of(recent, emitted, other, p)
        for e in range(units.size):
            a, r = plastic.pre_first[rule] + units[e], row + units[e]
            trace = _faded(
                plastic.pre_trace[t, a],
                n - plastic.pre_seen[t, a],
                plastic.rate[rule],
                plastic.table[rule],
            )
            plastic.pre_trace[t, a], plastic.pre_seen[t, a] = trace + 1, n
            if wires.wide[k]:
                target = at_address(wires.target_address[k], wires.size[k], wires.int32)
                _learn_row(
                    plastic,
                    rule,
                    target,
                    weight,
                    wires.split[r, t],
                    wires.split[r, t + 1],
                    wires.jump[k],
                    n,
                    y,
                )
            else:
                target = at_address(wires.target_address[k], wires.size[k], wires.uint16)
                _learn_row(
                    plastic,
                    rule,
                    target,
                    weight,
                    wires.split[r, t],
                    wires.split[r, t + 1],
                    wires.jump[k],
                    n,
                    y,
                )


@kernel
def _learn_from_targets(cells, wires, plastic, recent, rule, n, t, x):
    """x_post += 1 and w += eta x_pre, for the postsynaptic spikes of step n of thread t."""
    k = plastic.learning[rule]
    first = plastic.pre_first[rule]
    rate = plastic.rate[rule]
    table = plastic.table[rule]
    weight = at_address(wires.weight_address[k], wires.weight_size[k], x)
    units = spikes_of(recent, n, t, wires.post[k])
    for e in range(units.size):
        i = units[e]
        b, c = plastic.post_first[rule] + i, plastic.into_at[rule] + i
        plastic.post_trace[b] = (
            _faded(plastic.post_trace[b], n - plastic.post_seen[b], rate, table) + 1
        )
        plastic.post_seen[b] = n
        for incoming in range(plastic.into_first[c], plastic.into_first[c + 1]):
            s, a = plastic.into_synapse[incoming], first + plastic.into_source[incoming]
            trace = _faded(plastic.pre_trace[t, a], n - plastic.pre_seen[t, a], rate, table)
            weight[s] = _clipped(weight[s] + plastic.eta[rule] * trace, plastic.w_max[rule])


@kernel
def plastic_arrivals(cells, wires, plastic, recent, n, t, x, ring):
    """What arrives at step n through plastic projections with one delay, and what they learn."""
    for q in range(plastic.short.size):
        emitted = n - wires.delay[plastic.short[q]]
        if not plastic.short_delayed[q] and emitted >= 0:
            add_released(cells, wires, plastic, recent, q, emitted, t, x, ring)
    for rule in range(plastic.learning.size):
        _arrive_and_learn(cells, wires, plastic, recent, rule, n, t, x)
        _learn_from_targets(cells, wires, plastic, recent, rule, n, t, x)

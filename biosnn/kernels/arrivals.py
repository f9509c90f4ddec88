"""The compiled loops over the synapses of one large network: arrivals of spikes at the neurons of a thread, and plasticity.

Kernels see arrays and scalars only (engine/stream_tables.py says what they are); stream.py has the step that calls them.
"""

import numpy as np

from .jit import at_address, kernel, part

_U64 = np.uint64


# ----------------------------------------------------------------------------------------- synapses


@kernel
def _add_dense(weight, n_post, begin, end, jump, units, y):
    size, e = end - begin, 0
    while e + 4 <= units.size:
        r0 = part(weight, units[e] * n_post + begin, size)
        r1 = part(weight, units[e + 1] * n_post + begin, size)
        r2 = part(weight, units[e + 2] * n_post + begin, size)
        r3 = part(weight, units[e + 3] * n_post + begin, size)
        for i in range(size):
            y[i] = (((y[i] + jump * r0[i]) + jump * r1[i]) + jump * r2[i]) + jump * r3[i]
        e += 4
    while e < units.size:
        row = part(weight, units[e] * n_post + begin, size)
        for i in range(size):
            y[i] += jump * row[i]
        e += 1


@kernel
def _add_constant(target, split, row, t, w, units, y):
    for e in range(units.size):
        r = row + units[e]
        for s in range(_U64(split[r, t]), _U64(split[r, t + 1])):
            y[_U64(target[s])] += w


@kernel
def _add_weighted(target, weight, split, row, t, jump, units, y):
    for e in range(units.size):
        r = row + units[e]
        for s in range(_U64(split[r, t]), _U64(split[r, t + 1])):
            y[_U64(target[s])] += jump * weight[s]


@kernel
def _add_delayed(
    target, weight, per_synapse, delay, split, row, t, jump, n, ring, mask, width, at, units
):
    """Into the ring of arrivals; per_synapse: whether every synapse has a weight of its own."""
    if target.size == 0:  # such a projection may have no weight either
        return
    step, m, lanes, begin, w = (
        _U64(n),
        _U64(mask),
        _U64(width),
        _U64(at),
        jump * weight[0],
    )  # unsigned: no test for negative places
    for e in range(units.size):
        r = row + units[e]
        if per_synapse:
            for s in range(_U64(split[r, t]), _U64(split[r, t + 1])):
                ring[((step + _U64(delay[s])) & m) * lanes + begin + _U64(target[s])] += (
                    jump * weight[s]
                )
        else:
            for s in range(_U64(split[r, t]), _U64(split[r, t + 1])):
                ring[((step + _U64(delay[s])) & m) * lanes + begin + _U64(target[s])] += w


@kernel
def spikes_of(history, n, part_of, p):
    """Spikes of population p at step n in one thread's part."""
    slot = n & history.mask
    return part(history.units[slot], history.first[p, part_of], history.count[slot, part_of, p])


@kernel
def add_spikes(cells, wires, k, t, jump, units, x):
    """Spikes, times a factor in `jump`, of a projection with one delay."""
    post = wires.post[k]
    begin, end = cells.bounds[post, t], min(cells.bounds[post, t + 1], cells.n[post])
    weight = at_address(wires.weight_address[k], wires.weight_size[k], x)
    y = part(x, wires.target[k], cells.n[post])
    if wires.dense[k]:
        if begin < end:
            _add_dense(
                weight,
                cells.n[post],
                begin,
                end,
                jump,
                units,
                part(x, wires.target[k] + begin, end - begin),
            )
    elif wires.wide[k]:
        target = at_address(wires.target_address[k], wires.size[k], wires.int32)
        if wires.weight_size[k] == 1:
            _add_constant(target, wires.split, wires.row_first[k], t, jump * weight[0], units, y)
        else:
            _add_weighted(target, weight, wires.split, wires.row_first[k], t, jump, units, y)
    else:
        target = at_address(wires.target_address[k], wires.size[k], wires.uint16)
        if wires.weight_size[k] == 1:
            _add_constant(target, wires.split, wires.row_first[k], t, jump * weight[0], units, y)
        else:
            _add_weighted(target, weight, wires.split, wires.row_first[k], t, jump, units, y)


@kernel
def arrive(cells, wires, history, k, n, t, x):
    """Projection k with one delay: what was emitted `delay` steps before arrives now, in ascending order of j."""
    emitted, p = n - wires.delay[k], wires.pre[k]
    if emitted < 0:
        return
    for other in range(cells.bounds.shape[1] - 1):
        units = spikes_of(history, emitted, other, p)
        if units.size:
            add_spikes(cells, wires, k, t, wires.jump[k], units, x)


@kernel
def send(cells, wires, history, k, n, t, ring, x):
    """Projection k with a delay for every synapse: what was emitted at step n goes into the ring of arrivals."""
    p, per_synapse = wires.pre[k], wires.weight_size[k] > 1
    weight, row, at = (
        at_address(wires.weight_address[k], wires.weight_size[k], x),
        wires.row_first[k],
        wires.target[k],
    )
    size, mask, width, jump = wires.size[k], wires.ring_mask, wires.ring_width, wires.jump[k]
    for other in range(cells.bounds.shape[1] - 1):
        units = spikes_of(history, n, other, p)
        if units.size == 0:
            continue
        if wires.wide[k]:
            target = at_address(wires.target_address[k], size, wires.int32)
            if wires.long[k]:
                delay = at_address(wires.delay_address[k], size, wires.uint16)
                _add_delayed(
                    target,
                    weight,
                    per_synapse,
                    delay,
                    wires.split,
                    row,
                    t,
                    jump,
                    n,
                    ring,
                    mask,
                    width,
                    at,
                    units,
                )
            else:
                delay = at_address(wires.delay_address[k], size, wires.uint8)
                _add_delayed(
                    target,
                    weight,
                    per_synapse,
                    delay,
                    wires.split,
                    row,
                    t,
                    jump,
                    n,
                    ring,
                    mask,
                    width,
                    at,
                    units,
                )
        else:
            target = at_address(wires.target_address[k], size, wires.uint16)
            if wires.long[k]:
                delay = at_address(wires.delay_address[k], size, wires.uint16)
                _add_delayed(
                    target,
                    weight,
                    per_synapse,
                    delay,
                    wires.split,
                    row,
                    t,
                    jump,
                    n,
                    ring,
                    mask,
                    width,
                    at,
                    units,
                )
            else:
                delay = at_address(wires.delay_address[k], size, wires.uint8)
                _add_delayed(
                    target,
                    weight,
                    per_synapse,
                    delay,
                    wires.split,
                    row,
                    t,
                    jump,
                    n,
                    ring,
                    mask,
                    width,
                    at,
                    units,
                )


@kernel
def take_from_ring(cells, wires, n, t, ring, x):
    """What the ring holds for step n is added to the states of receptors, and its place becomes free."""
    row = (n & wires.ring_mask) * wires.ring_width
    for c in range(wires.ring_state.size):
        p = wires.ring_population[c]
        begin, end = cells.bounds[p, t], cells.bounds[p, t + 1]
        arrived, y = (
            part(ring, row + wires.ring_at[c] + begin, end - begin),
            part(x, wires.ring_state[c] + begin, end - begin),
        )
        for i in range(end - begin):
            y[i] += arrived[i]
            arrived[i] = 0


# --------------------------------------------------------------------------------- plastic synapses


@kernel
def _released(plastic, history, q, n, part_of, p):
    """Releases of short-term plasticity q for the spikes of step n in one thread's part of population p, beside their list."""
    first = plastic.release_first[q] + history.first[p, part_of] - history.first[p, 0]
    return part(
        plastic.release[n & history.mask], first, history.count[n & history.mask, part_of, p]
    )


@kernel
def use_resources(cells, wires, plastic, history, q, n, t):
    """Short-term plasticity q: u, x and the release u x at the spikes that thread t has found in step n."""
    p, slot, use, recovery, facilitation = (
        wires.pre[plastic.short[q]],
        n & history.mask,
        plastic.utilization[q],
        plastic.recovery[q],
        plastic.facilitation[q],
    )
    units, released = spikes_of(history, n, t, p), _released(plastic, history, q, n, t, p)
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
    weight, row, size = (
        at_address(wires.weight_address[k], wires.weight_size[k], x),
        wires.row_first[k],
        wires.size[k],
    )
    per_synapse, mask, width, at = (
        wires.weight_size[k] > 1,
        wires.ring_mask,
        wires.ring_width,
        wires.target[k],
    )
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
def add_released(cells, wires, plastic, history, q, n, t, x, ring):
    """Weight times release, for the spikes of step n of the projection of short-term plasticity q."""
    k = plastic.short[q]
    p = wires.pre[k]
    for other in range(cells.bounds.shape[1] - 1):
        units, released = (
            spikes_of(history, n, other, p),
            _released(plastic, history, q, n, other, p),
        )
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
    first, rate, table = plastic.post_first[rule], plastic.rate[rule], plastic.table[rule]
    for s in range(begin, end):
        i = np.int64(target[s])
        trace = _faded(plastic.post_trace[first + i], n - plastic.post_seen[first + i], rate, table)
        weight[s] = _clipped(
            weight[s] + plastic.eta[rule] * (trace - plastic.alpha[rule]), plastic.w_max[rule]
        )
        y[i] += jump * weight[s]


@kernel
def _arrive_and_learn(cells, wires, plastic, history, rule, n, t, x):
    """What arrives at learning projection `rule` at step n. Every thread keeps presynaptic traces of its own: all are the same."""
    k = plastic.learning[rule]
    emitted, p, row = n - wires.delay[k], wires.pre[k], wires.row_first[k]
    if emitted < 0:
        return
    weight, y = (
        at_address(wires.weight_address[k], wires.weight_size[k], x),
        part(x, wires.target[k], cells.n[wires.post[k]]),
    )
    for other in range(cells.bounds.shape[1] - 1):
        units = spikes_of(history, emitted, other, p)
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
def _learn_from_targets(cells, wires, plastic, history, rule, n, t, x):
    """x_post += 1 and w += eta x_pre, for the spikes of step n of the postsynaptic neurons of thread t."""
    k, first, rate, table = (
        plastic.learning[rule],
        plastic.pre_first[rule],
        plastic.rate[rule],
        plastic.table[rule],
    )
    weight, units = (
        at_address(wires.weight_address[k], wires.weight_size[k], x),
        spikes_of(history, n, t, wires.post[k]),
    )
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
def plastic_arrivals(cells, wires, plastic, history, n, t, x, ring):
    """What arrives at step n through plastic projections with one delay, and what they learn."""
    for q in range(plastic.short.size):
        emitted = n - wires.delay[plastic.short[q]]
        if not plastic.short_delayed[q] and emitted >= 0:
            add_released(cells, wires, plastic, history, q, emitted, t, x, ring)
    for rule in range(plastic.learning.size):
        _arrive_and_learn(cells, wires, plastic, history, rule, n, t, x)
        _learn_from_targets(cells, wires, plastic, history, rule, n, t, x)

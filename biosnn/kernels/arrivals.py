"""Delivery of spikes in one large network: through lists of spikes, or a ring of arrivals.

A projection with one delay adds its weights when the spikes arrive (`arrive`); one with a delay for
every synapse adds them to the ring when they are emitted (`send`), and the ring is read in every
step (`take_from_ring`). Every thread adds what arrives at its own neurons. stream.py has the step
that calls them; plasticity.py, the plastic projections. Kernels see arrays and scalars only
(engine/stream_tables.py).
"""

import numpy as np

from .jit import at_address, kernel, part

_U64 = np.uint64


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
    # unsigned: no test for negative places
    step = _U64(n)
    m = _U64(mask)
    lanes = _U64(width)
    begin = _U64(at)
    w = jump * weight[0]
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
def spikes_of(recent, n, part_of, p):
    """Spikes of population p at step n in one thread's part."""
    slot = n & recent.mask
    return part(recent.units[slot], recent.first[p, part_of], recent.n_spikes[slot, part_of, p])


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
def arrive(cells, wires, recent, k, n, t, x):
    """Projection k with one delay: what was emitted `delay` steps before arrives now.

    In ascending order of j.
    """
    emitted, p = n - wires.delay[k], wires.pre[k]
    if emitted < 0:
        return
    for other in range(cells.bounds.shape[1] - 1):
        units = spikes_of(recent, emitted, other, p)
        if units.size:
            add_spikes(cells, wires, k, t, wires.jump[k], units, x)


@kernel
def _send_rows(wires, k, n, t, units, target, ring, x):
    """The spikes of step n of some units into the ring; target: those of the synapses."""
    size = wires.size[k]
    weight = at_address(wires.weight_address[k], wires.weight_size[k], x)
    per_synapse, split, row = wires.weight_size[k] > 1, wires.split, wires.row_first[k]
    jump, mask, width, at = wires.jump[k], wires.ring_mask, wires.ring_width, wires.target[k]
    if wires.long[k]:
        delay = at_address(wires.delay_address[k], size, wires.uint16)
        _add_delayed(
            target, weight, per_synapse, delay, split, row, t, jump, n, ring, mask, width, at, units
        )
    else:
        delay = at_address(wires.delay_address[k], size, wires.uint8)
        _add_delayed(
            target, weight, per_synapse, delay, split, row, t, jump, n, ring, mask, width, at, units
        )


@kernel
def send(cells, wires, recent, k, n, t, ring, x):
    """Projection k with a delay for every synapse: the spikes of step n go into the ring."""
    p, size = wires.pre[k], wires.size[k]
    for other in range(cells.bounds.shape[1] - 1):
        units = spikes_of(recent, n, other, p)
        if units.size == 0:
            continue
        if wires.wide[k]:
            target = at_address(wires.target_address[k], size, wires.int32)
            _send_rows(wires, k, n, t, units, target, ring, x)
        else:
            target = at_address(wires.target_address[k], size, wires.uint16)
            _send_rows(wires, k, n, t, units, target, ring, x)


@kernel
def take_from_ring(cells, wires, n, t, ring, x):
    """What the ring holds for step n is added to the states of receptors.

    Its place in the ring becomes free.
    """
    row = (n & wires.ring_mask) * wires.ring_width
    for c in range(wires.ring_state.size):
        p = wires.ring_population[c]
        begin, end = cells.bounds[p, t], cells.bounds[p, t + 1]
        arrived = part(ring, row + wires.ring_at[c] + begin, end - begin)
        y = part(x, wires.ring_state[c] + begin, end - begin)
        for i in range(end - begin):
            y[i] += arrived[i]
            arrived[i] = 0

"""Synapses of dense projections: deliver, and its adjoints accumulate and pull.

    deliver      current[i] += jump W[j, i] S_j                   forward, for every spike
    accumulate   grad_W[j, i] += jump S_j grad_current[i]         adjoint, for every spike
    pull         grad_S_j += jump sum_i W[j, i] grad_current[i]   adjoint, for every neuron whose
                                                                  surrogate derivative is not zero

Kernels see rows of tables, arrays and scalars only (arrays.py).
"""

from .events import between
from .jit import kernel, reduction
from .memory import part
from .simd import BLOCK_BYTES, BLOCK_ROWS, multiply_block, sum_rows

# --------------------------------------------------------------------------- deliver and accumulate


@kernel
def deliver_dense(weight, n_post, begin, size, jump, sent, y):
    """y[i] += jump W[j, begin + i] S_j for all events, in ascending order of j."""
    units, values, shift = sent.units, sent.values, sent.shift
    e, last = sent.first, sent.last
    # the same additions in the same order, a quarter of the memory traffic
    while values.size == 0 and e + 4 <= last:
        r0 = part(weight, units[e] * n_post + begin, size)
        r1 = part(weight, units[e + 1] * n_post + begin, size)
        r2 = part(weight, units[e + 2] * n_post + begin, size)
        r3 = part(weight, units[e + 3] * n_post + begin, size)
        for i in range(size):
            y[i] = (((y[i] + jump * r0[i]) + jump * r1[i]) + jump * r2[i]) + jump * r3[i]
        e += 4
    while e < last:
        s = jump * values[e - shift] if values.size else jump
        row = part(weight, units[e] * n_post + begin, size)
        for i in range(size):
            y[i] += s * row[i]
        e += 1


@kernel
def gather_inputs(wire, weight, events, rows, n_inputs, first, last, scratch):
    """arriving[n, b, column:] = sum of W[j] over the events that arrive at step first + n.

    For the steps first .. last - 1. Some columns at a time, so that their part of W stays in the
    second-level cache.
    """
    n_post, span, arriving = wire.n_post, scratch.sums.size, scratch.arriving
    for at in range(0, n_post, span):
        size, column = min(span, n_post - at), wire.gathered + at
        for n in range(first, last):
            for b in range(rows.size):
                e, until = between(events, rows[b], n - wire.delay, n_inputs, wire.source)
                into = arriving[n - first, b]
                sum_rows(weight, at, n_post, size, events.units, e, until, into, column)


@kernel
def events_by_unit(
    wire, events, rows, n_sources, source, first_step, last_step, slots, tile, sorting
):
    """Sort the events of some steps by presynaptic neuron, then trial and step.

    Those of neuron j are sorting.ends[j - 1] .. ends[j] - 1.

    Their places say when and where they arrive, in a ring of `slots` steps and `tile` trials.
    """
    ends, places, factors, n_pre = sorting.ends, sorting.places, sorting.factors, wire.n_pre
    units, values = events.units, events.values
    ends[: n_pre + 1] = 0
    for b in range(rows.size):
        for n in range(first_step, last_step):
            first, last = between(events, rows[b], n, n_sources, source)
            for e in range(first, last):
                ends[units[e] + 1] += 1
    for j in range(1, n_pre + 1):
        ends[j] += ends[j - 1]
    for b in range(rows.size):
        for n in range(first_step, last_step):
            first, last = between(events, rows[b], n, n_sources, source)
            place = (n + wire.delay) % slots * tile + b
            for e in range(first, last):
                k = ends[units[e]]
                ends[units[e]] = k + 1
                places[k] = place
                if values.size:
                    factors[k] = values[e]


@kernel
def accumulate(wire, grad_weight, smooth, sorting, arrived, sums):
    """Forward: current[i] += jump W[j, i] S_j.

    Adjoint: grad_W[j, i] += jump S_j grad_current[i] for the events of a window.

    By presynaptic neuron, so that a row of grad_W is read and written once; some columns at a time,
    so that their adjoints stay in the second-level cache.
    """
    ends, places, factors, span = sorting.ends, sorting.places, sorting.factors, sums.size
    n_pre, n_post, jump = wire.n_pre, wire.n_post, grad_weight.dtype.type(wire.jump)
    for at in range(0, n_post, span):
        adjoints = arrived[(wire.kept + at) // span].reshape(-1)
        size = min(span, n_post - at)
        e = 0
        for j in range(n_pre):
            row = part(grad_weight, j * n_post + at, size)
            if not smooth and e < ends[j]:
                sum_rows(adjoints, 0, span, size, places, e, ends[j], sums, 0)
                for i in range(size):
                    row[i] += jump * sums[i]
                e = ends[j]
            while e < ends[j]:
                s, one = jump * factors[e], part(adjoints, places[e] * span, size)
                for i in range(size):
                    row[i] += s * one[i]
                e += 1


@kernel
def accumulate_now(grad_weight, n_post, jump, sent, adjoint):
    """As `accumulate`, for the events of one trial and step.

    It is cheaper where grad_weight stays in the first-level cache.
    """
    units, values, shift = sent.units, sent.values, sent.shift
    for e in range(sent.first, sent.last):
        s = jump * values[e - shift] if values.size else jump
        row = part(grad_weight, units[e] * n_post, n_post)
        for i in range(n_post):
            row[i] += s * adjoint[i]


# --------------------------------------------------------------------------------------------- pull


@kernel
def pull_dense(wire, panels, jump, trials, grad_states, grad_spikes, pre):
    """Forward: current[i] += jump W[j, i] S_j.

    Adjoint: grad_S[b, j] += jump sum_i W[j, i] grad_current[b, i].

    `panels` (engine/buffers.py) holds W transposed, some columns j at a time, with zeros after the
    last one: a product of matrices whose blocks of sums stay in registers. Rows beyond `trials`
    hold zeros, and columns after the last one get zeros added. Columns: the currents are
    grad_states[b, wire.adjoint:], the spikes grad_spikes[b, pre:].
    """
    width, n_post, target = BLOCK_BYTES // panels.itemsize, wire.n_post, wire.adjoint
    for j in range(0, wire.n_pre, width):
        for b in range(0, trials, BLOCK_ROWS):
            multiply_block(
                grad_states, b, target, n_post, panels, j * n_post, jump, grad_spikes, pre + j
            )


@reduction
def _dot(x, y):
    total = x.dtype.type(0)
    for i in range(x.size):
        total += x[i] * y[i]
    return total


@kernel
def pull_unit(weight, n_post, j, adjoint):
    """sum_i W[j, i] grad_current[i] of one neuron."""
    return _dot(part(weight, j * n_post, n_post), adjoint)


@reduction
def _four_dots(w0, w1, w2, w3, y):
    s0 = s1 = s2 = s3 = y.dtype.type(0)
    for i in range(y.size):
        s0 = s0 + w0[i] * y[i]
        s1 = s1 + w1[i] * y[i]
        s2 = s2 + w2[i] * y[i]
        s3 = s3 + w3[i] * y[i]
    return s0, s1, s2, s3


@kernel
def pull_near(wire, weight, jump, trials, grad_states, near, start, at, grad_spikes, pre):
    """As `pull_dense`, but only for the neurons near threshold that are listed.

    Elsewhere sigma' is 0 and grad_S is not needed.
    """
    n_post, units = wire.n_post, near.units
    for b in range(trials):
        grad_current, result = part(grad_states[b], wire.adjoint, n_post), grad_spikes[b]
        e, stop = near.pointers[start + b, at], near.pointers[start + b, at + 1]
        while e + 4 <= stop:
            j0 = units[e]
            j1 = units[e + 1]
            j2 = units[e + 2]
            j3 = units[e + 3]
            s0, s1, s2, s3 = _four_dots(
                part(weight, j0 * n_post, n_post),
                part(weight, j1 * n_post, n_post),
                part(weight, j2 * n_post, n_post),
                part(weight, j3 * n_post, n_post),
                grad_current,
            )
            result[pre + j0] += jump * s0
            result[pre + j1] += jump * s1
            result[pre + j2] += jump * s2
            result[pre + j3] += jump * s3
            e += 4
        while e < stop:
            j = units[e]
            result[pre + j] += jump * _dot(part(weight, j * n_post, n_post), grad_current)
            e += 1

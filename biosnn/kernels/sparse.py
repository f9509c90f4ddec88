"""Synapses of sparse projections, and of those that share weights, in batches of trials.

    deliver      y[i] += jump w_s S_j                    forward, for every spike of j and every
                                                         synapse s: j -> i of its row
    send         the same into a ring, where it waits for the delay of synapse s
    accumulate   grad_w_s += jump S_j grad_y[i]          adjoint, for every spike
    pull         grad_S_j += jump sum_s w_s grad_y[i]    adjoint, for every neuron whose surrogate
                                                         derivative is not zero

The weight of synapse s is the only one, weight[s], or weight[index[s]], which others may share
(convolution, tied weights). The synapses of neuron j are split[row + j, 0] ..
split[row + j, 1] - 1, ascending by target. Kernels see rows of
tables, arrays and scalars only (arrays.py).
"""

import numpy as np

from .arrays import ONE_WEIGHT, OWN_WEIGHTS
from .jit import kernel, reduction
from .memory import part

_U64 = np.uint64


@kernel
def deliver_rows(wire, target, weight, index, split, jump, sent, y):
    """y[i] += jump w_s S_j, in ascending order of j, and of i within a row.

    (Unsigned: no test for negative places.)
    """
    units, values, shift, row, mode = sent.units, sent.values, sent.shift, wire.row_first, wire.mode
    for e in range(sent.first, sent.last):
        s = jump * values[e - shift] if values.size else jump
        begin, end = _U64(split[row + units[e], 0]), _U64(split[row + units[e], 1])
        if mode == ONE_WEIGHT:
            w = s * weight[0]
            for k in range(begin, end):
                y[_U64(target[k])] += w
        elif mode == OWN_WEIGHTS:
            for k in range(begin, end):
                y[_U64(target[k])] += s * weight[k]
        else:
            for k in range(begin, end):
                y[_U64(target[k])] += s * weight[_U64(index[k])]


@kernel
def send_rows(wire, target, delay, weight, index, split, jump, sent, n, ring, width):
    """As `deliver_rows`, into the ring of arrivals: rows of `width`, one for each of 2^k steps."""
    units, values, shift, row, mode = sent.units, sent.values, sent.shift, wire.row_first, wire.mode
    step, mask = _U64(n), _U64(ring.size // width - 1)
    lanes, column = _U64(width), _U64(wire.ring)
    for e in range(sent.first, sent.last):
        s = jump * values[e - shift] if values.size else jump
        begin, end = _U64(split[row + units[e], 0]), _U64(split[row + units[e], 1])
        if mode == ONE_WEIGHT:
            w = s * weight[0]
            for k in range(begin, end):
                ring[((step + _U64(delay[k])) & mask) * lanes + column + _U64(target[k])] += w
        elif mode == OWN_WEIGHTS:
            for k in range(begin, end):
                place = ((step + _U64(delay[k])) & mask) * lanes + column + _U64(target[k])
                ring[place] += s * weight[k]
        else:
            for k in range(begin, end):
                place = ((step + _U64(delay[k])) & mask) * lanes + column + _U64(target[k])
                ring[place] += s * weight[_U64(index[k])]


@kernel
def _weight_at(mode, index, k):
    """Where the weight of synapse k lies."""
    return 0 if mode == ONE_WEIGHT else (k if mode == OWN_WEIGHTS else np.int64(index[k]))


@kernel
def accumulate_rows(wire, target, delay, index, split, sent, n, steps, ring, b, grad):
    """grad_w_s += jump S_j grad_y[i], of the events that were emitted at step n.

    ring: adjoints (step of the ring, trial, element). What arrives after the last step counts
    nothing; nor does what arrived before the first one of a run that goes on.
    """
    units, values, shift, slots = sent.units, sent.values, sent.shift, ring.shape[0]
    jump, mode, first, same = grad.dtype.type(wire.jump), wire.mode, wire.adjoint, wire.delay
    for e in range(sent.first, sent.last):
        s, r = jump * values[e - shift] if values.size else jump, wire.row_first + units[e]
        for k in range(split[r, 0], split[r, 1]):
            arrival = n + (np.int64(delay[k]) if delay.size else same)
            if 0 <= arrival < steps:
                adjoint = ring[arrival % slots, b, first + np.int64(target[k])]
                grad[_weight_at(mode, index, k)] += s * adjoint


@reduction
def _row_dot(weight, mode, index, target, first, last, adjoint):
    total = weight.dtype.type(0)
    if mode == OWN_WEIGHTS:
        for k in range(first, last):
            total += weight[k] * adjoint[target[k]]
    else:
        for k in range(first, last):
            total += weight[_weight_at(mode, index, k)] * adjoint[target[k]]
    return total


@kernel
def pull_row(wire, target, delay, weight, index, split, j, n, steps, window, ring, b):
    """sum_s w_s grad_y[i] of neuron j, whose spikes of step n arrive later.

    window: of truncated backpropagation, or 0; what arrives in a later one does not count.
    """
    r, total = wire.row_first + j, weight.dtype.type(0)
    begin, end = split[r, 0], split[r, 1]
    if delay.size == 0:
        adjoint = part(ring[(n + wire.delay) % ring.shape[0], b], wire.adjoint, wire.n_post)
        return _row_dot(weight, wire.mode, index, target, begin, end, adjoint)
    for k in range(begin, end):
        arrival = n + np.int64(delay[k])
        if arrival < steps and (window == 0 or n // window == arrival // window):
            adjoint = ring[arrival % ring.shape[0], b, wire.adjoint + np.int64(target[k])]
            total += weight[_weight_at(wire.mode, index, k)] * adjoint
    return total

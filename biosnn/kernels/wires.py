"""Delivery of spikes through one wire, whatever its kind, and the ring of arrivals.

    deliver   receptor state += jump w S_j            wires with one delay, when the spikes arrive
    send      ring += jump w S_j                      wires with a delay for every synapse, when
                                                      they are emitted; `take` adds what arrives

A run that goes on from another sends once more what was on its way, with its own weights; `forget`
then drops what had arrived before.

A wire is a projection, or neighbouring dense ones of one source. dense.py and sparse.py have the
loops over synapses. Kernels see rows of tables, arrays and scalars only (arrays.py).
"""

import numpy as np

from .dense import deliver_dense
from .jit import kernel
from .memory import at_address, part
from .sparse import deliver_rows, send_rows

# stand for types of arrays at addresses
_INT32, _UINT32 = np.empty(0, np.int32), np.empty(0, np.uint32)
_UINT16, _UINT8 = np.empty(0, np.uint16), np.empty(0, np.uint8)


@kernel
def weights_of(wire, weight):
    """Its weights: in the vector of all, or where they lie."""
    if wire.weight_address:
        return at_address(wire.weight_address, wire.n_weights, weight)
    return part(weight, wire.weight_first, wire.n_weights)


@kernel
def targets_of(wire):
    """Its postsynaptic neurons as 32-bit numbers, in batches of trials."""
    return at_address(wire.target_address, wire.n_synapses, _INT32)


@kernel
def delays_of(wire):
    """The delays of its synapses in steps, in batches of trials; size 0 where all share one."""
    return at_address(wire.delay_address, wire.n_synapses if wire.ring >= 0 else 0, _UINT16)


@kernel
def index_of(wire):
    """Which weight each synapse has; size 0 where none is shared."""
    return at_address(wire.index_address, wire.n_synapses if wire.index_address else 0, _UINT32)


@kernel
def deliver(wire, target, split, t, begin, end, w, jump, sent, y):
    """y_i += jump w S_j of the targets begin .. end - 1, which are part t."""
    if not wire.dense:
        deliver_rows(wire, target, w, index_of(wire), split, t, jump, sent, y)
    elif begin < end:
        near = part(y, begin, end - begin)
        deliver_dense(w, wire.n_post, begin, end - begin, jump, sent, near)


@kernel
def deliver_any(wire, split, t, begin, end, w, jump, sent, y):
    """As `deliver`, of one large network, whose targets have 32 or 16 bits."""
    if wire.wide:
        target = at_address(wire.target_address, wire.n_synapses, _INT32)
        deliver(wire, target, split, t, begin, end, w, jump, sent, y)
    else:
        near = at_address(wire.target_address, wire.n_synapses, _UINT16)
        deliver(wire, near, split, t, begin, end, w, jump, sent, y)


@kernel
def send(wire, target, delay, split, t, w, sent, n, ring, width):
    """The spikes of step n go into the ring of arrivals."""
    if wire.n_synapses == 0:  # such a wire may have no weight either
        return
    jump, index = ring.dtype.type(wire.jump), index_of(wire)
    send_rows(wire, target, delay, w, index, split, t, jump, sent, n, ring, width)


@kernel
def _send_any(wire, target, split, t, w, sent, n, ring, width):
    """Delays have 16 or 8 bits."""
    if wire.long:
        delay = at_address(wire.delay_address, wire.n_synapses, _UINT16)
        send(wire, target, delay, split, t, w, sent, n, ring, width)
    else:
        short = at_address(wire.delay_address, wire.n_synapses, _UINT8)
        send(wire, target, short, split, t, w, sent, n, ring, width)


@kernel
def send_any(wire, split, t, w, sent, n, ring, width):
    """As `send`, of one large network, whose targets have 32 or 16 bits."""
    if wire.wide:
        target = at_address(wire.target_address, wire.n_synapses, _INT32)
        _send_any(wire, target, split, t, w, sent, n, ring, width)
    else:
        near = at_address(wire.target_address, wire.n_synapses, _UINT16)
        _send_any(wire, near, split, t, w, sent, n, ring, width)


@kernel
def take(column, begin, end, n, ring, width, x):
    """What the ring holds for step n is added to a receptor's state; its place becomes free."""
    row = (n & (ring.size // width - 1)) * width + column.at
    arrived, y = part(ring, row + begin, end - begin), part(x, column.state + begin, end - begin)
    for i in range(end - begin):
        y[i] += arrived[i]
        arrived[i] = 0


@kernel
def forget(column, begin, end, n, ring, width):
    """What the ring holds for step n, which is over, is forgotten."""
    row = (n & (ring.size // width - 1)) * width + column.at
    arrived = part(ring, row + begin, end - begin)
    for i in range(end - begin):
        arrived[i] = 0

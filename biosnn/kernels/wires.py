"""Delivery of spikes through one wire, whatever its kind, and the ring of arrivals.

    deliver   receptor state += jump w S_j            wires with one delay, when the spikes arrive
    send      ring += jump w S_j                      wires with a delay for every synapse, when
                                                      they are emitted; `take` adds what arrives

A run that goes on from another sends once more what was on its way, with its own weights; `forget`
then drops what had arrived before.

A wire is a projection, or neighbouring dense ones of one source. dense.py and sparse.py have the
loops over synapses; bundles.py has those of one large network. Kernels see rows of tables, arrays
and scalars only (arrays.py).
"""

import numpy as np

from .dense import deliver_dense
from .jit import kernel
from .memory import at_address, part
from .sparse import deliver_rows, send_rows

_ZERO = np.int64(0)
# stand for types of arrays at addresses
_INT32, _UINT32, _UINT16 = (np.empty(0, kind) for kind in (np.int32, np.uint32, np.uint16))


@kernel
def weights_of(wire, weight):
    """Its weights: in the vector of all, or where they lie."""
    if wire.weight_address:
        return at_address(wire.weight_address, wire.n_weights, weight)
    return part(weight, wire.weight_first, wire.n_weights)


@kernel
def targets_of(wire):
    """Its postsynaptic neurons."""
    return at_address(wire.target_address, wire.n_synapses, _INT32)


@kernel
def delays_of(wire):
    """The delays of its synapses in steps; size 0 where all share one."""
    return at_address(wire.delay_address, wire.n_synapses if wire.ring >= 0 else 0, _UINT16)


@kernel
def index_of(wire):
    """Which weight each synapse has; size 0 where none is shared."""
    return at_address(wire.index_address, wire.n_synapses if wire.index_address else 0, _UINT32)


@kernel
def deliver(wire, target, split, w, jump, sent, y):
    """y_i += jump w S_j."""
    if wire.dense:
        deliver_dense(w, wire.n_post, _ZERO, wire.n_post, jump, sent, y)
    else:
        deliver_rows(wire, target, w, index_of(wire), split, jump, sent, y)


@kernel
def send(wire, target, delay, split, w, sent, n, ring, width):
    """The spikes of step n go into the ring of arrivals."""
    if wire.n_synapses == 0:  # such a wire may have no weight either
        return
    jump, index = ring.dtype.type(wire.jump), index_of(wire)
    send_rows(wire, target, delay, w, index, split, jump, sent, n, ring, width)


@kernel
def take(column, at, begin, size, n, ring, width, x):
    """What the ring holds for step n is added to a receptor's state; its place becomes free.

    Of the neurons begin .. begin + size - 1, whose columns of the ring begin at `at`.
    """
    row = (n & (ring.size // width - 1)) * width + at
    arrived, y = part(ring, row, size), part(x, column.state + begin, size)
    for i in range(size):
        y[i] += arrived[i]
        arrived[i] = 0


@kernel
def forget(n, ring, width):
    """What the ring holds for step n, which is over, is forgotten."""
    arrived = part(ring, (n & (ring.size // width - 1)) * width, width)
    for i in range(width):
        arrived[i] = 0

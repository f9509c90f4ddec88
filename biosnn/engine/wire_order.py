"""The order in which kernels take projections, and which sparse ones run as dense ones."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels import room
from ..network.network import Network
from ..network.plasticity import InhibitorySTDP
from ..network.projection import Projection
from .layout import Layout

# share of connected pairs from which on a sparse projection runs as a dense one …
_FILLED = 0.05
# … unless it is so large that zeros would take memory that synapses do not (several times:
# gradients of each thread)
_FILLED_BYTES = 1 << 27


class Filled(NamedTuple):
    """Sparse projections that are so dense that the loops of dense ones are faster.

    Kernels read them filled up with zeros, behind all other weights. Only here are there weights
    for pairs without a synapse; they stay 0, and their gradient is dropped.
    """

    size: int  # of the vector of weights that kernels read
    place: NDArray  # (synapses,) where each lies in it
    source: NDArray  # (synapses,) where it lies in Packed.weight

    def weights(self, weight: NDArray) -> NDArray:
        """Return the vector that kernels read."""
        full = room.aligned(self.size, weight.dtype)
        full[weight.size :] = 0
        full[: weight.size] = weight
        full[self.place] = weight[self.source]
        return full

    def gradient(self, full: NDArray, n_weights: int) -> NDArray:
        """Turn the gradient of the vector that kernels read into that of Packed.weight."""
        full[self.source] = full[self.place]
        return full[:n_weights]


def is_short(projection: Projection) -> bool:
    """Return whether the projection has short-term plasticity."""
    plasticity = projection.plasticity
    return plasticity is not None and not isinstance(plasticity, InhibitorySTDP)


def runs_dense(network: Network, projection: Projection) -> bool:
    """Whether a projection runs as a dense one: it is dense, or not very sparse.

    A sparse one has one delay, no shared weights, one synapse a pair, and so many pairs that the
    dense loops are faster; and the machine holds the weights easily.
    """
    synapses = network.synapses.get(projection.name)
    if synapses is None:
        return True
    if (
        projection.delay is None
        or projection.plasticity is not None
        or synapses.shares_weights
        or network.has_one_weight(projection)
    ):
        return False
    pairs = synapses.n_pre * synapses.n_post
    if synapses.size < _FILLED * pairs or pairs * network.dtype.itemsize > _FILLED_BYTES:
        return False
    same = np.diff(synapses.target.astype(np.int64)) == 0
    ends = synapses.first[1:-1] - 1
    same[ends[(ends >= 0) & (ends < same.size)]] = False
    return not same.any()


class Entry(NamedTuple):
    """A projection in the order of kernels, and what its wire needs to know."""

    projection: Projection
    dense: bool  # whether it runs as a dense one
    key: tuple  # what projections of one wire have in common
    target: int
    n_post: int

    @property
    def name(self) -> str:
        """Name of the projection."""
        return self.projection.name


def ordered(layout: Layout) -> list[Entry]:
    """All projections, in the order in which their spikes arrive.

    Dense ones come first, then those that run as dense ones in batches of trials.
    """
    network, found = layout.network, []
    for number, projection in enumerate(network.projections):
        neuron: Any = network[projection.post].neuron
        receptor = neuron.receptors[projection.receptor]
        target, size = layout.state(projection.post, receptor.state)
        dense = runs_dense(network, projection)
        late = projection.delay is None
        own = projection.plasticity is not None or late or not dense
        key = (
            layout.sources[projection.pre],
            -1 if late else network.delay_steps(projection),
            float(receptor.jump),
            projection.non_negative,
            not projection.frozen,
            projection.gradient_to_source,
            projection.name in network.synapses,
            number if own else -1,
        )
        found.append(Entry(projection, dense, key, target, size))
    return sorted(found, key=lambda e: (not e.dense, e.name in network.synapses, e.key, e.target))

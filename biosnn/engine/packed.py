"""A network as the arrays that kernels of batches read, and where to find things in them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels.arrays import Model, Wiring, aligned
from ..network.network import Network
from ..network.population import Population
from ..network.projection import Projection


@dataclass(frozen=True, eq=False)
class PackedNeurons:
    """The populations of a network as arrays.

    Parameters
    ----------
    network
        The description.
    order
        Populations in kernel order: spiking ones, those that pool, then readouts; those of one
        group side by side.
    model
        What kernels read.
    """

    network: Network
    order: list[Population]
    model: Model

    def neurons(self, name: str) -> slice:
        """Return where the neurons of a population lie among all."""
        names = [population.name for population in self.order]
        ends = np.cumsum([population.n for population in self.order])
        p = names.index(name)
        return slice(int(ends[p]) - self.order[p].n, int(ends[p]))

    def state(self, name: str, state: str) -> tuple[int, int]:
        """Return the first element and the size of a state in the state vector."""
        neurons, population = self.neurons(name), self.network[name]
        g = int(np.searchsorted(self.model.neuron_first, neurons.start, side="right")) - 1
        first, stop = self.model.neuron_first[g : g + 2]
        row = list(population.states).index(state)
        at = self.model.state_first[g] + row * (stop - first) + neurons.start - first
        return int(at), population.n

    @property
    def n_spiking(self) -> int:
        """Number of spiking neurons, and of units that pool spikes."""
        return int(self.model.neuron_first[self.model.n_spiking])

    @property
    def shortest_interval(self) -> int:
        """The fewest steps from one spike of any neuron to its next."""
        neurons = [p.neuron for p in self.network.firing if p.neuron is not None]
        return max(1, min((n.refractory_steps(self.network.dt) for n in neurons), default=1))

    @property
    def needs_states(self) -> bool:
        """Whether the adjoint reads the states at the end of every step.

        It does for learned time constants, and where conductances act.
        """
        return any(p.learn or (p.neuron and p.neuron.reversal) for p in self.order)


class Filled(NamedTuple):
    """Sparse projections that are so dense that the loops of dense ones are faster.

    Kernels read them filled up with zeros, behind all other weights. Only here are there weights
    for pairs without a synapse; they stay 0, and their gradient is dropped.
    """

    size: int  # of the vector of weights that kernels read
    place: NDArray  # (synapses,) where each lies in it
    source: NDArray  # (synapses,) where it lies in Packed.weight

    def weights(self, packed: "Packed") -> NDArray:
        """Return the vector that kernels read; several synapses of one pair add up."""
        full = aligned(self.size, packed.weight.dtype)
        full[packed.weight.size :] = 0
        full[: packed.weight.size] = packed.weight
        np.add.at(full, self.place, packed.weight[self.source])
        return full

    def gradient(self, packed: "Packed", full: NDArray) -> NDArray:
        """Turn the gradient of the vector that kernels read into that of Packed.weight."""
        full[self.source] = full[self.place]
        return full[: packed.weight.size]


@dataclass(frozen=True, eq=False)
class Packed(PackedNeurons):
    """A network as arrays: populations, projections and weights.

    Parameters
    ----------
    network, order, model
        As for PackedNeurons.
    wiring
        Bundles of dense projections, and sparse ones.
    weight
        All weights in one vector: dense ones bundle by bundle, then those of sparse projections.
    places
        Projection -> (slice of the vector that its bundle fills, columns of the bundle that are its
        own; None if it is sparse).
    filled
        Sparse projections that are filled up, or None.
    """

    wiring: Wiring
    weight: NDArray
    places: dict[str, tuple[slice, slice | None]]
    filled: Filled | None = None

    @property
    def non_negative(self) -> list[slice]:
        """Slices of the weight vector that Dale's law keeps >= 0: whole bundles."""
        return self.slices(p for p in self.network.projections if p.non_negative)

    def slices(self, projections: Iterable[Projection]) -> list[slice]:
        """Return the slices of the weight vector with these projections: whole bundles, once."""
        found = (self.places[p.name][0] for p in projections)
        return list({(place.start, place.stop): place for place in found}.values())

    def weight_matrix(self, name: str, vector: NDArray | None = None) -> NDArray:
        """Return a view of a projection's weights in a vector like `weight`.

        It is (pre, post), or has the shape of sparse ones in `network.weights`.
        """
        bundle, columns = self.places[name]
        rows = (self.weight if vector is None else vector)[bundle]
        if columns is None:
            return rows.reshape(np.shape(self.network.weights[name]))
        return rows.reshape(self.network[self.network.projection(name).pre].n, -1)[:, columns]

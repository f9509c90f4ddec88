"""Where populations and states of one large network lie, and which part belongs to which thread.

Every population has room for a multiple of 64 neurons. All states lie in one vector: population by
population, state by state.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..kernels.random import GRANULE
from ..network.network import Network
from ..network.population import Population


class StreamLayout:
    """Where populations and states lie in the vectors of one large network.

    Parameters
    ----------
    network
        The description.

    Attributes
    ----------
    populations
        Of the network, inputs among them, in their order.
    number
        Name of a population -> its number.
    n, room
        (populations,) neurons, and room for them.
    n_rows
        (populations,) number of states.
    neuron_first, state_first
        (populations + 1,) first element in arrays of one number per neuron, and in the state
        vector; and the end.
    """

    def __init__(self, network: Network):
        self.network = network
        self.populations = network.populations
        self.number = {p.name: k for k, p in enumerate(self.populations)}
        self.n = np.array([p.n for p in self.populations], np.int64)
        self.room = -(-self.n // GRANULE) * GRANULE
        self.n_rows = np.array(
            [len(p.neuron.states) if p.neuron else 0 for p in self.populations], np.int64
        )
        self.neuron_first = first_of(self.room)
        self.state_first = first_of(self.room * self.n_rows)

    def find(self, name: str | Population) -> tuple[int, Population]:
        """Return the number of a population of neurons and the population itself.

        Raises
        ------
        ValueError
            If it belongs to another network, or has no states.
        """
        population = self.network[name if isinstance(name, str) else name.name]
        if not isinstance(name, str) and population is not name:
            raise ValueError(
                f"{name.name!r} is a population of another network; this one has one of the same "
                "name. Give the name, or its own."
            )
        if population.kind in ("input", "pooling"):
            what = "is an input" if population.kind == "input" else "pools spikes"
            raise ValueError(
                f"{population.name!r} {what}; background reaches populations of neurons only."
            )
        return self.number[population.name], population

    def padded(self, name: str | Population) -> int:
        """Return the room for the neurons of a population."""
        return int(self.room[self.find(name)[0]])

    def state(self, name: str | Population, state: str) -> int:
        """Return the first element of a state of a population in the state vector."""
        p, population = self.find(name)
        row = list(population.states).index(state)
        return int(self.state_first[p] + row * self.room[p])


def first_of(counts: Sequence[int] | NDArray) -> NDArray[np.int64]:
    """Return (counts + 1,) where each part of a vector begins, and the end of the last one."""
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def list_bounds(layout: StreamLayout, bounds: NDArray, most: NDArray) -> NDArray[np.int64]:
    """Return (populations, threads + 1) the parts of the lists of spikes of a step.

    Parameters
    ----------
    layout
        Layout of the network.
    bounds
        (populations, threads + 1) parts of the neurons.
    most
        (populations,) spikes that one neuron can have in a step.
    """
    starts = np.concatenate([[0], np.cumsum(layout.room * most)[:-1]])
    return bounds * most[:, None] + starts[:, None]


def part_bounds(layout: StreamLayout, threads: int) -> NDArray[np.int64]:
    """Return (populations, threads + 1) contiguous parts of every population, in granules.

    What rounding takes from one population, it gives to the next.
    """
    granules = layout.room // GRANULE
    bounds = np.zeros((layout.room.size, threads + 1), np.int64)
    bounds[:, -1] = layout.room
    for t in range(1, threads):
        carry = 0.0
        for p, count in enumerate(granules):
            wanted = count * t / threads + carry
            given = min(max(round(wanted), bounds[p, t - 1] // GRANULE), count)
            bounds[p, t], carry = given * GRANULE, wanted - given
    return bounds

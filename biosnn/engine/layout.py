"""Where the neurons and states of a network lie in the vectors that kernels read.

Spiking populations come first, then units that pool spikes, then readouts; those whose tables have
one shape lie side by side, as a group, so that kernels can treat them as one cell. All states lie
in one vector: group by group, state by state, population by population.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..network.network import Network
from ..network.population import Population
from ..network.step_matrix import step_pattern


class Layout:
    """Places of neurons and states; the same in batches of trials and in one large network.

    Parameters
    ----------
    network
        The description.

    Attributes
    ----------
    groups
        Populations in the order of kernels, group by group.
    order
        The same in one list.
    number
        Name of a population -> its number in this order.
    sources
        Name of an input or of a population that spikes or pools -> its number as a source of wires:
        inputs first.
    n_neurons, n_firing, n_elements
        Neurons and units; those that spike or pool spikes, which come first; elements of the state
        vector.
    """

    def __init__(self, network: Network):
        self.network = network
        self.groups = _groups_of(network)
        self.order = [population for group in self.groups for population in group]
        self.number = {p.name: k for k, p in enumerate(self.order)}
        firing = [p for p in self.order if p.kind != "readout"]
        names = [p.name for p in (*network.inputs, *firing)]
        self.sources = {name: k for k, name in enumerate(names)}
        ends = first_of([p.n for p in self.order])
        self._first = {p.name: int(first) for p, first in zip(self.order, ends)}
        self.n_neurons = int(ends[-1])
        self.n_firing = sum(p.n for p in firing)
        self.n_elements = 0
        self._element: dict[str, int] = {}  # of the first neuron's U
        self.stride: dict[str, int] = {}  # from one state to the next
        for group in self.groups:
            self._place(group)

    def _place(self, group):
        """Give the states of a group their places."""
        width, offset = sum(p.n for p in group), 0
        for population in group:
            self._element[population.name] = self.n_elements + offset
            self.stride[population.name] = width
            offset += population.n
        self.n_elements += width * len(group[0].states)

    def neurons(self, name: str) -> slice:
        """Return where the neurons of a population lie among all."""
        return slice(self._first[name], self._first[name] + self.network[name].n)

    def state(self, name: str, state: str) -> tuple[int, int]:
        """Return the first element and the size of a state in the state vector."""
        population = self.network[name]
        row = list(population.states).index(state)
        return self._element[name] + row * self.stride[name], population.n

    def membrane(self, name: str) -> int:
        """Return the first element of U of a population, or 0 where it has no states."""
        population = self.network[name]
        return self.state(name, population.states[0])[0] if population.states else 0

    def find(self, name: str | Population) -> Population:
        """Return a population of neurons.

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
        return population

    @property
    def longest_delay(self) -> int:
        """The steps after which the last effect of a spike has arrived."""
        network = self.network
        delays = [network.delay_range(p)[1] for p in network.projections]
        jumps = [p.neuron.jump_delay_steps(network.dt) for p in network.spiking if p.neuron]
        return max([0, *delays, *jumps])

    def most_spikes(self, steps: int) -> NDArray[np.int64]:
        """Return (populations that fire,) the most spikes that each can have in so many steps.

        A refractory period separates two spikes of a neuron; units that pool spikes have none.
        """
        firing = [p for p in self.order if p.kind != "readout"]
        intervals = [
            int(np.min(p.neuron.refractory_steps(self.network.dt))) if p.neuron else 1
            for p in firing
        ]
        return np.array(
            [p.n * -(-steps // max(1, each)) for p, each in zip(firing, intervals)], np.int64
        )

    def initial_states(self) -> NDArray[Any]:
        """Return the state vector at the start: U as the populations say, all else 0."""
        x = np.zeros(self.n_elements, self.network.dtype)
        for population in self.order:
            if population.states:
                first = self.membrane(population.name)
                x[first : first + population.n] = population.initial
        return x


def _groups_of(network: Network) -> list[list[Population]]:
    """Return spiking populations, those that pool, then readouts, in groups of one shape."""
    groups: dict[tuple, list] = {}
    for population in network.firing + network.readouts:
        neuron: Any = population.neuron
        key = (
            population.kind,
            tuple(neuron.states),
            tuple(step_pattern(neuron)),
            neuron.reset is not None and isinstance(neuron.reset, str),
            bool(np.any(np.asarray(neuron.refractory_steps(network.dt)) > 1)),
            population.surrogate,
            tuple(neuron.reversal),
            tuple(magnesium_of(neuron).items()),
            neuron.nonlinear_drive,
            neuron.bounded,
            neuron.has_delta_synapses,
            bool(population.learn),
        )
        groups.setdefault(key, []).append(population)
    return list(groups.values())


def magnesium_of(neuron: Any) -> dict[str, tuple[float, float]]:
    """Return state -> (eta, gamma) of the conductances that magnesium blocks."""
    return getattr(neuron, "magnesium", {})


def first_of(counts: Sequence[int] | NDArray) -> NDArray[np.int64]:
    """Return (counts + 1,) where each part of a vector begins, and the end of the last one."""
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

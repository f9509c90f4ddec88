"""A network as kernels of batches read it: `pack`, and where to find things in its arrays."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..kernels import arrays, room
from ..network import dale
from ..network.network import Network
from ..network.network_checks import check_complete
from ..network.plasticity import InhibitorySTDP
from ..network.population import Population
from ..network.projection import Projection
from .cell_tables import CellTables, pack_cells
from .layout import Layout
from .wire_tables import WireTables, pack_trial_wires


@dataclass(frozen=True, eq=False)
class Packed:
    """A network as arrays: populations, projections and weights.

    Parameters
    ----------
    layout
        Where neurons and states lie.
    cells, wires
        The tables of populations and projections.
    weight
        All weights in one vector: dense ones wire by wire, then those of sparse projections.
    tables
        What kernels read.
    """

    layout: Layout
    cells: CellTables
    wires: WireTables
    weight: NDArray
    tables: arrays.Tables

    @property
    def network(self) -> Network:
        """The description."""
        return self.layout.network

    @property
    def order(self) -> list[Population]:
        """Populations in kernel order: spiking ones, those that pool, then readouts."""
        return self.layout.order

    def neurons(self, name: str) -> slice:
        """Return where the neurons of a population lie among all."""
        return self.layout.neurons(name)

    def state(self, name: str, state: str) -> tuple[int, int]:
        """Return the first element and the size of a state in the state vector."""
        return self.layout.state(name, state)

    @property
    def n_spiking(self) -> int:
        """Number of spiking neurons, and of units that pool spikes."""
        return self.layout.n_firing

    @property
    def needs_states(self) -> bool:
        """Whether the adjoint reads the states at the end of every step.

        It does for learned time constants and jumps, and where U is not linear in the states.
        """
        cells = self.cells.cells
        return bool(np.any(cells["learns"] + cells["conducting"] + cells["nonlinear"]))

    @property
    def has_delta_synapses(self) -> bool:
        """Whether spikes arrive at U itself."""
        return bool(np.any(self.cells.cells["delta_first"] >= 0))

    @property
    def non_negative(self) -> list[slice]:
        """Slices of the weight vector that Dale's law keeps >= 0: whole wires."""
        return self.slices(p for p in self.network.projections if p.non_negative)

    def slices(self, projections: Iterable[Projection]) -> list[slice]:
        """Return the slices of the weight vector with these projections: whole wires, once."""
        found = (self.wires.places[p.name][0] for p in projections)
        return list({(place.start, place.stop): place for place in found}.values())

    def weight_matrix(self, name: str, vector: NDArray | None = None) -> NDArray:
        """Return a view of a projection's weights in a vector like `weight`.

        It is (pre, post), or has the shape of sparse ones in `network.weights`.
        """
        wire, columns = self.wires.places[name]
        rows = (self.weight if vector is None else vector)[wire]
        if columns is None:
            return rows.reshape(np.shape(self.network.weights[name]))
        return rows.reshape(self.network[self.network.projection(name).pre].n, -1)[:, columns]

    def kernel_weights(self) -> NDArray:
        """Return the vector of weights that kernels read."""
        filled = self.wires.filled
        return filled.weights(self.weight) if filled else self.weight

    def with_current_numbers(self) -> "Packed":
        """Return the same with time constants, jumps, thresholds and biases as they are now."""
        cells = pack_cells(self.layout, merged=True)
        return replace(self, cells=cells, tables=tables_of(self.layout, cells, self.wires))

    def with_scaled_sources(self, factors: dict[str, float]) -> "Packed":
        """Return the same, in which what leaves a population counts `factor` times."""
        wires = self.tables.wires.copy()
        for name, factor in factors.items():
            wires["jump"][wires["source"] == self.layout.sources[name]] *= factor
        return replace(self, tables=self.tables._replace(wires=wires))

    def with_silent(self, shares: dict[str, float]) -> "Packed":
        """Return the same, in which a share of a population is silent in each trial."""
        populations = self.tables.populations.copy()
        for name, share in shares.items():
            populations["silent"][self.layout.number[name]] = share
        return replace(self, tables=self.tables._replace(populations=populations))


def pack(network: Network) -> Packed:
    """Check a network and pack it into arrays.

    Raises
    ------
    ValueError
        If it lacks populations or weights, or has something that batches of trials do not take.
    """
    _check(network)
    layout = Layout(network)
    cells = pack_cells(layout, merged=True)
    wires = pack_trial_wires(layout, _aside(layout, cells))
    packed = Packed(
        layout=layout,
        cells=cells,
        wires=wires,
        weight=room.aligned(wires.n_weights, network.dtype),
        tables=tables_of(layout, cells, wires),
    )
    for projection in network.projections:
        packed.weight_matrix(projection.name)[...] = network.weights[projection.name]
    return packed


def _aside(layout, cells):
    """First element of U -> where the adjoints of what arrives there are set aside."""
    result = {}
    for name, number in layout.number.items():
        population = cells.populations[number]
        first = int(cells.cells["delta_first"][population["cell"]])
        if first >= 0:
            result[layout.membrane(name)] = first + int(population["offset"])
    return result


def tables_of(layout: Layout, cells: CellTables, wires: WireTables) -> arrays.Tables:
    """What kernels read."""
    return arrays.Tables(
        n_inputs=len(layout.network.inputs),
        cells=cells.cells,
        states=cells.states,
        terms=cells.terms,
        numbers=cells.numbers,
        populations=cells.populations,
        n_firing=sum(p.kind != "readout" for p in layout.order),
        jumps=cells.jumps,
        pools=cells.pools,
        member=cells.member,
        wires=wires.wires,
        columns=wires.columns,
        ring_width=wires.ring_width,
        split=wires.split,
        shorts=wires.shorts,
    )


def _check(network):
    """ValueError unless batches of trials take the network."""
    check_complete(network)
    learning = [p.name for p in network.projections if isinstance(p.plasticity, InhibitorySTDP)]
    if learning:
        raise ValueError(
            f"projections with inhibitory plasticity: {', '.join(learning)}. Their weights would "
            "differ from trial to trial, and a batch of trials has one set of weights; use "
            "simulate."
        )
    for projection in network.projections:
        dale.check_weights(
            projection.name, network.weights[projection.name], projection.non_negative
        )


def check_reset_is_differentiable(network: Network) -> None:
    """Raise a ValueError if spikes are drawn at random.

    How far U was from threshold at the reset is then not kept.
    """
    if noisy := [p.name for p in network.spiking if p.noise]:
        raise ValueError(
            f"populations with escape noise: {', '.join(noisy)}. There is no gradient through "
            "their reset; leave out differentiate_reset."
        )

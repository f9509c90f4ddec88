"""From populations to rows: cells, their states and terms, populations, jumps and pools."""

from collections.abc import Sequence
from dataclasses import astuple
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels import arrays
from ..network.network import Network
from ..network.population import Population
from ..network.step_matrix import linear_step, step_pattern
from .layout import Layout, magnesium_of
from .rows import Numbers, table


class CellTables(NamedTuple):
    """The tables of populations, by the names that they have in arrays.Tables.

    n_adjoints: elements of a vector of adjoints, those of the states and of what is set aside.
    """

    cells: NDArray
    states: NDArray
    terms: NDArray
    numbers: NDArray
    populations: NDArray
    jumps: NDArray
    pools: NDArray
    member: NDArray
    n_adjoints: int


def pack_cells(layout: Layout, merged: bool) -> CellTables:
    """Return the populations as rows, with time constants, thresholds and biases as they are now.

    Parameters
    ----------
    layout
        Layout of the network.
    merged
        Whether a group of populations is one cell (batches of trials), or each population.
    """
    return _Cells(layout, merged).tables()


def thresholds_of(network: Network, population: Population) -> Any:
    """Return the thresholds of a population as they are now: a number, or (n,)."""
    neuron: Any = population.neuron
    learned = network.parameters.get((population.name, "threshold"), 0.0)
    return np.asarray(neuron.threshold, float) + learned


def clamped_steps(network: Network, population: Population) -> NDArray[np.int64]:
    """Return the updates that a spike clamps: a number, or (n,)."""
    neuron: Any = population.neuron
    return np.maximum(np.asarray(neuron.refractory_steps(network.dt)) - 1, 0)


class _Cells:
    """The rows of a network, one group after the other."""

    def __init__(self, layout, merged):
        self.layout, self.network = layout, layout.network
        self.numbers = Numbers(layout.network.dtype)
        self.cells: list[dict] = []
        self.states: list[dict] = []
        self.terms: list[dict] = []
        self.cell_of: dict[str, tuple[int, int]] = {}  # its cell, and where it begins there
        self.aside = layout.n_elements
        for group in layout.groups:
            for members in [group] if merged else [[p] for p in group]:
                self._add(members)

    def tables(self):
        """All of them as arrays."""
        layout, row = self.layout, arrays
        populations = [self._population(p) for p in layout.order]
        jumps = [jump for p in self.network.spiking for jump in self._jumps(p)]
        pools, member = _pools(layout)
        return CellTables(
            cells=table(row.CELL, self.cells),
            states=table(row.STATE, self.states),
            terms=table(row.TERM, self.terms),
            populations=table(row.POPULATION, populations),
            jumps=table(row.JUMP, jumps),
            pools=table(row.POOL, pools),
            numbers=self.numbers.joined(),
            member=member,
            n_adjoints=self.aside,
        )

    def _add(self, members: Sequence[Population]) -> None:
        """Add a cell of these populations."""
        first, layout, offset = members[0], self.layout, 0
        for p in members:
            self.cell_of[p.name] = len(self.cells), offset
            offset += p.n
        neuron: Any = first.neuron
        cell: dict[str, Any] = {
            "n": offset,
            "neuron_first": layout.neurons(first.name).start,
            "spiking": first.kind == "spiking",
            "surrogate": 0,
            "cutoff": np.inf,
            "delta_first": -1,
        }
        if first.surrogate is not None:
            surrogate: Any = first.surrogate
            cell |= {
                "surrogate": surrogate._code,
                "steepness": surrogate.steepness,
                "cutoff": surrogate.support,
            }
        if first.states:
            cell |= self._of_membranes(members, neuron, offset)
        self.cells.append(cell)

    def _of_membranes(self, members, neuron, n):
        """What a cell has where its populations have states."""
        network, layout, first = self.network, self.layout, members[0]
        learns = any(name != "threshold" for p in members for name in p.learn)
        trains_threshold = any("threshold" in p.learn for p in members)
        clamped = [clamped_steps(network, p) for p in members]
        subtracts = isinstance(neuron.reset, str)
        delta = neuron.has_delta_synapses
        steps = [linear_step(p.neuron, network.dt, network.time_constants(p)) for p in members]
        cell = {
            "state_first": layout.membrane(first.name),
            "stride": layout.stride[first.name],
            "n_states": len(first.states),
            "row_first": len(self.states),
            "clamps": any(np.any(each > 0) for each in clamped),
            "subtracts": subtracts,
            "bounded": neuron.bounded,
            "conducting": bool(neuron.reversal),
            "nonlinear": neuron.nonlinear_drive is not None,
            "biased": any(p.bias for p in members),
            "learns": learns,
            "learns_threshold": trains_threshold,
            "holds": delta and any(np.any(each > 0) for each in clamped),
            "threshold": self._own(
                members, [thresholds_of(network, p) for p in members], trains_threshold
            ),
            "reset": self._own(members, [0.0 if subtracts else p.neuron.reset for p in members]),
            "clamped": self._own(members, clamped),
            "low": self._own(members, [p.neuron.low for p in members]),
            "high": self._own(members, [p.neuron.high for p in members]),
            "drive": self._own(members, [gain[..., 0] for _, gain, _ in steps], learns),
            "rate": self._own(members, [rate[..., 0] for *_, rate in steps], learns),
            "bias": self._own(
                members, [network.bias(p) for p in members], any(p.bias for p in members)
            ),
        }
        if delta:
            cell["delta_first"] = self.aside
            self.aside += n
        if neuron.nonlinear_drive is not None:
            square, constant, slope, onset = astuple(neuron.nonlinear_drive)
            cell |= {"square": square, "constant": constant, "slope": slope, "onset": onset}
        self._add_states(members, neuron, [matrix for matrix, *_ in steps], learns)
        return cell

    def _own(self, members, values, own=False):
        """The place of numbers of a cell, given by population."""
        n = sum(p.n for p in members)
        if len(members) == 1:
            return self.numbers.add(values[0], n, own)
        each = [np.broadcast_to(np.asarray(v, float), p.n) for v, p in zip(values, members)]
        return self.numbers.add(np.concatenate(each), n, own)

    def _add_states(self, members, neuron, matrices, learns):
        """The states of a cell, with the terms of their rows and columns of the step matrix."""
        pattern = step_pattern(neuron)
        places = {
            (row, column): self._own(members, [m[..., row, column] for m in matrices], learns)
            for row, column in pattern
        }
        for r, name in enumerate(neuron.states):
            eta, gamma = magnesium_of(neuron).get(name, (0.0, 0.0))
            inward = [(column, places[row, column]) for row, column in pattern if row == r]
            outward = [(row, places[row, column]) for row, column in pattern if column == r]
            first = len(self.terms)
            for other, place in inward + outward:
                self.terms.append({"other": other, "coefficient": place})
            reversal = [p.neuron.reversal.get(name, 0.0) for p in members]
            self.states.append(
                {
                    "first": first,
                    "last": first + len(inward),
                    "column_first": first + len(inward),
                    "column_last": len(self.terms),
                    "decays": r > 0 and [other for other, _ in inward] == [r],
                    "conductance": name in neuron.reversal,
                    "blocked": name in magnesium_of(neuron),
                    "eta": eta,
                    "gamma": gamma,
                    "reversal": self._own(members, reversal),
                }
            )

    def _population(self, p):
        """The row of a population."""
        cell, offset = self.cell_of[p.name]
        row = {
            "n": p.n,
            "neuron_first": self.layout.neurons(p.name).start,
            "cell": cell,
            "offset": offset,
            "u": self.layout.membrane(p.name),
            "escape": arrays.NO_ESCAPE,
        }
        if p.noise is not None:
            row |= {
                "escape": p.noise._code,
                "escape_steepness": p.noise.steepness,
                "escape_rate": p.noise.per_step(self.network.dt),
            }
        return row

    def _jumps(self, p):
        """What its spikes add to other states of its neurons."""
        own = "jump" in p.learn
        for state, size in self.network.spike_jumps(p).items():
            yield {
                "population": self.layout.number[p.name],
                "target": self.layout.state(p.name, state)[0],
                "delay": p.neuron.jump_delay_steps(self.network.dt),
                "amount": self.numbers.add(size, p.n, own) if own else self._each(size, p.n),
            }

    def _each(self, size, n):
        """The place of jumps: kernels look at single neurons, beyond a block, too."""
        return self.numbers.add(size, n)


def _pools(layout):
    """What pools, as it was added to the network: after what it pools; and the windows."""
    rows, member, at = [], [np.empty(0, np.int32)], 0
    for p in layout.network.pooling:
        windows = layout.neurons(p.source).start + p.pooling.windows
        rows.append(
            {
                "population": layout.number[p.name],
                "source": layout.number[p.source],
                "target": layout.neurons(p.name).start,
                "units": windows.shape[0],
                "width": windows.shape[1],
                "first": at,
            }
        )
        member.append(np.ravel(windows))
        at += windows.size
    return rows, np.concatenate(member).astype(np.int32)

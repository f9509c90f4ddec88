"""From populations to the tables that kernels of one large network read (stream_tables.Cells)."""

from dataclasses import astuple

import numpy as np
from numpy.typing import NDArray

from ..kernels.arrays import aligned
from ..kernels.stream_neurons import BLOCK
from ..network.step_matrix import step_matrix, step_pattern
from .stream_layout import StreamLayout, part_bounds
from .stream_tables import Cells


def pack_cells(layout: StreamLayout, threads: int) -> Cells:
    """Return the populations as arrays, with the time constants as they are now."""
    network, populations, dt = layout.network, layout.populations, layout.network.dt
    neurons, dtype = [p.neuron for p in populations], network.dtype
    matrices = _Matrices(layout)

    def each(value, kind):
        """A number of the neuron model, for every population."""
        return np.array([value(neuron) if neuron else 0 for neuron in neurons], kind)

    inputs = [p.name for p in network.inputs]
    numbers = [inputs.index(p.name) if p.kind == "input" else -1 for p in populations]
    drives = [astuple(n.nonlinear_drive) if n and n.nonlinear_drive else (0,) * 4 for n in neurons]
    return Cells(
        n=layout.n,
        padded=layout.room,
        neuron_first=layout.neuron_first[:-1],
        state_first=layout.state_first[:-1],
        row_first=np.concatenate([[0], np.cumsum(layout.n_rows)]),
        term_first=np.concatenate([[0], np.cumsum(matrices.term_counts, dtype=np.int64)]),
        term_other=np.array(matrices.term_other, np.int64),
        term_at=matrices.terms.first,
        term_step=matrices.terms.step,
        coefficient=matrices.numbers.joined(),
        drive_at=matrices.drives.first,
        drive_step=matrices.drives.step,
        threshold=each(lambda x: x.threshold, dtype),
        reset=each(lambda x: 0 if x.reset == "subtract" else x.reset, dtype),
        subtracts=each(lambda x: x.reset == "subtract", bool),
        clamped_steps=each(lambda x: max(0, x.refractory_steps(dt) - 1), np.int64),
        spiking=np.array([p.kind == "spiking" for p in populations]),
        input_number=np.array(numbers, np.int64),
        jumps=each(lambda x: bool(x.spike_jumps), bool),
        jump_delay=each(lambda x: x.jump_delay_steps(dt), np.int64),
        jump_at=matrices.jumps.first,
        jump_step=matrices.jumps.step,
        bounded=each(lambda x: x.bounded, bool),
        low=each(lambda x: x.low, dtype),
        high=each(lambda x: x.high, dtype),
        reversal=np.array(matrices.reversal, dtype),
        conducting=each(lambda x: bool(x.reversal), bool),
        rate_at=matrices.rates.first,
        rate_step=matrices.rates.step,
        nonlinear=each(lambda x: x.nonlinear_drive is not None, bool),
        nonlinear_drive=np.array(drives, dtype),
        bounds=part_bounds(layout, threads),
    )


class _Numbers:
    """Numbers for every neuron of a population, or BLOCK equal ones."""

    def __init__(self, dtype):
        self.parts, self.size, self.known, self.dtype = [], 0, {}, dtype

    def add(self, value, room):
        """(first element, step): step 1 if there is one for each neuron, 0 if one serves all."""
        value = np.asarray(value, float)
        if value.ndim == 0:
            if float(value) not in self.known:
                self.known[float(value)] = self._append(np.full(BLOCK, value))
            return self.known[float(value)], 0
        return self._append(np.concatenate([value, np.zeros(room - value.size)])), 1

    def _append(self, array):
        """The first element of an array behind all others."""
        self.parts.append(array)
        self.size += array.size
        return self.size - array.size

    def joined(self) -> NDArray:
        """All numbers, at least BLOCK of them."""
        result = aligned(max(self.size, BLOCK), self.dtype)
        result[: self.size] = np.concatenate(self.parts) if self.parts else 0
        return result


class _At:
    """Where in `_Numbers` things lie: first elements and steps."""

    def __init__(self):
        self.places = []

    def append(self, place):
        """Add a (first element, step)."""
        self.places.append(place)

    @property
    def first(self):
        """First elements."""
        return np.array([first for first, _ in self.places], np.int64)

    @property
    def step(self):
        """Steps from neuron to neuron."""
        return np.array([step for _, step in self.places], np.int64)


class _Matrices:
    """Step matrices, gains, rates, jumps and reversal potentials of all populations."""

    def __init__(self, layout):
        self.numbers = _Numbers(layout.network.dtype)
        self.terms, self.drives, self.rates, self.jumps = _At(), _At(), _At(), _At()
        self.term_counts, self.term_other, self.reversal = [], [], []
        for population, room in zip(layout.populations, layout.room):
            if population.neuron is None:
                self.drives.append((0, 0))
                self.rates.append((0, 0))
            else:
                self._add(layout.network, population, int(room))

    def _add(self, network, population, room):
        """Add a population of neurons."""
        neuron, taus = population.neuron, network.time_constants(population)
        matrix, drive = step_matrix(neuron, network.dt, taus)
        for row in range(len(neuron.states)):
            columns = [c for r, c in step_pattern(neuron) if r == row]
            self.term_counts.append(len(columns))
            for column in columns:
                self.term_other.append(column)
                self.terms.append(self.numbers.add(matrix[..., row, column], room))
        self.drives.append(self.numbers.add(drive[..., 0], room))
        tau_mem = np.asarray(taus[next(iter(neuron.states.values()))])
        self.rates.append(self.numbers.add(network.dt / tau_mem, room))
        own = network.spike_jumps(population)
        for state in neuron.states:
            self.jumps.append(self.numbers.add(own.get(state, 0.0), room))
        self.reversal += [neuron.reversal.get(state, np.nan) for state in neuron.states]

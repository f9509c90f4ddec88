"""Perturbations of one large network: its slices of time end where neurons are held or let go."""

from typing import Any

import numpy as np

from .background import Current
from .cell_tables import clamped_steps
from .layout import Layout
from .perturbed import Schedule, held_cells


def stimuli(schedule: Schedule, layout: Layout, first: int) -> list[Current]:
    """Return the currents of stimuli as background, for a run that begins at step `first`."""
    names = dict.fromkeys(pulse.population for pulse in schedule.pulses)
    return [
        _sum_of_pulses(schedule, layout.network[name], layout.network.dt, first) for name in names
    ]


def _sum_of_pulses(schedule, population, dt, first):
    """All stimuli of a population as one current, one number for all neurons where it can be."""
    pulses = [pulse for pulse in schedule.pulses if pulse.population == population.name]
    ends = [first + edge for pulse in pulses for edge in (pulse.first, pulse.last)]
    edges = np.unique([0, *ends])
    values = np.zeros((edges.size, population.n))
    for pulse in pulses:
        begin, end = np.searchsorted(edges, [first + pulse.first, first + pulse.last])
        values[begin:end, pulse.neurons] += pulse.values
    if np.all(values == values[:, :1]):
        values = values[:, 0]
    return Current(population.name, (edges * dt, values))


class Holds:
    """The neurons of one run whose U is held, and until when.

    Parameters
    ----------
    schedule
        The perturbations.
    parts
        The network as kernels read it: layout and tables.
    standpoint
        The memory of the run, and where what lies.
    first
        Its first step.

    Attributes
    ----------
    tables
        Tables such that kernels look at the clocks of populations that can be held.
    """

    def __init__(self, schedule: Schedule, parts: Any, standpoint: Any, first: int):
        self.schedule, self.layout, self.first = schedule, parts.layout, first
        self.memory, self.places = standpoint.memory, standpoint.places
        self.tables = parts.tables
        self._clamped = {
            name: clamped_steps(self.layout.network, self.layout.network[name])
            for name in schedule.held
        }
        if schedule.held:
            places = [self.layout.number[name] for name in schedule.held]
            self.tables = self.tables._replace(cells=held_cells(self.tables, places))

    def take(self, step: int) -> int:
        """Take hold of the neurons whose turn it is at a step; returns the next such step."""
        for hold in self.schedule.starting(step - self.first):
            u, neuron = self._places(hold)
            self.memory.x[u] = self.memory.held[neuron] = hold.values
            until = hold.last - hold.first + 1
            self.memory.clock[neuron] = np.maximum(self.memory.clock[neuron], until)
        later = [edge for edge in self.schedule.edges if edge > step - self.first]
        return self.first + later[0]

    def let_go(self) -> None:
        """At the end of the run, let go of all neurons that are held, as an own spike would not."""
        for hold in self.schedule.holds:
            _, neuron = self._places(hold)
            clock = self.memory.clock[neuron]
            most = np.broadcast_to(
                self._clamped[hold.population], self.layout.network[hold.population].n
            )[hold.neurons]
            own = np.where(most == 0, 0, 1)
            self.memory.clock[neuron] = np.where(clock > most + own, own, clock)

    def _places(self, hold):
        """Where U and clocks of the neurons are."""
        u = self.layout.membrane(hold.population) + hold.neurons
        neuron = self.layout.neurons(hold.population).start + hold.neurons
        return self.places.element[u], self.places.neuron[neuron]

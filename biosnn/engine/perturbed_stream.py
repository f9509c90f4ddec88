"""Perturbations of one large network: its slices of time end where neurons are held or let go."""

import numpy as np

from .background import Current
from .perturbed import Schedule, looked_at
from .stream_layout import StreamLayout
from .stream_tables import Cells, Memory


def stimuli(schedule: Schedule, layout: StreamLayout, first: int) -> list[Current]:
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
    layout, cells, memory
        Those of the run.
    first
        Its first step.
    """

    def __init__(
        self,
        schedule: Schedule,
        layout: StreamLayout,
        cells: Cells,
        memory: Memory,
        first: int,
    ):
        self.schedule, self.layout, self.memory, self.first = schedule, layout, memory, first
        self.clamped_steps = cells.clamped_steps

    def holding(self, cells: Cells) -> Cells:
        """Return the populations such that kernels look at the clocks of those that can be held."""
        if not self.schedule.held:
            return cells
        places = [self.layout.number[name] for name in self.schedule.held]
        return cells._replace(clamped_steps=looked_at(cells.clamped_steps, places))

    def take(self, step: int) -> int:
        """Take hold of the neurons whose turn it is at a step; returns the next such step."""
        for hold in self.schedule.starting(step - self.first):
            p, u, neuron = self._places(hold)
            self.memory.x[u] = self.memory.held[neuron] = hold.values
            until = hold.last - hold.first + 1
            self.memory.clock[neuron] = np.maximum(self.memory.clock[neuron], until)
        later = [edge for edge in self.schedule.edges if edge > step - self.first]
        return self.first + later[0]

    def let_go(self) -> None:
        """At the end of the run, let go of all neurons that are held, as an own spike would not."""
        for hold in self.schedule.holds:
            p, u, neuron = self._places(hold)
            clock, most = self.memory.clock[neuron], int(self.clamped_steps[p])
            if most == 0:
                self.memory.x[u] = np.where(clock > 0, self.memory.held[neuron], self.memory.x[u])
                self.memory.clock[neuron] = 0
            else:
                self.memory.clock[neuron] = np.where(clock > most + 1, 1, clock)

    def _places(self, hold):
        """Its population, and where U and clocks of the neurons are."""
        p = self.layout.number[hold.population]
        return (
            p,
            self.layout.state_first[p] + hold.neurons,
            self.layout.neuron_first[p] + hold.neurons,
        )

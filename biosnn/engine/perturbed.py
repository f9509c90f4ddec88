"""Perturbations (network/perturb.py) on the time grid of a run: holds, pulses, silent inputs.

A neuron that is silent or clamped is held as a refractory one is: its clock is set to the length of
the window, and the kernels keep its U. They look at clocks only of cells whose spikes clamp;
`held_cells` makes them look at others.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels import arrays
from ..network.network import Network
from ..network.perturb import Clamp, Lesion, Stimulate, checked, derived
from ..network.perturb_neurons import ForAWhile, OfNeurons, Perturbation, per_neuron
from ..support import timegrid
from ..support.show import milliseconds
from .events import without_events
from .state import State


def held_cells(tables: arrays.Tables, populations: Iterable[int]) -> NDArray:
    """Return the cells such that kernels look at the clocks of some populations."""
    cells = tables.cells.copy()
    for p in populations:
        cell = tables.populations["cell"][p]
        cells["clamps"][cell] = 1
        cells["holds"][cell] = cells["delta_first"][cell] >= 0
    return cells


class Hold(NamedTuple):
    """Neurons of a population in the steps first .. last - 1, with a value each.

    The value is that of a U that is held, or a current; of inputs it has no meaning.
    """

    population: str
    neurons: NDArray[np.int64]
    values: NDArray[np.float64]
    first: int
    last: int


@dataclass(frozen=True)
class Perturbed:
    """A network with its perturbations, before it is known how long it runs.

    Parameters
    ----------
    given
        The network that the user has.
    network
        The same with other weights and synapses, which runs.
    perturbations
        All of them.
    """

    given: Network
    network: Network
    perturbations: tuple[Perturbation, ...]

    def started_from(self, state: Any) -> Any:
        """Return a state of the network that was given as one of the network that runs."""
        if self.network is self.given or not isinstance(state, State):
            return state
        if state.fingerprint == self.given.fingerprint():
            return replace(state, whose=self.network.later_fingerprint())
        return state

    def schedule(self, steps: int) -> "Schedule":
        """Return what happens when, in a run of that many steps.

        Raises
        ------
        ValueError
            If a window does not fit into the run, or two of them hold the same neuron.
        """
        gone: list[Hold] = []
        for each in self.perturbations:
            if isinstance(each, Lesion):  # what is gone cannot go again
                gone.append(_without(self._hold(each, 0, steps), gone))
        holds: list[Hold] = []
        pulses: list[Hold] = []
        for each in self.perturbations:
            if isinstance(each, ForAWhile):
                kind = pulses if isinstance(each, Stimulate) else holds
                kind.append(self._hold(each, *self._window(each, steps)))
        holds = gone + [_without(hold, gone) for hold in holds]
        inputs = [hold for hold in holds if self.given[hold.population].kind == "input"]
        holds = [hold for hold in holds if self.given[hold.population].kind != "input"]
        self._check_apart(holds)
        return Schedule(
            steps=steps,
            holds=[hold for hold in holds if hold.neurons.size],
            inputs=[hold for hold in inputs if hold.neurons.size],
            pulses=[pulse for pulse in pulses if pulse.neurons.size],
        )

    def _hold(self, each: OfNeurons, first: int, last: int) -> Hold:
        """Neurons and values of a perturbation."""
        population, neurons = each.of(self.given)
        value: Any = 0.0
        if isinstance(each, Clamp):
            value = each.value
        elif isinstance(each, Stimulate):
            value = each.current
        elif population.neuron is not None and population.neuron.reset != "subtract":
            value = np.broadcast_to(population.neuron.reset, population.n)[neurons]
        what = f"{type(each).__name__}({population.name!r}): its value"
        return Hold(population.name, neurons, per_neuron(value, neurons.size, what), first, last)

    def _window(self, each: ForAWhile, steps: int) -> tuple[int, int]:
        """The steps in which a perturbation acts."""
        dt, what = self.given.dt, f"{type(each).__name__}({each.of(self.given)[0].name!r})"
        ends = [each.start] if each.stop is None else [each.start, each.stop]
        found = [timegrid.nearest_steps(time, dt) for time in ends]
        timegrid.warn_if_rounded(ends, found, dt, f"{what}: start and stop")
        first, last = found[0], steps if each.stop is None else found[1]
        if first >= steps or last > steps:
            raise ValueError(
                f"{what} lasts from {each.start:g} to "
                f"{'the end' if each.stop is None else f'{each.stop:g}'} s, but the run is "
                f"{steps * dt:g} s long: times count from its start, stop=None means its end."
                f"{timegrid.unit_hint(max(ends), steps * dt)}"
            )
        if first == last:
            raise ValueError(
                f"{what} lasts from {each.start:g} to {each.stop:g} s, which is less than a step "
                f"of {dt:g} s."
            )
        return first, last

    def _check_apart(self, holds: Sequence[Hold]) -> None:
        """ValueError if two windows hold the same neuron at the same time."""
        for k, one in enumerate(holds):
            for other in holds[:k]:
                if one.population != other.population:
                    continue
                if one.first < other.last and other.first < one.last:
                    both = np.intersect1d(one.neurons, other.neurons)
                    if both.size:
                        self._refuse_both(one, other, int(both[0]))

    def _refuse_both(self, one, other, neuron):
        """ValueError: which neuron is held twice, and when."""
        windows = " and from ".join(
            f"{milliseconds(hold.first * self.given.dt)} to "
            f"{milliseconds(hold.last * self.given.dt)}"
            for hold in (other, one)
        )
        raise ValueError(
            f"perturbations hold neuron {neuron} of {one.population!r} twice at the same time, "
            f"from {windows}: Silence and Clamp each say where U is. Let one end where the other "
            "begins."
        )


def _without(hold, gone):
    """A hold without the neurons that a lesion holds already."""
    lost = [each.neurons for each in gone if each.population == hold.population]
    stay = (
        ~np.isin(hold.neurons, np.concatenate(lost)) if lost else np.ones(hold.neurons.size, bool)
    )
    return hold._replace(neurons=hold.neurons[stay], values=hold.values[stay])


@dataclass(frozen=True)
class Schedule:
    """What perturbs a run of `steps` steps, and when.

    Parameters
    ----------
    steps
        Of the run.
    holds
        Neurons whose U is held.
    inputs
        Inputs that are silent.
    pulses
        Currents.
    """

    steps: int
    holds: Sequence[Hold] = ()
    inputs: Sequence[Hold] = ()
    pulses: Sequence[Hold] = ()

    @property
    def edges(self) -> list[int]:
        """The steps at which neurons are taken hold of or let go, with start and end of the run."""
        found = {edge for hold in self.holds for edge in (hold.first, hold.last)}
        return sorted({0, self.steps} | found)

    @property
    def held(self) -> set[str]:
        """Names of the populations of which neurons are held."""
        return {hold.population for hold in self.holds}

    def starting(self, step: int) -> list[Hold]:
        """Return the holds that begin at a step."""
        return [hold for hold in self.holds if hold.first == step]


def perturbed(network: Network, perturbations: Any) -> Perturbed:
    """Return a network with a user's list of perturbations.

    Raises
    ------
    ValueError
        If a perturbation does not fit the network.
    """
    given = checked(perturbations)
    for each in given:
        if isinstance(each, OfNeurons):
            each.of(network)  # looks at all that it names
    return Perturbed(network, derived(network, given), given)


def silenced(network: Network, events: arrays.Events, inputs: Sequence[Hold]) -> arrays.Events:
    """Return the events of the inputs of a network without those of units that are silent."""
    if not inputs:
        return events
    names = [p.name for p in network.inputs]
    gone = [(names.index(h.population), h.neurons, h.first, h.last) for h in inputs]
    return without_events(events, len(names), gone)

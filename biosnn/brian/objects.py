"""Brian2 objects of a network: `to_brian2`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..data.spike_trains import SpikeTrains
from ..engine.realization import Realization
from ..network.network import Network
from ..support.show import About, Shows
from . import pooling
from .description import describe, require_brian2, unit_of
from .identifiers import identifiers
from .synapses import initial_values, synapse_text, synapses_of
from .trial_input import (
    check_arguments,
    checked_trial,
    generator,
    injected,
    input_events,
    realized,
)


@dataclass(frozen=True, eq=False, repr=False)
class BrianNetwork(Shows):
    """Brian2 objects of a biosnn network.

    Parameters
    ----------
    network
        brian2.Network of all of them.
    populations
        Name to NeuronGroup, or to SpikeGeneratorGroup of an input.
    projections
        Name to Synapses.
    spikes
        Population name to SpikeMonitor.
    states
        State name to StateMonitor, at the end of each step; that of "E.U_star" is before threshold
        and reset.
    backgrounds
        SpikeGeneratorGroup of every PoissonInput, in their order; None if it has no events.
    duration
        Duration of the trial in seconds.

    Examples
    --------
    See `to_brian2`.
    """

    network: Any
    populations: dict[str, Any]
    projections: dict[str, Any]
    spikes: dict[str, Any]
    states: dict[str, Any]
    backgrounds: tuple
    duration: float

    def run(self, duration: float | None = None) -> None:
        """Simulate the trial, or its first `duration` seconds."""
        seconds = self.duration if duration is None else duration
        self.network.run(seconds * require_brian2().second)

    def _about(self) -> About:
        rows = [
            ("populations", ", ".join(self.populations) or "none"),
            ("projections", ", ".join(self.projections) or "none"),
            ("spikes of", ", ".join(self.spikes) or "none"),
            ("states", ", ".join(self.states) or "none"),
            ("duration", f"{self.duration:g} s"),
        ]
        return About("BrianNetwork", rows)


def to_brian2(
    network: Network,
    spikes: SpikeTrains | Mapping[str, SpikeTrains] | None = None,
    *,
    record: Iterable[str] = (),
    currents: Mapping[str, ArrayLike] | None = None,
    duration: float | None = None,
    background: Sequence = (),
    initial: Mapping[str, ArrayLike] | None = None,
    seed: int = 0,
) -> BrianNetwork:
    """Return Brian2 objects for a network and one trial of input.

    Parameters
    ----------
    network
        A network with weights.
    spikes
        Spike trains of one trial, or a dict of input name -> spike trains. Default: a network
        without inputs; give `duration`.
    record
        States to monitor at the end of each step, such as "E.U"; "E.U_star" is U before threshold
        and reset.
    currents
        Population name to an array that broadcasts to (step, neuron), which is added to the
        right-hand side of tau_mem dU/dt.
    duration
        Duration of the trial in seconds, for a network without inputs.
    background, initial, seed
        As for `biosnn.simulate`, with the same random numbers in double precision. Every
        PoissonInput becomes a SpikeGeneratorGroup with a unit for each number of events that a
        neuron has in a step, Current and OrnsteinUhlenbeck become a TimedArray. (A generator and an
        array hold 8 bytes for each neuron and step: this is for small networks.)

    Returns
    -------
    The objects, and a brian2.Network of all of them. Brian2's preferences are left alone; the
    identity of every spike needs `prefs.codegen.target = "numpy"`, or compiler flags without
    -ffast-math.

    Raises
    ------
    ImportError
        Without Brian2.
    ValueError
        If there is something that Brian2 cannot express; it is named.

    Examples
    --------
    >>> import numpy as np
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> E = net.population(10, bs.ei_lif(), sign="excitatory", name="E")
    >>> _ = net.connect(net.input(20), E, weights=np.full((20, 10), 0.3))
    >>> spikes = bs.data.poisson(20.0, 20, 0.1, seed=1)
    >>> there = bs.brian.to_brian2(net, spikes)  # doctest: +SKIP
    >>> there.run()  # doctest: +SKIP
    >>> there.spikes["E"].num_spikes  # doctest: +SKIP
    27
    """
    brian2 = require_brian2()
    background = check_arguments(network, spikes, record, currents, background, initial)
    steps = checked_trial(network, spikes, duration)
    build = _Build(brian2, network, realized(network, steps, background, initial, seed))
    build.inputs(input_events(network, spikes))
    build.neurons(injected(network, currents, steps, build.given.currents))
    build.pools()
    build.synapses()
    spike_monitors = {
        p.name: brian2.SpikeMonitor(build.populations[p.name]) for p in network.firing
    }
    state_monitors = {name: build.state_monitor(name) for name in record}
    generators = build.generators()
    parts = [*build.everything, *spike_monitors.values(), *state_monitors.values()]
    return BrianNetwork(
        network=brian2.Network(*parts),
        populations=build.populations,
        projections=build.projections,
        spikes=spike_monitors,
        states=state_monitors,
        backgrounds=generators,
        duration=steps * network.dt,
    )


@dataclass
class _Build:
    """The objects of a network while they are made."""

    brian2: Any
    network: Network
    given: Realization
    populations: dict[str, Any] = field(default_factory=dict)
    projections: dict[str, Any] = field(default_factory=dict)
    others: list = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dt = self.network.dt * self.brian2.second
        self.clock = self.brian2.Clock(self.dt)
        self.names = identifiers(self.network, self.given.arrivals)

    @property
    def everything(self):
        """All objects but the monitors."""
        return [*self.populations.values(), *self.projections.values(), *self.others]

    def inputs(self, events):
        """Generators of the input spikes, name -> (units, steps)."""
        for population in self.network.inputs:
            units, at = events[population.name]
            name = self.names["population", population.name]
            self.populations[population.name] = self.brian2.SpikeGeneratorGroup(
                population.n, units, at * self.dt, clock=self.clock, name=name
            )

    def neurons(self, currents):
        """Groups of spiking neurons and readouts, with their initial states and currents."""
        for population in self.network.spiking + self.network.readouts:
            name = self.names["population", population.name]
            current = currents.get(population.name)
            part = describe(self.network, population, name, current is not None)
            group = self.populations[population.name] = self._group(part, current)
            for state in population.states:
                if (start := self.given.initial.get(f"{population.name}.{state}")) is not None:
                    setattr(group, state, start)
            if part.hold:
                group.U_held = group.U[:]
            if part.jumps:
                self._jumps(part, group, self.names["jumps", population.name])

    def pools(self):
        """Groups of units that pool spikes."""
        for p in self.network.pooling:
            source = self.populations[p.source]
            group, windows = pooling.objects(
                self.brian2, self.network, p, source, self.clock, self.names
            )
            self.populations[p.name] = group
            self.others.append(windows)

    def synapses(self):
        """Synapses of all projections."""
        for projection in self.network.projections:
            j, i, weight, delay = synapses_of(self.network, projection)
            if weight.size:  # a sparse rule may have drawn none; Brian2 refuses empty synapses
                self.projections[projection.name] = self._synapses(projection, j, i, weight, delay)

    def generators(self):
        """Generator of every PoissonInput, or None where it has no events."""
        return tuple(
            self._background(each, self.names["arrivals", k], self.names["onto", k])
            for k, each in enumerate(self.given.arrivals)
        )

    def state_monitor(self, name):
        """Monitor of a state at the end of each step, or of U before threshold and reset."""
        population, _, state = str(name).partition(".")
        states = self.network[population].states
        if state not in states and not (states and state == "U_star"):
            known = self.network[population].known_states("U_star")
            raise ValueError(f"there is no state {name!r}; {population} has {known}.")
        before = state == "U_star"
        return self.brian2.StateMonitor(
            self.populations[population],
            "U" if before else state,
            record=True,
            clock=self.clock,
            when="before_thresholds" if before else "end",
        )

    def _group(self, part, current):
        """The NeuronGroup of a description; current: (step, neuron), (1, neuron) or None."""
        second = self.brian2.second
        period = part.refractory if isinstance(part.refractory, str) else part.refractory * second
        refractory = {"refractory": period} if part.refractory else {}
        group = self.brian2.NeuronGroup(
            part.n,
            part.model,
            name=part.name,
            clock=self.clock,
            namespace={name: value * second for name, value in part.constants.items()},
            **part.options,
            **refractory,
        )
        group.U = part.initial
        for name, value in part.parameters.items():
            setattr(group, name, value * second if unit_of(name) else value)
        for order, statement in ((1, part.hold), (2, part.bounds)):
            if statement:
                group.run_regularly(statement, clock=self.clock, when="groups", order=order)
        if current is not None and len(current) == 1:
            group.J = current[0]
        elif current is not None:
            group.namespace["J_over_time"] = self.brian2.TimedArray(
                np.array(current), dt=self.clock.dt, name=f"current_{part.name}"
            )
            group.run_regularly("J = J_over_time(t, i)", clock=self.clock, when="start")
        return group

    def _jumps(self, part, group, name):
        """Synapses of every neuron onto itself: what a spike adds to its own states, later."""
        delay = part.jump_delay * self.clock.dt
        synapses = self.brian2.Synapses(
            group, group, on_pre=part.jumps, delay=delay, name=name, clock=self.clock
        )
        synapses.connect(j="i")
        self.others.append(synapses)

    def _synapses(self, projection, j, i, weight, delay):
        """The Synapses of one projection."""
        text, second = synapse_text(self.network, projection), self.brian2.second
        options = {"delay": delay * self.dt} if np.ndim(delay) == 0 else {}
        options |= {"on_post": text.on_post} if text.on_post else {}
        synapses = self.brian2.Synapses(
            self.populations[projection.pre],
            self.populations[projection.post],
            text.model,
            on_pre=text.on_pre,
            namespace={
                key: value * second if key.startswith("tau") else value
                for key, value in text.values.items()
            },
            name=self.names["projection", projection.name],
            clock=self.clock,
            **options,
        )
        synapses.connect(i=j, j=i)
        synapses.w = weight
        for variable, value in initial_values(projection).items():
            setattr(synapses, variable, value)
        if np.ndim(delay):
            synapses.delay = np.asarray(delay, np.int64) * self.dt
        return synapses

    def _background(self, arrivals, name, onto):
        """SpikeGeneratorGroup of one PoissonInput, or None; its Synapses go to `others`."""
        units, steps, neurons, weights = generator(arrivals)
        if not units.size:
            return None
        group = self.brian2.SpikeGeneratorGroup(
            neurons.size, units, steps * self.dt, clock=self.clock, name=name
        )
        synapses = self.brian2.Synapses(
            group,
            self.populations[arrivals.population],
            "w : 1",
            on_pre=f"{arrivals.state}_post += w",
            name=onto,
            clock=self.clock,
        )
        synapses.connect(i=np.arange(neurons.size), j=neurons)
        synapses.w = weights
        self.others += [group, synapses]
        return group


def recorded(monitor: Any, name: str) -> np.ndarray:
    """Return what a state monitor of that name holds: (step, neuron)."""
    state = name.partition(".")[2]
    return np.asarray(getattr(monitor, "U" if state == "U_star" else state)).T

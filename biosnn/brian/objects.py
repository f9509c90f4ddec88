"""Brian2 objects of a network."""

from dataclasses import dataclass

import numpy as np

from . import pooling
from .description import (
    check_arguments,
    checked_trial,
    current_values,
    describe,
    driven_by,
    generator,
    identifiers,
    input_events,
    on_pre,
    realized,
    require_brian2,
    synapses_of,
)
from .plasticity import initial_values, synapse_text


@dataclass(frozen=True, eq=False)
class BrianNetwork:
    """Brian2 objects of a biosnn network.

    network       brian2.Network of all of them
    populations   name -> NeuronGroup, or SpikeGeneratorGroup for inputs
    projections   name -> Synapses
    backgrounds   of every PoissonInput, in their order: its SpikeGeneratorGroup, or None where it has no events
    spikes        population -> SpikeMonitor
    states        "E.U" -> StateMonitor, at the end of each step ("E.U_star": before threshold and reset)
    duration      seconds of the trial
    """

    network: object
    populations: dict
    projections: dict
    spikes: dict
    states: dict
    backgrounds: tuple
    duration: float

    def run(self, duration=None):
        """Simulate the trial, or its first `duration` seconds."""
        self.network.run(
            (self.duration if duration is None else duration) * require_brian2().second
        )


def to_brian2(
    network,
    spikes=None,
    *,
    record=(),
    currents=None,
    duration=None,
    background=(),
    initial=None,
    seed=0,
):
    """Brian2 objects for `network` and one trial of input. Returns a BrianNetwork.

    spikes     SpikeTrains of one trial, or a dict of input name -> such; None for a network without inputs (give `duration`, s)
    record     states to monitor, such as ["E.U", "readout.U"], at the end of each step; "E.U_star" is U before threshold and reset
    currents   population -> array that broadcasts to (step, neuron), added to the right-hand side of tau_mem dU/dt
    background, initial, seed   as for `simulate`, whose random numbers they have (in double precision): every PoissonInput becomes a
               SpikeGeneratorGroup with a unit for each number of events that a neuron has in a step, Current and OrnsteinUhlenbeck a
               TimedArray (a generator and an array hold 8 bytes for each neuron and step: this is for small networks)

    ValueError for what Brian2 cannot express: names it. Brian2's preferences are left alone; the identity of every spike
    needs prefs.codegen.target = "numpy", or compiler flags without -ffast-math.
    """
    b2, background = (
        require_brian2(),
        check_arguments(network, spikes, record, currents, background, initial),
    )
    clock, dt = b2.Clock(network.dt * b2.second), network.dt * b2.second
    steps = checked_trial(network, spikes, duration)
    given = realized(network, steps, background, initial, seed)
    names = identifiers(network, given.arrivals)
    events, populations, projections, jumps, windows = input_events(network, spikes), {}, {}, {}, {}
    values = driven_by(network, current_values(network, currents, steps), given.currents)
    for population in network.inputs:
        units, at = events[population.name]
        populations[population.name] = b2.SpikeGeneratorGroup(
            population.n, units, at * dt, clock=clock, name=names["population", population.name]
        )
    for population in network.spiking + network.readouts:
        part = describe(
            network, population, names["population", population.name], population.name in values
        )
        group = populations[population.name] = _group(b2, part, clock, values.get(population.name))
        for state in population.states:
            if (start := given.initial.get(f"{population.name}.{state}")) is not None:
                setattr(group, state, start)
        if part.hold:
            group.U_held = group.U[:]
        if part.jumps:
            jumps[population.name] = _jumps(b2, part, group, clock, names["jumps", population.name])
    for p in network.pooling:
        populations[p.name], windows[p.name] = pooling.objects(
            b2, network, p, populations[p.source], clock, names
        )
    for projection in network.projections:
        j, i, weight, delay = synapses_of(network, projection)
        if not weight.size:
            continue  # a sparse rule may have drawn nothing; Brian2 refuses empty synapses
        shared = {"delay": delay * dt} if np.ndim(delay) == 0 else {}
        model, before, after, numbers = synapse_text(projection, on_pre(network, projection))
        shared |= {"on_post": after} if after else {}
        synapses = b2.Synapses(
            populations[projection.pre],
            populations[projection.post],
            model,
            on_pre=before,
            namespace={
                key: v * b2.second if key.startswith("tau") else v for key, v in numbers.items()
            },
            name=names["projection", projection.name],
            clock=clock,
            **shared,
        )
        synapses.connect(i=j, j=i)
        synapses.w = weight
        for variable, value in initial_values(projection).items():
            setattr(synapses, variable, value)
        if np.ndim(delay):
            synapses.delay = np.asarray(delay, np.int64) * dt
        projections[projection.name] = synapses
    monitors = {p.name: b2.SpikeMonitor(populations[p.name]) for p in network.firing}
    states = {name: _state_monitor(b2, network, populations, name, clock) for name in record}
    sources = [
        _background(b2, each, populations, clock, dt, names["arrivals", k], names["onto", k])
        for k, each in enumerate(given.arrivals)
    ]
    whole = b2.Network(
        *populations.values(),
        *projections.values(),
        *jumps.values(),
        *windows.values(),
        *monitors.values(),
        *states.values(),
        *[each for pair in sources for each in pair],
    )
    generators = tuple(pair[0] if pair else None for pair in sources)
    return BrianNetwork(
        whole, populations, projections, monitors, states, generators, steps * network.dt
    )


def _background(b2, arrivals, populations, clock, dt, name, onto):
    """(SpikeGeneratorGroup, Synapses) of one PoissonInput; nothing where it has no events."""
    units, steps, neurons, weights = generator(arrivals)
    if not units.size:
        return ()
    group = b2.SpikeGeneratorGroup(neurons.size, units, steps * dt, clock=clock, name=name)
    synapses = b2.Synapses(
        group,
        populations[arrivals.population],
        "w : 1",
        on_pre=f"{arrivals.state}_post += w",
        name=onto,
        clock=clock,
    )
    synapses.connect(i=np.arange(neurons.size), j=neurons)
    synapses.w = weights
    return group, synapses


def _group(b2, part, clock, current):
    refractory = {"refractory": part.refractory * b2.second} if part.refractory else {}
    group = b2.NeuronGroup(
        part.n,
        part.model,
        name=part.name,
        clock=clock,
        **part.options,
        **refractory,
        namespace={name: value * b2.second for name, value in part.constants.items()},
    )
    group.U = part.initial
    for name, value in part.parameters.items():
        setattr(group, name, value * b2.second if name.startswith("tau_") else value)
    if part.hold:
        group.run_regularly(part.hold, clock=clock, when="groups", order=1)
    if part.bounds:
        group.run_regularly(part.bounds, clock=clock, when="groups", order=2)
    if current is not None and len(current) == 1:
        group.J = current[0]
    elif current is not None:
        group.namespace["J_over_time"] = b2.TimedArray(
            np.array(current), dt=clock.dt, name=f"current_{part.name}"
        )
        group.run_regularly("J = J_over_time(t, i)", clock=clock, when="start")
    return group


def _jumps(b2, part, group, clock, name):
    """Synapses of every neuron onto itself, which carry what a spike adds to its own states after a delay."""
    synapses = b2.Synapses(
        group, group, on_pre=part.jumps, delay=part.jump_delay * clock.dt, name=name, clock=clock
    )
    synapses.connect(j="i")
    return synapses


def _state_monitor(b2, network, populations, name, clock):
    population, _, state = str(name).partition(".")
    if state not in (states := network[population].states) and not (states and state == "U_star"):
        raise ValueError(
            f"there is no state {name!r}; {population} has {network[population].known_states('U_star')}."
        )
    before = state == "U_star"
    return b2.StateMonitor(
        populations[population],
        "U" if before else state,
        record=True,
        clock=clock,
        when="before_thresholds" if before else "end",
    )


def recorded(monitor, name):
    """What a state monitor of that name holds: (step, neuron)."""
    state = name.partition(".")[2]
    return np.asarray(getattr(monitor, "U" if state == "U_star" else state)).T

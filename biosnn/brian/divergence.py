"""The first spike that only one program has, and the membranes of both there."""

from __future__ import annotations

import copy
from typing import NamedTuple

import numpy as np

from ..engine.run import run
from ..network.network import Network
from .objects import recorded
from .report import Divergence
from .trial_input import current_values, realized
from .trials import Trial, learns, our_trace


class FirstDifference(NamedTuple):
    """Where programs part. The least of several is the first one."""

    step: int
    trial: int
    population: int  # its place among those that spike
    neuron: int
    only_in: str


def explained(
    network: Network, other: Network, trials: list[Trial], first: FirstDifference
) -> Divergence:
    """Run both programs once more, up to the step where they part, for the membranes there."""
    population, trial = network.spiking[first.population], trials[first.trial]
    name = f"{population.name}.U_star"
    mine = _membrane(network, population, trial, first)
    reference = trial.in_brian2(other, [name])
    reference.run((first.step + 1) * network.dt)
    theirs = recorded(reference.states[name], name)[first.step, first.neuron]
    return Divergence(
        trial=first.trial,
        step=first.step,
        population=population.name,
        neuron=first.neuron,
        ours=float(mine),
        theirs=float(theirs),
        threshold=float(_of(network.thresholds(population), first.neuron)),
        only_in=first.only_in,
    )


def _membrane(network, population, trial, first):
    """U of a neuron of biosnn in a step, before threshold and reset."""
    name = f"{population.name}.U_star"
    if not learns(network):
        return our_trace(network, trial, [name]).states[name][0, first.step, first.neuron]
    # `simulate` records ends of steps: U* is one step of the neurons alone from the one before
    states = [f"{population.name}.{state}" for state in population.neuron.states]
    given = realized(network, first.step + 1, trial.background, trial.initial, trial.seed)
    before = {state: given.initial[state] for state in states if state in given.initial}
    trace = our_trace(network, trial, states)
    if first.step:
        before = {state: trace.states[state][0, first.step - 1] for state in states}
    current = _current(network, population, trial, given, first.step, trace.n_steps)
    alone = _alone(network, population)
    done = run(
        alone,
        duration=network.dt,
        initial=before,
        currents={population.name: current[None, None]},
        record=[name],
        threads=1,
    )
    return done.states[name][0, 0, first.neuron]


def _current(network, population, trial, given, step, n_steps):
    """(neuron,) the current in a step, without biases."""
    name = population.name
    values = current_values(network, trial.currents, n_steps)
    parts = [values.get(name, np.zeros((1, population.n))), given.currents.get(name, [0.0])]
    return sum(part[min(step, len(part) - 1)] for part in parts)


def _alone(network, population):
    """The network of one population, without synapses."""
    alone = copy.copy(network)
    alone._populations, alone._projections = {population.name: population}, {}
    alone.weights, alone.synapses = {}, {}
    own = {key: p for key, p in network.parameters.items() if key[0] == population.name}
    alone.parameters = own
    return alone


def _of(values, neuron):
    """The value of one neuron."""
    return values[neuron] if np.ndim(values) else values

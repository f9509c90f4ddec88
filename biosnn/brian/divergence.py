"""The first spike that only one program has, and the membranes of both there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..network.network import Network
from ..network.step_matrix import linear_step, nonlinear_step, step_matrix
from .objects import recorded
from .report import Divergence
from .trial_input import current_values, realized, with_more
from .trials import Trial, needs_simulate, our_trace


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
    if not needs_simulate(network, trial):
        name = f"{population.name}.U_star"
        return our_trace(network, trial, [name]).states[name][0, first.step, first.neuron]
    # `simulate` records ends of steps: without a spike U is still there; with one, it follows from
    # the step before
    names = [f"{population.name}.{state}" for state in population.neuron.states]
    trace = our_trace(network, trial, names, [first.neuron])
    values = np.array([trace.states[name][0, :, 0] for name in names])
    receptors = population.neuron.receptors.values()
    jumps = any(receptor.state == "U" for receptor in receptors)
    if first.only_in != "biosnn" and not jumps:
        return values[0, first.step]
    given = realized(network, first.step + 1, trial.background, trial.initial, trial.seed)
    if first.step:
        before = values[:, first.step - 1]
    else:
        before = _start(population, given.initial, first.neuron)
    current = _current(network, population, trial, given, first, trace.n_steps)
    return _one_step(network, population, before, current, first.neuron)


def _start(population, initial, neuron):
    """The states of a neuron at the start of a trial."""
    starts = [initial.get(f"{population.name}.{state}") for state in population.neuron.states]
    before = np.array([0.0 if start is None else start[neuron] for start in starts])
    if starts[0] is None:
        before[0] = _of(population.initial, neuron)
    return before


def _current(network, population, trial, given, first, n_steps):
    """The current of a neuron in a step."""
    values = {
        name: np.broadcast_to(value, (n_steps, value.shape[-1]))[: first.step + 1]
        for name, value in current_values(network, trial.currents, n_steps).items()
    }
    none = np.zeros((1, population.n))
    current = with_more(network, values, given.currents).get(population.name, none)
    return current[min(first.step, len(current) - 1), first.neuron]


def _one_step(network, population, before, current, neuron):
    """U of a neuron one step after the states `before`, before threshold and reset."""
    model = population.neuron
    taus = network.time_constants(population)
    if model.reversal:
        rate = np.broadcast_to(linear_step(model, network.dt, taus)[2][..., 0], population.n)
        u = _through_conductances(model, before, current, rate[neuron], neuron)
    else:
        matrix, drive = step_matrix(model, network.dt, taus)
        if matrix.ndim == 3:
            matrix, drive = matrix[neuron], drive[neuron]
        nonlinear = nonlinear_step(model, network.dt, before[0])
        nonlinear = np.broadcast_to(nonlinear, population.n)[neuron]
        u = matrix[0] @ before + drive[0] * current + nonlinear
    return np.clip(u, _of(model.low, neuron), _of(model.high, neuron))


def _of(values, neuron):
    """The value of one neuron."""
    return values[neuron] if np.ndim(values) else values


def _through_conductances(model, before, current, rate, neuron):
    """U relaxes to its stationary value at the conductances of the step before."""
    states = list(model.states)
    g = {state: before[states.index(state)] for state in model.reversal}
    for state, (eta, gamma) in model.magnesium.items():
        g[state] /= 1 + eta * np.exp(-gamma * before[0])
    total = 1 + sum(g.values())
    inflow = current + sum(g[s] * _of(potential, neuron) for s, potential in model.reversal.items())
    return inflow / total + (before[0] - inflow / total) * np.exp(-rate * total)

"""One population step by step with numpy, from its description alone: numbers per neuron, magnesium
block, nonlinear drive, plasticity by presynaptic spikes. Written for what `tests.naive` leaves out.
"""

import numpy as np

from tests import naive


def each(values, n):
    """A number or (n,) numbers as (n,) numbers."""
    return np.broadcast_to(np.asarray(values, float), n)


def linear(network, population):
    """(n, states, states) and (n, states): the linear step of every neuron."""
    taus = network.time_constants(population)
    pairs = [naive.step_matrix(population.neuron, network.dt, i, taus) for i in range(population.n)]
    return np.array([m for m, _ in pairs]), np.array([d for _, d in pairs])


def through_conductances(network, population, x, current):
    """U after a step in which conductances and blocks are those of its beginning."""
    neuron, n = population.neuron, population.n
    total, inflow = np.ones(n), np.array(current, float)
    for state, potential in neuron.reversal.items():
        g = x[:, list(neuron.states).index(state)]
        if state in neuron.magnesium:
            eta, gamma = neuron.magnesium[state]
            g = g / (1 + eta * np.exp(-gamma * x[:, 0]))
        total, inflow = total + g, inflow + g * each(potential, n)
    tau = each(network.time_constants(population)["mem"], n)
    return inflow / total + (x[:, 0] - inflow / total) * np.exp(-network.dt * total / tau)


def upstroke(network, population, u):
    """What a nonlinear drive adds to U in a step."""
    drive, tau = population.neuron.nonlinear_drive, network.time_constants(population)["mem"]
    value = drive.square * u**2 + drive.constant
    if drive.slope:
        value = value + drive.slope * np.exp((u - drive.onset) / drive.slope)
    return network.dt / each(tau, population.n) * value


def released(rule, spikes, dt):
    """(step, neuron) releases of presynaptic spikes."""
    x, u = np.ones(spikes.shape[1]), np.zeros(spikes.shape[1])
    out = np.zeros(spikes.shape)
    for n, now in enumerate(spikes):
        if n:
            x = 1 - (1 - x) * np.exp(-dt / rule.tau_rec)
            u = u * np.exp(-dt / rule.tau_facil) if rule.tau_facil else u * 0
        u = u + rule.utilization * (1 - u) * now
        out[n] = u * x * now
        x = x - out[n]
    return out


def run(network, population, inputs, current=0.0):
    """(spikes, U at the end of each step), (step, neuron) both; all input without delay.

    inputs: (step, unit) counts of the one input.
    """
    neuron, n = population.neuron, population.n
    names = list(neuron.states)
    matrix, drive = linear(network, population)
    x = np.zeros((n, len(names)))
    x[:, 0] = population.initial
    theta = each(network.thresholds(population), n)
    low, high = each(neuron.low, n), each(neuron.high, n)
    clamps = np.maximum(np.broadcast_to(neuron.refractory_steps(network.dt), n) - 1, 0)
    jumps = network.spike_jumps(population)
    clock = np.zeros(n, int)
    spikes, us = np.zeros((len(inputs), n)), np.zeros((len(inputs), n))
    for step in range(len(inputs)):
        old = x.copy()
        x = np.einsum("ipq,iq->ip", matrix, old) + drive * current
        if neuron.reversal:
            x[:, 0] = through_conductances(network, population, old, current)
        if neuron.nonlinear_drive:
            x[:, 0] += upstroke(network, population, old[:, 0])
        x[:, 0] = np.clip(x[:, 0], low, high)
        x[:, 0] = np.where(clock > 0, old[:, 0], x[:, 0])
        spikes[step] = (x[:, 0] > theta) & (clock == 0)
        clock = np.maximum(clock - 1, 0)
        for projection in network.projections:
            sent = inputs[step]
            if projection.plasticity:
                sent = released(projection.plasticity, inputs[: step + 1], network.dt)[-1]
            receptor = neuron.receptors[projection.receptor]
            j, i, w, _ = network.indices(projection)
            np.add.at(x[:, names.index(receptor.state)], i, receptor.jump * w * sent[j])
        spiked = spikes[step] > 0
        after = x[:, 0] - theta if neuron.subtracts else each(neuron.reset, n)
        x[:, 0] = np.where(spiked, after, x[:, 0])
        clock[spiked] = clamps[spiked]
        for state, jump in jumps.items():
            x[:, names.index(state)] += spikes[step] * jump
        us[step] = x[:, 0]
    return spikes, us

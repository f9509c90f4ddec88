"""Networks that are broken on purpose, a little: the ladder must notice. Each function returns a changed copy, or None if the
network has nothing of the kind to break."""

import copy
from dataclasses import replace

import numpy as np


def decay(network):
    """The time constants of the first spiking population, longer by a factor of 1 + 1e-6."""
    population = network.spiking[0]
    return _with_neuron(
        network,
        population,
        time_constants={
            name: tau * (1 + 1e-6) for name, tau in population.neuron.time_constants.items()
        },
    )


def delay(network):
    """The delay of the first projection, longer by one step; of all its synapses, if each has its own."""
    changed, first = _copied(network), network.projections[0]
    if first.name in network.synapses:
        synapses = network.synapses[first.name]
        changed.synapses = network.synapses | {
            first.name: replace(synapses, delay=synapses.delay + np.uint8(1))
        }
    if first.delay is None:
        return changed
    changed._projections[first.name] = replace(
        first, delay=(network.delay_steps(first) + 1) * network.dt
    )
    return changed


def sign(network):
    """The first projection inhibits where it excited, or the other way round."""
    changed, first = _copied(network), network.projections[0]
    if first.receptor == "syn":
        changed.weights[first.name] = -network.weights[first.name]
    else:
        changed._projections[first.name] = replace(
            first, receptor={"exc": "inh", "inh": "exc"}[first.receptor]
        )
    return changed


def refractory(network):
    """A population with a refractory period of at least two steps (fewer clamp nothing) loses one of them."""
    for population in network.spiking:
        steps = population.neuron.refractory_steps(network.dt)
        if steps > 1:
            return _with_neuron(network, population, refractory=(steps - 1) * network.dt)
    return None


BREAKS = {function.__name__: function for function in (decay, delay, sign, refractory)}


def _copied(network):
    changed = copy.copy(network)
    changed._populations, changed._projections, changed.weights = (
        dict(network._populations),
        dict(network._projections),
        dict(network.weights),
    )
    return changed


def _with_neuron(network, population, **changes):
    changed = _copied(network)
    changed._populations[population.name] = replace(
        population, neuron=replace(population.neuron, **changes)
    )
    return changed

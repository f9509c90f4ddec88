"""Networks that are broken on purpose, a little: the ladder must notice.

Each function returns a changed copy, or None if the network has nothing of the kind to break.
"""

from dataclasses import replace
from typing import Any

import numpy as np

import biosnn as bs

from .internals import changed


def decay(network: bs.Network) -> bs.Network | None:
    """Time constants of the first spiking population, longer by a factor of 1 + 1e-6."""
    population: Any = network.spiking[0]
    longer = {name: tau * (1 + 1e-6) for name, tau in population.neuron.time_constants.items()}
    neuron = replace(population.neuron, time_constants=longer)
    return changed(network, population=replace(population, neuron=neuron))


def delay(network: bs.Network) -> bs.Network | None:
    """The delay of the first projection, longer by a step; of all its synapses, if each has one."""
    first = network.projections[0]
    later = {}
    if first.name in network.synapses:
        synapses = network.synapses[first.name]
        later = {first.name: replace(synapses, delay=synapses.delay + np.uint8(1))}
    if first.delay is None:
        return changed(network, synapses=later)
    seconds = (network.delay_steps(first) + 1) * network.dt
    return changed(network, synapses=later, projection=replace(first, delay=seconds))


def sign(network: bs.Network) -> bs.Network | None:
    """The first projection inhibits where it excited, or the other way round."""
    first = network.projections[0]
    if first.receptor == "syn":
        return changed(network, weights={first.name: -network.weights[first.name]})
    other = {"exc": "inh", "inh": "exc"}[first.receptor]
    return changed(network, projection=replace(first, receptor=other))


def refractory(network: bs.Network) -> bs.Network | None:
    """A population with a refractory period of two steps or more loses one (one clamps nothing)."""
    for each in network.spiking:
        population: Any = each
        steps = population.neuron.refractory_steps(network.dt)
        if steps > 1:
            neuron = replace(population.neuron, refractory=(steps - 1) * network.dt)
            return changed(network, population=replace(population, neuron=neuron))
    return None


BREAKS = {function.__name__: function for function in (decay, delay, sign, refractory)}

"""The same network in steps of another length."""

from dataclasses import replace

import numpy as np

from ..support.checks import instance
from .network import Network
from .neuron import pooling_unit
from .synapses import compact_delays, delay_steps


def time_rescale(network, dt):
    """A copy of `network` in steps of dt (s): same neurons, time constants (learned ones as they are), delays in seconds and weights.

    With the integrator "exact" (also with "exponential_euler" and "euler" to the order of dt) a spike of a weight w has the same
    postsynaptic potential in steps of any length, so weights stay. What changes: delays and refractory periods are rounded to the new
    steps, with a RoundingWarning where `connect` and `population` would give one; spikes fall into other steps, so that their times and
    the rates change a little; SigmoidEscape noise, which is by the step.

    ValueError if a time constant is shorter than dt.
    """
    instance(network, "network", Network, "a Network")
    other = Network(dt, network.dtype)
    for population in network.populations:
        other._add(
            replace(population, neuron=pooling_unit(other.dt)) if population.pooling else population
        )
    other.parameters = {key: np.array(p) for key, p in network.parameters.items()}
    for population in other.populations:
        for name, tau in other.time_constants(population).items() if population.learn else ():
            if np.min(tau) < other.dt:
                raise ValueError(
                    f"population {population.name!r}: time constant {name!r} is {np.min(tau):g} s after training, below the time step "
                    f"dt = {other.dt:g} s, which is too coarse to resolve it. Use a smaller dt."
                )
    for projection in network.projections:
        name = projection.name
        if projection.delay is not None:
            projection = replace(projection, delay=other.on_grid(name, projection.delay))
        other._projections[name] = projection
        if name in network.synapses:
            synapses = network.synapses[name]
            if projection.delay is not None:
                steps = other.delay_steps(projection)
            else:
                steps = compact_delays(
                    delay_steps(
                        np.asarray(synapses.delay) * network.dt, other.dt, f"projection {name!r}"
                    )
                )
            other.synapses[name] = replace(synapses, delay=steps)
        if name in network.weights:
            other.set_weights(name, network.weights[name])
    return other

"""The same network in steps of another length."""

from dataclasses import replace

import numpy as np

from ..support.checks import instance
from ..support.units import Seconds
from .drawing import compact_delays, delay_steps
from .network import Network
from .neuron_models import pooling_unit


def time_rescale(network: Network, dt: Seconds) -> Network:
    """Return a copy of a network in steps of another length.

    Parameters
    ----------
    network
        Its neurons, time constants (learned ones as they are), delays in seconds and weights stay.
    dt
        The new time step in seconds.

    Returns
    -------
    The copy.

    Raises
    ------
    ValueError
        If a time constant is shorter than dt.

    Warns
    -----
    RoundingWarning
        Where `connect` and `population` would give one.

    Notes
    -----
    With the integrator "exact" (also with "exponential_euler" and "euler" to the order of dt) a
    spike of a weight w has the same postsynaptic potential in steps of any length, so weights stay.
    What changes: delays and refractory periods are rounded to the new steps; spikes fall into other
    steps, so that their times and the rates change a little; and SigmoidEscape noise, whose
    probability is per step.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> population = net.population(10, bs.lif(), name="A")
    >>> bs.time_rescale(net, 0.5e-3).dt
    0.0005
    """
    instance(network, "network", Network, "a Network")
    other = Network(dt, network.dtype)
    for population in network.populations:
        if population.pooling:
            population = replace(population, neuron=pooling_unit(other.dt))
        other.add(population)
    other.parameters = {key: np.array(p) for key, p in network.parameters.items()}
    _check_time_constants(other)
    for projection in network.projections:
        _add_projection(other, network, projection)
    return other


def _check_time_constants(network):
    """Raise a ValueError where the time step does not resolve a time constant that was learned."""
    for population in network.populations:
        if not population.learn:
            continue
        for name, tau in network.time_constants(population).items():
            if np.min(tau) < network.dt:
                raise ValueError(
                    f"population {population.name!r}: time constant {name!r} is {np.min(tau):g} s "
                    f"after training, below the time step dt = {network.dt:g} s, which is too "
                    "coarse to resolve it. Use a smaller dt."
                )


def _add_projection(other, network, projection):
    """Add a projection of `network` to `other`, with its synapses and weights."""
    name = projection.name
    if projection.delay is not None:
        projection = replace(projection, delay=other.on_grid(name, projection.delay))
    other._projections[name] = projection
    if name in network.synapses:
        synapses = network.synapses[name]
        if projection.delay is not None:
            steps = other.delay_steps(projection)
        else:
            delays = np.asarray(synapses.delay) * network.dt
            steps = compact_delays(delay_steps(delays, other.dt, f"projection {name!r}"))
        other.synapses[name] = replace(synapses.in_memory(), delay=steps)
    if name in network.weights:
        other.set_weights(name, network.weights[name])

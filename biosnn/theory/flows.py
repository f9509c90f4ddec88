"""The mean membrane with conductances, and the flow through each there; the magnesium block."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ..network.neuron import Neuron

_ITERATIONS = 1000


class Flow(NamedTuple):
    """f(U) = B(U) (E - U), the current through a unit conductance, at the mean membrane."""

    value: float
    leak: float  # -f'
    bend: float  # f''


def rest(
    neuron: Neuron, mean_g: Mapping[str, float], current: float
) -> tuple[float, dict[str, Flow]]:
    """Return the mean membrane, of several the lowest, and the flow of every conductance there."""
    mu = min([current, *neuron.reversal.values()]) if neuron.magnesium else 0.0
    for _ in range(_ITERATIONS if neuron.magnesium else 1):
        shares = {state: g * _block(neuron, state, mu) for state, g in mean_g.items()}
        inflow = current + sum(g * neuron.reversal[state] for state, g in shares.items())
        before, mu = mu, inflow / (1 + sum(shares.values()))
        if abs(mu - before) <= 1e-12 * abs(mu):
            break
    return mu, {state: _flow(neuron, state, mu) for state in mean_g}


def _block(neuron, state, u):
    """B(U), the share of a conductance that magnesium leaves open."""
    if state not in neuron.magnesium:
        return 1.0
    eta, gamma = neuron.magnesium[state]
    return 1 / (1 + eta * np.exp(-gamma * u))


def _flow(neuron, state, u):
    """The flow through a conductance at U, with B' = gamma B (1 - B)."""
    force, b = neuron.reversal[state] - u, _block(neuron, state, u)
    gamma = neuron.magnesium[state][1] if state in neuron.magnesium else 0.0
    slope = gamma * b * (1 - b)
    return Flow(b * force, b - slope * force, gamma * slope * (1 - 2 * b) * force - 2 * slope)

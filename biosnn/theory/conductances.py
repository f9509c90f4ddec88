"""Conductances of a free membrane: what a spike opens, and the current through it at the mean."""

from typing import Any, NamedTuple

import numpy as np

from ..network.neuron import Neuron

#: Steps towards the mean membrane of a neuron whose magnesium block depends on it, at most.
_ITERATIONS = 1000


def kernel(cell: Any, name: str) -> tuple[str, float, float, float]:
    """Return (state, its integral after a spike of weight 1, decay, rise or 0) of a conductance."""
    neuron = cell.neuron
    receptor = neuron.receptors[name]
    tau = tau_of(neuron, neuron.states[receptor.state])
    if receptor.state in neuron.reversal:
        return receptor.state, receptor.jump * tau, tau, 0.0
    driven = [
        (row, gain) for (row, column), gain in neuron.gains.items() if column == receptor.state
    ]
    if len(driven) != 1 or driven[0][0] not in neuron.reversal:
        raise ValueError(
            f"population {cell.name!r}: the theory knows conductances that a spike opens at once, "
            f"or through one state before them; receptor {name!r} of {neuron.model} is neither."
        )
    state, gain = driven[0]
    return state, receptor.jump * gain * tau, tau_of(neuron, neuron.states[state]), tau


def one_time_constant(decay: float, rise: float, tau: float) -> float:
    """Return that of a conductance without rise which gives U (tau) the same variance."""
    pairs = decay * rise + rise * tau + tau * decay
    return (decay + rise) * (rise + tau) * (tau + decay) / pairs - tau


class Flow(NamedTuple):
    """f(U) = B(U) (E - U), the current through a unit conductance, at the mean membrane."""

    value: float
    leak: float  # -f'
    bend: float  # f''


def rest(
    neuron: Neuron, mean_g: dict[str, float], current: float
) -> tuple[float, dict[str, "Flow"]]:
    """Return the mean membrane, of several the lowest, and the flow of every conductance there."""
    mu = min([current, *neuron.reversal.values()]) if neuron.magnesium else 0.0
    for _ in range(_ITERATIONS if neuron.magnesium else 1):
        shares = {state: g * _block(neuron, state, mu) for state, g in mean_g.items()}
        inflow = current + sum(g * neuron.reversal[state] for state, g in shares.items())
        before, mu = mu, inflow / (1 + sum(shares.values()))
        if abs(mu - before) <= 1e-12 * abs(mu):
            break
    return mu, {state: flow_at(neuron, state, mu) for state in mean_g}


def _block(neuron, state, u):
    """B(U), the share of a conductance that magnesium leaves open."""
    if state not in neuron.magnesium:
        return 1.0
    eta, gamma = neuron.magnesium[state]
    return 1 / (1 + eta * np.exp(-gamma * u))


def flow_at(neuron: Neuron, state: str, u: float) -> Flow:
    """Return the flow through a conductance at U, with B' = gamma B (1 - B)."""
    force, b = neuron.reversal[state] - u, _block(neuron, state, u)
    gamma = neuron.magnesium[state][1] if state in neuron.magnesium else 0.0
    slope = gamma * b * (1 - b)
    return Flow(b * force, b - slope * force, gamma * slope * (1 - 2 * b) * force - 2 * slope)


def tau_of(neuron: Neuron, name: str) -> float:
    """Return a time constant in seconds, the mean over neurons."""
    return float(np.mean(neuron.time_constants[name]))

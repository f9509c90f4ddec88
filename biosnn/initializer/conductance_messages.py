"""What the initializer says of targets that a membrane with conductances cannot have."""

from typing import Any

import numpy as np

from ..network.neuron import typical

#: Parts of the way from rest, or from where inhibition reverses, to threshold, at which a mean is
#: tried that could be proposed.
_PARTS = (0.6, 0.8, 0.4, 0.2)


def impossible_mean(equations: Any, mu: float) -> str:
    """Return what to say where no weights give the mean.

    Parameters
    ----------
    equations
        The ConductanceEquations of the population.
    mu
        The target.
    """
    neuron = typical(equations.cell.neuron)
    reversal = ", ".join(f"{value:g}" for value in dict.fromkeys(neuron.reversal.values()))
    return (
        f"population {equations.cell.name!r}: no weights give mu_U = {mu:g}: it must lie between "
        f"the reversal potentials {reversal}, and within what the background leaves."
        f"{_proposal(equations, mu)}{_unit(equations, mu)}"
    )


def impossible_deviation(equations: Any, mu: float, sigma: float, possible: np.ndarray) -> str:
    """Return what to say where weights give the mean, but not the standard deviation.

    Parameters
    ----------
    equations
        The ConductanceEquations of the population.
    mu, sigma
        The targets.
    possible
        Standard deviations that weights can give with this mean, or NaN.
    """
    name, low, high = equations.cell.name, np.nanmin(possible), np.nanmax(possible)
    neuron = typical(equations.cell.neuron)
    reverses = min(neuron.reversal.values())
    if high < 1e-6 * (neuron.threshold - mu) and np.isclose(mu, reverses, atol=1e-9):
        return (
            f"population {name!r}: no weights give sigma_U = {sigma:g} with mu_U = {mu:g}: "
            f"inhibition reverses at {reverses:g}, so it cannot bring a membrane back there that "
            "excitation lifts, and without excitation sigma_U is 0. Feasible: a larger mu_u, or "
            "inhibition that reverses below it."
            f"{_proposal(equations, mu)}{_unit(equations, mu)}"
        )
    proposal = _proposal(equations, mu) if sigma > high else ""
    return (
        f"population {name!r}: {low:.4g} <= sigma_U <= {high:.4g} fails at sigma_U = {sigma:g}: "
        f"no weights give it with mu_U = {mu:g} and this background. Feasible: a sigma_U in that "
        "range; fewer, slower inputs for a larger one; a background of smaller weights and higher "
        f"rate for a smaller one.{proposal}{_unit(equations, mu)}"
    )


def _proposal(equations, mu):
    """A mean with the standard deviations that are possible there, in a sentence, or nothing."""
    neuron = typical(equations.cell.neuron)
    begin = max(min(neuron.reversal.values()), 0.0)
    for part in _PARTS:
        better = begin + part * (neuron.threshold - begin)
        _, sigmas = equations.deviations(better)
        # larger ones than xi = 1 are beyond the small fluctuations of theory
        possible = sigmas[(sigmas > 0) & (sigmas <= neuron.threshold - better)]
        if possible.size > 1 and not np.isclose(better, mu):
            low, high = possible.min(), possible.max()
            return f" With mu_u={better:.4g}, sigma_u can be from {low:.2g} to {high:.2g}."
    return ""


def _unit(equations, mu):
    """The unit of the targets, and how far magnesium blocks there, in sentences."""
    neuron = typical(equations.cell.neuron)
    volts = f" ({1e3 * neuron.threshold:g} mV if that is volts)" if neuron.threshold < 0.1 else ""
    text = f" Targets are in the unit of U, whose threshold is {neuron.threshold:g}{volts}."
    arriving = {neuron.receptors[p.receptor].state for p in equations.projections}
    for state in sorted(arriving & set(neuron.magnesium)):
        (eta, gamma), potentials = neuron.magnesium[state], neuron.reversal.values()
        if min(potentials) <= mu <= max(potentials):
            share = 100 / (1 + eta * np.exp(-gamma * mu))
            text += f" At mu_U = {mu:g} magnesium leaves {share:.3g} % of {state} open."
    return text

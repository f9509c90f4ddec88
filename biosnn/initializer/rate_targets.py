"""A free membrane that has a target rate: which mean or standard deviation it needs, by theory."""

from typing import Any

import numpy as np

from ..theory.membrane import Cell
from ..theory.moments import Moments
from ..theory.rates import SHORT, colour_corrected_rate, density_rate
from .targets import Target

_NONE = 1e-30  # Hz that count as no rate, of which logarithms are taken
_STEP = 0.05  # of a derivative, in units of sigma or of log sigma


def first_guess(threshold: float, target: Target) -> tuple[float, float]:
    """Return (mu, sigma) with which the search begins: the mean 2 sigma below threshold."""
    mu, sigma = target.mu, target.sigma
    if mu is None:
        mu = threshold - 2 * sigma
    elif sigma is None:
        sigma = (threshold - mu) / 2
    return mu, sigma


def predicted_rate(
    neuron: Any, m: Moments, dt: float, factor: float, refresh: bool
) -> tuple[float, float]:
    """Rate (Hz) of a membrane, and its ratio to the colour-corrected formula.

    Parameters
    ----------
    neuron, m
        The neuron and the moments of its membrane.
    dt
        Time step in seconds.
    factor
        The last ratio, which holds for long synapses unless it is refreshed.
    refresh
        Whether to compute the density of membranes with long synapses again.
    """
    plain = colour_corrected_rate(neuron, m)
    if m.tau_syn <= SHORT * m.tau:
        return plain, 1.0
    if refresh and plain > 1e-4:
        factor = density_rate(neuron, m, dt) / plain
    return plain * factor, factor


def with_rate(cell: Cell, target: Target, m: Moments, factor: float) -> tuple[float, float]:
    """Return (mu, sigma) with the target rate, near the membrane m.

    Parameters
    ----------
    cell
        The population.
    target
        Its rate, and one of mu and sigma.
    m
        Its membrane, whose time constants hold.
    factor
        Ratio of its rate to the colour-corrected formula.

    Raises
    ------
    ValueError
        If no membrane near the threshold has this rate.
    """
    mu, sigma, rate = target.mu, target.sigma, target.rate
    theta, log_rate = cell.neuron.threshold, np.log(rate)

    def excess(x):
        at = m.moved(x, sigma) if mu is None else m.moved(mu, x)
        return np.log(max(factor * colour_corrected_rate(cell.neuron, at), _NONE)) - log_rate

    if mu is None:
        low, high = theta - 8 * sigma, theta + 8 * sigma
        what, other = "mu_U", f"sigma_U = {sigma:g}"
    else:
        low, high = 0.02 * abs(theta - mu), 20 * abs(theta - mu)
        what, other = "sigma_U", f"mu_U = {mu:g}"
    if excess(low) > 0 or excess(high) < 0:
        raise ValueError(
            f"population {cell.name!r}: no {what} from {low:.3g} to {high:.3g} gives {rate:g} Hz "
            f"with {other}; choose another rate, or a target that lies further below threshold."
        )
    from scipy.optimize import brentq  # here: `import biosnn` stays quick

    x = brentq(excess, low, high, xtol=1e-9 * abs(high - low))
    return (x, sigma) if mu is None else (mu, x)


def slope_of_rate(neuron: Any, target: Target, m: Moments) -> float:
    """Change of the log rate with mu, or with log sigma if mu is given, by theory.

    Parameters
    ----------
    neuron, m
        The neuron, and the moments of its membrane, at which the slope is taken.
    target
        Its rate, and one of mu and sigma.
    """
    if target.mu is None:
        ends = [m.moved(m.mu + s * _STEP * m.sigma, m.sigma) for s in (-1, 1)]
        width = 2 * _STEP * m.sigma
    else:
        ends = [m.moved(m.mu, m.sigma * np.exp(s * _STEP)) for s in (-1, 1)]
        width = 2 * _STEP
    low, high = (np.log(max(colour_corrected_rate(neuron, end), _NONE)) for end in ends)
    return max((high - low) / width, 1e-9)

"""Weights that give a membrane its mu_U and sigma_U with conductances.

Potentials do not add up: mu_U and sigma_U of given weights are those of theory/membrane.py, with
the effective time constant and the driving force that the weights themselves bring about.
Excitation e and inhibition f share their variances over projections as in equations.py; f follows
from e by the mean, and e is the smallest that has the variance.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..network.network import Network
from ..theory.membrane import Cell, membrane
from ..theory.moments import Moments
from .afferents import filled
from .conductance_messages import impossible_deviation, impossible_mean
from .equations import Afferent, unit_weights


class ConductanceEquations:
    """The equations of one population with conductances.

    Parameters
    ----------
    network
        The network.
    cell
        The population with its background.
    projections
        Those onto it that have synapses.
    afferents
        The same, as `afferent` describes them.
    rates
        Name to assumed hertz.
    families, shares
        Of the weights and of the variance, by projection.
    alpha
        Feed-forward share of the excitatory variance.
    """

    def __init__(
        self,
        network: Network,
        cell: Cell,
        projections: list,
        afferents: list[Afferent],
        rates: Mapping[str, float],
        families: Mapping[str, Any],
        shares: Mapping[str, float] | None,
        alpha: float = 0.5,
    ):
        self.network = network
        self.cell = cell
        self.projections = projections
        self.afferents = afferents
        self.rates = rates
        self.families = families
        excitatory, inhibitory = ([a for a in afferents if a.sign == sign] for sign in (+1, -1))
        silent = [a.name for a in afferents if not a.rate > 0]
        if not excitatory or not inhibitory or silent:
            which = f"; {', '.join(silent)} is silent." if silent else "."
            raise ValueError(
                f"population {cell.name!r} needs excitatory and inhibitory projections from "
                f"sources that fire{which}"
            )
        self.unit = unit_weights(excitatory, inhibitory, alpha, shares)

    def means(self, e: float, f: float) -> dict[str, float]:
        """Return projection to mean weight, for excitation e and inhibition f."""
        return {a.name: self.unit[a.name] * (e if a.sign > 0 else f) for a in self.afferents}

    def membrane(self, e: float, f: float) -> Moments:
        """Return the Moments of the membrane for excitation e and inhibition f."""
        means = self.means(e, f)
        cell = filled(self.network, self.cell, self.projections, means, self.families)
        return membrane(cell, self.rates)

    def inhibition(self, e: float, mu: float) -> float:
        """Return the f that brings the mean to mu, or NaN."""
        # no mean reaches where all would pull it; theory, of small fluctuations, does not know
        if e > 0 and not self.cell.current and mu <= min(0.0, *self.cell.neuron.reversal.values()):
            return np.nan
        if self.membrane(e, 0.0).mu < mu:
            return np.nan
        high = 1e-3
        while self.membrane(e, high).mu > mu:
            high *= 4
            if high > 1e4:
                return np.nan
        from scipy.optimize import brentq  # here: `import biosnn` stays quick

        return brentq(lambda f: self.membrane(e, f).mu - mu, 0.0, high, xtol=1e-10)

    def solve(self, mu: float, sigma: float) -> dict[str, float]:
        """Return projection to mean weight, so that the membrane has mu and sigma.

        ValueError if no weights do; the message says what is possible.
        """
        low, high = self._bracket(mu, sigma)
        from scipy.optimize import brentq  # here: `import biosnn` stays quick

        def excess(e):
            return self.membrane(e, self.inhibition(e, mu)).sigma - sigma

        e = brentq(excess, low, high, xtol=1e-9)
        means = self.means(e, self.inhibition(e, mu))
        return {name: float(mean) for name, mean in means.items()}

    def deviations(self, mu: float) -> tuple[np.ndarray, np.ndarray]:
        """Return excitations, and the sigma of each with the inhibition that gives mu, or NaN."""
        grid = np.concatenate([[0.0], np.geomspace(1e-4, 30, 60)])
        fs = [self.inhibition(e, mu) for e in grid]
        found = [
            self.membrane(e, f).sigma if np.isfinite(f) else np.nan
            for e, f in zip(grid, fs, strict=True)
        ]
        return grid, np.array(found)

    def _bracket(self, mu, sigma):
        """The smallest excitations between which the membrane has sigma."""
        grid, sigmas = self.deviations(mu)
        if not np.any(np.isfinite(sigmas)):
            raise ValueError(impossible_mean(self, mu))
        signs = np.sign(sigmas - sigma)
        crossing = np.flatnonzero(signs[:-1] * signs[1:] <= 0)
        if not crossing.size:
            raise ValueError(impossible_deviation(self, mu, sigma, sigmas))
        k = crossing[0]
        return grid[k], grid[k + 1]

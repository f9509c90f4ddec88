"""What the initializer is asked for: targets and families by population or projection, checked."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..network.network import Network
from ..network.neuron import typical
from ..support.checks import check_names, instance, real, shown
from ..support.checks import rate as checked_rate
from ..support.units import hertz


@dataclass(frozen=True)
class Target:
    """Free membrane or rate that a population is to have.

    Parameters
    ----------
    mu, sigma
        Mean and standard deviation of its free membrane, or None.
    rate
        Hertz, or None.
    alpha
        Feed-forward share of the (excitatory) variance.
    """

    mu: Any
    sigma: Any
    rate: Any = None
    alpha: float = np.nan


@dataclass(frozen=True)
class Wishes:
    """Targets as a user gave them: each a number for all populations, a dict by name, or None."""

    mu_u: Any = None
    sigma_u: Any = None
    xi: Any = None
    target_rate: Any = None
    alpha: Any = None

    def on_trials(self, network: Network, recurrent: Collection[str]) -> dict[str, Target]:
        """Return population to Target: mu_U is 0 and sigma_U 1 by default.

        recurrent: names of the recurrent projections.
        """
        if self.sigma_u is not None and self.xi is not None:
            raise ValueError("give sigma_u or xi, not both: xi = (threshold - mu_U) / sigma_U.")
        return {p.name: self._on_trials(p, recurrent) for p in network.spiking}

    def _on_trials(self, population, recurrent):
        name = population.name
        mu = number(self.mu_u, name, "mu_u")
        alpha = number(self.alpha, name, "alpha")
        sigma = number(self.sigma_u, name, "sigma_u")
        xi = number(self.xi, name, "xi")
        mu = 0.0 if mu is None else mu
        sigma = 1.0 if sigma is None else sigma
        if xi is not None:
            sigma = _sigma_of_xi(name, typical(population.neuron).threshold, mu, xi)
        if not 0 < sigma < 1e150:
            raise ValueError(
                f"population {name!r}: sigma_U is {sigma:g} and mu_U {mu:g}; the standard "
                "deviation of the membrane must be positive, with a finite square, and the mean "
                "below threshold."
            )
        if alpha is None or not (0 < alpha < 1 or (alpha == 1 and not recurrent)):
            raise ValueError(
                f"population {name!r}: alpha is {alpha!r}; the feed-forward share of the variance "
                "lies between 0 and 1. To have no recurrence leave out the projection."
            )
        return Target(mu=mu, sigma=sigma, alpha=alpha)

    def in_a_circuit(self, network: Network) -> dict[str, Target]:
        """Return population to Target: two of mu_U, sigma_U (or xi) and the rate are given."""
        return {p.name: self._in_a_circuit(p) for p in network.spiking}

    def _in_a_circuit(self, population):
        name = population.name
        mu = number(self.mu_u, name, "mu_u")
        sigma = number(self.sigma_u, name, "sigma_u")
        xi = number(self.xi, name, "xi")
        rate = entry(self.target_rate, name, "target_rate")
        rate = number(hertz(rate, "target_rate"), name, "target_rate")
        if xi is not None:
            if sigma is not None or mu is None:
                raise ValueError(
                    "xi = (threshold - mu_U) / sigma_U: give it with mu_u, and without sigma_u."
                )
            sigma = _sigma_of_xi(name, typical(population.neuron).threshold, mu, xi)
        if (mu is None) + (sigma is None) + (rate is None) != 1:
            raise ValueError(
                f"population {name!r}: give two of mu_u, sigma_u (or xi) and target_rate; the "
                "third follows from them."
            )
        if sigma is not None and not 0 < sigma < 1e150:
            raise ValueError(
                f"population {name!r}: sigma_U is {sigma:g}; the standard deviation of the "
                "membrane must be positive, and its square finite."
            )
        most = 1 / max(typical(population.neuron).refractory, 1e-3)
        if rate is not None and not 0 < rate < most:
            raise ValueError(
                f"population {name!r}: target_rate is {rate:g} Hz; it must be above 0 and below "
                f"{most:g} Hz (the refractory period, or 1 ms)."
            )
        return Target(mu=mu, sigma=sigma, rate=rate)


def entry(value: Any, name: str, what: str) -> Any:
    """Return a value that holds for all, or that of `name` in a dict."""
    if isinstance(value, dict):
        if name not in value:
            raise ValueError(
                f"{what} has no entry for {name!r}; it has {', '.join(map(str, value)) or 'none'}."
            )
        return value[name]
    return value


def number(value: Any, name: str, what: str) -> float | None:
    """Return a number that holds for all, or that of `name` in a dict, as a float; None stays."""
    value = entry(value, name, what)
    return None if value is None else real(value, f"population {name!r}: {what}")


def family_of(value: Any, projection: str) -> Any:
    """Return the family of the weights of a projection.

    Parameters
    ----------
    value
        A family for all projections, or a dict by name.
    projection
        Name of the projection.

    Raises
    ------
    ValueError
        For what is not a family.
    """
    family = entry(value, projection, "family")
    if isinstance(family, type) or not hasattr(family, "kappa"):
        raise ValueError(
            f"family of {projection!r} is {shown(family)}; it must be a family of non-negative "
            "weights such as Exponential() or LogNormal(0.5) of bs.families. Weights of either "
            "sign are normal without being asked."
        )
    return family


def check_shares(network: Network, shares: Any) -> None:
    """Raise ValueError unless shares is None or a dict by projections onto spiking populations."""
    instance({} if shares is None else shares, "shares", dict, "a dict of projection -> share")
    for name, share in (shares or {}).items():
        real(share, f"the share of {shown(name)}", 0)
    check_names(
        "shares",
        shares or {},
        [p.name for p in network.projections if network[p.post].kind == "spiking"],
        "the projections onto spiking populations ",
    )


def given_rates(rates: Any, names: Collection[str], what: str, kind: str = "") -> dict[str, float]:
    """Return name to hertz of the rates that a user gave: a number for all, a dict, or None.

    Parameters
    ----------
    rates
        What was given.
    names
        Names that may have a rate.
    what, kind
        What the rates and the names are, for messages.

    Raises
    ------
    ValueError
        For other names.
    """
    if not isinstance(rates, Mapping):
        rates = {} if rates is None else dict.fromkeys(names, rates)
    check_names(what, rates, names, kind)
    return {name: checked_rate(rate, f"the rate of {name!r}", None) for name, rate in rates.items()}


def _sigma_of_xi(name, threshold, mu, xi):
    """sigma_U = (threshold - mu_U) / xi."""
    if not xi > 0:
        raise ValueError(
            f"population {name!r}: xi is {xi:g}; it must be positive: "
            "sigma_U = (threshold - mu_U) / xi."
        )
    return (threshold - mu) / xi

"""Moments of a population, and the integrals of postsynaptic potentials from which they follow.

For independent Poisson inputs, projection p with N_p synapses of weight w and rate nu_p:

    mu_U = sum_p N_p nu_p eps_bar_p E[w_p]        sigma_U^2 = sum_p N_p nu_p eps_hat_p E[w_p^2]

(Rossbroich, Gygax & Zenke 2022, section 2.1), with the integrals of the postsynaptic potential k_p
of a unit weight

    eps_bar = dt sum_n k[n]                       eps_hat = dt sum_n k[n]^2

With conductances: theory/membrane.py.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..network.network import Network
from ..network.neuron import Neuron
from ..network.psp import arrival_state, psp
from ..network.step_matrix import gain_matrix, step_matrix
from ..support import checks, timegrid
from ..support.show import About, Shows
from ..support.tables import number
from .arguments import check_numbers, check_receptor

Values = float | NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, repr=False)
class Moments(Shows):
    """Moments of the free membrane (threshold off) and of the spikes of a population.

    NaN stands for what is not known. Potentials have the unit of the threshold.

    Parameters
    ----------
    mu, sigma
        Mean of the membrane, and its standard deviation over time.
    spread
        Standard deviation over neurons of their mean membrane, which random weights cause.
    rate
        Firing rate in hertz.
    cv
        Coefficient of variation of the interspike intervals.
    excitation, inhibition
        How far excitatory and inhibitory synapses move the mean membrane; both are positive.
    tau
        Effective time constant of the membrane in seconds.
    white
        Standard deviation of the membrane for synapses of the same charge without duration.
    tau_syn
        Effective time constant of the synapses in seconds.
    synchrony
        Golomb's chi of the spike trains.
    errors
        Standard errors of the quantities above, as far as they are known.

    Examples
    --------
    >>> import biosnn as bs
    >>> m = bs.theory.Moments(mu=0.4, sigma=0.3)
    >>> f"{m.xi(threshold=1.0):.1f}"
    '2.0'
    >>> m
    Moments
      mu     0.4
      sigma  0.3
    """

    mu: float = np.nan
    sigma: float = np.nan
    spread: float = np.nan
    rate: float = np.nan
    cv: float = np.nan
    excitation: float = np.nan
    inhibition: float = np.nan
    tau: float = np.nan
    white: float = np.nan
    tau_syn: float = np.nan
    synchrony: float = np.nan
    errors: Moments | None = None

    def __post_init__(self) -> None:
        numbers = {name: value for name, value in vars(self).items() if name != "errors"}
        check_numbers("Moments", **numbers)
        if self.errors is not None:
            checks.instance(self.errors, "Moments: errors", Moments, "Moments(…), or None")

    @property
    def known(self) -> bool:
        """Whether the mean of the membrane is known."""
        return bool(np.isfinite(self.mu))

    @property
    def ei_ratio(self) -> float:
        """Excitatory over inhibitory part of the mean membrane; NaN where neither is known."""
        if self.inhibition > 0:
            return self.excitation / self.inhibition
        return np.inf if self.excitation > 0 else np.nan

    def xi(self, threshold: float) -> float:
        """Distance to threshold in standard deviations, (threshold - mu) / sigma."""
        check_numbers("xi", threshold=threshold)
        distance = threshold - self.mu
        if self.sigma:
            return float(distance / self.sigma)
        return float(np.copysign(np.inf, distance)) if distance else np.nan

    def but(self, **changes: Any) -> Moments:
        """Return these moments with some of them replaced."""
        return replace(self, **changes)

    def moved(self, mu: float, sigma: float) -> Moments:
        """Return another mean and standard deviation, with the same time constants."""
        return replace(self, mu=mu, white=self.white * sigma / self.sigma, sigma=sigma)

    def rows(self) -> list[tuple[str, str]]:
        """Return what is known as pairs (name, number in words), with standard errors."""
        errors = {} if self.errors is None else self.errors.as_dict()
        return [
            (name, number(value) + (f" ± {number(errors[name], '.2g')}" if name in errors else ""))
            for name, value in self.as_dict().items()
            if name != "errors"
        ]

    def line(self) -> str:
        """Return what is known on one line."""
        return ", ".join(f"{name} {words}" for name, words in self.rows())

    def _about(self):
        return About("Moments", self.rows())

    def as_dict(self) -> dict[str, Any]:
        """Return what is known, for JSON."""
        known = {k: float(v) for k, v in vars(self).items() if k != "errors" and np.isfinite(v)}
        return known if self.errors is None else known | {"errors": self.errors.as_dict()}


def as_learned(network: Network) -> Network:
    """Return a view of a network whose neurons have what it learned: times, thresholds, jumps.

    The view shares weights and synapses with the network.
    """
    if not any(p.learn for p in network.populations):
        return network
    view = copy.copy(network)
    view._populations = {
        p.name: _learned(network, p) if p.learn else p for p in network.populations
    }
    return view


def _learned(network, population):
    """A population whose neuron has what was learned, and nothing to learn."""
    neuron = replace(
        population.neuron,
        time_constants=network.time_constants(population),
        threshold=network.thresholds(population),
        spike_jumps=network.spike_jumps(population),
    )
    return replace(population, learn={}, neuron=neuron)


def psp_integrals(
    neuron: Neuron, dt: float, receptor: str, *, duration: float | None = None
) -> tuple[Values, Values]:
    """Integrals of the postsynaptic potential of a unit weight, and of its square.

    Parameters
    ----------
    neuron
        The postsynaptic neuron. It must be linear in U.
    dt
        Time step in seconds.
    receptor
        Name of the receptor.
    duration
        Seconds that the sums cover (samples 0 to duration - dt). Default: the infinite sums.

    Returns
    -------
    eps_bar, eps_hat : float or (n,) array
        In seconds; one value, or one per neuron.

    Raises
    ------
    ValueError
        If the neuron is not linear in U.

    Notes
    -----
    eps_bar = dt sum_n k[n] and eps_hat = dt sum_n k[n]^2. With the step x <- M x the infinite sums
    are eps_bar = dt [(1 - M)^-1]_{U, r} and eps_hat = dt P_UU, where P = M P M^T + e_r e_r^T.

    References
    ----------
    Rossbroich, Gygax & Zenke (2022), Neuromorphic Computing and Engineering 2:044016, section 2.1.

    Examples
    --------
    >>> import biosnn as bs
    >>> neuron = bs.lif(tau_mem=20e-3, tau_syn=10e-3)
    >>> bar, hat = bs.theory.psp_integrals(neuron, 0.1e-3, "syn")
    >>> f"{bar * 1e3:.1f} ms, {hat * 1e3:.2f} ms"
    '10.0 ms, 1.67 ms'
    """
    check_receptor(neuron, receptor)
    dt = checks.time(dt, "dt", above=0)
    if duration is not None:
        duration = checks.time(duration, "duration", 0)
        kernel = psp(neuron, dt, receptor, timegrid.nearest_steps(duration, dt))
        return dt * kernel.sum(axis=0), dt * (kernel**2).sum(axis=0)
    matrix, _ = step_matrix(neuron, dt)
    size = matrix.shape[-1]
    arrival = arrival_state(neuron, receptor, matrix.shape[:-1])
    total = np.linalg.solve(np.eye(size) - matrix, arrival[..., None])[..., 0, 0]
    pairs = np.einsum("...ij,...kl->...ikjl", matrix, matrix).reshape(
        matrix.shape[:-2] + (size**2, size**2)
    )
    square = np.einsum("...i,...k->...ik", arrival, arrival).reshape(
        matrix.shape[:-2] + (size**2, 1)
    )
    return dt * total, dt * np.linalg.solve(np.eye(size**2) - pairs, square)[..., 0, 0]


def continuous_psp_integrals(neuron: Neuron, receptor: str) -> tuple[float, float]:
    """Integrals of the postsynaptic potential of a unit weight in continuous time.

    Parameters
    ----------
    neuron
        The postsynaptic neuron. Time constants that differ between neurons count with their mean.
    receptor
        Name of the receptor.

    Returns
    -------
    whole, square : float
        The integrals of k(t) and of k(t)^2, in seconds.

    Raises
    ------
    ValueError
        If the neuron is not linear in U.

    Examples
    --------
    >>> import biosnn as bs
    >>> whole, square = bs.theory.continuous_psp_integrals(bs.lif(), "syn")
    >>> f"{whole * 1e3:.3g} ms, {square * 1e3:.3g} ms"
    '10 ms, 1.67 ms'
    """
    check_receptor(neuron, receptor)
    a, arrival, covariance = _continuous(neuron, receptor)
    return float(-np.linalg.solve(a, arrival)[0]), float(covariance[0, 0])


def current_time_constant(neuron: Neuron, receptor_variance: Mapping[str, float]) -> float:
    """Time constant (s) of the one current that gives U and dU/dt the same variances.

    Parameters
    ----------
    neuron
        The postsynaptic neuron.
    receptor_variance
        Receptor to its share of sigma_U^2.

    Raises
    ------
    ValueError
        If no receptor has a variance.

    Notes
    -----
    For a current with time constant tau and a membrane with tau_m,
    Var[dU/dt] = sigma_U^2 / (tau_m tau). The variances of dU/dt of several receptors add.
    """
    total = sum(receptor_variance.values())
    if not total > 0:
        raise ValueError(
            f"no receptor of {neuron.model} gets a variance: a membrane without input has no time "
            "constant of its currents."
        )
    tau_mem = float(np.mean(neuron.time_constants["mem"]))
    slope = sum(
        variance * _slope_variance(neuron, receptor)
        for receptor, variance in receptor_variance.items()
    )
    return total / (tau_mem * slope)


def adaptation_gain(neuron: Neuron) -> float:
    """What its own spikes add to the mean of U through adaptation, per hertz of a neuron's rate.

    In seconds times the unit of U; 0 without adaptation.
    """
    return float(
        sum(
            neuron.gains.get(("U", state), 0.0)
            * np.mean(np.multiply(jump, neuron.time_constants[neuron.states[state]]))
            for state, jump in neuron.spike_jumps.items()
        )
    )


def _slope_variance(neuron, receptor):
    """Var[dU/dt] / Var[U] of a neuron that receives white noise at one receptor."""
    a, _, covariance = _continuous(neuron, receptor)
    return (a[0] @ covariance @ a[0]) / covariance[0, 0]


def _continuous(neuron, receptor):
    """A of dx/dt = A x, the state after a unit spike, the covariance under one such spike a second.

    The spikes arrive as white noise.
    """
    taus = {name: float(np.mean(value)) for name, value in neuron.time_constants.items()}
    tau = np.array([taus[name] for name in neuron.states.values()])
    a = (gain_matrix(neuron) - np.eye(len(tau))) / tau[:, None]
    arrival = arrival_state(neuron, receptor, (len(tau),))
    from scipy.linalg import solve_continuous_lyapunov  # here: `import biosnn` stays quick

    return a, arrival, solve_continuous_lyapunov(a, -np.outer(arrival, arrival))

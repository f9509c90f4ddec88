"""Weights that give a membrane its mean mu_U and deviation sigma_U, where potentials add up.

With conductances: conductances.py. Notation for one target population: each afferent projection has
N expected synapses at rate nu (Hz), PSP integrals eps_bar and eps_hat (s), and a spike count per
step whose variance is `fano` times that of a Poisson process. Mean and variance:

    mu_U      = sum_p s_p N_p nu_p eps_bar_p E[w_p]
    sigma_U^2 = sum_p N_p nu_p fano_p eps_hat_p E[w_p^2]
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

#: Representative neurons of a population for its predicted rate.
QUANTILES = 9
#: Projection -> (mean, standard deviation) of its weights.
Solved = dict[str, tuple[float, float]]


@dataclass(frozen=True, kw_only=True)
class Afferent:
    """One projection onto the target population.

    Parameters
    ----------
    name
        Its name.
    sign
        +1, -1, or 0 for weights of either sign.
    recurrent
        Whether its source can be reached from its target.
    n
        Expected synapses of a neuron.
    rate
        Hertz of the source.
    eps_bar, eps_hat
        Integrals of the PSP of a unit weight and of its square, in seconds.
    fano
        Variance of the spike count per step over that of a Poisson process.
    kappa
        E[w^2] / E[w]^2 of the family of weights.
    multiplicity
        Expected number of synapses that share the source and the target of a synapse.
    """

    name: str
    sign: int
    recurrent: bool
    n: float
    rate: float
    eps_bar: float
    eps_hat: float
    fano: float = 1.0
    kappa: float = 2.0
    multiplicity: float = 1.0

    @property
    def square(self) -> float:
        """Squared input of a connected pair per synapse, in units of E[w]^2.

        The synapses of a pair share their spikes, not their weights.
        """
        return self.kappa - 1 + self.multiplicity

    @property
    def mean_gain(self) -> float:
        """d mu_U / d E[w], without sign."""
        return self.n * self.rate * abs(self.eps_bar)

    @property
    def variance_gain(self) -> float:
        """d sigma_U^2 / d E[w^2]."""
        return self.n * self.rate * self.fano * self.eps_hat


def beside_background(
    solve: Callable[[Any, float], dict], name: str, target: Any, mu_0: float, v_0: float
) -> dict:
    """Return what `solve` gives for the moments that synapses must bring beside a background.

    Parameters
    ----------
    solve
        (mu, sigma) -> moments of weights.
    name
        Of the population, for messages.
    target
        (mu_U, sigma_U).
    mu_0, v_0
        Mean and variance of U from the background alone.

    Raises
    ------
    ValueError
        If the background is too strong, or `solve` finds nothing.
    """
    mu, sigma = target
    if v_0 >= sigma**2:
        raise ValueError(
            f"population {name!r}: sigma_U > {np.sqrt(v_0):.4g} fails at sigma_U = "
            f"{sigma:g}: the background alone has that standard deviation. Feasible: a larger "
            "sigma_U, or a background of smaller weights and higher rate."
        )
    try:
        return solve(mu - mu_0, np.sqrt(sigma**2 - v_0))
    except ValueError as error:
        raise ValueError(
            f"{error} (These are what the network must add: the background alone has mean "
            f"{mu_0:.4g} and standard deviation {np.sqrt(v_0):.4g}; the targets are mu_U = "
            f"{mu:g} and sigma_U = {sigma:g}.)"
        ) from None


def solve_normal(
    target: str,
    afferents: Sequence[Afferent],
    mu: float,
    sigma: float,
    alpha: float,
    shares: Mapping[str, float] | None = None,
) -> Solved:
    """Normal weights of either sign.

    Parameters
    ----------
    target
        Name of the population, for messages.
    afferents
        Its afferent projections.
    mu, sigma
        Mean and standard deviation that its membrane is to have.
    alpha
        Feed-forward share of the variance.
    shares
        Projection to share of the variance, in place of `alpha`.

    Returns
    -------
    Projection to (mean, standard deviation).

    Raises
    ------
    ValueError
        If no weights give this membrane; the message says which would be possible.

    Notes
    -----
    E[w] = mu_U / sum_p N_p nu_p eps_bar_p for all afferents, and
    sigma_w^2 = share_p sigma_U^2 / (N_p nu_p eps_hat_p) - E[w]^2, with the shares alpha over
    feed-forward and 1 - alpha over recurrent projections. (E[w]^2 times the multiplicity of the
    synapses.)

    Examples
    --------
    >>> x = Afferent(
    ...     name="x",
    ...     sign=0,
    ...     recurrent=False,
    ...     n=100,
    ...     rate=10.0,
    ...     eps_bar=10e-3,
    ...     eps_hat=2e-3,
    ... )
    >>> mean, deviation = solve_normal("E", [x], mu=0.5, sigma=0.4, alpha=0.9)["x"]
    >>> f"{mean:.2f} {deviation:.2f}"
    '0.05 0.28'
    """
    _check_active(target, afferents)
    mean = mu / sum(np.sign(a.eps_bar) * a.mean_gain for a in afferents)
    split = variance_shares(afferents, alpha, shares)
    weights = {}
    for a in afferents:
        square = split[a.name] * sigma**2 / a.variance_gain
        variance = square - a.multiplicity * mean**2
        if variance < 0:
            most = np.sqrt(square / a.multiplicity) * abs(mu / mean)
            raise ValueError(
                f"population {target!r}: no weights of projection {a.name!r} give mu_U = {mu:g} "
                f"with sigma_U = {sigma:g}: the mean weight {mean:.4g} alone exceeds the allowed "
                f"E[w^2] = {variance + a.multiplicity * mean**2:.4g}. Feasible: |mu_U| <= "
                f"{most:.4g}, a larger sigma_U, or more or faster inputs."
            )
        weights[a.name] = (mean, float(np.sqrt(variance)))
    return weights


def solve_dale(
    target: str,
    afferents: Sequence[Afferent],
    mu: float,
    sigma: float,
    alpha: float,
    shares: Mapping[str, float] | None = None,
) -> Solved:
    """Non-negative weights whose family fixes kappa = E[w^2] / E[w]^2.

    Parameters
    ----------
    target, afferents, mu, sigma, shares
        As for `solve_normal`.
    alpha
        Feed-forward share of the excitatory variance.

    Returns
    -------
    Projection to (mean, standard deviation).

    Raises
    ------
    ValueError
        If no weights give this membrane; the message says which inequality fails.

    Notes
    -----
    Let e and f be the standard deviations of U that excitation and inhibition cause,
    e^2 + f^2 = sigma_U^2. A projection with share s of its group's variance has
    E[w] = sqrt(s / (kappa N nu eps_hat)) times e (or f), kappa with what multiple synapses of a
    pair add (`Afferent.square`). So the mean is linear, mu_U = a e - h f with
    a, h = sum N nu eps_bar sqrt(s / (kappa N nu eps_hat)), and f = (a e - mu_U) / h leaves one
    quadratic:

        (1 + a^2/h^2) e^2 - 2 a mu_U/h^2 e + mu_U^2/h^2 - sigma_U^2 = 0
    """
    _check_active(target, afferents)
    excitatory, inhibitory = ([a for a in afferents if a.sign == sign] for sign in (+1, -1))
    unit = unit_weights(excitatory, inhibitory, alpha, shares)
    gain_e, gain_i = (
        sum(a.mean_gain * unit[a.name] for a in group) for group in (excitatory, inhibitory)
    )
    _check_feasible(target, mu, sigma, gain_e, gain_i)
    e, f = _parts(mu, sigma, gain_e, gain_i)
    means = {a.name: unit[a.name] * (e if a.sign > 0 else f) for a in afferents}
    return {
        a.name: (float(means[a.name]), float(means[a.name] * np.sqrt(a.kappa - 1)))
        for a in afferents
    }


def unit_weights(
    excitatory: Sequence[Afferent],
    inhibitory: Sequence[Afferent],
    alpha: float,
    shares: Mapping[str, float] | None,
) -> dict[str, float]:
    """Return projection to the mean weight for which its group causes the variance 1."""
    split = variance_shares(excitatory, alpha, shares)
    split |= variance_shares(inhibitory, alpha, shares, split=False)
    return {
        a.name: np.sqrt(split[a.name] / (a.square * a.variance_gain))
        for a in (*excitatory, *inhibitory)
    }


def _parts(mu, sigma, gain_e, gain_i):
    """(e, f) with mu = gain_e e - gain_i f and e^2 + f^2 = sigma^2."""
    if gain_i == 0:
        return sigma, 0.0
    if gain_e == 0:
        return 0.0, sigma
    a = 1 + gain_e**2 / gain_i**2
    b = -2 * gain_e * mu / gain_i**2
    c = mu**2 / gain_i**2 - sigma**2
    e = (-b + np.sqrt(b * b - 4 * a * c)) / (2 * a)
    return e, (gain_e * e - mu) / gain_i


def variance_shares(
    afferents: Sequence[Afferent],
    alpha: float,
    given: Mapping[str, float] | None = None,
    split: bool = True,
) -> dict[str, float]:
    """Return the share of each projection in the variance of its group.

    Parameters
    ----------
    afferents
        The projections of the group.
    alpha
        Share of the feed-forward projections; 1 - alpha is that of the recurrent ones. Within
        either part projections share equally.
    given
        Projection to share (> 0), in place of these; they are normalized.
    split
        False: equal shares for all (inhibition).
    """
    if given and any(a.name in given for a in afferents):
        missing = [a.name for a in afferents if not given.get(a.name, 0) > 0]
        if missing:
            raise ValueError(
                f"shares: projections {', '.join(missing)} have none; give a positive share to "
                "every projection of the group, or to none."
            )
        total = sum(given[a.name] for a in afferents)
        return {a.name: given[a.name] / total for a in afferents}
    recurrent = [a.name for a in afferents if a.recurrent and split]
    feedforward = [a.name for a in afferents if a.name not in recurrent]
    if not recurrent or not feedforward:
        return {a.name: 1 / len(afferents) for a in afferents}
    return {name: alpha / len(feedforward) for name in feedforward} | {
        name: (1 - alpha) / len(recurrent) for name in recurrent
    }


def _check_active(target, afferents):
    """ValueError unless all afferents have synapses and spikes."""
    if not afferents:
        raise ValueError(
            f"population {target!r} has no afferent projections, so no weights can set its "
            "membrane."
        )
    empty = [a.name for a in afferents if not a.n > 0]
    if empty:
        raise ValueError(
            f"population {target!r}: {', '.join(empty)} has no synapses (its in-degree is 0), and "
            "causes no fluctuations."
        )
    silent = [a.name for a in afferents if not a.variance_gain > 0]
    if silent:
        raise ValueError(
            f"population {target!r}: the rate assumed for the source of {', '.join(silent)} is "
            "0 Hz; an input that never spikes causes no fluctuations. Give assumed_rates={…}, or "
            "data in which it spikes."
        )


def _check_feasible(target, mu, sigma, gain_e, gain_i):
    """ValueError unless -h sigma <= mu_U <= a sigma.

    That is what mu_U = a e - h f with e^2 + f^2 = sigma^2 and e, f >= 0 needs.
    """
    low, high = -gain_i * sigma, gain_e * sigma
    failed = why = ""
    if gain_i == 0 and not np.isclose(mu, high):
        failed = f"it has no inhibitory afferent, so mu_U is {high:.4g} at this sigma_U."
        why = (
            "Connect an inhibitory population to balance the excitation, or ask for mu_U = "
            f"{high:.4g}."
        )
    elif gain_e == 0 and not np.isclose(mu, low):
        failed = f"it has no excitatory afferent, so mu_U is {low:.4g} at this sigma_U."
        why = "Connect an excitatory input."
    elif mu > high * (1 + 1e-9):
        failed = (
            f"mu_U <= {high:.4g} fails (with no inhibition at all, excitation of that variance "
            "gives this mean)."
        )
        why = (
            f"Feasible: a smaller mu_U, sigma_U >= {mu / gain_e:.4g}, or more or faster excitatory "
            "inputs."
        )
    elif mu < low * (1 + 1e-9):
        failed = (
            f"mu_U >= {low:.4g} fails (with no excitation at all, inhibition of that variance "
            "gives this mean)."
        )
        why = (
            f"Feasible: a larger mu_U, sigma_U >= {-mu / gain_i:.4g}, or more or faster inhibitory "
            "inputs."
        )
    if failed:
        raise ValueError(
            f"population {target!r}: no non-negative weights give mu_U = {mu:g} with sigma_U = "
            f"{sigma:g}: {failed} {why}"
        )

"""Weights that give a membrane its target mean and variance: the equations of the fluctuation-driven initializer.

Notation for one target population: each afferent projection has N expected synapses at rate nu (Hz), PSP integrals
eps_bar and eps_hat (s), and a spike count per step whose variance is `fano` times that of a Poisson process.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Afferent:
    """One projection onto the target population. sign: +1, -1, or 0 for weights of either sign."""

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
    def square(self):
        """Squared input of a connected pair per synapse, in units of E[w]^2: its synapses share their spikes, not their weights."""
        return self.kappa - 1 + self.multiplicity

    @property
    def mean_gain(self):
        """d mu_U / d E[w], without sign."""
        return self.n * self.rate * abs(self.eps_bar)

    @property
    def variance_gain(self):
        """d sigma_U^2 / d E[w^2]."""
        return self.n * self.rate * self.fano * self.eps_hat


def solve_normal(target, afferents, mu, sigma, alpha, shares=None):
    """Normal weights of either sign: name -> (mean, standard deviation).

    E[w] = mu_U / sum_p N_p nu_p eps_bar_p for all afferents, and sigma_w^2 = share_p sigma_U^2 / (N_p nu_p eps_hat_p) - E[w]^2
    with the shares alpha over feed-forward and 1 - alpha over recurrent projections. (E[w]^2 times the multiplicity of the synapses.)
    """
    _check_active(target, afferents)
    mean = mu / sum(np.sign(a.eps_bar) * a.mean_gain for a in afferents)
    shares, weights = variance_shares(afferents, alpha, shares), {}
    for a in afferents:
        variance = shares[a.name] * sigma**2 / a.variance_gain - a.multiplicity * mean**2
        if variance < 0:
            most = np.sqrt(shares[a.name] * sigma**2 / a.variance_gain / a.multiplicity) * abs(
                mu / mean
            )
            raise ValueError(
                f"population {target!r}: no weights of projection {a.name!r} give mu_U = {mu:g} with sigma_U = {sigma:g}: the mean "
                f"weight {mean:.4g} alone exceeds the allowed E[w^2] = {variance + a.multiplicity * mean**2:.4g}. Feasible: |mu_U| <= {most:.4g}"
                ", a larger sigma_U, or more or faster inputs."
            )
        weights[a.name] = (mean, float(np.sqrt(variance)))
    return weights


def solve_dale(target, afferents, mu, sigma, alpha, shares=None):
    """Means of non-negative weights whose family fixes kappa = E[w^2] / E[w]^2: name -> (mean, standard deviation).

    Let e and f be the standard deviations of U that excitation and inhibition cause, e^2 + f^2 = sigma_U^2. A projection with
    share s of its group's variance has E[w] = sqrt(s / (kappa N nu eps_hat)) times e (or f), so the mean is linear (kappa with what
    multiple synapses of a pair add, Afferent.square),
    mu_U = a e - h f with a, h = sum N nu eps_bar sqrt(s / (kappa N nu eps_hat)), and f = (a e - mu_U) / h leaves one quadratic:

        (1 + a^2/h^2) e^2 - 2 a mu_U/h^2 e + mu_U^2/h^2 - sigma_U^2 = 0

    alpha is the feed-forward share of the excitatory variance.
    """
    _check_active(target, afferents)
    excitatory, inhibitory = ([a for a in afferents if a.sign == sign] for sign in (+1, -1))
    shares = variance_shares(excitatory, alpha, shares) | variance_shares(
        inhibitory, alpha, shares, split=False
    )
    unit = {a.name: np.sqrt(shares[a.name] / (a.square * a.variance_gain)) for a in afferents}
    gain_e, gain_i = (
        sum(a.mean_gain * unit[a.name] for a in group) for group in (excitatory, inhibitory)
    )
    _check_feasible(target, mu, sigma, gain_e, gain_i)
    if gain_i == 0 or gain_e == 0:
        e, f = (sigma, 0.0) if gain_i == 0 else (0.0, sigma)
    else:
        a, b, c = (
            1 + gain_e**2 / gain_i**2,
            -2 * gain_e * mu / gain_i**2,
            mu**2 / gain_i**2 - sigma**2,
        )
        e = (-b + np.sqrt(b * b - 4 * a * c)) / (2 * a)
        f = (gain_e * e - mu) / gain_i
    means = {a.name: unit[a.name] * (e if a.sign > 0 else f) for a in afferents}
    return {
        a.name: (float(means[a.name]), float(means[a.name] * np.sqrt(a.kappa - 1)))
        for a in afferents
    }


def variance_shares(afferents, alpha, given=None, split=True):
    """Share of each projection in the variance of its group: alpha over the feed-forward and 1 - alpha over the recurrent.

    Within either part projections share equally. `given` (name -> share, > 0) overrides the shares; they are normalized.
    split=False: equal shares for all (inhibition).
    """
    if given and any(a.name in given for a in afferents):
        missing = [a.name for a in afferents if not given.get(a.name, 0) > 0]
        if missing:
            raise ValueError(
                f"shares: projections {', '.join(missing)} have none; give a positive share to every projection of "
                "the group, or to none."
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
    if not afferents:
        raise ValueError(
            f"population {target!r} has no afferent projections, so no weights can set its membrane."
        )
    empty = [a.name for a in afferents if not a.n > 0]
    if empty:
        raise ValueError(
            f"population {target!r}: {', '.join(empty)} has no synapses (its in-degree is 0), and causes no fluctuations."
        )
    silent = [a.name for a in afferents if not a.variance_gain > 0]
    if silent:
        raise ValueError(
            f"population {target!r}: the rate assumed for the source of {', '.join(silent)} is 0 Hz; an input that "
            "never spikes causes no fluctuations. Give rates={...}, or data in which it spikes."
        )


def _check_feasible(target, mu, sigma, gain_e, gain_i):
    """mu_U = a e - h f with e^2 + f^2 = sigma^2 and e, f >= 0 needs -h sigma <= mu_U <= a sigma."""
    low, high = -gain_i * sigma, gain_e * sigma
    what = f"population {target!r}: no non-negative weights give mu_U = {mu:g} with sigma_U = {sigma:g}: "
    if gain_i == 0 and not np.isclose(mu, high):
        raise ValueError(
            what
            + f"it has no inhibitory afferent, so mu_U is {high:.4g} at this sigma_U. Connect an inhibitory "
            f"population to balance the excitation, or ask for mu_U = {high:.4g}."
        )
    if gain_e == 0 and not np.isclose(mu, low):
        raise ValueError(
            what
            + f"it has no excitatory afferent, so mu_U is {low:.4g} at this sigma_U. Connect an excitatory input."
        )
    if mu > high * (1 + 1e-9):
        raise ValueError(
            what
            + f"mu_U <= {high:.4g} fails (with no inhibition at all, excitation of that variance gives this mean). "
            f"Feasible: a smaller mu_U, sigma_U >= {mu / gain_e:.4g}, or more or faster excitatory inputs."
        )
    if mu < low * (1 + 1e-9):
        raise ValueError(
            what
            + f"mu_U >= {low:.4g} fails (with no excitation at all, inhibition of that variance gives this mean). "
            f"Feasible: a larger mu_U, sigma_U >= {-mu / gain_i:.4g}, or more or faster inhibitory inputs."
        )

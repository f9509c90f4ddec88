"""What the initializer says of its arguments and where it cannot reach its target, and how well a sample of trials measures a membrane."""

import numpy as np

from ..support.checks import check_names, instance, real, shown

_FEW = 10  # inhibitory spikes that overlap in a membrane: below, it is no Gaussian, and theory's rates are not those of the circuit


def check_shares(network, shares):
    """ValueError if shares (a dict or None) has names other than those of projections onto spiking populations."""
    instance({} if shares is None else shares, "shares", dict, "a dict of projection -> share")
    for name, share in (shares or {}).items():
        real(share, f"the share of {shown(name)}", 0)
    check_names(
        "shares",
        shares or {},
        [p.name for p in network.projections if network[p.post].kind == "spiking"],
        "the projections onto spiking populations ",
    )


def entry(value, name, what):
    """A number that holds for all, or that of `name` in a dict."""
    if isinstance(value, dict):
        if name not in value:
            raise ValueError(
                f"{what} has no entry for {name!r}; it has {', '.join(map(str, value)) or 'none'}."
            )
        return value[name]
    return value


def number(value, name, what):
    """A number that holds for all, or that of `name` in a dict, as a float; None stays."""
    value = entry(value, name, what)
    return None if value is None else real(value, f"population {name!r}: {what}")


def family_of(value, projection):
    """The family of the weights of a projection, of one for all or a dict by projection; ValueError for what is none."""
    family = entry(value, projection, "family")
    if isinstance(family, type) or not hasattr(family, "kappa"):
        raise ValueError(
            f"family of {projection!r} is {shown(family)}; it must be a family of non-negative weights such as Exponential() or "
            "LogNormal(0.5). Weights of either sign are normal without being asked."
        )
    return family


def sigma_of_xi(name, threshold, mu, xi):
    """sigma_U = (threshold - mu_U) / xi."""
    if not xi > 0:
        raise ValueError(
            f"population {name!r}: xi is {xi:g}; it must be positive: sigma_U = (threshold - mu_U) / xi."
        )
    return (threshold - mu) / xi


def silent_source(design, p):
    """ValueError where the source of projection p, a population, never fires: with its target, or as given."""
    (mu, sigma, _), threshold = design.targets[p.pre], design.network[p.pre].neuron.threshold
    so = f"Without its spikes projection {p.name!r} causes no fluctuations, and no weights follow. "
    if p.pre in design.given:
        return ValueError(
            f"rates has 0 Hz for population {p.pre!r}. {so}Give a positive rate, or leave out the projection."
        )
    return ValueError(
        f"population {p.pre!r} would be silent with its target: at mu_U = {mu:g} and sigma_U = {sigma:g} the threshold {threshold:g} "
        f"lies xi = {(threshold - mu) / sigma:.3g} sigma_U above the mean, and theory gives 0 Hz. {so}Ask {p.pre!r} for a larger "
        f"sigma_u or mu_u (1 <= xi <= 3 is usual), or give rates={{'{p.pre}': Hz}}."
    )


def standard_errors(sums, squares, mean):
    """Of the mean and standard deviation of U over the trials of a sample: (se of mu, se of sigma); 0 for a single trial.

    sums, squares   (trial, neuron) means over the steps of U and U^2;  mean: (neuron,) over all
    """
    n_trials = len(sums)
    if n_trials < 2:
        return 0.0, 0.0
    variance = (squares - 2 * mean * sums + mean**2).mean(axis=1)
    errors = (
        sums.mean(axis=1).std(ddof=1),
        variance.std(ddof=1) / (2 * np.sqrt(max(variance.mean(), 1e-12))),
    )
    return tuple(float(error / np.sqrt(n_trials)) for error in errors)


def overlapping_inhibition(design, name):
    """How many inhibitory spikes add up in a membrane at a time, if all fire as their targets ask: N nu eps_bar^2 / eps_hat."""
    return sum(
        a.n * design.aimed[design.network.projection(a.name).pre] * a.eps_bar**2 / a.eps_hat
        for a in design.afferents[name]
        if a.sign < 0
    )


def did_not_settle(design, n_trials, blurred):
    """The note of a closed loop that did not reach its target. blurred: the sample measures less well than the tolerance asks."""
    note = (
        "the closed loop did not settle within its tolerance (1 % of sigma_U, 0.01 of mu_U, 3 % of the rates, or two standard errors "
        f"of its {n_trials} trials, at most three times as much); the report shows the best that was reached."
    )
    few = {
        name: overlapping_inhibition(design, name) for name in design.targets if design.dalian[name]
    }
    few = {name: count for name, count in few.items() if count < _FEW}
    if few:
        which = " and ".join(f"{name} ({count:.2g})" for name, count in few.items())
        note += (
            f" With these targets only few inhibitory spikes overlap in a membrane of {which}: rare large potentials, which do not balance "
            "many small excitatory ones. More inhibitory neurons, or a larger sigma_U or mu_U, with which they fire more, help."
        )
    if blurred:
        note += " The sample measures the membrane less well than the tolerance asks: more or longer trials help."
    if not few and not blurred:
        note += " The circuit answers a small change of its weights with a large one of its rates: a larger alpha, or more neurons, help."
    return note

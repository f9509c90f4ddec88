"""Weights of a circuit that a background drives, so that its free membranes have a target mean, standard deviation or rate.

The background is fixed: it gives a population the mean mu_0 and the variance v_0. Excitation and inhibition from the network supply
the rest. With N_p the expected in-degree, E[w_p] = sqrt(s_p / (kappa_p N_p nu_p eps_hat_p)) times e (or f) and equal shares s_p of
the variances e^2 (excitation) and f^2 (inhibition):

    current-based       mu_U - mu_0 = a e - h f      sigma_U^2 - v_0 = e^2 + f^2        (solver.py, one quadratic)
    conductance-based   the same two conditions with the effective time constant and driving force that the weights themselves bring
                        about (mean_field.py): f follows from e by the mean, and e is the smallest that has the variance

The rates nu are those with which the populations then fire: theory at the target, iterated until they agree.
"""
from dataclasses import replace

import numpy as np

from .connectivity import recurrent_projections
from .init_report import InitializerReport, PopulationReport
from .mean_field import SHORT, Input, colour_corrected_rate, density_rate, fixed_point, membrane
from .moments import psp_integrals
from .regime import background_cell, describe, in_degree
from .solver import Afferent, solve_dale, variance_shares
from .synapses import draw_weights
from .units import hertz


def initialize_circuit(network, background, mu_u, sigma_u, xi, rate, family, rates, shares, rng):
    """See `init.fluctuation_driven`, which calls this where a background is given. Returns an InitializerReport."""
    targets = {p.name: _target(p, mu_u, sigma_u, xi, rate) for p in network.spiking}
    given = {p.name: float(hertz(rates[p.name], p.name)) for p in network.inputs if isinstance(rates, dict) and p.name in rates}
    for p in network.inputs:
        if p.name not in given:
            raise ValueError(f"the rates of the inputs {p.name} are not known: give rates={{'{p.name}': Hz}}.")
    families = {p.name: family[p.name] if isinstance(family, dict) else family for p in network.projections}
    bare = {p.name: background_cell(network, p, background) for p in network.spiking}
    assumed = given | {name: 5.0 if t[2] is None else t[2] for name, t in targets.items()}
    factor, converged = dict.fromkeys(targets, 1.0), False
    guess = {name: (t[0] if t[0] is not None else network[name].neuron.threshold - 2 * t[1],
                    t[1] if t[1] is not None else (network[name].neuron.threshold - t[0]) / 2) for name, t in targets.items()}
    for iteration in range(60):
        solved, change = {}, 0.0
        for name, target in targets.items():
            mu, sigma = guess[name]
            means = _solve(network, bare[name], mu, sigma, assumed, families, shares)
            m = _at(membrane(_filled(network, bare[name], means, families), assumed), mu, sigma)
            solved[name] = means
            predicted, factor[name] = _rate(network, bare[name].neuron, m, factor[name], refresh=iteration % 5 == 0)
            if target[2] is None:
                change = max(change, abs(predicted - assumed[name]) / max(predicted, 0.1))
                assumed[name] = (assumed[name] + max(predicted, 1e-3)) / 2
            else:
                new = _move(bare[name], target, m, factor[name])
                change = max(change, abs(new[0] - mu) / sigma, abs(new[1] / sigma - 1))
                guess[name] = ((mu + new[0]) / 2, (sigma + new[1]) / 2)
        if converged := change < 2e-3 and iteration % 5 == 0:
            break
    report = _apply(network, bare, solved, guess, assumed, factor, families, rng)
    report.converged, report.iterations = converged, iteration + 1
    if not converged:
        report.notes.append("rates and weights did not become consistent; another target (a smaller rate, a larger sigma_U) may.")
    _check_stable(network, background, report, given)
    return report


def _check_stable(network, background, report, given):
    """Notes where the circuit with these weights need not go to, or stay in, the state that was asked for."""
    point = fixed_point(describe(network, background), given, network.dt)
    for rates in (point.rates, *point.others):
        if any(abs(rates[row.name] - row.rate_assumed) > 0.25 * row.rate_assumed for row in report.populations):
            report.notes.append("this circuit has another stable state, which it may take instead: "
                                + ", ".join(f"{name} at {rate:.3g} Hz" for name, rate in rates.items())
                                + ". A background that is stronger, so that inhibition has to prevail, leaves one state.")


def _target(population, mu_u, sigma_u, xi, rate):
    """(mu, sigma, rate); one of them None: two are given, or mu and sigma by default."""
    name, theta = population.name, population.neuron.threshold

    def pick(value):
        return value[name] if isinstance(value, dict) else value
    mu, sigma, xi, hz = pick(mu_u), pick(sigma_u), pick(xi), pick(rate)
    if xi is not None:
        if sigma is not None or mu is None:
            raise ValueError("xi = (threshold - mu_U) / sigma_U: give it with mu_u, and without sigma_u.")
        sigma = (theta - mu) / xi
    if (mu is None) + (sigma is None) + (hz is None) != 1:
        raise ValueError(f"population {name!r}: give two of mu_u, sigma_u (or xi) and rate; the third follows from them.")
    if sigma is not None and not (sigma > 0 and np.isfinite(sigma)):
        raise ValueError(f"population {name!r}: sigma_U is {sigma:g}; the standard deviation of the membrane must be positive.")
    if hz is not None and not 0 < hz < 1 / max(population.neuron.refractory, 1e-3):
        raise ValueError(f"population {name!r}: the target rate is {hz:g} Hz; it must be above 0 and below "
                         f"{1 / max(population.neuron.refractory, 1e-3):g} Hz (the refractory period, or 1 ms).")
    return mu, sigma, None if hz is None else float(hz)


def _at(m, mu, sigma):
    return replace(m, mu=mu, white=m.white * sigma / m.sigma, sigma=sigma)


def _rate(network, neuron, m, factor, refresh):
    """(rate, its ratio to the colour-corrected formula): for long synapses that of the density, computed anew with refresh."""
    plain = colour_corrected_rate(neuron, m)
    if m.tau_syn <= SHORT * m.tau:
        return plain, 1.0
    if refresh and plain > 1e-4:
        factor = density_rate(neuron, m, network.dt) / plain
    return plain * factor, factor


def _move(cell, target, m, factor):
    """(mu, sigma) with the target rate, near the membrane m."""
    mu, sigma, rate = target
    theta, log = cell.neuron.threshold, np.log(rate)

    def excess(x):
        at = _at(m, x, sigma) if mu is None else _at(m, mu, x)
        return np.log(max(factor * colour_corrected_rate(cell.neuron, at), 1e-30)) - log
    low, high = (theta - 8 * sigma, theta + 8 * sigma) if mu is None else (0.02 * abs(theta - mu), 20 * abs(theta - mu))
    if excess(low) > 0 or excess(high) < 0:
        what, other = ("mu_U", f"sigma_U = {sigma:g}") if mu is None else ("sigma_U", f"mu_U = {mu:g}")
        raise ValueError(f"population {cell.name!r}: no {what} from {low:.3g} to {high:.3g} gives {rate:g} Hz with {other}; choose "
                         "another rate, or a target that lies further below threshold.")
    from scipy.optimize import brentq    # here: `import biosnn` stays quick
    x = brentq(excess, low, high, xtol=1e-9 * abs(high - low))
    return (x, sigma) if mu is None else (mu, x)


def _projections(network, cell):
    found = [p for p in network.projections if p.post == cell.name]
    unsigned = [p.name for p in found if not p.non_negative]
    if unsigned:
        raise ValueError(f"population {cell.name!r}: the projections {', '.join(unsigned)} have no sign; with a background the "
                         "initializer needs excitatory and inhibitory ones.")
    return found


def _filled(network, cell, means, families):
    """The cell with its synapses at the given mean weights."""
    synapses = [Input(p.receptor, in_degree(network, p), means[p.name], families[p.name].kappa * means[p.name] ** 2, p.pre)
                for p in _projections(network, cell)]
    return replace(cell, inputs=cell.inputs + tuple(synapses))


def _afferents(network, cell, assumed, families):
    found, recurrent = [], recurrent_projections(network)
    for p in _projections(network, cell):
        receptor = cell.neuron.receptors[p.receptor]
        bar = hat = float(np.mean(cell.neuron.time_constants[cell.neuron.states[receptor.state]]))
        if not cell.neuron.reversal:
            bar, hat = (float(np.mean(e)) for e in psp_integrals(cell.neuron, network.dt, p.receptor))
        found.append(Afferent(p.name, receptor.sign, p.name in recurrent, in_degree(network, p), assumed[p.pre], bar, hat, 1.0,
                              families[p.name].kappa))
    return found


def _solve(network, cell, mu, sigma, assumed, families, shares):
    """Mean weights of all projections onto a population."""
    afferents = _afferents(network, cell, assumed, families)
    if cell.neuron.reversal:
        return solve_conductances(network, cell, afferents, mu, sigma, assumed, families, shares)
    alone = membrane(replace(cell, inputs=()), assumed)
    mu_0, v_0 = alone.mu, alone.sigma ** 2
    for i in cell.inputs:
        bar, hat = (float(np.mean(e)) for e in psp_integrals(cell.neuron, network.dt, i.receptor))
        mu_0, v_0 = mu_0 + i.rate * bar * i.mean, v_0 + i.rate * hat * i.square
    if v_0 >= sigma ** 2:
        raise ValueError(f"population {cell.name!r}: sigma_U > {np.sqrt(v_0):.4g} fails at sigma_U = {sigma:g}: the background alone has "
                         "that standard deviation. Feasible: a larger sigma_U, or a background of smaller weights and higher rate.")
    try:
        solved = solve_dale(cell.name, afferents, mu - mu_0, np.sqrt(sigma ** 2 - v_0), 0.5, shares)
    except ValueError as error:
        raise ValueError(f"{error} (These are what the network must add: the background alone has mean {mu_0:.4g} and standard deviation "
                         f"{np.sqrt(v_0):.4g}; the targets are mu_U = {mu:g} and sigma_U = {sigma:g}.)") from None
    return {name: mean for name, (mean, _) in solved.items()}


def solve_conductances(network, cell, afferents, mu, sigma, assumed, families, shares, alpha=0.5):
    """Mean weights of all projections onto a population with conductances. alpha: feed-forward share of the excitatory variance."""
    groups = [[a for a in afferents if a.sign == sign] for sign in (+1, -1)]
    silent = [a.name for a in afferents if not a.rate > 0]
    if not all(groups) or silent:
        raise ValueError(f"population {cell.name!r} needs excitatory and inhibitory projections from sources that fire"
                         + (f"; {', '.join(silent)} is silent." if silent else "."))
    split = variance_shares(groups[0], alpha, shares) | variance_shares(groups[1], 0.5, shares, split=False)
    unit = {a.name: np.sqrt(split[a.name] / (a.kappa * a.variance_gain)) for a in afferents}

    def at(e, f):
        return membrane(_filled(network, cell, {a.name: unit[a.name] * (e if a.sign > 0 else f) for a in afferents}, families), assumed)

    def inhibition(e):
        """f that brings the mean to mu, or NaN."""
        if at(e, 0.0).mu < mu:
            return np.nan
        high = 1e-3
        while at(e, high).mu > mu:
            high *= 4
            if high > 1e4:
                return np.nan
        from scipy.optimize import brentq    # here: `import biosnn` stays quick
        return brentq(lambda f: at(e, f).mu - mu, 0.0, high, xtol=1e-10)
    grid = np.concatenate([[0.0], np.geomspace(1e-4, 30, 60)])
    fs = np.array([inhibition(e) for e in grid])
    sigmas = np.array([at(e, f).sigma if np.isfinite(f) else np.nan for e, f in zip(grid, fs)])
    if not np.any(np.isfinite(sigmas)):
        raise ValueError(f"population {cell.name!r}: no weights give mu_U = {mu:g}: it must lie between the reversal potentials "
                         f"{', '.join(f'{v:g}' for v in cell.neuron.reversal.values())}, and within what the background leaves.")
    signs = np.sign(sigmas - sigma)
    crossing = np.flatnonzero(signs[:-1] * signs[1:] <= 0)
    if not crossing.size:
        raise ValueError(f"population {cell.name!r}: {np.nanmin(sigmas):.4g} <= sigma_U <= {np.nanmax(sigmas):.4g} fails at sigma_U = "
                         f"{sigma:g}: no weights give it with mu_U = {mu:g} and this background. Feasible: a sigma_U in that range; fewer, "
                         "slower inputs for a larger one; a background of smaller weights and higher rate for a smaller one.")
    k = crossing[0]
    from scipy.optimize import brentq    # here: `import biosnn` stays quick
    e = brentq(lambda e: at(e, inhibition(e)).sigma - sigma, grid[k], grid[k + 1], xtol=1e-9)
    f = inhibition(e)
    return {a.name: float(unit[a.name] * (e if a.sign > 0 else f)) for a in afferents}


def _apply(network, bare, solved, guess, assumed, factor, families, rng):
    """Draw and set the weights; the report."""
    rows, weights = [], {}
    for name, means in solved.items():
        for p in _projections(network, bare[name]):
            family, mean = families[p.name], means[p.name]
            if p.name not in network.synapses:
                network.set_weights(p.name, mean * family.draw(rng, (network[p.pre].n, network[p.post].n)))
            elif family.kappa == 1:
                network.set_weights(p.name, mean)
            else:
                key = int(rng.integers(2 ** 63))
                shape = network.weight_shape(p)
                network.set_weights(p.name, draw_weights(mean * family, int(np.prod(shape)), key, network.dtype).reshape(shape), copy=False)
            weights[p.name] = (family, mean, mean * np.sqrt(family.kappa - 1))
        (mu, sigma), m = guess[name], membrane(_filled(network, bare[name], means, families), assumed)
        row = PopulationReport(name, float(bare[name].neuron.threshold), np.nan, float(mu), float(sigma), m.mu, m.sigma)
        row.rate_assumed = float(assumed[name])
        row.rate_predicted = float(factor[name] * colour_corrected_rate(bare[name].neuron, _at(m, mu, sigma)))
        row.ei_ratio = m.excitation / m.inhibition if m.inhibition > 0 else np.nan
        rows.append(row)
    return InitializerReport(rows, weights, {p.name: assumed[p.name] for p in network.inputs})

"""Initial weights of populations with conductances, for batches of trials: what `init` does otherwise where potentials do not add up.

Theory is that of mean_field.py (effective time constant and driving force at the target), for the conductances of discrete time: a unit
weight lasts dt / (1 - exp(-dt / tau)) seconds. The closed loop then varies what theory is asked for, (mu_U + y, x sigma_U), until the
membrane that is measured has mu_U and sigma_U: few inputs with strong weights are not the Gaussian noise that theory takes them for.
"""

from dataclasses import replace

import numpy as np

from ..theory.membrane import Cell, Input, membrane
from ..theory.rates import density_rate
from .circuit import filled, solve_conductances
from .equations import Afferent

START = 10.0  # Hz: where the rates begin that theory makes consistent


def afferents(design, population):
    """Projections onto a population as the solver sees them."""
    neuron, found = _discrete(population.neuron, design.network.dt), []
    for p in design.afferent_projections(population.name):
        receptor = neuron.receptors[p.receptor]
        tau = float(np.mean(neuron.time_constants[neuron.states[receptor.state]]))
        found.append(
            Afferent(
                p.name,
                receptor.sign,
                p.name in design.recurrent,
                design.network.in_degree(p),
                design.rates[p.pre],
                tau,
                tau,
                1.0,
                design.family[p.name].kappa,
                design.network.multiplicity(p),
            )
        )
    return found


def solve(design, population, x=1.0, y=0.0):
    """Mean weights by projection, with which theory gives the membrane mu_U + y and x sigma_U at the rates of `design`."""
    (mu, sigma, alpha), cell = design.targets[population.name], _cell(design, population)
    try:
        return solve_conductances(
            design.network,
            cell,
            afferents(design, population),
            mu + y,
            x * sigma,
            design.rates,
            design.family,
            design.shares,
            alpha,
        )
    except ValueError as error:
        if (x, y) == (1.0, 0.0):
            raise
        raise ValueError(
            f"{error} (The closed loop asks theory for this membrane, so that the one that it measures has mu_U = {mu:g} and "
            f"sigma_U = {sigma:g}; with closed_loop=False it is not measured.)"
        ) from None


def assume_rates(design, populations):
    """Rates of populations with which they fire themselves, if they have the target membrane: theory, iterated."""
    design.rates |= dict.fromkeys([p.name for p in populations], START)
    for _ in range(20):
        new = {p.name: theoretical_rate(design, p) for p in populations}
        change = max(
            abs(np.log(max(rate, 0.05) / design.rates[name])) for name, rate in new.items()
        )
        design.rates |= {
            name: float(np.sqrt(max(rate, 0.05) * design.rates[name])) for name, rate in new.items()
        }
        if change < 0.02:
            break


def theoretical_rate(design, population):
    """Rate (Hz) of the target membrane."""
    mu, sigma, _ = design.targets[population.name]
    cell = _cell(design, population)
    m = membrane(
        filled(design.network, cell, solve(design, population), design.family), design.rates
    )
    return density_rate(
        cell.neuron,
        replace(m, mu=mu, white=m.white * sigma / m.sigma, sigma=sigma),
        design.network.dt,
    )


def membranes(design, population):
    """Membranes that theory expects of every neuron with the weights as they are."""
    cell, projections = _cell(design, population), design.afferent_projections(population.name)
    weights, network = (
        [np.asarray(design.network.weights[p.name], float) for p in projections],
        design.network,
    )
    sums, squares = (
        [of(p, w) for p, w in zip(projections, weights)]
        for of in (network.afferent_sums, network.afferent_squares)
    )
    return [
        membrane(
            replace(
                cell,
                inputs=tuple(
                    Input(p.receptor, 1, m[i], s[i], p.pre)
                    for p, m, s in zip(projections, sums, squares)
                ),
            ),
            design.rates,
        )
        for i in range(population.n)
    ]


def predict(design, population, row):
    """Write into a row of the report what theory says of the weights as they are."""
    each, dt = membranes(design, population), design.network.dt
    row.mu_predicted, row.spread_predicted = (
        float(np.mean([m.mu for m in each])),
        float(np.std([m.mu for m in each])),
    )
    row.sigma_predicted = float(np.sqrt(np.mean([m.sigma**2 for m in each])))
    row.rate_assumed, inhibition = float(design.rates[row.name]), sum(m.inhibition for m in each)
    row.ei_ratio = float(sum(m.excitation for m in each) / inhibition) if inhibition else np.nan
    ordered = sorted(each, key=lambda m: m.mu)
    chosen = [
        ordered[k]
        for k in np.linspace(0, len(ordered) - 1, min(9, len(ordered))).round().astype(int)
    ]
    row.rate_predicted = float(np.mean([density_rate(population.neuron, m, dt) for m in chosen]))


def corrected(gains, target, part):
    """(x, y) after a measurement: the mean moves by what is missing, the standard deviation by the ratio, at most 2."""
    x, y = gains
    mu, sigma, _ = target
    ratio = sigma / np.sqrt(max(float(np.mean(part.covariance[0, 0])), 1e-12))
    return x * float(np.clip(ratio, 0.5, 2.0)), y + mu - float(np.mean(part.mean[0]))


def _cell(design, population):
    return Cell(population.name, _discrete(population.neuron, design.network.dt), ())


def _discrete(neuron, dt):
    taus = {
        name: tau if name == "mem" else dt / (1 - np.exp(-dt / np.asarray(tau)))
        for name, tau in neuron.time_constants.items()
    }
    return replace(neuron, time_constants=taus)

"""Weights of a circuit that a background drives, so that its free membranes have a target mean, standard deviation or rate.

The background is fixed: it gives a population the mean mu_0 and the variance v_0. Excitation and inhibition from the network supply
the rest. With N_p the expected in-degree, E[w_p] = sqrt(s_p / (kappa_p N_p nu_p eps_hat_p)) times e (or f) and equal shares s_p of
the variances e^2 (excitation) and f^2 (inhibition):

    current-based       mu_U - mu_0 = a e - h f      sigma_U^2 - v_0 = e^2 + f^2        (solver.py, one quadratic)
    conductance-based   the same two conditions with the effective time constant and driving force that the weights themselves bring
                        about (mean_field.py): f follows from e by the mean, and e is the smallest that has the variance

The rates nu are those with which the populations then fire: theory at the target, iterated until they agree. Neurons that share inputs
are not independent, though, and in the circuit sigma_U departs by a fifth. The closed loop simulates it with probes that never spike
(probes.py), and solves the same equations for the rates that were measured and for other moments mu', sigma':

    mu' += mu_U - measured      log sigma' += log(sigma_U / measured)      or, for a target rate, log(rate / measured) over the slope of theory
"""

from dataclasses import dataclass, field, replace

import numpy as np

from ..network.distributions import Normal
from ..network.drawing import draw_weights
from ..network.families import with_mean
from ..network.recurrence import recurrent_projections
from ..support.checks import check_names
from ..support.checks import rate as checked_rate
from ..support.progress import progress_bar
from ..support.units import hertz
from ..support.warn import warn
from ..theory.circuits import (
    background_cell,
    check_no_pooling,
    describe,
    named_background,
    short_term,
)
from ..theory.mean_field import fixed_point
from ..theory.membrane import Input, efficacy, membrane
from ..theory.moments import as_learned, psp_integrals
from ..theory.rates import SHORT, colour_corrected_rate, density_rate
from .advice import check_shares, entry, family_of, number, sigma_of_xi
from .anderson import Anderson
from .equations import Afferent, solve_dale, variance_shares
from .probes import Probes
from .report import InitializerReport, PopulationReport

WARM_UP, SECONDS, RUNS = (
    0.3,
    2.0,
    20,
)  # of the closed loop: seconds of one simulation; simulations at most
CLOSE, CLOSE_RATE = 0.03, 0.05  # its tolerance: of sigma_U and mu_U, of a target rate


def initialize_circuit(
    network,
    background,
    mu_u,
    sigma_u,
    xi,
    rate,
    family,
    rates,
    shares,
    rng,
    closed_loop=None,
    threads=None,
    progress=True,
):
    """See `init.fluctuation_driven`, which calls this where a background is given. Returns an InitializerReport."""
    check_no_pooling(network)
    check_shares(network, shares)
    network, background = as_learned(network), named_background(network, background)
    plastic = [p.name for p in network.projections if p.plasticity is not None]
    if plastic and closed_loop:
        raise ValueError(
            f"the closed loop needs weights that stay as they are; {', '.join(plastic)} are plastic. Give closed_loop=False."
        )
    closed_loop = not plastic and closed_loop is not False
    targets = {p.name: _target(p, mu_u, sigma_u, xi, rate) for p in network.spiking}
    given, period = (
        _input_rates(network, rates),
        (WARM_UP, WARM_UP + SECONDS) if closed_loop else None,
    )
    families = {p.name: family_of(family, p.name) for p in network.projections if p.post in targets}
    bare = {p.name: background_cell(network, p, background, period) for p in network.spiking}
    keys = {p.name: int(rng.integers(2**63)) for p in network.projections}
    for p in network.projections:
        if p.post not in targets:
            draw_readout(network, p, np.random.default_rng(keys[p.name]))
    circuit = _Circuit(
        network, background, targets, given, families, shares, bare, keys, {}, {}, {}
    )
    converged, iterations = circuit.make_consistent()
    circuit.apply()
    report = circuit.report()
    report.converged, report.iterations = converged, iterations
    if not converged:
        report.notes.append(
            "rates and weights did not become consistent; another target (a smaller rate, a larger sigma_U) may."
        )
    elif closed_loop and targets:
        _close_loop(circuit, report, Probes(network, background, rng), threads, progress)
    if targets:
        _check_stable(network, background, period, report, given)
    return report


def _input_rates(network, rates):
    """Input -> Hz."""
    inputs = [p.name for p in network.inputs]
    rates = (
        rates if isinstance(rates, dict) else {} if rates is None else dict.fromkeys(inputs, rates)
    )
    check_names(
        "rates (with a background of inputs alone: those of populations follow from their targets)",
        rates,
        inputs,
        "the inputs ",
    )
    given = {
        name: checked_rate(rate, f"the rate of {name!r}", None) for name, rate in rates.items()
    }
    if missing := [name for name in inputs if name not in given]:
        raise ValueError(
            f"the rates of the inputs {', '.join(missing)} are not known: give rates={{'{missing[0]}': Hz}}."
        )
    for name, rate in given.items():
        if not 0 <= rate <= 1 / network.dt:
            raise ValueError(
                f"the rate of {name!r} is {rate!r} Hz; it must be >= 0 and at most one spike per step, {1 / network.dt:g} Hz."
            )
    return given


def draw_readout(network, projection, rng):
    """Set the weights of a projection onto a readout: normal, with variance 1 over the number of all afferents of a neuron."""
    fan_in = (
        sum(network.in_degree(p) for p in network.projections if p.post == projection.post) or 1
    )
    weights = rng.normal(0, fan_in**-0.5, network.weight_shape(projection))
    network.set_weights(projection.name, np.abs(weights) if projection.non_negative else weights)


@dataclass
class _Circuit:
    """Targets (population -> (mu, sigma, rate), one of them None) and what solves for them.

    guess     population -> (mu, sigma) that the equations are solved for
    assumed   name -> Hz that they assume;  factor: population -> ratio of its rate to the colour-corrected formula
    means     projection -> mean weight
    """

    network: object
    background: list
    targets: dict
    given: dict
    families: dict
    shares: dict | None
    bare: dict
    keys: dict
    guess: dict
    assumed: dict
    means: dict
    factor: dict = field(default_factory=dict)
    first: dict = field(default_factory=dict)  # the guess before the closed loop, and its sigma_U
    unit: dict = field(default_factory=dict)

    def make_consistent(self):
        """Weights for the targets, and the rates with which theory then fires. Returns (whether they agree, iterations)."""
        network, targets, assumed = self.network, self.targets, self.assumed
        assumed |= self.given | {name: 5.0 if t[2] is None else t[2] for name, t in targets.items()}
        self.factor = dict.fromkeys(targets, 1.0)
        self.guess = {
            name: (
                t[0] if t[0] is not None else network[name].neuron.threshold - 2 * t[1],
                t[1] if t[1] is not None else (network[name].neuron.threshold - t[0]) / 2,
            )
            for name, t in targets.items()
        }
        for iteration in range(60):
            change = 0.0
            for name, target in targets.items():
                mu, sigma = self.guess[name]
                self.solve(name)
                m = _at(self.membrane(name), mu, sigma)
                predicted, self.factor[name] = _rate(
                    network,
                    self.bare[name].neuron,
                    m,
                    self.factor[name],
                    refresh=iteration % 5 == 0,
                )
                if target[2] is None:
                    change = max(change, abs(predicted - assumed[name]) / max(predicted, 0.1))
                    assumed[name] = (assumed[name] + max(predicted, 1e-3)) / 2
                else:
                    new = _move(self.bare[name], target, m, self.factor[name])
                    change = max(change, abs(new[0] - mu) / sigma, abs(new[1] / sigma - 1))
                    self.guess[name] = ((mu + new[0]) / 2, (sigma + new[1]) / 2)
            if change < 2e-3 and iteration % 5 == 0:
                return True, iteration + 1
        return False, iteration + 1

    def solve(self, name):
        """Mean weights onto a population from the guess and the assumed rates."""
        self.means |= _solve(
            self.network,
            self.bare[name],
            *self.guess[name],
            self.assumed,
            self.families,
            self.shares,
        )

    def membrane(self, name):
        """The free membrane of a population with these weights, for independent inputs at the assumed rates."""
        return membrane(
            filled(self.network, self.bare[name], self.means, self.families), self.assumed
        )

    def apply(self):
        """Set the weights: the mean weights times samples, which are the same every time."""
        for p in self.network.projections:
            if p.post in self.bare and not self.network.in_degree(p) > 0:
                self.network.set_weights(p.name, 0.0)
        for name in self.bare:
            for p in _projections(self.network, self.bare[name]):
                family, mean = self.families[p.name], self.means[p.name]
                if p.name not in self.network.synapses:
                    samples = family.draw(
                        np.random.default_rng(self.keys[p.name]),
                        (self.network[p.pre].n, self.network[p.post].n),
                    )
                    self.network.set_weights(p.name, mean * samples)
                elif family.kappa == 1:
                    self.network.set_weights(p.name, mean)
                else:
                    shape = self.network.weight_shape(p)
                    drawn = draw_weights(
                        with_mean(family, mean),
                        int(np.prod(shape)),
                        self.keys[p.name],
                        self.network.dtype,
                    )
                    self.network.set_weights(p.name, drawn.reshape(shape), copy=False)

    def report(self):
        rows = [
            PopulationReport(
                name, float(cell.neuron.threshold), np.nan, *map(float, self.guess[name])
            )
            for name, cell in self.bare.items()
        ]
        report = InitializerReport(
            rows, {}, {p.name: self.assumed[p.name] for p in self.network.inputs}
        )
        self.predict(report)
        return report

    def predict(self, report):
        """Theory of independent inputs with these weights at the assumed rates; and the rate of a membrane with the target moments."""
        for row in report.populations:
            m = self.membrane(row.name)
            row.mu_predicted, row.sigma_predicted, row.rate_assumed = (
                m.mu,
                m.sigma,
                float(self.targets[row.name][2] or self.assumed[row.name]),
            )
            at_target = _at(m, row.mu_target, row.sigma_target)
            row.rate_predicted = float(
                self.factor[row.name] * colour_corrected_rate(self.bare[row.name].neuron, at_target)
            )
            row.ei_ratio = m.excitation / m.inhibition if m.inhibition > 0 else np.nan
        report.weights |= {
            name: (self.families[name], mean, mean * np.sqrt(self.families[name].kappa - 1))
            for name, mean in self.means.items()
        }

    # ------------------------------------------------------------------ position of the closed loop

    def position(self):
        """What the closed loop varies: for each population mu' in units of sigma_U, log sigma', log rate."""
        return np.array(
            [
                [
                    self.guess[name][0] / self.unit[name],
                    np.log(self.guess[name][1]),
                    np.log(self.assumed[name]),
                ]
                for name in self.targets
            ]
        ).ravel()

    def move(self, position):
        """Go there and set the weights. ValueError where the equations have no solution."""
        for name, (mu, log_sigma, log_rate) in zip(self.targets, position.reshape(-1, 3)):
            self.guess[name], self.assumed[name] = (
                (mu * self.unit[name], float(np.exp(log_sigma))),
                float(np.exp(log_rate)),
            )
        for name in self.targets:
            self.solve(name)
        self.apply()

    def image(self, report):
        """Where the measured values say that the targets are."""
        found = []
        for row in report.populations:
            (mu, sigma, rate), (x, y) = self.targets[row.name], self.guess[row.name]
            measured = max(row.rate_measured, 0.05)
            y = np.log(y) if sigma is None else np.log(y * sigma / row.sigma_measured)
            x = x if mu is None else x + mu - row.mu_measured
            if rate is not None:
                slope = self._slope(row.name, 0 if mu is None else 1)
                x, y = (
                    (x + np.log(rate / measured) / slope, y)
                    if mu is None
                    else (x, y + np.log(rate / measured) / slope)
                )
            found.append((x / self.unit[row.name], y, np.log(measured)))
        return np.array(found).ravel()

    def _slope(self, name, which):
        """d log rate / d mu (which = 0) or d log rate / d log sigma, by theory, at the first guess."""
        m, (mu, sigma) = self.membrane(name), self.first[name]
        ends = [
            (mu + s * 0.05 * sigma, sigma) if which == 0 else (mu, sigma * np.exp(s * 0.05))
            for s in (-1, 1)
        ]
        low, high = (
            np.log(max(colour_corrected_rate(self.bare[name].neuron, _at(m, *end)), 1e-30))
            for end in ends
        )
        return max((high - low) / (0.1 * (sigma if which == 0 else 1.0)), 1e-9)


# -------------------------------------------------------------------------------------- closed loop


def _close_loop(circuit, report, probes, threads, progress):
    """Simulate, measure, correct, until the targets are met or the runs are used up; the best weights that were seen are kept."""
    circuit.first, circuit.unit = (
        dict(circuit.guess),
        {name: sigma for name, (_, sigma) in circuit.guess.items()},
    )
    mixing, best = Anderson(), (np.inf, None)
    report.closed_loop = True
    with progress_bar(RUNS, "initializing", progress) as advance:
        for run in range(RUNS):
            error, position = _measure(circuit, report, probes, threads), circuit.position()
            best = min(best, (error, position), key=lambda item: item[0])
            advance(1, f"largest error {error:.2g} of the tolerance")
            if (
                error < 1
                or run == RUNS - 1
                or not _step(circuit, position, mixing.step(position, circuit.image(report)))
            ):
                break
    report.iterations, report.converged = run + 1, error < 1
    if not report.converged and best[0] < error:
        circuit.move(best[1])
        _measure(circuit, report, probes, threads)
    if not report.converged:
        note = (
            f"the closed loop did not settle within its tolerance ({100 * CLOSE:g} % of sigma_U and mu_U, {100 * CLOSE_RATE:g} % of "
            "a target rate); the report shows the best that was reached. Circuits near to synchrony, or with another stable state, "
            "answer a small change with a large one: a smaller sigma_U, more neurons or a stronger background help."
        )
        report.notes.append(note)
        warn(note)
    circuit.assumed |= {
        row.name: max(row.rate_measured, 1e-3) for row in report.populations
    }  # predicted: theory at the measured rates
    circuit.predict(report)


def _step(circuit, position, wanted):
    """Move to the wanted position, or as far towards it as the equations have a solution. Returns whether there was one."""
    for _ in range(6):
        try:
            circuit.move(wanted)
            return True
        except ValueError:
            wanted = (position + wanted) / 2
    return False


def _measure(circuit, report, probes, threads):
    """Write theory and measured values into the report; returns the largest error in units of its tolerance."""
    start = {
        f"{name}.U": Normal(mu, sigma, high=np.maximum(circuit.network[name].neuron.threshold, mu))
        for name, (mu, sigma) in circuit.first.items()
    }
    circuit.predict(report)
    measured, worst = probes.measure(circuit.assumed, start, WARM_UP, SECONDS, threads), 0.0
    for row in report.populations:
        found, (mu, sigma, rate) = measured[row.name], circuit.targets[row.name]
        row.mu_measured, row.sigma_measured, row.spread_measured = (
            found.mu,
            found.sigma,
            found.spread,
        )
        row.rate_measured, row.cv_measured = found.rate, found.cv
        errors = (
            [abs(found.mu - mu) / (CLOSE * max(row.sigma_target, abs(mu)))]
            if mu is not None
            else []
        )
        errors += [abs(found.sigma / sigma - 1) / CLOSE] if sigma is not None else []
        errors += (
            [abs(found.rate - rate) / (CLOSE_RATE * max(rate, 1.0))] if rate is not None else []
        )
        worst = max(worst, *errors)
    return worst


def _check_stable(network, background, period, report, given):
    """Notes where the circuit with these weights need not go to, or stay in, the state that was asked for."""
    point = fixed_point(describe(network, background, period), given, network.dt)
    states = [point.rates, *point.others]
    if report.closed_loop:  # theory, which knows no correlations, need not have the rates that were measured: the nearest state is theirs
        states.remove(
            min(
                states,
                key=lambda rates: sum(
                    abs(np.log((rates[row.name] + 0.1) / (row.rate_assumed + 0.1)))
                    for row in report.populations
                ),
            )
        )
    for rates in states:
        if any(
            abs(rates[row.name] - row.rate_assumed) > 0.25 * row.rate_assumed
            for row in report.populations
        ):
            report.notes.append(
                "this circuit has another stable state, which it may take instead: "
                + ", ".join(f"{name} at {rate:.3g} Hz" for name, rate in rates.items())
                + ". A background that is stronger, so that inhibition has to prevail, leaves one state."
            )


def _target(population, mu_u, sigma_u, xi, rate):
    """(mu, sigma, rate); one of them None: two are given, or mu and sigma by default."""
    name, theta = population.name, population.neuron.threshold

    mu, sigma, xi = (
        number(value, name, what)
        for value, what in ((mu_u, "mu_u"), (sigma_u, "sigma_u"), (xi, "xi"))
    )
    hz = number(hertz(entry(rate, name, "rate"), "rate"), name, "rate")
    if xi is not None:
        if sigma is not None or mu is None:
            raise ValueError(
                "xi = (threshold - mu_U) / sigma_U: give it with mu_u, and without sigma_u."
            )
        sigma = sigma_of_xi(name, theta, mu, xi)
    if (mu is None) + (sigma is None) + (hz is None) != 1:
        raise ValueError(
            f"population {name!r}: give two of mu_u, sigma_u (or xi) and rate; the third follows from them."
        )
    if sigma is not None and not 0 < sigma < 1e150:
        raise ValueError(
            f"population {name!r}: sigma_U is {sigma:g}; the standard deviation of the membrane must be positive, and its square "
            "finite."
        )
    if hz is not None and not 0 < hz < 1 / max(population.neuron.refractory, 1e-3):
        raise ValueError(
            f"population {name!r}: the target rate is {hz:g} Hz; it must be above 0 and below "
            f"{1 / max(population.neuron.refractory, 1e-3):g} Hz (the refractory period, or 1 ms)."
        )
    return mu, sigma, hz


def _at(m, mu, sigma):
    return m.moved(mu, sigma)


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

    low, high = (
        (theta - 8 * sigma, theta + 8 * sigma)
        if mu is None
        else (0.02 * abs(theta - mu), 20 * abs(theta - mu))
    )
    if excess(low) > 0 or excess(high) < 0:
        what, other = (
            ("mu_U", f"sigma_U = {sigma:g}") if mu is None else ("sigma_U", f"mu_U = {mu:g}")
        )
        raise ValueError(
            f"population {cell.name!r}: no {what} from {low:.3g} to {high:.3g} gives {rate:g} Hz with {other}; choose "
            "another rate, or a target that lies further below threshold."
        )
    from scipy.optimize import brentq  # here: `import biosnn` stays quick

    x = brentq(excess, low, high, xtol=1e-9 * abs(high - low))
    return (x, sigma) if mu is None else (mu, x)


def _projections(network, cell):
    """Those onto a population that have synapses."""
    found = [p for p in network.projections if p.post == cell.name and network.in_degree(p) > 0]
    unsigned = [p.name for p in found if not p.non_negative]
    if unsigned:
        raise ValueError(
            f"population {cell.name!r}: the projections {', '.join(unsigned)} have no sign; with a background the "
            "initializer needs excitatory and inhibitory ones."
        )
    return found


def filled(network, cell, means, families):
    """The cell with its synapses at the given mean weights."""
    synapses = [
        Input(
            p.receptor,
            network.in_degree(p),
            means[p.name],
            (families[p.name].kappa - 1 + network.multiplicity(p)) * means[p.name] ** 2,
            p.pre,
            plasticity=short_term(p),
        )
        for p in _projections(network, cell)
    ]
    return replace(cell, inputs=cell.inputs + tuple(synapses))


def _afferents(network, cell, assumed, families):
    found, recurrent = [], recurrent_projections(network)
    for p in _projections(network, cell):
        receptor = cell.neuron.receptors[p.receptor]
        bar = hat = float(np.mean(cell.neuron.time_constants[cell.neuron.states[receptor.state]]))
        if not cell.neuron.reversal:
            bar, hat = (
                float(np.mean(e)) for e in psp_integrals(cell.neuron, network.dt, p.receptor)
            )
        share = efficacy(short_term(p), assumed[p.pre])
        found.append(
            Afferent(
                p.name,
                receptor.sign,
                p.name in recurrent,
                network.in_degree(p),
                assumed[p.pre],
                share * bar,
                share**2 * hat,
                1.0,
                families[p.name].kappa,
                network.multiplicity(p),
            )
        )
    return found


def _solve(network, cell, mu, sigma, assumed, families, shares):
    """Mean weights of all projections onto a population."""
    afferents = _afferents(network, cell, assumed, families)
    if cell.neuron.reversal:
        return solve_conductances(network, cell, afferents, mu, sigma, assumed, families, shares)
    alone = membrane(replace(cell, inputs=()), assumed)
    mu_0, v_0 = alone.mu, alone.sigma**2
    for i in cell.inputs:
        bar, hat = (float(np.mean(e)) for e in psp_integrals(cell.neuron, network.dt, i.receptor))
        mu_0, v_0 = mu_0 + i.rate * bar * i.mean, v_0 + i.rate * hat * i.square
    if v_0 >= sigma**2:
        raise ValueError(
            f"population {cell.name!r}: sigma_U > {np.sqrt(v_0):.4g} fails at sigma_U = {sigma:g}: the background alone has "
            "that standard deviation. Feasible: a larger sigma_U, or a background of smaller weights and higher rate."
        )
    try:
        solved = solve_dale(cell.name, afferents, mu - mu_0, np.sqrt(sigma**2 - v_0), 0.5, shares)
    except ValueError as error:
        raise ValueError(
            f"{error} (These are what the network must add: the background alone has mean {mu_0:.4g} and standard deviation "
            f"{np.sqrt(v_0):.4g}; the targets are mu_U = {mu:g} and sigma_U = {sigma:g}.)"
        ) from None
    return {name: mean for name, (mean, _) in solved.items()}


def solve_conductances(network, cell, afferents, mu, sigma, assumed, families, shares, alpha=0.5):
    """Mean weights of all projections onto a population with conductances. alpha: feed-forward share of the excitatory variance."""
    groups = [[a for a in afferents if a.sign == sign] for sign in (+1, -1)]
    silent = [a.name for a in afferents if not a.rate > 0]
    if not all(groups) or silent:
        raise ValueError(
            f"population {cell.name!r} needs excitatory and inhibitory projections from sources that fire"
            + (f"; {', '.join(silent)} is silent." if silent else ".")
        )
    split = variance_shares(groups[0], alpha, shares) | variance_shares(
        groups[1], 0.5, shares, split=False
    )
    unit = {a.name: np.sqrt(split[a.name] / (a.square * a.variance_gain)) for a in afferents}

    def at(e, f):
        return membrane(
            filled(
                network,
                cell,
                {a.name: unit[a.name] * (e if a.sign > 0 else f) for a in afferents},
                families,
            ),
            assumed,
        )

    def inhibition(e):
        """f that brings the mean to mu, or NaN."""
        if at(e, 0.0).mu < mu:
            return np.nan
        high = 1e-3
        while at(e, high).mu > mu:
            high *= 4
            if high > 1e4:
                return np.nan
        from scipy.optimize import brentq  # here: `import biosnn` stays quick

        return brentq(lambda f: at(e, f).mu - mu, 0.0, high, xtol=1e-10)

    grid = np.concatenate([[0.0], np.geomspace(1e-4, 30, 60)])
    fs = np.array([inhibition(e) for e in grid])
    sigmas = np.array([at(e, f).sigma if np.isfinite(f) else np.nan for e, f in zip(grid, fs)])
    if not np.any(np.isfinite(sigmas)):
        raise ValueError(
            f"population {cell.name!r}: no weights give mu_U = {mu:g}: it must lie between the reversal potentials "
            f"{', '.join(f'{v:g}' for v in cell.neuron.reversal.values())}, and within what the background leaves."
        )
    signs = np.sign(sigmas - sigma)
    crossing = np.flatnonzero(signs[:-1] * signs[1:] <= 0)
    if not crossing.size:
        raise ValueError(
            f"population {cell.name!r}: {np.nanmin(sigmas):.4g} <= sigma_U <= {np.nanmax(sigmas):.4g} fails at sigma_U = "
            f"{sigma:g}: no weights give it with mu_U = {mu:g} and this background. Feasible: a sigma_U in that range; fewer, "
            "slower inputs for a larger one; a background of smaller weights and higher rate for a smaller one."
        )
    k = crossing[0]
    from scipy.optimize import brentq  # here: `import biosnn` stays quick

    e = brentq(lambda e: at(e, inhibition(e)).sigma - sigma, grid[k], grid[k + 1], xtol=1e-9)
    f = inhibition(e)
    return {a.name: float(unit[a.name] * (e if a.sign > 0 else f)) for a in afferents}

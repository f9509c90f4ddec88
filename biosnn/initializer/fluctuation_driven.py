"""The fluctuation-driven initializer: weights that hold every membrane near, but below, threshold.

Rossbroich, Gygax & Zenke (2022), "Fluctuation-driven initialization for spiking neural network training". The free
membrane (threshold off) of every population gets the mean mu_U and the standard deviation sigma_U, with balanced
excitation and inhibition; the equations are in solver.py. Beyond the paper: input rates are measured from the data, the
rates assumed for recurrent populations are those they then fire with, and a closed loop corrects the scale of the weights
until the measured free membrane has the target moments.
"""

import numpy as np

from ..analysis import stats
from ..data.binning import bin_spikes
from ..engine.inputs import input_trains
from ..engine.run import run
from ..network.families import Exponential
from ..network.network import Network
from ..network.recurrence import recurrent_projections
from ..support.checks import check_names, choice, flag, instance
from ..support.checks import rate as checked_rate
from ..support.progress import progress_bar
from ..support.seeds import generator
from ..support.threads import checked_threads
from ..support.warn import warn
from ..theory import moments
from ..theory.density import stationary_rate
from ..theory.rates import adapted_rate, pooled_rate
from . import conductance as conductance_init
from . import shadows
from .advice import check_shares, did_not_settle, family_of, number, sigma_of_xi, silent_source
from .anderson import Anderson
from .circuit import draw_readout, initialize_circuit
from .equations import Afferent, solve_dale, solve_normal
from .report import InitializerReport, PopulationReport

_BLUR = 3.0  # times its tolerance, the closed loop may miss its target by where the sample measures no better
_TRIALS = 128  # of the closed loop


def fluctuation_driven(
    network,
    spikes=None,
    *,
    background=None,
    target_rate=None,
    mu_u=None,
    sigma_u=None,
    xi=None,
    alpha=0.9,
    family=Exponential(),
    assumed_rates=None,
    closed_loop=None,
    balance="population",
    shares=None,
    merge=True,
    seed=0,
    threads=None,
    progress=True,
):
    """Set all weights of `network` so that it starts in the fluctuation-driven regime. Returns an InitializerReport.

    spikes       data that the network will see: input rates are measured from it, recurrent rates are made consistent, and a
                 closed loop corrects the weights until the measured free membrane has the target moments
    mu_u, sigma_u, alpha   targets: numbers, or dicts by population. mu_U and sigma_U in units of U; default sigma_U = 1.
                 alpha: feed-forward share of the (excitatory) variance
    xi           instead of sigma_u: sigma_U = (threshold - mu_U) / xi, usually with 1 <= xi <= 3
    family       of the non-negative weights (families.py), or a dict by projection; weights of either sign are normal
    assumed_rates Hz, a number or a dict by input and population: what to assume instead of measuring (with a background: inputs alone)
    closed_loop  default: True with spikes or a background. False: the equations alone, with `assumed_rates` (inputs: measured if there are spikes)
    balance      "neuron": scale each neuron's inhibition so that its own mean is mu_U; "population": the mean over neurons
    shares       projection -> share of the variance within the excitatory (inhibitory) afferents of its target
    merge        how the data will be binned (several spikes of a unit in one step count once)
    seed         int or numpy Generator
    background   the circuit's external drive, as for `simulate`, which stays as it is: sets the weights of a sparse or dense, current-
                 or conductance-based circuit that is to be simulated (`circuit_init`); spikes, alpha, balance and merge play no part.
                 The closed loop simulates the circuit for 2 s a few times (closed_loop=False: theory alone, independent inputs, with the
                 last value of what changes with time). Biases count as part of the background.
                 target_rate: Hz, a number or a dict by population, then is a target in place of mu_u or sigma_u (xi)
    The free membrane is what synapses make of it: neither adaptation, which follows from a neuron's own spikes, nor bounds of U are in
    its moments; the rate that theory assumes for a population has the mean adaptation in it.
    Readouts get normal weights with variance 1/n, n the number of their afferents. Biases are left alone, and add to mu_U. Time constants
    are those that the network has now. Projections without synapses are left out. The number of afferents of a sparse projection is its
    mean, that of a convolution of a neuron away from the edges. Units that pool (network.pool)
    are assumed to fire in a step with probability 1 - (1 - p)^k, k neurons in a window; the closed loop measures their rate instead.
    Populations with conductances get their weights from the theory of mean_field.py, corrected by the closed loop (conductance_init.py).
    Time: seconds for a thousand neurons.
    """
    instance(network, "network", Network, "a Network")
    closed_loop, merge = (
        None if closed_loop is None else flag(closed_loop, "closed_loop"),
        flag(merge, "merge"),
    )
    progress = flag(progress, "progress")
    choice(balance, "balance", ("population", "neuron"))
    if background is not None:
        if spikes is not None:
            raise ValueError(
                "give spikes or background, not both: with a background the closed loop simulates the circuit."
            )
        return initialize_circuit(
            network,
            background,
            mu_u,
            sigma_u,
            xi,
            target_rate,
            family,
            assumed_rates,
            shares,
            generator(seed),
            closed_loop,
            threads,
            progress,
        )
    if target_rate is not None:
        raise ValueError(
            "a target rate needs background=[…]; without it the rates follow from mu_u and sigma_u."
        )
    mu_u, closed_loop = (
        0.0 if mu_u is None else mu_u,
        spikes is not None if closed_loop is None else closed_loop,
    )
    if closed_loop and spikes is None:
        raise ValueError(
            "the closed loop measures the membrane on data: give spikes, or closed_loop=False."
        )
    if balance == "neuron" and (
        shared := [name for name, s in network.synapses.items() if s.shares_weights]
    ):
        raise ValueError(
            f"balance='neuron' needs weights for every neuron; those of {', '.join(shared)} are shared."
        )
    design = _Design(
        network, mu_u, sigma_u, xi, alpha, family, shares, balance, merge, generator(seed)
    )
    design.assume_rates(spikes, assumed_rates, closed_loop)
    design.draw()
    design.solve()
    report = design.report()
    if closed_loop and design.targets:
        _close_loop(
            design,
            report,
            spikes,
            fixed=assumed_rates is not None,
            threads=checked_threads(threads),
            progress=progress,
        )
    return report


class _Design:
    """Targets, assumed rates, drawn samples and corrections, from which `solve` makes the weights."""

    def __init__(self, network, mu_u, sigma_u, xi, alpha, family, shares, balance, merge, rng):
        self.network, self.shares, self.balance, self.merge, self.rng = (
            moments.as_learned(network),
            shares,
            balance,
            merge,
            rng,
        )
        check_shares(network, shares)
        self.recurrent = recurrent_projections(network)
        self.pools = [
            p.name
            for p in network.pooling
            if any(
                q.pre == p.name and network[q.post].kind == "spiking" for q in network.projections
            )
        ]
        if sigma_u is not None and xi is not None:
            raise ValueError("give sigma_u or xi, not both: xi = (threshold - mu_U) / sigma_U.")
        self.targets, self.afferents, self.moments = {}, {}, {}
        for population in network.spiking:
            name = population.name
            if not self.afferent_projections(name):
                raise ValueError(
                    f"population {name!r} has no afferent projections with synapses, so no weights can set its membrane."
                )
            mu, a, sigma, its_xi = (
                number(value, name, what)
                for value, what in (
                    (mu_u, "mu_u"),
                    (alpha, "alpha"),
                    (sigma_u, "sigma_u"),
                    (xi, "xi"),
                )
            )
            mu, sigma = 0.0 if mu is None else mu, 1.0 if sigma is None else sigma
            if its_xi is not None:
                sigma = sigma_of_xi(name, population.neuron.threshold, mu, its_xi)
            if not 0 < sigma < 1e150:
                raise ValueError(
                    f"population {name!r}: sigma_U is {sigma:g} and mu_U {mu:g}; the standard deviation of the "
                    "membrane must be positive, with a finite square, and the mean below threshold."
                )
            if a is None or not 0 < a < 1 and not (a == 1 and not self.recurrent):
                raise ValueError(
                    f"population {name!r}: alpha is {a!r}; the feed-forward share of the variance lies between 0 and "
                    "1. To have no recurrence leave out the projection."
                )
            self.targets[name] = (mu, sigma, a)
        self.family = {
            p.name: family_of(family, p.name) for p in network.projections if p.non_negative
        }
        self.conducting = {p.name for p in network.spiking if p.neuron.reversal}
        if self.conducting and balance == "neuron":
            raise ValueError(
                f"balance='neuron' needs potentials that add up; those of {', '.join(sorted(self.conducting))} (conductances) do not."
            )
        self.dalian = {
            p.name: self._obeys_dale(p.name) and p.name not in self.conducting
            for p in network.spiking
        }
        # corrections of the solved weights: excitation x and inhibition y times, or (unsigned) x times plus y; of conductances, the target:
        # sigma_U x times, mu_U plus y
        self.gains = {name: (1.0, 1.0 if dalian else 0.0) for name, dalian in self.dalian.items()}

    def _obeys_dale(self, population):
        """Whether the afferents of a population have signs; ValueError if only some have."""
        free = [p.name for p in self.afferent_projections(population) if not p.non_negative]
        if free and len(free) < len(self.afferent_projections(population)):
            raise ValueError(
                f"population {population!r} has afferents with and without a sign; the initializer needs one kind. "
                f"Without: {', '.join(free)}."
            )
        return not free

    def afferent_projections(self, population):
        """Those with synapses."""
        return [
            p
            for p in self.network.projections
            if p.post == population and self.network.in_degree(p) > 0
        ]

    # ---------------------------------------------------------------------------------------- rates

    def assume_rates(self, spikes, rates, closed_loop):
        """Rates in Hz by source: given ones first, inputs from data, populations from theory at their target."""
        self.rates = {}
        given = (
            rates
            if isinstance(rates, dict)
            else {p.name: rates for p in self.network.sources}
            if rates is not None
            else {}
        )
        given = self.given = {
            name: checked_rate(rate, f"the rate of {name!r}", None) for name, rate in given.items()
        }
        check_names("rates", given, [p.name for p in self.network.sources])
        trains = input_trains(self.network, spikes) if spikes is not None else []
        if any(len(train) == 0 for train in trains):
            raise ValueError(
                "spikes have no trials, so there is nothing to measure rates and membranes from; give at least one, or rates={…} "
                "without spikes."
            )
        for population, train in zip(self.network.inputs, trains):
            self.rates[population.name] = bin_spikes(
                train, self.network.dt, merge=self.merge
            ).rate()
        self.rates |= given
        missing = [p.name for p in self.network.inputs if p.name not in self.rates]
        if missing:
            raise ValueError(
                f"the rates of the inputs {', '.join(missing)} are not known: give rates={{'{missing[0]}': Hz}} or "
                "spikes to measure them from."
            )
        for name, rate in self.rates.items():
            most = (
                1 / self.network.dt if self.merge or self.network[name].kind != "input" else np.inf
            )
            if not (np.isfinite(rate) and 0 <= rate <= most):
                raise ValueError(
                    f"the rate of {name!r} is {rate!r} Hz; it must be >= 0 and "
                    + (
                        f"at most one spike per step, {most:g} Hz."
                        if np.isfinite(most)
                        else "finite."
                    )
                )
        free, pools = (
            [p for p in some if p.name not in self.rates]
            for some in (self.network.spiking, self.network.pooling)
        )
        self.rates |= {
            p.name: self.theoretical_rate(p) for p in free if p.name not in self.conducting
        }
        self._assume_pooled(pools)
        if others := [p for p in free if p.name in self.conducting]:
            conductance_init.assume_rates(self, others)
            self._assume_pooled(pools)
        self.aimed = dict(self.rates)

    def _assume_pooled(self, pools):
        """Of units that pool independent neurons. (The closed loop measures them.)"""
        for p in pools:
            rate = self.rates.get(p.source, conductance_init.START)
            self.rates[p.name] = pooled_rate(
                rate, int(np.prod(p.pooling.size)), self.network.dt
            )

    def theoretical_rate(self, population):
        """Rate of the target membrane, with the variance shared equally over the receptors."""
        mu, sigma, _ = self.targets[population.name]
        receptors = {p.receptor for p in self.afferent_projections(population.name)}
        return self._rate(population, mu, sigma, dict.fromkeys(receptors, 1.0))

    def _rate(self, population, mu, sigma, receptor_variance):
        neuron, dt = population.neuron, self.network.dt
        tau = moments.current_time_constant(neuron, receptor_variance)

        def rate(shift):
            return stationary_rate(
                mu + shift,
                sigma,
                float(np.mean(neuron.time_constants["mem"])),
                tau,
                dt,
                neuron.threshold,
                neuron.reset,
                neuron.refractory_steps(dt),
            )

        return adapted_rate(rate, moments.adaptation_gain(neuron))

    # -------------------------------------------------------------------------------------- weights

    def draw(self):
        """Samples that solving scales: with mean 1 for non-negative weights, standard normal for the others."""
        self.samples = {}
        for p in self.network.projections:
            shape = self.network.weight_shape(p)
            if self.network[p.post].kind == "readout":
                draw_readout(self.network, p, self.rng)
            elif not self.network.in_degree(p) > 0:
                self.network.set_weights(p.name, np.zeros(shape))
            elif p.non_negative:
                self.samples[p.name] = self.family[p.name].draw(self.rng, shape)
            else:
                self.samples[p.name] = self.rng.normal(0, 1, shape)

    def describe(self, p):
        """Projection p as the solver sees it."""
        post, network = self.network[p.post], self.network
        eps_bar, eps_hat = (
            float(np.mean(e)) for e in moments.psp_integrals(post.neuron, network.dt, p.receptor)
        )
        binary = self.merge or network[p.pre].kind != "input"  # at most one spike a step
        rate = self.rates[p.pre]
        if not rate > 0 and p.pre in self.targets:
            raise silent_source(self, p)
        return Afferent(
            p.name,
            post.neuron.receptors[p.receptor].sign,
            p.name in self.recurrent,
            network.in_degree(p),
            rate,
            eps_bar,
            eps_hat,
            1 - rate * network.dt if binary else 1.0,
            self.family[p.name].kappa if p.non_negative else 1.0,
            network.multiplicity(p),
        )

    def solve(self, names=None):
        """Set the weights of the spiking populations (or some of them) from the assumed rates and the corrections."""
        for name in self.targets if names is None else names:
            mu, sigma, alpha = self.targets[name]
            if name in self.conducting:
                self._solve_conducting(name)
                continue
            afferents = self.afferents[name] = [
                self.describe(p) for p in self.afferent_projections(name)
            ]
            solver = solve_dale if self.dalian[name] else solve_normal
            solved = solver(name, afferents, mu, sigma, alpha, self.shares)
            self._apply(name, solved)
            if self.balance == "neuron" and not np.ndim(self.gains[name][1]):
                for _ in range(
                    8
                ):  # balancing changes the variance a little, and restoring it the balance
                    self._balance_neurons(name)
                    self._apply(name, solved)
            for a in afferents:
                x, y = (float(np.mean(g)) for g in self.gains[name])
                mean, deviation = solved[a.name]
                gain, offset = ((x if a.sign > 0 else y), 0.0) if self.dalian[name] else (x, y)
                self.moments[a.name] = (
                    self.family.get(a.name),
                    gain * mean + offset,
                    gain * deviation,
                )

    def _solve_conducting(self, name):
        population = self.network[name]
        self.afferents[name] = conductance_init.afferents(self, population)
        for projection, mean in conductance_init.solve(self, population, *self.gains[name]).items():
            self.network.set_weights(projection, mean * self.samples[projection])
            self.moments[projection] = (
                self.family[projection],
                mean,
                mean * np.sqrt(self.family[projection].kappa - 1),
            )

    def _apply(self, name, solved):
        """Weights = solved moments times samples, with the corrections."""
        x, y = self.gains[name]
        for a in self.afferents[name]:
            mean, deviation = solved[a.name]
            synapses = self.network.synapses.get(a.name)
            own = (
                y
                if synapses is None or not np.ndim(y)
                else synapses.in_order_of_weights(y[synapses.target])
            )  # of each neuron's synapses
            if self.dalian[name]:
                weights = mean * self.samples[a.name] * (x if a.sign > 0 else own)
            else:
                weights = x * (mean + deviation * self.samples[a.name]) + own
            self.network.set_weights(a.name, weights)

    def _theory(self, name):
        """By sign (+1, -1, 0): mean of each neuron's membrane; and the variance, with the weights as they are."""
        means, variances = {}, {}
        for p, a in zip(self.afferent_projections(name), self.afferents[name]):
            weights = self.network.weights[p.name].astype(float)
            means[a.sign] = means.get(
                a.sign, 0.0
            ) + a.rate * a.eps_bar * self.network.afferent_sums(p, weights)
            part = a.rate * a.fano * a.eps_hat * self.network.afferent_squares(p, weights).mean()
            variances[p.receptor] = variances.get(p.receptor, 0.0) + part
        return means, variances

    def scales(self, name):
        """What theory says of the size of the components of the closed loop, with the weights as they are."""
        if name in self.conducting:  # what is asked of theory stays, and so does the membrane
            return np.ones(1)
        self.afferents[name] = [self.describe(p) for p in self.afferent_projections(name)]
        means, variances = self._theory(name)
        if self.dalian[name]:
            return np.array([np.mean(means.get(sign, 1.0)) for sign in (+1, -1)])
        return np.array([np.sqrt(sum(variances.values())), 1.0])

    def _balance_neurons(self, name):
        """Choose each neuron's inhibition (or offset) so that theory gives it the mean mu_U; and keep the variance."""
        mu, sigma, _ = self.targets[name]
        means, variances = self._theory(name)
        factor = sigma / np.sqrt(sum(variances.values()))
        x, y = self.gains[name]
        if self.dalian[name]:
            needed = np.maximum(factor * means[+1] - mu, 0) / np.maximum(-means[-1], 1e-300)
            self.gains[name] = (x * factor, y * needed)
        else:
            unit = sum(a.n * a.rate * a.eps_bar for a in self.afferents[name])
            self.gains[name] = (x * factor, y * factor + (mu - factor * means[0]) / unit)

    # ------------------------------------------------------------------ position of the closed loop

    def position(self, fixed):
        """What the closed loop varies as one vector: logarithms of rates and factors, and offsets."""
        parts = []
        for name, (x, y) in self.gains.items():
            parts += [np.log([x]), np.ravel(np.log(y) if self.dalian[name] else y)]
            parts += [] if fixed else [np.log([self.rates[name]])]
        return np.concatenate(
            parts + ([] if fixed else [np.log([self.rates[name] for name in self.pools])])
        )

    def move(self, position, fixed):
        """Set rates and corrections from such a vector, and the weights from them."""
        at = 0
        for name, (_, y) in self.gains.items():
            size = np.size(y)
            x, new = float(np.exp(position[at])), position[at + 1 : at + 1 + size]
            new = np.exp(new) if self.dalian[name] else new
            self.gains[name] = (x, new if np.ndim(y) else float(new[0]))
            at += 1 + size
            if not fixed:
                self.rates[name], at = float(np.exp(position[at])), at + 1
        self.rates |= {name: float(np.exp(x)) for name, x in zip(self.pools, position[at:])}
        self.solve()

    # --------------------------------------------------------------------------------------- report

    def report(self):
        rows = [
            PopulationReport(
                p.name,
                float(p.neuron.threshold),
                self.targets[p.name][2],
                *self.targets[p.name][:2],
            )
            for p in self.network.spiking
        ]
        report = InitializerReport(
            rows, self.moments, {p.name: float(self.rates[p.name]) for p in self.network.inputs}
        )
        self.predict(report)
        return report

    def predict(self, report):
        """Theory with the weights as they are, for independent inputs at the assumed rates."""
        report.weights = self.moments
        for row, population in zip(report.populations, self.network.spiking):
            if row.name in self.conducting:
                conductance_init.predict(self, population, row)
                continue
            means, variances = self._theory(row.name)
            mean = sum(means.values())
            row.mu_predicted, row.spread_predicted = float(mean.mean()), float(mean.std())
            row.sigma_predicted, row.rate_assumed = (
                float(np.sqrt(sum(variances.values()))),
                float(self.rates[row.name]),
            )
            row.rate_predicted = float(
                np.mean(
                    [
                        self._rate(population, m, row.sigma_predicted, variances)
                        for m in _quantiles(mean)
                    ]
                )
            )


def _quantiles(means, n=9):
    """Representative neurons: the means of equal groups of the sorted values."""
    return [group.mean() for group in np.array_split(np.sort(means), min(n, means.size))]


# -------------------------------------------------------------------------------------- closed loop


def _close_loop(design, report, spikes, fixed, threads, progress, most=30):
    """Run, measure rates and free membranes, correct; until both agree with what was assumed and asked for.

    The circuit answers a correction with other rates, so that plain iteration is slow or overshoots: steps are
    accelerated by Anderson mixing. The best weights that were seen are kept.
    """
    network = design.network
    trains = input_trains(network, spikes)
    chosen = np.sort(design.rng.permutation(len(trains[0]))[:_TRIALS])
    sample = {p.name: train[chosen] for p, train in zip(network.inputs, trains)}
    mixing, best, n_trials = (
        Anderson(),
        (True, np.inf, np.inf),
        len(chosen),
    )  # best: (beyond its error, error, iteration, position)
    with progress_bar(most, "initializing", progress) as advance:
        for iteration in range(most):
            trace = run(network, sample, merge=design.merge, threads=threads)
            measured = shadows.measure(design, trace, threads)
            (error, blurred), position = (
                _record(design, report, trace, measured),
                design.position(fixed),
            )
            best = min(
                best,
                (blurred >= 1 or error >= _BLUR, error, iteration, position),
                key=lambda item: item[:2],
            )
            report.iterations = iteration + 1
            advance(1, f"largest error {error:.2g} of the tolerance")
            if error < 1.0 or iteration == most - 1:
                break
            if not fixed:
                design.rates |= {
                    name: max(float(count.mean() / trace.duration), 0.05)
                    for name, count in trace.counts.items()
                }
            _improve(design, measured)
            if not _move(design, position, mixing.step(position, design.position(fixed)), fixed):
                break
    report.converged, report.closed_loop = not best[0], True
    if error >= 1.0:
        design.move(best[3], fixed)
        trace = run(network, sample, merge=design.merge, threads=threads)
        error, blurred = _record(design, report, trace, shadows.measure(design, trace, threads))
        if report.converged:
            report.notes.append(
                f"the closed loop settled within two standard errors of its {n_trials} trials ({error:.2g} times its tolerance): "
                "more or longer trials measure the membrane, and reach the target, more closely."
            )
        else:
            report.notes.append(did_not_settle(design, n_trials, blurred < 0.8 * error))
            warn(report.notes[-1])
    design.predict(report)


def _move(design, position, target, fixed):
    """From a position of the closed loop to another; where conductances allow no such membrane, a part of the way. Whether it moved."""
    for share in (1.0, 0.5, 0.25, 0.125):
        try:
            design.move(position + share * (target - position), fixed)
            return True
        except ValueError:
            if not design.conducting:
                raise
    return False


def _record(design, report, trace, measured):
    """Write measured values into the report; returns the largest error in units of its tolerance, and of two standard errors, if larger."""
    worst = np.zeros(2)
    for row in report.populations:
        part, mu, sigma = measured[row.name], row.mu_target, row.sigma_target
        dalian = design.dalian[row.name]
        row.rate_assumed = float(design.rates[row.name])
        mean = part.mean.sum(axis=0) if dalian else part.mean[0]
        variance = part.covariance.sum(axis=(0, 1)) if dalian else part.covariance[0, 0]
        row.mu_measured, row.spread_measured = float(mean.mean()), float(mean.std())
        row.sigma_measured = float(np.sqrt(variance.mean()))
        row.rate_measured = float(trace.counts[row.name].mean() / trace.duration)
        row.cv_measured, _ = stats.pooled_cv(trace.spikes[row.name])
        if dalian and part.mean[1].mean() != 0:
            row.ei_ratio = float(-part.mean[0].mean() / part.mean[1].mean())
        errors = np.abs(
            [row.sigma_measured - sigma, row.mu_measured - mu, row.rate_measured - row.rate_assumed]
        )
        tolerance = np.array(
            [0.01 * sigma, 0.01 * max(sigma, abs(mu)), 0.03 * max(row.rate_assumed, 1.0)]
        )
        counts = trace.counts[row.name].mean(axis=1, dtype=float)
        blur = 2 * np.array(
            [part.errors[1], part.errors[0], counts.std() / np.sqrt(counts.size) / trace.duration]
        )
        worst = np.maximum(
            worst, [np.max(errors / tolerance), np.max(errors / np.maximum(tolerance, blur))]
        )
    return tuple(worst)


def _improve(design, measured):
    """Solve for the rates that were measured, then correct what is left.

    The components were measured with the weights of before; those of now scale them as theory says.
    """
    before = {name: design.scales(name) for name in measured}
    design.solve([name for name in design.targets if name not in design.conducting])
    for name, part in measured.items():
        ratio = design.scales(name) / before[name]
        _correct(
            design,
            name,
            shadows.Components(
                part.mean * ratio[:, None], part.covariance * (ratio[:, None] * ratio)[..., None]
            ),
        )


def _correct(design, name, part):
    """Scale the two components so that, with the spikes that were measured, the free membrane has the target moments.

    With U = x U_1 + y U_2 the mean fixes y = (mu - x m_1) / m_2 =: c - d x, and the variance x^2 V_1 + y^2 V_2 + 2 x y C is a
    quadratic in x. With balance="neuron" y is chosen for each neuron. Steps are at most a factor of 2.
    """
    if name in design.conducting:
        design.gains[name] = conductance_init.corrected(
            design.gains[name], design.targets[name], part
        )
        return
    mu, sigma, _ = design.targets[name]
    neuronwise = design.balance == "neuron"
    m1, m2 = part.mean if neuronwise else part.mean.mean(axis=1, keepdims=True)
    (v1, c12), (_, v2) = (
        part.covariance if neuronwise else part.covariance.mean(axis=2, keepdims=True)
    )
    dalian = design.dalian[name]
    if np.any(
        np.abs(m2) < 1e-6 * sigma
    ):  # the second part is silent: only the scale of the first can help
        x, y = float(sigma / np.sqrt(max(np.mean(v1), 1e-12))), np.asarray(1.0 if dalian else 0.0)
    else:
        c, d = mu / m2, m1 / m2
        a2, a1, a0 = (
            np.mean(v1 + d * d * v2 - 2 * d * c12),
            np.mean(2 * c * c12 - 2 * c * d * v2),
            np.mean(c * c * v2) - sigma**2,
        )
        x = float((-a1 + np.sqrt(max(a1 * a1 - 4 * a2 * a0, 0.0))) / (2 * a2))
        y = c - d * x
    x, y = float(np.clip(x, 0.5, 2.0)), np.clip(y, 0.5, 2.0) if dalian else y
    y = y if neuronwise else float(np.squeeze(y))
    gain_x, gain_y = design.gains[name]
    design.gains[name] = (gain_x * x, gain_y * y if dalian else gain_y * x + y)

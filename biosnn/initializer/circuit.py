"""The start of a circuit that a background drives: free membranes measured in a simulation.

The background is fixed: it gives a population the mean mu_0 and the variance v_0. Excitation and
inhibition from the network supply the rest. With N_p the expected in-degree, E[w_p] =
sqrt(s_p / (kappa_p N_p nu_p eps_hat_p)) times e (or f) and equal shares s_p of the variances e^2
(excitation) and f^2 (inhibition):

    current-based       mu_U - mu_0 = a e - h f      sigma_U^2 - v_0 = e^2 + f^2    (equations.py)
    conductance-based   the same two conditions with the effective time constant and driving force
                        that the weights themselves bring about       (conductance_equations.py)

The rates nu are those with which the populations then fire: theory at the target, iterated until
they agree. Neurons that share inputs are not independent, though, and in the circuit sigma_U
departs by a fifth. The closed loop simulates it with probes that never spike (probes.py), and
solves the same equations for the rates that were measured and for other moments mu', sigma':

    mu' += mu_U - measured                 log sigma' += log(sigma_U / measured)

or, for a target rate, log(rate / measured) over the slope of theory.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..network.distributions import Normal
from ..network.drawing import draw_all, drawn_weights
from ..network.network import Network
from ..network.recurrence import recurrent_projections
from ..theory.circuits import background_cell, check_no_pooling, describe, named_background
from ..theory.mean_field import fixed_point
from ..theory.membrane import membrane
from ..theory.moments import Moments, as_learned, psp_integrals
from ..theory.rates import colour_corrected_rate
from . import advice
from .afferents import afferent, filled
from .baselines import draw_readout
from .closed_loop import Miss, Start
from .conductance_equations import ConductanceEquations
from .equations import beside_background, solve_dale
from .probes import Probes
from .rate_targets import first_guess, predicted_rate, slope_of_rate, with_rate
from .targets import Wishes, check_shares, family_of, given_rates

#: Seconds of a measurement: before it counts, and that count.
WARM_UP, SECONDS = 0.3, 2.0
#: Measurements of the closed loop, at most.
MEASUREMENTS = 20
#: Tolerance of the closed loop: of sigma_U and mu_U, of a target rate.
CLOSE, CLOSE_RATE = 0.03, 0.05
#: Theory: iterations at most; change of a rate or moment that counts as none; Hz to begin with.
_ITERATIONS, _SETTLED, _FIRST_RATE = 60, 2e-3, 5.0


class CircuitStart(Start):
    """The start of a circuit with a background.

    Parameters
    ----------
    network
        Its weights are set.
    background
        As for `simulate`.
    wishes
        The targets.
    family, shares
        As for `fluctuation_driven`.
    rates
        Hertz of the inputs: for all, a dict by name, or None.
    closed_loop
        Whether the membrane will be measured.
    rng
        Where the random numbers come from.
    """

    retreats = True

    def __init__(
        self,
        network: Network,
        background: Sequence,
        wishes: Wishes,
        *,
        family: Any,
        shares: Mapping[str, float] | None,
        rates: Any,
        closed_loop: bool,
        rng: np.random.Generator,
    ):
        check_no_pooling(network)
        check_shares(network, shares)
        self.network = as_learned(network)
        self.background = named_background(network, background)
        self.shares = shares
        self.rng = rng
        self.recurrent = recurrent_projections(network)
        self.targets = wishes.in_a_circuit(self.network)
        self.given = _input_rates(self.network, rates)
        self.period = (WARM_UP, WARM_UP + SECONDS) if closed_loop else None
        projections = self.network.projections
        self.families = {
            p.name: family_of(family, p.name) for p in projections if p.post in self.targets
        }
        self.bare = {
            p.name: background_cell(self.network, p, self.background, self.period)
            for p in self.network.spiking
        }
        self.keys = {p.name: int(rng.integers(2**63)) for p in projections}
        for p in projections:
            if p.post not in self.targets:
                draw_readout(self.network, p, np.random.default_rng(self.keys[p.name]))
        self.rates: dict[str, float] = {}
        self.guess: dict[str, tuple[float, float]] = {}  # (mu', sigma') of the equations
        self.means: dict[str, float] = {}  # projection -> mean weight
        self.factor: dict[str, float] = {}  # rate over the colour-corrected formula

    # ---------------------------------------------------------------------------------- equations

    def _projections(self, name):
        """Those onto a population that have synapses; ValueError if one has no sign."""
        network = self.network
        found = [p for p in network.projections if p.post == name and network.in_degree(p) > 0]
        unsigned = [p.name for p in found if not p.non_negative]
        if unsigned:
            raise ValueError(
                f"population {name!r}: the projections {', '.join(unsigned)} have no sign; with a "
                "background the initializer needs excitatory and inhibitory ones."
            )
        return found

    def _solve(self, name):
        """Mean weights onto a population from the guess and the assumed rates."""
        cell, (mu, sigma) = self.bare[name], self.guess[name]
        projections = self._projections(name)
        afferents = [
            afferent(
                self.network,
                cell.neuron,
                p,
                self.rates[p.pre],
                recurrent=p.name in self.recurrent,
                kappa=self.families[p.name].kappa,
            )
            for p in projections
        ]
        if cell.neuron.reversal:
            equations = ConductanceEquations(
                network=self.network,
                cell=cell,
                projections=projections,
                afferents=afferents,
                rates=self.rates,
                families=self.families,
                shares=self.shares,
            )
            self.means |= equations.solve(mu, sigma)
        else:
            self.means |= self._solve_currents(cell, afferents, mu, sigma)

    def _solve_currents(self, cell, afferents, mu, sigma):
        """Projection -> mean weight, where potentials add up."""
        mu_0, v_0 = self._moments_of_background(cell)

        def solve(mu, sigma):
            return solve_dale(cell.name, afferents, mu, sigma, 0.5, self.shares)

        solved = beside_background(solve, cell.name, (mu, sigma), mu_0, v_0)
        return {name: mean for name, (mean, _) in solved.items()}

    def _moments_of_background(self, cell):
        """Mean and variance of U without the network, in discrete time."""
        alone = membrane(replace(cell, inputs=()), self.rates)
        mu, variance = alone.mu, alone.sigma**2
        for i in cell.inputs:
            bar, hat = (
                float(np.mean(e)) for e in psp_integrals(cell.neuron, self.network.dt, i.receptor)
            )
            mu = mu + i.rate * bar * i.mean
            variance = variance + i.rate * hat * i.square
        return mu, variance

    def membrane(self, name: str) -> Moments:
        """Return the free membrane of a population, for independent inputs at the assumed rates."""
        cell, projections = self.bare[name], self._projections(name)
        return membrane(
            filled(self.network, cell, projections, self.means, self.families), self.rates
        )

    def make_consistent(self) -> tuple[bool, int]:
        """Find weights for the targets, and the rates with which theory then fires.

        Returns
        -------
        Whether they agree, and the number of iterations.
        """
        self.rates |= self.given
        self.factor = dict.fromkeys(self.targets, 1.0)
        for name, t in self.targets.items():
            self.rates[name] = _FIRST_RATE if t.rate is None else t.rate
            self.guess[name] = first_guess(self.bare[name].neuron.threshold, t)
        for iteration in range(_ITERATIONS):
            refresh = iteration % 5 == 0
            change = max([self._approach(name, refresh) for name in self.targets], default=0.0)
            if change < _SETTLED and refresh:
                return True, iteration + 1
        return False, _ITERATIONS

    def _approach(self, name, refresh):
        """One iteration for a population; returns the change. refresh: compute densities again."""
        t, neuron = self.targets[name], self.bare[name].neuron
        mu, sigma = self.guess[name]
        self._solve(name)
        m = self.membrane(name).moved(mu, sigma)
        dt = self.network.dt
        predicted, self.factor[name] = predicted_rate(neuron, m, dt, self.factor[name], refresh)
        if t.rate is None:
            assumed = self.rates[name]
            self.rates[name] = (assumed + max(predicted, 1e-3)) / 2
            return abs(predicted - assumed) / max(predicted, 0.1)
        new_mu, new_sigma = with_rate(self.bare[name], t, m, self.factor[name])
        self.guess[name] = ((mu + new_mu) / 2, (sigma + new_sigma) / 2)
        return max(abs(new_mu - mu) / sigma, abs(new_sigma / sigma - 1))

    def apply(self) -> None:
        """Set the weights: the mean weights times samples, which are the same every time."""
        network = self.network
        for p in network.projections:
            if p.post in self.bare and not network.in_degree(p) > 0:
                network.set_weights(p.name, 0.0)
        for name in self.bare:
            for p in self._projections(name):
                self._draw(p)

    def _draw(self, p):
        """Set the weights of a projection."""
        network, key = self.network, self.keys[p.name]
        family, mean = self.families[p.name], self.means[p.name]
        if p.name not in network.synapses:
            shape = (network[p.pre].n, network[p.post].n)
            samples = family.draw(np.random.default_rng(key), shape)
            network.set_weights(p.name, mean * samples)
        elif family.kappa == 1:
            network.set_weights(p.name, mean)
        else:
            shape = network.weight_shape(p)

            def weights(rng, size):
                return mean * family.draw(rng, size)

            drawn = drawn_weights(weights, int(np.prod(shape)), key, network.dtype)
            values = draw_all(drawn, network.dtype).reshape(shape)
            network.set_weights(p.name, values, copy=False)

    def predict(self) -> None:
        """See Start: theory of independent inputs; and the rate of a membrane with the targets."""
        if self.report.closed_loop:  # theory at the measured rates
            self.rates |= {r.name: max(r.measured.rate, 1e-3) for r in self.report.populations}
        for row in self.report.populations:
            name, neuron = row.name, self.bare[row.name].neuron
            m = self.membrane(name)
            at_target = m.moved(row.target.mu, row.target.sigma)
            rate = self.factor[name] * colour_corrected_rate(neuron, at_target)
            row.predicted = m.but(rate=float(rate))
            row.target = row.target.but(rate=float(self.targets[name].rate or self.rates[name]))
        self.report.weights |= {
            name: (self.families[name], mean, mean * np.sqrt(self.families[name].kappa - 1))
            for name, mean in self.means.items()
        }

    # -------------------------------------------------------------------------------- closed loop

    def probe(self, threads: int | None) -> None:
        """Prepare the measurements; `threads`: as for `simulate`."""
        self.probes = Probes(self.network, self.background, self.rng)
        self.threads = threads
        self.first = dict(self.guess)

    def position(self) -> NDArray[np.float64]:
        """See Start: for each population mu' in units of sigma_U, log sigma', log rate."""
        found = []
        for name, (mu, sigma) in self.guess.items():
            found.append((mu / self.first[name][1], np.log(sigma), np.log(self.rates[name])))
        return np.array(found).ravel()

    def move(self, position: NDArray[np.float64]) -> None:
        """See Start."""
        for name, (mu, log_sigma, log_rate) in zip(self.targets, position.reshape(-1, 3)):
            self.guess[name] = (mu * self.first[name][1], float(np.exp(log_sigma)))
            self.rates[name] = float(np.exp(log_rate))
        for name in self.targets:
            self._solve(name)
        self.apply()

    def measure(self) -> Miss:
        """See Start: simulate the circuit with its probes."""
        initial = {
            f"{name}.U": Normal(mu, sigma, high=np.maximum(self.threshold(name), mu))
            for name, (mu, sigma) in self.first.items()
        }
        found = self.probes.measure(self.rates, initial, WARM_UP, SECONDS, self.threads)
        worst = 0.0
        for row in self.report.populations:
            row.measured = found[row.name]
            worst = max(worst, *_errors(self.targets[row.name], row))
        return Miss(beyond=worst >= 1, error=worst)

    def image(self) -> NDArray[np.float64]:
        """See Start."""
        found = []
        for row in self.report.populations:
            t, measured = self.targets[row.name], row.measured
            mu, sigma = self.guess[row.name]
            rate = max(measured.rate, 0.05)
            y = np.log(sigma) if t.sigma is None else np.log(sigma * t.sigma / measured.sigma)
            x = mu if t.mu is None else mu + t.mu - measured.mu
            if t.rate is not None:
                missing = np.log(t.rate / rate) / self._slope_of_rate(row.name)
                x, y = (x + missing, y) if t.mu is None else (x, y + missing)
            found.append((x / self.first[row.name][1], y, np.log(rate)))
        return np.array(found).ravel()

    def _slope_of_rate(self, name):
        """Change of the log rate with mu, or with log sigma, at the first guess."""
        neuron, m = self.bare[name].neuron, self.membrane(name)
        return slope_of_rate(neuron, self.targets[name], m.moved(*self.first[name]))

    def advice(self, miss: Miss) -> str:
        """See Start."""
        return advice.did_not_settle_in_circuit(CLOSE, CLOSE_RATE)

    def check_stable(self) -> None:
        """Note where the circuit need not go to, or stay in, the state that was asked for."""
        rows = self.report.populations
        cells = describe(self.network, self.background, self.period)
        point = fixed_point(cells, self.given, dt=self.network.dt)
        states = [point.rates, *point.others]
        if self.report.closed_loop:
            # theory, which knows no correlations, need not have the rates that were measured: the
            # nearest state is theirs
            states.remove(min(states, key=lambda rates: _distance(rates, rows)))
        for rates in states:
            if any(abs(rates[r.name] - r.target.rate) > 0.25 * r.target.rate for r in rows):
                self.report.notes.append(advice.another_state(rates))


def _distance(rates, rows):
    """How far rates are from those of the report, on a logarithmic scale."""
    return sum(abs(np.log((rates[r.name] + 0.1) / (r.target.rate + 0.1))) for r in rows)


def _errors(target, row):
    """Errors of a measurement in units of their tolerances."""
    m, errors = row.measured, []
    if target.mu is not None:
        scale = max(row.target.sigma, abs(target.mu))
        errors.append(abs(m.mu - target.mu) / (CLOSE * scale))
    if target.sigma is not None:
        errors.append(abs(m.sigma / target.sigma - 1) / CLOSE)
    if target.rate is not None:
        errors.append(abs(m.rate - target.rate) / (CLOSE_RATE * max(target.rate, 1.0)))
    return errors


def _input_rates(network, rates):
    """Input -> Hz."""
    inputs = [p.name for p in network.inputs]
    what = "assumed_rates (with a background of inputs alone: those of populations follow)"
    given = given_rates(rates, inputs, what, "the inputs ")
    if missing := [name for name in inputs if name not in given]:
        raise ValueError(
            f"the rates of the inputs {', '.join(missing)} are not known: give "
            f"assumed_rates={{'{missing[0]}': Hz}}."
        )
    for name, rate in given.items():
        if not 0 <= rate <= 1 / network.dt:
            raise ValueError(
                f"the rate of {name!r} is {rate!r} Hz; it must be >= 0 and at most one spike per "
                f"step, {1 / network.dt:g} Hz."
            )
    return given

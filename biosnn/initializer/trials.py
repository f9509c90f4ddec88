"""The start on trials of data: assumed rates, weights, and free membranes measured on the trials.

Input rates are measured from the data. The rates assumed for recurrent populations are those with
which they then fire. The closed loop corrects the weights until the measured free membrane has the
target moments.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..analysis import stats
from ..data.binning import bin_spikes
from ..engine.inputs import input_trains
from ..engine.run import run
from ..network.network import Network
from ..network.recurrence import recurrent_projections
from ..support.timegrid import covering_steps
from ..theory.circuits import background_cell, named_background
from ..theory.membrane import Cell
from ..theory.moments import Moments, as_learned
from ..theory.rates import pooled_rate
from . import advice, conductances, shadows
from .baselines import draw_readout
from .closed_loop import Miss, Start
from .conductances import Conductances
from .noise import Noise, measure_noise, of_rows, typical_trial
from .potentials import Potentials
from .targets import Wishes, check_shares, family_of, given_rates

#: Trials of the closed loop, and measurements at most.
TRIALS, MEASUREMENTS = 128, 30
#: Times its tolerance, the closed loop may miss its target by where the sample measures no better.
_BLUR = 3.0
#: Tolerance: of sigma_U and mu_U (in sigma_U), of rates. Least rate (Hz) that is assumed.
_CLOSE, _CLOSE_RATE, _LEAST_RATE = 0.01, 0.03, 0.05


class TrialStart(Start):
    """The start of a network on trials.

    Parameters
    ----------
    network
        Its weights are set.
    wishes
        The targets.
    family, shares, balance, merge
        As for `fluctuation_driven`.
    rng
        Where the random numbers come from.
    background, spikes
        Background of the trials, and their spikes; without a background both may be left out.
    """

    def __init__(
        self,
        network: Network,
        wishes: Wishes,
        *,
        family: Any,
        shares: Mapping[str, float] | None,
        balance: str,
        merge: bool,
        rng: np.random.Generator,
        background: Sequence = (),
        spikes: Any = None,
    ):
        check_shares(network, shares)
        self.network = as_learned(network)
        self.shares = shares
        self.balance = balance
        self.merge = merge
        self.rng = rng
        self.recurrent = recurrent_projections(network)
        self._give_background(background, spikes)
        afferents = {p.name: self._afferents(p.name) for p in network.spiking}
        self.targets = wishes.on_trials(self.network, self.recurrent)
        self.families = {
            p.name: family_of(family, p.name) for p in network.projections if p.non_negative
        }
        self.pools = [p.name for p in network.pooling if self._drives_membranes(p.name)]
        self.equations = {
            p.name: self._equations(self.network[p.name], afferents[p.name])
            for p in network.spiking
        }
        self.retreats = any(isinstance(each, Conductances) for each in self.equations.values())
        self._check_balance()
        self.weights: dict[str, tuple] = {}  # projection -> (family, mean, standard deviation)
        self.samples: dict[str, NDArray] = {}
        self.fixed = False  # whether the loop takes the assumed rates as they are

    def _give_background(self, background, spikes):
        """Check the background, and see what it adds to membranes on typical trials."""
        self.background: list = []
        self.noise: dict[str, Noise] = {}
        if not background:
            return
        trains = input_trains(self.network, spikes)
        n, dt = len(trains[0]), self.network.dt
        self.background = named_background(self.network, background, n)
        self.steps = covering_steps(trains[0].duration, dt)
        self._measure_noise(np.unique(np.linspace(0, n - 1, min(n, TRIALS)).astype(int)), None)

    def _measure_noise(self, rows, threads):
        """See what the background adds to membranes on some trials."""
        chosen = of_rows(self.background, rows)
        self.noise = measure_noise(self.network, chosen, len(rows), self.steps, threads)

    def cell(self, population: Any, neuron: Any) -> Cell:
        """Return a population with its background as theory sees it, and without synapses."""
        if not self.background:
            return Cell(population.name, neuron, ())
        typical = typical_trial(self.background)
        period = (0.0, self.steps * self.network.dt)
        cell = background_cell(self.network, population, typical, period)
        bias = float(np.mean(self.network.bias(population)))  # biases add to mu_U
        return replace(cell, neuron=neuron, current=cell.current - bias)

    def _afferents(self, name):
        """Projections onto a population that have synapses; ValueError if there are none."""
        network = self.network
        found = [p for p in network.projections if p.post == name and network.in_degree(p) > 0]
        if not found:
            raise ValueError(
                f"population {name!r} has no afferent projections with synapses, so no weights can "
                "set its membrane."
            )
        return found

    def _drives_membranes(self, name):
        """Whether a population projects onto a spiking one."""
        network = self.network
        return any(p.pre == name and network[p.post].kind == "spiking" for p in network.projections)

    def _equations(self, population, afferents):
        """The equations of a population; ValueError if only some of its afferents have a sign."""
        free = [p.name for p in afferents if not p.non_negative]
        if free and len(free) < len(afferents):
            raise ValueError(
                f"population {population.name!r} has afferents with and without a sign; the "
                f"initializer needs one kind. Without: {', '.join(free)}."
            )
        if population.neuron.reversal:
            return Conductances(self, population, afferents)
        return Potentials(self, population, afferents, dalian=not free)

    def _check_balance(self):
        """ValueError where balance="neuron" makes no sense."""
        names = [name for name, e in self.equations.items() if isinstance(e, Conductances)]
        if names and self.balance == "neuron":
            raise ValueError(
                "balance='neuron' needs potentials that add up; those of "
                f"{', '.join(sorted(names))} (conductances) do not."
            )

    # -------------------------------------------------------------------------------------- rates

    def assume_rates(self, spikes: Any, given: Any) -> None:
        """Choose the rates that the equations assume.

        Given ones first; inputs from data; populations from theory at their targets.

        Parameters
        ----------
        spikes
            Data, or None.
        given
            Hertz for all sources, a dict by name, or None.
        """
        network = self.network
        names = [p.name for p in network.sources]
        self.given = given_rates(given, names, "assumed_rates")
        self.fixed = given is not None
        self.rates = self._measured_inputs(spikes) | self.given
        missing = [p.name for p in network.inputs if p.name not in self.rates]
        if missing:
            raise ValueError(
                f"the rates of the inputs {', '.join(missing)} are not known: give "
                f"assumed_rates={{'{missing[0]}': Hz}} or spikes to measure them from."
            )
        self._check_rates()
        free = [self.equations[p.name] for p in network.spiking if p.name not in self.rates]
        pools = [p for p in network.pooling if p.name not in self.rates]
        conducting = [each for each in free if isinstance(each, Conductances)]
        self.rates |= {
            each.population.name: each.target_rate() for each in free if each not in conducting
        }
        self._assume_pooled(pools)
        if conducting:
            conductances.assume_rates(conducting, self.rates)
            self._assume_pooled(pools)
        self.aimed = dict(self.rates)

    def _measured_inputs(self, spikes):
        """Input -> hertz in the data."""
        network = self.network
        if spikes is None:
            return {}
        trains = input_trains(network, spikes)
        if any(len(train) == 0 for train in trains):
            raise ValueError(
                "spikes have no trials, so there is nothing to measure rates and membranes from; "
                "give at least one, or assumed_rates={…} without spikes."
            )
        return {
            p.name: bin_spikes(train, network.dt, merge=self.merge).rate()
            for p, train in zip(network.inputs, trains)
        }

    def _check_rates(self):
        """ValueError for rates that cannot be."""
        for name, rate in self.rates.items():
            binary = self.merge or self.network[name].kind != "input"
            most = 1 / self.network.dt if binary else np.inf
            if not (np.isfinite(rate) and 0 <= rate <= most):
                limit = f"at most one spike per step, {most:g} Hz." if binary else "finite."
                raise ValueError(
                    f"the rate of {name!r} is {rate!r} Hz; it must be >= 0 and {limit}"
                )

    def _assume_pooled(self, pools):
        """Rates of units that pool independent neurons; the closed loop measures them."""
        for p in pools:
            rate = self.rates.get(p.source, conductances.START)
            self.rates[p.name] = pooled_rate(rate, int(np.prod(p.pooling.size)), self.network.dt)

    # ------------------------------------------------------------------------------------ weights

    def draw(self) -> None:
        """Draw the samples that solving scales, and the weights onto readouts.

        Samples have mean 1 for non-negative weights; they are standard normal for the others.
        """
        for p in self.network.projections:
            shape = self.network.weight_shape(p)
            if self.network[p.post].kind == "readout":
                draw_readout(self.network, p, self.rng)
            elif not self.network.in_degree(p) > 0:
                self.network.set_weights(p.name, np.zeros(shape))
            elif p.non_negative:
                self.samples[p.name] = self.families[p.name].draw(self.rng, shape)
            else:
                self.samples[p.name] = self.rng.normal(0, 1, shape)

    def solve(self) -> None:
        """Set the weights onto spiking populations from the assumed rates and the corrections."""
        for equations in self.equations.values():
            equations.solve()

    def predict(self) -> None:
        """See Start."""
        self.report.weights = self.weights
        for row in self.report.populations:
            row.predicted = self.equations[row.name].predicted()
            row.target = row.target.but(rate=float(self.rates[row.name]))

    # -------------------------------------------------------------------------------- closed loop

    def sample(self, spikes: Any, threads: int | None) -> None:
        """Choose the trials of the closed loop; `threads`: as for `run`."""
        trains = input_trains(self.network, spikes)
        chosen = np.sort(self.rng.permutation(len(trains[0]))[:TRIALS])
        self.trials = {p.name: train[chosen] for p, train in zip(self.network.inputs, trains)}
        self.n_trials = len(chosen)
        self.threads = threads
        self.chosen = chosen
        if self.background:
            self._measure_noise(chosen, threads)

    def position(self) -> NDArray[np.float64]:
        """See Start: logarithms of rates and factors, and offsets."""
        parts = []
        for name, equations in self.equations.items():
            x, y = equations.gains
            parts += [np.log([x]), np.ravel(np.log(y) if equations.dalian else y)]
            parts += [] if self.fixed else [np.log([self.rates[name]])]
        if not self.fixed:
            parts.append(np.log([self.rates[name] for name in self.pools]))
        return np.concatenate(parts)

    def move(self, position: NDArray[np.float64]) -> None:
        """See Start."""
        at = 0
        for name, equations in self.equations.items():
            _, y = equations.gains
            size = np.size(y)
            x, new = float(np.exp(position[at])), position[at + 1 : at + 1 + size]
            new = np.exp(new) if equations.dalian else new
            equations.gains = (x, new if np.ndim(y) else float(new[0]))
            at += 1 + size
            if not self.fixed:
                self.rates[name] = float(np.exp(position[at]))
                at += 1
        self.rates |= {name: float(np.exp(x)) for name, x in zip(self.pools, position[at:])}
        self.solve()

    def measure(self) -> Miss:
        """See Start: run the trials, and shadows with the same spikes."""
        network = self.network
        background = of_rows(self.background, self.chosen)
        options: dict[str, Any] = {
            "merge": self.merge,
            "threads": self.threads,
            "background": background,
        }
        trace = run(network, self.trials, **options)
        found = shadows.measure(network, self.equations, trace, **options)
        self.measured_rates = {
            name: float(count.mean() / trace.mean_duration) for name, count in trace.counts.items()
        }
        self.parts = {name: parts for name, (_, parts) in found.items()}
        errors = []
        for row in self.report.populations:
            counts = trace.counts[row.name].mean(axis=1, dtype=float)
            rate_error = counts.std() / np.sqrt(counts.size) / trace.mean_duration
            moments, _ = found[row.name]
            row.target = row.target.but(rate=float(self.rates[row.name]))
            row.measured = moments.but(
                rate=self.measured_rates[row.name],
                cv=stats.pooled_cv(trace.spikes[row.name])[0],
                errors=(moments.errors or Moments()).but(rate=rate_error),
            )
            errors.append(_errors(row.target, row.measured))
        error, self.beyond_blur = np.max(errors, axis=0, initial=0.0)
        return Miss(beyond=self.beyond_blur >= 1 or error >= _BLUR, error=error)

    def image(self) -> NDArray[np.float64]:
        """See Start: solve for the rates that were measured, then correct what is left.

        The components were measured with the previous weights; the present ones scale them as
        theory says.
        """
        if not self.fixed:
            self.rates |= {
                name: max(rate, _LEAST_RATE) for name, rate in self.measured_rates.items()
            }
        before = {name: equations.scales() for name, equations in self.equations.items()}
        for equations in self.equations.values():
            if isinstance(equations, Potentials):
                equations.solve()
        for name, equations in self.equations.items():
            mean, covariance = self.parts[name]
            ratio = equations.scales() / before[name]
            scale = (ratio[:, None] * ratio)[..., None]
            equations.correct(shadows.Parts(mean * ratio[:, None], covariance * scale))
        return self.position()

    def advice(self, miss: Miss) -> str:
        """See Start."""
        if self.report.converged:
            return advice.settled_within_errors(self.n_trials, miss.error)
        blurred = self.beyond_blur < 0.8 * miss.error
        return advice.did_not_settle_on_trials(self, self.n_trials, blurred)


def _errors(target, measured):
    """Largest error in units of its tolerance, and of two standard errors, if these are larger."""
    errors = np.abs(
        [measured.sigma - target.sigma, measured.mu - target.mu, measured.rate - target.rate]
    )
    tolerance = np.array(
        [
            _CLOSE * target.sigma,
            _CLOSE * max(target.sigma, abs(target.mu)),
            _CLOSE_RATE * max(target.rate, 1.0),
        ]
    )
    found = measured.errors or Moments()
    blur = 2 * np.array([found.sigma, found.mu, found.rate])
    return [np.max(errors / tolerance), np.max(errors / np.maximum(tolerance, blur))]

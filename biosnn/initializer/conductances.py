"""One population of the start on trials, with conductances: weights, theory, corrections.

Theory is that of theory/membrane.py for the conductances of discrete time: a unit weight lasts
dt / (1 - exp(-dt / tau)) seconds. The closed loop varies what theory is asked for,
(mu_U + y, x sigma_U), until the membrane that is measured has mu_U and sigma_U: few inputs with
strong weights are not the Gaussian noise that theory takes them for.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..theory.membrane import Input, membrane
from ..theory.moments import Moments
from ..theory.rates import density_rate
from .afferents import afferent, filled
from .conductance_equations import ConductanceEquations
from .equations import QUANTILES, Afferent
from .shadows import Parts

#: Hz: where the rates begin that theory makes consistent.
START = 10.0
_ITERATIONS = 20


class Conductances:
    """Weights onto one population.

    Parameters
    ----------
    start
        The TrialStart that it belongs to.
    population
        The population.
    projections
        Those onto it that have synapses.
    """

    dalian = False  # the membrane is not the sum of excitation and inhibition

    def __init__(self, start: Any, population: Any, projections: list):
        self.start = start
        self.network = start.network
        self.population = population
        self.projections = projections
        self.target = start.targets[population.name]
        self.cell = start.cell(population, _discrete(population.neuron, self.network.dt))
        self.gains: tuple[float, float] = (1.0, 0.0)  # x, y
        self.afferents: list[Afferent] = []

    # ------------------------------------------------------------------------------ equations

    def solve(self) -> None:
        """Set the weights from the assumed rates and the corrections."""
        start = self.start
        for name, mean in self._means(*self.gains).items():
            family = start.families[name]
            self.network.set_weights(name, mean * start.samples[name])
            start.weights[name] = (family, mean, mean * np.sqrt(family.kappa - 1))

    def _means(self, x=1.0, y=0.0):
        """Projection -> mean weight with which theory has the membrane mu_U + y and x sigma_U."""
        start, t = self.start, self.target
        self.afferents = [
            afferent(
                self.network,
                self.cell.neuron,
                p,
                start.rates[p.pre],
                recurrent=p.name in start.recurrent,
                kappa=start.families[p.name].kappa,
                efficacious=False,
            )
            for p in self.projections
        ]
        try:
            equations = ConductanceEquations(
                network=self.network,
                cell=self.cell,
                projections=self.projections,
                afferents=self.afferents,
                rates=start.rates,
                families=start.families,
                shares=start.shares,
                alpha=t.alpha,
            )
            return equations.solve(t.mu + y, x * t.sigma)
        except ValueError as error:
            if (x, y) == (1.0, 0.0):
                raise
            raise ValueError(
                f"{error} (The closed loop asks theory for this membrane, so that the one that it "
                f"measures has mu_U = {t.mu:g} and sigma_U = {t.sigma:g}; with closed_loop=False "
                "it is not measured.)"
            ) from None

    # --------------------------------------------------------------------------------- theory

    def target_rate(self) -> float:
        """Return the rate (Hz) of the target membrane."""
        means, families = self._means(), self.start.families
        cell = filled(self.network, self.cell, self.projections, means, families)
        m = membrane(cell, self.start.rates).moved(self.target.mu, self.target.sigma)
        return density_rate(cell.neuron, m, self.network.dt)

    def _membranes(self):
        """Moments that theory expects of every neuron with the weights as they are."""
        network = self.network
        weights = [np.asarray(network.weights[p.name], float) for p in self.projections]
        pairs = list(zip(self.projections, weights, strict=True))
        sums = [network.afferent_sums(p, w) for p, w in pairs]
        squares = [network.afferent_squares(p, w) for p, w in pairs]
        found = []
        for i in range(self.population.n):
            inputs = tuple(
                Input(receptor=p.receptor, n=1, mean=mean[i], square=square[i], pre=p.pre)
                for p, mean, square in zip(self.projections, sums, squares, strict=True)
            )
            cell = replace(self.cell, inputs=self.cell.inputs + inputs)
            found.append(membrane(cell, self.start.rates))
        return found

    def predicted(self) -> Moments:
        """Return what theory says of the weights as they are, for independent inputs."""
        each = self._membranes()
        means = [m.mu for m in each]
        ordered = sorted(each, key=lambda m: m.mu)
        chosen = np.linspace(0, len(ordered) - 1, min(QUANTILES, len(ordered))).round()
        neuron, dt = self.population.neuron, self.network.dt
        rates = [density_rate(neuron, ordered[k], dt) for k in chosen.astype(int)]
        return Moments(
            mu=float(np.mean(means)),
            sigma=float(np.sqrt(np.mean([m.sigma**2 for m in each]))),
            spread=float(np.std(means)),
            rate=float(np.mean(rates)),
            excitation=sum(m.excitation for m in each) / len(each),
            inhibition=sum(m.inhibition for m in each) / len(each),
        )

    # ----------------------------------------------------------------------------- closed loop

    def components(self) -> list[dict[str, NDArray]]:
        """The whole membrane as its only part: projection to weights."""
        return [{a.name: self.network.weights[a.name] for a in self.afferents}]

    def scales(self) -> NDArray[np.float64]:
        """Return 1: what is asked of theory stays, and so does the membrane."""
        return np.ones(1)

    def correct(self, parts: Parts) -> None:
        """Move the mean by what is missing, and the standard deviation by the ratio, at most 2."""
        x, y = self.gains
        measured = np.sqrt(max(float(np.mean(parts.covariance[0, 0])), 1e-12))
        ratio = float(np.clip(self.target.sigma / measured, 0.5, 2.0))
        self.gains = (x * ratio, y + self.target.mu - float(np.mean(parts.mean[0])))


def assume_rates(populations: Sequence[Conductances], rates: dict[str, float]) -> None:
    """Find the rates with which populations fire themselves, if they have the target membrane.

    Theory, iterated.

    Parameters
    ----------
    populations
        Those whose rates are not known.
    rates
        Name to assumed hertz; theirs are written into it.
    """
    rates |= dict.fromkeys([p.population.name for p in populations], START)
    for _ in range(_ITERATIONS):
        new = {p.population.name: max(p.target_rate(), 0.05) for p in populations}
        change = max(abs(np.log(rate / rates[name])) for name, rate in new.items())
        rates |= {name: float(np.sqrt(rate * rates[name])) for name, rate in new.items()}
        if change < 0.02:
            break


def _discrete(neuron, dt):
    """The neuron whose conductances last as long as those of discrete time."""
    taus = {
        name: tau if name == "mem" else dt / (1 - np.exp(-dt / np.asarray(tau)))
        for name, tau in neuron.time_constants.items()
    }
    return replace(neuron, time_constants=taus)

"""One population of the start on trials, where potentials add up: weights, theory, corrections.

The equations are in equations.py. The closed loop corrects what they leave: excitation x times and
inhibition y times, or, for weights of either sign, all weights x times plus an offset y.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..network.neuron import typical
from ..theory.density import stationary_rate
from ..theory.moments import Moments, adaptation_gain, current_time_constant
from ..theory.rates import adapted_rate
from .advice import silent_source
from .afferents import afferent
from .equations import QUANTILES, Afferent, beside_background, solve_dale, solve_normal
from .noise import Noise
from .shadows import Parts

#: Alternations of balancing, which changes the variance a little, and restoring the variance.
_ALTERNATIONS = 8


class Potentials:
    """Weights onto one population.

    Parameters
    ----------
    start
        The TrialStart that it belongs to.
    population
        The population.
    projections
        Those onto it that have synapses.
    dalian
        Whether they obey Dale's law.
    """

    def __init__(self, start: Any, population: Any, projections: list, dalian: bool):
        self.start = start
        self.network = start.network
        self.population = population
        self.projections = projections
        self.target = start.targets[population.name]
        self.dalian = dalian
        self.gains: tuple[float, Any] = (1.0, 1.0 if dalian else 0.0)  # x, y
        self.afferents: list[Afferent] = []

    @property
    def noise(self) -> Noise | None:
        """What the background adds to the membrane, or None."""
        return self.start.noise.get(self.population.name)

    # ------------------------------------------------------------------------------ equations

    def _describe(self, p):
        """Projection p as the equations see it."""
        start = self.start
        rate = start.rates[p.pre]
        if not rate > 0 and p.pre in start.targets:
            raise silent_source(start, p)
        binary = start.merge or self.network[p.pre].kind != "input"  # at most one spike a step
        return afferent(
            self.network,
            self.population.neuron,
            p,
            rate,
            recurrent=p.name in start.recurrent,
            kappa=start.families[p.name].kappa if p.non_negative else 1.0,
            fano=1 - rate * self.network.dt if binary else 1.0,
            efficacious=False,
        )

    def solve(self) -> None:
        """Set the weights from the assumed rates and the corrections."""
        t, start = self.target, self.start
        self.afferents = [self._describe(p) for p in self.projections]
        solver = solve_dale if self.dalian else solve_normal
        name = self.population.name

        def solve(mu, sigma):
            return solver(name, self.afferents, mu, sigma, t.alpha, start.shares)

        if self.noise is None:
            solved = solve(t.mu, t.sigma)
        else:
            mean, variance = (float(np.mean(part)) for part in self.noise)
            solved = beside_background(solve, name, (t.mu, t.sigma), mean, variance)
        self._apply(solved)
        if start.balance == "neuron" and not np.ndim(self.gains[1]):
            for _ in range(_ALTERNATIONS):
                self._balance_neurons()
                self._apply(solved)
        x, y = (float(np.mean(g)) for g in self.gains)
        for a in self.afferents:
            mean, deviation = solved[a.name]
            gain, offset = ((x if a.sign > 0 else y), 0.0) if self.dalian else (x, y)
            family = start.families.get(a.name)
            start.weights[a.name] = (family, gain * mean + offset, gain * deviation)

    def _wanted(self):
        """What synapses must bring: mean (of each neuron beside a background) and sd."""
        t, noise = self.target, self.noise
        if noise is None:
            return t.mu, t.sigma
        least = 1e-3 * t.sigma**2
        return t.mu - noise.mean, float(np.sqrt(max(t.sigma**2 - noise.variance.mean(), least)))

    def _apply(self, solved):
        """Weights = solved moments times samples, with the corrections."""
        x, y = self.gains
        for a in self.afferents:
            mean, deviation = solved[a.name]
            samples = self.start.samples[a.name]
            own = self._of_each_synapse(a.name, y)
            if self.dalian:
                weights = mean * samples * (x if a.sign > 0 else own)
            else:
                weights = x * (mean + deviation * samples) + own
            self.network.set_weights(a.name, weights)

    def _of_each_synapse(self, projection, y):
        """The y of each neuron, for the synapses of a projection."""
        synapses = self.network.synapses.get(projection)
        if synapses is None or not np.ndim(y):
            return y
        return synapses.in_order_of_weights(y[synapses.target])

    def _balance_neurons(self):
        """Choose each neuron's inhibition (or offset) so that theory gives it the mean mu_U.

        And keep the variance.
        """
        means, variances = self._theory()
        mu, sigma = self._wanted()
        factor = sigma / np.sqrt(sum(variances.values()))
        x, y = self.gains
        if self.dalian:
            needed = np.maximum(factor * means[+1] - mu, 0) / np.maximum(-means[-1], 1e-300)
            self.gains = (x * factor, y * needed)
        else:
            unit = sum(a.n * a.rate * a.eps_bar for a in self.afferents)
            self.gains = (x * factor, y * factor + (mu - factor * means[0]) / unit)

    # --------------------------------------------------------------------------------- theory

    def _theory(self):
        """Mean of each neuron's membrane by sign, and variance by receptor, of the weights now."""
        means, variances = {}, {}
        for p, a in zip(self.projections, self.afferents, strict=True):
            weights = self.network.weights[p.name].astype(float)
            sums = self.network.afferent_sums(p, weights)
            squares = self.network.afferent_squares(p, weights)
            means[a.sign] = means.get(a.sign, 0.0) + a.rate * a.eps_bar * sums
            part = a.rate * a.fano * a.eps_hat * squares.mean()
            variances[p.receptor] = variances.get(p.receptor, 0.0) + part
        return means, variances

    def target_rate(self) -> float:
        """Return the rate (Hz) of the target membrane, its variance shared over the receptors."""
        receptors = {p.receptor for p in self.projections}
        return self._rate(self.target.mu, self.target.sigma, dict.fromkeys(receptors, 1.0))

    def _rate(self, mu, sigma, receptor_variance):
        """Rate (Hz) of a membrane with mean mu, adaptation included."""
        neuron, dt = typical(self.population.neuron), self.network.dt
        tau = current_time_constant(neuron, receptor_variance)

        def rate(shift):
            return stationary_rate(
                mu=mu + shift,
                sigma=sigma,
                tau_mem=float(np.mean(neuron.time_constants["mem"])),
                tau_current=tau,
                dt=dt,
                threshold=neuron.threshold,
                reset=neuron.reset,
                refractory_steps=neuron.refractory_steps(dt),
            )

        return adapted_rate(rate, adaptation_gain(neuron))

    def predicted(self) -> Moments:
        """Return what theory says of the weights as they are, for independent inputs."""
        means, variances = self._theory()
        mean, variance = sum(means.values()), sum(variances.values())
        if self.noise is not None:
            mean, variance = mean + self.noise.mean, variance + self.noise.variance.mean()
        sigma = float(np.sqrt(variance))
        rates = [self._rate(m, sigma, variances) for m in _quantiles(mean)]
        return Moments(
            mu=float(mean.mean()),
            sigma=sigma,
            spread=float(mean.std()),
            rate=float(np.mean(rates)),
        )

    # ----------------------------------------------------------------------------- closed loop

    def components(self) -> list[dict[str, NDArray]]:
        """Parts whose sum is the free membrane: projection to weights, for each part.

        Excitation and inhibition, or, for weights of either sign, the weights and a uniform offset;
        then the background, if there is one. A non-negative projection keeps its receptor and so
        its sign.
        """
        weights = self.network.weights
        background: list[dict[str, NDArray]] = [] if self.noise is None else [{}]
        if self.dalian:
            signs = [
                {a.name: weights[a.name] for a in self.afferents if a.sign == sign}
                for sign in (+1, -1)
            ]
            return signs + background
        ones = {a.name: np.ones_like(weights[a.name]) for a in self.afferents}
        return [{a.name: weights[a.name] for a in self.afferents}, ones, *background]

    def scales(self) -> NDArray[np.float64]:
        """Return the size of the components according to theory, with the weights as they are."""
        self.afferents = [self._describe(p) for p in self.projections]
        means, variances = self._theory()
        background = [] if self.noise is None else [1.0]
        if self.dalian:
            return np.array([np.mean(means.get(sign, 1.0)) for sign in (+1, -1)] + background)
        return np.array([np.sqrt(sum(variances.values())), 1.0, *background])

    def correct(self, parts: Parts) -> None:
        """Scale the two components so that the measured membrane gets the target moments.

        With U = x U_1 + y U_2 + U_0, U_0 that of the background, the mean fixes
        y = (mu - m_0 - x m_1) / m_2 =: c - d x, and the variance x^2 V_1 + y^2 V_2 + V_0 +
        2 x y C_12 + 2 x C_10 + 2 y C_20 is a quadratic in x. With balance="neuron" y is chosen for
        each neuron. Steps are at most a factor of 2.
        """
        mu, sigma = self.target.mu, self.target.sigma
        neuronwise = self.start.balance == "neuron"
        mean = parts.mean if neuronwise else parts.mean.mean(axis=1, keepdims=True)
        own = parts.covariance if neuronwise else parts.covariance.mean(axis=2, keepdims=True)
        (m1, m2), (v1, c12, v2) = mean[:2], (own[0, 0], own[0, 1], own[1, 1])
        v0, c10, c20 = 0.0, 0.0, 0.0
        if self.noise is not None:
            mu, (v0, c10, c20) = mu - mean[2], (own[2, 2], own[0, 2], own[1, 2])
        if np.any(np.abs(m2) < 1e-6 * sigma):  # silent: only the scale of the first can help
            sigma = self._wanted()[1]
            x = float(sigma / np.sqrt(max(np.mean(v1), 1e-12)))
            y = np.asarray(1.0 if self.dalian else 0.0)
        else:
            c, d = mu / m2, m1 / m2
            a2 = np.mean(v1 + d * d * v2 - 2 * d * c12)
            a1 = np.mean(2 * c * c12 - 2 * c * d * v2 + 2 * (c10 - d * c20))
            a0 = np.mean(c * c * v2 + v0 + 2 * c * c20) - sigma**2
            x = float((-a1 + np.sqrt(max(a1 * a1 - 4 * a2 * a0, 0.0))) / (2 * a2))
            y = c - d * x
        x = float(np.clip(x, 0.5, 2.0))
        y = np.clip(y, 0.5, 2.0) if self.dalian else y
        step_y = y if neuronwise else float(np.squeeze(y))
        gain_x, gain_y = self.gains
        self.gains = (gain_x * x, gain_y * step_y if self.dalian else gain_y * x + step_y)


def _quantiles(means):
    """Means of representative neurons: those of equal groups of the sorted values."""
    groups = np.array_split(np.sort(means), min(QUANTILES, means.size))
    return [group.mean() for group in groups]

"""Escape noise: neurons that spike at random, the more probably the nearer U comes to threshold, or the higher above it.

`net.population(…, noise=SigmoidEscape(20))`. In every step a neuron that is not refractory spikes with probability p(U* - theta), for
`run` and training. Random numbers are counter-based, keyed by (seed, trial, step, neuron): the same on any number of threads.

The adjoint is that of a network with these spikes: sigma'(U* - theta) is the surrogate of the population as it is without noise, which
need not be the derivative of p. With the surrogate Sigmoid(beta) and SigmoidEscape(beta) it is: the gradient is then that of the expected
spikes, given the past (Gygax & Zenke 2025).
"""

from dataclasses import dataclass, replace

import numpy as np

from ..kernels import arrays
from ..support.checks import keep, real, reals, shown, time
from ..support.units import hertz


@dataclass(frozen=True)
class EscapeNoise:
    """Base of the two kinds. `probability(x, dt)` of a spike in a step of dt (s) at x = U* - theta."""

    steepness: float = 20.0

    def __post_init__(self):
        keep(
            self,
            steepness=real(
                self.steepness,
                f"{type(self).__name__}: steepness",
                above=0,
                why="chance decides where U is within about 1/steepness of threshold",
            ),
        )

    def per_step(self, dt):
        """Expected spikes in a step at threshold, where the kind has a rate."""
        return 0.0


@dataclass(frozen=True)
class SigmoidEscape(EscapeNoise):
    """p(x) = 1 / (1 + exp(-beta x)) in every step, whatever its length; 1/2 at threshold. A large beta is nearly without noise."""

    _code = arrays.SIGMOID_ESCAPE

    def probability(self, x, dt=None):
        with np.errstate(over="ignore"):  # far below threshold
            return 1 / (1 + np.exp(-self.steepness * reals(x, "x")))


@dataclass(frozen=True)
class ExponentialEscape(EscapeNoise):
    """A hazard rate exp(beta x), so that p(x) = 1 - exp(-dt rate exp(beta x)) (Gerstner et al. 2014, eq. 9.5 and 9.8).

    rate: Hz, the hazard at threshold
    """

    rate: float = 100.0
    _code = arrays.EXPONENTIAL_ESCAPE

    def __post_init__(self):
        super().__post_init__()
        keep(
            self,
            rate=real(
                hertz(self.rate, "ExponentialEscape: rate"),
                "ExponentialEscape: rate",
                above=0,
                unit="Hz",
                why="the hazard at threshold",
            ),
        )

    def per_step(self, dt):
        return dt * self.rate

    def probability(self, x, dt):
        with np.errstate(over="ignore"):  # far above threshold
            return -np.expm1(
                -time(dt, "dt", 0) * self.rate * np.exp(self.steepness * reals(x, "x"))
            )


def chance(order, dt, seed, trials, dropout=None):
    """arrays.Chance for spiking populations in kernel order. Random numbers belong to the trial, never to the batch that it is in.

    seed     int, numpy Generator or anything that numpy.random.default_rng takes
    trials   the number of every trial of the batch in the data set
    dropout  population name -> probability that a neuron is silent in a trial
    """
    spiking, dropout = [p for p in order if p.kind == "spiking"], dropout or {}
    noisy, drops = any(p.noise for p in spiking), any(dropout.values())
    if not (noisy or drops):
        return arrays.Chance()

    def each(value, kind=float):
        return np.repeat(np.array([value(p) for p in spiking], kind), [p.n for p in spiking])

    key = np.random.default_rng(seed).integers(2**64, dtype=np.uint64)
    none = arrays.Chance()
    parts = (
        none
        if not noisy
        else arrays.Chance(
            each(lambda p: p.noise._code if p.noise else arrays.NO_ESCAPE, np.int64),
            each(lambda p: p.noise.steepness if p.noise else 0),
            each(lambda p: p.noise.per_step(dt) if p.noise else 0),
        )
    )
    return parts._replace(
        silent=each(lambda p: dropout.get(p.name, 0)) if drops else none.silent,
        key=np.uint64(key),
        trial=np.asarray(trials, np.int64),
    )


def checked_dropout(network, dropout):
    """Population name -> probability, from one number for all or a dict; ValueError if it names none or is not a probability < 1."""
    names = [p.name for p in network.spiking]
    dropout = 0.0 if dropout is None else dropout
    dropout = dropout if isinstance(dropout, dict) else dict.fromkeys(names, dropout)
    for name, probability in dropout.items():
        if name not in names:
            raise ValueError(
                f"dropout for {shown(name)}: the spiking populations are {', '.join(names)}. For inputs use augment=[Drop(…)]."
            )
    dropout = {
        name: real(p, f"dropout of {name!r}", 0, below=1, why="it is a probability")
        for name, p in dropout.items()
    }
    return {name: p for name, p in dropout.items() if p}


def with_dropout(packed, dropout):
    """The packed network with what leaves a population counted 1 / (1 - p) times, so that the mean over dropped neurons stays."""
    if not dropout:
        return packed
    spiking, scaled = [p.name for p in packed.order if p.kind == "spiking"], []
    for projections in (packed.wiring, packed.wiring.sparse):
        jump = projections.jump.copy()
        for name, probability in dropout.items():
            jump[projections.source == packed.wiring.n_inputs + spiking.index(name)] /= (
                1 - probability
            )
        scaled.append(jump)
    return replace(
        packed,
        wiring=packed.wiring._replace(
            jump=scaled[0], sparse=packed.wiring.sparse._replace(jump=scaled[1])
        ),
    )

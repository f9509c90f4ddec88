"""Escape noise: neurons that spike at random, the more probably the higher U is.

In every step a neuron that is not refractory spikes with probability p(U* - theta), for `run` and
training. Random numbers are counter-based, keyed by (seed, trial, step, neuron): the same on any
number of threads. Dropout, neurons that are silent in a trial, is drawn in the same way.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..kernels import arrays
from ..support.checks import keep, real, reals, shown, time
from ..support.units import hertz


@dataclass(frozen=True)
class EscapeNoise:
    """Base of the two kinds of noise.

    Parameters
    ----------
    steepness
        beta > 0: chance decides where U is within about 1/beta of threshold.

    Notes
    -----
    The adjoint takes the spikes as they were drawn. As without noise, sigma'(U* - theta) is the
    surrogate of the population, which need not be the derivative of p. With Sigmoid(beta) and
    SigmoidEscape(beta) it is: the gradient is then that of the expected spikes, given the past
    (Gygax & Zenke 2025).
    """

    steepness: float = 20.0

    def __post_init__(self) -> None:
        what = f"{type(self).__name__}: steepness"
        why = "chance decides where U is within about 1/steepness of threshold"
        keep(self, steepness=real(self.steepness, what, above=0, why=why))

    def per_step(self, dt: float) -> float:
        """Return the expected spikes in a step of dt (s) at threshold; 0 without a rate."""
        return 0.0


@dataclass(frozen=True)
class SigmoidEscape(EscapeNoise):
    """Spikes with a probability that is logistic in U: p(x) = 1 / (1 + exp(-beta x)).

    Parameters
    ----------
    steepness
        beta > 0. A large one leaves hardly any noise.

    Notes
    -----
    p is the probability per step, whatever the length of a step. It is 1/2 at threshold.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> population = net.population(10, bs.lif(), noise=bs.SigmoidEscape(20))
    >>> population.noise.probability([-0.05, 0.0]).round(3)
    array([0.269, 0.5  ])
    """

    _code: ClassVar[Any] = arrays.SIGMOID_ESCAPE

    def probability(self, x: ArrayLike, dt: float | None = None) -> NDArray[np.float64]:
        """Return the probability of a spike in a step.

        Parameters
        ----------
        x
            U* - theta.
        dt
            The time step in seconds, which has no effect.
        """
        with np.errstate(over="ignore"):  # far below threshold
            return 1 / (1 + np.exp(-self.steepness * reals(x, "x")))


@dataclass(frozen=True)
class ExponentialEscape(EscapeNoise):
    """Spikes with a hazard that is exponential in U: p(x) = 1 - exp(-dt rate exp(beta x)).

    Parameters
    ----------
    steepness
        beta > 0.
    rate
        The hazard at threshold, in Hz.

    References
    ----------
    Gerstner, Kistler, Naud & Paninski (2014). Neuronal Dynamics, eq. 9.5 and 9.8.

    Examples
    --------
    >>> ExponentialEscape(20, rate=100).probability(0.0, dt=1e-3).round(3)
    np.float64(0.095)
    """

    rate: float = 100.0
    _code: ClassVar[Any] = arrays.EXPONENTIAL_ESCAPE

    def __post_init__(self) -> None:
        super().__post_init__()
        what, why = "ExponentialEscape: rate", "the hazard at threshold"
        keep(self, rate=real(hertz(self.rate, what), what, above=0, unit="Hz", why=why))

    def per_step(self, dt: float) -> float:
        """Return the expected spikes in a step of dt (s) at threshold."""
        return dt * self.rate

    def probability(self, x: ArrayLike, dt: float) -> NDArray[np.float64]:
        """Return the probability of a spike in a step.

        Parameters
        ----------
        x
            U* - theta.
        dt
            The time step in seconds.
        """
        with np.errstate(over="ignore"):  # far above threshold
            factor = np.exp(self.steepness * reals(x, "x"))
            return -np.expm1(-time(dt, "dt", 0) * self.rate * factor)


def checked_dropout(network: Any, dropout: Any) -> dict[str, float]:
    """Return the probability of dropout of each population that has one.

    Parameters
    ----------
    network
        The Network.
    dropout
        One number for all spiking populations, a dict name -> probability, or None.

    Raises
    ------
    ValueError
        If it names another population, or is not a probability below 1.
    """
    names = [p.name for p in network.spiking]
    dropout = 0.0 if dropout is None else dropout
    dropout = dropout if isinstance(dropout, dict) else dict.fromkeys(names, dropout)
    for name in dropout:
        if name not in names:
            raise ValueError(
                f"dropout for {shown(name)}: the spiking populations are {', '.join(names)}. For "
                "inputs use augment=[Drop(…)]."
            )
    why = "it is a probability"
    checked = {
        name: real(p, f"dropout of {name!r}", 0, below=1, why=why) for name, p in dropout.items()
    }
    return {name: p for name, p in checked.items() if p}


def with_dropout(packed: Any, dropout: dict[str, float]) -> Any:
    """Return the packed network with what leaves a population counted 1 / (1 - p) times.

    So the mean over dropped neurons stays.

    Parameters
    ----------
    packed
        The network as the kernels of trials read it (engine.packed.Packed).
    dropout
        Population name -> probability p.
    """
    factors = {name: 1 / (1 - probability) for name, probability in dropout.items()}
    return packed.with_scaled_sources(factors).with_silent(dropout) if dropout else packed

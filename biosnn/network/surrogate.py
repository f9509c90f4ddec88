"""Surrogate gradients: what stands in for the derivative of the threshold, and its smooth twin."""

from dataclasses import dataclass

import numpy as np

from ..kernels import arrays, surrogate
from ..support.checks import keep, real, reals


@dataclass(frozen=True)
class Surrogate:
    """sigma'(x) at x = U* - theta (in units of the membrane), with a steepness beta > 0.

    A network whose threshold is replaced by the antiderivative of sigma' is differentiable, and its exact gradient is
    what the adjoint computes; `twin` is that antiderivative.
    """

    steepness: float = 20.0

    def __post_init__(self):
        keep(
            self,
            steepness=real(
                self.steepness,
                f"{type(self).__name__}: steepness",
                above=0,
                why="the surrogate gradient has the width 1/steepness",
            ),
        )

    @property
    def support(self):
        """Half width of the region where sigma' is not zero (inf if it has none)."""
        return np.inf

    def derivative(self, x):
        """sigma'(x), elementwise, for plots and checks."""
        return self._each(surrogate.surrogate_derivative, x)

    def twin(self, x):
        """sigma(x): the antiderivative of sigma' that vanishes at minus infinity."""
        return self._each(surrogate.smooth_spike, x)

    def _each(self, function, x):
        x = reals(x, "x")
        flat = [function(self._code, self.steepness, self.support, value) for value in x.ravel()]
        return np.array(flat).reshape(x.shape)


@dataclass(frozen=True)
class SuperSpike(Surrogate):
    """sigma'(x) = 1 / (beta |x| + 1)^2 (Zenke & Ganguli 2018, eq. 15). The twin is x / (1 + beta |x|) + 1/beta."""

    _code = arrays.SUPERSPIKE


@dataclass(frozen=True)
class Sigmoid(Surrogate):
    """sigma'(x) = beta s (1 - s) with s = 1 / (1 + exp(-beta x)), which is the twin. Its peak is beta / 4."""

    _code = arrays.SIGMOID


@dataclass(frozen=True)
class Triangular(Surrogate):
    """sigma'(x) = max(0, 1 - beta |x|) (Esser et al. 2016; Bellec et al. 2018). Compact support: |x| < 1/beta."""

    _code = arrays.TRIANGULAR

    @property
    def support(self):
        return 1 / self.steepness


@dataclass(frozen=True)
class TruncatedSuperSpike(Surrogate):
    """SuperSpike for |x| <= cutoff, and 0 beyond. Compact support: the adjoint visits only neurons near threshold."""

    cutoff: float = 0.2
    _code = arrays.TRUNCATED_SUPERSPIKE

    def __post_init__(self):
        super().__post_init__()
        keep(
            self,
            cutoff=real(
                self.cutoff,
                "TruncatedSuperSpike: cutoff",
                above=0,
                why="the distance from threshold beyond which the gradient is zero",
            ),
        )

    @property
    def support(self):
        return self.cutoff


@dataclass(frozen=True)
class Gaussian(Surrogate):
    """sigma'(x) = beta exp(-(beta x)^2 / 2) / sqrt(2 pi): the normal density of standard deviation 1/beta (Yin et al. 2020).

    The twin is its distribution function, from 0 to 1.
    """

    _code = arrays.GAUSSIAN


@dataclass(frozen=True)
class Arctan(Surrogate):
    """sigma'(x) = (beta / 2) / (1 + (pi beta x / 2)^2) (Fang et al. 2021). The twin is 1/2 + arctan(pi beta x / 2) / pi, from 0 to 1."""

    _code = arrays.ARCTAN


@dataclass(frozen=True)
class MultiGaussian(Surrogate):
    """sigma'(x) = (1 + h) N(x; 0, s0) - h N(x; s0, s s0) - h N(x; -s0, s s0), with s0 = 1/beta, h = 0.15 and s = 6
    (Yin, Corradi & Bohte 2021, eq. 8); N(x; mean, standard deviation) is the normal density.

    Negative tails: far from threshold the gradient has the other sign. The twin ends at 1 - h. (The programs of the paper multiply
    by 0.5 and use s0 = 0.5, thus steepness=2.)
    """

    steepness: float = 2.0
    _code = arrays.MULTI_GAUSSIAN


@dataclass(frozen=True)
class AsymptoticSuperSpike(Surrogate):
    """sigma'(x) = beta / (beta |x| + 1)^2: SuperSpike with an area of 2 for every beta, so that it goes to twice a delta function as
    beta grows. Peak beta (as in Zenke & Vogels 2021). The twin is 1 + beta x / (1 + beta |x|), from 0 to 2."""

    _code = arrays.ASYMPTOTIC_SUPERSPIKE


@dataclass(frozen=True)
class ExponentialSurrogate(Surrogate):
    """sigma'(x) = exp(-beta |x|) (Shrestha & Orchard 2018, the spike escape rate of SLAYER, there with a factor 1/alpha).

    The twin is exp(beta x) / beta below threshold and (2 - exp(-beta x)) / beta above.
    """

    _code = arrays.EXPONENTIAL

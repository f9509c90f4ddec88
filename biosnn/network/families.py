"""One-parameter families of non-negative synaptic weights, for the initializer and for distributions.

A family fixes kappa = E[w^2] / E[w]^2; its mean is what solvers choose, or you: `0.2 * LogNormal(0.5)` is the distribution of that
family with mean 0.2.
"""

from dataclasses import dataclass

import numpy as np

from ..support.checks import real, reals
from .distributions import asked


def _place(w, mean):
    """Weights and mean of a density."""
    return reals(w, "w", 0), real(mean, "mean", above=0)


@dataclass(frozen=True)
class _Family:
    __array_ufunc__ = None  # numpy leaves array * family to us

    def _positive(self, name):
        object.__setattr__(
            self, name, real(getattr(self, name), f"{type(self).__name__}: {name}", above=0)
        )

    def __rmul__(self, mean):
        return Scaled(self, real(mean, f"the mean of {type(self).__name__}"))

    __mul__ = __rmul__


@dataclass(frozen=True)
class Scaled:
    """A family with the given mean; written `mean * family`."""

    family: _Family
    mean: float

    def draw(self, rng, size):
        return self.mean * self.family.draw(rng, size)


@dataclass(frozen=True)
class Exponential(_Family):
    """Density exp(-w / m) / m; kappa = 2."""

    kappa = 2.0

    def draw(self, rng, shape):
        """Samples with mean 1."""
        rng, shape = asked(rng, shape)
        return rng.exponential(1.0, shape)

    def density(self, w, mean):
        """Probability density at w >= 0 for the given mean."""
        w, mean = _place(w, mean)
        return np.exp(-w / mean) / mean


@dataclass(frozen=True)
class LogNormal(_Family):
    """log w is normal with standard deviation `spread`; kappa = exp(spread^2)."""

    spread: float = 1.0

    def __post_init__(self):
        self._positive("spread")

    @property
    def kappa(self):
        return float(np.exp(self.spread**2))

    def draw(self, rng, shape):
        rng, shape = asked(rng, shape)
        return rng.lognormal(-(self.spread**2) / 2, self.spread, shape)

    def density(self, w, mean):
        w, mean = _place(w, mean)
        s, w = self.spread, np.maximum(w, 1e-300)
        return np.exp(-((np.log(w / mean) + s**2 / 2) ** 2) / (2 * s**2)) / (
            w * s * np.sqrt(2 * np.pi)
        )


@dataclass(frozen=True)
class Gamma(_Family):
    """Gamma distribution with the given shape; kappa = 1 + 1/shape."""

    shape: float = 2.0

    def __post_init__(self):
        self._positive("shape")

    @property
    def kappa(self):
        return 1 + 1 / self.shape

    def draw(self, rng, shape):
        rng, shape = asked(rng, shape)
        return rng.gamma(self.shape, 1 / self.shape, shape)

    def density(self, w, mean):
        from scipy.stats import gamma

        w, mean = _place(w, mean)
        return gamma.pdf(w, self.shape, scale=mean / self.shape)


@dataclass(frozen=True)
class HalfNormal(_Family):
    """|x| for normal x; kappa = pi / 2."""

    kappa = np.pi / 2

    def draw(self, rng, shape):
        rng, shape = asked(rng, shape)
        return np.abs(rng.normal(0, np.sqrt(np.pi / 2), shape))

    def density(self, w, mean):
        w, mean = _place(w, mean)
        sigma = mean * np.sqrt(np.pi / 2)
        return np.sqrt(2 / np.pi) / sigma * np.exp(-(w**2) / (2 * sigma**2))


@dataclass(frozen=True)
class Uniform(_Family):
    """Uniform between 0 and twice the mean; kappa = 4/3."""

    kappa = 4 / 3

    def draw(self, rng, shape):
        rng, shape = asked(rng, shape)
        return rng.uniform(0, 2, shape)

    def density(self, w, mean):
        w, mean = _place(w, mean)
        return np.where((w >= 0) & (w <= 2 * mean), 1 / (2 * mean), 0.0)


@dataclass(frozen=True)
class Constant(_Family):
    """All weights equal; kappa = 1."""

    kappa = 1.0

    def draw(self, rng, shape):
        return np.ones(asked(rng, shape)[1])

    def density(self, w, mean):
        w, mean = _place(w, mean)
        return np.where(np.isclose(w, mean), np.inf, 0.0)

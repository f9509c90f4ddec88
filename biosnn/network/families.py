"""One-parameter families of non-negative weights, for the initializer (bs.families).

A family fixes kappa = E[w^2] / E[w]^2 and leaves the mean to the solver. Its `draw` gives samples
of mean 1. To draw weights of a mean of your own, use the distributions of distributions.py.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..support.checks import keep, real, reals, shown
from .drawing import asked

__all__ = ["Constant", "Exponential", "Family", "Gamma", "HalfNormal", "LogNormal", "Uniform"]


@dataclass(frozen=True)
class Family:
    """Base of the families, of mean 1; an initializer scales what they draw.

    Examples
    --------
    >>> isinstance(LogNormal(0.5), Family)
    True
    """

    @property
    def kappa(self) -> float:
        """E[w^2] / E[w]^2."""
        raise NotImplementedError

    def draw(self, rng: np.random.Generator, size: Any) -> NDArray[np.float64]:
        """Draw samples with mean 1.

        Parameters
        ----------
        rng
            Where the random numbers come from.
        size
            A whole number or a shape.
        """
        rng, size = asked(rng, size)
        return self._draw(rng, size)

    def density(self, w: ArrayLike, mean: float) -> NDArray[np.float64]:
        """Return the probability density of weights.

        Parameters
        ----------
        w
            Weights >= 0.
        mean
            Mean of the distribution, > 0.
        """
        return self._density(reals(w, "w", 0), real(mean, "mean", above=0))

    def _draw(self, rng, size):
        """Samples with mean 1, of checked arguments."""
        raise NotImplementedError

    def _density(self, w, mean):
        """The density, of checked arguments."""
        raise NotImplementedError


def refuse_family(values: Any, what: str) -> None:
    """Raise a ValueError if values would be drawn from a family, which has no mean of its own.

    Parameters
    ----------
    values
        What was given.
    what
        Which values they are, for messages.

    Examples
    --------
    >>> refuse_family(LogNormal(0.5), "weights")
    Traceback (most recent call last):
        ...
    ValueError: weights are the family LogNormal(sigma=0.5), whose mean is for fluctuation_driven \
to choose; give a distribution with a mean, such as bs.LogNormal(0.2, 0.5).
    """
    if isinstance(values, Family):
        raise ValueError(
            f"{what} are the family {shown(values)}, whose mean is for fluctuation_driven to "
            "choose; give a distribution with a mean, such as bs.LogNormal(0.2, 0.5)."
        )


@dataclass(frozen=True)
class Exponential(Family):
    """Exponential weights: density exp(-w / mean) / mean, kappa = 2.

    Examples
    --------
    >>> Exponential().kappa
    2.0
    """

    @property
    def kappa(self) -> float:
        """E[w^2] / E[w]^2 = 2."""
        return 2.0

    def _draw(self, rng, size):
        return rng.exponential(1.0, size)

    def _density(self, w, mean):
        return np.exp(-w / mean) / mean


@dataclass(frozen=True)
class LogNormal(Family):
    """Log-normal weights: their logarithm is normal; kappa = exp(sigma^2).

    Parameters
    ----------
    sigma
        Standard deviation of the logarithm, > 0.

    Examples
    --------
    >>> round(LogNormal(1.0).kappa, 3)
    2.718
    """

    sigma: float = 1.0

    def __post_init__(self) -> None:
        keep(self, sigma=real(self.sigma, "LogNormal: sigma", above=0))

    @property
    def kappa(self) -> float:
        """E[w^2] / E[w]^2 = exp(sigma^2)."""
        return float(np.exp(self.sigma**2))

    def _draw(self, rng, size):
        return rng.lognormal(-(self.sigma**2) / 2, self.sigma, size)

    def _density(self, w, mean):
        s, w = self.sigma, np.maximum(w, 1e-300)
        exponent = (np.log(w / mean) + s**2 / 2) ** 2 / (2 * s**2)
        return np.exp(-exponent) / (w * s * np.sqrt(2 * np.pi))


@dataclass(frozen=True)
class Gamma(Family):
    """Gamma-distributed weights; kappa = 1 + 1 / shape.

    Parameters
    ----------
    shape
        Shape parameter, > 0; 1 is exponential.

    Examples
    --------
    >>> Gamma(2.0).kappa
    1.5
    """

    shape: float = 2.0

    def __post_init__(self) -> None:
        keep(self, shape=real(self.shape, "Gamma: shape", above=0))

    @property
    def kappa(self) -> float:
        """E[w^2] / E[w]^2 = 1 + 1 / shape."""
        return 1 + 1 / self.shape

    def _draw(self, rng, size):
        return rng.gamma(self.shape, 1 / self.shape, size)

    def _density(self, w, mean):
        from scipy.stats import gamma

        return gamma.pdf(w, self.shape, scale=mean / self.shape)


@dataclass(frozen=True)
class HalfNormal(Family):
    """Absolute values of normal weights; kappa = pi / 2.

    Examples
    --------
    >>> round(HalfNormal().kappa, 3)
    1.571
    """

    @property
    def kappa(self) -> float:
        """E[w^2] / E[w]^2 = pi / 2."""
        return np.pi / 2

    def _draw(self, rng, size):
        return np.abs(rng.normal(0, np.sqrt(np.pi / 2), size))

    def _density(self, w, mean):
        sigma = mean * np.sqrt(np.pi / 2)
        return np.sqrt(2 / np.pi) / sigma * np.exp(-(w**2) / (2 * sigma**2))


@dataclass(frozen=True)
class Uniform(Family):
    """Weights between 0 and twice the mean; kappa = 4/3.

    Examples
    --------
    >>> Uniform().density([0.1, 0.5], mean=0.2)
    array([2.5, 0. ])
    """

    @property
    def kappa(self) -> float:
        """E[w^2] / E[w]^2 = 4/3."""
        return 4 / 3

    def _draw(self, rng, size):
        return rng.uniform(0, 2, size)

    def _density(self, w, mean):
        return np.where((w >= 0) & (w <= 2 * mean), 1 / (2 * mean), 0.0)


@dataclass(frozen=True)
class Constant(Family):
    """Weights that are all equal; kappa = 1.

    Examples
    --------
    >>> Constant().draw(np.random.default_rng(1), 2)
    array([1., 1.])
    """

    @property
    def kappa(self) -> float:
        """E[w^2] / E[w]^2 = 1."""
        return 1.0

    def _draw(self, rng, size):
        return np.ones(size)

    def _density(self, w, mean):
        return np.where(np.isclose(w, mean), np.inf, 0.0)

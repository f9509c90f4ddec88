"""Families of synaptic weights, and distributions that weights and delays of sparse projections are drawn from.

A one-parameter family fixes kappa = E[w^2] / E[w]^2; its mean is what solvers choose, or you: `0.2 * LogNormal(0.5)` is the
distribution of that family with mean 0.2. A distribution has draw(rng, size) -> values.
"""

from dataclasses import dataclass, fields
from math import erf, prod, sqrt

import numpy as np

from ..support.checks import has_axes, instance, real, reals, whole
from ..support.memory import check_room
from ..support.units import seconds

_LEAST_INSIDE = (
    1e-3  # share of normal values within bounds, below which to draw them again takes too long
)


def _plain(distribution):
    """Numbers in the place of times with units, such as those of delays. Other quantities stay, but then all values are such."""
    other = []
    for each in fields(distribution):
        value = getattr(distribution, each.name)
        try:
            object.__setattr__(distribution, each.name, seconds(value, each.name))
        except ValueError:
            other.append(each.name)
    for each in fields(distribution):
        value = getattr(distribution, each.name)
        if (
            other
            and each.name not in other
            and isinstance(value, (int, float))
            and np.isfinite(value)
            and value != 0
        ):
            raise ValueError(
                f"{type(distribution).__name__}: {other[0]} is {getattr(distribution, other[0])}, but {each.name} is {value!r}; give "
                "all values with units of one kind, or all as numbers."
            )


def _settle(distribution, infinite=()):
    """Parameters as floats; ValueError for what is no number. Quantities of other units than seconds stay."""
    _plain(distribution)
    for each in fields(distribution):
        value = getattr(distribution, each.name)
        if not (isinstance(value, np.ndarray) and hasattr(value, "dim")):
            what = f"{type(distribution).__name__}: {each.name}"
            object.__setattr__(
                distribution, each.name, real(value, what, infinite=each.name in infinite)
            )


def _asked(rng, size):
    """Generator and size, a whole number or a tuple of them, of what is to be drawn."""
    instance(rng, "rng", np.random.Generator, "a numpy Generator, such as np.random.default_rng(1)")
    size = (
        tuple(whole(n, "one of size", 0) for n in size)
        if has_axes(size)
        else whole(size, "size", 0)
    )
    check_room("draw", prod(size) if isinstance(size, tuple) else size, 8, "values")
    return rng, size


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
class Normal:
    """Normal distribution; values outside of low .. high are drawn again, so that it is truncated, not piled up there."""

    mean: float
    sd: float
    low: float = -np.inf
    high: float = np.inf

    def __post_init__(self):
        _settle(self, ("low", "high"))
        if not (np.isfinite(self.mean) and np.isfinite(self.sd) and self.sd >= 0):
            raise ValueError(
                f"Normal: mean {self.mean!r} and sd {self.sd!r} must be finite, sd >= 0."
            )
        if not (self.low <= self.mean <= self.high) or self.low == self.high and self.sd > 0:
            raise ValueError(
                f"Normal: the mean {self.mean!r} must lie in low .. high = {self.low!r} .. {self.high!r}; values "
                "outside are drawn again, which would take forever."
            )
        mean, sd, low, high = (
            float(np.asarray(value)) for value in (self.mean, self.sd, self.low, self.high)
        )
        inside = (
            (erf((high - mean) / sd / sqrt(2)) - erf((low - mean) / sd / sqrt(2))) / 2
            if sd > 0
            else 1.0
        )
        if inside < _LEAST_INSIDE:
            raise ValueError(
                f"Normal: a share of {inside:.2g} of its values would lie in low .. high = {self.low!r} .. {self.high!r}, with mean "
                f"{self.mean!r} and sd {self.sd!r}; those outside are drawn again, so it must be {_LEAST_INSIDE} at least. "
                "UniformBetween(low, high) is what such a distribution tends to."
            )

    def draw(self, rng, size):
        rng, size = _asked(rng, size)
        values = rng.normal(self.mean, self.sd, size)
        wrong = np.flatnonzero((values < self.low) | (values > self.high))
        while wrong.size:
            values[wrong] = rng.normal(self.mean, self.sd, wrong.size)
            wrong = wrong[(values[wrong] < self.low) | (values[wrong] > self.high)]
        return values


@dataclass(frozen=True)
class UniformBetween:
    """Uniform distribution between low and high."""

    low: float
    high: float

    def __post_init__(self):
        _settle(self)
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.low <= self.high):
            raise ValueError(
                f"UniformBetween: low {self.low!r} and high {self.high!r} must be finite and ascending."
            )

    def draw(self, rng, size):
        rng, size = _asked(rng, size)
        return rng.uniform(self.low, self.high, size)


@dataclass(frozen=True)
class Exponential(_Family):
    """Density exp(-w / m) / m; kappa = 2."""

    kappa = 2.0

    def draw(self, rng, shape):
        """Samples with mean 1."""
        rng, shape = _asked(rng, shape)
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
        rng, shape = _asked(rng, shape)
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
        rng, shape = _asked(rng, shape)
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
        rng, shape = _asked(rng, shape)
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
        rng, shape = _asked(rng, shape)
        return rng.uniform(0, 2, shape)

    def density(self, w, mean):
        w, mean = _place(w, mean)
        return np.where((w >= 0) & (w <= 2 * mean), 1 / (2 * mean), 0.0)


@dataclass(frozen=True)
class Constant(_Family):
    """All weights equal; kappa = 1."""

    kappa = 1.0

    def draw(self, rng, shape):
        return np.ones(_asked(rng, shape)[1])

    def density(self, w, mean):
        w, mean = _place(w, mean)
        return np.where(np.isclose(w, mean), np.inf, 0.0)

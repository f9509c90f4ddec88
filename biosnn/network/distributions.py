"""Distributions that weights, delays and initial states are drawn from.

Any object with draw(rng, size) will do (`Distribution` in drawing.py); these are the usual ones.
The non-negative ones are families (families.py) with a mean.
"""

from dataclasses import dataclass, field, fields
from math import erf, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..support import checks, plausible
from ..support.checks import keep, real, whole
from ..support.seeds import stream, whole_seed
from ..support.units import Seconds, seconds
from . import families
from .drawing import asked

#: Least share of normal values within bounds; below, to draw the others again takes too long.
_LEAST_INSIDE = 1e-3


@dataclass(frozen=True)
class Normal:
    """Normal distribution, truncated where bounds are given.

    Parameters
    ----------
    mean, sd
        Mean and standard deviation of the normal distribution, before it is truncated.
    low, high
        Bounds. Values outside are drawn again, so that none pile up at the bounds.

    Raises
    ------
    ValueError
        If the mean is not within the bounds, or hardly any values would be.

    Examples
    --------
    >>> import biosnn as bs
    >>> bs.Normal(0.2, 0.02, low=0).draw(np.random.default_rng(1), 3).round(3)
    array([0.207, 0.216, 0.207])
    """

    mean: float
    sd: float
    low: float = field(default=-np.inf, kw_only=True)
    high: float = field(default=np.inf, kw_only=True)

    def __post_init__(self) -> None:
        _settle(self, infinite=("low", "high"))
        if not (np.isfinite(self.mean) and np.isfinite(self.sd) and self.sd >= 0):
            raise ValueError(
                f"Normal: mean {self.mean!r} and sd {self.sd!r} must be finite, sd >= 0."
            )
        if not (self.low <= self.mean <= self.high) or (self.low == self.high and self.sd > 0):
            raise ValueError(
                f"Normal: the mean {self.mean!r} must lie in low .. high = {self.low!r} .. "
                f"{self.high!r}; values outside are drawn again, which would take forever."
            )
        inside = self._share_inside()
        if inside < _LEAST_INSIDE:
            raise ValueError(
                f"Normal: a share of {inside:.2g} of its values would lie in low .. high = "
                f"{self.low!r} .. {self.high!r}, with mean {self.mean!r} and sd {self.sd!r}; those "
                f"outside are drawn again, so it must be {_LEAST_INSIDE} at least. Uniform(low, "
                "high) is what such a distribution tends to."
            )

    def _share_inside(self):
        """Share of its values that lie within the bounds."""
        values = (self.mean, self.sd, self.low, self.high)
        mean, sd, low, high = (float(np.asarray(value)) for value in values)
        if sd == 0:
            return 1.0
        return (erf((high - mean) / sd / sqrt(2)) - erf((low - mean) / sd / sqrt(2))) / 2

    def draw(self, rng: np.random.Generator, size: Any) -> NDArray[np.float64]:
        """Draw values of a shape (see `Distribution`)."""
        rng, size = asked(rng, size)
        values = rng.normal(self.mean, self.sd, size)
        wrong = np.flatnonzero((values < self.low) | (values > self.high))
        while wrong.size:
            values[wrong] = rng.normal(self.mean, self.sd, wrong.size)
            wrong = wrong[(values[wrong] < self.low) | (values[wrong] > self.high)]
        return values


@dataclass(frozen=True)
class Uniform:
    """Uniform distribution.

    Parameters
    ----------
    low, high
        Bounds.

    Raises
    ------
    ValueError
        If they are not finite and ascending.

    Examples
    --------
    >>> import biosnn as bs
    >>> bs.Uniform(1.0, 2.0).draw(np.random.default_rng(1), 2).round(3)
    array([1.512, 1.95 ])
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        _settle(self)
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.low <= self.high):
            raise ValueError(
                f"Uniform: low {self.low!r} and high {self.high!r} must be finite and ascending."
            )

    def draw(self, rng: np.random.Generator, size: Any) -> NDArray[np.float64]:
        """Draw values of a shape (see `Distribution`)."""
        rng, size = asked(rng, size)
        return rng.uniform(self.low, self.high, size)


# ------------------------------------------------------------------------- families with a mean


class _OfFamily:
    """Base of the distributions that are a family (families.py) with a mean."""

    mean: float

    def __post_init__(self) -> None:
        keep(self, mean=_with_unit(self.mean, f"{type(self).__name__}: mean"))
        self._family()  # checks the other parameters

    def _family(self) -> families.Family:
        """The family, whose samples have mean 1."""
        raise NotImplementedError

    def draw(self, rng: np.random.Generator, size: Any) -> NDArray[np.float64]:
        """Draw values of a shape (see `Distribution`)."""
        return float(np.asarray(self.mean)) * self._family().draw(rng, size)


@dataclass(frozen=True)
class Exponential(_OfFamily):
    """Exponential distribution.

    Parameters
    ----------
    mean
        Mean of the values.

    Examples
    --------
    >>> import biosnn as bs
    >>> values = bs.Exponential(0.2).draw(np.random.default_rng(1), 100_000)
    >>> round(float(values.mean()), 2)
    0.2
    """

    mean: float

    def _family(self):
        return families.Exponential()


@dataclass(frozen=True)
class LogNormal(_OfFamily):
    """Log-normal distribution, by the mean of its values.

    Parameters
    ----------
    mean
        Mean of the values themselves, not of their logarithm.
    sigma
        Standard deviation of their logarithm, > 0.

    Notes
    -----
    numpy's `Generator.lognormal(mu, sigma)` takes the mean of the logarithm,
    mu = log(mean) - sigma^2 / 2.

    Examples
    --------
    >>> import biosnn as bs
    >>> values = bs.LogNormal(0.2, 0.5).draw(np.random.default_rng(1), 100_000)
    >>> round(float(values.mean()), 2), round(float(np.log(values).std()), 2)
    (0.2, 0.5)
    """

    mean: float
    sigma: float

    def _family(self):
        return families.LogNormal(self.sigma)


@dataclass(frozen=True)
class Gamma(_OfFamily):
    """Gamma distribution.

    Parameters
    ----------
    mean
        Mean of the values.
    shape
        Shape parameter, > 0; 1 is exponential. The coefficient of variation is 1 / sqrt(shape).

    Examples
    --------
    >>> import biosnn as bs
    >>> values = bs.Gamma(0.2, 4.0).draw(np.random.default_rng(1), 100_000)
    >>> round(float(values.std() / values.mean()), 2)
    0.5
    """

    mean: float
    shape: float

    def _family(self):
        return families.Gamma(self.shape)


@dataclass(frozen=True)
class HalfNormal(_OfFamily):
    """Absolute values of a normal distribution around 0.

    Parameters
    ----------
    mean
        Mean of the absolute values; the standard deviation of the normal ones is
        sqrt(pi / 2) times as large.

    Examples
    --------
    >>> import biosnn as bs
    >>> values = bs.HalfNormal(0.2).draw(np.random.default_rng(1), 100_000)
    >>> round(float(values.mean()), 2)
    0.2
    """

    mean: float

    def _family(self):
        return families.HalfNormal()


def log_normal_time_constants(
    mean: Seconds,
    sigma: float,
    n: int,
    *,
    seed: int | np.random.Generator,
    name: str = "",
) -> NDArray[np.float64]:
    """Draw time constants from a log-normal distribution, one for each of n neurons.

    Parameters
    ----------
    mean
        Mean of the time constants in seconds.
    sigma
        Standard deviation of their logarithm; with 0 all are equal to the mean.
    n
        Number of neurons.
    seed
        A whole number >= 0 or a numpy Generator.
    name
        Any text. Values follow from the seed and the name: with one seed, time constants are
        independent if their names differ, such as "E tau_mem" and "I tau_mem".

    Returns
    -------
    (n,) seconds.

    Examples
    --------
    >>> import biosnn as bs
    >>> tau = bs.log_normal_time_constants(20e-3, 0.3, 128, seed=1, name="E tau_mem")
    >>> neuron = bs.ei_lif(tau_mem=tau)
    """
    mean = checks.time(mean, "mean", above=0, plausible=plausible.SLOW)
    sigma = real(sigma, "sigma (of the logarithm)", 0)
    if not checks.is_text(name):
        checks.refuse("name", name, "a text of characters that files can hold")
    if isinstance(seed, np.random.Generator):
        rng = seed
    else:
        rng = stream(whole_seed(seed), "time constants", name)
    return rng.lognormal(np.log(mean) - sigma**2 / 2, sigma, whole(n, "n", 0))


# ------------------------------------------------------------------------------------- units


def bounds_of(values: Any) -> tuple[float, float] | None:
    """Return the least and the greatest value of a distribution of biosnn, or None of others.

    Such a distribution draws the same again from the same random numbers.

    Parameters
    ----------
    values
        A distribution, or a function (rng, size) -> values.

    Examples
    --------
    >>> bounds_of(Uniform(1.0, 2.0)), bounds_of(np.random.Generator.random)
    ((1.0, 2.0), None)
    """
    if type(values) in (Normal, Uniform):
        return float(values.low), float(values.high)
    return (0.0, np.inf) if type(values) in (Exponential, LogNormal, Gamma, HalfNormal) else None


def _settle(distribution, infinite=()):
    """Parameters of one kind, such as bounds and a mean, become floats; other units stay."""
    names = [each.name for each in fields(distribution)]
    quantities = [name for name in names if not _becomes_seconds(distribution, name)]
    for name in names:
        value = getattr(distribution, name)
        what = f"{type(distribution).__name__}: {name}"
        if quantities and name not in quantities:
            _refuse_mixture(distribution, quantities[0], name, value)
        checked = _with_unit(value, what, infinite=name in infinite)
        keep(distribution, **{name: checked})


def _becomes_seconds(distribution, name):
    """Turn a quantity of time into seconds; False where it is a quantity of something else."""
    try:
        keep(distribution, **{name: seconds(getattr(distribution, name), name)})
    except ValueError:
        return False
    return True


def _refuse_mixture(distribution, quantity, name, value):
    """ValueError for a plain number other than 0 next to a value with a unit."""
    if isinstance(value, (int, float)) and np.isfinite(value) and value != 0:
        raise ValueError(
            f"{type(distribution).__name__}: {quantity} is {getattr(distribution, quantity)}, but "
            f"{name} is {value!r}; give all values with units of one kind, or all as numbers."
        )


def _with_unit(value, what, infinite=False):
    """Return a float; quantities of other units than seconds, such as millivolts, stay."""
    try:
        value = seconds(value, what)
    except ValueError:
        if isinstance(value, np.ndarray) and hasattr(value, "dim"):
            return value
    return real(value, what, infinite=infinite)

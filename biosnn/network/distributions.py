"""Distributions that weights, delays and initial states are drawn from: anything with draw(rng, size)."""

from dataclasses import dataclass, fields
from math import erf, prod, sqrt

import numpy as np

from ..support.checks import has_axes, instance, real, whole
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


def asked(rng, size):
    """Generator and size, a whole number or a tuple of them, of what is to be drawn."""
    instance(rng, "rng", np.random.Generator, "a numpy Generator, such as np.random.default_rng(1)")
    size = (
        tuple(whole(n, "one of size", 0) for n in size)
        if has_axes(size)
        else whole(size, "size", 0)
    )
    check_room("draw", prod(size) if isinstance(size, tuple) else size, 8, "values")
    return rng, size


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
                "Uniform(low, high) is what such a distribution tends to."
            )

    def draw(self, rng, size):
        rng, size = asked(rng, size)
        values = rng.normal(self.mean, self.sd, size)
        wrong = np.flatnonzero((values < self.low) | (values > self.high))
        while wrong.size:
            values[wrong] = rng.normal(self.mean, self.sd, wrong.size)
            wrong = wrong[(values[wrong] < self.low) | (values[wrong] > self.high)]
        return values


@dataclass(frozen=True)
class Uniform:
    """Uniform distribution between low and high."""

    low: float
    high: float

    def __post_init__(self):
        _settle(self)
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.low <= self.high):
            raise ValueError(
                f"Uniform: low {self.low!r} and high {self.high!r} must be finite and ascending."
            )

    def draw(self, rng, size):
        rng, size = asked(rng, size)
        return rng.uniform(self.low, self.high, size)

"""Functions of distance: probabilities, weights and delays of synapses (bs.space).

A profile is called with distances and returns values. One that falls with distance says
`decreasing = True`, by which synapses are drawn without a look at all pairs.
"""

import inspect
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..support import checks, plausible
from ..support.checks import flag, keep, real, reals, refuse, shown
from ..support.units import Seconds
from ..support.warn import UnitWarning, warn

_FASTEST = 120.0  # m/s, of thick myelinated axons

_MOST_WIDTHS = 8.6  # a Gaussian is below 1e-16 of its peak that many widths away
_MOST_SCALES = 36.9  # and an exponential that many scales


class Profile:
    """Base of the functions of distance.

    Rules of `bs.space` take one as a probability; `Network.connect` takes one as weights= and
    as delay=, where both populations have positions.

    Examples
    --------
    >>> isinstance(Gaussian(1e-4), Profile)
    True
    """

    decreasing: ClassVar[bool] = False  # whether values never grow with distance
    _length: ClassVar[str] = ""  # name of the parameter that is its length
    _lengths: ClassVar[float] = np.inf  # beyond so many it is nothing

    @property
    def length(self) -> float | None:
        """The distance over which it changes; None where there is none."""
        return getattr(self, self._length) if self._length else None

    @property
    def reach(self) -> float:
        """The distance beyond which it is nothing, below 1e-16 of its peak."""
        return min(getattr(self, "radius", np.inf), self._lengths * (self.length or np.inf))

    def __call__(self, distance: ArrayLike) -> NDArray[np.float64]:
        """Return the values at distances >= 0, of any shape."""
        raise NotImplementedError(f"{type(self).__name__} has no values")

    def between(
        self, away: NDArray[np.float64], extent: NDArray[np.float64] | None
    ) -> NDArray[np.float64]:
        """Return the values between neurons that are `away` from each other.

        Parameters
        ----------
        away
            (dimensions, pairs) differences of coordinates, the shortest way round.
        extent
            (dimensions,) size of a periodic space, or None.

        Returns
        -------
        (pairs,) values.
        """
        return self(norm(away))


@dataclass(frozen=True)
class Gaussian(Profile):
    """A Gaussian function of distance.

    Parameters
    ----------
    sigma
        Its width, in metres.
    peak
        Its value at distance 0.
    radius
        It is 0 beyond this distance.
    wrapped
        In a periodic space: whether it goes round and adds to itself, which matters where sigma
        is more than a fifth of the space. Otherwise only the shortest way counts.

    Notes
    -----
    ::

        f(d) = peak exp(-d^2 / (2 sigma^2))
        wrapped: f = peak product over dimensions k, sum over m of
                 exp(-(d_k + m extent_k)^2 / (2 sigma^2))

    Examples
    --------
    >>> Gaussian(1e-4, peak=0.5)([0.0, 1e-4]).round(3)
    array([0.5  , 0.303])
    """

    sigma: float
    _: KW_ONLY
    peak: float = 1.0
    radius: float = np.inf
    wrapped: bool = False
    decreasing: ClassVar[bool] = True
    _length: ClassVar[str] = "sigma"
    _lengths: ClassVar[float] = _MOST_WIDTHS

    def __post_init__(self) -> None:
        keep(self, sigma=_length(self, "sigma"), wrapped=flag(self.wrapped, "Gaussian: wrapped"))
        _keep_peak_and_radius(self)
        if self.wrapped and self.radius < np.inf:
            raise ValueError(
                f"Gaussian: radius is {self.radius:g}, but a wrapped Gaussian goes round the "
                "whole space; give one of the two."
            )

    def __call__(self, distance: ArrayLike) -> NDArray[np.float64]:
        """Return the values at distances."""
        d = _distances(distance)
        return _cut(self.peak * np.exp(d**2 / (-2 * self.sigma**2)), d, self.radius)

    def between(
        self, away: NDArray[np.float64], extent: NDArray[np.float64] | None
    ) -> NDArray[np.float64]:
        """Return the values between neurons (see `Profile.between`)."""
        if not self.wrapped:
            return self(norm(away))
        if extent is None:
            raise ValueError(
                f"{self}: only periodic positions have a way round; give periodic=True to them, "
                "or leave out wrapped."
            )
        values = np.full(away.shape[1:], self.peak)
        for difference, length in zip(away, extent, strict=True):
            values *= self._around(difference, length)
        return values

    def _around(self, difference, length):
        """The sum over all ways round one dimension."""
        if self.sigma > 2 * length:  # flat: all ripples are below 1e-30
            return np.sqrt(2 * np.pi) * self.sigma / length
        rounds = int(self.sigma * _MOST_WIDTHS / length + 0.5)
        return sum(
            np.exp((difference + m * length) ** 2 / (-2 * self.sigma**2))
            for m in range(-rounds, rounds + 1)
        )


@dataclass(frozen=True)
class Exponential(Profile):
    """An exponential function of distance.

    Parameters
    ----------
    scale
        The distance over which it falls to 1/e, in metres.
    peak
        Its value at distance 0.
    radius
        It is 0 beyond this distance.

    Notes
    -----
    f(d) = peak exp(-d / scale)

    Examples
    --------
    >>> Exponential(1e-4)([0.0, 1e-4]).round(3)
    array([1.   , 0.368])
    """

    scale: float
    _: KW_ONLY
    peak: float = 1.0
    radius: float = np.inf
    decreasing: ClassVar[bool] = True
    _length: ClassVar[str] = "scale"
    _lengths: ClassVar[float] = _MOST_SCALES

    def __post_init__(self) -> None:
        keep(self, scale=_length(self, "scale"))
        _keep_peak_and_radius(self)

    def __call__(self, distance: ArrayLike) -> NDArray[np.float64]:
        """Return the values at distances."""
        d = _distances(distance)
        return _cut(self.peak * np.exp(d / -self.scale), d, self.radius)


@dataclass(frozen=True)
class Box(Profile):
    """One value up to a radius, and 0 beyond it.

    Parameters
    ----------
    radius
        In metres. A neuron at this distance is still inside.
    peak
        The value.

    Examples
    --------
    >>> Box(1e-4, peak=0.2)([0.0, 1e-4, 2e-4])
    array([0.2, 0.2, 0. ])
    """

    radius: float
    _: KW_ONLY
    peak: float = 1.0
    decreasing: ClassVar[bool] = True
    _length: ClassVar[str] = "radius"

    def __post_init__(self) -> None:
        keep(self, radius=_length(self, "radius"))
        _keep_peak_and_radius(self)

    def __call__(self, distance: ArrayLike) -> NDArray[np.float64]:
        """Return the values at distances."""
        return np.where(_distances(distance) <= self.radius, self.peak, 0.0)


@dataclass(frozen=True)
class OfDistance(Profile):
    """Any function of distance.

    Parameters
    ----------
    function
        Distances in metres, an array of any shape -> as many values.

    Notes
    -----
    Synapses whose probability is such a function are drawn with a look at all pairs. A class of
    your own that inherits from `Profile` and says `decreasing = True` is as quick as `Gaussian`.

    Examples
    --------
    A ring of neighbours that are neither near nor far:

    >>> OfDistance(lambda d: 0.3 * (abs(d - 2e-4) < 5e-5))([0.0, 2e-4])
    array([0. , 0.3])
    """

    function: Callable[[NDArray[np.float64]], Any]

    def __post_init__(self) -> None:
        function = self.function
        try:
            if not callable(function) or isinstance(function, type):
                raise TypeError("no function")
            inspect.signature(function).bind(np.zeros(1))
        except TypeError:
            refuse(
                "OfDistance: function",
                function,
                "a function of distance, such as lambda d: 0.1 * np.exp(-d / 1e-4)",
            )
        except ValueError:  # a function of compiled code, which does not tell
            pass

    def __call__(self, distance: ArrayLike) -> NDArray[np.float64]:
        """Return the values at distances."""
        d = _distances(distance)
        values = reals(self.function(d), f"values of {shown(self.function)}", flags=True)
        if values.shape != d.shape and values.ndim:
            raise ValueError(
                f"OfDistance: {shown(self.function)} returned an array of shape {values.shape} "
                f"for distances of shape {d.shape}; it must return a value for each."
            )
        return np.broadcast_to(values, d.shape)


@dataclass(frozen=True)
class Conduction(Profile):
    """Delays by conduction: distance over velocity, and the delay of the synapse itself.

    Parameters
    ----------
    velocity
        In metres per second: 0.3 of thin unmyelinated axons in cortex.
    offset
        What does not depend on the distance, in seconds.

    Warns
    -----
    UnitWarning
        If the velocity is above that of any axon, 120 m/s: 300 mm/s are 0.3.

    Notes
    -----
    delay = offset + d / velocity, which `connect` rounds to the nearest step.

    Examples
    --------
    >>> Conduction(0.3, offset=0.5e-3)([0.0, 3e-4]).round(5)
    array([0.0005, 0.0015])
    """

    velocity: float
    _: KW_ONLY
    offset: Seconds = 0.0

    def __post_init__(self) -> None:
        what, unit = "Conduction: velocity", "metres per second"
        velocity = real(self.velocity, what, above=0, infinite=True, unit=unit)
        offset = checks.time(self.offset, "Conduction: offset", 0, plausible=plausible.DELAY)
        if _FASTEST < velocity < np.inf:
            warn(
                f"velocity is {velocity:g} m/s, and the fastest axons conduct at {_FASTEST:g} m/s: "
                f"was it in mm/s? Then give {velocity:g}e-3.",
                UnitWarning,
            )
        keep(self, velocity=velocity, offset=offset)

    def __call__(self, distance: ArrayLike) -> NDArray[np.float64]:
        """Return the delays (s) at distances."""
        return self.offset + _distances(distance) / self.velocity


def as_profile(given: Any, name: str) -> Profile:
    """Return a profile, also of a plain function.

    Parameters
    ----------
    given
        A profile or a function of distance.
    name
        Name of the argument, for messages.

    Examples
    --------
    >>> as_profile(Box(1e-4), "p")
    Box(radius=0.0001, peak=1.0)
    """
    if isinstance(given, Profile):
        return given
    if not callable(given) or isinstance(given, type) or hasattr(given, "draw"):
        refuse(
            name,
            given,
            "a function of distance, such as bs.space.Gaussian(1e-4) or lambda d: 0.1 * (d < 1e-4)",
        )
    return OfDistance(given)


def norm(away: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return distances of differences (dimensions, …) of coordinates.

    Examples
    --------
    >>> norm(np.array([[3.0], [4.0]]))
    array([5.])
    """
    if away.shape[0] == 1:
        return np.abs(away[0])
    total = away[0] * away[0]
    for difference in away[1:]:
        total += difference * difference
    return np.sqrt(total, out=total)


# ------------------------------------------------------------------------------------------- checks


def _length(profile, name):
    """A positive length."""
    what = f"{type(profile).__name__}: {name}"
    return real(getattr(profile, name), what, above=0, unit="metres")


def _keep_peak_and_radius(profile):
    """The value at distance 0, and where the profile ends."""
    kind = type(profile).__name__
    keep(
        profile,
        peak=real(profile.peak, f"{kind}: peak", 0),
        radius=real(profile.radius, f"{kind}: radius", above=0, infinite=True, unit="metres"),
    )


def _distances(given):
    """Distances as an array, without a look at each."""
    if isinstance(given, np.ndarray) and given.dtype == np.float64:
        return given
    return reals(given, "distance", 0, infinite=True)


def _cut(values, distance, radius):
    """The values, 0 beyond the radius."""
    return values if radius == np.inf else np.where(distance <= radius, values, 0.0)

"""Homogeneous Poisson spike trains, and what all point processes of this folder share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..support.checks import reals, time, whole
from ..support.seeds import generator
from ..support.units import hertz
from .spike_trains import SpikeTrains

_MOST_SPIKES = 2.0**36


def poisson(
    rates: ArrayLike,
    n_units: int,
    duration: float,
    n_trials: int = 1,
    *,
    seed: int | np.random.Generator,
    labels: ArrayLike | None = None,
) -> SpikeTrains:
    """Return independent Poisson spike trains of constant rate, in continuous time.

    Parameters
    ----------
    rates
        Rates in hertz: one number for all units, or (n_units,) one per unit.
    n_units
        Number of units.
    duration
        Duration of a trial in seconds.
    n_trials
        Number of trials.
    seed
        Seed or numpy Generator. It has no default: two inputs that are meant to be independent need
        two seeds.
    labels
        (n_trials,) class of each trial, or None.

    Returns
    -------
    Spike trains of `n_trials` trials.

    Raises
    ------
    ValueError
        If rates are negative, not finite or of another shape, or a number of units or trials is
        below 1.

    Notes
    -----
    The count of a unit in a trial is Poisson with mean rate · duration. Given the count, spike
    times are independent and uniform, so that intervals are exponential with mean 1 / rate.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.data.poisson(20.0, 100, 1.0, 50, seed=1)
    >>> abs(spikes.times.size - 20 * 100 * 50) < 1000
    True
    """
    n_units, n_trials = check_count("n_units", n_units), check_count("n_trials", n_trials)
    duration = time(duration, "duration", above=0)
    hertzes, rng = checked_rates(rates, n_units), generator(seed)
    trials, units = scattered(rng, hertzes * duration, (n_trials, n_units))
    times = rng.random(units.size) * duration
    return trains_of((times, units, trials), n_units, n_trials, duration, labels)


def check_count(name: str, value: Any, least: int = 1) -> int:
    """Return a number of things, of at least `least`, as an int."""
    return whole(value, name, least, 2**31 - 1, why="it is a number of things")


def trains_of(
    events: tuple[NDArray, NDArray, NDArray],
    n_units: int,
    n_trials: int,
    duration: float,
    labels: Any,
) -> SpikeTrains:
    """Return spike trains of (times, units, trials), without what falls after the end."""
    times, units, trials = events
    inside = times < duration
    return SpikeTrains.from_events(
        times[inside],
        units[inside],
        trials[inside],
        n_trials=n_trials,
        n_units=n_units,
        duration=duration,
        labels=labels,
    )


def scattered(rng: np.random.Generator, mean: Any, size: tuple[int, ...]) -> tuple[NDArray, ...]:
    """Draw Poisson counts in an array; return for each event its index along all axes of `size`."""
    counts = spike_counts(rng, np.broadcast_to(mean, size), size)
    return np.unravel_index(np.repeat(np.arange(counts.size), counts.ravel()), size)


def spike_counts(rng: np.random.Generator, mean: Any, size: tuple) -> NDArray[np.int64]:
    """Return Poisson counts; ValueError for so many that no memory has room for the events."""
    check_mean(mean, np.prod(size, dtype=float))
    return rng.poisson(mean, size)


def check_mean(mean: Any, trains: float) -> None:
    """Raise a ValueError for so many spikes in so many trains that no memory has room for them."""
    if np.max(mean, initial=0) * trains > _MOST_SPIKES:
        raise ValueError(
            f"rates and durations give {np.max(mean):.3g} spikes of a unit in a trial; no memory "
            "has room for so many."
        )


def checked_rates(rates: Any, n_units: int) -> NDArray[np.float64]:
    """Return rates in hertz, one or (n_units,).

    Raises
    ------
    ValueError
        If they are negative, not finite or of another shape.
    """
    rates = reals(hertz(rates, "rates"), "rates, in Hz,", 0)
    if rates.shape not in ((), (n_units,)):
        raise ValueError(
            f"rates have shape {rates.shape}; with n_units = {n_units} give one number for all "
            f"units, or one per unit, so shape ({n_units},)."
        )
    return rates

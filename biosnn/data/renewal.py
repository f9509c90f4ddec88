"""Renewal processes that are in equilibrium: gamma intervals, and Poisson with a dead time."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..support import plausible
from ..support.checks import real, time
from ..support.seeds import generator
from .poisson import check_count, check_mean, checked_rates, trains_of
from .spike_trains import SpikeTrains


def gamma_process(
    rates: ArrayLike,
    n_units: int,
    duration: float,
    n_trials: int = 1,
    *,
    shape: float,
    seed: int | np.random.Generator,
    labels: ArrayLike | None = None,
) -> SpikeTrains:
    """Return independent spike trains with gamma-distributed intervals.

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
    shape
        Shape k of the distribution: 1 is Poisson, more is more regular, less is bursty.
    seed
        Seed or numpy Generator.
    labels
        (n_trials,) class of each trial, or None.

    Returns
    -------
    Spike trains of `n_trials` trials.

    Raises
    ------
    ValueError
        If a number is not possible.

    See Also
    --------
    biosnn.data.refractory_poisson : Poisson with a dead time.

    Notes
    -----
    The coefficient of variation is 1 / sqrt(k), and so is the square root of the Fano factor of
    long counts. The process is in equilibrium from the start: the rate is constant, since the first
    interval is one in which a trial begins at a random moment.

    References
    ----------
    Cox (1962), Renewal Theory.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.data.gamma_process(20.0, 50, 10.0, shape=4.0, seed=1)
    >>> round(float(bs.stats.isi_cv(spikes).mean()), 1)
    0.5
    """
    k = real(shape, "shape", above=0)

    def draw(rng, mean, size):
        """Intervals."""
        return rng.gamma(k, size=size) * (mean / k)

    def longer(rng, mean, size):
        """Intervals that hold a random moment."""
        return rng.gamma(k + 1, size=size) * (mean / k)

    return _renewal(rates, n_units, duration, n_trials, seed, labels, (draw, longer))


def refractory_poisson(
    rates: ArrayLike,
    n_units: int,
    duration: float,
    n_trials: int = 1,
    *,
    dead_time: float,
    seed: int | np.random.Generator,
    labels: ArrayLike | None = None,
) -> SpikeTrains:
    """Return independent Poisson spike trains with a dead time after each spike.

    Parameters
    ----------
    rates
        Mean rates in hertz, dead time included: one number for all units, or (n_units,) one per
        unit.
    n_units
        Number of units.
    duration
        Duration of a trial in seconds.
    n_trials
        Number of trials.
    dead_time
        The shortest interval in seconds; rates are below 1 / dead_time.
    seed
        Seed or numpy Generator.
    labels
        (n_trials,) class of each trial, or None.

    Returns
    -------
    Spike trains of `n_trials` trials.

    Raises
    ------
    ValueError
        If a number is not possible.

    Notes
    -----
    Intervals are dead_time + an exponential variable with mean 1 / rate - dead_time, so that the
    coefficient of variation is 1 - rate · dead_time. The process is in equilibrium from the start.

    References
    ----------
    Deger, Helias, Boucsein & Rotter (2012), Journal of Computational Neuroscience 32:443-463.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.data.refractory_poisson(80.0, 50, 10.0, dead_time=5e-3, seed=1)
    >>> round(float(bs.stats.isi_cv(spikes).mean()), 1)
    0.6
    """
    dead = time(dead_time, "dead_time", 0, plausible=plausible.REFRACTORY)
    hertzes = checked_rates(rates, check_count("n_units", n_units))
    if np.any(hertzes * dead >= 1):
        raise ValueError(
            f"rates reach {np.max(hertzes):g} Hz; with a dead_time of {dead:g} s they must be "
            f"below {1 / dead:g} Hz."
        )

    def draw(rng, mean, size):
        """Intervals."""
        return dead + rng.exponential(size=size) * (mean - dead)

    def longer(rng, mean, size):
        """Intervals that hold a random moment."""
        stages = np.where(rng.random(size) < dead / mean, 1.0, 2.0)
        return dead + rng.gamma(stages) * (mean - dead)

    return _renewal(rates, n_units, duration, n_trials, seed, labels, (draw, longer))


def _renewal(rates, n_units, duration, n_trials, seed, labels, draws):
    """Spike trains from functions that draw intervals, and those that hold a random moment."""
    n_units, n_trials = check_count("n_units", n_units), check_count("n_trials", n_trials)
    duration = time(duration, "duration", above=0)
    hertzes, rng = checked_rates(rates, n_units), generator(seed)
    check_mean(hertzes * duration, n_trials * n_units)
    each = np.tile(np.broadcast_to(hertzes, n_units), n_trials)
    trains = np.flatnonzero(each > 0)
    times = (
        _times(rng, 1 / each[trains, None], duration, *draws) if trains.size else np.empty((0, 0))
    )
    row, column = np.nonzero(times < duration)
    events = times[row, column], trains[row] % n_units, trains[row] // n_units
    return trains_of(events, n_units, n_trials, duration, labels)


def _times(rng, mean, duration, draw, longer):
    """(trains, spikes) ascending times, the last of which is after the end."""
    expected = duration / mean.min()
    more = int(expected + 4 * np.sqrt(expected) + 4)
    parts = [longer(rng, mean, mean.shape) * rng.random(mean.shape)]
    while parts[-1][:, -1].min() < duration:
        parts.append(parts[-1][:, -1:] + np.cumsum(draw(rng, mean, (mean.size, more)), axis=1))
    return np.concatenate(parts, axis=1)

"""Homogeneous Poisson spike trains."""

import numpy as np

from ..support.checks import reals, time, whole
from ..support.seeds import generator
from ..support.units import hertz
from .spike_trains import SpikeTrains

_MOST_SPIKES = 2.0**36


def poisson(rates, n_units, duration, n_trials=1, *, seed, labels=None):
    """Independent Poisson spike trains of constant rate, in continuous time; SpikeTrains.

    The count of a unit in a trial is Poisson with mean rate · duration, and given the count, spike times are independent
    and uniform: the intervals are exponential with mean 1 / rate.

    rates      in hertz: one number for all units, or (n_units,) one per unit
    duration   of a trial, in seconds
    seed       int or numpy Generator. It has no default: two inputs that are meant to be independent need two seeds.
    labels     (n_trials,) class of each trial, or None

    ValueError for rates that are negative or not finite or of another shape, and for counts below 1.
    """
    n_units, n_trials, duration = (
        check_count("n_units", n_units),
        check_count("n_trials", n_trials),
        time(duration, "duration", above=0),
    )
    rates, rng = _checked_rates(rates, n_units), generator(seed)
    counts = spike_counts(rng, rates * duration, (n_trials, n_units))
    times = rng.random(counts.sum()) * duration
    trials, units = (
        np.repeat(index, counts.ravel()) for index in np.indices(counts.shape).reshape(2, -1)
    )
    return SpikeTrains.from_events(times, units, trials, n_trials, n_units, duration, labels)


def check_count(name, value, least=1):
    """A number of things, of at least `least`, as an int."""
    return whole(value, name, least, 2**31 - 1, why="it is a number of things")


def spike_counts(rng, mean, size):
    """Poisson counts; ValueError where they are so many that no memory has room for the events."""
    if np.max(mean, initial=0) * np.prod(size, dtype=float) > _MOST_SPIKES:
        raise ValueError(
            f"rates and durations give {np.max(mean):.3g} spikes of a unit in a trial; no memory has room for so many."
        )
    return rng.poisson(mean, size)


def _checked_rates(rates, n_units):
    rates = reals(hertz(rates, "rates"), "rates, in Hz,", 0)
    if rates.shape not in ((), (n_units,)):
        raise ValueError(
            f"rates have shape {rates.shape}; with n_units = {n_units} give one number for all units, or one per "
            f"unit, so shape ({n_units},)."
        )
    return rates

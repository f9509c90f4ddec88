"""Homogeneous Poisson spike trains."""
import numpy as np

from ..events import SpikeTrains
from ..units import hertz, seconds


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
    check_count("n_units", n_units)
    check_count("n_trials", n_trials)
    rates, duration = hertz(rates, "rates"), seconds(duration, "duration")
    if not (np.isfinite(duration) and duration > 0):
        raise ValueError(f"duration is {duration!r}; it must be a positive time in seconds.")
    rates, rng = _checked_rates(rates, n_units), np.random.default_rng(seed)
    counts = rng.poisson(rates * duration, size=(n_trials, n_units))
    times = rng.random(counts.sum()) * duration
    trials, units = (np.repeat(index, counts.ravel()) for index in np.indices(counts.shape).reshape(2, -1))
    return SpikeTrains.from_events(times, units, trials, n_trials, n_units, duration, labels)


def check_count(name, value, least=1):
    """ValueError unless `value` is a whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{name} is {value!r}; it is a number of things, so it must be a whole number of at least {least}.")


def _checked_rates(rates, n_units):
    rates = np.asarray(rates, np.float64)
    if rates.shape not in ((), (n_units,)):
        raise ValueError(f"rates have shape {rates.shape}; with n_units = {n_units} give one number for all units, or one per "
                         f"unit, so shape ({n_units},).")
    wrong = np.flatnonzero(~(np.isfinite(rates) & (rates >= 0)))
    if wrong.size:
        which = f"rate of unit {wrong[0]}" if rates.ndim else "rate"
        raise ValueError(f"the {which} is {rates.flat[wrong[0]]:g} Hz; a rate is a number of spikes per second, so it must be "
                         "finite and not negative.")
    return rates

"""What encoders share: arrays of values as (trial, time, channel), rates, and counts of spikes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..support import plausible
from ..support.checks import choice, real, reals, refuse, shown, time
from ..support.ranges import ranges
from ..support.seeds import generator
from ..support.units import hertz
from .binning import bin_spikes
from .poisson import check_mean, scattered, trains_of
from .spike_base import in_trial, steps_of_trials
from .spike_checks import differ
from .spike_trains import SpikeTrains

_KINDS = ("poisson", "regular")


def rate_range(low: Any, high: Any) -> tuple[float, float]:
    """Return the rates of the smallest and the largest value, in hertz.

    Raises
    ------
    ValueError
        If they are not possible.
    """
    low = real(hertz(low, "min_rate"), "min_rate", 0, unit="hertz")
    why = "it is above min_rate"
    return low, real(hertz(high, "max_rate"), "max_rate", above=low, unit="hertz", why=why)


def signal(
    values: Any, duration: float | None, dt: float | None
) -> tuple[NDArray[np.float64], float, NDArray[np.float64] | None]:
    """Return values as (trial, time, channel), the seconds of each, and the ends of trials or None.

    Raises
    ------
    ValueError
        If they have neither two axes and a duration, nor three and a dt.

    Examples
    --------
    >>> found, width, ends = signal([[0.1, 0.2]], 0.5, None)
    >>> found.shape, width, ends
    ((1, 1, 2), 0.5, None)
    """
    shape = (1, 1, 1) if differ(values) else reals(values, "values").shape
    if len(shape) not in (2, 3) or 0 in shape:
        raise ValueError(
            f"values have shape {shape}; they must be (trial, channel), (trial, time, channel), or "
            "a list of arrays (time, channel), one for each trial. One trial: values[None]; "
            "images: values.reshape(len(values), -1)."
        )
    held = len(shape) == 2
    if held and (duration is None or dt is not None):
        raise ValueError(
            "values (trial, channel) need a duration in seconds, and no dt, which is for (trial, "
            "time, channel). One trial (time, channel): values[None]."
        )
    if held:
        return *constants(values, duration), None
    if dt is None or duration is not None:
        raise ValueError(
            "values (trial, time, channel) need dt, the seconds of a sample, and no duration, "
            "which is for (trial, channel)."
        )
    return samples(values, dt)


def constants(values: Any, duration: Any) -> tuple[NDArray[np.float64], float]:
    """Return values that hold for a trial as (trial, 1, channel), and its duration.

    Raises
    ------
    ValueError
        If they have another shape.
    """
    found = reals(values, "values")
    if found.ndim != 2 or 0 in found.shape:
        raise ValueError(
            f"values have shape {found.shape}; they must be (trial, channel). One trial: "
            "values[None]; images: values.reshape(len(values), -1)."
        )
    return found[:, None], time(duration, "duration", above=0)


def samples(values: Any, dt: Any) -> tuple[NDArray[np.float64], float, NDArray[np.float64] | None]:
    """Return a signal as (trial, time, channel), the seconds of a sample, the ends of trials.

    A list of trials of different lengths is filled up with the last sample of each. The ends are
    None where all trials are as long.

    Raises
    ------
    ValueError
        If values have another shape.

    Examples
    --------
    >>> found, dt, ends = samples([[[0.5]], [[0.1], [0.2]]], 0.25)
    >>> found[0].tolist(), ends
    ([[0.5], [0.5]], array([0.25, 0.5 ]))
    """
    lengths = None
    if differ(values):
        found, lengths = _filled([reals(x, f"values of trial {b}") for b, x in enumerate(values)])
    else:
        found = reals(values, "values")
    if found.ndim != 3 or 0 in found.shape:
        raise ValueError(
            f"values have shape {found.shape}; they must be (trial, time, channel), or a list of "
            "arrays (time, channel), one for each trial. One trial: values[None]."
        )
    dt = time(dt, "dt", above=0, plausible=plausible.BIN)
    return found, dt, None if lengths is None else lengths * dt


def _filled(trials):
    """Trials (time, channel) as one array, and their numbers of samples."""
    shapes = [each.shape for each in trials]
    if any(len(s) != 2 or 0 in s for s in shapes) or len({s[1] for s in shapes}) > 1:
        raise ValueError(
            f"values of the trials have shapes {shown(shapes)}; each must be (time, channel), with "
            "at least one sample and as many channels."
        )
    lengths = np.array([len(each) for each in trials])
    most = lengths.max()
    found = [np.concatenate([x, np.repeat(x[-1:], most - len(x), axis=0)]) for x in trials]
    return np.stack(found), lengths


def until(spikes: SpikeTrains, ends: NDArray[np.float64] | None) -> SpikeTrains:
    """Return the spikes before the ends of trials, if they have ends of their own."""
    return spikes if ends is None else spikes.select(stop=ends)


def within(values: NDArray[np.float64], low: float, high: float, what: str, why: str) -> None:
    """Raise a ValueError unless values are from low to high.

    Examples
    --------
    >>> within(np.array([0.0, 1.0]), 0, 1, "values", "they are shares")
    """
    if values.min() < low or values.max() > high:
        raise ValueError(
            f"{what} run from {values.min():g} to {values.max():g}; they must be from {low:g} to "
            f"{high:g}: {why}."
        )


def trains_of_rates(
    rates: NDArray[np.float64], width: float, kind: Any, seed: Any, labels: Any
) -> SpikeTrains:
    """Return spike trains of rates (trial, time, unit), each of which holds for `width` seconds.

    Raises
    ------
    ValueError
        If there is no such kind, or no seed where it needs one.
    """
    kind = choice(kind, "kind", _KINDS)
    n_trials, n_steps, n_units = rates.shape
    if kind == "regular":
        events = _regular(rates, width)
    elif seed is None:
        refuse("seed", seed, "given for Poisson spikes", "or take kind='regular'")
    else:
        rng = generator(seed)
        trials, at, units = scattered(rng, rates * width, rates.shape)
        events = ((at + rng.random(at.size)) * width, units, trials)
    return trains_of(events, n_units, n_trials, n_steps * width, labels)


def _regular(rates, width):
    """Events where the integral of the rate is 1/2, 3/2 and so on."""
    check_mean(rates * width, rates.size)
    until = np.cumsum(rates * width, axis=1)
    before = until - rates * width
    first = np.floor(np.concatenate([np.zeros_like(until[:, :1]), until[:, :-1]], axis=1) + 0.5)
    counts = (np.floor(until + 0.5) - first).astype(np.int64)
    place = np.repeat(np.arange(counts.size), counts.ravel())
    trials, at, units = np.unravel_index(place, rates.shape)
    reached = ranges(first.ravel(), counts.ravel()) + 0.5
    part = (reached - before.ravel()[place]) / (rates.ravel()[place] * width)
    return (at + np.clip(part, 0, np.nextafter(1, 0))) * width, units, trials


def counts_of(spikes: SpikeTrains) -> NDArray[np.float64]:
    """Return (trial, unit) counts of whole trials."""
    place = spikes.trials * spikes.n_units + spikes.units
    counts = np.bincount(place, minlength=len(spikes) * spikes.n_units)
    return counts.reshape(len(spikes), spikes.n_units).astype(float)


def binned_counts(
    spikes: SpikeTrains, dt: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (trial, time, unit) counts, and the seconds (trial, time, 1) that they are of.

    These are NaN after the end of a trial.
    """
    dt = time(dt, "dt", above=0, plausible=max(spikes.duration, plausible.BIN))
    counts = bin_spikes(spikes, dt, merge=False).dense().astype(float)
    left = spikes.durations[:, None] - dt * np.arange(counts.shape[1])
    inside = in_trial(steps_of_trials(spikes.durations, dt), counts.shape[1])
    return counts, np.where(inside, np.minimum(dt, left), np.nan)[..., None]

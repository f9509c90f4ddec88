"""Signals as spikes where they change: ON units, then OFF units."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..support import plausible, timegrid
from ..support.checks import flag, real, reals, time
from ..support.ranges import ranges
from .encode_arrays import samples, until
from .poisson import trains_of
from .spike_base import in_trial, steps_of_trials
from .spike_trains import SpikeTrains, check_trains

_MOST_CROSSINGS = 2.0**36
_ROUNDING = 1e-9  # of a level, or of the threshold


def delta(
    values: ArrayLike | Sequence[ArrayLike],
    dt: float,
    *,
    threshold: float = 0.1,
    off: bool = True,
    labels: ArrayLike | None = None,
) -> SpikeTrains:
    """Encode the changes of a signal from sample to sample.

    Parameters
    ----------
    values
        (trial, time, channel); or a list of arrays (time, channel), one for each trial, which may
        have different numbers of samples.
    dt
        Seconds of a sample.
    threshold
        An ON spike follows where a sample is larger than the one before by at least this much, an
        OFF spike where it is smaller.
    off
        Whether there are OFF units.
    labels
        (trials,) class of each trial, or None.

    Returns
    -------
    Spike trains: the ON unit of channel c is c, its OFF unit channels + c. The first sample has no
    spikes.

    Raises
    ------
    ValueError
        If values have another shape, or a number is not possible.

    See Also
    --------
    level_crossing : keeps slow changes, too, and can be undone.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.encode.delta([[[0.0], [0.5], [0.55], [0.2]]], 1e-3)
    >>> spikes.times, spikes.units
    (array([0.001, 0.003]), array([0, 1], dtype=int32))
    """
    found, dt, ends = samples(values, dt)
    least = real(threshold, "threshold", above=0) * (1 - _ROUNDING)
    change = np.diff(found, axis=1)
    marks = [change >= least, change <= -least] if flag(off, "off") else [change >= least]
    trials, before, units = np.nonzero(np.concatenate(marks, axis=2))
    n_units = len(marks) * found.shape[2]
    duration = found.shape[1] * dt
    events = ((before + 1) * dt, units, trials)
    return until(trains_of(events, n_units, len(found), duration, labels), ends)


def level_crossing(
    values: ArrayLike | Sequence[ArrayLike],
    dt: float,
    *,
    spacing: float,
    labels: ArrayLike | None = None,
) -> SpikeTrains:
    """Encode a signal by the levels that it crosses, upwards and downwards.

    Parameters
    ----------
    values
        (trial, time, channel); or a list of arrays (time, channel), one for each trial, which may
        have different numbers of samples.
    dt
        Seconds of a sample.
    spacing
        Distance of levels. The first is where the signal starts.
    labels
        (trials,) class of each trial, or None.

    Returns
    -------
    Spike trains: the ON unit of channel c is c, its OFF unit channels + c.

    Raises
    ------
    ValueError
        If values have another shape, or a number is not possible.

    Notes
    -----
    A spike follows each time that the signal, linear between samples, is `spacing` away from where
    it was at the last spike. A signal that stays within a level has none.

    References
    ----------
    Miskowicz (2006), Sensors 6:49-63: send-on-delta.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.encode.level_crossing([[[0.0], [1.0], [0.2]]], 0.1, spacing=0.4)
    >>> spikes.times.round(3), spikes.units
    (array([0.04 , 0.08 , 0.175]), array([0, 0, 1], dtype=int32))
    >>> bs.encode.decode_level_crossing(spikes, 0.1, spacing=0.4)[0, :, 0]
    array([0. , 0.8, 0.4])
    """
    found, dt, ends = samples(values, dt)
    spacing = real(spacing, "spacing", above=0)
    with np.errstate(over="ignore"):
        scaled = (found - found[:, :1]) / spacing
    if not np.abs(scaled).max() * scaled.size < _MOST_CROSSINGS:
        raise ValueError(
            f"spacing is {spacing:g}, and the signal reaches {np.abs(scaled).max():.3g} levels; no "
            "memory has room for so many spikes."
        )
    level = _levels(scaled)
    steps = np.diff(level, axis=1)
    counts = np.abs(steps).ravel()
    place = np.repeat(np.arange(counts.size), counts)
    nth = ranges(np.ones_like(counts), counts)
    trials, at, channels = np.unravel_index(place, steps.shape)
    sign = np.sign(steps.ravel()[place])
    crossed = level[:, :-1].ravel()[place] + sign * nth
    start, change = scaled[:, :-1].ravel()[place], np.diff(scaled, axis=1).ravel()[place]
    times = (at + np.clip((crossed - start) / change, 0, 1)) * dt
    units = channels + np.where(sign < 0, found.shape[2], 0)
    n_units, duration = 2 * found.shape[2], found.shape[1] * dt
    return until(trains_of((times, units, trials), n_units, len(found), duration, labels), ends)


def _levels(scaled):
    """(trial, time, channel) the level of the last crossing at each sample."""
    levels = np.zeros(scaled.shape, np.int64)
    for n in range(1, scaled.shape[1]):
        now, before = scaled[:, n], levels[:, n - 1]
        above = np.floor(now + _ROUNDING).astype(np.int64)
        below = np.ceil(now - _ROUNDING).astype(np.int64)
        levels[:, n] = np.where(above > before, above, np.where(below < before, below, before))
    return levels


def decode_level_crossing(
    spikes: SpikeTrains, dt: float, *, spacing: float, start: ArrayLike = 0.0
) -> NDArray[np.float64]:
    """Return the signal whose crossings of levels the spikes are.

    Parameters
    ----------
    spikes
        Spike trains of ON units, then as many OFF units.
    dt
        Seconds of a sample.
    spacing
        Distance of levels.
    start
        The signal at the start: one number, (channels,) or (trial, channel).

    Returns
    -------
    (trial, time, channel); each sample is off by less than `spacing`, and NaN after the end of a
    trial.

    Raises
    ------
    ValueError
        If there is an odd number of units, or a number is not possible.

    See Also
    --------
    level_crossing : has an example.
    """
    check_trains(spikes)
    if spikes.n_units % 2:
        raise ValueError(
            f"the spike trains have {spikes.n_units} units; there must be as many OFF as ON units."
        )
    dt = time(dt, "dt", above=0, plausible=plausible.BIN)
    channels, spacing = spikes.n_units // 2, real(spacing, "spacing", above=0)
    n_steps = timegrid.covering_steps(spikes.duration, dt)
    step = np.ceil(spikes.times / dt - 1e-6).astype(np.int64)
    seen = step < n_steps
    change = np.zeros((len(spikes), n_steps, channels))
    sign = np.where(spikes.units < channels, 1, -1)
    np.add.at(change, (spikes.trials[seen], step[seen], spikes.units[seen] % channels), sign[seen])
    begin = reals(start, "start")
    if begin.shape not in ((), (channels,), (len(spikes), channels)):
        raise ValueError(
            f"start has shape {begin.shape}; it must be one number, ({channels},) or (trial, "
            f"channel) = ({len(spikes)}, {channels})."
        )
    begin = np.broadcast_to(begin, (len(spikes), channels))
    found = begin[:, None] + spacing * np.cumsum(change, axis=1)
    inside = in_trial(steps_of_trials(spikes.durations, dt), n_steps)
    return np.where(inside[..., None], found, np.nan)

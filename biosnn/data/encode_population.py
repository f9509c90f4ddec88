"""Numbers as the rates of a population of units with tuning curves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..support.checks import real
from .encode_arrays import (
    binned_counts,
    counts_of,
    rate_range,
    signal,
    trains_of_rates,
    until,
    within,
)
from .poisson import check_count
from .spike_trains import SpikeTrains, check_trains

_GRID = 2001  # values among which the likeliest is looked for
_TOGETHER = 4096  # cases of which the likelihoods are computed at a time


def population(
    values: ArrayLike | Sequence[ArrayLike],
    duration: float | None = None,
    *,
    n: int,
    low: float,
    high: float,
    width: float | None = None,
    dt: float | None = None,
    max_rate: float = 100.0,
    min_rate: float = 0.0,
    kind: str = "poisson",
    seed: int | np.random.Generator | None = None,
    labels: ArrayLike | None = None,
) -> SpikeTrains:
    """Encode each channel in a population of units with Gaussian tuning curves.

    Parameters
    ----------
    values
        From `low` to `high`: (trial, channel); or (trial, time, channel); or a list of arrays
        (time, channel), one for each trial, which may have different numbers of samples.
    duration
        Seconds of a trial, for (trial, channel).
    n
        Units for each channel; unit i of channel c is c n + i.
    low, high
        Preferred values of the first and the last unit of a channel; others lie evenly between.
    width
        Standard deviation of a tuning curve. Default: the distance of preferred values.
    dt
        Seconds for which a sample holds, for (trial, time, channel) or a list.
    max_rate, min_rate
        Hertz of the preferred value, and far from it.
    kind, seed, labels
        As for `rate`.

    Returns
    -------
    Spike trains of channels · n units.

    Raises
    ------
    ValueError
        If values are outside of `low` to `high`, or a number is not possible.

    Notes
    -----
    The rate of a unit that prefers c is min_rate + (max_rate - min_rate) exp(-(x - c)^2 / (2
    width^2)).

    References
    ----------
    Pouget, Dayan & Zemel (2000), Nature Reviews Neuroscience 1:125-132.

    Examples
    --------
    >>> import biosnn as bs
    >>> curves = {"n": 8, "low": -1.0, "high": 1.0}
    >>> spikes = bs.encode.population([[0.3, -0.8]], 2.0, **curves, seed=1)
    >>> spikes.n_units
    16
    >>> bool(
    ...     abs(bs.encode.decode_population(spikes, **curves) - [0.3, -0.8]).max() < 0.1
    ... )
    True
    """
    found, step, ends = signal(values, duration, dt)
    centres, sd = _curves(n, low, high, width)
    within(found, centres[0], centres[-1], "values", "units prefer values from low to high")
    bottom, top = rate_range(min_rate, max_rate)
    tuned = _tuned(found, centres, sd, bottom, top)
    rates = tuned.reshape(*tuned.shape[:2], -1)
    return until(trains_of_rates(rates, step, kind, seed, labels), ends)


def decode_population(
    spikes: SpikeTrains,
    *,
    n: int,
    low: float,
    high: float,
    width: float | None = None,
    dt: float | None = None,
    max_rate: float = 100.0,
    min_rate: float = 0.0,
) -> NDArray[np.float64]:
    """Return the likeliest values, given the spikes of populations with Gaussian tuning curves.

    Parameters
    ----------
    spikes
        Spike trains of channels · n units.
    n, low, high, width, max_rate, min_rate
        As for `population`.
    dt
        Seconds in which spikes are counted. Default: a whole trial.

    Returns
    -------
    (trial, channel), or (trial, time, channel) with `dt`; NaN where a population is silent.

    Raises
    ------
    ValueError
        If a number is not possible.

    See Also
    --------
    population : has an example.

    Notes
    -----
    The maximum over 2001 values from low to high of sum_i (k_i log f_i(x) - T f_i(x)), where k_i is
    the count of unit i in the time T, and f_i its tuning curve (Poisson spikes).
    """
    check_trains(spikes)
    centres, sd = _curves(n, low, high, width)
    if spikes.n_units % centres.size:
        raise ValueError(
            f"the spike trains have {spikes.n_units} units, which is not a multiple of n = "
            f"{centres.size} units for each channel."
        )
    bottom, top = rate_range(min_rate, max_rate)
    if dt is None:
        counts, length = counts_of(spikes)[:, None], spikes.durations[:, None, None]
    else:
        counts, length = binned_counts(spikes, dt)
    by_channel = counts.reshape(*counts.shape[:2], -1, centres.size)
    grid = np.linspace(centres[0], centres[-1], _GRID)
    curves = _tuned(grid, centres, sd, bottom, top).T
    lengths = np.broadcast_to(length, by_channel.shape[:3]).ravel()
    best = _likeliest(by_channel.reshape(-1, centres.size), lengths, curves)
    values = np.where(best < 0, np.nan, grid[best]).reshape(by_channel.shape[:3])
    return values[:, 0] if dt is None else values


def _likeliest(counts, lengths, curves):
    """(cases,) index of the likeliest value, or -1 where there are no spikes."""
    log, total = np.log(np.maximum(curves, np.finfo(float).tiny)), curves.sum(axis=0)
    best = np.empty(len(counts), np.int64)
    for first in range(0, len(counts), _TOGETHER):
        part = slice(first, first + _TOGETHER)
        best[part] = np.argmax(counts[part] @ log - lengths[part, None] * total, axis=1)
    return np.where(counts.any(axis=1), best, -1)


def _curves(n, low, high, width):
    """Preferred values, and the width of the tuning curves."""
    n = check_count("n", n, 2)
    low = real(low, "low")
    centres = np.linspace(low, real(high, "high", above=low), n)
    sd = centres[1] - centres[0] if width is None else real(width, "width", above=0)
    return centres, sd


def _tuned(values, centres, sd, bottom, top):
    """(…, units) rates of a population."""
    return bottom + (top - bottom) * np.exp(-((values[..., None] - centres) ** 2) / (2 * sd**2))

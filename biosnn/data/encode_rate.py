"""Numbers as rates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .encode_arrays import (
    binned_counts,
    counts_of,
    rate_range,
    signal,
    trains_of_rates,
    until,
    within,
)
from .spike_trains import SpikeTrains, check_trains


def rate(
    values: ArrayLike | Sequence[ArrayLike],
    duration: float | None = None,
    *,
    dt: float | None = None,
    max_rate: float = 100.0,
    min_rate: float = 0.0,
    kind: str = "poisson",
    seed: int | np.random.Generator | None = None,
    labels: ArrayLike | None = None,
) -> SpikeTrains:
    """Encode values as rates.

    Parameters
    ----------
    values
        From 0 to 1: (trial, channel); or (trial, time, channel); or a list of arrays (time,
        channel), one for each trial, which may have different numbers of samples.
    duration
        Seconds of a trial, for (trial, channel).
    dt
        Seconds for which a sample holds, for (trial, time, channel) or a list.
    max_rate, min_rate
        Hertz of the values 1 and 0.
    kind
        "poisson", or "regular": a spike each time that the integral of the rate has grown by 1, the
        first at 1/2.
    seed
        Seed or numpy Generator, needed for "poisson".
    labels
        (trials,) class of each trial, or None.

    Returns
    -------
    Spike trains with a unit for each channel.

    Raises
    ------
    ValueError
        If values are not from 0 to 1, or of another shape, or a number is not possible.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.encode.rate([[0.1, 0.5]], 1.0, max_rate=20.0, kind="regular")
    >>> spikes.units.tolist()
    [1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 1, 1]
    >>> bs.encode.decode_rate(spikes, max_rate=20.0)
    array([[0.1, 0.5]])
    """
    found, width, ends = signal(values, duration, dt)
    within(found, 0, 1, "values", "scale them, such as values / 255 for 8 bits")
    low, high = rate_range(min_rate, max_rate)
    rates = low + (high - low) * found
    return until(trains_of_rates(rates, width, kind, seed, labels), ends)


def decode_rate(
    spikes: SpikeTrains,
    *,
    dt: float | None = None,
    max_rate: float = 100.0,
    min_rate: float = 0.0,
) -> NDArray[np.float64]:
    """Return the values whose rates the counts of spikes are.

    Parameters
    ----------
    spikes
        Spike trains.
    dt
        Seconds in which spikes are counted. Default: a whole trial.
    max_rate, min_rate
        Hertz of the values 1 and 0.

    Returns
    -------
    (trial, channel), or (trial, time, channel) with `dt`, where windows after the end of a trial
    are NaN. Spikes that are counted in a width give multiples of
    1 / (width · (max_rate - min_rate)), less min_rate / (max_rate - min_rate).

    Raises
    ------
    ValueError
        If a number is not possible.

    See Also
    --------
    rate : has an example.
    """
    check_trains(spikes)
    low, high = rate_range(min_rate, max_rate)
    if dt is None:
        return (counts_of(spikes) / spikes.durations[:, None] - low) / (high - low)
    counts, width = binned_counts(spikes, dt)
    return (counts / width - low) / (high - low)

"""Numbers as the time of one spike: the larger, the earlier."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..support import plausible
from ..support.checks import choice, real, time
from .encode_arrays import constants, within
from .poisson import trains_of
from .spike_trains import SpikeTrains, check_trains

_SCALES = ("linear", "log")


def latency(
    values: ArrayLike,
    duration: float,
    *,
    scale: str = "linear",
    first: float = 0.0,
    threshold: float = 0.01,
    tau: float | None = None,
    labels: ArrayLike | None = None,
) -> SpikeTrains:
    """Encode values as latencies: one spike for each, the earlier the larger the value.

    Parameters
    ----------
    values
        (trial, channel), from 0 to 1 with the scale "linear", non-negative with "log".
    duration
        Seconds of a trial.
    scale
        "linear": from `first`, for the value 1, to the end of the trial, for 0. "log": the time at
        which a membrane reaches `threshold` that the value charges.
    first
        Seconds of the earliest spike.
    threshold
        Values up to this have no spike.
    tau
        Time constant of the membrane in seconds, for "log".
    labels
        (trials,) class of each trial, or None.

    Returns
    -------
    Spike trains with a unit for each channel. Spikes after the end of the trial are left out.

    Raises
    ------
    ValueError
        If values are outside of what the scale can do, or of another shape.

    Notes
    -----
    linear: t = first + (duration - first) (1 - x); log: t = first + tau ln(x / (x - threshold)).

    References
    ----------
    Thorpe, Delorme & Van Rullen (2001), Neural Networks 14:715-725.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.encode.latency([[1.0, 0.25, 0.0]], 0.1)
    >>> spikes.times, spikes.units
    (array([0.   , 0.075]), array([0, 1], dtype=int32))
    >>> bs.encode.decode_latency(spikes)
    array([[1.  , 0.25, 0.  ]])
    """
    found, duration = constants(values, duration)
    first, threshold, tau = _options(scale, first, threshold, tau, duration)
    x = found[:, 0]
    if scale == "linear":
        within(x, 0, 1, "values", "1 is the earliest spike; scale them, or take scale='log'")
    else:
        within(x, 0, np.inf, "values", "a negative value never charges a membrane to threshold")
    trials, units = np.nonzero(x > threshold)
    x = x[trials, units]
    if scale == "linear":
        late = np.nextafter(duration, 0)
        times = np.minimum(first + (duration - first) * (1 - x), late)
    else:
        times = first + tau * np.log(x / (x - threshold))
    return trains_of((times, units, trials), found.shape[2], len(found), duration, labels)


def decode_latency(
    spikes: SpikeTrains,
    *,
    scale: str = "linear",
    first: float = 0.0,
    threshold: float = 0.01,
    tau: float | None = None,
) -> NDArray[np.float64]:
    """Return the values whose latencies the first spikes are.

    Parameters
    ----------
    spikes
        Spike trains.
    scale, first, threshold, tau
        As for `latency`.

    Returns
    -------
    (trial, channel) values; 0 for a unit without a spike, NaN for one that is earlier than `first`.

    Raises
    ------
    ValueError
        If a number is not possible.

    See Also
    --------
    latency : has an example.
    """
    check_trains(spikes)
    first, threshold, tau = _options(
        scale, first, threshold, tau, spikes.durations.min(initial=spikes.duration)
    )
    times = np.full((len(spikes), spikes.n_units), np.inf)
    np.minimum.at(times, (spikes.trials, spikes.units), spikes.times)
    late = times - first
    with np.errstate(divide="ignore", invalid="ignore"):
        if scale == "linear":
            values = 1 - late / (spikes.durations[:, None] - first)
        else:
            values = threshold / -np.expm1(-late / tau)
    return np.where(np.isinf(times), 0.0, np.where(late < 0, np.nan, values))


def _options(scale: Any, first: Any, threshold: Any, tau: Any, duration: float) -> tuple[Any, ...]:
    """First spike, threshold and time constant, checked."""
    choice(scale, "scale", _SCALES)
    why = "it is within the trial"
    first = time(first, "first", 0, below=duration, why=why)
    if scale == "linear":
        if tau is not None:
            raise ValueError("tau is for scale='log'; with 'linear' leave it out.")
        return first, real(threshold, "threshold", 0, below=1), None
    if tau is None:
        raise ValueError("scale='log' needs tau, the time constant in seconds.")
    threshold = real(threshold, "threshold", above=0, why="a membrane charges up to it")
    return first, threshold, time(tau, "tau", above=0, plausible=plausible.MEMBRANE)

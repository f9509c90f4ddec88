"""Firing rates: of units over trials, and of a population over time."""

import numpy as np
from numpy.typing import NDArray

from ..data.spike_trains import SpikeTrains
from ..support import timegrid
from ..support.memory import check_room
from .windows import check_trials, checked_width


def firing_rates(spikes: SpikeTrains) -> NDArray[np.float64]:
    """Return the mean firing rate of every unit, over all trials.

    Parameters
    ----------
    spikes
        Spike trains of one or more trials.

    Returns
    -------
    (units,) rates in hertz: spikes in all trials, divided by their total duration.

    Raises
    ------
    ValueError
        If there are no trials.

    References
    ----------
    Dayan & Abbott (2001), Theoretical Neuroscience, section 1.2 (spike-count rate).

    Examples
    --------
    >>> import biosnn as bs
    >>> bs.stats.firing_rates(bs.SpikeTrains.from_units([[0.1, 0.3], []], duration=0.5))
    array([4., 0.])
    """
    check_trials(spikes)
    return np.bincount(spikes.units, minlength=spikes.n_units) / spikes.total_duration


def rate_over_time(
    spikes: SpikeTrains, bin_width: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the population rate over time, averaged over trials and units.

    Parameters
    ----------
    spikes
        Spike trains of one or more trials.
    bin_width
        Width of the bins in seconds.

    Returns
    -------
    centres
        (bins,) centres of the bins in seconds.
    rates
        (bins,) rates in hertz.

    Raises
    ------
    ValueError
        If there are no trials, or `bin_width` is not within (0, duration].

    Notes
    -----
    This is the peri-stimulus time histogram,

        rate[k] = spikes in bin k / (units · Σ_b seconds of bin k within trial b).

    The bins cover the longest trial. Where `bin_width` does not divide the duration of a trial,
    its last bin is shorter, and counts with the seconds that it has.

    References
    ----------
    Dayan & Abbott (2001), Theoretical Neuroscience, section 1.2 (trial-averaged rate).

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.SpikeTrains.from_units([[0.1, 0.3], []], duration=0.5)
    >>> centres, rates = bs.stats.rate_over_time(spikes, 0.25)
    >>> rates
    array([2., 2.])
    """
    check_trials(spikes)
    bin_width = checked_width("bin_width", bin_width, spikes.duration)
    n_bins = timegrid.covering_windows(spikes.duration, bin_width)
    check_room(f"a bin width of {bin_width:g} s", n_bins, 48, "bins")
    edges = np.append(np.arange(n_bins) * bin_width, spikes.duration)
    of_trial = timegrid.covering_windows(spikes.durations, bin_width)
    bins = np.minimum(timegrid.windows_of(spikes.times, bin_width), of_trial[spikes.trials] - 1)
    counts = np.bincount(bins, minlength=n_bins)
    return (edges[:-1] + edges[1:]) / 2, counts / _exposure(spikes, edges)


def _exposure(spikes, edges):
    """(bins,) seconds of all trials and units in the bins between the edges."""
    if spikes.ends is None:
        return len(spikes) * spikes.n_units * np.diff(edges)
    ends = np.sort(spikes.ends)
    over = np.searchsorted(ends, edges[:-1], "right")  # trials that have ended before a bin
    inside = np.searchsorted(ends, edges[1:], "left")  # … and before its end
    before = np.concatenate([[0.0], np.cumsum(ends)])
    partly = before[inside] - before[over] - (inside - over) * edges[:-1]
    return spikes.n_units * (partly + (len(spikes) - inside) * np.diff(edges))

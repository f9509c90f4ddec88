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
    (units,) rates in hertz.

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
    return np.bincount(spikes.units, minlength=spikes.n_units) / (len(spikes) * spikes.duration)


def rate_over_time(
    spikes: SpikeTrains, width: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the population rate over time, averaged over trials and units.

    Parameters
    ----------
    spikes
        Spike trains of one or more trials.
    width
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
        If there are no trials, or the width is not within (0, duration].

    Notes
    -----
    This is the peri-stimulus time histogram,

        rate[k] = spikes in bin k / (trials · units · width of bin k).

    The bins cover the trial. Where the width does not divide the duration, the last bin is
    shorter, and its rate is that of the shorter bin.

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
    width = checked_width("width", width, spikes.duration)
    n_bins = timegrid.covering_windows(spikes.duration, width)
    check_room(f"a width of {width:g} s", n_bins, 48, "bins")
    edges = np.append(np.arange(n_bins) * width, spikes.duration)
    bins = np.minimum(timegrid.windows_of(spikes.times, width), n_bins - 1)
    counts = np.bincount(bins, minlength=n_bins)
    return (edges[:-1] + edges[1:]) / 2, counts / (len(spikes) * spikes.n_units * np.diff(edges))

"""The cross-correlogram: how often units fire around the spikes of others."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..data.spike_parts import check_same_trials
from ..data.spike_trains import SpikeTrains, check_trains
from ..support import checks, timegrid
from ..support.memory import check_room
from ..support.ranges import ranges
from .windows import check_trials, checked_width

_CHUNK = 1 << 20  # presynaptic spikes times targets, and lags, that are looked at at once


def cross_correlogram(
    pre: SpikeTrains,
    post: SpikeTrains,
    pairs: tuple[ArrayLike, ArrayLike],
    *,
    reach: float,
    bin_width: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the rate of units around the spikes of others.

    Parameters
    ----------
    pre, post
        Spike trains of the same trials; they may be the same object. A spike of a pair (i, i) of
        one train is also paired with itself.
    pairs
        (i, j), two arrays of unit numbers, such as `(synapses.sources, synapses.target)` of
        `network.synapses[name]`.
    reach
        Lags run from -reach to reach, in seconds.
    bin_width
        Width of the bins in seconds. It must divide `reach`.

    Returns
    -------
    lags
        (bins,) centres of the bins in seconds.
    rates
        (bins,) rates in hertz; NaN if no spike counts.

    Raises
    ------
    ValueError
        If the trials differ, units do not exist, `reach` is not within (0, duration / 2], or
        `bin_width` does not divide it.

    Notes
    -----
        c[k] = #{(s, t): s a spike of i, t one of j in the same trial, t - s in bin k}
               / (spikes of i · bin_width),

    over all pairs. A bin includes its beginning, so that a spike of j in the same step as that of i
    is in the first bin after 0. Only spikes of i at least `reach` away from both ends of the trial
    count, so that a rate that does not depend on i gives a flat line at this rate.

    References
    ----------
    Perkel, Gerstein & Moore (1967), Biophys. J. 7:419-440.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.SpikeTrains.from_units(
    ...     [[0.2, 0.25], [0.2025, 0.2525]], duration=0.5
    ... )
    >>> lags, rates = bs.stats.cross_correlogram(
    ...     spikes, spikes, ([0], [1]), reach=10e-3, bin_width=5e-3
    ... )
    >>> rates
    array([  0.,   0., 200.,   0.])
    """
    _check_same_trials(pre, post)
    reach, bin_width, each_side = _checked_lags(reach, bin_width, pre.duration)
    sources, targets = _checked_pairs(pairs, pre.n_units, post.n_units)
    axis = _Axis.of(pre, post, reach, bin_width)
    order = np.argsort(sources, kind="stable")
    targets = targets[order]
    first = np.searchsorted(sources[order], np.arange(pre.n_units + 1))
    spikes = _spikes_inside(pre, reach, axis.slack)
    n_targets = (first[spikes.units + 1] - first[spikes.units]).astype(np.int64)
    found = np.zeros(2 * each_side, np.int64)
    for part in np.array_split(np.arange(spikes.times.size), 1 + n_targets.sum() // _CHUNK):
        spike = np.repeat(part, n_targets[part])
        target = targets[ranges(first[spikes.units[part]], n_targets[part])]
        at = axis.place(spikes.trials[spike], target, spikes.times[spike])
        _count_lags(found, axis, at, reach, bin_width)
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = found / (n_targets.sum() * bin_width)
    return (np.arange(-each_side, each_side) + 0.5) * bin_width, rates


class _Axis(NamedTuple):
    """All trains of `post` on one axis: each has a stretch to itself, with room for the lags."""

    spikes: np.ndarray  # places of the spikes, ascending
    n_units: int
    stretch: float
    slack: float  # seconds by which a lag that should be a multiple of a bin may lie below it

    @classmethod
    def of(cls, pre: SpikeTrains, post: SpikeTrains, reach: float, bin_width: float) -> "_Axis":
        """Of the spikes of `post`."""
        stretch = post.duration + 4 * reach
        trains = post.trials * post.n_units + post.units
        spikes = np.sort(trains * stretch + post.times.astype(np.float64))
        slack = _lag_slack(pre, post, bin_width, len(post) * post.n_units * stretch)
        return cls(spikes=spikes, n_units=post.n_units, stretch=stretch, slack=slack)

    def place(self, trials, units, times):
        """Where a unit of `post` would be at some times (s) of some trials."""
        return (trials * self.n_units + units) * self.stretch + times


class _Spikes(NamedTuple):
    times: np.ndarray  # float64
    trials: np.ndarray
    units: np.ndarray


def _spikes_inside(pre, reach, slack):
    """The spikes that are at least `reach` away from both ends of their trial."""
    middle = pre.durations[pre.trials] / 2
    kept = np.abs(pre.times.astype(np.float64) - middle) <= middle - reach + slack
    return _Spikes(
        times=pre.times[kept].astype(np.float64), trials=pre.trials[kept], units=pre.units[kept]
    )


def _count_lags(found, axis, at, reach, bin_width):
    """Add to `found` the lags of all spikes around the places `at`, a limited number at once."""
    low, high = (np.searchsorted(axis.spikes, at + sign * reach - axis.slack) for sign in (-1, 1))
    cuts = np.arange(_CHUNK, (high - low).sum(), _CHUNK)
    pieces = np.searchsorted(np.cumsum(high - low), cuts)
    for begin, end in zip([0, *pieces], [*pieces, at.size]):
        count = high[begin:end] - low[begin:end]
        lags = axis.spikes[ranges(low[begin:end], count)] - np.repeat(at[begin:end], count)
        bins = ((lags + reach + axis.slack) / bin_width).astype(np.int64)
        found += np.bincount(np.clip(bins, 0, found.size - 1), minlength=found.size)


def _lag_slack(pre, post, bin_width, length):
    """The slack of an axis of that length: both times are rounded, and their places on the axis."""
    last = float(max(pre.times.max(initial=0), post.times.max(initial=0)))
    parts = [timegrid.window_tolerance(each.times.dtype, bin_width)(last) for each in (pre, post)]
    rounding = 4 * np.finfo(float).eps * length
    return float(min(sum(parts) + rounding, timegrid.window_tolerance(float, bin_width).most))


def _check_same_trials(pre, post):
    """ValueError unless both are SpikeTrains of the same trials."""
    check_trials(pre, "pre")
    check_trains(post, "post")
    check_same_trials([pre, post], "pre and post")


def _checked_lags(reach, bin_width, duration):
    """(reach, bin_width, number of bins to each side)."""
    reach = checked_width("reach", reach, duration)
    bin_width = checked_width("bin_width", bin_width, duration)
    if reach > duration / 2:
        raise ValueError(
            f"reach is {reach:g} s; it must be at most half the duration of a trial, "
            f"{duration / 2:g} s."
        )
    each_side = timegrid.whole_windows(reach, bin_width)
    check_room(f"a bin width of {bin_width:g} s", each_side, 48, "bins")
    if each_side < 1 or timegrid.covering_windows(reach, bin_width) != each_side:
        raise ValueError(
            f"bin_width is {bin_width:g} s; it must divide reach, {reach:g} s, so that a bin "
            "begins at lag 0."
        )
    return reach, bin_width, each_side


def _checked_pairs(pairs, n_pre, n_post):
    """(sources, targets) as arrays of unit numbers."""
    what = "two arrays (pairs,) of unit numbers, such as (synapses.sources, synapses.target)"
    try:
        sources, targets = pairs
    except (TypeError, ValueError):
        checks.refuse("pairs", pairs, what)
    sources = checks.wholes(sources, "units of pre in pairs", 0, n_pre - 1)
    targets = checks.wholes(targets, "units of post in pairs", 0, n_post - 1)
    if sources.shape != targets.shape or sources.ndim != 1:
        raise ValueError(
            f"pairs have shapes {sources.shape} and {targets.shape}; they must be two arrays "
            "(pairs,) of unit numbers."
        )
    return sources, targets

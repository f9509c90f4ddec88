"""Interspike intervals, and how irregular they are."""

import numpy as np
from numpy.typing import NDArray

from ..data.spike_trains import SpikeTrains, check_trains
from ..support import checks


def interspike_intervals(
    spikes: SpikeTrains,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the intervals between successive spikes of a unit within a trial.

    Parameters
    ----------
    spikes
        Spike trains of any number of trials. No interval crosses from one trial into the next.

    Returns
    -------
    intervals
        (intervals,) seconds, in order of trial, then unit, then time.
    units
        (intervals,) the unit that each interval belongs to.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.SpikeTrains.from_units([[0.1, 0.2, 0.4], [0.25]], duration=0.5)
    >>> intervals, units = bs.stats.interspike_intervals(spikes)
    >>> intervals.round(3), units
    (array([0.1, 0.2]), array([0, 0]))
    """
    check_trains(spikes)
    intervals, trains = _intervals_by_train(spikes)
    return intervals, trains % spikes.n_units if intervals.size else trains


def _intervals_by_train(spikes):
    """(intervals, number of the train of each: trial n_units + unit)."""
    train = spikes.trials * spikes.n_units + spikes.units
    # times ascend within a trial, and a stable sort keeps them so
    order = np.argsort(train, kind="stable")
    train = train[order]
    same = np.diff(train) == 0
    return np.diff(spikes.times[order].astype(np.float64))[same], train[1:][same]


def isi_cv(spikes: SpikeTrains, *, minimum: int = 3) -> NDArray[np.float64]:
    """Return the coefficient of variation of the intervals of every unit, pooled over trials.

    Parameters
    ----------
    spikes
        Spike trains.
    minimum
        Least number of intervals of a unit, at least 2. Units with fewer get NaN.

    Returns
    -------
    (units,) standard deviation of the intervals, divided by their mean.

    Raises
    ------
    ValueError
        If `minimum` is not a whole number of at least 2.

    Notes
    -----
    The CV is 0 for a clock, and 1 for a Poisson process that is seen for long. A short trial cuts
    off the long intervals, and few intervals vary less than many: Poisson trains of 3.7 Hz have a
    mean CV of 0.72 after 1 s, 0.81 after 2 s and 0.96 after 10 s. `pooled_cv` corrects for that.

    References
    ----------
    Softky & Koch (1993), J. Neurosci. 13:334-350.

    Examples
    --------
    >>> import numpy as np
    >>> import biosnn as bs
    >>> clock = np.arange(0.05, 1.0, 0.1)
    >>> bs.stats.isi_cv(bs.SpikeTrains.from_units([clock, []], duration=1.0)).round(3)
    array([ 0., nan])
    """
    minimum = checks.whole(minimum, "minimum", 2, why="one interval has no variation")
    intervals, units = interspike_intervals(spikes)
    n = np.bincount(units, minlength=spikes.n_units)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.bincount(units, intervals, spikes.n_units) / n
        variance = np.bincount(units, (intervals - mean[units]) ** 2, spikes.n_units) / n
        return np.where(n >= minimum, np.sqrt(variance) / mean, np.nan)


def pooled_cv(spikes: SpikeTrains, *, expected: float = 0.0) -> tuple[float, float]:
    """Return the coefficient of variation of like units, corrected for the length of the trials.

    Parameters
    ----------
    spikes
        Spike trains. Units may have different rates; rates that change within a trial add to the
        CV.
    expected
        The CV that theory predicts, for the standard error.

    Returns
    -------
    cv
        The coefficient of variation; NaN where there are too few intervals to tell.
    error
        Its standard error: the one between trains or, where this is larger, that of independent
        gamma intervals with the CV that was found or with `expected`. (Few intervals often vary
        little from train to train where their CV is found too small.) Infinite where there are too
        few intervals to tell.

    Raises
    ------
    ValueError
        If `expected` is negative.

    Notes
    -----
    A train with n spikes in a trial of T seconds has intervals of variance s² (n - 2 in its
    denominator). Given n, that of a Poisson process is T² / ((n + 1) (n + 2)) on average, whatever
    its rate and however short the trial; that of a clock is 0. Between and beyond, c = CV² solves

        c = Σ_i d_i s_i² (n_i + c) (n_i + 2 c) / T² / Σ_i d_i,     d_i = n_i - 2,

    over all trains (unit and trial) with n_i >= 3. This is exact for both.

    Gamma processes of CV 0.2, 0.5, 0.8, 1 and 1.3 show 0.21, 0.53, 0.82, 1 and 1.22 where trials
    last for three mean intervals, and 0.2, 0.5, 0.8, 1 and 1.29 for eight. More irregular ones show
    less: a CV of 1.8 becomes 1.4 and 1.7, and 1.79 for twenty intervals. Neurons that are
    refractory for long (CV 0.9) show 0.73, 0.82, 0.87 and 0.9 where trials last for 1.4, 2.9, 5.7
    and 14 intervals.

    References
    ----------
    Nawrot et al. (2008), J. Neurosci. Methods 169:374-390 (the bias).

    Examples
    --------
    >>> import biosnn as bs
    >>> cv, error = bs.stats.pooled_cv(bs.data.poisson(5.0, 1000, 1.0, seed=1))
    >>> abs(cv - 1) < 3 * error < 0.2
    True
    """
    check_trains(spikes)
    expected = checks.real(expected, "expected", 0.0, 1e6)
    n, s2 = _train_variances(spikes)
    d = n - 2.0
    if not d.size:
        return np.nan, np.inf
    sums = tuple(float(d @ (s2 * n**k)) / d.sum() for k in (2, 1, 0))
    c, gain = _root_and_gain(sums, 1.0)
    if not c > 0:
        return (0.0, 0.0) if c == 0 else (np.nan, np.inf)
    between = np.sqrt(np.square(d * (s2 * (n + c) * (n + 2 * c) - c)).sum())
    errors = [between / d.sum() * gain / (2 * np.sqrt(c))]
    theirs = _root_and_gain(sums, expected**2 / c)[1]
    for cv, amplified in ((np.sqrt(c), gain), (expected, theirs)):
        errors.append(cv / 2 * np.sqrt((2 + 6 * cv**2) / d.sum()) * amplified)
    return float(np.sqrt(c)), float(max(errors))


def _train_variances(spikes):
    """(number of spikes, variance of the intervals / T²) of trains with 3 or more spikes."""
    intervals, trains = _intervals_by_train(spikes)
    n = np.bincount(trains)
    mean = np.bincount(trains, intervals) / np.maximum(n, 1)
    square = np.bincount(trains, (intervals - mean[trains]) ** 2)
    kept = n >= 2
    duration = spikes.durations[np.flatnonzero(kept) // spikes.n_units]
    return n[kept] + 1.0, square[kept] / (n[kept] - 1.0) / duration**2


def _root_and_gain(sums, share):
    """c if variances are multiplied by `share`, and how much larger an error of their sum is in c.

    sums: (flat, slope, curve). c is the smaller root of 2 curve c² - left c + flat = 0.
    """
    flat, slope, curve = sums
    left = 1 - 3 * slope * share
    inside = left**2 - 8 * curve * flat * share**2
    if not (left > 0 and inside > 0):
        return np.nan, np.inf
    return 2 * flat * share / (left + np.sqrt(inside)), 1 / np.sqrt(inside)

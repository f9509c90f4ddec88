"""Statistics of spike trains and of synaptic input: rates, irregularity, variability, synchrony, correlation, balance.

Functions of spike trains take SpikeTrains (all their trials, pooled). Counts of windows use whole windows only: what is
left at the end of a trial when `width` does not divide its duration is not counted. A spike that should begin a window, but
for the rounding of its time, counts there: windows k width <= t + tolerance < (k + 1) width (support/timegrid.py).
"""

from dataclasses import dataclass

import numpy as np

from ..data.spike_trains import check_trains, ranges
from ..support import checks, seeds, timegrid
from ..support.memory import check_room

_CORRELOGRAM_CHUNK = (
    1 << 20
)  # presynaptic spikes times targets, and lags, that are looked at at once
_MOST_WINDOWS = 2**31  # in a trial

# -------------------------------------------------------------------------------------------- rates


def firing_rates(spikes):
    """Mean firing rate of every unit: spikes / (trials · duration), in Hz, shape (n_units,).

    ValueError without trials. Source: Dayan & Abbott (2001), Theoretical Neuroscience, section 1.2 (spike-count rate).
    """
    _check_trials(spikes)
    return np.bincount(spikes.units, minlength=spikes.n_units) / (len(spikes) * spikes.duration)


def rate_over_time(spikes, width):
    """Population rate in bins of `width` seconds: the peri-stimulus time histogram, averaged over trials and units.

        rate[k] = spikes in bin k / (trials · n_units · width of bin k)

    Returns (centres, rates): bin centres in seconds and rates in Hz, both (bins,). The bins cover the trial: where `width`
    does not divide the duration the last one is shorter, and its rate is taken over what there is of it.
    ValueError without trials, or for a width outside (0, duration].
    Source: Dayan & Abbott (2001), section 1.2 (trial-averaged rate).
    """
    _check_trials(spikes)
    width = _checked_width("width", width, spikes.duration)
    n_bins = timegrid.covering_windows(spikes.duration, width)
    check_room(f"a width of {width:g} s", n_bins, 48, "bins")
    edges = np.append(np.arange(n_bins) * width, spikes.duration)
    bins = np.minimum(timegrid.windows_of(spikes.times, width), n_bins - 1)
    counts = np.bincount(bins, minlength=n_bins)
    return (edges[:-1] + edges[1:]) / 2, counts / (len(spikes) * spikes.n_units * np.diff(edges))


# ------------------------------------------------------------------------------------- irregularity


def interspike_intervals(spikes):
    """Intervals between successive spikes of a unit within a trial; none crosses from one trial into the next.

    Returns (intervals, units): seconds, and the unit that each interval belongs to, both (intervals,). They are in order
    of trial, then unit, then time.
    """
    check_trains(spikes)
    intervals, trains = _intervals_by_train(spikes)
    return intervals, trains % spikes.n_units if intervals.size else trains


def _intervals_by_train(spikes):
    """(intervals, number of the train of each: trial n_units + unit)."""
    train = spikes.trials * spikes.n_units + spikes.units
    order = np.argsort(
        train, kind="stable"
    )  # times ascend within a trial, and a stable sort keeps them so
    train = train[order]
    same = np.diff(train) == 0
    return np.diff(spikes.times[order].astype(np.float64))[same], train[1:][same]


def isi_cv(spikes, minimum=3):
    """Coefficient of variation of the interspike intervals of every unit, pooled over trials; shape (n_units,).

        CV = standard deviation of the intervals / their mean

    0 for a clock, 1 for a Poisson process that is seen for long. A short trial cuts off the long intervals, and few intervals vary less
    than many: Poisson trains of 3.7 Hz have a mean CV of 0.72 after 1 s, 0.81 after 2 s and 0.96 after 10 s. `pooled_cv` corrects that.
    NaN where a unit has fewer than `minimum` intervals. ValueError unless `minimum` is a whole number >= 2.
    Source: Softky & Koch (1993), J. Neurosci. 13:334-350.
    """
    minimum = checks.whole(minimum, "minimum", 2, why="one interval has no variation")
    intervals, units = interspike_intervals(spikes)
    n = np.bincount(units, minlength=spikes.n_units)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.bincount(units, intervals, spikes.n_units) / n
        variance = np.bincount(units, (intervals - mean[units]) ** 2, spikes.n_units) / n
        return np.where(n >= minimum, np.sqrt(variance) / mean, np.nan)


def pooled_cv(spikes, expected=0.0):
    """Coefficient of variation of the intervals of like units, corrected for the length of the trials. Returns (CV, standard error).

    A train with n spikes in a trial of T seconds has intervals of variance s^2 (n - 2 in its denominator). Given n, that of a Poisson
    process is T^2 / ((n + 1) (n + 2)) on average, whatever its rate and however short the trial; that of a clock is 0. Between and
    beyond, c = CV^2 solves

        c = sum_i d_i s_i^2 (n_i + c) (n_i + 2 c) / T^2 / sum_i d_i,     d_i = n_i - 2, over all trains (unit and trial) with n_i >= 3

    which is exact for both. Of gamma processes of CV 0.2, 0.5, 0.8, 1 and 1.3 it shows 0.21, 0.53, 0.82, 1 and 1.22 where trials last for
    three mean intervals, and 0.2, 0.5, 0.8, 1 and 1.29 for eight; of more irregular ones less (of 1.8: 1.4, 1.7, and 1.79 for twenty). Of
    neurons that are refractory for long (CV 0.9) it shows 0.73, 0.82, 0.87 and 0.9 where trials last for 1.4, 2.9, 5.7 and 14 intervals.
    Units may have different rates. Rates that change within a trial add to it.
    The standard error is that from train to train, or that of independent gamma intervals where this is larger: of the CV that was found, or
    of `expected`, the one that theory has. (Few intervals often vary little from train to train where their CV is found too small.)
    NaN and infinity where the intervals are too few to tell. ValueError for `expected` below 0.
    Source of the bias: Nawrot et al. (2008), J. Neurosci. Methods 169:374-390.
    """
    check_trains(spikes)
    expected = checks.real(expected, "expected", 0.0, 1e6)
    intervals, trains = _intervals_by_train(spikes)
    n = np.bincount(trains)
    mean = np.bincount(trains, intervals) / np.maximum(n, 1)
    square = np.bincount(trains, (intervals - mean[trains]) ** 2)
    kept = n >= 2
    n, d, s2 = n[kept] + 1.0, n[kept] - 1.0, square[kept] / (n[kept] - 1.0) / spikes.duration**2
    if not d.size:
        return np.nan, np.inf
    flat, slope, curve = (float(d @ (s2 * n**k)) / d.sum() for k in (2, 1, 0))

    def root_and_gain(share):
        """c of curve, slope and flat times share, and what an error of their sum makes of c: 2 curve c^2 - left c + flat = 0, the smaller root."""
        left = 1 - 3 * slope * share
        inside = left**2 - 8 * curve * flat * share**2
        return (
            (2 * flat * share / (left + np.sqrt(inside)), 1 / np.sqrt(inside))
            if left > 0 and inside > 0
            else (np.nan, np.inf)
        )

    c, gain = root_and_gain(1.0)
    if not c > 0:
        return (0.0, 0.0) if c == 0 else (np.nan, np.inf)
    errors = [
        np.sqrt(np.square(d * (s2 * (n + c) * (n + 2 * c) - c)).sum())
        / d.sum()
        * gain
        / (2 * np.sqrt(c))
    ]
    for cv, amplified in ((np.sqrt(c), gain), (expected, root_and_gain(expected**2 / c)[1])):
        errors.append(cv / 2 * np.sqrt((2 + 6 * cv**2) / d.sum()) * amplified)
    return float(np.sqrt(c)), float(max(errors))


# -------------------------------------------------------------------------------- counts in windows


def fano_factor(spikes, window):
    """Fano factor of every unit: variance over mean of its spike counts in windows of `window` seconds; (n_units,).

        F = Var[c] / E[c],  c the counts of all windows of all trials, Var with n - 1 in its denominator

    1 for a Poisson process of constant rate, 0 for a clock. A rate that differs between windows or trials adds to it.
    NaN for units without spikes. ValueError for a window outside (0, duration] or when there are fewer than 2 windows.
    Source: Fano (1947), Phys. Rev. 72:26-29.
    """
    counts = _window_counts(spikes, "window", window)
    n, total = counts.shape[0], _totals(counts)
    with np.errstate(divide="ignore", invalid="ignore"):
        return _variances(counts) * n / (n - 1) / (total / n)


def synchrony(spikes, width):
    """Population synchrony chi of the spike counts in bins of `width` seconds; one number in [0, 1].

        chi^2 = Var[ 1/N Σ_i c_i ] / ( 1/N Σ_i Var[c_i] ),   variances over all bins of all trials

    1 if all units do the same; for independent units it falls as 1 / sqrt(N), so compare populations of one size, or with
    that value. A rate that all units share (a stimulus) counts as synchrony. NaN if no count varies.
    ValueError for a width outside (0, duration] or when there are fewer than 2 bins.
    Source: Golomb & Rinzel (1994), Physica D 72:259-282; Golomb (2007), Scholarpedia 2(1):1347, with counts in place of
    membrane potentials.
    """
    counts = _window_counts(spikes, "width", width)
    units = _variances(counts).mean()
    population = np.asarray(counts.sum(axis=1)).ravel() / spikes.n_units
    return float(min(1.0, np.sqrt(population.var() / units))) if units > 0 else np.nan


def correlations(spikes, width, pairs=1000, seed=0):
    """Pearson correlation coefficients of the spike counts of random pairs of units, in bins of `width` seconds.

        r_ij = Cov[c_i, c_j] / sqrt(Var[c_i] Var[c_j]),   over all bins of all trials

    Up to `pairs` different pairs are drawn (all of them if there are no more), from units whose counts vary: for others
    r does not exist. Returns (pairs drawn,), empty if fewer than two units vary. seed: int or numpy Generator.
    ValueError for a width outside (0, duration], fewer than 2 bins, or `pairs` that is not a whole number >= 1.
    Source: Cohen & Kohn (2011), Nat. Neurosci. 14:811-819 (spike-count correlation).
    """
    pairs, rng = checks.whole(pairs, "pairs", 1), seeds.generator(seed)
    counts = _window_counts(spikes, "width", width)
    variances = _variances(counts)
    active = np.flatnonzero(variances > 0)
    i, j = active[_random_pairs(active.size, pairs, rng)]
    n, total, together = (
        counts.shape[0],
        _totals(counts),
        _totals(counts[:, i].multiply(counts[:, j])),
    )
    covariances = (n * together - total[i] * total[j]) / n**2
    return np.clip(covariances / np.sqrt(variances[i] * variances[j]), -1.0, 1.0)


def cross_correlogram(pre, post, pairs, reach, width):
    """Rate of units around the spikes of others: for pairs (i, j), how often j fires at each lag after a spike of i, in Hz.

        c[k] = #{(s, t): s a spike of i, t one of j in the same trial, t - s in bin k} / (spikes of i · width),   over all pairs

    pre, post     SpikeTrains of the same trials, possibly the same; a spike of a pair (i, i) of one train is also paired with itself
    pairs         (i, j), two arrays of unit numbers, such as (synapses.sources, synapses.target) of `network.synapses[name]`
    reach, width  seconds: lags run from -reach to reach in bins of `width`, which must divide it

    A bin includes its begin, so that a spike of j in the same step as that of i is in the first one after 0.
    Only spikes of i at least `reach` away from both ends of the trial count, so that a rate that does not depend on i gives a flat
    line at this rate. Returns (lags, rates), bin centres in seconds and Hz, both (bins,); rates are NaN if no spike counts.
    ValueError for trials that differ, units that do not exist, reach outside (0, duration / 2), or a width that does not divide it.
    Source: Perkel, Gerstein & Moore (1967), Biophys. J. 7:419-440.
    """
    _check_trials(pre, "pre")
    check_trains(post, "post")
    if len(pre) != len(post) or abs(pre.duration - post.duration) > 1e-9 * pre.duration:
        raise ValueError(
            f"pre has {len(pre)} trials of {pre.duration:g} s and post {len(post)} of {post.duration:g} s; they must be of the same "
            "trials."
        )
    reach, width = (
        _checked_width("reach", reach, pre.duration),
        _checked_width("width", width, pre.duration),
    )
    if reach > pre.duration / 2:
        raise ValueError(
            f"reach is {reach:g} s; it must be at most half the duration of a trial, {pre.duration / 2:g} s."
        )
    each_side = timegrid.whole_windows(reach, width)
    check_room(f"a width of {width:g} s", each_side, 48, "bins")
    if each_side < 1 or timegrid.covering_windows(reach, width) != each_side:
        raise ValueError(
            f"width is {width:g} s; it must divide reach, {reach:g} s, so that a bin begins at lag 0."
        )
    sources, targets = _checked_pairs(pairs, pre.n_units, post.n_units)
    order = np.argsort(sources, kind="stable")
    first, targets = np.searchsorted(sources[order], np.arange(pre.n_units + 1)), targets[order]
    # every train of `post` has a stretch of one axis to itself, with room for the lags
    stretch = post.duration + 4 * reach
    place = np.sort(
        (post.trials * post.n_units + post.units) * stretch + post.times.astype(np.float64)
    )
    slack = _lag_slack(pre, post, width, len(post) * post.n_units * stretch)
    inside = (
        np.abs(pre.times.astype(np.float64) - pre.duration / 2) <= pre.duration / 2 - reach + slack
    )
    times, trials, units = (
        pre.times[inside].astype(np.float64),
        pre.trials[inside],
        pre.units[inside],
    )
    found, n = np.zeros(2 * each_side, np.int64), (first[units + 1] - first[units]).astype(np.int64)
    for part in np.array_split(np.arange(times.size), 1 + n.sum() // _CORRELOGRAM_CHUNK):
        spike = np.repeat(part, n[part])
        target = targets[ranges(first[units[part]], n[part])]
        at = (trials[spike] * post.n_units + target) * stretch + times[spike]
        low, high = (np.searchsorted(place, at + sign * reach - slack) for sign in (-1, 1))
        pieces = np.searchsorted(
            np.cumsum(high - low),
            np.arange(_CORRELOGRAM_CHUNK, (high - low).sum(), _CORRELOGRAM_CHUNK),
        )
        for begin, end in zip([0, *pieces], [*pieces, at.size]):
            first_lag, lags = low[begin:end], high[begin:end] - low[begin:end]
            lags = place[ranges(first_lag, lags)] - np.repeat(at[begin:end], lags)
            bins = ((lags + reach + slack) / width).astype(np.int64)
            found += np.bincount(np.clip(bins, 0, found.size - 1), minlength=found.size)
    with np.errstate(divide="ignore", invalid="ignore"):
        return (np.arange(-each_side, each_side) + 0.5) * width, found / (n.sum() * width)


def _lag_slack(pre, post, width, length):
    """Seconds by which a lag that should be a multiple of `width` may lie below it: both times are rounded, and their places on an axis
    of that length."""
    last = float(max(pre.times.max(initial=0), post.times.max(initial=0)))
    parts = [timegrid.window_tolerance(each.times.dtype, width)(last) for each in (pre, post)]
    return float(
        min(
            sum(parts) + 4 * np.finfo(float).eps * length,
            timegrid.window_tolerance(float, width).most,
        )
    )


def _checked_pairs(pairs, n_pre, n_post):
    try:
        sources, targets = pairs
    except (TypeError, ValueError):
        checks.refuse(
            "pairs",
            pairs,
            "two arrays (pairs,) of unit numbers, such as (synapses.sources, synapses.target)",
        )
    sources, targets = (
        checks.wholes(units, f"units of {name} in pairs", 0, size - 1)
        for name, units, size in (("pre", sources, n_pre), ("post", targets, n_post))
    )
    if sources.shape != targets.shape or sources.ndim != 1:
        raise ValueError(
            f"pairs have shapes {sources.shape} and {targets.shape}; they must be two arrays (pairs,) of unit numbers."
        )
    return sources, targets


def _random_pairs(n, pairs, rng):
    """Different pairs i < j of 0 .. n - 1, as an array (2, at most `pairs`)."""
    n_pairs = n * (n - 1) // 2
    k = rng.choice(n_pairs, pairs, replace=False) if n_pairs > pairs else np.arange(n_pairs)
    j = ((1 + np.sqrt(1 + 8 * k)) // 2).astype(
        np.int64
    )  # pair k = j (j - 1) / 2 + i, counted along rows j
    return np.stack([k - j * (j - 1) // 2, j])


def _window_counts(spikes, name, width):
    """Spike counts (trial and window, unit) in whole windows. Sparse: memory is that of the spikes."""
    _check_trials(spikes)
    width = _checked_width(name, width, spikes.duration)
    n_windows = timegrid.whole_windows(spikes.duration, width)
    if n_windows * len(spikes) < 2:
        raise ValueError(
            f"{name} is {width:g} s and there is one trial of {spikes.duration:g} s, which gives one count; a "
            f"variance needs at least two. Give a shorter {name} or more trials."
        )
    window = timegrid.windows_of(spikes.times, width)
    whole = window < n_windows
    where = (spikes.trials * n_windows + window)[whole], spikes.units[whole]
    from scipy.sparse import csc_matrix  # here: `import biosnn` stays quick

    return csc_matrix((np.ones(whole.sum()), where), (len(spikes) * n_windows, spikes.n_units))


def _totals(counts):
    return np.asarray(counts.sum(axis=0)).ravel()


def _variances(counts):
    """Variance of each column; exactly 0 where it is 0, since sums of whole numbers are exact."""
    n = counts.shape[0]
    return (n * _totals(counts.multiply(counts)) - _totals(counts) ** 2) / n**2


# ------------------------------------------------------------------------------------------ balance


@dataclass(frozen=True, eq=False)
class EIBalance:
    """Balance of the excitatory input E and the inhibitory input I of each neuron; arrays (neuron,).

    net_over_excitatory   (<E> - <I>) / <E>: 0 if they cancel, 1 without inhibition, negative if inhibition dominates
    ratio                 <E> / <I>: 1 if they cancel, infinite without inhibition
    correlation           Pearson correlation of E and I over time and trials: positive if I tracks E
    """

    net_over_excitatory: np.ndarray
    ratio: np.ndarray
    correlation: np.ndarray


def ei_balance(excitatory, inhibitory):
    """Balance of excitatory and inhibitory input; an EIBalance with one value per neuron.

    excitatory, inhibitory: arrays (trial, step, neuron) in the same unit, both as magnitudes >= 0, such as the states
    "E.I_exc" and "E.I_inh" of a trace. Means < > and the correlation go over trials and steps.
    A value is NaN where it does not exist: the correlation if an input is constant, ratios 0 / 0.
    ValueError for arrays of other or different shapes, and values that are negative or not finite.
    Source: van Vreeswijk & Sompolinsky (1996), Science 274:1724-1726 (balance of means); Okun & Lampl (2008), Nat.
    Neurosci. 11:535-537 (correlation of E and I).
    """
    e, i = (
        _checked_input(name, values)
        for name, values in (("excitatory", excitatory), ("inhibitory", inhibitory))
    )
    if e.shape != i.shape:
        raise ValueError(
            f"excitatory has shape {e.shape} and inhibitory {i.shape}; they must be of the same trials, steps "
            "and neurons."
        )
    mean_e, mean_i = e.mean(axis=(0, 1)), i.mean(axis=(0, 1))
    varies = (np.ptp(e, axis=(0, 1)) > 0) & (np.ptp(i, axis=(0, 1)) > 0)
    e, i = e - mean_e, i - mean_i
    covariance, variance_e, variance_i = (
        (a * b).mean(axis=(0, 1)) for a, b in ((e, i), (e, e), (i, i))
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = np.clip(covariance / np.sqrt(variance_e * variance_i), -1.0, 1.0)
        return EIBalance(
            (mean_e - mean_i) / mean_e, mean_e / mean_i, np.where(varies, correlation, np.nan)
        )


def _checked_input(name, values):
    values = checks.reals(values, f"{name} input")
    if values.ndim != 3 or 0 in values.shape[:2]:
        raise ValueError(
            f"{name} has shape {values.shape}; it must be (trial, step, neuron), with at least one trial and one "
            "step."
        )
    wrong = values < 0
    if np.any(wrong):
        at = tuple(int(k) for k in np.argwhere(wrong)[0])
        raise ValueError(
            f"{name} input at (trial, step, neuron) = {at} is {values[at]:g}; both inputs are given as "
            "magnitudes >= 0: the sign of inhibition is not part of it."
        )
    return values


# ------------------------------------------------------------------------------------------- checks


def _check_trials(spikes, name="spikes"):
    check_trains(spikes, name)
    if len(spikes) == 0:
        raise ValueError(
            "the spike trains have no trials, so there is nothing to average over; give at least one."
        )


def _checked_width(name, width, duration):
    width = checks.time(width, name)
    if not 0 < width <= duration * (1 + 1e-9):
        raise ValueError(
            f"{name} is {width!r} s; it must be a time in seconds, above 0 and at most the duration of a trial, "
            f"{duration:g} s."
        )
    if duration / width > _MOST_WINDOWS:
        raise ValueError(
            f"{name} is {width:g} s, of which {duration / width:.3g} fit into a trial of {duration:g} s; there can be "
            f"{_MOST_WINDOWS} windows at most."
        )
    return width

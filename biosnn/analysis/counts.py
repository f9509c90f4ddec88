"""Variability and correlation of spike counts in windows."""

import numpy as np
from numpy.typing import NDArray

from ..data.spike_trains import SpikeTrains
from ..support import checks, seeds
from .windows import Counts, column_sums


def fano_factor(spikes: SpikeTrains, window: float) -> NDArray[np.float64]:
    """Return the Fano factor of every unit: the variance of its counts, divided by their mean.

    Parameters
    ----------
    spikes
        Spike trains.
    window
        Width in seconds of the windows in which spikes are counted.

    Returns
    -------
    (units,) Fano factors; NaN for units without spikes.

    Raises
    ------
    ValueError
        If the window is not within (0, duration], or there are fewer than two windows.

    Notes
    -----
        F = Var[c] / E[c],

    with the counts c of all windows of all trials, and n - 1 in the denominator of the variance.
    It is 1 for a Poisson process of constant rate and 0 for a clock. A rate that differs between
    windows or trials adds to it. `elephant` and `numpy.var` divide by n by default: their Fano
    factor is (n - 1) / n of this one.

    References
    ----------
    Fano (1947), Phys. Rev. 72:26-29.

    Examples
    --------
    >>> import numpy as np
    >>> import biosnn as bs
    >>> clock = np.arange(0.05, 1.0, 0.1)
    >>> bs.stats.fano_factor(bs.SpikeTrains.from_units([clock, []], duration=1.0), 0.2)
    array([ 0., nan])
    """
    counts = Counts(spikes, "window", window)
    n, total = counts.n, counts.totals()
    with np.errstate(divide="ignore", invalid="ignore"):
        return counts.variances() * n / (n - 1) / (total / n)


def synchrony(spikes: SpikeTrains, bin_width: float) -> float:
    """Return the synchrony chi of a population, from 0 to 1.

    Parameters
    ----------
    spikes
        Spike trains of the population.
    bin_width
        Width in seconds of the bins in which spikes are counted.

    Returns
    -------
    1 if all units do the same. For independent units it falls as 1 / sqrt(N), so compare
    populations of one size, or with that value. A rate that all units share (a stimulus) counts as
    synchrony. NaN if no count varies.

    Raises
    ------
    ValueError
        If `bin_width` is not within (0, duration], or there are fewer than two bins.

    Notes
    -----
        chi² = Var[ 1/N Σ_i c_i ] / ( 1/N Σ_i Var[c_i] ),

    with variances over all bins of all trials.

    References
    ----------
    Golomb & Rinzel (1994), Physica D 72:259-282; Golomb (2007), Scholarpedia 2(1):1347, with counts
    in place of membrane potentials.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.SpikeTrains.from_units([[0.1, 0.35], [0.1, 0.35]], duration=0.5)
    >>> bs.stats.synchrony(spikes, 0.05)
    1.0
    """
    counts = Counts(spikes, "bin_width", bin_width)
    units = counts.variances().mean()
    population = np.asarray(counts.matrix.sum(axis=1)).ravel() / spikes.n_units
    return float(min(1.0, np.sqrt(population.var() / units))) if units > 0 else np.nan


def correlations(
    spikes: SpikeTrains,
    bin_width: float,
    *,
    pairs: int = 1000,
    seed: int | np.random.Generator = 0,
) -> NDArray[np.float64]:
    """Return the correlation of the spike counts of random pairs of units.

    Parameters
    ----------
    spikes
        Spike trains.
    bin_width
        Width in seconds of the bins in which spikes are counted.
    pairs
        At most this many different pairs are drawn, from units whose counts vary; all of them if
        there are no more.
    seed
        Seed or numpy Generator of the draw.

    Returns
    -------
    (pairs drawn,) Pearson correlation coefficients; empty if fewer than two units vary.

    Raises
    ------
    ValueError
        If `bin_width` is not within (0, duration], there are fewer than two bins, or `pairs` is not
        a whole number of at least 1.

    Notes
    -----
        r_ij = Cov[c_i, c_j] / sqrt(Var[c_i] Var[c_j]),

    over all bins of all trials.

    References
    ----------
    Cohen & Kohn (2011), Nat. Neurosci. 14:811-819 (spike-count correlation).

    Examples
    --------
    >>> import biosnn as bs
    >>> trains = [[0.1, 0.35], [0.1, 0.35], [0.2]]
    >>> spikes = bs.SpikeTrains.from_units(trains, duration=0.5)
    >>> bs.stats.correlations(spikes, 0.05).round(2)
    array([ 1.  , -0.17, -0.17])
    """
    pairs, rng = checks.whole(pairs, "pairs", 1), seeds.generator(seed)
    counts = Counts(spikes, "bin_width", bin_width)
    variances = counts.variances()
    active = np.flatnonzero(variances > 0)
    i, j = active[random_pairs(active.size, pairs, rng)]
    n, total = counts.n, counts.totals()
    together = column_sums(counts.matrix[:, i].multiply(counts.matrix[:, j]))
    covariances = (n * together - total[i] * total[j]) / n**2
    return np.clip(covariances / np.sqrt(variances[i] * variances[j]), -1.0, 1.0)


def random_pairs(n: int, pairs: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return different pairs i < j of 0 .. n - 1, as an array (2, at most `pairs`)."""
    n_pairs = n * (n - 1) // 2
    k = rng.choice(n_pairs, pairs, replace=False) if n_pairs > pairs else np.arange(n_pairs)
    # pair k = j (j - 1) / 2 + i, counted along rows j
    j = ((1 + np.sqrt(1 + 8 * k)) // 2).astype(np.int64)
    return np.stack([k - j * (j - 1) // 2, j])

"""Rates, irregularity and correlation of both programs, and how far their distributions differ."""

from __future__ import annotations

import numpy as np

from ..analysis.counts import correlations
from ..analysis.intervals import isi_cv
from ..analysis.rates import firing_rates
from ..data.spike_trains import SpikeTrains

_WIDTH = 20e-3  # seconds of the bins of correlations


def statistics(ours: SpikeTrains, theirs: SpikeTrains) -> dict[str, tuple[float, float, float]]:
    """Return for each statistic the means of both, and their Kolmogorov-Smirnov distance."""
    mine, other = distributions(ours), distributions(theirs)
    return {
        key: (_mean(mine[key]), _mean(other[key]), distance(mine[key], other[key])) for key in mine
    }


def distributions(spikes: SpikeTrains) -> dict[str, np.ndarray]:
    """Return values over neurons (or pairs), without undefined ones.

    They are "rate" (Hz), "cv" of the intervals, and "correlation" of counts in 20 ms.
    """
    values = {
        "rate": firing_rates(spikes),
        "cv": isi_cv(spikes),
        "correlation": correlations(spikes, min(_WIDTH, spikes.duration / 2)),
    }
    return {key: value[np.isfinite(value)] for key, value in values.items()}


def distance(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the Kolmogorov-Smirnov distance of two samples; NaN if one is empty."""
    from scipy.stats import ks_2samp  # here: `import biosnn` stays quick

    return float(ks_2samp(ours, theirs).statistic) if ours.size and theirs.size else np.nan


def _mean(values):
    """The mean; NaN of nothing."""
    return float(values.mean()) if values.size else np.nan

"""What the scripts say of the activity of populations."""

import numpy as np

import biosnn as bs


def population_statistics(
    spikes: bs.SpikeTrains, width: float = 3e-3, sample: int = 1000
) -> dict[str, float | None]:
    """Rate, irregularity and synchrony of one population.

    Parameters
    ----------
    spikes
        Its spikes.
    width
        Bins of the synchrony, in seconds.
    sample
        The synchrony is that of this many neurons, the first ones, so that populations compare.

    Returns
    -------
    The mean rate (Hz), the CV of intervals (`bs.stats.pooled_cv`) and the synchrony
    (`bs.stats.synchrony`); None where there are too few spikes.
    """
    cv, _ = bs.stats.pooled_cv(spikes)
    synchrony = bs.stats.synchrony(spikes.select(units=slice(sample)), width)
    return {
        "rate_hz": float(bs.stats.firing_rates(spikes).mean()),
        "cv": float(cv) if np.isfinite(cv) else None,
        "synchrony": float(synchrony) if np.isfinite(synchrony) else None,
    }

"""What the scripts say and draw of the activity of populations: statistics, rasters, colours."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

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
        The synchrony is that of so many neurons, the first ones, so that populations compare.

    Returns
    -------
    The mean rate (Hz), the CV of intervals (`bs.stats.pooled_cv`) and the synchrony
    (`bs.stats.synchrony`); None where there are too few spikes.
    """
    cv, _ = bs.stats.pooled_cv(spikes)
    synchrony = bs.stats.synchrony(first_neurons(spikes, sample), width)
    return {
        "rate_hz": float(bs.stats.firing_rates(spikes).mean()),
        "cv": float(cv) if np.isfinite(cv) else None,
        "synchrony": float(synchrony) if np.isfinite(synchrony) else None,
    }


def first_neurons(spikes: bs.SpikeTrains, n: int) -> bs.SpikeTrains:
    """The spikes of the first n neurons."""
    if spikes.n_units <= n:
        return spikes
    keep = spikes.units < n
    offsets = np.array([0, int(keep.sum())])
    return type(spikes)(spikes.times[keep], spikes.units[keep], offsets, n, spikes.duration)


def raster(
    axis: Axes,
    groups: Sequence[tuple[bs.SpikeTrains, float, str]],
    start: float,
    stop: float,
    size: float = 1.5,
) -> list[float]:
    """Draw the spikes of populations above each other, the first on top.

    Parameters
    ----------
    groups
        (spikes, share of the neurons that is drawn, colour) of each population.
    start, stop
        Seconds.
    size
        Of a spike, in points.

    Returns
    -------
    The middle of each population on the vertical axis, for its label.
    """
    middles, top = [], 0
    for spikes, share, hue in groups:
        n = max(1, round(spikes.n_units * share))
        shown = (spikes.units < n) & (spikes.times >= start) & (spikes.times < stop)
        times, rows = 1e3 * spikes.times[shown], top + spikes.units[shown]
        axis.plot(times, rows, ".", ms=size, mew=0, color=hue, rasterized=True)
        middles.append(top + n / 2)
        top += n
    axis.set(xlim=(1e3 * start, 1e3 * stop), ylim=(top, 0), xlabel="time (ms)")
    return middles


def colour(name: str) -> str:
    """The colour of a population whose name ends in E or I."""
    return bs.plot.EXCITATORY if name.endswith("E") else bs.plot.INHIBITORY

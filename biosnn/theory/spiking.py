"""Rate, irregularity and synchrony of the spikes of a simulation, with standard errors."""

import numpy as np

from ..analysis import stats
from ..data.spike_trains import SpikeTrains
from ..engine.simulation import Simulation
from ..support import timegrid
from .moments import Moments

#: Spikes of a train beyond which its length does not matter to the CV.
_MANY_INTERVALS = 30.0
#: Trains that are drawn to know how much it matters to shorter ones.
_TRAINS = 2000
#: The error of a rate is that between blocks: their number, and their least length (s).
_BLOCKS, _BLOCK, _FEW_BLOCKS = 20, 20e-3, 4


def spiking(simulation: Simulation, name: str, bin_width: float, cv: float) -> Moments:
    """Measure the spikes of a population.

    Parameters
    ----------
    simulation
        What `simulate` returned.
    name
        Name of the population.
    bin_width
        Seconds of the bins in which synchrony is measured.
    cv
        CV of the intervals according to theory, or NaN.

    Returns
    -------
    Moments with rate, cv, synchrony and their errors: NaN and an infinite error where there are no
    spikes to measure them by. The error of the CV is at least the one that a simulation of this
    length has for a process with the CV of theory.
    """
    rate = simulation.mean_rates[name]
    rate_error = _rate_error(simulation, name)
    if name not in simulation.spikes:
        errors = Moments(rate=rate_error, cv=np.inf, synchrony=np.inf)
        return Moments(rate=rate, errors=errors)
    spikes = simulation.spikes[name]
    chi, chi_error = _synchrony(spikes, simulation.duration, bin_width)
    found, cv_error = stats.pooled_cv(spikes, expected=np.nan_to_num(cv))
    cv_error = max(cv_error, _window_bias(rate, cv, simulation.duration))
    errors = Moments(rate=rate_error, cv=cv_error, synchrony=chi_error)
    return Moments(rate=rate, cv=found, synchrony=chi, errors=errors)


def _synchrony(spikes, duration, bin_width):
    """Chi and its standard error."""
    bins = timegrid.whole_windows(duration, bin_width)
    if bins < 2 or not spikes.times.size:
        return np.nan, np.inf
    chi = float(stats.synchrony(spikes, bin_width))
    # of the variance of counts, most of which is that of a Poisson number
    return chi, chi * np.sqrt(2 / bins + 1 / spikes.times.size) / 2


def _window_bias(rate, cv, duration):
    """How far `pooled_cv` is from the CV of intervals that are seen for a short time.

    The intervals have a dead time, as after a reset, and an exponential distribution beyond it; for
    a CV above 1 a gamma distribution.
    """
    if not cv > 0 or rate * duration > _MANY_INTERVALS:
        return 0.0
    rng = np.random.default_rng(0)
    before = 20.0  # in units of the mean interval, like all times here
    seen = max(rate * duration, 1e-3)
    shape, dead = (1.0, 1.0 - cv) if cv < 1 else (cv**-2, 0.0)
    number = int(2 * (before + seen)) + 20
    intervals = dead + rng.gamma(shape, (1 - dead) / shape, (_TRAINS, number))
    times = np.cumsum(intervals, axis=1) - before - rng.random((_TRAINS, 1))
    unit, k = np.nonzero((times >= 0) & (times < seen))
    trial = np.zeros(unit.size, np.int64)
    trains = SpikeTrains.from_events(
        times[unit, k], unit, trial, n_trials=1, n_units=_TRAINS, duration=seen
    )
    found, _ = stats.pooled_cv(trains)
    return abs(found - cv) if np.isfinite(found) else np.inf


def _rate_error(simulation, name):
    """Standard error of the mean rate between blocks, at least that of independent spikes."""
    counts, seconds = simulation.binned[name], simulation.duration
    whole = timegrid.whole_windows(seconds, simulation.rate_bin)
    size = max(-(-whole // _BLOCKS), timegrid.covering_windows(_BLOCK, simulation.rate_bin))
    blocks = counts[: whole // size * size].reshape(-1, size).sum(axis=1)
    if len(blocks) < _FEW_BLOCKS:
        return np.inf
    neurons = simulation.network[name].n
    between = blocks.std(ddof=1) / np.sqrt(len(blocks)) / (neurons * size * simulation.rate_bin)
    return float(max(between, np.sqrt(counts.sum()) / (neurons * seconds)))

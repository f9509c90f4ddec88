"""Statistics of spike trains and of synaptic input, by name: `bs.stats.firing_rates(spikes)`.

    rates         firing_rates, rate_over_time                          rates.py
    regularity    interspike_intervals, isi_cv, pooled_cv               intervals.py
    counts        fano_factor, synchrony, correlations                  counts.py
    pairs         cross_correlogram                                     correlogram.py
    input         ei_balance                                            balance.py

Functions of spike trains take SpikeTrains, and pool all their trials. Trials may end at different
times: each counts for as long as it lasts. Counts in windows use whole windows only: what is left
at the end of a trial when the width does not divide its duration is not counted. A spike that
should begin a window, but for the rounding of its time, counts there (support/timegrid.py).
"""

from .balance import EIBalance, ei_balance
from .correlogram import cross_correlogram
from .counts import correlations, fano_factor, synchrony
from .intervals import interspike_intervals, isi_cv, pooled_cv
from .rates import firing_rates, rate_over_time

__all__ = [
    "EIBalance",
    "correlations",
    "cross_correlogram",
    "ei_balance",
    "fano_factor",
    "firing_rates",
    "interspike_intervals",
    "isi_cv",
    "pooled_cv",
    "rate_over_time",
    "synchrony",
]

"""Spike counts in windows, and the checks that all statistics share."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.spike_trains import SpikeTrains, check_trains
from ..support import checks, timegrid

_MOST_WINDOWS = 2**31  # in a trial


def check_trials(spikes: SpikeTrains, name: str = "spikes") -> None:
    """ValueError unless they are SpikeTrains of at least one trial."""
    check_trains(spikes, name)
    if len(spikes) == 0:
        raise ValueError(
            "the spike trains have no trials, so there is nothing to average over; give at least "
            "one."
        )


def checked_width(name: str, width: float, duration: float) -> float:
    """Return the width of a window in seconds; ValueError unless it fits into a trial."""
    width = checks.time(width, name)
    if not 0 < width <= duration * (1 + 1e-9):
        raise ValueError(
            f"{name} is {width!r} s; it must be a time in seconds, above 0 and at most the "
            f"duration of a trial, {duration:g} s."
        )
    if duration / width > _MOST_WINDOWS:
        raise ValueError(
            f"{name} is {width:g} s, of which {duration / width:.3g} fit into a trial of "
            f"{duration:g} s; there can be {_MOST_WINDOWS} windows at most."
        )
    return width


class Counts:
    """Spike counts (trial and window, unit) in whole windows.

    They are sparse: the memory that they need is that of the spikes.
    """

    def __init__(self, spikes: SpikeTrains, name: str, width: float) -> None:
        check_trials(spikes)
        width = checked_width(name, width, spikes.duration)
        n_windows = timegrid.whole_windows(spikes.durations, width)  # of each trial
        first = np.cumsum(n_windows) - n_windows
        if n_windows.sum() < 2:
            raise ValueError(
                f"{name} is {width:g} s, of which one fits into one trial of "
                f"{spikes.duration:g} s, which gives one count; a variance needs at least two. "
                f"Give a shorter {name} or more trials."
            )
        window, trials = timegrid.windows_of(spikes.times, width), spikes.trials
        whole = window < n_windows[trials]
        where = (first[trials] + window)[whole], spikes.units[whole]
        from scipy.sparse import csc_matrix  # here: `import biosnn` stays quick

        shape = int(n_windows.sum()), spikes.n_units
        self.matrix = csc_matrix((np.ones(whole.sum()), where), shape)
        self.n = shape[0]

    def totals(self) -> NDArray[np.float64]:
        """Return the number of spikes of each unit."""
        return column_sums(self.matrix)

    def variances(self) -> NDArray[np.float64]:
        """Return the variance of each unit; sums of whole numbers are exact, so 0 is exactly 0."""
        squares = column_sums(self.matrix.multiply(self.matrix))
        return (self.n * squares - self.totals() ** 2) / self.n**2


def column_sums(matrix: Any) -> NDArray[np.float64]:
    """Return the sum of each column of a sparse matrix."""
    return np.asarray(matrix.sum(axis=0)).ravel()

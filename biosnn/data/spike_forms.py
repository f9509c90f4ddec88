"""Spike trains in other forms: lists of times, dense arrays, data frames."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..support import checks, plausible, timegrid
from ..support.memory import check_room
from ..support.optional import optional
from .spike_base import SpikeTrainsBase, own_steps


class SpikeTrainsForms(SpikeTrainsBase):
    """Base of `SpikeTrains`: what they become for others."""

    def to_lists(self) -> list[list[np.ndarray]]:
        """Return the spike times of each unit in each trial.

        Returns
        -------
        times[trial][unit], an array of times in seconds, ascending.

        See Also
        --------
        SpikeTrains.from_lists : the other way.

        Examples
        --------
        >>> import biosnn as bs
        >>> bs.SpikeTrains.from_units([[0.1, 0.3], [0.2]], duration=0.5).to_lists()
        [[array([0.1, 0.3]), array([0.2])]]
        """
        pair = self.trials * self.n_units + self.units
        order = np.argsort(pair, kind="stable")  # times ascend within a trial, and stay so
        cuts = np.searchsorted(pair[order], np.arange(1, len(self) * self.n_units))
        each = np.split(self.times[order], cuts)
        n = self.n_units
        return [each[b * n : (b + 1) * n] for b in range(len(self))]

    def to_dense(self, dt: float, *, merge: bool = False) -> NDArray[np.int32]:
        """Return spike counts in steps of dt.

        Parameters
        ----------
        dt
            Time step in seconds.
        merge
            Whether several spikes of a unit in one step count once, as networks see them.

        Returns
        -------
        (trial, step, unit) counts. Steps after the end of a trial hold 0.

        Raises
        ------
        ValueError
            If `dt` is not a time above 0, or the array does not fit into memory.

        See Also
        --------
        from_dense : the other way.
        bin_spikes : the same without an array that is mostly zeros.

        Examples
        --------
        >>> import biosnn as bs
        >>> spikes = bs.SpikeTrains.from_units([[0.001, 0.0012], [0.0035]], duration=0.005)
        >>> spikes.to_dense(1e-3)[0].T
        array([[0, 2, 0, 0, 0],
               [0, 0, 0, 1, 0]], dtype=int32)
        """
        dt = checks.time(dt, "dt", above=0, plausible=max(self.duration, plausible.STEP))
        merge = checks.flag(merge, "merge")
        timegrid.warn_if_unresolved(self.times.dtype, self.duration, dt)
        n_steps, steps = timegrid.covering_steps(self.duration, dt), own_steps(self.ends, dt)
        check_room(f"dt = {dt:g} s", n_steps * len(self) * self.n_units, 4, "counts")
        last = n_steps if steps is None else steps[self.trials]
        step = np.minimum(timegrid.steps_of(self.times, dt), last - 1)
        counts = np.zeros((len(self), n_steps, self.n_units), np.int32)
        np.add.at(counts, (self.trials, step, self.units), 1)
        return np.minimum(counts, 1) if merge else counts

    def to_frame(self) -> Any:
        """Return a pandas data frame with one row for each spike.

        Returns
        -------
        A frame with the columns trial and unit (whole numbers), time (seconds from the start of the
        trial), and label where there are labels; sorted by trial and time. Trials and units without
        spikes do not occur in it.

        Raises
        ------
        ImportError
            Without the package pandas (`biosnn[pandas]`).

        See Also
        --------
        SpikeTrains.from_frame : the other way.

        Examples
        --------
        >>> import biosnn as bs
        >>> bs.SpikeTrains.from_units([[0.1, 0.3], [0.2]], duration=0.5).to_frame()
           trial  unit  time
        0      0     0   0.1
        1      0     1   0.2
        2      0     0   0.3
        """
        pandas = optional("pandas", "pandas", "SpikeTrains.to_frame")
        columns = {"trial": self.trials, "unit": self.units, "time": self.times}
        if self.labels is not None:
            columns["label"] = self.labels[self.trials]
        return pandas.DataFrame(columns)

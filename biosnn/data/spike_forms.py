"""Spike trains in other forms: lists of times, dense arrays, data frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..support import checks, plausible, timegrid
from ..support.memory import check_room
from ..support.optional import optional
from . import spike_checks
from .spike_base import SpikeTrainsBase, own_steps
from .spike_parts import along_trials


class SpikeTrainsForms(SpikeTrainsBase):
    """Base of `SpikeTrains`: what they become for others, and what dense arrays become."""

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

    @classmethod
    def from_dense(
        cls,
        counts: ArrayLike | Sequence[ArrayLike],
        dt: float,
        *,
        labels: ArrayLike | None = None,
        ends: ArrayLike | None = None,
    ) -> Self:
        """Return spike trains from an array of spike counts.

        Parameters
        ----------
        counts
            (trial, step, unit) spike counts, or True and False; or a list of arrays (step, unit),
            one for each trial, which may have different numbers of steps.
        dt
            Time step in seconds. A spike of step n is at n dt.
        labels
            (trials,) class of each trial, or None.
        ends
            (trials,) seconds at which each trial ends, if the array is filled up with zeros after
            that. Default: after its steps.

        Returns
        -------
        Spike trains with trials of as many steps.

        Raises
        ------
        ValueError
            If counts are not non-negative whole numbers of that shape, or there is a spike after
            the end of a trial.

        See Also
        --------
        to_dense : the other way.

        Examples
        --------
        >>> import numpy as np
        >>> import biosnn as bs
        >>> bs.SpikeTrains.from_dense(np.eye(3)[None], dt=1e-3).times
        array([0.   , 0.001, 0.002])
        >>> bs.SpikeTrains.from_dense([np.ones((2, 1)), np.ones((4, 1))], dt=1e-3).ends
        array([0.002, 0.004])
        """
        dt = checks.time(dt, "dt", above=0, plausible=plausible.BIN)
        if spike_checks.differ(counts):
            return cls._from_trials(counts, dt, labels, ends)
        array: Any = spike_checks.checked_counts(counts, "counts")
        if array.ndim != 3:
            raise ValueError(
                f"counts have shape {array.shape}; they must be non-negative whole numbers of "
                "shape (trial, step, unit)."
            )
        b, n, unit = np.nonzero(array)
        repeats = array[b, n, unit].astype(np.int64)
        b, n, unit = (np.repeat(a, repeats) for a in (b, n, unit))
        n_trials, n_steps, n_units = array.shape
        return cls.from_events(  # type: ignore[attr-defined]  # of SpikeTrains
            n * dt,
            unit,
            b,
            n_trials=n_trials,
            n_units=n_units,
            duration=n_steps * dt if ends is None else None,
            labels=labels,
            ends=ends,
        )

    @classmethod
    def _from_trials(cls, counts: Any, dt: float, labels: Any, ends: Any) -> Self:
        """Spike trains of trials with different numbers of steps."""
        each = [
            spike_checks.checked_counts(x, f"counts of trial {b}") for b, x in enumerate(counts)
        ]
        shapes = [x.shape for x in each]
        if any(len(shape) != 2 for shape in shapes) or len({shape[1] for shape in shapes}) > 1:
            raise ValueError(
                f"counts of the trials have shapes {checks.shown(shapes)}; each must be (step, "
                "unit), with as many units."
            )
        if ends is not None:
            raise ValueError(
                "counts are a list of trials, whose steps say where they end; leave ends out."
            )
        trials = [cls.from_dense(x[None], dt) for x in each]
        return along_trials(trials).relabel(labels)

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
        SpikeTrains.from_dense : the other way.
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
        A frame with the columns trial and unit (whole numbers), time_s (seconds from the start of
        the trial), and label where there are labels; sorted by trial and time. Trials and units
        without spikes do not occur in it.

        Raises
        ------
        ImportError
            Without the package pandas (`biosnn[pandas]`).

        See Also
        --------
        SpikeTrains.from_frame : the other way.
        biosnn.interop.to_frame : of several populations, states and rates, too.

        Examples
        --------
        >>> import biosnn as bs
        >>> bs.SpikeTrains.from_units([[0.1, 0.3], [0.2]], duration=0.5).to_frame()
           trial  unit  time_s
        0      0     0     0.1
        1      0     1     0.2
        2      0     0     0.3
        """
        pandas = optional("pandas", "pandas", "SpikeTrains.to_frame")
        columns = {"trial": self.trials, "unit": self.units, "time_s": self.times}
        if self.labels is not None:
            columns["label"] = self.labels[self.trials]
        return pandas.DataFrame(columns)

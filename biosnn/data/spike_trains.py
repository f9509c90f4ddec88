"""Spike trains in continuous time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..support import checks
from ..support.show import About
from . import spike_checks
from .spike_base import settled
from .spike_forms import SpikeTrainsForms
from .spike_parts import SpikeTrainsParts

_MOST_UNITS = 2**31 - 1
_MOST_SHOWN = 5  # labels that are named one by one


@dataclass(frozen=True, eq=False, repr=False)
class SpikeTrains(SpikeTrainsForms, SpikeTrainsParts):
    """Spikes of some units in trials.

    Indexing selects trials: `trains[3]`, `trains[:5]`, `trains[[7, 2]]`, `trains[mask]`. Like
    lists, `a + b` are the trials of a and then those of b.

    Parameters
    ----------
    times
        (spikes,) seconds from the start of the trial, ascending within each trial, at or after 0
        and before the end of the trial. They are kept in float32 or float64. The step of a spike
        follows from its time and from the resolution of that type (`bin_spikes`).
    units
        (spikes,) the unit that fired, 0 .. n_units - 1.
    offsets
        (trials + 1,) trial b holds the spikes offsets[b] to offsets[b + 1] - 1. A trial may be
        empty.
    n_units
        Number of units.
    duration
        Duration of a trial in seconds; with `ends`, that of the longest.
    labels
        (trials,) class of each trial, or None.
    ends
        (trials,) seconds at which each trial ends, the latest of them `duration`. None: all trials
        last as long. What comes after the end of a trial does not exist for losses, scores, counts
        and statistics.

    Raises
    ------
    ValueError
        If the arrays do not fit together, or a spike lies outside of its trial or of the units.

    Examples
    --------
    Events in any order, the times of each unit, and tables are taken by `from_events`,
    `from_units`, `from_lists`, `from_frame` and `from_dense`.

    >>> import biosnn as bs
    >>> bs.SpikeTrains([0.1, 0.2, 0.1], [0, 1, 1], [0, 2, 3], n_units=2, duration=0.5)
    SpikeTrains
      trials    2
      duration  0.5 s
      units     2
      spikes    3
      rate      1.5 Hz
      labels    none
    """

    times: np.ndarray
    units: np.ndarray
    offsets: np.ndarray
    n_units: int
    duration: float
    labels: np.ndarray | None = None
    ends: np.ndarray | None = None

    def __post_init__(self) -> None:
        def keep(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)

        keep("duration", spike_checks.checked_duration(self.duration))
        keep("times", spike_checks.as_times(self.times))
        keep("offsets", checks.wholes(self.offsets, "offsets"))
        why = "there must be at least one unit"
        keep("n_units", checks.whole(self.n_units, "n_units", 1, _MOST_UNITS, why=why))
        units = self.units
        if not (type(units) is np.ndarray and units.dtype == np.int32):
            units = checks.wholes(units, "units")
        spike_checks.check_offsets(self.offsets, self.times, units)
        spike_checks.check_units(units, self.n_units)
        if self.ends is not None:
            ends = spike_checks.checked_ends(self.ends, len(self), self.duration)
            for name, value in zip(("duration", "ends"), settled(ends, self.duration), strict=True):
                keep(name, value)
        spike_checks.check_times(self.times, self.offsets, self.duration, self.ends)
        keep("units", units.astype(np.int32, copy=False))
        if self.labels is not None:
            keep("labels", spike_checks.checked_labels(self.labels, len(self)))

    @classmethod
    def from_events(
        cls,
        times: ArrayLike,
        units: ArrayLike,
        trials: ArrayLike,
        *,
        n_trials: int,
        n_units: int,
        duration: float | None = None,
        labels: ArrayLike | None = None,
        ends: ArrayLike | None = None,
    ) -> SpikeTrains:
        """Return spike trains from events in any order.

        Parameters
        ----------
        times, units, trials
            (spikes,) time in seconds, unit and trial of each spike.
        n_trials, n_units
            Numbers of trials and of units.
        duration
            Duration of a trial in seconds; not needed with `ends`.
        labels
            (trials,) class of each trial, or None.
        ends
            (trials,) seconds at which each trial ends, or None if all have the same duration.

        Returns
        -------
        Spike trains, sorted by trial, time and unit.

        Raises
        ------
        ValueError
            If the arrays have different lengths, or a spike lies outside of the trials or units.

        Examples
        --------
        >>> import biosnn as bs
        >>> trains = bs.SpikeTrains.from_events(
        ...     [0.3, 0.1], [1, 0], [0, 0], n_trials=1, n_units=2, duration=0.5
        ... )
        >>> trains.times
        array([0.1, 0.3])
        """
        times = spike_checks.as_times(times)
        units, trials = checks.wholes(units, "units"), checks.wholes(trials, "trials")
        n_trials = checks.whole(n_trials, "n_trials", 0)
        spike_checks.check_events(times, units, trials, n_trials)
        order = np.lexsort((units, times, trials))
        offsets = np.concatenate([[0], np.cumsum(np.bincount(trials, minlength=n_trials))])
        return cls(
            times=times[order],
            units=units[order],
            offsets=offsets,
            n_units=n_units,
            duration=spike_checks.longest(duration, ends),
            labels=labels,  # type: ignore[arg-type]  # checked there
            ends=ends,  # type: ignore[arg-type]
        )

    @classmethod
    def from_units(
        cls, times: Sequence[ArrayLike], *, duration: float, label: int | None = None
    ) -> SpikeTrains:
        """Return spike trains of one trial from the spike times of each unit.

        Parameters
        ----------
        times
            One list or array of times in seconds for each unit, in any order.
        duration
            Duration of the trial in seconds.
        label
            Class of the trial, or None.

        Returns
        -------
        Spike trains of one trial.

        Raises
        ------
        ValueError
            If there are no units, or a spike lies outside of the trial.

        See Also
        --------
        from_lists : the same for several trials.

        Examples
        --------
        >>> import biosnn as bs
        >>> bs.SpikeTrains.from_units([[0.1, 0.3], []], duration=0.5).units
        array([0, 0], dtype=int32)
        """
        times = checks.several(times, "times", "[0.1, 0.3]")
        labels = None if label is None else [label]
        return cls.from_lists([times], duration=duration, labels=labels)

    @classmethod
    def from_lists(
        cls,
        times: Sequence[Sequence[ArrayLike]],
        *,
        duration: float | None = None,
        labels: ArrayLike | None = None,
        ends: ArrayLike | None = None,
    ) -> SpikeTrains:
        """Return spike trains from the spike times of each unit in each trial.

        Parameters
        ----------
        times
            times[trial][unit] is a list or array of times in seconds, in any order. All trials have
            as many units.
        duration
            Duration of a trial in seconds; not needed with `ends`.
        labels
            (trials,) class of each trial, or None.
        ends
            (trials,) seconds at which each trial ends, or None if all have the same duration.

        Returns
        -------
        Spike trains, sorted by trial, time and unit.

        Raises
        ------
        ValueError
            If there are no trials or units, trials have different numbers of units, or a spike lies
            outside of its trial.

        See Also
        --------
        to_lists : the other way.

        Examples
        --------
        >>> import biosnn as bs
        >>> trains = bs.SpikeTrains.from_lists(
        ...     [[[0.1], [0.2]], [[], [0.3]]], ends=[0.4, 0.5]
        ... )
        >>> trains.trials, trains.ends
        (array([0, 0, 1]), array([0.4, 0.5]))
        """
        each, n_units = spike_checks.times_of_units(times)
        sizes = [unit.size for unit in each]
        pair = np.repeat(np.arange(len(each)), sizes)  # trial n_units + unit
        return cls.from_events(
            np.concatenate([np.empty(0, each[0].dtype if each else float), *each]),
            pair % n_units,
            pair // n_units,
            n_trials=len(each) // n_units,
            n_units=n_units,
            duration=duration,
            labels=labels,
            ends=ends,
        )

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        n_trials: int | None = None,
        n_units: int | None = None,
        duration: float | None = None,
        labels: ArrayLike | None = None,
        ends: ArrayLike | None = None,
        trial: str | None = "trial",
        unit: str = "unit",
        time: str = "time_s",
    ) -> SpikeTrains:
        """Return spike trains from a pandas data frame with one row for each spike.

        Parameters
        ----------
        frame
            A data frame, in any order.
        n_trials, n_units
            Numbers of trials and of units. Default: up to the last that has a spike.
        duration
            Duration of a trial in seconds; not needed with `ends`.
        labels
            (trials,) class of each trial, or None.
        ends
            (trials,) seconds at which each trial ends, or None if all have the same duration.
        trial, unit, time
            Names of the columns: numbers of trials and units from 0, and times in seconds from the
            start of the trial. Default: those of `to_frame`. trial=None: all spikes are of one
            trial.

        Returns
        -------
        Spike trains, sorted by trial, time and unit.

        Raises
        ------
        ValueError
            If a column is missing, or its values are not those of spikes.

        See Also
        --------
        to_frame : the other way.

        Examples
        --------
        A table with names of its own (`biosnn[pandas]`):

        >>> import pandas as pd
        >>> import biosnn as bs
        >>> frame = pd.DataFrame({"t": [0.3, 0.1], "neuron": [1, 0]})
        >>> trains = bs.SpikeTrains.from_frame(
        ...     frame, duration=0.5, trial=None, unit="neuron", time="t"
        ... )
        >>> trains.times, trains.units
        (array([0.1, 0.3]), array([0, 1], dtype=int32))
        """
        times = spike_checks.as_times(spike_checks.column(frame, time, "time"))
        units = checks.wholes(spike_checks.column(frame, unit, "unit"), f"column {unit!r}", 0)
        trials = np.zeros(units.size, np.int64)
        if trial is not None:
            trials = checks.wholes(
                spike_checks.column(frame, trial, "trial"), f"column {trial!r}", 0
            )
        if n_trials is None:
            given = [each for each in (labels, ends) if each is not None]
            n_trials = np.size(given[0]) if given else int(trials.max(initial=0)) + 1
        n_units = int(units.max(initial=0)) + 1 if n_units is None else n_units
        return cls.from_events(
            times,
            units,
            trials,
            n_trials=n_trials,
            n_units=n_units,
            duration=duration,
            labels=labels,
            ends=ends,
        )

    def _about(self) -> About:
        rate = self.times.size / max(self.total_duration * self.n_units, 1e-300)
        rows = [
            ("trials", f"{len(self):,}"),
            ("duration", self._duration_in_words()),
            ("units", f"{self.n_units:,}"),
            ("spikes", f"{self.times.size:,}"),
            ("rate", f"{rate:.3g} Hz"),
            ("labels", _labels_in_words(self.labels)),
        ]
        return About("SpikeTrains", rows)

    def _duration_in_words(self):
        """The duration of all trials, or of the shortest and the longest."""
        if self.ends is None:
            return f"{self.duration:g} s"
        return f"{self.ends.min():g} to {self.duration:g} s"


def check_trains(spikes: Any, name: str = "spikes") -> None:
    """ValueError unless `spikes` are SpikeTrains."""
    such = "bs.data.poisson(20.0, 100, 1.0, seed=1) or bs.SpikeTrains.from_dense(counts, dt)"
    if isinstance(getattr(spikes, "spikes", spikes), Mapping):
        such = "those of one population, run.spikes['E'] or recording['E']"
    checks.instance(spikes, name, SpikeTrains, f"SpikeTrains, such as {such}")


def _labels_in_words(labels):
    """How many classes there are, and how many trials each has."""
    if labels is None:
        return "none"
    classes, counts = np.unique(labels, return_counts=True)
    if classes.size == 0:
        return "no trials"
    few = f" ({', '.join(map(str, classes))})" if classes.size <= _MOST_SHOWN else ""
    least, most = counts.min(), counts.max()
    each = f"{most:,}" if least == most else f"{least:,} to {most:,}"
    what = "1 class" if classes.size == 1 else f"{classes.size:,} classes"
    return f"{what}{few}, {each} {'trial' if most == 1 else 'trials'} each"

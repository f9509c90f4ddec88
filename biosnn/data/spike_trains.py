"""Spike trains in continuous time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..support import checks, plausible, timegrid
from ..support.show import About, Shows
from ..support.warn import UnitWarning, warn
from . import spike_checks

_DAY = 86400.0
_MOST_UNITS = 2**31 - 1
_MOST_SHOWN = 5  # labels that are named one by one


@dataclass(frozen=True, eq=False, repr=False)
class SpikeTrains(Shows):
    """Spikes of some units in trials of one duration.

    Indexing selects trials: `trains[3]`, `trains[:5]`, `trains[[7, 2]]`, `trains[mask]`.

    Parameters
    ----------
    times
        (spikes,) seconds from the start of the trial, ascending within each trial,
        0 <= t < duration. They are kept in float32 or float64. The step of a spike follows from its
        time and from the resolution of that type (`bin_spikes`).
    units
        (spikes,) the unit that fired, 0 .. n_units - 1.
    offsets
        (trials + 1,) trial b holds the spikes offsets[b] to offsets[b + 1] - 1. A trial may be
        empty.
    n_units
        Number of units.
    duration
        Duration of a trial in seconds.
    labels
        (trials,) class of each trial, or None.

    Raises
    ------
    ValueError
        If the arrays do not fit together, or a spike lies outside of its trial or of the units.

    Examples
    --------
    Events in any order, and the times of each unit, are taken by `from_events` and `from_units`.

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

    def __post_init__(self) -> None:
        def keep(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)

        keep("duration", _checked_duration(self.duration))
        keep("times", spike_checks.as_times(self.times))
        keep("offsets", checks.wholes(self.offsets, "offsets"))
        why = "there must be at least one unit"
        keep("n_units", checks.whole(self.n_units, "n_units", 1, _MOST_UNITS, why=why))
        units = self.units
        if not (type(units) is np.ndarray and units.dtype == np.int32):
            units = checks.wholes(units, "units")
        spike_checks.check_offsets(self.offsets, self.times, units)
        spike_checks.check_units(units, self.n_units)
        spike_checks.check_times(self.times, self.offsets, self.duration)
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
        duration: float,
        labels: ArrayLike | None = None,
    ) -> SpikeTrains:
        """Return spike trains from events in any order.

        Parameters
        ----------
        times, units, trials
            (spikes,) time in seconds, unit and trial of each spike.
        n_trials, n_units
            Numbers of trials and of units.
        duration
            Duration of a trial in seconds.
        labels
            (trials,) class of each trial, or None.

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
            duration=duration,
            labels=labels,  # type: ignore[arg-type]  # checked there
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

        Examples
        --------
        >>> import biosnn as bs
        >>> bs.SpikeTrains.from_units([[0.1, 0.3], []], duration=0.5).units
        array([0, 0], dtype=int32)
        """
        times = checks.several(times, "times", "[0.1, 0.3]")
        each = [np.ravel(spike_checks.as_times(unit)) for unit in times]
        units = np.repeat(np.arange(len(each)), [unit.size for unit in each])
        return cls.from_events(
            np.concatenate([np.empty(0, each[0].dtype if each else float), *each]),
            units,
            np.zeros_like(units),
            n_trials=1,
            n_units=len(each),
            duration=duration,
            labels=None if label is None else [label],
        )

    def __len__(self) -> int:
        return self.offsets.size - 1

    def __getitem__(self, index: Any) -> SpikeTrains:
        trials = self._numbers(index)
        spikes = [
            slice(first, last)
            for first, last in zip(self.offsets[trials], self.offsets[trials + 1])
        ]
        return _unchecked(
            self,
            times=_joined(self.times, spikes),
            units=_joined(self.units, spikes),
            offsets=np.concatenate([[0], np.cumsum(np.diff(self.offsets)[trials])]),
            labels=None if self.labels is None else self.labels[trials],
        )

    def _numbers(self, index):
        """Numbers of the trials that an index selects, as an array."""
        one = isinstance(index, (int, np.integer)) and not isinstance(index, bool)
        several = isinstance(index, (list, tuple, np.ndarray))
        try:
            trials = np.arange(len(self))[[index] if one else index]
        except IndexError:
            if one or (several and np.asarray(index).dtype.kind in "iu"):
                raise IndexError(
                    f"trial {checks.shown(index)} does not exist: there are {len(self)} trials."
                ) from None
            trials = np.empty((0, 0))
        except Exception:  # noqa: BLE001 - whatever an object of somebody else raises
            trials = np.empty((0, 0))
        if trials.ndim != 1:
            allowed = "a whole number, a slice, a list of whole numbers, or a mask, one flag for "
            checks.refuse("the index of trials", index, allowed + "each trial")
        return trials

    @property
    def trials(self) -> NDArray[np.int64]:
        """(spikes,) the trial of each spike."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    def _about(self) -> About:
        rate = self.times.size / max(len(self) * self.n_units * self.duration, 1e-300)
        rows = [
            ("trials", f"{len(self):,}"),
            ("duration", f"{self.duration:g} s"),
            ("units", f"{self.n_units:,}"),
            ("spikes", f"{self.times.size:,}"),
            ("rate", f"{rate:.3g} Hz"),
            ("labels", _labels_in_words(self.labels)),
        ]
        return About("SpikeTrains", rows)


def from_dense(counts: ArrayLike, dt: float, *, labels: ArrayLike | None = None) -> SpikeTrains:
    """Return spike trains from an array of spike counts.

    Parameters
    ----------
    counts
        (trial, step, unit) spike counts, or True and False.
    dt
        Time step in seconds. A spike of step n is at n dt.
    labels
        (trials,) class of each trial, or None.

    Returns
    -------
    Spike trains with trials of as many steps.

    Raises
    ------
    ValueError
        If counts are not non-negative whole numbers of that shape.

    Examples
    --------
    >>> import numpy as np
    >>> import biosnn as bs
    >>> bs.from_dense(np.eye(3)[None], dt=1e-3).times
    array([0.   , 0.001, 0.002])
    """
    flags = getattr(counts, "dtype", None) == np.dtype(bool)
    counts = np.asarray(counts, np.uint8) if flags else checks.reals(counts, "counts")
    dt = checks.time(dt, "dt", above=0, plausible=plausible.BIN)
    if counts.ndim != 3 or (
        counts.size and (counts.min() < 0 or np.any(counts != np.floor(counts)))
    ):
        raise ValueError(
            f"counts have shape {counts.shape}; they must be non-negative whole numbers of shape "
            "(trial, step, unit)."
        )
    b, n, unit = np.nonzero(counts)
    repeats = counts[b, n, unit].astype(np.int64)
    b, n, unit = (np.repeat(a, repeats) for a in (b, n, unit))
    n_trials, n_steps, n_units = counts.shape
    return SpikeTrains.from_events(
        n * dt,
        unit,
        b,
        n_trials=n_trials,
        n_units=n_units,
        duration=n_steps * dt,
        labels=labels,
    )


def check_trains(spikes: Any, name: str = "spikes") -> None:
    """ValueError unless `spikes` are SpikeTrains."""
    such = "bs.data.poisson(20.0, 100, 1.0, seed=1) or bs.from_dense(counts, dt)"
    checks.instance(spikes, name, SpikeTrains, f"SpikeTrains, such as {such}")


def first_steps(spikes: SpikeTrains, n_steps: int, dt: float) -> SpikeTrains:
    """Return the first steps of dt (s) of every trial, n_steps of them; trials must be longer."""
    ends = spikes.offsets[1:]
    if len(spikes) == 1:  # times ascend: a long recording is not looked at beyond
        last = spikes.times.dtype.type((n_steps + 1) * dt)
        ends = np.searchsorted(spikes.times, last, "right")[None]
    keep = timegrid.steps_of(spikes.times[: ends[-1]], dt) < n_steps
    return _unchecked(
        spikes,
        times=spikes.times[: ends[-1]][keep],
        units=spikes.units[: ends[-1]][keep],
        offsets=np.concatenate([[0], np.cumsum(keep)])[np.concatenate([[0], ends])],
        duration=n_steps * dt,
    )


def ranges(first: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Return first[k], first[k] + 1, …, first[k] + count[k] - 1 for every k, as one array."""
    return np.repeat(first - np.cumsum(count) + count, count) + np.arange(count.sum())


def _unchecked(spikes, **changed):
    """A part of spike trains, which needs no second check."""
    part = object.__new__(SpikeTrains)
    vars(part).update(vars(spikes), **changed)
    return part


def _joined(values, slices):
    """Slices of an array, one after the other."""
    return np.concatenate([values[each] for each in slices]) if slices else values[:0]


def _checked_duration(duration):
    """A duration in seconds; UnitWarning if it is longer than a day."""
    duration = checks.time(duration, "duration", above=0)
    if duration > _DAY:
        warn(
            f"duration is {duration:g} s, longer than a day. Times are in seconds: is this a "
            "number of ms or µs?",
            UnitWarning,
        )
    return duration


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

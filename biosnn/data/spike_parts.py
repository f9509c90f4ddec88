"""Parts and unions of spike trains: selection, shifts, merging, other labels, concatenation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from ..support import checks, timegrid
from ..support.units import seconds
from ..support.warn import UnitWarning, warn
from . import spike_checks
from .spike_base import SpikeTrainsBase, numbers


class SpikeTrainsParts(SpikeTrainsBase):
    """Base of `SpikeTrains`: methods that return other spike trains."""

    def __getitem__(self, index: Any) -> Self:
        chosen = numbers(index, len(self), "trial")
        spikes = [
            slice(first, last)
            for first, last in zip(self.offsets[chosen], self.offsets[chosen + 1])
        ]
        return self._changed(
            times=_joined(self.times, spikes),
            units=_joined(self.units, spikes),
            offsets=np.concatenate([[0], np.cumsum(np.diff(self.offsets)[chosen])]),
            labels=None if self.labels is None else self.labels[chosen],
            ends=None if self.ends is None else self.ends[chosen],
        )

    def __add__(self, other: Any) -> Self:
        if not isinstance(other, SpikeTrainsBase):
            raise TypeError(
                f"{checks.shown(other)} cannot be added: a + b are the trials of a and then those "
                "of b, both SpikeTrains. a.shift(seconds) moves spikes in time, a.merge(b) puts "
                "the spikes of both into the same trials."
            )
        return along_trials([self, other])

    def select(
        self,
        *,
        trials: Any = None,
        units: Any = None,
        start: ArrayLike = 0.0,
        stop: ArrayLike | None = None,
    ) -> Self:
        """Return the spikes of some trials and units in a window of time.

        Parameters
        ----------
        trials, units
            Which ones: a number, a slice, a list of numbers or a mask; None: all. Units get the
            numbers 0, 1, … in the order in which they are given.
        start, stop
            Window in seconds, one for all trials or (trials chosen,) one for each, such as the
            onset of a stimulus; a spike at `stop` is not in it. The window is a trial of its own:
            times count from `start`, which becomes 0. Default: from the start to the end of each
            trial.

        Returns
        -------
        Spike trains whose trials last for stop - start, or less where they end before `stop`.

        Raises
        ------
        IndexError
            If there is no such trial or unit.
        ValueError
            If a unit is chosen twice, or the window is empty, ends after the longest trial or
            begins after the end of a trial.

        Examples
        --------
        >>> import biosnn as bs
        >>> trains = bs.SpikeTrains.from_units([[0.1, 0.3], [0.2]], duration=0.5)
        >>> part = trains.select(units=[0], start=0.25)
        >>> part.times.round(3), part.duration
        (array([0.05]), 0.25)

        Trials that end when a reaction comes:

        >>> two = trains + trains
        >>> two.select(stop=[0.25, 0.5]).ends
        array([0.25, 0.5 ])
        """
        part = self if trials is None else self[trials]
        part = part if units is None else part._of_units(numbers(units, self.n_units, "unit"))
        begin = _of_trials(start, "start", len(part))
        end = _of_trials(part.duration if stop is None else stop, "stop", len(part))
        if stop is None and not begin.any():
            return part
        return part._within(begin, end)

    def _of_units(self, chosen):
        """The spikes of some units, which get numbers from 0 on."""
        if not chosen.size or np.unique(chosen).size < chosen.size:
            raise ValueError(
                f"units are {checks.shown(chosen)}; choose at least one, and each of them once."
            )
        place = np.full(self.n_units, -1)
        place[chosen] = np.arange(chosen.size)
        keep = place[self.units] >= 0
        units = place[self.units[keep]].astype(np.int32)
        return self._kept(keep, units=units, n_units=int(chosen.size))

    def _within(self, start, stop):
        """The spikes of a window of each trial, whose start becomes 0."""
        wrong = ~((start < stop) & (stop <= self.duration * (1 + 1e-9)))
        if np.any(wrong):
            b = int(wrong.argmax())
            raise ValueError(
                f"the window of trial {b} is {start[b]:g} s to {stop[b]:g} s; it must lie within 0 "
                f"and {self.duration:g} s, where the longest trial ends."
            )
        ends = np.minimum(self.durations, stop) - start
        if np.any(ends <= 0):
            b = int(ends.argmin())
            raise ValueError(
                f"start is {start[b]:g} s, but trial {b} ends at {self.durations[b]:g} s already; "
                "leave such trials out with trials=…."
            )
        times, trials, kind = self.times.astype(np.float64), self.trials, self.times.dtype
        width = float(np.min(stop - start, initial=self.duration))
        at = times + timegrid.window_tolerance(kind, width)(times)
        keep = (at >= start[trials]) & (at < stop[trials])
        trials = trials[keep]
        latest = np.nextafter(ends.astype(kind), 0, dtype=kind)
        times = np.maximum(times[keep] - start[trials], 0).astype(kind)
        return self._kept(keep, times=np.minimum(times, latest[trials]), ends=ends)

    def shift(self, by: ArrayLike) -> Self:
        """Return the same trials with all spikes moved in time.

        Parameters
        ----------
        by
            Seconds that are added to the times: one number, or (trials,) one for each trial;
            negative to move spikes to earlier times.

        Returns
        -------
        Spike trains whose trials begin and end where they did. Spikes that leave their trial are
        lost; a UnitWarning says if those are all.

        Raises
        ------
        ValueError
            If `by` is not a number of seconds, or one for each trial.

        Examples
        --------
        >>> import biosnn as bs
        >>> trains = bs.SpikeTrains.from_units([[0.1, 0.3], [0.2]], duration=0.5)
        >>> trains.shift(0.25).times
        array([0.35, 0.45])
        """
        times, trials, kind = self.times.astype(np.float64), self.trials, self.times.dtype
        seconds_of_trials = _of_trials(by, "by", len(self), None)
        moved = times + seconds_of_trials[trials]
        at = moved + timegrid.window_tolerance(kind, self.duration)(times)
        keep = (at >= 0) & (at < self.durations[trials])
        if times.size and not keep.any():
            most = float(np.abs(seconds_of_trials).max())
            warn(
                f"shift by {most:g} s moves all spikes out of their trials, which last "
                f"{self.duration:g} s at most.{timegrid.unit_hint(most, self.duration)}",
                UnitWarning,
            )
        latest = np.nextafter(self.durations.astype(kind), 0, dtype=kind)[trials[keep]]
        return self._kept(keep, times=np.clip(moved[keep].astype(kind), 0, latest))

    def merge(self, other: Self) -> Self:
        """Return the spikes of both in the same trials and units.

        Parameters
        ----------
        other
            Spike trains with as many units and trials, which last as long. Labels must agree where
            both have them.

        Returns
        -------
        Spike trains with all spikes, sorted. Two spikes of one unit at the same time stay two;
        `bin_spikes` counts those of one step once unless `merge=False`.

        Raises
        ------
        ValueError
            If units, trials, their ends or their labels differ.

        Examples
        --------
        >>> import biosnn as bs
        >>> signal = bs.SpikeTrains.from_units([[0.1], [0.2]], duration=0.5)
        >>> noise = bs.SpikeTrains.from_units([[0.3], []], duration=0.5)
        >>> signal.merge(noise).times
        array([0.1, 0.2, 0.3])
        """
        checks.instance(other, "other", SpikeTrainsBase, "SpikeTrains of the same trials")
        _check_units([self, other], "merge")
        check_same_trials([self, other], "merge")
        return _sorted(
            [self, other],
            [self.units, other.units],
            [self.times, other.times],
            labels=_agreed_labels([self, other], "merge"),
        )

    def relabel(self, labels: ArrayLike | dict[int, int] | None) -> Self:
        """Return the same spikes with other labels.

        Parameters
        ----------
        labels
            (trials,) class of each trial; a dict of old label -> new label, which names all that
            occur; or None for no labels.

        Returns
        -------
        Spike trains with these labels.

        Raises
        ------
        ValueError
            If they are not one whole number >= 0 for each trial, or the dict lacks a label.

        Examples
        --------
        >>> import biosnn as bs
        >>> trains = bs.data.poisson(5.0, 3, 0.1, 4, seed=1, labels=[0, 1, 2, 3])
        >>> trains.relabel({0: 0, 1: 0, 2: 1, 3: 1}).labels
        array([0, 0, 1, 1])
        """
        if labels is None:
            return self._changed(labels=None)
        given = self._renamed(labels) if isinstance(labels, dict) else labels
        return self._changed(labels=spike_checks.checked_labels(given, len(self)))

    def _renamed(self, names):
        """(trials,) new labels from a dict of old label -> new label."""
        if self.labels is None:
            raise ValueError(
                "the spike trains have no labels that a dict could rename; give (trials,) labels."
            )
        missing = sorted(set(self.labels.tolist()) - set(names))
        if missing:
            raise ValueError(
                f"labels: the dict has no entry for {', '.join(map(str, missing[:5]))}; it must "
                "name every label that occurs."
            )
        return [names[label] for label in self.labels.tolist()]

    def _kept(self, keep, **fields):
        """The spikes where `keep` is true, with other fields."""
        parts = {"times": self.times[keep], "units": self.units[keep]} | fields
        offsets = np.concatenate([[0], np.cumsum(keep)])[self.offsets]
        return self._changed(offsets=offsets, **parts)


def _of_trials(value, name, n_trials, least=0.0):
    """(trials,) seconds, from one number or one for each trial."""
    value = checks.reals(seconds(value, name), f"{name} (seconds)", least)
    if value.shape not in ((), (n_trials,)):
        raise ValueError(
            f"{name} has shape {value.shape}; it must be one number of seconds, or one for each of "
            f"{n_trials} trials."
        )
    return np.broadcast_to(value, n_trials)


# ------------------------------------------------------------------------------------ concatenation


def along_trials(parts: Sequence[Any]) -> Any:
    """Return the trials of all parts, one after the other."""
    _check_units(parts, "concatenate")
    labels = [part.labels for part in parts]
    if any(each is None for each in labels) and any(each is not None for each in labels):
        raise ValueError(
            "some of the spike trains have labels and others have none; give all of them labels "
            "with relabel(…), or none with relabel(None)."
        )
    sizes = np.concatenate([np.diff(part.offsets) for part in parts])
    return parts[0]._changed(
        times=np.concatenate([part.times for part in parts]),
        units=np.concatenate([part.units for part in parts]),
        offsets=np.concatenate([[0], np.cumsum(sizes)]),
        labels=None if labels[0] is None else np.concatenate(labels),
        ends=np.concatenate([part.durations for part in parts]),
    )


def along_units(parts: Sequence[Any]) -> Any:
    """Return the units of all parts side by side, in the same trials."""
    check_same_trials(parts, "concatenate")
    first = np.cumsum([0, *[part.n_units for part in parts]])
    n_units = checks.whole(int(first[-1]), "the number of all units", 1, 2**31 - 1)
    return _sorted(
        parts,
        [part.units + np.int32(up) for part, up in zip(parts, first)],
        [part.times for part in parts],
        n_units=n_units,
        labels=_agreed_labels(parts, "concatenate"),
    )


def along_time(parts: Sequence[Any]) -> Any:
    """Return trials in which the parts follow each other."""
    _check_units(parts, "concatenate")
    _check_lengths(parts, "concatenate")
    before, times = np.zeros(len(parts[0])), []
    for part in parts:
        after = before + part.durations
        moved = part.times.astype(np.float64) + before[part.trials]
        times.append(np.minimum(moved, np.nextafter(after, 0)[part.trials]))
        before = after
    return _sorted(
        parts,
        [part.units for part in parts],
        times,
        ends=before,
        duration=sum(part.duration for part in parts),
        labels=_agreed_labels(parts, "concatenate"),
    )


def _sorted(parts, units, times, **fields):
    """Spikes of several trains of the same trials as one, sorted by trial, time and unit."""
    trials = np.concatenate([part.trials for part in parts])
    units, times = np.concatenate(units), np.concatenate(times)
    order = np.lexsort((units, times, trials))
    return parts[0]._changed(
        times=times[order],
        units=units[order],
        offsets=np.sum([part.offsets for part in parts], axis=0),
        **fields,
    )


def _joined(values, slices):
    """Slices of an array, one after the other."""
    return np.concatenate([values[each] for each in slices]) if slices else values[:0]


def _check_units(parts, what):
    """ValueError unless all have as many units."""
    sizes = [part.n_units for part in parts]
    if len(set(sizes)) > 1:
        raise ValueError(
            f"{what}: the spike trains have {' and '.join(map(str, sizes[:5]))} units; they must "
            "have the same."
        )


def _check_lengths(parts, what):
    """ValueError unless all have as many trials."""
    sizes = [len(part) for part in parts]
    if len(set(sizes)) > 1:
        raise ValueError(
            f"{what}: the spike trains have {' and '.join(map(str, sizes[:5]))} trials; they must "
            "be of the same trials. a + b takes the trials of both, one after the other."
        )


def check_same_trials(parts: Sequence[Any], what: str) -> None:
    """ValueError unless all have the same trials, which end at the same times."""
    _check_lengths(parts, what)
    for part in parts[1:]:
        other = ~np.isclose(part.durations, parts[0].durations, rtol=1e-9, atol=0)
        if np.any(other):
            b = int(other.argmax())
            raise ValueError(
                f"{what}: trial {b} ends at {parts[0].durations[b]:g} s and at "
                f"{part.durations[b]:g} s; the spike trains must be of the same trials."
            )


def _agreed_labels(parts, what):
    """The labels of those that have any; ValueError where two differ."""
    known = [part.labels for part in parts if part.labels is not None]
    for labels in known[1:]:
        if not np.array_equal(labels, known[0]):
            raise ValueError(
                f"{what}: the spike trains have different labels, but their trials are the same "
                "ones; relabel(None) takes labels away."
            )
    return known[0] if known else None

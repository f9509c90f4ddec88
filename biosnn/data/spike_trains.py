"""Spike trains in continuous time, and the same events sorted into steps."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..kernels import binning as event_kernels
from ..support import checks, plausible, timegrid
from ..support.units import seconds
from ..support.warn import UnitWarning, warn

_DAY = 86400.0
_MOST_UNITS = 2**31 - 1


@dataclass(frozen=True, eq=False)
class SpikeTrains:
    """Spikes of `n_units` units in trials of `duration` seconds.

    times      (spikes,) seconds from the start of the trial, ascending within each trial, 0 <= t < duration
    units      (spikes,) which unit fired, 0 .. n_units - 1
    offsets    (trials + 1,) trial b holds spikes offsets[b] to offsets[b + 1] - 1; a trial may be empty
    labels     (trials,) class of each trial, or None

    Indexing selects trials: trains[3], trains[:5], trains[[7, 2]], trains[mask]. Times are kept in float32 or float64; into which step a
    spike falls follows from them, and from how far their type resolves them (`bin_spikes`).
    """

    times: np.ndarray
    units: np.ndarray
    offsets: np.ndarray
    n_units: int
    duration: float
    labels: np.ndarray | None = None

    def __post_init__(self):
        def keep(name, value):
            object.__setattr__(self, name, value)

        keep("duration", checks.time(self.duration, "duration", above=0))
        if self.duration > _DAY:
            warn(
                f"duration is {self.duration:g} s, longer than a day. Times are in seconds: is this a number of ms or µs?",
                UnitWarning,
            )
        keep("times", _as_times(self.times))
        keep("offsets", checks.wholes(self.offsets, "offsets"))
        keep(
            "n_units",
            checks.whole(
                self.n_units, "n_units", 1, _MOST_UNITS, why="there must be at least one unit"
            ),
        )
        units = self.units
        if not (type(units) is np.ndarray and units.dtype == np.int32):
            units = checks.wholes(units, "units")
        _check_offsets(self.offsets, self.times, units)
        _check_units(units, self.n_units)
        _check_times(self.times, self.offsets, self.duration)
        keep("units", units.astype(np.int32, copy=False))
        if self.labels is not None:
            keep("labels", _checked_labels(self.labels, len(self)))

    @classmethod
    def from_events(cls, times, units, trials, n_trials, n_units, duration, labels=None):
        """From events in any order: times (s), units and trials, one entry per spike."""
        times, units, trials = (
            _as_times(times),
            checks.wholes(units, "units"),
            checks.wholes(trials, "trials"),
        )
        n_trials = checks.whole(n_trials, "n_trials", 0)
        if not times.ndim == 1 or not times.shape == units.shape == trials.shape:
            raise ValueError(
                f"times {times.shape}, units {units.shape} and trials {trials.shape} must have one entry per "
                "spike, so one dimension and the same length."
            )
        if trials.size and (trials.min() < 0 or trials.max() >= n_trials):
            raise ValueError(
                f"trials run from {trials.min()} to {trials.max()}; with n_trials = {n_trials} they must lie in "
                f"0 .. {n_trials - 1}."
            )
        order = np.lexsort((units, times, trials))
        offsets = np.concatenate([[0], np.cumsum(np.bincount(trials, minlength=n_trials))])
        return cls(times[order], units[order], offsets, n_units, duration, labels)

    def __len__(self):
        return self.offsets.size - 1

    def __getitem__(self, index):
        one = isinstance(index, (int, np.integer)) and not isinstance(index, bool)
        try:
            trials = np.arange(len(self))[[index] if one else index]
        except IndexError:
            if (
                one
                or isinstance(index, (list, tuple, np.ndarray))
                and np.asarray(index).dtype.kind in "iu"
            ):
                raise IndexError(
                    f"trial {checks.shown(index)} does not exist: there are {len(self)} trials."
                ) from None
            trials = np.empty((0, 0))
        except Exception:  # whatever somebody else's object answers with
            trials = np.empty((0, 0))
        if trials.ndim != 1:
            checks.refuse(
                "the index of trials",
                index,
                "a whole number, a slice, a list of whole numbers, or a mask, one flag for each trial",
            )
        spikes = [
            slice(first, last)
            for first, last in zip(self.offsets[trials], self.offsets[trials + 1])
        ]
        offsets = np.concatenate([[0], np.cumsum(np.diff(self.offsets)[trials])])
        labels = None if self.labels is None else self.labels[trials]
        part = object.__new__(SpikeTrains)  # which needs no second check
        vars(part).update(
            vars(self),
            times=_joined(self.times, spikes),
            units=_joined(self.units, spikes),
            offsets=offsets,
            labels=labels,
        )
        return part

    def __repr__(self):
        rate = self.times.size / max(len(self) * self.n_units * self.duration, 1e-300)
        return f"SpikeTrains({len(self)} trials of {self.duration:g} s, {self.n_units} units, {rate:.3g} Hz)"

    @property
    def trials(self):
        """(spikes,) the trial of each spike."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))


class Spans(NamedTuple):
    """Events of trials, which moving and binning need not copy: those of trial b are times[e], units[e], first[b] <= e < last[b], in any order;
    they stand for events at the time scale[b] times + shift[b] (s) in the unit units + up[b]."""

    times: np.ndarray
    units: np.ndarray
    first: np.ndarray
    last: np.ndarray
    up: np.ndarray
    scale: np.ndarray
    shift: np.ndarray

    @classmethod
    def of(cls, times, units, first, last):
        """Events that have not moved."""
        return cls(
            times,
            units,
            first,
            last,
            np.zeros(first.size, np.int64),
            np.ones(first.size),
            np.zeros(first.size),
        )

    def settled(self):
        """(times, units, trials) of every event."""
        count = self.last - self.first
        trials = np.repeat(np.arange(count.size), count)
        place = ranges(self.first, count)
        return (
            self.scale[trials] * self.times[place] + self.shift[trials],
            self.units[place] + self.up[trials].astype(np.int32),
            trials,
        )


@dataclass(frozen=True, eq=False)
class Binned:
    """Events in steps of dt: those of trial b and step n are units[pointers[b, n] : pointers[b, n + 1]], ascending."""

    pointers: np.ndarray  # (trials, steps + 1) int64
    units: np.ndarray  # int32
    n_units: int
    dt: float

    @property
    def n_steps(self):
        return self.pointers.shape[1] - 1

    def __len__(self):
        return self.pointers.shape[0]

    def rate(self):
        """Mean rate per unit in hertz."""
        return self.units.size / (len(self) * self.n_steps * self.dt * self.n_units)

    def dense(self):
        """Counts as an array (trial, step, unit), for small data."""
        counts = np.zeros((len(self), self.n_steps, self.n_units))
        b, n = np.divmod(
            np.repeat(np.arange(len(self) * self.n_steps), np.diff(self.pointers, axis=1).ravel()),
            self.n_steps,
        )
        np.add.at(counts, (b, n, self.units), 1)
        return counts


def bin_spikes(spikes, dt, merge=True):
    """Sort spike trains into steps of dt (s): each spike falls into the step that contains it, as in Brian2.

        step = floor((t + tolerance) / dt)      tolerance = 1e-3 dt + 2 eps t, less than dt / 2

    eps is that of the type of the times: float32 times that should be multiples of dt land in their steps, too (timegrid.py).
    merge=True keeps one of several spikes of a unit in one step, as dense tensors do; merge=False keeps them all.
    """
    check_trains(spikes)
    dt = checks.time(dt, "dt", above=0, plausible=max(spikes.duration, plausible.STEP))
    merge = checks.flag(merge, "merge")
    timegrid.warn_if_unresolved(spikes.times.dtype, spikes.duration, dt)
    return bin_events(
        Spans.of(spikes.times, spikes.units, spikes.offsets[:-1], spikes.offsets[1:]),
        spikes.n_units,
        spikes.duration,
        dt,
        merge,
    )


def first_steps(spikes, n_steps, dt):
    """The first steps of dt (s) of every trial, n_steps of them, as SpikeTrains; trials must be longer."""
    ends = spikes.offsets[1:]
    if len(spikes) == 1:  # times ascend: a long recording is not looked at beyond
        ends = np.searchsorted(spikes.times, spikes.times.dtype.type((n_steps + 1) * dt), "right")[
            None
        ]
    keep = timegrid.steps_of(spikes.times[: ends[-1]], dt) < n_steps
    offsets = np.concatenate([[0], np.cumsum(keep)])[np.concatenate([[0], ends])]
    part = object.__new__(SpikeTrains)  # which needs no second check
    vars(part).update(
        vars(spikes),
        times=spikes.times[: ends[-1]][keep],
        units=spikes.units[: ends[-1]][keep],
        offsets=offsets,
        duration=n_steps * dt,
    )
    return part


def check_trains(spikes, name="spikes"):
    """ValueError unless `spikes` are SpikeTrains."""
    checks.instance(
        spikes,
        name,
        SpikeTrains,
        "SpikeTrains, such as bs.data.poisson(20.0, 100, 1.0, seed=1) or bs.from_dense(counts, dt)",
    )


def bin_events(spans, n_units, duration, dt, merge=True):
    """As `bin_spikes`, of Spans. Events outside of the units and of the duration are left out."""
    n_trials, n_steps, kind = (
        spans.first.size,
        timegrid.covering_steps(duration, dt),
        spans.times.dtype,
    )
    words, size = -(-n_units // 64), int(np.sum(spans.last - spans.first))
    if (
        merge and n_trials * n_steps * words <= 2 * size
    ):  # as bits, unless they would be nearly all zeros
        pointers, binned = np.zeros((n_trials, n_steps + 1), np.int64), np.empty(size, np.int32)
        present = np.zeros(n_trials * n_steps * words, np.uint64)
        count = event_kernels.bin_once(
            spans,
            n_steps,
            n_units,
            float(duration),
            dt,
            timegrid.step_tolerance(kind, dt),
            present,
            pointers,
            binned,
        )
        return Binned(pointers, binned[:count], n_units, dt)
    times, units, trials = spans.settled()
    keep = inside(times, units, n_units, duration)
    times, units, trials = times[keep], units[keep], trials[keep]
    step = np.minimum(timegrid.steps_of(times, dt, kind), n_steps - 1)
    key = (trials * n_steps + step) * n_units + units
    key.sort()
    if merge and key.size:
        key = key[np.concatenate([[True], key[1:] != key[:-1]])]
    slot, units = np.divmod(key, n_units)
    counts = np.bincount(slot, minlength=n_trials * n_steps).reshape(n_trials, n_steps)
    ends = np.cumsum(counts).reshape(counts.shape)
    pointers = np.concatenate([ends[:, :1] - counts[:, :1], ends], axis=1)
    return Binned(pointers.astype(np.int64), units.astype(np.int32), n_units, dt)


def ranges(first, count):
    """first[k], first[k] + 1, …, first[k] + count[k] - 1 for every k, one after the other, as one array."""
    return np.repeat(first - np.cumsum(count) + count, count) + np.arange(count.sum())


def _joined(values, slices):
    return np.concatenate([values[each] for each in slices]) if slices else values[:0]


def inside(times, units, n_units, duration):
    """Which events have a unit 0 .. n_units - 1 and a time 0 <= t < duration (s)."""
    return (units >= 0) & (units < n_units) & (times >= 0) & (times < duration)


def from_dense(counts, dt, labels=None):
    """Spike trains from an array (trial, step, unit) of spike counts; a spike of step n is at time n dt (s)."""
    counts = (
        np.asarray(counts, np.uint8)
        if getattr(counts, "dtype", None) == bool
        else checks.reals(counts, "counts")
    )
    dt = checks.time(dt, "dt", above=0, plausible=plausible.BIN)
    if counts.ndim != 3 or counts.size and (counts.min() < 0 or np.any(counts != np.floor(counts))):
        raise ValueError(
            f"counts have shape {counts.shape}; they must be non-negative whole numbers of shape "
            "(trial, step, unit)."
        )
    b, n, unit = np.nonzero(counts)
    repeats = counts[b, n, unit].astype(np.int64)
    b, n, unit = (np.repeat(a, repeats) for a in (b, n, unit))
    n_trials, n_steps, n_units = counts.shape
    return SpikeTrains.from_events(n * dt, unit, b, n_trials, n_units, n_steps * dt, labels)


def _check_offsets(offsets, times, units):
    if times.ndim != 1 or times.shape != units.shape:
        raise ValueError(
            f"times have shape {times.shape} and units {units.shape}; both must be one-dimensional, with one "
            "entry per spike."
        )
    if (
        offsets.ndim != 1
        or offsets.size == 0
        or offsets[0] != 0
        or offsets[-1] != times.size
        or np.any(np.diff(offsets) < 0)
    ):
        raise ValueError(
            f"offsets must rise from 0 to the number of spikes, {times.size}, with one more entry than trials; "
            f"got {offsets.size} entries from {offsets.ravel()[:1]} to {offsets.ravel()[-1:]}."
        )


def time_type(dtype):
    """The numpy type of times: float32 or float64."""
    try:
        if (found := np.dtype(dtype)) in (np.float32, np.float64) and dtype is not None:
            return found
    except (TypeError, ValueError):
        pass
    raise ValueError(
        f"dtype is {getattr(dtype, '__name__', checks.shown(dtype))}; times are kept as float32 or float64."
    )


def _as_times(times):
    """An array of times in seconds, float32 where it was, else float64."""
    times = seconds(times, "times")
    return checks.reals(
        times,
        "times",
        dtype=np.float32 if getattr(times, "dtype", None) == np.float32 else np.float64,
    )


def _check_units(units, n_units):
    if units.size and (units.min() < 0 or units.max() >= n_units):
        bad = int(np.flatnonzero((units < 0) | (units >= n_units))[0])
        raise ValueError(
            f"spike {bad} is of unit {units[bad]}; with n_units = {n_units} units must lie in 0 .. {n_units - 1}."
        )


def _check_times(times, offsets, duration):
    hint = timegrid.unit_hint(float(times.max(initial=0)), duration)
    for wrong, why in (
        (times < 0, "a trial starts at 0 s."),
        (times >= duration, f"it must lie before the end of the trial at {duration:g} s.{hint}"),
    ):
        if np.any(wrong):
            bad = int(np.flatnonzero(wrong)[0])
            trial = int(np.searchsorted(offsets, bad, side="right") - 1)
            raise ValueError(f"spike {bad} (trial {trial}) is at {times[bad]} s; {why}")
    falls = np.flatnonzero(np.diff(times) < 0) + 1
    falls = falls[~np.isin(falls, offsets)]
    if falls.size:
        trial = int(np.searchsorted(offsets, falls[0], side="right") - 1)
        raise ValueError(
            f"times of trial {trial} are not sorted: spike {falls[0]} is at {times[falls[0]]} s, after one at "
            f"{times[falls[0] - 1]} s. SpikeTrains.from_events takes events in any order."
        )


def _checked_labels(labels, n_trials):
    labels = checks.wholes(labels, "labels")
    if labels.shape != (n_trials,):
        raise ValueError(
            f"labels have shape {labels.shape}; there are {n_trials} trials, so it must be ({n_trials},)."
        )
    if labels.size and labels.min() < 0:
        raise ValueError(
            f"labels must be whole numbers 0, 1, 2 …, the class of each trial; the least is {labels.min()}."
        )
    return labels

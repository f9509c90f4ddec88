"""Checks of the arrays that spike trains are made of. Messages name the spike and its trial."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..support import checks, timegrid
from ..support.units import seconds
from ..support.warn import UnitWarning, warn

_DAY = 86400.0


def time_type(dtype: Any) -> np.dtype:
    """Return the numpy type of times; ValueError unless it is float32 or float64."""
    try:
        if (found := np.dtype(dtype)) in (np.float32, np.float64) and dtype is not None:
            return found
    except (TypeError, ValueError):
        pass
    given = getattr(dtype, "__name__", checks.shown(dtype))
    raise ValueError(f"dtype is {given}; times are kept as float32 or float64.")


def as_times(times: ArrayLike) -> np.ndarray:
    """Return an array of times in seconds, float32 if it was, else float64."""
    times = seconds(times, "times")
    single = getattr(times, "dtype", None) == np.float32
    return checks.reals(times, "times", dtype=np.float32 if single else np.float64)


def check_events(times: np.ndarray, units: np.ndarray, trials: np.ndarray, n_trials: int) -> None:
    """ValueError unless there is one entry per spike, and all trials exist."""
    if not times.ndim == 1 or not times.shape == units.shape == trials.shape:
        raise ValueError(
            f"times {times.shape}, units {units.shape} and trials {trials.shape} must have one "
            "entry per spike, so one dimension and the same length."
        )
    if trials.size and (trials.min() < 0 or trials.max() >= n_trials):
        raise ValueError(
            f"trials run from {trials.min()} to {trials.max()}; with n_trials = {n_trials} they "
            f"must lie in 0 .. {n_trials - 1}."
        )


def check_offsets(offsets: np.ndarray, times: np.ndarray, units: np.ndarray) -> None:
    """ValueError unless the offsets divide the spikes into trials."""
    if times.ndim != 1 or times.shape != units.shape:
        raise ValueError(
            f"times have shape {times.shape} and units {units.shape}; both must be "
            "one-dimensional, with one entry per spike."
        )
    if (
        offsets.ndim != 1
        or offsets.size == 0
        or offsets[0] != 0
        or offsets[-1] != times.size
        or np.any(np.diff(offsets) < 0)
    ):
        raise ValueError(
            f"offsets must rise from 0 to the number of spikes, {times.size}, with one more entry "
            f"than trials; got {offsets.size} entries from {offsets.ravel()[:1]} to "
            f"{offsets.ravel()[-1:]}."
        )


def check_units(units: np.ndarray, n_units: int) -> None:
    """ValueError for a spike of a unit that does not exist."""
    if units.size and (units.min() < 0 or units.max() >= n_units):
        bad = int(np.flatnonzero((units < 0) | (units >= n_units))[0])
        raise ValueError(
            f"spike {bad} is of unit {units[bad]}; with n_units = {n_units} units must lie in "
            f"0 .. {n_units - 1}."
        )


def check_times(
    times: np.ndarray, offsets: np.ndarray, duration: float, ends: np.ndarray | None = None
) -> None:
    """ValueError for spikes outside of the trial, or not sorted within it."""
    end: Any = duration
    if ends is not None:
        end = np.repeat(ends.astype(times.dtype), np.diff(offsets))
    for wrong in (times < 0, times >= end):
        if np.any(wrong):
            bad = int(np.flatnonzero(wrong)[0])
            trial = int(np.searchsorted(offsets, bad, side="right") - 1)
            end = duration if ends is None else ends[trial]
            why = "a trial starts at 0 s."
            if times[bad] >= 0:
                hint = timegrid.unit_hint(float(times.max()), duration)
                why = f"it must lie before the end of the trial at {end:g} s.{hint}"
            raise ValueError(f"spike {bad} (trial {trial}) is at {times[bad]} s; {why}")
    falls = np.flatnonzero(np.diff(times) < 0) + 1
    falls = falls[~np.isin(falls, offsets)]
    if falls.size:
        bad = int(falls[0])
        trial = int(np.searchsorted(offsets, bad, side="right") - 1)
        raise ValueError(
            f"times of trial {trial} are not sorted: spike {bad} is at {times[bad]} s, after one "
            f"at {times[bad - 1]} s. SpikeTrains.from_events takes events in any order."
        )


def checked_ends(ends: ArrayLike, n_trials: int, duration: float) -> NDArray[np.float64]:
    """Return the end of each trial in seconds; the latest must be `duration`."""
    ends = checks.reals(seconds(ends, "ends"), "ends (seconds)")
    if ends.shape != (n_trials,):
        raise ValueError(
            f"ends have shape {ends.shape}; there are {n_trials} trials, so it must be "
            f"({n_trials},)."
        )
    if ends.size and not ends.min() > 0:
        raise ValueError(
            f"ends are the seconds at which trials end, above 0; that of trial "
            f"{int(ends.argmin())} is {ends.min():g}."
        )
    if ends.size and abs(ends.max() - duration) > 1e-9 * duration:
        raise ValueError(
            f"duration is {duration:g} s, but the longest trial ends at {ends.max():g} s; they "
            "must agree. Where ends are given, duration can be left out of from_events, from_lists "
            "and from_frame."
        )
    return ends


def column(frame: Any, name: Any, what: str) -> np.ndarray:
    """Return a column of a data frame as an array; ValueError if it is not there."""
    if not hasattr(frame, "columns"):
        such = "a pandas data frame with one row for each spike"
        checks.refuse("frame", frame, f"{such} and columns trial, unit and time")
    known = list(frame.columns)
    if not checks.is_text(name) or name not in known:
        raise ValueError(
            f"the data frame has no column {checks.shown(name)}; it has "
            f"{', '.join(map(repr, known)) or 'none'}. Give the name of yours: {what}=…."
        )
    return np.asarray(frame[name])


def checked_labels(labels: ArrayLike, n_trials: int) -> NDArray[np.int64]:
    """Return the class of each trial as whole numbers."""
    labels = checks.wholes(labels, "labels")
    if labels.shape != (n_trials,):
        raise ValueError(
            f"labels have shape {labels.shape}; there are {n_trials} trials, so it must be "
            f"({n_trials},)."
        )
    if labels.size and labels.min() < 0:
        raise ValueError(
            f"labels must be whole numbers 0, 1, 2 …, the class of each trial; the least is "
            f"{labels.min()}."
        )
    return labels


def checked_duration(duration: Any) -> float:
    """Return a duration in seconds; UnitWarning if it is longer than a day."""
    duration = checks.time(duration, "duration", above=0)
    if duration > _DAY:
        warn(
            f"duration is {duration:g} s, longer than a day. Times are in seconds: is this a "
            "number of ms or µs?",
            UnitWarning,
        )
    return duration


def longest(duration: float | None, ends: Any) -> float:
    """Return the duration that was given, or else the latest of the ends of the trials (s)."""
    if duration is not None:
        return duration
    if ends is None:
        raise ValueError(
            "duration is missing: give the seconds of a trial, duration=…, or the end of each "
            "trial, ends=(trials,)."
        )
    ends = checks.reals(seconds(ends, "ends"), "ends (seconds)")
    if not ends.size:
        raise ValueError("there are no trials, so ends are empty; give a duration in seconds.")
    return float(ends.max())


def times_of_units(times: Any) -> tuple[list[np.ndarray], int]:
    """Return the times of each unit of each trial, and the number of units."""
    trials = [
        checks.several(trial, "times of a trial", "[0.1, 0.3], [0.2]")
        for trial in checks.several(times, "times", "[[0.1, 0.3], [0.2]]")
    ]
    sizes = {len(trial) for trial in trials}
    if not trials or len(sizes) > 1 or 0 in sizes:
        given = f"trials with {' and '.join(map(str, sorted(sizes)))} units" if sizes else "empty"
        raise ValueError(
            f"times are {given}; they must be times[trial][unit], with at least one unit and as "
            "many in each trial. A unit without spikes has an empty list."
        )
    each = [as_times(unit) for trial in trials for unit in trial]
    if wrong := [unit for unit in each if unit.ndim != 1]:
        checks.refuse(
            "times of a unit", wrong[0], "a list of times in seconds, such as [0.1, 0.3] or []"
        )
    return each, sizes.pop()


def differ(trials: Any) -> bool:
    """Return whether this is a list of trials of different shapes.

    Examples
    --------
    >>> differ([np.ones((2, 1)), np.ones((4, 1))]), differ(np.ones((3, 2, 1)))
    (True, False)
    """
    listed = isinstance(trials, (list, tuple))
    if not listed and getattr(trials, "dtype", None) != np.dtype(object):
        return False
    try:
        return len({np.shape(each) for each in trials}) > 1
    except (TypeError, ValueError):  # no arrays at all: what converts them says so
        return False


def checked_counts(counts: Any, name: str) -> np.ndarray:
    """Return counts as an array of non-negative whole numbers.

    Raises
    ------
    ValueError
        If they are not.

    Examples
    --------
    >>> checked_counts(np.array([[True, False]]), "counts")
    array([[1, 0]], dtype=uint8)
    """
    flags = getattr(counts, "dtype", None) == np.dtype(bool)
    counts = np.asarray(counts, np.uint8) if flags else checks.reals(counts, name)
    if counts.size and (counts.min() < 0 or np.any(counts != np.floor(counts))):
        raise ValueError(
            f"{name} have shape {counts.shape}; they must be non-negative whole numbers of shape "
            "(trial, step, unit)."
        )
    return counts

"""Checks of the arrays that spike trains are made of. Messages name the spike and its trial."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..support import checks, timegrid
from ..support.units import seconds


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


def check_times(times: np.ndarray, offsets: np.ndarray, duration: float) -> None:
    """ValueError for spikes outside of the trial, or not sorted within it."""
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
        bad = int(falls[0])
        trial = int(np.searchsorted(offsets, bad, side="right") - 1)
        raise ValueError(
            f"times of trial {trial} are not sorted: spike {bad} is at {times[bad]} s, after one "
            f"at {times[bad - 1]} s. SpikeTrains.from_events takes events in any order."
        )


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

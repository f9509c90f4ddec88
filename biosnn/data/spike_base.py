"""What spike trains hold, and the steps of trials that end at different times."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..support import checks, timegrid
from ..support.show import Shows


class SpikeTrainsBase(Shows):
    """Base of `SpikeTrains`: the trials, and parts of them that need no second check."""

    times: np.ndarray
    units: np.ndarray
    offsets: np.ndarray
    n_units: int
    duration: float
    labels: np.ndarray | None
    ends: np.ndarray | None

    def __len__(self) -> int:
        return self.offsets.size - 1

    @property
    def trials(self) -> NDArray[np.int64]:
        """(spikes,) the trial of each spike."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    @property
    def durations(self) -> NDArray[np.float64]:
        """(trials,) seconds of each trial: `ends`, or the one duration of all."""
        return np.full(len(self), self.duration) if self.ends is None else self.ends

    @property
    def total_duration(self) -> float:
        """Seconds of all trials together."""
        return len(self) * self.duration if self.ends is None else float(self.ends.sum())

    def _changed(self, **fields: Any) -> Any:
        """Spike trains with other fields, which are not checked again."""
        if "ends" in fields:
            fields["duration"], fields["ends"] = settled(
                fields["ends"], fields.get("duration", self.duration)
            )
        part = object.__new__(type(self))
        vars(part).update(vars(self), **fields)
        return part


def settled(ends: np.ndarray | None, duration: float) -> tuple[float, np.ndarray | None]:
    """Return (duration, ends): the longest end, and None where all trials have it."""
    if ends is None or not ends.size:
        return duration, None
    longest = float(ends.max())
    return longest, (None if ends.min() == longest else ends)


def own_steps(ends: np.ndarray | None, dt: float) -> NDArray[np.int64] | None:
    """Return (trials,) the steps that cover each trial, or None where all have as many.

    Parameters
    ----------
    ends
        `ends` of spike trains.
    dt
        The time step in seconds.

    Examples
    --------
    >>> own_steps(np.array([0.1, 0.25]), 0.05)
    array([2, 5])
    """
    if ends is None or not ends.size:
        return None
    steps = steps_of_trials(ends, dt)
    return None if steps.min() == steps.max() else steps


def steps_of_trials(ends: np.ndarray, dt: float) -> NDArray[np.int64]:
    """Return (trials,) the steps of dt (s) that cover each trial, at least one."""
    return np.maximum(1, timegrid.covering_steps(ends, dt))


def ends_after(times: np.ndarray, offsets: np.ndarray, most: float) -> NDArray[np.float64]:
    """Return (trials,) the first multiple of 10 ms after the last spike of each trial.

    Parameters
    ----------
    times, offsets
        As in `SpikeTrains`; times in any order within a trial.
    most
        Seconds at which every trial ends.

    Examples
    --------
    >>> ends_after(np.array([0.1, 0.528, 0.2]), np.array([0, 2, 3]), 1.0)
    array([0.53, 0.21])
    """
    trials = pairwise(offsets)
    return np.array([min(timegrid.after(times[first:last]), most) for first, last in trials])


def in_trial(steps: np.ndarray, n_steps: int) -> NDArray[np.bool_]:
    """Return (trial, step) whether a trial of so many steps has each of the first n_steps.

    Examples
    --------
    >>> in_trial(np.array([1, 2]), 2)
    array([[ True, False],
           [ True,  True]])
    """
    return np.arange(n_steps) < steps[:, None]


def numbers(index: Any, n: int, what: str) -> NDArray[np.int64]:
    """Return the numbers that an index selects of `n` things.

    Parameters
    ----------
    index
        A whole number, a slice, a list of whole numbers, or a mask.
    what
        What they are, such as "trial", for messages.

    Raises
    ------
    IndexError
        If there is no such thing.
    ValueError
        If it is not an index.

    Examples
    --------
    >>> numbers([True, False, True], 3, "trial")
    array([0, 2])
    """
    one = isinstance(index, (int, np.integer)) and not isinstance(index, bool)
    several = isinstance(index, (list, tuple, np.ndarray))
    try:
        found = np.arange(n)[[index] if one else index]
    except IndexError:
        if one or (several and np.asarray(index).dtype.kind in "iu"):
            raise IndexError(
                f"{what} {checks.shown(index)} does not exist: there are {n} {what}s."
            ) from None
        found = np.empty((0, 0), np.int64)
    except Exception:  # noqa: BLE001 - whatever an object of somebody else raises
        found = np.empty((0, 0), np.int64)
    if found.ndim != 1:
        allowed = "a whole number, a slice, a list of whole numbers, or a mask, one flag for each "
        checks.refuse(f"the index of {what}s", index, allowed + what)
    return found


def first_steps(spikes: Any, n_steps: int, dt: float) -> Any:
    """Return the first steps of dt (s) of every trial, n_steps of them; trials must be longer."""
    last: np.ndarray = spikes.offsets[1:]
    if len(spikes) == 1:  # times ascend: a long recording is not looked at beyond
        latest = spikes.times.dtype.type((n_steps + 1) * dt)
        last = np.searchsorted(spikes.times, latest, "right")[None]
    keep = timegrid.steps_of(spikes.times[: last[-1]], dt) < n_steps
    return spikes._changed(
        times=spikes.times[: last[-1]][keep],
        units=spikes.units[: last[-1]][keep],
        offsets=np.concatenate([[0], np.cumsum(keep)])[np.concatenate([[0], last])],
        duration=n_steps * dt,
        ends=None if spikes.ends is None else np.minimum(spikes.ends, n_steps * dt),
    )

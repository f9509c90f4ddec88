"""Spike trains joined from others, and made of dense arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..support import checks, plausible
from .spike_parts import along_time, along_trials, along_units
from .spike_trains import SpikeTrains, check_trains

_AXES = {"trial": along_trials, "time": along_time, "unit": along_units}


def concatenate(parts: Sequence[SpikeTrains], *, axis: str = "trial") -> SpikeTrains:
    """Join spike trains along trials, time or units.

    Parameters
    ----------
    parts
        Spike trains.
    axis
        "trial": the trials of all parts, one after the other (as `a + b`); they may have different
        durations. "time": each trial is continued by that of the next part; times become float64.
        "unit": the units of all parts side by side, in the same trials. These are the axes of
        `to_dense`.

    Returns
    -------
    Spike trains.

    Raises
    ------
    ValueError
        If there are no parts; if they differ in units (along trials and time), in trials (along
        time and units) or their ends (along units); or if labels do not fit.

    See Also
    --------
    SpikeTrains.merge : the spikes of both in the same units.

    Examples
    --------
    >>> import biosnn as bs
    >>> a = bs.SpikeTrains.from_units([[0.1]], duration=0.25)
    >>> b = bs.SpikeTrains.from_units([[0.2]], duration=0.5)
    >>> len(bs.concatenate([a, b])), bs.concatenate([a, b], axis="time").times
    (2, array([0.1 , 0.45]))
    """
    parts = checks.several(parts, "parts", "first, second")
    for part in parts:
        check_trains(part, "one of parts")
    axis = checks.choice(axis, "axis", tuple(_AXES))
    if not parts:
        raise ValueError("parts are empty; give at least one SpikeTrains.")
    return _AXES[axis](parts)


def from_dense(
    counts: ArrayLike | Sequence[ArrayLike],
    dt: float,
    *,
    labels: ArrayLike | None = None,
    ends: ArrayLike | None = None,
) -> SpikeTrains:
    """Return spike trains from an array of spike counts.

    Parameters
    ----------
    counts
        (trial, step, unit) spike counts, or True and False; or a list of arrays (step, unit), one
        for each trial, which may have different numbers of steps.
    dt
        Time step in seconds. A spike of step n is at n dt.
    labels
        (trials,) class of each trial, or None.
    ends
        (trials,) seconds at which each trial ends, if the array is filled up with zeros after that.
        Default: after its steps.

    Returns
    -------
    Spike trains with trials of as many steps.

    Raises
    ------
    ValueError
        If counts are not non-negative whole numbers of that shape, or there is a spike after the
        end of a trial.

    See Also
    --------
    SpikeTrains.to_dense : the other way.

    Examples
    --------
    >>> import numpy as np
    >>> import biosnn as bs
    >>> bs.from_dense(np.eye(3)[None], dt=1e-3).times
    array([0.   , 0.001, 0.002])
    >>> bs.from_dense([np.ones((2, 1)), np.ones((4, 1))], dt=1e-3).ends
    array([0.002, 0.004])
    """
    dt = checks.time(dt, "dt", above=0, plausible=plausible.BIN)
    if _are_trials(counts):
        return _from_trials(counts, dt, labels, ends)
    array: Any = _checked_counts(counts, "counts")
    if array.ndim != 3:
        raise ValueError(
            f"counts have shape {array.shape}; they must be non-negative whole numbers of shape "
            "(trial, step, unit)."
        )
    b, n, unit = np.nonzero(array)
    repeats = array[b, n, unit].astype(np.int64)
    b, n, unit = (np.repeat(a, repeats) for a in (b, n, unit))
    n_trials, n_steps, n_units = array.shape
    return SpikeTrains.from_events(
        n * dt,
        unit,
        b,
        n_trials=n_trials,
        n_units=n_units,
        duration=n_steps * dt if ends is None else None,
        labels=labels,
        ends=ends,
    )


def _are_trials(counts):
    """Whether there is a list of arrays (step, unit) of different numbers of steps."""
    if not isinstance(counts, (list, tuple)) or not counts:
        return False
    shapes = {np.shape(each) for each in counts if isinstance(each, np.ndarray)}
    return len(shapes) > 1


def _from_trials(counts, dt, labels, ends):
    """Spike trains of trials with different numbers of steps."""
    counts = [_checked_counts(each, f"counts of trial {b}") for b, each in enumerate(counts)]
    if any(each.ndim != 2 for each in counts) or len({each.shape[-1] for each in counts}) > 1:
        raise ValueError(
            f"counts of the trials have shapes {checks.shown([each.shape for each in counts])}; "
            "each must be (step, unit), with as many units."
        )
    if ends is not None:
        raise ValueError(
            "counts are a list of trials, whose steps say where they end; leave ends out."
        )
    trials = [from_dense(each[None], dt) for each in counts]
    return concatenate(trials).relabel(labels)


def _checked_counts(counts, name):
    """Counts as an array of non-negative whole numbers."""
    flags = getattr(counts, "dtype", None) == np.dtype(bool)
    counts = np.asarray(counts, np.uint8) if flags else checks.reals(counts, name)
    if counts.size and (counts.min() < 0 or np.any(counts != np.floor(counts))):
        raise ValueError(
            f"{name} have shape {counts.shape}; they must be non-negative whole numbers of shape "
            "(trial, step, unit)."
        )
    return counts

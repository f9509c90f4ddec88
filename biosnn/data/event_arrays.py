"""Events of cameras and cochleas as other libraries hold them: structured arrays of x, y, t, p."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..support import checks, timegrid
from .spike_base import ends_after
from .spike_checks import time_type
from .spike_trains import SpikeTrains


def from_event_arrays(
    recordings: Iterable,
    sensor_size: tuple[int, int, int],
    *,
    labels: ArrayLike | None = None,
    duration: float | None = None,
    time_unit: float = 1e-6,
    pool: int = 1,
    dtype: DTypeLike = np.float64,
    own_ends: bool = False,
) -> SpikeTrains:
    """Return spike trains from event arrays such as those of tonic; one recording is one trial.

    Parameters
    ----------
    recordings
        Structured arrays with the fields t and x, and y and p where there are rows and polarities;
        or pairs (events, label), which a tonic dataset has. A recording may be empty.
    sensor_size
        (columns W, rows H, polarities P), as tonic writes it: (128, 128, 2) for DVS128, (700, 1, 1)
        for SHD.
    labels
        (trials,) class of each recording, if they are arrays alone.
    duration
        Duration of a trial in seconds. Events at or after it are dropped (a UnitWarning says if
        these are most of them). Default: up to the first multiple of 10 ms after the latest event.
    time_unit
        Seconds of a tick of t. Default: a microsecond.
    pool
        Columns and rows that become one unit: 4 makes (128, 128, 2) into 32 · 32 · 2 units.
    dtype
        Type of the times, float32 or float64.
    own_ends
        Whether each recording is a trial that ends after its own last event, at the first multiple
        of 10 ms (and at `duration` at the latest), in place of one duration for all.

    Returns
    -------
    Spike trains with the labels.

    Raises
    ------
    ValueError
        If events lie outside of the sensor, times are negative, fields are missing, or labels are
        given twice.

    Notes
    -----
    Events of x, y and p become the unit (p H' + y // pool) W' + x // pool, with W' = ceil(W / pool)
    and H' = ceil(H / pool); p is 1 where it is above 0, and 0 if P = 1. Dense arrays (…, n_units)
    reshape to (…, P, H', W'), the order of tonic's frames.

    References
    ----------
    Lenz et al. (2021), Tonic: event-based datasets and transformations,
    doi:10.5281/zenodo.5079802.

    Examples
    --------
    >>> import numpy as np
    >>> import biosnn as bs
    >>> events = np.array([(1000, 2), (4000, 0)], dtype=[("t", "i8"), ("x", "i8")])
    >>> bs.data.from_event_arrays([events], (3, 1, 1), labels=[7]).units
    array([2, 0], dtype=int32)
    """
    pool, sensor_size = checks.whole(pool, "pool", 1), _checked_size(sensor_size)
    time_unit = checks.time(time_unit, "time_unit", above=0)
    own_ends = checks.flag(own_ends, "own_ends")
    recordings, labels = _separated(recordings, labels)
    parts = [_events(b, events, sensor_size, pool) for b, events in enumerate(recordings)]
    sizes = [units.size for _, units in parts]
    ticks = np.concatenate([np.empty(0, np.int64), *[ticks for ticks, _ in parts]])
    units = np.concatenate([np.empty(0, np.int64), *[units for _, units in parts]])
    times = _in_seconds(ticks, time_unit).astype(time_type(dtype))
    if duration is None:
        duration = timegrid.after(times)
    else:
        duration = checks.time(duration, "duration", above=0)
    trials, before = np.repeat(np.arange(len(sizes)), sizes), times < duration
    n_outside, latest = int(times.size - before.sum()), float(times.max(initial=0))
    timegrid.warn_if_outside(n_outside, latest, times.size, duration, "recordings")
    columns, rows = (-(-side // pool) for side in sensor_size[:2])
    ends = None
    if own_ends and sizes:
        kept = np.bincount(trials[before], minlength=len(sizes))
        ends = ends_after(times[before], np.concatenate([[0], np.cumsum(kept)]), duration)
    return SpikeTrains.from_events(
        times[before],
        units[before],
        trials[before],
        n_trials=len(sizes),
        n_units=columns * rows * sensor_size[2],
        duration=duration if ends is None else None,
        labels=labels,
        ends=ends,
    )


def _checked_size(sensor_size):
    """(columns, rows, polarities) as whole numbers."""
    if (
        not isinstance(sensor_size, (tuple, list, np.ndarray))
        or not checks.has_axes(sensor_size)
        or len(sensor_size) != 3
    ):
        checks.refuse("sensor_size", sensor_size, "(columns, rows, polarities)")
    columns, rows, polarities = sensor_size
    return (
        checks.whole(columns, "columns of sensor_size", 1),
        checks.whole(rows, "rows of sensor_size", 1),
        checks.whole(polarities, "polarities of sensor_size", 1, 2),
    )


def _in_seconds(ticks, time_unit):
    """Ticks as float64 seconds.

    Those of a microsecond by a division, which rounds once: 290000 are 0.29 s, and not the number
    below.
    """
    per_second = round(1 / time_unit) if time_unit < 1 else 0
    if per_second and 1 / per_second == time_unit:
        return ticks / float(per_second)
    return np.asarray(ticks, float) * time_unit


def _separated(recordings: Any, labels: Any) -> tuple[list, Any]:
    """Lists of event arrays and of labels (None if there are none)."""
    sized = hasattr(recordings, "__len__") and hasattr(recordings, "__getitem__")
    if (
        not (sized or hasattr(recordings, "__iter__"))
        or isinstance(recordings, (str, bytes, dict))
        or getattr(recordings, "ndim", 1) == 0
    ):
        what = "a list of structured arrays, or another collection of them"
        checks.refuse("recordings", recordings, what)
    if hasattr(recordings, "__len__"):
        recordings = [recordings[k] for k in range(len(recordings))]
    else:
        recordings = list(recordings)
    if not recordings or not isinstance(recordings[0], (tuple, list)):
        return recordings, labels
    if labels is not None:
        raise ValueError("recordings are pairs (events, label) already; leave labels out.")
    if any(not isinstance(pair, (tuple, list)) or len(pair) != 2 for pair in recordings):
        raise ValueError(
            "recordings must be structured arrays, or all of them pairs (events, label)."
        )
    return [events for events, _ in recordings], np.array([label for _, label in recordings])


def _events(b, events, sensor_size, pool):
    """(ticks, units) of recording b."""
    names = _checked_fields(b, events)
    columns, rows, polarities = sensor_size
    x = _place(b, events, "x", columns, sensor_size) // pool
    y = _place(b, events, "y", rows, sensor_size) // pool
    ticks = _ticks(b, events)
    if "p" in names and events["p"].dtype.kind not in "biuf":
        raise ValueError(
            f"recording {b}: p has type {events['p'].dtype}; it must hold numbers or flags, above "
            "0 for a polarity of 1."
        )
    polarity = np.asarray(events["p"] > 0, np.int64) if polarities == 2 and "p" in names else 0
    return ticks, (polarity * -(-rows // pool) + y) * -(-columns // pool) + x


def _checked_fields(b, events):
    """Names of the fields; ValueError unless it is a structured array with t and x."""
    names = getattr(getattr(events, "dtype", None), "names", None) or ()
    if not {"t", "x"} <= set(names):
        raise ValueError(
            f"recording {b} is {type(events).__name__} with the fields "
            f"{', '.join(names) or 'none'}; it must be a structured array with t and x (and y and "
            "p)."
        )
    if events.ndim != 1:
        raise ValueError(
            f"recording {b} has shape {events.shape}; it must have one entry per event."
        )
    return names


def _place(b, events, name, most, sensor_size):
    """Column or row of every event; 0 where there is no such field."""
    if name not in events.dtype.names:
        return np.zeros(events.size, np.int64)
    values = checks.wholes(events[name], f"recording {b}: {name}")
    if values.size and (values.min() < 0 or values.max() >= most):
        raise ValueError(
            f"recording {b}: {name} runs from {values.min()} to {values.max()}; with sensor_size "
            f"{tuple(sensor_size)} it must lie in 0 .. {most - 1}."
        )
    return values


def _ticks(b, events):
    """Times of the events in ticks, finite and not negative."""
    ticks = np.asarray(events["t"])
    if ticks.dtype.kind not in "iuf":
        raise ValueError(
            f"recording {b}: t has type {ticks.dtype}; it must hold whole or real numbers of ticks."
        )
    if ticks.size and not (np.all(np.isfinite(ticks)) and ticks.min() >= 0):
        raise ValueError(
            f"recording {b}: times run from {ticks.min()} to {ticks.max()} ticks; they must be "
            "finite and not negative."
        )
    return ticks

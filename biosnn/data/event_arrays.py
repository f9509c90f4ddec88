"""Events of cameras and cochleas as other libraries hold them: structured arrays with x, y, t and p."""

import numpy as np

from ..support import checks, timegrid
from .spike_trains import SpikeTrains, time_type


def from_event_arrays(
    recordings, sensor_size, labels=None, duration=None, time_unit=1e-6, pool=1, dtype=np.float64
):
    """SpikeTrains from event arrays such as those of tonic (Lenz et al. 2021); one recording is one trial.

    recordings   an iterable of structured arrays with the fields t and x, and y and p where there are rows and polarities; or of pairs
                 (events, label), as a tonic dataset is one. An empty recording is legal
    sensor_size  (columns W, rows H, polarities P), as tonic writes it: (128, 128, 2) for DVS128, (700, 1, 1) for SHD
    labels       (trials,) class of each, where recordings are arrays alone
    duration     of a trial, in seconds: events at or after it are dropped (UnitWarning if these are most of them). None: to the first
                 multiple of 10 ms after the latest event of all
    time_unit    seconds of a tick of t: 1e-6 (microseconds)
    pool         columns and rows that become one unit: 4 makes (128, 128, 2) into 32 · 32 · 2 units

    Events of x, y and p become the unit (p H' + y // pool) W' + x // pool, with W' = ceil(W / pool) and H' = ceil(H / pool); p is 1 where
    it is above 0 (with P = 1 there is none). Dense arrays (…, n_units) reshape to (…, P, H', W'), the order of tonic's frames.

    ValueError for events outside of the sensor, negative times, missing fields, labels given twice.
    """
    pool, sensor_size = checks.whole(pool, "pool", 1), _checked_size(sensor_size)
    time_unit = checks.time(time_unit, "time_unit", above=0)
    recordings, labels = _separated(recordings, labels)
    parts = [_events(b, events, sensor_size, pool) for b, events in enumerate(recordings)]
    sizes = [units.size for _, units in parts]
    ticks, units = (
        np.concatenate([np.empty(0, np.int64), *each])
        for each in (zip(*parts) if parts else ((), ()))
    )
    times = _in_seconds(ticks, time_unit).astype(time_type(dtype))
    duration = (
        timegrid.after(times) if duration is None else checks.time(duration, "duration", above=0)
    )
    trials, before = np.repeat(np.arange(len(sizes)), sizes), times < duration
    timegrid.warn_if_outside(
        int(times.size - before.sum()),
        float(times.max(initial=0)),
        times.size,
        duration,
        "recordings",
    )
    columns, rows = (-(-side // pool) for side in sensor_size[:2])
    return SpikeTrains.from_events(
        times[before],
        units[before],
        trials[before],
        len(sizes),
        columns * rows * sensor_size[2],
        duration,
        labels,
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
    """Ticks as float64 seconds: of µs by a division, which rounds once, so that 290000 are 0.29 s and not the number below."""
    per_second = round(1 / time_unit) if time_unit < 1 else 0
    return (
        ticks / float(per_second)
        if per_second and 1 / per_second == time_unit
        else np.asarray(ticks, float) * time_unit
    )


def _separated(recordings, labels):
    """Lists of event arrays and of labels (None if there are none)."""
    if (
        not (
            hasattr(recordings, "__len__")
            and hasattr(recordings, "__getitem__")
            or hasattr(recordings, "__iter__")
        )
        or isinstance(recordings, (str, bytes, dict))
        or getattr(recordings, "ndim", 1) == 0
    ):
        checks.refuse(
            "recordings", recordings, "a list of structured arrays, or another collection of them"
        )
    recordings = (
        [recordings[k] for k in range(len(recordings))]
        if hasattr(recordings, "__len__")
        else list(recordings)
    )
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
    names = getattr(getattr(events, "dtype", None), "names", None) or ()
    if not {"t", "x"} <= set(names):
        raise ValueError(
            f"recording {b} is {type(events).__name__} with the fields {', '.join(names) or 'none'}; it must be a structured "
            "array with t and x (and y and p)."
        )
    if events.ndim != 1:
        raise ValueError(
            f"recording {b} has shape {events.shape}; it must have one entry per event."
        )
    columns, rows, polarities = sensor_size
    place = []
    for name, most in (("x", columns), ("y", rows)):
        values = (
            checks.wholes(events[name], f"recording {b}: {name}")
            if name in names
            else np.zeros(events.size, np.int64)
        )
        if values.size and (values.min() < 0 or values.max() >= most):
            raise ValueError(
                f"recording {b}: {name} runs from {values.min()} to {values.max()}; with sensor_size {tuple(sensor_size)} "
                f"it must lie in 0 .. {most - 1}."
            )
        place.append(values // pool)
    ticks = np.asarray(events["t"])
    if ticks.dtype.kind not in "iuf":
        raise ValueError(
            f"recording {b}: t has type {ticks.dtype}; it must hold whole or real numbers of ticks."
        )
    if ticks.size and not (np.all(np.isfinite(ticks)) and ticks.min() >= 0):
        raise ValueError(
            f"recording {b}: times run from {ticks.min()} to {ticks.max()} ticks; they must be finite and not negative."
        )
    if "p" in names and events["p"].dtype.kind not in "biuf":
        raise ValueError(
            f"recording {b}: p has type {events['p'].dtype}; it must hold numbers or flags, above 0 for a polarity of 1."
        )
    polarity = np.asarray(events["p"] > 0, np.int64) if polarities == 2 and "p" in names else 0
    return ticks, (polarity * -(-rows // pool) + place[1]) * -(-columns // pool) + place[0]

"""Events of cameras and cochleas as other libraries hold them: structured arrays with x, y, t and p."""
import numpy as np

from ..events import SpikeTrains
from ..units import seconds
from .poisson import check_count


def from_event_arrays(recordings, sensor_size, labels=None, duration=None, time_unit=1e-6, pool=1, dtype=np.float64):
    """SpikeTrains from event arrays such as those of tonic (Lenz et al. 2021); one recording is one trial.

    recordings   an iterable of structured arrays with the fields t and x, and y and p where there are rows and polarities; or of pairs
                 (events, label), as a tonic dataset is one. An empty recording is legal
    sensor_size  (columns W, rows H, polarities P), as tonic writes it: (128, 128, 2) for DVS128, (700, 1, 1) for SHD
    labels       (trials,) class of each, where recordings are arrays alone
    duration     of a trial, in seconds: events at or after it are dropped. None: to the latest event of all, rounded up to 10 ms
    time_unit    seconds of a tick of t: 1e-6 (microseconds)
    pool         columns and rows that become one unit: 4 makes (128, 128, 2) into 32 · 32 · 2 units

    Events of x, y and p become the unit (p H' + y // pool) W' + x // pool, with W' = ceil(W / pool) and H' = ceil(H / pool); p is 1 where
    it is above 0 (with P = 1 there is none). Dense arrays (…, n_units) reshape to (…, P, H', W'), the order of tonic's frames.

    ValueError for events outside of the sensor, negative times, missing fields, labels given twice.
    """
    check_count("pool", pool)
    if len(sensor_size) != 3 or sensor_size[2] not in (1, 2):
        raise ValueError(f"sensor_size is {sensor_size!r}; it is (columns, rows, polarities), with 1 or 2 polarities.")
    for name, value in zip(("columns", "rows"), sensor_size):
        check_count(f"{name} of sensor_size", value)
    recordings, labels = _separated(recordings, labels)
    parts = [_events(b, events, sensor_size, pool) for b, events in enumerate(recordings)]
    sizes = [units.size for _, units in parts]
    ticks, units = (np.concatenate([np.empty(0, np.int64), *each]) for each in (zip(*parts) if parts else ((), ())))
    times, duration = (np.asarray(ticks, float) * time_unit).astype(dtype), seconds(duration, "duration")
    duration = (int(times.max(initial=0) * 100) + 1) / 100 if duration is None else float(duration)
    trials, before = np.repeat(np.arange(len(sizes)), sizes), times < duration
    columns, rows = (-(-side // pool) for side in sensor_size[:2])
    return SpikeTrains.from_events(times[before], units[before], trials[before], len(sizes), columns * rows * sensor_size[2], duration,
                                   labels)


def _separated(recordings, labels):
    """Lists of event arrays and of labels (None if there are none)."""
    recordings = [recordings[k] for k in range(len(recordings))] if hasattr(recordings, "__len__") else list(recordings)
    if not recordings or not isinstance(recordings[0], (tuple, list)):
        return recordings, labels
    if labels is not None:
        raise ValueError("recordings are pairs (events, label) already; leave labels out.")
    return [events for events, _ in recordings], np.array([label for _, label in recordings])


def _events(b, events, sensor_size, pool):
    """(ticks, units) of recording b."""
    names = getattr(getattr(events, "dtype", None), "names", None) or ()
    if not {"t", "x"} <= set(names):
        raise ValueError(f"recording {b} is {type(events).__name__} with the fields {', '.join(names) or 'none'}; it must be a structured "
                         "array with t and x (and y and p).")
    columns, rows, polarities = sensor_size
    place = []
    for name, most in (("x", columns), ("y", rows)):
        values = np.asarray(events[name], np.int64) if name in names else np.zeros(events.size, np.int64)
        if values.size and (values.min() < 0 or values.max() >= most):
            raise ValueError(f"recording {b}: {name} runs from {values.min()} to {values.max()}; with sensor_size {tuple(sensor_size)} "
                             f"it must lie in 0 .. {most - 1}.")
        place.append(values // pool)
    ticks = np.asarray(events["t"])
    if ticks.size and not (np.all(np.isfinite(ticks)) and ticks.min() >= 0):
        raise ValueError(f"recording {b}: times run from {ticks.min()} to {ticks.max()} ticks; they must be finite and not negative.")
    polarity = np.asarray(events["p"] > 0, np.int64) if polarities == 2 and "p" in names else 0
    return ticks, (polarity * -(-rows // pool) + place[1]) * -(-columns // pool) + place[0]

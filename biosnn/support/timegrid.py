"""Where times become steps, and the only place: spikes, durations, delays, periods, windows.

Step n of length dt begins at n dt, and is called "at" that time.

| what                    | becomes                                | as in Brian2            |
|-------------------------|----------------------------------------|-------------------------|
| a spike at t            | the step that contains it:             | int((t + 1e-3 dt) / dt) |
|                         | floor(t / dt + tolerance)              |                         |
| duration of a trial     | the steps that cover it:               | Clock: the same, with a |
| or run                  | ceil(duration / dt - 1e-3), at least 1 | tolerance of 1e-4 steps |
| a delay d, a piece that | the nearest step: floor(d / dt + 1/2)  | int(d / dt + 0.5)       |
| begins at d, bins of    |                                        |                         |
| counts                  |                                        |                         |
| a refractory period p   | the whole steps in it:                 | timestep(p, dt), the    |
|                         | floor(p / dt + 1e-3)                   | same                    |
| a window of statistics  | those that contain a spike, cover a    | (there is none)         |
|                         | trial, or fit into it, likewise        |                         |

Tolerance. A time that should be n dt is stored a little off: by rounding, and by what was added and
taken away before. It counts as n dt where it lies less than 1e-3 steps + 2 eps t below, and always
less than half a step. 2 eps t is the error of a product of two rounded numbers. The eps is that of
the type in which times are given: float32 resolves 1e-3 steps of 0.1 ms only up to about a second.
Windows are longer than steps, and must not take spikes of the step before: their tolerance is 1e-6
of a window, at most 1 µs, plus 2 eps t.

Where a delay or period that somebody gave is not a multiple of dt, `warn_if_rounded` gives a
RoundingWarning and says what it becomes.
"""

from typing import Any, NamedTuple

import numpy as np

from .warn import RoundingWarning, UnitWarning, warn

_STEP = 1e-3  # tolerance, in steps
_WINDOW = 1e-6  # tolerance, in windows, and in seconds at most
_RESOLUTION = 2  # … and in units of eps t
_MOST = 0.49  # … but never so many steps or windows
_MOST_STEPS = 2**53
_UNITS = (("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9))


class Tolerance(NamedTuple):
    """Seconds by which a time may lie below the beginning of a step: min(least + share t, most)."""

    least: float
    share: float
    most: float

    def __call__(self, times: Any) -> Any:
        """Return the tolerance of times (s)."""
        return np.minimum(self.least + self.share * times, self.most)


def step_tolerance(dtype: Any, dt: float) -> Tolerance:
    """Return the tolerance of spike times of a type, in steps of dt (s)."""
    return Tolerance(_STEP * dt, _share(dtype), _MOST * dt)


def window_tolerance(dtype: Any, width: float) -> Tolerance:
    """Return the tolerance of spike times of a type, in windows of `width` seconds."""
    return Tolerance(_WINDOW * min(width, 1.0), _share(dtype), _MOST * width)


def _share(dtype):
    """The resolution of a type, relative to a time."""
    return _RESOLUTION * float(np.finfo(dtype).eps)


# ------------------------------------------------------------------------- which step, which window


def steps_of(times: np.ndarray, dt: float, dtype: Any = None) -> np.ndarray:
    """Return the step that contains each spike.

    Parameters
    ----------
    times
        Spike times >= 0 in seconds.
    dt
        The time step in seconds.
    dtype
        The type in which the times were given, if they have had another one since.

    Returns
    -------
    Steps, int64.

    Examples
    --------
    >>> steps_of(np.array([0.0, 0.3e-3, 0.29e-3]), 1e-4)
    array([0, 3, 2])
    """
    return _containing(times, dt, step_tolerance(times.dtype if dtype is None else dtype, dt))


def windows_of(times: np.ndarray, width: float) -> np.ndarray:
    """Return the window that contains each spike.

    Parameters
    ----------
    times
        Spike times >= 0 in seconds.
    width
        Width of the windows, in seconds.

    Returns
    -------
    Windows, int64.
    """
    return _containing(times, width, window_tolerance(times.dtype, width))


def _containing(times, unit, tolerance):
    """The unit of time that contains each time."""
    times = times.astype(np.float64, copy=False)
    return ((times + tolerance(times)) / unit).astype(np.int64)


# ----------------------------------------------------------------------------------------- how many


def covering_steps(duration: Any, dt: float) -> Any:
    """Return the steps that cover a duration, at least one.

    Parameters
    ----------
    duration
        Seconds, a number or an array.
    dt
        The time step in seconds.

    Returns
    -------
    An int; of an array, int64 of that shape, where 0 s are 0 steps.

    Examples
    --------
    >>> covering_steps(1.05e-3, 1e-4)
    11
    """
    steps = np.ceil(np.asarray(duration, float) / dt - _STEP)
    if steps.max(initial=0) > _MOST_STEPS:
        raise ValueError(
            f"a duration of {np.max(duration):g} s has {steps.max():.3g} steps of {dt:g} s; there "
            "may be 2^53 of them, about 1e16."
        )
    return steps.astype(np.int64) if steps.ndim else max(1, int(steps))


def covering_windows(duration: Any, width: float) -> Any:
    """Return the windows of `width` seconds that cover a duration (s); the last may be shorter.

    An int; of an array of durations, int64.
    """
    windows = np.ceil((duration - window_tolerance(float, width)(duration)) / width)
    windows = np.maximum(1, windows).astype(np.int64)
    return windows if windows.ndim else int(windows)


def whole_windows(duration: Any, width: float) -> Any:
    """Return the windows of `width` seconds that fit into a duration (s).

    An int; of an array of durations, int64.
    """
    windows = (duration + window_tolerance(float, width)(duration)) / width
    return windows.astype(np.int64) if np.ndim(windows) else int(windows)


def nearest_steps(times: Any, dt: float) -> Any:
    """Return the steps nearest to a time, halves rounded up.

    Parameters
    ----------
    times
        Seconds, a number or an array.
    dt
        The time step in seconds.

    Returns
    -------
    An int; of an array, int64 of that shape.

    Examples
    --------
    >>> nearest_steps(0.25e-3, 1e-4)
    3
    """
    steps = np.floor(np.asarray(times, float) / dt + 0.5)
    return steps.astype(np.int64) if steps.ndim else int(steps)


def whole_steps(period: Any, dt: float) -> Any:
    """Return the number of whole steps in a period, such as the refractory one.

    Parameters
    ----------
    period
        Seconds, a number or an array.
    dt
        The time step in seconds.

    Returns
    -------
    An int; of an array, int64 of that shape.

    Examples
    --------
    >>> whole_steps(0.25e-3, 1e-4)
    2
    """
    steps = np.floor(np.asarray(period, float) / dt + _STEP)
    return steps.astype(np.int64) if steps.ndim else int(steps)


# ------------------------------------------------------------------------------ what a user is told


def on_grid(time: float, steps: int, dt: float) -> float:
    """Return the time to show for one that became steps: unchanged if it is a multiple of dt.

    Parameters
    ----------
    time
        In seconds.
    steps
        What it became.
    dt
        The time step in seconds.

    Examples
    --------
    >>> on_grid(0.3e-3, 3, 1e-4), on_grid(0.25e-3, 3, 1e-4)
    (0.0003, 0.00030000000000000003)
    """
    return time if abs(time - steps * dt) <= 1e-9 * time else steps * dt


def warn_if_rounded(
    times: Any, steps: Any, dt: float, name: str, rule: str = "the nearest multiple"
) -> None:
    """Give a RoundingWarning where times that somebody gave are not multiples of dt.

    Parameters
    ----------
    times
        Seconds, a number or an array.
    steps
        What they became.
    dt
        The time step in seconds.
    name
        What they are, for the message.
    rule
        How they were rounded, for the message.
    """
    times, steps = np.ravel(np.asarray(times, float)), np.ravel(steps)
    off = np.flatnonzero(np.abs(times / dt - steps) > _STEP)
    if not off.size:
        return
    k = off[np.argmax(np.abs(times[off] / dt - steps[off]))]
    which = (
        f"{name} is {times[k]:.12g} s"
        if times.size == 1
        else f"{off.size} of {times.size} values of {name}, such as {times[k]:.12g} s,"
    )
    verb = (
        ", no multiple of the time step"
        if times.size == 1
        else " are no multiples of the time step"
    )
    warn(
        f"{which}{verb} dt = {dt:.12g} s. It becomes {steps[k] * dt:.12g} s ({steps[k]} "
        f"{'step' if steps[k] == 1 else 'steps'}), {rule}.",
        RoundingWarning,
    )


def warn_if_unresolved(dtype: Any, duration: float, dt: float) -> None:
    """Give a RoundingWarning where times are so coarse at the end of a trial that they miss steps.

    Parameters
    ----------
    dtype
        Type of the times.
    duration
        Duration of the trial, in seconds.
    dt
        The time step in seconds.
    """
    spacing = float(np.spacing(np.dtype(dtype).type(duration)))
    if spacing > dt:
        warn(
            f"times of type {np.dtype(dtype)} are {spacing:.3g} s apart at the end of a trial of "
            f"{duration:g} s, farther than steps of dt = {dt:g} s: spikes fall into the wrong "
            "steps. Give times as float64.",
            RoundingWarning,
        )


def warn_if_outside(
    n_outside: int, latest: float, n_spikes: int, duration: float, source: str
) -> None:
    """Give a UnitWarning where most spikes lie after the end of the trial.

    Their times may be in another unit.

    Parameters
    ----------
    n_outside, latest
        How many do, and the latest time (s).
    n_spikes
        How many there are.
    duration
        Duration of the trial, in seconds.
    source
        The file or array, for the message.
    """
    if 2 * n_outside > n_spikes:
        warn(
            f"{source}: {n_outside} of {n_spikes} spikes lie at or after the end of the trial at "
            f"{duration:g} s, and are left out; the latest is at {latest:g} "
            f"s.{unit_hint(latest, duration)}",
            UnitWarning,
        )


def unit_hint(latest: float, duration: float) -> str:
    """Return a hint that times may be in another unit, where that would explain how late they are.

    Parameters
    ----------
    latest
        The latest time, as if in seconds.
    duration
        Duration of the trial, in seconds.

    Returns
    -------
    A sentence for a message, or nothing.

    Examples
    --------
    >>> unit_hint(950.0, 1.0)
    ' Times are in seconds: are these in ms? Then multiply them by 0.001.'
    """
    if not latest > 20 * duration:
        return ""
    unit, factor = next((each for each in _UNITS if latest * each[1] <= 2 * duration), _UNITS[-1])
    return f" Times are in seconds: are these in {unit}? Then multiply them by {factor:g}."


def after(times: np.ndarray) -> float:
    """Return the end of a trial whose duration was not given: after its last spike.

    Parameters
    ----------
    times
        Spike times >= 0 in seconds, in their own precision.

    Returns
    -------
    The first multiple of 10 ms (s) after all of them.

    Examples
    --------
    >>> after(np.array([0.1, 0.528]))
    0.53
    """
    latest, kind = times.max(initial=0), times.dtype.type
    hundredths = np.floor((float(latest) + window_tolerance(kind, 0.01)(float(latest))) / 0.01)
    with np.errstate(over="ignore"):
        for more in (1, 2):  # 0.53 s is not before an end of 0.53 s, rounded likewise
            if latest < kind((hundredths + more) / 100):
                return float((hundredths + more) / 100)
        return float(np.nextafter(latest, kind(np.inf)))

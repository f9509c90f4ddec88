"""Where times become steps, and the only place: spikes, durations, delays, periods, and windows of statistics.

Step n of length dt begins at n dt, and is called "at" that time.

| what                        | becomes                                   | as in Brian2                         |
|-----------------------------|-------------------------------------------|--------------------------------------|
| a spike at t                | the step that contains it:                | int((t + 1e-3 dt) / dt)              |
|                             | floor(t / dt + tolerance)                 |                                      |
| duration of a trial or run  | the steps that cover it:                  | Clock: the same, its tolerance is    |
|                             | ceil(duration / dt - 1e-3), at least 1    | 1e-4 steps                           |
| a delay d, a piece that     | the nearest step: floor(d / dt + 1/2)     | int(d / dt + 0.5)                    |
| begins at d, bins of counts |                                           |                                      |
| a refractory period p       | the whole steps in it:                    | timestep(p, dt), the same            |
|                             | floor(p / dt + 1e-3)                      |                                      |
| a window of statistics      | those that contain a spike, cover a       | (there is none)                      |
|                             | trial, or fit into it, likewise           |                                      |

Tolerance. A time that should be n dt is stored a little off: by rounding, and by what was added and
taken away before. It counts as n dt where it lies less than 1e-3 steps below it, plus 2 eps t: what
a product of two rounded numbers may be off, with the eps of the type in which times are given
(float32 resolves 1e-3 steps of 0.1 ms only up to about a second), but always less than half a step.
Windows are longer than steps, and must not take spikes of the step before: their tolerance is 1e-6
of a window, at most 1 µs, plus 2 eps t.

Where a delay or period that somebody gave is no multiple of dt, `rounded` warns (RoundingWarning)
and says what it becomes.
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
    """Seconds by which a time t may lie below the begin of a step: min(least + share t, most)."""

    least: float
    share: float
    most: float

    def __call__(self, times: Any) -> Any:
        return np.minimum(self.least + self.share * times, self.most)


def step_tolerance(dtype: Any, dt: float) -> Tolerance:
    """Of spike times of a type, in steps of dt (s)."""
    return Tolerance(_STEP * dt, _share(dtype), _MOST * dt)


def window_tolerance(dtype: Any, width: float) -> Tolerance:
    """Of spike times of a type, in windows of `width` seconds."""
    return Tolerance(_WINDOW * min(width, 1.0), _share(dtype), _MOST * width)


def _share(dtype):
    return _RESOLUTION * float(np.finfo(dtype).eps)


# ------------------------------------------------------------------------- which step, which window


def steps_of(times: np.ndarray, dt: float, dtype: Any = None) -> np.ndarray:
    """The step that contains each spike time >= 0 (s), int64. dtype: in which they were given, if they have another type since."""
    return _containing(times, dt, step_tolerance(times.dtype if dtype is None else dtype, dt))


def windows_of(times: np.ndarray, width: float) -> np.ndarray:
    """The window of `width` seconds that contains each spike time >= 0 (s), int64."""
    return _containing(times, width, window_tolerance(times.dtype, width))


def _containing(times, unit, tolerance):
    times = times.astype(np.float64, copy=False)
    return ((times + tolerance(times)) / unit).astype(np.int64)


# ----------------------------------------------------------------------------------------- how many


def covering_steps(duration: Any, dt: float) -> Any:
    """Steps that cover a duration (s), at least one: an int; of an array, int64 of that shape, where 0 s are 0 steps."""
    steps = np.ceil(np.asarray(duration, float) / dt - _STEP)
    if steps.max(initial=0) > _MOST_STEPS:
        raise ValueError(
            f"a duration of {np.max(duration):g} s has {steps.max():.3g} steps of {dt:g} s; there "
            "may be 2^53 of them, about 1e16."
        )
    return steps.astype(np.int64) if steps.ndim else max(1, int(steps))


def covering_windows(duration: float, width: float) -> int:
    """Windows that cover a duration, at least one; the last may be shorter."""
    return max(1, int(np.ceil((duration - window_tolerance(float, width)(duration)) / width)))


def whole_windows(duration: float, width: float) -> int:
    """Windows that fit into a duration; 0 where it is shorter than one."""
    return int((duration + window_tolerance(float, width)(duration)) / width)


def nearest_steps(times: Any, dt: float) -> Any:
    """Steps nearest to a time (s), halves rounded up: an int; of an array, int64 of that shape."""
    steps = np.floor(np.asarray(times, float) / dt + 0.5)
    return steps.astype(np.int64) if steps.ndim else int(steps)


def whole_steps(period: float, dt: float) -> int:
    """Whole steps in a period (s): that of refractoriness."""
    return int(period / dt + _STEP)


# ------------------------------------------------------------------------------ what a user is told


def on_grid(time: float, steps: int, dt: float) -> float:
    """What an object shows of a time (s) that became so many steps: itself, where it is a multiple of dt."""
    return time if abs(time - steps * dt) <= 1e-9 * time else steps * dt


def warn_if_rounded(
    times: Any, steps: Any, dt: float, name: str, rule: str = "the nearest multiple"
) -> None:
    """RoundingWarning where times that somebody gave are no multiples of dt; `steps` is what they became, by that rule."""
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
    """RoundingWarning where times of a type are so coarse at the end of a trial that they miss steps."""
    spacing = float(np.spacing(np.dtype(dtype).type(duration)))
    if spacing > dt:
        warn(
            f"times of type {np.dtype(dtype)} are {spacing:.3g} s apart at the end of a trial of "
            f"{duration:g} s, farther than steps of dt = {dt:g} s: spikes fall into steps beside "
            "theirs. Give times as float64.",
            RoundingWarning,
        )


def warn_if_outside(
    n_outside: int, latest: float, n_spikes: int, duration: float, source: str
) -> None:
    """UnitWarning where most spikes of a file or array lie after the end of the trial: their times may have another unit."""
    if 2 * n_outside > n_spikes:
        warn(
            f"{source}: {n_outside} of {n_spikes} spikes lie at or after the end of the trial at "
            f"{duration:g} s, and are left out; the latest is at {latest:g} "
            f"s.{unit_hint(latest, duration)}",
            UnitWarning,
        )


def unit_hint(latest: float, duration: float) -> str:
    """ " Are they in ms?", where the latest time (s) is so far after the end of a trial that another unit would explain it; or ""."""
    if not latest > 20 * duration:
        return ""
    unit, factor = next((each for each in _UNITS if latest * each[1] <= 2 * duration), _UNITS[-1])
    return f" Times are in seconds: are these in {unit}? Then multiply them by {factor:g}."


def after(times: np.ndarray) -> float:
    """The first multiple of 10 ms (s) after all times >= 0, in their own precision: where a trial ends that nobody gave an end."""
    latest, kind = times.max(initial=0), times.dtype.type
    hundredths = np.floor((float(latest) + window_tolerance(kind, 0.01)(float(latest))) / 0.01)
    with np.errstate(over="ignore"):
        for more in (1, 2):  # 0.53 s is not before an end of 0.53 s, rounded likewise
            if latest < kind((hundredths + more) / 100):
                return float((hundredths + more) / 100)
        return float(np.nextafter(latest, kind(np.inf)))

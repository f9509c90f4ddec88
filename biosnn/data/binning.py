"""Events in steps of dt: the form in which networks read them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..kernels import binning as kernels
from ..support import checks, plausible, timegrid
from ..support.ranges import ranges
from ..support.show import About, Shows, milliseconds
from .events import Spans, inside
from .spike_base import steps_of_trials
from .spike_trains import SpikeTrains, check_trains


@dataclass(frozen=True, eq=False, repr=False)
class Binned(Shows):
    """Events in steps of dt.

    Those of trial b and step n are `units[pointers[b, n] : pointers[b, n + 1]]`, ascending.

    Parameters
    ----------
    pointers
        (trials, steps + 1) where the events of each step begin.
    units
        (events,) the unit of each event.
    n_units
        Number of units.
    dt
        Time step in seconds.
    own_steps
        (trials,) number of steps of each trial, the most of them `n_steps`; None: all have as many.

    Examples
    --------
    See `bin_spikes`.
    """

    pointers: NDArray[np.int64]
    units: NDArray[np.int32]
    n_units: int
    dt: float
    own_steps: NDArray[np.int64] | None = None

    @property
    def n_steps(self) -> int:
        """Number of steps of a trial, or of the longest."""
        return self.pointers.shape[1] - 1

    def __len__(self) -> int:
        return self.pointers.shape[0]

    def rate(self) -> float:
        """Return the mean rate of a unit in hertz."""
        n_steps = len(self) * self.n_steps if self.own_steps is None else self.own_steps.sum()
        return float(self.units.size / (n_steps * self.dt * self.n_units))

    def dense(self) -> NDArray[np.float64]:
        """Return the counts as an array (trial, step, unit), for small data."""
        counts = np.zeros((len(self), self.n_steps, self.n_units))
        slots = np.arange(len(self) * self.n_steps)
        b, n = np.divmod(np.repeat(slots, np.diff(self.pointers, axis=1).ravel()), self.n_steps)
        np.add.at(counts, (b, n, self.units), 1)
        return counts

    def _about(self) -> About:
        rows = [
            ("trials", f"{len(self):,}"),
            ("steps", f"{self.n_steps:,} of {milliseconds(self.dt)}"),
            ("units", f"{self.n_units:,}"),
            ("events", f"{self.units.size:,}"),
        ]
        if len(self):
            rows.append(("rate", f"{self.rate():.3g} Hz"))
        return About("Binned", rows)


def bin_spikes(spikes: SpikeTrains, dt: float, *, merge: bool = True) -> Binned:
    """Sort spike trains into steps of dt, each spike into the step that contains it.

    Parameters
    ----------
    spikes
        Spike trains.
    dt
        Time step in seconds.
    merge
        Whether to keep only one of several spikes of a unit in one step, as dense tensors do.

    Returns
    -------
    The events in steps.

    Raises
    ------
    ValueError
        If `spikes` are not SpikeTrains, or `dt` is not a time above 0.

    Notes
    -----
        step = floor((t + tolerance) / dt),    tolerance = 1e-3 dt + 2 eps t, less than dt / 2,

    as in Brian2. eps is that of the type of the times: float32 times that should be multiples of dt
    land in their steps, too (support/timegrid.py).

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.SpikeTrains.from_units([[0.001, 0.0012], [0.0035]], duration=0.005)
    >>> bs.bin_spikes(spikes, 1e-3).dense()[0].T
    array([[0., 1., 0., 0., 0.],
           [0., 0., 0., 1., 0.]])
    """
    check_trains(spikes)
    dt = checks.time(dt, "dt", above=0, plausible=max(spikes.duration, plausible.STEP))
    merge = checks.flag(merge, "merge")
    timegrid.warn_if_unresolved(spikes.times.dtype, spikes.duration, dt)
    spans = Spans.of(spikes.times, spikes.units, spikes.offsets[:-1], spikes.offsets[1:])
    return bin_events(spans, spikes.n_units, spikes.duration, dt, merge, spikes.ends)


def bin_events(
    spans: Spans,
    n_units: int,
    duration: float,
    dt: float,
    merge: bool = True,
    ends: np.ndarray | None = None,
) -> Binned:
    """Sort Spans into steps; events outside of the units and of their trial are left out."""
    n_steps = timegrid.covering_steps(duration, dt)
    n_words = spans.first.size * n_steps * -(-n_units // 64)
    own_steps = None if ends is None else steps_of_trials(ends, dt)
    if ends is not None and own_steps is not None:
        spans = _until_ends(spans, ends, own_steps, dt)
    if merge and n_words <= 2 * int(np.sum(spans.last - spans.first)):
        binned = _binned_as_bits(spans, n_units, duration, dt, n_steps, n_words)
    else:
        binned = _binned_by_sorting(spans, n_units, duration, dt, n_steps, merge)
    if own_steps is None or np.all(own_steps == n_steps):
        return binned
    return replace(binned, own_steps=own_steps)


def _until_ends(spans, ends, own_steps, dt):
    """Spans without the events after the end of their trial, and with none after its last step."""
    trials = np.repeat(np.arange(ends.size), spans.last - spans.first)
    place = ranges(spans.first, spans.last - spans.first)
    times, units = spans.times[place], spans.units[place]
    moved = spans.scale[trials] * times + spans.shift[trials]
    late = np.flatnonzero((moved >= ((own_steps - 0.5) * dt)[trials]) & (moved < ends[trials]))
    b = trials[late]  # rounding may take an event from the last step into the next: to its middle
    times[late] = ((own_steps[b] - 0.5) * dt - spans.shift[b]) / spans.scale[b]
    keep = moved < ends[trials]
    count = np.bincount(trials[keep], minlength=ends.size)
    last = np.cumsum(count)
    return spans._replace(times=times[keep], units=units[keep], first=last - count, last=last)


def _binned_as_bits(spans, n_units, duration, dt, n_steps, n_words):
    """Bits (trial, step, unit), for events that are dense enough."""
    size = int(np.sum(spans.last - spans.first))
    pointers = np.zeros((spans.first.size, n_steps + 1), np.int64)
    binned, present = np.empty(size, np.int32), np.zeros(n_words, np.uint64)
    tolerance = timegrid.step_tolerance(spans.times.dtype, dt)
    count = kernels.bin_once(
        spans, n_steps, n_units, float(duration), dt, tolerance, present, pointers, binned
    )
    return Binned(pointers=pointers, units=binned[:count], n_units=n_units, dt=dt)


def _binned_by_sorting(spans, n_units, duration, dt, n_steps, merge):
    """One sort of numbers (trial, step, unit), for sparse events."""
    n_trials = spans.first.size
    times, units, trials = spans.settled()
    keep = inside(times, units, n_units, duration)
    times, units, trials = times[keep], units[keep], trials[keep]
    step = np.minimum(timegrid.steps_of(times, dt, spans.times.dtype), n_steps - 1)
    key = (trials * n_steps + step) * n_units + units
    key.sort()
    if merge and key.size:
        key = key[np.concatenate([[True], key[1:] != key[:-1]])]
    slot, units = np.divmod(key, n_units)
    counts = np.bincount(slot, minlength=n_trials * n_steps).reshape(n_trials, n_steps)
    ends = np.cumsum(counts).reshape(counts.shape)
    pointers = np.concatenate([ends[:, :1] - counts[:, :1], ends], axis=1)
    return Binned(
        pointers=pointers.astype(np.int64),
        units=units.astype(np.int32),
        n_units=n_units,
        dt=dt,
    )

"""Events of many trials as augmentations and binning see them: moved as a whole, not copied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..support import checks
from ..support.ranges import ranges
from ..support.show import About, Shows
from .spike_trains import SpikeTrains


class Spans(NamedTuple):
    """Events of trials, which moving and binning need not copy.

    Those of trial b are times[e], units[e] with first[b] <= e < last[b], in any order. They stand
    for events at the time scale[b] times + shift[b] (s) in the unit units + up[b].
    """

    times: np.ndarray
    units: np.ndarray
    first: np.ndarray
    last: np.ndarray
    up: np.ndarray
    scale: np.ndarray
    shift: np.ndarray

    @classmethod
    def of(cls, times: np.ndarray, units: np.ndarray, first: np.ndarray, last: np.ndarray) -> Spans:
        """Return events that have not moved."""
        return cls(
            times=times,
            units=units,
            first=first,
            last=last,
            up=np.zeros(first.size, np.int64),
            scale=np.ones(first.size),
            shift=np.zeros(first.size),
        )

    def settled(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return (times, units, trials) of every event."""
        count = self.last - self.first
        trials = np.repeat(np.arange(count.size), count)
        place = ranges(self.first, count)
        times = self.scale[trials] * self.times[place] + self.shift[trials]
        return times, self.units[place] + self.up[trials].astype(np.int32), trials


def inside(
    times: np.ndarray, units: np.ndarray, n_units: int, end: float | np.ndarray
) -> NDArray[np.bool_]:
    """Return which events have a unit 0 .. n_units - 1 and a time 0 <= t < end (s)."""
    return (units >= 0) & (units < n_units) & (times >= 0) & (times < end)


@dataclass(frozen=True, eq=False, repr=False)
class Events(Shows):
    """The events of some trials, which an augmentation changes.

    An augmentation gets one, and returns another one that `moved` or `replaced` make. Events may
    leave the trial or the units: they are lost in the end.

    Parameters
    ----------
    spans
        The events; `columns` gives them as arrays.
    n_units
        Number of units.
    duration
        Duration of the longest trial in seconds.
    ends
        (trials,) seconds at which each trial ends.
    labels
        (trials,) class of each trial, or None.
    pool
        All trials of the data as they were given, for augmentations that mix trials.

    Examples
    --------
    See `biosnn.Augmentation`.
    """

    spans: Spans
    n_units: int
    duration: float
    ends: np.ndarray
    labels: np.ndarray | None
    pool: SpikeTrains

    @property
    def n_trials(self) -> int:
        """Number of trials."""
        return self.spans.first.size

    def columns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return (times, units, trials) of all events: seconds, and numbers from 0."""
        return self.spans.settled()

    def sizes(self, trials: np.ndarray) -> NDArray[np.int64]:
        """Return the number of events of each trial, from the trials of all events."""
        return np.bincount(trials, minlength=self.n_trials)

    def moved(
        self,
        *,
        units: NDArray[np.int64] | None = None,
        time: NDArray[np.float64] | None = None,
        stretch: NDArray[np.float64] | None = None,
    ) -> Events:
        """Return events of which whole trials have moved; arrays have one entry per trial.

        Parameters
        ----------
        units
            Whole numbers that are added to the units.
        time
            Seconds that are added to the times.
        stretch
            Factors of the times, before `time` is added.
        """
        spans = self.spans
        if stretch is not None:
            spans = spans._replace(scale=stretch * spans.scale, shift=stretch * spans.shift)
        if time is not None:
            spans = spans._replace(shift=spans.shift + time)
        if units is not None:
            spans = spans._replace(up=spans.up + units)
        return replace(self, spans=spans)

    def replaced(self, times: ArrayLike, units: ArrayLike, trials: ArrayLike) -> Events:
        """Return other events of the same trials, in any order.

        Parameters
        ----------
        times, units, trials
            One entry per event: seconds, and numbers from 0.

        Raises
        ------
        ValueError
            If the arrays have different lengths, or there is no such trial.
        """
        at, of, where = self._checked(times, units, trials)
        if np.any(np.diff(where) < 0):
            order = np.argsort(where, kind="stable")
            at, of, where = at[order], of[order], where[order]
        ends = np.cumsum(np.bincount(where, minlength=self.n_trials))[: self.n_trials]
        first = np.concatenate([[0], ends])[:-1]
        return replace(self, spans=Spans.of(at, of, first, ends))

    def _checked(self, times, units, trials):
        """Arrays of the types that binning knows."""
        times, units, trials = np.asarray(times), np.asarray(units), np.asarray(trials)
        if not times.ndim == 1 or not times.shape == units.shape == trials.shape:
            raise ValueError(
                f"an augmentation gave times {times.shape}, units {units.shape} and trials "
                f"{trials.shape}; they must have one entry per event, so one dimension and the "
                "same length."
            )
        if times.dtype not in (np.float32, np.float64):
            times = checks.reals(times, "times of an augmentation")
        if units.dtype != np.int32:
            units = checks.wholes(units, "units of an augmentation")
            units = np.clip(units, -1, self.n_units).astype(np.int32)
        exist = not trials.size or (trials.min() >= 0 and trials.max() < self.n_trials)
        if trials.dtype != np.int64 or not exist:
            trials = checks.wholes(trials, "trials of an augmentation", 0, self.n_trials - 1)
        return times, units, trials

    def _about(self) -> About:
        rows = [
            ("trials", f"{self.n_trials:,}"),
            ("duration", f"{self.duration:g} s"),
            ("units", f"{self.n_units:,}"),
            ("events", f"{int(np.sum(self.spans.last - self.spans.first)):,}"),
        ]
        return About("Events", rows)


class TrialRandom:
    """Random numbers for one augmentation, of every trial from a stream of its own.

    So what happens to a trial does not depend on the other trials that are changed with it.
    Numbers of all trials come as one array, those of a trial next to each other. `sizes` says how
    many numbers each trial needs: one number for all trials, or (trials,).

    Parameters
    ----------
    key
        Two words of 64 bits, which follow from the seed.
    augmentation
        Which augmentation of a list it is.
    trials
        Numbers of the trials in the data set.

    Notes
    -----
    The generator is Philox, whose counter names draw, trial and augmentation.

    Examples
    --------
    See `biosnn.Augmentation`.
    """

    def __init__(self, key: np.ndarray, augmentation: int, trials: np.ndarray) -> None:
        self._philox = np.random.Philox(key=key)
        self._generator = np.random.Generator(self._philox)
        self._state = self._philox.state
        self._augmentation, self._trials, self._draws = augmentation, trials, 0

    def each(
        self,
        draw: Callable[[np.random.Generator, int], np.ndarray],
        sizes: int | NDArray[np.int64] = 1,
    ) -> np.ndarray:
        """Return draw(generator, size) of all trials, one after the other."""
        parts, state = [np.empty(0)], self._state
        for trial, size in zip(self._trials, np.broadcast_to(sizes, self._trials.size)):
            state["state"]["counter"][:] = 0, self._draws, trial, self._augmentation
            self._philox.state = state
            parts.append(draw(self._generator, size))
        self._draws += 1
        return np.concatenate(parts[1:] or parts)

    def normal(self, spread: float, sizes: int | NDArray[np.int64] = 1) -> NDArray[np.float64]:
        """Return normal numbers with mean 0 and standard deviation `spread`."""
        return self.each(lambda generator, size: generator.normal(0, spread, size), sizes)

    def uniform(
        self, low: float, high: float, sizes: int | NDArray[np.int64] = 1
    ) -> NDArray[np.float64]:
        """Return numbers that are uniform in [low, high)."""
        return self.each(lambda generator, size: generator.uniform(low, high, size), sizes)

    def random(self, sizes: int | NDArray[np.int64] = 1) -> NDArray[np.float64]:
        """Return numbers that are uniform in [0, 1)."""
        return self.each(lambda generator, size: generator.random(size), sizes)

    def poisson(
        self, mean: float | NDArray[np.float64], sizes: int | NDArray[np.int64] = 1
    ) -> NDArray[np.int64]:
        """Return Poisson numbers with mean `mean`, one for all trials or (trials,)."""
        means = iter(np.broadcast_to(mean, self._trials.size))
        drawn = self.each(lambda generator, size: generator.poisson(next(means), size), sizes)
        return drawn.astype(np.int64)

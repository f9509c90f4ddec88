"""The augmentations of biosnn: shifts, jitter, stretching, losses, insertions and blends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..support import checks, plausible
from ..support.memory import check_room
from .events import Events, TrialRandom


@dataclass(frozen=True)
class _Checked:
    """An augmentation whose numbers are checked."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            what = f"{type(self).__name__}: {name}"
            if name == "probability":
                checked = checks.real(value, what, 0, 1)
            else:
                checked = self._checked(what, value)
            object.__setattr__(self, name, checked)

    def _checked(self, what, value):
        """A number that is no probability, as it is kept."""
        return checks.real(value, what, 0)


@dataclass(frozen=True)
class _InTime(_Checked):
    """An augmentation whose number is a time in seconds."""

    def _checked(self, what, value):
        return checks.time(value, what, 0, plausible=plausible.SHIFT)


@dataclass(frozen=True)
class ChannelShift(_Checked):
    """All spikes of a trial move by one number of units.

    Parameters
    ----------
    spread
        The number of units is normal with this standard deviation, rounded.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.data.poisson(20.0, 100, 0.5, 3, seed=1)
    >>> moved = bs.augment(spikes, [bs.ChannelShift(10)], seed=2)
    """

    spread: float

    def apply(self, events: Events, rng: TrialRandom) -> Events:
        """Return the events after the change."""
        return events.moved(units=np.rint(rng.normal(self.spread)).astype(np.int64))


@dataclass(frozen=True)
class ChannelJitter(_Checked):
    """Every spike moves by its own number of units.

    Parameters
    ----------
    spread
        The number of units is normal with this standard deviation, rounded.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.data.poisson(20.0, 100, 0.5, 3, seed=1)
    >>> moved = bs.augment(spikes, [bs.ChannelJitter(2)], seed=2)
    """

    spread: float

    def apply(self, events: Events, rng: TrialRandom) -> Events:
        """Return the events after the change."""
        times, units, trials = events.columns()
        steps = np.rint(rng.normal(self.spread, events.sizes(trials))).astype(np.int32)
        return events.replaced(times, units + steps, trials)


@dataclass(frozen=True)
class TimeShift(_InTime):
    """All spikes of a trial move by one time.

    Parameters
    ----------
    most
        The time is uniform between -most and most, in seconds.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.data.poisson(20.0, 100, 0.5, 3, seed=1)
    >>> moved = bs.augment(spikes, [bs.TimeShift(20e-3)], seed=2)
    """

    most: float

    def apply(self, events: Events, rng: TrialRandom) -> Events:
        """Return the events after the change."""
        return events.moved(time=rng.uniform(-self.most, self.most))


@dataclass(frozen=True)
class TimeJitter(_InTime):
    """Every spike moves by its own time.

    Parameters
    ----------
    spread
        The time is normal with this standard deviation, in seconds.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.data.poisson(20.0, 100, 0.5, 3, seed=1)
    >>> moved = bs.augment(spikes, [bs.TimeJitter(2e-3)], seed=2)
    """

    spread: float

    def apply(self, events: Events, rng: TrialRandom) -> Events:
        """Return the events after the change."""
        times, units, trials = events.columns()
        return events.replaced(times + rng.normal(self.spread, events.sizes(trials)), units, trials)


@dataclass(frozen=True)
class TimeStretch(_Checked):
    """The times of a trial are multiplied by one factor.

    Parameters
    ----------
    spread
        The factor is exp(x), with x normal of this standard deviation.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.data.poisson(20.0, 100, 0.5, 3, seed=1)
    >>> moved = bs.augment(spikes, [bs.TimeStretch(0.1)], seed=2)
    """

    spread: float

    def apply(self, events: Events, rng: TrialRandom) -> Events:
        """Return the events after the change."""
        return events.moved(stretch=np.exp(rng.normal(self.spread)))


@dataclass(frozen=True)
class Drop(_Checked):
    """Every spike is lost with one probability.

    Parameters
    ----------
    probability
        From 0 to 1.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.data.poisson(20.0, 100, 0.5, 3, seed=1)
    >>> bs.augment(spikes, [bs.Drop(1.0)], seed=2).times.size
    0
    """

    probability: float

    def apply(self, events: Events, rng: TrialRandom) -> Events:
        """Return the events after the change."""
        times, units, trials = events.columns()
        keep = rng.random(events.sizes(trials)) >= self.probability
        return events.replaced(times[keep], units[keep], trials[keep])


@dataclass(frozen=True)
class ChannelMask(_Checked):
    """All spikes of a trial in one band of neighbouring units are lost.

    So a network must not rely on a few channels.

    Parameters
    ----------
    most
        The width of the band is uniform in 0 .. most units (at most all of them), and its place is
        uniform, for every trial on its own.

    References
    ----------
    Park et al. (2019), SpecAugment, arXiv:1904.08779 (the frequency masks, here for spikes).

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.data.poisson(20.0, 100, 0.5, 3, seed=1)
    >>> masked = bs.augment(spikes, [bs.ChannelMask(20)], seed=2)
    >>> masked.times.size < spikes.times.size
    True
    """

    most: int

    def _checked(self, what, value):
        return checks.whole(value, what, 0)

    def apply(self, events: Events, rng: TrialRandom) -> Events:
        """Return the events after the change."""
        width = np.floor(rng.random() * (self.most + 1)).astype(np.int64)
        width = np.minimum(width, events.n_units)
        first = np.floor(rng.random() * (events.n_units - width + 1)).astype(np.int64)
        times, units, trials = events.columns()
        keep = (units < first[trials]) | (units >= (first + width)[trials])
        return events.replaced(times[keep], units[keep], trials[keep])


@dataclass(frozen=True)
class Insert(_Checked):
    """Independent Poisson spikes are added to every unit.

    Parameters
    ----------
    rate
        Rate of the added spikes of a unit, in hertz.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.data.poisson(0.0, 100, 0.5, 3, seed=1)
    >>> noisy = bs.augment(spikes, [bs.Insert(5.0)], seed=2)
    >>> noisy.times.size > 0
    True
    """

    rate: float

    def _checked(self, what, value):
        return checks.rate(value, what)

    def apply(self, events: Events, rng: TrialRandom) -> Events:
        """Return the events after the change."""
        mean = self.rate * events.ends * events.n_units
        check_room(f"Insert({self.rate:g})", int(mean.sum()), 24, "spikes")
        times, units, trials = events.columns()
        counts = rng.poisson(mean)
        more_trials = np.repeat(np.arange(events.n_trials), counts)
        more_times = rng.random(counts) * events.ends[more_trials]
        more_units = np.floor(rng.random(counts) * events.n_units).astype(np.int32)
        return events.replaced(
            np.concatenate([times, more_times]),
            np.concatenate([units, more_units]),
            np.concatenate([trials, more_trials]),
        )


@dataclass(frozen=True)
class Blend(_Checked):
    """Some trials are mixed with another one of their class.

    The other trial is drawn each time from the data as they were given, and may be the same one.
    Both are moved, each by half of what lies between them, so that the means over their spikes of
    time and of unit agree. Then every spike of either is kept with probability 1/2. The spike
    trains need labels.

    Parameters
    ----------
    probability
        That a trial is mixed, from 0 to 1.

    References
    ----------
    Nowotny, Turner & Knight (2025), Loss shaping enhances exact gradient learning with Eventprop in
    spiking neural networks, Neuromorphic Computing and Engineering, doi:10.1088/2634-4386/ada852.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.data.poisson(20.0, 100, 0.5, 4, seed=1, labels=[0, 1, 0, 1])
    >>> mixed = bs.augment(spikes, [bs.Blend(0.5)], seed=2)
    """

    probability: float

    def apply(self, events: Events, rng: TrialRandom) -> Events:
        """Return the events after the change; ValueError without labels."""
        if events.labels is None or events.pool.labels is None:
            raise ValueError("Blend mixes trials of one class: the spike trains need labels.")
        times, units, trials = events.columns()
        mixed, chosen = rng.random() < self.probability, rng.random()
        other = events.pool[_partners(events.labels[mixed], events.pool.labels, chosen[mixed])]
        other_trials = np.flatnonzero(mixed)[other.trials]
        mine = _means(times, units, trials, events.n_trials)
        theirs = _means(other.times, other.units, other_trials, events.n_trials)
        known = mixed & np.isfinite(mine + theirs).all(axis=0)
        half = np.where(known, (theirs - mine) / 2, 0)  # (time or unit, trial)
        keep = ~mixed[trials] | (rng.random(events.sizes(trials)) < 0.5)
        keep_other = rng.random(events.sizes(other_trials)) < 0.5
        trials = np.concatenate([trials[keep], other_trials[keep_other]])
        units = np.concatenate([units[keep], other.units[keep_other]])
        times = np.concatenate([times[keep], other.times[keep_other]])
        sign = np.repeat([1, -1], [keep.sum(), keep_other.sum()])
        steps = np.rint(sign * half[1, trials]).astype(np.int32)
        return events.replaced(times + sign * half[0, trials], units + steps, trials)


def _partners(labels, pool, chosen):
    """A trial of the pool for every label; `chosen` says which, as a share of its class."""
    order = np.argsort(pool, kind="stable")
    first, last = (np.searchsorted(pool[order], labels, side) for side in ("left", "right"))
    if np.any(first == last):
        missing = labels[first == last][0]
        raise ValueError(f"Blend: the data to mix with have no trial of class {missing}.")
    return order[first + (chosen * (last - first)).astype(np.int64)]


def _means(times, units, trials, n_trials):
    """(2, trial) mean time and mean unit of the spikes; NaN in a trial without any."""
    count = np.bincount(trials, minlength=n_trials)
    with np.errstate(invalid="ignore", divide="ignore"):
        sums = [np.bincount(trials, values, n_trials) for values in (times, units)]
        return np.stack([total / count for total in sums])


#: All of them, for messages.
KINDS = (
    ChannelShift,
    ChannelJitter,
    TimeShift,
    TimeJitter,
    TimeStretch,
    Drop,
    ChannelMask,
    Insert,
    Blend,
)

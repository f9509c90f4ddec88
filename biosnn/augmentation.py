"""Augmentation of spike trains, event by event: each presentation of a trial differs a little, so that a network generalizes.

An augmentation is a frozen description with `apply(events, rng)`. Spikes that leave the trial or the units are lost.
"""
from dataclasses import dataclass, replace

import numpy as np

from .events import SpikeTrains, inside


@dataclass(frozen=True, eq=False)
class _Events:
    """Spikes in any order: times (s), units and trials, one entry each."""
    times: np.ndarray
    units: np.ndarray
    trials: np.ndarray
    n_trials: int
    n_units: int
    duration: float
    labels: np.ndarray | None     # of the trials
    pool: SpikeTrains             # trials that others may be taken from


@dataclass(frozen=True)
class _Augmentation:
    def __post_init__(self):
        for name, value in vars(self).items():
            if not (np.isfinite(value) and value >= 0):
                raise ValueError(f"{type(self).__name__}: {name} is {value!r}; it must be a number >= 0.")
            if name == "probability" and value > 1:
                raise ValueError(f"{type(self).__name__}: probability is {value!r}; it must lie in 0 .. 1.")


@dataclass(frozen=True)
class ChannelShift(_Augmentation):
    """All spikes of a trial move by one number of units: normal with standard deviation `spread`, rounded."""
    spread: float

    def apply(self, events, rng):
        shift = np.rint(rng.normal(0, self.spread, events.n_trials)).astype(np.int32)
        return replace(events, units=events.units + shift[events.trials])


@dataclass(frozen=True)
class ChannelJitter(_Augmentation):
    """Every spike moves by its own number of units: normal with standard deviation `spread`, rounded."""
    spread: float

    def apply(self, events, rng):
        return replace(events, units=events.units + np.rint(rng.normal(0, self.spread, events.units.size)).astype(np.int32))


@dataclass(frozen=True)
class TimeShift(_Augmentation):
    """All spikes of a trial move by one time, uniform in +- `most` seconds."""
    most: float

    def apply(self, events, rng):
        return replace(events, times=events.times + rng.uniform(-self.most, self.most, events.n_trials)[events.trials])


@dataclass(frozen=True)
class TimeJitter(_Augmentation):
    """Every spike moves by its own time: normal with standard deviation `spread` seconds."""
    spread: float

    def apply(self, events, rng):
        return replace(events, times=events.times + rng.normal(0, self.spread, events.times.size))


@dataclass(frozen=True)
class TimeStretch(_Augmentation):
    """The times of a trial are multiplied by exp(x), x normal with standard deviation `spread`."""
    spread: float

    def apply(self, events, rng):
        return replace(events, times=events.times * np.exp(rng.normal(0, self.spread, events.n_trials))[events.trials])


@dataclass(frozen=True)
class Drop(_Augmentation):
    """Every spike is lost with this probability."""
    probability: float

    def apply(self, events, rng):
        keep = rng.random(events.times.size) >= self.probability
        return replace(events, times=events.times[keep], units=events.units[keep], trials=events.trials[keep])


@dataclass(frozen=True)
class Insert(_Augmentation):
    """Independent Poisson spikes of `rate` Hz are added to every unit."""
    rate: float

    def apply(self, events, rng):
        counts = rng.poisson(self.rate * events.duration * events.n_units, events.n_trials)
        n = int(counts.sum())
        return replace(events, times=np.concatenate([events.times, rng.uniform(0, events.duration, n)]),
                       units=np.concatenate([events.units, rng.integers(0, events.n_units, n, np.int32)]),
                       trials=np.concatenate([events.trials, np.repeat(np.arange(events.n_trials), counts)]))


@dataclass(frozen=True)
class Blend(_Augmentation):
    """With this probability a trial is mixed with another of its class, after Nowotny, Turner & Knight (2025).

    The other one (drawn anew; it may be the same trial) comes from the data as they were given. Both are moved, by half of what lies
    between them each, so that the means over their spikes of time and of unit agree; then every spike of either is kept with
    probability 1/2. Needs labels.
    """
    probability: float

    def apply(self, events, rng):
        if events.labels is None or events.pool.labels is None:
            raise ValueError("Blend mixes trials of one class: the spike trains need labels.")
        mixed = rng.random(events.n_trials) < self.probability
        other = events.pool[_partners(events.labels[mixed], events.pool.labels, rng)]
        other_trials = np.flatnonzero(mixed)[other.trials]
        means = [_means(*each, events.n_trials) for each in ((events.times, events.units, events.trials),
                                                             (other.times, other.units, other_trials))]
        half = np.where(mixed & np.isfinite(means[0] + means[1]).all(axis=0), (means[1] - means[0]) / 2, 0)    # (time or unit, trial)
        own = ~mixed[events.trials] | (rng.random(events.trials.size) < 0.5)
        theirs = rng.random(other_trials.size) < 0.5
        trials = np.concatenate([events.trials[own], other_trials[theirs]])
        sign = np.repeat([1, -1], [own.sum(), theirs.sum()])
        units = np.concatenate([events.units[own], other.units[theirs]])
        return replace(events, times=np.concatenate([events.times[own], other.times[theirs]]) + sign * half[0, trials],
                       units=units + np.rint(sign * half[1, trials]).astype(np.int32), trials=trials)


def _partners(labels, pool, rng):
    """For every label the number of a trial of the pool that has it."""
    order = np.argsort(pool, kind="stable")
    first, last = (np.searchsorted(pool[order], labels, side) for side in ("left", "right"))
    if np.any(first == last):
        raise ValueError(f"Blend: the data to mix with have no trial of class {labels[first == last][0]}.")
    return order[first + (rng.random(labels.size) * (last - first)).astype(np.int64)]


def _means(times, units, trials, n_trials):
    """(2, trial) mean time and mean unit of the spikes; NaN in a trial without any."""
    count = np.bincount(trials, minlength=n_trials)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.stack([np.bincount(trials, values, n_trials) / count for values in (times, units)])


def augmented_events(spikes, augmentations, seed, pool=None):
    """(times, units, trials) of the spikes after all augmentations in their order: in no particular order, some outside of the trial
    or the units. pool: SpikeTrains from which Blend takes other trials; default `spikes`."""
    rng = np.random.default_rng(seed)
    events = _Events(spikes.times, spikes.units, spikes.trials, len(spikes), spikes.n_units, spikes.duration, spikes.labels,
                     spikes if pool is None else pool)
    for augmentation in augmentations:
        events = augmentation.apply(events, rng)
    return events.times, events.units, events.trials


def augment(spikes, augmentations, seed):
    """New spike trains: every trial changed once by all augmentations, in their order.

    spikes: SpikeTrains.  augmentations: such as [ChannelShift(10), TimeShift(20e-3)].  seed: int or numpy Generator.
    """
    events = augmented_events(spikes, checked(augmentations), seed)
    keep = inside(*events[:2], spikes.n_units, spikes.duration)
    return SpikeTrains.from_events(*(each[keep] for each in events), len(spikes), spikes.n_units, spikes.duration, spikes.labels)


def checked(augmentations):
    """A tuple of augmentations; ValueError if something in it is none."""
    augmentations = tuple(augmentations)
    for each in augmentations:
        if not isinstance(each, _Augmentation):
            names = ", ".join(kind.__name__ for kind in _Augmentation.__subclasses__())
            raise ValueError(f"{each!r} is not an augmentation; use {names}.")
    return augmentations

"""Augmentation of spike trains, event by event: each presentation of a trial differs a little, so that a network generalizes.

An augmentation is a frozen description with `apply(events, rng)`. Spikes that leave the trial or the units are lost.
"""
from dataclasses import dataclass, replace

import numpy as np

from .events import Spans, SpikeTrains, check_trains, inside
from .support import checks, plausible, seeds
from .units import listed


@dataclass(frozen=True, eq=False)
class _Events:
    """What augmentations see: events of trials, in any order within each."""
    spans: Spans
    n_units: int
    duration: float
    labels: np.ndarray | None     # of the trials
    pool: SpikeTrains             # trials that others may be taken from

    @property
    def n_trials(self):
        return self.spans.first.size

    def moved(self, **columns):
        """Whole trials moved: new columns of the spans."""
        return replace(self, spans=self.spans._replace(**columns))

    def replaced(self, times, units, trials):
        """Other events, in any order: times (s), units and trials, one entry each."""
        if np.any(np.diff(trials) < 0):
            order = np.argsort(trials, kind="stable")
            times, units, trials = times[order], units[order], trials[order]
        ends = np.cumsum(np.bincount(trials, minlength=self.n_trials))[:self.n_trials]
        return replace(self, spans=Spans.of(times, units, np.concatenate([[0], ends])[:-1], ends))


@dataclass(frozen=True)
class _Augmentation:
    def __post_init__(self):
        for name, value in vars(self).items():
            what = f"{type(self).__name__}: {name}"
            object.__setattr__(self, name, self._checked(what, value) if name != "probability" else checks.real(value, what, 0, 1))

    def _checked(self, what, value):
        return checks.real(value, what, 0)


@dataclass(frozen=True)
class _InTime(_Augmentation):
    """Whose number is a time in seconds."""

    def _checked(self, what, value):
        return checks.time(value, what, 0, plausible=plausible.SHIFT)


@dataclass(frozen=True)
class ChannelShift(_Augmentation):
    """All spikes of a trial move by one number of units: normal with standard deviation `spread`, rounded."""
    spread: float

    def apply(self, events, rng):
        shift = np.rint(rng.normal(0, self.spread, events.n_trials)).astype(np.int64)
        return events.moved(up=events.spans.up + shift)


@dataclass(frozen=True)
class ChannelJitter(_Augmentation):
    """Every spike moves by its own number of units: normal with standard deviation `spread`, rounded."""
    spread: float

    def apply(self, events, rng):
        times, units, trials = events.spans.settled()
        return events.replaced(times, units + np.rint(rng.normal(0, self.spread, units.size)).astype(np.int32), trials)


@dataclass(frozen=True)
class TimeShift(_InTime):
    """All spikes of a trial move by one time, uniform in +- `most` seconds."""
    most: float

    def apply(self, events, rng):
        return events.moved(shift=events.spans.shift + rng.uniform(-self.most, self.most, events.n_trials))


@dataclass(frozen=True)
class TimeJitter(_InTime):
    """Every spike moves by its own time: normal with standard deviation `spread` seconds."""
    spread: float

    def apply(self, events, rng):
        times, units, trials = events.spans.settled()
        return events.replaced(times + rng.normal(0, self.spread, times.size), units, trials)


@dataclass(frozen=True)
class TimeStretch(_Augmentation):
    """The times of a trial are multiplied by exp(x), x normal with standard deviation `spread`."""
    spread: float

    def apply(self, events, rng):
        factor = np.exp(rng.normal(0, self.spread, events.n_trials))
        return events.moved(scale=factor * events.spans.scale, shift=factor * events.spans.shift)


@dataclass(frozen=True)
class Drop(_Augmentation):
    """Every spike is lost with this probability."""
    probability: float

    def apply(self, events, rng):
        settled = events.spans.settled()
        keep = rng.random(settled[0].size) >= self.probability
        return events.replaced(*(each[keep] for each in settled))


@dataclass(frozen=True)
class ChannelMask(_Augmentation):
    """All spikes of a trial in one band of neighbouring units are lost: a network must not rely on a few channels.

    The width of the band is uniform in 0 .. `most` units (at most all of them), its place uniform, anew for every trial; as the frequency
    masks of SpecAugment (Park et al. 2019), for spikes. `most`: a whole number of units.
    """
    most: int

    def _checked(self, what, value):
        return checks.whole(value, what, 0)

    def apply(self, events, rng):
        width = np.minimum(rng.integers(0, self.most, events.n_trials, endpoint=True), events.n_units)
        first = rng.integers(0, events.n_units - width, endpoint=True)
        settled = events.spans.settled()
        _, units, trials = settled
        keep = (units < first[trials]) | (units >= (first + width)[trials])
        return events.replaced(*(each[keep] for each in settled))


@dataclass(frozen=True)
class Insert(_Augmentation):
    """Independent Poisson spikes of `rate` Hz are added to every unit."""
    rate: float

    def _checked(self, what, value):
        return checks.rate(value, what)

    def apply(self, events, rng):
        counts = rng.poisson(self.rate * events.duration * events.n_units, events.n_trials)
        n, (times, units, trials) = int(counts.sum()), events.spans.settled()
        return events.replaced(np.concatenate([times, rng.uniform(0, events.duration, n)]),
                               np.concatenate([units, rng.integers(0, events.n_units, n, np.int32)]),
                               np.concatenate([trials, np.repeat(np.arange(events.n_trials), counts)]))


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
        times, units, trials = events.spans.settled()
        mixed = rng.random(events.n_trials) < self.probability
        other = events.pool[_partners(events.labels[mixed], events.pool.labels, rng)]
        other_trials = np.flatnonzero(mixed)[other.trials]
        means = [_means(*each, events.n_trials) for each in ((times, units, trials), (other.times, other.units, other_trials))]
        half = np.where(mixed & np.isfinite(means[0] + means[1]).all(axis=0), (means[1] - means[0]) / 2, 0)    # (time or unit, trial)
        own = ~mixed[trials] | (rng.random(trials.size) < 0.5)
        theirs = rng.random(other_trials.size) < 0.5
        trials = np.concatenate([trials[own], other_trials[theirs]])
        sign = np.repeat([1, -1], [own.sum(), theirs.sum()])
        units = np.concatenate([units[own], other.units[theirs]])
        return events.replaced(np.concatenate([times[own], other.times[theirs]]) + sign * half[0, trials],
                               units + np.rint(sign * half[1, trials]).astype(np.int32), trials)


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


def augmented_events(spikes, augmentations, seed, pool=None, rows=slice(None)):
    """Spans of the spikes of some trials after all augmentations in their order, some outside of the trial or the units.

    rows: which trials; default all.  pool: SpikeTrains from which Blend takes other trials; default `spikes`.
    """
    # random numbers of its own for each augmentation: whole trials of several inputs then move alike, however many spikes they have
    streams = np.random.default_rng(seed).spawn(len(augmentations))
    events = _Events(Spans.of(spikes.times, spikes.units, spikes.offsets[:-1][rows], spikes.offsets[1:][rows]), spikes.n_units, spikes.duration,
                     None if spikes.labels is None else spikes.labels[rows], spikes if pool is None else pool)
    for augmentation, rng in zip(augmentations, streams):
        events = augmentation.apply(events, rng)
    return events.spans


def augment(spikes, augmentations, seed):
    """New spike trains: every trial changed once by all augmentations, in their order.

    spikes: SpikeTrains.  augmentations: such as [ChannelShift(10), TimeShift(20e-3)].  seed: int or numpy Generator.
    """
    check_trains(spikes)
    seed = seed if isinstance(seed, np.random.Generator) else seeds.whole_seed(seed)
    events = augmented_events(spikes, checked(augmentations), seed).settled()
    keep = inside(*events[:2], spikes.n_units, spikes.duration)
    return SpikeTrains.from_events(*(each[keep] for each in events), len(spikes), spikes.n_units, spikes.duration, spikes.labels)


def checked(augmentations):
    """A tuple of augmentations; ValueError if something in it is none."""
    augmentations = listed(augmentations, "augment", "ChannelShift(10)")
    for each in augmentations:
        if not isinstance(each, _Augmentation):
            names = ", ".join(kind.__name__ for kind in (*_Augmentation.__subclasses__(), *_InTime.__subclasses__()) if kind is not _InTime)
            raise ValueError(f"{checks.shown(each)} is not an augmentation; use {names}.")
    return augmentations

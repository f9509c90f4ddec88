"""Augmentation of spike trains, event by event: each presentation of a trial differs a little, so that a network generalizes.

An augmentation is a frozen description with `apply(events, rng)`. Spikes that leave the trial or the units are lost. Random numbers belong
to the trial: what happens to it does not depend on which others are changed with it.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..support import checks, plausible, seeds
from ..support.memory import check_room
from .spike_trains import Spans, SpikeTrains, check_trains, inside


@dataclass(frozen=True, eq=False)
class _Events:
    """What augmentations see: events of trials, in any order within each."""

    spans: Spans
    n_units: int
    duration: float
    labels: np.ndarray | None  # of the trials
    pool: SpikeTrains  # trials that others may be taken from

    @property
    def n_trials(self):
        return self.spans.first.size

    def sizes(self, trials):
        """How many events each trial has, from the trials of all events."""
        return np.bincount(trials, minlength=self.n_trials)

    def moved(self, **columns):
        """Whole trials moved: new columns of the spans."""
        return replace(self, spans=self.spans._replace(**columns))

    def replaced(self, times, units, trials):
        """Other events, in any order: times (s), units and trials, one entry each."""
        if np.any(np.diff(trials) < 0):
            order = np.argsort(trials, kind="stable")
            times, units, trials = times[order], units[order], trials[order]
        ends = np.cumsum(np.bincount(trials, minlength=self.n_trials))[: self.n_trials]
        return replace(self, spans=Spans.of(times, units, np.concatenate([[0], ends])[:-1], ends))


class _Streams:
    """Random numbers of every trial from a stream of its own, for one augmentation: Philox, whose counter names trial and draw."""

    def __init__(self, key, augmentation, trials):
        self._philox, self._augmentation, self._trials, self._draws = (
            np.random.Philox(key=key),
            augmentation,
            trials,
            0,
        )
        self._generator, self._state = np.random.Generator(self._philox), self._philox.state

    def each(self, draw, sizes=1):
        """draw(generator, size) of all trials, one after the other. sizes: how many numbers each trial needs, or one for all."""
        parts, state = [np.empty(0)], self._state
        for trial, size in zip(self._trials, np.broadcast_to(sizes, self._trials.size)):
            state["state"]["counter"][:] = 0, self._draws, trial, self._augmentation
            self._philox.state = state
            parts.append(draw(self._generator, size))
        self._draws += 1
        return np.concatenate(parts[1:] or parts)

    def normal(self, spread, sizes=1):
        return self.each(lambda generator, size: generator.normal(0, spread, size), sizes)

    def uniform(self, low, high, sizes=1):
        return self.each(lambda generator, size: generator.uniform(low, high, size), sizes)

    def random(self, sizes=1):
        return self.each(lambda generator, size: generator.random(size), sizes)


@dataclass(frozen=True)
class _Augmentation:
    def __post_init__(self):
        for name, value in vars(self).items():
            what = f"{type(self).__name__}: {name}"
            object.__setattr__(
                self,
                name,
                self._checked(what, value)
                if name != "probability"
                else checks.real(value, what, 0, 1),
            )

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
        shift = np.rint(rng.normal(self.spread)).astype(np.int64)
        return events.moved(up=events.spans.up + shift)


@dataclass(frozen=True)
class ChannelJitter(_Augmentation):
    """Every spike moves by its own number of units: normal with standard deviation `spread`, rounded."""

    spread: float

    def apply(self, events, rng):
        times, units, trials = events.spans.settled()
        return events.replaced(
            times,
            units + np.rint(rng.normal(self.spread, events.sizes(trials))).astype(np.int32),
            trials,
        )


@dataclass(frozen=True)
class TimeShift(_InTime):
    """All spikes of a trial move by one time, uniform in +- `most` seconds."""

    most: float

    def apply(self, events, rng):
        return events.moved(shift=events.spans.shift + rng.uniform(-self.most, self.most))


@dataclass(frozen=True)
class TimeJitter(_InTime):
    """Every spike moves by its own time: normal with standard deviation `spread` seconds."""

    spread: float

    def apply(self, events, rng):
        times, units, trials = events.spans.settled()
        return events.replaced(times + rng.normal(self.spread, events.sizes(trials)), units, trials)


@dataclass(frozen=True)
class TimeStretch(_Augmentation):
    """The times of a trial are multiplied by exp(x), x normal with standard deviation `spread`."""

    spread: float

    def apply(self, events, rng):
        factor = np.exp(rng.normal(self.spread))
        return events.moved(scale=factor * events.spans.scale, shift=factor * events.spans.shift)


@dataclass(frozen=True)
class Drop(_Augmentation):
    """Every spike is lost with this probability."""

    probability: float

    def apply(self, events, rng):
        settled = events.spans.settled()
        keep = rng.random(events.sizes(settled[2])) >= self.probability
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
        width = np.minimum(
            np.floor(rng.random() * (self.most + 1)).astype(np.int64), events.n_units
        )
        first = np.floor(rng.random() * (events.n_units - width + 1)).astype(np.int64)
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
        mean, (times, units, trials) = (
            self.rate * events.duration * events.n_units,
            events.spans.settled(),
        )
        check_room(f"Insert({self.rate:g})", int(mean) * events.n_trials, 24, "spikes")
        counts = rng.each(lambda generator, size: generator.poisson(mean, size)).astype(np.int64)
        return events.replaced(
            np.concatenate([times, rng.uniform(0, events.duration, counts)]),
            np.concatenate([units, np.floor(rng.random(counts) * events.n_units).astype(np.int32)]),
            np.concatenate([trials, np.repeat(np.arange(events.n_trials), counts)]),
        )


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
        mixed, chosen = rng.random() < self.probability, rng.random()
        other = events.pool[_partners(events.labels[mixed], events.pool.labels, chosen[mixed])]
        other_trials = np.flatnonzero(mixed)[other.trials]
        means = [
            _means(*each, events.n_trials)
            for each in ((times, units, trials), (other.times, other.units, other_trials))
        ]
        half = np.where(
            mixed & np.isfinite(means[0] + means[1]).all(axis=0), (means[1] - means[0]) / 2, 0
        )  # (time or unit, trial)
        own = ~mixed[trials] | (rng.random(events.sizes(trials)) < 0.5)
        theirs = rng.random(events.sizes(other_trials)) < 0.5
        trials = np.concatenate([trials[own], other_trials[theirs]])
        sign = np.repeat([1, -1], [own.sum(), theirs.sum()])
        units = np.concatenate([units[own], other.units[theirs]])
        return events.replaced(
            np.concatenate([times[own], other.times[theirs]]) + sign * half[0, trials],
            units + np.rint(sign * half[1, trials]).astype(np.int32),
            trials,
        )


def _partners(labels, pool, chosen):
    """For every label the number of a trial of the pool that has it. chosen: which of them, as a share of all."""
    order = np.argsort(pool, kind="stable")
    first, last = (np.searchsorted(pool[order], labels, side) for side in ("left", "right"))
    if np.any(first == last):
        raise ValueError(
            f"Blend: the data to mix with have no trial of class {labels[first == last][0]}."
        )
    return order[first + (chosen * (last - first)).astype(np.int64)]


def _means(times, units, trials, n_trials):
    """(2, trial) mean time and mean unit of the spikes; NaN in a trial without any."""
    count = np.bincount(trials, minlength=n_trials)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.stack(
            [np.bincount(trials, values, n_trials) / count for values in (times, units)]
        )


def augmented_events(spikes, augmentations, seed, pool=None, rows=slice(None)):
    """Spans of the spikes of some trials after all augmentations in their order, some outside of the trial or the units.

    rows: which trials; default all.  pool: SpikeTrains from which Blend takes other trials; default `spikes`.
    """
    # random numbers of its own for each augmentation: whole trials of several inputs then move alike, however many spikes they have
    key = np.random.default_rng(seed).integers(2**64, size=2, dtype=np.uint64)
    numbers = np.arange(len(spikes))[rows]
    events = _Events(
        Spans.of(spikes.times, spikes.units, spikes.offsets[:-1][rows], spikes.offsets[1:][rows]),
        spikes.n_units,
        spikes.duration,
        None if spikes.labels is None else spikes.labels[rows],
        spikes if pool is None else pool,
    )
    for k, augmentation in enumerate(augmentations):
        events = augmentation.apply(events, _Streams(key, k, numbers))
    return events.spans


def augment(spikes, augmentations, seed):
    """New spike trains: every trial changed once by all augmentations, in their order.

    spikes: SpikeTrains.  augmentations: such as [ChannelShift(10), TimeShift(20e-3)].  seed: int or numpy Generator.
    """
    check_trains(spikes)
    seed = seed if isinstance(seed, np.random.Generator) else seeds.whole_seed(seed)
    events = augmented_events(spikes, checked(augmentations), seed).settled()
    keep = inside(*events[:2], spikes.n_units, spikes.duration)
    return SpikeTrains.from_events(
        *(each[keep] for each in events),
        len(spikes),
        spikes.n_units,
        spikes.duration,
        spikes.labels,
    )


def checked(augmentations):
    """A tuple of augmentations; ValueError if something in it is none."""
    augmentations = checks.several(augmentations, "augment", "ChannelShift(10)")
    for each in augmentations:
        if not isinstance(each, _Augmentation):
            names = ", ".join(
                kind.__name__
                for kind in (*_Augmentation.__subclasses__(), *_InTime.__subclasses__())
                if kind is not _InTime
            )
            raise ValueError(f"{checks.shown(each)} is not an augmentation; use {names}.")
    return augmentations

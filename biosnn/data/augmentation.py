"""Augmentation of spike trains, event by event: no presentation of a trial is quite like another.

An augmentation is an object with `apply(events, rng)`; those of biosnn are in augmentations.py.
Spikes that leave the trial or the units are lost. Random numbers belong to the trial: what happens
to it does not depend on which others are changed with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from ..support import checks, seeds
from .augmentations import KINDS
from .events import Events, Spans, TrialRandom, inside
from .spike_trains import SpikeTrains, check_trains


@runtime_checkable
class Augmentation(Protocol):
    """What changes a trial each time that it is presented.

    Any object with this method can be given to `biosnn.augment` and to `biosnn.train(augment=)`.
    A frozen dataclass lets a checkpoint of a training recognize it.

    Examples
    --------
    Some trials run backwards:

    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> import biosnn as bs
    >>> @dataclass(frozen=True)
    ... class Reverse:
    ...     probability: float
    ...
    ...     def apply(self, events, rng):
    ...         times, units, trials = events.columns()
    ...         backwards = rng.random() < self.probability  # one number for each trial
    ...         times = np.where(backwards[trials], events.ends[trials] - times, times)
    ...         return events.replaced(times, units, trials)
    >>> spikes = bs.SpikeTrains.from_units([[0.125], [0.25]], duration=0.5)
    >>> bs.augment(spikes, [Reverse(1.0)], seed=1).times
    array([0.25 , 0.375])
    """

    def apply(self, events: Events, rng: TrialRandom) -> Events:
        """Return the events after the change.

        Parameters
        ----------
        events
            Events of some trials: `events.columns()`, `events.n_trials`, `events.n_units`,
            `events.duration`, `events.ends`, `events.labels`.
        rng
            Random numbers of those trials: `rng.normal`, `rng.uniform`, `rng.random`,
            `rng.poisson`.

        Returns
        -------
        What `events.moved(…)` returns (whole trials moved) or `events.replaced(times, units,
        trials)` (other events).
        """


def augment(
    spikes: SpikeTrains,
    augmentations: Sequence[Augmentation],
    *,
    seed: int | np.random.Generator,
) -> SpikeTrains:
    """Return new spike trains: every trial changed once by all augmentations, in their order.

    Parameters
    ----------
    spikes
        Spike trains.
    augmentations
        Such as `[ChannelShift(10), TimeShift(20e-3)]`.
    seed
        Seed or numpy Generator. The same seed gives the same spike trains.

    Returns
    -------
    Spike trains of the same trials. Spikes that left the trial or the units are lost.

    Raises
    ------
    ValueError
        If something in the list is not an augmentation.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.data.poisson(20.0, 100, 0.5, 3, seed=1)
    >>> changed = bs.augment(spikes, [bs.ChannelShift(10), bs.Drop(0.2)], seed=2)
    >>> changed.times.size < spikes.times.size
    True
    """
    check_trains(spikes)
    seed = seed if isinstance(seed, np.random.Generator) else seeds.whole_seed(seed)
    times, units, trials = augmented_events(spikes, checked(augmentations), seed).settled()
    keep = inside(times, units, spikes.n_units, spikes.durations[trials])
    return SpikeTrains.from_events(
        times[keep],
        units[keep],
        trials[keep],
        n_trials=len(spikes),
        n_units=spikes.n_units,
        duration=spikes.duration,
        labels=spikes.labels,
        ends=spikes.ends,
    )


def augmented_events(
    spikes: SpikeTrains,
    augmentations: Sequence[Augmentation],
    seed: Any,
    pool: SpikeTrains | None = None,
    rows: Any = slice(None),
) -> Spans:
    """Return the events of some trials after all augmentations, some outside of trial or units.

    Parameters
    ----------
    spikes
        Spike trains.
    augmentations
        Checked augmentations.
    seed
        Whatever numpy takes as a seed.
    pool
        Trials from which `Blend` takes others. Default: `spikes`.
    rows
        Which trials. Default: all.
    """
    # random numbers of its own for each augmentation: whole trials of several inputs then move
    # alike, however many spikes they have
    key = np.random.default_rng(seed).integers(2**64, size=2, dtype=np.uint64)
    numbers = np.arange(len(spikes))[rows]
    first, last = spikes.offsets[:-1][rows], spikes.offsets[1:][rows]
    events = Events(
        spans=Spans.of(spikes.times, spikes.units, first, last),
        n_units=spikes.n_units,
        duration=spikes.duration,
        ends=spikes.durations[rows],
        labels=None if spikes.labels is None else spikes.labels[rows],
        pool=spikes if pool is None else pool,
    )
    for k, augmentation in enumerate(augmentations):
        events = augmentation.apply(events, TrialRandom(key, k, numbers))
        if not isinstance(events, Events):
            what = f"what {checks.shown(augmentation)}.apply(events, rng) returns"
            checks.refuse(what, events, "events.moved(…) or events.replaced(times, units, trials)")
    return events.spans


def checked(augmentations: Sequence[Augmentation]) -> tuple[Augmentation, ...]:
    """Return a tuple of augmentations; ValueError for something that is not one."""
    augmentations = checks.several(augmentations, "augment", "ChannelShift(10)")
    for each in augmentations:
        if isinstance(each, type) or not callable(getattr(each, "apply", None)):
            names = ", ".join(kind.__name__ for kind in KINDS)
            raise ValueError(
                f"one of augment is {checks.shown(each)}; it must be an augmentation: {names}, or "
                "an object with apply(events, rng)."
            )
    return augmentations

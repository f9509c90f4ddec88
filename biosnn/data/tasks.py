"""Cognitive tasks for circuits of excitatory and inhibitory neurons: spike trains, the right choice, and when it is asked for.

A task is a set of pools of Poisson neurons whose rates change from period to period. Every pool has `n_per_pool` units and fires at
`background` Hz throughout; the rates below are added to it. Trials are in random order and depend on the seed alone.

    task = perceptual_decision(200, seed=1)
    net.input(task.spikes.n_units)
    bs.train(net, task.spikes, mask=task.mask, loss=bs.EveryStepCrossEntropy(), …)        # the loss is in the response window only
    bs.train(net, task.spikes, task.targets, task.mask, loss=bs.MeanSquaredError(), …)    # or as a trace: 1 for the choice, else 0
"""

from dataclasses import dataclass

import numpy as np

from ..support import checks, plausible, seeds, timegrid
from ..support.units import seconds
from ..support.warn import warn_if_implausible
from .poisson import check_count, spike_counts
from .spike_trains import SpikeTrains


@dataclass(frozen=True, eq=False)
class Task:
    """Trials of a task.

    spikes      SpikeTrains with the right choice as label
    mask        (trial, step) 1 in the response window, else 0, for steps of dt
    n_choices   labels are 0 .. n_choices - 1
    dt          seconds
    pools       name -> slice of the units of `spikes`
    conditions  name -> (trial,) what was shown: coherence, sample, …
    periods     name -> (start, stop) in seconds, (trial,) each
    """

    spikes: SpikeTrains
    mask: np.ndarray
    n_choices: int
    dt: float
    pools: dict
    conditions: dict
    periods: dict

    @property
    def targets(self):
        """(trial, step, choice): 1 for the right choice in the response window, else 0."""
        return self.mask[..., None] * (
            self.spikes.labels[:, None, None] == np.arange(self.n_choices)
        )


def perceptual_decision(
    n_trials,
    coherences=(0.0, 0.032, 0.064, 0.128, 0.256, 0.512),
    *,
    rate=40.0,
    fixation=0.1,
    stimulus=0.5,
    response=0.1,
    n_per_pool=20,
    background=1.0,
    dt=2e-3,
    seed,
):
    """Which of two pools fires more? (Wang 2002; Roitman & Shadlen 2002)

    During the stimulus pool "for 0" fires at rate (1 + c) and "for 1" at rate (1 - c), where c is the signed coherence: a random one of
    `coherences`, with a random sign. Label 0 if c > 0, 1 if c < 0, random if c = 0. Pool "go" fires at `rate` in the response window.
    Conditions: "coherence" (signed, of label 0).
    """
    draw = _Draw(n_trials, ["for 0", "for 1", "go"], n_per_pool, background, dt, seed)
    rate = checks.rate(rate, "rate")
    coherence, label = draw.signed(coherences)
    start, stop, end = draw.timeline(fixation=fixation, stimulus=stimulus, response=response)
    draw.evidence("for 0", "for 1", start, stop, rate, coherence)
    draw.fire("go", stop, end, rate)
    return draw.task(label, 2, {"coherence": coherence})


def context_dependent_decision(
    n_trials,
    coherences=(0.06, 0.17, 0.5),
    *,
    rate=40.0,
    fixation=0.1,
    stimulus=0.5,
    response=0.1,
    n_per_pool=20,
    background=1.0,
    dt=2e-3,
    seed,
):
    """Two streams of evidence, of which a cue says which one counts (Mante et al. 2013).

    Pools "motion 0", "motion 1", "color 0", "color 1" as in `perceptual_decision`, with independent signed coherences; pool
    "context motion" or "context color" fires at `rate` from the start of the trial to the end of the stimulus, "go" in the response
    window. The label is the choice of the stream that the context names. Conditions: "context" (0 motion, 1 color), "motion" and
    "color" (signed coherences, of label 0).
    """
    streams = ("motion", "color")
    pools = (
        [f"{stream} {k}" for stream in streams for k in (0, 1)]
        + [f"context {stream}" for stream in streams]
        + ["go"]
    )
    draw = _Draw(n_trials, pools, n_per_pool, background, dt, seed)
    rate = checks.rate(rate, "rate")
    context = draw.balanced(2)
    shown = [draw.signed(coherences) for _ in streams]
    start, stop, end = draw.timeline(fixation=fixation, stimulus=stimulus, response=response)
    for k, (stream, (coherence, _)) in enumerate(zip(streams, shown)):
        draw.evidence(f"{stream} 0", f"{stream} 1", start, stop, rate, coherence)
        draw.fire(f"context {stream}", 0 * start, stop, np.where(context == k, rate, 0))
    draw.fire("go", stop, end, rate)
    label = np.where(context == 0, shown[0][1], shown[1][1])
    return draw.task(label, 2, {"context": context, "motion": shown[0][0], "color": shown[1][0]})


def working_memory(
    n_trials,
    n_items=4,
    *,
    rate=40.0,
    fixation=0.1,
    cue=0.2,
    delay=0.5,
    response=0.1,
    n_per_pool=20,
    background=1.0,
    dt=2e-3,
    seed,
):
    """Remember an item over a delay (delayed response; Funahashi, Bruce & Goldman-Rakic 1989).

    Pool "item k" fires at `rate` during the cue; nothing does in the delay; "go" fires in the response window. Label k.
    delay: seconds, or (shortest, longest) for one drawn uniformly in every trial. Conditions: "item", "delay".
    """
    n_items = check_count("n_items", n_items, least=2)
    draw = _Draw(
        n_trials, [f"item {k}" for k in range(n_items)] + ["go"], n_per_pool, background, dt, seed
    )
    rate = checks.rate(rate, "rate")
    item, delays = draw.balanced(n_items), draw.uniform(delay, "delay")
    start, stop, go, end = draw.timeline(
        fixation=fixation, cue=cue, delay=delays, response=response
    )
    for k in range(n_items):
        draw.fire(f"item {k}", start, stop, np.where(item == k, rate, 0))
    draw.fire("go", go, end, rate)
    return draw.task(item, n_items, {"item": item, "delay": delays})


def delayed_match_to_sample(
    n_trials,
    n_items=4,
    *,
    rate=40.0,
    fixation=0.1,
    sample=0.2,
    delay=0.5,
    test=0.2,
    response=0.1,
    n_per_pool=20,
    background=1.0,
    dt=2e-3,
    seed,
):
    """Is the second item the first one again? (Fuster & Alexander 1971; Miller, Erickson & Desimone 1996)

    Pool "item k" fires at `rate` while item k is shown: as sample, and after a delay as test; "go" fires in the response window.
    Label 1 if they are the same (half of the trials), else 0; other tests are uniform over the other items.
    delay: as for `working_memory`. Conditions: "sample", "test", "delay".
    """
    n_items = check_count("n_items", n_items, least=2)
    draw = _Draw(
        n_trials, [f"item {k}" for k in range(n_items)] + ["go"], n_per_pool, background, dt, seed
    )
    rate = checks.rate(rate, "rate")
    match, first, delays = (
        draw.balanced(2),
        draw.rng.integers(n_items, size=draw.n),
        draw.uniform(delay, "delay"),
    )
    second = np.where(match == 1, first, (first + draw.rng.integers(1, n_items, draw.n)) % n_items)
    periods = draw.timeline(
        fixation=fixation, sample=sample, delay=delays, test=test, response=response
    )
    sample_on, sample_off, test_on, test_off, end = periods
    for k in range(n_items):
        draw.fire(f"item {k}", sample_on, sample_off, np.where(first == k, rate, 0))
        draw.fire(f"item {k}", test_on, test_off, np.where(second == k, rate, 0))
    draw.fire("go", test_off, end, rate)
    return draw.task(match, 2, {"sample": first, "test": second, "delay": delays})


class _Draw:
    """The spikes of a task, pool by pool."""

    def __init__(self, n_trials, pools, n_per_pool, background, dt, seed):
        n_trials, n_per_pool = (
            check_count("n_trials", n_trials),
            check_count("n_per_pool", n_per_pool),
        )
        self.rng, self.n, self.dt = (
            seeds.generator(seed),
            n_trials,
            checks.time(dt, "dt", above=0, plausible=plausible.STEP),
        )
        self.pools = {
            name: slice(k * n_per_pool, (k + 1) * n_per_pool) for k, name in enumerate(pools)
        }
        self.background, self.parts, self.periods = background, [], {}

    def balanced(self, n):
        """(trial,) 0 .. n - 1, as often as can be, in random order."""
        return self.rng.permutation(np.arange(self.n) % n)

    def signed(self, coherences):
        """(signed coherence, choice) of every trial."""
        coherences = np.ravel(checks.reals(coherences, "coherences", 0, 1))
        if not coherences.size:
            raise ValueError(
                "coherences are empty; give at least one, in 0 .. 1 (signs are drawn)."
            )
        choice = self.balanced(2)
        return (1 - 2 * choice) * coherences[self.balanced(coherences.size)], choice

    def uniform(self, value, name):
        """(trial,) seconds: a number, or (shortest, longest)."""
        ends = checks.reals(seconds(value, name), name)
        low, high = np.broadcast_to(ends, 2) if ends.shape in ((), (2,)) else (np.nan, np.nan)
        if not 0 <= low <= high < np.inf:
            raise ValueError(
                f"{name} is {value!r}; it must be a time >= 0 in seconds, or (shortest, longest)."
            )
        return self.rng.uniform(low, high, self.n)

    def timeline(self, **lengths):
        """Periods one after the other, the last one being the response window: when each of them ends, (trial,) seconds."""
        edges = [np.zeros(self.n)]
        for name, length in lengths.items():
            length = checks.reals(seconds(length, name), f"{name} (seconds)", 0)
            if length.shape not in ((), (self.n,)):
                raise ValueError(
                    f"{name} has shape {length.shape}; it must be one time in seconds."
                )
            warn_if_implausible(length, name, plausible.PERIOD)
            self.periods[name] = edges[-1], edges[-1] + length
            edges.append(edges[-1] + length)
        if np.any(length < self.dt):
            raise ValueError(
                f"response is {lengths['response']!r} s; it must be at least one step of {self.dt:g} s, else nothing is "
                "asked for."
            )
        return edges[1:]

    def fire(self, pool, start, stop, rates):
        """Poisson spikes at `rates` Hz (one, or one per trial) between start and stop (trial,)."""
        units = np.arange(self.pools[pool].start, self.pools[pool].stop)
        count = spike_counts(
            self.rng,
            (np.broadcast_to(rates, self.n) * (stop - start))[:, None],
            (self.n, units.size),
        ).ravel()
        trial, unit = (
            np.repeat(each, count)
            for each in (np.repeat(np.arange(self.n), units.size), np.tile(units, self.n))
        )
        self.parts.append(
            (start[trial] + (stop - start)[trial] * self.rng.random(trial.size), unit, trial)
        )

    def evidence(self, one, other, start, stop, rate, coherence):
        self.fire(one, start, stop, rate * (1 + coherence))
        self.fire(other, start, stop, rate * (1 - coherence))

    def task(self, label, n_choices, conditions):
        response = self.periods["response"]
        duration = float(response[1].max())
        for pool in self.pools:
            self.fire(
                pool,
                np.zeros(self.n),
                np.full(self.n, duration),
                checks.rate(self.background, "background"),
            )
        times, units, trials = (np.concatenate(each) for each in zip(*self.parts))
        inside = times < duration  # rounding may reach the end
        spikes = SpikeTrains.from_events(
            times[inside],
            units[inside],
            trials[inside],
            self.n,
            list(self.pools.values())[-1].stop,
            duration,
            label,
        )
        first, last = (
            timegrid.covering_steps(each, self.dt)[:, None] for each in response
        )  # a step belongs to the period it begins in
        step = np.arange(timegrid.covering_steps(duration, self.dt))
        mask = ((step >= first) & (step < last)).astype(float)
        return Task(spikes, mask, n_choices, self.dt, self.pools, conditions, self.periods)

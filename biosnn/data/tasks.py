"""Cognitive tasks for circuits of excitatory and inhibitory neurons.

A task has spike trains, the right choice, and when it is asked for. It is a set of pools of Poisson
neurons whose rates change from period to period. Every pool has `n_per_pool` units and fires at
`background` Hz throughout; the rates below are added to it. Trials are in random order and depend
on the seed alone.

    task = perceptual_decision(200, seed=1)
    net.input(task.spikes.n_units)
    # the loss is in the response window only
    bs.train(net, task.spikes, mask=task.mask, loss=bs.EveryStepCrossEntropy(), …)
    # or as a trace: 1 for the choice, else 0
    bs.train(net, task.spikes, task.targets, task.mask, loss=bs.MeanSquaredError(), …)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..support import checks
from .poisson import check_count
from .task_drawing import Draw, Task


def perceptual_decision(
    n_trials: int,
    coherences: ArrayLike = (0.0, 0.032, 0.064, 0.128, 0.256, 0.512),
    *,
    rate: float = 40.0,
    fixation: float = 0.1,
    stimulus: float = 0.5,
    response: float = 0.1,
    n_per_pool: int = 20,
    background: float = 1.0,
    dt: float = 2e-3,
    seed: int | np.random.Generator,
) -> Task:
    """Return trials of a perceptual decision about which of two pools fires more.

    During the stimulus pool "for 0" fires at rate (1 + c) and pool "for 1" at rate (1 - c), where c
    is the signed coherence. Pool "go" fires at `rate` in the response window. The label is 0 if
    c > 0, 1 if c < 0, and random if c = 0.

    Parameters
    ----------
    n_trials
        Number of trials.
    coherences
        Absolute coherences from 0 to 1, of which each trial has a random one with a random sign.
    rate
        Rate of the pools in hertz, beyond the background.
    fixation, stimulus, response
        Durations of the periods in seconds.
    n_per_pool
        Units of a pool.
    background
        Rate of all units throughout, in hertz.
    dt
        Time step in seconds of `Task.mask`.
    seed
        Seed or numpy Generator.

    Returns
    -------
    A task with the condition "coherence" (signed, positive for label 0).

    Raises
    ------
    ValueError
        If a number is not possible.

    References
    ----------
    Wang (2002), Neuron 36:955-968; Roitman & Shadlen (2002), J. Neurosci. 22:9475-9489.

    Examples
    --------
    >>> import biosnn as bs
    >>> task = bs.data.perceptual_decision(200, seed=1)
    >>> task.spikes.n_units, task.mask.shape
    (60, (200, 350))
    """
    draw = Draw(n_trials, ["for 0", "for 1", "go"], n_per_pool, background, dt, seed)
    rate = checks.rate(rate, "rate")
    coherence, label = draw.signed(coherences)
    start, stop, end = draw.timeline(fixation=fixation, stimulus=stimulus, response=response)
    draw.evidence("for 0", "for 1", start, stop, rate, coherence)
    draw.fire("go", stop, end, rate)
    return draw.task(label, 2, {"coherence": coherence})


def context_dependent_decision(
    n_trials: int,
    coherences: ArrayLike = (0.06, 0.17, 0.5),
    *,
    rate: float = 40.0,
    fixation: float = 0.1,
    stimulus: float = 0.5,
    response: float = 0.1,
    n_per_pool: int = 20,
    background: float = 1.0,
    dt: float = 2e-3,
    seed: int | np.random.Generator,
) -> Task:
    """Return trials with two streams of evidence, and a cue that says which of them counts.

    Pools "motion 0", "motion 1", "color 0" and "color 1" fire as in `perceptual_decision`, with
    independent signed coherences. Pool "context motion" or "context color" fires at `rate` from the
    start of the trial to the end of the stimulus, "go" in the response window. The label is the
    choice of the stream that the context names.

    Parameters
    ----------
    n_trials, coherences, rate, fixation, stimulus, response, n_per_pool, background, dt, seed
        As for `perceptual_decision`.

    Returns
    -------
    A task with the conditions "context" (0 motion, 1 color), "motion" and "color" (signed
    coherences, positive for label 0).

    Raises
    ------
    ValueError
        If a number is not possible.

    References
    ----------
    Mante, Sussillo, Shenoy & Newsome (2013), Nature 503:78-84.

    Examples
    --------
    >>> import biosnn as bs
    >>> task = bs.data.context_dependent_decision(200, seed=1)
    >>> list(task.pools)[:3]
    ['motion 0', 'motion 1', 'color 0']
    """
    streams = ("motion", "color")
    pools = [f"{stream} {k}" for stream in streams for k in (0, 1)]
    pools += [f"context {stream}" for stream in streams] + ["go"]
    draw = Draw(n_trials, pools, n_per_pool, background, dt, seed)
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
    n_trials: int,
    n_items: int = 4,
    *,
    rate: float = 40.0,
    fixation: float = 0.1,
    cue: float = 0.2,
    delay: float | tuple[float, float] = 0.5,
    response: float = 0.1,
    n_per_pool: int = 20,
    background: float = 1.0,
    dt: float = 2e-3,
    seed: int | np.random.Generator,
) -> Task:
    """Return trials of a delayed response: remember an item over a delay.

    Pool "item k" fires at `rate` during the cue, nothing does in the delay, and "go" fires in the
    response window. The label is k.

    Parameters
    ----------
    n_trials
        Number of trials.
    n_items
        Number of items, at least 2.
    delay
        Seconds, or (shortest, longest) for a delay that is drawn uniformly in every trial.
    fixation, cue, response
        Durations of the other periods in seconds.
    rate, n_per_pool, background, dt, seed
        As for `perceptual_decision`.

    Returns
    -------
    A task with the conditions "item" and "delay" (seconds).

    Raises
    ------
    ValueError
        If a number is not possible.

    References
    ----------
    Funahashi, Bruce & Goldman-Rakic (1989), J. Neurophysiol. 61:331-349.

    Examples
    --------
    >>> import biosnn as bs
    >>> task = bs.data.working_memory(200, delay=(0.3, 0.7), seed=1)
    >>> list(task.periods)
    ['fixation', 'cue', 'delay', 'response']
    """
    n_items = check_count("n_items", n_items, least=2)
    pools = [f"item {k}" for k in range(n_items)] + ["go"]
    draw = Draw(n_trials, pools, n_per_pool, background, dt, seed)
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
    n_trials: int,
    n_items: int = 4,
    *,
    rate: float = 40.0,
    fixation: float = 0.1,
    sample: float = 0.2,
    delay: float | tuple[float, float] = 0.5,
    test: float = 0.2,
    response: float = 0.1,
    n_per_pool: int = 20,
    background: float = 1.0,
    dt: float = 2e-3,
    seed: int | np.random.Generator,
) -> Task:
    """Return trials of a match to sample, in which the second item repeats the first or does not.

    Pool "item k" fires at `rate` while item k is shown: as sample, and after a delay as test. Pool
    "go" fires in the response window. The label is 1 if they are the same (half of the trials),
    else 0; other tests are uniform over the other items.

    Parameters
    ----------
    n_trials, n_items, delay
        As for `working_memory`.
    fixation, sample, test, response
        Durations of the other periods in seconds.
    rate, n_per_pool, background, dt, seed
        As for `perceptual_decision`.

    Returns
    -------
    A task with the conditions "sample", "test" and "delay" (seconds).

    Raises
    ------
    ValueError
        If a number is not possible.

    References
    ----------
    Fuster & Alexander (1971), Science 173:652-654; Miller, Erickson & Desimone (1996), J. Neurosci.
    16:5154-5167.

    Examples
    --------
    >>> import biosnn as bs
    >>> task = bs.data.delayed_match_to_sample(200, seed=1)
    >>> same = task.conditions["sample"] == task.conditions["test"]
    >>> bool((same == task.spikes.labels).all())
    True
    """
    n_items = check_count("n_items", n_items, least=2)
    pools = [f"item {k}" for k in range(n_items)] + ["go"]
    draw = Draw(n_trials, pools, n_per_pool, background, dt, seed)
    rate = checks.rate(rate, "rate")
    match, first = draw.balanced(2), draw.rng.integers(n_items, size=draw.n)
    delays = draw.uniform(delay, "delay")
    second = np.where(match == 1, first, (first + draw.rng.integers(1, n_items, draw.n)) % n_items)
    sample_on, sample_off, test_on, test_off, end = draw.timeline(
        fixation=fixation, sample=sample, delay=delays, test=test, response=response
    )
    for k in range(n_items):
        draw.fire(f"item {k}", sample_on, sample_off, np.where(first == k, rate, 0))
        draw.fire(f"item {k}", test_on, test_off, np.where(second == k, rate, 0))
    draw.fire("go", test_off, end, rate)
    return draw.task(match, 2, {"sample": first, "test": second, "delay": delays})

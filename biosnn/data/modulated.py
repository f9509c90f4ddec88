"""Poisson processes whose rates change: as a function of time, or at random."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..support import plausible
from ..support.checks import flag, real, reals, time
from ..support.seeds import generator
from ..support.units import hertz
from .poisson import check_count, scattered, trains_of
from .spike_trains import SpikeTrains

_TOLERANCE = 1e-9


def inhomogeneous_poisson(
    rates: ArrayLike | Callable[[NDArray], ArrayLike],
    n_units: int,
    duration: float,
    n_trials: int = 1,
    *,
    dt: float | None = None,
    max_rate: float | None = None,
    seed: int | np.random.Generator,
    labels: ArrayLike | None = None,
) -> SpikeTrains:
    """Return independent Poisson spike trains whose rates change in time.

    Parameters
    ----------
    rates
        Rates in hertz: an array (time,), (time, unit) or (trial, time, unit), of which each value
        holds for `dt`; or a function of an array of times in seconds, which returns as many rates,
        or (times, units).
    n_units
        Number of units.
    duration
        Duration of a trial in seconds.
    n_trials
        Number of trials.
    dt
        Seconds for which a value of an array holds. Default: the array covers the trial.
    max_rate
        Hertz that a function never exceeds.
    seed
        Seed or numpy Generator.
    labels
        (n_trials,) class of each trial, or None.

    Returns
    -------
    Spike trains of `n_trials` trials.

    Raises
    ------
    ValueError
        If rates are negative, not finite or of another shape, do not cover the trial, or exceed
        `max_rate`.

    Notes
    -----
    Within a value of an array the count is Poisson and the times are uniform. With a function,
    spikes of a train of `max_rate` stay with the probability rate / max_rate (thinning).

    References
    ----------
    Lewis & Shedler (1979), Naval Research Logistics Quarterly 26:403-413.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.data.inhomogeneous_poisson(
    ...     lambda t: 20 + 20 * np.sin(20 * t), 100, 2.0, max_rate=40.0, seed=1
    ... )
    >>> spikes.n_units, 3000 < spikes.times.size < 5000
    (100, True)
    """
    n_units, n_trials = check_count("n_units", n_units), check_count("n_trials", n_trials)
    duration, rng = time(duration, "duration", above=0), generator(seed)
    if callable(rates):
        if dt is not None:
            raise ValueError("dt is for rates in an array; a function needs max_rate.")
        events = _thinned(rates, n_units, duration, n_trials, max_rate, rng)
    else:
        if max_rate is not None:
            raise ValueError("max_rate is for rates that are a function; leave it out.")
        events = _by_value(rates, n_units, duration, n_trials, dt, rng)
    return trains_of(events, n_units, n_trials, duration, labels)


def _thinned(rates, n_units, duration, n_trials, max_rate, rng):
    """Events of a rate that is a function."""
    if max_rate is None:
        raise ValueError("give max_rate, in Hz: what the function of the rate never exceeds.")
    most = real(hertz(max_rate, "max_rate"), "max_rate", above=0, unit="hertz")
    trials, units = scattered(rng, most * duration, (n_trials, n_units))
    times = rng.random(units.size) * duration
    found = reals(hertz(rates(times), "rates"), "rates, in Hz,", 0)
    if found.shape == (times.size, n_units):
        found = found[np.arange(times.size), units]
    if found.shape not in ((), (times.size,)):
        raise ValueError(
            f"the function of the rate returned shape {found.shape} for {times.size} times; it "
            f"must be ({times.size},), or ({times.size}, {n_units}) with a rate for each unit."
        )
    if np.any(found > most * (1 + _TOLERANCE)):
        raise ValueError(
            f"the rate reaches {found.max():g} Hz, above max_rate = {most:g} Hz: spikes would be "
            "missing. Give a larger max_rate."
        )
    stays = rng.random(times.size) * most < found
    return times[stays], units[stays], trials[stays]


def _by_value(rates, n_units, duration, n_trials, dt, rng):
    """Events of rates in an array, each of which holds for dt."""
    rates = reals(hertz(rates, "rates"), "rates, in Hz,", 0)
    whole = rates[:, None] if rates.ndim == 1 else rates
    whole = whole[None] if whole.ndim == 2 else whole
    fits = whole.ndim == 3 and whole.shape[0] in (1, n_trials) and whole.shape[2] in (1, n_units)
    if not fits or not whole.shape[1]:
        raise ValueError(
            f"rates have shape {rates.shape}; they must be (time,), (time, unit) or (trial, time, "
            f"unit), with {n_units} units and {n_trials} trials. For rates that do not change: "
            "biosnn.data.poisson."
        )
    n_values = whole.shape[1]
    width = duration / n_values if dt is None else time(dt, "dt", above=0, plausible=plausible.BIN)
    if n_values * width < duration * (1 - _TOLERANCE):
        raise ValueError(
            f"{n_values} rates of dt = {width:g} s cover {n_values * width:g} s; the trial lasts "
            f"{duration:g} s."
        )
    trials, at, units = scattered(rng, whole * width, (n_trials, n_values, n_units))
    return (at + rng.random(at.size)) * width, units, trials


def markov_modulated_poisson(
    rates: ArrayLike,
    n_units: int,
    duration: float,
    n_trials: int = 1,
    *,
    transitions: ArrayLike,
    common: bool = False,
    seed: int | np.random.Generator,
    labels: ArrayLike | None = None,
) -> SpikeTrains:
    """Return Poisson spike trains whose rate jumps between states at random, such as up and down.

    Parameters
    ----------
    rates
        (states,) rates in hertz, of two or more states.
    n_units
        Number of units.
    duration
        Duration of a trial in seconds.
    n_trials
        Number of trials.
    transitions
        (states, states) hertz: element [a, b] is the rate of jumps from a to b; the diagonal does
        not count.
    common
        Whether all units of a trial are in the same state.
    seed
        Seed or numpy Generator.
    labels
        (n_trials,) class of each trial, or None.

    Returns
    -------
    Spike trains of `n_trials` trials.

    Raises
    ------
    ValueError
        If rates are negative or of another shape, or a state is never left.

    Notes
    -----
    A trial begins in a state that is drawn from the stationary distribution. With two states of
    rates r_0 and r_1, jumps a = transitions[0, 1] and b = transitions[1, 0], and T the time in
    which spikes are counted,

        Var N = Mean N + 2 v tau^2 (T / tau - 1 + exp(-T / tau)),

    where tau = 1 / (a + b) and v = (r_0 - r_1)^2 a b tau^2.

    References
    ----------
    Fischer & Meier-Hellstern (1993), Performance Evaluation 18:149-171.

    Examples
    --------
    Up states of 0.2 s, down states of 0.5 s:

    >>> import biosnn as bs
    >>> spikes = bs.data.markov_modulated_poisson(
    ...     [1.0, 30.0], 10, 5.0, transitions=[[0, 1 / 0.5], [1 / 0.2, 0]], seed=1
    ... )
    >>> bool(bs.stats.fano_factor(spikes, 1.0).mean() > 2)
    True
    """
    n_units, n_trials = check_count("n_units", n_units), check_count("n_trials", n_trials)
    duration, rng = time(duration, "duration", above=0), generator(seed)
    hertzes = reals(hertz(rates, "rates"), "rates, in Hz,", 0, shape=(None,))
    jumps = _checked_jumps(transitions, hertzes.size)
    n_chains = n_trials * (1 if flag(common, "common") else n_units)
    n_each = n_units if common else 1
    start, length, rate, chain = _visits(rng, jumps, hertzes, n_chains, duration)
    visit, unit = scattered(rng, (rate * length)[:, None], (rate.size, n_each))
    times = start[visit] + rng.random(visit.size) * length[visit]
    chain = chain[visit]
    units, trials = (unit, chain) if common else (chain % n_units, chain // n_units)
    return trains_of((times, units, trials), n_units, n_trials, duration, labels)


def _checked_jumps(transitions, n_states):
    """(states, states) rates of jumps with zeros on the diagonal."""
    if n_states < 2:
        raise ValueError("rates must be those of two or more states; for one: biosnn.data.poisson.")
    given = hertz(transitions, "transitions")
    jumps = reals(given, "transitions, in Hz,", shape=(n_states, n_states)).copy()
    np.fill_diagonal(jumps, 0)
    if np.any(jumps < 0) or np.any(jumps.sum(axis=1) == 0):
        raise ValueError(
            "transitions, in Hz, must be non-negative, and each state must be left: one rate off "
            "the diagonal of each row must be above 0."
        )
    return jumps


def _stationary(jumps):
    """(states,) share of the time in each state."""
    generator_matrix = jumps - np.diag(jumps.sum(axis=1))
    system = np.vstack([generator_matrix.T, np.ones(len(jumps))])
    found = np.linalg.lstsq(system, np.append(np.zeros(len(jumps)), 1.0), rcond=None)[0]
    return np.clip(found, 0, None) / np.clip(found, 0, None).sum()


def _visits(rng: Any, jumps: Any, rates: Any, n_chains: int, duration: float) -> tuple[Any, ...]:
    """Start, length, rate and chain of each visit of a state before the end."""
    leave, parts = jumps.sum(axis=1), []
    cumulative = np.cumsum(jumps / leave[:, None], axis=1)
    chain = np.arange(n_chains)
    state = rng.choice(leave.size, n_chains, p=_stationary(jumps))
    now = np.zeros(n_chains)
    while chain.size:
        after = now + rng.exponential(size=chain.size) / leave[state]
        parts.append((now, np.minimum(after, duration) - now, rates[state], chain))
        drawn = rng.random(chain.size)[:, None]
        state = np.minimum((drawn >= cumulative[state]).sum(axis=1), leave.size - 1)
        goes_on = after < duration
        chain, state, now = chain[goes_on], state[goes_on], after[goes_on]
    return tuple(np.concatenate(each) for each in zip(*parts, strict=True))

"""Poisson processes that share spikes of a common source."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..support import plausible
from ..support.checks import choice, real, time
from ..support.memory import check_room
from ..support.seeds import generator
from ..support.units import hertz
from .poisson import check_count, scattered, trains_of
from .spike_trains import SpikeTrains

#: How spikes are shared.
_KINDS = ("MIP", "SIP")


def correlated_poisson(
    rate: float,
    n_units: int,
    duration: float,
    n_trials: int = 1,
    *,
    correlation: float,
    kind: str = "MIP",
    jitter: float = 0.0,
    seed: int | np.random.Generator,
    labels: ArrayLike | None = None,
) -> SpikeTrains:
    """Return Poisson spike trains that share spikes of a common source.

    Parameters
    ----------
    rate
        Rate of each unit in hertz.
    n_units
        Number of units.
    duration
        Duration of a trial in seconds.
    n_trials
        Number of trials.
    correlation
        The correlation coefficient c of the spike counts of two units, from 0 to 1.
    kind
        "MIP": each unit takes each spike of a source with the probability c (multiple interaction
        process). "SIP": each unit has spikes of its own and all those of a source (single
        interaction process).
    jitter
        Seconds: standard deviation of normal shifts of each shared spike in each unit. Spikes that
        would leave the trial are reflected at its ends.
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
        If a number is not possible.

    Notes
    -----
    MIP: the source has the rate r / c. SIP: it has c r, and each unit (1 - c) r of its own. Each
    unit is Poisson with the rate r in both; they differ in correlations of more than two units,
    which are larger in SIP.

    References
    ----------
    Kuhn, Aertsen & Rotter (2003), Neural Computation 15:67-101.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.data.correlated_poisson(20.0, 50, 100.0, correlation=0.2, seed=1)
    >>> counts = bs.bin_spikes(spikes, 0.1, merge=False).dense()[0]
    >>> pairs = np.corrcoef(counts.T)[np.triu_indices(50, 1)]
    >>> round(float(pairs.mean()), 1)
    0.2
    """
    n_units, n_trials = check_count("n_units", n_units), check_count("n_trials", n_trials)
    duration, rng = time(duration, "duration", above=0), generator(seed)
    r = real(hertz(rate, "rate"), "rate", 0, unit="hertz")
    c = real(correlation, "correlation", 0, 1, why="Poisson trains share spikes, or do not")
    kind = choice(kind, "kind", _KINDS)
    spread = time(jitter, "jitter", 0, plausible=plausible.SHIFT)
    own = r if c == 0 else (1 - c) * r if kind == "SIP" else 0.0
    source = 0.0 if c == 0 else c * r if kind == "SIP" else r / c
    expected = int(source * duration * n_trials)
    check_room(f"{kind} with correlation = {c:g}", expected, 40, "spikes of the source")
    trials, units = scattered(rng, own * duration, (n_trials, n_units))
    times = rng.random(units.size) * duration
    (of_source,) = scattered(rng, source * duration, (n_trials,))
    event, unit = _shared(rng, of_source.size, n_units, 1.0 if kind == "SIP" else c)
    shared = (rng.random(of_source.size) * duration)[event]
    if spread:
        shared = _reflected(shared + spread * rng.normal(size=shared.size), duration)
    events = (
        np.concatenate([times, shared]),
        np.concatenate([units, unit]),
        np.concatenate([trials, of_source[event]]),
    )
    return trains_of(events, n_units, n_trials, duration, labels)


def _shared(rng, n_events, n_units, probability):
    """Which units take which events of the source: event and unit of each that is taken."""
    if probability == 1:
        return np.repeat(np.arange(n_events), n_units), np.tile(np.arange(n_units), n_events)
    taken = [np.flatnonzero(rng.random(n_events) < probability) for _ in range(n_units)]
    unit = np.repeat(np.arange(n_units), [events.size for events in taken])
    return np.concatenate(taken), unit


def _reflected(times, duration):
    """Times that have left the trial, mirrored at its ends until they are inside."""
    inside = np.abs(times) % (2 * duration)
    inside = np.where(inside >= duration, 2 * duration - inside, inside)
    return np.minimum(inside, np.nextafter(duration, 0))

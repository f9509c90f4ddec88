"""How the spikes of a task are drawn: pool by pool, period by period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..support import checks, plausible, seeds, timegrid
from ..support.show import About, Shows, milliseconds
from ..support.units import seconds
from ..support.warn import warn_if_implausible
from .poisson import check_count, spike_counts
from .spike_trains import SpikeTrains


@dataclass(frozen=True, eq=False, repr=False)
class Task(Shows):
    """Trials of a task.

    Parameters
    ----------
    spikes
        Spike trains with the right choice as label.
    mask
        (trial, step) 1 in the response window, else 0, for steps of `dt`.
    n_choices
        Labels are 0 .. n_choices - 1.
    dt
        Time step in seconds.
    pools
        Name of a pool to the slice of its units in `spikes`.
    conditions
        Name to what was shown (trial,): coherence, sample, …
    periods
        Name to (start, stop) in seconds, (trial,) each.

    Examples
    --------
    >>> import biosnn as bs
    >>> bs.data.perceptual_decision(200, seed=1)
    Task
      trials      200
      duration    0.7 s, in steps of 2 ms
      choices     2
      units       60
      pools       for 0, for 1, go
      conditions  coherence
      periods     fixation, stimulus, response
    """

    spikes: SpikeTrains
    mask: NDArray[np.float64]
    n_choices: int
    dt: float
    pools: dict[str, slice]
    conditions: dict[str, np.ndarray]
    periods: dict[str, tuple[np.ndarray, np.ndarray]]

    @property
    def targets(self) -> NDArray[np.float64]:
        """(trial, step, choice): 1 for the right choice in the response window, else 0."""
        labels = self.spikes.labels
        assert labels is not None  # every task has them
        return self.mask[..., None] * (labels[:, None, None] == np.arange(self.n_choices))

    def _about(self) -> About:
        rows = [
            ("trials", f"{len(self.spikes):,}"),
            ("duration", f"{self.spikes.duration:g} s, in steps of {milliseconds(self.dt)}"),
            ("choices", f"{self.n_choices}"),
            ("units", f"{self.spikes.n_units:,}"),
            ("pools", ", ".join(self.pools)),
            ("conditions", ", ".join(self.conditions)),
            ("periods", ", ".join(self.periods)),
        ]
        return About("Task", rows)


class Draw:
    """The spikes of a task while they are drawn."""

    def __init__(
        self,
        n_trials: int,
        pools: Sequence[str],
        n_per_pool: int,
        background: float,
        dt: float,
        seed: int | np.random.Generator,
    ) -> None:
        self.n = check_count("n_trials", n_trials)
        n_per_pool = check_count("n_per_pool", n_per_pool)
        self.rng = seeds.generator(seed)
        self.dt = checks.time(dt, "dt", above=0, plausible=plausible.STEP)
        self.pools = {
            name: slice(k * n_per_pool, (k + 1) * n_per_pool) for k, name in enumerate(pools)
        }
        self.background = background
        self.parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self.periods: dict[str, tuple[np.ndarray, np.ndarray]] = {}

    def balanced(self, n: int) -> NDArray[np.int64]:
        """Return (trial,) numbers 0 .. n - 1, as often as can be, in random order."""
        return self.rng.permutation(np.arange(self.n) % n)

    def signed(self, coherences: Any) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return (signed coherence, choice) of every trial."""
        coherences = np.ravel(checks.reals(coherences, "coherences", 0, 1))
        if not coherences.size:
            raise ValueError(
                "coherences are empty; give at least one, in 0 .. 1 (signs are drawn)."
            )
        choice = self.balanced(2)
        return (1 - 2 * choice) * coherences[self.balanced(coherences.size)], choice

    def uniform(self, value: Any, name: str) -> NDArray[np.float64]:
        """Return (trial,) seconds, from one number or from (shortest, longest)."""
        ends = checks.reals(seconds(value, name), name)
        low, high = np.broadcast_to(ends, 2) if ends.shape in ((), (2,)) else (np.nan, np.nan)
        if not 0 <= low <= high < np.inf:
            raise ValueError(
                f"{name} is {value!r}; it must be a time >= 0 in seconds, or (shortest, longest)."
            )
        return self.rng.uniform(low, high, self.n)

    def timeline(self, **lengths: Any) -> list[NDArray[np.float64]]:
        """Lay periods one after the other, the response window last; return their ends (trial,)."""
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
                f"response is {lengths['response']!r} s; it must be at least one step of "
                f"{self.dt:g} s, else nothing is asked for."
            )
        return edges[1:]

    def fire(self, pool: str, start: np.ndarray, stop: np.ndarray, rates: Any) -> None:
        """Add Poisson spikes at `rates` Hz (one, or one per trial) between start and stop (s)."""
        units = np.arange(self.pools[pool].start, self.pools[pool].stop)
        mean = (np.broadcast_to(rates, self.n) * (stop - start))[:, None]
        count = spike_counts(self.rng, mean, (self.n, units.size)).ravel()
        trial = np.repeat(np.repeat(np.arange(self.n), units.size), count)
        unit = np.repeat(np.tile(units, self.n), count)
        times = start[trial] + (stop - start)[trial] * self.rng.random(trial.size)
        self.parts.append((times, unit, trial))

    def evidence(
        self,
        one: str,
        other: str,
        start: np.ndarray,
        stop: np.ndarray,
        rate: float,
        coherence: np.ndarray,
    ) -> None:
        """Add spikes of two pools, at rate (1 + coherence) and rate (1 - coherence)."""
        self.fire(one, start, stop, rate * (1 + coherence))
        self.fire(other, start, stop, rate * (1 - coherence))

    def task(self, label: np.ndarray, n_choices: int, conditions: dict) -> Task:
        """Add the background, and return the task."""
        duration = float(self.periods["response"][1].max())
        for pool in self.pools:
            rate = checks.rate(self.background, "background")
            self.fire(pool, np.zeros(self.n), np.full(self.n, duration), rate)
        times, units, trials = (np.concatenate(each) for each in zip(*self.parts))
        inside = times < duration  # rounding may reach the end
        spikes = SpikeTrains.from_events(
            times[inside],
            units[inside],
            trials[inside],
            n_trials=self.n,
            n_units=list(self.pools.values())[-1].stop,
            duration=duration,
            labels=label,
        )
        return Task(
            spikes=spikes,
            mask=self._mask(duration),
            n_choices=n_choices,
            dt=self.dt,
            pools=self.pools,
            conditions=conditions,
            periods=self.periods,
        )

    def _mask(self, duration):
        """(trial, step) 1 in the response window; a step belongs to the period it begins in."""
        first, last = (
            timegrid.covering_steps(each, self.dt)[:, None] for each in self.periods["response"]
        )
        step = np.arange(timegrid.covering_steps(duration, self.dt))
        return ((step >= first) & (step < last)).astype(float)

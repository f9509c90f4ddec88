"""One trial in both programs: what they are given, and what each of them answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..engine.background import Current, trials_of
from ..engine.run import run
from ..engine.simulate import simulate
from ..network.network import Network
from ..network.plasticity import InhibitorySTDP
from ..support import timegrid
from .objects import BrianNetwork, recorded, to_brian2
from .trial_input import checked_trial, current_values


@dataclass(frozen=True, eq=False)
class Trial:
    """What both programs are given."""

    spikes: Any
    currents: dict[str, np.ndarray]
    duration: float | None
    background: tuple
    initial: Mapping | None
    seed: int

    def in_brian2(self, network: Network, record: Sequence[str]) -> BrianNetwork:
        """Return Brian2 objects of a network with this trial."""
        return to_brian2(
            network,
            self.spikes,
            record=record,
            currents=self.currents,
            duration=self.duration,
            background=self.background,
            initial=self.initial,
            seed=self.seed,
        )


@dataclass(frozen=True, eq=False)
class OneTrace:
    """What `run` would have recorded of one trial."""

    dt: float
    n_steps: int
    spikes: dict[str, Any]
    states: dict[str, np.ndarray]


def number_of_trials(
    spikes: Any,
    currents: Mapping | None,
    background: Sequence = (),
    initial: Mapping | None = None,
) -> int:
    """Return how many trials the input has; what else has trials must have as many, or one.

    Without input, those of the rest.
    """
    of = {f"currents for {name!r}": len(v) for name, v in _by_trial(currents, 3)}
    of |= {f"initial {name!r}": len(v) for name, v in _by_trial(initial, 2)}
    of |= {f"values of {source!r}": trials_of(source) for source in background}
    if spikes is None:
        n_trials = max([1, *of.values()])
    else:
        n_trials = len(next(iter(spikes.values())) if isinstance(spikes, dict) else spikes)
    if n_trials == 0:
        raise ValueError("there are no trials: spikes are empty, so there is nothing to compare.")
    for what, n in of.items():
        if n not in (1, n_trials):
            raise ValueError(
                f"{what} have {n} trials, but there are {n_trials}; give (trial, …) for all of "
                "them, or leave the axis of trials out for every trial alike."
            )
    return n_trials


def _by_trial(values, axes):
    """Pairs of a name and an array of which the first of so many axes counts trials."""
    return [(name, v) for name, v in (values or {}).items() if np.ndim(v) == axes]


def initial_of_trial(initial: Mapping | None, b: int) -> dict[str, Any] | None:
    """Return the initial states of one trial."""
    if initial is None:
        return None
    return {name: v[b % len(v)] if np.ndim(v) == 2 else v for name, v in initial.items()}


def spikes_of_trial(spikes: Any, b: int) -> Any:
    """Return the input of one trial."""
    if spikes is None:
        return None
    return {name: s[b] for name, s in spikes.items()} if isinstance(spikes, dict) else spikes[b]


def currents_of_trial(currents: Mapping | None, b: int) -> dict[str, np.ndarray]:
    """Return the injected currents of one trial."""
    arrays = {name: np.asarray(value, float) for name, value in (currents or {}).items()}
    return {
        name: value[b % len(value)] if value.ndim == 3 else value for name, value in arrays.items()
    }


def learns(network: Network) -> bool:
    """Return whether weights change in a trial, so that only `simulate` takes the network."""
    return any(isinstance(p.plasticity, InhibitorySTDP) for p in network.projections)


def our_trace(network: Network, trial: Trial, record: Sequence[str]) -> Any:
    """Return what biosnn records of a trial."""
    if learns(network):
        return _simulated(network, trial, record)
    currents = {
        name: value[None] if value.ndim == 2 else value for name, value in trial.currents.items()
    }
    return run(
        network,
        trial.spikes,
        record=record,
        currents=currents,
        duration=trial.duration,
        background=trial.background,
        initial=trial.initial,
        seed=trial.seed,
        threads=1,
    )


def _simulated(network, trial, record):
    """The trial as one run of `simulate`, which has injected currents in its background."""
    steps = checked_trial(network, trial.spikes, trial.duration)
    times = np.arange(steps) * network.dt
    more = [
        Current(name, value[0] if len(value) == 1 else (times, value))
        for name, value in current_values(network, trial.currents, steps).items()
    ]
    done = simulate(
        network,
        steps * network.dt,
        trial.spikes,
        record={name: slice(None) for name in record},
        initial=trial.initial,
        background=[*trial.background, *more],
        seed=trial.seed,
        progress=False,
    )
    states = {name: value[None] for name, value in done.states.items()}
    return OneTrace(dt=network.dt, n_steps=steps, spikes=done.spikes, states=states)


def our_spikes(trace: Any, name: str) -> set[tuple[int, int]]:
    """Return the spikes of a population of biosnn as pairs (step, neuron)."""
    spikes = trace.spikes[name]
    return _pairs(timegrid.nearest_steps(spikes.times, trace.dt), spikes.units)


def their_trace(
    network: Network, trial: Trial, record: Sequence[str]
) -> tuple[dict[str, set], dict[str, np.ndarray]]:
    """Return (population -> pairs (step, neuron), state -> (step, neuron)) of Brian2."""
    reference = trial.in_brian2(network, record)
    reference.run()
    spikes = {
        name: _pairs(
            timegrid.nearest_steps(np.asarray(monitor.t), network.dt), np.asarray(monitor.i)
        )
        for name, monitor in reference.spikes.items()
    }
    return spikes, {name: recorded(monitor, name) for name, monitor in reference.states.items()}


def _pairs(steps, neurons):
    """Pairs (step, neuron) as a set."""
    return set(zip(steps.tolist(), neurons.tolist()))

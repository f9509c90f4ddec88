"""What a figure of trials asks of a trace: a trial, a population, a neuron, and recorded states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..support import checks
from .figures import check_finite, listed
from .protocols import PopulationLike, TraceLike, check


def check_trace(trace: TraceLike) -> None:
    """ValueError unless it is the trace of a run with trials."""
    if hasattr(trace, "mean_rates"):
        raise ValueError(
            "this is a Simulation, of one long run; figures of trials take what "
            "run(net, spikes, record=…) returns."
        )
    check(trace, "trace", TraceLike, "the Trace that run(net, spikes, record=…) returns")


def checked_trial(trace: TraceLike, trial: int) -> int:
    """Return the number of a trial; ValueError for one that the trace does not have."""
    check_trace(trace)
    n = len(next(iter([*trace.counts.values(), *trace.states.values()]), ()))
    if not n:
        raise ValueError("the trace has no trials, or no populations, so there is nothing to draw.")
    return checks.whole(trial, "trial", 0, n - 1)


def population_of(trace: TraceLike, population: PopulationLike | str) -> Any:
    """Return a population of the trace, given itself or by name."""
    check_trace(trace)
    wanted = getattr(population, "name", population)
    known = listed(p.name for p in trace.network.populations)
    checks.instance(wanted, "population", str, f"a population or its name, one of {known}")
    return trace.network[wanted]


def recorded(
    trace: TraceLike,
    population: PopulationLike | str,
    states: Sequence[str],
    neuron: int,
    trial: int,
) -> tuple[Any, int, int, list[np.ndarray]]:
    """Return (population, neuron, trial, states); ValueError that says how to record them."""
    found = population_of(trace, population)
    _check_states(found, states)
    names = [f"{found.name}.{state}" for state in states]
    absent = [key for key in names if key not in trace.states]
    if absent:
        wanted = ", ".join(f'"{key}"' for key in names)
        raise ValueError(
            f"the trace has no {' and '.join(absent)}, which this figure shows: simulate with "
            f"run(..., record=[{wanted}])."
        )
    trial = checked_trial(trace, trial)
    neuron = checks.whole(neuron, "neuron", 0, found.n - 1)
    for key in names:
        check_finite(trace.states[key], key)
    return found, neuron, trial, [trace.states[key] for key in names]


def _check_states(population, states):
    """ValueError for states that the neurons of a population do not have."""
    known = population.states
    absent = [state for state in states if state not in known]
    if not absent:
        return
    why = (
        "it is an input, which has no states."
        if population.kind == "input"
        else "its units pool spikes and have no states."
    )
    raise ValueError(
        f"population {population.name!r} has no state {' or '.join(absent)}; "
        + (f"its states are {', '.join(known)}." if known else why)
    )

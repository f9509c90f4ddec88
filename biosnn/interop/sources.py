"""What can be handed to other programs, as a Recording; times on their clocks and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..analysis.rates import rate_over_time
from ..data.recording import Recording
from ..data.spike_base import in_trial
from ..data.spike_trains import SpikeTrains
from ..engine.simulation import Simulation
from ..engine.trace import Trace
from ..support import checks

#: What the functions that hand over take.
Source = Trace | Simulation | Recording | SpikeTrains | Mapping[str, SpikeTrains]
#: Name of a population that has none.
UNITS = "units"
_NEAR = 1e-3  # steps: how far a time on another clock may be from its step


def recording_of(source: Any, units: Any = None, what: str = "source") -> Recording:
    """Return a trace, simulation, recording or spike trains as a Recording.

    Parameters
    ----------
    source
        What a public function was given.
    units
        State -> unit, or None.
    what
        Name of the argument, for messages.
    """
    units = {} if units is None else units
    checks.instance(units, "units", Mapping, "a dict of state -> unit, such as {'E.U': 'mV'}")
    for state, unit in units.items():
        checks.instance(unit, f"the unit of {state!r}", str, "a text, such as 'mV'")
    if isinstance(source, Recording):
        found = replace(source, units={**source.units, **units})
    elif isinstance(source, (Trace, Simulation)):
        found = recording_from(source, units)
    elif isinstance(source, SpikeTrains):
        found = Recording({UNITS: source}, units=units)
    elif isinstance(source, Mapping):
        found = Recording(source, units=units)
    else:
        such = "a Trace, a Simulation, a Recording, SpikeTrains, or a dict of SpikeTrains"
        checks.refuse(what, source, such)
    if found.n_trials == 0:
        raise ValueError(f"{what} has no trials, or no spikes and states: nothing to hand over.")
    _check_units(found, units)
    return found


def _check_units(recording, units):
    """ValueError for units of states that are not there."""
    known = {*recording.states, *(name.partition(".")[2] for name in recording.states)}
    unknown = [name for name in units if name not in known]
    if unknown:
        raise ValueError(
            f"units has {', '.join(map(repr, unknown))}; the recorded states are "
            f"{', '.join(recording.states) or 'none'}."
        )


def recording_from(run: Trace | Simulation, units: Mapping[str, str] | None = None) -> Recording:
    """Return what was recorded in a run, also where that is nothing.

    Parameters
    ----------
    run
        What `run` or `simulate` returned.
    units
        State -> unit, or None.
    """
    units = {} if units is None else units
    return _of_trace(run, units) if isinstance(run, Trace) else _of_simulation(run, units)


def _of_trace(trace, units):
    """A Recording of a Trace: of its own spikes, not of its inputs."""
    return Recording(
        trace.spikes,
        start=trace.start,
        states={name: _until_the_end(trace, values) for name, values in trace.states.items()},
        state_times=trace.times,
        neurons=_columns(trace),
        units=units,
        signs={p.name: p.sign for p in trace.network.populations},
        dt=trace.dt,
    )


def _columns(source):
    """State -> the neurons in its columns, or the labels of groups of which they are the means."""
    columns = {**source.neurons, **getattr(source, "groups", {})}
    return {name: np.array(each) for name, each in columns.items()}


def _until_the_end(trace, values):
    """States of trials of their own length, NaN after the end of each."""
    if trace.own_steps is None:
        return values
    inside = in_trial(trace.own_steps, trace.n_steps)
    return np.where(inside[..., None], values, values.dtype.type(np.nan))


def _of_simulation(simulation, units):
    """A Recording of a Simulation, of one trial."""
    return Recording(
        simulation.spikes,
        start=simulation.start,
        states={name: values[None] for name, values in simulation.states.items()},
        state_times=simulation.state_times,
        neurons=_columns(simulation),
        units=units,
        signs={p.name: p.sign for p in simulation.network.populations},
        dt=simulation.network.dt,
    )


def rates_of(
    recording: Recording, rate_bin: float
) -> dict[str, list[tuple[NDArray[np.float64], NDArray[np.float64]]]]:
    """Return population -> for each trial (centres of its bins, rates in hertz).

    Parameters
    ----------
    recording
        With spikes.
    rate_bin
        Width of the bins in seconds. Their centres (bins,) are seconds from the start of a trial.
    """
    return {
        name: [rate_over_time(trains[b], rate_bin) for b in range(len(trains))]
        for name, trains in recording.spikes.items()
    }


def since(times: NDArray, start: NDArray, duration: Any, dt: float | None) -> NDArray[np.float64]:
    """Return times on a clock as seconds from the start of the trial, before its end.

    Parameters
    ----------
    times
        (spikes,) seconds on the clock.
    start, duration
        Of the trial of each spike, or of all, in seconds.
    dt
        Time step; where all times are multiples of it they become exactly these.
    """
    found = on_steps(np.asarray(times, np.float64) - start, dt)
    slack = 4 * np.spacing(np.maximum(np.abs(times), np.abs(start)))
    found = np.where((found < 0) & (found >= -slack), 0.0, found)
    last = np.nextafter(np.asarray(duration, float), 0)
    return np.where((found > last) & (found <= duration + slack), last, found)


def on_steps(times: NDArray, dt: float | None) -> NDArray[np.float64]:
    """Return times (s) as exact multiples of dt where all of them are close to one, else as given.

    Examples
    --------
    >>> float(on_steps(np.array([0.1 + 0.2 - 0.1]), 0.1)[0])
    0.2
    """
    if dt is None:
        return times
    steps = np.rint(times / dt)
    return steps * dt if np.all(np.abs(times / dt - steps) < _NEAR) else times


def lengths(starts: Any, stops: Any, dt: float | None) -> NDArray[np.float64]:
    """Return how long trials are, without what rounding on the clock has added.

    Parameters
    ----------
    starts, stops
        (trials,) seconds on the clock.
    dt
        Time step, of which lengths are exact multiples if all are close to one. Otherwise those
        close to a whole number of nanoseconds are that.

    Examples
    --------
    >>> 1.3 - 1.0, float(lengths(np.array([1.0]), np.array([1.3]), None)[0])
    (0.30000000000000004, 0.3)
    """
    starts, stops = np.asarray(starts, float), np.asarray(stops, float)
    found = stops - starts
    plain = np.round(found, 9)
    noise = 4 * np.spacing(np.maximum(np.abs(starts), np.abs(stops)))
    return on_steps(np.where(np.abs(plain - found) <= noise, plain, found), dt)


def trains_from_clock(
    clock: NDArray,
    units: NDArray,
    trials: NDArray,
    *,
    starts: NDArray,
    ends: NDArray,
    n_units: int,
    dt: float | None,
    labels: Any = None,
) -> SpikeTrains:
    """Return SpikeTrains of spikes on a clock, in any order; each trial has its own end.

    Parameters
    ----------
    clock, units, trials
        (spikes,) seconds on the clock, unit and trial.
    starts, ends
        (trials,) seconds on the clock at which they begin, and how long they are.
    n_units
        Number of units.
    dt
        Time step of the spikes, or None.
    labels
        (trials,) classes, or None.
    """
    return SpikeTrains.from_events(
        since(clock, starts[trials], ends[trials], dt),
        units,
        trials,
        n_trials=len(ends),
        n_units=n_units,
        labels=labels,
        ends=ends,
    )

"""What figures ask of a Trace or a Simulation: trials, populations, neurons, states, spikes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data.recording import Recording
from ..data.spike_trains import SpikeTrains
from ..support import checks
from .figures import INPUT, RUNS, UNSIGNED, check_finite, colour, listed, sign_colour
from .protocols import PopulationLike, SimulationLike, TraceLike, check, is_run, looks_like
from .style import size
from .windows import check_trials

_LONG = 10.0  # seconds: beyond, axes are in seconds
_WHAT = "the Trace that run(…) returns or the Simulation that simulate(…) returns"


class Run:
    """A Trace, of several trials, or a Simulation, of one, as figures read both.

    Parameters
    ----------
    source
        What `run` or `simulate` returned.

    Raises
    ------
    ValueError
        If it is something else, or has no trials.
    """

    def __init__(self, source: Any) -> None:
        self.simulated = looks_like(source, SimulationLike)
        spikes = isinstance(source, (SpikeTrains, Mapping))
        what = f"{_WHAT}; of spikes alone there are plot.raster and plot.rates" if spikes else _WHAT
        self.source = source if self.simulated else check(source, "recording", TraceLike, what)
        self.network = source.network
        self.duration: float = source.duration
        self.start: float = source.start
        self.inputs: Mapping[str, SpikeTrains] = {} if self.simulated else source.inputs
        self.n_trials = 1 if self.simulated else _number_of_trials(source)

    def threshold(self, population: Any, neuron: int) -> float:
        """Return the threshold of a neuron, with what training has changed."""
        values = np.broadcast_to(self.network.thresholds(population.name), population.n)
        return float(values[neuron])

    @property
    def labels(self) -> Any:
        """(trials,) class of each trial, or None."""
        return None if self.simulated else self.source.labels

    @property
    def spikes(self) -> dict[str, SpikeTrains]:
        """Population -> its spikes, of those whose spikes were kept, inputs first."""
        return dict(self.inputs) | self.source.spikes

    def trial(self, number: Any) -> int:
        """Return the number of a trial; ValueError for one that there is not."""
        if not self.n_trials:
            raise ValueError(
                "the trace has no trials, or no populations, so there is nothing to draw."
            )
        return checks.whole(number, "trial", 0, self.n_trials - 1)

    def trials(self, numbers: Any) -> list[int]:
        """Return the numbers of one trial or of several."""
        several = isinstance(numbers, (list, tuple, range)) or getattr(numbers, "ndim", 0) == 1
        found = [self.trial(each) for each in (numbers if several else [numbers])]
        if not found:
            raise ValueError("trial is empty; give the number of a trial, or a list of them.")
        return found

    def population(self, population: PopulationLike | str) -> Any:
        """Return a population of the network, given itself or by name."""
        wanted = getattr(population, "name", population)
        known = listed(p.name for p in self.network.populations)
        checks.instance(wanted, "population", str, f"a population or its name, one of {known}")
        return self.network[wanted]

    def states(self, population: PopulationLike | str, names: Sequence[str]) -> States:
        """Return recorded states of a population; ValueError that says how to record them."""
        found = self.population(population)
        _check_states(found, names)
        keys = [f"{found.name}.{name}" for name in names]
        absent = [key for key in keys if key not in self.source.states]
        if absent:
            wanted = ", ".join(f'"{key}"' for key in keys)
            raise ValueError(
                f"the {'simulation' if self.simulated else 'trace'} has no {' and '.join(absent)}, "
                f"which this figure shows: {'simulate' if self.simulated else 'run'}(..., "
                f"record=[{wanted}])."
            )
        groups = getattr(self.source, "groups", {})
        if averaged := [key for key in keys if key in groups]:
            raise ValueError(
                f"of {' and '.join(averaged)} the mean over neurons was recorded, and this figure "
                "shows neurons: record some of them. "
                f'bs.signals.recorded(run, "{averaged[0]}").plot() draws means.'
            )
        values = [self._values(key) for key in keys]
        neurons = [self.source.neurons.get(key, np.arange(found.n)) for key in keys]
        same = np.array(sorted(set.intersection(*(set(each.tolist()) for each in neurons))), int)
        values = [
            kept if np.array_equal(each, same) else kept[..., [list(each).index(k) for k in same]]
            for each, kept in zip(neurons, values)
        ]
        return States(found, keys, values, same, self.times)

    def _values(self, key):
        """(trial, step, neuron) values of a state."""
        values = self.source.states[key]
        check_finite(values, key)
        return values[None] if self.simulated else values

    @property
    def times(self) -> np.ndarray:
        """Seconds of the recorded values."""
        return self.source.state_times if self.simulated else self.source.times

    def spike_times(self, population: Any, neuron: int, trial: int) -> np.ndarray:
        """Return when a neuron spiked, in seconds; nothing where its spikes were not kept."""
        if population.name not in self.spikes:
            return np.empty(0)
        spikes = self.spikes[population.name][trial]
        return spikes.times[spikes.units == neuron]

    def inside(self, time: Window) -> np.ndarray:
        """Return (trial, step) which recorded values lie in a window, and before a trial's end."""
        picked = np.tile(time.picks(self.times), (self.n_trials, 1))
        own = None if self.simulated else self.source.own_steps
        if own is not None:
            picked &= np.arange(picked.shape[1]) < own[:, None]
        return picked

    def window(self, start: Any, stop: Any) -> Window:
        """Return what is drawn of the time; ValueError unless it lies within the recording."""
        return window(start, stop, self.duration, self.start)


@dataclass(frozen=True)
class States:
    """States of one population.

    Parameters
    ----------
    population
        Whose.
    names
        Full names, such as "E.U".
    values
        Arrays (trial, step, neuron), one for each name.
    neurons
        (neuron,) their numbers in the population.
    times
        (step,) seconds.
    """

    population: Any
    names: list[str]
    values: list[np.ndarray]
    neurons: np.ndarray
    times: np.ndarray

    def column(self, neuron: Any) -> int:
        """Return where a neuron is in the arrays; ValueError for one that was not recorded."""
        neuron = checks.whole(neuron, "neuron", 0, self.population.n - 1)
        (found,) = np.nonzero(self.neurons == neuron)
        if not found.size:
            some = listed(self.neurons[:10]) + (", …" if self.neurons.size > 10 else "")
            were = "was" if len(self.names) == 1 else "were"
            raise ValueError(
                f"neuron is {neuron}; {' and '.join(self.names)} {were} recorded of the neurons "
                f"{some} alone."
            )
        return int(found[0])


@dataclass(frozen=True)
class Window:
    """What is drawn of the time: seconds, and how they are written."""

    start: float
    stop: float
    origin: float  # seconds that were simulated before time 0
    whole: bool  # whether it is all of the time

    @property
    def factor(self) -> float:
        """What seconds are multiplied with on the axis."""
        return 1.0 if self.stop - self.start > _LONG else 1e3

    @property
    def length(self) -> float:
        """Seconds."""
        return self.stop - self.start

    def holds(self, times: np.ndarray) -> np.ndarray:
        """Return which times lie in it."""
        return (times >= self.start) & (times < self.stop)

    def picks(self, times: np.ndarray) -> np.ndarray:
        """Return which values of that time lie in it; ValueError if none does."""
        inside = self.holds(times)
        if not inside.any():
            raise ValueError(
                f"no state was recorded from {self.start:g} to {self.stop:g} s, so there is "
                "nothing to draw; give a longer time, or record more often (every=…)."
            )
        return inside

    def axis(self, *axes: Any) -> None:
        """Let axes show the window, and give them a label."""
        unit = "s" if self.factor == 1 else "ms"
        since = f" from {self.origin:g} s on" if self.origin else ""
        for axis in axes:
            axis.set_xlim(self.start * self.factor, self.stop * self.factor)
            axis.set_xlabel(f"time ({unit}){since}", fontsize=size())

    def cut(self, spikes: SpikeTrains) -> SpikeTrains:
        """Return the spikes in it, as trials that begin with it, of those that last until then."""
        if self.whole:
            return spikes
        later = None if np.all(spikes.durations > self.start) else spikes.durations > self.start
        return spikes.select(trials=later, start=self.start, stop=min(self.stop, spikes.duration))


def window(start: Any, stop: Any, duration: float, origin: float = 0.0) -> Window:
    """Return the Window from start to stop (None: the end) of a duration in seconds."""
    start = checks.time(start, "start")
    stop = duration if stop is None else checks.time(stop, "stop")
    if not 0 <= start < stop <= duration * (1 + 1e-9):
        raise ValueError(
            f"start is {start:g} s and stop {stop:g} s; they must be times in seconds with "
            f"0 <= start < stop <= {duration:g}, the duration."
        )
    stop = min(stop, duration)
    return Window(start, stop, origin, whole=start == 0 and stop == duration)


@dataclass(frozen=True)
class Group:
    """Spikes of one population, and how they are drawn."""

    name: str
    spikes: Any  # SpikeTrains, or what else is known of it
    colour: str
    population: Any = None


def longest(found: Sequence[Group]) -> float:
    """Return the longest duration of a trial in seconds."""
    return max(group.spikes.duration for group in found)


def groups(recording: Any, populations: Any) -> tuple[list[Group], float]:
    """Return whose spikes are drawn, and the seconds before time 0.

    Parameters
    ----------
    recording
        A Trace, a Simulation, SpikeTrains, or a dict of names and SpikeTrains, such as a
        `data.Recording`.
    populations
        Names of some, or None for all; of a recording those without inputs.

    Raises
    ------
    ValueError
        If it is something else, or a population has no spikes that were kept.
    """
    if isinstance(recording, SpikeTrains):
        check_trials(recording)
        return [Group("", recording, UNSIGNED)], 0.0
    if isinstance(recording, Mapping):
        found = _labelled(recording)
        chosen = _chosen(populations, found, found)
        start = recording.start if isinstance(recording, Recording) else 0.0
        return [found[name] for name in chosen], start if np.ndim(start) == 0 else 0.0
    if not is_run(recording):
        checks.refuse("recording", recording, f"{_WHAT}, SpikeTrains, or a dict of them")
    read = Run(recording)
    found = groups_of(recording, populations, read.spikes)
    read.trial(0)
    return found, read.start


def groups_of(recording: Any, populations: Any, known: Mapping[str, Any]) -> list[Group]:
    """Return Groups of populations of a recording, of those that are `known`."""
    network = recording.network
    cells = [name for name in known if network[name].kind != "input"]
    chosen = [network[name] for name in _chosen(populations, known, cells or list(known))]
    return [Group(p.name, known[p.name], colour(p), p) for p in chosen]


def _labelled(trains):
    """Name -> Group of a dict of SpikeTrains, or of a Recording, which may know signs."""
    hues = [UNSIGNED, *RUNS[1:], INPUT]
    signs = trains.signs if isinstance(trains, Recording) else {}
    for name, spikes in trains.items():
        checks.instance(name, "a name of recording", str, "a text")
        check_trials(spikes, f"recording[{name!r}]")
    return {
        name: Group(name, spikes, sign_colour(signs.get(name, ""), hues[k % len(hues)]))
        for k, (name, spikes) in enumerate(trains.items())
    }


def _chosen(populations, known, default):
    """Names of populations whose spikes there are."""
    if populations is None:
        if not default:
            raise ValueError("the recording holds no spikes, so there is nothing to draw.")
        return list(default)
    one = isinstance(populations, str) or hasattr(populations, "name")
    given = checks.several([populations] if one else populations, "populations", "'E'")
    names = [getattr(each, "name", each) for each in given]
    for name in names:
        if not isinstance(name, str) or name not in known:
            raise ValueError(
                f"populations has {checks.shown(name)}, and there are spikes of {listed(known)}."
            )
    if not names:
        raise ValueError(f"populations is empty; give some of {listed(known)}, or None for all.")
    return list(dict.fromkeys(names))


def _number_of_trials(trace):
    """Number of trials of a Trace, 0 where nothing was simulated."""
    return len(next(iter([*trace.counts.values(), *trace.states.values()]), ()))


def _check_states(population, states):
    """ValueError for states that the neurons of a population do not have."""
    known = [*population.states, *(["U_star"] if population.states else [])]
    absent = [state for state in dict.fromkeys(states) if state not in known]
    if not absent:
        return
    why = (
        "it is an input, which has no states."
        if population.kind == "input"
        else "its units pool spikes and have no states."
    )
    raise ValueError(
        f"population {population.name!r} has no state {' or '.join(absent)}; "
        + (f"its states are {', '.join(population.states)}." if population.states else why)
    )

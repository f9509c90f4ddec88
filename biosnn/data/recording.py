"""A recording: spike trains by population, recorded states, and when they began."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..support import checks
from ..support.show import About, Shows, milliseconds
from .spike_trains import SpikeTrains, check_trains

_NEAR = 1e-3  # of the time between two values, by which the end of a trial may be off
_SAME = 1e-9  # seconds by which the ends of equal trials may differ


@dataclass(frozen=True, eq=False, repr=False)
class Recording(Shows, Mapping[str, SpikeTrains]):
    """Spike trains by population, and what files of other programs say about them.

    It is what `read_spikes` and the readers of `biosnn.interop` return. Indexing selects a
    population: `recording["E"]`; it goes wherever a dict of SpikeTrains goes.

    Parameters
    ----------
    spikes
        Population -> SpikeTrains, all with the same trials. Times count from the start of the
        trial.
    start
        Seconds, on the clock of the recording, at which the trials begin: of a run that went on
        from an earlier one what was simulated before. One number, or (trials,).
    states
        State such as "E.U" -> (trial, time, neuron) values.
    state_times
        (times,) seconds of these values from the start of the trial.
    neurons
        State -> (neurons,) which neurons of the population they are, or, where they are means over
        groups, the labels of the groups. Default: the first ones.
    units
        State -> its unit, such as "mV". Default: "dimensionless".
    signs
        Population -> "excitatory", "inhibitory" or "unsigned".
    dt
        Seconds of a time step, of which spike times are multiples; None if they are not.

    Raises
    ------
    ValueError
        If the parts do not fit together. The message says which.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.SpikeTrains.from_units([[0.1, 0.3], []], duration=0.5)
    >>> bs.data.Recording({"E": spikes}, start=2.0)
    Recording
      trials  1
      time    500 ms, from 2 s on
      E       2 spikes of 2 units
    """

    spikes: Mapping[str, SpikeTrains]
    start: Any = 0.0
    states: Mapping[str, NDArray] = field(default_factory=dict)
    state_times: ArrayLike = ()
    neurons: Mapping[str, NDArray] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    signs: Mapping[str, str] = field(default_factory=dict)
    dt: float | None = None

    def __post_init__(self) -> None:
        for name in ("spikes", "states", "neurons", "units", "signs"):
            checks.instance(getattr(self, name), name, Mapping, "a dict by name")
            checks.texts(tuple(getattr(self, name)), f"the names in {name}", "'E'")
        for name, trains in self.spikes.items():
            check_trains(trains, f"spikes of {name!r}")
        times = checks.reals(self.state_times, "state_times", shape=(None,))
        checks.keep(self, spikes=dict(self.spikes), state_times=times)
        checks.keep(self, states={name: self._checked(name) for name in self.states})
        parts: dict[str, Any] = {**self.spikes, **self.states}
        trials = {name: len(part) for name, part in parts.items()}
        if len(set(trials.values())) > 1:
            each = ", ".join(f"{name} {n}" for name, n in trials.items())
            raise ValueError(f"all parts of a recording must have the same trials; given: {each}.")
        self._check_ends()
        checks.keep(self, start=self._checked_start(), neurons=self._checked_neurons())
        if self.dt is not None:
            checks.keep(self, dt=checks.time(self.dt, "dt", above=0))

    def _checked(self, name):
        """The values of a state."""
        population, dot, state = name.partition(".")
        if not (population and dot and state):
            raise ValueError(f"state {name!r}: its name must be population.state, such as 'E.U'.")
        values = checks.as_array(self.states[name], f"state {name!r}", "real numbers")
        if values.dtype.kind not in "iufb":
            checks.refuse(f"state {name!r}", self.states[name], "real numbers")
        if values.ndim != 3 or values.shape[1] != np.size(self.state_times):
            raise ValueError(
                f"state {name!r} has shape {values.shape}; it must be (trial, time, neuron) with "
                f"the {np.size(self.state_times)} times of state_times."
            )
        return values if values.dtype.kind == "f" else values.astype(np.float64)

    def _check_ends(self):
        """ValueError for populations whose trials last differently."""
        each = self._ends_of_each()
        for name, ends in each.items():
            if np.max(np.abs(ends - self.ends), initial=0) > _SAME:
                lasts = ", ".join(f"{n} {e.max(initial=0):g} s" for n, e in each.items())
                raise ValueError(
                    f"the trials of {name!r} end before those of other populations ({lasts}); all "
                    "parts of a recording must have the same trials."
                )

    def _ends_of_each(self):
        """Population -> (trials,) seconds at which its trials end."""
        return {name: trains.durations for name, trains in self.spikes.items()}

    def _checked_start(self):
        """Seconds, one number or one for each trial."""
        if not checks.has_axes(self.start):
            return checks.time(self.start, "start")
        start = checks.reals(self.start, "start", shape=(self.n_trials,))
        same = start.size > 0 and np.all(start == start[0])
        return float(start[0]) if same else start

    def _checked_neurons(self):
        """The neurons of every state."""
        found = {}
        for name, values in self.states.items():
            n = values.shape[2]
            given = self.neurons.get(name, np.arange(n))
            labels = checks.as_array(given, f"neurons of {name!r}", "neurons or labels")
            if labels.dtype.kind == "U" and labels.shape == (n,):
                found[name] = labels
            else:
                found[name] = checks.wholes(given, f"neurons of {name!r}", 0, shape=(n,))
        return found

    def __getitem__(self, population: str) -> SpikeTrains:
        """Return the spikes of a population."""
        if population not in self.spikes:
            known = ", ".join(self.spikes) or "none"
            raise KeyError(f"no spikes of {population!r}; there are those of {known}")
        return self.spikes[population]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the populations whose spikes there are."""
        return iter(self.spikes)

    def __len__(self) -> int:
        """Return the number of these populations."""
        return len(self.spikes)

    @property
    def n_trials(self) -> int:
        """Number of trials; 0 where there are neither spikes nor states."""
        parts: list[Any] = [*self.spikes.values(), *self.states.values(), ()]
        return len(parts[0])

    @property
    def starts(self) -> NDArray[np.float64]:
        """(trials,) seconds at which the trials begin."""
        return np.broadcast_to(np.asarray(self.start, float), self.n_trials)

    @property
    def ends(self) -> NDArray[np.float64]:
        """(trials,) seconds from the start to the end of each trial, that of the spikes if any."""
        ends = list(self._ends_of_each().values())
        if not ends:
            last = np.max(self.state_times, initial=0.0) + self.sampling
            ends.append(np.full(self.n_trials, last))
        return np.max(ends, axis=0)

    @property
    def inside(self) -> NDArray[np.bool_]:
        """(trials, times) whether values of states lie before the end of their trial."""
        times, ends = np.asarray(self.state_times), self.ends
        if np.all(ends == ends[:1]):
            return np.ones((ends.size, times.size), bool)
        return times < ends[:, None] - _NEAR * self.sampling

    @property
    def labels(self) -> NDArray[np.int64] | None:
        """(trials,) class of each trial, of the first population that has any; or None."""
        return next((t.labels for t in self.spikes.values() if t.labels is not None), None)

    @property
    def sampling(self) -> float:
        """Seconds between two values of a state."""
        times: Any = self.state_times
        if times.size > 1:
            return float((times[-1] - times[0]) / (times.size - 1))
        return float(self.dt or 0.0)

    def unit(self, state: str) -> str:
        """Return the unit of a state.

        Parameters
        ----------
        state
            Its name, such as "E.U".

        Returns
        -------
        That of `units`, given for "E.U" or for "U" of all populations, else "dimensionless".

        Examples
        --------
        >>> import biosnn as bs
        >>> spikes = bs.SpikeTrains.from_units([[0.1]], duration=0.5)
        >>> bs.data.Recording({"E": spikes}, units={"U": "mV"}).unit("E.U")
        'mV'
        """
        bare = checks.instance(state, "state", str, "a text, such as 'E.U'").partition(".")[2]
        return self.units.get(state, self.units.get(bare, "dimensionless"))

    def _about(self) -> About:
        """Trials, time, and what there is."""
        ends = self.ends
        time = milliseconds(float(ends.max(initial=0)))
        if ends.size and ends.min() < ends.max():
            time = f"{milliseconds(float(ends.min()))} to {time}"
        starts = self.starts
        if np.any(starts):
            time += f", from {milliseconds(float(starts[0]))} on"
        rows = [("trials", f"{self.n_trials:,}"), ("time", time)]
        for name, trains in self.spikes.items():
            rows.append((name, f"{trains.times.size:,} spikes of {trains.n_units:,} units"))
        for name, values in self.states.items():
            rows.append((name, f"{values.shape}, {self.unit(name)}"))
        return About("Recording", rows)

"""What a run recorded: states, spikes and spike counts of all trials, and where they end."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.spike_base import in_trial
from ..data.spike_trains import SpikeTrains
from ..kernels import arrays
from ..network.network import Network
from ..network.perturb import shown
from ..network.perturb_neurons import Perturbation
from ..support.show import About, Shows, milliseconds
from ..support.tables import Table, number
from .layouts import Layout
from .own_ends import counts_within
from .packed import Packed
from .perturbed import Perturbed
from .perturbed_trials import Ran
from .standing import as_arrays
from .state import State


@dataclass(frozen=True, eq=False, repr=False)
class Trace(Shows):
    """What `run` recorded. Step n has the label t = n dt.

    Attributes
    ----------
    network
        The network that was run.
    inputs
        Input name -> the SpikeTrains that drove the run.
    n_steps
        Steps of every trial, or of the longest.
    states
        State name -> array (trial, step, neuron or group), in the unit of the state. The U of
        readouts is always there, as "readout.U".
    counts
        Population -> (trial, neuron) spike counts, until the end of each trial.
    tape
        The network, its input and the recording as kernels read them, for `gradient`.
    mean, variance
        State name -> (trial, neuron) over the steps, of the states in `moments`.
    start
        Seconds that were simulated before this run; times count from there.
    groups
        State name -> labels of its columns, of the states that are means over groups of neurons.
    neurons
        State name -> (neurons,) which neurons of the population are in its columns.
    own_steps
        (trials,) the steps of each trial if the inputs have `ends` of their own. States after the
        end of a trial are there, but belong to no trial. None: all trials have `n_steps`.
    perturbations
        What was done to neurons and synapses in this run; `network` and `inputs` are as before.
    key, ou_sources
        Of the random numbers, and the places of Ornstein-Uhlenbeck sources, for `state`.

    See Also
    --------
    biosnn.plot : figures of it.
    biosnn.stats, biosnn.signals : statistics of its spikes, and signals of its states.
    biosnn.interop : it in the forms of other programs, such as to_neo and to_frame.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> cells = net.population(2, bs.ei_lif(), "excitatory", name="E")
    >>> trace = bs.run(net, duration=0.05, currents={"E": 3.0}, record=["E.U"])
    >>> trace.states["E.U"].shape, trace.duration
    ((1, 50, 2), 0.05)
    """

    network: Network
    inputs: dict[str, SpikeTrains]
    n_steps: int
    states: dict[str, NDArray]
    counts: dict[str, NDArray]
    tape: tuple[Packed, arrays.Drive, arrays.Recording, arrays.Tables]
    mean: dict[str, NDArray] = field(default_factory=dict)
    variance: dict[str, NDArray] = field(default_factory=dict)
    start: float = 0.0
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    neurons: dict[str, NDArray] = field(default_factory=dict)
    own_steps: NDArray[np.int64] | None = None
    perturbations: tuple[Perturbation, ...] = ()
    key: int = 0
    ou_sources: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, 2), np.int64))
    _end: Any = None  # returns where the trials stand at the end

    @property
    def dt(self) -> float:
        """Seconds of a step."""
        return self.network.dt

    @property
    def duration(self) -> float:
        """Seconds of a trial, or of the longest."""
        return self.n_steps * self.dt

    @property
    def ends(self) -> NDArray[np.float64] | None:
        """(trials,) seconds at which each trial ends, or None if all last as long."""
        return None if self.own_steps is None else self.own_steps.astype(np.float64) * self.dt

    @property
    def mean_duration(self) -> float:
        """Seconds of a trial, on average."""
        return self.duration if self.ends is None else float(self.ends.mean())

    @property
    def n_trials(self) -> int:
        """Number of trials."""
        return self.tape[2].counts.shape[0]

    @property
    def times(self) -> NDArray[np.float64]:
        """(steps,) labels of the steps in seconds."""
        return np.arange(self.n_steps, dtype=float) * self.dt

    @property
    def labels(self) -> NDArray | None:
        """(trials,) labels of the inputs, or None."""
        return next((train.labels for train in self.inputs.values()), None)

    @property
    def has_tape(self) -> bool:
        """Whether the run kept what `gradient` needs."""
        return self.tape[2].margin.shape[1] == self.n_steps

    @cached_property
    def state(self) -> State:
        """The state of all trials at the end, to go on with `run(…, state=trace.state)`.

        ValueError where trials end at different times.
        """
        if self.own_steps is not None:
            raise ValueError(
                f"the trials of this trace end after {self.own_steps.min()} to "
                f"{self.own_steps.max()} steps, so there is no state that all of them could go on "
                "from; run them one by one, spikes[b], or trials of one length."
            )
        end = self._end()
        own: dict[str, Any] = {"key": np.uint64(self.key), "ou_sources": self.ou_sources}
        return State(self.network.later_fingerprint(), end.first_step, as_arrays(end) | own)

    @cached_property
    def spikes(self) -> dict[str, SpikeTrains]:
        """Population -> SpikeTrains of all trials, of what spikes or pools spikes."""
        packed, _, recording, _ = self.tape
        spiking = [p for p in packed.order if p.kind != "readout"]
        pointers = recording.spikes.pointers[:, recording.spikes.before * len(spiking) :]
        sizes = np.diff(pointers, axis=1).reshape(self.n_trials, self.n_steps, len(spiking))
        if self.own_steps is not None:
            sizes = sizes * in_trial(self.own_steps, self.n_steps)[..., None]
        result = {}
        for p, population in enumerate(spiking):
            start = pointers[:, :-1].reshape(sizes.shape)[..., p].ravel()
            count = sizes[..., p].ravel()
            ends = np.cumsum(count)
            at = np.repeat(start - ends + count, count) + np.arange(count.sum())
            times = np.tile(self.times, self.n_trials).repeat(count)
            offsets = np.concatenate([[0], np.cumsum(sizes[..., p].sum(axis=1))])
            units = recording.spikes.units[at]
            result[population.name] = SpikeTrains(
                times=times,
                units=units,
                offsets=offsets,
                n_units=population.n,
                duration=self.duration,
                labels=self.labels,
                ends=self.ends,
            )
        return result

    def _about(self) -> About:
        """Trials, time, what was recorded, and the mean rates."""
        time = f"{milliseconds(self.duration)} in {self.n_steps:,} steps"
        if self.ends is not None:
            time = f"{milliseconds(self.ends.min())} to {time}"
        if self.start:
            time += f", from {milliseconds(self.start)} on"
        rows = [("trials", f"{self.n_trials:,}"), ("time", time)]
        states = [f"{name} {values.shape}" for name, values in self.states.items()]
        rows.append(("states", ", ".join(states) or "none"))
        if self.mean:
            rows.append(("moments", ", ".join(self.mean)))
        rows += shown(self.network, self.perturbations)
        rows.append(("tape", "yes: gradient(trace, …) works" if self.has_tape else "no"))
        rates = [
            (name, f"{counts.shape[1]:,}", number(counts.mean() / self.mean_duration))
            for name, counts in self.counts.items()
            if counts.size
        ]
        return About("Trace", rows, Table("", ("population", "neurons", "rate (Hz)"), rates))


def make_trace(
    packed: Packed,
    ran: Ran,
    layout: Layout,
    steps: int,
    trains: dict[str, SpikeTrains],
    moments: Layout,
    own_steps: NDArray[np.int64] | None,
    change: Perturbed,
    key: int,
    ou_sources: NDArray[np.int64],
) -> Trace:
    """Return the Trace of what a forward pass recorded.

    Parameters
    ----------
    packed
        The network.
    ran
        What the forward pass did.
    layout
        Layout of the states in the recording.
    steps
        Number of steps of the longest trial.
    trains
        The inputs by name.
    moments
        Layout of the states of which there are mean and variance alone.
    own_steps
        (trials,) steps of each trial, or None where all have as many.
    change
        The network that was given, and its perturbations.
    key, ou_sources
        Of the random numbers and of the background.
    """
    recording, kept = ran.recording, moments.columns
    counts = counts_within(packed, recording, own_steps)
    return Trace(
        network=change.given,
        inputs=trains,
        n_steps=steps,
        states={name: recording.states[..., at] for name, at in layout.columns.items()},
        counts={p.name: counts[:, packed.neurons(p.name)] for p in packed.network.firing},
        tape=(packed, ran.drive, recording, ran.tables),
        mean={name: recording.moments[:, 0, at] for name, at in kept.items()},
        variance={name: recording.moments[:, 1, at] / steps for name, at in kept.items()},
        start=ran.drive.first_step * packed.network.dt,
        own_steps=own_steps,
        perturbations=change.perturbations,
        key=key,
        ou_sources=ou_sources,
        _end=ran.end,
    )

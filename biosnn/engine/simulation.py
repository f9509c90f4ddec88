"""What a simulated network did: spikes, rates, recorded states, and where it stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..data.spike_file import read_spikes
from ..data.spike_trains import SpikeTrains
from ..network.network import Network
from ..network.perturb import shown
from ..network.perturb_neurons import Perturbation
from ..support import timegrid
from ..support.show import About, Shows, milliseconds
from ..support.tables import Table, number
from .plasticity import learned_weights
from .state import State


@dataclass(frozen=True, eq=False, repr=False)
class Simulation(Shows):
    """What `simulate` returns.

    Attributes
    ----------
    network
        The network that was simulated.
    start
        Seconds that were simulated before this run; times below count from there.
    duration
        Seconds of this run; less than asked for where it was `interrupted` before the end.
    counts
        Population -> number of spikes, of inputs and spiking populations.
    binned
        Population -> (bins,) number of spikes in bins of `rate_bin` seconds.
    rate_bin
        Seconds of a bin.
    states
        State name -> (times, chosen neurons or groups), values at the end of steps.
    state_times
        (times,) seconds of these values.
    neurons
        State name -> (chosen neurons,) which neurons of the population they are.
    wall
        Seconds that the run took, without building the network or compiling.
    interrupted
        Whether Ctrl-C or a full disk ended it.
    state
        Where it stands, to go on from.
    groups
        State name -> labels of its columns, of the states that are means over groups of neurons.
    perturbations
        What was done to neurons and synapses in this run; `network` is as before.
    trial
        Which trial it is, of several that one call simulated.

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
    >>> done = bs.simulate(net, 0.05, background=[bs.Current("E", 3.0)], progress=False)
    >>> done.duration, done.spikes["E"].n_units, done.mean_rates["E"] > 0
    (0.05, 2, True)
    """

    network: Network
    start: float
    duration: float
    counts: dict[str, int]
    binned: dict[str, NDArray[np.int64]]
    rate_bin: float
    states: dict[str, NDArray]
    state_times: NDArray[np.float64]
    wall: float
    interrupted: bool
    state: State
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _events: dict[str, tuple[NDArray, NDArray]] = field(default_factory=dict)
    neurons: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    perturbations: tuple[Perturbation, ...] = ()
    trial: int = 0
    _out: tuple | None = None  # (path, which run) of a file of spikes

    @cached_property
    def spikes(self) -> dict[str, SpikeTrains]:
        """Population -> SpikeTrains of one trial, for the recorded populations.

        They are read from the file if they went there; what no longer fitted into the file is
        there, too.
        """
        trains = {
            name: SpikeTrains(
                times=steps * self.network.dt,
                units=units,
                offsets=np.array([0, units.size]),
                n_units=self.network[name].n,
                duration=self.duration,
            )
            for name, (steps, units) in self._events.items()
        }
        if self._out is None:
            return trains
        path, run = self._out
        filed = read_spikes(path, run=run)
        return {
            name: filed[name]
            if filed[name].duration == self.duration
            else _joined(filed[name], rest)
            for name, rest in trains.items()
        }

    @property
    def weights(self) -> Mapping[str, NDArray]:
        """Projection -> weights at the end: those that the run has learned, else the network's."""
        learned = learned_weights(self.state)
        return self.network.weights | {
            name: self.network.synapses[name].in_order_of_weights(each)
            for name, each in learned.items()
        }

    @property
    def rates(self) -> dict[str, NDArray[np.float64]]:
        """Population -> (bins,) mean rate of its neurons in hertz, in bins of `rate_bin` s."""
        steps, total = (
            max(1, timegrid.nearest_steps(t, self.network.dt))
            for t in (self.rate_bin, self.duration)
        )
        length = np.minimum(steps, total - steps * np.arange(-(-total // steps))) * self.network.dt
        return {
            name: count / (self.network[name].n * length) for name, count in self.binned.items()
        }

    @property
    def mean_rates(self) -> dict[str, float]:
        """Population -> mean rate of its neurons in hertz over the run."""
        return {
            name: count / (self.network[name].n * self.duration)
            for name, count in self.counts.items()
        }

    @property
    def real_time_factor(self) -> float:
        """Seconds of wall time for one simulated second."""
        return self.wall / self.duration

    def _about(self) -> About:
        """Time, what was recorded, and the mean rates."""
        rows = [
            ("time", milliseconds(self.duration)),
            ("wall", f"{self.wall:.3g} s ({self.real_time_factor:.3g} s per second)"),
        ]
        if self.start:
            rows.insert(1, ("start", milliseconds(self.start)))
        rows += shown(self.network, self.perturbations)
        if self.interrupted:
            rows.append(("interrupted", "before the end"))
        if self.states:
            shapes = [f"{name} {values.shape}" for name, values in self.states.items()]
            rows.append(("states", ", ".join(shapes)))
        lines = [
            (name, f"{self.network[name].n:,}", f"{self.counts[name]:,}", number(rate))
            for name, rate in self.mean_rates.items()
        ]
        headings = ("population", "neurons", "spikes", "rate (Hz)")
        return About("Simulation", rows, Table("", headings, lines))


def _joined(first, rest):
    """The spikes of two parts of a run of one trial, the first of which have gone to a file."""
    times, units = (
        np.concatenate([getattr(part, name) for part in (first, rest)])
        for name in ("times", "units")
    )
    return SpikeTrains(
        times=times,
        units=units,
        offsets=np.array([0, units.size]),
        n_units=rest.n_units,
        duration=rest.duration,
    )

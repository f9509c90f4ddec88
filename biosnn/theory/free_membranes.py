"""Free membranes (threshold off), measured: copies that receive the same spikes and never fire.

Some neurons of every population get a copy, a probe, with the same synapses and a background of
the same kind. `replayed` gives the probes the spikes of a simulation; the initializer runs them
together with the circuit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..data.spike_trains import SpikeTrains
from ..engine.background import Current, OrnsteinUhlenbeck, PoissonInput, pieces
from ..engine.simulate import simulate
from ..engine.simulation import Simulation
from ..network.connectivity import Pairs
from ..network.network import Network
from ..network.neuron import free_membrane, of_neurons
from ..network.plasticity import ShortTerm
from ..support import timegrid
from .moments import Moments, adaptation_gain

#: Probes of a population.
NEURONS = 250
#: Seconds between two samples of their membranes.
SAMPLE = 1e-3
#: A replay counts after so many of the slowest time constants.
SETTLE = 5
#: Seconds that count: at least and at most.
LEAST, MOST = 1.0, 4.0
#: Seconds for which a circuit goes on where the spikes of its simulation do not suffice.
MORE = 2.0
#: Seed of the background of probes: hardly anybody's, so that it is independent of the neurons'.
REPLAY_SEED = 6_274_390_211


def probe(name: str) -> str:
    """Name of the probes of a population, or of the projection onto them."""
    return f"{name} (probe)"


class Probed:
    """The probes of a network, as populations of another one, the host.

    The sources of projections have the same names in both.

    Parameters
    ----------
    network
        The network whose neurons are copied.
    host
        The network that gets the probes.
    rng
        Chooses which neurons are copied.
    first
        Step of the background at which the probes start.
    """

    def __init__(self, network: Network, host: Network, rng: np.random.Generator, first: int = 0):
        self.network = network
        self.host = host
        self.rng = rng
        self.first = first
        self.units: dict[str, np.ndarray] = {}  # population -> neurons that have a probe
        self.kept: dict[str, Any] = {}  # projection -> its synapses onto them, as an index
        self.background: list[Any] = []  # of the probes

    def add(self, population: Any, background: Sequence) -> None:
        """Add the probes of a population with their background; `connect` adds the synapses."""
        units = np.sort(self.rng.permutation(population.n)[:NEURONS])
        self.units[population.name] = units
        neuron = of_neurons(free_membrane(population.neuron), units)
        bias = self.network.bias(population)[units] if population.bias else None
        self.host.population(
            units.size,
            neuron,
            name=probe(population.name),
            bias=bias,
        )
        self.background += [
            self._copied(source, population, units)
            for source in background
            if source.population == population.name
        ]

    def _copied(self, source, population, units):
        """A source of background for the probes, from step `first` on."""
        if isinstance(source, PoissonInput):
            changed = {"rate": self._from_first(source.rate, population, units)}
        elif isinstance(source, OrnsteinUhlenbeck):
            values = {"mean": source.mean, "sd": source.sd}
            changed = {key: x[units] if np.ndim(x) else x for key, x in values.items()}
        else:
            changed = {"values": self._from_first(source.values, population, units)}
        return replace(source, population=probe(population.name), **changed)

    def _from_first(self, value, population, units):
        """(starts in seconds, values of the probes) of what may change with time."""
        dt = self.network.dt
        starts, values = pieces(value, population.n, dt, population.name)
        now = int(np.searchsorted(starts, self.first, side="right")) - 1
        starts = np.maximum(starts[now:] - self.first, 0)
        values = values[now:]
        return starts * dt, values[:, units] if values.shape[1] > 1 else values[:, 0]

    def connect(self, projection: Any, plasticity: Any = None) -> None:
        """Add a second projection, with the synapses whose targets have probes."""
        p = projection
        synapses = self.network.synapses.get(p.name)
        units = self.units[p.post]
        options = {"receptor": p.receptor, "name": probe(p.name), "plasticity": plasticity}
        if synapses is None:
            self.kept[p.name] = (slice(None), units)
            self.host.connect(p.pre, probe(p.post), delay=p.delay, **options)
            return
        number = np.full(synapses.n_post, -1)
        number[units] = np.arange(units.size)
        at = np.flatnonzero(number[synapses.target] >= 0)
        pre = np.searchsorted(synapses.first, at, side="right") - 1
        delay = p.delay
        if delay is None:
            delay = np.broadcast_to(synapses.delay, synapses.size)[at] * self.network.dt
        self.kept[p.name] = at
        pairs = Pairs(pre, number[synapses.target[at]])
        options |= {"delay": delay, "synapses": pairs}
        self.host.connect(p.pre, probe(p.post), **options)

    def set_weights(self, weights: Mapping[str, Any]) -> None:
        """Set the weights onto the probes; `weights`: projection to weights, as in the network."""
        for name, at in self.kept.items():
            w = weights[name]
            synapses = self.network.synapses.get(name)
            if np.ndim(w):
                each = w if synapses is None else synapses.weight_of_each(w)
                w = each[at]
            self.host.set_weights(probe(name), w, copy=False)

    def adaptation(self, rates: Mapping[str, float]) -> list[Current]:
        """What adaptation adds to the mean of the probes at the given rates (name to Hz)."""
        neurons: dict[str, Any] = {name: self.network[name].neuron for name in self.units}
        return [
            Current(probe(name), adaptation_gain(neuron) * rates[name])
            for name, neuron in neurons.items()
            if neuron.spike_jumps
        ]

    def record(self) -> dict[str, Any]:
        """Return the options of `simulate` that record the membranes of the probes."""
        every = max(1, timegrid.nearest_steps(SAMPLE, self.network.dt))
        states = {f"{probe(name)}.U": slice(None) for name in self.units}
        return {"record": states, "every": every}

    def moments(self, run: Simulation) -> dict[str, Moments]:
        """Return population to moments of its probes in a simulation of the host.

        sigma is the root mean square over neurons of the standard deviation over time.
        """
        return {name: _moments(run.states[f"{probe(name)}.U"]) for name in self.units}


def _moments(u):
    """Moments of recorded membranes (step, neuron)."""
    u = u.astype(float)
    return Moments(
        mu=float(u.mean()),
        sigma=float(np.sqrt(u.var(axis=0).mean())),
        spread=float(u.mean(axis=0).std()),
    )


def check_whole(*runs: Simulation) -> None:
    """Raise KeyboardInterrupt for runs that were interrupted: half a measurement is none."""
    if any(run.interrupted for run in runs):
        raise KeyboardInterrupt


# ------------------------------------------------------------------------------------------- replay


def replayed(
    network: Network, background: Sequence, simulation: Simulation, means: Mapping[str, float]
) -> tuple[dict[str, Moments], dict[str, str]]:
    """Measure the free membranes in a simulation, with probes that receive its spikes.

    The last seconds of the simulation count. Where its spikes were not recorded, or are too few,
    the circuit goes on from its state.

    Parameters
    ----------
    network
        The network of the simulation, with learned time constants in place.
    background
        Its background, with the names of populations.
    simulation
        What `simulate` returned.
    means
        Population to the value at which the membranes of its probes start.

    Returns
    -------
    moments : dict
        Population to Moments of its free membrane (mu, sigma, spread).
    why : dict
        Population to the reason why it was not measured.
    """
    spiking = {p.name for p in network.spiking}
    projections = [p for p in network.projections if p.post in spiking]
    why = _unknown_inputs(projections, spiking, simulation.spikes)
    measured = [p for p in network.spiking if p.name not in why]
    projections = [p for p in projections if p.post not in why]
    sources = list(dict.fromkeys(p.pre for p in projections))
    settle = SETTLE * _slowest(measured, projections)
    recorded = all(name in simulation.spikes for name in sources)
    if not recorded or simulation.duration < settle + LEAST:
        if network.inputs:
            needed = f"that takes {settle + LEAST:.2g} s with the spikes of all populations"
            return {}, why | {p.name: needed for p in measured}
        simulation = simulate(
            simulation.network,
            settle + MORE,
            background=background,
            state=simulation.state,
            record_spikes=[name for name in sources if name in spiking],
            progress=False,
        )
        check_whole(simulation)
    if not measured:
        return {}, why
    probes = _probed(network, background, simulation, measured, projections, settle)
    return _replay(probes, simulation, sources, settle, means), why


def _unknown_inputs(projections, spiking, known):
    """Population -> why it cannot be measured: the spikes of one of its inputs are not there."""
    unknown = {p.post: p.pre for p in projections if p.pre not in spiking and p.pre not in known}
    return {
        post: f"the spikes of the input {pre!r} are not in the simulation: simulate(…, "
        f"record_spikes=[…, {pre!r}])"
        for post, pre in unknown.items()
    }


def _lengths(simulation, dt, settle):
    """Steps of a simulation, of those that are replayed, and of those before they count."""
    total = timegrid.nearest_steps(simulation.duration, dt)
    before = max(1, timegrid.nearest_steps(settle, dt))
    return total, min(total, before + timegrid.nearest_steps(MOST, dt)), before


def _probed(network, background, simulation, measured, projections, settle):
    """Probes in a network whose inputs are the sources of the projections."""
    host = Network(network.dt, network.dtype)
    for name in dict.fromkeys(p.pre for p in projections):
        host.input(network[name].n, name=name, sign=network[name].sign)
    total, length, _ = _lengths(simulation, network.dt, settle)
    first = timegrid.nearest_steps(simulation.start, network.dt) + total - length
    probes = Probed(network, host, np.random.default_rng(0), first)
    for population in measured:
        probes.add(population, background)
    for p in projections:
        probes.connect(p, p.plasticity if isinstance(p.plasticity, ShortTerm) else None)
    probes.set_weights(simulation.weights)
    return probes


def _replay(probes, simulation, sources, settle, means):
    """Population -> Moments of probes that receive the last spikes of a simulation."""
    host, dt = probes.host, probes.host.dt
    total, length, before = _lengths(simulation, dt, settle)

    def spikes(first, last):
        first, last = total - length + first, total - length + last
        return {name: _cut(simulation.spikes[name], first, last, dt) for name in sources} or None

    options = {
        "background": probes.background + probes.adaptation(simulation.mean_rates),
        "progress": False,
        "merge": False,
    }
    initial = {f"{probe(name)}.U": means[name] for name in probes.units}
    warm = simulate(
        host, before * dt, spikes(0, before), initial=initial, seed=REPLAY_SEED, **options
    )
    options |= probes.record()
    run = simulate(
        host, (length - before) * dt, spikes(before, length), state=warm.state, **options
    )
    check_whole(warm, run)
    return probes.moments(run)


def _cut(spikes, first, last, dt):
    """The spikes of steps first … last - 1 of one trial, as a trial of their own."""
    steps = timegrid.steps_of(spikes.times, dt)
    chosen = (steps >= first) & (steps < last)
    units = spikes.units[chosen]
    times = (steps[chosen] - first) * dt
    return SpikeTrains(times, units, [0, units.size], spikes.n_units, (last - first) * dt)


def _slowest(populations, projections):
    """Seconds: the longest time constant on the way from spikes to membranes."""
    taus = [np.max(tau) for p in populations for tau in p.neuron.time_constants.values()]
    plastic = [p.plasticity for p in projections if isinstance(p.plasticity, ShortTerm)]
    return float(max(taus + [max(rule.tau_rec, rule.tau_facil) for rule in plastic], default=0.0))

"""Free membranes (threshold off) of a circuit: some neurons of every population get a copy that receives the same synapses and a
background of the same kind, and never spikes. `Probes` runs them with the circuit, `replayed` gives them the spikes of a simulation."""

import copy
from dataclasses import dataclass, replace

import numpy as np

from ..analysis import stats
from ..data.poisson import poisson
from ..data.spike_trains import SpikeTrains
from ..engine.background import Current, OrnsteinUhlenbeck, PoissonInput, pieces
from ..engine.simulate import simulate
from ..network.connectivity import Pairs
from ..network.network import Network
from ..network.neuron import free_membrane
from ..network.plasticity import TsodyksMarkram
from ..support import timegrid
from ..support.seeds import stream
from ..theory.moments import adaptation_gain

NEURONS, SAMPLE = (
    250,
    1e-3,
)  # probes of a population; seconds between two samples of their membranes
SETTLE, LEAST, MOST, MORE = (
    5,
    1.0,
    4.0,
    2.0,
)  # of a replay: slowest time constants before it counts; seconds that count; that a circuit goes on
REPLAY_SEED = 6_274_390_211  # of the background of probes: hardly anybody's, so that it is independent of that of the neurons


@dataclass(frozen=True)
class FreeMembrane:
    """Of one population: mean; standard deviation over time (root mean square over neurons) and of the means over neurons; rate; ISI CV."""

    mu: float
    sigma: float
    spread: float
    rate: float
    cv: float


class _Copies:
    """Probes of a network in `host`, a network in which the sources of its projections have the names that they have there.

    background: what the probes receive in place of the background of their populations;  first: the step of it at which they start
    """

    def __init__(self, network, host, rng, first=0):
        self.network, self.host, self.rng, self.first = network, host, rng, first
        self.units, self.kept, self.background = {}, {}, []

    def add(self, population, background):
        """Probes of a population, with their background. Synapses come with `connect`."""
        p = population
        units = self.units[p.name] = np.sort(self.rng.permutation(p.n)[:NEURONS])
        bias = self.network.bias(p)[units] if p.bias else None
        self.host.population(units.size, _free(p.neuron, units), name=probe(p.name), bias=bias)
        self.background += [
            self._copied(source, p, units) for source in background if source.population == p.name
        ]

    def _copied(self, source, population, units):
        dt = self.network.dt

        def of_probes(value):
            starts, values = pieces(value, population.n, dt, population.name)
            now = int(np.searchsorted(starts, self.first, side="right")) - 1
            starts, values = np.maximum(starts[now:] - self.first, 0), values[now:]
            return starts * dt, values[:, units] if values.shape[1] > 1 else values[:, 0]

        if isinstance(source, PoissonInput):
            changed = {"rate": of_probes(source.rate)}
        elif isinstance(source, OrnsteinUhlenbeck):
            changed = {
                key: values[units] if np.ndim(values := getattr(source, key)) else values
                for key in ("mean", "sd")
            }
        else:
            changed = {"values": of_probes(source.values)}
        return replace(source, population=probe(population.name), **changed)

    def connect(self, p, plasticity=None):
        """A second projection with the synapses whose targets have probes."""
        synapses, units, name = (
            self.network.synapses.get(p.name),
            self.units[p.post],
            f"{p.name} (probe)",
        )
        if synapses is None:
            self.kept[p.name] = (slice(None), units)
            self.host.connect(p.pre, probe(p.post), delay=p.delay, receptor=p.receptor, name=name)
            return
        number, chosen = np.zeros(synapses.n_post, np.int64), np.zeros(synapses.n_post, bool)
        number[units], chosen[units] = np.arange(units.size), True
        at = np.flatnonzero(chosen[synapses.target])
        pre = np.searchsorted(synapses.first, at, side="right") - 1
        delay = (
            p.delay
            if p.delay is not None
            else np.broadcast_to(synapses.delay, synapses.size)[at] * self.network.dt
        )
        self.kept[p.name] = at
        self.host.connect(
            p.pre,
            probe(p.post),
            delay=delay,
            receptor=p.receptor,
            name=name,
            synapses=Pairs(pre, number[synapses.target[at]]),
            plasticity=plasticity,
        )

    def set_weights(self, weights):
        """Those of the probes; weights: projection -> as in the network."""
        for p, at in self.kept.items():
            w, synapses = weights[p], self.network.synapses.get(p)
            each = synapses.weight_of_each(w) if synapses is not None and np.ndim(w) else w
            self.host.set_weights(f"{p} (probe)", each[at] if np.ndim(w) else w, copy=False)

    def own(self, rates):
        """What adaptation adds to the mean of the probes at these rates (name -> Hz)."""
        return [
            Current(probe(name), adaptation_gain(self.network[name].neuron) * rates[name])
            for name in self.units
            if self.network[name].neuron.spike_jumps
        ]

    def record(self):
        """For `simulate`."""
        return {
            "record": {f"{probe(name)}.U": slice(None) for name in self.units},
            "every": max(1, timegrid.nearest_steps(SAMPLE, self.network.dt)),
        }


class Probes:
    """A network with probes. It shares synapses with the network and takes its weights anew in every measurement."""

    def __init__(self, network, background, rng):
        self.network, self.seed = network, int(rng.integers(2**63))
        self.with_probes = copy.copy(network)
        self.with_probes._populations = {p.name: p for p in network.inputs + network.spiking}
        projections = [p for p in network.projections if network[p.post].kind == "spiking"]
        self.with_probes._projections = {p.name: p for p in projections}
        self.with_probes.synapses, self.with_probes.weights = dict(network.synapses), {}
        self.with_probes.parameters = dict(network.parameters)
        self.copies = _Copies(network, self.with_probes, rng)
        for p in network.spiking:
            self.copies.add(p, background)
        for p in projections:
            self.copies.connect(p)
        self.background, self.units = [*background, *self.copies.background], self.copies.units

    def measure(self, rates, initial, warm_up, seconds, threads):
        """Population -> FreeMembrane, in a simulation of `seconds` after `warm_up`, with the weights that the network has now.

        rates     name -> Hz: of inputs, which get Poisson trains, and of populations, whose adaptation the probes share
        initial   as for `simulate`
        The random numbers are the same in every measurement.
        """
        for p in self.copies.kept:
            self.with_probes.set_weights(p, self.network.weights[p], copy=False)
        self.copies.set_weights(self.network.weights)
        options = {
            "background": self.background + self.copies.own(rates),
            "threads": threads,
            "progress": False,
            "record_spikes": [p.name for p in self.network.spiking],
        }
        parts = [
            {
                p.name: poisson(rates[p.name], p.n, length, seed=stream(self.seed, p.name, part))
                for p in self.network.inputs
            }
            or None
            for part, length in (("warm-up", warm_up), ("measurement", seconds))
        ]
        warm = simulate(
            self.with_probes, warm_up, parts[0], seed=self.seed, initial=initial, **options
        )
        run = simulate(
            self.with_probes, seconds, parts[1], state=warm.state, **options, **self.copies.record()
        )
        _check_whole(warm, run)
        return {
            name: FreeMembrane(
                *_moments(run, name), run.mean_rates[name], stats.pooled_cv(run.spikes[name])[0]
            )
            for name in self.units
        }


# ------------------------------------------------------------------------------------------- replay


def replayed(network, background, simulation, means):
    """(population -> (mean, standard deviation over time) of its free membrane in a simulation, population -> why it was not measured).

    The probes receive the spikes of the last seconds of the simulation; where these were not recorded, or are too few, of seconds that go
    on from its state. network: with learned time constants in place;  means: population -> where the membrane of the probes starts.
    """
    spiking = {p.name for p in network.spiking}
    projections = [p for p in network.projections if p.post in spiking]
    known = simulation.spikes
    unknown = {p.post: p.pre for p in projections if p.pre not in spiking and p.pre not in known}
    measured = [p for p in network.spiking if p.name not in unknown]
    why = {
        post: f"the spikes of the input {pre!r} are not in the simulation: simulate(…, record_spikes=[…, {pre!r}])"
        for post, pre in unknown.items()
    }
    projections = [p for p in projections if p.post not in unknown]
    sources = list(dict.fromkeys(p.pre for p in projections))
    settle = SETTLE * _slowest(measured, projections)
    if not all(name in known for name in sources) or simulation.duration < settle + LEAST:
        if network.inputs:
            return {}, why | {
                p.name: f"that takes {settle + LEAST:.2g} s with the spikes of all populations"
                for p in measured
            }
        simulation = simulate(
            simulation.network,
            settle + MORE,
            background=background,
            state=simulation.state,
            record_spikes=[name for name in sources if name in spiking],
            progress=False,
        )
        _check_whole(simulation)
    return (
        _replay(network, background, simulation, measured, projections, sources, settle, means)
        if measured
        else {}
    ), why


def _replay(network, background, simulation, measured, projections, sources, settle, means):
    dt = network.dt
    total, before = (
        timegrid.nearest_steps(simulation.duration, dt),
        max(1, timegrid.nearest_steps(settle, dt)),
    )
    length = min(total, before + timegrid.nearest_steps(MOST, dt))
    host = Network(dt, network.dtype)
    for name in sources:
        host.input(network[name].n, name=name, sign=network[name].sign)
    copies = _Copies(
        network,
        host,
        np.random.default_rng(0),
        timegrid.nearest_steps(simulation.start, dt) + total - length,
    )
    for p in measured:
        copies.add(p, background)
    for p in projections:
        copies.connect(p, p.plasticity if isinstance(p.plasticity, TsodyksMarkram) else None)
    copies.set_weights(simulation.weights)
    options = {
        "background": copies.background + copies.own(simulation.mean_rates),
        "progress": False,
        "merge": False,
        "seed": REPLAY_SEED,
    }
    initial = {f"{probe(p.name)}.U": means[p.name] for p in measured}
    parts = [
        {
            name: _cut(simulation.spikes[name], total - length + first, total - length + last, dt)
            for name in sources
        }
        or None
        for first, last in ((0, before), (before, length))
    ]
    warm = simulate(host, before * dt, parts[0], initial=initial, **options)
    del options["seed"]
    run = simulate(
        host, (length - before) * dt, parts[1], state=warm.state, **options, **copies.record()
    )
    _check_whole(warm, run)
    return {p.name: _moments(run, p.name)[:2] for p in measured}


def _cut(spikes, first, last, dt):
    """The spikes of steps first .. last - 1 of one trial, as a trial of their own."""
    steps = timegrid.steps_of(spikes.times, dt)
    chosen = (steps >= first) & (steps < last)
    units = spikes.units[chosen]
    return SpikeTrains(
        (steps[chosen] - first) * dt, units, [0, units.size], spikes.n_units, (last - first) * dt
    )


def _slowest(populations, projections):
    """Seconds: the longest time constant on the way from spikes to membranes."""
    taus = [np.max(tau) for p in populations for tau in p.neuron.time_constants.values()]
    plastic = [p.plasticity for p in projections if isinstance(p.plasticity, TsodyksMarkram)]
    return float(max(taus + [max(rule.tau_rec, rule.tau_facil) for rule in plastic], default=0.0))


def _check_whole(*runs):
    """simulate returns what there is after Ctrl-C; half a measurement is none."""
    if any(run.interrupted for run in runs):
        raise KeyboardInterrupt


def probe(name):
    """The name of the probes of a population."""
    return f"{name} (probe)"


def _free(neuron, units):
    taus = {
        name: tau[units] if np.ndim(tau) else tau for name, tau in neuron.time_constants.items()
    }
    return replace(free_membrane(neuron), time_constants=taus)


def _moments(run, name):
    """(mean, standard deviation over time, standard deviation of the means) of the probes of a population."""
    u = run.states[f"{probe(name)}.U"].astype(float)
    return float(u.mean()), float(np.sqrt(u.var(axis=0).mean())), float(u.mean(axis=0).std())

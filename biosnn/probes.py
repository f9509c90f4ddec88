"""Free membranes (threshold off) of a circuit as it runs: some neurons of every population get a copy that receives the same synapses
and a background of the same kind, and never spikes."""
import copy
from dataclasses import dataclass, replace

import numpy as np

from . import stats
from .background import Current, OrnsteinUhlenbeck, PoissonInput, pieces
from .connectivity import Pairs
from .data.poisson import poisson
from .moments import adaptation_gain
from .neuron import free_membrane
from .simulation import simulate
from .support import timegrid

NEURONS, SAMPLE = 250, 1e-3     # probes of a population; seconds between two samples of their membranes


@dataclass(frozen=True)
class FreeMembrane:
    """Of one population: mean; standard deviation over time (root mean square over neurons) and of the means over neurons; rate; ISI CV."""
    mu: float
    sigma: float
    spread: float
    rate: float
    cv: float


class Probes:
    """A network with probes. It shares synapses with the network and takes its weights anew in every measurement."""

    def __init__(self, network, background, rng):
        self.network, self.background, self.seed = network, list(background), int(rng.integers(2 ** 63))
        self.with_probes = copy.copy(network)
        self.with_probes._populations = {p.name: p for p in network.inputs + network.spiking}
        projections = [p for p in network.projections if network[p.post].kind == "spiking"]
        self.with_probes._projections = {p.name: p for p in projections}
        self.with_probes.synapses, self.with_probes.weights = dict(network.synapses), {}
        self.with_probes.tau_parameters = dict(network.tau_parameters)
        self.units, self.kept = {}, {}
        for p in network.spiking:
            self.units[p.name] = np.sort(rng.permutation(p.n)[:NEURONS])
            units = self.units[p.name]
            self.with_probes.population(units.size, _free(p.neuron, units), name=_probe(p.name), bias=network.bias(p)[units] if p.bias else None)
            self._copy_background(p)
        for p in projections:
            self._copy_synapses(p)

    def _copy_background(self, population):
        n, units, dt = population.n, self.units[population.name], self.network.dt

        def of_probes(value):
            starts, values = pieces(value, n, dt, population.name)
            return starts * dt, values[:, units] if values.shape[1] > 1 else values[:, 0]
        for source in [s for s in self.background if s.population == population.name]:
            if isinstance(source, PoissonInput):
                changed = {"rate": of_probes(source.rate)}
            elif isinstance(source, OrnsteinUhlenbeck):
                changed = {key: values[units] if np.ndim(values := getattr(source, key)) else values for key in ("mean", "sd")}
            else:
                changed = {"values": of_probes(source.values)}
            self.background.append(replace(source, population=_probe(population.name), **changed))

    def _copy_synapses(self, p):
        """A second projection with the synapses whose targets have probes."""
        synapses, units, name = self.network.synapses.get(p.name), self.units[p.post], f"{p.name} (probe)"
        if synapses is None:
            self.kept[p.name] = (slice(None), units)
            self.with_probes.connect(p.pre, _probe(p.post), p.delay, receptor=p.receptor, name=name)
            return
        number = np.full(synapses.n_post, -1)
        number[units] = np.arange(units.size)
        at = np.flatnonzero(number[synapses.target] >= 0)
        pre = np.searchsorted(synapses.first, at, side="right") - 1
        delay = p.delay if p.delay is not None else np.broadcast_to(synapses.delay, synapses.size)[at] * self.network.dt
        self.kept[p.name] = at
        self.with_probes.connect(p.pre, _probe(p.post), delay, receptor=p.receptor, name=name, synapses=Pairs(pre, number[synapses.target[at]]))

    def measure(self, rates, initial, warm_up, seconds, threads):
        """Population -> FreeMembrane, in a simulation of `seconds` after `warm_up`, with the weights that the network has now.

        rates     name -> Hz: of inputs, which get Poisson trains, and of populations, whose adaptation the probes share
        initial   as for `simulate`
        The random numbers are the same in every measurement.
        """
        for p in self.kept:
            weights = self.network.weights[p]
            self.with_probes.set_weights(p, weights, copy=False)
            each = self.network.synapses[p].weight_of_each(weights) if p in self.network.synapses and np.ndim(weights) else weights
            self.with_probes.set_weights(f"{p} (probe)", each[self.kept[p]] if np.ndim(weights) else weights, copy=False)
        own = [Current(_probe(p.name), adaptation_gain(p.neuron) * rates[p.name]) for p in self.network.spiking if p.neuron.spike_jumps]
        options = {"background": self.background + own, "threads": threads, "progress": False,
                   "record_spikes": [p.name for p in self.network.spiking]}
        parts = [{p.name: poisson(rates[p.name], p.n, length, seed=[self.seed, k, n]) for n, p in enumerate(self.network.inputs)} or None
                 for k, length in enumerate((warm_up, seconds))]
        warm = simulate(self.with_probes, warm_up, parts[0], seed=self.seed, initial=initial, **options)
        record = {f"{_probe(name)}.U": slice(None) for name in self.units}
        run = simulate(self.with_probes, seconds, parts[1], state=warm.state, record=record,
                       every=max(1, timegrid.nearest_steps(SAMPLE, self.network.dt)), **options)
        if warm.interrupted or run.interrupted:      # simulate returns what there is; half a measurement is none
            raise KeyboardInterrupt
        return {name: _statistics(run, name) for name in self.units}


def _probe(name):
    return f"{name} (probe)"


def _free(neuron, units):
    taus = {name: tau[units] if np.ndim(tau) else tau for name, tau in neuron.time_constants.items()}
    return replace(free_membrane(neuron), time_constants=taus)


def _statistics(run, name):
    u, cv = run.states[f"{_probe(name)}.U"].astype(float), stats.isi_cv(run.spikes[name])
    return FreeMembrane(float(u.mean()), float(np.sqrt(u.var(axis=0).mean())), float(u.mean(axis=0).std()), run.mean_rates[name],
                        float(np.nanmean(cv)) if np.any(np.isfinite(cv)) else np.nan)

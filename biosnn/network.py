"""The description of a network: inputs, populations, readouts, projections.

Weights of a projection are an array (pre, post). Delays and time constants are in seconds.
"""
import hashlib
import json
from dataclasses import dataclass

import numpy as np

from . import dale
from .neuron import Neuron, leaky_readout
from .surrogate import SuperSpike, Surrogate

SIGNS = ("excitatory", "inhibitory", "unsigned")


@dataclass(frozen=True, eq=False)
class Population:
    """n neurons of one kind. `kind` is "input", "spiking" or "readout"; `sign` one of SIGNS.

    learn: time constants that training may change, name -> "population" (one parameter) or "neuron" (one each).
    """
    name: str
    n: int
    kind: str
    sign: str
    neuron: Neuron | None
    surrogate: Surrogate | None
    initial: float
    learn: dict


@dataclass(frozen=True)
class Projection:
    """All synapses from population `pre` onto `receptor` of population `post`, with one delay in seconds."""
    name: str
    pre: str
    post: str
    receptor: str
    delay: float
    non_negative: bool


class Network:
    """A graph of populations and projections, simulated in steps of dt (s).

        net = Network(dt=2e-3)
        x = net.input(700)
        E = net.population(128, ei_lif(), sign="excitatory", name="E")
        out = net.readout(10, tau_mem=0.7)
        net.connect(x, E)
        net.connect(E, out)

    dtype: float32 (default) or float64, of weights and states.
    """

    def __init__(self, dt, dtype=np.float32):
        if not (np.isfinite(dt) and dt > 0):
            raise ValueError(f"dt is {dt!r}; it must be a positive time in seconds, for instance 2e-3.")
        if np.dtype(dtype) not in (np.float32, np.float64):
            raise ValueError(f"dtype is {dtype!r}; the kernels exist for float32 and float64.")
        self.dt, self.dtype = float(dt), np.dtype(dtype)
        self._populations, self._projections = {}, {}
        self.weights = {}           # projection name -> array (pre, post); change them with set_weights
        self.tau_parameters = {}    # (population, time constant) -> p, with tau = 2 tau_0 sigmoid(p)

    # ------------------------------------------------------------------------------------------ build

    def input(self, n, name="input", sign="unsigned"):
        """A source of external spikes. Unsigned inputs excite where the receptors have signs (`ei_lif`)."""
        return self._add(Population(name, n, "input", sign, None, None, 0.0, {}))

    def population(self, n, neuron, sign="unsigned", name=None, surrogate=SuperSpike(), initial=0.0, learn=None):
        """n spiking neurons. initial: U at the start of a trial. learn: for instance {"mem": "neuron", "exc": "population"}."""
        name = name or f"population_{sum(p.kind == 'spiking' for p in self.populations)}"
        return self._add(Population(name, n, "spiking", sign, neuron, surrogate, float(initial), dict(learn or {})))

    def readout(self, n, tau_mem=0.1, tau_syn=10e-3, name="readout", initial=0.0, integrator="exact", learn=None):
        """n leaky integrators without threshold; losses look at their U."""
        return self._add(Population(name, n, "readout", "unsigned", leaky_readout(tau_mem, tau_syn, integrator), None,
                                    float(initial), dict(learn or {})))

    def connect(self, pre, post, delay=0.0, weights=None, receptor=None, name=None):
        """All-to-all synapses from `pre` to `post` (populations or their names).

        delay     seconds >= 0, rounded to int(delay / dt + 0.5) steps; 0 arrives in the step of the spike
        weights   (pre, post), or None until an initializer sets them
        receptor  default: that of the sign of `pre`; onto readouts one that takes weights of either sign
        """
        pre, post = self[_name(pre)], self[_name(post)]
        if post.kind == "input":
            raise ValueError(f"{post.name!r} is an input: its spikes come from data, so nothing can project onto it.")
        if pre.kind == "readout":
            raise ValueError(f"{pre.name!r} is a readout: it never spikes, so it cannot project onto anything.")
        if not (np.isfinite(delay) and delay >= 0):
            raise ValueError(f"delay is {delay!r} s; it must be finite and >= 0, an effect cannot precede its cause.")
        receptor = self._receptor(pre, post, receptor)
        name = name or f"{pre.name}->{post.name}"
        if name in self._projections:
            raise ValueError(f"there is a projection {name!r} already; give this one another name.")
        non_negative = post.neuron.receptors[receptor].sign != 0
        self._projections[name] = Projection(name, pre.name, post.name, receptor, float(delay), non_negative)
        if weights is not None:
            self.set_weights(name, weights)
        return self._projections[name]

    def set_weights(self, projection, weights):
        """Set the weights (pre, post) of a projection; checked for shape, finiteness and Dale's law, and copied."""
        projection = self.projection(projection)
        shape = (self[projection.pre].n, self[projection.post].n)
        weights = np.array(weights, self.dtype)
        if weights.shape != shape:
            raise ValueError(f"projection {projection.name!r}: weights have shape {weights.shape}; they must be (pre, post) = "
                             f"{shape}.")
        dale.check_weights(projection.name, weights, projection.non_negative)
        self.weights[projection.name] = weights

    # ------------------------------------------------------------------------------------------ look

    def __getitem__(self, name):
        if name not in self._populations:
            raise ValueError(f"there is no population {name!r}; there are {', '.join(self._populations) or 'none yet'}.")
        return self._populations[name]

    @property
    def populations(self):
        return list(self._populations.values())

    @property
    def projections(self):
        return list(self._projections.values())

    def projection(self, projection):
        """The projection with that name (or itself)."""
        name = _name(projection)
        if name not in self._projections:
            raise ValueError(f"there is no projection {name!r}; there are {', '.join(self._projections) or 'none yet'}.")
        return self._projections[name]

    @property
    def inputs(self):
        return [p for p in self.populations if p.kind == "input"]

    @property
    def spiking(self):
        return [p for p in self.populations if p.kind == "spiking"]

    @property
    def readouts(self):
        return [p for p in self.populations if p.kind == "readout"]

    @property
    def sources(self):
        """What projections can come from."""
        return self.inputs + self.spiking

    def delay_steps(self, projection):
        return int(self.projection(projection).delay / self.dt + 0.5)

    def time_constants(self, population):
        """Time constants of a population (s) with what training has changed: tau = 2 tau_0 sigmoid(p)."""
        population = self[_name(population)]
        taus = dict(population.neuron.time_constants)
        for name in population.learn:
            p = self.tau_parameters[population.name, name]
            taus[name] = 2 * taus[name] / (1 + np.exp(-p))
        return taus

    def fingerprint(self):
        """A hash of everything but weights and time-constant parameters: two networks share it if their arrays fit."""
        def plain(value):
            if isinstance(value, np.ndarray):
                return value.tolist()
            return {str(k): plain(v) for k, v in value.items()} if isinstance(value, dict) else repr(value)
        text = [self.dt, str(self.dtype)]
        for p in self.populations:
            text.append([p.name, p.n, p.kind, p.sign, plain(vars(p.neuron)) if p.neuron else "", repr(p.surrogate), p.initial,
                         plain(p.learn)])
        text += [repr(p) for p in self.projections]
        return hashlib.sha256(json.dumps(text).encode()).hexdigest()[:16]

    # ------------------------------------------------------------------------------------------ checks

    def _add(self, population):
        name, n = population.name, population.n
        if not isinstance(name, str) or not name or "." in name or "->" in name:
            raise ValueError(f"population name {name!r}: it must be a non-empty text without '.' and '->', which separate "
                             "populations from states and from each other.")
        if name in self._populations:
            raise ValueError(f"there is a population {name!r} already; give this one another name.")
        if not isinstance(n, (int, np.integer)) or n < 1:
            raise ValueError(f"population {name!r}: n is {n!r}; it must be a whole number of neurons >= 1.")
        if population.sign not in SIGNS:
            raise ValueError(f"population {name!r}: sign {population.sign!r} is not one of {', '.join(SIGNS)}.")
        if population.neuron is not None:
            self._check_neuron(population)
        self._populations[name] = population
        for tau, shared in population.learn.items():
            self.tau_parameters[name, tau] = np.zeros(() if shared == "population" else (n,))
        return population

    def _check_neuron(self, population):
        name, neuron = population.name, population.neuron
        if not isinstance(neuron, Neuron):
            raise ValueError(f"population {name!r}: {neuron!r} is not a neuron model; use lif(...) or ei_lif(...).")
        if population.kind == "spiking" and not isinstance(population.surrogate, Surrogate):
            raise ValueError(f"population {name!r}: surrogate is {population.surrogate!r}; use for instance SuperSpike(20).")
        for tau, value in neuron.time_constants.items():
            value = np.asarray(value)
            if value.ndim == 1 and value.size != population.n:
                raise ValueError(f"population {name!r}: {value.size} values of time constant {tau!r} for {population.n} neurons.")
            if value.min() < self.dt:
                raise ValueError(f"population {name!r}: time constant {tau!r} is {value.min():g} s, below the time step dt = "
                                 f"{self.dt:g} s, which is too coarse to resolve it. Use a smaller dt.")
        for tau, shared in population.learn.items():
            if tau not in neuron.time_constants or shared not in ("population", "neuron"):
                raise ValueError(f"population {name!r}: learn has {tau!r}: {shared!r}; it maps time constants "
                                 f"({', '.join(neuron.time_constants)}) to 'population' or 'neuron'.")

    def _receptor(self, pre, post, receptor):
        receptors = post.neuron.receptors
        if receptor is None:
            receptor = {"excitatory": "exc", "inhibitory": "inh"}.get(pre.sign, "syn")
            if post.kind == "readout":
                receptor = "syn"
            if receptor not in receptors and receptor == "syn":
                receptor = "exc"
        if receptor not in receptors:
            raise ValueError(f"population {post.name!r} ({post.neuron.model}) has no receptor {receptor!r}; it has "
                             f"{', '.join(receptors)}.")
        sign = {"excitatory": +1, "inhibitory": -1}.get(pre.sign, 0)
        if post.kind != "readout" and sign * receptors[receptor].sign < 0 or (
                sign and post.kind != "readout" and receptors[receptor].sign == 0):
            raise ValueError(f"{pre.name!r} is {pre.sign}, but receptor {receptor!r} of {post.name!r} "
                             + ("takes weights of either sign" if receptors[receptor].sign == 0 else "has the other sign")
                             + ": that would break Dale's law.")
        return receptor


def _name(thing):
    return thing if isinstance(thing, str) else thing.name

"""Small circuits that have a feature: E and I cells with an input, in three sizes."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

import biosnn as bs
from tests.random_cases import TABLES, Table

#: Size -> (input units, E cells, I cells). `single` has one of everything that is checked step by
#: step; on `data` the initializer sets weights, of inputs onto E, and of E and an input onto I;
#: `theory` and `circuit` are driven by a background, weights of the latter set.
SIZES = {
    "single": (12, 6, 6),
    "data": (100, 48, 48),
    "theory": (0, 80, 20),
    "circuit": (0, 400, 100),
}

_EI = {"tau_exc": 5e-3, "tau_inh": 10e-3}
_REVERSAL = {"threshold": 1.0, "reset": 0.0, "reversal_exc": 6.0, "reversal_inh": -2.0}


def _with(make, **defaults):
    """A factory with other defaults."""
    return lambda **more: make(**(defaults | more))


def own_table(**more):
    """Currents that rise and fall, and adaptation that follows U, in a table of one's own."""
    given = {
        "model": "mine",
        "states": {"U": "mem", "I": "syn", "h": "rise", "slow": "slow"},
        "gains": {("U", "I"): 1.0, ("I", "h"): 1.0, ("U", "slow"): -1.0, ("slow", "U"): 0.1},
        "receptors": {"exc": bs.Receptor("h", 2.0, 1), "inh": bs.Receptor("h", -2.0, -1)},
        "time_constants": {"mem": 20e-3, "syn": 5e-3, "rise": 4e-3, "slow": 80e-3},
        "spike_jumps": {"slow": 0.05},
        "threshold": 1.0,
        "reset": 0.0,
        "integrator": "exponential_euler",  # Brian2 takes minutes for an exact solution
    }
    return bs.Neuron(**(given | more))


#: Every neuron model, with weights and currents of the right size.
MODELS = {name: t for name, t in TABLES.items() if name != "exponential"} | {
    "ampa_nmda_gaba": Table(bs.ampa_nmda_gaba, {}, 1.0, 0.6, 1.1),
    "conductance_lif": Table(_with(bs.conductance_lif, **_REVERSAL), {}, 1.0, 0.1, 1.2),
    "alpha_conductance_lif": Table(
        _with(bs.alpha_conductance_lif, **_REVERSAL), {}, 1.0, 0.04, 1.2
    ),
    "nmda_lif": Table(
        _with(bs.nmda_lif, threshold=1.0, reset=0.5, reversal_exc=3.5, unit=20e-3),
        {}, 1.0, 0.3, 1.2,
    ),
    "exponential_lif": Table(bs.exponential_lif, _EI, 20e-3, 16e-3, 30e-3, linear=False),
    "own": Table(own_table, {}, 1.0, 0.5, 1.2),
}  # fmt: skip


@dataclass
class Setup:
    """A network and what it is run with."""

    network: bs.Network
    spikes: bs.SpikeTrains | None
    duration: float
    background: list = field(default_factory=list)
    initial: dict = field(default_factory=dict)
    currents: dict = field(default_factory=dict)
    options: dict = field(default_factory=dict)  # perturbations, merge
    seed: int = 5
    scale: float = 1.0  # from rest to threshold
    steps_of_weights: tuple = (1e-4, 1e-5, 2e-6)  # of central differences

    @property
    def steps(self):
        """Whole time steps."""
        one_input = isinstance(self.spikes, bs.SpikeTrains)
        return round((self.spikes.duration if one_input else self.duration) / self.network.dt)

    @property
    def trials(self):
        """Number of trials."""
        return 1 if self.spikes is None else len(self.spikes)

    @property
    def is_random(self):
        """Whether random numbers are drawn, besides those of escape noise."""
        return any(not isinstance(source, bs.Current) for source in self.background) or any(
            hasattr(value, "draw") for value in self.initial.values()
        )

    def trial(self, b):
        """Trial b alone."""
        return replace(
            self,
            spikes=None if self.spikes is None else self.spikes[b],
            background=[_of_trial(source, b) for source in self.background],
            initial={k: v[b] if np.ndim(v) == 2 else v for k, v in self.initial.items()},
            currents={k: v[b % len(v)] for k, v in self.currents.items()},
        )

    @property
    def record(self):
        """Names of all states."""
        populations = self.network.spiking + self.network.readouts
        return [f"{p.name}.{state}" for p in populations for state in p.states]


def _of_trial(source, b):
    """A source with the values of trial b."""
    names = [name for name in ("rate", "values", "mean", "sd") if hasattr(source, name)]
    parts = {name: getattr(source, name) for name in names}
    own = {k: v[b] for k, v in parts.items() if not isinstance(v, tuple) and np.ndim(v) == 2}
    return replace(source, **own)


@dataclass(frozen=True)
class Circuit:
    """What a feature changes in the common circuit.

    Functions get the number of neurons, or (size, network).
    """

    model: str = "ei_lif"
    neuron: Callable[[int], Any] | None = None  # n -> table; default: that of the model
    population: Callable[[int], dict] = lambda n: {}  # of E: bias, learn, noise
    learned: dict = field(default_factory=dict)  # of E: parameter -> value
    joined: Callable[[int], dict] = lambda n: {}  # E->E: options of connect
    inhibition: Callable[[int], dict] = lambda n: {}  # I->E
    shared: bool = False  # E->E has kernels of three weights
    pooled: bool = False
    background: Callable[[int], list] | None = None
    initial: Callable[[int], dict] = lambda n: {}
    currents: Callable[[int, int], dict] = lambda n, steps: {}
    options: Callable[[int], dict] = lambda n: {}
    trains: Callable[[Any], Any] = lambda trains: trains
    gain: float = 1.0  # of the weights E->E

    @property
    def table(self):
        """Numbers of the model."""
        return MODELS[self.model]

    @property
    def linear(self):
        """Whether a step of the membrane is linear in U."""
        return self.table.linear

    def cells(self, n):
        """The neurons of n cells."""
        return self.table.make() if self.neuron is None else self.neuron(n)

    def _held(self, n):
        """Neurons that spike and are are held above; those of the smooth twin would run away."""
        cells = self.cells(n)
        top = min(cells.threshold, 1.5 * self.table.scale)
        return bs.bounded(replace(cells, threshold=top), high=top + 0.2 * self.table.scale)

    def build(self, size):
        """The Setup of a size."""
        if size == "twin":
            return (self if self.linear else replace(self, neuron=self._held)).build("single")
        n_x, n_e, n_i = SIZES[size]
        fine = 1e-3 if size in ("single", "data") else 5e-4
        if size == "theory" and (self.cells(n_e).reversal or self.model == "own"):
            fine = 1e-4  # theory is of continuous time
        net = bs.Network(
            fine if self.linear else 1e-4, np.float64 if size == "single" else np.float32
        )
        more = {"initial": self.table.rest} if self.table.rest else {}
        more["surrogate"] = bs.SuperSpike(5.0 / self.table.scale)
        e = net.population(
            n_e, self.cells(n_e), "excitatory", name="E", **(more | self.population(n_e))
        )
        i = net.population(n_i, replace(self.cells(n_i)), "inhibitory", name="I", **more)
        for name, value in self.learned.items():
            net.parameters["E", name] = np.full(np.shape(net.parameters["E", name]), value)
        out = net.readout(2, name="out")
        if size == "data":
            self._feed(net, n_x)
        else:
            if n_x:
                self._drive(net, size)
            self._join(net, size, e, i, out)
        weights = np.random.default_rng(3).normal(0.0, 0.5, (n_e, 2))
        net.connect(e, out, name="out", weights=weights, delay=2e-3)
        return self._with_input(net, size)

    def _drive(self, net, size):
        """The input onto both populations."""
        n_x, *sizes = SIZES[size]
        x, rng = net.input(n_x, name="x", sign="excitatory"), np.random.default_rng(1)
        for name, n in zip("EI", sizes):
            weights = self.table.weight * rng.uniform(0.2, 1.8, (n_x, n))
            net.connect(x, name, weights=weights, name=f"x{name}")

    def _join(self, net, size, e, i, out):
        """Recurrent projections."""
        rng, weight = np.random.default_rng(2), 0.5 * self.table.weight
        for pre, post, name in (
            (e, e, "EE"),
            (self._pooled(net), i, "EI"),
            (i, e, "IE"),
            (i, i, "II"),
        ):
            options = {"delay": 2e-3}
            options |= {"EE": self.joined, "IE": self.inhibition}.get(name, lambda n: {})(e.n)
            gain = {"EE": self.gain, "IE": 4.0, "II": 4.0}.get(name, 1.0)
            options["weights"] = (
                None
                if size == "circuit"
                else self._weights(rng, pre, post, options, size, gain * weight)
            )
            options.pop("shared", None)
            if size == "circuit":
                options["synapses"] = bs.FixedInDegree(pre.n // 10)
            net.connect(pre, post, name=name, seed=7, **options)

    def _feed(self, net, n_x):
        """Projections without weights, none of them recurrent."""
        x = net.input(n_x, name="x", sign="excitatory")
        y = net.input(n_x, name="y", sign="inhibitory")
        joined = {k: v for k, v in self.joined(net["E"].n).items() if k != "shared"}
        net.connect(x, "E", name="xE")
        net.connect(y, "E", name="yE", seed=7, **self.inhibition(net["E"].n))
        net.connect(self._pooled(net), "I", name="EI", seed=7, **({"delay": 2e-3} | joined))
        net.connect(y, "I", name="yI")
        if joined.get("receptor") == "nmda":  # which open where others have moved the membrane
            net.connect(x, "I", name="xI")

    def _pooled(self, net):
        """E, or the units that pool its spikes."""
        e = net["E"]
        return net.pool(e, bs.MaxPool((1, e.n), 2), name="pooled") if self.pooled else e

    def _weights(self, rng, pre, post, options, size, weight):
        """Weights, less strong where many neurons fire without a data set."""
        weight = weight * self._share(size)
        if options.get("shared", False):
            return weight * rng.uniform(0.5, 1.5, (1, 1, 3))
        if "synapses" in options:
            return bs.Uniform(0.5 * weight, 1.5 * weight)
        return weight * rng.uniform(0.5, 1.5, (pre.n, post.n))

    def _share(self, size):
        """Of the weights; less where neurons share inputs that theory takes for independent."""
        if size in ("single", "data"):
            return 1.0
        return 0.1 if self.background is None else 0.02

    def _with_input(self, net, size):
        """Spikes, or a background; what is injected; where it starts."""
        n_x, n_e, _ = SIZES[size]
        duration = {"single": 0.12, "data": 0.3}.get(size, 1.5)
        duration = duration if self.linear else min(duration, 0.06)
        spikes = None
        if n_x:
            trials, rate = (2, 60.0) if size == "single" else (40, 20.0)
            labels = np.arange(trials) % 2
            given = rate, n_x, duration, trials
            spikes = self.trains(bs.data.poisson(*given, seed=3, labels=labels))
            if size == "data":
                inhibitory = bs.data.poisson(*given, seed=4, labels=labels)
                spikes = {"x": spikes, "y": self.trains(inhibitory)}
        setup = Setup(net, spikes, duration, scale=self.table.scale)
        if not self.linear:
            setup.steps_of_weights = (1e-7, 1e-8, 3e-9)
        if self.background is not None:
            setup.background = self.background(n_e)
        if size in ("theory", "circuit"):
            rate = 600.0 if size == "theory" else 80.0
            setup.background = [*_drive_of(net, self, rate), *setup.background]
        setup.initial = self.initial(n_e)
        setup.currents = self.currents(n_e, setup.steps)
        setup.options = self.options(n_e)
        return setup


def _drive_of(net, circuit, rate):
    """Poisson input that brings the free membrane to 0.8 of the threshold, or leaves room."""
    sources = []
    level = 0.8 if circuit.background is None else 0.45
    for p in net.spiking:
        weight = circuit.table.weight
        try:
            weight = _weight_for(p.neuron, rate, level)
        except ValueError:
            pass  # there is no theory of it: the use says so
        sources.append(bs.PoissonInput(p.name, rate, weight))
    return sources


def _weight_for(neuron, rate, level):
    """The weight of one source of a rate that gives the free membrane a mean."""
    from scipy.optimize import brentq

    def excess(weight):
        given = bs.theory.Input("exc", 1, weight, weight**2, rate=rate)
        cell = bs.theory.Cell("E", neuron, (given,))
        return bs.theory.membrane(cell, {"E": 0.0}).mu - level * cell.neuron.threshold

    return float(brentq(excess, 1e-6, 50.0))

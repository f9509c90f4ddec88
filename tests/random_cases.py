"""Small random networks with random features, from a seed: `random_case`."""

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

import biosnn as bs


class Table(NamedTuple):
    """A neuron model in random networks, in its own units."""

    make: object
    taus: dict  # (lowest, highest) seconds
    scale: float  # from rest to threshold
    weight: float  # of inputs, mean
    current: float  # that takes it near its first spike
    rest: float = 0.0
    linear: bool = True  # threshold, reset and integrator are free


_SYN, _EI = {"tau_syn": (4e-3, 8e-3)}, {"tau_exc": (4e-3, 8e-3), "tau_inh": (9e-3, 12e-3)}
_MEM, _ADAPT = {"tau_mem": (13e-3, 30e-3)}, {"tau_adapt": (30e-3, 90e-3)}
_NMDA = {"tau_ampa": (4e-3, 8e-3), "tau_nmda": (50e-3, 90e-3), "tau_gaba": (9e-3, 12e-3)}


def _exponential_if(**options):
    """Exponential integrate-and-fire, as a table of one's own."""
    return replace(bs.adex(a=0.0, b=0.0, **options), model="exponential", spike_jumps={})


def _conductances(make):
    """A table with conductances whose threshold is 1."""
    return lambda **options: make(**({"reversal_exc": 6.0, "reversal_inh": -2.0} | options))


TABLES = {
    "lif": Table(bs.lif, _MEM | _SYN, 1.0, 0.5, 1.2),
    "lif_delta": Table(bs.lif_delta, _MEM, 1.0, 0.12, 1.2),
    "ei_lif": Table(bs.ei_lif, _MEM | _EI, 1.0, 0.5, 1.2),
    "adaptive_lif": Table(bs.adaptive_lif, _MEM | _SYN | _ADAPT, 1.0, 0.5, 1.3),
    "ei_adaptive_lif": Table(bs.ei_adaptive_lif, _MEM | _EI | _ADAPT, 1.0, 0.5, 1.3),
    "ampa_nmda_gaba": Table(bs.ampa_nmda_gaba, _MEM | _NMDA, 1.0, 0.2, 1.1),
    "conductance_lif": Table(_conductances(bs.conductance_lif), _MEM | _EI, 1.0, 0.1, 1.2),
    "alpha_conductance_lif": Table(
        _conductances(bs.alpha_conductance_lif), _MEM | _EI, 1.0, 0.04, 1.2
    ),
    "adex": Table(bs.adex, {"tau_mem": (7e-3, 12e-3)} | _EI, 20e-3, 16e-3, 35e-3, linear=False),
    "exponential": Table(
        _exponential_if, {"tau_mem": (7e-3, 12e-3)} | _EI, 20e-3, 16e-3, 30e-3, linear=False
    ),
    "izhikevich": Table(bs.izhikevich, _EI, 20.0, 4.0, 9.0, rest=-65.0, linear=False),
}
_CONDUCTING = {"conductance_lif", "alpha_conductance_lif"}
_FINE = {name for name, table in TABLES.items() if not table.linear}  # they need short steps

_COMMON = {"per_neuron_taus", "refractory", "subtract", "bounded", "bias", "learned"}
_COMMON |= {"jump_delay", "initial_u", "sparse", "delays", "one_to_one", "convolution"}
_COMMON |= {"dense", "pooling", "inputs", "readout"} | (set(TABLES) - _FINE)
_BACKGROUND = {"poisson", "current", "ornstein_uhlenbeck", "per_neuron_background", "changing"}
#: What `run` takes.
TRIALS = frozenset(_COMMON | {"escape", "currents"})
#: What `simulate` takes.
STREAM = frozenset(
    _COMMON | _FINE | _BACKGROUND | {"lost_arrivals", "initial"}
    | {"tsodyks_markram", "inhibitory_plasticity"}
)  # fmt: skip
#: What one engine takes in both: also a magnesium block, and for a number of the table one for
#: each neuron.
BOTH = (TRIALS | STREAM | {"per_neuron_numbers", "magnesium"}) - {
    "inhibitory_plasticity",
    "currents",
}


@dataclass
class Case:
    """A network, what drives it, and where it starts. One trial unless asked for more.

    currents: for `run`. features: those that were drawn.
    """

    network: bs.Network
    steps: int
    seed: int
    spikes: bs.SpikeTrains | None = None
    background: list = field(default_factory=list)
    initial: dict = field(default_factory=dict)
    currents: dict = field(default_factory=dict)
    features: set = field(default_factory=set)

    @property
    def duration(self):
        """Seconds."""
        return self.steps * self.network.dt

    @property
    def record(self):
        """Names of all states."""
        populations = self.network.spiking + self.network.readouts
        return [f"{p.name}.{state}" for p in populations for state in p.states]


def random_case(seed, features=STREAM, *, trials=1, dtype=np.float64, steps=None, times=1):
    """A small network with random features, which fires, and what to run it with.

    features: those that may be drawn, such as TRIALS, STREAM or BOTH. Every feature is drawn alike
    with any others allowed. times: how many times as many neurons; each projects more weakly.
    Returns a Case.
    """
    return _Builder(seed, frozenset(features), trials, dtype, steps, times).case


class _Builder:
    """Draws a case, part by part."""

    def __init__(self, seed, allowed, trials, dtype, steps, times):
        self.rng, self.allowed, self.trials = np.random.default_rng([seed, 21]), allowed, trials
        self.times = times
        self.used, self.tables = set(), {}
        names = [n for n in TABLES if n in allowed]
        chosen = [names[k] for k in self.rng.integers(len(names), size=self.rng.integers(2, 5))]
        fine = not _FINE.isdisjoint(chosen)
        self.dt = 1e-4 if fine else self.rng.choice([1e-3, 5e-4])
        steps = steps or (400 if fine else 160)
        self.case = Case(bs.Network(self.dt, dtype), steps, int(self.rng.integers(2**31)))
        self.net = self.case.network
        if self.takes("inputs", 0.85):
            self.net.input(12, name="x", sign=self.one(["unsigned", "excitatory"]))
        for k, name in enumerate(chosen):
            self._add_population(f"P{k}", name)
        if "x" in self.net:
            self._drive()
        self._join()
        if self.takes("readout", 0.4):
            self._read_out()
        self._add_background()
        self._add_start()
        self.case.features = self.used

    def takes(self, feature, probability=0.5):
        """Whether a feature that is allowed is drawn."""
        drawn = self.rng.random() < probability and feature in self.allowed
        self.used |= {feature} if drawn else set()
        return drawn

    def one(self, choices):
        """One of several things."""
        return choices[self.rng.integers(len(choices))]

    def number(self, low, high, n, own):
        """A number in a range, or one for each of n neurons."""
        return self.rng.uniform(low, high, n) if own else float(self.rng.uniform(low, high))

    def _add_population(self, name, table_name):
        """Spiking neurons, and perhaps units that pool their spikes."""
        table, n = TABLES[table_name], self.times * int(self.one([4, 5, 6, 7, 12]))
        self.used |= {table_name}
        own = self.takes("per_neuron_taus", 0.3)
        options = {tau: self.number(*limits, n, own) for tau, limits in table.taus.items()}
        options |= self._numbers(table_name, n)
        neuron = table.make(**options)
        if table.linear and self.takes("bounded", 0.25):
            own = "per_neuron_numbers" in self.allowed and self.rng.random() < 0.5
            low, high = self.number(-0.7, -0.5, n, own), self.number(1.3, 2.0, n, own)
            neuron = bs.bounded(neuron, low, high)
        if neuron.reversal and self.takes("magnesium", 0.4):
            blocked = {str(self.one([*neuron.reversal])): (0.3, 2.0)}
            neuron = replace(neuron, magnesium=blocked)
        more = {}
        if table_name not in _FINE | _CONDUCTING and self.takes("bias", 0.25):
            more["bias"] = self.rng.uniform(0, 0.3, n) * table.current
        if self.takes("initial_u", 0.4):
            more["initial"] = table.rest + float(self.rng.uniform(0, 0.8)) * table.scale
        elif table.rest:
            more["initial"] = table.rest
        if table_name not in _FINE and self.takes("escape", 0.3):
            more["noise"] = self.one([bs.SigmoidEscape(12.0), bs.ExponentialEscape(8.0, 120.0)])
        learn = self._learn(neuron)
        sign = self.one(["excitatory", "inhibitory", "unsigned"])
        self.net.population(n, neuron, sign, name=name, learn=learn, **more)
        self.tables[name] = table
        for key in learn:
            shape = np.shape(self.net.parameters[name, key])
            self.net.parameters[name, key] = np.asarray(self.rng.uniform(-0.2, 0.3, shape))
        if n % 2 == 0 and self.takes("pooling", 0.3):
            self.net.pool(name, bs.MaxPool((2, n // 2), 2), name=f"pool of {name}")

    def _numbers(self, table_name, n):
        """Threshold, reset, refractory period, jumps, integrator."""
        table, options = TABLES[table_name], {}
        own = self.takes("per_neuron_numbers", 0.4)
        if table_name != "lif_delta" or "lost_arrivals" in self.allowed:
            if self.takes("refractory", 0.6):
                options["refractory"] = self.dt * (
                    self.rng.integers(0, 7, n) if own else int(self.rng.integers(2, 7))
                )
                self.used |= {"lost_arrivals"} if table_name == "lif_delta" else set()
            elif table_name in _CONDUCTING:
                options["refractory"] = 0.0
        if not table.linear:
            return options
        options["threshold"] = self.number(0.8, 1.2, n, own)
        options["reset"] = self.number(-0.4, 0.2, n, own)
        loses = table_name == "lif_delta" and "refractory" in options  # needs a value
        if not loses and self.takes("subtract", 0.3):
            options["reset"] = "subtract"
        if table_name in _CONDUCTING:
            options["reversal_exc"] = self.number(5.0, 7.0, n, own)
        else:
            options["integrator"] = self.one(["exact", "exponential_euler", "euler"])
        if "tau_adapt" in table.taus:
            options["jump"] = self.number(0.05, 0.3, n, self.rng.random() < 0.4)
            if self.takes("jump_delay"):
                options["jump_delay"] = int(self.rng.integers(1, 5)) * self.dt
        return options

    def _learn(self, neuron):
        """What could be trained, and has moved away from the table."""
        if not self.takes("learned", 0.3):
            return {}
        names = [*neuron.time_constants] + (["jump"] if neuron.spike_jumps else [])
        return {str(self.one(names)): self.one(["population", "neuron"])}

    def _drive(self):
        """The input onto every population, and its spikes."""
        x = self.net["x"]
        for p in self.net.spiking:
            size = self.tables[p.name].weight
            if self.takes("convolution", 0.2) and p.n % 6 == 0:
                self._convolve(x, p, 2 * size)
            else:
                self._connect(x, p, size)
        spikes = bs.data.poisson(60.0, 12, self.case.duration, self.trials, seed=self.case.seed)
        self.case.spikes = spikes

    def _convolve(self, x, p, size):
        """Feature maps of the input, which lies on a line."""
        rule = bs.Convolution((1, 12), p.n // 6, 3, stride=2, padding=1)
        weights = self.rng.exponential(size, (p.n // 6, 1, 3))
        self.net.connect(x, p, synapses=rule, weights=weights, delay=self._delay())

    def _join(self):
        """Random projections among populations, and from pools."""
        sources = self.net.spiking + self.net.pooling
        for k in range(self.rng.integers(2, 6)):
            pre, post = self.one(sources), self.one(self.net.spiking)
            try:
                self._connect(pre, post, 0.5 * self.tables[post.name].weight / self.times, f"p{k}")
            except ValueError as error:
                if "Dale" not in str(error) and "has no receptor" not in str(error):
                    raise

    def _connect(self, pre, post, size, name=None):
        """A projection of a random kind."""
        options, n, shape = {"name": name}, pre.n * post.n, (pre.n, post.n)
        kinds = [k for k in ("one_to_one", "sparse") if k in self.allowed] + ["dense"]
        kind = self.one(kinds)
        if kind == "one_to_one" and pre.n == post.n:
            options["synapses"], shape, n = bs.OneToOne(), (pre.n,), pre.n
        elif kind == "sparse":
            j, i = np.nonzero(self.rng.random((pre.n, post.n)) < 0.6)
            j, i = np.append(j, [0, 0]), np.append(i, [0, 0])  # one pair has several synapses
            options["synapses"], shape, n = bs.Pairs(j, i), (j.size,), j.size
        self.used |= {kind} if kind != "one_to_one" or "synapses" in options else set()
        weights = self.rng.exponential(size, shape)
        if pre.sign == "unsigned" and "syn" in post.neuron.receptors and pre.kind != "input":
            weights = weights * self.rng.choice([-1, 1], shape)
        options["delay"] = self._delay()
        if "synapses" in options and self.takes("delays", 0.4):
            options["delay"] = self.rng.integers(0, 9, n) * self.dt
        options["plasticity"] = self._plasticity(pre, post, size, options)
        if isinstance(options["plasticity"], bs.TsodyksMarkram):
            weights = 2 * weights
        elif options["plasticity"]:
            weights = np.minimum(weights, options["plasticity"].w_max)
        self.net.connect(pre, post, weights=weights, **options)

    def _plasticity(self, pre, post, size, options):
        """Short-term or inhibitory plasticity, where there can be."""
        one_delay = np.ndim(options["delay"]) == 0
        if pre.kind == "pooling":
            return None
        if self.takes("tsodyks_markram", 0.35):
            facilitation = self.one([0.0, 0.1])
            return bs.TsodyksMarkram(float(self.rng.uniform(0.2, 0.6)), 0.1, facilitation)
        if pre.sign == "inhibitory" and "synapses" in options and one_delay:
            if self.takes("inhibitory_plasticity", 0.6):
                return bs.InhibitorySTDP(0.2 * size, 20.0, w_max=3.0 * size)
        return None

    def _delay(self):
        """One delay for a projection."""
        return int(self.one([0, 1, 2, 3, 8])) * self.dt

    def _read_out(self):
        """Two leaky integrators."""
        out = self.net.readout(2, tau_mem=40e-3, name="out")
        for p in self.net.spiking[:2]:
            self.net.connect(
                p, out, weights=self.rng.exponential(0.3 / self.times, (p.n, 2)), delay=self.dt
            )

    def _add_background(self):
        """Sources, or currents of trials; without inputs something drives every population."""
        for p in self.net.spiking:
            table, own = self.tables[p.name], self.takes("per_neuron_background", 0.4)
            background, quiet = self.case.background, len(self.case.background)
            if self.takes("poisson", 0.4):
                rate = self._values(p, 900.0, own)
                background.append(bs.PoissonInput(p.name, rate, table.weight))
            if self.takes("ornstein_uhlenbeck", 0.4):
                mean, sd = (self.number(0.3, 0.6, p.n, own) * table.current for _ in range(2))
                background.append(bs.OrnsteinUhlenbeck(p.name, mean, sd, 5e-3))
            quiet = quiet == len(background) and "x" not in self.net
            if self.takes("current", 1.0 if quiet else 0.5):
                values = self._values(p, 1.3 * table.current, own)
                background.append(bs.Current(p.name, values))
            if self.takes("currents", 1.0 if quiet else 0.5):
                shape = (self.trials, self.case.steps, p.n)
                self.case.currents[p.name] = self.rng.normal(0.8, 0.5, shape) * table.current

    def _values(self, p, mean, own):
        """A value around a mean: one, one for each neuron, or pieces in time of either."""
        if not self.takes("changing", 0.4):
            return mean * self.number(0.7, 1.3, p.n, own)
        times = np.array([0.0, 0.25, 0.6]) * self.case.duration
        times = np.rint(times / self.dt) * self.dt
        return times, mean * self.rng.uniform(0.6, 1.6, (3, p.n) if own else 3)

    def _add_start(self):
        """States at the start: numbers, one for each neuron, distributions."""
        for p in self.net.spiking:
            table = self.tables[p.name]
            if self.takes("initial", 0.4):
                low, high = table.rest - 0.2 * table.scale, table.rest + 0.7 * table.scale
                values = [self.number(low, high, p.n, True), bs.Uniform(low, high), low]
                self.case.initial[f"{p.name}.U"] = self.one(values)
                if len(p.states) > 1:
                    state = str(self.one(p.states[1:]))
                    top = 0.5 * table.weight if state != "w_adapt" else 0.1 * table.scale
                    self.case.initial[f"{p.name}.{state}"] = self.number(0, top, p.n, True)

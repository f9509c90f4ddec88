"""Networks with one of everything that a file of a network holds."""

import numpy as np

import biosnn as bs

DT = 1e-3

_SPREAD = np.linspace(0.9, 1.1, 6)

#: Name -> a table for 6 neurons; where it can, with values of its own for each of them.
TABLES = {
    "lif": lambda: bs.lif(tau_mem=20e-3 * _SPREAD, reset="subtract", refractory=2e-3),
    "lif_delta": lambda: bs.lif_delta(tau_mem=20e-3 * _SPREAD, refractory=2.4e-3),
    "ei_lif": lambda: bs.ei_lif(tau_exc=5e-3 * _SPREAD, threshold=0.9, reset=-0.1),
    "exponential Euler": lambda: bs.ei_lif(integrator="exponential_euler"),
    "bounded": lambda: bs.bounded(bs.lif(), low=-0.5, high=1.01),
    "adaptive_lif": lambda: bs.adaptive_lif(jump=0.1 * _SPREAD, jump_delay=3e-3),
    "ei_adaptive_lif": lambda: bs.ei_adaptive_lif(tau_adapt=0.1 * _SPREAD, integrator="euler"),
    "ampa_nmda_gaba": lambda: bs.ampa_nmda_gaba(tau_nmda=80e-3),
    "conductance_lif": lambda: bs.conductance_lif(
        threshold=1.0, reversal_exc=6.0, reversal_inh=-2.0, refractory=2e-3
    ),
    "alpha_conductance_lif": lambda: bs.alpha_conductance_lif(
        tau_exc=5e-3 * _SPREAD, threshold=1.0, reversal_exc=6.0, reversal_inh=-2.0, refractory=0.0
    ),
    "nmda_lif": lambda: bs.nmda_lif(
        tau_nmda=80e-3 * _SPREAD, threshold=1.0, reset=0.5, reversal_exc=3.5, unit=20e-3
    ),
    "exponential_lif": lambda: bs.exponential_lif(tau_exc=5e-3 * _SPREAD, refractory=2e-3),
    "adex": lambda: bs.adex(tau_adapt=0.1 * _SPREAD, peak=60e-3),
    "izhikevich": lambda: bs.izhikevich(a=0.05, tau_inh=8e-3 * _SPREAD),
    "of one's own": lambda: bs.Neuron(
        model="mine",
        states={"U": "mem", "I/x": "syn 1", "w.y": "slow"},
        gains={("U", "I/x"): 0.7, ("U", "w.y"): -1.0, ("w.y", "U"): 0.1},
        receptors={"fast": bs.Receptor("I/x", 1.3, 0), "exc": bs.Receptor("I/x", 0.3, 1)},
        time_constants={"mem": 20e-3, "syn 1": 5e-3 * _SPREAD, "slow": 0.1},
        spike_jumps={"w.y": 0.1 * _SPREAD},
    ),
}
#: Weights of the input and U at the start, where potentials are not in units of the threshold.
_SCALES = {
    "adex": (0.05, 0.0),
    "exponential_lif": (0.02, 0.0),
    "izhikevich": (20.0, -65.0),
    "of one's own": (3.0, 0.0),
}


class Ring:
    """A rule of one's own, with an in-degree of its own."""

    random = False
    in_degree = 2

    def __repr__(self):
        return "Ring of neighbours\nand so on"

    def build(self, n_pre, n_post, same, rng):
        pre = np.repeat(np.arange(n_pre), 2)
        return bs.Pairs(pre, (pre + np.tile([1, 2], n_pre)) % n_post).build(
            n_pre, n_post, same, rng
        )


#: Name -> a rule for a population of 6 that projects onto itself.
RULES = {
    "Bernoulli": lambda: bs.Bernoulli(0.5, self_connections=False),
    "FixedInDegree": lambda: bs.FixedInDegree(2, multiple=False),
    "FixedOutDegree": lambda: bs.FixedOutDegree(3),
    "FixedTotal": lambda: bs.FixedTotal(11),
    "OneToOne": lambda: bs.OneToOne(),
    "tied": lambda: bs.OneToOne(tied=True),
    "BlockDiagonal": lambda: bs.BlockDiagonal(2),
    "FanOut": lambda: bs.FanOut(),
    "Convolution": lambda: bs.Convolution((2, 3), 2, 3, padding="same"),
    "Pairs": lambda: bs.Pairs([5, 0, 2, 0], [1, 3, 2, 1]),
    "no synapses": lambda: bs.Pairs([], []),
    "Ring": lambda: Ring(),
}


def of_table(name, dtype=np.float32):
    """6 neurons of a table that an input drives."""
    net, (weight, initial) = bs.Network(DT, dtype), _SCALES.get(name, (0.5, 0.0))
    cells = net.population(6, TABLES[name](), name="A", initial=initial)
    net.connect(net.input(8), cells, weights=np.full((8, 6), weight), receptor="exc", delay=2e-3)
    return net


def of_rule(name, delay=1e-3, weights=None):
    """6 neurons that are joined by a rule."""
    net = bs.Network(DT)
    cells = net.population(6, bs.lif(), name="A")
    net.connect(net.input(8), cells, weights=np.full((8, 6), 0.5))
    weights = bs.Normal(0, 0.5) if weights is None else weights
    net.connect(
        cells, cells, synapses=RULES[name](), delay=delay, weights=weights, seed=3, name="r"
    )
    return net


def plastic():
    """A circuit with plasticity of both kinds, which an input drives."""
    net = bs.Network(DT)
    sheet = bs.space.torus((4, 5), 1e-3)
    e = net.population(20, bs.ei_lif(), "excitatory", name="E", positions=sheet)
    i = net.population(6, bs.ei_lif(), "inhibitory", name="I")
    depressing, stdp = bs.TsodyksMarkram(0.4, 0.2, 0.1), bs.InhibitorySTDP(0.05, 8.0, w_max=3.0)
    x = net.input(8)
    net.connect(x, e, weights=bs.Exponential(1.0), synapses=bs.Bernoulli(0.7), seed=1)
    net.connect(e, i, weights=0.4, synapses=bs.FixedInDegree(8), plasticity=depressing, seed=1)
    net.connect(i, e, weights=0.3, synapses=bs.Bernoulli(0.6), plasticity=stdp, seed=1)
    delays = bs.Uniform(0, 6e-3)
    net.connect(e, e, weights=bs.Exponential(0.1), synapses=bs.Bernoulli(0.3), delay=delays, seed=1)
    return net


def layered(**options):
    """Feature maps with noise, pooling and shared weights; what can be learned; two readouts.

    options: of the population h.
    """
    net = bs.Network(DT, options.pop("dtype", np.float32))
    x = net.input(8)
    maps = net.population(12, bs.lif(), name="maps", noise=bs.SigmoidEscape(10.0))
    net.connect(x, maps, synapses=bs.Convolution((1, 8), 2, 3), weights=bs.Normal(0.5, 0.3), seed=1)
    pooled = net.pool(maps, bs.MaxPool((2, 6), 2))
    learn = {"mem": "neuron", "adapt": "population", "jump": "neuron"}
    options = {"neuron": bs.adaptive_lif(), "learn": learn, "bias": 0.2} | options
    h = net.population(10, surrogate=bs.Sigmoid(15.0), name="h", **options)
    net.connect(pooled, h, weights=bs.Normal(0, 0.5), seed=1)
    recurrent = dict(synapses=bs.Bernoulli(0.4), seed=1, gradient_to_source=False)
    net.connect(h, h, delay=bs.Uniform(0, 4e-3), weights=bs.Normal(0, 0.3), **recurrent)
    net.connect(x, h, synapses=bs.Bernoulli(0.5), weights=0.3, seed=2, frozen=True)
    for name in ("first", "second"):
        readout = net.readout(
            3, tau_mem=60e-3, name=name, bias=np.arange(3.0), learn={"syn": "neuron"}
        )
        net.connect(h, readout, weights=bs.Normal(0, 0.5), seed=1)
    return net


def per_neuron():
    """Everything that may differ from neuron to neuron, and what NMDA receptors have."""
    net = bs.Network(DT)
    neuron = bs.nmda_lif(
        tau_ampa=5e-3 * _SPREAD,
        threshold=20e-3 * _SPREAD,
        reset=10e-3 * _SPREAD,
        refractory=np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0]) * 1e-3,
        reversal_exc=70e-3 * _SPREAD,
    )
    neuron = bs.bounded(neuron, low=-10e-3 * _SPREAD, high=30e-3 * _SPREAD)
    learn = {"threshold": "neuron", "ampa": "population"}
    options = {"initial": 5e-3 * _SPREAD, "learn": learn}
    e = net.population(6, neuron, "excitatory", name="E", **options)
    net.parameters["E", "threshold"] = 1e-3 * np.arange(6.0)
    a = net.population(
        6, bs.adaptive_lif(jump=0.1 * _SPREAD), name="A", learn={"threshold": "population"}
    )
    net.parameters["A", "threshold"][...] = -0.25
    x = net.input(8, sign="excitatory")
    net.connect(x, e, weights=np.full((8, 6), 0.1))
    gating = bs.SaturatingGating(alpha=400.0, tau_rise=3e-3, tau_decay=0.1)
    net.connect(e, e, weights=np.full((6, 6), 0.2), receptor="nmda", plasticity=gating)
    net.connect(e, a, weights=np.full((6, 6), 0.5))
    return net


def spikes(n_trials=1):
    """100 ms of spikes of the 8 inputs."""
    labels = np.arange(n_trials) % 3
    return bs.data.poisson(80.0, 8, 0.1, n_trials, seed=1, labels=labels)

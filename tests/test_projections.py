"""Projections other than dense in batches of trials: gradients, references, convolution, freezing, biases, constraints, deep networks."""
import gradcheck
import naive
import numpy as np
import pytest
from scipy.signal import correlate

import biosnn as bs
from biosnn.constraint import checked_constraints

DT = 1e-3
SURROGATES = [bs.SuperSpike(5), bs.TruncatedSuperSpike(3, 1.5)]


def exponential(scale):
    return lambda rng, size: rng.exponential(scale, size)


def spikes(n_units=8, n_trials=2, duration=0.03, seed=3, rate=100.0):
    return bs.data.poisson(rate, n_units, duration, n_trials, seed=seed, labels=np.arange(n_trials) % 3)


def sparse_rules(n_pre, n_post):
    rules = {"bernoulli": bs.Bernoulli(0.6), "fixed in": bs.FixedInDegree(3), "pairs": bs.Pairs([0, 0, 2, 3], [1, 1, 0, 3]),
             "nothing": bs.Bernoulli(0.0)}
    if n_pre == n_post:
        rules |= {"one to one": bs.OneToOne(), "tied": bs.OneToOne(tied=True)}
    else:
        rules |= {"fan out": bs.FanOut(), "blocks": bs.BlockDiagonal(2), "line": bs.Convolution((2, 4), 2, 2), "plane": bs.Convolution((1, 2, 4), 1, (1, 3), padding=(1, 0)) if n_post == 8 else
                  bs.Convolution((2, 2, 2), 1, (2, 1), padding=(0, 0))}
    return rules


def circuit(rule, n_post, surrogate=bs.SuperSpike(5), delay=0.0, weights=None, dtype=np.float64, bias=None, learn=None, **options):
    """Eight inputs and a population of eight, with `rule` to n_post neurons, back from them, and a readout of all."""
    rng, net = np.random.default_rng(1), bs.Network(DT, dtype)
    x = net.input(8)
    a = net.population(8, bs.lif(12e-3, 5e-3, threshold=0.8), name="A", surrogate=surrogate, initial=0.1, bias=bias, learn=learn)
    b = net.population(n_post, bs.lif(12e-3, 5e-3, threshold=0.8, refractory=2e-3), name="B", surrogate=surrogate)
    net.connect(x, a, weights=rng.exponential(0.8, (8, 8)))
    net.connect(a, b, delay, exponential(1.0) if weights is None else weights, synapses=rule, seed=2, **options)
    net.connect(b, a, 2 * DT, rng.normal(0, 0.5, (n_post, 8)), name="back")
    out = net.readout(3, 20e-3, 5e-3, name="out", bias=None if bias is None else 0.1)
    net.connect(b, out, DT, rng.normal(0, 1, (n_post, 3)))
    net.connect(a, out, weights=exponential(0.5), synapses=bs.Bernoulli(0.5), seed=3)
    return net


def loss(trace):
    readout = trace.states["out.U"]
    value, grad = bs.MaxOverTimeCrossEntropy().value_and_gradient(readout, trace.labels, None)
    return value, {"out.U": grad}, {}, {}


CASES = [("bernoulli", 6), ("fixed in", 5), ("pairs", 4), ("nothing", 4), ("one to one", 8), ("tied", 8), ("fan out", 16), ("blocks", 4), ("line", 6),
         ("plane", 2)]
PLANE = bs.Convolution((2, 2, 2), 1, (2, 1))


def rule_of(name, n_post):
    return {"bernoulli": bs.Bernoulli(0.6), "fixed in": bs.FixedInDegree(3), "pairs": bs.Pairs([0, 0, 2, 3], [1, 1, 0, 3]),
            "nothing": bs.Bernoulli(0.0), "one to one": bs.OneToOne(), "tied": bs.OneToOne(tied=True), "fan out": bs.FanOut(),
            "blocks": bs.BlockDiagonal(2), "line": bs.Convolution((2, 4), 2, 2), "plane": PLANE}[name]


@pytest.mark.parametrize("name, n_post", CASES)
def test_smooth_twin_of_every_rule(name, n_post):
    for surrogate in SURROGATES:
        assert gradcheck.relative_error(circuit(rule_of(name, n_post), n_post, surrogate), spikes(), loss) < 1e-6

"""Every kind of projection: who is connected, with which weights and delays, and the gradients."""

import numpy as np
import scipy.sparse

import biosnn as bs

from .common import DT, SPIKES, UNITS, fill, positive, run_and_gradient, run_values, signed
from .registry import case


def _built(net):
    """(j, i, w, d) of all synapses."""
    names = ("source", "target", "weight", "delay")
    return {p.name: dict(zip(names, net.indices(p), strict=True)) for p in net.projections}


def _values(net, **options):
    return {"synapses of": _built(net)} | run_and_gradient(net, **options)


@case("dense projections: a Dalian layer with recurrence and delays")
def dalian_layer():
    net = bs.Network(DT)
    e, _ = bs.dalian_layer(net, net.input(UNITS), 12, 4, delay=2e-3)
    net.connect(e, net.readout(2, tau_mem=40e-3), delay=1e-3)
    return _values(fill(net, 0.5))


@case("dense projections: layers, a skip connection, feedback without gradient, frozen weights")
def deep():
    net = bs.Network(DT)
    x = net.input(UNITS)
    first = bs.layer(net, x, 8, name="first", recurrent=True, delay=1e-3)
    second = bs.layer(net, first, 6, name="second", neuron=bs.adaptive_lif())
    net.connect(x, second, delay=5e-3, frozen=True)
    net.connect(second, first, delay=3e-3, gradient_to_source=False)
    net.connect(second, net.readout(2))
    return {"recurrent": "\n".join(sorted(bs.recurrent_projections(net)))} | _values(fill(net, 0.8))


PRE, POST = np.array([5, 0, 11, 3, 0, 7, 2]), np.array([1, 11, 0, 4, 4, 9, 2])

RULES = {
    "Bernoulli": bs.Bernoulli(0.4),
    "FixedInDegree": bs.FixedInDegree(4),
    "FixedInDegree, single": bs.FixedInDegree(4, multiple=False, self_connections=False),
    "FixedOutDegree": bs.FixedOutDegree(4),
    "FixedOutDegree, single": bs.FixedOutDegree(4, multiple=False, self_connections=False),
    "FixedTotal": bs.FixedTotal(50),
    "FixedTotal, single": bs.FixedTotal(50, multiple=False),
    "OneToOne": bs.OneToOne(),
    "OneToOne, tied": bs.OneToOne(tied=True),
    "BlockDiagonal": bs.BlockDiagonal(3),
    "FanOut": bs.FanOut(),
    "Pairs": bs.Pairs(PRE, POST),
    "from_scipy": bs.from_scipy(scipy.sparse.csr_array(np.tril(positive(UNITS, UNITS)))),
}


@case("sparse projections: connectivity rules")
def connectivity():
    result = {}
    for name, rule in RULES.items():
        net = bs.Network(DT)
        a = net.population(UNITS, bs.lif(), name="A")
        net.connect(net.input(UNITS), a, delay=1e-3, weights=positive(UNITS, UNITS))
        net.connect(a, a, delay=2e-3, synapses=rule, seed=3)
        net.connect(a, net.readout(2), weights=signed(UNITS, 2))
        result[name] = _values(fill(net, 0.5))
    return result


DISTRIBUTIONS = {
    "Normal": bs.Normal(0.3, 0.1, low=0.0),
    "Uniform above 0": bs.Uniform(0.1, 0.5),
    "Exponential": bs.Exponential(0.3),
    "LogNormal": bs.LogNormal(0.3, 0.5),
    "Gamma": bs.Gamma(0.3, 2.0),
    "HalfNormal": bs.HalfNormal(0.3),
    "Uniform": bs.Uniform(0, 0.6),
    "Constant": bs.Normal(0.3, 0.0),
}


@case("weights from distributions, a delay for each synapse")
def distributions():
    result = {}
    for name, weights in DISTRIBUTIONS.items():
        net = bs.Network(DT)
        e = net.population(8, bs.ei_lif(), "excitatory", name="E")
        x = net.input(UNITS, sign="excitatory")
        delay = bs.Uniform(0.0, 6e-3) if name != "Normal" else bs.Normal(3e-3, 1e-3, low=0.0)
        net.connect(x, e, delay=delay, weights=weights, synapses=bs.Bernoulli(0.7), seed=8)
        net.connect(e, e, delay=1e-3, weights=weights, seed=8)
        net.connect(e, net.readout(2), weights=signed(8, 2))
        result[name] = _values(net)
    return result


@case("a given delay for each synapse, one weight for all, several synapses of a pair")
def given_delays():
    net = bs.Network(DT)
    a = net.population(UNITS, bs.lif(), name="A")
    delays = DT * np.array([0, 1, 2, 3, 5, 8, 13])
    net.connect(net.input(UNITS), a, delay=delays, synapses=bs.Pairs(PRE, POST), name="pairs")
    net.connect(
        "input", a, delay=1e-3, weights=0.2, synapses=bs.FixedInDegree(9), seed=2, name="one weight"
    )
    net.connect(a, a, delay=2e-3, synapses=net.synapses["one weight"])
    net.connect(a, net.readout(2), weights=signed(UNITS, 2))
    return _values(fill(net, 0.6))


@case("convolutions in one and two dimensions")
def convolution():
    net = bs.Network(DT)
    x = net.input(UNITS)
    layer, shape = bs.convolutional_layer(
        net, x, (1, UNITS), 3, 5, stride=2, padding="same", recurrent_kernel=3, name="C", delay=1e-3
    )
    net.connect(layer, net.readout(2))
    flat = bs.Network(DT)
    options = {"stride": (1, 2), "padding": 1, "recurrent_kernel": 1}
    e, _, planes = bs.dalian_convolutional_layer(
        flat, flat.input(UNITS), (1, 3, 4), 3, 1, (3, 2), **options
    )
    flat.connect(e, flat.readout(2))
    return {
        "one": {"shape": shape} | _values(fill(net, 0.8)),
        "two": {"shape": planes} | _values(fill(flat, 0.8)),
    }


@case("pooling of spikes, and of spike trains")
def pooling():
    net = bs.Network(DT)
    maps = (2, 6)
    a = net.population(12, bs.lif(), name="A")
    net.connect(net.input(UNITS), a, weights=positive(UNITS, 12, mean=0.4))
    pooled = net.pool(a, bs.MaxPool(maps, size=3, stride=2))
    net.connect(pooled, a, delay=2e-3, name="back", weights=signed(pooled.n, 12))
    net.connect(pooled, net.readout(2), delay=1e-3, weights=signed(pooled.n, 2))
    trains, shape = bs.max_pool(SPIKES, maps, 2)
    return {"pooled input": trains, "shape": shape} | _values(net)


def _recurrent():
    net = bs.Network(DT)
    layer = bs.layer(net, net.input(UNITS), 8, name="A", recurrent=True, delay=1e-3)
    net.connect(layer, net.readout(2))
    return fill(net, 0.8)


@case("truncated gradients, gradients of states and of each step")
def gradient_options():
    net = _recurrent()
    record = ["A.U", "A.I", "A.U_star"]
    return {
        "whole": run_and_gradient(net, record=record, per_step=["input->A", "A->A"]),
        "truncated": run_and_gradient(net, truncate=10e-3),
    }


@case("moments, counts of several spikes in a step, and a run that goes on from another")
def continued():
    net, whole = _recurrent(), bs.bin_spikes(SPIKES, DT).dense()
    parts = [bs.SpikeTrains.from_dense(part, DT) for part in np.split(whole, [30], axis=1)]
    first = bs.run(net, parts[0], moments=["A.U", "A.I"])
    second = bs.run(net, parts[1], state=first.state, record=["A.U"])
    unmerged = bs.run(net, SPIKES, merge=False, record=["A.U"])
    runs = {"first": first, "second": second, "unmerged": unmerged}
    return {name: run_values(trace) for name, trace in runs.items()}


@case("another time step, and weights from the layout of PyTorch")
def rescaled():
    net = _recurrent()
    net.set_weights("A->A", bs.interop.from_torch(net.weights["A->A"]))
    return _values(bs.time_rescale(net, 0.5e-3))

"""Initial weights: the fluctuation-driven start in all its forms, and others to compare with."""

import warnings

import numpy as np
import scipy.stats

import biosnn as bs

from .common import DT, UNITS
from .registry import case
from .simulations import circuit

DATA = bs.data.poisson(80.0, UNITS, 0.3, 24, seed=12, labels=np.arange(24) % 2)

#: Rates to assume where nothing is measured.
ASSUMED = {"assumed_rates": {"input": 40.0, "E": 5.0, "I": 10.0}, "closed_loop": False}

#: The closed loop stops within a tolerance: one more iteration moves weights by a few percent.
LOOP = 0.05


def report_values(net, report):
    """Weights, all numbers of a report, and its printed table."""
    populations = {}
    for row in report.populations:
        t, p, m = row.target, row.predicted, row.measured
        numbers = [row.threshold, row.alpha, t.mu, t.sigma, p.mu, p.sigma, m.mu, m.sigma]
        numbers += [t.rate, p.rate, m.rate, m.cv, row.ei_ratio, p.spread, m.spread]
        populations[row.name] = np.array(numbers)
    values = {"weights of": dict(net.weights), "report": str(report)}
    values["numbers of the report of"] = populations
    return values | {"converged": np.bool_(report.converged)}


def dalian(neuron=None):
    net = bs.Network(DT)
    e, _ = bs.dalian_layer(net, net.input(UNITS), 20, 10, neuron=neuron)
    net.connect(e, net.readout(2))
    return net


def started(net, spikes=DATA, **options):
    """Values of the fluctuation-driven start of a network."""
    options = {"seed": 1, "progress": False} | options
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # notes are in the report
        return report_values(net, bs.fluctuation_driven(net, spikes, **options))


FAMILIES = {
    "exponential": bs.families.Exponential(),
    "log-normal": bs.families.LogNormal(0.7),
    "gamma": bs.families.Gamma(3.0),
    "half-normal": bs.families.HalfNormal(),
    "uniform": bs.families.Uniform(),
    "constant": bs.families.Constant(),
}


@case("fluctuation_driven: families, closed loop on trials", LOOP)
def families():
    chosen = ("exponential", "log-normal", "uniform")
    return {name: started(dalian(), family=FAMILIES[name]) for name in chosen}


@case("fluctuation_driven: families, equations alone")
def equations():
    values = {
        name: started(dalian(), None, family=family, alpha=0.8, **ASSUMED)
        for name, family in FAMILIES.items()
    }
    shares = {"input->E": 0.6, "E->E": 0.4}
    return values | {"shares": started(dalian(), None, shares=shares, **ASSUMED)}


@case("fluctuation_driven: targets and options on trials", LOOP)
def targets():
    return {
        "xi": started(dalian(), xi=0.8, mu_u=0.1),
        "by population": started(dalian(), sigma_u={"E": 0.9, "I": 1.1}, mu_u=0.1, alpha=0.8),
        "balance of each neuron": started(dalian(), balance="neuron", family=bs.families.Uniform()),
        "open loop": started(dalian(), closed_loop=False),
        "unmerged": started(dalian(), merge=False),
    }


@case("fluctuation_driven: unsigned, deep, sparse and convolutional networks", LOOP)
def kinds():
    deep = bs.Network(DT)
    first = bs.layer(deep, deep.input(UNITS), 12, name="first", recurrent=True)
    second = bs.layer(deep, first, 10, name="second", neuron=bs.adaptive_lif())
    deep.connect(second, deep.readout(2))
    sparse = bs.Network(DT)
    x = sparse.input(UNITS, sign="excitatory")
    e = sparse.population(16, bs.ampa_nmda_gaba(), "excitatory", name="E")
    i = sparse.population(6, bs.ei_lif(), "inhibitory", name="I")
    for post in (e, i):
        sparse.connect(x, post, synapses=bs.Bernoulli(0.7), seed=1)
        sparse.connect(e, post, delay=2e-3, synapses=bs.FixedInDegree(5), seed=1)
        sparse.connect(i, post, delay=1e-3, synapses=bs.FixedInDegree(3), seed=1)
    convolved = bs.Network(DT)
    e, _, shape = bs.dalian_convolutional_layer(
        convolved, convolved.input(UNITS), (1, UNITS), 4, 2, 3, padding="same"
    )
    convolved.connect(convolved.pool(e, bs.MaxPool(shape, 3)), convolved.readout(2))
    learned = bs.Network(DT)
    options = {"learn": {"mem": "neuron"}, "bias": 0.05}
    a = learned.population(10, bs.lif(), name="A", **options)
    learned.connect(learned.input(UNITS), a)
    learned.connect(a, learned.readout(2))
    nets = {"deep": deep, "sparse": sparse, "convolved": convolved, "learned": learned}
    return {name: started(net, sigma_u=0.9) for name, net in nets.items()}


CONDUCTANCES = bs.conductance_lif(
    reversal_exc=6.0, reversal_inh=-2.0, threshold=1.0, refractory=4e-3
)


@case("fluctuation_driven: conductances, equations alone")
def conductances():
    return started(dalian(CONDUCTANCES), None, sigma_u=0.6, **ASSUMED)


@case("fluctuation_driven: loops that end without settling, with given rates and conductances", 0.3)
def unsettled():
    return {
        "given rates": started(dalian(), assumed_rates={"E": 12.0, "I": 12.0}),
        "conductances": started(dalian(CONDUCTANCES), sigma_u=0.6),
    }


def _bare(neuron):
    """A circuit of 80 and 20 neurons without weights."""
    net = bs.Network(0.5e-3)
    e = net.population(80, neuron, "excitatory", name="E")
    i = net.population(20, neuron, "inhibitory", name="I")
    for post in (e, i):
        net.connect(e, post, delay=1.5e-3, synapses=bs.FixedInDegree(160), seed=1)
        net.connect(i, post, delay=1.5e-3, synapses=bs.FixedInDegree(40), seed=1)
    return net


def _driven(weight, rate):
    return [bs.PoissonInput(name, rate, weight) for name in ("E", "I")]


CIRCUITS = {
    "delta": (bs.lif_delta(refractory=2e-3), _driven(0.01, 5000.0), {"mu_u": 0.8, "sigma_u": 0.3}),
    "currents": (
        bs.ei_lif(tau_mem=20e-3, tau_exc=5e-3),
        _driven(0.04, 5000.0),
        {"mu_u": 0.8, "sigma_u": 0.3},
    ),
    "conductances": (CONDUCTANCES, _driven(0.02, 3000.0), {"mu_u": 0.5, "sigma_u": 0.55}),
    "target rate": (
        bs.lif_delta(refractory=2e-3),
        _driven(0.01, 5000.0),
        {"target_rate": 15.0, "sigma_u": 0.3},
    ),
}


@case("fluctuation_driven: circuits with a background, equations alone")
def circuit_equations():
    result = {}
    for name, (neuron, background, wanted) in CIRCUITS.items():
        options = {"background": background, "closed_loop": False} | wanted
        result[name] = started(_bare(neuron), None, **options)
    return result


@case("fluctuation_driven: circuits with a background, closed loop", 4 * LOOP)
def circuit_loop():
    result = {}
    for name in ("delta", "conductances"):
        neuron, background, wanted = CIRCUITS[name]
        family = bs.families.Constant() if name == "delta" else bs.families.LogNormal(0.5)
        options = {"background": background, "family": family} | wanted
        result[name] = started(_bare(neuron), None, **options)
    return result


@case("kaiming, xavier, random_weights")
def baselines():
    starts = {
        "kaiming": lambda net: bs.kaiming(net, seed=2),
        "sparse kaiming": lambda net: bs.kaiming(net, seed=2, sparse=0.5),
        "xavier": lambda net: bs.xavier(net, seed=2, sparse=0.2),
        "normal": lambda net: bs.random_weights(net, scipy.stats.norm(0, 1), seed=2),
        "plain": lambda net: bs.random_weights(net, scipy.stats.expon(), seed=2, scale=False),
    }
    result = {}
    for name, start in starts.items():
        for kind, build in {"Dalian": dalian, "circuit": circuit}.items():
            net = build()
            start(net)
            result[f"{name}, {kind}"] = {"weights of": dict(net.weights)}
    return result

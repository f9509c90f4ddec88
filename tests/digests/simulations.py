"""`simulate`: backgrounds, plasticity, delays, threads, continuation and files."""

import tempfile
from pathlib import Path

import numpy as np

import biosnn as bs

from .common import DT, SPIKES, UNITS, fill, positive, simulation_values
from .registry import case

SECONDS = 0.1


def circuit(neuron=None, dtype=np.float32, delay=None):
    """24 excitatory and 6 inhibitory neurons, sparse; a delay for each synapse or one for all."""
    neuron = (
        bs.ei_lif(tau_mem=20e-3, tau_exc=5e-3, tau_inh=10e-3, refractory=2e-3)
        if neuron is None
        else neuron
    )
    net = bs.Network(DT, dtype)
    e = net.population(24, neuron, "excitatory", name="E")
    i = net.population(6, neuron, "inhibitory", name="I")
    delay = bs.Uniform(1e-3, 5e-3) if delay is None else delay
    for post in (e, i):
        net.connect(
            e,
            post,
            delay=delay,
            weights=bs.Exponential(0.4),
            synapses=bs.FixedInDegree(12),
            seed=1,
        )
        net.connect(i, post, delay=1e-3, weights=0.4, synapses=bs.FixedInDegree(5), seed=1)
    return net


def _drive():
    return [bs.PoissonInput("E", 2000.0, 0.12), bs.PoissonInput("I", 2000.0, 0.1)]


def _simulate(net, background, seconds=SECONDS, spikes=None, **options):
    options = {"seed": 2, "progress": False} | options
    record = {f"{p.name}.{state}": slice(None, None, 3) for p in net.spiking for state in p.states}
    return bs.simulate(net, seconds, spikes, background=background, record=record, **options)


@case("Poisson background: constant, changing, of each neuron")
def poisson_background():
    changing = ([0.0, 0.03, 0.06], [500.0, 3000.0, 1000.0])
    each = np.linspace(500.0, 4000.0, 24)
    rates = {"constant": 2000.0, "changing": changing, "each": each}
    return {
        name: simulation_values(_simulate(circuit(), [bs.PoissonInput("E", rate, 0.15)]))
        for name, rate in rates.items()
    }


@case("currents: constant, changing, of each neuron")
def current_background():
    changing = ([0.0, 0.05], [np.full(24, 0.8), np.linspace(0.5, 2.0, 24)])
    values = {"constant": 1.3, "changing": changing, "each": np.linspace(0.5, 2.0, 24)}
    return {
        name: simulation_values(_simulate(circuit(), [bs.Current("E", value)]))
        for name, value in values.items()
    }


@case("Ornstein-Uhlenbeck background, initial states from distributions")
def ornstein_uhlenbeck():
    background = [
        bs.OrnsteinUhlenbeck("E", 0.9, 0.4, 5e-3),
        bs.OrnsteinUhlenbeck("I", 1, 0.2, 8e-3),
    ]
    initial = {"E.U": bs.Normal(0.3, 0.2), "I.U": 0.5, "E.I_exc": np.linspace(0, 1, 24)}
    return simulation_values(_simulate(circuit(), background, initial=initial))


@case("delta synapses, conductances and double precision in simulations")
def tables():
    delta = circuit(bs.lif_delta(tau_mem=20e-3, refractory=2e-3))
    options = {"reversal_exc": 6.0, "reversal_inh": -2.0, "threshold": 1.0}
    conducting = circuit(bs.conductance_lif(refractory=2e-3, **options))
    return {
        "delta": simulation_values(_simulate(delta, _drive())),
        "conductances": simulation_values(_simulate(conducting, _drive())),
        "double": simulation_values(_simulate(circuit(dtype=np.float64), _drive())),
    }


@case("simulations on one and on two threads")
def threads():
    result = {}
    for threads in (1, 2):
        done = _simulate(circuit(delay=2e-3), _drive(), threads=threads)
        result[f"{threads} threads"] = simulation_values(done)
    return result


@case("short-term plasticity")
def short_term():
    result = {}
    rules = {
        "depression": bs.TsodyksMarkram(0.5, 0.2),
        "facilitation": bs.TsodyksMarkram(0.1, 0.1, 0.3),
    }
    for name, rule in rules.items():
        net = circuit()
        options = {"weights": 0.3, "synapses": bs.Bernoulli(0.5), "seed": 3, "plasticity": rule}
        net.connect("E", "I", delay=3e-3, name="plastic", **options)
        net.connect("E", "E", delay=bs.Uniform(0.0, 4e-3), name="of each delay", **options)
        result[name] = simulation_values(_simulate(net, _drive()))
        result[name]["steady state"] = np.array(rule.steady_state(np.array([5.0, 20.0])))
    return result


@case("inhibitory plasticity")
def inhibitory():
    result = {}
    for threads in (1, 2):
        net = circuit()
        rule = bs.InhibitorySTDP(eta=0.05, target_rate=5.0, w_max=0.6)
        options = {"synapses": bs.Bernoulli(0.8), "seed": 3, "plasticity": rule}
        net.connect("I", "E", delay=2e-3, weights=0.2, name="plastic", **options)
        net.connect("I", "I", delay=4e-3, weights=0.2, name="within I", **options)
        done = _simulate(net, _drive(), threads=threads)
        result[f"{threads} threads"] = simulation_values(done)
    return result


@case("both plasticities, continued")
def continued_plasticity():
    net = circuit()
    options = {"synapses": bs.Bernoulli(0.8), "seed": 3}
    stdp, depression = bs.InhibitorySTDP(eta=0.05, target_rate=5.0), bs.TsodyksMarkram(0.5, 0.2)
    net.connect("I", "E", delay=2e-3, weights=0.2, name="STDP", plasticity=stdp, **options)
    net.connect(
        "E", "I", delay=3e-3, weights=0.3, name="depression", plasticity=depression, **options
    )
    first = _simulate(net, _drive(), 0.05)
    second = _simulate(net, _drive(), 0.05, state=first.state, seed=None)
    return {"first": simulation_values(first), "second": simulation_values(second)}


@case("continuation, a branch, files of states and of spikes")
def continued():
    net = circuit()
    with tempfile.TemporaryDirectory() as folder:
        first = _simulate(net, _drive(), 0.05, out=Path(folder) / "spikes")
        bs.save_state(first.state, Path(folder) / "state")
        state = bs.load_state(Path(folder) / "state")
        filed = bs.read_spikes(Path(folder) / "spikes")
        values = {"first": simulation_values(first), "filed": dict(filed)}
    second = _simulate(net, _drive(), 0.05, state=state, seed=None)
    branch = _simulate(net, _drive(), 0.05, state=state, seed=9)
    return values | {"second": simulation_values(second), "branch": simulation_values(branch)}


@case("simulations of inputs, convolution, pooling and a readout")
def inputs():
    net = bs.Network(DT)
    e, _, shape = bs.dalian_convolutional_layer(
        net, net.input(UNITS), (1, UNITS), 3, 1, 3, padding="same", recurrent_kernel=3
    )
    pooled = net.pool(e, bs.MaxPool(shape, size=4))
    net.connect(pooled, net.readout(2), delay=1e-3)
    net.connect("input", "I", delay=2e-3, weights=positive(UNITS, 12, mean=0.2), name="dense")
    fill(net, 0.8)
    done = _simulate(net, [bs.Current("E", 0.2)], SPIKES.duration, SPIKES[1:2])
    readout = bs.simulate(
        net, SPIKES.duration, SPIKES[1:2], record={"readout.U": slice(None)}, progress=False
    )
    return simulation_values(done) | {"readout": readout.states["readout.U"]}

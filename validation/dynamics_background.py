"""A rung of the ladder: background and initial states, drawn by biosnn and handed to Brian2."""

from collections.abc import Iterator
from typing import Any

import numpy as np

import biosnn as bs

from .dynamics_cases import Case
from .dynamics_neurons import two_receptors

#: A table, the weight of Poisson input (of NMDA onto its receptor), and a current near threshold.
TABLES: tuple[Any, ...] = (
    (bs.lif(refractory=2e-3), 0.12, 0.5),
    (bs.ei_lif(refractory=2e-3), 0.12, 0.5),
    (bs.lif_delta(refractory=2e-3), 0.1, 0.5),
    (bs.ei_adaptive_lif(jump_delay=2e-3), 0.12, 0.5),
    (bs.conductance_lif(refractory=2e-3), 0.03, 5e-3),
    (bs.alpha_conductance_lif(), 0.01, 5e-3),
    (bs.nmda_lif(), 0.01, 10e-3),
    (bs.bounded(bs.ei_lif(refractory=2e-3), -0.1, 1.01), 0.12, 0.5),
)


def background() -> Iterator[Case]:
    """Poisson input, currents, noise and initial states: the same random numbers in both."""
    for neuron, weight, current in TABLES:
        receptor = "nmda" if "nmda" in neuron.receptors else "exc"
        for name, sources in kinds(weight, current, receptor).items():
            net = bs.Network(1e-3)
            net.population(20, neuron, name="A", bias=current / 2)
            bounded = ", bounded" if neuron.bounded else ""
            yield Case(
                7,
                f"{neuron.model}{bounded}, {name}",
                net,
                None,
                duration=1.0,
                background=sources,
                initial={"A.U": bs.Uniform(0.0, current)},
                seed=len(name),
            )
    yield beside_spikes_and_currents()
    yield of_trials()
    yield circuit()
    yield learning()


def kinds(weight: float, current: float, receptor: str) -> dict[str, list[Any]]:
    """Kinds of sources; weight: of an event; current: near threshold."""
    each, begins = np.linspace(0.5, 1.5, 20), [0.0, 0.2, 0.6]
    in_time, drive = np.array([0.5, 1.6, 1.0]), bs.Current("A", current)

    def events(rate: Any) -> bs.PoissonInput:
        return bs.PoissonInput("A", rate, weight, receptor)

    return {
        "Poisson": [drive, events(800.0)],
        "Poisson of each neuron": [drive, events(800.0 * each)],
        "Poisson in time": [drive, events((begins, 800.0 * in_time))],
        "currents": [
            bs.Current("A", current * (1 + each)),
            bs.Current("A", (begins, np.outer(in_time, current * each))),
            events(100.0),
        ],
        "noise": [
            bs.OrnsteinUhlenbeck("A", 1.5 * current, current * each, 10e-3),
            bs.OrnsteinUhlenbeck("A", 0.0, current / 2, 50e-3),
            events(100.0),
        ],
        "all of it": [
            drive,
            events(300.0 * each),
            bs.OrnsteinUhlenbeck("A", 0.0, current, 10e-3),
            bs.PoissonInput("A", (begins, 300.0 * in_time), weight, "inh"),
        ],
    }


def beside_spikes_and_currents() -> Case:
    """Input spikes, injected currents and a background at once; neurons of their own."""
    spread = np.array([0.8, 1.0, 1.3])
    neuron = bs.bounded(bs.ei_lif(threshold=spread, refractory=[1e-3, 2e-3, 4e-3]), -0.5 * spread)
    net = two_receptors(neuron, 1e-3, 0.4, 0.2)
    return Case(
        7,
        "beside spikes and currents",
        net,
        bs.data.poisson(20, 20, 1.0, seed=1),
        {"A": np.full((1000, 3), 0.2)},
        background=[bs.PoissonInput("A", 500.0, 0.1), bs.OrnsteinUhlenbeck("A", 0.1, 0.3, 5e-3)],
        initial={"A.U": [0.1, 0.5, 0.9], "A.I_exc": bs.Exponential(0.2)},
        seed=3,
    )


def of_trials() -> Case:
    """Three trials, each with values of its own."""
    net = two_receptors(bs.ei_lif(refractory=2e-3), 1e-3, 0.4, 0.2)
    each = np.array([[0.1], [0.3], [0.5]])
    return Case(
        7,
        "three trials with values of their own",
        net,
        bs.data.poisson(20, 20, 0.5, 3, seed=1),
        background=[bs.Current("A", each), bs.PoissonInput("A", 1000.0 * each, 0.2)],
        initial={"A.U": np.broadcast_to(each, (3, 3))},
        seed=4,
    )


def circuit() -> Case:
    """64 E + 16 I, recurrent, kept active by background alone, with a readout."""
    net = bs.Network(1e-3)
    e = net.population(64, bs.ei_lif(refractory=2e-3, tau_inh=15e-3), "excitatory", name="E")
    i = net.population(16, bs.lif_delta(refractory=1e-3), "inhibitory", name="I")
    rng = np.random.default_rng(0)
    for pre, post, mean in ((e, e, 0.01), (e, i, 0.03), (i, e, 0.08), (i, i, 0.05)):
        weights = rng.exponential(mean, (pre.n, post.n))
        net.connect(pre, post, delay=2e-3, weights=weights)
    net.connect(e, net.readout(2), weights=rng.normal(size=(64, 2)))
    sources = [
        bs.PoissonInput("E", 1500.0, 0.08),
        bs.PoissonInput("I", np.linspace(1e3, 3e3, 16), 0.05),
        bs.OrnsteinUhlenbeck("E", 0.2, 0.3, 20e-3),
        bs.Current("readout", np.array([0.2, -0.1])),
    ]
    start: Any = {"E.U": bs.Normal(0.5, 0.2, high=1.0), "readout.U": 0.3}
    return Case(
        7, "recurrent circuit", net, None, duration=1.0, background=sources, initial=start, seed=5
    )


def learning() -> Case:
    """Inhibitory plasticity, short-term plasticity and Poisson input."""
    net = bs.Network(1e-3)
    e = net.population(40, bs.ei_lif(refractory=2e-3), "excitatory", name="E")
    i = net.population(10, bs.ei_lif(refractory=2e-3), "inhibitory", name="I")
    half = bs.Bernoulli(0.5)
    rule = bs.TsodyksMarkram(0.5, 0.2)
    net.connect(e, i, delay=2e-3, weights=0.1, synapses=half, seed=1, plasticity=rule)
    stdp = bs.InhibitorySTDP(0.01, 5.0, w_max=0.5)
    net.connect(i, e, delay=2e-3, weights=0.05, synapses=half, seed=2, plasticity=stdp)
    sources = [bs.PoissonInput(name, 2000.0, 0.08) for name in ("E", "I")]
    return Case(7, "plastic circuit", net, None, duration=1.0, background=sources, seed=6)

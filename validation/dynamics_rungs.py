"""The rungs of the ladder above single neurons: populations, circuits, a motif, a large network."""

from collections.abc import Iterator
from typing import Any

import numpy as np

import biosnn as bs

from .dynamics_background import background
from .dynamics_cases import Case, Seeds
from .dynamics_neurons import neurons

# ------------------------------------------------------------------------------------ 2 populations


def populations() -> Iterator[Case]:
    """No recurrence, Poisson input of 700 units; all kinds of delays, plasticity, convolution."""
    for steps in (0, 1, 7):
        yield one_delay(steps)
    yield a_delay_for_every_synapse()
    for name, rule in (
        ("depression", bs.TsodyksMarkram(0.5, 0.8)),
        ("facilitation", bs.TsodyksMarkram(0.1, 0.13, 0.53)),
        ("inhibitory plasticity", bs.InhibitorySTDP(0.01, 5.0, w_max=0.5)),
    ):
        yield plastic(name, rule)
    yield convolved_and_pooled()


def excitatory_population(net: bs.Network) -> Any:
    """64 neurons with both receptors."""
    neuron = bs.ei_lif(refractory=2e-3, tau_inh=15e-3)
    return net.population(64, neuron, "excitatory", name="E")


def one_delay(steps: int) -> Case:
    """One delay for all synapses."""
    net, rng = bs.Network(1e-3), np.random.default_rng(steps)
    inputs, e = net.input(700), excitatory_population(net)
    i = net.population(16, bs.lif(), "inhibitory", name="I")
    delay = steps * 1e-3
    for post in (e, i):
        weights = rng.exponential(0.06, (700, post.n))
        net.connect(inputs, post, receptor="exc", delay=delay, weights=weights)
    weights = rng.exponential(0.03, (700, 64))
    net.connect(inputs, e, receptor="inh", delay=delay, weights=weights, name="inhibition")
    return Case(2, f"delay {steps} steps", net, bs.data.poisson(3.0, 700, 2.0, seed=steps))


def a_delay_for_every_synapse() -> Case:
    """Sparse projections whose synapses have delays of their own."""
    net = bs.Network(1e-3)
    inputs, e = net.input(700), excitatory_population(net)
    for name, receptor, mean, longest in (
        ("excitation", "exc", 0.16, 21),
        ("inhibition", "inh", 0.05, 8),
    ):
        net.connect(
            inputs,
            e,
            receptor=receptor,
            name=name,
            synapses=bs.Bernoulli(0.5),
            seed=1,
            weights=lambda rng, n, mean=mean: rng.exponential(mean, n),
            delay=lambda rng, n, longest=longest: rng.integers(0, longest, n) * 1e-3,
        )
    spikes = bs.data.poisson(3.0, 700, 2.0, seed=8)
    return Case(2, "sparse, a delay for every synapse", net, spikes)


def plastic(name: str, rule: bs.TsodyksMarkram | bs.InhibitorySTDP) -> Case:
    """Excitation with short-term plasticity, or inhibition that depends on spike timing."""
    net = bs.Network(1e-3)
    x, y = net.input(200), net.input(50, name="y", sign="inhibitory")
    e, half = excitatory_population(net), bs.Bernoulli(0.5)
    short = rule if isinstance(rule, bs.TsodyksMarkram) else None
    net.connect(
        x,
        e,
        delay=2e-3,
        weights=bs.Exponential(1.0 if short else 0.3),
        synapses=half,
        seed=1,
        plasticity=short,
    )
    long = None if short else rule
    net.connect(y, e, delay=3e-3, weights=0.05, synapses=half, seed=2, plasticity=long)
    spikes = {
        "input": bs.data.poisson(6.0, 200, 2.0, seed=3),
        "y": bs.data.poisson(10.0, 50, 2.0, seed=4),
    }
    return Case(2, name, net, spikes)


def convolved_and_pooled() -> Case:
    """Feature maps, pooled once and twice, onto neurons and back."""
    net, rng = bs.Network(1e-3), np.random.default_rng(5)
    maps, shape = bs.convolutional_layer(net, net.input(60), (1, 60), 4, 5, name="maps")
    pooled: Any = net.pool(maps, bs.MaxPool(shape, 3, stride=2))
    net.pool(pooled, bs.MaxPool(pooled.pooling.output_shape, 2), name="twice")
    e = net.population(64, bs.lif(refractory=2e-3), name="E")
    for name, pre, post, delay, mean in (
        ("first", "maps pooled", e, 0.0, 0.6),
        ("second", "twice", e, 3e-3, 0.6),
        ("back", "twice", maps, 2e-3, -0.1),
    ):
        weights = rng.normal(mean, 0.3, (net[pre].n, post.n))
        net.connect(pre, post, delay=delay, weights=weights, name=name)
    net.set_weights("input->maps", rng.normal(1.0, 1.0, (4, 1, 5)))
    spikes = bs.data.poisson(10.0, 60, 2.0, seed=5)
    return Case(2, "maps that are convolved and pooled", net, spikes)


# -------------------------------------------------------------------- 3 circuit, 4 trained, 5 motif


def dalian(data: bs.SpikeTrains, neuron: bs.Neuron | None = None) -> bs.Network:
    """128 E + 32 I on `data`, with a readout of 10 classes."""
    net = bs.Network(2e-3)
    neuron = neuron or bs.ei_lif(tau_mem=20e-3, tau_exc=10e-3, tau_inh=20e-3)
    e, _ = bs.dalian_layer(net, net.input(data.n_units), 128, 32, neuron=neuron)
    net.connect(e, net.readout(10, tau_mem=data.duration))
    return net


def circuit() -> Iterator[Case]:
    """A recurrent Dalian circuit, 128 E + 32 I, at its fluctuation-driven start."""
    start = {"assumed_rates": 8.0, "closed_loop": False}
    for seed in (0, 1):
        data = bs.data.poisson(9.1, 700, 1.4, seed=seed)
        net = dalian(data)
        bs.fluctuation_driven(net, data, seed=seed, **start)
        yield Case(3, f"seed {seed}", net, data)
    for neuron in (
        bs.ei_adaptive_lif(jump_delay=4e-3),
        bs.ampa_nmda_gaba(),
        bs.bounded(bs.ei_lif(tau_mem=20e-3, tau_exc=10e-3, tau_inh=15e-3), -1.0, 1.01),
    ):
        net = dalian(data, neuron)
        bs.fluctuation_driven(net, data, seed=2, **start)
        yield Case(3, f"{neuron.model}{', bounded' if neuron.bounded else ''}", net, data)


def trained(train: str | None = None, test: str | None = None) -> Iterator[Case]:
    """The circuit after training, on Randman or on files; 20 test trials."""
    if train and test:
        data, tests = bs.data.load_shd(train, duration=0.7), bs.data.load_shd(test, duration=0.7)
    else:
        data, _, tests = bs.data.split(bs.data.randman(seed=0), seed=0)
    net = dalian(data)
    bs.fluctuation_driven(net, data, seed=0, progress=False)
    bs.train(
        net,
        data,
        epochs=3,
        batch=100,
        optimizer=bs.Adam(5e-3),
        regularizers=[bs.upper_bound(0.1, 7)],
        progress=False,
        seed=0,
    )
    for trial in np.random.default_rng(0).choice(len(tests), 20, replace=False):
        yield Case(4, f"test trial {trial}", net, tests[int(trial)], same_class=True)


#: Presynaptic and postsynaptic populations of the motif.
MOTIF = (
    ("E", "E"),
    ("E", "PV"),
    ("E", "SST"),
    ("E", "VIP"),
    ("PV", "E"),
    ("PV", "PV"),
    ("SST", "E"),
    ("SST", "PV"),
    ("SST", "VIP"),
    ("VIP", "SST"),
)


def motif() -> Iterator[Case]:
    """Four populations (E, PV, SST, VIP) with random weights and delays of 1-20 steps."""
    neuron = bs.ei_lif(tau_mem=15e-3, tau_exc=5e-3, tau_inh=9e-3, refractory=2e-3)
    for seed in (4, 5):
        rng, net = np.random.default_rng(seed), bs.Network(1e-3)
        inputs = net.input(200)
        for name, n in (("E", 160), ("PV", 20), ("SST", 12), ("VIP", 8)):
            sign = "excitatory" if name == "E" else "inhibitory"
            net.population(n, neuron, sign, name=name)
        for population in net.spiking:
            weights = rng.exponential(0.09, (200, population.n))
            net.connect(inputs, population, receptor="exc", weights=weights)
        for pre, post in MOTIF:
            delay = 1e-3 * int(rng.integers(1, 21))
            weights = rng.exponential(0.03 if pre == "E" else 0.15, (net[pre].n, net[post].n))
            net.connect(pre, post, delay=delay, weights=weights)
        yield Case(5, f"seed {seed}", net, bs.data.poisson(10, 200, 2.0, seed=seed), until=0.3)


# ------------------------------------------------------------------------------------------ 6 large


def irregular(seed: int) -> tuple[bs.Network, dict[str, np.ndarray]]:
    """3200 E + 800 I, 2 % connectivity, kept active by a constant current near threshold.

    Weights and time constants after the current-based network of Vogels & Abbott (2005), J.
    Neurosci. 25:10786, in units of its distance of 10 mV from reset to threshold.

    Returns
    -------
    The network, and the currents.
    """
    rng, net = np.random.default_rng(seed), bs.Network(1e-3)
    neuron = bs.ei_lif(tau_mem=20e-3, tau_exc=5e-3, tau_inh=10e-3, refractory=5e-3)
    e = net.population(3200, neuron, "excitatory", name="E")
    i = net.population(800, neuron, "inhibitory", name="I")
    pairs = bs.Bernoulli(0.02)
    for pre, weight in ((e, 0.162), (i, 0.9)):
        for post in (e, i):
            net.connect(pre, post, delay=1e-3, weights=weight, synapses=pairs, seed=rng)
    return net, {p.name: rng.normal(1.1, 0.05, p.n) for p in (e, i)}


def large() -> Iterator[Case | Seeds]:
    """4000 neurons, 2 % connectivity; spikes for 100 ms, then statistics over 5 seeds of 10 s."""
    net, currents = irregular(0)
    yield Case(6, "300 ms", net, None, currents, until=0.1, duration=0.3)
    yield Seeds(6, "statistics of 5 seeds", irregular, range(5), 10.0)


RUNGS = {1: neurons, 2: populations, 3: circuit, 4: trained, 5: motif, 6: large, 7: background}

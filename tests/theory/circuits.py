"""Circuits that tests of the theory and of the initializer share."""

from dataclasses import replace

import numpy as np

import biosnn as bs

NEURONS = {
    "delta": bs.lif_delta(tau_mem=20e-3, threshold=20e-3, reset=10e-3, refractory=2e-3),
    "short": bs.lif(tau_mem=20e-3, tau_syn=1e-3, threshold=20e-3, reset=10e-3, refractory=2e-3),
    "long": bs.ei_lif(
        tau_mem=20e-3, tau_exc=5e-3, tau_inh=10e-3, threshold=20e-3, reset=10e-3, refractory=2e-3
    ),
    "conductance": bs.conductance_lif(),
}


def free(neuron):
    return replace(neuron, threshold=np.inf)


def circuit(neuron, learn=None, multiple=True):
    net = bs.Network(1e-4)
    e, i = (
        net.population(n, neuron, sign, name=name, learn=learn)
        for n, sign, name in ((1600, "excitatory", "E"), (400, "inhibitory", "I"))
    )
    for k, post in enumerate((e, i)):
        net.connect(
            e, post, delay=1.5e-3, synapses=bs.FixedInDegree(160, multiple=multiple), seed=k
        )
        net.connect(
            i, post, delay=1.5e-3, synapses=bs.FixedInDegree(40, multiple=multiple), seed=k + 2
        )
    return net


def measured(net, background):
    """Mean and standard deviation of the free membrane, and rates, in the circuit itself.

    Its E cells have copies without threshold.
    """
    both = bs.Network(net.dt)
    for p in net.spiking:
        both.population(p.n, p.neuron, p.sign, name=p.name)
    both.population(400, free(net["E"].neuron), name="free")
    for p in net.projections:
        j, i, w, _ = net.indices(p)
        both.connect(p.pre, p.post, delay=p.delay, weights=np.array(w), synapses=bs.Pairs(j, i))
        if p.post == "E":
            both.connect(
                p.pre,
                "free",
                delay=p.delay,
                weights=np.array(w)[i < 400],
                synapses=bs.Pairs(j[i < 400], i[i < 400]),
            )
    background = background + [
        replace(b, population="free") for b in background if b.population == "E"
    ]
    warm = bs.simulate(both, 0.3, background=background, seed=1, progress=False)
    run = bs.simulate(
        both,
        2.0,
        background=background,
        state=warm.state,
        record={"free.U": slice(None)},
        every=10,
        progress=False,
    )
    u = run.states["free.U"].astype(float)
    return u.mean(), np.sqrt(u.var(axis=0).mean()), run.mean_rates


def stabilized(inhibition=0.3):
    """A circuit whose inhibition tracks its excitation.

    The free membrane fluctuates less than with independent trains.
    """
    net, neuron = (
        bs.Network(1e-4),
        bs.ei_lif(tau_mem=20e-3, tau_exc=5e-3, tau_inh=10e-3, refractory=2e-3),
    )
    e, i = (
        net.population(800, neuron, "excitatory", name="E"),
        net.population(200, neuron, "inhibitory", name="I"),
    )
    for k, post in enumerate((e, i)):
        net.connect(e, post, delay=1e-3, weights=0.08, synapses=bs.FixedInDegree(80), seed=1 + k)
        net.connect(
            i, post, delay=1e-3, weights=inhibition, synapses=bs.FixedInDegree(20), seed=11 + k
        )
    return net, [bs.PoissonInput(name, 3000.0, 0.08) for name in "EI"]


def no_input(seconds, seed):
    """Spikes of a network without inputs."""


def after_warm_up(net, duration, background=(), spikes=no_input, **options):
    warm = bs.simulate(net, 0.3, spikes(0.3, 1), background=background, progress=False)
    return bs.simulate(
        net,
        duration,
        spikes(duration, 2),
        background=background,
        state=warm.state,
        progress=False,
        **options,
    )


def small():
    """A circuit with an input, a readout and a projection without synapses."""
    net = bs.Network(1e-4)
    e, i = (
        net.population(n, NEURONS["delta"], sign, name=name)
        for n, sign, name in ((400, "excitatory", "E"), (100, "inhibitory", "I"))
    )
    for post in (e, i):
        net.connect(e, post, delay=1.5e-3, synapses=bs.FixedInDegree(80), seed=1)
        net.connect(i, post, delay=1.5e-3, synapses=bs.FixedInDegree(20), seed=2)
    net.connect(net.input(30, name="x", sign="excitatory"), e, synapses=bs.Bernoulli(0.5), seed=3)
    net.connect(
        i,
        e,
        synapses=bs.Bernoulli(0.0),
        weights=bs.Exponential(1.0),
        seed=4,
        name="none",
    )
    net.connect(e, net.readout(30))
    return net


SMALL = dict(
    background=[bs.PoissonInput(name, 10500.0, 0.1e-3) for name in "EI"],
    mu_u=16e-3,
    sigma_u=4e-3,
    seed=1,
    progress=False,
)

"""Small networks that the tests of simulate share."""

import numpy as np

import biosnn as bs


def dense(delay=1.5e-3, dtype=np.float64):
    net, rng = bs.Network(5e-4, dtype), np.random.default_rng(1)
    x = net.input(50)
    e, _ = bs.dalian_layer(net, x, 200, 90, neuron=bs.ei_lif(refractory=2e-3), delay=delay)
    net.connect(e, net.readout(3))
    for p in net.projections:
        net.set_weights(
            p.name, rng.random((net[p.pre].n, net[p.post].n)) * (0.6 if p.pre == "input" else 0.05)
        )
    return net


def sparse(delay=None, dtype=np.float32):
    """E and I with delta synapses, delays of their own or one."""
    net = bs.Network(1e-4, dtype)
    neuron = bs.lif_delta(tau_mem=20e-3, threshold=20e-3, reset=10e-3, refractory=2e-3)
    e = net.population(300, neuron, "excitatory", name="E")
    i = net.population(100, neuron, "inhibitory", name="I")
    for seed, (pre, post, w) in enumerate(
        ((e, e, 3e-4), (e, i, 3e-4), (i, e, 1.5e-3), (i, i, 1.5e-3))
    ):
        net.connect(
            pre,
            post,
            delay=bs.Uniform(2e-4, 4e-3) if delay is None else delay,
            weights=bs.Normal(w, w / 10, low=0),
            synapses=bs.FixedInDegree(pre.n // 10),
            seed=seed,
        )
    return net


BACKGROUND = [
    bs.PoissonInput("E", 12e3, 1e-4),
    bs.PoissonInput("I", np.full(100, 12e3), 1e-4),
    bs.OrnsteinUhlenbeck("E", 1e-3, 2e-3, 5e-3),
    bs.Current("I", ([0.0, 0.05], [0.0, 2e-3])),
]


def same(a, b):
    return all(
        np.array_equal(a.spikes[k].times, b.spikes[k].times)
        and np.array_equal(a.spikes[k].units, b.spikes[k].units)
        for k in a.spikes
    ) and all(np.array_equal(a.states[k], b.states[k]) for k in a.states)

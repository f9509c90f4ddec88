"""Networks that tests of the initializer share, and shadows: copies that never spike."""

import numpy as np

import biosnn as bs
from biosnn.network.neuron import free_membrane

RATE = 15.0


#: In units of the distance from rest to threshold.
CONDUCTANCES = bs.conductance_lif(
    tau_mem=20e-3,
    tau_exc=10e-3,
    tau_inh=20e-3,
    reversal_exc=6.0,
    reversal_inh=-2.0,
    threshold=1.0,
    refractory=4e-3,
)


def dalian(n_exc, n_inh, n_inputs=400, neuron=None):
    net = bs.Network(2e-3)
    e, i = bs.dalian_layer(net, net.input(n_inputs), n_exc, n_inh, neuron=neuron)
    net.connect(e, net.readout(2))
    return net


def shadow_moments(net, population, sources):
    """Mean and temporal standard deviation of the free membrane of each neuron; sources.

    Name -> SpikeTrains of all afferents.
    """
    shadow = bs.Network(net.dt)
    for p in net.projections:
        if p.post == population:
            shadow.input(net[p.pre].n, name=p.pre, sign=net[p.pre].sign)
    shadow.population(net[population].n, free_membrane(net[population].neuron), name="shadow")
    for p in net.projections:
        if p.post == population:
            shadow.connect(
                p.pre, "shadow", delay=p.delay, weights=net.weights[p.name], receptor=p.receptor
            )
    u = bs.run(
        shadow, {p.name: sources[p.name] for p in shadow.inputs}, record=["shadow.U"]
    ).states["shadow.U"][:, 150:]
    u = u.reshape(-1, u.shape[-1]).astype(float)
    return u.mean(axis=0), u.std(axis=0)


def shadow_whole(net, population, trace, weights=None):
    """Mean over neurons of the mean.

    And root mean temporal variance, over all trials and whole trials.
    """
    weights, sums, squares, n = net.weights if weights is None else weights, 0.0, 0.0, 0
    for first in range(0, len(next(iter(trace.counts.values()))), 50):
        sources = {
            name: train[first : first + 50] for name, train in (trace.spikes | trace.inputs).items()
        }
        shadow = bs.Network(net.dt)
        projections = [p for p in net.projections if p.post == population]
        for p in projections:
            shadow.input(net[p.pre].n, name=p.pre, sign=net[p.pre].sign)
        shadow.population(net[population].n, free_membrane(net[population].neuron), name="shadow")
        for p in projections:
            shadow.connect(
                p.pre, "shadow", delay=p.delay, weights=weights[p.name], receptor=p.receptor
            )
        u = (
            bs.run(shadow, {p.name: sources[p.name] for p in shadow.inputs}, record=["shadow.U"])
            .states["shadow.U"]
            .astype(float)
        )
        sums, squares, n = (
            sums + u.sum(axis=(0, 1)),
            squares + (u**2).sum(axis=(0, 1)),
            n + u.shape[0] * u.shape[1],
        )
    mean = sums / n
    return mean.mean(), np.sqrt((squares / n - mean**2).mean())

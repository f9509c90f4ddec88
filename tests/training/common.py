"""A small task, a network and a call of `train` that the tests of training share."""

import numpy as np

import biosnn as bs


def task(seed=0):
    return bs.data.randman(
        n_classes=3, n_units=10, samples_per_class=60, duration=0.06, active=0.04, seed=seed
    )


def network(data, learn=None, neuron=None, sigma_u=1.0):
    net = bs.Network(2e-3)
    e, i = bs.dalian_layer(net, net.input(10), 20, 5, neuron=neuron)
    net.connect(e, net.readout(3, tau_mem=0.06, learn=learn))
    bs.fluctuation_driven(net, data, sigma_u=sigma_u, seed=2, closed_loop=False, progress=False)
    return net


def fit(net, data, epochs=3, **options):
    options = (
        dict(
            batch=40,
            seed=5,
            validation=0.1,
            progress=False,
            schedule=bs.schedules.Cosine(0.1),
            regularizers=[bs.upper_bound(0.1, 2)],
        )
        | options
    )
    return bs.train(net, data, epochs=epochs, **options)


def same(a, b):
    return all(np.array_equal(a.weights[name], b.weights[name]) for name in a.weights)

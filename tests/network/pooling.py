"""Small circuits with units that pool spikes."""

import numpy as np

import biosnn as bs

DT = 1e-3


LINE, PLANE = bs.MaxPool((2, 7), 3, stride=2), bs.MaxPool((1, 3, 4), (2, 2), stride=(1, 2))


def spikes(n_units=8, n_trials=2, duration=0.03, seed=3, rate=150.0):
    return bs.data.poisson(
        rate, n_units, duration, n_trials, seed=seed, labels=np.arange(n_trials) % 3
    )


def circuit(
    pooling=LINE,
    surrogate=bs.SuperSpike(5),
    delay=DT,
    dtype=np.float64,
    neuron=None,
    deep=True,
    **options,
):
    """Maps A, pooled by P (and P by Q), from which a population B, the maps themselves and a
    readout receive.
    """
    rng, net = np.random.default_rng(1), bs.Network(DT, dtype)
    x = net.input(8)
    a = net.population(
        int(np.prod(pooling.shape)),
        neuron or bs.lif(tau_mem=12e-3, tau_syn=5e-3, threshold=0.8, refractory=2e-3),
        name="A",
        surrogate=surrogate,
        initial=0.1,
        **options,
    )
    p = net.pool(a, pooling, name="P")
    b = net.population(
        5,
        bs.lif(tau_mem=12e-3, tau_syn=5e-3, threshold=0.8, reset=-0.2),
        name="B",
        surrogate=surrogate,
    )
    out = net.readout(3, tau_mem=20e-3, tau_syn=5e-3, name="out")
    q = (
        net.pool(
            p,
            bs.MaxPool(pooling.output_shape, 2 if len(pooling.shape) == 2 else (1, 2), stride=1),
            name="Q",
        )
        if deep
        else p
    )
    for pre, post, scale, d in (
        (x, a, 1.2, 0),
        (p, b, 1.5, 0),
        (q, b, 1.0, delay),
        (q, a, 0.3, 2 * DT),
        (b, a, 0.3, DT),
        (q, out, 1.0, delay),
        (b, out, 1.0, 0),
    ):
        net.connect(
            pre,
            post,
            delay=d,
            weights=rng.normal(0.2 * scale, scale, (pre.n, post.n)),
            name=f"{pre.name}->{post.name} {d}",
        )
    return net

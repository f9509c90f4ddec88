"""
Convolutional layers that obey Dale's law
=========================================

Excitatory and inhibitory feature maps learn the direction of a moving dot. The readout sees the
excitatory maps pooled: a unit spikes when one of its four neighbours does, in the same step::

    python -m models.examples.convolution
"""

from typing import Any

import numpy as np

import biosnn as bs


def moving_dots(n_trials: int, length: int, seed: int) -> bs.SpikeTrains:
    """A dot that moves left (label 0) or right (1) over one row of `length` units.

    It starts at a random place and moves by one unit in 4 ms.
    """
    rng = np.random.default_rng(seed)
    labels, start = rng.integers(2, size=n_trials), rng.integers(length, size=n_trials)
    steps = np.arange(15)
    units = (start[:, None] + np.where(labels, 1, -1)[:, None] * steps) % length
    times = np.broadcast_to(10e-3 + 4e-3 * steps, units.shape)
    trials = np.repeat(np.arange(n_trials), steps.size)
    return bs.SpikeTrains.from_events(
        times.ravel(),
        units.ravel(),
        trials,
        n_trials=n_trials,
        n_units=length,
        duration=0.1,
        labels=labels,
    )


def build() -> tuple[bs.Network, Any, tuple[int, ...]]:
    """The network, its pooled population, and the shape of the excitatory maps."""
    net = bs.Network(dt=2e-3)
    E, _, shape = bs.dalian_convolutional_layer(
        net,
        net.input(40),
        shape=(1, 40),
        exc_filters=8,
        inh_filters=2,
        kernel=5,
        padding="same",
        recurrent_kernel=3,
    )
    pooled = net.pool(E, bs.MaxPool(shape, size=4))
    net.connect(pooled, net.readout(2, tau_mem=0.1))
    return net, pooled, shape


def main() -> dict[str, Any]:
    """Train the network; compare the pooled spikes with those that are pooled afterwards."""
    train, test = (moving_dots(n, 40, seed) for n, seed in ((300, 1), (100, 2)))
    net, pooled, shape = build()
    bs.fluctuation_driven(net, train, sigma_u=1.0, seed=1, progress=False)
    before = bs.evaluate(net, test).accuracy
    bs.train(net, train, epochs=10, batch=50, optimizer=bs.Adam(1e-2), seed=1, progress=False)
    after = bs.evaluate(net, test).accuracy
    kernels, synapses = net.weights["input->E"], net.synapses["input->E"]
    print(f"E has {shape[0]} maps of {shape[1]} neurons")
    print(f"{synapses.size} synapses from the input share {kernels.size} weights")
    print(f"direction of motion: {before:.0%} right before training, {after:.0%} after it")
    print(bs.audit(net))
    trace = bs.run(net, test)
    rates = [bs.stats.firing_rates(trace.spikes[p]).mean() for p in ("E", pooled.name)]
    print(f"{rates[0]:.1f} Hz of the neurons, {rates[1]:.1f} Hz of the {pooled.n} pooling units")
    by_hand, pooled_shape = bs.max_pool(trace.spikes["E"], shape, kernel=4)
    in_the_run = bs.bin_spikes(trace.spikes[pooled.name], net.dt)
    same = np.array_equal(bs.bin_spikes(by_hand, net.dt).dense(), in_the_run.dense())
    return {
        "shape": shape,
        "kernels": kernels,
        "before": before,
        "after": after,
        "violations": bs.audit(net).violations,
        "pooled_shape": pooled_shape,
        "rates": rates,
        "same": same,
    }


if __name__ == "__main__":
    main()

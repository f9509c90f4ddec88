"""
Sparse projections in training
==============================

Connections stay where they are; frozen projections, biases, and constraints on weights::

    python -m models.examples.sparse_training
"""

from typing import Any

import numpy as np

import biosnn as bs


def build(data: bs.SpikeTrains) -> bs.Network:
    """Build sparse projections onto a hidden layer, the recurrent one of them frozen."""
    net = bs.Network(dt=2e-3)
    x = net.input(20)
    # the bias is a constant current for every neuron, and learned
    hidden = net.population(50, bs.lif(), name="hidden", bias=0.1)
    net.connect(x, hidden, synapses=bs.Bernoulli(0.3), seed=1)
    net.connect(hidden, hidden, synapses=bs.FixedInDegree(5), seed=1, frozen=True)
    net.connect(hidden, net.readout(2, tau_mem=0.2))
    bs.fluctuation_driven(net, data, sigma_u=0.7, seed=1, progress=False)
    return net


def main() -> dict[str, Any]:
    """Train with bounds on weights and on their norms."""
    data = bs.data.randman(n_classes=2, n_units=20, samples_per_class=100, smoothness=2.0, seed=1)
    net = build(data)
    pairs = net.indices("input->hidden")[:2]
    before = {name: weights.copy() for name, weights in net.weights.items()}
    bounds = bs.WeightConstraint(low=-3.0, high=3.0, norm=7.0, projections="input->hidden")
    bs.train(
        net,
        data,
        epochs=30,
        batch=50,
        optimizer=bs.Adam(1e-2),
        constraints=[bounds],
        seed=1,
        progress=False,
    )
    accuracy, bias = bs.evaluate(net, data).accuracy, net.bias("hidden")
    pre, post, weights, _ = net.indices("input->hidden")
    norms = np.sqrt(np.bincount(post, weights**2, 50))
    same = np.array_equal(pairs, (pre, post))
    changes = {name: float(np.abs(net.weights[name] - w).max()) for name, w in before.items()}
    print(f"{weights.size} of {20 * 50} possible synapses are trained: accuracy {accuracy:.0%}")
    print(f"    they connect the same pairs: {same}")
    print(f"    largest |weight| {np.abs(weights).max():.3f} (bound 3)")
    print(f"    largest norm of a neuron {norms.max():.3f} (bound 7)")
    print(f"frozen projection: largest change {changes['hidden->hidden']:g}")
    print(f"biases: from 0.1 to {bias.min():.2f} .. {bias.max():.2f}")
    return {
        "accuracy": accuracy,
        "synapses": weights.size,
        "same_pairs": same,
        "weights": weights,
        "norms": norms,
        "bias": bias,
        "changes": changes,
    }


if __name__ == "__main__":
    main()

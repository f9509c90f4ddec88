"""Sparse projections in training: connections stay where they are; frozen projections, biases, and constraints on weights.

python -m models.examples.sparse_training
"""

import numpy as np

import biosnn as bs


def main():
    data = bs.data.randman(n_classes=2, n_units=20, samples_per_class=100, smoothness=2.0, seed=1)
    net = bs.Network(dt=2e-3)
    x = net.input(20)
    hidden = net.population(
        50, bs.lif(), name="hidden", bias=0.1
    )  # a constant current for every neuron, learned
    net.connect(x, hidden, synapses=bs.Bernoulli(0.3), seed=1)
    net.connect(hidden, hidden, synapses=bs.FixedInDegree(5), seed=1, frozen=True)
    net.connect(hidden, net.readout(2, tau_mem=0.2))
    bs.fluctuation_driven(net, data, sigma_u=0.7, seed=1, progress=False)
    pairs, before = (
        net.indices("input->hidden")[:2],
        {name: weights.copy() for name, weights in net.weights.items()},
    )
    bs.train(
        net,
        data,
        epochs=30,
        batch=50,
        optimizer=bs.Adam(1e-2),
        seed=1,
        progress=False,
        constraints=[
            bs.WeightConstraint(low=-3.0, high=3.0, norm=7.0, projections="input->hidden")
        ],
    )
    accuracy, bias = bs.evaluate(net, data).accuracy, net.bias("hidden")
    pre, post, weights, _ = net.indices("input->hidden")
    norms = np.sqrt(np.bincount(post, weights**2, 50))
    same = np.array_equal(pairs, (pre, post))
    print(
        f"{weights.size} of {20 * 50} possible synapses are trained, to an accuracy of {accuracy:.0%}; they connect the same pairs: {same}"
    )
    print(
        f"largest |weight| {np.abs(weights).max():.3f} (bound 3), largest norm of a neuron {norms.max():.3f} (bound 7)"
    )
    print(
        f"frozen projection: largest change {np.abs(net.weights['hidden->hidden'] - before['hidden->hidden']).max():g}"
    )
    print(f"biases: from 0.1 to {bias.min():.2f} .. {bias.max():.2f}")
    changes = {
        name: float(np.abs(net.weights[name] - weights).max()) for name, weights in before.items()
    }
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

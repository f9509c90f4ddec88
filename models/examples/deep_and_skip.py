"""
Deep networks, skip connections and feedback
============================================

A stack of layers, a skip connection, feedback, and a projection that passes no gradient back::

    python -m models.examples.deep_and_skip
"""

from typing import Any

import numpy as np

import biosnn as bs


def build(data: bs.SpikeTrains, skip: bool = False, feedback: bool = False) -> bs.Network:
    """Build three layers.

    Parameters
    ----------
    skip
        The first layer also drives the third.
    feedback
        The third drives the first, 6 ms later.
    """
    net = bs.Network(dt=2e-3)
    layers, source = [], net.input(data.n_units)
    for k in range(3):
        neuron = bs.lif(tau_mem=20e-3, tau_syn=10e-3)
        source = bs.layer(net, source, 32, name=f"layer {k}", neuron=neuron)
        layers.append(source)
    if skip:
        net.connect(layers[0], layers[2])
    if feedback:
        net.connect(layers[2], layers[0], delay=6e-3, gradient_to_source=False)
    net.connect(layers[2], net.readout(2, tau_mem=0.2))
    bs.fluctuation_driven(net, data, sigma_u=1.2, seed=1, progress=False)
    return net


def gradient_norms(net: bs.Network, data: bs.SpikeTrains) -> dict[str, float]:
    """Euclidean norms of the gradient of the loss by the weights of every projection."""
    trace = bs.run(net, data, tape=True)
    loss = bs.MaxOverTimeCrossEntropy()
    _, slope = loss.value_and_gradient(trace.states["readout.U"], data.labels)
    gradients = bs.gradient(trace, states={"readout.U": slope}).weights
    return {name: float(np.linalg.norm(g)) for name, g in gradients.items()}


def main() -> dict[str, Any]:
    """Train the three networks."""
    data = bs.data.randman(n_classes=2, n_units=20, samples_per_class=100, smoothness=2.0, seed=1)
    cases: dict[str, dict] = {"plain": {}, "skip": {"skip": True}, "feedback": {"feedback": True}}
    result = {}
    for name, options in cases.items():
        net = build(data, **options)
        norms = gradient_norms(net, data)
        bs.train(net, data, epochs=30, batch=50, optimizer=bs.Adam(5e-3), seed=1, progress=False)
        accuracy = bs.evaluate(net, data).accuracy
        recurrent = sorted(bs.recurrent_projections(net))
        print(f"{name}: accuracy {accuracy:.0%}; recurrent: {', '.join(recurrent) or 'none'}")
        print("    gradient norms before training:")
        print("    " + ", ".join(f"{projection} {norm:.2g}" for projection, norm in norms.items()))
        result[name] = {"accuracy": accuracy, "norms": norms, "recurrent": recurrent}
    return result


if __name__ == "__main__":
    main()

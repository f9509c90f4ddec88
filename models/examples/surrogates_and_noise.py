"""
Surrogate derivatives and escape noise
======================================

Surrogate derivatives change gradients, not spikes; escape noise makes neurons spike at random::

    python -m models.examples.surrogates_and_noise
"""

from typing import Any

import numpy as np

import biosnn as bs

SURROGATES = (
    bs.SuperSpike(20),
    bs.TruncatedSuperSpike(20, cutoff=0.2),
    bs.Sigmoid(10),
    bs.Triangular(2),
    bs.Gaussian(3),
    bs.Arctan(3),
    bs.MultiGaussian(2),
    bs.AsymptoticSuperSpike(20),
    bs.ExponentialSurrogate(5),
)


def gradient(data: bs.SpikeTrains, surrogate: Any) -> tuple[int, np.ndarray]:
    """Spikes of a hidden layer, and the gradient of the loss by its input weights."""
    net = bs.Network(dt=2e-3)
    hidden = bs.layer(net, net.input(20), 32, name="hidden", surrogate=surrogate)
    net.connect(hidden, net.readout(2, tau_mem=0.2))
    bs.fluctuation_driven(net, data, seed=1, progress=False)
    trace = bs.run(net, data, tape=True)
    loss = bs.MaxOverTimeCrossEntropy()
    _, slope = loss.value_and_gradient(trace.states["readout.U"], data.labels)
    gradients = bs.gradient(trace, states={"readout.U": slope}).weights
    return int(trace.counts["hidden"].sum()), gradients["input->hidden"].ravel()


def share_that_spikes(noise: Any, distance: float, dt: float = 1e-3, n: int = 20_000) -> float:
    """Of neurons that are held `distance` below threshold: the share that spikes in one step."""
    net = bs.Network(dt)
    net.population(n, bs.lif(), name="A", initial=1 - distance, noise=noise)
    trace = bs.run(net, duration=dt, currents={"A": 1 - distance}, seed=1)
    return float(trace.counts["A"].mean())


def main() -> dict[str, Any]:
    """Compare gradients of all surrogates, and the noise of two kinds of escape with theory."""
    data = bs.data.randman(n_classes=2, n_units=20, samples_per_class=50, smoothness=2.0, seed=1)
    _, reference = gradient(data, SURROGATES[0])
    found = {}
    for surrogate in SURROGATES:
        spikes, g = gradient(data, surrogate)
        norm = float(np.linalg.norm(g))
        cosine = float(g @ reference / norm / np.linalg.norm(reference))
        found[type(surrogate).__name__] = (spikes, norm, cosine)
        print(f"{surrogate}: {spikes} spikes, gradient norm {norm:.2g}")
        print(f"    cosine with the gradient of SuperSpike {cosine:.2f}")
    shares = {}
    for noise in (None, bs.SigmoidEscape(20), bs.ExponentialEscape(20, rate=500.0)):
        measured = share_that_spikes(noise, 0.1)
        expected = float(noise.probability(-0.1, 1e-3)) if noise else 0.0
        shares[noise] = (measured, expected)
        print(f"noise {noise}, 0.1 below threshold:")
        print(f"    {measured:.1%} of the neurons spike in a step, expected {expected:.1%}")
    return {"surrogates": found, "shares": shares}


if __name__ == "__main__":
    main()

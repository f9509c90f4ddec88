"""Surrogate derivatives change gradients, not spikes; escape noise makes neurons spike at random.

python -m models.examples.surrogates_and_noise
"""

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


def gradient(data, surrogate):
    """Spikes of a hidden layer, and the gradient of the loss by its input weights."""
    net = bs.Network(dt=2e-3)
    hidden = bs.layer(net, net.input(20), 32, name="hidden", surrogate=surrogate)
    net.connect(hidden, net.readout(2, tau_mem=0.2))
    bs.fluctuation_driven(net, data, seed=1, progress=False)
    trace = bs.run(net, data, tape=True)
    _, slope = bs.MaxOverTimeCrossEntropy().value_and_gradient(
        trace.states["readout.U"], data.labels
    )
    return int(trace.counts["hidden"].sum()), bs.gradient(
        trace, states={"readout.U": slope}
    ).weights["input->hidden"].ravel()


def share_that_spikes(noise, distance, dt=1e-3, n=20_000):
    """Of neurons whose membrane is held `distance` below threshold: the share that spikes in one step."""
    net = bs.Network(dt)
    net.population(n, bs.lif(), name="A", initial=1 - distance, noise=noise)
    return float(bs.run(net, duration=dt, currents={"A": 1 - distance}, seed=1).counts["A"].mean())


def main():
    data = bs.data.randman(n_classes=2, n_units=20, samples_per_class=50, smoothness=2.0, seed=1)
    found, (_, reference) = {}, gradient(data, SURROGATES[0])
    for surrogate in SURROGATES:
        spikes, g = gradient(data, surrogate)
        cosine = float(g @ reference / np.linalg.norm(g) / np.linalg.norm(reference))
        found[type(surrogate).__name__] = (spikes, float(np.linalg.norm(g)), cosine)
        print(
            f"{surrogate}: {spikes} spikes, gradient norm {np.linalg.norm(g):.2g}, cosine with SuperSpike's {cosine:.2f}"
        )
    noises, shares = (None, bs.SigmoidEscape(20), bs.ExponentialEscape(20, rate=500.0)), {}
    for noise in noises:
        shares[noise] = (
            share_that_spikes(noise, 0.1),
            float(noise.probability(-0.1, 1e-3)) if noise else 0.0,
        )
        print(
            f"noise {noise}, 0.1 below threshold: {shares[noise][0]:.1%} of the neurons spike in a step, expected {shares[noise][1]:.1%}"
        )
    return {"surrogates": found, "shares": shares}


if __name__ == "__main__":
    main()

"""
Options of training
===================

Priming, clipped gradients, dropout, truncation, long recordings in pieces, another time step::

    python -m models.examples.training_options
"""

from typing import Any

import numpy as np

import biosnn as bs

#: Truncated gradients need a loss in every window: no gradient reaches an earlier one.
CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "clip": {"clip": 0.1},
    "dropout": {"dropout": 0.2},
    "truncate": {"truncate": 50e-3, "loss": bs.EveryStepCrossEntropy()},
}


def network(data: bs.SpikeTrains | None, sigma_u: float) -> bs.Network:
    """A recurrent layer at its start; without data, for inputs of 20 Hz."""
    net = bs.Network(dt=2e-3)
    hidden = bs.layer(net, net.input(20), 64, name="hidden", recurrent=True)
    net.connect(hidden, net.readout(2, tau_mem=0.2))
    rates = {"hidden": 5.0} | ({"input": 20.0} if data is None else {})
    options: dict[str, Any] = {"closed_loop": False, "seed": 1, "progress": False}
    bs.fluctuation_driven(net, data, sigma_u=sigma_u, assumed_rates=rates, **options)
    return net


def primed(data: bs.SpikeTrains) -> list[float]:
    """Rates (Hz) of a silent layer before and after priming, which needs no labels.

    The bounds are on the spikes of every neuron in a trial, and on their mean.
    """
    net = network(data, sigma_u=0.1)  # far too weak: the layer is silent
    rates = [bs.evaluate(net, data).rates["hidden"]]
    bounds = [bs.lower_bound(1.0, 0.5, per="neuron"), bs.upper_bound(1.0, 4.0)]
    optimizer = bs.Adam(5e-3)
    bs.prime(
        net, data, epochs=40, batch=50, regularizers=bounds, optimizer=optimizer, progress=False
    )
    return [*rates, bs.evaluate(net, data).rates["hidden"]]


def trained(data: bs.SpikeTrains, **options: Any) -> bs.Network:
    """A network trained with some options."""
    net = network(data, sigma_u=1.0)
    optimizer = bs.Adam(5e-3)
    bs.train(net, data, epochs=30, batch=50, optimizer=optimizer, seed=1, progress=False, **options)
    return net


def long_recordings() -> tuple[float, float]:
    """Train on 20 recordings of 0.8 s in four pieces, each from where the one before ended.

    Returns
    -------
    Mean squared errors before and after.
    """
    spikes = bs.data.poisson(40.0, n_units=20, duration=0.8, n_trials=20, seed=1)
    whole = bs.bin_spikes(spikes, 2e-3).dense()
    target = np.broadcast_to(np.sin(np.arange(400) / 40)[None, :, None], (20, 400, 2))
    # the first pieces of all recordings, then the second ones, …
    pieces = bs.SpikeTrains.from_dense(np.concatenate(np.split(whole, 4, axis=1)), 2e-3)
    targets = np.concatenate(np.split(target, 4, axis=1))
    net = network(None, sigma_u=1.0)
    options: dict[str, Any] = {"loss": bs.MeanSquaredError(), "batch": 20, "stateful": True}
    before = bs.evaluate(net, pieces, targets, **options).loss
    optimizer = bs.Adam(5e-3)
    bs.train(
        net, pieces, targets, epochs=80, optimizer=optimizer, seed=1, progress=False, **options
    )
    return before, bs.evaluate(net, pieces, targets, **options).loss


def main() -> dict[str, Any]:
    """Train with every option."""
    data = bs.data.randman(n_classes=2, n_units=20, samples_per_class=100, smoothness=2.0, seed=1)
    rates = primed(data)
    print(f"priming: {rates[0]:.2f} Hz before, {rates[1]:.2f} Hz after it (without any labels)")
    networks = {name: trained(data, **options) for name, options in CASES.items()}
    accuracy = {name: bs.evaluate(net, data).accuracy for name, net in networks.items()}
    words = (f"{name} {value:.0%}" for name, value in accuracy.items())
    print(f"accuracy after 30 epochs: {', '.join(words)}")
    error = long_recordings()
    print("recordings in pieces that go on from each other:")
    print(f"    mean squared error {error[0]:.2g} before, {error[1]:.2g} after 80 epochs")
    plain = networks["plain"]
    finer = bs.time_rescale(plain, dt=0.5e-3)  # same time constants, four steps for one
    rescaled = bs.evaluate(finer, data).accuracy
    print(f"the plain network in steps of {1e3 * finer.dt:g} ms instead of {1e3 * plain.dt:g} ms:")
    print(f"    accuracy {rescaled:.0%}")
    same = np.array_equal(finer.weights["input->hidden"], plain.weights["input->hidden"])
    return {
        "rates": rates,
        "accuracy": accuracy,
        "rescaled": rescaled,
        "error": error,
        "same_weights": same,
    }


if __name__ == "__main__":
    main()

"""Options of training: priming, clipped gradients, dropout, truncation, long recordings in pieces, another time step.

python -m models.examples.training_options
"""

import numpy as np

import biosnn as bs


def network(data, sigma_u):
    net = bs.Network(dt=2e-3)
    hidden = bs.layer(net, net.input(20), 64, name="hidden", recurrent=True)
    net.connect(hidden, net.readout(2, tau_mem=0.2))
    rates = {"hidden": 5.0} | ({"input": 20.0} if data is None else {})
    bs.fluctuation_driven(
        net, data, sigma_u=sigma_u, assumed_rates=rates, closed_loop=False, seed=1, progress=False
    )
    return net


def long_recordings():
    """20 recordings of 0.8 s, trained in four pieces of 0.2 s, each from where the one before ended: mean squared error before and after."""
    whole = bs.bin_spikes(
        bs.data.poisson(40.0, n_units=20, duration=0.8, n_trials=20, seed=1), 2e-3
    ).dense()
    target = np.broadcast_to(np.sin(np.arange(400) / 40)[None, :, None], (20, 400, 2))
    pieces = bs.from_dense(
        np.concatenate(np.split(whole, 4, axis=1)), 2e-3
    )  # first pieces of all recordings, second ones, …
    targets, net = np.concatenate(np.split(target, 4, axis=1)), network(None, sigma_u=1.0)
    options = {"loss": bs.MeanSquaredError(), "batch": 20, "stateful": True}
    before = bs.evaluate(net, pieces, targets, **options).loss
    bs.train(
        net, pieces, targets, epochs=80, optimizer=bs.Adam(5e-3), seed=1, progress=False, **options
    )
    return before, bs.evaluate(net, pieces, targets, **options).loss


def main():
    data = bs.data.randman(n_classes=2, n_units=20, samples_per_class=100, smoothness=2.0, seed=1)
    net = network(data, sigma_u=0.1)  # far too weak: the layer is silent
    rates = [bs.evaluate(net, data).rates["hidden"]]
    bounds = [
        bs.lower_bound(1.0, 0.5, per="neuron"),
        bs.upper_bound(1.0, 4.0),
    ]  # spikes in a trial, of each neuron and of their mean
    bs.prime(
        net, data, epochs=40, batch=50, regularizers=bounds, optimizer=bs.Adam(5e-3), progress=False
    )
    rates.append(bs.evaluate(net, data).rates["hidden"])
    print(
        f"priming: the hidden layer fires at {rates[0]:.2f} Hz before, {rates[1]:.2f} Hz after it (without any labels)"
    )
    accuracy, networks = {}, {}
    truncated = {
        "truncate": 50e-3,
        "loss": bs.EveryStepCrossEntropy(),
    }  # a loss in every window: no gradient reaches an earlier one
    for name, options in {
        "plain": {},
        "clip": {"clip": 0.1},
        "dropout": {"dropout": 0.2},
        "truncate": truncated,
    }.items():
        trained = network(data, sigma_u=1.0)
        bs.train(
            trained,
            data,
            epochs=30,
            batch=50,
            optimizer=bs.Adam(5e-3),
            seed=1,
            progress=False,
            **options,
        )
        accuracy[name] = bs.evaluate(trained, data).accuracy
        networks[name] = trained
    print(
        "accuracy after 30 epochs: "
        + ", ".join(f"{name} {value:.0%}" for name, value in accuracy.items())
    )
    error = long_recordings()
    print(
        f"recordings in pieces that go on from each other: mean squared error {error[0]:.2g} before, {error[1]:.2g} after 80 epochs"
    )
    trained = networks["plain"]
    finer = bs.time_rescale(
        trained, dt=0.5e-3
    )  # same time constants and weights, four steps for one
    rescaled = bs.evaluate(finer, data).accuracy
    print(
        f"the plain network in steps of {1e3 * finer.dt:g} ms instead of {1e3 * trained.dt:g} ms: accuracy {rescaled:.0%}"
    )
    return {
        "rates": rates,
        "accuracy": accuracy,
        "rescaled": rescaled,
        "error": error,
        "same_weights": np.array_equal(
            finer.weights["input->hidden"], trained.weights["input->hidden"]
        ),
    }


if __name__ == "__main__":
    main()

"""
Losses
======

The first spike decides, spikes at wanted times (van Rossum distance), and several readouts at
once::

    python -m models.examples.losses
"""

from typing import Any

import numpy as np

import biosnn as bs


def first_spike(data: bs.SpikeTrains) -> tuple[float, float]:
    """Accuracy before and after training: the class is that of the neuron that spikes first."""
    net = bs.Network(dt=2e-3)
    hidden = bs.layer(net, net.input(20), 32, name="hidden")
    bs.layer(net, hidden, 2, name="choice")
    bs.fluctuation_driven(net, data, sigma_u=1.0, seed=1, progress=False)
    loss: dict[str, Any] = {"loss": bs.TimeToFirstSpike(sharpness=20.0), "readout": "choice"}
    before = bs.evaluate(net, data, **loss).accuracy
    options: dict[str, Any] = {"epochs": 40, "batch": 50, "optimizer": bs.Adam(5e-3), "seed": 1}
    bs.train(net, data, progress=False, **loss, **options)
    return before, bs.evaluate(net, data, **loss).accuracy


def wanted_spikes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Train one neuron to spike at wanted times in response to a frozen Poisson pattern.

    The learning rate falls: one that stays would move spikes until the last step.

    Returns
    -------
    Wanted times and spike times (s), and the distance after every epoch.
    """
    pattern = bs.data.poisson(20.0, n_units=100, duration=0.2, seed=1)
    wanted, zeros = np.array([0.05, 0.1, 0.15]), [0, 0, 0]
    target = bs.SpikeTrains.from_events(wanted, zeros, zeros, n_trials=1, n_units=1, duration=0.2)
    net = bs.Network(dt=1e-3)
    neuron = net.population(1, bs.lif(refractory=3e-3), name="A")
    net.connect(net.input(100), neuron, weights=np.full((100, 1), 0.05))
    history = bs.train(
        net,
        pattern,
        target,
        loss=bs.VanRossumDistance(tau=10e-3),
        readout="A",
        epochs=400,
        optimizer=bs.Adam(1e-2),
        schedule=bs.schedules.Cosine(),
        progress=False,
    )
    return wanted, bs.run(net, pattern).spikes["A"].times, history.loss


def two_readouts(data: bs.SpikeTrains) -> tuple[float, float]:
    """Train a readout to classify, and another one to report the time that has passed.

    The second counts ten times as much.

    Returns
    -------
    The accuracy of the first, and the error (s) of the second.
    """
    net = bs.Network(dt=2e-3)
    hidden = bs.layer(net, net.input(20), 64, name="hidden", recurrent=True)
    net.connect(hidden, net.readout(2, tau_mem=0.2, name="class"))
    net.connect(hidden, net.readout(1, tau_mem=20e-3, name="clock"))
    bs.fluctuation_driven(net, data, sigma_u=1.0, seed=1, progress=False)
    steps = bs.bin_spikes(data, net.dt).n_steps
    elapsed = np.broadcast_to(np.linspace(0, 1, steps)[:, None], (len(data), steps, 1))
    bs.train(
        net,
        data,
        {"class": data.labels, "clock": elapsed},
        loss={"class": bs.MaxOverTimeCrossEntropy(), "clock": (bs.MeanSquaredError(), 10.0)},
        epochs=40,
        batch=50,
        optimizer=bs.Adam(5e-3),
        seed=1,
        progress=False,
    )
    states = bs.run(net, data).states
    right = bs.MaxOverTimeCrossEntropy().predict(states["class.U"]) == data.labels
    error = np.sqrt(np.mean((states["clock.U"] - elapsed) ** 2))
    return float(right.mean()), float(error * data.duration)


def main() -> dict[str, Any]:
    """Train with the three losses."""
    data = bs.data.randman(n_classes=2, n_units=20, samples_per_class=100, smoothness=2.0, seed=1)
    before, after = first_spike(data)
    print(f"time to first spike: accuracy {before:.0%} before training, {after:.0%} after it")
    wanted, times, loss = wanted_spikes()
    print(f"van Rossum: wanted {np.round(1e3 * wanted)} ms, spikes at {np.round(1e3 * times)} ms")
    print(f"    distance {loss[0]:.2f} -> {loss[-1]:.3f}")
    accuracy, error = two_readouts(data)
    print(f"two readouts: accuracy {accuracy:.0%}")
    print(f"    the clock is off by {1e3 * error:.0f} ms of {1e3 * data.duration:.0f} ms")
    return {
        "first_spike": (before, after),
        "wanted": wanted,
        "times": times,
        "distance": loss,
        "accuracy": accuracy,
        "clock_error": error,
    }


if __name__ == "__main__":
    main()

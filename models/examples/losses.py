"""Losses: the first spike decides, spikes at wanted times (van Rossum distance), and several readouts at once.

python -m models.examples.losses
"""

import numpy as np

import biosnn as bs


def first_spike(data):
    """Accuracy, before and after training, of the class whose neuron in the population "choice" spikes first."""
    net = bs.Network(dt=2e-3)
    hidden = bs.layer(net, net.input(20), 32, name="hidden")
    bs.layer(net, hidden, 2, name="choice")
    bs.fluctuation_driven(net, data, sigma_u=1.0, seed=1, progress=False)
    options = {"loss": bs.TimeToFirstSpike(sharpness=20.0), "readout": "choice"}
    before = bs.evaluate(net, data, **options).accuracy
    bs.train(
        net, data, epochs=40, batch=50, optimizer=bs.Adam(5e-3), seed=1, progress=False, **options
    )
    return before, bs.evaluate(net, data, **options).accuracy


def wanted_spikes():
    """Target times (s), and those of a neuron that has learned to spike at them in response to a frozen Poisson pattern."""
    pattern, wanted = (
        bs.data.poisson(20.0, n_units=100, duration=0.2, seed=1),
        np.array([0.05, 0.1, 0.15]),
    )
    target = bs.SpikeTrains.from_events(
        wanted, [0, 0, 0], [0, 0, 0], n_trials=1, n_units=1, duration=0.2
    )
    net = bs.Network(dt=1e-3)
    net.connect(
        net.input(100),
        net.population(1, bs.lif(refractory=3e-3), name="A"),
        weights=np.full((100, 1), 0.05),
    )
    loss = bs.VanRossumDistance(tau=10e-3)
    history = bs.train(
        net,
        pattern,
        target,
        loss=loss,
        readout="A",
        epochs=400,
        optimizer=bs.Adam(1e-2),
        schedule=bs.schedules.Cosine(),
        progress=False,
    )  # a rate that stays moves spikes until the last step
    return wanted, bs.run(net, pattern).spikes["A"].times, history.loss


def two_readouts(data):
    """One readout classifies; another one reports the time that has passed, with ten times the weight. (accuracy, error in s)"""
    net = bs.Network(dt=2e-3)
    hidden = bs.layer(net, net.input(20), 64, name="hidden", recurrent=True)
    net.connect(hidden, net.readout(2, tau_mem=0.2, name="class"))
    net.connect(hidden, net.readout(1, tau_mem=20e-3, name="clock"))
    bs.fluctuation_driven(net, data, sigma_u=1.0, seed=1, progress=False)
    steps = bs.bin_spikes(data, net.dt).n_steps
    elapsed = np.broadcast_to(np.linspace(0, 1, steps)[:, None], (len(data), steps, 1))
    loss = {"class": bs.MaxOverTimeCrossEntropy(), "clock": (bs.MeanSquaredError(), 10.0)}
    targets = {"class": data.labels, "clock": elapsed}
    bs.train(
        net,
        data,
        targets,
        loss=loss,
        epochs=40,
        batch=50,
        optimizer=bs.Adam(5e-3),
        seed=1,
        progress=False,
    )
    states = bs.run(net, data).states
    right = bs.MaxOverTimeCrossEntropy().predict(states["class.U"]) == data.labels
    return float(right.mean()), float(
        np.sqrt(np.mean((states["clock.U"] - elapsed) ** 2)) * data.duration
    )


def main():
    data = bs.data.randman(n_classes=2, n_units=20, samples_per_class=100, smoothness=2.0, seed=1)
    before, after = first_spike(data)
    print(f"time to first spike: accuracy {before:.0%} before training, {after:.0%} after it")
    wanted, times, loss = wanted_spikes()
    print(
        f"van Rossum: wanted {np.round(1e3 * wanted)} ms, spikes at {np.round(1e3 * times)} ms; distance {loss[0]:.2f} -> {loss[-1]:.3f}"
    )
    accuracy, error = two_readouts(data)
    print(
        f"two readouts: accuracy {accuracy:.0%}; the clock is off by {1e3 * error:.0f} ms of {1e3 * data.duration:.0f} ms"
    )
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

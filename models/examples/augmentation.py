"""
Augmentation
============

Every presentation of a trial differs a little, event by event: shifts, jitter and stretch over
channels and in time, lost and added spikes, masked channels, blended trials of a class::

    python -m models.examples.augmentation
"""

from typing import Any

import numpy as np

import biosnn as bs

AUGMENTATIONS = (
    bs.ChannelShift(5),
    bs.ChannelJitter(5),
    bs.TimeShift(50e-3),
    bs.TimeJitter(5e-3),
    bs.TimeStretch(0.1),
    bs.Drop(0.2),
    bs.ChannelMask(50),
    bs.Insert(1.0),
    bs.Blend(0.5),
)


def sweeps() -> bs.SpikeTrains:
    """200 trials in which the units 25 .. 74 spike in a row, from 0.2 to 0.3 s."""
    return bs.SpikeTrains.from_events(
        np.tile(np.linspace(0.2, 0.3, 50), 200),
        np.tile(np.arange(25, 75), 200),
        np.repeat(np.arange(200), 50),
        n_trials=200,
        n_units=100,
        duration=0.5,
        labels=np.arange(200) % 2,
    )


def effect(spikes: bs.SpikeTrains, augmentation: Any) -> tuple[float, float, float]:
    """What one kind changes.

    Returns
    -------
    Spikes of a trial, and standard deviations over trials of the mean time (ms) and of the mean
    unit.
    """
    changed = bs.augment(spikes, [augmentation], seed=1)
    trials = list(zip(changed.offsets, changed.offsets[1:]))
    times = np.array([changed.times[first:last].mean() for first, last in trials])
    units = np.array([changed.units[first:last].mean() for first, last in trials])
    return np.diff(changed.offsets).mean(), 1e3 * times.std(), units.std()


def trained() -> float:
    """The accuracy, on unchanged trials, of a network trained on augmented ones."""
    data = bs.data.randman(n_classes=2, n_units=20, samples_per_class=100, smoothness=2.0, seed=1)
    net = bs.Network(dt=2e-3)
    hidden = bs.layer(net, net.input(20), 32, name="hidden")
    net.connect(hidden, net.readout(2, tau_mem=0.2))
    bs.fluctuation_driven(net, data, sigma_u=1.0, seed=1, progress=False)
    bs.train(
        net,
        data,
        epochs=60,
        batch=50,
        optimizer=bs.Adam(5e-3),
        augment=[bs.TimeShift(5e-3), bs.Drop(0.1), bs.Blend(0.5)],
        seed=1,
        progress=False,
    )
    return bs.evaluate(net, data).accuracy


def main() -> dict[str, Any]:
    """Print what every kind of augmentation does, and train with three of them."""
    spikes, kinds = sweeps(), {}
    print("spikes of a trial (50 before), spread of the mean time and of the mean unit over trials")
    for augmentation in AUGMENTATIONS:
        count, time, unit = kinds[type(augmentation).__name__] = effect(spikes, augmentation)
        print(f"{augmentation!s:28} {count:6.1f} spikes {time:5.1f} ms {unit:5.1f} units")
    accuracy = trained()
    print(
        "trained on shifted, thinned and blended trials: "
        f"accuracy {accuracy:.0%} on those that were not changed"
    )
    return {"kinds": kinds, "accuracy": accuracy}


if __name__ == "__main__":
    main()

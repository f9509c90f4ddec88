"""Augmentation: every presentation of a trial differs a little, event by event.

python -m models.examples.augmentation
"""

import numpy as np

import biosnn as bs


def main():
    units, duration = 100, 0.5
    times = np.tile(
        np.linspace(0.2, 0.3, 50), 200
    )  # 200 trials, spikes of the units 25 .. 74 in a row, 0.2 to 0.3 s
    spikes = bs.SpikeTrains.from_events(
        times,
        np.tile(np.arange(25, 75), 200),
        np.repeat(np.arange(200), 50),
        n_trials=200,
        n_units=units,
        duration=duration,
        labels=np.arange(200) % 2,
    )
    result = {}
    for kind in (
        bs.ChannelShift(5),
        bs.ChannelJitter(5),
        bs.TimeShift(50e-3),
        bs.TimeJitter(5e-3),
        bs.TimeStretch(0.1),
        bs.Drop(0.2),
        bs.ChannelMask(50),
        bs.Insert(1.0),
        bs.Blend(0.5),
    ):
        changed = bs.augment(spikes, [kind], seed=1)
        counts = np.diff(changed.offsets)
        mean = np.array(
            [
                changed.times[first:last].mean()
                for first, last in zip(changed.offsets, changed.offsets[1:])
            ]
        )
        middle = np.array(
            [
                changed.units[first:last].mean()
                for first, last in zip(changed.offsets, changed.offsets[1:])
            ]
        )
        result[type(kind).__name__] = (counts.mean(), 1e3 * mean.std(), middle.std())
        print(
            f"{str(kind):28} {counts.mean():6.1f} spikes a trial (50 before); over trials the mean time varies by {1e3 * mean.std():4.1f} ms, "
            f"the mean unit by {middle.std():.1f}"
        )

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
    accuracy = bs.evaluate(net, data).accuracy
    print(
        f"trained on shifted, thinned and blended trials: accuracy {accuracy:.0%} on those that were not changed"
    )
    return {"kinds": result, "accuracy": accuracy}


if __name__ == "__main__":
    main()

"""Data: Randman and its relatives, Poisson trains, event arrays of cameras, and cognitive tasks with masks.

python -m models.examples.data_variants
"""

import numpy as np

import biosnn as bs


def synthetic():
    """Name -> SpikeTrains with labels."""
    size = {"samples_per_class": 50, "seed": 1}
    return {
        "randman": bs.data.randman(n_classes=3, n_units=20, **size),
        "spaghetti": bs.data.spaghetti(n_classes=3, n_units=50, **size),
        "halo": bs.data.halo(n_classes=2, n_units=20, **size),
        "tempotron": bs.data.tempotron(n_patterns=100, n_units=50, seed=1),
    }


def camera():
    """A recording of an event camera with 4 · 4 pixels: three events, microseconds, as tonic has them."""
    events = np.array(
        [(1000, 0, 0, 1), (2000, 3, 0, 0), (5000, 3, 3, 1)],
        dtype=[("t", "i8"), ("x", "i4"), ("y", "i4"), ("p", "i1")],
    )
    return bs.data.from_event_arrays([events], sensor_size=(4, 4, 2), labels=[0], duration=10e-3)


def tasks():
    """Name -> bs.data.Task: spikes, the right choices, and the mask of the response window."""
    return {
        "perceptual decision": bs.data.perceptual_decision(200, seed=1),
        "working memory": bs.data.working_memory(200, seed=1),
        "context-dependent decision": bs.data.context_dependent_decision(200, seed=1),
        "delayed match to sample": bs.data.delayed_match_to_sample(200, delay=(0.2, 0.6), seed=1),
    }


def main():
    data, events, cognitive = synthetic(), camera(), tasks()
    for name, spikes in data.items():
        print(f"{name}: {spikes}, labels 0 .. {spikes.labels.max()}")
    print(f"camera: units {events.units} at {1e3 * events.times} ms")
    for name, task in cognitive.items():
        print(
            f"{name}: {task.spikes}, {task.n_choices} choices, response window of {1e3 * task.dt * task.mask[0].sum():.0f} ms"
        )
    decision = cognitive["perceptual decision"]
    counts = {
        name: np.array(
            [
                np.isin(decision.spikes[b].units, np.arange(decision.spikes.n_units)[units]).sum()
                for b in range(200)
            ]
        )
        for name, units in decision.pools.items()
    }
    stronger = (counts["for 1"] > counts["for 0"]).astype(
        int
    )  # an observer who counts all spikes of both pools
    clear = np.abs(decision.conditions["coherence"]) > 0.2
    right = [
        float(np.mean(stronger[which] == decision.spikes.labels[which]))
        for which in (clear, ~clear)
    ]
    print(
        f"counting spikes decides {right[0]:.0%} of the clear trials, {right[1]:.0%} of the others"
    )
    return {"data": data, "events": events, "tasks": cognitive, "right": right}


if __name__ == "__main__":
    main()

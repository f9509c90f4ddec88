"""
Data
====

Randman and its relatives, Poisson trains, event arrays of cameras, and cognitive tasks with masks::

    python -m models.examples.data_variants
"""

from typing import Any

import numpy as np

import biosnn as bs


def synthetic() -> dict[str, bs.SpikeTrains]:
    """Spike trains with labels, by name."""
    size = {"samples_per_class": 50, "seed": 1}
    return {
        "randman": bs.data.randman(n_classes=3, n_units=20, **size),
        "spaghetti": bs.data.spaghetti(n_classes=3, n_units=50, **size),
        "halo": bs.data.halo(n_classes=2, n_units=20, **size),
        "tempotron": bs.data.tempotron(n_patterns=100, n_units=50, seed=1),
    }


def camera() -> bs.SpikeTrains:
    """Three events of an event camera with 4 x 4 pixels, in microseconds, as tonic has them."""
    events = np.array(
        [(1000, 0, 0, 1), (2000, 3, 0, 0), (5000, 3, 3, 1)],
        dtype=[("t", "i8"), ("x", "i4"), ("y", "i4"), ("p", "i1")],
    )
    return bs.data.from_event_arrays([events], sensor_size=(4, 4, 2), labels=[0], duration=10e-3)


def tasks() -> dict[str, bs.data.Task]:
    """Spikes, right choices, and masks of the response window, by name."""
    return {
        "perceptual decision": bs.data.perceptual_decision(200, seed=1),
        "working memory": bs.data.working_memory(200, seed=1),
        "context-dependent decision": bs.data.context_dependent_decision(200, seed=1),
        "delayed match to sample": bs.data.delayed_match_to_sample(200, delay=(0.2, 0.6), seed=1),
    }


def decided_by_counting(task: bs.data.Task) -> list[float]:
    """Shares of right choices, on clear and on other trials, of an observer who counts spikes."""

    def spikes_of(pool: str) -> np.ndarray:
        units = np.arange(task.spikes.n_units)[task.pools[pool]]
        return np.array([np.isin(trial.units, units).sum() for trial in trials])

    trials = [task.spikes[b] for b in range(len(task.spikes))]
    right = (spikes_of("for 1") > spikes_of("for 0")) == task.spikes.labels
    clear = np.abs(task.conditions["coherence"]) > 0.2
    return [float(right[clear].mean()), float(right[~clear].mean())]


def main() -> dict[str, Any]:
    """Print what each data set holds."""
    data, events, cognitive = synthetic(), camera(), tasks()
    for name, spikes in data.items():
        print(f"{name}: {spikes}, labels 0 .. {np.max(np.asarray(spikes.labels))}")
    print(f"camera: units {events.units} at {1e3 * events.times} ms")
    for name, task in cognitive.items():
        window = 1e3 * task.dt * task.mask[0].sum()
        print(f"{name}: {task.spikes}")
        print(f"    {task.n_choices} choices, response window of {window:.0f} ms")
    right = decided_by_counting(cognitive["perceptual decision"])
    print(f"counting spikes decides {right[0]:.0%} of the clear trials, {right[1]:.0%} of others")
    return {"data": data, "events": events, "tasks": cognitive, "right": right}


if __name__ == "__main__":
    main()

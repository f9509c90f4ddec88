"""Point processes with known statistics, and spike trains of any kind."""

import numpy as np
from hypothesis import strategies as st

from biosnn.data.spike_trains import SpikeTrains

DURATION = 1.0


def poisson(rate, n_units, n_trials, duration=DURATION, seed=0):
    rng = np.random.default_rng(seed)
    n = rng.poisson(rate * duration * n_units * n_trials)
    return SpikeTrains.from_events(
        rng.uniform(0, duration, n),
        rng.integers(n_units, size=n),
        rng.integers(n_trials, size=n),
        n_trials=n_trials,
        n_units=n_units,
        duration=duration,
    )


def clock(interval, n_units, n_trials, duration=DURATION):
    times = np.arange(interval / 2, duration, interval)
    trials, units, times = (
        a.ravel()
        for a in np.meshgrid(np.arange(n_trials), np.arange(n_units), times, indexing="ij")
    )
    return SpikeTrains.from_events(
        times, units, trials, n_trials=n_trials, n_units=n_units, duration=duration
    )


@st.composite
def any_trains(draw):
    """Few units with times on a grid of 10 ms, so that ties and spikes on the edges of windows
    happen.
    """
    n_trials, n_units = draw(st.integers(2, 4)), draw(st.integers(1, 5))
    event = st.tuples(st.integers(0, 99), st.integers(0, n_units - 1), st.integers(0, n_trials - 1))
    events = draw(st.lists(event, max_size=80))
    times, units, trials = np.array(events, int).reshape(-1, 3).T
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    return SpikeTrains.from_events(
        (times * 0.01).astype(dtype),
        units,
        trials,
        n_trials=n_trials,
        n_units=n_units,
        duration=DURATION,
    )

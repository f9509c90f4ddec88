"""
Turn numbers into spikes
========================

`biosnn.encode` makes spike trains of arrays (trial, channel) or (trial, time, channel), or of a
list of trials of unequal length. What can be undone has a ``decode_`` beside it.
"""

import numpy as np
from matplotlib.figure import Figure

import biosnn as bs

time = np.arange(500) * 2e-3
signal = 0.5 + 0.35 * np.sin(2 * np.pi * 1.5 * time) + 0.15 * np.sin(2 * np.pi * 4 * time)
values = signal[None, :, None]  # (trial, time, channel)

trains = {
    "rate, Poisson": bs.encode.rate(values, dt=2e-3, max_rate=80.0, seed=1),
    "rate, regular": bs.encode.rate(values, dt=2e-3, max_rate=80.0, kind="regular"),
    "delta": bs.encode.delta(values, 2e-3, threshold=0.012),
    "levels": bs.encode.level_crossing(values, 2e-3, spacing=0.08),
    "population of 12": bs.encode.population(
        values, dt=2e-3, n=12, low=0.0, high=1.0, max_rate=100.0, seed=1
    ),
}

figure = Figure(figsize=(8, 6.5), layout="constrained")
axes = figure.subplots(6, 1, sharex=True, height_ratios=[2, 1, 1, 1, 1, 3])
axes[0].plot(time, signal, color="black")
axes[0].set_ylabel("value")
for axis, (name, spikes) in zip(axes[1:], trains.items(), strict=True):
    axis.plot(spikes.times, spikes.units, "|", color="black")
    axis.set(yticks=[], ylim=(-0.7, spikes.n_units - 0.3))
    axis.set_ylabel(name, rotation=0, ha="right", va="center")
for axis in axes[3:5]:
    axis.set_yticks([0, 1], ["ON", "OFF"])
axes[-1].set_xlabel("time (s)")
figure

# %%
# And back
# --------
# Level crossings know the signal to within a level; populations as well as the noise of their
# spikes allows.

back = bs.encode.decode_level_crossing(trains["levels"], 2e-3, spacing=0.08, start=signal[0])
print("levels:", np.abs(back[0, :, 0] - signal).max(), "at most")
back = bs.encode.decode_population(
    trains["population of 12"], dt=0.05, n=12, low=0.0, high=1.0, max_rate=100.0
)
means = signal.reshape(20, 25).mean(axis=1)
print("population:", np.abs(back[0, :, 0] - means).mean(), "on average, in windows of 50 ms")

# %%
# One spike for each number
# -------------------------
# The larger the number, the earlier the spike, as for the brightness of pixels.

image = np.array([[0.9, 0.0, 0.4, 0.65]])
spikes = bs.encode.latency(image, 0.05)
print(spikes.times, spikes.units, bs.encode.decode_latency(spikes))

# %%
# Trials of unequal length
# ------------------------
# A list of arrays (time, channel). Each trial then has its own end, after which nothing counts:
# neither for losses and scores, nor for statistics.

movements = [values[0, :n] for n in (150, 500, 320)]
spikes = bs.encode.rate(movements, dt=2e-3, max_rate=80.0, labels=[0, 1, 0], seed=1)
print(spikes.ends, "s;", bs.stats.firing_rates(spikes), "Hz")

# %%
# Trains without data
# -------------------
# `biosnn.data` draws point processes for background and tests: Poisson with a rate that changes,
# with shared spikes, with a dead time, or with states; and gamma intervals.

shared = bs.data.correlated_poisson(20.0, 50, 10.0, correlation=0.1, seed=1)
counts = bs.bin_spikes(shared, 0.1, merge=False).dense()[0]
print("correlation:", np.corrcoef(counts.T)[np.triu_indices(50, 1)].mean())
states = bs.data.markov_modulated_poisson(
    [2.0, 40.0], 50, 10.0, transitions=[[0, 1.0], [2.0, 0]], seed=1
)
states

"""
C. Your own data
================

Recordings of three sensors, of four kinds of movement, become spikes; a Dalian network learns to
tell them apart; then the usual questions: which classes are confused, what does it say of a new
recording, and how do I keep it?
"""

import csv
import tempfile
from pathlib import Path

import numpy as np

import biosnn as bs

# %%
# Stand-ins for files of yours: an array (trial, time, channel), and a label for each trial. (Trials
# of unequal length are a list of arrays (time, channel).) Class 3 is rare.

rng, time = np.random.default_rng(1), np.arange(0, 0.5, 2e-3)
labels = rng.choice(4, 600, p=[0.3, 0.3, 0.3, 0.1])
rates, phases = np.array([2.0, 3.5, 6.0, 9.0])[labels], rng.uniform(0, 1, (600, 3))
turns = 2 * np.pi * (rates[:, None, None] * time[:, None] + phases[:, None])
values = np.sin(turns) + 0.05 * rng.normal(size=turns.shape)

# %%
# Spikes: each channel has units for values from -1.3 to 1.3, which fire most at their own value
# (Gaussian tuning curves).

tuning = {"n": 10, "low": -1.3, "high": 1.3, "max_rate": 100.0}
spikes = bs.encode.population(values, dt=2e-3, labels=labels, seed=1, **tuning)
train, validation, test = bs.data.split(spikes, (0.6, 0.2, 0.2), seed=1)
print(spikes)

# %%
# The network, and its start.

net = bs.Network(dt=2e-3)
E, I = bs.dalian_layer(net, net.input(train.n_units), 100, 25, delay=10e-3)
net.connect(E, net.readout(4, tau_mem=0.2))
bs.fluctuation_driven(net, train, sigma_u=1.0, seed=1, progress=False)

# %%
# Training, in which the rare class counts as much as the others, with a log of every epoch.

folder = Path(tempfile.mkdtemp())


def log(epoch):
    """Add a line to a table."""
    with open(folder / "log.csv", "a", newline="") as file:
        csv.writer(file).writerow([epoch.number, epoch.history.loss[-1]])


loss = bs.MaxOverTimeCrossEntropy(class_weights=bs.balanced_class_weights(train.labels))
options = {"loss": loss, "optimizer": bs.Adam(5e-3), "batch": 50, "progress": False}
history = bs.train(net, train, validation=validation, epochs=40, callback=log, **options)
bs.plot.history(history)

# %%
# Which classes are confused?

found = bs.evaluate(net, test, loss=loss)
print(f"accuracy {found.accuracy:.0%}; by class {found.class_accuracy().round(2)}")
bs.plot.confusion(found.confusion())

# %%
# The network in a file, read by another program, which predicts a recording without a label.

bs.save(net, folder / "movements.npz")
again = bs.load(folder / "movements.npz")
new = bs.encode.population(values[:1], dt=2e-3, seed=2, **tuning)
print(bs.predict(again, new).probabilities.round(2), "and it was", labels[0])

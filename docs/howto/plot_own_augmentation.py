"""
Write your own augmentation or schedule
=======================================

An augmentation changes trials a little each time that they are presented (`biosnn.Augmentation`).
A schedule says what the learning rate is multiplied by (`biosnn.Schedule`). Make both frozen
dataclasses: a checkpoint is resumed only where they are the same.
"""

from dataclasses import dataclass

import numpy as np

import biosnn as bs

# %%
# An augmentation
# ---------------
# Some trials are played backwards. `events.columns()` are the times, units and trials of all
# spikes; `rng` has one stream of random numbers for each trial, so that what happens to a trial
# does not depend on its neighbours.


@dataclass(frozen=True)
class Reverse:
    """Each trial runs backwards with a probability."""

    probability: float = 0.5

    def apply(self, events, rng):
        """Return the events after the change."""
        times, units, trials = events.columns()
        backwards = rng.random() < self.probability
        times = np.where(backwards[trials], events.ends[trials] - times, times)
        return events.replaced(times, units, trials)


spikes = bs.SpikeTrains.from_units([[0.125], [0.25]], duration=0.5)
print(spikes.times, "becomes", bs.augment(spikes, [Reverse(1.0)], seed=1).times)

# %%
# A schedule
# ----------
# The learning rate rises for a tenth of the training and then decays as one over the square root
# of what has passed.


@dataclass(frozen=True)
class InverseRoot:
    """A warm-up, then 1 / sqrt."""

    warmup: float = 0.1

    def factor(self, progress, losses):
        """What the learning rate is multiplied by at this share of the training."""
        return min(progress / self.warmup, np.sqrt(self.warmup / max(progress, 1e-9)))


print([round(float(InverseRoot().factor(p, [])), 2) for p in (0.0, 0.05, 0.1, 0.4, 1.0)])

# %%
# Both in a training
# ------------------

data = bs.data.randman(n_classes=2, n_units=20, samples_per_class=60, smoothness=2.0, seed=1)
net = bs.Network(dt=2e-3)
hidden = bs.layer(net, net.input(20), 30, name="hidden")
net.connect(hidden, net.readout(2))
bs.fluctuation_driven(net, data, sigma_u=1.0, seed=1, progress=False)
history = bs.train(
    net,
    data,
    epochs=10,
    batch=40,
    augment=[Reverse(0.2), bs.TimeJitter(2e-3)],
    schedule=InverseRoot(),
    seed=1,
    progress=False,
)
history

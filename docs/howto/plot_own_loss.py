"""
Write your own loss
===================

A loss is any object with five methods and the attribute `classifies`; there is nothing to inherit
from (`biosnn.Loss`). Regularizers, constraints, optimizers and schedules work the same way.
"""

from dataclasses import dataclass

import numpy as np

import biosnn as bs

# %%
# The loss
# --------
# A margin loss on the mean of the readout over time: the right class must lead every other one by
# 1. Write the value and its derivative side by side. The readout has the shape (trial, step,
# unit); `total` is what the sum over trials is divided by, since a batch is computed in parts. A
# loss that reads `mask` (trial, step) also serves data whose trials end at different times: the
# mask is 0 after the end of a trial.


@dataclass(frozen=True)
class Margin:
    """Multi-class hinge loss of the mean over time."""

    margin: float = 1.0
    classifies = True
    takes_mask = False  # it looks at all steps

    def check(self, target, n_trials, steps, n_units):
        """Refuse targets that do not fit."""
        if np.shape(target) != (n_trials,) or np.max(target) >= n_units:
            raise ValueError(f"targets must be {n_trials} classes below {n_units}.")

    def total_weight(self, shape, mask=None):
        """The number of trials."""
        return float(shape[0])

    def value_and_gradient(self, readout, target, mask=None, total=None):
        """The mean over trials, and its derivative with respect to the readout."""
        steps, trials = readout.shape[1], np.arange(len(readout))
        mean = readout.mean(axis=1)  # (trial, unit)
        lacking = np.maximum(0, self.margin + mean - mean[trials, target][:, None])
        lacking[trials, target] = 0
        slope = (lacking > 0).astype(readout.dtype)
        slope[trials, target] = -slope.sum(axis=1)
        total = total or len(readout)
        gradient = np.broadcast_to(slope[:, None] / (steps * total), readout.shape)
        return lacking.sum() / total, gradient.astype(readout.dtype)

    def predict(self, readout, mask=None):
        """The class of each trial."""
        return readout.mean(axis=1).argmax(axis=1)

    def score(self, readout, target, mask=None):
        """1 where the class is right."""
        return (self.predict(readout) == target).astype(float)


# %%
# Check it
# --------
# Before anything else: do value and gradient agree? Central differences of random elements say
# so.

rng = np.random.default_rng(1)
readout, target = rng.normal(size=(4, 6, 3)), np.array([0, 2, 1, 1])
_, gradient = Margin().value_and_gradient(readout, target)
h, worst = 1e-6, 0.0
for at in [(0, 0, 0), (1, 3, 2), (2, 5, 1), (3, 2, 0)]:
    step = np.zeros_like(readout)
    step[at] = h
    up, down = (Margin().value_and_gradient(readout + s * step, target)[0] for s in (1, -1))
    worst = max(worst, abs((up - down) / (2 * h) - gradient[at]))
print(f"largest difference: {worst:.1e}")

# %%
# Use it
# ------

data = bs.data.randman(n_classes=3, n_units=20, samples_per_class=60, smoothness=2.0, seed=1)
net = bs.Network(dt=2e-3)
hidden = bs.layer(net, net.input(20), 40, name="hidden")
net.connect(hidden, net.readout(3, tau_mem=50e-3))
bs.fluctuation_driven(net, data, sigma_u=1.0, seed=1, progress=False)
history = bs.train(net, data, loss=Margin(), epochs=15, batch=60, seed=1, progress=False)
print(bs.evaluate(net, data, loss=Margin()))

# %%
# A loss on spikes instead of a readout has ``needs_spikes = True`` and gets spikes of shape
# (trial, step, neuron); `bs.TimeToFirstSpike` is one, and :source:`biosnn/training/spike_loss.py`
# shows how it is written.

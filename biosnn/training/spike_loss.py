"""Losses on the spikes of a population: latency of the first spike, and the distance from target trains.

As those of loss.py, with spikes S (trial, step, unit) in place of the readout: `train(…, readout="E", loss=TimeToFirstSpike())`. Their
values are those of the spikes; their derivatives by S are exact for S of any size, which the gradient check with the smooth twin uses.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..data.binning import bin_spikes
from ..data.spike_trains import SpikeTrains
from ..support import checks, plausible
from ..support.checks import as_array, keep, real, reals
from .loss import _CrossEntropy, seen, together


@dataclass(frozen=True)
class TimeToFirstSpike(_CrossEntropy):
    """Which unit spikes first: L = mean_b -log softmax(-sharpness latency[b, :] / T)[label_b], latency in steps and T steps in a trial.

        latency[b, i] = sum_n prod_(m <= n) (1 - S[b, m, i])

    is the number of steps before the first spike, and T for a unit that does not spike. It is linear in each S:

        d latency / d S[m] = -prod_(k < m) (1 - S[k])  sum_(n >= m) prod_(m < k <= n) (1 - S[k])

    is what a spike at m takes from the latency, or would take: for m up to the first spike the steps from m to it (for the first
    spike itself: to the second), and 0 after it. The prediction is the unit that spikes first.
    """

    sharpness: float = 20.0

    needs_spikes = True

    def __post_init__(self):
        keep(
            self,
            sharpness=real(
                self.sharpness,
                "TimeToFirstSpike: sharpness",
                above=0,
                why="e^sharpness is the ratio of probabilities "
                "between a unit that spikes at once and one that never does",
            ),
        )

    def latency(self, spikes):
        """(trial, unit) in steps."""
        return np.cumprod(1 - seen(spikes, "spikes").astype(np.float64), axis=1).sum(axis=1)

    def reduce(self, spikes):
        return -self.sharpness / spikes.shape[1] * self.latency(spikes), spikes

    def spread(self, readout, gradient, spikes):
        silent = 1 - spikes.astype(np.float64)
        before = np.ones_like(silent)
        before[:, 1:] = np.cumprod(silent[:, :-1], axis=1)
        after = np.ones_like(silent)
        for m in range(silent.shape[1] - 2, -1, -1):
            after[:, m] += silent[:, m + 1] * after[:, m + 1]
        return (self.sharpness / silent.shape[1] * gradient[:, None] * before * after).astype(
            readout.dtype
        )


@dataclass(frozen=True)
class VanRossumDistance:
    """L = mean over trials and units of (1/tau) sum_n v[n]^2 dt, the squared van Rossum (2001) distance of spikes from target trains:

        v[n] = exp(-dt/tau) v[n-1] + S[n] - target[n]

    tau   time constant of the kernel, seconds
    dt    seconds; `train` fills in that of the network
    The target: SpikeTrains with as many trials and units, or an array of counts (trial, step, unit).
    """

    tau: float = 10e-3
    dt: float | None = None

    classifies = False
    needs_spikes = True
    takes_mask = False

    def __post_init__(self):
        object.__setattr__(
            self,
            "tau",
            checks.time(self.tau, "VanRossumDistance: tau", above=0, plausible=plausible.KERNEL),
        )
        if self.dt is not None:
            object.__setattr__(
                self,
                "dt",
                checks.time(self.dt, "VanRossumDistance: dt", above=0, plausible=plausible.STEP),
            )

    def for_step(self, dt):
        """The same distance in steps of dt (s)."""
        return replace(self, dt=dt)

    def as_target(self, target):
        """Target trains as an array (trial, step, unit)."""
        return (
            bin_spikes(target, self.dt, merge=False).dense()
            if isinstance(target, SpikeTrains)
            else as_array(target, "the target", "counts")
        )

    def check(self, target, n_trials, steps, n_units):
        """ValueError unless the target has counts for every trial, step and unit."""
        shape = None if target is None else as_array(target, "the target", "counts").shape
        if shape != (n_trials, steps, n_units):
            raise ValueError(
                "VanRossumDistance needs target SpikeTrains, or counts of shape (trial, step, unit) = "
                f"{(n_trials, steps, n_units)}; got {'none' if target is None else shape}."
            )
        reals(target, "VanRossumDistance: target counts", 0, flags=True)

    def predict(self, spikes, mask=None):
        return seen(spikes, "spikes")

    def distances(self, spikes, target):
        """(trial,) mean over units of the squared distance, and its derivative by S times the number of units (trial, step, unit)."""
        if self.dt is None:
            raise ValueError(
                "VanRossumDistance: dt is missing; give the time step of the spikes, VanRossumDistance(tau, dt), in seconds."
            )
        decay, scale = np.exp(-self.dt / self.tau), self.dt / self.tau
        spikes, target = together(spikes, self.as_target(target))
        v = spikes.astype(np.float64) - target
        for n in range(1, v.shape[1]):  # scipy.signal does this too, but takes seconds to import
            v[:, n] += decay * v[:, n - 1]
        slope = 2 * scale * v
        for n in range(v.shape[1] - 2, -1, -1):
            slope[:, n] += decay * slope[:, n + 1]
        return scale * (v**2).sum(axis=1).mean(axis=1), slope

    def score(self, spikes, target, mask=None):
        return -self.distances(spikes, target)[0]

    def total_weight(self, shape, mask=None):
        return float(shape[0])

    def value_and_gradient(self, spikes, target, mask=None, total=None):
        spikes = seen(spikes, "spikes")
        total = self.total_weight(spikes.shape) if total is None else total
        value, slope = self.distances(spikes, target)
        return value.sum() / total, (slope / (total * spikes.shape[2])).astype(spikes.dtype)

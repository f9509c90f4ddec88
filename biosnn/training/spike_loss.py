"""Losses on the spikes of a population: latency of the first spike, distance from target trains.

They are losses like those of a readout, with spikes S (trial, step, unit), 0 or 1, in its place:
`train(…, readout="E", loss=TimeToFirstSpike())`. Derivatives with respect to S are exact for S of
any size, as the gradient check with the smooth twin requires.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.binning import bin_spikes
from ..data.spike_trains import SpikeTrains
from ..support import checks, plausible
from ..support.checks import as_array, keep, real, reals
from .classification import CrossEntropy
from .masks import as_readout, counted, of_one_shape


@dataclass(frozen=True, repr=False)
class TimeToFirstSpike(CrossEntropy):
    """Cross-entropy of latencies: the unit of the right class is to spike first.

    Parameters
    ----------
    sharpness
        e^sharpness is the ratio of probabilities between a unit that spikes at once and one that
        never does; > 0.
    class_weights
        (classes,) weight w >= 0 of the trials of each class. None: all count the same.

    Notes
    -----
    L = mean_b -w_b log softmax(-sharpness latency[b, :] / T_b)[label_b] with T_b steps in trial b
    and

        latency[b, i] = sum_n prod_(m <= n) (1 - S[b, m, i]),

    the number of steps before the first spike, and T_b for a unit that does not spike. It is linear
    in each S:

        d latency / d S[m] = -prod_(k < m) (1 - S[k])  sum_(n >= m) prod_(m < k <= n) (1 - S[k])

    is what a spike at m takes from the latency, or would take: for m up to the first spike the
    steps from m to it (for the first spike itself: to the second), and 0 after it.

    Examples
    --------
    >>> spikes = np.zeros((1, 4, 2))
    >>> spikes[0, 1, 1] = 1
    >>> TimeToFirstSpike().latency(spikes), TimeToFirstSpike().predict(spikes)
    (array([[4., 1.]]), array([1]))
    """

    sharpness: float = 20.0

    needs_spikes = True

    def __post_init__(self) -> None:
        super().__post_init__()
        why = (
            "e^sharpness is the ratio of probabilities between a unit that spikes at once "
            "and one that never does"
        )
        keep(self, sharpness=real(self.sharpness, "TimeToFirstSpike: sharpness", above=0, why=why))

    def latency(self, spikes: Any, mask: Any = None) -> NDArray[np.float64]:
        """Return the number of steps before the first spike, (trial, unit)."""
        spikes = as_readout(spikes, "spikes")
        before = np.cumprod(1 - spikes.astype(np.float64), axis=1)
        return (before if mask is None else before * counted(mask, spikes)[..., None]).sum(axis=1)

    def reduce(self, readout: NDArray[Any], mask: Any = None) -> tuple[NDArray[Any], Any]:
        """Return logits from latencies, with the spikes and the steps of each trial."""
        exist = np.ones(readout.shape[:2], bool) if mask is None else counted(mask, readout)
        scale = -self.sharpness / exist.sum(axis=1)[:, None]
        return scale * self.latency(readout, mask), (readout, exist)

    def spread(self, readout: NDArray[Any], gradient: NDArray[Any], where: Any) -> NDArray[Any]:
        """Return the derivative with respect to the spikes, which `reduce` handed on."""
        spikes, exist = where
        silent = 1 - spikes.astype(np.float64)
        before = np.ones_like(silent)
        before[:, 1:] = np.cumprod(silent[:, :-1], axis=1)
        after = np.ones_like(silent) * exist[..., None]
        for m in range(silent.shape[1] - 2, -1, -1):
            after[:, m] += silent[:, m + 1] * after[:, m + 1]
        by_latency = (self.sharpness / exist.sum(axis=1)[:, None] * gradient)[:, None]
        return (by_latency * before * after).astype(readout.dtype)


@dataclass(frozen=True)
class VanRossumDistance:
    """Squared van Rossum distance of spikes from target trains.

    The target is `SpikeTrains` with as many trials and units, or counts (trial, step, unit). The
    score of a trial is the negative distance.

    Parameters
    ----------
    tau
        Time constant of the kernel in seconds.
    dt
        Time step in seconds; `train` fills in that of the network.

    Notes
    -----
    L = mean over trials and units of (1/tau) sum_n v[n]^2 dt, with

        v[n] = exp(-dt/tau) v[n-1] + S[n] - target[n],

    and the sum over the steps of each trial.

    References
    ----------
    van Rossum (2001), A novel spike distance.

    Examples
    --------
    One spike is 1/2 away from none, up to the error of the time step:

    >>> spikes = np.zeros((1, 2000, 1))
    >>> spikes[0, 5] = 1
    >>> distance = VanRossumDistance(tau=10e-3, dt=1e-4)
    >>> value, _ = distance.value_and_gradient(spikes, np.zeros((1, 2000, 1)))
    >>> round(float(value), 2)
    0.51
    """

    tau: float = 10e-3
    dt: float | None = None

    classifies = False
    needs_spikes = True
    takes_mask = False
    takes_ends = True
    score_name = "negative distance"

    def __post_init__(self) -> None:
        what, most = "VanRossumDistance", plausible.KERNEL
        keep(self, tau=checks.time(self.tau, f"{what}: tau", above=0, plausible=most))
        if self.dt is not None:
            most = plausible.STEP
            keep(self, dt=checks.time(self.dt, f"{what}: dt", above=0, plausible=most))

    def for_step(self, dt: float) -> "VanRossumDistance":
        """Return the same distance for time steps of `dt` seconds."""
        return replace(self, dt=dt)

    def as_target(self, target: Any) -> NDArray[Any]:
        """Return target trains as counts (trial, step, unit)."""
        if isinstance(target, SpikeTrains):
            return bin_spikes(target, self._step(), merge=False).dense()
        return as_array(target, "the target", "counts")

    def check(self, target: Any, n_trials: int, steps: int, n_units: int) -> None:
        """Raise ValueError unless the target has counts for every trial, step and unit."""
        shape = None if target is None else as_array(target, "the target", "counts").shape
        if shape != (n_trials, steps, n_units):
            raise ValueError(
                "VanRossumDistance needs target SpikeTrains, or counts of shape (trial, step, unit)"
                f" = {(n_trials, steps, n_units)}; got {'none' if target is None else shape}."
            )
        reals(target, "VanRossumDistance: target counts", 0, flags=True)

    def distances(
        self, spikes: Any, target: Any, mask: Any = None
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the distance of each trial, and its derivative.

        Parameters
        ----------
        spikes, target
            (trial, step, unit).
        mask
            (trial, step) which steps each trial has, if not all.

        Returns
        -------
        (trial,) means over units of the squared distance, and (trial, step, unit) their derivatives
        with respect to S, times the number of units.

        Raises
        ------
        ValueError
            If `dt` is missing, or shapes differ.
        """
        dt = self._step()
        decay, scale = np.exp(-dt / self.tau), dt / self.tau
        spikes, target = of_one_shape(spikes, self.as_target(target))
        v = spikes.astype(np.float64) - target
        for n in range(1, v.shape[1]):  # scipy.signal does this too, but takes seconds to import
            v[:, n] += decay * v[:, n - 1]
        if mask is not None:
            v *= counted(mask, spikes)[..., None]
        slope = 2 * scale * v
        for n in range(v.shape[1] - 2, -1, -1):
            slope[:, n] += decay * slope[:, n + 1]
        return scale * (v**2).sum(axis=1).mean(axis=1), slope

    def _step(self):
        """The time step, which may not have been given yet."""
        if self.dt is None:
            raise ValueError(
                "VanRossumDistance: dt is missing; give the time step of the spikes, "
                "VanRossumDistance(tau, dt), in seconds."
            )
        return self.dt

    def total_weight(self, shape: tuple[int, ...], mask: Any = None) -> float:
        """Return the number of trials, which the mean divides by."""
        return float(shape[0])

    def value_and_gradient(
        self, readout: Any, target: Any, mask: Any = None, total: float | None = None
    ) -> tuple[float, NDArray[Any]]:
        """Return the mean distance and its derivative with respect to each spike."""
        spikes = as_readout(readout, "spikes")
        total = self.total_weight(spikes.shape) if total is None else total
        value, slope = self.distances(spikes, target, mask)
        return value.sum() / total, (slope / (total * spikes.shape[2])).astype(spikes.dtype)

    def predict(self, readout: Any, mask: Any = None) -> NDArray[Any]:
        """Return the spikes themselves."""
        return as_readout(readout, "spikes")

    def score(self, readout: Any, target: Any, mask: Any = None) -> NDArray[Any]:
        """Return the negative distance of each trial."""
        return -self.distances(readout, target, mask)[0]

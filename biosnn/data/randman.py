"""Randman: classes of spike trains that only timing tells apart, on smooth random manifolds.

Zenke & Vogels (2021), The remarkable robustness of surrogate gradient learning for instilling
complex function in spiking neural networks, Neural Computation 33, 899-925,
doi:10.1162/neco_a_01367.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..support.checks import real, time
from ..support.seeds import generator
from .poisson import check_count
from .spike_trains import SpikeTrains

_MOST_TERMS = 1000  # of the sum over k, as in the reference
_LEAST_AMPLITUDE = 1e-3  # terms end where (k + 1)^-smoothness gets smaller
_CHUNK = 2**16  # pairs (point, term) evaluated at once: half a MB, for the cache


def randman(
    *,
    n_classes: int = 10,
    n_units: int = 20,
    n_spikes: int = 1,
    dimension: int = 1,
    smoothness: float = 1.0,
    samples_per_class: int = 1000,
    duration: float = 0.2,
    active: float = 0.1,
    seed: int | np.random.Generator = 0,
) -> SpikeTrains:
    """Return trials of the Randman task, with labels, in shuffled order.

    Every unit fires `n_spikes` spikes in every trial. When it fires is a smooth random function of
    a point on a manifold, which differs between classes.

    Parameters
    ----------
    n_classes, n_units, n_spikes
        Numbers of classes, of units, and of spikes of a unit in a trial.
    dimension
        Dimension of the manifolds.
    smoothness
        Exponent > 0 with which the spectrum of the functions falls. Small values are rough, and
        hard to learn.
    samples_per_class
        Trials of each class, at least 2.
    duration
        Duration of a trial in seconds.
    active
        Spikes fall in 0 <= t < active, in seconds; at most the duration.
    seed
        Seed or numpy Generator. The manifolds of a class depend on the seed, not on the number of
        classes or samples.

    Returns
    -------
    Spike trains of n_classes · samples_per_class trials. The defaults are the reference task:
    0.2 s are 100 steps of 2 ms, with spikes in the first half.

    Raises
    ------
    ValueError
        If a number is not possible.

    Notes
    -----
    A trial of a class is a point x, uniform in [0, 1]^dimension. Every spike is at the coordinate
    v(x) of a random manifold of its own,

        v(x) = Π_d Σ_{k=0}^{K-1} a_k (k + 1)^-smoothness sin(2π (k x_d b_k + c_k)),

    with K = min(⌈10^(3/smoothness)⌉, 1000) terms, and a, b, c uniform in [0, 1] for each class,
    spike, unit, d and k, but a_0 = 0. Over the samples of the class v is scaled to
    t = active (v - min v) / (max v - min v); the latest spike is at the last number below `active`.
    Sines are in single precision: t is within 1e-6 active of the formula.

    References
    ----------
    Zenke & Vogels (2021), doi:10.1162/neco_a_01367.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.data.randman(n_classes=3, n_units=5, samples_per_class=10, seed=1)
    >>> len(spikes), spikes.times.size
    (30, 150)
    """
    n_classes, n_units, n_spikes, dimension, samples_per_class = check_counts(
        n_classes=n_classes,
        n_units=n_units,
        n_spikes=n_spikes,
        dimension=dimension,
        samples_per_class=samples_per_class,
    )
    smoothness, duration, active = checked_times(smoothness, duration, active)
    rng = generator(seed)
    shape = n_spikes * n_units, dimension, number_of_terms(smoothness)
    times = np.concatenate(
        [class_times(r, samples_per_class, shape, smoothness, active) for r in rng.spawn(n_classes)]
    )
    trials = rng.permutation(len(times))
    order = np.argsort(times, axis=1, kind="stable")
    times = np.take_along_axis(times, order, axis=1)[trials]
    return SpikeTrains(
        times=times.ravel(),
        units=(order % n_units)[trials].ravel(),
        offsets=np.arange(len(times) + 1) * times.shape[1],
        n_units=n_units,
        duration=duration,
        labels=trials // samples_per_class,
    )


def class_times(
    rng: np.random.Generator, n_samples: int, shape: tuple, smoothness: float, active: float
) -> NDArray[np.float64]:
    """Return spike times (sample, spike · unit) in seconds of one class.

    shape: (spikes · units, dimension, terms).
    """
    amplitude, frequency, phase = rng.random((3, *shape))
    amplitude[..., 0] = 0
    points = rng.random((n_samples, shape[1]))
    values = manifold_values(points, amplitude, frequency, phase, smoothness)
    lowest, highest = values.min(axis=0), values.max(axis=0)
    return np.minimum(active * ((values - lowest) / (highest - lowest)), np.nextafter(active, 0))


def manifold_values(
    points: NDArray[np.float64],
    amplitude: NDArray[np.float64],
    frequency: NDArray[np.float64],
    phase: NDArray[np.float64],
    smoothness: float,
) -> NDArray[np.float64]:
    """Return v (sample, unit) = Π_d Σ_k a_k (k + 1)^-smoothness sin(2π (k x_d b_k + c_k)).

    points (sample, dimension); amplitude a, frequency b and phase c: (unit, dimension, term k).
    """
    k = np.arange(amplitude.shape[-1])
    amplitude = amplitude * (k + 1.0) ** -smoothness
    values = np.ones((len(points), len(amplitude)))
    for unit, dimension in np.ndindex(amplitude.shape[:2]):
        at = unit, dimension
        x = points[:, dimension]
        values[:, unit] *= _sum_of_sines(x, amplitude[at], k * frequency[at], phase[at])
    return values


def _sum_of_sines(x, amplitude, frequency, phase):
    """Σ_k amplitude_k sin(2π (frequency_k x + phase_k)) at x, in chunks for the cache."""
    amplitude, total = amplitude.astype(np.float32), np.empty(len(x))
    step = max(1, _CHUNK // len(amplitude))
    for start in range(0, len(x), step):
        chunk = slice(start, start + step)
        cycles = np.multiply.outer(x[chunk], frequency)
        cycles += phase
        # whole cycles go in double precision; of the rest, single precision has a sine that is
        # many times faster
        cycles -= np.rint(cycles)
        angle = cycles.astype(np.float32)
        angle *= np.float32(2 * np.pi)
        # einsum, not BLAS: the same bits with any number of threads
        total[chunk] = np.einsum("xk,k->x", np.sin(angle, out=angle), amplitude)
    return total


def number_of_terms(smoothness: float) -> int:
    """Return K = min(⌈10^(3/smoothness)⌉, 1000)."""
    most = np.log10(_MOST_TERMS)
    return int(np.ceil(10 ** min(-np.log10(_LEAST_AMPLITUDE) / smoothness, most)))


def check_counts(**counts: int) -> list[int]:
    """Return numbers of things as whole numbers; one sample has no range to scale to."""
    return [
        check_count(name, value, least=2 if name == "samples_per_class" else 1)
        for name, value in counts.items()
    ]


def checked_times(smoothness: float, duration: float, active: float) -> tuple[float, float, float]:
    """Return (smoothness, duration, active), the latter in seconds; ValueError if impossible."""
    why = "the exponent with which the amplitude of the terms falls"
    smoothness = real(smoothness, "smoothness", above=0, high=100, why=why)
    duration = time(duration, "duration", above=0)
    why = "spikes fall between the start of the trial and `active`"
    return smoothness, duration, time(active, "active", above=0, high=duration, why=why)

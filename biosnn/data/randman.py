"""Randman: classes of spike trains that only timing tells apart, on smooth random manifolds.

Zenke & Vogels (2021), The remarkable robustness of surrogate gradient learning for instilling complex function in spiking
neural networks, Neural Computation 33, 899-925, doi:10.1162/neco_a_01367.
"""

import numpy as np

from ..support.checks import real, time
from ..support.seeds import generator
from .poisson import check_count
from .spike_trains import SpikeTrains

_MOST_TERMS = 1000  # of the sum over k, as in the reference
_LEAST_AMPLITUDE = 1e-3  # terms end where (k + 1)^-smoothness gets smaller
_CHUNK = 2**16  # pairs (point, term) evaluated at once: half a MB, for the cache


def randman(
    n_classes=10,
    n_units=20,
    n_spikes=1,
    dimension=1,
    smoothness=1.0,
    samples_per_class=1000,
    duration=0.2,
    active=0.1,
    seed=0,
):
    """The Randman task; SpikeTrains of n_classes · samples_per_class trials with labels, in shuffled order.

    A trial of a class is a point x, uniform in [0, 1]^dimension. Every unit fires n_spikes spikes in every trial, each at
    the coordinate v(x) of its own random manifold, of the class,

        v(x) = Π_d Σ_{k=0}^{K-1} a_k (k + 1)^-smoothness sin(2π (k x_d b_k + c_k)),    K = min(⌈10^(3/smoothness)⌉, 1000)

    with a, b, c uniform in [0, 1] for each class, spike, unit, d and k, but a_0 = 0. Over the samples of the class v is
    scaled to t = active (v - min v) / (max v - min v).

    smoothness    α > 0, the exponent with which the spectrum falls: small is rough, and hard to learn
    dimension     of the manifolds, d
    duration      of a trial, in seconds
    active        seconds in which spikes fall, 0 <= t < active <= duration (max v is at the last number below active)
    seed          int or numpy Generator. The manifolds of a class depend on the seed, not on the number of classes or samples.

    The defaults are the reference task: 0.2 s are 100 steps of 2 ms, with spikes in the first half. Sines are in single
    precision: t is within 1e-6 active of the formula. ValueError for values outside of what is written above.

    Source: Zenke & Vogels (2021), doi:10.1162/neco_a_01367.
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
    shape = (n_spikes * n_units, dimension, _number_of_terms(smoothness))
    times = np.concatenate(
        [
            _class_times(r, samples_per_class, shape, smoothness, active)
            for r in rng.spawn(n_classes)
        ]
    )
    trials = rng.permutation(len(times))
    order = np.argsort(times, axis=1, kind="stable")
    times = np.take_along_axis(times, order, axis=1)[trials]
    offsets = np.arange(len(times) + 1) * times.shape[1]
    units = (order % n_units)[trials]
    return SpikeTrains(
        times.ravel(), units.ravel(), offsets, n_units, duration, trials // samples_per_class
    )


def _class_times(rng, n_samples, shape, smoothness, active):
    """Spike times (sample, spike · n_units + unit) in seconds of one class; shape: (spikes · units, dimension, terms)."""
    amplitude, frequency, phase = rng.random((3, *shape))
    amplitude[..., 0] = 0
    points = rng.random((n_samples, shape[1]))
    values = manifold_values(points, amplitude, frequency, phase, smoothness)
    lowest, highest = values.min(axis=0), values.max(axis=0)
    return np.minimum(active * ((values - lowest) / (highest - lowest)), np.nextafter(active, 0))


def manifold_values(points, amplitude, frequency, phase, smoothness):
    """v (sample, unit) = Π_d Σ_k a_k (k + 1)^-smoothness sin(2π (k x_d b_k + c_k)).

    points (sample, dimension); amplitude a, frequency b and phase c: (unit, dimension, term k).
    """
    k = np.arange(amplitude.shape[-1])
    amplitude = amplitude * (k + 1.0) ** -smoothness
    values = np.ones((len(points), len(amplitude)))
    for unit, dimension in np.ndindex(amplitude.shape[:2]):
        at = unit, dimension
        values[:, unit] *= _sum_of_sines(
            points[:, dimension], amplitude[at], k * frequency[at], phase[at]
        )
    return values


def _sum_of_sines(x, amplitude, frequency, phase):
    """Σ_k amplitude_k sin(2π (frequency_k x + phase_k)) at the points x, in chunks that fit the cache."""
    amplitude, total = amplitude.astype(np.float32), np.empty(len(x))
    step = max(1, _CHUNK // len(amplitude))
    for start in range(0, len(x), step):
        chunk = slice(start, start + step)
        cycles = np.multiply.outer(x[chunk], frequency)
        cycles += phase
        # whole cycles go in double precision; of the rest, single precision has a sine that is many times faster
        cycles -= np.rint(cycles)
        angle = cycles.astype(np.float32)
        angle *= np.float32(2 * np.pi)
        # einsum, not BLAS: the same bits with any number of threads
        total[chunk] = np.einsum("xk,k->x", np.sin(angle, out=angle), amplitude)
    return total


def _number_of_terms(smoothness):
    most = np.log10(_MOST_TERMS)
    return int(np.ceil(10 ** min(-np.log10(_LEAST_AMPLITUDE) / smoothness, most)))


def check_counts(**counts):
    """Numbers of things as whole numbers."""
    return [
        check_count(
            name, value, least=2 if name == "samples_per_class" else 1
        )  # one sample has no range to scale to
        for name, value in counts.items()
    ]


def checked_times(smoothness, duration, active):
    """(smoothness, duration, active), the latter in seconds; ValueError for numbers that are not possible."""
    smoothness = real(
        smoothness,
        "smoothness",
        above=0,
        high=100,
        why="the exponent with which the amplitude of the terms falls",
    )
    duration = time(duration, "duration", above=0)
    return (
        smoothness,
        duration,
        time(
            active,
            "active",
            above=0,
            high=duration,
            why="spikes fall between the start of the trial and `active`",
        ),
    )

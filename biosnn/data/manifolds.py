"""Relatives of Randman: spaghetti, halo, and the random latencies of the tempotron.

As in the programs of Zenke & Vogels (2021), Neural Computation 33, 899-925, doi:10.1162/neco_a_01367, and of their group after it, in
continuous time and with exact bounds.
"""

import numpy as np

from ..support.checks import real
from ..support.seeds import generator
from .randman import _class_times, _number_of_terms, check_counts, checked_times
from .spike_trains import SpikeTrains

_FARTHEST = 1e6  # ranges of the manifold: farther, all latencies are at the bounds or equal


def spaghetti(
    n_classes=10,
    n_units=100,
    n_spikes=20,
    smoothness=2.0,
    samples_per_class=1000,
    duration=0.2,
    active=0.2,
    seed=0,
):
    """Curves through time and units; SpikeTrains of n_classes · samples_per_class trials with labels, in shuffled order.

    A class has n_spikes smooth random curves (t_s(x), u_s(x)); a trial is a point x, uniform in [0, 1], and has one spike on each of
    them: at t_s(x) seconds in unit floor(n_units u_s(x)). Both are coordinates of a random manifold (`randman`), scaled over the
    samples of the class to 0 <= t < active and 0 <= u < 1. So both timing and which units fire tell classes apart.

    smoothness, duration, active, seed and errors as for `randman`.
    """
    n_classes, n_units, n_spikes, samples_per_class = check_counts(
        n_classes=n_classes, n_units=n_units, n_spikes=n_spikes, samples_per_class=samples_per_class
    )
    smoothness, duration, active = checked_times(smoothness, duration, active)
    rng, shape = generator(seed), (2 * n_spikes, 1, _number_of_terms(smoothness))
    values = np.concatenate(
        [_class_times(r, samples_per_class, shape, smoothness, 1.0) for r in rng.spawn(n_classes)]
    )
    times = _below(values[:, :n_spikes] * active, active)
    units = np.minimum((values[:, n_spikes:] * n_units).astype(np.int64), n_units - 1)
    labels = np.repeat(np.arange(n_classes), samples_per_class)
    return _trials(times, units, labels, n_units, duration, rng.permutation(labels.size))


def halo(
    n_classes=2,
    n_units=20,
    dimension=1,
    smoothness=2.0,
    displacement=0.1,
    noise=1e-2,
    samples_per_class=1000,
    duration=0.2,
    active=0.1,
    seed=0,
):
    """One manifold, and others around it; SpikeTrains of n_classes · samples_per_class trials with labels, in shuffled order.

    Every unit fires once. The latencies of a trial of class k are a point of R^n_units,

        v(x) + k displacement e + noise z,    x uniform in [0, 1]^dimension, e uniform on the unit sphere, z standard normal,

    where v is a random manifold (`randman`) scaled to [0, 1] in every unit. So class 0 lies on the manifold and class k at the distance
    k displacement from it, in every direction; classes have the same points x. With m = (n_classes - 1) displacement + 4 noise,
    a latency p is at t = active (p + m) / (1 + 2 m); what lies outside of 0 <= t < active is moved to its bound.

    ValueError for a displacement or noise that is negative or not finite, and as `randman`.
    """
    n_classes, n_units, dimension, samples_per_class = check_counts(
        n_classes=n_classes,
        n_units=n_units,
        dimension=dimension,
        samples_per_class=samples_per_class,
    )
    smoothness, duration, active = checked_times(smoothness, duration, active)
    displacement, noise = (
        real(value, name, 0, _FARTHEST, why="in units of the range of the manifold")
        for name, value in (("displacement", displacement), ("noise", noise))
    )
    rng, shape = generator(seed), (n_units, dimension, _number_of_terms(smoothness))
    on_manifold = _class_times(rng, samples_per_class, shape, smoothness, 1.0)
    points = []
    for k in range(n_classes):
        direction = rng.standard_normal(on_manifold.shape)
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        points.append(
            on_manifold
            + k * displacement * direction
            + noise * rng.standard_normal(on_manifold.shape)
        )
    margin = (n_classes - 1) * displacement + 4 * noise
    times = _below(active * ((np.concatenate(points) + margin) / (1 + 2 * margin)), active)
    labels = np.repeat(np.arange(n_classes), samples_per_class)
    return _trials(
        times,
        np.broadcast_to(np.arange(n_units), times.shape),
        labels,
        n_units,
        duration,
        rng.permutation(labels.size),
    )


def tempotron(n_patterns=100, n_units=100, n_classes=2, duration=0.5, seed=0):
    """Patterns of random latencies with random labels, to be learned by heart; SpikeTrains of n_patterns trials.

    Every unit fires once in every trial, at a time uniform in 0 <= t < duration (s), independent of everything. Trial b has the label
    b mod n_classes.

    Source: Gütig & Sompolinsky (2006), The tempotron: a neuron that learns spike timing-based decisions, Nature Neuroscience 9,
    420-428, doi:10.1038/nn1643.
    """
    n_patterns, n_units, n_classes = check_counts(
        n_patterns=n_patterns, n_units=n_units, n_classes=n_classes
    )
    _, duration, _ = checked_times(1.0, duration, duration)
    times = _below(generator(seed).random((n_patterns, n_units)) * duration, duration)
    trials = np.arange(n_patterns)
    return _trials(
        times,
        np.broadcast_to(np.arange(n_units), times.shape),
        trials % n_classes,
        n_units,
        duration,
        trials,
    )


def _below(times, end):
    """Times (s) in 0 <= t < end."""
    return np.clip(times, 0, np.nextafter(end, 0))


def _trials(times, units, labels, n_units, duration, order):
    """SpikeTrains of the trials in that order; times and units (trial, spike) in any order within the trial."""
    by_time = np.argsort(times, axis=1, kind="stable")
    times, units = (np.take_along_axis(each, by_time, axis=1)[order] for each in (times, units))
    return SpikeTrains(
        times.ravel(),
        units.ravel(),
        np.arange(len(times) + 1) * times.shape[1],
        n_units,
        duration,
        labels[order],
    )

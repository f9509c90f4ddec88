"""Relatives of Randman: spaghetti, halo, and the random latencies of the tempotron.

As in the programs of Zenke & Vogels (2021), Neural Computation 33, 899-925,
doi:10.1162/neco_a_01367, and of their group after it, in continuous time and with exact bounds.
"""

from __future__ import annotations

import numpy as np

from ..support.checks import real
from ..support.seeds import generator
from .randman import check_counts, checked_times, class_times, number_of_terms
from .spike_trains import SpikeTrains

_FARTHEST = 1e6  # ranges of the manifold: farther, all latencies are at the bounds or equal


def spaghetti(
    *,
    n_classes: int = 10,
    n_units: int = 100,
    n_spikes: int = 20,
    smoothness: float = 2.0,
    samples_per_class: int = 1000,
    duration: float = 0.2,
    active: float = 0.2,
    seed: int | np.random.Generator = 0,
) -> SpikeTrains:
    """Return trials on curves through time and units, with labels, in shuffled order.

    Both timing and which units fire tell classes apart.

    Parameters
    ----------
    n_classes, n_units, n_spikes
        Numbers of classes, of units, and of spikes in a trial.
    smoothness, samples_per_class, duration, active, seed
        As for `randman`.

    Returns
    -------
    Spike trains of n_classes · samples_per_class trials.

    Raises
    ------
    ValueError
        If a number is not possible.

    Notes
    -----
    A class has n_spikes smooth random curves (t_s(x), u_s(x)). A trial is a point x, uniform in
    [0, 1], and has one spike on each of them: at t_s(x) seconds in unit floor(n_units u_s(x)). Both
    are coordinates of a random manifold (`randman`), scaled over the samples of the class to
    0 <= t < active and 0 <= u < 1.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.data.spaghetti(
    ...     n_classes=3, n_spikes=5, samples_per_class=10, seed=1
    ... )
    >>> len(spikes), spikes.times.size
    (30, 150)
    """
    n_classes, n_units, n_spikes, samples_per_class = check_counts(
        n_classes=n_classes, n_units=n_units, n_spikes=n_spikes, samples_per_class=samples_per_class
    )
    smoothness, duration, active = checked_times(smoothness, duration, active)
    rng, shape = generator(seed), (2 * n_spikes, 1, number_of_terms(smoothness))
    values = np.concatenate(
        [class_times(r, samples_per_class, shape, smoothness, 1.0) for r in rng.spawn(n_classes)]
    )
    times = _below(values[:, :n_spikes] * active, active)
    units = np.minimum((values[:, n_spikes:] * n_units).astype(np.int64), n_units - 1)
    labels = np.repeat(np.arange(n_classes), samples_per_class)
    return _trials(times, units, labels, n_units, duration, rng.permutation(labels.size))


def halo(
    *,
    n_classes: int = 2,
    n_units: int = 20,
    dimension: int = 1,
    smoothness: float = 2.0,
    displacement: float = 0.1,
    noise: float = 1e-2,
    samples_per_class: int = 1000,
    duration: float = 0.2,
    active: float = 0.1,
    seed: int | np.random.Generator = 0,
) -> SpikeTrains:
    """Return trials on one manifold and on shells around it, with labels, in shuffled order.

    Every unit fires once.

    Parameters
    ----------
    n_classes, n_units, dimension
        Numbers of classes and of units, and dimension of the manifold.
    displacement
        Distance between the shells, in units of the range of the manifold.
    noise
        Standard deviation of the noise of a latency, in the same unit.
    smoothness, samples_per_class, duration, active, seed
        As for `randman`.

    Returns
    -------
    Spike trains of n_classes · samples_per_class trials.

    Raises
    ------
    ValueError
        If a number is not possible.

    Notes
    -----
    The latencies of a trial of class k are a point of R^n_units,

        v(x) + k displacement e + noise z,

    with x uniform in [0, 1]^dimension, e uniform on the unit sphere and z standard normal, where v
    is a random manifold (`randman`) scaled to [0, 1] in every unit. So class 0 lies on the manifold
    and class k at the distance k displacement from it, in every direction; classes have the same
    points x. With m = (n_classes - 1) displacement + 4 noise, a latency p is at
    t = active (p + m) / (1 + 2 m); what lies outside of 0 <= t < active is moved to its bound.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.data.halo(n_units=5, samples_per_class=10, seed=1)
    >>> len(spikes), spikes.times.size
    (20, 100)
    """
    n_classes, n_units, dimension, samples_per_class = check_counts(
        n_classes=n_classes,
        n_units=n_units,
        dimension=dimension,
        samples_per_class=samples_per_class,
    )
    smoothness, duration, active = checked_times(smoothness, duration, active)
    why = "in units of the range of the manifold"
    displacement = real(displacement, "displacement", 0, _FARTHEST, why=why)
    noise = real(noise, "noise", 0, _FARTHEST, why=why)
    rng, shape = generator(seed), (n_units, dimension, number_of_terms(smoothness))
    on_manifold = class_times(rng, samples_per_class, shape, smoothness, 1.0)
    points = []
    for k in range(n_classes):
        direction = rng.standard_normal(on_manifold.shape)
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        scatter = noise * rng.standard_normal(on_manifold.shape)
        points.append(on_manifold + k * displacement * direction + scatter)
    margin = (n_classes - 1) * displacement + 4 * noise
    times = _below(active * ((np.concatenate(points) + margin) / (1 + 2 * margin)), active)
    labels = np.repeat(np.arange(n_classes), samples_per_class)
    units = np.broadcast_to(np.arange(n_units), times.shape)
    return _trials(times, units, labels, n_units, duration, rng.permutation(labels.size))


def tempotron(
    *,
    n_patterns: int = 100,
    n_units: int = 100,
    n_classes: int = 2,
    duration: float = 0.5,
    seed: int | np.random.Generator = 0,
) -> SpikeTrains:
    """Return patterns of random latencies with random labels, to be learned by heart.

    Parameters
    ----------
    n_patterns, n_units, n_classes
        Numbers of trials, of units and of classes.
    duration
        Duration of a trial in seconds.
    seed
        Seed or numpy Generator.

    Returns
    -------
    Spike trains of n_patterns trials. Every unit fires once in every trial, at a time uniform in
    0 <= t < duration, independent of everything. Trial b has the label b mod n_classes.

    Raises
    ------
    ValueError
        If a number is not possible.

    References
    ----------
    Gütig & Sompolinsky (2006), The tempotron: a neuron that learns spike timing-based decisions,
    Nature Neuroscience 9, 420-428, doi:10.1038/nn1643.

    Examples
    --------
    >>> import biosnn as bs
    >>> bs.data.tempotron(n_patterns=4, n_units=10, seed=1).labels
    array([0, 1, 0, 1])
    """
    n_patterns, n_units, n_classes = check_counts(
        n_patterns=n_patterns, n_units=n_units, n_classes=n_classes
    )
    _, duration, _ = checked_times(1.0, duration, duration)
    times = _below(generator(seed).random((n_patterns, n_units)) * duration, duration)
    trials = np.arange(n_patterns)
    units = np.broadcast_to(np.arange(n_units), times.shape)
    return _trials(times, units, trials % n_classes, n_units, duration, trials)


def _below(times, end):
    """Times (s) in 0 <= t < end."""
    return np.clip(times, 0, np.nextafter(end, 0))


def _trials(times, units, labels, n_units, duration, order):
    """SpikeTrains of the trials in that order; times and units (trial, spike) are not sorted."""
    by_time = np.argsort(times, axis=1, kind="stable")
    times, units = (np.take_along_axis(each, by_time, axis=1)[order] for each in (times, units))
    return SpikeTrains(
        times=times.ravel(),
        units=units.ravel(),
        offsets=np.arange(len(times) + 1) * times.shape[1],
        n_units=n_units,
        duration=duration,
        labels=labels[order],
    )

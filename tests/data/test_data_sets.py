"""Randman against loops over its formula, parts of a data set, Poisson statistics."""

import math

import numpy as np
import pytest
from scipy import stats

from biosnn.data import poisson, randman, split
from biosnn.data.randman import manifold_values

# Randman


def naive_manifold(x, a, b, c, alpha):
    """v(x) of one unit at one point, term by term."""
    product = 1.0
    for d in range(len(x)):
        total = 0.0
        for k in range(1, len(a[d])):  # a_0 = 0
            total += (
                a[d][k] * (k + 1) ** -alpha * math.sin(2 * math.pi * (k * x[d] * b[d][k] + c[d][k]))
            )
        product *= total
    return product


def events_by_trial(spikes):
    """(trial, unit) times, for one spike per unit and trial."""
    return spikes.times[np.lexsort((spikes.units, spikes.trials))].reshape(
        len(spikes), spikes.n_units
    )


@pytest.mark.parametrize("dimension, alpha, terms", [(1, 3.0, 10), (2, 2.0, 32), (1, 0.9, 1000)])
def test_manifold_formula(dimension, alpha, terms):
    rng = np.random.default_rng(3)
    a, b, c = rng.random((3, 2, dimension, terms))
    a[..., 0] = 0
    x = rng.random((70, dimension))
    got = manifold_values(x, a, b, c, alpha)
    ref = [[naive_manifold(point, a[i], b[i], c[i], alpha) for i in range(2)] for point in x]
    np.testing.assert_allclose(got, ref, atol=1e-6)


def test_randman_is_the_standardized_formula_on_manifolds_from_the_seed():
    n_classes, n_units, samples, alpha, active, seed = 2, 3, 40, 3.0, 0.05, 11
    got = randman(
        n_classes=n_classes,
        n_units=n_units,
        n_spikes=1,
        dimension=2,
        smoothness=alpha,
        samples_per_class=samples,
        duration=0.2,
        active=active,
        seed=seed,
    )
    rng = np.random.default_rng(seed)
    ref = []
    for r in rng.spawn(n_classes):
        a, b, c = r.random((3, n_units, 2, 10))  # K = 10^(3 / alpha) = 10
        x = r.random((samples, 2))
        v = np.array(
            [
                [naive_manifold(point, a[i], b[i], c[i], alpha) for i in range(n_units)]
                for point in x
            ]
        )
        ref.append(active * (v - v.min(axis=0)) / (v.max(axis=0) - v.min(axis=0)))
    order = rng.permutation(n_classes * samples)
    np.testing.assert_allclose(events_by_trial(got), np.concatenate(ref)[order], atol=1e-6 * active)
    np.testing.assert_array_equal(got.labels, order // samples)


def test_randman_fills_the_active_time_and_fires_a_fixed_number_of_spikes():
    spikes = randman(
        n_classes=3,
        n_units=5,
        n_spikes=2,
        smoothness=2.0,
        samples_per_class=50,
        duration=0.3,
        active=0.12,
        seed=2,
    )
    assert len(spikes) == 150 and spikes.duration == 0.3 and spikes.n_units == 5
    np.testing.assert_array_equal(
        np.bincount(spikes.trials * 5 + spikes.units), np.full(150 * 5, 2)
    )
    np.testing.assert_array_equal(np.bincount(spikes.labels), [50, 50, 50])
    last = np.nextafter(0.12, 0)
    for label in range(3):
        trains = spikes[spikes.labels == label]
        for unit in range(5):
            t = trains.times[trains.units == unit]
            # two manifolds per unit: each has its earliest sample at 0 and its latest just below
            # 0.12 s
            assert np.sum(t == 0) == 2 and np.sum(t == last) == 2 and t.max() == last


def test_randman_defaults_are_the_reference_task():
    spikes = randman()
    assert (
        len(spikes) == 10_000
        and spikes.n_units == 20
        and spikes.times.size == 200_000
        and spikes.duration == 0.2
    )
    np.testing.assert_array_equal(np.bincount(spikes.labels), np.full(10, 1000))
    assert spikes.times.min() == 0 and spikes.times.max() == np.nextafter(0.1, 0)
    assert 0.04 < spikes.times.mean() < 0.06


@pytest.mark.statistical
def test_randman_seed():
    task = dict(n_classes=3, n_units=4, smoothness=2.0, samples_per_class=30)
    one, same, other = (randman(**task, seed=seed) for seed in (5, np.random.default_rng(5), 6))
    np.testing.assert_array_equal(one.times, same.times)
    np.testing.assert_array_equal(one.units, same.units)
    np.testing.assert_array_equal(one.labels, same.labels)
    assert not np.array_equal(one.labels, other.labels)
    assert stats.ks_2samp(one.times, other.times).pvalue < 0.05
    assert np.any(np.diff(one.labels) < 0)  # shuffled
    # another class more leaves the manifolds of the others as they are
    more = randman(**{**task, "n_classes": 4}, seed=5)
    for label in range(3):
        first, second = (
            np.sort(events_by_trial(s)[s.labels == label], axis=0) for s in (one, more)
        )
        np.testing.assert_array_equal(first, second)


def test_randman_classes_differ_in_timing_only():
    spikes = randman(n_classes=2, n_units=10, smoothness=2.0, samples_per_class=100, seed=4)
    times = events_by_trial(spikes)
    # every unit fires once in every trial, so counts are equal; nearest neighbours in time tell the
    # classes apart
    distance = np.linalg.norm(times[:, None] - times[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    assert np.mean(spikes.labels[distance.argmin(axis=1)] == spikes.labels) > 0.98
    means = [times[spikes.labels == label].mean(axis=0) for label in (0, 1)]
    assert np.abs(means[0] - means[1]).max() > 5e-3


@pytest.mark.statistical
def test_randman_neighbours_on_a_smooth_manifold_are_closer():
    def roughness(
        alpha,
    ):  # mean distance to the nearest sample: a smooth curve passes through its neighbours
        times = events_by_trial(
            randman(n_classes=1, n_units=10, smoothness=alpha, samples_per_class=100, seed=1)
        )
        distance = np.linalg.norm(times[:, None] - times[None], axis=2)
        np.fill_diagonal(distance, np.inf)
        return distance.min(axis=1).mean()

    assert roughness(3.0) < 0.5 * roughness(1.0)


@pytest.mark.parametrize(
    "wrong, words",
    [
        (dict(n_classes=0), "n_classes is 0.*whole number from 1"),
        (dict(n_units=2.5), "n_units is 2.5.*whole number"),
        (dict(n_spikes=-1), "n_spikes is -1"),
        (dict(dimension=True), "dimension is True"),
        (dict(samples_per_class=1), "samples_per_class is 1.*whole number from 2"),
        (dict(smoothness=0), "smoothness is 0.*> 0"),
        (dict(smoothness=math.nan), "smoothness is nan"),
        (dict(active=0.3), "active is 0.3; .* > 0 and <= 0.2"),
        (dict(active=0), "active is 0; .* > 0 and <= 0.2"),
        (dict(duration=math.inf), "duration is inf"),
    ],
)
def test_randman_errors(wrong, words):
    with pytest.raises(ValueError, match=words):
        randman(**wrong)


def test_randman_takes_extreme_smoothness():
    for alpha in (1e-3, 100.0):
        assert (
            randman(
                n_classes=1, n_units=1, smoothness=alpha, samples_per_class=5, seed=1
            ).times.size
            == 5
        )


# Split


def test_split_is_a_partition_of_exact_sizes():
    spikes = poisson(
        20, 3, 0.5, n_trials=25, seed=1, labels=np.arange(25)
    )  # labels name the trials
    parts = split(spikes, (0.1, 0.2, 0.7), seed=3)
    assert [len(part) for part in parts] == [3, 5, 17]  # ends at 2.5 -> 3, 7.5 -> 8, 25
    np.testing.assert_array_equal(
        np.sort(np.concatenate([part.labels for part in parts])), np.arange(25)
    )
    for part in parts:
        for trial, name in enumerate(part.labels):
            np.testing.assert_array_equal(part[trial].times, spikes[int(name)].times)
            np.testing.assert_array_equal(part[trial].units, spikes[int(name)].units)


def test_split_seed_and_rest():
    spikes = poisson(5, 2, 0.5, n_trials=40, seed=1, labels=np.arange(40))
    one, same, other = (split(spikes, (0.5,), seed=seed)[0].labels for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert one.size == 20 and np.unique(one).size == 20 and set(one) != set(other)
    assert [len(part) for part in split(spikes)] == [32, 4, 4]


@pytest.mark.parametrize("fractions", [(0.8, 0.3), (0.5, 0), (0.5, -0.1), (0.5, math.nan), (), 0.5])
def test_split_rejects_fractions(fractions):
    with pytest.raises(
        ValueError,
        match="fractions are .*positive numbers with a sum of at most 1|"
        "fractions has the value nan",
    ):
        split(poisson(5, 2, 0.5, n_trials=4, seed=1), fractions)


def test_split_rejects_a_part_without_trials():
    with pytest.raises(ValueError, match="0.1 of 4 trials rounds to no trial"):
        split(poisson(5, 2, 0.5, n_trials=4, seed=1), (0.8, 0.1, 0.1))


# Poisson


@pytest.mark.statistical
def test_poisson_counts():
    rate, duration, n_units, n_trials = 20.0, 0.5, 40, 200
    spikes = poisson(rate, n_units, duration, n_trials, seed=1)
    counts = np.bincount(spikes.trials * n_units + spikes.units, minlength=n_units * n_trials)
    mean, n = rate * duration, counts.size
    assert abs(counts.mean() - mean) < 4 * np.sqrt(mean / n)
    assert abs(counts.var() / mean - 1) < 4 * np.sqrt(2 / n)  # variance = mean
    assert stats.kstest(spikes.times, stats.uniform(0, duration).cdf).pvalue > 0.01
    assert spikes.times.max() < duration


@pytest.mark.statistical
def test_poisson_intervals_are_exponential():
    spikes = poisson(30.0, 1, 200.0, seed=2)
    assert stats.kstest(np.diff(spikes.times), stats.expon(scale=1 / 30.0).cdf).pvalue > 0.01
    correlation = np.corrcoef(np.diff(spikes.times)[:-1], np.diff(spikes.times)[1:])[0, 1]
    assert abs(correlation) < 4 / np.sqrt(spikes.times.size)


@pytest.mark.statistical
def test_poisson_rates_per_unit():
    rates = np.array([0.0, 1.0, 10.0, 100.0])
    counts = np.bincount(poisson(rates, 4, 1.0, n_trials=500, seed=3).units, minlength=4)
    assert counts[0] == 0
    assert np.all(np.abs(counts - 500 * rates) <= 4 * np.sqrt(500 * rates))


def test_poisson_seed_and_labels():
    one, same, other = (
        poisson(10, 3, 1.0, 4, seed=seed, labels=[2, 0, 1, 0])
        for seed in (1, np.random.default_rng(1), 2)
    )
    np.testing.assert_array_equal(one.times, same.times)
    np.testing.assert_array_equal(one.units, same.units)
    assert not np.array_equal(one.times, other.times)
    np.testing.assert_array_equal(one.labels, [2, 0, 1, 0])
    silent = poisson(0, 3, 1.0, 4, seed=1)
    assert len(silent) == 4 and silent.times.size == 0


@pytest.mark.parametrize(
    "wrong, words",
    [
        (dict(rates=-1.0), "rates, in Hz, has the value -1;.*>= 0"),
        (dict(rates=[1, math.nan, -2]), "rates, in Hz, has the value nan at 1"),
        (dict(rates=math.inf), "rates, in Hz, has the value inf.*finite"),
        (dict(rates=[1, 2]), r"shape \(2,\).*n_units = 3.*\(3,\)"),
        (dict(duration=0), "duration is 0.*> 0"),
        (dict(duration=math.nan), "duration is nan"),
        (dict(n_units=0), "n_units is 0"),
        (dict(n_trials=1.0), "n_trials is 1.0.*whole number"),
        (dict(labels=[0, 1]), r"labels have shape \(2,\); there are 1 trials"),
    ],
)
def test_poisson_errors(wrong, words):
    with pytest.raises(ValueError, match=words):
        poisson(**{**dict(rates=1.0, n_units=3, duration=1.0, seed=1), **wrong})


# Files in the layout of SHD


# Downloads

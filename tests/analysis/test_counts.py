"""Fano factor, synchrony, correlations and correlograms, against loops and dense counts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biosnn.analysis import correlogram, counts, stats
from biosnn.data.spike_trains import SpikeTrains

from .point_processes import DURATION, any_trains, clock, poisson


def naive_counts(spikes, windows):
    """Counts (trial and window, unit) with whole windows of 10 ms grid points, decided in whole
    numbers.
    """
    per_window = 100 // windows
    counts = np.zeros((len(spikes) * windows, spikes.n_units))
    for t, unit, trial in zip(spikes.times, spikes.units, spikes.trials):
        window = round(float(t) * 100) // per_window
        if window < windows:
            counts[trial * windows + window, unit] += 1
    return counts


@given(any_trains(), st.sampled_from([2, 3, 4, 10]))
@settings(max_examples=50, deadline=None)
def test_fano_synchrony_and_correlations_are_those_of_dense_counts(spikes, windows):
    counts, width = naive_counts(spikes, windows), (100 // windows) * 0.01
    with np.errstate(all="ignore"):
        fano = counts.var(axis=0, ddof=1) / counts.mean(axis=0)
        chi = np.sqrt(counts.mean(axis=1).var() / counts.var(axis=0).mean())
        full = np.corrcoef(counts.T).reshape(spikes.n_units, spikes.n_units)
    np.testing.assert_allclose(stats.fano_factor(spikes, width), fano, atol=1e-12)
    np.testing.assert_allclose(stats.synchrony(spikes, width), chi, atol=1e-12)
    varying = np.flatnonzero(counts.var(axis=0) > 0)
    expected = np.sort([full[i, j] for i in varying for j in varying if i < j])
    np.testing.assert_allclose(np.sort(stats.correlations(spikes, width)), expected, atol=1e-9)


def test_fano_factor_of_a_clock_is_zero_of_poisson_one_and_of_silence_nan():
    np.testing.assert_allclose(stats.fano_factor(clock(0.05, 3, 2), 0.1), 0)
    fano = stats.fano_factor(poisson(50.0, 40, 50), 0.1)
    assert fano.mean() == pytest.approx(
        1, abs=0.04
    )  # standard error sqrt(2 / 500) / sqrt(40) = 0.01
    assert np.isnan(stats.fano_factor(SpikeTrains([], np.empty(0, int), [0, 0], 2, 1.0), 0.1)).all()


@pytest.mark.statistical
def test_fano_factor_sees_rates_that_differ_between_trials():
    slow, fast = poisson(10.0, 5, 20, seed=1), poisson(90.0, 5, 20, seed=2)
    both = SpikeTrains(
        np.concatenate([slow.times, fast.times]),
        np.concatenate([slow.units, fast.units]),
        np.concatenate([slow.offsets, slow.offsets[-1] + fast.offsets[1:]]),
        5,
        DURATION,
    )
    expected = 1 + 40.0**2 / 50  # law of total variance: (50 + 40^2) / 50 in windows of 1 s
    assert stats.fano_factor(both, 1.0).mean() == pytest.approx(expected, rel=0.1)


def test_synchrony_is_one_for_identical_and_1_over_root_n_for_independent_units():
    one = poisson(20.0, 1, 30)
    same = SpikeTrains(
        np.repeat(one.times, 5), np.tile(np.arange(5), one.times.size), one.offsets * 5, 5, DURATION
    )
    assert stats.synchrony(same, 0.05) == pytest.approx(1)
    np.testing.assert_allclose(stats.correlations(same, 0.05), 1)
    for n in (16, 100):
        assert stats.synchrony(poisson(20.0, n, 100), 0.05) == pytest.approx(
            1 / np.sqrt(n), rel=0.08
        )
    assert np.isnan(stats.synchrony(clock(0.1, 3, 2), 0.1))


def test_correlations_of_independent_units_scatter_around_zero_with_the_right_width():
    r = stats.correlations(poisson(30.0, 60, 50), 0.05, pairs=1000)
    assert r.shape == (1000,)
    assert abs(r.mean()) < 0.005  # 1000 windows: standard deviation 1 / sqrt(1000)
    assert r.std() == pytest.approx(1 / np.sqrt(1000), rel=0.15)


@pytest.mark.statistical
def test_correlation_of_a_shared_source_is_the_share():
    """Units that take half of their spikes from one common Poisson source have r = 1/2."""
    common, own = (
        poisson(20.0, 1, 200, seed=3),
        [poisson(20.0, 1, 200, seed=4 + k) for k in range(3)],
    )
    times = np.concatenate([t for k in range(3) for t in (common.times, own[k].times)])
    units = np.concatenate([np.full(common.times.size + own[k].times.size, k) for k in range(3)])
    trials = np.concatenate([t for k in range(3) for t in (common.trials, own[k].trials)])
    r = stats.correlations(
        SpikeTrains.from_events(times, units, trials, n_trials=200, n_units=3, duration=DURATION),
        0.1,
    )
    assert r.size == 3
    np.testing.assert_allclose(r, 0.5, atol=0.06)


def test_correlations_are_reproducible_and_leave_silent_units_out():
    spikes = poisson(30.0, 20, 10)
    wider = SpikeTrains(spikes.times, spikes.units, spikes.offsets, 500, DURATION)
    np.testing.assert_array_equal(
        stats.correlations(spikes, 0.1, pairs=50, seed=3),
        stats.correlations(wider, 0.1, pairs=50, seed=3),
    )
    assert not np.array_equal(
        stats.correlations(spikes, 0.1, pairs=50, seed=3),
        stats.correlations(spikes, 0.1, pairs=50, seed=4),
    )
    assert stats.correlations(SpikeTrains([], np.empty(0, int), [0, 0], 2, 1.0), 0.1).size == 0


@settings(deadline=None)
@given(any_trains(), st.data())
def test_correlogram_is_that_of_a_loop_over_pairs(spikes, data):
    unit = st.integers(0, spikes.n_units - 1)
    pairs = np.array(data.draw(st.lists(st.tuples(unit, unit), max_size=6)), int).reshape(-1, 2)
    expected, n = np.zeros(6), 0
    for i, j in pairs:
        for b in range(len(spikes)):
            steps = [(round(float(t) * 100), u) for t, u in zip(spikes[b].times, spikes[b].units)]
            for s in (t for t, u in steps if u == i and 6 <= t <= 94):
                n += 1
                for lag in (t - s for t, u in steps if u == j and -6 <= t - s < 6):
                    expected[(lag + 6) // 2] += 1
    lags, rates = stats.cross_correlogram(
        spikes, spikes, (pairs[:, 0], pairs[:, 1]), reach=0.06, bin_width=0.02
    )
    np.testing.assert_allclose(lags, [-0.05, -0.03, -0.01, 0.01, 0.03, 0.05])
    np.testing.assert_allclose(rates, expected / (n * 0.02) if n else np.nan)


@pytest.mark.statistical
def test_correlogram_of_independent_trains_is_flat_and_of_a_shifted_one_has_its_peak(monkeypatch):
    a, b = poisson(20, 30, 5, duration=10.0, seed=1), poisson(40, 30, 5, duration=10.0, seed=2)
    every = np.repeat(np.arange(30), 30), np.tile(np.arange(30), 30)
    whole = stats.cross_correlogram(a, b, every, reach=0.05, bin_width=0.01)[1]
    np.testing.assert_allclose(whole, 40, rtol=0.02)
    monkeypatch.setattr(correlogram, "_CHUNK", 1000)
    np.testing.assert_array_equal(
        stats.cross_correlogram(a, b, every, reach=0.05, bin_width=0.01)[1], whole
    )
    kept = a.times < 10 - 0.025  # every spike of unit i again in unit i + 1, 25 ms later
    copy = SpikeTrains.from_events(
        a.times[kept] + 0.025,
        (a.units[kept] + 1) % 30,
        a.trials[kept],
        n_trials=5,
        n_units=30,
        duration=10.0,
    )
    lags, rates = stats.cross_correlogram(
        a, copy, (np.arange(30), (np.arange(30) + 1) % 30), reach=0.05, bin_width=0.01
    )
    assert rates[7] == pytest.approx(20 + 1 / 0.01, rel=0.05) and lags[7] == pytest.approx(0.025)
    np.testing.assert_allclose(np.delete(rates, 7), 20, rtol=0.1)


@given(st.integers(2, 60), st.integers(1, 40))
@settings(max_examples=50, deadline=None)
def test_random_pairs_are_different_pairs_of_different_units(n, pairs):
    i, j = counts.random_pairs(n, pairs, np.random.default_rng(0))
    assert np.all((i >= 0) & (i < j) & (j < n))
    assert len(set(zip(i.tolist(), j.tolist()))) == min(pairs, n * (n - 1) // 2)


def test_spikes_on_the_edge_of_a_window_belong_to_the_later_one():
    """Times such as 3 · 0.1 that rounding puts just below an edge, in both precisions."""
    for dtype in (np.float32, np.float64):
        spikes = SpikeTrains(
            (np.arange(350) * 2e-3).astype(dtype), np.zeros(350, int), [0, 350], 1, 0.7
        )
        np.testing.assert_allclose(stats.fano_factor(spikes, 0.1), 0)
        np.testing.assert_allclose(stats.rate_over_time(spikes, 0.1)[1], 500)


@given(any_trains(), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_permuting_trials_changes_nothing_and_renumbering_units_permutes(spikes, random):
    order = list(range(len(spikes)))
    random.shuffle(order)
    renumber = list(range(spikes.n_units))
    random.shuffle(renumber)
    other = spikes[order]
    other = SpikeTrains(
        other.times, np.array(renumber, int)[other.units], other.offsets, spikes.n_units, DURATION
    )
    for f in (stats.firing_rates, stats.isi_cv, lambda s: stats.fano_factor(s, 0.1)):
        np.testing.assert_allclose(f(other)[renumber], f(spikes), atol=1e-12)
    np.testing.assert_allclose(stats.synchrony(other, 0.1), stats.synchrony(spikes, 0.1))

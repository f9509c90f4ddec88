"""Statistics of spike trains, against loops over spikes and against point processes whose
statistics are known.
"""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biosnn.analysis import correlogram, counts, stats
from biosnn.data.spike_trains import SpikeTrains

DURATION = 1.0


def poisson(rate, n_units, n_trials, duration=DURATION, seed=0):
    rng = np.random.default_rng(seed)
    n = rng.poisson(rate * duration * n_units * n_trials)
    return SpikeTrains.from_events(
        rng.uniform(0, duration, n),
        rng.integers(n_units, size=n),
        rng.integers(n_trials, size=n),
        n_trials=n_trials,
        n_units=n_units,
        duration=duration,
    )


def clock(interval, n_units, n_trials, duration=DURATION):
    times = np.arange(interval / 2, duration, interval)
    trials, units, times = (
        a.ravel()
        for a in np.meshgrid(np.arange(n_trials), np.arange(n_units), times, indexing="ij")
    )
    return SpikeTrains.from_events(
        times, units, trials, n_trials=n_trials, n_units=n_units, duration=duration
    )


@st.composite
def any_trains(draw):
    """Few units with times on a grid of 10 ms, so that ties and spikes on the edges of windows
    happen.
    """
    n_trials, n_units = draw(st.integers(2, 4)), draw(st.integers(1, 5))
    event = st.tuples(st.integers(0, 99), st.integers(0, n_units - 1), st.integers(0, n_trials - 1))
    events = draw(st.lists(event, max_size=80))
    times, units, trials = np.array(events, int).reshape(-1, 3).T
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    return SpikeTrains.from_events(
        (times * 0.01).astype(dtype),
        units,
        trials,
        n_trials=n_trials,
        n_units=n_units,
        duration=DURATION,
    )


def naive_intervals(spikes):
    """(interval, unit) one spike after the other."""
    result = []
    for b in range(len(spikes)):
        trial = spikes[b]
        for unit in range(spikes.n_units):
            times = [float(t) for t, u in zip(trial.times, trial.units) if u == unit]
            result += [(later - earlier, unit) for earlier, later in pairwise(times)]
    return result


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


# -------------------------------------------------------------------------------------------- rates


def test_rates_count_spikes_per_second_and_trial():
    spikes = SpikeTrains([0.1, 0.2, 0.3, 0.1], [0, 0, 2, 0], [0, 3, 4], 3, 0.5)
    np.testing.assert_allclose(stats.firing_rates(spikes), [3.0, 0.0, 1.0])


def test_rate_over_time_has_a_shorter_last_bin():
    spikes = SpikeTrains([0.1, 0.35, 0.95, 0.97], [0, 1, 0, 1], [0, 4], 2, 1.0)
    centres, rates = stats.rate_over_time(spikes, 0.3)
    np.testing.assert_allclose(centres, [0.15, 0.45, 0.75, 0.95])
    np.testing.assert_allclose(rates, [1 / 0.6, 1 / 0.6, 0, 2 / 0.2])


@given(any_trains(), st.sampled_from([0.05, 0.1, 0.3, 1.0]))
@settings(max_examples=50, deadline=None)
def test_rate_over_time_integrates_to_the_mean_rate(spikes, width):
    centres, rates = stats.rate_over_time(spikes, width)
    widths = np.diff(np.append(np.arange(centres.size) * width, DURATION))
    assert np.sum(widths * rates) == pytest.approx(stats.firing_rates(spikes).mean() * DURATION)


# ------------------------------------------------------------------------------------- irregularity


@given(any_trains())
@settings(max_examples=50, deadline=None)
def test_intervals_are_those_of_a_loop_over_spikes(spikes):
    intervals, units = stats.interspike_intervals(spikes)
    reference = naive_intervals(spikes)
    assert units.tolist() == [unit for _, unit in reference]
    np.testing.assert_array_equal(intervals, [interval for interval, _ in reference])


def test_intervals_never_cross_trials():
    spikes = SpikeTrains([0.1, 0.9, 0.2, 0.5], [0, 0, 0, 0], [0, 2, 4], 1, 1.0)
    np.testing.assert_allclose(stats.interspike_intervals(spikes)[0], [0.8, 0.3])


@given(any_trains(), st.integers(2, 5))
@settings(max_examples=50, deadline=None)
def test_cv_is_that_of_a_loop_over_units(spikes, minimum):
    reference = np.full(spikes.n_units, np.nan)
    for unit in range(spikes.n_units):
        intervals = [interval for interval, u in naive_intervals(spikes) if u == unit]
        if len(intervals) >= minimum and np.mean(intervals) > 0:
            reference[unit] = np.std(intervals) / np.mean(intervals)
    np.testing.assert_allclose(stats.isi_cv(spikes, minimum=minimum), reference, atol=1e-12)


def test_cv_of_a_clock_is_zero_and_of_a_poisson_process_one():
    np.testing.assert_allclose(stats.isi_cv(clock(0.05, 3, 2)), 0, atol=1e-7)
    cv = stats.isi_cv(poisson(50.0, 20, 4, duration=20.0))
    assert cv.mean() == pytest.approx(1, abs=0.02)  # standard error about 1 / sqrt(80 000)


def test_cv_is_nan_below_the_minimum():
    spikes = SpikeTrains([0.1, 0.2, 0.3, 0.5], [0, 0, 0, 1], [0, 4], 3, 1.0)
    assert np.isnan(stats.isi_cv(spikes)).all()
    np.testing.assert_allclose(stats.isi_cv(spikes, minimum=2), [0, np.nan, np.nan], atol=1e-12)


def gamma_trains(rates, cv, duration, seed=0):
    """One stationary train for each rate (Hz), with intervals of a gamma distribution."""
    rng, rates, shape = np.random.default_rng(seed), np.asarray(rates, float), cv**-2
    size = int(2 * rates.max() * duration) + 80
    times = (
        np.cumsum(rng.gamma(shape, 1 / shape, (rates.size, size)), axis=1)
        - 20
        - rng.random((rates.size, 1))
    ) / rates[:, None]
    unit, k = np.nonzero((times >= 0) & (times < duration))
    return SpikeTrains.from_events(
        times[unit, k],
        unit,
        np.zeros(unit.size, int),
        n_trials=1,
        n_units=rates.size,
        duration=duration,
    )


@pytest.mark.statistical
@pytest.mark.parametrize("duration, plain", [(1.0, 0.72), (2.0, 0.81), (10.0, 0.96)])
def test_the_pooled_cv_of_poisson_trains_is_one_after_any_time(duration, plain):
    """3.66 Hz, where the mean CV of units is the smaller the shorter the trial is; also if rates
    differ, and in many short trials.
    """
    spikes = poisson(3.66, 20_000, 1, duration)
    assert np.nanmean(stats.isi_cv(spikes)) == pytest.approx(plain, abs=0.02)
    mixed = gamma_trains(np.random.default_rng(1).uniform(1, 20, 5000), 1.0, duration)
    for trains in (spikes, mixed, poisson(8.0, 5, 4000, 0.5)):
        cv, error = stats.pooled_cv(trains)
        assert cv == pytest.approx(1.0, abs=3 * error) and error < 0.04


@pytest.mark.parametrize(
    "cv, rate, tolerance",
    [
        (0.2, 3.0, 0.03),
        (0.5, 3.0, 0.05),
        (0.5, 8.0, 0.01),
        (0.8, 8.0, 0.02),
        (1.3, 8.0, 0.05),
        (1.8, 40.0, 0.05),
    ],
)
def test_the_pooled_cv_of_gamma_processes(cv, rate, tolerance):
    found, error = stats.pooled_cv(gamma_trains(np.full(20_000, rate), cv, 1.0))
    assert found == pytest.approx(cv, abs=tolerance) and 0 < error < 0.03


@pytest.mark.statistical
def test_the_standard_error_of_the_pooled_cv_is_that_of_repetitions():
    found = np.array(
        [stats.pooled_cv(gamma_trains(np.full(200, 6.0), 0.7, 2.0, seed)) for seed in range(100)]
    )
    assert found[:, 0].std() == pytest.approx(found[:, 1].mean(), rel=0.3)
    spikes = gamma_trains(np.full(5, 6.0), 0.7, 0.5)
    assert (
        stats.pooled_cv(spikes, expected=1.0)[1] > stats.pooled_cv(spikes)[1]
        and stats.pooled_cv(spikes, expected=1.0)[0] == stats.pooled_cv(spikes)[0]
    )


def test_the_pooled_cv_of_clocks_and_of_too_few_spikes():
    assert stats.pooled_cv(clock(0.05, 3, 2)) == pytest.approx((0, 0), abs=1e-6)
    mixed = SpikeTrains.from_events(
        np.r_[0.1:0.9:0.1, 0.05:0.95:0.02],
        np.r_[np.zeros(8, int), np.ones(45, int)],
        np.zeros(53, int),
        n_trials=1,
        n_units=2,
        duration=1.0,
    )
    assert stats.pooled_cv(mixed)[0] == pytest.approx(0, abs=1e-6)
    for times in ([], [0.1], [0.1, 0.2], [0.1, 0.11, 0.9]):
        cv, error = stats.pooled_cv(
            SpikeTrains(times, np.zeros(len(times), int), [0, len(times)], 3, 1.0)
        )
        assert np.isnan(cv) and error == np.inf
    assert np.isnan(stats.pooled_cv(SpikeTrains([], [], [0], 3, 1.0))[0])
    with pytest.raises(ValueError, match="expected is -1"):
        stats.pooled_cv(clock(0.05, 3, 2), expected=-1)


# ------------------------------------------------------------------------------------------- counts


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


# ------------------------------------------------------------------------------------------ balance


def test_balance_of_inputs_with_known_moments():
    rng = np.random.default_rng(0)
    common, own = rng.normal(size=(2, 20, 500, 3))
    share = np.array([1.0, 0.6, 0.0])
    e, i = (
        10 + common,
        10 / np.array([1, 2, 4]) + share * common + np.sqrt(1 - share**2) * own * 0.4,
    )
    i = np.maximum(i, 0)
    balance = stats.ei_balance(e, i)
    np.testing.assert_allclose(balance.ratio, [1, 2, 4], rtol=0.01)
    np.testing.assert_allclose(balance.net_over_excitatory, 1 - 1 / balance.ratio)
    reference = [np.corrcoef(e[..., k].ravel(), i[..., k].ravel())[0, 1] for k in range(3)]
    np.testing.assert_allclose(balance.correlation, reference)


def test_balance_at_its_limits():
    e = np.abs(np.random.default_rng(0).normal(size=(2, 50, 1))) @ np.ones((1, 3))
    balance = stats.ei_balance(e, e * [1.0, 0.0, 2.0])
    np.testing.assert_allclose(balance.net_over_excitatory, [0, 1, -1], atol=1e-12)
    np.testing.assert_array_equal(balance.ratio[1:], [np.inf, 0.5])
    np.testing.assert_allclose(balance.correlation, [1, np.nan, 1])
    np.testing.assert_array_equal(stats.ei_balance(0 * e, e).net_over_excitatory, -np.inf)
    assert np.isnan(stats.ei_balance(0 * e, 0 * e).ratio).all()
    assert np.isnan(
        stats.ei_balance(0 * e + 0.1, e).correlation
    ).all()  # constant, though its mean rounds


# ---------------------------------------------------------------------------------------- bad input

TRAINS = SpikeTrains.from_dense(np.ones((1, 10, 2), int), 0.1)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: stats.firing_rates(TRAINS[:0]), "no trials"),
        (lambda: stats.isi_cv({"E": TRAINS}), "those of one population, run.spikes"),
        (lambda: stats.rate_over_time(TRAINS, 0.0), "width is 0.0 s.*above 0"),
        (
            lambda: stats.rate_over_time(TRAINS, 2.0),
            "width is 2.0 s.*at most the duration of a trial, 1 s",
        ),
        (
            lambda: stats.rate_over_time(TRAINS, 1e-300),
            r"width is 1e-300 s, of which 1e\+300 fit into a trial of 1 s; there can be 2147483648",
        ),
        (lambda: stats.fano_factor(TRAINS, 1e-12), "window is 1e-12 s, of which"),
        (lambda: stats.synchrony(TRAINS, 1e-300), "width is 1e-300 s, of which"),
        (
            lambda: stats.cross_correlogram(TRAINS, TRAINS, ([0], [0]), reach=0.1, bin_width=1e-20),
            "width is 1e-20 s, of which",
        ),
        (lambda: stats.pooled_cv(slice(3)), "spikes is slice"),
        (lambda: stats.pooled_cv(np.ones(3)), "spikes is an array"),
        (lambda: stats.isi_cv(TRAINS, minimum=1), "minimum is 1; .* >= 2"),
        (
            lambda: stats.fano_factor(TRAINS, np.nan),
            "window is nan; it must be a finite number in seconds",
        ),
        (lambda: stats.fano_factor(TRAINS, 1.0), "one count.*shorter window or more trials"),
        (lambda: stats.synchrony(TRAINS, -1), "width is -1.0 s"),
        (lambda: stats.correlations(TRAINS, 0.1, pairs=0), "pairs is 0; .* >= 1"),
        (
            lambda: stats.cross_correlogram(
                TRAINS, clock(0.1, 2, 1, 2.0), ([0], [0]), reach=0.1, bin_width=0.01
            ),
            "trial 0 ends at 1 s and at 2 s",
        ),
        (
            lambda: stats.cross_correlogram(TRAINS, TRAINS, ([0], [0]), reach=0.6, bin_width=0.01),
            "reach is 0.6 s",
        ),
        (
            lambda: stats.cross_correlogram(TRAINS, TRAINS, ([0], [0]), reach=0.1, bin_width=0.03),
            "width is 0.03 s; it must divide reach, 0.1 s",
        ),
        (
            lambda: stats.cross_correlogram(
                TRAINS, TRAINS, ([0, 1], [0]), reach=0.1, bin_width=0.01
            ),
            r"shapes \(2,\) and \(1,\)",
        ),
        (
            lambda: stats.cross_correlogram(TRAINS, TRAINS, ([0], [2]), reach=0.1, bin_width=0.01),
            "post in pairs run from 2 to 2.* 0 .. 1",
        ),
        (
            lambda: stats.ei_balance(np.ones((2, 3)), np.ones((2, 3))),
            r"excitatory has shape \(2, 3\).*\(trial, step, neuron\)",
        ),
        (
            lambda: stats.ei_balance(np.ones((2, 3, 4)), np.ones((2, 3, 5))),
            r"\(2, 3, 4\) and inhibitory \(2, 3, 5\)",
        ),
        (
            lambda: stats.ei_balance(np.ones((1, 3, 4)), -np.ones((1, 3, 4))),
            r"inhibitory input at .* = \(0, 0, 0\) is -1.*>= 0",
        ),
    ],
)
def test_bad_input_says_what_was_given_and_what_is_allowed(call, message):
    with pytest.raises(ValueError, match=message):
        call()

"""Rates, intervals and balance, against loops over spikes and known point processes."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biosnn.analysis import stats
from biosnn.data.spike_trains import SpikeTrains

from .point_processes import DURATION, any_trains, clock, poisson


def naive_intervals(spikes):
    """(interval, unit) one spike after the other."""
    result = []
    for b in range(len(spikes)):
        trial = spikes[b]
        for unit in range(spikes.n_units):
            times = [float(t) for t, u in zip(trial.times, trial.units) if u == unit]
            result += [(later - earlier, unit) for earlier, later in pairwise(times)]
    return result


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

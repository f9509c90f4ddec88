"""Windows of statistics, ends of trials and narrow whole numbers on the time grid."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import biosnn as bs
from biosnn.analysis import stats
from biosnn.support import timegrid

from .time_cases import EVENT, one_unit


def test_ten_milliseconds_each_after_a_shift_there_and_back():
    spikes = one_unit(np.abs((1234.5 + np.arange(100) * 0.01) - 1234.5), 1.0)
    np.testing.assert_allclose(stats.rate_over_time(spikes, 0.01)[1], 100.0)
    assert stats.fano_factor(spikes, 0.01)[0] == 0 and np.isnan(stats.synchrony(spikes, 0.01))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("width", [1e-3, 5e-3, 10e-3, 0.1])
def test_equal_trains_correlate_at_one_wherever_they_have_been(dtype, width):
    rng = np.random.default_rng(0)
    steps = np.sort(rng.choice(5000, 700, replace=False))
    one = (steps * 1e-3).astype(dtype)
    other = (
        np.abs((steps * 1e-3 + 1234.5) - 1234.5)
        if dtype is np.float64
        else steps.astype(dtype) * dtype(1e-3)
    )
    both = bs.SpikeTrains.from_events(
        np.concatenate([one, other]),
        np.repeat([0, 1], 700),
        np.zeros(1400, int),
        n_trials=1,
        n_units=2,
        duration=5.001,
    )
    assert stats.correlations(both, width) == 1 and stats.synchrony(both, width) == 1


@given(
    st.integers(0, 10**5),
    st.sampled_from([1e-3, 2e-3, 10e-3, 0.3, 1.0]),
    st.floats(0, 10**4),
    st.sampled_from([np.float32, np.float64]),
)
@settings(max_examples=300, deadline=None)
def test_a_multiple_of_the_width_begins_a_window_and_the_step_before_does_not(
    k, width, shift, dtype
):
    if dtype is np.float32 and k * width > 50:
        k = int(50 / width)
    assert timegrid.windows_of(np.array([k * width]).astype(dtype), width)[0] == k
    assert timegrid.windows_of(np.abs(np.array([k * width + shift - shift])), width)[0] == k
    assert (
        timegrid.windows_of(np.array([(k + 1) * width - 1e-4]).astype(dtype), width)[0] == k
    )  # a step of 0.1 ms before the next


@given(st.integers(1, 5000), st.sampled_from([1e-3, 0.01, 0.3, 1.0]))
@settings(max_examples=200, deadline=None)
def test_whole_windows(k, width):
    for duration in (k * width, np.nextafter(k * width, 0), k * width + 1234.5 - 1234.5):
        assert (
            timegrid.whole_windows(duration, width)
            == timegrid.covering_windows(duration, width)
            == k
        )
    assert (
        timegrid.whole_windows((k + 0.999) * width, width) == k
        and timegrid.covering_windows((k + 0.001) * width, width) == k + 1
    )


def test_a_correlogram_of_shifted_trains_has_its_lags_in_their_bins():
    steps = np.arange(100, 900, 10)
    for dtype, shift in ((np.float64, 0.0), (np.float64, 98765.4), (np.float32, 0.0)):
        pre = one_unit(np.abs((steps * 1e-3 + shift) - shift).astype(dtype), 1.0)
        post = one_unit(((steps + 3) * 1e-3).astype(dtype), 1.0)
        lags, rates = stats.cross_correlogram(pre, post, ([0], [0]), reach=5e-3, bin_width=1e-3)
        assert (
            np.flatnonzero(rates).tolist() == [8]
            and rates[8] == pytest.approx(1e3)
            and lags[8] == pytest.approx(3.5e-3)
        )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_event_is_lost_at_the_end(dtype):
    data = bs.data.from_event_arrays(
        [np.array([(0, 0, 10, 0), (1, 1, 290000, 1)], EVENT)], (2, 2, 2), dtype=dtype
    )
    assert data.times.tolist() == np.array([1e-5, 0.29], dtype).tolist() and data.duration == 0.3
    for k in range(1, 400):
        events = [np.array([(0, 0, 10, 0), (1, 1, 10000 * k, 1)], EVENT)]
        whole = bs.data.from_event_arrays(events, (2, 2, 2), dtype=dtype)
        assert whole.times.size == 2 and whole.duration == (k + 1) / 100
        assert (
            bs.data.from_event_arrays(events, (2, 2, 2), dtype=dtype, duration=k / 100).times.size
            == 1
        )
        assert whole.times[1] == dtype(k / 100)


@given(st.floats(0, 1e4), st.sampled_from([np.float32, np.float64]))
@settings(max_examples=200, deadline=None)
def test_an_end_lies_after_all_times(latest, dtype):
    times = np.array([0.0, latest]).astype(dtype)
    end = timegrid.after(times)
    assert np.all(times < end) and end - float(times[1]) < 0.0201 and round(end * 100) / 100 == end
    assert timegrid.after(times[:0]) == 0.01


@pytest.mark.parametrize("latest", [1e30, np.finfo(np.float32).max])
def test_absurd_times_have_an_end_too(latest):
    assert timegrid.after(np.array([latest], np.float32)) > latest


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.uint64])
@pytest.mark.parametrize("merge", [True, False])
def test_narrow_whole_numbers_lose_nothing(kind, merge):
    rng, n, n_units, n_trials = (
        np.random.default_rng(0),
        20_000,
        min(251, np.iinfo(kind).max),
        min(120, np.iinfo(kind).max),
    )
    times, units, trials = (
        rng.uniform(0, 0.2, n),
        rng.integers(0, n_units, n),
        rng.integers(0, n_trials, n),
    )
    plain = bs.SpikeTrains.from_events(
        times, units, trials, n_trials=n_trials, n_units=n_units, duration=0.2
    )
    given = bs.SpikeTrains.from_events(
        times,
        units.astype(kind),
        trials.astype(kind),
        n_trials=kind(n_trials),
        n_units=kind(n_units),
        duration=0.2,
        labels=np.arange(n_trials).astype(kind),
    )
    assert type(given.n_units) is int and given.labels.dtype == np.int64
    for name in ("times", "units", "offsets"):
        assert np.array_equal(getattr(given, name), getattr(plain, name))
    one, other = (bs.bin_spikes(each, 1e-3, merge=merge) for each in (given, plain))
    assert np.array_equal(one.pointers, other.pointers) and np.array_equal(one.units, other.units)
    assert merge or one.units.size == n
    for function in (
        stats.firing_rates,
        stats.isi_cv,
        lambda s: stats.fano_factor(s, 0.02),
        lambda s: stats.correlations(s, 0.02),
    ):
        np.testing.assert_array_equal(function(given), function(plain))
    direct = bs.SpikeTrains(
        plain.times, plain.units.astype(kind), plain.offsets.astype(np.uint16), kind(n_units), 0.2
    )
    assert np.array_equal(direct.units, plain.units) and type(direct.n_units) is int

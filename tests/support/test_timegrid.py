"""How times become steps: spikes, durations, delays, periods, windows; and what users are told of
rounding and of units.
"""

import warnings

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import biosnn as bs
from biosnn.analysis import stats
from biosnn.data.spike_base import first_steps
from biosnn.engine import inputs
from biosnn.engine.gradient import window_steps
from biosnn.support import timegrid

DTS = (1e-4, 3e-4, 1e-3, 2e-3, 1 / 3e3)


def one_unit(times, duration):
    times = np.sort(np.asarray(times))
    return bs.SpikeTrains(times, np.zeros(times.size, int), [0, times.size], 1, duration)


def per_step(spikes, dt, merge):
    """Spikes in each step, of one unit and one trial."""
    return np.diff(bs.bin_spikes(spikes, dt, merge=merge).pointers[0])


# ------------------------------------------------------------------------------------------- spikes


@pytest.mark.parametrize("dt", DTS)
@pytest.mark.parametrize("duration", [5.0, 60.0, 200.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_multiples_of_dt_land_in_their_steps(dt, duration, dtype):
    steps = np.arange(int(duration / dt))
    rounded, product = (steps * dt).astype(dtype), steps.astype(dtype) * dtype(dt)
    for times in (rounded, product, steps.astype(dtype) / dtype(1 / dt)):
        assert np.array_equal(timegrid.steps_of(times, dt), steps)


@pytest.mark.parametrize(
    "dtype, dt, duration",
    [
        (np.float32, 1e-4, 5.0),
        (np.float32, 1e-4, 60.0),
        (np.float32, 1e-3, 60.0),
        (np.float64, 1e-4, 60.0),
    ],
)
@pytest.mark.parametrize("merge", [True, False])  # a kernel, and numpy
def test_one_spike_in_every_step_is_one_in_every_step(dtype, dt, duration, merge):
    times = (np.arange(round(duration / dt)) * dt).astype(dtype)
    assert np.all(per_step(one_unit(times, duration), dt, merge) == 1)


@given(
    st.integers(0, 10**6),
    st.sampled_from(DTS),
    st.floats(0, 10**5),
    st.sampled_from([np.float32, np.float64]),
)
@settings(max_examples=300, deadline=None)
def test_times_that_were_shifted_there_and_back_land_in_their_steps(n, dt, shift, dtype):
    assert timegrid.steps_of(np.array([n * dt]).astype(dtype), dt)[0] == n
    assert timegrid.steps_of(np.abs(np.array([n * dt + shift - shift])), dt)[0] == n
    early = timegrid.steps_of(np.array([(n + 0.99) * dt]), dt)[0]
    assert early == n  # what lies a hundredth of a step before the next one does not belong to it


def test_the_tolerance_is_that_of_brian2_where_times_are_exact_and_never_half_a_step():
    times = (
        np.arange(1000)[:, None] + np.array([-1.1e-3, -0.9e-3, 0.0, 0.5, 0.9989, 0.9991])
    ) * 1e-4
    times = times[times >= 0]
    assert np.array_equal(
        timegrid.steps_of(times, 1e-4), ((times + 1e-3 * 1e-4) / 1e-4).astype(np.int64)
    )
    for dtype in (np.float32, np.float64):
        late = np.array([1e3, 1e5, 1e7], dtype)
        assert np.all(timegrid.step_tolerance(dtype, 1e-4)(late.astype(float)) <= 0.49e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_kernel_and_numpy_bin_alike(dtype):
    rng = np.random.default_rng(0)
    n = 20_000
    spikes = bs.SpikeTrains.from_events(
        rng.uniform(0, 20, n).astype(dtype),
        rng.integers(0, 70, n),
        rng.integers(0, 3, n),
        n_trials=3,
        n_units=70,
        duration=20.01,
    )
    whole = bs.bin_spikes(spikes, 10e-3)  # dense enough for the kernel
    assert 3 * whole.n_steps * 2 <= 2 * n
    other = np.minimum(bs.bin_spikes(spikes, 10e-3, merge=False).dense(), 1)
    assert np.array_equal(whole.dense(), other)


def test_times_too_coarse_for_the_steps_are_said_to_be(monkeypatch):
    monkeypatch.setattr("biosnn.data.binning.bin_events", lambda *_: None)  # of 20 million steps
    spikes = one_unit(np.array([0.1, 1999.0], np.float32), 2000.0)
    with pytest.warns(
        bs.RoundingWarning, match="float32 are 0.000122 s apart .* Give times as float64"
    ):
        bs.bin_spikes(spikes, 1e-4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bs.bin_spikes(spikes, 1e-3)


def test_numbers_in_single_precision_stand_for_their_decimals():
    net = bs.Network(np.float32(2e-3))
    assert net.dt == 2e-3 and bs.Network(np.array(1e-4, np.float32)).dt == 1e-4
    steps = np.arange(30_000)
    assert np.array_equal(timegrid.steps_of(steps * 2e-3, net.dt), steps)
    assert one_unit([0.1], np.float32(60.1)).duration == 60.1


# ---------------------------------------------------------------------------------------- durations


def test_durations_are_covered():
    for duration, dt, steps in (
        (10.4e-3, 1e-3, 11),
        (10e-3, 1e-3, 10),
        (0.3, 0.1, 3),
        (0.1 + 0.2, 0.1, 3),
        (1e-9, 1e-3, 1),
        (60.0, 1e-4, 600_000),
    ):
        assert timegrid.covering_steps(duration, dt) == steps
    assert timegrid.covering_steps(np.array([0.0, 2e-3, 2.1e-3]), 1e-3).tolist() == [0, 2, 3]
    with pytest.raises(ValueError, match="1e.30 s has 1e.33 steps"):
        timegrid.covering_steps(1e30, 1e-3)


@given(st.integers(1, 10**7), st.sampled_from(DTS))
@settings(max_examples=300, deadline=None)
def test_multiples_of_dt_are_covered_by_as_many_steps(n, dt):
    for duration in (
        n * dt,
        np.nextafter(n * dt, 0),
        np.nextafter(n * dt, np.inf),
        n * dt + 777.7 - 777.7,
    ):
        assert timegrid.covering_steps(duration, dt) == n
    assert timegrid.covering_steps((n + 0.4) * dt, dt) == n + 1


def lonely(dt=1e-3, **options):
    net = bs.Network(dt)
    net.population(1, bs.lif(**options), name="A")
    return net


@pytest.mark.parametrize(
    "duration, steps", [(10.4e-3, 11), (10e-3, 10), (0.3e-3, 1), (1.0004e-3, 1)]
)
def test_run_simulate_and_brian_take_the_same_steps(duration, steps):
    pytest.importorskip("brian2")
    net = lonely()
    trace, done = bs.run(net, duration=duration), bs.simulate(net, duration, progress=False)
    report = bs.brian.compare(net, duration=duration, progress=False)
    assert (
        trace.n_steps == steps
        and trace.duration == done.duration == report.duration == steps * 1e-3
    )
    given = {"x": bs.SpikeTrains([], np.empty(0, int), [0, 0], 2, duration)}
    net.input(2, name="x")
    net.connect("x", "A", weights=np.ones((2, 1)))
    assert (
        bs.run(net, given).n_steps
        == bs.brian.compare(net, given["x"], progress=False).traces["A.U"][0].shape[0]
        == steps
    )


def test_a_long_train_is_binned_as_far_as_the_run_goes(monkeypatch):

    net, rng = bs.Network(1e-3), np.random.default_rng(0)
    net.connect(net.input(50), net.population(5, bs.lif(), name="A"), weights=np.full((50, 5), 5.0))
    n = 40_000
    long = bs.SpikeTrains.from_events(
        rng.uniform(0, 400, n).astype(np.float32),
        rng.integers(0, 50, n),
        np.zeros(n, int),
        n_trials=1,
        n_units=50,
        duration=400.0,
    )
    seen = []
    monkeypatch.setattr(
        inputs,
        "bin_spikes",
        lambda train, *more, **named: seen.append(train) or bs.bin_spikes(train, *more, **named),
    )
    short = bs.simulate(net, 1.0, long, record={"A.U": slice(None)}, progress=False)
    assert seen[0].duration == 1.0 and seen[0].times.size < n / 200
    monkeypatch.undo()
    keep = bs.bin_spikes(long, 1e-3).dense()[:, :1000]
    other = bs.simulate(
        net, 1.0, bs.from_dense(keep, 1e-3), record={"A.U": slice(None)}, progress=False
    )
    assert (
        short.counts == other.counts
        and short.counts["A"] > 0
        and np.array_equal(short.states["A.U"], other.states["A.U"])
    )


def test_the_first_steps_of_several_trials():
    spikes = bs.SpikeTrains.from_events(
        [0.0, 0.0049999999, 0.003, 0.009, 0.00499],
        [0, 1, 2, 0, 1],
        [0, 0, 1, 1, 1],
        n_trials=3,
        n_units=3,
        duration=0.01,
    )
    part = first_steps(spikes, 5, 1e-3)
    assert (
        part.times.tolist() == [0.0, 0.003, 0.00499]
        and part.units.tolist() == [0, 2, 1]
        and part.offsets.tolist() == [0, 1, 3, 3]
    )
    assert part.duration == 5e-3 and np.array_equal(
        bs.bin_spikes(part, 1e-3).dense(), bs.bin_spikes(spikes, 1e-3).dense()[:, :5]
    )


# ------------------------------------------------------------------------------- delays and periods


def test_a_delay_becomes_the_nearest_step_and_says_so():
    net = lonely()
    with pytest.warns(
        bs.RoundingWarning,
        match=r"'A->A': delay is 0.0004 s, no multiple of the time step dt = 0.001 s. It "
        r"becomes 0 s \(0 steps\), the "
        "nearest",
    ) as found:
        projection = net.connect("A", "A", delay=0.4e-3, weights=np.ones((1, 1)))
    assert found[0].filename == __file__
    assert (
        projection.delay == 0
        and net.projection("A->A").delay == 0
        and net.delay_steps(projection) == 0
        and "delay  0 ms" in repr(projection)
    )
    with pytest.warns(bs.RoundingWarning, match=r"becomes 0.002 s \(2 steps\)"):
        assert net.connect("A", "A", delay=1.5e-3, name="b").delay == 2e-3
    with pytest.warns(
        bs.RoundingWarning,
        match=r"2 of 3 values of projection 'c': delay, such as 0.0025 s, are no multiples .* "
        r"becomes 0.003 s \(3 steps\)",
    ):
        net.connect(
            "A",
            "A",
            delay=[1e-3, 1.2e-3, 2.5e-3],
            weights=1.0,
            name="c",
            synapses=bs.Pairs([0, 0, 0], [0, 0, 0]),
        )
    assert net.synapses["c"].delay.tolist() == [1, 1, 3]


@pytest.mark.parametrize("dt", DTS)
def test_multiples_of_dt_warn_of_nothing_and_show_what_was_given(dt):
    net = lonely(dt)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for k in (0, 1, 3, 7, 29):
            delay = round(k * dt, 10) if dt != DTS[-1] else k * dt
            projection = net.connect("A", "A", delay=delay, name=f"{k}")
            assert projection.delay == delay and net.delay_steps(projection) == k
            net.population(1, bs.lif(refractory=k * dt), name=f"p{k}")
            assert net[f"p{k}"].neuron.refractory_steps(dt) == k
        net.connect(
            "A",
            "A",
            delay=bs.Uniform(0, 10e-3),
            weights=1.0,
            name="drawn",
            synapses=bs.Bernoulli(1.0),
            seed=1,
        )


def test_a_refractory_period_holds_its_whole_steps_as_in_brian2():
    b2 = pytest.importorskip("brian2")
    from brian2.core.functions import timestep

    for period, steps in (
        (0.25e-3, 2),
        (0.29e-3, 2),
        (0.3e-3, 3),
        (0.05e-3, 0),
        (1.9999e-3, 20),
        (2e-3, 20),
        (0.1e-3 + 0.2e-3, 3),
    ):
        assert (
            bs.lif(refractory=period).refractory_steps(1e-4)
            == steps
            == timestep(period * b2.second, 1e-4 * b2.second)
        )
    with pytest.warns(
        bs.RoundingWarning,
        match=r"population 'A': refractory is 0.00025 s, no multiple .* becomes 0.0002 s \(2 "
        r"steps\), the whole steps in it",
    ):
        net = lonely(1e-4, refractory=0.25e-3)
    current = {"A": np.full((1, 1), 1e4)}
    report = bs.brian.compare(net, currents=current, duration=5e-3, progress=False)
    assert report.identical and report.spike_counts["A"] == (25, 25)


def test_brian_gets_the_period_of_the_user_so_that_a_difference_shows(monkeypatch):
    pytest.importorskip("brian2")
    with pytest.warns(bs.RoundingWarning):
        net = lonely(1e-4, refractory=0.25e-3)
    monkeypatch.setattr(
        timegrid, "whole_steps", lambda period, dt: int(period / dt + 0.5)
    )  # as it was once
    report = bs.brian.compare(
        net, currents={"A": np.full((1, 1), 1e4)}, duration=5e-3, progress=False
    )
    assert not report.identical and report.spike_counts["A"][0] < report.spike_counts["A"][1] == 25


def test_jump_delays_are_delays():
    with pytest.warns(
        bs.RoundingWarning,
        match="population 'A': jump_delay is 0.0014 s.*becomes 0.001 s .1 step., the nearest",
    ):
        bs.Network(1e-3).population(1, bs.adaptive_lif(jump_delay=1.4e-3), name="A")


def test_other_steps_warn_where_delays_and_periods_do_not_fit():
    net = lonely(1e-4, refractory=2e-3)
    net.connect("A", "A", delay=1.5e-3, weights=np.ones((1, 1)))
    with pytest.warns(bs.RoundingWarning, match="delay is 0.0015 s.*becomes 0.002 s"):
        coarse = bs.time_rescale(net, 1e-3)
    assert (
        coarse.projection("A->A").delay == 2e-3
        and net.projection("A->A").delay == 1.5e-3
        and coarse.delay_steps("A->A") == 2
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert bs.time_rescale(net, 0.5e-3).delay_steps("A->A") == 3


def test_pieces_of_a_background_begin_at_the_nearest_step():
    with pytest.warns(
        bs.RoundingWarning,
        match=r"Current\('A'\): times.*10.4|1 of 2 values of Current\('A'\): times, such as "
        r"0.0104 s",
    ):
        done = bs.simulate(
            lonely(),
            0.03,
            background=[bs.Current("A", ([0.0, 10.4e-3], [0.0, 1.0]))],
            record={"A.U": [0]},
            progress=False,
        )
    assert np.flatnonzero(done.states["A.U"][:, 0])[0] == 10
    with pytest.warns(bs.RoundingWarning, match="truncate is 0.0025 s.*becomes 0.003 s"):
        assert window_steps(2.5e-3, 1e-3) == 3


# ---------------------------------------------------------------------------- windows of statistics


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
        lags, rates = stats.cross_correlogram(pre, post, ([0], [0]), reach=5e-3, width=1e-3)
        assert (
            np.flatnonzero(rates).tolist() == [8]
            and rates[8] == pytest.approx(1e3)
            and lags[8] == pytest.approx(3.5e-3)
        )


# ---------------------------------------------------------------- events of cameras, ends of trials

EVENT = np.dtype([("x", "<i2"), ("y", "<i2"), ("t", "<i8"), ("p", bool)])


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


# ----------------------------------------------------------------------------- narrow whole numbers


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


# -------------------------------------------------------------------------------------------- units


@pytest.mark.parametrize(
    "act, words",
    [
        (
            lambda net: bs.lif(tau_mem=20),
            "lif: time constant mem is 20 s. Times are in seconds: were 20 ms meant.*20e-3",
        ),
        (lambda net: bs.lif(tau_syn=5), "time constant syn is 5 s"),
        (lambda net: bs.lif(tau_mem=np.array([0.02, 15.0])), "mem is 15 s"),
        (lambda net: bs.lif(refractory=2), "refractory is 2 s"),
        (lambda net: bs.adaptive_lif(tau_adapt=144), "adapt is 144 s"),
        (lambda net: bs.adaptive_lif(jump_delay=2), "jump_delay is 2 s"),
        (lambda net: bs.ampa_nmda_gaba(tau_nmda=100), "nmda is 100 s"),
        (lambda net: bs.conductance_lif(tau_exc=5), "exc is 5 s"),
        (lambda net: bs.adex(tau_inh=10), "inh is 10 s"),
        (lambda net: bs.izhikevich(tau_exc=5), "exc is 5 s"),
        (lambda net: bs.Network(dt=0.1), "dt is 0.1 s"),
        (lambda net: bs.Network(1), "dt is 1 s"),
        (lambda net: net.connect("A", "A", delay=2), "delay is 2 s"),
        (lambda net: net.connect("A", "A", delay=1.5), "delay is 1.5 s"),
        (
            lambda net: net.connect("A", "A", delay=[5.0], weights=1.0, synapses=bs.OneToOne()),
            "the longest delay is 5 s",
        ),
        (lambda net: net.readout(2, tau_mem=700), "mem is 700 s"),
        (lambda net: net.readout(2, tau_syn=10), "syn is 10 s"),
        (lambda net: bs.TsodyksMarkram(tau_rec=800), "tau_rec is 800 s"),
        (lambda net: bs.TsodyksMarkram(0.5, 0.8, 100), "tau_facil is 100 s"),
        (lambda net: bs.InhibitorySTDP(0.1, 5.0, tau=20), "tau is 20 s"),
        (lambda net: bs.OrnsteinUhlenbeck("A", 0, 1, tau=20), "tau is 20 s"),
        (lambda net: bs.VanRossumDistance(tau=10), "tau is 10 s"),
        (lambda net: bs.TimeShift(20), "most is 20 s"),
        (lambda net: bs.TimeJitter(10), "spread is 10"),
        (lambda net: window_steps(50, 1e-3), "truncate is 50 s"),
        (lambda net: bs.log_normal_time_constants(100, 0.1, 5, seed=0), "mean is 100 s"),
        (lambda net: bs.bin_spikes(one_unit([0.1], 1.0), 2), "dt is 2 s"),
        (lambda net: bs.from_dense(np.ones((1, 3, 2)), 1), "dt is 1 s"),
        (lambda net: bs.data.working_memory(2, delay=500, background=0, seed=0), "delay is 500 s"),
        (lambda net: bs.simulate(net, 0.01, rate_bin=5, progress=False), "rate_bin is 5 s"),
        (lambda net: one_unit([1.0], 1e6), "longer than a day"),
    ],
)
def test_times_that_can_hardly_be_seconds(act, words):
    net = lonely()
    with pytest.warns(bs.UnitWarning, match=words) as found:
        act(net)
    assert all(each.filename == __file__ for each in found)


def test_times_of_models_are_seconds():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net = lonely(5e-3, tau_mem=1.0, tau_syn=0.3)
        for neuron in (
            bs.adaptive_lif(tau_adapt=10.0),
            bs.ampa_nmda_gaba(tau_gaba=0.3),
            bs.izhikevich(a=0.001),
            bs.adex(),
            bs.alpha_conductance_lif(),
            bs.leaky_readout(tau_mem=20.0),
        ):
            assert neuron.states
        net.connect("A", "A", delay=0.2, weights=np.ones((1, 1)))
        net.readout(2, tau_mem=30.0, tau_syn=2.0)
        assert (
            bs.TsodyksMarkram(0.5, 10.0, 20.0)
            and bs.InhibitorySTDP(0.1, 5.0, tau=1.0)
            and bs.OrnsteinUhlenbeck("A", 0, 1, tau=5.0)
        )
        bs.run(net, duration=0.05)


def shd(path, times):
    with h5py.File(path, "w") as file:
        for name, entries, kind in (
            ("spikes/times", times, np.float64),
            ("spikes/units", [np.arange(len(t)) % 700 for t in times], np.uint16),
        ):
            stored = file.create_dataset(name, (len(entries),), h5py.vlen_dtype(kind))
            for b, entry in enumerate(entries):
                stored[b] = np.asarray(entry, kind)
        file["labels"] = np.zeros(len(times), int)
    return path


def test_a_file_in_milliseconds_or_microseconds(tmp_path):
    times = [np.sort(np.random.default_rng(b).uniform(0, 1.3, 1000)) for b in range(10)]
    for unit, name in ((1e3, "ms"), (1e6, "µs")):
        path = shd(tmp_path / "a.h5", [t * unit for t in times])
        with pytest.warns(
            bs.UnitWarning,
            match=f"a.h5: (9...|10000) of 10000 spikes lie at or after the end of the trial at "
            f"1.4 s.*are these in {name}",
        ):
            spikes = bs.data.load_shd(path, duration=1.4)
        assert spikes.times.size < 30
        with pytest.warns(
            bs.UnitWarning, match="a.h5: the time of the latest spike is|longer than a day"
        ):
            bs.data.load_shd(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path = shd(tmp_path / "b.h5", times)
        assert (
            bs.data.load_shd(path, duration=1.4).times.size
            == bs.data.load_shd(path).times.size
            == 10_000
        )
        bs.data.load_shd(path, duration=1.0)  # most of it is kept


def test_events_in_another_unit():
    times = np.arange(0, 1000, 10.0)
    with pytest.raises(
        ValueError,
        match="spike 1 .* at 10.0 s; it must lie before the end of the trial at 1 s. Times are "
        "in seconds: are these in ms",
    ):
        one_unit(times, 1.0)
    events = [np.array([(0, 0, t, 0) for t in range(0, 10**6, 10**4)], EVENT)]
    with pytest.warns(bs.UnitWarning, match="recordings: 99 of 100 spikes .* are these in ms"):
        bs.data.from_event_arrays(events, (2, 2, 2), duration=1.0, time_unit=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert bs.data.from_event_arrays(events, (2, 2, 2), duration=1.0).times.size == 100


# -------------------------------------------------------------------------------------------- words

NO_TRAINS = (None, 3, "spikes", np.ones((2, 3)), [1, 2], {}, bs.SpikeTrains, object())


@pytest.mark.parametrize(
    "name, call",
    [
        ("spikes", stats.firing_rates),
        ("spikes", lambda s: stats.rate_over_time(s, 0.1)),
        ("spikes", stats.interspike_intervals),
        ("spikes", stats.isi_cv),
        ("spikes", lambda s: stats.fano_factor(s, 0.1)),
        ("spikes", lambda s: stats.synchrony(s, 0.1)),
        ("spikes", lambda s: stats.correlations(s, 0.1)),
        (
            "pre",
            lambda s: stats.cross_correlogram(
                s, one_unit([0.1], 1.0), ([0], [0]), reach=0.1, width=0.01
            ),
        ),
        (
            "post",
            lambda s: stats.cross_correlogram(
                one_unit([0.1], 1.0), s, ([0], [0]), reach=0.1, width=0.01
            ),
        ),
        ("spikes", lambda s: bs.augment(s, [bs.TimeShift(0.01)], seed=0)),
        ("spikes", lambda s: bs.bin_spikes(s, 1e-3)),
        ("max_pool: spikes", lambda s: bs.max_pool(s, (1, 4), 2)),
        ("spikes", bs.data.split),
    ],
)
def test_something_else_in_place_of_spike_trains(name, call):
    for value in NO_TRAINS:
        with pytest.raises(ValueError, match=f"^{name} is .*; it must be SpikeTrains, such as"):
            call(value)


TRAINS = bs.SpikeTrains([0.1, 0.2, 0.15], [0, 1, 0], [0, 2, 3], 2, 1.0)
NO_NUMBERS = (None, "0.1", np.ones(2), [0.1], np.nan, np.inf, 1j, object(), True)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: stats.rate_over_time(TRAINS, x),
        lambda x: stats.fano_factor(TRAINS, x),
        lambda x: stats.synchrony(TRAINS, x),
        lambda x: stats.correlations(TRAINS, x),
        lambda x: stats.isi_cv(TRAINS, minimum=x),
        lambda x: stats.correlations(TRAINS, 0.1, pairs=x),
        lambda x: stats.cross_correlogram(TRAINS, TRAINS, ([0], [0]), reach=x, width=0.01),
        lambda x: stats.cross_correlogram(TRAINS, TRAINS, ([0], [0]), reach=0.1, width=x),
        lambda x: bs.bin_spikes(TRAINS, x),
        lambda x: bs.from_dense(np.ones((1, 2, 3)), x),
        lambda x: bs.SpikeTrains([], [], [0, 0], 2, x),
        lambda x: bs.SpikeTrains([], [], [0, 0], x, 1.0),
        lambda x: bs.SpikeTrains.from_events([], [], [], n_trials=x, n_units=2, duration=1.0),
        lambda x: bs.TimeShift(x),
        lambda x: bs.ChannelMask(x),
        lambda x: bs.Drop(x),
        lambda x: bs.Insert(x),
        lambda x: bs.lif(refractory=x),
        lambda x: bs.Network(x),
        lambda x: bs.TsodyksMarkram(x),
        lambda x: bs.InhibitorySTDP(x, 5.0),
        lambda x: bs.OrnsteinUhlenbeck("A", 0, 1, x),
        lambda x: lonely().connect("A", "A", delay=x),
        lambda x: bs.run(lonely(), duration=x if x is not None else "1"),
        lambda x: bs.simulate(lonely(), x, progress=False),
        lambda x: bs.simulate(lonely(), 0.1, rate_bin=x, progress=False),
        lambda x: bs.lif(tau_mem=[x]),
        lambda x: bs.lif(tau_mem=x if np.ndim(x) == 0 else -1),
        lambda x: bs.lif_delta(refractory=x),
    ],
)
def test_no_numbers_where_a_number_is_meant(call):
    for value in NO_NUMBERS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", bs.UnitWarning)
            with pytest.raises(ValueError, match="must |needs "):
                call(value)


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: TRAINS["first"], "index of trials is 'first'"),
        (lambda: TRAINS[1.5], "does not exist|index of trials is 1.5"),
        (lambda: TRAINS[None], "index of trials"),
        (lambda: TRAINS[[[0, 1]]], "index of trials"),
        (lambda: bs.bin_spikes(TRAINS, 1e-3, merge=2), "merge is 2"),
        (lambda: bs.SpikeTrains(["a"], [0], [0, 1], 1, 1.0), "times is .*real numbers"),
        (lambda: bs.SpikeTrains([0.1], ["a"], [0, 1], 1, 1.0), "units is"),
        (lambda: bs.SpikeTrains([0.1], [0], [0, 1.5], 1, 1.0), "offsets is"),
        (lambda: bs.SpikeTrains([0.1], [0], None, 1, 1.0), "offsets is None"),
        (lambda: bs.SpikeTrains([0.1], [0], [0, 1], 1, 1.0, ["dog"]), "labels is"),
        (lambda: bs.SpikeTrains([0.1], [0], [0, 1], 2**40, 1.0), "n_units is"),
        (
            lambda: bs.SpikeTrains.from_events(0.1, 0, 0, n_trials=1, n_units=1, duration=1.0),
            "one dimension",
        ),
        (lambda: bs.from_dense("abc", 1e-3), "counts is 'abc'"),
        (lambda: stats.cross_correlogram(TRAINS, TRAINS, 5, reach=0.1, width=0.01), "pairs is 5"),
        (lambda: stats.correlations(TRAINS, 0.1, seed="x"), "seed is 'x'"),
        (lambda: bs.augment(TRAINS, [bs.TimeShift(0.1)], seed=-1), "seed is -1"),
        (lambda: bs.data.from_event_arrays(5, (2, 2, 2)), "recordings is 5"),
        (
            lambda: bs.data.from_event_arrays([np.zeros(2, EVENT)], (2, 2, 2), dtype="int"),
            "dtype is 'int'",
        ),
        (
            lambda: bs.data.from_event_arrays([np.zeros(2, EVENT)], (2, 2, 2), time_unit=0),
            "time_unit is 0",
        ),
        (lambda: bs.data.from_event_arrays([np.zeros(2, EVENT)], 5), "sensor_size is 5"),
    ],
)
def test_other_words(make, words):
    with pytest.raises((ValueError, IndexError), match=words):
        make()
    with pytest.raises(IndexError, match="trial 7 does not exist: there are 2 trials"):
        TRAINS[7]

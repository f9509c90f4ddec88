"""How times become steps: spikes, durations, delays and periods."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import biosnn as bs
from biosnn.data.spike_base import first_steps
from biosnn.engine import inputs
from biosnn.engine.gradient import window_steps
from biosnn.support import timegrid

from .time_cases import lonely, one_unit

DTS = (1e-4, 3e-4, 1e-3, 2e-3, 1 / 3e3)


def per_step(spikes, dt, merge):
    """Spikes in each step, of one unit and one trial."""
    return np.diff(bs.bin_spikes(spikes, dt, merge=merge).pointers[0])


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
        net, 1.0, bs.SpikeTrains.from_dense(keep, 1e-3), record={"A.U": slice(None)}, progress=False
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

"""What users are told of numbers that can hardly be seconds, and of arguments of another kind."""

import warnings

import h5py
import numpy as np
import pytest

import biosnn as bs
from biosnn.analysis import stats
from biosnn.engine.gradient import window_steps

from .time_cases import EVENT, lonely, one_unit


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
        (lambda net: bs.SpikeTrains.from_dense(np.ones((1, 3, 2)), 1), "dt is 1 s"),
        (lambda net: bs.data.working_memory(2, delay=500, background=0, seed=0), "delay is 500 s"),
        (lambda net: bs.simulate(net, 0.01, rate_bin=5, progress=False), "rate_bin is 5 s"),
        (lambda net: bs.SpikeTrains.from_units([[1.0]], duration=1e6), "longer than a day"),
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
                s, one_unit([0.1], 1.0), ([0], [0]), reach=0.1, bin_width=0.01
            ),
        ),
        (
            "post",
            lambda s: stats.cross_correlogram(
                one_unit([0.1], 1.0), s, ([0], [0]), reach=0.1, bin_width=0.01
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
        lambda x: stats.cross_correlogram(TRAINS, TRAINS, ([0], [0]), reach=x, bin_width=0.01),
        lambda x: stats.cross_correlogram(TRAINS, TRAINS, ([0], [0]), reach=0.1, bin_width=x),
        lambda x: bs.bin_spikes(TRAINS, x),
        lambda x: bs.SpikeTrains.from_dense(np.ones((1, 2, 3)), x),
        lambda x: bs.SpikeTrains([], [], [0, 0], 2, x),
        lambda x: bs.SpikeTrains([], [], [0, 0], x, 1.0),
        lambda x: bs.SpikeTrains.from_events([], [], [], n_trials=x, n_units=2, duration=1.0),
        lambda x: bs.TimeShift(x),
        lambda x: bs.ChannelMask(x),
        lambda x: bs.Drop(x),
        lambda x: bs.Insert(x),
        lambda x: bs.lif(refractory=[x]),
        lambda x: bs.lif(refractory=x if np.ndim(x) == 0 else -1),
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
        lambda x: bs.lif_delta(refractory=[x]),
        lambda x: bs.lif_delta(refractory=x if np.ndim(x) == 0 else -1),
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
        (lambda: bs.SpikeTrains.from_dense("abc", 1e-3), "counts is 'abc'"),
        (
            lambda: stats.cross_correlogram(TRAINS, TRAINS, 5, reach=0.1, bin_width=0.01),
            "pairs is 5",
        ),
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

"""Time constants, dimensionality, and the balance and lag of excitation and inhibition."""

import numpy as np
import pytest
import scipy.signal

import biosnn as bs

signals = bs.signals


def ou(n_trials, steps, channels, tau_steps, seed=1):
    """(trial, step, channel) stationary Ornstein-Uhlenbeck processes of variance 1."""
    rng, decay = np.random.default_rng(seed), np.exp(-1 / tau_steps)
    white = rng.normal(size=(n_trials, steps, channels))
    white[:, 1:] *= np.sqrt(1 - decay**2)
    return scipy.signal.lfilter([1.0], [1.0, -decay], white, axis=1)


# ----------------------------------------------------------------------------------- time constants


@pytest.mark.parametrize("tau", [5.0, 20.0])
def test_timescale_of_an_ou_process(tau):
    x = ou(4, 20_000, 8, tau)
    found = signals.intrinsic_timescale(x, 1e-3)
    assert found.tau == pytest.approx(tau * 1e-3, rel=0.05)
    assert found.amplitude == pytest.approx(1.0, abs=0.05) and abs(found.offset) < 0.05
    deviation = x - x.mean(axis=(0, 1))
    k = 7
    naive = [
        np.mean(deviation[:, k:, c] * deviation[:, :-k, c]) / np.mean(deviation[..., c] ** 2)
        for c in range(8)
    ]
    assert found.autocorrelation[k - 1] == pytest.approx(np.mean(naive), rel=1e-10)


def test_timescale_across_trials_is_blind_to_what_all_trials_share():
    stimulus = 30 * np.sin(np.arange(30) / 3)[:, None]
    x = ou(400, 30, 20, 4.0) + stimulus
    found = signals.intrinsic_timescale(x, 0.05, across="trials")
    assert found.tau == pytest.approx(0.2, rel=0.1)
    assert found.lags[-1] == pytest.approx(0.75)
    naive = np.mean(
        [np.corrcoef(x[:, n, c], x[:, n + 3, c])[0, 1] for n in range(27) for c in range(20)]
    )
    assert found.autocorrelation[2] == pytest.approx(naive, rel=1e-10)
    assert abs(signals.intrinsic_timescale(x, 0.05).tau / 0.2 - 1) > 0.3


def test_timescale_of_spike_counts():
    """Rates that follow an Ornstein-Uhlenbeck process of 100 ms; bins of 20 ms."""
    rate = np.maximum(20 * (1 + 0.5 * ou(1, 20_000, 80, 5.0)[0]), 0)  # (bin, unit)
    counts = np.random.default_rng(3).poisson(rate * 0.02)
    spikes = bs.SpikeTrains.from_dense(counts[None], 0.02)
    found = signals.intrinsic_timescale(spikes, 0.02, reach=0.6)
    assert found.tau == pytest.approx(0.1, rel=0.05)
    assert found.amplitude < 0.5  # counts vary by themselves, too


def test_what_has_no_timescale():
    constant = signals.intrinsic_timescale(np.ones((100, 2)), 1e-3)
    assert np.isnan(constant.tau) and np.isnan(constant.autocorrelation).all()
    ramp = signals.intrinsic_timescale(np.arange(1000.0), 1e-3, reach=20e-3)
    assert ramp.tau == np.inf and "∞" in repr(ramp)
    ramp.plot()
    regular = np.tile([3.0, 1.0, 1.5, 1.8, 1.9, 1.95], 100)  # its correlation rises first
    assert np.isnan(signals.intrinsic_timescale(regular, 1e-3, reach=5e-3).tau)


def test_currents_are_of_the_same_neurons():
    net = bs.Network(dt=1e-3)
    net.population(3, bs.ei_lif(), "excitatory", name="E")
    for record in (
        {"E.I_exc": [0, 1], "E.I_inh": [1, 2]},
        {"E.I_exc": bs.Means({"a": [0]}), "E.I_inh": bs.Means({"b": [0]})},
        {"E.I_exc": "mean", "E.I_inh": [0]},
    ):
        done = bs.simulate(net, 0.02, record=record, progress=False)
        trace = bs.run(net, duration=0.02, record=record)
        for run in (done, trace):
            with pytest.raises(ValueError, match="recorded of different neurons"):
                signals.synaptic_currents(run, "E")


# ----------------------------------------------------------------------------------- dimensionality


@pytest.mark.parametrize("shape", [(3, 500, 6), (1, 6, 500)], ids=["tall", "wide"])
def test_participation_ratio(shape):
    x = ou(*shape, 2.0) @ np.diag(1.5 ** np.arange(shape[2]) if shape[2] < 10 else np.ones(500))
    eigenvalues = np.linalg.eigvalsh(np.cov(x.reshape(-1, shape[2]).T))
    expected = eigenvalues.sum() ** 2 / (eigenvalues**2).sum()
    assert signals.dimensionality(x, 1e-3) == pytest.approx(expected, rel=1e-9)
    assert signals.dimensionality(x) == signals.dimensionality(x, 1e-3)


def test_participation_ratio_of_extremes():
    one = np.random.default_rng(1).normal(size=(400, 1))
    assert signals.dimensionality(one * np.arange(1, 9), 1e-3) == pytest.approx(1)
    spikes = bs.data.poisson(50.0, n_units=10, duration=200.0, seed=1)
    assert signals.dimensionality(spikes, 50e-3) == pytest.approx(1 / (1 / 10 + 1 / 4000), rel=0.02)
    assert np.isnan(signals.dimensionality(np.ones((10, 3)), 1e-3))


# ------------------------------------------------------------------------------------------ balance


def currents(seed=2):
    rng = np.random.default_rng(seed)
    e = rng.random((2, 100, 6)) * np.arange(1, 7)
    return e, 0.8 * e + 0.1 * rng.random(e.shape)


def test_balance_in_windows():
    e, i = currents()
    found = signals.balance_over_time(
        signals.Signal(e, 1e-3, 5.0), signals.Signal(i, 1e-3), window=0.03
    )
    for k in range(3):
        part = slice(30 * k, 30 * k + 30)
        assert found.excitatory[k] == pytest.approx(e[:, part].mean())
        assert found.net[k] == pytest.approx(e[:, part].mean() - i[:, part].mean())
        assert found.ratio[k] == pytest.approx(e[:, part].mean() / i[:, part].mean())
        assert found.net_over_excitatory[k] == pytest.approx(found.net[k] / found.excitatory[k])
    np.testing.assert_allclose(found.times, 5.0 + np.array([14.5, 44.5, 74.5]) * 1e-3)
    silent = signals.balance_over_time(e, 0 * e, 1e-3, window=0.05)
    assert np.isnan(silent.ratio).all() and np.all(silent.net_over_excitatory == 1)


def test_detailed_balance():
    e, i = currents()
    found = signals.detailed_balance(e, i)
    mean_e, mean_i = e.mean(axis=(0, 1)), i.mean(axis=(0, 1))
    assert found.across_neurons == pytest.approx(np.corrcoef(mean_e, mean_i)[0, 1])
    assert found.slope == pytest.approx((mean_e * mean_i).sum() / (mean_e**2).sum())
    np.testing.assert_allclose(found.across_time, bs.stats.ei_balance(e, i).correlation)
    assert found.across_neurons > 0.99
    shuffled = signals.detailed_balance(e, i[..., [3, 5, 0, 2, 1, 4]])
    assert shuffled.across_neurons < 0.5 and np.median(shuffled.across_time) < 0.3
    same = signals.detailed_balance(np.ones((4, 2)), np.ones((4, 2)))
    assert np.isnan(same.across_neurons) and same.slope == 1


def test_ei_balance_takes_signals():
    e, i = currents()
    pair = signals.Signal(e, 1e-3), signals.Signal(i, 1e-3)
    expected = bs.stats.ei_balance(e, i).ratio
    np.testing.assert_array_equal(bs.stats.ei_balance(*pair).ratio, expected)


@pytest.mark.parametrize("late", [3.0, 2.3, 0.0, -1.6])
def test_lag_between_steps(late):
    """Sums of waves of up to 60 Hz, which can be shifted by any time."""
    rng, t = np.random.default_rng(4), np.arange(4000.0)
    f, phase = rng.uniform(5e-3, 60e-3, (2, 5, 40)), rng.uniform(0, 6.28, (2, 5, 40))

    def wave(times):
        return 20 + np.cos(2 * np.pi * f[0] * times[:, None, None] + phase[0]).sum(axis=2)

    found = signals.inhibition_lag(wave(t), wave(t - late), 1e-3)
    assert found.lag == pytest.approx(late * 1e-3, abs=5e-5)
    assert found.peak == pytest.approx(1.0, abs=0.03)
    assert found.lags[0] == -20e-3 and found.correlation.size == 41


def test_correlation_at_a_lag_is_the_mean_over_neurons():
    e, i = currents()
    i[:, 2:] += e[:, :-2]
    found = signals.inhibition_lag(e, i, 1e-3, reach=5e-3)
    naive = []
    for c in range(6):
        a, b = e[..., c] - e[..., c].mean(), i[..., c] - i[..., c].mean()
        product = np.mean([a[trial, n] * b[trial, n + 2] for trial in range(2) for n in range(98)])
        naive.append(product / (a.std() * b.std()))
    assert found.correlation[7] == pytest.approx(np.mean(naive))


def test_what_has_no_lag():
    e, _ = currents()
    constant = signals.inhibition_lag(e, np.ones_like(e), 1e-3)
    assert np.isnan(constant.lag) and np.isnan(constant.peak)
    assert signals.inhibition_lag(e[:, 4:], e[:, :-4], 1e-3, reach=4e-3).lag != 4e-3  # at the end


def test_a_network_with_delayed_inhibition():
    """Both currents follow one input; inhibition through a pathway that is 4 ms longer."""
    net = bs.Network(dt=5e-4)
    source = net.input(50, sign="excitatory", name="in")
    feed = net.input(50, sign="inhibitory", name="feed")
    cells = net.population(20, bs.ei_lif(tau_exc=5e-3, tau_inh=5e-3), "excitatory", name="E")
    weights = np.full((50, 20), 0.02)
    net.connect(source, cells, weights=weights, delay=1e-3)
    net.connect(feed, cells, weights=weights, delay=5e-3)
    spikes = bs.data.poisson(20.0, 50, 2.0, seed=1)
    trace = bs.run(net, {"in": spikes, "feed": spikes}, record=["E.I_exc", "E.I_inh"])
    found = signals.inhibition_lag(*signals.synaptic_currents(trace, "E"))
    assert found.lag == pytest.approx(4e-3, abs=1e-4) and found.peak > 0.98


# ------------------------------------------------------------------------------------- careless use


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda e: signals.inhibition_lag(e, -e, 1e-3), "magnitudes >= 0"),
        (lambda e: signals.inhibition_lag(e, e, 1e-3, reach=20.0), "shorter than a trial"),
        (lambda e: signals.inhibition_lag(e, e, 1e-3, reach=1e-5), "at least one step"),
        (lambda e: signals.inhibition_lag(e, e), "there is no dt"),
        (lambda e: signals.inhibition_lag(e, e[:, :50], 1e-3), "same trials and steps"),
        (lambda e: signals.detailed_balance(e[..., :1], e[..., :1]), "Record several neurons"),
        (lambda e: signals.detailed_balance(e, e[..., :2]), "of the same neurons"),
        (lambda e: signals.balance_over_time(e, e, 1e-3, window=1.0), "window is 1.0"),
        (lambda e: signals.intrinsic_timescale(e, 1e-3, across="neurons"), "across is"),
        (lambda e: signals.intrinsic_timescale(e, 1e-3, across="trials"), "three are needed"),
        (lambda e: signals.intrinsic_timescale(e, 1e-3, reach=3e-3), "3 lags"),
        (lambda e: signals.intrinsic_timescale(e, 1e-3, reach=1.0), "fewer than the 100 steps"),
        (lambda e: signals.dimensionality(e[:1, :1], 1e-3), "at least two"),
        (
            lambda e: signals.dimensionality(bs.SpikeTrains.from_dense(e > 0.5, 1e-3)),
            "there is no dt",
        ),
    ],
)
def test_careless_use(call, words):
    with pytest.raises(ValueError, match=words):
        call(currents()[0])


def test_figures():
    e, i = currents()
    for result in (
        signals.intrinsic_timescale(ou(1, 2000, 4, 10.0), 1e-3),
        signals.balance_over_time(e, i, 1e-3, window=10e-3),
        signals.detailed_balance(e, i),
        signals.inhibition_lag(e, i, 1e-3),
    ):
        home = result.plot(width=8.5)
        assert home.axes[0].get_xlabel() and home.axes[0].get_ylabel()
        axis = home.add_subplot()
        assert result.plot(ax=axis) is axis
        assert type(result).__name__ in repr(result)


# ----------------------------------------------------------------------------------- unequal trials


def test_signals_of_unequal_trials_are_cut_to_the_shortest():
    spikes = bs.data.poisson(50.0, 5, 0.3, n_trials=3, seed=1)
    early = spikes.times < np.array([0.3, 0.2, 0.25])[spikes.trials]
    uneven = bs.SpikeTrains.from_events(
        spikes.times[early],
        spikes.units[early],
        spikes.trials[early],
        n_trials=3,
        n_units=5,
        ends=[0.3, 0.2, 0.25],
    )
    found = signals.population_rate(uneven, 10e-3)
    whole = signals.population_rate(spikes, 10e-3)
    spectrum = signals.power_spectrum(uneven, 10e-3, segment=0.1)
    each = [signals.power_spectrum(uneven[k], 10e-3, segment=0.1) for k in range(3)]
    assert [one.segments for one in each] == [5, 3, 4] and spectrum.segments == 12
    mean = np.average([one.power for one in each], axis=0, weights=[5, 3, 4])
    np.testing.assert_allclose(spectrum.power, mean)
    np.testing.assert_array_equal(found.values, whole.values[:, :20])
    net = bs.Network(dt=1e-3)
    cells = net.population(2, bs.ei_lif(), "excitatory", name="E")
    net.connect(net.input(5), cells, weights=np.full((5, 2), 0.1))
    trace = bs.run(net, uneven, record=["E.U"])
    assert signals.recorded(trace, "E.U").n_steps == 200
    recording = bs.data.Recording(
        {"in": uneven},
        start=2.0,
        states=trace.states,
        state_times=trace.times,
        dt=1e-3,
    )
    signal = signals.recorded(recording, "E.U")
    np.testing.assert_array_equal(signal.values, trace.states["E.U"][:, :200])
    assert signal.start == 2.0 and signal.dt == pytest.approx(1e-3)
    kernel = {"E": signals.GaussianKernel(1.0, 5e-3, 2e-3)}
    assert signals.kernel_field_potential({"E": uneven}, kernel, 1e-3).n_steps == 200

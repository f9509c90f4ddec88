"""Spectra, coherence and spectrograms: against theory, and against scipy where it does the same."""

import numpy as np
import pytest
import scipy.signal

import biosnn as bs

signals = bs.signals
NOISE = [bs.OrnsteinUhlenbeck("E", mean=0.5, sd=0.2, tau=5e-3)]
BANDS = [(3, 10), (10, 30), (30, 100), (3, 200)]


def ou_spectrum(f, sd, tau):
    """One-sided density of an Ornstein-Uhlenbeck process."""
    return 4 * sd**2 * tau / (1 + (2 * np.pi * f * tau) ** 2)


@pytest.fixture(scope="module")
def noisy_population():
    """40 leaky membranes that never spike, driven by Ornstein-Uhlenbeck currents for 120 s."""
    net = bs.Network(dt=2e-4)
    net.population(40, bs.ei_lif(tau_mem=20e-3, threshold=1e6), "excitatory", name="E")
    fours = {f"four {i}": slice(i, i + 4) for i in range(0, 40, 4)}
    record = {"E.U": bs.Means(fours | {str(i): [i] for i in range(10)})}
    return bs.simulate(net, 120.0, background=NOISE, record=record, every=5, seed=3, progress=False)


@pytest.mark.parametrize("low, high", BANDS)
@pytest.mark.parametrize("columns, share", [(slice(10), 1 / 4), (slice(10, 20), 1.0)])
def test_ou_population_against_theory(noisy_population, low, high, columns, share):
    """S_U(f) = S_x(f) / (1 + (2 pi f tau_mem)^2), and 1/N of it for the mean of N neurons."""
    signal = signals.recorded(noisy_population, "E.U")
    assert signal.dt == pytest.approx(1e-3) and signal.n_channels == 20
    chosen = signals.Signal(signal.values[..., columns], signal.dt)
    spectrum = signals.power_spectrum(chosen)
    f = spectrum.frequencies
    theory = share * ou_spectrum(f, 0.2, 5e-3) / (1 + (2 * np.pi * f * 20e-3) ** 2)
    inside = (f >= low) & (f <= high)
    found = np.mean(spectrum.in_band(low, high))
    assert found == pytest.approx(theory[inside].sum() * f[1], rel=0.03)


def test_exact_ou_process_against_theory():
    rng, n, dt, tau = np.random.default_rng(5), 200_000, 1e-3, 20e-3
    decay = np.exp(-dt / tau)
    white = rng.normal(size=(n, 8)) * np.sqrt(1 - decay**2)
    x = scipy.signal.lfilter([1.0], [1.0, -decay], white, axis=0)
    spectrum = signals.power_spectrum(x, dt)
    f = spectrum.frequencies
    for low, high in BANDS[:3]:
        inside = (f >= low) & (f <= high)
        theory = ou_spectrum(f[inside], 1.0, tau).sum() * f[1]
        assert spectrum.in_band(low, high).mean() == pytest.approx(theory, rel=0.03)


def test_spectrum_is_that_of_scipy_averaged_over_trials():
    x = 3 + np.random.default_rng(0).normal(size=(3, 2000, 2))
    found = signals.power_spectrum(x, 1e-3, segment=0.25)
    f, power = scipy.signal.welch(x, 1e3, nperseg=250, axis=1)
    np.testing.assert_allclose(found.power, power.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.frequencies, f)
    assert found.segments == 45 and found.power[0].max() < 1e-3  # the mean is removed


@pytest.mark.parametrize("shape", [(4000,), (4000, 3), (2, 4000, 3)])
def test_integral_is_the_variance(shape):
    x = np.random.default_rng(1).normal(2.0, 0.7, size=shape)
    spectrum = signals.power_spectrum(x, 1e-3)
    total = spectrum.in_band(0, np.inf)
    assert np.shape(total) == (() if len(shape) == 1 else (3,))
    np.testing.assert_allclose(total, 0.49, rtol=0.05)


def test_poisson_rate_has_a_flat_spectrum():
    spikes = bs.data.poisson(30.0, n_units=40, duration=40.0, n_trials=3, seed=2)
    spectrum = signals.power_spectrum(spikes, 1e-3)
    for low, high in [(3, 50), (50, 200), (200, 500)]:
        inside = (spectrum.frequencies >= low) & (spectrum.frequencies <= high)
        assert spectrum.power[inside].mean() == pytest.approx(2 * 30.0 / 40, rel=0.03)


def test_population_rate_counts_whole_bins():
    spikes = bs.SpikeTrains.from_units([[0.0, 0.011, 0.019], [0.031, 0.0395]], duration=0.042)
    signal = signals.population_rate(spikes, 0.01)
    np.testing.assert_allclose(signal.values[0, :, 0], np.array([1, 2, 0, 2]) / (2 * 0.01))


def test_peak_of_an_oscillation():
    rng, t = np.random.default_rng(3), np.arange(8000) * 1e-3
    x = np.sin(2 * np.pi * 42 * t) + rng.normal(size=t.size)
    spectrum = signals.power_spectrum(x + 100, 1e-3)
    assert spectrum.peak() == 42 and spectrum.peak(100, 200) != 42
    assert spectrum.in_band(39, 45) == pytest.approx(0.5, rel=0.1)


# ---------------------------------------------------------------------------------------- coherence


def test_coherence_is_that_of_scipy():
    x, y = np.random.default_rng(1).normal(size=(2, 5000))
    y = y + scipy.signal.lfilter([0.0, 0.0, 1.0], [1.0, -0.5], x)
    found = signals.coherence(x, y, 1e-3, segment=0.2)
    f, expected = scipy.signal.coherence(x, y, 1e3, nperseg=200)
    np.testing.assert_allclose(found.coherence, expected, rtol=1e-10)
    np.testing.assert_allclose(found.frequencies, f)


def test_coherence_and_phase_of_a_delayed_noisy_copy():
    """y(t) = x(t - d) + noise of half the variance: C = 1 / 1.5, phase 2 pi f d."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(20, 3004))
    y = x[:, :-4] + np.sqrt(0.5) * rng.normal(size=(20, 3000))
    one, other = (signals.Signal(each[..., None], 1e-3) for each in (x[:, 4:], y))
    found = signals.coherence(one, other, segment=0.25)
    f = found.frequencies
    inside = (f > 10) & (f < 100)
    assert found.coherence[inside].mean() == pytest.approx(1 / 1.5, rel=0.03)
    np.testing.assert_allclose(found.phase[inside], 2 * np.pi * f[inside] * 4e-3, atol=0.2)


def test_independent_signals_are_rarely_significant():
    x, y = np.random.default_rng(4).normal(size=(2, 40, 4000, 1))
    found = signals.coherence(signals.Signal(x, 1e-3), signals.Signal(y, 1e-3), segment=0.5)
    assert found.segments == 40 * 15
    exceeding = np.mean(found.coherence[2:-2] > found.significance(0.95))
    assert exceeding == pytest.approx(0.05, abs=0.02)


def test_one_segment_has_no_coherence():
    with pytest.raises(ValueError, match="whose coherence is 1"):
        signals.coherence(np.arange(100.0), np.arange(100.0), 1e-3, segment=0.08)


# -------------------------------------------------------------------------------------- spectrogram


def test_spectrogram_is_that_of_scipy():
    x = np.random.default_rng(0).normal(size=(3, 2000, 2))
    found = signals.spectrogram(x, 1e-3, segment=0.2, every=0.05)
    f, t, power = scipy.signal.spectrogram(
        x, 1e3, window="hann", nperseg=200, noverlap=150, axis=1, mode="psd"
    )
    np.testing.assert_allclose(found.power, power.mean(0).transpose(0, 2, 1), rtol=1e-10)
    np.testing.assert_allclose(found.times, t)
    np.testing.assert_allclose(found.frequencies, f)


def test_spectrogram_of_a_rising_frequency():
    t = np.arange(4000) * 1e-3
    chirp = np.cos(2 * np.pi * (20 * t + 10 * t**2))  # at t: 20 + 20 t Hz
    found = signals.spectrogram(signals.Signal(chirp, 1e-3, start=2.0), segment=0.25)
    highest = found.frequencies[found.power.argmax(axis=0)]
    np.testing.assert_allclose(highest, 20 + 20 * (found.times - 2.0), atol=2.5)


# ------------------------------------------------------------------------------------- careless use


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda x: signals.power_spectrum(x), "there is no dt"),
        (lambda x: signals.power_spectrum(x, 0.0), "dt is 0.0"),
        (lambda x: signals.power_spectrum(x, 1e-3, segment=5.0), "at most the 1000 steps"),
        (lambda x: signals.power_spectrum(x, 1e-3, segment=1e-3), "at least 8 steps"),
        (lambda x: signals.power_spectrum(x[:5], 1e-3), "has shape"),
        (lambda x: signals.power_spectrum(x.reshape(10, 100), 1e-3), "give values"),
        (lambda x: signals.power_spectrum(x[:, None, None, None], 1e-3), "has shape"),
        (lambda x: signals.power_spectrum([], 1e-3), "has shape"),
        (lambda x: signals.power_spectrum(x * np.nan, 1e-3), "finite"),
        (lambda x: signals.power_spectrum(signals.Signal(x, 1e-3), 2e-3), "leave dt out"),
        (lambda x: signals.power_spectrum(x, 1e-3).in_band(3.1, 3.2), "no frequency is in"),
        (lambda x: signals.coherence(x, x[:500], 1e-3), "same trials and steps"),
        (lambda x: signals.coherence(x, x, 1e-3).significance(95), "level is 95"),
        (lambda x: signals.spectrogram(x, 1e-3, every=1.0), "at most the 200 steps"),
    ],
)
def test_careless_use(call, words):
    with pytest.raises(ValueError, match=words):
        call(np.random.default_rng(1).normal(size=1000))


def test_a_run_is_not_one_signal(noisy_population):
    with pytest.raises(ValueError, match="which holds many signals"):
        signals.power_spectrum(noisy_population)
    with pytest.raises(ValueError, match="was not recorded"):
        signals.recorded(noisy_population, "E.I_exc")
    with pytest.raises(ValueError, match="run is"):
        signals.recorded(np.ones(3), "E.U")


def test_recorded_of_a_run_and_of_a_continued_simulation(noisy_population):
    net = noisy_population.network
    trace = bs.run(net, duration=0.05, currents={"E": 0.5}, record={"E.U": [1, 3]})
    again = bs.run(
        net, duration=0.05, currents={"E": 0.5}, record={"E.U": [1, 3]}, state=trace.state
    )
    signal = signals.recorded(again, "E.U")
    np.testing.assert_allclose(signal.values, again.states["E.U"])
    assert signal.dt == net.dt and signal.times[0] == pytest.approx(0.05)
    more = bs.simulate(
        net,
        0.01,
        background=NOISE,
        record={"E.U": "mean"},
        state=noisy_population.state,
        every=5,
        progress=False,
    )
    assert signals.recorded(more, "E.U").start == pytest.approx(120.0)


@pytest.mark.parametrize("width", [None, 8.5])
def test_figures_of_spectra(width):
    x, y = np.random.default_rng(1).normal(size=(2, 4000, 3))
    for result in (
        signals.power_spectrum(x, 1e-3),
        signals.coherence(x, y, 1e-3),
        signals.spectrogram(x, 1e-3),
    ):
        home = result.plot(width=width)
        if width:
            assert home.get_figwidth() == pytest.approx(width / 2.54)
        axis = home.add_subplot()
        assert result.plot(axis) is axis and axis.get_xlabel()
        assert type(result).__name__ in repr(result)
        with pytest.raises(ValueError, match="width"):
            result.plot(axis, width=8.5)
        with pytest.raises(ValueError, match="ax is"):
            result.plot(home)

"""Field potentials: the proxy against what can be computed, kernels against sums and spectra."""

import numpy as np
import pytest

import biosnn as bs

signals = bs.signals
DT = 1e-3


def currents(shape=(2, 400, 5), seed=1):
    return np.random.default_rng(seed).random((2, *shape))


def by_hand(e, i, late, later, alpha):
    """The weighted sum, value by value."""
    first = max(late, later)
    return np.array(
        [
            [e[b, n - late].sum() + alpha * i[b, n - later].sum() for n in range(first, e.shape[1])]
            for b in range(len(e))
        ]
    )


@pytest.mark.parametrize(
    "options, late, later, alpha",
    [
        ({}, 6, 0, 1.65),
        ({"alpha": 0.0}, 6, 0, 0.0),
        ({"excitatory_delay": 0.0, "inhibitory_delay": 3e-3}, 0, 3, 1.65),
        ({"alpha": 1.0, "inhibitory_delay": 9e-3}, 6, 9, 1.0),
    ],
)
def test_reference_weighted_sum(options, late, later, alpha):
    e, i = currents()
    expected = by_hand(e, i, late, later, alpha)
    field = signals.local_field_potential(e, i, DT, normalised=False, **options)
    np.testing.assert_allclose(field.values[..., 0], expected)
    assert field.start == pytest.approx(max(late, later) * DT)
    normal = signals.local_field_potential(signals.Signal(e, DT), signals.Signal(i, DT), **options)
    expected = (expected - expected.mean()) / expected.std()
    np.testing.assert_allclose(normal.values[..., 0], expected, atol=1e-12)


def test_means_of_currents_give_the_same_proxy():
    e, i = currents()
    whole = signals.local_field_potential(e, i, DT)
    means = [signals.Signal(each, DT).mean() for each in (e, i)]
    np.testing.assert_allclose(signals.local_field_potential(*means).values, whole.values)


def test_spectrum_of_the_proxy_of_poisson_input():
    """The currents are filtered shot noise, so that the spectrum of their weighted sum is known:
    N 2 (r_E w_E² + alpha² r_I w_I²) |K|², with K = tau / (1 + 2 pi i f tau) of an exponential.
    """
    n, tau_e, tau_i, alpha = 60, 3e-3, 8e-3, 1.65
    cells = bs.ei_lif(tau_exc=tau_e, tau_inh=tau_i, threshold=1e6)
    net = bs.Network(dt=2e-4)
    net.population(n, cells, "excitatory", name="E")
    noise = [bs.PoissonInput("E", 400.0, 0.1), bs.PoissonInput("E", 100.0, 0.2, "inh")]
    done = bs.simulate(
        net,
        100.0,
        background=noise,
        record={"E.I_exc": "mean", "E.I_inh": "mean"},
        every=5,
        seed=2,
        progress=False,
    )
    parts = signals.synaptic_currents(done, "E")
    spectrum = signals.power_spectrum(signals.local_field_potential(*parts, normalised=False))
    f = spectrum.frequencies
    one = [
        2 * rate * weight**2 * tau**2 / (1 + (2 * np.pi * f * tau) ** 2)
        for rate, weight, tau in ((400.0, 0.1, tau_e), (100.0, 0.2, tau_i))
    ]
    theory = (one[0] + alpha**2 * one[1]) / n  # of the mean over neurons
    for low, high in ((2, 60), (2, 150)):
        inside = (f >= low) & (f <= high)
        assert spectrum.in_band(low, high) == pytest.approx(theory[inside].sum() * f[1], rel=0.04)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"inhibitory": -1.0}, "magnitudes >= 0"),
        ({"excitatory_delay": 1.0}, "nothing of it would"),
        ({"excitatory_delay": -1e-3}, "excitatory_delay is -0.001"),
        ({"alpha": -1}, "alpha is -1"),
        ({"inhibitory": 2.0}, "same trials and steps"),
        ({"inhibitory": 3.0}, "of the same neurons"),
        ({"dt": None}, "there is no dt"),
        ({"excitatory": 4.0, "inhibitory": 4.0}, "do not vary"),
    ],
)
def test_careless_use_of_the_proxy(change, words):
    e, i = currents()
    arguments = {"excitatory": e, "inhibitory": i, "dt": DT} | change
    wrong = {-1.0: -i, 2.0: i[:, :-1], 3.0: i[..., :2], 4.0: np.ones_like(i)}
    for name in ("excitatory", "inhibitory"):
        given = arguments[name]
        arguments[name] = wrong.get(given) if isinstance(given, float) else given
    with pytest.raises(ValueError, match=words):
        signals.local_field_potential(**arguments)


def test_a_delay_between_steps_warns():
    e, i = currents()
    with pytest.warns(bs.RoundingWarning):
        signals.local_field_potential(e, i, 4e-3)


# ------------------------------------------------------------------------------------------ kernels

GAUSS = signals.GaussianKernel(2.0, 10e-3, 3e-3)
ALPHA = signals.AlphaKernel(np.linspace(0.5, 2, 30), np.linspace(0, 20e-3, 30), 5e-3)


def on_grid(spikes, dt):
    """The same spikes, at whole steps."""
    return bs.SpikeTrains(
        times=np.floor(spikes.times / dt) * dt,
        units=spikes.units,
        offsets=spikes.offsets,
        n_units=spikes.n_units,
        duration=spikes.duration,
    )


@pytest.mark.parametrize("kernel", [GAUSS, ALPHA], ids=["gauss", "alpha"])
def test_field_is_the_sum_of_kernels(kernel):
    spikes = on_grid(bs.data.poisson(40.0, 30, 0.3, n_trials=2, seed=1), DT)
    delays = np.round(np.asarray(kernel.delay) / DT) * DT
    kernel = type(kernel)(kernel.amplitude, delays, getattr(kernel, "sd", 5e-3))
    field = signals.kernel_field_potential({"E": spikes}, {"E": kernel}, DT)
    amplitude, delay = (np.broadcast_to(x, 30) for x in (kernel.amplitude, kernel.delay))
    for b in range(2):
        times, units = spikes[b].times, spikes[b].units
        expected = [
            (amplitude[units] * kernel.shape(n * DT - times - delay[units])).sum()
            for n in range(300)
        ]
        np.testing.assert_allclose(field.values[b, :, 0], expected, atol=1e-8 * max(expected))


def test_spikes_between_steps_are_shared():
    spikes = bs.SpikeTrains.from_units([[0.05025]], duration=0.1)
    field = signals.kernel_field_potential({"E": spikes}, {"E": GAUSS}, DT)
    exact = 2.0 * GAUSS.shape(field.times - 0.05025 - 10e-3)
    np.testing.assert_allclose(field.values[0, :, 0], exact, atol=0.03)
    weight = field.values.sum() / exact.sum()
    assert weight == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("kernel", [GAUSS, ALPHA], ids=["gauss", "alpha"])
def test_spectrum_of_a_field_of_poisson_neurons(kernel):
    """2 sum_i r_i |K_i(f)|²."""
    spikes = bs.data.poisson(20.0, 30, 100.0, n_trials=5, seed=3)
    spectrum = signals.power_spectrum(
        signals.kernel_field_potential({"E": spikes}, {"E": kernel}, DT)
    )
    f = spectrum.frequencies
    transfers = np.broadcast_to(kernel.transfer(f), (30, f.size))
    theory = 2 * 20.0 * (np.abs(transfers) ** 2).sum(axis=0)
    for low, high in ((2, 20), (20, 50), (50, 80)):
        inside = (f >= low) & (f <= high)
        assert spectrum.in_band(low, high) == pytest.approx(theory[inside].sum() * f[1], rel=0.04)


@pytest.mark.parametrize("kernel", [GAUSS, signals.AlphaKernel(1.5, 2e-3, 5e-3)])
def test_transfer_is_the_fourier_transform(kernel):
    t = np.arange(-0.1, 0.4, 1e-5)
    values = kernel.amplitude * kernel.shape(t - kernel.delay)
    f = np.array([0.0, 7.0, 40.0])
    numerical = (values * np.exp(-2j * np.pi * f[:, None] * t)).sum(axis=1) * 1e-5
    np.testing.assert_allclose(kernel.transfer(f), numerical, atol=1e-7)


@pytest.mark.parametrize("layer, peaks", [("soma", (0.48, 3.0)), ("surface", (-0.08, 0.3))])
def test_unitary_fields_of_the_paper(layer, peaks):
    """In mm and ms, as the authors' program writes them."""
    distance = np.array([0.0, 0.1, 0.35])
    for sign, peak, sd in (("excitatory", peaks[0], 3.15), ("inhibitory", peaks[1], 2.1)):
        kernel = signals.unitary_field_potential(sign, distance * 1e-3, layer=layer)
        np.testing.assert_allclose(kernel.amplitude * 1e6, peak * np.exp(-distance / 0.2))
        np.testing.assert_allclose(kernel.delay * 1e3, 10.4 + distance / 0.2)
        assert kernel.sd * 1e3 == pytest.approx(sd)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda s: signals.kernel_field_potential(s, GAUSS, DT), "must be dicts"),
        (lambda s: signals.kernel_field_potential({"E": s}, {"I": GAUSS}, DT), "kernels has I"),
        (lambda s: signals.kernel_field_potential({"E": s}, {"E": 3}, DT), "kernel of 'E' is 3"),
        (lambda s: signals.kernel_field_potential({"E": s}, {"E": GAUSS}, 0.0), "dt is 0.0"),
        (lambda s: signals.kernel_field_potential({"E": s}, {"E": ALPHA}, DT), "30 neurons"),
        (lambda s: signals.unitary_field_potential("exc", 0.0), "sign is 'exc'"),
        (lambda s: signals.unitary_field_potential("excitatory", 0.2), "metres"),
        (lambda s: signals.GaussianKernel([1, 2], [1, 2, 3], 1e-3), "or \\(neurons,\\)"),
        (lambda s: signals.AlphaKernel(1.0, 0.0, 0.0), "tau is 0.0"),
    ],
)
def test_careless_use_of_kernels(call, words):
    with pytest.raises(ValueError, match=words):
        call(bs.SpikeTrains.from_units([[0.01], []], duration=0.1))


# ----------------------------------------------------------------------------------------- currents


def a_run(neuron, record, receptors=("exc", "inh"), simulated=False):
    net = bs.Network(dt=DT)
    net.population(4, neuron, "excitatory", name="E")
    noise = [bs.PoissonInput("E", 300.0, 0.02, receptor) for receptor in receptors]
    return bs.simulate(net, 0.3, background=noise, record=record, progress=False)


def test_currents_of_ei_lif_and_of_nmda():
    done = a_run(bs.ei_lif(), ["E.I_exc", "E.I_inh"])
    e, i = signals.synaptic_currents(done, "E")
    np.testing.assert_allclose(e.values[0], done.states["E.I_exc"])
    np.testing.assert_allclose(i.values[0], done.states["E.I_inh"])
    names = ["E.I_ampa", "E.I_nmda", "E.I_gaba"]
    done = a_run(bs.ampa_nmda_gaba(), names)
    e, i = signals.synaptic_currents(done, done.network["E"])
    ampa, nmda, gaba = (done.states[name] for name in names)
    np.testing.assert_allclose(e.values[0], 0.5 * ampa + 0.5 * nmda, rtol=1e-6)
    np.testing.assert_allclose(i.values[0], gaba)
    assert nmda.max() > 0 and gaba.max() > 0


@pytest.mark.parametrize("model", [bs.conductance_lif, bs.alpha_conductance_lif])
def test_currents_through_conductances(model):
    neuron = model()
    record = {"E.U": [1, 2], "E.g_exc": [1, 2], "E.g_inh": [1, 2]}
    done = a_run(neuron, record)
    e, i = signals.synaptic_currents(done, "E")
    u = done.states["E.U"].astype(float)
    expected = done.states["E.g_exc"] * (neuron.reversal["g_exc"] - u)
    np.testing.assert_allclose(e.values[0], expected, rtol=1e-6)
    expected = done.states["E.g_inh"] * (u - neuron.reversal["g_inh"])
    np.testing.assert_allclose(i.values[0], expected, rtol=1e-6)
    assert e.values.max() > 0
    mean = a_run(neuron, dict.fromkeys(record, "mean"))
    with pytest.raises(ValueError, match="recorded as a mean"):
        signals.synaptic_currents(mean, "E")
    mixed = a_run(neuron, record | {"E.U": None})
    with pytest.raises(ValueError, match="different neurons"):
        signals.synaptic_currents(mixed, "E")


def test_neurons_without_separate_currents():
    for neuron, receptors in ((bs.lif(), ("exc", "inh")), (bs.lif_delta(), ("exc",))):
        done = a_run(neuron, ["E.U"], receptors)
        with pytest.raises(ValueError, match="no separate excitatory and inhibitory"):
            signals.synaptic_currents(done, "E")
    done = a_run(bs.ei_lif(), ["E.I_exc"])
    with pytest.raises(ValueError, match="'E.I_inh' was not recorded"):
        signals.synaptic_currents(done, "E")
    with pytest.raises(ValueError, match="population is 3"):
        signals.synaptic_currents(done, 3)

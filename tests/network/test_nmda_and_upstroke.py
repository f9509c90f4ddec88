"""NMDA conductances, gating that saturates, and the exponential neuron: numbers of the papers."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import biosnn as bs


def block(neuron, u):
    """What magnesium leaves of the conductance at U."""
    eta, gamma = neuron.magnesium["g_nmda"]
    return 1 / (1 + eta * np.exp(-gamma * u))


@pytest.mark.parametrize("magnesium", [0.0, 0.5, 1.0, 1.5])
@pytest.mark.parametrize("rest", [-70e-3, -60e-3])
def test_the_block_of_jahr_and_stevens(magnesium, rest):
    """Their formula with mM and mV, of the absolute potential."""
    v = np.array([-90.0, -70.0, -50.0, -20.0, 0.0, 40.0])  # mV
    expected = 1 / (1 + magnesium / 3.57 * np.exp(-0.062 * v))
    neuron = bs.nmda_lif(magnesium=magnesium, rest=rest)
    np.testing.assert_allclose(block(neuron, v * 1e-3 - rest), expected, rtol=1e-12)
    in_units = bs.nmda_lif(
        magnesium=magnesium, rest=rest, unit=20e-3, threshold=1.0, reset=0.75, reversal_exc=3.5
    )
    np.testing.assert_allclose(block(in_units, (v * 1e-3 - rest) / 20e-3), expected, rtol=1e-12)


def test_nmda_lif_is_a_table_with_three_conductances():
    neuron = bs.nmda_lif()
    assert list(neuron.states) == ["U", "g_ampa", "g_nmda", "g_gaba"]
    ends = {name: (r.state, r.jump, r.sign) for name, r in neuron.receptors.items()}
    assert ends == {
        "exc": ("g_ampa", 1.0, 1),
        "inh": ("g_gaba", 1.0, -1),
        "nmda": ("g_nmda", 1.0, 1),
    }
    assert neuron.reversal == {"g_ampa": 70e-3, "g_nmda": 70e-3, "g_gaba": 0.0}
    assert "g_nmda / (1 + 21.49 exp(-62 U))" in repr(neuron)
    net = bs.Network(1e-4)
    e = net.population(2, neuron, "excitatory", name="E")
    assert net.connect(e, e, receptor="nmda").receptor == "nmda"


@pytest.mark.parametrize(
    "options, words",
    [
        ({"magnesium": -1.0}, "nmda_lif: magnesium is -1.0; .* in mM >= 0"),
        ({"unit": 0.0}, "nmda_lif: unit is 0.0"),
        ({"rest": -70.0}, "nmda_lif: rest is -70.0; .* in volts from -1 to 1"),
        ({"reversal_exc": None}, "nmda_lif: reversal_exc is None"),
    ],
)
def test_careless_users_of_nmda_lif(options, words):
    with pytest.raises(ValueError, match=words):
        bs.nmda_lif(**options)


@pytest.mark.parametrize(
    "given, words",
    [
        ({"U": (1.0, 2.0)}, "those with a reversal potential are g_ampa, g_nmda, g_gaba"),
        ({"g_nmda": 3.0}, r"a pair \(eta, gamma\)"),
        ({"g_nmda": (1.0,)}, r"a pair \(eta, gamma\)"),
        ({"g_nmda": (-1.0, 2.0)}, "eta is -1.0"),
        ({"g_nmda": (1.0, np.nan)}, "gamma is nan"),
        ([("g_nmda", (1.0, 2.0))], "magnesium is .* a dict"),
    ],
)
def test_a_block_that_is_none(given, words):
    with pytest.raises(ValueError, match=words):
        replace(bs.nmda_lif(), magnesium=given)


# ----------------------------------------------------------------------------- saturating gating


def integral_of_wangs_gating(rule, times, until):
    """The integral of s until a time after spikes, from the two differential equations."""
    y = np.zeros(3)
    for start, stop in zip(times, [*times[1:], until], strict=True):
        y[1] += 1

        def slope(_, y):
            s, x, _ = y
            return [-s / rule.tau_decay + rule.alpha * x * (1 - s), -x / rule.tau_rise, s]

        options = {"rtol": 1e-10, "atol": 1e-13, "max_step": 0.05}
        y = solve_ivp(slope, (start, stop), y, **options).y[:, -1]
    return y[2]


def integral_of_jumps(rule, times, until):
    """The same of s that jumps by the share at every spike."""
    s, total = 0.0, 0.0
    for start, stop in zip(times, [*times[1:], until], strict=True):
        s += rule.share * (1 - s)
        decay = np.exp(-(stop - start) / rule.tau_decay)
        total += rule.tau_decay * s * (1 - decay)
        s *= decay
    return total


@pytest.mark.parametrize("alpha", [100.0, 500.0, 2000.0])
@pytest.mark.parametrize("rise", [0.5e-3, 2e-3, 20e-3])
def test_a_lone_spike_carries_the_charge_of_the_equations(alpha, rise):
    rule = bs.SaturatingGating(alpha=alpha, tau_rise=rise)
    jumps, equations = (f(rule, [0.0], 3.0) for f in (integral_of_jumps, integral_of_wangs_gating))
    assert rule.correction * jumps == pytest.approx(equations, rel=1e-7)
    assert rule.correction > 1


@pytest.mark.parametrize("rate, tolerance", [(5.0, 1e-4), (20.0, 1e-3), (50.0, 5e-3)])
def test_trains_carry_the_charge_of_the_equations(rate, tolerance):
    """Above 1 / tau_rise x adds up from spike to spike, which the form with jumps leaves out."""
    rule, times = bs.SaturatingGating(), np.arange(0.0, 0.5, 1 / rate)
    jumps, equations = (f(rule, times, 1.5) for f in (integral_of_jumps, integral_of_wangs_gating))
    assert rule.correction * jumps == pytest.approx(equations, rel=tolerance)


def test_it_is_short_term_depression_of_what_is_closed():
    rule = bs.SaturatingGating(alpha=500.0, tau_rise=2e-3, tau_decay=0.1)
    assert rule.share == pytest.approx(1 - np.exp(-1))
    same = bs.TsodyksMarkram(rule.utilization, rule.tau_rec, rule.tau_facil)
    rates = np.array([0.0, 5.0, 50.0])
    np.testing.assert_array_equal(rule.steady_state(rates), same.steady_state(rates))
    for rate in (0.0, 7.0):
        assert bs.theory.efficacy(rule, rate) == bs.theory.efficacy(same, rate)


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: bs.SaturatingGating(alpha=0), "SaturatingGating: alpha is 0"),
        (lambda: bs.SaturatingGating(tau_rise=-1), "SaturatingGating: tau_rise is -1"),
        (lambda: bs.SaturatingGating(tau_decay=2e-3), "must be shorter than tau_decay = 0.002 s"),
        (lambda: connected(bs.SaturatingGating(tau_decay=0.05)), "0.05 s, but g_nmda of 'E'"),
        (lambda: connected(bs.SaturatingGating(), receptor="exc"), "but g_ampa of 'E'"),
    ],
)
def test_careless_users_of_gating(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def connected(rule, receptor="nmda"):
    net = bs.Network(1e-4)
    e = net.population(3, bs.nmda_lif(), "excitatory", name="E")
    return net.connect(e, e, weights=np.ones((3, 3)), receptor=receptor, plasticity=rule)


def test_the_gating_of_a_projection():
    rule = bs.SaturatingGating()
    assert connected(rule).plasticity is rule and "alpha=500.0" in repr(connected(rule))


# ---------------------------------------------------------------------------- exponential neuron


def test_the_rheobase_of_the_exponential_neuron():
    """Without noise it fires above onset - slope, where -U + slope exp((U - onset) / slope) + I is
    positive for every U, and not below.
    """
    neuron = bs.exponential_lif()
    rheobase = 5.1e-3 - 3.48e-3
    counts = []
    for current in (rheobase - 0.05e-3, rheobase + 0.05e-3):
        net = bs.Network(1e-4, np.float64)
        net.population(1, neuron, name="E")
        noise = [bs.Current("E", current)]
        done = bs.simulate(net, 1.0, background=noise, progress=False, threads=1)
        counts.append(done.spikes["E"].times.size)
    assert counts[0] == 0 and counts[1] > 0


def test_it_is_adex_without_adaptation():
    plain, adapting = (
        bs.exponential_lif(),
        bs.adex(
            tau_mem=10e-3,
            slope=3.48e-3,
            onset=5.1e-3,
            peak=35e-3,
            reset=-3e-3,
            refractory=1.7e-3,
            b=0,
        ),
    )
    assert plain.nonlinear_drive == adapting.nonlinear_drive
    for name in ("threshold", "reset", "refractory", "integrator", "receptors"):
        assert getattr(plain, name) == getattr(adapting, name)


@pytest.mark.parametrize("options", [{"slope": 0.0}, {"onset": 0.04}, {"peak": [0.03, 0.005]}])
def test_careless_users_of_the_exponential_neuron(options):
    with pytest.raises(ValueError, match="exponential_lif: slope .* must lie below peak"):
        bs.exponential_lif(**options)

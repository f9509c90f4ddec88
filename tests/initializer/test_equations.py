"""The initializer's equations against a published table, and targets that cannot be met."""

import json

import numpy as np
import pytest

from biosnn.initializer.equations import Afferent, solve_dale, solve_normal
from biosnn.network import families
from biosnn.network.neuron_models import ei_lif, lif
from biosnn.theory import moments, stationary_rate
from tests.reference import DATA


def afferent(name, sign, recurrent, n, rate, eps_bar, eps_hat, **options):
    return Afferent(
        name=name,
        sign=sign,
        recurrent=recurrent,
        n=n,
        rate=rate,
        eps_bar=eps_bar,
        eps_hat=eps_hat,
        **options,
    )


TABLE = json.loads((DATA / "initializer_table.json").read_text())
RELATIVE = dict(rtol=1e-6, atol=1e-12)


def integrals(row, neuron, receptor):
    return moments.psp_integrals(neuron, row["dt"], receptor, duration=10 * row["tau_mem"])


@pytest.mark.parametrize("row", [r for r in TABLE if r["kind"] == "psp"])
def test_psp_integrals(row):
    neuron = lif(tau_mem=row["tau_mem"], tau_syn=row["tau_syn"], integrator="exponential_euler")
    expected = row["eps_bar_numerical"], row["eps_hat_numerical"]
    np.testing.assert_allclose(integrals(row, neuron, "syn"), expected, **RELATIVE)
    np.testing.assert_allclose(
        moments.psp_integrals(neuron, row["dt"], "syn"), expected, rtol=1e-3
    )  # the tail


@pytest.mark.parametrize("row", [r for r in TABLE if r["kind"] == "normal"])
def test_normal_weights(row):
    eps = integrals(
        row,
        lif(tau_mem=row["tau_mem"], tau_syn=row["tau_syn"], integrator="exponential_euler"),
        "syn",
    )
    afferents = [afferent("feedforward", 0, False, row["n_in"], row["nu"], *eps)]
    afferents += (
        [afferent("recurrent_w", 0, True, row["n"], row["nu"], *eps)] if row["recurrent"] else []
    )
    solved = solve_normal("x", afferents, row["mu_u"], (1 - row["mu_u"]) / row["xi"], row["alpha"])
    for name, values in solved.items():
        np.testing.assert_allclose(values, (row[name]["mu_w"], row[name]["sigma_w"]), **RELATIVE)


@pytest.mark.parametrize("row", [r for r in TABLE if r["kind"] == "exponential"])
def test_exponential_weights(row):
    neuron = ei_lif(
        tau_mem=row["tau_mem"],
        tau_exc=row["tau_exc"],
        tau_inh=row["tau_inh"],
        integrator="exponential_euler",
    )
    x, e, i = ("XE", "EE", "IE") if row["target"] == "exc" else ("XI", "EI", "II")
    exc, inh = integrals(row, neuron, "exc"), integrals(row, neuron, "inh")
    afferents = [
        afferent(x, 1, False, row["n_in"], row["nu"], *exc),
        afferent(i, -1, True, row["n_inh"], row["nu"], *inh),
    ]
    afferents += [afferent(e, 1, True, row["n_exc"], row["nu"], *exc)] if row["recurrent"] else []
    solved = solve_dale("target", afferents, 0.0, row["sigma_u"], row["alpha"])
    for name, rate in row["rate_parameter_lambda"].items():
        np.testing.assert_allclose(1 / solved[name][0], rate, **RELATIVE)


@pytest.mark.parametrize("mu", [-0.3, 0.0, 0.2])
@pytest.mark.parametrize(
    "family",
    [
        families.Exponential(),
        families.LogNormal(0.7),
        families.Gamma(3.0),
        families.HalfNormal(),
        families.Uniform(),
        families.Constant(),
    ],
)
def test_dale_solution_has_the_target_moments(family, mu):
    afferents = [
        afferent("X", 1, False, 700, 9.0, 0.01, 2e-3, fano=0.98, kappa=family.kappa),
        afferent("E", 1, True, 128, 5.0, 0.01, 2e-3, fano=0.99, kappa=family.kappa),
        afferent("I", -1, True, 32, 8.0, -0.02, 5e-3, fano=0.98, kappa=family.kappa),
    ]
    solved = solve_dale("E", afferents, mu, 0.5, 0.8)
    mean = sum(a.sign * a.mean_gain * solved[a.name][0] for a in afferents)
    variances = {a.name: a.variance_gain * family.kappa * solved[a.name][0] ** 2 for a in afferents}
    assert mean == pytest.approx(mu, abs=1e-12)
    assert sum(variances.values()) == pytest.approx(0.25, rel=1e-12)
    assert variances["X"] / (variances["X"] + variances["E"]) == pytest.approx(0.8, rel=1e-12)


@pytest.mark.statistical
@pytest.mark.parametrize(
    "family",
    [
        families.Exponential(),
        families.LogNormal(0.7),
        families.Gamma(3.0),
        families.HalfNormal(),
        families.Uniform(),
        families.Constant(),
    ],
)
def test_families_draw_what_kappa_says(family):
    w = family.draw(np.random.default_rng(1), 400000)
    assert w.min() >= 0 and w.mean() == pytest.approx(1, abs=0.01)
    assert (w**2).mean() == pytest.approx(family.kappa, rel=0.02)


def test_infeasible_targets_say_what_would_do():
    exc = afferent("X", 1, False, 100, 10.0, 0.01, 2e-3)
    inh = afferent("I", -1, True, 25, 10.0, -0.02, 5e-3)
    with pytest.raises(ValueError, match=r"mu_U <= .* fails.*sigma_U >="):
        solve_dale("E", [exc, inh], 50.0, 0.1, 0.9)
    with pytest.raises(ValueError, match="no inhibitory afferent"):
        solve_dale("E", [exc], 0.0, 0.1, 0.9)
    with pytest.raises(ValueError, match=r"Feasible: \|mu_U\| <="):
        solve_normal("h", [exc], 9.0, 0.1, 0.9)
    with pytest.raises(ValueError, match=r"I has no synapses \(its in-degree is 0\)"):
        solve_dale("E", [exc, afferent("I", -1, True, 0, 10.0, -0.02, 5e-3)], 0.0, 1.0, 0.9)
    with pytest.raises(ValueError, match="0 Hz"):
        solve_dale("E", [exc, afferent("I", -1, True, 25, 0.0, -0.02, 5e-3)], 0.0, 1.0, 0.9)


def test_a_threshold_far_away_needs_no_grid_that_reaches_it():
    assert stationary_rate(0.0, 1e-3, 20e-3, 5e-3, 1e-3) == 0
    assert 0 < stationary_rate(0.0, 0.2, 20e-3, 5e-3, 1e-3) < 0.01


@pytest.mark.statistical
def test_stationary_rate_against_a_simulation():
    tau_mem, tau_syn, dt, sigma = 20e-3, 10e-3, 2e-3, 0.5
    rng, n, steps = np.random.default_rng(0), 4000, 2500
    a, d = np.exp(-dt / tau_mem), np.exp(-dt / tau_syn)
    gain = tau_syn / (tau_syn - tau_mem) * (d - a)
    variance = gain**2 * (1 + a * d) / ((1 - a * d) * (1 - a * a) * (1 - d * d))
    u, i, spikes = np.zeros(n), np.zeros(n), 0
    for step in range(steps):
        u = a * u + gain * i
        fired = u > 1
        i = d * i + rng.normal(0, sigma / np.sqrt(variance), n)
        u[fired] = 0
        spikes += fired.sum() * (step >= 200)
    expected = spikes / (n * (steps - 200) * dt)
    assert stationary_rate(0.0, sigma, tau_mem, tau_syn, dt) == pytest.approx(expected, rel=0.05)


def test_a_membrane_without_input_has_no_time_constant_of_its_currents():
    with pytest.raises(ValueError, match="no receptor of lif gets a variance"):
        moments.current_time_constant(lif(), {})
    assert moments.current_time_constant(
        lif(tau_mem=20e-3, tau_syn=7e-3), {"syn": 0.3}
    ) == pytest.approx(7e-3)

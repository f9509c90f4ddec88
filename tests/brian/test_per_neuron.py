"""What differs from neuron to neuron, magnesium, the exponential neuron and saturating gating in
Brian2, beside a plain step of numpy, and beside biosnn.
"""

from dataclasses import replace

import numpy as np
import pytest

import biosnn as bs
from biosnn import brian
from tests import naive_cells

from .brian_cases import agree, changed, printed_by

b2 = pytest.importorskip("brian2")

N, STEPS = 5, 300
SPREAD = np.array([0.7, 0.9, 1.0, 1.2, 1.5])
PERIODS = np.array([0.0, 1e-3, 2e-3, 5e-3, 9e-3])
waits = pytest.mark.skip(reason="needs the new engine")

GATING = bs.SaturatingGating(tau_decay=50e-3)
#: Name -> (table, dt, mean weight, receptor, constant current, options of the population).
CASES = {
    "threshold": (bs.lif(threshold=SPREAD), 1e-3, 0.6, "exc", 0.5, {}),
    "threshold, exponential Euler": (
        bs.ei_lif(threshold=SPREAD, reset=-SPREAD, integrator="exponential_euler"),
        1e-3,
        0.4,
        "exc",
        0.3,
        {},
    ),
    "threshold that is subtracted": (
        bs.lif(threshold=SPREAD, reset="subtract"),
        1e-3,
        0.6,
        "exc",
        0.5,
        {},
    ),
    "reset": (bs.lif(reset=1 - SPREAD), 1e-3, 0.6, "exc", 0.5, {}),
    "refractory": (bs.lif(refractory=PERIODS, tau_syn=5e-3), 1e-3, 1.0, "exc", 0.5, {}),
    "refractory, held": (
        bs.lif(refractory=PERIODS, tau_mem=10e-3, tau_syn=10e-3),
        1e-3,
        0.5,
        "exc",
        0.3,
        {},
    ),
    "bounds": (
        bs.bounded(bs.lif(), low=-0.1 * SPREAD, high=1 + 0.1 * SPREAD),
        1e-3,
        0.5,
        "exc",
        -0.3,
        {},
    ),
    "start": (bs.lif(), 1e-3, 0.6, "exc", 0.5, {"initial": 0.5 * SPREAD}),
    "learned threshold": (
        bs.lif(threshold=SPREAD),
        1e-3,
        0.6,
        "exc",
        0.5,
        {"learn": {"threshold": "neuron"}},
    ),
    "jumps": (
        bs.adaptive_lif(jump=0.1 * SPREAD, threshold=SPREAD, refractory=PERIODS),
        1e-3,
        0.4,
        "exc",
        0.5,
        {},
    ),
    "reversal": (
        bs.conductance_lif(reversal_exc=60e-3 * SPREAD, refractory=PERIODS),
        0.5e-3,
        0.15,
        "exc",
        0.0,
        {},
    ),
    "magnesium": (
        bs.nmda_lif(refractory=PERIODS, threshold=18e-3 + SPREAD * 1e-3),
        0.5e-3,
        0.15,
        "nmda",
        10e-3,
        {},
    ),
    "exponential": (
        bs.exponential_lif(refractory=PERIODS, reset=-3e-3 * SPREAD),
        1e-4,
        8e-3,
        "exc",
        2e-3,
        {},
    ),
}


@pytest.fixture(autouse=True)
def interpreted():
    """Brian2 without a compiler: small networks build faster so."""
    before = b2.prefs.codegen.target
    b2.prefs.codegen.target = "numpy"
    yield
    b2.prefs.codegen.target = before


def case(name, plasticity=None):
    """(network in float64, its spikes, current, the counts of input spikes (step, unit))."""
    neuron, dt, weight, receptor, current, options = CASES[name]
    net, rng = bs.Network(dt, np.float64), np.random.default_rng(0)
    x, a = net.input(8), net.population(N, neuron, name="A", **options)
    weights = rng.exponential(weight, (8, N))
    net.connect(x, a, receptor=receptor, weights=weights, plasticity=plasticity)
    if "learn" in options:
        net.parameters["A", "threshold"] = 0.2 * SPREAD[::-1]
    spikes = bs.data.poisson(20 * 1e-3 / dt, 8, STEPS * dt, seed=1)
    binned = bs.bin_spikes(spikes, dt)
    counts = np.zeros((STEPS, 8))
    at = np.repeat(np.arange(STEPS), np.diff(binned.pointers[0])[:STEPS])
    counts[at, binned.units[: at.size]] = 1
    return net, spikes, current, counts


def assert_same(net, spikes, current, counts):
    """Brian2 has the spikes and the membrane of numpy."""
    expected, membrane = naive_cells.run(net, net["A"], counts, current)
    there = brian.to_brian2(net, spikes, record=["A.U"], currents={"A": [[current] * N]})
    there.run()
    found = np.zeros(expected.shape)
    monitor = there.spikes["A"]
    found[np.rint(np.asarray(monitor.t) / net.dt).astype(int), np.asarray(monitor.i)] = 1
    assert expected.sum() > 10 and np.ptp(expected.sum(axis=0)) > 0
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_allclose(
        np.asarray(there.states["A.U"].U).T, membrane, rtol=0, atol=1e-10 * np.abs(membrane).max()
    )


@pytest.mark.parametrize("name", list(CASES))
def test_brian2_is_what_numpy_says(name):
    assert_same(*case(name))


@pytest.mark.parametrize("rule", [GATING, bs.TsodyksMarkram(0.5, 0.1, 0.2)], ids=["NMDA", "TM"])
def test_plasticity_by_presynaptic_spikes(rule, monkeypatch):
    neuron = bs.nmda_lif(tau_nmda=50e-3)
    monkeypatch.setitem(CASES, "plastic", (neuron, 0.5e-3, 0.6, "nmda", 12e-3, {}))
    assert_same(*case("plastic", rule))


def test_numbers_per_neuron_matter():
    """With the mean in place of the values the spikes are others, so that the tests above can
    fail.
    """
    net, _, current, counts = case("threshold")
    spikes, _ = naive_cells.run(net, net["A"], counts, current)
    same = replace(net["A"].neuron, threshold=float(SPREAD.mean()))
    net._populations["A"] = replace(net["A"], neuron=same)
    assert (naive_cells.run(net, net["A"], counts, current)[0] != spikes).any()


@pytest.mark.parametrize("name", ["refractory, held", "jumps", "reversal", "magnesium", "start"])
def test_as_a_program(name, tmp_path):
    net, spikes, current, counts = case(name)
    expected, _ = naive_cells.run(net, net["A"], counts, current)
    path = brian.script(net, spikes, tmp_path / "cells", currents={"A": [[current] * N]})
    result = tmp_path / "result.npz"
    printed_by(path, result)
    with np.load(result) as done:
        steps = np.rint(done["A_times"] / net.dt).astype(int)
        found = np.zeros(expected.shape)
        found[steps, done["A_neurons"]] = 1
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", list(CASES))
def test_biosnn_is_what_brian2_says(name):
    net, spikes, current, _ = case(name)
    report = brian.compare(net, spikes, currents={"A": [[current] * N]}, progress=False)
    agree(report, 1e-11)


@pytest.mark.parametrize("synapses", [None, bs.Bernoulli(0.7)])
def test_saturating_gating_beside_brian2(synapses):
    net = bs.Network(0.5e-3)
    x, a = net.input(8), net.population(N, bs.nmda_lif(tau_nmda=50e-3), name="A")
    options = {"synapses": synapses, "seed": 1, "delay": 2e-3, "plasticity": GATING}
    net.connect(x, a, receptor="nmda", weights=bs.Exponential(0.6), **options)
    report = brian.compare(
        net,
        bs.data.poisson(40.0, 8, 0.3, seed=1),
        currents={"A": [[12e-3] * N]},
        progress=False,
    )
    agree(report, 1e-11)


def test_where_programs_part_while_weights_change():
    """U* of biosnn there is a step of the neurons alone, from where `simulate` had them."""
    net = bs.Network(1e-3)
    x, y = net.input(20, sign="excitatory"), net.input(20, name="y", sign="inhibitory")
    neuron = bs.conductance_lif(threshold=10e-3 * SPREAD, refractory=PERIODS)
    e = net.population(N, neuron, name="E", bias=1e-3)
    options = {"synapses": bs.Bernoulli(0.5), "seed": 1}
    net.connect(x, e, weights=bs.Exponential(0.1), receptor="exc", **options)
    rule = bs.InhibitorySTDP(0.01, 5.0, w_max=0.5)
    net.connect(y, e, weights=0.02, receptor="inh", plasticity=rule, **options)
    spikes = {name: bs.data.poisson(20.0, 20, 0.2, seed=k) for k, name in enumerate(("input", "y"))}
    background = [bs.OrnsteinUhlenbeck("E", 0.0, 0.2e-3, 5e-3)]
    given = {"background": background, "initial": {"E.U": 3e-3}, "progress": False}
    agree(brian.compare(net, spikes, **given))
    other = changed(net, **{"input->E": 1.03 * net.weights["input->E"]})
    d = brian.compare(net, spikes, against=other, **given).divergence
    assert d.only_in == "Brian2" and d.ours < d.threshold < d.theirs < 1.05 * d.ours
    assert d.threshold == 10e-3 * SPREAD[d.neuron]

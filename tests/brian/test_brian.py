"""Brian2 says the same: spikes identical, states to rounding. Skipped where Brian2 is not
installed.
"""

import copy
import dataclasses
import gc
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings

import biosnn as bs
from biosnn import brian
from biosnn.brian import distributions, identifiers, trial_input
from biosnn.engine.realization import realize
from tests import random_networks, reference

b2 = pytest.importorskip("brian2")


@pytest.fixture(autouse=True)
def interpreted():
    """Brian2 without a compiler: small networks build faster so."""
    before = b2.prefs.codegen.target
    b2.prefs.codegen.target = "numpy"
    yield
    b2.prefs.codegen.target = before


def one(neuron, dt=1e-3, seed=0):
    rng, net = np.random.default_rng(seed), bs.Network(dt)
    x, a = net.input(20), net.population(3, neuron, name="A")
    net.connect(x, a, receptor="exc", weights=rng.exponential(0.35, (20, 3)))
    net.connect(a, a, receptor="inh", delay=2e-3, weights=rng.exponential(0.3, (3, 3)))
    net.connect(a, net.readout(2), delay=3e-3, weights=rng.normal(size=(3, 2)))
    return net


def text(report):
    """As printed, on one line."""
    return " ".join(str(report).split())


def agree(report, tolerance=1e-12):
    assert report.identical and report.divergence is None, str(report)
    assert all(ours == theirs and ours > 0 for ours, theirs in report.spike_counts.values())
    for name, (difference, scale) in report.states.items():
        assert difference <= tolerance * scale, (name, difference, scale)


@pytest.mark.parametrize("refractory", [0.0, 1e-3, 2e-3, 5e-3])
@pytest.mark.parametrize("reset", [0.0, "subtract"])
@pytest.mark.parametrize("integrator", ["exact", "exponential_euler"])
@pytest.mark.parametrize(
    "table", [bs.lif, bs.ei_lif, bs.adaptive_lif, bs.ei_adaptive_lif, bs.ampa_nmda_gaba]
)
def test_every_table(table, integrator, reset, refractory):
    net = one(table(reset=reset, refractory=refractory, integrator=integrator))
    agree(
        brian.compare(
            net,
            bs.data.poisson(20, 20, 0.5, seed=1),
            currents={"A": np.full((500, 3), 0.3)},
            progress=False,
        )
    )


@pytest.mark.parametrize("refractory", [0.0, 2e-3])
@pytest.mark.parametrize("table", [bs.conductance_lif, bs.alpha_conductance_lif])
def test_conductances(table, refractory):
    net, rng = bs.Network(0.5e-3), np.random.default_rng(0)
    x, a = net.input(20), net.population(3, table(refractory=refractory), name="A")
    net.connect(x, a, receptor="exc", weights=rng.exponential(0.15, (20, 3)))
    net.connect(
        x, a, receptor="inh", weights=rng.exponential(0.1, (20, 3)), name="inhibition", delay=1e-3
    )
    agree(brian.compare(net, bs.data.poisson(20, 20, 0.5, seed=1), progress=False))


@pytest.mark.slow
@pytest.mark.parametrize("jump", [0.2, np.array([0.1, 0.2, 0.4])], ids=["one", "each"])
@pytest.mark.parametrize("delay", [0.0, 2e-3, 9e-3])
def test_jumps_of_adaptation(jump, delay, tmp_path):
    """Delayed, one for all or one for each, learned; as objects and as a script."""
    net, (spikes, current) = (
        bs.Network(1e-3),
        (bs.data.poisson(20, 20, 0.5, seed=1), {"A": np.full((500, 3), 0.5)}),
    )
    a = net.population(
        3,
        bs.adaptive_lif(jump=jump, refractory=2e-3, jump_delay=delay),
        name="A",
        learn={"jump": "population"},
    )
    net.connect(
        net.input(20),
        a,
        receptor="exc",
        weights=np.random.default_rng(0).exponential(0.35, (20, 3)),
    )
    net.parameters["A", "jump"][...] = 0.5
    report = brian.compare(net, spikes, currents=current, progress=False)
    agree(report)
    net.parameters["A", "jump"][...] = 0.6
    assert not brian.compare(
        net, spikes, currents=current, progress=False, against=other_jumps(net, 0.5)
    ).identical
    net.parameters["A", "jump"][...] = 0.5
    path = brian.script(net, spikes, tmp_path / "adapts", currents=current)
    done = subprocess.run([sys.executable, path], check=True, capture_output=True, text=True)
    assert f"A: {report.spike_counts['A'][0]} spikes" in done.stdout


def other_jumps(net, p):
    other = copy.copy(net)
    other.parameters = {("A", "jump"): np.array(p)}
    return other


@pytest.mark.parametrize("refractory", [0.0, 3e-3])
@pytest.mark.parametrize("low, high", [(-0.2, np.inf), (-np.inf, 1.01), (-0.1, 1.05)])
def test_bounds_of_the_membrane(low, high, refractory):
    for table in (bs.lif, bs.ei_adaptive_lif):
        net = one(bs.bounded(table(refractory=refractory), low, high))
        currents = {"A": np.random.default_rng(0).normal(0.0, 6.0, (500, 3))}
        agree(
            brian.compare(
                net, bs.data.poisson(20, 20, 0.5, seed=1), currents=currents, progress=False
            )
        )
        star = bs.run(
            net,
            bs.data.poisson(20, 20, 0.5, seed=1),
            record=["A.U_star"],
            currents={"A": currents["A"][None]},
        ).states["A.U_star"]
        for value in (low, high):
            assert (np.mean(star == np.float32(value)) > 0.01) == np.isfinite(value)


@pytest.mark.parametrize("refractory", [0.0, 2e-3])
@pytest.mark.parametrize(
    "make, weights, initial", [(bs.adex, (8e-3, 2e-3), 0.0), (bs.izhikevich, (2.0, 0.5), -65.0)]
)
def test_neurons_that_are_not_linear(make, weights, initial, refractory):
    net, rng = bs.Network(1e-4), np.random.default_rng(0)
    x, a = net.input(20), net.population(3, make(refractory=refractory), name="A", initial=initial)
    net.connect(x, a, receptor="exc", weights=rng.exponential(weights[0], (20, 3)))
    net.connect(
        x,
        a,
        receptor="inh",
        weights=rng.exponential(weights[1], (20, 3)),
        name="inhibition",
        delay=1e-3,
    )
    agree(
        brian.compare(
            net,
            bs.data.poisson(50, 20, 0.3, seed=1),
            currents={"A": np.full((3000, 3), weights[0])},
            progress=False,
        ),
        1e-10,
    )


def test_a_spike_that_differs_is_explained_for_a_neuron_that_is_not_linear():
    """Weights a little smaller in Brian2: at the first spike that differs, U before the reset lies
    on either side of the peak.
    """
    net = bs.Network(1e-4)
    net.connect(
        net.input(5),
        net.population(2, bs.adex(tau_mem=[9e-3, 10e-3]), name="A"),
        receptor="exc",
        weights=np.full((5, 2), 8e-3),
    )
    changed = copy.copy(net)
    changed.weights = {name: w * 0.99 for name, w in net.weights.items()}
    d = brian.compare(
        net, bs.data.poisson(80, 5, 0.3, seed=1), progress=False, against=changed
    ).divergence
    assert d.only_in == "biosnn" and d.theirs < 90.6e-3 < d.ours


def test_forward_euler():
    net = one(bs.ei_lif(refractory=2e-3, integrator="euler"))
    agree(
        brian.compare(
            net,
            bs.data.poisson(20, 20, 0.5, seed=1),
            currents={"A": np.full((500, 3), 0.3)},
            progress=False,
        )
    )


def test_time_constants_per_neuron_and_learned():
    with pytest.raises(ValueError, match="no weights yet"):
        net = bs.Network(1e-3)
        net.connect(net.population(1, bs.lif(), name="A"), "A")
        brian.to_brian2(net, duration=0.1)
    with pytest.raises(ValueError, match="give spikes=None and a duration"):
        brian.to_brian2(net)
    with pytest.raises(ValueError, match="there is no state 'A.V'; A has A.U, A.I, A.U_star"):
        brian.to_brian2(one(bs.lif()), bs.data.poisson(20, 20, 0.2, seed=1), record=["A.V"])
    with pytest.raises(
        ValueError,
        match=r"currents for 'A' have shape \(7, 3\); they must broadcast to "
        r"\(step, neuron\) = \(200, 3\)",
    ):
        brian.to_brian2(
            one(bs.lif()), bs.data.poisson(20, 20, 0.2, seed=1), currents={"A": np.ones((7, 3))}
        )
    with pytest.raises(ValueError, match="tau_mem and tau_syn are \\(nearly\\) equal"):
        brian.to_brian2(
            one(bs.lif(tau_mem=10e-3, tau_syn=10.000001e-3)), bs.data.poisson(20, 20, 0.2, seed=1)
        )
    with pytest.raises(ValueError, match="target is 'cuda'"):
        brian.compare(circuit(), bs.data.poisson(10, 100, 0.2, seed=2), target="cuda")
    net = one(
        bs.ei_lif(
            tau_mem=np.array([0.01, 0.02, 0.03]),
            tau_exc=np.array([5e-3, 7e-3, 9e-3]),
            tau_inh=12e-3,
        )
    )
    agree(brian.compare(net, bs.data.poisson(20, 20, 0.5, seed=1), progress=False))
    net = bs.Network(1e-3)
    a = net.population(3, bs.lif(), name="A", learn={"mem": "neuron"})
    net.connect(
        net.input(20),
        a,
        receptor="exc",
        weights=np.random.default_rng(0).exponential(0.35, (20, 3)),
    )
    net.parameters["A", "mem"][:] = [-0.3, 0.1, 0.4]
    agree(brian.compare(net, bs.data.poisson(20, 20, 0.5, seed=1), progress=False))


def circuit():
    net = bs.Network(2e-3)
    e, i = bs.dalian_layer(
        net,
        net.input(100),
        32,
        8,
        neuron=bs.ei_lif(tau_mem=20e-3, tau_exc=10e-3, tau_inh=15e-3, refractory=4e-3),
        delay=4e-3,
    )
    net.connect(e, net.readout(3))
    bs.fluctuation_driven(net, assumed_rates=10.0, closed_loop=False, seed=3)
    return net


@pytest.mark.slow
def test_dalian_circuit_over_trials():
    report = brian.compare(circuit(), bs.data.poisson(10, 100, 0.4, 2, seed=2), progress=False)
    agree(report)
    assert (
        report.n_trials == 2
        and report.statistics["E"]["rate"][2] == 0 == report.statistics["I"]["cv"][2]
    )
    assert "All spikes are identical" in text(report) and json.dumps(report.as_dict())
    assert len(report.figure("E").axes) == 3
    assert (
        "All spikes are identical" in repr(report) and max(map(len, repr(report).split("\n"))) <= 88
    )
    assert "<table>" in report._repr_html_() and "array" not in repr(report)


def changed(net, **weights):
    other = copy.copy(net)
    other.weights = net.weights | weights
    return other


def test_a_difference_is_found():
    """If Brian2 is given other weights, the report names the first step where the spikes part, and
    both membranes there.
    """
    net, spikes = circuit(), bs.data.poisson(10, 100, 0.4, 2, seed=2)
    other = changed(net, **{"E->I": net.weights["E->I"] * 1.02})
    report = brian.compare(net, spikes, progress=False, against=other)
    d = report.divergence
    stars = [
        bs.run(trial_input.in_double(n), spikes, record=[f"{d.population}.U_star"])
        for n in (net, other)
    ]
    ours, theirs = (
        trace.states[f"{d.population}.U_star"][d.trial, d.step, d.neuron] for trace in stars
    )
    assert not report.identical and report.identical_for == d.step * net.dt < 0.4
    assert (
        d.ours == ours
        and d.theirs == pytest.approx(theirs, abs=1e-12)
        and d.difference == d.theirs - d.ours
    )
    assert (
        (d.ours > 1) == (d.only_in == "biosnn")
        and (d.theirs > 1) == (d.only_in == "Brian2")
        and d.margin == d.ours - 1
    )
    counts = [bs.bin_spikes(trace.spikes[d.population], net.dt).dense() for trace in stars]
    assert np.flatnonzero((counts[0] != counts[1]).any(axis=(0, 2)))[0] == d.step
    assert report.states["I.I_exc"][0] > 1e-6 > report.states["E.U"][0]
    assert "Spikes differ from" in text(report) and json.dumps(report.as_dict())
    ours, theirs, distance = report.statistics["E"]["rate"]
    assert (
        ours == pytest.approx(report.spike_counts["E"][0] / (2 * 0.4 * 32))
        and ours != theirs
        and 0 < distance <= 1
    )
    assert "nan" not in str(report) and len(report.figure(d.population, d.neuron).axes) == 3


def test_a_state_that_is_not_a_number_does_not_agree():
    net = circuit()
    report = brian.compare(
        net,
        bs.data.poisson(10, 100, 0.1, seed=2),
        progress=False,
        against=changed(net, **{"E->readout": np.full((32, 3), np.nan)}),
    )
    assert (
        report.identical
        and report.worst_state == np.inf
        and not report
        and report.verdict == "different"
    )
    assert "All spikes are identical, but states differ by inf" in text(report)


def test_nothing_is_not_identical():
    """No spikes, and states that stay at rest: nothing was compared. States that move are."""
    net, silent = one(bs.lif()), bs.SpikeTrains([], [], [0, 0], 20, 0.2)
    report = brian.compare(net, silent, progress=False)
    assert (
        report.verdict == "nothing happened"
        and not report
        and not report.identical
        and not report.happened
    )
    assert (
        "Nothing happened: no neuron spiked in either program, and no recorded state left its rest"
        in text(report)
    )
    assert (
        report.as_dict()["verdict"] == "nothing happened"
        and report.divergence is None
        and report.worst_state == 0
    )
    report = brian.compare(net, silent, record=[], progress=False)
    assert not report and "no states were recorded" in text(report)
    weak = {"A": np.full((1, 3), 0.5)}
    assert (
        brian.compare(net, silent, record=[], currents=weak, progress=False).verdict
        == "nothing happened"
    )
    report = brian.compare(net, silent, currents=weak, progress=False)
    assert (
        report.verdict == "identical"
        and report
        and report.identical
        and "No neuron spiked in either program; states agree." in text(report)
    )
    other = copy.copy(net)
    other._populations = net._populations | {
        "A": dataclasses.replace(net["A"], neuron=bs.lif(tau_mem=21e-3))
    }
    report = brian.compare(net, silent, currents=weak, progress=False, against=other)
    assert (
        report.verdict == "different"
        and not report
        and not report.identical
        and report.divergence is None
    )
    assert "No neuron spiked in either program, but states differ by" in text(report)
    assert bool(brian.compare(net, bs.data.poisson(20, 20, 0.2, seed=1), progress=False))


def background_circuit():
    """E and I with biases and delays, and everything that a background can be."""
    net = bs.Network(1e-3)
    e = net.population(
        12,
        bs.ei_lif(tau_mem=20e-3, tau_exc=5e-3, tau_inh=10e-3, refractory=2e-3),
        "excitatory",
        name="E",
        bias=0.1,
    )
    i = net.population(4, bs.lif_delta(refractory=2e-3), "inhibitory", name="I")
    for pre, post, w in ((e, e, 0.05), (e, i, 0.2), (i, e, 0.1), (i, i, 0.1)):
        net.connect(pre, post, delay=2e-3, weights=np.full((pre.n, post.n), w))
    net.connect(e, net.readout(1), weights=np.ones((12, 1)))
    background = [
        bs.OrnsteinUhlenbeck("E", 0.3, 0.3, 20e-3),
        bs.PoissonInput("E", 2000.0, 0.08),
        bs.PoissonInput(i, np.linspace(1e3, 3e3, 4), 0.05),
        bs.Current("E", ([0.0, 0.1], [0.2, 0.5])),
        bs.PoissonInput("E", ([0.0, 0.1], [0.0, 900.0]), 0.1, "inh"),
        bs.PoissonInput("I", 0.0, 0.1),
        bs.Current("readout", np.array([0.2])),
    ]
    return (
        net,
        background,
        {"E.U": bs.Normal(0.5, 0.2, high=1.0), "E.I_exc": np.linspace(0, 1, 12), "readout.U": 0.3},
    )


@pytest.mark.slow
def test_background_and_initial_states(tmp_path):
    """Poisson input with several events of a neuron in a step, currents, noise: the same numbers in
    both programs, and in a script.
    """
    net, background, initial = background_circuit()
    report = brian.compare(
        net, duration=0.3, background=background, initial=initial, seed=4, progress=False
    )
    agree(report)
    assert report and report.spike_counts["E"][0] > 30 and report.traces["E.U"][0].std() > 0.1
    double = trial_input.in_double(net)
    ours = bs.simulate(
        double,
        0.3,
        background=background,
        initial=initial,
        seed=4,
        record={"E.U": slice(None)},
        progress=False,
    )
    np.testing.assert_array_equal(report.traces["E.U"][0], ours.states["E.U"])
    assert (
        np.abs(
            brian.compare(
                net, duration=0.1, background=background, initial=initial, seed=5, progress=False
            ).traces["E.U"][0]
            - ours.states["E.U"][:100]
        ).max()
        > 0.1
    )
    path = brian.script(
        net, None, tmp_path / "driven", duration=0.3, background=background, initial=initial, seed=4
    )
    done = subprocess.run([sys.executable, path], check=True, capture_output=True, text=True)
    assert all(
        f"{name}: {spikes} spikes" in done.stdout
        for name, (spikes, _) in report.spike_counts.items()
    )
    assert "background_I_2 has no events" in path.read_text()


def test_background_beside_trials_of_input_and_currents():
    """Trial b has the random numbers of seed + b; a clamped neuron with equal time constants is
    held where it starts.
    """
    net = bs.Network(1e-3)
    a = net.population(3, bs.lif(tau_mem=10e-3, tau_syn=10e-3, refractory=3e-3), name="A")
    net.connect(
        net.input(20), a, receptor="exc", weights=np.random.default_rng(0).exponential(0.2, (20, 3))
    )
    spikes, background = bs.data.poisson(20, 20, 0.2, 2, seed=1), [bs.PoissonInput("A", 500.0, 0.2)]
    report = brian.compare(
        net,
        spikes,
        currents={"A": np.full(3, 0.2)},
        background=background,
        initial={"A.U": 0.7},
        seed=2,
        progress=False,
    )
    agree(report)
    assert report.n_trials == 2
    second = brian.compare(
        net,
        spikes[1],
        currents={"A": np.full(3, 0.2)},
        background=background,
        initial={"A.U": 0.7},
        seed=3,
        progress=False,
    )
    assert np.array_equal(second.rasters["A"][0].times, report.rasters["A"][0][1].times)


@pytest.mark.parametrize("first", [False, True])
def test_a_difference_is_explained_with_background(first):
    """U before threshold in the step of the first spike that differs, also where that is the first
    step: with biases and background.
    """
    net, background, initial = background_circuit()
    other = changed(net, **{name: 0.5 * w for name, w in net.weights.items()})
    other.parameters = net.parameters | {
        ("E", "bias"): np.asarray(0.15) + net.parameters["E", "bias"]
    }
    if first:
        initial = initial | {"E.U": 1.0}
        background = [bs.Current("E", -0.14)]
    d = brian.compare(
        net, duration=0.3, background=background, initial=initial, progress=False, against=other
    ).divergence
    assert (
        d.population == "E"
        and (d.ours > 1) == (d.only_in == "biosnn")
        and (d.theirs > 1) == (d.only_in == "Brian2")
    )
    if first:
        assert d.step == 0
        reference = brian.to_brian2(
            trial_input.in_double(net),
            None,
            record=["E.U_star"],
            duration=0.3,
            background=background,
            initial=initial,
        )
        reference.run(1e-3)
        assert d.ours == pytest.approx(
            np.asarray(reference.states["E.U_star"].U)[d.neuron, 0], abs=1e-12
        )


def test_a_realization_is_what_a_simulation_has():
    """Neurons that never spike and forget slowly hold what they received."""
    net, start = bs.Network(1e-3, np.float64), {"E.U": bs.Normal(0.0, 1.0)}
    net.population(70, dataclasses.replace(bs.lif_delta(tau_mem=1.0), threshold=np.inf), name="E")
    background = [
        bs.Current("E", 2.0),
        bs.PoissonInput("E", 3000.0, 0.5),
        bs.PoissonInput("E", np.linspace(0, 100, 70), 0.25),
    ]
    given = realize(net, 50, background, start, 7)
    run = bs.simulate(
        net,
        0.05,
        background=background,
        initial=start,
        seed=7,
        record={"E.U": slice(None)},
        progress=False,
    )
    u, decay = given.initial["E.U"], np.exp(-1e-3)
    for n in range(50):
        u = (
            u * decay
            + given.currents["E"][n] * (1 - decay)
            + sum(each.weight * each.counts[n] for each in given.arrivals)
        )
        np.testing.assert_allclose(run.states["E.U"][n], u, rtol=0, atol=1e-12)
    assert [each.counts.max() > 5 for each in given.arrivals] == [True, False] and given.arrivals[
        0
    ].counts.mean() == pytest.approx(3, rel=0.1)
    with pytest.raises(ValueError, match="steps is 0; it must be a whole number >= 1"):
        realize(net, 0)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (dict(network=3), "network is 3; it must be a Network"),
        (dict(spikes=[0.1]), r"spikes is \[0.1\]; it must be SpikeTrains"),
        (dict(spikes={"input": None}), "spikes of the input 'input' is None"),
        (dict(record="A.U"), r"record is 'A.U'; it must be a list, such as \["),
        (dict(record=[1]), "a state in record is 1"),
        (dict(currents=[1.0]), r"currents is \[1.0\]; it must be a dict"),
        (
            dict(currents={"A": "much"}),
            "currents for 'A' is 'much'; it must be real numbers, not texts",
        ),
        (dict(currents={"A": np.nan}), "currents for 'A' has the value nan"),
        (dict(background=bs.Current("A", 1.0)), "background is .*; it must be a list"),
        (dict(background=["A"]), r"background\[0\] is 'A'"),
        (dict(initial=1), "initial is 1; it must be a dict of states"),
        (dict(initial={"A.V": 1.0}), "there is no state 'A.V'"),
        (
            dict(background=[bs.Current("A", 1.0)], seed=0.5),
            "seed is 0.5; it must be a whole number",
        ),
        (dict(seed=None), "seed is None"),
        (dict(target=None), "target is None; it must be one of 'numpy', 'cython'"),
        (dict(progress="yes"), "progress is 'yes'; it must be True or False"),
        (dict(against="other"), "against is 'other'; it must be a Network"),
    ],
)
def test_arguments_of_compare(arguments, words):
    with pytest.raises(ValueError, match=words):
        brian.compare(
            **{
                "network": one(bs.lif()),
                "spikes": bs.data.poisson(20, 20, 0.1, seed=1),
                "progress": False,
            }
            | arguments
        )


def test_arguments_of_script(tmp_path):
    for path, words in (
        (None, "path is None"),
        ("", "so neither empty"),
        (3, "path is 3; it must be a path"),
    ):
        with pytest.raises(ValueError, match=words):
            brian.script(one(bs.lif()), bs.data.poisson(20, 20, 0.1, seed=1), path)


def test_distances_of_samples():
    assert distributions.distance(np.array([1.0, 2, 3, 4]), np.array([3.0, 4, 5, 6])) == 0.5
    assert np.isnan(distributions.distance(np.array([]), np.ones(3)))


@pytest.mark.slow
@settings(max_examples=8, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(random_networks.NETWORK)
def test_random_networks(drawn):
    """Six populations, everything random: spikes are identical for 300 ms."""
    net, spikes = random_networks.build(drawn)
    assume(
        all(counts.any() for counts in bs.run(net, spikes).counts.values())
    )  # one draw in a thousand has a silent population
    report = brian.compare(net, spikes, record=[f"{p.name}.U" for p in net.spiking], progress=False)
    assert report.duration == pytest.approx(0.3)
    agree(report, 1e-11)


@pytest.mark.parametrize(
    "build",
    [
        reference.dalian_ei_lif,
        reference.feedforward_lif,
        reference.recurrent_adaptive_lif,
        reference.dalian_ampa_nmda_gaba,
    ],
)
def test_reference_networks(build):
    """Brian2, given the networks behind the reference files, gives their spikes and readouts."""
    net, spikes, numbers = build()
    for b in range(len(spikes)):
        there = brian.to_brian2(net, spikes[b], record=["out.U"])
        there.run()
        for name, monitor in there.spikes.items():
            dense = np.zeros(numbers[f"spikes.{name}"].shape[1:])
            dense[np.rint(np.asarray(monitor.t) / net.dt).astype(int), np.asarray(monitor.i)] = 1
            assert np.array_equal(dense, numbers[f"spikes.{name}"][b]) and dense.sum() > 0
        np.testing.assert_allclose(
            np.asarray(there.states["out.U"].U).T, numbers["readout"][b], rtol=0, atol=1e-12
        )


def test_script_of_a_trained_network_runs_alone(tmp_path):
    """In a fresh interpreter that cannot import biosnn, with currents, and names that Python would
    not take.
    """
    data = bs.data.poisson(10, 100, 0.2, 8, seed=2, labels=[0, 1] * 4)
    net = bs.Network(2e-3)
    e, i = bs.dalian_layer(
        net,
        net.input(100, name="class"),
        32,
        8,
        name=" 1",
        neuron=bs.ei_lif(tau_mem=20e-3, tau_exc=10e-3, tau_inh=20e-3, refractory=4e-3),
        delay=4e-3,
    )
    net.connect(e, net.readout(2, name="data"))
    bs.fluctuation_driven(net, assumed_rates=10.0, closed_loop=False, seed=3)
    before = net.weights["E 1->I 1"].copy()
    bs.train(net, data, epochs=2, batch=4, optimizer=bs.Adam(5e-3), progress=False, seed=0)
    assert np.abs(net.weights["E 1->I 1"] - before).max() > 1e-3
    current = {"I 1": np.random.default_rng(0).normal(0.2, 0.2, (100, 8))}
    path = brian.script(net, data[3], tmp_path / "network", currents=current)
    (tmp_path / "biosnn.py").write_text("raise ImportError")
    done = subprocess.run(
        [sys.executable, "network.py", "result.npz"],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"HOME": os.environ["HOME"], "PATH": os.environ["PATH"]},
    )
    trace = bs.run(trial_input.in_double(net), data[3], currents={"I 1": current["I 1"][None]})
    with np.load(tmp_path / "result.npz") as result:
        for name, identifier in (("E 1", "E_1"), ("I 1", "I_1")):
            mine = set(
                zip(np.rint(trace.spikes[name].times / 2e-3).astype(int), trace.spikes[name].units)
            )
            theirs = set(
                zip(
                    np.rint(result[f"{identifier}_times"] / 2e-3).astype(int),
                    result[f"{identifier}_neurons"],
                )
            )
            assert mine == theirs and mine and f"{identifier}: {len(mine)} spikes" in done.stdout
        np.testing.assert_allclose(result["data__U"], trace.states["data.U"][0], rtol=0, atol=1e-13)
    text = path.read_text()
    assert (
        "U_held = U" in text
        and "biosnn" not in text.split('"""', 2)[2]
        and "class_ = SpikeGeneratorGroup" in text
    )


def test_sparse_projections_and_delays_of_their_own(tmp_path):
    rng, net = np.random.default_rng(0), bs.Network(1e-3)
    x, e = (
        net.input(50),
        net.population(
            30,
            bs.ei_lif(tau_mem=15e-3, tau_exc=5e-3, tau_inh=9e-3, refractory=2e-3),
            "excitatory",
            name="E",
        ),
    )
    i, d = (
        net.population(10, bs.lif(refractory=3e-3), "inhibitory", name="I"),
        net.population(5, bs.lif_delta(refractory=2e-3), name="D"),
    )
    net.connect(
        x,
        e,
        receptor="exc",
        synapses=bs.Bernoulli(0.5),
        weights=lambda g, n: g.exponential(0.8, n),
        seed=1,
        delay=lambda g, n: g.integers(0, 8, n) * 1e-3,
    )
    net.connect(x, i, receptor="exc", weights=rng.exponential(0.25, (50, 10)))
    net.connect(
        x, d, receptor="exc", synapses=bs.FixedInDegree(20), weights=0.21, seed=3, delay=2e-3
    )
    net.connect(
        i,
        e,
        synapses=bs.FixedInDegree(3),
        weights=0.1,
        seed=2,
        delay=lambda g, n: g.uniform(1e-3, 20e-3, n),
    )
    spikes, current = bs.data.poisson(15, 50, 0.4, seed=1), {"I": np.linspace(0.1, 0.3, 10)}
    report = brian.compare(net, spikes, currents=current, progress=False)
    agree(report, 1e-12)
    other = changed(net, **{"input->I": 1.05 * net.weights["input->I"]})
    parted = brian.compare(net, spikes, record=[], currents=current, progress=False, against=other)
    d = parted.divergence
    assert (
        d.population == "I"
        and 0 < d.difference < 0.2
        and d.ours < 1 < d.theirs
        and d.only_in == "Brian2"
    )
    path = brian.script(net, spikes, tmp_path / "sparse", currents=current)
    done = subprocess.run([sys.executable, path], check=True, capture_output=True, text=True)
    assert all(
        f"{name}: {ours} spikes" in done.stdout for name, (ours, _) in report.spike_counts.items()
    )


def test_script_with_plastic_projections(tmp_path):
    """Depression, facilitation and inhibitory plasticity, in a fresh interpreter: the spikes that
    biosnn and to_brian2 have.
    """
    net = bs.Network(1e-3)
    x, y, e = (
        net.input(40),
        net.input(20, name="y", sign="inhibitory"),
        net.population(20, bs.ei_lif(refractory=2e-3, tau_inh=15e-3), "excitatory", name="E"),
    )
    for name, rule in (
        ("depressing", bs.TsodyksMarkram(0.5, 0.8)),
        ("facilitating", bs.TsodyksMarkram(0.1, 0.13, 0.53)),
    ):
        net.connect(
            x,
            e,
            delay=2e-3,
            weights=bs.Exponential(0.6),
            synapses=bs.Bernoulli(0.5),
            seed=1,
            plasticity=rule,
            name=name,
            receptor="exc",
        )
    net.connect(
        y,
        e,
        delay=3e-3,
        weights=0.02,
        synapses=bs.Bernoulli(0.5),
        seed=2,
        plasticity=bs.InhibitorySTDP(0.01, 5.0, w_max=0.5),
    )
    spikes = {
        "input": bs.data.poisson(12.0, 40, 0.5, seed=3),
        "y": bs.data.poisson(12.0, 20, 0.5, seed=4),
    }
    report = brian.compare(net, spikes, progress=False)
    agree(report, 1e-12)
    path = brian.script(net, spikes, tmp_path / "plastic")
    done = subprocess.run(
        [sys.executable, path, tmp_path / "result.npz"], check=True, capture_output=True, text=True
    )
    with np.load(tmp_path / "result.npz") as result:
        ours, theirs = report.spike_counts["E"]
        assert ours == theirs == result["E_times"].size > 20 and f"E: {ours} spikes" in done.stdout
        raster = report.rasters["E"][0]
        assert set(zip(np.rint(result["E_times"] / 1e-3).astype(int), result["E_neurons"])) == set(
            zip(np.rint(raster.times / 1e-3).astype(int), raster.units)
        )
    assert "traceIn" in path.read_text() and "resources" in path.read_text()


def test_names_for_brian2_differ():
    net = bs.Network(1e-3)
    for name in ("a b", "a_b", "1", "for", "second"):
        net.population(1, bs.lif(), name=name)
    net.connect("a b", "a_b"), net.connect("a_b", "a b")
    assert list(identifiers.identifiers(net).values()) == [
        "a_b",
        "a_b_2",
        "p_1",
        "for_",
        "second_",
        "syn_a_b__a_b",
        "syn_a_b__a_b_2",
    ]


def test_messages():
    with pytest.raises(ValueError, match="one trial at a time; got 2 trials"):
        brian.to_brian2(circuit(), bs.data.poisson(10, 100, 0.2, 2, seed=2))
    net = one(bs.ei_lif(tau_mem=np.array([0.01, 0.02, 0.03]), tau_exc=np.array([0.01, 7e-3, 9e-3])))
    with pytest.raises(ValueError, match=r"tau_inh and tau_mem of neuron 1 are \(nearly\) equal"):
        brian.to_brian2(net, bs.data.poisson(10, 20, 0.2, seed=2))
    report = brian.compare(
        one(bs.lif()), bs.data.poisson(20, 20, 0.2, seed=1), record=["A.I"], progress=False
    )
    with pytest.raises(ValueError, match="holds no A.U"):
        report.figure()
    trains = bs.data.poisson(20, 20, 0.2, 2, seed=1)
    with pytest.raises(ValueError, match="there are no trials"):
        brian.compare(one(bs.lif()), trains[:0], progress=False)
    with pytest.raises(ValueError, match="currents for 'A' have 3 trials, but there are 2"):
        brian.compare(one(bs.lif()), trains, currents={"A": np.zeros((3, 200, 3))}, progress=False)


def test_trials_of_currents_alone_and_projections_without_synapses():
    from brian2.utils.logger import catch_logs

    net = bs.Network(1e-3)
    a = net.population(3, bs.lif(), name="A")
    net.connect(a, a, weights=1.0, synapses=bs.Pairs(np.array([], int), np.array([], int)))
    with catch_logs() as logs:
        report = brian.compare(
            net,
            currents={"A": np.linspace(0, 3, 2 * 50 * 3).reshape(2, 50, 3)},
            duration=0.05,
            progress=False,
        )
        gc.collect()
    assert report.n_trials == 2 and report.identical and report.spike_counts["A"][0] > 2
    assert not [
        each for each in logs if "unused" in each[1]
    ]  # Brian2 warns of objects that are in no network

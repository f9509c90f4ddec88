"""Circuits over trials, networks at random and those of the references in Brian2."""

import copy
import dataclasses
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings

import biosnn as bs
from biosnn import brian
from biosnn.brian import distributions, trial_input
from tests import random_networks, reference

from .brian_cases import agree, changed, circuit, one

b2 = pytest.importorskip("brian2")


@pytest.fixture(autouse=True)
def interpreted():
    """Brian2 without a compiler: small networks build faster so."""
    before = b2.prefs.codegen.target
    b2.prefs.codegen.target = "numpy"
    yield
    b2.prefs.codegen.target = before


def text(report):
    """As printed, on one line."""
    return " ".join(str(report).split())


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


@pytest.mark.slow
def test_trials_that_end_at_different_times_are_compared_until_their_ends():
    net, whole = circuit(), bs.data.poisson(20, 100, 0.1, 2, seed=2)
    ends = [0.05, 0.1]
    spikes = whole[0].select(stop=0.05) + whole[1]
    report = brian.compare(net, spikes, record=["E.U"], progress=False)
    agree(report)
    assert report.duration == pytest.approx(0.1)
    ours, theirs = report.rasters["E"]
    np.testing.assert_allclose(ours.ends, ends)
    np.testing.assert_array_equal(ours.times, bs.run(net, spikes).spikes["E"].times)
    np.testing.assert_array_equal(theirs.times, ours.times)

"""Gain curves against formulas, and the paradoxical effect where theory has it."""

from dataclasses import replace

import numpy as np
import pytest

import biosnn as bs

DELTA = bs.lif_delta(tau_mem=20e-3, threshold=20e-3, reset=10e-3, refractory=2e-3)
NOISE = [bs.PoissonInput(name, 2500.0, 0.4e-3) for name in ("E", "I")]


def circuit(recurrent=0.4e-3):
    """800 excitatory and 200 inhibitory neurons; `recurrent` is the weight from E to E."""
    net = bs.Network(1e-4)
    populations = (
        net.population(800, DELTA, "excitatory", name="E"),
        net.population(200, DELTA, "inhibitory", name="I"),
    )
    e, i = populations
    for k, post in enumerate(populations):
        weight = recurrent if post is e else 0.4e-3
        net.connect(e, post, synapses=bs.FixedInDegree(160), weights=weight, delay=1.5e-3, seed=k)
        net.connect(i, post, synapses=bs.FixedInDegree(40), weights=2e-3, delay=1.5e-3, seed=k + 2)
    return net


@pytest.fixture(scope="module")
def stabilized():
    return bs.experiments.paradoxical_effect(
        circuit(), 1e-3, background=NOISE, duration=1.0, settle=0.3, progress=False
    )


def test_gain_of_a_leaky_neuron():
    drive = np.array([0.5, 1.2, 2.0, 4.0])
    neuron = bs.lif(tau_mem=20e-3, refractory=3e-3)
    curve = bs.experiments.gain_curve(neuron, drive, cells=2, duration=5.0, progress=False)
    with np.errstate(invalid="ignore"):
        interval = 3e-3 + 20e-3 * np.log(drive / (drive - 1))
    expected = np.where(drive > 1, 1 / interval, 0.0)
    np.testing.assert_allclose(curve.rates["cells"], expected, rtol=0.01)
    np.testing.assert_allclose(curve.gain(), np.gradient(curve.rates["cells"], drive))
    assert curve.population == "cells" and "input to cells" in repr(curve)


def test_gain_of_noisy_neurons_is_that_of_siegert():
    """Poisson input through delta synapses: mu = tau rate w, sigma² = tau rate w² / 2."""
    weight, rates = 0.1e-3, np.array([9.5e3, 10.5e3, 12e3])
    curve = bs.experiments.gain_curve(
        DELTA,
        rates,
        source=lambda rate: bs.PoissonInput("cells", rate, weight),
        cells=200,
        duration=3.0,
        settle=0.2,
        progress=False,
    )
    theory = [
        bs.theory.siegert_rate(
            mu=20e-3 * rate * weight,
            sigma=weight * np.sqrt(20e-3 * rate / 2),
            tau_mem=20e-3,
            threshold=20e-3,
            reset=10e-3,
            refractory=2e-3,
        )
        for rate in rates
    ]
    np.testing.assert_allclose(curve.rates["cells"], theory, rtol=0.07)
    assert np.all(curve.errors["cells"] < 0.03 * curve.rates["cells"])


def test_gain_of_a_network_is_what_simulate_gives():
    net = circuit()
    curve = bs.experiments.gain_curve(
        net, [0.0, 1e-3], "I", background=NOISE, duration=0.3, settle=0.1, seed=4, progress=False
    )
    for k, extra in enumerate((0.0, 1e-3)):
        background = [*NOISE, bs.Current("I", extra)]
        whole = bs.simulate(net, 0.4, background=background, seed=4, progress=False)
        for name in "EI":
            spikes = whole.spikes[name]
            late = np.sum(spikes.times >= 0.1 - 1e-9) / (spikes.n_units * 0.3)
            assert curve.rates[name][k] == pytest.approx(late)
    assert curve.rates["I"][1] < curve.rates["I"][0]  # the paradoxical effect


def test_the_effect_is_paradoxical_where_excitation_would_run_away(stabilized):
    assert stabilized.paradoxical is True
    assert stabilized.verdict.startswith("Paradoxical. With more drive I fell from 1")
    for name in "EI":
        assert stabilized.during[name] < stabilized.before[name] and stabilized.score(name) < -3
        inside = stabilized.times < 0
        before = stabilized.rates[name][inside].mean()
        assert before == pytest.approx(stabilized.before[name], rel=1e-6)
    np.testing.assert_allclose(np.diff(stabilized.times), 20e-3)


def test_the_effect_is_the_same_with_less_drive():
    effect = bs.experiments.paradoxical_effect(
        circuit(), -1e-3, background=NOISE, duration=0.6, settle=0.2, progress=False
    )
    assert effect.paradoxical is True and effect.during["I"] > effect.before["I"]
    assert "With less drive I rose" in effect.verdict


def test_no_paradox_without_recurrent_excitation():
    effect = bs.experiments.paradoxical_effect(
        circuit(recurrent=0.0), 4e-3, background=NOISE, duration=1.0, settle=0.2, progress=False
    )
    assert effect.paradoxical is False and effect.during["I"] > effect.before["I"]
    assert effect.verdict.startswith("Not paradoxical.")


@pytest.mark.parametrize("recurrent, sign", [(0.4e-3, -1), (0.0, 1)])
def test_mean_field_theory_says_the_same(recurrent, sign):
    net = circuit(recurrent)
    quiet, driven = (
        bs.regime(net, background=[*NOISE, bs.Current("I", extra)])["I"].predicted.rate
        for extra in (0.0, 1e-3)
    )
    assert np.sign(driven - quiet) == sign and abs(driven - quiet) > 0.2


def test_a_small_drive_has_no_clear_effect():
    effect = bs.experiments.paradoxical_effect(
        circuit(), 1e-7, background=NOISE, duration=0.3, settle=0.1, progress=False
    )
    assert effect.paradoxical is None and effect.verdict.startswith("No clear effect.")


@pytest.mark.parametrize("width", [None, 8.5])
def test_figures(stabilized, width):
    home = stabilized.plot(width=width)
    assert home.axes[0].get_title() == "paradoxical"
    labels = [line.get_label() for line in home.axes[0].lines]
    assert labels == ["E", "I"]
    curve = bs.experiments.gain_curve(bs.lif(), [2.0, 3.0], cells=1, progress=False)
    axis = home.add_subplot()
    assert curve.plot(axis) is axis and axis.get_ylabel() == "rate (Hz)"


def test_values_may_have_any_order():
    values = np.array([3.0, 1.5, 4.0, 2.0])
    one, other = (
        bs.experiments.gain_curve(bs.lif(), given, cells=1, duration=0.5, progress=False)
        for given in (values, np.sort(values))
    )
    np.testing.assert_array_equal(one.gain()[np.argsort(values)], other.gain())
    line = one.plot().axes[0].lines[0]
    np.testing.assert_array_equal(line.get_xdata(), np.sort(values))
    with pytest.raises(ValueError, match="twice"):
        replace(one, values=np.array([1.0, 2.0, 1.0, 3.0])).gain()


@pytest.mark.parametrize(
    "change, words",
    [
        ({"extra": 0}, "extra is 0"),
        ({"extra": np.nan}, "extra is nan"),
        ({"inhibitory": "X"}, "inhibitory is 'X'"),
        ({"inhibitory": "E"}, "both 'E'"),
        ({"inhibitory": "E", "excitatory": "I"}, "excitatory is 'I', a .* that is inhibitory"),
        ({"duration": 0}, "duration is 0"),
        ({"settle": -1}, "settle is -1"),
        ({"rate_bin": 0.5}, "rate_bin is 0.5; .* 10 blocks"),
        ({"network": bs.lif()}, "network is"),
        ({"background": NOISE[0]}, "background is"),
    ],
)
def test_careless_use_of_the_effect(change, words):
    arguments = {"network": circuit(), "extra": 1e-3, "progress": False} | change
    with pytest.raises(ValueError, match=words):
        bs.experiments.paradoxical_effect(**arguments)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"values": []}, "values is empty"),
        ({"values": 1.0}, "values has shape"),
        ({"population": "X"}, "population is 'X'"),
        ({"source": bs.Current("E", 1.0)}, "source is"),
        ({"network": bs.lif(), "population": "E"}, "leave it out"),
        ({"network": 3}, "network is 3"),
        ({"duration": "1 s"}, "duration is '1 s'"),
        ({"cells": 0, "network": bs.lif()}, "cells is 0"),
    ],
)
def test_careless_use_of_the_curve(change, words):
    arguments = {"network": circuit(), "values": [0.0], "progress": False} | change
    with pytest.raises(ValueError, match=words):
        bs.experiments.gain_curve(**arguments)

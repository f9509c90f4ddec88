"""Figures of weights and of the initializer show densities beside their targets."""

import numpy as np
import pytest

import biosnn as bs
from biosnn.analysis import plot
from biosnn.network.conductance_models import conductance_lif
from biosnn.network.network import Network
from biosnn.network.neuron_models import ampa_nmda_gaba, lif, lif_delta
from biosnn.network.random_connectivity import Bernoulli
from biosnn.theory import psp

from .pictures import dalian, legend_of, line, report


def test_weights_are_densities_beside_their_targets(trace):
    axes = {a.get_title().split("\n")[0]: a for a in plot.weights(trace.network, report()).axes}
    assert set(axes) == {
        "input->E",
        "input->I",
        "E->E",
        "E->I",
        "I->E",
        "I->I",
    }  # not the readout's
    for name, axis in axes.items():
        density, edges, _ = axis.patches[0].get_data()
        assert 0.97 < np.sum(density * np.diff(edges)) <= 1 + 1e-9
        assert f"mean {trace.network.weights[name].mean():.3g}" in axis.get_title()
    w, target = axes["input->E"].lines[0].get_data()
    np.testing.assert_allclose(target, np.exp(-w / 0.3) / 0.3)
    w, target = axes["I->I"].lines[0].get_data()
    np.testing.assert_allclose(
        target, np.exp(-(((w - 0.3) / 0.1) ** 2) / 2) / (0.1 * np.sqrt(2 * np.pi))
    )
    assert list(axes["E->E"].lines[0].get_xdata()) == [0.25, 0.25]
    assert list(legend_of(plot.weights(trace.network, report()))) == [
        "what the initializer aimed at"
    ]
    assert (
        not axes["E->I"].lines
        and not plot.weights(trace.network).legends
        and not any(a.lines for a in plot.weights(trace.network).axes)
    )
    assert (
        axes["I->I"].get_xlabel().startswith("weight: jump of I_inh per spike\n")
        and axes["input->E"].get_ylabel() == "density"
    )


@pytest.mark.parametrize("value", [0.0, 0.3])
def test_equal_weights_can_be_drawn(value):
    net = Network(2e-3)
    net.connect(net.input(3), net.population(2, lif(), name="p"), weights=np.full((3, 2), value))
    density, edges, _ = plot.weights(net).axes[0].patches[0].get_data()
    assert np.sum(density * np.diff(edges)) == pytest.approx(1)


def test_what_a_weight_is():
    net = Network(1e-3)
    x = net.input(2)
    for name, neuron in (
        ("lif", lif()),
        ("delta", lif_delta()),
        ("g", conductance_lif()),
        ("fast", ampa_nmda_gaba()),
        ("many", lif(tau_mem=np.array([10e-3, 20e-3]))),
    ):
        post = net.population(2, neuron, name=name)
        net.connect(
            x, post, weights=np.ones((2, 2)), receptor=None if name != "delta" else "inh", name=name
        )
    labels = {axis.get_title().split("\n")[0]: axis.get_xlabel() for axis in plot.weights(net).axes}
    assert (
        labels["lif"] == "weight: jump of I per spike\n(1 moves U by 0.25 at its peak)"
    )  # 20 and 10 ms: (1/2) / 2
    assert labels["delta"] == "weight: drop of U per spike"
    assert (
        labels["g"] == "weight: jump of g_exc per spike"
        and labels["many"] == "weight: jump of I per spike"
    )
    net.connect(
        x,
        net["lif"],
        weights=1.0,
        synapses=bs.Bernoulli(1.0),
        seed=1,
        plasticity=bs.TsodyksMarkram(),
        name="short-term",
    )
    assert plot.weights(net).axes[-1].get_xlabel().startswith("weight: jump of I per spike / u x\n")
    receptor = net["fast"].neuron.receptors[net.projection("fast").receptor]
    peak = psp(net["fast"].neuron, 1e-3, net.projection("fast").receptor, 500).max()
    assert (
        labels["fast"]
        == f"weight: jump of {receptor.state} per spike\n(1 moves U by {peak:.2g} at its peak)"
    )


def test_weights_that_are_not_finite_are_refused(trace):
    net = dalian()
    net.weights["E->E"][0, 0] = np.nan
    with pytest.raises(ValueError, match="'E->E' holds values that are not finite"):
        plot.weights(net)


def test_a_projection_without_synapses_has_no_weights():
    net = Network(1e-3)
    a, b = (net.population(5, lif(), "excitatory", name=name) for name in "AB")
    net.connect(a, b, weights=0.1, synapses=Bernoulli(0.0), seed=1)
    net.connect(b, b, weights=0.1, synapses=Bernoulli(1.0), seed=1)
    empty, full = plot.weights(net).axes
    assert [axis.get_title() for axis in (empty, full)] == [
        "A->B\nno synapses",
        "B->B\nmean 0.1, sd 0",
    ]
    density, edges, _ = full.patches[0].get_data()
    bar = density.argmax()
    assert (edges[bar] + edges[bar + 1]) / 2 == pytest.approx(
        0.1
    )  # the bar stands where the weights are


def test_weights_that_are_not_set_are_named():
    net = Network(2e-3)
    net.connect(net.input(3), net.population(2, lif(), name="p"))
    with pytest.raises(ValueError, match="without weights: input->p"):
        plot.weights(net)


@pytest.mark.parametrize("n", [1, 2, 8])
def test_initializer_draws_every_population(n):
    made = report(n)
    axes = plot.initializer(made).axes
    assert [a.get_xlabel() for a in axes] == [
        "mean of membrane U",
        "sd of membrane U",
        "firing rate (Hz)",
    ]
    assert [t.get_text() for t in axes[0].get_yticklabels()] == [p.name for p in made.populations]
    for axis, quantity in zip(axes, ("mu", "sigma", "rate")):
        for kind in ("target", "predicted", "measured"):
            values = line(axis, kind).get_xdata()
            expected = [getattr(getattr(p, kind), quantity) for p in made.populations]
            np.testing.assert_array_equal(values, expected)
            assert np.all((axis.get_xlim()[0] < values) & (values < axis.get_xlim()[1]))


def test_what_was_not_measured_is_not_in_the_legend():
    assert list(legend_of(plot.initializer(report(2)))) == ["target", "predicted", "measured"]
    assert list(legend_of(plot.initializer(report(2, measured=False)))) == ["target", "predicted"]

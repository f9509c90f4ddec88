"""Figures of membranes, currents and gradients show what was recorded."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from biosnn.analysis import plot, plot_currents, stats
from biosnn.data import poisson
from biosnn.engine.gradient import Gradients
from biosnn.engine.run import run
from biosnn.network.conductance_models import conductance_lif
from biosnn.network.network import Network
from biosnn.network.neuron_models import ei_lif

from .pictures import LONG, dalian, legend_of, line, trains


def test_membrane_shows_trace_threshold_spikes_and_histogram(trace):
    neuron = int(trace.counts["E"][2].argmax())
    left, right = plot.membrane(trace, "E", neuron, trial=2, theory=(0.1, 0.8)).axes
    np.testing.assert_array_equal(left.lines[0].get_ydata(), trace.states["E.U"][2, :, neuron])
    np.testing.assert_allclose(left.lines[0].get_xdata(), trace.times * 1e3)
    spikes = trace.spikes["E"][2]
    ticks = next(a for a in left.lines if a.get_marker() == "|")
    np.testing.assert_allclose(ticks.get_xdata(), spikes.times[spikes.units == neuron] * 1e3)
    assert ticks.get_xdata().size == trace.counts["E"][2, neuron] > 0
    assert list(left.lines[1].get_ydata()) == [1.0, 1.0]
    assert left.get_ylabel() == "membrane U\n(threshold = 1)" and left.get_xlabel() == "time (ms)"
    values, edges, _ = right.patches[0].get_data()
    inside = (trace.states["E.U"] >= edges[0]) & (trace.states["E.U"] <= edges[-1])
    assert np.sum(values * np.diff(edges)) == pytest.approx(inside.mean(), abs=1e-6)
    gaussian = right.lines[0]
    assert gaussian.get_xdata().max() == pytest.approx(1 / (0.8 * np.sqrt(2 * np.pi)), rel=1e-3)
    assert list(legend_of(left.get_figure()))[1] == "theory: 0.1 ± 0.8"


def test_membrane_of_a_readout_has_no_threshold(trace):
    left, right = plot.membrane(trace, "readout", 1).axes
    assert left.get_ylabel() == "membrane U" and len(left.lines) == 1 and not right.lines


def test_a_threshold_that_is_far_away_does_not_squash_the_membrane():
    net = Network(2e-3)
    free = net.population(2, ei_lif(threshold=1e9), name="free")
    net.connect(net.input(20), free, weights=np.full((20, 2), 0.3))
    there = run(net, trains(20), record=["free.U"], threads=1)
    left, _ = plot.membrane(there, "free").axes
    assert (
        left.get_ylim()[1] < 2 * there.states["free.U"].max()
        and left.get_ylabel() == "membrane U\n(threshold = 1e+09,\nnot shown)"
    )


def test_membrane_that_was_not_recorded_says_how_to_record_it():
    with pytest.raises(
        ValueError,
        match=r'no E.U, which this figure shows: run\(\.\.\., record=\["E.U"\]\)',
    ):
        plot.membrane(run(dalian(), trains(20), threads=1), "E")


def test_currents_are_those_of_the_trace_and_the_balance_that_of_stats(trace):
    axis = plot.currents(trace, "E", neuron=3, trial=1).axes[0]
    e, i = (trace.states[f"E.{name}"][1, :, 3] for name in ("I_exc", "I_inh"))
    for name, values in (("excitatory", e), ("inhibitory", -i), ("net", e - i)):
        np.testing.assert_array_equal(line(axis, name).get_ydata(), values)
    balance = stats.ei_balance(e[None, :, None], i[None, :, None])
    words = axis.get_figure().get_suptitle()
    ratio, correlation = balance.ratio[0], balance.correlation[0]
    expected = f"E, neuron 3, trial 1: E/I ratio {ratio:.3g}, correlation {correlation:.2f}"
    assert expected in words
    assert (
        axis.get_ylabel().replace("\n", " ") == "synaptic current (threshold = 1)"
        and axis.get_xlabel() == "time (ms)"
    )


def test_currents_through_conductances():
    net, rng = Network(1e-3), np.random.default_rng(0)
    x, a = net.input(10), net.population(3, conductance_lif(refractory=0.0), name="A")
    net.connect(x, a, receptor="exc", weights=rng.exponential(0.2, (10, 3)))
    net.connect(x, a, receptor="inh", weights=rng.exponential(0.2, (10, 3)), name="inhibition")
    spikes = poisson(20, 10, 0.1, 2, seed=1)
    there = run(net, spikes, record=["A.U", "A.g_exc", "A.g_inh"])
    axis, u = plot.currents(there, "A", neuron=1, trial=1).axes[0], there.states["A.U"][1, :, 1]
    np.testing.assert_allclose(
        line(axis, "excitatory").get_ydata(),
        there.states["A.g_exc"][1, :, 1] * (60e-3 - u),
        rtol=1e-5,
    )
    np.testing.assert_allclose(
        line(axis, "inhibitory").get_ydata(),
        there.states["A.g_inh"][1, :, 1] * (-20e-3 - u),
        rtol=1e-5,
    )
    with pytest.raises(ValueError, match='"A.U", "A.g_exc", "A.g_inh"'):
        plot.currents(run(net, spikes, record=["A.U"]), "A")


def test_currents_without_inhibition_and_of_some_neurons_only(odd):
    figure = plot.currents(odd, LONG)
    assert figure.get_suptitle().replace("\n", " ").count("only excitatory current") == 2
    e, i, net = figure.axes[0].lines[:3]
    np.testing.assert_array_equal(e.get_ydata(), net.get_ydata())
    assert (
        e.get_linewidth() > net.get_linewidth() and net.get_zorder() >= e.get_zorder()
    )  # which hides it no more
    e, i = np.random.default_rng(0).uniform(1, 2, (2, 1, 50, 3))
    i[..., 0] = 0
    ratio = np.median(stats.ei_balance(e, i).ratio[1:])
    assert f"E/I ratio {ratio:.3g}, correlation" in plot_currents._balance(
        e, i
    ) and "(2 of 3 neurons; there is none in the others)" in plot_currents._balance(e, i)
    assert (
        plot_currents._balance(np.ones((1, 5, 1)), np.ones((1, 5, 1)))
        == "E/I ratio 1, correlation does not exist (constant current)"
    )
    assert "correlation does not exist" in plot_currents._balance(0 * e, i + 1)


def test_gradients_over_time_are_norms_over_trials_and_neurons(trace):
    rng, n = np.random.default_rng(0), trace.n_steps
    states = {
        "E.U": rng.normal(size=(3, n, 12)),
        "E.I_exc": rng.normal(size=(3, n, 12)),
        "I.U": rng.normal(size=(3, n, 4)),
    }
    states["I.U"][:, 5] = 0
    found = Gradients({}, {}, {}, states, {"E->I": np.arange(n) + 1.0})
    upper, lower = plot.gradients(trace, found).axes
    for name, values in states.items():
        norm = np.linalg.norm(values.transpose(1, 0, 2).reshape(n, -1), axis=1)
        np.testing.assert_allclose(line(upper, name).get_ydata(), np.where(norm > 0, norm, np.nan))
        assert to_hex(line(upper, name).get_color()) == to_hex(
            {"E": plot.EXCITATORY, "I": plot.INHIBITORY}[name[0]]
        )
    assert line(upper, "E.U").get_linestyle() != line(upper, "E.I_exc").get_linestyle()
    np.testing.assert_array_equal(line(lower, "E->I").get_ydata(), np.arange(n) + 1.0)
    assert (
        lower.get_xlabel() == "time (ms)"
        and upper.get_yscale() == lower.get_yscale() == "log"
        and "dL/dstate" in upper.get_ylabel()
    )
    with pytest.raises(ValueError, match='record=\\["E.U"\\]'):
        plot.gradients(trace, Gradients({}, {}, {}))


def test_a_single_step_of_a_gradient_is_drawn(trace):
    found = Gradients({}, {}, {}, {}, {"E->E": 1.0 * (np.arange(trace.n_steps) == 7)})
    (drawn,) = plot.gradients(trace, found).axes[0].lines
    assert drawn.get_marker() == "." and np.sum(np.isfinite(drawn.get_ydata())) == 1

"""Figures: what they show is the data, what they say has units, and no text covers another."""
import itertools
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("matplotlib")
from matplotlib.colors import to_hex    # noqa: E402
from matplotlib.text import Text        # noqa: E402

from biosnn import families, plot, stats  # noqa: E402
from biosnn.connectivity import Bernoulli   # noqa: E402
from biosnn.events import SpikeTrains   # noqa: E402
from biosnn.network import Network      # noqa: E402
from biosnn.data import poisson          # noqa: E402
from biosnn.neuron import conductance_lif, ei_lif, lif   # noqa: E402
from biosnn.trials import Gradients, run   # noqa: E402
from biosnn.train import History        # noqa: E402

N_TRIALS, DURATION = 3, 0.1


def trains(n_units, labels=(2, 0, 1), seed=0):
    rng = np.random.default_rng(seed)
    n = rng.poisson(60 * n_units * N_TRIALS * DURATION)
    return SpikeTrains.from_events(rng.uniform(0, DURATION, n), rng.integers(n_units, size=n), rng.integers(N_TRIALS, size=n),
                                   N_TRIALS, n_units, DURATION, labels)


def dalian(n_readouts=3):
    rng, net = np.random.default_rng(1), Network(2e-3)
    x = net.input(20)
    e, i = net.population(12, ei_lif(), "excitatory", "E"), net.population(4, ei_lif(), "inhibitory", "I")
    for pre, post in ((x, e), (x, i), (e, e), (e, i), (i, e), (i, i)):
        net.connect(pre, post, weights=rng.exponential(0.3, (pre.n, post.n)))
    out = net.readout(n_readouts)
    net.connect(e, out, weights=rng.normal(size=(12, n_readouts)))
    return net


@pytest.fixture(scope="module")
def trace():
    return run(dalian(), trains(20), record=["E.U", "I.U", "E.I_exc", "E.I_inh"], threads=1)


def report(n=2, measured=True):
    values = np.random.default_rng(n).uniform(0.5, 1.5, (n, 9))
    keys = [f"{q}_{k}" for q, kinds in (("mu", "tpm"), ("sigma", "tpm"), ("rate", "apm"))
            for k in ({"t": "target", "a": "assumed", "p": "predicted", "m": "measured"}[c] for c in kinds)]
    rows = [dict(zip(keys, row)) for row in values]
    for row in rows:
        row.update({key: np.nan for key in keys if key.endswith("measured") and not measured})
    names = [f"excitatory_{k}" for k in range(n)]
    weights = {"input->E": (families.Exponential(), 0.3, 0.3), "E->E": (families.Constant(), 0.25, 0.0),
               "I->I": (None, 0.3, 0.1), "I->E": (families.Gamma(0.5), 0.3, 0.3 * np.sqrt(2))}
    return SimpleNamespace(populations=[SimpleNamespace(name=a, **row) for a, row in zip(names, rows)], weights=weights)


def history(n=6, validation=True, regularizer=0.0, score=1.0):
    loss, accuracy, none = np.linspace(2, 1, n), score * np.linspace(0.2, 0.8, n), np.full(n, np.nan)
    return History(loss, accuracy, np.full(n, regularizer), loss + 0.1 if validation else none,
                   accuracy - 0.1 if validation else none, none, none)


def line(axis, label):
    return next(a for a in axis.lines if a.get_label() == label)


def overlapping_texts(figure):
    """Pairs of drawn texts whose boxes share more than a pixel at 100 dots per inch, and texts that leave the figure."""
    figure.set_dpi(100)
    with pytest.MonkeyPatch.context() as patch:
        drawn, draw = {}, Text.draw     # what is drawn: matplotlib also keeps labels of ticks outside of the limits
        patch.setattr(Text, "draw", lambda text, renderer: (drawn.update({id(text): text}), draw(text, renderer))[1])
        figure.draw_without_rendering()
    boxes = [(text.get_text(), text.get_window_extent()) for text in drawn.values()
             if text.get_text().strip() and text.get_visible()]
    outside = [name for name, b in boxes if b.x0 < -1 or b.y0 < -1 or b.x1 > figure.bbox.x1 + 1 or b.y1 > figure.bbox.y1 + 1]
    return outside + [(a, b) for (a, p), (b, q) in itertools.combinations(boxes, 2)
                      if min(p.x1, q.x1) - max(p.x0, q.x0) > 1 and min(p.y1, q.y1) - max(p.y0, q.y0) > 1]


# ---------------------------------------------------------------------------------------------- activity


def test_activity_draws_the_spikes_and_the_readouts_of_one_trial(trace):
    axes = plot.activity(trace, trial=1).axes
    assert len(axes) == 4
    rasters = {"input": trace.inputs["input"], "E": trace.spikes["E"], "I": trace.spikes["I"]}
    for axis, (name, spikes) in zip(axes, rasters.items()):
        assert spikes[1].times.size > 3
        np.testing.assert_allclose(axis.lines[0].get_xdata(), spikes[1].times * 1e3)
        np.testing.assert_array_equal(axis.lines[0].get_ydata(), spikes[1].units)
        assert axis.get_ylabel().split("\n")[0] == name
        assert f"{stats.firing_rates(spikes[1]).mean():.1f} Hz" in [t.get_text() for t in axis.texts]
    for k, drawn in enumerate(axes[3].lines):
        np.testing.assert_allclose(drawn.get_xdata(), trace.times * 1e3)
        np.testing.assert_array_equal(drawn.get_ydata(), trace.states["readout.U"][1, :, k])
    assert axes[3].get_xlabel() == "time (ms)"


def test_activity_title_and_heavy_line_tell_class_and_prediction(trace):
    for trial, label in enumerate(trace.labels):
        figure = plot.activity(trace, trial)
        prediction = trace.states["readout.U"][trial].max(axis=0).argmax()
        assert figure.get_suptitle() == f"trial {trial}: class {label}, predicted {prediction}"
        widths = [a.get_linewidth() for a in figure.axes[3].lines]
        assert np.argmax(widths) == label and sorted(widths)[-2] < 1.5
        assert f"{label} (true)" in [t.get_text() for t in figure.axes[3].get_legend().get_texts()]


def test_activity_without_labels_readouts_or_spikes(trace):
    net = dalian()
    silent = run(net, SpikeTrains([], np.empty(0, int), [0, 0], 20, DURATION), threads=1)
    figure = plot.activity(silent)
    assert figure.get_suptitle() == "trial 0"
    assert figure.axes[0].get_xlim() == (0, DURATION * 1e3) and figure.axes[0].get_ylim() == (-0.5, 19.5)
    alone = Network(2e-3)
    alone.population(3, lif(), name="solo")
    figure = plot.activity(run(alone, duration=0.05, currents={"solo": np.full(3, 2.0)}, threads=1))
    assert len(figure.axes) == 1 and to_hex(figure.axes[0].lines[0].get_color()) == plot.UNSIGNED.lower()


def test_activity_can_draw_a_share_of_the_units(trace):
    axis = plot.activity(trace, units=5).axes[0]
    assert set(axis.lines[0].get_ydata()) <= {0, 4, 9, 14, 19}
    assert "(5 of 20)" in axis.get_ylabel() and axis.get_ylim() == (-0.5, 19.5)


def test_excitatory_and_inhibitory_keep_their_colours(trace):
    wanted = [plot.INPUT.lower(), plot.EXCITATORY.lower(), plot.INHIBITORY.lower()]
    assert [to_hex(a.lines[0].get_color()) for a in plot.activity(trace).axes[:3]] == wanted
    assert to_hex(plot.membrane(trace, "I").axes[0].lines[0].get_color()) == wanted[2]
    current = plot.currents(trace, "E").axes[0]
    assert [to_hex(line(current, name).get_color()) for name in ("excitatory", "inhibitory")] == wanted[1:]
    faces = {a.get_title().split("->")[0]: to_hex(a.patches[0].get_facecolor()) for a in plot.weights(trace.network).axes}
    assert faces == dict(zip(("input", "E", "I"), wanted))
    others = {c.lower() for c in (*plot.CLASSES, *plot._KINDS.values(), *plot._RUNS)}
    assert not others & {plot.EXCITATORY.lower(), plot.INHIBITORY.lower()}


# ---------------------------------------------------------------------------------------------- membrane and currents


def test_membrane_shows_trace_threshold_spikes_and_histogram(trace):
    neuron = int(trace.counts["E"][2].argmax())
    left, right = plot.membrane(trace, "E", neuron, trial=2, theory=(0.1, 0.8)).axes
    np.testing.assert_array_equal(left.lines[0].get_ydata(), trace.states["E.U"][2, :, neuron])
    np.testing.assert_allclose(left.lines[0].get_xdata(), trace.times * 1e3)
    spikes = trace.spikes["E"][2]
    ticks = next(a for a in left.lines if a.get_marker() == "|")
    np.testing.assert_allclose(ticks.get_xdata(), spikes.times[spikes.units == neuron] * 1e3)
    assert ticks.get_xdata().size == trace.counts["E"][2, neuron] > 0
    assert list(left.lines[-1].get_ydata()) == [1.0, 1.0]
    assert left.get_ylabel() == "membrane U (threshold = 1)" and left.get_xlabel() == "time (ms)"
    values, edges, _ = right.patches[0].get_data()
    inside = (trace.states["E.U"] >= edges[0]) & (trace.states["E.U"] <= edges[-1])
    assert np.sum(values * np.diff(edges)) == pytest.approx(inside.mean(), abs=1e-6)
    gaussian = right.lines[0]
    assert gaussian.get_xdata().max() == pytest.approx(1 / (0.8 * np.sqrt(2 * np.pi)), rel=1e-3)
    assert [t.get_text() for t in right.get_legend().get_texts()][1] == "theory: 0.10 ± 0.80"


def test_membrane_of_a_readout_has_no_threshold(trace):
    left, right = plot.membrane(trace, "readout", 1).axes
    assert left.get_ylabel() == "membrane U" and len(left.lines) == 1 and not right.lines


def test_currents_are_those_of_the_trace_and_the_balance_that_of_stats(trace):
    axis = plot.currents(trace, "E", neuron=3, trial=1).axes[0]
    e, i = (trace.states[f"E.{name}"][1, :, 3] for name in ("I_exc", "I_inh"))
    for name, values in (("excitatory", e), ("inhibitory", -i), ("net", e - i)):
        np.testing.assert_array_equal(line(axis, name).get_ydata(), values)
    balance = stats.ei_balance(e[None, :, None], i[None, :, None])
    assert f"E/I ratio {balance.ratio[0]:.2f}, correlation {balance.correlation[0]:.2f}" in axis.get_title()
    assert axis.get_ylabel() == "synaptic current (threshold = 1)" and axis.get_xlabel() == "time (ms)"


def test_currents_through_conductances():
    net, rng = Network(1e-3), np.random.default_rng(0)
    x, a = net.input(10), net.population(3, conductance_lif(refractory=0.0), name="A")
    net.connect(x, a, receptor="exc", weights=rng.exponential(0.2, (10, 3)))
    net.connect(x, a, receptor="inh", weights=rng.exponential(0.2, (10, 3)), name="inhibition")
    there = run(net, poisson(20, 10, 0.1, 2, seed=1), ["A.U", "A.g_exc", "A.g_inh"])
    axis, u = plot.currents(there, "A", neuron=1, trial=1).axes[0], there.states["A.U"][1, :, 1]
    np.testing.assert_allclose(line(axis, "excitatory").get_ydata(), there.states["A.g_exc"][1, :, 1] * (60e-3 - u), rtol=1e-5)
    np.testing.assert_allclose(line(axis, "inhibitory").get_ydata(), there.states["A.g_inh"][1, :, 1] * (-20e-3 - u), rtol=1e-5)
    with pytest.raises(ValueError, match='"A.U", "A.g_exc", "A.g_inh"'):
        plot.currents(run(net, poisson(20, 10, 0.1, 2, seed=1), ["A.U"]), "A")


def test_gradients_over_time_are_norms_over_trials_and_neurons(trace):
    rng, n = np.random.default_rng(0), trace.n_steps
    states = {"E.U": rng.normal(size=(3, n, 12)), "E.I_exc": rng.normal(size=(3, n, 12)), "I.U": rng.normal(size=(3, n, 4))}
    states["I.U"][:, 5] = 0
    found = Gradients({}, {}, {}, states, {"E->I": np.arange(n) + 1.0})
    upper, lower = plot.gradients(trace, found).axes
    for name, values in states.items():
        norm = np.linalg.norm(values.transpose(1, 0, 2).reshape(n, -1), axis=1)
        np.testing.assert_allclose(line(upper, name).get_ydata(), np.where(norm > 0, norm, np.nan))
        assert to_hex(line(upper, name).get_color()) == to_hex({"E": plot.EXCITATORY, "I": plot.INHIBITORY}[name[0]])
    assert line(upper, "E.U").get_linestyle() != line(upper, "E.I_exc").get_linestyle()
    np.testing.assert_array_equal(line(lower, "E->I").get_ydata(), np.arange(n) + 1.0)
    assert lower.get_xlabel() == "time (ms)" and upper.get_yscale() == lower.get_yscale() == "log" and "dL/dstate" in upper.get_ylabel()
    with pytest.raises(ValueError, match='record=\\["E.U"\\]'):
        plot.gradients(trace, Gradients({}, {}, {}))


# ---------------------------------------------------------------------------------------------- weights, initializer, history


def test_weights_are_densities_beside_their_targets(trace):
    axes = {a.get_title().split("\n")[0]: a for a in plot.weights(trace.network, report()).axes}
    assert set(axes) == {"input->E", "input->I", "E->E", "E->I", "I->E", "I->I"}      # not the readout's
    for name, axis in axes.items():
        density, edges, _ = axis.patches[0].get_data()
        assert 0.97 < np.sum(density * np.diff(edges)) <= 1 + 1e-9
        assert f"mean {trace.network.weights[name].mean():.3g}" in axis.get_title()
    w, target = axes["input->E"].lines[0].get_data()
    np.testing.assert_allclose(target, np.exp(-w / 0.3) / 0.3)
    w, target = axes["I->I"].lines[0].get_data()
    np.testing.assert_allclose(target, np.exp(-((w - 0.3) / 0.1) ** 2 / 2) / (0.1 * np.sqrt(2 * np.pi)))
    assert list(axes["E->E"].lines[0].get_xdata()) == [0.25, 0.25]
    assert not axes["E->I"].lines and not any(a.lines for a in plot.weights(trace.network).axes)
    assert axes["I->I"].get_xlabel() == "weight (U per spike)" and axes["input->E"].get_ylabel() == "density"


@pytest.mark.parametrize("value", [0.0, 0.3])
def test_equal_weights_can_be_drawn(value):
    net = Network(2e-3)
    net.connect(net.input(3), net.population(2, lif(), name="p"), weights=np.full((3, 2), value))
    density, edges, _ = plot.weights(net).axes[0].patches[0].get_data()
    assert np.sum(density * np.diff(edges)) == pytest.approx(1)


@pytest.mark.parametrize("n", [1, 2, 8])
def test_initializer_draws_every_population(n):
    made = report(n)
    axes = plot.initializer(made).axes
    assert [a.get_xlabel() for a in axes] == ["mean of membrane U", "sd of membrane U", "firing rate (Hz)"]
    assert [t.get_text() for t in axes[0].get_yticklabels()] == [p.name for p in made.populations]
    for axis, quantity, first in zip(axes, ("mu", "sigma", "rate"), ("target", "target", "assumed")):
        for label, key in (("target", first), ("predicted", "predicted"), ("measured", "measured")):
            values = line(axis, label).get_xdata()
            np.testing.assert_array_equal(values, [getattr(p, f"{quantity}_{key}") for p in made.populations])
            assert np.all((axis.get_xlim()[0] < values) & (values < axis.get_xlim()[1]))


def test_history_has_a_panel_for_the_regularizer_only_if_there_was_one():
    axes = plot.history(history()).axes
    assert [a.get_ylabel() for a in axes] == ["loss", "accuracy"]
    np.testing.assert_array_equal(line(axes[0], "training").get_xdata(), np.arange(1, 7))
    np.testing.assert_array_equal(line(axes[0], "validation").get_ydata(), history().validation_loss)
    np.testing.assert_array_equal(line(axes[1], "training").get_ydata(), history().accuracy)
    assert [a.get_ylabel() for a in plot.history(history(regularizer=0.1)).axes][2] == "regularizer"
    assert len(plot.history(history(validation=False)).axes[0].lines) == 1
    assert plot.history(history(score=-1.0)).axes[1].get_ylabel() == "score (negative error)"


def test_history_compares_runs_of_different_length():
    figure = plot.history(history(6), {"naive": history(9, validation=False)}, label="fluctuation-driven")
    labels = [t.get_text() for t in figure.legends[0].get_texts()]
    assert labels == ["fluctuation-driven, training", "fluctuation-driven, validation", "naive, training"]
    assert line(figure.axes[0], "naive, training").get_xdata().size == 9


# ---------------------------------------------------------------------------------------------- all figures


@pytest.mark.parametrize("draw", [
    lambda t: plot.activity(t), lambda t: plot.activity(t, units=5), lambda t: plot.currents(t, "E"),
    lambda t: plot.membrane(t, "E", theory=(0, 1)), lambda t: plot.weights(t.network, report()),
    lambda t: plot.initializer(report(1)), lambda t: plot.initializer(report(8)),
    lambda t: plot.initializer(report(2, measured=False)), lambda t: plot.history(history(60)),
    lambda t: plot.history(history(regularizer=0.1), {"naive": history(), "with another prior": history()}),
    lambda t: plot.activity(run(dalian(20), trains(20), threads=1)),
    lambda t: plot.gradients(t, Gradients({}, {}, {}, {"E.U": np.ones((3, t.n_steps, 12))}, {"E->E": 1.0 + np.arange(t.n_steps)})),
], ids=["activity", "share", "currents", "membrane", "weights", "one", "eight", "unmeasured", "history", "runs", "classes", "gradients"])
def test_no_text_covers_another_or_leaves_the_figure(trace, draw):
    assert overlapping_texts(draw(trace)) == []


def test_overlaps_would_be_found(trace):
    figure = plot.currents(trace, "E")
    figure.text(0.5, 0.5, "one")
    figure.text(0.5, 0.5, "two")
    assert ("one", "two") in overlapping_texts(figure)


def test_figures_are_written_and_pyplot_is_never_loaded(trace, tmp_path):
    plot.activity(trace).savefig(tmp_path / "activity.png")
    assert (tmp_path / "activity.png").read_bytes().startswith(b"\x89PNG")
    code = ("import sys, numpy as np, biosnn.plot as plot; assert 'matplotlib' not in sys.modules; "
            "from biosnn.train import History; plot.history(History(*[np.ones(3)] * 7)); "
            "assert 'matplotlib.figure' in sys.modules and 'matplotlib.pyplot' not in sys.modules")
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(plot.__file__).parents[1])


# ---------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize("call, message", [
    (lambda t: plot.activity(t, trial=3), r"trial is 3; .* 0 \.\. 2"),
    (lambda t: plot.activity(t, units=0), "units is 0; .* at least 1"),
    (lambda t: plot.membrane(t, "E", neuron=12), r"neuron is 12; .* 0 \.\. 11"),
    (lambda t: plot.membrane(t, "E", theory=(0, 0)), r"theory is \(0, 0\); .* deviation > 0"),
    (lambda t: plot.membrane(t, "input"), "input.* has no state U; it is an input"),
    (lambda t: plot.membrane(t, "Q"), "no population 'Q'"),
    (lambda t: plot.currents(t, "I"), r'no I.I_exc and I.I_inh, .* record=\["I.I_exc", "I.I_inh"\]'),
    (lambda t: plot.currents(t, "readout"), "'readout' has no state I_exc or I_inh; its states are U, I"),
    (lambda t: plot.initializer(SimpleNamespace(populations=[])), "no populations"),
    (lambda t: plot.history(history(0)), "'this run' has no epochs"),
    (lambda t: plot.history(history(), {"this run": history()}), "others has a run 'this run'.*label="),
    (lambda t: plot.weights(Network(1e-3)), "no projections onto spiking populations"),
])
def test_bad_input_says_what_was_given_and_what_is_allowed(trace, call, message):
    with pytest.raises(ValueError, match=message):
        call(trace)


def test_membrane_that_was_not_recorded_says_how_to_record_it():
    with pytest.raises(ValueError, match=r'no E.U, which this figure shows: simulate with run\(\.\.\., record=\["E.U"\]\)'):
        plot.membrane(run(dalian(), trains(20), threads=1), "E")


def test_a_projection_without_synapses_has_no_weights():
    net = Network(1e-3)
    a, b = (net.population(5, lif(), "excitatory", name) for name in "AB")
    net.connect(a, b, weights=0.1, synapses=Bernoulli(0.0), seed=1)
    net.connect(b, b, weights=0.1, synapses=Bernoulli(1.0), seed=1)
    assert [axis.get_title() for axis in plot.weights(net).axes] == ["A->B\nno synapses", "B->B\nmean 0.1, sd 0"]


def test_weights_that_are_not_set_are_named():
    net = Network(2e-3)
    net.connect(net.input(3), net.population(2, lif(), name="p"))
    with pytest.raises(ValueError, match="without weights: input->p"):
        plot.weights(net)

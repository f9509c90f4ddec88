"""Figures: what they show is the data, what they say has units, and no text covers another."""

import itertools
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")
from matplotlib.colors import to_hex
from matplotlib.text import Text

import biosnn as bs
from biosnn.analysis import figures, plot, plot_currents, stats
from biosnn.analysis.plot_raster import rate_in_words
from biosnn.brian.report import Comparison, Divergence
from biosnn.data import poisson
from biosnn.data.spike_trains import SpikeTrains
from biosnn.engine.gradient import Gradients
from biosnn.engine.run import run
from biosnn.initializer.report import InitializerReport, PopulationReport
from biosnn.network import families
from biosnn.network.conductance_models import conductance_lif
from biosnn.network.network import Network
from biosnn.network.neuron_models import ampa_nmda_gaba, ei_lif, lif, lif_delta
from biosnn.network.random_connectivity import Bernoulli
from biosnn.theory import Moments, psp
from biosnn.training.history import History

N_TRIALS, DURATION = 3, 0.1


def trains(n_units, labels=(2, 0, 1), seed=0):
    rng = np.random.default_rng(seed)
    n = rng.poisson(60 * n_units * N_TRIALS * DURATION)
    return SpikeTrains.from_events(
        rng.uniform(0, DURATION, n),
        rng.integers(n_units, size=n),
        rng.integers(N_TRIALS, size=n),
        n_trials=N_TRIALS,
        n_units=n_units,
        duration=DURATION,
        labels=labels,
    )


def dalian(n_readouts=3):
    rng, net = np.random.default_rng(1), Network(2e-3)
    x = net.input(20)
    e, i = (
        net.population(12, ei_lif(), "excitatory", name="E"),
        net.population(4, ei_lif(), "inhibitory", name="I"),
    )
    for pre, post in ((x, e), (x, i), (e, e), (e, i), (i, e), (i, i)):
        net.connect(pre, post, weights=rng.exponential(0.3, (pre.n, post.n)))
    out = net.readout(n_readouts)
    net.connect(e, out, weights=rng.normal(size=(12, n_readouts)))
    return net


@pytest.fixture(scope="module")
def trace():
    return run(dalian(), trains(20), record=["E.U", "I.U", "E.I_exc", "E.I_inh"], threads=1)


def report(n=2, measured=True, names=None):
    values, rows = np.random.default_rng(n).uniform(0.5, 1.5, (n, 9)), []
    for k, v in enumerate(values):
        v[[4, 5, 8]] = v[[4, 5, 8]] if measured else np.nan
        rows.append(
            PopulationReport(
                names[k] if names else f"excitatory_{k}",
                1.0,
                0.9,
                target=Moments(mu=v[0], sigma=v[1], rate=v[6]),
                predicted=Moments(mu=v[2], sigma=v[3], rate=v[7]),
                measured=Moments(mu=v[4], sigma=v[5], rate=v[8]),
            )
        )
    weights = {
        "input->E": (families.Exponential(), 0.3, 0.3),
        "E->E": (families.Constant(), 0.25, 0.0),
        "I->I": (None, 0.3, 0.1),
        "I->E": (families.Gamma(0.5), 0.3, 0.3 * np.sqrt(2)),
    }
    return InitializerReport(rows, weights, {}, closed_loop=measured)


def history(n=6, validation=True, regularizer=0.0, scale=1.0, score_name="accuracy"):
    loss, score, none = np.linspace(2, 1, n), scale * np.linspace(0.2, 0.8, n), np.full(n, np.nan)
    return History(
        loss=loss,
        score=score,
        regularizer=np.full(n, regularizer),
        validation_loss=loss + 0.1 if validation else none,
        validation_score=score - 0.1 if validation else none,
        learning_rate=none,
        seconds=none,
        score_name=score_name,
    )


def line(axis, label):
    return next(a for a in axis.lines if a.get_label() == label)


def legend_of(figure):
    """label -> handle of the legend of a figure."""
    (box,) = figure.legends
    return dict(zip((text.get_text() for text in box.get_texts()), box.legend_handles))


def overlapping_texts(figure):
    """Pairs of drawn texts whose boxes share more than a pixel at 100 dots per inch, and texts that
    leave the figure.
    """
    figure.set_dpi(100)
    with pytest.MonkeyPatch.context() as patch:
        drawn, draw = (
            {},
            Text.draw,
        )  # what is drawn: matplotlib also keeps labels of ticks outside of the limits
        patch.setattr(
            Text,
            "draw",
            lambda text, renderer: (drawn.update({id(text): text}), draw(text, renderer))[1],
        )
        figure.draw_without_rendering()
    boxes = [
        (text.get_text(), text.get_window_extent())
        for text in drawn.values()
        if text.get_text().strip() and text.get_visible()
    ]
    outside = [
        name
        for name, b in boxes
        if b.x0 < -1 or b.y0 < -1 or b.x1 > figure.bbox.x1 + 1 or b.y1 > figure.bbox.y1 + 1
    ]
    return outside + [
        (a, b)
        for (a, p), (b, q) in itertools.combinations(boxes, 2)
        if min(p.x1, q.x1) - max(p.x0, q.x0) > 1 and min(p.y1, q.y1) - max(p.y0, q.y0) > 1
    ]


# ----------------------------------------------------------------------------------------- activity


def test_activity_draws_the_spikes_and_the_readouts_of_one_trial(trace):
    axes = plot.activity(trace, trial=1).axes
    rasters = {"input": trace.inputs["input"], "E": trace.spikes["E"], "I": trace.spikes["I"]}
    for axis, (name, spikes) in zip(axes, rasters.items()):
        assert spikes[1].times.size > 3
        np.testing.assert_allclose(axis.lines[0].get_xdata(), spikes[1].times * 1e3)
        np.testing.assert_array_equal(axis.lines[0].get_ydata(), spikes[1].units)
        assert axis.get_ylabel().split("\n")[0] == name
        assert f"{stats.firing_rates(spikes[1]).mean():.1f} Hz" in [
            t.get_text() for t in axis.texts
        ]
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
        assert list(legend_of(figure)) == [
            f"{k} (true)" if k == label else f"{k}" for k in range(3)
        ]


def test_activity_without_labels_readouts_or_spikes(trace):
    net = dalian()
    silent = run(net, SpikeTrains([], np.empty(0, int), [0, 0], 20, DURATION), threads=1)
    figure = plot.activity(silent)
    assert figure.get_suptitle() == "trial 0"
    assert figure.axes[0].get_xlim() == (0, DURATION * 1e3) and figure.axes[0].get_ylim() == (
        -0.5,
        19.5,
    )
    alone = Network(2e-3)
    alone.population(3, lif(), name="solo")
    figure = plot.activity(run(alone, duration=0.05, currents={"solo": np.full(3, 2.0)}, threads=1))
    assert (
        len(figure.axes) == 1
        and to_hex(figure.axes[0].lines[0].get_color()) == plot.UNSIGNED.lower()
    )


def test_activity_can_draw_a_share_of_the_units(trace):
    axis = plot.activity(trace, units=5).axes[0]
    assert set(axis.lines[0].get_ydata()) <= {0, 4, 9, 14, 19}
    assert "(5 of 20)" in axis.get_ylabel() and axis.get_ylim() == (-0.5, 19.5)


def test_excitatory_and_inhibitory_keep_their_colours(trace):
    wanted = [plot.INPUT.lower(), plot.EXCITATORY.lower(), plot.INHIBITORY.lower()]
    assert [to_hex(a.lines[0].get_color()) for a in plot.activity(trace).axes[:3]] == wanted
    assert to_hex(plot.membrane(trace, "I").axes[0].lines[0].get_color()) == wanted[2]
    current = plot.currents(trace, "E").axes[0]
    assert [
        to_hex(line(current, name).get_color()) for name in ("excitatory", "inhibitory")
    ] == wanted[1:]
    faces = {
        a.get_title().split("->")[0]: to_hex(a.patches[0].get_facecolor())
        for a in plot.weights(trace.network).axes
    }
    assert faces == dict(zip(("input", "E", "I"), wanted))
    others = {c.lower() for c in (*plot.CLASSES, *figures.KINDS.values(), *figures.RUNS)}
    assert not others & {plot.EXCITATORY.lower(), plot.INHIBITORY.lower()}


# ---------------------------------------------------------------------------- membrane and currents


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


# -------------------------------------------------------------------- weights, initializer, history


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


def test_history_has_a_panel_for_the_regularizer_only_if_there_was_one():
    axes = plot.history(history()).axes
    assert [a.get_ylabel() for a in axes] == ["loss", "accuracy"]
    np.testing.assert_array_equal(axes[0].lines[0].get_xdata(), np.arange(1, 7))
    np.testing.assert_array_equal(axes[0].lines[1].get_ydata(), history().validation_loss)
    np.testing.assert_array_equal(axes[1].lines[0].get_ydata(), history().score)
    assert axes[0].lines[0].get_linewidth() < axes[0].lines[1].get_linewidth()
    assert [a.get_ylabel() for a in plot.history(history(regularizer=0.1)).axes][2] == "regularizer"
    assert len(plot.history(history(validation=False)).axes[0].lines) == 1
    errors = history(scale=-1.0, score_name="negative squared error")
    axis = plot.history(errors).axes[1]
    assert axis.get_ylabel() == "negative squared error" and axis.get_ylim()[0] < -0.9
    both = plot.history({"classes": history(), "traces": errors})
    assert both.axes[1].get_ylabel() == "score"


def test_history_compares_runs_of_different_length():
    figure = plot.history({"fluctuation-driven": history(6), "naive": history(9, validation=False)})
    assert list(legend_of(figure)) == ["fluctuation-driven", "naive", "training", "validation"]
    assert [a.get_xdata().size for a in figure.axes[0].lines] == [6, 6, 9]


@pytest.mark.parametrize("width", [None, 8.5])
@pytest.mark.parametrize("n", [2, 9, 24])
def test_runs_have_styles_that_differ_and_a_legend_that_is_not_cut(n, width):
    figure = plot.history(
        {f"_condition number {k} of many": history() for k in range(n)}, width=width
    )
    styles = [
        (a.get_color(), a.get_linestyle(), a.get_marker()) for a in figure.axes[0].lines[1::2]
    ]
    assert len(set(styles)) == n and not {c for c, *_ in styles} & {
        plot.EXCITATORY,
        plot.INHIBITORY,
    }
    assert list(legend_of(figure)) == [f"_condition number {k} of many" for k in range(n)] + [
        "training",
        "validation",
    ]
    figure.draw_without_rendering()
    box, panel = figure.legends[0].get_window_extent(), figure.axes[0].get_tightbbox()
    assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= panel.y0 + 1
    assert overlapping_texts(figure) == []


def test_more_runs_than_eyes_can_tell_apart_are_refused():
    assert len({tuple(style.items()) for style in figures.styles(140)}) == 140
    with pytest.raises(
        ValueError, match="141 curves, and 140 that eyes could tell apart.*several seeds"
    ):
        plot.history({k: history() for k in range(141)})


def test_seeds_of_one_condition_are_a_mean_and_a_shade():
    seeds = [history(6), history(6, scale=0.5), history(4, scale=0.9)]
    figure = plot.history({"naive": seeds, "other": history(6)})
    assert list(legend_of(figure))[:2] == ["naive (mean ± sd of 3 seeds, first 4 epochs)", "other"]
    accuracy = np.array([run.score[:4] for run in seeds])
    axis = figure.axes[1]
    np.testing.assert_allclose(axis.lines[0].get_ydata(), accuracy.mean(axis=0))
    shade = axis.collections[0].get_paths()[0].vertices
    assert shade[:, 1].max() == pytest.approx(
        (accuracy.mean(axis=0) + accuracy.std(axis=0, ddof=1)).max()
    )
    assert len(axis.collections) == 2  # of training and validation; none of the single run
    alone = plot.history(seeds)
    assert list(legend_of(alone)) == [
        "mean ± sd of 3 seeds, first 4 epochs",
        "training",
        "validation",
    ]
    assert not plot.history([history()]).axes[0].collections


def test_a_training_that_diverged_says_from_where():
    broken = history(6)
    broken.loss[3:] = np.inf
    labels = list(legend_of(plot.history({"a": broken, "b": history(6)})))
    assert labels[0] == "a (loss not finite from epoch 4)"
    nothing = bs.History(*[np.full(3, np.nan)] * 7)
    assert [a.get_ylabel() for a in plot.history(nothing).axes] == ["regularizer"]


def test_one_epoch_is_a_point_within_the_axes():
    for axis in plot.history(history(1, regularizer=0.3)).axes:
        (left, right), (low, high) = axis.get_xlim(), axis.get_ylim()
        assert list(axis.get_xticks()) == [1] and left < 1 < right
        assert all(a.get_marker() == "." and low < a.get_ydata()[0] < high for a in axis.lines)


# -------------------------------------------------------------------------------------- what is odd


@pytest.fixture(scope="module")
def silent():
    nothing = SpikeTrains([], np.empty(0, int), [0] * 4, 20, DURATION, [0, 1, 2])
    return run(dalian(), nothing, record=["E.U", "E.I_exc", "E.I_inh"], threads=1)


@pytest.fixture(scope="module")
def odd():
    """Long names, one of them with signs of formulas and none for letters; one inhibitory neuron;
    one class.
    """
    rng, net = np.random.default_rng(1), Network(2e-3)
    x = net.input(20, name="thalamocortical relay cells of the core")
    e = net.population(
        12, ei_lif(), "excitatory", name="layer_2_3_pyramidal_cells_with_a_very_long_name"
    )
    i = net.population(1, ei_lif(), "inhibitory", name="$\\frac$ SOM_interneurons")
    for pre, post in ((x, e), (x, i), (i, i)):
        net.connect(pre, post, weights=rng.exponential(0.3, (pre.n, post.n)))
    net.connect(e, net.readout(1, name="the only class"), weights=rng.normal(size=(12, 1)))
    return run(
        net,
        trains(20, (0, 0, 0)),
        record=[f"{p.name}.{s}" for p in (e, i) for s in ("U", "I_exc", "I_inh")],
        threads=1,
    )


def compared(spikes=True, step=None, n=4, name="E"):
    """A comparison with Brian2; step: at which spikes differ."""
    u = np.cumsum(np.random.default_rng(0).normal(size=(200, n)) * 0.05, axis=0)
    train = SpikeTrains(
        *(([1e-3, 2e-3], [0, n - 1], [0, 2]) if spikes else ([], np.empty(0, int), [0, 0])), n, 0.02
    )
    parted = None if step is None else Divergence(0, step, name, 0, 1.1, 0.9, 1.0, "biosnn")
    return Comparison(
        identical=step is None,
        happened=True,
        divergence=parted,
        states={},
        spike_counts={name: (2, 2)},
        statistics={},
        duration=0.02,
        n_trials=1,
        dt=1e-4,
        traces={f"{name}.U": (u, u + 1e-15)},
        rasters={name: (train, train)},
    )


LONG = "layer_2_3_pyramidal_cells_with_a_very_long_name"
CASES = {
    "silent activity": lambda t, s, o, w: plot.activity(s, width=w),
    "silent membrane": lambda t, s, o, w: plot.membrane(s, "E", width=w),
    "silent currents": lambda t, s, o, w: plot.currents(s, "E", width=w),
    "long activity": lambda t, s, o, w: plot.activity(o, width=w),
    "long membrane": lambda t, s, o, w: plot.membrane(o, LONG, theory=(0, 1), width=w),
    "long currents": lambda t, s, o, w: plot.currents(o, LONG, width=w),
    "long weights": lambda t, s, o, w: plot.weights(o.network, width=w),
    "one neuron": lambda t, s, o, w: plot.currents(o, o.network.spiking[1], width=w),
    "long initializer": lambda t, s, o, w: plot.initializer(
        report(8, names=[f"layer {k}: {LONG}" for k in range(8)]), width=w
    ),
    "still initializer": lambda t, s, o, w: plot.initializer(
        InitializerReport(
            [PopulationReport("E", 1.0, 0.9, Moments(mu=0.0, sigma=0.0, rate=123456.0))], {}, {}
        ),
        width=w,
    ),
    "no gradient": lambda t, s, o, w: plot.gradients(
        t, Gradients({}, {}, {}, {"E.U": np.zeros((3, t.n_steps, 12))}), width=w
    ),
    "a gradient of two steps": lambda t, s, o, w: plot.gradients(
        t,
        Gradients(
            {},
            {},
            {},
            {},
            {
                "E->E": 1.0 * np.isin(np.arange(t.n_steps), (3, 9)),
                "I->E": np.full(t.n_steps, np.nan),
            },
        ),
        width=w,
    ),
    "diverged history": lambda t, s, o, w: plot.history(
        bs.History(*[np.array([1.0, np.nan, np.inf])] * 7), width=w
    ),
    "unknown history": lambda t, s, o, w: plot.history(
        bs.History(*[np.full(3, np.nan)] * 7), width=w
    ),
    "long history": lambda t, s, o, w: plot.history(
        {"a condition with a name that nobody would choose " * 4: history(), "b": history(1)},
        width=w,
    ),
    "comparison": lambda t, s, o, w: plot.comparison(compared(), width=w),
    "silent comparison": lambda t, s, o, w: plot.comparison(compared(False, n=1), width=w),
    "comparison that differs at once": lambda t, s, o, w: plot.comparison(
        compared(step=0, name=LONG), width=w
    ),
}


@pytest.mark.parametrize("width", [None, 8.5])
@pytest.mark.parametrize("case", CASES)
def test_odd_cases_say_what_is_true_and_fit(trace, silent, odd, case, width):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = CASES[case](trace, silent, odd, width)
        assert overlapping_texts(figure) == []
    words = (
        " ".join(text.get_text() for text in figure.findobj(Text))
        .replace("(", " ")
        .replace(",", " ")
        .split()
    )
    assert not {"nan", "inf", "-inf", "±inf", "None"} & set(words)
    assert width is None or figure.get_figwidth() == pytest.approx(width / 2.54)


def test_a_silent_network_is_said_to_be_silent(silent):
    figure = plot.currents(silent, "E")
    (axis,) = figure.axes
    assert figure.get_suptitle().splitlines() == [
        "E, neuron 0, trial 0: silent, no current",
        "medians over neurons, all trials: silent, no current",
    ]
    assert "nothing arrived at this neuron in trial 0" in axis.texts[0].get_text()
    widths = [a.get_linewidth() for a in axis.lines[:3]]
    assert widths == sorted(set(widths), reverse=True)  # all three are seen, one within the other
    figure = plot.activity(silent)
    assert [t.get_text() for a in figure.axes for t in a.texts] == ["silent"] * 3
    assert figure.get_suptitle() == "trial 0: class 0, predicted 0, tied with 2 others"
    assert list(legend_of(plot.membrane(silent, "E"))) == ["measured: always 0"]


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


def test_what_was_not_measured_is_not_in_the_legend():
    assert list(legend_of(plot.initializer(report(2)))) == ["target", "predicted", "measured"]
    assert list(legend_of(plot.initializer(report(2, measured=False)))) == ["target", "predicted"]


def test_a_single_step_of_a_gradient_is_drawn(trace):
    found = Gradients({}, {}, {}, {}, {"E->E": 1.0 * (np.arange(trace.n_steps) == 7)})
    (drawn,) = plot.gradients(trace, found).axes[0].lines
    assert drawn.get_marker() == "." and np.sum(np.isfinite(drawn.get_ydata())) == 1


def test_names_are_no_formulas_and_break_at_underscores(odd):
    figure = plot.activity(odd)
    assert figure.axes[2].get_ylabel().startswith(r"\$\frac\$ SOM_")
    assert "layer_2_3_pyramidal_\ncells_with_a_very_" in figure.axes[1].get_ylabel()


def test_a_rate_is_rounded_but_never_to_nothing():
    assert [rate_in_words(rate) for rate in (0.0, 0.0123, 0.5, 12.345, 1234.5)] == [
        "silent",
        "0.012 Hz",
        "0.5 Hz",
        "12.3 Hz",
        "1234.5 Hz",
    ]


def test_on_paper_texts_have_the_size_of_print(trace):
    figure = plot.currents(trace, "E", width=8.5)
    figure.draw_without_rendering()
    sizes = {text.get_fontsize() for text in figure.findobj(Text) if text.get_text()}
    assert min(sizes) >= 6 and max(sizes) <= 7.5


# -------------------------------------------------------------------------------------- all figures


@pytest.mark.parametrize("width", [None, 8.5])
@pytest.mark.parametrize(
    "draw",
    [
        lambda t, w: plot.activity(t, width=w),
        lambda t, w: plot.activity(t, units=5, width=w),
        lambda t, w: plot.currents(t, "E", width=w),
        lambda t, w: plot.membrane(t, "E", theory=(0, 1), width=w),
        lambda t, w: plot.weights(t.network, report(), width=w),
        lambda t, w: plot.initializer(report(1), width=w),
        lambda t, w: plot.initializer(report(8), width=w),
        lambda t, w: plot.initializer(report(2, measured=False), width=w),
        lambda t, w: plot.history(history(60), width=w),
        lambda t, w: plot.history(
            {
                "this run": history(regularizer=0.1),
                "naive": history(),
                "with another prior": history(),
            },
            width=w,
        ),
        lambda t, w: plot.activity(run(dalian(20), trains(20), threads=1), width=w),
        lambda t, w: plot.gradients(
            t,
            Gradients(
                {},
                {},
                {},
                {"E.U": np.ones((3, t.n_steps, 12))},
                {"E->E": 1.0 + np.arange(t.n_steps)},
            ),
            width=w,
        ),
    ],
    ids=[
        "activity",
        "share",
        "currents",
        "membrane",
        "weights",
        "one",
        "eight",
        "unmeasured",
        "history",
        "runs",
        "classes",
        "gradients",
    ],
)
def test_no_text_covers_another_or_leaves_the_figure(trace, draw, width):
    assert overlapping_texts(draw(trace, width)) == []


def test_overlaps_would_be_found(trace):
    figure = plot.currents(trace, "E")
    figure.text(0.5, 0.5, "one")
    figure.text(0.5, 0.5, "two")
    assert ("one", "two") in overlapping_texts(figure)


def test_figures_are_written_and_pyplot_is_never_loaded(trace, tmp_path):
    plot.activity(trace).savefig(tmp_path / "activity.png")
    assert (tmp_path / "activity.png").read_bytes().startswith(b"\x89PNG")
    code = (
        "import sys, numpy as np, biosnn as bs; assert 'matplotlib' not in sys.modules; "
        "bs.plot.history(bs.History(*[np.ones(3)] * 7)); "
        "assert 'matplotlib.figure' in sys.modules and 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(plot.__file__).parents[2])


# ---------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda t: plot.activity(t, trial=3), "trial is 3; .* from 0 to 2"),
        (lambda t: plot.activity(t, units=0), "units is 0; it must be a whole number >= 1"),
        (lambda t: plot.membrane(t, "E", neuron=12), "neuron is 12; .* from 0 to 11"),
        (lambda t: plot.membrane(t, "E", theory=(0, 0)), "standard deviation of theory is 0.*> 0"),
        (lambda t: plot.membrane(t, "input"), "input.* has no state U; it is an input"),
        (lambda t: plot.membrane(t, "Q"), "no population 'Q'"),
        (
            lambda t: plot.currents(t, "I"),
            r'no I.I_exc and I.I_inh, .* record=\["I.I_exc", "I.I_inh"\]',
        ),
        (
            lambda t: plot.currents(t, "readout"),
            "'readout' has no state I_exc or I_inh; its states are U, I",
        ),
        (lambda t: plot.initializer(InitializerReport([], {}, {})), "no populations"),
        (lambda t: plot.history(history(0)), "runs has a History without epochs"),
        (
            lambda t: plot.history({"a": [history(), history(0)]}),
            r"runs\['a'\] has a History without epochs",
        ),
        (lambda t: plot.history({"a": []}), r"runs\['a'\] has no History"),
        (lambda t: plot.history({}), "runs is an empty dict"),
        (lambda t: plot.weights(Network(1e-3)), "no projections onto spiking populations"),
        (lambda t: plot.activity(None), "trace is None; it must be the Trace that run"),
        (lambda t: plot.activity((t,)), "trace is .*; it must be the Trace"),
        (lambda t: plot.activity(t.network), "trace is .*; it must be the Trace"),
        (lambda t: plot.activity(t, trial=-1), "trial is -1"),
        (lambda t: plot.activity(t, trial=True), "trial is True"),
        (lambda t: plot.activity(t, trial=1.0), "trial is 1.0"),
        (lambda t: plot.activity(t, trial=[0]), r"trial is \[0\]"),
        (lambda t: plot.activity(t, units="5"), "units is '5'"),
        (lambda t: plot.activity(t, units=2.5), "units is 2.5"),
        (
            lambda t: plot.activity(t, width=3),
            "width is 3; it must be a finite number in cm from 6 to 100: a column",
        ),
        (lambda t: plot.activity(t, width="8.5"), "width is '8.5'"),
        (lambda t: plot.activity(t, width=np.nan), "width is nan"),
        (
            lambda t: plot.membrane(t, None),
            "population is None; it must be a population or its name, one of input, E, I, readout",
        ),
        (
            lambda t: plot.membrane(t, ["E"]),
            r"population is \['E'\]; it must be a population or its name",
        ),
        (lambda t: plot.membrane(t, 0), "population is 0"),
        (lambda t: plot.membrane("trace", "E"), "trace is 'trace'"),
        (lambda t: plot.membrane(t, "E", neuron="0"), "neuron is '0'"),
        (
            lambda t: plot.membrane(t, "E", theory=3.0),
            r"theory.* has shape \(\); it must be \(2,\)",
        ),
        (lambda t: plot.membrane(t, "E", theory=(0, 1, 2)), r"theory.* has shape \(3,\)"),
        (lambda t: plot.membrane(t, "E", theory=(np.nan, 1)), "theory.* has the value nan at 0"),
        (lambda t: plot.membrane(t, "E", theory="01"), "theory.* is '01'"),
        (lambda t: plot.currents(None, "E"), "trace is None"),
        (lambda t: plot.currents(t, {"E": 1}), "population is {'E': 1}"),
        (lambda t: plot.gradients(t, {"E.U": 1}), "found is {'E.U': 1}; it must be the Gradients"),
        (lambda t: plot.gradients(None, None), "trace is None"),
        (
            lambda t: plot.gradients(t, Gradients({}, {}, {}, {"E.U": np.ones((1, 3, 2))})),
            "gradients of E.U have 3 steps and the trace has 50",
        ),
        (lambda t: plot.weights("net"), "network is 'net'; it must be a Network"),
        (
            lambda t: plot.weights(t.network, "report"),
            "report is 'report'; it must be the report of the initializer",
        ),
        (lambda t: plot.initializer(None), "report is None; it must be the report"),
        (lambda t: plot.history(None), "runs is None; it must be a list"),
        (lambda t: plot.history("history"), "runs is 'history'"),
        (lambda t: plot.history(History), "runs is"),
        (lambda t: plot.history([history(), 1]), "runs is 1; it must be a History"),
        (lambda t: plot.history({"a": 1}), r"runs\['a'\] is 1"),
        (lambda t: plot.colour("E"), "population is 'E'; it must be a population, such as"),
        (
            lambda t: plot.colour(t.network.projections[0]),
            "population is .*; it must be a population",
        ),
        (lambda t: plot.colour(None), "population is None"),
        (lambda t: plot.comparison(None), "report is None; it must be the Comparison"),
        (lambda t: plot.comparison(compared(), "Q"), "the comparison holds no Q.U.*It holds E.U"),
        (lambda t: plot.comparison(compared(), 3), "population is 3; it must be one of 'E'"),
        (lambda t: plot.comparison(compared(), "E", neuron=4), "neuron is 4; .* from 0 to 3"),
    ],
)
def test_bad_input_says_what_was_given_and_what_is_allowed(trace, call, message):
    with pytest.raises(ValueError, match=message):
        call(trace)


def test_membrane_that_was_not_recorded_says_how_to_record_it():
    with pytest.raises(
        ValueError,
        match=r'no E.U, which this figure shows: simulate with run\(\.\.\., record=\["E.U"\]\)',
    ):
        plot.membrane(run(dalian(), trains(20), threads=1), "E")


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

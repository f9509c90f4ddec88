"""No text covers another, what is odd is said, and colours and sizes are kept."""

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.text import Text

import biosnn as bs
from biosnn.analysis import figures, plot
from biosnn.engine.gradient import Gradients
from biosnn.engine.run import run
from biosnn.initializer.report import InitializerReport, PopulationReport
from biosnn.theory import Moments

from .pictures import (
    LONG,
    compared,
    dalian,
    history,
    legend_of,
    line,
    overlapping_texts,
    report,
    trains,
)
from .test_plot_places import FIGURES


def layers():
    """Eight populations, of very different size."""
    net = bs.Network(1e-3)
    for layer in ("L23", "L4", "L5", "L6"):
        for sign, n in (("excitatory", 60), ("inhibitory", 3)):
            net.population(n, bs.lif(), sign, name=f"{layer}{sign[0].upper()}")
    for k, pre in enumerate(net.populations):
        for post in net.populations:
            net.connect(pre, post, weights=0.1, synapses=bs.Bernoulli(0.1), seed=k)
    return net


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
    **{
        f"{kind} {draw.__name__}": (
            lambda t, s, o, w, draw=draw, kind=kind: draw(s if kind == "silent" else o, width=w)
        )
        for kind in ("silent", "long")
        for draw in (
            plot.raster,
            plot.rates,
            plot.spectrum,
            plot.correlograms,
            plot.distributions,
            plot.connectivity,
        )
    },
    "many populations": lambda t, s, o, w: plot.connectivity(layers(), width=w),
    "many rasters": lambda t, s, o, w: plot.raster(
        bs.simulate(layers(), 0.05, progress=False, threads=1), width=w
    ),
    "silent comparison": lambda t, s, o, w: plot.comparison(compared(False, n=1), width=w),
    "comparison that differs at once": lambda t, s, o, w: plot.comparison(
        compared(step=0, name=LONG), width=w
    ),
}


@pytest.mark.parametrize("width", [None, 8.5])
@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_fits_screen_and_paper(trace, name, width):
    assert overlapping_texts(FIGURES[name][1](trace, width=width)) == []


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


def test_on_paper_texts_have_the_size_of_print(trace):
    figure = plot.currents(trace, "E", width=8.5)
    figure.draw_without_rendering()
    sizes = {text.get_fontsize() for text in figure.findobj(Text) if text.get_text()}
    assert min(sizes) >= 6 and max(sizes) <= 7.5


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

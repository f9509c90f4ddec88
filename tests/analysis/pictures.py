"""Traces, reports and trainings that tests of figures draw, and what they ask of a figure."""

import itertools

import numpy as np
import pytest

from biosnn.brian.report import Comparison, Divergence
from biosnn.data.spike_trains import SpikeTrains
from biosnn.initializer.report import InitializerReport, PopulationReport
from biosnn.network import families
from biosnn.network.network import Network
from biosnn.network.neuron_models import ei_lif
from biosnn.theory import Moments
from biosnn.training.history import History

N_TRIALS, DURATION = 3, 0.1
LONG = "layer_2_3_pyramidal_cells_with_a_very_long_name"


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
    from matplotlib.text import Text

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

"""Figures of trainings show curves that can be told apart."""

import numpy as np
import pytest

import biosnn as bs
from biosnn.analysis import figures, plot

from .pictures import history, legend_of, overlapping_texts


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

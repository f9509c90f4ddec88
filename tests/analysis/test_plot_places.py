"""Figures are drawn where `ax` says, and are returned by one rule."""

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import biosnn as bs
from biosnn.analysis import plot
from biosnn.analysis.places import place
from biosnn.engine.gradient import Gradients

from .pictures import compared, history, overlapping_texts, report

#: Name -> (number of panels, function of (trace, options)).
FIGURES = {
    "activity": (4, lambda t, **o: plot.activity(t, **o)),
    "two trials": (10, lambda t, **o: plot.activity(t, [0, 2], rate_bin=10e-3, **o)),
    "raster": (1, lambda t, **o: plot.raster(t, **o)),
    "rates": (1, lambda t, **o: plot.rates(t, **o)),
    "membrane": (2, lambda t, **o: plot.membrane(t, "E", theory=(0, 1), **o)),
    "membranes": (3, lambda t, **o: plot.membrane(t, "E", trial=[0, 1], **o)),
    "currents": (1, lambda t, **o: plot.currents(t, "E", **o)),
    "currents of two trials": (2, lambda t, **o: plot.currents(t, "E", 0, [2, 1], **o)),
    "phase_plane": (1, lambda t, **o: plot.phase_plane(t, "E", "U", "I_exc", **o)),
    "spectrum": (1, lambda t, **o: plot.spectrum(t, **o)),
    "correlograms": (4, lambda t, **o: plot.correlograms(t, **o)),
    "distributions": (2, lambda t, **o: plot.distributions(t, **o)),
    "weights": (6, lambda t, **o: plot.weights(t.network, report(), **o)),
    "confusion": (1, lambda t, **o: plot.confusion(counts(12), **o)),
    "connectivity": (1, lambda t, **o: plot.connectivity(t, **o)),
    "history": (2, lambda t, **o: plot.history([history(), history(scale=0.9)], **o)),
    "initializer": (3, lambda t, **o: plot.initializer(report(), **o)),
    "comparison": (3, lambda t, **o: plot.comparison(compared(step=3), **o)),
    "gradients": (
        2,
        lambda t, **o: plot.gradients(
            t, Gradients({}, {}, {}, {"E.U": np.ones((3, 50, 12))}, {"E->E": np.ones(50)}), **o
        ),
    ),
}


def counts(n):
    return np.random.default_rng(0).integers(20, size=(n, n)) + 80 * np.eye(n, dtype=int)


def data(axis):
    """What the lines of a panel show."""
    return [np.array(line.get_xydata(), float) for line in axis.lines]


@pytest.mark.parametrize("name", FIGURES)
def test_without_ax_a_figure_is_returned_and_with_ax_the_axes(trace, name):
    panels, draw = FIGURES[name]
    figure = draw(trace)
    assert isinstance(figure, Figure)
    alone = [axis for axis in figure.axes if axis.get_label() != "<colorbar>"]
    assert len(alone) == panels
    given = [Figure(figsize=(6, 4)).subplots() for _ in range(panels)]
    drawn = draw(trace, ax=given[0] if panels == 1 else np.array(given, object))
    if panels == 1:
        assert drawn is given[0]
    else:
        assert list(drawn) == given
    for mine, new in zip(given, alone):
        assert len(mine.lines) == len(new.lines)
        for a, b in zip(data(mine), data(new)):
            np.testing.assert_array_equal(a, b)
        assert mine.get_xlim() == pytest.approx(new.get_xlim())


@pytest.mark.parametrize("name", FIGURES)
def test_a_part_of_a_figure_holds_its_panels_title_and_legend(trace, name):
    panels, draw = FIGURES[name]
    home = Figure(figsize=(16, 8), layout="constrained")
    left, right = home.subfigures(1, 2)
    drawn = draw(trace, ax=right)
    assert isinstance(drawn, Axes) if panels == 1 else drawn.shape == (panels,)
    assert not left.axes and not home.legends and len(right.axes) >= panels
    assert all(axis.figure is right for axis in np.ravel(drawn))
    alone = draw(trace)
    assert len(right.legends) == len(alone.legends)
    assert "".join(right.get_suptitle().split()) == "".join(alone.get_suptitle().split())
    assert overlapping_texts(home) == []


def test_an_empty_figure_of_ones_own_is_filled(trace):
    home = Figure(figsize=(9, 5))
    axes = plot.activity(trace, ax=home)
    assert list(axes) == home.axes and home.get_layout_engine() is not None
    assert home.get_figheight() == 5  # it does not grow with the legend


def test_a_list_of_axes_without_a_figure_of_their_own_takes_legends_inside(trace):
    axis = Figure().subplots()
    plot.currents(trace, "E", ax=axis)
    assert [t.get_text() for t in axis.get_legend().get_texts()] == [
        "excitatory",
        "inhibitory",
        "net",
    ]
    assert axis.get_title().replace("\n", " ").startswith("E, neuron 0, trial 0: E/I ratio")


def test_a_title_of_ones_own_stays(trace):
    axis = Figure().subplots()
    axis.set_title("mine")
    plot.currents(trace, "E", ax=axis)
    assert axis.get_title() == "mine"


def test_settings_of_matplotlib_are_as_they_were(trace):
    before = dict(matplotlib.rcParams)
    plot.activity(trace, width=8.5)
    with pytest.raises(ValueError, match="trial is 9"):
        plot.activity(trace, 9, width=8.5)
    assert dict(matplotlib.rcParams) == before


def test_the_sheet_has_the_text_sizes_of_print():
    assert plot.style(width=8.5)["font.size"] == 7.0
    assert plot.style(width=25)["font.size"] == plot.style(width=50)["font.size"] == 10.0
    with matplotlib.rc_context({"font.size": 14}):
        assert plot.style()["font.size"] == 14
        with matplotlib.rc_context(plot.style(width=17.5)):
            axis = Figure().subplots()
    assert axis.xaxis.label.get_fontsize() == 7.0
    assert not axis.spines["top"].get_visible() and axis.spines["left"].get_visible()
    assert axis.xaxis.get_ticklabels()[0].get_fontsize() == pytest.approx(6.3)


@pytest.mark.parametrize(
    "ax, message",
    [
        (None, "4 panels"),
        ("axes", "ax is 'axes'; it must be an Axes, several of them, or a Figure or SubFigure"),
        ([], r"ax is \[\]; it must be an Axes"),
        ([1, 2], "ax is 1; it must be an Axes"),
        (1, "ax is 1; it must be an Axes"),
        (True, "ax is True"),
    ],
)
def test_bad_axes_are_refused_in_words(trace, ax, message):
    given = Figure().subplots() if ax is None else ax
    with pytest.raises(ValueError, match=message):
        plot.activity(trace, ax=given)


def test_axes_of_another_number_and_figures_in_use_are_refused(trace):
    home = Figure()
    two = home.subplots(1, 2)
    with pytest.raises(ValueError, match="ax is 2 Axes, and this figure has 4 panels; give as"):
        plot.activity(trace, ax=two)
    with pytest.raises(ValueError, match="ax is 2 Axes, and this figure has 1 panel;"):
        plot.rates(trace, ax=two)
    with pytest.raises(ValueError, match="ax is a Figure that holds 2 axes already; give one with"):
        plot.activity(trace, ax=home)
    with pytest.raises(ValueError, match="width is that of a new figure, and ax draws into one"):
        plot.rates(trace, ax=two[0], width=8.5)
    assert not two[0].lines


def test_panels_that_need_a_label_below():
    where = place(None, (6, 4), None, panels=5, columns=2)
    assert len(where.home.axes) == 5 and where.axes == where.home.axes
    given = Figure().subplots(1, 3)
    assert place(given, (6, 4), None, panels=3).bottom == list(given)
    alone = place(None, (6, 4), None, panels=3)
    assert alone.bottom == alone.axes[2:]


def test_figures_of_simulations_are_biosnn_plot():
    assert bs.plot is plot and sorted(plot.__all__) == plot.__all__

"""What figures of sweeps show: means, spreads, maps, labels; and what they refuse to mix."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import PathCollection, QuadMesh

import biosnn as bs
from biosnn.experiments.sweep_plot import label

QUIET = {"executor": 1, "progress": False}
GRID = {"tau_ms": [1.0, 4.0, 16.0, 64.0], "g": [3.0, 5.0]}


def measured(tau_ms, g, seed):
    if tau_ms == 4.0 and g == 3.0:
        raise ValueError("no such state")
    return {"rate_hz": 10 * g + np.log(tau_ms) + seed, "word": "x"}


@pytest.fixture(scope="module")
def sweep():
    with pytest.warns(UserWarning, match="3 of 24 points failed"):
        return bs.sweep(measured, GRID, seeds=[0, 1, 5], **QUIET)


def test_curves_are_means_and_shades_standard_deviations(sweep):
    (axis,) = sweep.plot("tau_ms", "rate_hz", "g").axes
    low, high = axis.get_lines()
    assert low.get_xdata().tolist() == [1, 16, 64] and high.get_xdata().tolist() == [1, 4, 16, 64]
    assert high.get_ydata() == pytest.approx(50 + np.log([1, 4, 16, 64]) + 2)
    edges = axis.collections[1].get_paths()[0].vertices
    at_one = edges[edges[:, 0] == 1, 1]
    assert np.ptp(at_one) == pytest.approx(2 * np.std([0, 1, 5], ddof=1))
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("tau (ms)", "rate (Hz)")
    assert axis.get_xscale() == "log"  # values by a factor


def test_a_map_has_means_over_seeds_and_nothing_where_all_failed(sweep):
    axis, bar = sweep.plot("tau_ms", "g", "rate_hz").axes
    (mesh,) = (each for each in axis.collections if isinstance(each, QuadMesh))
    values = np.ma.getdata(mesh.get_array()).reshape(2, 4)
    expected = 10 * np.array([[3.0], [5.0]]) + np.log([1, 4, 16, 64]) + 2
    expected[0, 1] = np.nan
    assert np.array_equal(np.isnan(values), np.isnan(expected))
    assert np.nanmax(np.abs(values - expected)) < 1e-12
    assert bar.get_ylabel() == "rate (Hz)" and axis.get_yticks().tolist() == [3, 5]


def test_points_that_are_no_grid_are_dots():
    points = bs.experiments.design({"a": (0.0, 1.0), "b": (0.0, 1.0)}, 8)
    found = bs.sweep(lambda a, b: {"ab": a * b}, points, **QUIET)
    axis, _ = found.plot("a", "b", "ab").axes
    (dots,) = (each for each in axis.collections if isinstance(each, PathCollection))
    assert np.array_equal(dots.get_array(), found["ab"])


def test_it_draws_on_given_axes(sweep):
    home, (left, right) = plt.subplots(1, 2)
    assert sweep.plot("tau_ms", "rate_hz", "g", ax=left) is left
    sweep.plot("tau_ms", "g", "rate_hz", ax=right)
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["3", "5"]
    assert left.get_legend().get_title().get_text() == "g" and right.collections
    plt.close(home)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("tau_ms", "rate_hz"), r"g has 2 values.*select\(g=3.0\)"),
        (("tau_ms", "rate"), "'rate_hz'"),
        (("tau_ms", "g"), "hue must be the result"),
        (("tau_ms", "rate_hz", "word"), "hue is 'word'"),
        (("tau_ms", "word", "g"), "no numbers"),
    ],
)
def test_what_would_mislead_is_refused(sweep, arguments, words):
    with pytest.raises(ValueError, match=words):
        sweep.plot(*arguments)


@pytest.mark.parametrize(
    "name, words", [("rate_e_hz", "rate e (Hz)"), ("cv", "cv"), ("tau_ms", "tau (ms)"), ("s", "s")]
)
def test_units_of_names_are_in_brackets(name, words):
    assert label(name) == words

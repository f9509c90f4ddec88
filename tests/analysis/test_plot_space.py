"""Figures of positions: they show the coordinates, in a unit, and the values as colours."""

import numpy as np
import pytest

pytest.importorskip("matplotlib")
from matplotlib.colors import to_hex

import biosnn as bs


def placed(positions_of_e, positions_of_i=None):
    net = bs.Network(1e-3)
    net.population(positions_of_e.n, bs.ei_lif(), "excitatory", name="E", positions=positions_of_e)
    if positions_of_i is not None:
        net.population(
            positions_of_i.n, bs.ei_lif(), "inhibitory", name="I", positions=positions_of_i
        )
    net.input(3, name="nowhere")
    return net


@pytest.mark.parametrize("width", [None, 8.5])
def test_a_sheet_shows_both_populations_in_millimetres(width):
    sheet = bs.space.grid((4, 6), (2e-3, 3e-3))
    some = bs.space.random(7, (2e-3, 3e-3), seed=1)
    axis = bs.plot.positions(placed(sheet, some), width=width).axes[0]
    for line, where, hue in zip(
        axis.lines, (sheet, some), (bs.plot.EXCITATORY, bs.plot.INHIBITORY)
    ):
        np.testing.assert_allclose(line.get_xydata(), 1e3 * np.asarray(where.coordinates))
        assert to_hex(line.get_color()).upper() == hue
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("x (mm)", "y (mm)")
    assert axis.get_xlim() == (0, 2) and axis.get_ylim() == (0, 3)


def test_rings_are_circles_and_lines_are_lines():
    ring = bs.plot.positions(placed(bs.space.ring(8, 360.0))).axes[0]
    x, y = ring.lines[0].get_xydata().T
    np.testing.assert_allclose(np.hypot(x, y), 1)
    np.testing.assert_allclose(np.degrees(np.arctan2(y, x))[:3], [22.5, 67.5, 112.5])
    assert "360" in ring.texts[0].get_text()
    line = bs.plot.positions(placed(bs.space.Positions([3e-6, 0.0, 1e-6]))).axes[0]
    np.testing.assert_allclose(line.lines[0].get_xdata(), [3, 0, 1])
    assert line.get_xlabel() == "x (µm)"


def test_values_are_colours_in_a_panel_for_each_population():
    cube, sheet = bs.space.random(9, (1.0, 1.0, 1.0), seed=1), bs.space.random(5, (1.0,), seed=2)
    net = placed(cube, sheet)
    figure = bs.plot.positions(net, {"I": np.arange(5), "E": np.arange(9) ** 2})
    panels = [axis for axis in figure.axes if axis.get_title()]
    assert [axis.get_title() for axis in panels] == ["I", "E"]
    np.testing.assert_array_equal(panels[1].collections[0].get_array(), np.arange(9) ** 2)
    np.testing.assert_allclose(panels[1].collections[0].get_offsets(), cube.coordinates[:, :2])
    assert panels[1].get_xlabel() == "x"


@pytest.mark.parametrize(
    "values, words",
    [
        ({"nowhere": [1, 2, 3]}, "populations with positions are E"),
        ({}, "are given for none"),
        ({"E": [1.0]}, r"'E' has shape \(1,\)|'E' have shape \(1,\)"),
        ({"E": [np.nan] * 4}, "finite"),
        ([1, 2, 3, 4], "a dict from population names"),
    ],
)
def test_messages(values, words):
    with pytest.raises(ValueError, match=words):
        bs.plot.positions(placed(bs.space.ring(4)), values)


def test_a_network_without_positions_says_how_to_give_them():
    net = bs.Network(1e-3)
    net.input(3)
    with pytest.raises(ValueError, match="positions=bs.space.grid"):
        bs.plot.positions(net)

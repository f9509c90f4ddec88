"""Figures of activity show the spikes and readouts of the trial, and say what they are."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

import biosnn as bs
from biosnn.analysis import plot, stats
from biosnn.analysis.plot_raster import rate_in_words
from biosnn.data.spike_trains import SpikeTrains
from biosnn.engine.run import run
from biosnn.network.network import Network
from biosnn.network.neuron_models import lif

from .pictures import DURATION, dalian, legend_of


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


def test_times_of_perturbations_are_shaded():
    net = bs.Network(dt=1e-3)
    for name in ("E", "I"):
        net.population(5, bs.ei_lif(), name=name)
    light = [bs.perturb.Silence("I", start=0.02, stop=0.04), bs.perturb.Silence("E")]
    options = {"duration": 0.1, "currents": {"E": 2.0, "I": 2.0}, "perturbations": light}
    trace = bs.run(net, **options)
    figure = plot.activity(trace, stop=0.03, rate_bin=5e-3)
    found = [[patch.get_extents() for patch in axis.patches] for axis in figure.axes]
    assert [len(each) for each in found] == [0, 1, 1]
    for axis in (*figure.axes[1:], plot.rates(trace, stop=0.03).axes[0]):
        (span,) = axis.patches
        assert (span.get_x(), span.get_width()) == pytest.approx((20.0, 10.0))
    assert not plot.activity(trace, start=0.05, rate_bin=5e-3).axes[1].patches

"""Figures of a Simulation show what those of a Trace show, of the neurons and times that it has."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

import biosnn as bs
from biosnn.analysis import plot, stats
from biosnn.analysis.figures import thinned
from biosnn.analysis.runs import window

from .pictures import dalian, legend_of, line

DURATION = 0.2
QUIET = {"progress": False, "threads": 1}
STATES = ["E.U", "E.I_exc", "E.I_inh", "readout.U"]


@pytest.fixture(scope="module")
def spikes():
    return bs.data.poisson(60.0, 20, DURATION, seed=4)


@pytest.fixture(scope="module")
def done(spikes):
    return bs.simulate(dalian(), DURATION, spikes, record=STATES, rate_bin=10e-3, **QUIET)


@pytest.fixture(scope="module")
def trial(spikes):
    return bs.run(dalian(), spikes, record=STATES, threads=1)


def other_input():
    return bs.data.poisson(60.0, 20, 0.1, seed=5)


def curves(axes):
    return [drawn.get_xydata() for axis in axes for drawn in axis.lines]


def test_activity_of_a_simulation_has_the_rasters_and_readouts_of_the_trial(done, trial):
    mine = plot.activity(done).axes
    others = plot.activity(trial, populations=["E", "I"], rate_bin=10e-3).axes
    names = ["E\nneuron", "I\nneuron", "rate\n(Hz)", "readout\nU"]
    assert [axis.get_ylabel() for axis in mine] == [a.get_ylabel() for a in others] == names
    for a, b in zip(curves(mine), curves(others), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    assert plot.activity(done).get_suptitle() == ""
    assert mine[-1].get_xlabel() == "time (ms)"


def test_rates_of_a_simulation_are_those_that_it_counted(done):
    silent = bs.simulate(dalian(), 0.1, other_input(), record_spikes=[], **QUIET)
    for recording in (done, silent):
        figure = plot.rates(recording, ["E", "I"])
        for drawn, name in zip(figure.axes[0].lines, ("E", "I")):
            np.testing.assert_array_equal(drawn.get_ydata(), recording.rates[name])
            centres = 1e3 * recording.rate_bin * (0.5 + np.arange(recording.rates[name].size))
            np.testing.assert_allclose(drawn.get_xdata(), centres)
        assert list(legend_of(figure)) == ["E", "I"]


def test_rates_in_other_bins_come_from_the_spikes(done):
    drawn = plot.rates(done, "I", rate_bin=20e-3).axes[0].lines[0]
    centres, rates = stats.rate_over_time(done.spikes["I"], 20e-3)
    np.testing.assert_array_equal(drawn.get_xydata(), np.transpose([1e3 * centres, rates]))


def test_membrane_and_currents_are_those_of_the_trial(done, trial):
    for draw in (plot.membrane, plot.currents):
        mine, other = draw(done, "E", 7), draw(trial, "E", 7)
        for a, b in zip(curves(mine.axes), curves(other.axes), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5)
    assert plot.membrane(done, "E", 7).get_suptitle() == "E, neuron 7"
    assert plot.currents(done, "E", 7).get_suptitle().startswith("E, neuron 7: E/I ratio")
    assert "\nmedians over neurons: E/I" in plot.currents(done, "E", 7).get_suptitle()


@pytest.mark.parametrize("simulated", [True, False])
def test_a_neuron_has_its_own_number_where_some_were_recorded(spikes, done, simulated):
    record = {"E.U": [7, 2], "E.I_exc": [2, 7, 9], "E.I_inh": slice(2, 9, 5)}
    if simulated:
        some = bs.simulate(dalian(), DURATION, spikes, record=record, every=3, **QUIET)
        every = 3
    else:
        some, every = bs.run(dalian(), spikes, record=record, threads=1), 1
    drawn = plot.membrane(some, "E", 2).axes[0].lines[0]
    np.testing.assert_allclose(drawn.get_ydata(), done.states["E.U"][::every, 2], atol=1e-6)
    np.testing.assert_allclose(drawn.get_xdata(), 1e3 * done.state_times[::every])
    axis = plot.currents(some, "E", 7).axes[0]
    for name, sign in (("exc", 1), ("inh", -1)):
        expected = sign * done.states[f"E.I_{name}"][::every, 7]
        values = line(axis, {"exc": "excitatory", "inh": "inhibitory"}[name]).get_ydata()
        np.testing.assert_allclose(values, expected, atol=1e-5)
    with pytest.raises(ValueError, match=r"neuron is 9; E.I_exc and E.I_inh were recorded"):
        plot.currents(some, "E", 9)
    with pytest.raises(
        ValueError, match=r"neuron is 0; E.U was recorded of the neurons 2, 7 alone"
    ):
        plot.membrane(some, "E", 0)


def test_a_recording_with_a_tape_knows_its_neurons(spikes, done):
    trace = bs.run(dalian(), spikes, record={"E.U": [-1, 3]}, tape=True, threads=1)
    np.testing.assert_array_equal(trace.neurons["E.U"], [11, 3])
    drawn = plot.membrane(trace, "E", 11).axes[0].lines[0]
    np.testing.assert_allclose(drawn.get_ydata(), done.states["E.U"][:, 11], atol=1e-6)


def test_a_window_shows_what_lies_in_it(done):
    figure = plot.activity(done, start=0.05, stop=0.11)
    for axis in figure.axes:
        assert axis.get_xlim() == pytest.approx((50, 110))
        for drawn in axis.lines:
            times = drawn.get_xdata()
            assert times.size and times.min() >= 50 and times.max() < 110
    spikes = done.spikes["I"]
    n = np.sum((spikes.times >= 0.05) & (spikes.times < 0.11))
    assert f"{n / 4 / 0.06:.1f} Hz" in [text.get_text() for text in figure.axes[1].texts]
    left, right = plot.membrane(done, "E", 3, start=0.05, stop=0.11).axes
    inside = (done.state_times >= 0.05) & (done.state_times < 0.11)
    np.testing.assert_array_equal(left.lines[0].get_ydata(), done.states["E.U"][inside, 3])
    words = next(iter(legend_of(right.get_figure())))
    assert words.startswith(f"measured: {done.states['E.U'][inside].mean(dtype=float):.3g} ±")


def test_a_window_is_cut_out_of_spikes_with_times_from_its_start():
    spikes = bs.SpikeTrains([0.1, 0.2, 0.3, 0.1], [0, 1, 0, 1], [0, 3, 4], 2, 0.4)
    cut = window(0.1, 0.3, 0.4).cut(spikes)
    np.testing.assert_allclose(cut.times, [0, 0.1, 0])
    assert list(cut.units) == [0, 1, 1] and list(cut.offsets) == [0, 2, 3]
    assert cut.duration == pytest.approx(0.2)
    assert window(0.0, None, 0.4).cut(spikes) is spikes


@pytest.mark.parametrize(
    "start, stop, message",
    [
        (0.2, None, "start is 0.2 s and stop 0.2 s; .* 0 <= start < stop <= 0.2"),
        (0.1, 0.05, "start is 0.1 s and stop 0.05 s"),
        (0, 50, "start is 0 s and stop 50 s; they must be times in seconds"),
        (-0.1, None, "start is -0.1 s"),
        ("0", None, "start is '0'"),
        (0.1001, 0.1002, "no state was recorded from 0.1001 to 0.1002 s"),
    ],
)
def test_a_window_without_anything_is_refused(done, start, stop, message):
    with pytest.raises(ValueError, match=message):
        plot.membrane(done, "E", start=start, stop=stop)


def test_what_was_not_recorded_says_how_to_record_it(done):
    with pytest.raises(ValueError, match=r"the simulation has no I.U, .* simulate\(..., record="):
        plot.membrane(done, "I")
    few = bs.simulate(dalian(), 0.1, other_input(), record_spikes=["I"], **QUIET)
    assert [axis.get_ylabel() for axis in plot.activity(few).axes] == ["I\nneuron", "rate\n(Hz)"]
    with pytest.raises(ValueError, match="populations has 'E', and there are spikes of I"):
        plot.raster(few, "E")
    none = bs.simulate(dalian(), 0.1, other_input(), record_spikes=[], **QUIET)
    assert [axis.get_ylabel() for axis in plot.activity(none).axes] == ["rate\n(Hz)"]
    with pytest.raises(ValueError, match="the recording holds no spikes"):
        plot.raster(none)


def test_a_continued_simulation_says_from_when_on(spikes, done):
    later = bs.simulate(dalian(), DURATION, spikes, state=done.state, record=["E.U"], **QUIET)
    assert plot.activity(later).axes[-1].get_xlabel() == "time (ms) from 0.2 s on"


def test_several_trials_stand_side_by_side(trace):
    figure = plot.activity(trace, [2, 0])
    panels = np.array(figure.axes).reshape(4, 2)
    for column, number in zip(panels.T, (2, 0)):
        for axis, name in zip(column, ("input", "E", "I")):
            spikes = (trace.inputs if name == "input" else trace.spikes)[name][number]
            np.testing.assert_allclose(axis.lines[0].get_xdata(), 1e3 * spikes.times)
        np.testing.assert_array_equal(
            column[3].lines[1].get_ydata(), trace.states["readout.U"][number, :, 1]
        )
        assert column[0].get_title().startswith(f"trial {number}: class {trace.labels[number]}")
    assert list(legend_of(figure)) == ["0", "1", "2"]  # none of them is true in all trials
    figure = plot.currents(trace, "E", 3, [1, 2])
    assert [axis.get_title()[:7] for axis in figure.axes] == ["trial 1", "trial 2"]
    for axis, number in zip(figure.axes, (1, 2)):
        values = trace.states["E.I_exc"][number, :, 3]
        np.testing.assert_array_equal(line(axis, "excitatory").get_ydata(), values)


@pytest.fixture(scope="module")
def large():
    """A circuit of many neurons that spike at known times."""
    rng, n = np.random.default_rng(0), 400_000
    times = np.sort(rng.uniform(0, 20, n))
    return bs.SpikeTrains(times, rng.integers(20_000, size=n), [0, n], 20_000, 20.0)


@pytest.mark.parametrize("width", [None, 8.5])
def test_rasters_of_many_neurons_show_some_and_say_so(large, width):
    (axis,) = plot.raster({"many": large, "few": large[:]}, width=width).axes
    drawn = [drawn.get_xydata() for drawn in axis.lines]
    assert 1000 < sum(len(each) for each in drawn) < 60_000
    label = axis.get_yticklabels()[0].get_text()
    n = int(label.split("(")[1].split()[0])
    assert label == f"many\n({n} of 20000)" and 50 < n < 1000
    rows = np.unique(drawn[0][:, 1])
    assert rows.min() >= 0 and rows.max() < n
    units = np.unique(np.linspace(0, 19_999, n).astype(int))
    kept = np.isin(large.units, units)
    np.testing.assert_array_equal(drawn[0][:, 0], large.times[kept])  # 20 s are drawn in seconds
    np.testing.assert_array_equal(units[drawn[0][:, 1].astype(int)], large.units[kept])
    assert axis.get_xlabel() == "time (s)"


def test_one_population_has_the_numbers_of_its_units(large):
    (axis,) = plot.raster(large, units=3, stop=1.0).axes
    assert [text.get_text() for text in axis.get_yticklabels()] == ["0", "19999"]
    assert axis.get_ylabel() == "unit\n(3 of 20000)"
    assert set(axis.lines[0].get_ydata()) <= {0, 1, 2}


def test_rasters_have_the_colours_of_their_populations(done):
    (axis,) = plot.raster(done).axes
    hues = [to_hex(drawn.get_color()) for drawn in axis.lines]
    assert hues == [plot.EXCITATORY.lower(), plot.INHIBITORY.lower()]
    assert [text.get_text() for text in axis.get_yticklabels()] == ["E", "I"]
    for drawn, name, top in zip(axis.lines, ("E", "I"), (0, 12)):
        np.testing.assert_array_equal(drawn.get_ydata(), top + done.spikes[name].units)


def test_a_recording_that_was_read_has_its_signs_and_its_start(done):
    signs = {"E": "excitatory", "I": "inhibitory"}
    read = bs.data.Recording(done.spikes, start=3.0, signs=signs)
    mine, other = plot.raster(read).axes[0], plot.raster(done).axes[0]
    for a, b in zip(mine.lines, other.lines, strict=True):
        np.testing.assert_array_equal(a.get_xydata(), b.get_xydata())
        assert a.get_color() == b.get_color()
    assert mine.get_xlabel() == "time (ms) from 3 s on"


def test_long_curves_keep_their_extremes():
    rng = np.random.default_rng(1)
    times, values = np.arange(300_000) * 1e-4, rng.normal(size=300_000)
    values[123_456], values[7] = 99.0, -99.0
    x, y = thinned(times, values)
    assert x.size <= 20_002 and np.all(np.diff(x) > 0)
    assert y.max() == 99.0 and y.min() == -99.0 and x[-1] == times[-1] and x[0] == times[0]
    np.testing.assert_array_equal(values[np.searchsorted(times, x)], y)
    for some in (times[:10], times[:20_000]):
        assert thinned(some, some)[0] is some


# ------------------------------------------------------------------------- trials of unequal length


@pytest.fixture(scope="module")
def unequal():
    """Two trials of 100 and 60 ms, together and the second alone."""
    trains = bs.data.poisson(60.0, 20, 0.1, 2, seed=3, labels=[0, 1])
    both = trains.select(stop=[0.1, 0.06])
    record = {"record": STATES, "threads": 1}
    alone = both.select(trials=1, stop=0.06)
    return bs.run(dalian(), both, **record), bs.run(dalian(), alone, **record)


def test_a_trial_that_ends_early_is_drawn_until_its_end(unequal):
    both, alone = unequal
    assert both.duration == pytest.approx(0.1) and alone.duration == pytest.approx(0.06)
    for draw in (plot.activity, lambda t, k: plot.currents(t, "E", 2, k)):
        mine, other = draw(both, 1), draw(alone, 0)
        assert mine.axes[-1].get_xlim() == (0, pytest.approx(100))
        for a, b in zip(mine.axes, other.axes, strict=True):
            for one, two in zip(a.lines, b.lines, strict=True):
                if len(one.get_xdata()) > 2:  # else it is a line across the panel
                    np.testing.assert_allclose(one.get_xydata(), two.get_xydata(), atol=1e-5)
    figure, other = plot.activity(both, 1), plot.activity(alone)
    assert [t.get_text() for t in figure.axes[1].texts] == [
        t.get_text() for t in other.axes[1].texts
    ]
    assert figure.get_suptitle()[7:] == other.get_suptitle()[7:]


def test_the_distribution_of_the_membrane_leaves_out_what_is_after_the_end(unequal):
    both, _ = unequal
    values = np.concatenate([both.states["E.U"][0], both.states["E.U"][1, :30]])
    words = next(iter(legend_of(plot.membrane(both, "E", 2))))
    mean, spread = values.mean(dtype=float), values.std(dtype=float)
    assert words == f"measured: {mean:.3g} ± {spread:.3g} (mean ± sd)"


def test_a_window_after_the_end_of_a_trial_says_so(unequal):
    both, _ = unequal
    texts = plot.activity(both, 1, start=0.07).axes[1].texts
    assert [text.get_text() for text in texts] == ["ended"]
    said = plot.currents(both, "E", 2, 1, start=0.07).get_suptitle()
    assert said.startswith("E, neuron 2, trial 1: the trial has ended")
    with pytest.raises(ValueError, match=r"trial 1 has ended before 0.07 s"):
        plot.phase_plane(both, "E", "U", "I_exc", trial=1, start=0.07)
    rates = stats.firing_rates(both.spikes["E"][0].select(start=0.07)).mean()
    found = plot.distributions(both, "E", start=0.07)
    assert next(iter(legend_of(found))).startswith(f"E, {rates:.3g} Hz")


def test_spectra_take_the_segments_that_trials_have():
    trains = bs.data.poisson(40.0, 30, 1.0, 2, seed=8)
    cut = trains.select(stop=[1.0, 0.6])
    mine = plot.spectrum(cut, segment=0.5).axes[0].lines[0].get_ydata()
    whole = plot.spectrum(trains[0], segment=0.5).axes[0].lines[0].get_ydata()
    part = trains[1].select(stop=0.5)
    short = plot.spectrum(part, segment=0.5).axes[0].lines[0].get_ydata()
    np.testing.assert_allclose(mine, (3 * whole + short) / 4)

"""Neo and back, and elephant beside our statistics."""

import numpy as np
import pytest

import biosnn as bs

from . import circuit

neo = pytest.importorskip("neo")
interop = bs.interop


def test_a_trace_comes_back_bit_for_bit():
    trace = circuit.trace()
    found = interop.from_neo(interop.to_neo(trace, units={"U": "mV"}))
    circuit.assert_same_spikes(found, trace.spikes)
    circuit.assert_same_states(found, trace, trace.states)
    np.testing.assert_array_equal(found.state_times, trace.times)
    assert found.start == trace.start == 0.3
    assert found.units == {"E.U": "mV", "I.I_exc": "dimensionless"}
    assert found.signs == {"E": "excitatory", "I": "inhibitory"}
    assert found.dt == circuit.DT


def test_a_simulation_comes_back_bit_for_bit():
    simulation = circuit.simulation()
    found = interop.from_neo(interop.to_neo(simulation))
    circuit.assert_same_spikes(found, simulation.spikes)
    circuit.assert_same_states(found, simulation, {"E.U": simulation.states["E.U"][None]})
    np.testing.assert_array_equal(found.state_times, simulation.state_times)
    assert found.start == 0.25


def test_times_units_and_annotations_are_those_of_the_run():
    simulation = circuit.simulation()
    segment = interop.to_neo(simulation, units={"E.U": "mV"}).segments[0]
    assert len(segment.spiketrains) == 8 + 3
    for train in segment.spiketrains:
        name, index = train.annotations["population"], train.annotations["index"]
        own = simulation.spikes[name]
        expected = 0.25 + own.times[own.units == index]
        np.testing.assert_array_equal(train.rescale("s").magnitude, expected)
        assert (float(train.t_start), float(train.t_stop)) == (0.25, 0.5)
        assert train.annotations["sign"] == simulation.network[name].sign
    (signal,) = segment.analogsignals
    assert str(signal.units.dimensionality) == "mV"
    assert float(signal.t_start) == 0.25 + simulation.state_times[0]
    assert float(signal.sampling_period) == pytest.approx(3 * circuit.DT, rel=1e-12)
    np.testing.assert_array_equal(signal.array_annotations["index"], [5, 2])


def test_labels_and_populations_are_found_in_the_block():
    block = interop.to_neo(circuit.trace())
    assert [segment.annotations["label"] for segment in block.segments] == [1, 0, 2, 1]
    assert {group.name: len(group.spiketrains) for group in block.groups} == {"E": 32, "I": 12}


def test_spikes_off_the_grid_come_back():
    spikes = circuit.off_grid()
    found = interop.from_neo(interop.to_neo({"retina": spikes}))
    circuit.assert_same_spikes(found, {"retina": spikes})


def test_trains_of_another_program_are_units_of_one_trial():
    trains = [
        neo.SpikeTrain([1100, 1300], units="ms", t_start=1000.0, t_stop=2000.0),
        neo.SpikeTrain([1.25], units="s", t_start=1.0, t_stop=2.0),
    ]
    found = interop.from_neo(trains, population="V1")
    np.testing.assert_allclose(found["V1"].times, [0.1, 0.25, 0.3], rtol=1e-12)
    np.testing.assert_array_equal(found["V1"].units, [0, 1, 0])
    assert (found.start, found["V1"].duration) == (1.0, 1.0)


def block_of(*segments):
    """A Block of segments, each a list of (name, seconds of the only spike)."""
    block = neo.Block()
    for trains in segments:
        segment = neo.Segment()
        for name, time in trains:
            segment.spiketrains.append(neo.SpikeTrain([time], units="s", t_stop=1.0, name=name))
        block.segments.append(segment)
    return block


def test_units_of_segments_are_told_by_their_names():
    block = block_of([("a", 0.1), ("b", 0.2)], [("b", 0.3), ("a", 0.4)], [("c", 0.5)])
    found = interop.from_neo(block)["units"]
    np.testing.assert_array_equal(found.units, [0, 1, 1, 0, 2])
    np.testing.assert_array_equal(found.trials, [0, 0, 1, 1, 2])
    places = interop.from_neo(block_of([(None, 0.1), (None, 0.2)], [(None, 0.4), (None, 0.3)]))
    np.testing.assert_array_equal(places["units"].units, [0, 1, 1, 0])
    with pytest.raises(ValueError, match="that say which are of the same unit"):
        interop.from_neo(block_of([(None, 0.1), (None, 0.2)], [(None, 0.3)]))


def test_segments_of_a_recording_are_trials_with_starts_of_their_own():
    block = neo.Block()
    for start in (1.0, 4.0):
        segment = neo.Segment()
        times = [start + 0.2, start + 1.0]  # the last one at the end
        segment.spiketrains.append(
            neo.SpikeTrain(times, units="s", t_start=start, t_stop=start + 1)
        )
        signal = np.full((10, 1), start)
        segment.analogsignals.append(
            neo.AnalogSignal(signal, "uV", sampling_rate=_hertz(10), t_start=_seconds(start))
        )
        block.segments.append(segment)
    found = interop.from_neo(block)
    np.testing.assert_array_equal(found.start, [1.0, 4.0])
    np.testing.assert_allclose(found["units"].times, [0.2, 1.0, 0.2, 1.0], rtol=1e-12)
    assert found.states["units.signal 0"].shape == (2, 10, 1)
    np.testing.assert_allclose(found.state_times, np.arange(10) / 10, atol=1e-12)


def _hertz(value):
    return value * pytest.importorskip("quantities").Hz


def _seconds(value):
    return value * pytest.importorskip("quantities").s


@pytest.mark.parametrize("make", [circuit.off_grid, circuit.trace, circuit.simulation])
def test_elephant_finds_the_same_statistics(make):
    source = make()
    statistics = pytest.importorskip("elephant.statistics")
    block = interop.to_neo(source)
    spikes = {"units": source} if isinstance(source, bs.SpikeTrains) else source.spikes
    for name, trains in spikes.items():
        own = [
            [t for t in segment.spiketrains if t.annotations["population"] == name]
            for segment in block.segments
        ]
        rates = [[float(statistics.mean_firing_rate(t)) for t in row] for row in own]
        np.testing.assert_allclose(
            np.mean(rates, axis=0), bs.stats.firing_rates(trains), rtol=1e-9, atol=1e-12
        )
        cv = bs.stats.isi_cv(trains, minimum=3)
        for unit in np.flatnonzero(np.isfinite(cv)):
            intervals = [statistics.isi(row[unit]).rescale("s").magnitude for row in own]
            assert statistics.cv(np.concatenate(intervals)) == pytest.approx(cv[unit], rel=1e-9)
        n = len(trains)
        if n > 1:  # elephant divides the variance by n, and we by n - 1
            fano = bs.stats.fano_factor(trains, trains.duration)
            for unit in range(trains.n_units):
                theirs = statistics.fanofactor([row[unit] for row in own])
                np.testing.assert_allclose(theirs * n / (n - 1), fano[unit], rtol=1e-9)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: interop.to_neo([0.1, 0.2]), "source is .*must be a Trace, a Simulation"),
        (lambda: interop.to_neo(circuit.trace(), units={"E.V": "mV"}), "recorded states are E.U"),
        (lambda: interop.to_neo(circuit.trace(), units={"U": "millivolt!"}), "does not know it"),
        (lambda: interop.to_neo(circuit.trace(), units="mV"), "units"),
        (lambda: interop.from_neo(circuit.trace()), "a neo.Block, a neo.Segment"),
        (lambda: interop.from_neo(neo.Block()), "neither spike trains nor signals"),
        (lambda: interop.from_neo([]), "a neo.Block, a neo.Segment"),
    ],
)
def test_careless_calls_are_answered(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_signals_that_differ_are_refused():
    segment = neo.Segment()
    for rate in (10, 20):
        segment.analogsignals.append(
            neo.AnalogSignal(np.ones((5, 1)), "mV", sampling_rate=_hertz(rate))
        )
    with pytest.raises(ValueError, match="sampled differently"):
        interop.from_neo(segment)

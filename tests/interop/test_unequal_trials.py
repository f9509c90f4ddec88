"""Trials of unequal length keep their ends in every form."""

import numpy as np
import pytest

import biosnn as bs

from . import circuit

interop = bs.interop
ENDS = np.array([0.3, 0.12, 0.25])


@pytest.fixture(scope="module")
def trace():
    spikes = bs.data.poisson(80.0, 6, 0.3, 3, seed=1)
    inside = spikes.times < ENDS[spikes.trials]
    cut = bs.SpikeTrains.from_events(
        spikes.times[inside],
        spikes.units[inside],
        spikes.trials[inside],
        n_trials=3,
        n_units=6,
        ends=ENDS,
    )
    return bs.run(circuit.network(), cut, record=["E.U"])


def through_neo(trace, _):
    pytest.importorskip("neo")
    return interop.from_neo(interop.to_neo(trace))


def through_xarray(trace, _):
    pytest.importorskip("xarray")
    return interop.from_xarray(interop.to_xarray(trace, rate_bin=0.05))


def through_nwb(trace, folder):
    pytest.importorskip("pynwb")
    interop.to_nwb(trace, folder / "run.nwb")
    return interop.from_nwb(folder / "run.nwb")


@pytest.mark.parametrize("through", [through_neo, through_xarray, through_nwb])
def test_ends_and_states_until_them_come_back(trace, tmp_path, through):
    found = through(trace, tmp_path)
    circuit.assert_same_spikes(found, trace.spikes)
    np.testing.assert_array_equal(found["E"].ends, ENDS)
    for b, steps in enumerate(np.rint(ENDS / circuit.DT).astype(int)):
        own = found.states["E.U"][b]
        np.testing.assert_array_equal(own[:steps], trace.states["E.U"][b, :steps])
        assert np.all(np.isnan(own[steps:]))


def test_segments_of_neo_end_with_their_trials(trace):
    pytest.importorskip("neo")
    for segment, end in zip(interop.to_neo(trace).segments, ENDS, strict=True):
        assert {float(train.t_stop) for train in segment.spiketrains} == {end}
        assert float(segment.analogsignals[0].t_stop) == pytest.approx(end, rel=1e-12)


def test_tables_have_no_rows_after_the_end_of_a_trial(trace):
    pytest.importorskip("pandas")
    for what, last in (("states", circuit.DT), ("rates", 0.025)):
        times = interop.to_frame(trace, what, rate_bin=0.05).groupby("trial")["time_s"].max()
        assert np.all(times < ENDS) and np.all(times > ENDS - last - 1e-9)


def test_rates_of_each_trial_are_those_of_the_trial_alone(trace):
    pytest.importorskip("xarray")
    rates = interop.to_xarray(trace, rate_bin=0.05)["E.rate"].values
    for b in range(3):
        _, alone = bs.stats.rate_over_time(trace.spikes["E"][b], 0.05)
        np.testing.assert_array_equal(rates[b, : alone.size], alone)
        assert np.all(np.isnan(rates[b, alone.size :]))

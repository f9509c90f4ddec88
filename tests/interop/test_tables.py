"""Tidy tables of pandas and data sets of xarray hold what the run recorded."""

import numpy as np
import pytest

import biosnn as bs

from . import circuit

interop = bs.interop


# ------------------------------------------------------------------------------------------- pandas


def test_the_frame_of_spikes_has_a_row_for_each():
    pytest.importorskip("pandas")
    trace = circuit.trace()
    frame = interop.to_frame(trace)
    assert list(frame.columns) == ["trial", "population", "unit", "time_s", "label"]
    for name, trains in trace.spikes.items():
        own = frame[frame["population"] == name]
        np.testing.assert_array_equal(own["trial"], trains.trials)
        np.testing.assert_array_equal(own["unit"], trains.units)
        np.testing.assert_array_equal(own["time_s"], 0.3 + trains.times)
        np.testing.assert_array_equal(own["label"], trains.labels[trains.trials])


@pytest.mark.parametrize("make", [circuit.trace, circuit.simulation])
def test_the_frame_of_states_has_a_row_for_each_value(make):
    pytest.importorskip("pandas")
    source = make()
    frame = interop.to_frame(source, "states")
    name = frame["population"].astype(str) + "." + frame["state"].astype(str)
    times = source.times if isinstance(source, bs.Trace) else source.state_times
    for state, values in source.states.items():
        table = frame[name == state].pivot(
            index=["trial", "time_s"], columns="neuron", values="value"
        )
        table = table[list(source.neurons[state])]
        np.testing.assert_array_equal(table.to_numpy(), values.reshape(-1, values.shape[-1]))
        np.testing.assert_array_equal(
            table.index.get_level_values("time_s")[: times.size], source.start + times
        )


def test_the_frame_of_rates_is_that_of_the_statistics():
    pytest.importorskip("pandas")
    trace = circuit.trace()
    frame = interop.to_frame(trace, "rates", rate_bin=0.05)
    own = frame[(frame["population"] == "E") & (frame["trial"] == 2)]
    centres, rates = bs.stats.rate_over_time(trace.spikes["E"][2], 0.05)
    np.testing.assert_array_equal(own["time_s"], 0.3 + centres)
    np.testing.assert_array_equal(own["rate_hz"], rates)
    mean = frame[frame["population"] == "E"].groupby("time_s")["rate_hz"].mean()
    _, over_trials = bs.stats.rate_over_time(trace.spikes["E"], 0.05)
    np.testing.assert_allclose(mean, over_trials, rtol=1e-12)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: interop.to_frame(circuit.off_grid(), "states"), "no states were recorded"),
        (lambda: interop.to_frame(circuit.off_grid(), "spike"), "one of 'spikes'"),
        (lambda: interop.to_frame(circuit.off_grid(), "rates", rate_bin=0.0), "rate_bin"),
        (lambda: interop.to_frame(circuit.network()), "source"),
    ],
)
def test_careless_calls_of_pandas_are_answered(call, words):
    pytest.importorskip("pandas")
    with pytest.raises(ValueError, match=words):
        call()


# ------------------------------------------------------------------------------------------- xarray


def test_a_data_set_has_coordinates_and_units():
    pytest.importorskip("xarray")
    trace = circuit.trace()
    found = interop.to_xarray(trace, units={"U": "mV"}, rate_bin=0.05)
    assert found["E.U"].dims == ("trial", "time", "E.U_neuron")
    one = found["E.U"].sel({"trial": 3, "E.U_neuron": 2})
    np.testing.assert_array_equal(one, trace.states["E.U"][3, :, 1])
    assert found["E.U"].attrs["units"] == "mV" and found["time"].attrs["units"] == "s"
    np.testing.assert_array_equal(found["start"], np.full(4, 0.3))
    np.testing.assert_array_equal(found["label"], [1, 0, 2, 1])
    assert found["E.rate"].attrs["units"] == "Hz"
    _, rates = bs.stats.rate_over_time(trace.spikes["E"], 0.05)
    np.testing.assert_allclose(found["E.rate"].mean("trial"), rates, rtol=1e-12)


@pytest.mark.parametrize("make", [circuit.trace, circuit.simulation])
def test_a_data_set_comes_back_bit_for_bit(make):
    pytest.importorskip("xarray")
    source = make()
    found = interop.from_xarray(interop.to_xarray(source, units={"E.U": "mV"}))
    circuit.assert_same_spikes(found, source.spikes)
    states = {
        name: values.reshape(-1, *values.shape[-2:]) for name, values in source.states.items()
    }
    circuit.assert_same_states(found, source, states)
    assert found.start == source.start and found.units["E.U"] == "mV"
    assert found.signs == {"E": "excitatory", "I": "inhibitory"}


def test_spikes_off_the_grid_come_back_from_a_data_set():
    pytest.importorskip("xarray")
    spikes = circuit.off_grid()
    circuit.assert_same_spikes(
        interop.from_xarray(interop.to_xarray({"V1": spikes})), {"V1": spikes}
    )


@pytest.mark.filterwarnings("error")
def test_a_data_set_comes_back_from_a_file(tmp_path):
    xarray = pytest.importorskip("xarray")
    interop.to_xarray(circuit.trace()).to_netcdf(tmp_path / "run.nc", engine="scipy")
    found = interop.from_xarray(xarray.load_dataset(tmp_path / "run.nc", engine="scipy"))
    circuit.assert_same_spikes(found, circuit.trace().spikes)
    circuit.assert_same_states(found, circuit.trace(), circuit.trace().states)


def test_other_data_sets_are_refused():
    xarray = pytest.importorskip("xarray")
    for other in (xarray.Dataset(), circuit.trace()):
        with pytest.raises(ValueError, match="such as to_xarray returns"):
            interop.from_xarray(other)

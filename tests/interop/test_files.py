"""NWB and SONATA files come back bit for bit, and other programs take them."""

import h5py
import numpy as np
import pytest

import biosnn as bs

from . import circuit

interop = bs.interop


@pytest.fixture
def pynwb():
    return pytest.importorskip("pynwb")


def errors(pynwb, path):
    """What the validator of pynwb says."""
    found = pynwb.validate(path=str(path))
    return found[0] if isinstance(found, tuple) else found


@pytest.mark.parametrize("make", [circuit.trace, circuit.simulation])
def test_a_run_comes_back_from_nwb_bit_for_bit(pynwb, tmp_path, make):
    source, path = make(), tmp_path / "run.nwb"
    interop.to_nwb(source, path, units={"U": "volts"})
    assert errors(pynwb, path) == []
    found = interop.from_nwb(path)
    circuit.assert_same_spikes(found, source.spikes)
    states = {
        name: values.reshape(-1, *values.shape[-2:]) for name, values in source.states.items()
    }
    circuit.assert_same_states(found, source, states)
    assert found.start == source.start and found.units["E.U"] == "volts"
    assert found.signs == {"E": "excitatory", "I": "inhibitory"} and found.dt == circuit.DT


def test_nwb_has_what_its_readers_look_for(pynwb, tmp_path):
    trace, path = circuit.trace(), tmp_path / "run.nwb"
    interop.to_nwb(trace, path, session={"lab": "ours", "session_description": "four trials"})
    with pynwb.NWBHDF5IO(path, "r") as io:
        nwb = io.read()
        assert (nwb.lab, nwb.session_description) == ("ours", "four trials")
        starts = 0.3 + 0.3 * np.arange(4)
        np.testing.assert_allclose(nwb.trials["start_time"][:], starts, rtol=1e-12)
        np.testing.assert_allclose(nwb.trials["stop_time"][:], starts + 0.3, rtol=1e-12)
        np.testing.assert_array_equal(nwb.trials["label"][:], [1, 0, 2, 1])
        frame = nwb.units.to_dataframe()
        assert list(frame["population"]) == ["E"] * 8 + ["I"] * 3
        own = trace.spikes["I"]
        expected = (starts[own.trials] + own.times)[own.units == 1]
        row = frame[(frame["population"] == "I") & (frame["neuron"] == 1)].iloc[0]
        np.testing.assert_allclose(row["spike_times"], expected, rtol=1e-12)
        np.testing.assert_allclose(row["obs_intervals"], [[0.3, 1.5]], rtol=1e-12)
        series = nwb.processing["simulation"]["E.U"]
        assert (series.unit, series.rate) == ("dimensionless", pytest.approx(1 / circuit.DT))
        assert series.starting_time == 0.3 and series.data.shape == (4 * 300, 2)


def test_spikes_off_the_grid_come_back_from_nwb(pynwb, tmp_path):
    spikes = circuit.off_grid()
    interop.to_nwb({"V1": spikes}, tmp_path / "V1.nwb")
    assert errors(pynwb, tmp_path / "V1.nwb") == []
    found = interop.from_nwb(tmp_path / "V1.nwb")["V1"]
    np.testing.assert_allclose(found.times, spikes.times, rtol=0, atol=1e-12)
    for part in ("units", "offsets", "labels"):
        np.testing.assert_array_equal(getattr(found, part), getattr(spikes, part))
    assert (found.n_units, found.duration) == (6, 0.4)


def a_file_of_another_program(pynwb, path, trials):
    """Two units, one with spikes between trials."""
    from datetime import UTC, datetime

    nwb = pynwb.NWBFile("a recording", "1", datetime(2020, 1, 1, tzinfo=UTC))
    nwb.add_unit(spike_times=[0.5, 1.25, 3.75])
    nwb.add_unit(spike_times=[1.5, 2.5])
    for start, stop in trials:
        nwb.add_trial(start_time=start, stop_time=stop)
    with pynwb.NWBHDF5IO(path, "w") as io:
        io.write(nwb)


def test_trials_of_another_program_cut_its_spikes(pynwb, tmp_path):
    a_file_of_another_program(pynwb, tmp_path / "rec.nwb", [(1.0, 2.0), (3.0, 4.0)])
    found = interop.from_nwb(tmp_path / "rec.nwb", population="V1")
    np.testing.assert_array_equal(found.start, [1.0, 3.0])
    np.testing.assert_array_equal(found["V1"].times, [0.25, 0.5, 0.75])
    np.testing.assert_array_equal(found["V1"].units, [0, 1, 0])
    np.testing.assert_array_equal(found["V1"].offsets, [0, 2, 3])


def test_a_file_without_trials_is_one_trial(pynwb, tmp_path):
    a_file_of_another_program(pynwb, tmp_path / "rec.nwb", [])
    found = interop.from_nwb(tmp_path / "rec.nwb")
    np.testing.assert_array_equal(found["units"].times, [0.5, 1.25, 1.5, 2.5, 3.75])
    assert found.start == 0.0 and found["units"].duration == pytest.approx(3.76)


def test_careless_calls_of_nwb_are_answered(pynwb, tmp_path):
    with pytest.raises(ValueError, match="pynwb.NWBFile refuses it"):
        interop.to_nwb(circuit.off_grid(), tmp_path / "a.nwb", session={"labb": "ours"})
    with pytest.raises(FileNotFoundError, match="there is no NWB file"):
        interop.from_nwb(tmp_path / "a.nwb")
    (tmp_path / "b.nwb").write_text("no HDF5")
    with pytest.raises(OSError, match="is not an NWB file, or is damaged"):
        interop.from_nwb(tmp_path / "b.nwb")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.nwb"]


# ------------------------------------------------------------------------------------------- SONATA


def test_a_simulation_comes_back_from_sonata_bit_for_bit(tmp_path):
    simulation = circuit.simulation()
    interop.to_sonata(simulation, tmp_path / "folder" / "spikes.h5")
    found = interop.from_sonata(tmp_path / "folder" / "spikes.h5")
    circuit.assert_same_spikes(found, simulation.spikes)
    assert (found.start, found.dt) == (0.25, circuit.DT)


def test_libsonata_reads_our_file(tmp_path):
    libsonata = pytest.importorskip("libsonata")
    simulation = circuit.simulation()
    interop.to_sonata(simulation, tmp_path / "spikes.h5")
    reader = libsonata.SpikeReader(str(tmp_path / "spikes.h5"))
    assert sorted(reader.get_population_names()) == ["E", "I"]
    for name, trains in simulation.spikes.items():
        population = reader[name]
        assert (population.sorting, population.time_units) == ("by_time", "ms")
        found = population.get_dict()
        np.testing.assert_array_equal(found["node_ids"], trains.units)
        expected = (0.25 + trains.times) * 1e3
        np.testing.assert_allclose(found["timestamps"], expected, rtol=1e-12)


def test_spikes_of_another_program_are_read(tmp_path):
    path = tmp_path / "spikes.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("spikes/V1")
        group.create_dataset("timestamps", data=[120.0, 30.0]).attrs["units"] = "ms"
        group.create_dataset("node_ids", data=np.array([4, 0], np.uint64))
    found = interop.from_sonata(path)
    np.testing.assert_allclose(found["V1"].times, [0.03, 0.12], rtol=1e-12)
    np.testing.assert_array_equal(found["V1"].units, [0, 4])
    assert (found.start, found["V1"].n_units) == (0.0, 5)
    assert found["V1"].duration == pytest.approx(0.13)
    told = interop.from_sonata(path, n_units={"V1": 10}, start=0.02, duration=1.0)
    np.testing.assert_allclose(told["V1"].times, [0.01, 0.1], rtol=1e-9)
    assert (told["V1"].n_units, told["V1"].duration, told.start) == (10, 1.0, 0.02)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda path: interop.to_sonata(circuit.trace(), path), "there are 4 trials"),
        (
            lambda path: interop.to_sonata({"a/b": circuit.off_grid()[0]}, path),
            "a name that a group of HDF5 can have",
        ),
        (lambda path: interop.to_sonata(circuit.off_grid()[:0], path), "has no trials, or"),
        (lambda path: interop.from_sonata(path), "there is no SONATA file"),
        (lambda path: interop.from_sonata(str(path) + "/"), "SONATA file"),
    ],
)
def test_careless_calls_of_sonata_are_answered(tmp_path, call, words):
    with pytest.raises((ValueError, OSError), match=words):
        call(tmp_path / "spikes.h5")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda group: group.__delitem__("node_ids"), "node_ids"),
        (lambda group: group["timestamps"].attrs.__setitem__("units", "h"), "times are in 'h'"),
        (lambda group: group["timestamps"].__setitem__(0, np.nan), "timestamps"),
        (lambda group: group.attrs.__setitem__("duration", "long"), "duration"),
    ],
)
def test_damaged_files_of_sonata_are_refused(tmp_path, change, words):
    path = tmp_path / "spikes.h5"
    interop.to_sonata(circuit.simulation(), path)
    with h5py.File(path, "a") as file:
        change(file["spikes/E"])
    with pytest.raises(OSError, match=words):
        interop.from_sonata(path)

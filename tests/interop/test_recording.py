"""A Recording keeps what belongs together; files of spikes keep when a run began."""

import numpy as np
import pytest

import biosnn as bs

from . import circuit


def test_traces_and_simulations_know_which_neurons_they_recorded():
    np.testing.assert_array_equal(circuit.trace().neurons["E.U"], [5, 2])
    np.testing.assert_array_equal(circuit.trace().neurons["I.I_exc"], [0, 1, 2])
    np.testing.assert_array_equal(circuit.simulation().neurons["E.U"], [5, 2])
    whole = bs.run(circuit.network(), bs.data.poisson(80.0, 6, 0.3, 4, seed=1), record=["E.U"])
    later = bs.run(
        circuit.network(),
        bs.data.poisson(80.0, 6, 0.3, 4, seed=1),
        record={"E.U": [5, 2]},
    )
    chosen = whole.states["E.U"][..., later.neurons["E.U"]]
    np.testing.assert_array_equal(later.states["E.U"], chosen)


def test_a_spike_file_of_a_continued_run_keeps_its_start(tmp_path):
    spikes = bs.data.poisson(80.0, 6, 0.25, 1, seed=2)
    first = bs.simulate(circuit.network(), 0.25, spikes, progress=False)
    second = bs.simulate(
        circuit.network(), 0.25, spikes, state=first.state, out=tmp_path / "s", progress=False
    )
    found = bs.read_spikes(tmp_path / "s")
    assert found.start == second.start == 0.25 and found.dt == circuit.DT
    circuit.assert_same_spikes(found, second.spikes)
    circuit.assert_same_spikes(found, circuit.simulation().spikes)


def test_a_recording_drives_a_network():
    spikes = bs.data.poisson(80.0, 6, 0.3, 4, seed=1)
    given, wrapped = (
        bs.run(circuit.network(), each).counts["E"]
        for each in (spikes, bs.data.Recording({"x": spikes}))
    )
    np.testing.assert_array_equal(given, wrapped)


def test_columns_may_be_groups():
    spikes = bs.SpikeTrains.from_units([[0.1]], duration=0.5)
    given = dict(states={"E.U": np.ones((1, 1, 2))}, state_times=[0.0])
    recording = bs.data.Recording({"E": spikes}, neurons={"E.U": ["left", "right"]}, **given)
    assert list(recording.neurons["E.U"]) == ["left", "right"]


@pytest.mark.parametrize(
    "package, through",
    [
        ("neo", lambda r, path: bs.interop.from_neo(bs.interop.to_neo(r))),
        ("xarray", lambda r, path: bs.interop.from_xarray(bs.interop.to_xarray(r))),
        ("pynwb", lambda r, path: bs.interop.to_nwb(r, path) or bs.interop.from_nwb(path)),
    ],
)
def test_labels_of_groups_come_back(tmp_path, package, through):
    pytest.importorskip(package)
    spikes = bs.SpikeTrains.from_units([[0.1]], duration=0.5)
    given = dict(states={"E.U": np.ones((1, 1, 2))}, state_times=[0.0], dt=0.1)
    recording = bs.data.Recording({"E": spikes}, neurons={"E.U": ["left", "right"]}, **given)
    found = through(recording, tmp_path / "a.nwb")
    assert list(found.neurons["E.U"]) == ["left", "right"]


def test_units_hold_for_one_population_or_for_all():
    spikes = bs.SpikeTrains.from_units([[0.1]], duration=0.5)
    recording = bs.data.Recording({"E": spikes}, units={"U": "mV", "I.U": "V"})
    assert [recording.unit(name) for name in ("E.U", "I.U", "E.I_exc")] == [
        "mV",
        "V",
        "dimensionless",
    ]


TRAINS = bs.SpikeTrains.from_units([[0.1]], duration=0.5)


@pytest.mark.parametrize(
    "given, words",
    [
        (dict(spikes=TRAINS), "spikes"),
        (dict(spikes={"E": [0.1]}), "spikes of 'E'"),
        (dict(spikes={"E": TRAINS, "I": TRAINS[[0, 0]]}), "same trials; given: E 1, I 2"),
        (
            dict(spikes={"E": TRAINS, "I": bs.SpikeTrains.from_units([[]], duration=0.7)}),
            r"'E' end before those of other populations \(E 0.5 s, I 0.7 s\)",
        ),
        (dict(spikes={"E": TRAINS}, start=[0.0, 1.0]), "start has shape"),
        (dict(spikes={}, states={"U": np.ones((1, 1, 1))}), "population.state"),
        (dict(spikes={}, states={"E.U": np.ones((1, 4))}), r"\(trial, time, neuron\)"),
        (
            dict(spikes={}, states={"E.U": np.ones((1, 2, 3))}, state_times=[0.0]),
            "the 1 times of state_times",
        ),
        (
            dict(
                spikes={},
                states={"E.U": np.ones((1, 1, 3))},
                state_times=[0.0],
                neurons={"E.U": [0]},
            ),
            "neurons of 'E.U'",
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused(given, words):
    with pytest.raises(ValueError, match=words):
        bs.data.Recording(**given)


def test_a_population_that_is_not_there_is_named():
    with pytest.raises(KeyError, match="no spikes of 'I'; there are those of E"):
        bs.data.Recording({"E": TRAINS})["I"]

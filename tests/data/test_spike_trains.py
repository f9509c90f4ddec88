"""Spike trains: made from the times of units, shown in a few lines, and sorted into steps."""

import numpy as np
import pytest

import biosnn as bs


def test_spike_trains_of_units_are_those_of_their_events():
    trains = bs.SpikeTrains.from_units([[0.3, 0.1], [], np.array([0.2])], duration=0.5, label=2)
    np.testing.assert_array_equal(trains.times, [0.1, 0.2, 0.3])
    np.testing.assert_array_equal(trains.units, [0, 2, 0])
    assert len(trains) == 1 and trains.n_units == 3 and list(trains.labels) == [2]
    single = bs.SpikeTrains.from_units([np.array([0.1], np.float32)], duration=0.5)
    assert single.times.dtype == np.float32 and single.labels is None


@pytest.mark.parametrize(
    "times, words",
    [
        ([], "at least one unit"),
        (0.1, "times is 0.1; it must be a list"),
        ([[0.6]], "before the end of the trial at 0.5 s"),
        ([["a"]], "times"),
    ],
)
def test_spike_trains_of_units_say_what_is_wrong(times, words):
    with pytest.raises(ValueError, match=words):
        bs.SpikeTrains.from_units(times, duration=0.5)


def test_spike_trains_show_themselves_in_a_few_lines():
    trains = bs.data.poisson(20.0, 1000, 2.0, 30, seed=1, labels=np.arange(30) % 3)
    lines = repr(trains).splitlines()
    assert lines[0] == "SpikeTrains" and len(lines) == 7 and len(repr(trains)) < 400
    said = {line.split()[0]: " ".join(line.split()[1:]) for line in lines[1:]}
    assert said["trials"] == "30" and said["duration"] == "2 s" and said["units"] == "1,000"
    assert said["spikes"] == f"{trains.times.size:,}" and said["rate"] == "20 Hz"
    assert said["labels"] == "3 classes (0, 1, 2), 10 trials each"
    uneven = bs.data.poisson(1.0, 1, 1.0, 3, seed=1, labels=[0, 0, 9])
    assert "2 classes (0, 9), 1 to 2 trials each" in repr(uneven)
    many = bs.data.tempotron(n_patterns=8, n_classes=8, n_units=2)
    assert "8 classes, 1 trial each" in repr(many) and "none" in repr(
        bs.data.poisson(1, 1, 1, seed=0)
    )
    page = trains._repr_html_()
    assert page.startswith("<div") and "3 classes (0, 1, 2), 10 trials each" in page
    assert "labels" in repr(trains[:0]) and "0 Hz" in repr(trains[:0])


def test_events_in_steps_show_themselves():
    binned = bs.bin_spikes(bs.data.poisson(20.0, 10, 1.0, 5, seed=1), 2e-3)
    assert repr(binned).splitlines()[:3] == ["Binned", "  trials  5", "  steps   500 of 2 ms"]
    assert f"{binned.rate():.3g} Hz" in repr(binned) and "500 of 2 ms" in binned._repr_html_()


def test_a_task_shows_itself():
    task = bs.data.working_memory(20, delay=(0.1, 0.3), seed=1)
    assert "pools       item 0, item 1, item 2, item 3, go" in repr(task)
    assert "periods     fixation, cue, delay, response" in repr(task)
    assert "item 0" in task._repr_html_()


def test_the_balance_shows_its_quartiles():
    e = np.random.default_rng(0).uniform(1, 2, (1, 50, 9))
    text = repr(bs.stats.ei_balance(e, 0.5 * e))
    assert text.startswith("EIBalance of 9 neurons") and "ratio" in text and "array" not in text
    row = next(line for line in text.splitlines() if line.startswith("ratio"))
    assert row.split() == ["ratio", "2", "2", "2", "9"]

"""The verification of the microcircuit: what NEST recorded, distances, the test, the tables."""

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import biosnn as bs
from models import potjans_diesmann_2014 as model
from validation import microcircuit, microcircuit_runs
from validation.microcircuit_figure import figure
from validation.microcircuit_runs import STEP, TRANSIENT, Protocol


class Nodes:
    """What a NodeCollection of NEST has that is read: nodes first .. first + n - 1."""

    def __init__(self, first, n):
        self.global_id, self.n = first, n

    def __len__(self):
        return self.n

    def __getitem__(self, k):
        return SimpleNamespace(global_id=self.global_id + k)


class Nest:
    """A NEST whose neurons fire one after the other, one of each population in every step."""

    def __init__(self):
        self.recorders, self.time, self.local_spike_counter = [], 0, 0

    def Create(self, kind):
        assert kind == "spike_recorder"
        return SimpleNamespace(events={"senders": np.zeros(0, int), "times": np.zeros(0)})

    def Connect(self, group, recorder):
        self.recorders.append((group, recorder))

    def Prepare(self):
        """Nothing to do."""

    Cleanup = Prepare

    def Run(self, milliseconds):
        steps = np.arange(round(milliseconds / 0.1)) + self.time
        self.time += steps.size
        for group, recorder in self.recorders:
            senders, times = group.global_id + steps % len(group), 0.1 * (steps + 1)
            both = np.concatenate([[recorder.events["senders"], recorder.events["times"]]], axis=0)
            both = np.concatenate([both, [senders, times]], axis=1)[:, ::-1]  # in any order
            recorder.events = {"senders": both[0].astype(int), "times": both[1]}
        self.local_spike_counter = steps.size * len(self.recorders)  # of this Run alone


def test_events_of_nest_become_spikes_after_the_transient(monkeypatch):
    sizes = np.arange(5, 13)
    firsts = np.concatenate([[1], 1 + np.cumsum(sizes)[:-1]])
    groups = [Nodes(int(first), int(n)) for first, n in zip(firsts, sizes)]
    monkeypatch.setitem(sys.modules, "nest", Nest())
    monkeypatch.setattr(microcircuit_runs.simulation_nest, "build", lambda *_: groups)
    done = microcircuit_runs.in_nest(Protocol(0.01, 0.02, 1), 1)
    skipped, steps = round(TRANSIENT / STEP), np.arange(200)
    for name, n in zip(model.NAMES, sizes):
        trains = done.spikes[name]
        assert (trains.n_units, trains.duration) == (n, pytest.approx(0.02))
        assert np.array_equal(np.rint(trains.times / STEP), steps)
        assert np.array_equal(trains.units, (steps + skipped) % n)
    assert done.rate_hz == pytest.approx(8 * 200 / (sizes.sum() * 0.02))


def test_distributions_are_those_of_chosen_trains():
    """Clocks of 10 and 20 Hz in step, and one that is silent."""
    trains = bs.SpikeTrains.from_units(
        [np.arange(0.05, 1, 0.1), np.arange(0.05, 1, 0.05), []], duration=1.0
    )
    found = microcircuit.distributions({"L4E": trains})["L4E"]
    assert found["rate"].tolist() == [10, 19, 0]
    assert found["cv"] == pytest.approx([0, 0], abs=1e-9)
    both, p, q = 10 / 500, 10 / 500, 19 / 500  # bins with a spike of both, and of each
    expected = (both - p * q) / np.sqrt(p * (1 - p) * q * (1 - q))
    assert found["correlation"] == pytest.approx([expected])


def runs(shift, seeds=5, first=5000):
    """Distributions of two populations whose values are normal around a mean."""
    return [
        {
            name: {
                quantity: np.random.default_rng([first + seed, k, p]).normal(shift, 1, 400)
                for k, quantity in enumerate(microcircuit.QUANTITIES)
            }
            for p, name in enumerate(model.NAMES)
        }
        for seed in range(seeds)
    ]


def test_a_row_has_the_distances_of_all_runs():
    ours = [{"L4E": dict.fromkeys(microcircuit.QUANTITIES, np.array(x))} for x in ([1, 2], [1, 3])]
    theirs = [{"L4E": dict.fromkeys(microcircuit.QUANTITIES, np.array(x))} for x in ([4, 5], [2])]
    row = microcircuit.compare(ours, theirs)[0]
    expected = [[0, 0.5, 1, 0.5], [0.5, 0, 1, 0.5], [1, 1, 0, 1], [0.5, 0.5, 1, 0]]
    assert row["distances"].tolist() == expected
    assert (row["biosnn"], row["reference"]) == (7 / 4, 11 / 3)
    assert microcircuit.between(row) == 0.75
    assert microcircuit.between_seeds(row, reference=True).tolist() == [1]
    assert microcircuit.between_seeds(row, reference=False).tolist() == [0.5]
    assert microcircuit.beyond([row]) == []


@pytest.mark.parametrize("shift, fails", [(0.0, False), (0.2, True)])
def test_the_test_finds_another_mean_and_nothing_else(shift, fails):
    rows = microcircuit.averages(microcircuit.compare(runs(0.0), runs(shift, first=500)))
    chances = [microcircuit.chance(row) for row in rows]
    assert [p < microcircuit.SIGNIFICANT for p in chances] == [fails] * 3
    assert not fails or chances == [1 / 126] * 3  # the split of the programs is the largest


def test_a_quantity_without_values_has_no_distance():
    silent = runs(0.0, seeds=2)
    for run in silent:
        run["L23E"]["cv"] = np.zeros(0)
    rows = microcircuit.compare(silent, runs(0.0, 2, first=500))
    assert np.isnan(microcircuit.between(rows[1])) and rows[1]["biosnn"] is None
    means = microcircuit.averages(rows)
    others = [microcircuit.between(r) for r in rows if r["quantity"] == "cv"][1:]
    assert microcircuit.between(means[1]) == pytest.approx(np.mean(others))
    *_, lines = microcircuit.distance_table(rows, "NEST")
    assert lines[9][:3] == ["L23E", "cv", ""] and [lines[9][k] for k in (4, 6)] == ["", ""]
    assert lines[9][5]


def test_the_script_compares_biosnn_with_itself(tmp_path, capsys):
    files = [str(tmp_path / name) for name in ("numbers.json", "figure.png")]
    options = "--scale 0.02 --seconds 0.4 --seeds 2 --threads 1 --reference biosnn --markdown"
    code = microcircuit.main([*options.split(), "--json", files[0], "--figure", files[1]])
    printed, numbers = capsys.readouterr().out, json.loads((tmp_path / "numbers.json").read_text())
    assert code == 0
    assert "identical" in printed and "reference: biosnn, float64 (asked for)" in printed
    assert "| L4E | rate |" in printed and "how often chance" in printed
    assert len(numbers["rows"]) == 24 and set(numbers["speed"]) == {"biosnn", "biosnn, float64"}
    rates = [row["biosnn"] for row in numbers["rows"] if row["quantity"] == "rate"]
    assert 0.3 < np.average(rates, weights=model.NEURONS) < 3
    assert (tmp_path / "figure.png").stat().st_size > 10_000


def test_the_figure_has_a_panel_for_each_quantity_and_population():
    drawn = figure(runs(0.0, 2), runs(0.0, 3, first=500), "NEST")
    assert len(drawn.axes) == 24
    assert [len(axis.lines) for axis in drawn.axes] == [4] * 24
    assert [axis.get_title() for axis in drawn.axes[:8]] == list(model.NAMES)


@pytest.mark.parametrize(
    "options, message",
    [
        ("--seeds 1", "at least 2"),
        ("--scale 2", "0.01 .. 1"),
        ("--seconds 0.05", "above 0.1"),
        ("--figure x.png --only speed", "has none"),
        ("--reference brian2 --scale 0.5", "too long above scale 0.1"),
    ],
)
def test_wrong_options_are_refused(options, message, capsys, monkeypatch):
    monkeypatch.setattr(microcircuit_runs, "find_spec", lambda name: name)
    with pytest.raises(SystemExit):
        microcircuit.main(options.split())
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "installed, scale, reference, why",
    [
        ({"nest", "brian2"}, 1.0, "nest", "installed here"),
        ({"brian2"}, 0.1, "brian2", "nest is not installed"),
        ({"brian2"}, 1.0, "biosnn", "nest is not installed; Brian2 takes too long"),
        (set(), 0.1, "biosnn", "nest is not installed; brian2 is not installed"),
    ],
)
def test_the_reference_is_the_first_that_is_there(installed, scale, reference, why, monkeypatch):
    there = installed | {"biosnn"}
    monkeypatch.setattr(microcircuit_runs, "find_spec", lambda name: name in there or None)
    found = microcircuit.chosen_reference(None, scale)
    assert found[0] == reference and found[1].startswith(why)

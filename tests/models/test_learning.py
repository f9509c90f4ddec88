"""Models that learn: a perceptual decision, spoken digits."""

import json

import h5py
import numpy as np
import pytest

import biosnn as bs
from models import spoken_digits
from models.perceptual_decision import choices
from models.perceptual_decision.__main__ import main as decide


@pytest.mark.statistical
def test_logistic_fit_finds_the_curve_that_choices_were_drawn_from():
    rng, c = np.random.default_rng(0), np.repeat([-0.5, -0.1, -0.03, 0.0, 0.03, 0.1, 0.5], 4000)
    probability = 1 / (1 + np.exp(-(0.4 + 30 * c)))  # of choice 0
    fit = choices.fit_logistic(c, (rng.random(c.size) >= probability).astype(int))
    assert fit["bias"] == pytest.approx(0.4, abs=0.1) and fit["slope"] == pytest.approx(
        30, rel=0.06
    )
    assert fit["threshold"] == pytest.approx(np.log(0.82 / 0.18) / fit["slope"])
    always = choices.fit_logistic(c, np.zeros(c.size, int))
    assert 3 < always["bias"] <= 20 and abs(always["slope"]) <= 1000


@pytest.mark.statistical
def test_ideal_observer_counts_the_spikes_of_both_pools():
    task = bs.data.perceptual_decision(2000, (0.032,), seed=3)
    spikes, (start, stop) = task.spikes, task.periods["stimulus"]
    during = (
        (spikes.times >= start[spikes.trials])
        & (spikes.times < stop[spikes.trials])
        & (spikes.units < 40)
    )
    difference = np.bincount(
        spikes.trials[during], np.where(spikes.units[during] < 20, 1, -1), len(spikes)
    )
    right = ((difference < 0) == spikes.labels)[difference != 0].mean()
    assert right == pytest.approx(choices.ideal_observer(0.032), abs=0.025)


@pytest.mark.slow
def test_perceptual_decision_from_the_command_line(tmp_path):
    """Fewer trials than the script's, which ends within 2 % of the ideal observer."""
    decide(
        [
            "--trials",
            "800",
            "--epochs",
            "8",
            "--lr",
            "5e-3",
            "--test",
            "480",
            "--out",
            str(tmp_path),
        ]
    )
    result = json.loads((tmp_path / "result.json").read_text())
    intact, *lesions = result["lesion"]
    curve = {row["coherence"]: row["share"] for row in intact["psychometric"]}
    assert sum(row["trials"] for row in intact["psychometric"]) == 480 and len(curve) == 11
    assert (
        curve[-0.512] < 0.1
        and curve[0.512] > 0.9
        and curve[-0.064] < curve[0.064]
        and intact["fit"]["slope"] > 8
    )
    assert (
        intact["accuracy_strongest"]["low"] > 0.8
        and intact["accuracy"]["share"] <= result["ideal_accuracy"] + 0.03
    )
    assert (
        abs(result["before"]["accuracy"]["share"] - 0.5) < 0.15 and result["dale_violations"] == 0
    )
    rates = [row["rates_hz"]["E"] for row in (intact, *lesions)]
    assert (
        np.all(np.diff(rates) > 0)
        and rates[-1] > 3 * rates[0]
        and lesions[-1]["accuracy"]["share"] < intact["accuracy"]["share"] - 0.2
    )
    assert (tmp_path / "decision.png").stat().st_size > 10_000
    with pytest.raises(SystemExit):
        decide(["--epochs", "0"])


def digits_file(path, n=270, seed=0):
    """Three words of 180 channels by three speakers.

    A word is a band of channels that fires in the first, second or last part of the trial.
    """
    rng = np.random.default_rng(seed)
    labels, speakers = np.arange(n) % 3, np.arange(n) // 3 % 3
    with h5py.File(path, "w") as file:
        times, units = (
            file.create_dataset(f"spikes/{name}", (n,), h5py.vlen_dtype(kind))
            for name, kind in (("times", "f4"), ("units", "u2"))
        )
        for b, label in enumerate(labels):
            times[b] = np.sort(rng.uniform(0.1 * label, 0.1 * label + 0.1, 60))
            units[b] = rng.integers(0, 60, 60) + 60 * label
        file["labels"], file["extra/speaker"] = labels, speakers.astype("u2")
    return str(path)


@pytest.mark.slow
def test_spoken_digits_from_the_command_line(tmp_path, capsys):
    train, test = (
        digits_file(tmp_path / f"{name}.h5", seed=k) for k, name in enumerate(("train", "test"))
    )
    common = [
        "--train",
        train,
        "--duration",
        "0.3",
        "--epochs",
        "12",
        "--neurons",
        "24",
        "--json",
        str(tmp_path / "rows.json"),
        "--out",
        str(tmp_path),
    ]
    spoken_digits.main([*common, "--test", test])
    (row,) = json.loads((tmp_path / "rows.json").read_text())["rows"]
    assert row["test_accuracy"] > 0.55 and row["test_accuracy"] == np.mean(
        np.equal(row["predictions"], row["labels"])
    )  # 0.33 is chance
    spoken_digits.main([*common, "--leave-one-speaker-out"])
    rows = json.loads((tmp_path / "rows.json").read_text())["rows"]
    assert [(r["speaker"], r["trials"]) for r in rows] == [(0, 90), (1, 90), (2, 90)] and np.mean(
        [r["test_accuracy"] for r in rows]
    ) > 0.55
    assert (tmp_path / "spoken_digits.png").stat().st_size > 10_000
    with pytest.raises(SystemExit):
        spoken_digits.main(["--train", train])
    assert "one of both" in capsys.readouterr().err

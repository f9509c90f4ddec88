"""The model scripts: the papers' theory, and a small run of each from the command line."""

import argparse
import json
import signal
import threading

import h5py
import numpy as np
import pytest

import biosnn as bs
from biosnn.support import progress
from biosnn.theory import siegert_rate
from models import (
    _report,
    brunel_2000,
    litwin_kumar_doiron_2012,
    perceptual_decision,
    rossbroich_2022,
    spoken_digits,
    tsodyks_markram_1998,
    vogels_2011,
    vogels_abbott_2005,
)
from models import potjans_diesmann_2014 as microcircuit


@pytest.mark.parametrize(
    "g, eta, rate", [(6.0, 4.0, 55.84), (5.0, 2.0, 37.95), (4.5, 0.9, 6.52)]
)  # Brunel (2000), eqs. 22-26
def test_brunel_theory(g, eta, rate):
    assert brunel_2000.theory(g, eta) == pytest.approx(rate, abs=0.005)


def test_siegert_rate_far_above_threshold_is_that_of_a_clock():
    period = 2e-3 + 20e-3 * np.log(
        (3.0 - 0.2) / (3.0 - 1.0)
    )  # U relaxes to 3 from the reset at 0.2
    assert siegert_rate(3.0, 1e-3, 20e-3, 1.0, 0.2, 2e-3) == pytest.approx(1 / period, rel=1e-5)
    assert siegert_rate(-40.0, 1.0, 20e-3) == 0.0
    with pytest.raises(ValueError, match="sigma is 0"):
        siegert_rate(0.0, 0.0, 20e-3)


def test_brunel_from_the_command_line(tmp_path):
    brunel_2000.main(
        [
            "--scale",
            "0.1",
            "--seconds",
            "0.2",
            "--json",
            str(tmp_path / "rows.json"),
            "--out",
            str(tmp_path),
        ]
    )
    rows = {(row["g"], row["eta"]): row for row in json.loads((tmp_path / "rows.json").read_text())}
    assert (
        set(rows) == set(brunel_2000.STATES) and (tmp_path / "rasters.png").stat().st_size > 10_000
    )
    for state in (
        (3.0, 2.0),
        (6.0, 4.0),
        (5.0, 2.0),
    ):  # driven so strongly at this scale that theory holds
        assert rows[state]["rate_e_hz"] == pytest.approx(rows[state]["rate_theory_hz"], rel=0.05), (
            state
        )
    assert 1 < rows[4.5, 0.9]["rate_e_hz"] < 8
    assert rows[6.0, 4.0]["synchrony"] > 2 * rows[5.0, 2.0]["synchrony"]


# --------------------------------------------------------------------------------- the microcircuit


def test_microcircuit_numbers_are_those_of_the_paper():
    assert (
        microcircuit.NEURONS.sum() == 77_169
        and microcircuit.synapse_numbers().sum() == pytest.approx(299e6, rel=0.005)
    )
    assert microcircuit.psc() == pytest.approx(87.8e-12, rel=1e-3)
    times = np.arange(0, 20e-3, 1e-6)  # the potential of one such current has its peak at 0.15 mV
    tau, tau_s = microcircuit.TAU, microcircuit.TAU_SYN
    psp = (
        microcircuit.psc()
        / microcircuit.CAPACITANCE
        * tau
        * tau_s
        / (tau - tau_s)
        * (np.exp(-times / tau) - np.exp(-times / tau_s))
    )
    assert psp.max() == pytest.approx(0.15e-3, rel=1e-5)


def test_smaller_microcircuit_keeps_mean_and_variance_of_the_input():
    """At the paper's rates, for every population; the background at scale 1 is Poisson input alone."""
    full, part, numbers, means = (
        microcircuit.background(1.0),
        microcircuit.background(0.25),
        microcircuit.synapse_numbers(),
        microcircuit.weights(),
    )
    inputs = numbers / microcircuit.NEURONS[:, None] * microcircuit.RATES
    assert len(full) == 8 and len(part) == 16
    for k in range(8):
        recurrent, variance = inputs[k] @ means[k], inputs[k] @ means[k] ** 2
        mean = microcircuit.TAU_SYN * (recurrent + full[k].rate * full[k].weight)
        smaller = (
            microcircuit.TAU_SYN * (0.25 * 2 * recurrent + part[k].rate * part[k].weight)
            + part[8 + k].values
        )
        assert smaller == pytest.approx(mean, rel=1e-9)
        assert 0.25 * 4 * variance + part[k].rate * part[k].weight ** 2 == pytest.approx(
            variance + full[k].rate * full[k].weight ** 2
        )


def test_microcircuit_from_the_command_line(tmp_path):
    microcircuit.main(
        [
            "--scale",
            "0.05",
            "--seconds",
            "0.3",
            "--json",
            str(tmp_path / "rows.json"),
            "--out",
            str(tmp_path),
        ]
    )
    result = json.loads((tmp_path / "rows.json").read_text())
    assert (
        result["synapses"] == pytest.approx(299e6 * 0.05**2, rel=0.01)
        and (tmp_path / "microcircuit.png").stat().st_size > 10_000
    )
    for row in result["populations"]:
        assert row["rate_hz"] == pytest.approx(row["rate_paper_hz"], rel=0.4, abs=0.75), row[
            "population"
        ]


# -------------------------------------------------------------------------- CUBA and COBA, clusters


def test_vogels_abbott_from_the_command_line(tmp_path):
    vogels_abbott_2005.main(
        ["--seconds", "0.3", "--json", str(tmp_path / "rows.json"), "--out", str(tmp_path)]
    )
    rates = {
        (row["model"], row["population"]): row["rate_hz"]
        for row in json.loads((tmp_path / "rows.json").read_text())
    }
    assert set(rates) == {(model, name) for model in ("CUBA", "COBA") for name in "EI"}
    assert all(
        4 < rates["CUBA", name] < 8 and 15 < rates["COBA", name] < 27 for name in "EI"
    )  # 5.8 and 20 Hz in long runs
    assert (tmp_path / "rasters.png").stat().st_size > 10_000


@pytest.mark.parametrize("model", vogels_abbott_2005.MODELS)
def test_theory_of_vogels_abbott_goes_as_far_as_its_docstring_says(model):
    """CUBA: the rate. COBA: strong conductances and bursts, which the report names."""
    net = vogels_abbott_2005.build(model, 0)
    start = {
        "background": vogels_abbott_2005.wake_up(model),
        "initial": vogels_abbott_2005.initial_state(model),
        "seed": 1,
        "progress": False,
    }
    warm = bs.simulate(net, 0.2, **start)
    report = bs.regime(net, (), bs.simulate(net, 1.0, state=warm.state, progress=False))
    row, text = report["E"], " ".join(report.warnings)
    if model == "CUBA":
        assert row.predicted.rate == pytest.approx(
            5.45, abs=0.6
        ) and row.measured.rate == pytest.approx(row.predicted.rate, rel=0.1)
        assert (
            "E fires at" not in text
            and "more regular" in text
            and 0.5 < row.measured.cv < 0.75 < row.predicted.cv
        )
    else:
        assert (
            row.measured.rate > 2 * row.predicted.rate and row.measured.cv > 1.5 > row.predicted.cv
        )
        assert (
            "E fires at" in text
            and "but bursts" in text
            and "another stable state, with E at 0 Hz" in text
        )


def test_a_weight_of_the_clustered_network_is_what_the_membrane_gains_in_all():
    neuron = litwin_kumar_doiron_2012.neuron(15e-3)
    step = np.array(bs.neuron.step_matrix(neuron, 1e-5)[0])
    x = np.zeros(5)
    x[list(neuron.states).index("R_exc")] = neuron.receptors["exc"].jump * 0.1
    current = []
    for _ in range(5000):
        x = step @ x
        current.append(x[1])
    assert np.sum(current) * 1e-5 / 15e-3 == pytest.approx(0.1, rel=1e-3)


def test_clusters_have_their_probabilities():
    pre, post, relative = litwin_kumar_doiron_2012.clusters(1600, 50, seed=3)
    same = pre // 32 == post // 32
    assert np.all(pre != post) and np.array_equal(relative, np.where(same, 1.9, 1.0))
    within, between = same.sum() / (1600 * 31), (~same).sum() / (1600 * 1568)
    assert within / between == pytest.approx(2.5, rel=0.02) and pre.size / (
        1600 * 1599
    ) == pytest.approx(0.2, rel=0.01)


def test_clustered_from_the_command_line(tmp_path):
    litwin_kumar_doiron_2012.main(
        [
            "--scale",
            "0.4",
            "--seconds",
            "2.5",
            "--threads",
            "1",
            "--json",
            str(tmp_path / "rows.json"),
            "--out",
            str(tmp_path),
        ]
    )
    uniform, clustered = json.loads((tmp_path / "rows.json").read_text())
    assert (uniform["case"], clustered["case"]) == ("uniform", "clustered")
    assert (
        clustered["fano"]["0.4"] > 1 > uniform["fano"]["0.4"]
        and clustered["fano"]["0.4"] > 1.1 * clustered["fano"]["0.05"]
    )


@pytest.mark.parametrize("model", [microcircuit, litwin_kumar_doiron_2012])
@pytest.mark.parametrize(
    "wrong", [["--scale", "0"], ["--scale", "2"], ["--seconds", "0"], ["--seconds", "nan"]]
)
def test_options_out_of_range_are_refused(model, wrong, capsys):
    with pytest.raises(SystemExit):
        model.main(wrong)
    assert wrong[0] in capsys.readouterr().err


def test_tsodyks_markram_from_the_command_line(tmp_path):
    tsodyks_markram_1998.main(
        ["--seconds", "5", "--json", str(tmp_path / "rows.json"), "--out", str(tmp_path)]
    )
    rows = {
        (row["synapse"], row["rate_hz"]): row
        for row in json.loads((tmp_path / "rows.json").read_text())
    }
    assert rows["depressing", 10.0]["ux_simulated"] == pytest.approx(0.1051, abs=5e-5)
    assert rows["depressing", 20.0]["ux_simulated"] == pytest.approx(0.0571, abs=5e-5)
    for row in rows.values():
        assert row["ux_simulated"] == pytest.approx(row["ux_analytic"], rel=2e-3)
    assert (tmp_path / "synapses.png").stat().st_size > 10_000


def test_inhibitory_plasticity_from_the_command_line(tmp_path):
    vogels_2011.main(
        [
            "--scale",
            "0.1",
            "--seconds",
            "3",
            "--seed",
            "1",
            "--json",
            str(tmp_path / "rows.json"),
            "--out",
            str(tmp_path),
        ]
    )
    before, after = json.loads((tmp_path / "rows.json").read_text())
    assert (
        before["rate_e_hz"] > 100
        and before["cv"] < 0.1
        and before["inhibition_to_excitation"] < 1e-3
    )  # regular, without inhibition
    assert (
        after["rate_e_hz"] < before["rate_e_hz"] / 3
        and after["cv"] > 0.6
        and 0.5 < after["inhibition_to_excitation"] < 1
    )
    assert (
        before["rate_seen_hz"] is None and 0 < after["rate_seen_hz"] < after["rate_e_hz"]
    )  # inhibitory spikes silence
    assert (tmp_path / "plasticity.png").stat().st_size > 10_000


def test_a_conductance_network_learns_randman(tmp_path, monkeypatch):
    """Three of the ten classes for a shorter time than the script's (which ends at 93 % of ten); chance is 0.33."""

    def load(args, samples=None, seed=None):
        return *bs.data.split(
            bs.data.randman(n_classes=3, samples_per_class=400, seed=args.seed), seed=args.seed
        ), "Randman, 3 classes"

    monkeypatch.setattr(rossbroich_2022, "load", load)
    rossbroich_2022.main(
        [
            "dalian",
            "--neuron",
            "conductance",
            "--epochs",
            "7",
            "--batch",
            "20",
            "--out",
            str(tmp_path),
        ]
    )
    result = json.loads((tmp_path / "result.json").read_text())
    assert (
        result["neuron"] == "conductance"
        and result["test_accuracy"] > 0.65
        and result["dale_violations"] == 0
    )
    assert (
        result["init_report"]["converged"]
        and (tmp_path / "currents_after.png").stat().st_size > 10_000
    )


# --------------------------------------------------------------------------------------- a decision


def test_logistic_fit_finds_the_curve_that_choices_were_drawn_from():
    rng, c = np.random.default_rng(0), np.repeat([-0.5, -0.1, -0.03, 0.0, 0.03, 0.1, 0.5], 4000)
    choices = (rng.random(c.size) >= 1 / (1 + np.exp(-(0.4 + 30 * c)))).astype(
        int
    )  # 0 with the logistic's probability
    fit = perceptual_decision.fit_logistic(c, choices)
    assert fit["bias"] == pytest.approx(0.4, abs=0.1) and fit["slope"] == pytest.approx(
        30, rel=0.06
    )
    assert fit["threshold"] == pytest.approx(np.log(0.82 / 0.18) / fit["slope"])
    always = perceptual_decision.fit_logistic(c, np.zeros(c.size, int))
    assert 3 < always["bias"] <= 20 and abs(always["slope"]) <= 1000


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
    assert right == pytest.approx(perceptual_decision.ideal_observer(0.032), abs=0.025)


def test_perceptual_decision_from_the_command_line(tmp_path):
    """Fewer trials than the script's, which ends within 2 % of the ideal observer."""
    perceptual_decision.main(
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
        curve[-0.512] < 0.1 < 0.9 < curve[0.512]
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
        perceptual_decision.main(["--epochs", "0"])


def digits_file(path, n=270, seed=0):
    """Three words of 180 channels by three speakers: a band of channels that fires in the first, second or last part of the trial."""
    rng = np.random.default_rng(seed)
    labels, speakers = np.arange(n) % 3, np.arange(n) // 3 % 3
    with h5py.File(path, "w") as file:
        times, units = (
            file.create_dataset(f"spikes/{name}", (n,), h5py.vlen_dtype(kind))
            for name, kind in (("times", "f4"), ("units", "u2"))
        )
        for b, (label, speaker) in enumerate(zip(labels, speakers)):
            times[b] = np.sort(rng.uniform(0.1 * label, 0.1 * label + 0.1, 60))
            units[b] = rng.integers(0, 60, 60) + 60 * label
        file["labels"], file["extra/speaker"] = labels, speakers.astype("u2")
    return str(path)


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


def test_ctrl_c_keeps_the_simulations_that_were_done(capsys, monkeypatch):
    monkeypatch.setattr(progress, "_AGAIN", 0.0)  # no press here is the second of another
    net = bs.Network(1e-3)
    net.population(20, bs.lif(threshold=1.0), "excitatory", name="E")
    wake, started = [bs.Current("E", 1.5)], []

    def simulate(seconds):
        if seconds > 1e3:
            started.append(threading.Timer(0.5, lambda: signal.raise_signal(signal.SIGINT)))
            started[-1].start()
        return _report.after_warm_up(
            net, 0.01, argparse.Namespace(seconds=seconds, seed=0, threads=1), wake
        )

    def measure(case, done):
        return done.mean_rates["E"]

    results = _report.until_interrupted(simulate, measure, [0.3, 1e6, 0.3])
    started[0].join()
    assert [done.interrupted for _, done in results] == [False, True] and _report.LEAST <= results[
        1
    ][1].duration < 1e6
    assert (
        results[1][0] == pytest.approx(results[0][0], rel=0.1)
        and "2 of 3 simulations" in capsys.readouterr().out
    )
    results = _report.until_interrupted(
        lambda case: signal.raise_signal(signal.SIGINT) if case > 1 else simulate(0.3),
        measure,
        [1, 2, 1],
    )
    assert len(results) == 1
    results = _report.until_interrupted(
        lambda case: simulate(0.3),
        lambda case, done: signal.raise_signal(signal.SIGINT) or case,
        [1, 2],
    )
    assert [case for case, _ in results] == [1]  # Ctrl-C while it is measured
    with pytest.raises(SystemExit, match="interrupted before"):
        _report.until_interrupted(lambda case: None, measure, [1, 2])

"""The experiments of Rossbroich, Gygax & Zenke (2022), small, from the command line."""

import argparse
import json

import numpy as np
import pytest

import biosnn as bs
from models.rossbroich_2022 import dalian, learning, networks
from models.rossbroich_2022.__main__ import main
from models.rossbroich_2022.dalian import ratio
from models.rossbroich_2022.stacks import best_of


def results(folder, figure, *arguments):
    """Rows of an experiment that is run with --quick, after a look at what it wrote."""
    main(
        [
            *arguments,
            "--quick",
            "--threads",
            "1",
            "--json",
            str(folder / "copy.json"),
            "--out",
            str(folder),
        ]
    )
    result = json.loads((folder / "result.json").read_text())
    assert (
        json.loads((folder / "copy.json").read_text()) == result
        and (folder / figure).stat().st_size > 10_000
    )
    assert result["experiment"] == arguments[0] and result["versions"]["biosnn"] == bs.__version__
    return result


def test_randman(tmp_path):
    result = results(tmp_path, "randman.png", "randman", "--epochs", "6")
    (row,) = result["rows"]
    assert result["test_accuracy"] == row["test_accuracy"] > 0.3  # 0.1 is chance
    losses = [h["loss"] for h in row["history"]]
    measured = row["init_report"]["populations"][0]["measured"]
    assert losses[-1] < losses[0] and measured["sigma"] == pytest.approx(1, rel=0.02)


def test_depth(tmp_path):
    rows = results(
        tmp_path,
        "depth.png",
        "depth",
        "--layers",
        "1",
        "4",
        "--neurons",
        "64",
        "--homeostasis",
        "without",
        "--epochs",
        "1",
    )["rows"]
    found = {(r["init"], r["layers"]): r for r in rows}
    assert set(found) == {
        (init, layers) for init in ("fluctuation", "kaiming") for layers in (1, 4)
    }
    # without the right scale activity dies out from layer to layer, and with it the gradient
    deep, dead = found["fluctuation", 4], found["kaiming", 4]
    assert deep["silent_layers"]["before"] == 0 and dead["silent_layers"]["before"] >= 3
    assert all(rates["before"] > 1 for rates in deep["rates_hz"].values())
    assert deep["gradient_norms"][-1] > 0 == dead["gradient_norms"][-1]


def test_sigma(tmp_path):
    result = results(
        tmp_path,
        "sigma.png",
        "sigma",
        "--sigmas",
        "0.1",
        "1",
        "--neurons",
        "64",
        "--layers",
        "2",
        "--homeostasis",
        "without",
    )
    small, large = result["rows"]
    assert (small["sigma_u"], large["sigma_u"]) == (0.1, 1.0) and result["best_sigma_u"] == {
        "without": 1.0
    }
    assert small["silent_layers"]["before"] == 2 and large["silent_layers"]["before"] == 0
    assert len(small["gradient_norms"]) == 3


def test_alpha(tmp_path):
    rows = results(tmp_path, "alpha.png", "alpha", "--alphas", "0.5", "1", "--neurons", "64")[
        "rows"
    ]
    assert [r["alpha"] for r in rows] == [0.5, 1.0]
    half, none = (r["init_report"] for r in rows)
    assert "L1->L1" not in none["weights"]
    rates = {
        "input": half["input_rates_hz"]["input"],
        "L1": half["populations"][0]["target"]["rate"],
    }
    forward, recurrent = (
        n
        * rates[pre]
        * (1 - rates[pre] * networks.DT)
        * half["weights"][f"{pre}->L1"]["standard_deviation"] ** 2
        for pre, n in (("input", 20), ("L1", 64))
    )
    assert recurrent == pytest.approx(forward, rel=1e-3)  # half of the variance each
    assert all(r["history"][-1]["loss"] < r["history"][0]["loss"] for r in rows)


@pytest.mark.slow
def test_convolution(tmp_path):
    rows = results(
        tmp_path,
        "convolution.png",
        "convolution",
        "--filters",
        "4",
        "6",
        "8",
        "--homeostasis",
        "without",
        "--samples",
        "20",
    )["rows"]
    driven, dead = rows
    assert (driven["init"], dead["init"]) == ("fluctuation", "kaiming") and driven["shapes"] == [
        [4, 38],
        [6, 11],
        [8, 2],
    ]
    assert driven["silent_layers"]["before"] == 0 and dead["silent_layers"]["before"] >= 2
    assert (
        len(driven["gradient_norms"]) == 4
        and driven["gradient_norms"][0] > 0 == dead["gradient_norms"][0]
    )
    assert [p["measured"]["sigma"] for p in driven["init_report"]["populations"]] == pytest.approx(
        [1, 1, 1], rel=0.05
    )
    before, after = (np.array(driven["kernels"][when]) for when in ("before", "after"))
    assert (
        before.shape == (4, 21)
        and not np.allclose(before, after)
        and (tmp_path / "activity.png").stat().st_size > 10_000
    )


def test_dalian_options(tmp_path):
    main(
        [
            "dalian",
            "--family",
            "log-normal",
            "--no-recurrent-excitation",
            "--ratio",
            "3:1",
            "--epochs",
            "1",
            "--samples",
            "30",
            "--threads",
            "1",
            "--out",
            str(tmp_path),
            "--json",
            str(tmp_path / "copy.json"),
        ]
    )
    result = json.loads((tmp_path / "copy.json").read_text())
    assert result["neurons"] == {"E": 120, "I": 40} and result["dale_violations"] == 0
    weights = result["init_report"]["weights"]
    assert (
        "E->E" not in weights
        and "E->I" not in weights
        and "LogNormal" in weights["input->E"]["family"]
    )
    assert weights["input->E"]["standard_deviation"] == pytest.approx(
        weights["input->E"]["mean"] * np.sqrt(np.e - 1), rel=1e-6
    )


def test_a_ratio_of_neurons():
    assert ratio("4:1") == (128, 32) and ratio("1:1") == (80, 80)
    for wrong in ("4", "0:1", "4:0", "a:b", "1:-1"):
        with pytest.raises(argparse.ArgumentTypeError, match="no ratio"):
            ratio(wrong)


def test_gradient_norms_belong_to_the_projections_in_their_order():
    data = bs.data.randman(n_classes=3, samples_per_class=10, seed=0)
    net = networks.stack(data, 3, 2, n=30)
    bs.fluctuation_driven(net, data, seed=0, threads=1, progress=False)
    assert networks.forward_projections(net) == ["input->L1", "L1->L2", "L2->readout"]
    norms = learning.gradient_norms(net, data)
    trace = bs.run(net, data)
    values = []
    for step in (-1e-3, 1e-3):  # nothing jumps in the readout's weights: finite differences hold
        other = networks.stack(data, 3, 2, n=30)
        for name, weights in net.weights.items():
            other.set_weights(name, weights)
        slope = bs.gradient(
            bs.run(net, data, tape=True),
            states={
                "readout.U": learning.LOSS.value_and_gradient(
                    trace.states["readout.U"], data.labels
                )[1]
            },
        ).weights["L2->readout"]
        other.set_weights(
            "L2->readout", net.weights["L2->readout"] + step * slope / np.linalg.norm(slope)
        )
        values.append(
            learning.LOSS.value_and_gradient(bs.run(other, data).states["readout.U"], data.labels)[
                0
            ]
        )
    assert (values[1] - values[0]) / 2e-3 == pytest.approx(norms[-1], rel=2e-2)


def test_the_best_value_is_that_of_the_largest_mean():
    rows = [
        {"sigma_u": s, "lower_bound": True, "test_accuracy": a}
        for s, a in ((1.0, 0.9), (1.0, 0.1), (2.0, 0.6), (2.0, 0.6))
    ]
    assert best_of(rows, "sigma_u", True) == 2.0


@pytest.mark.slow
def test_a_conductance_network_learns_randman(tmp_path, monkeypatch):
    """Three of the ten classes, for a shorter time than the script's; chance is 0.33."""

    def load(args):
        trials = bs.data.randman(n_classes=3, samples_per_class=400, seed=args.seed)
        return bs.data.split(trials, seed=args.seed)

    monkeypatch.setattr(dalian, "load", load)
    main(
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
